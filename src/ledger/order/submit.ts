/** Submitting an order: the checksum is judged in the same transaction that accepts it (L5). */

import {
  type HashVerdict,
  linkOf,
  NOT_HELD,
  nextOrderState,
  type Order,
  type OrderReason,
  type OrderState,
  VOID_MARK,
} from '../model/order.js';
import { orderDue, protocolOf } from '../model/outbox-row.js';
import { isExpired, nextReservationState } from '../model/reservation.js';
import { makeRoute } from '../model/route.js';
import { type Item, isDirty, isItemFresh } from '../model/stock.js';
import { type Buyer, findMissingDetails } from '../model/values/buyer.js';
import { granted, type Result, refused } from '../model/values/refusal.js';
import { sameHash } from '../model/values/stock-hash.js';
import type { LedgerMs } from '../model/values/units.js';
import { orderQuotaReason, refuseHeldOrder, refuseHeldUnits } from '../quota/check-quota.js';
import { heldUnits } from '../reservation/end-reservation.js';
import { expiry, ownedBy, reservationUnknown } from '../reservation/release.js';
import { currentHash, judgeHash } from '../state/hash-verdict.js';
import type { Decision, IdempotencyKey, LedgerSettings, LedgerState, Owned } from '../state/state.js';
import {
  type Correctable,
  isCorrectable,
  judgeCorrection,
  refuseMissing,
  withDetails,
} from './buyer-refused.js';
import { nextFor } from './order-next.js';
import { isCovered } from './revalidation.js';

export interface SubmitRequest {
  readonly principal: string;
  readonly reservation_id: string;
  readonly stock_hash: string;
  readonly idempotency: IdempotencyKey | undefined;
  readonly input_hash: string;
  readonly buyer: Buyer | null;
  readonly note: string | null;
  readonly reference: string | null;
  /** The id to give, made outside. */
  readonly order_id: string;
  /** When the call came in: a re-read that began since answers it, see `isItemFresh`. */
  readonly asked_at_ms: LedgerMs;
}

export interface UpstreamOrder {
  readonly order_name?: string;
  readonly order_id?: string;
  readonly checkout_url?: string;
}

/** What a submit can answer; `get_order` tells the finer states of later. */
export type SubmitStatus = 'accepted' | 'held' | 'rejected' | 'placed';

const STATUS_BY_STATE = {
  held: 'held',
  accepted: 'accepted',
  rejected: 'rejected',
  // Not sold and units freed: to the one who submits it is the same, and the reasons say why.
  failed: 'rejected',
  placed: 'placed',
  fulfilled: 'placed',
  cancelled: 'placed',
} as const satisfies Record<OrderState, SubmitStatus>;

export interface SubmitAnswer {
  readonly order_id: string;
  readonly reservation_id: string;
  readonly status: SubmitStatus;
  readonly hash_verdict: HashVerdict;
  readonly reasons: readonly OrderReason[];
  readonly current_stock_hash: string;
  readonly next: string;
  readonly upstream?: UpstreamOrder;
  readonly replayed: boolean;
}

/**
 * `match` accepts; `stale` holds the order and its units until a revalidation or a person decides; a checksum
 * that was never true here is refused and journaled as a security event, and the reservation stays. So it does when
 * the order would have to be held and the caller has as many held ones as it may have. An order above the caller's
 * orders or ordered units is held for a person. On an order whose details the shop refused it brings corrected ones.
 */
export function decideSubmit(
  state: LedgerState,
  request: SubmitRequest,
  settings: LedgerSettings,
): Decision<Result<SubmitAnswer>> {
  if (state.remembered !== null) return { result: replay(state, request) };
  const owned = ownedBy(state, request.principal);
  if (owned === null) return { result: reservationUnknown() };
  if (isCorrectable(owned)) return decideCorrection(state, owned, request, settings);
  if (isExpired(owned.reservation, state.now_ms)) {
    return { result: refuseState(state, owned), changes: expiry(state, owned) };
  }
  if (owned.reservation.state !== 'active') return { result: refuseState(state, owned) };

  const missing = findMissingDetails(request.buyer, settings.buyer_required);
  if (missing.length > 0) {
    return { result: refuseMissing(missing, { reservation_id: owned.reservation.id }) };
  }
  const verdict = judgeHash(state, request.stock_hash);
  if (verdict === 'unknown') return refuseUnknownHash(state, owned, request);
  const overQuota = orderQuotaReason(state, settings, heldUnits(owned));
  const reasons =
    overQuota === null ? reasonsToHold(state, owned, verdict, request.asked_at_ms) : [overQuota.reason];
  const refusal =
    reasons.length === 0
      ? null
      : (refuseHeldOrder(state, settings, state.owned_items) ??
        (overQuota === null && settings.stale_hash === 'hold'
          ? refuseHeldUnits(state, settings, owned)
          : null));
  if (refusal !== null) return { result: refusal };
  const order: Order = {
    ...newOrder(state, owned, request, settings),
    ...judged(reasons, verdict, state.now_ms),
    ...(overQuota === null
      ? {}
      : { held_for: 'order_quota', held_until_ms: state.now_ms + settings.order_quota_hold_ms }),
  };
  return submitted(state, owned, { order, request, isNew: true }, settings);
}

/** Corrected details for an order that the shop refused some of; judged by their checksum like any other submit. */
function decideCorrection(
  state: LedgerState,
  owned: Correctable,
  request: SubmitRequest,
  settings: LedgerSettings,
): Decision<Result<SubmitAnswer>> {
  const { order } = owned;
  // It is given up by the outbox, which can look first whether the shop has it.
  if (state.now_ms >= (order.held_until_ms ?? 0)) return { result: refuseState(state, owned) };
  const details = judgeCorrection(owned, request, settings);
  if (!details.ok) return { result: details };
  const verdict = judgeHash(state, request.stock_hash);
  if (verdict === 'unknown') return refuseUnknownHash(state, owned, request);
  const reasons = reasonsToHold(state, owned, verdict, request.asked_at_ms);
  const stands = judged(reasons, verdict, state.now_ms);
  const corrected: Order = {
    ...withDetails(order, details.value),
    ...stands,
    state: stands.state === 'accepted' ? nextOrderState(order.state, 'accept') : order.state,
    stock_hash: request.stock_hash,
    held_until_ms: stands.state === 'accepted' ? null : state.now_ms + settings.held_order_max_ms,
  };
  return submitted(state, owned, { order: corrected, request, isNew: false }, settings);
}

export function submitAnswer(
  order: Order,
  owned: Owned,
  state: LedgerState,
  replayed: boolean,
): SubmitAnswer {
  return {
    order_id: order.id,
    reservation_id: owned.reservation.id,
    status: STATUS_BY_STATE[order.state],
    hash_verdict: order.hash_verdict,
    reasons: order.reasons,
    current_stock_hash: currentHash(state),
    next: nextFor(order, state.now_ms, state.lead_ms),
    ...upstreamOf(order, state.now_ms),
    replayed,
  };
}

export function upstreamOf(order: Order, now: LedgerMs): { upstream?: UpstreamOrder } {
  const checkout_url = linkOf(order, now);
  if (order.upstream_order_ref === null && checkout_url === null) return {};
  return {
    upstream: {
      ...(order.upstream_order_name === null ? {} : { order_name: order.upstream_order_name }),
      ...(order.upstream_order_ref === null
        ? {}
        : { order_id: order.upstream_order_ref.split(VOID_MARK)[0] ?? '' }),
      ...(checkout_url === null ? {} : { checkout_url }),
    },
  };
}

function replay(state: LedgerState, request: SubmitRequest): Result<SubmitAnswer> {
  const { remembered } = state;
  if (remembered === null) throw new Error('nothing to replay');
  if (remembered.input_hash !== request.input_hash) {
    return refused(
      'idempotency_key_reused',
      'This idempotency key was used before with other arguments. Send the same arguments again to see the first answer.',
      { reservation_id: remembered.reservation.id, order_id: remembered.order?.id },
    );
  }
  const first = remembered.answer as unknown as SubmitAnswer;
  const { order } = remembered;
  if (order === null) throw new Error('an answered submit has an order');
  return granted({
    ...first,
    status: STATUS_BY_STATE[order.state],
    reasons: order.reasons,
    current_stock_hash: currentHash(state),
    next: nextFor(order, state.now_ms, state.lead_ms),
    ...upstreamOf(order, state.now_ms),
    replayed: true,
  });
}

/** A second use of a finished id names its end state, and the order's id where there is one. */
function refuseState(state: LedgerState, owned: Owned): Result<never> {
  const { reservation, order } = owned;
  const details = { reservation_id: reservation.id, status: reservation.state };
  if (isExpired(reservation, state.now_ms) || reservation.state === 'expired') {
    return refused(
      'reservation_expired',
      'The reservation has expired and holds nothing any more. Nothing was sold. check_stock and reserve again.',
      { ...details, status: 'expired', items: hashesOf(state.owned_items) },
    );
  }
  if (order === null) {
    return refused(
      'reservation_already_released',
      'The reservation was released and holds nothing any more. Nothing was sold. check_stock and reserve again.',
      details,
    );
  }
  return refused(
    'reservation_already_submitted',
    'An order was submitted on this reservation before. get_order tells how it stands; do not submit again.',
    { ...details, order_id: order.id, order_status: order.state },
  );
}

function refuseUnknownHash(
  state: LedgerState,
  owned: Owned,
  request: SubmitRequest,
): Decision<Result<SubmitAnswer>> {
  const items = hashesOf(state.owned_items);
  const is_line_hash = items.some((item) => sameHash(item.stock_hash, request.stock_hash));
  const message = is_line_hash
    ? 'That is the checksum of one line. This reservation has several SKUs: send the top-level stock_hash that reserve_units or check_stock {reservation_id} returned.'
    : 'That checksum was never issued here. The reservation is untouched. Send the stock_hash that reserve_units or check_stock {reservation_id} returned.';
  const result = refused('stock_hash_unknown', message, { reservation_id: owned.reservation.id, items });
  // The first is told in the story. A loop of them must not fill the journal: the others are only counted.
  if (state.has_refused_hash) return { result };
  return {
    result,
    changes: {
      journal: [
        {
          kind: 'security.stock_hash_unknown',
          of_reservation: true,
          data: { by: request.principal, stock_hash: request.stock_hash, is_line_hash },
        },
      ],
    },
  };
}

/** How an order stands right after its checksum was judged. */
function judged(
  reasons: readonly OrderReason[],
  hash_verdict: HashVerdict,
  now: LedgerMs,
): Pick<Order, 'state' | 'hash_verdict' | 'reasons' | 'decided_at_ms' | 'held_for'> {
  return reasons.length === 0
    ? { state: 'accepted', hash_verdict, reasons, decided_at_ms: now, held_for: null }
    : { state: 'held', hash_verdict, reasons, decided_at_ms: null, held_for: 'stale' };
}

/** All of an order but what its judgement says. */
function newOrder(
  state: LedgerState,
  owned: Owned,
  request: SubmitRequest,
  settings: LedgerSettings,
): Omit<Order, keyof ReturnType<typeof judged>> {
  const order_mode = orderModeOf(owned, settings);
  return {
    ...NOT_HELD,
    id: request.order_id,
    reservation_key: owned.reservation.reservation_key,
    stock_hash: request.stock_hash,
    buyer_refusals: 0,
    approved_by: null,
    buyer: request.buyer,
    note: request.note,
    reference: request.reference,
    submitted_at_ms: state.now_ms,
    placed_at_ms: null,
    upstream_order_ref: null,
    upstream_order_name: null,
    shop_lines: null,
    order_mode,
    payment: order_mode === 'checkout_link' ? 'paid' : settings.order_payment,
    checkout_url: null,
    pay_until_ms: null,
    aftermath: null,
    route: settings.route_fulfillment === 'promised' ? makeRoute(owned.reservation, state.owned_items) : null,
  };
}

interface SubmittedOrder {
  readonly order: Order;
  readonly request: SubmitRequest;
  /** False for one that was there and has been corrected. */
  readonly isNew: boolean;
}

/** The answer to a submit, and everything that it changes. */
function submitted(
  state: LedgerState,
  owned: Owned,
  { order, request, isNew }: SubmittedOrder,
  settings: LedgerSettings,
): Decision<Result<SubmitAnswer>> {
  const now = state.now_ms;
  const isHeld = order.state === 'held';
  const waitsForPerson = isHeld && order.held_for === 'stale' && settings.stale_hash === 'hold';
  const answer = submitAnswer(order, owned, state, false);
  const age_ms = state.owned_items.map((item) => Math.max(0, now - item.confirmed_at_ms));
  const { reservation } = owned;
  const { reservation_key, state: reservationState } = reservation;
  return {
    result: granted(answer),
    changes: {
      ...(isNew
        ? {
            new_order: order,
            reservation: { reservation_key, state: nextReservationState(reservationState, 'submit') },
          }
        : { order }),
      outbox: {
        ...owned.outbox,
        due_at_ms: waitsForPerson ? now + settings.held_order_max_ms : orderDue(now),
        attempts: 0,
      },
      ...(request.idempotency === undefined
        ? {}
        : { remember: { input_hash: request.input_hash, answer: { ...answer } } }),
      journal: [
        {
          kind: isHeld ? 'order.held' : 'order.accepted',
          of_reservation: true,
          data: {
            id: order.id,
            verdict: order.hash_verdict,
            stock_hash: order.stock_hash,
            current: answer.current_stock_hash,
            reasons: order.reasons,
            payment: order.payment,
            mode: order.order_mode,
            age_ms,
            ...(isHeld ? { held_for: order.held_for } : {}),
            ...(isNew ? {} : { corrected: true }),
          },
        },
      ],
    },
  };
}

/** Units that were moved at the shop can't be paid for there, whatever the merchant has set since. */
function orderModeOf(owned: Owned, settings: LedgerSettings): Order['order_mode'] {
  return protocolOf(owned, settings.mirror) === 'move' ? 'complete' : settings.order_mode;
}

/** A checksum that is true says what the agent decided on, not that it can be sold: that is looked at anew. */
function reasonsToHold(
  state: LedgerState,
  owned: Owned,
  verdict: HashVerdict,
  askedAt: LedgerMs,
): OrderReason[] {
  if (verdict === 'stale') {
    return [
      {
        code: 'stock_stale',
        detail:
          'The stock has changed since this checksum was issued, so the shop is read again before anything is sold.',
      },
    ];
  }
  return state.owned_items.flatMap((item): OrderReason[] => {
    const { sku } = item;
    if (item.lifecycle !== 'active') {
      return [
        {
          code: 'item_discontinued',
          sku,
          detail: 'The item is not for sale, so the shop is read again first.',
        },
      ];
    }
    if (!isItemFresh(item, state.now_ms, askedAt)) {
      const detail = isDirty(item, askedAt)
        ? 'The shop says that the stock has just changed, so it is read again first.'
        : 'The stock is older than it may be to sell anything, so the shop is read again first.';
      return [{ code: 'stock_stale', sku, detail }];
    }
    if (isCovered(state, item, owned)) return [];
    const detail = 'The shop has sold units elsewhere since they were reserved, so it is read again first.';
    return [{ code: 'stock_insufficient', sku, detail }];
  });
}

function hashesOf(items: readonly Item[]): { sku: string; stock_hash: string }[] {
  return items.map(({ sku, stock_hash }) => ({ sku, stock_hash }));
}
