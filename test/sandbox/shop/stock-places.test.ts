import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Catalogue,
  SEED_CATALOGUE,
  SEED_LOCATIONS,
  SEED_SKUS,
} from '../../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../../src/sandbox/base/events.js';
import { createOrder, fulfillAll, readOrder } from '../orders-client.js';
import { ADJUST, hold, idsOf, type Json, newKey, type Rig, startRig } from '../sandbox-client.js';

const { warehouse, store, partner } = SEED_LOCATIONS;
const { plentiful, scarce, lastOne, untracked, secondLocationOnly } = SEED_SKUS;

let rig: Rig;
let events: ShopEvent[];

async function start(catalogue?: Catalogue): Promise<void> {
  rig = await startRig(catalogue ? { catalogue } : {});
  events = [];
  rig.sandbox.shop.events.listen((event) => events.push(event));
}

beforeEach(() => start());
afterEach(() => rig.sandbox.stop());

function told(): string[] {
  const names = events.map(({ kind, change }) => `${kind} ${change}`);
  events.length = 0;
  return names;
}

const ACTIVATE = `mutation($item: ID!, $at: ID!, $available: Int, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $at, available: $available) @idempotent(key: $key) {
    inventoryLevel { id isActive quantities(names: ["available", "on_hand"]) { name quantity } }
    userErrors { field message } } }`;
const DEACTIVATE = `mutation($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { field message } } }`;
const CLOSE = `mutation($id: ID!, $to: ID, $key: String!) {
  locationDeactivate(locationId: $id, destinationLocationId: $to) @idempotent(key: $key) {
    location { isActive } locationDeactivateUserErrors { field code } } }`;
const OPEN = `mutation($id: ID!, $key: String!) { locationActivate(locationId: $id) @idempotent(key: $key) {
    location { isActive } locationActivateUserErrors { code } } }`;
const LEVELS = `query($id: ID!, $all: Boolean) { inventoryItem(id: $id) {
  inventoryLevels(first: 9, includeInactive: $all) { nodes { isActive location { name }
    quantities(names: ["available"]) { quantity } } } } }`;

describe('connecting and disconnecting', () => {
  const activate = async (
    sku: string,
    location: string,
    available: number | null,
    key = newKey(),
  ): Promise<Json> => {
    const { inventoryItemId: item, locationId: at } = idsOf(rig, sku, location);
    return (await rig.data(ACTIVATE, { item, at, available, key })).inventoryActivate;
  };
  const deactivate = async (sku: string, location: string): Promise<Json> => {
    const { inventoryItemId, locationId } = idsOf(rig, sku, location);
    const id =
      rig.sandbox.shop.inventory.levelAt(inventoryItemId, locationId)?.id ?? 'gid://shopify/InventoryLevel/1';
    return (await rig.data(DEACTIVATE, { id })).inventoryDeactivate.userErrors;
  };

  test('an item is stocked at another location, with units, and drafts and orders may take them', async () => {
    const { inventoryLevel, userErrors } = await activate(scarce, store, 4);
    expect(userErrors).toEqual([]);
    expect(inventoryLevel).toMatchObject({
      isActive: true,
      quantities: [
        { name: 'available', quantity: 4 },
        { name: 'on_hand', quantity: 4 },
      ],
    });
    expect(told().slice(0, 2)).toEqual(['inventory_level connected', 'inventory_level updated']);
    await createOrder(rig, { [scarce]: 4 });
    expect(rig.sandbox.shop.readStock(scarce, store)).toMatchObject({ available: 0, committed: 4 });
  });

  test('wants a key, and is no error where the item is stocked, unless it brings units', async () => {
    const { inventoryItemId: item, locationId: at } = idsOf(rig, scarce, warehouse);
    const keyless = ACTIVATE.replace(' @idempotent(key: $key)', '').replace(', $key: String!', '');
    expect((await rig.graphql(keyless, { item, at })).errors[0].extensions.code).toBe('BAD_REQUEST');
    expect((await activate(scarce, warehouse, null)).userErrors).toEqual([]);
    expect((await activate(scarce, warehouse, 5)).userErrors).toMatchObject([{ field: ['available'] }]);
    expect(rig.sandbox.shop.readStock(scarce, warehouse).available).toBe(3);
    const key = newKey();
    await activate(scarce, store, 2, key);
    expect((await activate(scarce, store, 2, key)).userErrors).toEqual([]);
    expect((await activate(scarce, store, 3, key)).userErrors).toHaveLength(1);
    expect(rig.sandbox.shop.readStock(scarce, store).available).toBe(2);
  });

  test('a disconnected level has no units, is shown only when asked for, and nothing is taken there', async () => {
    expect(await deactivate(plentiful, warehouse)).toEqual([]);
    expect(told()).toEqual(['inventory_level disconnected', 'product updated']);
    const { inventoryItemId: id } = idsOf(rig, plentiful, warehouse);
    const names = async (all: boolean) =>
      (await rig.data(LEVELS, { id, all })).inventoryItem.inventoryLevels.nodes.map(
        (level: Json) => `${level.location.name} ${level.isActive}`,
      );
    expect(await names(false)).toEqual([`${store} true`, `${partner} true`]);
    expect(await names(true)).toEqual([`${warehouse} false`, `${store} true`, `${partner} true`]);
    await createOrder(rig, { [plentiful]: 1 });
    expect(rig.sandbox.shop.readStock(plentiful, warehouse).on_hand).toBe(0);
    expect(await deactivate(plentiful, warehouse)).toHaveLength(1);
    // Since 2026-10 adjusting connects.
    const { locationId } = idsOf(rig, plentiful, warehouse);
    const change = { inventoryItemId: id, locationId, delta: 6, changeFromQuantity: null };
    await rig.data(ADJUST, {
      input: { reason: 'received', name: 'available', changes: [change] },
      key: newKey(),
    });
    expect(await names(false)).toHaveLength(3);
    expect(told()).toContain('inventory_level connected');
  });

  test('is refused while orders or drafts have units there, and at the last location', async () => {
    const draft = await hold(rig, plentiful, 2, 60);
    expect(await deactivate(plentiful, warehouse)).toHaveLength(1);
    rig.clock.nowMs += 61_000;
    rig.sandbox.shop.sell(plentiful, 1);
    expect(await deactivate(plentiful, warehouse)).toMatchObject([
      { message: expect.stringContaining('committed') },
    ]);
    rig.sandbox.shop.fulfil('#1001');
    expect(await deactivate(plentiful, warehouse)).toEqual([]);
    expect(await deactivate(lastOne, warehouse)).toMatchObject([
      { message: expect.stringContaining('minimum of 1') },
    ]);
    expect(draft.id).toBeTruthy();
  });
});

describe('closing and opening locations', () => {
  const close = async (name: string, to: string | null, key = newKey()): Promise<Json> => {
    const { inventory } = rig.sandbox.shop;
    const variables = { id: inventory.locationNamed(name).id, to: to && inventory.locationNamed(to).id, key };
    return (await rig.data(CLOSE, variables)).locationDeactivate;
  };

  test('wants a key, and a destination while there is stock', async () => {
    const id = rig.sandbox.shop.inventory.locationNamed(store).id;
    const keyless = CLOSE.replace(' @idempotent(key: $key)', '').replace(', $key: String!', '');
    expect((await rig.graphql(keyless, { id })).errors[0].extensions.code).toBe('BAD_REQUEST');
    expect((await close(store, null)).locationDeactivateUserErrors).toMatchObject([
      { code: 'HAS_ACTIVE_INVENTORY_ERROR' },
    ]);
    rig.sandbox.shop.sell(secondLocationOnly, 1);
    expect((await close(store, null)).locationDeactivateUserErrors).toMatchObject([
      { code: 'HAS_FULFILLMENT_ORDERS_ERROR' },
    ]);
    expect((await close(store, store)).locationDeactivateUserErrors).toMatchObject([
      { code: 'DESTINATION_LOCATION_IS_THE_SAME_LOCATION' },
    ]);
    rig.sandbox.shop.setLocationActive(partner, false);
    expect((await close(store, partner)).locationDeactivateUserErrors).toMatchObject([
      { code: 'DESTINATION_LOCATION_NOT_FOUND_OR_INACTIVE' },
    ]);
    rig.sandbox.shop.setLocationActive(warehouse, false);
    expect((await close(store, null)).locationDeactivateUserErrors).toMatchObject([
      { code: 'CANNOT_DISABLE_ONLINE_ORDER_FULFILLMENT' },
    ]);
  });

  test('with a destination everything moves: units, holds, and orders that are then shipped from there', async () => {
    const { shop } = rig.sandbox;
    const draft = await hold(rig, secondLocationOnly, 2, 600);
    const order = await createOrder(rig, { [secondLocationOnly]: 1 });
    const before = shop.readStock(secondLocationOnly, store);
    const key = newKey();
    expect(await close(store, warehouse, key)).toEqual({
      location: { isActive: false },
      locationDeactivateUserErrors: [],
    });
    expect(await close(store, warehouse, key)).toMatchObject({ locationDeactivateUserErrors: [] });
    expect(shop.readStock(secondLocationOnly, store).on_hand).toBe(0);
    expect(shop.readStock(secondLocationOnly, warehouse)).toEqual(before);
    expect(told()).toEqual(expect.arrayContaining(['location deactivated', 'location updated']));
    await fulfillAll(rig, order.id);
    expect((await readOrder(rig, order.id)).displayFulfillmentStatus).toBe('FULFILLED');
    shop.payInvoice(draft.id);
    expect(shop.readStock(secondLocationOnly, warehouse)).toMatchObject({
      reserved: 0,
      committed: 2,
      on_hand: 4,
    });
  });

  test('a closed location opens again', async () => {
    rig.sandbox.shop.setLocationActive(store, false);
    told();
    const id = rig.sandbox.shop.inventory.locationNamed(store).id;
    const { locationActivate } = await rig.data(OPEN, { id, key: newKey() });
    expect(locationActivate).toEqual({ location: { isActive: true }, locationActivateUserErrors: [] });
    expect(told()).toEqual(['location activated', 'location updated']);
    const unknown = await rig.data(OPEN, { id: 'gid://shopify/Location/1', key: newKey() });
    expect(unknown.locationActivate.locationActivateUserErrors).toEqual([{ code: 'LOCATION_NOT_FOUND' }]);
  });
});

describe('products and items', () => {
  const SHARED: Catalogue = {
    locations: SEED_CATALOGUE.locations,
    products: [
      {
        title: 'Mug',
        productType: 'Mugs',
        vendor: 'Us',
        variants: [
          {
            sku: 'MUG',
            title: 'Plain',
            options: [{ name: 'Wrap', value: 'Plain' }],
            price: '9.00',
            stock: { [warehouse]: 5 },
          },
          {
            sku: null,
            title: 'Gift',
            options: [{ name: 'Wrap', value: 'Gift' }],
            price: '11.00',
            stock: {},
            sharesItemOf: 'MUG',
          },
        ],
      },
    ],
  };

  test('variants that share an inventory item share its stock, and go one by one', async () => {
    await rig.sandbox.stop();
    await start(SHARED);
    const { shop } = rig.sandbox;
    const [plain, gift] = [...shop.inventory.variants.values()];
    expect(gift?.itemId).toBe(plain?.itemId);
    const lineItems = [plain, gift].map((variant) => ({ variantId: variant?.id, quantity: 2 }));
    const { orderCreate } = await rig.data(
      `mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order, options: { inventoryBehaviour: DECREMENT_OBEYING_POLICY }) {
        order { id } userErrors { code } } }`,
      { order: { lineItems } },
    );
    expect(orderCreate.userErrors).toEqual([]);
    expect(shop.readStock('MUG', warehouse)).toMatchObject({ available: 1, committed: 4 });
    const read = async () =>
      rig.data(
        `query($id: ID!) { inventoryItem(id: $id) { sku variants(first: 5) { nodes { title inventoryQuantity } } }
          products(first: 1) { nodes { totalInventory } } }`,
        { id: plain?.itemId },
      );
    expect(await read()).toEqual({
      inventoryItem: {
        sku: 'MUG',
        variants: {
          nodes: [
            { title: 'Plain', inventoryQuantity: 1 },
            { title: 'Gift', inventoryQuantity: 1 },
          ],
        },
      },
      products: { nodes: [{ totalInventory: 1 }] },
    });
    if (!plain) throw new Error('no variant');
    shop.productChanges.removeVariant(plain, rig.clock.nowMs);
    expect((await read()).inventoryItem.variants.nodes).toEqual([{ title: 'Gift', inventoryQuantity: 1 }]);
    shop.removeVariant('MUG');
    expect((await read()).inventoryItem).toBeNull();
  });

  test('an item that is not tracked any more keeps its numbers, and nothing is taken of it', async () => {
    const { shop } = rig.sandbox;
    const { inventoryItemId: id, variantId, productId } = idsOf(rig, scarce, warehouse);
    const UPDATE = `mutation($id: ID!, $input: InventoryItemInput!) { inventoryItemUpdate(id: $id, input: $input) {
      inventoryItem { tracked sku } userErrors { message } } }`;
    const { inventoryItemUpdate } = await rig.data(UPDATE, { id, input: { tracked: false } });
    expect(inventoryItemUpdate).toEqual({ inventoryItem: { tracked: false, sku: scarce }, userErrors: [] });
    expect(told()).toEqual(['inventory_item updated', 'product updated']);
    await createOrder(rig, { [scarce]: 9 });
    expect(shop.readStock(scarce, warehouse)).toMatchObject({ available: 3, committed: 0 });
    const VARIANTS = `mutation($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
      productVariantsBulkUpdate(productId: $productId, variants: $variants) {
        productVariants { inventoryPolicy price inventoryItem { tracked } } userErrors { code } } }`;
    const variants = [
      { id: variantId, inventoryPolicy: 'CONTINUE', price: '12.50', inventoryItem: { tracked: true } },
    ];
    const { productVariantsBulkUpdate } = await rig.data(VARIANTS, { productId, variants });
    expect(productVariantsBulkUpdate).toEqual({
      productVariants: [{ inventoryPolicy: 'CONTINUE', price: '12.50', inventoryItem: { tracked: true } }],
      userErrors: [],
    });
    await createOrder(rig, { [scarce]: 5 });
    expect(shop.readStock(scarce, warehouse)).toMatchObject({ available: -2, committed: 5 });
    const stranger = [
      { id: idsOf(rig, plentiful, warehouse).variantId, price: '1.00' },
      { id: variantId, price: '1.00' },
    ];
    const refused = await rig.data(VARIANTS, { productId, variants: stranger });
    expect(refused.productVariantsBulkUpdate.userErrors).toEqual([
      { code: 'PRODUCT_VARIANT_DOES_NOT_EXIST' },
    ]);
    expect(shop.inventory.variants.get(variantId)?.priceCents).toBe(1250);
    expect(
      (await rig.data(UPDATE, { id: 'gid://shopify/InventoryItem/1', input: {} })).inventoryItemUpdate
        .userErrors,
    ).toHaveLength(1);
  });

  test('a deleted product is gone with its variants, items and levels; orders know what they were', async () => {
    const { shop } = rig.sandbox;
    const { inventoryItemId, productId: id, variantId } = idsOf(rig, scarce, warehouse);
    const order = await createOrder(rig, { [scarce]: 2 });
    const draft = await hold(rig, scarce, 1, 60);
    const { productDelete } = await rig.data(
      'mutation($id: ID!) { productDelete(input: { id: $id }) { deletedProductId userErrors { message } } }',
      { id },
    );
    expect(productDelete).toEqual({ deletedProductId: id, userErrors: [] });
    expect(told()).toEqual(expect.arrayContaining(['inventory_item deleted', 'product deleted']));
    const read = await rig.data(
      'query($p: ID!, $v: ID!, $i: ID!) { product(id: $p) { id } productVariant(id: $v) { id } inventoryItem(id: $i) { id } }',
      { p: id, v: variantId, i: inventoryItemId },
    );
    expect(read).toEqual({ product: null, productVariant: null, inventoryItem: null });
    expect([...shop.inventory.levels.values()].some((level) => level.itemId === inventoryItemId)).toBe(false);
    rig.clock.nowMs += 61_000;
    const shipped = await fulfillAll(rig, order.id);
    expect(shipped.lineItems.nodes).toMatchObject([{ sku: scarce, variant: null, unfulfilledQuantity: 0 }]);
    shop.refund('#1001', { [scarce]: 1 }, { restock: 'RETURN', at: warehouse });
    expect((await readOrder(rig, order.id)).refunds[0].refundLineItems.nodes[0].restocked).toBe(false);
    expect(shop.draftOrders.get(draft.id)?.held).toEqual([]);
    // Numbers are not used again.
    const made = shop.addProduct({
      title: 'New',
      productType: 'Things',
      vendor: 'Us',
      variants: [{ sku: 'NEW', title: 'One', options: [], price: '1.00', stock: { [store]: 2 } }],
    });
    expect(made.id).not.toBe(id);
    expect(told()).toEqual(
      expect.arrayContaining(['product created', 'inventory_item created', 'inventory_level connected']),
    );
  });

  test('variants come and go, SKUs change, and products are published and not', async () => {
    const { shop } = rig.sandbox;
    const added = shop.addVariant(scarce, {
      sku: 'SCARF-XL',
      title: 'XL',
      options: [],
      price: '9.00',
      stock: { [store]: 1 },
    });
    expect(shop.inventory.productOfVariant(added).variantIds).toContain(added.id);
    shop.setSku('SCARF-XL', 'SCARF-XXL');
    expect(shop.readStock('SCARF-XXL', store).available).toBe(1);
    shop.removeVariant('SCARF-XXL');
    expect(() => shop.readStock('SCARF-XXL', store)).toThrow('no SKU');
    const { productId: id } = idsOf(rig, scarce, warehouse);
    const published = async () =>
      (
        await rig.data(
          'query($id: ID!) { product(id: $id) { publishedAt publishedOnCurrentPublication status } }',
          { id },
        )
      ).product;
    expect(await published()).toMatchObject({ publishedOnCurrentPublication: true, status: 'ACTIVE' });
    told();
    shop.setPublished(scarce, false);
    expect(await published()).toEqual({
      publishedAt: null,
      publishedOnCurrentPublication: false,
      status: 'ACTIVE',
    });
    expect(told()).toEqual(['product updated']);
    shop.setTracked(untracked, true);
    shop.connect(untracked, partner, 3);
    shop.setInventoryPolicy(untracked, 'CONTINUE');
    shop.disconnect(plentiful, partner);
    expect(shop.readStock(untracked, partner).available).toBe(3);
    expect(() => shop.disconnect(lastOne, warehouse)).toThrow('minimum of 1');
    expect(shop.closeLocation(partner, { to: store }).isActive).toBe(false);
    expect(shop.readStock(untracked, store).available).toBe(3);
  });
});
