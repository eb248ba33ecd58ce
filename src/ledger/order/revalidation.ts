/** Whether fresh stock still covers what was promised, with those who came first served first. */

import type { Hold } from '../model/hold.js';
import { NOT_HELD, nextOrderState, type Order, type OrderReason } from '../model/order.js';
import type { OutboxRow } from '../model/outbox-row.js';
import {
  coveringUnits,
  type Item,
  isReadSince,
  type Level,
  provenUnits,
  sellableUnits,
} from '../model/stock.js';
import { describeOffSale } from '../model/values/off-sale.js';
import { endReservation, heldUnits } from '../reservation/end-reservation.js';
import { must, note } from '../state/job.js';
import type { Changes, Decision, LedgerState, Owned } from '../state/state.js';

export type Revalidation = 'accepted' | 'rejected' | 'unread' | 'not_held';

/**
 * Decides a held order on stock that was read at or after `sinceMs` (L5): accepted if every item is still
 * active and, with all live reservations of a level served oldest first, the fresh stock covers this one.
 */
export function decideRevalidate(state: LedgerState, sinceMs: number): Decision<Revalidation> {
  const owned = must(state);
  const { order } = owned;
  if (order?.state !== 'held' || order.held_for !== 'stale') return { result: 'not_held' };
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
        ...NOT_HELD,
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
      return [{ code: 'item_discontinued', sku: item.sku, detail: describeOffSale(item.off_sale) }];
    }
    if (isCovered(state, item, owned)) return [];
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

/**
 * Whether the stock still covers what the reservation holds of an item, those who came first served first. Units that were
 * moved at the shop are needed at the very level; all others wherever the item has them, because the shop chooses the location
 * of a draft order. An item that the shop sells on below zero is never short.
 */
export function isCovered(state: LedgerState, item: Item, owned: Owned): boolean {
  return coversAhead(state, item, owned, (level) => provenUnits(level) + level.mirrored_units);
}

/** Whether each level covers the units held there, for holds that need them exactly there. */
export function isCoveredInPlace(state: LedgerState, item: Item, { holds }: Pick<Owned, 'holds'>): boolean {
  return coversInPlace(state, item, holds, (level) => provenUnits(level) + level.mirrored_units);
}

/**
 * Not covered by what is certain, and covered if writes of ours under way explain the figure, or once the shop has let go of what
 * is nobody's any more: the next read tells.
 */
export function isUnclear(state: LedgerState, owned: Owned): boolean {
  const short = state.owned_items.filter((item) => !isCovered(state, item, owned));
  const units = (level: Level): number =>
    sellableUnits(level) - level.unproven_units + (state.returning.get(level.level_key) ?? 0);
  return short.length > 0 && short.every((item) => coversAhead(state, item, owned, units));
}

function coversAhead(
  state: LedgerState,
  item: Item,
  { holds, outbox }: Owned,
  units: (level: Level) => number,
): boolean {
  if (outbox.protocol === 'move') return coversInPlace(state, item, holds, units);
  if (item.inventory_policy === 'continue') return true;
  const own = holds.filter((hold) => item.levels.some((level) => level.level_key === hold.level_key));
  // The shop has taken them, and no fall has shown it: they are either in the figure, or gone from it and ours.
  const missed = own
    .filter(({ place }) => place === 'missed')
    .reduce((sum, hold) => sum + hold.quantity_units, 0);
  const ahead = item.levels.reduce((sum, level) => sum + aheadAt(state, level), 0);
  const there = item.levels.reduce((sum, level) => sum + coveringUnits(level, units(level)), 0);
  return ahead <= there + missed;
}

function coversInPlace(
  state: LedgerState,
  item: Item,
  holds: readonly Hold[],
  units: (level: Level) => number,
): boolean {
  return holds.every((hold) => {
    const level = item.levels.find((candidate) => candidate.level_key === hold.level_key);
    if (level === undefined) return true; // another item's level
    if (!level.sellable_here || !level.location_open) return false;
    return aheadAt(state, level) <= units(level);
  });
}

/** Live units at the level of the reservation and of those before it. */
function aheadAt(state: LedgerState, { level_key }: Level): number {
  const ahead = state.precedence.get(level_key);
  if (ahead === undefined) throw new Error('coverage needs the live units before this order');
  return ahead;
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
      ...NOT_HELD,
      state: nextOrderState(order.state, 'reject'),
      reasons,
      decided_at_ms: state.now_ms,
      buyer: null,
    },
    journal: [note('order.rejected', { id: order.id, reasons, freed_units: heldUnits(owned) })],
  };
}
