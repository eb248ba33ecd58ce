/** Reads of a Shopify shop: locations, the catalogue with its stock levels, and what changed since a moment. */

import type {
  ItemObservation,
  LevelObservation,
  ListingObservation,
  LocationObservation,
} from '../../../ledger/model/values/observation.js';
import { readSearchWords } from '../../../ledger/model/values/search-words.js';
import { skuKey } from '../../../ledger/model/values/text.js';
import {
  type CataloguePage,
  type Changes,
  READ_ITEMS_MAX,
  type StockSource,
  UpstreamError,
  type VariantCount,
} from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS, type Item, type Level } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import {
  FILTERED_OBJECTS_MAX,
  FIND_PAGES_MAX,
  FIND_SKUS_MAX,
  SKUS_PER_SEARCH,
  type Tuning,
} from '../client/limits.js';
import { complete, walk } from '../client/paging.js';
import { changedSince, joinTerms, matches, namesAll } from '../client/search.js';
import { bulkItems } from './bulk-items.js';
import { parseCursor, parseStockCursor, shopCursor, stockCursor } from './cursor.js';
import { DeletionFinder } from './deletions.js';
import { flagVariables, type PublicationFinder, publicationKey } from './publication.js';
import { chooseListing, judgeListing, type Listing } from './sellability.js';

/** What Shopify calls the variant of a product that has no options: no name that anybody should read. */
const ONLY_VARIANT = 'Default Title';
const NO_CHANGES = { levels: [], item_ids: [], product_ids: [], has_lost_variants: false } as const;

export class ShopifyStockSource implements StockSource {
  readonly #client: ShopifyClient;
  readonly #tuning: Tuning;
  readonly #publication: PublicationFinder;
  readonly #deletions: DeletionFinder;

  constructor(client: ShopifyClient, tuning: Tuning, publication: PublicationFinder) {
    this.#client = client;
    this.#tuning = tuning;
    this.#publication = publication;
    this.#deletions = new DeletionFinder(client);
  }

  async locations(signal: AbortSignal): Promise<readonly LocationObservation[]> {
    return (await this.#locations(signal)).locations;
  }

  /**
   * By a bulk operation where the catalogue is large, else in pages. When the operation comes to nothing, also half-way
   * through its result, the catalogue is read in pages from its beginning.
   */
  async *catalogue(signal: AbortSignal): AsyncIterable<CataloguePage> {
    // Several variants may sell one item, so this is a little high.
    const count = await this.countVariants(signal);
    if (count !== null && count.variants > this.#tuning.bulk_from_items) {
      try {
        const flags = flagVariables(await this.#publication.current(signal));
        for await (const { items, total_items } of bulkItems(this.#client, this.#tuning, flags, signal)) {
          yield { ...(await this.#observePage(items, signal)), as_of: 'walk', total_items };
        }
        return;
      } catch (error) {
        if (!(error instanceof UpstreamError) || signal.aborted) throw error;
        const { failure, detail } = error;
        this.#client.note('warn', 'no full read in bulk, reading pages', { failure, detail });
      }
    }
    yield* this.#pages(count?.is_exact === true ? count.variants : null, signal);
  }

  async countVariants(signal: AbortSignal): Promise<VariantCount | null> {
    const { data } = await this.#client.read(DOCUMENTS.variants_count, { limit: null }, signal);
    const counted = data.productVariantsCount ?? null;
    return counted === null ? null : { variants: counted.count, is_exact: counted.precision === 'EXACT' };
  }

  async publicationKey(signal: AbortSignal): Promise<string> {
    return publicationKey(await this.#publication.look(signal));
  }

  async *listings(signal: AbortSignal): AsyncGenerator<readonly ListingObservation[]> {
    const found = await this.#publication.current(signal);
    if (!found.found) return;
    const first = this.#tuning.listings_per_page;
    const pages = walk(async (after) => {
      if (after !== null) await this.#client.leaveRoom(signal);
      const variables = { first, after, ...flagVariables(found) };
      return (await this.#client.read(DOCUMENTS.listings, variables, signal)).data.productVariants;
    });
    for await (const nodes of pages) {
      yield nodes.map(({ inventoryItem, ...listing }) => ({
        item_id: parseTail('InventoryItem', inventoryItem.id),
        variant_id: parseTail('ProductVariant', listing.id),
        ...judgeListing(inventoryItem, listing),
      }));
    }
  }

  async hearTime(signal: AbortSignal): Promise<void> {
    await this.#client.shopLead(signal);
  }

  async cursorNow(signal: AbortSignal): Promise<string> {
    const { shop_time_ms } = await this.#client.read(DOCUMENTS.clock, {}, signal);
    const moment = shopCursor(shop_time_ms, this.#tuning.overlap_s);
    return stockCursor(moment, await this.#deletions.begin(signal));
  }

  /**
   * Throws UpstreamError `protocol` also when more changed than can be paged to (25,000 levels of one location, or
   * products): then only a full read helps. Throws RangeError on a cursor that is not one of ours.
   */
  async *changesSince(cursor: string, signal: AbortSignal): AsyncGenerator<Changes> {
    const { since_ms, deletions } = parseStockCursor(cursor);
    // The clock is read before anything else: what changes while we read is covered by the next cursor.
    const { locations, shop_time_ms } = await this.#locations(signal);
    const moment = shopCursor(shop_time_ms, this.#tuning.overlap_s);
    const range = { since_ms, settled_ms: parseCursor(moment) };
    const deleted = await this.#deletions.since(deletions, range, signal);
    const { product_ids, has_lost_variants } = deleted;
    const next = stockCursor(moment, deleted.mark);
    yield { ...NO_CHANGES, product_ids, has_lost_variants, cursor: next };
    // Also those that fulfil no online orders: the shop may take drafts from there below zero.
    for (const { location_id, active, till_only } of locations) {
      if (!active && !till_only) continue;
      for await (const levels of this.#changedLevels(location_id, since_ms, signal))
        yield { ...NO_CHANGES, levels, cursor: next };
    }
    for await (const changed of this.#changedProducts(since_ms, signal))
      yield { ...NO_CHANGES, ...changed, cursor: next };
  }

  /** Throws RangeError above `READ_ITEMS_MAX` ids. */
  async readItems(itemIds: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    if (itemIds.length > READ_ITEMS_MAX)
      throw new RangeError(`more than ${READ_ITEMS_MAX} items in one read`);
    const ids = [...new Set(itemIds)].map((id) => gid('InventoryItem', id));
    if (ids.length === 0) return [];
    const { variants_per_item: variants, levels_per_item: levels } = this.#tuning;
    const sizes = { ids, variants, levels };
    const { data } = await this.#publication.read(signal, (flags) =>
      this.#client.read(DOCUMENTS.items_by_id, { ...sizes, ...flags }, signal),
    );
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
        for (const { inventoryItem } of nodes) ids.add(parseTail('InventoryItem', inventoryItem.id));
      }
    }
    return [...ids];
  }

  /**
   * Whatever the shop's search makes of the text: those that are equal but for case and blanks around them. Throws RangeError above `FIND_SKUS_MAX`.
   * Of what one search brings, `FIND_PAGES_MAX` pages are looked at: "*" must not read the whole shop.
   */
  async findBySku(skus: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    const asked = new Set(skus.map((sku) => sku.trim()).filter((sku) => sku !== ''));
    const wanted = new Set([...asked].map(skuKey));
    if (asked.size > FIND_SKUS_MAX) throw new RangeError(`more than ${FIND_SKUS_MAX} SKUs in one search`);
    const found = new Map<string, ItemObservation>();
    const looked_max = FIND_PAGES_MAX * this.#tuning.items_per_page;
    for (const some of searches(asked)) {
      const query = joinTerms(some.map((sku) => matches('sku', sku)));
      let looked = 0;
      for await (const nodes of walk((after) => this.#itemsPage(query, after, signal))) {
        const exact = nodes.filter((node) => node.sku !== null && wanted.has(skuKey(node.sku)));
        for (const item of await this.#observeItems(exact, signal)) found.set(item.item_id, item);
        looked += nodes.length;
        if (looked >= looked_max) break;
      }
    }
    return [...found.values()];
  }

  async findByWords(query: string, limit: number, signal: AbortSignal): Promise<readonly ItemObservation[]> {
    const words = readSearchWords(query);
    if (words.length === 0) return [];
    const first = Math.min(limit, READ_ITEMS_MAX);
    const variables = { query: namesAll(words), first };
    const { data } = await this.#client.read(DOCUMENTS.variants_by_words, variables, signal);
    const ids = data.productVariants.nodes.map(({ inventoryItem: { id } }) => parseTail('InventoryItem', id));
    const items = new Map((await this.readItems(ids, signal)).map((item) => [item.item_id, item]));
    return [...new Set(ids)].flatMap((id) => items.get(id) ?? []);
  }

  async *#pages(total_items: number | null, signal: AbortSignal): AsyncGenerator<CataloguePage> {
    const pages = walk(async (after) => {
      if (after !== null) await this.#client.leaveRoom(signal);
      return await this.#itemsPage(null, after, signal);
    });
    for await (const nodes of pages) {
      yield { ...(await this.#observePage(nodes, signal)), as_of: 'page', total_items };
    }
  }

  async #itemsPage(query: string | null, after: string | null, signal: AbortSignal) {
    const { items_per_page: first, variants_per_item: variants, levels_per_item: levels } = this.#tuning;
    const sizes = { first, after, query, variants, levels };
    const { data } = await this.#publication.read(signal, (flags) =>
      this.#client.read(DOCUMENTS.items, { ...sizes, ...flags }, signal),
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
      for (const { id, name, isActive, fulfillsOnlineOrders } of nodes) {
        locations.push({
          location_id: parseTail('Location', id),
          name,
          active: isActive && fulfillsOnlineOrders,
          till_only: isActive && !fulfillsOnlineOrders,
        });
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
    }, FILTERED_OBJECTS_MAX);
    for await (const nodes of pages)
      yield nodes.map((level) => observeLevel(parseTail('InventoryItem', level.item.id), level));
  }

  /** Shopify moves a product's `updated_at` with every sale too, so this names items that only sold as well. */
  async *#changedProducts(
    since_ms: number,
    signal: AbortSignal,
  ): AsyncGenerator<Pick<Changes, 'item_ids' | 'product_ids'>> {
    const { changed_products_per_page: first, variants_per_product: variants } = this.#tuning;
    const query = changedSince(since_ms);
    const pages = walk(async (after) => {
      const variables = { query, first, after, variants };
      return (await this.#client.read(DOCUMENTS.changed_products, variables, signal)).data.products;
    }, FILTERED_OBJECTS_MAX);
    for await (const products of pages) {
      const ids = new Set<string>();
      for (const product of products) {
        const nodes = await complete(product.variants, async (after) => {
          const variables = { id: product.id, first: variants, after };
          const { data } = await this.#client.read(DOCUMENTS.product_variants, variables, signal);
          return data.product?.variants ?? null;
        });
        for (const { inventoryItem } of nodes) ids.add(parseTail('InventoryItem', inventoryItem.id));
      }
      yield { item_ids: [...ids], product_ids: products.map(({ id }) => parseTail('Product', id)) };
    }
  }

  async #observeItems(items: readonly Item[], signal: AbortSignal): Promise<readonly ItemObservation[]> {
    return (await this.#observePage(items, signal)).items;
  }

  async #observePage(
    items: readonly Item[],
    signal: AbortSignal,
  ): Promise<Pick<CataloguePage, 'items' | 'variants'>> {
    const observations: ItemObservation[] = [];
    let count = 0;
    for (const item of items) {
      const variants = await this.#allVariants(item, signal);
      const observation = await this.#observeItem(item, variants, signal);
      if (observation !== null) observations.push(observation);
      count += variants.length;
    }
    return { items: observations, variants: count };
  }

  /** Null for an item without a variant: nothing of it can be ordered, and the shop shows it nowhere. */
  async #observeItem(
    item: Item,
    variants: readonly Listing[],
    signal: AbortSignal,
  ): Promise<ItemObservation | null> {
    const variant = chooseListing(item, variants);
    if (variant === null) return null;
    const item_id = parseTail('InventoryItem', item.id);
    const levels = await this.#allLevels(item, signal);
    // A level that moved to another page while we read comes twice; the later reading counts.
    const byLocation = new Map(levels.map((level) => [level.location.id, observeLevel(item_id, level)]));
    return {
      item_id,
      variant_id: parseTail('ProductVariant', variant.id),
      product_id: parseTail('Product', variant.product.id),
      sku: item.sku,
      title: variant.product.title,
      variant_title: variant.title === ONLY_VARIANT ? '' : variant.title,
      ...judgeListing(item, variant),
      inventory_policy: variant.inventoryPolicy === 'CONTINUE' ? 'continue' : 'deny',
      levels: [...byLocation.values()],
    };
  }

  async #allVariants(item: Item, signal: AbortSignal): Promise<readonly Listing[]> {
    if (item.variants === null) return [];
    return await complete(item.variants, async (after) => {
      const variables = { id: item.id, first: this.#tuning.variants_per_item, after };
      const { data } = await this.#publication.read(signal, (flags) =>
        this.#client.read(DOCUMENTS.item_variants, { ...variables, ...flags }, signal),
      );
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
    location_id: parseTail('Location', level.location.id),
    // An inactive level is not stocked any more, whatever figure it kept.
    available_units: level.isActive ? (quantities.get('available') ?? 0) : 0,
    on_hand_units: quantities.get('on_hand') ?? null,
    committed_units: quantities.get('committed') ?? null,
    upstream_updated_at_ms: Number.isNaN(updated_at_ms) ? null : updated_at_ms,
  };
}

/** A text with a `*` may find anything, so it is searched alone: it must not crowd out the others' results. */
function* searches(skus: ReadonlySet<string>): Generator<readonly string[]> {
  const plain = [...skus].filter((sku) => !sku.includes('*'));
  yield* chunks(plain, SKUS_PER_SEARCH);
  for (const sku of skus) if (sku.includes('*')) yield [sku];
}

function* chunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}
