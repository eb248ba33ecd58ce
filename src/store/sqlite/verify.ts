/**
 * Proves a ledger file: its schema, the journal's chain, every invariant that can be read off the rows (SPEC.md of src/ledger), and
 * that the rows say what the journal says of them. Reads in one consistent snapshot, row by row, beside a running server; writes
 * nothing. The rules are in the folder `verify`.
 *
 * A chain can't show by itself that somebody rewrote all of it from some entry on: an anchor that is kept elsewhere does.
 */

import { ANCHOR_VERSION, type Anchor } from '../../ledger/model/values/anchor.js';
import type { Database } from './database/driver.js';
import { MIGRATIONS } from './database/migrations.js';
import { LedgerUnusable, openForReading } from './database/open-database.js';
import { checkAnchor } from './verify/anchor.js';
import { checkOrderContents, checkReservationContents } from './verify/contents.js';
import { Findings, type HeadRow, type Progress, type VerifyProblem } from './verify/findings.js';
import { checkHeldOrders } from './verify/held.js';
import { checkHolds, checkSums } from './verify/holds.js';
import { checkItems, checkRises } from './verify/items.js';
import { checkJournal, checkJournalOwners, checkTidings } from './verify/journal.js';
import { checkAftermaths, checkOrders } from './verify/orders.js';
import { checkReconciliations } from './verify/reconciliations.js';
import { checkRoutes } from './verify/routes.js';
import { checkSchema } from './verify/schema.js';
import { checkStates } from './verify/states.js';
import { checkUsage } from './verify/usage.js';

export interface VerifyReport {
  readonly ok: boolean;
  readonly shop: string;
  readonly journal_entries: number;
  readonly journal_hash: string;
  /** The newest entry: kept elsewhere, it shows later that nobody has rewritten the past. */
  readonly anchor: Anchor;
  readonly checked: {
    readonly items: number;
    readonly levels: number;
    readonly holds: number;
    readonly reservations: number;
    readonly orders: number;
  };
  /** The first of them. */
  readonly problems: readonly VerifyProblem[];
  readonly problems_total: number;
}

export interface VerifyOptions {
  readonly onProgress?: Progress;
  /** Entries that the journal had at some time, as they were kept elsewhere. */
  readonly anchors?: readonly (Anchor & { readonly kept_at: string })[];
  /** Where an anchor was kept that is none any more. */
  readonly unreadable?: readonly string[];
}

/** Throws `LedgerUnusable` when there is no ledger at the path, or one of another schema. */
export function verifyLedgerFile(path: string, options: VerifyOptions = {}): VerifyReport {
  const db = openForReading(path);
  try {
    refuseOtherSchema(db, path);
    return verifyLedger(db, options);
  } finally {
    db.close();
  }
}

export function verifyLedger(db: Database, options: VerifyOptions = {}): VerifyReport {
  const found = new Findings();
  const progress = options.onProgress ?? (() => {});
  return db.transaction((): VerifyReport => {
    const head = db
      .prepare('SELECT shop, last_at_ms, journal_seq, journal_hash FROM ledger WHERE id = 1')
      .get() as HeadRow;
    checkSchema(db, found);
    const journal_entries = checkJournal(db, head, found, progress);
    for (const anchor of options.anchors ?? []) checkAnchor(db, anchor, found);
    for (const place of options.unreadable ?? [])
      found.add('L11', `the anchor ${place} can't be read: it was changed`);
    checkJournalOwners(db, found);
    checkTidings(db, head, found);
    const levels = checkSums(db, found);
    const holds = checkHolds(db, found);
    checkUsage(db, found);
    const orders = checkOrders(db, found);
    checkReservationContents(db, found);
    checkOrderContents(db, found);
    checkHeldOrders(db, (detail) => found.add('L6', detail));
    checkRoutes(db, (detail) => found.add('L6', detail));
    checkAftermaths(db, found);
    checkReconciliations(db, found);
    const reservations = checkStates(db, found, progress);
    const items = checkItems(db, head.shop, found, progress);
    checkRises(db, found);
    return {
      ok: found.total === 0,
      shop: head.shop,
      journal_entries,
      journal_hash: head.journal_hash.toString('hex'),
      anchor: { v: ANCHOR_VERSION, n: head.journal_seq, hash: head.journal_hash.toString('hex') },
      checked: { items, levels, holds, reservations, orders },
      problems: found.first,
      problems_total: found.total,
    };
  })();
}

function refuseOtherSchema(db: Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === MIGRATIONS.length) return;
  throw new LedgerUnusable(
    version > MIGRATIONS.length
      ? `The ledger ${path} has schema ${version}, and this holdfast knows only up to ${MIGRATIONS.length}. Run the newer holdfast.`
      : `${path} has schema ${version}, and this holdfast verifies schema ${MIGRATIONS.length}. Start holdfast on it once, which brings it up to date.`,
  );
}
