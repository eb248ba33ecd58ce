/** The verbs of the ledger, for tools and loops: each loads, decides once and answers after the commit. */

import { decideRetry, decideRetryReservation, decideVerdict, type Verdict } from './approval.js';
import { type CheckAnswer, viewReservation, viewStock } from './check.js';
import type { OrderReason } from './order.js';
import { nextFor, type Order, type OrderState } from './order.js';
import type { Answer, FoundItem, Keys, LedgerPorts, LedgerSettings, LedgerState } from './ports.js';
import { isLimiting, type QuotaName } from './quota-limits.js';
import { granted, type Result, refused } from './refusal.js';
import { decideRelease, ownedBy, type ReleaseAnswer, type ReleaseRequest } from './release.js';
import { decideReserve, type ReserveAnswer, type ReserveRequest } from './reserve.js';
import { isDirty, isItemFresh } from './stock.js';
import { isWellFormedHash, sha256OfJson } from './stock-hash.js';
import {
  currentHash,
  decideSubmit,
  type SubmitAnswer,
  type SubmitRequest,
  submitAnswer,
  type UpstreamOrder,
  upstreamOf,
} from './submit.js';
import { isoTime } from './time.js';
import { type TimelineEntry, timelineOf } from './timeline.js';
import type { LedgerMs } from './units.js';

export type ReserveInput = Omit<
  ReserveRequest,
  'idempotency' | 'input_hash' | 'reservation_id' | 'asked_at_ms'
> & {
  readonly idempotency_key: string | undefined;
};

export type SubmitInput = Omit<SubmitRequest, 'idempotency' | 'input_hash' | 'order_id' | 'asked_at_ms'> & {
  readonly idempotency_key: string | undefined;
};

export interface OrderAnswer {
  readonly order_id: string;
  readonly reservation_id: string;
  readonly status: OrderState;
  readonly hash_verdict: 'match' | 'stale';
  readonly reasons: readonly OrderReason[];
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly current_stock_hash: string;
  readonly next: string;
  readonly upstream?: UpstreamOrder;
  readonly submitted_at: string;
  readonly placed_at?: string;
  readonly timeline: readonly TimelineEntry[];
}

export type OrderName = { readonly order_id: string } | { readonly reservation_id: string };

/** How often `submit` looks whether a revalidation has decided. */
const SUBMIT_POLL_MS = 20;
/** The longest story that an answer tells; `explain` tells all. */
const TIMELINE_MAX_ENTRIES = 50;

export class Ledger {
  readonly #ports: LedgerPorts;
  readonly #isLimiting: boolean;

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
    this.#isLimiting = isLimiting(ports.settings.quotas);
  }

  /** Stock of up to 20 SKUs. What is too old is re-read first; if that fails it is answered with `fresh: false` and 0. */
  async checkStock(skus: readonly string[]): Answer<CheckAnswer> {
    const wanted = [...new Set(skus)];
    const { store, clock, settings } = this.#ports;
    const askedAt = clock.now();
    const look = () =>
      store.read({ skus: wanted }, (state) => ({
        old: needReading(state, wanted),
        answer: viewStock(state, wanted, settings, askedAt),
      }));
    const seen = await look();
    if (seen.old.length === 0) return granted(seen.answer);
    await this.#freshen(seen.old, askedAt);
    return granted((await look()).answer);
  }

  /** The same for a reservation's SKUs, with its present basket checksum. */
  async checkReservation(principal: string, reservationId: string): Answer<CheckAnswer> {
    const { store, clock, settings } = this.#ports;
    const askedAt = clock.now();
    const keys = { owned: { reservation_id: reservationId }, owner: principal };
    const old = await store.read(keys, (state) =>
      ownedBy(state, principal) === null ? [] : oldItems(state),
    );
    await this.#freshen(old, askedAt);
    return store.read(keys, (state) => viewReservation(state, principal, settings, askedAt));
  }

  /** Grants units for a limited time, on fresh data only. */
  async reserve(input: ReserveInput): Answer<ReserveAnswer> {
    const { store, clock, ids, settings, nudges } = this.#ports;
    if (settings.read_only) return refuseReadOnly();
    const { idempotency_key, ...wish } = input;
    const caller = this.#judged(wish.principal, wish.origin ?? null);
    const skus = [...new Set(wish.lines.map((line) => line.sku))];
    const idempotency =
      idempotency_key === undefined
        ? undefined
        : { principal: wish.principal, tool: 'reserve_units' as const, key: idempotency_key };
    const asked_at_ms = clock.now();
    const request: ReserveRequest = {
      ...wish,
      idempotency,
      input_hash: idempotency === undefined ? '' : sha256OfJson(inputOf(wish)),
      reservation_id: ids.reservation(asked_at_ms),
      asked_at_ms,
    };
    const attempt = (): Promise<Result<ReserveAnswer>> =>
      store.transact({ skus, idempotency, caller }, (state) => decideReserve(state, request, settings));

    let result = await attempt();
    if (!result.ok && (result.refusal.code === 'stock_stale' || result.refusal.code === 'sku_unknown')) {
      const old = await store.read({ skus }, (state) => needReading(state, skus));
      if (await this.#freshen(old, asked_at_ms)) result = await attempt();
    }
    if (result.ok && !result.value.replayed) nudges.outboxDue();
    this.#watchQuotas(result, wish.principal);
    return result;
  }

  /** Frees a reservation. Releasing twice is no error. */
  async release(request: ReleaseRequest): Answer<ReleaseAnswer> {
    const { store, nudges, settings } = this.#ports;
    if (settings.read_only) return refuseReadOnly();
    const result = await store.transact(
      { owned: { reservation_id: request.reservation_id }, owner: request.principal },
      (state) => decideRelease(state, request),
    );
    if (result.ok && !result.value.replayed) nudges.outboxDue();
    return result;
  }

  /**
   * Submits an order with the checksum that the agent decided on. Waits up to `submit_wait_ms` for a revalidation, and
   * for the link where the buyer pays, so that most callers see all there is to see at once.
   */
  async submit(input: SubmitInput): Answer<SubmitAnswer> {
    const { store, clock, ids, settings, nudges } = this.#ports;
    if (settings.read_only) return refuseReadOnly();
    const { idempotency_key, ...wish } = input;
    if (!isWellFormedHash(wish.stock_hash)) return refuseMalformed();
    const idempotency =
      idempotency_key === undefined
        ? undefined
        : { principal: wish.principal, tool: 'submit_order_with_hash' as const, key: idempotency_key };
    const asked_at_ms = clock.now();
    const request: SubmitRequest = {
      ...wish,
      idempotency,
      input_hash: idempotency === undefined ? '' : sha256OfJson(inputOf(wish)),
      order_id: ids.order(asked_at_ms),
      asked_at_ms,
    };
    const mine = { owned: { reservation_id: wish.reservation_id }, owner: wish.principal };
    const old = await store.read(mine, (state) =>
      ownedBy(state, wish.principal)?.reservation.state === 'active' ? oldItems(state) : [],
    );
    await this.#freshen(old, asked_at_ms);
    const result = await store.transact(
      {
        ...mine,
        idempotency,
        caller: this.#judged(wish.principal, null),
        history: true,
        precedence: true,
      },
      (state) => decideSubmit(state, request, settings),
    );
    this.#watchQuotas(result, wish.principal);
    if (!result.ok || result.value.replayed) return result;
    nudges.outboxDue();
    const isOpen =
      result.value.status === 'held'
        ? settings.stale_hash === 'revalidate'
        : settings.order_mode === 'checkout_link';
    return isOpen ? granted(await this.#finalWord(result.value)) : result;
  }

  /** An order, how it came about and what to do next. Somebody else's answers as an unknown one. */
  async getOrder(principal: string, name: OrderName): Answer<OrderAnswer> {
    const { store } = this.#ports;
    const found = await store.read({ owned: name, owner: principal }, (state) => {
      const owned = ownedBy(state, principal);
      if (owned === null || owned.order === null) return null;
      return { owned, order: owned.order, hash: currentHash(state), now_ms: state.now_ms };
    });
    if (found === null) {
      return refused(
        'order_unknown',
        'There is no such order. Use the order_id that submit_order_with_hash returned.',
      );
    }
    const { owned, order, hash, now_ms } = found;
    const entries = await store.timeline(owned.reservation.reservation_key, TIMELINE_MAX_ENTRIES);
    return granted({
      order_id: order.id,
      reservation_id: owned.reservation.id,
      status: order.state,
      hash_verdict: order.hash_verdict,
      reasons: order.reasons,
      lines: owned.reservation.lines
        .filter((line) => line.reserved > 0)
        .map((line) => ({ sku: line.sku, quantity: line.reserved })),
      current_stock_hash: hash,
      next: nextFor(order, now_ms),
      ...upstreamOf(order, now_ms),
      submitted_at: isoTime(order.submitted_at_ms),
      ...(order.placed_at_ms === null ? {} : { placed_at: isoTime(order.placed_at_ms) }),
      timeline: timelineOf(entries),
    });
  }

  /** A person's word on a held order: on the command line or the dashboard, never by a tool. */
  async decideHeld(orderId: string, verdict: Verdict, by: string): Answer<{ readonly order_id: string }> {
    const { store, nudges } = this.#ports;
    const result = await store.transact({ owned: { order_id: orderId } }, (state) =>
      decideVerdict(state, verdict, by),
    );
    if (result.ok) nudges.outboxDue();
    return result;
  }

  /** A person's word that a parked order may be tried again. */
  async retryParked(orderId: string, by: string): Answer<{ readonly order_id: string }> {
    const { store, nudges } = this.#ports;
    const result = await store.transact({ owned: { order_id: orderId } }, (state) => decideRetry(state, by));
    if (result.ok) nudges.outboxDue();
    return result;
  }

  /** The same for a reservation, with or without an order. */
  async retryParkedReservation(
    reservationId: string,
    by: string,
  ): Answer<{ readonly reservation_id: string }> {
    const { store, nudges } = this.#ports;
    const result = await store.transact({ owned: { reservation_id: reservationId } }, (state) =>
      decideRetryReservation(state, by),
    );
    if (result.ok) nudges.outboxDue();
    return result;
  }

  /** Full-text search over titles and SKUs, without stock figures. */
  async findItems(query: string, limit: number): Answer<{ readonly items: readonly FoundItem[] }> {
    return granted({ items: await this.#ports.store.searchItems(query, limit) });
  }

  /** Whose use of the shop a decision has to know; nobody's where nothing is limited. */
  #judged(principal: string, origin: string | null): Keys['caller'] {
    return this.#isLimiting ? { principal, origin } : undefined;
  }

  #watchQuotas(result: Result<unknown>, principal: string): void {
    if (result.ok || result.refusal.code !== 'quota_exceeded') return;
    this.#ports.onQuota?.(result.refusal.details['limit'] as QuotaName, principal);
  }

  /**
   * Re-reads what was too old when the call came in. Twice where the shop spoke of an item meanwhile: a re-read under
   * way that was joined may have begun before the call, and the one after it has not.
   */
  async #freshen(skus: readonly string[], askedAt: LedgerMs): Promise<boolean> {
    const { store, freshener, settings } = this.#ports;
    if (skus.length === 0) return false;
    if (!(await freshener.freshen(skus, settings.freshen_wait_ms))) return false;
    const dirty = await store.read({ skus }, ({ items }) =>
      [...items.values()].filter((item) => isDirty(item, askedAt)).map(({ sku }) => sku),
    );
    return dirty.length === 0 || freshener.freshen(dirty, settings.freshen_wait_ms);
  }

  async #finalWord(first: SubmitAnswer): Promise<SubmitAnswer> {
    const { store, clock, sleep, settings } = this.#ports;
    const deadline = clock.now() + settings.submit_wait_ms;
    const look = () =>
      store.read({ owned: { order_id: first.order_id } }, (state) => {
        const { owned } = state;
        if (owned === null || owned.order === null) throw new Error('an order that was made is missing');
        const answer = submitAnswer(owned.order, owned, state, false);
        return { answer, isOpen: isStillOpen(owned.order, settings) };
      });
    let latest = await look();
    while (latest.isOpen && clock.now() < deadline) {
      await sleep(SUBMIT_POLL_MS);
      latest = await look();
    }
    return latest.answer;
  }
}

/** More will be known of it within moments: whether it is sold, or where the buyer pays. */
function isStillOpen(order: Order, settings: LedgerSettings): boolean {
  if (order.state === 'held') return settings.stale_hash === 'revalidate';
  return order.state === 'accepted' && order.order_mode === 'checkout_link' && order.pay_until_ms === null;
}

/** The contract has no code of its own for it: what is missing is leave to change anything, and asking again is no use. */
function refuseReadOnly(): Result<never> {
  return refused(
    'scope_missing',
    'This server is read-only: it answers questions about stock and orders, and sells nothing. Nothing was changed.',
    { read_only: true },
  );
}

function refuseMalformed(): Result<never> {
  return refused(
    'stock_hash_malformed',
    'stock_hash wants "sha256:" and 64 lowercase hex digits, exactly as reserve_units or check_stock returned it.',
    { field: 'stock_hash' },
  );
}

interface WhoAsks {
  readonly principal: string;
  readonly channel?: string | null | undefined;
  readonly origin?: string | null | undefined;
}

/** What an idempotency key stands for: the arguments, without who asks, from where and how. */
function inputOf<T extends WhoAsks>(wish: T): Omit<T, keyof WhoAsks> {
  const { principal, channel, origin, ...input } = wish;
  // Half a surrogate pair is legal in JSON and in no canonical form of it.
  const whole = (_: string, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Cs}/gu, '\ufffd') : value;
  return JSON.parse(JSON.stringify(input), whole) as Omit<T, keyof WhoAsks>;
}

/** SKUs to re-read before they are promised: too old, or not known while the first full read still runs. */
function needReading(state: LedgerState, skus: readonly string[]): string[] {
  return skus.filter((sku) => {
    const item = state.items.get(sku);
    if (item === undefined) return state.sync.baseline_at_ms === null;
    return !isItemFresh(item, state.now_ms);
  });
}

function oldItems(state: LedgerState): string[] {
  return state.owned_items.filter((item) => !isItemFresh(item, state.now_ms)).map((item) => item.sku);
}
