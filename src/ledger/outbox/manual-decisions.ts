/** What a person decides about an order that is held or parked. Never an agent: no tool leads here. */

import type { Order } from '../model/order.js';
import type { ShopState } from '../model/outbox-row.js';
import { orderDue } from '../model/outbox-row.js';
import { granted, type Result, refused } from '../model/values/refusal.js';
import { rejection } from '../order/revalidation.js';
import { reservationUnknown } from '../reservation/release.js';
import { DRAFT_GONE, note } from '../state/job.js';
import type { Changes, Decision, LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { decideAbsent, decideDeleted } from './next-step.js';
import { TOO_OLD_TO_RESEND } from './transfer-steps.js';

/** Why a row is parked, and in which state, of which only a person can say that nothing is left at the shop. */
const SEEN_TO: readonly (readonly [string, ShopState])[] = [
  [TOO_OLD_TO_RESEND, 'creating'],
  [TOO_OLD_TO_RESEND, 'deleting'],
  [DRAFT_GONE, 'completing'],
];

export type Verdict = 'approve' | 'reject';

/**
 * `approve` lets an order go on that is held as stale or above a quota: the shop is read again, and the order is accepted
 * only if the stock still covers it. `reject` ends it and frees its units. Refuses an order that is not held, and to
 * approve one that waits for corrected details: only its caller has them.
 */
export function decideVerdict(
  state: LedgerState,
  verdict: Verdict,
  by: string,
  settings: LedgerSettings,
): Decision<Result<{ order_id: string }>> {
  const { owned } = state;
  const order = owned?.order ?? null;
  if (owned === null || order === null)
    return { result: refused('order_unknown', 'There is no such order.') };
  const done = granted({ order_id: order.id });
  if (order.state !== 'held') {
    return { result: notToDecide(order, 'The order is not held, so there is nothing to decide.') };
  }
  if (verdict === 'reject') {
    const reason = {
      code: 'rejected_by_person',
      detail: 'The merchant decided not to sell this order.',
    } as const;
    const changes = rejection(state, owned, order, [reason]);
    const journal = (changes.journal ?? []).map((entry) => ({ ...entry, data: { ...entry.data, by } }));
    return { result: done, changes: { ...changes, journal } };
  }
  if (order.held_for === 'buyer_refused') {
    return { result: notToDecide(order, 'The order waits for corrected details of its buyer.') };
  }
  return {
    result: done,
    changes: {
      order: {
        ...order,
        approved_by: by,
        ...(order.held_for === 'order_quota' ? awaitsReread(state, settings) : {}),
      },
      outbox: { ...owned.outbox, due_at_ms: orderDue(state.now_ms), attempts: 0 },
      journal: [{ kind: 'order.approved', of_reservation: true, data: { id: order.id, by } }],
    },
  };
}

/** What makes of an order above a quota one that only its stock decides on. */
function awaitsReread(
  { now_ms }: LedgerState,
  { held_order_max_ms }: LedgerSettings,
): Pick<Order, 'held_for' | 'held_until_ms' | 'reasons'> {
  return {
    held_for: 'stale',
    held_until_ms: now_ms + held_order_max_ms,
    reasons: [
      {
        code: 'stock_stale',
        detail: 'The merchant approved the order, so the shop is read again before it is sold.',
      },
    ],
  };
}

function notToDecide({ id, state, held_for }: Order, message: string): Result<never> {
  return refused('reservation_already_submitted', message, {
    order_id: id,
    status: state,
    ...(held_for === null ? {} : { held_for }),
  });
}

/**
 * A person has looked at a parked order, and lets the server try again: it looks up first what there is at the shop,
 * so trying again never orders twice. Refuses an order that is not parked.
 */
export function decideRetry(state: LedgerState, by: string): Decision<Result<{ order_id: string }>> {
  const { owned } = state;
  const order = owned?.order ?? null;
  if (owned === null || order === null)
    return { result: refused('order_unknown', 'There is no such order.') };
  if (!owned.outbox.parked) return { result: notParked({ order_id: order.id, status: order.state }) };
  return { result: granted({ order_id: order.id }), changes: retrial(state, owned, by) };
}

/** The same for a reservation, with or without an order: a mirror can be parked, too. */
export function decideRetryReservation(
  state: LedgerState,
  by: string,
): Decision<Result<{ reservation_id: string }>> {
  const { owned } = state;
  if (owned === null) return { result: reservationUnknown() };
  const { id: reservation_id, state: status } = owned.reservation;
  if (!owned.outbox.parked) return { result: notParked({ reservation_id, status }) };
  return { result: granted({ reservation_id }), changes: retrial(state, owned, by) };
}

function notParked(details: Readonly<Record<string, unknown>>): Result<never> {
  return refused('reservation_already_submitted', 'It is not parked, so there is nothing to retry.', details);
}

/**
 * A move that is too old to be sent again can't be looked up, and a draft that vanished while it was completed was looked for in
 * vain: only the person knows what became of it. That they let it go on says that the shop has nothing of it any more.
 */
function retrial(state: LedgerState, owned: Owned, by: string): Changes {
  const { shop_state, last_failure } = owned.outbox;
  const isSeenTo = SEEN_TO.some(([failure, at]) => last_failure === failure && shop_state === at);
  const { changes } = !isSeenTo
    ? {}
    : shop_state === 'deleting'
      ? decideDeleted(state)
      : decideAbsent(state, 'seen_to');
  return {
    ...changes,
    outbox: {
      ...owned.outbox,
      ...changes?.outbox,
      parked: false,
      attempts: 0,
      last_failure: isSeenTo ? null : last_failure,
      due_at_ms: orderDue(state.now_ms),
    },
    journal: [
      ...(changes?.journal ?? []),
      note('shop.retried', { ...(owned.order === null ? {} : { id: owned.order.id }), by }),
    ],
  };
}
