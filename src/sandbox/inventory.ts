/**
 * The catalogue as the shop has it, its stock levels, and the arithmetic between their states. Knows nothing of
 * HTTP or GraphQL. Every quantity changes through `change`, nowhere else: what must happen on a change of stock
 * (timestamps today, webhooks later) happens there.
 */

import type {
  Catalogue,
  CatalogueProduct,
  CatalogueVariant,
  InventoryPolicy,
  ProductStatus,
} from './catalogue.js';
import { gidOf, levelGidOf } from './gid.js';
import { parseCents } from './money.js';
import { NO_UNITS, type Quantities, STOCK_STATES } from './quantities.js';

export interface Location {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  readonly countryCode: string;
  isActive: boolean;
  readonly createdMs: number;
  updatedMs: number;
}

export interface Product {
  readonly id: string;
  title: string;
  status: ProductStatus;
  readonly handle: string;
  readonly productType: string;
  readonly vendor: string;
  readonly tags: readonly string[];
  readonly variantIds: string[];
  readonly createdMs: number;
  /** Moves on catalogue changes and on stock changes, as at Shopify. */
  updatedMs: number;
}

export interface Variant {
  readonly id: string;
  readonly productId: string;
  readonly itemId: string;
  readonly title: string;
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly position: number;
  readonly priceCents: number;
  readonly inventoryPolicy: InventoryPolicy;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface InventoryItem {
  readonly id: string;
  readonly sku: string | null;
  readonly tracked: boolean;
  readonly variantId: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** One inventory item at one location. */
export interface Level {
  readonly id: string;
  readonly itemId: string;
  readonly locationId: string;
  readonly quantities: Readonly<Quantities>;
  readonly createdMs: number;
  /** Moves on every change of any of its quantities. */
  readonly updatedMs: number;
}

/**
 * First number and step of each kind. Inventory items lie far above 2^53, where neighbouring doubles are 32
 * apart: with a step of 17, a client that reads ids as numbers mixes up neighbours at once.
 */
const NUMBERING = {
  Location: { first: 81_604_116_521n, step: 32_768n },
  Product: { first: 8_419_402_350_633n, step: 32_768n },
  ProductVariant: { first: 45_617_284_186_153n, step: 32_768n },
  InventoryItem: { first: 271_878_346_596_884_015n, step: 17n },
  InventoryLevel: { first: 108_240_617_513n, step: 1n },
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;
/** The catalogue was entered a while before the sandbox starts: nothing of it looks freshly changed. */
const CATALOGUE_AGE_MS = 30 * DAY_MS;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Inventory {
  /** In order of priority. */
  readonly locations = new Map<string, Location>();
  readonly products = new Map<string, Product>();
  readonly variants = new Map<string, Variant>();
  readonly items = new Map<string, InventoryItem>();
  readonly levels = new Map<string, Level>();
  readonly #levelsByItem = new Map<string, Level[]>();
  readonly #levelsByLocation = new Map<string, Level[]>();

  /** `nowMs` is the shop's time at the start. Throws when the catalogue names a location that it does not have. */
  constructor(catalogue: Catalogue, nowMs: number) {
    const createdMs = nowMs - CATALOGUE_AGE_MS;
    for (const location of catalogue.locations) {
      const id = idAt('Location', this.locations.size);
      this.locations.set(id, { ...location, id, isActive: true, createdMs, updatedMs: createdMs });
    }
    for (const product of catalogue.products) this.#addProduct(product, createdMs);
  }

  levelsOfItem(itemId: string): readonly Level[] {
    return this.#levelsByItem.get(itemId) ?? [];
  }

  levelsAt(locationId: string): readonly Level[] {
    return this.#levelsByLocation.get(locationId) ?? [];
  }

  levelAt(itemId: string, locationId: string): Level | undefined {
    return this.levelsOfItem(itemId).find((level) => level.locationId === locationId);
  }

  /**
   * Where an order or a draft order takes the item's units: the first active location, by priority, that stocks
   * it, whatever its stock. Undefined when no active location does. (Shopify has no location input on drafts.)
   */
  priorityLevel(itemId: string): Level | undefined {
    for (const location of this.locations.values()) {
      const level = location.isActive ? this.levelAt(itemId, location.id) : undefined;
      if (level) return level;
    }
    return undefined;
  }

  /** The location of that name. Throws when there is none: names come from the developer. */
  locationNamed(name: string): Location {
    for (const location of this.locations.values()) if (location.name === name) return location;
    throw new Error(`the sandbox shop has no location named ${name}`);
  }

  /** The first variant of that SKU. Throws when there is none. */
  variantOfSku(sku: string): Variant {
    for (const item of this.items.values()) if (item.sku === sku) return this.variantOfItem(item);
    throw new Error(`the sandbox shop has no SKU ${sku}`);
  }

  variantOfItem(item: InventoryItem): Variant {
    return found(this.variants, item.variantId);
  }

  itemOfVariant(variant: Variant): InventoryItem {
    return found(this.items, variant.itemId);
  }

  productOfVariant(variant: Variant): Product {
    return found(this.products, variant.productId);
  }

  /** `available` of all levels of active locations; what Shopify calls the variant's inventory quantity. */
  availableOfItem(itemId: string): number {
    return this.levelsOfItem(itemId)
      .filter((level) => found(this.locations, level.locationId).isActive)
      .reduce((sum, level) => sum + level.quantities.available, 0);
  }

  /**
   * The one place where quantities change. Adds the deltas to the level and moves `updatedMs` of the level and of
   * the product. Moving units between two states is two deltas of opposite sign. Checks no rule: callers do.
   */
  change(level: Level, deltas: Partial<Quantities>, atMs: number): void {
    const quantities = { ...level.quantities };
    for (const state of STOCK_STATES) quantities[state] += deltas[state] ?? 0;
    const mutable: Mutable<Level> = level;
    mutable.quantities = quantities;
    mutable.updatedMs = Math.max(level.updatedMs, atMs);
    this.#touchProductOf(level.itemId, atMs);
  }

  /** The level, made with zero units where the item was not stocked (Shopify: since 2026-10 adjusting does this). */
  stockItemAt(itemId: string, locationId: string, atMs: number): Level {
    return this.levelAt(itemId, locationId) ?? this.#addLevel(itemId, locationId, {}, atMs);
  }

  /** Title or status of a product; a field that is absent stays. */
  updateProduct(product: Product, fields: { title?: string; status?: ProductStatus }, atMs: number): void {
    if (fields.title !== undefined) product.title = fields.title;
    if (fields.status !== undefined) product.status = fields.status;
    product.updatedMs = Math.max(product.updatedMs, atMs);
  }

  setLocationActive(location: Location, isActive: boolean, atMs: number): void {
    location.isActive = isActive;
    location.updatedMs = Math.max(location.updatedMs, atMs);
  }

  #touchProductOf(itemId: string, atMs: number): void {
    const product = this.productOfVariant(this.variantOfItem(found(this.items, itemId)));
    product.updatedMs = Math.max(product.updatedMs, atMs);
  }

  #addProduct(entry: CatalogueProduct, createdMs: number): void {
    const product: Product = {
      id: idAt('Product', this.products.size),
      title: entry.title,
      status: entry.status ?? 'ACTIVE',
      handle: entry.title.toLowerCase().replaceAll(/[^a-z0-9]+/gu, '-'),
      productType: entry.productType,
      vendor: entry.vendor,
      tags: [],
      variantIds: [],
      createdMs,
      updatedMs: createdMs,
    };
    this.products.set(product.id, product);
    for (const variant of entry.variants) this.#addVariant(product, variant);
  }

  #addVariant(product: Product, entry: CatalogueVariant): void {
    const { createdMs } = product;
    const id = idAt('ProductVariant', this.variants.size);
    const itemId = idAt('InventoryItem', this.items.size);
    const { title, options, inventoryPolicy = 'DENY', sku, tracked = true } = entry;
    const times = { createdMs, updatedMs: createdMs };
    product.variantIds.push(id);
    this.variants.set(id, {
      id,
      productId: product.id,
      itemId,
      title,
      options,
      position: product.variantIds.length,
      priceCents: parseCents(entry.price),
      inventoryPolicy,
      ...times,
    });
    this.items.set(itemId, { id: itemId, sku, tracked, variantId: id, ...times });
    for (const [name, stock] of Object.entries(entry.stock)) {
      const units = typeof stock === 'number' ? { available: stock } : stock;
      this.#addLevel(itemId, this.locationNamed(name).id, units, createdMs);
    }
  }

  #addLevel(itemId: string, locationId: string, units: Partial<Quantities>, createdMs: number): Level {
    const level: Level = {
      id: levelGidOf(numberAt('InventoryLevel', this.levels.size), itemId),
      itemId,
      locationId,
      quantities: { ...NO_UNITS, ...units },
      createdMs,
      updatedMs: createdMs,
    };
    this.levels.set(level.id, level);
    append(this.#levelsByItem, itemId, level);
    append(this.#levelsByLocation, locationId, level);
    return level;
  }
}

function numberAt(type: keyof typeof NUMBERING, index: number): bigint {
  return NUMBERING[type].first + NUMBERING[type].step * BigInt(index);
}

function idAt(type: keyof typeof NUMBERING, index: number): string {
  return gidOf(type, numberAt(type, index));
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** An entity that another one refers to; its absence is a bug of the sandbox. */
function found<T>(entities: ReadonlyMap<string, T>, id: string): T {
  const entity = entities.get(id);
  if (entity === undefined) throw new Error(`dangling reference to ${id}`);
  return entity;
}
