// A process that works on a ledger until somebody kills it: several calls at a time, by chance. It tells of each call as it
// is made and as it is answered, with writes that return only when the pipe has them: what the parent can read after the
// kill is what an agent would have been told. It loads the program first and opens the file when it is told to go.
// Runs the compiled program, because no Node that we support runs TypeScript for certain.

import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import '../../../helpers/use-driver.mjs';

const { ledgerClock } = await import('../../../../dist/app/clock.js');
const { makeIds } = await import('../../../../dist/app/ids.js');
const { Ledger } = await import('../../../../dist/ledger/ledger.js');
const { decidePlaced } = await import('../../../../dist/ledger/order/order-placed.js');
const { decideExpire } = await import('../../../../dist/ledger/reservation/release.js');
const { decideApplyReport } = await import('../../../../dist/ledger/stock/apply-report.js');
const { decideRevalidate } = await import('../../../../dist/ledger/order/revalidation.js');
const { decideClaim, decideDeleted, decideNextStep, decideOpen } = await import(
  '../../../../dist/ledger/outbox/next-step.js'
);
const { openSqliteStore } = await import('../../../../dist/store/sqlite/sqlite-store.js');
const { socketTurnstile } = await import('../../../../dist/store/sqlite/lock/fair-lock.js');

const CALLERS = 6;
const SKUS = ['cap', 'scarf', 'tee'];
const LOCATIONS = ['loc-1', 'loc-2'];
const MINUTE_MS = 60_000;
const CLAIM = { claim_ms: 5_000, check_ms: MINUTE_MS, resend_max_ms: 20 * 60 * MINUTE_MS };

let calls = 0;
const { shop, settings } = JSON.parse(process.argv[2]);
say({ ready: true });
const { path, name, seed, later_ms, repeat } = JSON.parse(await nextLine(process.stdin));

const random = dice(seed);
const one = (list) => list[Math.floor(random() * list.length)];
const clock = ledgerClock({ wall: () => Date.now() + later_ms, monotonic: () => performance.now() });
const store = openSqliteStore({
  path,
  shop,
  clock,
  random,
  turnstile: socketTurnstile(path),
  group_max: 256,
  group_max_ms: 8,
  busy_deadline_ms: MINUTE_MS,
  // Small: many a kill should hit the copying back of the log.
  wal_autocheckpoint_pages: 60,
  mirror_horizon_ms: 10 * MINUTE_MS,
});
const ids = makeIds();
const ledger = new Ledger({
  store,
  clock,
  ids,
  freshener: { freshen: async () => false },
  nudges: { outboxDue: () => {} },
  settings,
  sleep: async () => {},
});

await store.putLocations(
  LOCATIONS.map((location_id, position) => ({ location_id, name: location_id, position, active: true })),
);
for (const sku of SKUS) await report(sku);
// First what was asked before and whose answer nobody heard, or should hear again.
for (const { verb, args } of repeat) await (verb === 'reserve' ? reserve(args) : submit(args));
await Promise.all(Array.from({ length: CALLERS }, (_, caller) => work(`${name}-${caller}`)));

async function work(caller) {
  const mine = [];
  for (let turn = 0; ; turn += 1) {
    const chance = random();
    if (chance < 0.4) await reserveOne(`${caller}-${turn}`, mine);
    else if (chance < 0.55) await submitOne(`${caller}-${turn}`, mine);
    else if (chance < 0.65) await releaseOne(mine);
    else if (chance < 0.75) await report(one(SKUS));
    else if (chance < 0.8) await sweep();
    else await outbox(`${caller}-${turn}`);
  }
}

async function reserveOne(key, mine) {
  const skus = random() < 0.3 ? ['cap', 'tee'] : [one(SKUS)];
  const lines = skus.map((sku) => ({ sku, quantity: 1 + Math.floor(random() * 3) }));
  const answer = await reserve({ key, lines, ttl_seconds: one([60, 120, 900]) });
  if (answer.ok) mine.push(answer.value);
}

async function submitOne(key, mine) {
  if (mine.length === 0) return;
  const [{ reservation_id, stock_hash }] = mine.splice(Math.floor(random() * mine.length), 1);
  await submit({ key, reservation_id, stock_hash });
}

async function releaseOne(mine) {
  if (mine.length === 0) return;
  const [{ reservation_id }] = mine.splice(Math.floor(random() * mine.length), 1);
  await tell('release', { reservation_id }, () => ledger.release({ principal: 'agent', reservation_id }));
}

function reserve(args) {
  const { key, lines, ttl_seconds } = args;
  return tell('reserve', args, () =>
    ledger.reserve({ principal: 'agent', lines, ttl_seconds, allow_partial: false, idempotency_key: key }),
  );
}

function submit(args) {
  const { key, reservation_id, stock_hash } = args;
  const buyer = { email: `${key}@example.com` };
  const wish = { principal: 'agent', reservation_id, stock_hash, buyer, note: null, reference: key };
  return tell('submit', args, () => ledger.submit({ ...wish, idempotency_key: key }));
}

/** New figures for a SKU at all locations, or the same once more. */
async function report(sku) {
  const item_id = `item-${sku}`;
  const read_at_ms = clock.now();
  const levels = LOCATIONS.map((location_id) => ({
    item_id,
    location_id,
    available_units: 40 + Math.floor(random() * 40),
    on_hand_units: null,
    committed_units: null,
    upstream_updated_at_ms: null,
  }));
  const catalogue = {
    item_id,
    variant_id: `1${SKUS.indexOf(sku)}`,
    product_id: `2${SKUS.indexOf(sku)}`,
    sku,
    title: sku,
    variant_title: '',
    lifecycle: 'active',
  };
  const whole = { item_id, catalogue, levels, is_complete: true, read_at_ms, salt: ids.salt() };
  await tell('report', { sku, read_at_ms }, () =>
    store.transact({ item_ids: [item_id], skus: [sku] }, (state) =>
      decideApplyReport(state, whole, settings),
    ),
  );
}

async function sweep() {
  for (const { reservation_key } of await store.expiredReservations(5)) {
    await tell('expire', { reservation_key }, () =>
      store.transact({ owned: { reservation_key } }, decideExpire),
    );
  }
}

/** One row of the outbox, against a shop that does what it is asked, once for each tag, and forgets nothing. */
async function outbox(worker) {
  const lanes = [await store.dueOutbox('orders', 1, null), await store.dueOutbox('holds', 1, null)];
  const [row] = lanes.flatMap(({ rows }) => rows);
  if (row === undefined) return;
  const due = { reservation_key: row.reservation_key };
  const claim = { ...CLAIM, worker };
  const keys = { owned: due, precedence: true };
  if (!(await store.transact(keys, (state) => decideClaim(state, claim)))) return;
  for (let step = 0; step < 6; step += 1) {
    const work = await store.transact(keys, (state) => decideNextStep(state, claim, settings, step === 0));
    if (work === null || !(await take(work, keys))) return;
  }
}

async function take({ step, owned, items }, keys) {
  const { tag, shop_state } = owned.outbox;
  const { reservation_key } = keys.owned;
  const hold = { hold_ref: `draft-${tag}`, until_ms: owned.reservation.expires_at_ms + 2 * MINUTE_MS };
  const placed = { order_ref: `order-${tag}`, order_name: `#${tag}` };
  const decide = (verb, by) => tell(verb, { reservation_key }, () => store.transact(keys, by));
  if (step === 'reread') {
    for (const { sku } of items) await report(sku);
    return false;
  }
  if (step === 'revalidate') {
    const since = clock.now();
    for (const { sku } of items) await report(sku);
    await decide('revalidate', (state) => decideRevalidate(state, since));
    return true;
  }
  if (step === 'complete' || shop_state === 'completing') {
    await decide('place', (state) => decidePlaced(state, placed));
  } else if (step === 'delete' || shop_state === 'deleting') {
    await decide('delete', decideDeleted);
  } else {
    await decide('open', (state) => decideOpen(state, hold));
  }
  return true;
}

async function tell(verb, args, call) {
  calls += 1;
  const n = calls;
  say({ n, verb, args });
  const answer = await call();
  say({ n, answer: answer ?? null });
  return answer;
}

async function nextLine(input) {
  for await (const line of createInterface({ input })) return line;
  throw new Error('the parent is gone');
}

function say(line) {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Mulberry32: the same seed makes the same choices. */
function dice(from) {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
