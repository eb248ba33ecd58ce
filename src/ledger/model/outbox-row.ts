/**
 * The shop's side of a reservation: one outbox row per reservation says what exists at the shop, and what the
 * ledger wants to exist there follows from the reservation and its order. The difference is the next step.
 *
 * Levels, not edges: a lost wake-up, a crash or a job that comes late can't put steps out of order, because
 * there is no queue of steps, only a row to bring in line. A state that ends in -ing is an intent written
 * before the call: if the process dies there, the shop is asked before anything is sent again, or is sent the
 * very same request where its key makes that harmless.
 */

import type { Order } from './order.js';
import type { ReservationState } from './reservation.js';
import { isRouteOpen, type RouteFulfillment } from './route.js';
import type { StockMove } from './stock-transfer.js';
import type { LedgerMs } from './values/units.js';

/**
 * How units are held at the shop. `draft_order`: a draft order reserves them, and becomes the order. `move`: they are
 * moved from `available` to `reserved`, and back again before the order is made.
 */
export type Protocol = 'draft_order' | 'move';

export type MirrorMode = Protocol | 'none';
export type StaleHashPolicy = 'revalidate' | 'hold';

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
  | 'as_is'
  /** The order shipped from the places that promised its units. */
  | 'routed'
  /** A link at which the buyer can pay for the hold. */
  | 'offered'
  /** As it is, until the buyer has paid or the time to pay is over. */
  | 'awaited'
  /** Nothing there, and only when that is certain the order fails: the buyer may be paying at this moment. */
  | 'withdrawn';

/** What only a draft order can do: nobody can pay for units that were moved. */
export type Payable = Extract<Wanted, 'offered' | 'awaited' | 'withdrawn'>;

/**
/**
 * Steps that are no protocol's own. Two are in no table: `reread` comes first while a hold waits for a report, or when the stock
 * looks short; `look_first` before the first step of a row that this process did not write just now. `route`: the placed order is
 * looked at, and moved to the places that promised its units.
 */
export type CommonStep = 'revalidate' | 'reread' | 'look_first' | 'route' | 'rest';
/** `look_up` asks by our tag (the reference was never learnt), `read_back` by the shop's reference. */
export type DraftStep =
  | CommonStep
  | 'create'
  | 'look_up'
  | 'offer'
  | 'complete'
  | 'read_back'
  | 'delete'
  | 'give_up';
/** `resend` sends the stored request with its own key: the shop carries it out once. `find` asks for the order by our tag. */
export type MoveStep = CommonStep | 'take' | 'resend' | 'give_back' | 'place' | 'find';
export type Step = DraftStep | MoveStep;

/** Complete: the next step for what is wanted and what is there, by protocol. */
export const STEPS = {
  draft_order: {
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
    routed: {
      absent: 'rest',
      creating: 'look_up',
      open: 'rest',
      completing: 'read_back',
      completed: 'route',
      deleting: 'read_back',
      deleted: 'rest',
    },
    offered: {
      absent: 'create',
      creating: 'look_up',
      open: 'offer',
      completing: 'read_back',
      completed: 'read_back',
      deleting: 'read_back',
      deleted: 'create',
    },
    awaited: {
      absent: 'give_up',
      creating: 'look_up',
      open: 'rest',
      completing: 'read_back',
      completed: 'read_back',
      deleting: 'read_back',
      deleted: 'give_up',
    },
    withdrawn: {
      absent: 'give_up',
      creating: 'look_up',
      open: 'delete',
      completing: 'read_back',
      completed: 'read_back',
      deleting: 'read_back',
      deleted: 'give_up',
    },
  },
  move: {
    held: {
      absent: 'take',
      creating: 'resend',
      open: 'rest',
      completing: 'find',
      completed: 'rest',
      deleting: 'resend',
      // Let go because the units were sold elsewhere: our side counts them, and the order will ask for its own.
      deleted: 'rest',
    },
    revalidated: {
      absent: 'revalidate',
      creating: 'resend',
      open: 'revalidate',
      completing: 'find',
      completed: 'revalidate',
      deleting: 'resend',
      deleted: 'revalidate',
    },
    ordered: {
      absent: 'place',
      creating: 'resend',
      open: 'give_back',
      completing: 'find',
      completed: 'find',
      deleting: 'resend',
      deleted: 'place',
    },
    nothing: {
      absent: 'rest',
      creating: 'resend',
      open: 'give_back',
      completing: 'find',
      completed: 'rest',
      deleting: 'resend',
      deleted: 'rest',
    },
    as_is: {
      absent: 'rest',
      creating: 'resend',
      open: 'rest',
      completing: 'find',
      completed: 'rest',
      deleting: 'resend',
      deleted: 'rest',
    },
    routed: {
      absent: 'rest',
      creating: 'resend',
      open: 'rest',
      completing: 'find',
      completed: 'route',
      deleting: 'resend',
      deleted: 'rest',
    },
  },
} as const satisfies {
  readonly draft_order: Record<Wanted, Record<ShopState, DraftStep>>;
  readonly move: Record<Exclude<Wanted, Payable>, Record<ShopState, MoveStep>>;
};

export interface OutboxRow {
  readonly reservation_key: number;
  readonly shop_state: ShopState;
  /** How the row was begun, whatever the settings say since; null before anything was asked of the shop. */
  readonly protocol: Protocol | null;
  /** Our own unique mark on what we create, by which an unknown outcome is looked up. */
  readonly tag: string;
  /** The newest move of stock, as it was or will be sent: `creating` and `deleting` send exactly this. */
  readonly request: StockMove | null;
  /** The shop's reference of the hold; null until it is known, and where holds are moves. */
  readonly hold_ref: string | null;
  /** Until when the shop holds by itself; null where it holds until we let go. */
  readonly hold_until_ms: LedgerMs | null;
  /** True once buyer, note and reference have reached the shop. */
  readonly details_sent: boolean;
  /** When the intent of the present -ing state was written; of an open hold, when it was first missed. */
  readonly intent_at_ms: LedgerMs | null;
  /** Look-ups since the intent that found nothing. */
  readonly empty_lookups: number;
  /**
   * When what was asked for with an unknown outcome was taken for never carried out. The shop may still do it: a second order
   * or draft is looked for, for an hour. Null otherwise.
   */
  readonly late_since_ms: LedgerMs | null;
  /** Steps in a row that did not succeed. */
  readonly attempts: number;
  /** When the row is to be looked at; null when it rests. */
  readonly due_at_ms: LedgerMs | null;
  /** The worker that has it, and until when: a worker that dies loses it by time. */
  readonly claimed_by: string | null;
  readonly claimed_until_ms: LedgerMs | null;
  /** Given up after too many attempts, or left in a state that only a person can judge. */
  readonly parked: boolean;
  readonly last_failure: string | null;
}

/** Rows are worked on in the order in which they are due. A buyer who waits goes before mirrors that were due earlier. */
const ORDER_LEAD_MS = 3_600_000;

/** When the outbox should look at an order that is submitted now. */
export function orderDue(now: LedgerMs): LedgerMs {
  return now - ORDER_LEAD_MS;
}

/**
 * A row that was begun one way is finished that way, whatever the merchant has set since. An order that its buyer pays at
 * the shop is a draft in any case: it is made only where no units were moved.
 */
export function protocolOf(
  {
    outbox,
    order,
  }: { readonly outbox: Pick<OutboxRow, 'protocol'>; readonly order: Pick<Order, 'order_mode'> | null },
  mirror: MirrorMode,
): Protocol {
  if (order?.order_mode === 'checkout_link') return 'draft_order';
  return outbox.protocol ?? (mirror === 'move' ? 'move' : 'draft_order');
}

/** The cell of the table. Throws for a buyer's payment on units that were moved: no order is accepted that way. */
export function stepTowards(wanted: Wanted, state: ShopState, protocol: Protocol): Step {
  const table: Partial<Record<Wanted, Record<ShopState, Step>>> = STEPS[protocol];
  const row = table[wanted];
  if (row === undefined) throw new Error(`${wanted} is nothing that ${protocol} can bring about`);
  return row[state];
}

/** What the reservation and its order want of the shop. */
export function wantedAtShop(
  reservation: ReservationState,
  order: Pick<Order, 'state' | 'approved_by' | 'order_mode' | 'pay_until_ms' | 'held_for' | 'route'> | null,
  settings: {
    readonly mirror: MirrorMode;
    readonly stale_hash: StaleHashPolicy;
    readonly route_fulfillment: RouteFulfillment;
  },
  now: LedgerMs,
): Wanted {
  if (reservation === 'active') return settings.mirror === 'none' ? 'as_is' : 'held';
  if (reservation === 'released' || reservation === 'expired') return 'nothing';
  // The shop has the order: whatever is seen there later, nothing may be created again (L4).
  if (reservation === 'committed') {
    const route = order?.route ?? null;
    // A move that was asked for is looked at to its end, whatever the setting is by now: its units are withheld until then.
    const isRouted =
      settings.route_fulfillment === 'promised' ? isRouteOpen(route) : route?.state === 'moving';
    return isRouted ? 'routed' : 'as_is';
  }
  if (order?.state === 'accepted') {
    if (order.order_mode === 'complete') return 'ordered';
    if (order.pay_until_ms === null) return 'offered';
    return now < order.pay_until_ms ? 'awaited' : 'withdrawn';
  }
  if (order?.state === 'held') {
    // Corrected details or a person are waited for: nothing that the shop says of its stock decides.
    if (order.held_for !== 'stale') return 'as_is';
    return settings.stale_hash === 'revalidate' || order.approved_by !== null ? 'revalidated' : 'as_is';
  }
  throw new Error(`a submitted reservation has a held or an accepted order, not ${order?.state}`);
}
