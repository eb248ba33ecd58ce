/**
 * How the fields of Shopify's types follow from the shop's state, where they are not simply a property of it. A field
 * that is in the schema but neither here nor a property is refused as not emulated: null would be a false answer.
 */

import { GraphQLError } from 'graphql';
import { missingAccess } from '../api-rules/access.js';
import { type PageArguments, paginate, paginateOrdered } from '../api-rules/connection.js';
import { numberOfGid, toLevelGid } from '../base/gid.js';
import { formatCents } from '../base/money.js';
import { type Publication, publishedMsOn } from '../base/publications.js';
import { type QuantityName, readQuantity, STOCK_STATES } from '../base/quantities.js';
import { isoSeconds } from '../base/time.js';
import { LEVEL_LISTING, PLAIN_LISTING, variantListing } from '../shop/listings.js';
import { SHOP_DOMAIN, type Shop } from '../shop/shop.js';
import type { InventoryItem, Level, Location, Product, Variant } from '../shop/stock/inventory.js';
import type { AdjustmentGroup, InventoryChange } from '../shop/stock/inventory-changes.js';
import type { Context, Fields } from './context.js';
import { ORDER_TABLES } from './order-fields.js';
import { DRAFT_ORDER, LEGACY_ID, LINE, MAILING_ADDRESS, TIMES } from './sale-fields.js';

const REGION_NAMES = new Intl.DisplayNames('en', { type: 'region' });

const LOCATION: Fields<Location> = {
  ...TIMES,
  ...LEGACY_ID,
  address: ({ city, countryCode }) => ({
    address1: null,
    address2: null,
    city,
    country: REGION_NAMES.of(countryCode),
    countryCode,
    formatted: [city, REGION_NAMES.of(countryCode)],
    phone: null,
    province: null,
    provinceCode: null,
    zip: null,
  }),
  fulfillsOnlineOrders: ({ isActive, fulfillsOnlineOrders }) => isActive && fulfillsOnlineOrders,
  isFulfillmentService: () => false,
  isPrimary: (location, _args: object, { shop }) => [...shop.inventory.locations.keys()][0] === location.id,
  shipsInventory: ({ isActive }) => isActive,
  hasActiveInventory: ({ id }, _args: object, { shop }) =>
    shop.inventory.levelsAt(id).some((level) => level.isActive),
  inventoryLevel: ({ id }, args: { inventoryItemId: string; includeInactive: boolean }, { shop }) =>
    shownLevel(shop, shop.inventory.levelAt(args.inventoryItemId, id), args.includeInactive),
  inventoryLevels: ({ id }, args: PageArguments & { includeInactive: boolean }, { shop }) =>
    levels(shop, shop.inventory.levelsAt(id), args),
};

const PRODUCT: Fields<Product> = {
  ...TIMES,
  ...LEGACY_ID,
  isGiftCard: ({ productType }) => productType === 'Gift Cards',
  hasOnlyDefaultVariant: ({ variantIds }) => variantIds.length === 1,
  hasOutOfStockVariants: (product, _args: object, { shop }) =>
    listVariants(shop, product).some(({ itemId }) => shop.inventory.availableOfItem(itemId) <= 0),
  totalInventory: (product, _args: object, { shop }) =>
    [...new Set(listVariants(shop, product).map(({ itemId }) => itemId))].reduce(
      (sum, itemId) => sum + shop.inventory.availableOfItem(itemId),
      0,
    ),
  tracksInventory: (product, _args: object, { shop }) =>
    listVariants(shop, product).some((variant) => shop.inventory.itemOfVariant(variant).tracked),
  publishedAt: (product, _args: object, { nowMs }) => {
    const publishedMs = publishedMsOn(product, 'online_store', nowMs);
    return publishedMs === null ? null : isoSeconds(publishedMs);
  },
  publishedOnCurrentPublication: (product, _args: object, { nowMs }) =>
    publishedMsOn(product, 'online_store', nowMs) !== null,
  publishedOnPublication: (product, { publicationId }: { publicationId: string }, context) =>
    isPublished(product, null, publicationId, context),
  onlineStoreUrl: (product, _args: object, { nowMs }) => {
    const { status, handle } = product;
    return publishedMsOn(product, 'online_store', nowMs) === null ||
      (status !== 'ACTIVE' && status !== 'UNLISTED')
      ? null
      : `https://${SHOP_DOMAIN}/products/${handle}`;
  },
  totalVariants: ({ variantIds }) => variantIds.length,
  variantsCount: ({ variantIds }) => ({ count: variantIds.length, precision: 'EXACT' }),
  variants: (product, args: PageArguments, { shop }) =>
    paginate(listVariants(shop, product), args, variantListing(shop.inventory)),
};

const PRODUCT_VARIANT: Fields<Variant> = {
  ...TIMES,
  ...LEGACY_ID,
  sku: (variant, _args: object, { shop }) => shop.inventory.itemOfVariant(variant).sku,
  publishedOnPublication: (variant, { publicationId }: { publicationId: string }, context) =>
    isPublished(context.shop.inventory.productOfVariant(variant), variant, publicationId, context),
  requiresComponents: ({ components }) => components.length > 0,
  barcode: () => null,
  displayName: (variant, _args: object, { shop }) =>
    `${shop.inventory.productOfVariant(variant).title} - ${variant.title}`,
  price: ({ priceCents }) => formatCents(priceCents),
  compareAtPrice: () => null,
  selectedOptions: ({ options }) => options,
  product: (variant, _args: object, { shop }) => shop.inventory.productOfVariant(variant),
  inventoryItem: (variant, _args: object, { shop }) => shop.inventory.itemOfVariant(variant),
  inventoryQuantity: ({ itemId }, _args: object, { shop }) => shop.inventory.availableOfItem(itemId),
  sellableOnlineQuantity: ({ itemId }, _args: object, { shop }) => shop.inventory.availableOnline(itemId),
  availableForSale: (variant, _args: object, { shop }) =>
    !shop.inventory.itemOfVariant(variant).tracked ||
    variant.inventoryPolicy === 'CONTINUE' ||
    shop.inventory.availableOfItem(variant.itemId) > 0,
};

const INVENTORY_ITEM: Fields<InventoryItem> = {
  ...TIMES,
  ...LEGACY_ID,
  requiresShipping: ({ tracked }) => tracked,
  duplicateSkuCount: ({ id, sku }, _args: object, { shop }) =>
    [...shop.inventory.items.values()].filter((other) => other.id !== id && other.sku === sku).length,
  locationsCount: ({ id }, _args: object, { shop }) => ({
    count: shop.inventory.levelsOfItem(id).filter((level) => level.isActive).length,
    precision: 'EXACT',
  }),
  variant: (item, _args: object, { shop }) => shop.inventory.variantOfItem(item),
  variants: (item, args: PageArguments, { shop }) =>
    paginate(shop.inventory.variantsOfItem(item), args, PLAIN_LISTING),
  inventoryLevel: ({ id }, args: { locationId: string; includeInactive: boolean }, { shop }) =>
    shownLevel(shop, shop.inventory.levelAt(id, args.locationId), args.includeInactive),
  inventoryLevels: ({ id }, args: PageArguments & { includeInactive: boolean }, { shop }) =>
    levels(shop, shop.inventory.levelsOfItem(id), args),
};

const INVENTORY_LEVEL: Fields<Level> = {
  ...TIMES,
  isActive: (level, _args: object, { shop }) => isActive(shop, level),
  canDeactivate: (level, _args: object, { shop }) =>
    level.isActive && shop.stockPlaces.deactivationAlert(level) === null,
  deactivationAlert: (level, _args: object, { shop }) => shop.stockPlaces.deactivationAlert(level),
  item: ({ itemId }, _args: object, { shop }) => shop.inventory.items.get(itemId),
  location: ({ locationId }, _args: object, { shop }) => shop.inventory.locations.get(locationId),
  quantities: (level, { names }: { names: readonly string[] }) => names.map((name) => quantity(level, name)),
};

const ADJUSTMENT_GROUP: Fields<AdjustmentGroup> = {
  createdAt: TIMES.createdAt,
  changes: (group, args: { inventoryItemIds?: string[]; locationIds?: string[]; quantityNames?: string[] }) =>
    group.changes.filter(
      (change) =>
        (args.inventoryItemIds?.includes(change.itemId) ?? true) &&
        (args.locationIds?.includes(change.locationId) ?? true) &&
        (args.quantityNames?.includes(change.name) ?? true),
    ),
};

const INVENTORY_CHANGE: Fields<InventoryChange> = {
  item: ({ itemId }, _args: object, { shop }) => shop.inventory.items.get(itemId),
  location: ({ locationId }, _args: object, { shop }) => shop.inventory.locations.get(locationId),
  // Null in every answer of Shopify's that was ever captured: a client has to read again.
  quantityAfterChange: () => null,
};

const PUBLICATION: Fields<Publication> = {
  name: ({ title }) => title,
  autoPublish: () => true,
  supportsFuturePublishing: ({ channel }) => channel.handle === 'online_store',
  catalog: ({ catalog }) => catalog,
  channels: ({ channel }, args: PageArguments) => paginate([channel], args, PLAIN_LISTING),
};

const APP_CATALOG: Fields<Publication['catalog']> = {
  apps: ({ app }, args: PageArguments) => paginate([app], args, PLAIN_LISTING),
};

/** Tables by the schema's name of the type. The two roots have their own. */
export const FIELDS_BY_TYPE: Readonly<Record<string, Fields<never>>> = {
  Location: LOCATION,
  Product: PRODUCT,
  ProductVariant: PRODUCT_VARIANT,
  InventoryItem: INVENTORY_ITEM,
  Publication: PUBLICATION,
  AppCatalog: APP_CATALOG,
  InventoryLevel: INVENTORY_LEVEL,
  InventoryAdjustmentGroup: ADJUSTMENT_GROUP,
  InventoryChange: INVENTORY_CHANGE,
  DraftOrder: DRAFT_ORDER,
  DraftOrderLineItem: LINE,
  ...ORDER_TABLES,
  MailingAddress: MAILING_ADDRESS,
};

/** Refused without `read_publications`. Of a publication that the shop does not have: not published there. */
function isPublished(
  product: Product,
  variant: Variant | null,
  publicationId: string,
  { shop, nowMs, scopes }: Context,
): boolean {
  const requiredAccess = missingAccess('publications', scopes);
  if (requiredAccess !== null) {
    throw new GraphQLError(
      `Access denied for publishedOnPublication field. Required access: ${requiredAccess}.`,
      {
        extensions: { code: 'ACCESS_DENIED', requiredAccess },
      },
    );
  }
  const handle = shop.publications.findHandle(publicationId);
  if (handle === null || variant?.withheldOn.has(handle)) return false;
  return publishedMsOn(product, handle, nowMs) !== null;
}

function levels(
  shop: Shop,
  all: readonly Level[],
  args: PageArguments & { readonly includeInactive: boolean },
) {
  const isShown = (level: Level) => args.includeInactive || isActive(shop, level);
  return paginateOrdered(all, args, LEVEL_LISTING, isShown);
}

function shownLevel(shop: Shop, level: Level | undefined, includeInactive: boolean): Level | null {
  return level && (includeInactive || isActive(shop, level)) ? level : null;
}

function isActive(shop: Shop, level: Level): boolean {
  return level.isActive && (shop.inventory.locations.get(level.locationId)?.isActive ?? false);
}

function quantity(level: Level, name: string) {
  if (name !== 'on_hand' && !STOCK_STATES.some((state) => state === name)) {
    throw new GraphQLError(`The specified quantity name is invalid: ${name}`, {
      extensions: { code: 'BAD_REQUEST' },
    });
  }
  return {
    id: `${toLevelGid(BigInt(numberOfGid(level.id)), level.itemId).replace('InventoryLevel', 'InventoryQuantity')}&name=${name}`,
    name,
    quantity: readQuantity(level.quantities, name as QuantityName),
    // Often null at Shopify; a client should look at the level's own time.
    updatedAt: null,
  };
}

function listVariants(shop: Shop, product: Product): readonly Variant[] {
  return product.variantIds.flatMap((id) => shop.inventory.variants.get(id) ?? []);
}
