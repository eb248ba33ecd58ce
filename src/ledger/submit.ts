/** Submitting an order: the checksum is judged in the same transaction that accepts it (L5). */

import type { Buyer } from './buyer.js';
import { type HashVerdict, linkOf, nextFor, type Order, type OrderReason, type OrderState } from './order.js';
import type { Decision, IdempotencyKey, LedgerSettings, LedgerState, Owned } from './ports.js';
import { refuseHeldOrder } from './quota.js';
import { granted, type Result, refused } from './refusal.js';
import { expiry, ownedBy, reservationUnknown } from './release.js';
import { isExpired, nextReservationState } from './reservation.js';
import { isCovered } from './revalidation.js';
import { orderDue, protocolOf } from './shop-side.js';
import { type Item, isDirty, isItemFresh } from './stock.js';
import { basketHash, sameHash } from './stock-hash.js';
import type { LedgerMs } from './units.js';

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
 * the order would have to be held and the caller has as many held ones as it may have.
 */
export function decideSubmit(
  state: LedgerState,
  request: SubmitRequest,
  settings: LedgerSettings,
): Decision<Result<SubmitAnswer>> {
  if (state.remembered !== null) return { result: replay(state, request) };
  const owned = ownedBy(state, request.principal);
  if (owned === null) return { result: reservationUnknown() };
  if (isExpired(owned.reservation, state.now_ms)) {
    return { result: refuseState(state, owned), changes: expiry(state, owned) };
  }
  if (owned.reservation.state !== 'active') return { result: refuseState(state, owned) };

  const verdict = judgeHash(state, request.stock_hash);
  if (verdict === 'unknown') return refuseUnknownHash(state, owned, request);
  const reasons = reasonsToHold(state, owned, verdict, request.asked_at_ms);
  const refusal = reasons.length === 0 ? null : refuseHeldOrder(state, settings, state.owned_items);
  if (refusal !== null) return { result: refusal };
  return makeOrder(state, owned, request, { verdict, reasons }, settings);
}

/** The basket checksum of the reservation's items as they are now; the one it was given when they are known no more. */
export function currentHash(state: LedgerState): string {
  if (state.owned_items.length > 0) return basketHash(state.shop, state.owned_items);
  if (state.owned === null) throw new Error('a checksum of nothing');
  return state.owned.reservation.stock_hash;
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
    next: nextFor(order, state.now_ms),
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
      ...(order.upstream_order_ref === null ? {} : { order_id: order.upstream_order_ref }),
      ...(checkout_url === null ? {} : { checkout_url }),
    },
  };
}

/**
 * `match` when the checksum is true now, `stale` when it was true once: for one SKU a version of it, for
 * several the basket at any moment that the ledger remembers. `unknown` otherwise.
 */
export function judgeHash(state: LedgerState, hash: string): HashVerdict | 'unknown' {
  if (sameHash(currentHash(state), hash)) return 'match';
  return wasTrueAtGrant(state, hash) || wasTrueOnce(state, hash) ? 'stale' : 'unknown';
}

/**
 * The checksum that the reservation was granted with. Versions alone can't always rebuild it: an item may have
 * been renamed since, or two may have changed in the very millisecond of the grant.
 */
function wasTrueAtGrant(state: LedgerState, hash: string): boolean {
  return state.owned !== null && sameHash(state.owned.reservation.stock_hash, hash);
}

/**
 * Walks back through the moments at which one of the items changed, rebuilding the basket as it stood before
 * each: at most as many steps as versions are kept. Stops where an item's memory ends.
 */
function wasTrueOnce(state: LedgerState, hash: string): boolean {
  const changes = state.owned_items.flatMap((item) => {
    const versions = state.history.get(item.item_key) ?? [];
    return versions.map((version, index) => ({ item, at_ms: version.as_of_ms, before: versions[index + 1] }));
  });
  changes.sort((a, b) => b.at_ms - a.at_ms);
  const basket = new Map(
    state.owned_items.map(({ item_key, sku, stock_hash }) => [item_key, { sku, stock_hash }]),
  );
  for (const { item, before } of changes) {
    if (before === undefined) return false;
    basket.set(item.item_key, { sku: item.sku, stock_hash: before.stock_hash });
    if (sameHash(basketHash(state.shop, [...basket.values()]), hash)) return true;
  }
  return false;
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
    next: nextFor(order, state.now_ms),
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
  return {
    result: refused('stock_hash_unknown', message, { reservation_id: owned.reservation.id, items }),
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

function makeOrder(
  state: LedgerState,
  owned: Owned,
  request: SubmitRequest,
  { verdict, reasons }: { readonly verdict: HashVerdict; readonly reasons: readonly OrderReason[] },
  settings: LedgerSettings,
): Decision<Result<SubmitAnswer>> {
  const now = state.now_ms;
  const orderState: OrderState = reasons.length === 0 ? 'accepted' : 'held';
  const order: Order = {
    id: request.order_id,
    reservation_key: owned.reservation.reservation_key,
    state: orderState,
    hash_verdict: verdict,
    stock_hash: request.stock_hash,
    reasons,
    approved_by: null,
    buyer: request.buyer,
    note: request.note,
    reference: request.reference,
    submitted_at_ms: now,
    decided_at_ms: orderState === 'accepted' ? now : null,
    placed_at_ms: null,
    upstream_order_ref: null,
    upstream_order_name: null,
    order_mode: orderModeOf(owned, settings),
    checkout_url: null,
    pay_until_ms: null,
    aftermath: null,
  };
  const waitsForPerson = orderState === 'held' && settings.stale_hash === 'hold';
  const answer = submitAnswer(order, owned, state, false);
  const age_ms = state.owned_items.map((item) => Math.max(0, now - item.confirmed_at_ms));
  return {
    result: granted(answer),
    changes: {
      new_order: order,
      reservation: {
        reservation_key: owned.reservation.reservation_key,
        state: nextReservationState(owned.reservation.state, 'submit'),
      },
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
          kind: orderState === 'accepted' ? 'order.accepted' : 'order.held',
          of_reservation: true,
          data: {
            id: order.id,
            verdict,
            stock_hash: order.stock_hash,
            current: answer.current_stock_hash,
            reasons,
            age_ms,
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
    if (owned.holds.every((hold) => isCovered(state, item, hold))) return [];
    const detail = 'The shop has sold units elsewhere since they were reserved, so it is read again first.';
    return [{ code: 'stock_insufficient', sku, detail }];
  });
}

function hashesOf(items: readonly Item[]): { sku: string; stock_hash: string }[] {
  return items.map(({ sku, stock_hash }) => ({ sku, stock_hash }));
}
