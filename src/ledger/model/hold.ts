/**
 * A hold: units taken by one reservation at one level. Which of the two sums of a level it stands in is its
 * state; the table says how it moves. A hold that is over is deleted: there is no row that holds nothing.
 */

import type { LedgerMs } from './values/units.js';

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

/**
 * How well it is known at which level the units of a hold stand. Only a move of stock takes them where they were promised;
 * a draft order takes them where the shop's routing says, which only the levels show (place-units.ts).
 *
 * `promised`: nothing at the shop is known of them; the level is the one that promised them. `missed`: the shop has
 * opened its hold, and a whole read begun after that did not show them gone. `guessed`: they are gone from the item's total, and
 * more than one assignment explains the levels. `seen`: only this level explains them. `doubted`: the item has more than before,
 * and nothing of ours explains it: a person may have removed or changed the draft, so the units are withheld until it was read back.
 */
export type HoldPlace = 'promised' | 'missed' | 'guessed' | 'seen' | 'doubted';

/** The kind of news in a stock report that moves this hold on. */
export type HoldAwaits = 'mirror' | 'settle' | 'return';

export interface Hold {
  readonly reservation_key: number;
  readonly level_key: number;
  readonly quantity_units: number;
  readonly state: HoldState;
  readonly place: HoldPlace;
  /** A report whose read began at or after `awaits_after_ms` moves the hold on. */
  readonly awaits: HoldAwaits | null;
  readonly awaits_after_ms: LedgerMs | null;
  /** Until when the shop keeps its side, in ledger time; null when it has none, and when it keeps it until we let go (a move). */
  readonly mirror_until_ms: LedgerMs | null;
}

/** The state after an event, or null when the row is to be deleted. */
export function nextHoldState(state: HoldState, event: HoldEvent): HoldState | null {
  const next: HoldState | 'gone' | 'bug' = HOLD_TRANSITIONS[state][event];
  if (next === 'bug') throw new Error(`a ${state} hold cannot see ${event}`);
  return next === 'gone' ? null : next;
}

/** The sums of a level that a hold stands in. Null: there is no hold. */
export function holdSums(hold: Pick<Hold, 'state' | 'place' | 'quantity_units'> | null): {
  held: number;
  mirrored: number;
  doubted: number;
} {
  if (hold === null) return { held: 0, mirrored: 0, doubted: 0 };
  const { state, place, quantity_units } = hold;
  return {
    held: state === 'counted' ? quantity_units : 0,
    mirrored: state === 'counted' ? 0 : quantity_units,
    doubted: state === 'mirrored' && place === 'doubted' ? quantity_units : 0,
  };
}

/**
 * Whether the shop has held the units for longer than that, and no report has shown at which level they are gone. They count on our side
 * meanwhile, whatever the figures leave out, so the item promises less than it could.
 */
export function isUnplaced(
  { awaits, awaits_after_ms, mirror_until_ms }: Hold,
  now: LedgerMs,
  unplacedAfterMs: number,
): boolean {
  // A move of stock takes the units where they were promised; a draft order where the shop likes.
  if (awaits !== 'mirror' || mirror_until_ms === null || awaits_after_ms === null) return false;
  return awaits_after_ms <= now - unplacedAfterMs;
}
