/** One story as it happens: the shop, the servers on one ledger, the agents, and everything that goes wrong around them. */

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { NO_QUOTAS } from '../helpers/no-quotas.js';
import { ACTS } from './acts.js';
import { Agent } from './agents.js';
import { Dice } from './dice.js';
import { installDisk } from './disk.js';
import { Network } from './network.js';
import { type CheckName, Oracle, type Violation } from './oracle.js';
import type { Program } from './program.js';
import { ServerProcess } from './server-process.js';
import { type Action, AHEAD_MS, SKUS, STORE, STORM_MS, type Story, WAREHOUSE } from './story.js';
import { Trace } from './trace.js';
import { Life, STORY_START_MS, Universe } from './universe.js';

/** Where Linux keeps files in memory: deaths here are of a process, so the disk need not be waited for. */
const MEMORY = '/dev/shm';
const DOOR_MS = 250;
const DOOR_AWAY_MS = 60_000;
/** The ledger is the file, and what is not yet written into it. */
const ENDS = ['', '-wal'] as const;
/** Long enough for every reservation to end, and for every backoff. */
const REST_MAX_MS = 12 * 60_000;
const REST_MIN_MS = 60_000;
const REST_LOOK_MS = 15_000;

export interface Telling {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly fingerprint: string;
  readonly steps: number;
  readonly checks: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly story: readonly string[];
}

/** How the ledger is copied and put back. */
export interface PlannedCopy {
  /** Not at once, but when an order is accepted and not at the shop yet. */
  readonly isOrdered: boolean;
  readonly afterMs: number;
  /** For how long no server runs after it. */
  readonly awayMs: number;
  readonly clock: 'right' | 'ahead' | 'stands';
}

export interface TellOptions {
  /** Checks of the oracle that are left out. */
  readonly without?: ReadonlySet<CheckName>;
}

/** Plays a story through, or until the oracle objects. */
export async function tell(program: Program, story: Story, options: TellOptions = {}): Promise<Telling> {
  installDisk(program);
  program.enter();
  const world = new World(program, story, options);
  try {
    return await world.play();
  } finally {
    world.close();
  }
}

export class World {
  readonly universe: Universe;
  readonly trace = new Trace();
  readonly shop: SandboxServer;
  readonly network: Network;
  readonly oracle: Oracle;
  readonly servers: readonly ServerProcess[];
  readonly skus: readonly string[];
  readonly story: Story;
  readonly #folder: string;
  readonly #path: string;
  #agents = 0;
  #is_storm = true;
  /** The copy that is to be taken, or was taken and has not been put back yet. */
  #copy: (PlannedCopy & { readonly isTaken?: boolean }) | null = null;
  /** No server starts until then. */
  #awayUntil_ms = 0;
  /** For how long there was no server on purpose: what is to happen comes so much later. */
  #away_ms = 0;

  constructor(program: Program, story: Story, { without = new Set() }: TellOptions) {
    this.story = story;
    this.skus = story.skus;
    this.universe = new Universe(story.seed);
    Universe.enter(this.universe);
    const { universe, trace } = this;
    if (story.ahead) universe.wall_offset_ms = AHEAD_MS;
    this.#folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'holdfast-simulation-'));
    const path = join(this.#folder, 'ledger.db');
    this.#path = path;
    this.network = new Network(universe, trace, () => this.shop);
    universe.fetch = this.network.fetch;
    this.shop = new SandboxServer({
      catalogue: catalogueOf(story),
      routing: { rule: story.routing, preference: [STORE, WAREHOUSE] },
      now: () => universe.now_ms,
      origin: ORIGIN,
      seed: story.seed,
      rate: 'advanced',
      webhooks: { mergeWindowMs: 1_000, concurrency: 4 },
      poster: this.network.posterTo(() => this.servers),
    });
    if (!story.webhooks) this.network.silence_until_ms = Number.POSITIVE_INFINITY;
    this.oracle = new Oracle({
      path,
      universe,
      network: this.network,
      shop: this.shop.shop,
      mirror: story.mirror,
      without,
    });
    const environment = {
      HOLDFAST_DB: path,
      HOLDFAST_MIRROR: story.mirror,
      HOLDFAST_ROUTE_FULFILLMENT: story.routes ? 'promised' : 'shop',
      ...(story.quotas ? {} : NO_QUOTAS),
      ...(story.offers ? { HOLDFAST_ORDER_MODE: 'checkout_link', HOLDFAST_PAY_MINUTES: '5' } : {}),
      SHOPIFY_SHOP: 'sandbox.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
      SHOPIFY_ORIGIN: ORIGIN,
      SHOPIFY_WEBHOOK_SECRETS: 'sandbox',
    };
    const onBug = (what: string) => this.oracle.bug(what);
    this.servers = Array.from(
      { length: story.servers },
      (_, n) => new ServerProcess({ name: `server-${n + 1}`, universe, program, trace, environment, onBug }),
    );
  }

  async play(): Promise<Telling> {
    const { universe, story, oracle, trace } = this;
    const onStray = (error: unknown) => {
      if ((error as { name?: string }).name !== 'Killed') oracle.bug(`unhandled ${(error as Error).stack}`);
    };
    process.on('unhandledRejection', onStray);
    let violation: Violation | null = null;
    try {
      for (const server of this.servers) this.#start(server);
      this.#openDoor();
      const stage = new Life('world');
      for (const action of story.actions) this.#actInTime(action, stage);
      const check = () => {
        oracle.check();
        this.#copyInTime();
      };
      const stormEnd_ms = () => STORY_START_MS + STORM_MS + this.#away_ms;
      while (universe.now_ms < stormEnd_ms()) await universe.runUntil(stormEnd_ms(), check);
      this.#calm();
      const calm_ms = universe.now_ms;
      for (let ms = REST_MIN_MS; ms <= REST_MAX_MS; ms += REST_LOOK_MS) {
        await universe.runUntil(calm_ms + ms, check);
        if (oracle.isAtRest()) break;
      }
      oracle.checkRest();
    } catch (error) {
      violation = oracle.violationOf(error);
      if (violation === null) throw error;
      trace.note(universe.now_ms, 'oracle', `${violation.invariant} ${violation.check}: ${violation.detail}`);
    } finally {
      process.off('unhandledRejection', onStray);
    }
    const { steps } = universe;
    const { shop } = this;
    const counts = { ...Object.fromEntries(trace.counts), ...prefixed('webhooks_', shop.webhooks.counts) };
    const fingerprint = trace.fingerprint();
    return {
      seed: story.seed,
      violation,
      fingerprint,
      steps,
      checks: oracle.checks,
      counts,
      story: trace.story(),
    };
  }

  close(): void {
    for (const server of this.servers) server.kill();
    this.oracle.close();
    Universe.enter(null);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Somebody comes to buy. */
  visit(dice: Dice, only: string | null, after_ms = 0): void {
    this.#agents += 1;
    const name = `agent-${this.#agents}`;
    const agent = new Agent(name, this, dice);
    const life = new Life(name);
    this.universe.after(
      after_ms,
      () => {
        agent.run(only).catch((error: unknown) => this.oracle.bug(`${name} ${(error as Error).stack}`));
      },
      life,
    );
  }

  sellElsewhere(sku: string): void {
    const { shop } = this.shop;
    const place = Object.keys(this.story.stock[sku] ?? {}).find((one) => {
      const { available, reserved } = shop.readStock(sku, one);
      return available + (this.story.shelf ? reserved : 0) > 0;
    });
    if (place === undefined || !this.#is_storm) return;
    shop.sell(sku, 1, { at: place });
    this.trace.note(this.universe.now_ms, 'world', `the till sells one ${sku} to somebody else`);
  }

  /** A buyer pays at the link. */
  pay(link: string): void {
    const { shop } = this.shop;
    const number = /\/invoices\/(\d+)\//u.exec(link)?.[1];
    const draft = [...shop.draftOrders.all()].find(({ id }) => id.endsWith(`/${number}`));
    if (draft === undefined) return;
    const { refusal } = shop.checkout.pay(draft.id, shop.settle());
    this.trace.note(this.universe.now_ms, 'world', `a buyer pays ${draft.name}: ${refusal ?? 'done'}`);
  }

  /** The ledger is copied when its time has come, and put back later. False while another copy waits for that. */
  planCopy(copy: PlannedCopy): boolean {
    if (this.#copy !== null) return false;
    this.#copy = copy;
    return true;
  }

  /**
   * Copies the ledger as it is, and puts it back later: all servers die, and start on the copy after a while. No transaction is
   * open between two steps, so both files together are a state of the ledger.
   */
  #copyInTime(): void {
    const { universe, trace, oracle } = this;
    const copy = this.#copy;
    if (copy === null || copy.isTaken || !existsSync(this.#path)) return;
    if (copy.isOrdered && !oracle.isOrderUnderWay()) return;
    this.#copy = { ...copy, isTaken: true };
    for (const end of ENDS) {
      if (existsSync(this.#path + end)) copyFileSync(this.#path + end, `${this.#path}.copy${end}`);
    }
    trace.note(universe.now_ms, 'world', 'the ledger is copied');
    const { afterMs, awayMs, clock } = copy;
    const offBy_ms = { right: 0, ahead: AHEAD_MS, stands: -afterMs - awayMs }[clock];
    universe.after(afterMs, () => this.#putBack(awayMs, offBy_ms), KEEPER);
  }

  #putBack(awayMs: number, offBy_ms: number): void {
    if (!this.#is_storm) return;
    const { universe } = this;
    this.#away_ms += awayMs;
    this.#awayUntil_ms = universe.now_ms + awayMs;
    for (const server of this.servers) server.kill();
    universe.wall_offset_ms += offBy_ms;
    this.oracle.putBack(() => {
      for (const end of [...ENDS, '-shm']) rmSync(this.#path + end, { force: true });
      for (const end of ENDS) {
        const copy = `${this.#path}.copy${end}`;
        if (existsSync(copy)) copyFileSync(copy, this.#path + end);
        rmSync(copy, { force: true });
      }
    });
    this.#copy = null;
    this.trace.note(universe.now_ms, 'world', 'the ledger is put back to its copy');
  }

  /** As late in the story as it says; time without servers is none of the story. */
  #actInTime(action: Action, stage: Life): void {
    const { universe } = this;
    const ms = STORY_START_MS + action.at_ms + this.#away_ms - universe.now_ms;
    universe.after(
      ms,
      () => {
        const due_ms = STORY_START_MS + action.at_ms + this.#away_ms;
        if (universe.now_ms < due_ms) this.#actInTime(action, stage);
        else this.#act(action);
      },
      stage,
    );
  }

  #act({ kind, seed }: Action): void {
    if (!this.#is_storm) return;
    const what = ACTS[kind](this, new Dice(seed));
    if (what === null) return;
    this.trace.count(`act_${kind}`);
    this.trace.note(this.universe.now_ms, 'world', what);
  }

  #start(server: ServerProcess): void {
    const away_ms = this.#awayUntil_ms - this.universe.now_ms;
    if (away_ms > 0) {
      this.universe.after(away_ms, () => this.#start(server), KEEPER);
      return;
    }
    try {
      server.start();
    } catch {
      // The disk was full, or it died while it opened the ledger: whoever looks after it tries again.
      server.kill();
    }
    const { running } = server;
    const again = () => this.universe.after(this.#restartMs(server.name), () => this.#start(server), KEEPER);
    if (running === null) again();
    else running.life.onDeath(again);
  }

  #restartMs(name: string): number {
    return 100 + Math.floor(this.universe.chanceOf(`restart ${name}`) * (this.#is_storm ? 4_000 : 500));
  }

  /** The shop sends its webhooks when they are due. */
  #openDoor(): void {
    const life = new Life('webhooks');
    const tick = () => {
      const due = this.shop.webhooks.nextDueMs();
      if (due !== null && due <= this.shop.shop.nowMs()) void this.shop.webhooks.deliverDue();
      // Nobody is there to open for hours: it need not be looked so often.
      const away_ms = this.#awayUntil_ms - this.universe.now_ms;
      this.universe.after(Math.max(DOOR_MS, Math.min(away_ms, DOOR_AWAY_MS)), tick, life);
    };
    this.universe.after(DOOR_MS, tick, life);
  }

  /** The storm is over: everything comes to rest. */
  #calm(): void {
    this.#is_storm = false;
    this.shop.faults.clear();
    this.shop.webhooks.setFaults({});
    this.shop.set({ searchLagMs: 0 });
    this.network.outage_until_ms = 0;
    if (this.story.webhooks) this.network.silence_until_ms = 0;
    this.universe.wall_offset_ms = Math.max(0, this.universe.wall_offset_ms);
    for (const { running } of this.servers) {
      if (running === null) continue;
      running.disk.full_until_ms = 0;
      running.disk.full_at_commit_until_ms = 0;
      running.disk.busy_until_ms = 0;
      running.disk.dies_in = Number.POSITIVE_INFINITY;
    }
    this.trace.note(this.universe.now_ms, 'world', 'everything comes to rest');
  }
}

const ORIGIN = 'http://127.0.0.1:9';
/** Whoever restarts servers that died. */
const KEEPER = new Life('keeper');

const catalogueOf = ({ stock }: Story): Catalogue => ({
  locations: [WAREHOUSE, STORE].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
  products: SKUS.map((sku) => ({
    title: `Title of ${sku}`,
    productType: 'Things',
    vendor: 'Us',
    variants: [
      {
        sku,
        title: 'One',
        options: [{ name: 'Size', value: 'One' }],
        price: '10.00',
        stock: stock[sku] ?? {},
      },
    ],
  })),
});

function prefixed(prefix: string, counts: object): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}${name}`, count]));
}
