/** The verbs of the ledger, for tools and loops: each loads, decides once and answers after the commit. */

import { type AgeSeen, type DecisionSeen, readAges } from './model/decision-watch.js';
import type { Order, OrderLine, OrderReason, OrderState } from './model/order.js';
import { type Item, isDirty, isItemFresh } from './model/stock.js';
import { MAX_AGE_FAST_S } from './model/values/freshness.js';
import { isLimiting, type QuotaName } from './model/values/quota-limits.js';
import { granted, type Refusal, type Result, refused } from './model/values/refusal.js';
import { isWellFormedHash, sha256OfJson } from './model/values/stock-hash.js';
import type { LedgerMs } from './model/values/units.js';
import { isCorrectable } from './order/buyer-refused.js';
import { nextFor } from './order/order-next.js';
import {
  decideSubmit,
  type SubmitAnswer,
  type SubmitRequest,
  submitAnswer,
  type UpstreamOrder,
  upstreamOf,
} from './order/submit.js';
import {
  decideRetry,
  decideRetryReservation,
  decideVerdict,
  type Verdict,
} from './outbox/manual-decisions.js';
import { type CheckAnswer, viewReservation, viewStock } from './query/check.js';
import { SearchTurns, WAITING_SEARCHES_MAX } from './query/search-turns.js';
import { type TimelineEntry, timelineOf } from './query/timeline.js';
import type { ItemRoom } from './quota/check-quota.js';
import { decideRelease, ownedBy, type ReleaseAnswer, type ReleaseRequest } from './reservation/release.js';
import { decideReserve, type ReserveAnswer, type ReserveRequest } from './reservation/reserve.js';
import { currentHash } from './state/hash-verdict.js';
import type {
  Answer,
  FoundItem,
  Keys,
  LedgerPorts,
  LedgerSettings,
  LedgerState,
  Owned,
} from './state/state.js';
import { tellTime } from './state/time.js';

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
  readonly lines: readonly OrderLine[];
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

export interface FoundItems {
  readonly items: readonly FoundItem[];
  /** Whether the first full read is through. */
  readonly catalogue: 'complete' | 'loading';
  /** What to try, where nothing was found. */
  readonly hint?: string;
}

export interface ItemSearch {
  readonly principal: string;
  /** The words of a buyer. */
  readonly query: string;
  readonly limit: number;
}

export class Ledger {
  readonly #ports: LedgerPorts;
  readonly #searches: SearchTurns;
  readonly #isLimiting: boolean;

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
    const { clock, sleep } = ports;
    this.#searches = new SearchTurns({ elapsed: () => clock.elapsed(), sleep });
    this.#isLimiting = isLimiting(ports.settings.quotas);
  }

  /**
   * Stock of up to 20 SKUs. What is too old is re-read first; if that fails it is answered with `fresh: false` and 0, and a SKU that
   * only the shop could know is not said to be unknown. A caller that is named hears what it may reserve itself, and what it holds.
   */
  async checkStock(
    skus: readonly string[],
    { all_locations = false, caller }: Listing = {},
  ): Answer<CheckAnswer> {
    const wanted = [...new Set(skus)];
    const { store, clock, settings } = this.#ports;
    const view = { asked_at_ms: clock.now(), all_locations };
    const look = () =>
      store.read({ skus: wanted, ...this.#keysOf(caller) }, (state) => ({
        old: needReading(state, wanted),
        looks: this.#seeLooks(state.items.values(), state.now_ms, view.asked_at_ms),
        answer: viewStock(state, wanted, settings, view),
      }));
    const seen = await look();
    if (seen.old.length === 0) {
      this.#tellDecisions(seen.looks);
      return granted(seen.answer);
    }
    const isRead = await this.#freshen(seen.old, view.asked_at_ms);
    const again = await look();
    this.#tellDecisions(again.looks);
    const { answer } = again;
    const unasked = isRead ? [] : answer.unknown_skus.filter((sku) => seen.old.includes(sku));
    return unasked.length === 0 ? granted(answer) : refuseUnasked(unasked);
  }

  /** The same for a reservation's SKUs, with its present basket checksum. */
  async checkReservation(
    principal: string,
    reservationId: string,
    { all_locations = false, caller = { principal } }: Listing = {},
  ): Answer<CheckAnswer> {
    const { store, clock, settings } = this.#ports;
    const view = { asked_at_ms: clock.now(), all_locations };
    const keys = { owned: { reservation_id: reservationId }, owner: principal };
    const old = await store.read(keys, (state) =>
      ownedBy(state, principal) === null ? [] : oldItems(state),
    );
    await this.#freshen(old, view.asked_at_ms);
    const { result, looks } = await store.read({ ...keys, ...this.#keysOf(caller) }, (state) => ({
      result: viewReservation(state, principal, settings, view),
      looks: this.#seeLooks(state.owned_items, state.now_ms, view.asked_at_ms),
    }));
    if (result.ok) this.#tellDecisions(looks);
    return result;
  }

  /** Grants units for a limited time, on fresh data only. */
  async reserve(input: ReserveInput): Answer<ReserveAnswer> {
    const { store, clock, ids, settings, nudges } = this.#ports;
    if (settings.read_only) return refuseReadOnly();
    const { idempotency_key, ...wish } = input;
    const caller = this.#judged(wish);
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
    const waiting = settings.mirror === 'none' ? {} : { waiting_mirrors_of: wish.principal };
    const { replaces } = wish;
    const replaced =
      replaces === undefined ? {} : { owned: { reservation_id: replaces }, owner: wish.principal };
    let ages: readonly AgeSeen[] = [];
    const attempt = (): Promise<Result<ReserveAnswer>> =>
      store.transact(
        { skus, idempotency, caller, holder: wish.principal, ...waiting, ...replaced },
        (state) => {
          ages = this.#seeAges(state.items.values(), state.now_ms);
          return decideReserve(state, request, settings);
        },
      );

    let result = await attempt();
    if (!result.ok && (result.refusal.code === 'stock_stale' || result.refusal.code === 'sku_unknown')) {
      const old = await store.read({ skus }, (state) => needReading(state, skus));
      if (await this.#freshen(old, asked_at_ms)) result = await attempt();
      else if (result.refusal.code === 'sku_unknown') {
        const unknown = result.refusal.details['skus'] as readonly string[];
        const unasked = unknown.filter((sku) => old.includes(sku));
        if (unasked.length > 0) result = refuseUnasked(unasked);
      }
    }
    if (result.ok && !result.value.replayed) nudges.outboxDue();
    this.#watchQuotas(result, wish.principal);
    this.#watchReserve(result, ages);
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
      isOpenToSubmit(ownedBy(state, wish.principal)) ? oldItems(state) : [],
    );
    await this.#freshen(old, asked_at_ms);
    let ages: readonly AgeSeen[] = [];
    const result = await store.transact(
      {
        ...mine,
        idempotency,
        caller: this.#judged({ principal: wish.principal }),
        history: true,
        precedence: true,
      },
      (state) => {
        ages = this.#seeAges(state.owned_items, state.now_ms);
        return decideSubmit(state, request, settings);
      },
    );
    this.#watchQuotas(result, wish.principal);
    this.#watchSubmit(result, ages);
    if (!result.ok || result.value.replayed) return result;
    nudges.outboxDue();
    const isHeldForPerson = result.value.reasons.some(({ code }) => code === 'order_quota');
    if (isHeldForPerson) this.#ports.onQuota?.('orders', wish.principal);
    const isOpen =
      result.value.status === 'held'
        ? settings.stale_hash === 'revalidate' && !isHeldForPerson
        : settings.order_mode === 'checkout_link';
    return isOpen ? granted(await this.#finalWord(result.value)) : result;
  }

  /** An order, how it came about and what to do next. Somebody else's answers as an unknown one. */
  async getOrder(principal: string, name: OrderName): Answer<OrderAnswer> {
    const { store } = this.#ports;
    const found = await store.read({ owned: name, owner: principal }, (state) => {
      const owned = ownedBy(state, principal);
      if (owned === null || owned.order === null) return null;
      return { owned, order: owned.order, hash: currentHash(state), state };
    });
    if (found === null) {
      return refused(
        'order_unknown',
        'There is no such order. Use the order_id that submit_order_with_hash returned.',
      );
    }
    const { owned, order, hash } = found;
    const { now_ms, lead_ms } = found.state;
    const entries = await store.timeline(owned.reservation.reservation_key, TIMELINE_MAX_ENTRIES);
    return granted({
      order_id: order.id,
      reservation_id: owned.reservation.id,
      status: order.state,
      hash_verdict: order.hash_verdict,
      reasons: order.reasons,
      lines: order.shop_lines ?? submittedLines(owned),
      current_stock_hash: hash,
      next: nextFor(order, now_ms, lead_ms),
      ...upstreamOf(order, now_ms),
      submitted_at: tellTime(order.submitted_at_ms, lead_ms),
      ...(order.placed_at_ms === null ? {} : { placed_at: tellTime(order.placed_at_ms, lead_ms) }),
      timeline: timelineOf(entries, lead_ms),
    });
  }

  /** A person's word on a held order: on the command line or the dashboard, never by a tool. */
  async decideHeld(orderId: string, verdict: Verdict, by: string): Answer<{ readonly order_id: string }> {
    const { store, nudges, settings } = this.#ports;
    const result = await store.transact({ owned: { order_id: orderId } }, (state) =>
      decideVerdict(state, verdict, by, settings),
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

  /**
   * Full-text search over titles and SKUs, without stock figures. Until the first full read is through it waits for that, for half as long
   * as a caller may be kept waiting, then asks the shop's own search, and says that not all is there yet.
   */
  async findItems({ principal, query, limit }: ItemSearch): Answer<FoundItems> {
    const { store, clock, sleep, searcher, settings } = this.#ports;
    const wait_ms = settings.freshen_wait_ms / 2;
    const deadline = clock.now() + wait_ms;
    const find = () => this.#searches.take(principal, () => store.searchItems(query, limit));
    const isComplete = () => store.read({}, ({ sync }) => sync.baseline_at_ms !== null);
    let complete = await isComplete();
    let items = await find();
    while (!complete && items?.length === 0 && clock.now() < deadline) {
      await sleep(FIRST_READ_POLL_MS);
      complete = await isComplete();
      items = await find();
    }
    if (items === null) return refuseCrowd();
    if (items.length > 0) return granted({ items, catalogue: complete ? 'complete' : 'loading' });
    if (complete) return granted({ items, catalogue: 'complete', hint: NOTHING_FOUND });
    const asked = await searcher.search({ query, limit }, wait_ms);
    if (asked === null) return refuseUnread();
    const told = { items: asked, catalogue: 'loading' } as const;
    return granted(asked.length > 0 ? told : { ...told, hint: NOTHING_FOUND_YET });
  }

  /** What is read for a caller that is told of its own limits. */
  #keysOf(caller: WhoAsks | undefined): Keys {
    return caller === undefined ? {} : { caller: this.#judged(caller), holder: caller.principal };
  }

  /** Whose use of the shop a decision has to know; nobody's where nothing is limited. */
  #judged({ principal, origin = null, channel = null }: WhoAsks): Keys['caller'] {
    if (!this.#isLimiting) return undefined;
    return { principal, origin, channel, is_alone: this.#ports.isAlone?.() ?? false };
  }

  #watchQuotas(result: Result<unknown>, principal: string): void {
    if (result.ok || result.refusal.code !== 'quota_exceeded') return;
    this.#ports.onQuota?.(result.refusal.details['limit'] as QuotaName, principal);
  }

  /** Computed only where somebody measures: agents wait for it. */
  #seeAges(items: Iterable<Item>, now: LedgerMs): readonly AgeSeen[] {
    return this.#ports.onDecision === undefined ? [] : readAges(items, now);
  }

  /** The fresh and the stale SKUs of a look at stock. */
  #seeLooks(items: Iterable<Item>, now: LedgerMs, askedAt: LedgerMs): readonly DecisionSeen[] {
    if (this.#ports.onDecision === undefined) return [];
    const all = [...new Set(items)];
    const fresh = all.filter((item) => isItemFresh(item, now, askedAt));
    const stale = all.filter((item) => !fresh.includes(item));
    return [
      { tool: 'check_stock', decision: 'fresh', ages: this.#seeAges(fresh, now) },
      { tool: 'check_stock', decision: 'stale', ages: this.#seeAges(stale, now) },
    ];
  }

  #watchReserve(result: Result<ReserveAnswer>, ages: readonly AgeSeen[]): void {
    if (result.ok && result.value.replayed) return;
    const decision = result.ok ? 'reserved' : 'refused';
    const missing_units = result.ok ? 0 : countMissing(result.refusal);
    this.#tellDecisions([{ tool: 'reserve_units', decision, ages, missing_units }]);
  }

  #watchSubmit(result: Result<SubmitAnswer>, ages: readonly AgeSeen[]): void {
    if (result.ok && result.value.replayed) return;
    const isUnknown = !result.ok && result.refusal.code === 'stock_hash_unknown';
    const verdict = result.ok ? result.value.hash_verdict : isUnknown ? 'unknown' : null;
    const decision = result.ok ? result.value.status : 'refused';
    const seen: DecisionSeen = { tool: 'submit_order_with_hash', decision, ages };
    this.#tellDecisions([verdict === null ? seen : { ...seen, hash_verdict: verdict }]);
  }

  #tellDecisions(all: readonly DecisionSeen[]): void {
    for (const seen of all) this.#ports.onDecision?.(seen);
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
      [...new Set(items.values())].filter((item) => isDirty(item, askedAt)).map(({ sku }) => sku),
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

/** Whether a submit can still make or correct an order: what is too old is read again for it. */
function isOpenToSubmit(owned: Owned | null): boolean {
  return owned !== null && (owned.reservation.state === 'active' || isCorrectable(owned));
}

/** More will be known of it within moments: whether it is sold, or where the buyer pays. */
function isStillOpen(order: Order, settings: LedgerSettings): boolean {
  if (order.state === 'held') return order.held_for === 'stale' && settings.stale_hash === 'revalidate';
  return order.state === 'accepted' && order.order_mode === 'checkout_link' && order.pay_until_ms === null;
}

/** What was submitted: a line for each that was granted something. */
function submittedLines({ reservation }: Owned): OrderLine[] {
  return reservation.lines
    .filter((line) => line.reserved > 0)
    .map((line) => ({ sku: line.sku, quantity: line.reserved }));
}

/** A look-up that failed proves nothing: the shop may have them. */
function refuseUnasked(skus: readonly string[]): Result<never> {
  return refused(
    'upstream_unavailable',
    'The shop could not be asked for all of these SKUs, so it is not known whether it has them. Nothing was reserved. Try again shortly, or ask for the others alone.',
    { skus },
    UNASKED_RETRY_S,
  );
}

/** One heartbeat. */
const UNASKED_RETRY_S = 15;

/** How often it is looked again whether the first full read is through, or has brought what is asked for. */
const FIRST_READ_POLL_MS = 250;
const NOTHING_FOUND =
  'Nothing is called that. Try fewer or other words: the kind of product, its colour or its size.';

const NOTHING_FOUND_YET =
  'The catalogue is still being read, and the shop’s own search, which is stricter, finds nothing. Try other words, or again shortly.';
/** By then some of the searches that wait have had their turn. */
const CROWD_RETRY_S = 1;

/** Nothing was found in a part of the catalogue, which says nothing of the rest. */
function refuseUnread(): Result<never> {
  return refused(
    'upstream_unavailable',
    'The catalogue is still being read from the shop, and nothing of it that is here yet is called that. Try again shortly.',
    { catalogue: 'loading' },
    UNASKED_RETRY_S,
  );
}

/** How many units a refused reservation asked for beyond what was there. */
function countMissing({ code, details }: Refusal): number {
  if (code !== 'stock_insufficient') return 0;
  const items = details['items'] as readonly ItemShort[];
  return items.reduce(
    (sum, { requested, available_to_promise }) => sum + Math.max(0, requested - available_to_promise),
    0,
  );
}

type ItemShort = Pick<ItemRoom, 'available_to_promise'> & { readonly requested: number };

function refuseCrowd(): Result<never> {
  return refused(
    'rate_limited',
    `You have ${WAITING_SEARCHES_MAX} searches waiting, which is as many as may wait. Send this one again after some of them are answered.`,
    { waiting_max: WAITING_SEARCHES_MAX },
    CROWD_RETRY_S,
  );
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

interface Listing {
  readonly all_locations?: boolean;
  readonly caller?: WhoAsks;
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
    if (item === undefined) return mayBeUnread(state);
    return !isItemFresh(item, state.now_ms);
  });
}

/** Whether the shop may have an item that the ledger does not know: what is known of its catalogue is not whole, or old. */
function mayBeUnread({ sync, now_ms }: LedgerState): boolean {
  const { baseline_at_ms, confirmed_at_ms, missing_variants } = sync;
  return baseline_at_ms === null || missing_variants > 0 || now_ms - confirmed_at_ms > CATALOGUE_MAX_AGE_MS;
}

/** As old as the stock of a fast SKU may be: a heartbeat sees new items, too. */
const CATALOGUE_MAX_AGE_MS = MAX_AGE_FAST_S * 1000;

function oldItems(state: LedgerState): string[] {
  return state.owned_items.filter((item) => !isItemFresh(item, state.now_ms)).map((item) => item.sku);
}
