/** Item 21: a full read is believed only as far as the shop's own counts confirm it. */

import { afterEach, describe, expect, test } from 'vitest';
import { answerOf, SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, type ShopLedgerOptions, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
const open = async (options: ShopLedgerOptions = {}) => {
  t = await ShopLedger.open(options);
};
afterEach(() => t.close());

const signal = new AbortController().signal;
const short = () => t.events.filter(({ event }) => event === 'full_read_short');
const item = async (sku: string) => (await t.check(sku)).items[0];

async function reconcile(onPage: () => void = () => undefined) {
  t.time.pass(SECOND);
  const done = await t.sync.reconcile(signal, { onProgress: onPage });
  if (!done.done) throw new Error('another process has the lease');
  return done.report;
}

describe('item 21: a full read that shows less than the shop counts', () => {
  test('takes nothing for deleted, promises nothing of it, and says so', async () => {
    await open();
    t.server.set({ hiddenSkus: ['SCARF'] });
    expect(await reconcile()).toMatchObject({
      variants_read: 3,
      variants_counted: 4,
      catalogue_drift_total: 0,
    });
    expect(await item('SCARF')).toMatchObject({ status: 'active', available_to_promise: 0, fresh: false });
    expect((await item('CAP'))?.available_to_promise).toBe(25);
    expect(short()).toHaveLength(2);
    t.server.set({ hiddenSkus: [] });
    expect(await reconcile()).toMatchObject({ variants_read: 4, variants_counted: 4, drift_total: 0 });
    expect(await item('SCARF')).toMatchObject({ available_to_promise: 3, fresh: true });
    await t.expectTrueBooks();
  });

  test('is read a second time, and confirmed when it shows all then', async () => {
    await open();
    t.server.set({ hiddenSkus: ['SCARF'] });
    let pages = 0;
    const report = await reconcile(() => {
      pages += 1;
      t.server.set({ hiddenSkus: [] });
    });
    expect(report).toMatchObject({ variants_read: 4, variants_counted: 4, items_read: 4 });
    expect([pages, short().length]).toEqual([2, 1]);
    expect(await item('SCARF')).toMatchObject({ status: 'active', available_to_promise: 3, fresh: true });
  });

  test('is not read twice each time where the shop never shows the rest', async () => {
    await open({ sandbox: { hiddenSkus: ['SCARF'] } });
    expect(short()).toHaveLength(2);
    let pages = 0;
    await reconcile(() => {
      pages += 1;
    });
    expect([pages, short().length]).toEqual([1, 3]);
  });

  test('leaves a SKU that nobody knows to be looked up at the shop', async () => {
    await open({ sandbox: { hiddenSkus: ['SCARF'] } });
    expect((await t.check('SCARF')).unknown_skus).toEqual(['SCARF']);
    t.server.set({ hiddenSkus: [] });
    const { items } = answerOf(await t.ledger.checkStock(['SCARF']));
    expect(items[0]).toMatchObject({ sku: 'SCARF', available_to_promise: 3, fresh: true });
    await reconcile();
    expect(answerOf(await t.ledger.checkStock(['NO-SUCH'])).unknown_skus).toEqual(['NO-SUCH']);
  });

  test('is no matter of what comes and goes while it is read', async () => {
    await open({ tuning: { items_per_page: 1 } });
    let pages = 0;
    const report = await reconcile(() => {
      pages += 1;
      if (pages === 2) t.server.shop.deleteProduct('CAP');
      if (pages === 3) t.server.shop.addProduct(product('NEW', { [WAREHOUSE]: 2 }));
    });
    expect(report.variants_counted).toBe(4);
    expect(short()).toEqual([]);
    expect((await item('NEW'))?.available_to_promise).toBe(2);
  });

  test('still finds what was really deleted', async () => {
    await open();
    t.server.shop.deleteProduct('SCARF');
    expect(await reconcile()).toMatchObject({ variants_read: 3, variants_counted: 3 });
    expect(await item('SCARF')).toMatchObject({ status: 'discontinued', available_to_promise: 0 });
    await t.expectTrueBooks();
  });
});
