import { Kind, parse, visit } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';
import type { ItemObservation } from '../../../../src/ledger/model/values/observation.js';
import { SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { type AnyOperation, DOCUMENTS } from '../../../../src/sources/shopify/client/documents.js';
import { PageSizes } from '../../../../src/sources/shopify/client/page-sizes.js';
import { takeFirst, walk } from '../../../../src/sources/shopify/client/paging.js';
import { READ_ITEMS_MAX, type StockSource, UpstreamError } from '../../../../src/sources/source.js';
import { forever, json, open, rawShop } from '../raw-shop.js';
import { type OpenSandbox, type OpenSandboxOptions, openSandbox } from '../sandbox-shop.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

/** A shop that prices by Shopify's documented rule. */
async function dearShop(options: OpenSandboxOptions = {}): Promise<OpenSandbox> {
  const shop = await openSandbox({ pricing: 'documented', throttle: false, ...options });
  cleanups.push(shop.close);
  return shop;
}

/** The same shop for a client for which nothing is too costly: it asks for one thing at a time. */
const TINY = {
  items_per_page: 1,
  levels_per_item: 1,
  variants_per_item: 1,
  changed_levels_per_page: 1,
  changed_products_per_page: 1,
  variants_per_product: 1,
  orders_per_page: 1,
  lines_per_order: 1,
  returns_per_order: 1,
};
const tiny = ({ origin }: OpenSandbox) => open({ origin, tuning: TINY });

async function whole(source: StockSource): Promise<ItemObservation[]> {
  const items: ItemObservation[] = [];
  for await (const page of source.catalogue(forever)) items.push(...page.items);
  return items;
}

async function changes(source: StockSource, cursor: string) {
  const found = { levels: new Set<string>(), item_ids: new Set<string>() };
  for await (const page of source.changesSince(cursor, forever)) {
    for (const { item_id, location_id } of page.levels) found.levels.add(`${item_id} ${location_id}`);
    for (const id of page.item_ids) found.item_ids.add(id);
  }
  return found;
}

const refusals = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('MAX_COST_EXCEEDED')).length;

describe('item 20: a page that is too costly is asked for in smaller ones', () => {
  it('of the catalogue', async () => {
    const shop = await dearShop();
    const items = await whole(shop.upstream.source);
    expect(items.length).toBe(shop.shop.inventory.items.size);
    expect(items).toEqual(await whole(tiny(shop).source));
  });

  it('of a list of ids, once for all of its parts', async () => {
    const shop = await dearShop();
    const ids = (await whole(tiny(shop).source)).map(({ item_id }) => item_id).slice(0, READ_ITEMS_MAX);
    const items = await shop.upstream.source.readItems(ids, forever);
    expect(items.map(({ item_id }) => item_id)).toEqual(ids);
    expect(items).toEqual(await readEach(tiny(shop).source, ids));
  });

  it('of what changed, all of it, where everything did', async () => {
    const shop = await dearShop();
    const cursor = '2020-01-01T00:00:00Z';
    const found = await changes(shop.upstream.source, cursor);
    expect(found.levels.size).toBe(shop.shop.inventory.levels.size);
    expect(found.item_ids.size).toBe(shop.shop.inventory.items.size);
  });

  it('of SKUs and of the items of products', async () => {
    const shop = await dearShop();
    const skus = [...shop.shop.inventory.items.values()].flatMap(({ sku }) => sku ?? []);
    const found = await shop.upstream.source.findBySku(skus.slice(0, 50), forever);
    expect(new Set(found.map(({ sku }) => sku))).toEqual(new Set(skus.slice(0, 50)));
    const products = [...shop.shop.inventory.products.keys()].map((id) => id.split('/').at(-1) ?? '');
    const items = await shop.upstream.source.itemsOfProducts(products, forever);
    expect(items.length).toBe(shop.shop.inventory.items.size);
  });

  it('of orders with their lines, refunds and returns', async () => {
    const shop = await dearShop();
    const refs: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const { ref, name } = await placeOrder(shop, `hf-${count}`);
      refs.push(ref);
      for (let refunds = 0; refunds <= count; refunds += 1)
        shop.shop.refund(name, { [SEED_SKUS.plentiful]: 1 }, { restock: 'CANCEL' });
    }
    const orders = await shop.upstream.orders.readOrders(refs, forever);
    expect(orders.map(({ order_ref }) => order_ref).sort()).toEqual([...refs].sort());
    expect(orders.map(({ refunds }) => refunds.length)).toEqual([1, 2, 3, 4]);
    const small = tiny(shop).orders;
    const each = await Promise.all(refs.map(async (ref) => (await small.readOrders([ref], forever))[0]));
    expect(orders).toEqual(each);
    const changed: string[] = [];
    for await (const page of shop.upstream.orders.ordersChangedSince('2020-01-01T00:00:00Z', forever))
      changed.push(...page.orders.map(({ order_ref }) => order_ref));
    expect(new Set(changed)).toEqual(new Set(refs));
  });

  it('and is not asked for again: the size is remembered, by document', async () => {
    const shop = await dearShop();
    await whole(shop.upstream.source);
    const first = refusals(shop.upstream.lines);
    expect(first).toBeGreaterThan(0);
    await whole(shop.upstream.source);
    expect(refusals(shop.upstream.lines)).toBe(first);
    expect(shop.upstream.lines.filter((line) => line.includes('"warn"'))).toEqual([]);
  });
});

describe('item 20: sizes', () => {
  it.each(Object.entries<AnyOperation>(DOCUMENTS))(
    '%s can be made smaller in each of its lists',
    (_, operation) => {
      const sized = new Set<string>();
      visit(parse(operation.source), {
        Field({ arguments: given, selectionSet }) {
          for (const { name, value } of given ?? []) {
            if (value.kind !== Kind.VARIABLE) continue;
            const variable = value.name.value;
            if (name.value === 'ids') sized.add(variable);
            if (name.value !== 'first') continue;
            sized.add(variable);
            const fields = selectionSet?.selections.flatMap((one) =>
              one.kind === Kind.FIELD ? [one.name.value] : [],
            );
            // What was cut off has to be noticed. The refunds of an order are a plain list, and of a search only the best are wanted.
            const isSearch = given?.some(
              (one) => one.value.kind === Kind.ENUM && one.value.value === 'RELEVANCE',
            );
            if (!fields?.includes('createdAt') && isSearch !== true) expect(fields).toContain('pageInfo');
          }
        },
      });
      expect([...operation.sizes].sort()).toEqual([...sized].sort());
    },
  );

  const doc = { name: 'Doc', sizes: ['ids', 'levels', 'variants'] };

  it('the outermost is halved until it is one, then the largest of the others, until all are one', () => {
    const sizes = new PageSizes();
    const asked = { ids: ['a', 'b', 'c', 'd', 'e'], levels: 5, variants: 2, query: 'x' };
    const seen: unknown[] = [];
    do {
      const { ids, levels, variants } = sizes.cut(doc, asked).now;
      seen.push([ids.length, levels, variants]);
    } while (sizes.shrink(doc, sizes.cut(doc, asked).now));
    expect(seen).toEqual([
      [5, 5, 2],
      [2, 5, 2],
      [1, 5, 2],
      [1, 2, 2],
      [1, 1, 2],
      [1, 1, 1],
    ]);
    expect(sizes.cut(doc, asked).later).toEqual({ ...asked, ids: ['b', 'c', 'd', 'e'] });
    expect(sizes.cut({ name: 'Other', sizes: ['ids'] }, asked)).toEqual({ now: asked, later: null });
  });

  it('one that another call has made smaller meanwhile is tried before it is halved again', () => {
    const sizes = new PageSizes();
    const asked = { ids: ['a', 'b', 'c', 'd'], levels: 5, variants: 2 };
    expect(sizes.shrink(doc, asked)).toBe(true);
    expect(sizes.shrink(doc, asked)).toBe(true);
    expect(sizes.cut(doc, asked).now.ids).toEqual(['a', 'b']);
  });

  it('a query that is too costly at its smallest is refused', async () => {
    const shop = await rawShop((_request, response) => {
      const extensions = { code: 'MAX_COST_EXCEEDED', cost: 2_000, maxCost: 1_000 };
      json(response, { errors: [{ message: 'Query cost is 2000', extensions }] });
    });
    cleanups.push(shop.close);
    const { source } = open({ origin: shop.origin });
    const failure = await source.readItems(['1', '2', '3'], forever).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UpstreamError);
    expect(failure).toMatchObject({ failure: 'refused' });
    const sizes = shop.requests.map(({ body }) => Array(body.variables?.['ids']).flat().length);
    expect(sizes.slice(0, 2)).toEqual([3, 1]);
    expect(shop.requests.at(-1)?.body.variables).toMatchObject({ levels: 1, variants: 1 });
  });

  it('a walk is bounded by its objects, whatever the size of its pages', async () => {
    const pages = (size: number) => async (after: string | null) => {
      const at = Number(after ?? 0);
      const nodes = Array.from({ length: size }, (_, index) => at + index);
      return { nodes, pageInfo: { hasNextPage: true, endCursor: String(at + Math.max(1, size)) } };
    };
    const count = async (size: number, most: number) => {
      let seen = 0;
      const walked = (async () => {
        for await (const nodes of walk(pages(size), most)) seen += nodes.length;
      })();
      await expect(walked).rejects.toMatchObject({ failure: 'protocol' });
      return seen;
    };
    expect(await count(1, 300)).toBe(300);
    expect(await count(100, 300)).toBe(300);
    expect(await count(0, 300)).toBe(0);
    expect(await takeFirst(3, pages(1))).toEqual([0, 1, 2]);
  });
});

async function readEach(source: StockSource, ids: readonly string[]): Promise<ItemObservation[]> {
  const items: ItemObservation[] = [];
  for (const id of ids) items.push(...(await source.readItems([id], forever)));
  return items;
}

async function placeOrder(shop: OpenSandbox, tag: string): Promise<{ ref: string; name: string }> {
  const skus = [SEED_SKUS.plentiful, SEED_SKUS.mixedStates];
  const items = await shop.upstream.source.findBySku(skus, forever);
  const lines = items.map(({ variant_id }) => ({ variant_id, quantity_units: 4 }));
  const hold = await shop.upstream.sink.createHold({ tag, lines, until_ms: shop.now() + 900_000 }, forever);
  if (hold.outcome !== 'done') throw new Error(`no hold: ${JSON.stringify(hold)}`);
  expect((await shop.upstream.sink.findHolds(tag, forever)).length).toBe(1);
  const order = await shop.upstream.sink.completeHold(hold.value.hold_ref, forever, 'paid');
  if (order.outcome !== 'done') throw new Error(`no order: ${JSON.stringify(order)}`);
  return { ref: order.value.order_ref, name: order.value.order_name };
}
