import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../../../src/sandbox/base/events.js';
import {
  createOrder,
  DISPOSE,
  FULFILL_CANCEL,
  fulfillAll,
  ORDER_CANCEL,
  REFUND,
  RETURN_CREATE,
  RETURN_PROCESS,
  readOrder,
  refund,
} from '../../orders-client.js';
import { idsOf, type Json, newKey, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse, store } = SEED_LOCATIONS;
const { plentiful, scarce, untracked } = SEED_SKUS;

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

function locationId(name: string): string {
  return rig.sandbox.shop.inventory.locationNamed(name).id;
}

function told(): string[] {
  const names = events.map(({ kind, change }) => `${kind} ${change}`);
  events.length = 0;
  return names.filter((name) => !name.startsWith('inventory_level') && !name.startsWith('product '));
}

function lineInput(order: Json, more: object, index = 0) {
  return { lineItemId: order.lineItems.nodes[index].id, ...more };
}

describe('refundCreate', () => {
  test('CANCEL makes units available that were not shipped', async () => {
    const before = stock(scarce);
    const order = await createOrder(rig, { [scarce]: 3 });
    told();
    const line = lineInput(order, { quantity: 1, restockType: 'CANCEL', locationId: locationId(warehouse) });
    const input = {
      orderId: order.id,
      refundLineItems: [line],
      transactions: [{ orderId: order.id, kind: 'REFUND', gateway: 'manual', amount: '20.00' }],
    };
    const made = await refund(rig, input);
    expect(made).toMatchObject({
      refund: { totalRefundedSet: { shopMoney: { amount: '20.00' } } },
      userErrors: [],
    });
    expect(stock(scarce)).toEqual({ ...before, available: before.available - 2, committed: 2 });
    expect(await readOrder(rig, order.id)).toMatchObject({
      displayFinancialStatus: 'PARTIALLY_REFUNDED',
      lineItems: { nodes: [{ quantity: 3, currentQuantity: 2, unfulfilledQuantity: 2 }] },
      refunds: [{ refundLineItems: { nodes: [{ quantity: 1, restockType: 'CANCEL', restocked: true }] } }],
    });
    expect(told()).toEqual(['refund created', 'order updated']);
  });

  test('CANCEL to another location moves the units there', async () => {
    const order = await createOrder(rig, { [scarce]: 2 });
    const line = lineInput(order, { quantity: 1, restockType: 'CANCEL', locationId: locationId(store) });
    await refund(rig, { orderId: order.id, refundLineItems: [line] });
    expect(stock(scarce)).toEqual({ available: 1, committed: 1, on_hand: 2 });
    expect(stock(scarce, store)).toEqual({ available: 1, committed: 0, on_hand: 1 });
  });

  test('RETURN makes shipped units available at the location that is named', async () => {
    const order = await createOrder(rig, { [scarce]: 2 });
    await fulfillAll(rig, order.id);
    const line = lineInput(order, { quantity: 2, restockType: 'RETURN', locationId: locationId(store) });
    await refund(rig, { orderId: order.id, refundLineItems: [line] });
    expect(stock(scarce)).toEqual({ available: 1, committed: 0, on_hand: 1 });
    expect(stock(scarce, store)).toEqual({ available: 2, committed: 0, on_hand: 2 });
  });

  test('NO_RESTOCK moves nothing, and what was not shipped is still to be shipped', async () => {
    const order = await createOrder(rig, { [scarce]: 2 });
    const before = stock(scarce);
    await refund(rig, { orderId: order.id, refundLineItems: [lineInput(order, { quantity: 2 })] });
    expect(stock(scarce)).toEqual(before);
    expect(await readOrder(rig, order.id)).toMatchObject({
      lineItems: { nodes: [{ currentQuantity: 0, unfulfilledQuantity: 2 }] },
      refunds: [
        { refundLineItems: { nodes: [{ restockType: 'NO_RESTOCK', restocked: false, location: null }] } },
      ],
    });
  });

  test('refuses more than there is: of the line, of the kind, of the money', async () => {
    const order = await createOrder(rig, { [scarce]: 3 });
    rig.sandbox.shop.fulfil('#1001', { [scarce]: 1 });
    const before = stock(scarce);
    const at = locationId(warehouse);
    const refusals = [
      [{ quantity: 4 }],
      [{ quantity: 0 }],
      [{ quantity: 2 }, { quantity: 2 }],
      [{ quantity: 3, restockType: 'CANCEL', locationId: at }],
      [{ quantity: 2, restockType: 'RETURN', locationId: at }],
      [{ quantity: 1, restockType: 'RETURN' }],
      [{ quantity: 1, restockType: 'RETURN', locationId: 'gid://shopify/Location/1' }],
      [{ quantity: 1, restockType: 'LEGACY_RESTOCK' }],
    ];
    for (const lines of refusals) {
      const refundLineItems = lines.map((line) => lineInput(order, line));
      const { userErrors, refund: made } = await refund(rig, { orderId: order.id, refundLineItems });
      expect({ lines, made, count: userErrors.length }).toEqual({ lines, made: null, count: 1 });
    }
    const transactions = [{ orderId: order.id, kind: 'REFUND', gateway: 'manual', amount: '99999.00' }];
    expect((await refund(rig, { orderId: order.id, transactions })).userErrors).toHaveLength(1);
    expect((await refund(rig, { orderId: order.id })).userErrors).toHaveLength(1);
    expect((await refund(rig, { orderId: 'gid://shopify/Order/1' })).userErrors).toHaveLength(1);
    expect(stock(scarce)).toEqual(before);
  });

  test('wants a key, and with the same key happens once', async () => {
    const order = await createOrder(rig, { [scarce]: 2 });
    const line = lineInput(order, { quantity: 1, restockType: 'CANCEL' });
    const input = { orderId: order.id, refundLineItems: [line] };
    const keyless = await rig.graphql(
      REFUND.replace(' @idempotent(key: $key)', '').replace(', $key: String!', ''),
      {
        input,
      },
    );
    expect(keyless.errors[0].extensions.code).toBe('BAD_REQUEST');
    const key = newKey();
    const first = await refund(rig, input, key);
    expect(await refund(rig, input, key)).toEqual(first);
    expect(stock(scarce)).toMatchObject({ available: 2, committed: 1 });
    const other = await refund(rig, { ...input, note: 'other' }, key);
    expect(other).toMatchObject({ refund: null, userErrors: [{ field: null }] });
  });

  test('of an untracked item restocks nothing and says so', async () => {
    const order = await createOrder(rig, { [untracked]: 1 });
    const line = lineInput(order, { quantity: 1, restockType: 'CANCEL', locationId: locationId(warehouse) });
    await refund(rig, { orderId: order.id, refundLineItems: [line] });
    expect((await readOrder(rig, order.id)).refunds[0].refundLineItems.nodes[0].restocked).toBe(false);
    expect(stock(untracked).available).toBe(0);
  });
});

describe('returns', () => {
  /** An order of three that was shipped, and a return of two of its units. */
  async function returned(): Promise<{
    order: Json;
    returnId: string;
    returnLineId: string;
    lineId: string;
  }> {
    const { id } = await createOrder(rig, { [scarce]: 3 });
    const { fulfillments } = await fulfillAll(rig, id);
    const fulfillmentLineItemId = fulfillments[0].fulfillmentLineItems.nodes[0].id;
    told();
    const input = {
      orderId: id,
      returnLineItems: [{ fulfillmentLineItemId, quantity: 2, returnReason: 'UNWANTED' }],
    };
    const { returnCreate } = await rig.data(RETURN_CREATE, { input });
    expect(returnCreate.userErrors).toEqual([]);
    const order = await readOrder(rig, id);
    const [made] = order.returns.nodes;
    const lineId = made.reverseFulfillmentOrders.nodes[0].lineItems.nodes[0].id;
    return { order, returnId: made.id, returnLineId: made.returnLineItems.nodes[0].id, lineId };
  }

  const dispose = async (
    lineId: string,
    quantity: number,
    dispositionType: string,
    at?: string,
  ): Promise<Json> => {
    const input = { reverseFulfillmentOrderLineItemId: lineId, quantity, dispositionType };
    const inputs = [at === undefined ? input : { ...input, locationId: locationId(at) }];
    return (await rig.data(DISPOSE, { inputs })).reverseFulfillmentOrderDispose;
  };

  const step = async (name: string, id: string): Promise<Json> =>
    (
      await rig.data(`mutation($id: ID!) { ${name}(id: $id) { return { status } userErrors { code } } }`, {
        id,
      })
    )[name];

  test('an open return restocks nothing yet, and its order says that something is coming back', async () => {
    const { order } = await returned();
    expect(stock(scarce)).toEqual({ available: 0, committed: 0, on_hand: 0 });
    expect(order).toMatchObject({
      returnStatus: 'IN_PROGRESS',
      closed: false,
      returns: {
        nodes: [
          {
            name: '#1001-R1',
            status: 'OPEN',
            totalQuantity: 2,
            returnLineItems: { nodes: [{ quantity: 2, fulfillmentLineItem: { lineItem: { sku: scarce } } }] },
            reverseFulfillmentOrders: {
              nodes: [{ status: 'OPEN', lineItems: { nodes: [{ totalQuantity: 2, dispositions: [] }] } }],
            },
          },
        ],
      },
    });
    expect(told()).toEqual(['return approved', 'order updated']);
  });

  test('only RESTOCKED makes units available, once, and no unit is disposed of twice', async () => {
    const { order, lineId } = await returned();
    expect((await dispose(lineId, 1, 'RESTOCKED', store)).userErrors).toEqual([]);
    expect(stock(scarce, store)).toEqual({ available: 1, committed: 0, on_hand: 1 });
    expect((await dispose(lineId, 1, 'MISSING')).userErrors).toEqual([]);
    for (const type of ['RESTOCKED', 'NOT_RESTOCKED', 'MISSING', 'PROCESSING_REQUIRED']) {
      expect((await dispose(lineId, 1, type, store)).userErrors).toMatchObject([{ code: 'INVALID' }]);
    }
    expect(stock(scarce, store)).toEqual({ available: 1, committed: 0, on_hand: 1 });
    expect(stock(scarce)).toEqual({ available: 0, committed: 0, on_hand: 0 });
    const [made] = (await readOrder(rig, order.id)).returns.nodes;
    expect(made.reverseFulfillmentOrders.nodes).toMatchObject([
      {
        status: 'CLOSED',
        lineItems: {
          nodes: [
            {
              dispositions: [
                { type: 'RESTOCKED', quantity: 1, location: { name: store } },
                { type: 'MISSING', quantity: 1, location: null },
              ],
            },
          ],
        },
      },
    ]);
    expect(events.filter(({ kind }) => kind === 'reverse_fulfillment_order')).toHaveLength(2);
  });

  test('units that wait for processing are restocked later, without being counted twice', async () => {
    const { lineId } = await returned();
    await dispose(lineId, 2, 'PROCESSING_REQUIRED');
    expect(stock(scarce).available).toBe(0);
    const done = await dispose(lineId, 1, 'RESTOCKED', warehouse);
    expect(done.reverseFulfillmentOrderLineItems[0].dispositions).toEqual([
      { type: 'PROCESSING_REQUIRED', quantity: 1 },
      { type: 'RESTOCKED', quantity: 1 },
    ]);
    expect(stock(scarce)).toEqual({ available: 1, committed: 0, on_hand: 1 });
    await dispose(lineId, 1, 'NOT_RESTOCKED');
    expect((await dispose(lineId, 1, 'RESTOCKED', warehouse)).userErrors).toHaveLength(1);
    expect(stock(scarce).available).toBe(1);
  });

  test('RESTOCKED wants a location that is open', async () => {
    const { lineId } = await returned();
    expect((await dispose(lineId, 1, 'RESTOCKED')).userErrors).toMatchObject([{ code: 'BLANK' }]);
    rig.sandbox.shop.setLocationActive(store, false);
    expect((await dispose(lineId, 1, 'RESTOCKED', store)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(stock(scarce, store).available).toBe(0);
  });

  test('processing confirms units, disposes of them and refunds, all or nothing', async () => {
    const { order, returnId, returnLineId, lineId } = await returned();
    const process = (quantity: number, disposed: number, amount: string) =>
      rig.data(RETURN_PROCESS, {
        input: {
          returnId,
          returnLineItems: [
            {
              id: returnLineId,
              quantity,
              dispositions: [
                {
                  reverseFulfillmentOrderLineItemId: lineId,
                  quantity: disposed,
                  dispositionType: 'RESTOCKED',
                  locationId: locationId(warehouse),
                },
              ],
            },
          ],
          financialTransfer: {
            issueRefund: {
              orderTransactions: [
                {
                  parentId: 'gid://shopify/OrderTransaction/1',
                  transactionAmount: { amount, currencyCode: 'EUR' },
                },
              ],
            },
          },
        },
      });
    for (const [quantity, disposed, amount] of [
      [3, 1, '1.00'],
      [1, 3, '1.00'],
      [1, 1, '9999.00'],
    ] as const) {
      const { returnProcess } = await process(quantity, disposed, amount);
      expect(returnProcess.userErrors).toHaveLength(1);
    }
    expect(stock(scarce).available).toBe(0);
    expect((await readOrder(rig, order.id)).refunds).toEqual([]);
    told();
    expect((await process(2, 2, '30.00')).returnProcess.userErrors).toEqual([]);
    expect(stock(scarce)).toEqual({ available: 2, committed: 0, on_hand: 2 });
    expect(told()).toEqual([
      'refund created',
      'reverse_fulfillment_order disposed',
      'order updated',
      'return processed',
      'order updated',
    ]);
    expect(await readOrder(rig, order.id)).toMatchObject({
      returnStatus: 'INSPECTION_COMPLETE',
      displayFinancialStatus: 'PARTIALLY_REFUNDED',
      lineItems: { nodes: [{ quantity: 3, currentQuantity: 1 }] },
      // The dispositions have restocked the units: the refund does not say so a second time.
      refunds: [
        { refundLineItems: { nodes: [{ quantity: 2, restockType: 'NO_RESTOCK', restocked: false }] } },
      ],
    });
    expect((await process(1, 1, '1.00')).returnProcess.userErrors.length).toBeGreaterThan(0);
    expect(stock(scarce).available).toBe(2);
  });

  test('units on their way back cannot come back another way', async () => {
    const { order, returnId } = await returned();
    const at = locationId(warehouse);
    const two = lineInput(order, { quantity: 2, restockType: 'RETURN', locationId: at });
    expect((await refund(rig, { orderId: order.id, refundLineItems: [two] })).userErrors).toHaveLength(1);
    const one = lineInput(order, { quantity: 1, restockType: 'RETURN', locationId: at });
    expect((await refund(rig, { orderId: order.id, refundLineItems: [one] })).userErrors).toEqual([]);
    const [{ id: fulfillmentId, fulfillmentLineItems }] = order.fulfillments;
    const input = {
      orderId: order.id,
      returnLineItems: [{ fulfillmentLineItemId: fulfillmentLineItems.nodes[0].id, quantity: 1 }],
    };
    const { returnCreate } = await rig.data(RETURN_CREATE, { input });
    expect(returnCreate.userErrors).toMatchObject([{ code: 'INVALID' }]);
    expect((await rig.data(FULFILL_CANCEL, { id: fulfillmentId })).fulfillmentCancel.userErrors).toHaveLength(
      1,
    );
    const cancelled = await rig.data(ORDER_CANCEL, { id: order.id, restock: true, refund: false });
    expect(cancelled.orderCancel.orderCancelUserErrors).toMatchObject([{ code: 'INVALID' }]);
    await step('returnCancel', returnId);
    expect((await rig.data(RETURN_CREATE, { input })).returnCreate.userErrors).toEqual([]);
    expect(stock(scarce)).toEqual({ available: 1, committed: 0, on_hand: 1 });
  });

  test('goes through its states, and is cancelled only before anything was done', async () => {
    const { order, returnId, lineId } = await returned();
    told();
    expect(await step('returnReopen', returnId)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
    expect(await step('returnClose', returnId)).toEqual({ return: { status: 'CLOSED' }, userErrors: [] });
    expect((await readOrder(rig, order.id)).returnStatus).toBe('RETURNED');
    expect(await step('returnClose', returnId)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
    expect(await step('returnReopen', returnId)).toEqual({ return: { status: 'OPEN' }, userErrors: [] });
    await dispose(lineId, 1, 'PROCESSING_REQUIRED');
    expect(await step('returnCancel', returnId)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
    expect(told()).toEqual([
      'return closed',
      'order updated',
      'return reopened',
      'order updated',
      'reverse_fulfillment_order disposed',
      'order updated',
    ]);
    expect(await step('returnClose', 'gid://shopify/Return/1')).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND' }],
    });
  });

  test('of a cancelled return nothing can be restocked', async () => {
    const { returnId, lineId } = await returned();
    expect(await step('returnCancel', returnId)).toEqual({ return: { status: 'CANCELED' }, userErrors: [] });
    expect((await dispose(lineId, 1, 'RESTOCKED', store)).userErrors).toMatchObject([
      { code: 'INVALID_STATE' },
    ]);
    expect(stock(scarce, store).available).toBe(0);
  });

  test('refunds, returns and fulfillments are there by id, and with the verbs', async () => {
    const { shop } = rig.sandbox;
    const before = stock(plentiful, store);
    shop.sell(plentiful, 3);
    shop.fulfil('#1001');
    const made = shop.returnUnits('#1001', { [plentiful]: 2 });
    shop.dispose(made.name, { [plentiful]: 2 }, 'RESTOCKED', store);
    expect(stock(plentiful, store).available).toBe(before.available + 2);
    expect(() => shop.dispose(made.name, { [plentiful]: 1 }, 'RESTOCKED', store)).toThrow('cannot dispose');
    const paidBack = shop.refund('#1001', { [plentiful]: 1 }, { restock: 'RETURN', at: store });
    expect(() => shop.refund('#1001', { [plentiful]: 1 }, { restock: 'RETURN', at: store })).toThrow(
      'cannot refund',
    );
    const data = await rig.data(
      `query($return: ID!, $refund: ID!, $fulfillment: ID!) {
        return(id: $return) { name order { name } } refund(id: $refund) { order { name } }
        fulfillment(id: $fulfillment) { name order { name } location { name } } }`,
      { return: made.id, refund: paidBack.id, fulfillment: shop.orders.named('#1001').fulfillments[0]?.id },
    );
    expect(data).toEqual({
      return: { name: '#1001-R1', order: { name: '#1001' } },
      refund: { order: { name: '#1001' } },
      fulfillment: { name: '#1001-F1', order: { name: '#1001' }, location: { name: warehouse } },
    });
  });

  test('a unit may go back to a location that never stocked its item, which is connected then', async () => {
    const { shop } = rig.sandbox;
    shop.sell(scarce, 1);
    shop.fulfil('#1001');
    const { inventoryItemId } = idsOf(rig, scarce, store);
    expect(shop.inventory.levelAt(inventoryItemId, locationId(store))).toBeUndefined();
    events.length = 0;
    shop.refund('#1001', { [scarce]: 1 }, { restock: 'RETURN', at: store });
    expect(stock(scarce, store).available).toBe(1);
    expect(events.filter(({ kind }) => kind === 'inventory_level').map(({ change }) => change)).toEqual([
      'connected',
      'updated',
    ]);
  });
});
