/**
 * Reads what many ask for at once together. Shopify grants a shop so many points a second, and a large read costs little
 * more of them than a small one: a crowd that asks for different items must not make a call each.
 */

import { UpstreamError, type UpstreamFailure } from './source.js';

export interface ReadBatchOptions {
  readonly read: (ids: readonly string[]) => Promise<void>;
  /** Ids of one read at most. */
  readonly size_max: number;
  /** Reads under way at most: a slow one must not keep everybody. */
  readonly concurrency: number;
}

interface Waiting {
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Failures that one id can be the reason of: then the others are read without it. */
const OWN_FAILURES: ReadonlySet<UpstreamFailure> = new Set(['protocol', 'refused']);

export class ReadBatch {
  readonly #options: ReadBatchOptions;
  /** Asked for, and not yet part of a read. In the order in which they were first asked for. */
  readonly #queue = new Map<string, Waiting>();
  #underWay = 0;

  constructor(options: ReadBatchOptions) {
    this.#options = options;
  }

  /**
   * Resolves when a read that began after this call has brought all of them. Rejects with what that read failed for, or
   * with UpstreamError `unreachable` when the signal aborts first; the read itself goes on for the others.
   */
  async read(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const waiting = Promise.all(ids.map((id) => this.#enqueue(id)));
    this.#start();
    await unlessAborted(waiting, signal);
  }

  #enqueue(id: string): Promise<void> {
    const queued = this.#queue.get(id);
    if (queued !== undefined) return queued.done;
    let resolve: () => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const done = new Promise<void>((onDone, onFailure) => {
      resolve = onDone;
      reject = onFailure;
    });
    // Those who asked may all have given up by then.
    done.catch(() => undefined);
    this.#queue.set(id, { done, resolve, reject });
    return done;
  }

  #start(): void {
    if (this.#queue.size === 0 || this.#underWay >= this.#options.concurrency) return;
    this.#underWay += 1;
    void this.#runOnce().finally(() => {
      this.#underWay -= 1;
      this.#start();
    });
  }

  async #runOnce(): Promise<void> {
    // Everything that is asked for in this turn of the event loop comes along.
    await new Promise<void>((resume) => setImmediate(resume));
    const batch = [...this.#queue].slice(0, this.#options.size_max);
    for (const [id] of batch) this.#queue.delete(id);
    await this.#readSome(batch);
  }

  /** In halves again when one of them spoils it. */
  async #readSome(batch: readonly (readonly [string, Waiting])[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#options.read(batch.map(([id]) => id));
      for (const [, waiting] of batch) waiting.resolve();
    } catch (error) {
      if (batch.length > 1 && error instanceof UpstreamError && OWN_FAILURES.has(error.failure)) {
        const half = Math.ceil(batch.length / 2);
        await this.#readSome(batch.slice(0, half));
        await this.#readSome(batch.slice(half));
      } else {
        for (const [, waiting] of batch) waiting.reject(error);
      }
    }
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new UpstreamError('unreachable', 'given up before it was read'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
