/** What the sandbox shop deals with: its stock, products, orders, and all that becomes of them. */

import { IdempotencyKeys } from '../api-rules/idempotency.js';
import { OrderLimit, type Plan } from '../api-rules/order-limit.js';
import type { CatalogueSource } from '../base/catalogue.js';
import { ShopEvents } from '../base/events.js';
import { ALL_CHANNELS, type ChannelHandle, Publications } from '../base/publications.js';
import type { Random } from '../base/random.js';
import { EventLog } from './event-log.js';
import { BUYER_RULES, type BuyerRules } from './orders/buyer-rules.js';
import { Cancellations } from './orders/cancellations.js';
import { Checkout } from './orders/checkout.js';
import { DraftOrders } from './orders/draft-orders.js';
import { FulfillmentMoves, type FulfilmentSettings } from './orders/fulfillment-moves.js';
import { Fulfillments } from './orders/fulfillments.js';
import { OrderCreation, type OutOfStockCode } from './orders/order-creation.js';
import { OrderEdits } from './orders/order-edits.js';
import { Orders } from './orders/orders.js';
import { Refunds } from './orders/refunds.js';
import { Returns } from './orders/returns.js';
import { ReverseFulfillmentOrders } from './orders/reverse-fulfillment-orders.js';
import { Routing, type RoutingSettings } from './orders/routing.js';
import { Inventory } from './stock/inventory.js';
import { InventoryChanges } from './stock/inventory-changes.js';
import { ProductChanges } from './stock/product-changes.js';
import { StockPlaces } from './stock-places.js';

/** How the shop treats orders. */
export interface DealingSettings {
  /** `development`: five new orders a minute by API. Default `basic`. */
  readonly plan?: Plan;
  /** What `orderCreate` answers when it can't have the units. Default INVALID, as measured at Shopify. */
  readonly outOfStockCode?: OutOfStockCode;
  /** What of a buyer's details it refuses. Default `BUYER_RULES`. */
  readonly buyerRules?: Partial<BuyerRules>;
  /** How long a job (cancelling an order) takes at least. Default 0: done when the next request comes. */
  readonly jobDelayMs?: number;
  /** Where orders and drafts take their units. Default: in stock first, by id. */
  readonly routing?: RoutingSettings;
  /** When fulfillment orders are shown, and whether they can be moved. Default: at once, and they can. */
  readonly fulfilment?: FulfilmentSettings;
  /** The sales channels that it has. Default all. */
  readonly channels?: readonly ChannelHandle[];
  /** Whether publishing a product, or taking it off, moves its time and sends a webhook. Shopify does not document it. Default true. */
  readonly publishingMovesTime?: boolean;
  /** What the routing draws from, where it draws. Default `Math.random`. */
  readonly random?: Random;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** The catalogue was entered a while before the sandbox starts: nothing of it looks freshly changed. */
const CATALOGUE_AGE_MS = 30 * DAY_MS;

export class ShopParts {
  readonly events = new ShopEvents();
  readonly eventLog = new EventLog(this.events);
  readonly idempotencyKeys = new IdempotencyKeys();
  readonly plan: Plan;
  readonly inventory: Inventory;
  readonly inventoryChanges: InventoryChanges;
  readonly productChanges: ProductChanges;
  readonly publications: Publications;
  readonly stockPlaces: StockPlaces;
  readonly routing: Routing;
  readonly orders: Orders;
  readonly orderCreation: OrderCreation;
  readonly orderEdits: OrderEdits;
  readonly orderLimit: OrderLimit;
  readonly fulfillments: Fulfillments;
  readonly fulfillmentMoves: FulfillmentMoves;
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
    this.productChanges.publishingMovesTime = settings.publishingMovesTime ?? true;
    this.publications = new Publications(settings.channels ?? ALL_CHANNELS);
    for (const product of catalogue.products) this.productChanges.enter(product, enteredMs);
    this.routing = new Routing(inventory, settings.routing ?? {}, settings.random ?? Math.random);
    this.orders = new Orders(inventory, events);
    const { orders, routing } = this;
    this.orderCreation = new OrderCreation(inventory, orders, routing, settings.outOfStockCode ?? 'INVALID');
    this.orderLimit = new OrderLimit(this.plan);
    this.fulfillments = new Fulfillments(inventory, orders, events);
    this.fulfillmentMoves = new FulfillmentMoves(inventory, orders, settings.fulfilment ?? {});
    this.orderEdits = new OrderEdits(inventory, orders, { fulfillments: this.fulfillments, routing, events });
    this.refunds = new Refunds(inventory, orders, this.fulfillments, events);
    this.reverseFulfillmentOrders = new ReverseFulfillmentOrders(inventory, orders, this.refunds, events);
    this.returns = new Returns(orders, this.refunds, this.reverseFulfillmentOrders, events);
    this.cancellations = new Cancellations(inventory, orders, this.fulfillments, this.refunds, {
      events,
      delayMs: settings.jobDelayMs ?? 0,
    });
    this.draftOrders = new DraftOrders(inventory, orders, routing, events);
    this.stockPlaces = new StockPlaces(inventory, orders, this.draftOrders);
    this.checkout = new Checkout(routing, orders, this.draftOrders);
    this.setBuyerRules(settings.buyerRules ?? {});
  }

  /** What of a buyer's details the shop refuses from now on; what is left out is the default. */
  setBuyerRules(rules: Partial<BuyerRules>): void {
    const whole = { ...BUYER_RULES, ...rules };
    this.draftOrders.buyerRules = whole;
    this.orderCreation.buyerRules = whole;
  }

  /** Does what became due by then: holds lapse, jobs are done. */
  protected doDue(nowMs: number): void {
    this.draftOrders.lapse(nowMs);
    this.cancellations.runDue(nowMs);
  }
}
