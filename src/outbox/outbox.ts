/**
 * Brings the shop in line with the ledger, one reservation at a time: mirror holds, place orders, let go, and
 * revalidate held orders. The only place that changes anything at the shop (L8).
 *
 * At most one effect, whatever happens: the intent is written before a call, an unknown outcome is looked up
 * before anything is sent again, and a search that finds nothing is believed only after it was asked twice
 * with a wait between, because the shop's index lags behind its own writes.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { OrderReason } from '../ledger/order.js';
import { decideFailed, decidePlaced } from '../ledger/placing.js';
import type { Clock, Decision, Keys, LedgerSettings, LedgerState, Store } from '../ledger/ports.js';
import { decideRevalidate } from '../ledger/revalidation.js';
import type { ShopState, Step } from '../ledger/shop-side.js';
import {
  decideAbsent,
  decideClaim,
  decideDeleted,
  decideDetailsSent,
  decideEmptyLookup,
  decideLater,
  decideNextStep,
  decideOpen,
  decideReread,
  decideUnmirrored,
} from '../ledger/shop-steps.js';
import type { Claim, Work } from '../ledger/work.js';
import type { HoldRequest, OrderSink, ShopHold, WriteOutcome } from '../upstream/upstream.js';

export interface OutboxPorts {
  readonly store: Store;
  readonly sink: OrderSink;
  readonly clock: Clock;
  readonly settings: LedgerSettings;
  readonly random: () => number;
  /** Re-reads items into the ledger; throws when the shop can't be read. */
  readonly rereadItems: (itemIds: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Unique per process. */
  readonly worker: string;
  readonly limits: OutboxLimits;
}

export interface OutboxLimits {
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
  /** The shop lets go by itself this long after the reservation's own end. */
  readonly hold_slack_ms: number;
  /** How long a hold at the shop has to last for an order to be completed on it. */
  readonly complete_margin_ms: number;
  readonly order_hold_ms: number;
}

/** While calls are under way and there is room for more, how often new work is looked for. */
const LOOK_AGAIN_MS = 25;

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
class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #claim: Claim;
  readonly #inFlight = new Map<number, Promise<void>>();

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    const { claim_ms, check_ms } = ports.limits;
    this.#claim = { worker: ports.worker, claim_ms, check_ms };
  }

  /** Works on what is due until nothing is. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, limits } = this.#ports;
    while (!signal.aborted) {
      const room = limits.concurrency - this.#inFlight.size;
      const due = await store.dueOutbox(limits.concurrency * 2);
      const fresh = due.filter(({ reservation_key }) => !this.#inFlight.has(reservation_key)).slice(0, room);
      for (const { reservation_key } of fresh) this.#begin(reservation_key, signal);
      if (this.#inFlight.size === 0) return;
      // One slow call must not keep the others waiting: what became due meanwhile is looked for, too.
      const hasRoom = this.#inFlight.size < limits.concurrency;
      await Promise.race([...this.#inFlight.values(), ...(hasRoom ? [pause(LOOK_AGAIN_MS)] : [])]);
    }
    await Promise.all(this.#inFlight.values());
  }

  #begin(key: number, signal: AbortSignal): void {
    const work = this.#work(key, signal)
      .catch((error: unknown) => {
        const event = error instanceof ClaimLost ? 'outbox_claim_lost' : 'outbox_bug';
        this.#ports.report(event, { reservation_key: key, detail: String(error) });
      })
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, work);
  }

  async #work(key: number, signal: AbortSignal): Promise<void> {
    const { store, clock, settings, limits } = this.#ports;
    const keys: Keys = { owned: { reservation_key: key }, precedence: true };
    if (!(await store.transact(keys, (state) => decideClaim(state, this.#claim)))) return;
    for (let steps = 0; steps < limits.steps_max && !signal.aborted; steps += 1) {
      const work = await store.transact(keys, (state) =>
        decideNextStep(state, this.#claim, settings, steps === 0),
      );
      if (work === null) return;
      // A process that was suspended just here must not send what another may have sent since.
      if (clock.now() >= (work.owned.outbox.claimed_until_ms ?? 0)) throw new ClaimLost('it ran out');
      const call = AbortSignal.timeout(limits.call_ms);
      if (!(await this.#steps[work.step](work, call))) return;
    }
    await this.#later(key, 'interrupted');
  }

  /** Each step answers whether the row can go on at once; otherwise it has been put off. */
  readonly #steps: Record<Step, (work: Work, signal: AbortSignal) => Promise<boolean>> = {
    create: (work, signal) => this.#create(work, signal),
    look_up: (work, signal) => this.#lookUp(work, signal),
    complete: (work, signal) => this.#complete(work, signal),
    read_back: (work, signal) => this.#readBack(work, signal),
    delete: (work, signal) => this.#delete(work, signal),
    revalidate: (work, signal) => this.#revalidate(work, signal),
    reread: (work, signal) => this.#rereadStep(work, signal),
    rest: async () => false,
  };

  async #create(work: Work, signal: AbortSignal): Promise<boolean> {
    const { sink } = this.#ports;
    const outcome = await sink.createHold(this.#holdRequest(work), signal);
    switch (outcome.outcome) {
      case 'done':
        return this.#created(work, outcome.value, signal);
      case 'refused':
        return this.#refused(work, outcome.detail, signal);
      case 'not_sent':
        return this.#putOff(work, outcome, 'absent');
      case 'unknown':
        // The next step is to look it up by our tag, at once and again after a wait.
        return this.#putOff(work, outcome);
    }
  }

  /** The next step re-reads the stock: the shop has reserved without a look at it. */
  async #created(work: Work, hold: ShopHold, signal: AbortSignal): Promise<boolean> {
    const { store, sink } = this.#ports;
    try {
      await this.#decide(keyOf(work), (state) => decideOpen(state, seenHold(hold)));
    } catch (error) {
      if (!(error instanceof ClaimLost)) throw error;
      const keys = { owned: { reservation_key: keyOf(work) } };
      const hold_ref = await store.read(keys, (state) => state.owned?.outbox.hold_ref ?? null);
      // Made so late that another worker has gone on without it: nobody would ever ask for it again.
      if (hold_ref !== hold.hold_ref) await sink.deleteHold(hold.hold_ref, signal);
      throw error;
    }
    return true;
  }

  /** Sees what was done last in the shop's own figures, before an order is completed or the row is put to rest. */
  async #rereadStep(work: Work, signal: AbortSignal): Promise<boolean> {
    const key = keyOf(work);
    const since = this.#ports.clock.now();
    const read = await this.#reading(work, async () => {
      await this.#ports.rereadItems(itemIds(work), signal);
      return true;
    });
    if (read === null) return false;
    const seen = await this.#decide(key, (state) => decideReread(state, since, SOLD_ELSEWHERE), {
      precedence: true,
    });
    if (seen === 'dropped') return this.#delete(work, signal);
    if (seen !== 'unread') return true;
    await this.#later(key, 'unread');
    return false;
  }

  async #lookUp(work: Work, signal: AbortSignal): Promise<boolean> {
    const { sink, clock, limits } = this.#ports;
    const key = keyOf(work);
    const { outbox } = work.owned;
    const found = await this.#reading(work, () => sink.findHolds(outbox.tag, signal));
    if (found === null) return false;
    const [hold, ...doubles] = [...found].sort((a, b) => rank(a) - rank(b));
    if (hold !== undefined) {
      for (const double of doubles) {
        if (double.status !== 'open') continue;
        const outcome = await sink.deleteHold(double.hold_ref, signal);
        // One is taken over only when it is alone: nobody would look for the other again.
        if (outcome.outcome !== 'done') return this.#putOff(work, outcome);
      }
      return this.#seen(work, hold, signal);
    }
    const waited = clock.now() - (outbox.intent_at_ms ?? 0) >= limits.lookup_wait_ms;
    if (waited && outbox.empty_lookups + 1 >= limits.lookups_min) {
      await this.#decide(key, (state) => decideAbsent(state, 'looked_up'));
      return true;
    }
    const again = Math.max(
      clock.now() + limits.lookup_wait_ms / 2,
      (outbox.intent_at_ms ?? 0) + limits.lookup_wait_ms,
    );
    await this.#decide(key, (state) => decideEmptyLookup(state, again));
    return false;
  }

  /** After a crash or an unknown outcome with the reference at hand: read the object itself. */
  async #readBack(work: Work, signal: AbortSignal): Promise<boolean> {
    const { sink } = this.#ports;
    const { hold_ref } = work.owned.outbox;
    if (hold_ref === null) throw new Error('nothing to read back');
    const hold = await this.#reading(work, async () => ({ found: await sink.readHold(hold_ref, signal) }));
    if (hold === null) return false;
    if (hold.found !== null) return this.#seen(work, hold.found, signal);
    const key = keyOf(work);
    switch (work.owned.outbox.shop_state) {
      case 'deleting':
        await this.#decide(key, decideDeleted);
        break;
      case 'completed':
        // Shopify keeps completed drafts for a year. Whatever this is, it is no reason to order again (L4).
        await this.#later(key, 'order_not_found');
        return false;
      case 'open':
        // A person has removed it. It is not made anew behind their back; an order will ask for its own.
        await this.#decide(key, (state) => decideUnmirrored(state, 'gone_at_shop'));
        break;
      default:
        await this.#decide(key, (state) => decideAbsent(state, 'gone_at_shop'));
    }
    await this.#reread(work, signal);
    return true;
  }

  async #seen(work: Work, hold: ShopHold, signal: AbortSignal): Promise<boolean> {
    const key = keyOf(work);
    if (hold.status === 'completed' && hold.order !== null) {
      const { order } = hold;
      await this.#decide(key, (state) => decidePlaced(state, order));
    } else {
      await this.#decide(key, (state) => decideOpen(state, seenHold(hold)));
    }
    await this.#reread(work, signal);
    return true;
  }

  async #complete(work: Work, signal: AbortSignal): Promise<boolean> {
    const { sink } = this.#ports;
    const key = keyOf(work);
    const { hold_ref } = work.owned.outbox;
    if (hold_ref === null) throw new Error('nothing to complete');
    const ready = await this.#prepare(work, hold_ref, signal);
    if (ready !== 'ready') return ready === 'go_on';
    const outcome = await sink.completeHold(hold_ref, signal);
    switch (outcome.outcome) {
      case 'done': {
        const { value } = outcome;
        await this.#decide(key, (state) => decidePlaced(state, value));
        await this.#reread(work, signal);
        return true;
      }
      case 'refused':
        return this.#refusedAfterRead(work, hold_ref, outcome.detail, signal);
      case 'not_sent':
        return this.#putOff(work, outcome, 'open');
      case 'unknown':
        return this.#putOff(work, outcome);
    }
  }

  /** Buyer and note to the shop, and a hold that lasts until the order is through. */
  async #prepare(work: Work, holdRef: string, signal: AbortSignal): Promise<'ready' | 'go_on' | 'put_off'> {
    const { sink, clock, limits } = this.#ports;
    const { order, outbox } = work.owned;
    if (order === null) throw new Error('only an order is completed');
    const now = clock.now();
    const until = outbox.hold_until_ms ?? 0;
    const hasDetails = order.buyer !== null || order.note !== null || order.reference !== null;
    if (until - now > limits.complete_margin_ms && (outbox.details_sent || !hasDetails)) return 'ready';

    const { buyer, note, reference } = order;
    const details = { until_ms: Math.max(until, now + limits.order_hold_ms), buyer, note, reference };
    const outcome = await sink.updateHold(holdRef, details, signal);
    if (outcome.outcome === 'refused') {
      return (await this.#refusedAfterRead(work, holdRef, outcome.detail, signal)) ? 'go_on' : 'put_off';
    }
    if (outcome.outcome !== 'done') {
      // Sending details twice is harmless, so an unknown outcome needs no look-up.
      await this.#putOff(work, outcome, 'open');
      return 'put_off';
    }
    const mayHaveLapsed = until - now <= limits.complete_margin_ms;
    await this.#decide(keyOf(work), (state) =>
      decideDetailsSent(state, seenHold(outcome.value), mayHaveLapsed),
    );
    return mayHaveLapsed ? 'go_on' : 'ready';
  }

  async #delete(work: Work, signal: AbortSignal): Promise<boolean> {
    const { sink } = this.#ports;
    const { hold_ref } = work.owned.outbox;
    if (hold_ref === null) throw new Error('nothing to delete');
    const outcome = await sink.deleteHold(hold_ref, signal);
    if (outcome.outcome === 'done') {
      await this.#decide(keyOf(work), (state) => decideDeleted(state));
      await this.#reread(work, signal);
      return true;
    }
    // Deleting is repeatable: the row stays `deleting`, and the next step reads back what is there.
    return this.#putOff(work, outcome);
  }

  async #revalidate(work: Work, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#ports;
    const key = keyOf(work);
    const since = clock.now();
    try {
      await this.#ports.rereadItems(itemIds(work), signal);
    } catch (error) {
      this.#ports.report('revalidation_unread', { reservation_key: key, detail: String(error) });
      await this.#later(key, 'unreachable');
      return false;
    }
    const verdict = await this.#decide(key, (state) => decideRevalidate(state, since), { precedence: true });
    if (verdict !== 'unread') return true;
    await this.#later(key, 'unread');
    return false;
  }

  /** The shop said no: an order has failed; a mirror is simply not there, and the hold counts on our side. */
  async #refused(work: Work, detail: string, signal: AbortSignal): Promise<boolean> {
    const key = keyOf(work);
    this.#ports.report('shop_refused', { reservation_key: key, detail });
    if (work.owned.order?.state !== 'accepted') {
      await this.#decide(key, (state) => decideUnmirrored(state, 'refused'));
      return false;
    }
    await this.#decide(key, (state) => decideAbsent(state, 'refused'));
    await this.#fail(key, SHOP_REFUSED);
    await this.#reread(work, signal);
    return true;
  }

  /** A refusal may mean that it has happened before, or that somebody removed it: what is there decides. */
  async #refusedAfterRead(
    work: Work,
    holdRef: string,
    detail: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { sink } = this.#ports;
    const key = keyOf(work);
    const read = await this.#reading(work, async () => ({ found: await sink.readHold(holdRef, signal) }));
    if (read === null) return false;
    if (read.found === null) {
      await this.#decide(key, (state) => decideAbsent(state, 'gone_at_shop'));
      return true;
    }
    if (read.found.status === 'completed') return this.#seen(work, read.found, signal);
    const { found } = read;
    this.#ports.report('shop_refused', { reservation_key: key, detail });
    await this.#decide(key, (state) => decideOpen(state, seenHold(found)));
    await this.#fail(key, SHOP_REFUSED);
    return true;
  }

  async #fail(key: number, reason: OrderReason): Promise<void> {
    await this.#decide(key, (state) => decideFailed(state, reason));
  }

  /** A read of the shop that may fail; null when it did, and the row was put off. */
  async #reading<T>(work: Work, read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.#ports.report('look_up_failed', { reservation_key: keyOf(work), detail: String(error) });
      await this.#later(keyOf(work), 'unreachable');
      return null;
    }
  }

  async #putOff(
    work: Work,
    outcome: Exclude<WriteOutcome<unknown>, { outcome: 'done' }>,
    backTo?: ShopState,
  ): Promise<false> {
    const failure = outcome.outcome === 'unknown' ? 'unknown_outcome' : outcome.failure;
    this.#ports.report('shop_call_put_off', {
      reservation_key: keyOf(work),
      step: work.step,
      failure,
      detail: outcome.detail,
    });
    const asked = outcome.outcome === 'not_sent' ? (outcome.retry_after_ms ?? 0) : 0;
    await this.#later(keyOf(work), failure, asked, backTo);
    return false;
  }

  async #later(key: number, failure: string, atLeastMs = 0, backTo?: ShopState): Promise<void> {
    const { limits } = this.#ports;
    await this.#decide(key, (state) => {
      const attempts = state.owned?.outbox.attempts ?? 0;
      const delay_ms = Math.max(atLeastMs, this.#backoff(attempts));
      const attempts_max = PASSING_FAILURES.has(failure) ? null : limits.attempts_max;
      const again = { delay_ms, attempts_max, failure };
      return decideLater(state, backTo === undefined ? again : { ...again, back_to: backTo });
    });
  }

  #backoff(attempts: number): number {
    const { random, limits } = this.#ports;
    const full = Math.min(limits.backoff_max_ms, limits.backoff_min_ms * 2 ** Math.min(attempts, 16));
    return Math.round(full * (0.5 + random() / 2));
  }

  /** So that the ledger sees at once what we have just done. If it fails, the heartbeat brings it later. */
  async #reread(work: Work, signal: AbortSignal): Promise<void> {
    try {
      await this.#ports.rereadItems(itemIds(work), signal);
    } catch (error) {
      this.#ports.report('reread_failed', { reservation_key: keyOf(work), detail: String(error) });
    }
  }

  #holdRequest(work: Work): HoldRequest {
    const { clock, limits } = this.#ports;
    const { reservation, order, outbox, holds } = work.owned;
    const lines = work.items.map((item) => ({
      variant_id: item.variant_id,
      quantity_units: item.levels
        .flatMap((level) => holds.filter((hold) => hold.level_key === level.level_key))
        .reduce((sum, hold) => sum + hold.quantity_units, 0),
    }));
    const until_ms =
      order === null
        ? reservation.expires_at_ms + limits.hold_slack_ms
        : Math.max(reservation.expires_at_ms, clock.now() + limits.order_hold_ms);
    return { tag: outbox.tag, lines, until_ms };
  }

  /** A decision on what a call brought. Rejects with `ClaimLost` when the row is another worker's by now. */
  async #decide<R>(
    key: number,
    decide: (state: LedgerState) => Decision<R>,
    more: Partial<Keys> = {},
  ): Promise<R> {
    const { store, worker } = this.#ports;
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
}

const SOLD_ELSEWHERE: OrderReason = {
  code: 'stock_insufficient',
  detail: 'The shop sold the units elsewhere before the order could be placed.',
};

const SHOP_REFUSED: OrderReason = { code: 'shop_refused', detail: 'The shop did not take the order.' };

function keyOf(work: Work): number {
  return work.owned.reservation.reservation_key;
}

function itemIds(work: Work): string[] {
  return work.items.map((item) => item.item_id);
}

function seenHold(hold: ShopHold): { hold_ref: string; until_ms: number | null } {
  return { hold_ref: hold.hold_ref, until_ms: hold.until_ms };
}

/** A completed hold is the order; it must never lose to a double. */
function rank(hold: ShopHold): number {
  return hold.status === 'completed' ? 0 : 1;
}
