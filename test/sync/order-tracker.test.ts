/** Life after the order: what people do at the shop comes to the ledger by webhook and by poll, and is told once. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import { ALL_SCOPES } from '../../src/sandbox/api-rules/access.js';
import { AGENT, answerOf, HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, STORE, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
/** Orders that are paid: only what was paid can be refunded. */
const open = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open({ ...options, settings: { order_payment: 'paid', ...options.settings } });
};
afterEach(() => t.close());

const signal = new AbortController().signal;
const poll = () => t.orderWatch.poll(signal);

/** An order of ours that the shop has, and what it calls it. */
async function placed(
  sku: string,
  quantity: number,
): Promise<{ reservation: ReserveAnswer; name: string; ref: string }> {
  const reservation = await t.granted(sku, quantity);
  await t.accepted(reservation);
  await t.work();
  const { upstream_order_name: name, upstream_order_ref: ref } = await t.order(reservation);
  if (name === null || ref === null) throw new Error('the shop does not have the order');
  return { reservation, name, ref };
}

/** Told to the agent since the shop has the order. */
async function told({ reservation_id }: Pick<ReserveAnswer, 'reservation_id'>): Promise<string[]> {
  const { timeline } = answerOf(await t.ledger.getOrder(AGENT, { reservation_id }));
  const at = timeline.findIndex(({ event }) => event === 'order.placed');
  return timeline.slice(at + 1).map(({ event }) => event.replace('order.', ''));
}

const status = async ({ reservation_id }: Pick<ReserveAnswer, 'reservation_id'>) =>
  answerOf(await t.ledger.getOrder(AGENT, { reservation_id })).status;

const restocked = (reservation_id: string) =>
  t.rawly((db) =>
    db
      .prepare(
        `SELECT coalesce(sum(json_extract(data, '$.units')), 0) FROM journal
         JOIN reservations ON reservations.reservation_key = journal.reservation_key
         WHERE kind = 'order.restocked' AND reservations.id = ?`,
      )
      .pluck()
      .get(reservation_id),
  );

test('22: an order that nobody has paid is cancelled without a refund, and its units can be sold at once', async () => {
  await open({ settings: { order_payment: 'pending' } });
  const { reservation, name } = await placed('SCARF', 2);
  await poll();
  t.time.pass(MINUTE);
  t.server.shop.cancel(name, { restock: true });
  await poll();
  expect(await status(reservation)).toBe('cancelled');
  expect(await told(reservation)).toEqual(['cancelled']);
  expect(await t.atp('SCARF')).toBe(3);
});

describe('by poll', () => {
  beforeEach(() => open());
  afterEach(() => t.expectTrueBooks());

  test('an order that a person ships is fulfilled', async () => {
    const { reservation, name } = await placed('CAP', 3);
    await poll();
    t.time.pass(MINUTE);
    t.server.shop.fulfil(name, { CAP: 1 });
    await poll();
    expect(await status(reservation)).toBe('placed');
    t.time.pass(MINUTE);
    t.server.shop.fulfil(name);
    await poll();
    expect(await status(reservation)).toBe('fulfilled');
    t.time.pass(MINUTE);
    await poll();
    await poll();
    expect(await told(reservation)).toEqual(['partly_fulfilled', 'fulfilled']);
  });

  test('an order that a person cancels is cancelled, and its units can be sold at once when they were put back', async () => {
    const { reservation, name } = await placed('SCARF', 2);
    await t.beat();
    await poll();
    expect(await t.atp('SCARF')).toBe(1);
    t.time.pass(MINUTE);
    t.server.shop.cancel(name, { restock: true });
    await poll();
    expect(await status(reservation)).toBe('cancelled');
    expect(await told(reservation)).toEqual(['cancelled', 'refunded', 'restocked']);
    // Without any heartbeat: the poll has read the items again.
    expect(await t.atp('SCARF')).toBe(3);
  });

  test('an order that a person edits is told, and units taken off can be sold', async () => {
    const { reservation, name } = await placed('SCARF', 2);
    await t.beat();
    await poll();
    t.time.pass(MINUTE);
    t.server.shop.edit(name, { SCARF: 1, CAP: 1 });
    await poll();
    expect((await told(reservation))[0]).toBe('edited');
    expect(await t.atp('SCARF')).toBe(2);
    expect(await status(reservation)).toBe('placed');
    // What was added is another item's stock: its own news.
    await t.beat();
    expect(await t.atp('CAP')).toBe(24);
  });

  test('what happened before there was a cursor is in the first look', async () => {
    const { reservation, name } = await placed('SCARF', 1);
    t.time.pass(10 * MINUTE);
    t.server.shop.cancel(name, { restock: false });
    t.time.pass(10 * MINUTE);
    expect(await t.store.orderCursor()).toBeNull();
    await poll();
    expect(await status(reservation)).toBe('cancelled');
    expect(await t.store.orderCursor()).not.toBeNull();
  });

  test('what the cursor has passed before the ledger knew the order is in the first look, too', async () => {
    await poll();
    const reservation = await t.granted('SCARF', 1);
    await t.accepted(reservation);
    // The shop has the order, and its answer is lost.
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'after', action: 'drop' });
    await t.work();
    const [order] = t.orders();
    if (order === undefined) throw new Error('the shop does not have the order');
    expect(await t.order(reservation)).toMatchObject({ state: 'accepted', upstream_order_ref: null });
    t.server.shop.cancel(order.name, { restock: true });
    t.time.pass(10 * MINUTE);
    await poll();
    t.time.pass(10 * MINUTE);
    await poll();
    await t.workFor(2 * MINUTE);
    expect(await status(reservation)).toBe('placed');
    await poll();
    expect(await status(reservation)).toBe('cancelled');
  });

  test('one that fails half way asks again from where the last one ended', async () => {
    const first = await placed('SCARF', 1);
    await poll();
    const cursor = await t.store.orderCursor();
    t.time.pass(5 * MINUTE);
    t.server.shop.fulfil(first.name);
    t.server.faults.add({ operation: 'orders', when: 'before', action: 'status', code: 503, times: 100 });
    await expect(poll()).rejects.toThrow('shop');
    expect(await t.store.orderCursor()).toBe(cursor);
    t.server.faults.clear();
    await poll();
    expect(await status(first.reservation)).toBe('fulfilled');
  });

  test('is done by one process at a time, and by another when that one stops', async () => {
    const { reservation, name } = await placed('SCARF', 1);
    await poll();
    const other = t.beside('worker-2');
    t.time.pass(MINUTE);
    t.server.shop.fulfil(name);
    await other.orderWatch.poll(signal);
    expect(await status(reservation)).toBe('placed');
    await t.orderWatch.close();
    await other.orderWatch.poll(signal);
    expect(await status(reservation)).toBe('fulfilled');
  });
});

describe('by webhook', () => {
  beforeEach(() => open());
  afterEach(() => t.expectTrueBooks());

  test('the orders that are named are read at once, those of others not at all', async () => {
    const { reservation, name, ref } = await placed('SCARF', 1);
    t.server.shop.fulfil(name);
    const reads: (readonly string[])[] = [];
    const { orders } = t.upstream;
    const readOrders = orders.readOrders.bind(orders);
    Object.assign(orders, {
      readOrders: (refs: readonly string[], ends: AbortSignal) => {
        reads.push(refs);
        return readOrders(refs, ends);
      },
    });
    await t.orderWatch.see(['1', '2', '3'], signal);
    expect(reads).toEqual([]);
    await t.orderWatch.see([ref, '7', ref, ref], signal);
    expect(reads).toEqual([[ref]]);
    expect(await status(reservation)).toBe('fulfilled');
  });

  test('a shop that can not be read says so to whoever asked, and nothing is lost', async () => {
    const { reservation, name, ref } = await placed('SCARF', 1);
    t.server.shop.fulfil(name);
    t.server.faults.add({ operation: 'nodes', when: 'before', action: 'status', code: 503, times: 100 });
    await expect(t.orderWatch.see([ref], signal)).rejects.toThrow('shop');
    t.server.faults.clear();
    await t.orderWatch.see([ref], signal);
    expect(await status(reservation)).toBe('fulfilled');
  });
});

test('an order that the shop has deleted is told once, and not asked for by every poll', async () => {
  await open();
  const { reservation } = await placed('SCARF', 1);
  // As if it were: the shop has no order of that number.
  t.rawly((db) => db.exec("UPDATE orders SET upstream_order_ref = '404'"));
  await poll();
  expect(await t.store.unseenOrders(10)).toEqual([]);
  await poll();
  expect(await told(reservation)).toEqual(['missing']);
  expect(await status(reservation)).toBe('placed');
});

describe('item 21: an order that an app sees for sixty days', () => {
  const SIXTY_DAYS = 60 * 24 * HOUR;
  const read = async (scopes: readonly string[], age_ms: number) => {
    await open({ sandbox: { scopes } });
    const order = await placed('SCARF', 1);
    t.time.pass(age_ms);
    await t.orderWatch.see([order.ref], signal);
    const { timeline } = answerOf(await t.ledger.getOrder(AGENT, order.reservation));
    return timeline.find(({ event }) => event === 'order.missing')?.detail ?? null;
  };
  const without = ALL_SCOPES.filter((scope) => scope !== 'read_all_orders');

  test('is told as older than that, or not shown, when it is', async () => {
    expect(await read(without, SIXTY_DAYS + MINUTE)).toMatch(
      /older than 60 days, or not shown.*read_all_orders/,
    );
    expect(t.events.filter(({ event }) => event === 'order_missing')).toMatchObject([
      { detail: { is_old: true } },
    ]);
  });

  test('is there before, and with read_all_orders after that too', async () => {
    expect(await read(without, SIXTY_DAYS - MINUTE)).toBeNull();
    await t.close();
    expect(await read(ALL_SCOPES, SIXTY_DAYS + MINUTE)).toBeNull();
  });
});

describe('only what the shop has put back can be sold again', () => {
  beforeEach(() => open());
  afterEach(() => t.expectTrueBooks());

  test('a refund without restock changes nothing sellable', async () => {
    const { reservation, name, ref } = await placed('SCARF', 2);
    await t.beat();
    const before = await t.item('SCARF');
    expect(await t.atp('SCARF')).toBe(1);
    t.time.pass(MINUTE);
    t.server.shop.refund(name, { SCARF: 1 }, { restock: 'NO_RESTOCK' });
    await t.orderWatch.see([ref], signal);
    await t.orderWatch.see([ref], signal);
    await poll();
    await t.beat();
    expect(await told(reservation)).toEqual(['refunded']);
    expect(restocked(reservation.reservation_id)).toBe(0);
    expect(await t.atp('SCARF')).toBe(1);
    expect((await t.item('SCARF')).stock_hash).toBe(before.stock_hash);
  });

  test('a refund with restock gives back exactly its units, once', async () => {
    const { reservation, name, ref } = await placed('SCARF', 2);
    await t.beat();
    t.time.pass(MINUTE);
    t.server.shop.refund(name, { SCARF: 1 }, { restock: 'CANCEL' });
    for (let deliveries = 0; deliveries < 3; deliveries += 1) await t.orderWatch.see([ref], signal);
    await poll();
    expect(await told(reservation)).toEqual(['refunded', 'restocked']);
    expect(restocked(reservation.reservation_id)).toBe(1);
    expect(await t.atp('SCARF')).toBe(2);
  });

  test('a return that is delivered three times and out of order adds one unit after it is restocked, and no other', async () => {
    const { reservation, name, ref } = await placed('SCARF', 2);
    t.server.shop.fulfil(name);
    await t.beat();
    await poll();
    expect(await t.atp('SCARF')).toBe(1);
    const { orders } = t.upstream;
    const readings: { at_ms: number; seen: Awaited<ReturnType<typeof orders.readOrders>> }[] = [];
    const readNow = async () => {
      t.time.pass(30 * SECOND);
      readings.push({ at_ms: t.clock.now(), seen: await orders.readOrders([ref], signal) });
    };
    const { shop } = t.server;
    const { name: returned } = shop.returnUnits(name, { SCARF: 1 });
    await readNow();
    shop.closeReturn(returned);
    await readNow();
    shop.reopenReturn(returned);
    await readNow();
    // Nothing is back so far, whatever was told three times and in any order.
    for (const seen of [2, 0, 1, 1, 2, 0, 0, 1, 2]) await deliver(readings[seen]);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(1);
    shop.dispose(returned, { SCARF: 1 }, 'RESTOCKED', WAREHOUSE);
    await readNow();
    shop.closeReturn(returned);
    await readNow();
    for (const seen of [4, 0, 3, 4, 2, 3, 1, 4, 3, 0]) await deliver(readings[seen]);
    await poll();
    expect(restocked(reservation.reservation_id)).toBe(1);
    expect(await t.atp('SCARF')).toBe(2);
    t.time.pass(MINUTE);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(2);
    expect((await told(reservation)).filter((event) => event === 'restocked')).toHaveLength(1);
    expect(await status(reservation)).toBe('fulfilled');

    /** Exactly this reading arrives now: the shop answers late, twice, in any order. */
    async function deliver(reading: (typeof readings)[number] | undefined): Promise<void> {
      if (reading === undefined) throw new Error('no such reading');
      const late = {
        readOrders: async () => reading.seen,
        ordersChangedSince: orders.ordersChangedSince.bind(orders),
      };
      const clock = {
        now: () => reading.at_ms,
        observe: (written: number) => written,
        elapsed: () => 0,
        doubtMs: () => 0,
        missedMs: () => 0,
        mayHaveStoodStill: () => false,
        leadMs: () => 0,
        recall: () => undefined,
        timeMark: () => null,
      };
      await t.watchOrders({ source: late, clock }).see([ref], signal);
    }
  });

  test('units that come back to another location are sold from there', async () => {
    const { name, ref } = await placed('SCARF', 1);
    t.server.shop.fulfil(name);
    const { name: returned } = t.server.shop.returnUnits(name, { SCARF: 1 });
    t.server.shop.dispose(returned, { SCARF: 1 }, 'RESTOCKED', STORE);
    await t.orderWatch.see([ref], signal);
    expect((await t.level('SCARF', STORE)).upstream_available_units).toBe(1);
    expect(await t.atp('SCARF')).toBe(3);
  });
});
