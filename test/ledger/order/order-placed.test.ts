/** How an accepted order ends: placed once, failed, or completed by somebody else. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideFailed, decideFound, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideLater } from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { answerOf, MINUTE, SECOND, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { TestWorker } from '../../helpers/test-worker.js';

const PLACED = { order_ref: 'o1', order_name: '#1' };

let t: TestLedger;
let worker: TestWorker;
beforeEach(async () => {
  t = await TestLedger.open();
  worker = new TestWorker(t);
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

const place = ({ reservation_id }: ReserveAnswer, seen = PLACED) =>
  t.decide(reservation_id, (state) => decidePlaced(state, seen));

async function accepted(): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', 4);
  expect(answerOf(await t.submit(reservation)).status).toBe('accepted');
  return reservation;
}

describe('an order that the shop has', () => {
  test('item 6: whose id the shop has used before is placed, and the older one is told of', async () => {
    const [older, newer] = [await accepted(), await accepted()];
    await place(older);
    // The shop itself was put back to an older copy, or is a sandbox that was started anew.
    await place(newer);
    const orders = await Promise.all([older, newer].map(({ reservation_id }) => t.owned(reservation_id)));
    expect(orders.map(({ order }) => order?.state)).toEqual(['placed', 'placed']);
    expect(orders[1]?.order?.upstream_order_ref).toBe('o1');
    expect(orders[0]?.order?.upstream_order_ref).not.toBe('o1');
    const told = answerOf(await t.ledger.getOrder('agent-a', { reservation_id: older.reservation_id }));
    expect(told.upstream?.order_id).toBe('o1');
    expect(told.timeline.map(({ event }) => event)).toContain('order.ref_reused');
    t.time.pass(SECOND);
    expect(await t.store.unseenOrders(10)).toEqual(['o1']);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('item 6: a held order of a restored ledger that the shop has is placed', async () => {
    await t.seed({ sku: 'mug', levels: { [WAREHOUSE]: 3 } });
    const reservation = await t.granted('mug', 3);
    await t.seed({ sku: 'mug', levels: { [WAREHOUSE]: 1 } });
    expect(answerOf(await t.submit(reservation)).status).toBe('held');
    await t.decide(reservation.reservation_id, (state) => decideFound(state, PLACED));
    const { order, reservation: row } = await t.owned(reservation.reservation_id);
    expect([order?.state, order?.held_for, row.state]).toEqual(['placed', null, 'committed']);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('L4: is not left before a person by a step that ran late and did not succeed', async () => {
    const reservation = await accepted();
    await place(reservation);
    const trouble = { delay_ms: MINUTE, attempts_max: 1, failure: 'unreachable' };
    await t.decide(reservation.reservation_id, (state) => decideLater(state, trouble));
    expect((await t.owned(reservation.reservation_id)).outbox).toMatchObject({ parked: true, attempts: 1 });
    expect(await place(reservation)).toBe(true);
    expect((await t.owned(reservation.reservation_id)).outbox).toMatchObject({
      shop_state: 'completed',
      intent_at_ms: null,
      parked: false,
      attempts: 0,
    });
  });

  test('L4: is one: a second one at the shop is put before a person, and the first stays ours', async () => {
    const reservation = await accepted();
    await place(reservation);
    expect(await place(reservation, { order_ref: 'o2', order_name: '#2' })).toBe(false);
    expect(await t.owned(reservation.reservation_id)).toMatchObject({
      order: { state: 'placed', upstream_order_ref: 'o1' },
      outbox: { parked: true, last_failure: 'completed_by_others' },
    });
  });

  test('forgets its buyer and keeps the name that the shop gave it', async () => {
    const reservation = await t.granted('tee', 4);
    answerOf(await t.submit(reservation, { buyer: { email: 'ada@example.com' } }));
    t.time.pass(SECOND);
    await place(reservation);
    const { order } = await t.owned(reservation.reservation_id);
    expect(order).toMatchObject({
      state: 'placed',
      buyer: null,
      placed_at_ms: t.clock.now(),
      upstream_order_name: '#1',
    });
  });
});

test('L5: a held order that somebody completed by hand stays held, and is looked at by a person at once', async () => {
  const reservation = await t.granted('tee', 4);
  await worker.visit(reservation);
  t.time.pass(SECOND);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
  expect(answerOf(await t.submit(reservation)).status).toBe('held');
  expect(await place(reservation)).toBe(false);
  expect(await t.owned(reservation.reservation_id)).toMatchObject({
    reservation: { state: 'submitted' },
    order: { state: 'held', upstream_order_ref: null },
    outbox: {
      shop_state: 'completed',
      parked: true,
      last_failure: 'completed_by_others',
      due_at_ms: t.clock.now(),
      claimed_by: null,
    },
  });
  expect(await worker.journal(reservation, 1)).toEqual([
    { kind: 'shop.completed', ...PLACED, unasked: true },
  ]);
});

test('L4: what was never ordered can’t fail: that is a bug', async () => {
  const { reservation_id } = await t.granted('tee', 4);
  const failing = t.decide(reservation_id, (state) =>
    decideFailed(state, { code: 'shop_refused', detail: 'no' }),
  );
  await expect(failing).rejects.toThrow('only an order can fail');
});
