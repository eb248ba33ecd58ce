/** HOLDFAST_ORDER_MODE=checkout_link: the buyer pays at the shop, and until then or its time is over the units stay held. */

import { afterEach, describe, expect, test } from 'vitest';
import { answerOf, HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';
import { Killable } from '../simulation/killable.js';

const PAY_MS = 30 * MINUTE;

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open({
    ...options,
    settings: { order_mode: 'checkout_link', pay_ms: PAY_MS, ...options.settings },
  });
  return t;
};
afterEach(() => t.close());

/** An order whose buyer has the link. */
async function offered(sku = 'SCARF', quantity = 2) {
  const reservation = await t.mirrored(sku, quantity);
  await t.accepted(reservation, { buyer: { email: 'ada@example.org' }, note: 'gift wrap' });
  await t.work();
  const order = await t.order(reservation);
  expect(order).toMatchObject({ state: 'accepted', pay_until_ms: expect.any(Number) });
  return reservation;
}

/** As the buyer does it: at the link, and nowhere else. */
async function pay(link: string | null): Promise<number> {
  const answer = await fetch(link ?? 'no link', { method: 'POST' });
  await answer.body?.cancel();
  return answer.status;
}

describe('an accepted order', () => {
  test('gets a link that shows the units, keeps them held, and says what to do with it', async () => {
    await shop();
    const reservation = await offered();
    const { checkout_url, id } = await t.order(reservation);
    expect(checkout_url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/invoices\//);
    expect(t.drafts()).toMatchObject([{ email: 'ada@example.org', note: 'gift wrap' }]);
    expect(await t.atp('SCARF')).toBe(1);
    const told = answerOf(await t.ledger.getOrder('agent-a', { order_id: id }));
    expect(told).toMatchObject({ status: 'accepted', upstream: { checkout_url } });
    expect(told.next).toContain('upstream.checkout_url');
    expect(told.timeline.map(({ event }) => event)).toContain('order.offered');
    const journal = t.rawly((db) => db.prepare('SELECT group_concat(data) FROM journal').pluck().get());
    expect(journal, 'who has the link can pay').not.toContain('/invoices/');
    await t.workFor(PAY_MS - MINUTE);
    expect(t.available('SCARF')).toBe(1);
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('the link is in the answer to the submit when the shop gives it in time', async () => {
    await shop({ settings: { submit_wait_ms: 2 * SECOND } });
    const reservation = await t.granted('SCARF', 2);
    const submitting = t.submit(reservation);
    await expect.poll(() => t.nextDue(), { timeout: 20_000 }).not.toBeNull();
    await t.work();
    const answer = answerOf(await submitting);
    expect(answer.status).toBe('accepted');
    // Either it was there in time, or the agent is told how to get it.
    if (answer.upstream === undefined) expect(answer.next).toContain('get_order');
    else expect(answer.upstream.checkout_url).toMatch(/\/invoices\//);
    const replayed = answerOf(
      await t.ledger.getOrder('agent-a', { reservation_id: reservation.reservation_id }),
    );
    expect(replayed.upstream?.checkout_url).toMatch(/\/invoices\//);
    await t.expectTrueBooks();
  });

  test('L4: is placed once its buyer has paid, and forgets the buyer', async () => {
    await shop();
    const reservation = await offered();
    expect(await pay((await t.order(reservation)).checkout_url)).toBe(200);
    await t.workFor(2 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'placed',
      upstream_order_name: '#1001',
      buyer: null,
    });
    expect(t.orders()).toHaveLength(1);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(1);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('without mirrors its draft is made when it is accepted', async () => {
    await shop({ settings: { mirror: 'none' } });
    const reservation = await t.granted('SCARF', 2);
    expect(t.nextDue()).toBeNull();
    await t.accepted(reservation);
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ checkout_url: expect.stringContaining('/invoices/') });
    expect(t.available('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test('stays one for a buyer to pay when the merchant changes the setting: nothing is completed for free', async () => {
    await shop();
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    const after = t.beside('worker-2', { settings: { order_mode: 'complete' } });
    await after.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'accepted', order_mode: 'checkout_link' });
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('L1: whose hold had lapsed before the link was made is looked at again before anybody pays for it', async () => {
    await shop();
    const reservation = await t.mirrored('COAT', 1, { ttl_seconds: 60 });
    t.time.pass(59 * SECOND);
    await t.accepted(reservation);
    t.time.pass(5 * MINUTE); // nobody worked; the shop has let go by itself
    t.server.shop.sell('COAT', 1);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'stock_insufficient' }],
      checkout_url: null,
    });
    expect(t.drafts()).toEqual([]);
    await t.expectTrueBooks();
  });
});

describe('a time to pay that is over', () => {
  test('L3: the draft goes first, then the order fails and its units are free', async () => {
    await shop();
    const reservation = await offered();
    const { checkout_url } = await t.order(reservation);
    await t.workFor(PAY_MS + MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      order: { state: 'failed', reasons: [{ code: 'payment_lapsed' }], buyer: null, checkout_url: null },
      reservation: { state: 'released' },
      outbox: { shop_state: 'deleted' },
      holds: [],
    });
    expect(t.drafts()).toEqual([]);
    expect(await t.atp('SCARF')).toBe(3);
    expect(await pay(checkout_url)).toBe(404);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('L4: while the shop can not be reached the order stays: its buyer may be paying', async () => {
    await shop();
    const reservation = await offered();
    const { checkout_url } = await t.order(reservation);
    for (const operation of ['draftOrderDelete', 'draftOrder']) {
      t.server.faults.add({ operation, when: 'before', action: 'status', code: 503, times: 500 });
    }
    await t.workFor(PAY_MS + 30 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'accepted' });
    expect(await t.level('SCARF')).toMatchObject({ held_units: 2 });
    expect(await pay(checkout_url)).toBe(200);
    t.server.faults.clear();
    await t.workFor(5 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed', reasons: [] });
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L4: a payment in the very moment of the deletion wins: the order is placed', async () => {
    await shop();
    const reservation = await offered();
    const { checkout_url } = await t.order(reservation);
    t.time.pass(PAY_MS);
    t.server.faults.add({ operation: 'draftOrderDelete', when: 'before', action: 'delay', ms: 300 });
    const working = t.work();
    await expect
      .poll(async () => (await t.owned(reservation)).outbox.shop_state, { timeout: 20_000 })
      .toBe('deleting');
    expect(await pay(checkout_url)).toBe(200);
    await working;
    await t.workFor(2 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.orders()).toHaveLength(1);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test('L1: from the intent to delete on the units count on our side, whatever a report then shows', async () => {
    await shop();
    await offered();
    t.time.pass(PAY_MS);
    t.server.faults.add({ operation: 'draftOrderDelete', when: 'after', action: 'drop', times: 4 });
    await t.work();
    await t.beat();
    expect(await t.level('SCARF')).toMatchObject({
      upstream_available_units: 3,
      held_units: 2,
      mirrored_units: 0,
    });
    expect(await t.atp('SCARF')).toBe(1);
    await t.workFor(5 * MINUTE);
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test.each(['before a commit', 'right after it'] as const)(
    'L4: a process that dies between any two calls, %s, frees the units once and for all',
    async (moment) => {
      await shop();
      for (let calls = 0; calls < 14; calls += 1) {
        const reservation = await offered('CAP', 1);
        t.time.pass(PAY_MS);
        const dying = new Killable();
        const process = t.beside(`worker-${calls}`, {
          wrapStore: (store) => dying.wrap(store, () => moment === 'right after it'),
        });
        dying.dieAfter(calls);
        await process.work().catch(() => undefined);
        t.time.pass(61 * SECOND);
        await t.workFor(MINUTE);
        expect(await t.order(reservation)).toMatchObject({
          state: 'failed',
          reasons: [{ code: 'payment_lapsed' }],
        });
        await t.beat();
        expect(await t.atp('CAP')).toBe(25);
        await t.expectTrueBooks();
      }
      expect(t.orders()).toEqual([]);
    },
  );
});

describe('others at work on it', () => {
  test('a person who deletes the draft: the order fails, its units are free', async () => {
    await shop();
    const reservation = await offered();
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('delete', draft);
    await t.workFor(2 * MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      order: { state: 'failed', reasons: [{ code: 'rejected_by_person' }] },
      holds: [],
    });
    await t.beat();
    expect(await t.atp('SCARF')).toBe(3);
    expect(t.drafts()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('a till that sells the units: the link is withdrawn, then the order fails as out of stock', async () => {
    await shop();
    const reservation = await offered('COAT', 1);
    const { checkout_url } = await t.order(reservation);
    t.server.shop.sell('COAT', 1);
    await t.beat();
    await t.workFor(3 * MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'stock_insufficient' }],
      checkout_url: null,
    });
    expect(await pay(checkout_url)).toBe(404);
    expect(t.available('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('what the shop says of the draft has it looked at now, not at the next check', async () => {
    await shop({ limits: { check_ms: HOUR } });
    const reservation = await offered();
    const { hold_ref } = (await t.owned(reservation)).outbox;
    await pay((await t.order(reservation)).checkout_url);
    expect(await t.store.wakeHolds(['1', hold_ref ?? ''])).toBe(1);
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });
});
