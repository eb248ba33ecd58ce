/**
 * (f) Holdfast itself: its tools, ledger, SQLite store, outbox, inbox, sync and sweeper, put together as the program does,
 * on virtual time. Only two things are not its own: the network to the shop, and the disk (the ledger is in memory, so that
 * a hundred sales can be played; that nothing is lost on a disk is tested elsewhere).
 */

import { Ledger } from '../ledger/ledger.js';
import type { Clock, Ids, LedgerSettings, Store } from '../ledger/state/state.js';
import { NO_METRICS } from '../observability/metrics-table.js';
import { Outbox } from '../outbox/outbox.js';
import type { OutboxLimits } from '../outbox/outbox-context.js';
import { OwnIntents } from '../outbox/own-intents.js';
import { sweepExpired } from '../outbox/sweeper.js';
import { nextWorkOf } from '../store/sqlite/database/next-work.js';
import { openDatabase } from '../store/sqlite/database/open-database.js';
import { openTurnstile } from '../store/sqlite/lock/fair-lock.js';
import { SqliteStore, type SqliteStoreOptions } from '../store/sqlite/sqlite-store.js';
import { verifyLedger } from '../store/sqlite/verify.js';
import { Inbox, type InboxLimits } from '../sync/inbox.js';
import { StockSync, type StockSyncLimits } from '../sync/stock-sync.js';
import { HoldfastClerk } from './holdfast-clerk.js';
import type { HoldfastShop } from './holdfast-shop.js';
import type { Network } from './network.js';
import { MINUTE, SECOND } from './script.js';
import type { Ask, Bought, Strategy } from './strategy.js';
import type { Timeline } from './timeline.js';

/** Settings and limits as the program has them. */
export interface HoldfastParts {
  readonly settings: LedgerSettings;
  readonly ids: Ids;
  readonly heartbeat_ms: number;
  readonly store: Pick<
    SqliteStoreOptions,
    'group_max' | 'group_max_ms' | 'busy_deadline_ms' | 'wal_autocheckpoint_pages'
  >;
  readonly sync: StockSyncLimits;
  readonly outbox: OutboxLimits;
  readonly inbox: InboxLimits;
}

const SHOP = 'incident.myshopify.com';
const WORKER = 'incident';
/** While the outbox waits for the shop, it looks for more to do this often. The program does so more often. */
const LOOK_AGAIN_MS = 1_000;
/** A heartbeat is through after so long at most. */
const BEAT_MAX_MS = 2 * SECOND;
/** Nobody removes draft orders by hand here, so they need not be looked at every minute. */
const CHECK_MS = 10 * MINUTE;
/** How long after its last deed there may be something left to tidy at the shop. */
const AFTERMATH_MS = 20 * MINUTE;

const forever = new AbortController().signal;

interface Ports {
  readonly api: HoldfastShop;
  readonly network: Network;
  readonly end_ms: number;
  /** When a buyer of ours asks, decides or pays, in order. */
  readonly comes_at_ms: readonly number[];
}

export class HoldfastStrategy implements Strategy {
  readonly #ports: Ports;
  readonly #parts: HoldfastParts;
  readonly #timeline: Timeline;
  readonly #db;
  readonly #nextWork;
  readonly #store: SqliteStore;
  readonly #sync: StockSync;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #clerk: HoldfastClerk;
  readonly #random: () => number = () => 0.5;
  #deliveries = 0;
  /** Of the times at which buyers come, those that are over. */
  #came = 0;
  #busy_until_ms = 0;
  readonly #nudges: { readonly inbox: () => void; readonly outbox: () => void };

  constructor(parts: HoldfastParts, ports: Ports) {
    this.#ports = ports;
    this.#parts = parts;
    const { settings, ids } = parts;
    const { api, network } = ports;
    const { timeline } = network;
    this.#timeline = timeline;
    const clock: Clock = {
      now: () => timeline.now_ms,
      observe: (at) => Math.max(at, timeline.now_ms),
      elapsed: () => timeline.now_ms,
      doubtMs: () => 0,
      missedMs: () => 0,
      mayHaveStoodStill: () => false,
      leadMs: () => 0,
      recall: () => undefined,
      timeMark: () => null,
    };
    const intents = new OwnIntents(clock);
    const path = ':memory:';
    const storage = { ...parts.store, path, shop: SHOP };
    this.#db = openDatabase({ ...storage, now: () => timeline.now_ms });
    this.#nextWork = nextWorkOf(this.#db);
    this.#store = new SqliteStore(this.#db, {
      ...storage,
      clock,
      onIntent: (tag, intent) => intents.note(tag, intent),
      random: this.#random,
      turnstile: openTurnstile,
      mirror_horizon_ms: settings.mirror_margin_ms,
    });
    const store = timed(this.#store, timeline);
    // What goes wrong on the way is part of the play: the books are held against the shop in the end.
    const report = (): void => {};
    const common = { store, clock, settings, ids, report, worker: WORKER, random: this.#random };
    this.#sync = new StockSync({ ...common, source: api, limits: parts.sync });
    const rereadItems = (itemIds: readonly string[], signal: AbortSignal) =>
      this.#sync.rereadItems(itemIds, signal);
    this.#outbox = new Outbox({
      ...common,
      sink: api,
      sleep: (ms) => timeline.sleep(Math.max(ms, LOOK_AGAIN_MS)),
      rereadItems,
      intents,
      limits: { ...parts.outbox, check_ms: CHECK_MS },
    });
    this.#nudges = {
      inbox: oneAtATime(timeline, () => this.#inbox.drain(forever)),
      outbox: oneAtATime(timeline, () => this.#outbox.run(forever)),
    };
    const outboxDue = this.#nudges.outbox;
    this.#inbox = new Inbox({
      ...common,
      gate: api.gate,
      source: api,
      sync: this.#sync,
      orders: async () => {},
      nudges: { received: this.#nudges.inbox, outboxDue },
      sleep: (ms) => timeline.sleep(ms),
      metrics: NO_METRICS,
      alarm: () => {},
      limits: parts.inbox,
    });
    const sleep = (ms: number): Promise<void> => timeline.sleep(ms);
    const ledger = new Ledger({
      store,
      clock,
      ids,
      settings,
      freshener: this.#sync,
      searcher: this.#sync,
      nudges: { outboxDue },
      sleep,
    });
    this.#clerk = new HoldfastClerk(ledger, timeline);
  }

  async open(): Promise<void> {
    await this.#sync.beat(forever);
    this.#ports.network.onWebhook((sku) => this.#hear(sku));
    const { heartbeat_ms } = this.#parts;
    // A while longer than the sale, so that what is left comes to rest.
    const end_ms = this.#ports.end_ms + 2 * AFTERMATH_MS;
    const beat = async (): Promise<void> => {
      if (this.#timeline.now_ms < end_ms) this.#timeline.at(this.#timeline.now_ms + heartbeat_ms, beat);
      await this.#tick();
    };
    this.#timeline.at(this.#timeline.now_ms + heartbeat_ms, beat);
  }

  quote(ask: Ask): Promise<boolean> {
    return this.#clerk.quote(ask);
  }

  want(ask: Ask): Promise<boolean> {
    this.#stayBusy();
    return this.#clerk.want(ask);
  }

  buy(ask: Ask): Promise<Bought> {
    this.#stayBusy();
    return this.#clerk.buy(ask);
  }

  leave(ask: Ask): Promise<void> {
    this.#stayBusy();
    return this.#clerk.leave(ask);
  }

  async close(): Promise<void> {
    const report = verifyLedger(this.#db);
    if (!report.ok) throw new Error(`the ledger does not add up: ${JSON.stringify(report.problems)}`);
    const { holding } = this.#ports.api;
    if (holding > 0) throw new Error(`${holding} draft orders still hold units`);
    await this.#store.close();
  }

  #stayBusy(): void {
    this.#busy_until_ms = this.#timeline.now_ms + AFTERMATH_MS;
  }

  /**
   * What the loops do. A heartbeat after which no buyer comes before the next one only makes the ledger know earlier what
   * nobody asks for: it is left out.
   */
  async #tick(): Promise<void> {
    const { now_ms } = this.#timeline;
    const { comes_at_ms } = this.#ports;
    while ((comes_at_ms[this.#came] ?? Infinity) < now_ms) this.#came += 1;
    const next_ms = comes_at_ms[this.#came] ?? Infinity;
    // The next heartbeat takes a moment, too.
    if (next_ms < now_ms + this.#parts.heartbeat_ms + BEAT_MAX_MS) await this.#sync.beat(forever);
    if (now_ms > this.#busy_until_ms) return;
    // The loops look every time; here only when they will find something.
    const due_at_ms = this.#nextWork();
    if (due_at_ms === null || due_at_ms > now_ms) return;
    await sweepExpired(this.#store, forever);
    this.#nudges.outbox();
  }

  async #hear(sku: string): Promise<void> {
    this.#deliveries += 1;
    await this.#inbox.admit({ 'x-delivery-id': String(this.#deliveries) }, Buffer.from(sku));
  }
}

/** One run at a time, and one more for what came meanwhile: as the program's loops. */
function oneAtATime(timeline: Timeline, run: () => Promise<void>): () => void {
  let isOn = false;
  let isDue = false;
  const work = async (): Promise<void> => {
    while (isDue) {
      isDue = false;
      await run();
    }
    isOn = false;
  };
  return () => {
    isDue = true;
    if (isOn) return;
    isOn = true;
    timeline.at(timeline.now_ms, work);
  };
}

/** The same store; while it works, virtual time stands still. */
function timed(store: SqliteStore, timeline: Timeline): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => timeline.busy(Promise.resolve(member.apply(target, args)));
    },
  });
}
