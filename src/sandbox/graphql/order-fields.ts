/** The fields of orders and of everything that becomes of them. */

import { type PageArguments, paginate } from '../api-rules/connection.js';
import { numberOfGid } from '../base/gid.js';
import { formatCents } from '../base/money.js';
import { isoSeconds } from '../base/time.js';
import { PLAIN_LISTING } from '../shop/listings.js';
import {
  currentCents,
  currentUnits,
  type Fulfillment,
  type FulfillmentLine,
  type FulfillmentOrder,
  type FulfillmentOrderLine,
  financialStatus,
  fulfilledUnits,
  fulfillmentStatus,
  type Order,
  type OrderLine,
  outstandingCents,
  type Refund,
  type RefundLine,
  requireLine,
  returnStatus,
  unfulfilledUnits,
} from '../shop/orders/order.js';
import { type CalculatedLine, editedCents, type OrderEdit } from '../shop/orders/order-edits.js';
import { SHOP_CURRENCY, SHOP_DOMAIN, type Shop } from '../shop/shop.js';
import type { Fields } from './context.js';
import { RETURN_TABLES } from './return-fields.js';
import { LEGACY_ID, LINE, moneyBag, SALE, sumUnits, TIMES } from './sale-fields.js';

const ORDER: Fields<Order> = {
  ...SALE,
  processedAt: TIMES.createdAt,
  app: () => null,
  cancelledAt: ({ cancellation }) => (cancellation ? isoSeconds(cancellation.atMs) : null),
  cancelReason: ({ cancellation }) => cancellation?.reason ?? null,
  cancellation: ({ cancellation }) => cancellation && { staffNote: cancellation.staffNote },
  closed: ({ closedMs }) => closedMs !== null,
  closedAt: ({ closedMs }) => (closedMs === null ? null : isoSeconds(closedMs)),
  confirmed: () => true,
  edited: ({ isEdited }) => isEdited,
  test: () => false,
  canMarkAsPaid: (order) => !order.cancellation && outstandingCents(order) > 0,
  fullyPaid: (order) => order.isPaid && outstandingCents(order) === 0,
  unpaid: ({ paidCents, isPaid }) => !isPaid && paidCents === 0,
  displayFinancialStatus: financialStatus,
  displayFulfillmentStatus: fulfillmentStatus,
  returnStatus,
  refundable: (order) => order.paidCents > order.refundedCents,
  restockable: (order) => order.lines.some(({ id }) => unfulfilledUnits(order, id) > 0),
  fulfillable: (order) => order.lines.some(({ id }) => unfulfilledUnits(order, id) > 0),
  paymentGatewayNames: () => ['manual'],
  currentTotalPriceSet: (order) => moneyBag(currentCents(order)),
  currentSubtotalPriceSet: (order) => moneyBag(currentCents(order)),
  originalTotalPriceSet: ({ lines }) => moneyBag(sumCents(lines)),
  totalOutstandingSet: (order) => moneyBag(outstandingCents(order)),
  totalReceivedSet: ({ paidCents }) => moneyBag(paidCents),
  totalRefundedSet: ({ refundedCents }) => moneyBag(refundedCents),
  totalRefunded: ({ refundedCents }) => formatCents(refundedCents),
  subtotalLineItemsQuantity: ({ lines }) => sumUnits(lines),
  currentSubtotalLineItemsQuantity: ({ lines }) => lines.reduce((sum, line) => sum + currentUnits(line), 0),
  fulfillmentsCount: ({ fulfillments }) => ({ count: fulfillments.length, precision: 'EXACT' }),
  fulfillmentOrders: (order, args: PageArguments & { displayable?: boolean | null }, { shop, nowMs }) =>
    paginate(shop.fulfillmentMoves.shown(order, args.displayable ?? false, nowMs), args, PLAIN_LISTING),
  fulfillments: ({ fulfillments }, { first }: First) => takeFirst(fulfillments, first),
  refunds: ({ refunds }, { first }: First) => takeFirst(refunds, first),
  returns: ({ returns }, args: PageArguments) => paginate(returns, args, PLAIN_LISTING),
  statusPageUrl: ({ id }) => `https://${SHOP_DOMAIN}/orders/${numberOfGid(id)}`,
};

interface First {
  readonly first?: number | null;
}

const LINE_ITEM: Fields<OrderLine> = {
  ...LINE,
  currentQuantity: currentUnits,
  refundableQuantity: currentUnits,
  unfulfilledQuantity: inOrder((order, { id }) => unfulfilledUnits(order, id)),
  fulfillableQuantity: inOrder((order, { id }) => unfulfilledUnits(order, id)),
  nonFulfillableQuantity: inOrder(
    (order, { id, quantity }) => quantity - unfulfilledUnits(order, id) - fulfilledUnits(order, id),
  ),
  restockable: inOrder((order, { id }) => unfulfilledUnits(order, id) > 0),
};

const FULFILLMENT_ORDER: Fields<FulfillmentOrder> = {
  ...TIMES,
  order: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId),
  orderName: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId)?.name,
  orderProcessedAt: ({ orderId }, _args: object, { shop }) =>
    isoSeconds(shop.orders.get(orderId)?.createdMs ?? 0),
  requestStatus: () => 'UNSUBMITTED',
  supportedActions: (list, _args: object, { shop }) =>
    shop.fulfillmentMoves.actions(list).map((action) => ({ action, externalUrl: null })),
  assignedLocation: ({ locationId }, _args: object, { shop }) => {
    const location = shop.inventory.locations.get(locationId ?? '') ?? null;
    return {
      ...NO_STREET,
      location,
      name: location?.name ?? '',
      city: location?.city ?? null,
      countryCode: location?.countryCode ?? 'ZZ',
    };
  },
  lineItems: (list, args: PageArguments) => {
    const entries = list.lines.map((line) => ({ ...line, orderId: list.orderId }));
    return paginate(entries, args, PLAIN_LISTING);
  },
};

const NO_STREET = { address1: null, address2: null, phone: null, province: null, zip: null } as const;

const FULFILLMENT_ORDER_LINE: Fields<FulfillmentOrderLine & InOrder> = {
  lineItem: resolveLineItem,
  inventoryItemId: (line, _args: object, { shop }) => resolveLineItem(line, {}, { shop }).itemId,
  productTitle: (line, _args: object, { shop }) => resolveLineItem(line, {}, { shop }).title,
  variantTitle: (line, _args: object, { shop }) => resolveLineItem(line, {}, { shop }).variantTitle,
  sku: (line, _args: object, { shop }) => resolveLineItem(line, {}, { shop }).sku,
  variant: (line, _args: object, { shop }) =>
    shop.inventory.variants.get(resolveLineItem(line, {}, { shop }).variantId ?? '') ?? null,
  remainingQuantity: ({ remainingUnits }) => remainingUnits,
  totalQuantity: ({ totalUnits }) => totalUnits,
};

const FULFILLMENT: Fields<Fulfillment> = {
  ...TIMES,
  ...LEGACY_ID,
  order: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId),
  location: ({ locationId }, _args: object, { shop }) =>
    shop.inventory.locations.get(locationId ?? '') ?? null,
  displayStatus: ({ status }) => (status === 'SUCCESS' ? 'FULFILLED' : 'CANCELED'),
  totalQuantity: ({ lines }) => lines.reduce((sum, { quantity }) => sum + quantity, 0),
  requiresShipping: () => true,
  fulfillmentOrders: ({ fulfillmentOrderIds }, args: PageArguments, { shop }) =>
    paginate(
      fulfillmentOrderIds.flatMap((id) => shop.orders.fulfillmentOrder(id) ?? []),
      args,
      PLAIN_LISTING,
    ),
  fulfillmentLineItems: ({ lines, orderId }, args: PageArguments) =>
    paginate(
      lines.map((line) => ({ ...line, orderId })),
      args,
      PLAIN_LISTING,
    ),
};

const FULFILLMENT_LINE: Fields<FulfillmentLine & InOrder> = {
  lineItem: resolveLineItem,
  originalTotalSet: (line, _args: object, { shop }) =>
    moneyBag(resolveLineItem(line, {}, { shop }).unitCents * line.quantity),
  discountedTotalSet: (line, _args: object, { shop }) =>
    moneyBag(resolveLineItem(line, {}, { shop }).unitCents * line.quantity),
};

const REFUND: Fields<Refund> = {
  ...LEGACY_ID,
  createdAt: TIMES.createdAt,
  updatedAt: TIMES.createdAt,
  processedAt: TIMES.createdAt,
  order: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId),
  return: ({ returnId }, _args: object, { shop }) => shop.returns.get(returnId ?? '') ?? null,
  totalRefundedSet: (refund) => moneyBag(refund.totalCents),
  totalRefunded: (refund) => ({ amount: formatCents(refund.totalCents), currencyCode: SHOP_CURRENCY }),
  refundLineItems: ({ lines, orderId }, args: PageArguments) =>
    paginate(
      lines.map((line) => ({ ...line, orderId })),
      args,
      PLAIN_LISTING,
    ),
};

const REFUND_LINE: Fields<RefundLine & InOrder> = {
  lineItem: resolveLineItem,
  location: ({ locationId }, _args: object, { shop }) =>
    shop.inventory.locations.get(locationId ?? '') ?? null,
  restocked: ({ isRestocked }) => isRestocked,
  priceSet: (line, _args: object, { shop }) => moneyBag(resolveLineItem(line, {}, { shop }).unitCents),
  subtotalSet: ({ subtotalCents }) => moneyBag(subtotalCents),
  totalTaxSet: () => moneyBag(0),
};

const CALCULATED_ORDER: Fields<OrderEdit> = {
  originalOrder: ({ order }) => order,
  lineItems: ({ lines }, args: PageArguments) => paginate(lines, args, PLAIN_LISTING),
  addedLineItems: ({ lines }, args: PageArguments) =>
    paginate(
      lines.filter(({ lineId }) => lineId === null),
      args,
      PLAIN_LISTING,
    ),
  subtotalLineItemsQuantity: ({ lines }) => lines.reduce((sum, { quantity }) => sum + quantity, 0),
  subtotalPriceSet: (edit) => moneyBag(editedCents(edit).total),
  totalPriceSet: (edit) => moneyBag(editedCents(edit).total),
  totalOutstandingSet: (edit) => moneyBag(editedCents(edit).outstanding),
};

const CALCULATED_LINE: Fields<CalculatedLine> = {
  customAttributes: () => [],
  variant: ({ variantId }, _args: object, { shop }) => shop.inventory.variants.get(variantId ?? '') ?? null,
  editableQuantity: ({ quantity, quantityBefore, editableBefore }) =>
    editableBefore + quantity - quantityBefore,
  editableQuantityBeforeChanges: ({ editableBefore }) => editableBefore,
  originalUnitPriceSet: ({ unitCents }) => moneyBag(unitCents),
  discountedUnitPriceSet: ({ unitCents }) => moneyBag(unitCents),
  hasStagedLineItemDiscount: () => false,
  restockable: ({ editableBefore }) => editableBefore > 0,
  restocking: ({ restock }) => restock,
};

/** By the schema's names. */
export const ORDER_TABLES: Readonly<Record<string, Fields<never>>> = {
  Order: ORDER,
  LineItem: LINE_ITEM,
  FulfillmentOrder: FULFILLMENT_ORDER,
  FulfillmentOrderLineItem: FULFILLMENT_ORDER_LINE,
  Fulfillment: FULFILLMENT,
  FulfillmentLineItem: FULFILLMENT_LINE,
  Refund: REFUND,
  RefundLineItem: REFUND_LINE,
  CalculatedOrder: CALCULATED_ORDER,
  CalculatedLineItem: CALCULATED_LINE,
  ...RETURN_TABLES,
};

/** What knows the order that its line is of. */
interface InOrder {
  readonly orderId: string;
}

function resolveLineItem(
  { orderId, lineId }: InOrder & { readonly lineId: string },
  _args: object,
  { shop }: { readonly shop: Shop },
): OrderLine {
  const order = shop.orders.get(orderId);
  if (!order) throw new Error(`no order ${orderId}`);
  return requireLine(order, lineId);
}

function inOrder<T>(of: (order: Order, line: OrderLine) => T) {
  return (line: OrderLine, _args: object, { shop }: { readonly shop: Shop }): T => {
    const order = shop.orders.get(line.orderId);
    if (!order) throw new Error(`no order ${line.orderId}`);
    return of(order, line);
  };
}

function takeFirst<T>(entries: readonly T[], first: number | null | undefined): readonly T[] {
  return first == null ? entries : entries.slice(0, first);
}

function sumCents(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
}
