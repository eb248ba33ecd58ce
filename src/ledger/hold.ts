/**
 * A hold: units taken by one reservation at one level. Which of the two sums of a level it stands in is its
 * state; the table says how it moves. A hold that is over is deleted: there is no row that holds nothing.
 */

import type { LedgerMs } from './units.js';

/**
 * `counted`: stands in `held_units`. `mirrored`: the shop's own `available` already excludes it, so it stands
 * in `mirrored_units`. `returning`: its reservation is over but the shop's figure still excludes it; it stands
 * in `mirrored_units` for the checksum's sake alone and promises nothing to anybody.
 */
export type HoldState = 'counted' | 'mirrored' | 'returning';

export type HoldEvent =
  /** A report newer than the mirroring was applied. */
  | 'mirror_reported'
  /** The shop may have let go by itself: the hold has to count again. */
  | 'mirror_lapsed'
  /** The reservation was released, expired or rejected. */
  | 'ended'
  /** A report newer than the placing was applied. */
  | 'settle_reported'
  /** A report newer than the shop's letting go was applied. */
  | 'return_reported';

/** `gone`: the row is deleted. `bug`: must not happen; the ledger throws. */
export const HOLD_TRANSITIONS = {
  counted: {
    mirror_reported: 'mirrored',
    mirror_lapsed: 'counted',
    ended: 'gone',
    settle_reported: 'gone',
    return_reported: 'bug',
  },
  mirrored: {
    mirror_reported: 'bug',
    mirror_lapsed: 'counted',
    ended: 'returning',
    settle_reported: 'gone',
    return_reported: 'bug',
  },
  returning: {
    mirror_reported: 'bug',
    mirror_lapsed: 'gone',
    ended: 'bug',
    settle_reported: 'bug',
    return_reported: 'gone',
  },
} as const satisfies Record<HoldState, Record<HoldEvent, HoldState | 'gone' | 'bug'>>;

/** The kind of news in a stock report that moves this hold on. */
export type HoldAwaits = 'mirror' | 'settle' | 'return';

export interface Hold {
  readonly reservation_key: number;
  readonly level_key: number;
  readonly quantity_units: number;
  readonly state: HoldState;
  /** A report whose read began at or after `awaits_after_ms` moves the hold on. */
  readonly awaits: HoldAwaits | null;
  readonly awaits_after_ms: LedgerMs | null;
  /** Until when the shop keeps its side, in its own time; null when it has none, and when it keeps it until we let go (a move). */
  readonly mirror_until_ms: LedgerMs | null;
}

/** The state after an event, or null when the row is to be deleted. */
export function nextHoldState(state: HoldState, event: HoldEvent): HoldState | null {
  const next: HoldState | 'gone' | 'bug' = HOLD_TRANSITIONS[state][event];
  if (next === 'bug') throw new Error(`a ${state} hold cannot see ${event}`);
  return next === 'gone' ? null : next;
}

/** The sums of a level that a hold stands in. */
export function holdSums(state: HoldState | null, quantityUnits: number): { held: number; mirrored: number } {
  return {
    held: state === 'counted' ? quantityUnits : 0,
    mirrored: state === 'mirrored' || state === 'returning' ? quantityUnits : 0,
  };
}
