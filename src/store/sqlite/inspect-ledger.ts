/** A look at a ledger file from beside it, for a person: nothing is made, migrated or locked, whoever is serving from it. */

import type { LedgerMs } from '../../ledger/units.js';
import type { Database } from './driver.js';
import { MIGRATIONS } from './migrations.js';
import { openForReading } from './open-database.js';

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
  readonly items: number;
  /** Reservations whose shop side the server has given up on; with their order's id where there is one. */
  readonly parked: readonly ParkedWork[];
  readonly parked_total: number;
  readonly leases: readonly Lease[];
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

const PARKED_MAX = 10;

/** Throws `LedgerUnusable` when the path holds no ledger or can't be opened. */
export function inspectLedger(path: string): LedgerSight {
  const db = openForReading(path);
  try {
    const schema = db.pragma('user_version', { simple: true }) as number;
    const books = schema === MIGRATIONS.length ? db.transaction(() => readBooks(db))() : null;
    return { schema, schema_known: MIGRATIONS.length, books };
  } finally {
    db.close();
  }
}

type Head = Pick<LedgerBooks, 'shop' | 'last_at_ms' | 'baseline_at_ms' | 'confirmed_at_ms'>;

/** Null for a file that was made and never claimed: a start that was killed halfway. */
function readBooks(db: Database): LedgerBooks | null {
  const head = db
    .prepare('SELECT shop, last_at_ms, baseline_at_ms, confirmed_at_ms FROM ledger WHERE id = 1')
    .get() as Head | undefined;
  if (head === undefined) return null;
  const count = (sql: string): number => db.prepare(sql).pluck().get() as number;
  return {
    ...head,
    items: count('SELECT count(*) FROM items'),
    parked_total: count('SELECT count(*) FROM reservations WHERE parked = 1'),
    parked: db
      .prepare(
        `SELECT r.id AS reservation_id, o.id AS order_id, r.last_failure FROM reservations r
         LEFT JOIN orders o ON o.reservation_key = r.reservation_key
         WHERE r.parked = 1 ORDER BY r.reservation_key DESC LIMIT ?`,
      )
      .all(PARKED_MAX) as ParkedWork[],
    leases: db.prepare('SELECT name, owner, until_ms FROM leases ORDER BY name').all() as Lease[],
  };
}
