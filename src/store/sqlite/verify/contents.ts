/**
 * Proves that reservations and orders are what the journal says of them, and not only in the state that it says: whose they are, what
 * they hold, when, by which checksum, and as which order of the shop. An entry of an older version proves as much as it says.
 */

import { VOID_MARK } from '../../../ledger/model/order.js';
import type { LedgerMs } from '../../../ledger/model/values/units.js';
import { shopTag } from '../../../ledger/reservation/reserve.js';
import type { Database } from '../database/driver.js';
import { unpackLines } from '../rows/packed-lines.js';
import { type Findings, parseJson } from './findings.js';

interface ReservationRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly principal: string;
  readonly channel: string | null;
  readonly lines: string;
  readonly stock_hash: string;
  readonly created_at_ms: LedgerMs;
  readonly expires_at_ms: LedgerMs;
  readonly tag: string;
  readonly told_at_ms: LedgerMs;
  readonly told: string;
}

/** What `reservation.created` says. */
interface CreatedEntry {
  readonly id: string;
  readonly principal: string;
  readonly channel?: string;
  readonly stock_hash: string;
  readonly expires_at_ms: LedgerMs;
  /** SKU, units asked for, and the units of each location. */
  readonly lines: readonly (readonly [string, number, readonly (readonly [string, number])[]])[];
}

/** L6: every reservation is the one whose making was journaled. */
export function checkReservationContents(db: Database, found: Findings): void {
  const rows = db
    .prepare(
      `SELECT reservations.reservation_key AS reservation_key, id, principal, channel, lines, stock_hash, created_at_ms, expires_at_ms,
         tag, journal.at_ms AS told_at_ms, journal.data AS told
       FROM reservations JOIN journal ON journal.seq = reservations.created_seq AND journal.kind = 'reservation.created'
         AND journal.reservation_key = reservations.reservation_key`,
    )
    .iterate() as IterableIterator<ReservationRow>;
  for (const row of rows) {
    const told = parseJson<CreatedEntry>(row.told);
    // One that was edited is found by the chain.
    if (told === null || !Array.isArray(told.lines)) continue;
    const facts: Facts = {
      id: [row.id, told.id],
      principal: [row.principal, told.principal],
      channel: [row.channel, told.channel ?? null],
      lines: [linesText(row), JSON.stringify(told.lines)],
      stock_hash: [row.stock_hash, told.stock_hash],
      created_at_ms: [row.created_at_ms, row.told_at_ms],
      expires_at_ms: [row.expires_at_ms, told.expires_at_ms],
      tag: [row.tag, shopTag(row.id)],
    };
    for (const [name, [has, says]] of differences(facts))
      found.add(
        'L6',
        `reservation ${row.reservation_key} has the ${name} ${has}, but the journal says ${says}`,
      );
  }
}

/** The lines of a row in the form of its entry; what can't be read is like no entry. */
function linesText({ lines, stock_hash }: ReservationRow): string {
  try {
    return JSON.stringify(
      unpackLines(lines, stock_hash).map(({ sku, requested, allocations }) => [
        sku,
        requested,
        allocations.map(({ location_id, quantity }) => [location_id, quantity]),
      ]),
    );
  } catch {
    return 'that can not be read';
  }
}

interface OrderRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly hash_verdict: string;
  readonly stock_hash: string;
  readonly approved_by: string | null;
  readonly submitted_at_ms: LedgerMs;
  readonly decided_at_ms: LedgerMs | null;
  readonly placed_at_ms: LedgerMs | null;
  readonly upstream_order_ref: string | null;
  readonly upstream_order_name: string | null;
  readonly payment: string;
  readonly order_mode: string;
}

interface OrderEntry {
  readonly at_ms: LedgerMs;
  readonly kind: keyof typeof ORDER_KINDS;
  readonly data: string;
}

/** Entries that change what is compared; whether each decides about the order. */
const ORDER_KINDS = {
  'order.accepted': true,
  'order.held': false,
  'order.buyer_refused': false,
  'order.approved': null,
  'order.revalidated': true,
  'order.rejected': true,
  'order.failed': true,
  'order.placed': null,
  'order.ref_reused': null,
} as const satisfies Record<string, boolean | null>;

/** L6: every order is the one that was journaled, and stands for the order of the shop that was journaled. */
export function checkOrderContents(db: Database, found: Findings): void {
  const kinds = Object.keys(ORDER_KINDS).map((kind) => `'${kind}'`);
  const entriesOf = db.prepare(
    `SELECT at_ms, kind, data FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
       AND kind IN (${kinds.join(', ')}) ORDER BY seq`,
  );
  const rows = db
    .prepare(
      `SELECT reservation_key, id, hash_verdict, stock_hash, approved_by, submitted_at_ms, decided_at_ms, placed_at_ms,
         upstream_order_ref, upstream_order_name, payment, order_mode FROM orders ORDER BY order_key`,
    )
    .iterate() as IterableIterator<OrderRow>;
  for (const row of rows) {
    const facts = compareOrder(row, entriesOf.all(row.reservation_key) as OrderEntry[]);
    for (const [name, [has, says]] of differences(facts))
      found.add('L6', `order ${row.id} has the ${name} ${has}, but the journal says ${says}`);
  }
}

function compareOrder(row: OrderRow, entries: readonly OrderEntry[]): Facts {
  const told: Record<string, unknown> = { ref: null, approved_by: null };
  for (const { at_ms, kind, data } of entries) {
    const says = parseJson<Record<string, unknown>>(data) ?? {};
    if (ORDER_KINDS[kind] !== null) told['decided_at_ms'] = ORDER_KINDS[kind] ? at_ms : null;
    if (kind === 'order.accepted' || kind === 'order.held') {
      told['submitted_at_ms'] ??= at_ms;
      Object.assign(told, says, { approved_by: null });
    }
    if (kind === 'order.approved') told['approved_by'] = says['by'];
    // One that was still held when it was found at the shop was decided by that.
    if (kind === 'order.placed') told['decided_at_ms'] ??= at_ms;
    if (kind === 'order.placed')
      Object.assign(told, { ref: says['order_ref'], name: says['order_name'], placed_at_ms: at_ms });
    if (kind === 'order.ref_reused') told['is_void'] = true;
  }
  const [ref, mark] = row.upstream_order_ref?.split(VOID_MARK) ?? [null];
  return {
    id: [row.id, told['id']],
    verdict: [row.hash_verdict, told['verdict']],
    stock_hash: [row.stock_hash, told['stock_hash']],
    approver: [row.approved_by, told['approved_by']],
    payment: [row.payment, told['payment']],
    mode: [row.order_mode, told['mode']],
    submitted_at_ms: [row.submitted_at_ms, told['submitted_at_ms']],
    decided_at_ms: [row.decided_at_ms, told['decided_at_ms']],
    placed_at_ms: [row.placed_at_ms, told['placed_at_ms'] ?? null],
    'order at the shop': [ref, told['ref']],
    'name at the shop': [row.upstream_order_name, told['name']],
    'mark that the shop has it no more': [mark !== undefined, told['is_void'] ?? false],
  };
}

/** What the row has, and what the journal says; undefined where it says nothing. */
type Facts = Readonly<Record<string, readonly [has: unknown, says: unknown]>>;

function differences(facts: Facts): (readonly [string, readonly [unknown, unknown]])[] {
  return Object.entries(facts).filter(([, [has, says]]) => says !== undefined && has !== says);
}
