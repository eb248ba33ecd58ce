/** What an answer to a move of stock means for a row that rests on it. */

import type { OutboxRow } from '../ledger/model/outbox-row.js';
import type { StockMove } from '../ledger/model/stock-transfer.js';
import { decideAbsent, decideDeleted, decideLater, decideUnmirrored } from '../ledger/outbox/next-step.js';
import { decideLeftBehind, decideStillTaken, decideTaken } from '../ledger/outbox/transfer-steps.js';
import type { Changes, LedgerState } from '../ledger/state/state.js';
import type { MoveOutcome } from '../sources/source.js';

/** The one failure that is worth another key, and only once. */
export const MOVE_FAILED = 'move_failed';

export type MoveVerdict =
  /** The units are where they were to go: out of what can be sold, or back in it. */
  | 'taken'
  | 'given_back'
  /** Nothing was moved, because somebody was faster: what there is now decides, under a new key. */
  | 'absent'
  | 'still_taken'
  /** Nothing was moved; tried again later, under a new key. */
  | 'again'
  /** Nothing is at the shop, and nothing will be until an order. */
  | 'unmirrored'
  /** The shop will not give the units back: a person has to look. */
  | 'left_behind'
  /** It is not known, or not certain for all rows: the same request again, later. */
  | 'kept';

type Row = Pick<OutboxRow, 'last_failure'>;

export function judgeAnswer(move: StockMove, outcome: MoveOutcome, row: Row, isResent: boolean): MoveVerdict {
  if (isKept(move, outcome, isResent)) return 'kept';
  const isOut = move.direction === 'out';
  switch (outcome.outcome) {
    case 'done':
      return isOut ? 'taken' : 'given_back';
    case 'stale':
      return isOut ? 'absent' : 'still_taken';
    case 'not_sent':
      return outcome.failure === 'refused' && move.together === undefined ? 'unmirrored' : 'again';
    case 'failed':
    case 'refused': {
      // Which of several rows is at fault is not known: each is tried once more, alone.
      const isOnceMore = move.together !== undefined || (outcome.outcome === 'failed' && !isMoveFailed(row));
      if (isOnceMore) return 'again';
      return isOut ? 'unmirrored' : 'left_behind';
    }
    case 'unknown':
      return 'kept';
  }
}

/** Of one that was sent before, only the shop's word on the move itself tells: that this sending was lost does not. */
export function isKept({ direction }: StockMove, { outcome }: MoveOutcome, isResent: boolean): boolean {
  return outcome === 'unknown' || (outcome === 'not_sent' && (isResent || direction === 'back'));
}

export function isMoveFailed({ last_failure }: Row): boolean {
  return last_failure === MOVE_FAILED;
}

/** How a row is put off. */
export interface PutOff {
  readonly delay_ms: number;
  readonly attempts_max: number | null;
  readonly failure: string;
}

export function applyVerdict(state: LedgerState, verdict: MoveVerdict, putOff: PutOff): Changes {
  const back_to = state.owned?.outbox.shop_state === 'creating' ? 'absent' : 'open';
  const decided = {
    taken: () => decideTaken(state),
    given_back: () => decideDeleted(state),
    absent: () => decideAbsent(state, 'stale'),
    still_taken: () => decideStillTaken(state),
    again: () => decideLater(state, { ...putOff, back_to }),
    unmirrored: () => decideUnmirrored(state, 'refused'),
    left_behind: () => decideLeftBehind(state),
    kept: () => ({}),
  }[verdict]();
  return 'changes' in decided ? (decided.changes ?? {}) : {};
}
