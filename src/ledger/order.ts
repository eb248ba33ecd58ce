/** An order: what an agent submits and the server places at the shop. */

import type { Aftermath } from './aftermath.js';
import type { Buyer } from './buyer.js';
import type { RefusalCode } from './refusal.js';
import type { StockHash } from './stock-hash.js';
import type { LedgerMs } from './units.js';

export type OrderState = 'held' | 'accepted' | 'rejected' | 'placed' | 'failed' | 'fulfilled' | 'cancelled';

export type OrderEvent = 'accept' | 'reject' | 'place' | 'fail' | 'fulfil' | 'cancel';

/** Complete: what each event makes of each state; null where it is not allowed. */
export const ORDER_TRANSITIONS = {
  held: { accept: 'accepted', reject: 'rejected', place: null, fail: null, fulfil: null, cancel: null },
  accepted: { accept: null, reject: null, place: 'placed', fail: 'failed', fulfil: null, cancel: null },
  rejected: { accept: null, reject: null, place: null, fail: null, fulfil: null, cancel: null },
  placed: { accept: null, reject: null, place: null, fail: null, fulfil: 'fulfilled', cancel: 'cancelled' },
  failed: { accept: null, reject: null, place: null, fail: null, fulfil: null, cancel: null },
  fulfilled: { accept: null, reject: null, place: null, fail: null, fulfil: null, cancel: null },
  cancelled: { accept: null, reject: null, place: null, fail: null, fulfil: null, cancel: null },
} as const satisfies Record<OrderState, Record<OrderEvent, OrderState | null>>;

/** Who completes an accepted order: the server, or the buyer by paying at the shop's checkout. */
export type OrderMode = 'complete' | 'checkout_link';

/** `match`: the hash is true now. `stale`: it was true once. The other two verdicts never make an order. */
export type HashVerdict = 'match' | 'stale';

/** Why an order was held, rejected or failed. `detail` is a sentence of ours. */
export interface OrderReason {
  readonly code: RefusalCode | 'shop_refused' | 'payment_lapsed' | 'held_too_long' | 'rejected_by_person';
  readonly sku?: string;
  readonly detail: string;
}

export interface Order {
  readonly id: string;
  readonly reservation_key: number;
  readonly state: OrderState;
  readonly hash_verdict: HashVerdict;
  /** The hash that the agent brought. */
  readonly stock_hash: StockHash;
  readonly reasons: readonly OrderReason[];
  /** The person who let a held order go on; it is still revalidated before anything is sold. */
  readonly approved_by: string | null;
  /** Erased once the order is placed, rejected or has failed. */
  readonly buyer: Buyer | null;
  readonly note: string | null;
  readonly reference: string | null;
  readonly submitted_at_ms: LedgerMs;
  readonly decided_at_ms: LedgerMs | null;
  readonly placed_at_ms: LedgerMs | null;
  readonly upstream_order_ref: string | null;
  readonly upstream_order_name: string | null;
  /** Who completes it, as it was set when the order was submitted. */
  readonly order_mode: OrderMode;
  /** Where the buyer pays; null until the shop has told it, and once the order has failed. */
  readonly checkout_url: string | null;
  /** When the time to pay is over. It begins when there is a link to pay at; null before, and without one. */
  readonly pay_until_ms: LedgerMs | null;
  /** What became of it at the shop; null until that was first looked at. */
  readonly aftermath: Aftermath | null;
}

export function nextOrderState(state: OrderState, event: OrderEvent): OrderState {
  const next: OrderState | null = ORDER_TRANSITIONS[state][event];
  if (next === null) throw new Error(`a ${state} order cannot ${event}`);
  return next;
}

/** Where the buyer can still pay; null once the time to pay is over. */
export function linkOf(
  { state, checkout_url, pay_until_ms }: Pick<Order, 'state' | 'checkout_url' | 'pay_until_ms'>,
  now: LedgerMs,
): string | null {
  const is_over = state === 'accepted' && pay_until_ms !== null && now >= pay_until_ms;
  return is_over ? null : checkout_url;
}

/** What an agent should do next. */
export function nextFor(
  order: Pick<Order, 'state' | 'order_mode' | 'checkout_url' | 'pay_until_ms' | 'aftermath'>,
  now: LedgerMs,
): string {
  // Also of one that was shipped before: its state stays what it was, and the buyer won't have it.
  if ((order.aftermath?.cancelled_at_ms ?? null) !== null) return NEXT_BY_STATE.cancelled;
  if (order.state !== 'accepted' || order.order_mode === 'complete') return NEXT_BY_STATE[order.state];
  if (linkOf(order, now) !== null) return NEXT_WITH_LINK;
  return order.pay_until_ms === null ? NEXT_BEFORE_LINK : NEXT_AFTER_LINK;
}

const NEXT_WITH_LINK =
  'Accepted, and not paid yet. Give upstream.checkout_url to the buyer: the units stay held until they have paid there or the time to pay is over. Then call get_order. Do not submit again.';
const NEXT_BEFORE_LINK =
  'Accepted. The shop is being asked for a link where the buyer can pay: call get_order in a few seconds to get upstream.checkout_url. Do not submit again.';

const NEXT_AFTER_LINK =
  'The link is being withdrawn, so do not send the buyer there any more. The order fails unless it was paid before: call get_order to see how it ended. Do not submit again.';

/** What an agent should do next, by state. Templates of ours: agents of some clients see fields only. */
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
