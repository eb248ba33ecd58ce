/** What a call does around its decision: reads the shop again, wakes the worker, waits for the last word, and stays quiet. */

import { afterEach, describe, expect, test } from 'vitest';
import { decideOffered } from '../../src/ledger/order/checkout-link.js';
import { decideFailed, decidePlaced } from '../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../src/ledger/order/revalidation.js';
import { decideLater } from '../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../src/ledger/outbox/transfer-steps.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type { ShopSearcher } from '../../src/ledger/state/state.js';
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
  type TestLedgerOptions,
  units,
  WAREHOUSE,
} from '../helpers/ledger.js';

let t: TestLedger;
/** SKUs that were asked of the shop, a call each. */
let asked: (readonly string[])[];
let isReachable: boolean;
afterEach(() => t.close());

/** A shop that has 10 of whatever is asked for, and whose first full read is through unless said otherwise. */
async function open(options: TestLedgerOptions = {}, baseline_at_ms: number | null = 1): Promise<void> {
  asked = [];
  isReachable = true;
  t = await TestLedger.open({
    freshener: {
      freshen: async (skus) => {
        asked.push(skus);
        if (!isReachable) return false;
        for (const sku of skus) await t.seed({ sku });
        return true;
      },
    },
    ...options,
  });
  await t.store.putSync({ baseline_at_ms, confirmed_at_ms: t.clock.now(), cursor: null });
  await t.seed({ sku: 'tee' });
  await t.seed({ sku: 'cap' });
}

/** Older than it may be to promise anything. */
const age = () => t.time.pass(3 * MINUTE);
const lines = ['tee', 'cap'].map((sku) => ({ sku, quantity: units(2) }));

describe('what is too old is read again', () => {
  test('when it is asked about, and what is fresh is not', async () => {
    await open();
    answerOf(await t.ledger.checkStock(['tee', 'cap']));
    expect(asked).toEqual([]);
    age();
    await t.seed({ sku: 'cap' });
    const { items } = answerOf(await t.ledger.checkStock(['tee', 'cap']));
    expect(asked).toEqual([['tee']]);
    expect(items.map(({ fresh }) => fresh)).toEqual([true, true]);
  });

  test('of a reservation that is asked about, and what is fresh of it is not', async () => {
    await open();
    const { reservation_id } = await t.granted('tee', 1, { lines });
    answerOf(await t.ledger.checkReservation(AGENT, reservation_id));
    expect(asked).toEqual([]);
    age();
    await t.seed({ sku: 'cap' });
    const { items } = answerOf(await t.ledger.checkReservation(AGENT, reservation_id));
    expect(asked).toEqual([['tee']]);
    expect(items.map(({ fresh }) => fresh)).toEqual([true, true]);
  });

  test('L5: before an order is judged', async () => {
    await open();
    const mine = await t.granted('tee', 1, { lines });
    age();
    expect(answerOf(await t.submit(mine)).status).toBe('accepted');
    expect(asked.flat().sort()).toEqual(['cap', 'tee']);
  });

  test('L1: before units of it are granted, once the first full read is through', async () => {
    await open();
    age();
    expect((await t.reserve('tee', 2)).ok).toBe(true);
    expect(asked).toEqual([['tee']]);
  });

  test('not for somebody else, whose reservation it is not', async () => {
    await open();
    const mine = await t.granted('tee', 1);
    age();
    refusalOf(await t.ledger.checkReservation(OTHER_AGENT, mine.reservation_id));
    refusalOf(await t.submit(mine, { principal: OTHER_AGENT }));
    expect(asked).toEqual([]);
  });

  test('not for a reservation that is over', async () => {
    await open();
    const mine = await t.granted('tee', 1);
    await t.release(mine.reservation_id);
    age();
    expect(refusalOf(await t.submit(mine)).code).toBe('reservation_already_released');
    expect(asked).toEqual([]);
  });

  test('not for a wish that would be refused all the same', async () => {
    await open();
    await t.seed({ sku: 'gone', lifecycle: 'discontinued' });
    age();
    expect(refusalOf(await t.reserve('gone', 1)).code).toBe('item_discontinued');
    await t.seed({ sku: 'tee' });
    expect(refusalOf(await t.reserve('tee', 99)).code).toBe('stock_insufficient');
    expect(asked).toEqual([]);
  });
});

describe('a SKU that the ledger does not know', () => {
  test('is asked of the shop while the first full read runs, and can be granted', async () => {
    await open({}, null);
    const { items } = answerOf(await t.ledger.checkStock(['hat']));
    expect(items).toMatchObject([{ sku: 'hat', available_to_promise: 10 }]);
    expect((await t.granted('mug', 3)).lines).toMatchObject([{ sku: 'mug', reserved: 3 }]);
    expect(asked).toEqual([['hat'], ['mug']]);
  });

  test('is unknown once that is through: nobody makes the shop search for made-up names', async () => {
    await open();
    expect(answerOf(await t.ledger.checkStock(['hat'])).unknown_skus).toEqual(['hat']);
    expect(refusalOf(await t.reserve('hat', 1)).code).toBe('sku_unknown');
    expect(asked).toEqual([]);
  });
});

describe('a SKU that the ledger does not know, and the shop can not be asked for', () => {
  test('is not said to be unknown: a look-up that failed proves nothing', async () => {
    await open({}, null);
    isReachable = false;
    for (const answer of [await t.ledger.checkStock(['hat']), await t.reserve('hat', 1)]) {
      expect(refusalOf(answer)).toMatchObject({
        code: 'upstream_unavailable',
        retry: 'later',
        retry_after_seconds: 15,
        details: { skus: ['hat'] },
      });
    }
  });

  test('nor when no heartbeat has come through for longer than a new item would take', async () => {
    await open();
    isReachable = false;
    age();
    expect(refusalOf(await t.ledger.checkStock(['hat'])).code).toBe('upstream_unavailable');
    isReachable = true;
    expect(answerOf(await t.ledger.checkStock(['hat'])).items).toMatchObject([{ sku: 'hat' }]);
  });
});

describe('the worker is woken', () => {
  /** How often while this was done. */
  const woken = async (act: () => Promise<unknown>): Promise<number> => {
    const before = t.nudges;
    await act();
    return t.nudges - before;
  };
  const stale = async (): Promise<{ order_id: string; reservation_id: string }> => {
    const mine = await t.granted('tee', 1);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const answer = answerOf(await t.submit(mine));
    expect(answer.status).toBe('held');
    await t.seed({ sku: 'tee' });
    return answer;
  };

  test('when units are granted, and not when the grant is told again or refused', async () => {
    await open();
    const key = { idempotency_key: 'k' };
    expect(await woken(() => t.reserve('tee', 1, key))).toBe(1);
    expect(await woken(() => t.reserve('tee', 1, key))).toBe(0);
    expect(await woken(() => t.reserve('tee', 99))).toBe(0);
  });

  test('when units are released, and not the second time or for a stranger', async () => {
    await open();
    const { reservation_id } = await t.granted('tee', 1);
    expect(await woken(() => t.release(reservation_id, OTHER_AGENT))).toBe(0);
    expect(await woken(() => t.release(reservation_id))).toBe(1);
    expect(await woken(() => t.release(reservation_id))).toBe(0);
  });

  test('when an order is submitted, and not when it is told again or refused', async () => {
    await open();
    const mine = await t.granted('tee', 1);
    const key = { idempotency_key: 'k' };
    expect(await woken(() => t.submit(mine, key))).toBe(1);
    expect(await woken(() => t.submit(mine, key))).toBe(0);
    expect(await woken(() => t.submit(mine))).toBe(0);
  });

  test("by a person's word on a held order, and not when there is nothing to decide", async () => {
    await open();
    const { order_id } = await stale();
    expect(await woken(() => t.ledger.decideHeld('ord_none', 'approve', 'ada'))).toBe(0);
    expect(await woken(() => t.ledger.decideHeld(order_id, 'reject', 'ada'))).toBe(1);
    expect(await woken(() => t.ledger.decideHeld(order_id, 'reject', 'ada'))).toBe(0);
  });

  test("by a person's word that what was given up may be tried again, and not when nothing was", async () => {
    await open();
    const mine = await t.granted('tee', 1);
    const { order_id } = answerOf(await t.submit(mine));
    const { reservation_id } = mine;
    const giveUp = () =>
      t.decide(reservation_id, (state) =>
        decideLater(state, { delay_ms: 1, attempts_max: 1, failure: 'no' }),
      );
    expect(await woken(() => t.ledger.retryParked(order_id, 'ada'))).toBe(0);
    expect(await woken(() => t.ledger.retryParkedReservation(reservation_id, 'ada'))).toBe(0);
    await giveUp();
    expect(await woken(() => t.ledger.retryParked(order_id, 'ada'))).toBe(1);
    await giveUp();
    expect(await woken(() => t.ledger.retryParkedReservation(reservation_id, 'ada'))).toBe(1);
  });
});

describe('a submit that waits', () => {
  const WAIT_MS = 2 * SECOND;
  const placed = { order_ref: 'o1', order_name: '#1' };
  let mine: ReserveAnswer;
  /** What happens after the first look, and how long the call then took. */
  async function submitted(
    settings: TestLedgerOptions['settings'],
    { is_stale, first }: { is_stale: boolean; first: () => Promise<unknown> },
  ) {
    let isDone = false;
    const meanwhile = async () => {
      if (!isDone) await first();
      isDone = true;
    };
    await open({ settings: { submit_wait_ms: WAIT_MS, ...settings }, meanwhile });
    mine = await t.granted('tee', 4);
    t.time.pass(SECOND);
    if (is_stale) await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const began = t.clock.now();
    const answer = answerOf(await t.submit(mine));
    return { ...answer, waited_ms: t.clock.now() - began };
  }
  const revalidated = () => t.decide(mine.reservation_id, (state) => decideRevalidate(state, 0));
  const offered = (checkout_url: string) => () =>
    t.decide(mine.reservation_id, (state) =>
      decideOffered(
        state,
        { hold_ref: 'd', until_ms: state.now_ms + 2 * HOUR, checkout_url },
        state.now_ms + HOUR,
      ),
    );
  const nothing = async () => {};

  test('L5: answers as soon as a held order is decided', async () => {
    expect(await submitted({}, { is_stale: true, first: revalidated })).toMatchObject({
      status: 'accepted',
      hash_verdict: 'stale',
      reasons: [],
      replayed: false,
      waited_ms: 20,
    });
  });

  test('answers at once when the order is accepted and the server will place it', async () => {
    expect(await submitted({}, { is_stale: false, first: nothing })).toMatchObject({
      status: 'accepted',
      waited_ms: 0,
    });
  });

  test('answers at once when a person decides about held orders', async () => {
    expect(await submitted({ stale_hash: 'hold' }, { is_stale: true, first: nothing })).toMatchObject({
      status: 'held',
      waited_ms: 0,
    });
  });

  test('answers as soon as there is a link where the buyer pays, and with it', async () => {
    const checkout_url = 'https://shop.example/pay/1';
    const first = offered(checkout_url);
    const answer = await submitted({ order_mode: 'checkout_link' }, { is_stale: false, first });
    expect(answer).toMatchObject({ status: 'accepted', waited_ms: 20 });
    expect(answer.upstream).toStrictEqual({ checkout_url });
  });

  test('waits for the link, too, when the order was held first, and no longer than it may', async () => {
    const answer = await submitted({ order_mode: 'checkout_link' }, { is_stale: true, first: revalidated });
    expect(answer).toMatchObject({ status: 'accepted', waited_ms: WAIT_MS });
    expect('upstream' in answer).toBe(false);
  });

  test('answers as soon as the order has failed, link or not', async () => {
    const failed = () =>
      t.decide(mine.reservation_id, (state) =>
        decideFailed(state, { code: 'shop_refused', detail: 'The shop said no.' }),
      );
    const answer = await submitted({ order_mode: 'checkout_link' }, { is_stale: false, first: failed });
    expect(answer).toMatchObject({ status: 'rejected', waited_ms: 20 });
  });

  test('answers as soon as the order is placed', async () => {
    const first = () => t.decide(mine.reservation_id, (state) => decidePlaced(state, placed));
    const answer = await submitted({ order_mode: 'checkout_link' }, { is_stale: false, first });
    expect(answer).toMatchObject({ status: 'placed', waited_ms: 20 });
    expect(answer.upstream).toStrictEqual({ order_name: '#1', order_id: 'o1' });
  });
});

describe('an order that is asked about', () => {
  test('is none while nothing was submitted', async () => {
    await open();
    const { reservation_id } = await t.granted('tee', 1);
    expect(refusalOf(await t.ledger.getOrder(AGENT, { reservation_id })).code).toBe('order_unknown');
  });

  test('has the lines that were granted something, and the time when the shop had it', async () => {
    await open();
    const wishes = [
      { sku: 'tee', quantity: units(10) },
      { sku: 'tee', quantity: units(5) },
      { sku: 'cap', quantity: units(2) },
    ];
    const mine = await t.granted('tee', 1, { lines: wishes, allow_partial: true });
    const { order_id } = answerOf(await t.submit(mine));
    const before = answerOf(await t.ledger.getOrder(AGENT, { order_id }));
    expect(before.lines).toEqual([
      { sku: 'tee', quantity: 10 },
      { sku: 'cap', quantity: 2 },
    ]);
    expect(before.submitted_at).toBe('2026-11-23T12:00:00.000Z');
    expect('placed_at' in before || 'upstream' in before).toBe(false);
    t.time.pass(SECOND);
    await t.decide(mine.reservation_id, (state) =>
      decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
    );
    const after = answerOf(await t.ledger.getOrder(AGENT, { order_id }));
    expect(after).toMatchObject({ status: 'placed', placed_at: '2026-11-23T12:00:01.000Z' });
    for (const name of ['#1', '1']) {
      expect(answerOf(await t.ledger.getOrder(AGENT, { order_id: name }))).toEqual(after);
      expect(refusalOf(await t.ledger.getOrder(OTHER_AGENT, { order_id: name })).code).toBe('order_unknown');
    }
    expect(after.upstream).toStrictEqual({ order_name: '#1', order_id: 'o1' });
  });
});

test('items are found by words of their title', async () => {
  await open();
  await t.seed({ sku: 'mug', title: 'Enamel mug', variant_title: 'Blue' });
  expect(answerOf(await t.ledger.findItems({ principal: AGENT, query: 'enamel', limit: 5 }))).toEqual({
    items: [{ sku: 'mug', title: 'Enamel mug', variant: 'Blue' }],
    catalogue: 'complete',
  });
});

describe('items that are looked for before the first full read is through', () => {
  const find = (query = 'enamel') => t.ledger.findItems({ principal: AGENT, query, limit: 5 });
  const MUG = { sku: 'mug', title: 'Enamel mug' } as const;

  test('are found as far as they are there, and it is said that not all are', async () => {
    await open({}, null);
    await t.seed(MUG);
    expect(answerOf(await find())).toMatchObject({ items: [{ sku: 'mug' }], catalogue: 'loading' });
  });

  test('are waited for', async () => {
    let waits = 0;
    const meanwhile = async (): Promise<void> => {
      waits += 1;
      if (waits !== 2) return;
      await t.seed(MUG);
      await t.readWhole();
    };
    await open({ meanwhile }, null);
    expect(answerOf(await find())).toMatchObject({ items: [{ sku: 'mug' }], catalogue: 'complete' });
    expect(answerOf(await find('nothing like it'))).toMatchObject({ items: [], catalogue: 'complete' });
  });

  test('are not said to be nothing when that takes too long', async () => {
    await open({}, null);
    const before = t.clock.now();
    expect(refusalOf(await find())).toMatchObject({
      code: 'upstream_unavailable',
      retry: 'later',
      details: { catalogue: 'loading' },
    });
    expect(t.clock.now() - before).toBeGreaterThanOrEqual(t.settings.freshen_wait_ms / 2);
  });

  test('are looked for at the shop itself, and what that does not find is no last word', async () => {
    const wishes: unknown[] = [];
    const searcher: ShopSearcher = {
      search: async (wanted, deadlineMs) => {
        wishes.push([wanted, deadlineMs]);
        return wanted.query === 'enamel' ? [{ sku: 'mug', title: 'Enamel mug', variant: '' }] : [];
      },
    };
    await open({ searcher }, null);
    expect(answerOf(await find())).toEqual({
      items: [{ sku: 'mug', title: 'Enamel mug', variant: '' }],
      catalogue: 'loading',
    });
    const nothing = answerOf(await find('nothing like it'));
    expect(nothing).toMatchObject({ items: [], catalogue: 'loading' });
    expect(nothing.hint).toContain('again shortly');
    expect(wishes).toEqual([
      [{ query: 'enamel', limit: 5 }, t.settings.freshen_wait_ms / 2],
      [{ query: 'nothing like it', limit: 5 }, t.settings.freshen_wait_ms / 2],
    ]);
  });
});

test('whoever is refused by a quota is counted, and nobody who is refused for something else', async () => {
  await open({ settings: { quotas: { ...NO_QUOTAS, live_reservations: 1 } } });
  await t.granted('tee', 1);
  expect(refusalOf(await t.reserve('hat', 1, { principal: OTHER_AGENT })).code).toBe('sku_unknown');
  expect(t.quotaAlarms).toEqual([]);
  expect(refusalOf(await t.reserve('tee', 1)).code).toBe('quota_exceeded');
  expect(t.quotaAlarms).toEqual([['live_reservations', AGENT]]);
});

test('a server that only answers questions says so to whoever wants to change something', async () => {
  await open();
  const mine = await t.granted('tee', 1);
  const reader = await t.beside({ settings: { read_only: true } });
  const wishes = [
    await reader.reserve('tee', 1),
    await reader.submit(mine),
    await reader.release(mine.reservation_id),
  ];
  for (const wish of wishes) {
    expect(refusalOf(wish)).toMatchObject({
      code: 'scope_missing',
      message: expect.stringContaining('read-only'),
      details: { read_only: true },
    });
  }
  expect(answerOf(await reader.ledger.checkStock(['tee'])).items).toMatchObject([
    { available_to_promise: 9 },
  ]);
  await reader.close();
  expect((await t.owned(mine.reservation_id)).reservation.state).toBe('active');
});

test('L4: an order of units that were moved at the shop is placed by the server, whatever is set since', async () => {
  await open({ settings: { mirror: 'move', order_mode: 'checkout_link' } });
  const mine = await t.granted('tee', 4);
  await t.decide(mine.reservation_id, decideTaken);
  answerOf(await t.submit(mine));
  expect((await t.owned(mine.reservation_id)).order).toMatchObject({ order_mode: 'complete' });
});
