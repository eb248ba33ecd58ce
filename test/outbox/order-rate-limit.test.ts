import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { OrderPace } from '../../src/outbox/order-rate-limit.js';
import { MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger } from '../helpers/shop-ledger.js';

const LIMITS = { paced_orders_max: 5, pace_window_ms: MINUTE };

describe('the pace of orders', () => {
  test('is free until the shop has turned one away', () => {
    const pace = new OrderPace(LIMITS);
    for (let n = 0; n < 100; n += 1) {
      expect(pace.nextAt(0)).toBe(0);
      pace.sent(0);
    }
  });

  test('is what the shop asks for, and then five in any minute', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 * SECOND }), { minLength: 20, maxLength: 60 }),
        fc.integer({ min: 1, max: 2 * MINUTE }),
        (waits_ms, retryAfterMs) => {
          const pace = new OrderPace(LIMITS);
          pace.refused(0, retryAfterMs);
          const sent: number[] = [];
          let now = 0;
          for (const wait of waits_ms) {
            now += wait;
            const at = pace.nextAt(now);
            expect(at).toBeGreaterThanOrEqual(now);
            if (at > now) continue;
            pace.sent(now);
            sent.push(now);
          }
          expect(sent.filter((at) => at < retryAfterMs)).toEqual([]);
          for (const at of sent) {
            expect(sent.filter((other) => other >= at && other < at + MINUTE).length).toBeLessThanOrEqual(5);
          }
        },
      ),
    );
  });

  test('never stands still: at the time it names, one may go', () => {
    const pace = new OrderPace(LIMITS);
    pace.refused(0, MINUTE);
    let now = 0;
    for (let n = 0; n < 50; n += 1) {
      now = pace.nextAt(now);
      expect(pace.nextAt(now)).toBe(now);
      pace.sent(now);
    }
    expect(now).toBe(10 * MINUTE);
  });
});

describe.each(['draft_order', 'move'] as const)('a development store, with %s', (mirror) => {
  let t: ShopLedger;
  afterEach(() => t.close());

  test('L4: takes five orders a minute: all are placed once, none wears out its patience, and mirrors go on', async () => {
    t = await ShopLedger.open({
      sandbox: { plan: 'development' },
      settings: { mirror },
      limits: { attempts_max: 2 },
    });
    const reservations = await Promise.all(Array.from({ length: 12 }, () => t.granted('CAP', 1)));
    await t.work();
    for (const reservation of reservations) await t.submit(reservation);
    await t.workFor(20 * SECOND);
    expect(t.orders()).toHaveLength(5);
    expect(t.events.map(({ event }) => event)).toContain('orders_paced');

    const mirrored = await t.mirrored('SCARF', 1);
    expect((await t.owned(mirrored)).outbox.shop_state).toBe('open');

    await t.workFor(5 * MINUTE);
    for (const reservation of reservations) {
      expect(await t.owned(reservation)).toMatchObject({
        order: { state: 'placed' },
        outbox: { parked: false },
      });
    }
    expect(t.orders()).toHaveLength(12);
    // Those that were under way together when it first said so, and hardly one after that.
    expect(t.events.filter(({ event }) => event === 'orders_paced').length).toBeLessThan(10);
    await t.expectTrueBooks();
  });

  test('L4: several processes share its pace by its own refusals', async () => {
    t = await ShopLedger.open({ sandbox: { plan: 'development' }, settings: { mirror } });
    const others = ['worker-2', 'worker-3'].map((name) => t.beside(name));
    const reservations = await Promise.all(Array.from({ length: 12 }, () => t.granted('CAP', 1)));
    await t.work();
    for (const reservation of reservations) await t.submit(reservation);
    for (let n = 0; n < 60; n += 1) {
      await Promise.all([t, ...others].map((one) => one.work()));
      t.time.pass(5 * SECOND);
    }
    await t.workFor(MINUTE);
    for (const reservation of reservations) {
      expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    }
    expect(t.orders()).toHaveLength(12);
    await t.expectTrueBooks();
  });
});
