/**
 * A worker of Vitest that outlives its run. Stryker makes one run for each mutant, and Vitest starts a thread for each and
 * loads the program in it: most of a mutant's time. A mutant is a switch inside the program that is loaded, so that one load
 * does for all. What a run is told at its start (which tests, by which names) is handed on with its files.
 */

import type { Worker } from 'node:worker_threads';
import { type PoolOptions, ThreadsPoolWorker, type WorkerRequest } from 'vitest/node';

/** The thread, once there is one, and the configuration of the run that it is in. */
const kept: { thread?: Worker; config?: object } = {};

class KeptWorker extends ThreadsPoolWorker {
  override readonly name = 'kept';
  private isNew = false;
  private readonly listeners: [string, (arg: unknown) => void][] = [];

  override async start(): Promise<void> {
    this.isNew = kept.thread === undefined;
    // Vitest starts a thread where it has none.
    if (!this.isNew) Object.assign(this, { _thread: kept.thread });
    await super.start();
    kept.thread = (this as unknown as { _thread: Worker })._thread;
  }

  override on(event: string, callback: (arg: unknown) => void): void {
    this.listeners.push([event, callback]);
    super.on(event, callback);
  }

  override send(message: WorkerRequest): void {
    if (message.type === 'start') kept.config = message.context.config;
    if (message.type === 'start' && !this.isNew) {
      answer('started');
    } else if (message.type === 'stop') {
      answer('stopped');
    } else if (message.type === 'run') {
      super.send({ ...message, context: { ...message.context, config: kept.config } } as WorkerRequest);
    } else {
      super.send(message);
    }
  }

  /** Leaves the thread to the next run, which has listeners of its own. */
  override async stop(): Promise<void> {
    for (const [event, callback] of this.listeners) super.off(event, callback);
  }
}

/** What the thread would say if it were asked. */
function answer(type: 'started' | 'stopped'): void {
  kept.thread?.emit('message', { __vitest_worker_response__: true, type });
}

export const KEPT_POOL = {
  name: 'kept',
  createPoolWorker: (options: PoolOptions) => new KeptWorker(options),
};
