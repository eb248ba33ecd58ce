/** A look at a ledger file from beside it, for a person: nothing is made, migrated or locked, whoever is serving from it. */

import type { HeldReason } from '../../ledger/model/order.js';
import type { LedgerMs } from '../../ledger/model/values/units.js';
import type { Database } from './database/driver.js';
import { MIGRATIONS } from './database/migrations.js';
import { openForReading } from './database/open-database.js';
import { COUNT_UNPLACED, LIST_UNPLACED, type UnplacedHold } from './rows/unplaced-holds.js';
import { COUNT_WAITING, LIST_WAITING, type WaitingCount, type WaitingOrder } from './rows/waiting-orders.js';

/** What can be told without knowing the schema. */
export interface LedgerSight {
  readonly schema: number;
  readonly schema_known: number;
  /** Null when the schema is not the one of this program: its tables may mean something else. */
  readonly books: LedgerBooks | null;
}

export interface LedgerBooks {
  readonly shop: string;
  /** The newest time written. */
  readonly last_at_ms: LedgerMs;
  /** Null until the first full read is through. */
  readonly baseline_at_ms: LedgerMs | null;
  /** Start of the newest heartbeat that succeeded; 0 before. */
  readonly confirmed_at_ms: LedgerMs;
  /** Of the newest full read; null before, and of one by an older version. */
  readonly variants_read: number | null;
  /** By the shop's own count; null when it did not say. */
  readonly variants_counted: number | null;
  readonly items: number;
  /** Levels of which an implausible rise is withheld, the newest reads first. */
  readonly withheld: readonly WithheldRise[];
  readonly withheld_total: number;
  /** Reservations whose shop side the server has given up on; with their order's id where there is one. */
  readonly parked: readonly ParkedWork[];
  readonly parked_total: number;
  /** Orders that are held, those that wait longest first. */
  readonly held: readonly HeldOrder[];
  readonly held_total: readonly HeldCount[];
  /** Reservations whose units the shop has held for long, and no level has shown; those that wait longest first. */
  readonly unplaced: readonly UnplacedHold[];
  readonly unplaced_total: number;
  /** Orders that are accepted and not at the shop yet; those that wait longest first. */
  readonly waiting: readonly WaitingOrder[];
  readonly waiting_total: readonly WaitingCount[];
  readonly leases: readonly Lease[];
}

export interface WithheldRise {
  readonly sku: string;
  readonly location_name: string;
  /** What is sold at most. */
  readonly proven_units: number;
  readonly shop_units: number;
}

export interface HeldOrder {
  readonly order_id: string;
  readonly held_for: HeldReason;
  /** A person has let it go on; the server reads the shop again first. */
  readonly is_approved: boolean;
  /** Null where it follows from the settings. */
  readonly held_until_ms: LedgerMs | null;
}

/** How many orders are held for one reason. */
export interface HeldCount {
  readonly held_for: HeldReason;
  readonly is_approved: boolean;
  readonly orders: number;
}

export interface ParkedWork {
  readonly reservation_id: string;
  readonly order_id: string | null;
  readonly last_failure: string | null;
}

/** Work that one process at a time does. */
export interface Lease {
  readonly name: string;
  /** `<process id>-<random>` */
  readonly owner: string;
  readonly until_ms: LedgerMs;
}

const WITHHELD_MAX = 10;
const PARKED_MAX = 10;
const UNPLACED_MAX = 10;
const WAITING_MAX = 10;
/** Of each reason. */
const HELD_MAX = 10;

/**
 * `unplacedAfterMs`: how long the shop has to hold units that no level shows before they are told of. Throws `LedgerUnusable` when
 * the path holds no ledger or can't be opened.
 */
export function inspectLedger(path: string, unplacedAfterMs: number): LedgerSight {
  const db = openForReading(path);
  try {
    const schema = db.pragma('user_version', { simple: true }) as number;
    const books =
      schema === MIGRATIONS.length ? db.transaction(() => readBooks(db, unplacedAfterMs))() : null;
    return { schema, schema_known: MIGRATIONS.length, books };
  } finally {
    db.close();
  }
}

type Head = Pick<LedgerBooks, 'shop' | 'last_at_ms' | 'baseline_at_ms' | 'confirmed_at_ms'>;

/** Null for a file that was made and never claimed: a start that was killed halfway. */
function readBooks(db: Database, unplacedAfterMs: number): LedgerBooks | null {
  const head = db
    .prepare('SELECT shop, last_at_ms, baseline_at_ms, confirmed_at_ms FROM ledger WHERE id = 1')
    .get() as Head | undefined;
  if (head === undefined) return null;
  // By the ledger's own time: a machine that only looks may have another.
  const unplacedSince = head.last_at_ms - unplacedAfterMs;
  const count = (sql: string): number => db.prepare(sql).pluck().get() as number;
  const held = (
    db
      .prepare(
        `SELECT held_for, approved_by IS NOT NULL AS is_approved, count(*) AS orders FROM orders
         WHERE state = 'held' GROUP BY held_for, is_approved ORDER BY held_for, is_approved`,
      )
      .all() as RawHeld<HeldCount>[]
  ).map(readHeld);
  const heldOrders = db.prepare(
    `SELECT id AS order_id, held_for, approved_by IS NOT NULL AS is_approved, held_until_ms FROM orders
     WHERE state = 'held' AND held_for = ? AND is_approved = ? ORDER BY order_key LIMIT ?`,
  );
  const counts = db
    .prepare(
      'SELECT variants_read, variants_counted FROM reconciliations ORDER BY reconciliation_key DESC LIMIT 1',
    )
    .get() as Pick<LedgerBooks, 'variants_read' | 'variants_counted'> | undefined;
  return {
    ...head,
    variants_read: counts?.variants_read ?? null,
    variants_counted: counts?.variants_counted ?? null,
    items: count('SELECT count(*) FROM items'),
    withheld: db
      .prepare(
        `SELECT sku, name AS location_name, upstream_available_units - unproven_units AS proven_units,
           upstream_available_units AS shop_units
         FROM levels JOIN items ON items.item_key = levels.item_key JOIN locations ON locations.location_key = levels.location_key
         WHERE unproven_units > 0 ORDER BY levels.read_at_ms DESC, level_key LIMIT ?`,
      )
      .all(WITHHELD_MAX) as WithheldRise[],
    withheld_total: count('SELECT count(*) FROM levels WHERE unproven_units > 0'),
    parked_total: count('SELECT count(*) FROM reservations WHERE parked = 1'),
    parked: db
      .prepare(
        `SELECT r.id AS reservation_id, o.id AS order_id, r.last_failure FROM reservations r
         LEFT JOIN orders o ON o.reservation_key = r.reservation_key
         WHERE r.parked = 1 ORDER BY r.reservation_key DESC LIMIT ?`,
      )
      .all(PARKED_MAX) as ParkedWork[],
    held: held.flatMap(({ held_for, is_approved }) =>
      (heldOrders.all(held_for, Number(is_approved), HELD_MAX) as RawHeld<HeldOrder>[]).map(readHeld),
    ),
    held_total: held,
    unplaced: db.prepare(LIST_UNPLACED).all(unplacedSince, UNPLACED_MAX) as UnplacedHold[],
    unplaced_total: db.prepare(COUNT_UNPLACED).pluck().get(unplacedSince) as number,
    waiting: db.prepare(LIST_WAITING).all(WAITING_MAX) as WaitingOrder[],
    waiting_total: db.prepare(COUNT_WAITING).all() as WaitingCount[],
    leases: db.prepare('SELECT name, owner, until_ms FROM leases ORDER BY name').all() as Lease[],
  };
}

type RawHeld<Row> = Omit<Row, 'is_approved'> & { readonly is_approved: 0 | 1 };

function readHeld<Row extends { readonly is_approved: 0 | 1 }>(row: Row) {
  return { ...row, is_approved: row.is_approved === 1 };
}
