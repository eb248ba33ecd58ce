/** Whether fresh stock covers what was promised, and whether the shop has sold units of ours to somebody else. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideRevalidate, isCovered } from '../../../src/ledger/order/revalidation.js';
import { decideOpen } from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import {
  answerOf,
  HOUR,
  OTHER_AGENT,
  SECOND,
  STORE,
  TEST_LOCATIONS,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

/** A third place, which is closed in some stories. */
const ATTIC = 'loc-3';
const LOCATIONS = [
  ...TEST_LOCATIONS,
  { location_id: ATTIC, name: 'Attic', position: 2, active: true },
] as const;
const without = (closed: string) => LOCATIONS.map((row) => ({ ...row, active: row.location_id !== closed }));

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open({ locations: LOCATIONS });
});
afterEach(() => t.close());

type Levels = Readonly<Record<string, number>>;

const line = (sku: string, quantity: number, location_id?: string) => ({
  sku,
  quantity: units(quantity),
  ...(location_id === undefined ? {} : { location_id }),
});

async function seen(levels: Levels, sku = 'tee'): Promise<void> {
  t.time.pass(SECOND);
  await t.seed({ sku, levels });
}

async function open({ reservation_id }: ReserveAnswer): Promise<void> {
  const until_ms = t.clock.now() + HOUR;
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: reservation_id, until_ms }));
}

describe('units that a draft order takes are covered by the item as a whole', () => {
  const covered = ({ reservation_id }: ReserveAnswer): Promise<boolean> =>
    t.decide(reservation_id, (state) => {
      const { owned } = state;
      if (owned === null) throw new Error('no reservation');
      return { result: state.owned_items.every((item) => isCovered(state, item, owned)) };
    });

  test.each<[string, boolean, string[], Levels]>([
    ['its only level has as many', true, [WAREHOUSE], { [WAREHOUSE]: 4 }],
    ['its only level has one less', false, [WAREHOUSE], { [WAREHOUSE]: 3 }],
    ['its level is below zero, and the shop has enough', true, [WAREHOUSE], { [WAREHOUSE]: -1, [STORE]: 9 }],
    ['another level is below zero, and the shop has enough', true, [STORE], { [WAREHOUSE]: -5, [STORE]: 9 }],
    ['another level is below zero, and the shop is short', false, [STORE], { [WAREHOUSE]: -6, [STORE]: 9 }],
    ['its level is empty, and another has all', true, [WAREHOUSE], { [WAREHOUSE]: 0, [STORE]: 4 }],
    ['of two levels one is below zero', true, [WAREHOUSE, STORE], { [WAREHOUSE]: -2, [STORE]: 10 }],
    ['of two levels one is too far below', false, [WAREHOUSE, STORE], { [WAREHOUSE]: -2, [STORE]: 9 }],
  ])('L5: when %s: %s', async (_, is, at, levels) => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 10 } });
    const lines = at.map((location) => line('tee', 4, location));
    const mine = await t.granted('tee', 1, { lines });
    await seen(levels);
    expect(await covered(mine)).toBe(is);
  });

  test('L5: the oldest first: later ones lose them, the first does not', async () => {
    await t.seed({ sku: 'tee' });
    const first = await t.granted('tee', 4);
    const later = await t.granted('tee', 6, { principal: OTHER_AGENT });
    await open(first);
    await open(later);
    await seen({ [WAREHOUSE]: -2 });
    expect([await covered(first), await covered(later)]).toEqual([true, false]);
  });

  test('L5: one SKU of a basket that is short is enough', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 10 } });
    await t.seed({ sku: 'cap' });
    const mine = await t.granted('tee', 1, { lines: [line('tee', 4, WAREHOUSE), line('cap', 2)] });
    expect(await covered(mine)).toBe(true);
    await seen({ [WAREHOUSE]: -6, [STORE]: 9 });
    expect(await covered(mine)).toBe(false);
  });

  test('L5: a closed location covers nothing, and what it lacks is missing nowhere', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 10, [ATTIC]: 0 } });
    const mine = await t.granted('tee', 4, { lines: [line('tee', 4, STORE)] });
    await seen({ [WAREHOUSE]: -3, [STORE]: 9, [ATTIC]: -20 });
    expect(await covered(mine)).toBe(false);
    // Closed from the moment that the shop says so, and after the next report.
    await t.store.putLocations(without(ATTIC));
    expect(await covered(mine)).toBe(true);
    await seen({ [WAREHOUSE]: -3, [STORE]: 9, [ATTIC]: -20 });
    expect(await covered(mine)).toBe(true);
    await t.store.putLocations(without(STORE));
    expect(await covered(mine)).toBe(false);
  });

  test('L5: what the shop itself goes on selling below zero is never short', async () => {
    await t.seed({ sku: 'tee', inventory_policy: 'continue' });
    const mine = await t.granted('tee', 4);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', inventory_policy: 'continue', levels: { [WAREHOUSE]: -9 } });
    expect(await covered(mine)).toBe(true);
    await seen({ [WAREHOUSE]: -9 });
    expect(await covered(mine)).toBe(false);
  });
});

describe('a held order', () => {
  const SOLD_ELSEWHERE = {
    code: 'stock_insufficient',
    sku: 'cap',
    detail:
      'The shop has sold units elsewhere since they were reserved, and those left do not cover this order.',
  };

  /** A basket of both, on a checksum that was true before the shop sold a shirt. */
  async function held(): Promise<ReserveAnswer> {
    await t.seed({ sku: 'tee' });
    await t.seed({ sku: 'cap' });
    const mine = await t.granted('tee', 1, { lines: [line('tee', 4), line('cap', 2)] });
    await seen({ [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    return mine;
  }

  async function revalidate({ reservation_id }: ReserveAnswer, sinceMs = t.clock.now()) {
    const verdict = await t.decide(reservation_id, (state) => decideRevalidate(state, sinceMs));
    return { verdict, ...(await t.owned(reservation_id)) };
  }

  test('L5: is not decided while one of its SKUs has not been read again', async () => {
    const mine = await held();
    t.time.pass(SECOND);
    const since = t.clock.now();
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    expect((await revalidate(mine, since)).verdict).toBe('unread');
    await t.seed({ sku: 'cap' });
    expect((await revalidate(mine, since)).verdict).toBe('accepted');
  });

  test('L5: is not decided on a figure of one location that lost to a newer one', async () => {
    await t.seed({
      sku: 'tee',
      levels: { [WAREHOUSE]: 9, [STORE]: { available_units: 5, upstream_updated_at_ms: 2000 } },
    });
    const mine = await t.granted('tee', 4);
    const at = (available_units: number, upstream_updated_at_ms: number) => ({
      [WAREHOUSE]: 8,
      [STORE]: { available_units, upstream_updated_at_ms },
    });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: at(5, 2000) });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: at(7, 1000) });
    expect((await revalidate(mine)).verdict).toBe('unread');
    await t.seed({ sku: 'tee', levels: at(7, 3000) });
    expect((await revalidate(mine)).verdict).toBe('accepted');
  });

  test('L5: is rejected for the one SKU that is short, and the other is free again too', async () => {
    const mine = await held();
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 1 } });
    const { verdict, order, holds } = await revalidate(mine, 0);
    expect(verdict).toBe('rejected');
    expect(order?.reasons).toEqual([SOLD_ELSEWHERE]);
    expect(holds).toEqual([]);
    expect(await t.atp('tee')).toBe(9);
  });

  test('L5: is rejected with a word for each SKU that is not sold any more', async () => {
    const mine = await held();
    await t.seed({ sku: 'cap', lifecycle: 'unlisted' });
    const { verdict, order } = await revalidate(mine, 0);
    expect(verdict).toBe('rejected');
    expect(order?.reasons).toEqual([
      { code: 'item_discontinued', sku: 'cap', detail: 'The item is not for sale any more.' },
    ]);
  });

  test('L4: that is accepted is due at the shop at once, and its row is the same as before', async () => {
    const mine = await held();
    const { outbox: before } = await t.owned(mine.reservation_id);
    t.time.pass(SECOND);
    const { verdict, outbox, order } = await revalidate(mine, 0);
    expect(verdict).toBe('accepted');
    expect(outbox).toEqual({ ...before, due_at_ms: t.clock.now(), attempts: 0 });
    expect(order).toMatchObject({ decided_at_ms: t.clock.now(), reasons: [] });
  });

  test('L5: is rejected when the location of its units is closed, before any report says more', async () => {
    const mine = await held();
    await t.store.putLocations(without(WAREHOUSE));
    expect((await revalidate(mine, 0)).verdict).toBe('rejected');
  });

  test('L5: is accepted when the shop stocks the item there no more, and another place has the units', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    const mine = await t.granted('tee', 4, { lines: [line('tee', 4, WAREHOUSE)] });
    await seen({ [STORE]: 5 });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    expect((await revalidate(mine)).verdict).toBe('accepted');
  });

  test('L5: is rejected when the units that the shop held were at a place that stocks it no more', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 1 } });
    const mine = await t.granted('tee', 4, { lines: [line('tee', 4, WAREHOUSE)] });
    await open(mine);
    await seen({ [WAREHOUSE]: 6, [STORE]: 1 });
    await seen({ [STORE]: 1 });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    expect((await revalidate(mine)).verdict).toBe('rejected');
  });
});

test('L5: to judge whether units are there without knowing who came first is a bug, not a sale', async () => {
  await t.seed({ sku: 'tee' });
  const { reservation_id } = await t.granted('tee', 4);
  const judging = t.store.transact({ owned: { reservation_id } }, (state) => {
    const { owned, owned_items } = state;
    return { result: owned_items.map((item) => owned !== null && isCovered(state, item, owned)) };
  });
  await expect(judging).rejects.toThrow('units before this order');
});
