/** Item 13: what was deleted at the shop is off sale at the next heartbeat, without webhooks. */

import { GraphQLError } from 'graphql';
import { afterEach, describe, expect, test } from 'vitest';
import type { Catalogue, CatalogueVariant } from '../../src/sandbox/base/catalogue.js';
import { answerOf, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import {
  product,
  ShopLedger,
  type ShopLedgerOptions,
  SMALL_CATALOGUE,
  STORE,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';

let t: ShopLedger;
const open = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
  t.time.pass(10 * MINUTE);
  await t.beat();
};
afterEach(() => t.close());

const signal = new AbortController().signal;
const shop = () => t.server.shop;
const status = async (sku: string) => (await t.check(sku)).items[0]?.status;
const sync = () => t.store.read({}, (state) => state.sync);
const fullReads = async () => (await t.store.reconciliations(100)).length;

/** A heartbeat, with nothing in between that could be a full read. */
async function beat(afterMs = 15 * SECOND): Promise<void> {
  t.time.pass(afterMs);
  const before = await fullReads();
  await t.beat();
  expect(await fullReads()).toBe(before);
}

const variant = (sku: string, units: number): CatalogueVariant => ({
  sku,
  title: sku,
  options: [{ name: 'Size', value: sku }],
  price: '10.00',
  stock: { [WAREHOUSE]: units },
});
const sized: Catalogue = {
  ...SMALL_CATALOGUE,
  products: [
    { title: 'Shirt', productType: 'Things', vendor: 'Us', variants: [variant('S', 4), variant('M', 4)] },
    product('CAP', { [WAREHOUSE]: 20 }),
  ],
};

describe('item 13: a product that was deleted', () => {
  test('is off sale after one heartbeat, and its units are granted to nobody', async () => {
    await open();
    shop().deleteProduct('SCARF');
    await beat();
    expect([await status('SCARF'), await status('CAP')]).toEqual(['discontinued', 'active']);
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('item_discontinued');
    await t.expectTrueBooks();
  });

  test('is found in small pages, and not read again by the heartbeats after it', async () => {
    await open();
    for (const sku of ['SCARF', 'COAT', 'LAMP']) shop().deleteProduct(sku);
    await beat();
    for (const sku of ['SCARF', 'COAT', 'LAMP']) expect(await status(sku)).toBe('discontinued');
    const read = t.rawly((db) =>
      db.prepare("SELECT max(read_at_ms) FROM items WHERE sku = 'SCARF'").pluck().get(),
    );
    await beat();
    await beat(5 * MINUTE);
    expect(
      t.rawly((db) => db.prepare("SELECT max(read_at_ms) FROM items WHERE sku = 'SCARF'").pluck().get()),
    ).toBe(read);
  });

  test('is found when the shop’s log shows it late, after a younger one was seen', async () => {
    await open();
    t.server.set({ searchLagMs: 60 * SECOND });
    shop().deleteProduct('SCARF');
    await beat();
    expect(await status('SCARF')).toBe('active');
    shop().deleteProduct('COAT');
    t.server.set({ searchLagMs: 0 });
    await beat();
    expect([await status('SCARF'), await status('COAT')]).toEqual(['discontinued', 'discontinued']);
    expect((await sync()).cursor).not.toContain('/e');
    await beat(5 * MINUTE);
    expect((await sync()).cursor).toMatch(/\/e\d+$/);
    shop().deleteProduct('LAMP');
    await beat();
    expect(await status('LAMP')).toBe('discontinued');
  });

  test('is found from the cursor of an older version', async () => {
    await open();
    t.rawly((db) => db.exec('UPDATE ledger SET cursor = substr(cursor, 1, 20)'));
    shop().deleteProduct('SCARF');
    await beat();
    expect(await status('SCARF')).toBe('discontinued');
  });

  test('that shares its item with another listing leaves that on sale', async () => {
    const twin = { ...variant('', 0), sku: null, stock: {}, sharesItemOf: 'CAP', title: 'Twin' };
    await open({
      sandbox: {
        catalogue: {
          ...SMALL_CATALOGUE,
          products: [
            product('CAP', { [WAREHOUSE]: 20 }),
            { title: 'Twin', productType: 'Things', vendor: 'Us', variants: [twin] },
          ],
        },
      },
    });
    shop().deleteProduct('CAP');
    await beat();
    expect(await status('CAP')).toBe('active');
    expect(await t.atp('CAP')).toBe(20);
  });
});

describe('item 13: a variant that was deleted', () => {
  test('is off sale after one heartbeat, and its siblings are not', async () => {
    await open({ sandbox: { catalogue: sized } });
    shop().removeVariant('M');
    await beat();
    expect([await status('M'), await status('S')]).toEqual(['discontinued', 'active']);
    expect(await t.atp('S')).toBe(4);
  });
});

describe('item 13: a shop that refuses its log of events', () => {
  const refusing = { sandbox: { refusesEvents: true } };

  test('counts: when its variants are fewer, all is read at once', async () => {
    await open(refusing);
    await beat();
    shop().deleteProduct('SCARF');
    t.time.pass(15 * SECOND);
    const before = await fullReads();
    await t.beat();
    expect(await fullReads()).toBe(before + 1);
    expect([await status('SCARF'), await status('CAP')]).toEqual(['discontinued', 'active']);
    expect(t.events.filter(({ event }) => event === 'variants_lost')).toHaveLength(1);
    await beat();
    expect(await t.atp('CAP')).toBe(25);
    await t.expectTrueBooks();
  });

  test('confirms nothing, and loses nothing, when that read fails', async () => {
    await open({ ...refusing, tuning: { attempts_max: 1 } });
    const { confirmed_at_ms } = await sync();
    shop().deleteProduct('SCARF');
    t.time.pass(15 * SECOND);
    t.server.faults.add({ operation: 'inventoryItems', when: 'before', action: 'status', code: 503 });
    await expect(t.beat()).rejects.toThrow();
    expect(await sync()).toMatchObject({ confirmed_at_ms, cursor: null });
    t.time.pass(15 * SECOND);
    await t.beat();
    expect(await status('SCARF')).toBe('discontinued');
  });

  test('and begins to, is read whole once: what was deleted at just that moment is found', async () => {
    await open();
    t.server.set({ refusesEvents: true });
    shop().deleteProduct('SCARF');
    t.time.pass(15 * SECOND);
    const before = await fullReads();
    await t.beat();
    expect(await fullReads()).toBe(before + 1);
    expect([await status('SCARF'), await status('CAP')]).toEqual(['discontinued', 'active']);
    // From here on it counts.
    await beat();
    await beat();
    expect(await t.atp('CAP')).toBe(25);
  });

  test('is asked for it again with the next full read', async () => {
    await open(refusing);
    t.server.set({ refusesEvents: false });
    t.time.pass(15 * SECOND);
    await t.sync.readAll(signal);
    shop().deleteProduct('SCARF');
    shop().addProduct(product('NEW', { [WAREHOUSE]: 1 }));
    await beat();
    expect(await status('SCARF')).toBe('discontinued');
  });
});

describe('item 13: a shop whose log of events gives an answer that nobody can read', () => {
  /** Those of the next looks at the log end in an error that is no refusal. */
  function breakLog(...looks: readonly boolean[]): void {
    const { eventLog } = shop();
    const all = eventLog.all.bind(eventLog);
    const left = [...looks];
    eventLog.all = () => {
      if (left.shift() === true)
        throw new GraphQLError('Something went wrong.', { extensions: { code: 'ODD' } });
      return all();
    };
  }

  test('once: all is read at once, and the log is gone on with', async () => {
    await open();
    breakLog(true);
    shop().deleteProduct('SCARF');
    t.time.pass(15 * SECOND);
    const before = await fullReads();
    await t.beat();
    expect(await fullReads()).toBe(before + 1);
    expect(await status('SCARF')).toBe('discontinued');
    // A count would not see this one.
    shop().deleteProduct('COAT');
    shop().addProduct(product('NEW', { [WAREHOUSE]: 1 }));
    await beat();
    expect(await status('COAT')).toBe('discontinued');
  });

  test('of heartbeats alone: all is read once, and not at each of them', async () => {
    await open();
    breakLog(true, false, true, true, true);
    t.time.pass(15 * SECOND);
    const before = await fullReads();
    await t.beat();
    expect(await fullReads()).toBe(before + 1);
    await beat();
    await beat();
    await beat();
    shop().deleteProduct('SCARF');
    await beat();
    expect(await status('SCARF')).toBe('discontinued');
  });

  test('also while all is read: variants are counted, and the log is gone on with once it can be read', async () => {
    await open();
    breakLog(true, true, true);
    t.time.pass(15 * SECOND);
    await t.beat();
    await beat();
    shop().deleteProduct('COAT');
    shop().addProduct(product('NEW', { [WAREHOUSE]: 1 }));
    await beat();
    expect(await status('COAT')).toBe('discontinued');
    expect(t.upstream.lines.filter((line) => line.includes('counting variants'))).toHaveLength(1);
  });
});

describe('item 13: a location that opens again', () => {
  test('L1: an item that was read while it was closed is read again before anything is promised', async () => {
    await open();
    shop().setLocationActive(STORE, false);
    await t.beat();
    // Stocked at both, and known only without the store, where three too many were sold.
    shop().addProduct(product('LATE', { [WAREHOUSE]: 5, [STORE]: -3 }));
    t.time.pass(15 * SECOND);
    await t.beat();
    expect(await t.atp('LATE')).toBe(5);
    shop().setLocationActive(STORE, true);
    await t.sync.rereadLocations(signal);
    expect(await t.atp('LATE')).toBe(0);
    expect(answerOf(await t.ledger.checkStock(['LATE'])).items[0]?.available_to_promise).toBe(2);
  });

  test('L1: one that was stocked there, and was read without it, too', async () => {
    await open();
    shop().setLocationActive(STORE, false);
    await t.beat();
    await t.sync.rereadItems([(await t.item('CAP')).item_id], signal);
    shop().setLocationActive(STORE, true);
    await t.sync.rereadLocations(signal);
    expect((await t.item('CAP')).dirty_at_ms).not.toBeNull();
    expect(answerOf(await t.ledger.checkStock(['CAP'])).items[0]?.available_to_promise).toBe(25);
  });
});
