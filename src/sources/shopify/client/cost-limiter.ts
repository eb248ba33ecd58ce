/**
 * Shares one shop's cost bucket between those who place holds and orders and those who only look. The bucket is the
 * shop's: what it holds is known from its answers alone, and guessed in between from its rate and from what is under way.
 */

import type { Bucket, Cost } from './fault.js';
import { COST_UNSEEN_POINTS, RESERVE_LOOK_MS, RESERVE_WAIT_MAX_MS } from './limits.js';

/** A request that has been let through. Call it once, with what the shop said of the cost, when the request is over. */
export type Settle = (cost: Cost | null) => void;

export interface CostLimiterOptions {
  readonly now: () => number;
  /** Ends early, without an error, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class CostLimiter {
  readonly #options: CostLimiterOptions;
  /** Null until the first answer: the bucket is full then, or the answer says otherwise. */
  #bucket: (Bucket & { readonly read_at_ms: number }) | null = null;
  readonly #costs = new Map<string, number>();
  /** Points of requests that were sent and not answered yet. */
  #under_way = 0;

  constructor(options: CostLimiterOptions) {
    this.#options = options;
  }

  /**
   * Lets one request through: at once when `share` is 0, else when the bucket will still hold that share of its size
   * afterwards, and after `RESERVE_WAIT_MAX_MS` in any case. So nobody waits for ever, whatever the shop says of its bucket.
   */
  async admit(operation: string, share: number, signal: AbortSignal): Promise<Settle> {
    const cost = this.#costs.get(operation) ?? COST_UNSEEN_POINTS;
    if (share === 0) this.#under_way += cost;
    else await this.#take(cost, share, signal);
    return (answered) => {
      this.#under_way -= cost;
      if (answered !== null) this.#learn(operation, answered);
    };
  }

  /** Waits as `admit` does, for a request of no cost: somebody who will be back for more should not begin. */
  async leaveRoom(share: number, signal: AbortSignal): Promise<void> {
    await this.#take(0, share, signal);
  }

  /**
   * Waits for room for `cost`, and takes it in the same turn: whoever looks next sees it gone. Waits are
   * counted, not timed: a clock that jumps can neither hold anybody here nor end the loop early.
   */
  async #take(cost: number, share: number, signal: AbortSignal): Promise<void> {
    for (let left_ms = RESERVE_WAIT_MAX_MS; left_ms > 0 && !signal.aborted; ) {
      const lack_ms = this.#lack_ms(cost, share);
      if (lack_ms <= 0) break;
      const wait_ms = Math.min(left_ms, Math.max(RESERVE_LOOK_MS, lack_ms));
      await this.#options.sleep(wait_ms, signal);
      left_ms -= wait_ms;
    }
    this.#under_way += cost;
  }

  /** How long the shop takes to restore what is missing; 0 when nothing is. */
  #lack_ms(cost: number, share: number): number {
    if (this.#bucket === null) return 0;
    const { maximum, available, restored_per_s, read_at_ms } = this.#bucket;
    // A clock that was set back must not drain the bucket.
    const passed_ms = Math.max(0, this.#options.now() - read_at_ms);
    const held = Math.min(maximum, available + (passed_ms * restored_per_s) / 1_000) - this.#under_way;
    // What asks for more than a full bucket can give waits for a full one.
    const wanted = Math.min(maximum, maximum * share + cost);
    return Math.ceil(((wanted - held) / restored_per_s) * 1_000);
  }

  #learn(operation: string, { bucket, requested }: Cost): void {
    if (requested !== null) this.#costs.set(operation, requested);
    if (bucket !== null) this.#bucket = { ...bucket, read_at_ms: this.#options.now() };
  }
}
