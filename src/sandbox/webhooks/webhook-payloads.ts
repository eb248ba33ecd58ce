/**
 * What a webhook says, built from the shop's state at the moment of sending, as Shopify does it. The keys are those of
 * Shopify's own samples; what the sandbox has no notion of (images, customers, taxes) is there, and empty.
 */

import type { ShopEvent } from '../base/events.js';
import type { JsonObject } from '../base/json-text.js';
import { formatCents } from '../base/money.js';
import { publishedMsOn } from '../base/publications.js';
import { isoAtShop } from '../base/time.js';
import type { Order } from '../shop/orders/order.js';
import { SHOP_CURRENCY, SHOP_DOMAIN, SHOP_ID, type Shop } from '../shop/shop.js';
import type { InventoryItem, Level, Location, Product, Variant } from '../shop/stock/inventory.js';
import {
  draftOrderPayload,
  editPayload,
  fulfillmentPayload,
  orderPayload,
  parseId,
  refundPayload,
} from './webhook-order-payloads.js';
import { disposePayload, returnPayload } from './webhook-return-payloads.js';

/** Shopify: the payload holds the first 100 variants whole, and the ids of all. */
const PRODUCT_VARIANTS_MAX = 100;

/** Null when the thing is gone by now, and Shopify would have nothing to say. */
export function buildPayload(event: ShopEvent, shop: Shop): JsonObject | null {
  switch (event.kind) {
    case 'inventory_level':
      return event.change === 'disconnected'
        ? { inventory_item_id: parseId(event.itemId), location_id: parseId(event.locationId) }
        : present(shop.inventory.levels.get(event.levelId), (level) => levelPayload(level, shop));
    case 'inventory_item':
      return event.change === 'deleted'
        ? deletedItemPayload(event.itemId)
        : present(shop.inventory.items.get(event.itemId), itemPayload);
    case 'product':
      return event.change === 'deleted'
        ? { id: parseId(event.productId) }
        : present(shop.inventory.products.get(event.productId), (product) => productPayload(product, shop));
    case 'location':
      return event.change === 'deleted'
        ? { id: parseId(event.locationId) }
        : present(shop.inventory.locations.get(event.locationId), locationPayload);
    case 'draft_order':
      return event.change === 'deleted'
        ? { id: parseId(event.draftOrderId) }
        : present(shop.draftOrders.get(event.draftOrderId), (draft) => draftOrderPayload(draft, shop));
    case 'order':
      return event.change === 'deleted'
        ? { id: parseId(event.orderId) }
        : present(shop.orders.get(event.orderId), (order) => orderPayload(order, shop));
    case 'order_edit':
      return editPayload(event);
    case 'refund':
      return ofOrder(event, shop, ({ refunds }) => refunds, event.refundId, refundPayload);
    case 'return':
      return ofOrder(
        event,
        shop,
        ({ returns }) => returns,
        event.returnId,
        (found, order) => returnPayload(event, order, found),
      );
    case 'reverse_fulfillment_order':
      return disposePayload(event);
    case 'fulfillment':
      return ofOrder(
        event,
        shop,
        ({ fulfillments }) => fulfillments,
        event.fulfillmentId,
        fulfillmentPayload,
      );
    case 'bulk_operation':
      return bulkPayload(event.bulkOperationId, shop);
    case 'app':
      return event.change === 'uninstalled' ? shopPayload(shop) : scopesPayload(event);
    case 'shop':
      return shopPayload(shop);
  }
}

function present<T>(entity: T | undefined, payload: (entity: T) => JsonObject): JsonObject | null {
  return entity === undefined ? null : payload(entity);
}

/** Of something that belongs to the event's order. */
function ofOrder<T extends { readonly id: string }>(
  { orderId }: { readonly orderId: string },
  shop: Shop,
  listOf: (order: Order) => readonly T[],
  id: string,
  payload: (found: T, order: Order, shop: Shop) => JsonObject,
): JsonObject | null {
  const order = shop.orders.get(orderId);
  if (!order) return null;
  return present(
    listOf(order).find((one) => one.id === id),
    (found) => payload(found, order, shop),
  );
}

/** `available` is null where the item is not tracked. */
function levelPayload(level: Level, shop: Shop): JsonObject {
  const isTracked = shop.inventory.items.get(level.itemId)?.tracked ?? false;
  return {
    inventory_item_id: parseId(level.itemId),
    location_id: parseId(level.locationId),
    available: isTracked ? level.quantities.available : null,
    updated_at: isoAtShop(level.updatedMs),
    admin_graphql_api_id: level.id,
  };
}

const ITEM_CUSTOMS = {
  country_code_of_origin: null,
  province_code_of_origin: null,
  harmonized_system_code: null,
};

function itemPayload(item: InventoryItem): JsonObject {
  return {
    id: parseId(item.id),
    sku: item.sku,
    created_at: isoAtShop(item.createdMs),
    updated_at: isoAtShop(item.updatedMs),
    requires_shipping: item.tracked,
    cost: null,
    ...ITEM_CUSTOMS,
    tracked: item.tracked,
    country_harmonized_system_codes: [],
    weight_value: 0,
    weight_unit: 'kg',
    admin_graphql_api_id: item.id,
  };
}

function deletedItemPayload(itemId: string): JsonObject {
  return {
    id: parseId(itemId),
    ...ITEM_CUSTOMS,
    country_harmonized_system_codes: [],
    admin_graphql_api_id: itemId,
  };
}

function productPayload(product: Product, shop: Shop): JsonObject {
  const variants = product.variantIds.flatMap((id) => shop.inventory.variants.get(id) ?? []);
  const publishedMs = publishedMsOn(product, 'online_store', shop.nowMs());
  return {
    admin_graphql_api_id: product.id,
    body_html: '',
    created_at: isoAtShop(product.createdMs),
    handle: product.handle,
    id: parseId(product.id),
    product_type: product.productType,
    published_at: publishedMs === null ? null : isoAtShop(publishedMs),
    template_suffix: null,
    title: product.title,
    updated_at: isoAtShop(product.updatedMs),
    vendor: product.vendor,
    status: product.status.toLowerCase(),
    published_scope: 'global',
    tags: product.tags.join(', '),
    variants: variants.slice(0, PRODUCT_VARIANTS_MAX).map((variant) => variantPayload(variant, shop)),
    options: optionsPayload(variants, product),
    images: [],
    image: null,
    media: [],
    variant_gids: variants.map(({ id, updatedMs }) => ({
      admin_graphql_api_id: id,
      updated_at: new Date(updatedMs).toISOString(),
    })),
    has_variants_that_requires_components: false,
    category: null,
  };
}

function variantPayload(variant: Variant, shop: Shop): JsonObject {
  const units = shop.inventory.availableOfItem(variant.itemId);
  const [option1, option2, option3] = variant.options.map(({ value }) => value);
  return {
    admin_graphql_api_id: variant.id,
    barcode: null,
    compare_at_price: null,
    created_at: isoAtShop(variant.createdMs),
    id: parseId(variant.id),
    inventory_policy: variant.inventoryPolicy.toLowerCase(),
    position: variant.position,
    price: formatCents(variant.priceCents),
    product_id: parseId(variant.productId),
    sku: shop.inventory.itemOfVariant(variant).sku,
    taxable: true,
    title: variant.title,
    updated_at: isoAtShop(variant.updatedMs),
    option1: option1 ?? null,
    option2: option2 ?? null,
    option3: option3 ?? null,
    image_id: null,
    inventory_item_id: parseId(variant.itemId),
    inventory_quantity: units,
    old_inventory_quantity: units,
  };
}

function optionsPayload(variants: readonly Variant[], product: Product): readonly JsonObject[] {
  const values = new Map<string, Set<string>>();
  for (const { options } of variants) {
    for (const { name, value } of options) values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  return [...values].map(([name, present], index) => ({
    name,
    id: parseId(product.id) * 10n + BigInt(index + 1),
    product_id: parseId(product.id),
    position: index + 1,
    values: [...present],
  }));
}

function locationPayload(location: Location): JsonObject {
  return {
    id: parseId(location.id),
    name: location.name,
    address1: null,
    address2: null,
    city: location.city,
    zip: null,
    province: null,
    country: location.countryCode,
    phone: null,
    created_at: isoAtShop(location.createdMs),
    updated_at: isoAtShop(location.updatedMs),
    country_code: location.countryCode,
    country_name: new Intl.DisplayNames('en', { type: 'region' }).of(location.countryCode) ?? null,
    province_code: null,
    legacy: false,
    active: location.isActive,
    admin_graphql_api_id: location.id,
  };
}

function bulkPayload(id: string, shop: Shop): JsonObject | null {
  return present(shop.bulkOperations.get(id), (operation) => ({
    admin_graphql_api_id: operation.id,
    completed_at: operation.completedMs === null ? null : isoAtShop(operation.completedMs),
    created_at: isoAtShop(operation.createdMs),
    error_code: operation.errorCode?.toLowerCase() ?? null,
    status: operation.status.toLowerCase(),
    type: 'query',
  }));
}

function scopesPayload(event: Extract<ShopEvent, { change: 'scopes_updated' }>): JsonObject {
  return {
    id: 421_598_593_321n,
    shop_id: SHOP_ID,
    previous: [...event.previous],
    current: [...event.current],
    updated_at: new Date(event.atMs).toISOString(),
  };
}

/** The shop itself; Shopify sends the same when the app is removed. */
function shopPayload(shop: Shop): JsonObject {
  const [primary] = shop.inventory.locations.values();
  return {
    id: parseId(SHOP_ID),
    name: shop.name,
    email: 'owner@sandbox.example',
    domain: SHOP_DOMAIN,
    province: null,
    country: 'DE',
    address1: null,
    zip: null,
    city: primary?.city ?? null,
    source: null,
    phone: null,
    latitude: null,
    longitude: null,
    primary_locale: 'en',
    address2: null,
    created_at: isoAtShop(shop.createdMs),
    updated_at: isoAtShop(shop.updatedMs),
    country_code: 'DE',
    country_name: 'Germany',
    currency: SHOP_CURRENCY,
    customer_email: 'hello@sandbox.example',
    timezone: '(GMT+01:00) Europe/Berlin',
    iana_timezone: 'Europe/Berlin',
    shop_owner: 'Sandbox Owner',
    money_format: '€{{amount}}',
    money_with_currency_format: '€{{amount}} EUR',
    weight_unit: 'kg',
    province_code: null,
    taxes_included: true,
    auto_configure_tax_inclusivity: null,
    tax_shipping: null,
    county_taxes: null,
    plan_display_name: 'Basic',
    plan_name: 'basic',
    has_discounts: false,
    has_gift_cards: true,
    myshopify_domain: SHOP_DOMAIN,
    google_apps_domain: null,
    google_apps_login_enabled: null,
    money_in_emails_format: '€{{amount}}',
    money_with_currency_in_emails_format: '€{{amount}} EUR',
    eligible_for_payments: false,
    requires_extra_payments_agreement: false,
    password_enabled: false,
    has_storefront: true,
    finances: true,
    primary_location_id: primary ? parseId(primary.id) : null,
    checkout_api_supported: false,
    multi_location_enabled: shop.inventory.locations.size > 1,
    setup_required: false,
    pre_launch_enabled: false,
    enabled_presentment_currencies: [SHOP_CURRENCY],
    marketing_sms_consent_enabled_at_checkout: false,
    transactional_sms_disabled: false,
  };
}
