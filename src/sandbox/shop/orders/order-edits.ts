/**
 * Order edits: begun, changed in a session that nobody else sees, committed at once. Shopify: only units that are not
 * shipped yet can be taken off. Adding takes stock without regard to what is left; taking off gives it back with
 * `restock`, and lets it leave the shop's books without.
 */

import type { ShopEvents } from '../../base/events.js';
import { numberOfGid } from '../../base/gid.js';
import { Sequence } from '../../base/sequence.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory, Variant } from '../stock/inventory.js';
import type { Fulfillments } from './fulfillments.js';
import {
  currentCents,
  currentUnits,
  type Order,
  type OrderLine,
  outstandingCents,
  unfulfilledUnits,
} from './order.js';
import { newLine, type Orders } from './orders.js';
import type { Routing } from './routing.js';

/** A line as it would be after the commit. */
export interface CalculatedLine {
  readonly id: string;
  /** Null for a line that the edit adds. */
  readonly lineId: string | null;
  readonly variantId: string | null;
  readonly title: string;
  readonly variantTitle: string | null;
  readonly sku: string | null;
  readonly unitCents: number;
  /** Units that the buyer would have. */
  quantity: number;
  readonly quantityBefore: number;
  /** Units that were not shipped before the edit. */
  readonly editableBefore: number;
  restock: boolean;
  readonly locationId: string | null;
}

export interface OrderEdit {
  readonly id: string;
  readonly sessionId: string;
  readonly order: Order;
  readonly lines: CalculatedLine[];
  readonly beganMs: number;
}

export interface EditResult {
  readonly edit: OrderEdit | null;
  readonly line: CalculatedLine | null;
  readonly userErrors: readonly UserError[];
}

export interface CommitResult {
  readonly order: Order | null;
  readonly userErrors: readonly UserError[];
}

/** Sessions that are never committed are forgotten, the oldest first. */
const SESSIONS_MAX = 1_000;

export class OrderEdits {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #fulfillments: Fulfillments;
  readonly #routing: Routing;
  readonly #events: ShopEvents;
  readonly #edits = new Map<string, OrderEdit>();
  readonly #numbers = new Sequence('CalculatedOrder', 87_960_387_881n);
  readonly #addedIds = new Sequence('CalculatedLineItem', 41_000_000_001n);

  constructor(
    inventory: Inventory,
    orders: Orders,
    { fulfillments, routing, events }: { fulfillments: Fulfillments; routing: Routing; events: ShopEvents },
  ) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#fulfillments = fulfillments;
    this.#routing = routing;
    this.#events = events;
  }

  /** Refuses unknown and cancelled orders. */
  begin(orderId: string, nowMs: number): EditResult {
    const order = this.#orders.get(orderId);
    if (!order) return refused(null, ['id'], 'The order does not exist.');
    if (order.cancellation) return refused(null, ['base'], 'The order cannot be edited.');
    const id = this.#numbers.next();
    const sessionId = `gid://shopify/OrderEditSession/${numberOfGid(id)}`;
    const lines = order.lines.map((line) => calculatedLine(order, line));
    const edit: OrderEdit = { id, sessionId, order, lines, beganMs: nowMs };
    this.#edits.set(numberOfGid(id), edit);
    const [oldest] = this.#edits.keys();
    if (this.#edits.size > SESSIONS_MAX && oldest !== undefined) this.#edits.delete(oldest);
    return { edit, line: null, userErrors: [] };
  }

  /** `id` is that of the calculated order or of its session, here and below. */
  addVariant(
    id: string,
    request: {
      readonly variantId: string;
      readonly quantity: number;
      readonly locationId: string | null;
      readonly allowDuplicates: boolean;
    },
  ): EditResult {
    const edit = this.#edits.get(numberOfGid(id));
    if (!edit) return refused(null, ['id'], 'The calculated order does not exist.');
    const variant = this.#inventory.variants.get(request.variantId);
    if (!variant) return refused(edit, ['variantId'], 'The variant does not exist.');
    if (request.quantity < 1) return refused(edit, ['quantity'], 'Quantity must be greater than 0');
    if (request.locationId !== null && !this.#inventory.locations.get(request.locationId)?.isActive) {
      return refused(edit, ['locationId'], 'The location does not exist.');
    }
    if (
      !request.allowDuplicates &&
      edit.lines.some((one) => one.variantId === variant.id && one.quantity > 0)
    ) {
      return refused(edit, ['variantId'], 'The variant is already on the order.');
    }
    const { title, variantTitle, sku, unitCents } = newLine(this.#inventory, variant, request.quantity);
    const line: CalculatedLine = {
      id: this.#addedIds.next(),
      lineId: null,
      variantId: variant.id,
      title,
      variantTitle,
      sku,
      unitCents,
      quantity: request.quantity,
      quantityBefore: 0,
      editableBefore: 0,
      restock: false,
      locationId: request.locationId,
    };
    edit.lines.push(line);
    return { edit, line, userErrors: [] };
  }

  /** Refuses to go below what was shipped. Zero takes the line off. */
  setQuantity(
    id: string,
    request: { readonly lineItemId: string; readonly quantity: number; readonly restock: boolean },
  ): EditResult {
    const edit = this.#edits.get(numberOfGid(id));
    if (!edit) return refused(null, ['id'], 'The calculated order does not exist.');
    const line = edit.lines.find((one) => one.id === request.lineItemId);
    if (!line) return refused(edit, ['lineItemId'], 'The line item does not exist.');
    if (request.quantity < line.quantityBefore - line.editableBefore || request.quantity < 0) {
      return refused(edit, ['quantity'], 'Quantity cannot be less than the fulfilled quantity.');
    }
    line.quantity = request.quantity;
    line.restock = request.restock;
    return { edit, line, userErrors: [] };
  }

  /** Makes the order what the session says. Refused when the order has changed in a way that the edit no longer fits. */
  commit(
    id: string,
    options: { readonly staffNote: string | null; readonly notifyCustomer: boolean },
    nowMs: number,
  ): CommitResult {
    const edit = this.#edits.get(numberOfGid(id));
    if (!edit)
      return {
        order: null,
        userErrors: [{ field: ['id'], message: 'The calculated order does not exist.' }],
      };
    const { order } = edit;
    if (order.cancellation || edit.lines.some((line) => !this.#stillFits(order, line))) {
      const message = 'The order has changed since the edit began.';
      return { order, userErrors: [{ field: ['id'], message }] };
    }
    this.#edits.delete(numberOfGid(id));
    const additions: { lineItemId: string; delta: number }[] = [];
    const removals: { lineItemId: string; delta: number }[] = [];
    for (const line of edit.lines) {
      const delta = line.quantity - line.quantityBefore;
      if (delta > 0) additions.push({ lineItemId: this.#add(order, line, delta, nowMs), delta });
      if (delta < 0 && line.lineId !== null) {
        this.#remove(order, line.lineId, -delta, line.restock, nowMs);
        removals.push({ lineItemId: line.lineId, delta: -delta });
      }
    }
    if (additions.length + removals.length > 0) {
      order.isEdited = true;
      if (unfulfilledTotal(order) > 0) order.closedMs = null;
      const fact = { kind: 'order_edit', change: 'committed', atMs: nowMs, orderId: order.id } as const;
      const { id: editId, beganMs } = edit;
      this.#events.publish({ ...fact, editId, beganMs, additions, removals, ...options });
      this.#orders.changed(order, [], nowMs);
    }
    return { order, userErrors: [] };
  }

  #stillFits(order: Order, line: CalculatedLine): boolean {
    const present = order.lines.find(({ id }) => id === line.lineId);
    if (!present) return line.quantity === 0 || this.#inventory.variants.has(line.variantId ?? '');
    const removed = line.quantityBefore - line.quantity;
    return currentUnits(present) === line.quantityBefore && removed <= unfulfilledUnits(order, present.id);
  }

  /** Answers with the id of the line that has the new units. */
  #add(order: Order, line: CalculatedLine, units: number, nowMs: number): string {
    const variant = this.#inventory.variants.get(line.variantId ?? '');
    const present = order.lines.find(({ id }) => id === line.lineId);
    const target = present ?? this.#newLine(order, line, units);
    if (present) present.quantity += units;
    const taking = { from: 'available', allocations: this.#allocations(line, variant, units) } as const;
    this.#orders.take(order, [{ ...target, quantity: units }], taking, nowMs);
    return target.id;
  }

  #newLine(order: Order, line: CalculatedLine, units: number): OrderLine {
    const variant = this.#inventory.variants.get(line.variantId ?? '');
    if (!variant) throw new Error(`an edit of ${order.name} adds a variant that is gone`);
    const made = this.#orders.newLine(newLine(this.#inventory, variant, units), order.id);
    order.lines.push(made);
    return made;
  }

  #allocations({ locationId }: CalculatedLine, variant: Variant | undefined, units: number) {
    if (!variant) return [];
    const level = locationId === null ? undefined : this.#inventory.levelAt(variant.itemId, locationId);
    const isTracked = this.#inventory.itemOfVariant(variant).tracked;
    if (level?.isActive && isTracked) return [{ position: 0, level, units }];
    return this.#routing.claim([newLine(this.#inventory, variant, units)], false) ?? [];
  }

  #remove(order: Order, lineId: string, units: number, restock: boolean, nowMs: number): void {
    const line = order.lines.find(({ id }) => id === lineId);
    if (!line) throw new Error(`${order.name} has no line ${lineId}`);
    line.removedUnits += units;
    this.#fulfillments.release(order, lineId, units, restock ? 'home' : 'none', nowMs);
  }
}

/** In cents: what the order would cost after the commit, and what of that would be open. */
export function editedCents({ order, lines }: OrderEdit): {
  readonly total: number;
  readonly outstanding: number;
} {
  const total = lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
  return { total, outstanding: Math.max(0, outstandingCents(order) + total - currentCents(order)) };
}

function calculatedLine(order: Order, line: OrderLine): CalculatedLine {
  const { id, variantId, title, variantTitle, sku, unitCents } = line;
  const quantity = currentUnits(line);
  return {
    id: `gid://shopify/CalculatedLineItem/${numberOfGid(id)}`,
    lineId: id,
    variantId,
    title,
    variantTitle,
    sku,
    unitCents,
    quantity,
    quantityBefore: quantity,
    editableBefore: Math.min(quantity, unfulfilledUnits(order, id)),
    restock: false,
    locationId: null,
  };
}

function unfulfilledTotal(order: Order): number {
  return order.lines.reduce((sum, { id }) => sum + unfulfilledUnits(order, id), 0);
}

function refused(edit: OrderEdit | null, field: readonly string[], message: string): EditResult {
  return { edit, line: null, userErrors: [{ field, message }] };
}
