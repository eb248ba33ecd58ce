/** What a decision about a reservation means for the quotas of its owner. */

import type { Order } from './order.js';
import type { Changes, Owned } from './ports.js';
import type { ReservationState } from './reservation.js';
import type { LedgerMs } from './units.js';
import { type Parting, type Passage, standingOf } from './usage.js';

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
  if (from === to) return null;
  const units = new Map<number, number>();
  for (const hold of holds) {
    const item = itemOfLevel(hold.level_key);
    units.set(item, (units.get(item) ?? 0) + hold.quantity_units);
  }
  return {
    from,
    to,
    parting: to === null ? partingOf(state, orderNow) : null,
    created_at_ms: reservation.created_at_ms,
    at_ms: state === 'expired' ? reservation.expires_at_ms : now,
    units,
  };
}

/** Accepted is sold: in this mode the server places it. A link that was never paid is as unsold as an expiry. */
function partingOf(state: ReservationState, order: Order | null): Parting {
  if (order === null) return 'unsold';
  if (state === 'submitted' || state === 'committed') return 'sold';
  return order.reasons.some(({ code }) => code === 'payment_lapsed') ? 'unsold' : 'excused';
}
