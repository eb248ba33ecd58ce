import type { LedgerMs } from '../model/values/units.js';
import type { Clock } from './state.js';

/** The same few times are told over and over: one transaction's now, and the ends that follow from it. */
const RECENT_MAX = 64;
const recent = new Map<LedgerMs, string>();

/**
 * Ledger time as agents read it: ISO 8601 in UTC with milliseconds, in the shop's time. `leadMs`: how far the ledger's is ahead of
 * that; an agent compares what it is told with a clock of its own.
 */
export function tellTime(at: LedgerMs, leadMs: number): string {
  return isoTime(at - leadMs);
}

/** The same without a look at whose time it is. */
export function isoTime(at: number): string {
  const known = recent.get(at);
  if (known !== undefined) return known;
  const text = new Date(at).toISOString();
  if (recent.size >= RECENT_MAX) recent.clear();
  recent.set(at, text);
  return text;
}

/**
 * The most that may have passed since that ledger time, in ms. What may be too old is too old: whatever guards money by its age is
 * measured by this, and never by one clock alone, because a suspended machine has missed what happened meanwhile.
 */
export function measureAge(clock: Pick<Clock, 'now' | 'doubtMs'>, since: LedgerMs): number {
  return clock.now() - since + clock.doubtMs(since);
}
