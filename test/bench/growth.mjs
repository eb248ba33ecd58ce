/** Group b: what one reservation costs when so many are in the ledger already. */

import { join } from 'node:path';
import { openLedger, reserveOne, run, seed, tempFolder } from './arena.mjs';
import { middle, number, QUIET_MAX_CORES, table, verdict } from './report.mjs';

const CALLERS = 64;
const SKUS = 1000;
/** Flat within a quarter from the first size to the second. */
const TARGET = 1.25;

export async function growth({ quick, large }) {
  const sizes = [10_000, quick ? 200_000 : 1_000_000, ...(large ? [10_000_000] : [])];
  const { folder, remove } = tempFolder();
  // One ledger a size, measured in turns at the end: so that a slow minute hits all sizes alike.
  const ledgers = [];
  for (const size of sizes) {
    const ledger = openLedger({ path: join(folder, `${size}.db`) });
    await seed(ledger, SKUS);
    // Filled by the program's own code: the rows are the real ones.
    await run(256, size, () => reserveOne(ledger.ledger, SKUS));
    ledgers.push({ size, ledger, rounds: [] });
  }
  for (let round = -1; round < (quick ? 3 : 9); round += 1) {
    for (const contestant of ledgers) {
      const result = await run(CALLERS, quick ? 3000 : 6000, () =>
        reserveOne(contestant.ledger.ledger, SKUS),
      );
      if (round >= 0) contestant.rounds.push(result);
    }
  }
  const results = ledgers.map(({ size, rounds }, n) => ({
    size,
    cpu_us: middle(rounds, 'cpu_us'),
    wall_us: middle(rounds, 'wall_us'),
    cpu_ratio: middle(ratios(rounds, ledgers[0].rounds, 'cpu_us'), 'ratio'),
    wall_ratio: middle(ratios(rounds, ledgers[0].rounds, 'wall_us'), 'ratio'),
    others_cores: middle(rounds, 'others_cores'),
    target: n === 1 && !quick ? TARGET : null,
  }));
  for (const { ledger } of ledgers) await ledger.store.close();
  remove();
  table(
    `b. Cost of one reservation by reservations in the ledger (${CALLERS} callers, ${number(SKUS)} SKUs, filled through the ledger itself)`,
    ['in the ledger', 'CPU µs', 'wall µs', 'CPU ratio', 'wall ratio', 'others’ cores', 'target (wall)'],
    results.map((row) => [
      number(row.size),
      number(row.cpu_us, 1),
      number(row.wall_us, 1),
      `${number(row.cpu_ratio, 2)}×`,
      `${number(row.wall_ratio, 2)}×`,
      number(row.others_cores, 2),
      row.target === null
        ? ''
        : verdict(row.wall_ratio, row.target, {
            isBelow: true,
            isQuiet: row.others_cores <= QUIET_MAX_CORES,
          }),
    ]),
  );
  return results;
}

function ratios(rounds, base, field) {
  return rounds.map((round, n) => ({ ratio: round[field] / base[n][field] }));
}
