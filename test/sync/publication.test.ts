/** Item 17: what is published nowhere that agents sell is not sold. HOLDFAST_PUBLICATION says where that is. */

import { afterEach, describe, expect, test } from 'vitest';
import { ALL_SCOPES } from '../../src/sandbox/api-rules/access.js';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { answerOf, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import {
  product,
  ShopLedger,
  type ShopLedgerOptions,
  SMALL_CATALOGUE,
  tailOf,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

const catalogue: Catalogue = {
  ...SMALL_CATALOGUE,
  products: [
    ...SMALL_CATALOGUE.products,
    { ...product('TILL', { [WAREHOUSE]: 6 }), publishedOn: ['pos'] },
    { ...product('NOWHERE', { [WAREHOUSE]: 6 }), publishedOn: [] },
    { ...product('TRADE', { [WAREHOUSE]: 6 }), publishedOn: ['wholesale', 'online_store'] },
  ],
};

const open = async (more: ShopLedgerOptions = {}) => {
  const { sandbox, ...options } = more;
  t = await ShopLedger.open({
    publication: 'online_store',
    ...options,
    sandbox: { catalogue, ...sandbox },
  });
};
const beat = async (ms = 15 * SECOND) => {
  t.time.pass(ms);
  await t.beat();
};
const one = async (sku: string) => {
  const [item] = (await t.check(sku)).items;
  if (item === undefined) throw new Error(`the ledger knows no ${sku}`);
  return item;
};
const NOT_PUBLISHED = { status: 'unlisted', off_sale: 'not_published', available_to_promise: 0 };
const isSold = async (sku: string) => (await one(sku)).status === 'active';
/** Heartbeats for so long. Answers after how much time the SKU was no longer, or again, on sale. */
const seenAfter = async (sku: string, sold: boolean, forMs: number): Promise<number | null> => {
  for (let passed = 0; passed < forMs; ) {
    await beat();
    passed += 15 * SECOND;
    if ((await isSold(sku)) === sold) return passed;
  }
  return null;
};
const without = (scope: string) => ALL_SCOPES.filter((one) => one !== scope);
const wholesaleId = () => tailOf(t.server.shop.publications.named('wholesale').id);

describe('item 17: publication', () => {
  test('an active item that is published elsewhere or nowhere is unlisted, and refused with the reason', async () => {
    await open();
    for (const sku of ['TILL', 'NOWHERE']) {
      expect(await one(sku)).toMatchObject(NOT_PUBLISHED);
      const refusal = refusalOf(await t.reserve(sku, 1));
      expect(refusal).toMatchObject({
        code: 'item_discontinued',
        details: { status: 'unlisted', off_sale: 'not_published' },
      });
    }
    expect(await one('TRADE')).toMatchObject({ status: 'active', available_to_promise: 6 });
    expect(await t.atp('CAP')).toBe(25);
    await t.expectTrueBooks();
  });

  test('the same where the catalogue is read in bulk', async () => {
    await open({ tuning: { bulk_from_items: 1 } });
    expect(await one('TILL')).toMatchObject(NOT_PUBLISHED);
    expect(await t.atp('CAP')).toBe(25);
    expect(t.upstream.lines.join()).not.toContain('no full read in bulk');
  });

  test('`any` sells them, and asks for no flag', async () => {
    await open({ publication: 'any', sandbox: { scopes: without('read_publications') } });
    expect(await t.atp('TILL')).toBe(6);
    expect(await t.atp('NOWHERE')).toBe(6);
    expect(t.upstream.lines.join()).not.toContain('publication');
  });

  test('an id names another publication', async () => {
    await open();
    const id = wholesaleId();
    await t.close();
    await open({ publication: id });
    expect(await t.atp('TRADE')).toBe(6);
    expect(await one('TILL')).toMatchObject(NOT_PUBLISHED);
  });

  test('one variant that is taken off is not sold, the others are', async () => {
    await open();
    t.server.shop.addVariant('SCARF', {
      sku: 'SCARF-2',
      title: 'Two',
      options: [],
      price: '10.00',
      stock: { [WAREHOUSE]: 4 },
    });
    await beat();
    t.server.shop.setVariantPublished('SCARF-2', false);
    await beat();
    expect(await one('SCARF-2')).toMatchObject(NOT_PUBLISHED);
    expect(await t.atp('SCARF')).toBe(3);
  });

  test('unpublishing is seen within one heartbeat where the time of the product moves', async () => {
    await open();
    t.server.shop.setPublished('CAP', false);
    await beat();
    expect(await one('CAP')).toMatchObject(NOT_PUBLISHED);
    t.server.shop.setPublished('CAP', true);
    await beat();
    expect(await t.atp('CAP')).toBe(25);
    await t.expectTrueBooks();
  });

  test.each([
    ['off', true],
    ['on', false],
  ] as const)(
    'publishing that moves no time (%s) is seen within five minutes, without a full read',
    async (_, wasSold) => {
      await open({ sandbox: { publishingMovesTime: false } });
      const sku = wasSold ? 'CAP' : 'NOWHERE';
      await beat(20 * SECOND);
      expect(await isSold(sku)).toBe(wasSold);
      t.server.shop.setPublished(sku, !wasSold);
      const seen = await seenAfter(sku, !wasSold, 6 * MINUTE);
      expect(seen).not.toBeNull();
      expect(seen).toBeLessThanOrEqual(5 * MINUTE);
      expect(await t.store.reconciliations(10)).toHaveLength(1);
      await t.expectTrueBooks();
    },
  );

  test('a scheduled launch is not sold before its time, and within five minutes after it', async () => {
    await open();
    t.server.shop.schedulePublishing('NOWHERE', t.time.wall_ms + 20 * MINUTE);
    expect(await seenAfter('NOWHERE', true, 20 * MINUTE - 30 * SECOND)).toBeNull();
    expect(await seenAfter('NOWHERE', true, 6 * MINUTE)).toBeLessThanOrEqual(5 * MINUTE + 30 * SECOND);
  });

  test('flags that cannot be read are read at the next heartbeat; the heartbeat itself counts', async () => {
    await open({ sandbox: { publishingMovesTime: false }, tuning: { attempts_max: 1 } });
    t.server.shop.setPublished('CAP', false);
    t.server.faults.add({ operation: 'productVariants', when: 'before', action: 'status', code: 503 });
    await beat(5 * MINUTE);
    expect(t.events.map(({ event }) => event)).toContain('listings_unread');
    const { confirmed_at_ms } = await t.store.read({}, (state) => state.sync);
    expect(t.time.wall_ms - confirmed_at_ms).toBeLessThan(MINUTE);
    await beat();
    expect(await one('CAP')).toMatchObject(NOT_PUBLISHED);
  });
});

describe('item 17: an accepted order of an item that is unpublished', () => {
  test.each([
    ['draft_order', 'complete'],
    ['draft_order', 'checkout_link'],
    ['none', 'complete'],
  ] as const)('%s, %s: is not completed, and no link is offered', async (mirror, order_mode) => {
    await open({ settings: { mirror, order_mode }, sandbox: { publishingMovesTime: false } });
    const reservation = await t.granted('CAP', 1);
    await t.workFor(SECOND);
    const order = answerOf(await t.submit(reservation));
    expect(['accepted', 'held']).toContain(order.status);
    t.server.shop.setPublished('CAP', false);
    await t.workFor(5 * SECOND);
    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'item_discontinued', sku: 'CAP' }],
      checkout_url: null,
    });
    expect(t.orders()).toEqual([]);
    expect(t.drafts()).toEqual([]);
    await t.expectTrueBooks();
  });
});

describe('item 17: where the flags cannot be had', () => {
  test('without the scope stock is told as under `any`, and the log says so once', async () => {
    await open({ sandbox: { scopes: without('read_publications') } });
    expect(await t.atp('TILL')).toBe(6);
    await beat();
    await beat(6 * MINUTE);
    const told = t.upstream.lines.filter((line) => line.includes('publication not found'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('scope_missing');
  });

  test('without such a publication, too', async () => {
    await open({ sandbox: { channels: ['pos', 'wholesale'] } });
    expect(await t.atp('NOWHERE')).toBe(6);
    expect(t.upstream.lines.join()).toContain('"why":"unknown"');
  });

  test('a scope that is granted later is used within five minutes, by one full read', async () => {
    await open({ sandbox: { scopes: without('read_publications') } });
    t.server.grantScopes(ALL_SCOPES);
    expect(await seenAfter('TILL', false, 6 * MINUTE)).toBeLessThanOrEqual(5 * MINUTE);
    expect(await t.store.reconciliations(10)).toHaveLength(2);
    await t.expectTrueBooks();
  });

  test('a scope that is withdrawn stops no read', async () => {
    await open();
    t.server.grantScopes(without('read_publications'));
    await t.sync.rereadItems([(await t.item('CAP')).item_id], new AbortController().signal);
    expect(await t.atp('CAP')).toBe(25);
    const reservation = await t.granted('CAP', 1);
    await t.work();
    await t.accepted(reservation);
    await t.work();
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('a shop that does not answer proves nothing: no item is sold as under `any`', async () => {
    t = await ShopLedger.bare({
      publication: 'online_store',
      sandbox: { catalogue },
      tuning: { attempts_max: 1 },
    });
    t.server.faults.add({
      operation: 'publications',
      when: 'before',
      action: 'status',
      code: 503,
      times: 1,
    });
    await expect(t.beat()).rejects.toThrow('shop');
    expect((await t.check('TILL')).unknown_skus).toEqual(['TILL']);
    await t.beat();
    expect(await one('TILL')).toMatchObject(NOT_PUBLISHED);
  });

  test('another setting reads everything again at the first heartbeat of the new process', async () => {
    await open({ publication: 'any' });
    expect(await t.atp('TILL')).toBe(6);
    const other = t.beside('worker-2', { publication: 'online_store' });
    await t.sync.close();
    t.time.pass(15 * SECOND);
    await other.beat();
    expect(await one('TILL')).toMatchObject(NOT_PUBLISHED);
    await t.expectTrueBooks();
  });
});
