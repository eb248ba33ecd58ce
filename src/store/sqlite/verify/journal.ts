/** Proves the journal itself: one chain of entries in the order of time, and nothing from after the ledger's own. */

import { chainHash, JOURNAL_GENESIS } from '../../../ledger/model/journal.js';
import type { Database } from '../database/driver.js';
import { type Findings, type HeadRow, PROGRESS_EVERY, type Progress } from './findings.js';

/** L6: no gap, no edit, no reordering, no lost tail. L9: no entry before the one in front of it. */
export function checkJournal(db: Database, head: HeadRow, found: Findings, progress: Progress): number {
  const entries = db
    .prepare('SELECT seq, at_ms, kind, reservation_key, item_key, data, hash FROM journal ORDER BY seq')
    .iterate() as IterableIterator<JournalRow>;
  let count = 0;
  let last: Pick<JournalRow, 'seq' | 'at_ms'> = { seq: 0, at_ms: 0 };
  let hash = JOURNAL_GENESIS;
  for (const { hash: stored, ...entry } of entries) {
    count += 1;
    if (entry.seq !== last.seq + 1)
      found.add('L6', `the journal has no entry ${last.seq + 1}; the next is ${entry.seq}`);
    if (entry.at_ms < last.at_ms)
      found.add('L9', `journal entry ${entry.seq} is of an earlier time than ${last.seq}`);
    const own = stored.toString('hex');
    if (chainHash(hash, entry) !== own)
      found.add('L6', `journal entry ${entry.seq} is not what was chained to entry ${last.seq}`);
    // From what is stored on: one edit is one problem, not as many as there are entries after it.
    hash = own;
    last = entry;
    if (count % PROGRESS_EVERY === 0) progress('journal', count);
  }
  if (head.journal_seq !== last.seq)
    found.add('L6', `the journal ends at entry ${last.seq}, but ${head.journal_seq} were written`);
  else if (head.journal_hash.toString('hex') !== hash)
    found.add('L6', `the journal's last entry is not the one that was written last`);
  if (head.last_at_ms < last.at_ms)
    found.add('L9', `journal entry ${last.seq} is of a later time than the ledger's own`);
  progress('journal', count);
  return count;
}

interface JournalRow {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly reservation_key: number | null;
  readonly item_key: number | null;
  readonly data: string;
  readonly hash: Buffer;
}

/** L6: what the journal tells of exists. */
export function checkJournalOwners(db: Database, found: Findings): void {
  const orphans = db
    .prepare(
      `SELECT seq, kind, 'reservation' AS what FROM journal WHERE kind = 'reservation.created'
         AND NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.reservation_key = journal.reservation_key)
       UNION ALL
       SELECT seq, kind, 'item' FROM journal WHERE item_key IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM items WHERE items.item_key = journal.item_key)`,
    )
    .iterate() as IterableIterator<{ seq: number; what: string }>;
  for (const { seq, what } of orphans) {
    found.add(
      'L6',
      `journal entry ${seq} tells of a${what === 'item' ? 'n item' : ' reservation'} that is missing`,
    );
  }
}

/** L9: nothing was heard after the ledger's own time. What the shop says is no change of stock, so the journal has none of it. */
export function checkTidings(db: Database, head: HeadRow, found: Findings): void {
  const late = db
    .prepare(
      `SELECT 'the mark on item ' || item_key AS what FROM items WHERE dirty_at_ms > ?
       UNION ALL SELECT 'delivery ' || seq || ' of the inbox' FROM inbox WHERE received_at_ms > ?`,
    )
    .pluck()
    .iterate(head.last_at_ms, head.last_at_ms) as IterableIterator<string>;
  for (const what of late) found.add('L9', `${what} is of a later time than the ledger's own`);
}
