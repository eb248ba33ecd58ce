/** Proves that a journal goes on from an entry that was kept elsewhere: who rewrote the past has another hash at that place. */

import { JOURNAL_GENESIS } from '../../../ledger/model/journal.js';
import type { Anchor } from '../../../ledger/model/values/anchor.js';
import type { Database } from '../database/driver.js';
import type { Findings } from './findings.js';

/** L11. `kept_at`: for people, where the anchor was found. */
export function checkAnchor(
  db: Database,
  { n, hash, kept_at }: Anchor & { readonly kept_at: string },
  found: Findings,
): void {
  const own = n === 0 ? JOURNAL_GENESIS : readHash(db, n);
  if (own === null)
    found.add(
      'L11',
      `the journal ends before entry ${n}, which it had by the anchor ${kept_at}: it was cut off or replaced`,
    );
  else if (own !== hash)
    found.add(
      'L11',
      `journal entry ${n} is another than by the anchor ${kept_at}: the journal was rewritten, or the ledger put back`,
    );
}

function readHash(db: Database, seq: number): string | null {
  const hash = db.prepare('SELECT hash FROM journal WHERE seq = ?').pluck().get(seq) as Buffer | undefined;
  return hash?.toString('hex') ?? null;
}
