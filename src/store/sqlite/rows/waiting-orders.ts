/** Orders that were accepted and that the shop does not have yet. One that waits for its buyer to pay is not among them. */

import type { LedgerMs } from '../../../ledger/model/values/units.js';

export interface WaitingOrder {
  readonly order_id: string;
  readonly submitted_at_ms: LedgerMs;
  /** Steps in a row that did not succeed. */
  readonly attempts: number;
  /** Null where nothing has failed yet. */
  readonly last_failure: string | null;
}

/** How many wait behind the same failure. */
export interface WaitingCount {
  /** Null where nothing has failed yet. */
  readonly last_failure: string | null;
  readonly orders: number;
  readonly oldest_submitted_at_ms: LedgerMs;
}

/** `last_failure` outlives a step that succeeded; the count of attempts does not. The shop's pace is no attempt. */
const FAILURE = "CASE WHEN attempts > 0 OR last_failure = 'paced' THEN last_failure END";

const WAITING = `reservations INDEXED BY reservations_due_orders
  CROSS JOIN orders ON orders.reservation_key = reservations.reservation_key
  WHERE due_at_ms IS NOT NULL AND reservations.state = 'submitted' AND orders.state = 'accepted' AND pay_until_ms IS NULL`;

export const COUNT_WAITING = `SELECT ${FAILURE} AS last_failure, count(*) AS orders, min(submitted_at_ms) AS oldest_submitted_at_ms
  FROM ${WAITING} GROUP BY 1 ORDER BY orders DESC, last_failure`;

/** The parameter is how many at most; those that wait longest first. */
export const LIST_WAITING = `SELECT orders.id AS order_id, submitted_at_ms, attempts, ${FAILURE} AS last_failure
  FROM ${WAITING} ORDER BY submitted_at_ms, orders.order_key LIMIT ?`;
