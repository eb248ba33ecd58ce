/** The story of an order, in words of ours, from the journal. */

import type { JournalEntry, JournalKind } from './journal.js';
import type { ReturnObservation } from './observation.js';
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
  'stock.jumped': null,
  'stock.reconciled': null,
  'holds.moved': null,
  'reservation.created': 'Units were reserved.',
  'reservation.released': 'The reservation was released and its units are free.',
  'reservation.expired': 'The reservation expired and its units are free.',
  'order.accepted': 'The order was accepted: its checksum is true now.',
  'order.held': 'The order is held: the stock has changed or is too old, so the shop is read again first.',
  'order.approved': 'A person let the held order go on; the shop is read again first.',
  'order.revalidated': 'The shop was read again and the stock still covers the order: accepted.',
  'order.offered': 'The shop has a link where the buyer can pay; the units stay held meanwhile.',
  'order.withdrawn':
    'The units were sold elsewhere, so the link is being withdrawn; the order fails unless it was paid before.',
  'order.rejected': 'The order was rejected and its units are free.',
  'order.placed': 'The shop has the order.',
  'order.failed': 'The shop did not take the order; its units are free.',
  'order.partly_fulfilled': 'The shop has shipped part of the order.',
  'order.fulfilled': 'The shop has shipped the order.',
  'order.unfulfilled': 'The shop has taken a shipment of the order back.',
  'order.cancelled': 'The shop has cancelled the order.',
  'order.cancelled_when_fulfilled': 'The shop has cancelled the order after it was shipped.',
  'order.edited': ({ added_units, removed_units }) =>
    `A person has edited the order at the shop: ${units(added_units)} added and ${units(removed_units)} removed by now.`,
  'order.refunded': (data) => `The shop has refunded ${units(data['units'])}.`,
  'order.returned': (data) => `A return of ${units(data['units'])} ${returnText(data['status'])}.`,
  'order.restocked': (data) => `The shop has put ${units(data['units'])} back into its stock.`,
  'order.missing': 'The shop does not show the order any more.',
  'order.shown': 'The shop shows the order again.',
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
} as const satisfies Record<JournalKind, Sentence | null>;

/** Fixed words, or words of ours around figures of the entry: text of the shop's never gets in. */
type Sentence = string | ((data: Readonly<Record<string, unknown>>) => string);

export function timelineOf(entries: readonly JournalEntry[]): TimelineEntry[] {
  return entries.flatMap((entry) => {
    const sentence = (SENTENCES as Record<string, Sentence | null>)[entry.kind] ?? null;
    if (sentence === null) return [];
    const detail = typeof sentence === 'string' ? sentence : sentence(JSON.parse(entry.data));
    return [{ at: isoTime(entry.at_ms), event: entry.kind, detail }];
  });
}

function units(quantity: unknown): string {
  return quantity === 1 ? '1 unit' : `${Number(quantity)} units`;
}

const RETURN_TEXT = {
  requested: 'was asked for',
  open: 'was agreed to',
  closed: 'is closed',
  declined: 'was declined',
  cancelled: 'was cancelled',
} as const satisfies Record<ReturnObservation['status'], string>;

function returnText(status: unknown): string {
  return (RETURN_TEXT as Record<string, string>)[String(status)] ?? 'has changed';
}
