import { afterEach, beforeEach, expect, test } from 'vitest';
import { decidePlaced } from '../../../../src/ledger/order/order-placed.js';
import { decideLater } from '../../../../src/ledger/outbox/next-step.js';
import { inspectLedger } from '../../../../src/store/sqlite/inspect-ledger.js';
import { answerOf, MINUTE, TestLedger, WAREHOUSE } from '../../../helpers/ledger.js';

/** What the shop shows of an order. */
const SEEN = { order_ref: '7', order_name: '#1007', lines: null };

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100 } });
});
afterEach(() => t.close());

async function submitted(): Promise<{ readonly reservation_id: string; readonly order_id: string }> {
  const reservation = await t.granted('tee', 1);
  const { order_id } = answerOf(await t.submit(reservation));
  return { reservation_id: reservation.reservation_id, order_id };
}

const putOff = (reservationId: string, failure: string): Promise<unknown> =>
  t.decide(reservationId, (state) => decideLater(state, { delay_ms: MINUTE, attempts_max: 99, failure }));

test('orders wait from their submit until the shop has them, and are counted by what their last step failed with', async () => {
  expect(await t.store.countWaitingOrders()).toEqual([]);
  await t.granted('tee', 1);
  const first = await submitted();
  const since = t.clock.now();
  t.time.pass(MINUTE);
  const second = await submitted();
  t.time.pass(MINUTE);
  await putOff(second.reservation_id, 'unreachable');
  await putOff(second.reservation_id, 'unreachable');
  expect(await t.store.countWaitingOrders()).toEqual([
    { last_failure: null, orders: 1, oldest_submitted_at_ms: since },
    { last_failure: 'unreachable', orders: 1, oldest_submitted_at_ms: since + MINUTE },
  ]);
  const books = inspectLedger(t.path, MINUTE).books;
  expect(books?.waiting).toMatchObject([
    { order_id: first.order_id, attempts: 0, last_failure: null },
    { order_id: second.order_id, attempts: 2, last_failure: 'unreachable' },
  ]);
  await t.decide(second.reservation_id, (state) => decidePlaced(state, SEEN));
  expect(await t.store.countWaitingOrders()).toMatchObject([{ last_failure: null, orders: 1 }]);
});

test('a page of orders begins behind the one that the shop has a name for, with its mark and without', async () => {
  const first = await submitted();
  const second = await submitted();
  await t.decide(second.reservation_id, (state) => decidePlaced(state, SEEN));
  for (const beforeOrderId of ['#1007', '1007', second.order_id]) {
    const page = await t.store.listOrders({ limit: 9, beforeOrderId, isHeld: false, isParked: false });
    expect(page?.map(({ order_id }) => order_id)).toEqual([first.order_id]);
  }
  expect(await t.store.listOrders({ limit: 9, beforeOrderId: '7', isHeld: false, isParked: false })).toBe(
    null,
  );
});
