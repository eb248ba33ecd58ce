/**
 * Orders that the buyer pays at the shop's own checkout: the link is given, and the units stay held until it was paid or
 * the time to pay is over. Such an order fails only when the shop has certainly let go: until then somebody may pay.
 */

import type { Order, OrderReason } from '../model/order.js';
import { must, note, type SeenHold } from '../state/job.js';
import type { Changes, Decision, LedgerState, Owned } from '../state/state.js';
import { mirroring, openNote, openRow, sumsOf } from './mirror-hold.js';
import { failure } from './order-placed.js';

/** The buyer may have the link: nothing of it may end here before it has ended at the shop. */
export function isOffered(order: Order): boolean {
  return order.state === 'accepted' && order.pay_until_ms !== null;
}

/** The shop has the buyer's details and a link. The time to pay begins. */
export function decideOffered(
  state: LedgerState,
  seen: SeenHold & { readonly checkout_url: string },
  pay_until_ms: number,
): Decision<void> {
  const owned = must(state);
  const { order } = owned;
  if (order === null || order.state !== 'accepted') throw new Error('only an accepted order is paid for');
  const { checkout_url } = seen;
  const holds = mirroring(state, owned, seen.until_ms);
  return {
    result: undefined,
    changes: {
      order: { ...order, checkout_url, pay_until_ms },
      holds,
      sums: sumsOf(state, holds),
      outbox: { ...openRow(owned.outbox, seen), details_sent: true, attempts: 0 },
      // Without the link: who has it can pay.
      journal: [openNote(seen), note('order.offered', { id: order.id, pay_until_ms })],
    },
  };
}

/** Somebody else has bought the units: the time to pay is over now, and why is remembered until the order has failed. */
export function withdrawal(state: LedgerState, owned: Owned, order: Order, reason: OrderReason): Changes {
  return {
    order: { ...order, pay_until_ms: state.now_ms, checkout_url: null, reasons: [reason] },
    outbox: { ...owned.outbox, due_at_ms: state.now_ms },
    journal: [note('order.withdrawn', { id: order.id, reason })],
  };
}

/**
 * It is certain that the shop holds nothing any more for an order that was to be paid: the order has failed. What the
 * shop's figure still excludes comes back with a report read from now on.
 */
export function decideUnpaid(state: LedgerState): Decision<void> {
  const { order, outbox } = must(state);
  if (order === null || !isOffered(order)) throw new Error('only an order with a link can be left unpaid');
  const failed = failure(state, reasonOf(order, state.now_ms));
  return {
    result: undefined,
    changes: {
      ...failed,
      holds: failed.holds.map(({ hold, to }) => ({
        hold,
        to: to === null ? null : { ...to, awaits: 'return', awaits_after_ms: state.now_ms },
      })),
      outbox: {
        ...failed.outbox,
        shop_state: 'deleted',
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
      },
      journal: [note('shop.deleted', { hold_ref: outbox.hold_ref }), ...failed.journal],
    },
  };
}

function reasonOf(order: Order, now: number): OrderReason {
  const [why] = order.reasons;
  if (why !== undefined) return why;
  return now < (order.pay_until_ms ?? 0) ? REMOVED_BY_PERSON : PAYMENT_LAPSED;
}

const PAYMENT_LAPSED: OrderReason = {
  code: 'payment_lapsed',
  detail: 'The buyer did not pay in time, so the units are free again.',
};
const REMOVED_BY_PERSON: OrderReason = {
  code: 'rejected_by_person',
  detail: 'The merchant removed the order at the shop before it was paid.',
};
