/** What is sold in the live test: a product of its own, or a SKU that is there when the shop lets us make none. */

import { randomUUID } from 'node:crypto';
import { Refused, wait } from './shop.mjs';

/** On everything that the live test makes. */
export const TAG = 'holdfast-live-test';

const UNITS = 10;
const UNITS_ELSEWHERE = 4;
const APPEARS_MS = 120_000;

const ITEM_FIELDS = `id sku tracked
  variants(first: 1) { nodes { id inventoryPolicy } }
  inventoryLevels(first: 20) { nodes { id isActive updatedAt location { id name }
    quantities(names: ["available", "committed", "reserved", "on_hand"]) { name quantity } } }`;

/** Makes a product with stock, and remembers to remove it. Throws `Refused` when the shop will not have it. */
export async function makeGoods(shop, cleaning, signal) {
  const sku = `HOLDFAST-LIVE-${randomUUID().slice(0, 8).toUpperCase()}`;
  const { product } = await shop.mutate(
    `mutation Make($product: ProductCreateInput!) { productCreate(product: $product) {
      product { id variants(first: 1) { nodes { id inventoryItem { id } } } } userErrors { field message } } }`,
    { product: { title: 'Holdfast live test: please ignore', status: 'ACTIVE', tags: [TAG] } },
  );
  cleaning.add(`product ${sku}`, (quiet) =>
    quiet.mutate(
      'mutation Remove($input: ProductDeleteInput!) { productDelete(input: $input) { deletedProductId userErrors { field message } } }',
      {
        input: { id: product.id },
      },
    ),
  );
  const [variant] = product.variants.nodes;
  await shop.mutate(
    `mutation Dress($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
      productVariantsBulkUpdate(productId: $productId, variants: $variants) { productVariants { id } userErrors { field message } } }`,
    {
      productId: product.id,
      variants: [
        { id: variant.id, price: '1.00', inventoryPolicy: 'DENY', inventoryItem: { sku, tracked: true } },
      ],
    },
  );
  await stock(shop, variant.inventoryItem.id, signal);
  return await goodsOf(shop, variant.inventoryItem.id);
}

/** A new variant is stocked at the shop's first location; the units come by an adjustment. Some go to a second one, too. */
async function stock(shop, itemId, signal) {
  const until = Date.now() + APPEARS_MS;
  for (;;) {
    const { levels } = await goodsOf(shop, itemId);
    const [level] = levels;
    if (level !== undefined) {
      await adjust(shop, itemId, level.location_id, UNITS);
      return await stockElsewhere(shop, itemId, level.location_id);
    }
    if (Date.now() > until) throw new Error('The new product got no stock level.');
    await wait(1_000, signal);
  }
}

/** Where the shop has a second location that sells online: only then can it be seen which of them a draft takes units from. */
async function stockElsewhere(shop, itemId, locationId) {
  const { locations } = await shop.data('{ locations(first: 20) { nodes { id fulfillsOnlineOrders } } }');
  const other = locations.nodes.find((place) => place.fulfillsOnlineOrders && place.id !== locationId);
  if (other === undefined) return;
  await shop.mutate(
    `mutation Stock($itemId: ID!, $locationId: ID!, $available: Int!, $key: String!) {
      inventoryActivate(inventoryItemId: $itemId, locationId: $locationId, available: $available) @idempotent(key: $key) {
        userErrors { field message } } }`,
    { itemId, locationId: other.id, available: UNITS_ELSEWHERE, key: randomUUID() },
  );
}

export async function adjust(shop, itemId, locationId, delta) {
  await shop.mutate(
    `mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
      inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { field message code } } }`,
    {
      key: randomUUID(),
      input: {
        reason: 'correction',
        name: 'available',
        referenceDocumentUri: 'gid://holdfast/LiveTest/1',
        changes: [{ inventoryItemId: itemId, locationId, delta, changeFromQuantity: null }],
      },
    },
  );
}

/** By SKU, exactly. Throws when the shop has none, or can't count it. */
export async function findGoods(shop, sku) {
  const { inventoryItems } = await shop.data(
    'query Find($query: String!) { inventoryItems(first: 10, query: $query) { nodes { id sku } } }',
    {
      query: `sku:"${sku.replace(/[\\"]/g, '\\$&')}"`,
    },
  );
  const found = inventoryItems.nodes.find((item) => item.sku === sku);
  if (found === undefined) throw new Error(`The shop has no SKU ${sku}: set LIVE_SKU to one that it has.`);
  const goods = await goodsOf(shop, found.id);
  const units = Math.max(0, ...goods.levels.map(({ available }) => available));
  if (units < 3) throw new Error(`${sku} has ${units} units at one place: the live test wants 3 at least.`);
  return goods;
}

export async function goodsOf(shop, itemId) {
  const { inventoryItem: item } = await shop.data(
    `query Goods($id: ID!) { inventoryItem(id: $id) { ${ITEM_FIELDS} } }`,
    { id: itemId },
  );
  const variant = item?.variants?.nodes[0];
  if (variant === undefined) throw new Refused([{ message: 'the item has no variant' }]);
  return {
    itemId: item.id,
    sku: item.sku,
    variantId: variant.id,
    policy: variant.inventoryPolicy,
    levels: item.inventoryLevels.nodes
      .filter(({ isActive }) => isActive)
      .map(({ updatedAt, location, quantities }) => ({
        location_id: location.id,
        location: location.name,
        updated_at: updatedAt,
        ...Object.fromEntries(quantities.map(({ name, quantity }) => [name, quantity])),
      })),
  };
}

/** How each level differs between two looks: `{ location_id, location, available, committed, … }`, differences only. */
export function changesBetween(before, after) {
  return after.levels.flatMap((level) => {
    const was = before.levels.find(({ location_id }) => location_id === level.location_id);
    const names = ['available', 'committed', 'reserved', 'on_hand'];
    const moved = names
      .map((name) => [name, (level[name] ?? 0) - (was?.[name] ?? 0)])
      .filter(([, by]) => by !== 0);
    return moved.length === 0
      ? []
      : [{ location_id: level.location_id, location: level.location, ...Object.fromEntries(moved) }];
  });
}

/** Looks until `done` is content; answers with the look and how long it took, or null when the time is over. */
export async function watch(shop, itemId, { done, max_ms, every_ms, signal }) {
  const began = Date.now();
  for (;;) {
    const goods = await goodsOf(shop, itemId);
    if (done(goods)) return { goods, took_ms: Date.now() - began };
    if (Date.now() - began > max_ms) return null;
    await wait(every_ms, signal);
  }
}
