/**
 * The look at the shop before the first create, complete or place of a row that this process did not write just now, and before an order
 * is given up that it has not known all along. Such a row
 * may come from a copy of the ledger, restored from a backup or a snapshot, and its order may have been placed since.
 */

import { protocolOf } from '../ledger/model/outbox-row.js';
import type { Work } from '../ledger/state/job.js';
import type { ShopHold } from '../sources/source.js';
import { type Progress, readKey } from './outbox-context.js';

/** Takes over drafts that carry our tag. */
export type AdoptHolds = (work: Work, found: readonly ShopHold[], signal: AbortSignal) => Promise<boolean>;

/**
 * Asks by our tag for orders, then for drafts. What is found is taken over; that nothing is there counts only after a second
 * look and a wait, as after an unknown outcome. Answers whether the row can go on at once.
 */
export async function lookFirst(
  progress: Progress,
  adoptHolds: AdoptHolds,
  work: Work,
  signal: AbortSignal,
): Promise<boolean> {
  const { settings, intents, report } = progress.ports;
  const sink = progress.sinkFor(work);
  const { outbox } = work.owned;
  const { tag, hold_ref } = outbox;
  const orders = await progress.reading(work, () => sink.findOrders(tag, signal));
  if (orders === null) return false;
  if (orders.length > 0) {
    report('order_found', {
      reservation_key: readKey(work),
      orders: orders.map(({ order_name }) => order_name),
    });
    intents.lookedUp(tag);
    return progress.adopted(work, orders, signal);
  }
  if (protocolOf(work.owned, settings.mirror) === 'draft_order') {
    const holds = await progress.reading(work, () => sink.findHolds(tag, signal));
    if (holds === null) return false;
    const [hold] = holds;
    const isKnown = holds.length === 1 && hold?.hold_ref === hold_ref && hold.status === 'open';
    if (holds.length > 0 && !isKnown) return adoptHolds(work, holds, signal);
    if (isKnown) {
      intents.lookedUp(tag);
      return true;
    }
  }
  if (!(await progress.isCertain(work))) return false;
  intents.lookedUp(tag);
  return true;
}
