/** Item 17: what may be sold at all. Each row of the table of sellability, from the shop's field to what the agent is told. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import type { Shop } from '../../src/sandbox/shop/shop.js';
import { SELLABILITY } from '../../src/sources/shopify/stock/sellability.js';
import { refusalOf, SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, SMALL_CATALOGUE, tailOf, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

/** As above, and of another kind from the start: what a merchant can't change later. */
const catalogue: Catalogue = {
  ...SMALL_CATALOGUE,
  products: [
    ...SMALL_CATALOGUE.products,
    { ...product('GIFT', { [WAREHOUSE]: 9 }), productType: 'Gift Cards' },
    { ...product('LISTING', { [WAREHOUSE]: 9 }), combinedListingRole: 'PARENT' },
    { ...product('LISTED', { [WAREHOUSE]: 9 }), combinedListingRole: 'CHILD' },
  ],
};

const open = async (more: Catalogue['products'] = []) => {
  t = await ShopLedger.open({
    sandbox: { catalogue: { ...catalogue, products: [...catalogue.products, ...more] } },
  });
};
const heartbeat = async () => {
  t.time.pass(15 * SECOND);
  await t.beat();
};
const one = async (sku: string) => {
  const [item] = (await t.check(sku)).items;
  if (item === undefined) throw new Error(`the ledger knows no ${sku}`);
  return item;
};

type Turn = (shop: Shop) => void;

/** By reason: the field that gives it, and how the merchant turns it on and off. */
const CHANGES: readonly (readonly [string, string, string, Turn, Turn])[] = [
  [
    'archived',
    'Product.status',
    'discontinued',
    (shop) => shop.setProductStatus('CAP', 'ARCHIVED'),
    (shop) => shop.setProductStatus('CAP', 'ACTIVE'),
  ],
  [
    'draft',
    'Product.status',
    'unlisted',
    (shop) => shop.setProductStatus('CAP', 'DRAFT'),
    (shop) => shop.setProductStatus('CAP', 'ACTIVE'),
  ],
  [
    'direct_link_only',
    'Product.status',
    'unlisted',
    (shop) => shop.setProductStatus('CAP', 'UNLISTED'),
    (shop) => shop.setProductStatus('CAP', 'ACTIVE'),
  ],
  [
    'untracked',
    'InventoryItem.tracked',
    'unlisted',
    (shop) => shop.setTracked('CAP', false),
    (shop) => shop.setTracked('CAP', true),
  ],
  [
    'bundle',
    'ProductVariant.requiresComponents',
    'unlisted',
    (shop) => shop.setComponents('CAP', { SCARF: 1, LAMP: 2 }),
    (shop) => shop.setComponents('CAP', {}),
  ],
  [
    'subscription_only',
    'Product.requiresSellingPlan',
    'unlisted',
    (shop) => shop.setRequiresSellingPlan('CAP', true),
    (shop) => shop.setRequiresSellingPlan('CAP', false),
  ],
];

describe('item 17: what is not for sale', () => {
  test.each(CHANGES)(
    '%s (%s) is %s within one heartbeat, promises nothing, and is sold again when it ends',
    async (off_sale, _, status, begin, end) => {
      await open();
      begin(t.server.shop);
      await heartbeat();
      expect(await one('CAP')).toMatchObject({ status, off_sale, available_to_promise: 0 });
      const { code, details } = refusalOf(await t.reserve('CAP', 1));
      expect({ code, details }).toMatchObject({
        code: 'item_discontinued',
        details: { sku: 'CAP', status, off_sale },
      });
      expect(await t.store.searchItems('CAP', 5)).toEqual([]);
      end(t.server.shop);
      await heartbeat();
      expect(await one('CAP')).toMatchObject({ status: 'active', available_to_promise: 25 });
      expect((await one('CAP')).off_sale).toBeUndefined();
      await t.expectTrueBooks();
    },
  );

  test.each([
    ['gift_card', 'Product.isGiftCard', 'GIFT'],
    ['combined_listing', 'Product.combinedListingRole', 'LISTING'],
  ])('%s (%s): %s is unlisted from the start', async (off_sale, _, sku) => {
    await open();
    expect(await one(sku)).toMatchObject({ status: 'unlisted', off_sale, available_to_promise: 0 });
    expect(refusalOf(await t.reserve(sku, 1)).code).toBe('item_discontinued');
    expect(await one('LISTED')).toMatchObject({ status: 'active', available_to_promise: 9 });
  });

  test('every row of the table has a test, by its field and its reason', () => {
    const tested = [
      ...CHANGES.map(([off_sale, field]) => `${field} ${off_sale}`),
      'Product.isGiftCard gift_card',
      'Product.combinedListingRole combined_listing',
      // publication.test.ts
      'Product.publishedOnPublication not_published',
      'ProductVariant.publishedOnPublication not_published',
    ];
    expect(SELLABILITY.map(({ field, off_sale }) => `${field} ${off_sale}`).sort()).toEqual(tested.sort());
  });

  test('the same by a bulk read', async () => {
    t = await ShopLedger.open({ sandbox: { catalogue }, tuning: { bulk_from_items: 1 } });
    expect(await one('LISTING')).toMatchObject({ off_sale: 'combined_listing' });
    t.server.shop.setComponents('CAP', { SCARF: 1 });
    await t.sync.readAll(new AbortController().signal);
    expect(await one('CAP')).toMatchObject({ off_sale: 'bundle' });
  });
});

describe('item 17: a bundle', () => {
  const bundle = {
    ...product('SET', { [WAREHOUSE]: 3 }),
    variants: [
      {
        sku: 'SET',
        title: 'One',
        options: [],
        price: '10.00',
        stock: { [WAREHOUSE]: 3 },
        components: [{ sku: 'SCARF', quantity: 1 }],
      },
    ],
  };

  test('is refused with the reason, and what it is made of is sold as usual', async () => {
    await open([bundle]);
    const refusal = refusalOf(await t.reserve('SET', 1));
    expect(refusal).toMatchObject({ code: 'item_discontinued', details: { off_sale: 'bundle' } });
    expect(refusal.message).toContain('bundle');
    const reservation = await t.granted('SCARF', 3);
    await t.work();
    await t.accepted(reservation);
    await t.work();
    expect(t.orders()).toHaveLength(1);
    expect(t.available('SCARF')).toBe(0);
    await t.expectTrueBooks();
  });

  test('that a shopper buys takes its components, which are not promised any more', async () => {
    await open([bundle]);
    expect(await t.atp('SCARF')).toBe(3);
    t.server.shop.sell('SET', 2);
    await heartbeat();
    expect(t.available('SCARF')).toBe(1);
    expect(await t.atp('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test('an accepted order of what becomes a bundle is not completed', async () => {
    await open();
    const reservation = await t.mirrored('CAP', 1);
    await t.accepted(reservation);
    t.server.shop.setComponents('CAP', { SCARF: 1 });
    await t.workFor(5 * SECOND);
    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'item_discontinued', sku: 'CAP' }],
    });
    expect(t.orders()).toEqual([]);
    expect(t.drafts()).toEqual([]);
    await t.expectTrueBooks();
  });
});

describe('item 18: a shared inventory item', () => {
  const shared: Catalogue['products'] = [
    product('MUG', { [WAREHOUSE]: 8 }),
    {
      ...product(null, {}, 'Mug, as a gift'),
      variants: [{ sku: null, title: 'Gift', options: [], price: '12.00', stock: {}, sharesItemOf: 'MUG' }],
    },
  ];
  /** The variants of the item, oldest first. */
  const listings = () => {
    const { inventory } = t.server.shop;
    const item = [...inventory.items.values()].find(({ sku }) => sku === 'MUG');
    if (item === undefined) throw new Error('there is no mug');
    return inventory.variantsOfItem(item).map(({ id }) => tailOf(id));
  };

  test('lives on when its lowest variant is archived and another listing is active', async () => {
    await open(shared);
    t.server.shop.setProductStatus('MUG', 'ARCHIVED');
    await heartbeat();
    expect(await one('MUG')).toMatchObject({ status: 'active', available_to_promise: 8 });
    expect((await t.item('MUG')).variant_id).toBe(listings()[1]);
    const reservation = await t.granted('MUG', 1);
    await t.work();
    await t.accepted(reservation);
    await t.work();
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('is sold as the newest of those that are sold', async () => {
    await open(shared);
    expect((await t.item('MUG')).variant_id).toBe(listings()[1]);
  });
});
