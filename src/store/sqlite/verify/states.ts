/** Proves of every reservation and order that it is in the state that the journal tells last. */

import type { JournalKind } from '../../../ledger/model/journal.js';
import type { OrderState } from '../../../ledger/model/order.js';
import type { ReservationState } from '../../../ledger/model/reservation.js';
import type { Database } from '../database/driver.js';
import { type Findings, PROGRESS_EVERY, type Progress } from './findings.js';

interface StatesAfter {
  readonly reservation: ReservationState;
  readonly order: OrderState | null;
}

/** What an entry leaves a reservation and its order in; null when it moves neither. */
const STATES_AFTER = {
  'ledger.opened': null,
  'stock.changed': null,
  'stock.jumped': null,
  'stock.rise_withheld': null,
  'stock.rise_settled': null,
  'stock.reconciled': null,
  'holds.moved': null,
  'security.stock_hash_unknown': null,
  'shop.creating': null,
  'shop.open': null,
  'shop.absent': null,
  'shop.completing': null,
  'shop.completed': null,
  'shop.deleting': null,
  'shop.deleted': null,
  'shop.draft_edited': null,
  'shop.draft_gone': null,
  'shop.parked': null,
  'shop.retried': null,
  'reservation.created': { reservation: 'active', order: null },
  'reservation.released': { reservation: 'released', order: null },
  'reservation.expired': { reservation: 'expired', order: null },
  'order.accepted': { reservation: 'submitted', order: 'accepted' },
  'order.held': { reservation: 'submitted', order: 'held' },
  'order.buyer_refused': { reservation: 'submitted', order: 'held' },
  'order.approved': { reservation: 'submitted', order: 'held' },
  'order.revalidated': { reservation: 'submitted', order: 'accepted' },
  'order.offered': { reservation: 'submitted', order: 'accepted' },
  'order.withdrawn': { reservation: 'submitted', order: 'accepted' },
  'order.rejected': { reservation: 'released', order: 'rejected' },
  'order.placed': { reservation: 'committed', order: 'placed' },
  'order.failed': { reservation: 'released', order: 'failed' },
  'order.fulfilled': { reservation: 'committed', order: 'fulfilled' },
  'order.cancelled': { reservation: 'committed', order: 'cancelled' },
  'order.partly_fulfilled': null,
  'order.unfulfilled': null,
  'order.cancelled_when_fulfilled': null,
  'order.edited': null,
  'order.refunded': null,
  'order.returned': null,
  'order.restocked': null,
  'order.missing': null,
  'order.ref_reused': null,
  'holds.returning': null,
  'holds.returned': null,
  'order.doubled': null,
  'order.twin_cancelled': null,
  'order.shown': null,
  'order.routing': null,
  'order.routed': null,
  'order.not_routed': null,
} as const satisfies Record<JournalKind, StatesAfter | null>;

/** L6: every reservation and order is as the journal's last word on it says. */
export function checkStates(db: Database, found: Findings, progress: Progress): number {
  const moving = Object.entries(STATES_AFTER).flatMap(([kind, after]) =>
    after === null ? [] : [`'${kind}'`],
  );
  const lastWord = db
    .prepare(
      `SELECT kind FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
         AND kind IN (${moving.join(', ')}) ORDER BY seq DESC LIMIT 1`,
    )
    .pluck();
  const rows = db
    .prepare(
      `SELECT reservations.reservation_key AS reservation_key, reservations.state AS reservation, orders.state AS "order",
         journal.reservation_key AS created_key, journal.kind AS created_kind
       FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
       LEFT JOIN journal ON journal.seq = reservations.created_seq`,
    )
    .iterate() as IterableIterator<{
    reservation_key: number;
    reservation: string;
    order: string | null;
    created_key: number | null;
    created_kind: string | null;
  }>;
  let count = 0;
  for (const { reservation_key, reservation, order, created_key, created_kind } of rows) {
    count += 1;
    if (count % PROGRESS_EVERY === 0) progress('reservations', count);
    if (created_key !== reservation_key || created_kind !== 'reservation.created') {
      found.add('L6', `the journal does not know how reservation ${reservation_key} came about`);
      continue;
    }
    const kind = (lastWord.get(reservation_key) ?? created_kind) as keyof typeof STATES_AFTER;
    const after: StatesAfter | null = STATES_AFTER[kind];
    if (after === null || after.reservation !== reservation)
      found.add(
        'L6',
        `reservation ${reservation_key} is ${reservation}, but the journal's last word is ${kind}`,
      );
    if ((after?.order ?? null) !== order)
      found.add(
        'L6',
        `the order of reservation ${reservation_key} is ${order ?? 'missing'}, but the journal's last word is ${kind}`,
      );
  }
  progress('reservations', count);
  return count;
}
