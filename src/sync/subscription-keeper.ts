/**
 * Keeps the shop telling us. Shopify drops a subscription after eight failed deliveries in a row and tells nobody, so
 * the list is looked at when the server starts and every hour.
 */

import type { Clock } from '../ledger/state/state.js';
import type { Subscriptions } from '../sources/source.js';

export interface SubscriptionKeeperPorts {
  readonly subscriptions: Subscriptions;
  /** Where the shop finds our webhook route. */
  readonly url: string;
  readonly clock: Clock;
  readonly report: (
    severity: 'info' | 'warn',
    event: string,
    detail: Readonly<Record<string, unknown>>,
  ) => void;
  readonly limits: {
    readonly check_every_ms: number;
    /** After a check that failed. */
    readonly retry_after_ms: number;
    /** One check at most. */
    readonly call_ms: number;
  };
}

export class SubscriptionKeeper {
  readonly #ports: SubscriptionKeeperPorts;
  #due_ms = 0;
  /** Topics that the shop refused last time: told once, not every hour. */
  #refused: ReadonlySet<string> = new Set();

  constructor(ports: SubscriptionKeeperPorts) {
    this.#ports = ports;
  }

  /** Does nothing until a check is due. Throws UpstreamError; then the next one is due soon. */
  async keep(signal: AbortSignal): Promise<void> {
    const { subscriptions, url, clock, report, limits } = this.#ports;
    if (clock.now() < this.#due_ms) return;
    this.#due_ms = clock.now() + limits.retry_after_ms;
    const within = AbortSignal.any([signal, AbortSignal.timeout(limits.call_ms)]);
    const { kept, created, moved, refused } = await subscriptions.ensure(url, within);
    this.#due_ms = clock.now() + limits.check_every_ms;
    if (created.length > 0 || moved.length > 0)
      report('info', 'webhooks_subscribed', { url, created, moved, kept: kept.length });
    for (const { topic, detail } of refused) {
      if (!this.#refused.has(topic)) report('warn', 'webhook_topic_refused', { topic, detail });
    }
    this.#refused = new Set(refused.map(({ topic }) => topic));
  }
}
