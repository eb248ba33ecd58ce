/**
 * Plays sales side by side, one on each processor. Each is a world of its own, so that how many are played at a time changes
 * nothing in any of them.
 */

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../../incident/outcome.js';
import type { Run } from '../../incident/report.js';
import { playSale } from './incident-sale.js';

/** The sales of these seeds, in their order. `onBegin`: with the place of each, when it begins. */
export async function playSales(seeds: readonly number[], onBegin: (n: number) => void): Promise<Run[]> {
  const [only] = seeds;
  if (only !== undefined && seeds.length === 1) {
    onBegin(0);
    return [{ seed: only, outcomes: await playSale(only) }];
  }
  const runs: Run[] = [];
  const left = [...seeds.entries()];
  const crew = Array.from({ length: Math.min(availableParallelism(), seeds.length) }, startWorker);
  try {
    await Promise.all(
      crew.map(async (worker) => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          const [n, seed] = next;
          onBegin(n);
          worker.postMessage(seed);
          // Rejected when the thread fails.
          const [outcomes] = (await once(worker, 'message')) as [Outcome[]];
          runs[n] = { seed, outcomes };
        }
      }),
    );
  } finally {
    await Promise.all(crew.map((worker) => worker.terminate()));
  }
  return runs;
}

function startWorker(): Worker {
  return new Worker(new URL('./incident-worker.js', import.meta.url));
}
