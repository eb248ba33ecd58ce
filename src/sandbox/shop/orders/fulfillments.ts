/**
 * What leaves the shop: shipping, and calling a shipment back. Also the other way in which units stop being expected:
 * taken off the list of what is to be shipped, with or without going back on the shelf.
 */

import type { ShopEvents } from '../../base/events.js';
import { Sequence } from '../../base/sequence.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory, Level } from '../stock/inventory.js';
import {
  type Fulfillment,
  type FulfillmentLine,
  type FulfillmentOrder,
  type FulfillmentOrderLine,
  fulfillmentStatus,
  isActiveList,
  type Order,
  outstandingCents,
  returnableUnits,
} from './order.js';
import type { Orders } from './orders.js';

/** The part of Shopify's `FulfillmentInput` that the sandbox emulates. Without lines: everything that remains. */
export interface FulfillmentInput {
  readonly lineItemsByFulfillmentOrder: readonly {
    readonly fulfillmentOrderId: string;
    readonly fulfillmentOrderLineItems?: readonly { readonly id: string; readonly quantity: number }[] | null;
  }[];
}

export interface FulfillmentResult {
  readonly fulfillment: Fulfillment | null;
  readonly userErrors: readonly UserError[];
}

/** Where released units become available: at a location, where they were committed (`home`), or nowhere. */
export type Restock = { readonly locationId: string } | 'home' | 'none';

interface Portion {
  readonly from: FulfillmentOrder;
  readonly line: FulfillmentOrderLine;
  readonly units: number;
}

export class Fulfillments {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #events: ShopEvents;
  readonly #byId = new Map<string, Fulfillment>();
  readonly #ids = new Sequence('Fulfillment', 5_522_817_483_049n, 32_768n);
  readonly #lineIds = new Sequence('FulfillmentLineItem', 13_211_873_607_977n);

  constructor(inventory: Inventory, orders: Orders, events: ShopEvents) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#events = events;
  }

  get(id: string): Fulfillment | undefined {
    return this.#byId.get(id);
  }

  /** Ships: `committed` and on hand fall. Refuses closed fulfillment orders, too many units, and two locations at once. */
  create(input: FulfillmentInput, nowMs: number): FulfillmentResult {
    const portions = this.#selectPortions(input);
    if (!Array.isArray(portions)) return { fulfillment: null, userErrors: [portions] };
    const [first] = portions;
    if (!first) return refused(['fulfillment'], 'No line items to fulfill');
    if (portions.some(({ from }) => from.orderId !== first.from.orderId)) {
      return refused(['fulfillment'], 'All fulfillment orders must belong to the same order.');
    }
    if (portions.some(({ from }) => from.locationId !== first.from.locationId)) {
      return refused(['fulfillment'], 'All fulfillment orders must be assigned to the same location.');
    }
    const order = this.#requireOrder(first.from);
    for (const { from, line, units } of portions) {
      line.remainingUnits -= units;
      settleFulfillmentOrder(from, nowMs);
      if (line.level) this.#inventory.change(line.level, { committed: -units }, nowMs);
    }
    const fulfillment = this.#recorded(order, first.from.locationId, portions, nowMs);
    const isAll = fulfillmentStatus(order) === 'FULFILLED';
    // Shopify archives an order by itself once it is paid and shipped.
    if (isAll && outstandingCents(order) === 0) order.closedMs = nowMs;
    this.#tell(fulfillment, 'created', nowMs);
    this.#orders.changed(order, [isAll ? 'fulfilled' : 'partially_fulfilled'], nowMs);
    return { fulfillment, userErrors: [] };
  }

  /**
   * Calls a shipment back: its units are to be shipped again and are committed again, so on hand rises. They go back to
   * where they were, or to the item's priority location when that place does not stock it any more. Refused when some of
   * them were refunded with restock or are in a return.
   */
  cancel(id: string, nowMs: number): FulfillmentResult {
    const fulfillment = this.#byId.get(id);
    if (!fulfillment) return refused(['id'], 'Fulfillment not found.');
    if (fulfillment.status === 'CANCELLED') return refused(['id'], 'Fulfillment is already cancelled.');
    const order = this.#orders.get(fulfillment.orderId);
    if (!order) throw new Error(`${fulfillment.name} has lost its order`);
    const units = unitsByLine(fulfillment.lines);
    if ([...units].some(([lineId, quantity]) => returnableUnits(order, lineId) < quantity)) {
      return refused(['id'], 'Fulfillment has items that were returned and cannot be cancelled.');
    }
    fulfillment.status = 'CANCELLED';
    fulfillment.updatedMs = nowMs;
    order.closedMs = null;
    for (const { lineId, level, quantity } of fulfillment.lines) {
      const home = level && this.#findHome(level, nowMs);
      if (home) this.#inventory.change(home, { committed: quantity }, nowMs);
      this.#orders.expect(order, lineId, home, quantity, nowMs);
    }
    this.#tell(fulfillment, 'updated', nowMs);
    this.#orders.changed(order, [], nowMs);
    return { fulfillment, userErrors: [] };
  }

  /**
   * Takes units of a line off what is to be shipped, the latest expectations first. Answers with the location where they
   * became available, null when they did not: `none` was asked for, or no stock stood behind them. Checks no rule and
   * tells of nothing but the levels: callers do.
   */
  release(order: Order, lineId: string, units: number, restock: Restock, nowMs: number): string | null {
    let left = units;
    let restockedAt: string | null = null;
    for (const list of order.fulfillmentOrders.toReversed()) {
      for (const line of list.lines) {
        const released = line.lineId === lineId ? Math.min(left, line.remainingUnits) : 0;
        if (released === 0) continue;
        left -= released;
        line.remainingUnits -= released;
        line.totalUnits -= released;
        restockedAt = this.#uncommit(line.level, released, restock, nowMs) ?? restockedAt;
      }
      settleFulfillmentOrder(list, nowMs);
    }
    if (left > 0) throw new Error(`${order.name} has ${left} units too few to release`);
    return restockedAt;
  }

  #uncommit(level: Level | null, units: number, restock: Restock, nowMs: number): string | null {
    if (!level) return null;
    const locationId = restock === 'home' ? level.locationId : restock === 'none' ? null : restock.locationId;
    if (locationId === level.locationId) {
      this.#inventory.change(level, { committed: -units, available: units }, nowMs);
      return locationId;
    }
    this.#inventory.change(level, { committed: -units }, nowMs);
    if (locationId === null || !this.#inventory.items.has(level.itemId)) return null;
    const target = this.#inventory.stockItemAt(level.itemId, locationId, nowMs);
    this.#inventory.change(target, { available: units }, nowMs);
    return locationId;
  }

  #selectPortions({ lineItemsByFulfillmentOrder }: FulfillmentInput): Portion[] | UserError {
    const portions: Portion[] = [];
    for (const [index, wanted] of lineItemsByFulfillmentOrder.entries()) {
      const field = ['fulfillment', 'lineItemsByFulfillmentOrder', String(index)];
      const from = this.#orders.fulfillmentOrder(wanted.fulfillmentOrderId);
      if (!from)
        return { field: [...field, 'fulfillmentOrderId'], message: 'Fulfillment order does not exist.' };
      if (!isActiveList(from)) {
        return {
          field,
          message: `Fulfillment order ${from.id} has an unfulfillable status= ${from.status.toLowerCase()}.`,
        };
      }
      const lines = wanted.fulfillmentOrderLineItems?.length
        ? wanted.fulfillmentOrderLineItems
        : from.lines.map(({ id, remainingUnits }) => ({ id, quantity: remainingUnits }));
      for (const { id, quantity } of lines) {
        const line = from.lines.find((one) => one.id === id);
        if (!line) return { field, message: 'Fulfillment order line item does not exist.' };
        const asked = portions.reduce((sum, one) => (one.line === line ? sum + one.units : sum), quantity);
        if (quantity < 0 || asked > line.remainingUnits) {
          return { field, message: 'Invalid fulfillment order line item quantity requested.' };
        }
        if (quantity > 0) portions.push({ from, line, units: quantity });
      }
    }
    return portions;
  }

  #requireOrder({ id, orderId }: FulfillmentOrder): Order {
    const order = this.#orders.get(orderId);
    if (!order) throw new Error(`${id} has lost its order`);
    return order;
  }

  #recorded(
    order: Order,
    locationId: string | null,
    portions: readonly Portion[],
    nowMs: number,
  ): Fulfillment {
    const fulfillment: Fulfillment = {
      id: this.#ids.next(),
      name: `${order.name}-F${order.fulfillments.length + 1}`,
      orderId: order.id,
      locationId,
      fulfillmentOrderIds: [...new Set(portions.map(({ from }) => from.id))],
      status: 'SUCCESS',
      lines: portions.map(({ line, units }) => ({
        id: this.#lineIds.next(),
        lineId: line.lineId,
        level: line.level,
        quantity: units,
      })),
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    order.fulfillments.push(fulfillment);
    this.#byId.set(fulfillment.id, fulfillment);
    return fulfillment;
  }

  #findHome(level: Level, nowMs: number): Level | null {
    const isOpen = this.#inventory.locations.get(level.locationId)?.isActive ?? false;
    if (level.isActive && isOpen && this.#inventory.levels.has(level.id)) return level;
    const other = this.#inventory.priorityLevel(level.itemId);
    if (other || !this.#inventory.items.has(level.itemId)) return other ?? null;
    return this.#inventory.stockItemAt(level.itemId, level.locationId, nowMs);
  }

  #tell({ id, orderId }: Fulfillment, change: 'created' | 'updated', atMs: number): void {
    this.#events.publish({ kind: 'fulfillment', change, atMs, orderId, fulfillmentId: id });
  }
}

function settleFulfillmentOrder(list: FulfillmentOrder, nowMs: number): void {
  list.updatedMs = nowMs;
  if (list.lines.some(({ remainingUnits }) => remainingUnits > 0)) return;
  list.status = list.lines.some(({ totalUnits }) => totalUnits > 0) ? 'CLOSED' : 'CANCELLED';
}

function unitsByLine(lines: readonly FulfillmentLine[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { lineId, quantity } of lines) units.set(lineId, (units.get(lineId) ?? 0) + quantity);
  return units;
}

function refused(field: readonly string[], message: string): FulfillmentResult {
  return { fulfillment: null, userErrors: [{ field, message }] };
}
