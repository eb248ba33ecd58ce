/** Proves of every order that is to ship from where it was promised that the journal tells the same of it. */

import type { OrderRoute, RouteState } from '../../../ledger/model/route.js';
import type { Database } from '../database/driver.js';
import { parseJson } from './findings.js';

interface RouteRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly route_state: RouteState;
  readonly route_detail: string;
}

interface Told {
  readonly kind: string;
  readonly data: string;
}

/** The kinds that an order's route may have been told of last. */
const LAST_WORD = {
  // Before anything, between two moves, or after a move that was not sent.
  wanted: [null, 'order.routing', 'order.routed'],
  moving: ['order.routing'],
  moved: ['order.routed'],
  in_place: ['order.routed'],
  not_moved: ['order.not_routed'],
} as const satisfies Record<RouteState, readonly (string | null)[]>;

/** L6: how an order's route stands is the journal's last word on it, no move is asked for twice, and none is open for nobody. */
export function checkRoutes(db: Database, tell: (detail: string) => void): void {
  const lastWord = db.prepare(
    `SELECT kind, data FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
       AND kind IN ('order.routing', 'order.routed', 'order.not_routed') ORDER BY seq DESC LIMIT 1`,
  );
  const rows = db
    .prepare(
      `SELECT reservation_key, id, route_state, route_detail FROM orders WHERE route_state IS NOT NULL ORDER BY order_key`,
    )
    .iterate() as IterableIterator<RouteRow>;
  for (const { reservation_key, id, route_state, route_detail } of rows) {
    const detail = parseJson<Omit<OrderRoute, 'state'>>(route_detail);
    const told = lastWord.get(reservation_key) as Told | undefined;
    const kinds: readonly (string | null)[] = LAST_WORD[route_state];
    if (detail === null || !kinds.includes(told?.kind ?? null)) {
      tell(
        `the route of order ${id} is ${route_state}, but the journal's last word is ${told?.kind ?? 'none'}`,
      );
      continue;
    }
    const why = route_state === 'not_moved' ? (parseJson<{ why?: unknown }>(told?.data)?.why ?? null) : null;
    if (detail.why !== why)
      tell(`order ${id} was not moved for ${detail.why}, but the journal says for ${why}`);
    const moves = detail.moves.map((move) => `${move.fulfilment_ref} ${move.to_location_id}`);
    if (new Set(moves).size < moves.length) tell(`order ${id} was asked to be moved to one place twice`);
  }
  const orphans = db
    .prepare(
      `SELECT routed_units.reservation_key FROM routed_units
         LEFT JOIN orders ON orders.reservation_key = routed_units.reservation_key
       WHERE orders.id IS NULL OR (awaits_after_ms IS NULL AND route_state IS NOT 'moving')
         OR (awaits_after_ms IS NOT NULL AND route_state IS 'in_place')`,
    )
    .pluck()
    .iterate() as IterableIterator<number>;
  for (const key of orphans) tell(`units are said to be moved for reservation ${key}, and nothing is`);
}
