/** Whether the stock, as it was read last, still allows to sell what a reservation holds. */

import type { Order, OrderReason } from '../model/order.js';
import { protocolOf, type Step } from '../model/outbox-row.js';
import { isReadSince } from '../model/stock.js';
import { describeOffSale } from '../model/values/off-sale.js';
import type { LedgerMs } from '../model/values/units.js';
import { isCovered } from '../order/revalidation.js';
import type { LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { isEachCovered } from './request-transfer.js';

/**
 * A sale whose figures were read longer ago is read for again. Between the shop's read and the effect of the sale nothing can be
 * looked at, and the shop completes a draft order without a look at its stock.
 */
export const SALE_READ_MAX_MS = 1_000;

/** Steps after which units are sold, or a buyer can pay for them. */
const SALES: ReadonlySet<Step> = new Set(['complete', 'offer']);

/** Why units that a reservation holds can't be sold any more. */
export type Loss = 'sold_elsewhere' | 'not_for_sale';

export const SOLD_ELSEWHERE: OrderReason = {
  code: 'stock_insufficient',
  detail: 'The shop sold the units elsewhere before the order could be placed.',
};

/**
 * Whether the step is a sale for which the worker has not read every item yet, at or after the order was decided. `readSince`: when
 * its own read began, while that has ended less than `SALE_READ_MAX_MS` ago (not since it began: a slow shop must not be read
 * for ever); null otherwise.
 */
export function needsSaleRead(
  state: LedgerState,
  { order, outbox }: Owned,
  step: Step,
  readSince: LedgerMs | null,
): boolean {
  if (order === null || !SALES.has(step)) return false;
  // The step begins with them, and the sale is decided anew when they are there.
  if (step === 'complete' && hasDetails(order) && !outbox.details_sent) return false;
  if (readSince === null) return true;
  const since = Math.max(order.decided_at_ms ?? 0, readSince);
  return !state.owned_items.every((item) => isReadSince(item, since));
}

/** What the shop has to be told before it makes the order. */
function hasDetails({ buyer, note, reference }: Order): boolean {
  return buyer !== null || note !== null || reference !== null;
}

/** Null while the units can be sold. Of an order that is not accepted only stock counts: its verdict is still to come. */
export function findLoss(state: LedgerState, owned: Owned, settings: LedgerSettings): Loss | null {
  const isAccepted = owned.order?.state === 'accepted';
  if (isAccepted && state.owned_items.some(({ lifecycle }) => lifecycle !== 'active')) return 'not_for_sale';
  return isShort(state, owned, settings) ? 'sold_elsewhere' : null;
}

/** What the order is told of the loss. */
export function reasonOfLoss(loss: Loss, state: LedgerState, owned: Owned): OrderReason {
  const { owned_items } = state;
  if (loss === 'sold_elsewhere') {
    const short = owned_items.find((item) => !isCovered(state, item, owned));
    return { ...SOLD_ELSEWHERE, ...(short === undefined ? {} : { sku: short.sku }) };
  }
  const gone = owned_items.find(({ lifecycle }) => lifecycle !== 'active');
  return {
    code: 'item_discontinued',
    ...(gone === undefined ? {} : { sku: gone.sku }),
    detail: describeOffSale(gone?.off_sale ?? null),
  };
}

/** The shop's hold is there, and a hold of ours rests on it. */
export function isHeldAtShop({ outbox, holds }: Owned): boolean {
  return outbox.shop_state === 'open' && holds.some((hold) => hold.state !== 'returning');
}

/**
 * The stock does not cover the reservation when those who came first are served first. A draft takes its units without a look
 * at the stock, from wherever the shop likes, so the item as a whole tells; a move can't take a level below zero, so there it
 * is a level that does not cover us.
 */
function isShort(state: LedgerState, owned: Owned, settings: LedgerSettings): boolean {
  if (protocolOf(owned, settings.mirror) === 'draft_order') {
    return isHeldAtShop(owned) && !state.owned_items.every((item) => isCovered(state, item, owned));
  }
  const isAtStake = isHeldAtShop(owned) || owned.order?.state === 'accepted';
  return isAtStake && !isEachCovered(state, owned);
}
