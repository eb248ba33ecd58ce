/** Reads of a Shopify shop: locations, the catalogue with its stock levels, and what changed since a moment. */

import type {
  ItemObservation,
  LevelObservation,
  Lifecycle,
  LocationObservation,
} from '../../ledger/observation.js';
import {
  type CataloguePage,
  type Changes,
  READ_ITEMS_MAX,
  type StockSource,
  UpstreamError,
} from '../upstream.js';
import { bulkItems } from './bulk-items.js';
import type { ShopifyClient } from './client.js';
import { parseCursor, shopCursor } from './cursor.js';
import { DOCUMENTS, type Item, type Level } from './documents.js';
import { compareTails, gid, tailOf } from './gid.js';
import {
  FILTERED_OBJECTS_MAX,
  FIND_PAGES_MAX,
  FIND_SKUS_MAX,
  SKUS_PER_SEARCH,
  type Tuning,
} from './limits.js';
import { complete, walk } from './paging.js';
import { anyOf, changedSince, matches } from './search.js';

/** ARCHIVED is how a merchant takes a product off the shelf for good; DRAFT and UNLISTED are not on it. */
const LIFECYCLE = {
  ACTIVE: 'active',
  ARCHIVED: 'discontinued',
  DRAFT: 'unlisted',
  UNLISTED: 'unlisted',
} as const satisfies Record<Variant['product']['status'], Lifecycle>;

type Variant = NonNullable<Item['variants']>['nodes'][number];

export class ShopifyStockSource implements StockSource {
  readonly #client: ShopifyClient;
  readonly #tuning: Tuning;

  constructor(client: ShopifyClient, tuning: Tuning) {
    this.#client = client;
    this.#tuning = tuning;
  }

  async locations(signal: AbortSignal): Promise<readonly LocationObservation[]> {
    return (await this.#locations(signal)).locations;
  }

  /**
   * By a bulk operation where the catalogue is large, else in pages. When the operation comes to nothing, also half-way
   * through its result, the catalogue is read in pages from its beginning.
   */
  async *catalogue(signal: AbortSignal): AsyncIterable<CataloguePage> {
    const { data } = await this.#client.read(DOCUMENTS.variants_count, { limit: null }, signal);
    // Several variants may sell one item, so this is a little high.
    const count = data.productVariantsCount;
    if (count !== null && count.count > this.#tuning.bulk_from_items) {
      try {
        for await (const { items, total_items } of bulkItems(this.#client, this.#tuning, signal)) {
          yield { items: await this.#observeItems(items, signal), as_of: 'walk', total_items };
        }
        return;
      } catch (error) {
        if (!(error instanceof UpstreamError) || signal.aborted) throw error;
        const { failure, detail } = error;
        this.#client.note('warn', 'no full read in bulk, reading pages', { failure, detail });
      }
    }
    yield* this.#pages(count?.precision === 'EXACT' ? count.count : null, signal);
  }

  async cursorNow(signal: AbortSignal): Promise<string> {
    const { shop_time_ms } = await this.#client.read(DOCUMENTS.clock, {}, signal);
    return shopCursor(shop_time_ms, this.#tuning.overlap_s);
  }

  /**
   * Throws UpstreamError `protocol` also when more changed than can be paged to (25,000 levels of one location, or
   * products): then only a full read helps. Throws RangeError on a cursor that is not one of ours.
   */
  async *changesSince(cursor: string, signal: AbortSignal): AsyncGenerator<Changes> {
    const since_ms = parseCursor(cursor);
    // The clock is read before anything else: what changes while we read is covered by the next cursor.
    const { locations, shop_time_ms } = await this.#locations(signal);
    const next = shopCursor(shop_time_ms, this.#tuning.overlap_s);
    yield { levels: [], item_ids: [], cursor: next };
    for (const { location_id, active } of locations) {
      if (!active) continue;
      for await (const levels of this.#changedLevels(location_id, since_ms, signal))
        yield { levels, item_ids: [], cursor: next };
    }
    for await (const item_ids of this.#changedItemIds(since_ms, signal))
      yield { levels: [], item_ids, cursor: next };
  }

  /** Throws RangeError above `READ_ITEMS_MAX` ids. */
  async readItems(itemIds: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    if (itemIds.length > READ_ITEMS_MAX)
      throw new RangeError(`more than ${READ_ITEMS_MAX} items in one read`);
    const ids = [...new Set(itemIds)].map((id) => gid('InventoryItem', id));
    if (ids.length === 0) return [];
    const { variants_per_item: variants, levels_per_item: levels } = this.#tuning;
    const { data } = await this.#client.read(DOCUMENTS.items_by_id, { ids, variants, levels }, signal);
    const items = data.nodes.filter((node) => node?.__typename === 'InventoryItem');
    return await this.#observeItems(items, signal);
  }

  async itemsOfProducts(productIds: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const ids = new Set<string>();
    const first = this.#tuning.variants_per_product;
    for (const productId of new Set(productIds)) {
      const id = gid('Product', productId);
      const pages = walk(async (after) => {
        const { data } = await this.#client.read(DOCUMENTS.product_variants, { id, first, after }, signal);
        return data.product?.variants ?? null;
      });
      for await (const nodes of pages) {
        for (const { inventoryItem } of nodes) ids.add(tailOf('InventoryItem', inventoryItem.id));
      }
    }
    return [...ids];
  }

  /**
   * Exact and case-sensitive, whatever the shop's search makes of the text. Throws RangeError above `FIND_SKUS_MAX`.
   * Of what one search brings, `FIND_PAGES_MAX` pages are looked at: "*" must not read the whole shop.
   */
  async findBySku(skus: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    const wanted = new Set(skus.filter((sku) => sku !== ''));
    if (wanted.size > FIND_SKUS_MAX) throw new RangeError(`more than ${FIND_SKUS_MAX} SKUs in one search`);
    const found = new Map<string, ItemObservation>();
    for (const some of searches(wanted)) {
      const query = anyOf(some.map((sku) => matches('sku', sku)));
      let pages = 0;
      for await (const nodes of walk((after) => this.#itemsPage(query, after, signal))) {
        pages += 1;
        if (pages > FIND_PAGES_MAX) break;
        const exact = nodes.filter((node) => node.sku !== null && wanted.has(node.sku));
        for (const item of await this.#observeItems(exact, signal)) found.set(item.item_id, item);
      }
    }
    return [...found.values()];
  }

  async *#pages(total_items: number | null, signal: AbortSignal): AsyncGenerator<CataloguePage> {
    const pages = walk(async (after) => {
      if (after !== null) await this.#client.leaveRoom(signal);
      return await this.#itemsPage(null, after, signal);
    });
    for await (const nodes of pages) {
      yield { items: await this.#observeItems(nodes, signal), as_of: 'page', total_items };
    }
  }

  async #itemsPage(query: string | null, after: string | null, signal: AbortSignal) {
    const { items_per_page: first, variants_per_item: variants, levels_per_item: levels } = this.#tuning;
    const { data } = await this.#client.read(
      DOCUMENTS.items,
      { first, after, query, variants, levels },
      signal,
    );
    return data.inventoryItems;
  }

  async #locations(signal: AbortSignal) {
    const locations: LocationObservation[] = [];
    let shopTime_ms: number | null = null;
    const pages = walk(async (after) => {
      const first = this.#tuning.locations_per_page;
      const { data, shop_time_ms } = await this.#client.read(DOCUMENTS.locations, { first, after }, signal);
      shopTime_ms ??= shop_time_ms;
      return data.locations;
    });
    for await (const nodes of pages) {
      for (const { id, name, isActive } of nodes) {
        locations.push({ location_id: tailOf('Location', id), name, active: isActive });
      }
    }
    return { locations, shop_time_ms: shopTime_ms };
  }

  async *#changedLevels(location_id: string, since_ms: number, signal: AbortSignal) {
    const location = gid('Location', location_id);
    const query = changedSince(since_ms);
    const first = this.#tuning.changed_levels_per_page;
    const pages = walk(async (after) => {
      const variables = { location, query, first, after };
      const { data } = await this.#client.read(DOCUMENTS.changed_levels, variables, signal);
      // Null when the location was deleted a moment ago: nothing is promised there any more.
      return data.location?.inventoryLevels ?? null;
    }, filteredPagesMax(first));
    for await (const nodes of pages)
      yield nodes.map((level) => observeLevel(tailOf('InventoryItem', level.item.id), level));
  }

  /** Shopify moves a product's `updated_at` with every sale too, so this names items that only sold as well. */
  async *#changedItemIds(since_ms: number, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const { changed_products_per_page: first, variants_per_product: variants } = this.#tuning;
    const query = changedSince(since_ms);
    const pages = walk(async (after) => {
      const variables = { query, first, after, variants };
      return (await this.#client.read(DOCUMENTS.changed_products, variables, signal)).data.products;
    }, filteredPagesMax(first));
    for await (const products of pages) {
      const ids = new Set<string>();
      for (const product of products) {
        const nodes = await complete(product.variants, async (after) => {
          const variables = { id: product.id, first: variants, after };
          const { data } = await this.#client.read(DOCUMENTS.product_variants, variables, signal);
          return data.product?.variants ?? null;
        });
        for (const { inventoryItem } of nodes) ids.add(tailOf('InventoryItem', inventoryItem.id));
      }
      yield [...ids];
    }
  }

  async #observeItems(items: readonly Item[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    const observations: ItemObservation[] = [];
    for (const item of items) {
      const observation = await this.#observeItem(item, signal);
      if (observation !== null) observations.push(observation);
    }
    return observations;
  }

  /** Null for an item without a variant: nothing of it can be ordered, and the shop shows it nowhere. */
  async #observeItem(item: Item, signal: AbortSignal): Promise<ItemObservation | null> {
    const variants = await this.#allVariants(item, signal);
    const variant = lowest(variants);
    if (variant === null) return null;
    const item_id = tailOf('InventoryItem', item.id);
    const levels = await this.#allLevels(item, signal);
    // A level that moved to another page while we read comes twice; the later reading counts.
    const byLocation = new Map(levels.map((level) => [level.location.id, observeLevel(item_id, level)]));
    return {
      item_id,
      variant_id: tailOf('ProductVariant', variant.id),
      product_id: tailOf('Product', variant.product.id),
      sku: item.sku,
      title: variant.product.title,
      variant_title: variant.title,
      // The shop does not count an untracked item, so nothing can be promised of it.
      lifecycle: item.tracked ? LIFECYCLE[variant.product.status] : 'unlisted',
      levels: [...byLocation.values()],
    };
  }

  async #allVariants(item: Item, signal: AbortSignal): Promise<readonly Variant[]> {
    if (item.variants === null) return [];
    return await complete(item.variants, async (after) => {
      const variables = { id: item.id, first: this.#tuning.variants_per_item, after };
      const { data } = await this.#client.read(DOCUMENTS.item_variants, variables, signal);
      return data.inventoryItem?.variants ?? null;
    });
  }

  async #allLevels(item: Item, signal: AbortSignal): Promise<readonly Level[]> {
    return await complete(item.inventoryLevels, async (after) => {
      const variables = { id: item.id, first: this.#tuning.levels_per_item, after };
      const { data } = await this.#client.read(DOCUMENTS.item_levels, variables, signal);
      return data.inventoryItem?.inventoryLevels ?? null;
    });
  }
}

/** The level's gid carries a number of its own; the location is asked for by name. */
function observeLevel(item_id: string, level: Level): LevelObservation {
  const quantities = new Map(level.quantities.map(({ name, quantity }) => [name, quantity]));
  const updated_at_ms = Date.parse(level.updatedAt);
  return {
    item_id,
    location_id: tailOf('Location', level.location.id),
    // An inactive level is not stocked any more, whatever figure it kept.
    available_units: level.isActive ? (quantities.get('available') ?? 0) : 0,
    on_hand_units: quantities.get('on_hand') ?? null,
    committed_units: quantities.get('committed') ?? null,
    upstream_updated_at_ms: Number.isNaN(updated_at_ms) ? null : updated_at_ms,
  };
}

function lowest(variants: readonly Variant[]): Variant | null {
  const tail = (variant: Variant) => tailOf('ProductVariant', variant.id);
  return variants.reduce<Variant | null>(
    (low, variant) => (low === null || compareTails(tail(variant), tail(low)) < 0 ? variant : low),
    null,
  );
}

/** A text with a `*` may find anything, so it is searched alone: it must not crowd out the others' results. */
function* searches(skus: ReadonlySet<string>): Generator<readonly string[]> {
  const plain = [...skus].filter((sku) => !sku.includes('*'));
  yield* chunks(plain, SKUS_PER_SEARCH);
  for (const sku of skus) if (sku.includes('*')) yield [sku];
}

function filteredPagesMax(perPage: number): number {
  return Math.ceil(FILTERED_OBJECTS_MAX / perPage);
}

function* chunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}
