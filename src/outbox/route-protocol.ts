/**
 * Moves a placed order to the places that promised its units: looks at what the shop means to ship from where, and at the stock,
 * writes the intent, and asks once. After an unknown outcome, or a crash in between, it only looks. Nobody waits for it, so few
 * are at it at a time, and each waits its turn behind holds and orders.
 */

import { decideLater } from '../ledger/outbox/next-step.js';
import { decideRoute, decideRouteSent, type RouteStep, routedItemIds } from '../ledger/outbox/route-steps.js';
import type { Work } from '../ledger/state/job.js';
import type { FulfilmentObservation } from '../sources/source.js';
import { type Progress, readKey, type StepRun } from './outbox-context.js';

/** When all that may be at it are at it. */
const TURN_MS = 1_000;

export class RouteProtocol {
  readonly #progress: Progress;
  /** Orders that are being moved now. */
  #underWay = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  readonly steps: { readonly route: StepRun } = {
    route: (work, signal) => this.#inTurn(work, signal),
  };

  async #inTurn(work: Work, signal: AbortSignal): Promise<boolean> {
    const { limits } = this.#progress.ports;
    if (this.#underWay >= limits.routes_max) return this.#later(work, { delay_ms: TURN_MS, isTried: false });
    this.#underWay += 1;
    try {
      return await this.#route(work, signal);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #route(work: Work, signal: AbortSignal): Promise<boolean> {
    const { clock, limits, settings, sink, report } = this.#progress.ports;
    const key = readKey(work);
    const sinceMs = clock.now();
    const lists = await this.#look(work, signal);
    const item_ids = routedItemIds(work.owned);
    const next: RouteStep = await this.#progress.decide(
      key,
      (state) => decideRoute(state, { lists, sinceMs }, settings, limits),
      { item_ids },
    );
    if (next.step === 'over') return true;
    if (next.step === 'later') return this.#later(work, { delay_ms: next.delay_ms, isTried: true });
    const { fulfilment_ref, to_location_id, lines, is_whole } = next.move;
    const outcome = await sink.moveFulfilment(
      { fulfilment_ref, to_location_id, lines: is_whole ? null : lines },
      signal,
      () => this.#progress.holdsClaim(work),
    );
    if (outcome.outcome !== 'done') {
      const { detail } = outcome;
      report('fulfilment_not_moved', { reservation_key: key, outcome: outcome.outcome, detail });
    }
    switch (outcome.outcome) {
      case 'done':
        await this.#progress.decide(key, (state) => decideRouteSent(state, 'moved'), { item_ids });
        await this.#progress.reread(work, signal);
        return true;
      case 'refused':
        await this.#progress.decide(key, (state) => decideRouteSent(state, 'refused'), { item_ids });
        return true;
      case 'not_sent':
        await this.#progress.decide(key, (state) => decideRouteSent(state, 'not_sent'), { item_ids });
        return this.#later(work, { delay_ms: outcome.retry_after_ms ?? 0, isTried: true });
      case 'unknown':
        return this.#later(work, { delay_ms: 0, isTried: true });
    }
  }

  /** What is to be shipped from where, while the stock of its items is read. `unread` when the shop can't be asked. */
  async #look(work: Work, signal: AbortSignal): Promise<readonly FulfilmentObservation[] | null | 'unread'> {
    const { sink, rereadItems, report } = this.#progress.ports;
    const order_ref = work.owned.order?.upstream_order_ref ?? null;
    if (order_ref === null) throw new Error('only a placed order is moved');
    try {
      const [lists] = await Promise.all([
        sink.readFulfilment(order_ref, signal),
        rereadItems(routedItemIds(work.owned), signal),
      ]);
      return lists;
    } catch (error) {
      report('look_up_failed', { reservation_key: readKey(work), error });
      return 'unread';
    }
  }

  /** Never parks the row: the order is placed, wherever it is shipped from. */
  async #later(
    work: Work,
    { delay_ms, isTried }: { readonly delay_ms: number; readonly isTried: boolean },
  ): Promise<false> {
    const key = readKey(work);
    await this.#progress.decide(key, (state) => {
      const backoff = isTried ? this.#progress.backoffMs(state.owned?.outbox.attempts ?? 0) : 0;
      return decideLater(state, {
        delay_ms: Math.max(delay_ms, backoff),
        attempts_max: null,
        failure: 'route_waits',
        keeps_attempts: !isTried,
      });
    });
    return false;
  }
}
