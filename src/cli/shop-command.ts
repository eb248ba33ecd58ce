/** One full read of the shop for one command: opens ledger and shop, tells how far it is, and leaves cleanly. */

import { resolve } from 'node:path';
import { type Holdfast, openHoldfast } from '../app/open-app.js';
import { LIMITS } from '../config/config.js';
import type { ReconcileReport } from '../ledger/model/drift-report.js';
import { type LogLevel, stderrLog } from '../observability/log.js';
import { UpstreamError, type UpstreamFailure } from '../sources/source.js';
import { inspectLedger } from '../store/sqlite/inspect-ledger.js';
import type { FullReadOptions, Reconciled, StockSync } from '../sync/stock-sync.js';
import { describeProcess } from './doctor/doctor-ledger.js';
import { machineConfig } from './ledger/machine-environment.js';
import { Progress } from './terminal/progress.js';

export type FullRead = (
  sync: StockSync,
  signal: AbortSignal,
  options: FullReadOptions,
) => Promise<Reconciled>;

export type FullReadDone =
  | {
      readonly ok: true;
      readonly report: ReconcileReport;
      readonly elapsed_ms: number;
      readonly location_names: ReadonlyMap<string, string>;
    }
  | { readonly ok: false; readonly code: 'left' | 'lease_taken' | UpstreamFailure; readonly why: string };

/**
 * Ctrl-C or SIGTERM ends the read between two pages, and gives the lease back. What was read until then stays in the
 * ledger: every page is whole by itself.
 */
export async function readShop(what: string, read: FullRead): Promise<FullReadDone> {
  const config = machineConfig();
  // Log lines would tear the progress apart. Whoever wants them says so.
  const level: LogLevel = config.log_level === 'debug' ? 'debug' : 'silent';
  const holdfast = openHoldfast(config, stderrLog(level));
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave).once('SIGTERM', leave);
  const progress = progressOnStderr(what);
  try {
    const onProgress: FullReadOptions['onProgress'] = ({ items_read, items_total }) =>
      progress.step({ done: items_read, total: items_total });
    const reconciled = await read(await holdfast.sync(), leaving.signal, { onProgress });
    if (leaving.signal.aborted && !reconciled.done) return LEFT;
    if (!reconciled.done) return leaseTaken(config.db);
    const { elapsed_ms } = progress;
    return { ok: true, report: reconciled.report, elapsed_ms, location_names: await locationNames(holdfast) };
  } catch (error) {
    if (leaving.signal.aborted) return LEFT;
    if (error instanceof UpstreamError) return failedRead(error);
    throw error;
  } finally {
    progress.end();
    process.off('SIGINT', leave).off('SIGTERM', leave);
    await holdfast.stop();
  }
}

const LEFT: FullReadDone = {
  ok: false,
  code: 'left',
  why: 'Stopped before the end. What was read so far is in the ledger; the rest is as it was.',
};

function leaseTaken(db: string): FullReadDone {
  const lease = inspectLedger(resolve(db), LIMITS.outbox.unplaced_after_ms).books?.leases.find(
    ({ name }) => name === 'sync',
  );
  const who = lease === undefined ? 'Another process' : `Another holdfast (${describeProcess(lease.owner)})`;
  return {
    ok: false,
    code: 'lease_taken',
    why: `${who} keeps this ledger in step with the shop at the moment. It reads everything once an hour by itself; to do it from here, stop that one first.`,
  };
}

/** The shop's own words are not repeated: holdfast doctor finds out and says how to mend it. */
const WHY: Readonly<Record<UpstreamFailure, string>> = {
  unreachable: 'The shop did not answer.',
  throttled: 'The shop asks us to slow down, and goes on doing so.',
  unauthorized: 'The shop refused the token.',
  scope_missing: 'The app lacks a scope.',
  refused: 'The shop refused a question.',
  protocol: 'The shop answered in a way it should not.',
};

function failedRead({ failure }: UpstreamError): FullReadDone {
  return { ok: false, code: failure, why: `${WHY[failure]} holdfast doctor says more, and how to mend it.` };
}

async function locationNames({ store }: Holdfast): Promise<ReadonlyMap<string, string>> {
  return await store.read({}, ({ locations }) => new Map([...locations].map(([id, { name }]) => [id, name])));
}

function progressOnStderr(what: string): Progress {
  const { stderr } = process;
  return new Progress(what, {
    ...LIMITS.progress,
    write: (text) => void stderr.write(text),
    isTerminal: stderr.isTTY === true,
    columns: stderr.columns || PLAIN_COLUMNS,
    now: () => performance.now(),
  });
}

const PLAIN_COLUMNS = 100;
