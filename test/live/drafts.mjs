/** Drafts of the live test: made with units held, changed as staff would, completed, removed. */

import { removeDraft } from './cleaning.mjs';
import { changesBetween, goodsOf, TAG, watch } from './goods.mjs';

const CREATE = `mutation Hold($input: DraftOrderInput!) { draftOrderCreate(input: $input) {
  draftOrder { id name status reserveInventoryUntil } userErrors { field message } } }`;
const UPDATE = `mutation Edit($id: ID!, $input: DraftOrderInput!) { draftOrderUpdate(id: $id, input: $input) {
  draftOrder { id status reserveInventoryUntil } userErrors { field message } } }`;
const COMPLETE = `mutation Complete($id: ID!, $pending: Boolean) { draftOrderComplete(id: $id, paymentPending: $pending) {
  draftOrder { id status order { id name displayFinancialStatus fullyPaid } } userErrors { field message } } }`;

/** Long enough for what is asked, short enough to be harmless should everything fail. */
export const HOLD_LONG_S = 600;

/** A draft that holds units of the goods; `own` is the part of its input that is not the usual one. */
export async function hold({ shop, goods, cleaning }, quantity, for_s, own = {}) {
  const { draftOrder } = await shop.mutate(CREATE, {
    input: {
      lineItems: [{ variantId: goods.variantId, quantity }],
      reserveInventoryUntil: new Date(Date.now() + for_s * 1_000).toISOString(),
      note: TAG,
      ...own,
      tags: [TAG, ...(own.tags ?? [])],
    },
  });
  return { id: draftOrder.id, step: cleaning.addDraft(draftOrder.id) };
}

export async function release({ shop }, draft) {
  await removeDraft(shop, draft.id);
  draft.step.done();
}

/** What the shop said: `{ draftOrder, userErrors }`. */
export async function edit({ shop }, draft, input) {
  return (await shop.data(UPDATE, { id: draft.id, input })).draftOrderUpdate;
}

/** What the shop said: `{ draftOrder, userErrors }`. The order that it made is taken back later. */
export async function complete({ shop, cleaning }, draft, { pending = false } = {}) {
  const payload = (await shop.data(COMPLETE, { id: draft.id, pending })).draftOrderComplete;
  const order = payload.draftOrder?.order ?? null;
  if (order !== null) {
    draft.step.done();
    cleaning.addOrder(order.id, order.name);
  }
  return payload;
}

/** Units of the goods that are gone from each place since `before`, once they are as many as `units`; null when they never are. */
export async function seeTaken({ shop, goods, pace }, before, units) {
  const takenIn = (now) =>
    changesBetween(before, now).flatMap(({ location_id, available = 0 }) =>
      available === 0 ? [] : [{ location_id, units: -available }],
    );
  const seen = await watch(shop, goods.itemId, {
    ...pace,
    done: (now) => takenIn(now).reduce((sum, taken) => sum + taken.units, 0) === units,
  });
  return seen === null ? null : takenIn(seen.goods);
}

export const goodsNow = ({ shop, goods }) => goodsOf(shop, goods.itemId);
