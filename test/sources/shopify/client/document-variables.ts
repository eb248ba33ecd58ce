/** What is sent with each document: one representative set of variables, every optional one included. */

import type { DOCUMENTS, VariablesOf } from '../../../../src/sources/shopify/client/documents.js';

type Samples = { readonly [Key in keyof typeof DOCUMENTS]: VariablesOf<(typeof DOCUMENTS)[Key]> };

const ids = (type: string) => [`gid://shopify/${type}/9007199254740993`];
const id = (type: string) => `gid://shopify/${type}/9007199254740993`;
const page = { first: 50, after: 'eyJsYXN0X2lkIjoxfQ==' };
const flags = { publication: id('Publication'), flags: true };
const subscription: Samples['subscribe']['input'] = {
  uri: 'https://holdfast.example.com/webhooks/shopify',
  format: 'JSON',
  name: 'holdfast-inventory-levels-update',
  includeFields: ['inventory_item_id', 'updated_at'],
};

export const VARIABLES: Samples = {
  clock: {},
  probe: {},
  locations: page,
  items: { ...page, query: 'sku:"A" OR sku:"B"', variants: 5, levels: 25, ...flags },
  items_by_id: { ids: ids('InventoryItem'), variants: 5, levels: 25, ...flags },
  item_levels: { ...page, id: id('InventoryItem') },
  item_variants: { ...page, id: id('InventoryItem'), ...flags },
  listings: { ...page, ...flags },
  publications: page,
  changed_levels: { ...page, location: id('Location'), query: "updated_at:>='2026-11-23T12:00:00Z'" },
  changed_products: { ...page, query: "updated_at:>='2026-11-23T12:00:00Z'", variants: 100 },
  deleted_products: { ...page, query: 'action:destroy AND subject_type:PRODUCT AND id:>1' },
  product_variants: { ...page, id: id('Product') },
  variants_by_words: { first: 5, query: 'product_status:ACTIVE AND ("shirts" OR shirt*)' },
  create_hold: {
    input: {
      lineItems: [{ variantId: id('ProductVariant'), quantity: 2 }],
      reserveInventoryUntil: '2026-11-23T12:20:00.000Z',
      tags: ['holdfast', 'hf-1'],
      customAttributes: [{ key: 'holdfast_reservation', value: 'hf-1' }],
    },
  },
  update_hold: {
    id: id('DraftOrder'),
    input: {
      reserveInventoryUntil: '2026-11-23T12:20:00.000Z',
      customAttributes: [{ key: 'holdfast_reference', value: 'cart-1' }],
      note: 'a note',
      email: 'buyer@example.com',
      shippingAddress: {
        firstName: 'Ada',
        lastName: 'Lovelace',
        address1: '1 Street',
        address2: 'Flat 2',
        city: 'Hamburg',
        zip: '20095',
        phone: '+4940123456',
        countryCode: 'DE',
        provinceCode: 'HH',
      },
    },
  },
  complete_hold: { id: id('DraftOrder'), pending: true },
  delete_hold: { id: id('DraftOrder') },
  hold: { id: id('DraftOrder') },
  holds: { ...page, query: 'tag:"hf-1"', first: 10 },
  move_stock: {
    key: '6f0f2f1e-6a0e-4c58-9d55-6b8f8a1c8f10',
    input: {
      reason: 'reservation_created',
      referenceDocumentUri: 'gid://holdfast/Reservation/r1',
      changes: [
        {
          inventoryItemId: id('InventoryItem'),
          quantity: 2,
          from: { locationId: id('Location'), name: 'available', changeFromQuantity: 5 },
          to: {
            locationId: id('Location'),
            name: 'reserved',
            ledgerDocumentUri: 'gid://holdfast/Hold/r1',
            changeFromQuantity: null,
          },
        },
      ],
    },
  },
  shipped_variants: { ids: ids('ProductVariant') },
  place_order: {
    order: {
      lineItems: [{ variantId: id('ProductVariant'), quantity: 2, requiresShipping: true }],
      financialStatus: 'PAID',
      sourceIdentifier: 'hf-1',
      tags: ['holdfast', 'hf-1'],
      customAttributes: [{ key: 'holdfast_reservation', value: 'hf-1' }],
      note: 'a note',
      email: 'buyer@example.com',
      shippingAddress: { firstName: 'Ada', lastName: 'Lovelace', address1: '1 Street', countryCode: 'DE' },
    },
  },
  fulfilment: { ...page, id: id('Order') },
  move_fulfilment: {
    id: id('FulfillmentOrder'),
    to: id('Location'),
    lines: [{ id: id('FulfillmentOrderLineItem'), quantity: 1 }],
  },
  orders_by_source: { ...page, query: 'source_identifier:"hf-1"', first: 10 },
  reserved_levels: { ids: ids('InventoryItem'), levels: 10 },
  order_anchors: { ...page, query: 'tag:"holdfast"', first: 100 },
  tagged_orders: { ...page, query: 'tag:"hf-1"', first: 10 },
  cancel_order: { id: id('Order'), note: 'twin' },
  variants_count: { limit: null },
  bulk_items: {},
  start_bulk: { query: '{ inventoryItems { edges { node { id } } } }' },
  bulk_state: { id: id('BulkOperation') },
  cancel_bulk: { id: id('BulkOperation') },
  orders_by_id: { ids: ids('Order'), lines: 50, refunds: 250 },
  changed_orders: {
    ...page,
    query: 'tag:"holdfast" updated_at:>=\'2026-11-23T12:00:00Z\'',
    lines: 50,
    refunds: 250,
  },
  order_lines: { ...page, id: id('Order') },
  refund_lines: { ...page, id: id('Refund') },
  order_refunds: { id: id('Order') },
  return_refunds: { ...page, id: id('Return') },
  returns_by_order: { ids: ids('Order'), first: 10, refunds: 250 },
  order_returns: { ...page, id: id('Order'), refunds: 250 },
  return_goods: { ...page, id: id('Return'), lines: 50 },
  return_goods_lines: { ...page, id: id('ReverseFulfillmentOrder') },
  subscriptions: page,
  subscribe: { topic: 'INVENTORY_LEVELS_UPDATE', input: subscription },
  change_subscription: { id: id('WebhookSubscription'), input: subscription },
  unsubscribe: { id: id('WebhookSubscription') },
};
