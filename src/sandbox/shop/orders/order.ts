/** What an order consists of, and what follows from it by counting. Changes nothing. */

import type { Details, Line } from '../../base/line.js';
import type { Level } from '../stock/inventory.js';

export interface OrderLine extends Omit<Line, 'quantity'> {
  readonly orderId: string;
  /** All units ever ordered, with those refunded and removed since. */
  quantity: number;
  /** Taken off by an edit, by the order's cancellation, or because they came back in a return. */
  removedUnits: number;
  /** By refunds of every kind. */
  refundedUnits: number;
}

/** What one location is to ship of an order. */
export interface FulfillmentOrder {
  readonly id: string;
  readonly orderId: string;
  /** Null in a shop without locations. */
  locationId: string | null;
  /** CLOSED when all of it was shipped or moved, CANCELLED when none of it is to be shipped any more. */
  status: 'OPEN' | 'IN_PROGRESS' | 'CLOSED' | 'CANCELLED';
  /** Everything on it stands on another list by now: merchants are not shown it any more. */
  isMoved: boolean;
  readonly lines: FulfillmentOrderLine[];
  readonly createdMs: number;
  updatedMs: number;
}

export interface FulfillmentOrderLine {
  readonly id: string;
  readonly lineId: string;
  /** Where the remaining units are committed. Null when no stock stands behind them. */
  level: Level | null;
  totalUnits: number;
  remainingUnits: number;
}

/** What was shipped in one go. */
export interface Fulfillment {
  readonly id: string;
  /** "#1001-F1" */
  readonly name: string;
  readonly orderId: string;
  readonly locationId: string | null;
  readonly fulfillmentOrderIds: readonly string[];
  status: 'SUCCESS' | 'CANCELLED';
  readonly lines: readonly FulfillmentLine[];
  readonly createdMs: number;
  updatedMs: number;
}

export interface FulfillmentLine {
  readonly id: string;
  readonly lineId: string;
  /** Where the units were. Null when no stock stood behind them. */
  readonly level: Level | null;
  readonly quantity: number;
}

export type RestockType = 'CANCEL' | 'RETURN' | 'NO_RESTOCK';

export interface Refund {
  readonly id: string;
  readonly orderId: string;
  readonly note: string | null;
  readonly lines: readonly RefundLine[];
  readonly totalCents: number;
  /** The return that it was made with. */
  readonly returnId: string | null;
  readonly createdMs: number;
}

export interface RefundLine {
  readonly id: string;
  readonly lineId: string;
  readonly quantity: number;
  readonly restockType: RestockType;
  /** Where units became available; null when none did. */
  readonly locationId: string | null;
  readonly isRestocked: boolean;
  readonly subtotalCents: number;
}

export type DispositionType = 'RESTOCKED' | 'NOT_RESTOCKED' | 'MISSING' | 'PROCESSING_REQUIRED';

export interface Return {
  readonly id: string;
  /** "#1001-R1" */
  readonly name: string;
  readonly orderId: string;
  status: 'OPEN' | 'CLOSED' | 'CANCELED';
  readonly lines: readonly ReturnLine[];
  readonly reverseFulfillmentOrder: ReverseFulfillmentOrder;
  readonly createdMs: number;
  closedMs: number | null;
}

export interface ReturnLine {
  readonly id: string;
  readonly fulfillmentLineId: string;
  readonly lineId: string;
  readonly quantity: number;
  readonly reason: string;
  readonly note: string;
  processedUnits: number;
  refundedUnits: number;
}

/** What is to become of the units that come back. */
export interface ReverseFulfillmentOrder {
  readonly id: string;
  readonly returnId: string;
  readonly orderId: string;
  status: 'OPEN' | 'CLOSED' | 'CANCELED';
  readonly lines: readonly ReverseFulfillmentOrderLine[];
}

export interface ReverseFulfillmentOrderLine {
  readonly id: string;
  readonly returnLineId: string;
  readonly fulfillmentLineId: string;
  readonly lineId: string;
  readonly quantity: number;
  /** Their quantities never add up to more than the line's. */
  dispositions: Disposition[];
}

export interface Disposition {
  readonly id: string;
  readonly type: DispositionType;
  readonly quantity: number;
  readonly locationId: string | null;
  readonly createdMs: number;
}

export interface Cancellation {
  readonly atMs: number;
  readonly reason: string;
  readonly staffNote: string | null;
}

export interface Order extends Details {
  readonly id: string;
  readonly number: number;
  /** As the merchant sees it: "#1001". */
  readonly name: string;
  readonly sourceIdentifier: string | null;
  readonly lines: OrderLine[];
  readonly fulfillmentOrders: FulfillmentOrder[];
  readonly fulfillments: Fulfillment[];
  readonly refunds: Refund[];
  readonly returns: Return[];
  /** Whether everything owed was paid at some time; refunds do not take that back. */
  isPaid: boolean;
  paidCents: number;
  refundedCents: number;
  isEdited: boolean;
  cancellation: Cancellation | null;
  closedMs: number | null;
  readonly createdMs: number;
  updatedMs: number;
  /** The times of its latest changes, oldest first: a search index that lags behind looks back in them. */
  changesMs: readonly number[];
}

/** Whether something on it may still be shipped. */
export function isActiveList({ status }: FulfillmentOrder): boolean {
  return status === 'OPEN' || status === 'IN_PROGRESS';
}

export function requireLine(order: Order, lineId: string): OrderLine {
  const line = order.lines.find(({ id }) => id === lineId);
  if (!line) throw new Error(`${order.name} has no line ${lineId}`);
  return line;
}

/** Units that the buyer still has or is to get. */
export function currentUnits(line: OrderLine): number {
  return line.quantity - line.removedUnits - line.refundedUnits;
}

/** Units still to be shipped. A refund without restock does not end that. */
export function unfulfilledUnits(order: Order, lineId: string): number {
  return order.fulfillmentOrders
    .flatMap(({ lines }) => lines)
    .reduce((sum, line) => (line.lineId === lineId ? sum + line.remainingUnits : sum), 0);
}

/** Units that were shipped. */
export function fulfilledUnits(order: Order, lineId: string): number {
  return order.fulfillments
    .filter(({ status }) => status === 'SUCCESS')
    .flatMap(({ lines }) => lines)
    .reduce((sum, line) => (line.lineId === lineId ? sum + line.quantity : sum), 0);
}

/** Shipped units that no return and no refund with restock has spoken for: each can come back once. */
export function returnableUnits(order: Order, lineId: string): number {
  const inReturns = order.returns
    .filter(({ status }) => status !== 'CANCELED')
    .flatMap(({ lines }) => lines)
    .reduce((sum, line) => (line.lineId === lineId ? sum + line.quantity : sum), 0);
  const restocked = order.refunds
    .flatMap(({ lines }) => lines)
    .reduce(
      (sum, line) => (line.lineId === lineId && line.restockType === 'RETURN' ? sum + line.quantity : sum),
      0,
    );
  return fulfilledUnits(order, lineId) - inReturns - restocked;
}

/** In cents: what the buyer owes for what is left of the order. */
export function currentCents(order: Order): number {
  return order.lines.reduce((sum, line) => sum + line.unitCents * currentUnits(line), 0);
}

/** In cents: what is still to be paid. */
export function outstandingCents(order: Order): number {
  if (order.cancellation) return 0;
  return Math.max(0, currentCents(order) - (order.paidCents - order.refundedCents));
}

/** Shopify: `OrderDisplayFinancialStatus`. */
export function financialStatus(order: Order): string {
  const { paidCents, refundedCents } = order;
  if (refundedCents > 0) return refundedCents >= paidCents ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
  if (order.isPaid && outstandingCents(order) === 0) return 'PAID';
  if (paidCents > 0) return 'PARTIALLY_PAID';
  return order.cancellation ? 'VOIDED' : 'PENDING';
}

/** Shopify: `OrderDisplayFulfillmentStatus`. */
export function fulfillmentStatus(order: Order): string {
  const isShipped = order.fulfillments.some(({ status }) => status === 'SUCCESS');
  if (!isShipped) return 'UNFULFILLED';
  const isLeft = order.lines.some(({ id }) => unfulfilledUnits(order, id) > 0);
  return isLeft ? 'PARTIALLY_FULFILLED' : 'FULFILLED';
}

/** Shopify: `OrderReturnStatus`. */
export function returnStatus(order: Order): string {
  const returns = order.returns.filter(({ status }) => status !== 'CANCELED');
  const open = returns.filter(({ status }) => status === 'OPEN');
  if (open.length > 0) {
    const isInspected = open.every(
      ({ reverseFulfillmentOrder }) => reverseFulfillmentOrder.status === 'CLOSED',
    );
    return isInspected ? 'INSPECTION_COMPLETE' : 'IN_PROGRESS';
  }
  return returns.length > 0 ? 'RETURNED' : 'NO_RETURN';
}

/** `updatedMs` as a search index that has seen everything up to that time has it. */
export function indexedMs(order: Order, seenUpToMs: number): number {
  return order.changesMs.findLast((ms) => ms <= seenUpToMs) ?? order.changesMs[0] ?? order.createdMs;
}
