/**
 * A ledger with a shop: the sandbox over real HTTP, the program's own connector, sync, outbox and store on one file,
 * and one virtual time for all of them. Loops do not run by themselves: a test says when they do.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { LedgerClock } from '../../src/app/clock.js';
import { makeIds } from '../../src/app/ids.js';
import { LIMITS } from '../../src/config/config.js';
import { Ledger, type ReserveInput, type SubmitInput } from '../../src/ledger/ledger.js';
import type { Item, Level } from '../../src/ledger/model/stock.js';
import type { StockMove } from '../../src/ledger/model/stock-transfer.js';
import type { Result } from '../../src/ledger/model/values/refusal.js';
import type { SubmitAnswer } from '../../src/ledger/order/submit.js';
import { type CheckAnswer, viewStock } from '../../src/ledger/query/check.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type { LedgerSettings, Owned } from '../../src/ledger/state/state.js';
import { Outbox } from '../../src/outbox/outbox.js';
import type { OutboxLimits } from '../../src/outbox/outbox-context.js';
import { OwnIntents } from '../../src/outbox/own-intents.js';
import { sweepExpired } from '../../src/outbox/sweeper.js';
import { TwinWatch } from '../../src/outbox/twin-watch.js';
import { UnownedStock } from '../../src/outbox/unowned-units.js';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { type SandboxOptions, SandboxServer } from '../../src/sandbox/server.js';
import type { DraftOrder } from '../../src/sandbox/shop/orders/draft-orders.js';
import type { Order as ShopOrder } from '../../src/sandbox/shop/orders/order.js';
import type { Tuning } from '../../src/sources/shopify/client/limits.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { OrderWatch, type OrderWatchPorts } from '../../src/sync/order-tracker.js';
import { StockSync, type StockSyncLimits } from '../../src/sync/stock-sync.js';
import { type Opened, open } from '../sources/shopify/raw-shop.js';
import { AGENT, answerOf, openTestStore, SECOND, TEST_SETTINGS, units, VirtualTime } from './ledger.js';
import { answerInProcess, forgetShop, freeOrigin } from './without-sockets.js';

const ids = makeIds();
export const SHOP = 'sandbox.myshopify.com';
export const WAREHOUSE = 'Warehouse';
export const STORE = 'Store';

/** CAP is plenty and at both locations, SCARF and COAT are at the warehouse alone, LAMP only at the store. */
export const SMALL_CATALOGUE: Catalogue = {
  locations: [WAREHOUSE, STORE].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
  products: [
    product('CAP', { [WAREHOUSE]: 20, [STORE]: 5 }),
    product('SCARF', { [WAREHOUSE]: 3 }),
    product('COAT', { [WAREHOUSE]: 1 }),
    product('LAMP', { [STORE]: 4 }),
  ],
};

export function product(
  sku: string | null,
  stock: Record<string, number>,
  title = `Title of ${sku}`,
): Catalogue['products'][number] {
  return {
    title,
    productType: 'Things',
    vendor: 'Us',
    variants: [{ sku, title: 'One', options: [{ name: 'Size', value: 'One' }], price: '10.00', stock }],
  };
}

export interface ShopLedgerOptions {
  readonly settings?: Partial<LedgerSettings>;
  readonly limits?: Partial<OutboxLimits>;
  readonly sync?: Partial<StockSyncLimits>;
  readonly tuning?: Partial<Tuning>;
  /** Where items have to be published to be sold. Default: it does not count. */
  readonly publication?: string;
  readonly sandbox?: Omit<SandboxOptions, 'now' | 'port' | 'host'>;
  /** Whether the shop is asked over HTTP, as everywhere, or in the same process, for very many stories. */
  readonly sockets?: boolean;
  /** How the connector waits. Left out: the virtual time passes at once. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Where the ledger's own folder is made. */
  readonly folder?: string;
  /** What the process remembers of its rows; another's, for one that goes on as if it had written them. */
  readonly intents?: OwnIntents;
  /** What the process knows of the time; another's, for one that goes on as that was. */
  readonly clock?: LedgerClock;
  /** How far the process's own wall clock is ahead of everybody else's, now. */
  readonly wallAheadMs?: () => number;
  /** Stands between a process and its store: to let it die. */
  readonly wrapStore?: (store: SqliteStore) => SqliteStore;
}

interface Shared {
  readonly options: ShopLedgerOptions;
  readonly time: VirtualTime;
  readonly server: SandboxServer;
  readonly origin: string;
  readonly path: string;
}

const forever = new AbortController().signal;

/** One process, as it were. `beside` opens another on the same file, the same shop and the same time. */
export class ShopProcess {
  readonly time: VirtualTime;
  readonly server: SandboxServer;
  readonly path: string;
  readonly clock: LedgerClock;
  readonly store: SqliteStore;
  readonly upstream: Opened;
  readonly sync: StockSync;
  readonly orderWatch: OrderWatch;
  /** Another watch of this process, with other ports. */
  readonly watchOrders: (instead?: Partial<OrderWatchPorts>) => OrderWatch;
  readonly outbox: Outbox;
  readonly intents: OwnIntents;
  readonly unowned: UnownedStock;
  /** Another watch for late twins of this process. */
  readonly watchTwins: (cancelsTwins: boolean) => TwinWatch;
  readonly ledger: Ledger;
  readonly settings: LedgerSettings;
  /** What went wrong, as told to the log. */
  readonly events: { readonly event: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];
  readonly origin: string;
  readonly #shared: Shared;

  protected constructor(shared: Shared, worker: string, options: ShopLedgerOptions = shared.options) {
    this.#shared = shared;
    this.time = shared.time;
    this.origin = shared.origin;
    this.server = shared.server;
    this.path = shared.path;
    const clock = options.clock ?? this.time.clock(options.wallAheadMs);
    this.clock = clock;
    // A deadline is real time: nothing that a slow machine could miss, unless a test is about it.
    this.settings = { ...TEST_SETTINGS, freshen_wait_ms: 60_000, ...options.settings };
    const { settings } = this;
    const intents = options.intents ?? new OwnIntents(clock);
    this.intents = intents;
    const store = openTestStore({
      path: this.path,
      clock,
      worker,
      onIntent: (tag, intent) => intents.note(tag, intent),
      shop: SHOP,
      mirror_horizon_ms: settings.mirror_margin_ms,
    });
    this.store = options.wrapStore?.(store) ?? store;
    const report = (event: string, detail: Readonly<Record<string, unknown>>): void => {
      this.events.push({ event, detail });
    };
    this.upstream = open({
      origin: shared.origin,
      now: () => this.time.wall_ms,
      sleep: options.sleep ?? (async (ms) => this.time.pass(ms)),
      shopTime: clock,
      ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
      ...(options.publication === undefined ? {} : { publication: options.publication }),
    });
    const ports = { store: this.store, clock, settings, report, worker };
    this.sync = new StockSync({
      ...ports,
      source: this.upstream.source,
      ids,
      limits: { ...LIMITS.sync, lease_ms: 45 * SECOND, pulse_ms: 15 * SECOND, ...options.sync },
    });
    this.watchOrders = (instead = {}) =>
      new OrderWatch({
        ...ports,
        source: this.upstream.orders,
        rereadItems: (itemIds, signal) => this.sync.rereadItems(itemIds, signal),
        limits: LIMITS.orders,
        ...instead,
      });
    this.orderWatch = this.watchOrders();
    this.outbox = new Outbox({
      ...ports,
      sink: this.upstream.sink,
      mirrors: this.upstream.mirrors,
      random: () => 0.5,
      // Real time: beside it, calls of real servers are under way.
      sleep: (ms) => pause(ms),
      rereadItems: (itemIds, signal) => this.sync.rereadTogether(itemIds, signal),
      intents,
      limits: { ...LIMITS.outbox, ...options.limits },
    });
    this.unowned = new UnownedStock({
      store: this.store,
      source: this.upstream.reserved,
      sink: this.upstream.sink,
      rereadItems: (itemIds, signal) => this.sync.rereadItems(itemIds, signal),
      read_only: this.settings.read_only,
      makeKey: randomUUID,
    });
    this.watchTwins = (cancelsTwins) =>
      new TwinWatch({ ...ports, sink: this.upstream.sink, cancelsTwins, limits: LIMITS.twins });
    this.ledger = new Ledger({
      store: this.store,
      clock,
      ids,
      freshener: this.sync,
      searcher: this.sync,
      nudges: { outboxDue: () => {} },
      settings,
      sleep: async () => this.time.pass(20),
    });
  }

  /** Another process on the same file; close it before the first. */
  beside(worker: string, options: ShopLedgerOptions = {}): ShopProcess {
    return new ShopProcess(this.#shared, worker, { ...this.#shared.options, ...options });
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  beat(): Promise<void> {
    return this.sync.beat(forever);
  }

  sweep(): Promise<number> {
    return sweepExpired(this.store, forever);
  }

  /** The outbox does what is due now. */
  work(signal: AbortSignal = forever): Promise<void> {
    return this.outbox.run(signal);
  }

  /** Time passes, and the outbox does what becomes due on the way. Heartbeats and sweeps are the test's business. */
  async workFor(ms: number): Promise<void> {
    // By the ledger's clock: rows are due by it, and it does not follow a wall clock that is wrong.
    const end = this.clock.now() + ms;
    for (;;) {
      await this.work();
      const next = this.nextDue();
      if (next === null || next > end) break;
      this.time.pass(Math.max(0, next - this.clock.now()));
    }
    this.time.pass(Math.max(0, end - this.clock.now()));
    await this.work();
  }

  /** When the outbox has something to do next; null when every row rests. */
  nextDue(): number | null {
    return this.rawly(
      (db) =>
        db
          .prepare(
            'SELECT min(max(due_at_ms, coalesce(claimed_until_ms, 0))) FROM reservations WHERE due_at_ms IS NOT NULL',
          )
          .pluck()
          .get() as number | null,
    );
  }

  reserve(sku: string, quantity: number, more: Partial<ReserveInput> = {}): Promise<Result<ReserveAnswer>> {
    return this.ledger.reserve({
      principal: AGENT,
      lines: [{ sku, quantity: units(quantity) }],
      ttl_seconds: undefined,
      allow_partial: false,
      idempotency_key: undefined,
      ...more,
    });
  }

  async granted(sku: string, quantity: number, more: Partial<ReserveInput> = {}): Promise<ReserveAnswer> {
    return answerOf(await this.reserve(sku, quantity, more));
  }

  /** A reservation that the shop holds too. */
  async mirrored(sku: string, quantity: number, more: Partial<ReserveInput> = {}): Promise<ReserveAnswer> {
    const reservation = await this.granted(sku, quantity, more);
    await this.work();
    expect(await this.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'open' },
      holds: [{ state: 'mirrored' }],
    });
    return reservation;
  }

  submit(
    reservation: Pick<ReserveAnswer, 'reservation_id' | 'stock_hash'>,
    more: Partial<SubmitInput> = {},
  ): Promise<Result<SubmitAnswer>> {
    return this.ledger.submit({
      principal: AGENT,
      reservation_id: reservation.reservation_id,
      stock_hash: reservation.stock_hash,
      idempotency_key: undefined,
      buyer: null,
      note: null,
      reference: null,
      ...more,
    });
  }

  /** An order that is accepted at once. */
  async accepted(reservation: ReserveAnswer, more: Partial<SubmitInput> = {}): Promise<SubmitAnswer> {
    const order = answerOf(await this.submit(reservation, more));
    expect(order.status).toBe('accepted');
    return order;
  }

  async release({ reservation_id }: Pick<ReserveAnswer, 'reservation_id'>): Promise<void> {
    answerOf(await this.ledger.release({ principal: AGENT, reservation_id }));
  }

  async owned({ reservation_id }: Pick<ReserveAnswer, 'reservation_id'>): Promise<Owned> {
    const owned = await this.store.read({ owned: { reservation_id } }, (state) => state.owned);
    if (owned === null) throw new Error(`the ledger knows no ${reservation_id}`);
    return owned;
  }

  /** How its order stands. */
  async order(reservation: Pick<ReserveAnswer, 'reservation_id'>) {
    const { order } = await this.owned(reservation);
    if (order === null) throw new Error('nothing was submitted');
    return order;
  }

  async item(sku: string): Promise<Item> {
    const item = await this.store.read({ skus: [sku] }, (state) => state.items.get(sku));
    if (item === undefined) throw new Error(`the ledger knows no ${sku}`);
    return item;
  }

  /** The ledger's level of a SKU at a location, by its name. */
  async level(sku: string, location = WAREHOUSE): Promise<Level> {
    const level = (await this.item(sku)).levels.find(({ location_name }) => location_name === location);
    if (level === undefined) throw new Error(`${sku} is not stocked at ${location}`);
    return level;
  }

  /** As stored, without a re-read. */
  check(...skus: string[]): Promise<CheckAnswer> {
    return this.store.read({ skus }, (state) => viewStock(state, skus, this.settings));
  }

  async atp(sku: string): Promise<number> {
    const { items } = await this.check(sku);
    return items[0]?.available_to_promise ?? 0;
  }

  /** What the shop itself says can be sold. */
  available(sku: string, location = WAREHOUSE): number {
    return this.server.shop.readStock(sku, location).available;
  }

  /** Our drafts at the shop that are not orders yet. */
  drafts(): DraftOrder[] {
    this.server.shop.settle();
    return [...this.server.shop.draftOrders.all()].filter((draft) => draft.orderId === null);
  }

  /** The shop's id of a location, as an agent names it. */
  async locationId(name: string): Promise<string> {
    const { locations } = await this.store.read({}, (state) => ({
      locations: [...state.locations.values()],
    }));
    const found = locations.find((location) => location.name === name);
    if (found === undefined) throw new Error(`no location ${name}`);
    return found.location_id;
  }

  /** The shop's orders that carry our tag. */
  orders(): ShopOrder[] {
    return [...this.server.shop.orders.all()].filter((order) => order.tags.includes('holdfast'));
  }

  /** Deletes or completes a draft by hand, as a person in the shop's admin does. */
  byHand(verb: 'delete' | 'complete', draft: DraftOrder): void {
    const { draftOrders } = this.server.shop;
    const now = this.server.shop.settle();
    const { userErrors } =
      verb === 'delete'
        ? draftOrders.delete(draft.id, now)
        : draftOrders.complete(draft.id, { paymentPending: false, sourceName: null, gatewayId: null }, now);
    expect(userErrors).toEqual([]);
  }

  /**
   * The books are true: the ledger proves itself, each placed order is at the shop exactly once and nothing else is,
   * what is over holds nothing anywhere, and no unit is promised that the shop does not have.
   */
  async expectTrueBooks(): Promise<void> {
    const report = verifyLedgerFile(this.path);
    expect(report.problems).toEqual([]);
    expect(report.ok).toBe(true);
    const rows = this.rawly(
      (db) =>
        db
          .prepare(
            `SELECT r.reservation_key AS key, r.tag, r.state, r.shop_state, r.protocol, r.request, r.hold_ref, r.claimed_by, o.state AS order_state, o.buyer,
               o.upstream_order_ref, (SELECT count(*) FROM holds h WHERE h.reservation_key = r.reservation_key) AS holds
             FROM reservations r LEFT JOIN orders o ON o.reservation_key = r.reservation_key`,
          )
          .all() as BookRow[],
    );
    const at_shop = { drafts: byTag(this.drafts()), orders: byTag(this.orders()) };
    for (const row of rows) expectTrueRow(row, at_shop);
    const tags = new Set(rows.map(({ tag }) => tag));
    const ours = [...this.drafts(), ...this.orders()];
    expect(ours.filter(({ tags: own }) => !own.some((tag) => tags.has(tag)))).toEqual([]);
    this.#expectTrueReserves(rows);
    await this.#expectNoOverpromise();
  }

  /** What the shop keeps reserved is what our drafts and our moves hold there, unit by unit. */
  #expectTrueReserves(rows: readonly BookRow[]): void {
    const ours = new Map<string, number>();
    const add = (at: string, units: number) => ours.set(at, (ours.get(at) ?? 0) + units);
    for (const { held } of this.drafts()) {
      for (const { level, units } of held) add(`${tailOf(level.itemId)} ${tailOf(level.locationId)}`, units);
    }
    for (const { protocol, shop_state, request } of rows) {
      if (protocol !== 'move' || shop_state !== 'open' || request === null) continue;
      const { changes } = JSON.parse(request) as StockMove;
      for (const change of changes) add(`${change.item_id} ${change.location_id}`, change.quantity_units);
    }
    for (const { itemId, locationId, quantities } of this.server.shop.inventory.levels.values()) {
      const at = `${tailOf(itemId)} ${tailOf(locationId)}`;
      expect({ at, reserved: quantities.reserved }).toEqual({ at, reserved: ours.get(at) ?? 0 });
    }
  }

  /** L1: what can be promised, and what live reservations hold beside the shop's own holds, is there. */
  async #expectNoOverpromise(): Promise<void> {
    const skus = this.rawly((db) => db.prepare('SELECT sku FROM items').pluck().all() as string[]);
    for (const sku of skus) {
      const item = await this.item(sku);
      for (const level of item.levels) {
        const is_at_shop = [...this.server.shop.inventory.items.values()].some((one) => one.sku === sku);
        if (!is_at_shop) continue;
        const available = this.available(sku, level.location_name);
        const promised = Math.max(0, level.upstream_available_units - level.held_units);
        const live = level.held_units - level.expired_units;
        expect({ sku, ok: promised === 0 || promised + live <= available }).toEqual({ sku, ok: true });
      }
    }
  }

  /** A second connection to the file, past all of our code. */
  rawly<T>(use: (db: InstanceType<ReturnType<typeof loadDriver>>) => T): T {
    const Driver = loadDriver();
    const db = new Driver(this.path);
    try {
      return use(db);
    } finally {
      db.close();
    }
  }
}

interface BookRow {
  readonly tag: string;
  readonly state: string;
  readonly shop_state: string;
  readonly protocol: 'draft_order' | 'move' | null;
  readonly request: string | null;
  readonly hold_ref: string | null;
  readonly claimed_by: string | null;
  readonly order_state: string | null;
  readonly buyer: string | null;
  readonly upstream_order_ref: string | null;
  readonly holds: number;
}

export class ShopLedger extends ShopProcess {
  readonly #folder: string;
  readonly #others: ShopProcess[] = [];

  private constructor(shared: Shared, folder: string) {
    super(shared, 'worker-1');
    this.#folder = folder;
  }

  /** The shop is open, and nothing of it has been read. */
  static async bare(options: ShopLedgerOptions = {}): Promise<ShopLedger> {
    const time = new VirtualTime();
    const unplugged = options.sockets === false ? freeOrigin() : null;
    const server = new SandboxServer({
      catalogue: SMALL_CATALOGUE,
      ...options.sandbox,
      // A port of its own, so that a shop that was stopped can be started again where it was.
      ...(unplugged === null ? { port: await freePort() } : { origin: unplugged }),
      now: () => time.wall_ms,
    });
    if (unplugged !== null) answerInProcess(unplugged, server);
    const origin = unplugged ?? (await server.start()).origin;
    const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'holdfast-'));
    return new ShopLedger({ options, time, server, origin, path: join(folder, 'ledger.db') }, folder);
  }

  /** And its first full read is through. */
  static async open(options: ShopLedgerOptions = {}): Promise<ShopLedger> {
    const opened = await ShopLedger.bare(options);
    await opened.beat();
    return opened;
  }

  override beside(worker: string, options: ShopLedgerOptions = {}): ShopProcess {
    const other = super.beside(worker, options);
    this.#others.push(other);
    return other;
  }

  override async close(): Promise<void> {
    for (const other of this.#others) await other.close();
    await super.close();
    await this.server.stop();
    forgetShop(this.origin);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export function tailOf(gid: string): string {
  return gid.slice(gid.lastIndexOf('/') + 1);
}

interface AtShop {
  readonly drafts: ReadonlyMap<string, readonly DraftOrder[]>;
  readonly orders: ReadonlyMap<string, readonly ShopOrder[]>;
}

function byTag<T extends { readonly tags: readonly string[] }>(all: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    for (const tag of one.tags) if (tag !== 'holdfast') found.set(tag, [...(found.get(tag) ?? []), one]);
  }
  return found;
}

function expectTrueRow(row: BookRow, atShop: AtShop): void {
  const drafts = atShop.drafts.get(row.tag) ?? [];
  const orders = atShop.orders.get(row.tag) ?? [];
  const is_placed = ['placed', 'fulfilled', 'cancelled'].includes(row.order_state ?? '');
  expect({ tag: row.tag, orders: orders.map(({ id }) => tailOf(id)) }).toEqual({
    tag: row.tag,
    orders: is_placed ? [row.upstream_order_ref] : [],
  });
  expect({ tag: row.tag, drafts: drafts.map(({ id }) => tailOf(id)) }).toEqual({
    tag: row.tag,
    drafts: row.shop_state === 'open' && row.protocol === 'draft_order' ? [row.hold_ref] : [],
  });
  const is_over = row.state !== 'active' && row.state !== 'submitted';
  if (is_over) expect(row).toMatchObject({ holds: 0, buyer: null, claimed_by: null });
  if (is_over) expect(drafts).toEqual([]);
}
