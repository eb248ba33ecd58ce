/** Of several limits, which one a refusal names, and when it says that the same wish may be granted. */

import { afterEach, describe, expect, test } from 'vitest';
import type { ReserveInput } from '../../../src/ledger/ledger.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { passageOf } from '../../../src/ledger/quota/usage-change.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
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
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

async function open(quotas: Partial<LedgerSettings['quotas']>, more: Partial<LedgerSettings> = {}) {
  t = await TestLedger.open({ settings: { quotas: { ...NO_QUOTAS, ...quotas }, ...more } });
  for (const sku of ['tee', 'cap']) await t.seed({ sku, levels: { [WAREHOUSE]: 10 } });
}

/** Time passes, what is past its time is tidied, and a heartbeat keeps the stock young. */
async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  await t.readWhole();
  for (const { reservation_key } of await t.store.expiredReservations(1000)) {
    await t.store.transact({ owned: { reservation_key } }, decideExpire);
  }
}

/** A reservation that nobody buys, kept to its end. */
async function keep(sku: string, quantity: number): Promise<void> {
  await t.granted(sku, quantity);
  await pass(15 * MINUTE);
}

async function buy(sku: string): Promise<string> {
  const reservation = await t.granted(sku, 1);
  answerOf(await t.submit(reservation));
  return reservation.reservation_id;
}

async function refusal(sku: string, quantity: number, more: Partial<ReserveInput> = {}) {
  const { code, details, retry_after_seconds = null } = refusalOf(await t.reserve(sku, quantity, more));
  expect(code).toBe('quota_exceeded');
  return { ...details, retry_after_seconds };
}

const there = (principal: string): Partial<ReserveInput> => ({ principal, origin: 'there' });

describe('of the limits on one SKU', () => {
  test.each([
    ['the smaller', { units_per_sku: 5, share_percent: 75 }, 'units_per_sku', 5],
    ['the smaller', { units_per_sku: 5, share_percent: 40 }, 'share', 4],
    ['of equal ones the first', { units_per_sku: 5, share_percent: 50 }, 'units_per_sku', 5],
    ['the only one', { share_percent: 50 }, 'share', 5],
  ] as const)('%s is named: of %o it is %s', async (_, quotas, limit, allowed) => {
    await open(quotas);
    expect(await refusal('tee', allowed + 1)).toMatchObject({ limit, of: 'principal', allowed, used: 0 });
    await t.granted('tee', allowed);
  });

  test.each([
    ['units_per_sku', 1, 1],
    ['renewals', 2, 1],
    ['renewals', null, 1],
  ] as const)('after too long %s is named where %s units may be had anyway', async (limit, most, allowed) => {
    await open({ renewals: 0, units_per_sku: most });
    await keep('tee', 1);
    expect(await refusal('tee', allowed + 1)).toMatchObject({ limit, allowed, used: 0 });
    await t.granted('tee', allowed);
  });

  test('the one of the caller is named before that of its origin, where both leave as much', async () => {
    await open({ units_per_sku: 5, origin_factor: 1 });
    expect(await refusal('tee', 6, there(AGENT))).toMatchObject({ limit: 'units_per_sku', of: 'principal' });
  });

  test('every SKU that is short of room is named, and none that is not', async () => {
    await open({ units_per_sku: 5 });
    await t.seed({ sku: 'hat' });
    const lines = [
      { sku: 'tee', quantity: units(6) },
      { sku: 'cap', quantity: units(5) },
      { sku: 'hat', quantity: units(7) },
    ];
    const { items } = (await refusal('tee', 1, { lines })) as unknown as { items: { sku: string }[] };
    expect(items.map(({ sku }) => sku)).toEqual(['tee', 'hat']);
  });

  test('each is on its own SKU alone: units of another do not count', async () => {
    await open({ units_per_sku: 5 });
    const lines = ['tee', 'cap'].map((sku) => ({ sku, quantity: units(4) }));
    const { reservation_id } = await t.granted('tee', 1, { lines });
    expect((await t.owned(reservation_id)).holds).toHaveLength(2);
  });
});

describe('with allow_partial', () => {
  test('what a quota leaves is shared by the lines of the SKU, in their order', async () => {
    await open({ units_per_sku: 7 });
    const lines = [4, 4].map((quantity) => ({ sku: 'tee', quantity: units(quantity) }));
    const answer = await t.granted('tee', 1, { lines, allow_partial: true });
    expect(answer.lines.map(({ reserved }) => reserved)).toEqual([4, 3]);
    expect(await t.atp('tee')).toBe(3);
  });

  test('a SKU of which nothing may be had any more does not keep the others from being granted', async () => {
    await open({ units_per_sku: 5 });
    await t.granted('tee', 5);
    const lines = ['tee', 'cap'].map((sku) => ({ sku, quantity: units(2) }));
    const answer = await t.granted('tee', 1, { lines, allow_partial: true });
    expect(answer.lines.map(({ reserved }) => reserved)).toEqual([0, 2]);
  });
});

describe('the same wish may be granted', () => {
  test('when the next of the caller’s own reservations of the SKU ends, not one of another SKU', async () => {
    await open({ units_per_sku: 5 });
    await t.granted('cap', 1, { ttl_seconds: 60 });
    await t.granted('tee', 2, { ttl_seconds: 600 });
    await t.granted('tee', 3, { ttl_seconds: 300 });
    expect((await refusal('tee', 1)).retry_after_seconds).toBe(300);
  });

  test('when the next of all its reservations ends, where it has too many', async () => {
    await open({ live_reservations: 2 });
    await t.granted('tee', 1);
    await t.granted('cap', 1, { ttl_seconds: 300 });
    expect(await refusal('tee', 1)).toMatchObject({
      limit: 'live_reservations',
      allowed: 2,
      used: 2,
      retry_after_seconds: 300,
    });
  });

  test('at a time that can’t be told where nothing of the caller’s is in the way', async () => {
    await open({ units_per_sku: 5 });
    expect((await refusal('tee', 6)).retry_after_seconds).toBeNull();
  });

  test('at a time that can’t be told where its origin has as much as it may have: others’ times are not its own', async () => {
    await open({ units_per_sku: 3, origin_factor: 1 });
    await t.granted('tee', 1, there(AGENT));
    await t.granted('tee', 2, there(OTHER_AGENT));
    const wish = await refusal('tee', 1, there(AGENT));
    expect(wish).toMatchObject({ limit: 'units_per_sku', of: 'origin', retry_after_seconds: null });
    expect(wish).not.toHaveProperty('used');
  });

  test('nor where its origin has as many reservations as it may have', async () => {
    await open({ live_reservations: 2, origin_factor: 1 });
    await t.granted('tee', 1, there(AGENT));
    await t.granted('tee', 1, there(OTHER_AGENT));
    expect(await refusal('tee', 1, there(AGENT))).toMatchObject({
      limit: 'live_reservations',
      of: 'origin',
      retry_after_seconds: null,
    });
  });

  test('nor where it goes on keeping what it has kept for too long', async () => {
    await open({ renewals: 0 });
    await keep('tee', 5);
    await t.granted('tee', 1);
    expect(await refusal('tee', 4)).toMatchObject({ limit: 'renewals', used: 1, retry_after_seconds: null });
  });

  test('nor where a held order has to be decided first', async () => {
    await open({ held_orders: 1 }, { stale_hash: 'hold' });
    const [first, second] = [await t.granted('tee', 1), await t.granted('tee', 1)];
    await t.levels('tee', { [WAREHOUSE]: 9 });
    answerOf(await t.submit(first));
    expect(refusalOf(await t.submit(second))).not.toHaveProperty('retry_after_seconds');
  });

  test('in an hour and a slot at most, where the caller has made as many as it may in an hour', async () => {
    await open({ reservations_per_hour: 2 });
    await t.release((await t.granted('tee', 1)).reservation_id);
    await pass(30 * MINUTE);
    await t.release((await t.granted('tee', 1)).reservation_id);
    // The first of the two was made as the slot began: it counts until its whole slot is an hour old.
    expect(await refusal('tee', 1)).toMatchObject({
      limit: 'reservations_per_hour',
      allowed: 2,
      used: 2,
      retry_after_seconds: (35 * MINUTE) / SECOND,
    });
  });
});

describe('a caller over a limit of its own', () => {
  test('is told the checksums of what it asked for, as far as the ledger knows it', async () => {
    await open({ live_reservations: 1 });
    await t.granted('tee', 1);
    const lines = ['nope', 'cap', 'cap'].map((sku) => ({ sku, quantity: units(1) }));
    const { stock_hash } = await t.item('cap');
    expect(await refusal('cap', 1, { lines })).toMatchObject({ items: [{ sku: 'cap', stock_hash }] });
  });
});

describe('orders pay for idle time', () => {
  // Five units kept for two full lengths and for nothing: more of them is too long, unless units bought of the SKU have paid for it.
  const quotas = { renewals: 1, idle_per_order: 4 };

  test.each([
    [3, 'tee', 0, 2, 'granted'],
    [3, 'tee', 0, 3, 'renewals'],
    [3, 'tee', 1, 2, 'renewals'],
    [9, 'cap', 0, 2, 'renewals'],
  ] as const)(
    'of the same day and SKU: %i bought of %s, and %i s more unsold, for %i units: %s',
    async (bought, sku, more_s, wish, then) => {
      await open(quotas);
      for (let n = 0; n < bought; n += 1) await t.place({ reservation_id: await buy(sku) });
      if (more_s > 0) {
        const { reservation_id } = await t.granted('tee', 1);
        await pass(more_s * SECOND);
        await t.release(reservation_id);
      }
      await keep('tee', 5);
      await keep('tee', 5);
      if (then === 'granted') await t.granted('tee', wish);
      else expect((await refusal('tee', wish)) as unknown).toMatchObject({ limit: then });
    },
  );

  test('when the shop has them, and once: an order that is accepted may still have to be corrected', async () => {
    await open({ ...quotas, renewals: 100 });
    const reservation_id = await buy('tee');
    expect(sold()).toBe(0);
    await t.decide(reservation_id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    expect(sold()).toBe(1);
    await t.decide(reservation_id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    expect(sold()).toBe(1);
  });

  test('not while they are held', async () => {
    await open({ ...quotas, renewals: 100 }, { stale_hash: 'hold' });
    const reservation = await t.granted('tee', 1);
    await t.levels('tee', { [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(reservation)).status).toBe('held');
    expect(sold()).toBe(0);
  });

  test('when they are paid, where the buyer pays at the shop', async () => {
    await open({ ...quotas, renewals: 100 }, { order_mode: 'checkout_link' });
    const reservation_id = await buy('tee');
    expect(sold()).toBe(0);
    await t.decide(reservation_id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    expect(sold()).toBe(1);
  });

  function sold(): number {
    const slots = t.rawly((db) =>
      db.prepare("SELECT sold FROM callers WHERE subject = 'principal' AND name = ?").pluck().get(AGENT),
    );
    const read = JSON.parse(String(slots)) as [number, number][];
    return read.reduce((sum, [, amount]) => sum + amount, 0);
  }
});

describe('the cool-down', () => {
  test('says how many reservations ended unsold, and how many of them are free', async () => {
    await open({ idle_per_day: 1, cool_down_max_ms: HOUR });
    for (let n = 0; n < 2; n += 1) await keep('tee', 1);
    const wish = await refusal('tee', 1);
    expect(wish).toMatchObject({ limit: 'cool_down', allowed: 1, used: 2, retry_after_seconds: 120 });
  });

  test('is none where nothing limits what ends unsold', async () => {
    await open({ idle_per_day: null, cool_down_max_ms: HOUR, units_per_sku: 10 });
    for (let n = 0; n < 3; n += 1) await keep('tee', 1);
    await t.granted('tee', 1);
  });
});

describe('an order that failed', () => {
  const lapsed = { code: 'payment_lapsed', detail: '' } as const;
  const sold = { code: 'stock_insufficient', detail: '' } as const;

  test.each([
    ['was never paid', [lapsed], 'unsold'],
    ['was never paid, and was sold elsewhere', [sold, lapsed], 'unsold'],
    ['was sold elsewhere', [sold], 'excused'],
    ['says not why', [], 'unsold'],
  ] as const)('because it %s leaves its units %s', async (_, reasons, parting) => {
    await open({ idle_per_day: 3 }, { order_mode: 'checkout_link' });
    const owned = await t.owned(await buy('tee'));
    const { order } = owned;
    if (order === null) throw new Error('no order was made');
    const changes = {
      order: { ...order, state: 'failed' as const, reasons },
      reservation: { reservation_key: owned.reservation.reservation_key, state: 'released' as const },
    };
    expect(passageOf(owned, changes, () => 7, t.clock.now())).toMatchObject({
      from: 'live',
      to: null,
      parting,
    });
  });
});
