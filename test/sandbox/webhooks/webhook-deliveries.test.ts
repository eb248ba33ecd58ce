import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../src/sandbox/base/catalogue.js';
import { type SandboxOptions, SandboxServer } from '../../../src/sandbox/server.js';
import { RETRY_DELAYS_MS } from '../../../src/sandbox/webhooks/webhook-deliveries.js';
import { type Json, post, type Rig, START_MS, startRig } from '../sandbox-client.js';
import { isSigned, passDelivering, subscribe, WebhookListener } from './webhook-listener.js';

const SKU = SEED_SKUS.plentiful;
const HERE = SEED_LOCATIONS.warehouse;
const LEVELS = 'INVENTORY_LEVELS_UPDATE';
const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;

let rig: Rig;
let listener: WebhookListener;

async function open(options: SandboxOptions = {}): Promise<void> {
  await rig?.sandbox.stop();
  rig = await startRig({ seed: 7, ...options });
}

beforeEach(async () => {
  listener = await WebhookListener.start();
  await open();
});
afterEach(async () => {
  await rig.sandbox.stop();
  await listener.stop();
});

const receive = (units = 1) => rig.sandbox.shop.receive(SKU, HERE, units);
const counts = () => rig.sandbox.webhooks.counts;
const deliver = () => rig.sandbox.webhooks.deliverDue();
const header = (name: string) => listener.received.map(({ headers }) => headers[name]);
const availables = () => listener.received.map(({ json }) => json.available);

describe('a delivery', () => {
  test('is a POST of exact bytes, signed, with the classic headers', async () => {
    await subscribe(rig, [LEVELS], listener.uri, { name: 'levels' });
    receive();
    await passDelivering(rig, SECOND_MS);
    expect(listener.received).toHaveLength(1);
    const [received] = listener.received;
    if (!received) throw new Error('nothing came');
    expect(isSigned(received)).toBe(true);
    expect(isSigned(received, 'another')).toBe(false);
    expect(received.headers).toMatchObject({
      'content-type': 'application/json',
      'x-shopify-topic': 'inventory_levels/update',
      'x-shopify-shop-domain': 'sandbox.myshopify.com',
      'x-shopify-api-version': '2026-10',
      'x-shopify-triggered-at': '2026-11-23T12:00:00.000Z',
      'x-shopify-name': 'levels',
    });
    expect(received.headers['x-shopify-webhook-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/u);
    const { itemId } = rig.sandbox.shop.inventory.variantOfSku(SKU);
    const number = itemId.split('/').at(-1);
    expect(Number.isSafeInteger(Number(number))).toBe(false);
    expect(received.body).toContain(`{"inventory_item_id":${number},"location_id":`);
  });

  test('comes in the header family of Events when asked to', async () => {
    await open({ webhooks: { headers: 'events' } });
    await subscribe(rig, [LEVELS], listener.uri, { name: 'levels' });
    receive();
    await passDelivering(rig, SECOND_MS);
    const [received] = listener.received;
    if (!received) throw new Error('nothing came');
    expect(isSigned(received)).toBe(true);
    expect(received.headers).toMatchObject({
      'shopify-topic': 'inventory_levels/update',
      'shopify-handle': 'levels',
      'shopify-action': 'update',
      'shopify-shop-domain': 'sandbox.myshopify.com',
    });
    expect(Object.keys(received.headers).filter((name) => name.startsWith('x-shopify'))).toEqual([]);
  });

  test('has an id of its own, and the event id of its action', async () => {
    await subscribe(rig, [LEVELS, 'PRODUCTS_UPDATE', 'ORDERS_CREATE', 'ORDERS_PAID'], listener.uri);
    rig.sandbox.shop.sell(SKU, 1);
    rig.clock.nowMs += SECOND_MS;
    rig.sandbox.shop.sell(SEED_SKUS.scarce, 1);
    await passDelivering(rig, 2 * SECOND_MS);
    expect(new Set(header('x-shopify-webhook-id')).size).toBe(8);
    expect(new Set(header('x-shopify-event-id')).size).toBe(2);
    expect(listener.topics().sort()).toEqual(
      ['inventory_levels/update', 'orders/create', 'orders/paid', 'products/update'].flatMap((one) => [
        one,
        one,
      ]),
    );
  });

  test('goes to every address of the topic, and to nobody who asked for another one', async () => {
    await subscribe(rig, [LEVELS], `${listener.uri}/1`);
    await subscribe(rig, [LEVELS], `${listener.uri}/2`);
    await subscribe(rig, ['PRODUCTS_DELETE'], `${listener.uri}/3`);
    receive();
    await passDelivering(rig, SECOND_MS);
    expect(rig.sandbox.webhooks.attempts().map(({ uri }) => uri)).toEqual([
      `${listener.uri}/1`,
      `${listener.uri}/2`,
    ]);
  });

  test('says how things are when it is sent, not when it was caused', async () => {
    await subscribe(rig, [LEVELS], listener.uri);
    const before = rig.sandbox.shop.readStock(SKU, HERE).available;
    receive(5);
    receive(-5);
    await passDelivering(rig, SECOND_MS);
    expect(availables()).toEqual([before]);
  });

  test('is not made for what is gone by then, nor for a subscription that is', async () => {
    const [id] = await subscribe(rig, [LEVELS], listener.uri);
    receive();
    rig.sandbox.shop.webhookSubscriptions.delete(id ?? '');
    await passDelivering(rig, SECOND_MS);
    expect(listener.received).toEqual([]);
    expect(counts()).toMatchObject({ caused: 1, dropped: 1, delivered: 0 });
  });

  test('keeps to the fields that were asked for, and drops a repetition without a time', async () => {
    const includeFields = ['available', 'admin_graphql_api_id'];
    await subscribe(rig, [LEVELS], listener.uri, { includeFields });
    const before = rig.sandbox.shop.readStock(SKU, HERE).available;
    for (const units of [1, -1, 1, 0]) {
      if (units !== 0) receive(units);
      else {
        receive(1);
        receive(-1);
      }
      await passDelivering(rig, 2 * SECOND_MS);
    }
    expect(availables()).toEqual([before + 1, before, before + 1]);
    expect(Object.keys(listener.received[0]?.json)).toEqual(includeFields);
    expect(counts()).toMatchObject({ dropped: 1 });
  });
});

describe('merging', () => {
  test('rapid changes of one thing are told of once, those of two things twice', async () => {
    await subscribe(rig, [LEVELS], listener.uri);
    for (let change = 0; change < 5; change += 1) receive();
    rig.sandbox.shop.receive(SEED_SKUS.scarce, HERE, 1);
    await passDelivering(rig, SECOND_MS);
    receive();
    await passDelivering(rig, SECOND_MS);
    expect(listener.received).toHaveLength(3);
    expect(counts()).toMatchObject({ caused: 7, merged: 4, delivered: 3 });
  });

  test('what happened is never merged: two orders are two messages', async () => {
    await subscribe(rig, ['ORDERS_CREATE'], listener.uri);
    rig.sandbox.shop.sell(SKU, 1);
    rig.sandbox.shop.sell(SKU, 1);
    await deliver();
    expect(listener.received).toHaveLength(2);
  });

  test('a window of nothing sends at once', async () => {
    await open({ webhooks: { mergeWindowMs: 0 } });
    await subscribe(rig, [LEVELS], listener.uri);
    receive();
    await deliver();
    expect(listener.received).toHaveLength(1);
  });
});

test('what was not sent when the shop stopped goes out when it runs again', async () => {
  await subscribe(rig, ['ORDERS_CREATE'], listener.uri);
  for (let sale = 0; sale < 5; sale += 1) rig.sandbox.shop.sell(SKU, 1);
  let stopping: Promise<void> | null = null;
  listener.answer = () => {
    stopping ??= rig.sandbox.stop();
    return 200;
  };
  await deliver();
  await stopping;
  expect(listener.received).toHaveLength(1);
  await rig.sandbox.start();
  await deliver();
  expect(listener.received.map(({ json }) => json.name)).toEqual([
    '#1001',
    '#1002',
    '#1003',
    '#1004',
    '#1005',
  ]);
});

describe('a delivery that fails', () => {
  test.each<[string, number | 'cut' | 'silence', object]>([
    ['an error', 500, { status: 500 }],
    ['a redirect', 302, { status: 302 }],
    ['a cut connection', 'cut', { failure: 'ECONNRESET' }],
    ['silence', 'silence', { failure: 'no answer in 50 ms' }],
  ])(
    'because of %s is sent again: same id, same bytes, though the stock has changed',
    async (_name, answer, outcome) => {
      if (answer === 'silence') await open({ webhooks: { totalLimitMs: 50 } });
      await subscribe(rig, [LEVELS], listener.uri);
      listener.answer = () => (listener.received.length === 1 ? answer : 200);
      receive();
      await passDelivering(rig, 2 * SECOND_MS);
      expect(rig.sandbox.webhooks.attempts()[0]).toMatchObject({ number: 1, outcome });
      rig.sandbox.webhooks.setFaults({ lost: 1 });
      receive();
      await passDelivering(rig, 20 * SECOND_MS);
      expect(listener.received).toHaveLength(2);
      expect(new Set(header('x-shopify-webhook-id')).size).toBe(1);
      expect(listener.received[1]?.body).toBe(listener.received[0]?.body);
      expect(counts()).toMatchObject({ delivered: 1, failed: 1, givenUp: 0 });
    },
  );

  test('because nobody listens is an outcome, not an error', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, '127.0.0.1', resolve);
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await subscribe(rig, [LEVELS], `http://127.0.0.1:${port}/`);
    receive();
    await passDelivering(rig, SECOND_MS);
    expect(rig.sandbox.webhooks.attempts()[0]?.outcome).toEqual({ failure: 'ECONNREFUSED' });
  });

  test('is retried eight times over four hours, and then the subscription is removed', async () => {
    expect(RETRY_DELAYS_MS).toHaveLength(8);
    expect(RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0)).toBe(4 * HOUR_MS);
    const [id] = await subscribe(rig, [LEVELS], listener.uri);
    listener.answer = () => 503;
    receive();
    await passDelivering(rig, 4 * HOUR_MS);
    expect(listener.received).toHaveLength(8);
    expect(rig.sandbox.shop.webhookSubscriptions.get(id ?? '')).toBeDefined();
    await passDelivering(rig, 2 * SECOND_MS);
    expect(listener.received).toHaveLength(9);
    expect(rig.sandbox.shop.webhookSubscriptions.get(id ?? '')).toBeUndefined();
    expect(counts()).toMatchObject({ failed: 9, givenUp: 1, removedSubscriptions: 1 });
  });

  test('leaves the subscription where something else got through meanwhile', async () => {
    const [id] = await subscribe(rig, [LEVELS], listener.uri);
    const refused = rig.sandbox.shop.inventory.variantOfSku(SKU).itemId.split('/').at(-1) ?? '';
    listener.answer = ({ body }) => (body.includes(refused) ? 500 : 200);
    receive();
    rig.sandbox.shop.receive(SEED_SKUS.scarce, HERE, 1);
    await passDelivering(rig, 5 * HOUR_MS);
    expect(counts()).toMatchObject({ givenUp: 1, delivered: 1, removedSubscriptions: 0 });
    expect(rig.sandbox.shop.webhookSubscriptions.get(id ?? '')).toBeDefined();
  });

  test('goes on to the address of the moment when it was caused', async () => {
    const [id] = await subscribe(rig, [LEVELS], listener.uri);
    listener.answer = () => 500;
    receive();
    await passDelivering(rig, SECOND_MS);
    rig.sandbox.shop.webhookSubscriptions.update(id ?? '', { uri: `${listener.uri}/new` }, rig.clock.nowMs);
    await passDelivering(rig, 60 * SECOND_MS);
    const uris = new Set(rig.sandbox.webhooks.attempts().map(({ uri }) => uri));
    expect([...uris]).toEqual([listener.uri]);
  });
});

describe('webhook faults', () => {
  const SALES = 400;

  /** Many sales, a second apart, each told of to the listener, with everything that is late let through at the end. */
  async function sell(
    faults: NonNullable<SandboxOptions['webhooks']>['faults'],
    seed = 7,
  ): Promise<string[]> {
    await open({ seed, throttle: false, webhooks: { ...(faults ? { faults } : {}) } });
    listener.received.length = 0;
    await subscribe(rig, ['ORDERS_CREATE'], listener.uri);
    for (let sale = 0; sale < SALES; sale += 1) {
      rig.sandbox.shop.sell(SKU, 1);
      await passDelivering(rig, SECOND_MS);
    }
    await passDelivering(rig, 48 * HOUR_MS);
    return listener.received.map(({ json }) => json.name);
  }

  test('a share of the messages is lost', async () => {
    const names = await sell({ lost: 0.2 });
    expect(names.length).toBe(SALES - counts().lost);
    expect(counts().lost).toBeGreaterThan(SALES * 0.1);
    expect(counts().lost).toBeLessThan(SALES * 0.3);
  });

  test('a share comes twice, with the same delivery id and the same bytes', async () => {
    const names = await sell({ doubled: 0.2 });
    expect(counts().doubled).toBeGreaterThan(SALES * 0.1);
    expect(names.length).toBe(SALES + counts().doubled);
    expect(new Set(names).size).toBe(SALES);
    expect(new Set(header('x-shopify-webhook-id')).size).toBe(SALES);
    expect(new Set(listener.received.map(({ body }) => body)).size).toBe(SALES);
  });

  test('a share is overtaken', async () => {
    const names = await sell({ reordered: 0.3, reorderedWithinMs: 5 * SECOND_MS });
    expect(new Set(names).size).toBe(SALES);
    const overtaken = names.filter((name, index) => names.slice(0, index).some((other) => other > name));
    expect(overtaken.length).toBeGreaterThan(SALES * 0.1);
  });

  test('a share is late, by hours', async () => {
    await sell({ late: 0.1, lateByMs: 10 * HOUR_MS });
    const delaysMs = rig.sandbox.webhooks
      .attempts()
      .map(({ atMs, body }) => atMs - Date.parse(JSON.parse(body).created_at));
    expect(delaysMs).toHaveLength(SALES);
    expect(Math.max(...delaysMs)).toBeGreaterThan(5 * HOUR_MS);
    expect(delaysMs.filter((ms) => ms > SECOND_MS).length).toBe(counts().late);
  });

  test('a share waits longer and swallows what comes meanwhile', async () => {
    await open({ webhooks: { faults: { merged: 1, mergedWithinMs: 10 * SECOND_MS } } });
    await subscribe(rig, [LEVELS], listener.uri);
    for (let change = 0; change < 5; change += 1) {
      receive();
      await passDelivering(rig, 2 * SECOND_MS);
    }
    await passDelivering(rig, 10 * SECOND_MS);
    expect(listener.received).toHaveLength(1);
    expect(counts()).toMatchObject({ caused: 5, merged: 4 });
  });

  test('equal seeds do equal things, other seeds do others', async () => {
    const faults = { lost: 0.1, doubled: 0.1, reordered: 0.2, late: 0.05 };
    const first = await sell(faults);
    expect(await sell(faults)).toEqual(first);
    expect(await sell(faults, 8)).not.toEqual(first);
  });
});

describe('the app and the shop', () => {
  test('removing the app is told of last, then nothing works until it is installed again', async () => {
    await subscribe(rig, ['APP_UNINSTALLED', LEVELS], listener.uri);
    rig.sandbox.uninstallApp();
    receive();
    await passDelivering(rig, 2 * SECOND_MS);
    expect(listener.topics()).toEqual(['app/uninstalled']);
    expect(listener.received[0]?.json).toMatchObject({ myshopify_domain: 'sandbox.myshopify.com' });
    expect((await post(rig.origin, '{"query":"{ shop { name } }"}')).status).toBe(401);
    const token = await fetch(`${rig.origin}/admin/oauth/access_token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: 'sandbox',
        client_secret: 'sandbox',
        grant_type: 'client_credentials',
      }),
    });
    expect([token.status, await token.json()]).toMatchObject([400, { error: 'app_not_installed' }]);
    rig.sandbox.installApp();
    expect(await rig.data('{ webhookSubscriptions(first: 5) { nodes { id } } }')).toEqual({
      webhookSubscriptions: { nodes: [] },
    });
  });

  test('other scopes are told of, and hold from then on', async () => {
    await subscribe(rig, ['APP_SCOPES_UPDATE'], listener.uri);
    rig.sandbox.grantScopes(['read_products']);
    await deliver();
    expect(listener.received[0]?.json).toMatchObject({
      shop_id: 'gid://shopify/Shop/68817911977',
      current: ['read_products'],
      updated_at: '2026-11-23T12:00:00.000Z',
    });
    const answer = await rig.graphql('{ locations(first: 1) { nodes { id } } }');
    expect(answer.errors[0].extensions.code).toBe('ACCESS_DENIED');
  });

  test('another name of the shop is told of', async () => {
    await subscribe(rig, ['SHOP_UPDATE'], listener.uri);
    rig.sandbox.shop.rename('Alster');
    await passDelivering(rig, SECOND_MS);
    expect(listener.received[0]?.json).toMatchObject({ id: 68_817_911_977, name: 'Alster' });
    expect(await rig.data('{ shop { name updatedAt } }')).toEqual({
      shop: { name: 'Alster', updatedAt: '2026-11-23T12:00:00Z' },
    });
  });
});

describe('on a real clock', () => {
  test('webhooks go out by themselves', async () => {
    const real = new SandboxServer({ webhooks: { mergeWindowMs: 0 } });
    const { origin } = await real.start();
    const arrived = new Promise<void>((resolve) => {
      listener.answer = () => {
        resolve();
        return 200;
      };
    });
    const graphql = async (query: string, variables: object): Promise<Json> =>
      (await post(origin, JSON.stringify({ query, variables }))).json();
    await subscribe(
      { ...rig, data: async (query, variables = {}) => (await graphql(query, variables)).data },
      [LEVELS],
      listener.uri,
    );
    real.shop.receive(SKU, HERE, 1);
    await arrived;
    await real.stop();
    expect(listener.topics()).toEqual(['inventory_levels/update']);
  });

  test('the door tells how deliveries stand, and sends what is due', async () => {
    await subscribe(rig, [LEVELS], listener.uri);
    receive();
    const door = `${rig.origin}/sandbox/webhooks`;
    expect(await (await fetch(door)).json()).toMatchObject({
      counts: { caused: 1, delivered: 0 },
      waiting: 1,
      nextDueMs: START_MS + SECOND_MS,
      seed: 7,
    });
    rig.clock.nowMs += SECOND_MS;
    const sent = await fetch(door, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    expect(await sent.json()).toMatchObject({ counts: { delivered: 1 }, waiting: 0, nextDueMs: null });
  });
});
