/**
 * node:sqlite behind the port of driver.ts. Rows are fetched as arrays and made into objects here: its own objects cost two to
 * four times as much in large results.
 */

import type { Database, DatabaseOptions, Driver, Statement, Transaction } from './driver.js';

/** The part of node:sqlite that is used. Node 26 has renamed its class. */
export interface SqliteModule {
  readonly DatabaseSync?: NativeDatabaseClass;
  readonly Database?: NativeDatabaseClass;
}

type NativeDatabaseClass = new (
  path: string,
  options: { readonly timeout: number; readonly readOnly: boolean },
) => NativeDatabase;

interface NativeDatabase {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  prepare(sql: string): NativeStatement;
  exec(sql: string): void;
  close(): void;
}

interface NativeStatement {
  readonly sourceSQL: string;
  run(...parameters: readonly unknown[]): { readonly changes: number };
  get(...parameters: readonly unknown[]): unknown[] | undefined;
  all(...parameters: readonly unknown[]): unknown[][];
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown[]>;
  columns(): readonly { readonly name: string; readonly type: string | null }[];
  setReturnArrays(enabled: boolean): void;
}

/** As better-sqlite3 has it. */
const TIMEOUT_MS = 5_000;

/** SQLite's names of its primary result codes, by number: https://sqlite.org/rescode.html. */
const PRIMARY_CODES = [
  'OK',
  'ERROR',
  'INTERNAL',
  'PERM',
  'ABORT',
  'BUSY',
  'LOCKED',
  'NOMEM',
  'READONLY',
  'INTERRUPT',
  'IOERR',
  'CORRUPT',
  'NOTFOUND',
  'FULL',
  'CANTOPEN',
  'PROTOCOL',
  'EMPTY',
  'SCHEMA',
  'TOOBIG',
  'CONSTRAINT',
  'MISMATCH',
  'MISUSE',
  'NOLFS',
  'AUTH',
  'FORMAT',
  'RANGE',
  'NOTADB',
];

export function makeNodeSqlite(sqlite: SqliteModule): Driver {
  const Native = sqlite.Database ?? sqlite.DatabaseSync;
  if (Native === undefined) throw new Error('node:sqlite has no database class');
  return openWith(Native);
}

function openWith(Native: NativeDatabaseClass): Driver {
  return class extends NodeDatabase {
    constructor(path: string, { timeout = TIMEOUT_MS, readonly: readOnly = false }: DatabaseOptions = {}) {
      super(
        path,
        translateErrors(() => new Native(path, { timeout, readOnly })),
      );
    }
  };
}

class NodeDatabase implements Database {
  readonly name: string;
  readonly #native: NativeDatabase;

  constructor(name: string, native: NativeDatabase) {
    this.name = name;
    this.#native = native;
  }

  get inTransaction(): boolean {
    return this.#native.isOpen && this.#native.isTransaction;
  }

  prepare(sql: string): Statement {
    return new NodeStatement(translateErrors(() => this.#native.prepare(sql)));
  }

  exec(sql: string): void {
    translateErrors(() => this.#native.exec(sql));
  }

  pragma(pragma: string, { simple = false }: { readonly simple?: boolean } = {}): unknown {
    const statement = this.prepare(`PRAGMA ${pragma}`);
    return simple ? statement.pluck().get() : statement.all();
  }

  transaction<R>(work: () => R): Transaction<R> {
    const run = (begin: string): R => {
      this.exec(begin);
      try {
        const result = work();
        this.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite may have rolled back by itself.
        if (this.inTransaction) this.exec('ROLLBACK');
        throw error;
      }
    };
    return Object.assign(() => run('BEGIN'), { immediate: () => run('BEGIN IMMEDIATE') });
  }

  close(): void {
    if (this.#native.isOpen) this.#native.close();
  }
}

class NodeStatement implements Statement {
  readonly #native: NativeStatement;
  /** Names of the columns; null until the first row. */
  #names: readonly string[] | null = null;
  /** Columns that may hold blobs: those declared so, and expressions, which have no declared type. */
  #blobs: readonly number[] = [];
  #shape: 'object' | 'array' | 'first' = 'object';

  constructor(native: NativeStatement) {
    this.#native = native;
    native.setReturnArrays(true);
  }

  get source(): string {
    return this.#native.sourceSQL;
  }

  run(...parameters: readonly unknown[]): { readonly changes: number } {
    try {
      return this.#native.run(...toBindable(parameters));
    } catch (error) {
      throw translate(error);
    }
  }

  get(...parameters: readonly unknown[]): unknown {
    try {
      const row = this.#native.get(...toBindable(parameters));
      return row === undefined ? undefined : this.#shapeRow(row);
    } catch (error) {
      throw translate(error);
    }
  }

  all(...parameters: readonly unknown[]): unknown[] {
    try {
      const rows: unknown[] = this.#native.all(...toBindable(parameters));
      for (let i = 0; i < rows.length; i += 1) rows[i] = this.#shapeRow(rows[i] as unknown[]);
      return rows;
    } catch (error) {
      throw translate(error);
    }
  }

  *iterate(...parameters: readonly unknown[]): IterableIterator<unknown> {
    try {
      for (const row of this.#native.iterate(...toBindable(parameters))) yield this.#shapeRow(row);
    } catch (error) {
      throw translate(error);
    }
  }

  pluck(): this {
    this.#shape = 'first';
    return this;
  }

  raw(): this {
    this.#shape = 'array';
    return this;
  }

  #shapeRow(row: unknown[]): unknown {
    const names = this.#names ?? this.#readColumns();
    for (const at of this.#blobs) row[at] = toBuffer(row[at]);
    if (this.#shape === 'array') return row;
    if (this.#shape === 'first') return row[0];
    const shaped: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i += 1) shaped[names[i] as string] = row[i];
    return shaped;
  }

  /** Read with the first row and not before: a change of the schema may change what `*` stands for until then. */
  #readColumns(): readonly string[] {
    const columns = this.#native.columns();
    this.#blobs = columns.flatMap(({ type }, at) => (type === 'BLOB' || type === null ? [at] : []));
    this.#names = columns.map(({ name }) => name);
    return this.#names;
  }
}

function toBuffer(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** One array stands for all parameters, and undefined for NULL. */
function toBindable(parameters: readonly unknown[]): readonly unknown[] {
  const [only] = parameters;
  const values: readonly unknown[] = parameters.length === 1 && Array.isArray(only) ? only : parameters;
  return values.includes(undefined) ? values.map((value) => value ?? null) : values;
}

function translateErrors<R>(call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** Names SQLite's own errors as better-sqlite3 does; every other error is returned as it is. */
function translate(error: unknown): unknown {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return error;
  // The low byte is the primary code, the rest says more.
  const name = PRIMARY_CODES[errcode & 0xff] ?? 'ERROR';
  return Object.assign(error as Error, { code: `SQLITE_${name}` });
}
