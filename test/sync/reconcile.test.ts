/** The hourly comparison with the shop: what it finds, what it corrects, and what it must not hold up. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import type { FullReadProgress, Reconciled } from '../../src/sync/stock-sync.js';
import { HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
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
};
afterEach(() => t.close());

const signal = new AbortController().signal;
const many: Catalogue = {
  ...SMALL_CATALOGUE,
  products: Array.from({ length: 23 }, (_, n) => product(`SKU-${n}`, { [WAREHOUSE]: n })),
};

/** A change that the shop's search never shows: its times stay what they were. */
function hidden(sku: string, change: () => void): void {
  const { inventory } = t.server.shop;
  const variant = inventory.variantOfSku(sku);
  const its = inventory.productOfVariant(variant);
  const levels = inventory.levelsOfItem(variant.itemId).map((level) => [level, level.updatedMs] as const);
  const { updatedMs } = its;
  change();
  its.updatedMs = updatedMs;
  for (const [level, before] of levels) Object.assign(level, { updatedMs: before });
}

const reportOf = (result: Reconciled) => {
  if (!result.done) throw new Error(result.why);
  return result.report;
};
const reconcile = async () => reportOf(await t.sync.reconcile(signal));

const told = (event: string) =>
  t.events.filter((one) => one.event === event).map(({ detail }) => detail as Record<string, unknown>);

test('the first full read is on record, and nothing of it is drift', async () => {
  await open();
  expect(await t.store.lastReconciliation()).toMatchObject({
    is_first: true,
    items_read: 4,
    levels_compared: 5,
    drift_total: 0,
    catalogue_drift_total: 0,
    in_passing_total: 0,
    drift: [],
  });
  expect(told('drift')).toEqual([]);
});

test('drift is found, corrected, told by SKU, put on record and journaled; the next finds none', async () => {
  await open();
  t.time.pass(5 * MINUTE);
  hidden('SCARF', () => t.server.shop.sell('SCARF', 2));
  hidden('CAP', () => t.server.shop.receive('CAP', STORE, 4));
  await t.beat();
  expect(await t.atp('SCARF')).toBe(3);
  t.time.pass(HOUR);
  await t.beat();
  expect(await t.atp('SCARF')).toBe(1);
  expect(await t.atp('CAP')).toBe(29);
  const record = await t.store.lastReconciliation();
  expect(record).toMatchObject({ is_first: false, drift_total: 2, in_passing_total: 0, items_read: 4 });
  expect(record?.drift).toMatchObject([
    {
      sku: 'CAP',
      location_id: await t.locationId(STORE),
      ledger_units: 5,
      shop_units: 9,
      difference_units: 4,
    },
    { sku: 'SCARF', ledger_units: 3, shop_units: 1, difference_units: -2 },
  ]);
  expect(told('drift')).toMatchObject([{ drift_total: 2, skus: ['CAP', 'SCARF'] }]);
  const kinds = t.rawly((db) =>
    db.prepare('SELECT kind FROM journal ORDER BY seq DESC LIMIT 3').pluck().all(),
  );
  expect(kinds).toEqual(['stock.reconciled', 'stock.changed', 'stock.changed']);
  await t.expectTrueBooks();

  expect(await reconcile()).toMatchObject({ drift_total: 0, catalogue_drift_total: 0, drift: [] });
  expect(told('drift')).toHaveLength(1);
});

test('a sale that a heartbeat would have shown is none of drift: a heartbeat comes first', async () => {
  await open();
  t.time.pass(5 * MINUTE);
  t.server.shop.sell('SCARF', 1);
  expect(await reconcile()).toMatchObject({ drift_total: 0, in_passing_total: 0 });
  expect(await t.atp('SCARF')).toBe(2);
});

test('a sale while it reads is on its way, not drift', async () => {
  await open();
  t.time.pass(5 * MINUTE);
  let calls = 0;
  // After the heartbeat, and before the pages.
  const cursorNow = t.upstream.source.cursorNow.bind(t.upstream.source);
  Object.assign(t.upstream.source, {
    cursorNow: async (ends: AbortSignal) => {
      calls += 1;
      t.server.shop.sell('SCARF', 1);
      return cursorNow(ends);
    },
  });
  expect(await reconcile()).toMatchObject({ drift_total: 0, in_passing_total: 1 });
  expect(calls).toBe(1);
  expect(await t.atp('SCARF')).toBe(2);
});

test('our own holds and orders are no drift, in whatever state they are', async () => {
  await open();
  t.time.pass(MINUTE);
  await t.mirrored('CAP', 3);
  const placed = await t.granted('CAP', 2);
  await t.accepted(placed);
  await t.work();
  const let_go = await t.mirrored('SCARF', 1);
  await t.release(let_go);
  await t.work();
  await t.granted('COAT', 1);
  t.time.pass(10 * MINUTE);
  expect(await reconcile()).toMatchObject({ drift_total: 0, catalogue_drift_total: 0 });
  await t.expectTrueBooks();
});

test('a product that was archived, deleted or taken off sale unseen is drift of the catalogue', async () => {
  await open();
  t.time.pass(5 * MINUTE);
  hidden('SCARF', () => t.server.shop.setProductStatus('SCARF', 'ARCHIVED'));
  hidden('LAMP', () => t.server.shop.setProductStatus('LAMP', 'DRAFT'));
  // What is in no list of changes, and not even in the shop's log of deletions.
  t.server.set({ searchLagMs: 20 * MINUTE });
  t.server.shop.deleteProduct('COAT');
  await t.beat();
  t.time.pass(10 * MINUTE);
  const report = await reconcile();
  expect(report).toMatchObject({ drift_total: 0, catalogue_drift_total: 3 });
  expect(report.catalogue_drift).toMatchObject([
    { sku: 'SCARF', field: 'lifecycle', from: 'active', to: 'discontinued' },
    { sku: 'LAMP', field: 'lifecycle', from: 'active', to: 'unlisted' },
    { sku: 'COAT', field: 'lifecycle', from: 'active', to: 'discontinued' },
  ]);
  expect((await t.check('SCARF', 'LAMP', 'COAT')).items.map(({ available_to_promise: atp }) => atp)).toEqual([
    0, 0, 0,
  ]);
  await t.expectTrueBooks();
});

test('says how far it is, and lists no more rows than it may, but counts all', async () => {
  await open({
    sandbox: { catalogue: many },
    tuning: { items_per_page: 5 },
    sync: { drift_rows_max: 4 },
  });
  t.time.pass(5 * MINUTE);
  for (let n = 1; n < 10; n += 1) hidden(`SKU-${n}`, () => t.server.shop.sell(`SKU-${n}`, 1));
  await t.beat();
  t.time.pass(10 * MINUTE);
  const seen: FullReadProgress[] = [];
  const report = reportOf(await t.sync.reconcile(signal, { onProgress: (progress) => seen.push(progress) }));
  expect(report.drift_total).toBe(9);
  expect(report.drift).toHaveLength(4);
  expect(seen.map(({ items_read }) => items_read)).toEqual([5, 10, 15, 20, 23]);
});

test('a stock that jumps is told where it is first seen', async () => {
  await open();
  t.time.pass(15 * SECOND);
  t.server.shop.receive('CAP', WAREHOUSE, -15);
  await t.beat();
  expect(told('stock_jumped')).toMatchObject([
    { sku: 'CAP', from_units: 20, to_units: 5, unexplained_units: 15 },
  ]);
  t.time.pass(15 * SECOND);
  t.server.shop.receive('CAP', WAREHOUSE, 100);
  t.server.shop.sell('CAP', 80);
  await t.beat();
  expect(told('stock_jumped')).toHaveLength(1);
  await t.expectTrueBooks();
});

describe('while it takes long', () => {
  /** The pages wait in the middle until the test lets them go on. */
  function gate() {
    let letGo = () => {};
    const waits = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let reached = () => {};
    const half = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { source } = t.upstream;
    const catalogue = source.catalogue.bind(source);
    Object.assign(source, {
      async *catalogue(ends: AbortSignal) {
        let pages = 0;
        for await (const page of catalogue(ends)) {
          yield page;
          pages += 1;
          if (pages !== 2) continue;
          reached();
          await waits;
          ends.throwIfAborted();
        }
      },
    });
    return { half, letGo };
  }
  const slow = { sandbox: { catalogue: many }, tuning: { items_per_page: 5 }, sync: { pulse_ms: 5 } };

  test('heartbeats go on, and the cursor that they reached is kept', async () => {
    await open(slow);
    t.time.pass(5 * MINUTE);
    const { half, letGo } = gate();
    const running = t.sync.reconcile(signal);
    await half;
    t.time.pass(30 * SECOND);
    t.server.shop.sell('SKU-20', 1);
    await expect.poll(() => t.atp('SKU-20'), { timeout: 20_000 }).toBe(19);
    const { cursor } = await t.store.read({}, (state) => state.sync);
    letGo();
    expect(reportOf(await running)).toMatchObject({ drift_total: 0 });
    const sync = await t.store.read({}, (state) => state.sync);
    expect(sync.cursor).not.toBeNull();
    expect((sync.cursor ?? '') >= (cursor ?? '')).toBe(true);
  });

  test('a location that closes meanwhile calls for another full read, and is not forgotten', async () => {
    await open(slow);
    t.time.pass(5 * MINUTE);
    const { half, letGo } = gate();
    const running = t.sync.reconcile(signal);
    await half;
    t.server.shop.setLocationActive(STORE, false);
    await expect
      .poll(async () => (await t.store.read({}, (state) => state.sync)).cursor, { timeout: 20_000 })
      .toBeNull();
    letGo();
    await running;
    expect((await t.store.read({}, (state) => state.sync)).cursor).toBeNull();
    const before = await t.store.reconciliations(10);
    await t.beat();
    expect(await t.store.reconciliations(10)).toHaveLength(before.length + 1);
    expect((await t.store.read({}, (state) => state.sync)).cursor).not.toBeNull();
    await t.expectTrueBooks();
  });

  test('so does one that a message names during the first full read', async () => {
    t = await ShopLedger.bare(slow);
    const { half, letGo } = gate();
    const running = t.sync.readAll(signal);
    await half;
    t.server.shop.setLocationActive(STORE, false);
    await t.sync.rereadLocations(signal);
    letGo();
    expect(await running).toMatchObject({ done: true, report: { is_first: true } });
    const sync = await t.store.read({}, (state) => state.sync);
    expect(sync).toMatchObject({ baseline_at_ms: expect.any(Number), cursor: null });
    await t.beat();
    expect((await t.store.read({}, (state) => state.sync)).cursor).not.toBeNull();
    await t.expectTrueBooks();
  });

  test('another process that has taken over ends it, and it says so', async () => {
    await open(slow);
    t.time.pass(5 * MINUTE);
    const { half, letGo } = gate();
    const running = t.sync.reconcile(signal);
    await half;
    const records = await t.store.reconciliations(10);
    // This one was asleep for longer than its lease.
    t.rawly((db) =>
      db.exec("UPDATE leases SET owner = 'worker-9', until_ms = until_ms + 100000 WHERE name = 'sync'"),
    );
    letGo();
    expect(await running).toEqual({ done: false, why: 'another_process' });
    expect(await t.store.reconciliations(10)).toEqual(records);
    expect(await t.sync.reconcile(signal)).toEqual({ done: false, why: 'another_process' });
    expect(await t.sync.readAll(signal)).toEqual({ done: false, why: 'another_process' });
  });

  test('the lease is renewed for as long as it runs', async () => {
    await open(slow);
    const other = t.beside('worker-2');
    t.time.pass(5 * MINUTE);
    const { half, letGo } = gate();
    const running = t.sync.reconcile(signal);
    await half;
    for (let beats = 0; beats < 6; beats += 1) {
      t.time.pass(20 * SECOND);
      const until = () =>
        t.rawly((db) => db.prepare("SELECT until_ms FROM leases WHERE name = 'sync'").pluck().get());
      await expect.poll(until, { timeout: 20_000 }).toBeGreaterThan(t.time.wall_ms + 44 * SECOND);
      expect(await other.sync.readAll(signal)).toMatchObject({ done: false });
    }
    letGo();
    expect(await running).toMatchObject({ done: true });
  });
});

test('one that breaks off leaves no record and confirms nothing; the next starts again', async () => {
  await open({ sandbox: { catalogue: many }, tuning: { items_per_page: 5, attempts_max: 1 } });
  t.time.pass(2 * HOUR);
  const records = await t.store.reconciliations(10);
  const { baseline_at_ms } = await t.store.read({}, (state) => state.sync);
  t.server.faults.add({ operation: 'inventoryItems', when: 'after', action: 'drop' });
  await expect(t.beat()).rejects.toThrow('shop');
  expect(await t.store.reconciliations(10)).toEqual(records);
  expect((await t.store.read({}, (state) => state.sync)).baseline_at_ms).toBe(baseline_at_ms);
  await t.beat();
  expect(await t.store.reconciliations(10)).toHaveLength(records.length + 1);
});

test('comes although the heartbeat before it fails for what the shop can not tell', async () => {
  await open({ tuning: { attempts_max: 1 } });
  t.time.pass(2 * HOUR);
  t.server.shop.sell('SCARF', 1);
  t.server.faults.add({ operation: 'products', when: 'before', action: 'status', code: 503, times: 1 });
  await t.beat();
  expect(told('heartbeat_failed')).toHaveLength(1);
  expect(await t.atp('SCARF')).toBe(2);
});
