/** Changes stock from a process of its own, so often a second, and says when each change was asked for and when it was on disk. */

import { openLedger } from './arena.mjs';
import { nameOf } from './push-skus.mjs';

const [path, skus, perSecond, seconds] = process.argv.slice(2);
const { store, ledger } = openLedger({ path });
const changes = [];
const started = performance.now();
const under_way = [];
for (let n = 0; n < Number(perSecond) * Number(seconds); n += 1) {
  const due = started + (n * 1000) / Number(perSecond);
  const wait = due - performance.now();
  if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
  const sku = nameOf(n % Number(skus));
  const wish = {
    principal: 'writer',
    lines: [{ sku, quantity: 1 }],
    ttl_seconds: undefined,
    allow_partial: false,
  };
  const asked_at = Date.now();
  under_way.push(
    ledger.reserve({ ...wish, idempotency_key: undefined }).then((result) => {
      if (!result.ok) throw new Error(`refused: ${result.refusal.code}`);
      changes.push({ sku, asked_at, kept_at: Date.now() });
    }),
  );
}
await Promise.all(under_way);
await store.close();
process.send(changes, () => process.exit(0));
