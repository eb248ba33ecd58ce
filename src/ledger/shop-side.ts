/**
 * The shop's side of a reservation: one outbox row per reservation says what exists at the shop, and what the
 * ledger wants to exist there follows from the reservation and its order. The difference is the next step.
 *
 * Levels, not edges: a lost wake-up, a crash or a job that comes late can't put steps out of order, because
 * there is no queue of steps, only a row to bring in line. A state that ends in -ing is an intent written
 * before the call: if the process dies there, the shop is asked before anything is sent again.
 */

import type { Order } from './order.js';
import type { ReservationState } from './reservation.js';
import type { LedgerMs } from './units.js';

export type ShopState = 'absent' | 'creating' | 'open' | 'completing' | 'completed' | 'deleting' | 'deleted';

/** How the ledger wants the shop to stand. */
export type Wanted =
  /** Units held there for an active reservation. */
  | 'held'
  /** Stock re-read and the held order decided. */
  | 'revalidated'
  /** The hold turned into an order. */
  | 'ordered'
  /** Nothing there. */
  | 'nothing'
  /** As it is: a person decides, or holds are not mirrored. */
  | 'as_is';

/** `reread` is in no table: it comes before a `complete` or a `rest` while a hold waits for a report. */
export type Step =
  | 'create'
  | 'look_up'
  | 'complete'
  | 'read_back'
  | 'delete'
  | 'revalidate'
  | 'reread'
  | 'rest';

/**
 * Complete: the next step for what is wanted and what is there. `look_up` asks by our tag (the reference was
 * never learnt), `read_back` by the shop's reference.
 */
export const STEPS = {
  held: {
    absent: 'create',
    creating: 'look_up',
    open: 'rest',
    completing: 'read_back',
    completed: 'rest',
    deleting: 'read_back',
    deleted: 'rest',
  },
  revalidated: {
    absent: 'revalidate',
    creating: 'look_up',
    open: 'revalidate',
    completing: 'read_back',
    completed: 'revalidate',
    deleting: 'read_back',
    deleted: 'revalidate',
  },
  ordered: {
    absent: 'create',
    creating: 'look_up',
    open: 'complete',
    completing: 'read_back',
    // Somebody completed it by hand before: that order is ours to adopt, never to make again.
    completed: 'read_back',
    deleting: 'read_back',
    deleted: 'create',
  },
  nothing: {
    absent: 'rest',
    creating: 'look_up',
    open: 'delete',
    completing: 'read_back',
    completed: 'rest',
    deleting: 'read_back',
    deleted: 'rest',
  },
  as_is: {
    absent: 'rest',
    creating: 'look_up',
    open: 'rest',
    completing: 'read_back',
    completed: 'rest',
    deleting: 'read_back',
    deleted: 'rest',
  },
} as const satisfies Record<Wanted, Record<ShopState, Step>>;

export type MirrorMode = 'draft_order' | 'none';
export type StaleHashPolicy = 'revalidate' | 'hold';

export interface OutboxRow {
  readonly reservation_key: number;
  readonly shop_state: ShopState;
  /** Our own unique mark on what we create, by which an unknown outcome is looked up. */
  readonly tag: string;
  /** The shop's reference of the hold; null until it is known. */
  readonly hold_ref: string | null;
  /** Until when the shop holds by itself. */
  readonly hold_until_ms: LedgerMs | null;
  /** True once buyer, note and reference have reached the shop. */
  readonly details_sent: boolean;
  /** When the intent of the present -ing state was written. */
  readonly intent_at_ms: LedgerMs | null;
  /** Look-ups since the intent that found nothing. */
  readonly empty_lookups: number;
  /** Steps in a row that did not succeed. */
  readonly attempts: number;
  /** When the row is to be looked at; null when it rests. */
  readonly due_at_ms: LedgerMs | null;
  /** The worker that has it, and until when: a worker that dies loses it by time. */
  readonly claimed_by: string | null;
  readonly claimed_until_ms: LedgerMs | null;
  /** Given up after too many attempts: a person has to look. */
  readonly parked: boolean;
  readonly last_failure: string | null;
}

/** Rows are worked on in the order in which they are due. A buyer who waits goes before mirrors that were due earlier. */
const ORDER_LEAD_MS = 3_600_000;

/** When the outbox should look at an order that is submitted now. */
export function orderDue(now: LedgerMs): LedgerMs {
  return now - ORDER_LEAD_MS;
}

/** What the reservation and its order want of the shop. */
export function wantedAtShop(
  reservation: ReservationState,
  order: Pick<Order, 'state' | 'approved_by'> | null,
  settings: { readonly mirror: MirrorMode; readonly stale_hash: StaleHashPolicy },
): Wanted {
  if (reservation === 'active') return settings.mirror === 'none' ? 'as_is' : 'held';
  if (reservation === 'released' || reservation === 'expired') return 'nothing';
  // The shop has the order: whatever is seen there later, nothing may be created again (L4).
  if (reservation === 'committed') return 'as_is';
  if (order?.state === 'accepted') return 'ordered';
  if (order?.state === 'held') {
    return settings.stale_hash === 'revalidate' || order.approved_by !== null ? 'revalidated' : 'as_is';
  }
  throw new Error(`a submitted reservation has a held or an accepted order, not ${order?.state}`);
}
