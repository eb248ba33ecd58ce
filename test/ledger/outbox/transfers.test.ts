/** HOLDFAST_MIRROR=move, without a shop: what a move asks for, when one is asked for, and what its outcomes change. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StockMove } from '../../../src/ledger/model/stock-transfer.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import {
  decideAbsent,
  decideDeleted,
  decideLater,
  decideReread,
} from '../../../src/ledger/outbox/next-step.js';
import { moveBack } from '../../../src/ledger/outbox/request-transfer.js';
import {
  decideLeftBehind,
  decideStillTaken,
  decideTaken,
} from '../../../src/ledger/outbox/transfer-steps.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import {
  answerOf,
  MINUTE,
  OTHER_AGENT,
  SECOND,
  STORE,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';
import { seen as reported, TestWorker } from '../../helpers/test-worker.js';

let t: TestLedger;
let worker: TestWorker;
beforeEach(async () => {
  t = await TestLedger.open({ settings: { mirror: 'move' } });
  worker = new TestWorker(t);
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

const outbox = async ({ reservation_id }: ReserveAnswer) => (await t.owned(reservation_id)).outbox;
const holds = async ({ reservation_id }: ReserveAnswer) => (await t.owned(reservation_id)).holds;
const step = (mine: ReserveAnswer) => worker.visit(mine);

async function request(of: ReserveAnswer): Promise<StockMove> {
  const move = (await outbox(of)).request;
  if (move === null) throw new Error('no move was written');
  return move;
}

/** A reservation whose units the shop has moved; no report has shown it yet. */
async function taken(
  quantity: number,
  more: Parameters<TestLedger['granted']>[2] = {},
): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', quantity, more);
  expect(await step(reservation)).toBe('take');
  await t.decide(reservation.reservation_id, decideTaken);
  return reservation;
}

/** A report read after all that was done so far. */
const seen = (available: number) => reported(t, 'tee', { [WAREHOUSE]: available });

/** The same, with a report that shows the move. */
async function mirrored(quantity: number): Promise<ReserveAnswer> {
  const reservation = await taken(quantity);
  await seen(10 - quantity);
  return reservation;
}

describe('a move', () => {
  test('takes exactly what is held, where it is held, on the condition that the shop has what we know', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 7 } });
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 4, [STORE]: 5 } });
    const reservation = await t.granted('tee', 1, {
      lines: [
        { sku: 'tee', quantity: units(12) },
        { sku: 'cap', quantity: units(2), location_id: STORE },
      ],
    });
    expect(await step(reservation)).toBe('take');
    const { changes, ...move } = await request(reservation);
    expect(move).toEqual({
      key: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      attempt: 1,
      direction: 'out',
      reservation_id: reservation.reservation_id,
    });
    const at = (item_id: string, location_id: string, quantity_units: number, available_units: number) => ({
      item_id,
      location_id,
      quantity_units,
      available_units,
    });
    expect(changes).toHaveLength(3);
    expect(changes).toEqual(
      expect.arrayContaining([
        at('item-tee', WAREHOUSE, 10, 10),
        at('item-tee', STORE, 2, 7),
        at('item-cap', STORE, 2, 5),
      ]),
    );
  });

  test('L4: is told with its key before the shop is asked, and sent again as it was written', async () => {
    const reservation = await t.granted('tee', 3);
    await worker.visit(reservation);
    const move = await request(reservation);
    expect(await worker.journal(reservation, 1)).toEqual([
      { kind: 'shop.creating', attempt: 1, move: move.key },
    ]);
    t.time.pass(MINUTE);
    await seen(8);
    expect(await step(reservation)).toBe('resend');
    expect(await request(reservation)).toEqual(move);
  });

  test('L4: has a key that no other attempt and no other reservation has', async () => {
    const [first, second] = [await t.granted('tee', 3), await t.granted('tee', 3)];
    for (const one of [first, second]) await worker.visit(one);
    const before = await request(first);
    await t.decide(first.reservation_id, (state) => decideAbsent(state, 'stale'));
    await seen(9);
    expect(await step(first)).toBe('take');
    const after = await request(first);
    expect(after).toMatchObject({ attempt: 2, changes: [{ quantity_units: 3, available_units: 9 }] });
    expect(new Set([before.key, after.key, (await request(second)).key]).size).toBe(3);
  });

  test('back is of what was moved out, on no condition, under the next number', async () => {
    const reservation = await mirrored(4);
    const out = await request(reservation);
    await t.release(reservation.reservation_id);
    expect(await step(reservation)).toBe('give_back');
    const { key, ...back } = await request(reservation);
    expect(back).toEqual({
      attempt: 2,
      direction: 'back',
      reservation_id: reservation.reservation_id,
      changes: [{ item_id: 'item-tee', location_id: WAREHOUSE, quantity_units: 4, available_units: null }],
    });
    expect(key).not.toBe(out.key);
  });

  test('back of what was never moved is a bug', async () => {
    const { reservation_id } = await t.granted('tee', 4);
    const owned = await t.owned(reservation_id);
    expect(() => moveBack(owned)).toThrow('nothing was moved that could be given back');
  });
});

describe('L1: units are asked for', () => {
  test.each([
    ['are exactly there', 4, 'take'],
    ['are one short', 3, 'reread'],
  ] as const)('when they %s', async (_, available, expected) => {
    const reservation = await t.granted('tee', 4);
    await seen(available);
    expect(await step(reservation)).toBe(expected);
  });

  test('when those who came first leave them, not when there is only as much', async () => {
    await t.granted('tee', 4, { principal: OTHER_AGENT });
    const second = await t.granted('tee', 3);
    await seen(6);
    expect(await step(second)).toBe('reread');
    await seen(7);
    expect(await step(second)).toBe('take');
  });

  test.each([
    [2, 'reread'],
    [3, 'take'],
  ] as const)(
    'when %i are left beside what a later one was given, %s: a level can’t be taken below zero',
    async (left, expected) => {
      const first = await t.granted('tee', 3);
      await taken(4, { principal: OTHER_AGENT });
      await seen(6);
      await seen(left);
      expect(await step(first)).toBe(expected);
    },
  );

  /** A basket of 3 tees and 2 caps. */
  async function basket(): Promise<ReserveAnswer> {
    await t.seed({ sku: 'cap' });
    const lines = [
      { sku: 'tee', quantity: units(3) },
      { sku: 'cap', quantity: units(2) },
    ];
    return t.granted('tee', 1, { lines });
  }

  test.each([
    ['of both SKUs', 3, 2, 'take'],
    ['but not of the first SKU', 2, 2, 'reread'],
    ['but not of the second SKU', 3, 1, 'reread'],
  ] as const)('when they are there, %s', async (_, tees, caps, expected) => {
    const reservation = await basket();
    await seen(tees);
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: caps } });
    expect(await step(reservation)).toBe(expected);
  });

  test.each([
    [6, 'reread'],
    [7, 'take'],
  ] as const)(
    'of a basket when who came first leaves enough of each SKU: of %i, %s',
    async (tees, expected) => {
      await t.granted('tee', 4, { principal: OTHER_AGENT });
      const reservation = await basket();
      await seen(tees);
      expect(await step(reservation)).toBe(expected);
    },
  );

  test.each([
    [2, 'reread'],
    [3, 'take'],
  ] as const)(
    'of a basket when %i of the one SKU are left beside a later one: %s',
    async (tees, expected) => {
      const reservation = await basket();
      await taken(4, { principal: OTHER_AGENT });
      await seen(6);
      await seen(tees);
      expect(await step(reservation)).toBe(expected);
    },
  );

  test('when the place that is short is another than that of the hold', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    const lines = [{ sku: 'tee', quantity: units(3), location_id: STORE }];
    const reservation = await t.granted('tee', 1, { lines });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: -1, [STORE]: 3 } });
    expect(await step(reservation)).toBe('take');
    expect((await request(reservation)).changes).toMatchObject([{ location_id: STORE, available_units: 3 }]);
  });

  test('no more once a fresh look has shown that they are gone: our side alone counts them', async () => {
    const reservation = await t.granted('tee', 4);
    await seen(3);
    const look = (state: Parameters<typeof decideReread>[0]) =>
      decideReread(state, t.clock.now(), t.settings);
    expect(await t.decide(reservation.reservation_id, look)).toBe('unmirrored');
    expect(await outbox(reservation)).toMatchObject({
      shop_state: 'absent',
      request: null,
      last_failure: 'sold_elsewhere',
    });
    expect(await t.atp('tee')).toBe(0);
  });
});

describe('a move that the shop has carried out', () => {
  test('L2: leaves its units counted on our side until a report that was read since shows it', async () => {
    const reservation = await taken(4);
    const at = t.clock.now();
    expect(await holds(reservation)).toMatchObject([
      { state: 'counted', awaits: 'mirror', awaits_after_ms: at, mirror_until_ms: null },
    ]);
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 4, mirrored_units: 0 });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 }, read_at_ms: at - 1 });
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 4, mirrored_units: 0 });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 6 }, read_at_ms: at + 1 });
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 0, mirrored_units: 4 });
    expect(await t.atp('tee')).toBe(6);
  });

  test('is open, with nothing left of the troubles on the way, and told with its key', async () => {
    const reservation = await t.granted('tee', 4);
    await worker.visit(reservation);
    const trouble = { delay_ms: 0, attempts_max: 1, failure: 'unreachable' };
    await t.decide(reservation.reservation_id, (state) => decideLater(state, trouble));
    expect(await outbox(reservation)).toMatchObject({ parked: true, attempts: 1 });
    await t.decide(reservation.reservation_id, decideTaken);
    const { key } = await request(reservation);
    expect(await outbox(reservation)).toMatchObject({
      shop_state: 'open',
      protocol: 'move',
      request: { key },
      intent_at_ms: null,
      parked: false,
      attempts: 0,
      last_failure: null,
    });
    expect(await worker.journal(reservation, 1)).toEqual([{ kind: 'shop.open', move: key }]);
  });

  test.each(['mirrored', 'counted'] as const)(
    'L4: that is told after the order was placed leaves what its %s holds wait for',
    async (kept) => {
      const reservation = kept === 'mirrored' ? await mirrored(4) : await t.granted('tee', 4);
      answerOf(await t.submit(reservation));
      const placed = { order_ref: 'o1', order_name: '#1' };
      await t.decide(reservation.reservation_id, (state) => decidePlaced(state, placed));
      const before = await holds(reservation);
      expect(before).toMatchObject([{ state: kept, awaits: 'settle' }]);
      await t.decide(reservation.reservation_id, decideTaken);
      expect(await holds(reservation)).toEqual(before);
    },
  );
});

describe('a move back that the shop did not carry out', () => {
  /** Released while its units are at the shop, and being given back. */
  async function givingBack(): Promise<ReserveAnswer> {
    const reservation = await mirrored(4);
    await t.release(reservation.reservation_id);
    expect(await step(reservation)).toBe('give_back');
    return reservation;
  }

  test('may be tried under a new key: the units are still taken, and patience goes on wearing out', async () => {
    const reservation = await givingBack();
    const trouble = { delay_ms: 0, attempts_max: 2, failure: 'stale' };
    await t.decide(reservation.reservation_id, (state) => decideLater(state, trouble));
    const before = await holds(reservation);
    await t.decide(reservation.reservation_id, decideStillTaken);
    expect(await outbox(reservation)).toMatchObject({
      shop_state: 'open',
      intent_at_ms: null,
      attempts: 1,
      parked: false,
      last_failure: 'stale',
    });
    // Nobody's any more, and not promised to anybody either.
    expect(await holds(reservation)).toEqual(before);
    expect(before).toMatchObject([{ state: 'returning' }]);
    expect(await t.atp('tee')).toBe(6);
    expect(await step(reservation)).toBe('give_back');
    expect((await request(reservation)).attempt).toBe(3);
  });

  test('L1: of a live reservation makes its units wait for a report that shows them taken', async () => {
    const reservation = await mirrored(4);
    answerOf(await t.submit(reservation));
    expect(await step(reservation)).toBe('give_back');
    expect(await holds(reservation)).toMatchObject([{ state: 'counted', awaits: null }]);
    await t.decide(reservation.reservation_id, decideStillTaken);
    expect(await holds(reservation)).toMatchObject([
      { state: 'counted', awaits: 'mirror', awaits_after_ms: t.clock.now() },
    ]);
    await seen(6);
    expect(await holds(reservation)).toMatchObject([{ state: 'mirrored', awaits: null }]);
  });

  test('L3: and never will is put before a person, and holds nothing once a report is read', async () => {
    const reservation = await givingBack();
    const { key } = await request(reservation);
    const trouble = { delay_ms: 0, attempts_max: 5, failure: 'unreachable' };
    await t.decide(reservation.reservation_id, (state) => decideLater(state, trouble));
    await t.decide(reservation.reservation_id, decideLeftBehind);
    expect(await outbox(reservation)).toMatchObject({
      shop_state: 'deleted',
      protocol: 'move',
      intent_at_ms: null,
      attempts: 0,
      parked: true,
      last_failure: 'left_behind',
    });
    expect(await holds(reservation)).toMatchObject([
      { state: 'returning', awaits: 'return', awaits_after_ms: t.clock.now() },
    ]);
    expect(await worker.journal(reservation, 1)).toEqual([
      { kind: 'shop.parked', failure: 'left_behind', move: key },
    ]);
    await seen(6);
    expect(await holds(reservation)).toEqual([]);
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 0, mirrored_units: 0 });
  });

  test('L3: until it is done, its units are promised to nobody; then a report brings them back', async () => {
    const reservation = await givingBack();
    await t.decide(reservation.reservation_id, decideDeleted);
    expect(await t.atp('tee')).toBe(6);
    await seen(10);
    expect(await t.atp('tee')).toBe(10);
    expect(await holds(reservation)).toEqual([]);
  });
});
