/** Whether a draft or an order at the shop has what a reservation holds. */

import type { ShopLine } from '../model/values/observation.js';
import type { LedgerState, Owned } from './state.js';

/** The units of each item that the reservation holds, and nothing else. */
export function hasOurLines(
  { holds }: Pick<Owned, 'holds'>,
  items: LedgerState['owned_items'],
  lines: readonly ShopLine[],
): boolean {
  return isSameUnits(reservedUnits(holds, items), unitsByItem(lines));
}

/** Units by item that the reservation holds. */
function reservedUnits(
  holds: Owned['holds'],
  items: LedgerState['owned_items'],
): ReadonlyMap<string | null, number> {
  const units = new Map<string | null, number>();
  for (const { item_id, levels } of items) {
    const own = holds.filter((hold) => levels.some(({ level_key }) => level_key === hold.level_key));
    const sum = own.reduce((total, hold) => total + hold.quantity_units, 0);
    if (sum > 0) units.set(item_id, sum);
  }
  return units;
}

/** Units by item of lines at the shop; null stands for lines that are no item. */
function unitsByItem(lines: readonly ShopLine[]): ReadonlyMap<string | null, number> {
  const units = new Map<string | null, number>();
  for (const { item_id, quantity_units } of lines)
    units.set(item_id, (units.get(item_id) ?? 0) + quantity_units);
  return units;
}

function isSameUnits(a: ReadonlyMap<string | null, number>, b: ReadonlyMap<string | null, number>): boolean {
  return a.size === b.size && [...a].every(([item, units]) => b.get(item) === units);
}
