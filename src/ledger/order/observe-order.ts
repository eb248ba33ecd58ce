/** Taking over what the shop says of an order that it has: its state, and what is told of it. Moves no stock. */

import { nextOrderState, type Order } from '../model/order.js';
import { type Aftermath, isNewer, merged, NO_AFTERMATH, news } from '../model/order-history.js';
import type { OrderObservation } from '../model/values/observation.js';
import type { LedgerMs } from '../model/values/units.js';
import { note } from '../state/job.js';
import type { Decision, LedgerState, Owned } from '../state/state.js';

export interface OrderSeen {
  /** `older`: what the ledger knows is newer. `known`: newer, and nothing in it is news. */
  readonly seen: 'not_ours' | 'older' | 'known' | 'news';
  /** Items whose stock the shop may have changed with it: to be read again, so that what was restocked can be sold. */
  readonly item_ids: readonly string[];
}

const FULFILMENT_KINDS = {
  unfulfilled: 'order.unfulfilled',
  partial: 'order.partly_fulfilled',
  fulfilled: 'order.fulfilled',
} as const satisfies Record<Aftermath['fulfilment'], string>;

/** What is on its way to the buyer is nobody's to sell. */
const MOVES_NO_STOCK: ReadonlySet<string> = new Set(['order.shown', ...Object.values(FULFILMENT_KINDS)]);

/**
 * Whatever is delivered twice, late or out of order is told once. The order's state follows the table of transitions:
 * a shipped order stays `fulfilled`, and what happens to it later is told without moving it. Of an order that is seen
 * shipped and cancelled at once, the cancellation is the last word.
 */
export function decideOrderSeen(
  state: LedgerState,
  observation: OrderObservation,
  readAt: LedgerMs,
): Decision<OrderSeen> {
  const { owned } = state;
  const order = owned?.order ?? null;
  if (owned === null || order === null) return { result: { seen: 'not_ours', item_ids: [] } };
  const before = order.aftermath ?? NO_AFTERMATH;
  if (!isNewer(observation, readAt, before)) return { result: { seen: 'older', item_ids: [] } };
  const after = merged(before, observation, readAt, placedUnits(owned));
  const moved = moves(order, before, after);
  const journal = [...moved.journal, ...news(before, after)];
  const isStock = journal.some(({ kind }) => !MOVES_NO_STOCK.has(kind));
  return {
    result: {
      seen: journal.length > 0 ? 'news' : 'known',
      item_ids: isStock ? state.owned_items.map(({ item_id }) => item_id) : [],
    },
    changes: { order: { ...order, state: moved.state, aftermath: after }, journal },
  };
}

/** Shopify: an app without `read_all_orders` sees the orders of the last 60 days. */
const ORDERS_SHOWN_MS = 60 * 24 * 60 * 60 * 1000;

export interface MissingOrder {
  /** It may be there, and too old for our token to see. */
  readonly is_old?: true;
}

/**
 * The shop does not show an order that it had: deleted there, or too old for our token. Nothing is undone by it. Null when
 * that is no news.
 */
export function decideOrderMissing(state: LedgerState, readAt: LedgerMs): Decision<MissingOrder | null> {
  const order = state.owned?.order ?? null;
  const before = order?.aftermath ?? NO_AFTERMATH;
  if (order === null || before.is_missing || readAt < before.read_at_ms) return { result: null };
  const missing = missingOrder(order, readAt);
  const aftermath: Aftermath = { ...before, read_at_ms: readAt, is_missing: true };
  return {
    result: missing,
    changes: { order: { ...order, aftermath }, journal: [note('order.missing', { ...missing })] },
  };
}

function missingOrder({ placed_at_ms, submitted_at_ms }: Order, readAt: LedgerMs): MissingOrder {
  return readAt - (placed_at_ms ?? submitted_at_ms) > ORDERS_SHOWN_MS ? { is_old: true } : {};
}

function placedUnits({ reservation }: Owned): number {
  return reservation.lines.reduce((sum, line) => sum + line.reserved, 0);
}

function moves(
  order: Order,
  before: Aftermath,
  after: Aftermath,
): { readonly state: Order['state']; readonly journal: readonly ReturnType<typeof note>[] } {
  const isCancelled = before.cancelled_at_ms === null && after.cancelled_at_ms !== null;
  const data = { cancelled_at_ms: after.cancelled_at_ms };
  if (isCancelled && order.state === 'placed') {
    return { state: nextOrderState('placed', 'cancel'), journal: [note('order.cancelled', data)] };
  }
  // What a cancelled order's shipments look like is no news to anybody.
  if (order.state === 'cancelled') return { state: order.state, journal: [] };
  const cancelled = isCancelled ? [note('order.cancelled_when_fulfilled', data)] : [];
  if (before.fulfilment === after.fulfilment) return { state: order.state, journal: cancelled };
  const journal = [note(FULFILMENT_KINDS[after.fulfilment], {}), ...cancelled];
  const ships = order.state === 'placed' && after.fulfilment === 'fulfilled';
  return { state: ships ? nextOrderState('placed', 'fulfil') : order.state, journal };
}
