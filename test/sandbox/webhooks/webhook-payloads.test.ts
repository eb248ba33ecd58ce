/** Payloads against Shopify's own samples: the same keys, and the shop's own values behind them. */

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../src/sandbox/base/catalogue.js';
import { jsonText, pickFields } from '../../../src/sandbox/base/json-text.js';
import { isoAtShop } from '../../../src/sandbox/base/time.js';
import { TOPICS } from '../../../src/sandbox/shop/webhook-topics.js';
import { COMPLETE, DELETE, hold, type Json, type Rig, startRig } from '../sandbox-client.js';
import { passDelivering, subscribe, WebhookListener } from './webhook-listener.js';

const SKU = SEED_SKUS.plentiful;
const HERE = SEED_LOCATIONS.warehouse;
const THERE = SEED_LOCATIONS.store;
/** The pause in which changes are merged, and a bit. */
const WINDOW_MS = 2_000;

let rig: Rig;
let listener: WebhookListener;

beforeEach(async () => {
  listener = await WebhookListener.start();
  rig = await startRig({ throttle: false });
  await subscribe(rig, Object.keys(TOPICS), listener.uri);
});
afterEach(async () => {
  await rig.sandbox.stop();
  await listener.stop();
});

/** What came of that topic since the last question, oldest first. */
async function told(wire: string): Promise<Json[]> {
  await passDelivering(rig, WINDOW_MS);
  return listener.received
    .filter(({ headers }) => headers['x-shopify-topic'] === wire)
    .map(({ json }) => json);
}

async function topicsSince(work: () => unknown): Promise<string[]> {
  await passDelivering(rig, WINDOW_MS);
  listener.received.length = 0;
  await work();
  await passDelivering(rig, WINDOW_MS);
  return listener.topics().map(String).sort();
}

function sample(wire: string): Json {
  const url = new URL(
    `../../sources/shopify/webhook-samples/${wire.replace('/', '.')}.json`,
    import.meta.url,
  );
  return JSON.parse(readFileSync(url, 'utf8')).response;
}

/** Where the sandbox has an empty value, or Shopify's sample has, there is nothing to compare inside. */
function expectSameKeys(own: Json, official: Json, path: string): void {
  if (Array.isArray(own) && Array.isArray(official)) {
    if (own.length > 0 && official.length > 0) expectSameKeys(own[0], official[0], `${path}[]`);
    return;
  }
  const areObjects = [own, official].every((value) => typeof value === 'object' && value !== null);
  if (!areObjects || Array.isArray(own) || Array.isArray(official)) return;
  if (Object.keys(own).length === 0 || Object.keys(official).length === 0) return;
  expect(Object.keys(own).sort(), path).toEqual(Object.keys(official).sort());
  for (const key of Object.keys(own)) expectSameKeys(own[key], official[key], `${path}.${key}`);
}

async function expectLikeSample(wire: string): Promise<Json> {
  const [own] = await told(wire);
  expect(own, wire).toBeDefined();
  expectSameKeys(own, sample(wire), wire);
  return own;
}

describe('the catalogue', () => {
  test('a change of stock is told as level and as product, in the shape of the samples', async () => {
    rig.sandbox.shop.receive(SKU, HERE, 3);
    const level = await expectLikeSample('inventory_levels/update');
    expect(level.available).toBe(rig.sandbox.shop.readStock(SKU, HERE).available);
    expect(level.updated_at).toBe('2026-11-23T13:00:00+01:00');
    const product = await expectLikeSample('products/update');
    expect(product.variants[0]).toMatchObject({
      inventory_quantity: expect.any(Number),
      sku: expect.any(String),
    });
    expect(product.variant_gids).toHaveLength(product.variants.length);
  });

  test('products, items and levels come and go', async () => {
    const { shop } = rig.sandbox;
    const entry = {
      title: 'Felt Hat',
      productType: 'Hats',
      vendor: 'Us',
      variants: [
        {
          sku: 'HAT',
          title: 'One',
          options: [{ name: 'Size', value: 'One' }],
          price: '20.00',
          stock: { [HERE]: 2 },
        },
      ],
    };
    shop.addProduct(entry);
    await expectLikeSample('products/create');
    await expectLikeSample('inventory_items/create');
    shop.setTracked('HAT', false);
    expect((await expectLikeSample('inventory_items/update')).tracked).toBe(false);
    shop.setTracked('HAT', true);
    shop.connect('HAT', THERE, 0);
    await expectLikeSample('inventory_levels/connect');
    shop.disconnect('HAT', THERE);
    await expectLikeSample('inventory_levels/disconnect');
    shop.deleteProduct('HAT');
    await expectLikeSample('products/delete');
    await expectLikeSample('inventory_items/delete');
  });

  test('an untracked item has no available units to tell of', async () => {
    const { shop } = rig.sandbox;
    shop.setTracked(SKU, false);
    await told('inventory_levels/update');
    listener.received.length = 0;
    shop.receive(SKU, HERE, 1);
    expect((await told('inventory_levels/update')).map(({ available }) => available)).toEqual([null]);
  });

  test('locations are told of when they close and open', async () => {
    rig.sandbox.shop.setLocationActive(THERE, false);
    expect((await expectLikeSample('locations/deactivate')).active).toBe(false);
    await expectLikeSample('locations/update');
    rig.sandbox.shop.setLocationActive(THERE, true);
    expect((await expectLikeSample('locations/activate')).active).toBe(true);
  });
});

describe('orders', () => {
  test('a draft order lives from create to delete', async () => {
    const draft = await hold(rig, SKU, 2, 600, { tags: ['si-1', 'agent-hold'] });
    expect((await expectLikeSample('draft_orders/create')).tags).toBe('si-1, agent-hold');
    await rig.data(DELETE, { input: { id: draft.id } });
    expect(await expectLikeSample('draft_orders/delete')).toEqual({
      id: Number(draft.id.split('/').at(-1)),
    });
  });

  test('completing a hold tells of order, payment and draft, but of no level: nothing that shows has moved', async () => {
    const draft = await hold(rig, SKU, 2, 600);
    const topics = await topicsSince(() => rig.data(COMPLETE, { id: draft.id }));
    expect(topics).toEqual(['draft_orders/update', 'orders/create', 'orders/paid', 'products/update']);
  });

  test('an order is told of from its creation to its return', async () => {
    const { shop } = rig.sandbox;
    const { name } = shop.sell(SKU, 3);
    const created = await expectLikeSample('orders/create');
    expect(created).toMatchObject({ name, financial_status: 'paid', fulfillment_status: null });
    await expectLikeSample('orders/paid');
    shop.fulfil(name, { [SKU]: 1 });
    expect((await expectLikeSample('orders/partially_fulfilled')).fulfillment_status).toBe('partial');
    await expectLikeSample('fulfillments/create');
    shop.fulfil(name);
    expect((await expectLikeSample('orders/fulfilled')).fulfillment_status).toBe('fulfilled');
    const back = shop.returnUnits(name, { [SKU]: 1 });
    await expectLikeSample('returns/approve');
    shop.dispose(back.name, { [SKU]: 1 }, 'RESTOCKED', HERE);
    const disposed = await expectLikeSample('reverse_fulfillment_orders/dispose');
    expect(disposed.dispositions).toMatchObject([{ type: 'restocked', quantity: 1 }]);
    shop.closeReturn(back.name);
    expect((await expectLikeSample('returns/close')).status).toBe('closed');
    shop.reopenReturn(back.name);
    expect((await expectLikeSample('returns/reopen')).status).toBe('open');
    expect((await told('orders/updated')).length).toBeGreaterThan(0);
  });

  test('a cancellation and an edit are told of', async () => {
    const { shop } = rig.sandbox;
    const edited = shop.sell(SKU, 3);
    shop.edit(edited.name, { [SKU]: 2 });
    const { order_edit } = await expectLikeSample('orders/edited');
    expect(order_edit.line_items.removals).toMatchObject([{ delta: 1 }]);
    const cancelled = shop.sell(SKU, 1);
    shop.cancel(cancelled.name, { restock: true });
    expect((await expectLikeSample('orders/cancelled')).cancelled_at).not.toBeNull();
    await expectLikeSample('refunds/create');
  });
});

describe('JSON', () => {
  test('keeps integers of any size, and escapes as JSON does', () => {
    const text = jsonText({ id: 271_878_346_596_884_015n, list: [1, null, 'ä"\n'], inner: { yes: true } });
    expect(text).toBe('{"id":271878346596884015,"list":[1,null,"ä\\"\\n"],"inner":{"yes":true}}');
  });

  test('keeps what was picked, inside objects and lists too', () => {
    const object = {
      id: 1n,
      name: 'x',
      lines: [
        { id: 2n, sku: 'A' },
        { id: 3n, sku: 'B' },
      ],
      deep: { a: 1, b: 2 },
    };
    expect(pickFields(object, ['id', 'lines.sku', 'deep.b', 'absent'])).toEqual({
      id: 1n,
      lines: [{ sku: 'A' }, { sku: 'B' }],
      deep: { b: 2 },
    });
  });
});

test('times are those of the clock on the shop’s wall', () => {
  expect(isoAtShop(Date.parse('2026-11-23T12:00:00.999Z'))).toBe('2026-11-23T13:00:00+01:00');
  expect(isoAtShop(Date.parse('2026-07-01T22:30:00Z'))).toBe('2026-07-02T00:30:00+02:00');
});
