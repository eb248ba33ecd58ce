/** What an agent should do next about an order. Templates of ours: agents of some clients see fields only. */

import { linkOf, type Order, type OrderPayment, type OrderState } from '../model/order.js';
import type { LedgerMs } from '../model/values/units.js';
import { tellTime } from '../state/time.js';

type Known = Pick<
  Order,
  | 'state'
  | 'order_mode'
  | 'payment'
  | 'held_for'
  | 'held_until_ms'
  | 'checkout_url'
  | 'pay_until_ms'
  | 'aftermath'
>;

/** Says what an agent should do next. `leadMs`: how far ledger time is ahead of the shop's, in which times are told. */
export function nextFor(order: Known, now: LedgerMs, leadMs = 0): string {
  // Also of one that was shipped before: its state stays what it was, and the buyer won't have it.
  if ((order.aftermath?.cancelled_at_ms ?? null) !== null) return NEXT_BY_STATE.cancelled;
  if (order.state === 'held') return nextForHeld(order, leadMs);
  if (order.order_mode === 'complete') {
    if (order.state === 'accepted') return NEXT_ACCEPTED[order.payment];
    return order.state === 'placed' ? NEXT_PLACED[order.payment] : NEXT_BY_STATE[order.state];
  }
  if (order.state !== 'accepted') return NEXT_BY_STATE[order.state];
  if (linkOf(order, now) !== null) return NEXT_WITH_LINK;
  return order.pay_until_ms === null ? NEXT_BEFORE_LINK : NEXT_AFTER_LINK;
}

function nextForHeld({ held_for, held_until_ms }: Known, leadMs: number): string {
  if (held_for === 'order_quota') return NEXT_ORDER_QUOTA;
  if (held_for !== 'buyer_refused') return NEXT_BY_STATE.held;
  const until = held_until_ms === null ? '' : ` until ${tellTime(held_until_ms, leadMs)}`;
  return `Nothing is sold yet: the shop refused what reasons name. Ask the buyer, then call submit_order_with_hash again for the same reservation_id, with its present stock_hash, the detail corrected, and a new idempotency_key or none. What you leave out stays as it was. The units stay held${until}; then the order is rejected.`;
}

const NEXT_ORDER_QUOTA =
  'Nothing is sold yet. You have ordered as much as you may for now, so the merchant decides on this order; the units stay held meanwhile. Call get_order with this order_id later. Do not submit again.';

const NEXT_WITH_LINK =
  'Accepted, and not paid yet. Give upstream.checkout_url to the buyer: the units stay held until they have paid there or the time to pay is over. Then call get_order. Do not submit again.';
const NEXT_BEFORE_LINK =
  'Accepted. The shop is being asked for a link where the buyer can pay: call get_order in a few seconds to get upstream.checkout_url. Do not submit again.';

const NEXT_AFTER_LINK =
  'The link is being withdrawn, so do not send the buyer there any more. The order fails unless it was paid before: call get_order to see how it ended. Do not submit again.';

const NEXT_ACCEPTED = {
  pending:
    'Accepted. The server places the order at the shop by itself, with its payment pending: nobody has paid yet. Call get_order to see the order number. Do not submit again.',
  paid: 'Accepted. The server places the order at the shop by itself, marked as paid. Call get_order to see the order number. Do not submit again.',
} as const satisfies Record<OrderPayment, string>;

const NEXT_PLACED = {
  pending:
    'Done: the shop has the order, and its payment is pending. Tell the buyer that the merchant will ask for it. Nothing more to do.',
  paid: 'Done: the shop has the order, marked as paid. Nothing more to do.',
} as const satisfies Record<OrderPayment, string>;

/** By state, where the order itself makes no difference. */
export const NEXT_BY_STATE = {
  held: 'Nothing is sold yet. The units stay held while the stock is checked again: call get_order with this order_id in a few seconds.',
  accepted:
    'Accepted. The server places the order at the shop by itself: call get_order to see the order number. Do not submit again.',
  rejected:
    'Not sold, and the units are free again. Tell the buyer why (reasons), then check_stock and reserve anew if they still want it.',
  placed: 'Done: the shop has the order. Nothing more to do.',
  failed:
    'Not sold: the shop did not take the order and the units are free again. Tell the buyer, then check_stock before trying anew.',
  fulfilled: 'Done: the shop has shipped the order.',
  cancelled: 'The shop has cancelled the order. Do not place it again without asking the buyer.',
} as const satisfies Record<OrderState, string>;
