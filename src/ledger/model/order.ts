/** An order: what an agent submits and the server places at the shop. */

import type { Aftermath } from './order-history.js';
import type { OrderRoute } from './route.js';
import type { Buyer, BuyerField } from './values/buyer.js';
import type { RefusalCode } from './values/refusal.js';
import type { StockHash } from './values/stock-hash.js';
import type { LedgerMs } from './values/units.js';

export type OrderState = 'held' | 'accepted' | 'rejected' | 'placed' | 'failed' | 'fulfilled' | 'cancelled';

export type OrderEvent = 'accept' | 'reject' | 'place' | 'fail' | 'fulfil' | 'cancel' | 'hold';

const NO_MOVE = {
  accept: null,
  reject: null,
  place: null,
  fail: null,
  fulfil: null,
  cancel: null,
  hold: null,
} as const;

/** Complete: what each event makes of each state; null where it is not allowed. */
export const ORDER_TRANSITIONS = {
  held: { ...NO_MOVE, accept: 'accepted', reject: 'rejected' },
  // Back to `held` only because the shop refused a detail of the buyer.
  accepted: { ...NO_MOVE, place: 'placed', fail: 'failed', hold: 'held' },
  rejected: NO_MOVE,
  placed: { ...NO_MOVE, fulfil: 'fulfilled', cancel: 'cancelled' },
  failed: NO_MOVE,
  fulfilled: NO_MOVE,
  cancelled: NO_MOVE,
} as const satisfies Record<OrderState, Record<OrderEvent, OrderState | null>>;

/** Who completes an accepted order: the server, or the buyer by paying at the shop's checkout. */
export type OrderMode = 'complete' | 'checkout_link';

/** `match`: the hash is true now. `stale`: it was true once. The other two verdicts never make an order. */
export type HashVerdict = 'match' | 'stale';

/**
 * Why an order is held. `stale`: the stock is read again, or a person decides. `buyer_refused`: the shop refused a detail,
 * and corrected ones are awaited. `order_quota`: the caller is above its orders or ordered units, and a person decides.
 */
export type HeldReason = 'stale' | 'buyer_refused' | 'order_quota';

/** Whether an order that the server completes is left to be paid, or marked as paid, at the shop. */
export type OrderPayment = 'pending' | 'paid';

/** Why an order was held, rejected or failed. `detail` is a sentence of ours. */
export interface OrderReason {
  readonly code:
    | RefusalCode
    | 'buyer_refused'
    | 'order_quota'
    | 'shop_refused'
    | 'payment_lapsed'
    | 'held_too_long'
    | 'rejected_by_person'
    | 'changed_at_shop';
  readonly sku?: string;
  readonly detail: string;
}

/** A line as an agent sees it. */
export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

export interface Order {
  readonly id: string;
  readonly reservation_key: number;
  readonly state: OrderState;
  readonly hash_verdict: HashVerdict;
  /** The hash that the agent brought. */
  readonly stock_hash: StockHash;
  readonly reasons: readonly OrderReason[];
  /** Null unless it is held. */
  readonly held_for: HeldReason | null;
  /** When a held order is given up; null where that follows from `submitted_at_ms` and the setting. */
  readonly held_until_ms: LedgerMs | null;
  /** What the shop refused, while corrected details are awaited. */
  readonly refused_fields: readonly BuyerField[];
  /** How often the shop has refused details of it. */
  readonly buyer_refusals: number;
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
  /** What the shop's order has where a person made it another than was submitted; null where it is the same. */
  readonly shop_lines: readonly OrderLine[] | null;
  /** Who completes it, as it was set when the order was submitted. */
  readonly order_mode: OrderMode;
  /** As it was set when the order was submitted; `paid` where the buyer pays at the shop. */
  readonly payment: OrderPayment;
  /** Where the buyer pays; null until the shop has told it, and once the order has failed. */
  readonly checkout_url: string | null;
  /** When the time to pay is over. It begins when there is a link to pay at; null before, and without one. */
  readonly pay_until_ms: LedgerMs | null;
  /** What became of it at the shop; null until that was first looked at. */
  readonly aftermath: Aftermath | null;
  /** Where it is to be shipped from, as it was promised; null where that is left to the shop. */
  readonly route: OrderRoute | null;
}

/** Stands in the reference of an order whose id the shop has given to another one: it is not there any more. */
export const VOID_MARK = '~';

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

/** What of an order says that it is not held. */
export const NOT_HELD = { held_for: null, held_until_ms: null, refused_fields: [] } as const;

/** When a held order is given up; null for one that is not held. */
export function heldUntil(
  { state, held_until_ms, submitted_at_ms }: Pick<Order, 'state' | 'held_until_ms' | 'submitted_at_ms'>,
  settings: { readonly held_order_max_ms: number },
): LedgerMs | null {
  if (state !== 'held') return null;
  return held_until_ms ?? submitted_at_ms + settings.held_order_max_ms;
}
