/** Opens a ledger file: pragmas that are read back, migrations, and the shop that it belongs to. */

import { existsSync } from 'node:fs';
import { JOURNAL_GENESIS } from '../../../ledger/model/journal.js';
import type { Database, DatabaseOptions } from './driver.js';
import { findFileSystem } from './file-system.js';
import { countNames, makeFilesPrivate, makePrivateFile } from './ledger-file.js';
import { loadDriver } from './load-driver.js';
import { MIGRATIONS, UNRELEASED_SCHEMA } from './migrations.js';

/** A ledger that this program must not touch. The message says why and what to do. */
export class LedgerUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LedgerUnusable';
  }
}

export interface OpenOptions {
  /** File path, or ":memory:" for tests of one process. */
  readonly path: string;
  /** `name.myshopify.com`. A ledger belongs to one shop for good. */
  readonly shop: string;
  /** Asked for a new ledger alone: one that exists has a time of its own. */
  readonly now: () => number;
  /** Frames in the write-ahead log before a commit copies them back. Larger: fewer copies, a longer one each. */
  readonly wal_autocheckpoint_pages: number;
}

/** How long opening waits for another process that is migrating. Blocks: nothing is being served yet. */
const OPEN_WAIT_MS = 10_000;
/** How long SQLite itself waits for a lock while serving. Short: it blocks the event loop, so we wait above it. */
const BUSY_WAIT_MS = 20;
const CACHE_KIB = 65_536;

/** The name that SQLite has for a database that is in no file. */
export const IN_MEMORY = ':memory:';

/**
 * Throws `LedgerUnusable` for a ledger of a newer schema, of another shop, with several names, on a network file system, or one that
 * can't be made durable. Its files are its owner's alone from then on.
 */
export function openDatabase(options: OpenOptions): Database {
  const isFile = options.path !== IN_MEMORY;
  if (isFile) {
    refuseNetwork(options.path);
    refuseSeveralNames(options.path);
    makePrivateFile(options.path);
  }
  const db = openFile(options.path, { timeout: OPEN_WAIT_MS });
  try {
    setPragmas(db, options);
    if (isFile) makeFilesPrivate(options.path);
    migrate(db, options.path);
    claimForShop(db, options);
    db.pragma(`busy_timeout = ${BUSY_WAIT_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** An existing ledger, to read only. Throws `LedgerUnusable` when there is none at the path. */
export function openForReading(path: string): Database {
  if (!existsSync(path)) {
    throw new LedgerUnusable(
      `There is no ledger at ${path}. Point HOLDFAST_DB at the file that holdfast serves.`,
    );
  }
  return openFile(path, { readonly: true });
}

/** The shop that an existing ledger belongs to. */
export function shopOfLedger(path: string): string {
  const db = openForReading(path);
  try {
    return db.prepare('SELECT shop FROM ledger WHERE id = 1').pluck().get() as string;
  } catch {
    throw new LedgerUnusable(
      `The file ${path} is no ledger of holdfast. Point HOLDFAST_DB at the file that holdfast serves.`,
    );
  } finally {
    db.close();
  }
}

/** Two machines on one ledger would each promise what the other has promised already. */
function refuseNetwork(path: string): void {
  const found = findFileSystem(path);
  if (found?.kind !== 'network') return;
  throw new LedgerUnusable(
    `The ledger ${path} is on a network file system (${found.type} at ${found.mounted_at}), which loses what SQLite writes and locks. Point HOLDFAST_DB at a file on a disk of this machine.`,
  );
}

function refuseSeveralNames(path: string): void {
  const names = countNames(path);
  if (names < 2) return;
  throw new LedgerUnusable(
    `The ledger ${path} has ${names} names (hard links): opened under two of them it would be written twice over, past each other. Remove the other names (find -samefile ${path}), or copy the file and use the copy.`,
  );
}

/** The driver throws its own kinds of error for a missing folder, a directory, or a file it may not touch. */
function openFile(path: string, options: DatabaseOptions): Database {
  const Driver = loadDriver();
  let db: Database | undefined;
  try {
    db = new Driver(path, options);
    db.pragma('schema_version');
    return db;
  } catch (cause) {
    db?.close();
    if (isBusy(cause)) throw cause;
    if ((cause as { code?: unknown }).code === 'SQLITE_NOTADB') {
      throw new LedgerUnusable(`${path} is no ledger: it is not a SQLite database.`);
    }
    const { message } = cause as Error;
    throw new LedgerUnusable(
      `The ledger ${path} can't be opened (${message}). HOLDFAST_DB wants the path of a file, in a folder that exists and that you may write to.`,
    );
  }
}

function setPragmas(db: Database, options: OpenOptions): void {
  const mode = retryBusy(() => db.pragma('journal_mode = WAL', { simple: true }));
  if (mode !== 'wal' && options.path !== IN_MEMORY) {
    throw new LedgerUnusable(
      `The ledger ${options.path} can't use a write-ahead log (journal mode is ${String(mode)}). Put it on a local disk: network file systems don't carry SQLite safely.`,
    );
  }
  // Compiled-in default is NORMAL in WAL mode, which may lose answered commits at power loss. Set it, and read it back.
  db.pragma('synchronous = FULL');
  if (db.pragma('synchronous', { simple: true }) !== 2)
    throw new LedgerUnusable('SQLite did not accept synchronous = FULL.');
  // What a buyer has told us is erased from the file too, not only from the rows: SQLite by itself leaves it in free pages.
  db.pragma('secure_delete = ON');
  if (db.pragma('secure_delete', { simple: true }) !== 1)
    throw new LedgerUnusable('SQLite did not accept secure_delete = ON.');
  db.pragma('foreign_keys = ON');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma(`wal_autocheckpoint = ${options.wal_autocheckpoint_pages}`);
}

/** Switching to WAL needs the file alone for a moment, and does not wait for it by itself. */
function retryBusy<T>(attempt: () => T): T {
  const giveUpAt = Date.now() + OPEN_WAIT_MS;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || Date.now() > giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Told apart by the driver's code, never by its words. */
export function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED');
}

function migrate(db: Database, path: string): void {
  const current = (): number => db.pragma('user_version', { simple: true }) as number;
  refuseOther(current(), path);
  if (current() === MIGRATIONS.length) return;
  db.transaction(() => {
    // Read again under the lock: another process may have migrated while we waited.
    const from = current();
    refuseOther(from, path);
    for (const step of MIGRATIONS.slice(from)) db.exec(step);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}

function refuseOther(version: number, path: string): void {
  if (version === UNRELEASED_SCHEMA) {
    throw new LedgerUnusable(
      `The ledger ${path} was made by a development version of holdfast, and its tables are not those of any release. Move it away and run holdfast sync, which makes a new one.`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new LedgerUnusable(
      `The ledger ${path} has schema ${version}, and this holdfast knows only up to ${MIGRATIONS.length}. Run the newer holdfast, or point HOLDFAST_DB at another file.`,
    );
  }
}

function claimForShop(db: Database, options: OpenOptions): void {
  const select = db.prepare('SELECT shop FROM ledger WHERE id = 1').pluck();
  if (select.get() === undefined) {
    db.prepare(
      'INSERT INTO ledger (id, shop, last_at_ms, journal_seq, journal_hash) VALUES (1, ?, ?, 0, ?) ON CONFLICT DO NOTHING',
    ).run(options.shop, options.now(), Buffer.from(JOURNAL_GENESIS, 'hex'));
  }
  const shop = select.get();
  if (shop !== options.shop) {
    throw new LedgerUnusable(
      `The ledger ${options.path} belongs to ${String(shop)}, not to ${options.shop}. Point HOLDFAST_DB at another file.`,
    );
  }
}
