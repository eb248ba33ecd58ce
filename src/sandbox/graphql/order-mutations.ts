/** The fields of Mutation that are about orders: making, paying, cancelling, editing, shipping and refunding them. */

import {
  badRequest,
  KEY_MISMATCH,
  refuseIdempotencyKey,
  requireEmptyLists,
  requireEmulated,
  requireIdempotencyKey,
} from '../api-rules/mutation-rules.js';
import type { FulfillmentMoveInput } from '../shop/orders/fulfillment-moves.js';
import type { FulfillmentInput } from '../shop/orders/fulfillments.js';
import type { InventoryBehaviour, OrderInput } from '../shop/orders/order-creation.js';
import type { EditResult } from '../shop/orders/order-edits.js';
import type { RefundInput } from '../shop/orders/refunds.js';
import type { Fields } from './context.js';
import { requireArrayLimit, requireGid } from './queries.js';

export const ORDER_MUTATIONS: Fields<unknown> = {
  orderCreate: (_root, { order, options }: CreateArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const behaviour = options?.inventoryBehaviour ?? 'BYPASS';
    const result = shop.orderCreation.create(emulatedOrder(order), behaviour, nowMs);
    if (result.order) shop.orderLimit.count(nowMs);
    return result;
  },
  orderCancel: (_root, args: CancelArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    if (args.refundMethod?.storeCreditRefund) {
      throw badRequest('the sandbox shop does not emulate refunds to store credit');
    }
    const { job, errors } = shop.cancellations.request(
      {
        orderId: requireGid(args.orderId),
        reason: args.reason,
        restock: args.restock,
        refund: args.refundMethod?.originalPaymentMethodsRefund ?? args.refund ?? false,
        staffNote: args.staffNote ?? null,
      },
      nowMs,
    );
    return { job, orderCancelUserErrors: errors, userErrors: errors };
  },
  orderMarkAsPaid: (_root, { input }: { input: { id: string } }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const order = shop.orders.get(requireGid(input.id));
    if (!order) return { order: null, userErrors: [{ field: ['id'], message: 'Order does not exist' }] };
    return { order, userErrors: shop.orders.markPaid(order, nowMs) };
  },
  orderEditBegin: (_root, { id }: { id: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return editPayload(shop.orderEdits.begin(requireGid(id), nowMs));
  },
  orderEditAddVariant: (_root, args: AddVariantArguments, { shop }, info) => {
    refuseIdempotencyKey(info);
    const request = {
      variantId: requireGid(args.variantId),
      quantity: args.quantity,
      locationId: args.locationId == null ? null : requireGid(args.locationId),
      allowDuplicates: args.allowDuplicates ?? false,
    };
    return editPayload(shop.orderEdits.addVariant(requireGid(args.id), request));
  },
  orderEditSetQuantity: (_root, args: SetQuantityArguments, { shop }, info) => {
    refuseIdempotencyKey(info);
    const request = {
      lineItemId: requireGid(args.lineItemId),
      quantity: args.quantity,
      restock: args.restock ?? false,
    };
    return editPayload(shop.orderEdits.setQuantity(requireGid(args.id), request));
  },
  orderEditCommit: (_root, args: CommitArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const options = { staffNote: args.staffNote ?? null, notifyCustomer: args.notifyCustomer ?? false };
    const result = shop.orderEdits.commit(requireGid(args.id), options, nowMs);
    return { ...result, successMessages: result.userErrors.length > 0 ? [] : ['Order updated'] };
  },
  fulfillmentCreate: (_root, { fulfillment }: { fulfillment: FulfillmentInput }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    requireEmulated('FulfillmentInput', fulfillment, EMULATED_FULFILLMENT_FIELDS);
    requireArrayLimit(fulfillment.lineItemsByFulfillmentOrder);
    for (const { fulfillmentOrderId } of fulfillment.lineItemsByFulfillmentOrder) {
      requireGid(fulfillmentOrderId);
    }
    return shop.fulfillments.create(fulfillment, nowMs);
  },
  fulfillmentCancel: (_root, { id }: { id: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.fulfillments.cancel(requireGid(id), nowMs);
  },
  fulfillmentOrderMove: (_root, args: FulfillmentMoveInput, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    requireGid(args.id);
    requireGid(args.newLocationId);
    requireArrayLimit(args.fulfillmentOrderLineItems ?? []);
    return shop.fulfillmentMoves.move(args, nowMs);
  },
  refundCreate: (_root, { input }: { input: RefundInput }, { shop, nowMs }, info) => {
    const key = requireIdempotencyKey(info);
    requireEmptyLists('RefundInput', input, ['refundMethods']);
    requireEmulated('RefundInput', input, EMULATED_REFUND_FIELDS);
    requireArrayLimit(input.refundLineItems ?? []);
    requireGid(input.orderId);
    const result = shop.idempotencyKeys.once(key, info.fieldName, input, nowMs, () =>
      shop.refunds.create(input, nowMs),
    );
    return result === 'mismatch' ? { order: null, refund: null, userErrors: [KEY_MISMATCH] } : result;
  },
};

interface CreateArguments {
  readonly order: OrderInput;
  readonly options?: { readonly inventoryBehaviour?: InventoryBehaviour | null } | null;
}

interface CancelArguments {
  readonly orderId: string;
  readonly reason: string;
  readonly restock: boolean;
  readonly refund?: boolean | null;
  readonly refundMethod?: {
    readonly originalPaymentMethodsRefund?: boolean | null;
    readonly storeCreditRefund?: unknown;
  } | null;
  readonly staffNote?: string | null;
}

interface AddVariantArguments {
  readonly id: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly locationId?: string | null;
  readonly allowDuplicates?: boolean | null;
}

interface SetQuantityArguments {
  readonly id: string;
  readonly lineItemId: string;
  readonly quantity: number;
  readonly restock?: boolean | null;
}

interface CommitArguments {
  readonly id: string;
  readonly notifyCustomer?: boolean | null;
  readonly staffNote?: string | null;
}

const EMULATED_ORDER_FIELDS = new Set([
  ...['lineItems', 'email', 'phone', 'note', 'poNumber', 'tags', 'customAttributes'],
  ...[
    'shippingAddress',
    'billingAddress',
    'sourceName',
    'sourceIdentifier',
    'financialStatus',
    'transactions',
  ],
  // Taken and ignored: they say what is the case here anyway, or what nothing here speaks of.
  ...['buyerAcceptsMarketing', 'currency', 'presentmentCurrency', 'taxesIncluded', 'test'],
]);
const EMULATED_ORDER_LINE_FIELDS = new Set([
  ...['variantId', 'quantity', 'title', 'variantTitle', 'sku', 'priceSet', 'properties'],
  ...['giftCard', 'requiresShipping', 'taxable'],
]);
const EMULATED_FULFILLMENT_FIELDS = new Set([
  'lineItemsByFulfillmentOrder',
  'notifyCustomer',
  'trackingInfo',
]);
const EMULATED_REFUND_FIELDS = new Set([
  ...['orderId', 'note', 'refundLineItems', 'transactions', 'allowOverRefunding'],
  ...['notify', 'currency', 'discrepancyReason', 'processedAt', 'refundMethods'],
]);

/** Refuses fields that would change the order at Shopify, but not here. */
function emulatedOrder(order: OrderInput): OrderInput {
  requireEmulated('OrderCreateOrderInput', order, EMULATED_ORDER_FIELDS);
  for (const line of order.lineItems ?? []) {
    requireEmulated('OrderCreateLineItemInput', line, EMULATED_ORDER_LINE_FIELDS);
    if (line.variantId != null) requireGid(line.variantId);
  }
  return order;
}

function editPayload({ edit, line, userErrors }: EditResult) {
  return {
    calculatedOrder: edit,
    calculatedLineItem: line,
    orderEditSession: edit && { id: edit.sessionId },
    userErrors,
  };
}
