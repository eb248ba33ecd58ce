/** Deliveries as Shopify signs them, and an inbox on a ledger with a shop. Nothing of ours is faked. */

import { createHmac } from 'node:crypto';
import { LIMITS } from '../../src/config/config.js';
import { Metrics } from '../../src/observability/metrics.js';
import { openDeliveryGate } from '../../src/sources/shopify/webhooks/webhook-verifier.js';
import { type Admission, Inbox, type InboxLimits } from '../../src/sync/inbox.js';
import { SHOP, type ShopProcess, tailOf } from './shop-ledger.js';

export const SECRET = 'the-client-secret';

export interface Signing {
  readonly id?: string;
  readonly topic?: string;
  readonly secret?: string;
  readonly shop?: string;
}

let made = 0;

/** Headers in lower case, as node has them. */
export function signed(body: string | Buffer, signing: Signing = {}): Record<string, string> {
  made += 1;
  const {
    id = `delivery-${made}`,
    topic = 'inventory_levels/update',
    secret = SECRET,
    shop = SHOP,
  } = signing;
  return {
    'content-type': 'application/json',
    'x-shopify-topic': topic,
    'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
    'x-shopify-shop-domain': shop,
    'x-shopify-api-version': '2026-10',
    'x-shopify-webhook-id': id,
    'x-shopify-triggered-at': '2026-11-23T12:00:00.123456789Z',
  };
}

/** As Shopify prints it: the ids are numbers, also those beyond 2^53. No two changes of a level have one time: each body is another. */
export function levelBody(itemId: string, locationId = '1'): string {
  made += 1;
  const updated_at = new Date(Date.UTC(2026, 10, 23, 12) + made * 1_000).toISOString();
  return `{"inventory_item_id":${itemId},"location_id":${locationId},"available":10,"updated_at":"${updated_at}"}`;
}

export interface InboxOptions {
  readonly worker?: string;
  readonly limits?: Partial<InboxLimits>;
  /** Happens between what was read and what is made of it. */
  readonly afterRead?: () => Promise<void>;
  /** Called instead of really waiting; time passes by itself. */
  readonly onSleep?: (ms: number) => Promise<void>;
}

/** The inbox of a process, and what it asked of others. */
export class InboxBench {
  readonly process: ShopProcess;
  readonly inbox: Inbox;
  readonly metrics = new Metrics();
  /** Items that were read again, a call each. */
  readonly reads: (readonly string[])[] = [];
  /** When, in ledger time, it looked at the locations, and at products that the ledger did not know. */
  readonly looks_ms: number[] = [];
  readonly ordersSeen: (readonly string[])[] = [];
  readonly alarms: string[] = [];
  readonly sleeps_ms: number[] = [];
  nudges = { received: 0, outboxDue: 0 };

  constructor(process: ShopProcess, options: InboxOptions = {}) {
    this.process = process;
    const { store, clock, upstream, sync, orderWatch } = process;
    this.inbox = new Inbox({
      store,
      gate: openDeliveryGate({ shop: SHOP, secrets: [SECRET] }),
      source: {
        itemsOfProducts: (productIds, signal) => {
          this.looks_ms.push(clock.now());
          return upstream.source.itemsOfProducts(productIds, signal);
        },
      },
      sync: {
        rereadItems: async (itemIds, signal) => {
          this.reads.push(itemIds);
          await sync.rereadItems(itemIds, signal);
          await options.afterRead?.();
        },
        rereadLocations: (signal) => {
          this.looks_ms.push(clock.now());
          return sync.rereadLocations(signal);
        },
      },
      orders: async (orderRefs, signal) => {
        this.ordersSeen.push(orderRefs);
        await orderWatch.see(orderRefs, signal);
      },
      nudges: {
        received: () => {
          this.nudges.received += 1;
        },
        outboxDue: () => {
          this.nudges.outboxDue += 1;
        },
      },
      clock,
      random: () => 1,
      sleep: async (ms) => {
        this.sleeps_ms.push(ms);
        process.time.pass(ms);
        await options.onSleep?.(ms);
      },
      metrics: this.metrics,
      report: (event, detail) => process.events.push({ event, detail }),
      alarm: (event) => this.alarms.push(event),
      worker: options.worker ?? 'worker-1',
      limits: { ...LIMITS.inbox, ...options.limits },
    });
  }

  /** The shop's id of an item, as its webhooks have it. */
  itemId(sku: string): string {
    const item = [...this.process.server.shop.inventory.items.values()].find((one) => one.sku === sku);
    if (item === undefined) throw new Error(`the shop sells no ${sku}`);
    return tailOf(item.id);
  }

  /** A delivery that says that the stock of these has changed, one each. */
  async hear(...skus: string[]): Promise<Admission[]> {
    return Promise.all(skus.map((sku) => this.tell(levelBody(this.itemId(sku)))));
  }

  tell(body: string, signing: Signing = {}): Promise<Admission> {
    return this.inbox.admit(signed(body, signing), Buffer.from(body));
  }

  drain(signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.inbox.drain(signal);
  }

  async waiting(): Promise<number> {
    return (await this.inbox.state()).waiting;
  }
}
