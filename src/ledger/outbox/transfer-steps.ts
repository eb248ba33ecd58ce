/** What the outcomes of a move of stock change, where they differ from those of a draft order. */

import { heldUntil } from '../model/order.js';
import type { LedgerMs } from '../model/values/units.js';
import { unmirrorHolds } from '../order/mirror-hold.js';
import { type Claim, FREE, LEFT_BEHIND, must, note, returns } from '../state/job.js';
import type { Changes, Decision, HoldMove, LedgerSettings, LedgerState, Owned } from '../state/state.js';

/** How much has passed since that ledger time, in ms. */
export type MeasureAge = (since: LedgerMs) => number;

/** Why a row is parked whose move may be carried out twice if it is sent again. */
export const TOO_OLD_TO_RESEND = 'too_old_to_resend';

/**
 * The shop has moved the units out of what can be sold, where we hold them and until we let go: our holds wait for a
 * report that shows it.
 */
export function decideTaken(state: LedgerState): Decision<void> {
  return { result: undefined, changes: taken(state) };
}

/** The shop has not given the units back, and may do so under a new key: they are still where they were taken to. */
export function decideStillTaken(state: LedgerState): Decision<void> {
  const { attempts, parked, last_failure } = must(state).outbox;
  const still = taken(state);
  return {
    result: undefined,
    changes: { ...still, outbox: { ...still.outbox, attempts, parked, last_failure } },
  };
}

function taken(state: LedgerState): Required<Pick<Changes, 'holds' | 'outbox' | 'journal'>> {
  const { holds, outbox } = must(state);
  const waiting = holds
    .filter((hold) => hold.state === 'counted' && hold.awaits !== 'settle')
    .map((hold): HoldMove => {
      const to = { ...hold, awaits: 'mirror', awaits_after_ms: state.now_ms, mirror_until_ms: null } as const;
      return { hold, to };
    });
  return {
    holds: waiting,
    outbox: {
      ...outbox,
      shop_state: 'open',
      intent_at_ms: null,
      parked: false,
      attempts: 0,
      last_failure: null,
    },
    journal: [note('shop.open', { move: outbox.request?.key })],
  };
}

/**
 * The shop will not give the units back, whatever is sent: a person has moved them by hand, or what they were units of is
 * gone. Nothing of ours rests on them any more; the row stays parked until a person has looked.
 */
export function decideLeftBehind(state: LedgerState): Decision<void> {
  return { result: undefined, changes: leftBehind(state, {}) };
}

/**
 * The same for units that may have been given back long ago, in a later state of the ledger that is lost. The row is looked at
 * again at once: a reservation or order that is not over goes on without them.
 */
export function leaveOldBehind(state: LedgerState): Decision<null> {
  const changes = leftBehind(state, { why: TOO_OLD_TO_RESEND });
  return {
    result: null,
    changes: { ...changes, outbox: { ...changes.outbox, ...FREE, due_at_ms: state.now_ms } },
  };
}

/**
 * Whether units that the row shows as moved may have been given back so long ago that the shop has forgotten the key. In a copy of
 * the ledger that was put back the row still says that it has them, and the shop would move somebody else's. A reservation lasts an
 * hour at most, so that its end tells also of one that was released before: `resend_max_ms` leaves four hours.
 */
export function isTooOldToGiveBack(
  { reservation, order, outbox }: Owned,
  { resend_max_ms }: Claim,
  settings: LedgerSettings,
  measure: MeasureAge,
): boolean {
  if (outbox.protocol !== 'move' || outbox.shop_state !== 'open') return false;
  const since =
    order === null
      ? reservation.expires_at_ms
      : (heldUntil(order, settings) ?? order.decided_at_ms ?? order.submitted_at_ms);
  return measure(since) >= resend_max_ms;
}

function leftBehind(
  state: LedgerState,
  why: { readonly why?: string },
): Required<Pick<Changes, 'holds' | 'sums' | 'outbox' | 'journal'>> {
  const owned = must(state);
  const { outbox } = owned;
  // What is not over counts on our side: the shop may have the units again.
  const counted = unmirrorHolds(state, {
    ...owned,
    holds: owned.holds.filter((hold) => hold.state !== 'returning'),
  });
  return {
    sums: counted.sums,
    holds: [...counted.holds, ...returns(state, owned)],
    outbox: {
      ...outbox,
      shop_state: 'deleted',
      intent_at_ms: null,
      attempts: 0,
      parked: true,
      last_failure: LEFT_BEHIND,
    },
    journal: [note('shop.parked', { failure: LEFT_BEHIND, ...why, move: outbox.request?.key })],
  };
}
