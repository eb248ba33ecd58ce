/** Whether an order is left to be paid or marked as paid: as it was set when it was submitted, in every mode. */

import { afterEach, expect, test } from 'vitest';
import { answerOf, MINUTE } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (settings: NonNullable<ShopLedgerOptions['settings']>) => {
  t = await ShopLedger.open({ settings });
};
afterEach(() => t.close());

const next = async (order_id: string) => answerOf(await t.ledger.getOrder('agent-a', { order_id })).next;

test.each([
  ['draft_order', 'pending', false, 'its payment is pending'],
  ['draft_order', 'paid', true, 'marked as paid'],
  ['none', 'pending', false, 'its payment is pending'],
  ['none', 'paid', true, 'marked as paid'],
  ['move', 'pending', false, 'its payment is pending'],
  ['move', 'paid', true, 'marked as paid'],
] as const)(
  '22: %s with %s makes an order that is paid: %s',
  async (mirror, order_payment, isPaid, words) => {
    await shop({ mirror, order_payment });
    const reservation = await t.granted('SCARF', 1);
    const { order_id } = await t.accepted(reservation);
    await t.workFor(MINUTE);
    expect(t.orders()).toMatchObject([{ isPaid, paidCents: isPaid ? expect.any(Number) : 0 }]);
    expect(await next(order_id)).toContain(words);
  },
);

test('22: an order that was submitted to be paid later is made so, whatever the merchant has set since', async () => {
  await shop({ order_payment: 'pending' });
  const { order_id } = await t.accepted(await t.granted('SCARF', 1));
  await t.beside('worker-2', { settings: { order_payment: 'paid' } }).workFor(MINUTE);
  expect(t.orders()).toMatchObject([{ isPaid: false }]);
  expect(await next(order_id)).toContain('its payment is pending');
});

test('22: an order that its buyer pays at the shop is paid, and says nothing else', async () => {
  await shop({ order_mode: 'checkout_link' });
  const reservation = await t.granted('SCARF', 1);
  answerOf(await t.submit(reservation));
  expect(await t.order(reservation)).toMatchObject({ order_mode: 'checkout_link', payment: 'paid' });
});
