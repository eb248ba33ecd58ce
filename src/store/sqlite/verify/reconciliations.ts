/** Proves of every record of a reconciliation that it is the one that was journaled. */

import type { Database } from '../database/driver.js';
import { type Findings, parseJson } from './findings.js';

/** L6: a record of a reconciliation is the one that was journaled. */
export function checkReconciliations(db: Database, found: Findings): void {
  const rows = db
    .prepare(
      `SELECT reconciliation_key, drift_total, catalogue_drift_total, in_passing_total, items_read, variants_read,
         variants_counted, kind, data
       FROM reconciliations LEFT JOIN journal ON journal.seq = reconciliations.journal_seq`,
    )
    .iterate() as IterableIterator<
    Record<(typeof TOTALS)[number], number | null> & {
      reconciliation_key: number;
      kind: string;
      data: string | null;
    }
  >;
  for (const row of rows) {
    const told = row.kind === 'stock.reconciled' ? parseJson<Record<string, unknown>>(row.data) : null;
    if (told === null || TOTALS.some((total) => (told[total] ?? null) !== row[total]))
      found.add('L6', `reconciliation ${row.reconciliation_key} is not the one that was journaled`);
  }
}

/** The last two are not told of reads by older versions. */
const TOTALS = [
  'drift_total',
  'catalogue_drift_total',
  'in_passing_total',
  'items_read',
  'variants_read',
  'variants_counted',
] as const;
