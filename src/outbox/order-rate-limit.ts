/**
 * How fast a shop takes orders. Most take as many as come; Shopify's development stores take five a minute. Nothing is
 * known of that until the shop says so, and several processes learn it each for itself, from its refusals.
 */

export interface PaceLimits {
  /** Orders that a shop which has a limit takes in one window. */
  readonly paced_orders_max: number;
  readonly pace_window_ms: number;
}

export class OrderPace {
  readonly #limits: PaceLimits;
  #isPaced = false;
  #closedUntil_ms = 0;
  #sent_ms: readonly number[] = [];

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** When the next order may be sent: `now` or earlier where nothing keeps it. */
  nextAt(now: number): number {
    if (!this.#isPaced) return now;
    const { paced_orders_max, pace_window_ms } = this.#limits;
    const recent = this.#recent(now);
    const oldest = recent[recent.length - paced_orders_max];
    return Math.max(now, this.#closedUntil_ms, oldest === undefined ? now : oldest + pace_window_ms);
  }

  /** An order is being sent now. */
  sent(now: number): void {
    this.#sent_ms = [...this.#recent(now), now].slice(-this.#limits.paced_orders_max);
  }

  /** The shop has turned one away: it has a limit, and wants to be left alone for so long. */
  refused(now: number, retryAfterMs: number): void {
    this.#isPaced = true;
    this.#closedUntil_ms = Math.max(this.#closedUntil_ms, now + retryAfterMs);
  }

  #recent(now: number): readonly number[] {
    return this.#sent_ms.filter((at) => at > now - this.#limits.pace_window_ms);
  }
}
