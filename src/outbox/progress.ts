/**
 * What a step does with its row besides the call itself: write down what was learnt, put the row off, and read the stock
 * again. Shared by both protocols.
 */

import type { OrderReason } from '../ledger/order.js';
import { decideFailed, decidePlaced } from '../ledger/placing.js';
import type { Clock, Decision, Keys, LedgerSettings, LedgerState, Store } from '../ledger/ports.js';
import type { ShopState } from '../ledger/shop-side.js';
import { decideAbsent, decideEmptyLookup, decideLater } from '../ledger/shop-steps.js';
import type { Work } from '../ledger/work.js';
import type { HoldLine, OrderOutcome, OrderSink, ShopOrder, WriteOutcome } from '../upstream/upstream.js';
import { OrderPace, type PaceLimits } from './order-pace.js';

export interface OutboxPorts {
  readonly store: Store;
  readonly sink: OrderSink;
  readonly clock: Clock;
  readonly settings: LedgerSettings;
  readonly random: () => number;
  /** Resolves after that many milliseconds, without keeping the process alive. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Re-reads items into the ledger; throws when the shop can't be read. */
  readonly rereadItems: (itemIds: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Unique per process. */
  readonly worker: string;
  readonly limits: OutboxLimits;
}

export interface OutboxLimits extends PaceLimits {
  /** Reservations worked on at a time. */
  readonly concurrency: number;
  /** How long a worker that died keeps a row from the others. Longer than any call. */
  readonly claim_ms: number;
  readonly call_ms: number;
  /** A hold at the shop is looked at again after so long: a person may have removed it there. */
  readonly check_ms: number;
  /** Steps in a row before a row is looked at afresh. */
  readonly steps_max: number;
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

export const SOLD_ELSEWHERE: OrderReason = {
  code: 'stock_insufficient',
  detail: 'The shop sold the units elsewhere before the order could be placed.',
};

export const SHOP_REFUSED: OrderReason = { code: 'shop_refused', detail: 'The shop did not take the order.' };

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

export class Progress {
  readonly ports: OutboxPorts;
  readonly pace: OrderPace;
  /** By row: when this process first looked and found nothing, by what has really passed. */
  readonly #missingSince = new Map<number, number>();

  constructor(ports: OutboxPorts) {
    this.ports = ports;
    this.pace = new OrderPace(ports.limits);
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

  /** Whether the row is still this worker's by the time its claim was given. */
  holdsClaim(work: Work): boolean {
    return this.ports.clock.now() < (work.owned.outbox.claimed_until_ms ?? 0);
  }

  async fail(key: number, reason: OrderReason): Promise<void> {
    await this.decide(key, (state) => decideFailed(state, reason));
  }

  /** A read of the shop that may fail; null when it did, and the row was put off. */
  async reading<T>(work: Work, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.ports.report('look_up_failed', { reservation_key: keyOf(work), error });
      await this.later(keyOf(work), 'unreachable');
      return null;
    }
  }

  /** So that the ledger sees at once what we have just done. If it fails, the heartbeat brings it later. */
  async reread(work: Work, signal: AbortSignal): Promise<void> {
    try {
      await this.ports.rereadItems(itemIds(work), signal);
    } catch (error) {
      this.ports.report('reread_failed', { reservation_key: keyOf(work), error });
    }
  }

  /** Orders that carry our tag: the first is ours, and of any other a person is told. False when there is none. */
  async adopted(work: Work, found: readonly ShopOrder[], signal: AbortSignal): Promise<boolean> {
    const [order, ...doubles] = found;
    if (order === undefined) return false;
    if (doubles.length > 0)
      this.tellDoubled(
        work,
        found.map(({ order_name }) => order_name),
      );
    await this.decide(keyOf(work), (state) => decidePlaced(state, order));
    await this.reread(work, signal);
    return true;
  }

  /** By the names that the merchant knows them by. */
  tellDoubled(work: Work, orders: readonly string[]): void {
    this.ports.report('order_doubled', { reservation_key: keyOf(work), orders });
  }

  /** A search by our tag found nothing. What then is certain: nothing was made. */
  async foundNothing(work: Work): Promise<boolean> {
    if (!(await this.isCertain(work))) return false;
    await this.decide(keyOf(work), (state) => decideAbsent(state, 'looked_up'));
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
    const waited_ms = Math.min(now - since, this.#missedFor(keyOf(work), empty_lookups));
    if (waited_ms >= limits.lookup_wait_ms && empty_lookups + 1 >= limits.lookups_min) return true;
    await this.decide(keyOf(work), (state) => decideEmptyLookup(state, now + limits.lookup_wait_ms));
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
    report('orders_paced', { reservation_key: keyOf(work), detail: outcome.detail });
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
      reservation_key: keyOf(work),
      step: work.step,
      failure,
      detail: outcome.detail,
    });
    const asked = outcome.outcome === 'not_sent' ? (outcome.retry_after_ms ?? 0) : 0;
    await this.later(keyOf(work), failure, asked, backTo);
    return false;
  }

  async later(key: number, failure: string, atLeastMs = 0, backTo?: ShopState): Promise<void> {
    const { limits } = this.ports;
    await this.decide(key, (state) => {
      const attempts = state.owned?.outbox.attempts ?? 0;
      const delay_ms = Math.max(atLeastMs, this.#backoff(attempts));
      const attempts_max = PASSING_FAILURES.has(failure) ? null : limits.attempts_max;
      const again = { delay_ms, attempts_max, failure };
      return decideLater(state, backTo === undefined ? again : { ...again, back_to: backTo });
    });
  }

  async #waitTurn(work: Work, delay_ms: number, back_to: ShopState): Promise<void> {
    await this.decide(keyOf(work), (state) =>
      decideLater(state, { delay_ms, attempts_max: null, failure: 'paced', back_to, keeps_attempts: true }),
    );
  }

  #backoff(attempts: number): number {
    const { random, limits } = this.ports;
    const full = Math.min(limits.backoff_max_ms, limits.backoff_min_ms * 2 ** Math.min(attempts, 16));
    return Math.round(full * (0.5 + random() / 2));
  }
}

export function keyOf(work: Work): number {
  return work.owned.reservation.reservation_key;
}

export function itemIds(work: Work): string[] {
  return work.items.map((item) => item.item_id);
}

/** What the reservation holds, by variant. */
export function linesOf(work: Work): HoldLine[] {
  const { holds } = work.owned;
  return work.items.map((item) => ({
    variant_id: item.variant_id,
    quantity_units: item.levels
      .flatMap((level) => holds.filter((hold) => hold.level_key === level.level_key))
      .reduce((sum, hold) => sum + hold.quantity_units, 0),
  }));
}
