/**
 * How the fields of Shopify's types follow from the shop's state, where they are not simply a property of it. A field
 * that is in the schema but neither here nor a property is refused as not emulated: null would be a false answer.
 */

import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import { connectionOf, type PageArguments } from './connection.js';
import type { DraftOrder } from './draft-orders.js';
import { levelGidOf, numberOfGid } from './gid.js';
import type { InventoryItem, Level, Location, Product, Variant } from './inventory.js';
import type { AdjustmentGroup, InventoryChange } from './inventory-changes.js';
import { LEVEL_LISTING, PLAIN_LISTING, variantListing } from './listings.js';
import { formatCents } from './money.js';
import { type Address, type Line, type Order, totalCents } from './orders.js';
import { type QuantityName, quantityOf, STOCK_STATES } from './quantities.js';
import { SHOP_CURRENCY, SHOP_DOMAIN, type Shop } from './shop.js';
import { isoSeconds } from './time.js';

/** What every resolver sees besides its source: the shop, the time of this request, and the caller's scopes. */
export interface Context {
  readonly shop: Shop;
  readonly nowMs: number;
  readonly scopes: readonly string[];
}

export type Fields<S> = Readonly<
  Record<string, (source: S, args: never, context: Context, info: GraphQLResolveInfo) => unknown>
>;

const REGION_NAMES = new Intl.DisplayNames('en', { type: 'region' });

const TIMES = {
  createdAt: ({ createdMs }: { createdMs: number }) => isoSeconds(createdMs),
  updatedAt: ({ updatedMs }: { updatedMs: number }) => isoSeconds(updatedMs),
};

const LEGACY_ID = { legacyResourceId: ({ id }: { id: string }) => numberOfGid(id) };

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
  fulfillsOnlineOrders: ({ isActive }) => isActive,
  isFulfillmentService: () => false,
  isPrimary: (location, _args: object, { shop }) => [...shop.inventory.locations.keys()][0] === location.id,
  shipsInventory: ({ isActive }) => isActive,
  hasActiveInventory: ({ id }, _args: object, { shop }) => shop.inventory.levelsAt(id).length > 0,
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
    variantsOf(shop, product).some(({ itemId }) => shop.inventory.availableOfItem(itemId) <= 0),
  totalInventory: (product, _args: object, { shop }) =>
    variantsOf(shop, product).reduce((sum, { itemId }) => sum + shop.inventory.availableOfItem(itemId), 0),
  tracksInventory: (product, _args: object, { shop }) =>
    variantsOf(shop, product).some((variant) => shop.inventory.itemOfVariant(variant).tracked),
  totalVariants: ({ variantIds }) => variantIds.length,
  variantsCount: ({ variantIds }) => ({ count: variantIds.length, precision: 'EXACT' }),
  variants: (product, args: PageArguments, { shop }) =>
    connectionOf(variantsOf(shop, product), args, variantListing(shop.inventory)),
};

const PRODUCT_VARIANT: Fields<Variant> = {
  ...TIMES,
  ...LEGACY_ID,
  sku: (variant, _args: object, { shop }) => shop.inventory.itemOfVariant(variant).sku,
  barcode: () => null,
  displayName: (variant, _args: object, { shop }) =>
    `${shop.inventory.productOfVariant(variant).title} - ${variant.title}`,
  price: ({ priceCents }) => formatCents(priceCents),
  compareAtPrice: () => null,
  selectedOptions: ({ options }) => options,
  product: (variant, _args: object, { shop }) => shop.inventory.productOfVariant(variant),
  inventoryItem: (variant, _args: object, { shop }) => shop.inventory.itemOfVariant(variant),
  inventoryQuantity: ({ itemId }, _args: object, { shop }) => shop.inventory.availableOfItem(itemId),
  sellableOnlineQuantity: ({ itemId }, _args: object, { shop }) => shop.inventory.availableOfItem(itemId),
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
    count: shop.inventory.levelsOfItem(id).length,
    precision: 'EXACT',
  }),
  variant: (item, _args: object, { shop }) => shop.inventory.variantOfItem(item),
  variants: (item, args: PageArguments, { shop }) =>
    connectionOf([shop.inventory.variantOfItem(item)], args, PLAIN_LISTING),
  inventoryLevel: ({ id }, args: { locationId: string; includeInactive: boolean }, { shop }) =>
    shownLevel(shop, shop.inventory.levelAt(id, args.locationId), args.includeInactive),
  inventoryLevels: ({ id }, args: PageArguments & { includeInactive: boolean }, { shop }) =>
    levels(shop, shop.inventory.levelsOfItem(id), args),
};

const INVENTORY_LEVEL: Fields<Level> = {
  ...TIMES,
  isActive: (level, _args: object, { shop }) => isActive(shop, level),
  canDeactivate: ({ quantities }) => STOCK_STATES.every((state) => quantities[state] === 0),
  deactivationAlert: () => null,
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

/** Everything that drafts and orders have alike. Without taxes, shipping and discounts all totals are the same. */
const SALE = {
  ...TIMES,
  ...LEGACY_ID,
  currencyCode: () => SHOP_CURRENCY,
  presentmentCurrencyCode: () => SHOP_CURRENCY,
  taxExempt: () => false,
  taxesIncluded: () => true,
  totalPriceSet: ({ lines }: Sale) => moneyBag(totalCents(lines)),
  subtotalPriceSet: ({ lines }: Sale) => moneyBag(totalCents(lines)),
  totalTaxSet: () => moneyBag(0),
  totalDiscountsSet: () => moneyBag(0),
  totalShippingPriceSet: () => moneyBag(0),
  totalPrice: ({ lines }: Sale) => formatCents(totalCents(lines)),
  subtotalPrice: ({ lines }: Sale) => formatCents(totalCents(lines)),
  lineItems: ({ lines }: Sale, args: PageArguments) => connectionOf(lines, args, PLAIN_LISTING),
};

interface Sale {
  readonly lines: readonly Line[];
}

const DRAFT_ORDER: Fields<DraftOrder> = {
  ...SALE,
  status: ({ orderId }) => (orderId === null ? 'OPEN' : 'COMPLETED'),
  ready: () => true,
  warnings: () => [],
  discountCodes: () => [],
  note2: ({ note }) => note,
  completedAt: ({ completedMs }) => (completedMs === null ? null : isoSeconds(completedMs)),
  reserveInventoryUntil: ({ reserveUntilMs }) =>
    reserveUntilMs === null ? null : isoSeconds(reserveUntilMs),
  order: ({ orderId }, _args: object, { shop }) => (orderId === null ? null : shop.orders.get(orderId)),
  invoiceUrl: ({ id }) => `https://${SHOP_DOMAIN}/${numberOfGid(id)}/invoices/sandbox`,
  invoiceSentAt: () => null,
  lineItemsSubtotalPrice: ({ lines }) => moneyBag(totalCents(lines)),
  totalLineItemsPriceSet: ({ lines }) => moneyBag(totalCents(lines)),
  totalQuantityOfLineItems: ({ lines }) => unitsOf(lines),
};

const ORDER: Fields<Order> = {
  ...SALE,
  processedAt: TIMES.createdAt,
  cancelledAt: () => null,
  cancelReason: () => null,
  closed: () => false,
  closedAt: () => null,
  confirmed: () => true,
  test: () => false,
  fullyPaid: ({ isPaid }) => isPaid,
  unpaid: ({ isPaid }) => !isPaid,
  displayFinancialStatus: ({ isPaid }) => (isPaid ? 'PAID' : 'PENDING'),
  displayFulfillmentStatus: () => 'UNFULFILLED',
  paymentGatewayNames: () => ['manual'],
  sourceIdentifier: () => null,
  currentTotalPriceSet: ({ lines }) => moneyBag(totalCents(lines)),
  originalTotalPriceSet: ({ lines }) => moneyBag(totalCents(lines)),
  subtotalLineItemsQuantity: ({ lines }) => unitsOf(lines),
  currentSubtotalLineItemsQuantity: ({ lines }) => unitsOf(lines),
  statusPageUrl: ({ id }) => `https://${SHOP_DOMAIN}/orders/${numberOfGid(id)}`,
};

/** Lines of draft orders and of orders. */
const LINE: Fields<Line> = {
  name: ({ title, variantTitle }) => (variantTitle === null ? title : `${title} - ${variantTitle}`),
  custom: ({ variantId }) => variantId === null,
  variant: ({ variantId }, _args: object, { shop }) =>
    variantId === null ? null : shop.inventory.variants.get(variantId),
  product: ({ variantId }, _args: object, { shop }) => {
    const variant = variantId === null ? undefined : shop.inventory.variants.get(variantId);
    return variant ? shop.inventory.productOfVariant(variant) : null;
  },
  originalUnitPriceSet: ({ unitCents }) => moneyBag(unitCents),
  originalTotalSet: (line) => moneyBag(totalCents([line])),
  discountedTotalSet: (line) => moneyBag(totalCents([line])),
  currentQuantity: (line) => line.quantity,
  unfulfilledQuantity: (line) => line.quantity,
};

const MAILING_ADDRESS: Fields<Address> = {
  countryCodeV2: ({ countryCode }) => countryCode,
  country: ({ countryCode }) => (countryCode === null ? null : REGION_NAMES.of(countryCode)),
  name: ({ firstName, lastName }) => [firstName, lastName].filter((part) => part !== null).join(' ') || null,
};

/** Tables by the schema's name of the type. The two roots have their own. */
export const FIELDS_BY_TYPE: Readonly<Record<string, Fields<never>>> = {
  Location: LOCATION,
  Product: PRODUCT,
  ProductVariant: PRODUCT_VARIANT,
  InventoryItem: INVENTORY_ITEM,
  InventoryLevel: INVENTORY_LEVEL,
  InventoryAdjustmentGroup: ADJUSTMENT_GROUP,
  InventoryChange: INVENTORY_CHANGE,
  DraftOrder: DRAFT_ORDER,
  DraftOrderLineItem: LINE,
  Order: ORDER,
  LineItem: LINE,
  MailingAddress: MAILING_ADDRESS,
};

function levels(
  shop: Shop,
  all: readonly Level[],
  args: PageArguments & { readonly includeInactive: boolean },
) {
  const shown = args.includeInactive ? all : all.filter((level) => isActive(shop, level));
  return connectionOf(shown, args, LEVEL_LISTING);
}

function shownLevel(shop: Shop, level: Level | undefined, includeInactive: boolean): Level | null {
  return level && (includeInactive || isActive(shop, level)) ? level : null;
}

function isActive(shop: Shop, level: Level): boolean {
  return shop.inventory.locations.get(level.locationId)?.isActive ?? false;
}

function quantity(level: Level, name: string) {
  if (name !== 'on_hand' && !STOCK_STATES.some((state) => state === name)) {
    throw new GraphQLError(`The specified quantity name is invalid: ${name}`, {
      extensions: { code: 'BAD_REQUEST' },
    });
  }
  return {
    id: `${levelGidOf(BigInt(numberOfGid(level.id)), level.itemId).replace('InventoryLevel', 'InventoryQuantity')}&name=${name}`,
    name,
    quantity: quantityOf(level.quantities, name as QuantityName),
    // Often null at Shopify; a client should look at the level's own time.
    updatedAt: null,
  };
}

function variantsOf(shop: Shop, product: Product): readonly Variant[] {
  return product.variantIds.flatMap((id) => shop.inventory.variants.get(id) ?? []);
}

function unitsOf(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}

function moneyBag(cents: number) {
  const money = { amount: formatCents(cents), currencyCode: SHOP_CURRENCY };
  return { shopMoney: money, presentmentMoney: money };
}
