/** HOLDFAST_MIRROR=move: what waits for the same level is moved in one call, and each unit once. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../src/ledger/model/outbox-row.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type { Fault } from '../../src/sandbox/base/faults.js';
import { MINUTE, SECOND, units } from '../helpers/ledger.js';
import {
  product,
  ShopLedger,
  type ShopLedgerOptions,
  SMALL_CATALOGUE,
  STORE,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';
import { Killable } from '../simulation/killable.js';

let t: ShopLedger;
afterEach(() => t.close());

const HOT = {
  ...SMALL_CATALOGUE,
  products: [...SMALL_CATALOGUE.products, product('SOCK', { [WAREHOUSE]: 100, [STORE]: 100 })],
};

const shop = async (options: ShopLedgerOptions = {}): Promise<void> => {
  t = await ShopLedger.open({
    ...options,
    sandbox: { catalogue: HOT, ...options.sandbox },
    settings: { mirror: 'move', ...options.settings },
  });
};

const reserved = (sku: string, location = WAREHOUSE) => t.server.shop.readStock(sku, location).reserved;
const row = async (mine: ReserveAnswer): Promise<OutboxRow> => (await t.owned(mine)).outbox;
const states = async (all: readonly ReserveAnswer[]) => {
  const rows = await Promise.all(all.map(row));
  return rows.map(({ shop_state }) => shop_state);
};
const keys = async (all: readonly ReserveAnswer[]) => {
  const rows = await Promise.all(all.map(row));
  return rows.map(({ request }) => request?.key);
};
const many = (count: number, sku = 'CAP') =>
  Promise.all(Array.from({ length: count }, () => t.granted(sku, 1)));

/** Requests that the shop gets while something is done. */
async function requestsOf(doing: () => Promise<void>): Promise<number> {
  const port = Number(new URL(t.origin).port);
  let requests = 0;
  const count = (message: unknown): void => {
    if ((message as { socket: Socket }).socket.localPort === port) requests += 1;
  };
  subscribe('http.server.request.start', count);
  try {
    await doing();
  } finally {
    unsubscribe('http.server.request.start', count);
  }
  return requests;
}

describe('60 reservations of one SKU, all at once', () => {
  test('item 14: cost less than one call each to hold, and at most 4 with their orders', async () => {
    await shop();
    const all = await many(60, 'SOCK');
    const holding = await requestsOf(() => t.work());
    expect(await states(all)).toEqual(Array(60).fill('open'));
    expect(reserved('SOCK')).toBe(60);
    expect(holding).toBeLessThan(60);
    await t.expectTrueBooks();
    for (const mine of all) await t.accepted(mine);
    const ordering = await requestsOf(() => t.workFor(MINUTE));
    expect(t.orders()).toHaveLength(60);
    expect([reserved('SOCK'), t.available('SOCK')]).toEqual([0, 40]);
    // Before: 1,040 to 1,356 calls for the holds alone.
    expect(holding + ordering).toBeLessThanOrEqual(4 * 60);
    await t.expectTrueBooks();
  });

  test('item 14: while the till sells of it, cost at most 3 calls each', async () => {
    await shop();
    const all = await many(60, 'SOCK');
    let tills = 0;
    const move = t.upstream.mirrors.sink.moveStock.bind(t.upstream.mirrors.sink);
    t.upstream.mirrors.sink.moveStock = (...args) => {
      // Just before the move is there, each other time.
      if (tills++ % 2 === 0) t.server.shop.sell('SOCK', 1);
      return move(...args);
    };
    const holding = await requestsOf(() => t.workFor(MINUTE));
    expect(await states(all)).toEqual(Array(60).fill('open'));
    expect(reserved('SOCK')).toBe(60);
    expect(holding).toBeLessThanOrEqual(3 * 60);
    await t.expectTrueBooks();
  });

  test('item 14: released all at once, are given back one by one, under keys of their own, and read for together', async () => {
    await shop();
    const all = await many(60, 'SOCK');
    const holding = await requestsOf(() => t.work());
    for (const mine of all) await t.release(mine);
    const releasing = await requestsOf(() => t.work());
    expect([reserved('SOCK'), t.available('SOCK')]).toEqual([0, 100]);
    expect(new Set(await keys(all)).size).toBe(60);
    expect(holding + releasing).toBeLessThan(3 * 60);
    expect(await t.atp('SOCK')).toBe(200);
    await t.expectTrueBooks();
  });
});

describe('one call for several reservations', () => {
  test('item 14: takes each where it was promised, and each is given back by itself', async () => {
    await shop();
    const at = await t.locationId(STORE);
    const line = (sku: string, quantity: number, location_id?: string) => ({
      sku,
      quantity: units(quantity),
      ...(location_id === undefined ? {} : { location_id }),
    });
    const basket = await t.granted('CAP', 1, { lines: [line('CAP', 2), line('SCARF', 1)] });
    const store = await t.granted('CAP', 1, { lines: [line('CAP', 3, at), line('CAP', 4)] });
    const scarf = await t.granted('SCARF', 1);
    const moves = await requestsOf(() => t.work());
    expect(await states([basket, store, scarf])).toEqual(['open', 'open', 'open']);
    expect(new Set(await keys([basket, store, scarf])).size).toBe(1);
    expect([reserved('CAP'), reserved('CAP', STORE), reserved('SCARF')]).toEqual([6, 3, 2]);
    expect(moves).toBeLessThan(6);
    await t.expectTrueBooks();
    await t.release(store);
    await t.work();
    expect([reserved('CAP'), reserved('CAP', STORE), reserved('SCARF')]).toEqual([2, 0, 2]);
    await t.expectTrueBooks();
    expect(await t.atp('SCARF')).toBe(1);
  });

  test('item 14: does not join what has no level in common', async () => {
    await shop();
    const [cap, lamp] = [await t.granted('CAP', 1), await t.granted('LAMP', 1)];
    await t.work();
    expect(await states([cap, lamp])).toEqual(['open', 'open']);
    expect(new Set(await keys([cap, lamp])).size).toBe(2);
  });

  test('L1: of units that the till has sold in part, the youngest are not mirrored', async () => {
    await shop();
    const all = await many(3, 'SCARF');
    t.server.shop.sell('SCARF', 1);
    await t.workFor(MINUTE);
    expect(await states(all)).toEqual(['open', 'open', 'absent']);
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([0, 2]);
    await t.expectTrueBooks();
  });
});

const cut = (when: Fault['when'], times = 1): Fault => ({
  operation: 'inventoryMoveQuantities',
  when,
  action: 'drop',
  times,
});

describe('a joint move whose answer is lost', () => {
  test.each(['before', 'after'] as const)(
    'item 14: L4: %s its effect is sent again with the very same request, once for all: one effect',
    async (when) => {
      await shop({ tuning: { attempts_max: 1 } });
      t.server.faults.add(cut(when));
      const all = await many(6);
      await t.work();
      expect(await states(all)).toEqual(Array(6).fill('creating'));
      const before = await keys(all);
      expect(new Set(before).size).toBe(1);
      const again = await requestsOf(() => t.workFor(5 * SECOND));
      expect(await states(all)).toEqual(Array(6).fill('open'));
      expect(await keys(all)).toEqual(before);
      expect([t.available('CAP'), reserved('CAP')]).toEqual([14, 6]);
      expect(again).toBeLessThan(6);
      await t.expectTrueBooks();
    },
  );

  test.each(['before', 'after'] as const)(
    'item 14: L3: on the way back, %s its effect, is finished',
    async (when) => {
      await shop({ tuning: { attempts_max: 1 } });
      const all = await many(6);
      await t.work();
      for (const mine of all) await t.release(mine);
      t.server.faults.add(cut(when));
      await t.workFor(5 * SECOND);
      expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
      expect(t.nextDue()).toBeNull();
      await t.expectTrueBooks();
    },
  );

  test('item 14: L3: of which some were released meanwhile: their units are taken and given back, never kept', async () => {
    await shop({ tuning: { attempts_max: 1 } });
    t.server.faults.add(cut('after'));
    const all = await many(6);
    await t.work();
    for (const mine of all.slice(0, 3)) await t.release(mine);
    await t.workFor(MINUTE);
    expect([t.available('CAP'), reserved('CAP')]).toEqual([17, 3]);
    await t.expectTrueBooks();
  });
});

/** Before the shop has looked at it: nothing was moved, and the key is as good as new. */
const TURNED_AWAY: Fault = {
  operation: 'inventoryMoveQuantities',
  when: 'before',
  action: 'status',
  code: 429,
  times: 1,
};

describe('a joint move that the shop refuses', () => {
  test('item 14: because of one of its items: each is tried alone, and only that one is not mirrored', async () => {
    await shop();
    const line = (sku: string) => ({ sku, quantity: units(1) });
    const basket = await t.granted('CAP', 1, { lines: [line('CAP'), line('SCARF')] });
    const caps = await many(3);
    const { items } = t.server.shop.inventory;
    const [scarf] = [...items.values()].filter(({ sku }) => sku === 'SCARF');
    items.delete(scarf?.id ?? '');
    await t.workFor(MINUTE);
    expect(await states([basket, ...caps])).toEqual(['absent', 'open', 'open', 'open']);
    expect((await row(basket)).due_at_ms).toBeNull();
    expect(reserved('CAP')).toBe(3);
  });

  test('item 14: on the way back, because a person has moved the units of one: the others come back, that one is put before a person', async () => {
    await shop();
    const all = await many(3);
    await t.work();
    const { inventory } = t.server.shop;
    for (const level of inventory.levels.values()) {
      if (level.quantities.reserved === 3)
        inventory.change(level, { reserved: -1, available: 1 }, t.time.wall_ms);
    }
    for (const mine of all) await t.release(mine);
    await t.workFor(5 * MINUTE);
    const rows = await Promise.all(all.map(row));
    expect(rows.filter(({ parked }) => parked)).toMatchObject([{ last_failure: 'left_behind' }]);
    expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
    await t.beat();
    expect(await t.atp('CAP')).toBe(25);
  });

  test('item 14: before it looks at it: all leave it together, and are taken once, under a new key', async () => {
    await shop({ tuning: { attempts_max: 1 } });
    t.server.faults.add(TURNED_AWAY);
    const all = await many(6);
    await t.work();
    expect(await states(all)).toEqual(Array(6).fill('absent'));
    const [before] = await keys(all);
    await t.workFor(MINUTE);
    expect(await states(all)).toEqual(Array(6).fill('open'));
    expect(await keys(all)).not.toContain(before);
    expect(reserved('CAP')).toBe(6);
    await t.expectTrueBooks();
  });
});

describe('a process that dies', () => {
  const STORE_CALLS_MAX = 60;

  test.each([
    ['before a commit', 'answers'],
    ['right after it', 'answers'],
    ['before a commit', 'turns it away'],
    ['right after it', 'turns it away'],
    ['before a commit', 'loses its answer'],
    ['right after it', 'loses its answer'],
    ['before a commit', 'has another figure'],
    ['right after it', 'has another figure'],
  ] as const)(
    'item 14: L4: between any two calls, %s, and the shop %s: each is taken once, and given back once',
    async (moment, how) => {
      await shop({ tuning: { attempts_max: 1 } });
      let calls = 0;
      for (; calls < STORE_CALLS_MAX; calls += 3) {
        const all = await many(4);
        const dying = new Killable();
        const process = t.beside(`worker-${calls}`, {
          wrapStore: (store) => dying.wrap(store, () => moment === 'right after it'),
        });
        if (how === 'turns it away') t.server.faults.add(TURNED_AWAY);
        if (how === 'loses its answer') t.server.faults.add(cut('after'));
        // The till sells one, and takes it back once the process is dead: the old request would be carried out now.
        t.server.shop.idempotencyKeys.keepsRefusals = how !== 'has another figure';
        if (how === 'has another figure') t.server.shop.sell('CAP', 1);
        dying.dieAfter(calls);
        await process.work().catch(() => undefined);
        if (how === 'has another figure') t.server.shop.receive('CAP', WAREHOUSE, 1);
        // One of them goes, while the others are still being looked after.
        const [gone] = all;
        if (gone !== undefined) await t.release(gone);
        t.time.pass(61 * SECOND);
        await t.beat();
        await t.workFor(2 * MINUTE);
        t.server.faults.clear();
        expect({ calls, reserved: reserved('CAP') }).toEqual({ calls, reserved: 3 });
        expect(await states(all.slice(1))).toEqual(Array(3).fill('open'));
        await t.expectTrueBooks();
        for (const mine of all.slice(1)) await t.release(mine);
        await t.workFor(MINUTE);
        await t.beat();
        expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
        await t.expectTrueBooks();
        if (!dying.isDead) break;
      }
      expect(calls).toBeGreaterThan(8);
    },
  );
});

test('item 14: L4: several workers that race for the same rows move each unit once', async () => {
  await shop();
  const others = ['worker-2', 'worker-3'].map((name) => t.beside(name));
  const all = await many(18);
  const round = async () => {
    await Promise.all([t, ...others].map((one) => one.work()));
    t.time.pass(SECOND);
  };
  for (let n = 0; n < 4; n += 1) await round();
  await t.workFor(MINUTE);
  expect(await states(all)).toEqual(Array(18).fill('open'));
  expect([t.available('CAP'), reserved('CAP')]).toEqual([2, 18]);
  await t.expectTrueBooks();
  for (const mine of all) await t.release(mine);
  for (let n = 0; n < 4; n += 1) await round();
  await t.workFor(MINUTE);
  expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
  await t.expectTrueBooks();
});
