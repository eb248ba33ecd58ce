import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Catalogue,
  SEED_CATALOGUE,
  SEED_LOCATIONS,
  SEED_SKUS,
} from '../../../src/sandbox/base/catalogue.js';
import { COMPLETE, hold, idsOf, type Json, type Rig, startRig } from '../sandbox-client.js';

const { warehouse, store, partner } = SEED_LOCATIONS;

describe('of the seed', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.sandbox.stop());

  test('a connector finds everything it asks of a variant in one document', async () => {
    const { productVariants } = await rig.data(
      `query($q: String) { productVariants(first: 10, query: $q) { nodes { id title sku price inventoryPolicy
         product { title status } inventoryItem { id tracked inventoryLevels(first: 10) { nodes {
           location { name } updatedAt quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } } } }`,
      { q: `sku:'${SEED_SKUS.mixedStates}'` },
    );
    expect(productVariants.nodes).toEqual([
      {
        id: expect.stringMatching(/^gid:\/\/shopify\/ProductVariant\/\d{14}$/),
        title: 'White / M',
        sku: SEED_SKUS.mixedStates,
        price: '25.00',
        inventoryPolicy: 'DENY',
        product: { title: 'Cotton Tee', status: 'ACTIVE' },
        inventoryItem: {
          id: expect.stringMatching(/^gid:\/\/shopify\/InventoryItem\/\d{18}$/),
          tracked: true,
          inventoryLevels: {
            nodes: [level(warehouse, 80, 91, 4), level(store, 20, 20, 0), level(partner, 60, 60, 0)],
          },
        },
      },
    ]);
  });

  test('the special SKUs are what their documentation says', async () => {
    const { productVariants } = await rig.data(
      `{ productVariants(first: 250) { nodes { sku inventoryPolicy product { status }
           inventoryItem { tracked inventoryLevels(first: 10) { nodes { location { name }
             quantities(names: ["available"]) { quantity } } } } } } }`,
    );
    const bySku = new Map<string, Json>(productVariants.nodes.map((node: Json) => [node.sku, node]));
    expect(bySku.size).toBe(61);
    const units = (sku: string) =>
      Object.fromEntries(
        bySku
          .get(sku)
          .inventoryItem.inventoryLevels.nodes.map((node: Json) => [
            node.location.name,
            node.quantities[0].quantity,
          ]),
      );
    expect(Object.values(SEED_SKUS).filter((sku) => !bySku.has(sku))).toEqual([]);
    expect(units(SEED_SKUS.plentiful)).toEqual({ [warehouse]: 40, [store]: 8, [partner]: 20 });
    expect(units(SEED_SKUS.secondLocationOnly)).toEqual({ [store]: 5 });
    expect(units(SEED_SKUS.scarce)).toEqual({ [warehouse]: 3 });
    expect(units(SEED_SKUS.lastOne)).toEqual({ [warehouse]: 1 });
    expect(bySku.get(SEED_SKUS.discontinued).product.status).toBe('ARCHIVED');
    expect(units(SEED_SKUS.discontinued)).toEqual({ [warehouse]: 7, [store]: 2 });
    expect(bySku.get(SEED_SKUS.untracked).inventoryItem.tracked).toBe(false);
    expect(bySku.get(SEED_SKUS.backorder).inventoryPolicy).toBe('CONTINUE');
  });

  test('ids are the same on every start, and inventory item ids do not survive a JS number', async () => {
    const other = await startRig();
    const query = '{ inventoryItems(first: 250) { nodes { id legacyResourceId } } }';
    const { inventoryItems } = await rig.data(query);
    expect((await other.data(query)).inventoryItems).toEqual(inventoryItems);
    await other.sandbox.stop();
    const rounded = new Set(
      inventoryItems.nodes.map(({ legacyResourceId }: Json) => Number(legacyResourceId)),
    );
    expect(rounded.size).toBeLessThan(inventoryItems.nodes.length);
  });

  test('nodes answers in order, with null for what is unknown', async () => {
    const { inventoryItemId, variantId, locationId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const levelId = rig.sandbox.shop.inventory.levelAt(inventoryItemId, locationId)?.id;
    const unknown = 'gid://shopify/InventoryItem/1';
    const draft = await hold(rig, SEED_SKUS.plentiful, 1, 60);
    await rig.data(COMPLETE, { id: draft.id });
    const ids = [
      inventoryItemId,
      unknown,
      variantId,
      levelId,
      draft.id,
      [...rig.sandbox.shop.orders.all()][0]?.id,
    ];
    const { nodes } = await rig.data(
      `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on InventoryItem { sku }
         ... on InventoryLevel { quantities(names: ["available"]) { quantity } } } }`,
      { ids },
    );
    expect(nodes).toEqual([
      { __typename: 'InventoryItem', id: inventoryItemId, sku: SEED_SKUS.scarce },
      null,
      { __typename: 'ProductVariant', id: variantId },
      { __typename: 'InventoryLevel', id: levelId, quantities: [{ quantity: 3 }] },
      { __typename: 'DraftOrder', id: draft.id },
      { __typename: 'Order', id: ids[5] },
    ]);
  });

  test('an id that is not a global id is refused, and so is an unknown quantity name', async () => {
    const answer = await rig.graphql('{ inventoryItem(id: 271878346596884015) { id } }');
    expect(answer.errors[0].message).toBe("Invalid global id '271878346596884015'");
    const { inventoryItemId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const named = await rig.graphql(
      `{ inventoryItem(id: "${inventoryItemId}") { inventoryLevels(first: 1) { nodes { quantities(names: ["sellable"]) { name } } } } }`,
    );
    expect(named.errors[0].message).toContain('sellable');
  });

  test('the shop, its scopes and its locations are there; the default location is the first by priority, not by name', async () => {
    const data = await rig.data(
      `{ shop { name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName } }
         currentAppInstallation { accessScopes { handle } }
         location { name } locations(first: 5) { nodes { name isActive isPrimary } } }`,
    );
    expect(data.shop).toMatchObject({ myshopifyDomain: 'sandbox.myshopify.com', currencyCode: 'EUR' });
    expect(data.currentAppInstallation.accessScopes).toContainEqual({ handle: 'write_draft_orders' });
    expect(data.location.name).toBe(warehouse);
    expect(data.locations.nodes).toEqual([
      { name: store, isActive: true, isPrimary: false },
      { name: warehouse, isActive: true, isPrimary: true },
      { name: partner, isActive: true, isPrimary: false },
    ]);
  });

  test('a field of the schema that is not emulated says so instead of answering null', async () => {
    const answer = await rig.graphql('{ products(first: 1) { nodes { seoTitle } } }');
    expect(answer).toEqual({
      errors: [expect.objectContaining({ message: expect.stringContaining('seoTitle') })],
    });
    const other = await rig.graphql('{ products(first: 1) { nodes { templateSuffix } } }');
    expect(other.errors[0].message).toBe('the sandbox shop does not emulate Product.templateSuffix');
  });
});

describe('changes', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig();
  });
  afterEach(() => rig.sandbox.stop());

  const CHANGED = `query($id: ID!, $q: String) { location(id: $id) { inventoryLevels(first: 50, query: $q, includeInactive: true) {
    nodes { item { sku } updatedAt } } } }`;

  async function changedSince(time: string) {
    const { locationId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const { location } = await rig.data(CHANGED, { id: locationId, q: `updated_at:>='${time}'` });
    return location.inventoryLevels.nodes.map((node: Json) => node.item.sku);
  }

  test('of levels are found by updated_at, in whole seconds, the bound included', async () => {
    expect(await changedSince('2026-11-23T11:59:00Z')).toEqual([]);
    rig.clock.nowMs += 10_700;
    rig.sandbox.shop.sell(SEED_SKUS.scarce, 1);
    expect(await changedSince('2026-11-23T12:00:10Z')).toEqual([SEED_SKUS.scarce]);
    expect(await changedSince('2026-11-23T12:00:11Z')).toEqual([]);
    expect(await changedSince('2026-11-23T13:00:10+01:00')).toEqual([SEED_SKUS.scarce]);
  });

  test('a lapsed hold counts as a change at the time it lapsed', async () => {
    await hold(rig, SEED_SKUS.scarce, 1, 30);
    rig.clock.nowMs += 90_000;
    expect(await changedSince('2026-11-23T12:00:30Z')).toEqual([SEED_SKUS.scarce]);
    expect(await changedSince('2026-11-23T12:00:31Z')).toEqual([]);
  });

  test('of a product show in its status, its title and its time', async () => {
    const { productId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    rig.clock.nowMs += 5_000;
    const update = `mutation($product: ProductUpdateInput!) { productUpdate(product: $product) {
      product { title status updatedAt } userErrors { field message } } }`;
    const product = { id: productId, status: 'ARCHIVED', title: 'Silk Scarf (old)' };
    expect(await rig.data(update, { product })).toEqual({
      productUpdate: {
        product: { title: 'Silk Scarf (old)', status: 'ARCHIVED', updatedAt: '2026-11-23T12:00:05Z' },
        userErrors: [],
      },
    });
    const { products } = await rig.data(
      `{ products(first: 5, query: "updated_at:>='2026-11-23T12:00:05Z' AND status:archived") { nodes { id } } }`,
    );
    expect(products.nodes).toEqual([{ id: productId }]);
    const refused = await rig.data(update, { product: { id: 'gid://shopify/Product/1', title: 'x' } });
    expect(refused.productUpdate).toEqual({
      product: null,
      userErrors: [{ field: ['id'], message: 'Product does not exist' }],
    });
  });

  test('of a location: a closed one is shown only on request, and its levels too', async () => {
    rig.sandbox.shop.setLocationActive(store, false);
    const { inventoryItemId } = idsOf(rig, SEED_SKUS.plentiful, store);
    const data = await rig.data(
      `query($id: ID!) { open: locations(first: 5) { nodes { name } }
         all: locations(first: 5, includeInactive: true) { nodes { name isActive } }
         inventoryItem(id: $id) { open: inventoryLevels(first: 5) { nodes { isActive } }
           all: inventoryLevels(first: 5, includeInactive: true) { nodes { isActive } } } }`,
      { id: inventoryItemId },
    );
    expect(data.open.nodes).toHaveLength(2);
    expect(data.all.nodes).toContainEqual({ name: store, isActive: false });
    expect(data.inventoryItem.open.nodes).toHaveLength(2);
    expect(data.inventoryItem.all.nodes).toContainEqual({ isActive: false });
  });

  test('a draft and its order are found by tag at once, or after the lag that was asked for', async () => {
    const search = `query($q: String) { draftOrders(first: 5, query: $q) { nodes { name order { name } } }
      orders(first: 5, query: $q) { nodes { name sourceName } } }`;
    const draft = await hold(rig, SEED_SKUS.scarce, 1, 60, { tags: ['agent-hold', 'si-01J9'] });
    await hold(rig, SEED_SKUS.scarce, 1, 60, { tags: ['agent-hold', 'si-01J'] });
    await rig.data(COMPLETE, { id: draft.id });
    const found = {
      draftOrders: { nodes: [{ name: '#D1', order: { name: '#1001' } }] },
      orders: { nodes: [{ name: '#1001', sourceName: 'holdfast' }] },
    };
    expect(await rig.data(search, { q: "tag:'si-01J9'" })).toEqual(found);

    const slow = await startRig({ searchLagMs: 30_000 });
    const late = await hold(slow, SEED_SKUS.scarce, 1, 60, { tags: ['si-2'] });
    const query = '{ draftOrders(first: 5, query: "tag:si-2") { nodes { id } } }';
    expect((await slow.data(query)).draftOrders.nodes).toEqual([]);
    const { draftOrder } = await slow.data(`{ draftOrder(id: "${late.id}") { id } }`);
    expect(draftOrder).toEqual({ id: late.id });
    slow.clock.nowMs += 30_000;
    expect((await slow.data(query)).draftOrders.nodes).toEqual([{ id: late.id }]);
    await slow.sandbox.stop();
  });
});

describe('pages', () => {
  test('of a catalogue of thousands hold every entry once, in order, also backwards', async () => {
    const rig = await startRig({ catalogue: bigCatalogue(1_200) });
    const query = `query($after: String, $reverse: Boolean) { productVariants(first: 250, after: $after, reverse: $reverse) {
      nodes { sku } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    for (const reverse of [false, true]) {
      const skus: string[] = [];
      let after: string | null = null;
      do {
        const { productVariants }: Json = await rig.data(query, { after, reverse });
        skus.push(...productVariants.nodes.map((node: Json) => node.sku));
        expect(productVariants.pageInfo.hasPreviousPage).toBe(after !== null);
        after = productVariants.pageInfo.hasNextPage ? productVariants.pageInfo.endCursor : null;
      } while (after !== null);
      const expected = Array.from({ length: 1_200 }, (_, index) => `SKU-${index}`);
      expect(skus).toEqual(reverse ? expected.reverse() : expected);
    }
    await rig.sandbox.stop();
  });

  test('go on at the right place when entries drop out of the search in between', async () => {
    const rig = await startRig();
    const page = (after: string | null) =>
      rig.data(
        `query($after: String) { products(first: 4, after: $after, query: "status:active") { nodes { title } pageInfo { endCursor } } }`,
        { after },
      );
    const { products: whole } = await rig.data(
      '{ products(first: 8, query: "status:active") { nodes { title } } }',
    );
    const { products: first } = await page(null);
    rig.sandbox.shop.setProductStatus('LINEN-SHIRT-WHT-M', 'ARCHIVED');
    const { products: second } = await page(first.pageInfo.endCursor);
    expect([...first.nodes, ...second.nodes]).toEqual(whole.nodes);
    await rig.sandbox.stop();
  });

  test('are refused without a size, above 250, and after a cursor that is none', async () => {
    const rig = await startRig();
    for (const [args, message] of [
      ['', 'you must provide one of first or last'],
      ['(first: 251)', 'first must be between 0 and 250, not 251'],
      ['(first: 1, after: "x")', 'invalid cursor: x'],
      ['(first: 1, query: "taste:sweet")', /does not emulate the filter "taste"/],
      ['(first: 1, sortKey: VENDOR)', /does not emulate the sort key VENDOR/],
    ] as const) {
      const answer = await rig.graphql(`{ products${args} { nodes { id } } }`);
      expect(answer.errors[0].message).toMatch(message);
    }
    await rig.sandbox.stop();
  });

  test('from the end are the last entries in their usual order', async () => {
    const rig = await startRig();
    const { products } = await rig.data(
      '{ products(last: 2) { edges { node { title } cursor } pageInfo { hasNextPage hasPreviousPage startCursor } } }',
    );
    expect(products.edges.map((edge: Json) => edge.node.title)).toEqual(
      SEED_CATALOGUE.products.slice(-2).map(({ title }) => title),
    );
    expect(products.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: true,
      startCursor: products.edges[0].cursor,
    });
    await rig.sandbox.stop();
  });
});

function level(name: string, available: number, onHand: number, committed: number) {
  return {
    location: { name },
    updatedAt: '2026-10-24T12:00:00Z',
    quantities: [
      { name: 'available', quantity: available },
      { name: 'on_hand', quantity: onHand },
      { name: 'committed', quantity: committed },
    ],
  };
}

function bigCatalogue(variants: number): Catalogue {
  const products = Array.from({ length: variants }, (_, index) => ({
    title: `Product ${index}`,
    productType: 'Things',
    vendor: 'V',
    variants: [{ sku: `SKU-${index}`, title: 'Only', options: [], price: '9.90', stock: { One: index } }],
  }));
  return { locations: [{ name: 'One', city: 'Berlin', countryCode: 'DE' }], products };
}
