/**
 * Item 4: the fall and the rise of an order that is moved from one place to another are awaited as writes of our own: they raise no
 * promise, doubt no draft, count as no sale, and are no drift, in whatever order the shop shows them.
 */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planRoute } from '../../../src/ledger/model/route.js';
import type { FulfilmentObservation } from '../../../src/ledger/model/values/observation.js';
import { decideOpen } from '../../../src/ledger/outbox/next-step.js';
import { decideRoute, decideRouteSent, type RouteStep } from '../../../src/ledger/outbox/route-steps.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { loadDriver } from '../../../src/store/sqlite/database/load-driver.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { HOUR, MINUTE, SECOND, STORE, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

const LIMITS = { route_within_ms: HOUR, route_look_ms: 10 * MINUTE };
const ITEM = 'item-tee';

let t: TestLedger;
/** Promised by the warehouse, and taken at the store: 10 and 3 are left. */
let mine: ReserveAnswer;
beforeEach(async () => {
  t = await TestLedger.open({ settings: { route_fulfillment: 'promised' } });
  await seen(10, 5);
  mine = await t.granted('tee', 2);
  await t.sold(mine);
  await seen(10, 3);
});
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

/** The shop's figures at the warehouse and the store. */
async function seen(warehouse: number, store: number) {
  t.time.pass(SECOND);
  return t.seed({ sku: 'tee', levels: { [WAREHOUSE]: warehouse, [STORE]: store } });
}

const list = (location_id: string, units = 2): FulfilmentObservation => ({
  fulfilment_ref: '1',
  location_id,
  is_open: true,
  can_move: true,
  lines: [{ line_ref: '7', item_id: ITEM, total_units: units, remaining_units: units }],
});

/** A look at the order that began with the newest report. */
async function look(lists: readonly FulfilmentObservation[], of = mine): Promise<RouteStep['step']> {
  const sinceMs = (await t.item('tee')).read_at_ms;
  const next = await t.decide(
    of.reservation_id,
    (state) => decideRoute(state, { lists, sinceMs }, t.settings, LIMITS),
    { item_ids: [ITEM] },
  );
  return next.step;
}

const answer = (outcome: 'moved' | 'refused' | 'not_sent') =>
  t.decide(mine.reservation_id, (state) => decideRouteSent(state, outcome), { item_ids: [ITEM] });

const route = async (of = mine) => (await t.owned(of.reservation_id)).order?.route;
const open = () => t.rawly((db) => db.prepare('SELECT count(*) FROM routed_units').pluck().get());

describe('an order that is being moved', () => {
  test('L1: from the intent on, the units that it is to take are promised to nobody', async () => {
    expect(await t.atp('tee')).toBe(13);
    expect(await look([list(STORE)])).toBe('send');
    expect(await t.atp('tee')).toBe(11);
    await answer('moved');
    expect(await t.atp('tee')).toBe(11);
    await seen(8, 5);
    expect(await t.atp('tee')).toBe(13);
    expect(open()).toBe(0);
    expect(await route()).toMatchObject({ state: 'moved' });
  });

  test.each([
    ['the rise first', { [STORE]: 5 }, { [WAREHOUSE]: 8 }],
    ['the fall first', { [WAREHOUSE]: 8 }, { [STORE]: 5 }],
  ] as const)(
    'L1, L5: shown level by level, %s: no state of its own, no sale, nothing raised',
    async (_, one, other) => {
      await look([list(STORE)]);
      const { stock_hash, velocity } = await t.item('tee');
      for (const figures of [one, other]) {
        t.time.pass(SECOND);
        expect(await t.levels('tee', figures)).toMatchObject({ changed: false });
        expect(await t.atp('tee')).toBeLessThanOrEqual(13);
      }
      expect(await t.item('tee')).toMatchObject({ stock_hash, velocity });
      await answer('moved');
      expect(await seen(8, 5)).toMatchObject({ changed: true });
      expect((await t.item('tee')).velocity).toEqual(velocity);
      expect(await t.atp('tee')).toBe(13);
    },
  );

  test('the rise doubts no draft of somebody else', async () => {
    const other = await t.granted('tee', 1, { principal: 'another' });
    const until_ms = t.clock.now() + HOUR;
    await t.decide(other.reservation_id, (state) => decideOpen(state, { hold_ref: 'd', until_ms }));
    await seen(10, 2);
    await look([list(STORE)]);
    await answer('moved');
    // Only one of the two levels is shown.
    t.time.pass(SECOND);
    await t.levels('tee', { [STORE]: 4 });
    expect((await t.owned(other.reservation_id)).holds).toMatchObject([{ state: 'mirrored', place: 'seen' }]);
    await seen(8, 4);
    expect((await t.owned(other.reservation_id)).holds).toMatchObject([{ state: 'mirrored', place: 'seen' }]);
    expect(await t.atp('tee')).toBe(12);
  });

  test('a draft that falls at the same time is still told apart, to the unit', async () => {
    await look([list(STORE)]);
    await answer('moved');
    const other = await t.granted('tee', 1, { principal: 'another' });
    const until_ms = t.clock.now() + HOUR;
    await t.decide(other.reservation_id, (state) => decideOpen(state, { hold_ref: 'd', until_ms }));
    await seen(8, 4);
    const { levels } = await t.item('tee');
    expect((await t.owned(other.reservation_id)).holds).toMatchObject([
      { state: 'mirrored', place: 'seen', level_key: levels[1]?.level_key },
    ]);
    expect(await t.atp('tee')).toBe(12);
  });

  test('is no drift to a full read that comes upon it', async () => {
    await look([list(STORE)]);
    t.time.pass(SECOND);
    const report = await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 8, [STORE]: 5 } });
    const causes = report.applied ? (report.found?.levels ?? []).map(({ cause }) => cause) : [];
    expect(causes).toEqual(['own_write', 'own_write']);
  });

  test.each(['refused', 'not_sent'] as const)(
    'L1: what was %s is promised again at once',
    async (outcome) => {
      await look([list(STORE)]);
      await answer(outcome);
      expect(await t.atp('tee')).toBe(13);
      expect(open()).toBe(0);
      expect(await route()).toMatchObject(
        outcome === 'refused' ? { state: 'not_moved', why: 'refused' } : { state: 'wanted', moves: [] },
      );
    },
  );

  test('L4: is asked for once: an intent without an answer is only looked at', async () => {
    expect(await look([list(STORE)])).toBe('send');
    expect(await look([list(STORE)])).toBe('later');
    t.time.pass(10 * MINUTE);
    expect(await look([list(STORE)])).toBe('over');
    expect(await route()).toMatchObject({ state: 'not_moved', why: 'not_seen' });
    expect(open()).toBe(0);
  });

  test('one that a person moved back is left there', async () => {
    await look([list(STORE)]);
    await t.decide(
      mine.reservation_id,
      (state) => {
        const order = state.owned?.order;
        if (order?.route == null) throw new Error('no order');
        // As where another move was to follow.
        const moves = order.route.moves.map((move) => ({ ...move, is_last: false }));
        return { result: undefined, changes: { order: { ...order, route: { ...order.route, moves } } } };
      },
      { item_ids: [ITEM] },
    );
    await answer('moved');
    await seen(8, 5);
    expect(await route()).toMatchObject({ state: 'wanted' });
    await seen(10, 3);
    expect(await look([list(STORE)])).toBe('over');
    expect(await route()).toMatchObject({ state: 'not_moved', why: 'refused' });
  });
});

describe('two orders that one place has promised, and has units for one of them', () => {
  let other: ReserveAnswer;
  beforeEach(async () => {
    other = await t.granted('tee', 2);
    await t.sold(other);
    await seen(3, 1);
  });

  test('L1: the second is not moved on the figure that the first has taken its units of', async () => {
    expect(await look([list(STORE)])).toBe('send');
    expect(await look([list(STORE)], other)).toBe('later');
    await answer('moved');
    expect(await look([list(STORE)], other)).toBe('later');
    await seen(1, 3);
    expect(await look([list(STORE)], other)).toBe('over');
    expect(await route(other)).toMatchObject({ state: 'not_moved', why: 'short', moves: [] });
  });

  test('the second is moved when the shop has refused the first', async () => {
    expect(await look([list(STORE)])).toBe('send');
    expect(await look([list(STORE)], other)).toBe('later');
    await answer('refused');
    expect(await look([list(STORE)], other)).toBe('send');
  });

  test('both are moved where there are units for both', async () => {
    await seen(4, 1);
    expect(await look([list(STORE)])).toBe('send');
    expect(await look([list(STORE)], other)).toBe('send');
  });
});

describe('verify', () => {
  test.each([
    ['another state', "UPDATE orders SET route_state = 'not_moved'"],
    ['another reason', "UPDATE orders SET route_detail = json_set(route_detail, '$.why', 'short')"],
    [
      'a move that was asked for twice',
      "UPDATE orders SET route_detail = json_set(route_detail, '$.moves[1]', json(route_detail -> '$.moves[0]'))",
    ],
    ['nothing that can be read', "UPDATE orders SET route_detail = 'no'"],
    ['units that are moved for nobody', 'UPDATE routed_units SET awaits_after_ms = NULL'],
  ])('finds %s', async (_, sql) => {
    await look([list(STORE)]);
    await answer('moved');
    const copy = `${t.path}.copy`;
    t.rawly((db) => db.exec(`VACUUM INTO '${copy}'`));
    expect(verifyLedgerFile(copy).problems).toEqual([]);
    const Driver = loadDriver();
    const db = new Driver(copy);
    db.exec(sql);
    db.close();
    expect(verifyLedgerFile(copy).problems).toMatchObject([{ invariant: 'L6' }]);
  });
});

describe('the plan', () => {
  const promised = [{ item_id: ITEM, location_id: WAREHOUSE, units: 2 }];
  const fee = { line_ref: '9', item_id: 'item-fee', total_units: 1, remaining_units: 1 };
  test.each([
    ['nothing is shown yet', [], { next: 'wait' }],
    ['only a part is shown yet', [list(STORE, 1)], { next: 'wait' }],
    ['all of it is closed', [{ ...list(STORE), is_open: false }], { next: 'end', why: 'closed' }],
    ['more is ordered than was promised', [list(STORE, 3)], { next: 'end', why: 'changed_at_shop' }],
    ['it can not be moved', [{ ...list(STORE), can_move: false }], { next: 'end', why: 'not_offered' }],
    ['it is in place, and could not be moved', [{ ...list(WAREHOUSE), can_move: false }], { next: 'none' }],
    ['all of a list goes', [list(STORE)], { next: 'move', move: { is_whole: true, is_last: true } }],
    [
      'a line of others stays where it is',
      [{ ...list(STORE), lines: [...list(STORE).lines, fee] }],
      { next: 'move', move: { is_whole: false, is_last: true, lines: [{ line_ref: '7', units: 2 }] } },
    ],
    [
      'part of it is in place',
      [list(WAREHOUSE, 1), { ...list(STORE, 1), fulfilment_ref: '2' }],
      { next: 'move', move: { fulfilment_ref: '2', items: [{ item_id: ITEM, units: 1 }], is_last: true } },
    ],
  ] as const)('when %s', (_, lists, expected) => {
    expect(planRoute(promised, lists)).toMatchObject(expected);
  });

  test('an order that the shop does not show is waited for', () => {
    expect(planRoute(promised, null)).toEqual({ next: 'wait' });
  });
});
