/**
 * Holds as draft orders, and orders as their completion. Nothing here can be sent twice without harm, so an unknown
 * outcome is looked up before anything is sent again, and a search that finds nothing is believed only after it was
 * asked twice with a wait between, because the shop's index lags behind its own writes.
 */

import { isUnplaced } from '../ledger/model/hold.js';
import type { Order } from '../ledger/model/order.js';
import type { CommonStep, DraftStep } from '../ledger/model/outbox-row.js';
import { decideOffered, decideUnpaid, isOffered } from '../ledger/order/checkout-link.js';
import { decidePlaced } from '../ledger/order/order-placed.js';
import {
  decideCompletionLost,
  decideDropDraft,
  decideEdited,
  decideParkLost,
} from '../ledger/outbox/draft-edits.js';
import {
  decideAbsent,
  decideDeleted,
  decideDetailsSent,
  decideOpen,
  decideUnmirrored,
} from '../ledger/outbox/next-step.js';
import type { Work } from '../ledger/state/job.js';
import { hasOurLines } from '../ledger/state/shop-lines.js';
import type { Decision, LedgerState } from '../ledger/state/state.js';
import type { BuyerRefused, HoldRequest, ShopHold, WriteOutcome } from '../sources/source.js';
import { ClaimLost, listHoldLines, type Progress, readKey, type StepRun } from './outbox-context.js';
import { reasonFor } from './refusals.js';

type Refusal = Extract<WriteOutcome<never>, { outcome: 'refused' }> | BuyerRefused;

/** Why a row is parked whose draft the shop made otherwise than it was asked to. */
const DRAFT_DIFFERS = 'draft_differs';
/** Reported rows that are remembered. */
const TOLD_MAX = 10_000;

export class DraftProtocol {
  readonly #progress: Progress;

  /** Rows that were reported as unplaced. */
  readonly #toldUnplaced = new Set<number>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  readonly steps: Record<Exclude<DraftStep, CommonStep>, StepRun> = {
    create: (work, signal) => this.#create(work, signal),
    look_up: (work, signal) => this.#lookUp(work, signal),
    offer: (work, signal) => this.#offer(work, signal),
    complete: (work, signal) => this.#complete(work, signal),
    read_back: (work, signal) => this.#readBack(work, signal),
    delete: (work, signal) => this.delete(work, signal),
    give_up: (work) => this.#giveUp(work),
  };

  async #create(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const request = { ...this.#holdRequest(work), anchor: await this.#progress.ports.store.readAnchor() };
    const outcome = await sink.createHold(request, signal);
    switch (outcome.outcome) {
      case 'done':
        return this.#created(work, outcome.value, signal);
      case 'refused':
        return this.#refused(work, outcome, signal);
      case 'not_sent':
        return this.#progress.putOff(work, outcome, 'absent');
      case 'unknown':
        // The next step is to look it up by our tag, at once and again after a wait.
        return this.#progress.putOff(work, outcome);
    }
  }

  /** The next step re-reads the stock: the shop has reserved without a look at it. */
  async #created(work: Work, hold: ShopHold, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { store } = this.#progress.ports;
    try {
      await this.#progress.decide(readKey(work), (state) => decideOpen(state, seenHold(hold)));
    } catch (error) {
      if (!(error instanceof ClaimLost)) throw error;
      const keys = { owned: { reservation_key: readKey(work) } };
      const hold_ref = await store.read(keys, (state) => state.owned?.outbox.hold_ref ?? null);
      // Made so late that another worker has gone on without it: nobody would ever ask for it again.
      if (hold_ref !== hold.hold_ref) await sink.deleteHold(hold.hold_ref, signal);
      throw error;
    }
    return isOurs(work, hold) ? true : this.#differs(work, signal);
  }

  /**
   * The shop has made another draft than was asked for, so making it anew would end the same: a hold goes on without it, and an
   * order waits for a person.
   */
  async #differs(work: Work, signal: AbortSignal): Promise<boolean> {
    const key = readKey(work);
    this.#progress.ports.report('draft_differs', { reservation_key: key });
    if (work.owned.order !== null) {
      await this.#progress.park(key, DRAFT_DIFFERS);
      return false;
    }
    const row = await this.#progress.decide(key, decideDropDraft);
    return this.delete({ ...work, owned: { ...work.owned, outbox: row } }, signal);
  }

  async #lookUp(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { outbox } = work.owned;
    const found = await this.#progress.reading(work, () => sink.findHolds(outbox.tag, signal));
    if (found === null) return false;
    if (found.length > 0) return this.adopt(work, found, signal);
    // A completed draft may have been deleted since: its order stays.
    const orders = await this.#progress.reading(work, () => sink.findOrders(outbox.tag, signal));
    if (orders === null) return false;
    if (await this.#progress.adopted(work, orders, signal)) return true;
    return this.#progress.foundNothing(work);
  }

  /** Takes over one of the drafts that carry our tag, a completed one first, and lets go of the others. */
  async adopt(work: Work, found: readonly ShopHold[], signal: AbortSignal): Promise<boolean> {
    const { sink } = this.#progress.ports;
    const [hold, ...doubles] = [...found].sort((a, b) => rank(a) - rank(b));
    if (hold === undefined) throw new Error('no draft to take over');
    for (const double of doubles) {
      if (double.status !== 'open') continue;
      const outcome = await sink.deleteHold(double.hold_ref, signal);
      // One is taken over only when it is alone: nobody would look for the other again.
      if (outcome.outcome !== 'done') return this.#progress.putOff(work, outcome);
    }
    return this.#seen(work, hold, signal);
  }

  /** After a crash or an unknown outcome with the reference at hand: read the object itself. */
  async #readBack(work: Work, signal: AbortSignal): Promise<boolean> {
    this.#tellUnplaced(work);
    const sink = this.#progress.sinkFor(work);
    const { hold_ref } = work.owned.outbox;
    // Its order was found by our tag, without a draft.
    if (hold_ref === null) return this.#findOrder(work, signal);
    const hold = await this.#progress.reading(work, async () => ({
      found: await sink.readHold(hold_ref, signal),
    }));
    if (hold === null) return false;
    if (hold.found !== null) return this.#seen(work, hold.found, signal);
    const key = readKey(work);
    const { outbox, order } = work.owned;
    switch (outbox.shop_state) {
      case 'deleting':
        await this.#progress.decide(key, this.#whenGone(order));
        break;
      case 'completed':
        // Shopify keeps completed drafts for a year. Whatever this is, it is no reason to order again (L4).
        await this.#progress.later(key, 'order_not_found');
        return false;
      case 'completing':
        return this.#findOrder(work, signal);
      case 'open':
        // Its buyer may be paying at this moment, so it is not given up for one copy of the shop that lags behind.
        if (order !== null && isOffered(order)) return this.#missed(work, signal);
        // A person has removed it. It is not made anew behind their back; an order will ask for its own.
        await this.#progress.decide(key, (state) => decideUnmirrored(state, 'gone_at_shop'));
        break;
      default:
        await this.#progress.decide(key, (state) => decideAbsent(state, 'gone_at_shop'));
    }
    await this.#progress.reread(work, signal);
    return true;
  }

  /** Once for each hold that no fall of the levels has shown for long: it still counts, so the item promises less than it could. */
  #tellUnplaced({ owned }: Work): void {
    const { clock, limits, report } = this.#progress.ports;
    const key = owned.reservation.reservation_key;
    const now = clock.now();
    const isLong = owned.holds.some((hold) => isUnplaced(hold, now, limits.unplaced_after_ms));
    if (!isLong || this.#toldUnplaced.has(key)) return;
    if (this.#toldUnplaced.size >= TOLD_MAX) this.#toldUnplaced.clear();
    this.#toldUnplaced.add(key);
    report('unplaced_hold', { reservation_key: key });
  }

  /** A payable draft reads as nothing: it has been removed only when a search has not found it either, twice. */
  async #missed(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { outbox } = work.owned;
    const found = await this.#progress.reading(work, () => sink.findHolds(outbox.tag, signal));
    if (found === null) return false;
    const [hold] = [...found].sort((a, b) => rank(a) - rank(b));
    if (hold !== undefined) return this.#seen(work, hold, signal);
    if (!(await this.#progress.isCertain(work))) return false;
    await this.#progress.decide(readKey(work), decideUnpaid);
    await this.#progress.reread(work, signal);
    return true;
  }

  /**
   * A draft that was to be completed reads as nothing. Whatever this is, it is no reason to order again (L4): its order is
   * looked for by our tag, and in the end a person has to look.
   */
  async #findOrder(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { tag } = work.owned.outbox;
    const found = await this.#progress.reading(work, () => sink.findOrders(tag, signal));
    if (found === null) return false;
    if (await this.#progress.adopted(work, found, signal)) return true;
    // Nothing was asked for that is held: an order was found there, and is gone again.
    if (work.owned.order?.state === 'held') return this.#progress.foundNothing(work);
    const key = readKey(work);
    await this.#progress.decide(key, decideCompletionLost);
    if (!(await this.#progress.isCertain(work))) return false;
    await this.#progress.decide(key, decideParkLost);
    this.#progress.ports.report('draft_gone', { reservation_key: key });
    return false;
  }

  async #seen(work: Work, hold: ShopHold, signal: AbortSignal): Promise<boolean> {
    const key = readKey(work);
    if (hold.status === 'completed' && hold.order !== null) {
      await this.#progress.recordPlaced(work, hold.order);
    } else {
      if (!isOurs(work, hold)) return this.#edited(work, hold, signal);
      const isNews = await this.#progress.decide(key, (state) => decideOpen(state, seenHold(hold)));
      if (!isNews) return true;
    }
    await this.#progress.reread(work, signal);
    return true;
  }

  /** A person has changed the lines of the draft. What becomes of it depends on what rests on it. */
  async #edited(work: Work, hold: ShopHold, signal: AbortSignal): Promise<boolean> {
    const key = readKey(work);
    const edited = await this.#progress.decide(key, (state) => decideEdited(state, seenHold(hold)));
    switch (edited) {
      case 'counted':
      case 'withdrawn':
        return true;
      case 'remade':
        this.#progress.ports.report('draft_edited', { reservation_key: key });
        return this.delete({ ...work, owned: { ...work.owned, outbox: toEditedRow(work, hold) } }, signal);
      case 'parked':
        this.#progress.ports.report('draft_edited', { reservation_key: key, parked: true });
        return false;
    }
  }

  async #complete(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const key = readKey(work);
    const { order, outbox } = work.owned;
    const { hold_ref } = outbox;
    if (hold_ref === null || order === null) throw new Error('nothing to complete');
    const ready = await this.#prepare(work, hold_ref, signal);
    if (ready !== 'ready') return ready === 'go_on';
    if (!(await this.#progress.inTime(work, 'open'))) return false;
    const now = this.#progress.ports.clock.now();
    const read = this.#progress.saleRead(key);
    // The read may have begun before the order was accepted, without a look at the draft: that says nothing about it.
    if (read === null || read.draft === null) return this.#progress.startOver(key, 'open');
    const { found } = read.draft;
    if (!isSound(work, found, now)) return this.#notSound(work, found, signal);
    let isLate = false;
    const maySend = (): boolean => {
      isLate = !this.#progress.holdsClaim(work) || this.#progress.saleRead(key) === null;
      return !isLate;
    };
    const outcome = await sink.completeHold(hold_ref, signal, order.payment, maySend);
    if (isLate) return this.#progress.startOver(key, 'open');
    switch (outcome.outcome) {
      case 'done': {
        const made = { ...outcome.value, read_since_ms: read.sinceMs };
        await this.#progress.decide(key, (state) => decidePlaced(state, made));
        await this.#progress.reread(work, signal);
        return true;
      }
      case 'paced':
        return this.#progress.paced(work, outcome, 'open');
      case 'refused':
      case 'buyer_refused':
        return this.#notCompleted(work, hold_ref, outcome, signal);
      case 'not_sent':
        return this.#progress.putOff(work, outcome, 'open');
      case 'unknown':
        return this.#progress.putOff(work, outcome);
    }
  }

  /** The draft is not what it was: nothing is sent. What is there decides. */
  async #notSound(work: Work, draft: ShopHold | null, signal: AbortSignal): Promise<boolean> {
    if (draft !== null) return this.#seen(work, draft, signal);
    // Nothing was tried in vain before, so no completion was ever sent: a person has removed the draft.
    return work.owned.outbox.attempts === 0 ? this.#gone(work, signal) : this.#findOrder(work, signal);
  }

  /** Buyer and note to the shop, and a hold that lasts until the order is through. */
  async #prepare(work: Work, holdRef: string, signal: AbortSignal): Promise<'ready' | 'go_on' | 'put_off'> {
    const sink = this.#progress.sinkFor(work);
    const { clock, limits } = this.#progress.ports;
    const { order, outbox } = work.owned;
    if (order === null) throw new Error('only an order is completed');
    const now = clock.now();
    const until = outbox.hold_until_ms ?? 0;
    const hasDetails = order.buyer !== null || order.note !== null || order.reference !== null;
    if (until - now > limits.complete_margin_ms && (outbox.details_sent || !hasDetails)) return 'ready';

    const { buyer, note, reference } = order;
    const is_corrected = order.buyer_refusals > 0;
    const until_ms = Math.max(until, now + limits.order_hold_ms);
    const anchor = await this.#progress.ports.store.readAnchor();
    const details = { until_ms, buyer, note, reference, is_corrected, anchor };
    const outcome = await sink.updateHold(holdRef, details, signal);
    if (outcome.outcome === 'refused' || outcome.outcome === 'buyer_refused') {
      return (await this.#refusedAfterRead(work, holdRef, outcome, signal)) ? 'go_on' : 'put_off';
    }
    if (outcome.outcome !== 'done') {
      // Sending details twice is harmless, so an unknown outcome needs no look-up.
      await this.#progress.putOff(work, outcome, 'open');
      return 'put_off';
    }
    const mayHaveLapsed = until - now <= limits.complete_margin_ms;
    await this.#progress.decide(readKey(work), (state) =>
      decideDetailsSent(state, seenHold(outcome.value), mayHaveLapsed),
    );
    // The call may have taken its time, and somebody else the units: what is known by now is looked at before it is completed.
    return 'go_on';
  }

  /**
   * A link where the buyer pays. Units are held for as long as there is time to pay, and a little longer: the server lets
   * go, not the shop, so that nobody pays for what is held no more.
   */
  async #offer(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { clock, limits, settings } = this.#progress.ports;
    const { order, outbox } = work.owned;
    const { hold_ref } = outbox;
    if (hold_ref === null || order === null) throw new Error('nothing to offer');
    const now = clock.now();
    const pay_until_ms = now + settings.pay_ms;
    const { buyer, note, reference } = order;
    const is_corrected = order.buyer_refusals > 0;
    const until_ms = pay_until_ms + limits.hold_slack_ms;
    const anchor = await this.#progress.ports.store.readAnchor();
    const details = { until_ms, buyer, note, reference, is_corrected, anchor };
    const outcome = await sink.updateHold(hold_ref, details, signal);
    if (outcome.outcome === 'refused' || outcome.outcome === 'buyer_refused')
      return this.#refusedAfterRead(work, hold_ref, outcome, signal);
    // Sending details twice is harmless, so an unknown outcome needs no look-up.
    if (outcome.outcome !== 'done') return this.#progress.putOff(work, outcome, 'open');
    const { value } = outcome;
    const key = readKey(work);
    if (!isOurs(work, value)) return this.#edited(work, value, signal);
    if ((outbox.hold_until_ms ?? 0) - now <= limits.complete_margin_ms) {
      // It may have lapsed: the units are looked at before anybody is asked to pay for them.
      await this.#progress.decide(key, (state) => decideDetailsSent(state, seenHold(value), true));
      return true;
    }
    const { checkout_url } = value;
    if (checkout_url === null) {
      await this.#progress.later(key, 'no_checkout_link');
      return false;
    }
    const seen = { ...seenHold(value), checkout_url };
    await this.#progress.decide(key, (state) => decideOffered(state, seen, pay_until_ms));
    return true;
  }

  async #giveUp(work: Work): Promise<boolean> {
    await this.#progress.decide(readKey(work), decideUnpaid);
    return true;
  }

  /** The shop has let go. An order that somebody could have paid until now has failed with that. */
  #whenGone(order: Order | null): (state: LedgerState) => Decision<void> {
    return order !== null && isOffered(order) ? decideUnpaid : decideDeleted;
  }

  async delete(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { hold_ref } = work.owned.outbox;
    if (hold_ref === null) throw new Error('nothing to delete');
    const outcome = await sink.deleteHold(hold_ref, signal);
    if (outcome.outcome === 'done') {
      await this.#progress.decide(readKey(work), this.#whenGone(work.owned.order));
      await this.#progress.reread(work, signal);
      return true;
    }
    // Deleting is repeatable: the row stays `deleting`, and the next step reads back what is there.
    return this.#progress.putOff(work, outcome);
  }

  /** The shop said no: an order has failed; a mirror is simply not there, and the hold counts on our side. */
  async #refused(
    work: Work,
    { detail, cause }: Exclude<Refusal, BuyerRefused>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = readKey(work);
    this.#progress.ports.report('shop_refused', { reservation_key: key, cause, detail });
    if (work.owned.order?.state !== 'accepted') {
      await this.#progress.decide(key, (state) => decideUnmirrored(state, 'refused'));
      return false;
    }
    await this.#progress.decide(key, (state) => decideAbsent(state, 'refused'));
    await this.#progress.fail(key, reasonFor(cause));
    await this.#progress.reread(work, signal);
    return true;
  }

  /** The completion was refused. Where its draft is gone as well, an earlier completion may have been the one that was heard. */
  async #notCompleted(work: Work, holdRef: string, refusal: Refusal, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const read = await this.#progress.reading(work, async () => ({
      found: await sink.readHold(holdRef, signal),
    }));
    if (read === null) return false;
    if (read.found !== null) return this.#refusedBy(work, read.found, refusal, signal);
    // Nothing was tried in vain before, so this was the only one, and the shop has said no to it: a person removed the draft.
    return work.owned.outbox.attempts === 0 ? this.#gone(work, signal) : this.#findOrder(work, signal);
  }

  /** Details were refused, and no completion was sent: what is there decides whether the order asks for its own. */
  async #refusedAfterRead(
    work: Work,
    holdRef: string,
    refusal: Refusal,
    signal: AbortSignal,
  ): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const read = await this.#progress.reading(work, async () => ({
      found: await sink.readHold(holdRef, signal),
    }));
    if (read === null) return false;
    if (read.found !== null) return this.#refusedBy(work, read.found, refusal, signal);
    return this.#gone(work, signal);
  }

  /** A person has removed the draft, or completed it and removed that: without an order of ours, one is asked for anew. */
  async #gone(work: Work, signal: AbortSignal): Promise<boolean> {
    const sink = this.#progress.sinkFor(work);
    const { tag } = work.owned.outbox;
    const orders = await this.#progress.reading(work, () => sink.findOrders(tag, signal));
    if (orders === null) return false;
    if (await this.#progress.adopted(work, orders, signal)) return true;
    await this.#progress.decide(readKey(work), (state) => decideAbsent(state, 'gone_at_shop'));
    return true;
  }

  /** A refusal may mean that it has happened before. */
  async #refusedBy(work: Work, found: ShopHold, refusal: Refusal, signal: AbortSignal): Promise<boolean> {
    if (found.status === 'completed') return this.#seen(work, found, signal);
    const key = readKey(work);
    await this.#progress.decide(key, (state) => decideOpen(state, seenHold(found)));
    if (refusal.outcome === 'buyer_refused') {
      if ((await this.#progress.buyerRefused(work, refusal)) === 'held')
        await this.#keep(work, found, signal);
      return true;
    }
    const { detail, cause } = refusal;
    this.#progress.ports.report('shop_refused', { reservation_key: key, cause, detail });
    await this.#progress.fail(key, reasonFor(cause));
    return true;
  }

  /**
   * The shop holds the units for as long as corrected details are awaited. Where it can't be told so, or may have let go
   * already, the hold lapses there and counts on our side, as any other does.
   */
  async #keep(work: Work, { hold_ref, until_ms }: ShopHold, signal: AbortSignal): Promise<void> {
    const sink = this.#progress.sinkFor(work);
    const { store, clock, limits, report } = this.#progress.ports;
    const key = readKey(work);
    const order = await store.read({ owned: { reservation_key: key } }, ({ owned }) => owned?.order ?? null);
    const wanted_ms = (order?.held_until_ms ?? 0) + limits.hold_slack_ms;
    const is_sure = until_ms !== null && until_ms - clock.now() > limits.complete_margin_ms;
    if (!is_sure || until_ms >= wanted_ms) return;
    const nothing = { buyer: null, note: null, reference: null };
    const outcome = await sink.updateHold(hold_ref, { until_ms: wanted_ms, ...nothing }, signal);
    if (outcome.outcome === 'done')
      await this.#progress.decide(key, (state) => decideOpen(state, seenHold(outcome.value)));
    else
      report('hold_not_extended', { reservation_key: key, outcome: outcome.outcome, detail: outcome.detail });
  }

  #holdRequest(work: Work): HoldRequest {
    const { clock, limits } = this.#progress.ports;
    const { reservation, order, outbox } = work.owned;
    const until_ms =
      order === null
        ? reservation.expires_at_ms + limits.hold_slack_ms
        : Math.max(reservation.expires_at_ms, clock.now() + limits.order_hold_ms);
    return { tag: outbox.tag, lines: listHoldLines(work), until_ms };
  }
}

/**
 * The draft may become the order: it is open, holds its units, and they are those that were reserved. The row may believe that the
 * shop still holds what it has let go: a machine that stood still has missed that.
 */
function isSound(work: Work, draft: ShopHold | null, now: number): boolean {
  if (draft === null || draft.until_ms === null) return false;
  return draft.status === 'open' && draft.until_ms > now && isOurs(work, draft);
}

/** The draft has the units that were reserved, and nothing else. */
function isOurs({ owned, items }: Work, { lines }: ShopHold): boolean {
  return hasOurLines(owned, items, lines);
}

/** The row as the decision about an edited draft has left it, as far as deleting the draft needs it. */
function toEditedRow({ owned }: Work, { hold_ref }: ShopHold): Work['owned']['outbox'] {
  return { ...owned.outbox, shop_state: 'deleting', hold_ref };
}

function seenHold(hold: ShopHold): { hold_ref: string; until_ms: number | null } {
  return { hold_ref: hold.hold_ref, until_ms: hold.until_ms };
}

/** A completed hold is the order; it must never lose to a double. One whose order was cancelled loses to one whose order stands. */
function rank({ status, order }: ShopHold): number {
  if (status !== 'completed') return 2;
  return order?.is_cancelled === true ? 1 : 0;
}
