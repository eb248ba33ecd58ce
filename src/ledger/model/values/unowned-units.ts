/** Units that the shop keeps reserved and that no row of the ledger owns: what moves leave behind that the ledger does not know. */

/** Reserved units of one level, as the shop says. */
export interface ReservedUnits {
  readonly item_id: string;
  readonly sku: string;
  readonly location_id: string;
  readonly location_name: string;
  readonly reserved_units: number;
}

/** Units that a row has moved out of what can be sold, by its newest request. */
export interface MovedUnits {
  readonly item_id: string;
  readonly location_id: string;
  readonly quantity_units: number;
  /** Its outcome is not known yet: the shop's figure may have it or not. */
  readonly is_under_way: boolean;
}

export interface UnownedUnits extends ReservedUnits {
  /** Names the level: the item's id and the location's. */
  readonly id: string;
  readonly owned_units: number;
  readonly unowned_units: number;
}

export function makeLevelId({
  item_id,
  location_id,
}: Pick<ReservedUnits, 'item_id' | 'location_id'>): string {
  return `${item_id}@${location_id}`;
}

/**
 * What of the shop's reserved units is none of ours. They may be another app's, or a person's: only a person can tell. Levels with
 * a move under way, in either reading of the rows, are left out: they are told once that is over.
 */
export function findUnowned(
  reserved: readonly ReservedUnits[],
  before: readonly MovedUnits[],
  after: readonly MovedUnits[],
): UnownedUnits[] {
  const owned = sumByLevel(before);
  const ownedAfter = sumByLevel(after);
  const underWay = new Set([...before, ...after].filter((move) => move.is_under_way).map(makeLevelId));
  return reserved.flatMap((level) => {
    const id = makeLevelId(level);
    const owned_units = owned.get(id) ?? 0;
    const unowned_units = level.reserved_units - owned_units;
    const isSure = !underWay.has(id) && owned_units === (ownedAfter.get(id) ?? 0);
    return isSure && unowned_units > 0 ? [{ ...level, id, owned_units, unowned_units }] : [];
  });
}

function sumByLevel(moves: readonly MovedUnits[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const move of moves) {
    const id = makeLevelId(move);
    sums.set(id, (sums.get(id) ?? 0) + move.quantity_units);
  }
  return sums;
}
