/** What the shop carried out so late that it had been taken for never done, and been asked for again. */

import { type OutboxRow, orderDue } from '../model/outbox-row.js';
import { must, note } from '../state/job.js';
import type { Changes, Decision, LedgerState } from '../state/state.js';

/** So long after look-ups that found nothing the shop may still carry out what it was asked, in milliseconds: an hour, and a round. */
export const LATE_MS = 3_720_000;

export interface LateOrder {
  readonly order_ref: string;
  readonly order_name: string;
  readonly is_unpaid: boolean;
}

/**
 * `adopt`: the order is still on its way, so what was found is it, and whichever process has the row looks for it. `twin`: the shop has another order
 * for it. `alone`: there is no order of ours that it could be, or that one has failed. `known`: it is that of the row.
 */
export type LateVerdict = 'adopt' | 'twin' | 'alone' | 'known';

/** What an order with the row's tag is that was found at the shop. `isTold`: the journal has it already. */
export function decideLateOrder(state: LedgerState, late: LateOrder, isTold: boolean): Decision<LateVerdict> {
  const { order, outbox } = must(state);
  if (order?.upstream_order_ref === late.order_ref) return { result: 'known' };
  if (order?.state === 'accepted' || order?.state === 'held') return adoption(state, outbox, late);
  const result = order === null || order.upstream_order_ref === null ? 'alone' : 'twin';
  if (isTold) return { result };
  const { order_ref, order_name, is_unpaid } = late;
  const data = { order_ref, order_name, is_unpaid, ...(result === 'alone' ? { alone: true } : {}) };
  return { result, changes: { journal: [note('order.doubled', data)] } };
}

/**
 * The row stands as if the order had just been asked for, so that its next step looks for it, and what any process remembers of
 * earlier look-ups counts no more.
 */
function adoption({ now_ms }: LedgerState, outbox: OutboxRow, { order_ref }: LateOrder): Decision<'adopt'> {
  const row: OutboxRow = { ...outbox, late_since_ms: now_ms, due_at_ms: orderDue(now_ms) };
  if (outbox.shop_state !== 'absent' && outbox.shop_state !== 'deleted')
    return { result: 'adopt', changes: { outbox: row } };
  return {
    result: 'adopt',
    changes: {
      outbox: { ...row, shop_state: 'completing', intent_at_ms: now_ms, empty_lookups: 0 },
      journal: [note('shop.completing', { why: 'late_order', order_ref })],
    },
  };
}

/** The shop is being asked to cancel the second order: written before the call. */
export function decideCancelTwin(state: LedgerState, order_ref: string): Decision<void> {
  const changes: Changes = { journal: [note('order.twin_cancelled', { order_ref })] };
  must(state);
  return { result: undefined, changes };
}

/** Whether a draft with the row's tag is one too many: not the row's own, and none is being made just now. */
export function isLateDraft(state: LedgerState, holdRef: string): boolean {
  const { outbox } = must(state);
  return outbox.shop_state !== 'creating' && outbox.hold_ref !== holdRef;
}
