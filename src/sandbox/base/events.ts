/**
 * What happened in the shop, told by whoever did it to whoever wants to know: today the webhooks. An event names
 * things by id and carries no state, because Shopify builds a webhook's payload when it is sent, not when it was
 * caused; only what can't be looked up any more afterwards (a deleted thing's ids, what an edit changed) travels along.
 *
 * Publish after the change has been made, once per change, in the order in which Shopify would name the topics. One
 * mutation may publish several events: they share an action, and with it the webhooks' event id. A status that follows
 * from something else is an event of its own: completing a draft as paid is `draft_order updated`, `order created`,
 * `order paid`; shipping everything is `fulfillment created`, `order fulfilled`, `order updated`.
 */

import type { Quantities } from './quantities.js';

export type ShopEvent = {
  /** The shop's time, in milliseconds since 1970. */
  readonly atMs: number;
} & ShopFact;

export type ShopFact =
  /** `connected` comes before the first `updated` of a level. `deltas` are those of the change. */
  | {
      readonly kind: 'inventory_level';
      readonly change: 'connected' | 'disconnected';
      readonly levelId: string;
      readonly itemId: string;
      readonly locationId: string;
    }
  | {
      readonly kind: 'inventory_level';
      readonly change: 'updated';
      readonly levelId: string;
      readonly itemId: string;
      readonly locationId: string;
      readonly deltas: Readonly<Partial<Quantities>>;
    }
  | {
      readonly kind: 'inventory_item';
      readonly change: 'created' | 'updated' | 'deleted';
      readonly itemId: string;
    }
  /** Shopify tells of a product on every change of its variants, and of their stock too. */
  | {
      readonly kind: 'product';
      readonly change: 'created' | 'updated' | 'deleted';
      readonly productId: string;
    }
  | {
      readonly kind: 'location';
      readonly change: 'created' | 'updated' | 'activated' | 'deactivated' | 'deleted';
      readonly locationId: string;
    }
  | {
      readonly kind: 'draft_order';
      readonly change: 'created' | 'updated' | 'deleted';
      readonly draftOrderId: string;
    }
  /** Every change of an order is `updated` too: publish both. */
  | {
      readonly kind: 'order';
      readonly change:
        | 'created'
        | 'updated'
        | 'paid'
        | 'cancelled'
        | 'fulfilled'
        | 'partially_fulfilled'
        | 'deleted';
      readonly orderId: string;
    }
  /** A committed order edit. `delta` is in units, always positive. */
  | {
      readonly kind: 'order_edit';
      readonly change: 'committed';
      readonly orderId: string;
      readonly editId: string;
      readonly additions: readonly { readonly lineItemId: string; readonly delta: number }[];
      readonly removals: readonly { readonly lineItemId: string; readonly delta: number }[];
      readonly beganMs: number;
      readonly staffNote: string | null;
      readonly notifyCustomer: boolean;
    }
  | {
      readonly kind: 'refund';
      readonly change: 'created';
      readonly orderId: string;
      readonly refundId: string;
    }
  /** `requested` is a buyer's wish; a return that the merchant makes is `approved` at once. */
  | {
      readonly kind: 'return';
      readonly change:
        | 'requested'
        | 'approved'
        | 'declined'
        | 'processed'
        | 'closed'
        | 'reopened'
        | 'cancelled';
      readonly orderId: string;
      readonly returnId: string;
    }
  /** Units were taken off a return. `delta` is positive. */
  | {
      readonly kind: 'return';
      readonly change: 'updated';
      readonly orderId: string;
      readonly returnId: string;
      readonly removals: readonly { readonly returnLineItemId: string; readonly delta: number }[];
    }
  | {
      readonly kind: 'reverse_fulfillment_order';
      readonly change: 'disposed';
      readonly returnId: string;
      readonly reverseFulfillmentOrderId: string;
      /** Those made by this one call. */
      readonly dispositions: readonly {
        readonly id: string;
        readonly reverseFulfillmentOrderLineItemId: string;
        readonly type: 'RESTOCKED' | 'NOT_RESTOCKED' | 'MISSING' | 'PROCESSING_REQUIRED';
        readonly quantity: number;
        readonly locationId: string | null;
      }[];
    }
  | {
      readonly kind: 'fulfillment';
      readonly change: 'created' | 'updated';
      readonly orderId: string;
      readonly fulfillmentId: string;
    }
  | {
      readonly kind: 'bulk_operation';
      readonly change: 'finished';
      readonly bulkOperationId: string;
    }
  | { readonly kind: 'app'; readonly change: 'uninstalled' }
  | {
      readonly kind: 'app';
      readonly change: 'scopes_updated';
      readonly previous: readonly string[];
      readonly current: readonly string[];
    }
  | { readonly kind: 'shop'; readonly change: 'updated' };

export type ShopListener = (event: ShopEvent, action: number) => void;

/** The shop's one notice board. Listeners run at once, in the order in which they came; they must not throw. */
export class ShopEvents {
  readonly #listeners: ShopListener[] = [];
  #action = 0;

  /** What is published from here on belongs to another action, until the next call. */
  beginAction(): void {
    this.#action += 1;
  }

  publish(event: ShopEvent): void {
    for (const listener of this.#listeners) listener(event, this.#action);
  }

  listen(listener: ShopListener): void {
    this.#listeners.push(listener);
  }
}
