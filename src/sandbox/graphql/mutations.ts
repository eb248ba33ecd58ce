/** The fields of Mutation: what a call must bring with it, before the shop's own rules decide. */

import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import {
  badRequest,
  KEY_MISMATCH,
  refuseIdempotencyKey,
  requireEmulated,
  requireIdempotencyKey,
} from '../api-rules/mutation-rules.js';
import type { ProductStatus } from '../base/catalogue.js';
import type { DraftInput } from '../shop/orders/draft-input.js';
import type { AdjustInput, InventoryResult, MoveInput, SetInput } from '../shop/stock/inventory-changes.js';
import type { Context, Fields } from './context.js';
import { ORDER_MUTATIONS } from './order-mutations.js';
import { requireArrayLimit, requireGid } from './queries.js';
import { RETURN_MUTATIONS } from './return-mutations.js';
import { STOCK_MUTATIONS } from './stock-mutations.js';

export const MUTATIONS: Fields<unknown> = {
  inventoryAdjustQuantities: (_root, { input }: { input: AdjustInput }, context, info) =>
    changeInventory(context, info, input, {
      entries: input.changes,
      compared: input.changes,
      comparedType: 'InventoryChangeInput',
      run: () => context.shop.inventoryChanges.adjust(input, context.nowMs),
    }),
  inventoryMoveQuantities: (_root, { input }: { input: MoveInput }, context, info) =>
    changeInventory(context, info, input, {
      entries: input.changes,
      compared: input.changes.flatMap(({ from, to }) => [from, to]),
      comparedType: 'InventoryMoveQuantityTerminalInput',
      run: () => context.shop.inventoryChanges.move(input, context.nowMs),
    }),
  inventorySetQuantities: (_root, { input }: { input: SetInput }, context, info) =>
    changeInventory(context, info, input, {
      entries: input.quantities,
      compared: input.quantities,
      comparedType: 'InventoryQuantityInput',
      run: () => context.shop.inventoryChanges.set(input, context.nowMs),
    }),
  draftOrderCreate: (_root, { input }: { input: DraftInput }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.draftOrders.create(emulatedDraft(input), nowMs);
  },
  draftOrderUpdate: (_root, { id, input }: { id: string; input: DraftInput }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.draftOrders.update(requireGid(id), emulatedDraft(input), nowMs);
  },
  draftOrderComplete: (_root, args: CompleteArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const options = {
      paymentPending: args.paymentPending ?? false,
      sourceName: args.sourceName ?? null,
      gatewayId: args.paymentGatewayId ?? null,
    };
    const isOpen = shop.draftOrders.get(args.id)?.orderId === null;
    const result = shop.draftOrders.complete(requireGid(args.id), options, nowMs);
    if (isOpen && result.draftOrder?.orderId != null) shop.orderLimit.count(nowMs);
    return result;
  },
  draftOrderInvoiceSend: (_root, { id, email }: InvoiceArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.draftOrders.sendInvoice(requireGid(id), email?.to ?? null, nowMs);
  },
  draftOrderDelete: (_root, { input }: { input: { id: string } }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.draftOrders.delete(requireGid(input.id), nowMs);
  },
  productUpdate: (_root, args: ProductUpdateArguments, context, info) => {
    refuseIdempotencyKey(info);
    return updateProduct(args, context);
  },
  ...STOCK_MUTATIONS,
  ...ORDER_MUTATIONS,
  ...RETURN_MUTATIONS,
};

interface CompleteArguments {
  readonly id: string;
  readonly paymentGatewayId?: string | null;
  readonly paymentPending?: boolean | null;
  readonly sourceName?: string | null;
}

interface InvoiceArguments {
  readonly id: string;
  readonly email?: { readonly to?: string | null } | null;
}

interface ProductUpdateArguments {
  readonly identifier?: { readonly id?: string } | null;
  readonly product?: {
    readonly id?: string;
    readonly title?: string | null;
    readonly status?: ProductStatus | null;
  } | null;
  readonly input?: unknown;
  readonly media?: unknown;
}

interface InventoryCall {
  readonly entries: readonly unknown[];
  /** The inputs that must say what they change from, and the schema's name for them. */
  readonly compared: readonly object[];
  readonly comparedType: string;
  readonly run: () => InventoryResult;
}

function changeInventory(context: Context, info: GraphQLResolveInfo, input: unknown, call: InventoryCall) {
  const key = requireIdempotencyKey(info);
  requireArrayLimit(call.entries);
  // The schema lets it be left out; Shopify refuses that at run time since 2026-04. Null is "do not compare".
  if (call.compared.some((entry) => !('changeFromQuantity' in entry))) {
    const message = `${call.comparedType} must include the following argument: changeFromQuantity.`;
    throw new GraphQLError(message, { extensions: { code: 'INVALID_FIELD_ARGUMENTS' } });
  }
  const result = context.shop.idempotencyKeys.once(key, info.fieldName, input, context.nowMs, call.run);
  if (result !== 'mismatch') return result;
  return { inventoryAdjustmentGroup: null, userErrors: [KEY_MISMATCH] };
}

const EMULATED_DRAFT_FIELDS = new Set([
  ...['lineItems', 'reserveInventoryUntil', 'email', 'phone', 'note', 'poNumber', 'tags', 'customAttributes'],
  ...['shippingAddress', 'billingAddress', 'sourceName'],
  // Taken and ignored: here there are no customers, discounts, taxes or other currencies for them to speak of.
  ...[
    'useCustomerDefaultAddress',
    'visibleToCustomer',
    'acceptAutomaticDiscounts',
    'allowDiscountCodesInCheckout',
  ],
  ...['taxExempt', 'presentmentCurrencyCode'],
]);
const EMULATED_LINE_FIELDS = new Set([
  ...['variantId', 'quantity', 'title', 'originalUnitPrice', 'sku', 'uuid', 'customAttributes'],
  ...['requiresShipping', 'taxable'],
]);
const EMULATED_PRODUCT_FIELDS = new Set(['id', 'title', 'status']);

/** Refuses fields that would change the draft at Shopify, but not here. */
function emulatedDraft(input: DraftInput): DraftInput {
  requireEmulated('DraftOrderInput', input, EMULATED_DRAFT_FIELDS);
  for (const line of input.lineItems ?? []) {
    requireEmulated('DraftOrderLineItemInput', line, EMULATED_LINE_FIELDS);
    if (line.variantId != null) requireGid(line.variantId);
  }
  return input;
}

function updateProduct(args: ProductUpdateArguments, { shop, nowMs }: Context) {
  if (args.input || args.media || !args.product) {
    throw badRequest('the sandbox shop emulates productUpdate with its argument product alone');
  }
  // The schema's own default for this field is not the caller's wish.
  const { deleteConflictingConstrainedMetafields: _ignored, ...fields } = args.product as Record<
    string,
    unknown
  >;
  requireEmulated('ProductUpdateInput', fields, EMULATED_PRODUCT_FIELDS);
  const { title, status } = args.product;
  const id = requireGid(args.product.id ?? args.identifier?.id ?? '');
  const product = shop.inventory.products.get(id);
  if (!product) return { product: null, userErrors: [{ field: ['id'], message: 'Product does not exist' }] };
  if (title != null && title.trim() === '') {
    return { product, userErrors: [{ field: ['title'], message: "Title can't be blank" }] };
  }
  shop.productChanges.updateProduct(product, { ...(title && { title }), ...(status && { status }) }, nowMs);
  return { product, userErrors: [] };
}
