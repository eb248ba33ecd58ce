import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostLimiter, type Settle } from '../../../../src/sources/shopify/client/cost-limiter.js';
import type { Bucket } from '../../../../src/sources/shopify/client/fault.js';
import { COST_UNSEEN_POINTS, RESERVE_WAIT_MAX_MS } from '../../../../src/sources/shopify/client/limits.js';

const forever = new AbortController().signal;
const SHARE = 0.25;

/** Time that passes only while everybody waits. */
class Hours {
  now_ms = 0;
  readonly #waiting: { readonly until_ms: number; readonly wake: () => void }[] = [];

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((wake) => {
      this.#waiting.push({ until_ms: this.now_ms + ms, wake });
      signal.addEventListener('abort', () => wake(), { once: true });
    });

  /** Runs until `work` is done, waking whoever is due next. Throws when nobody is left to wake. */
  async run<T>(work: Promise<T>): Promise<T> {
    const state = { over: false };
    const end = () => {
      state.over = true;
    };
    work.then(end, end);
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (state.over) return await work;
      this.#waiting.sort((a, b) => b.until_ms - a.until_ms);
      const next = this.#waiting.pop();
      if (next === undefined) throw new Error('everybody waits for ever');
      this.now_ms = Math.max(this.now_ms, next.until_ms);
      next.wake();
    }
  }
}

/** As Shopify does it: a bucket that fills by itself, and requests that are turned away when it is too empty. */
class Shop {
  turned_away = 0;
  lowest: number;
  #held: number;
  #read_at_ms = 0;
  readonly #hours: Hours;
  readonly #size: Bucket;

  constructor(hours: Hours, size: Bucket) {
    this.#hours = hours;
    this.#size = size;
    this.#held = size.available;
    this.lowest = size.available;
  }

  ask(cost: number): Parameters<Settle>[0] {
    const { maximum, restored_per_s } = this.#size;
    const passed_s = (this.#hours.now_ms - this.#read_at_ms) / 1_000;
    this.#read_at_ms = this.#hours.now_ms;
    this.#held = Math.min(maximum, this.#held + passed_s * restored_per_s);
    if (this.#held < cost) this.turned_away += 1;
    else this.#held -= cost;
    this.lowest = Math.min(this.lowest, this.#held);
    return { requested: cost, bucket: { maximum, available: this.#held, restored_per_s } };
  }
}

function opened(size: Partial<Bucket> = {}) {
  const hours = new Hours();
  const limiter = new CostLimiter({ now: () => hours.now_ms, sleep: hours.sleep });
  const shop = new Shop(hours, { maximum: 2_000, available: 2_000, restored_per_s: 100, ...size });
  const ask = async (name: string, cost: number, share: number, signal = forever): Promise<number> => {
    const settle = await limiter.admit(name, share, signal);
    settle(shop.ask(cost));
    return hours.now_ms;
  };
  return { hours, limiter, shop, ask };
}

describe('the cost bucket', () => {
  it('is learnt from the first answer, whatever it is to: until then nobody waits', async () => {
    const { hours, ask } = opened({ available: 600 });
    expect(await hours.run(ask('first', 100, SHARE))).toBe(0);
    // 500 are left, and 500 are kept: the next read waits for what it costs itself.
    expect(await hours.run(ask('first', 100, SHARE))).toBe(1_000);
  });

  it('a document that was never sent is taken for a cheap one, and for what it cost from then on', async () => {
    const { hours, ask } = opened({ available: 500 });
    await hours.run(ask('other', 0, 0));
    expect(await hours.run(ask('dear', 300, SHARE))).toBe((COST_UNSEEN_POINTS / 100) * 1_000);
    const left = 500 + COST_UNSEEN_POINTS - 300;
    expect(await hours.run(ask('dear', 300, SHARE))).toBe(((500 + 300 - left) / 100) * 1_000 + 200);
  });

  it('holds and orders go out at once, however empty it is', async () => {
    const { hours, ask } = opened({ available: 0 });
    await hours.run(ask('hold', 10, 0));
    expect(await hours.run(ask('hold', 10, 0))).toBe(0);
  });

  it('requests under way count as spent, so that a burst does not take the reserve together', async () => {
    const { hours, shop, ask } = opened({ available: 1_000 });
    await hours.run(ask('read', 50, SHARE));
    await hours.run(Promise.all(Array.from({ length: 40 }, () => ask('read', 50, SHARE))));
    expect(shop.lowest).toBeGreaterThanOrEqual(500);
  });

  it('nobody waits longer than the limit, whatever the bucket', async () => {
    const { hours, ask } = opened({ available: 0, restored_per_s: 0.001 });
    await hours.run(ask('read', 10, SHARE));
    expect(await hours.run(ask('read', 10, SHARE))).toBe(RESERVE_WAIT_MAX_MS);
  });

  it('what costs more than a full bucket waits for a full one', async () => {
    const { hours, ask } = opened({ available: 1_900 });
    await hours.run(ask('huge', 1_900, 0));
    expect(await hours.run(ask('huge', 5_000, 0.9))).toBe(20_000);
  });

  it('a caller that gives up is let go at once, and its cost does not stay under way', async () => {
    const { hours, limiter, ask } = opened({ available: 0 });
    await hours.run(ask('read', 10, SHARE));
    const caller = new AbortController();
    const waiting = limiter.admit('read', SHARE, caller.signal);
    caller.abort();
    (await waiting)(null);
    expect(hours.now_ms).toBe(0);
    // 500 to keep, 10 to pay: as if the other had never been.
    expect(await hours.run(ask('read', 10, SHARE))).toBe(5_100);
  });

  it('a clock that jumps back neither drains it nor keeps anybody', async () => {
    const { hours, ask } = opened({ available: 700 });
    hours.now_ms = 1_000_000;
    await hours.run(ask('read', 10, SHARE));
    hours.now_ms = 0;
    expect(await hours.run(ask('read', 10, SHARE))).toBe(0);
  });

  it('an answer that says nothing of cost changes nothing', async () => {
    const { hours, limiter, ask } = opened({ available: 510 });
    await hours.run(ask('read', 10, SHARE));
    (await limiter.admit('read', 0, forever))({ bucket: null, requested: null });
    expect(await hours.run(ask('read', 10, SHARE))).toBe(100);
  });

  it('whatever is asked, in whatever order: all get through, and reads never take what is kept for orders', async () => {
    const request = fc.record({ cost: fc.integer({ min: 1, max: 120 }), reads: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 60 }), async (requests) => {
        const { hours, shop, ask } = opened();
        // Each cost has a name, and each name was seen: then the estimate is true.
        for (const { cost } of requests) await hours.run(ask(`costs ${cost}`, cost, 0));
        const spentByOrders = requests.reduce((sum, { cost, reads }) => sum + (reads ? 0 : cost), 0);
        const before = shop.lowest;
        await hours.run(
          Promise.all(requests.map(({ cost, reads }) => ask(`costs ${cost}`, cost, reads ? SHARE : 0))),
        );
        expect(shop.lowest).toBeGreaterThanOrEqual(Math.min(before, 500) - spentByOrders);
      }),
      { numRuns: 200 },
    );
  });
});
