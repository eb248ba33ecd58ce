/**
 * What this process itself knows of the rows that it works on: which it has written, or looked up at the shop, and when.
 * Nothing of it is stored. A ledger that was restored from a copy tells of intents whose calls were made long ago, and only
 * memory shows that none was.
 *
 * A machine that is set back to a snapshot of itself brings this memory back, too, and its clocks may not show it. The shop's do:
 * once an answer shows that more time has passed than this process has noticed, what it knew before is void. What is left is the
 * one call that is under way when the snapshot is taken, or sent before the first answer after it. `orderCreate`, which the shop
 * would carry out twice, is sent only after a read of its own, and asks here again after that: so nothing but a snapshot between
 * that answer and the sending, a few milliseconds, can make a second order. All other calls are harmless when they are sent again:
 * a completed draft is not completed again, a move has its key, a second draft is found by its tag before anything is sold on it.
 */

import type { OutboxRow } from '../ledger/model/outbox-row.js';
import { LATE_MS } from '../ledger/outbox/late-twins.js';
import type { RowMemory } from '../ledger/state/job.js';
import type { Clock } from '../ledger/state/state.js';
import { measureAge } from '../ledger/state/time.js';

/** How long a row that this process wrote needs no look at the shop. */
export const INTENT_MS = 60_000;
/** How long what a certain look-up has shown holds: nobody else writes with our tag. */
const LOOKED_UP_MS = 600_000;
/** Rows that are remembered. One that is forgotten is looked up. */
const ROWS_MAX = 20_000;

type WitnessClock = Pick<Clock, 'now' | 'doubtMs' | 'mayHaveStoodStill'>;

const UNKNOWN: RowMemory = { isWitnessed: false, mayEnd: false };

interface Witness {
  /** In ledger time. */
  readonly since_ms: number;
  readonly lasts_ms: number;
}

export class OwnIntents {
  readonly #clock: WitnessClock;
  /** By tag, those noted last at the end. */
  readonly #rows = new Map<string, Witness>();

  constructor(clock: WitnessClock) {
    this.#clock = clock;
  }

  /** A commit of this process made the reservation, or accepted its order. Of one that others made, acceptance proves nothing. */
  note(tag: string, intent: 'reserved' | 'accepted'): void {
    if (intent === 'reserved' || this.#rows.has(tag)) this.#witness(tag, INTENT_MS);
  }

  /** The shop was asked by tag, and it is certain what is there. */
  lookedUp(tag: string): void {
    this.#witness(tag, LOOKED_UP_MS);
  }

  /**
   * Whether the row may go on, and be given up, without a look at the shop. While the shop may still carry out what it was asked for, only what was
   * looked up since counts, and only for a minute: `late_since_ms` is in the ledger, so that each process knows of it.
   */
  readMemory(outbox: Pick<OutboxRow, 'tag' | 'late_since_ms'> | null): RowMemory {
    const row = outbox === null ? undefined : this.#rows.get(outbox.tag);
    if (outbox === null || row === undefined) return UNKNOWN;
    const { late_since_ms } = outbox;
    const { since_ms } = row;
    const isLate = late_since_ms !== null && this.#clock.now() - late_since_ms < LATE_MS;
    if (isLate && since_ms < late_since_ms) return UNKNOWN;
    if (this.#clock.mayHaveStoodStill(since_ms)) return UNKNOWN;
    const age_ms = measureAge(this.#clock, since_ms);
    const isWitnessed = age_ms < (isLate ? Math.min(row.lasts_ms, INTENT_MS) : row.lasts_ms);
    // Of an order to be given up it is enough that this process has run on the same ledger all along.
    const hasRunOn = this.#clock.doubtMs(since_ms) < INTENT_MS;
    return { isWitnessed, mayEnd: isWitnessed || (!isLate && hasRunOn) };
  }

  #witness(tag: string, lasts_ms: number): void {
    this.#rows.delete(tag);
    this.#rows.set(tag, { since_ms: this.#clock.now(), lasts_ms });
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > ROWS_MAX && oldest !== undefined) this.#rows.delete(oldest);
  }
}
