/** How what the shop says comes into the ledger, and how old it may be. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { HOUR, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import {
  product,
  ShopLedger,
  type ShopLedgerOptions,
  SMALL_CATALOGUE,
  STORE,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';

let t: ShopLedger;
const bare = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.bare(options);
};
const open = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
};
afterEach(() => t.close());

const refuse = (times: number, operation = '*') =>
  t.server.faults.add({ operation, when: 'before', action: 'status', code: 503, times });

const confirmedAt = async () => (await t.store.read({}, (state) => state.sync)).confirmed_at_ms;

const many: Catalogue = {
  ...SMALL_CATALOGUE,
  products: Array.from({ length: 23 }, (_, n) => product(`SKU-${n}`, { [WAREHOUSE]: n })),
};

describe('the first full read', () => {
  test('brings the whole catalogue, page by page', async () => {
    await bare({ sandbox: { catalogue: many }, tuning: { items_per_page: 5 } });
    await t.beat();
    const { items, unknown_skus } = await t.check(...many.products.map((_, n) => `SKU-${n}`));
    expect(unknown_skus).toEqual([]);
    expect(items.map((item) => item.available_to_promise)).toEqual(many.products.map((_, n) => n));
    expect((await t.store.read({}, (state) => state.sync)).baseline_at_ms).not.toBeNull();
    await t.expectTrueBooks();
  });

  test('item 20: is through, and heartbeats after it, in a shop where such pages are too costly', async () => {
    await bare({ sandbox: { catalogue: many, pricing: 'documented' } });
    await t.beat();
    const { items } = await t.check(...many.products.map((_, n) => `SKU-${n}`));
    expect(items.map((item) => item.available_to_promise)).toEqual(many.products.map((_, n) => n));
    const before = await confirmedAt();
    t.server.shop.sell('SKU-7', 3);
    t.time.pass(15 * SECOND);
    await t.beat();
    expect((await t.check('SKU-7')).items[0]?.available_to_promise).toBe(4);
    expect(await confirmedAt()).toBeGreaterThan(before ?? 0);
    expect(t.events).toEqual([]);
    await t.expectTrueBooks();
  });

  test('SKUs that a call names before it is through are read on demand', async () => {
    await bare();
    expect((await t.check('SCARF')).unknown_skus).toEqual(['SCARF']);
    const answer = await t.ledger.checkStock(['SCARF']);
    expect(answer).toMatchObject({
      ok: true,
      value: { items: [{ sku: 'SCARF', available_to_promise: 3, fresh: true }] },
    });
    expect(await t.reserve('COAT', 1)).toMatchObject({ ok: true });
    expect((await t.store.read({}, (state) => state.sync)).baseline_at_ms).toBeNull();
    await t.expectTrueBooks();
  });

  test('that breaks off half way has confirmed nothing, and starts again', async () => {
    await bare({ sandbox: { catalogue: many }, tuning: { items_per_page: 5, attempts_max: 1 } });
    const reads = t.sync.readAll(new AbortController().signal);
    // The third page does not come: two exchanges for locations and clock, then the pages.
    t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'delay', ms: 1 });
    t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'delay', ms: 1 });
    t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'drop' });
    await expect(reads).rejects.toThrow('shop');
    expect(await t.store.read({}, (state) => state.sync)).toMatchObject({
      baseline_at_ms: null,
      confirmed_at_ms: 0,
    });
    expect((await t.check('SKU-3', 'SKU-20')).unknown_skus).toEqual(['SKU-20']);
    await t.beat();
    expect((await t.check('SKU-20')).unknown_skus).toEqual([]);
  });

  test('confirms every SKU as of its start, not of its end', async () => {
    await bare({ sandbox: { catalogue: many }, tuning: { items_per_page: 5, attempts_max: 2 } });
    const began = t.time.wall_ms;
    refuse(1, 'inventoryItems'); // a page is asked for again after a wait
    await t.beat();
    expect(t.time.wall_ms).toBeGreaterThan(began);
    expect(await confirmedAt()).toBe(began);
  });

  test('sees in its first heartbeat what was sold while it ran', async () => {
    await bare({ sandbox: { catalogue: many }, tuning: { items_per_page: 5 } });
    t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'delay', ms: 1 });
    t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'delay', ms: 300 });
    const reading = t.beat();
    await expect.poll(() => t.check('SKU-4').then(({ items }) => items.length), { timeout: 20_000 }).toBe(1);
    t.server.shop.sell('SKU-4', 1);
    await reading;
    expect(await t.atp('SKU-4')).toBe(4);
    t.time.pass(15 * SECOND);
    await t.beat();
    expect(await t.atp('SKU-4')).toBe(3);
  });
});

describe('a heartbeat', () => {
  test('sees a sale at the till, and the checksum changes', async () => {
    await open();
    const before = await t.item('SCARF');
    t.time.pass(15 * SECOND);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    const after = await t.item('SCARF');
    expect(await t.atp('SCARF')).toBe(2);
    expect(after.stock_hash).not.toBe(before.stock_hash);
    expect(after.state_version).toBe(before.state_version + 1);
    expect(after.as_of_ms).toBe(t.time.wall_ms);
    await t.expectTrueBooks();
  });

  test('in which nothing happened leaves every checksum and confirms every SKU as of its start', async () => {
    await open();
    const before = await t.check('CAP', 'SCARF', 'COAT', 'LAMP');
    t.time.pass(90 * SECOND);
    const began = t.time.wall_ms;
    await t.beat();
    const after = await t.check('CAP', 'SCARF', 'COAT', 'LAMP');
    expect(after.items.map((item) => item.stock_hash)).toEqual(before.items.map((item) => item.stock_hash));
    expect(after.items.map((item) => item.as_of)).toEqual(before.items.map((item) => item.as_of));
    expect(after.items.map((item) => Date.parse(item.confirmed_at))).toEqual(Array(4).fill(began));
  });

  test('that had to wait for the shop confirms as of when it began', async () => {
    await open();
    t.time.pass(90 * SECOND);
    const began = t.time.wall_ms;
    refuse(1, 'products');
    await t.beat();
    expect(t.time.wall_ms).toBeGreaterThan(began);
    expect(await confirmedAt()).toBe(began);
  });

  test('that fails confirms nothing: the age grows until the stock is not fresh and promises nothing', async () => {
    await open({ tuning: { attempts_max: 1 } });
    const began = await confirmedAt();
    refuse(1000);
    for (let beats = 0; beats < 8; beats += 1) {
      t.time.pass(15 * SECOND);
      await expect(t.beat()).rejects.toThrow('shop: unreachable');
    }
    expect(await confirmedAt()).toBe(began);
    expect((await t.check('SCARF')).items[0]).toMatchObject({
      age_seconds: 120,
      fresh: true,
      available_to_promise: 3,
    });
    t.time.pass(1 * SECOND);
    expect((await t.check('SCARF')).items[0]).toMatchObject({
      age_seconds: 121,
      fresh: false,
      available_to_promise: 0,
    });
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('stock_stale');

    t.server.faults.clear();
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
  });

  test('after a failed one catches up with everything since the last that succeeded', async () => {
    await open({ tuning: { attempts_max: 1 } });
    t.time.pass(15 * SECOND);
    t.server.shop.sell('SCARF', 1);
    refuse(1, 'products'); // levels were read, then it broke off
    await expect(t.beat()).rejects.toThrow();
    t.time.pass(10 * MINUTE);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(2);
  });

  test('after a long silence reads everything again', async () => {
    await open();
    t.server.shop.sell('SCARF', 1);
    t.time.pass(61 * MINUTE);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(2);
    expect((await t.item('LAMP')).read_at_ms).toBe(t.time.wall_ms);
  });
});

describe('the catalogue changes', () => {
  test('an archived product promises nothing and takes no reservation', async () => {
    await open();
    t.time.pass(15 * SECOND);
    t.server.shop.setProductStatus('SCARF', 'ARCHIVED');
    await t.beat();
    expect((await t.check('SCARF')).items[0]).toMatchObject({
      status: 'discontinued',
      available_to_promise: 0,
    });
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('item_discontinued');
    await t.expectTrueBooks();
  });

  test('a renamed product keeps its checksum: a title is no stock', async () => {
    await open();
    const before = await t.item('SCARF');
    t.time.pass(15 * SECOND);
    const { inventory, productChanges } = t.server.shop;
    const its = inventory.productOfVariant(inventory.variantOfSku('SCARF'));
    productChanges.updateProduct(its, { title: 'Silk Scarf' }, t.time.wall_ms);
    await t.beat();
    expect(await t.item('SCARF')).toMatchObject({ title: 'Silk Scarf', stock_hash: before.stock_hash });
    expect(await t.store.searchItems('silk', 5)).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('an item that a full read does not see any more is discontinued', async () => {
    await open();
    const { inventory } = t.server.shop;
    const variant = inventory.variantOfSku('SCARF');
    for (const level of inventory.levelsOfItem(variant.itemId)) inventory.levels.delete(level.id);
    inventory.items.delete(variant.itemId);
    inventory.variants.delete(variant.id);
    inventory.products.delete(variant.productId);
    t.time.pass(15 * SECOND);
    await t.sync.readAll(new AbortController().signal);
    expect((await t.check('SCARF')).items[0]).toMatchObject({
      status: 'discontinued',
      available_to_promise: 0,
    });
    expect((await t.check('COAT')).items[0]).toMatchObject({ status: 'active', available_to_promise: 1 });
    expect(await t.store.searchItems('SCARF', 5)).toEqual([]);
    await t.expectTrueBooks();
  });

  test('a product made anew takes over the SKU of the one that was archived, and two that are sold share none', async () => {
    const twice = [product('SCARF', { [WAREHOUSE]: 3 }), product('SCARF', { [WAREHOUSE]: 9 })];
    await open({ sandbox: { catalogue: { ...SMALL_CATALOGUE, products: twice } } });
    expect(await t.atp('SCARF')).toBe(9);
    const found = await t.store.searchItems('SCARF', 5);
    const other = found.find(({ sku }) => sku !== 'SCARF')?.sku ?? '';
    expect(other).toMatch(/^SCARF~\d+$/);
    expect(await t.atp(other)).toBe(3);

    t.time.pass(15 * SECOND);
    const newest = [...t.server.shop.inventory.products.values()].at(-1);
    if (newest === undefined) throw new Error('there are two products');
    t.server.shop.productChanges.updateProduct(newest, { status: 'ARCHIVED' }, t.server.shop.settle());
    await t.beat();
    expect((await t.check('SCARF')).items[0]).toMatchObject({ status: 'active', available_to_promise: 3 });
    expect((await t.check(other)).unknown_skus).toEqual([other]);
  });

  test('what a location that was closed still stocks is not promised, and is again once it opens', async () => {
    await open();
    t.time.pass(15 * SECOND);
    t.server.shop.setLocationActive(STORE, false);
    await t.beat();
    expect(await t.atp('LAMP')).toBe(0);
    expect(await t.atp('CAP')).toBe(20);
    t.time.pass(15 * SECOND);
    t.server.shop.setLocationActive(STORE, true);
    await t.beat();
    expect(await t.atp('LAMP')).toBe(4);
    await t.expectTrueBooks();
  });

  test.each(['closed', 'reopened'] as const)(
    'a location that was %s is not forgotten when the full read it calls for fails',
    async (what) => {
      await open({ tuning: { attempts_max: 1 } });
      if (what === 'reopened') {
        t.server.shop.setLocationActive(STORE, false);
        await t.beat();
      }
      const before = (await t.item('LAMP')).stock_hash;
      t.time.pass(15 * SECOND);
      t.server.shop.setLocationActive(STORE, what === 'reopened');
      refuse(1, 'inventoryItems');
      await expect(t.beat()).rejects.toThrow();
      t.time.pass(15 * SECOND);
      await t.beat();
      expect(await t.atp('LAMP')).toBe(what === 'reopened' ? 4 : 0);
      expect((await t.item('LAMP')).stock_hash).not.toBe(before);
      await t.expectTrueBooks();
    },
  );

  test('a location that was closed is not forgotten when a call for an unknown SKU comes before the heartbeat', async () => {
    await bare();
    await t.sync.freshen(['LAMP'], 5000);
    const before = (await t.item('LAMP')).stock_hash;
    await t.beat();
    t.server.shop.setLocationActive(STORE, false);
    await t.sync.freshen(['NO-SUCH-SKU'], 5000);
    t.time.pass(15 * SECOND);
    await t.beat();
    expect((await t.item('LAMP')).stock_hash).not.toBe(before);
    await t.expectTrueBooks();
  });

  test('item 1: what a search finds at the shop before the first full read can be sold at once', async () => {
    await bare();
    const [lamp, ...others] = (await t.sync.search({ query: 'lamps', limit: 5 }, 5000)) ?? [];
    expect([lamp?.sku, others]).toEqual(['LAMP', []]);
    expect(await t.atp('LAMP')).toBeGreaterThan(0);
    expect(await t.sync.search({ query: 'zeppelin', limit: 5 }, 5000)).toEqual([]);
    await t.expectTrueBooks();
  });

  test('item 1: a search that the shop does not answer is not said to have found nothing', async () => {
    await bare();
    refuse(9, 'productVariants');
    expect(await t.sync.search({ query: 'lamps', limit: 5 }, 5000)).toBeNull();
    expect(t.events.map(({ event }) => event)).toContain('search_failed');
  });

  test('a location that is new, and an item stocked there, are both known after one heartbeat', async () => {
    await open({
      sandbox: {
        catalogue: {
          locations: [...SMALL_CATALOGUE.locations, { name: 'Depot', city: 'Kiel', countryCode: 'DE' }],
          products: SMALL_CATALOGUE.products,
        },
      },
    });
    // The ledger has never heard of it.
    t.rawly((db) => db.prepare("DELETE FROM locations WHERE name = 'Depot'").run());
    t.time.pass(15 * SECOND);
    t.server.shop.receive('SCARF', 'Depot', 6);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(9);
    await t.expectTrueBooks();
  });

  test('levels of an item that the ledger does not know bring the whole item', async () => {
    await open();
    const { item_id } = await t.item('COAT');
    t.rawly((db) => {
      db.pragma('foreign_keys = OFF');
      const key = db.prepare("SELECT item_key FROM items WHERE sku = 'COAT'").pluck().get();
      for (const table of ['levels', 'stock_versions', 'items']) {
        db.prepare(`DELETE FROM ${table} WHERE item_key = ?`).run(key);
      }
    });
    t.time.pass(15 * SECOND);
    const { inventory } = t.server.shop;
    const its = inventory.productOfVariant(inventory.variantOfSku('COAT'));
    const { updatedMs } = its;
    t.server.shop.receive('COAT', WAREHOUSE, 1);
    its.updatedMs = updatedMs; // the product's own time lags behind: only the level has changed
    await t.beat();
    expect(await t.item('COAT')).toMatchObject({ item_id, lifecycle: 'active' });
    expect(await t.atp('COAT')).toBe(2);
  });
});

test('a full read comes round each hour, heartbeats or not: it finds what the shop’s search never showed', async () => {
  await open();
  const { inventory } = t.server.shop;
  const its = inventory.productOfVariant(inventory.variantOfSku('SCARF'));
  const [level] = inventory.levelsOfItem(inventory.variantOfSku('SCARF').itemId);
  const { updatedMs: productUpdated } = its;
  if (level === undefined) throw new Error('no level');
  const { updatedMs } = level;
  t.time.pass(5 * MINUTE);
  t.server.shop.sell('SCARF', 2);
  // The search index has missed it.
  its.updatedMs = productUpdated;
  Object.assign(level, { updatedMs });
  await t.beat();
  expect(await t.atp('SCARF')).toBe(3);
  t.time.pass(HOUR);
  await t.beat();
  expect(await t.atp('SCARF')).toBe(1);
});

describe('several processes', () => {
  test('beat one at a time, and another takes over when the one with the lease dies', async () => {
    await open();
    const other = t.beside('worker-2');
    const first = await confirmedAt();
    t.time.pass(15 * SECOND);
    await other.beat();
    expect(await confirmedAt()).toBe(first);
    t.time.pass(31 * SECOND); // 46 s after the last sign of life of the first
    await other.beat();
    expect(await confirmedAt()).toBe(t.time.wall_ms);
    t.time.pass(15 * SECOND);
    await t.beat(); // the first was only asleep: it is not its turn any more
    expect(await confirmedAt()).toBe(t.time.wall_ms - 15 * SECOND);
  });

  test('one that stops hands over at once', async () => {
    await open();
    const other = t.beside('worker-2');
    await t.sync.close();
    t.time.pass(15 * SECOND);
    await other.beat();
    expect(await confirmedAt()).toBe(t.time.wall_ms);
  });
});

describe('a re-read on demand', () => {
  test('of one stale SKU is one call, however many ask', async () => {
    await open({ settings: { freshen_wait_ms: 20_000 }, tuning: { attempts_max: 1 } });
    t.time.pass(10 * MINUTE);
    t.server.faults.add({ operation: 'nodes', when: 'after', action: 'delay', ms: 100 });
    // The first call takes the delay; a second would fail.
    t.server.faults.add({ operation: 'nodes', when: 'after', action: 'status', code: 503 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => t.ledger.checkStock(['SCARF'])));
    for (const answer of answers) {
      expect(answer).toMatchObject({
        ok: true,
        value: { items: [{ fresh: true, available_to_promise: 3 }] },
      });
    }
    // Armed for a second call, and never used.
    expect(t.server.faults.list().map(({ times }) => times)).toEqual([1]);
  });

  test('ends at its deadline, and the stock is answered as not fresh and promises nothing', async () => {
    await open({ settings: { freshen_wait_ms: 100 }, tuning: { attempts_max: 1, timeout_ms: 10 * MINUTE } });
    t.time.pass(10 * MINUTE);
    t.server.faults.add({ operation: 'nodes', when: 'before', action: 'delay', ms: 10 * MINUTE });
    const answer = await t.ledger.checkStock(['SCARF']);
    expect(answer).toMatchObject({ ok: true, value: { items: [{ fresh: false, available_to_promise: 0 }] } });
    expect(t.events.map(({ event }) => event)).toEqual(['freshen_failed']);
  });

  test('that failed is tried anew by the next who asks', async () => {
    await open({ tuning: { attempts_max: 1 } });
    t.time.pass(10 * MINUTE);
    refuse(1);
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('stock_stale');
    expect(await t.reserve('SCARF', 1)).toMatchObject({ ok: true });
  });

  test('of an item that the shop has deleted makes it discontinued', async () => {
    await open();
    const { inventory } = t.server.shop;
    const variant = inventory.variantOfSku('SCARF');
    inventory.items.delete(variant.itemId);
    t.time.pass(10 * MINUTE);
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('item_discontinued');
    await t.expectTrueBooks();
  });

  test('an answer that comes late does not bring back older figures', async () => {
    await open();
    t.server.shop.receive('SCARF', WAREHOUSE, 1);
    // The connection stalls after the shop has answered four; meanwhile one is sold and a heartbeat says three. The
    // shop tells its times in whole seconds, so that by those alone both are as old.
    t.server.faults.add({ operation: 'nodes', when: 'after', action: 'delay', ms: 300 });
    const late = t.sync.freshen(['SCARF'], 5000);
    await expect.poll(() => t.server.faults.list().length, { timeout: 20_000 }).toBe(0);
    t.time.pass(300);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    await late;
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });
});
