/** The port to SQLite: every driver of the running Node keeps the same contract. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database, Driver } from '../../../../src/store/sqlite/database/driver.js';
import {
  DRIVER_NAMES,
  DriverMissing,
  findDriver,
} from '../../../../src/store/sqlite/database/load-driver.js';
import { isBusy } from '../../../../src/store/sqlite/database/open-database.js';
import { verifyLedger } from '../../../../src/store/sqlite/verify.js';
import { TestLedger } from '../../../helpers/ledger.js';

const load = createRequire(import.meta.url);

/** Those that this Node has: better-sqlite3 always, node:sqlite from Node 22.16 on. */
const DRIVERS = DRIVER_NAMES.flatMap((name) => {
  try {
    return [findDriver(name, process.versions.node, load)];
  } catch (error) {
    if (!(error instanceof DriverMissing)) throw error;
    return [];
  }
});

let folder: string;
let open: Database[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-driver-'));
  open = [];
});
afterEach(() => {
  for (const db of open) db.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name = 'a.db'): string => join(folder, name);

function openWith(Driver: Driver, ...args: ConstructorParameters<Driver>): Database {
  const db = new Driver(...args);
  open.push(db);
  return db;
}

/** Runs what must throw, and returns the code of its error. */
function catchCode(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  throw new Error('it did not throw');
}

it('this Node has the drivers that it should', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const hasBuiltIn = major > 22 || (major === 22 && minor >= 16);
  expect(DRIVERS.map(({ name }) => name)).toEqual(
    hasBuiltIn ? ['better-sqlite3', 'node:sqlite'] : ['better-sqlite3'],
  );
});

describe.each(DRIVERS)('$name', ({ Driver }) => {
  const seeded = (): Database => {
    const db = openWith(Driver, path());
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, hash BLOB) STRICT');
    const add = db.prepare('INSERT INTO t (name, hash) VALUES (?, ?)');
    add.run('one', Buffer.from('01', 'hex'));
    add.run('two', null);
    return db;
  };

  it('takes parameters one by one or as an array, undefined as NULL, and says how many rows changed', () => {
    const db = seeded();
    expect(db.prepare('UPDATE t SET name = ? WHERE id > ?').run('all', 0).changes).toBe(2);
    expect(db.prepare('UPDATE t SET name = ?, hash = ? WHERE id = ?').run([undefined, null, 1]).changes).toBe(
      1,
    );
    expect(db.prepare('SELECT name FROM t').all()).toEqual([{ name: null }, { name: 'all' }]);
  });

  it('returns rows as plain objects, as arrays or as their first column, and undefined for none', () => {
    const db = seeded();
    const sql = 'SELECT id, name FROM t ORDER BY id';
    expect(db.prepare(sql).get()).toStrictEqual({ id: 1, name: 'one' });
    expect(db.prepare(sql).raw().all()).toStrictEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(db.prepare(sql).pluck().all()).toStrictEqual([1, 2]);
    expect(db.prepare(sql).pluck().get()).toBe(1);
    expect([...db.prepare(sql).iterate()]).toStrictEqual([
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ]);
    expect(db.prepare('SELECT id FROM t WHERE id = 9').get()).toBeUndefined();
  });

  it('returns blobs as buffers, those of expressions too', () => {
    const db = seeded();
    const row = db.prepare('SELECT hash, max(hash) AS top, coalesce(hash, name) AS either FROM t').get();
    const hash = Buffer.from([1]);
    expect(row).toStrictEqual({ hash, top: hash, either: hash });
    expect(db.prepare('SELECT hash FROM t WHERE id = 1').raw().get()).toStrictEqual([hash]);
    expect([...db.prepare('SELECT hash FROM t ORDER BY id').pluck().iterate()]).toStrictEqual([hash, null]);
  });

  it('stops an iteration that is left early, and can begin it again', () => {
    const db = seeded();
    const rows = db.prepare('SELECT id FROM t ORDER BY id').pluck();
    for (const id of rows.iterate()) {
      expect(id).toBe(1);
      break;
    }
    expect([...rows.iterate()]).toEqual([1, 2]);
    expect(db.prepare('DELETE FROM t').run().changes).toBe(2);
  });

  it('keeps integers whole up to 2^53 - 1, and in a column of integers whatever number is bound', () => {
    const db = seeded();
    db.prepare('INSERT INTO t (id) VALUES (?)').run(Number.MAX_SAFE_INTEGER);
    expect(db.prepare('SELECT max(id) AS id, typeof(max(id)) AS type FROM t').get()).toEqual({
      id: Number.MAX_SAFE_INTEGER,
      type: 'integer',
    });
  });

  it('commits a transaction, and rolls back one that throws', () => {
    const db = seeded();
    const seen: boolean[] = [];
    const add = (name: string, fails: boolean) =>
      db.transaction(() => {
        db.prepare('INSERT INTO t (name) VALUES (?)').run(name);
        seen.push(db.inTransaction);
        if (fails) throw new Error(name);
        return name;
      });
    expect(add('three', false)()).toBe('three');
    expect(add('four', false).immediate()).toBe('four');
    expect(() => add('five', true)()).toThrow('five');
    expect(() => add('six', true).immediate()).toThrow('six');
    expect(seen).toEqual([true, true, true, true]);
    expect(db.inTransaction).toBe(false);
    expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(4);
  });

  it('sets and reads pragmas', () => {
    const db = openWith(Driver, path());
    expect(db.pragma('journal_mode = WAL', { simple: true })).toBe('wal');
    db.pragma('synchronous = FULL');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(db.pragma('wal_checkpoint(TRUNCATE)')).toEqual([{ busy: 0, log: 0, checkpointed: 0 }]);
  });

  it('names its errors as SQLite does', () => {
    const db = seeded();
    expect(catchCode(() => db.exec('SELECT'))).toBe('SQLITE_ERROR');
    expect(catchCode(() => db.prepare('INSERT INTO t (id) VALUES (1)').run())).toMatch(/^SQLITE_CONSTRAINT/);
    const reader = openWith(Driver, path(), { readonly: true });
    expect(catchCode(() => reader.exec('DELETE FROM t'))).toBe('SQLITE_READONLY');
    expect(catchCode(() => openWith(Driver, path('none.db'), { readonly: true }))).toBe('SQLITE_CANTOPEN');
    writeFileSync(path('text.db'), 'no database, but long enough to be taken for one'.repeat(100));
    expect(catchCode(() => openWith(Driver, path('text.db')).pragma('schema_version'))).toBe('SQLITE_NOTADB');
  });

  it('says that the file is busy, after the wait that was asked for', () => {
    const db = seeded();
    const other = openWith(Driver, path(), { timeout: 50 });
    db.exec('BEGIN IMMEDIATE');
    const begun = performance.now();
    let error: unknown;
    try {
      other.exec('BEGIN IMMEDIATE');
    } catch (caught) {
      error = caught;
    }
    expect(isBusy(error)).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(40);
    db.exec('ROLLBACK');
    other.exec('BEGIN IMMEDIATE');
    expect(other.inTransaction).toBe(true);
  });

  it('closes once, however often it is told to', () => {
    const db = openWith(Driver, ':memory:');
    expect(db.name).toBe(':memory:');
    db.close();
    db.close();
    expect(db.inTransaction).toBe(false);
  });

  it('has the full-text search and the strict tables that the ledger needs', () => {
    const db = openWith(Driver, ':memory:');
    db.exec("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'trigram')");
    db.prepare('INSERT INTO words VALUES (?)').run('linen shirt');
    expect(db.prepare("SELECT text FROM words WHERE words MATCH 'hirt'").pluck().all()).toEqual([
      'linen shirt',
    ]);
    db.exec('CREATE TABLE strict (n INTEGER) STRICT');
    expect(catchCode(() => db.exec("INSERT INTO strict VALUES ('x')"))).toMatch(/^SQLITE_CONSTRAINT/);
  });

  it('L6: reads and proves a ledger that the driver of this suite has written', async () => {
    const t = await TestLedger.open();
    try {
      await t.seed({ sku: 'MUG' });
      await t.granted('MUG', 2);
      const db = openWith(Driver, t.path);
      expect(verifyLedger(db)).toMatchObject({ ok: true, problems: [] });
      // Both write the same: what the one changes, the other finds changed.
      db.exec('UPDATE levels SET held_units = held_units + 1');
      expect(verifyLedger(db).ok).toBe(false);
    } finally {
      await t.close();
    }
  });
});
