/**
 * Refunds: money goes back, and perhaps units. Shopify's rules for units, by `restockType`: CANCEL takes units that were
 * not shipped yet off the order and makes them available again; RETURN makes shipped units available again; NO_RESTOCK
 * touches no stock, and units that were not shipped yet remain to be shipped.
 *
 * Shopify's user errors for refunds carry no codes; their texts here are guesses but for the one on quantities.
 */

import type { ShopEvents } from '../../base/events.js';
import { parseCents } from '../../base/money.js';
import { Sequence } from '../../base/sequence.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory } from '../stock/inventory.js';
import type { Fulfillments } from './fulfillments.js';
import {
  currentUnits,
  type Order,
  type Refund,
  type RefundLine,
  type RestockType,
  requireLine,
  returnableUnits,
  unfulfilledUnits,
} from './order.js';
import type { Orders } from './orders.js';

export interface RefundLineInput {
  readonly lineItemId: string;
  readonly quantity: number;
  readonly restockType?: RestockType | 'LEGACY_RESTOCK' | null;
  readonly locationId?: string | null;
}

/** The part of Shopify's `RefundInput` that the sandbox emulates. */
export interface RefundInput {
  readonly orderId: string;
  readonly note?: string | null;
  readonly refundLineItems?: readonly RefundLineInput[] | null;
  readonly transactions?:
    | readonly { readonly orderId: string; readonly kind: string; readonly amount: string }[]
    | null;
  readonly allowOverRefunding?: boolean | null;
}

export interface RefundResult {
  readonly order: Order | null;
  readonly refund: Refund | null;
  readonly userErrors: readonly UserError[];
}

export class Refunds {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #fulfillments: Fulfillments;
  readonly #events: ShopEvents;
  readonly #byId = new Map<string, Refund>();
  readonly #ids = new Sequence('Refund', 929_361_463_529n, 32_768n);
  readonly #lineIds = new Sequence('RefundLineItem', 510_883_340_521n);

  constructor(inventory: Inventory, orders: Orders, fulfillments: Fulfillments, events: ShopEvents) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#fulfillments = fulfillments;
    this.#events = events;
  }

  get(id: string): Refund | undefined {
    return this.#byId.get(id);
  }

  /** Refuses what is more than there is: units of a line, units of that kind, or money that was paid. */
  create(input: RefundInput, nowMs: number): RefundResult {
    const order = this.#orders.get(input.orderId);
    if (!order) return refused(null, [{ field: ['orderId'], message: 'Order does not exist' }]);
    const wanted = input.refundLineItems ?? [];
    const amountCents = (input.transactions ?? []).reduce((sum, { amount }) => sum + parseCents(amount), 0);
    const userErrors = [
      ...wanted.flatMap((line, index) =>
        this.#lineErrors(order, line, wanted.slice(0, index), ['refundLineItems', String(index)]),
      ),
      ...moneyErrors(order, input, amountCents),
    ];
    if (userErrors.length > 0) return refused(order, userErrors);
    const lines = wanted.map((line) => this.#refunded(order, line, nowMs));
    const refund = this.record(
      order,
      { lines, totalCents: amountCents, note: input.note ?? null, returnId: null },
      nowMs,
    );
    this.#orders.changed(order, [], nowMs);
    return { order, refund, userErrors: [] };
  }

  /** Writes down a refund whose units have moved already, and tells of it. The order's `changed` is the caller's. */
  record(
    order: Order,
    refund: Pick<Refund, 'lines' | 'totalCents' | 'note' | 'returnId'>,
    nowMs: number,
  ): Refund {
    const made: Refund = { ...refund, id: this.#ids.next(), orderId: order.id, createdMs: nowMs };
    order.refunds.push(made);
    order.refundedCents += made.totalCents;
    this.#byId.set(made.id, made);
    const fact = { kind: 'refund', change: 'created', atMs: nowMs } as const;
    this.#events.publish({ ...fact, orderId: order.id, refundId: made.id });
    return made;
  }

  newLine(line: Omit<RefundLine, 'id'>): RefundLine {
    return { ...line, id: this.#lineIds.next() };
  }

  #refunded(order: Order, input: RefundLineInput, nowMs: number): RefundLine {
    const { lineItemId: lineId, quantity } = input;
    const line = requireLine(order, lineId);
    const restockType = toRestockType(input) as RestockType;
    const locationId =
      restockType === 'CANCEL'
        ? this.#cancelled(order, input, nowMs)
        : restockType === 'RETURN' && input.locationId
          ? this.restock(line.itemId, input.locationId, quantity, nowMs)
          : null;
    line.refundedUnits += quantity;
    const subtotalCents = line.unitCents * quantity;
    return this.newLine({
      lineId,
      quantity,
      restockType,
      locationId,
      isRestocked: locationId !== null,
      subtotalCents,
    });
  }

  #cancelled(
    order: Order,
    { lineItemId, quantity, locationId }: RefundLineInput,
    nowMs: number,
  ): string | null {
    const restock = locationId == null ? 'home' : { locationId };
    return this.#fulfillments.release(order, lineItemId, quantity, restock, nowMs);
  }

  /**
   * Shipped units are back on the shelf: available and on hand rise at that location. Answers with the location; null
   * when the item is untracked or gone, and nothing moved.
   */
  restock(itemId: string | null, locationId: string, units: number, nowMs: number): string | null {
    if (itemId === null || !this.#inventory.items.get(itemId)?.tracked) return null;
    this.#inventory.change(
      this.#inventory.stockItemAt(itemId, locationId, nowMs),
      { available: units },
      nowMs,
    );
    return locationId;
  }

  #lineErrors(
    order: Order,
    input: RefundLineInput,
    before: readonly RefundLineInput[],
    field: readonly string[],
  ): UserError[] {
    const line = order.lines.find(({ id }) => id === input.lineItemId);
    if (!line) return [{ field: [...field, 'lineItemId'], message: 'Line item does not exist on the order' }];
    const type = toRestockType(input);
    if (type === 'LEGACY_RESTOCK') {
      return [{ field: [...field, 'restockType'], message: 'Restock type LEGACY_RESTOCK is not accepted' }];
    }
    if (input.quantity < 1) {
      return [{ field: [...field, 'quantity'], message: 'Quantity must be greater than 0' }];
    }
    const same = before.filter(({ lineItemId }) => lineItemId === line.id);
    const asked = sumUnits(same) + input.quantity;
    if (asked > currentUnits(line)) {
      const message = 'Quantity cannot refund more items than were purchased';
      return [{ field: [...field, 'quantity'], message }];
    }
    const askedOfType = sumUnits(same.filter((one) => toRestockType(one) === type)) + input.quantity;
    if (type === 'CANCEL' && askedOfType > unfulfilledUnits(order, line.id)) {
      return [
        { field: [...field, 'quantity'], message: 'Quantity cannot cancel more items than are unfulfilled' },
      ];
    }
    if (type === 'RETURN' && askedOfType > returnableUnits(order, line.id)) {
      return [
        { field: [...field, 'quantity'], message: 'Quantity cannot return more items than were fulfilled' },
      ];
    }
    return this.#locationErrors(input, type, [...field, 'locationId']);
  }

  #locationErrors({ locationId }: RefundLineInput, type: RestockType, field: readonly string[]): UserError[] {
    if (type === 'NO_RESTOCK') return [];
    if (locationId == null) {
      return type === 'RETURN' ? [{ field, message: "Location can't be blank" }] : [];
    }
    if (this.#inventory.locations.get(locationId)?.isActive) return [];
    return [{ field, message: 'Location must be an active location' }];
  }
}

function moneyErrors(order: Order, input: RefundInput, amountCents: number): UserError[] {
  const transactions = input.transactions ?? [];
  const errors = transactions.flatMap(({ kind, orderId }, index) => {
    const field = ['transactions', String(index)];
    return [
      ...(kind === 'REFUND' ? [] : [{ field: [...field, 'kind'], message: 'Kind must be REFUND' }]),
      ...(orderId === order.id ? [] : [{ field: [...field, 'orderId'], message: 'Order does not match' }]),
    ];
  });
  if (transactions.length === 0 && !input.refundLineItems?.length) {
    errors.push({ field: ['refundLineItems'], message: 'A refund needs line items or transactions' });
  }
  if (!input.allowOverRefunding && amountCents > order.paidCents - order.refundedCents) {
    errors.push({
      field: ['transactions'],
      message: 'Refund amount exceeds the amount that can be refunded',
    });
  }
  return errors;
}

function toRestockType({ restockType }: RefundLineInput): RestockType | 'LEGACY_RESTOCK' {
  return restockType ?? 'NO_RESTOCK';
}

function sumUnits(lines: readonly RefundLineInput[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

function refused(order: Order | null, userErrors: readonly UserError[]): RefundResult {
  return { order, refund: null, userErrors };
}
