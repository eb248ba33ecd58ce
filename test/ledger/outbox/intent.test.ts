/** What is written before the shop is asked for anything: the intent, the request, and which side the units count on by then. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideOffered } from '../../../src/ledger/order/checkout-link.js';
import { decideFailed } from '../../../src/ledger/order/order-placed.js';
import { decideDeleted, decideLater, decideReread } from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { answerOf, HOUR, MINUTE, type TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { HOLD_REF, type Mine, openTees, seen, type TestWorker } from '../../helpers/test-worker.js';

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

/** Four tees that the shop holds as well, as a report has shown. */
async function atShop(): Promise<ReserveAnswer> {
  const mine = await t.granted('tee', 4);
  await worker.opened(mine);
  await seen(t, 'tee', { [WAREHOUSE]: 6 });
  return mine;
}

/** The units of the tee that stand in each of the two sums. */
async function sums(): Promise<{ held: number; mirrored: number }> {
  const [level] = (await t.item('tee')).levels;
  return { held: level?.held_units ?? Number.NaN, mirrored: level?.mirrored_units ?? Number.NaN };
}

/** A fresh look at the stock finds that it was sold elsewhere. */
async function drop(mine: Mine): Promise<void> {
  await seen(t, 'tee', { [WAREHOUSE]: -1 });
  const since = t.clock.now();
  expect(await worker.decide(mine, (state) => decideReread(state, since, t.settings))).toBe('dropped');
}

describe('an intent to hold', () => {
  test('L4: as a draft says so before the call, and how often it was tried', async () => {
    const mine = await t.granted('tee', 4);
    for (const attempt of [1, 2]) {
      expect(await worker.visit(mine)).toBe('create');
      expect((await worker.owned(mine)).outbox).toMatchObject({
        shop_state: 'creating',
        protocol: 'draft_order',
        request: null,
        intent_at_ms: t.clock.now(),
        empty_lookups: 0,
      });
      expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.creating', attempt });
      await worker.decide(mine, (state) =>
        decideLater(state, { delay_ms: 0, attempts_max: 9, failure: 'not_sent', back_to: 'absent' }),
      );
    }
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });

  test('L1: as a move fixes what is taken, where, and on which figure, and names it in the journal', async () => {
    await instead({ mirror: 'move' });
    const mine = await t.granted('tee', 4);
    expect(await worker.visit(mine)).toBe('take');
    const { outbox } = await worker.owned(mine);
    expect(outbox).toMatchObject({
      shop_state: 'creating',
      protocol: 'move',
      intent_at_ms: t.clock.now(),
      request: {
        attempt: 1,
        direction: 'out',
        reservation_id: mine.reservation_id,
        changes: [{ item_id: 'item-tee', location_id: WAREHOUSE, quantity_units: 4, available_units: 10 }],
      },
    });
    expect((await worker.journal(mine)).at(-1)).toEqual({
      kind: 'shop.creating',
      attempt: 1,
      move: outbox.request?.key,
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });
});

describe('an intent to let go', () => {
  test.each(['draft_order', 'move'] as const)(
    'L3: of the units of a released reservation, held as %s, leaves them in the checksum until a report shows them',
    async (mirror) => {
      await instead({ mirror });
      const mine = await atShop();
      await t.release(mine.reservation_id);
      expect(await worker.visit(mine)).toBe(mirror === 'move' ? 'give_back' : 'delete');
      expect(await worker.owned(mine)).toMatchObject({
        holds: [{ state: 'returning', quantity_units: 4 }],
        outbox: { shop_state: 'deleting', protocol: mirror, intent_at_ms: t.clock.now() },
      });
      expect(await sums()).toEqual({ held: 0, mirrored: 4 });
      expect(await t.atp('tee')).toBe(6);
    },
  );

  test('of units that were moved gives back what was taken, on any figure, under a key of its own', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    const taken = (await worker.owned(mine)).outbox.request;
    await t.release(mine.reservation_id);
    await worker.visit(mine);
    const { request } = (await worker.owned(mine)).outbox;
    expect(request).toMatchObject({
      attempt: 2,
      direction: 'back',
      reservation_id: mine.reservation_id,
      changes: [{ item_id: 'item-tee', location_id: WAREHOUSE, quantity_units: 4, available_units: null }],
    });
    expect(request?.key).not.toBe(taken?.key);
    expect((await worker.journal(mine)).at(-1)).toEqual({
      kind: 'shop.deleting',
      attempt: 1,
      move: request?.key,
    });
  });

  test.each(['draft_order', 'move'] as const)(
    'L1: of the units of a live reservation, held as %s, makes them count on our side, and says why',
    async (mirror) => {
      await instead({ mirror });
      const mine = await atShop();
      await drop(mine);
      const { holds, outbox } = await worker.owned(mine);
      expect(outbox).toMatchObject({ shop_state: 'deleting', protocol: mirror });
      expect(holds).toMatchObject([
        { state: 'counted', awaits: null, awaits_after_ms: null, mirror_until_ms: null },
      ]);
      expect(await sums()).toEqual({ held: 4, mirrored: 0 });
      expect((await worker.journal(mine)).at(-1)).toEqual({
        kind: 'shop.deleting',
        why: 'sold_elsewhere',
        ...(mirror === 'move' ? { move: outbox.request?.key } : {}),
      });
      expect(outbox.request?.direction ?? 'none').toBe(mirror === 'move' ? 'back' : 'none');
    },
  );

  test('L1: of the units of an order makes them count on our side until it is placed', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    answerOf(await t.submit(mine));
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
    expect(await worker.visit(mine)).toBe('give_back');
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
    // The shop has given them back, and nobody else is promised them.
    await worker.decide(mine, decideDeleted);
    await seen(t, 'tee', { [WAREHOUSE]: 10 });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L4: of what a buyer could pay for takes the link away, and makes the units count on our side', async () => {
    await instead({ order_mode: 'checkout_link' });
    const mine = await atShop();
    answerOf(await t.submit(mine));
    await worker.claims(mine);
    const until_ms = t.clock.now() + HOUR;
    const link = { hold_ref: HOLD_REF, until_ms, checkout_url: 'https://shop.example/pay' };
    const pay_until_ms = t.clock.now() + MINUTE;
    await worker.decide(mine, (state) => decideOffered(state, link, pay_until_ms));
    expect((await worker.owned(mine)).order?.checkout_url).toBe(link.checkout_url);
    t.time.pass(MINUTE);
    expect(await worker.visit(mine)).toBe('delete');
    expect(await worker.owned(mine)).toMatchObject({
      order: { state: 'accepted', checkout_url: null, pay_until_ms },
      holds: [{ state: 'counted' }],
    });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });

  test('L3: of the units of an order that failed brings none of them back', async () => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    await worker.decide(mine, (state) => decideFailed(state, { code: 'shop_refused', detail: 'no' }));
    expect(await worker.visit(mine)).toBe('delete');
    expect((await worker.owned(mine)).holds).toMatchObject([{ state: 'returning' }]);
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
  });
});

describe('an intent to order', () => {
  test('L1: from a draft leaves the units where they count: the shop sells what it holds', async () => {
    const mine = await atShop();
    answerOf(await t.submit(mine));
    expect(await worker.visit(mine)).toBe('complete');
    expect(await worker.owned(mine)).toMatchObject({
      order: { state: 'accepted' },
      holds: [{ state: 'mirrored' }],
      outbox: { shop_state: 'completing', protocol: 'draft_order', hold_ref: HOLD_REF },
    });
    expect(await sums()).toEqual({ held: 0, mirrored: 4 });
    expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.completing', attempt: 1 });
  });

  test('L4: from units that were moved says nothing of a move: none is made by it', async () => {
    await instead({ mirror: 'move' });
    const mine = await atShop();
    answerOf(await t.submit(mine));
    await worker.visit(mine);
    await worker.decide(mine, decideDeleted);
    const { request } = (await worker.owned(mine)).outbox;
    await seen(t, 'tee', { [WAREHOUSE]: 10 });
    expect(await worker.step(mine)).toBe('place');
    expect((await worker.owned(mine)).outbox).toMatchObject({
      shop_state: 'completing',
      protocol: 'move',
      request,
    });
    expect((await worker.journal(mine)).at(-1)).toEqual({ kind: 'shop.completing', attempt: 1 });
    expect(await sums()).toEqual({ held: 4, mirrored: 0 });
  });
});
