/** The fields of QueryRoot. */

import { GraphQLError } from 'graphql';
import { ordersSeenSinceMs } from '../api-rules/access.js';
import { type Listing, type PageArguments, paginate, paginateOrdered } from '../api-rules/connection.js';
import { typeOfGid } from '../base/gid.js';
import { isoSeconds } from '../base/time.js';
import {
  DRAFT_ORDER_LISTING,
  EVENT_LISTING,
  ITEM_LISTING,
  LOCATION_LISTING,
  orderListing,
  PLAIN_LISTING,
  productListing,
  variantListing,
} from '../shop/listings.js';
import type { Order } from '../shop/orders/order.js';
import { SHOP_CURRENCY, SHOP_DOMAIN, SHOP_ID, type Shop } from '../shop/shop.js';
import type { Context, Fields } from './context.js';

/** Shopify: input arrays have at most 250 entries. */
export const INPUT_ARRAY_MAX = 250;

/** How an id of each type is looked up. Types that are missing here answer null, as an unknown id does. */
const NODES: Readonly<Record<string, (shop: Shop, id: string) => unknown>> = {
  Location: ({ inventory }, id) => inventory.locations.get(id),
  Product: ({ inventory }, id) => inventory.products.get(id),
  ProductVariant: ({ inventory }, id) => inventory.variants.get(id),
  InventoryItem: (shop, id) => {
    const item = shop.inventory.items.get(id);
    return item && shop.isItemShown(item) ? item : undefined;
  },
  InventoryLevel: ({ inventory }, id) => inventory.levels.get(id),
  DraftOrder: ({ draftOrders }, id) => draftOrders.get(id),
  Order: ({ orders }, id) => orders.get(id),
  FulfillmentOrder: ({ orders }, id) => orders.fulfillmentOrder(id),
  Fulfillment: ({ fulfillments }, id) => fulfillments.get(id),
  Refund: ({ refunds }, id) => refunds.get(id),
  Return: ({ returns }, id) => returns.get(id),
  ReverseFulfillmentOrder: ({ reverseFulfillmentOrders }, id) => reverseFulfillmentOrders.get(id),
  Shop: (shop, id) => (id === SHOP_ID ? shopFields(shop) : undefined),
  BulkOperation: ({ bulkOperations }, id) => bulkOperations.get(id),
  WebhookSubscription: ({ webhookSubscriptions }, id) => webhookSubscriptions.get(id),
};

export const QUERIES: Fields<unknown> = {
  shop: (_root, _args: object, { shop }) => shopFields(shop),
  currentAppInstallation: (_root, _args: object, { scopes }) => ({
    id: 'gid://shopify/AppInstallation/421598593321',
    launchUrl: `https://${SHOP_DOMAIN}/admin/apps/sandbox`,
    uninstallUrl: null,
    accessScopes: scopes.map((handle) => ({ handle, description: handle.replaceAll('_', ' ') })),
  }),
  location: (_root, { id }: { id?: string | null }, context) =>
    // Shopify: without an id, the primary location.
    id == null ? [...context.shop.inventory.locations.values()][0] : findNode(context, id, 'Location'),
  locations: (_root, args: PageArguments & { includeInactive: boolean }, { shop }) => {
    const all = [...shop.inventory.locations.values()];
    const shown = args.includeInactive ? all : all.filter((location) => location.isActive);
    return paginate(shown, args, LOCATION_LISTING);
  },
  // Catalogs of companies and markets have none here.
  publications: (_root, args: PageArguments & { catalogType?: string | null }, { shop }) =>
    paginate((args.catalogType ?? 'APP') === 'APP' ? shop.publications.all() : [], args, PLAIN_LISTING),
  product: byId('Product'),
  productVariant: byId('ProductVariant'),
  inventoryItem: byId('InventoryItem'),
  inventoryLevel: byId('InventoryLevel'),
  draftOrder: byId('DraftOrder'),
  order: byId('Order'),
  fulfillment: byId('Fulfillment'),
  refund: byId('Refund'),
  return: byId('Return'),
  // A job's number is a UUID: it is no global id like the others.
  job: (_root, { id }: { id: string }, { shop }) => shop.cancellations.job(id) ?? null,
  node: (_root, { id }: { id: string }, context) => findNode(context, id),
  nodes: (_root, { ids }: { ids: readonly string[] }, context) => {
    requireArrayLimit(ids);
    return ids.map((id) => findNode(context, id));
  },
  products: (_root, args: PageArguments, { shop: { inventory } }) =>
    paginateOrdered(inventory.products.inOrder(), args, productListing(inventory)),
  productVariants: (_root, args: PageArguments, { shop: { inventory } }) =>
    paginateOrdered(inventory.variants.inOrder(), args, variantListing(inventory)),
  inventoryItems: (_root, args: PageArguments, { shop }) =>
    paginateOrdered(shop.inventory.items.inOrder(), args, ITEM_LISTING, (item) => shop.isItemShown(item)),
  draftOrders: (_root, args: PageArguments, context) =>
    searchableAfterLag(context.shop.draftOrders.all(), args, DRAFT_ORDER_LISTING, context),
  events: (_root, args: PageArguments, context) => {
    if (context.shop.refusesEvents)
      throw new GraphQLError('Access denied for events field.', { extensions: { code: 'ACCESS_DENIED' } });
    return searchableAfterLag(context.shop.eventLog.all(), args, EVENT_LISTING, context);
  },
  orders: (_root, args: PageArguments, context) =>
    searchableAfterLag(
      [...context.shop.orders.all()].filter((order) => isShown(order, context)),
      args,
      // What a search goes by is what the index has seen.
      orderListing(args.query ? context.nowMs - context.shop.searchLagMs : context.nowMs),
      context,
    ),
};

/** The id itself when it is a global id; refused as Shopify refuses it otherwise, a rounded number included. */
export function requireGid(id: string): string {
  if (typeOfGid(id) !== null) return id;
  throw new GraphQLError(`Invalid global id '${id}'`, {
    extensions: { code: 'argumentLiteralsIncompatible' },
  });
}

export function requireArrayLimit(entries: readonly unknown[]): void {
  if (entries.length <= INPUT_ARRAY_MAX) return;
  const message = `The input array size of ${entries.length} is greater than the maximum allowed of ${INPUT_ARRAY_MAX}.`;
  throw new GraphQLError(message, { extensions: { code: 'MAX_INPUT_SIZE_EXCEEDED' } });
}

/** Null when there is no such thing, or when it is not of the wanted type. */
function findNode(context: Context, id: string, wantedType?: string): unknown {
  const type = typeOfGid(requireGid(id)) ?? '';
  if (wantedType !== undefined && type !== wantedType) return null;
  const node = NODES[type]?.(context.shop, id) ?? null;
  return type === 'Order' && node !== null && !isShown(node as Order, context) ? null : node;
}

/** Whether the app sees an order of that age. */
function isShown({ createdMs }: Order, { scopes, nowMs }: Context): boolean {
  return createdMs >= ordersSeenSinceMs(scopes, nowMs);
}

function byId(type: string) {
  return (_root: unknown, { id }: { id: string }, context: Context) => findNode(context, id, type);
}

/** Shopify's search index follows the data after a moment; a list without a query does not come from it. */
function searchableAfterLag<T extends { readonly id: string; readonly createdMs: number }>(
  all: Iterable<T>,
  args: PageArguments,
  listing: Listing<T>,
  { shop, nowMs }: Context,
) {
  const indexed = args.query
    ? [...all].filter(({ createdMs }) => createdMs + shop.searchLagMs <= nowMs)
    : all;
  return paginate(indexed, args, listing);
}

export function shopFields(shop: Shop) {
  return {
    id: SHOP_ID,
    name: shop.name,
    myshopifyDomain: SHOP_DOMAIN,
    url: `https://${SHOP_DOMAIN}`,
    email: 'owner@sandbox.example',
    contactEmail: 'hello@sandbox.example',
    currencyCode: SHOP_CURRENCY,
    enabledPresentmentCurrencies: [SHOP_CURRENCY],
    ianaTimezone: 'Europe/Berlin',
    plan: {
      displayName: 'Basic',
      publicDisplayName: 'Basic',
      partnerDevelopment: shop.plan === 'development',
      shopifyPlus: false,
    },
    taxesIncluded: true,
    taxShipping: false,
    setupRequired: false,
    weightUnit: 'KILOGRAMS',
    unitSystem: 'METRIC_SYSTEM',
    orderNumberFormatPrefix: '#',
    orderNumberFormatSuffix: '',
    createdAt: isoSeconds(shop.createdMs),
    updatedAt: isoSeconds(shop.updatedMs),
  };
}
