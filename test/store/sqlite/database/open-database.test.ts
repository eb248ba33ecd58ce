import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadDriver } from '../../../../src/store/sqlite/database/load-driver.js';
import { MIGRATIONS } from '../../../../src/store/sqlite/database/migrations.js';
import { LedgerUnusable, openDatabase } from '../../../../src/store/sqlite/database/open-database.js';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import { TEST_SHOP, TEST_START_MS } from '../../../helpers/ledger.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  path = join(folder, 'ledger.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(shop = TEST_SHOP, at = path) {
  return openDatabase({ path: at, shop, now: () => TEST_START_MS, wal_autocheckpoint_pages: 1234 });
}

function rawly(sql: string): void {
  const Driver = loadDriver();
  const db = new Driver(path);
  db.exec(sql);
  db.close();
}

describe('opening a ledger', () => {
  test('makes it durable, and reads back that it is', () => {
    const db = open();
    const read = (pragma: string) => db.pragma(pragma, { simple: true });
    expect({
      journal_mode: read('journal_mode'),
      synchronous: read('synchronous'),
      foreign_keys: read('foreign_keys'),
      wal_autocheckpoint: read('wal_autocheckpoint'),
      user_version: read('user_version'),
    }).toEqual({
      journal_mode: 'wal',
      synchronous: 2,
      foreign_keys: 1,
      wal_autocheckpoint: 1234,
      user_version: MIGRATIONS.length,
    });
    db.close();
  });

  test('runs on an SQLite that has the repair of the WAL-reset bug', () => {
    const db = open();
    const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
    const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
    expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003);
    db.close();
  });

  test('again finds what is there, and migrates nothing twice', () => {
    open().close();
    const db = open();
    expect(db.prepare('SELECT shop, last_at_ms FROM ledger').all()).toEqual([
      { shop: TEST_SHOP, last_at_ms: TEST_START_MS },
    ]);
    db.close();
  });

  test('of a newer schema is refused with a sentence that says what to do, and touches nothing', () => {
    open().close();
    rawly('PRAGMA user_version = 99');
    expect(() => open()).toThrow(LedgerUnusable);
    expect(() => open()).toThrow(
      `The ledger ${path} has schema 99, and this holdfast knows only up to ${MIGRATIONS.length}. Run the newer holdfast, or point HOLDFAST_DB at another file.`,
    );
    rawly(`PRAGMA user_version = ${MIGRATIONS.length}`);
    open().close();
  });

  test('of another shop is refused, and its ledger stays its own', () => {
    open().close();
    expect(() => open('other.myshopify.com')).toThrow(
      `The ledger ${path} belongs to ${TEST_SHOP}, not to other.myshopify.com. Point HOLDFAST_DB at another file.`,
    );
    open().close();
  });

  test('of a development version is refused with what to do, not with an error of SQLite', () => {
    rawly('CREATE TABLE orders (id INTEGER); PRAGMA user_version = 1');
    expect(() => open()).toThrow(LedgerUnusable);
    expect(() => open()).toThrow(
      /made by a development version of holdfast[\s\S]*Move it away and run holdfast sync/,
    );
  });

  test('that can not be migrated leaves nothing half done', () => {
    rawly('CREATE TABLE orders (id INTEGER)');
    expect(() => open()).toThrow('orders');
    const Driver = loadDriver();
    const db = new Driver(path);
    expect(db.pragma('user_version', { simple: true })).toBe(0);
    expect(db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()).toEqual([
      'orders',
    ]);
    db.close();
  });
});

describe('a ledger from before there were quotas', () => {
  test('is brought up to date: what is live counts for its callers, and what is past is forgiven', () => {
    const hash = `sha256:${'0'.repeat(64)}`;
    rawly(`${MIGRATIONS[1]}
      PRAGMA user_version = 2;
      INSERT INTO ledger (id, shop, last_at_ms, journal_seq, journal_hash) VALUES (1, '${TEST_SHOP}', ${TEST_START_MS}, 0, zeroblob(32));
      INSERT INTO locations VALUES (1, 'loc-1', 'Main', 0, 1), (2, 'loc-2', 'Store', 1, 1);
      INSERT INTO items VALUES (7, 'i', 'v', 'p', 'tee', '', '', 'active', 0, 1, '${'0'.repeat(32)}', '${hash}', 1, 1, 0, 1, 1, NULL);
      INSERT INTO levels (level_key, item_key, location_key, sellable_here, upstream_available_units, held_units, mirrored_units, read_at_ms)
        VALUES (3, 7, 1, 1, 50, 8, 0, 1), (4, 7, 2, 1, 50, 2, 0, 1);
      INSERT INTO reservations (reservation_key, id, principal, state, lines, stock_hash, created_at_ms, expires_at_ms, tag)
        SELECT value, 'res_' || value, iif(value < 6, 'a', 'b'),
          CASE WHEN value IN (1, 6) THEN 'active' WHEN value = 5 THEN 'expired' ELSE 'submitted' END, '[]', '${hash}', 1, 2, 'hf-' || value
        FROM json_each('[1, 2, 3, 4, 5, 6]');
      INSERT INTO holds (reservation_key, level_key, quantity_units) VALUES (1, 3, 1), (1, 4, 2), (2, 3, 3), (3, 3, 1), (4, 3, 1), (6, 3, 2);
      INSERT INTO orders (id, reservation_key, state, hash_verdict, stock_hash, reasons, submitted_at_ms, order_mode) VALUES
        ('o2', 2, 'held', 'stale', '${hash}', '[]', 1, 'complete'), ('o3', 3, 'accepted', 'match', '${hash}', '[]', 1, 'complete'),
        ('o4', 4, 'accepted', 'match', '${hash}', '[]', 1, 'checkout_link');`);
    const db = open();
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    expect(
      db.prepare('SELECT name, live_reservations, held_orders, granted FROM callers').raw().all(),
    ).toEqual([
      ['a', 2, 1, '[]'],
      ['b', 1, 0, '[]'],
    ]);
    const kept =
      'SELECT subject, name, item_key, live_units, held_units, ordered_units, sold, unsold FROM caller_items';
    expect(db.prepare(kept).raw().all()).toEqual([
      ['everyone', '', 7, 6, 3, 1, '[]', '[]'],
      ['principal', 'a', 7, 4, 3, 1, '[]', '[]'],
      ['principal', 'b', 7, 2, 0, 0, '[]', '[]'],
    ]);
    expect(db.prepare('SELECT DISTINCT pooled FROM reservations').pluck().all()).toEqual([1]);
    expect(db.prepare('SELECT DISTINCT channel, origin FROM reservations').raw().all()).toEqual([
      [null, null],
    ]);
    // What was held was held as stale, and what was ordered was to be marked as paid.
    expect(db.prepare('SELECT id, held_for, payment, refused_fields FROM orders').raw().all()).toEqual([
      ['o2', 'stale', 'paid', '[]'],
      ['o3', null, 'paid', '[]'],
      ['o4', null, 'paid', '[]'],
    ]);
    expect(db.prepare('SELECT DISTINCT ordered, ordered_units FROM callers').raw().all()).toEqual([
      ['[]', '[]'],
    ]);
    db.close();
    const wrong = verifyLedgerFile(path).problems.filter(({ invariant }) => invariant === 'L2');
    expect(wrong).toEqual([]);
  });
});

describe('verifying a file', () => {
  test('that does not exist says so, and does not make one', () => {
    expect(() => verifyLedgerFile(path)).toThrow(`There is no ledger at ${path}.`);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('of a newer schema says so', () => {
    open().close();
    rawly('PRAGMA user_version = 99');
    expect(() => verifyLedgerFile(path)).toThrow(`The ledger ${path} has schema 99`);
  });

  test('that is some other database says so', () => {
    rawly('CREATE TABLE recipes (id INTEGER)');
    expect(() => verifyLedgerFile(path)).toThrow(`${path} has schema 0`);
  });

  test('that is no database says so', () => {
    writeFileSync(
      path,
      'this is a text of more than a hundred characters, and no database at all. '.repeat(20),
    );
    expect(() => verifyLedgerFile(path)).toThrow(`${path} is no ledger`);
  });

  test('of a ledger that nothing has happened in is fine', () => {
    open().close();
    expect(verifyLedgerFile(path)).toMatchObject({
      ok: true,
      journal_entries: 0,
      problems: [],
      shop: TEST_SHOP,
    });
  });
});
