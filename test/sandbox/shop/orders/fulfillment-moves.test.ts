import { afterEach, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { createOrder, fulfillAll } from '../../orders-client.js';
import { type Json, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse, store, partner } = SEED_LOCATIONS;
const { plentiful, scarce } = SEED_SKUS;

const LISTS = `query Lists($id: ID!, $displayable: Boolean) { order(id: $id) {
  fulfillmentOrders(first: 10, displayable: $displayable) { nodes {
    id status requestStatus supportedActions { action } assignedLocation { name location { id name } }
    lineItems(first: 20) { nodes { id inventoryItemId totalQuantity remainingQuantity } } } } } }`;

const MOVE = `mutation Move($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
  fulfillmentOrderMove(id: $id, newLocationId: $to, fulfillmentOrderLineItems: $lines) {
    movedFulfillmentOrder { id assignedLocation { name } } originalFulfillmentOrder { id status }
    userErrors { field message code } } }`;

let rig: Rig;
afterEach(() => rig.sandbox.stop());

const locationId = (name: string): string => rig.sandbox.shop.inventory.locationNamed(name).id;

async function listsOf(id: string, displayable = true): Promise<Json[]> {
  return (await rig.data(LISTS, { id, displayable })).order.fulfillmentOrders.nodes;
}

async function move(id: string, to: string, lines?: readonly Json[]): Promise<Json> {
  return (await rig.data(MOVE, { id, to: locationId(to), lines })).fulfillmentOrderMove;
}

function stock(sku: string, location: string) {
  const { available, committed, on_hand } = rig.sandbox.shop.readStock(sku, location);
  return { available, committed, on_hand };
}

test('a fulfillment order is moved whole, and its committed units with it', async () => {
  rig = await startRig();
  const from = stock(plentiful, warehouse);
  const to = stock(plentiful, store);
  const order = await createOrder(rig, { [plentiful]: 2 });
  const [list] = await listsOf(order.id);
  expect(list).toMatchObject({
    status: 'OPEN',
    requestStatus: 'UNSUBMITTED',
    assignedLocation: { name: warehouse, location: { name: warehouse } },
    lineItems: { nodes: [{ totalQuantity: 2, remainingQuantity: 2 }] },
  });
  expect(list.supportedActions).toContainEqual({ action: 'MOVE' });
  const { movedFulfillmentOrder, userErrors } = await move(list.id, store);
  expect(userErrors).toEqual([]);
  expect(movedFulfillmentOrder).toEqual({ id: list.id, assignedLocation: { name: store } });
  expect(stock(plentiful, warehouse)).toEqual(from);
  expect(stock(plentiful, store)).toEqual({
    ...to,
    available: to.available - 2,
    committed: to.committed + 2,
  });
  await fulfillAll(rig, order.id);
  expect(stock(plentiful, store)).toEqual({
    ...to,
    available: to.available - 2,
    on_hand: to.on_hand - 2,
  });
});

test('moved in part it becomes two, and what is moved after it is recreated on a third', async () => {
  rig = await startRig();
  const to = stock(plentiful, store);
  const order = await createOrder(rig, { [plentiful]: 3 });
  const [list] = await listsOf(order.id);
  const [line] = list.lineItems.nodes;
  await move(list.id, store, [{ id: line.id, quantity: 1 }]);
  expect(
    (await listsOf(order.id)).map((one) => [one.assignedLocation.name, one.lineItems.nodes[0].totalQuantity]),
  ).toEqual([
    [warehouse, 2],
    [store, 1],
  ]);
  await move(list.id, store);
  const rest = await listsOf(order.id);
  expect(rest).toMatchObject([
    { status: 'OPEN', assignedLocation: { name: store }, lineItems: { nodes: [{ remainingQuantity: 3 }] } },
  ]);
  expect(rest[0]?.id).not.toBe(list.id);
  expect(stock(plentiful, store)).toEqual({
    ...to,
    available: to.available - 3,
    committed: to.committed + 3,
  });
  expect((await listsOf(order.id, false)).map(({ status }) => status)).toEqual(['CLOSED', 'CLOSED', 'OPEN']);
});

test('a move is refused where the list is shipped or being packed, the place unknown, or the item not stocked there', async () => {
  rig = await startRig();
  const order = await createOrder(rig, { [scarce]: 1 });
  const [list] = await listsOf(order.id);
  const before = stock(scarce, warehouse);
  const refusals = async (to: string) => (await move(list.id, to)).userErrors;
  expect(await refusals(partner)).toMatchObject([{ field: ['newLocationId'] }]);
  rig.sandbox.shop.reportProgress(order.name);
  expect((await listsOf(order.id))[0]?.supportedActions).not.toContainEqual({ action: 'MOVE' });
  expect(await refusals(store)).toMatchObject([
    { code: 'CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS' },
  ]);
  rig.sandbox.shop.fulfil(order.name);
  expect((await listsOf(order.id))[0]).toMatchObject({ status: 'CLOSED', supportedActions: [] });
  expect(await refusals(store)).toHaveLength(1);
  expect(stock(scarce, warehouse)).toEqual({ ...before, committed: 0, on_hand: before.on_hand - 1 });
});

test('the shop may refuse every move, offer none, and show what is to be shipped late', async () => {
  rig = await startRig({ fulfilment: { shownAfterMs: 5_000 } });
  const order = await createOrder(rig, { [plentiful]: 1 });
  expect(await listsOf(order.id)).toEqual([]);
  rig.clock.nowMs += 5_000;
  const [list] = await listsOf(order.id);
  rig.sandbox.set({ fulfilment: { moves: 'refused' } });
  expect((await move(list.id, store)).userErrors).toHaveLength(1);
  expect((await listsOf(order.id))[0]?.supportedActions).toContainEqual({ action: 'MOVE' });
  rig.sandbox.set({ fulfilment: { moves: 'not_offered' } });
  expect((await listsOf(order.id))[0]?.supportedActions).not.toContainEqual({ action: 'MOVE' });
});

test('without the scopes nothing of it is shown, and nothing moved', async () => {
  rig = await startRig({ scopes: ['read_orders', 'write_orders', 'read_products', 'write_inventory'] });
  rig.sandbox.shop.sell(plentiful, 1);
  const [order] = rig.sandbox.shop.orders.all();
  const { errors } = await rig.graphql(LISTS, { id: order?.id });
  expect(errors).toMatchObject([{ extensions: { code: 'ACCESS_DENIED' } }]);
  const id = order?.fulfillmentOrders[0]?.id;
  const refused = await rig.graphql(MOVE, { id, to: locationId(store) });
  expect(refused.errors).toMatchObject([{ extensions: { code: 'ACCESS_DENIED' } }]);
});
