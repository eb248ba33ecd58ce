/** What the contestants stand on: a ledger with stock in it, a naive shop beside it, and callers. */

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerClock } from '../../dist/app/clock.js';
import { makeIds } from '../../dist/app/ids.js';
import { LIMITS } from '../../dist/config/config.js';
import { Ledger } from '../../dist/ledger/ledger.js';
import { decideApplyReport } from '../../dist/ledger/stock/apply-report.js';
import { loadDriver } from '../../dist/store/sqlite/database/load-driver.js';
import { openTurnstile } from '../../dist/store/sqlite/lock/fair-lock.js';
import { openSqliteStore } from '../../dist/store/sqlite/sqlite-store.js';

const ids = makeIds();
const SHOP = 'bench.myshopify.com';
const STOCK_UNITS = 1_000_000_000;
const SEED_BATCH = 1000;
const HOUR_MS = 3_600_000;

export const SETTINGS = {
  ttl_default_s: 900,
  ttl_min_s: 60,
  ttl_max_s: 900,
  low_stock_units: 5,
  safety_stock_units: 0,
  stale_hash: 'revalidate',
  mirror: 'draft_order',
  order_mode: 'complete',
  pay_ms: 3_600_000,
  submit_wait_ms: 2000,
  freshen_wait_ms: 1000,
  mirror_margin_ms: 60_000,
  waiting_mirrors_max: 100,
  held_order_max_ms: 24 * HOUR_MS,
  jump_share_percent: 50,
  jump_min_units: 10,
  drift_slack_ms: 120_000,
  // One caller makes thousands of reservations: nothing is limited, and nothing has to be kept of callers.
  quotas: {
    units_per_sku: null,
    share_percent: null,
    live_reservations: null,
    reservations_per_hour: null,
    renewals: null,
    idle_per_day: null,
    idle_per_order: 0,
    cool_down_max_ms: 0,
    held_orders: null,
    orders_per_hour: null,
    ordered_units_per_hour: null,
    origin_share_percent: null,
    origin_factor: 1,
  },
  order_payment: 'pending',
  buyer_required: [],
  order_quota_hold_ms: 3_600_000,
  read_only: false,
};

/** A folder on disk (never on a RAM disk: fsync is half of what is measured), gone at the end. */
export function tempFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** `limits`: what differs from the program's own, for experiments. */
export function openLedger({ path, turnstile = openTurnstile, limits = {} }) {
  const clock = ledgerClock();
  const store = openSqliteStore({
    ...LIMITS.store,
    mirror_horizon_ms: LIMITS.ledger.mirror_margin_ms,
    path,
    shop: SHOP,
    clock,
    random: Math.random,
    turnstile,
    ...limits,
  });
  const ledger = new Ledger({
    store,
    clock,
    ids,
    settings: SETTINGS,
    freshener: { freshen: async () => false },
    nudges: { outboxDue() {} },
    sleep: (ms) => new Promise((resume) => setTimeout(resume, ms)),
  });
  return { store, ledger, clock };
}

/**
 * Fills the ledger with SKUs through the program's own code, at one location each. `nameOf`: what the n-th is called;
 * `units`: how many of each.
 */
export async function seed({ store, clock }, skus, { nameOf = skuOf, units = STOCK_UNITS } = {}) {
  await store.dropTallies();
  await store.putLocations([{ location_id: '1', name: 'Main', position: 0, active: true }]);
  for (let at = 0; at < skus; at += SEED_BATCH) {
    const batch = Array.from({ length: Math.min(SEED_BATCH, skus - at) }, (_, n) =>
      apply(store, at + n, nameOf(at + n), units),
    );
    await Promise.all(batch);
  }
  // Confirmed far into the future: a long run must not find its stock too old.
  await store.putSync({
    baseline_at_ms: clock.now(),
    confirmed_at_ms: clock.now() + 1000 * HOUR_MS,
    cursor: null,
  });
}

function apply(store, n, sku, units) {
  const id = String(n);
  return store.transact({ item_ids: [id], skus: [sku] }, (state) =>
    decideApplyReport(
      state,
      {
        item_id: id,
        catalogue: {
          item_id: id,
          variant_id: id,
          product_id: id,
          sku,
          title: `Shirt ${n}`,
          variant_title: 'M',
          lifecycle: 'active',
        },
        levels: [
          {
            item_id: id,
            location_id: '1',
            available_units: units,
            on_hand_units: null,
            committed_units: null,
            upstream_updated_at_ms: null,
          },
        ],
        is_complete: true,
        read_at_ms: state.now_ms,
        salt: ids.salt(),
      },
      SETTINGS,
    ),
  );
}

export function skuOf(n) {
  return `SKU-${n}`;
}

/** One caller's wish: one unit of a random SKU. Throws on any refusal: the stock is plenty. */
export async function reserveOne(ledger, skus) {
  const result = await ledger.reserve({
    principal: 'bench',
    lines: [{ sku: skuOf(Math.floor(Math.random() * skus)), quantity: 1 }],
    ttl_seconds: undefined,
    allow_partial: false,
    idempotency_key: undefined,
  });
  if (!result.ok) throw new Error(`refused: ${result.refusal.code}`);
}

/**
 * What most write first: a counter with a guard and a row, one transaction each, WAL, FULL, indexed by SKU. No
 * journal, no expiry, no checksum, no outbox.
 */
export function openNaive(path, skus, units = STOCK_UNITS) {
  const db = new (loadDriver())(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS reservations (
      id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
    ) STRICT`);
  const fill = db.prepare('INSERT OR IGNORE INTO stock VALUES (?, ?)');
  db.transaction(() => {
    for (let n = 0; n < skus; n += 1) fill.run(skuOf(n), units);
  })();
  const take = db.prepare('UPDATE stock SET available = available - ? WHERE sku = ? AND available >= ?');
  const add = db.prepare('INSERT INTO reservations VALUES (?, ?, ?, ?)');
  const reserve = db.transaction((sku) => {
    if (take.run(1, sku, 1).changes !== 1) return false;
    add.run(ids.reservation(Date.now()), sku, 1, Date.now() + 900_000);
    return true;
  });
  return {
    /** False: not enough is left. */
    reserve: (sku) => reserve.immediate(sku),
    reserveOne: async () => {
      if (!reserve.immediate(skuOf(Math.floor(Math.random() * skus)))) throw new Error('refused');
    },
    close: () => db.close(),
  };
}

/** `count` calls by so many callers at once, each asking again as soon as it is answered. */
export async function run(callers, count, call) {
  let left = count;
  const cpu = process.cpuUsage();
  const busy = busyMs();
  const started = performance.now();
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const wall_ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const own_ms = (user + system) / 1000;
  return {
    per_s: (count / wall_ms) * 1000,
    wall_us: (wall_ms / count) * 1000,
    cpu_us: (user + system) / count,
    others_cores: Math.max(0, (busyMs() - busy - own_ms) / wall_ms),
  };
}

/** Of the whole machine, since it was started. */
function busyMs() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

const QUOTAS = [
  'UNITS_PER_SKU',
  'SHARE',
  'LIVE',
  'PER_HOUR',
  'RENEWALS',
  'IDLE',
  'HELD_ORDERS',
  'ORIGIN_SHARE',
];

/** Settings of a server whose one caller makes thousands of reservations and never buys. */
export const NO_QUOTAS = Object.fromEntries(QUOTAS.map((name) => [`HOLDFAST_QUOTA_${name}`, 'off']));
