/** One process of group c: reserves as fast as it is let, and reports what its callers saw. */

import { StoreBusy } from '../../dist/ledger/state/state.js';
import { socketTurnstile } from '../../dist/store/sqlite/lock/fair-lock.js';
import { openLedger, reserveOne } from './arena.mjs';

const { path, turnstile, callers, skus, run_ms } = JSON.parse(process.argv[2]);
const { ledger, store } = openLedger({ path, ...(turnstile ? { turnstile: socketTurnstile(path) } : {}) });
await store.read({}, () => undefined);
process.send('ready');
await new Promise((resolve) => process.once('message', resolve));

const latencies_ms = [];
let busy = 0;
const until = performance.now() + run_ms;
const caller = async () => {
  while (performance.now() < until) {
    const started = performance.now();
    try {
      await reserveOne(ledger, skus);
    } catch (error) {
      if (!(error instanceof StoreBusy)) throw error;
      busy += 1;
    }
    latencies_ms.push(performance.now() - started);
  }
};
await Promise.all(Array.from({ length: callers }, caller));
await store.close();
// Waits to be dismissed: a process may be seen to end before its last words have arrived.
process.once('message', () => process.disconnect());
process.send({ latencies_ms, busy });
