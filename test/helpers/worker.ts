/** A worker of the outbox in a test's hands: it decides as the outbox does, and the test says what the shop answers. */

import { decideClaim, decideNextStep } from '../../src/ledger/shop-steps.js';
import type { Claim, Work } from '../../src/ledger/work.js';
import { HOUR, MINUTE, type TestLedger } from './ledger.js';

export const CLAIM: Claim = { worker: 'w', claim_ms: MINUTE, check_ms: HOUR, resend_max_ms: 20 * HOUR };

/** The step that a worker is given now, with its intent written; null when there is nothing to do. */
export async function takeStep(t: TestLedger, reservationId: string): Promise<Work | null> {
  await t.decide(reservationId, (state) => decideClaim(state, CLAIM));
  return t.decide(reservationId, (state) => decideNextStep(state, CLAIM, t.settings, true));
}

/** What the journal tells of a reservation from its newest entries, oldest first. */
export async function told(
  t: TestLedger,
  reservationId: string,
  newest: number,
): Promise<readonly (readonly [kind: string, data: unknown])[]> {
  const { reservation } = await t.owned(reservationId);
  const entries = await t.store.timeline(reservation.reservation_key, 1000);
  return entries.slice(-newest).map(({ kind, data }) => [kind, JSON.parse(data)] as const);
}
