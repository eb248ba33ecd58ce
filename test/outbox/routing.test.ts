/**
 * A shop that takes the units of drafts from where it likes: the lowest location id, the preferred one, one that has them, or
 * several. Whatever it does, what is sold is what it had, and the last unit can be sold.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { openHoldfast } from '../../src/app/open-app.js';
import { LIMITS, readConfig } from '../../src/config/config.js';
import { Metrics } from '../../src/observability/metrics.js';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import type { RoutingSettings } from '../../src/sandbox/shop/orders/routing.js';
import { inspectLedger } from '../../src/store/sqlite/inspect-ledger.js';
import { answerOf, SECOND, units } from '../helpers/ledger.js';
import { product, ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

/** The lower id; the merchant prefers the other. */
const BACKROOM = 'Backroom';
const CENTRAL = 'Central';

const catalogue: Catalogue = {
  locations: [BACKROOM, CENTRAL].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
  products: [
    product('ONE', { [BACKROOM]: 1, [CENTRAL]: 0 }),
    product('LAST', { [BACKROOM]: 0, [CENTRAL]: 1 }),
    product('MANY', { [BACKROOM]: 3, [CENTRAL]: 4 }),
  ],
};

const ROUTINGS: readonly (readonly [string, RoutingSettings])[] = [
  ['from the lowest id', { rule: 'lowest_id' }],
  ['from the preferred location', { rule: 'preferred', preference: [CENTRAL, BACKROOM] }],
  ['from one that has them', { rule: 'in_stock', preference: [CENTRAL, BACKROOM] }],
  ['from several', { rule: 'split', preference: [CENTRAL, BACKROOM] }],
  ['as it likes', { rule: 'any', preference: [CENTRAL, BACKROOM] }],
];
const MODES = [
  ['draft_order', 'complete'],
  ['draft_order', 'checkout_link'],
  ['none', 'complete'],
  ['move', 'complete'],
] as const;

let t: ShopLedger;
afterEach(() => t.close());

async function open(routing: RoutingSettings, settings: ShopLedgerOptions['settings'] = {}): Promise<void> {
  t = await ShopLedger.open({ settings, sandbox: { catalogue, routing, seed: 11 } });
}

/** An agent that checks, reserves what it is told is there, and orders it. How many units it was sold. */
async function buy(sku: string, quantity: number): Promise<number> {
  const { items } = answerOf(await t.ledger.checkStock([sku]));
  if ((items[0]?.available_to_promise ?? 0) < quantity) return 0;
  const reserved = await t.reserve(sku, quantity);
  if (!reserved.ok) return 0;
  await t.workFor(SECOND);
  const answer = await t.submit(reserved.value);
  if (!answer.ok) return 0;
  await t.workFor(2 * SECOND);
  const order = await t.order(reserved.value);
  if (order.checkout_url !== null) {
    for (const draft of t.drafts()) t.server.shop.payInvoice(draft.id);
    await t.workFor(90 * SECOND);
  }
  await t.beat();
  return ['placed', 'fulfilled'].includes((await t.order(reserved.value)).state) ? quantity : 0;
}

const left = (sku: string) => t.available(sku, BACKROOM) + t.available(sku, CENTRAL);

describe.each(ROUTINGS)('a shop that takes units %s', (_, routing) => {
  describe.each(MODES)('mode %s, %s', (mirror, order_mode) => {
    test.each(['ONE', 'LAST'])(
      'five agents in turn are sold the one %s once, and it is sold',
      async (sku) => {
        await open(routing, { mirror, order_mode });
        let sold = 0;
        for (let agent = 0; agent < 5; agent += 1) sold += await buy(sku, 1);
        expect(sold).toBe(1);
        expect(left(sku)).toBe(0);
        expect(t.orders()).toHaveLength(1);
        await t.expectTrueBooks();
      },
    );

    test('agents who take two at a time never get more than there is, and the rest is not lost', async () => {
      await open(routing, { mirror, order_mode });
      let sold = 0;
      for (let agent = 0; agent < 6; agent += 1) sold += await buy('MANY', agent === 5 ? 1 : 2);
      expect(left('MANY')).toBe(7 - sold);
      expect(sold).toBe(7);
      await t.expectTrueBooks();
    });
  });

  test('mirroring leaves the checksum as it was, wherever the units fell, and so does letting go', async () => {
    await open(routing);
    const { stock_hash } = await t.item('MANY');
    const one = await t.granted('MANY', 2);
    const two = await t.granted('MANY', 3);
    await t.workFor(SECOND);
    expect((await t.item('MANY')).stock_hash).toBe(stock_hash);
    expect(await t.atp('MANY')).toBe(2);
    expect(left('MANY')).toBe(2);
    await t.release(one);
    await t.workFor(SECOND);
    expect((await t.item('MANY')).stock_hash).toBe(stock_hash);
    await t.release(two);
    await t.workFor(SECOND);
    expect((await t.item('MANY')).stock_hash).toBe(stock_hash);
    expect(await t.atp('MANY')).toBe(7);
    await t.expectTrueBooks();
  });

  test('the last unit is ours when the till sells all others while the draft is made', async () => {
    await open(routing);
    const mine = await t.granted('MANY', 1);
    await t.workFor(SECOND);
    for (const [at, quantity] of [
      [BACKROOM, t.available('MANY', BACKROOM)],
      [CENTRAL, t.available('MANY', CENTRAL)],
    ] as const)
      if (quantity > 0) t.server.shop.sell('MANY', quantity, { at });
    await t.beat();
    const { stock_hash } = await t.item('MANY');
    answerOf(await t.submit({ ...mine, stock_hash }));
    await t.workFor(2 * SECOND);
    expect(await t.order(mine)).toMatchObject({ state: 'placed' });
    expect(left('MANY')).toBe(0);
    await t.expectTrueBooks();
  });
});

test('lines bound to locations do not cost older orders their units: what the shop chooses is covered by all it has', async () => {
  const [first, second, third] = ['First', 'Second', 'Third'];
  t = await ShopLedger.open({
    sandbox: {
      catalogue: {
        locations: [first, second, third].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
        products: [product('RUG', { [first]: 40, [second]: 8, [third]: 20 })],
      },
      routing: { rule: 'lowest_id' },
    },
  });
  const honest = await t.granted('RUG', 14);
  await t.workFor(SECOND);
  const bound = await t.granted('RUG', 1, {
    principal: 'another',
    lines: [
      { sku: 'RUG', quantity: units(8), location_id: await t.locationId(second) },
      { sku: 'RUG', quantity: units(20), location_id: await t.locationId(third) },
    ],
  });
  await t.workFor(SECOND);
  // All 42 are drawn at the first location, which has 40.
  expect(t.available('RUG', first)).toBe(-2);
  expect(await t.atp('RUG')).toBe(68 - 42);
  await t.accepted({ ...honest, stock_hash: (await t.item('RUG')).stock_hash });
  await t.workFor(2 * SECOND);
  expect(await t.order(honest)).toMatchObject({ state: 'placed' });
  const { stock_hash } = await t.item('RUG');
  answerOf(await t.submit({ ...bound, stock_hash }, { principal: 'another' }));
  await t.workFor(2 * SECOND);
  expect(await t.order(bound)).toMatchObject({ state: 'placed' });
  await t.beat();
  expect(await t.atp('RUG')).toBe(26);
  await t.expectTrueBooks();
});

describe.each(ROUTINGS)('mode move, where orders are taken %s', (_, routing) => {
  test('a large basket over several places is placed', async () => {
    const [first, second, third] = [BACKROOM, CENTRAL, 'Third'];
    t = await ShopLedger.open({
      settings: { mirror: 'move' },
      sandbox: {
        catalogue: {
          locations: [first, second, third].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
          products: [product('RUG', { [first]: 40, [second]: 8, [third]: 20 })],
        },
        routing,
        seed: 4,
      },
    });
    const mine = await t.granted('RUG', 54);
    expect(mine.lines[0]?.allocations).toHaveLength(2);
    await t.workFor(SECOND);
    await t.accepted({ ...mine, stock_hash: (await t.item('RUG')).stock_hash });
    await t.workFor(5 * SECOND);
    expect(await t.order(mine)).toMatchObject({ state: 'placed' });
    expect([first, second, third].reduce((sum, at) => sum + t.available('RUG', at), 0)).toBe(14);
    await t.expectTrueBooks();
  });
});

test('a draft that no fall of the levels shows is reported after two minutes, still counted, and its order can be placed', async () => {
  await open({ rule: 'in_stock' });
  const mine = await t.granted('ONE', 1);
  const { draftOrders } = t.server.shop;
  const create = draftOrders.create.bind(draftOrders);
  draftOrders.create = (input, nowMs) => {
    const made = create(input, nowMs);
    // One comes in at the very moment: no level is lower than it was.
    t.server.shop.receive('ONE', BACKROOM, 1);
    return made;
  };
  await t.workFor(SECOND);
  expect(await t.owned(mine)).toMatchObject({ outbox: { shop_state: 'open' }, holds: [{ place: 'missed' }] });
  expect(await t.atp('ONE')).toBe(0);
  await t.workFor(100 * SECOND);
  expect(t.events.filter(({ event }) => event === 'unplaced_hold')).toEqual([]);
  await expectUnplaced([]);
  await t.workFor(100 * SECOND);
  expect(t.events.filter(({ event }) => event === 'unplaced_hold')).toHaveLength(1);
  await expectUnplaced([{ reservation_id: mine.reservation_id, units: 1 }]);
  expect(await metricsOfCopy()).toContain('\nholdfast_unplaced_holds 1\n');
  expect(await t.atp('ONE')).toBe(0);
  await t.beat();
  answerOf(await t.submit({ ...mine, stock_hash: (await t.item('ONE')).stock_hash }));
  await t.workFor(5 * SECOND);
  expect(await t.order(mine)).toMatchObject({ state: 'placed' });
  await t.beat();
  expect(await t.atp('ONE')).toBe(1);
  await expectUnplaced([]);
  await t.expectTrueBooks();
});

/** What `doctor` and the gauge of /metrics tell of holds that no level shows. */
async function expectUnplaced(holds: readonly object[]): Promise<void> {
  const { unplaced_after_ms } = LIMITS.outbox;
  // The doctor goes by the time that was written last.
  await t.beat();
  expect(inspectLedger(t.path, unplaced_after_ms).books).toMatchObject({
    unplaced: holds,
    unplaced_total: holds.length,
  });
  expect(await t.store.countUnplaced(unplaced_after_ms)).toBe(holds.length);
}

/** The page of a server on a copy of the ledger: it lives in another time. */
async function metricsOfCopy(): Promise<string> {
  const copy = `${t.path}.copy`;
  t.rawly((db) => db.exec(`VACUUM INTO '${copy}'`));
  const quiet = (): void => undefined;
  const config = readConfig({
    HOLDFAST_DB: copy,
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
  });
  const metrics = new Metrics();
  const holdfast = openHoldfast(
    config,
    { debug: quiet, info: quiet, warn: quiet, error: quiet },
    { metrics },
  );
  try {
    await holdfast.measure();
    return await metrics.text();
  } finally {
    await holdfast.stop();
  }
}
