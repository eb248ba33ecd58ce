/** Many rows in few statements: the cost of a small insert lies mostly in starting and ending it. */

import type { Database, Statement } from './driver.js';

type Value = string | number | Buffer | null;

/** Rows a statement, largest first; the last must be 1. */
const CHUNKS = [32, 8, 1] as const;

export class BulkInsert {
  readonly #db: Database;
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #prepared = new Map<number, Statement>();
  /** Values of the rows that wait, one after the other. */
  #waiting: Value[] = [];

  constructor(db: Database, table: string, columns: readonly string[]) {
    this.#db = db;
    this.#table = table;
    this.#columns = columns;
  }

  add(...row: readonly Value[]): void {
    this.#waiting.push(...row);
  }

  /** Inserts what waits. */
  flush(): void {
    const width = this.#columns.length;
    const values = this.#waiting;
    this.#waiting = [];
    let at = 0;
    for (const chunk of CHUNKS) {
      while (values.length - at >= chunk * width) {
        this.#statement(chunk).run(values.slice(at, at + chunk * width));
        at += chunk * width;
      }
    }
  }

  /** Forgets what waits: its transaction was rolled back. */
  discard(): void {
    this.#waiting = [];
  }

  #statement(rows: number): Statement {
    let statement = this.#prepared.get(rows);
    if (statement === undefined) {
      const row = `(${this.#columns.map(() => '?').join(', ')})`;
      const sql = `INSERT INTO ${this.#table} (${this.#columns.join(', ')}) VALUES ${Array(rows).fill(row).join(', ')}`;
      statement = this.#db.prepare(sql);
      this.#prepared.set(rows, statement);
    }
    return statement;
  }
}
