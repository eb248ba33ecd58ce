/** Lists of orders and reservations as a merchant reads them: newest first, page by page. */

import { grantedBySku } from '../../../ledger/model/reservation.js';
import type { LedgerMs } from '../../../ledger/model/values/units.js';
import type {
  OrderListing,
  OrderQuery,
  ReservationListing,
  ReservationQuery,
} from '../../../ledger/state/state.js';
import { unpackLines } from './packed-lines.js';
import type { Statements } from './statements.js';

/** Above the key of every row. */
const KEY_MAX = Number.MAX_SAFE_INTEGER;

type Row<Listing> = Omit<Listing, 'lines' | 'parked'> & { readonly lines: string; readonly parked: 0 | 1 };

/** Null when the order to go on from is not there. */
export function listOrders(sql: Statements, query: OrderQuery): readonly OrderListing[] | null {
  const { limit, beforeOrderId, isHeld, isParked } = query;
  const from = beforeOrderId === null ? { order_key: KEY_MAX } : readOrderKey(sql, beforeOrderId);
  if (from === undefined) return null;
  const { order_key: key } = from as { readonly order_key: number };
  const rows =
    isHeld || isParked
      ? sql.list_orders_waiting.all(Number(isHeld), key, Number(isParked), key, limit)
      : sql.list_orders.all(key, limit);
  return (rows as Row<OrderListing>[]).map(toListing);
}

/** By its id, or the shop's own name of it, as everywhere. */
function readOrderKey(sql: Statements, name: string): unknown {
  const byName = (shopName: string): unknown => sql.order_key_by_name.get(shopName);
  // People leave the mark out: 1009 is #1009.
  return sql.order_key.get(name) ?? byName(name) ?? byName(`#${name}`);
}

/** Null when the reservation to go on from is not there. */
export function listReservations(
  sql: Statements,
  query: ReservationQuery,
  now: LedgerMs,
): readonly ReservationListing[] | null {
  const { limit, beforeReservationId, isActive, isParked } = query;
  const from =
    beforeReservationId === null
      ? { reservation_key: KEY_MAX }
      : sql.reservation_key.get(beforeReservationId);
  if (from === undefined) return null;
  const { reservation_key: key } = from as { readonly reservation_key: number };
  const rows =
    isActive || isParked
      ? sql.list_reservations_waiting.all(now, now, Number(isActive), key, Number(isParked), key, limit)
      : sql.list_reservations.all(now, key, limit);
  return (rows as Row<ReservationListing>[]).map(toListing);
}

function toListing<Listing extends { readonly lines: unknown; readonly parked: unknown }>(row: Row<Listing>) {
  const granted = grantedBySku(unpackLines(row.lines, ''));
  const lines = [...granted].map(([sku, quantity]) => ({ sku, quantity }));
  return { ...row, lines, parked: row.parked === 1 };
}
