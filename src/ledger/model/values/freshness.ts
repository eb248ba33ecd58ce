/**
 * How old stock may be before it promises nothing (specification section 5). The limit follows each SKU's own
 * sales velocity: roughly the time in which one unit is expected to sell, never a fixed number.
 */

import type { LedgerMs } from './units.js';

export const MAX_AGE_FAST_S = 120;
/** No setting puts it above this. */
export const MAX_AGE_SLOW_S = 1800;

const HOUR_MS = 3_600_000;
/** Time constants of the two exponential averages: a sale that long ago weighs about a third of one now. */
const LONG_TAU_MS = 6 * HOUR_MS;
/** Short enough that a burst of 12 units in two minutes counts as fast, long enough that one sale alone does not. */
const SHORT_TAU_MS = 15 * 60_000;
/** A SKU watched for less than this has no history and is treated as fast. */
const HISTORY_MIN_MS = HOUR_MS;

/**
 * What the ledger remembers of a SKU's sales, in millionths of a unit per hour as of `at_ms`. Integers, so that every
 * engine stores it alike. Both averages start at 0: `maxAgeSeconds` corrects them for the time that was not watched.
 */
export interface Velocity {
  /** Over about six hours. */
  readonly micro_units_per_hour: number;
  /** Over about a quarter of an hour. */
  readonly short_micro_units_per_hour: number;
  readonly at_ms: LedgerMs;
  readonly watched_since_ms: LedgerMs;
}

export function startVelocity(now: LedgerMs): Velocity {
  return { micro_units_per_hour: 0, short_micro_units_per_hour: 0, at_ms: now, watched_since_ms: now };
}

/** The averages after `unitsOut` units left the shop between `velocity.at_ms` and `now`. */
export function observeSales(velocity: Velocity, unitsOut: number, now: LedgerMs): Velocity {
  const elapsed = now - velocity.at_ms;
  const add = (average: number, tauMs: number): number => {
    const added = (Math.max(0, unitsOut) * HOUR_MS * 1_000_000) / tauMs;
    return Math.min(Number.MAX_SAFE_INTEGER, Math.round(decay(average, elapsed, tauMs) + added));
  };
  return {
    micro_units_per_hour: add(velocity.micro_units_per_hour, LONG_TAU_MS),
    short_micro_units_per_hour: add(velocity.short_micro_units_per_hour, SHORT_TAU_MS),
    at_ms: now,
    watched_since_ms: velocity.watched_since_ms,
  };
}

/**
 * Seconds between MAX_AGE_FAST_S and MAX_AGE_SLOW_S; the time in which about one unit sells, endless where none does. The
 * faster of the two averages counts: a burst at once, a steady sale for hours.
 */
export function maxAgeSeconds(velocity: Velocity, now: LedgerMs): number {
  const watchedMs = now - velocity.watched_since_ms;
  if (watchedMs < HISTORY_MIN_MS) return MAX_AGE_FAST_S;
  const elapsed = now - velocity.at_ms;
  const long =
    decay(velocity.micro_units_per_hour, elapsed, LONG_TAU_MS) / watchedShare(watchedMs, LONG_TAU_MS);
  const short =
    decay(velocity.short_micro_units_per_hour, elapsed, SHORT_TAU_MS) / watchedShare(watchedMs, SHORT_TAU_MS);
  const unitsPerHour = Math.max(long, short) / 1_000_000;
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

function decay(average: number, elapsedMs: number, tauMs: number): number {
  return average * Math.exp(-Math.max(0, elapsedMs) / tauMs);
}

/**
 * The part of an average's weights that lies in the time since the item is watched. Without dividing by it, 20 units sold
 * in the first hour would pass for three an hour.
 */
function watchedShare(watchedMs: number, tauMs: number): number {
  return 1 - Math.exp(-watchedMs / tauMs);
}
