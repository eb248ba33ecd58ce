/** Composition root: config → store → ledger → tools → transports → loops; stopped in reverse order. */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Config, LIMITS, type ShopConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import type { OrdersWaiting, Readiness } from '../http/http.js';
import { Loop } from '../jobs/loop.js';
import { Ledger } from '../ledger/ledger.js';
import { isLimiting } from '../ledger/model/values/quota-limits.js';
import type { LedgerMs } from '../ledger/model/values/units.js';
import type { Clock, LedgerSettings } from '../ledger/state/state.js';
import type { ToolHost } from '../mcp/kit/tool.js';
import { StockFeed } from '../mcp/subscriptions/change-feed.js';
import { StockHub } from '../mcp/subscriptions/subscription-hub.js';
import type { Log } from '../observability/log.js';
import { type MetricSink, NO_METRICS } from '../observability/metrics-table.js';
import { OutageLog } from '../observability/outage-log.js';
import { RareLog } from '../observability/throttled-log.js';
import type { Outbox } from '../outbox/outbox.js';
import { OwnIntents } from '../outbox/own-intents.js';
import type { TwinWatch } from '../outbox/twin-watch.js';
import type { UnownedStock } from '../outbox/unowned-units.js';
import type { Subscriptions } from '../sources/source.js';
import { chooseDriver } from '../store/sqlite/database/load-driver.js';
import { LedgerUnusable } from '../store/sqlite/database/open-database.js';
import { socketTurnstile } from '../store/sqlite/lock/fair-lock.js';
import type { WaitingCount } from '../store/sqlite/rows/waiting-orders.js';
import { openSqliteStore, type SqliteStore } from '../store/sqlite/sqlite-store.js';
import type { Admission, Inbox } from '../sync/inbox.js';
import type { OrderWatch } from '../sync/order-tracker.js';
import type { StockSync } from '../sync/stock-sync.js';
import type { SubscriptionKeeper } from '../sync/subscription-keeper.js';
import { type LedgerClock, ledgerClock } from './clock.js';
import { makeIds } from './ids.js';
import { logMoney } from './money-log.js';
import { measureDecision, measureJournal } from './sale-metrics.js';

/** What runs: the ledger with its loops, ready for a transport. */
export interface Holdfast {
  readonly tools: ToolHost;
  /** Tells who follows a SKU that it has changed. */
  readonly hub: StockHub;
  readonly ledger: Ledger;
  readonly store: SqliteStore;
  readonly clock: Clock;
  readonly metrics: MetricSink;
  /**
   * Starts talking to the shop. Answers are served before that, and say how old they are. `webhookUrl`: where the shop
   * finds our webhook route; left out, it is not asked to tell us anything.
   */
  startLoops(webhookUrl?: string): void;
  /** Judges a delivery of a webhook, and takes it in. Resolves when it is durable. */
  admit(headers: Readonly<Record<string, string | string[] | undefined>>, body: Buffer): Promise<Admission>;
  /** Sets the gauges to what the ledger holds now. */
  measure(): Promise<void>;
  /** Whether agents can be sent here, part by part. */
  readiness(): Promise<Readiness>;
  /** Units at the shop that no row owns, for a person. */
  unowned(): Promise<UnownedStock>;
  /** The stock sync, once the shop's client is loaded. */
  sync(): Promise<StockSync>;
  /** Rejects with `LedgerUnusable` when the ledger's files are taken away under a running server; never resolves. */
  readonly lost: Promise<never>;
  /** Resolves when the tool calls under way are answered. */
  settled(): Promise<void>;
  /** Finishes what is in flight and closes the ledger. Safe to call twice. */
  stop(): Promise<void>;
}

export interface HoldfastParts {
  /** Where it is said what is counted and measured. Left out: nowhere. */
  readonly metrics?: MetricSink;
  /** Whether only one principal can call this process. Left out: others can. */
  readonly isAlone?: () => boolean;
}

export function openHoldfast(
  config: Config,
  wholeLog: Log,
  { metrics = NO_METRICS, isAlone = () => false }: HoldfastParts = {},
): Holdfast {
  const { shop } = config;
  const log = new OutageLog(wholeLog, () => performance.now(), LIMITS.outage_log_gap_ms);
  if (shop === null) {
    throw new ConfigError(
      'SHOPIFY_SHOP is not set. holdfast init asks for what is needed and writes it to .env.',
    );
  }
  const clock = ledgerClock();
  const worker = `${process.pid}-${randomUUID()}`;
  const intents = new OwnIntents(clock);
  if (config.sqlite_driver !== null) chooseDriver(config.sqlite_driver);
  const watches = [logMoney(log), measureJournal(metrics)];
  const store = openSqliteStore({
    ...LIMITS.store,
    path: config.db,
    shop: shop.shop,
    clock,
    worker,
    onIntent: (tag, intent) => intents.note(tag, intent),
    onJournal: (entry, id) => {
      for (const watch of watches) watch(entry, id);
    },
    random: Math.random,
    turnstile: socketTurnstile(config.db),
    mirror_horizon_ms: LIMITS.ledger.mirror_margin_ms,
  });
  const settings = ledgerSettings(config);
  void store
    .putSafetyStock(settings.safety_stock_units)
    .catch((error: unknown) => log.error('safety_stock_not_set', { error }));
  const shopSide = once(() =>
    openShopSide({
      config,
      shop,
      store,
      clock,
      worker,
      intents,
      settings,
      log,
      metrics,
      nudges: () => loops,
    }),
  );
  const { lost, checkFiles } = watchLedger(store);
  const failures = new RareLog(log, LIMITS.outage_log_gap_ms);
  const loops = shopLoops({ config, store, failures, shopSide, checkFiles });
  let subscriptions: Loop | null = null;
  const overQuota = new RareLog(log, LIMITS.quota_log_gap_ms);
  const ledger = new Ledger({
    store,
    clock,
    ids: makeIds(),
    settings,
    freshener: { freshen: async (skus, deadlineMs) => (await shopSide()).sync.freshen(skus, deadlineMs) },
    searcher: { search: async (wanted, deadlineMs) => (await shopSide()).sync.search(wanted, deadlineMs) },
    nudges: { outboxDue: () => loops.outbox.nudge() },
    onDecision: (seen) => measureDecision(metrics, seen),
    onQuota: (limit, principal) => {
      metrics.add('quota_refusals_total', { limit });
      overQuota.warn('quota_exceeded', { limit, principal }, limit);
    },
    isAlone,
    sleep: (ms) => pause(ms),
  });
  const calls = new Set<Promise<unknown>>();
  const tools: ToolHost = {
    ledger,
    read_only: config.read_only,
    reportBug: (error, tool) => {
      const request_id = randomUUID();
      log.error('tool_bug', { tool, request_id, error });
      return request_id;
    },
    onAnswer: (tool, seconds, code) => {
      metrics.observe('mcp_server_operation_duration_seconds', { tool, error_type: code ?? '' }, seconds);
      if (code !== null) metrics.add('refusals_total', { tool, code });
    },
    onCall: (call) => {
      calls.add(call);
      const forget = (): boolean => calls.delete(call);
      // Whoever asked hears how it ends: one that fails is not to end the process by nobody's handling it here.
      call.then(forget, forget);
    },
  };
  const hub = stockHub({ store, settings, log, metrics });
  // A client that leaves, or a signal, must not cut a decision in two: tool calls have limits of their own.
  const settled = async (): Promise<void> => {
    await Promise.allSettled(calls);
  };
  const stopParts = async (): Promise<void> => {
    overQuota.flush();
    failures.flush();
    await Promise.all([
      hub.stop(),
      subscriptions?.stop(),
      ...Object.values(loops).map((loop) => loop.stop()),
    ]);
    if (!shopSide.started()) return;
    const { twins, sync, orderWatch, inbox } = await shopSide();
    await Promise.all([twins.close(), sync.close(), orderWatch.close(), inbox.close()]);
  };
  const stop = once(async () => {
    await settled();
    try {
      await stopParts();
    } finally {
      // A ledger that is lost refuses to take back leases: its file is closed all the same.
      await store.close();
    }
  });
  return {
    tools,
    hub,
    ledger,
    store,
    clock,
    metrics,
    startLoops: (webhookUrl) => {
      const { outbox, twins, ...others } = loops;
      for (const loop of Object.values(others)) loop.start();
      // What writes to the shop. Orders that were accepted before wait for a server that may.
      if (config.read_only) {
        log.warn('read_only', {
          mend: 'Nothing is sold or written to the shop while HOLDFAST_READ_ONLY is on.',
        });
        return;
      }
      outbox.start();
      twins.start();
      if (!isLimiting(config.quotas)) {
        store.dropTallies().catch((error: unknown) => log.error('tallies_not_dropped', { error }));
      }
      if (webhookUrl === undefined) return;
      subscriptions ??= subscriptionLoop(webhookUrl, { clock, log, failures, shopSide });
      subscriptions.start();
    },
    admit: async (headers, body) => (await shopSide()).inbox.admit(headers, body),
    measure: () => measureLedger(metrics, { store, clock, hub }),
    readiness: () => readinessOf(store, clock, config.heartbeat_ms),
    unowned: async () => (await shopSide()).unowned,
    sync: async () => (await shopSide()).sync,
    lost,
    settled,
    stop,
  };
}

/** What a scrape finds: states, and no counts. */
async function measureLedger(
  metrics: MetricSink,
  { store, clock, hub }: { readonly store: SqliteStore; readonly clock: Clock; readonly hub: StockHub },
): Promise<void> {
  const measureAgeSeconds = (since_ms: LedgerMs | null, without = 0): number =>
    since_ms === null ? without : (clock.now() - since_ms) / 1_000;
  const { waiting, oldest_received_at_ms } = await store.inboxState();
  const { baseline_at_ms, confirmed_at_ms } = await store.read({}, (state) => state.sync);
  const confirmed_s = measureAgeSeconds(baseline_at_ms === null ? null : confirmed_at_ms, Number.NaN);
  metrics.set('confirmed_age_seconds', {}, confirmed_s);
  const drift = await store.lastReconciliation();
  metrics.set('reconciliation_age_seconds', {}, measureAgeSeconds(drift?.ended_at_ms ?? null, Number.NaN));
  metrics.set('drift_levels', {}, drift?.drift_total ?? 0);
  metrics.set('drift_items', {}, drift?.catalogue_drift_total ?? 0);
  metrics.set('push_readers', {}, hub.size);
  const orders = ordersWaiting(await store.countWaitingOrders(), clock);
  metrics.set('orders_waiting', {}, orders.orders);
  metrics.set('orders_waiting_oldest_age_seconds', {}, orders.oldest_age_seconds);
  metrics.set('withheld_rises', {}, await store.countUnproven());
  metrics.set('unplaced_holds', {}, await store.countUnplaced(LIMITS.outbox.unplaced_after_ms));
  const live = await store.countLive();
  metrics.set('reservations_live', {}, live.reservations);
  metrics.set('units_held', {}, live.units);
  metrics.set('orders_held', {}, live.held_orders);
  metrics.set('orders_held_oldest_age_seconds', {}, measureAgeSeconds(live.oldest_held_at_ms));
  metrics.set('outbox_parked', {}, live.parked);
  metrics.set('inbox_waiting', {}, waiting);
  metrics.set('inbox_oldest_age_seconds', {}, measureAgeSeconds(oldest_received_at_ms));
}

/** `lost` rejects when `checkFiles` has found out once. */
function watchLedger(store: SqliteStore): {
  readonly lost: Promise<never>;
  readonly checkFiles: () => void;
} {
  const { promise: lost, reject } = withReject();
  const checkFiles = (): void => {
    try {
      store.checkFiles();
    } catch (error) {
      if (error instanceof LedgerUnusable) reject(error);
      throw error;
    }
  };
  return { lost, checkFiles };
}

/** A promise that a command may wait for; one that does not is not ended by it. */
function withReject(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  promise.catch(() => {});
  return { promise, reject };
}

/** A server that is cut off from its shop answers, but promises less and less: agents are better sent to another. */
async function readinessOf(store: SqliteStore, clock: Clock, heartbeat_ms: number): Promise<Readiness> {
  const { ready_beats, ready_min_ms } = LIMITS.http;
  try {
    const { baseline_at_ms, confirmed_at_ms } = await store.read({}, (state) => state.sync);
    const first_sync_done = baseline_at_ms !== null;
    const age_max_ms = Math.max(ready_min_ms, ready_beats * heartbeat_ms);
    const heartbeat_young = first_sync_done && clock.now() - confirmed_at_ms <= age_max_ms;
    const orders_waiting = ordersWaiting(await store.countWaitingOrders(), clock);
    return { ledger_open: true, first_sync_done, heartbeat_young, orders_waiting };
  } catch {
    // Its calls say why, each in the log.
    return { ledger_open: false, first_sync_done: false, heartbeat_young: false, orders_waiting: null };
  }
}

function ordersWaiting(counts: readonly WaitingCount[], clock: Clock): OrdersWaiting {
  const oldest = Math.min(clock.now(), ...counts.map((count) => count.oldest_submitted_at_ms));
  return {
    orders: counts.reduce((sum, { orders }) => sum + orders, 0),
    oldest_age_seconds: Math.round((clock.now() - oldest) / 1_000),
    failures: Object.fromEntries(
      counts.flatMap(({ last_failure, orders }) => (last_failure === null ? [] : [[last_failure, orders]])),
    ),
  };
}

interface HubParts {
  readonly store: SqliteStore;
  readonly settings: LedgerSettings;
  readonly log: Log;
  readonly metrics: MetricSink;
}

/** Its loop runs while somebody follows something, and not before. */
function stockHub({ store, settings, log, metrics }: HubParts): StockHub {
  const breathe = (): Promise<void> => new Promise((resume) => setImmediate(resume));
  const onError = (error: unknown): void => log.warn('loop_failed', { loop: 'push', error });
  return new StockHub({
    feed: new StockFeed({ store, settings, limits: LIMITS.push, breathe }),
    limits: LIMITS.push,
    now: () => performance.now(),
    breathe,
    startRounds: (run) => {
      const loop = new Loop({ name: 'push', interval_ms: LIMITS.push.round_ms, run, onError });
      loop.start();
      return loop;
    },
    count: (what) => metrics.add(what === 'sent' ? 'push_sent_total' : 'push_dropped_total', {}),
    onError,
  });
}

interface ShopSide {
  readonly unowned: UnownedStock;
  readonly twins: TwinWatch;
  readonly sync: StockSync;
  readonly outbox: Outbox;
  readonly orderWatch: OrderWatch;
  readonly inbox: Inbox;
  readonly subscriptions: Subscriptions;
}

interface ShopSideParts {
  readonly config: Config;
  readonly shop: ShopConfig;
  readonly store: SqliteStore;
  readonly clock: LedgerClock;
  readonly worker: string;
  readonly intents: OwnIntents;
  readonly settings: LedgerSettings;
  readonly log: OutageLog;
  readonly metrics: MetricSink;
  /** They exist by the time that anything is heard. */
  readonly nudges: () => { readonly inbox: Loop; readonly outbox: Loop };
}

/** The shop's client is the slowest part to load, and `initialize` never waits for it: imported on first use. */
async function openShopSide(parts: ShopSideParts): Promise<ShopSide> {
  const { config, shop, store, clock, worker, settings, log } = parts;
  const [
    { openShopify },
    { StockSync },
    { Outbox },
    { OrderWatch },
    { Inbox },
    { TwinWatch },
    { UnownedStock },
  ] = await Promise.all([
    import('../sources/shopify/shopify.js'),
    import('../sync/stock-sync.js'),
    import('../outbox/outbox.js'),
    import('../sync/order-tracker.js'),
    import('../sync/inbox.js'),
    import('../outbox/twin-watch.js'),
    import('../outbox/unowned-units.js'),
  ]);
  // Ends early, without an error, when the call is given up.
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    await pause(ms, undefined, { signal }).catch(() => undefined);
  };
  const { source, reserved, sink, mirrors, orders, subscriptions, gate } = openShopify({
    ...shop,
    webhook_secrets: config.webhook_secrets,
    publication: config.publication,
    now: Date.now,
    random: Math.random,
    sleep,
    log: (severity, message, fields) => log[severity](message, fields),
    onAnswer: () => log.answered(),
    onRequest: (operation, seconds, outcome) =>
      parts.metrics.observe('shop_call_duration_seconds', { operation, outcome }, seconds),
    shopTime: clock,
  });
  const report = (event: string, detail: Readonly<Record<string, unknown>>): void => log.warn(event, detail);
  const sync = new StockSync({
    store,
    source,
    clock,
    ids: makeIds(),
    settings,
    report,
    note: (event, detail) => log.info(event, detail),
    onDue: () => parts.nudges().outbox.nudge(),
    worker,
    limits: {
      ...LIMITS.sync,
      lease_ms: Math.max(LIMITS.sync.lease_min_ms, config.heartbeat_ms * LIMITS.sync.lease_beats),
      pulse_ms: config.heartbeat_ms,
    },
  });
  const outbox = new Outbox({
    store,
    sink,
    mirrors,
    clock,
    settings,
    random: Math.random,
    sleep: (ms) => pause(ms, undefined, { ref: false }),
    rereadItems: (itemIds, signal) => sync.rereadTogether(itemIds, signal),
    report,
    onPutOff: (failure) => parts.metrics.add('outbox_put_off_total', { failure }),
    worker,
    intents: parts.intents,
    limits: { ...LIMITS.outbox, lookup_wait_ms: config.lookup_wait_ms },
  });
  const cancelsTwins = config.cancel_twins;
  const twins = new TwinWatch({
    store,
    sink,
    clock,
    report,
    worker,
    cancelsTwins,
    limits: LIMITS.twins,
  });
  const rereadItems = (itemIds: readonly string[], signal: AbortSignal) => sync.rereadItems(itemIds, signal);
  const orderWatch = new OrderWatch({
    store,
    source: orders,
    clock,
    rereadItems,
    report,
    worker,
    limits: LIMITS.orders,
  });
  const inbox = new Inbox({
    store,
    gate,
    source,
    sync,
    orders: (orderRefs, signal) => orderWatch.see(orderRefs, signal),
    nudges: { received: () => parts.nudges().inbox.nudge(), outboxDue: () => parts.nudges().outbox.nudge() },
    clock,
    random: Math.random,
    sleep,
    metrics: parts.metrics,
    report,
    alarm: (event) => log.error(event, { mend: 'Run holdfast doctor: the shop has changed what we may do.' }),
    worker,
    limits: LIMITS.inbox,
  });
  const { read_only } = config;
  const unowned = new UnownedStock({
    store,
    source: reserved,
    sink,
    rereadItems,
    read_only,
    makeKey: randomUUID,
  });
  return { unowned, twins, sync, outbox, orderWatch, inbox, subscriptions };
}

interface LoopParts {
  readonly config: Config;
  readonly store: SqliteStore;
  /** A loop that fails each time is told of now and then. */
  readonly failures: RareLog;
  readonly shopSide: () => Promise<ShopSide>;
  /** Throws when the ledger's files are not those that were opened. */
  readonly checkFiles: () => void;
}

type LoopName =
  | 'heartbeat'
  | 'outbox'
  | 'twins'
  | 'orders'
  | 'inbox'
  | 'sweeper'
  | 'pruner'
  | 'files'
  | 'purger';

function shopLoops({ config, store, failures, shopSide, checkFiles }: LoopParts): Record<LoopName, Loop> {
  const onError = loopFailed(failures);
  const loop = (name: string, interval_ms: number, run: (signal: AbortSignal) => Promise<void>): Loop =>
    new Loop({ name, interval_ms, run, onError });
  const outbox = loop('outbox', LIMITS.loops.outbox_interval_ms, async (signal) =>
    (await shopSide()).outbox.run(signal),
  );
  return {
    outbox,
    twins: loop('twins', LIMITS.loops.twins_interval_ms, async (signal) =>
      (await shopSide()).twins.look(signal),
    ),
    heartbeat: loop('heartbeat', config.heartbeat_ms, async (signal) => (await shopSide()).sync.beat(signal)),
    orders: loop('orders', LIMITS.loops.orders_interval_ms, async (signal) =>
      (await shopSide()).orderWatch.poll(signal),
    ),
    // In every process: whoever took a delivery in may have died since.
    inbox: loop('inbox', LIMITS.loops.inbox_interval_ms, async (signal) =>
      (await shopSide()).inbox.drain(signal),
    ),
    sweeper: loop('sweeper', LIMITS.loops.sweep_interval_ms, async (signal) => {
      const { sweepExpired } = await import('../outbox/sweeper.js');
      if ((await sweepExpired(store, signal)) > 0) outbox.nudge();
    }),
    pruner: loop('pruner', LIMITS.loops.prune_interval_ms, async (signal) => {
      let pruned: number;
      do pruned = await store.prune(LIMITS.keep);
      while (pruned > 0 && !signal.aborted);
    }),
    files: loop('files', LIMITS.loops.files_interval_ms, async () => checkFiles()),
    purger: loop('purger', LIMITS.loops.purge_interval_ms, async () => {
      // A reader in the way is gone at the next round.
      store.purgeErased();
    }),
  };
}

function loopFailed(failures: RareLog): (error: unknown, loop: string) => void {
  return (error, loop) => {
    const { name, code, failure } = error as {
      readonly name?: string;
      readonly code?: unknown;
      readonly failure?: unknown;
    };
    failures.warn('loop_failed', { loop, error }, `${loop} ${name} ${String(code)} ${String(failure)}`);
  };
}

function subscriptionLoop(
  url: string,
  { clock, log, failures, shopSide }: { clock: Clock; log: Log } & Pick<LoopParts, 'failures' | 'shopSide'>,
): Loop {
  const keeper = once(async (): Promise<SubscriptionKeeper> => {
    const { SubscriptionKeeper } = await import('../sync/subscription-keeper.js');
    const { subscriptions } = await shopSide();
    const report = (severity: 'info' | 'warn', event: string, detail: Readonly<Record<string, unknown>>) =>
      log[severity](event, detail);
    return new SubscriptionKeeper({ subscriptions, url, clock, report, limits: LIMITS.subscriptions });
  });
  return new Loop({
    name: 'subscriptions',
    interval_ms: LIMITS.loops.subscriptions_interval_ms,
    run: async (signal) => (await keeper()).keep(signal),
    onError: loopFailed(failures),
  });
}

export function ledgerSettings(config: Config): LedgerSettings {
  const { ttl_default_s, ttl_min_s, ttl_max_s, low_stock_units, safety_stock_units, stale_hash, mirror } =
    config;
  const { jump_share_percent } = config;
  const { held_order_max_ms, order_mode, pay_ms, quotas, read_only } = config;
  const { order_payment, buyer_required, order_quota_hold_ms, route_fulfillment } = config;
  return {
    ...LIMITS.ledger,
    ttl_default_s,
    ttl_min_s,
    ttl_max_s,
    low_stock_units,
    safety_stock_units,
    stale_hash,
    mirror,
    jump_share_percent,
    held_order_max_ms,
    order_mode,
    order_payment,
    route_fulfillment,
    buyer_required,
    order_quota_hold_ms,
    pay_ms,
    quotas,
    read_only,
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
