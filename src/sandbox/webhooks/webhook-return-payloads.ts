/**
 * What webhooks say of returns. The keys are those of Shopify's own samples, which differ from topic to topic;
 * `returns/process` says nothing at all.
 */

import type { ShopEvent } from '../base/events.js';
import type { JsonObject } from '../base/json-text.js';
import type { Order, Return } from '../shop/orders/order.js';
import { parseId } from './webhook-order-payloads.js';

type ReturnEvent = Extract<ShopEvent, { kind: 'return' }>;

export function returnPayload(event: ReturnEvent, order: Order, found: Return): JsonObject {
  const identity = { id: parseId(found.id), admin_graphql_api_id: found.id };
  switch (event.change) {
    case 'processed':
      return {};
    case 'updated':
      return {
        admin_graphql_api_id: found.id,
        return_line_items: {
          removals: event.removals.map(({ returnLineItemId, delta }) => ({
            admin_graphql_api_id: returnLineItemId,
            delta,
          })),
        },
        restocking_fees: { updates: [], removals: [] },
        return_shipping_fees: { updates: [], removals: [] },
      };
    case 'closed':
    case 'reopened':
    case 'cancelled':
      return { ...identity, order_id: parseId(order.id), status: found.status.toLowerCase() };
    case 'declined':
      return {
        ...identity,
        status: 'declined',
        order: orderReference(order),
        decline: { reason: 'other', note: null },
      };
    case 'requested':
    case 'approved':
      return {
        ...identity,
        status: event.change === 'requested' ? 'requested' : 'open',
        order: orderReference(order),
        total_return_line_items: found.lines.reduce((sum, { quantity }) => sum + quantity, 0),
        name: found.name,
        return_line_items: found.lines.map((line) => ({
          id: parseId(line.id),
          admin_graphql_api_id: line.id,
          fulfillment_line_item: {
            id: parseId(line.fulfillmentLineId),
            admin_graphql_api_id: line.fulfillmentLineId,
            line_item: { id: parseId(line.lineId), admin_graphql_api_id: line.lineId },
          },
          quantity: line.quantity,
          return_reason: line.reason.toLowerCase(),
          return_reason_note: line.note,
          customer_note: null,
        })),
        return_shipping_fees: [],
        exchange_line_items: [],
        total_exchange_line_items: 0,
      };
  }
}

export function disposePayload(event: Extract<ShopEvent, { kind: 'reverse_fulfillment_order' }>): JsonObject {
  const { reverseFulfillmentOrderId: id } = event;
  return {
    id: parseId(id),
    admin_graphql_api_id: id,
    dispositions: event.dispositions.map((disposition) => ({
      reverse_fulfillment_order_line_item: {
        id: parseId(disposition.reverseFulfillmentOrderLineItemId),
        admin_graphql_api_id: disposition.reverseFulfillmentOrderLineItemId,
      },
      reverse_delivery_line_item: null,
      type: disposition.type.toLowerCase(),
      location:
        disposition.locationId === null
          ? null
          : { id: parseId(disposition.locationId), admin_graphql_api_id: disposition.locationId },
      quantity: disposition.quantity,
    })),
    total_dispositions: event.dispositions.length,
  };
}

function orderReference(order: Order): JsonObject {
  return { id: parseId(order.id), admin_graphql_api_id: order.id };
}
