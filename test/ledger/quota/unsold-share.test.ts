/** The share of a SKU that all callers together may keep without buying it: rule by rule. Whole days are in quota-attack.test.ts. */

import { afterEach, describe, expect, test } from 'vitest';
import { decideFailed } from '../../../src/ledger/order/order-placed.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  NO_QUOTAS,
  OTHER_AGENT,
  refusalOf,
  TestLedger,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

async function open(
  stock: number,
  quotas: Partial<LedgerSettings['quotas']> = {},
  more: Partial<LedgerSettings> = {},
) {
  const limits = { ...NO_QUOTAS, unsold_share_percent: 40, idle_per_order: 20, ...quotas };
  t = await TestLedger.open({ settings: { quotas: limits, mirror: 'none', ...more } });
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: stock } });
}

/** Time passes, what is past its time is tidied, and a heartbeat keeps the stock young. */
async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  for (const { reservation_key } of await t.store.expiredReservations(1000)) {
    await t.store.transact({ owned: { reservation_key } }, decideExpire);
  }
  await t.readWhole();
}

/** Units that the caller is granted, of as many as it can get. */
async function most(principal: string, more: object = {}): Promise<number> {
  const result = await t.reserve('tee', 1_000, { principal, allow_partial: true, ...more });
  return result.ok ? (result.value.lines[0]?.reserved ?? 0) : 0;
}

/** One more caller that has kept the SKU and not bought it. */
async function lapsed(principal: string, quantity = 40): Promise<void> {
  await t.granted('tee', quantity, { principal });
  await pass(15 * MINUTE);
}

describe('callers that have bought nothing', () => {
  test('keep two fifths together, and each of them once a day a little more', async () => {
    await open(100);
    expect(await most('a')).toBe(45);
    expect(await most('a')).toBe(0);
    expect(await most('b')).toBe(5);
    expect(await most('b')).toBe(0);
    expect(await most('c')).toBe(5);
  });

  test('have no first allowance once they have let one lapse, until a day later', async () => {
    await open(100);
    await lapsed('a', 5);
    await t.granted('tee', 45, { principal: 'b' });
    const refusal = refusalOf(await t.reserve('tee', 1, { principal: 'a' }));
    expect(refusal).toMatchObject({
      code: 'quota_exceeded',
      retry: 'later',
      details: { limit: 'unsold_share', of: 'everyone', items: [{ sku: 'tee' }] },
    });
    expect(Object.keys(refusal.details)).toEqual(['limit', 'of', 'items']);
    await pass(26 * HOUR);
    await t.granted('tee', 40, { principal: 'b' });
    await t.granted('tee', 5, { principal: 'a' });
  });

  test('have it by what they kept and for how long, not by how it ended or in how many pieces', async () => {
    await open(100);
    for (let n = 0; n < 5; n += 1) {
      const { reservation_id } = await t.granted('tee', 5, { principal: 'a' });
      await pass(3 * MINUTE);
      await t.release(reservation_id, 'a');
    }
    await t.granted('tee', 40, { principal: 'b' });
    expect(refusalOf(await t.reserve('tee', 1, { principal: 'a' })).code).toBe('quota_exceeded');
  });

  test.each([
    ['submitted and not placed yet', null],
    ['that the shop refused', 'fail'],
  ])('have not bought what they have %s', async (_, end) => {
    await open(100);
    const granted = await t.granted('tee', 5, { principal: 'a' });
    await pass(14 * MINUTE);
    answerOf(await t.submit(granted, { principal: 'a' }));
    await pass(2 * MINUTE);
    if (end !== null) {
      const reason = { code: 'shop_refused', detail: '' } as const;
      await t.decide(granted.reservation_id, (state) => decideFailed(state, reason));
    }
    const free = end === null ? 0 : 5;
    expect(await most('b')).toBe(40 + free);
    expect(await most('a')).toBe(0);
  });

  test('may wait where that helps, and are told to ask for less where it does not', async () => {
    await open(100);
    await lapsed('a');
    await t.granted('tee', 40, { principal: 'b' });
    expect(refusalOf(await t.reserve('tee', 40, { principal: 'a' })).retry).toBe('later');
    const vain = refusalOf(await t.reserve('tee', 46, { principal: 'a' }));
    expect(vain).toMatchObject({ retry: 'changed_request', details: { limit: 'unsold_share' } });
    expect(vain.retry_after_seconds).toBeUndefined();
  });

  test.each([
    [1, [1, 0]],
    [2, [2, 0]],
    [4, [4, 0]],
    [5, [5, 0]],
    [10, [7, 3]],
    [59, [26, 3]],
  ])('of %i units may take %j, one after the other', async (stock, taken) => {
    await open(stock);
    expect([await most('a'), await most('b')]).toEqual(taken);
  });

  test('keep the last unit for two full lengths in a row, and then it rests four times as long', async () => {
    await open(1);
    await lapsed('a', 1);
    await lapsed('b', 1);
    for (const principal of ['a', 'b']) expect(await most(principal)).toBe(0);
    await pass(HOUR);
    expect(await most('a')).toBe(1);
  });
});

describe('a caller that has bought of the SKU', () => {
  test('keeps twenty times as much beside everybody else, as long as it keeps no more than that unsold', async () => {
    await open(100);
    await lapsed('a', 5);
    await t.granted('tee', 45, { principal: 'b' });
    await t.sold(await t.granted('tee', 1, { principal: 'c' }), { principal: 'c' });
    // What is kept is paid for, so it takes nothing from those who share.
    expect(await most('c')).toBe(20);
    expect(await most('d')).toBe(3);
    await pass(15 * MINUTE);
    await t.granted('tee', 39, { principal: 'b' });
    expect(await most('c')).toBe(0);
  });

  test('has bought nothing of another SKU', async () => {
    await open(100);
    await t.seed({ sku: 'sticker' });
    await lapsed('a');
    await t.sold(await t.granted('sticker', 1, { principal: 'a' }), { principal: 'a' });
    await t.granted('tee', 40, { principal: 'b' });
    expect(await most('a')).toBe(0);
  });
});

describe('who keeps a SKU again and again without buying it', () => {
  test('has it for a shorter time, which the answer states, until it has rested or bought', async () => {
    await open(100);
    const spans: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { ttl_seconds, created_at, expires_at } = await t.granted('tee', 1);
      expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(ttl_seconds * 1000);
      spans.push(ttl_seconds);
      await pass(15 * MINUTE);
    }
    expect(spans).toEqual([900, 450, 450, 450]);
    expect((await t.granted('tee', 1, { principal: OTHER_AGENT })).ttl_seconds).toBe(900);
    await t.sold(await t.granted('tee', 1));
    expect((await t.granted('tee', 1)).ttl_seconds).toBe(900);
  });

  test('has it for a quarter of the full length at least, and for as long as was granted', async () => {
    await open(100);
    const first = await t.granted('tee', 1);
    for (let n = 0; n < 6; n += 1) {
      await pass(12 * MINUTE);
      expect((await t.granted('tee', 1)).ttl_seconds).toBeGreaterThanOrEqual(225);
      if (n === 0) expect((await t.owned(first.reservation_id)).reservation.state).toBe('active');
    }
    expect((await t.granted('tee', 1, { ttl_seconds: 100 })).ttl_seconds).toBe(100);
  });
});

describe('all callers of one channel', () => {
  test('leave a tenth of the SKU to other channels, however many they are', async () => {
    await open(100, { origin_share_percent: 90 });
    let kept = 0;
    for (let n = 0; n < 40; n += 1) kept += await most(`bot-${n}`, { channel: 'chat' });
    expect(kept).toBe(90);
    const refusal = refusalOf(await t.reserve('tee', 1, { principal: 'bot', channel: 'chat' }));
    expect(refusal.details).toMatchObject({ limit: 'share', of: 'channel' });
    expect(Object.keys(refusal.details)).toEqual(['limit', 'of', 'items']);
    await t.granted('tee', 5, { principal: 'buyer', channel: 'shop' });
  });
});

describe('a caller beside whom nobody can call', () => {
  test('is limited by no share, as long as the ledger knows nobody else', async () => {
    await open(10, { share_percent: 75 });
    const alone = await t.beside({ isAlone: () => true });
    await alone.granted('tee', 10);
    await alone.close();
  });

  test('leaves a share to those whom another process has served on the same ledger', async () => {
    await open(10, { share_percent: 75 });
    await t.release((await t.granted('tee', 1, { principal: OTHER_AGENT })).reservation_id, OTHER_AGENT);
    const alone = await t.beside({ isAlone: () => true });
    expect(refusalOf(await alone.reserve('tee', 10)).details).toMatchObject({ limit: 'unsold_share' });
    await alone.close();
  });

  test('and whoever else asks in the same commit sees what it was granted', async () => {
    await open(10, { share_percent: 75 }, {});
    const alone = await t.beside({ isAlone: () => true });
    const wishes = [alone.reserve('tee', 10, { principal: OTHER_AGENT }), alone.reserve('tee', 10)];
    expect((await Promise.all(wishes)).map(({ ok }) => ok)).toEqual([true, false]);
    await alone.close();
  });
});

describe('orders that wait for a person', () => {
  test('keep no more than everyone may, and one with a true checksum needs nobody', async () => {
    await open(100, {}, { stale_hash: 'hold' });
    const first = await t.granted('tee', 44, { principal: 'a' });
    const second = await t.granted('tee', 5, { principal: 'b' });
    t.time.pass(1);
    await t.levels('tee', { [WAREHOUSE]: 101 });
    expect(answerOf(await t.submit(first, { principal: 'a' })).status).toBe('held');
    expect(refusalOf(await t.submit(second, { principal: 'b' }))).toMatchObject({
      code: 'quota_exceeded',
      retry: 'changed_request',
      details: { limit: 'held_units', of: 'everyone', items: [{ sku: 'tee' }] },
    });
    expect((await t.owned(second.reservation_id)).reservation.state).toBe('active');
    const { stock_hash } = await t.item('tee');
    const again = { reservation_id: second.reservation_id, stock_hash };
    expect(answerOf(await t.submit(again, { principal: 'b' })).status).toBe('accepted');
  });
});

test('L2: what everyone and a channel keep is proved by verify, figure by figure', async () => {
  await open(100);
  answerOf(await t.submit(await t.granted('tee', 2, { channel: 'chat' })));
  await t.granted('tee', 3, { channel: 'chat' });
  const problems = () => verifyLedgerFile(t.path).problems;
  expect(problems()).toEqual([]);
  for (const subject of ['everyone', 'channel', 'principal']) {
    for (const figure of ['live_units', 'ordered_units']) {
      const change = (by: number) =>
        t.rawly((db) =>
          db.prepare(`UPDATE caller_items SET ${figure} = ${figure} + ? WHERE subject = ?`).run(by, subject),
        );
      change(1);
      expect(problems(), `${subject} ${figure}`).toMatchObject([{ invariant: 'L2' }]);
      change(-1);
    }
  }
});

describe('check_stock and refusals', () => {
  const seen = async (principal: string, ledger = t.ledger) => {
    const [item] = answerOf(await ledger.checkStock(['tee'], { caller: { principal } })).items;
    const { available_to_promise, reservable, held_by_you } = item ?? {};
    return { available_to_promise, reservable, held_by_you };
  };

  test('say what the caller itself may reserve, and what it holds, and it is granted just that', async () => {
    await open(100, { share_percent: 75 });
    expect(await seen('a')).toEqual({ available_to_promise: 100, reservable: 45, held_by_you: 0 });
    await t.granted('tee', 42, { principal: 'a' });
    expect(await seen('a')).toEqual({ available_to_promise: 58, reservable: 0, held_by_you: 42 });
    const told = await seen('b');
    expect(told).toEqual({ available_to_promise: 58, reservable: 5, held_by_you: 0 });
    const refusal = refusalOf(await t.reserve('tee', 6, { principal: 'b' }));
    expect(refusal.details).toMatchObject({ items: [{ sku: 'tee', ...told }] });
    await t.granted('tee', 5, { principal: 'b' });
    expect(await seen('b')).toMatchObject({ reservable: 0, held_by_you: 5 });
  });

  test('tell who has all of it itself that the missing units are its own', async () => {
    await open(3, { unsold_share_percent: null });
    await t.granted('tee', 3);
    const refusal = refusalOf(await t.reserve('tee', 1));
    expect(refusal).toMatchObject({
      code: 'stock_insufficient',
      message: expect.stringContaining('held_by_you'),
      details: {
        items: [{ sku: 'tee', available_to_promise: 0, reservable: 0, held_by_you: 3, requested: 1 }],
      },
    });
    const others = refusalOf(await t.reserve('tee', 1, { principal: OTHER_AGENT }));
    expect(others.message).not.toContain('held_by_you');
    expect(others.details).toMatchObject({ items: [{ held_by_you: 0 }] });
  });

  test('say 0 to who may reserve nothing at all, and all there is where nothing is limited', async () => {
    await open(10, { unsold_share_percent: null, live_reservations: 1 });
    await t.granted('tee', 2);
    expect(await seen('agent-a')).toEqual({ available_to_promise: 8, reservable: 0, held_by_you: 2 });
    const unlimited = await t.beside({ settings: { ...t.settings, quotas: NO_QUOTAS } });
    const reservable = { available_to_promise: 8, reservable: 8, held_by_you: 2 };
    expect(await seen('agent-a', unlimited.ledger)).toEqual(reservable);
    const readOnly = await t.beside({ settings: { ...t.settings, read_only: true } });
    expect(await seen('agent-b', readOnly.ledger)).toMatchObject({ reservable: 0 });
    await Promise.all([unlimited.close(), readOnly.close()]);
  });

  test('write nothing where nothing is kept of callers yet', async () => {
    await open(10);
    await t.granted('tee', 2);
    await t.store.dropTallies();
    expect(await seen('agent-a')).toEqual({ available_to_promise: 8, reservable: 8, held_by_you: 2 });
    expect(t.rawly((db) => db.prepare('SELECT tallied FROM ledger').pluck().get())).toBe(0);
  });
});
