/** Whether fresh stock still covers what was promised, with those who came first served first. */

import { endReservation, heldUnits } from './ending.js';
import type { Hold } from './hold.js';
import { nextOrderState, type Order, type OrderReason } from './order.js';
import type { Changes, Decision, LedgerState, Owned } from './ports.js';
import type { OutboxRow } from './shop-side.js';
import { type Item, isReadSince, type Level, sellableUnits } from './stock.js';
import { must, note } from './work.js';

export type Revalidation = 'accepted' | 'rejected' | 'unread' | 'not_held';

/**
 * Decides a held order on stock that was read at or after `sinceMs` (L5): accepted if every item is still
 * active and, with all live reservations of a level served oldest first, the fresh stock covers this one.
 */
export function decideRevalidate(state: LedgerState, sinceMs: number): Decision<Revalidation> {
  const owned = must(state);
  const { order } = owned;
  if (order === null || order.state !== 'held') return { result: 'not_held' };
  if (!state.owned_items.every((item) => isReadSince(item, sinceMs))) return { result: 'unread' };
  if (isUnclear(state, owned)) return { result: 'unread' };
  const reasons = revalidationReasons(state, owned);
  if (reasons.length > 0) return { result: 'rejected', changes: rejection(state, owned, order, reasons) };
  const outbox: OutboxRow = { ...owned.outbox, due_at_ms: state.now_ms, attempts: 0 };
  return {
    result: 'accepted',
    changes: {
      order: {
        ...order,
        state: nextOrderState(order.state, 'accept'),
        reasons: [],
        decided_at_ms: state.now_ms,
      },
      outbox,
      journal: [note('order.revalidated', { id: order.id, read_since_ms: sinceMs })],
    },
  };
}

function revalidationReasons(state: LedgerState, owned: Owned): OrderReason[] {
  return state.owned_items.flatMap((item): OrderReason[] => {
    if (item.lifecycle !== 'active') {
      return [{ code: 'item_discontinued', sku: item.sku, detail: 'The item is not for sale any more.' }];
    }
    const short = owned.holds.some((hold) => !isCovered(state, item, hold));
    if (!short) return [];
    return [
      {
        code: 'stock_insufficient',
        sku: item.sku,
        detail:
          'The shop has sold units elsewhere since they were reserved, and those left do not cover this order.',
      },
    ];
  });
}

function isOf(item: Item, hold: Hold): boolean {
  return item.levels.some((level) => level.level_key === hold.level_key);
}

/**
 * Whether the units of those who came first, and these, are there. What may be the trace of a write of ours under way
 * counts as gone: somebody at the till may have taken just as many.
 */
export function isCovered(state: LedgerState, item: Item, hold: Hold): boolean {
  return coversAhead(state, item, hold, (level) => level.upstream_available_units + level.mirrored_units);
}

/** Not covered by what is certain, and covered if writes of ours under way explain the figure: the next read tells. */
export function isUnclear(state: LedgerState, { holds }: Owned): boolean {
  const short = state.owned_items.flatMap((item) =>
    holds
      .filter((hold) => !isCovered(state, item, hold))
      .map((hold) => coversAhead(state, item, hold, sellableUnits)),
  );
  return short.length > 0 && short.every((covered) => covered);
}

function coversAhead(state: LedgerState, item: Item, hold: Hold, units: (level: Level) => number): boolean {
  const level = item.levels.find((candidate) => candidate.level_key === hold.level_key);
  if (level === undefined) return true; // another item's level
  if (!level.sellable_here || !level.location_open) return false;
  const ahead = state.precedence.get(level.level_key);
  if (ahead === undefined) throw new Error('revalidation needs the live units before this order');
  return ahead <= units(level);
}

/** A held order that will not be sold: units freed, buyer forgotten. */
export function rejection(
  state: LedgerState,
  owned: Owned,
  order: Order,
  reasons: readonly OrderReason[],
): Changes {
  return {
    ...endReservation(state, owned, 'free'),
    order: {
      ...order,
      state: nextOrderState(order.state, 'reject'),
      reasons,
      decided_at_ms: state.now_ms,
      buyer: null,
    },
    journal: [note('order.rejected', { id: order.id, reasons, freed_units: heldUnits(owned) })],
  };
}

/**
 * Below zero at the shop, and not enough for this one when those who came first are served first. A draft order
 * takes its units where the shop likes, whatever location we promised them at: where it took them from a level that
 * is not ours, only a shop that is below zero in all has sold more than it has.
 */
export function isSoldElsewhere(state: LedgerState, { holds }: Owned): boolean {
  return state.owned_items.some((item) => {
    const open = item.levels.filter((level) => level.sellable_here && level.location_open);
    const total = open.reduce((sum, level) => sum + level.upstream_available_units, 0);
    return item.levels.some((level) => {
      if (level.upstream_available_units >= 0) return false;
      const own = holds.find((hold) => hold.level_key === level.level_key);
      if (own !== undefined && isCovered(state, item, own)) return false;
      const isOursAlone = own !== undefined && holds.every((hold) => hold === own || !isOf(item, hold));
      return isOursAlone ? true : (own !== undefined || level === open[0]) && total < 0;
    });
  });
}
