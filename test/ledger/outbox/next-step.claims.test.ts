import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../../src/ledger/order/revalidation.js';
import {
  decideClaim,
  decideLater,
  decideNextStep,
  decideOpen,
  decideUnmirrored,
} from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { Claim } from '../../../src/ledger/state/job.js';
import {
  answerOf,
  dueRows,
  HOUR,
  MINUTE,
  OTHER_AGENT,
  SECOND,
  STORE,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

/** An order on a checksum that was true before the shop's figures changed to these. */
async function heldOrder(reservation: ReserveAnswer, available: number): Promise<void> {
  t.time.pass(SECOND);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: available } });
  expect(answerOf(await t.submit(reservation)).status).toBe('held');
}

/** What a re-read of the shop, begun now, makes of a held order. */
async function revalidate(reservation: ReserveAnswer, sinceMs = t.clock.now()) {
  const verdict = await t.decide(reservation.reservation_id, (state) => decideRevalidate(state, sinceMs));
  return { verdict, owned: await t.owned(reservation.reservation_id) };
}

describe('revalidation', () => {
  test('L5: accepts when the fresh stock covers the order', async () => {
    const mine = await t.granted('tee', 4);
    await heldOrder(mine, 4);
    const { verdict, owned } = await revalidate(mine);
    expect(verdict).toBe('accepted');
    expect(owned).toMatchObject({
      reservation: { state: 'submitted' },
      order: { state: 'accepted', reasons: [] },
    });
    expect(await dueRows(t.store, 10)).toHaveLength(1);
  });

  test('L5: rejects when it is one unit short, with the reason, and frees the units', async () => {
    const mine = await t.granted('tee', 4);
    await heldOrder(mine, 3);
    const { verdict, owned } = await revalidate(mine);
    expect(verdict).toBe('rejected');
    expect(owned).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'rejected', reasons: [{ code: 'stock_insufficient', sku: 'tee' }], buyer: null },
      holds: [],
    });
    expect(await t.atp('tee')).toBe(3);
  });

  test('L5: serves the oldest first: who came later waits for what is left', async () => {
    const first = await t.granted('tee', 4);
    const second = await t.granted('tee', 4, { principal: OTHER_AGENT });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 7 } });
    answerOf(await t.submit(first));
    answerOf(await t.submit(second, { principal: OTHER_AGENT }));
    expect((await revalidate(second)).verdict).toBe('rejected');
    expect((await revalidate(first)).verdict).toBe('accepted');
  });

  test('L5: does not count who came later against who came first', async () => {
    const first = await t.granted('tee', 4);
    await t.granted('tee', 6, { principal: OTHER_AGENT });
    await heldOrder(first, 4);
    expect((await revalidate(first)).verdict).toBe('accepted');
  });

  test('L3: does not count those who are over: expired without a sweep, or released', async () => {
    await t.granted('tee', 3, { ttl_seconds: 60 });
    const released = await t.granted('tee', 3);
    const mine = await t.granted('tee', 4);
    await t.release(released.reservation_id);
    t.time.pass(60 * SECOND);
    await heldOrder(mine, 4);
    expect((await revalidate(mine)).verdict).toBe('accepted');
  });

  test('L5: counts a mirrored hold as what it is: units that the figure leaves out already', async () => {
    const mine = await t.granted('tee', 4);
    await t.decide(mine.reservation_id, (state) =>
      decideOpen(state, { hold_ref: 'd', until_ms: t.clock.now() + HOUR }),
    );
    t.time.pass(SECOND);
    await t.levels('tee', { [WAREHOUSE]: 6 });
    await heldOrder(mine, 0);
    expect((await revalidate(mine)).verdict).toBe('accepted');
  });

  test('L5: rejects an item that is not sold any more, whatever is left of it', async () => {
    const mine = await t.granted('tee', 1);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', lifecycle: 'discontinued' });
    answerOf(await t.submit(mine));
    const { verdict, owned } = await revalidate(mine);
    expect(verdict).toBe('rejected');
    expect(owned.order?.reasons).toMatchObject([{ code: 'item_discontinued', sku: 'tee' }]);
  });

  test('L5: rejects when what is left at open locations does not cover it', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 10 } });
    const mine = await t.granted('tee', 1, {
      lines: [{ sku: 'tee', quantity: units(2), location_id: STORE }],
    });
    await t.store.putLocations([
      { location_id: WAREHOUSE, name: 'Warehouse', position: 0, active: true },
      { location_id: STORE, name: 'Store', position: 1, active: false },
    ]);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1, [STORE]: 10 } });
    answerOf(await t.submit(mine));
    expect((await revalidate(mine)).verdict).toBe('rejected');
  });

  test('L5: decides nothing on stock that was read before the re-read began', async () => {
    const mine = await t.granted('tee', 4);
    await heldOrder(mine, 9);
    expect(await revalidate(mine, t.clock.now() + 1)).toMatchObject({
      verdict: 'unread',
      owned: { order: { state: 'held' } },
    });
    expect((await revalidate(mine)).verdict).toBe('accepted');
  });

  test('L4: decides once: what is not held any more is left as it is', async () => {
    const mine = await t.granted('tee', 4);
    await heldOrder(mine, 9);
    await revalidate(mine);
    expect(await revalidate(mine)).toMatchObject({
      verdict: 'not_held',
      owned: { order: { state: 'accepted' } },
    });
  });
});

describe('a claim', () => {
  const claim = (worker: string): Claim => ({
    worker,
    claim_ms: MINUTE,
    check_ms: HOUR,
    resend_max_ms: 20 * HOUR,
  });
  const take = (id: string, worker: string) => t.decide(id, (state) => decideClaim(state, claim(worker)));
  const next = (id: string, worker: string) =>
    t.decide(id, (state) => decideNextStep(state, claim(worker), t.settings, true));

  test('L4: is had by one worker, and lost by time alone', async () => {
    const { reservation_id } = await t.granted('tee', 1);
    expect([await take(reservation_id, 'a'), await take(reservation_id, 'b')]).toEqual([true, false]);
    t.time.pass(MINUTE - 1);
    expect(await take(reservation_id, 'b')).toBe(false);
    t.time.pass(1);
    expect(await take(reservation_id, 'b')).toBe(true);
    expect(await next(reservation_id, 'a')).toBeNull();
  });

  test('L4: comes with the intent written before the call, and after a death only a look-up follows', async () => {
    const { reservation_id } = await t.granted('tee', 1);
    await take(reservation_id, 'a');
    expect(await next(reservation_id, 'a')).toMatchObject({ step: 'create' });
    expect((await t.owned(reservation_id)).outbox).toMatchObject({
      shop_state: 'creating',
      intent_at_ms: t.clock.now(),
    });
    t.time.pass(MINUTE);
    await take(reservation_id, 'b');
    expect(await next(reservation_id, 'b')).toMatchObject({ step: 'look_up' });
  });

  test('L3: of a reservation that is past its time tidies it up, and does nothing at the shop', async () => {
    const { reservation_id } = await t.granted('tee', 1, { ttl_seconds: 60 });
    t.time.pass(MINUTE);
    await take(reservation_id, 'a');
    expect(await next(reservation_id, 'a')).toBeNull();
    expect((await t.owned(reservation_id)).reservation.state).toBe('expired');
  });

  test('L3: of a held order that nobody decided in time rejects it and frees its units', async () => {
    const mine = await t.granted('tee', 4);
    await heldOrder(mine, 9);
    t.time.pass(t.settings.held_order_max_ms);
    await take(mine.reservation_id, 'a');
    expect(await next(mine.reservation_id, 'a')).toBeNull();
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'rejected', reasons: [{ code: 'held_too_long' }] },
      holds: [],
    });
  });
});

describe('an outcome', () => {
  test('L4: that is told twice, by a worker that had lost its claim, changes nothing and raises no alarm', async () => {
    const mine = await t.granted('tee', 4);
    answerOf(await t.submit(mine));
    const placed = { order_ref: 'o1', order_name: '#1' };
    const place = () => t.decide(mine.reservation_id, (state) => decidePlaced(state, placed));
    expect(await place()).toBe(true);
    const before = await t.owned(mine.reservation_id);
    expect(await place()).toBe(true);
    expect(await t.owned(mine.reservation_id)).toEqual(before);
    const kinds = t.rawly((db) =>
      db.prepare("SELECT kind FROM journal WHERE kind LIKE '%plac%' OR kind LIKE 'shop.%'").pluck().all(),
    );
    expect(kinds).toEqual(['order.placed']);
  });

  test('L4: an order that was submitted while its mirror was refused is still placed', async () => {
    const mine = await t.granted('tee', 4);
    answerOf(await t.submit(mine));
    await t.decide(mine.reservation_id, (state) => decideUnmirrored(state, 'refused'));
    expect(await dueRows(t.store, 10)).toHaveLength(1);
  });

  test('a mirror that was refused rests, and its hold goes on counting', async () => {
    const mine = await t.granted('tee', 4);
    await t.decide(mine.reservation_id, (state) => decideUnmirrored(state, 'refused'));
    expect(await dueRows(t.store, 10)).toEqual([]);
    expect(await t.atp('tee')).toBe(6);
  });

  test('L4: a draft that somebody completed by hand makes no order of ours, and is put before a person', async () => {
    const mine = await t.granted('tee', 4);
    expect(
      await t.decide(mine.reservation_id, (state) =>
        decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
      ),
    ).toBe(false);
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'active' },
      order: null,
      outbox: { shop_state: 'completed', parked: true },
    });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L3: an order that failed frees its units and forgets its buyer', async () => {
    const mine = await t.granted('tee', 4);
    answerOf(await t.submit(mine, { buyer: { email: 'ada@example.com' } }));
    await t.decide(mine.reservation_id, (state) =>
      decideFailed(state, { code: 'payment_lapsed', detail: 'late' }),
    );
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'failed', reasons: [{ code: 'payment_lapsed' }], buyer: null },
      holds: [],
    });
    expect(await t.atp('tee')).toBe(10);
  });

  test('that did not come is tried again later, and after too many times put before a person, its units still held', async () => {
    const mine = await t.granted('tee', 4);
    const later = () =>
      t.decide(mine.reservation_id, (state) =>
        decideLater(state, { delay_ms: MINUTE, attempts_max: 2, failure: 'unreachable' }),
      );
    await later();
    expect((await t.owned(mine.reservation_id)).outbox).toMatchObject({
      attempts: 1,
      parked: false,
      due_at_ms: t.clock.now() + MINUTE,
    });
    await later();
    expect((await t.owned(mine.reservation_id)).outbox).toMatchObject({
      attempts: 2,
      parked: true,
      due_at_ms: null,
    });
    expect(await t.atp('tee')).toBe(6);
  });
});
