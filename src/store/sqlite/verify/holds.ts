/** Proves of every stock level that it holds what its holds say, and of every hold that it is somebody's. */

import type { Database } from '../database/driver.js';
import type { Findings } from './findings.js';

/** L2: the sums of every level are those of its holds. */
export function checkSums(db: Database, found: Findings): number {
  const rows = db
    .prepare(
      `SELECT levels.level_key AS level_key, held_units, mirrored_units, doubted_units,
         coalesce(counted, 0) AS counted, coalesce(mirrored, 0) AS mirrored, coalesce(doubted, 0) AS doubted
       FROM levels LEFT JOIN (
         SELECT level_key, sum(iif(state = 'counted', quantity_units, 0)) AS counted,
           sum(iif(state = 'counted', 0, quantity_units)) AS mirrored,
           sum(iif(state = 'mirrored' AND place = 'doubted', quantity_units, 0)) AS doubted
         FROM holds GROUP BY level_key
       ) AS sums ON sums.level_key = levels.level_key`,
    )
    .iterate() as IterableIterator<
    Record<
      'level_key' | 'held_units' | 'mirrored_units' | 'doubted_units' | 'counted' | 'mirrored' | 'doubted',
      number
    >
  >;
  let count = 0;
  for (const row of rows) {
    count += 1;
    if (row.held_units !== row.counted)
      found.add('L2', `level ${row.level_key} says ${row.held_units} held, its holds are ${row.counted}`);
    if (row.doubted_units !== row.doubted)
      found.add(
        'L2',
        `level ${row.level_key} says ${row.doubted_units} doubted, its holds are ${row.doubted}`,
      );
    if (row.mirrored_units !== row.mirrored)
      found.add(
        'L2',
        `level ${row.level_key} says ${row.mirrored_units} mirrored, its holds are ${row.mirrored}`,
      );
  }
  return count;
}

/** L2: no hold at a level that does not exist. L3: no hold for a reservation that is over or was never made. */
export function checkHolds(db: Database, found: Findings): number {
  const wrong = db
    .prepare(
      `SELECT holds.reservation_key AS reservation_key, holds.level_key AS level_key, holds.state AS state,
         reservations.state AS reservation, levels.level_key IS NULL AS nowhere
       FROM holds LEFT JOIN reservations ON reservations.reservation_key = holds.reservation_key
       LEFT JOIN levels ON levels.level_key = holds.level_key
       WHERE levels.level_key IS NULL OR reservations.state IS NULL
         OR (holds.state <> 'returning' AND reservations.state IN ('released', 'expired'))
         OR (holds.state = 'returning' AND reservations.state NOT IN ('released', 'expired'))`,
    )
    .iterate() as IterableIterator<{
    reservation_key: number;
    level_key: number;
    state: string;
    reservation: string | null;
    nowhere: 0 | 1;
  }>;
  for (const { reservation_key, level_key, state, reservation, nowhere } of wrong) {
    if (nowhere === 1)
      found.add(
        'L2',
        `reservation ${reservation_key} holds units at level ${level_key}, which does not exist`,
      );
    if (reservation === null)
      found.add(
        'L3',
        `a hold at level ${level_key} is of reservation ${reservation_key}, which does not exist`,
      );
    else if (state !== 'returning' || (reservation !== 'released' && reservation !== 'expired'))
      found.add(
        'L3',
        `reservation ${reservation_key} is ${reservation} and has a ${state} hold at level ${level_key}`,
      );
  }
  return db.prepare('SELECT count(*) FROM holds').pluck().get() as number;
}
