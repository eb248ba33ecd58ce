/**
 * What each kind of list can be filtered and sorted by: Shopify's names, and only those that the sandbox emulates.
 * `default` is what a search term without a field is held against.
 */

import type { Listing } from '../api-rules/connection.js';
import { totalCents } from '../base/line.js';
import { formatCents } from '../base/money.js';
import type { LoggedEvent } from './event-log.js';
import type { DraftOrder } from './orders/draft-orders.js';
import { financialStatus, fulfillmentStatus, indexedMs, type Order, returnStatus } from './orders/order.js';
import type { Inventory, InventoryItem, Level, Location, Product, Variant } from './stock/inventory.js';

export const LOCATION_LISTING: Listing<Location> = {
  filters: {
    default: text((location) => words(location.name)),
    id: id((location) => location.id),
    name: text((location) => [location.name]),
    active: text((location) => [String(location.isActive)]),
    created_at: time((location) => location.createdMs),
  },
  sorts: { NAME: (location) => location.name },
};

export function productListing(inventory: Inventory): Listing<Product> {
  return {
    filters: {
      default: text((product) => words(product.title)),
      id: id((product) => product.id),
      title: text((product) => [product.title]),
      handle: text((product) => [product.handle]),
      status: text((product) => [product.status]),
      product_type: text((product) => [product.productType]),
      vendor: text((product) => [product.vendor]),
      sku: text((product) => product.variantIds.map((variantId) => findSku(inventory, variantId))),
      created_at: time((product) => product.createdMs),
      updated_at: time((product) => product.updatedMs),
    },
    sorts: {
      TITLE: (product) => product.title,
      CREATED_AT: (product) => product.createdMs,
      UPDATED_AT: (product) => product.updatedMs,
    },
  };
}

export function variantListing(inventory: Inventory): Listing<Variant> {
  return {
    filters: {
      default: text((variant) => [
        findSku(inventory, variant.id),
        ...words(variant.title),
        ...words(inventory.productOfVariant(variant).title),
      ]),
      id: id((variant) => variant.id),
      sku: text((variant) => [findSku(inventory, variant.id)]),
      title: text((variant) => [variant.title]),
      product_id: id((variant) => variant.productId),
      product_status: text((variant) => [inventory.productOfVariant(variant).status]),
      updated_at: time((variant) => variant.updatedMs),
    },
    sorts: {
      POSITION: (variant) => variant.position,
      // Shopify does not say how it ranks: here all that match are as good.
      RELEVANCE: () => 0,
      SKU: (variant) => findSku(inventory, variant.id) ?? '',
      TITLE: (variant) => variant.title,
    },
  };
}

export const ITEM_LISTING: Listing<InventoryItem> = {
  filters: {
    id: id((item) => item.id),
    sku: text((item) => [item.sku]),
    created_at: time((item) => item.createdMs),
    updated_at: time((item) => item.updatedMs),
  },
  sorts: {},
};

export const LEVEL_LISTING: Listing<Level> = {
  filters: {
    id: id((level) => level.id),
    inventory_item_id: id((level) => level.itemId),
    created_at: time((level) => level.createdMs),
    updated_at: time((level) => level.updatedMs),
  },
  sorts: {},
};

export const EVENT_LISTING: Listing<LoggedEvent> = {
  filters: {
    id: id((event) => event.id),
    action: text((event) => [event.action]),
    subject_type: text((event) => [event.subjectType]),
    created_at: time((event) => event.createdMs),
  },
  sorts: { CREATED_AT: (event) => event.createdMs },
};

export const DRAFT_ORDER_LISTING: Listing<DraftOrder> = {
  filters: {
    default: text((draft) => [draft.name, draft.email]),
    id: id((draft) => draft.id),
    tag: text((draft) => draft.tags),
    status: text((draft) => [draft.orderId === null ? 'open' : 'completed']),
    created_at: time((draft) => draft.createdMs),
    updated_at: time((draft) => draft.updatedMs),
  },
  sorts: { UPDATED_AT: (draft) => draft.updatedMs },
};

/** An index that has seen every change up to that time goes by each order's `updatedMs` of then. */
export function orderListing(seenUpToMs: number): Listing<Order> {
  return {
    filters: { ...ORDER_FILTERS, updated_at: time((order) => indexedMs(order, seenUpToMs)) },
    sorts: { ...ORDER_SORTS, UPDATED_AT: (order) => indexedMs(order, seenUpToMs) },
  };
}

const ORDER_FILTERS: Listing<Order>['filters'] = {
  default: text((order) => [order.name, order.email]),
  id: id((order) => order.id),
  name: text((order) => [order.name]),
  tag: text((order) => order.tags),
  email: text((order) => [order.email]),
  status: text((order) => [describeStatus(order)]),
  financial_status: text((order) => [financialStatus(order)]),
  fulfillment_status: text((order) => [fulfillmentStatus(order)]),
  return_status: text((order) => [returnStatus(order)]),
  source_identifier: text((order) => [order.sourceIdentifier]),
  source_name: text((order) => [order.sourceName]),
  total_price: text((order) => [formatCents(totalCents(order.lines))]),
  created_at: time((order) => order.createdMs),
  processed_at: time((order) => order.createdMs),
};

const ORDER_SORTS: Listing<Order>['sorts'] = {
  CREATED_AT: (order) => order.createdMs,
  PROCESSED_AT: (order) => order.createdMs,
  ORDER_NUMBER: (order) => order.number,
};

/** For lists that nobody searches: lines, and the variants of one item. */
export const PLAIN_LISTING = { filters: {}, sorts: {} };

function text<T>(of: (entity: T) => readonly (string | null)[]) {
  return { kind: 'text', of } as const;
}

function time<T>(of: (entity: T) => number) {
  return { kind: 'time', of } as const;
}

function id<T>(of: (entity: T) => string) {
  return { kind: 'id', of } as const;
}

/** Shopify: an order is open until it is archived or cancelled. */
function describeStatus(order: Order): string {
  if (order.cancellation) return 'cancelled';
  return order.closedMs === null ? 'open' : 'closed';
}

function words(title: string): readonly string[] {
  return [title, ...title.split(' ')];
}

function findSku(inventory: Inventory, variantId: string): string | null {
  const variant = inventory.variants.get(variantId);
  return variant ? inventory.itemOfVariant(variant).sku : null;
}
