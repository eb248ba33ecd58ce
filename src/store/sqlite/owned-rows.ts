/** The rows of one reservation: itself, its order, its holds, and its side at the shop. */

import type { Hold } from '../../ledger/hold.js';
import type { Order } from '../../ledger/order.js';
import type { HoldMove, Keys, Owned } from '../../ledger/ports.js';
import type { Reservation } from '../../ledger/reservation.js';
import type { OutboxRow } from '../../ledger/shop-side.js';
import { unpackLines } from './packed-lines.js';
import type { Statements } from './statements.js';

type Name = NonNullable<Keys['owned']>;
type OrderName = Extract<Name, { order_id: string } | { order_ref: string }>;

/** `owner`: null too when it is not this principal's. */
export function findOwned(sql: Statements, name: Name, owner?: string): Owned | null {
  if ('order_id' in name || 'order_ref' in name) {
    const row = orderRow(sql, name, owner) as { reservation_key: number } | undefined;
    return row === undefined ? null : findOwned(sql, { reservation_key: row.reservation_key });
  }
  const reservation = readReservation(reservationRow(sql, name, owner));
  if (reservation === null) return null;
  const key = reservation.reservation_key;
  return {
    reservation,
    order: readOrder(sql.order_by_reservation.get(key)),
    holds: sql.holds.all(key) as Hold[],
    outbox: readOutbox(sql.outbox.get(key)),
  };
}

export function moveHold(sql: Statements, { hold, to }: HoldMove): void {
  const { changes } =
    to === null
      ? sql.drop_hold.run(hold.level_key, hold.reservation_key)
      : sql.put_hold.run(
          to.quantity_units,
          to.state,
          to.awaits,
          to.awaits_after_ms,
          to.mirror_until_ms,
          hold.level_key,
          hold.reservation_key,
        );
  if (changes !== 1) throw new Error('a hold to move is missing');
}

export function addOrder(sql: Statements, order: Order): void {
  sql.add_order.run(
    order.id,
    order.reservation_key,
    order.state,
    order.hash_verdict,
    order.stock_hash,
    JSON.stringify(order.reasons),
    order.buyer === null ? null : JSON.stringify(order.buyer),
    order.note,
    order.reference,
    order.submitted_at_ms,
    order.decided_at_ms,
    order.placed_at_ms,
    order.upstream_order_ref,
    order.upstream_order_name,
    order.checkout_url,
    order.order_mode,
    order.pay_until_ms,
  );
}

export function putOrder(sql: Statements, order: Order): void {
  const { changes } = sql.put_order.run(
    order.state,
    JSON.stringify(order.reasons),
    order.approved_by,
    order.buyer === null ? null : JSON.stringify(order.buyer),
    order.decided_at_ms,
    order.placed_at_ms,
    order.upstream_order_ref,
    order.upstream_order_name,
    order.checkout_url,
    order.pay_until_ms,
    order.aftermath === null ? null : JSON.stringify(order.aftermath),
    order.id,
  );
  if (changes !== 1) throw new Error('an order to change is missing');
}

export function putOutbox(sql: Statements, row: OutboxRow): void {
  sql.put_outbox.run(
    row.shop_state,
    row.protocol,
    row.request === null ? null : JSON.stringify(row.request),
    row.hold_ref,
    row.hold_until_ms,
    row.details_sent ? 1 : 0,
    row.intent_at_ms,
    row.empty_lookups,
    row.attempts,
    row.due_at_ms,
    row.claimed_by,
    row.claimed_until_ms,
    row.parked ? 1 : 0,
    row.last_failure,
    row.reservation_key,
  );
}

function orderRow(sql: Statements, name: OrderName, owner: string | undefined): unknown {
  if ('order_ref' in name) return sql.order_by_ref.get(name.order_ref);
  return owner === undefined
    ? sql.order_by_id.get(name.order_id)
    : sql.order_of_owner.get(name.order_id, owner);
}

function reservationRow(sql: Statements, name: Exclude<Name, OrderName>, owner: string | undefined): unknown {
  if ('reservation_id' in name) {
    return owner === undefined
      ? sql.reservation_by_id.get(name.reservation_id)
      : sql.reservation_of_owner.get(name.reservation_id, owner);
  }
  return sql.reservation_by_key.get(name.reservation_key);
}

function readReservation(row: unknown): Reservation | null {
  if (row === undefined) return null;
  const { lines, ...rest } = row as Omit<Reservation, 'lines'> & { lines: string };
  return { ...rest, lines: unpackLines(lines, rest.stock_hash) };
}

function readOrder(row: unknown): Order | null {
  if (row === undefined) return null;
  const { reasons, buyer, aftermath, ...rest } = row as Omit<Order, 'reasons' | 'buyer' | 'aftermath'> & {
    reasons: string;
    buyer: string | null;
    aftermath: string | null;
  };
  return {
    ...rest,
    reasons: JSON.parse(reasons) as Order['reasons'],
    buyer: buyer === null ? null : (JSON.parse(buyer) as Order['buyer']),
    aftermath: aftermath === null ? null : (JSON.parse(aftermath) as Order['aftermath']),
  };
}

function readOutbox(row: unknown): OutboxRow {
  if (row === undefined) throw new Error('a reservation without its outbox row');
  const raw = row as Omit<OutboxRow, 'details_sent' | 'parked' | 'request'> & {
    details_sent: 0 | 1;
    parked: 0 | 1;
    request: string | null;
  };
  return {
    ...raw,
    details_sent: raw.details_sent === 1,
    parked: raw.parked === 1,
    request: raw.request === null ? null : (JSON.parse(raw.request) as OutboxRow['request']),
  };
}
