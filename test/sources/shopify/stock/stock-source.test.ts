import { afterEach, describe, expect, it } from 'vitest';
import type { ItemObservation } from '../../../../src/ledger/model/values/observation.js';
import {
  type Catalogue,
  SEED_CATALOGUE,
  SEED_LOCATIONS,
  SEED_SKUS,
} from '../../../../src/sandbox/base/catalogue.js';
import type { ShopifyOptions } from '../../../../src/sources/shopify/shopify.js';
import { type Changes, READ_ITEMS_MAX } from '../../../../src/sources/source.js';
import { type Answerer, forever, json, type Opened, open, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const cleanups: (() => Promise<void>)[] = [];

async function sandbox(options?: Parameters<typeof openSandbox>[0]): Promise<OpenSandbox> {
  const opened = await openSandbox(options);
  cleanups.push(opened.close);
  return opened;
}

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

async function whole({ source }: Opened): Promise<ItemObservation[]> {
  const items: ItemObservation[] = [];
  for await (const page of source.catalogue(forever)) items.push(...page.items);
  return items;
}

async function itemOf(shop: Opened, sku: string): Promise<ItemObservation> {
  const [item] = await shop.source.findBySku([sku], forever);
  if (item === undefined) throw new Error(`no item with the SKU ${sku}`);
  return item;
}

const bySku = (items: readonly ItemObservation[]) => new Map(items.map((item) => [item.sku, item]));

describe('locations', () => {
  it('are all there, page by page, and a deactivated one says so', async () => {
    const shop = await sandbox({ tuning: { locations_per_page: 1 } });
    shop.shop.setLocationActive(SEED_LOCATIONS.partner, false);
    const locations = await shop.upstream.source.locations(forever);
    expect(locations.map(({ name, active }) => [name, active])).toEqual([
      [SEED_LOCATIONS.warehouse, true],
      [SEED_LOCATIONS.store, true],
      [SEED_LOCATIONS.partner, false],
    ]);
    expect(locations.every(({ location_id }) => /^\d+$/.test(location_id))).toBe(true);
  });
});

describe('the catalogue', () => {
  it('has every item once, with all of its levels, however small the pages', async () => {
    const small = { items_per_page: 7, levels_per_item: 1, variants_per_item: 1 };
    const shop = await sandbox({ tuning: small });
    const items = await whole(shop.upstream);
    const skus = SEED_CATALOGUE.products.flatMap((product) => product.variants.map((variant) => variant.sku));
    expect(items.map((item) => item.sku).sort()).toEqual(skus.sort());
    const other = await sandbox();
    expect(await whole(other.upstream)).toEqual(
      items.map((item) => ({
        ...item,
        levels: item.levels.map((level) => ({ ...level, upstream_updated_at_ms: expect.any(Number) })),
      })),
    );
  });

  it('names the lifecycle, and stocks nothing where an item has no level', async () => {
    const shop = await sandbox();
    shop.shop.setProductStatus('CANVAS-TOTE-NAT', 'DRAFT');
    shop.shop.setProductStatus('SILK-SCARF-BLU', 'UNLISTED');
    const items = bySku(await whole(shop.upstream));
    const lifecycle = (sku: string) => items.get(sku)?.lifecycle;
    expect(lifecycle(SEED_SKUS.plentiful)).toBe('active');
    expect(lifecycle(SEED_SKUS.discontinued)).toBe('discontinued');
    expect(lifecycle(SEED_SKUS.untracked)).toBe('unlisted');
    expect(lifecycle('CANVAS-TOTE-NAT')).toBe('unlisted');
    expect(lifecycle('SILK-SCARF-BLU')).toBe('unlisted');
    expect(items.get(SEED_SKUS.secondLocationOnly)?.levels.length).toBe(1);
  });

  it('takes available as the shop has it, and on hand for information only', async () => {
    const shop = await sandbox();
    const item = await itemOf(shop.upstream, SEED_SKUS.mixedStates);
    const locations = await shop.upstream.source.locations(forever);
    const at = (name: string) => {
      const id = locations.find((location) => location.name === name)?.location_id;
      return item.levels.find((level) => level.location_id === id);
    };
    expect(at(SEED_LOCATIONS.warehouse)).toMatchObject({
      available_units: 80,
      on_hand_units: 91,
      committed_units: 4,
    });
    expect(at(SEED_LOCATIONS.store)).toMatchObject({
      available_units: 20,
      on_hand_units: 20,
      committed_units: 0,
    });
  });

  it('tells a level below zero as it is', async () => {
    const shop = await sandbox();
    shop.shop.sell(SEED_SKUS.lastOne, 3);
    const { levels } = await itemOf(shop.upstream, SEED_SKUS.lastOne);
    expect(levels.map((level) => level.available_units)).toContain(-2);
  });

  it('times are milliseconds of the shop', async () => {
    const shop = await sandbox();
    shop.shop.sell(SEED_SKUS.plentiful, 1);
    const { levels } = await itemOf(shop.upstream, SEED_SKUS.plentiful);
    const newest = Math.max(...levels.map((level) => level.upstream_updated_at_ms ?? 0));
    expect(Math.abs(newest - shop.now())).toBeLessThan(2_000);
  });
});

/** All pages together. */
async function changesSince(shop: OpenSandbox, cursor: string): Promise<Changes> {
  const pages: Changes[] = [];
  for await (const page of shop.upstream.source.changesSince(cursor, forever)) pages.push(page);
  const cursors = new Set(pages.map((page) => page.cursor));
  expect(cursors.size).toBe(1);
  return {
    levels: pages.flatMap(({ levels }) => levels),
    item_ids: [...new Set(pages.flatMap(({ item_ids }) => item_ids))],
    product_ids: [...new Set(pages.flatMap(({ product_ids }) => product_ids))],
    has_lost_variants: pages.some(({ has_lost_variants }) => has_lost_variants),
    cursor: [...cursors][0] ?? '',
  };
}

describe('changes', () => {
  it('the cursor is the time of the shop, less the overlap', async () => {
    const shop = await sandbox({ tuning: { overlap_s: 90 } });
    const cursor = await shop.upstream.source.cursorNow(forever);
    expect(Date.parse(cursor)).toBe(Math.floor(shop.now() / 1_000) * 1_000 - 90_000);
    expect((await changesSince(shop, cursor)).cursor).toBe(cursor);
  });

  it('a sale and an archived product are there, in small pages, and what did not change is not', async () => {
    const tuning = {
      overlap_s: 0,
      changed_levels_per_page: 1,
      changed_products_per_page: 1,
      variants_per_product: 1,
    };
    const shop = await sandbox({ tuning, born_ms_ago: 3_600_000 });
    const cursor = await shop.upstream.source.cursorNow(forever);
    const before = await changesSince(shop, cursor);
    expect([before.levels, before.item_ids]).toEqual([[], []]);

    shop.shop.sell(SEED_SKUS.plentiful, 2);
    shop.shop.receive(SEED_SKUS.scarce, SEED_LOCATIONS.warehouse, 5);
    shop.shop.setProductStatus('CHINO-KHA-30', 'ARCHIVED');
    const { levels, item_ids } = await changesSince(shop, cursor);
    const items = await shop.upstream.source.readItems(item_ids, forever);
    const sold = await itemOf(shop.upstream, SEED_SKUS.plentiful);
    const received = await itemOf(shop.upstream, SEED_SKUS.scarce);
    expect(levels.map((level) => level.item_id).sort()).toEqual([sold.item_id, received.item_id].sort());
    expect(levels.find((level) => level.item_id === received.item_id)?.available_units).toBe(8);
    const chinos = items.filter((item) => item.sku?.startsWith('CHINO-'));
    expect(chinos.length).toBe(8);
    expect(chinos.every((item) => item.lifecycle === 'discontinued' && item.levels.length > 0)).toBe(true);
    expect(items.some((item) => item.sku?.startsWith('WOOL-COAT'))).toBe(false);
  });

  it('the overlap brings back what the search index may have missed', async () => {
    const shop = await sandbox({ tuning: { overlap_s: 120 }, born_ms_ago: 3_600_000 });
    shop.shop.sell(SEED_SKUS.plentiful, 1);
    const cursor = await shop.upstream.source.cursorNow(forever);
    const { levels } = await changesSince(shop, cursor);
    expect(levels.length).toBe(1);
  });

  it('a deactivated location is not asked, and its levels are gone from the items', async () => {
    const shop = await sandbox({ tuning: { overlap_s: 0 }, born_ms_ago: 3_600_000 });
    const cursor = await shop.upstream.source.cursorNow(forever);
    shop.shop.receive(SEED_SKUS.plentiful, SEED_LOCATIONS.partner, 5);
    shop.shop.setLocationActive(SEED_LOCATIONS.partner, false);
    const { levels } = await changesSince(shop, cursor);
    expect(levels).toEqual([]);
    expect((await itemOf(shop.upstream, SEED_SKUS.plentiful)).levels.length).toBe(2);
  });

  it('what is not a cursor is refused', async () => {
    const shop = await sandbox();
    await expect(changesSince(shop, "' OR 1")).rejects.toThrow(RangeError);
  });
});

describe('items by id', () => {
  it('are read whole; twice named is read once; what the shop does not know is absent', async () => {
    const shop = await sandbox({ tuning: { levels_per_item: 1 } });
    const item = await itemOf(shop.upstream, SEED_SKUS.plentiful);
    const read = await shop.upstream.source.readItems(
      [item.item_id, '9007199254740993', item.item_id],
      forever,
    );
    expect(read).toEqual([item]);
    expect(item.levels.length).toBe(3);
    expect(await shop.upstream.source.readItems([], forever)).toEqual([]);
  });

  it('too many, or no id at all, is refused before anything is sent', async () => {
    const shop = await sandbox();
    const many = Array.from({ length: READ_ITEMS_MAX + 1 }, (_, i) => String(i + 1));
    await expect(shop.upstream.source.readItems(many, forever)).rejects.toThrow(RangeError);
    await expect(shop.upstream.source.readItems(['1"'], forever)).rejects.toThrow(RangeError);
  });
});

describe('items by SKU', () => {
  const HOSTILE = [
    'quo"te',
    'quo"te"',
    "apo's",
    'back\\slash',
    'ends\\',
    'a:b',
    'sku:a',
    'A OR B',
    'NOT x',
    '-minus',
    '(group)',
    '"',
    '\\',
    '\\"',
    'star*',
    '*',
    "' OR sku:*",
    '" OR sku:"*',
    'Größe 42 ½',
    'two  spaces',
    'case',
    'CASE',
    '衬衫',
  ];
  const hostile: Catalogue = {
    locations: [{ name: 'L', city: 'Hamburg', countryCode: 'DE' }],
    products: [
      {
        title: 'Hostile',
        productType: 'x',
        vendor: 'x',
        variants: HOSTILE.map((sku) => ({ sku, title: sku, options: [], price: '1.00', stock: { L: 1 } })),
      },
      {
        title: 'Bystander',
        productType: 'x',
        vendor: 'x',
        variants: [{ sku: 'bystander', title: 'x', options: [], price: '1.00', stock: { L: 1 } }],
      },
    ],
  };

  it('each hostile SKU finds itself, and else those alone that differ in nothing but case', async () => {
    const shop = await sandbox({ catalogue: hostile });
    for (const sku of HOSTILE) {
      const found = await shop.upstream.source.findBySku([sku], forever);
      const skus = found.map((item) => item.sku);
      expect(skus, sku).toContain(sku);
      expect(new Set(skus.map((one) => one?.toLowerCase())), sku).toEqual(new Set([sku.toLowerCase()]));
    }
  });

  it('all of them at once find all of them', async () => {
    const shop = await sandbox({ catalogue: hostile });
    const found = await shop.upstream.source.findBySku(HOSTILE, forever);
    expect(found.map((item) => item.sku).sort()).toEqual([...HOSTILE].sort());
  });

  it('hostile text that is no SKU finds nothing', async () => {
    const shop = await sandbox();
    const texts = [...HOSTILE, 'LINEN-*', 'LINEN-SHIRT-WHT-M" OR sku:"CHINO-KHA-30', ' ', ''];
    expect(await shop.upstream.source.findBySku(texts, forever)).toEqual([]);
  });

  it('item 18: one that is spelled otherwise is found: case, and blanks around it, make no difference', async () => {
    const shop = await sandbox();
    const found = await shop.upstream.source.findBySku([' linen-shirt-WHT-m '], forever);
    expect(found.map((item) => item.sku)).toEqual(['LINEN-SHIRT-WHT-M']);
  });

  it('"*" does not read the whole shop, nor crowd out an honest SKU', async () => {
    const shop = await sandbox({ tuning: { items_per_page: 1 } });
    const found = await shop.upstream.source.findBySku(['*', SEED_SKUS.scarce], forever);
    expect(found.map((item) => item.sku)).toEqual([SEED_SKUS.scarce]);
    expect(shop.requests()).toBeLessThan(10);
  });

  it('too many are refused', async () => {
    const shop = await sandbox();
    const many = Array.from({ length: 51 }, (_, i) => `S-${i}`);
    await expect(shop.upstream.source.findBySku(many, forever)).rejects.toThrow(RangeError);
  });
});

describe('items by a buyer’s words, of the shop itself', () => {
  const find = async (query: string, limit = 5) => {
    const shop = await sandbox();
    const items = await shop.upstream.source.findByWords(query, limit, forever);
    return items.map(({ sku }) => sku);
  };

  it.each([
    ['do you have linen shirts in white, size M', ['LINEN-SHIRT-WHT-M']],
    ['silk scarf red', [SEED_SKUS.scarce]],
    ['SILK-SCARF-RED', [SEED_SKUS.scarce]],
    // Of a product that is archived.
    ['suede boots', []],
    ['zeppelin', []],
    ['...', []],
    ['OR AND NOT', []],
    ['" OR sku:* OR "', []],
  ])('%j finds %j', async (query, skus) => {
    expect(await find(query)).toEqual(skus);
  });

  it('are no more than were asked for', async () => {
    expect(await find('linen', 2)).toHaveLength(2);
  });
});

describe('answers no sandbox would give', () => {
  const opened = async (answer: Answerer, options: Partial<ShopifyOptions> = {}): Promise<Opened> => {
    const shop = await rawShop(answer);
    cleanups.push(shop.close);
    return open({ ...options, origin: shop.origin });
  };
  const LAST = { hasNextPage: false, endCursor: null };
  const variant = (id: string, title: string, status = 'ACTIVE') => ({
    id: `gid://shopify/ProductVariant/${id}`,
    title,
    product: { id: 'gid://shopify/Product/7', title: 'Shirt', status },
  });
  const rawItem = (id: string, variants: object[], levels: object[] = [], pageInfo: object = LAST) => ({
    __typename: 'InventoryItem',
    id: `gid://shopify/InventoryItem/${id}`,
    sku: 'S',
    tracked: true,
    variants: { nodes: variants, pageInfo },
    inventoryLevels: { nodes: levels, pageInfo: LAST },
  });
  const rawLevel = (quantities: object[], isActive = true) => ({
    isActive,
    updatedAt: '2026-11-23T12:00:00Z',
    location: { id: 'gid://shopify/Location/9007199254740993' },
    quantities,
  });

  it('of the variants that share an item the newest wins, whatever the order, the page, and above 2^53', async () => {
    const { source } = await opened(({ body }, response) => {
      if (body.query?.includes('ItemVariants')) {
        const nodes = [variant('9007199254740993', 'low'), variant('9007199254740995', 'high')];
        return json(response, { data: { inventoryItem: { variants: { nodes, pageInfo: LAST } } } });
      }
      const more = { hasNextPage: true, endCursor: 'c' };
      json(response, { data: { nodes: [rawItem('1', [variant('9007199254740994', 'middle')], [], more)] } });
    });
    const [item] = await source.readItems(['1'], forever);
    expect(item).toMatchObject({ variant_id: '9007199254740995', variant_title: 'high' });
  });

  it('the variant of a product without options has no name of its own', async () => {
    const { source } = await opened((_, response) =>
      json(response, { data: { nodes: [rawItem('1', [variant('1', 'Default Title')])] } }),
    );
    expect((await source.readItems(['1'], forever))[0]).toMatchObject({ variant_title: '' });
  });

  it('a level without an available figure promises 0, and an inactive one too', async () => {
    const { source } = await opened((_, response) =>
      json(response, {
        data: {
          nodes: [
            rawItem('1', [variant('1', 'a')], [rawLevel([{ name: 'on_hand', quantity: 4 }])]),
            rawItem('2', [variant('2', 'b')], [rawLevel([{ name: 'available', quantity: 7 }], false)]),
            null,
          ],
        },
      }),
    );
    const levels = (await source.readItems(['1', '2', '3'], forever)).map((item) => item.levels[0]);
    expect(levels).toEqual([
      expect.objectContaining({ location_id: '9007199254740993', available_units: 0, on_hand_units: 4 }),
      expect.objectContaining({ available_units: 0, on_hand_units: null, committed_units: null }),
    ]);
  });

  it('an item without a variant cannot be ordered and is left out', async () => {
    const { source } = await opened((_, response) => json(response, { data: { nodes: [rawItem('1', [])] } }));
    expect(await source.readItems(['1'], forever)).toEqual([]);
  });

  it('a list that never ends is a broken promise', async () => {
    const { source } = await opened((_, response) =>
      json(response, {
        data: {
          productVariantsCount: { count: 1, precision: 'EXACT' },
          inventoryItems: { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'same' } },
        },
      }),
    );
    const read = async () => {
      for await (const _ of source.catalogue(forever));
    };
    await expect(read()).rejects.toMatchObject({ failure: 'protocol' });
  });

  it('an id of another type is a broken promise', async () => {
    const location = { id: 'gid://shopify/InventoryLevel/1?inventory_item_id=2', name: 'x', isActive: true };
    const { source } = await opened((_, response) =>
      json(response, { data: { locations: { nodes: [location], pageInfo: LAST } } }),
    );
    await expect(source.locations(forever)).rejects.toMatchObject({ failure: 'protocol' });
  });

  it('a full read leaves half of the cost bucket to those who place holds', async () => {
    const throttleStatus = { maximumAvailable: 2000, currentlyAvailable: 700, restoreRate: 100 };
    const shop = await opened(({ body }, response) => {
      const isLast = body.variables?.['after'] === 'c';
      const pageInfo = isLast ? LAST : { hasNextPage: true, endCursor: 'c' };
      const data = {
        productVariantsCount: { count: 1, precision: 'EXACT' },
        inventoryItems: { nodes: [], pageInfo },
      };
      json(response, { data, extensions: { cost: { requestedQueryCost: 1, throttleStatus } } });
    });
    await whole(shop);
    expect(shop.waits_ms).toEqual([3_000]);
  });

  it.each([
    [{ count: 7, precision: 'EXACT' }, 7],
    [{ count: 10_000, precision: 'AT_LEAST' }, null],
    [null, null],
  ])('a page walk tells the total that the shop counts (%j)', async (productVariantsCount, total) => {
    const shop = await opened(
      (_, response) =>
        json(response, { data: { productVariantsCount, inventoryItems: { nodes: [], pageInfo: LAST } } }),
      { tuning: { bulk_from_items: 1_000_000 } },
    );
    const totals: (number | null)[] = [];
    for await (const page of shop.source.catalogue(forever)) totals.push(page.total_items);
    expect(totals).toEqual([total]);
  });
});
