/** What the shop's answers change: which sum the units stand in, what they wait for, and when the row is looked at again. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import {
  decideAbsent,
  decideDeleted,
  decideDetailsSent,
  decideLater,
  decideOpen,
  decideReread,
  decideUnmirrored,
} from '../../../src/ledger/outbox/next-step.js';
import { decideLeftBehind } from '../../../src/ledger/outbox/transfer-steps.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { answerOf, HOUR, MINUTE, type TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { HOLD_REF, type Mine, openTees, SOLD, seen, type TestWorker } from '../../helpers/test-worker.js';

const PLACED = { order_ref: 'o1', order_name: '#1' };
const UNTIL_MS = Date.UTC(2026, 10, 23, 13);
const LATER_MS = UNTIL_MS + HOUR;

let t: TestLedger;
let worker: TestWorker;
beforeEach(async () => {
  ({ t, worker } = await openTees());
});
afterEach(() => t.close());

async function instead(settings: Partial<LedgerSettings>): Promise<void> {
  await t.close();
  ({ t, worker } = await openTees(settings));
}

/** Four tees that the shop holds as well until `UNTIL_MS`, as no report has shown yet. */
async function opened(): Promise<ReserveAnswer> {
  const mine = await t.granted('tee', 4);
  await worker.opened(mine, UNTIL_MS);
  return mine;
}

/** The same, shown by a report. */
async function atShop(): Promise<ReserveAnswer> {
  const mine = await opened();
  await seen(t, 'tee', { [WAREHOUSE]: 6 });
  return mine;
}

async function ordered(mine: ReserveAnswer): Promise<ReserveAnswer> {
  answerOf(await t.submit(mine));
  return mine;
}

const isOpen = (mine: Mine, hold_ref = HOLD_REF, until_ms: number | null = UNTIL_MS) =>
  worker.decide(mine, (state) => decideOpen(state, { hold_ref, until_ms }));

const detailsSent = (mine: Mine, mayHaveLapsed: boolean, until_ms: number | null = LATER_MS) =>
  worker.decide(mine, (state) => decideDetailsSent(state, { hold_ref: HOLD_REF, until_ms }, mayHaveLapsed));

const later = (mine: Mine, more: Partial<Parameters<typeof decideLater>[1]> = {}) =>
  worker.decide(mine, (state) =>
    decideLater(state, { delay_ms: MINUTE, attempts_max: 3, failure: 'unreachable', ...more }),
  );

const absent = (mine: Mine) => worker.decide(mine, (state) => decideAbsent(state, 'gone_at_shop'));

async function holdOf(mine: Mine) {
  const [hold] = (await worker.owned(mine)).holds;
  return hold;
}

/** The units of the tee that stand in each of the two sums. */
async function sums(): Promise<{ held: number; mirrored: number }> {
  const [level] = (await t.item('tee')).levels;
  return { held: level?.held_units ?? Number.NaN, mirrored: level?.mirrored_units ?? Number.NaN };
}

const COUNTED = { state: 'counted', awaits: null, awaits_after_ms: null, mirror_until_ms: null };
const AWAITS_MIRROR = { state: 'counted', awaits: 'mirror' };

test('an outcome of a reservation that there is not is a bug', async () => {
  await expect(absent({ reservation_id: 'res_nope' })).rejects.toThrow('is missing');
});

describe('a hold that the shop has', () => {
  test('L1: waits on our side for a report that shows it, and is told in the journal', async () => {
    const mine = await t.granted('tee', 4);
    await worker.visit(mine);
    expect(await isOpen(mine)).toBe(true);
    const { outbox, holds } = await worker.owned(mine);
    expect(outbox).toMatchObject({
      shop_state: 'open',
      hold_ref: HOLD_REF,
      hold_until_ms: UNTIL_MS,
      intent_at_ms: null,
      empty_lookups: 0,
      parked: false,
    });
    expect(holds).toMatchObject([
      { ...AWAITS_MIRROR, awaits_after_ms: t.clock.now(), mirror_until_ms: UNTIL_MS },
    ]);
    expect((await worker.journal(mine)).at(-1)).toEqual({
      kind: 'shop.open',
      hold_ref: HOLD_REF,
      until_ms: UNTIL_MS,
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });

  test('is no news when it is seen as it was, and nothing waits for a report anew', async () => {
    const mine = await atShop();
    const before = await worker.journal(mine);
    const hold = await holdOf(mine);
    expect(await isOpen(mine)).toBe(false);
    expect(await holdOf(mine)).toEqual(hold);
    expect(await worker.journal(mine)).toEqual(before);
  });

  test.each([
    ['it has another name', 'draft-2', UNTIL_MS],
    ['it lasts longer', HOLD_REF, LATER_MS],
  ])('is news when %s; what a report has shown stays mirrored', async (_, hold_ref, until_ms) => {
    const mine = await atShop();
    expect(await isOpen(mine, hold_ref, until_ms)).toBe(true);
    expect(await worker.owned(mine)).toMatchObject({
      holds: [{ state: 'mirrored', mirror_until_ms: until_ms }],
      outbox: { hold_ref, hold_until_ms: until_ms },
    });
    expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.open', hold_ref, until_ms });
  });

  test('L1: although it was asked to let go of it is news: the hold waits for a report again', async () => {
    const mine = await atShop();
    await seen(t, 'tee', { [WAREHOUSE]: -1 });
    const since = t.clock.now();
    await worker.decide(mine, (state) => decideReread(state, since, t.settings));
    expect(await holdOf(mine)).toMatchObject(COUNTED);
    expect(await isOpen(mine)).toBe(true);
    expect(await holdOf(mine)).toMatchObject({ ...AWAITS_MIRROR, awaits_after_ms: t.clock.now() });
    expect((await worker.owned(mine)).outbox.shop_state).toBe('open');
  });

  test('but that reserves nothing there has nothing that a report could show', async () => {
    const mine = await t.granted('tee', 4);
    await worker.visit(mine);
    expect(await isOpen(mine, HOLD_REF, null)).toBe(true);
    expect(await holdOf(mine)).toMatchObject(COUNTED);
    expect((await worker.owned(mine)).outbox).toMatchObject({ shop_state: 'open', hold_until_ms: null });
  });

  test.each([
    ['that was just made makes its worker patient anew', 'creating', 0],
    ['that was there before is no progress: a step that fails for ever has to end', 'open', 2],
  ] as const)('%s', async (_, back_to, attempts) => {
    const mine = await opened();
    await later(mine, { back_to });
    await later(mine);
    await isOpen(mine, HOLD_REF, LATER_MS);
    expect((await worker.owned(mine)).outbox).toMatchObject({ attempts, last_failure: null });
  });

  test('takes its row from a person: what was parked goes on', async () => {
    const mine = await opened();
    for (let attempts = 0; attempts < 3; attempts += 1) await later(mine);
    expect((await worker.owned(mine)).outbox.parked).toBe(true);
    await isOpen(mine);
    expect((await worker.owned(mine)).outbox.parked).toBe(false);
  });

  test('L3: brings nothing back of a reservation that was released meanwhile', async () => {
    const mine = await atShop();
    await t.release(mine.reservation_id);
    const hold = await holdOf(mine);
    expect(hold).toMatchObject({ state: 'returning', awaits: 'return', awaits_after_ms: UNTIL_MS });
    await isOpen(mine, HOLD_REF, LATER_MS);
    expect(await holdOf(mine)).toEqual(hold);
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
  });

  test('L4: leaves the units of an order that is placed waiting for the report that shows them sold', async () => {
    const mine = await ordered(await opened());
    await worker.decide(mine, (state) => decidePlaced(state, PLACED));
    const hold = await holdOf(mine);
    expect(hold).toMatchObject({ state: 'counted', awaits: 'settle' });
    await isOpen(mine, HOLD_REF, LATER_MS);
    expect(await holdOf(mine)).toEqual(hold);
  });
});

describe('details that have reached the shop', () => {
  test('are told in the journal with the time that the shop holds now, and lead back to the hold', async () => {
    const mine = await ordered(await atShop());
    await worker.visit(mine);
    await detailsSent(mine, false);
    expect((await worker.owned(mine)).outbox).toMatchObject({
      shop_state: 'open',
      intent_at_ms: null,
      details_sent: true,
      hold_until_ms: LATER_MS,
    });
    expect((await worker.journal(mine)).at(-1)).toEqual({
      kind: 'shop.open',
      hold_ref: HOLD_REF,
      until_ms: LATER_MS,
    });
  });

  test('L1: are followed by the completion, or by a look at the stock when the till was faster meanwhile', async () => {
    const mine = await ordered(await atShop());
    await worker.visit(mine);
    await detailsSent(mine, false);
    expect(await worker.step(mine)).toBe('complete');
    await detailsSent(mine, false);
    await seen(t, 'tee', { [WAREHOUSE]: -1 });
    expect(await worker.step(mine)).toBe('reread');
  });

  test('L4: too late for the hold lead back to a hold that waits for a report, so that nothing is completed', async () => {
    const mine = await ordered(await atShop());
    await worker.visit(mine);
    await detailsSent(mine, true);
    expect(await worker.owned(mine)).toMatchObject({
      holds: [{ ...AWAITS_MIRROR, awaits_after_ms: t.clock.now(), mirror_until_ms: LATER_MS }],
      outbox: { shop_state: 'open', details_sent: true, intent_at_ms: null },
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
    expect((await worker.journal(mine)).at(-1)).toMatchObject({ kind: 'shop.open', until_ms: LATER_MS });
    expect(await worker.step(mine)).toBe('reread');
  });

  test('of a draft that reserves nothing give no report anything to show', async () => {
    const mine = await ordered(await t.granted('tee', 4));
    await worker.opened(mine, null);
    await detailsSent(mine, true, null);
    expect(await holdOf(mine)).toMatchObject(COUNTED);
  });

  test('L3: bring nothing back of an order that has failed meanwhile', async () => {
    const mine = await ordered(await atShop());
    await worker.decide(mine, (state) => decideFailed(state, SOLD));
    const hold = await holdOf(mine);
    await detailsSent(mine, true);
    expect(await holdOf(mine)).toEqual(hold);
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
  });
});

describe('a hold that the shop turns out not to have', () => {
  test('L1: counts on our side at once, and its row is as if nothing had been sent', async () => {
    const mine = await ordered(await atShop());
    await detailsSent(mine, false);
    await absent(mine);
    const { holds, outbox } = await worker.owned(mine);
    expect(holds).toMatchObject([COUNTED]);
    expect(outbox).toMatchObject({
      shop_state: 'absent',
      hold_ref: null,
      hold_until_ms: null,
      details_sent: false,
      intent_at_ms: null,
      protocol: 'draft_order',
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
    expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.absent', why: 'gone_at_shop' });
  });

  test('L1: waits for no report any more: a later one does not take it for mirrored', async () => {
    const mine = await opened();
    await absent(mine);
    expect(await holdOf(mine)).toMatchObject(COUNTED);
    await seen(t, 'tee', { [WAREHOUSE]: 10 });
    expect(await holdOf(mine)).toMatchObject(COUNTED);
    expect(await t.atp('tee')).toBe(6);
  });

  test('L3: is gone when its reservation is over: the figure leaves nothing of it out', async () => {
    const mine = await atShop();
    await t.release(mine.reservation_id);
    await absent(mine);
    expect((await worker.owned(mine)).holds).toEqual([]);
    expect(await sums()).toEqual({ held: 0, mirrored: 0 });
  });

  test('L4: and whose order is placed all the same goes on waiting to be seen sold', async () => {
    const mine = await ordered(await opened());
    await worker.decide(mine, (state) => decidePlaced(state, PLACED));
    const hold = await holdOf(mine);
    await absent(mine);
    expect(await holdOf(mine)).toEqual(hold);
  });

  test('L1: because the shop refused it counts on our side; of what was sent nothing is believed', async () => {
    const mine = await ordered(await atShop());
    await detailsSent(mine, false);
    await worker.claims(mine);
    await worker.decide(mine, (state) => decideUnmirrored(state, 'refused'));
    const { holds, outbox } = await worker.owned(mine);
    expect(holds).toMatchObject([COUNTED]);
    expect(outbox).toMatchObject({
      shop_state: 'absent',
      hold_ref: null,
      hold_until_ms: null,
      details_sent: false,
      claimed_by: null,
      last_failure: 'refused',
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });
});

describe('a hold that the shop has let go of', () => {
  test('L3: of a reservation that is over comes back with a report read from now on', async () => {
    const mine = await atShop();
    await t.release(mine.reservation_id);
    await later(mine);
    await worker.decide(mine, decideDeleted);
    expect(await worker.owned(mine)).toMatchObject({
      holds: [{ state: 'returning', awaits: 'return', awaits_after_ms: t.clock.now() }],
      outbox: {
        shop_state: 'deleted',
        hold_until_ms: null,
        intent_at_ms: null,
        attempts: 0,
        last_failure: null,
      },
    });
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
    expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.deleted', hold_ref: HOLD_REF });
    await seen(t, 'tee', { [WAREHOUSE]: 10 });
    expect((await worker.owned(mine)).holds).toEqual([]);
    expect(await sums()).toEqual({ held: 0, mirrored: 0 });
  });

  test('L1: of a live reservation counts on our side, and no report takes that away', async () => {
    const mine = await ordered(await atShop());
    await detailsSent(mine, false);
    await worker.decide(mine, decideDeleted);
    expect(await worker.owned(mine)).toMatchObject({ holds: [COUNTED], outbox: { details_sent: false } });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
    await seen(t, 'tee', { [WAREHOUSE]: 10 });
    expect(await holdOf(mine)).toMatchObject(COUNTED);
    expect(await t.atp('tee')).toBe(6);
  });
});

describe('the end of a reservation', () => {
  test('L3: makes its row due at once, with new patience, whatever it was parked for', async () => {
    const mine = await atShop();
    for (let attempts = 0; attempts < 3; attempts += 1) await later(mine);
    const { outbox } = await worker.owned(mine);
    expect(outbox).toMatchObject({ parked: true, due_at_ms: null });
    t.time.pass(15 * MINUTE);
    await worker.decide(mine, decideExpire);
    expect((await worker.owned(mine)).outbox).toEqual({
      ...outbox,
      parked: false,
      attempts: 0,
      due_at_ms: t.clock.now(),
    });
  });

  test('L3: leaves units that were moved out of every promise for as long as they are not given back', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    await t.release(mine.reservation_id);
    expect(await holdOf(mine)).toMatchObject({ state: 'returning', awaits: null, awaits_after_ms: null });
    await seen(t, 'tee', { [WAREHOUSE]: 6 });
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
  });
});

describe('a step that did not succeed', () => {
  test.each([
    [
      'because the shop can not be reached is never given up: that will end',
      { attempts_max: null },
      4,
      false,
    ],
    ['because it was not its turn has cost no patience', { keeps_attempts: true }, 0, false],
    ['is given up after so many times, and put before a person', {}, 4, true],
  ])('%s', async (_, again, attempts, parked) => {
    const mine = await opened();
    for (let tries = 0; tries < 4; tries += 1) await later(mine, again);
    expect((await worker.owned(mine)).outbox).toMatchObject({
      attempts,
      parked,
      due_at_ms: parked ? null : t.clock.now() + MINUTE,
      last_failure: 'unreachable',
      claimed_by: null,
    });
    const parkings = (await worker.journal(mine)).filter(({ kind }) => kind === 'shop.parked');
    expect(parkings).toEqual(
      parked ? [3, 4].map((attempts) => ({ kind: 'shop.parked', attempts, failure: 'unreachable' })) : [],
    );
  });

  test('L5: of a held order is never given up: only its time ends it, or its units would be kept for ever', async () => {
    const mine = await t.granted('tee', 4);
    await seen(t, 'tee', { [WAREHOUSE]: 9 });
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    for (let tries = 0; tries < 5; tries += 1) await later(mine);
    expect((await worker.owned(mine)).outbox).toMatchObject({ attempts: 5, parked: false });
    t.time.pass(MINUTE);
    expect(await worker.visit(mine)).toBe('revalidate');
  });

  test('of a row that was parked for something else takes it up again', async () => {
    const mine = await opened();
    await later(mine, { attempts_max: 1 });
    expect((await worker.owned(mine)).outbox.parked).toBe(true);
    await later(mine, { failure: 'interrupted' });
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: false, last_failure: 'interrupted' });
  });
});

describe('units that the shop will not give back', () => {
  const leftBehind = async (): Promise<ReserveAnswer> => {
    await instead({ mirror: 'move' });
    const mine = await ordered(await atShop());
    await worker.visit(mine);
    await worker.decide(mine, decideLeftBehind);
    return mine;
  };

  test('stay before a person, whatever is tried, fails or ends meanwhile', async () => {
    const mine = await leftBehind();
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: true, last_failure: 'left_behind' });
    await later(mine);
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: true, last_failure: 'left_behind' });
    await worker.decide(mine, (state) => decideFailed(state, SOLD));
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: true, last_failure: 'left_behind' });
  });

  test('L4: are no alarm any more once a person has let the row go on', async () => {
    const mine = await leftBehind();
    answerOf(await t.ledger.retryParkedReservation(mine.reservation_id, 'ada'));
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: false, last_failure: 'left_behind' });
    await later(mine);
    expect((await worker.owned(mine)).outbox).toMatchObject({ parked: false, last_failure: 'unreachable' });
  });
});
