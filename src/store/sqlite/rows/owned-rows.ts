/** The rows of one reservation: itself, its order, its holds, and its side at the shop. */

import type { Hold } from '../../../ledger/model/hold.js';
import type { Order } from '../../../ledger/model/order.js';
import type { OutboxRow } from '../../../ledger/model/outbox-row.js';
import type { Reservation } from '../../../ledger/model/reservation.js';
import type { HoldMove, Keys, Owned, RoutedChanges } from '../../../ledger/state/state.js';
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
  if (to === null) {
    if (hold === null) throw new Error('a move of no hold');
    const { level_key, reservation_key } = hold;
    if (sql.drop_hold.run(level_key, reservation_key).changes !== 1) throw missingHold();
    return;
  }
  const { quantity_units, state, place, awaits, awaits_after_ms, mirror_until_ms } = to;
  const values = [quantity_units, state, place, awaits, awaits_after_ms, mirror_until_ms] as const;
  const write = hold === null ? sql.add_hold : sql.put_hold;
  if (write.run(...values, to.level_key, to.reservation_key).changes !== 1) throw missingHold();
}

function missingHold(): Error {
  return new Error('a hold to move is missing');
}

export function putRouted(sql: Statements, { put = [], drop = [] }: RoutedChanges): void {
  for (const { reservation_key, to_level_key } of drop) sql.drop_routed.run(reservation_key, to_level_key);
  for (const one of put)
    sql.put_routed.run(
      one.reservation_key,
      one.item_key,
      one.to_level_key,
      one.from_level_key,
      one.units,
      one.awaits_after_ms,
    );
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
    order.payment,
    order.held_for,
    order.held_until_ms,
    JSON.stringify(order.refused_fields),
    order.buyer_refusals,
    ...packRoute(order.route),
  );
}

export function putOrder(sql: Statements, order: Order): void {
  const { changes } = sql.put_order.run(
    order.state,
    order.hash_verdict,
    order.stock_hash,
    order.note,
    order.reference,
    order.held_for,
    order.held_until_ms,
    JSON.stringify(order.refused_fields),
    order.buyer_refusals,
    JSON.stringify(order.reasons),
    order.approved_by,
    order.buyer === null ? null : JSON.stringify(order.buyer),
    order.decided_at_ms,
    order.placed_at_ms,
    order.upstream_order_ref,
    order.upstream_order_name,
    order.shop_lines === null ? null : JSON.stringify(order.shop_lines),
    order.checkout_url,
    order.pay_until_ms,
    order.aftermath === null ? null : JSON.stringify(order.aftermath),
    ...packRoute(order.route),
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
    row.late_since_ms,
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
  const { order_id: id } = name;
  const byId = owner === undefined ? sql.order_by_id.get(id) : sql.order_of_owner.get(id, owner);
  const byName = (shopName: string): unknown =>
    owner === undefined ? sql.order_by_name.get(shopName) : sql.named_order_of_owner.get(shopName, owner);
  // People leave the mark out: 1009 is #1009.
  return byId ?? byName(id) ?? byName(`#${id}`);
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
  const { lines, pooled, ...rest } = row as Omit<Reservation, 'lines' | 'pooled'> & {
    lines: string;
    pooled: 0 | 1;
  };
  return { ...rest, pooled: pooled === 1, lines: unpackLines(lines, rest.stock_hash) };
}

function packRoute(route: Order['route']): readonly [state: string | null, detail: string | null] {
  if (route === null) return [null, null];
  const { state, ...detail } = route;
  return [state, JSON.stringify(detail)];
}

function unpackRoute(state: string | null, detail: string | null): Order['route'] {
  return state === null || detail === null ? null : ({ state, ...JSON.parse(detail) } as Order['route']);
}

/** Kept as JSON. */
type PackedField = 'reasons' | 'buyer' | 'aftermath' | 'shop_lines' | 'refused_fields';

function readOrder(row: unknown): Order | null {
  if (row === undefined) return null;
  const { reasons, buyer, aftermath, shop_lines, refused_fields, route_state, route_detail, ...rest } =
    row as Omit<Order, PackedField | 'route'> &
      Record<PackedField | 'route_state' | 'route_detail', string | null> & {
        reasons: string;
        refused_fields: string;
      };
  return {
    ...rest,
    route: unpackRoute(route_state, route_detail),
    reasons: JSON.parse(reasons) as Order['reasons'],
    refused_fields: JSON.parse(refused_fields) as Order['refused_fields'],
    buyer: buyer === null ? null : (JSON.parse(buyer) as Order['buyer']),
    aftermath: aftermath === null ? null : (JSON.parse(aftermath) as Order['aftermath']),
    shop_lines: shop_lines === null ? null : (JSON.parse(shop_lines) as Order['shop_lines']),
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
