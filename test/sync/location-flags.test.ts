/** Item 17: units at a location that does not fulfil online orders are the till's, not the agents'. */

import { afterEach, describe, expect, test } from 'vitest';
import { refusalOf, SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, type ShopLedgerOptions, STORE, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

/** The store, with the lower id, sells at the till alone. */
const catalogue = {
  locations: [
    { name: STORE, city: 'Hamburg', countryCode: 'DE', fulfillsOnlineOrders: false },
    { name: WAREHOUSE, city: 'Hamburg', countryCode: 'DE' },
  ],
  products: [
    product('CAP', { [WAREHOUSE]: 2, [STORE]: 5 }),
    product('LAMP', { [STORE]: 4 }),
    product('ONE', { [WAREHOUSE]: 1, [STORE]: 1 }),
  ],
};

const open = async (
  more: ShopLedgerOptions['sandbox'] = {},
  settings: ShopLedgerOptions['settings'] = {},
) => {
  t = await ShopLedger.open({ settings, sandbox: { catalogue, ...more } });
};
const heartbeat = async () => {
  t.time.pass(15 * SECOND);
  await t.beat();
};
const names = async (sku: string) => (await t.check(sku)).items[0]?.locations.map(({ name }) => name);

describe('item 17: a location that does not fulfil online orders', () => {
  test('promises nothing, and is not named', async () => {
    await open();
    expect(await t.atp('CAP')).toBe(2);
    expect(await t.atp('LAMP')).toBe(0);
    expect(await names('CAP')).toEqual([WAREHOUSE]);
    expect(refusalOf(await t.reserve('CAP', 3)).code).toBe('stock_insufficient');
    await t.expectTrueBooks();
  });

  test('is taken off, and put back, within one heartbeat', async () => {
    await open();
    t.server.shop.setFulfillsOnlineOrders(WAREHOUSE, false);
    await heartbeat();
    expect(await t.atp('CAP')).toBe(0);
    t.server.shop.setFulfillsOnlineOrders(STORE, true);
    await heartbeat();
    expect(await t.atp('CAP')).toBe(5);
    expect(await t.atp('LAMP')).toBe(4);
    t.server.shop.setFulfillsOnlineOrders(WAREHOUSE, true);
    await heartbeat();
    expect(await t.atp('CAP')).toBe(7);
    await t.expectTrueBooks();
  });

  test('that fulfils them again promises no figure from before: the till has sold there meanwhile', async () => {
    await open();
    t.server.shop.setFulfillsOnlineOrders(WAREHOUSE, false);
    await heartbeat();
    t.server.shop.sell('CAP', 2, { at: WAREHOUSE });
    t.server.shop.setFulfillsOnlineOrders(WAREHOUSE, true);
    await t.sync.rereadLocations(new AbortController().signal);
    expect(await t.atp('CAP')).toBe(0);
    expect(refusalOf(await t.reserve('CAP', 1)).code).toBe('stock_insufficient');
  });

  test.each([
    ['draft_order', 'complete', 'lowest_id'],
    ['draft_order', 'complete', 'any'],
    ['none', 'complete', 'lowest_id'],
    ['move', 'complete', 'any'],
  ] as const)('%s, %s: its units are not sold, under routing %s', async (mirror, order_mode, rule) => {
    await open({ routing: { rule }, seed: 5 }, { mirror, order_mode });
    for (let agent = 0; agent < 3; agent += 1) {
      const reserved = await t.reserve('ONE', 1);
      if (!reserved.ok) continue;
      await t.workFor(SECOND);
      await t.submit(reserved.value);
      await t.workFor(2 * SECOND);
    }
    expect(t.orders()).toHaveLength(1);
    expect([t.available('ONE'), t.available('ONE', STORE)]).toEqual([0, 1]);
    await t.expectTrueBooks();
  });

  test('that the shop takes drafts from all the same (routing is the merchant’s) makes no second sale', async () => {
    await open({ routing: { rule: 'lowest_id', uses_offline: true } });
    for (let agent = 0; agent < 3; agent += 1) {
      const reserved = await t.reserve('ONE', 1);
      if (!reserved.ok) continue;
      await t.workFor(SECOND);
      await t.submit(reserved.value);
      await t.workFor(2 * SECOND);
      await heartbeat();
    }
    expect([1, 2]).toContain(t.orders().length);
    expect(t.available('ONE') + t.available('ONE', STORE)).toBe(2 - t.orders().length);
    await t.expectTrueBooks();
  });
});
