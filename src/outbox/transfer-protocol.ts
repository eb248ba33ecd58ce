/**
 * Holds as moves of stock, and orders made when the units were given back. A move is safe to send again: it is stored
 * before it is sent, and the shop carries out its key once. An order is not: an unknown outcome is looked up.
 */

import type { CommonStep, MoveStep } from '../ledger/model/outbox-row.js';
import { decidePlaced } from '../ledger/order/order-placed.js';
import { decideAbsent } from '../ledger/outbox/next-step.js';
import { SOLD_ELSEWHERE } from '../ledger/outbox/sale-check.js';
import type { Claim, Work } from '../ledger/state/job.js';
import type { ShopOrder } from '../sources/source.js';
import { ClaimLost, itemIds, linesByPlace, type Progress, readKey, type StepRun } from './outbox-context.js';
import { reasonFor } from './refusals.js';
import { MoveQueue, type SentMove } from './transfer-queue.js';

export class MoveProtocol {
  readonly #progress: Progress;
  readonly #queue: MoveQueue;

  constructor(progress: Progress, claim: Claim) {
    this.#progress = progress;
    this.#queue = new MoveQueue(progress, claim);
  }

  readonly steps: Record<Exclude<MoveStep, CommonStep>, StepRun> = {
    take: async (work, signal) => this.#goOn(await this.#queue.send(work, 'out'), signal),
    give_back: async (work, signal) => this.#goOn(await this.#queue.send(work, 'back'), signal),
    resend: async (work, signal) => this.#goOn(await this.#queue.resend(work), signal),
    place: (work, signal) => this.#place(work, signal),
    find: (work, signal) => this.#find(work, signal),
  };

  /** What the shop said is written down; what is left is to look, to tell, or to put the row off. */
  async #goOn(sent: SentMove | null, signal: AbortSignal): Promise<boolean> {
    if (sent === null) return true;
    const { work, outcome, verdict } = sent;
    const progress = this.#progress;
    const reservation_key = readKey(work);
    const detail = 'detail' in outcome ? outcome.detail : '';
    switch (verdict) {
      case 'taken':
        return true;
      case 'given_back':
        await progress.reread(work, signal);
        return true;
      case 'absent':
      case 'still_taken':
        return this.#readAnew(work, signal);
      case 'again':
        progress.ports.report(outcome.outcome === 'not_sent' ? 'shop_call_put_off' : 'move_failed', {
          reservation_key,
          detail,
        });
        return false;
      case 'unmirrored':
        progress.ports.report('shop_refused', { reservation_key, detail });
        return false;
      case 'left_behind': {
        const changes = work.owned.outbox.request?.changes;
        progress.ports.report('units_left_behind', { reservation_key, detail, changes });
        await progress.reread(work, signal);
        return true;
      }
      case 'kept':
        return outcome.outcome === 'not_sent'
          ? progress.putOff(work, outcome)
          : progress.putOff(work, { outcome: 'unknown', detail });
    }
  }

  async #readAnew(work: Work, signal: AbortSignal): Promise<boolean> {
    const read = await this.#progress.reading(work, async () => {
      await this.#progress.ports.rereadItems(itemIds(work), signal);
      return true;
    });
    return read ?? false;
  }

  async #place(work: Work, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    const { order, outbox } = work.owned;
    if (order === null) throw new Error('only an order is placed');
    if (!(await progress.inTime(work, 'absent'))) return false;
    const { buyer, note, reference, payment } = order;
    const anchor = await progress.ports.store.readAnchor();
    const request = { tag: outbox.tag, lines: linesByPlace(work), buyer, note, reference, payment, anchor };
    // A process that was suspended while it read what it needs must not send what another, or itself, may have sent since.
    const maySend = () => progress.maySendOnce(work);
    const outcome = await progress.sinkFor(work).placeOrder(request, signal, maySend);
    const key = readKey(work);
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
      case 'buyer_refused':
        await progress.decide(key, (state) => decideAbsent(state, outcome.outcome));
        await progress.buyerRefused(work, outcome);
        return true;
      case 'out_of_stock':
      case 'refused': {
        const cause = outcome.outcome === 'refused' ? outcome.cause : undefined;
        const reason = outcome.outcome === 'out_of_stock' ? SOLD_ELSEWHERE : reasonFor(cause);
        progress.ports.report('shop_refused', { reservation_key: key, cause, detail: outcome.detail });
        await progress.decide(key, (state) => decideAbsent(state, outcome.outcome));
        await progress.fail(key, reason);
        await progress.reread(work, signal);
        return true;
      }
    }
  }

  async #placed(work: Work, made: ShopOrder, signal: AbortSignal): Promise<boolean> {
    const progress = this.#progress;
    try {
      await progress.decide(readKey(work), (state) => decidePlaced(state, made));
    } catch (error) {
      if (!(error instanceof ClaimLost)) throw error;
      const keys = { owned: { reservation_key: readKey(work) } };
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
    const sink = progress.sinkFor(work);
    const { tag, shop_state } = work.owned.outbox;
    const found = await progress.reading(work, () => sink.findOrders(tag, signal));
    if (found === null) return false;
    if (await progress.adopted(work, found, signal)) return true;
    if (shop_state === 'completing') return progress.foundNothing(work);
    // It was there before. Whatever this is, it is no reason to order again (L4).
    await progress.later(readKey(work), 'order_not_found');
    return false;
  }
}
