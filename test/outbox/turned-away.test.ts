/** Calls that are turned away, reads that show nothing, and bugs: what is not certain is never taken for certain. */

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../src/ledger/model/outbox-row.js';
import type { MoveOutcome } from '../../src/sources/source.js';
import { answerOf, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open({ ...options, tuning: { attempts_max: 1, ...options.tuning } });
};
const mover = (options: ShopLedgerOptions = {}) =>
  shop({ ...options, settings: { mirror: 'move', ...options.settings } });
afterEach(() => t.close());

const reserved = (sku: string) => t.server.shop.readStock(sku, WAREHOUSE).reserved;
const row = async (reservation: { readonly reservation_id: string }): Promise<OutboxRow> =>
  (await t.owned(reservation)).outbox;
const turnAway = (operation: string, code: number) =>
  t.server.faults.add({ operation, when: 'before', action: 'status', code });

/** The shop answers moves with these, one by one, and then by itself. */
function answerMoves(direction: 'out' | 'back', ...outcomes: MoveOutcome[]): void {
  const { sink } = t.upstream;
  const real = sink.moveStock.bind(sink);
  sink.moveStock = async (move, signal) =>
    (move.direction === direction ? outcomes.shift() : undefined) ?? real(move, signal);
}

/** The next read of the draft shows nothing, as a copy that lags behind would. */
function hideDraftOnce(status: 'open' | 'completed'): void {
  const { sink } = t.upstream;
  const real = sink.readHold.bind(sink);
  let hidden = 1;
  sink.readHold = async (ref, signal) => {
    const hold = await real(ref, signal);
    return hold?.status === status && hidden-- > 0 ? null : hold;
  };
}

describe('a call that is turned away before anything ran', () => {
  test.each([401, 423, 429, 430])(
    'L3: a move that is sent again and meets HTTP %i may have been carried out before: its units come back',
    async (code) => {
      await mover();
      t.server.faults.add({ operation: 'inventoryMoveQuantities', when: 'after', action: 'drop' });
      const reservation = await t.granted('CAP', 2);
      await t.work();
      turnAway('inventoryMoveQuantities', code);
      await t.work();
      t.time.pass(5 * SECOND);
      await t.work();
      expect(['creating', 'open']).toContain((await row(reservation)).shop_state);
      await t.release(reservation);
      await t.workFor(10 * MINUTE);
      expect([t.available('CAP'), reserved('CAP')]).toEqual([20, 0]);
    },
  );

  test('L3: HTTP 430 on the way back leaves no unit behind', async () => {
    await mover();
    const reservation = await t.mirrored('SCARF', 2);
    await t.release(reservation);
    turnAway('inventoryMoveQuantities', 430);
    await t.workFor(10 * MINUTE);
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([3, 0]);
    expect((await row(reservation)).parked).toBe(false);
  });

  test.each([
    ['draft_order', 'draftOrderCreate'],
    ['draft_order', 'draftOrderComplete'],
    ['move', 'orderCreate'],
  ] as const)('an order (%s) waits when %s meets HTTP 430, and is placed', async (mirror, operation) => {
    await shop({ settings: { mirror } });
    const reservation = await t.granted('SCARF', 2);
    await t.accepted(reservation);
    turnAway(operation, 430);
    await t.workFor(10 * MINUTE);
    expect((await t.order(reservation)).state).toBe('placed');
    expect(t.orders()).toHaveLength(1);
  });
});

describe('a draft that reads as nothing once', () => {
  test('L4: after its completion was lost: the order is found by our tag, none is made', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 1);
    await t.accepted(reservation);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'after', action: 'drop' });
    hideDraftOnce('completed');
    await t.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await t.order(reservation)).state).toBe('placed');
  });

  test('L4: while its buyer may be paying: the order stays and the link too', async () => {
    await shop({ settings: { order_mode: 'checkout_link' } });
    const reservation = await t.mirrored('COAT', 1);
    answerOf(await t.submit(reservation));
    await t.work();
    hideDraftOnce('open');
    await t.workFor(3 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'accepted', checkout_url: expect.any(String) });
    expect(t.drafts()).toHaveLength(1);
  });
});

describe('a move that the shop gave up on', () => {
  test('once on the way out and once on the way back is tried anew both times', async () => {
    await mover();
    const failed: MoveOutcome = { outcome: 'failed', detail: 'MOVE_QUANTITIES_FAILED' };
    answerMoves('out', failed);
    const reservation = await t.granted('SCARF', 2);
    await t.workFor(MINUTE);
    expect(await row(reservation)).toMatchObject({ shop_state: 'open', last_failure: null });
    answerMoves('back', failed);
    await t.release(reservation);
    await t.workFor(10 * MINUTE);
    expect([t.available('SCARF'), reserved('SCARF')]).toEqual([3, 0]);
  });

  test('for good on the way to the order: the order is placed, and the row stays before a person', async () => {
    await mover();
    const reservation = await t.mirrored('CAP', 1);
    answerMoves('back', { outcome: 'refused', failure: 'refused', detail: 'x' });
    await t.accepted(reservation);
    await t.workFor(2 * MINUTE);
    expect((await t.order(reservation)).state).toBe('placed');
    expect(await row(reservation)).toMatchObject({ parked: true, last_failure: 'left_behind' });
  });
});

test('L4: a worker that was suspended in a read before the order sends it no more', async () => {
  await mover();
  const reservation = await t.granted('SCARF', 1);
  await t.accepted(reservation);
  t.server.faults.add({ operation: 'nodes', when: 'before', action: 'delay', ms: 1_500 });
  const hung = t.beside('worker-dying', { intents: t.intents }).work();
  await expect.poll(async () => (await row(reservation)).shop_state).toBe('completing');
  t.time.pass(61 * SECOND);
  await t.workFor(2 * MINUTE);
  await hung;
  expect((await t.order(reservation)).state).toBe('placed');
  expect(t.orders()).toHaveLength(1);
});

test('a link is handed out no more once its time is over, also while the shop can not be reached', async () => {
  await shop({ settings: { order_mode: 'checkout_link' } });
  const reservation = await t.mirrored('COAT', 1);
  answerOf(await t.submit(reservation));
  await t.work();
  const order = await t.order(reservation);
  t.server.faults.add({ operation: 'draftOrderDelete', when: 'before', action: 'drop', times: 100 });
  t.time.pass((order.pay_until_ms ?? 0) - t.time.wall_ms + 1);
  const answer = async () => answerOf(await t.ledger.getOrder('agent-a', { order_id: order.id }));
  expect((await answer()).upstream?.checkout_url).toBeUndefined();
  expect((await answer()).next).toContain('do not send the buyer there any more');
  await t.work();
  expect(await t.order(reservation)).toMatchObject({ state: 'accepted', checkout_url: null });
});

test('a held order that its buyer will pay is a draft, although the merchant has set moves since', async () => {
  const paying = { order_mode: 'checkout_link', stale_hash: 'hold' } as const;
  await shop({ settings: { mirror: 'none', ...paying } });
  const reservation = await t.granted('SCARF', 2);
  t.server.shop.sell('SCARF', 1);
  await t.beat();
  const order = answerOf(await t.submit(reservation));
  expect(order.status).toBe('held');
  const next = t.beside('worker-2', { settings: { mirror: 'move', ...paying } });
  t.server.shop.receive('SCARF', WAREHOUSE, 5);
  await next.beat();
  answerOf(await next.ledger.decideHeld(order.order_id, 'approve', 'me'));
  await next.workFor(MINUTE);
  expect(await t.order(reservation)).toMatchObject({ state: 'accepted', checkout_url: expect.any(String) });
});

test('a decision with a bug in it is put off further each time and parked in the end, not tried for ever', async () => {
  await shop({ limits: { attempts_max: 3 } });
  const reservation = await t.granted('SCARF', 1);
  t.upstream.sink.createHold = () => {
    throw new Error('a bug');
  };
  await t.accepted(reservation);
  await t.workFor(60 * MINUTE);
  expect(await row(reservation)).toMatchObject({ parked: true, last_failure: 'bug', due_at_ms: null });
  expect(t.events.filter(({ event }) => event === 'outbox_bug')).toHaveLength(3);
});

test('what a buyer has told us is not in the file any more once the order is placed', async () => {
  await shop();
  for (const name of ['one', 'two', 'three']) {
    const reservation = await t.mirrored('CAP', 1);
    const address1 = `unique street ${name}`.repeat(20);
    await t.accepted(reservation, {
      buyer: { email: 'ada@example.org', shipping_address: { address1, city: 'London', country_code: 'GB' } },
    });
    await t.workFor(MINUTE);
    await t.beat();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', buyer: null });
  }
  t.rawly((db) => db.pragma('wal_checkpoint(TRUNCATE)'));
  expect(readFileSync(t.path).toString('latin1')).not.toContain('unique street');
});

test('a hold that rests costs one read a check', async () => {
  await shop();
  await t.mirrored('CAP', 1, { ttl_seconds: 900 });
  let reads = 0;
  const { source } = t.upstream;
  const { sink } = t.upstream.mirrors;
  const readItems = source.readItems.bind(source);
  const readHold = sink.readHold.bind(sink);
  source.readItems = (ids, signal) => {
    reads += 1;
    return readItems(ids, signal);
  };
  sink.readHold = (ref, signal) => {
    reads += 1;
    return readHold(ref, signal);
  };
  await t.workFor(10 * MINUTE);
  expect(reads).toBe(10);
});
