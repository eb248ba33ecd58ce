/** Reads that can't be finished: what was gained stays, nothing else is stopped by it, and a mark is never written over. */

import { afterEach, expect, test } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import type { LocationObservation } from '../../src/ledger/model/values/observation.js';
import type { Store } from '../../src/ledger/state/state.js';
import { type StockSource, UpstreamError } from '../../src/sources/source.js';
import { PageTooLate } from '../../src/sync/page-limit.js';
import { answerOf, HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import {
  product,
  ShopLedger,
  type ShopLedgerOptions,
  SMALL_CATALOGUE,
  STORE,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());
const signal = new AbortController().signal;
const open = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open({ ...options, tuning: { attempts_max: 1, ...options.tuning } });
};
const sync = () => t.store.read({}, (state) => state.sync);
const told = (name: string) => t.events.filter(({ event }) => event === name);

/** Between the shop's answer and us. */
function wrap(change: (source: StockSource) => Partial<StockSource>): void {
  const source = t.upstream.source as { -readonly [Name in keyof StockSource]: StockSource[Name] };
  const plain: StockSource = {
    publicationKey: source.publicationKey.bind(source),
    listings: source.listings.bind(source),
    locations: source.locations.bind(source),
    catalogue: source.catalogue.bind(source),
    countVariants: source.countVariants.bind(source),
    cursorNow: source.cursorNow.bind(source),
    hearTime: source.hearTime.bind(source),
    changesSince: source.changesSince.bind(source),
    readItems: source.readItems.bind(source),
    itemsOfProducts: source.itemsOfProducts.bind(source),
    findBySku: source.findBySku.bind(source),
    findByWords: source.findByWords.bind(source),
  };
  Object.assign(source, change(plain));
}

test.each([
  ['than the shop can tell of', () => new UpstreamError('protocol', 'a list of more than 1000 pages')],
  ['than we wait for', () => new PageTooLate(30_000)],
])(
  'a heartbeat after more changes %s becomes a full read at once, and the next goes on from there',
  async (_, error) => {
    await open();
    const stuck = (await sync()).cursor ?? '';
    wrap((shop) => ({
      async *changesSince(cursor, limited) {
        if (cursor <= stuck) throw error();
        yield* shop.changesSince(cursor, limited);
      },
    }));
    t.time.pass(10 * MINUTE);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    expect(told('heartbeat_given_up')).toHaveLength(1);
    expect(await t.atp('SCARF')).toBe(2);
    expect((await sync()).cursor).not.toBe(stuck);
    for (let beats = 0; beats < 5; beats += 1) {
      t.time.pass(15 * SECOND);
      await t.beat();
      expect((await sync()).confirmed_at_ms).toBe(t.time.wall_ms);
    }
    expect(told('heartbeat_given_up')).toHaveLength(1);
  },
);

test('a full read that is due gives a heartbeat that fails before it a new cursor too', async () => {
  await open();
  const stuck = (await sync()).cursor ?? '';
  wrap((shop) => ({
    async *changesSince(cursor, limited) {
      if (cursor <= stuck) throw new UpstreamError('unreachable', 'no answer');
      yield* shop.changesSince(cursor, limited);
    },
  }));
  t.time.pass(2 * HOUR);
  await t.beat();
  t.time.pass(15 * SECOND);
  await t.beat();
  expect((await sync()).confirmed_at_ms).toBe(t.time.wall_ms);
});

test('a heartbeat that breaks off keeps what it has read, and confirms nothing', async () => {
  await open();
  const before = await sync();
  t.time.pass(15 * SECOND);
  t.server.shop.sell('SCARF', 1);
  t.server.faults.add({ operation: 'products', when: 'before', action: 'status', code: 503, times: 1 });
  await expect(t.beat()).rejects.toThrow('unreachable');
  expect(await t.atp('SCARF')).toBe(2);
  expect(await sync()).toEqual(before);
});

test('a mark that everything has to be read again is not written over by the heartbeat under way', async () => {
  await open();
  wrap((shop) => ({
    async *changesSince(cursor, limited) {
      yield* shop.changesSince(cursor, limited);
      t.server.shop.setLocationActive(STORE, false);
      await t.sync.rereadLocations(signal);
    },
  }));
  const { confirmed_at_ms } = await sync();
  t.time.pass(15 * SECOND);
  await t.beat();
  expect(await sync()).toMatchObject({ cursor: null, confirmed_at_ms });
});

test('L1: a location that opens again promises nothing until it has been read, whatever was known before', async () => {
  await open();
  expect(await t.level('LAMP', STORE)).toMatchObject({ upstream_available_units: 4 });
  // Nobody has heard of it when the location closes.
  t.server.shop.sell('LAMP', 4);
  t.server.shop.setLocationActive(STORE, false);
  await t.sync.rereadLocations(signal);
  expect(await t.atp('LAMP')).toBe(0);
  t.server.shop.setLocationActive(STORE, true);
  await t.sync.rereadLocations(signal);
  expect(await t.atp('LAMP')).toBe(0);
  const { items } = answerOf(await t.ledger.checkStock(['LAMP']));
  expect(items[0]?.available_to_promise).toBe(0);
  await t.beat();
  expect(await t.atp('LAMP')).toBe(0);
  expect((await t.item('LAMP')).dirty_at_ms).toBeNull();
});

test('a heartbeat renews its lease with each page, and ends when another process has it', async () => {
  await open();
  const { confirmed_at_ms } = await sync();
  const other = t.beside('worker-2');
  let pages = 0;
  wrap(() => ({
    async *changesSince(cursor) {
      for (; ; pages += 1) {
        t.time.pass(20 * SECOND);
        if (pages < 4)
          expect(await other.sync.readAll(signal)).toEqual({ done: false, why: 'another_process' });
        else t.rawly((db) => db.exec("UPDATE leases SET owner = 'worker-9', until_ms = until_ms + 100000"));
        yield { levels: [], item_ids: [], product_ids: [], has_lost_variants: false, cursor };
      }
    },
  }));
  await t.beat();
  expect(pages).toBe(4);
  expect((await sync()).confirmed_at_ms).toBe(confirmed_at_ms);
});

test('one item that can not be taken over stops neither heartbeat nor full read: it promises nothing, and is told', async () => {
  await open({
    sandbox: {
      catalogue: {
        ...SMALL_CATALOGUE,
        products: [product('ODD', { [WAREHOUSE]: 5 }), product('EVEN', { [WAREHOUSE]: 5 })],
      },
    },
  });
  const { item_id: odd } = await t.item('ODD');
  wrap((shop) => ({
    async *catalogue(limited) {
      for await (const page of shop.catalogue(limited))
        yield { ...page, items: page.items.filter(({ item_id }) => item_id !== odd) };
    },
    async readItems(ids, limited) {
      if (ids.includes(odd)) throw new UpstreamError('protocol', 'not what the schema promises');
      return shop.readItems(ids, limited);
    },
    async *changesSince(cursor, limited) {
      for await (const page of shop.changesSince(cursor, limited)) {
        const level = page.levels[0];
        yield {
          ...page,
          levels: level === undefined ? [] : [...page.levels, { ...level, location_id: '999' }],
        };
      }
    },
  }));
  t.time.pass(15 * SECOND);
  t.server.shop.sell('ODD', 1);
  t.server.shop.sell('EVEN', 1);
  await t.beat();
  expect((await sync()).confirmed_at_ms).toBe(t.time.wall_ms);
  expect([await t.atp('ODD'), await t.atp('EVEN')]).toEqual([0, 4]);
  expect(told('items_unread').at(-1)?.detail).toMatchObject({ item_ids: [odd], failure: 'protocol' });
  t.time.pass(2 * HOUR);
  await t.beat();
  expect(await sync()).toMatchObject({ baseline_at_ms: t.time.wall_ms, cursor: expect.any(String) });
  expect([await t.atp('ODD'), await t.atp('EVEN')]).toEqual([0, 4]);
});

test('an item at a location that is not listed does not stop the first full read', async () => {
  t = await ShopLedger.bare({ tuning: { attempts_max: 1 } });
  let listed: readonly LocationObservation[] = [];
  wrap((shop) => ({
    async locations(limited) {
      listed = await shop.locations(limited);
      return listed.filter(({ name }) => name !== STORE);
    },
  }));
  await t.beat();
  expect(listed.some(({ name }) => name === STORE)).toBe(true);
  expect((await sync()).baseline_at_ms).not.toBeNull();
  expect(await t.atp('SCARF')).toBe(3);
  expect(told('items_unread').length).toBeGreaterThan(0);
});

test('an order poll that breaks off keeps the pages it has taken over, and looks at orders nobody has seen all the same', async () => {
  await open({ tuning: { orders_per_page: 1, overlap_s: 0 } });
  const placed: string[] = [];
  const poll = (unseen_max: number) =>
    t.watchOrders({ limits: { ...LIMITS.orders, unseen_max } }).poll(signal);
  await poll(0);
  for (let count = 0; count < 3; count += 1) {
    t.time.pass(MINUTE);
    const reservation = await t.granted('CAP', 1);
    await t.work();
    await t.accepted(reservation);
    await t.work();
    placed.push(reservation.reservation_id);
  }
  const start = (await (t.store as Store).orderCursor()) ?? '';
  t.server.faults.add({ operation: 'orders', when: 'after', action: 'delay', ms: 1 });
  t.server.faults.add({ operation: 'orders', when: 'after', action: 'drop' });
  await expect(poll(0)).rejects.toThrow('unreachable');
  const half = (await t.store.orderCursor()) ?? '';
  expect(half > start).toBe(true);
  expect(await t.store.unseenOrders(10)).toHaveLength(2);
  t.server.faults.add({ operation: 'orders', when: 'after', action: 'drop' });
  await expect(poll(10)).rejects.toThrow('unreachable');
  expect(await t.store.unseenOrders(10)).toEqual([]);
  await poll(0);
  expect(((await t.store.orderCursor()) ?? '') > half).toBe(true);
});

test('a bulk result that breaks off half-way is counted once: the pages after it start from nothing', async () => {
  await open();
  wrap((shop) => ({
    async *catalogue(limited) {
      for await (const page of shop.catalogue(limited))
        yield { ...page, items: page.items.slice(0, 2), as_of: 'walk' };
      yield* shop.catalogue(limited);
    },
  }));
  const counts: number[] = [];
  t.time.pass(5 * MINUTE);
  const done = await t.sync.reconcile(signal, { onProgress: ({ items_read }) => counts.push(items_read) });
  const all = SMALL_CATALOGUE.products.length;
  expect(counts).toEqual([2, all]);
  expect(done).toMatchObject({ done: true, report: { items_read: all } });
});
