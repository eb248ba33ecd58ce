/** Tidies reservations whose time has passed. Correctness does not wait for it: expiry is a fact of time. */

import { decideExpire } from '../ledger/reservation/release.js';
import type { Store } from '../ledger/state/state.js';

/** Reservations expired by one round of transactions. */
const SWEEP_MAX = 200;

/** Expires what is due, round by round, until nothing is. Returns how many. */
export async function sweepExpired(store: Store, signal: AbortSignal): Promise<number> {
  let expired = 0;
  while (!signal.aborted) {
    const due = await store.expiredReservations(SWEEP_MAX);
    const done = await Promise.all(
      due.map(({ reservation_key }) => store.transact({ owned: { reservation_key } }, decideExpire)),
    );
    expired += done.filter(Boolean).length;
    if (due.length < SWEEP_MAX) break;
  }
  return expired;
}
