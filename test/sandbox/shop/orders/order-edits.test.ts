import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../../../src/sandbox/base/events.js';
import { createOrder, EDIT_ADD, EDIT_BEGIN, EDIT_COMMIT, EDIT_SET, readOrder } from '../../orders-client.js';
import { idsOf, type Json, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse, store } = SEED_LOCATIONS;
const { plentiful, scarce, lastOne } = SEED_SKUS;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

function stock(sku: string, location: string = warehouse) {
  const { available, committed, on_hand } = rig.sandbox.shop.readStock(sku, location);
  return { available, committed, on_hand };
}

async function begin(id: string): Promise<Json> {
  const { orderEditBegin } = await rig.data(EDIT_BEGIN, { id });
  expect(orderEditBegin.userErrors).toEqual([]);
  return orderEditBegin.calculatedOrder;
}

async function set(edit: Json, quantity: number, restock: boolean): Promise<Json> {
  const [{ id: lineItemId }] = edit.lineItems.nodes;
  return (await rig.data(EDIT_SET, { id: edit.id, lineItemId, quantity, restock })).orderEditSetQuantity;
}

async function commit(id: string): Promise<Json> {
  return (await rig.data(EDIT_COMMIT, { id })).orderEditCommit;
}

describe('an order edit', () => {
  test('changes nothing before it is committed', async () => {
    const { id } = await createOrder(rig, { [scarce]: 2 });
    const before = stock(scarce);
    await set(await begin(id), 0, true);
    expect(stock(scarce)).toEqual(before);
    expect(await readOrder(rig, id)).toMatchObject({ edited: false });
  });

  test('takes units off with restock, and tells of them', async () => {
    const events: ShopEvent[] = [];
    const { id, lineItems } = await createOrder(rig, { [scarce]: 3 });
    rig.sandbox.shop.events.listen((event) => events.push(event));
    const edit = await begin(id);
    expect(await set(edit, 1, true)).toMatchObject({ calculatedLineItem: { quantity: 1, restocking: true } });
    expect(await commit(edit.id)).toMatchObject({ order: { edited: true }, userErrors: [] });
    expect(stock(scarce)).toEqual({ available: 2, committed: 1, on_hand: 3 });
    expect(await readOrder(rig, id)).toMatchObject({
      edited: true,
      lineItems: { nodes: [{ quantity: 3, currentQuantity: 1, unfulfilledQuantity: 1 }] },
    });
    expect(events.find(({ kind }) => kind === 'order_edit')).toMatchObject({
      orderId: id,
      additions: [],
      removals: [{ lineItemId: lineItems.nodes[0].id, delta: 2 }],
      staffNote: 'as wished',
    });
    expect(events.at(-1)).toMatchObject({ kind: 'order', change: 'updated' });
  });

  test('takes units off without restock: they leave the books', async () => {
    const { id } = await createOrder(rig, { [scarce]: 3 });
    const edit = await begin(id);
    await set(edit, 0, false);
    await commit(edit.id);
    expect(stock(scarce)).toEqual({ available: 0, committed: 0, on_hand: 0 });
    expect(await readOrder(rig, id)).toMatchObject({
      lineItems: { nodes: [{ quantity: 3, currentQuantity: 0 }] },
      fulfillmentOrders: { nodes: [{ status: 'CANCELLED' }] },
    });
  });

  test('adds units to a line, and other variants, whatever is left of them', async () => {
    const { id } = await createOrder(rig, { [scarce]: 1 });
    const edit = await begin(id);
    await set(edit, 3, false);
    const { variantId } = idsOf(rig, lastOne, warehouse);
    const add = await rig.data(EDIT_ADD, { id: edit.id, variantId, quantity: 2 });
    expect(add.orderEditAddVariant.userErrors).toEqual([]);
    const before = stock(plentiful, store);
    const there = idsOf(rig, plentiful, store);
    await rig.data(EDIT_ADD, {
      id: edit.id,
      variantId: there.variantId,
      quantity: 1,
      locationId: there.locationId,
    });
    await commit(edit.id);
    expect(stock(scarce)).toEqual({ available: 0, committed: 3, on_hand: 3 });
    expect(stock(lastOne)).toEqual({ available: -1, committed: 2, on_hand: 1 });
    expect(stock(plentiful, store)).toMatchObject({ available: before.available - 1, committed: 1 });
    const order = await readOrder(rig, id);
    expect(order.displayFinancialStatus).toBe('PARTIALLY_PAID');
    expect(order.lineItems.nodes).toMatchObject([
      { sku: scarce, quantity: 3, unfulfilledQuantity: 3 },
      { sku: lastOne, quantity: 2, unfulfilledQuantity: 2 },
      { sku: plentiful, quantity: 1 },
    ]);
  });

  test('refuses to take off what was shipped, strangers, and a variant that is there', async () => {
    const { id } = await createOrder(rig, { [scarce]: 3 });
    rig.sandbox.shop.fulfil('#1001', { [scarce]: 2 });
    const edit = await begin(id);
    expect(edit.lineItems.nodes).toMatchObject([{ quantity: 3, editableQuantity: 1 }]);
    expect((await set(edit, 1, true)).userErrors).toHaveLength(1);
    expect((await set(edit, 2, true)).userErrors).toEqual([]);
    const { variantId } = idsOf(rig, scarce, warehouse);
    const add = async (more: object): Promise<Json> =>
      (await rig.data(EDIT_ADD, { id: edit.id, variantId, quantity: 1, ...more })).orderEditAddVariant
        .userErrors;
    expect(await add({})).toHaveLength(1);
    expect(await add({ duplicates: true })).toEqual([]);
    expect(await add({ duplicates: true, quantity: 0 })).toHaveLength(1);
    expect(await add({ variantId: 'gid://shopify/ProductVariant/1' })).toHaveLength(1);
    expect(
      (await rig.data(EDIT_BEGIN, { id: 'gid://shopify/Order/1' })).orderEditBegin.userErrors,
    ).toHaveLength(1);
  });

  test('is refused when the order has changed under it, and is over once committed', async () => {
    const { id } = await createOrder(rig, { [scarce]: 2 });
    const late = await begin(id);
    await set(late, 0, true);
    rig.sandbox.shop.fulfil('#1001', { [scarce]: 1 });
    expect((await commit(late.id)).userErrors).toHaveLength(1);
    const edit = await begin(id);
    await set(edit, 1, true);
    const session = edit.id.replace('CalculatedOrder', 'OrderEditSession');
    expect((await commit(session)).userErrors).toEqual([]);
    expect((await commit(edit.id)).userErrors).toHaveLength(1);
    expect(stock(scarce)).toEqual({ available: 2, committed: 0, on_hand: 2 });
  });

  test('by the verb: the units that each SKU is to have', () => {
    const { shop } = rig.sandbox;
    shop.sell(scarce, 2);
    const order = shop.edit('#1001', { [scarce]: 1, [lastOne]: 1 });
    expect(order.isEdited).toBe(true);
    expect(stock(scarce)).toEqual({ available: 2, committed: 1, on_hand: 3 });
    expect(stock(lastOne)).toEqual({ available: 0, committed: 1, on_hand: 1 });
    shop.cancel('#1001', { restock: true });
    expect(() => shop.edit('#1001', { [scarce]: 2 })).toThrow('cannot edit #1001');
  });
});
