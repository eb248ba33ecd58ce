/** One story as it happens: the shop, the servers on one ledger, the agents, and everything that goes wrong around them. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../../src/sandbox/catalogue.js';
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
import { type Action, SKUS, STOCK, STORE, STORM_MS, type Story, WAREHOUSE } from './story.js';
import { Trace } from './trace.js';
import { Life, STORY_START_MS, Universe } from './universe.js';

/** Where Linux keeps files in memory: deaths here are of a process, so the disk need not be waited for. */
const MEMORY = '/dev/shm';
const DOOR_MS = 250;
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

export interface TellOptions {
  /** Checks of the oracle that are left out. */
  readonly without?: ReadonlySet<CheckName>;
}

/** Plays a story through, or until the oracle objects. */
export async function tell(program: Program, story: Story, options: TellOptions = {}): Promise<Telling> {
  installDisk();
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
  #agents = 0;
  #is_storm = true;

  constructor(program: Program, story: Story, { without = new Set() }: TellOptions) {
    this.story = story;
    this.skus = story.skus;
    this.universe = new Universe(story.seed);
    Universe.enter(this.universe);
    const { universe, trace } = this;
    this.#folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'holdfast-simulation-'));
    const path = join(this.#folder, 'ledger.db');
    this.network = new Network(universe, trace, () => this.shop);
    universe.fetch = this.network.fetch;
    this.shop = new SandboxServer({
      catalogue: CATALOGUE,
      now: () => universe.now_ms,
      origin: ORIGIN,
      seed: story.seed,
      rate: 'advanced',
      webhooks: { mergeWindowMs: 1_000, concurrency: 4 },
      poster: this.network.posterTo(() => this.servers),
    });
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
      ...(story.quotas ? {} : NO_QUOTAS),
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
      for (const action of story.actions) {
        const ms = STORY_START_MS + action.at_ms - universe.now_ms;
        universe.after(ms, () => this.#act(action), stage);
      }
      const check = () => oracle.check();
      await universe.runUntil(STORY_START_MS + STORM_MS, check);
      this.#calm();
      const calm_ms = STORY_START_MS + STORM_MS;
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
    const place = Object.keys(STOCK[sku] ?? {}).find((one) => shop.stockOf(sku, one).available > 0);
    if (place === undefined || !this.#is_storm) return;
    shop.sell(sku, 1, { at: place });
    this.trace.note(this.universe.now_ms, 'world', `the till sells one ${sku} to somebody else`);
  }

  #act({ kind, seed }: Action): void {
    if (!this.#is_storm) return;
    const what = ACTS[kind](this, new Dice(seed));
    if (what === null) return;
    this.trace.count(`act_${kind}`);
    this.trace.note(this.universe.now_ms, 'world', what);
  }

  #start(server: ServerProcess): void {
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
      this.universe.after(DOOR_MS, tick, life);
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
    this.network.silence_until_ms = 0;
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

const CATALOGUE: Catalogue = {
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
        stock: STOCK[sku] ?? {},
      },
    ],
  })),
};

function prefixed(prefix: string, counts: object): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}${name}`, count]));
}
