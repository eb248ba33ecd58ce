/** Takes back what the live test did, last first, whatever became of it in between; and says what it could not take back. */

import { TAG } from './goods.mjs';
import { wait } from './shop.mjs';

const CANCEL_MS = 120_000;
const LOOK_MS = 500;

const DELETE_DRAFT = `mutation Delete($input: DraftOrderDeleteInput!) {
  draftOrderDelete(input: $input) { deletedId userErrors { field message } } }`;
const CANCEL = `mutation Cancel($id: ID!) {
  orderCancel(orderId: $id, reason: OTHER, restock: true, notifyCustomer: false, staffNote: "holdfast-live-test") {
    job { id done } orderCancelUserErrors { field message code } } }`;

export class Cleaning {
  #steps = [];

  /** `undo` gets a shop that no Ctrl-C reaches. */
  add(what, undo) {
    const step = { what, undo };
    this.#steps.push(step);
    return { done: () => (this.#steps = this.#steps.filter((other) => other !== step)) };
  }

  addDraft(id) {
    return this.add(`draft order ${id}`, (shop) => removeDraft(shop, id));
  }

  addOrder(id, name) {
    return this.add(`order ${name}`, (shop) => cancelOrder(shop, id));
  }

  /** How much there is to take back now: for `rewind`. */
  get mark() {
    return this.#steps.length;
  }

  /** Takes back what came after the mark; answers with what could not be. */
  async rewind(shop, mark) {
    const left = [];
    for (const { what, undo } of this.#steps.splice(mark).reverse()) {
      try {
        await undo(shop);
      } catch (error) {
        left.push(`${what}: ${error.message}`);
      }
    }
    return left;
  }

  /** Everything; answers with what a person has to look at. */
  async run(shop) {
    return [...(await this.rewind(shop, 0)), ...(await sweep(shop))];
  }
}

/** What carries the tag and was not remembered: a create whose answer was lost. */
async function sweep(shop) {
  const { data } = await shop.ask(
    `query Left($query: String!) { draftOrders(first: 50, query: $query) { nodes { id status } } }`,
    { query: `tag:'${TAG}'` },
  );
  const open = (data?.draftOrders.nodes ?? []).filter(({ status }) => status !== 'COMPLETED');
  const left = [];
  for (const { id } of open) {
    try {
      await removeDraft(shop, id);
    } catch (error) {
      left.push(`draft order ${id}: ${error.message}`);
    }
  }
  return left;
}

/** Gone already is as good. One that became an order is the order's business. */
export async function removeDraft(shop, id) {
  const { draftOrder } = await shop.data('query Draft($id: ID!) { draftOrder(id: $id) { id status } }', {
    id,
  });
  if (draftOrder === null || draftOrder.status === 'COMPLETED') return;
  await shop.mutate(DELETE_DRAFT, { input: { id } });
}

/** Shopify cancels when it gets round to it. Throws when the shop will not, and the order is left for a person. */
export async function cancelOrder(shop, id) {
  if (await isCancelled(shop, id)) return;
  const payload = (await shop.data(CANCEL, { id })).orderCancel;
  const [error] = payload.orderCancelUserErrors;
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`);
  const until = Date.now() + CANCEL_MS;
  while (!(await isCancelled(shop, id))) {
    if (Date.now() > until) throw new Error('it was told to cancel, and has not yet');
    await wait(LOOK_MS);
  }
}

async function isCancelled(shop, id) {
  const { order } = await shop.data('query Order($id: ID!) { order(id: $id) { id cancelledAt } }', { id });
  return order === null || order.cancelledAt !== null;
}
