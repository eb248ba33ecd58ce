/** The story of an order, in words of ours, from the journal. */

import type { JournalEntry, JournalKind } from '../model/journal.js';
import type { RouteEnd } from '../model/route.js';
import type { ReturnObservation } from '../model/values/observation.js';
import { tellTime } from '../state/time.js';

export interface TimelineEntry {
  readonly at: string;
  readonly event: string;
  readonly detail: string;
}

const HELD_AS_STALE =
  'The order is held: the stock has changed or is too old, so the shop is read again first.';
const HELD_FOR_QUOTA =
  'The order is held: its caller has ordered as much as one may for now, so a person decides.';

/** What each kind of entry means to a reader; null leaves it to `explain`. */
const SENTENCES = {
  'ledger.opened': null,
  'stock.changed': null,
  'stock.jumped': null,
  'stock.rise_withheld': null,
  'stock.rise_settled': null,
  'stock.reconciled': null,
  'holds.moved': null,
  'holds.returning': null,
  'holds.returned': null,
  'reservation.created': 'Units were reserved.',
  'reservation.released': 'The reservation was released and its units are free.',
  'reservation.expired': 'The reservation expired and its units are free.',
  'order.accepted': ({ corrected }) =>
    `${corrected === true ? 'Corrected details came in. ' : ''}The order was accepted: its checksum is true now.`,
  'order.held': ({ held_for, corrected }) =>
    `${corrected === true ? 'Corrected details came in. ' : ''}${held_for === 'order_quota' ? HELD_FOR_QUOTA : HELD_AS_STALE}`,
  'order.buyer_refused':
    'The shop refused details of the buyer: the order is held, with its units, for corrected ones.',
  'order.approved': 'A person let the held order go on; the shop is read again first.',
  'order.revalidated': 'The shop was read again and the stock still covers the order: accepted.',
  'order.offered': 'The shop has a link where the buyer can pay; the units stay held meanwhile.',
  'order.withdrawn':
    'The units were sold elsewhere, so the link is being withdrawn; the order fails unless it was paid before.',
  'order.rejected': 'The order was rejected and its units are free.',
  'order.placed': ({ differs }) =>
    differs === undefined
      ? 'The shop has the order.'
      : 'The shop has the order, with other lines than were submitted: a person changed it there.',
  'order.ref_reused':
    'The shop has given the number of this order to another one, so it is not there any more.',
  'order.doubled': ({ alone }) =>
    alone === true
      ? 'The shop made an order late, which nothing waits for any more: a person has to look.'
      : 'The shop made a second order late, for the same units: one of the two has to be cancelled there.',
  'order.twin_cancelled': 'The shop was asked to cancel the second order, which nobody has paid.',
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
  'order.missing': ({ is_old }) =>
    is_old === true
      ? 'The shop does not show the order any more: it is older than 60 days, or not shown. An app without the scope read_all_orders sees no older ones.'
      : 'The shop does not show the order any more.',
  'order.shown': 'The shop shows the order again.',
  'order.routing': 'The shop is being asked to ship from the place that promised the units.',
  'order.routed': ({ how }) =>
    how === 'in_place'
      ? 'The shop ships from the place that promised the units.'
      : 'The shop has moved the order to the place that promised the units.',
  'order.not_routed': ({ why }) => `The order ships from where the shop has put it: ${routeEndText(why)}.`,
  'shop.creating': 'The shop is being asked to hold the units.',
  'shop.open': 'The shop holds the units.',
  'shop.absent': 'The shop holds nothing for this reservation.',
  'shop.completing': 'The shop is being asked to turn the hold into an order.',
  'shop.completed': 'Somebody completed the hold at the shop by hand.',
  'shop.deleting': 'The shop is being asked to let go of the units.',
  'shop.deleted': 'The shop has let go of the units.',
  'shop.draft_edited':
    'A person has changed the draft order at the shop, so it does not hold these units any more.',
  'shop.draft_gone': 'The draft order is gone and no order was found: looking again before anything is done.',
  'shop.parked': 'Given up after too many attempts: a person has to look.',
  'shop.retried': 'A person has looked, and the server tries again.',
  'security.stock_hash_unknown': 'A checksum that was never issued was refused.',
} as const satisfies Record<JournalKind, Sentence | null>;

/** Fixed words, or words of ours around figures of the entry: text of the shop's never gets in. */
type Sentence = string | ((data: Readonly<Record<string, unknown>>) => string);

export function timelineOf(entries: readonly JournalEntry[], leadMs = 0): TimelineEntry[] {
  return entries.flatMap((entry) => {
    const detail = sentenceOf(entry);
    return detail === null ? [] : [{ at: tellTime(entry.at_ms, leadMs), event: entry.kind, detail }];
  });
}

/** What the entry means to a reader of the order's timeline; null where it means nothing there. */
export function sentenceOf({ kind, data }: Pick<JournalEntry, 'kind' | 'data'>): string | null {
  const sentence = (SENTENCES as Record<string, Sentence | null>)[kind] ?? null;
  return typeof sentence === 'function' ? sentence(JSON.parse(data)) : sentence;
}

function units(quantity: unknown): string {
  return quantity === 1 ? '1 unit' : `${Number(quantity)} units`;
}

const ROUTE_END_TEXT = {
  refused: 'the shop refused to move it',
  closed: 'it is shipped or cancelled already',
  not_offered: 'the shop does not offer to move it',
  short: 'the place that promised the units does not have them any more',
  not_stocked: 'the place that promised the units is closed, or does not stock them any more',
  changed_at_shop: 'a person has changed it there',
  not_seen: 'the answer to the move was lost, and it was not seen to happen',
  too_late: 'the shop could not be asked in time',
} as const satisfies Record<RouteEnd, string>;

function routeEndText(why: unknown): string {
  return (ROUTE_END_TEXT as Record<string, string>)[String(why)] ?? 'it was not moved';
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
