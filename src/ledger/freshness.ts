/**
 * How old stock may be before it promises nothing (specification section 5). The limit follows each SKU's own
 * sales velocity: roughly the time in which one unit is expected to sell, never a fixed number.
 */

import type { LedgerMs } from './units.js';

export const MAX_AGE_FAST_S = 120;
/** No setting puts it above this. */
export const MAX_AGE_SLOW_S = 1800;

/** Time constant of the exponential average: a sale of six hours ago weighs about a third of one now. */
const VELOCITY_TAU_MS = 6 * 3_600_000;
/** A SKU watched for less than this has no history and is treated as fast. */
const HISTORY_MIN_MS = 3_600_000;

/** What the ledger remembers of a SKU's sales. Integers, so that every engine stores it alike. */
export interface Velocity {
  /** Millionths of a unit per hour, as of `at_ms`. */
  readonly micro_units_per_hour: number;
  readonly at_ms: LedgerMs;
  readonly watched_since_ms: LedgerMs;
}

export function startVelocity(now: LedgerMs): Velocity {
  return { micro_units_per_hour: 0, at_ms: now, watched_since_ms: now };
}

/** The average after `units_out` units left the shop between `velocity.at_ms` and `now`. */
export function observeSales(velocity: Velocity, unitsOut: number, now: LedgerMs): Velocity {
  const added = (Math.max(0, unitsOut) * 3_600_000 * 1_000_000) / VELOCITY_TAU_MS;
  return {
    micro_units_per_hour: Math.round(decayed(velocity, now) + added),
    at_ms: now,
    watched_since_ms: velocity.watched_since_ms,
  };
}

/** Seconds between MAX_AGE_FAST_S and MAX_AGE_SLOW_S; the time in which about one unit sells, endless where none does. */
export function maxAgeSeconds(velocity: Velocity, now: LedgerMs): number {
  if (now - velocity.watched_since_ms < HISTORY_MIN_MS) return MAX_AGE_FAST_S;
  const unitsPerHour = decayed(velocity, now) / 1_000_000;
  return Math.min(MAX_AGE_SLOW_S, Math.max(MAX_AGE_FAST_S, Math.floor(3600 / unitsPerHour)));
}

/**
 * When a state was last known to be current: its own read, or the heartbeat. Never at or after `dirtyAt`, when the shop
 * said that it changed: no heartbeat confirms what only a read of the item itself can show.
 */
export function confirmedAt(readAt: LedgerMs, heartbeatAt: LedgerMs, dirtyAt: LedgerMs | null): LedgerMs {
  const confirmed = Math.max(readAt, heartbeatAt);
  return dirtyAt === null ? confirmed : Math.min(confirmed, dirtyAt - 1);
}

export function isFresh(confirmedAt: LedgerMs, maxAgeS: number, now: LedgerMs): boolean {
  return confirmedAt > 0 && now - confirmedAt <= maxAgeS * 1000;
}

function decayed(velocity: Velocity, now: LedgerMs): number {
  const elapsed = Math.max(0, now - velocity.at_ms);
  return velocity.micro_units_per_hour * Math.exp(-elapsed / VELOCITY_TAU_MS);
}
