/** The fields of returns and of what becomes of their units. */

import { type PageArguments, paginate } from '../api-rules/connection.js';
import { isoSeconds } from '../base/time.js';
import { PLAIN_LISTING } from '../shop/listings.js';
import type {
  Disposition,
  FulfillmentLine,
  Return,
  ReturnLine,
  ReverseFulfillmentOrder,
  ReverseFulfillmentOrderLine,
} from '../shop/orders/order.js';
import type { Shop } from '../shop/shop.js';
import type { Fields } from './context.js';
import { moneyBag, TIMES } from './sale-fields.js';

const RETURN: Fields<Return> = {
  createdAt: TIMES.createdAt,
  closedAt: ({ closedMs }) => (closedMs === null ? null : isoSeconds(closedMs)),
  requestApprovedAt: TIMES.createdAt,
  order: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId),
  totalQuantity: ({ lines }) => lines.reduce((sum, { quantity }) => sum + quantity, 0),
  refunds: ({ id, orderId }, args: PageArguments, { shop }) => {
    const refunds = shop.orders.get(orderId)?.refunds ?? [];
    return paginate(
      refunds.filter(({ returnId }) => returnId === id),
      args,
      PLAIN_LISTING,
    );
  },
  returnLineItems: ({ lines, orderId }, args: PageArguments & { processingStatus?: string | null }) => {
    const entries = lines
      .filter(({ quantity, processedUnits }) => {
        if (args.processingStatus === 'PROCESSED') return processedUnits > 0;
        return args.processingStatus !== 'PROCESSABLE' || processedUnits < quantity;
      })
      .map((line) => ({ ...line, orderId }));
    return paginate(entries, args, PLAIN_LISTING);
  },
  reverseFulfillmentOrders: ({ reverseFulfillmentOrder }, args: PageArguments) =>
    paginate([reverseFulfillmentOrder], args, PLAIN_LISTING),
};

const RETURN_LINE: Fields<ReturnLine & InOrder> = {
  customerNote: () => null,
  fulfillmentLineItem: shippedLine,
  returnReason: ({ reason }) => reason,
  returnReasonNote: ({ note }) => note,
  processedQuantity: ({ processedUnits }) => processedUnits,
  processableQuantity: ({ quantity, processedUnits }) => quantity - processedUnits,
  unprocessedQuantity: ({ quantity, processedUnits }) => quantity - processedUnits,
  refundedQuantity: ({ refundedUnits }) => refundedUnits,
  refundableQuantity: ({ quantity, refundedUnits }) => quantity - refundedUnits,
  withCodeDiscountedTotalPriceSet: (line, _args: object, { shop }) => {
    const unitCents =
      shop.orders.get(line.orderId)?.lines.find(({ id }) => id === line.lineId)?.unitCents ?? 0;
    return moneyBag(unitCents * line.quantity);
  },
};

const REVERSE_FULFILLMENT_ORDER: Fields<ReverseFulfillmentOrder> = {
  order: ({ orderId }, _args: object, { shop }) => shop.orders.get(orderId),
  lineItems: ({ lines, orderId }, args: PageArguments) =>
    paginate(
      lines.map((line) => ({ ...line, orderId })),
      args,
      PLAIN_LISTING,
    ),
};

const REVERSE_FULFILLMENT_ORDER_LINE: Fields<ReverseFulfillmentOrderLine & InOrder> = {
  fulfillmentLineItem: shippedLine,
  totalQuantity: ({ quantity }) => quantity,
};

const DISPOSITION: Fields<Disposition> = {
  createdAt: TIMES.createdAt,
  location: ({ locationId }, _args: object, { shop }) =>
    shop.inventory.locations.get(locationId ?? '') ?? null,
};

/** By the schema's names. */
export const RETURN_TABLES: Readonly<Record<string, Fields<never>>> = {
  Return: RETURN,
  ReturnLineItem: RETURN_LINE,
  ReverseFulfillmentOrder: REVERSE_FULFILLMENT_ORDER,
  ReverseFulfillmentOrderLineItem: REVERSE_FULFILLMENT_ORDER_LINE,
  ReverseFulfillmentOrderDisposition: DISPOSITION,
};

/** What knows the order that it is of. */
interface InOrder {
  readonly orderId: string;
}

function shippedLine(
  { orderId, fulfillmentLineId }: InOrder & { readonly fulfillmentLineId: string },
  _args: object,
  { shop }: { readonly shop: Shop },
): (FulfillmentLine & InOrder) | null {
  const shipped = shop.orders.get(orderId)?.fulfillments.flatMap(({ lines }) => lines);
  const line = shipped?.find(({ id }) => id === fulfillmentLineId);
  return line ? { ...line, orderId } : null;
}
