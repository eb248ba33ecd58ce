/** What every decision about a reservation's shop side starts from. */

import type { JournalDraft } from '../model/journal.js';
import type { OutboxRow, Step } from '../model/outbox-row.js';
import type { Item } from '../model/stock.js';
import type { ShopLine } from '../model/values/observation.js';
import type { HoldMove, LedgerState, Owned } from './state.js';

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
  /** What the order has; left out or null where the shop did not say. */
  readonly lines?: readonly ShopLine[] | null;
  /** When the read of the stock that it was completed on began; left out where it was found or made otherwise. */
  readonly read_since_ms?: number;
}

/** The claim that a worker makes on a row; it ends by time if the worker dies. */
export interface Claim {
  readonly worker: string;
  readonly claim_ms: number;
  /** A hold at the shop is looked at again after so long: a person may have removed it there. */
  readonly check_ms: number;
  /** Moves of stock are not written with their step, but for several rows together (joint-transfers.ts). Left out: with the step. */
  readonly joins_moves?: boolean;
  /** A move that was written longer ago than this is not sent again: the shop may have forgotten its key. */
  readonly resend_max_ms: number;
}

/** What the process that works on a row knows of it from its own memory: a ledger that was put back from a copy knows less. */
export interface RowMemory {
  /** It wrote the row just now, or has looked it up: an order may be asked for without a look. */
  readonly isWitnessed: boolean;
  /** It has known the row all along: an order may be given up without a look. */
  readonly mayEnd: boolean;
}

/** Why a row stays parked whatever becomes of its reservation: units that it moved are still `reserved` at the shop. */
export const LEFT_BEHIND = 'left_behind';

/** A person has changed the lines of the draft. Kept until the order is placed, so that a second time is noticed. */
export const DRAFT_EDITED = 'draft_edited';
/** A draft that was to be completed is not there, and no order of ours was found. */
export const DRAFT_GONE = 'draft_gone';

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
