/**
 * Moves of stock in one call for several reservations. Their intents are written in one transaction, and so is what the shop
 * answers: a row that left the call for another request, while a second row could still send the first, would have its units
 * moved twice.
 */

import type { StockMove } from '../model/stock-transfer.js';
import { type Claim, must, type Work } from '../state/job.js';
import type { Changes, JointDecision, LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { intentOf, isStillDue } from './next-step.js';
import { joinMoves, levelName, moveBack, moveOut, sumByLevel } from './request-transfer.js';

export type MoveDirection = StockMove['direction'];

const STEPS = { out: 'take', back: 'give_back' } as const;
const STATES = { out: 'creating', back: 'deleting' } as const;

/** By index: the work whose intent is written; null for a row that does not need the step any more, or not with the others. */
export type JointWork = readonly (Work | null)[];

/** Writes the intents of one call for all of these rows that still need it. */
export function planJointMove(
  states: readonly LedgerState[],
  claim: Claim,
  settings: LedgerSettings,
  direction: MoveDirection,
): JointDecision<JointWork> {
  const step = STEPS[direction];
  const moves = chooseMoves(states, claim, settings, direction);
  const keys = [...moves.keys()].map((index) => readKey(states, index));
  const joint = joinMoves([...moves.values()], keys);
  const requests = new Map([...moves.keys()].map((index, at) => [index, joint[at]] as const));
  const intent = (state: LedgerState, request: StockMove): ReturnType<typeof intentOf> => {
    const owned = must(state);
    const outbox = { ...owned.outbox, claimed_until_ms: state.now_ms + claim.claim_ms };
    return intentOf(state, { ...owned, outbox }, step, { request });
  };
  const result = states.map((state, index): Work | null => {
    const request = requests.get(index);
    if (request === undefined) return null;
    const owned: Owned = { ...must(state), outbox: intent(state, request).outbox };
    return { step, owned, items: state.owned_items };
  });
  return {
    result,
    change: (index, state) => {
      const request = requests.get(index);
      return request === undefined ? undefined : intent(state, request);
    },
  };
}

/** Rows that need the move, in their order, as long as the shop's figures have the units of all of them together. */
function chooseMoves(
  states: readonly LedgerState[],
  claim: Claim,
  settings: LedgerSettings,
  direction: MoveDirection,
): ReadonlyMap<number, StockMove> {
  const chosen = new Map<number, StockMove>();
  states.forEach((state, index) => {
    if (!isStillDue(state, claim, settings, STEPS[direction])) return;
    const owned = must(state);
    const move = direction === 'out' ? moveOut(state, owned) : moveBack(owned);
    if (isThere([...chosen.values(), move])) chosen.set(index, move);
  });
  return chosen;
}

/** Whether each level has what the moves take of it together. All of them start from the same figure. */
function isThere(moves: readonly StockMove[]): boolean {
  const changes = moves.flatMap((move) => move.changes);
  return sumByLevel(changes).every((sum) => {
    const figures = changes.filter((change) => levelName(change) === levelName(sum));
    return figures.every(
      ({ available_units }) =>
        available_units === null ||
        (available_units === sum.available_units && available_units >= sum.quantity_units),
    );
  });
}

function readKey(states: readonly LedgerState[], index: number): number {
  const state = states[index];
  if (state === undefined) throw new Error('no such row');
  return must(state).reservation.reservation_key;
}

/** `shared`: another worker may be sending the same call, so nothing leaves it; it will be told the same. */
export type AnswerTaken = 'taken' | 'shared';

/**
 * What the shop said of the call, for every row that still rests on it. `isDone`: it was carried out. Otherwise it was not, and
 * each row leaves it: all of them, or none.
 */
export function planMoveAnswer(
  states: readonly LedgerState[],
  { move, worker, isDone }: { readonly move: StockMove; readonly worker: string; readonly isDone: boolean },
  decide: (state: LedgerState) => Changes,
): JointDecision<AnswerTaken> {
  const isOthers = (state: LedgerState): boolean => isClaimedByOther(state, worker);
  if (!isDone && states.some((state) => isUnderWay(state, move) && isOthers(state)))
    return { result: 'shared' };
  return {
    result: 'taken',
    change: (_index, state) => {
      if (!isUnderWay(state, move) || isOthers(state)) return undefined;
      const changes = decide(state);
      const before = must(state).outbox;
      if (before.claimed_by === worker) return changes;
      const outbox = { ...before, ...changes.outbox };
      const isPutOff = outbox.due_at_ms !== before.due_at_ms;
      // Nobody works on it: what is to be done next is looked at now.
      return isPutOff || outbox.parked
        ? changes
        : { ...changes, outbox: { ...outbox, due_at_ms: state.now_ms } };
    },
  };
}

function isUnderWay({ owned }: LedgerState, { key, direction }: StockMove): boolean {
  return owned?.outbox.request?.key === key && owned.outbox.shop_state === STATES[direction];
}

function isClaimedByOther({ owned, now_ms }: LedgerState, worker: string): boolean {
  const { claimed_by = null, claimed_until_ms = null } = owned?.outbox ?? {};
  return claimed_by !== null && claimed_by !== worker && (claimed_until_ms ?? 0) > now_ms;
}
