/** Proves of every caller that it takes up what its reservations do. */

import type { Database } from '../database/driver.js';
import type { Findings } from './findings.js';

/**
 * Per caller and item, what counts for its quotas. Of a reservation that is past its time and not tidied yet it still
 * counts here: the quotas take those off when they judge.
 */
const STANDINGS = `WITH counting AS (
  SELECT reservations.reservation_key AS reservation_key, principal, origin, channel, pooled, CASE
      WHEN reservations.state = 'active' THEN 'live'
      WHEN orders.state = 'held' THEN iif(orders.held_for = 'stale', 'held', 'waiting')
      ELSE iif(orders.order_mode = 'checkout_link', 'live', 'ordered') END AS standing
  FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
  WHERE reservations.state = 'active' OR (reservations.state = 'submitted' AND orders.state IN ('held', 'accepted'))
), standings AS (
  SELECT reservation_key, 'principal' AS subject, principal AS name, standing FROM counting
  UNION ALL SELECT reservation_key, 'origin', origin, standing FROM counting WHERE origin IS NOT NULL
  UNION ALL SELECT reservation_key, 'channel', channel, standing FROM counting WHERE channel IS NOT NULL
  UNION ALL SELECT reservation_key, 'everyone', '', standing FROM counting WHERE pooled = 1
)`;

/** L2: what callers are said to take up is what their reservations do. */
export function checkUsage(db: Database, found: Findings): void {
  if (db.prepare('SELECT tallied FROM ledger WHERE id = 1').pluck().get() === 0) {
    const kept = db
      .prepare('SELECT (SELECT count(*) FROM callers) + (SELECT count(*) FROM caller_items)')
      .pluck()
      .get() as number;
    if (kept > 0) found.add('L2', `of callers nothing is kept, and there are ${kept} rows`);
    return;
  }
  const callers = db
    .prepare(
      `${STANDINGS}, counted AS (
         SELECT subject, name, sum(standing IN ('live', 'waiting')) AS live,
           sum(standing IN ('held', 'waiting')) AS held FROM standings
         WHERE subject IN ('principal', 'origin') GROUP BY subject, name
       )
       SELECT coalesce(callers.subject, counted.subject) || ' ' || coalesce(callers.name, counted.name) || ' is said to have '
         || coalesce(live_reservations, 0) || ' live reservations and ' || coalesce(held_orders, 0) || ' held orders, and has '
         || coalesce(live, 0) || ' and ' || coalesce(held, 0)
       FROM callers FULL JOIN counted ON counted.subject = callers.subject AND counted.name = callers.name
       WHERE coalesce(live_reservations, 0) <> coalesce(live, 0) OR coalesce(held_orders, 0) <> coalesce(held, 0)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of callers) found.add('L2', detail);
  const items = db
    .prepare(
      `${STANDINGS}, counted AS (
         SELECT subject, name, item_key, sum(iif(standing IN ('live', 'waiting'), quantity_units, 0)) AS live,
           sum(iif(standing = 'held', quantity_units, 0)) AS held, sum(iif(standing = 'ordered', quantity_units, 0)) AS ordered
         FROM standings JOIN holds ON holds.reservation_key = standings.reservation_key
         JOIN levels ON levels.level_key = holds.level_key
         WHERE holds.state <> 'returning' GROUP BY subject, name, item_key
       )
       SELECT coalesce(said.subject, counted.subject) || ' ' || coalesce(said.name, counted.name) || ' is said to keep '
         || coalesce(live_units, 0) || ', ' || coalesce(held_units, 0) || ' and ' || coalesce(ordered_units, 0) || ' units of item '
         || coalesce(said.item_key, counted.item_key) || ', live, held and ordered, and keeps '
         || coalesce(live, 0) || ', ' || coalesce(held, 0) || ' and ' || coalesce(ordered, 0)
       FROM caller_items AS said FULL JOIN counted
         ON counted.subject = said.subject AND counted.name = said.name AND counted.item_key = said.item_key
       WHERE coalesce(live_units, 0) <> coalesce(live, 0) OR coalesce(held_units, 0) <> coalesce(held, 0)
         OR coalesce(ordered_units, 0) <> coalesce(ordered, 0)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of items) found.add('L2', detail);
}
