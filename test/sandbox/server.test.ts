import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_SKUS } from '../../src/sandbox/base/catalogue.js';
import { type SandboxOptions, SandboxServer } from '../../src/sandbox/server.js';
import { COMPLETE, hold, newKey, post, type Rig, START_MS, startRig } from './sandbox-client.js';

const SHOP = '{ shop { name } }';
const INVALID_TOKEN = '[API] Invalid API key or access token (unrecognized login or wrong password)';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

describe('the endpoint', () => {
  test('answers the supported versions and no other, with the shop clock in the Date header', async () => {
    for (const version of ['2026-04', '2026-07', '2026-10']) {
      const response = await post(rig.origin, JSON.stringify({ query: SHOP }), {}, version);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-shopify-api-version')).toBe(version);
      expect(response.headers.get('date')).toBe('Mon, 23 Nov 2026 12:00:00 GMT');
      expect(await response.json()).toMatchObject({ data: { shop: { name: 'Sandbox Apparel' } } });
    }
    for (const version of ['2025-10', '2027-01', 'unstable']) {
      const response = await post(rig.origin, JSON.stringify({ query: SHOP }), {}, version);
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({ errors: 'Not Found' });
    }
  });

  test("refuses a wrong and a missing token in Shopify's words", async () => {
    for (const token of ['shpat_wrong', '']) {
      const response = await post(rig.origin, JSON.stringify({ query: SHOP }), {
        'X-Shopify-Access-Token': token,
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ errors: INVALID_TOKEN });
    }
  });

  test.each<[string, string, number, object]>([
    ['no JSON', '{"query":', 400, { errors: 'the body is not JSON' }],
    ['no query', '{}', 400, { errors: { query: 'Required parameter missing or invalid' } }],
    ['a list', '[]', 400, { errors: { query: 'Required parameter missing or invalid' } }],
    [
      'variables that are a list',
      `{"query":"${SHOP}","variables":[]}`,
      400,
      { errors: 'variables must be an object' },
    ],
    ['a megabyte too much', ' '.repeat(1024 * 1024 + 1), 413, { errors: 'a body has at most 1048576 bytes' }],
  ])('refuses a body with %s', async (_name, body, status, answer) => {
    const response = await post(rig.origin, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(answer);
  });

  test.each([
    ['broken syntax', '{ shop {', /Syntax Error/],
    ['an unknown field', '{ shop { colour } }', /Cannot query field "colour"/],
    [
      'an unknown operation',
      'query A { shop { name } } query B { shop { name } }',
      /operation name is required/,
    ],
  ])('answers %s with status 200 and errors, without data', async (_name, query, message) => {
    const response = await post(rig.origin, JSON.stringify({ query }));
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { errors: { message: string }[] };
    expect(answer.errors[0]?.message).toMatch(message);
    expect(answer).not.toHaveProperty('data');
  });

  test('answers variables that do not fit, and times that are none, without running anything', async () => {
    const answer = await rig.graphql('query($id: ID!) { order(id: $id) { id } }', {});
    expect(answer.errors[0].message).toContain('$id');
    expect(answer.extensions.cost.actualQueryCost).toBeNull();
    const time = await rig.graphql(
      'mutation($input: DraftOrderInput!) { draftOrderCreate(input: $input) { draftOrder { id } } }',
      { input: { reserveInventoryUntil: 'soon' } },
    );
    expect(time.errors[0].message).toContain('not an ISO 8601 time: "soon"');
  });

  test('takes application/graphql as well, and wants POST', async () => {
    const response = await post(rig.origin, SHOP, { 'Content-Type': 'application/graphql' });
    expect(await response.json()).toMatchObject({ data: { shop: { name: 'Sandbox Apparel' } } });
    const wrong = await fetch(`${rig.origin}/admin/api/2026-10/graphql.json`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('reports cost that grows with the page, and a bucket that empties and refills', async () => {
    const cost = async (query: string) => (await rig.graphql(query)).extensions.cost;
    const locations = await cost('{ locations(first: 250) { nodes { id name } } }');
    expect(locations.requestedQueryCost).toBe(13);
    expect(locations.actualQueryCost).toBeLessThan(13);
    const { inventoryItemId } = {
      inventoryItemId: rig.sandbox.shop.inventory.variantOfSku(SEED_SKUS.scarce).itemId,
    };
    const levels = (first: number) =>
      cost(
        `{ inventoryItem(id: "${inventoryItemId}") { inventoryLevels(first: ${first}) { nodes { location { id } quantities(names: ["available"]) { quantity } } } } }`,
      );
    expect((await levels(50)).requestedQueryCost).toBe(26);
    const after = await levels(250);
    expect(after.requestedQueryCost).toBeGreaterThan(26);
    expect(after.throttleStatus).toMatchObject({ maximumAvailable: 2000, restoreRate: 100 });
    expect(after.throttleStatus.currentlyAvailable).toBeLessThan(2000);
    rig.clock.nowMs += 20_000;
    expect((await cost(SHOP)).throttleStatus.currentlyAvailable).toBe(1999);
  });

  test('denies a root field whose scope the app lacks', async () => {
    const reader = await startRig({ scopes: ['write_inventory', 'read_locations'] });
    const answer = await reader.graphql('{ draftOrders(first: 1) { nodes { id } } }');
    expect(answer.errors[0]).toMatchObject({
      message: 'Access denied for draftOrders field. Required access: `read_draft_orders` access scope.',
      extensions: { code: 'ACCESS_DENIED' },
    });
    expect(await reader.data('{ inventoryItems(first: 1) { nodes { tracked } } }')).toEqual({
      inventoryItems: { nodes: [{ tracked: true }] },
    });
    await reader.sandbox.stop();
  });
});

describe('the token exchange', () => {
  const grant = { grant_type: 'client_credentials', client_id: 'sandbox', client_secret: 'sandbox' };

  function exchange(body: string, type: string) {
    return fetch(`${rig.origin}/admin/oauth/access_token`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
  }

  test('mints tokens for a form and for JSON, which live for a day', async () => {
    for (const [body, type] of [
      [new URLSearchParams(grant).toString(), 'application/x-www-form-urlencoded'],
      [JSON.stringify(grant), 'application/json'],
    ] as const) {
      rig.clock.nowMs = START_MS;
      const minted = (await (await exchange(body, type)).json()) as Record<string, string>;
      expect(minted).toMatchObject({ expires_in: 86_399, scope: expect.stringContaining('read_inventory') });
      const call = () =>
        post(rig.origin, JSON.stringify({ query: SHOP }), {
          'X-Shopify-Access-Token': minted['access_token'] ?? '',
        });
      expect((await call()).status).toBe(200);
      rig.clock.nowMs += 24 * 3_600_000;
      expect((await call()).status).toBe(401);
    }
  });

  test('refuses another secret, another grant and another method', async () => {
    const wrong = await exchange(JSON.stringify({ ...grant, client_secret: 'x' }), 'application/json');
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      expect.objectContaining({ error: 'invalid_client' }),
    ]);
    const other = await exchange(JSON.stringify({ ...grant, grant_type: 'password' }), 'application/json');
    expect([other.status, await other.json()]).toEqual([
      400,
      expect.objectContaining({ error: 'unsupported_grant_type' }),
    ]);
    expect((await fetch(`${rig.origin}/admin/oauth/access_token`)).status).toBe(405);
  });

  test('is undone when the merchant removes the app', async () => {
    const minted = (await (await exchange(JSON.stringify(grant), 'application/json')).json()) as Record<
      string,
      string
    >;
    rig.sandbox.tokens.revokeMinted();
    const headers = { 'X-Shopify-Access-Token': minted['access_token'] ?? '' };
    expect((await post(rig.origin, JSON.stringify({ query: SHOP }), headers)).status).toBe(401);
  });
});

describe('a fault', () => {
  const orders = () => [...rig.sandbox.shop.orders.all()].length;

  test('before: the socket is cut and nothing has happened; the next request goes through', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 1, 60);
    rig.sandbox.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'drop' });
    await expect(rig.data(COMPLETE, { id: draft.id })).rejects.toThrow('fetch failed');
    expect(orders()).toBe(0);
    await rig.data(COMPLETE, { id: draft.id });
    expect(orders()).toBe(1);
  });

  test('after: the socket is cut and the order exists', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 1, 60);
    rig.sandbox.faults.add({ operation: 'draftOrderComplete', when: 'after', action: 'drop' });
    await expect(rig.data(COMPLETE, { id: draft.id })).rejects.toThrow('fetch failed');
    expect(orders()).toBe(1);
    const { draftOrderComplete } = await rig.data(COMPLETE, { id: draft.id });
    expect(draftOrderComplete.userErrors).toEqual([{ field: null, message: 'This order has been paid' }]);
    expect(orders()).toBe(1);
  });

  test('hits the named root field only, also under an alias and in a fragment, as often as told', async () => {
    rig.sandbox.faults.add({
      operation: 'shop',
      when: 'before',
      action: 'status',
      code: 503,
      retryAfterSeconds: 2,
      times: 2,
    });
    expect((await post(rig.origin, JSON.stringify({ query: '{ location { name } }' }))).status).toBe(200);
    const aliased = await post(rig.origin, JSON.stringify({ query: '{ s: shop { name } }' }));
    expect([aliased.status, aliased.headers.get('retry-after')]).toEqual([503, '2.0']);
    const spread = 'query { ...F } fragment F on QueryRoot { shop { name } }';
    expect((await post(rig.origin, JSON.stringify({ query: spread }))).status).toBe(503);
    expect((await post(rig.origin, JSON.stringify({ query: SHOP }))).status).toBe(200);
  });

  test('throttles with status 200 and an empty bucket, and delays', async () => {
    rig.sandbox.faults.add({ operation: '*', when: 'before', action: 'throttle' });
    const answer = await rig.graphql(SHOP);
    expect(answer).toMatchObject({
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: {
        cost: { requestedQueryCost: 1, actualQueryCost: null, throttleStatus: { currentlyAvailable: 0 } },
      },
    });
    expect(answer).not.toHaveProperty('data');
    rig.sandbox.faults.add({ operation: '*', when: 'before', action: 'delay', ms: 50 });
    const began = performance.now();
    await rig.data(SHOP);
    expect(performance.now() - began).toBeGreaterThan(45);
  });

  test('can be added, listed and cleared by another process', async () => {
    const door = `${rig.origin}/sandbox/faults`;
    const fault = { operation: 'draftOrderComplete', when: 'after', action: 'drop' };
    const json = { 'Content-Type': 'application/json' };
    const added = await fetch(door, { method: 'POST', headers: json, body: JSON.stringify(fault) });
    expect([added.status, await added.json()]).toEqual([201, { faults: [{ ...fault, times: 1 }] }]);
    expect(rig.sandbox.faults.list()).toEqual([{ ...fault, times: 1 }]);
    expect((await fetch(door, { method: 'DELETE' })).status).toBe(204);
    expect(await (await fetch(door)).json()).toEqual({ faults: [] });
    const plain = await fetch(door, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: '{}',
    });
    expect(plain.status).toBe(415);
  });

  test.each<[object | string, RegExp]>([
    ['drop', /a fault is an object/],
    [{ operation: 'draftOrderCompleet', when: 'after', action: 'drop' }, /operation must be a root field/],
    [{ operation: '*', when: 'during', action: 'drop' }, /when must be before or after/],
    [{ operation: '*', when: 'after', action: 'explode' }, /action must be/],
    [
      { operation: '*', when: 'after', action: 'status', code: 200 },
      /code must be an integer from 400 to 599/,
    ],
    [{ operation: '*', when: 'after', action: 'delay' }, /ms must be an integer/],
    [{ operation: '*', when: 'after', action: 'drop', times: 0 }, /times must be an integer/],
  ])('that is nonsense is refused: %j', async (fault, message) => {
    const response = await fetch(`${rig.origin}/sandbox/faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(fault),
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { errors: string }).errors).toMatch(message);
    expect(rig.sandbox.faults.list()).toEqual([]);
  });
});

describe('starting and stopping', () => {
  test('twice does no harm, and state survives a restart on another port', async () => {
    const options: SandboxOptions = { now: () => START_MS };
    const sandbox = new SandboxServer(options);
    const [first, second] = await Promise.all([sandbox.start(), sandbox.start()]);
    expect(second).toEqual(first);
    expect(first.origin).toBe(`http://127.0.0.1:${first.port}`);
    sandbox.shop.sell(SEED_SKUS.scarce, 1);
    await Promise.all([sandbox.stop(), sandbox.stop()]);
    await sandbox.stop();
    await expect(fetch(first.origin)).rejects.toThrow();
    const third = await sandbox.start();
    expect(
      (await post(third.origin, JSON.stringify({ query: '{ orders(first: 1) { nodes { name } } }' }))).status,
    ).toBe(200);
    await sandbox.stop();
  });

  test('stopping does not wait for idle connections, nor for a delay that a fault has ordered', async () => {
    const sandbox = new SandboxServer();
    const { port, origin } = await sandbox.start();
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    sandbox.faults.add({ operation: '*', when: 'before', action: 'delay', ms: 600_000 });
    const delayed = post(origin, JSON.stringify({ query: SHOP })).catch((error: Error) => error.message);
    while (sandbox.faults.list().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await sandbox.stop();
    expect(await delayed).toBe('fetch failed');
    idle.destroy();
  });

  test('on a port that is taken is an error, after which it can be tried again', async () => {
    const { port } = await rig.sandbox.start();
    const second = new SandboxServer({ port });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await rig.sandbox.stop();
    expect((await second.start()).port).toBe(port);
    await second.stop();
  });
});

test('requests at the same time are taken one after another', async () => {
  const adjust = `mutation($input: InventoryAdjustQuantitiesInput!, $key: String!) {
    inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { code } } }`;
  const { shop } = rig.sandbox;
  const { itemId } = shop.inventory.variantOfSku(SEED_SKUS.scarce);
  const locationId = shop.inventory.priorityLevel(itemId)?.locationId;
  const change = { inventoryItemId: itemId, locationId, delta: -1, changeFromQuantity: 3 };
  const input = { reason: 'correction', name: 'available', changes: [change] };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => rig.data(adjust, { input, key: newKey() })),
  );
  const stale = answers.filter((answer) => answer.inventoryAdjustQuantities.userErrors.length > 0);
  expect(stale).toHaveLength(9);
});
