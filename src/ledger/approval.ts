/** What a person decides about an order that is held or parked. Never an agent: no tool leads here. */

import type { Decision, LedgerState } from './ports.js';
import { granted, type Result, refused } from './refusal.js';
import { rejection } from './revalidation.js';
import { orderDue } from './shop-side.js';

export type Verdict = 'approve' | 'reject';

/**
 * `approve` lets a held order go on: the shop is read again, and the order is accepted only if the stock still
 * covers it. `reject` ends it and frees its units. Refuses an order that is not held.
 */
export function decideVerdict(
  state: LedgerState,
  verdict: Verdict,
  by: string,
): Decision<Result<{ order_id: string }>> {
  const { owned } = state;
  const order = owned?.order ?? null;
  if (owned === null || order === null)
    return { result: refused('order_unknown', 'There is no such order.') };
  const done = granted({ order_id: order.id });
  if (order.state !== 'held') {
    return {
      result: refused(
        'reservation_already_submitted',
        'The order is not held, so there is nothing to decide.',
        {
          order_id: order.id,
          status: order.state,
        },
      ),
    };
  }
  if (verdict === 'reject') {
    const reason = {
      code: 'rejected_by_person',
      detail: 'The merchant decided not to sell this order.',
    } as const;
    return { result: done, changes: rejection(state, owned, order, [reason]) };
  }
  return {
    result: done,
    changes: {
      order: { ...order, approved_by: by },
      outbox: { ...owned.outbox, due_at_ms: orderDue(state.now_ms), attempts: 0 },
      journal: [{ kind: 'order.approved', of_reservation: true, data: { id: order.id, by } }],
    },
  };
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
  if (!owned.outbox.parked) {
    const details = { order_id: order.id, status: order.state };
    return {
      result: refused(
        'reservation_already_submitted',
        'The order is not parked, so there is nothing to retry.',
        details,
      ),
    };
  }
  return {
    result: granted({ order_id: order.id }),
    changes: {
      outbox: { ...owned.outbox, parked: false, attempts: 0, due_at_ms: orderDue(state.now_ms) },
      journal: [{ kind: 'shop.retried', of_reservation: true, data: { id: order.id, by } }],
    },
  };
}
