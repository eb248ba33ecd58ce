/** The schema, as numbered steps. A step that has been released is never edited: the next one mends it. */

const MIGRATION_2 = `
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  shop TEXT NOT NULL,
  last_at_ms INTEGER NOT NULL,
  journal_seq INTEGER NOT NULL,
  journal_hash BLOB NOT NULL CHECK (length(journal_hash) = 32),
  baseline_at_ms INTEGER,
  confirmed_at_ms INTEGER NOT NULL DEFAULT 0,
  cursor TEXT,
  orders_cursor TEXT
) STRICT;

CREATE TABLE locations (
  location_key INTEGER PRIMARY KEY,
  location_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE items (
  item_key INTEGER PRIMARY KEY,
  item_id TEXT NOT NULL UNIQUE,
  variant_id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  sku TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  variant_title TEXT NOT NULL,
  lifecycle TEXT NOT NULL CHECK (lifecycle IN ('active', 'discontinued', 'unlisted')),
  safety_stock_units INTEGER NOT NULL CHECK (safety_stock_units >= 0),
  state_version INTEGER NOT NULL CHECK (state_version > 0),
  salt TEXT NOT NULL CHECK (length(salt) = 32),
  stock_hash TEXT NOT NULL CHECK (length(stock_hash) = 71),
  as_of_ms INTEGER NOT NULL,
  read_at_ms INTEGER NOT NULL,
  velocity_micro_units_per_hour INTEGER NOT NULL CHECK (velocity_micro_units_per_hour >= 0),
  velocity_at_ms INTEGER NOT NULL,
  watched_since_ms INTEGER NOT NULL,
  -- When the shop last said that the item has changed; null once a read that began no earlier is taken over.
  dirty_at_ms INTEGER
) STRICT;
CREATE INDEX items_by_variant ON items (variant_id);
CREATE INDEX items_by_product ON items (product_id);

CREATE TABLE levels (
  level_key INTEGER PRIMARY KEY,
  item_key INTEGER NOT NULL REFERENCES items,
  location_key INTEGER NOT NULL REFERENCES locations,
  sellable_here INTEGER NOT NULL CHECK (sellable_here IN (0, 1)),
  upstream_available_units INTEGER NOT NULL,
  upstream_on_hand_units INTEGER,
  upstream_committed_units INTEGER,
  held_units INTEGER NOT NULL CHECK (held_units >= 0),
  mirrored_units INTEGER NOT NULL CHECK (mirrored_units >= 0),
  under_way_units INTEGER NOT NULL DEFAULT 0,
  upstream_updated_at_ms INTEGER,
  read_at_ms INTEGER NOT NULL,
  UNIQUE (item_key, location_key)
) STRICT;

CREATE TABLE stock_versions (
  item_key INTEGER NOT NULL,
  state_version INTEGER NOT NULL,
  stock_hash TEXT NOT NULL CHECK (length(stock_hash) = 71),
  as_of_ms INTEGER NOT NULL,
  PRIMARY KEY (item_key, state_version)
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_versions_by_age ON stock_versions (as_of_ms);

CREATE TABLE reservations (
  reservation_key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'submitted', 'committed', 'released', 'expired')),
  lines TEXT NOT NULL,
  stock_hash TEXT NOT NULL CHECK (length(stock_hash) = 71),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
  created_seq INTEGER,
  -- The outbox row of the reservation: in the same row, because each has exactly one from the start.
  tag TEXT NOT NULL,
  due_at_ms INTEGER,
  shop_state TEXT NOT NULL DEFAULT 'absent'
    CHECK (shop_state IN ('absent', 'creating', 'open', 'completing', 'completed', 'deleting', 'deleted')),
  protocol TEXT CHECK (protocol IN ('draft_order', 'move')),
  request TEXT,
  hold_ref TEXT,
  hold_until_ms INTEGER,
  details_sent INTEGER NOT NULL DEFAULT 0 CHECK (details_sent IN (0, 1)),
  intent_at_ms INTEGER,
  empty_lookups INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  claimed_by TEXT,
  claimed_until_ms INTEGER,
  parked INTEGER NOT NULL DEFAULT 0 CHECK (parked IN (0, 1)),
  last_failure TEXT
) STRICT;
CREATE INDEX reservations_expiring ON reservations (expires_at_ms) WHERE state = 'active';
CREATE INDEX reservations_due ON reservations (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX reservations_by_hold ON reservations (hold_ref) WHERE hold_ref IS NOT NULL;
CREATE INDEX reservations_under_way ON reservations (shop_state) WHERE shop_state IN ('creating', 'deleting');

-- For people and for proofs; the program itself reads the table.
CREATE VIEW outbox AS SELECT reservation_key, shop_state, protocol, tag, request, hold_ref, hold_until_ms, details_sent, intent_at_ms,
  empty_lookups, attempts, due_at_ms, claimed_by, claimed_until_ms, parked, last_failure FROM reservations;

CREATE TABLE holds (
  reservation_key INTEGER NOT NULL,
  level_key INTEGER NOT NULL,
  quantity_units INTEGER NOT NULL CHECK (quantity_units > 0),
  state TEXT NOT NULL DEFAULT 'counted' CHECK (state IN ('counted', 'mirrored', 'returning')),
  awaits TEXT CHECK (awaits IN ('mirror', 'settle', 'return')),
  awaits_after_ms INTEGER CHECK ((awaits IS NULL) = (awaits_after_ms IS NULL)),
  mirror_until_ms INTEGER,
  PRIMARY KEY (reservation_key, level_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_awaiting ON holds (level_key, awaits_after_ms) WHERE awaits IS NOT NULL;
CREATE INDEX holds_mirrored ON holds (level_key, mirror_until_ms) WHERE state = 'mirrored';

CREATE TABLE orders (
  order_key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  reservation_key INTEGER NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('held', 'accepted', 'rejected', 'placed', 'failed', 'fulfilled', 'cancelled')),
  hash_verdict TEXT NOT NULL CHECK (hash_verdict IN ('match', 'stale')),
  stock_hash TEXT NOT NULL CHECK (length(stock_hash) = 71),
  reasons TEXT NOT NULL,
  approved_by TEXT,
  buyer TEXT CHECK (buyer IS NULL OR state IN ('held', 'accepted')),
  note TEXT,
  reference TEXT,
  submitted_at_ms INTEGER NOT NULL,
  decided_at_ms INTEGER,
  placed_at_ms INTEGER,
  upstream_order_ref TEXT UNIQUE,
  upstream_order_name TEXT,
  order_mode TEXT NOT NULL CHECK (order_mode IN ('complete', 'checkout_link')),
  checkout_url TEXT,
  pay_until_ms INTEGER,
  aftermath TEXT CHECK (aftermath IS NULL OR state IN ('placed', 'fulfilled', 'cancelled')),
  CHECK (state NOT IN ('placed', 'fulfilled', 'cancelled') OR upstream_order_ref IS NOT NULL)
) STRICT;
CREATE INDEX orders_unseen ON orders (placed_at_ms) WHERE aftermath IS NULL AND upstream_order_ref IS NOT NULL;

CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reservation_key INTEGER,
  item_key INTEGER,
  data TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
-- The first entry of a reservation is found by its created_seq: one b-tree less to write when units are reserved.
CREATE INDEX journal_of_reservation ON journal (reservation_key, seq)
  WHERE reservation_key IS NOT NULL AND kind <> 'reservation.created';
CREATE INDEX journal_of_item ON journal (item_key, seq) WHERE item_key IS NOT NULL;

CREATE TABLE reconciliations (
  reconciliation_key INTEGER PRIMARY KEY,
  journal_seq INTEGER NOT NULL UNIQUE,
  began_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER NOT NULL CHECK (ended_at_ms >= began_at_ms),
  is_first INTEGER NOT NULL CHECK (is_first IN (0, 1)),
  items_read INTEGER NOT NULL,
  levels_compared INTEGER NOT NULL,
  drift_total INTEGER NOT NULL,
  catalogue_drift_total INTEGER NOT NULL,
  in_passing_total INTEGER NOT NULL,
  drift TEXT NOT NULL,
  catalogue_drift TEXT NOT NULL
) STRICT;

CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  tool TEXT NOT NULL,
  key TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  reservation_key INTEGER NOT NULL,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (principal, tool, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at_ms);

-- What the shop has said and nobody has looked at yet. AUTOINCREMENT: a number is never used again, so a worker that
-- comes late deletes nothing but what it has worked on.
CREATE TABLE inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  delivery_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  received_at_ms INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  hints TEXT NOT NULL
) STRICT;

-- Deliveries that are known already. They outlive the inbox, because the shop may send one again for hours.
CREATE TABLE deliveries (
  delivery_id TEXT PRIMARY KEY,
  received_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_by_age ON deliveries (received_at_ms);

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE items_text USING fts5 (
  sku, title, variant_title,
  content = 'items', content_rowid = 'item_key',
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER items_text_insert AFTER INSERT ON items BEGIN
  INSERT INTO items_text (rowid, sku, title, variant_title) VALUES (new.item_key, new.sku, new.title, new.variant_title);
END;
CREATE TRIGGER items_text_update AFTER UPDATE OF sku, title, variant_title ON items
WHEN old.sku <> new.sku OR old.title <> new.title OR old.variant_title <> new.variant_title BEGIN
  INSERT INTO items_text (items_text, rowid, sku, title, variant_title)
    VALUES ('delete', old.item_key, old.sku, old.title, old.variant_title);
  INSERT INTO items_text (rowid, sku, title, variant_title) VALUES (new.item_key, new.sku, new.title, new.variant_title);
END;
`;

/** How reservations count for the quotas of their callers; `standingOf` of src/ledger says the same. */
const STANDINGS_3 = `WITH standings AS (
  SELECT reservations.reservation_key AS reservation_key, principal, iif(orders.state = 'held', 'held', 'live') AS standing
  FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
  WHERE reservations.state = 'active' OR (reservations.state = 'submitted'
    AND (orders.state = 'held' OR (orders.state = 'accepted' AND orders.order_mode = 'checkout_link'))))`;

/** What callers take up, and where they sell. Of a ledger from before, only what is live is known: its past is forgiven. */
const MIGRATION_3 = `
ALTER TABLE reservations ADD COLUMN channel TEXT;
ALTER TABLE reservations ADD COLUMN origin TEXT;

CREATE TABLE callers (
  subject TEXT NOT NULL CHECK (subject IN ('principal', 'origin')),
  name TEXT NOT NULL,
  live_reservations INTEGER NOT NULL CHECK (live_reservations >= 0),
  held_orders INTEGER NOT NULL CHECK (held_orders >= 0),
  granted TEXT NOT NULL DEFAULT '[]',
  idle TEXT NOT NULL DEFAULT '[]',
  sold TEXT NOT NULL DEFAULT '[]',
  idle_at_ms INTEGER NOT NULL DEFAULT 0,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (subject, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX callers_at_rest ON callers (at_ms) WHERE live_reservations = 0 AND held_orders = 0;

CREATE TABLE caller_items (
  subject TEXT NOT NULL CHECK (subject IN ('principal', 'origin')),
  name TEXT NOT NULL,
  item_key INTEGER NOT NULL,
  live_units INTEGER NOT NULL CHECK (live_units >= 0),
  held_units INTEGER NOT NULL CHECK (held_units >= 0),
  idle_ms INTEGER NOT NULL CHECK (idle_ms >= 0),
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (subject, name, item_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_items_at_rest ON caller_items (since_ms) WHERE live_units = 0 AND held_units = 0;

${STANDINGS_3}
INSERT INTO callers (subject, name, live_reservations, held_orders, at_ms)
  SELECT 'principal', principal, sum(standing = 'live'), sum(standing = 'held'), (SELECT last_at_ms FROM ledger)
  FROM standings GROUP BY principal;
${STANDINGS_3}
INSERT INTO caller_items (subject, name, item_key, live_units, held_units, idle_ms, since_ms)
  SELECT 'principal', principal, item_key, sum(iif(standing = 'live', quantity_units, 0)),
    sum(iif(standing = 'held', quantity_units, 0)), 0, (SELECT last_at_ms FROM ledger)
  FROM standings JOIN holds ON holds.reservation_key = standings.reservation_key
  JOIN levels ON levels.level_key = holds.level_key
  WHERE holds.state <> 'returning' GROUP BY principal, item_key;
`;

/** Marks have no journal entry: whoever follows changes finds them here. Few rows at any time. */
const MIGRATION_4 = `
CREATE INDEX items_dirty ON items (dirty_at_ms) WHERE dirty_at_ms IS NOT NULL;
`;

/** Whether `callers` and `caller_items` are kept: not while nobody is judged by them. */
const MIGRATION_5 = `
ALTER TABLE ledger ADD COLUMN tallied INTEGER NOT NULL DEFAULT 1 CHECK (tallied IN (0, 1));
`;

/**
 * Where the units of a hold stand is read off the levels. Of a draft from before, the level was a guess: the shop's first
 * location that stocks the item.
 */
const MIGRATION_6 = `
ALTER TABLE holds ADD COLUMN place TEXT NOT NULL DEFAULT 'promised' CHECK (place IN ('promised', 'missed', 'guessed', 'seen', 'doubted'));
-- The part of what is mirrored that the shop may not hold any more.
ALTER TABLE levels ADD COLUMN doubted_units INTEGER NOT NULL DEFAULT 0 CHECK (doubted_units >= 0);
UPDATE holds SET place = iif(mirror_until_ms IS NULL, 'seen', 'guessed') WHERE state <> 'counted';
CREATE INDEX holds_guessed ON holds (level_key) WHERE place = 'guessed';

-- Open, but fulfils no online orders.
ALTER TABLE locations ADD COLUMN till_only INTEGER NOT NULL DEFAULT 0 CHECK (till_only IN (0, 1));

-- What the shop has to let go of: few rows at any time.
CREATE INDEX holds_returning ON holds (level_key) WHERE state = 'returning';

-- What the shop's order has where a person made it another than was submitted.
ALTER TABLE orders ADD COLUMN shop_lines TEXT;

-- Whether the shop itself goes on selling an item below zero.
ALTER TABLE items ADD COLUMN inventory_policy TEXT NOT NULL DEFAULT 'deny' CHECK (inventory_policy IN ('deny', 'continue'));

-- Sales of the last quarter of an hour, beside those of six hours.
ALTER TABLE items ADD COLUMN velocity_short_micro_units_per_hour INTEGER NOT NULL DEFAULT 0 CHECK (velocity_short_micro_units_per_hour >= 0);

-- The shop's SKU, which several items may have. Of those from before that share one, the next full read tells it.
ALTER TABLE items ADD COLUMN given_sku TEXT;
UPDATE items SET given_sku = sku WHERE sku NOT LIKE 'variant-%' AND sku NOT LIKE '%~%';
-- Those that want it most come first.
CREATE INDEX items_by_given_sku ON items (given_sku, CASE lifecycle WHEN 'active' THEN 0 WHEN 'unlisted' THEN 1 ELSE 2 END,
  length(variant_id) DESC, variant_id DESC);

-- The name in small letters, by which it is found where no other has the same. Letters beyond ASCII come right with the next report.
ALTER TABLE items ADD COLUMN sku_key TEXT NOT NULL DEFAULT '';
UPDATE items SET sku_key = lower(sku);
CREATE INDEX items_by_sku_key ON items (sku_key);

-- Where items had to be published to be sold when they were last read in full.
ALTER TABLE ledger ADD COLUMN publication TEXT;

-- Why an item is not for sale; null while it is, and where nobody has said yet.
ALTER TABLE items ADD COLUMN off_sale TEXT;

-- Before which moment a closed location was open: items read since then may be stocked there and were read without it.
ALTER TABLE locations ADD COLUMN closed_since_ms INTEGER;

-- How much of the catalogue a full read showed, and the shop counts. Not known of reads from before.
ALTER TABLE reconciliations ADD COLUMN variants_read INTEGER;
ALTER TABLE reconciliations ADD COLUMN variants_counted INTEGER;
-- Variants that the last full read was short of: a SKU that the ledger does not know may be there.
ALTER TABLE ledger ADD COLUMN missing_variants INTEGER NOT NULL DEFAULT 0 CHECK (missing_variants >= 0);

-- Shopify's word for the variant of a product without options says nothing to a reader.
UPDATE items SET variant_title = '' WHERE variant_title = 'Default Title';

-- "shirts" finds a shirt. A title tells more of an item than its SKU does; its words are kept to find what a slip of the pen meant.
DROP TABLE items_text;
CREATE VIRTUAL TABLE items_text USING fts5 (
  sku, title, variant_title,
  content = 'items', content_rowid = 'item_key',
  tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO items_text (items_text, rank) VALUES ('rank', 'bm25(1.0, 4.0, 2.0)');
INSERT INTO items_text (items_text) VALUES ('rebuild');
CREATE VIRTUAL TABLE items_words USING fts5vocab (items_text, row);

-- Why an order is held, and how it is paid. Orders from before were completed as paid.
ALTER TABLE orders ADD COLUMN payment TEXT NOT NULL DEFAULT 'paid' CHECK (payment IN ('pending', 'paid'));
ALTER TABLE orders ADD COLUMN held_for TEXT CHECK (held_for IN ('stale', 'buyer_refused', 'order_quota'));
ALTER TABLE orders ADD COLUMN held_until_ms INTEGER;
ALTER TABLE orders ADD COLUMN refused_fields TEXT NOT NULL DEFAULT '[]';
ALTER TABLE orders ADD COLUMN buyer_refusals INTEGER NOT NULL DEFAULT 0 CHECK (buyer_refusals >= 0);
UPDATE orders SET held_for = 'stale' WHERE state = 'held';
-- Work on the shop's side, by lane and then by caller: callers take turns.
DROP INDEX reservations_due;
CREATE INDEX reservations_due_orders ON reservations (principal, due_at_ms) WHERE due_at_ms IS NOT NULL AND state = 'submitted';
CREATE INDEX reservations_due_holds ON reservations (principal, due_at_ms) WHERE due_at_ms IS NOT NULL AND state <> 'submitted';
-- What a person has to look at is found among any number of orders.
CREATE INDEX orders_by_name ON orders (upstream_order_name) WHERE upstream_order_name IS NOT NULL;
CREATE INDEX orders_held ON orders (order_key) WHERE state = 'held';
CREATE INDEX reservations_parked ON reservations (reservation_key) WHERE parked = 1;
-- Where an order is to be shipped from, as it was promised, and how that went; null where it is left to the shop.
ALTER TABLE orders ADD COLUMN route_state TEXT CHECK (route_state IN ('wanted', 'moving', 'moved', 'in_place', 'not_moved'));
ALTER TABLE orders ADD COLUMN route_detail TEXT CHECK ((route_detail IS NULL) = (route_state IS NULL));
-- When something of unknown outcome was taken for never carried out: the shop may still do it.
ALTER TABLE reservations ADD COLUMN late_since_ms INTEGER;
CREATE INDEX reservations_late ON reservations (late_since_ms) WHERE late_since_ms IS NOT NULL;
-- Units of placed orders that are being moved from one level to another, until a report shows both.
CREATE TABLE routed_units (
  reservation_key INTEGER NOT NULL,
  item_key INTEGER NOT NULL,
  to_level_key INTEGER NOT NULL,
  from_level_key INTEGER,
  units INTEGER NOT NULL CHECK (units > 0),
  awaits_after_ms INTEGER,
  PRIMARY KEY (reservation_key, to_level_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX routed_units_of_item ON routed_units (item_key);

-- Orders of the last hour, and units in them.
ALTER TABLE callers ADD COLUMN ordered TEXT NOT NULL DEFAULT '[]';
ALTER TABLE callers ADD COLUMN ordered_units TEXT NOT NULL DEFAULT '[]';
`;

/** `standingOf` of src/ledger says the same. */
const STANDINGS_7 = `WITH counting AS (
  SELECT reservations.reservation_key AS reservation_key, principal, origin, channel, CASE
      WHEN reservations.state = 'active' THEN 'live'
      WHEN orders.state = 'held' THEN iif(orders.held_for = 'stale', 'held', 'waiting')
      ELSE iif(orders.order_mode = 'checkout_link', 'live', 'ordered') END AS standing
  FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
  WHERE reservations.state = 'active' OR (reservations.state = 'submitted' AND orders.state IN ('held', 'accepted'))
), standings AS (
  SELECT reservation_key, 'principal' AS subject, principal AS name, standing FROM counting
  UNION ALL SELECT reservation_key, 'origin', origin, standing FROM counting WHERE origin IS NOT NULL
  UNION ALL SELECT reservation_key, 'channel', channel, standing FROM counting WHERE channel IS NOT NULL
  UNION ALL SELECT reservation_key, 'everyone', '', standing FROM counting
)`;

/**
 * What is kept unsold of an item: by callers of one channel, and by everyone. Of a ledger from before, what is live is known, and how
 * long its owners have kept it; what they bought and let go of is not.
 */
const MIGRATION_7 = `
ALTER TABLE reservations ADD COLUMN pooled INTEGER NOT NULL DEFAULT 1 CHECK (pooled IN (0, 1));

DROP INDEX caller_items_at_rest;
ALTER TABLE caller_items RENAME TO caller_items_6;
CREATE TABLE caller_items (
  subject TEXT NOT NULL CHECK (subject IN ('principal', 'origin', 'channel', 'everyone')),
  name TEXT NOT NULL,
  item_key INTEGER NOT NULL,
  live_units INTEGER NOT NULL CHECK (live_units >= 0),
  held_units INTEGER NOT NULL CHECK (held_units >= 0),
  ordered_units INTEGER NOT NULL CHECK (ordered_units >= 0),
  idle_ms INTEGER NOT NULL CHECK (idle_ms >= 0),
  since_ms INTEGER NOT NULL,
  sold TEXT NOT NULL DEFAULT '[]',
  unsold TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (subject, name, item_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_items_at_rest ON caller_items (since_ms) WHERE live_units = 0 AND held_units = 0 AND ordered_units = 0;

INSERT INTO caller_items (subject, name, item_key, live_units, held_units, ordered_units, idle_ms, since_ms)
  SELECT subject, name, item_key, live_units, held_units, 0, idle_ms, since_ms FROM caller_items_6;
DROP TABLE caller_items_6;
${STANDINGS_7}
INSERT INTO caller_items (subject, name, item_key, live_units, held_units, ordered_units, idle_ms, since_ms)
  SELECT subject, name, item_key, sum(iif(standing IN ('live', 'waiting'), quantity_units, 0)),
    sum(iif(standing = 'held', quantity_units, 0)), sum(iif(standing = 'ordered', quantity_units, 0)), 0, (SELECT last_at_ms FROM ledger)
  FROM standings JOIN holds ON holds.reservation_key = standings.reservation_key
  JOIN levels ON levels.level_key = holds.level_key
  WHERE holds.state <> 'returning' AND (SELECT tallied FROM ledger) = 1 GROUP BY subject, name, item_key
  ON CONFLICT (subject, name, item_key) DO UPDATE SET ordered_units = excluded.ordered_units;
`;

/** Units of guessed holds that are right together. Of guesses from before nobody knows: 0 proves nothing. */
const MIGRATION_8 = `
ALTER TABLE levels ADD COLUMN guessed_units INTEGER NOT NULL DEFAULT 0 CHECK (guessed_units >= 0);
`;

/** What time it was at the shop at a moment of ledger time: a copy that is put back, beside a clock that went on from it, shows by that. */
const MIGRATION_9 = `
ALTER TABLE ledger ADD COLUMN shop_time_ms INTEGER;
ALTER TABLE ledger ADD COLUMN shop_time_at_ms INTEGER CHECK ((shop_time_ms IS NULL) = (shop_time_at_ms IS NULL));
`;

/** Units by which a level rose implausibly, as one read alone has shown it. */
const MIGRATION_10 = `
ALTER TABLE levels ADD COLUMN unproven_units INTEGER NOT NULL DEFAULT 0 CHECK (unproven_units >= 0);
CREATE INDEX levels_unproven ON levels (item_key) WHERE unproven_units > 0;
`;

/** Development versions wrote this one with tables of many shapes; it was never released. */
export const UNRELEASED_SCHEMA = 1;

/** By the schema that each leads to, from 1. */
export const MIGRATIONS: readonly string[] = [
  '-- never released',
  MIGRATION_2,
  MIGRATION_3,
  MIGRATION_4,
  MIGRATION_5,
  MIGRATION_6,
  MIGRATION_7,
  MIGRATION_8,
  MIGRATION_9,
  MIGRATION_10,
];
