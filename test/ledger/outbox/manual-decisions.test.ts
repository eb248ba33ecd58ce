/** What a person decides about an order that is held, and about what the server has given up on. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { orderDue } from '../../../src/ledger/model/outbox-row.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../../src/ledger/order/revalidation.js';
import { decideRetry, decideVerdict } from '../../../src/ledger/outbox/manual-decisions.js';
import { decideLater } from '../../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../../src/ledger/outbox/transfer-steps.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { answerOf, HOUR, refusalOf, SECOND, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { seen as reported, TestWorker } from '../../helpers/test-worker.js';

let t: TestLedger;
let worker: TestWorker;
afterEach(() => t.close());

const owned = ({ reservation_id }: ReserveAnswer) => t.owned(reservation_id);
const step = (mine: ReserveAnswer) => worker.visit(mine);
const retry = ({ reservation_id }: ReserveAnswer) => t.ledger.retryParkedReservation(reservation_id, 'ada');

async function orderId(reservation: ReserveAnswer): Promise<string> {
  const { order } = await owned(reservation);
  if (order === null) throw new Error('no order was made');
  return order.id;
}

const seen = (available: number) => reported(t, 'tee', { [WAREHOUSE]: available });

/** Its worker has failed to reach the shop, once: that is once too often where `max` is 1. */
async function trouble({ reservation_id }: ReserveAnswer, max: number): Promise<void> {
  const again = { delay_ms: HOUR, attempts_max: max, failure: 'unreachable' };
  await t.decide(reservation_id, (state) => decideLater(state, again));
}

describe('a held order', () => {
  beforeEach(async () => {
    t = await TestLedger.open({ settings: { stale_hash: 'hold' } });
    worker = new TestWorker(t);
    await t.seed({ sku: 'tee' });
  });

  async function held(): Promise<ReserveAnswer> {
    const reservation = await t.granted('tee', 4);
    await seen(9);
    expect(answerOf(await t.submit(reservation, { note: 'gift' })).status).toBe('held');
    return reservation;
  }

  test('L5: that a person lets go on is read for first, ahead of all mirrors, with new patience', async () => {
    const reservation = await held();
    await trouble(reservation, 5);
    const id = await orderId(reservation);
    expect(answerOf(await t.ledger.decideHeld(id, 'approve', 'ada'))).toEqual({ order_id: id });
    expect(await owned(reservation)).toMatchObject({
      reservation: { state: 'submitted' },
      order: { id, state: 'held', approved_by: 'ada', note: 'gift' },
      outbox: { due_at_ms: orderDue(t.clock.now()), attempts: 0 },
      holds: [{ quantity_units: 4 }],
    });
    expect(await worker.journal(reservation, 1)).toEqual([{ kind: 'order.approved', id, by: 'ada' }]);
    expect(await step(reservation)).toBe('revalidate');
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3 } });
    const since = t.clock.now();
    await t.decide(reservation.reservation_id, (state) => decideRevalidate(state, since));
    expect((await owned(reservation)).order).toMatchObject({ state: 'rejected', approved_by: 'ada' });
  });

  test('waits for a person, who stands in the journal with their word', async () => {
    const reservation = await held();
    expect(await worker.claims(reservation)).toBe(false);
    const id = await orderId(reservation);
    expect(answerOf(await t.ledger.decideHeld(id, 'reject', 'ada'))).toEqual({ order_id: id });
    expect(await worker.journal(reservation, 1)).toMatchObject([
      { kind: 'order.rejected', id, by: 'ada', freed_units: 4, reasons: [{ code: 'rejected_by_person' }] },
    ]);
    expect(await t.atp('tee')).toBe(9);
  });

  test.each(['approve', 'reject'] as const)(
    'L4: is decided once: %s comes too late after that',
    async (verdict) => {
      const reservation = await held();
      const order_id = await orderId(reservation);
      answerOf(await t.ledger.decideHeld(order_id, 'reject', 'ada'));
      expect(refusalOf(await t.ledger.decideHeld(order_id, verdict, 'eve'))).toMatchObject({
        code: 'reservation_already_submitted',
        details: { order_id, status: 'rejected' },
      });
    },
  );

  test.each(['approve', 'reject'] as const)('is none: there is nothing to %s', async (verdict) => {
    expect(refusalOf(await t.ledger.decideHeld('ord_nope', verdict, 'ada')).code).toBe('order_unknown');
    const { reservation_id } = await t.granted('tee', 1);
    const result = await t.decide(reservation_id, (state) =>
      decideVerdict(state, verdict, 'ada', t.settings),
    );
    expect(refusalOf(result).code).toBe('order_unknown');
    expect((await t.owned(reservation_id)).reservation.state).toBe('active');
  });
});

describe('what the server has given up on', () => {
  beforeEach(async () => {
    t = await TestLedger.open();
    worker = new TestWorker(t);
    await t.seed({ sku: 'tee' });
  });

  test('is nothing yet: there is no such order, and none that is parked', async () => {
    expect(refusalOf(await t.ledger.retryParked('ord_nope', 'ada')).code).toBe('order_unknown');
    expect(refusalOf(await retry({ reservation_id: 'res_nope' } as ReserveAnswer)).code).toBe(
      'reservation_unknown',
    );
    const reservation = await t.granted('tee', 4);
    answerOf(await t.submit(reservation));
    const order_id = await orderId(reservation);
    const before = await owned(reservation);
    expect(refusalOf(await t.ledger.retryParked(order_id, 'ada'))).toMatchObject({
      code: 'reservation_already_submitted',
      details: { order_id, status: 'accepted' },
    });
    expect(refusalOf(await retry(reservation)).details).toEqual({
      reservation_id: reservation.reservation_id,
      status: 'submitted',
    });
    expect(await owned(reservation)).toEqual(before);
  });

  test('L4: is looked up first when a person lets it go on, ahead of all mirrors, with new patience', async () => {
    const reservation = await t.granted('tee', 4);
    expect(await step(reservation)).toBe('create');
    answerOf(await t.submit(reservation));
    await trouble(reservation, 1);
    expect((await owned(reservation)).outbox).toMatchObject({ parked: true, due_at_ms: null });
    const order_id = await orderId(reservation);
    expect(answerOf(await t.ledger.retryParked(order_id, 'ada'))).toEqual({ order_id });
    expect((await owned(reservation)).outbox).toMatchObject({
      shop_state: 'creating',
      protocol: 'draft_order',
      parked: false,
      attempts: 0,
      // Kept: what was the matter is seen until something has succeeded.
      last_failure: 'unreachable',
      due_at_ms: orderDue(t.clock.now()),
    });
    expect(await worker.journal(reservation, 1)).toEqual([{ kind: 'shop.retried', id: order_id, by: 'ada' }]);
    expect(await step(reservation)).toBe('look_up');
  });

  test('may be a mirror, which has no order', async () => {
    const reservation = await t.granted('tee', 4);
    await step(reservation);
    await trouble(reservation, 1);
    const { reservation_id } = reservation;
    const asOrder = await t.decide(reservation_id, (state) => decideRetry(state, 'ada'));
    expect(refusalOf(asOrder).code).toBe('order_unknown');
    expect(answerOf(await retry(reservation))).toEqual({ reservation_id });
    expect(await worker.journal({ reservation_id }, 1)).toEqual([{ kind: 'shop.retried', by: 'ada' }]);
    expect(refusalOf(await retry(reservation)).details).toEqual({ reservation_id, status: 'active' });
  });

  test('is no order that somebody completed: a person’s word makes none of it', async () => {
    const reservation = await t.granted('tee', 4);
    const seenOrder = { order_ref: 'o1', order_name: '#1' };
    await t.decide(reservation.reservation_id, (state) => decidePlaced(state, seenOrder));
    answerOf(await retry(reservation));
    expect(await owned(reservation)).toMatchObject({
      order: null,
      outbox: { shop_state: 'completed', parked: false, last_failure: 'completed_by_others' },
    });
  });
});

describe('a move that is too old to be sent again', () => {
  beforeEach(async () => {
    t = await TestLedger.open({ settings: { mirror: 'move' } });
    worker = new TestWorker(t);
    await t.seed({ sku: 'tee' });
  });

  /** Nothing ran for longer than the shop remembers its keys. */
  async function tooOld(reservation: ReserveAnswer): Promise<void> {
    t.time.pass(worker.claim.resend_max_ms);
    expect(await step(reservation)).toBeNull();
    expect((await owned(reservation)).outbox).toMatchObject({
      parked: true,
      due_at_ms: null,
      last_failure: 'too_old_to_resend',
    });
  }

  test('L4: out is nowhere when a person says so: the order goes on without it', async () => {
    const reservation = await t.granted('tee', 4);
    expect(await step(reservation)).toBe('take');
    answerOf(await t.submit(reservation));
    await tooOld(reservation);
    answerOf(await retry(reservation));
    const order_id = await orderId(reservation);
    expect((await owned(reservation)).outbox).toMatchObject({
      shop_state: 'absent',
      protocol: 'move',
      intent_at_ms: null,
      parked: false,
      attempts: 0,
      last_failure: null,
      due_at_ms: orderDue(t.clock.now()),
    });
    expect(await worker.journal(reservation, 2)).toEqual([
      { kind: 'shop.absent', why: 'seen_to' },
      { kind: 'shop.retried', id: order_id, by: 'ada' },
    ]);
    await seen(10);
    expect(await step(reservation)).toBe('place');
  });

  test('L3: back has been seen to when a person says so: a report brings the units back', async () => {
    const reservation = await t.granted('tee', 4);
    expect(await step(reservation)).toBe('take');
    await t.decide(reservation.reservation_id, decideTaken);
    await seen(6);
    await t.release(reservation.reservation_id);
    expect(await step(reservation)).toBe('give_back');
    await tooOld(reservation);
    answerOf(await retry(reservation));
    expect(await owned(reservation)).toMatchObject({
      outbox: { shop_state: 'deleted', parked: false, last_failure: null },
      holds: [{ state: 'returning', awaits: 'return', awaits_after_ms: t.clock.now() }],
    });
    expect((await worker.journal(reservation, 2)).map(({ kind }) => kind)).toEqual([
      'shop.deleted',
      'shop.retried',
    ]);
    await seen(10);
    expect(await t.atp('tee')).toBe(10);
  });

  test('L4: is not taken as seen to when the server only could not reach the shop', async () => {
    const reservation = await t.granted('tee', 4);
    expect(await step(reservation)).toBe('take');
    await trouble(reservation, 1);
    answerOf(await retry(reservation));
    expect((await owned(reservation)).outbox).toMatchObject({
      shop_state: 'creating',
      request: { attempt: 1 },
    });
    expect(await step(reservation)).toBe('resend');
  });
});
