/** What a fresh look at the shop says of a hold that is there already, and of looks that find nothing. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideOffered } from '../../../src/ledger/order/checkout-link.js';
import {
  decideDetailsSent,
  decideEmptyLookup,
  decideOpen,
  decideReread,
} from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { answerOf, HOUR, MINUTE, SECOND, TestLedger, units, WAREHOUSE } from '../../helpers/ledger.js';
import { SOLD, TestWorker } from '../../helpers/test-worker.js';

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

/** The test goes on with other settings. */
async function again(settings: Partial<LedgerSettings>): Promise<void> {
  await t.close();
  t = await TestLedger.open({ settings });
  await t.seed({ sku: 'tee' });
}

/** A report read after all that was done so far. */
async function seen(available: number): Promise<void> {
  t.time.pass(SECOND);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: available } });
}

function reread({ reservation_id }: ReserveAnswer, sinceMs = t.clock.now()): Promise<string> {
  return t.decide(reservation_id, (state) => decideReread(state, sinceMs, t.settings));
}

describe('a submit on a checksum that is true', () => {
  test('L5: of an item that is not for sale is held, with that reason', async () => {
    const mine = await t.granted('tee', 1);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', lifecycle: 'discontinued' });
    const answer = answerOf(await t.submit({ ...mine, stock_hash: (await t.item('tee')).stock_hash }));
    expect(answer).toMatchObject({
      status: 'held',
      reasons: [
        {
          code: 'item_discontinued',
          sku: 'tee',
          detail: 'The item is not for sale, so the shop is read again first.',
        },
      ],
    });
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

describe('a fresh look at the stock of a hold that is at the shop, when it is short', () => {
  /** Held at the shop, seen there, and then sold to somebody else. */
  async function short(mine: ReserveAnswer, available = -2): Promise<ReserveAnswer> {
    await open(mine);
    await seen(6);
    await seen(available);
    return mine;
  }

  test('L5: decides nothing before all of a basket has been read', async () => {
    await t.seed({ sku: 'cap' });
    const mine = await t.granted('tee', 4, {
      lines: ['tee', 'cap'].map((sku) => ({ sku, quantity: units(4) })),
    });
    await open(mine);
    t.time.pass(SECOND);
    for (const sku of ['tee', 'cap']) await t.seed({ sku, levels: { [WAREHOUSE]: 6 } });
    const since = t.clock.now() + SECOND;
    await seen(-2);
    expect(await reread(mine, since)).toBe('unread');
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 6 } });
    expect(await reread(mine, since)).toBe('dropped');
  });

  test('L1: decides nothing while the hold itself waits to be shown', async () => {
    const mine = await t.granted('tee', 4);
    await seen(-2);
    await open(mine);
    expect(await reread(mine)).toBe('unread');
    expect((await t.owned(mine.reservation_id)).outbox.shop_state).toBe('open');
  });

  test('L1: decides nothing while a write of ours under way may be why it is short', async () => {
    const other = await t.granted('tee', 4);
    await short(other, 6);
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(2);
    const last = await t.granted('tee', 2);
    await seen(1);
    // The shop is being asked for two of the one that is left, and the figure that is read meanwhile may show it.
    expect(await new TestWorker(t).visit(last)).toBe('create');
    await seen(-1);
    expect(await reread(mine)).toBe('unread');
    expect((await t.owned(mine.reservation_id)).outbox.shop_state).toBe('open');
  });

  test.each(['shown', 'not shown yet'])(
    'L3: of a reservation that was released meanwhile, its hold %s, has nothing to give up',
    async (hold) => {
      const mine = await t.granted('tee', 4);
      if (hold === 'shown') await short(mine);
      else await open(mine);
      await t.release(mine.reservation_id);
      await seen(-2);
      expect(await reread(mine)).toBe('shown');
      expect((await t.owned(mine.reservation_id)).outbox.shop_state).toBe('open');
    },
  );

  test('L5: leaves a held order to its revalidation or a person', async () => {
    const mine = await short(await t.granted('tee', 4));
    expect(answerOf(await t.submit(mine)).status).toBe('held');
    expect(await reread(mine)).toBe('shown');
    expect((await t.owned(mine.reservation_id)).order?.state).toBe('held');
  });

  test('L4: withdraws the link of an order that its buyer may be paying at this moment, and fails it only later', async () => {
    await again({ order_mode: 'checkout_link' });
    const mine = await t.granted('tee', 4);
    await open(mine);
    await seen(6);
    answerOf(await t.submit(mine));
    const now = t.clock.now();
    const link = { hold_ref: 'd', until_ms: now + HOUR, checkout_url: 'https://shop.example/pay' };
    await t.decide(mine.reservation_id, (state) => decideOffered(state, link, now + HOUR));
    await seen(-2);
    expect(await reread(mine)).toBe('failed');
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'submitted' },
      order: { state: 'accepted', checkout_url: null, pay_until_ms: t.clock.now(), reasons: [SOLD] },
      outbox: { due_at_ms: t.clock.now() },
    });
  });
});

describe('a fresh look at the stock before units are moved', () => {
  test('L1: leaves the hold to our side alone when the shop does not have them', async () => {
    await again({ mirror: 'move' });
    const mine = await t.granted('tee', 4);
    await seen(3);
    expect(await reread(mine)).toBe('unmirrored');
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'active' },
      holds: [{ state: 'counted', awaits: null }],
      outbox: { shop_state: 'absent', due_at_ms: null, last_failure: 'sold_elsewhere' },
    });
  });

  test('L1: goes on when it has just as many', async () => {
    await again({ mirror: 'move' });
    const mine = await t.granted('tee', 4);
    await seen(4);
    expect(await reread(mine)).toBe('shown');
    expect((await t.owned(mine.reservation_id)).outbox.due_at_ms).not.toBeNull();
  });

  test('a draft is made without it: the shop takes what it is asked for', async () => {
    const mine = await t.granted('tee', 4);
    await seen(3);
    expect(await reread(mine)).toBe('shown');
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
