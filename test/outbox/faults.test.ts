/** A shop that answers late, twice or never: one effect each, and nothing is lost. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/sandbox/base/faults.js';
import { answerOf, HOUR, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
  return t;
};
afterEach(() => t.close());

const cut = (operation: string, when: Fault['when'], times = 1): Fault => ({
  operation,
  when,
  action: 'drop',
  times,
});

describe('a draft whose answer is lost', () => {
  test('L4: after its effect is looked up by our tag and taken over, never doubled', async () => {
    await shop();
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.workFor(5 * SECOND);
    expect(t.drafts()).toHaveLength(1);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'open' },
      holds: [{ state: 'mirrored' }],
    });
    await t.expectTrueBooks();
  });

  test('L4: before its effect is made once, after two searches that found nothing with the wait between', async () => {
    await shop();
    t.server.faults.add(cut('draftOrderCreate', 'before'));
    const reservation = await t.granted('SCARF', 2);
    await t.workFor(29 * SECOND);
    expect((await t.owned(reservation)).outbox).toMatchObject({ shop_state: 'creating', empty_lookups: 1 });
    expect(t.drafts()).toEqual([]);
    await t.workFor(5 * SECOND);
    expect((await t.owned(reservation)).outbox.shop_state).toBe('open');
    expect(t.drafts()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L4: is found although the search of the shop lags behind: one empty answer is not believed', async () => {
    await shop({ sandbox: { searchLagMs: 20 * SECOND } });
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.accepted(reservation);
    await t.workFor(10 * SECOND);
    expect((await t.owned(reservation)).outbox).toMatchObject({ shop_state: 'creating', empty_lookups: 1 });
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect([...t.server.shop.draftOrders.all()]).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L4: and that nobody looked for until long after is still asked for twice before it is made anew', async () => {
    await shop({ sandbox: { searchLagMs: 70 * SECOND } });
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    t.time.pass(61 * SECOND); // the process was down
    await t.work();
    expect((await t.owned(reservation)).outbox).toMatchObject({ shop_state: 'creating', empty_lookups: 1 });
    await t.workFor(MINUTE);
    expect(t.drafts()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L3: of a reservation that is released meanwhile is found and deleted', async () => {
    await shop();
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    await t.release(reservation);
    await t.workFor(MINUTE);
    expect(t.drafts()).toEqual([]);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test('L4: two of one reservation, made by an answer that came too late, end as one order', async () => {
    await shop({ tuning: { timeout_ms: 150 } });
    // The shop carries the first request out after we have given it up and looked for it twice.
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'delay', ms: 4_000 });
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    await t.work();
    t.time.pass(31 * SECOND);
    await t.work();
    await t.workFor(31 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await expect.poll(() => t.drafts().length, { timeout: 20_000 }).toBe(1);
    expect(t.orders()).toHaveLength(1);
    // What came too late holds units until its own time, and promises nothing meanwhile.
    await t.beat();
    expect(await t.atp('CAP')).toBe(21);
    t.time.pass(15 * MINUTE);
    t.time.pass(3 * MINUTE);
    await t.beat();
    expect(await t.atp('CAP')).toBe(23);
    expect(t.orders()).toHaveLength(1);
  });

  test('L4: doubles that a search finds are deleted before one is taken over, also when deleting fails at first', async () => {
    await shop();
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    const reservation = await t.granted('CAP', 2);
    await t.work();
    const { outbox } = await t.owned(reservation);
    const [first] = t.drafts();
    // The same request once more, as a proxy that repeats it would.
    t.server.shop.draftOrders.create(
      {
        tags: ['holdfast', outbox.tag],
        lineItems: [{ variantId: first?.lines[0]?.variantId ?? null, quantity: 2 }],
        reserveInventoryUntil: new Date(t.time.wall_ms + HOUR).toISOString(),
      },
      t.time.wall_ms,
    );
    t.server.faults.add({
      operation: 'draftOrderDelete',
      when: 'before',
      action: 'status',
      code: 500,
      times: 5,
    });
    expect(t.drafts()).toHaveLength(2);
    await t.workFor(10 * SECOND);
    expect(t.drafts()).toHaveLength(1);
    await t.beat();
    expect(await t.atp('CAP')).toBe(23);
    await t.expectTrueBooks();
  });
});

describe('an order whose answer is lost', () => {
  test('L4: after its effect is read back: one order', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add(cut('draftOrderComplete', 'after'));
    await t.work();
    expect((await t.owned(reservation)).outbox.shop_state).toBe('completing');
    await t.workFor(5 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', upstream_order_name: '#1001' });
    await t.expectTrueBooks();
  });

  test('L4: before its effect is completed then: one order', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add(cut('draftOrderComplete', 'before', 3));
    await t.workFor(30 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });

  test('L4: and carried out long after we gave up is still one order', async () => {
    await shop({ tuning: { timeout_ms: 150 } });
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'delay', ms: 600 });
    await t.workFor(30 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await new Promise((resume) => setTimeout(resume, 700));
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });
});

test.each(['before', 'after'] as const)('L3: a deletion cut %s its effect is finished', async (when) => {
  await shop();
  const reservation = await t.mirrored('SCARF', 2);
  await t.release(reservation);
  t.server.faults.add(cut('draftOrderDelete', when));
  await t.workFor(10 * SECOND);
  expect(t.drafts()).toEqual([]);
  expect(await t.atp('SCARF')).toBe(3);
  expect(t.nextDue()).toBeNull();
  await t.expectTrueBooks();
});

const TROUBLES: readonly (readonly [string, Omit<Fault, 'operation'> & Record<string, unknown>])[] = [
  ['HTTP 500', { when: 'before', action: 'status', code: 500, times: 9 }],
  ['HTTP 500 after each effect', { when: 'after', action: 'status', code: 500, times: 9 }],
  ['HTTP 429', { when: 'before', action: 'status', code: 429, retryAfterSeconds: 2, times: 9 }],
  ['THROTTLED', { when: 'before', action: 'throttle', times: 9 }],
  ['THROTTLED after each effect', { when: 'after', action: 'throttle', times: 9 }],
  ['connections cut', { when: 'before', action: 'drop', times: 9 }],
  ['connections cut after each effect', { when: 'after', action: 'drop', times: 9 }],
];

test.each(TROUBLES)('L4: one order through %s at every call', async (_, trouble) => {
  await shop();
  const reservation = await t.granted('SCARF', 2);
  const order = await t.accepted(reservation, { note: 'hello' });
  expect(order.status).toBe('accepted');
  t.server.faults.add({ operation: '*', ...trouble } as Fault);
  await t.workFor(10 * MINUTE);
  expect(t.server.faults.list()).toEqual([]);
  expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
  expect(t.orders()).toHaveLength(1);
  await t.expectTrueBooks();
});

test('L4: an order is placed once the shop that refused connections is back', async () => {
  await shop();
  const reservation = await t.granted('SCARF', 2);
  await t.accepted(reservation);
  await t.server.stop();
  await t.workFor(2 * MINUTE);
  // Nothing was sent, so nothing has to be looked up.
  expect((await t.owned(reservation)).outbox).toMatchObject({ shop_state: 'absent', empty_lookups: 0 });
  await t.server.start();
  await t.workFor(5 * MINUTE);
  expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
  await t.expectTrueBooks();
});

describe('given up', () => {
  test('after attempts_max a row is parked with its units held, and does not spin', async () => {
    await shop({ limits: { attempts_max: 5 } });
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add({
      operation: 'draftOrderComplete',
      when: 'before',
      action: 'status',
      code: 500,
      times: 1000,
    });
    await t.workFor(30 * MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { parked: true, due_at_ms: null, claimed_by: null, last_failure: 'unknown_outcome' },
      order: { state: 'accepted' },
    });
    // Five tries, and no more: an outcome that is read back in between is no progress.
    expect(t.server.faults.list()[0]?.times).toBe(995);

    const { id } = await t.order(reservation);
    t.server.faults.clear();
    answerOf(await t.ledger.retryParked(id, 'merchant'));
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.orders()).toHaveLength(1);
    expect(refusalOf(await t.ledger.retryParked(id, 'merchant')).details).toMatchObject({ status: 'placed' });
    expect(refusalOf(await t.ledger.retryParked('ord_0', 'merchant')).code).toBe('order_unknown');
    await t.expectTrueBooks();
  });

  test('the pause between tries grows: a shop that fails for an hour is not hammered', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add({
      operation: 'draftOrderComplete',
      when: 'before',
      action: 'status',
      code: 500,
      times: 1000,
    });
    await t.workFor(10 * MINUTE);
    const tries = 1000 - (t.server.faults.list()[0]?.times ?? 0);
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(25);
    t.server.faults.clear();
    await t.workFor(5 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });

  test('L3: a mirror whose look-up fails is not given up, and is let go of when its reservation ends', async () => {
    await shop({ limits: { attempts_max: 3 } });
    t.server.faults.add(cut('draftOrderCreate', 'after'));
    t.server.faults.add({
      operation: 'draftOrders',
      when: 'before',
      action: 'status',
      code: 500,
      times: 100,
    });
    const reservation = await t.granted('SCARF', 2);
    await t.workFor(5 * MINUTE);
    expect((await t.owned(reservation)).outbox).toMatchObject({ parked: false, shop_state: 'creating' });
    t.server.faults.clear();
    await t.release(reservation);
    await t.workFor(MINUTE);
    expect(t.drafts()).toEqual([]);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test('L3: an order that stays held because the shop can not be read is rejected in the end, never parked', async () => {
    await shop({ limits: { attempts_max: 5 }, settings: { held_order_max_ms: 2 * HOUR } });
    const reservation = await t.granted('SCARF', 2);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    t.server.faults.add({ operation: '*', when: 'before', action: 'status', code: 503, times: 10_000 });
    await t.submit(reservation, { buyer: { email: 'ada@example.org' } });
    await t.workFor(HOUR);
    expect(await t.owned(reservation)).toMatchObject({ order: { state: 'held' }, outbox: { parked: false } });
    await t.workFor(HOUR + MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'rejected',
      buyer: null,
      reasons: [{ code: 'held_too_long' }],
    });
    t.server.faults.clear();
    await t.beat();
    expect(await t.atp('SCARF')).toBe(2);
    await t.expectTrueBooks();
  });
});
