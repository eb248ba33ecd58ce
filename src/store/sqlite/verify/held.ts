/** Proves of every held order that it is held for the reason that the journal tells last. */

import type { HeldReason } from '../../../ledger/model/order.js';
import type { Database } from '../database/driver.js';

interface HeldRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly state: string;
  readonly held_for: HeldReason | null;
  readonly refused_fields: string;
}

/** L6: an order has a reason to be held exactly while it is held, and the journal tells the same. */
export function checkHeldOrders(db: Database, tell: (detail: string) => void): void {
  const lastWord = db.prepare(
    `SELECT kind, data FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
       AND kind IN ('order.held', 'order.buyer_refused', 'order.approved') ORDER BY seq DESC LIMIT 1`,
  );
  const rows = db
    .prepare(
      `SELECT reservation_key, id, state, held_for, refused_fields FROM orders
       WHERE state = 'held' OR held_for IS NOT NULL OR refused_fields <> '[]' ORDER BY order_key`,
    )
    .iterate() as IterableIterator<HeldRow>;
  for (const { reservation_key, id, state, held_for, refused_fields } of rows) {
    if (state !== 'held' || held_for === null) {
      tell(`order ${id} is ${state}, and is said to be held for ${held_for ?? 'nothing'}`);
      continue;
    }
    if ((refused_fields !== '[]') !== (held_for === 'buyer_refused'))
      tell(`order ${id} is held for ${held_for}, and what the shop refused of it does not fit that`);
    const told = reasonTold(lastWord.get(reservation_key) as Told | undefined);
    if (told !== held_for) tell(`order ${id} is held for ${held_for}, but the journal says for ${told}`);
  }
}

interface Told {
  readonly kind: string;
  readonly data: string;
}

/** Entries from before there were reasons are about stale stock. */
function reasonTold(entry: Told | undefined): string {
  if (entry?.kind === 'order.buyer_refused') return 'buyer_refused';
  if (entry?.kind !== 'order.held') return entry === undefined ? 'nothing' : 'stale';
  try {
    return String((JSON.parse(entry.data) as { held_for?: unknown }).held_for ?? 'stale');
  } catch {
    return 'what can not be read';
  }
}
