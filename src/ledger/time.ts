import type { LedgerMs } from './units.js';

/** The same few times are told over and over: one transaction's now, and the ends that follow from it. */
const RECENT_MAX = 64;
const recent = new Map<LedgerMs, string>();

/** Ledger time as agents read it: ISO 8601 in UTC with milliseconds. */
export function isoTime(at: LedgerMs): string {
  const known = recent.get(at);
  if (known !== undefined) return known;
  const text = new Date(at).toISOString();
  if (recent.size >= RECENT_MAX) recent.clear();
  recent.set(at, text);
  return text;
}
