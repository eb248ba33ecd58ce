/** How an accepted order ends: the shop has it, or will not have it. */

import { NOT_HELD, nextOrderState, type OrderLine, type OrderReason } from '../model/order.js';
import type { OutboxRow } from '../model/outbox-row.js';
import { nextReservationState } from '../model/reservation.js';
import { cleanText, ORDER_NAME_MAX_CHARS, SKU_MAX_CHARS } from '../model/values/text.js';
import { endReservation, heldUnits } from '../reservation/end-reservation.js';
import { FREE, isLeftBehind, must, note, returns, type SeenOrder } from '../state/job.js';
import { hasOurLines } from '../state/shop-lines.js';
import type { Changes, Decision, HoldMove, LedgerState, Owned } from '../state/state.js';

/**
 * An order with our tag was found. One that is held here went on in a later state of the ledger, which is lost, or was asked for
 * before it was held: the shop has it, so nothing is left to decide.
 */
export function decideFound(state: LedgerState, seen: SeenOrder): Decision<boolean> {
  const owned = must(state);
  const { order } = owned;
  if (order?.state !== 'held') return decidePlaced(state, seen);
  const accepted = {
    ...order,
    ...NOT_HELD,
    state: nextOrderState('held', 'accept'),
    decided_at_ms: state.now_ms,
  };
  return decidePlaced({ ...state, owned: { ...owned, order: accepted } }, seen);
}

/** The shop has the order: at most one per order of ours (L4). The holds count until a newer report (section 4). */
export function decidePlaced(state: LedgerState, seen: SeenOrder): Decision<boolean> {
  const owned = must(state);
  const { order, reservation, outbox } = owned;
  const completed: OutboxRow = {
    ...outbox,
    shop_state: 'completed',
    intent_at_ms: null,
    attempts: 0,
    parked: isLeftBehind(outbox),
  };
  // Seen before, by a worker that lost its claim in the middle: no news, and no alarm.
  if (order?.upstream_order_ref === seen.order_ref) return { result: true, changes: { outbox: completed } };
  if (order === null || order.state !== 'accepted') {
    // Somebody completed our draft order by hand. There is no order of ours to advance: a person has to look.
    return {
      result: false,
      changes: {
        holds: returns(state, owned),
        // Due at once: what is left to do is to see its units go, and to let a held order give up in time.
        outbox: {
          ...completed,
          ...FREE,
          parked: true,
          due_at_ms: state.now_ms,
          last_failure: 'completed_by_others',
        },
        journal: [
          note('shop.completed', { order_ref: seen.order_ref, order_name: seen.order_name, unasked: true }),
        ],
      },
    };
  }
  const shop_lines = otherLines(state, owned, seen);
  const order_name = cleanText(seen.order_name, ORDER_NAME_MAX_CHARS);
  const holds = owned.holds.map(
    (hold): HoldMove => ({ hold, to: { ...hold, awaits: 'settle', awaits_after_ms: state.now_ms } }),
  );
  return {
    result: true,
    changes: {
      order: {
        ...order,
        state: nextOrderState(order.state, 'place'),
        placed_at_ms: state.now_ms,
        // One that was to be withdrawn, and was paid first.
        reasons: shop_lines === null ? [] : [CHANGED_AT_SHOP],
        upstream_order_ref: seen.order_ref,
        upstream_order_name: order_name,
        shop_lines,
        buyer: null,
      },
      reservation: {
        reservation_key: reservation.reservation_key,
        state: nextReservationState(reservation.state, 'place'),
      },
      holds,
      outbox: completed,
      journal: [
        note('order.placed', {
          id: order.id,
          order_ref: seen.order_ref,
          order_name,
          ...(seen.read_since_ms === undefined ? {} : { gap_ms: state.now_ms - seen.read_since_ms }),
          ...(shop_lines === null ? {} : { differs: shop_lines.map(({ sku, quantity }) => [sku, quantity]) }),
        }),
      ],
    },
  };
}

const CHANGED_AT_SHOP: OrderReason = {
  code: 'changed_at_shop',
  detail: 'The order at the shop has other lines than were submitted: a person changed it there.',
};

/** What the shop's order has where that is not what was reserved. Null where it is, and where the shop did not say. */
function otherLines({ owned_items }: LedgerState, owned: Owned, { lines }: SeenOrder): OrderLine[] | null {
  if (lines === undefined || lines === null || hasOurLines(owned, owned_items, lines)) return null;
  const known = new Map(owned_items.map(({ item_id, sku }) => [item_id, sku]));
  return lines.map(({ item_id, sku, quantity_units }) => ({
    sku: (item_id === null ? undefined : known.get(item_id)) ?? nameOf(sku),
    quantity: quantity_units,
  }));
}

/** What a line is called that is none of ours: by the shop's SKU where it has one. */
function nameOf(sku: string | null): string {
  const name = cleanText(sku ?? '', SKU_MAX_CHARS);
  return name === '' ? 'not-in-catalogue' : name;
}

/** The shop will not take the order: it has failed and its units are free. */
export function decideFailed(state: LedgerState, reason: OrderReason): Decision<void> {
  return { result: undefined, changes: failure(state, reason) };
}

/** The same, for who has more to say of it: what the order and its reservation become. */
export function failure(
  state: LedgerState,
  reason: OrderReason,
): ReturnType<typeof endReservation> & Required<Pick<Changes, 'order' | 'journal'>> {
  const owned = must(state);
  const { order } = owned;
  if (order === null) throw new Error('only an order can fail');
  return {
    ...endReservation(state, owned, 'free'),
    order: {
      ...order,
      state: nextOrderState(order.state, 'fail'),
      reasons: [...order.reasons.filter(({ code }) => code !== reason.code), reason],
      checkout_url: null,
      decided_at_ms: state.now_ms,
      buyer: null,
    },
    journal: [note('order.failed', { id: order.id, reason, freed_units: heldUnits(owned) })],
  };
}
