/**
 * Stock that is read while the shop carries out a write of ours: the figure may show the write already or not yet, and the
 * checksum must not flutter for it, while nothing more is promised than what is certain.
 */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReserveInput } from '../../../src/ledger/ledger.js';
import type { Step } from '../../../src/ledger/model/outbox-row.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../../src/ledger/order/revalidation.js';
import {
  decideClaim,
  decideDeleted,
  decideNextStep,
  decideOpen,
} from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { decideApplyReport } from '../../../src/ledger/stock/apply-report.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  OTHER_AGENT,
  observations,
  SECOND,
  STORE,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

const CLAIM = { worker: 'worker-1', claim_ms: MINUTE, check_ms: HOUR, resend_max_ms: HOUR };

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

type Reserved = Pick<ReserveAnswer, 'reservation_id'>;

/** The intent is written, and the shop is being asked. */
async function ask({ reservation_id }: Reserved): Promise<Step | undefined> {
  expect(await t.decide(reservation_id, (state) => decideClaim(state, CLAIM))).toBe(true);
  const work = await t.decide(reservation_id, (state) => decideNextStep(state, CLAIM, t.settings, true));
  return work?.step;
}

/** The shop has answered that it holds the units. */
async function opened({ reservation_id }: Reserved, until_ms = t.clock.now() + HOUR): Promise<void> {
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: reservation_id, until_ms }));
}

/** A reservation that the shop is being asked to hold. */
async function beingTaken(quantity: number): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', quantity);
  expect(await ask(reservation)).toBe('create');
  return reservation;
}

/** One that the shop holds until then, and a report has shown it: 6 are left at the shop of 10. */
async function mirrored(until_ms = t.clock.now() + HOUR): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', 4);
  await opened(reservation, until_ms);
  t.time.pass(SECOND);
  await t.levels('tee', { [WAREHOUSE]: 6 });
  expect((await level()).mirrored_units).toBe(4);
  return reservation;
}

const level = async (location = WAREHOUSE) => {
  const found = (await t.item('tee')).levels.find(({ location_id }) => location_id === location);
  if (found === undefined) throw new Error(`no level at ${location}`);
  return found;
};

/** Whether a figure of the warehouse is another state than the one before it. */
async function isChange(available: number, read_at_ms?: number): Promise<boolean> {
  const report = await t.levels('tee', { [WAREHOUSE]: available }, read_at_ms);
  if (!report.applied) throw new Error(report.why);
  return report.changed;
}

describe('a figure that units which the shop is just taking for us explain', () => {
  test('L1, L5: leaves the checksum as it was, and promises only what is certain', async () => {
    const { stock_hash } = await beingTaken(4);
    expect(await isChange(6)).toBe(false);
    expect(await level()).toMatchObject({ held_units: 4, mirrored_units: 0, under_way_units: 4 });
    expect((await t.item('tee')).stock_hash).toBe(stock_hash);
    // Somebody at the till may have taken just as many.
    expect(await t.atp('tee')).toBe(2);
  });

  test('L5: leaves it so when the shop has answered and a report has shown the units', async () => {
    const reservation = await beingTaken(4);
    await isChange(6);
    await opened(reservation);
    t.time.pass(SECOND);
    expect(await isChange(6)).toBe(false);
    expect(await level()).toMatchObject({ held_units: 0, mirrored_units: 4, under_way_units: 0 });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L6: is journaled as what it is: other figures, the same state', async () => {
    await beingTaken(4);
    await isChange(6);
    const { stock_hash } = await t.item('tee');
    expect(t.journal('holds.moved')).toEqual([
      {
        sku: 'tee',
        state_version: 1,
        lifecycle: 'active',
        variant_id: (await t.item('tee')).variant_id,
        stock_hash,
        levels: [[WAREHOUSE, 6, 4, 0, 4]],
      },
    ]);
  });

  test('L6: is journaled when one level of two is another', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    await beingTaken(4);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 6, [STORE]: 5 } });
    expect(t.journal('holds.moved')).toMatchObject([
      {
        levels: [
          [WAREHOUSE, 6, 4, 0, 4],
          [STORE, 5, 0, 0, 0],
        ],
      },
    ]);
  });

  test('L5: is a change again when a later one shows that it was not that', async () => {
    await beingTaken(4);
    expect(await isChange(6)).toBe(false);
    expect(await isChange(5)).toBe(true);
    expect(await level()).toMatchObject({ upstream_available_units: 5, under_way_units: 0 });
  });

  test.each([
    ['the first alone', 6, false],
    ['the second alone', 7, false],
    ['both', 3, false],
    ['none yet', 10, false],
    ['less than the smaller', 8, true],
    ['more than the larger', 5, true],
    ['more than both', 2, true],
    ['units that came in', 14, true],
  ])('L5: may show of two writes %s', async (_, available, changed) => {
    await beingTaken(4);
    await beingTaken(3);
    expect(await isChange(available)).toBe(changed);
    expect((await level()).under_way_units).toBe(changed ? 0 : 10 - available);
  });

  test('L5: may show at a level that did not promise them: a draft takes its units where the shop likes', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    await beingTaken(4);
    expect(await t.levels('tee', { [STORE]: 1 })).toMatchObject({ changed: false });
    expect((await level(STORE)).under_way_units).toBe(4);
    expect(await t.atp('tee')).toBe(7);
    expect(await t.levels('tee', { [STORE]: 0 })).toMatchObject({ changed: true });
    expect((await level(STORE)).under_way_units).toBe(0);
  });

  test('L5: a move of stock explains no change at another level', async () => {
    await t.close();
    t = await TestLedger.open({ settings: { mirror: 'move' } });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    const reservation = await t.granted('tee', 4);
    expect(await ask(reservation)).toBe('take');
    expect(await t.levels('tee', { [STORE]: 1 })).toMatchObject({ changed: true });
    expect((await level(STORE)).under_way_units).toBe(0);
  });

  test('L1: keeps nothing under way at a location that stocks the item no more', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 4, [STORE]: 5 } });
    const reservation = await t.granted('tee', 1, {
      lines: [{ sku: 'tee', quantity: units(4), location_id: WAREHOUSE }],
    });
    expect(await ask(reservation)).toBe('create');
    expect(await t.seed({ sku: 'tee', levels: { [STORE]: 5 } })).toMatchObject({ changed: true });
    expect(await level()).toMatchObject({ sellable_here: false, under_way_units: 0 });
  });

  test('L5: is looked for among up to 64 writes at a level, and no more', async () => {
    const after = (writes: number) => isChangeBeside(Array.from({ length: writes }, () => 1));
    expect([await after(64), await after(65)]).toEqual([false, true]);
  });

  test('L5: is looked for among up to 4,096 different sums, and no more', async () => {
    const after = (writes: number) => isChangeBeside(Array.from({ length: writes }, (_, n) => 2 ** n));
    expect([await after(12), await after(13)]).toEqual([false, true]);
  });

  /** Whether one unit less is another state while writes of so many units are under way. */
  function isChangeBeside(writes: readonly number[]): Promise<boolean> {
    const report = {
      item_id: 'item-tee',
      catalogue: null,
      levels: observations('item-tee', { [WAREHOUSE]: 9 }),
      is_complete: false,
      read_at_ms: t.clock.now(),
      salt: '0'.repeat(32),
    };
    return t.store.read({ item_ids: ['item-tee'] }, (state) => {
      const own = writes.map((one) => ({ units: one, is_exact: false }));
      const under_way = new Map([...state.awaiting.keys()].map((level_key) => [level_key, own]));
      const { result } = decideApplyReport({ ...state, under_way }, report, t.settings);
      return result.applied && result.changed;
    });
  }
});

describe('a figure that was read before the shop answered us, and comes in after', () => {
  test.each([
    ['one millisecond before, with the units taken', -1, 6, false],
    ['one millisecond before, without', -1, 10, false],
    ['one millisecond before, with other units gone', -1, 8, true],
    // A read that began with the answer shows the units for certain: these here are somebody else's.
    ['at that moment, with as many units gone once more', 0, 2, true],
    ['at that moment, with the units taken', 0, 6, false],
  ])('L5: %s', async (_, since, available, changed) => {
    const reservation = await beingTaken(4);
    t.time.pass(SECOND);
    await opened(reservation);
    const read_at = t.clock.now() + since;
    t.time.pass(SECOND);
    expect(await isChange(available, read_at)).toBe(changed);
    expect((await t.owned(reservation.reservation_id)).holds).toMatchObject([
      { state: since < 0 ? 'counted' : 'mirrored' },
    ]);
  });

  test('L5: is a change when the units were sold meanwhile, not mirrored', async () => {
    const reservation = await t.granted('tee', 4);
    answerOf(await t.submit(reservation));
    t.time.pass(SECOND);
    const read_at = t.clock.now() - 1;
    await t.decide(reservation.reservation_id, (state) =>
      decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
    );
    expect(await isChange(6, read_at)).toBe(true);
    expect(await isChange(10, read_at)).toBe(true);
    expect(await isChange(14, read_at)).toBe(true);
  });
});

describe('a figure that units which the shop is just giving back explain', () => {
  test('L3, L5: leaves the checksum as it was, before and after the answer', async () => {
    const reservation = await mirrored();
    await t.release(reservation.reservation_id);
    expect(await ask(reservation)).toBe('delete');
    t.time.pass(SECOND);
    expect(await isChange(10)).toBe(false);
    expect(await level()).toMatchObject({ mirrored_units: 4, under_way_units: -4 });
    await t.decide(reservation.reservation_id, decideDeleted);
    t.time.pass(SECOND);
    expect(await isChange(10)).toBe(false);
    expect(await level()).toMatchObject({ held_units: 0, mirrored_units: 0, under_way_units: 0 });
    expect((await t.owned(reservation.reservation_id)).holds).toEqual([]);
  });

  test('L5: may show units that are being taken beside them as well', async () => {
    const reservation = await mirrored();
    await t.release(reservation.reservation_id);
    await ask(reservation);
    await beingTaken(3);
    t.time.pass(SECOND);
    expect(await isChange(7)).toBe(false);
    expect((await level()).under_way_units).toBe(-1);
    expect(await isChange(8)).toBe(true);
  });

  test.each([
    ['shows them', 10, false],
    ['does not', 6, false],
    ['shows as many units gone', 2, true],
    ['shows more than them', 11, true],
  ])('L5: when it was read just before the answer and %s', async (_, available, changed) => {
    const reservation = await mirrored();
    await t.release(reservation.reservation_id);
    t.time.pass(SECOND);
    const read_at = t.clock.now() - 1;
    await t.decide(reservation.reservation_id, decideDeleted);
    expect(await isChange(available, read_at)).toBe(changed);
    expect((await t.owned(reservation.reservation_id)).holds).toMatchObject([{ state: 'returning' }]);
  });

  test.each([
    ['before that time', -1, true],
    ['at that time', 0, false],
    ['after it', 1, false],
  ])('L5: is none while the shop keeps them until a time, seen %s', async (_, after, changed) => {
    const until = t.clock.now() + HOUR;
    const reservation = await mirrored(until);
    await t.release(reservation.reservation_id);
    t.time.pass(until + after - t.clock.now());
    expect(await isChange(10, until - MINUTE)).toBe(changed);
  });
});

describe('a held order', () => {
  /** On a checksum that was true before the shop sold a unit; the figures below are read later. */
  async function held(more: Partial<ReserveInput> = {}): Promise<ReserveAnswer> {
    const reservation = await t.granted('tee', 5, { principal: OTHER_AGENT, ...more });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    expect(answerOf(await t.submit(reservation, { principal: OTHER_AGENT })).status).toBe('held');
    return reservation;
  }
  const revalidate = ({ reservation_id }: Reserved, sinceMs: number) =>
    t.decide(reservation_id, (state) => decideRevalidate(state, sinceMs));

  test('L5: is not decided while a write of somebody who came first may be what is missing', async () => {
    const first = await t.granted('tee', 4);
    const order = await held();
    await ask(first);
    t.time.pass(SECOND);
    const since = t.clock.now();
    expect(await isChange(5)).toBe(false);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5 } });
    expect(await revalidate(order, since)).toBe('unread');
    expect((await t.owned(order.reservation_id)).order).toMatchObject({ state: 'held' });
    await opened(first);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5 } });
    expect(await revalidate(order, since)).toBe('accepted');
  });

  test('L5: is rejected when one of its SKUs is short for certain, however unclear another is', async () => {
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 3 } });
    const first = await t.granted('tee', 4);
    const lines = [
      { sku: 'tee', quantity: units(5) },
      { sku: 'cap', quantity: units(2) },
    ];
    const order = await held({ lines });
    await ask(first);
    t.time.pass(SECOND);
    const since = t.clock.now();
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5 } });
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 1 } });
    expect(await revalidate(order, since)).toBe('rejected');
    const { order: rejected } = await t.owned(order.reservation_id);
    expect(rejected?.reasons.map(({ sku }) => sku).sort()).toEqual(['cap', 'tee']);
  });
});
