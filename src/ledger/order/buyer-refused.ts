/**
 * Details of the buyer that the shop refuses: the order goes back to `held` with its units, and a submit for the same
 * reservation brings corrected ones. Bounded in time and in number, because the units are kept from others meanwhile.
 */

import { NOT_HELD, nextOrderState, type Order, type OrderReason } from '../model/order.js';
import type { Reservation } from '../model/reservation.js';
import {
  type BuyerField,
  findMissingDetails,
  findUnchanged,
  mergeDetails,
  type OrderDetailsGiven,
} from '../model/values/buyer.js';
import { type Result, refused } from '../model/values/refusal.js';
import { must, note } from '../state/job.js';
import type { Changes, Decision, LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { isOffered } from './checkout-link.js';
import { failure } from './order-placed.js';
import { rejection } from './revalidation.js';

/** Corrected details are awaited as long as the reservation itself was granted for, within these bounds, and shorter each time. */
const CORRECTION_MIN_MS = 5 * 60_000;
const CORRECTION_MAX_MS = 15 * 60_000;
/** Refusals of one order. At the next one it fails: so nobody keeps units for ever with details that are never right. */
export const BUYER_REFUSALS_MAX = 5;

const MEANINGS = {
  'buyer.email': 'the shop does not accept this e-mail address.',
  'buyer.name': 'the shop does not accept this name.',
  'buyer.phone': 'the shop does not accept this phone number.',
  'buyer.shipping_address': 'the shop does not accept this address.',
  'buyer.shipping_address.address1': 'the shop does not accept this part of the address.',
  'buyer.shipping_address.address2': 'the shop does not accept this part of the address.',
  'buyer.shipping_address.city': 'the shop does not accept this city.',
  'buyer.shipping_address.province': 'the shop knows no such province, state or region in that country.',
  'buyer.shipping_address.postal_code': 'the shop does not accept this postal code for that country.',
  'buyer.shipping_address.country_code': 'the shop does not know this country.',
  note: 'the shop does not accept this note.',
  reference: 'the shop does not accept this reference.',
} as const satisfies Record<BuyerField, string>;

/**
 * When the wait for corrected details is over, counted from the refusal. At the second refusal the wait is half as long, at the third a
 * third: details that are never right must not keep units for hours.
 */
export function correctionDeadline(
  { created_at_ms, expires_at_ms }: Reservation,
  refusedAtMs: number,
  refusals: number,
): number {
  const wait_ms = Math.min(CORRECTION_MAX_MS, expires_at_ms - created_at_ms) / refusals;
  return refusedAtMs + Math.max(CORRECTION_MIN_MS, Math.floor(wait_ms));
}

/** Holds an accepted order whose details the shop has refused; `failed` when that has happened too often. */
export function decideBuyerRefused(
  state: LedgerState,
  fields: readonly BuyerField[],
): Decision<'held' | 'failed'> {
  const owned = must(state);
  const { order, reservation, outbox } = owned;
  if (order === null || isOffered(order)) throw new Error('the shop has no details of this order to refuse');
  if (fields.length === 0) throw new Error('a refusal of details names at least one');
  const reasons = fields.map(
    (field): OrderReason => ({ code: 'buyer_refused', detail: `${field}: ${MEANINGS[field]}` }),
  );
  const buyer_refusals = order.buyer_refusals + 1;
  if (buyer_refusals > BUYER_REFUSALS_MAX) {
    const [first, ...others] = reasons;
    if (first === undefined) throw new Error('a refusal of details names at least one');
    const failed = failure({ ...state, owned: { ...owned, order: { ...order, reasons: others } } }, first);
    return { result: 'failed', changes: failed };
  }
  const held_until_ms = correctionDeadline(reservation, state.now_ms, buyer_refusals);
  return {
    result: 'held',
    changes: {
      order: {
        ...order,
        state: nextOrderState(order.state, 'hold'),
        reasons,
        held_for: 'buyer_refused',
        held_until_ms,
        refused_fields: fields,
        buyer_refusals,
        decided_at_ms: null,
      },
      // What was sent before is sent anew with what is corrected.
      outbox: { ...outbox, details_sent: false, attempts: 0, due_at_ms: state.now_ms },
      journal: [
        note('order.buyer_refused', { id: order.id, fields, refusals: buyer_refusals, held_until_ms }),
      ],
    },
  };
}

/** An order that a submit can correct. */
export interface Correctable extends Owned {
  readonly order: Order;
}

export function isCorrectable(owned: Owned): owned is Correctable {
  return owned.order?.state === 'held' && owned.order.held_for === 'buyer_refused';
}

/**
 * Judges corrected details: merged with those of before, or the refusal that says what is still wrong. Never changes
 * anything: whether the order is accepted depends on the checksum, as with any other submit.
 */
export function judgeCorrection(
  { order, reservation }: Correctable,
  given: OrderDetailsGiven,
  { buyer_required }: Pick<LedgerSettings, 'buyer_required'>,
): Result<OrderDetailsGiven> {
  const { refused_fields } = order;
  const merged = mergeDetails(order, given, refused_fields);
  const missing = findMissingDetails(merged.buyer, buyer_required);
  const details = { reservation_id: reservation.id, order_id: order.id };
  if (missing.length > 0) return refuseMissing(missing, details);
  const unchanged = findUnchanged(order, merged, refused_fields);
  if (unchanged.length === 0) return { ok: true, value: merged };
  return refused(
    'buyer_required',
    'The shop has refused these details before and would again, so nothing was sent. Ask the buyer and send them corrected. An e-mail, phone or name that is refused may be left out.',
    { ...details, fields: unchanged },
  );
}

export function refuseMissing(
  fields: readonly BuyerField[],
  details: Readonly<Record<string, unknown>>,
): Result<never> {
  return refused(
    'buyer_required',
    'This shop takes no order without these details of the buyer. Nothing was ordered and the units stay held. Ask the buyer, then submit again with them.',
    { ...details, fields },
  );
}

/** What ends a held order whose time is over: units freed, and the reasons say for what it waited in vain. */
export function rejectionInTime(state: LedgerState, owned: Owned, order: Order): Changes {
  const held_for = order.held_for ?? 'stale';
  const kept = held_for === 'stale' ? [] : order.reasons;
  return rejection(state, owned, order, [
    ...kept,
    { code: 'held_too_long', detail: WAITED_IN_VAIN[held_for] },
  ]);
}

const WAITED_IN_VAIN = {
  stale: 'Nobody and nothing could confirm the stock in time, so the order was given up.',
  buyer_refused: 'No corrected details came in time, so the order was given up.',
  order_quota: 'Nobody approved the order in time, so it was given up.',
} as const satisfies Record<NonNullable<Order['held_for']>, string>;

/** The order with its corrected details, not yet judged. */
export function withDetails(order: Order, details: OrderDetailsGiven): Order {
  return { ...order, ...details, ...NOT_HELD, approved_by: null };
}
