/** Details that the shop refuses: the order waits, with its units, for corrected ones, and is made once. */

import { afterEach, describe, expect, test } from 'vitest';
import { BUYER_REFUSALS_MAX } from '../../src/ledger/order/buyer-refused.js';
import { answerOf, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
};
afterEach(async () => {
  await t.expectTrueBooks();
  await t.close();
});

const REFUSED = { buyer: { email: 'ada@gmail.ru', name: 'Ada Lovelace' } };
const RIGHT = { buyer: { email: 'ada@example.com' } };
const ADDRESS = { address1: '1 Main St', city: 'Los Angeles', postal_code: '90210', country_code: 'US' };

const told = async (order_id: string) => answerOf(await t.ledger.getOrder('agent-a', { order_id }));

const MODES = [
  ['draft_order', 'complete'],
  ['none', 'complete'],
  ['move', 'complete'],
  ['draft_order', 'checkout_link'],
] as const;

describe.each(MODES)('with %s and %s', (mirror, order_mode) => {
  const options = { settings: { mirror, order_mode } };
  const isSold = order_mode === 'complete';

  test('19: a refused e-mail holds the order and its units, and a corrected submit has it placed once', async () => {
    await shop(options);
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    const { order_id } = answerOf(await t.submit(reservation, REFUSED));
    await t.work();
    expect(await told(order_id)).toMatchObject({
      status: 'held',
      reasons: [{ code: 'buyer_refused', detail: expect.stringMatching(/^buyer\.email: /) }],
      next: expect.stringContaining('submit_order_with_hash again'),
    });
    expect((await t.owned(reservation)).reservation.state).toBe('submitted');
    expect(await t.atp('SCARF')).toBe(1);
    expect(t.events.filter(({ event }) => event === 'buyer_refused')).toMatchObject([
      { detail: { fields: ['buyer.email'] } },
    ]);

    const corrected = answerOf(await t.submit(reservation, RIGHT));
    expect(corrected).toMatchObject({ order_id, status: 'accepted', hash_verdict: 'match', reasons: [] });
    await t.workFor(MINUTE);
    const order = await t.order(reservation);
    expect(order).toMatchObject(
      isSold ? { state: 'placed', buyer: null } : { state: 'accepted', checkout_url: expect.any(String) },
    );
    expect(t.orders()).toHaveLength(isSold ? 1 : 0);
    const [made] = isSold ? t.orders() : t.drafts();
    // What was left out stayed as it was.
    expect(made).toMatchObject({ email: 'ada@example.com' });
    expect(JSON.stringify(made)).toContain('Ada Lovelace');
  });

  test('19: nobody corrects it: rejected when the wait is over, and the units are free', async () => {
    await shop(options);
    const reservation = await t.granted('SCARF', 2, { ttl_seconds: 60 });
    await t.work();
    const { order_id } = answerOf(await t.submit(reservation, REFUSED));
    await t.work();
    await t.workFor(5 * MINUTE - SECOND);
    expect((await told(order_id)).status).toBe('held');
    await t.workFor(2 * SECOND);
    expect(await told(order_id)).toMatchObject({
      status: 'rejected',
      reasons: [{ code: 'buyer_refused' }, { code: 'held_too_long' }],
    });
    await t.workFor(20 * MINUTE);
    await t.beat();
    expect([await t.atp('SCARF'), t.available('SCARF'), t.drafts(), t.orders()]).toEqual([3, 3, [], []]);
  });
});

test('19: corrected details are judged by their checksum: on stale stock the shop is read again', async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 1);
  const { order_id } = answerOf(await t.submit(reservation, REFUSED));
  await t.work();
  t.server.shop.sell('SCARF', 1);
  await t.beat();
  const corrected = answerOf(await t.submit(reservation, RIGHT));
  expect(corrected).toMatchObject({ order_id, status: 'held', hash_verdict: 'stale' });
  expect(corrected.reasons).toMatchObject([{ code: 'stock_stale' }]);
  await t.workFor(MINUTE);
  expect((await told(order_id)).status).toBe('placed');
});

test('19: and rejected where the till has sold the units meanwhile', async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 3);
  const { order_id } = answerOf(await t.submit(reservation, REFUSED));
  await t.work();
  t.server.shop.sell('SCARF', 2);
  await t.beat();
  await t.submit(reservation, RIGHT);
  await t.workFor(MINUTE);
  expect(await told(order_id)).toMatchObject({
    status: 'rejected',
    reasons: [{ code: 'stock_insufficient' }],
  });
});

test('19: a checksum that was never issued corrects nothing, and neither do the same details again', async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 1);
  const { order_id } = answerOf(await t.submit(reservation, { ...REFUSED, idempotency_key: 'k1' }));
  await t.work();
  const never = { ...reservation, stock_hash: `sha256:${'0'.repeat(64)}` };
  expect(refusalOf(await t.submit(never, RIGHT)).code).toBe('stock_hash_unknown');
  expect(refusalOf(await t.submit(reservation, REFUSED))).toMatchObject({
    code: 'buyer_required',
    retry: 'changed_request',
    details: { order_id, fields: ['buyer.email'] },
  });
  expect(refusalOf(await t.submit(reservation, { ...RIGHT, idempotency_key: 'k1' })).code).toBe(
    'idempotency_key_reused',
  );
  expect(answerOf(await t.submit(reservation, { ...REFUSED, idempotency_key: 'k1' }))).toMatchObject({
    order_id,
    status: 'held',
    replayed: true,
  });
  expect((await t.order(reservation)).held_for).toBe('buyer_refused');
  expect(answerOf(await t.submit(reservation, { ...RIGHT, idempotency_key: 'k2' })).status).toBe('accepted');
  await t.workFor(MINUTE);
  expect(t.orders()).toHaveLength(1);
  expect(answerOf(await t.submit(reservation, { ...RIGHT, idempotency_key: 'k2' }))).toMatchObject({
    status: 'placed',
    replayed: true,
  });
});

test.each([
  ['buyer.phone', { phone: '+493012345678' }, { phone: '+4930111222' }],
  [
    'buyer.shipping_address.province',
    { shipping_address: { ...ADDRESS, province: 'ZZ' } },
    { shipping_address: { ...ADDRESS, province: 'CA' } },
  ],
  [
    'buyer.shipping_address.country_code',
    { shipping_address: { ...ADDRESS, country_code: 'QQ' } },
    { shipping_address: ADDRESS },
  ],
] as const)('19: %s that the shop refuses is named as ours, and corrected', async (field, wrong, right) => {
  await shop({ sandbox: { buyerRules: { phones: ['493012345678'] } } });
  const reservation = await t.mirrored('SCARF', 1);
  const { order_id } = answerOf(await t.submit(reservation, { buyer: wrong }));
  await t.work();
  const { status, reasons } = await told(order_id);
  expect([status, reasons[0]?.detail.split(':')[0]]).toEqual(['held', field]);
  expect(answerOf(await t.submit(reservation, { buyer: right })).status).toBe('accepted');
  await t.workFor(MINUTE);
  expect((await told(order_id)).status).toBe('placed');
});

test('19: a refused phone that is left out is left out; a refused address has to be corrected', async () => {
  await shop({ sandbox: { buyerRules: { phones: ['493012345678'] } } });
  const first = await t.mirrored('SCARF', 1);
  const wrong = { email: 'ada@example.com', phone: '+493012345678' };
  await t.submit(first, { buyer: wrong });
  await t.work();
  expect(answerOf(await t.submit(first, { buyer: { email: wrong.email } })).status).toBe('accepted');
  await t.workFor(MINUTE);
  expect(t.orders()[0]).toMatchObject({ email: wrong.email, phone: null });

  const second = await t.mirrored('SCARF', 1);
  await t.submit(second, { buyer: { shipping_address: { ...ADDRESS, province: 'ZZ' } } });
  await t.work();
  expect(refusalOf(await t.submit(second, { buyer: { email: wrong.email } })).details).toMatchObject({
    fields: ['buyer.shipping_address.province'],
  });
});

test('19: while corrected details are awaited the shop holds the units as long', async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 2);
  t.time.pass(14 * MINUTE);
  await t.beat();
  await t.submit(reservation, REFUSED);
  await t.work();
  const { held_until_ms } = await t.order(reservation);
  expect(held_until_ms).toBe(t.time.wall_ms + 15 * MINUTE);
  expect(t.drafts()[0]?.reserveUntilMs).toBeGreaterThanOrEqual(held_until_ms ?? 0);
  t.time.pass(14 * MINUTE);
  await t.beat();
  expect(t.available('SCARF')).toBe(1);
  expect(answerOf(await t.submit(reservation, RIGHT)).status).toBe('accepted');
  await t.workFor(MINUTE);
  expect((await t.order(reservation)).state).toBe('placed');
});

test(`19: after ${BUYER_REFUSALS_MAX} refusals the next one fails the order: units are not kept for ever`, async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 1);
  for (let n = 0; n <= BUYER_REFUSALS_MAX; n += 1) {
    answerOf(await t.submit(reservation, { buyer: { email: `ada${n}@gmail.ru` } }));
    await t.work();
  }
  expect(await t.order(reservation)).toMatchObject({ state: 'failed', reasons: [{ code: 'buyer_refused' }] });
  await t.workFor(MINUTE);
  await t.beat();
  expect(await t.atp('SCARF')).toBe(3);
});

test('19: a refusal whose answer is lost, and a server that dies on it, change nothing of this', async () => {
  await shop();
  const reservation = await t.mirrored('SCARF', 1);
  const { order_id } = answerOf(await t.submit(reservation, REFUSED));
  t.server.faults.add({ operation: 'draftOrderUpdate', when: 'after', action: 'drop' });
  await t.workFor(MINUTE);
  expect((await told(order_id)).status).toBe('held');
  const next = t.beside('worker-2');
  answerOf(await next.submit(reservation, RIGHT));
  t.server.faults.add({ operation: 'draftOrderUpdate', when: 'after', action: 'drop' });
  await next.workFor(2 * MINUTE);
  expect((await told(order_id)).status).toBe('placed');
  expect(t.orders()).toHaveLength(1);
});

test('19: an e-mail that the shop takes with the details and refuses at the completion is corrected there, too', async () => {
  await shop({ sandbox: { buyerRules: { emailDomains: [] } } });
  const { sink } = t.upstream;
  const real = sink.completeHold.bind(sink);
  let refusals = 1;
  sink.completeHold = async (ref, signal, payment, maySend) =>
    refusals-- > 0
      ? { outcome: 'buyer_refused', fields: ['buyer.email'], detail: 'Email is invalid' }
      : real(ref, signal, payment, maySend);
  const reservation = await t.mirrored('SCARF', 1);
  await t.submit(reservation, { buyer: { email: 'ada@gmail.ru', phone: '+4930111222' } });
  await t.work();
  expect((await t.order(reservation)).held_for).toBe('buyer_refused');
  await t.submit(reservation, { buyer: { phone: '+4930111333' } });
  await t.workFor(MINUTE);
  // The refused e-mail was left out of the correction: the draft that had it has it no more.
  expect(t.orders()).toMatchObject([{ email: null, phone: '+4930111333' }]);
});
