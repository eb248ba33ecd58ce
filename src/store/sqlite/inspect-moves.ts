/** What rows of a ledger file have moved at the shop, read from beside it: nothing is made, migrated or locked. */

import { existsSync } from 'node:fs';
import type { MovedUnits } from '../../ledger/model/values/unowned-units.js';
import { MIGRATIONS } from './database/migrations.js';
import { openForReading } from './database/open-database.js';
import { type MovedRow, readMovedUnits } from './rows/moved-units.js';
import { SQL } from './rows/statements.js';

export interface MovesSight {
  readonly moves: readonly MovedUnits[];
  /** Those whose stock was read last first. */
  readonly item_ids: readonly string[];
}

/** Null without a ledger of this program's schema. Throws `LedgerUnusable` when the path can't be opened. */
export function inspectMoves(path: string, itemsMax: number): MovesSight | null {
  if (!existsSync(path)) return null;
  const db = openForReading(path);
  try {
    if (db.pragma('user_version', { simple: true }) !== MIGRATIONS.length) return null;
    const item_ids = db
      .prepare('SELECT item_id FROM items ORDER BY as_of_ms DESC LIMIT ?')
      .pluck()
      .all(itemsMax) as string[];
    return { moves: readMovedUnits(db.prepare(SQL.moved_rows).all() as MovedRow[]), item_ids };
  } finally {
    db.close();
  }
}

/** Whether holds were ever moves here. What was left behind then stays, whatever the setting is by now. */
export function hasMoves(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = openForReading(path);
  try {
    if (db.pragma('user_version', { simple: true }) !== MIGRATIONS.length) return false;
    const sql = "SELECT EXISTS (SELECT 1 FROM reservations WHERE protocol = 'move')";
    return db.prepare(sql).pluck().get() === 1;
  } finally {
    db.close();
  }
}
