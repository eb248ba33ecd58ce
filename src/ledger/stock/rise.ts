/**
 * Withholds what a level has risen by implausibly: a hundredfold and to a thousand units or more, at once. A slip of a person, a
 * wrong import or a faulty answer looks like that, and an ordinary restock does not. A second read that began later settles it: what
 * both have shown is promised.
 */

import { type Level, provenUnits } from '../model/stock.js';
import type { LedgerMs } from '../model/values/units.js';

/** Times the old figure, from which on a rise is implausible. */
const RISE_FACTOR = 100;
/** A smaller figure counts as this many units. So a restock to less than a thousand is never withheld. */
const RISE_FROM_UNITS = 10;

/** A level whose withheld units have changed. `withheld_units`: 0 when the rise is settled. */
export interface Rise {
  readonly location_id: string;
  readonly from_units: number;
  readonly to_units: number;
  readonly withheld_units: number;
}

/** The units of a new figure that are withheld. `readAt`: when the read of that figure began. Never negative. */
export function withholdRise(level: Level, to_units: number, readAt: LedgerMs): number {
  const proven = findProven(level, to_units, readAt);
  // Holds of ours that the shop has let go of are in its figure again: that is no rise.
  const known = Math.max(proven + level.mirrored_units, RISE_FROM_UNITS);
  return to_units >= RISE_FACTOR * known ? to_units - Math.max(0, proven) : 0;
}

/** Units that an earlier read has shown, or this one shows for the second time. */
function findProven(level: Level, to_units: number, readAt: LedgerMs): number {
  const proven = provenUnits(level);
  const isSecond = level.unproven_units > 0 && readAt > level.read_at_ms;
  return isSecond ? Math.max(proven, Math.min(level.upstream_available_units, to_units)) : proven;
}

/** Null when no more and no less is withheld than before. */
export function compareRise(
  before: Level | undefined,
  after: Pick<Level, 'location_id' | 'upstream_available_units' | 'unproven_units'>,
): Rise | null {
  const was = before?.unproven_units ?? 0;
  if (before === undefined || was === after.unproven_units) return null;
  return {
    location_id: after.location_id,
    from_units: provenUnits(before),
    to_units: after.upstream_available_units,
    withheld_units: after.unproven_units,
  };
}
