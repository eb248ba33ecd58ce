/**
 * Shopify's own log of what happened to things (`events`): it names them after they are gone, and is kept for a year. Here
 * it has the products that were made and deleted. That its ids grow with time is taken from the filter by id range; Shopify
 * does not say so.
 */

import type { ShopEvents } from '../base/events.js';
import { Sequence } from '../base/sequence.js';
import { isoSeconds } from '../base/time.js';

/** Shopify's `BasicEvent`, as far as it is emulated. */
export interface LoggedEvent {
  readonly id: string;
  readonly action: 'create' | 'destroy';
  readonly subjectType: 'PRODUCT';
  readonly subjectId: string;
  readonly createdAt: string;
  readonly createdMs: number;
  readonly message: string;
  readonly appTitle: null;
  readonly attributeToApp: false;
  readonly attributeToUser: true;
  readonly criticalAlert: false;
}

export class EventLog {
  readonly #ids = new Sequence('BasicEvent', 73_418_553_721_129n, 32_768n);
  readonly #logged: LoggedEvent[] = [];

  constructor(events: ShopEvents) {
    events.listen((event) => {
      if (event.kind !== 'product' || event.change === 'updated') return;
      this.#add(event.change === 'created' ? 'create' : 'destroy', event.productId, event.atMs);
    });
  }

  /** In order of their ids. */
  all(): readonly LoggedEvent[] {
    return this.#logged;
  }

  #add(action: LoggedEvent['action'], subjectId: string, createdMs: number): void {
    this.#logged.push({
      id: this.#ids.next(),
      action,
      subjectType: 'PRODUCT',
      subjectId,
      createdAt: isoSeconds(createdMs),
      createdMs,
      message: `A person ${action === 'create' ? 'created' : 'deleted'} a product.`,
      appTitle: null,
      attributeToApp: false,
      attributeToUser: true,
      criticalAlert: false,
    });
  }
}
