// Another process on the same ledger file: reserves 1 to 3 units of one SKU, many at a time, and tells what it got.
// Runs the compiled program, because no Node that we support runs TypeScript for certain.
import './use-driver.mjs';

const { ledgerClock } = await import('../../dist/app/clock.js');
const { makeIds } = await import('../../dist/app/ids.js');
const { Ledger } = await import('../../dist/ledger/ledger.js');
const { openSqliteStore } = await import('../../dist/store/sqlite/sqlite-store.js');
const { openTurnstile } = await import('../../dist/store/sqlite/lock/fair-lock.js');

const { path, shop, settings, sku, attempts, callers, name, principal = name } = JSON.parse(process.argv[2]);
const clock = ledgerClock();
const ids = makeIds();
const store = openSqliteStore({
  path,
  shop,
  clock,
  random: Math.random,
  turnstile: openTurnstile,
  // Small groups: many commits, so that the processes really meet.
  group_max: 4,
  group_max_ms: 5,
  busy_deadline_ms: 60_000,
  wal_autocheckpoint_pages: 1000,
  mirror_horizon_ms: 60_000,
});
const ledger = new Ledger({
  store,
  clock,
  ids,
  freshener: { freshen: async () => false },
  nudges: { outboxDue: () => {} },
  settings,
  sleep: async () => {},
});

process.stdout.write('ready\n');
await new Promise((resume) => process.stdin.once('data', resume));

const outcome = { granted: [], refused: {} };
let next = 0;
await Promise.all(
  Array.from({ length: callers }, async () => {
    while (next < attempts) {
      const attempt = next++;
      const quantity = 1 + (attempt % 3);
      const result = await ledger.reserve({
        principal,
        lines: [{ sku, quantity }],
        ttl_seconds: undefined,
        allow_partial: false,
        idempotency_key: undefined,
      });
      if (result.ok) outcome.granted.push([result.value.reservation_id, quantity]);
      else outcome.refused[result.refusal.code] = (outcome.refused[result.refusal.code] ?? 0) + 1;
    }
  }),
);
await store.close();
process.stdout.write(`${JSON.stringify(outcome)}\n`);
process.stdin.destroy();
