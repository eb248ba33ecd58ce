/**
 * Watches what becomes of our orders at the shop: by what a webhook names, and by a poll that finds the rest. It only
 * observes; what the shop put back into its stock becomes sellable by a re-read of those items, like any other change.
 */

import type { OrderObservation } from '../ledger/model/values/observation.js';
import { decideOrderMissing, decideOrderSeen } from '../ledger/order/observe-order.js';
import type { Clock, Store } from '../ledger/state/state.js';
import { type OrderSource, READ_ORDERS_MAX } from '../sources/source.js';
import { eachWithin } from './page-limit.js';

export interface OrderWatchPorts {
  readonly store: Store;
  readonly source: OrderSource;
  readonly clock: Clock;
  /** Re-reads items into the ledger; throws when the shop can't be read. */
  readonly rereadItems: (itemIds: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Unique per process: who holds the lease of the poll. */
  readonly worker: string;
  readonly limits: OrderWatchLimits;
}

export interface OrderWatchLimits {
  /** Longer than a page takes and than the pause between two polls. */
  readonly lease_ms: number;
  /** One page at most. */
  readonly call_ms: number;
  /** Orders that one poll looks at because nobody ever has. */
  readonly unseen_max: number;
}

const LEASE = 'orders';

export class OrderWatch {
  readonly #ports: OrderWatchPorts;

  constructor(ports: OrderWatchPorts) {
    this.#ports = ports;
  }

  /**
   * Looks at these orders now, those of ours among them: the others cost one look-up in the ledger. Safe to repeat.
   * Throws UpstreamError; what was seen before is kept.
   */
  async see(orderRefs: readonly string[], signal: AbortSignal): Promise<void> {
    const { store, source, clock, limits } = this.#ports;
    const ours = await store.ordersOfOurs([...new Set(orderRefs)]);
    for (let at = 0; at < ours.length; at += READ_ORDERS_MAX) {
      const refs = ours.slice(at, at + READ_ORDERS_MAX);
      const read_at_ms = clock.now();
      const orders = await source.readOrders(refs, within(signal, limits.call_ms));
      await this.#take(orders, read_at_ms, signal);
      const shown = new Set(orders.map(({ order_ref }) => order_ref));
      for (const ref of refs) if (!shown.has(ref)) await this.#missing(ref, read_at_ms);
    }
  }

  /**
   * What has changed since the last poll, and the orders that were never looked at. The latter is why nothing is missed
   * that happened before there was a cursor, or before the ledger knew that an order of unknown outcome was placed: a
   * change that the cursor has passed by is in the first look. Does nothing while another process has the lease. Throws
   * UpstreamError; pages that came before it are kept, and orders that were never looked at are looked at all the same.
   */
  async poll(signal: AbortSignal): Promise<void> {
    const { store, limits } = this.#ports;
    if (!(await this.#lease())) return;
    const failed = await this.#pollChanged(signal).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    await this.see(await store.unseenOrders(limits.unseen_max), signal);
    if (failed !== null) throw failed.error;
  }

  /** Gives up the lease, so that another process need not wait for it to end. */
  async close(): Promise<void> {
    await this.#ports.store.releaseLease(LEASE, this.#ports.worker);
  }

  #lease(): Promise<boolean> {
    const { store, worker, limits } = this.#ports;
    return store.lease(LEASE, worker, limits.lease_ms);
  }

  async #pollChanged(signal: AbortSignal): Promise<void> {
    const { store, source, clock, limits } = this.#ports;
    const known = await store.orderCursor();
    const pages = eachWithin(limits.call_ms, signal, (limited) => source.ordersChangedSince(known, limited));
    let read_at_ms = clock.now();
    for await (const { orders, cursor } of pages) {
      await this.#take(orders, read_at_ms, signal);
      // Only now: changes that were not taken over whole are asked for again.
      await store.putOrderCursor(cursor);
      if (!(await this.#lease())) return;
      read_at_ms = clock.now();
    }
  }

  async #take(orders: readonly OrderObservation[], readAt: number, signal: AbortSignal): Promise<void> {
    const { store, report } = this.#ports;
    const items = new Set<string>();
    for (const order of orders) {
      const keys = { owned: { order_ref: order.order_ref } };
      const result = await store.transact(keys, (state) => decideOrderSeen(state, order, readAt));
      for (const id of result.item_ids) items.add(id);
    }
    if (items.size === 0) return;
    try {
      await this.#ports.rereadItems([...items], signal);
    } catch (error) {
      // The order is told; the stock comes with the next heartbeat.
      report('reread_failed', { items: items.size, error });
    }
  }

  async #missing(order_ref: string, readAt: number): Promise<void> {
    const { store, report } = this.#ports;
    const keys = { owned: { order_ref } };
    const missing = await store.transact(keys, (state) => decideOrderMissing(state, readAt));
    if (missing !== null) report('order_missing', { order_ref, ...missing });
  }
}

function within(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
