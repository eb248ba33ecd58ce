/** What the sandbox shop deals with: its stock, products, orders, and all that becomes of them. */

import { Cancellations } from './cancellations.js';
import type { CatalogueSource } from './catalogue.js';
import { Checkout } from './checkout.js';
import { DraftOrders } from './draft-orders.js';
import { ShopEvents } from './events.js';
import { Fulfillments } from './fulfillments.js';
import { IdempotencyKeys } from './idempotency.js';
import { Inventory } from './inventory.js';
import { InventoryChanges } from './inventory-changes.js';
import { OrderCreation, type OutOfStockCode } from './order-creation.js';
import { OrderEdits } from './order-edits.js';
import { OrderLimit, type Plan } from './order-limit.js';
import { Orders } from './orders.js';
import { ProductChanges } from './product-changes.js';
import { Refunds } from './refunds.js';
import { Returns } from './returns.js';
import { ReverseFulfillmentOrders } from './reverse-fulfillment-orders.js';
import { StockPlaces } from './stock-places.js';

/** How the shop treats orders. */
export interface DealingSettings {
  /** `development`: five new orders a minute by API. Default `basic`. */
  readonly plan?: Plan;
  /** What `orderCreate` answers when it can't have the units. Default INVALID, as measured at Shopify. */
  readonly outOfStockCode?: OutOfStockCode;
  /** How long a job (cancelling an order) takes at least. Default 0: done when the next request comes. */
  readonly jobDelayMs?: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** The catalogue was entered a while before the sandbox starts: nothing of it looks freshly changed. */
const CATALOGUE_AGE_MS = 30 * DAY_MS;

export class ShopParts {
  readonly events = new ShopEvents();
  readonly idempotencyKeys = new IdempotencyKeys();
  readonly plan: Plan;
  readonly inventory: Inventory;
  readonly inventoryChanges: InventoryChanges;
  readonly productChanges: ProductChanges;
  readonly stockPlaces: StockPlaces;
  readonly orders: Orders;
  readonly orderCreation: OrderCreation;
  readonly orderEdits: OrderEdits;
  readonly orderLimit: OrderLimit;
  readonly fulfillments: Fulfillments;
  readonly refunds: Refunds;
  readonly reverseFulfillmentOrders: ReverseFulfillmentOrders;
  readonly returns: Returns;
  readonly cancellations: Cancellations;
  readonly draftOrders: DraftOrders;
  readonly checkout: Checkout;

  /** `createdMs` is the shop's time at the start. Throws when the catalogue names a location that it does not have. */
  constructor(catalogue: CatalogueSource, settings: DealingSettings, createdMs: number) {
    const { events } = this;
    this.plan = settings.plan ?? 'basic';
    const enteredMs = createdMs - CATALOGUE_AGE_MS;
    this.inventory = new Inventory(catalogue.locations, enteredMs, events);
    const { inventory } = this;
    this.inventoryChanges = new InventoryChanges(inventory);
    this.productChanges = new ProductChanges(inventory, events);
    for (const product of catalogue.products) this.productChanges.enter(product, enteredMs);
    this.orders = new Orders(inventory, events);
    const { orders } = this;
    this.orderCreation = new OrderCreation(inventory, orders, settings.outOfStockCode ?? 'INVALID');
    this.orderLimit = new OrderLimit(this.plan);
    this.fulfillments = new Fulfillments(inventory, orders, events);
    this.orderEdits = new OrderEdits(inventory, orders, this.fulfillments, events);
    this.refunds = new Refunds(inventory, orders, this.fulfillments, events);
    this.reverseFulfillmentOrders = new ReverseFulfillmentOrders(inventory, orders, this.refunds, events);
    this.returns = new Returns(orders, this.refunds, this.reverseFulfillmentOrders, events);
    this.cancellations = new Cancellations(inventory, orders, this.fulfillments, this.refunds, {
      events,
      delayMs: settings.jobDelayMs ?? 0,
    });
    this.draftOrders = new DraftOrders(inventory, orders, events);
    this.stockPlaces = new StockPlaces(inventory, orders, this.draftOrders);
    this.checkout = new Checkout(inventory, orders, this.draftOrders);
  }

  /** Does what became due by then: holds lapse, jobs are done. */
  protected doDue(nowMs: number): void {
    this.draftOrders.lapse(nowMs);
    this.cancellations.runDue(nowMs);
  }
}
