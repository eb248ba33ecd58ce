/** Lists as a merchant reads them, and what the doctor counts of them. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideLater } from '../../../../src/ledger/outbox/next-step.js';
import type { OrderQuery, ReservationQuery } from '../../../../src/ledger/state/state.js';
import { inspectLedger } from '../../../../src/store/sqlite/inspect-ledger.js';
import { answerOf, MINUTE, TestLedger, WAREHOUSE } from '../../../helpers/ledger.js';
import { seen } from '../../../helpers/test-worker.js';

const NEWER = 60;

let t: TestLedger;
/** Newest last. */
let orders: string[];
let reservations: string[];

const orderQuery = (query: Partial<OrderQuery> = {}): OrderQuery => ({
  limit: 50,
  beforeOrderId: null,
  isHeld: false,
  isParked: false,
  ...query,
});
const reservationQuery = (query: Partial<ReservationQuery> = {}): ReservationQuery => ({
  limit: 50,
  beforeReservationId: null,
  isActive: false,
  isParked: false,
  ...query,
});
const listed = async (query: Partial<OrderQuery> = {}) =>
  (await t.store.listOrders(orderQuery(query)))?.map(({ order_id }) => order_id) ?? null;
const reservationsListed = async (query: Partial<ReservationQuery> = {}) =>
  (await t.store.listReservations(reservationQuery(query)))?.map(({ reservation_id }) => reservation_id) ??
  null;

async function park(reservationId: string): Promise<void> {
  const failure = { delay_ms: MINUTE, attempts_max: 1, failure: 'bug' };
  await t.decide(reservationId, (state) => decideLater(state, failure));
}

/** The first order is held, the second parked, the third is both, and then come so many that are neither. */
beforeEach(async () => {
  t = await TestLedger.open({ settings: { stale_hash: 'hold' } });
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1_000 } });
  const first = await t.granted('tee', 1);
  const third = await t.granted('tee', 1);
  await seen(t, 'tee', { [WAREHOUSE]: 999 });
  orders = [];
  reservations = [];
  const submit = async (reservation: typeof first): Promise<void> => {
    orders.push(answerOf(await t.submit(reservation)).order_id);
    reservations.push(reservation.reservation_id);
  };
  await submit(first);
  const second = await t.granted('tee', 1);
  await submit(second);
  await park(second.reservation_id);
  await park(third.reservation_id);
  await submit(third);
  for (let newer = 0; newer < NEWER; newer += 1) await submit(await t.granted('tee', 1));
});
afterEach(() => t.close());

describe('orders', () => {
  test('item 16: that are held or parked are found behind any number of newer ones', async () => {
    const [held, parked, both] = orders;
    expect(await listed({ isHeld: true })).toEqual([both, held]);
    expect(await listed({ isParked: true })).toEqual([both, parked]);
    expect(await listed({ isHeld: true, isParked: true })).toEqual([both, parked, held]);
    expect(await t.store.listOrders(orderQuery({ isParked: true, limit: 1 }))).toMatchObject([
      { order_id: both, state: 'held', held_for: 'stale', parked: true, last_failure: 'bug' },
    ]);
  });

  test('item 16: come page by page, each once, newest first, while newer ones are made', async () => {
    const pages: string[] = [];
    let beforeOrderId: string | null = null;
    for (;;) {
      const page: readonly string[] | null = await listed({ limit: 20, beforeOrderId });
      if (page === null || page.length === 0) break;
      pages.push(...page);
      beforeOrderId = page.at(-1) ?? null;
      await t.submit(await t.granted('tee', 1));
    }
    expect(pages).toEqual([...orders].reverse());
  });

  test('item 16: page within a filter too', async () => {
    const [held, parked, both] = orders;
    const filter = { isHeld: true, isParked: true, limit: 1 };
    expect(await listed(filter)).toEqual([both]);
    expect(await listed({ ...filter, beforeOrderId: both ?? '' })).toEqual([parked]);
    expect(await listed({ ...filter, beforeOrderId: parked ?? '' })).toEqual([held]);
    expect(await listed({ ...filter, beforeOrderId: held ?? '' })).toEqual([]);
  });

  test('an order that is not there is no place to go on from', async () => {
    expect(await listed({ beforeOrderId: 'ord_0' })).toBeNull();
    expect(await reservationsListed({ beforeReservationId: 'res_0' })).toBeNull();
  });
});

describe('reservations', () => {
  test('item 16: that are parked, or live, are found behind any number of newer ones', async () => {
    const live = await t.granted('tee', 1);
    const over = await t.granted('tee', 1, { ttl_seconds: 60 });
    t.time.pass(2 * MINUTE);
    expect(await reservationsListed({ isActive: true })).toEqual([live.reservation_id]);
    expect(await reservationsListed({ isParked: true })).toEqual([reservations[1], reservations[2]]);
    expect(await reservationsListed({ isActive: true, isParked: true, limit: 2 })).toEqual([
      live.reservation_id,
      reservations[1],
    ]);
    expect(await t.store.listReservations(reservationQuery({ limit: 1 }))).toMatchObject([
      { reservation_id: over.reservation_id, state: 'expired' },
    ]);
    expect(await reservationsListed({ limit: 1, beforeReservationId: live.reservation_id })).toEqual([
      reservations.at(-1),
    ]);
  });
});

test('item 16: the doctor counts held orders by reason, and names those that wait longest', async () => {
  const [held, , both] = orders;
  answerOf(await t.ledger.decideHeld(both ?? '', 'approve', 'ada'));
  expect(inspectLedger(t.path, 0).books).toMatchObject({
    parked_total: 2,
    held: [
      { order_id: held, held_for: 'stale', is_approved: false },
      { order_id: both, held_for: 'stale', is_approved: true },
    ],
    held_total: [
      { held_for: 'stale', is_approved: false, orders: 1 },
      { held_for: 'stale', is_approved: true, orders: 1 },
    ],
  });
});
