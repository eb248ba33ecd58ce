/**
 * Moves of stock. Units are taken in one call at a time at each level, which serves all reservations that wait for it: the shop
 * compares the move with the figure of the level, so of several beside each other all but one would be sent in vain.
 *
 * Units are given back reservation by reservation. The key of such a move follows from the reservation alone, so that a ledger
 * which was put back to an older copy, and gives them back again, sends the same request: the shop then does nothing. Without
 * that it would give back what others hold.
 */

import type { StockMove } from '../ledger/model/stock-transfer.js';
import {
  type AnswerTaken,
  type JointWork,
  type MoveDirection,
  planJointMove,
  planMoveAnswer,
} from '../ledger/outbox/joint-transfers.js';
import { levelName } from '../ledger/outbox/request-transfer.js';
import { type Claim, must, type Work } from '../ledger/state/job.js';
import type { Changes, LedgerState } from '../ledger/state/state.js';
import type { MoveOutcome } from '../sources/source.js';
import { ClaimLost, type Progress, readKey } from './outbox-context.js';
import { applyVerdict, isKept, isMoveFailed, judgeAnswer, type MoveVerdict } from './transfer-verdict.js';

/** Rows of one call. A row has a few levels, and Shopify takes 250 changes in one. */
const ROWS_MAX = 50;
const LEVELS_MAX = 100;

/** What became of a row's move. */
export interface SentMove {
  /** The row as it was when the move was sent. */
  readonly work: Work;
  readonly outcome: MoveOutcome;
  readonly verdict: MoveVerdict;
}

interface WaitingMove {
  readonly work: Work;
  readonly direction: MoveDirection;
  readonly levels: ReadonlySet<string>;
  /** Sent without others: together with them it has failed. */
  readonly isAlone: boolean;
  readonly resolve: (sent: SentMove | null) => void;
  readonly reject: (error: unknown) => void;
}

/** By row; and whether the call has been answered for good. */
interface Answer {
  readonly outcome: MoveOutcome;
  readonly taken: AnswerTaken | 'kept';
}

export class MoveQueue {
  readonly #progress: Progress;
  readonly #claim: Claim;
  #waiting: WaitingMove[] = [];
  /** By level: calls under way there. */
  readonly #busy = new Map<string, number>();
  readonly #resent = new Map<string, Promise<Answer>>();
  #isWoken = false;

  constructor(progress: Progress, claim: Claim) {
    this.#progress = progress;
    this.#claim = claim;
  }

  /** Writes and sends the move that the row needs. Null when it does not need it any more, or not on these figures. */
  send(work: Work, direction: MoveDirection): Promise<SentMove | null> {
    return new Promise((resolve, reject) => {
      const levels = listLevels(work, direction);
      const isAlone = direction === 'back' || isMoveFailed(work.owned.outbox);
      this.#waiting.push({ work, direction, levels, isAlone, resolve, reject });
      this.#wake();
    });
  }

  /** Sends the stored move again: which is the same, whoever of its rows does it. */
  async resend(work: Work): Promise<SentMove> {
    const { request } = work.owned.outbox;
    if (request === null) throw new Error('no move was written that could be sent');
    const running = this.#resent.get(request.key) ?? this.#resendNow(work, request);
    this.#resent.set(request.key, running);
    try {
      const answer = await running;
      return { work, outcome: answer.outcome, verdict: verdictFor(answer, work, request, true) };
    } finally {
      this.#resent.delete(request.key);
    }
  }

  async #resendNow(work: Work, move: StockMove): Promise<Answer> {
    const outcome = await this.#progress.sinkFor(work).moveStock(move, this.#timeout());
    return this.#settle(move, outcome, { isResent: true, ownKey: readKey(work) });
  }

  /** Everything that comes in one turn of the event loop goes out together. */
  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) void this.#run(batch);
    });
  }

  /** The longest waiting whose levels are free, and those that wait for one of its levels. */
  #nextBatch(): readonly WaitingMove[] {
    const free = this.#waiting.filter((one) => this.#isFree(one));
    const [first, ...others] = free;
    if (first === undefined) return [];
    const batch = [first];
    const levels = new Set(first.levels);
    for (const other of first.isAlone ? [] : others) {
      const all = new Set([...levels, ...other.levels]);
      const isShared = all.size < levels.size + other.levels.size;
      const fits = batch.length < ROWS_MAX && all.size <= LEVELS_MAX;
      if (other.isAlone || other.direction !== first.direction || !isShared || !fits) continue;
      batch.push(other);
      for (const level of other.levels) levels.add(level);
    }
    this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
    this.#count(batch, 1);
    return batch;
  }

  /**
   * Units that are taken wait for every call at their levels: each changes the figure that theirs is compared with. Those that are
   * given back are compared with nothing, and an order may want them: they wait for nobody.
   */
  #isFree({ levels, direction }: WaitingMove): boolean {
    return direction === 'back' || ![...levels].some((level) => this.#busy.has(level));
  }

  #count(batch: readonly WaitingMove[], by: 1 | -1): void {
    for (const level of batch.flatMap(({ levels }) => [...levels])) {
      const calls = (this.#busy.get(level) ?? 0) + by;
      if (calls > 0) this.#busy.set(level, calls);
      else this.#busy.delete(level);
    }
  }

  async #run(batch: readonly WaitingMove[]): Promise<void> {
    try {
      const sent = await this.#sendTogether(batch);
      batch.forEach(({ resolve }, index) => {
        resolve(sent[index] ?? null);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#count(batch, -1);
      this.#wake();
    }
  }

  async #sendTogether(batch: readonly WaitingMove[]): Promise<readonly (SentMove | null)[]> {
    const { settings } = this.#progress.ports;
    const [first] = batch;
    if (first === undefined) return [];
    const keys = batch.map(({ work }) => readKey(work));
    const works: JointWork = await this.#progress.decideAll(keys, (states) =>
      planJointMove(states, this.#claim, settings, first.direction),
    );
    const members = works.filter((work) => work !== null);
    const [leader] = members;
    const move = leader?.owned.outbox.request ?? null;
    if (leader === undefined || move === null) return works.map(() => null);
    // A process that was suspended just here must not send what another may have sent since.
    if (!members.every((work) => this.#progress.holdsClaim(work))) throw new ClaimLost('it ran out');
    const urgent = members.find(({ owned }) => owned.reservation.state === 'submitted') ?? leader;
    const outcome = await this.#progress.sinkFor(urgent).moveStock(move, this.#timeout());
    const answer = await this.#settle(move, outcome, { isResent: false, ownKey: readKey(leader) });
    return works.map((work) =>
      work === null ? null : { work, outcome, verdict: verdictFor(answer, work, move, false) },
    );
  }

  /** Writes down what the shop said, for all rows of the call. */
  async #settle(
    move: StockMove,
    outcome: MoveOutcome,
    { isResent, ownKey }: { readonly isResent: boolean; readonly ownKey: number },
  ): Promise<Answer> {
    const { worker } = this.#progress.ports;
    if (isKept(move, outcome, isResent)) return { outcome, taken: 'kept' };
    const rows = move.together?.reservation_keys ?? [ownKey];
    const decide = (state: LedgerState): Changes => {
      const verdict = judgeAnswer(move, outcome, must(state).outbox, isResent);
      return applyVerdict(state, verdict, this.#progress.putOffFor(must(state).outbox.attempts, outcome));
    };
    const isDone = outcome.outcome === 'done';
    const taken = await this.#progress.decideAll(rows, (states) =>
      planMoveAnswer(states, { move, worker, isDone }, decide),
    );
    return { outcome, taken };
  }

  /** Of the call itself: a row may have waited for its turn. */
  #timeout(): AbortSignal {
    return AbortSignal.timeout(this.#progress.ports.limits.call_ms);
  }
}

function verdictFor({ outcome, taken }: Answer, work: Work, move: StockMove, isResent: boolean): MoveVerdict {
  return taken === 'taken' ? judgeAnswer(move, outcome, work.owned.outbox, isResent) : 'kept';
}

/** Where the row's units are, or are to be. */
function listLevels({ owned, items }: Work, direction: MoveDirection): ReadonlySet<string> {
  if (direction === 'back') return new Set((owned.outbox.request?.changes ?? []).map(levelName));
  const own = new Set(owned.holds.map(({ level_key }) => level_key));
  return new Set(
    items.flatMap(({ item_id, levels }) =>
      levels
        .filter(({ level_key }) => own.has(level_key))
        .map(({ location_id }) => levelName({ item_id, location_id })),
    ),
  );
}
