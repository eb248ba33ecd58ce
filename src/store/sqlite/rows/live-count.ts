/** How much is held and waits now: a few figures for whoever watches, each read off an index. */

import type { LedgerMs } from '../../../ledger/model/values/units.js';

export interface LiveCount {
  /** Reservations that hold units. */
  readonly reservations: number;
  /** Units that they hold. */
  readonly units: number;
  readonly held_orders: number;
  /** When the oldest of them was submitted; null without one. */
  readonly oldest_held_at_ms: LedgerMs | null;
  /** Rows of the outbox that have stopped until a person looks. */
  readonly parked: number;
}

export const COUNT_LIVE = `SELECT
  (SELECT count(DISTINCT reservation_key) FROM holds WHERE state <> 'returning') AS reservations,
  (SELECT coalesce(sum(quantity_units), 0) FROM holds WHERE state <> 'returning') AS units,
  (SELECT count(*) FROM orders INDEXED BY orders_held WHERE state = 'held') AS held_orders,
  (SELECT min(submitted_at_ms) FROM orders INDEXED BY orders_held WHERE state = 'held') AS oldest_held_at_ms,
  (SELECT count(*) FROM reservations INDEXED BY reservations_parked WHERE parked = 1) AS parked`;
