import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RATE_PLANS } from '../../../src/sandbox/api-rules/cost.js';
import { bigCatalogue } from '../../../src/sandbox/base/big-catalogue.js';
import { SEED_SKUS } from '../../../src/sandbox/base/catalogue.js';
import { seededRandom } from '../../../src/sandbox/base/random.js';
import type { SandboxOptions } from '../../../src/sandbox/server.js';
import { COMPLETE, hold, type Json, post, type Rig, START_MS, startRig } from '../sandbox-client.js';

const SHOP = '{ shop { name } }';
const PAGE = '{ productVariants(first: 250) { nodes { id sku inventoryItem { id } product { id } } } }';

let rig: Rig;

async function open(options: SandboxOptions = {}): Promise<void> {
  await rig?.sandbox.stop();
  rig = await startRig({ seed: 11, ...options });
}

beforeEach(() => open());
afterEach(() => rig.sandbox.stop());

/** Asks until the bucket refuses; answers with the refusal. */
async function drain(query = PAGE): Promise<Json> {
  for (;;) {
    const answer = await rig.graphql(query);
    if (answer.errors) return answer;
  }
}

describe('throttling', () => {
  test('refuses what the bucket can’t pay, with status 200, the cost, and nothing run', async () => {
    const answer = await drain();
    const { requestedQueryCost, actualQueryCost, throttleStatus } = answer.extensions.cost;
    expect(answer.data).toBeUndefined();
    expect(answer.errors).toEqual([
      {
        message: 'Throttled',
        extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' },
      },
    ]);
    expect(actualQueryCost).toBeNull();
    expect(throttleStatus).toMatchObject({ maximumAvailable: 2_000, restoreRate: 100 });
    expect(throttleStatus.currentlyAvailable).toBeLessThan(requestedQueryCost);
    expect((await post(rig.origin, JSON.stringify({ query: PAGE }))).status).toBe(200);
  });

  test('waiting as long as the answer says is enough, and a moment less is not', async () => {
    const { requestedQueryCost, throttleStatus } = (await drain()).extensions.cost;
    const lackMs = Math.ceil(((requestedQueryCost - throttleStatus.currentlyAvailable) / 100) * 1_000);
    rig.clock.nowMs += lackMs - 20;
    expect((await rig.graphql(PAGE)).errors[0].message).toBe('Throttled');
    rig.clock.nowMs += 20;
    expect((await rig.graphql(PAGE)).errors).toBeUndefined();
  });

  test('a mutation that is refused has done nothing', async () => {
    await drain();
    await drain(SHOP);
    const { id } = rig.sandbox.shop.inventory.variantOfSku(SEED_SKUS.plentiful);
    const answer = await rig.graphql(
      'mutation($input: DraftOrderInput!) { draftOrderCreate(input: $input) { draftOrder { id } } }',
      { input: { lineItems: [{ variantId: id, quantity: 1 }] } },
    );
    expect(answer.errors[0].extensions.code).toBe('THROTTLED');
    expect([...rig.sandbox.shop.draftOrders.all()]).toEqual([]);
  });

  test.each(Object.entries(RATE_PLANS))('the plan %s has its own bucket and rate', async (rate, plan) => {
    await open({ rate: rate as keyof typeof RATE_PLANS });
    const { throttleStatus } = (await rig.graphql(SHOP)).extensions.cost;
    expect(throttleStatus).toMatchObject({
      maximumAvailable: plan.bucketPoints,
      restoreRate: plan.restorePointsPerSecond,
    });
  });

  test('a query that no bucket could pay is refused for good', async () => {
    await open({ rate: { bucketPoints: 20, restorePointsPerSecond: 1 } });
    const { errors, data } = await rig.graphql(PAGE);
    expect(data).toBeUndefined();
    expect(errors[0]).toMatchObject({ extensions: { code: 'MAX_COST_EXCEEDED', maxCost: 20 } });
  });

  test('priced as documented: size by size, 1,000 points a query at most, throttled or not', async () => {
    await open({ pricing: 'documented', throttle: false });
    const cost = async (query: string, variables?: object) =>
      (await rig.graphql(query, variables)).extensions.cost.requestedQueryCost;
    const nested = (first: number) =>
      `{ products(first: ${first}) { nodes { id variants(first: 5) { nodes { id } pageInfo { hasNextPage } } } } }`;
    expect(await cost('{ productVariants(first: 100) { nodes { id } } }')).toBe(102);
    expect(await cost(nested(10))).toBe(2 + 10 * (1 + 2 + 5));
    const byId =
      'query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Product { id } ... on ProductVariant { product { id } } } }';
    const ids = [...rig.sandbox.shop.inventory.variants.keys()].slice(0, 7);
    expect(await cost(byId, { ids })).toBe(7 * (1 + 1));
    const { errors, data } = await rig.graphql(nested(125));
    expect(data).toBeUndefined();
    expect(errors[0].extensions).toMatchObject({ code: 'MAX_COST_EXCEEDED', cost: 1_002, maxCost: 1_000 });
  });

  test('switched off, it only reports; a clock that is set back gives nothing away', async () => {
    await open({ throttle: false, rate: { bucketPoints: 30, restorePointsPerSecond: 10 } });
    const available = async () => (await rig.graphql(PAGE)).extensions.cost.throttleStatus.currentlyAvailable;
    await available();
    expect(await available()).toBe(0);
    rig.clock.nowMs -= 60_000;
    expect(await available()).toBe(0);
  });
});

describe('random faults', () => {
  async function outcomes(options: SandboxOptions, calls = 200): Promise<string[]> {
    await open({ throttle: false, ...options });
    const seen: string[] = [];
    for (let call = 0; call < calls; call += 1) {
      try {
        const response = await post(rig.origin, JSON.stringify({ query: SHOP }));
        const answer: Json = await response.json();
        seen.push(
          response.status === 200 && Array.isArray(answer.errors) ? 'THROTTLED' : String(response.status),
        );
      } catch {
        seen.push('cut');
      }
    }
    return seen;
  }
  const share = (seen: readonly string[], wanted: string) =>
    seen.filter((one) => one === wanted).length / seen.length;

  test.each([
    ['cut', { cutBefore: 0.1, cutAfter: 0.1 }],
    ['THROTTLED', { throttled: 0.2 }],
    ['429', { status429: 0.2 }],
    ['503', { status503Before: 0.2 }],
    ['502', { status502After: 0.2 }],
  ])('hit about the share that was asked for: %s', async (kind, randomFaults) => {
    const seen = await outcomes({ randomFaults });
    expect(share(seen, kind)).toBeGreaterThan(0.1);
    expect(share(seen, kind)).toBeLessThan(0.3);
    expect(share(seen, kind) + share(seen, '200')).toBe(1);
  });

  test('follow from the seed', async () => {
    const randomFaults = { cutBefore: 0.1, throttled: 0.2 };
    const first = await outcomes({ randomFaults });
    expect(await outcomes({ randomFaults })).toEqual(first);
    expect(await outcomes({ randomFaults, seed: 12 })).not.toEqual(first);
  });

  test('a cut before the effect leaves nothing, one after it leaves the effect', async () => {
    await open({ throttle: false });
    const drafts = () => [...rig.sandbox.shop.draftOrders.all()].length;
    rig.sandbox.set({ faults: { cutBefore: 1 } });
    await expect(hold(rig, SEED_SKUS.plentiful, 1, 60)).rejects.toThrow();
    expect(drafts()).toBe(0);
    rig.sandbox.set({ faults: { cutAfter: 1 } });
    await expect(hold(rig, SEED_SKUS.plentiful, 1, 60)).rejects.toThrow();
    expect(drafts()).toBe(1);
  });

  test('a planned fault comes before chance', async () => {
    await open({ randomFaults: { cutBefore: 1 } });
    rig.sandbox.faults.add({ operation: '*', when: 'before', action: 'status', code: 418 });
    expect((await post(rig.origin, JSON.stringify({ query: SHOP }))).status).toBe(418);
    await expect(post(rig.origin, JSON.stringify({ query: SHOP }))).rejects.toThrow();
  });

  test('slow answers come, only later', async () => {
    const seen = await outcomes({ randomFaults: { slow: 1, slowMs: 3 } }, 5);
    expect(seen).toEqual(['200', '200', '200', '200', '200']);
  });

  test.each([
    ['a share above one', { cutBefore: 1.1 }],
    ['a share below none', { cutAfter: -0.1 }],
    ['no number', { throttled: Number.NaN }],
    ['half a millisecond', { slowMs: 0.5 }],
    ['an unknown one', { earthquakes: 0.1 }],
  ])('with %s are refused', async (_name, faults) => {
    const wrong: object = faults;
    expect(() => rig.sandbox.set({ faults: wrong })).toThrow(/must be|there is no fault/u);
    expect(() => rig.sandbox.webhooks.setFaults(wrong)).toThrow(/must be|there is no fault/u);
  });
});

describe('the shop’s clock', () => {
  test('may be ahead of the caller’s, in the Date header, in stamps and in what is due', async () => {
    await open({ clockSkewMs: 90_000 });
    const response = await post(rig.origin, JSON.stringify({ query: SHOP }));
    expect(response.headers.get('date')).toBe('Mon, 23 Nov 2026 12:01:30 GMT');
    const draft = await hold(rig, SEED_SKUS.plentiful, 1, 600);
    const { draftOrder } = await rig.data('query($id: ID!) { draftOrder(id: $id) { createdAt } }', {
      id: draft.id,
    });
    expect(draftOrder.createdAt).toBe('2026-11-23T12:01:30Z');
    await expect(hold(rig, SEED_SKUS.plentiful, 1, 60)).rejects.toThrow("Reserve until can't be in the past");
  });

  test('can be set back while it runs: a hold that had lapsed is not held again', async () => {
    const draft = await hold(rig, SEED_SKUS.plentiful, 2, 60);
    rig.sandbox.set({ clockSkewMs: 120_000 });
    const free = rig.sandbox.shop.readStock(SEED_SKUS.plentiful, 'Hamburg Warehouse').available;
    rig.sandbox.set({ clockSkewMs: -120_000 });
    expect(rig.sandbox.shop.nowMs()).toBe(START_MS - 120_000);
    expect(rig.sandbox.shop.readStock(SEED_SKUS.plentiful, 'Hamburg Warehouse').available).toBe(free);
    const { draftOrderComplete } = await rig.data(COMPLETE, { id: draft.id });
    expect(draftOrderComplete.userErrors).toEqual([]);
  });
});

describe('the settings door', () => {
  const door = (method: string, body?: string, type = 'application/json') =>
    fetch(`${rig.origin}/sandbox/settings`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'Content-Type': type } }),
    });

  test('tells the settings, and changes those that are named', async () => {
    const given = {
      throttle: false,
      searchLagMs: 3_000,
      clockSkewMs: -5_000,
      faults: { cutAfter: 0.05 },
      webhookFaults: { lost: 0.2, doubled: 0.2 },
    };
    const changed = await door('PATCH', JSON.stringify(given));
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject(given);
    await door('PATCH', '{"faults":{}}');
    expect(await (await door('GET')).json()).toMatchObject({ ...given, faults: { cutAfter: 0 } });
    expect(rig.sandbox.shop.searchLagMs).toBe(3_000);
    expect(rig.sandbox.settings.webhookFaults.lost).toBe(0.2);
  });

  test.each([
    ['an unknown name', '{"gravity":1}', 400],
    ['a list', '[]', 400],
    ['a text for a time', '{"searchLagMs":"3"}', 400],
    ['a share above one', '{"webhookFaults":{"lost":2}}', 400],
    ['no truth value', '{"throttle":"yes"}', 400],
    ['no JSON', '{', 400],
  ])('refuses %s, and changes nothing', async (_name, body, status) => {
    const before = rig.sandbox.settings;
    expect((await door('PATCH', body)).status).toBe(status);
    expect(rig.sandbox.settings).toEqual(before);
  });

  test('takes JSON alone, from no browser’s form, and no other method', async () => {
    expect((await door('PATCH', '{}', 'text/plain')).status).toBe(415);
    expect((await door('DELETE')).status).toBe(405);
  });
});

describe('a large catalogue', () => {
  test('has as many variants and levels as it was asked for, the same each time', () => {
    const first = bigCatalogue(45, 3);
    const products = [...first.products];
    expect(products.map(({ variants }) => variants.length)).toEqual([20, 20, 5]);
    expect(Object.keys(products[0]?.variants[0]?.stock ?? {})).toEqual([
      'Location 1',
      'Location 2',
      'Location 3',
    ]);
    expect([...bigCatalogue(45, 3).products]).toEqual(products);
    expect([...first.products]).toEqual(products);
  });

  test.each([0, -1, 1.5, 1_000_001])('refuses %s variants', (variants) => {
    expect(() => bigCatalogue(variants, 1)).toThrow('variants must be a whole number');
    expect(() => bigCatalogue(1, variants === 1_000_001 ? 1_001 : variants)).toThrow('locations must be');
  });
});

test('equal seeds give equal numbers from 0 up to 1, well spread', () => {
  const [one, same, other] = [seededRandom(5), seededRandom(5), seededRandom(6)];
  const numbers = Array.from({ length: 1_000 }, one);
  expect(Array.from({ length: 1_000 }, same)).toEqual(numbers);
  expect(Array.from({ length: 1_000 }, other)).not.toEqual(numbers);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
});
