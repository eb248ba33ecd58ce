/** What every decision about a reservation's shop side starts from. */

import type { JournalDraft } from './journal.js';
import type { HoldMove, LedgerState, Owned } from './ports.js';
import type { OutboxRow, Step } from './shop-side.js';
import type { Item } from './stock.js';

/** What a worker needs to do a step. */
export interface Work {
  readonly step: Step;
  readonly owned: Owned;
  readonly items: readonly Item[];
}

/** What exists at the shop, as it was seen. */
export interface SeenHold {
  readonly hold_ref: string;
  readonly until_ms: number | null;
}

export interface SeenOrder {
  readonly order_ref: string;
  readonly order_name: string;
}

/** The claim that a worker makes on a row; it ends by time if the worker dies. */
export interface Claim {
  readonly worker: string;
  readonly claim_ms: number;
  /** A hold at the shop is looked at again after so long: a person may have removed it there. */
  readonly check_ms: number;
  /** A move that was written longer ago than this is not sent again: the shop may have forgotten its key. */
  readonly resend_max_ms: number;
}

/** Why a row stays parked whatever becomes of its reservation: units that it moved are still `reserved` at the shop. */
export const LEFT_BEHIND = 'left_behind';

/** Only a person who has looked takes it from there. */
export function isLeftBehind({ parked, last_failure }: OutboxRow): boolean {
  return parked && last_failure === LEFT_BEHIND;
}

/** Given up by its worker. */
export const FREE = { claimed_by: null, claimed_until_ms: null } as const;

/** The shop's figure shows from now on what became of units that are nobody's any more. */
export function returns({ now_ms }: LedgerState, { holds }: Owned): HoldMove[] {
  return holds
    .filter((hold) => hold.state === 'returning')
    .map((hold): HoldMove => ({ hold, to: { ...hold, awaits: 'return', awaits_after_ms: now_ms } }));
}

export function must(state: LedgerState): Owned {
  if (state.owned === null) throw new Error('the reservation of this work is missing');
  return state.owned;
}

/** A journal entry of the reservation that is worked on. */
export function note(kind: JournalDraft['kind'], data: JournalDraft['data']): JournalDraft {
  return { kind, data, of_reservation: true };
}
