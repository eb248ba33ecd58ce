/** Composition root: config → store → ledger → tools → transports → loops; stopped in reverse order. */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ledgerClock } from './clock.js';
import { type Config, ConfigError, LIMITS, type ShopConfig } from './config.js';
import { ids } from './ids.js';
import { Ledger } from './ledger/ledger.js';
import type { Clock, LedgerSettings } from './ledger/ports.js';
import { Loop } from './loops/loop.js';
import type { Log } from './observability/log.js';
import type { Outbox } from './outbox/outbox.js';
import { openSqliteStore, type SqliteStore } from './store/sqlite/sqlite-store.js';
import { socketTurnstile } from './store/sqlite/turnstile.js';
import type { StockSync } from './sync/stock-sync.js';
import type { ToolContext } from './tools/server.js';

/** What runs: the ledger with its loops, ready for a transport. */
export interface Holdfast {
  readonly tools: ToolContext;
  readonly ledger: Ledger;
  readonly store: SqliteStore;
  readonly clock: Clock;
  /** Starts talking to the shop. Answers are served before that, and say how old they are. */
  startLoops(): void;
  /** The stock sync, once the shop's client is loaded. */
  sync(): Promise<StockSync>;
  /** Resolves when the tool calls under way are answered. */
  settled(): Promise<void>;
  /** Finishes what is in flight and closes the ledger. Safe to call twice. */
  stop(): Promise<void>;
}

export function openHoldfast(config: Config, log: Log, tuning: Partial<typeof LIMITS.outbox> = {}): Holdfast {
  const { shop } = config;
  if (shop === null) {
    throw new ConfigError(
      'SHOPIFY_SHOP is not set. Set it to name.myshopify.com with SHOPIFY_ACCESS_TOKEN, or start with --sandbox to try the built-in shop.',
    );
  }
  const clock = ledgerClock();
  const worker = `${process.pid}-${randomUUID()}`;
  const store = openSqliteStore({
    ...LIMITS.store,
    path: config.db,
    shop: shop.shop,
    clock,
    random: Math.random,
    turnstile: socketTurnstile(config.db),
    mirror_horizon_ms: LIMITS.ledger.mirror_margin_ms,
  });
  const settings = ledgerSettings(config);
  void store
    .putSafetyStock(settings.safety_stock_units)
    .catch((error: unknown) => log.error('safety_stock_not_set', { error: describe(error) }));
  const shopSide = once(() => openShopSide({ config, shop, store, clock, worker, settings, log, tuning }));
  const loops = shopLoops({ config, store, log, shopSide });
  const ledger = new Ledger({
    store,
    clock,
    ids,
    settings,
    freshener: { freshen: async (skus, deadlineMs) => (await shopSide()).sync.freshen(skus, deadlineMs) },
    nudges: { outboxDue: () => loops.outbox.nudge() },
    sleep: (ms) => pause(ms),
  });
  const calls = new Set<Promise<unknown>>();
  const tools: ToolContext = {
    ledger,
    principal: 'local',
    reportBug: (error, tool) => {
      const request_id = randomUUID();
      log.error('tool_bug', { tool, request_id, error: describe(error) });
      return request_id;
    },
    onCall: (call) => {
      calls.add(call);
      void call.finally(() => calls.delete(call));
    },
  };
  // A client that leaves, or a signal, must not cut a decision in two: tool calls have limits of their own.
  const settled = async (): Promise<void> => {
    await Promise.allSettled(calls);
  };
  const stop = once(async () => {
    await settled();
    await Promise.all([
      loops.heartbeat.stop(),
      loops.outbox.stop(),
      loops.sweeper.stop(),
      loops.pruner.stop(),
    ]);
    if (shopSide.started()) await (await shopSide()).sync.close();
    await store.close();
  });
  return {
    tools,
    ledger,
    store,
    clock,
    startLoops: () => {
      for (const loop of Object.values(loops)) loop.start();
    },
    sync: async () => (await shopSide()).sync,
    settled,
    stop,
  };
}

interface ShopSide {
  readonly sync: StockSync;
  readonly outbox: Outbox;
}

interface ShopSideParts {
  readonly config: Config;
  readonly shop: ShopConfig;
  readonly store: SqliteStore;
  readonly clock: Clock;
  readonly worker: string;
  readonly settings: LedgerSettings;
  readonly log: Log;
  readonly tuning: Partial<typeof LIMITS.outbox>;
}

/** The shop's client is the slowest part to load, and `initialize` never waits for it: imported on first use. */
async function openShopSide(parts: ShopSideParts): Promise<ShopSide> {
  const { config, shop, store, clock, worker, settings, log } = parts;
  const [{ openShopify }, { StockSync }, { Outbox }] = await Promise.all([
    import('./upstream/shopify/shopify.js'),
    import('./sync/stock-sync.js'),
    import('./outbox/outbox.js'),
  ]);
  const { source, sink } = openShopify({
    ...shop,
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => {
      // Ends early, without an error, when the call is given up.
      await pause(ms, undefined, { signal }).catch(() => undefined);
    },
    log: (severity, message, fields) => log[severity](message, fields),
  });
  const report = (event: string, detail: Readonly<Record<string, unknown>>): void => log.warn(event, detail);
  const sync = new StockSync({
    store,
    source,
    clock,
    ids,
    settings,
    report,
    worker,
    limits: {
      ...LIMITS.sync,
      lease_ms: Math.max(LIMITS.sync.lease_min_ms, config.heartbeat_ms * LIMITS.sync.lease_beats),
    },
  });
  const outbox = new Outbox({
    store,
    sink,
    clock,
    settings,
    random: Math.random,
    rereadItems: (itemIds, signal) => sync.rereadItems(itemIds, signal),
    report,
    worker,
    limits: { ...LIMITS.outbox, lookup_wait_ms: config.lookup_wait_ms, ...parts.tuning },
  });
  return { sync, outbox };
}

interface LoopParts {
  readonly config: Config;
  readonly store: SqliteStore;
  readonly log: Log;
  readonly shopSide: () => Promise<ShopSide>;
}

function shopLoops({
  config,
  store,
  log,
  shopSide,
}: LoopParts): Record<'heartbeat' | 'outbox' | 'sweeper' | 'pruner', Loop> {
  const onError = (error: unknown, loop: string): void =>
    log.warn('loop_failed', { loop, error: describe(error) });
  const loop = (name: string, interval_ms: number, run: (signal: AbortSignal) => Promise<void>): Loop =>
    new Loop({ name, interval_ms, run, onError });
  const outbox = loop('outbox', LIMITS.loops.outbox_interval_ms, async (signal) =>
    (await shopSide()).outbox.run(signal),
  );
  return {
    outbox,
    heartbeat: loop('heartbeat', config.heartbeat_ms, async (signal) => (await shopSide()).sync.beat(signal)),
    sweeper: loop('sweeper', LIMITS.loops.sweep_interval_ms, async (signal) => {
      const { sweepExpired } = await import('./outbox/sweeper.js');
      if ((await sweepExpired(store, signal)) > 0) outbox.nudge();
    }),
    pruner: loop('pruner', LIMITS.loops.prune_interval_ms, async () => {
      await store.prune(LIMITS.keep);
    }),
  };
}

function ledgerSettings(config: Config): LedgerSettings {
  const { ttl_default_s, ttl_min_s, ttl_max_s, low_stock_units, safety_stock_units, stale_hash, mirror } =
    config;
  const { held_order_max_ms } = config;
  return {
    ...LIMITS.ledger,
    ttl_default_s,
    ttl_min_s,
    ttl_max_s,
    low_stock_units,
    safety_stock_units,
    stale_hash,
    mirror,
    held_order_max_ms,
  };
}

/** Runs once, however often it is called; `started` tells whether it has been. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { started(): boolean } {
  let made: Promise<T> | undefined;
  const call = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.assign(call, { started: () => made !== undefined });
}

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack } = error;
  const detail = 'detail' in error ? { detail: error.detail } : {};
  return { name, message, ...detail, stack };
}
