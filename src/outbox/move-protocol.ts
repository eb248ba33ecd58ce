/**
 * Holds as moves of stock, and orders made when the units were given back. A move is safe to send again: it is stored
 * before it is sent, and the shop carries out its key once. An order is not: an unknown outcome is looked up.
 */

import { decideLeftBehind, decideStillTaken, decideTaken } from '../ledger/move-steps.js';
import { decidePlaced } from '../ledger/placing.js';
import type { MoveStep } from '../ledger/shop-side.js';
import { decideAbsent, decideDeleted, decideUnmirrored } from '../ledger/shop-steps.js';
import type { Work } from '../ledger/work.js';
import type { MoveOutcome, ShopOrder } from '../upstream/upstream.js';
import {
  ClaimLost,
  itemIds,
  keyOf,
  linesOf,
  type Progress,
  SHOP_REFUSED,
  SOLD_ELSEWHERE,
  type StepRun,
} from './progress.js';

/** The one failure that is worth another key, and only once. */
const MOVE_FAILED = 'move_failed';

export class MoveProtocol {
  readonly #progress: Progress;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  readonly steps: Record<Exclude<MoveStep, 'revalidate' | 'reread' | 'rest'>, StepRun> = {
    take: (work, signal) => this.#send(work, signal),
    give_back: (work, signal) => this.#send(work, signal),
    resend: (work, signal) => this.#send(work, signal),
    place: (work, signal) => this.#place(work, signal),
    find: (work, signal) => this.#find(work, signal),
  };

  /** Sends the stored move, for the first time or again: which is the same. */
  async #send(work: Work, signal: AbortSignal): Promise<boolean> {
    const { request } = work.owned.outbox;
    if (request === null) throw new Error('no move was written that could be sent');
    const outcome = await this.#progress.ports.sink.moveStock(request, signal);
    return request.direction === 'out'
      ? this.#sentOut(work, outcome, signal)
      : this.#sentBack(work, outcome, signal);
  }

  async #sentOut(work: Work, outcome: MoveOutcome, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    const key = keyOf(work);
    switch (outcome.outcome) {
      case 'done':
        await progress.decide(key, decideTaken);
        return true;
      case 'not_sent':
        // Of one that was sent before, only the shop's word on the move itself tells: that this sending was lost does not.
        if (work.step === 'resend') return progress.putOff(work, outcome);
        if (outcome.failure === 'refused') return this.#giveUpMirror(work, outcome.detail);
        return progress.putOff(work, outcome, 'absent');
      case 'unknown':
        return progress.putOff(work, outcome);
      case 'stale':
        // Somebody was faster. What there is now decides whether it is tried again, under a new key.
        await progress.decide(key, (state) => decideAbsent(state, 'stale'));
        return this.#readAnew(work, signal);
      case 'failed':
        if (!isSecondFailure(work)) return this.#tryOnceMore(work, outcome.detail, 'absent');
        return this.#giveUpMirror(work, outcome.detail);
      case 'refused':
        return this.#giveUpMirror(work, outcome.detail);
    }
  }

  async #sentBack(work: Work, outcome: MoveOutcome, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    const key = keyOf(work);
    switch (outcome.outcome) {
      case 'done':
        await progress.decide(key, decideDeleted);
        await progress.reread(work, signal);
        return true;
      case 'not_sent':
      case 'unknown':
        return progress.putOff(work, outcome);
      case 'stale':
        await progress.decide(key, decideStillTaken);
        return this.#readAnew(work, signal);
      case 'failed':
        if (!isSecondFailure(work)) return this.#tryOnceMore(work, outcome.detail, 'open');
        return this.#leaveBehind(work, outcome.detail, signal);
      case 'refused':
        return this.#leaveBehind(work, outcome.detail, signal);
    }
  }

  async #readAnew(work: Work, signal: AbortSignal): Promise<boolean> {
    const read = await this.#progress.reading(work, async () => {
      await this.#progress.ports.rereadItems(itemIds(work), signal);
      return true;
    });
    return read ?? false;
  }

  async #tryOnceMore(work: Work, detail: string, backTo: 'absent' | 'open'): Promise<false> {
    this.#progress.ports.report('move_failed', { reservation_key: keyOf(work), detail });
    await this.#progress.later(keyOf(work), MOVE_FAILED, 0, backTo);
    return false;
  }

  /** Nothing is at the shop, and nothing will be until an order: our side alone counts the hold. */
  async #giveUpMirror(work: Work, detail: string): Promise<false> {
    this.#progress.ports.report('shop_refused', { reservation_key: keyOf(work), detail });
    await this.#progress.decide(keyOf(work), (state) => decideUnmirrored(state, 'refused'));
    return false;
  }

  async #leaveBehind(work: Work, detail: string, signal: AbortSignal): Promise<boolean> {
    const move = work.owned.outbox.request;
    this.#progress.ports.report('units_left_behind', {
      reservation_key: keyOf(work),
      detail,
      changes: move?.changes,
    });
    await this.#progress.decide(keyOf(work), decideLeftBehind);
    await this.#progress.reread(work, signal);
    return true;
  }

  async #place(work: Work, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    const { order, outbox } = work.owned;
    if (order === null) throw new Error('only an order is placed');
    if (!(await progress.inTime(work, 'absent'))) return false;
    const { buyer, note, reference } = order;
    const request = { tag: outbox.tag, lines: linesOf(work), buyer, note, reference };
    // A process that was suspended while it read what it needs must not send what another may have sent since.
    const maySend = () => progress.holdsClaim(work);
    const outcome = await progress.ports.sink.placeOrder(request, signal, maySend);
    const key = keyOf(work);
    switch (outcome.outcome) {
      case 'done':
        return this.#placed(work, outcome.value, signal);
      case 'paced':
        return progress.paced(work, outcome, 'absent');
      case 'not_sent':
        return progress.putOff(work, outcome, 'absent');
      case 'unknown':
        // The next step is to look for it by our tag, at once and again after a wait.
        return progress.putOff(work, outcome);
      case 'out_of_stock':
      case 'refused': {
        const isShort = outcome.outcome === 'out_of_stock';
        progress.ports.report('shop_refused', { reservation_key: key, detail: outcome.detail });
        await progress.decide(key, (state) => decideAbsent(state, outcome.outcome));
        await progress.fail(key, isShort ? SOLD_ELSEWHERE : SHOP_REFUSED);
        await progress.reread(work, signal);
        return true;
      }
    }
  }

  async #placed(work: Work, made: ShopOrder, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    try {
      await progress.decide(keyOf(work), (state) => decidePlaced(state, made));
    } catch (error) {
      if (!(error instanceof ClaimLost)) throw error;
      const keys = { owned: { reservation_key: keyOf(work) } };
      const order = await progress.ports.store.read(keys, (state) => state.owned?.order ?? null);
      const isTaken = order?.upstream_order_ref === made.order_ref;
      // While the order is accepted, who has the row now still looks for it by our tag.
      if (!isTaken && order?.state !== 'accepted') {
        const known = order?.upstream_order_name ?? null;
        progress.tellDoubled(work, [...(known === null ? [] : [known]), made.order_name]);
      }
      throw error;
    }
    await progress.reread(work, signal);
    return true;
  }

  async #find(work: Work, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    const { sink } = progress.ports;
    const { tag, shop_state } = work.owned.outbox;
    const found = await progress.reading(work, () => sink.findOrders(tag, signal));
    if (found === null) return false;
    if (await progress.adopted(work, found, signal)) return true;
    if (shop_state === 'completing') return progress.foundNothing(work);
    // It was there before. Whatever this is, it is no reason to order again (L4).
    await progress.later(keyOf(work), 'order_not_found');
    return false;
  }
}

function isSecondFailure(work: Work): boolean {
  return work.owned.outbox.last_failure === MOVE_FAILED;
}
