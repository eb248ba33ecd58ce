/**
 * The faults drill: agents order in virtual time from a shop that also sells at the till, while webhooks get lost, calls
 * are cut off before or after their effect, the shop throttles, and the server dies between any two steps. The shop, the
 * ledger and everything between them are the real ones; an oracle of its own watches what happens at the shop.
 */

import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import type { MirrorMode } from '../../src/ledger/model/outbox-row.js';
import { openDeliveryGate } from '../../src/sources/shopify/webhooks/webhook-verifier.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { Inbox } from '../../src/sync/inbox.js';
import { AGENT, HOUR, MINUTE, SECOND, units } from '../helpers/ledger.js';
import {
  product,
  SHOP,
  ShopLedger,
  type ShopProcess,
  STORE,
  tailOf,
  WAREHOUSE,
} from '../helpers/shop-ledger.js';
import { Dice } from './dice.js';
import { Doorway } from './doorway.js';
import { Killable, Killed } from './killable.js';
import { ShopWatch } from './shop-watch.js';

export interface DrillOptions {
  readonly seed: number;
  readonly orders: number;
  readonly kills: number;
  readonly mirror: MirrorMode;
}

export interface DrillReport {
  readonly seed: number;
  readonly mirror: MirrorMode;
  readonly virtual_hours: number;
  readonly orders: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly released: number;
  readonly forgotten: number;
  readonly till_units: number;
  readonly kills: number;
  /** People at the shop: orders cancelled and shipped. */
  readonly cancelled_by_hand: number;
  readonly shipped_by_hand: number;
  readonly drafts_in_vain: number;
  readonly webhooks: Readonly<Record<string, number>>;
}

/** SKUs of the shop; every third is scarce, so that many want the last unit. */
const SKUS = Array.from({ length: 40 }, (_, n) => `SKU-${String(n).padStart(2, '0')}`);
const isScarce = (sku: string): boolean => SKUS.indexOf(sku) % 3 === 0;
const SCARCE = SKUS.filter(isScarce);
/**
 * Where a SKU is stocked. Draft orders take units where Shopify likes, so with them it is one location; a move takes them
 * where they are held, so with moves some are stocked at both.
 */
function placesOf(sku: string, mirror: MirrorMode): readonly string[] {
  const index = SKUS.indexOf(sku);
  if (mirror === 'move' && index % 5 === 2) return [WAREHOUSE, STORE];
  return [index % 4 === 3 ? STORE : WAREHOUSE];
}

const TICK_MS = 5 * SECOND;
const HEARTBEAT_MS = 15 * SECOND;
/** New carts in one tick. */
const CARTS_PER_TICK = 16;
const POLL_MS = 60 * SECOND;
/** Of all calls. */
const API_FAULTS = {
  cutBefore: 0.05,
  cutAfter: 0.05,
  throttled: 0.01,
  status503Before: 0.01,
  status502After: 0.01,
};
/** Of all messages. */
const WEBHOOK_FAULTS = { lost: 0.2, doubled: 0.2, reordered: 0.3 };

/** What an agent means to do with what it has reserved. */
interface Cart {
  readonly reservation_id: string;
  readonly stock_hash: string;
  readonly acts_at_ms: number;
  readonly intent: 'submit' | 'release' | 'forget';
}

export class FaultsDrill {
  readonly #options: DrillOptions;
  readonly #dice: Dice;
  readonly #base: ShopLedger;
  readonly #watch: ShopWatch;
  readonly #doorway: Doorway;
  #process: ShopProcess;
  #inbox: Inbox;
  #life = new Killable();
  #carts: Cart[] = [];
  #submitted = 0;
  #kills = 0;
  #next_beat_ms = 0;
  #next_poll_ms = 0;
  #next_delivery_ms = 0;
  readonly #counts = {
    released: 0,
    forgotten: 0,
    till_units: 0,
    cancelled_by_hand: 0,
    shipped_by_hand: 0,
  };
  readonly #verdicts: Record<string, number> = {};
  readonly #refused: Record<string, number> = {};
  /** Order ids that an agent was told of, with the status it was told. */
  readonly #told = new Map<string, string>();

  private constructor(options: DrillOptions, base: ShopLedger, doorway: Doorway) {
    this.#options = options;
    this.#doorway = doorway;
    this.#dice = new Dice(options.seed);
    this.#base = base;
    this.#watch = new ShopWatch(base.server.shop);
    [this.#process, this.#inbox] = this.#newProcess();
  }

  static async open(options: DrillOptions): Promise<FaultsDrill> {
    const base = await ShopLedger.bare({
      settings: { mirror: options.mirror },
      // Deaths here are of a process, not of a machine: what was written is there, so the disk need not be waited for.
      ...(existsSync(MEMORY) ? { folder: MEMORY } : {}),
      sandbox: {
        catalogue: {
          locations: [WAREHOUSE, STORE].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
          products: SKUS.map((sku) =>
            product(
              sku,
              Object.fromEntries(
                placesOf(sku, options.mirror).map((place) => [place, isScarce(sku) ? 6 : 60]),
              ),
            ),
          ),
        },
        searchLagMs: 5 * SECOND,
        seed: options.seed,
        rate: 'advanced',
        webhooks: { mergeWindowMs: 5 * SECOND, concurrency: 4 },
      },
    });
    return new FaultsDrill(options, base, await Doorway.open());
  }

  async run(): Promise<DrillReport> {
    const { orders, kills } = this.#options;
    const { faults, webhooks } = this.#base.server;
    await this.#process.beat();
    const { refused } = await this.#process.upstream.subscriptions.ensure(this.#doorway.url, forever);
    expect(refused).toEqual([]);
    faults.setRandom(API_FAULTS);
    webhooks.setFaults(WEBHOOK_FAULTS);
    while (this.#submitted < orders || this.#kills < kills) {
      const kills_due = Math.floor((this.#submitted / orders) * (kills + 1));
      if (this.#kills < Math.min(kills, kills_due)) this.#life.dieAfter(this.#dice.between(0, 60));
      await this.#tick();
    }
    await this.#settle();
    await this.#expectTrueBooks();
    return this.#report();
  }

  async close(): Promise<void> {
    await this.#base.close();
    await this.#doorway.close();
  }

  #newProcess(): [ShopProcess, Inbox] {
    const life = new Killable();
    this.#life = life;
    const wrapStore = <S extends ShopProcess['store']>(store: S): S =>
      life.wrap(store, () => this.#dice.chance(0.5));
    const worker = `worker-${this.#kills}`;
    const process = this.#base.beside(worker, { wrapStore });
    const inbox = this.#inboxOf(process, worker);
    this.#doorway.leadTo(inbox);
    return [process, inbox];
  }

  #inboxOf({ store, clock, sync, upstream, orderWatch }: ShopProcess, worker: string): Inbox {
    return new Inbox({
      store,
      clock,
      sync,
      worker,
      source: upstream.source,
      gate: openDeliveryGate({ shop: SHOP, secrets: ['sandbox'] }),
      orders: (orderRefs, signal) => orderWatch.see(orderRefs, signal),
      nudges: { received: () => {}, outboxDue: () => {} },
      random: () => 0.5,
      sleep: async (ms) => this.#base.time.pass(ms),
      metrics: this.#doorway.metrics,
      report: () => {},
      alarm: () => {},
      limits: LIMITS.inbox,
    });
  }

  /** A few seconds in the life of the shop and everybody around it. */
  async #tick(): Promise<void> {
    this.#base.time.pass(TICK_MS);
    this.#tills();
    this.#people();
    await this.#base.server.webhooks.deliverDue();
    await this.#alive(async (process) => {
      for (let n = this.#dice.between(0, CARTS_PER_TICK * 2); n > 0; n -= 1) await this.#fillCart(process);
      for (const cart of this.#carts.filter(({ acts_at_ms }) => acts_at_ms <= this.#base.time.wall_ms)) {
        this.#carts = this.#carts.filter((other) => other !== cart);
        await this.#act(process, cart);
      }
      await this.#inbox.drain(forever);
      await this.#loops(process);
      await process.sweep();
      // Between what the ledger has read and what the outbox asks for.
      this.#tills();
      await process.work();
    });
  }

  async #loops(process: ShopProcess): Promise<void> {
    const now = this.#base.time.wall_ms;
    if (now >= this.#next_beat_ms) {
      this.#next_beat_ms = now + HEARTBEAT_MS;
      await process.beat().catch(passing);
    }
    if (now >= this.#next_poll_ms) {
      this.#next_poll_ms = now + POLL_MS;
      await process.orderWatch.poll(forever).catch(passing);
    }
  }

  /** How much differed. */
  async #reconcile(process: ShopProcess): Promise<number> {
    const report = await process.sync.reconcile(forever);
    if (!report.done) throw new Error(`reconciliation: ${report.why}`);
    const { drift_total, catalogue_drift_total } = report.report;
    return drift_total + catalogue_drift_total;
  }

  /** Does it with the process of now. Where that dies on the way, another takes over the same file. */
  async #alive(live: (process: ShopProcess) => Promise<void>): Promise<void> {
    try {
      await live(this.#process);
    } catch (error) {
      if (!(error instanceof Killed) && !this.#life.isDead) throw error;
    }
    if (!this.#life.isDead) return;
    this.#kills += 1;
    [this.#process, this.#inbox] = this.#newProcess();
  }

  /** The merchant ships some of our orders, and cancels others, with and without putting the units back. */
  #people(): void {
    const { shop } = this.#base.server;
    if (!this.#dice.chance(0.3)) return;
    const open = this.#base
      .orders()
      .filter((order) => order.cancellation === null && order.fulfillments.length === 0);
    if (open.length === 0) return;
    const { name } = this.#dice.of(open);
    if (this.#dice.chance(0.5)) {
      shop.cancel(name, { restock: this.#dice.chance(0.5) });
      this.#counts.cancelled_by_hand += 1;
    } else {
      shop.fulfil(name);
      this.#counts.shipped_by_hand += 1;
    }
  }

  /** The till sells what the shop says it has, and now and then a delivery comes. */
  #tills(): void {
    const { shop } = this.#base.server;
    for (let n = this.#dice.between(0, 2); n > 0; n -= 1) {
      const sku = this.#dice.of(this.#dice.chance(0.6) ? SCARCE : SKUS);
      const wanted = this.#dice.between(1, 2);
      const at = this.#dice.of(placesOf(sku, this.#options.mirror));
      if (shop.readStock(sku, at).available < wanted) continue;
      shop.sell(sku, wanted, { at });
      this.#counts.till_units += wanted;
    }
    if (this.#base.time.wall_ms < this.#next_delivery_ms) return;
    this.#next_delivery_ms = this.#base.time.wall_ms + 6 * MINUTE;
    for (const { sku, place } of this.#places()) shop.receive(sku, place, isScarce(sku) ? 8 : 80);
  }

  #places(): { readonly sku: string; readonly place: string }[] {
    return SKUS.flatMap((sku) => placesOf(sku, this.#options.mirror).map((place) => ({ sku, place })));
  }

  async #fillCart(process: ShopProcess): Promise<void> {
    const skus = [...new Set(Array.from({ length: this.#dice.between(1, 2) }, () => this.#dice.of(SKUS)))];
    const lines = skus.map((sku) => ({ sku, quantity: units(this.#dice.between(1, 3)) }));
    const answer = await process.ledger.reserve({
      principal: AGENT,
      lines,
      ttl_seconds: this.#dice.of([900, 120, 300]),
      allow_partial: this.#dice.chance(0.1),
      idempotency_key: undefined,
    });
    if (!answer.ok) {
      const { code } = answer.refusal;
      this.#refused[code] = (this.#refused[code] ?? 0) + 1;
      return;
    }
    const { reservation_id, stock_hash } = answer.value;
    const draw = this.#dice.next();
    this.#carts.push({
      reservation_id,
      stock_hash,
      acts_at_ms: this.#base.time.wall_ms + this.#dice.between(0, 150) * SECOND,
      intent: draw < 0.88 ? 'submit' : draw < 0.94 ? 'release' : 'forget',
    });
  }

  async #act(process: ShopProcess, cart: Cart): Promise<void> {
    switch (cart.intent) {
      case 'forget':
        this.#counts.forgotten += 1;
        return;
      case 'release':
        this.#counts.released += 1;
        await process.ledger.release({ principal: AGENT, reservation_id: cart.reservation_id });
        return;
      case 'submit':
        await this.#submit(process, cart);
    }
  }

  async #submit(process: ShopProcess, { reservation_id, stock_hash }: Cart): Promise<void> {
    this.#submitted += 1;
    const answer = await process.ledger.submit({
      principal: AGENT,
      reservation_id,
      stock_hash,
      idempotency_key: `${reservation_id}-order`,
      buyer: null,
      note: null,
      reference: null,
    });
    if (!answer.ok) {
      const { code } = answer.refusal;
      this.#refused[code] = (this.#refused[code] ?? 0) + 1;
      return;
    }
    const { order_id, status, hash_verdict } = answer.value;
    this.#verdicts[hash_verdict] = (this.#verdicts[hash_verdict] ?? 0) + 1;
    this.#told.set(order_id, status);
  }

  /** The storm is over: everything comes to rest. */
  async #settle(): Promise<void> {
    const { faults, webhooks } = this.#base.server;
    faults.setRandom({});
    webhooks.setFaults({});
    this.#carts = [];
    for (let n = 0; n < 8; n += 1) {
      await webhooks.deliverDue();
      await this.#inbox.drain(forever);
      await this.#process.beat();
      await this.#process.sweep();
      await this.#process.workFor(5 * MINUTE);
      await this.#process.orderWatch.poll(forever);
    }
    await this.#reconcile(this.#process);
    expect(await this.#reconcile(this.#process), 'drift after the last reconciliation').toBe(0);
  }

  async #expectTrueBooks(): Promise<void> {
    const report = verifyLedgerFile(this.#base.path);
    expect(report.problems).toEqual([]);
    await this.#process.expectTrueBooks();
    this.#watch.expectSound();
    for (const { sku, place } of this.#places()) {
      const is_below = this.#base.available(sku, place) < 0;
      expect({ sku, place, is_below }).toEqual({ sku, place, is_below: false });
    }
    const states = this.#states();
    for (const [id, told] of this.#told) {
      const state = states.get(id)?.state ?? 'missing';
      expect({ id, told, state }).toEqual({ id, told, state: expect.stringMatching(END_STATES) });
    }
    const placed = [...states.values()].filter(({ state }) => AT_SHOP.test(state));
    const at_shop = this.#base.orders().map(({ id }) => tailOf(id));
    expect(at_shop.sort()).toEqual(placed.map(({ ref }) => ref).sort());
  }

  #states(): Map<string, { readonly state: string; readonly ref: string }> {
    const rows = this.#base.rawly((db) =>
      db.prepare('SELECT id, state, upstream_order_ref AS ref FROM orders').all(),
    );
    return new Map((rows as { id: string; state: string; ref: string }[]).map((row) => [row.id, row]));
  }

  #report(): DrillReport {
    const orders: Record<string, number> = {};
    for (const { state } of this.#states().values()) orders[state] = (orders[state] ?? 0) + 1;
    return {
      seed: this.#options.seed,
      mirror: this.#options.mirror,
      virtual_hours: Math.round((this.#base.time.monotonic_ms / HOUR) * 10) / 10,
      orders,
      verdicts: this.#verdicts,
      refused: this.#refused,
      ...this.#counts,
      kills: this.#kills,
      drafts_in_vain: this.#watch.draftsInVain,
      webhooks: { ...this.#base.server.webhooks.counts },
    };
  }
}

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';

const forever = new AbortController().signal;

const AT_SHOP = /^(placed|fulfilled|cancelled)$/;
const END_STATES = /^(placed|fulfilled|cancelled|rejected|failed)$/;

/** A heartbeat may fail in a storm; the next one comes. */
function passing(error: unknown): void {
  if (error instanceof Killed) throw error;
}
