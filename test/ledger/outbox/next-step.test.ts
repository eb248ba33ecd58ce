/** What a worker of the outbox is given to do, by what is known of the shop; and when a row that rests is looked at again. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { heldUntil } from '../../../src/ledger/model/order.js';
import { decideOffered } from '../../../src/ledger/order/checkout-link.js';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideDeleted, decideLater, decideReread } from '../../../src/ledger/outbox/next-step.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  SECOND,
  STORE,
  type TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';
import { HOLD_REF, type Mine, openTees, SOLD, seen, TestWorker } from '../../helpers/test-worker.js';

const PLACED = { order_ref: 'o1', order_name: '#1' };
const NO_SUCH: Mine = { reservation_id: 'res_nope' };

let t: TestLedger;
let worker: TestWorker;
beforeEach(async () => {
  ({ t, worker } = await openTees());
});
afterEach(() => t.close());

/** The test goes on with other settings. */
async function instead(settings: Partial<LedgerSettings>): Promise<void> {
  await t.close();
  ({ t, worker } = await openTees(settings));
}

/** Four tees that the shop holds as well, as a report has shown. */
async function atShop(until_ms?: number): Promise<ReserveAnswer> {
  const mine = await t.granted('tee', 4);
  await worker.opened(mine, until_ms);
  await seen(t, 'tee', { [WAREHOUSE]: 6 });
  expect((await worker.owned(mine)).holds).toMatchObject([{ state: 'mirrored' }]);
  return mine;
}

/** A step failed, and may be done again at once. */
async function again(mine: Mine): Promise<void> {
  const failure = { delay_ms: 0, attempts_max: null, failure: 'unread' };
  await worker.decide(mine, (state) => decideLater(state, failure));
}

/** The shop has a link for the buyer, with as much time to pay. */
async function offered(pay_ms: number): Promise<ReserveAnswer> {
  const mine = await atShop();
  answerOf(await t.submit(mine));
  await worker.claims(mine);
  const until_ms = t.clock.now() + HOUR;
  const link = { hold_ref: HOLD_REF, until_ms, checkout_url: 'https://shop.example/pay' };
  await worker.decide(mine, (state) => decideOffered(state, link, t.clock.now() + pay_ms));
  return mine;
}

/** Its checksum was true before the last report. */
async function heldOrder(available = 5): Promise<ReserveAnswer> {
  const mine = await atShop();
  await seen(t, 'tee', { [WAREHOUSE]: available });
  expect(answerOf(await t.submit(mine)).status).toBe('held');
  return mine;
}

async function dueInMs(mine: Mine): Promise<number | null> {
  const { due_at_ms } = (await worker.owned(mine)).outbox;
  return due_at_ms === null ? null : due_at_ms - t.clock.now();
}

describe('a row', () => {
  test('of a reservation that there is not gives nobody anything to do', async () => {
    expect(await worker.claims(NO_SUCH)).toBe(false);
    expect(await worker.next(NO_SUCH)).toBeNull();
  });

  test('L4: may be claimed again by the worker that has it', async () => {
    const mine = await t.granted('tee', 1);
    await worker.claims(mine);
    t.time.pass(SECOND);
    expect(await worker.claims(mine)).toBe(true);
    expect((await worker.owned(mine)).outbox).toMatchObject({
      claimed_by: 'a',
      claimed_until_ms: t.clock.now() + MINUTE,
    });
  });

  test.each([
    { waited_ms: MINUTE - 1, claimed: false },
    { waited_ms: MINUTE, claimed: true },
  ])('that is due in a minute is claimed after $waited_ms ms: $claimed', async ({ waited_ms, claimed }) => {
    const mine = await t.granted('tee', 1);
    await worker.decide(mine, (state) =>
      decideLater(state, { delay_ms: MINUTE, attempts_max: null, failure: 'unreachable' }),
    );
    t.time.pass(waited_ms);
    expect(await worker.claims(mine)).toBe(claimed);
  });

  test('that rests is not claimed', async () => {
    await instead({ mirror: 'none' });
    const mine = await t.granted('tee', 1);
    expect(await dueInMs(mine)).toBeNull();
    expect(await worker.claims(mine)).toBe(false);
  });

  test.each([
    { waited_ms: MINUTE - 1, step: 'create' },
    { waited_ms: MINUTE, step: null },
  ])(
    'L4: gives its worker a step $waited_ms ms after a claim of a minute: $step',
    async ({ waited_ms, step }) => {
      const mine = await t.granted('tee', 1);
      await worker.claims(mine);
      t.time.pass(waited_ms);
      expect(await worker.step(mine)).toBe(step);
    },
  );

  test.each([
    ['writes an intent', 0, 'create'],
    ['only asks', 1, 'look_up'],
  ] as const)(
    'L4: is kept for another minute by a step that %s, and the step knows it as it is stored',
    async (_, before, step) => {
      const mine = await t.granted('tee', 1);
      await worker.claims(mine);
      for (let steps = 0; steps < before; steps += 1) await worker.next(mine);
      t.time.pass(MINUTE - 1);
      const work = await worker.next(mine);
      const owned = await worker.owned(mine);
      expect(work).toMatchObject({ step, items: [{ sku: 'tee' }] });
      expect(work?.owned).toEqual({ ...owned });
      expect(owned.outbox.claimed_until_ms).toBe(t.clock.now() + MINUTE);
    },
  );

  test('L3: of a reservation whose time ran out in the hands of its worker is given up and due at once', async () => {
    const mine = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(MINUTE - SECOND);
    await worker.claims(mine);
    const { tag } = (await worker.owned(mine)).outbox;
    t.time.pass(SECOND);
    expect(await worker.next(mine)).toBeNull();
    expect(await worker.owned(mine)).toMatchObject({
      reservation: { state: 'expired' },
      holds: [],
      outbox: { tag, shop_state: 'absent', claimed_by: null, claimed_until_ms: null },
    });
    expect(await dueInMs(mine)).toBe(0);
    expect(await worker.visit(mine)).toBeNull();
    expect(await dueInMs(mine)).toBeNull();
  });

  test.each([
    [1, 'revalidate', 'held'],
    [0, null, 'rejected'],
  ] as const)(
    'L5: of an order held until %i ms before its end: %s, and the order is %s',
    async (short_of_ms, step, order) => {
      const mine = await heldOrder();
      t.time.pass(t.settings.held_order_max_ms - short_of_ms);
      expect(await worker.visit(mine)).toBe(step);
      expect(await worker.owned(mine)).toMatchObject({
        order: { state: order },
        outbox: { shop_state: 'open', hold_ref: HOLD_REF, claimed_by: step === null ? null : 'a' },
      });
      if (step === null) expect(await worker.visit(mine)).toBe('delete');
    },
  );
});

describe('a row with nothing to do', () => {
  test('is given up by its worker, has failed no more, and is looked at again: a person may remove the hold', async () => {
    const mine = await atShop();
    await again(mine);
    await worker.claims(mine);
    expect((await worker.owned(mine)).outbox.attempts).toBe(1);
    expect(await worker.step(mine)).toBeNull();
    expect((await worker.owned(mine)).outbox).toMatchObject({
      claimed_by: null,
      claimed_until_ms: null,
      attempts: 0,
      shop_state: 'open',
      hold_ref: HOLD_REF,
    });
    expect(await dueInMs(mine)).toBe(worker.claim.check_ms);
  });

  test('rests for good when the shop holds nothing', async () => {
    await instead({ mirror: 'none' });
    const mine = await t.granted('tee', 4);
    await again(mine);
    expect(await worker.visit(mine)).toBeNull();
    expect(await dueInMs(mine)).toBeNull();
  });

  test.each([
    { pay_ms: MINUTE, due_ms: MINUTE },
    { pay_ms: HOUR, due_ms: 5 * MINUTE },
  ])(
    'wakes when the time to pay of $pay_ms ms is over, or to look at the hold, whichever is first',
    async ({ pay_ms, due_ms }) => {
      await instead({ order_mode: 'checkout_link' });
      const mine = await offered(pay_ms);
      expect(await worker.step(mine)).toBeNull();
      expect(await dueInMs(mine)).toBe(due_ms);
    },
  );

  test('L4: waits for no payment once the shop has the order', async () => {
    await instead({ order_mode: 'checkout_link' });
    const mine = await offered(HOUR);
    await worker.decide(mine, (state) => decidePlaced(state, PLACED));
    await seen(t, 'tee', { [WAREHOUSE]: 6 });
    expect(await worker.step(mine)).toBeNull();
    expect(await worker.owned(mine)).toMatchObject({ holds: [], outbox: { due_at_ms: null } });
  });

  test('wakes to give an order up that waits for a person, where nothing is held at the shop', async () => {
    await instead({ mirror: 'none', stale_hash: 'hold' });
    const mine = await t.granted('tee', 4);
    await seen(t, 'tee', { [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    await again(mine);
    expect(await worker.visit(mine)).toBeNull();
    expect(await dueInMs(mine)).toBe(t.settings.held_order_max_ms);
  });

  test.each([
    [1, null],
    [0, 'reread'],
  ] as const)(
    'L3: looks for units of a draft that a person completed when the shop lets go of them: %i ms before, %s',
    async (short_of_ms, step) => {
      const until = t.clock.now() + HOUR;
      const mine = await atShop(until);
      await worker.decide(mine, (state) => decidePlaced(state, PLACED));
      t.time.pass(15 * MINUTE);
      expect(await worker.decide(mine, decideExpire)).toBe(true);
      expect((await worker.owned(mine)).holds).toMatchObject([
        { state: 'returning', awaits: 'return', awaits_after_ms: until },
      ]);
      await worker.claims(mine);
      expect(await worker.step(mine)).toBeNull();
      expect((await worker.owned(mine)).outbox.due_at_ms).toBe(until);
      await again(mine);
      t.time.pass(until - t.clock.now() - short_of_ms);
      expect(await worker.visit(mine)).toBe(step);
    },
  );
});

describe('a hold that was left alone for a while', () => {
  test('is read back at the shop first, and then rests', async () => {
    const mine = await atShop();
    t.time.pass(5 * MINUTE);
    expect(await worker.visit(mine)).toBe('read_back');
    expect(await worker.step(mine)).toBeNull();
  });

  test('is not read back where its units were moved: there is nothing to read', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    t.time.pass(5 * MINUTE);
    expect(await worker.visit(mine)).toBeNull();
    expect(await dueInMs(mine)).toBe(worker.claim.check_ms);
  });

  test('L4: is completed when its order comes, with no look before', async () => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    expect(await worker.visit(mine)).toBe('complete');
  });
});

describe('before a report has shown what the shop was made to hold', () => {
  test('L1: the stock is read again, and only then the row rests', async () => {
    const mine = await t.granted('tee', 4);
    await worker.opened(mine);
    expect(await worker.step(mine)).toBe('reread');
    await seen(t, 'tee', { [WAREHOUSE]: 6 });
    expect(await worker.step(mine)).toBeNull();
  });

  test('L1: no order is completed', async () => {
    const mine = await t.granted('tee', 4);
    answerOf(await t.submit(mine));
    await worker.opened(mine);
    expect(await worker.step(mine)).toBe('reread');
    await seen(t, 'tee', { [WAREHOUSE]: 6 });
    expect(await worker.step(mine)).toBe('complete');
  });

  test('L1: of a basket all of it has to be shown', async () => {
    await t.seed({ sku: 'cap' });
    const mine = await t.granted('tee', 2, {
      lines: ['tee', 'cap'].map((sku) => ({ sku, quantity: units(2) })),
    });
    await worker.opened(mine);
    await seen(t, 'tee', { [WAREHOUSE]: 8 });
    expect(await worker.step(mine)).toBe('reread');
    await seen(t, 'cap', { [WAREHOUSE]: 8 });
    expect(await worker.step(mine)).toBeNull();
  });
});

describe('when somebody else has bought the units', () => {
  test('L1: none are taken that the shop does not have: the stock is read again, and nothing is written', async () => {
    await instead({ mirror: 'move' });
    const mine = await t.granted('tee', 4);
    await seen(t, 'tee', { [WAREHOUSE]: 3 });
    expect(await worker.visit(mine)).toBe('reread');
    expect((await worker.owned(mine)).outbox).toMatchObject({ shop_state: 'absent', request: null });
    await seen(t, 'tee', { [WAREHOUSE]: 4 });
    expect(await worker.step(mine)).toBe('take');
  });

  test.each([
    [0, null],
    [-1, 'reread'],
  ] as const)('a draft of a shop at %i is looked at again: %s', async (available, step) => {
    const mine = await atShop();
    await seen(t, 'tee', { [WAREHOUSE]: available });
    await worker.claims(mine);
    expect(await worker.step(mine)).toBe(step);
  });

  test.each([
    [0, 'complete'],
    [-1, 'reread'],
  ] as const)('L4: an order of a draft of a shop at %i is completed: %s', async (available, step) => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    await seen(t, 'tee', { [WAREHOUSE]: available });
    expect(await worker.visit(mine)).toBe(step);
  });

  test('a level of ours that covers a draft no more is no sign of it: the shop took the units elsewhere', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 4 } });
    const mine = await t.granted('tee', 4, {
      lines: [{ sku: 'tee', quantity: units(4), location_id: STORE }],
    });
    await worker.opened(mine);
    await seen(t, 'tee', { [WAREHOUSE]: 6, [STORE]: 3 });
    expect(await worker.step(mine)).toBeNull();
  });

  test('a draft that the shop does not have is no reason to look', async () => {
    await instead({ mirror: 'none' });
    const mine = await t.granted('tee', 4);
    await seen(t, 'tee', { [WAREHOUSE]: -1 });
    await again(mine);
    expect(await worker.visit(mine)).toBeNull();
  });

  test.each(['draft_order', 'move'] as const)(
    'L5: a held order that waits for a person goes on waiting, its units held as %s',
    async (mirror) => {
      await instead({ mirror, stale_hash: 'hold' });
      const mine = await heldOrder(-1);
      await again(mine);
      await worker.claims(mine);
      expect(await worker.step(mine)).toBeNull();
      expect((await worker.owned(mine)).order?.state).toBe('held');
    },
  );

  test.each([
    [0, null],
    [-1, 'reread'],
  ] as const)('units that were moved of a shop at %i are looked at again: %s', async (available, step) => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    await seen(t, 'tee', { [WAREHOUSE]: available });
    await worker.claims(mine);
    expect(await worker.step(mine)).toBe(step);
  });

  test('units that were moved and given back count on our side, and are let alone until an order', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    await seen(t, 'tee', { [WAREHOUSE]: -1 });
    await worker.claims(mine);
    expect(await worker.step(mine)).toBe('reread');
    expect(await worker.decide(mine, (state) => decideReread(state, t.clock.now(), t.settings))).toBe(
      'dropped',
    );
    await worker.decide(mine, decideDeleted);
    await seen(t, 'tee', { [WAREHOUSE]: 3 });
    expect(await worker.step(mine)).toBeNull();
    expect(await dueInMs(mine)).toBeNull();
  });

  test.each([
    [4, 'place'],
    [3, 'reread'],
  ] as const)(
    'L4: an order of 4 that were given back is placed at a shop at %i: %s',
    async (available, step) => {
      await instead({ mirror: 'move' });
      const mine = await atShop();
      answerOf(await t.submit(mine));
      expect(await worker.visit(mine)).toBe('give_back');
      await worker.decide(mine, decideDeleted);
      await seen(t, 'tee', { [WAREHOUSE]: available });
      expect(await worker.step(mine)).toBe(step);
    },
  );
});

describe('units that were moved by a row that this process did not write just now', () => {
  const OLD = 5 * MINUTE;
  const LEFT_BEHIND = { shop_state: 'deleted', parked: true, last_failure: 'left_behind' };

  beforeEach(async () => {
    await instead({ mirror: 'move' });
    worker = new TestWorker(t, { resend_max_ms: OLD });
  });

  async function unwitnessed(mine: Mine, doubtMs = 0): Promise<string | null> {
    expect(await worker.claims(mine)).toBe(true);
    return (
      (
        await worker.next(mine, true, t.clock.now(), {
          isWitnessed: false,
          mayEnd: true,
          doubtMs,
          missedMs: () => 0,
        })
      )?.step ?? null
    );
  }

  test.each([
    [OLD - 1, 'give_back'],
    [OLD, null],
  ] as const)('L4: a reservation that ended %i ms ago gives them back: %s', async (waited_ms, step) => {
    const mine = await atShop();
    const { reservation } = await worker.owned(mine);
    t.time.pass(reservation.expires_at_ms - t.clock.now());
    await worker.decide(mine, decideExpire);
    t.time.pass(waited_ms);
    expect(await unwitnessed(mine)).toBe(step);
    const { outbox, holds } = await worker.owned(mine);
    if (step !== null) return expect(outbox).toMatchObject({ shop_state: 'deleting', parked: false });
    expect(outbox).toMatchObject({ ...LEFT_BEHIND, claimed_by: null, due_at_ms: t.clock.now() });
    expect(holds).toMatchObject([{ state: 'returning', awaits: 'return', awaits_after_ms: t.clock.now() }]);
    expect((await worker.journal(mine)).at(-1)).toEqual({
      kind: 'shop.parked',
      failure: 'left_behind',
      why: 'too_old_to_resend',
      move: outbox.request?.key,
    });
  });

  test.each([
    [OLD - 1, 'give_back'],
    [OLD, null],
  ] as const)(
    'L4: a reservation that ended now, where it may be %i ms later than ledger time, gives them back: %s',
    async (doubtMs, step) => {
      const mine = await atShop();
      t.time.pass((await worker.owned(mine)).reservation.expires_at_ms - t.clock.now());
      await worker.decide(mine, decideExpire);
      expect(await unwitnessed(mine, doubtMs)).toBe(step);
      if (step !== null) return;
      // Nothing is decided before the shop has told the time.
      expect((await worker.owned(mine)).outbox).toMatchObject({ shop_state: 'open', parked: false });
      expect(await dueInMs(mine)).toBe(SECOND);
    },
  );

  test('L4: one that no sweeper has seen is ended first, and then left to a person', async () => {
    const mine = await atShop();
    t.time.pass(HOUR + OLD);
    expect(await unwitnessed(mine)).toBeNull();
    expect((await worker.owned(mine)).reservation.state).toBe('expired');
    expect(await unwitnessed(mine)).toBeNull();
    expect((await worker.owned(mine)).outbox).toMatchObject(LEFT_BEHIND);
  });

  test.each([
    [OLD - 1, 'look_first', 'mirrored'],
    [OLD, null, 'counted'],
  ] as const)(
    'L1, L4: an order that was accepted %i ms ago gives them back after a look: %s',
    async (waited_ms, step, state) => {
      const mine = await atShop();
      answerOf(await t.submit(mine));
      t.time.pass(waited_ms);
      expect(await unwitnessed(mine)).toBe(step);
      const { outbox, holds } = await worker.owned(mine);
      expect(holds).toMatchObject([{ state, quantity_units: 4 }]);
      if (step !== null) return;
      expect(outbox).toMatchObject(LEFT_BEHIND);
      // The order goes on with what the level has.
      expect(await unwitnessed(mine)).toBe('look_first');
    },
  );

  test.each([
    [OLD - 1, 'give_back'],
    [OLD, null],
  ] as const)('L4: an order that failed %i ms ago gives them back: %s', async (waited_ms, step) => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    await worker.decide(mine, (state) => decideFailed(state, SOLD));
    t.time.pass(waited_ms);
    expect(await unwitnessed(mine)).toBe(step);
  });

  test.each([
    [OLD - 1, 'open'],
    [OLD, 'deleted'],
  ] as const)('L4: a held order whose time was over %i ms ago: %s', async (waited_ms, at) => {
    await instead({ mirror: 'move', stale_hash: 'hold' });
    worker = new TestWorker(t, { resend_max_ms: OLD });
    const mine = await heldOrder();
    const { order } = await worker.owned(mine);
    if (order === null) throw new Error('nothing is held');
    t.time.pass((heldUntil(order, t.settings) ?? 0) - t.clock.now() + waited_ms);
    expect(await unwitnessed(mine)).toBeNull();
    const { outbox, order: after } = await worker.owned(mine);
    expect(outbox.shop_state).toBe(at);
    expect(after?.state).toBe(at === 'open' ? 'rejected' : 'held');
    if (at === 'open') return expect(await unwitnessed(mine)).toBe('give_back');
    expect(await unwitnessed(mine)).toBeNull();
    expect(await worker.owned(mine)).toMatchObject({ order: { state: 'rejected' }, outbox: LEFT_BEHIND });
  });

  test('are given back however old they are by the process that wrote the row', async () => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    t.time.pass(2 * OLD);
    expect(await worker.visit(mine)).toBe('give_back');
  });

  test('of a draft are let go of as ever: the shop’s answer tells what is there', async () => {
    await instead({});
    worker = new TestWorker(t, { resend_max_ms: OLD });
    const mine = await atShop();
    t.time.pass(HOUR);
    await worker.decide(mine, decideExpire);
    t.time.pass(OLD);
    expect(await unwitnessed(mine)).toBe('delete');
  });
});

describe('a move whose outcome nobody knows', () => {
  test.each([
    { waited_ms: 5 * MINUTE - 1, step: 'resend' },
    { waited_ms: 5 * MINUTE, step: null },
  ])(
    'L4: is sent again as long as the shop remembers its key, and put before a person after $waited_ms ms: $step',
    async ({ waited_ms, step }) => {
      await instead({ mirror: 'move' });
      worker = new TestWorker(t, { resend_max_ms: 5 * MINUTE });
      const mine = await t.granted('tee', 4);
      expect(await worker.visit(mine)).toBe('take');
      const { request } = (await worker.owned(mine)).outbox;
      t.time.pass(waited_ms);
      expect(await worker.visit(mine)).toBe(step);
      const { outbox, holds } = await worker.owned(mine);
      expect(outbox).toMatchObject({ shop_state: 'creating', request, parked: step === null });
      expect(holds).toMatchObject([{ state: 'counted', quantity_units: 4 }]);
      if (step !== null) return;
      expect(outbox).toMatchObject({ claimed_by: null, due_at_ms: null, last_failure: 'too_old_to_resend' });
      expect((await worker.journal(mine)).at(-1)).toEqual({
        kind: 'shop.parked',
        failure: 'too_old_to_resend',
        move: request?.key,
      });
    },
  );

  test('L4: is not sent again while it may be so late that the shop has forgotten its key', async () => {
    await instead({ mirror: 'move' });
    const mine = await t.granted('tee', 4);
    expect(await worker.visit(mine)).toBe('take');
    const known = {
      isWitnessed: false,
      mayEnd: false,
      doubtMs: worker.claim.resend_max_ms,
      missedMs: () => 0,
    };
    expect(await worker.next(mine, true, null, known)).toBeNull();
    expect((await worker.owned(mine)).outbox).toMatchObject({
      shop_state: 'creating',
      parked: false,
      claimed_by: null,
    });
    expect(await dueInMs(mine)).toBe(SECOND);
  });

  test('L4: a draft of any age is looked up: it has no key that the shop could forget', async () => {
    worker = new TestWorker(t, { resend_max_ms: MINUTE });
    const mine = await t.granted('tee', 4);
    await worker.visit(mine);
    t.time.pass(10 * MINUTE);
    expect(await worker.visit(mine)).toBe('look_up');
  });
});
