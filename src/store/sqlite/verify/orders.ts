/** Proves of every order that it stands alone, and that what became of it at the shop is what the journal tells. */

import type { OrderState } from '../../../ledger/model/order.js';
import type { Aftermath } from '../../../ledger/model/order-history.js';
import type { Database } from '../database/driver.js';
import { type Findings, parseJson } from './findings.js';

/** L4: one order per reservation, one order at the shop per order. Asked of the rows, whatever the schema forbids. */
export function checkOrders(db: Database, found: Findings): number {
  const wrong = db
    .prepare(
      `SELECT 'reservation ' || reservation_key || ' has ' || count(*) || ' orders' AS detail
         FROM orders GROUP BY reservation_key HAVING count(*) > 1
       UNION ALL
       SELECT 'the order ' || upstream_order_ref || ' of the shop stands for ' || count(*) || ' of ours'
         FROM orders WHERE upstream_order_ref IS NOT NULL GROUP BY upstream_order_ref HAVING count(*) > 1
       UNION ALL
       SELECT 'order ' || id || ' is ' || state || ' without an order at the shop' FROM orders
         WHERE state IN ('placed', 'fulfilled', 'cancelled') AND upstream_order_ref IS NULL
       UNION ALL
       SELECT 'order ' || id || ' is ' || state || ' and has an order at the shop' FROM orders
         WHERE state NOT IN ('placed', 'fulfilled', 'cancelled') AND upstream_order_ref IS NOT NULL
       UNION ALL
       SELECT 'order ' || id || ' is of reservation ' || reservation_key || ', which does not exist' FROM orders
         WHERE NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.reservation_key = orders.reservation_key)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of wrong) found.add('L4', detail);
  return db.prepare('SELECT count(*) FROM orders').pluck().get() as number;
}

interface AftermathRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly state: OrderState;
  readonly aftermath: string;
}

/** L6: what is known of an order's life at the shop fits its state, and is what the journal has told, each thing once. */
export function checkAftermaths(db: Database, found: Findings): void {
  const told = db.prepare(
    `SELECT kind, data FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
       AND kind IN ('order.refunded', 'order.restocked', 'order.returned')`,
  );
  const orders = db
    .prepare(
      'SELECT reservation_key, id, state, aftermath FROM orders WHERE aftermath IS NOT NULL ORDER BY order_key',
    )
    .iterate() as IterableIterator<AftermathRow>;
  for (const row of orders) {
    const aftermath = parseJson<Aftermath>(row.aftermath);
    if (aftermath === null) {
      found.add('L6', `what became of order ${row.id} can't be read`);
      continue;
    }
    const { cancelled_at_ms, fulfilment } = aftermath;
    const fits =
      row.state === 'cancelled'
        ? cancelled_at_ms !== null
        : row.state === 'fulfilled' || (cancelled_at_ms === null && fulfilment !== 'fulfilled');
    if (!fits) found.add('L6', `order ${row.id} is ${row.state}, which is not what became of it at the shop`);
    const entries = told.all(row.reservation_key) as { kind: string; data: string }[];
    if (!isToldOnce(aftermath, entries))
      found.add('L6', `what became of order ${row.id} is not what the journal tells`);
  }
  const unseen = db
    .prepare("SELECT id, state FROM orders WHERE state IN ('fulfilled', 'cancelled') AND aftermath IS NULL")
    .all() as { id: string; state: string }[];
  for (const { id, state } of unseen)
    found.add('L6', `order ${id} is ${state}, and nothing was seen of it at the shop`);
}

function isToldOnce(aftermath: Aftermath, entries: readonly { kind: string; data: string }[]): boolean {
  const tell = (of: string) =>
    entries.flatMap(({ kind, data }) =>
      kind === of ? [parseJson<{ refund_ref: string; return_ref: string; units: number }>(data)] : [],
    );
  const sum = (parts: readonly { restocked_units: number }[]) =>
    parts.reduce((units, part) => units + part.restocked_units, 0);
  const refunds = tell('order.refunded').map((data) => data?.refund_ref);
  const returns = new Set(tell('order.returned').map((data) => data?.return_ref));
  const restocked = tell('order.restocked').reduce((units, data) => units + (data?.units ?? 0), 0);
  return (
    refunds.length === aftermath.refunds.length &&
    aftermath.refunds.every(({ refund_ref }) => refunds.includes(refund_ref)) &&
    returns.size === aftermath.returns.length &&
    aftermath.returns.every(({ return_ref }) => returns.has(return_ref)) &&
    restocked === sum(aftermath.refunds) + sum(aftermath.returns)
  );
}
