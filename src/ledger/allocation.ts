/** Where the units of a line are taken: one location that covers it first, else split. */

import type { Hold } from './hold.js';
import type { Allocation } from './reservation.js';
import type { Item, Level } from './stock.js';

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

/**
 * Where the shop takes the units of a draft order: it has no location, and Shopify reserves at the first one, in the
 * shop's order, that stocks the item.
 */
export function draftLevel(item: Pick<Item, 'levels'>): Level | undefined {
  return item.levels.find((level) => level.sellable_here && level.location_open);
}

/** Holds whose units a draft order takes at another location than they were promised at. */
export function drawnElsewhere(
  holds: readonly Hold[],
  items: readonly Item[],
): { readonly sku: string; readonly promised_at: string; readonly taken_at: string }[] {
  return items.flatMap((item) => {
    const at = draftLevel(item);
    return item.levels
      .filter((level) => level !== at && holds.some((hold) => hold.level_key === level.level_key))
      .map(({ location_id }) => ({
        sku: item.sku,
        promised_at: location_id,
        taken_at: at?.location_id ?? '',
      }));
  });
}
