/** What the shop carries out so late that two searches had not found it: a second order or draft of one reservation. */

import { afterEach, describe, expect, test } from 'vitest';
import { decideBuyerRefused } from '../../src/ledger/order/buyer-refused.js';
import { HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

/** Real time: how long the connector waits for an answer, and how late the shop does what it was asked. */
const TIMEOUT_MS = 2_000;
const LATE_MS = 6_000;
const signal = new AbortController().signal;

let t: ShopLedger;
afterEach(() => t.close());

async function shop(options: ShopLedgerOptions = {}): Promise<void> {
  t = await ShopLedger.open({ tuning: { timeout_ms: TIMEOUT_MS }, ...options });
}

/** An order whose first request the shop carries out only when the second is through. */
async function twinned(operation: 'orderCreate' | 'draftOrderCreate') {
  t.server.faults.add({ operation, when: 'before', action: 'delay', ms: LATE_MS });
  const reservation = await t.granted('CAP', 2);
  await t.accepted(reservation);
  await t.workFor(2 * MINUTE);
  expect((await t.order(reservation)).state).toBe('placed');
  return reservation;
}

const standing = () => t.orders().filter(({ cancellation }) => cancellation === null);
const kinds = async (reservation: { reservation_id: string }) => {
  const { reservation: row } = await t.owned(reservation);
  return (await t.store.timeline(row.reservation_key, 100)).map(({ kind }) => kind);
};

describe('item 15: an order that the shop makes late', () => {
  const MOVE: ShopLedgerOptions = { settings: { mirror: 'move' } };

  test('is found and told, once, and left to a person', async () => {
    await shop(MOVE);
    const reservation = await twinned('orderCreate');
    await expect.poll(() => t.orders().length, { timeout: 30_000 }).toBe(2);
    const watch = t.watchTwins(false);
    await watch.look(signal);
    t.time.pass(15 * SECOND);
    await watch.look(signal);
    await t.watchTwins(true).close();
    expect(standing()).toHaveLength(2);
    expect((await kinds(reservation)).filter((kind) => kind === 'order.doubled')).toHaveLength(1);
    expect(t.events.filter(({ event }) => event === 'order_doubled')).toHaveLength(1);
  });

  test('is cancelled where the merchant allows it: one order stays, and its units alone are sold', async () => {
    await shop(MOVE);
    const reservation = await twinned('orderCreate');
    await expect.poll(() => t.orders().length, { timeout: 30_000 }).toBe(2);
    const watch = t.watchTwins(true);
    for (let n = 0; n < 4; n += 1) {
      await watch.look(signal);
      t.time.pass(15 * SECOND);
    }
    const { upstream_order_ref } = await t.order(reservation);
    expect(standing().map(({ id }) => id.split('/').at(-1))).toEqual([upstream_order_ref]);
    expect(t.available('CAP', 'Warehouse')).toBe(18);
    expect((await kinds(reservation)).filter((kind) => kind === 'order.twin_cancelled')).toHaveLength(1);
  });

  test('is not cancelled when it was paid, nor when the other one was cancelled', async () => {
    await shop(MOVE);
    const reservation = await twinned('orderCreate');
    await expect.poll(() => t.orders().length, { timeout: 30_000 }).toBe(2);
    const { upstream_order_ref: known } = await t.order(reservation);
    const [own] = t.orders().filter(({ id }) => id.endsWith(`/${known}`));
    const [twin] = t.orders().filter(({ id }) => !id.endsWith(`/${known}`));
    if (own === undefined || twin === undefined) throw new Error('no twins');
    t.server.shop.cancel(own.name, { restock: true, refund: false });
    await t.watchTwins(true).look(signal);
    t.time.pass(MINUTE);
    expect(standing().map(({ id }) => id)).toEqual([twin.id]);
    t.server.shop.orders.markPaid(twin, t.server.shop.nowMs());
    await t.watchTwins(true).look(signal);
    t.time.pass(MINUTE);
    expect(standing().map(({ id }) => id)).toEqual([twin.id]);
  });

  test('is looked for every round for two minutes, then each minute, for an hour', async () => {
    await shop(MOVE);
    t.server.faults.add({ operation: 'orderCreate', when: 'before', action: 'drop' });
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    await t.workFor(90 * SECOND);
    expect((await t.order(reservation)).state).toBe('placed');
    const [since] = await t.store.lateRows(0, 10);
    if (since === undefined) throw new Error('nothing is watched');
    let searches = 0;
    const { sink } = t.upstream;
    const find = sink.findTagged.bind(sink);
    sink.findTagged = (...asked) => {
      searches += 1;
      return find(...asked);
    };
    const watch = t.watchTwins(false);
    const lookFor = async (ms: number) => {
      searches = 0;
      for (const end = t.clock.now() + ms; t.clock.now() < end; t.time.pass(15 * SECOND))
        await watch.look(signal);
      return searches;
    };
    const early = Math.max(0, since.late_since_ms + 2 * MINUTE - t.clock.now());
    expect(await lookFor(early)).toBe(Math.ceil(early / (15 * SECOND)));
    const looks = await lookFor(10 * MINUTE);
    expect(looks).toBeGreaterThanOrEqual(9);
    expect(looks).toBeLessThanOrEqual(11);
    t.time.pass(HOUR);
    expect(await lookFor(10 * MINUTE)).toBe(0);
  });
});

/** The process that looked in vain is turned away when it asks again, and still remembers the look-ups. */
async function lookedUpInVain(options: ShopLedgerOptions) {
  await shop(options);
  const other = t.beside('worker-2');
  const reservation = await t.granted('CAP', 2);
  await t.accepted(reservation);
  t.server.faults.add({ operation: 'orderCreate', when: 'before', action: 'drop' });
  t.server.faults.add({
    operation: 'orderCreate',
    when: 'before',
    action: 'status',
    code: 429,
    times: 1000,
  });
  while ((await t.owned(reservation)).outbox.late_since_ms === null) await other.workFor(5 * SECOND);
  t.server.faults.clear();
  expect(await t.owned(reservation)).toMatchObject({
    outbox: { shop_state: 'absent' },
    order: { state: 'accepted' },
  });
  expect(t.orders()).toEqual([]);
  return { other, reservation };
}

/** The request that was cut off is carried out now. */
async function makeLate(reservation: { reservation_id: string }): Promise<void> {
  const { outbox } = await t.owned(reservation);
  const { variant_id } = await t.item('CAP');
  const lines = [{ variant_id, quantity_units: 2 }];
  const request = { tag: outbox.tag, lines, buyer: null, note: null, reference: null };
  const made = await t.upstream.sink.placeOrder({ ...request, payment: 'pending' }, signal);
  expect(made.outcome).toBe('done');
}

describe('L4: an order that the shop makes late, between the look-ups and the next request, is the only one', () => {
  test('also when another process finds it', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    await t.watchTwins(false).look(signal);
    await other.workFor(2 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await t.order(reservation)).state).toBe('placed');
    await other.beat();
    await other.workFor(MINUTE);
    await t.expectTrueBooks();
  });

  test('also when the one who looked in vain is turned away while another process finds it', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    const { sink } = other.upstream;
    const place = sink.placeOrder.bind(sink);
    sink.placeOrder = async (...asked) => {
      // Its intent is written, so that the row is not changed when the order is found.
      await t.watchTwins(false).look(signal);
      t.server.faults.add({
        operation: 'orderCreate',
        when: 'before',
        action: 'status',
        code: 429,
        times: 1000,
      });
      const outcome = await place(...asked);
      t.server.faults.clear();
      sink.placeOrder = place;
      return outcome;
    };
    await other.workFor(2 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await t.order(reservation)).state).toBe('placed');
  });

  test('also when nobody has found it, and the look-ups are more than a minute old', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    t.time.pass(61 * SECOND);
    await other.workFor(2 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await t.order(reservation)).state).toBe('placed');
  });

  test('also when its order is held by then', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    const { reservation: row } = await t.owned(reservation);
    const keys = { owned: { reservation_key: row.reservation_key } };
    await t.store.transact(keys, (state) => decideBuyerRefused(state, ['buyer.email']));
    await makeLate(reservation);
    await t.watchTwins(false).look(signal);
    await other.workFor(2 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await t.order(reservation)).state).toBe('placed');
  });
});

describe('L4: of several orders with one tag', () => {
  const cancel = (at: number) => {
    const [order] = t.orders().slice(at);
    if (order === undefined) throw new Error('no such order');
    t.server.shop.cancel(order.name, { restock: true, refund: false });
    t.time.pass(MINUTE);
  };
  const idOf = (at: number) => t.orders()[at]?.id.split('/').at(-1);

  test('the oldest that was not cancelled is taken over, and nothing is doubled', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    cancel(0);
    await makeLate(reservation);
    await other.workFor(2 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', upstream_order_ref: idOf(1) });
    expect(other.events.filter(({ event }) => event === 'order_doubled')).toEqual([]);
    const watch = t.watchTwins(true);
    await watch.look(signal);
    t.time.pass(MINUTE);
    expect(standing().map(({ id }) => id)).toEqual([t.orders()[1]?.id]);
    expect(t.orders()).toHaveLength(2);
  });

  test('two that stand: the older is taken over, the younger is told', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    t.time.pass(SECOND);
    await makeLate(reservation);
    await t.watchTwins(false).look(signal);
    await other.workFor(2 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', upstream_order_ref: idOf(0) });
    expect(other.events.filter(({ event }) => event === 'order_doubled')).toHaveLength(1);
  });

  test('one that was cancelled is taken over where it is alone, and never ordered again', async () => {
    const { other, reservation } = await lookedUpInVain({ settings: { mirror: 'move' } });
    await makeLate(reservation);
    cancel(0);
    await other.workFor(2 * MINUTE);
    await other.orderWatch.poll(signal);
    expect(await t.order(reservation)).toMatchObject({ state: 'cancelled', upstream_order_ref: idOf(0) });
    expect(t.orders()).toHaveLength(1);
  });

  test('that drafts became, one that was not cancelled is taken over', async () => {
    await shop();
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'drop' });
    const reservation = await t.granted('CAP', 2);
    await t.work();
    const { tag } = (await t.owned(reservation)).outbox;
    const { variant_id } = await t.item('CAP');
    const until_ms = t.clock.now() + HOUR;
    await t.accepted(reservation);
    for (const at of [0, 1]) {
      const lines = [{ variant_id, quantity_units: 2 }];
      const made = await t.upstream.sink.createHold({ tag, lines, until_ms }, signal);
      expect(made.outcome).toBe('done');
      const [draft] = t.drafts();
      if (draft === undefined) throw new Error('no draft');
      t.byHand('complete', draft);
      if (at === 0) cancel(0);
    }
    await t.workFor(2 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', upstream_order_ref: idOf(1) });
    expect(t.orders()).toHaveLength(2);
  });
});

describe('item 15: a draft that the shop makes late', () => {
  test('is let go, and the order stays one', async () => {
    await shop();
    await twinned('draftOrderCreate');
    await expect.poll(() => t.drafts().length, { timeout: 30_000 }).toBe(1);
    await t.watchTwins(false).look(signal);
    expect(t.drafts()).toEqual([]);
    expect(t.orders()).toHaveLength(1);
    await t.beat();
    expect(t.available('CAP', 'Warehouse')).toBe(18);
  });

  test('that is the row’s own is kept', async () => {
    await shop();
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'drop' });
    const reservation = await t.granted('CAP', 2);
    await t.workFor(2 * MINUTE);
    expect((await t.owned(reservation)).outbox).toMatchObject({ shop_state: 'open' });
    await t.watchTwins(true).look(signal);
    expect(t.drafts()).toHaveLength(1);
  });
});
