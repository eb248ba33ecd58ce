/** Where the units of a line are taken: one location that covers it first, else split. */

import type { Allocation } from '../model/reservation.js';
import type { Level } from '../model/stock.js';

/** Promisable units by level, counted down as lines are allocated. */
export type Promisable = Map<number, number>;

/**
 * Takes up to `wantedUnits` from the levels, preferring in the shop's own order one level that covers all of
 * them, else the fewest levels (largest first). Counts `promisable` down by what it took; takes less than
 * wanted only when there is less. Deterministic: ties go to the shop's order, then to the location id.
 */
export function allocate(
  levels: readonly Level[],
  promisable: Promisable,
  wantedUnits: number,
): Allocation[] {
  const left = (level: Level): number => promisable.get(level.level_key) ?? 0;
  const covering = levels.find((level) => left(level) >= wantedUnits);
  const order = covering === undefined ? [...levels].sort((a, b) => left(b) - left(a)) : [covering];
  const allocations: Allocation[] = [];
  let wanted = wantedUnits;
  for (const level of order) {
    const quantity = Math.min(wanted, left(level));
    if (quantity <= 0) continue;
    promisable.set(level.level_key, left(level) - quantity);
    allocations.push({ location_id: level.location_id, quantity });
    wanted -= quantity;
  }
  return allocations;
}
