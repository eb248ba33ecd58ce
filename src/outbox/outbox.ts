/**
 * Brings the shop in line with the ledger, one reservation at a time: mirror holds, place orders, let go, and
 * revalidate held orders. The only place that changes anything at the shop (L8).
 *
 * At most one effect, whatever happens: the intent is written before a call, and after an unknown outcome either the
 * shop is asked first, or the very same request is sent under its own key (draft-protocol.ts, transfer-protocol.ts).
 */

import type { Step } from '../ledger/model/outbox-row.js';
import { decideRevalidate } from '../ledger/order/revalidation.js';
import { decideClaim, decideNextStep, decideReread } from '../ledger/outbox/next-step.js';
import type { Claim, Work } from '../ledger/state/job.js';
import type { DueWork, Keys, OutboxLane } from '../ledger/state/state.js';
import type { MirrorLane } from '../sources/source.js';
import { DraftProtocol } from './draft-protocol.js';
import { type AdoptHolds, lookFirst } from './first-look.js';
import { ClaimLost, itemIds, type OutboxPorts, Progress, readKey, type StepRun } from './outbox-context.js';
import { RouteProtocol } from './route-protocol.js';
import { MoveProtocol } from './transfer-protocol.js';

/** While calls are under way and there is room for more, how often new work is looked for. */
const LOOK_AGAIN_MS = 25;
/** Looks for work that follow each other while callers are asked who have none. */
const LOOKS_MAX = 10;

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #progress: Progress;
  readonly #claim: Claim;
  readonly #drafts: DraftProtocol;
  readonly #steps: Record<Step, StepRun>;
  readonly #inFlight = new Map<number, { readonly lane: OutboxLane; readonly work: Promise<void> }>();
  /** By lane: the caller that was served last. */
  readonly #served: Record<OutboxLane, string | null> = { orders: null, holds: null };
  /** Whether the shop has room for mirrors: asked anew each time that some are begun. */
  #hasRoom = false;
  /** The wait for it, while there is one. */
  #room: Promise<void> | null = null;
  /** Rows that could not even be put off, on a full disk for one: left to the next round, or this one would never end. */
  readonly #stuck = new Set<number>();

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#progress = new Progress(ports);
    this.#drafts = new DraftProtocol(this.#progress);
    const { claim_ms, check_ms, resend_max_ms } = ports.limits;
    this.#claim = { worker: ports.worker, claim_ms, check_ms, resend_max_ms, joins_moves: true };
    this.#steps = {
      ...this.#drafts.steps,
      ...new MoveProtocol(this.#progress, this.#claim).steps,
      ...new RouteProtocol(this.#progress).steps,
      revalidate: (work, signal) => this.#revalidate(work, signal),
      reread: (work, signal) => this.#reread(work, signal),
      look_first: (work, signal) => lookFirst(this.#progress, this.#adoptHolds, work, signal),
      rest: async () => false,
    };
  }

  readonly #adoptHolds: AdoptHolds = (work, found, signal) => this.#drafts.adopt(work, found, signal);

  /** Works on what is due until nothing is. */
  async run(signal: AbortSignal): Promise<void> {
    const { limits, sleep } = this.#ports;
    this.#stuck.clear();
    while (!signal.aborted) {
      await this.#beginDue('orders', limits.concurrency, signal);
      const waiting = await this.#beginHolds(signal);
      if (this.#inFlight.size === 0 && waiting === null) return;
      // One slow call must not keep the others waiting: what became due meanwhile is looked for, too.
      const isFull =
        this.#countInFlight('orders') >= limits.concurrency && this.#countInFlight('holds') >= this.#holdsMax;
      const works = [...this.#inFlight.values()].map(({ work }) => work);
      const room = waiting === null ? [] : [waiting.room];
      await Promise.race([...works, ...room, ...(isFull ? [] : [sleep(LOOK_AGAIN_MS)])]);
    }
    await Promise.all([...this.#inFlight.values()].map(({ work }) => work));
  }

  /** Begins work on rows of the lane that are due, so that at most `max` of it are under way. Returns how many were begun. */
  async #beginDue(lane: OutboxLane, max: number, signal: AbortSignal): Promise<number> {
    const free = max - this.#countInFlight(lane);
    if (free <= 0) return 0;
    const fresh = (await this.#freeDue(lane, max)).slice(0, free);
    for (const { reservation_key, principal } of fresh) {
      this.#served[lane] = principal;
      this.#begin(lane, reservation_key, signal);
    }
    return fresh.length;
  }

  /**
   * Begins mirrors only while the shop has room for them: one that waited for it under way would make its own order wait. Resolves
   * with the wait for room, where some wait for it.
   */
  async #beginHolds(signal: AbortSignal): Promise<{ readonly room: Promise<void> } | null> {
    const { mirrors } = this.#ports;
    const max = this.#holdsMax;
    if (this.#countInFlight('holds') >= max) return null;
    if (this.#room !== null) return { room: this.#room };
    if (mirrors !== undefined && !this.#hasRoom) {
      if ((await this.#freeDue('holds', max)).length === 0) return null;
      this.#room = this.#awaitRoom(mirrors, signal);
      return { room: this.#room };
    }
    if ((await this.#beginDue('holds', max, signal)) > 0) this.#hasRoom = false;
    return null;
  }

  /** Rows that are moved share their calls, so that many of them are no more calls. */
  get #holdsMax(): number {
    const { settings, limits } = this.#ports;
    return settings.mirror === 'move' ? limits.joint_holds_max : limits.holds_concurrency;
  }

  /** What is due and not under way here. Where too many callers only wait, the looks go on behind them. */
  async #freeDue(lane: OutboxLane, max: number): Promise<readonly DueWork[]> {
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const due = await this.#ports.store.dueOutbox(lane, max * 2, this.#served[lane]);
      const free = due.rows.filter(({ reservation_key: key }) => this.#isFree(key));
      if (free.length > 0 || due.asked_up_to === null) return free;
      this.#served[lane] = due.asked_up_to;
    }
    return [];
  }

  #countInFlight(lane: OutboxLane): number {
    return [...this.#inFlight.values()].filter((one) => one.lane === lane).length;
  }

  async #awaitRoom(mirrors: MirrorLane, signal: AbortSignal): Promise<void> {
    try {
      await mirrors.leaveRoom(signal);
    } finally {
      this.#hasRoom = true;
      this.#room = null;
    }
  }

  #isFree(key: number): boolean {
    return !this.#inFlight.has(key) && !this.#stuck.has(key);
  }

  #begin(lane: OutboxLane, key: number, signal: AbortSignal): void {
    const work = this.#work(key, signal)
      .catch((error: unknown) => this.#broke(key, error))
      .finally(() => {
        this.#inFlight.delete(key);
        this.#progress.forgetRead(key);
      });
    this.#inFlight.set(key, { lane, work });
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
    const { store, settings, limits, intents, clock } = this.#ports;
    const keys: Keys = { owned: { reservation_key: key }, precedence: true };
    if (!(await store.transact(keys, (state) => decideClaim(state, this.#claim)))) return;
    for (let steps = 0; steps < limits.steps_max && !signal.aborted; steps += 1) {
      const work = await store.transact(keys, (state) =>
        decideNextStep(
          state,
          this.#claim,
          settings,
          steps === 0,
          this.#progress.saleRead(key)?.sinceMs ?? null,
          {
            ...intents.readMemory(state.owned?.outbox ?? null),
            // Of what is from before a jump of the wall clock.
            doubtMs: clock.doubtMs(0) - clock.missedMs(0),
            missedMs: (since) => clock.missedMs(since),
          },
        ),
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
    const sink = this.#progress.sinkFor(work);
    const key = readKey(work);
    const since = clock.now();
    const { hold_ref } = work.owned.outbox;
    const isSale = work.owned.order?.state === 'accepted' && hold_ref !== null;
    const read = await this.#progress.reading(work, async () => {
      // Together: what was read first would be old by the time that the other is there.
      const [draft] = await Promise.all([
        isSale ? sink.readHold(hold_ref, signal).then((found) => ({ found })) : null,
        rereadItems(itemIds(work), signal),
      ]);
      return { draft };
    });
    if (read === null) return false;
    this.#progress.noteRead(key, since, read.draft);
    const seen = await this.#progress.decide(key, (state) => decideReread(state, since, settings), {
      precedence: true,
    });
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
        return true;
    }
  }

  async #revalidate(work: Work, signal: AbortSignal): Promise<boolean> {
    const { clock, report, rereadItems } = this.#ports;
    const key = readKey(work);
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
