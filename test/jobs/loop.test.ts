import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Loop } from '../../src/jobs/loop.js';

const INTERVAL_MS = 1_000;

/** Work whose every run the test ends by hand. */
class Work {
  runs = 0;
  running = 0;
  most_at_once = 0;
  readonly errors: [unknown, string][] = [];
  signal: AbortSignal | null = null;
  #end: (() => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;

  readonly loop = new Loop({
    name: 'work',
    interval_ms: INTERVAL_MS,
    run: (signal) => this.#run(signal),
    onError: (error, loop) => this.errors.push([error, loop]),
  });

  async end(): Promise<void> {
    this.#end?.();
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    this.#fail?.(error);
    await settle();
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    this.runs += 1;
    this.running += 1;
    this.most_at_once = Math.max(this.most_at_once, this.running);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#end = resolve;
        this.#fail = reject;
      });
    } finally {
      this.running -= 1;
    }
  }
}

/** Lets everything that waits for no timer happen. */
const settle = () => vi.advanceTimersByTimeAsync(0);

let work: Work;

beforeEach(() => {
  vi.useFakeTimers();
  work = new Work();
});
afterEach(() => {
  expect(work.most_at_once).toBeLessThanOrEqual(1);
  vi.useRealTimers();
});

describe('a loop', () => {
  it('does nothing before it is started', async () => {
    work.loop.nudge();
    await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    expect(work.runs).toBe(0);
  });

  it('runs at once when it is started, and once however often it is', async () => {
    work.loop.start();
    work.loop.start();
    await settle();
    expect(work.runs).toBe(1);
  });

  it('pauses for the interval between the end of a run and the next start', async () => {
    work.loop.start();
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(work.runs).toBe(1);
    await work.end();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS - 1);
    expect(work.runs).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(work.runs).toBe(2);
  });

  it('nudged in its pause runs at once, and pauses anew after that', async () => {
    work.loop.start();
    await work.end();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS / 2);
    work.loop.nudge();
    expect(work.runs).toBe(2);
    await work.end();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS - 1);
    expect(work.runs).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(work.runs).toBe(3);
  });

  it('nudged while it runs goes round once more, however often it was nudged, and never beside itself', async () => {
    work.loop.start();
    for (let i = 0; i < 5; i += 1) work.loop.nudge();
    expect(work.running).toBe(1);
    await work.end();
    expect(work.runs).toBe(2);
    await work.end();
    expect(work.runs).toBe(2);
  });

  it('tells of an error with its name, and goes on', async () => {
    work.loop.start();
    const error = new Error('no luck');
    await work.fail(error);
    expect(work.errors).toEqual([[error, 'work']]);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(work.runs).toBe(2);
  });

  it('that fails at once, without a promise, tells of it too', async () => {
    const errors: unknown[] = [];
    const error = new Error('no promise');
    const loop = new Loop({
      name: 'hasty',
      interval_ms: INTERVAL_MS,
      run: () => {
        throw error;
      },
      onError: (told) => errors.push(told),
    });
    loop.start();
    await settle();
    expect(errors).toEqual([error]);
    await loop.stop();
  });
});

describe('stopping a loop', () => {
  it('tells the run in flight, waits for it, and starts no other', async () => {
    work.loop.start();
    work.loop.nudge();
    let stopped = false;
    const stopping = work.loop.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect([work.signal?.aborted, stopped]).toEqual([true, false]);
    await work.end();
    await stopping;
    work.loop.nudge();
    work.loop.start();
    await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    expect(work.runs).toBe(1);
  });

  it('in its pause ends the pause', async () => {
    work.loop.start();
    await work.end();
    await work.loop.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is safe twice, and before it was ever started', async () => {
    await work.loop.stop();
    await work.loop.stop();
    work.loop.start();
    await settle();
    expect(work.runs).toBe(0);
  });

  it('lets the two that stop it both wait for the run in flight', async () => {
    work.loop.start();
    const stops = Promise.all([work.loop.stop(), work.loop.stop()]);
    await work.end();
    await stops;
    expect(work.running).toBe(0);
  });

  it('is no error of the run that it cut short', async () => {
    work.loop.start();
    const stopping = work.loop.stop();
    await work.fail(new Error('aborted'));
    await stopping;
    expect(work.errors).toEqual([]);
  });
});
