import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../../../src/sandbox/base/events.js';
import {
  createOrder,
  FULFILL,
  FULFILL_CANCEL,
  fulfillAll,
  JOB,
  MARK_PAID,
  ORDER_CANCEL,
  ORDER_CREATE,
  readOrder,
} from '../../orders-client.js';
import { hold, type Json, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse, store } = SEED_LOCATIONS;
const { plentiful, scarce, lastOne, backorder, untracked, secondLocationOnly } = SEED_SKUS;

let rig: Rig;
let events: ShopEvent[];
beforeEach(async () => {
  rig = await startRig();
  events = [];
  rig.sandbox.shop.events.listen((event) => events.push(event));
});
afterEach(() => rig.sandbox.stop());

function stock(sku: string, location: string = warehouse) {
  const { available, committed, on_hand } = rig.sandbox.shop.readStock(sku, location);
  return { available, committed, on_hand };
}

/** What was told since the last call, without the levels and products that every change of stock tells of. */
function told(): string[] {
  const names = events.map(({ kind, change }) => `${kind} ${change}`);
  events.length = 0;
  return names.filter((name) => !name.startsWith('inventory_level') && !name.startsWith('product '));
}

describe('orderCreate', () => {
  test('takes no stock unless it is told to', async () => {
    const before = stock(scarce);
    const order = await createOrder(rig, { [scarce]: 2 }, { behaviour: 'BYPASS' });
    expect(stock(scarce)).toEqual(before);
    expect(told()).toEqual(['order created', 'order paid']);
    await fulfillAll(rig, order.id);
    expect(stock(scarce)).toEqual(before);
  });

  test('commits units, and hands over what the buyer said', async () => {
    const before = stock(scarce);
    const order = await createOrder(
      rig,
      { [scarce]: 2 },
      {
        sourceIdentifier: 'si:r1',
        tags: ['holdfast', 'hf-1'],
        email: 'buyer@example.org',
        note: 'ring twice',
        customAttributes: [{ key: 'reservation_id', value: 'r1' }],
        shippingAddress: { city: 'Kiel', countryCode: 'DE' },
      },
    );
    expect(order).toMatchObject({
      name: '#1001',
      sourceIdentifier: 'si:r1',
      tags: ['holdfast', 'hf-1'],
      email: 'buyer@example.org',
      note: 'ring twice',
      customAttributes: [{ key: 'reservation_id', value: 'r1' }],
      shippingAddress: { city: 'Kiel' },
      displayFinancialStatus: 'PAID',
      displayFulfillmentStatus: 'UNFULFILLED',
      returnStatus: 'NO_RETURN',
      lineItems: { nodes: [{ sku: scarce, quantity: 2, currentQuantity: 2, unfulfilledQuantity: 2 }] },
    });
    expect(stock(scarce)).toEqual({ ...before, available: before.available - 2, committed: 2 });
  });

  test('out of stock is refused with the code INVALID, and with INVENTORY_CLAIM_FAILED when set so', async () => {
    const { shop } = rig.sandbox;
    const lineItems = [{ variantId: shop.inventory.variantOfSku(lastOne).id, quantity: 2 }];
    const variables = { order: { lineItems }, options: { inventoryBehaviour: 'DECREMENT_OBEYING_POLICY' } };
    const refused = await rig.data(ORDER_CREATE, variables);
    expect(refused.orderCreate).toEqual({
      order: null,
      userErrors: [
        { field: ['order', 'lineItems'], message: 'Line items Unable to reserve inventory', code: 'INVALID' },
      ],
    });
    shop.orderCreation.outOfStockCode = 'INVENTORY_CLAIM_FAILED';
    const other = await rig.data(ORDER_CREATE, variables);
    expect(other.orderCreate.userErrors).toMatchObject([{ code: 'INVENTORY_CLAIM_FAILED' }]);
    expect(stock(lastOne)).toEqual({ available: 1, committed: 0, on_hand: 1 });
    expect([...shop.orders.all()]).toEqual([]);
    expect(told()).toEqual([]);
  });

  test('two lines of one item share what is there', async () => {
    const variantId = rig.sandbox.shop.inventory.variantOfSku(scarce).id;
    const lineItems = [2, 2].map((quantity) => ({ variantId, quantity }));
    const options = { inventoryBehaviour: 'DECREMENT_OBEYING_POLICY' };
    const { orderCreate } = await rig.data(ORDER_CREATE, { order: { lineItems }, options });
    expect(orderCreate.userErrors).toHaveLength(1);
  });

  test('goes below zero when it ignores the policy, and when the policy is CONTINUE', async () => {
    await createOrder(rig, { [lastOne]: 3 }, { behaviour: 'DECREMENT_IGNORING_POLICY' });
    expect(stock(lastOne)).toEqual({ available: -2, committed: 3, on_hand: 1 });
    const before = stock(backorder);
    await createOrder(rig, { [backorder]: before.available + 5 });
    expect(stock(backorder).available).toBe(-5);
  });

  test('takes each line whole from the first location that has enough of it', async () => {
    const here = stock(plentiful, warehouse);
    const there = stock(plentiful, store);
    rig.sandbox.shop.receive(plentiful, warehouse, 2 - here.available);
    await createOrder(rig, { [plentiful]: there.available, [secondLocationOnly]: 1, [untracked]: 4 });
    expect(stock(plentiful, warehouse).available).toBe(2);
    expect(stock(plentiful, store).available).toBe(0);
    expect(stock(secondLocationOnly, store)).toMatchObject({ available: 4, committed: 1 });
  });

  test('takes no idempotency key, and twice the same is two orders', async () => {
    const variantId = rig.sandbox.shop.inventory.variantOfSku(plentiful).id;
    const document = ORDER_CREATE.replace(' {\n    order', ' @idempotent(key: "k") {\n    order');
    const keyed = await rig.graphql(document, { order: { lineItems: [{ variantId, quantity: 1 }] } });
    expect(keyed.errors).toHaveLength(1);
    await createOrder(rig, { [plentiful]: 1 }, { sourceIdentifier: 'same' });
    await createOrder(rig, { [plentiful]: 1 }, { sourceIdentifier: 'same' });
    const { orders } = await rig.data(
      `{ orders(first: 5, query: "source_identifier:'same'") { nodes { name } } }`,
    );
    expect(orders.nodes).toHaveLength(2);
  });
});

describe('searching for orders', () => {
  const BY_UPDATE = `query($q: String!) { orders(first: 9, query: $q, sortKey: UPDATED_AT) { nodes { name } } }`;

  test('by tag and time of change, in the order of their changes, once the index has seen them', async () => {
    rig.sandbox.shop.searchLagMs = 10_000;
    await createOrder(rig, { [plentiful]: 1 }, { tags: ['holdfast'] });
    rig.clock.nowMs += 1000;
    await createOrder(rig, { [plentiful]: 1 }, { tags: ['holdfast'] });
    await createOrder(rig, { [plentiful]: 1 }, { tags: ['others'] });
    const q = "tag:holdfast updated_at:>='2026-11-23T12:00:00Z'";
    expect((await rig.data(BY_UPDATE, { q })).orders.nodes).toEqual([]);
    rig.clock.nowMs += 10_000;
    expect((await rig.data(BY_UPDATE, { q })).orders.nodes).toEqual([{ name: '#1001' }, { name: '#1002' }]);

    rig.clock.nowMs = Date.parse('2026-11-23T12:05:00Z');
    rig.sandbox.shop.cancel('#1001', { restock: true });
    const later = "tag:holdfast updated_at:>='2026-11-23T12:05:00Z'";
    expect((await rig.data(BY_UPDATE, { q: later })).orders.nodes).toEqual([]);
    // The index still has the order where it was.
    expect((await rig.data(BY_UPDATE, { q })).orders.nodes).toEqual([{ name: '#1001' }, { name: '#1002' }]);
    rig.clock.nowMs += 10_000;
    expect((await rig.data(BY_UPDATE, { q: later })).orders.nodes).toEqual([{ name: '#1001' }]);
    expect((await rig.data(BY_UPDATE, { q })).orders.nodes).toEqual([{ name: '#1002' }, { name: '#1001' }]);
  });
});

describe('orderCancel', () => {
  const cancel = async (id: string, restock: boolean, refund = true): Promise<Json> =>
    (await rig.data(ORDER_CANCEL, { id, restock, refund })).orderCancel;

  test('answers with a job and does its work a moment later: with restock the units are available again', async () => {
    const before = stock(scarce);
    const { id } = await createOrder(rig, { [scarce]: 2 });
    told();
    rig.clock.nowMs += 60_000;
    const { job, orderCancelUserErrors } = await cancel(id, true);
    expect({ job, orderCancelUserErrors }).toMatchObject({ job: { done: false }, orderCancelUserErrors: [] });
    expect((await rig.data(JOB, { id: job.id })).job).toEqual({ id: job.id, done: true });
    expect(stock(scarce)).toEqual(before);
    expect(await readOrder(rig, id)).toMatchObject({
      cancelledAt: '2026-11-23T12:01:00Z',
      updatedAt: '2026-11-23T12:01:00Z',
      cancelReason: 'CUSTOMER',
      closed: true,
      displayFinancialStatus: 'REFUNDED',
      lineItems: { nodes: [{ quantity: 2, currentQuantity: 0, unfulfilledQuantity: 0 }] },
      refunds: [
        {
          refundLineItems: {
            nodes: [{ quantity: 2, restockType: 'CANCEL', restocked: true, location: { name: warehouse } }],
          },
        },
      ],
    });
    expect(told()).toEqual(['refund created', 'order cancelled', 'order updated']);
  });

  test('without restock the units leave the books', async () => {
    const before = stock(scarce);
    const { id } = await createOrder(rig, { [scarce]: 2 }, { financialStatus: 'PENDING' });
    told();
    await cancel(id, false);
    expect(stock(scarce)).toEqual({
      available: before.available - 2,
      committed: 0,
      on_hand: before.on_hand - 2,
    });
    const order = await readOrder(rig, id);
    expect(order).toMatchObject({ displayFinancialStatus: 'VOIDED', refunds: [] });
    expect(told()).toEqual(['order cancelled', 'order updated']);
  });

  test('takes as long as it takes', async () => {
    await rig.sandbox.stop();
    rig = await startRig({ jobDelayMs: 5_000 });
    const { id } = await createOrder(rig, { [scarce]: 2 });
    const { job } = await cancel(id, true);
    rig.clock.nowMs += 4_999;
    expect((await rig.data(JOB, { id: job.id })).job.done).toBe(false);
    expect((await readOrder(rig, id)).cancelledAt).toBeNull();
    rig.clock.nowMs += 1;
    expect((await readOrder(rig, id)).cancelledAt).not.toBeNull();
  });

  test('is refused for what is unknown, cancelled, shipped or coming back', async () => {
    const unknown = await cancel('gid://shopify/Order/1', true);
    expect(unknown).toMatchObject({ job: null, orderCancelUserErrors: [{ code: 'NOT_FOUND' }] });
    const { id } = await createOrder(rig, { [scarce]: 1 });
    await fulfillAll(rig, id);
    const shipped = await cancel(id, true);
    expect(shipped).toMatchObject({ job: null, orderCancelUserErrors: [{ code: 'INVALID' }] });
    expect(shipped.userErrors).toHaveLength(1);
    const other = await createOrder(rig, { [scarce]: 1 });
    await cancel(other.id, true);
    expect((await cancel(other.id, true)).orderCancelUserErrors).toMatchObject([{ code: 'INVALID' }]);
    expect((await rig.data(JOB, { id: 'gid://shopify/Job/none' })).job).toBeNull();
  });

  test('at a closed location: a paid order is not restocked there, an unpaid one is cancelled without', async () => {
    const paid = await createOrder(rig, { [scarce]: 1 });
    const unpaid = await createOrder(rig, { [scarce]: 1 }, { financialStatus: 'PENDING' });
    rig.sandbox.shop.setLocationActive(warehouse, false);
    expect((await cancel(paid.id, true)).orderCancelUserErrors).toMatchObject([{ code: 'INVALID' }]);
    const before = stock(scarce);
    expect((await cancel(unpaid.id, true)).orderCancelUserErrors).toEqual([]);
    expect(stock(scarce)).toMatchObject({ available: before.available, committed: 1 });
  });
});

describe('paying and shipping', () => {
  test('an order is marked as paid once', async () => {
    const { id } = await createOrder(rig, { [scarce]: 1 }, { financialStatus: 'PENDING' });
    told();
    const { orderMarkAsPaid } = await rig.data(MARK_PAID, { input: { id } });
    expect(orderMarkAsPaid).toEqual({ order: { displayFinancialStatus: 'PAID' }, userErrors: [] });
    expect(told()).toEqual(['order paid', 'order updated']);
    const again = await rig.data(MARK_PAID, { input: { id } });
    expect(again.orderMarkAsPaid.userErrors).toHaveLength(1);
  });

  test('shipping takes units off committed and on hand, in part and then whole', async () => {
    const before = stock(scarce);
    const { id, fulfillmentOrders } = await createOrder(rig, { [scarce]: 3 });
    told();
    const [{ id: fulfillmentOrderId, lineItems }] = fulfillmentOrders.nodes;
    const ship = (quantity: number) =>
      rig.data(FULFILL, {
        fulfillment: {
          lineItemsByFulfillmentOrder: [
            { fulfillmentOrderId, fulfillmentOrderLineItems: [{ id: lineItems.nodes[0].id, quantity }] },
          ],
        },
      });
    await ship(1);
    expect(stock(scarce)).toEqual({ available: 0, committed: 2, on_hand: before.on_hand - 1 });
    expect(await readOrder(rig, id)).toMatchObject({
      displayFulfillmentStatus: 'PARTIALLY_FULFILLED',
      lineItems: { nodes: [{ quantity: 3, unfulfilledQuantity: 2 }] },
    });
    expect(told()).toEqual(['fulfillment created', 'order partially_fulfilled', 'order updated']);
    expect((await ship(3)).fulfillmentCreate.userErrors).toHaveLength(1);
    await ship(2);
    expect(stock(scarce)).toEqual({ available: 0, committed: 0, on_hand: 0 });
    expect(await readOrder(rig, id)).toMatchObject({ displayFulfillmentStatus: 'FULFILLED', closed: true });
    expect(told()).toEqual(['fulfillment created', 'order fulfilled', 'order updated']);
    expect((await ship(1)).fulfillmentCreate.userErrors).toHaveLength(1);
  });

  test('a shipment that is called back commits its units again', async () => {
    const { id } = await createOrder(rig, { [scarce]: 2 });
    const committed = stock(scarce);
    const { fulfillments } = await fulfillAll(rig, id);
    told();
    const { fulfillmentCancel } = await rig.data(FULFILL_CANCEL, { id: fulfillments[0].id });
    expect(fulfillmentCancel.fulfillment.status).toBe('CANCELLED');
    expect(stock(scarce)).toEqual(committed);
    expect(await readOrder(rig, id)).toMatchObject({
      displayFulfillmentStatus: 'UNFULFILLED',
      closed: false,
    });
    expect(told()).toEqual(['fulfillment updated', 'order updated']);
    expect(
      (await rig.data(FULFILL_CANCEL, { id: fulfillments[0].id })).fulfillmentCancel.userErrors,
    ).toHaveLength(1);
    await fulfillAll(rig, id);
    expect(stock(scarce)).toMatchObject({ committed: 0, on_hand: 1 });
  });
});

describe('the verbs', () => {
  test('a sale at the till leaves available and on hand of that place at once', () => {
    const { shop } = rig.sandbox;
    const before = stock(plentiful, store);
    const order = shop.sell(plentiful, 2, { at: store });
    expect(stock(plentiful, store)).toEqual({
      available: before.available - 2,
      committed: 0,
      on_hand: before.on_hand - 2,
    });
    expect(order.fulfillments).toHaveLength(1);
    expect(order.sourceName).toBe('pos');
  });

  test('a hold that becomes an order is shipped like any other', async () => {
    const draft = await hold(rig, scarce, 2, 600);
    const { shop } = rig.sandbox;
    shop.payInvoice(draft.id);
    expect(stock(scarce)).toEqual({ available: 1, committed: 2, on_hand: 3 });
    shop.fulfil('#1001', { [scarce]: 1 });
    expect(stock(scarce)).toEqual({ available: 1, committed: 1, on_hand: 2 });
    expect(() => shop.fulfil('#1001', { [scarce]: 2 })).toThrow('fewer units');
    expect(() => shop.cancel('#1001', { restock: true })).toThrow('cannot cancel #1001');
    expect(() => shop.cancel('#7', { restock: true })).toThrow('no order #7');
  });
});
