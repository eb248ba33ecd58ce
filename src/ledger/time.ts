import type { LedgerMs } from './units.js';

/** Ledger time as agents read it: ISO 8601 in UTC with milliseconds. */
export function isoTime(at: LedgerMs): string {
  return new Date(at).toISOString();
}
