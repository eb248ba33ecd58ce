/**
 * Holds that the shop has opened a while ago, and that no report has shown at any level since: where their units stand is not known.
 * `isUnplaced` of src/ledger says the same.
 */

import type { LedgerMs } from '../../../ledger/model/values/units.js';

export interface UnplacedHold {
  readonly reservation_id: string;
  readonly units: number;
  /** Since when the shop holds them. */
  readonly since_ms: LedgerMs;
}

/** Their one parameter is the time since which they wait, at the latest. */
const UNPLACED = `holds INDEXED BY holds_awaiting
  CROSS JOIN reservations ON reservations.reservation_key = holds.reservation_key
  WHERE awaits IS NOT NULL AND awaits = 'mirror' AND mirror_until_ms IS NOT NULL AND awaits_after_ms <= ?`;

export const COUNT_UNPLACED = `SELECT count(DISTINCT holds.reservation_key) AS reservations FROM ${UNPLACED}`;

/** The second parameter is how many at most; those that wait longest first. */
export const LIST_UNPLACED = `SELECT reservations.id AS reservation_id, sum(quantity_units) AS units,
    min(awaits_after_ms) AS since_ms
  FROM ${UNPLACED} GROUP BY holds.reservation_key ORDER BY since_ms, holds.reservation_key LIMIT ?`;
