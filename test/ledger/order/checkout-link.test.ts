/** HOLDFAST_ORDER_MODE=checkout_link, without a shop: a link is given, withdrawn, left unpaid or paid. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideOffered, decideUnpaid, isOffered } from '../../../src/ledger/order/checkout-link.js';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideDeleted, decideOpen, decideReread } from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { answerOf, HOUR, MINUTE, type TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { openTees, seen as reported, SOLD, type TestWorker } from '../../helpers/test-worker.js';

const URL = 'https://test.myshopify.com/1/invoices/2';
const PLACED = { order_ref: 'o1', order_name: '#1' };

let t: TestLedger;
let worker: TestWorker;
beforeEach(async () => {
  ({ t, worker } = await openTees({ order_mode: 'checkout_link' }));
});
afterEach(() => t.close());

const step = (mine: ReserveAnswer) => worker.visit(mine);

async function order({ reservation_id }: ReserveAnswer) {
  const { order } = await t.owned(reservation_id);
  if (order === null) throw new Error('no order was made');
  return order;
}

/** A report read after all that was done so far. */
const seen = (available: number) => reported(t, 'tee', { [WAREHOUSE]: available });

/** An accepted order of 4 units, that the shop holds in a draft and that no buyer can pay for yet. */
async function accepted(): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', 4);
  expect(await step(reservation)).toBe('create');
  const until_ms = t.clock.now() + HOUR;
  await t.decide(reservation.reservation_id, (state) => decideOpen(state, { hold_ref: 'd1', until_ms }));
  await seen(6);
  answerOf(await t.submit(reservation, { buyer: { email: 'ada@example.com' } }));
  return reservation;
}

/** The shop has told the link; who has it may pay for half an hour. */
async function offered(): Promise<ReserveAnswer> {
  const reservation = await accepted();
  expect(await step(reservation)).toBe('offer');
  const offer = { hold_ref: 'd1', until_ms: t.clock.now() + 2 * HOUR, checkout_url: URL };
  const payUntil = t.clock.now() + HOUR / 2;
  await t.decide(reservation.reservation_id, (state) => decideOffered(state, offer, payUntil));
  return reservation;
}

const unpaid = ({ reservation_id }: ReserveAnswer) => t.decide(reservation_id, decideUnpaid);

/** Somebody at the till was faster. */
async function withdrawn(): Promise<ReserveAnswer> {
  const reservation = await offered();
  await seen(-1);
  const verdict = await t.decide(reservation.reservation_id, (state) =>
    decideReread(state, t.clock.now(), t.settings),
  );
  expect(verdict).toBe('failed');
  return reservation;
}

describe('a link', () => {
  test('is the buyer’s from when the shop has told it, and so is the time to pay', async () => {
    const reservation = await accepted();
    expect(isOffered(await order(reservation))).toBe(false);
    expect(await step(reservation)).toBe('offer');
    const until_ms = t.clock.now() + 2 * HOUR;
    const payUntil = t.clock.now() + HOUR / 2;
    const offer = { hold_ref: 'd1', until_ms, checkout_url: URL };
    await t.decide(reservation.reservation_id, (state) => decideOffered(state, offer, payUntil));
    const owned = await t.owned(reservation.reservation_id);
    expect(owned).toMatchObject({
      order: {
        state: 'accepted',
        checkout_url: URL,
        pay_until_ms: payUntil,
        buyer: { email: 'ada@example.com' },
      },
      outbox: {
        shop_state: 'open',
        hold_ref: 'd1',
        hold_until_ms: until_ms,
        details_sent: true,
        attempts: 0,
      },
      holds: [{ state: 'mirrored', mirror_until_ms: until_ms }],
    });
    expect(isOffered(await order(reservation))).toBe(true);
  });

  test('stands in no journal: who has it can pay', async () => {
    const reservation = await offered();
    const { id, pay_until_ms } = await order(reservation);
    const [opened, offer] = await worker.journal(reservation, 2);
    expect(opened).toEqual({ kind: 'shop.open', hold_ref: 'd1', until_ms: t.clock.now() + 2 * HOUR });
    expect(offer).toEqual({ kind: 'order.offered', id, pay_until_ms });
  });

  test.each([
    ['no order', async () => t.granted('tee', 1)],
    [
      'a held order',
      async () => {
        const reservation = await t.granted('tee', 1);
        await seen(9);
        expect(answerOf(await t.submit(reservation)).status).toBe('held');
        return reservation;
      },
    ],
  ] as const)('L5: is for an accepted order alone: for %s it is a bug', async (_, made) => {
    const { reservation_id } = await made();
    const offer = { hold_ref: 'd1', until_ms: t.clock.now() + HOUR, checkout_url: URL };
    const deciding = t.decide(reservation_id, (state) => decideOffered(state, offer, t.clock.now()));
    await expect(deciding).rejects.toThrow('only an accepted order is paid for');
  });
});

describe('an order that nobody can pay for any more', () => {
  test('L3: has failed, and its units come back with a report read from then on, whatever the shop’s time was', async () => {
    const reservation = await offered();
    const { id } = await order(reservation);
    t.time.pass(MINUTE);
    const at = t.clock.now();
    await unpaid(reservation);
    expect(await t.owned(reservation.reservation_id)).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'failed', checkout_url: null, buyer: null },
      outbox: {
        shop_state: 'deleted',
        hold_ref: 'd1',
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
        due_at_ms: at,
        attempts: 0,
      },
      holds: [{ state: 'returning', awaits: 'return', awaits_after_ms: at }],
    });
    expect(await worker.journal(reservation, 2)).toMatchObject([
      { kind: 'shop.deleted', hold_ref: 'd1' },
      { kind: 'order.failed', id, freed_units: 4 },
    ]);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 6 }, read_at_ms: at - 1 });
    expect(await t.atp('tee')).toBe(6);
    await seen(10);
    expect(await t.atp('tee')).toBe(10);
    expect((await t.owned(reservation.reservation_id)).holds).toEqual([]);
  });

  test('L3: whose units counted on our side frees them at once', async () => {
    const reservation = await t.granted('tee', 4);
    answerOf(await t.submit(reservation));
    const offer = { hold_ref: 'd1', until_ms: t.clock.now() + HOUR, checkout_url: URL };
    await t.decide(reservation.reservation_id, (state) => decideOffered(state, offer, t.clock.now()));
    expect(await t.atp('tee')).toBe(6);
    await unpaid(reservation);
    expect((await t.owned(reservation.reservation_id)).holds).toEqual([]);
    expect(await t.atp('tee')).toBe(10);
  });

  test.each([
    [
      'one millisecond before the time to pay was over: the merchant has removed it',
      -1,
      'rejected_by_person',
    ],
    ['exactly when the time to pay is over: it has lapsed', 0, 'payment_lapsed'],
    ['one millisecond later: it has lapsed', 1, 'payment_lapsed'],
  ] as const)('says why, %s', async (_, beyond, code) => {
    const reservation = await offered();
    t.time.pass(HOUR / 2 + beyond);
    await unpaid(reservation);
    expect((await order(reservation)).reasons).toMatchObject([{ code }]);
  });

  test.each(['was only accepted', 'has failed already'])(
    'L4: is none that %s: that is a bug',
    async (which) => {
      const reservation = await (which === 'was only accepted' ? accepted() : offered());
      if (which === 'has failed already') await unpaid(reservation);
      await expect(unpaid(reservation)).rejects.toThrow('only an order with a link can be left unpaid');
    },
  );

  test('L4: is none where there is no order: that is a bug', async () => {
    const reservation = await t.granted('tee', 4);
    await expect(unpaid(reservation)).rejects.toThrow('only an order with a link can be left unpaid');
  });
});

describe('an order whose units were sold elsewhere before they were paid for', () => {
  test('L4: is withdrawn, not failed: its link ends now, its units stay held, and it is looked after at once', async () => {
    const reservation = await withdrawn();
    const at = t.clock.now();
    expect(await t.owned(reservation.reservation_id)).toMatchObject({
      reservation: { state: 'submitted' },
      order: { state: 'accepted', checkout_url: null, pay_until_ms: at, reasons: [SOLD] },
      outbox: { shop_state: 'open', due_at_ms: at },
      holds: [{ state: 'mirrored', quantity_units: 4 }],
    });
    const { id } = await order(reservation);
    expect(await worker.journal(reservation, 1)).toEqual([{ kind: 'order.withdrawn', id, reason: SOLD }]);
    expect(await step(reservation)).toBe('delete');
  });

  test('fails for that reason, told once, when the shop has certainly let go', async () => {
    const reservation = await withdrawn();
    t.time.pass(HOUR);
    await unpaid(reservation);
    expect(await order(reservation)).toMatchObject({ state: 'failed', reasons: [SOLD] });
  });

  test('fails for both reasons when there is another one in the end', async () => {
    const reservation = await withdrawn();
    const refused = { code: 'shop_refused', detail: 'no' } as const;
    await t.decide(reservation.reservation_id, (state) => decideFailed(state, refused));
    expect((await order(reservation)).reasons).toEqual([SOLD, refused]);
  });

  test('L4: but is sold when it was paid first, and nothing is left of the reason', async () => {
    const reservation = await withdrawn();
    expect(await t.decide(reservation.reservation_id, (state) => decidePlaced(state, PLACED))).toBe(true);
    expect(await t.owned(reservation.reservation_id)).toMatchObject({
      reservation: { state: 'committed' },
      order: { state: 'placed', reasons: [], upstream_order_ref: 'o1' },
    });
  });
});

test('L3: a draft that the shop has let go of leaves its order accepted while nobody had a link to it', async () => {
  const reservation = await accepted();
  await t.decide(reservation.reservation_id, decideDeleted);
  expect(await order(reservation)).toMatchObject({ state: 'accepted' });
  expect(await step(reservation)).toBe('create');
});
