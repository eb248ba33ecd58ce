import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReserveInput } from '../../../src/ledger/ledger.js';
import {
  DAY_WINDOW,
  HOUR_WINDOW,
  NO_TALLY,
  roomAt,
  sumOf,
  tallyAfter,
} from '../../../src/ledger/model/usage.js';
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
  STORE,
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
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
}

/** Time passes, and a heartbeat keeps the stock young. */
async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  await t.readWhole();
}

async function sweep(): Promise<void> {
  for (const { reservation_key } of await t.store.expiredReservations(1000)) {
    await t.store.transact({ owned: { reservation_key } }, decideExpire);
  }
}

function limitOf(result: Parameters<typeof refusalOf>[0]) {
  const { code, details, retry, retry_after_seconds } = refusalOf(result);
  return {
    code,
    retry,
    limit: details['limit'],
    allowed: details['allowed'],
    used: details['used'],
    retry_after_seconds,
  };
}

const other: Partial<ReserveInput> = { principal: OTHER_AGENT };

describe('the share of a SKU', () => {
  beforeEach(() => open({ share_percent: 75 }));

  test('is of what would be there without the caller, whatever it holds already, and others get the rest', async () => {
    await t.granted('tee', 4);
    const { stock_hash } = await t.item('tee');
    const refusal = refusalOf(await t.reserve('tee', 4));
    expect(refusal).toMatchObject({
      code: 'quota_exceeded',
      retry: 'later',
      retry_after_seconds: 900,
      details: { limit: 'share', of: 'principal', allowed: 7, used: 4, items: [{ sku: 'tee', stock_hash }] },
    });
    await t.granted('tee', 3);
    expect(refusalOf(await t.reserve('tee', 1)).code).toBe('quota_exceeded');
    await t.granted('tee', 1, other);
    expect(await t.atp('tee')).toBe(2);
  });

  test('is never less than one unit, so that the last one can be sold', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1 } });
    await t.granted('tee', 1);
  });

  test.each([2, 3, 4, 5, 7, 50])('leaves others at least one of %i units', async (there) => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: there } });
    for (let n = 0; n < there; n += 1) await t.reserve('tee', 1);
    expect(await t.atp('tee')).toBe(there - Math.floor((there * 75) / 100));
    await t.granted('tee', 1, other);
  });

  test('is compared with the sum of the lines of one SKU, at all locations', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5, [STORE]: 5 } });
    const lines = [
      { sku: 'tee', quantity: units(4), location_id: WAREHOUSE },
      { sku: 'tee', quantity: units(4) },
    ];
    expect(limitOf(await t.reserve('tee', 8, { lines }))).toMatchObject({ limit: 'share', allowed: 7 });
    expect(await t.atp('tee')).toBe(10);
  });

  test('with allow_partial grants what it leaves, and refuses when it leaves nothing', async () => {
    const part = await t.granted('tee', 9, { allow_partial: true });
    expect(part.lines).toMatchObject([{ requested: 9, reserved: 7 }]);
    expect(limitOf(await t.reserve('tee', 1, { allow_partial: true }))).toMatchObject({
      limit: 'share',
      used: 7,
    });
  });

  test('more than there is is still stock_insufficient: that says how many there are', async () => {
    expect(refusalOf(await t.reserve('tee', 11)).code).toBe('stock_insufficient');
  });

  test('does not count what was ordered: who buys may go on buying', async () => {
    const first = await t.granted('tee', 7);
    answerOf(await t.submit(first));
    await t.granted('tee', 2);
  });

  test('does not count what is past its time, although nobody has tidied it', async () => {
    await t.granted('tee', 7);
    await pass(15 * MINUTE);
    await t.granted('tee', 7);
    await sweep();
    expect(refusalOf(await t.reserve('tee', 1)).code).toBe('quota_exceeded');
  });

  test('two wishes in one commit see each other', async () => {
    const results = await Promise.all([t.reserve('tee', 5), t.reserve('tee', 5), t.reserve('tee', 2)]);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  test('L7: a replay is refused by no quota, and a refusal uses no key up', async () => {
    const first = await t.granted('tee', 7, { idempotency_key: 'a' });
    expect(await t.granted('tee', 7, { idempotency_key: 'a' })).toEqual({ ...first, replayed: true });
    expect(refusalOf(await t.reserve('tee', 1, { idempotency_key: 'b' })).code).toBe('quota_exceeded');
    await t.release(first.reservation_id);
    await t.granted('tee', 1, { idempotency_key: 'b' });
  });

  test('a refusal leaves nothing in the journal: a loop of them must not fill the disk', async () => {
    await t.granted('tee', 7);
    const entries = verifyLedgerFile(t.path).journal_entries;
    for (let n = 0; n < 50; n += 1) refusalOf(await t.reserve('tee', 1));
    expect(verifyLedgerFile(t.path).journal_entries).toBe(entries);
  });
});

describe('what is counted', () => {
  test('units of one SKU, with the time at which the next of the caller’s own come free', async () => {
    await open({ units_per_sku: 5 });
    await t.granted('tee', 2, { ttl_seconds: 300 });
    await t.granted('tee', 3);
    await pass(MINUTE);
    expect(limitOf(await t.reserve('tee', 1))).toMatchObject({
      limit: 'units_per_sku',
      allowed: 5,
      used: 5,
      retry_after_seconds: 240,
    });
    await pass(240 * SECOND);
    await t.granted('tee', 2);
  });

  test('live reservations', async () => {
    await open({ live_reservations: 2 });
    const first = await t.granted('tee', 1);
    await t.granted('tee', 1);
    expect(limitOf(await t.reserve('tee', 1))).toMatchObject({
      limit: 'live_reservations',
      retry_after_seconds: 900,
    });
    await t.granted('tee', 1, other);
    await t.release(first.reservation_id);
    await t.granted('tee', 1);
  });

  test('reservations per hour, with the time at which there is room again', async () => {
    await open({ reservations_per_hour: 3 });
    for (let n = 0; n < 3; n += 1) await t.release((await t.granted('tee', 1)).reservation_id);
    const wait = limitOf(await t.reserve('tee', 1)).retry_after_seconds ?? 0;
    expect(wait).toBeGreaterThan(3600);
    expect(wait).toBeLessThanOrEqual(3900);
    await pass(wait * SECOND - 1000);
    expect(refusalOf(await t.reserve('tee', 1)).code).toBe('quota_exceeded');
    await pass(1000);
    await t.granted('tee', 1);
  });

  test('held orders: refused at submit, with the reservation untouched, and the key unused', async () => {
    await open({ held_orders: 1 }, { stale_hash: 'hold' });
    const [first, second] = [await t.granted('tee', 1), await t.granted('tee', 1)];
    await t.levels('tee', { [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(first)).status).toBe('held');
    const refusal = refusalOf(await t.submit(second, { idempotency_key: 'k' }));
    expect(refusal).toMatchObject({
      code: 'quota_exceeded',
      details: { limit: 'held_orders', allowed: 1, used: 1 },
    });
    expect((await t.owned(second.reservation_id)).reservation.state).toBe('active');
    const order = (await t.owned(first.reservation_id)).order?.id ?? '';
    answerOf(await t.ledger.decideHeld(order, 'reject', 'ada'));
    expect(answerOf(await t.submit(second, { idempotency_key: 'k' })).status).toBe('held');
  });

  test('units of held orders and of links that nobody has paid count; those of accepted orders do not', async () => {
    await open({ units_per_sku: 2 }, { stale_hash: 'hold', order_mode: 'checkout_link', mirror: 'none' });
    answerOf(await t.submit(await t.granted('tee', 1)));
    const stale = await t.granted('tee', 1);
    await t.levels('tee', { [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(stale)).status).toBe('held');
    expect(limitOf(await t.reserve('tee', 1))).toMatchObject({ limit: 'units_per_sku', used: 2 });
  });
});

describe('renewals', () => {
  beforeEach(() => open({ renewals: 1, idle_per_order: 20, idle_per_day: null }));

  async function keepToTheEnd(quantity: number): Promise<void> {
    await t.granted('tee', quantity);
    await pass(15 * MINUTE);
    await sweep();
  }

  test('one is granted, a second without a sale is refused for an hour, and others are not', async () => {
    await keepToTheEnd(5);
    await keepToTheEnd(5);
    const { limit, retry_after_seconds } = limitOf(await t.reserve('tee', 5));
    expect({ limit, retry_after_seconds }).toEqual({ limit: 'renewals', retry_after_seconds: 3600 });
    await t.granted('tee', 5, other);
    await pass(HOUR - SECOND);
    expect(limitOf(await t.reserve('tee', 5)).limit).toBe('renewals');
    await pass(SECOND);
    await t.granted('tee', 5);
  });

  test('an order in between makes it anew', async () => {
    await keepToTheEnd(5);
    await keepToTheEnd(5);
    await pass(HOUR);
    await t.sold(await t.granted('tee', 1));
    await keepToTheEnd(5);
    await keepToTheEnd(5);
  });

  test('releasing just before the end is no way around it, nor is one reservation that overlaps the next', async () => {
    let last = await t.granted('tee', 3);
    let refused = 0;
    for (let n = 0; n < 5; n += 1) {
      await pass(14 * MINUTE);
      const next = await t.reserve('tee', 3);
      await t.release(last.reservation_id);
      if (next.ok) last = next.value;
      else refused += 1;
    }
    expect(refused).toBeGreaterThanOrEqual(3);
  });

  test('a buyer who changes their mind again and again within minutes is never refused', async () => {
    for (let n = 0; n < 20; n += 1) {
      const { reservation_id } = await t.granted('tee', 1 + (n % 5));
      await pass(30 * SECOND);
      await t.release(reservation_id);
    }
    await t.granted('tee', 3);
  });

  test('a tenth of what is there may be kept all the same: it keeps nothing from others', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100 } });
    for (let n = 0; n < 6; n += 1) await keepToTheEnd(10);
    expect(limitOf(await t.reserve('tee', 11))).toMatchObject({ limit: 'renewals', allowed: 10 });
  });

  test('of a few units one may be kept for longer, and never the last: it is what others would find', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5 } });
    await keepToTheEnd(5);
    await keepToTheEnd(5);
    expect(limitOf(await t.reserve('tee', 2))).toMatchObject({ limit: 'renewals', allowed: 1 });
    for (let n = 0; n < 4; n += 1) await keepToTheEnd(1);
    answerOf(await t.submit(await t.granted('tee', 4, other), other));
    expect(await t.atp('tee')).toBe(1);
    expect(limitOf(await t.reserve('tee', 1))).toMatchObject({ limit: 'renewals', allowed: 0, used: 0 });
    await t.granted('tee', 1, other);
  });

  test('a night in which nothing ran is no idle time', async () => {
    await t.granted('tee', 5);
    await pass(10 * HOUR);
    await t.granted('tee', 5);
    await sweep();
    await pass(MINUTE);
    await t.granted('tee', 5);
  });
});

describe('the cool-down', () => {
  beforeEach(() => open({ idle_per_day: 3, idle_per_order: 2, cool_down_max_ms: 4 * HOUR }));

  async function expire(): Promise<void> {
    await t.granted('tee', 1);
    await pass(15 * MINUTE);
  }

  test('begins when more reservations than are free end unsold, grows with each, and ends when it says', async () => {
    for (let n = 0; n < 3; n += 1) await expire();
    const waits: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await expire();
      const { limit, retry_after_seconds = 0 } = limitOf(await t.reserve('tee', 1));
      expect(limit).toBe('cool_down');
      waits.push(retry_after_seconds);
      await pass(retry_after_seconds * SECOND - 1);
      expect(limitOf(await t.reserve('tee', 1)).limit).toBe('cool_down');
      await pass(1);
    }
    expect(waits).toEqual([120, 240, 480, 960]);
    await t.granted('tee', 1);
  });

  test('is the same whether or not a sweeper runs', async () => {
    for (let n = 0; n < 4; n += 1) await expire();
    const before = limitOf(await t.reserve('tee', 1));
    await sweep();
    expect(limitOf(await t.reserve('tee', 1))).toEqual(before);
  });

  test('is put off by orders, and is of the caller alone', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100 } });
    for (let n = 0; n < 20; n += 1) {
      await t.sold(await t.granted('tee', 1));
      await expire();
      await expire();
    }
    for (let n = 0; n < 4; n += 1) {
      await t.granted('tee', 1, other);
      await pass(15 * MINUTE);
    }
    expect(limitOf(await t.reserve('tee', 1, other)).limit).toBe('cool_down');
    await t.granted('tee', 1);
  });

  test.each([
    ['payment_lapsed', 'unsold'],
    ['shop_refused', 'unsold'],
    ['buyer_refused', 'unsold'],
    ['rejected_by_person', 'unsold'],
    ['stock_insufficient', 'excused'],
    ['item_discontinued', 'excused'],
  ] as const)('an order that failed for %s leaves its reservation %s', async (code, parting) => {
    await t.close();
    await open({ idle_per_day: 3 }, { order_mode: 'checkout_link' });
    const granted = await t.granted('tee', 2);
    answerOf(await t.submit(granted));
    await pass(5 * MINUTE);
    const { order, reservation, ...owned } = await t.owned(granted.reservation_id);
    if (order === null) throw new Error('no order was made');
    const failed = { ...order, state: 'failed' as const, reasons: [{ code, detail: '' }] };
    const changes = { order: failed, reservation: { reservation_key: 1, state: 'released' as const } };
    const passage = passageOf({ ...owned, order, reservation }, changes, () => 7, t.clock.now());
    expect(passage).toMatchObject({ from: 'live', to: null, parting, units: new Map([[7, 2]]) });
    if (passage === null) return;
    const idle = sumOf(tallyAfter(NO_TALLY, passage).idle, DAY_WINDOW, t.clock.now());
    expect(idle).toBe(parting === 'unsold' ? 5 * MINUTE : 0);
  });

  test('is brought nearer by a held order that a person rejects, by all the time that it was kept', async () => {
    const stale = await t.granted('tee', 1);
    await t.levels('tee', { [WAREHOUSE]: 9 });
    answerOf(await t.submit(stale));
    await pass(3 * HOUR);
    const { order } = await t.owned(stale.reservation_id);
    answerOf(await t.ledger.decideHeld(order?.id ?? '', 'reject', 'ada'));
    expect(JSON.parse(String(await idleOf(AGENT)))).toMatchObject([[expect.any(Number), 3 * HOUR]]);
  });

  test('is forgotten after a day', async () => {
    for (let n = 0; n < 4; n += 1) await expire();
    await pass(26 * HOUR);
    await expire();
    await t.granted('tee', 1);
  });
});

async function idleOf(principal: string): Promise<unknown> {
  return t.rawly((db) =>
    db.prepare("SELECT idle FROM callers WHERE subject = 'principal' AND name = ?").pluck().get(principal),
  );
}

describe('where nothing is limited', () => {
  const counted = () =>
    t.rawly((db) =>
      db.prepare('SELECT name, live_reservations, granted, idle FROM callers ORDER BY name').all(),
    );

  test('nothing is kept of callers, through a whole life of a reservation', async () => {
    await open({});
    await t.granted('tee', 1);
    await t.store.dropTallies();
    const [first, second] = [await t.granted('tee', 1), await t.granted('tee', 1)];
    answerOf(await t.submit(first));
    await t.release(second.reservation_id);
    await pass(15 * MINUTE);
    await sweep();
    expect(counted()).toEqual([]);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('the first call that is judged knows what is live, forgives the past, and all processes keep count', async () => {
    await open({});
    await t.store.dropTallies();
    await t.release((await t.granted('tee', 1)).reservation_id);
    await t.granted('tee', 4, { origin: 'there' });
    const judging = await t.beside({
      settings: { ...t.settings, quotas: { ...NO_QUOTAS, units_per_sku: 5 } },
    });
    const wish = (quantity: number) => judging.reserve('tee', quantity, { origin: 'there' });
    expect(limitOf(await wish(2))).toMatchObject({ limit: 'units_per_sku', used: 4 });
    expect(counted()).toMatchObject([
      { name: AGENT, live_reservations: 1, granted: '[]', idle: '[]' },
      { name: 'there', live_reservations: 1 },
    ]);
    await t.granted('tee', 1);
    expect(limitOf(await wish(1))).toMatchObject({ limit: 'units_per_sku', used: 5 });
    await judging.close();
  });

  test('rows that were left behind are found by verify', async () => {
    await open({});
    await t.granted('tee', 1);
    t.rawly((db) => db.exec('UPDATE ledger SET tallied = 0'));
    expect(verifyLedgerFile(t.path).problems).toMatchObject([{ invariant: 'L2' }]);
    t.rawly((db) => db.exec('UPDATE ledger SET tallied = 1'));
  });
});

describe('an origin', () => {
  test('of 500 identities leaves others a tenth of each SKU, and tells them nothing of each other', async () => {
    await open({ share_percent: 75, origin_share_percent: 90 });
    const wishes = Array.from({ length: 500 }, (_, n) =>
      t.reserve('tee', 1, { principal: `bot-${n}`, origin: 'there' }),
    );
    const results = await Promise.all(wishes);
    expect(results.filter(({ ok }) => ok)).toHaveLength(9);
    const refused = results.filter(({ ok }) => !ok).map((result) => refusalOf(result));
    expect(refused[0]).toMatchObject({
      code: 'quota_exceeded',
      details: { limit: 'share', of: 'origin' },
    });
    expect(Object.keys(refused[0]?.details ?? {})).toEqual(['limit', 'of', 'items']);
    await t.granted('tee', 1, { ...other, origin: 'elsewhere' });
  });

  test('has the renewals and the cool-down of its callers together', async () => {
    await open({ renewals: 0, idle_per_day: 1, idle_per_order: 1, cool_down_max_ms: HOUR, origin_factor: 2 });
    const limits: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      const result = await t.reserve('tee', 5, { principal: `bot-${n}`, origin: 'there' });
      limits.push(result.ok ? 'granted' : limitOf(result).limit);
      await pass(15 * MINUTE);
    }
    expect(limits).toEqual(['granted', 'renewals', 'renewals', 'renewals']);
    await t.granted('tee', 5, { ...other, origin: 'elsewhere' });
  });
});

describe('a read-only ledger', () => {
  test('refuses to reserve, release and submit, whoever calls, and answers questions', async () => {
    await open({});
    const before = await t.granted('tee', 2);
    const readOnly = await t.beside({ settings: { ...t.settings, read_only: true } });
    const { ledger } = readOnly;
    for (const result of [
      await readOnly.reserve('tee', 1),
      await readOnly.release(before.reservation_id),
      await readOnly.submit(before),
    ]) {
      expect(refusalOf(result)).toMatchObject({
        code: 'scope_missing',
        retry: 'never',
        details: { read_only: true },
      });
    }
    expect(answerOf(await ledger.checkStock(['tee'])).items[0]?.available_to_promise).toBe(8);
    await readOnly.close();
    expect((await t.owned(before.reservation_id)).reservation.state).toBe('active');
  });
});

describe('where a caller sells', () => {
  test('stands in the journal and in the lists, and is no part of what an idempotency key stands for', async () => {
    await open({});
    const wish = { channel: 'chat', origin: 'there', idempotency_key: 'a' };
    const { reservation_id } = await t.granted('tee', 1, wish);
    expect((await t.granted('tee', 1, { ...wish, channel: null, origin: 'here' })).replayed).toBe(true);
    const newest = { limit: 5, beforeReservationId: null, isActive: false, isParked: false };
    expect(await t.store.listReservations(newest)).toMatchObject([{ reservation_id, channel: 'chat' }]);
    const { reservation } = await t.owned(reservation_id);
    expect(reservation).toMatchObject({ channel: 'chat', origin: 'there' });
    const [created] = await t.store.timeline(reservation.reservation_key, 5);
    expect(JSON.parse(created?.data ?? '{}')).toMatchObject({ channel: 'chat' });
  });
});

describe('a window of time', () => {
  beforeEach(() => open({}));

  test('holds what is younger than an hour for certain, and nothing older than that and a slot', () => {
    const slot = 1000;
    const slots = [[slot, 4]] as const;
    const ended = (slot + 1) * HOUR_WINDOW.slot_ms - 1;
    expect(sumOf(slots, HOUR_WINDOW, ended + HOUR)).toBe(4);
    expect(sumOf(slots, HOUR_WINDOW, ended + HOUR + 1)).toBe(0);
    expect(roomAt(slots, HOUR_WINDOW, ended, 3)).toBe(ended + HOUR + 1);
    expect(roomAt(slots, HOUR_WINDOW, ended, 4)).toBe(ended);
    expect(sumOf(slots, DAY_WINDOW, slot * DAY_WINDOW.slot_ms + 24 * HOUR)).toBe(4);
  });
});
