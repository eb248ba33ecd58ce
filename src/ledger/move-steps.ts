/** What the outcomes of a move of stock change, where they differ from those of a draft order. */

import type { Changes, Decision, HoldMove, LedgerState } from './ports.js';
import { LEFT_BEHIND, must, note, returns } from './work.js';

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
  const owned = must(state);
  const { outbox } = owned;
  return {
    result: undefined,
    changes: {
      holds: returns(state, owned),
      outbox: {
        ...outbox,
        shop_state: 'deleted',
        intent_at_ms: null,
        attempts: 0,
        parked: true,
        last_failure: LEFT_BEHIND,
      },
      journal: [note('shop.parked', { failure: LEFT_BEHIND, move: outbox.request?.key })],
    },
  };
}
