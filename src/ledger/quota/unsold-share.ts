/**
 * The share of a SKU that all callers together may keep without buying it. One caller's share does not help against many that
 * cooperate. What a caller has really bought of the SKU lets it keep more, and somebody new to the SKU may always take a little.
 */

import { DAY_WINDOW, type ItemUsage, idleAt, keptUnits, NO_ITEM_USAGE, sumOf } from '../model/usage.js';
import type { LedgerMs } from '../model/values/units.js';
import type { LedgerSettings } from '../state/state.js';

/** The first allowance: so many units, or this part of a larger stock. */
const FIRST_UNITS = 3;
const FIRST_PERCENT = 5;
/** The last units may be kept for so many full lengths in a row by all callers together. Then they rest (`REST_PER_IDLE`). */
const LAST_UNITS_LENGTHS = 2;
/** Each full length for which a caller has kept a SKU unsold halves its next reservation of it, down to a quarter. */
const HALVINGS_MAX = 2;

export interface UnsoldWish {
  /** Of the caller. */
  readonly own: ItemUsage;
  /** Of all callers, of reservations that are `pooled`. */
  readonly everyone: ItemUsage;
  readonly atp_units: number;
  readonly ttl_ms: number;
  readonly now_ms: LedgerMs;
}

export interface UnsoldRoom {
  /** Units that the caller may still take. */
  readonly units: number;
  /** Units of them that its own purchases pay for: they are in nobody's way, and count in no share. */
  readonly paid_units: number;
  /** What it could take if nobody kept any of it, and it had its first allowance. */
  readonly most_units: number;
}

/**
 * With `there` = what could be promised if all that is pooled were let go of, everyone together may keep `percent` of it. Beyond that a caller
 * may have its first allowance until it has kept that much for one full length today without buying; and what its purchases pay for.
 */
export function unsoldRoom(wish: UnsoldWish, percent: number, settings: LedgerSettings): UnsoldRoom {
  const { own, everyone, atp_units, ttl_ms, now_ms } = wish;
  const full_ms = settings.ttl_max_s * 1000;
  const pooled_units = keptUnits(everyone);
  const there_units = atp_units + pooled_units;
  const share_units = shareUnits(wish, percent, full_ms);
  const first_units = firstAllowance(there_units);
  const isNew = sumOf(own.unsold, DAY_WINDOW, now_ms) < first_units * full_ms;
  const first = isNew ? Math.max(0, first_units - keptUnits(own)) : 0;
  const paid_units = paidUnits(own, ttl_ms, now_ms, settings);
  const free_units = Math.max(0, share_units - pooled_units) + first;
  return {
    units: Math.max(free_units, paid_units),
    paid_units,
    most_units: Math.max(share_units + first_units, paid_units),
  };
}

/** Units of the item that orders which wait for a person may keep at most, all together: those of the share, and a first allowance. */
export function heldMost(wish: UnsoldWish, percent: number, settings: LedgerSettings): number {
  const there_units = wish.atp_units + keptUnits(wish.everyone);
  return shareUnits(wish, percent, settings.ttl_max_s * 1000) + firstAllowance(there_units);
}

function shareUnits(
  { everyone, atp_units, ttl_ms, now_ms }: UnsoldWish,
  percent: number,
  full_ms: number,
): number {
  const share = Math.floor(((atp_units + keptUnits(everyone)) * percent) / 100);
  if (share > 0) return share;
  return idleAt(everyone, now_ms) + ttl_ms <= LAST_UNITS_LENGTHS * full_ms ? 1 : 0;
}

/** Small, and never all of a stock of several units. */
function firstAllowance(there_units: number): number {
  const few = Math.max(1, Math.min(FIRST_UNITS, there_units - 1));
  return Math.max(few, Math.floor((there_units * FIRST_PERCENT) / 100));
}

/**
 * Units that the caller may keep for that long because it has bought of the same SKU today: each unit bought pays for `idle_per_order`
 * units kept for full length, less what it has kept unsold since, and less what it keeps now.
 */
export function paidUnits(
  own: ItemUsage,
  ttl_ms: number,
  now_ms: LedgerMs,
  { quotas, ttl_max_s }: LedgerSettings,
): number {
  const earned_ms = sumOf(own.sold, DAY_WINDOW, now_ms) * quotas.idle_per_order * ttl_max_s * 1000;
  const left_ms = earned_ms - sumOf(own.unsold, DAY_WINDOW, now_ms);
  return Math.max(0, Math.floor(left_ms / ttl_ms) - keptUnits(own));
}

/** How long a caller may keep units of the SKU at most, in milliseconds: less and less while it keeps it and buys none of it. */
export function longestHold(own: ItemUsage | undefined, now_ms: LedgerMs, settings: LedgerSettings): number {
  const full_ms = settings.ttl_max_s * 1000;
  const usage = own ?? NO_ITEM_USAGE;
  if (paidUnits(usage, full_ms, now_ms, settings) > 0) return full_ms;
  const halvings = Math.min(HALVINGS_MAX, Math.floor(idleAt(usage, now_ms) / full_ms));
  return Math.max(settings.ttl_min_s * 1000, Math.floor(full_ms / 2 ** halvings));
}
