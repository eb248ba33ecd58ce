/**
 * A real ledger for tests: a SQLite store on a temporary file, a clock that the test moves, and items that enter
 * the way they do in production, through stock reports. Nothing of ours is faked; the shop is what the test says.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LedgerClock, ledgerClock } from '../../src/app/clock.js';
import { makeIds } from '../../src/app/ids.js';
import { Ledger, type ReserveInput, type SubmitInput } from '../../src/ledger/ledger.js';
import type { DecisionSeen } from '../../src/ledger/model/decision-watch.js';
import type { JournalKind } from '../../src/ledger/model/journal.js';
import type { Item } from '../../src/ledger/model/stock.js';
import type { ItemObservation, LevelObservation } from '../../src/ledger/model/values/observation.js';
import type { QuotaName } from '../../src/ledger/model/values/quota-limits.js';
import type { Result } from '../../src/ledger/model/values/refusal.js';
import { parseUnits, type Units } from '../../src/ledger/model/values/units.js';
import { decidePlaced } from '../../src/ledger/order/order-placed.js';
import type { SubmitAnswer } from '../../src/ledger/order/submit.js';
import { type CheckAnswer, viewStock } from '../../src/ledger/query/check.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type {
  Clock,
  Decision,
  Keys,
  LedgerSettings,
  LedgerState,
  LocationRow,
  Owned,
  ShopSearcher,
  StockFreshener,
} from '../../src/ledger/state/state.js';
import {
  decideApplyReport,
  type ReportResult,
  type StockReport,
} from '../../src/ledger/stock/apply-report.js';
import { type Caller, SCOPES } from '../../src/mcp/kit/caller.js';
import type { Database } from '../../src/store/sqlite/database/driver.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { openTurnstile } from '../../src/store/sqlite/lock/fair-lock.js';
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from '../../src/store/sqlite/sqlite-store.js';

const ids = makeIds();
export const TEST_SHOP = 'test.myshopify.com';
export const AGENT = 'agent-a';
/** The same as a caller of tools, who may do everything. */
export const AGENT_CALLER: Caller = {
  principal: AGENT,
  channel: null,
  origin: null,
  scopes: new Set(SCOPES),
};
export const OTHER_AGENT = 'agent-b';
/** When every test begins. */
export const TEST_START_MS = Date.UTC(2026, 10, 23, 12);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const WAREHOUSE = 'loc-1';
export const STORE = 'loc-2';
export const TEST_LOCATIONS: readonly LocationRow[] = [
  { location_id: WAREHOUSE, name: 'Warehouse', position: 0, active: true },
  { location_id: STORE, name: 'Store', position: 1, active: true },
];

/** No quota is in the way of a test that is not about them. */
export const NO_QUOTAS: LedgerSettings['quotas'] = {
  units_per_sku: null,
  share_percent: null,
  unsold_share_percent: null,
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
};

export const TEST_SETTINGS: LedgerSettings = {
  ttl_default_s: 900,
  ttl_min_s: 60,
  ttl_max_s: 900,
  low_stock_units: 3,
  safety_stock_units: 0,
  stale_hash: 'revalidate',
  mirror: 'draft_order',
  order_mode: 'complete',
  order_payment: 'pending',
  route_fulfillment: 'shop',
  buyer_required: [],
  order_quota_hold_ms: HOUR,
  pay_ms: HOUR,
  submit_wait_ms: 0,
  freshen_wait_ms: 100,
  mirror_margin_ms: 30 * SECOND,
  waiting_mirrors_max: 1_000,
  held_order_max_ms: 24 * HOUR,
  jump_share_percent: 50,
  jump_min_units: 10,
  drift_slack_ms: 2 * MINUTE,
  quotas: NO_QUOTAS,
  read_only: false,
};

/** The clocks of a machine, in the test's hands. */
export class VirtualTime {
  wall_ms = TEST_START_MS;
  monotonic_ms = 0;

  /** Time passes, as everybody sees it. */
  pass(ms: number): void {
    this.wall_ms += ms;
    this.monotonic_ms += ms;
  }

  /** Somebody sets the wall clock: forward, or back with a negative number. */
  setWallClockBy(ms: number): void {
    this.wall_ms += ms;
  }

  /** `aheadMs`: how far this machine's wall clock is ahead of everybody else's. */
  clock(aheadMs = (): number => 0): LedgerClock {
    return ledgerClock({ wall: () => this.wall_ms + aheadMs(), monotonic: () => this.monotonic_ms });
  }
}

export interface TestLedgerOptions {
  readonly settings?: Partial<LedgerSettings>;
  readonly store?: Partial<SqliteStoreOptions>;
  /** Where the file goes; a temporary folder that is deleted at the end when left out. */
  readonly path?: string;
  readonly time?: VirtualTime;
  readonly locations?: readonly LocationRow[];
  /** Re-reads the shop on demand; left out, the shop can't be reached. */
  readonly freshener?: StockFreshener;
  /** Searches the shop; left out, it can't be reached. */
  readonly searcher?: ShopSearcher;
  /** Whether only one principal can call. */
  readonly isAlone?: () => boolean;
  /** What happens whenever a call waits, before 20 ms have passed. */
  readonly meanwhile?: () => Promise<void>;
}

/** What a test says of an item; everything but the SKU has a default. */
export interface Seed {
  readonly sku: string | null;
  readonly item_id?: string;
  readonly variant_id?: string;
  readonly title?: string;
  readonly variant_title?: string;
  readonly lifecycle?: ItemObservation['lifecycle'];
  readonly inventory_policy?: ItemObservation['inventory_policy'];
  /** `available` by location; the warehouse has 10 when left out. */
  readonly levels?: Readonly<Record<string, number | Partial<LevelObservation>>>;
  /** When the read began; now when left out. */
  readonly read_at_ms?: number;
}

export class TestLedger {
  readonly time: VirtualTime;
  readonly settings: LedgerSettings;
  readonly path: string;
  readonly clock: Clock;
  readonly store: SqliteStore;
  readonly ledger: Ledger;
  /** How often the ledger said that there is work for the outbox. */
  nudges = 0;
  /** Quotas that have refused somebody something, and whom. */
  readonly quotaAlarms: (readonly [QuotaName, string])[] = [];
  /** What `onDecision` was told. */
  readonly decisions: DecisionSeen[] = [];
  #placed = 0;
  readonly #options: TestLedgerOptions;
  readonly #folder: string | null;

  private constructor(options: TestLedgerOptions) {
    this.#options = options;
    this.time = options.time ?? new VirtualTime();
    this.settings = { ...TEST_SETTINGS, ...options.settings };
    this.#folder = options.path === undefined ? mkdtempSync(join(tmpdir(), 'holdfast-')) : null;
    this.path = options.path ?? join(this.#folder ?? '', 'ledger.db');
    this.clock = this.time.clock();
    this.store = openTestStore({ path: this.path, clock: this.clock, ...options.store });
    this.ledger = new Ledger({
      store: this.store,
      clock: this.clock,
      ids,
      freshener: options.freshener ?? { freshen: async () => false },
      searcher: options.searcher ?? { search: async () => null },
      nudges: {
        outboxDue: () => {
          this.nudges += 1;
        },
      },
      settings: this.settings,
      ...(options.isAlone === undefined ? {} : { isAlone: options.isAlone }),
      sleep: async () => {
        await options.meanwhile?.();
        this.time.pass(20);
      },
      onQuota: (...alarm) => this.quotaAlarms.push(alarm),
      onDecision: (seen) => this.decisions.push(seen),
    });
  }

  static async open(options: TestLedgerOptions = {}): Promise<TestLedger> {
    const test = new TestLedger(options);
    await test.store.putLocations(options.locations ?? TEST_LOCATIONS);
    return test;
  }

  /** Another process, as it were, on the same file and the same machine's clocks. Close it before this one. */
  beside(options: Omit<TestLedgerOptions, 'path'> = {}): Promise<TestLedger> {
    const locations = options.locations ?? this.#options.locations ?? TEST_LOCATIONS;
    return TestLedger.open({ ...this.#options, time: this.time, ...options, locations, path: this.path });
  }

  async close(): Promise<void> {
    await this.store.close();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Takes the item into the ledger, or its new figures, with all of its levels. */
  async seed(seed: Seed): Promise<ReportResult> {
    const item_id = seed.item_id ?? `item-${seed.sku}`;
    const catalogue = {
      item_id,
      variant_id:
        seed.variant_id ?? `9${[...item_id].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) % 1e9}`,
      product_id: `8${item_id}`,
      sku: seed.sku,
      title: seed.title ?? `Title of ${seed.sku}`,
      variant_title: seed.variant_title ?? '',
      lifecycle: seed.lifecycle ?? 'active',
      inventory_policy: seed.inventory_policy ?? 'deny',
    } as const;
    return this.report({
      item_id,
      catalogue,
      levels: observations(item_id, seed.levels ?? { [WAREHOUSE]: 10 }),
      is_complete: true,
      ...(seed.read_at_ms === undefined ? {} : { read_at_ms: seed.read_at_ms }),
    });
  }

  /** New figures for some levels of an item that the ledger knows by this SKU's default item id. */
  levels(sku: string, levels: NonNullable<Seed['levels']>, read_at_ms?: number): Promise<ReportResult> {
    const item_id = `item-${sku}`;
    return this.report({
      item_id,
      catalogue: null,
      levels: observations(item_id, levels),
      is_complete: false,
      ...(read_at_ms === undefined ? {} : { read_at_ms }),
    });
  }

  report(report: Omit<StockReport, 'salt' | 'read_at_ms'> & { read_at_ms?: number }): Promise<ReportResult> {
    const whole: StockReport = { read_at_ms: this.clock.now(), ...report, salt: ids.salt() };
    const sku = report.catalogue?.sku;
    const keys = {
      item_ids: [report.item_id],
      ...(sku === null || sku === undefined ? {} : { skus: [sku] }),
    };
    return this.store.transact(keys, (state) => decideApplyReport(state, whole, this.settings));
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

  /** A reservation that has to be granted. */
  async granted(sku: string, quantity: number, more: Partial<ReserveInput> = {}): Promise<ReserveAnswer> {
    return answerOf(await this.reserve(sku, quantity, more));
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

  /** The shop has the order of the reservation. */
  async place(reservation: Pick<ReserveAnswer, 'reservation_id'>): Promise<void> {
    this.#placed += 1;
    const seen = { order_ref: `shop-${this.#placed}`, order_name: `#${this.#placed}` };
    await this.decide(reservation.reservation_id, (state) => decidePlaced(state, seen));
  }

  /** An order that has to be accepted, and that the shop has then. */
  async sold(reservation: ReserveAnswer, more: Partial<SubmitInput> = {}): Promise<void> {
    answerOf(await this.submit(reservation, more));
    await this.place(reservation);
  }

  release(reservationId: string, principal = AGENT) {
    return this.ledger.release({ principal, reservation_id: reservationId });
  }

  /** One transaction on a reservation with everything that decisions about it may need. */
  decide<R>(
    reservationId: string,
    decide: (state: LedgerState) => Decision<R>,
    more: Partial<Keys> = {},
  ): Promise<R> {
    return this.store.transact(
      { owned: { reservation_id: reservationId }, precedence: true, history: true, ...more },
      decide,
    );
  }

  /** Everything that the journal has of these kinds, oldest first. */
  journal(...kinds: readonly JournalKind[]): Readonly<Record<string, unknown>>[] {
    const rows = this.rawly((db) => db.prepare('SELECT kind, data FROM journal ORDER BY seq').all()) as {
      kind: JournalKind;
      data: string;
    }[];
    return rows.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => JSON.parse(data));
  }

  /** What the ledger holds of a SKU; throws when it knows none. */
  async item(sku: string): Promise<Item> {
    const item = await this.store.read({ skus: [sku] }, (state) => state.items.get(sku));
    if (item === undefined) throw new Error(`the ledger knows no ${sku}`);
    return item;
  }

  /** The first full read is through, and a heartbeat has just confirmed all: what the ledger does not know is not there. */
  async readWhole(): Promise<void> {
    const now = this.clock.now();
    await this.store.putSync({ baseline_at_ms: now, confirmed_at_ms: now, cursor: null });
  }

  async owned(reservationId: string): Promise<Owned> {
    const owned = await this.store.read({ owned: { reservation_id: reservationId } }, (state) => state.owned);
    if (owned === null) throw new Error(`the ledger knows no ${reservationId}`);
    return owned;
  }

  /** What check_stock says can be promised of a SKU now, over all locations. */
  async atp(sku: string): Promise<number> {
    const answer = await this.check(sku);
    return answer.items[0]?.available_to_promise ?? 0;
  }

  check(...skus: string[]): Promise<CheckAnswer> {
    return this.store.read({ skus }, (state) => viewStock(state, skus, this.settings));
  }

  /** A second connection to the file, past all of our code. */
  rawly<T>(use: (db: Database) => T): T {
    const Driver = loadDriver();
    const db = new Driver(this.path);
    try {
      return use(db);
    } finally {
      db.close();
    }
  }
}

export function openTestStore(
  options: Pick<SqliteStoreOptions, 'path' | 'clock'> & Partial<SqliteStoreOptions>,
): SqliteStore {
  return openSqliteStore({
    shop: TEST_SHOP,
    random: Math.random,
    turnstile: openTurnstile,
    group_max: 256,
    group_max_ms: 20,
    busy_deadline_ms: 10_000,
    wal_autocheckpoint_pages: 1000,
    mirror_horizon_ms: 10 * MINUTE,
    ...options,
  });
}

/** A quantity that the parser takes. */
/** Rows of the outbox that are due, in both lanes, those of orders first. */
export async function dueRows(store: SqliteStore, limit: number): Promise<{ reservation_key: number }[]> {
  const { rows: orders } = await store.dueOutbox('orders', limit, null);
  const { rows: holds } = await store.dueOutbox('holds', limit, null);
  return [...orders, ...holds].slice(0, limit).map(({ reservation_key }) => ({ reservation_key }));
}

export function units(quantity: number): Units {
  const parsed = parseUnits(quantity);
  if (parsed === null) throw new Error(`not a quantity: ${quantity}`);
  return parsed;
}

/** The value of a wish that has to be granted. */
export function answerOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
  return result.value;
}

/** The refusal of a wish that has to be refused. */
export function refusalOf(result: Result<unknown>) {
  if (result.ok) throw new Error(`granted: ${JSON.stringify(result.value)}`);
  return result.refusal;
}

export function observations(
  item_id: string,
  levels: Readonly<Record<string, number | Partial<LevelObservation>>>,
): LevelObservation[] {
  return Object.entries(levels).map(([location_id, told]) => ({
    item_id,
    location_id,
    available_units: 0,
    on_hand_units: null,
    committed_units: null,
    upstream_updated_at_ms: null,
    ...(typeof told === 'number' ? { available_units: told } : told),
  }));
}
