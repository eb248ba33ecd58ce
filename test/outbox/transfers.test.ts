/** HOLDFAST_MIRROR=move: holds as moves of stock at their own locations, and orders made when they were given back. */

import { afterEach, describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../src/ledger/model/outbox-row.js';
import type { Fault } from '../../src/sandbox/base/faults.js';
import { answerOf, HOUR, MINUTE, refusalOf, SECOND, units } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, STORE, WAREHOUSE } from '../helpers/shop-ledger.js';
import { Killable } from '../simulation/killable.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open({ ...options, settings: { mirror: 'move', ...options.settings } });
  return t;
};
afterEach(() => t.close());

const cut = (operation: string, when: Fault['when'], times = 1): Fault => ({
  operation,
  when,
  action: 'drop',
  times,
});

const reserved = (sku: string, location = WAREHOUSE) => t.server.shop.readStock(sku, location).reserved;

async function row(reservation: { readonly reservation_id: string }): Promise<OutboxRow> {
  return (await t.owned(reservation)).outbox;
}

describe('a mirrored reservation', () => {
  test("L2: the shop's figure falls where we hold, what can be promised and the checksum stay", async () => {
    await shop();
    const before = await t.check('CAP');
    const at = await t.locationId(STORE);
    const reservation = await t.granted('CAP', 2, {
      lines: [{ sku: 'CAP', quantity: units(2), location_id: at }],
    });
    await t.work();
    expect([t.available('CAP', STORE), reserved('CAP', STORE)]).toEqual([3, 2]);
    expect(t.available('CAP')).toBe(20);
    expect(await t.level('CAP', STORE)).toMatchObject({ held_units: 0, mirrored_units: 2 });
    expect(await t.atp('CAP')).toBe(23);
    expect((await t.check('CAP')).items[0]?.stock_hash).toBe(before.items[0]?.stock_hash);
    expect(await row(reservation)).toMatchObject({
      protocol: 'move',
      shop_state: 'open',
      hold_until_ms: null,
    });
    await t.expectTrueBooks();
  });

  test('of several locations and SKUs is one move, in whole or not at all', async () => {
    await shop();
    const reservation = await t.granted('CAP', 1, {
      lines: [
        { sku: 'CAP', quantity: units(22) },
        { sku: 'SCARF', quantity: units(1) },
      ],
    });
    await t.work();
    expect((await row(reservation)).request?.changes).toHaveLength(3);
    expect([reserved('CAP'), reserved('CAP', STORE), reserved('SCARF')]).toEqual([20, 2, 1]);
    await t.expectTrueBooks();
  });

  test('L3: never lapses by itself: released or expired, its units come back by our own move', async () => {
    await shop();
    const kept = await t.mirrored('SCARF', 1, { ttl_seconds: 900 });
    const released = await t.mirrored('SCARF', 1);
    await t.mirrored('COAT', 1, { ttl_seconds: 60 });
    t.time.pass(50 * SECOND);
    await t.beat();
    await t.release(released);
    await t.workFor(MINUTE);
    expect([t.available('SCARF'), reserved('SCARF'), t.available('COAT')]).toEqual([2, 1, 1]);
    t.time.pass(10 * MINUTE);
    await t.beat();
    expect((await t.owned(kept)).holds).toMatchObject([{ state: 'mirrored' }]);
    expect(await t.atp('SCARF')).toBe(2);
    expect(await t.atp('COAT')).toBe(1);
    await t.expectTrueBooks();
  });

  test('L1: that meets a sale at the till is taken on the figures of now, under a new key', async () => {
    await shop();
    const reservation = await t.granted('CAP', 2);
    t.server.shop.sell('CAP', 3);
    await t.work();
    expect(await row(reservation)).toMatchObject({
      shop_state: 'open',
      request: { attempt: 2, changes: [{ available_units: 17 }] },
    });
    expect([t.available('CAP'), reserved('CAP')]).toEqual([15, 2]);
    await t.expectTrueBooks();
  });

  test('L1: whose units the till has sold is not mirrored, and no level goes below zero', async () => {
    await shop();
    const reservation = await t.granted('COAT', 1);
    t.server.shop.sell('COAT', 1);
    await t.work();
    expect([t.available('COAT'), reserved('COAT')]).toEqual([0, 0]);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'absent', last_failure: 'sold_elsewhere' },
      holds: [{ state: 'counted' }],
    });
    expect(await t.atp('COAT')).toBe(0);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('L1: of the youngest is given back when a level covers it no more, not that of who came first', async () => {
    await shop();
    const first = await t.mirrored('SCARF', 2);
    const second = await t.mirrored('SCARF', 1);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    await t.workFor(2 * MINUTE);
    expect((await row(first)).shop_state).toBe('open');
    expect((await row(second)).shop_state).toBe('deleted');
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([0, 2]);
    await t.expectTrueBooks();
  });

  test('many of one SKU, all at once, are each taken exactly once', async () => {
    await shop();
    const all = await Promise.all(Array.from({ length: 12 }, () => t.granted('CAP', 1)));
    await t.workFor(MINUTE);
    expect([t.available('CAP'), reserved('CAP')]).toEqual([8, 12]);
    for (const one of all) expect((await row(one)).shop_state).toBe('open');
    expect(await t.atp('CAP')).toBe(13);
    await t.expectTrueBooks();
  });
});

describe('a move whose answer is lost', () => {
  test.each(['before', 'after'] as const)(
    'L4: %s its effect is sent again with the very same request: one effect',
    async (when) => {
      await shop({ tuning: { attempts_max: 1 } });
      t.server.faults.add(cut('inventoryMoveQuantities', when));
      const reservation = await t.granted('SCARF', 2);
      await t.work();
      const { request } = await row(reservation);
      expect((await row(reservation)).shop_state).toBe('creating');
      await t.workFor(5 * SECOND);
      expect(await row(reservation)).toMatchObject({ shop_state: 'open', request });
      expect([t.available('SCARF'), reserved('SCARF')]).toEqual([1, 2]);
      await t.expectTrueBooks();
    },
  );

  test.each(['before', 'after'] as const)('L3: on the way back, %s its effect, is finished', async (when) => {
    await shop({ tuning: { attempts_max: 1 } });
    const reservation = await t.mirrored('SCARF', 2);
    await t.release(reservation);
    t.server.faults.add(cut('inventoryMoveQuantities', when));
    await t.workFor(5 * SECOND);
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([3, 0]);
    expect(await t.atp('SCARF')).toBe(3);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('L3: for a reservation that was released meanwhile: its units are taken and given back, never kept', async () => {
    await shop({ tuning: { attempts_max: 1 } });
    t.server.faults.add(cut('inventoryMoveQuantities', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    await t.release(reservation);
    await t.workFor(MINUTE);
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([3, 0]);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test('older than the shop remembers keys is not sent again, but put before a person', async () => {
    await shop({ tuning: { attempts_max: 1 } });
    t.server.faults.add(cut('inventoryMoveQuantities', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    t.time.pass(21 * HOUR); // the process was down
    await t.beat();
    await t.sweep();
    await t.workFor(MINUTE);
    expect(await row(reservation)).toMatchObject({
      shop_state: 'creating',
      parked: true,
      due_at_ms: null,
      last_failure: 'too_old_to_resend',
    });
    expect(reserved('SCARF')).toBe(2);
    // The person moves them back by hand, and lets the server go on.
    t.server.shop.inventory.change(
      [...t.server.shop.inventory.levels.values()].find(
        ({ quantities }) => quantities.reserved === 2,
      ) as never,
      { reserved: -2, available: 2 },
      t.time.wall_ms,
    );
    answerOf(await t.ledger.retryParkedReservation(reservation.reservation_id, 'merchant'));
    await t.workFor(MINUTE);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    expect(t.nextDue()).toBeNull();
    const again = await t.ledger.retryParkedReservation(reservation.reservation_id, 'merchant');
    expect(refusalOf(again).details).toMatchObject({ status: 'expired' });
    await t.expectTrueBooks();
  });
});

describe('a move that the shop refuses', () => {
  test('for good: the mirror stays off, the hold counts on our side, and nobody asks again', async () => {
    await shop();
    const reservation = await t.granted('SCARF', 2);
    const { items } = t.server.shop.inventory;
    const [item] = [...items.values()].filter(({ sku }) => sku === 'SCARF');
    items.delete(item?.id ?? '');
    await t.work();
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'absent', last_failure: 'refused', due_at_ms: null },
      holds: [{ state: 'counted' }],
    });
    expect(await t.level('SCARF')).toMatchObject({ held_units: 2, mirrored_units: 0 });
  });

  test('on the way back, because a person has moved the units by hand: the row is put before a person, nothing stays held', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    const { inventory } = t.server.shop;
    for (const level of inventory.levels.values()) {
      if (level.quantities.reserved === 2)
        inventory.change(level, { reserved: -2, available: 2 }, t.time.wall_ms);
    }
    await t.release(reservation);
    await t.workFor(5 * MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'deleted', parked: true, last_failure: 'left_behind' },
      holds: [],
    });
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    answerOf(await t.ledger.retryParkedReservation(reservation.reservation_id, 'merchant'));
    await t.work();
    expect((await row(reservation)).parked).toBe(false);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });
});

describe('an accepted order', () => {
  test('L4: gives its units back and becomes exactly one order, with tag, buyer and note', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation, {
      buyer: {
        email: 'ada@example.org',
        name: 'Ada Lovelace',
        shipping_address: { address1: '1 Analytical Way', city: 'London', country_code: 'GB' },
      },
      note: 'gift wrap',
      reference: 'cart-7',
    });
    await t.work();
    expect(await t.order(reservation)).toMatchObject({
      state: 'placed',
      upstream_order_name: '#1001',
      buyer: null,
    });
    const [order, ...others] = t.orders();
    expect(others).toEqual([]);
    expect(order).toMatchObject({
      isPaid: false,
      sourceIdentifier: (await row(reservation)).tag,
      email: 'ada@example.org',
      note: 'gift wrap',
      shippingAddress: { firstName: 'Ada', lastName: 'Lovelace', countryCode: 'GB' },
      lines: [{ sku: 'SCARF', quantity: 2 }],
    });
    const stock = t.server.shop.readStock('SCARF', WAREHOUSE);
    expect([stock.available, stock.reserved, stock.committed]).toEqual([1, 0, 2]);
    expect(await t.atp('SCARF')).toBe(1);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('L1: from the move back to the order its units count on our side: nobody else of ours gets them', async () => {
    await shop();
    const reservation = await t.mirrored('COAT', 1);
    await t.accepted(reservation);
    t.server.faults.add({ operation: 'orderCreate', when: 'before', action: 'status', code: 429, times: 3 });
    await t.work();
    expect(t.available('COAT')).toBe(1);
    await t.beat();
    expect(await t.level('COAT')).toMatchObject({ held_units: 1, mirrored_units: 0 });
    expect(await t.atp('COAT')).toBe(0);
    expect((await t.reserve('COAT', 1)).ok).toBe(false);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });

  test.each(['INVALID', 'INVENTORY_CLAIM_FAILED'] as const)(
    'whose units a shopper took in between fails as out of stock (%s), its units free',
    async (outOfStockCode) => {
      await shop();
      t.server.shop.orderCreation.outOfStockCode = outOfStockCode;
      const reservation = await t.mirrored('COAT', 1);
      await t.accepted(reservation, { buyer: { email: 'ada@example.org' } });
      t.server.faults.add({ operation: 'orderCreate', when: 'before', action: 'delay', ms: 300 });
      const working = t.work();
      await expect
        .poll(async () => (await row(reservation)).shop_state, { timeout: 20_000 })
        .toBe('completing');
      t.server.shop.sell('COAT', 1);
      await working;
      expect(await t.owned(reservation)).toMatchObject({
        order: { state: 'failed', buyer: null, reasons: [{ code: 'stock_insufficient' }] },
        reservation: { state: 'released' },
        holds: [],
      });
      expect(t.orders()).toEqual([]);
      expect([t.available('COAT'), reserved('COAT')]).toEqual([0, 0]);
      await t.workFor(MINUTE);
      expect(t.nextDue()).toBeNull();
      await t.expectTrueBooks();
    },
  );

  test.each([
    ['after', true],
    ['before', false],
  ] as const)(
    'L4: whose answer is lost %s its effect is looked for by our tag, twice with the wait between: one order',
    async (when, isThere) => {
      await shop({ sandbox: { searchLagMs: 20 * SECOND } });
      const reservation = await t.mirrored('SCARF', 2);
      await t.accepted(reservation);
      t.server.faults.add(cut('orderCreate', when));
      await t.work();
      await t.workFor(10 * SECOND);
      expect(await row(reservation)).toMatchObject({ shop_state: 'completing', empty_lookups: 1 });
      expect(t.orders()).toHaveLength(isThere ? 1 : 0);
      await t.workFor(2 * MINUTE);
      expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
      expect(t.orders()).toHaveLength(1);
      await t.expectTrueBooks();
    },
  );

  test('that was never mirrored is placed without any move', async () => {
    await shop();
    const reservation = await t.granted('SCARF', 3);
    await t.accepted(reservation);
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect((await row(reservation)).request).toBeNull();
    await t.expectTrueBooks();
  });

  test('L1: that the level covers no more fails before anything is asked of the shop', async () => {
    await shop();
    const reservation = await t.mirrored('COAT', 1);
    await t.accepted(reservation);
    t.server.shop.sell('COAT', 1);
    await t.beat();
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'stock_insufficient' }],
    });
    expect([t.available('COAT'), reserved('COAT')]).toEqual([0, 0]);
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });
});

describe('an order of a mirror that was given up', () => {
  test('is made all the same, for there is nothing to give back', async () => {
    await shop();
    const reservation = await t.granted('SCARF', 2);
    t.server.shop.sell('SCARF', 2);
    await t.work();
    expect(await row(reservation)).toMatchObject({ shop_state: 'absent', last_failure: 'sold_elsewhere' });
    t.server.shop.receive('SCARF', WAREHOUSE, 2);
    await t.beat();
    await t.submit(reservation);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });
});

describe('a process that dies', () => {
  const STORE_CALLS_MAX = 30;

  test.each(['before a commit', 'right after it'] as const)(
    'L4: between any two calls, %s, leaves one order and nothing held',
    async (moment) => {
      await shop();
      let calls = 0;
      for (; calls < STORE_CALLS_MAX; calls += 1) {
        const reservation = await t.granted('CAP', 1);
        const dying = new Killable();
        const process = t.beside(`worker-${calls}`, {
          wrapStore: (store) => dying.wrap(store, () => moment === 'right after it'),
        });
        dying.dieAfter(calls);
        await process.work().catch(() => undefined);
        answerOf(await t.submit(reservation));
        if (!dying.isDead) {
          dying.dieAfter(calls);
          await process.work().catch(() => undefined);
        }
        t.time.pass(61 * SECOND);
        await t.beat();
        await t.workFor(3 * MINUTE);
        expect({ calls, state: (await t.order(reservation)).state }).toEqual({ calls, state: 'placed' });
        if (!dying.isDead) break;
        await t.expectTrueBooks();
        if (t.available('CAP') + t.available('CAP', STORE) < 3) t.server.shop.receive('CAP', WAREHOUSE, 20);
      }
      expect(calls).toBeGreaterThan(8);
      expect(calls).toBeLessThan(STORE_CALLS_MAX);
      expect(t.orders()).toHaveLength(calls + 1);
      await t.expectTrueBooks();
    },
  );

  test.each(['before a commit', 'right after it'] as const)(
    'L3: between any two calls of a release, %s, leaves nothing held',
    async (moment) => {
      await shop();
      for (let calls = 0; calls < 12; calls += 1) {
        const reservation = await t.granted('CAP', 1);
        const dying = new Killable();
        const process = t.beside(`worker-${calls}`, {
          wrapStore: (store) => dying.wrap(store, () => moment === 'right after it'),
        });
        if (calls % 2 === 0) await t.work();
        await t.release(reservation);
        dying.dieAfter(calls);
        await process.work().catch(() => undefined);
        t.time.pass(61 * SECOND);
        await t.workFor(MINUTE);
        await t.beat();
        expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
        expect(await t.atp('CAP')).toBe(25);
        await t.expectTrueBooks();
      }
    },
  );
});

describe('a merchant who changes the setting', () => {
  test('from move to draft_order: what was begun as a move is finished as one', async () => {
    await shop();
    const [first, second, third] = [
      await t.mirrored('CAP', 1),
      await t.mirrored('CAP', 1),
      await t.mirrored('CAP', 1),
    ];
    const after = t.beside('worker-2', { settings: { mirror: 'draft_order', order_mode: 'checkout_link' } });
    await t.release(second);
    answerOf(
      await after.ledger.submit({
        principal: 'agent-a',
        reservation_id: first.reservation_id,
        stock_hash: first.stock_hash,
        idempotency_key: undefined,
        buyer: null,
        note: null,
        reference: null,
      }),
    );
    await after.workFor(MINUTE);
    expect(await t.order(first)).toMatchObject({ state: 'placed', order_mode: 'complete' });
    expect((await row(third)).shop_state).toBe('open');
    expect([t.available('CAP'), reserved('CAP')]).toEqual([18, 1]);
    expect([...t.server.shop.draftOrders.all()]).toEqual([]);
    await t.expectTrueBooks();
  });

  test('from draft_order to move: what was begun as a draft is finished as one', async () => {
    t = await ShopLedger.open();
    const reservation = await t.mirrored('SCARF', 1);
    const after = t.beside('worker-2', { settings: { mirror: 'move' } });
    await t.accepted(reservation);
    await after.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect([...t.server.shop.draftOrders.all()][0]?.orderId).not.toBeNull();
    await t.expectTrueBooks();
  });
});

test('L4: several workers that race for the same rows have one effect each', async () => {
  await shop();
  const others = ['worker-2', 'worker-3'].map((name) => t.beside(name));
  const reservations = await Promise.all(Array.from({ length: 6 }, () => t.granted('CAP', 1)));
  const round = async () => {
    await Promise.all([t, ...others].map((one) => one.work()));
    t.time.pass(SECOND);
  };
  for (let n = 0; n < 4; n += 1) await round();
  for (const reservation of reservations) await t.submit(reservation);
  for (let n = 0; n < 8; n += 1) await round();
  await t.workFor(MINUTE);
  for (const reservation of reservations)
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
  expect(t.orders()).toHaveLength(6);
  expect([t.available('CAP'), reserved('CAP')]).toEqual([14, 0]);
  await t.expectTrueBooks();
});
