/** People in the shop's admin who change a draft order of ours: what it does not hold any more counts on our side at once. */

import { afterEach, describe, expect, test } from 'vitest';
import type { DraftInput } from '../../src/sandbox/shop/orders/draft-input.js';
import type { DraftOrder } from '../../src/sandbox/shop/orders/draft-orders.js';
import { AGENT, answerOf, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, STORE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
};
afterEach(() => t.close());

/** A person changes the one open draft. */
function edit(input: DraftInput): DraftOrder {
  const [draft] = t.drafts();
  if (draft === undefined) throw new Error('there is no draft');
  const { draftOrder, userErrors } = t.server.shop.draftOrders.update(
    draft.id,
    input,
    t.server.shop.settle(),
  );
  expect(userErrors).toEqual([]);
  if (draftOrder === null) throw new Error('the draft is gone');
  return draftOrder;
}

const line = (sku: string, quantity: number) => ({
  variantId: t.server.shop.inventory.variantOfSku(sku).id,
  quantity,
});

/** What a person may change that the hold rests on. */
const EDITS: readonly (readonly [string, () => DraftInput])[] = [
  ['takes the reservation off', () => ({ reserveInventoryUntil: null })],
  ['lowers the quantity', () => ({ lineItems: [line('LAMP', 1)] })],
  ['raises the quantity', () => ({ lineItems: [line('LAMP', 3)] })],
  ['swaps the article', () => ({ lineItems: [line('SCARF', 2)] })],
  ['adds another article', () => ({ lineItems: [line('LAMP', 2), line('SCARF', 1)] })],
  ['adds a line of their own', () => ({ lineItems: [line('LAMP', 2), { title: 'Wrap', quantity: 1 }] })],
];

describe.each(EDITS)('a person who %s', (_, change) => {
  test('L1: has the units of the reservation count on our side at the next look: no unit is promised twice', async () => {
    await shop();
    const mine = await t.mirrored('LAMP', 2);
    edit(change());
    await t.workFor(MINUTE + SECOND);
    await t.beat();
    expect(await t.level('LAMP', STORE)).toMatchObject({ held_units: 2, mirrored_units: 0 });
    // Four lamps: two are ours, whatever the draft holds beside.
    expect(await t.atp('LAMP')).toBeLessThanOrEqual(2);
    expect(await t.atp('LAMP')).toBe(Math.max(0, t.available('LAMP', STORE) - 2));
    await t.release(mine);
    await t.workFor(MINUTE);
    expect(t.drafts()).toEqual([]);
    await t.beat();
    expect(await t.atp('LAMP')).toBe(4);
  });

  test('L10: between the submit and the completion: what is placed is what was submitted', async () => {
    await shop();
    const mine = await t.mirrored('LAMP', 2);
    edit(change());
    const order = await t.accepted(mine);
    await t.workFor(10 * SECOND);
    const [made, ...others] = t.orders();
    expect(others).toEqual([]);
    expect(made?.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([['LAMP', 2]]);
    const answer = answerOf(await t.ledger.getOrder(AGENT, { order_id: order.order_id }));
    expect(answer).toMatchObject({ status: 'placed', lines: [{ sku: 'LAMP', quantity: 2 }], reasons: [] });
    expect(t.drafts()).toEqual([]);
    await t.beat();
    expect(await t.atp('LAMP')).toBe(2);
    await t.expectTrueBooks();
  });
});

test('a draft that is changed again waits for a person, with the reason; its units stay ours', async () => {
  await shop();
  const mine = await t.mirrored('LAMP', 2);
  edit({ lineItems: [line('LAMP', 1)] });
  // Whatever draft is made, an app of the merchant's changes it at once.
  const { draftOrders } = t.server.shop;
  const create = draftOrders.create.bind(draftOrders);
  draftOrders.create = (input, nowMs) => {
    const made = create(input, nowMs);
    const id = made.draftOrder?.id ?? '';
    setImmediate(() => draftOrders.update(id, { lineItems: [line('LAMP', 1)] }, t.server.shop.settle()));
    return made;
  };
  await t.accepted(mine);
  await t.workFor(10 * SECOND);
  expect(await t.owned(mine)).toMatchObject({
    order: { state: 'accepted' },
    outbox: { parked: true, last_failure: 'draft_edited' },
  });
  expect(t.orders()).toEqual([]);
  await t.beat();
  expect(await t.atp('LAMP')).toBeLessThanOrEqual(1);
  expect(t.events.map(({ event }) => event)).toContain('draft_edited');
});

test('a link whose draft was changed is withdrawn, and the order fails when it is certain that no one has paid', async () => {
  await shop({ settings: { order_mode: 'checkout_link', pay_ms: 30 * MINUTE } });
  const mine = await t.mirrored('LAMP', 2);
  await t.accepted(mine);
  await t.workFor(SECOND);
  expect((await t.order(mine)).checkout_url).not.toBeNull();
  edit({ lineItems: [line('LAMP', 1)] });
  await t.workFor(MINUTE + SECOND);
  expect(await t.order(mine)).toMatchObject({
    state: 'failed',
    checkout_url: null,
    reasons: [{ code: 'changed_at_shop' }],
  });
  expect(t.drafts()).toEqual([]);
  expect(t.orders()).toEqual([]);
  await t.beat();
  expect(await t.atp('LAMP')).toBe(4);
  await t.expectTrueBooks();
});

test('L10: an order that was changed in the very moment of its completion is told as what it has', async () => {
  await shop();
  const mine = await t.mirrored('LAMP', 2);
  const { draftOrders } = t.server.shop;
  const complete = draftOrders.complete.bind(draftOrders);
  draftOrders.complete = (id, options, nowMs) => {
    draftOrders.update(id, { lineItems: [line('LAMP', 1), line('SCARF', 1)] }, nowMs);
    return complete(id, options, nowMs);
  };
  const order = await t.accepted(mine);
  await t.workFor(SECOND);
  const answer = answerOf(await t.ledger.getOrder(AGENT, { order_id: order.order_id }));
  expect(answer).toMatchObject({
    status: 'placed',
    lines: [
      { sku: 'LAMP', quantity: 1 },
      { sku: 'SCARF', quantity: 1 },
    ],
    reasons: [{ code: 'changed_at_shop' }],
  });
  expect(answer.timeline.at(-1)?.detail).toContain('other lines');
  await t.beat();
  expect(await t.atp('LAMP')).toBe(3);
});

describe('a person who deletes the draft while its completion is lost', () => {
  async function lost() {
    await shop();
    const mine = await t.mirrored('COAT', 1);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'drop' });
    await t.accepted(mine);
    await t.work();
    expect((await t.owned(mine)).outbox.shop_state).toBe('completing');
    for (const draft of t.drafts()) t.byHand('delete', draft);
    return mine;
  }

  test('L1: has its unit count on our side from the moment that the draft is seen gone', async () => {
    const mine = await lost();
    expect(t.available('COAT')).toBe(1);
    await t.workFor(5 * SECOND);
    await t.beat();
    expect(await t.owned(mine)).toMatchObject({
      order: { state: 'accepted' },
      holds: [{ state: 'counted' }],
    });
    expect(await t.atp('COAT')).toBe(0);
    expect(await t.reserve('COAT', 1)).toMatchObject({ ok: false });
  });

  test('L4: parks the order within minutes, with the reason; a person may have it made again', async () => {
    const mine = await lost();
    await t.workFor(3 * MINUTE);
    expect(await t.owned(mine)).toMatchObject({
      order: { state: 'accepted' },
      outbox: { parked: true, last_failure: 'draft_gone', due_at_ms: null },
    });
    expect(t.orders()).toEqual([]);
    answerOf(await t.ledger.retryParked((await t.order(mine)).id, 'a person'));
    await t.workFor(MINUTE);
    expect((await t.order(mine)).state).toBe('placed');
    expect(t.orders()).toHaveLength(1);
    await t.beat();
    expect(await t.atp('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('L4: whose completion was heard after all is found by its order', async () => {
    await shop();
    const mine = await t.mirrored('COAT', 1);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'after', action: 'drop' });
    await t.accepted(mine);
    await t.work();
    await t.workFor(10 * SECOND);
    expect((await t.order(mine)).state).toBe('placed');
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });
});
