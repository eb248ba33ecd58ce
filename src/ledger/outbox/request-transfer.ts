/** Moves of stock as they are written for a reservation, and whether the stock allows one. */

import type { Level } from '../model/stock.js';
import type { StockMove, StockMoveChange } from '../model/stock-transfer.js';
import { nameUuid } from '../model/values/stock-hash.js';
import { isCoveredInPlace } from '../order/revalidation.js';
import type { LedgerState, Owned } from '../state/state.js';

/**
 * Takes the units of the holds exactly where they are, on the condition that the shop's figures are those we know: a
 * move that would sell what somebody else has just bought is refused by the shop. Only where `canTake`.
 */
export function moveOut(state: LedgerState, owned: Owned): StockMove {
  const changes = taken(state, owned).map(({ item_id, level, quantity_units }) => ({
    item_id,
    location_id: level.location_id,
    quantity_units,
    available_units: level.upstream_available_units,
  }));
  return numbered(owned, { direction: 'out', reservation_id: owned.reservation.id, changes });
}

/**
 * Gives back what the newest move took: the holds themselves may be gone by then. Without a condition: units that come
 * back can't be sold twice whatever the figure is, and on a busy SKU a condition would only keep them from the shop.
 */
export function moveBack(owned: Owned): StockMove {
  const { request } = owned.outbox;
  if (request === null) throw new Error('nothing was moved that could be given back');
  const changes = request.changes.map((change) => ({ ...change, available_units: null }));
  return numbered(owned, { direction: 'back', reservation_id: request.reservation_id, changes });
}

/** Whether the shop has the units where we hold them, those who came first served first, as far as we know. */
export function canTake(state: LedgerState, owned: Owned): boolean {
  return (
    isEachCovered(state, owned) &&
    taken(state, owned).every(({ level, quantity_units }) => level.upstream_available_units >= quantity_units)
  );
}

/** Whether each level still covers our hold there when those who came first are served first. */
export function isEachCovered(state: LedgerState, owned: Owned): boolean {
  return state.owned_items.every((item) => isCoveredInPlace(state, item, owned));
}

/** The same moves in one call. Each keeps its own units and number; the key is made of all of them. */
export function joinMoves(moves: readonly StockMove[], reservation_keys: readonly number[]): StockMove[] {
  const [first, ...others] = moves;
  if (first === undefined || others.length === 0) return [...moves];
  const key = nameUuid(moves.map((move) => move.key).join(' '));
  const together = { changes: sumByLevel(moves.flatMap(({ changes }) => changes)), reservation_keys };
  return moves.map((move) => ({ ...move, key, together }));
}

/** One change for each level: how a shop compares several of one level with its figure is not known. */
export function sumByLevel(changes: readonly StockMoveChange[]): StockMoveChange[] {
  const byLevel = new Map<string, StockMoveChange>();
  for (const change of changes) {
    const at = levelName(change);
    const units = (byLevel.get(at)?.quantity_units ?? 0) + change.quantity_units;
    byLevel.set(at, { ...change, quantity_units: units });
  }
  return [...byLevel.values()];
}

/** Where a change takes place, as one text. */
export function levelName({
  item_id,
  location_id,
}: Pick<StockMoveChange, 'item_id' | 'location_id'>): string {
  return `${item_id} ${location_id}`;
}

function numbered(owned: Owned, move: Omit<StockMove, 'key' | 'attempt'>): StockMove {
  const attempt = (owned.outbox.request?.attempt ?? 0) + 1;
  return { key: nameUuid(`${owned.outbox.tag}/${attempt}`), attempt, ...move };
}

function taken(
  state: LedgerState,
  owned: Owned,
): { readonly item_id: string; readonly level: Level; readonly quantity_units: number }[] {
  const levels = state.owned_items.flatMap((item) =>
    item.levels.map((level) => ({ item_id: item.item_id, level })),
  );
  return owned.holds.map(({ level_key, quantity_units }) => {
    const found = levels.find(({ level }) => level.level_key === level_key);
    if (found === undefined) throw new Error('a hold at a level that was not loaded');
    return { ...found, quantity_units };
  });
}
