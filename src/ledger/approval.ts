/** What a person decides about a held order. Never an agent: no tool leads here. */

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
