/** Group c: many processes on one file at full load, with the turnstile and without. */

import { fork } from 'node:child_process';
import { join } from 'node:path';
import { openLedger, seed, tempFolder } from './arena.mjs';
import { number, quantile, table, verdict } from './report.mjs';

const PROCESSES = 16;
const CALLERS = 4;
const SKUS = 100;
/** On a quiet machine. */
const TARGET_LONGEST_MS = 250;

export async function processes({ quick, isQuiet }) {
  const run_ms = quick ? 5000 : 30_000;
  const results = [];
  for (const turnstile of [true, false]) results.push(await contest(turnstile, run_ms));
  for (const result of results) printProcesses(result);
  table(
    `c. ${PROCESSES} processes on one file, ${CALLERS} callers each, ${run_ms / 1000} s`,
    ['', 'calls/s', 'busy errors', 'least served', 'most served', 'p50 ms', 'p99 ms', 'longest ms', 'target'],
    results.map((row) => [
      row.turnstile ? 'with turnstile' : 'without',
      number(row.per_s),
      row.busy,
      `${number(row.least_share * 100, 1)} %`,
      `${number(row.most_share * 100, 1)} %`,
      number(row.p50_ms, 1),
      number(row.p99_ms, 1),
      number(row.longest_ms, 1),
      row.turnstile ? verdict(row.longest_ms, TARGET_LONGEST_MS, { isBelow: true, isQuiet }) : '',
    ]),
  );
  return results;
}

async function contest(turnstile, run_ms) {
  const { folder, remove } = tempFolder();
  const path = join(folder, 'ledger.db');
  const ledger = openLedger({ path });
  await seed(ledger, SKUS);
  await ledger.store.close();
  const children = Array.from({ length: PROCESSES }, () =>
    fork(new URL('process-worker.mjs', import.meta.url), [
      JSON.stringify({ path, turnstile, callers: CALLERS, skus: SKUS, run_ms }),
    ]),
  );
  const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  await Promise.all(children.map((child) => message(child)));
  const reports = Promise.all(children.map((child) => message(child)));
  for (const child of children) child.send('go');
  const workers = await reports;
  for (const child of children) child.send('dismissed');
  await ended;
  remove();
  const all = workers.flatMap((worker) => worker.latencies_ms);
  const calls = all.length;
  return {
    turnstile,
    per_s: (calls / run_ms) * 1000,
    busy: workers.reduce((sum, worker) => sum + worker.busy, 0),
    least_share: Math.min(...workers.map((worker) => worker.latencies_ms.length)) / calls,
    most_share: Math.max(...workers.map((worker) => worker.latencies_ms.length)) / calls,
    ...latencies(all),
    workers: workers.map((worker) => ({
      calls: worker.latencies_ms.length,
      share: worker.latencies_ms.length / calls,
      busy: worker.busy,
      ...latencies(worker.latencies_ms),
    })),
  };
}

function latencies(values) {
  return {
    p50_ms: quantile(values, 0.5),
    p99_ms: quantile(values, 0.99),
    longest_ms: values.reduce((most, value) => Math.max(most, value), 0),
  };
}

function printProcesses(result) {
  table(
    `c. Each process, ${result.turnstile ? 'with' : 'without'} the turnstile`,
    ['process', 'calls', 'share', 'busy errors', 'p50 ms', 'p99 ms', 'longest ms'],
    result.workers.map((worker, n) => [
      n + 1,
      number(worker.calls),
      `${number(worker.share * 100, 1)} %`,
      worker.busy,
      number(worker.p50_ms, 1),
      number(worker.p99_ms, 1),
      number(worker.longest_ms, 1),
    ]),
  );
}

function message(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
  });
}
