/** What merchants do to products, variants and inventory items. Stock levels follow; inventory.ts has their arithmetic. */

import type {
  CatalogueProduct,
  CatalogueVariant,
  InventoryPolicy,
  ProductStatus,
} from '../../base/catalogue.js';
import type { ShopEvents } from '../../base/events.js';
import { parseCents } from '../../base/money.js';
import { ALL_CHANNELS, type ChannelHandle } from '../../base/publications.js';
import type { Quantities } from '../../base/quantities.js';
import { Sequence } from '../../base/sequence.js';
import type { Component, Inventory, InventoryItem, Product, Variant } from './inventory.js';

/** A field that is absent stays. */
export interface ItemChange {
  readonly sku?: string | null;
  readonly tracked?: boolean;
}

/** A field that is absent stays. */
export interface VariantChange {
  readonly priceCents?: number;
  readonly inventoryPolicy?: InventoryPolicy;
  readonly components?: readonly Component[];
  readonly item?: ItemChange;
}

export class ProductChanges {
  readonly #inventory: Inventory;
  readonly #events: ShopEvents;
  readonly #productIds = new Sequence('Product', 8_419_402_350_633n, 32_768n);
  readonly #variantIds = new Sequence('ProductVariant', 45_617_284_186_153n, 32_768n);
  /**
   * Inventory items lie far above 2^53, where neighbouring doubles are 32 apart: with a step of 17, a client that
   * reads ids as numbers mixes up neighbours at once.
   */
  readonly #itemIds = new Sequence('InventoryItem', 271_878_346_596_884_015n, 17n);

  /** Whether publishing counts as a change of the product, with its time and webhook. Shopify does not document it. */
  publishingMovesTime = true;

  constructor(inventory: Inventory, events: ShopEvents) {
    this.#inventory = inventory;
    this.#events = events;
  }

  /** As if it had always been there: nobody hears of it. Throws when a variant names an unknown location or SKU. */
  enter(entry: CatalogueProduct, createdMs: number): Product {
    const product: Product = {
      id: this.#productIds.next(),
      title: entry.title,
      status: entry.status ?? 'ACTIVE',
      handle: entry.title.toLowerCase().replaceAll(/[^a-z0-9]+/gu, '-'),
      productType: entry.productType,
      vendor: entry.vendor,
      tags: [],
      variantIds: [],
      requiresSellingPlan: entry.requiresSellingPlan ?? false,
      combinedListingRole: entry.combinedListingRole ?? null,
      publishedSince: new Map((entry.publishedOn ?? ALL_CHANNELS).map((handle) => [handle, createdMs])),
      createdMs,
      updatedMs: createdMs,
    };
    this.#inventory.products.set(product.id, product);
    for (const variant of entry.variants) this.#enterVariant(product, variant, createdMs);
    return product;
  }

  /** A new product, told of with its items and levels. */
  addProduct(entry: CatalogueProduct, nowMs: number): Product {
    const product = this.enter(entry, nowMs);
    this.#events.publish({ kind: 'product', change: 'created', atMs: nowMs, productId: product.id });
    for (const id of product.variantIds) this.#tellOfItem(id, nowMs);
    return product;
  }

  /** A new variant of a product that exists, told of with its item and levels. */
  addVariant(product: Product, entry: CatalogueVariant, nowMs: number): Variant {
    const variant = this.#enterVariant(product, entry, nowMs);
    this.#tellOfItem(variant.id, nowMs);
    this.#inventory.touch(product, nowMs);
    return variant;
  }

  /** The variant goes, and with it its item, unless another variant shares that. */
  removeVariant(variant: Variant, nowMs: number): void {
    const product = this.#inventory.productOfVariant(variant);
    this.#forgetVariant(variant, nowMs);
    this.#inventory.touch(product, nowMs);
  }

  /** The product goes with all its variants and what is theirs alone. Orders keep what they know of it. */
  deleteProduct(product: Product, nowMs: number): void {
    for (const id of [...product.variantIds]) {
      const variant = this.#inventory.variants.get(id);
      if (variant) this.#forgetVariant(variant, nowMs);
    }
    this.#inventory.products.delete(product.id);
    this.#events.publish({ kind: 'product', change: 'deleted', atMs: nowMs, productId: product.id });
  }

  /** Title, status, selling plans; a field that is absent stays. */
  updateProduct(
    product: Product,
    fields: { title?: string; status?: ProductStatus; requiresSellingPlan?: boolean },
    atMs: number,
  ): void {
    if (fields.title !== undefined) product.title = fields.title;
    if (fields.status !== undefined) product.status = fields.status;
    if (fields.requiresSellingPlan !== undefined) product.requiresSellingPlan = fields.requiresSellingPlan;
    this.#inventory.touch(product, atMs);
  }

  /** From when on it is published there: a time, or null for not at all. */
  publish(product: Product, handle: ChannelHandle, sinceMs: number | null, atMs: number): void {
    if (sinceMs === null) product.publishedSince.delete(handle);
    else product.publishedSince.set(handle, sinceMs);
    if (this.publishingMovesTime) this.#inventory.touch(product, atMs);
  }

  /** Whether the variant is published where its product is. */
  publishVariant(variant: Variant, handle: ChannelHandle, isPublished: boolean, atMs: number): void {
    if (isPublished) variant.withheldOn.delete(handle);
    else variant.withheldOn.add(handle);
    if (this.publishingMovesTime) this.#inventory.touch(this.#inventory.productOfVariant(variant), atMs);
  }

  updateVariant(variant: Variant, change: VariantChange, atMs: number): void {
    if (change.priceCents !== undefined) variant.priceCents = change.priceCents;
    if (change.inventoryPolicy !== undefined) variant.inventoryPolicy = change.inventoryPolicy;
    if (change.components !== undefined) variant.components = change.components;
    variant.updatedMs = Math.max(variant.updatedMs, atMs);
    if (change.item) this.updateItem(this.#inventory.itemOfVariant(variant), change.item, atMs);
    else this.#inventory.touch(this.#inventory.productOfVariant(variant), atMs);
  }

  /** An untracked item keeps its levels; orders and drafts take nothing from them any more. */
  updateItem(item: InventoryItem, change: ItemChange, atMs: number): void {
    if (change.sku !== undefined) item.sku = change.sku;
    if (change.tracked !== undefined) item.tracked = change.tracked;
    item.updatedMs = Math.max(item.updatedMs, atMs);
    this.#events.publish({ kind: 'inventory_item', change: 'updated', atMs, itemId: item.id });
    for (const variant of this.#inventory.variantsOfItem(item)) {
      variant.updatedMs = Math.max(variant.updatedMs, atMs);
      this.#inventory.touch(this.#inventory.productOfVariant(variant), atMs);
    }
  }

  #enterVariant(product: Product, entry: CatalogueVariant, createdMs: number): Variant {
    const item = entry.sharesItemOf === undefined ? this.#newItem(entry, createdMs) : this.#sharedItem(entry);
    const variant: Variant = {
      id: this.#variantIds.next(),
      productId: product.id,
      itemId: item.id,
      title: entry.title,
      options: entry.options,
      position: product.variantIds.length + 1,
      priceCents: parseCents(entry.price),
      inventoryPolicy: entry.inventoryPolicy ?? 'DENY',
      components: (entry.components ?? []).map(({ sku, quantity }) => ({
        variantId: this.#inventory.variantOfSku(sku).id,
        quantity,
      })),
      withheldOn: new Set(),
      createdMs,
      updatedMs: createdMs,
    };
    product.variantIds.push(variant.id);
    item.variantIds.push(variant.id);
    this.#inventory.variants.set(variant.id, variant);
    return variant;
  }

  #newItem({ sku, tracked = true, stock }: CatalogueVariant, createdMs: number): InventoryItem {
    const id = this.#itemIds.next();
    const item: InventoryItem = { id, sku, tracked, variantIds: [], createdMs, updatedMs: createdMs };
    this.#inventory.items.set(id, item);
    for (const [name, units] of Object.entries(stock)) {
      const quantities: Partial<Quantities> = typeof units === 'number' ? { available: units } : units;
      this.#inventory.addLevel(id, this.#inventory.locationNamed(name).id, quantities, createdMs);
    }
    return item;
  }

  #sharedItem({ sharesItemOf = '', sku, tracked, stock }: CatalogueVariant): InventoryItem {
    if (sku !== null || tracked !== undefined || Object.keys(stock).length > 0) {
      throw new Error(
        `a variant that shares the item of ${sharesItemOf} has no SKU, tracking or stock of its own`,
      );
    }
    return this.#inventory.itemOfVariant(this.#inventory.variantOfSku(sharesItemOf));
  }

  #tellOfItem(variantId: string, atMs: number): void {
    const variant = this.#inventory.variants.get(variantId);
    const item = variant && this.#inventory.itemOfVariant(variant);
    if (!item || item.variantIds[0] !== variantId) return;
    this.#events.publish({ kind: 'inventory_item', change: 'created', atMs, itemId: item.id });
    for (const { id: levelId, itemId, locationId } of this.#inventory.levelsOfItem(item.id)) {
      const fact = { kind: 'inventory_level', atMs, levelId, itemId, locationId } as const;
      this.#events.publish({ ...fact, change: 'connected' });
    }
  }

  #forgetVariant(variant: Variant, atMs: number): void {
    const product = this.#inventory.productOfVariant(variant);
    const item = this.#inventory.itemOfVariant(variant);
    remove(product.variantIds, variant.id);
    remove(item.variantIds, variant.id);
    this.#inventory.variants.delete(variant.id);
    if (item.variantIds.length > 0) return;
    this.#inventory.removeItem(item.id);
    this.#events.publish({ kind: 'inventory_item', change: 'deleted', atMs, itemId: item.id });
  }
}

function remove(ids: string[], id: string): void {
  ids.splice(ids.indexOf(id), 1);
}
