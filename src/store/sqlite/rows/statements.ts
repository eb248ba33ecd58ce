/** Every statement, prepared once per connection. A test holds each against `EXPLAIN QUERY PLAN`. */

import { VOID_MARK } from '../../../ledger/model/order.js';
import { BulkInsert } from '../database/bulk-insert.js';
import type { Database, Statement } from '../database/driver.js';
import { COUNT_LIVE } from './live-count.js';
import { COUNT_UNPLACED } from './unplaced-holds.js';
import { COUNT_WAITING } from './waiting-orders.js';

const ITEM_COLUMNS = `item_key, item_id, variant_id, sku, title, variant_title, lifecycle, safety_stock_units,
  state_version, salt, stock_hash, as_of_ms, read_at_ms, velocity_micro_units_per_hour, velocity_at_ms, watched_since_ms,
  product_id, dirty_at_ms, inventory_policy, velocity_short_micro_units_per_hour, off_sale, given_sku`;

const RESERVATION_COLUMNS =
  'reservation_key, id, principal, channel, origin, pooled, state, lines, stock_hash, created_at_ms, expires_at_ms';

const OUTBOX_COLUMNS = `reservation_key, shop_state, protocol, tag, request, hold_ref, hold_until_ms, details_sent, intent_at_ms, empty_lookups,
  late_since_ms, attempts, due_at_ms, claimed_by, claimed_until_ms, parked, last_failure`;

const JOURNAL_COLUMNS = 'seq, at_ms, kind, reservation_key, item_key, data, hash';

const HOLD_COLUMNS =
  'level_key, reservation_key, quantity_units, state, place, awaits, awaits_after_ms, mirror_until_ms';

const LISTED_ORDER = `orders.id AS order_id, reservations.id AS reservation_id, principal, channel, orders.state AS state,
      held_for, held_until_ms, hash_verdict, lines, submitted_at_ms, upstream_order_name,
      route_state, route_detail ->> '$.why' AS route_why, parked, attempts, last_failure`;

/** Its first parameter is the present time. */
const LISTED_RESERVATION = `reservations.id AS reservation_id, principal, channel,
      CASE WHEN state = 'active' AND expires_at_ms <= ? THEN 'expired' ELSE state END AS state,
      lines, created_at_ms, expires_at_ms, parked, last_failure`;

/** Reservations that count for the quotas of their callers, once for each tally they stand in; `standingOf` says the same. */
const STANDINGS = `WITH counting AS (
    SELECT reservation_key, principal, origin, channel, pooled, 'live' AS standing FROM reservations INDEXED BY reservations_expiring
      WHERE state = 'active' AND expires_at_ms >= 0
    UNION ALL SELECT reservations.reservation_key, principal, origin, channel, pooled, iif(orders.state = 'held',
        iif(orders.held_for = 'stale', 'held', 'waiting'), iif(orders.order_mode = 'checkout_link', 'live', 'ordered'))
      FROM orders CROSS JOIN reservations ON reservations.reservation_key = orders.reservation_key
      WHERE orders.state IN ('held', 'accepted') AND reservations.state = 'submitted'
  ), standings AS (
    SELECT reservation_key, 'principal' AS subject, principal AS name, standing FROM counting
    UNION ALL SELECT reservation_key, 'origin', origin, standing FROM counting WHERE origin IS NOT NULL
    UNION ALL SELECT reservation_key, 'channel', channel, standing FROM counting WHERE channel IS NOT NULL
    UNION ALL SELECT reservation_key, 'everyone', '', standing FROM counting WHERE pooled = 1
  )`;

export const SQL = {
  head: `SELECT shop, last_at_ms, journal_seq, journal_hash, baseline_at_ms, confirmed_at_ms, cursor, tallied,
      missing_variants
    FROM ledger WHERE id = 1`,
  put_head: 'UPDATE ledger SET last_at_ms = ?, journal_seq = ?, journal_hash = ? WHERE id = 1',
  confirmed_at: 'SELECT confirmed_at_ms FROM ledger WHERE id = 1',
  time_mark:
    'SELECT shop_time_ms AS shop_ms, shop_time_at_ms AS ledger_ms FROM ledger WHERE id = 1 AND shop_time_ms IS NOT NULL',
  put_time_mark: 'UPDATE ledger SET shop_time_ms = ?, shop_time_at_ms = ? WHERE id = 1',
  put_sync:
    'UPDATE ledger SET baseline_at_ms = coalesce(max(baseline_at_ms, ?), baseline_at_ms, ?), confirmed_at_ms = max(confirmed_at_ms, ?), cursor = ? WHERE id = 1',
  move_sync:
    'UPDATE ledger SET baseline_at_ms = coalesce(max(baseline_at_ms, ?), baseline_at_ms, ?), confirmed_at_ms = max(confirmed_at_ms, ?), cursor = ? WHERE id = 1 AND cursor IS ?',

  locations: 'SELECT location_key, location_id, name, position, active, till_only FROM locations',
  put_location: `INSERT INTO locations (location_id, name, position, active, till_only) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (location_id) DO UPDATE SET name = excluded.name, position = excluded.position, active = excluded.active,
      till_only = excluded.till_only`,
  close_location:
    'UPDATE locations SET closed_since_ms = (SELECT confirmed_at_ms FROM ledger WHERE id = 1) WHERE location_key = ?',

  item_by_sku: `SELECT ${ITEM_COLUMNS} FROM items WHERE sku = ?`,
  items_by_sku_key: `SELECT ${ITEM_COLUMNS} FROM items WHERE sku_key = ? LIMIT ?`,
  claimants: `SELECT ${ITEM_COLUMNS} FROM items WHERE given_sku = ?
    ORDER BY CASE lifecycle WHEN 'active' THEN 0 WHEN 'unlisted' THEN 1 ELSE 2 END, length(variant_id) DESC, variant_id DESC LIMIT ?`,
  item_by_id: `SELECT ${ITEM_COLUMNS} FROM items WHERE item_id = ?`,
  item_by_key: `SELECT ${ITEM_COLUMNS} FROM items WHERE item_key = ?`,
  items_not_read_since:
    'SELECT item_key, item_id FROM items WHERE item_key > ? AND read_at_ms < ? ORDER BY item_key LIMIT ?',
  items_unproven: `SELECT item_key, item_id FROM items WHERE item_key > ?
    AND item_key IN (SELECT item_key FROM levels WHERE unproven_units > 0) ORDER BY item_key LIMIT ?`,
  count_unproven: 'SELECT count(*) AS levels FROM levels WHERE unproven_units > 0',
  levels: `SELECT level_key, location_key, sellable_here, upstream_available_units, upstream_on_hand_units,
      upstream_committed_units, held_units, mirrored_units, under_way_units, upstream_updated_at_ms, read_at_ms,
      doubted_units, guessed_units, unproven_units
    FROM levels WHERE item_key = ?`,
  item_of_level: 'SELECT item_key FROM levels WHERE level_key = ?',
  put_item: `INSERT INTO items (item_id, variant_id, sku, title, variant_title, lifecycle, safety_stock_units,
      state_version, salt, stock_hash, as_of_ms, read_at_ms, velocity_micro_units_per_hour, velocity_at_ms, watched_since_ms,
      product_id, dirty_at_ms, inventory_policy, velocity_short_micro_units_per_hour, off_sale, given_sku, sku_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (item_id) DO UPDATE SET variant_id = excluded.variant_id, sku = excluded.sku, title = excluded.title,
      variant_title = excluded.variant_title, lifecycle = excluded.lifecycle, safety_stock_units = excluded.safety_stock_units,
      state_version = excluded.state_version, salt = excluded.salt, stock_hash = excluded.stock_hash,
      as_of_ms = excluded.as_of_ms, read_at_ms = excluded.read_at_ms,
      velocity_micro_units_per_hour = excluded.velocity_micro_units_per_hour, velocity_at_ms = excluded.velocity_at_ms,
      watched_since_ms = excluded.watched_since_ms, product_id = excluded.product_id, dirty_at_ms = excluded.dirty_at_ms, inventory_policy = excluded.inventory_policy,
      velocity_short_micro_units_per_hour = excluded.velocity_short_micro_units_per_hour, off_sale = excluded.off_sale, given_sku = excluded.given_sku, sku_key = excluded.sku_key
    RETURNING item_key`,
  put_level: `INSERT INTO levels (item_key, location_key, sellable_here, upstream_available_units, upstream_on_hand_units,
      upstream_committed_units, held_units, mirrored_units, under_way_units, upstream_updated_at_ms, read_at_ms,
      doubted_units, guessed_units, unproven_units)
    VALUES (?, (SELECT location_key FROM locations WHERE location_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (item_key, location_key) DO UPDATE SET sellable_here = excluded.sellable_here,
      upstream_available_units = excluded.upstream_available_units, upstream_on_hand_units = excluded.upstream_on_hand_units,
      upstream_committed_units = excluded.upstream_committed_units, held_units = excluded.held_units,
      mirrored_units = excluded.mirrored_units, doubted_units = excluded.doubted_units, guessed_units = excluded.guessed_units, under_way_units = excluded.under_way_units,
      unproven_units = excluded.unproven_units,
      upstream_updated_at_ms = excluded.upstream_updated_at_ms,
      read_at_ms = excluded.read_at_ms`,
  put_safety_stock: 'UPDATE items SET safety_stock_units = ? WHERE safety_stock_units <> ?',
  put_sums:
    'UPDATE levels SET held_units = ?, mirrored_units = ?, doubted_units = ?, under_way_units = ? WHERE level_key = ?',
  put_version:
    'INSERT INTO stock_versions (item_key, state_version, stock_hash, as_of_ms) VALUES (?, ?, ?, ?)',
  history:
    'SELECT stock_hash, as_of_ms FROM stock_versions WHERE item_key = ? ORDER BY state_version DESC LIMIT ?',

  reservation_by_id: `SELECT ${RESERVATION_COLUMNS} FROM reservations WHERE id = ?`,
  reservation_of_owner: `SELECT ${RESERVATION_COLUMNS} FROM reservations WHERE id = ? AND principal = ?`,
  last_reservation_key: 'SELECT max(reservation_key) AS key FROM reservations',
  reservation_by_key: `SELECT ${RESERVATION_COLUMNS} FROM reservations WHERE reservation_key = ?`,
  put_reservation: 'UPDATE reservations SET state = ? WHERE reservation_key = ?',
  expired_reservations: `SELECT reservation_key FROM reservations
    WHERE state = 'active' AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`,
  expired_units: `SELECT holds.level_key AS level_key, sum(holds.quantity_units) AS units
    FROM reservations INDEXED BY reservations_expiring
    CROSS JOIN holds ON holds.reservation_key = reservations.reservation_key
    WHERE reservations.state = 'active' AND reservations.expires_at_ms <= ? AND holds.state = 'counted'
    GROUP BY holds.level_key`,

  holds: `SELECT ${HOLD_COLUMNS} FROM holds WHERE reservation_key = ?`,
  awaiting: `SELECT ${HOLD_COLUMNS} FROM holds WHERE level_key = ? AND awaits IS NOT NULL ORDER BY awaits_after_ms LIMIT ?`,
  lapsing: `SELECT ${HOLD_COLUMNS} FROM holds WHERE level_key = ? AND state = 'mirrored' AND awaits IS NULL AND mirror_until_ms <= ?`,
  lasting: `SELECT ${HOLD_COLUMNS} FROM holds INDEXED BY holds_mirrored
    WHERE level_key = ? AND state = 'mirrored' AND mirror_until_ms > ? ORDER BY mirror_until_ms DESC LIMIT ?`,
  guessed: `SELECT ${HOLD_COLUMNS} FROM holds WHERE level_key = ? AND place = 'guessed' ORDER BY reservation_key LIMIT ?`,
  mirrored_holds: `SELECT reservation_key, quantity_units FROM holds INDEXED BY holds_mirrored WHERE level_key = ? AND state = 'mirrored'`,
  opened_holds: `SELECT reservation_key, quantity_units FROM holds INDEXED BY holds_awaiting
    WHERE level_key = ? AND awaits IS NOT NULL AND awaits = 'mirror'`,
  under_way: `SELECT holds.quantity_units AS quantity_units, holds.state AS state, reservations.shop_state AS shop_state,
      reservations.protocol AS protocol
    FROM reservations INDEXED BY reservations_under_way
    CROSS JOIN holds ON holds.reservation_key = reservations.reservation_key AND holds.level_key = ?
    WHERE reservations.shop_state IN ('creating', 'deleting') AND reservations.parked = 0`,
  count_live: COUNT_LIVE,
  count_unplaced: COUNT_UNPLACED,
  add_hold: `INSERT INTO holds (quantity_units, state, place, awaits, awaits_after_ms, mirror_until_ms, level_key, reservation_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  put_hold: `UPDATE holds SET quantity_units = ?, state = ?, place = ?, awaits = ?, awaits_after_ms = ?, mirror_until_ms = ?
    WHERE level_key = ? AND reservation_key = ?`,
  drop_hold: 'DELETE FROM holds WHERE level_key = ? AND reservation_key = ?',
  younger_units: `SELECT sum(holds.quantity_units) AS units FROM holds
    CROSS JOIN reservations ON reservations.reservation_key = holds.reservation_key
    WHERE holds.reservation_key > ? AND holds.level_key = ? AND holds.state <> 'returning'
      AND (reservations.state <> 'active' OR reservations.expires_at_ms > ?)`,

  routed_of_item: `SELECT reservation_key, item_key, to_level_key, from_level_key, units, awaits_after_ms
    FROM routed_units WHERE item_key = ?`,
  routed_by_level:
    'SELECT to_level_key AS level_key, sum(units) AS units FROM routed_units GROUP BY to_level_key',
  put_routed: `INSERT INTO routed_units (reservation_key, item_key, to_level_key, from_level_key, units, awaits_after_ms)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (reservation_key, to_level_key) DO UPDATE SET item_key = excluded.item_key,
      from_level_key = excluded.from_level_key, units = excluded.units, awaits_after_ms = excluded.awaits_after_ms`,
  drop_routed: 'DELETE FROM routed_units WHERE reservation_key = ? AND to_level_key = ?',
  returning_units: `SELECT sum(quantity_units) AS units FROM holds INDEXED BY holds_returning
    WHERE level_key = ? AND state = 'returning'`,

  caller: `SELECT live_reservations, held_orders, granted, idle, sold, idle_at_ms, ordered, ordered_units
    FROM callers WHERE subject = ? AND name = ?`,
  put_caller: `INSERT INTO callers (subject, name, live_reservations, held_orders, granted, idle, sold, idle_at_ms, ordered, ordered_units, at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (subject, name) DO UPDATE SET live_reservations = excluded.live_reservations, held_orders = excluded.held_orders,
      granted = excluded.granted, idle = excluded.idle, sold = excluded.sold, idle_at_ms = excluded.idle_at_ms,
      ordered = excluded.ordered, ordered_units = excluded.ordered_units, at_ms = excluded.at_ms`,
  // The names of all callers are in order: another one is before or behind.
  other_caller: `SELECT EXISTS (SELECT 1 FROM callers WHERE subject = 'principal' AND name < ?)
    OR EXISTS (SELECT 1 FROM callers WHERE subject = 'principal' AND name > ?) AS other`,
  caller_item: `SELECT live_units, held_units, ordered_units, idle_ms, since_ms, sold, unsold
    FROM caller_items WHERE subject = ? AND name = ? AND item_key = ?`,
  put_caller_item: `INSERT INTO caller_items
      (subject, name, item_key, live_units, held_units, ordered_units, idle_ms, since_ms, sold, unsold)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (subject, name, item_key) DO UPDATE SET live_units = excluded.live_units, held_units = excluded.held_units,
      ordered_units = excluded.ordered_units, idle_ms = excluded.idle_ms, since_ms = excluded.since_ms,
      sold = excluded.sold, unsold = excluded.unsold`,
  expired_usage: `SELECT reservations.reservation_key AS reservation_key, principal, origin, channel, pooled, created_at_ms,
      expires_at_ms, levels.item_key AS item_key, quantity_units
    FROM reservations INDEXED BY reservations_expiring
    CROSS JOIN holds ON holds.reservation_key = reservations.reservation_key
    CROSS JOIN levels ON levels.level_key = holds.level_key
    WHERE reservations.state = 'active' AND expires_at_ms <= ? AND holds.state <> 'returning' ORDER BY expires_at_ms`,
  expiries: `SELECT levels.item_key AS item_key, min(soon.expires_at_ms) AS expires_at_ms
    FROM (SELECT reservation_key, principal, expires_at_ms FROM reservations INDEXED BY reservations_expiring
      WHERE state = 'active' AND expires_at_ms > ? ORDER BY expires_at_ms LIMIT ?) AS soon
    CROSS JOIN holds ON holds.reservation_key = soon.reservation_key
    CROSS JOIN levels ON levels.level_key = holds.level_key
    WHERE soon.principal = ? GROUP BY levels.item_key`,
  own_units: `SELECT levels.item_key AS item_key, sum(holds.quantity_units) AS units
    FROM reservations INDEXED BY reservations_expiring
    CROSS JOIN holds ON holds.reservation_key = reservations.reservation_key
    CROSS JOIN levels ON levels.level_key = holds.level_key
    WHERE reservations.state = 'active' AND reservations.expires_at_ms > ? AND reservations.principal = ?
      AND holds.state <> 'returning' GROUP BY levels.item_key`,
  put_tallied: 'UPDATE ledger SET tallied = ? WHERE id = 1',
  drop_callers: 'DELETE FROM callers',
  drop_caller_items: 'DELETE FROM caller_items',
  count_callers: `${STANDINGS}
    INSERT INTO callers (subject, name, live_reservations, held_orders, at_ms)
    SELECT subject, name, sum(standing IN ('live', 'waiting')), sum(standing IN ('held', 'waiting')), ?
    FROM standings WHERE subject IN ('principal', 'origin') GROUP BY subject, name`,
  count_caller_items: `${STANDINGS}
    INSERT INTO caller_items (subject, name, item_key, live_units, held_units, ordered_units, idle_ms, since_ms)
    SELECT subject, name, item_key, sum(iif(standing IN ('live', 'waiting'), quantity_units, 0)),
      sum(iif(standing = 'held', quantity_units, 0)), sum(iif(standing = 'ordered', quantity_units, 0)), 0, ?
    FROM standings CROSS JOIN holds ON holds.reservation_key = standings.reservation_key
    CROSS JOIN levels ON levels.level_key = holds.level_key
    WHERE holds.state <> 'returning' GROUP BY subject, name, item_key`,
  prune_callers: `DELETE FROM callers WHERE (subject, name) IN
    (SELECT subject, name FROM callers WHERE live_reservations = 0 AND held_orders = 0 AND at_ms < ? ORDER BY at_ms LIMIT ?)`,
  prune_caller_items: `DELETE FROM caller_items WHERE (subject, name, item_key) IN
    (SELECT subject, name, item_key FROM caller_items
      WHERE live_units = 0 AND held_units = 0 AND ordered_units = 0 AND since_ms < ? ORDER BY since_ms LIMIT ?)`,

  order_by_id: 'SELECT * FROM orders WHERE id = ?',
  order_of_owner: `SELECT orders.reservation_key AS reservation_key
    FROM orders JOIN reservations ON reservations.reservation_key = orders.reservation_key
    WHERE orders.id = ? AND reservations.principal = ?`,
  // The shop's own name of an order. A shop may give one twice: the newest is meant.
  order_by_name: `SELECT reservation_key FROM orders WHERE upstream_order_name = ?
    ORDER BY order_key DESC LIMIT 1`,
  named_order_of_owner: `SELECT orders.reservation_key AS reservation_key
    FROM orders JOIN reservations ON reservations.reservation_key = orders.reservation_key
    WHERE orders.upstream_order_name = ? AND reservations.principal = ? ORDER BY orders.order_key DESC LIMIT 1`,
  order_by_ref: 'SELECT reservation_key FROM orders WHERE upstream_order_ref = ?',
  // A shop that was itself put back uses ids again: the older order is not there any more, and its row keeps a name that no order has.
  void_order_ref: `UPDATE orders SET upstream_order_ref = upstream_order_ref || '${VOID_MARK}' || order_key
    WHERE upstream_order_ref = ? AND id <> ? RETURNING reservation_key`,
  unseen_orders: `SELECT upstream_order_ref FROM orders
    WHERE aftermath IS NULL AND upstream_order_ref IS NOT NULL AND instr(upstream_order_ref, '${VOID_MARK}') = 0 AND placed_at_ms <= ? ORDER BY placed_at_ms LIMIT ?`,
  orders_cursor: 'SELECT orders_cursor FROM ledger WHERE id = 1',
  put_orders_cursor: 'UPDATE ledger SET orders_cursor = ? WHERE id = 1',
  publication_key: 'SELECT publication FROM ledger WHERE id = 1',
  put_publication_key: 'UPDATE ledger SET publication = ? WHERE id = 1',
  order_by_reservation: 'SELECT * FROM orders WHERE reservation_key = ?',
  add_order: `INSERT INTO orders (id, reservation_key, state, hash_verdict, stock_hash, reasons, buyer, note, reference,
      submitted_at_ms, decided_at_ms, placed_at_ms, upstream_order_ref, upstream_order_name, checkout_url, order_mode, pay_until_ms,
      payment, held_for, held_until_ms, refused_fields, buyer_refusals, route_state, route_detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  put_order: `UPDATE orders SET state = ?, hash_verdict = ?, stock_hash = ?, note = ?, reference = ?, held_for = ?, held_until_ms = ?,
      refused_fields = ?, buyer_refusals = ?, reasons = ?, approved_by = ?, buyer = ?, decided_at_ms = ?, placed_at_ms = ?,
      upstream_order_ref = ?, upstream_order_name = ?, shop_lines = ?, checkout_url = ?, pay_until_ms = ?, aftermath = ?,
      route_state = ?, route_detail = ?
    WHERE id = ?`,

  outbox: `SELECT ${OUTBOX_COLUMNS} FROM reservations WHERE reservation_key = ?`,
  put_outbox: `UPDATE reservations SET shop_state = ?, protocol = ?, request = ?, hold_ref = ?, hold_until_ms = ?, details_sent = ?, intent_at_ms = ?,
      empty_lookups = ?, late_since_ms = ?, attempts = ?, due_at_ms = ?, claimed_by = ?, claimed_until_ms = ?, parked = ?, last_failure = ?
    WHERE reservation_key = ?`,
  next_order_caller: `SELECT principal FROM reservations INDEXED BY reservations_due_orders
    WHERE due_at_ms IS NOT NULL AND state = 'submitted' AND principal > ? ORDER BY principal LIMIT 1`,
  next_hold_caller: `SELECT principal FROM reservations INDEXED BY reservations_due_holds
    WHERE due_at_ms IS NOT NULL AND state <> 'submitted' AND principal > ? ORDER BY principal LIMIT 1`,
  due_orders: `SELECT reservation_key, principal FROM reservations INDEXED BY reservations_due_orders
    WHERE principal = ? AND due_at_ms <= ? AND state = 'submitted'
      AND (claimed_until_ms IS NULL OR claimed_until_ms <= ? OR claimed_by = ?) ORDER BY due_at_ms LIMIT ?`,
  due_holds: `SELECT reservation_key, principal FROM reservations INDEXED BY reservations_due_holds
    WHERE principal = ? AND due_at_ms <= ? AND state <> 'submitted'
      AND (claimed_until_ms IS NULL OR claimed_until_ms <= ? OR claimed_by = ?) ORDER BY due_at_ms LIMIT ?`,
  holds_waiting: `SELECT count(*) AS rows FROM (SELECT 1 FROM reservations INDEXED BY reservations_due_holds
    WHERE principal = ? AND due_at_ms <= ? AND state <> 'submitted' LIMIT ?)`,
  moved_rows: `SELECT shop_state, request FROM reservations
    WHERE protocol = 'move' AND shop_state IN ('creating', 'open', 'deleting') AND request IS NOT NULL`,
  late_rows: `SELECT reservation_key, tag, late_since_ms FROM reservations
    WHERE late_since_ms > ? ORDER BY late_since_ms DESC LIMIT ?`,

  timeline_start: `SELECT ${JOURNAL_COLUMNS} FROM journal
    WHERE seq = (SELECT created_seq FROM reservations WHERE reservation_key = ?)`,
  timeline_newest: `SELECT ${JOURNAL_COLUMNS} FROM journal
    WHERE reservation_key = ? AND kind <> 'reservation.created' ORDER BY seq DESC LIMIT ?`,

  has_refused_hash: `SELECT 1 FROM journal
    WHERE reservation_key = ? AND kind <> 'reservation.created' AND kind = 'security.stock_hash_unknown' LIMIT 1`,
  item_timeline: `SELECT ${JOURNAL_COLUMNS} FROM journal
    WHERE item_key = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`,
  order_key: 'SELECT order_key FROM orders WHERE id = ?',
  order_key_by_name:
    'SELECT order_key FROM orders WHERE upstream_order_name = ? ORDER BY order_key DESC LIMIT 1',
  count_waiting_orders: COUNT_WAITING,
  list_orders: `SELECT ${LISTED_ORDER} FROM orders
    CROSS JOIN reservations ON reservations.reservation_key = orders.reservation_key
    WHERE order_key < ? ORDER BY order_key DESC LIMIT ?`,
  list_orders_waiting: `SELECT ${LISTED_ORDER} FROM (
      SELECT order_key FROM orders INDEXED BY orders_held WHERE state = 'held' AND ? = 1 AND order_key < ?
      UNION
      SELECT order_key FROM reservations INDEXED BY reservations_parked
        CROSS JOIN orders ON orders.reservation_key = reservations.reservation_key
        WHERE parked = 1 AND ? = 1 AND order_key < ?
    ) AS waiting
    CROSS JOIN orders ON orders.order_key = waiting.order_key
    CROSS JOIN reservations ON reservations.reservation_key = orders.reservation_key
    ORDER BY orders.order_key DESC LIMIT ?`,
  reservation_key: 'SELECT reservation_key FROM reservations WHERE id = ?',
  list_reservations: `SELECT ${LISTED_RESERVATION} FROM reservations
    WHERE reservation_key < ? ORDER BY reservation_key DESC LIMIT ?`,
  list_reservations_waiting: `SELECT ${LISTED_RESERVATION} FROM (
      SELECT reservation_key FROM reservations INDEXED BY reservations_expiring
        WHERE state = 'active' AND expires_at_ms > ? AND ? = 1 AND reservation_key < ?
      UNION
      SELECT reservation_key FROM reservations INDEXED BY reservations_parked
        WHERE parked = 1 AND ? = 1 AND reservation_key < ?
    ) AS waiting
    CROSS JOIN reservations ON reservations.reservation_key = waiting.reservation_key
    ORDER BY reservations.reservation_key DESC LIMIT ?`,

  add_reconciliation: `INSERT INTO reconciliations (journal_seq, began_at_ms, ended_at_ms, is_first, items_read,
      levels_compared, drift_total, catalogue_drift_total, in_passing_total, drift, catalogue_drift, variants_read,
      variants_counted)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  put_missing_variants: 'UPDATE ledger SET missing_variants = ? WHERE id = 1',
  prune_reconciliations: `DELETE FROM reconciliations WHERE reconciliation_key <=
    (SELECT reconciliation_key FROM reconciliations ORDER BY reconciliation_key DESC LIMIT 1 OFFSET ?)`,
  reconciliations: `SELECT began_at_ms, ended_at_ms, is_first, items_read, levels_compared, drift_total,
      catalogue_drift_total, in_passing_total, drift, catalogue_drift, variants_read, variants_counted
    FROM reconciliations ORDER BY reconciliation_key DESC LIMIT ?`,

  remembered:
    'SELECT input_hash, reservation_key, answer FROM idempotency WHERE principal = ? AND tool = ? AND key = ?',
  remember: `INSERT INTO idempotency (principal, tool, key, input_hash, reservation_key, answer, at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  prune_idempotency: `DELETE FROM idempotency WHERE (principal, tool, key) IN
    (SELECT principal, tool, key FROM idempotency WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`,
  prune_history: `DELETE FROM stock_versions WHERE (item_key, state_version) IN
    (SELECT old.item_key, old.state_version FROM stock_versions AS old
      CROSS JOIN items ON items.item_key = old.item_key
      WHERE old.as_of_ms < ? AND old.state_version < items.state_version ORDER BY old.as_of_ms LIMIT ?)`,

  remember_delivery:
    'INSERT INTO deliveries (delivery_id, received_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
  knows_delivery: 'SELECT 1 FROM deliveries WHERE delivery_id = ?',
  prune_deliveries: `DELETE FROM deliveries WHERE delivery_id IN
    (SELECT delivery_id FROM deliveries WHERE received_at_ms < ? ORDER BY received_at_ms LIMIT ?)`,
  add_to_inbox: `INSERT INTO inbox (delivery_id, topic, received_at_ms, due_at_ms, hints) VALUES (?, ?, ?, ?, ?)`,
  inbox_count: 'SELECT count(*) AS waiting FROM inbox',
  inbox_oldest: 'SELECT received_at_ms FROM inbox ORDER BY seq LIMIT 1',
  inbox_due: `SELECT seq, delivery_id, topic, received_at_ms, attempts, hints FROM inbox
    WHERE due_at_ms <= ? ORDER BY seq LIMIT ?`,
  drop_from_inbox: 'DELETE FROM inbox WHERE seq = ?',
  put_off_in_inbox: 'UPDATE inbox SET due_at_ms = ?, attempts = attempts + 1 WHERE seq = ?',
  mark_item: 'UPDATE items SET dirty_at_ms = ? WHERE item_id = ?',
  mark_location: `UPDATE items SET dirty_at_ms = ?
    WHERE read_at_ms >= coalesce((SELECT closed_since_ms FROM locations WHERE location_key = ?), 0)
      OR EXISTS (SELECT 1 FROM levels WHERE levels.item_key = items.item_key AND location_key = ?)`,
  mark_variant: 'UPDATE items SET dirty_at_ms = ? WHERE variant_id = ?',
  mark_product: 'UPDATE items SET dirty_at_ms = ? WHERE product_id = ?',
  item_times:
    'SELECT item_id, variant_id, lifecycle, off_sale, read_at_ms, dirty_at_ms FROM items WHERE item_id = ?',
  items_of_variant: 'SELECT item_id FROM items WHERE variant_id = ?',
  items_of_product: 'SELECT item_id FROM items WHERE product_id = ?',
  wake_hold: `UPDATE reservations SET due_at_ms = ?
    WHERE hold_ref = ? AND shop_state = 'open' AND parked = 0 AND (due_at_ms IS NULL OR due_at_ms > ?)`,

  wake_row: `UPDATE reservations SET due_at_ms = ? WHERE reservation_key = ? AND shop_state = 'open' AND parked = 0
    AND state IN ('active', 'submitted')`,
  wake_order: `UPDATE reservations SET due_at_ms = ? WHERE reservation_key = ? AND shop_state = 'open' AND parked = 0
    AND state = 'submitted'`,

  data_version: 'PRAGMA data_version',
  journal_tail: 'SELECT reservation_key, item_key FROM journal WHERE seq > ? ORDER BY seq LIMIT ?',
  items_marked_since: 'SELECT item_key, sku FROM items WHERE dirty_at_ms >= ? ORDER BY dirty_at_ms LIMIT ?',
  reservations_ended: `SELECT reservation_key FROM reservations
    WHERE state = 'active' AND expires_at_ms > ? AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`,
  lines_of: 'SELECT lines FROM reservations WHERE reservation_key = ?',
  items_held_by: `SELECT levels.item_key AS item_key FROM holds
    CROSS JOIN levels ON levels.level_key = holds.level_key WHERE holds.reservation_key = ?`,
  sku_of_item: 'SELECT sku FROM items WHERE item_key = ?',

  others_lease: 'SELECT EXISTS (SELECT 1 FROM leases WHERE until_ms > ? AND owner <> ?) AS lives',
  lease: 'SELECT owner, until_ms FROM leases WHERE name = ?',
  put_lease: `INSERT INTO leases (name, owner, until_ms) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms`,
  drop_lease: 'DELETE FROM leases WHERE name = ? AND owner = ?',

  // The first matches, ranked among each other: to rank all would cost more than any answer is worth.
  search: `SELECT sku, title, variant FROM (
      SELECT items.sku AS sku, items.title AS title, items.variant_title AS variant, rank AS score
      FROM items_text CROSS JOIN items ON items.item_key = items_text.rowid
      WHERE items_text MATCH ? AND items.lifecycle = 'active' LIMIT ?
    ) ORDER BY score LIMIT ?`,
  has_match: 'SELECT 1 FROM items_text WHERE items_text MATCH ? LIMIT 1',
  terms_between: `SELECT term FROM items_words
    WHERE term >= ? AND term < ? AND term NOT GLOB '*[0-9]*' LIMIT ?`,
} as const;

export type StatementName = keyof typeof SQL;

/** Read on every call: their rows come as arrays. */
const AS_ARRAYS = [
  'head',
  'item_by_sku',
  'claimants',
  'items_by_sku_key',
  'item_by_id',
  'item_by_key',
  'levels',
  'caller',
  'caller_item',
] as const satisfies StatementName[];

/** Rows that a transaction only adds: kept back and inserted together. */
export interface Additions {
  readonly reservations: BulkInsert;
  readonly holds: BulkInsert;
  readonly journal: BulkInsert;
}

export type Statements = { readonly [name in StatementName]: Statement } & { readonly add: Additions };

export function prepareAll(db: Database): Statements {
  const prepared: Partial<Record<StatementName, Statement>> = {};
  for (const name of Object.keys(SQL) as StatementName[]) prepared[name] = db.prepare(SQL[name]);
  for (const name of AS_ARRAYS) prepared[name]?.raw();
  const add: Additions = {
    reservations: new BulkInsert(db, 'reservations', [
      'reservation_key',
      'id',
      'principal',
      'channel',
      'origin',
      'pooled',
      'lines',
      'stock_hash',
      'created_at_ms',
      'expires_at_ms',
      'created_seq',
      'tag',
      'due_at_ms',
      'claimed_by',
      'claimed_until_ms',
    ]),
    holds: new BulkInsert(db, 'holds', ['reservation_key', 'level_key', 'quantity_units']),
    journal: new BulkInsert(db, 'journal', [
      'seq',
      'at_ms',
      'kind',
      'reservation_key',
      'item_key',
      'data',
      'hash',
    ]),
  };
  return { ...(prepared as { readonly [name in StatementName]: Statement }), add };
}

/** Forgets rows that were kept back for a transaction that was rolled back. */
export function discardAdditions({ add }: Statements): void {
  for (const bulk of [add.reservations, add.holds, add.journal]) bulk.discard();
}
