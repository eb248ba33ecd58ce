/**
 * Orders: what was bought, what of it is still to be shipped, and everything that has become of it since. An order is
 * changed by the modules that are named for what they do (fulfillments, refunds, returns, cancellations, order-edits);
 * each ends with `changed`, which moves `updatedMs` and tells of it.
 */

import type { ShopEvents, ShopFact } from '../../base/events.js';
import { toGid } from '../../base/gid.js';
import {
  type Address,
  type AddressInput,
  type Details,
  type Line,
  NO_ADDRESS,
  totalCents,
} from '../../base/line.js';
import { Sequence } from '../../base/sequence.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory, Level, Variant } from '../stock/inventory.js';
import {
  type FulfillmentOrder,
  isActiveList,
  type Order,
  type OrderLine,
  outstandingCents,
} from './order.js';
import type { Allocation } from './routing.js';

/** What a new order takes out of which state. No allocations: it takes nothing, as with Shopify's BYPASS. */
export interface Taking {
  readonly from: 'available' | 'reserved';
  readonly allocations: readonly Allocation[];
}

export interface OrderRequest {
  readonly lines: readonly Line[];
  readonly details: Details;
  readonly taking: Taking;
  readonly isPaid: boolean;
  readonly sourceIdentifier?: string | null;
}

type OrderChange = Extract<ShopFact, { kind: 'order' }>['change'];

/** Shopify numbers a shop's first order 1001. */
const FIRST_NUMBER = 1001;
const FIRST_ID = 6_203_198_177_577n;
const ID_STEP = 32_768n;
/** Of one order. A search index that lags behind by more changes than that sees the oldest of them. */
const CHANGES_KEPT_MAX = 64;

export class Orders {
  readonly #inventory: Inventory;
  readonly #events: ShopEvents;
  readonly #orders = new Map<string, Order>();
  readonly #fulfillmentOrders = new Map<string, FulfillmentOrder>();
  readonly #lineIds = new Sequence('LineItem', 15_480_261_837_033n);
  readonly #fulfillmentOrderIds = new Sequence('FulfillmentOrder', 6_704_091_103_497n);
  readonly #fulfillmentOrderLineIds = new Sequence('FulfillmentOrderLineItem', 14_202_781_139_209n);
  #addresses = 0;

  constructor(inventory: Inventory, events: ShopEvents) {
    this.#inventory = inventory;
    this.#events = events;
  }

  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  all(): Iterable<Order> {
    return this.#orders.values();
  }

  fulfillmentOrder(id: string): FulfillmentOrder | undefined {
    return this.#fulfillmentOrders.get(id);
  }

  /** The order that the merchant knows under that name, "#1001". Throws when there is none. */
  named(name: string): Order {
    for (const order of this.#orders.values()) if (order.name === name) return order;
    throw new Error(`the sandbox shop has no order ${name}`);
  }

  /** Makes an order, and commits the units that it takes. Checks no rule: callers do. */
  place(request: OrderRequest, nowMs: number): Order {
    const index = this.#orders.size;
    const number = FIRST_NUMBER + index;
    const id = toGid('Order', FIRST_ID + ID_STEP * BigInt(index));
    const lines = request.lines.map((line) => this.newLine(line, id));
    const order: Order = {
      ...request.details,
      id,
      number,
      name: `#${number}`,
      sourceIdentifier: request.sourceIdentifier ?? null,
      lines,
      fulfillmentOrders: [],
      fulfillments: [],
      refunds: [],
      returns: [],
      isPaid: request.isPaid,
      paidCents: request.isPaid ? totalCents(lines) : 0,
      refundedCents: 0,
      isEdited: false,
      cancellation: null,
      closedMs: null,
      createdMs: nowMs,
      updatedMs: nowMs,
      changesMs: [nowMs],
    };
    this.#orders.set(order.id, order);
    this.take(order, lines, request.taking, nowMs);
    const fact = { kind: 'order', atMs: nowMs, orderId: order.id } as const;
    this.#events.publish({ ...fact, change: 'created' });
    if (order.isPaid) this.#events.publish({ ...fact, change: 'paid' });
    return order;
  }

  /** All that is owed is paid. Refuses cancelled orders, and those that owe nothing. */
  markPaid(order: Order, nowMs: number): readonly UserError[] {
    const outstanding = outstandingCents(order);
    if (order.cancellation || (order.isPaid && outstanding === 0)) {
      return [{ field: ['id'], message: 'Order cannot be marked as paid.' }];
    }
    order.isPaid = true;
    order.paidCents += outstanding;
    this.changed(order, ['paid'], nowMs);
    return [];
  }

  /** A line with a number of its own. It is on no order yet. */
  newLine(line: Line, orderId: string): OrderLine {
    return { ...line, orderId, id: this.#lineIds.next(), removedUnits: 0, refundedUnits: 0 };
  }

  /**
   * Moves units to `committed` and puts the lines on the order's list of what is to be shipped, one fulfillment order
   * for each location. Units that no stock stands behind (custom, untracked, BYPASS) go where the shop ships from.
   */
  take(order: Order, lines: readonly OrderLine[], { from, allocations }: Taking, nowMs: number): void {
    for (const { level, units } of allocations) {
      this.#inventory.change(level, { [from]: -units, committed: units }, nowMs);
    }
    lines.forEach((line, position) => {
      const own = allocations.filter((allocation) => allocation.position === position);
      for (const { level, units } of own) this.expect(order, line.id, level, units, nowMs);
      const rest = line.quantity - own.reduce((sum, { units }) => sum + units, 0);
      if (rest > 0) this.expect(order, line.id, null, rest, nowMs);
    });
  }

  /** Puts units on the list of what is to be shipped. `level` is where they are committed; null when they are nowhere. */
  expect(order: Order, lineId: string, level: Level | null, units: number, nowMs: number): void {
    const locationId = level?.locationId ?? this.#shippingLocationId();
    const open = order.fulfillmentOrders.find((one) => isActiveList(one) && one.locationId === locationId);
    const list = open ?? this.newList(order, locationId, nowMs);
    list.updatedMs = nowMs;
    this.addToList(list, lineId, level, units);
  }

  /** A list of what one location is to ship of the order, with nothing on it yet. */
  newList(order: Order, locationId: string | null, nowMs: number): FulfillmentOrder {
    const list: FulfillmentOrder = {
      id: this.#fulfillmentOrderIds.next(),
      orderId: order.id,
      locationId,
      status: 'OPEN',
      isMoved: false,
      lines: [],
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    order.fulfillmentOrders.push(list);
    this.#fulfillmentOrders.set(list.id, list);
    return list;
  }

  addToList(list: FulfillmentOrder, lineId: string, level: Level | null, units: number): void {
    const same = list.lines.find((line) => line.lineId === lineId && line.level === level);
    if (same) {
      same.totalUnits += units;
      same.remainingUnits += units;
      return;
    }
    const id = this.#fulfillmentOrderLineIds.next();
    list.lines.push({ id, lineId, level, totalUnits: units, remainingUnits: units });
  }

  /** The last word of every change: `updatedMs` moves, and the order is told of, at the end as updated. */
  changed(order: Order, changes: readonly OrderChange[], nowMs: number): void {
    order.updatedMs = Math.max(order.updatedMs, nowMs);
    order.changesMs = [...order.changesMs, order.updatedMs].slice(-CHANGES_KEPT_MAX);
    const fact = { kind: 'order', atMs: nowMs, orderId: order.id } as const;
    for (const change of new Set<OrderChange>([...changes, 'updated'])) {
      this.#events.publish({ ...fact, change });
    }
  }

  toAddress(input: AddressInput | null | undefined): Address | null {
    if (input == null) return null;
    this.#addresses += 1;
    const id = toGid('MailingAddress', 9_410_077_491_369n + BigInt(this.#addresses));
    return { ...NO_ADDRESS, ...input, id };
  }

  #shippingLocationId(): string | null {
    const locations = [...this.#inventory.locations.values()];
    return (locations.find(({ isActive }) => isActive) ?? locations[0])?.id ?? null;
  }
}

/** The catalogue's part of a line. */
export function lineOfVariant(inventory: Inventory, variant: Variant) {
  return {
    variantId: variant.id,
    itemId: variant.itemId,
    title: inventory.productOfVariant(variant).title,
    variantTitle: variant.title,
    sku: inventory.itemOfVariant(variant).sku,
    unitCents: variant.priceCents,
  };
}

/** A line of so many units of a variant, not yet part of anything. */
export function newLine(inventory: Inventory, variant: Variant, quantity: number): Line {
  return { ...lineOfVariant(inventory, variant), id: '', uuid: '', quantity, customAttributes: [] };
}
