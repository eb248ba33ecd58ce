/**
 * Cancelling an order. Shopify answers with a job and does the work a moment later; it cannot be undone. With restock
 * the unshipped units become available again, without it they leave the shop's books altogether.
 */

import type { ShopEvents } from '../../base/events.js';
import type { CodedUserError } from '../../base/user-error.js';
import type { Inventory } from '../stock/inventory.js';
import type { Fulfillments } from './fulfillments.js';
import { currentUnits, isActiveList, type Order, type RefundLine, unfulfilledUnits } from './order.js';
import type { Orders } from './orders.js';
import type { Refunds } from './refunds.js';

export interface CancelRequest {
  readonly orderId: string;
  /** Shopify: `OrderCancelReason`. */
  readonly reason: string;
  readonly restock: boolean;
  /** Whether the money goes back; without it the order stays paid. */
  readonly refund: boolean;
  readonly staffNote: string | null;
}

export interface Job {
  readonly id: string;
  done: boolean;
}

/** Shopify's limit for the staff note, in characters. */
const STAFF_NOTE_MAX = 255;

export class Cancellations {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #fulfillments: Fulfillments;
  readonly #refunds: Refunds;
  readonly #events: ShopEvents;
  readonly #delayMs: number;
  readonly #jobs = new Map<string, Job>();
  #waiting: { readonly job: Job; readonly dueMs: number; readonly request: CancelRequest }[] = [];

  /** `delayMs` is how long a job takes at least: with 0 it is done when the next request comes. */
  constructor(
    inventory: Inventory,
    orders: Orders,
    fulfillments: Fulfillments,
    refunds: Refunds,
    { events, delayMs }: { readonly events: ShopEvents; readonly delayMs: number },
  ) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#fulfillments = fulfillments;
    this.#refunds = refunds;
    this.#events = events;
    this.#delayMs = delayMs;
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /**
   * Takes the request on. Refuses orders that are unknown, cancelled, shipped in part or in whole, or with an open
   * return, and the restocking of a paid order at a location that was closed.
   */
  request(
    request: CancelRequest,
    nowMs: number,
  ): { readonly job: Job | null; readonly errors: readonly CodedUserError[] } {
    const errors = this.#errors(request);
    if (errors.length > 0) return { job: null, errors };
    const number = (this.#jobs.size + 1).toString(16).padStart(12, '0');
    const job: Job = { id: `gid://shopify/Job/00000000-0000-4000-8000-${number}`, done: false };
    this.#jobs.set(job.id, job);
    this.#waiting.push({ job, dueMs: nowMs + this.#delayMs, request });
    return { job, errors: [] };
  }

  /** As `request`, done at once. */
  run(request: CancelRequest, nowMs: number): readonly CodedUserError[] {
    const errors = this.#errors(request);
    if (errors.length === 0) this.#cancel(request, nowMs);
    return errors;
  }

  /** Does the jobs whose time has come. What an order has become meanwhile may make one do nothing. */
  runDue(nowMs: number): void {
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > nowMs);
    for (const { job, request } of due) {
      this.#events.beginAction();
      if (this.#errors(request).length === 0) this.#cancel(request, nowMs);
      job.done = true;
    }
  }

  #errors({ orderId, restock, staffNote }: CancelRequest): CodedUserError[] {
    const order = this.#orders.get(orderId);
    if (!order) return [{ field: ['orderId'], message: 'Order does not exist', code: 'NOT_FOUND' }];
    const invalid = (message: string, field: string): CodedUserError[] => [
      { field: [field], message, code: 'INVALID' },
    ];
    if ((staffNote?.length ?? 0) > STAFF_NOTE_MAX) {
      return invalid(`Staff note is too long (maximum is ${STAFF_NOTE_MAX} characters)`, 'staffNote');
    }
    if (order.cancellation) return invalid('Order has already been cancelled', 'orderId');
    if (order.fulfillments.some(({ status }) => status === 'SUCCESS')) {
      return invalid('Cannot cancel an order that has been fulfilled', 'orderId');
    }
    if (order.returns.some(({ status }) => status === 'OPEN')) {
      return invalid('Cannot cancel an order with an open return', 'orderId');
    }
    if (restock && order.isPaid && this.#isAtClosedLocation(order)) {
      return invalid('Cannot restock inventory to a deactivated location', 'restock');
    }
    return [];
  }

  #cancel({ orderId, reason, restock, refund, staffNote }: CancelRequest, nowMs: number): void {
    const order = this.#orders.get(orderId);
    if (!order) return;
    // Shopify: unpaid orders at a closed location are cancelled, but nothing is restocked whatever was asked for.
    const canRestock = restock && !this.#isAtClosedLocation(order);
    const lines = order.lines.flatMap((line): RefundLine[] => {
      const unshipped = unfulfilledUnits(order, line.id);
      const owed = currentUnits(line);
      const how = canRestock ? 'home' : 'none';
      const locationId =
        unshipped === 0 ? null : this.#fulfillments.release(order, line.id, unshipped, how, nowMs);
      if (!order.isPaid) line.removedUnits += owed;
      if (!order.isPaid || owed === 0) return [];
      line.refundedUnits += owed;
      return [
        this.#refunds.newLine({
          lineId: line.id,
          quantity: owed,
          restockType: canRestock ? 'CANCEL' : 'NO_RESTOCK',
          locationId,
          isRestocked: locationId !== null,
          subtotalCents: line.unitCents * owed,
        }),
      ];
    });
    order.cancellation = { atMs: nowMs, reason, staffNote };
    order.closedMs = nowMs;
    if (order.isPaid) {
      const totalCents = refund ? Math.max(0, order.paidCents - order.refundedCents) : 0;
      this.#refunds.record(order, { lines, totalCents, note: null, returnId: null }, nowMs);
    }
    this.#orders.changed(order, ['cancelled'], nowMs);
  }

  #isAtClosedLocation(order: Order): boolean {
    return order.fulfillmentOrders.some(
      (list) =>
        isActiveList(list) &&
        list.lines.some(({ level }) => level && !this.#inventory.locations.get(level.locationId)?.isActive),
    );
  }
}
