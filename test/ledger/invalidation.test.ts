/** What the ledger makes of the shop's word that an item has changed. */

import { afterEach, describe, expect, test } from 'vitest';
import type { ShopHint } from '../../src/ledger/model/values/observation.js';
import {
  answerOf,
  MINUTE,
  refusalOf,
  SECOND,
  STORE,
  TestLedger,
  type TestLedgerOptions,
  WAREHOUSE,
} from '../helpers/ledger.js';

let t: TestLedger;
/** SKUs that were asked of the shop, a call each. */
let asked: (readonly string[])[];
/** What the shop has of the tee now, and what happens while it is read. */
let shop: {
  units: number;
  meanwhile: (() => Promise<void>) | null;
  reachable: boolean;
  /** When the read began that the next one joins; null when it is one of its own. */
  joined_at_ms: number | null;
};
let deliveries = 0;

async function open(options: TestLedgerOptions = {}): Promise<void> {
  asked = [];
  shop = { units: 10, meanwhile: null, reachable: true, joined_at_ms: null };
  t = await TestLedger.open({
    ...options,
    freshener: {
      freshen: async (skus) => {
        asked.push(skus);
        if (!shop.reachable) return false;
        const read_at_ms = shop.joined_at_ms ?? t.clock.now();
        shop.joined_at_ms = null;
        const { units } = shop;
        await shop.meanwhile?.();
        for (const sku of skus) await t.seed({ sku, levels: { [WAREHOUSE]: units }, read_at_ms });
        return true;
      },
    },
  });
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
  t.time.pass(SECOND);
}
afterEach(() => t.close());

const ofTee: ShopHint = { kind: 'item', id: 'item-tee' };
async function hear(...hints: ShopHint[]): Promise<void> {
  deliveries += 1;
  const delivery = { delivery_id: `d${deliveries}`, topic: 'inventory_levels/update', hints };
  expect(await t.store.receive(delivery, 1000)).toBe('taken');
}
const checked = async () => answerOf(await t.ledger.checkStock(['tee'])).items[0];

describe('an item that the shop has said to have changed', () => {
  test('promises nothing as it stands, and says how old it is', async () => {
    await open();
    const read_at = t.time.wall_ms - SECOND;
    t.time.pass(5 * SECOND);
    await t.store.putSync({ baseline_at_ms: 1, confirmed_at_ms: t.time.wall_ms, cursor: null });
    t.time.pass(5 * SECOND);
    await hear(ofTee);
    const heard_at = t.time.wall_ms;
    t.time.pass(5 * SECOND);
    // A later heartbeat is about the whole shop, and its search may lag.
    await t.store.putSync({ baseline_at_ms: 1, confirmed_at_ms: t.time.wall_ms, cursor: null });
    const answer = await t.check('tee');
    expect(answer.items[0]).toMatchObject({ fresh: false, available_to_promise: 0, age_seconds: 5 });
    expect(Date.parse(answer.items[0]?.confirmed_at ?? '')).toBe(heard_at - 1);
    expect(Date.parse(answer.valid_until)).toBeLessThanOrEqual(heard_at);
    expect((await t.item('tee')).read_at_ms).toBe(read_at);
  });

  test.each<[string, ShopHint]>([
    ['its id', ofTee],
    ['its variant', { kind: 'variant', id: 'v-tee' }],
    ['its product', { kind: 'product', id: '8item-tee' }],
  ])('is known by %s, and no other is touched', async (_, hint) => {
    await open();
    await t.seed({ sku: 'tee', variant_id: 'v-tee' });
    await t.seed({ sku: 'cap' });
    await hear(hint);
    expect((await t.item('tee')).dirty_at_ms).toBe(t.time.wall_ms);
    expect((await t.item('cap')).dirty_at_ms).toBeNull();
  });

  test('is read before it is answered, and the answer is the shop’s', async () => {
    await open();
    shop.units = 4;
    await hear(ofTee);
    expect(await checked()).toMatchObject({ fresh: true, available_to_promise: 4, age_seconds: 0 });
    expect(asked).toEqual([['tee']]);
    expect(await checked()).toMatchObject({ available_to_promise: 4 });
    expect(asked).toHaveLength(1);
  });

  test('is answered as not fresh, with nothing, when the shop can’t be read', async () => {
    await open();
    await hear(ofTee);
    shop.reachable = false;
    expect(await checked()).toMatchObject({ fresh: false, available_to_promise: 0 });
    expect(refusalOf(await t.reserve('tee', 1))).toMatchObject({ code: 'stock_stale' });
  });

  test('L1: is read before units of it are granted', async () => {
    await open();
    shop.units = 1;
    await hear(ofTee);
    expect(refusalOf(await t.reserve('tee', 2))).toMatchObject({
      code: 'stock_insufficient',
      details: { items: [{ available_to_promise: 1 }] },
    });
    expect(await t.reserve('tee', 1)).toMatchObject({ ok: true });
  });

  test('L5: is read before an order on it is judged', async () => {
    await open();
    const reservation = await t.granted('tee', 2);
    shop.units = 6;
    await hear(ofTee);
    expect(answerOf(await t.submit(reservation))).toMatchObject({ status: 'held', hash_verdict: 'stale' });
    expect(asked).toEqual([['tee']]);
  });

  test('L5: holds an order whose checksum still matches when the shop can’t be read', async () => {
    await open();
    const reservation = await t.granted('tee', 2);
    await hear(ofTee);
    shop.reachable = false;
    expect(answerOf(await t.submit(reservation))).toMatchObject({
      status: 'held',
      hash_verdict: 'match',
      reasons: [{ code: 'stock_stale', sku: 'tee', detail: expect.stringContaining('just changed') }],
    });
  });
});

describe('the mark', () => {
  test('goes with a read that began when it was set, and not with one that began before', async () => {
    await open();
    const before = t.time.wall_ms;
    t.time.pass(1);
    await hear(ofTee);
    const heard_at = t.time.wall_ms;
    t.time.pass(1);
    await t.seed({ sku: 'tee', read_at_ms: before });
    expect((await t.item('tee')).dirty_at_ms).toBe(heard_at);
    await t.seed({ sku: 'tee', read_at_ms: heard_at });
    expect((await t.item('tee')).dirty_at_ms).toBeNull();
    expect(await t.atp('tee')).toBe(10);
  });

  test('stays when only levels were read', async () => {
    await open();
    await hear(ofTee);
    t.time.pass(1);
    await t.levels('tee', { [WAREHOUSE]: 3 });
    expect((await t.item('tee')).dirty_at_ms).not.toBeNull();
    expect(await t.atp('tee')).toBe(0);
  });

  test('stays when a copy of the shop that lags behind was read', async () => {
    await open();
    const at = (available_units: number, upstream_updated_at_ms: number) => ({
      [WAREHOUSE]: { available_units, upstream_updated_at_ms },
    });
    await t.seed({ sku: 'tee', levels: at(7, 2000) });
    t.time.pass(1);
    await hear(ofTee);
    t.time.pass(1);
    await t.seed({ sku: 'tee', levels: at(9, 1000) });
    expect(await t.atp('tee')).toBe(0);
    await t.seed({ sku: 'tee', levels: at(5, 3000) });
    expect(await t.atp('tee')).toBe(5);
  });

  test('of a newer message outlives a read that covers the older one', async () => {
    await open();
    await hear(ofTee);
    const between = t.time.wall_ms;
    t.time.pass(1);
    await hear(ofTee);
    const newest = t.time.wall_ms;
    await t.seed({ sku: 'tee', read_at_ms: between });
    expect((await t.item('tee')).dirty_at_ms).toBe(newest);
  });

  test('goes with an item that the shop has not any more', async () => {
    await open();
    await hear(ofTee);
    await t.seed({ sku: 'tee', lifecycle: 'discontinued', levels: {} });
    expect((await t.item('tee')).dirty_at_ms).toBeNull();
  });

  test('L6: is no change of stock: checksum, version and journal stay', async () => {
    await open();
    const journal = () => t.rawly((db) => db.prepare('SELECT count(*) FROM journal').pluck().get());
    const [before, entries] = [await t.item('tee'), journal()];
    await hear(ofTee);
    const after = await t.item('tee');
    expect({ ...after, dirty_at_ms: null, confirmed_at_ms: before.confirmed_at_ms }).toEqual(before);
    expect(journal()).toBe(entries);
  });

  test('L9: is in ledger time, also when the wall clock was set back', async () => {
    await open();
    t.time.setWallClockBy(-10 * MINUTE);
    t.time.pass(1);
    await hear(ofTee);
    const { dirty_at_ms, read_at_ms } = await t.item('tee');
    expect(dirty_at_ms).toBeGreaterThan(read_at_ms);
    shop.units = 2;
    expect(await checked()).toMatchObject({ fresh: true, available_to_promise: 2 });
  });
});

describe('an item that changes faster than it can be read', () => {
  /** During every read the shop says that it has changed again. */
  const restless = async (options: TestLedgerOptions = {}): Promise<void> => {
    await open(options);
    await hear(ofTee);
    shop.meanwhile = async () => {
      t.time.pass(200);
      await hear(ofTee);
    };
  };

  test('is answered with what was true when it was asked about', async () => {
    await restless();
    expect(await checked()).toMatchObject({ fresh: true, available_to_promise: 10 });
    expect(await t.atp('tee')).toBe(0);
  });

  test('says at the same time that the answer is not good for later', async () => {
    await restless();
    const { valid_until, queried_at } = answerOf(await t.ledger.checkStock(['tee']));
    expect(Date.parse(valid_until)).toBeLessThanOrEqual(Date.parse(queried_at));
  });

  test('can be reserved and ordered all the same', async () => {
    await restless();
    const reservation = answerOf(await t.reserve('tee', 2));
    expect(answerOf(await t.submit(reservation))).toMatchObject({ status: 'accepted' });
  });

  test('and is re-read once more when the re-read that was joined had begun before the question', async () => {
    await open();
    await hear(ofTee);
    shop.joined_at_ms = t.clock.now();
    t.time.pass(100);
    // The shop speaks again, so what that read brings is not the last word; the one after it is.
    shop.meanwhile = async () => {
      shop.meanwhile = null;
      await hear(ofTee);
      shop.units = 9;
    };
    expect(await checked()).toMatchObject({ fresh: true, available_to_promise: 9 });
    expect(asked).toEqual([['tee'], ['tee']]);
  });
});

test('an item at two locations is dirty at both, and a read of one of them is not enough', async () => {
  await open();
  await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 2, [STORE]: 3 } });
  t.time.pass(1);
  await hear({ kind: 'item', id: 'item-cap' });
  t.time.pass(1);
  await t.levels('cap', { [STORE]: 3 });
  expect(await t.atp('cap')).toBe(0);
  await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 2, [STORE]: 3 } });
  expect(await t.atp('cap')).toBe(5);
});
