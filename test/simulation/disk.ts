/**
 * The disk under the servers: a SQLite driver that can be busy, be full, or see its process die at any statement. It stands
 * where the program loads the real one, and hands everything else through to it.
 */

import type { Database, Driver } from '../../src/store/sqlite/database/driver.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import type { Program } from './program.js';
import { currentLife, type Life } from './universe.js';

/** What a dead process meets. Nobody is left to hear of it. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export class Disk {
  /** Writes fail until then, in virtual time. */
  full_until_ms = 0;
  /** What was written finds no room when it is to become durable, until then. */
  full_at_commit_until_ms = 0;
  /** The lock can't be had until then; who writes without it finds another's commit in the way. */
  busy_until_ms = 0;
  /** Statements until the process dies. */
  dies_in = Number.POSITIVE_INFINITY;
  /** At a commit: once it is durable, when nobody hears of it any more; else right before. */
  dies_after_commit = false;
  /** Told of each fault that struck. */
  readonly struck: (fault: 'disk_full' | 'busy') => void;
  readonly now: () => number;
  readonly #life: Life;
  /** The transaction that is open has asked for the right to write: the end of one that only reads needs no room. */
  #is_writing = false;
  readonly #open = new Set<Database>();

  constructor(life: Life, now: () => number, struck: (fault: 'disk_full' | 'busy') => void) {
    this.#life = life;
    this.now = now;
    this.struck = struck;
    life.onDeath(() => this.#cut());
  }

  opened(db: Database): void {
    this.#open.add(db);
  }

  closed(db: Database): void {
    this.#open.delete(db);
  }

  /** Before a statement. Throws what the driver would throw. */
  before(sql: string, db: Database): void {
    if (this.#life.isDead) throw new Killed();
    const is_commit = /^COMMIT/iu.test(sql);
    this.dies_in -= 1;
    if (this.dies_in < 0) {
      if (is_commit && this.dies_after_commit && db.inTransaction) db.exec('COMMIT');
      this.#life.die();
      throw new Killed();
    }
    const now = this.now();
    if (now < this.busy_until_ms && /^BEGIN IMMEDIATE/iu.test(sql)) {
      this.struck('busy');
      throw sqliteError('database is locked', 'SQLITE_BUSY');
    }
    if (/^BEGIN/iu.test(sql)) this.#is_writing = /IMMEDIATE/iu.test(sql);
    const is_write = /^\s*(INSERT|UPDATE|DELETE|REPLACE)/iu.test(sql);
    if (now < this.busy_until_ms && is_write && !this.#is_writing && db.inTransaction)
      this.#commitAsOther(db);
    if (now < this.full_at_commit_until_ms && is_commit && this.#is_writing && db.inTransaction) {
      this.struck('disk_full');
      throw sqliteError('database or disk is full', 'SQLITE_FULL');
    }
    if (now < this.full_until_ms && (is_write || (is_commit && this.#is_writing && db.inTransaction))) {
      this.struck('disk_full');
      // SQLite rolls back by itself when it can't go on, which a full disk may make it do or not.
      if (is_write && sql.length % 2 === 0 && db.inTransaction) db.exec('ROLLBACK');
      throw sqliteError('database or disk is full', 'SQLITE_FULL');
    }
  }

  /** Who has not asked for the lock at the beginning finds another's commit in the middle: SQLite itself says what then. */
  #commitAsOther(db: Database): void {
    this.struck('busy');
    const other = new (plainDriver())(db.name);
    other.exec('UPDATE ledger SET last_at_ms = last_at_ms + 1');
    other.close();
    this.#is_writing = true;
  }

  /** The process is gone: the system closes its files, and SQLite forgets what was not committed. */
  #cut(): void {
    for (const db of this.#open) db.close();
    this.#open.clear();
  }
}

let RealDriver: Driver | null = null;
const disks = new WeakMap<Life, Disk>();

/** The disk that a life's databases are on. */
export function putOnDisk(life: Life, disk: Disk): void {
  disks.set(life, disk);
}

/** The driver as it is, for whoever looks at the file from outside. */
export function plainDriver(): Driver {
  RealDriver ??= loadDriver();
  return RealDriver;
}

/** From now on the program opens its databases on the disks of this file. Each mutation is a program of its own. */
export function installDisk({ replaceDriver }: Pick<Program, 'replaceDriver'>): void {
  plainDriver();
  replaceDriver(DiskDriver);
}

const DiskDriver = class {
  constructor(...args: ConstructorParameters<Driver>) {
    const db = new (plainDriver())(...args);
    const life = currentLife();
    const disk = life === undefined ? undefined : disks.get(life);
    // biome-ignore lint/correctness/noConstructorReturn: stands in the place of the driver's own class
    return disk === undefined ? db : onDisk(db, disk);
  }
} as Driver;

function sqliteError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code, name: 'SqliteError' });
}

function onDisk(db: Database, disk: Disk): Database {
  disk.opened(db);
  return new Proxy(db, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'prepare') return (sql: string) => guarded(target.prepare(sql), sql, target, disk);
      return (...args: unknown[]): unknown => {
        if (name === 'close') disk.closed(target);
        if (name === 'exec') disk.before(String(args[0]), target);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

const RUNS: ReadonlySet<string | symbol> = new Set(['run', 'get', 'all', 'iterate']);

function guarded<S extends object>(statement: S, sql: string, db: Database, disk: Disk): S {
  const made = new Map<string | symbol, unknown>();
  const proxy: S = new Proxy(statement, {
    get: (target, name) => {
      const known = made.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = (...args: unknown[]): unknown => {
        if (RUNS.has(name)) disk.before(sql, db);
        const result: unknown = Reflect.apply(value, target, args);
        // `pluck` and `raw` answer with the statement itself.
        return result === target ? proxy : result;
      };
      made.set(name, call);
      return call;
    },
  });
  return proxy;
}
