/**
 * Returns: shipped units that come back. A return names them, its reverse fulfillment order says what becomes of each:
 * only the disposition RESTOCKED makes units available again, at its location, once. Where Shopify's answer is not known
 * (most texts, and which codes) it is a guess within the codes of the schema.
 */

import type { ShopEvents } from '../../base/events.js';
import { parseCents } from '../../base/money.js';
import { Sequence } from '../../base/sequence.js';
import type { CodedUserError } from '../../base/user-error.js';
import {
  currentUnits,
  type FulfillmentLine,
  type Order,
  type Return,
  type ReturnLine,
  requireLine,
  returnableUnits,
} from './order.js';
import type { Orders } from './orders.js';
import type { Refunds } from './refunds.js';
import type { DispositionInput, ReverseFulfillmentOrders } from './reverse-fulfillment-orders.js';

/** The part of Shopify's `ReturnInput` that the sandbox emulates. */
export interface ReturnInput {
  readonly orderId: string;
  readonly returnLineItems: readonly {
    readonly fulfillmentLineItemId: string;
    readonly quantity: number;
    readonly returnReason?: string | null;
    readonly returnReasonNote?: string | null;
  }[];
}

/** The part of Shopify's `ReturnProcessInput` that the sandbox emulates. */
export interface ProcessInput {
  readonly returnId: string;
  readonly returnLineItems?:
    | readonly {
        readonly id: string;
        readonly quantity: number;
        readonly dispositions?: readonly DispositionInput[] | null;
      }[]
    | null;
  readonly note?: string | null;
  readonly financialTransfer?: {
    readonly issueRefund?: {
      readonly allowOverRefunding?: boolean | null;
      readonly orderTransactions: readonly { readonly transactionAmount: { readonly amount: string } }[];
    } | null;
  } | null;
}

export interface ReturnResult {
  readonly return: Return | null;
  readonly userErrors: readonly CodedUserError[];
}

export class Returns {
  readonly #orders: Orders;
  readonly #refunds: Refunds;
  readonly #reverse: ReverseFulfillmentOrders;
  readonly #events: ShopEvents;
  readonly #byId = new Map<string, Return>();
  readonly #ids = new Sequence('Return', 9_841_737_833n);
  readonly #lineIds = new Sequence('ReturnLineItem', 20_817_871_977n);

  constructor(orders: Orders, refunds: Refunds, reverse: ReverseFulfillmentOrders, events: ShopEvents) {
    this.#orders = orders;
    this.#refunds = refunds;
    this.#reverse = reverse;
    this.#events = events;
  }

  get(id: string): Return | undefined {
    return this.#byId.get(id);
  }

  /** An open, approved return. Refuses units that were not shipped, that came back already, or are on their way back. */
  create(input: ReturnInput, nowMs: number): ReturnResult {
    const order = this.#orders.get(input.orderId);
    if (!order) return refused(null, ['returnInput', 'orderId'], 'Order not found.', 'NOT_FOUND');
    const errors = input.returnLineItems.flatMap((wanted, index) =>
      lineErrors(order, wanted, input.returnLineItems.slice(0, index), String(index)),
    );
    if (input.returnLineItems.length === 0) {
      return refused(null, ['returnInput', 'returnLineItems'], "Return line items can't be blank.", 'BLANK');
    }
    if (errors.length > 0) return { return: null, userErrors: errors };
    const id = this.#ids.next();
    const lines = input.returnLineItems.map(
      (wanted): ReturnLine => ({
        id: this.#lineIds.next(),
        fulfillmentLineId: wanted.fulfillmentLineItemId,
        lineId: shippedLine(order, wanted.fulfillmentLineItemId)?.lineId ?? '',
        quantity: wanted.quantity,
        reason: wanted.returnReason ?? 'UNKNOWN',
        note: wanted.returnReasonNote ?? '',
        processedUnits: 0,
        refundedUnits: 0,
      }),
    );
    const made: Return = {
      id,
      name: `${order.name}-R${order.returns.length + 1}`,
      orderId: order.id,
      status: 'OPEN',
      lines,
      reverseFulfillmentOrder: this.#reverse.open({ id, orderId: order.id, lines }),
      createdMs: nowMs,
      closedMs: null,
    };
    order.returns.push(made);
    // Shopify: a return on an archived order takes it out of the archive.
    order.closedMs = null;
    this.#byId.set(id, made);
    return this.#told(made, 'approved', nowMs);
  }

  /**
   * Confirms units as returned, disposes of them as asked, and issues a refund when one is asked for. Refuses closed
   * returns, more units than there are, and everything when one of the dispositions is refused.
   */
  process(input: ProcessInput, nowMs: number): ReturnResult {
    const found = this.#byId.get(input.returnId);
    if (!found) return refused(null, ['input', 'returnId'], 'Return not found.', 'NOT_FOUND');
    const order = this.#requireOrder(found);
    const wanted = input.returnLineItems ?? [];
    const amountCents = refundCents(input);
    const errors = [...this.#processErrors(found, wanted), ...refundErrors(order, input, amountCents)];
    if (errors.length > 0) return { return: found, userErrors: errors };
    const refunded = wanted.map(({ id, quantity }) => this.#confirmed(order, found, id, quantity));
    if (input.financialTransfer?.issueRefund) {
      for (const { returnLine, quantity } of refunded) returnLine.refundedUnits += quantity;
      // Units are the dispositions' business: saying it here again would count them twice.
      const lines = refunded.map(({ line, quantity }) =>
        this.#refunds.newLine({
          lineId: line.id,
          quantity,
          restockType: 'NO_RESTOCK',
          locationId: null,
          isRestocked: false,
          subtotalCents: line.unitCents * quantity,
        }),
      );
      const refund = { lines, totalCents: amountCents, note: input.note ?? null, returnId: found.id };
      this.#refunds.record(order, refund, nowMs);
    }
    const dispositions = wanted.flatMap((one) => one.dispositions ?? []);
    if (dispositions.length > 0) this.#reverse.dispose(dispositions, nowMs);
    return this.#told(found, 'processed', nowMs);
  }

  /** The merchant is done with it, whatever has become of its units. */
  close(id: string, nowMs: number): ReturnResult {
    return this.#step(id, 'OPEN', 'CLOSED', 'closed', nowMs);
  }

  reopen(id: string, nowMs: number): ReturnResult {
    return this.#step(id, 'CLOSED', 'OPEN', 'reopened', nowMs);
  }

  /** The units stay with the buyer. Refused once anything was done: processed, disposed or refunded. */
  cancel(id: string, nowMs: number): ReturnResult {
    const found = this.#byId.get(id);
    const hasWork =
      found?.lines.some(({ processedUnits }) => processedUnits > 0) ||
      found?.reverseFulfillmentOrder.lines.some(({ dispositions }) => dispositions.length > 0);
    if (found && hasWork) {
      return refused(found, ['id'], 'Return has been processed and cannot be canceled.', 'INVALID_STATE');
    }
    const result = this.#step(id, 'OPEN', 'CANCELED', 'cancelled', nowMs);
    if (result.userErrors.length === 0 && found) found.reverseFulfillmentOrder.status = 'CANCELED';
    return result;
  }

  #step(
    id: string,
    from: Return['status'],
    to: Return['status'],
    change: 'closed' | 'reopened' | 'cancelled',
    nowMs: number,
  ): ReturnResult {
    const found = this.#byId.get(id);
    if (!found) return refused(null, ['id'], 'Return not found.', 'NOT_FOUND');
    if (found.status !== from) {
      return refused(found, ['id'], `Return is ${found.status.toLowerCase()}.`, 'INVALID_STATE');
    }
    found.status = to;
    found.closedMs = to === 'CLOSED' ? nowMs : null;
    return this.#told(found, change, nowMs);
  }

  #processErrors(found: Return, wanted: NonNullable<ProcessInput['returnLineItems']>): CodedUserError[] {
    if (found.status !== 'OPEN') {
      return [invalid(['input', 'returnId'], `Return is ${found.status.toLowerCase()}.`, 'INVALID_STATE')];
    }
    const lineErrors = wanted.flatMap(({ id, quantity }, index) => {
      const field = ['input', 'returnLineItems', String(index)];
      const line = found.lines.find((one) => one.id === id);
      if (!line) return [invalid([...field, 'id'], 'Return line item not found.', 'NOT_FOUND')];
      const before = wanted.slice(0, index).filter((one) => one.id === id);
      const asked = before.reduce((sum, one) => sum + one.quantity, quantity);
      if (quantity >= 1 && asked <= line.quantity - line.processedUnits) return [];
      return [invalid([...field, 'quantity'], 'Quantity is more than is left to process.', 'INVALID')];
    });
    const dispositions = wanted.flatMap((one) => one.dispositions ?? []);
    const foreign = dispositions.some(
      ({ reverseFulfillmentOrderLineItemId: id }) =>
        !found.reverseFulfillmentOrder.lines.some((line) => line.id === id),
    );
    if (foreign) {
      const field = ['input', 'returnLineItems'];
      return [invalid(field, 'Reverse fulfillment order line item not found.', 'NOT_FOUND')];
    }
    return [...lineErrors, ...this.#reverse.errors(dispositions, ['input', 'returnLineItems'])];
  }

  #confirmed(order: Order, found: Return, returnLineId: string, quantity: number) {
    const returnLine = found.lines.find(({ id }) => id === returnLineId);
    if (!returnLine) throw new Error(`${found.name} has no line ${returnLineId}`);
    const line = requireLine(order, returnLine.lineId);
    returnLine.processedUnits += quantity;
    // Units that were refunded before they came back are off the order already.
    line.removedUnits += Math.min(quantity, currentUnits(line));
    return { line, returnLine, quantity };
  }

  #requireOrder({ orderId, name }: Return): Order {
    const order = this.#orders.get(orderId);
    if (!order) throw new Error(`${name} has lost its order`);
    return order;
  }

  #told(
    made: Return,
    change: 'approved' | 'processed' | 'closed' | 'reopened' | 'cancelled',
    atMs: number,
  ): ReturnResult {
    this.#events.publish({ kind: 'return', change, atMs, orderId: made.orderId, returnId: made.id });
    this.#orders.changed(this.#requireOrder(made), [], atMs);
    return { return: made, userErrors: [] };
  }
}

function lineErrors(
  order: Order,
  { fulfillmentLineItemId, quantity }: ReturnInput['returnLineItems'][number],
  before: ReturnInput['returnLineItems'],
  index: string,
): CodedUserError[] {
  const field = ['returnInput', 'returnLineItems', index];
  const shipped = shippedLine(order, fulfillmentLineItemId);
  if (!shipped) {
    return [invalid([...field, 'fulfillmentLineItemId'], 'Fulfillment line item not found.', 'NOT_FOUND')];
  }
  const sumAsked = (isSame: (line: FulfillmentLine) => boolean) =>
    before.reduce((sum, one) => {
      const other = shippedLine(order, one.fulfillmentLineItemId);
      return other && isSame(other) ? sum + one.quantity : sum;
    }, quantity);
  const returning = order.returns
    .filter(({ status }) => status !== 'CANCELED')
    .flatMap(({ lines }) => lines)
    .reduce((sum, one) => (one.fulfillmentLineId === shipped.id ? sum + one.quantity : sum), 0);
  const fits =
    quantity >= 1 &&
    sumAsked((one) => one.id === shipped.id) <= shipped.quantity - returning &&
    sumAsked((one) => one.lineId === shipped.lineId) <= returnableUnits(order, shipped.lineId);
  return fits
    ? []
    : [invalid([...field, 'quantity'], 'Return line item has an invalid quantity.', 'INVALID')];
}

function refundErrors(order: Order, input: ProcessInput, amountCents: number): CodedUserError[] {
  const isAllowed = input.financialTransfer?.issueRefund?.allowOverRefunding;
  if (isAllowed || amountCents <= order.paidCents - order.refundedCents) return [];
  const message = 'Refund amount exceeds the amount that can be refunded.';
  return [invalid(['input', 'financialTransfer'], message, 'INVALID')];
}

function refundCents({ financialTransfer }: ProcessInput): number {
  const transactions = financialTransfer?.issueRefund?.orderTransactions ?? [];
  return transactions.reduce((sum, { transactionAmount }) => sum + parseCents(transactionAmount.amount), 0);
}

function shippedLine(order: Order, fulfillmentLineId: string): FulfillmentLine | undefined {
  return order.fulfillments
    .filter(({ status }) => status === 'SUCCESS')
    .flatMap(({ lines }) => lines)
    .find(({ id }) => id === fulfillmentLineId);
}

function invalid(field: readonly string[], message: string, code: string): CodedUserError {
  return { field, message, code };
}

function refused(made: Return | null, field: readonly string[], message: string, code: string): ReturnResult {
  return { return: made, userErrors: [invalid(field, message, code)] };
}
