/**
 * The webhook topics that the sandbox sends: what each is called on the wire, which scopes it wants, and which fact
 * causes it. Shopify: `WebhookSubscriptionTopic` in the API reference, which names the scopes.
 */

import type { ShopEvent, ShopFact } from '../base/events.js';

interface Topic {
  /** As in the header `X-Shopify-Topic`. */
  readonly wire: string;
  /** One of these is enough; none are wanted when there are none. */
  readonly scopes: readonly string[];
}

const INVENTORY = ['read_inventory'];
const ITEMS = ['read_inventory', 'read_products'];
const PRODUCTS = ['read_products'];
const LOCATIONS = ['read_locations'];
const DRAFTS = ['read_draft_orders'];
const ORDERS = ['read_orders'];
const RETURNS = ['read_returns'];
const ORDERS_OR_RETURNS = ['read_orders', 'read_returns'];
const FULFILLMENTS = ['read_fulfillments'];

/** By the name of the topic in the schema. Any other topic is refused: it would never be sent. */
export const TOPICS = {
  INVENTORY_LEVELS_CONNECT: { wire: 'inventory_levels/connect', scopes: INVENTORY },
  INVENTORY_LEVELS_DISCONNECT: { wire: 'inventory_levels/disconnect', scopes: INVENTORY },
  INVENTORY_LEVELS_UPDATE: { wire: 'inventory_levels/update', scopes: INVENTORY },
  INVENTORY_ITEMS_CREATE: { wire: 'inventory_items/create', scopes: ITEMS },
  INVENTORY_ITEMS_UPDATE: { wire: 'inventory_items/update', scopes: ITEMS },
  INVENTORY_ITEMS_DELETE: { wire: 'inventory_items/delete', scopes: ITEMS },
  PRODUCTS_CREATE: { wire: 'products/create', scopes: PRODUCTS },
  PRODUCTS_UPDATE: { wire: 'products/update', scopes: PRODUCTS },
  PRODUCTS_DELETE: { wire: 'products/delete', scopes: PRODUCTS },
  LOCATIONS_CREATE: { wire: 'locations/create', scopes: LOCATIONS },
  LOCATIONS_UPDATE: { wire: 'locations/update', scopes: LOCATIONS },
  LOCATIONS_ACTIVATE: { wire: 'locations/activate', scopes: LOCATIONS },
  LOCATIONS_DEACTIVATE: { wire: 'locations/deactivate', scopes: LOCATIONS },
  LOCATIONS_DELETE: { wire: 'locations/delete', scopes: LOCATIONS },
  DRAFT_ORDERS_CREATE: { wire: 'draft_orders/create', scopes: DRAFTS },
  DRAFT_ORDERS_UPDATE: { wire: 'draft_orders/update', scopes: DRAFTS },
  DRAFT_ORDERS_DELETE: { wire: 'draft_orders/delete', scopes: DRAFTS },
  ORDERS_CREATE: { wire: 'orders/create', scopes: ORDERS },
  ORDERS_UPDATED: { wire: 'orders/updated', scopes: ORDERS },
  ORDERS_PAID: { wire: 'orders/paid', scopes: ORDERS },
  ORDERS_CANCELLED: { wire: 'orders/cancelled', scopes: ORDERS },
  ORDERS_FULFILLED: { wire: 'orders/fulfilled', scopes: ORDERS },
  ORDERS_PARTIALLY_FULFILLED: { wire: 'orders/partially_fulfilled', scopes: ORDERS },
  ORDERS_EDITED: { wire: 'orders/edited', scopes: ORDERS },
  ORDERS_DELETE: { wire: 'orders/delete', scopes: ORDERS },
  REFUNDS_CREATE: { wire: 'refunds/create', scopes: ORDERS },
  RETURNS_REQUEST: { wire: 'returns/request', scopes: RETURNS },
  RETURNS_APPROVE: { wire: 'returns/approve', scopes: RETURNS },
  RETURNS_DECLINE: { wire: 'returns/decline', scopes: RETURNS },
  RETURNS_UPDATE: { wire: 'returns/update', scopes: RETURNS },
  RETURNS_PROCESS: { wire: 'returns/process', scopes: RETURNS },
  RETURNS_CLOSE: { wire: 'returns/close', scopes: ORDERS_OR_RETURNS },
  RETURNS_REOPEN: { wire: 'returns/reopen', scopes: ORDERS_OR_RETURNS },
  RETURNS_CANCEL: { wire: 'returns/cancel', scopes: ORDERS_OR_RETURNS },
  REVERSE_FULFILLMENT_ORDERS_DISPOSE: { wire: 'reverse_fulfillment_orders/dispose', scopes: RETURNS },
  FULFILLMENTS_CREATE: { wire: 'fulfillments/create', scopes: FULFILLMENTS },
  FULFILLMENTS_UPDATE: { wire: 'fulfillments/update', scopes: FULFILLMENTS },
  BULK_OPERATIONS_FINISH: { wire: 'bulk_operations/finish', scopes: [] },
  APP_UNINSTALLED: { wire: 'app/uninstalled', scopes: [] },
  APP_SCOPES_UPDATE: { wire: 'app/scopes_update', scopes: [] },
  SHOP_UPDATE: { wire: 'shop/update', scopes: [] },
} as const satisfies Readonly<Record<string, Topic>>;

export type TopicName = keyof typeof TOPICS;

export function isEmulatedTopic(name: string): name is TopicName {
  return Object.hasOwn(TOPICS, name);
}

type FactName = ShopFact extends infer F
  ? F extends { kind: infer K extends string; change: infer C extends string }
    ? `${K} ${C}`
    : never
  : never;

const TOPIC_OF_FACT = {
  'inventory_level connected': 'INVENTORY_LEVELS_CONNECT',
  'inventory_level disconnected': 'INVENTORY_LEVELS_DISCONNECT',
  'inventory_level updated': 'INVENTORY_LEVELS_UPDATE',
  'inventory_item created': 'INVENTORY_ITEMS_CREATE',
  'inventory_item updated': 'INVENTORY_ITEMS_UPDATE',
  'inventory_item deleted': 'INVENTORY_ITEMS_DELETE',
  'product created': 'PRODUCTS_CREATE',
  'product updated': 'PRODUCTS_UPDATE',
  'product deleted': 'PRODUCTS_DELETE',
  'location created': 'LOCATIONS_CREATE',
  'location updated': 'LOCATIONS_UPDATE',
  'location activated': 'LOCATIONS_ACTIVATE',
  'location deactivated': 'LOCATIONS_DEACTIVATE',
  'location deleted': 'LOCATIONS_DELETE',
  'draft_order created': 'DRAFT_ORDERS_CREATE',
  'draft_order updated': 'DRAFT_ORDERS_UPDATE',
  'draft_order deleted': 'DRAFT_ORDERS_DELETE',
  'order created': 'ORDERS_CREATE',
  'order updated': 'ORDERS_UPDATED',
  'order paid': 'ORDERS_PAID',
  'order cancelled': 'ORDERS_CANCELLED',
  'order fulfilled': 'ORDERS_FULFILLED',
  'order partially_fulfilled': 'ORDERS_PARTIALLY_FULFILLED',
  'order deleted': 'ORDERS_DELETE',
  'order_edit committed': 'ORDERS_EDITED',
  'refund created': 'REFUNDS_CREATE',
  'return requested': 'RETURNS_REQUEST',
  'return approved': 'RETURNS_APPROVE',
  'return declined': 'RETURNS_DECLINE',
  'return updated': 'RETURNS_UPDATE',
  'return processed': 'RETURNS_PROCESS',
  'return closed': 'RETURNS_CLOSE',
  'return reopened': 'RETURNS_REOPEN',
  'return cancelled': 'RETURNS_CANCEL',
  'reverse_fulfillment_order disposed': 'REVERSE_FULFILLMENT_ORDERS_DISPOSE',
  'fulfillment created': 'FULFILLMENTS_CREATE',
  'fulfillment updated': 'FULFILLMENTS_UPDATE',
  'bulk_operation finished': 'BULK_OPERATIONS_FINISH',
  'app uninstalled': 'APP_UNINSTALLED',
  'app scopes_updated': 'APP_SCOPES_UPDATE',
  'shop updated': 'SHOP_UPDATE',
} as const satisfies Readonly<Record<FactName, TopicName>>;

/**
 * The topic that tells of the event; null when Shopify says nothing. A level is told of when a number that a merchant
 * sees changes: units that only change hands between `reserved` and `committed` leave `available` and `on_hand` alone.
 */
export function chooseTopic(event: ShopEvent): TopicName | null {
  if (event.kind === 'inventory_level' && event.change === 'updated') {
    const { available = 0, incoming = 0, ...rest } = event.deltas;
    const unseen = Object.values(rest).reduce((sum, units) => sum + units, available);
    if (available === 0 && incoming === 0 && unseen === 0) return null;
  }
  return TOPIC_OF_FACT[`${event.kind} ${event.change}` as FactName];
}

const MERGED_TOPICS: ReadonlySet<TopicName> = new Set<TopicName>([
  'INVENTORY_LEVELS_UPDATE',
  'INVENTORY_ITEMS_UPDATE',
  'PRODUCTS_UPDATE',
  'LOCATIONS_UPDATE',
  'DRAFT_ORDERS_UPDATE',
  'ORDERS_UPDATED',
  'SHOP_UPDATE',
]);

/**
 * Whether rapid changes of one thing are merged. Only a message that says how things are can swallow another: one that
 * says what happened can't.
 */
export function isMerged(topic: TopicName): boolean {
  return MERGED_TOPICS.has(topic);
}

/** The id of the thing that the event is about. */
export function identifyResource(event: ShopEvent): string {
  switch (event.kind) {
    case 'inventory_level':
      return event.levelId;
    case 'inventory_item':
      return event.itemId;
    case 'product':
      return event.productId;
    case 'location':
      return event.locationId;
    case 'draft_order':
      return event.draftOrderId;
    case 'order':
    case 'order_edit':
      return event.orderId;
    case 'refund':
      return event.refundId;
    case 'return':
    case 'reverse_fulfillment_order':
      return event.returnId;
    case 'fulfillment':
      return event.fulfillmentId;
    case 'bulk_operation':
      return event.bulkOperationId;
    case 'app':
    case 'shop':
      return '';
  }
}
