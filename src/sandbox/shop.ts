/**
 * The sandbox shop: everything that stands behind its API, on one clock. Besides the API there are a few verbs for
 * the person who plays the merchant or the other customers in a demo or a test.
 */

import type { Catalogue, ProductStatus } from './catalogue.js';
import { DraftOrders } from './draft-orders.js';
import { gidOf } from './gid.js';
import { IdempotencyKeys } from './idempotency.js';
import { Inventory } from './inventory.js';
import { InventoryChanges } from './inventory-changes.js';
import { lineOfVariant, NO_DETAILS, type Order, Orders } from './orders.js';
import { NO_UNITS, onHand, type Quantities } from './quantities.js';

export const SHOP_DOMAIN = 'sandbox.myshopify.com';
export const SHOP_ID = gidOf('Shop', 68_817_911_977n);
export const SHOP_CURRENCY = 'EUR';

export interface ShopSettings {
  readonly catalogue: Catalogue;
  /** Milliseconds since 1970. Tests move it. */
  readonly now: () => number;
  /** How long a new draft order or order stays invisible to searches, though not to reads by id. */
  readonly searchLagMs: number;
}

export class Shop {
  readonly inventory: Inventory;
  readonly inventoryChanges: InventoryChanges;
  readonly orders: Orders;
  readonly draftOrders: DraftOrders;
  readonly idempotencyKeys = new IdempotencyKeys();
  readonly searchLagMs: number;
  readonly createdMs: number;
  readonly #now: () => number;

  constructor(settings: ShopSettings) {
    this.#now = settings.now;
    this.searchLagMs = settings.searchLagMs;
    this.createdMs = settings.now();
    this.inventory = new Inventory(settings.catalogue, this.createdMs);
    this.inventoryChanges = new InventoryChanges(this.inventory);
    this.orders = new Orders(this.inventory);
    this.draftOrders = new DraftOrders(this.inventory, this.orders);
  }

  /** The shop's time now, in milliseconds, with everything done that was due by then. */
  settle(): number {
    const nowMs = this.#now();
    this.draftOrders.lapse(nowMs);
    return nowMs;
  }

  /** The item's units at the location of that name, in every state, with their sum on hand. Zeros when not stocked. */
  stockOf(sku: string, locationName: string): Readonly<Quantities> & { readonly on_hand: number } {
    this.settle();
    const location = this.inventory.locationNamed(locationName);
    const level = this.inventory.levelAt(this.inventory.variantOfSku(sku).itemId, location.id);
    const quantities = level?.quantities ?? NO_UNITS;
    return { ...quantities, on_hand: onHand(quantities) };
  }

  /**
   * Somebody buys units elsewhere, say in the online store: a paid order that commits them at the item's priority
   * location, even below zero. Throws on an unknown SKU or on units that are not a positive integer.
   */
  sell(sku: string, units: number): Order {
    if (!Number.isSafeInteger(units) || units < 1) throw new Error(`cannot sell ${units} units`);
    const nowMs = this.settle();
    const line = {
      ...lineOfVariant(this.inventory, this.inventory.variantOfSku(sku)),
      id: '',
      uuid: '',
      quantity: units,
      customAttributes: [],
    };
    const details = { ...NO_DETAILS, sourceName: 'web' };
    return this.orders.place({ lines: [line], details, held: null, isPaid: true }, nowMs);
  }

  /** Adds units to (or, below zero, takes them from) what is available at the location of that name: a delivery, a loss. */
  receive(sku: string, locationName: string, units: number): void {
    if (!Number.isSafeInteger(units)) throw new Error(`cannot receive ${units} units`);
    const nowMs = this.settle();
    const { itemId } = this.inventory.variantOfSku(sku);
    const level = this.inventory.stockItemAt(itemId, this.inventory.locationNamed(locationName).id, nowMs);
    this.inventory.change(level, { available: units }, nowMs);
  }

  /** Sets the product's status: `ARCHIVED` discontinues it. */
  setProductStatus(sku: string, status: ProductStatus): void {
    const nowMs = this.settle();
    const product = this.inventory.productOfVariant(this.inventory.variantOfSku(sku));
    this.inventory.updateProduct(product, { status }, nowMs);
  }

  /** Closes or reopens a location. A closed one keeps its levels, but nothing is taken there any more. */
  setLocationActive(name: string, isActive: boolean): void {
    const nowMs = this.settle();
    this.inventory.setLocationActive(this.inventory.locationNamed(name), isActive, nowMs);
  }
}
