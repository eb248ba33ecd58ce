/** What webhooks say of draft orders, orders, fulfillments and refunds. The keys are those of Shopify's own samples. */

import type { ShopEvent } from '../base/events.js';
import { numberOfGid } from '../base/gid.js';
import type { JsonObject, JsonValue } from '../base/json-text.js';
import { type Address, type Attribute, type Line, totalCents } from '../base/line.js';
import { formatCents } from '../base/money.js';
import { isoAtShop } from '../base/time.js';
import type { DraftOrder } from '../shop/orders/draft-orders.js';
import {
  currentCents,
  currentUnits,
  type Fulfillment,
  financialStatus,
  fulfilledUnits,
  fulfillmentStatus,
  type Order,
  type OrderLine,
  outstandingCents,
  type Refund,
  requireLine,
  unfulfilledUnits,
} from '../shop/orders/order.js';
import { SHOP_CURRENCY, SHOP_DOMAIN, type Shop } from '../shop/shop.js';

export function parseId(gid: string): bigint {
  return BigInt(numberOfGid(gid));
}

export function draftOrderPayload(draft: DraftOrder, shop: Shop): JsonObject {
  const total = formatCents(totalCents(draft.lines));
  return {
    id: parseId(draft.id),
    note: draft.note,
    email: draft.email,
    taxes_included: true,
    currency: SHOP_CURRENCY,
    invoice_sent_at: null,
    created_at: isoAtShop(draft.createdMs),
    updated_at: isoAtShop(draft.updatedMs),
    tax_exempt: false,
    completed_at: draft.completedMs === null ? null : isoAtShop(draft.completedMs),
    name: draft.name,
    'allow_discount_codes_in_checkout?': false,
    'b2b?': false,
    status: draft.orderId === null ? 'open' : 'completed',
    line_items: draft.lines.map((line) => draftLinePayload(line, shop)),
    api_client_id: null,
    shipping_address: addressPayload(draft.shippingAddress),
    billing_address: addressPayload(draft.billingAddress),
    invoice_url: `https://${SHOP_DOMAIN}/${numberOfGid(draft.id)}/invoices/sandbox`,
    created_on_api_version_handle: null,
    applied_discount: null,
    order_id: draft.orderId === null ? null : parseId(draft.orderId),
    shipping_line: null,
    tax_lines: [],
    tags: draft.tags.join(', '),
    note_attributes: attributesPayload(draft.customAttributes),
    total_price: total,
    subtotal_price: total,
    total_tax: '0.00',
    payment_terms: null,
    admin_graphql_api_id: draft.id,
    customer: null,
  };
}

function draftLinePayload(line: Line, shop: Shop): JsonObject {
  return {
    id: parseId(line.id),
    ...goodsPayload(line, shop),
    quantity: line.quantity,
    applied_discount: null,
    properties: attributesPayload(line.customAttributes),
    custom: line.variantId === null,
    price: formatCents(line.unitCents),
    admin_graphql_api_id: line.id,
    tax_lines: [],
  };
}

export function orderPayload(order: Order, shop: Shop): JsonObject {
  const { cancellation, email, number, createdMs } = order;
  return {
    id: parseId(order.id),
    admin_graphql_api_id: order.id,
    app_id: null,
    browser_ip: null,
    buyer_accepts_marketing: false,
    cancel_reason: cancellation?.reason.toLowerCase() ?? null,
    cancelled_at: cancellation === null ? null : isoAtShop(cancellation.atMs),
    cart_token: null,
    checkout_token: null,
    client_details: null,
    closed_at: order.closedMs === null ? null : isoAtShop(order.closedMs),
    confirmation_number: null,
    confirmed: true,
    contact_email: email,
    created_at: isoAtShop(createdMs),
    currency: SHOP_CURRENCY,
    ...sumsPayload(order),
    customer_locale: null,
    device_id: null,
    discount_codes: [],
    duties_included: false,
    email,
    estimated_taxes: false,
    financial_status: financialStatus(order).toLowerCase(),
    fulfillment_status: shippedPayload(fulfillmentStatus(order)),
    landing_site: null,
    landing_site_ref: null,
    location_id: null,
    merchant_business_entity_id: null,
    merchant_of_record_app_id: null,
    name: order.name,
    note: order.note,
    note_attributes: attributesPayload(order.customAttributes),
    number: number - 1000,
    order_number: number,
    order_status_url: `https://${SHOP_DOMAIN}/orders/${numberOfGid(order.id)}`,
    payment_gateway_names: ['manual'],
    phone: order.phone,
    po_number: order.poNumber,
    presentment_currency: SHOP_CURRENCY,
    processed_at: isoAtShop(createdMs),
    reference: null,
    referring_site: null,
    source_identifier: order.sourceIdentifier,
    source_name: order.sourceName ?? 'shopify_draft_order',
    source_url: null,
    tags: order.tags.join(', '),
    tax_exempt: false,
    tax_lines: [],
    taxes_included: true,
    test: false,
    token: numberOfGid(order.id),
    total_weight: 0,
    updated_at: isoAtShop(order.updatedMs),
    user_id: null,
    ...partsPayload(order, shop),
  };
}

/** What an order consists of, and what has become of it. */
function partsPayload(order: Order, shop: Shop): JsonObject {
  return {
    billing_address: addressPayload(order.billingAddress),
    customer: null,
    discount_applications: [],
    fulfillments: order.fulfillments.map((fulfillment) => fulfillmentPayload(fulfillment, order, shop)),
    line_items: order.lines.map((line) => linePayload(line, order, shop)),
    payment_terms: null,
    refunds: order.refunds.map((refund) => refundPayload(refund, order, shop)),
    shipping_address: addressPayload(order.shippingAddress),
    shipping_lines: [],
    returns: order.returns.map(({ id, name, status }) => ({
      id: parseId(id),
      admin_graphql_api_id: id,
      name,
      status: status.toLowerCase(),
    })),
    line_item_groups: [],
  };
}

/** Without taxes, shipping and discounts, sums are of lines alone. */
function sumsPayload(order: Order): JsonObject {
  const original = totalCents(order.lines);
  const current = currentCents(order);
  const priced = (name: string, cents: number) => ({
    [name]: formatCents(cents),
    [`${name}_set`]: moneyPayload(cents),
  });
  return {
    current_shipping_price_set: moneyPayload(0),
    ...priced('current_subtotal_price', current),
    current_total_additional_fees_set: null,
    ...priced('current_total_discounts', 0),
    current_total_duties_set: null,
    ...priced('current_total_price', current),
    ...priced('current_total_tax', 0),
    original_total_additional_fees_set: null,
    original_total_duties_set: null,
    ...priced('subtotal_price', original),
    total_cash_rounding_payment_adjustment_set: moneyPayload(0),
    total_cash_rounding_refund_adjustment_set: moneyPayload(0),
    ...priced('total_discounts', 0),
    ...priced('total_line_items_price', original),
    total_outstanding: formatCents(outstandingCents(order)),
    ...priced('total_price', original),
    total_shipping_price_set: moneyPayload(0),
    ...priced('total_tax', 0),
    total_tip_received: '0.00',
  };
}

/** A line as the order has it: `quantity` is what was ordered, `current_quantity` what is left of it. */
function linePayload(line: OrderLine, order: Order, shop: Shop): JsonObject {
  return {
    ...commonLinePayload(line, order, shop),
    attributed_staffs: [],
    current_quantity: currentUnits(line),
    sales_line_item_group_id: null,
  };
}

function commonLinePayload(line: OrderLine, order: Order, shop: Shop): JsonObject {
  const left = unfulfilledUnits(order, line.id);
  const shipped = fulfilledUnits(order, line.id);
  return {
    id: parseId(line.id),
    admin_graphql_api_id: line.id,
    ...goodsPayload(line, shop),
    quantity: line.quantity,
    fulfillable_quantity: left,
    fulfillment_status: shipped === 0 ? null : left > 0 ? 'partial' : 'fulfilled',
    price: formatCents(line.unitCents),
    price_set: moneyPayload(line.unitCents),
    product_exists: findProductId(line, shop) !== null,
    properties: attributesPayload(line.customAttributes),
    total_discount: '0.00',
    total_discount_set: moneyPayload(0),
    variant_inventory_management: line.itemId === null ? null : 'shopify',
    tax_lines: [],
    duties: [],
    discount_allocations: [],
  };
}

/** What a line of a draft order and of an order have alike. */
function goodsPayload(line: Line | OrderLine, shop: Shop): JsonObject {
  const product = shop.inventory.products.get(findProductId(line, shop) ?? '');
  return {
    variant_id: line.variantId === null ? null : parseId(line.variantId),
    product_id: product ? parseId(product.id) : null,
    title: line.title,
    variant_title: line.variantTitle,
    sku: line.sku,
    vendor: product?.vendor ?? null,
    requires_shipping: line.variantId !== null,
    taxable: true,
    gift_card: product?.productType === 'Gift Cards',
    fulfillment_service: 'manual',
    grams: 0,
    name: line.variantTitle === null ? line.title : `${line.title} - ${line.variantTitle}`,
  };
}

export function fulfillmentPayload(fulfillment: Fulfillment, order: Order, shop: Shop): JsonObject {
  return {
    id: parseId(fulfillment.id),
    order_id: parseId(order.id),
    status: fulfillment.status.toLowerCase(),
    created_at: isoAtShop(fulfillment.createdMs),
    service: 'manual',
    updated_at: isoAtShop(fulfillment.updatedMs),
    tracking_company: null,
    shipment_status: null,
    location_id: fulfillment.locationId === null ? null : parseId(fulfillment.locationId),
    origin_address: null,
    email: order.email,
    destination: addressPayload(order.shippingAddress),
    line_items: fulfillment.lines.map(({ lineId, quantity }) => ({
      ...commonLinePayload(requireLine(order, lineId), order, shop),
      quantity,
    })),
    tracking_number: null,
    tracking_numbers: [],
    tracking_url: null,
    tracking_urls: [],
    receipt: {},
    name: fulfillment.name,
    admin_graphql_api_id: fulfillment.id,
  };
}

export function refundPayload(refund: Refund, order: Order, shop: Shop): JsonObject {
  const { returnId } = refund;
  return {
    id: parseId(refund.id),
    order_id: parseId(order.id),
    created_at: isoAtShop(refund.createdMs),
    note: refund.note,
    user_id: null,
    processed_at: isoAtShop(refund.createdMs),
    duties: [],
    total_duties_set: moneyPayload(0),
    return: returnId === null ? null : { id: parseId(returnId), admin_graphql_api_id: returnId },
    refund_shipping_lines: [],
    restock: refund.lines.some(({ isRestocked }) => isRestocked),
    admin_graphql_api_id: refund.id,
    order_adjustments: [],
    refund_line_items: refund.lines.map((line) => ({
      id: parseId(line.id),
      quantity: line.quantity,
      line_item_id: parseId(line.lineId),
      location_id: line.locationId === null ? null : parseId(line.locationId),
      restock_type: line.restockType.toLowerCase(),
      subtotal: line.subtotalCents / 100,
      total_tax: 0,
      subtotal_set: moneyPayload(line.subtotalCents),
      total_tax_set: moneyPayload(0),
      line_item: commonLinePayload(requireLine(order, line.lineId), order, shop),
    })),
    transactions: refund.totalCents > 0 ? [transactionPayload(refund)] : [],
  };
}

/** Shopify's samples name the currency differently here than everywhere else. */
const NOTHING = { amount: '0.0', currency: SHOP_CURRENCY };

function transactionPayload(refund: Refund): JsonObject {
  const id = parseId(refund.id) + 1n;
  return {
    id,
    order_id: parseId(refund.orderId),
    kind: 'refund',
    gateway: 'manual',
    status: 'success',
    message: 'Refunded',
    created_at: isoAtShop(refund.createdMs),
    test: false,
    authorization: null,
    location_id: null,
    user_id: null,
    parent_id: null,
    processed_at: isoAtShop(refund.createdMs),
    device_id: null,
    error_code: null,
    source_name: 'web',
    receipt: {},
    amount: formatCents(refund.totalCents),
    currency: SHOP_CURRENCY,
    payment_id: null,
    total_unsettled_set: { presentment_money: NOTHING, shop_money: NOTHING },
    manual_payment_gateway: true,
    amount_rounding: null,
    admin_graphql_api_id: `gid://shopify/OrderTransaction/${id}`,
  };
}

export function editPayload(event: Extract<ShopEvent, { kind: 'order_edit' }>): JsonObject {
  const changes = (entries: readonly { readonly lineItemId: string; readonly delta: number }[]) =>
    entries.map(({ lineItemId, delta }) => ({ id: parseId(lineItemId), delta }));
  return {
    order_edit: {
      id: parseId(event.editId),
      app_id: null,
      created_at: isoAtShop(event.beganMs),
      committed_at: isoAtShop(event.atMs),
      notify_customer: event.notifyCustomer,
      order_id: parseId(event.orderId),
      staff_note: event.staffNote ?? '',
      user_id: null,
      line_items: { additions: changes(event.additions), removals: changes(event.removals) },
      discounts: { line_item: { additions: [], removals: [] } },
      shipping_lines: { additions: [], removals: [] },
    },
  };
}

function findProductId(line: Line | OrderLine, shop: Shop): string | null {
  return shop.inventory.variants.get(line.variantId ?? '')?.productId ?? null;
}

function shippedPayload(status: string): string | null {
  if (status === 'UNFULFILLED') return null;
  return status === 'FULFILLED' ? 'fulfilled' : 'partial';
}

function moneyPayload(cents: number): JsonObject {
  const money = { amount: formatCents(cents), currency_code: SHOP_CURRENCY };
  return { shop_money: money, presentment_money: money };
}

function attributesPayload(attributes: readonly Attribute[]): readonly JsonValue[] {
  return attributes.map(({ key, value }) => ({ name: key, value }));
}

function addressPayload(address: Address | null): JsonObject | null {
  if (address === null) return null;
  const { firstName, lastName, countryCode } = address;
  return {
    first_name: firstName,
    address1: address.address1,
    phone: address.phone,
    city: address.city,
    zip: address.zip,
    province: address.provinceCode,
    country: countryCode,
    last_name: lastName,
    address2: address.address2,
    company: address.company,
    latitude: null,
    longitude: null,
    name: [firstName, lastName].filter((part) => part !== null).join(' '),
    country_code: countryCode,
    province_code: address.provinceCode,
  };
}
