/** What merchants do with products, stock and locations, as verbs by name. They throw as those of orders do. */

import type {
  CatalogueProduct,
  CatalogueVariant,
  InventoryPolicy,
  ProductStatus,
} from '../base/catalogue.js';
import type { ChannelHandle } from '../base/publications.js';
import { made, must } from '../base/user-error.js';
import { OrderVerbs } from './order-verbs.js';
import type { Level, Location, Product, Variant } from './stock/inventory.js';

export abstract class StockVerbs extends OrderVerbs {
  /** Sets the product's status: `ARCHIVED` discontinues it. */
  setProductStatus(sku: string, status: ProductStatus): void {
    const nowMs = this.settle();
    this.productChanges.updateProduct(this.#requireProduct(sku), { status }, nowMs);
  }

  /** Publishes the product on a channel, or takes it off. Its status stays. */
  setPublished(sku: string, isPublished: boolean, on: ChannelHandle = 'online_store'): void {
    const nowMs = this.settle();
    const product = this.#requireProduct(sku);
    const since = product.publishedSince.get(on);
    const sinceMs = since === undefined || since > nowMs ? nowMs : since;
    this.productChanges.publish(product, on, isPublished ? sinceMs : null, nowMs);
  }

  /** The product is published on the channel from that moment of the shop's clock on, and not before. */
  schedulePublishing(sku: string, atMs: number, on: ChannelHandle = 'online_store'): void {
    this.productChanges.publish(this.#requireProduct(sku), on, atMs, this.settle());
  }

  /** Publishes one variant where its product is, or takes it off there. */
  setVariantPublished(sku: string, isPublished: boolean, on: ChannelHandle = 'online_store'): void {
    const nowMs = this.settle();
    this.productChanges.publishVariant(this.inventory.variantOfSku(sku), on, isPublished, nowMs);
  }

  /** Makes a bundle of the variant, or no bundle: one of it is then made of these units of other SKUs. */
  setComponents(sku: string, components: Readonly<Record<string, number>>): void {
    const nowMs = this.settle();
    const parts = Object.entries(components).map(([part, quantity]) => ({
      variantId: this.inventory.variantOfSku(part).id,
      quantity,
    }));
    this.productChanges.updateVariant(this.inventory.variantOfSku(sku), { components: parts }, nowMs);
  }

  /** Whether the product can be bought with a selling plan alone. */
  setRequiresSellingPlan(sku: string, requiresSellingPlan: boolean): void {
    const nowMs = this.settle();
    this.productChanges.updateProduct(this.#requireProduct(sku), { requiresSellingPlan }, nowMs);
  }

  setTracked(sku: string, tracked: boolean): void {
    const nowMs = this.settle();
    const item = this.inventory.itemOfVariant(this.inventory.variantOfSku(sku));
    this.productChanges.updateItem(item, { tracked }, nowMs);
  }

  /** CONTINUE: sold on below zero. */
  setInventoryPolicy(sku: string, inventoryPolicy: InventoryPolicy): void {
    const nowMs = this.settle();
    this.productChanges.updateVariant(this.inventory.variantOfSku(sku), { inventoryPolicy }, nowMs);
  }

  setSku(sku: string, newSku: string): void {
    const nowMs = this.settle();
    const item = this.inventory.itemOfVariant(this.inventory.variantOfSku(sku));
    this.productChanges.updateItem(item, { sku: newSku }, nowMs);
  }

  addProduct(entry: CatalogueProduct): Product {
    const nowMs = this.settle();
    return this.productChanges.addProduct(entry, nowMs);
  }

  /** Deletes the product that has the SKU, with all its variants. */
  deleteProduct(sku: string): void {
    const nowMs = this.settle();
    this.productChanges.deleteProduct(this.#requireProduct(sku), nowMs);
  }

  /** Adds a variant to the product that has the SKU. */
  addVariant(ofSku: string, entry: CatalogueVariant): Variant {
    const nowMs = this.settle();
    return this.productChanges.addVariant(this.#requireProduct(ofSku), entry, nowMs);
  }

  removeVariant(sku: string): void {
    const nowMs = this.settle();
    this.productChanges.removeVariant(this.inventory.variantOfSku(sku), nowMs);
  }

  /** Stocks the item at the location of that name, with that many units available. */
  connect(sku: string, locationName: string, units = 0): Level {
    const nowMs = this.settle();
    const { itemId } = this.inventory.variantOfSku(sku);
    const locationId = this.inventory.locationNamed(locationName).id;
    const request = { inventoryItemId: itemId, locationId, available: units, onHand: null };
    const result = this.stockPlaces.activate(request, nowMs);
    must(`connect ${sku} to ${locationName}`, result.userErrors);
    return made(result.inventoryLevel);
  }

  /** Stops stocking the item at the location of that name; what is available there is gone. */
  disconnect(sku: string, locationName: string): void {
    const nowMs = this.settle();
    const { itemId } = this.inventory.variantOfSku(sku);
    const level = this.inventory.levelAt(itemId, this.inventory.locationNamed(locationName).id);
    must(`disconnect ${sku} from ${locationName}`, this.stockPlaces.deactivate(level?.id ?? '', nowMs));
  }

  /** Closes or reopens a location. A closed one keeps its levels, but nothing is taken there any more. */
  setLocationActive(name: string, isActive: boolean): void {
    const nowMs = this.settle();
    this.inventory.setLocationActive(this.inventory.locationNamed(name), isActive, nowMs);
  }

  /** Whether orders of online channels are fulfilled from the location of that name. It stays open to the till. */
  setFulfillsOnlineOrders(name: string, fulfillsOnlineOrders: boolean): void {
    const nowMs = this.settle();
    this.inventory.setFulfillsOnlineOrders(this.inventory.locationNamed(name), fulfillsOnlineOrders, nowMs);
  }

  /** As Shopify closes a location: units, orders and holds move to the one named `to`. */
  closeLocation(name: string, { to }: { readonly to?: string } = {}): Location {
    const nowMs = this.settle();
    const location = this.inventory.locationNamed(name);
    const destinationId = to === undefined ? null : this.inventory.locationNamed(to).id;
    must(`close ${name}`, this.stockPlaces.closeLocation(location.id, destinationId, nowMs).errors);
    return location;
  }

  #requireProduct(sku: string): Product {
    return this.inventory.productOfVariant(this.inventory.variantOfSku(sku));
  }
}
