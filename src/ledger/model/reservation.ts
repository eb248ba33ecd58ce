/** A reservation: units set aside for one owner until a time. */

import type { StockHash } from './values/stock-hash.js';
import type { LedgerMs } from './values/units.js';

export type ReservationState = 'active' | 'submitted' | 'committed' | 'released' | 'expired';

export type ReservationEvent = 'release' | 'expire' | 'submit' | 'place' | 'free';

/** Complete: what each event makes of each state; null where it is not allowed. */
export const RESERVATION_TRANSITIONS = {
  active: { release: 'released', expire: 'expired', submit: 'submitted', place: null, free: null },
  submitted: { release: null, expire: null, submit: null, place: 'committed', free: 'released' },
  committed: { release: null, expire: null, submit: null, place: null, free: null },
  released: { release: null, expire: null, submit: null, place: null, free: null },
  expired: { release: null, expire: null, submit: null, place: null, free: null },
} as const satisfies Record<ReservationState, Record<ReservationEvent, ReservationState | null>>;

export interface Allocation {
  readonly location_id: string;
  readonly quantity: number;
}

/** A line as it was asked for and granted, in the caller's order. */
export interface ReservationLine {
  readonly sku: string;
  readonly requested: number;
  readonly reserved: number;
  readonly allocations: readonly Allocation[];
  /** The SKU's checksum at the moment of the grant. */
  readonly stock_hash: StockHash;
}

export interface Reservation {
  /** The ledger's own row number; grows with time, so it also says who came first. */
  readonly reservation_key: number;
  readonly id: string;
  /** The authenticated caller it belongs to; everybody else gets `reservation_unknown`. */
  readonly principal: string;
  /** Where the caller sells, as its token says. */
  readonly channel: string | null;
  /** What its transport says of where it came from: callers that share it share some quotas. */
  readonly origin: string | null;
  /** False where its caller has bought enough of each SKU to keep so much more of it: it counts in no share of unsold units. */
  readonly pooled: boolean;
  readonly state: ReservationState;
  readonly lines: readonly ReservationLine[];
  readonly stock_hash: StockHash;
  readonly created_at_ms: LedgerMs;
  readonly expires_at_ms: LedgerMs;
}

/** Expiry is a fact of time, not of a sweeper: at `expires_at` itself it is already over. */
export function isExpired(reservation: Reservation, now: LedgerMs): boolean {
  return reservation.state === 'active' && now >= reservation.expires_at_ms;
}

/** The state that a caller is told: an active reservation past its time is `expired` although no loop has run. */
export function stateAt(reservation: Reservation, now: LedgerMs): ReservationState {
  return isExpired(reservation, now) ? 'expired' : reservation.state;
}

/** Throws on a transition that the table does not allow: callers check first and refuse with words. */
export function nextReservationState(state: ReservationState, event: ReservationEvent): ReservationState {
  const next: ReservationState | null = RESERVATION_TRANSITIONS[state][event];
  if (next === null) throw new Error(`a ${state} reservation cannot ${event}`);
  return next;
}

/** Lines that were granted something, summed by SKU: what an order is made of. */
export function grantedBySku(lines: readonly ReservationLine[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const line of lines) {
    if (line.reserved > 0) sums.set(line.sku, (sums.get(line.sku) ?? 0) + line.reserved);
  }
  return sums;
}
