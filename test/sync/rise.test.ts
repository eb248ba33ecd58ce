/** A stock that rises a hundredfold at once: withheld by one heartbeat, read a second time and settled by the next. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspectLedger } from '../../src/store/sqlite/inspect-ledger.js';
import { MINUTE } from '../helpers/ledger.js';
import { ShopLedger, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
beforeEach(async () => {
  t = await ShopLedger.open();
});
afterEach(() => t.close());

const told = (event: string) => t.events.filter((one) => one.event === event).map(({ detail }) => detail);

/** So much later that its question for changes does not overlap with the one before. */
async function nextBeat(): Promise<void> {
  t.time.pass(5 * MINUTE);
  await t.beat();
}

test('L1: is not sold by the heartbeat that brings it, and is by the next, though nothing has changed since', async () => {
  const before = await t.atp('CAP');
  t.server.shop.receive('CAP', WAREHOUSE, 50_000);
  await nextBeat();
  expect(await t.atp('CAP')).toBe(before);
  expect(told('stock_rise_withheld')).toMatchObject([
    { sku: 'CAP', from_units: 20, to_units: 50_020, withheld_units: 50_000 },
  ]);
  expect(await t.store.countUnproven()).toBe(1);
  expect(inspectLedger(t.path, 0).books).toMatchObject({
    withheld: [{ sku: 'CAP', proven_units: 20, shop_units: 50_020 }],
    withheld_total: 1,
  });
  await t.expectTrueBooks();

  await nextBeat();
  expect(await t.atp('CAP')).toBe(before + 50_000);
  expect(await t.store.countUnproven()).toBe(0);
  expect(told('stock_rise_withheld')).toHaveLength(1);
  await t.expectTrueBooks();
});

test('that was a slip, corrected before the next heartbeat, was never sold', async () => {
  const before = await t.atp('CAP');
  t.server.shop.receive('CAP', WAREHOUSE, 50_000);
  await nextBeat();
  t.server.shop.receive('CAP', WAREHOUSE, -50_000);
  await nextBeat();
  expect(await t.atp('CAP')).toBe(before);
  expect(await t.store.countUnproven()).toBe(0);
  await t.expectTrueBooks();
});

test('that can not be read a second time stays withheld, and holds up no heartbeat', async () => {
  const before = await t.atp('CAP');
  t.server.shop.receive('CAP', WAREHOUSE, 50_000);
  await nextBeat();
  t.server.faults.add({ operation: 'nodes', when: 'before', action: 'status', code: 503, times: 99 });
  await nextBeat();
  expect(await t.atp('CAP')).toBe(before);
  expect(told('rises_unread')).toMatchObject([{ failure: 'unreachable' }]);
  t.server.faults.clear();
  await nextBeat();
  expect(await t.atp('CAP')).toBe(before + 50_000);
  await t.expectTrueBooks();
});
