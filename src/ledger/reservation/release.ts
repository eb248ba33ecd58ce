/** Letting go of a reservation: by its owner, or by time. */

import { isExpired, type ReservationState } from '../model/reservation.js';
import { granted, type Result, refused } from '../model/values/refusal.js';
import type { Changes, Decision, LedgerState, Owned } from '../state/state.js';
import { endReservation, heldUnits } from './end-reservation.js';

export interface ReleaseRequest {
  readonly principal: string;
  readonly reservation_id: string;
  /** Who releases it in its owner's place; left out where the owner does. */
  readonly by?: string;
}

export interface ReleaseAnswer {
  readonly reservation_id: string;
  readonly status: ReservationState;
  /** Units freed by this call; 0 when it was over already. */
  readonly released_units: number;
  /** True when the reservation was over before this call. */
  readonly replayed: boolean;
}

/** Releasing twice is no error: the answer names the state it is in. Refused once an order was submitted. */
export function decideRelease(state: LedgerState, request: ReleaseRequest): Decision<Result<ReleaseAnswer>> {
  const owned = ownedBy(state, request.principal);
  if (owned === null) return { result: reservationUnknown() };
  const { reservation, order } = owned;
  const answer = (status: ReservationState, released_units: number, replayed: boolean) =>
    granted<ReleaseAnswer>({ reservation_id: reservation.id, status, released_units, replayed });

  if (reservation.state === 'submitted' || reservation.state === 'committed') {
    return {
      result: refused(
        'reservation_already_submitted',
        'An order was submitted on this reservation, so its units belong to the order. get_order tells how it stands.',
        { reservation_id: reservation.id, order_id: order?.id, status: reservation.state },
      ),
    };
  }
  if (isExpired(reservation, state.now_ms)) {
    return { result: answer('expired', 0, true), changes: expiry(state, owned) };
  }
  if (reservation.state !== 'active') return { result: answer(reservation.state, 0, true) };

  const released = heldUnits(owned);
  return {
    result: answer('released', released, false),
    changes: {
      ...endReservation(state, owned, 'release'),
      journal: [
        {
          kind: 'reservation.released',
          of_reservation: true,
          data: { by: request.by ?? request.principal, released_units: released },
        },
      ],
    },
  };
}

/** What the sweeper does to a reservation past its time. No change when it is not, or no longer, active. */
export function decideExpire(state: LedgerState): Decision<boolean> {
  const { owned } = state;
  if (owned === null || !isExpired(owned.reservation, state.now_ms)) return { result: false };
  return { result: true, changes: expiry(state, owned) };
}

/** The changes that tidy up a reservation whose time has passed. */
export function expiry(state: LedgerState, owned: Owned): Changes {
  return {
    ...endReservation(state, owned, 'expire'),
    journal: [
      {
        kind: 'reservation.expired',
        of_reservation: true,
        data: { expired_units: heldUnits(owned), expires_at_ms: owned.reservation.expires_at_ms },
      },
    ],
  };
}

/** Null for somebody else's reservation, exactly as for an unknown one. */
export function ownedBy(state: LedgerState, principal: string): Owned | null {
  return state.owned !== null && state.owned.reservation.principal === principal ? state.owned : null;
}

export function reservationUnknown(): Result<never> {
  return refused(
    'reservation_unknown',
    'There is no such reservation. Use the reservation_id that reserve_units returned.',
  );
}
