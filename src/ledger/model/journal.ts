/**
 * The journal: one entry for every change of stock, hold, reservation or order, written in the same
 * transaction and chained by hash, so that `verify` finds any edit, gap or reordering (invariant L6).
 */

import { sha256Hex } from './values/stock-hash.js';
import type { LedgerMs } from './values/units.js';

export type JournalKind =
  | 'ledger.opened'
  | 'stock.changed'
  | 'stock.jumped'
  | 'stock.rise_withheld'
  | 'stock.rise_settled'
  | 'stock.reconciled'
  | 'reservation.created'
  | 'reservation.released'
  | 'reservation.expired'
  | 'order.accepted'
  | 'order.held'
  | 'order.buyer_refused'
  | 'order.approved'
  | 'order.revalidated'
  | 'order.offered'
  | 'order.withdrawn'
  | 'order.rejected'
  | 'order.placed'
  /** The shop has given the order's id to another order: this one is not there any more. */
  | 'order.ref_reused'
  | 'order.failed'
  | 'order.doubled'
  | 'order.twin_cancelled'
  | 'order.partly_fulfilled'
  | 'order.fulfilled'
  | 'order.unfulfilled'
  | 'order.cancelled'
  | 'order.cancelled_when_fulfilled'
  | 'order.edited'
  | 'order.refunded'
  | 'order.returned'
  | 'order.restocked'
  | 'order.missing'
  | 'order.shown'
  | 'order.routing'
  | 'order.routed'
  | 'order.not_routed'
  /** Units that no row owns are being given back, on a person's word. */
  | 'holds.returning'
  | 'holds.returned'
  | 'shop.creating'
  | 'shop.open'
  | 'shop.absent'
  | 'shop.completing'
  | 'shop.completed'
  | 'shop.deleting'
  | 'shop.deleted'
  | 'shop.draft_edited'
  | 'shop.draft_gone'
  | 'shop.parked'
  | 'shop.retried'
  | 'holds.moved'
  | 'security.stock_hash_unknown';

/** An entry as a decision writes it. `data` is figures, ids and codes of ours; never a buyer, never a token. */
export interface JournalDraft {
  readonly kind: JournalKind;
  readonly data: Readonly<Record<string, unknown>>;
  /** True when the entry belongs to the reservation that the decision changes. */
  readonly of_reservation?: boolean;
  /** True when it belongs to the reservation in whose place a new one is made. */
  readonly of_replaced?: boolean;
  /** True when the entry belongs to the item that the decision puts. */
  readonly of_item?: boolean;
  /** The item that the entry belongs to, when the decision only renames it. */
  readonly of_item_id?: string;
}

export interface JournalEntry {
  readonly seq: number;
  readonly at_ms: LedgerMs;
  readonly kind: string;
  readonly reservation_key: number | null;
  readonly item_key: number | null;
  /** JSON text, as it was hashed. */
  readonly data: string;
  readonly hash: string;
}

/** What the first entry chains from. */
export const JOURNAL_GENESIS = '0'.repeat(64);

/**
 * The hash of an entry: SHA-256 over the previous hash and the entry's own fields, one a line. `data` is last
 * and is the only field that could hold a line break, so no two entries share a text.
 */
export function chainHash(previousHash: string, entry: Omit<JournalEntry, 'hash'>): string {
  const { seq, at_ms, kind, reservation_key, item_key, data } = entry;
  return sha256Hex(
    `${previousHash}\n${seq}\n${at_ms}\n${kind}\n${reservation_key ?? '-'}\n${item_key ?? '-'}\n${data}`,
  );
}
