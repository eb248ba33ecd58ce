/** How fast somebody may go: a bucket of tokens for each, refilled steadily, emptied by what they ask. */

export interface Pace {
  /** Refilled at this rate; a bucket holds as much, so that a minute's worth may come at once. */
  readonly per_minute: number;
  /** Buckets that are remembered. */
  readonly buckets_max: number;
}

interface Bucket {
  tokens: number;
  filled_at_ms: number;
}

const MINUTE_MS = 60_000;

export class TokenBuckets {
  readonly #pace: Pace;
  readonly #now_ms: () => number;
  /** In the order of use. Whoever was not heard of for longest has most likely a full one, which is as good as none. */
  readonly #buckets = new Map<string, Bucket>();

  /** `now_ms`: a clock that never runs backwards. */
  constructor(pace: Pace, now_ms: () => number) {
    this.#pace = pace;
    this.#now_ms = now_ms;
  }

  /**
   * Takes tokens. Returns 0, or, when there are too few, the seconds until there are enough: 1 or more. `paid`: what was taken for the
   * same request before. Both together are never more than a full bucket, so that whoever waits gets through.
   */
  take(key: string, tokens = 1, paid = 0): number {
    const wait_s = this.wait(key, tokens, paid);
    if (wait_s === 0) this.#filled(key).tokens -= this.#wanted(tokens, paid);
    return wait_s;
  }

  /** Like `take`, but leaves them there. */
  wait(key: string, tokens = 1, paid = 0): number {
    const bucket = this.#filled(key);
    const wanted = this.#wanted(tokens, paid);
    return bucket.tokens >= wanted ? 0 : this.#wait_s(bucket, wanted);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #wanted(tokens: number, paid: number): number {
    return Math.min(tokens, Math.max(0, this.#pace.per_minute - paid));
  }

  #wait_s({ tokens }: Bucket, wanted: number): number {
    return Math.max(1, Math.ceil(((wanted - tokens) * MINUTE_MS) / this.#pace.per_minute / 1_000));
  }

  #filled(key: string): Bucket {
    const now_ms = this.#now_ms();
    const { per_minute, buckets_max } = this.#pace;
    const bucket = this.#buckets.get(key) ?? { tokens: per_minute, filled_at_ms: now_ms };
    const passed_ms = now_ms - bucket.filled_at_ms;
    bucket.tokens = Math.min(per_minute, bucket.tokens + (passed_ms * per_minute) / MINUTE_MS);
    bucket.filled_at_ms = now_ms;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > buckets_max) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
