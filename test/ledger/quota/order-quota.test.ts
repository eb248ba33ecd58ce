/** Orders and ordered units of one caller within an hour: what is above waits, with its units, for a person. */

import { afterEach, describe, expect, test } from 'vitest';
import { decideBuyerRefused } from '../../../src/ledger/order/buyer-refused.js';
import { decideRevalidate } from '../../../src/ledger/order/revalidation.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  NO_QUOTAS,
  OTHER_AGENT,
  refusalOf,
  SECOND,
  TestLedger,
  WAREHOUSE,
} from '../../helpers/ledger.js';
import { TestWorker } from '../../helpers/test-worker.js';

let t: TestLedger;
let worker: TestWorker;
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

async function open(quotas: Partial<LedgerSettings['quotas']>, more: Partial<LedgerSettings> = {}) {
  t = await TestLedger.open({ settings: { quotas: { ...NO_QUOTAS, ...quotas }, ...more } });
  worker = new TestWorker(t);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100 } });
}

/** Time passes, and a heartbeat keeps the stock young. */
async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  await t.readWhole();
}

async function order(quantity: number, principal?: string) {
  const who = principal === undefined ? {} : { principal };
  const reservation = await t.granted('tee', quantity, who);
  return { reservation, answer: answerOf(await t.submit(reservation, who)) };
}

const standing = async ({ reservation_id }: ReserveAnswer) => (await t.owned(reservation_id)).order;

/** The shop is read anew, as the outbox does for a held order. */
async function reread(reservation: ReserveAnswer): Promise<string> {
  t.time.pass(SECOND);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100 } });
  const since = t.clock.now();
  return t.decide(reservation.reservation_id, (state) => decideRevalidate(state, since));
}

describe('23: orders within an hour', () => {
  test('above the limit are held for a person, with their units, and nothing is refused', async () => {
    await open({ orders_per_hour: 2 });
    for (let n = 0; n < 2; n += 1) expect((await order(1)).answer.status).toBe('accepted');
    const { reservation, answer } = await order(3);
    expect(answer).toMatchObject({
      status: 'held',
      hash_verdict: 'match',
      reasons: [{ code: 'order_quota', detail: expect.stringContaining('a person decides') }],
      next: expect.stringContaining('the merchant decides'),
    });
    expect(t.quotaAlarms).toEqual([['orders', 'agent-a']]);
    expect(await t.atp('tee')).toBe(100 - 5);
    expect(await standing(reservation)).toMatchObject({
      held_for: 'order_quota',
      held_until_ms: t.clock.now() + HOUR,
    });
    expect((await order(1, OTHER_AGENT)).answer.status).toBe('accepted');
  });

  test('are of the last hour, and those that wait for a person are none of them', async () => {
    await open({ orders_per_hour: 1 });
    await order(1);
    await pass(30 * MINUTE);
    expect((await order(1)).answer.status).toBe('held');
    // A slot is five minutes: it counts until the whole of it is an hour old.
    await pass(35 * MINUTE);
    expect((await order(1)).answer.status).toBe('accepted');
  });

  test('count from the submit on, also those that are held as stale: they can not be made faster than that', async () => {
    await open({ orders_per_hour: 1 });
    const first = await t.granted('tee', 1);
    const second = await t.granted('tee', 1);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 99 } });
    expect(answerOf(await t.submit(first)).reasons).toMatchObject([{ code: 'stock_stale' }]);
    expect(answerOf(await t.submit(second)).reasons).toMatchObject([{ code: 'order_quota' }]);
  });

  test('count once: not again when details are corrected, and not on a replay', async () => {
    await open({ orders_per_hour: 2 });
    const reservation = await t.granted('tee', 1);
    const key = { idempotency_key: 'k', buyer: { email: 'a@example.com' } };
    for (let n = 0; n < 3; n += 1) answerOf(await t.submit(reservation, key));
    await t.decide(reservation.reservation_id, (state) => decideBuyerRefused(state, ['buyer.email']));
    const corrected = await t.submit(reservation, { buyer: { email: 'b@example.com' } });
    expect(answerOf(corrected).status).toBe('accepted');
    expect((await order(1)).answer.status).toBe('accepted');
    expect((await order(1)).answer.status).toBe('held');
  });

  test('wait only as many at once as held orders may', async () => {
    await open({ orders_per_hour: 1, held_orders: 1 });
    await order(1);
    await order(1);
    const third = await t.granted('tee', 1);
    expect(refusalOf(await t.submit(third)).details).toMatchObject({ limit: 'held_orders' });
    expect((await t.owned(third.reservation_id)).reservation.state).toBe('active');
  });
});

describe('23: ordered units within an hour', () => {
  test.each([
    [[4, 6], 'accepted'],
    [[4, 7], 'held'],
    [[11], 'held'],
  ] as const)('of %j, with ten allowed, the last order is %s', async (quantities, status) => {
    await open({ ordered_units_per_hour: 10 });
    const statuses: string[] = [];
    for (const quantity of quantities) statuses.push((await order(quantity)).answer.status);
    expect(statuses.at(-1)).toBe(status);
  });

  test('that wait count as kept and not sold: in what one caller may hold of a SKU, and as live', async () => {
    await open({ ordered_units_per_hour: 1, units_per_sku: 5, live_reservations: 2 });
    await order(4);
    expect(refusalOf(await t.reserve('tee', 2)).details).toMatchObject({ limit: 'units_per_sku', used: 4 });
    await t.granted('tee', 1);
    expect(refusalOf(await t.reserve('tee', 1)).details).toMatchObject({
      limit: 'live_reservations',
      used: 2,
    });
  });
});

describe('23: a person', () => {
  async function waiting(): Promise<{ reservation: ReserveAnswer; order_id: string }> {
    await open({ orders_per_hour: 1 }, { stale_hash: 'revalidate', order_quota_hold_ms: HOUR });
    await order(1);
    const { reservation, answer } = await order(2);
    return { reservation, order_id: answer.order_id };
  }

  test('L5: approves: the shop is read again, and only then the order is accepted', async () => {
    const { reservation, order_id } = await waiting();
    expect(await worker.visit(reservation)).toBeNull();
    await reread(reservation);
    expect((await standing(reservation))?.state).toBe('held');
    answerOf(await t.ledger.decideHeld(order_id, 'approve', 'ada'));
    expect(await standing(reservation)).toMatchObject({
      state: 'held',
      held_for: 'stale',
      approved_by: 'ada',
    });
    expect(await worker.visit(reservation)).toBe('revalidate');
    expect(await reread(reservation)).toBe('accepted');
    // It counts from its approval on.
    expect((await order(1)).answer.status).toBe('held');
  });

  test('L5: also where a person decides on stale orders: this one has decided', async () => {
    await open({ orders_per_hour: 1 }, { stale_hash: 'hold' });
    await order(1);
    const { reservation, answer } = await order(1);
    answerOf(await t.ledger.decideHeld(answer.order_id, 'approve', 'ada'));
    expect(await worker.visit(reservation)).toBe('revalidate');
  });

  test('rejects: the units are free, and the time that they were kept is unsold', async () => {
    const { reservation, order_id } = await waiting();
    await pass(10 * MINUTE);
    answerOf(await t.ledger.decideHeld(order_id, 'reject', 'ada'));
    expect(await standing(reservation)).toMatchObject({ state: 'rejected', held_for: null });
    expect(await t.atp('tee')).toBe(99);
    const idle = t.rawly((db) => db.prepare('SELECT idle FROM callers').pluck().get());
    expect(JSON.parse(String(idle))).toMatchObject([[expect.any(Number), 10 * MINUTE]]);
  });

  test('does not decide in time: rejected, units free', async () => {
    const { reservation } = await waiting();
    await pass(HOUR - SECOND);
    expect(await worker.visit(reservation)).toBeNull();
    expect((await standing(reservation))?.state).toBe('held');
    await pass(SECOND);
    expect(await worker.visit(reservation)).toBeNull();
    expect(await standing(reservation)).toMatchObject({
      state: 'rejected',
      reasons: [
        { code: 'order_quota' },
        { code: 'held_too_long', detail: expect.stringContaining('approved') },
      ],
    });
    expect(await t.atp('tee')).toBe(99);
  });

  test('has nothing to approve of an order that waits for corrected details, and may reject it', async () => {
    await open({});
    const { reservation, answer } = await order(1);
    await t.decide(reservation.reservation_id, (state) => decideBuyerRefused(state, ['buyer.email']));
    expect(refusalOf(await t.ledger.decideHeld(answer.order_id, 'approve', 'ada'))).toMatchObject({
      details: { status: 'held', held_for: 'buyer_refused' },
    });
    answerOf(await t.ledger.decideHeld(answer.order_id, 'reject', 'ada'));
    expect((await standing(reservation))?.state).toBe('rejected');
  });
});

test('a caller may not submit again what waits for a person', async () => {
  await open({ orders_per_hour: 1 });
  await order(1);
  const { reservation, answer } = await order(1);
  expect(refusalOf(await t.submit(reservation, { buyer: { email: 'a@example.com' } }))).toMatchObject({
    code: 'reservation_already_submitted',
    details: { order_id: answer.order_id, order_status: 'held' },
  });
});
