/**
 * Shopify: development and trial stores take at most five new orders a minute by API. What it answers over GraphQL was
 * never seen: here it is what REST is reported to answer, status 429 with Retry-After, and nothing has happened.
 */

export type Plan = 'basic' | 'development';

export const ORDERS_PER_MINUTE_MAX = 5;
export const ORDER_LIMIT_MESSAGE = 'Exceeded order API rate limit, please try again in a minute.';

const MINUTE_MS = 60_000;
const LIMITED_FIELDS = new Set(['orderCreate', 'draftOrderComplete']);

export class OrderLimit {
  readonly #isLimited: boolean;
  #timesMs: readonly number[] = [];

  constructor(plan: Plan) {
    this.#isLimited = plan === 'development';
  }

  /** Whole seconds until a request with these root fields may try again; null when it may run now. */
  waitSeconds(rootFields: readonly string[], nowMs: number): number | null {
    if (!this.#isLimited || !rootFields.some((field) => LIMITED_FIELDS.has(field))) return null;
    this.#timesMs = this.#timesMs.filter((ms) => ms > nowMs - MINUTE_MS);
    const [oldest] = this.#timesMs;
    if (oldest === undefined || this.#timesMs.length < ORDERS_PER_MINUTE_MAX) return null;
    return Math.ceil((oldest + MINUTE_MS - nowMs) / 1000);
  }

  /** An order was made by API. */
  count(nowMs: number): void {
    if (this.#isLimited) this.#timesMs = [...this.#timesMs, nowMs];
  }
}
