/**
 * What merchants and customers do with orders, as verbs for whoever plays them in a demo or a test: the same code as
 * behind the API's mutations, by names instead of ids, and done at once. They throw where the API would answer with a
 * user error.
 */

import { NO_DETAILS } from '../base/line.js';
import { formatCents } from '../base/money.js';
import { made, must } from '../base/user-error.js';
import {
  currentUnits,
  type DispositionType,
  type Fulfillment,
  isActiveList,
  type Order,
  type OrderLine,
  type Refund,
  type RestockType,
  type Return,
  unfulfilledUnits,
} from './orders/order.js';
import { newLine, type Taking } from './orders/orders.js';
import { ShopParts } from './shop-parts.js';
import type { Level } from './stock/inventory.js';

/** Units by SKU. */
export type Units = Readonly<Record<string, number>>;

export abstract class OrderVerbs extends ShopParts {
  /** The shop's time now, with everything done that was due by then. */
  abstract settle(): number;

  /**
   * Somebody buys units elsewhere. Without `at` in the online store: a paid order that commits them where
   * the order routing says, even below zero. With `at` at the till of that location: paid, and handed over at once, so they
   * leave available and on hand together. Throws on an unknown SKU or on units that are not a positive integer.
   */
  sell(sku: string, units: number, { at }: { readonly at?: string } = {}): Order {
    if (!Number.isSafeInteger(units) || units < 1) throw new Error(`cannot sell ${units} units`);
    const nowMs = this.settle();
    const variant = this.inventory.variantOfSku(sku);
    const lines = [newLine(this.inventory, variant, units)];
    const isTracked = this.inventory.itemOfVariant(variant).tracked;
    const level = at === undefined || !isTracked ? undefined : this.#stockAt(sku, at, nowMs);
    const allocations = level ? [{ position: 0, level, units }] : this.routing.allocate(lines);
    const taking: Taking = { from: 'available', allocations };
    const details = { ...NO_DETAILS, sourceName: at === undefined ? 'web' : 'pos' };
    const order = this.orders.place({ lines, details, taking, isPaid: true }, nowMs);
    if (at !== undefined) this.#ship(order, {}, nowMs);
    return order;
  }

  /** Adds units to (or, below zero, takes them from) what is available at the location of that name: a delivery, a loss. */
  receive(sku: string, locationName: string, units: number): void {
    if (!Number.isSafeInteger(units)) throw new Error(`cannot receive ${units} units`);
    const nowMs = this.settle();
    this.inventory.change(this.#stockAt(sku, locationName, nowMs), { available: units }, nowMs);
  }

  /** Cancels the order, without waiting for the job. A paid one is refunded unless `refund` is false. */
  cancel(
    orderName: string,
    options: { readonly restock: boolean; readonly refund?: boolean; readonly reason?: string },
  ): Order {
    const nowMs = this.settle();
    const order = this.orders.named(orderName);
    const { restock, refund = true, reason = 'CUSTOMER' } = options;
    const request = { orderId: order.id, reason, restock, refund, staffNote: null };
    must(`cancel ${orderName}`, this.cancellations.run(request, nowMs));
    return order;
  }

  /** The merchant takes the money for an order that is not paid yet. */
  markPaid(orderName: string): Order {
    const nowMs = this.settle();
    const order = this.orders.named(orderName);
    must(`mark ${orderName} as paid`, this.orders.markPaid(order, nowMs));
    return order;
  }

  /** Ships what is left of the order, or those units of it: one fulfillment for each location. */
  fulfil(orderName: string, units: Units = {}): readonly Fulfillment[] {
    const nowMs = this.settle();
    return this.#ship(this.orders.named(orderName), units, nowMs);
  }

  /** The location begins to pack what it is to ship of the order: it can't be moved elsewhere from then on. */
  reportProgress(orderName: string): void {
    const nowMs = this.settle();
    for (const list of this.orders.named(orderName).fulfillmentOrders) {
      if (list.status !== 'OPEN') continue;
      list.status = 'IN_PROGRESS';
      list.updatedMs = nowMs;
    }
  }

  /** Calls a shipment ("#1001-F1") back. */
  cancelFulfillment(name: string): Fulfillment {
    const nowMs = this.settle();
    const found = [...this.orders.all()]
      .flatMap((order) => order.fulfillments)
      .find((one) => one.name === name);
    if (!found) throw new Error(`the sandbox shop has no fulfillment ${name}`);
    must(`cancel ${name}`, this.fulfillments.cancel(found.id, nowMs).userErrors);
    return found;
  }

  /**
   * Refunds units with their price (or `pays: false`: without money). CANCEL restocks units that were not shipped, at
   * `at` or where they are committed; RETURN those that were, at `at`; NO_RESTOCK none.
   */
  refund(
    orderName: string,
    units: Units,
    options: { readonly restock: RestockType; readonly at?: string; readonly pays?: boolean },
  ): Refund {
    const nowMs = this.settle();
    const order = this.orders.named(orderName);
    const { restock, at, pays = true } = options;
    const locationId = at === undefined ? null : this.inventory.locationNamed(at).id;
    const lines = Object.entries(units).map(([sku, quantity]) => ({ line: lineOfSku(order, sku), quantity }));
    const cents = lines.reduce((sum, { line, quantity }) => sum + line.unitCents * quantity, 0);
    const result = this.refunds.create(
      {
        orderId: order.id,
        refundLineItems: lines.map(({ line, quantity }) => ({
          lineItemId: line.id,
          quantity,
          restockType: restock,
          locationId,
        })),
        transactions: pays ? [{ orderId: order.id, kind: 'REFUND', amount: formatCents(cents) }] : [],
      },
      nowMs,
    );
    must(`refund ${orderName}`, result.userErrors);
    return made(result.refund);
  }

  /** The buyer sends shipped units back: an open return. Nothing is restocked until `dispose` says so. */
  returnUnits(orderName: string, units: Units): Return {
    const nowMs = this.settle();
    const order = this.orders.named(orderName);
    const returnLineItems = Object.entries(units).flatMap(([sku, quantity]) =>
      returnLines(order, lineOfSku(order, sku), quantity),
    );
    const result = this.returns.create({ orderId: order.id, returnLineItems }, nowMs);
    must(`return units of ${orderName}`, result.userErrors);
    return made(result.return);
  }

  /** Says what becomes of units of a return ("#1001-R1"). RESTOCKED needs a location's name in `at`. */
  dispose(returnName: string, units: Units, type: DispositionType, at?: string): Return {
    const nowMs = this.settle();
    const found = this.#returnNamed(returnName);
    const order = this.orders.get(found.orderId);
    const locationId = at === undefined ? null : this.inventory.locationNamed(at).id;
    const inputs = Object.entries(units).flatMap(([sku, quantity]) => {
      const line = order && lineOfSku(order, sku);
      return spread(
        found.reverseFulfillmentOrder.lines.filter((one) => one.lineId === line?.id),
        quantity,
        (one) => one.quantity - one.dispositions.reduce((sum, { quantity: done }) => sum + done, 0),
      ).map(({ one, units: share }) => ({
        reverseFulfillmentOrderLineItemId: one.id,
        quantity: share,
        dispositionType: type,
        locationId,
      }));
    });
    must(
      `dispose of units of ${returnName}`,
      this.reverseFulfillmentOrders.dispose(inputs, nowMs).userErrors,
    );
    return found;
  }

  closeReturn(returnName: string): Return {
    return this.#returnStep(returnName, 'close');
  }

  reopenReturn(returnName: string): Return {
    return this.#returnStep(returnName, 'reopen');
  }

  cancelReturn(returnName: string): Return {
    return this.#returnStep(returnName, 'cancel');
  }

  /**
   * Edits the order: the units that it is to have of each SKU, 0 to take it off; a SKU that is not on it is added. Units
   * taken off are restocked unless `restock` is false.
   */
  edit(orderName: string, units: Units, { restock = true }: { readonly restock?: boolean } = {}): Order {
    const nowMs = this.settle();
    const order = this.orders.named(orderName);
    const begun = this.orderEdits.begin(order.id, nowMs);
    must(`edit ${orderName}`, begun.userErrors);
    const { id, lines } = made(begun.edit);
    for (const [sku, quantity] of Object.entries(units)) {
      const line = lines.find((one) => one.sku === sku);
      const variantId = this.inventory.variantOfSku(sku).id;
      const staged = line
        ? this.orderEdits.setQuantity(id, { lineItemId: line.id, quantity, restock })
        : this.orderEdits.addVariant(id, { variantId, quantity, locationId: null, allowDuplicates: false });
      must(`edit ${orderName}`, staged.userErrors);
    }
    const options = { staffNote: null, notifyCustomer: false };
    must(`edit ${orderName}`, this.orderEdits.commit(id, options, nowMs).userErrors);
    return order;
  }

  /** The buyer pays at the draft order's invoice URL. */
  payInvoice(draftId: string): Order {
    const nowMs = this.settle();
    const { order, refusal } = this.checkout.pay(draftId, nowMs);
    if (refusal !== null) throw new Error(`cannot pay ${draftId}: ${refusal}`);
    return order;
  }

  #ship(order: Order, units: Units, nowMs: number): readonly Fulfillment[] {
    const wanted = new Map(
      order.lines.map((line) => {
        const isAll = Object.keys(units).length === 0;
        return [line.id, isAll ? unfulfilledUnits(order, line.id) : (units[line.sku ?? ''] ?? 0)];
      }),
    );
    const open = order.fulfillmentOrders.filter(isActiveList);
    const shipments = open.flatMap((list) => {
      const lines = list.lines.flatMap(({ id, lineId, remainingUnits }) => {
        const quantity = Math.min(remainingUnits, wanted.get(lineId) ?? 0);
        wanted.set(lineId, (wanted.get(lineId) ?? 0) - quantity);
        return quantity > 0 ? [{ id, quantity }] : [];
      });
      return lines.length > 0 ? [{ fulfillmentOrderId: list.id, fulfillmentOrderLineItems: lines }] : [];
    });
    if (shipments.length === 0 || [...wanted.values()].some((left) => left > 0)) {
      throw new Error(`${order.name} has fewer units left to ship`);
    }
    return shipments.map((shipment) => {
      const result = this.fulfillments.create({ lineItemsByFulfillmentOrder: [shipment] }, nowMs);
      must(`fulfil ${order.name}`, result.userErrors);
      return made(result.fulfillment);
    });
  }

  #returnStep(name: string, step: 'close' | 'reopen' | 'cancel'): Return {
    const nowMs = this.settle();
    const found = this.#returnNamed(name);
    must(`${step} ${name}`, this.returns[step](found.id, nowMs).userErrors);
    return found;
  }

  #returnNamed(name: string): Return {
    const found = [...this.orders.all()].flatMap((order) => order.returns).find((one) => one.name === name);
    if (!found) throw new Error(`the sandbox shop has no return ${name}`);
    return found;
  }

  #stockAt(sku: string, locationName: string, nowMs: number): Level {
    const { itemId } = this.inventory.variantOfSku(sku);
    return this.inventory.stockItemAt(itemId, this.inventory.locationNamed(locationName).id, nowMs);
  }
}

function lineOfSku(order: Order, sku: string): OrderLine {
  const lines = order.lines.filter((line) => line.sku === sku);
  const line = lines.find((one) => currentUnits(one) > 0) ?? lines[0];
  if (!line) throw new Error(`${order.name} has no ${sku}`);
  return line;
}

/** Units of a line as they were shipped, latest shipments last. What is returning already is left out. */
function returnLines(order: Order, line: OrderLine, quantity: number) {
  const shipped = order.fulfillments
    .filter(({ status }) => status === 'SUCCESS')
    .flatMap(({ lines }) => lines)
    .filter(({ lineId }) => lineId === line.id);
  const returning = order.returns.filter(({ status }) => status !== 'CANCELED').flatMap(({ lines }) => lines);
  const free = (one: { readonly id: string; readonly quantity: number }) =>
    returning.reduce(
      (left, other) => (other.fulfillmentLineId === one.id ? left - other.quantity : left),
      one.quantity,
    );
  return spread(shipped, quantity, free).map(({ one, units }) => ({
    fulfillmentLineItemId: one.id,
    quantity: units,
    returnReason: 'UNWANTED',
  }));
}

/**
 * Units over entries that have room, in their order. What finds no room goes to the last one: it is for the shop's own
 * rules to refuse that, or to allow it.
 */
function spread<T>(
  entries: readonly T[],
  units: number,
  roomOf: (one: T) => number,
): readonly { readonly one: T; readonly units: number }[] {
  let left = units;
  const shares = entries.map((one) => {
    const share = Math.min(left, Math.max(0, roomOf(one)));
    left -= share;
    return { one, units: share };
  });
  const last = shares.at(-1);
  if (!last) throw new Error('there are no such units');
  last.units += left;
  return shares.filter(({ units: share }) => share > 0);
}
