/** What a decision about a reservation means for the quotas of its owner. */

import type { Order, OrderReason } from '../model/order.js';
import type { ReservationState } from '../model/reservation.js';
import { type Parting, type Passage, standingOf } from '../model/usage.js';
import type { LedgerMs } from '../model/values/units.js';
import type { Changes, Owned } from '../state/state.js';

/** What a decision about a reservation does to the tallies of its owner; null when it does nothing. */
export function passageOf(
  { reservation, order, holds }: Owned,
  changes: Changes,
  itemOfLevel: (levelKey: number) => number,
  now: LedgerMs,
): Passage | null {
  const state = changes.reservation?.state ?? reservation.state;
  const orderNow = changes.new_order ?? changes.order ?? order;
  const from = standingOf(reservation.state, order);
  const to = standingOf(state, orderNow);
  const is_ordered = isLetThrough(order, orderNow);
  if (from === to && !is_ordered) return null;
  const units = new Map<number, number>();
  for (const hold of holds) {
    const item = itemOfLevel(hold.level_key);
    units.set(item, (units.get(item) ?? 0) + hold.quantity_units);
  }
  return {
    from,
    to,
    parting: to === null ? partingOf(state, order, orderNow) : null,
    is_ordered,
    created_at_ms: reservation.created_at_ms,
    at_ms: state === 'expired' ? reservation.expires_at_ms : now,
    units,
  };
}

/** True once in the life of an order: when it is made, or when a person approves one above the quota. */
function isLetThrough(before: Order | null, after: Order | null): boolean {
  if (after === null || (before !== null && before.held_for !== 'order_quota')) return false;
  return after.state === 'accepted' || (after.state === 'held' && after.held_for === 'stale');
}

/**
 * Sold is what the shop has. Excused is only what could not be sold because the stock was gone or not for sale: anything else the
 * caller can bring about, by details that the shop refuses, a link that nobody pays, or an order that a person has to decide.
 */
function partingOf(state: ReservationState, before: Order | null, after: Order | null): Parting {
  if (before === null || after === null) return 'unsold';
  if (state === 'committed') return 'sold';
  const isGone = after.reasons.length > 0 && after.reasons.every(({ code }) => STOCK_GONE.has(code));
  return isGone ? 'excused' : 'unsold';
}

const STOCK_GONE: ReadonlySet<OrderReason['code']> = new Set(['stock_insufficient', 'item_discontinued']);
