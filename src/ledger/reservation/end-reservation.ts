/** What the end of a reservation does to its holds: shared by release, expiry, rejection and failure. */

import { type Hold, holdSums, nextHoldState } from '../model/hold.js';
import { nextReservationState, type ReservationEvent } from '../model/reservation.js';
import type { Level } from '../model/stock.js';
import { isLeftBehind } from '../state/job.js';
import type { Changes, HoldMove, LedgerState, LevelSums, Owned } from '../state/state.js';

/** A move of a hold that the reservation has already. */
type OwnHoldMove = Extract<HoldMove, { readonly hold: Hold }>;

type Ending = Extract<ReservationEvent, 'release' | 'expire' | 'free'>;

/**
 * Frees every unit of the reservation. What the shop's own figure still excludes stays in the checksum's sum
 * until the shop has let go and a newer report says so; it is promised to nobody meanwhile (L3).
 */
export function endReservation(
  state: LedgerState,
  owned: Owned,
  event: Ending,
): Required<Pick<Changes, 'reservation' | 'sums' | 'outbox'>> & { readonly holds: readonly OwnHoldMove[] } {
  const { reservation, outbox } = owned;
  const holds = owned.holds.map((hold): OwnHoldMove => ({ hold, to: ended(hold) }));
  return {
    reservation: {
      reservation_key: reservation.reservation_key,
      state: nextReservationState(reservation.state, event),
    },
    holds,
    sums: sumsAfter(
      state.owned_items.flatMap((item) => item.levels),
      holds,
    ),
    outbox: { ...outbox, due_at_ms: state.now_ms, attempts: 0, parked: isLeftBehind(outbox) },
  };
}

/** Units that a reservation holds that is not over. */
export function heldUnits({ holds }: Owned): number {
  return holds.reduce((sum, hold) => sum + hold.quantity_units, 0);
}

/**
 * The sums of the levels after the moves. Units that leave the mirrored sum although the shop's last figure still leaves
 * them out are under way from then on: what the checksum stands for stays the same until a report says more. Throws when a
 * move belongs to none of the levels: that is a bug.
 */
export function sumsAfter(levels: readonly Level[], moves: readonly HoldMove[]): LevelSums[] {
  const sums = new Map<number, LevelSums>();
  for (const { hold, to } of moves) {
    const { level_key } = hold ?? to;
    const level = levels.find((candidate) => candidate.level_key === level_key);
    if (level === undefined) throw new Error('a hold at a level that was not loaded');
    const at = sums.get(level_key) ?? level;
    const before = holdSums(hold);
    const after = holdSums(to);
    // Of a doubted hold the rise has been reported already.
    const left = hold?.place === 'doubted' ? 0 : before.mirrored - after.mirrored;
    sums.set(level_key, {
      level_key,
      held_units: at.held_units - before.held + after.held,
      mirrored_units: at.mirrored_units - before.mirrored + after.mirrored,
      doubted_units: at.doubted_units - before.doubted + after.doubted,
      under_way_units: at.under_way_units + left,
    });
  }
  return [...sums.values()];
}

/**
 * What the shop holds too comes back when it has let go. That is once `decideDeleted` says so, or at the latest
 * when its own time is over: a hold that can't be deleted, or was completed by hand, must not stay for ever.
 */
function ended(hold: Hold): Hold | null {
  const state = nextHoldState(hold.state, 'ended');
  if (state === null) return null;
  const until = hold.mirror_until_ms;
  const place = hold.place === 'doubted' ? 'guessed' : hold.place;
  return { ...hold, state, place, awaits: until === null ? null : 'return', awaits_after_ms: until };
}
