/**
 * The catalogue as the shop has it, its stock levels, and the arithmetic between their states. Knows nothing of
 * HTTP or GraphQL; what changes products and variants is in product-changes.ts. Every quantity changes through `change`, nowhere else: what must happen on a change of stock
 * (timestamps, events) happens there.
 */

import type { CatalogueLocation, InventoryPolicy, ProductStatus } from '../../base/catalogue.js';
import { EntityMap } from '../../base/entity-map.js';
import type { ShopEvents } from '../../base/events.js';
import { toLevelGid } from '../../base/gid.js';
import type { ChannelHandle, PublishedSince } from '../../base/publications.js';
import { NO_UNITS, type Quantities, STOCK_STATES } from '../../base/quantities.js';
import { Sequence } from '../../base/sequence.js';

export interface Location {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  readonly countryCode: string;
  isActive: boolean;
  /** The merchant's choice. An inactive location fulfils nothing, whatever it says. */
  fulfillsOnlineOrders: boolean;
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
  requiresSellingPlan: boolean;
  readonly combinedListingRole: 'CHILD' | 'PARENT' | null;
  /** Whatever its status. */
  readonly publishedSince: PublishedSince;
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
  priceCents: number;
  inventoryPolicy: InventoryPolicy;
  /** What one of it is made of; empty unless it is a bundle. */
  components: readonly Component[];
  /** Channels on which the product is published without this variant. */
  readonly withheldOn: Set<ChannelHandle>;
  readonly createdMs: number;
  updatedMs: number;
}

export interface Component {
  readonly variantId: string;
  readonly quantity: number;
}

/** Units of one item that something takes. */
export interface Taken {
  readonly itemId: string;
  readonly variantId: string;
  readonly quantity: number;
}

export interface InventoryItem {
  readonly id: string;
  sku: string | null;
  tracked: boolean;
  /** Several variants may share one item; the first is the one that Shopify's deprecated `variant` names. */
  readonly variantIds: string[];
  readonly createdMs: number;
  updatedMs: number;
}

/** One inventory item at one location. */
export interface Level {
  readonly id: string;
  readonly itemId: string;
  readonly locationId: string;
  readonly quantities: Readonly<Quantities>;
  /** False once the item was disconnected from the location; its level stays, without units. */
  readonly isActive: boolean;
  readonly createdMs: number;
  /** Moves on every change of any of its quantities. */
  readonly updatedMs: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Inventory {
  /** In order of priority. */
  readonly locations = new Map<string, Location>();
  readonly products = new EntityMap<Product>();
  readonly variants = new EntityMap<Variant>();
  readonly items = new EntityMap<InventoryItem>();
  readonly levels = new Map<string, Level>();
  readonly #events: ShopEvents;
  /** The first item of each SKU, as it once was: a hint that is checked before it is believed. */
  readonly #itemsBySku = new Map<string, InventoryItem>();
  readonly #levelsByItem = new Map<string, Level[]>();
  readonly #levelsByLocation = new Map<string, Level[]>();
  readonly #levelNumbers = new Sequence('InventoryLevel', 108_240_617_513n);

  /** Without products and items; `ProductChanges` enters them. */
  constructor(locations: readonly CatalogueLocation[], createdMs: number, events: ShopEvents) {
    this.#events = events;
    const ids = new Sequence('Location', 81_604_116_521n, 32_768n);
    for (const location of locations) {
      const id = ids.next();
      const { fulfillsOnlineOrders = true } = location;
      this.locations.set(id, {
        ...location,
        id,
        isActive: true,
        fulfillsOnlineOrders,
        createdMs,
        updatedMs: createdMs,
      });
    }
  }

  levelsOfItem(itemId: string): readonly Level[] {
    return this.#levelsByItem.get(itemId) ?? [];
  }

  levelsAt(locationId: string): readonly Level[] {
    return this.#levelsByLocation.get(locationId) ?? [];
  }

  /** Also one that was disconnected: its `isActive` says so. */
  levelAt(itemId: string, locationId: string): Level | undefined {
    return this.levelsOfItem(itemId).find((level) => level.locationId === locationId);
  }

  /** Those that units can be taken from, in order of the locations' priority: connected, at an active location. */
  servingLevels(itemId: string): readonly Level[] {
    return [...this.locations.values()].flatMap((location) => {
      const level = location.isActive ? this.levelAt(itemId, location.id) : undefined;
      return level?.isActive ? [level] : [];
    });
  }

  /**
   * Where the item's units go when nothing else says where: the first active location that stocks it. Undefined when none
   * does.
   */
  priorityLevel(itemId: string): Level | undefined {
    return this.servingLevels(itemId)[0];
  }

  /** The location of that name. Throws when there is none: names come from the developer. */
  locationNamed(name: string): Location {
    for (const location of this.locations.values()) if (location.name === name) return location;
    throw new Error(`the sandbox shop has no location named ${name}`);
  }

  /** The first variant of that SKU. Throws when there is none. */
  variantOfSku(sku: string): Variant {
    const item = this.#hintedItem(sku) ?? this.#itemsHintedAnew().#hintedItem(sku);
    if (item) return this.variantOfItem(item);
    throw new Error(`the sandbox shop has no SKU ${sku}`);
  }

  #hintedItem(sku: string): InventoryItem | undefined {
    const item = this.#itemsBySku.get(sku);
    return item?.sku === sku && this.items.get(item.id) === item ? item : undefined;
  }

  #itemsHintedAnew(): this {
    this.#itemsBySku.clear();
    for (const item of this.items.inOrder()) {
      if (item.sku !== null && !this.#itemsBySku.has(item.sku)) this.#itemsBySku.set(item.sku, item);
    }
    return this;
  }

  /** The first of the variants that share the item. */
  variantOfItem(item: InventoryItem): Variant {
    return found(this.variants, item.variantIds[0] ?? '');
  }

  variantsOfItem(item: InventoryItem): readonly Variant[] {
    return item.variantIds.map((id) => found(this.variants, id));
  }

  /** Items and units of which stock is taken when so many of a variant are sold: a bundle takes its components'. */
  listTakings(variant: Variant, quantity: number): readonly Taken[] {
    if (variant.components.length > 0) {
      return variant.components.flatMap((component) =>
        this.listTakings(found(this.variants, component.variantId), component.quantity * quantity),
      );
    }
    const item = this.itemOfVariant(variant);
    return item.tracked ? [{ itemId: item.id, variantId: variant.id, quantity }] : [];
  }

  itemOfVariant(variant: Variant): InventoryItem {
    return found(this.items, variant.itemId);
  }

  productOfVariant(variant: Variant): Product {
    return found(this.products, variant.productId);
  }

  /** The part of it that online channels may sell: at active locations that fulfil online orders. */
  availableOnline(itemId: string): number {
    return this.levelsOfItem(itemId)
      .filter(({ locationId }) => {
        const { isActive, fulfillsOnlineOrders } = found(this.locations, locationId);
        return isActive && fulfillsOnlineOrders;
      })
      .reduce((sum, level) => sum + level.quantities.available, 0);
  }

  /** `available` of all levels of active locations; what Shopify calls the variant's inventory quantity. */
  availableOfItem(itemId: string): number {
    return this.levelsOfItem(itemId)
      .filter((level) => found(this.locations, level.locationId).isActive)
      .reduce((sum, level) => sum + level.quantities.available, 0);
  }

  /**
   * The one place where quantities change. Adds the deltas to the level and moves `updatedMs` of the level and of
   * the product. Moving units between two states is two deltas of opposite sign. Checks no rule: callers do. A level
   * whose item was deleted meanwhile is gone, and so are its units: nothing changes.
   */
  change(level: Level, deltas: Partial<Quantities>, atMs: number): void {
    if (!this.levels.has(level.id)) return;
    const quantities = { ...level.quantities };
    for (const state of STOCK_STATES) quantities[state] += deltas[state] ?? 0;
    const mutable: Mutable<Level> = level;
    mutable.quantities = quantities;
    mutable.updatedMs = Math.max(level.updatedMs, atMs);
    this.#events.publish({ ...levelFact(level, atMs), change: 'updated', deltas });
    this.#touchProducts(level.itemId, atMs);
  }

  /** The level, made with zero units where the item was not stocked (Shopify: since 2026-10 adjusting does this). */
  stockItemAt(itemId: string, locationId: string, atMs: number): Level {
    const present = this.levelAt(itemId, locationId);
    if (present?.isActive) return present;
    const level: Mutable<Level> = present ?? this.addLevel(itemId, locationId, {}, atMs);
    level.isActive = true;
    level.updatedMs = Math.max(level.updatedMs, atMs);
    this.#events.publish({ ...levelFact(level, atMs), change: 'connected' });
    return level;
  }

  /** Disconnects the item from the location; what units were there are gone. Checks no rule: callers do. */
  disconnect(level: Level, atMs: number): void {
    if (!level.isActive) return;
    const mutable: Mutable<Level> = level;
    mutable.quantities = NO_UNITS;
    mutable.isActive = false;
    mutable.updatedMs = Math.max(level.updatedMs, atMs);
    this.#events.publish({ ...levelFact(level, atMs), change: 'disconnected' });
    this.#touchProducts(level.itemId, atMs);
  }

  /** A level that nobody hears of: for an item that is just being entered. */
  addLevel(itemId: string, locationId: string, units: Partial<Quantities>, createdMs: number): Level {
    const level: Level = {
      id: toLevelGid(this.#levelNumbers.nextNumber(), itemId),
      itemId,
      locationId,
      quantities: { ...NO_UNITS, ...units },
      isActive: true,
      createdMs,
      updatedMs: createdMs,
    };
    this.levels.set(level.id, level);
    append(this.#levelsByItem, itemId, level);
    append(this.#levelsByLocation, locationId, level);
    return level;
  }

  /** The item and its levels cease to exist, without a word about the levels (as at Shopify). */
  removeItem(itemId: string): void {
    for (const level of this.levelsOfItem(itemId)) {
      this.levels.delete(level.id);
      const others = this.levelsAt(level.locationId).filter((other) => other !== level);
      this.#levelsByLocation.set(level.locationId, others);
    }
    this.#levelsByItem.delete(itemId);
    this.items.delete(itemId);
  }

  /** Tells of the location and of nothing else: no product's or level's time moves. */
  setFulfillsOnlineOrders(location: Location, fulfillsOnlineOrders: boolean, atMs: number): void {
    if (location.fulfillsOnlineOrders === fulfillsOnlineOrders) return;
    location.fulfillsOnlineOrders = fulfillsOnlineOrders;
    location.updatedMs = Math.max(location.updatedMs, atMs);
    this.#events.publish({ kind: 'location', atMs, locationId: location.id, change: 'updated' });
  }

  setLocationActive(location: Location, isActive: boolean, atMs: number): void {
    if (location.isActive === isActive) return;
    location.isActive = isActive;
    location.updatedMs = Math.max(location.updatedMs, atMs);
    const fact = { kind: 'location', atMs, locationId: location.id } as const;
    this.#events.publish({ ...fact, change: isActive ? 'activated' : 'deactivated' });
    this.#events.publish({ ...fact, change: 'updated' });
  }

  /** A change that Shopify tells of the product: its own, of its variants, or of their stock. */
  touch(product: Product, atMs: number): void {
    product.updatedMs = Math.max(product.updatedMs, atMs);
    this.#events.publish({ kind: 'product', change: 'updated', atMs, productId: product.id });
  }

  #touchProducts(itemId: string, atMs: number): void {
    const variants = this.variantsOfItem(found(this.items, itemId));
    for (const product of new Set(variants.map((variant) => this.productOfVariant(variant)))) {
      this.touch(product, atMs);
    }
  }
}

function levelFact({ id: levelId, itemId, locationId }: Level, atMs: number) {
  return { kind: 'inventory_level', atMs, levelId, itemId, locationId } as const;
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
