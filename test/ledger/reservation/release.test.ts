import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideExpire, decideRelease } from '../../../src/ledger/reservation/release.js';
import { AGENT, answerOf, OTHER_AGENT, refusalOf, SECOND, TestLedger } from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

describe('releasing', () => {
  test('L3: frees every unit at once and leaves no hold behind', async () => {
    const { reservation_id } = await t.granted('tee', 4);
    expect(answerOf(await t.release(reservation_id))).toEqual({
      reservation_id,
      status: 'released',
      released_units: 4,
      replayed: false,
    });
    expect(await t.atp('tee')).toBe(10);
    expect((await t.owned(reservation_id)).holds).toEqual([]);
  });

  test('L3: twice frees once, and answers with the state it is in', async () => {
    const { reservation_id } = await t.granted('tee', 4);
    await t.release(reservation_id);
    const mine = await t.granted('tee', 10);
    expect(answerOf(await t.release(reservation_id))).toEqual({
      reservation_id,
      status: 'released',
      released_units: 0,
      replayed: true,
    });
    expect((await t.owned(mine.reservation_id)).holds).toHaveLength(1);
    expect(await t.atp('tee')).toBe(0);
  });

  test("of somebody else's reservation answers exactly as for an unknown one", async () => {
    const { reservation_id } = await t.granted('tee', 4);
    const foreign = refusalOf(await t.release(reservation_id, OTHER_AGENT));
    expect(foreign).toEqual(refusalOf(await t.release('res_000000000000000000000000000000000')));
    expect(foreign.code).toBe('reservation_unknown');
    expect(await t.atp('tee')).toBe(6);
  });

  test('is refused once an order was submitted, and names the order', async () => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted));
    expect(refusalOf(await t.release(granted.reservation_id))).toMatchObject({
      code: 'reservation_already_submitted',
      details: { order_id, status: 'submitted' },
    });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L4: is refused once the shop has the order', async () => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted));
    await t.decide(granted.reservation_id, (state) =>
      decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
    );
    expect(refusalOf(await t.release(granted.reservation_id))).toMatchObject({
      code: 'reservation_already_submitted',
      details: { reservation_id: granted.reservation_id, order_id, status: 'committed' },
    });
  });

  test("of somebody else's reservation is refused by the decision too, whatever was loaded for it", async () => {
    const { reservation_id } = await t.granted('tee', 4);
    const asked = { principal: OTHER_AGENT, reservation_id };
    const result = await t.decide(reservation_id, (state) => decideRelease(state, asked));
    expect(refusalOf(result)).toEqual(refusalOf(await t.release('res_nope')));
    expect(await t.atp('tee')).toBe(6);
  });

  test('L3: exactly at the expiry answers expired, and frees once', async () => {
    const { reservation_id } = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND);
    expect(answerOf(await t.release(reservation_id))).toMatchObject({
      status: 'expired',
      released_units: 0,
      replayed: true,
    });
    expect((await t.owned(reservation_id)).reservation.state).toBe('expired');
    expect(await t.atp('tee')).toBe(10);
  });

  test('one millisecond before the expiry still releases', async () => {
    const { reservation_id } = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND - 1);
    expect(answerOf(await t.release(reservation_id))).toMatchObject({
      status: 'released',
      released_units: 4,
    });
  });
});

describe('expiry', () => {
  test('L3: is a fact of time: at that very millisecond the units are free although no loop has run', async () => {
    const { reservation_id } = await t.granted('tee', 10, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND - 1);
    expect(await t.atp('tee')).toBe(0);
    t.time.pass(1);
    expect(await t.atp('tee')).toBe(10);
    expect(answerOf(await t.ledger.checkReservation(AGENT, reservation_id)).reservation?.status).toBe(
      'expired',
    );
    expect((await t.owned(reservation_id)).reservation.state).toBe('active');
  });

  test('L3: units granted anew while the expired hold still lies there are not given back by the late sweep', async () => {
    const old = await t.granted('tee', 10, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND);
    await t.granted('tee', 10);
    expect(await t.atp('tee')).toBe(0);
    expect(await t.decide(old.reservation_id, decideExpire)).toBe(true);
    expect(await t.atp('tee')).toBe(0);
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 10, expired_units: 0 });
  });

  test('L3: is done once, and not before its time', async () => {
    const { reservation_id } = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND - 1);
    expect(await t.decide(reservation_id, decideExpire)).toBe(false);
    t.time.pass(1);
    expect(await t.decide(reservation_id, decideExpire)).toBe(true);
    expect(await t.decide(reservation_id, decideExpire)).toBe(false);
    expect(await t.atp('tee')).toBe(10);
  });

  test('does not touch a reservation that was submitted in time', async () => {
    const granted = await t.granted('tee', 4, { ttl_seconds: 60 });
    await t.submit(granted);
    t.time.pass(61 * SECOND);
    expect(await t.decide(granted.reservation_id, decideExpire)).toBe(false);
    expect(await t.atp('tee')).toBe(6);
  });

  test('L9: is not undone by a wall clock that is set back, here or in another process', async () => {
    const granted = await t.granted('tee', 10, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND);
    await t.granted('tee', 10, { principal: OTHER_AGENT });
    t.time.setWallClockBy(-300 * SECOND);
    const other = await t.beside();
    expect(refusalOf(await t.submit(granted)).code).toBe('reservation_expired');
    expect(refusalOf(await other.submit(granted)).code).toBe('reservation_expired');
    await other.close();
  });
});
