/** Group a: durable reservations per second against the naive way, both on disk, taking turns. */

import { join } from 'node:path';
import { openLedger, openNaive, reserveOne, run, seed, tempFolder } from './arena.mjs';
import { middle, number, QUIET_MAX_CORES, table, verdict } from './report.mjs';

const CALLERS = [1, 16, 64];
/** Issue 2, acceptance line 9, at 64 callers. */
const TARGETS = new Map([
  [1, 6],
  [100_000, 4],
]);

export async function throughput({ quick }) {
  const results = [];
  for (const [skus, target] of TARGETS) results.push(...(await contest(skus, target, quick)));
  table(
    'a. Durable reservations per second (fsync before each answer; ours with journal, outbox row and checksum)',
    [
      'SKUs',
      'callers',
      'holdfast/s',
      'naive/s',
      'ratio',
      'holdfast CPU µs',
      'naive CPU µs',
      'others’ cores',
      'target',
    ],
    results.map((row) => [
      number(row.skus),
      row.callers,
      number(row.ours.per_s),
      number(row.naive.per_s),
      `${number(row.ratio, 2)}×`,
      number(row.ours.cpu_us, 1),
      number(row.naive.cpu_us, 1),
      number(row.others_cores, 2),
      row.target === null
        ? ''
        : verdict(row.ratio, row.target, { isQuiet: row.others_cores <= QUIET_MAX_CORES }),
    ]),
  );
  return results;
}

async function contest(skus, target, quick) {
  const { folder, remove } = tempFolder();
  const ours = openLedger({ path: join(folder, 'ledger.db') });
  await seed(ours, skus);
  const naive = openNaive(join(folder, 'naive.db'), skus);
  const rounds = quick ? 3 : 9;
  const results = [];
  for (const callers of CALLERS) {
    const count = (quick ? 4000 : 12_000) / (callers === 1 ? 6 : 1);
    const a = [];
    const b = [];
    // One round unmeasured, then A B A B: what the machine does meanwhile happens to both.
    for (let round = -1; round < rounds; round += 1) {
      const mine = await run(callers, count, () => reserveOne(ours.ledger, skus));
      const theirs = await run(callers, Math.ceil(count / 4), naive.reserveOne);
      if (round < 0) continue;
      a.push(mine);
      b.push(theirs);
    }
    results.push({
      skus,
      callers,
      ours: { per_s: middle(a, 'per_s'), cpu_us: middle(a, 'cpu_us') },
      naive: { per_s: middle(b, 'per_s'), cpu_us: middle(b, 'cpu_us') },
      ratio: middle(
        a.map((mine, n) => ({ ratio: mine.per_s / b[n].per_s })),
        'ratio',
      ),
      others_cores: middle([...a, ...b], 'others_cores'),
      target: callers === 64 ? target : null,
    });
  }
  naive.close();
  await ours.store.close();
  remove();
  return results;
}
