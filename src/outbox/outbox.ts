/**
 * Brings the shop in line with the ledger, one reservation at a time: mirror holds, place orders, let go, and
 * revalidate held orders. The only place that changes anything at the shop (L8).
 *
 * At most one effect, whatever happens: the intent is written before a call, and after an unknown outcome either the
 * shop is asked first, or the very same request is sent under its own key (draft-protocol.ts, move-protocol.ts).
 */

import { drawnElsewhere } from '../ledger/allocation.js';
import type { Keys } from '../ledger/ports.js';
import { decideRevalidate } from '../ledger/revalidation.js';
import type { Step } from '../ledger/shop-side.js';
import { decideClaim, decideNextStep, decideReread } from '../ledger/shop-steps.js';
import type { Claim, Work } from '../ledger/work.js';
import { DraftProtocol } from './draft-protocol.js';
import { MoveProtocol } from './move-protocol.js';
import {
  ClaimLost,
  itemIds,
  keyOf,
  type OutboxPorts,
  Progress,
  SOLD_ELSEWHERE,
  type StepRun,
} from './progress.js';

/** While calls are under way and there is room for more, how often new work is looked for. */
const LOOK_AGAIN_MS = 25;

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #progress: Progress;
  readonly #claim: Claim;
  readonly #drafts: DraftProtocol;
  readonly #steps: Record<Step, StepRun>;
  readonly #inFlight = new Map<number, Promise<void>>();
  /** Rows that could not even be put off, on a full disk for one: left to the next round, or this one would never end. */
  readonly #stuck = new Set<number>();
  #toldElsewhere = false;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#progress = new Progress(ports);
    this.#drafts = new DraftProtocol(this.#progress);
    const { claim_ms, check_ms, resend_max_ms } = ports.limits;
    this.#claim = { worker: ports.worker, claim_ms, check_ms, resend_max_ms };
    this.#steps = {
      ...this.#drafts.steps,
      ...new MoveProtocol(this.#progress).steps,
      revalidate: (work, signal) => this.#revalidate(work, signal),
      reread: (work, signal) => this.#reread(work, signal),
      rest: async () => false,
    };
  }

  /** Works on what is due until nothing is. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, limits, sleep } = this.#ports;
    this.#stuck.clear();
    while (!signal.aborted) {
      const room = limits.concurrency - this.#inFlight.size;
      const due = await store.dueOutbox(limits.concurrency * 2);
      const fresh = due.filter(({ reservation_key: key }) => this.#isFree(key)).slice(0, room);
      for (const { reservation_key } of fresh) this.#begin(reservation_key, signal);
      if (this.#inFlight.size === 0) return;
      // One slow call must not keep the others waiting: what became due meanwhile is looked for, too.
      const hasRoom = this.#inFlight.size < limits.concurrency;
      await Promise.race([...this.#inFlight.values(), ...(hasRoom ? [sleep(LOOK_AGAIN_MS)] : [])]);
    }
    await Promise.all(this.#inFlight.values());
  }

  #isFree(key: number): boolean {
    return !this.#inFlight.has(key) && !this.#stuck.has(key);
  }

  #begin(key: number, signal: AbortSignal): void {
    const work = this.#work(key, signal)
      .catch((error: unknown) => this.#broke(key, error))
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, work);
  }

  /** A bug is met again when the row is looked at again: it is put off further each time, and parked in the end. */
  async #broke(key: number, error: unknown): Promise<void> {
    const { report } = this.#ports;
    const event = error instanceof ClaimLost ? 'outbox_claim_lost' : 'outbox_bug';
    report(event, { reservation_key: key, error });
    if (error instanceof ClaimLost) return;
    try {
      await this.#progress.later(key, 'bug');
    } catch (again) {
      this.#stuck.add(key);
      report('outbox_not_put_off', { reservation_key: key, error: again });
    }
  }

  async #work(key: number, signal: AbortSignal): Promise<void> {
    const { store, settings, limits } = this.#ports;
    const keys: Keys = { owned: { reservation_key: key }, precedence: true };
    if (!(await store.transact(keys, (state) => decideClaim(state, this.#claim)))) return;
    for (let steps = 0; steps < limits.steps_max && !signal.aborted; steps += 1) {
      const work = await store.transact(keys, (state) =>
        decideNextStep(state, this.#claim, settings, steps === 0),
      );
      if (work === null) return;
      // A process that was suspended just here must not send what another may have sent since.
      if (!this.#progress.holdsClaim(work)) throw new ClaimLost('it ran out');
      const call = AbortSignal.timeout(limits.call_ms);
      if (!(await this.#steps[work.step](work, call))) return;
    }
    await this.#progress.later(key, 'interrupted');
  }

  /** Sees what was done last in the shop's own figures, before an order is completed or the row is put to rest. */
  async #reread(work: Work, signal: AbortSignal): Promise<boolean> {
    const { clock, settings, rereadItems } = this.#ports;
    const key = keyOf(work);
    const since = clock.now();
    const read = await this.#progress.reading(work, async () => {
      await rereadItems(itemIds(work), signal);
      return true;
    });
    if (read === null) return false;
    const seen = await this.#progress.decide(
      key,
      (state) => decideReread(state, since, SOLD_ELSEWHERE, settings),
      { precedence: true },
    );
    switch (seen) {
      case 'dropped':
        // The move that gives the units back is written: the next step sends it.
        return work.owned.outbox.hold_ref === null ? true : this.#drafts.delete(work, signal);
      case 'unread':
        await this.#progress.later(key, 'unread');
        return false;
      case 'unmirrored':
        return false;
      case 'shown':
      case 'failed':
        this.#tellElsewhere(work);
        return true;
    }
  }

  /** Once in the life of a process: a merchant with several locations should know what drafts can't do. */
  #tellElsewhere({ owned, items }: Work): void {
    if (this.#toldElsewhere || owned.outbox.protocol !== 'draft_order') return;
    const [drawn] = drawnElsewhere(owned.holds, items);
    if (drawn === undefined) return;
    this.#toldElsewhere = true;
    this.#ports.report('hold_elsewhere', {
      ...drawn,
      mend: 'A draft order takes its units at the first location that stocks the item, wherever they were promised. HOLDFAST_MIRROR=move takes them where they were.',
    });
  }

  async #revalidate(work: Work, signal: AbortSignal): Promise<boolean> {
    const { clock, report, rereadItems } = this.#ports;
    const key = keyOf(work);
    const since = clock.now();
    try {
      await rereadItems(itemIds(work), signal);
    } catch (error) {
      report('revalidation_unread', { reservation_key: key, error });
      await this.#progress.later(key, 'unreachable');
      return false;
    }
    const verdict = await this.#progress.decide(key, (state) => decideRevalidate(state, since), {
      precedence: true,
    });
    if (verdict !== 'unread') return true;
    await this.#progress.later(key, 'unread');
    return false;
  }
}
