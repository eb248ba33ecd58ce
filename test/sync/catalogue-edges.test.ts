/** What a catalogue can be like besides one variant with one stock: what can be named then, and what is promised. */

import { afterEach, describe, expect, test } from 'vitest';
import { NO_DETAILS } from '../../src/sandbox/base/line.js';
import { newLine } from '../../src/sandbox/shop/orders/orders.js';
import type { Variant as ShopVariant } from '../../src/sandbox/shop/stock/inventory.js';
import { refusalOf, SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, SMALL_CATALOGUE, STORE, tailOf, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

type Variant = (typeof SMALL_CATALOGUE)['products'][number]['variants'][number];

const open = async (more: (typeof SMALL_CATALOGUE)['products'] = []) => {
  const catalogue = { ...SMALL_CATALOGUE, products: [...SMALL_CATALOGUE.products, ...more] };
  t = await ShopLedger.open({ sandbox: { catalogue } });
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

function withVariants(title: string, variants: readonly Partial<Variant>[]) {
  const { variants: _, ...rest } = product(null, {}, title);
  return {
    ...rest,
    variants: variants.map((variant, index) => ({
      sku: null,
      title: `Kind ${index}`,
      options: [{ name: 'Kind', value: `${index}` }],
      price: '10.00',
      stock: {},
      ...variant,
    })),
  };
}

/** Somebody buys a variant that has no SKU of its own to name it by. */
function sellVariant(variant: ShopVariant, units: number): void {
  const { shop } = t.server;
  const lines = [newLine(shop.inventory, variant, units)];
  const taking = { from: 'available', allocations: shop.routing.allocate(lines) } as const;
  shop.orders.place({ lines, details: NO_DETAILS, taking, isPaid: true }, shop.settle());
}

describe('variants that share an inventory item', () => {
  const pair = withVariants('Mug, alone or as a gift', [
    { sku: 'MUG', stock: { [WAREHOUSE]: 8 } },
    { sharesItemOf: 'MUG' },
  ]);
  /** The second variant, as the shop knows it. */
  const gift = () => {
    const { inventory } = t.server.shop;
    const item = inventory.itemOfVariant(inventory.variantOfSku('MUG'));
    const [, second] = inventory.variantsOfItem(item);
    if (second === undefined) throw new Error('the item has one variant');
    return second;
  };

  test('are one SKU with one stock, sold as the newest of them', async () => {
    await open([pair]);
    expect(await t.store.searchItems('mug', 5)).toEqual([
      { sku: 'MUG', title: 'Mug, alone or as a gift', variant: 'Kind 1' },
    ]);
    expect((await t.item('MUG')).variant_id).toBe(tailOf(gift().id));
    await t.accepted(await t.granted('MUG', 2));
    await t.work();
    expect(t.orders().flatMap(({ lines }) => lines.map(({ variantId }) => variantId))).toEqual([gift().id]);
    await t.expectTrueBooks();
  });

  test('move the one figure, whichever of them is sold', async () => {
    await open([pair]);
    t.server.shop.sell('MUG', 1);
    await heartbeat();
    expect(await t.atp('MUG')).toBe(7);
    sellVariant(gift(), 3);
    await heartbeat();
    expect(await t.atp('MUG')).toBe(4);
    await t.expectTrueBooks();
  });

  test('outlive the first: what is left is sold as the other', async () => {
    await open([pair]);
    const second = gift();
    t.server.shop.removeVariant('MUG');
    await heartbeat();
    expect(await t.item('MUG')).toMatchObject({ variant_id: tailOf(second.id), lifecycle: 'active' });
    expect(await t.atp('MUG')).toBe(8);
    await t.expectTrueBooks();
  });
});

describe('an item that the shop does not track', () => {
  test('is unlisted and promises nothing; tracked again, it is sold', async () => {
    await open();
    t.server.shop.setTracked('SCARF', false);
    await heartbeat();
    expect(await one('SCARF')).toMatchObject({ status: 'unlisted', available_to_promise: 0 });
    expect(refusalOf(await t.reserve('SCARF', 1)).code).toBe('item_discontinued');
    expect(await t.store.searchItems('SCARF', 5)).toEqual([]);
    t.server.shop.setTracked('SCARF', true);
    await heartbeat();
    expect(await one('SCARF')).toMatchObject({ status: 'active', available_to_promise: 3 });
    await t.expectTrueBooks();
  });
});

describe('an item that the shop sells on below zero (CONTINUE)', () => {
  test('is promised as far as its figure goes, and not further: overselling on purpose is the merchant’s', async () => {
    await open([
      withVariants('Pre-order', [{ sku: 'PRE', inventoryPolicy: 'CONTINUE', stock: { [WAREHOUSE]: 2 } }]),
    ]);
    expect(await t.atp('PRE')).toBe(2);
    expect(refusalOf(await t.reserve('PRE', 3)).code).toBe('stock_insufficient');
    t.server.shop.sell('PRE', 5);
    await heartbeat();
    expect(t.available('PRE')).toBe(-3);
    expect(await one('PRE')).toMatchObject({
      status: 'active',
      available_to_promise: 0,
      availability: { status: 'out_of_stock' },
    });
    t.server.shop.receive('PRE', WAREHOUSE, 4);
    await heartbeat();
    expect(await t.atp('PRE')).toBe(1);
    await t.expectTrueBooks();
  });

  test('keeps its checksum when only its policy changes: that is no stock', async () => {
    await open();
    const { stock_hash } = await t.item('SCARF');
    t.server.shop.setInventoryPolicy('SCARF', 'CONTINUE');
    await heartbeat();
    expect((await t.item('SCARF')).stock_hash).toBe(stock_hash);
  });
});

describe('an item that is connected to and disconnected from locations', () => {
  test('is promised where it is stocked, at once', async () => {
    await open();
    t.server.shop.connect('SCARF', STORE, 6);
    await heartbeat();
    expect(await t.atp('SCARF')).toBe(9);
    t.server.shop.disconnect('SCARF', STORE);
    await heartbeat();
    expect(await t.atp('SCARF')).toBe(3);
    t.server.shop.connect('SCARF', STORE, 2);
    await heartbeat();
    expect(await t.atp('SCARF')).toBe(5);
    await t.expectTrueBooks();
  });

  test('and is held at the shop where it is still stocked', async () => {
    await open();
    t.server.shop.disconnect('CAP', WAREHOUSE);
    await heartbeat();
    expect(await t.atp('CAP')).toBe(5);
    const reservation = await t.granted('CAP', 2);
    await t.work();
    expect(t.available('CAP', STORE)).toBe(3);
    expect(await t.owned(reservation)).toMatchObject({ holds: [{ state: 'mirrored' }] });
    await t.expectTrueBooks();
  });

  test('whose only location closes promises nothing, and what moved with it is promised where it went', async () => {
    await open();
    t.server.shop.closeLocation(STORE, { to: WAREHOUSE });
    await heartbeat();
    expect(await t.atp('LAMP')).toBe(4);
    expect(await t.atp('CAP')).toBe(25);
    expect((await t.level('LAMP', WAREHOUSE)).upstream_available_units).toBe(4);
    expect((await one('LAMP')).locations.map(({ name }) => name)).toEqual([WAREHOUSE]);
    await t.expectTrueBooks();
  });
});

describe('a location that is deleted', () => {
  test('is closed, calls for one full read, and not for another with each heartbeat', async () => {
    await open();
    t.rawly((db) =>
      db.exec("INSERT INTO locations (location_id, name, position, active) VALUES ('77', 'Gone', 9, 1)"),
    );
    const count = async () => (await t.store.reconciliations(10)).length;
    expect(await count()).toBe(1);
    await heartbeat();
    expect(await count()).toBe(2);
    const locations = await t.store.read({}, (state) => state.locations);
    expect(locations.get('77')).toMatchObject({ active: false });
    await heartbeat();
    await heartbeat();
    expect(await count()).toBe(2);
  });
});

describe('a product', () => {
  test.each([
    ['archived', 'ARCHIVED', 'discontinued'],
    ['taken back to draft', 'DRAFT', 'unlisted'],
  ] as const)('that is %s is not sold, and is again when it comes back', async (_, status, told) => {
    await open();
    const reservation = await t.granted('SCARF', 1);
    t.server.shop.setProductStatus('SCARF', status);
    await heartbeat();
    expect(await one('SCARF')).toMatchObject({ status: told, available_to_promise: 0 });
    expect(await t.submit(reservation)).toMatchObject({ ok: true, value: { status: 'held' } });
    t.server.shop.setProductStatus('SCARF', 'ACTIVE');
    await heartbeat();
    expect(await one('SCARF')).toMatchObject({ status: 'active' });
    await t.expectTrueBooks();
  });

  test('that is deleted is discontinued with the next full read, or as soon as somebody asks for it', async () => {
    await open();
    t.server.shop.deleteProduct('SCARF');
    await t.sync.rereadItems([(await t.item('SCARF')).item_id], new AbortController().signal);
    expect(await one('SCARF')).toMatchObject({ status: 'discontinued', available_to_promise: 0 });
    t.time.pass(SECOND);
    t.server.shop.deleteProduct('COAT');
    await t.sync.readAll(new AbortController().signal);
    expect(await one('COAT')).toMatchObject({ status: 'discontinued', available_to_promise: 0 });
    await t.expectTrueBooks();
  });

  test('whose SKU changes is known by the new one, and its units stay reserved', async () => {
    await open();
    const reservation = await t.granted('SCARF', 1);
    t.server.shop.setSku('SCARF', 'SHAWL');
    await heartbeat();
    expect((await t.check('SCARF')).unknown_skus).toEqual(['SCARF']);
    expect(await t.atp('SHAWL')).toBe(2);
    expect(await t.owned(reservation)).toMatchObject({ holds: [{ quantity_units: 1 }] });
    await t.expectTrueBooks();
  });
});
