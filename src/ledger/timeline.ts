/** The story of an order, in words of ours, from the journal. */

import type { JournalEntry, JournalKind } from './journal.js';
import { isoTime } from './time.js';

export interface TimelineEntry {
  readonly at: string;
  readonly event: string;
  readonly detail: string;
}

/** What each kind of entry means to a reader; null leaves it to `explain`. */
const SENTENCES = {
  'ledger.opened': null,
  'stock.changed': null,
  'holds.moved': null,
  'reservation.created': 'Units were reserved.',
  'reservation.released': 'The reservation was released and its units are free.',
  'reservation.expired': 'The reservation expired and its units are free.',
  'order.accepted': 'The order was accepted: its checksum is true now.',
  'order.held': 'The order is held: the stock has changed or is too old, so the shop is read again first.',
  'order.approved': 'A person let the held order go on; the shop is read again first.',
  'order.revalidated': 'The shop was read again and the stock still covers the order: accepted.',
  'order.rejected': 'The order was rejected and its units are free.',
  'order.placed': 'The shop has the order.',
  'order.failed': 'The shop did not take the order; its units are free.',
  'shop.creating': 'The shop is being asked to hold the units.',
  'shop.open': 'The shop holds the units.',
  'shop.absent': 'The shop holds nothing for this reservation.',
  'shop.completing': 'The shop is being asked to turn the hold into an order.',
  'shop.completed': 'Somebody completed the hold at the shop by hand.',
  'shop.deleting': 'The shop is being asked to let go of the units.',
  'shop.deleted': 'The shop has let go of the units.',
  'shop.parked': 'Given up after too many attempts: a person has to look.',
  'shop.retried': 'A person has looked, and the server tries again.',
  'security.stock_hash_unknown': 'A checksum that was never issued was refused.',
} as const satisfies Record<JournalKind, string | null>;

export function timelineOf(entries: readonly JournalEntry[]): TimelineEntry[] {
  return entries.flatMap((entry) => {
    const detail: string | null = (SENTENCES as Record<string, string | null>)[entry.kind] ?? null;
    return detail === null ? [] : [{ at: isoTime(entry.at_ms), event: entry.kind, detail }];
  });
}
