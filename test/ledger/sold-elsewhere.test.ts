/** What a fresh look at the shop says of a hold that is there already, and of looks that find nothing. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReserveAnswer } from '../../src/ledger/reserve.js';
import {
  decideDetailsSent,
  decideEmptyLookup,
  decideOpen,
  decideReread,
} from '../../src/ledger/shop-steps.js';
import { answerOf, HOUR, MINUTE, SECOND, TestLedger, WAREHOUSE } from '../helpers/ledger.js';

const SOLD = { code: 'stock_insufficient', sku: 'tee', detail: 'sold elsewhere' } as const;

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
});
afterEach(() => t.close());

async function open({ reservation_id }: ReserveAnswer): Promise<void> {
  const until_ms = t.clock.now() + HOUR;
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'd', until_ms }));
}

/** A report read after all that was done so far. */
async function seen(available: number): Promise<void> {
  t.time.pass(SECOND);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: available } });
}

function reread({ reservation_id }: ReserveAnswer, sinceMs = t.clock.now()): Promise<string> {
  return t.decide(reservation_id, (state) => decideReread(state, sinceMs, SOLD, t.settings));
}

describe('a submit on a checksum that is true', () => {
  test('L5: of an item that is not for sale is held, with that reason', async () => {
    const mine = await t.granted('tee', 1);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', lifecycle: 'discontinued' });
    const answer = answerOf(await t.submit({ ...mine, stock_hash: (await t.item('tee')).stock_hash }));
    expect(answer).toMatchObject({ status: 'held', reasons: [{ code: 'item_discontinued', sku: 'tee' }] });
  });

  test('L5: of stock that no longer covers it is held, with that reason', async () => {
    const mine = await t.granted('tee', 4);
    await seen(3);
    const answer = answerOf(await t.submit({ ...mine, stock_hash: (await t.item('tee')).stock_hash }));
    expect(answer).toMatchObject({ status: 'held', reasons: [{ code: 'stock_insufficient', sku: 'tee' }] });
  });
});

describe('a fresh look at the stock of a hold that is at the shop', () => {
  test('L5: says nothing while it is older than what was asked', async () => {
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(6);
    expect(await reread(mine, t.clock.now() + 1)).toBe('unread');
  });

  test('L5: leaves a hold that the shop still covers', async () => {
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(6);
    expect(await reread(mine)).toBe('shown');
  });

  test('L3: gives the hold of a reservation up when the shop is below zero', async () => {
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(6);
    await seen(-2);
    expect(await reread(mine)).toBe('dropped');
    expect((await t.owned(mine.reservation_id)).outbox).toMatchObject({
      shop_state: 'deleting',
      intent_at_ms: t.clock.now(),
    });
  });

  test('L4: fails an order that was accepted when the shop is below zero, and frees its units', async () => {
    const mine = await t.granted('tee', 4);
    await open(mine);
    expect(answerOf(await t.submit(mine)).status).toBe('accepted');
    await seen(6);
    await seen(-2);
    expect(await reread(mine)).toBe('failed');
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'released' },
      order: { state: 'failed', reasons: [SOLD] },
    });
  });
});

test('L4: a look that finds nothing is counted, keeps the time of the intent, and is made again later', async () => {
  const { reservation_id } = await t.granted('tee', 1);
  const first = t.clock.now();
  for (const looks of [1, 2]) {
    const again = t.clock.now() + MINUTE;
    await t.decide(reservation_id, (state) => decideEmptyLookup(state, again));
    expect((await t.owned(reservation_id)).outbox).toMatchObject({
      empty_lookups: looks,
      intent_at_ms: first,
      due_at_ms: again,
      claimed_by: null,
    });
    t.time.pass(MINUTE);
  }
});

describe('details that have reached the shop', () => {
  const sent = async (mayHaveLapsed: boolean) => {
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(6);
    const until_ms = t.clock.now() + 2 * HOUR;
    await t.decide(mine.reservation_id, (state) =>
      decideDetailsSent(state, { hold_ref: 'd', until_ms }, mayHaveLapsed),
    );
    return t.owned(mine.reservation_id);
  };

  test('L1: leave a hold mirrored that has not let go in between', async () => {
    const { holds, outbox } = await sent(false);
    expect(holds).toMatchObject([{ state: 'mirrored', mirror_until_ms: outbox.hold_until_ms }]);
    expect(outbox).toMatchObject({ shop_state: 'open', details_sent: true });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L1: make a hold count on our side that may have let go, until a report shows it', async () => {
    const { holds, outbox } = await sent(true);
    expect(holds).toMatchObject([{ state: 'counted' }]);
    expect(outbox.details_sent).toBe(true);
    expect(await t.atp('tee')).toBe(2);
  });
});
