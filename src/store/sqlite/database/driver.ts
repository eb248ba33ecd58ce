/** The port to SQLite: what a driver has to offer. `load-driver.ts` chooses one. */

/** A prepared statement. Parameters are positional; a single array stands for all of them. Blobs are returned as `Buffer`. */
export interface Statement {
  run(...parameters: readonly unknown[]): { readonly changes: number };
  /** Undefined when there is no row. */
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
  /** Rows are their first column from now on. Returns the statement. */
  pluck(): this;
  /** Rows are arrays from now on. Returns the statement. */
  raw(): this;
}

/** Runs a function in a transaction: commits, or rolls back when the function throws. `immediate` takes the write lock first. */
export interface Transaction<R> {
  (): R;
  immediate(): R;
}

/** A connection. Its errors have SQLite's own name in `code`, such as `SQLITE_BUSY`. */
export interface Database {
  /** Path of the file, as it was opened. */
  readonly name: string;
  readonly inTransaction: boolean;
  prepare(sql: string): Statement;
  /** Executes any number of statements. */
  exec(sql: string): unknown;
  /** `simple`: the first column of the first row, in place of all rows. */
  pragma(pragma: string, options?: { readonly simple?: boolean }): unknown;
  transaction<R>(work: () => R): Transaction<R>;
  /** Does nothing when the connection is closed already. */
  close(): unknown;
}

export interface DatabaseOptions {
  /** How long SQLite waits for a lock, in ms. It blocks the event loop. */
  readonly timeout?: number;
  /** Throws when the file does not exist. */
  readonly readonly?: boolean;
}

export type Driver = new (path: string, options?: DatabaseOptions) => Database;
