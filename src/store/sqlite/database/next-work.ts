/** When the sweeper or the outbox next has something to do: two looks at an index instead of two transactions. */

import type { Database } from './driver.js';

const NEXT = `SELECT min(at_ms) AS due_at_ms FROM (
  SELECT min(expires_at_ms) AS at_ms FROM reservations WHERE state = 'active'
  UNION ALL SELECT min(due_at_ms) FROM reservations WHERE due_at_ms IS NOT NULL)`;

/** Ledger time in milliseconds, each time it is called; null while nothing is due at any time. */
export function nextWorkOf(db: Database): () => number | null {
  const next = db.prepare(NEXT);
  return () => (next.get() as { due_at_ms: number | null }).due_at_ms;
}
