/** Proves that a file has the tables, indexes, views and triggers that this program makes, and no others. */

import type { Database } from '../database/driver.js';
import { loadDriver } from '../database/load-driver.js';
import { MIGRATIONS } from '../database/migrations.js';
import type { Findings } from './findings.js';

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string | null;
}

/** By type and name. Statistics of the query planner are of no consequence to what is answered. */
const READ_SCHEMA = `SELECT type, name, tbl_name, sql FROM sqlite_master
  WHERE name NOT GLOB 'sqlite_stat*' AND name <> 'sqlite_sequence'`;

let expected: ReadonlyMap<string, SchemaRow> | null = null;

/** L6: a trigger changes rows without an entry, and a view in a table's place shows other rows than there are. */
export function checkSchema(db: Database, found: Findings): void {
  expected ??= makeSchema();
  const actual = readSchema(db);
  for (const [key, row] of actual) {
    const own = expected.get(key);
    if (own === undefined) found.add('L6', `the ledger has ${describe(row)}, which is none of holdfast`);
    else if (own.sql !== row.sql || own.tbl_name !== row.tbl_name)
      found.add('L6', `${describe(row)} is not as holdfast makes it`);
  }
  for (const [key, row] of expected) if (!actual.has(key)) found.add('L6', `${describe(row)} is missing`);
}

function readSchema(db: Database): ReadonlyMap<string, SchemaRow> {
  const rows = db.prepare(READ_SCHEMA).all() as SchemaRow[];
  return new Map(rows.map((row) => [`${row.type} ${row.name}`, row]));
}

/** The schema of an empty ledger, made as openings make it: step by step. */
function makeSchema(): ReadonlyMap<string, SchemaRow> {
  const Driver = loadDriver();
  const db = new Driver(':memory:');
  try {
    for (const step of MIGRATIONS) db.exec(step);
    return readSchema(db);
  } finally {
    db.close();
  }
}

function describe({ type, name, tbl_name }: SchemaRow): string {
  return type === 'table' || type === 'view' ? `the ${type} ${name}` : `the ${type} ${name} on ${tbl_name}`;
}
