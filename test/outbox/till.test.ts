/** A till that sells what agents are about to buy, and no webhook that tells of it: the shop is looked at before a sale. */

import { afterEach, describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const shop = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
};
afterEach(() => t.close());

const MODES = ['draft_order', 'none', 'move'] as const;

describe.each(MODES)('mode %s', (mirror) => {
  test('L5: a last unit that the till has sold since the heartbeat is not sold again, although the checksum still matches', async () => {
    await shop({ settings: { mirror } });
    const mine = await t.granted('COAT', 1);
    await t.workFor(2 * SECOND);
    t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
    const before = t.available('COAT');
    const answer = await t.submit(mine);
    expect(answer).toMatchObject({ ok: true, value: { hash_verdict: 'match', status: 'accepted' } });
    await t.workFor(10 * SECOND);
    const { state, reasons } = await t.order(mine);
    if (mirror === 'move') {
      // The unit was reserved at the shop, so the till had to go below zero for it.
      expect(before).toBe(-1);
    }
    expect(state).toBe('failed');
    expect(reasons).toMatchObject([{ code: 'stock_insufficient' }]);
    expect(t.orders()).toEqual([]);
    expect(t.available('COAT')).toBe(0);
    await t.expectTrueBooks();
  });
});

test('L5: a link is not offered for a unit that the till has sold since the heartbeat', async () => {
  await shop({ settings: { order_mode: 'checkout_link', pay_ms: HOUR } });
  const mine = await t.mirrored('COAT', 1);
  t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
  await t.accepted(mine);
  await t.workFor(10 * SECOND);
  expect(await t.order(mine)).toMatchObject({ state: 'failed', checkout_url: null });
  await t.expectTrueBooks();
});

test('one order costs one read of its items before it is completed, and one after', async () => {
  await shop();
  const mine = await t.mirrored('SCARF', 1);
  // A fault that does nothing but count.
  t.server.faults.add({ operation: 'nodes', when: 'before', action: 'delay', ms: 1, times: 100 });
  await t.accepted(mine);
  await t.workFor(SECOND);
  expect((await t.order(mine)).state).toBe('placed');
  expect(t.server.faults.list()).toMatchObject([{ times: 98 }]);
});

test('L5: a completion that comes more than a second after its read is not sent: the shop is read again', async () => {
  await shop();
  const mine = await t.mirrored('COAT', 1);
  // The draft's own details take their time, and meanwhile the till sells the unit.
  await t.accepted(mine, { note: 'gift wrap' });
  t.server.faults.add({ operation: 'draftOrderUpdate', when: 'after', action: 'delay', ms: 50 });
  const working = t.work();
  await expect.poll(() => t.drafts()[0]?.note, { timeout: 10_000 }).toBe('gift wrap');
  t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
  t.time.pass(2 * SECOND);
  await working;
  await t.workFor(10 * SECOND);
  expect((await t.order(mine)).state).toBe('failed');
  expect(t.orders()).toEqual([]);
  await t.expectTrueBooks();
});

describe('a sale that a report shows', () => {
  test('L1: makes the youngest draft due at once, and no other', async () => {
    await shop();
    const first = await t.mirrored('SCARF', 1);
    const second = await t.mirrored('SCARF', 1);
    t.server.shop.sell('SCARF', 2, { at: WAREHOUSE });
    await t.beat();
    await t.work();
    expect((await t.owned(first)).outbox.shop_state).toBe('open');
    expect((await t.owned(second)).outbox.shop_state).toBe('deleted');
    expect(t.available('SCARF')).toBe(0);
    await t.expectTrueBooks();
  });

  test('withdraws a link at once: nobody can pay for a unit that is gone', async () => {
    await shop({ settings: { order_mode: 'checkout_link', pay_ms: HOUR } });
    const mine = await t.mirrored('COAT', 1);
    await t.accepted(mine);
    await t.workFor(SECOND);
    const { checkout_url } = await t.order(mine);
    expect(checkout_url).not.toBeNull();
    t.time.pass(2 * SECOND);
    t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
    await t.beat();
    await t.work();
    const answer = await fetch(checkout_url ?? '', { method: 'POST' });
    expect(answer.status).toBe(404);
    expect((await t.order(mine)).state).toBe('failed');
    await t.expectTrueBooks();
  });

  test('and that takes the article off the shelf withdraws its links at once, and fails orders on their way', async () => {
    await shop({ settings: { order_mode: 'checkout_link', pay_ms: HOUR } });
    const mine = await t.mirrored('SCARF', 1);
    await t.accepted(mine);
    await t.workFor(SECOND);
    t.time.pass(2 * SECOND);
    t.server.shop.setProductStatus('SCARF', 'ARCHIVED');
    await t.beat();
    await t.work();
    expect(await t.order(mine)).toMatchObject({ state: 'failed', reasons: [{ code: 'item_discontinued' }] });
    expect(t.drafts()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('of what the shop itself sells on below zero is no shortage', async () => {
    await shop({
      sandbox: {
        catalogue: {
          locations: [{ name: WAREHOUSE, city: 'Hamburg', countryCode: 'DE' }],
          products: [
            {
              title: 'Hat',
              productType: 'Hats',
              vendor: 'Us',
              variants: [
                {
                  sku: 'HAT',
                  title: 'One',
                  options: [],
                  price: '10.00',
                  stock: { [WAREHOUSE]: 1 },
                  inventoryPolicy: 'CONTINUE',
                },
              ],
            },
          ],
        },
      },
    });
    const mine = await t.mirrored('HAT', 1);
    t.server.shop.sell('HAT', 2, { at: WAREHOUSE });
    await t.beat();
    await t.work();
    expect((await t.owned(mine)).outbox.shop_state).toBe('open');
    expect(await t.atp('HAT')).toBe(0);
    await t.submit({ ...mine, stock_hash: (await t.item('HAT')).stock_hash });
    await t.workFor(MINUTE);
    expect((await t.order(mine)).state).toBe('placed');
    await t.expectTrueBooks();
  });
});
