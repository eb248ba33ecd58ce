/**
 * What a step does with its row besides the call itself: write down what was learnt, put the row off, and read the stock
 * again. Shared by both protocols.
 */

import type { OrderReason } from '../ledger/model/order.js';
import type { ShopState } from '../ledger/model/outbox-row.js';
import { decideBuyerRefused } from '../ledger/order/buyer-refused.js';
import { decideFailed, decideFound, decidePlaced } from '../ledger/order/order-placed.js';
import { decideAbsent, decideEmptyLookup, decideLater, LOOKED_UP } from '../ledger/outbox/next-step.js';
import { SALE_READ_MAX_MS } from '../ledger/outbox/sale-check.js';
import type { Work } from '../ledger/state/job.js';
import type {
  Clock,
  Decision,
  JointDecision,
  Keys,
  LedgerSettings,
  LedgerState,
  Store,
} from '../ledger/state/state.js';
import { measureAge } from '../ledger/state/time.js';
import type {
  BuyerRefused,
  HoldLine,
  MirrorLane,
  MoveOutcome,
  OrderOutcome,
  OrderSink,
  ShopHold,
  ShopOrder,
  WriteOutcome,
} from '../sources/source.js';
import { OrderPace, type PaceLimits } from './order-rate-limit.js';
import type { OwnIntents } from './own-intents.js';
import { MOVE_FAILED, type PutOff } from './transfer-verdict.js';

export interface OutboxPorts {
  readonly store: Store;
  readonly sink: OrderSink;
  /** For what is no order's. Left out: `sink`, and there is always room. */
  readonly mirrors?: MirrorLane;
  readonly clock: Clock;
  readonly settings: LedgerSettings;
  readonly random: () => number;
  /** Resolves after that many milliseconds, without keeping the process alive. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Re-reads items into the ledger; throws when the shop can't be read. */
  readonly rereadItems: (itemIds: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Hears of each step that is put off, with a code of ours for why. */
  readonly onPutOff?: (failure: string) => void;
  /** Unique per process. */
  readonly worker: string;
  /** What this process has written. The store tells it. */
  readonly intents: OwnIntents;
  readonly limits: OutboxLimits;
}

export interface OutboxLimits extends PaceLimits {
  /** Orders worked on at a time. */
  readonly concurrency: number;
  /** Reservations without an order, beside them: an order must never wait for a mirror to end. */
  readonly holds_concurrency: number;
  /** The same where holds are moves, which share their calls. */
  readonly joint_holds_max: number;
  /** How long a worker that died keeps a row from the others. Longer than any call. */
  readonly claim_ms: number;
  readonly call_ms: number;
  /** A hold at the shop is looked at again after so long: a person may have removed it there. */
  readonly check_ms: number;
  /** Steps in a row before a row is looked at afresh. */
  readonly steps_max: number;
  /** A hold at the shop that no fall of the levels has shown for so long is reported. */
  readonly unplaced_after_ms: number;
  /** Failed steps in a row before a person has to look. */
  readonly attempts_max: number;
  readonly backoff_min_ms: number;
  readonly backoff_max_ms: number;
  /** A search that found nothing is asked again after this long. */
  readonly lookup_wait_ms: number;
  readonly lookups_min: number;
  /** The shop lets go by itself this long after the reservation's own end, or after the time to pay. */
  readonly hold_slack_ms: number;
  /** How long a hold at the shop has to last for an order to be completed on it. */
  readonly complete_margin_ms: number;
  readonly order_hold_ms: number;
  /** An order that was placed longer ago than this is not moved to the place that promised its units. */
  readonly route_within_ms: number;
  /** A move of an order without an answer is looked for this long. */
  readonly route_look_ms: number;
  /** Orders that are moved at a time. */
  readonly routes_max: number;
  /** Shopify forgets a move's key 24 hours after it was first sent: it is not sent again later than this. */
  readonly resend_max_ms: number;
}

/** Failures that say nothing about the row: tried again, at the slowest pace, until the shop is back. */
const PASSING_FAILURES: ReadonlySet<string> = new Set([
  'unreachable',
  'throttled',
  'unauthorized',
  'scope_missing',
  'unread',
  'interrupted',
]);

/** Another worker has the row by now: what this one still learns must not overwrite what that one has done. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

/** Each step answers whether the row can go on at once; otherwise it has been put off. */
export type StepRun = (work: Work, signal: AbortSignal) => Promise<boolean>;

/** Two clocks that are read one after the other and rounded down differ by so much. */
const ROUNDING_MS = 2;
/** Rows whose wait is remembered. One that is forgotten waits anew. */
const MISSING_MAX = 10_000;

/** What a worker has read before it sells. */
export interface SaleRead {
  /** When the read began, in ledger time. */
  readonly sinceMs: number;
  /** In ledger time. */
  readonly endedMs: number;
  /** The draft that is to be completed; `found` is null when the shop has none. Null when it was not read. */
  readonly draft: { readonly found: ShopHold | null } | null;
}

export class Progress {
  readonly ports: OutboxPorts;
  readonly pace: OrderPace;
  /** By row: when this process first looked and found nothing, by what has really passed. */
  readonly #missingSince = new Map<number, number>();
  /** By row that is worked on. */
  readonly #reads = new Map<number, SaleRead>();

  constructor(ports: OutboxPorts) {
    this.ports = ports;
    this.pace = new OrderPace(ports.limits);
  }

  /** By which the shop is asked for this row: what an order needs goes before every mirror. */
  sinkFor({ owned }: Work): OrderSink {
    const { sink, mirrors } = this.ports;
    return owned.reservation.state === 'submitted' ? sink : (mirrors?.sink ?? sink);
  }

  /** The worker has read the row's items and its draft, beginning at `sinceMs` in ledger time; the read ends now. */
  noteRead(key: number, sinceMs: number, draft: SaleRead['draft']): void {
    this.#reads.set(key, { sinceMs, draft, endedMs: this.ports.clock.now() });
  }

  /** The newest such read; null without one, and when it has ended too long ago to sell on it. */
  saleRead(key: number): SaleRead | null {
    const read = this.#reads.get(key);
    if (read === undefined) return null;
    return measureAge(this.ports.clock, read.endedMs) < SALE_READ_MAX_MS ? read : null;
  }

  /** The row is not worked on any more. */
  forgetRead(key: number): void {
    this.#reads.delete(key);
  }

  /** A decision on what a call brought. Rejects with `ClaimLost` when the row is another worker's by now. */
  async decide<R>(
    key: number,
    decide: (state: LedgerState) => Decision<R>,
    more: Partial<Keys> = {},
  ): Promise<R> {
    const { store, worker } = this.ports;
    const decided = await store.transact<{ readonly of: R } | null>(
      { owned: { reservation_key: key }, ...more },
      (state) => {
        if (state.owned?.outbox.claimed_by !== worker) return { result: null };
        const { result, changes } = decide(state);
        return { result: { of: result }, ...(changes === undefined ? {} : { changes }) };
      },
    );
    if (decided === null) throw new ClaimLost('another worker has it');
    return decided.of;
  }

  /** One decision about several rows, in one transaction. What it may do with rows of other workers is its own business. */
  decideAll<R>(
    keys: readonly number[],
    plan: (states: readonly LedgerState[]) => JointDecision<R>,
  ): Promise<R> {
    const each = keys.map((key): Keys => ({ owned: { reservation_key: key }, precedence: true }));
    return this.ports.store.transactAll(each, plan);
  }

  /** How a row is put off whose move was not carried out. */
  putOffFor(attempts: number, outcome: MoveOutcome): PutOff {
    const { limits } = this.ports;
    const isUnsent = outcome.outcome === 'not_sent';
    const failure = isUnsent ? outcome.failure : MOVE_FAILED;
    const asked = isUnsent ? (outcome.retry_after_ms ?? 0) : 0;
    return {
      failure,
      delay_ms: Math.max(asked, this.backoffMs(attempts)),
      attempts_max: PASSING_FAILURES.has(failure) ? null : limits.attempts_max,
    };
  }

  /** Whether the row is still this worker's by the time its claim was given. */
  holdsClaim(work: Work): boolean {
    const { clock, limits } = this.ports;
    const { claimed_until_ms } = work.owned.outbox;
    if (claimed_until_ms === null) return false;
    return measureAge(clock, claimed_until_ms - limits.claim_ms) < limits.claim_ms;
  }

  /**
   * The same for a call that may not happen twice and can't be told from a second one by the shop: this process must still know
   * that it wrote the row, by what the shop has said until now.
   */
  maySendOnce(work: Work): boolean {
    return this.holdsClaim(work) && this.ports.intents.readMemory(work.owned.outbox).isWitnessed;
  }

  async fail(key: number, reason: OrderReason): Promise<void> {
    await this.decide(key, (state) => decideFailed(state, reason));
  }

  /** The shop refused details of the buyer: the order waits for corrected ones, or has failed after too many. */
  async buyerRefused(work: Work, { fields, detail }: BuyerRefused): Promise<'held' | 'failed'> {
    const key = readKey(work);
    this.ports.report('buyer_refused', { reservation_key: key, fields, detail });
    return this.decide(key, (state) => decideBuyerRefused(state, fields));
  }

  /** A read of the shop that may fail; null when it did, and the row was put off. */
  async reading<T>(work: Work, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.ports.report('look_up_failed', { reservation_key: readKey(work), error });
      await this.later(readKey(work), 'unreachable');
      return null;
    }
  }

  /** So that the ledger sees at once what we have just done. If it fails, the heartbeat brings it later. */
  async reread(work: Work, signal: AbortSignal): Promise<void> {
    try {
      await this.ports.rereadItems(itemIds(work), signal);
    } catch (error) {
      this.ports.report('reread_failed', { reservation_key: readKey(work), error });
    }
  }

  /**
   * Orders that carry our tag, the oldest first: the first that was not cancelled is ours, and of any other such a person is told. A
   * cancelled one is ours where there is no other. False when there is none.
   */
  async adopted(work: Work, found: readonly ShopOrder[], signal: AbortSignal): Promise<boolean> {
    const standing = found.filter(({ is_cancelled }) => !is_cancelled);
    const order = standing[0] ?? found[0];
    if (order === undefined) return false;
    if (standing.length > 1)
      this.tellDoubled(
        work,
        standing.map(({ order_name }) => order_name),
      );
    await this.recordPlaced(work, order, decideFound);
    await this.reread(work, signal);
    return true;
  }

  /** Writes down that the shop has the order, and reports one that ours is not any more, or never was. */
  async recordPlaced(work: Work, order: ShopOrder, decide = decidePlaced): Promise<void> {
    const key = readKey(work);
    const isOurs = await this.decide(key, (state) => decide(state, order));
    if (!isOurs) this.ports.report('order_unasked', { reservation_key: key, order: order.order_name });
  }

  /** By the names that the merchant knows them by. */
  tellDoubled(work: Work, orders: readonly string[]): void {
    this.ports.report('order_doubled', { reservation_key: readKey(work), orders });
  }

  /** A search by our tag found nothing. What then is certain: nothing was made. */
  async foundNothing(work: Work): Promise<boolean> {
    if (!(await this.isCertain(work))) return false;
    await this.decide(readKey(work), (state) => decideAbsent(state, LOOKED_UP));
    this.ports.intents.lookedUp(work.owned.outbox.tag);
    return true;
  }

  /**
   * Whether it is believed that nothing is there. It is when the shop was asked often and long enough: its copies and its
   * index lag behind. Until then the row is put off. The shop's lag is real time, and a wall clock that jumps ahead takes the
   * ledger's with it: so this process must have waited by its own pace, too.
   */
  async isCertain(work: Work): Promise<boolean> {
    const { clock, limits } = this.ports;
    const { intent_at_ms, empty_lookups } = work.owned.outbox;
    const now = clock.now();
    const since = intent_at_ms ?? now;
    const waited_ms = Math.min(now - since, this.#missedFor(readKey(work), empty_lookups));
    if (waited_ms >= limits.lookup_wait_ms && empty_lookups + 1 >= limits.lookups_min) return true;
    await this.decide(readKey(work), (state) => decideEmptyLookup(state, now + limits.lookup_wait_ms));
    return false;
  }

  /** How long this process has been missing what the row asked for; 0 at the first look, also after a restart. */
  #missedFor(key: number, emptyLookups: number): number {
    const now = this.ports.clock.elapsed();
    const since = emptyLookups === 0 ? undefined : this.#missingSince.get(key);
    if (since !== undefined) return now - since + ROUNDING_MS;
    this.#missingSince.delete(key);
    this.#missingSince.set(key, now);
    const [oldest] = this.#missingSince.keys();
    if (this.#missingSince.size > MISSING_MAX && oldest !== undefined) this.#missingSince.delete(oldest);
    return 0;
  }

  /** Whether an order may be sent now. Where the shop takes only so many a minute, the row waits, and nothing counts as failed. */
  async inTime(work: Work, backTo: ShopState): Promise<boolean> {
    const now = this.ports.clock.now();
    const at = this.pace.nextAt(now);
    if (at <= now) {
      this.pace.sent(now);
      return true;
    }
    await this.#waitTurn(work, at - now, backTo);
    return false;
  }

  /** The shop has turned the order away for its pace. */
  async paced(
    work: Work,
    outcome: Extract<OrderOutcome, { outcome: 'paced' }>,
    backTo: ShopState,
  ): Promise<false> {
    const { clock, report } = this.ports;
    const now = clock.now();
    this.pace.refused(now, outcome.retry_after_ms);
    report('orders_paced', { reservation_key: readKey(work), detail: outcome.detail });
    await this.#waitTurn(work, this.pace.nextAt(now) - now, backTo);
    return false;
  }

  async putOff(
    work: Work,
    outcome: Exclude<WriteOutcome<unknown>, { outcome: 'done' }>,
    backTo?: ShopState,
  ): Promise<false> {
    const failure = outcome.outcome === 'unknown' ? 'unknown_outcome' : outcome.failure;
    this.ports.report('shop_call_put_off', {
      reservation_key: readKey(work),
      step: work.step,
      failure,
      detail: outcome.detail,
    });
    const asked = outcome.outcome === 'not_sent' ? (outcome.retry_after_ms ?? 0) : 0;
    await this.later(readKey(work), failure, asked, backTo);
    return false;
  }

  async later(key: number, failure: string, atLeastMs = 0, backTo?: ShopState): Promise<void> {
    const { limits, onPutOff } = this.ports;
    onPutOff?.(failure);
    await this.decide(key, (state) => {
      const attempts = state.owned?.outbox.attempts ?? 0;
      const delay_ms = Math.max(atLeastMs, this.backoffMs(attempts));
      const attempts_max = PASSING_FAILURES.has(failure) ? null : limits.attempts_max;
      const again = { delay_ms, attempts_max, failure };
      return decideLater(state, backTo === undefined ? again : { ...again, back_to: backTo });
    });
  }

  /** Gives the row up for a person, with the reason. */
  async park(key: number, failure: string): Promise<void> {
    await this.decide(key, (state) => decideLater(state, { delay_ms: 0, attempts_max: 0, failure }));
  }

  /** Nothing was sent. The row is looked at afresh at once, and nothing counts as failed. */
  async startOver(key: number, back_to: ShopState): Promise<false> {
    const again = { delay_ms: 0, attempts_max: null, failure: 'unread', back_to, keeps_attempts: true };
    await this.decide(key, (state) => decideLater(state, again));
    return false;
  }

  async #waitTurn(work: Work, delay_ms: number, back_to: ShopState): Promise<void> {
    await this.decide(readKey(work), (state) =>
      decideLater(state, { delay_ms, attempts_max: null, failure: 'paced', back_to, keeps_attempts: true }),
    );
  }

  /** How long a row waits after so many steps in a row that did not succeed. */
  backoffMs(attempts: number): number {
    const { random, limits } = this.ports;
    const full = Math.min(limits.backoff_max_ms, limits.backoff_min_ms * 2 ** Math.min(attempts, 16));
    return Math.round(full * (0.5 + random() / 2));
  }
}

export function readKey(work: Work): number {
  return work.owned.reservation.reservation_key;
}

export function itemIds(work: Work): string[] {
  return work.items.map((item) => item.item_id);
}

/**
 * What the reservation holds, a line for each place: a shop that wants all units of a line at one location finds each of these
 * where it was held. The largest first, so that small ones leave the large ones their place.
 */
export function linesByPlace({ owned, items }: Work): HoldLine[] {
  const lines = items.flatMap(({ variant_id, levels }) =>
    levels
      .flatMap(({ level_key }) => owned.holds.filter((hold) => hold.level_key === level_key))
      .map(({ quantity_units }) => ({ variant_id, quantity_units })),
  );
  return lines.sort((a, b) => b.quantity_units - a.quantity_units);
}

/** What the reservation holds, by variant. */
export function listHoldLines(work: Work): HoldLine[] {
  const { holds } = work.owned;
  return work.items.map((item) => ({
    variant_id: item.variant_id,
    quantity_units: item.levels
      .flatMap((level) => holds.filter((hold) => hold.level_key === level.level_key))
      .reduce((sum, hold) => sum + hold.quantity_units, 0),
  }));
}
