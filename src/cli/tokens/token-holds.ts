/** What the callers whose tokens were revoked still hold: their units stay with them until their time is over, or somebody frees them. */

import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Ledger } from '../../ledger/ledger.js';
import type { ReservationListing } from '../../ledger/state/state.js';
import type { SqliteStore } from '../../store/sqlite/sqlite-store.js';
import { lineText, timeText, withLedger } from '../ledger/ledger-command.js';

export interface LeftHold
  extends Pick<ReservationListing, 'reservation_id' | 'principal' | 'lines' | 'expires_at_ms'> {
  /** False while it still holds its units. */
  readonly is_released: boolean;
}

const PAGE_SIZE = 200;

/**
 * Active reservations of these principals; with `release` they are freed first. Orders that were accepted are not touched. Throws
 * `LedgerUnusable`.
 */
export async function findLeftHolds(
  db: string,
  principals: ReadonlySet<string>,
  { release }: { readonly release: boolean },
): Promise<readonly LeftHold[]> {
  if (principals.size === 0 || !existsSync(db)) return [];
  return await withLedger(async ({ ledger, store }) => {
    const holds: LeftHold[] = [];
    for (const { reservation_id, principal, lines, expires_at_ms } of await listActive(store, principals)) {
      const is_released = release && (await releaseHold(ledger, principal, reservation_id));
      holds.push({ reservation_id, principal, lines, expires_at_ms, is_released });
    }
    return holds;
  });
}

export function leftHoldText({
  reservation_id,
  principal,
  lines,
  expires_at_ms,
  is_released,
}: LeftHold): string {
  const what = `${reservation_id} (${lineText(lines)})`;
  return is_released
    ? `Released: ${what} of ${principal}.`
    : `Still held: ${what} by ${principal}, until ${timeText(expires_at_ms).slice(11)}.`;
}

async function listActive(
  store: SqliteStore,
  principals: ReadonlySet<string>,
): Promise<readonly ReservationListing[]> {
  const found: ReservationListing[] = [];
  let beforeReservationId: string | null = null;
  for (;;) {
    const page: readonly ReservationListing[] =
      (await store.listReservations({
        limit: PAGE_SIZE,
        beforeReservationId,
        isActive: true,
        isParked: false,
      })) ?? [];
    found.push(...page.filter(({ principal }) => principals.has(principal)));
    if (page.length < PAGE_SIZE) return found;
    beforeReservationId = page.at(-1)?.reservation_id ?? null;
  }
}

/** False when an order was submitted on it meanwhile. */
async function releaseHold(ledger: Ledger, principal: string, reservation_id: string): Promise<boolean> {
  return (await ledger.release({ principal, reservation_id, by: userInfo().username })).ok;
}
