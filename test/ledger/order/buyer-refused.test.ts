/** Details of the buyer that are missing, or that the shop refused: who waits for what, for how long, and what it costs. */

import { afterEach, describe, expect, test } from 'vitest';
import { findMissingDetails, findUnchanged, mergeDetails } from '../../../src/ledger/model/values/buyer.js';
import { decideBuyerRefused } from '../../../src/ledger/order/buyer-refused.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  AGENT,
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

async function open(settings: Partial<LedgerSettings> = {}): Promise<void> {
  t = await TestLedger.open({ settings });
  worker = new TestWorker(t);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
}

async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  await t.readWhole();
}

const EMAIL = { email: 'ada@example.com' };
const ADDRESS = { address1: '1 Street', country_code: 'DE' };

const refuse = ({ reservation_id }: ReserveAnswer) =>
  t.decide(reservation_id, (state) => decideBuyerRefused(state, ['buyer.email']));

async function refused(more: Partial<Parameters<TestLedger['granted']>[2]> = {}): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', 4, more);
  answerOf(await t.submit(reservation, { buyer: { email: 'ada@gmail.ru', name: 'Ada' } }));
  await refuse(reservation);
  return reservation;
}

describe('22: details without which no order is taken', () => {
  test.each([
    [[], null, []],
    [['email'], null, ['buyer.email']],
    [['email'], EMAIL, []],
    [['email', 'phone'], EMAIL, ['buyer.phone']],
    [['shipping_address'], EMAIL, ['buyer.shipping_address']],
    [
      ['shipping_address'],
      { shipping_address: { city: 'Berlin' } },
      ['buyer.shipping_address.address1', 'buyer.shipping_address.country_code'],
    ],
    [['shipping_address'], { shipping_address: ADDRESS }, []],
  ] as const)('are %j: of %j is missing %j', async (buyer_required, buyer, missing) => {
    await open({ buyer_required });
    const reservation = await t.granted('tee', 1);
    const result = await t.submit(reservation, { buyer });
    if (missing.length === 0) {
      expect(answerOf(result).status).toBe('accepted');
      return;
    }
    expect(refusalOf(result)).toMatchObject({
      code: 'buyer_required',
      retry: 'changed_request',
      details: { fields: missing },
    });
    expect((await t.owned(reservation.reservation_id)).reservation.state).toBe('active');
  });

  test('use no idempotency key up, and are asked for before the checksum is judged', async () => {
    await open({ buyer_required: ['email'] });
    const reservation = { ...(await t.granted('tee', 1)), stock_hash: `sha256:${'0'.repeat(64)}` };
    const key = { idempotency_key: 'k' };
    expect(refusalOf(await t.submit(reservation, key)).code).toBe('buyer_required');
    expect(refusalOf(await t.submit(reservation, { ...key, buyer: EMAIL })).code).toBe('stock_hash_unknown');
  });

  test('are asked for of corrected details, too', async () => {
    await open({ buyer_required: ['phone'] });
    const reservation = await t.granted('tee', 1);
    const phone = '+49301234567';
    answerOf(await t.submit(reservation, { buyer: { phone } }));
    await t.decide(reservation.reservation_id, (state) => decideBuyerRefused(state, ['buyer.phone']));
    expect(refusalOf(await t.submit(reservation, { buyer: EMAIL })).details).toMatchObject({
      fields: ['buyer.phone'],
    });
  });
});

describe('19: a refused detail', () => {
  test.each([
    [60, 5 * MINUTE],
    [600, 10 * MINUTE],
    [900, 15 * MINUTE],
    [3600, 15 * MINUTE],
  ])(
    'of a reservation of %i s is waited for %i ms, counted from the refusal',
    async (ttl_seconds, wait_ms) => {
      await open({ ttl_max_s: 3600 });
      const reservation = await refused({ ttl_seconds });
      const { order } = await t.owned(reservation.reservation_id);
      expect(order).toMatchObject({
        state: 'held',
        held_until_ms: t.clock.now() + wait_ms,
        decided_at_ms: null,
      });
      await pass(wait_ms - 1);
      expect(await worker.visit(reservation)).not.toBe('revalidate');
      expect((await t.owned(reservation.reservation_id)).order?.state).toBe('held');
    },
  );

  test('that comes corrected in the millisecond of the end comes too late, and leaves it to the outbox to end it', async () => {
    await open();
    const reservation = await refused();
    await pass(15 * MINUTE);
    expect(refusalOf(await t.submit(reservation, { buyer: EMAIL }))).toMatchObject({
      code: 'reservation_already_submitted',
      details: { order_status: 'held' },
    });
    expect((await t.owned(reservation.reservation_id)).order?.buyer).not.toMatchObject(EMAIL);
    expect(await worker.claims(reservation)).toBe(true);
    expect(await worker.step(reservation)).toBeNull();
    expect(await t.owned(reservation.reservation_id)).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'rejected', buyer: null, held_for: null, refused_fields: [] },
      holds: [],
    });
  });

  test('is of its caller alone', async () => {
    await open();
    const reservation = await refused();
    expect(refusalOf(await t.submit(reservation, { principal: OTHER_AGENT, buyer: EMAIL })).code).toBe(
      'reservation_unknown',
    );
  });

  test('is told in the timeline, and what comes after it', async () => {
    await open();
    const reservation = await refused();
    answerOf(await t.submit(reservation, { buyer: EMAIL }));
    const name = { reservation_id: reservation.reservation_id };
    const { timeline } = answerOf(await t.ledger.getOrder(AGENT, name));
    expect(timeline.slice(-2).map(({ detail }) => detail)).toEqual([
      'The shop refused details of the buyer: the order is held, with its units, for corrected ones.',
      'Corrected details came in. The order was accepted: its checksum is true now.',
    ]);
  });

  test('holds nothing but an accepted order that has no link yet', async () => {
    await open();
    const reservation = await t.granted('tee', 1);
    await expect(refuse(reservation)).rejects.toThrow('no details');
    await t.sold(reservation);
    await expect(refuse(reservation)).rejects.toThrow('cannot hold');
  });
});

describe('19: units that wait for corrected details are as unsold as any', () => {
  const quotas = {
    ...NO_QUOTAS,
    idle_per_order: 20,
    units_per_sku: 5,
    live_reservations: 2,
    idle_per_day: 1,
  };
  const callers = () =>
    t.rawly((db) =>
      db.prepare('SELECT live_reservations, held_orders, idle, sold FROM callers').get(),
    ) as Record<string, unknown>;

  test('they count in what one may hold, and a refusal earns nothing', async () => {
    await open({ quotas: { ...quotas, cool_down_max_ms: HOUR } });
    await refused();
    expect(callers()).toMatchObject({ live_reservations: 1, held_orders: 1, sold: '[]' });
    expect(refusalOf(await t.reserve('tee', 2)).details).toMatchObject({ limit: 'units_per_sku', used: 4 });
  });

  test('kept to the end they are idle time from their grant on, and of the stretch of their SKU', async () => {
    await open({ quotas: { ...quotas, idle_per_day: null, renewals: 0, cool_down_max_ms: HOUR } });
    const reservation = await t.granted('tee', 4);
    await pass(10 * MINUTE);
    answerOf(await t.submit(reservation, { buyer: { email: 'ada@gmail.ru' } }));
    await pass(SECOND);
    await refuse(reservation);
    await pass(15 * MINUTE);
    await worker.visit(reservation);
    const idle = JSON.parse(String(callers()['idle'])) as [number, number][];
    expect(idle.reduce((sum, [, ms]) => sum + ms, 0)).toBe(25 * MINUTE + SECOND);
    // One renewal more than it may: as if it had reserved for twenty-five minutes.
    expect(refusalOf(await t.reserve('tee', 4)).details).toMatchObject({ limit: 'renewals' });
  });

  test('corrected and placed they are sold, once', async () => {
    await open({ quotas: { ...quotas, cool_down_max_ms: HOUR } });
    const reservation = await refused();
    answerOf(await t.submit(reservation, { buyer: EMAIL }));
    expect(callers()).toMatchObject({ live_reservations: 0, held_orders: 0, sold: '[]' });
    await t.place(reservation);
    expect(JSON.parse(String(callers()['sold']))).toMatchObject([[expect.any(Number), 1]]);
  });
});

describe('corrected details', () => {
  const before = {
    buyer: { ...EMAIL, phone: '+4930', shipping_address: ADDRESS },
    note: 'n',
    reference: 'r',
  };
  const nothing = { buyer: null, note: null, reference: null };

  test('replace what they name, drop what was refused and is left out, and keep the rest', async () => {
    await open();
    expect(mergeDetails(before, nothing, [])).toEqual(before);
    const given = { ...nothing, buyer: { email: 'b@example.com' }, note: 'm' };
    expect(mergeDetails(before, given, ['buyer.phone', 'reference'])).toEqual({
      buyer: { email: 'b@example.com', shipping_address: ADDRESS },
      note: 'm',
      reference: null,
    });
    expect(mergeDetails({ ...nothing, buyer: EMAIL }, nothing, ['buyer.email'])).toEqual(nothing);
  });

  test('are the same as before only where the refused value itself is', async () => {
    await open();
    const other = { ...before, buyer: { ...before.buyer, shipping_address: { ...ADDRESS, city: 'Bonn' } } };
    expect(findUnchanged(before, other, ['buyer.shipping_address'])).toEqual([]);
    expect(findUnchanged(before, other, ['buyer.shipping_address.country_code', 'buyer.email'])).toEqual([
      'buyer.shipping_address.country_code',
      'buyer.email',
    ]);
    expect(findUnchanged(before, { ...other, buyer: null }, ['buyer.email'])).toEqual([]);
    expect(findMissingDetails(null, ['email', 'phone', 'shipping_address'])).toHaveLength(3);
  });
});
