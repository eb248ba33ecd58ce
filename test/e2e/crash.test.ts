/**
 * `kill -9` at random moments of a busy server. The server is the built command in a process of its own; the shop is
 * a sandbox in this one, so that it outlives every crash and remembers what was really sent to it.
 *
 * HOLDFAST_TEST_KILLS sets how often it is killed, HOLDFAST_TEST_SEED repeats a run's choices.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/server.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { NO_QUOTAS } from '../helpers/no-quotas.js';
import { product, tailOf } from '../helpers/shop-ledger.js';
import { HOLDFAST, type Json, type ToolAnswer } from './any-client.js';

const KILLS = Number(process.env['HOLDFAST_TEST_KILLS'] ?? 15);
const SEED = Number(process.env['HOLDFAST_TEST_SEED'] ?? Date.now() % 1_000_000);
const AGENTS = 6;
/** Rows of a worker that was killed are taken over when its claim ends; then lost answers are looked up. */
const SETTLED_WITHIN_MS = 300_000;

const PLENTY = 'CAP';
const SCARCE = 'SCARF';
const SCARCE_UNITS = 12;

/** Mulberry32: the same seed makes the same choices. */
function choices(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let folder: string;
let sandbox: SandboxServer;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  sandbox = new SandboxServer({
    catalogue: {
      locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
      products: [product(PLENTY, { Warehouse: 100_000 }), product(SCARCE, { Warehouse: SCARCE_UNITS })],
    },
  });
  const { origin } = await sandbox.start();
  server = new Server(origin);
});

afterEach(async () => {
  await server.kill('SIGKILL');
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The command in a child process, killed and started again on the same ledger. */
class Server {
  readonly #shopOrigin: string;
  #child: ChildProcess | null = null;
  #url: Promise<string> = Promise.reject(new Error('not started'));

  constructor(shopOrigin: string) {
    this.#shopOrigin = shopOrigin;
    this.#url.catch(() => {});
  }

  /** Where it serves now; waits while it starts. */
  get url(): Promise<string> {
    return this.#url;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [HOLDFAST, 'serve', '--http'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...NO_QUOTAS,
        HOLDFAST_DB: join(folder, 'ledger.db'),
        HOLDFAST_HTTP_PORT: '0',
        HOLDFAST_HEARTBEAT_SECONDS: '1',
        HOLDFAST_LOOKUP_WAIT_SECONDS: '1',
        SHOPIFY_SHOP: 'sandbox.myshopify.com',
        SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
        SHOPIFY_ORIGIN: this.#shopOrigin,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const { stderr } = child;
    this.#url = (async () => {
      const told: string[] = [];
      for await (const line of createInterface(stderr)) {
        told.push(line);
        const entry = line.startsWith('{') ? JSON.parse(line) : {};
        if (entry.msg !== 'serving') continue;
        stderr.resume();
        return entry.mcp as string;
      }
      throw new Error(`the server ended before it served:\n${told.join('\n')}`);
    })();
    await this.#url;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return ended;
  }

  /** A call that is made again, with the same arguments, until it is answered. */
  async call(name: string, args: Record<string, unknown>): Promise<ToolAnswer> {
    for (;;) {
      try {
        return await this.#callOnce(name, args);
      } catch {
        await pause(20); // killed under us: nobody knows whether it had its effect
      }
    }
  }

  async #callOnce(name: string, args: Record<string, unknown>): Promise<ToolAnswer> {
    const response = await fetch(await this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: args },
      }),
    });
    const body = await response.text();
    const data = body.split('\n').find((line) => line.startsWith('data: '));
    return JSON.parse(data?.slice('data: '.length) ?? body).result;
  }
}

/** What an agent was told: the ledger has to stand by all of it. */
interface Told {
  readonly reservations: Map<string, Json>;
  readonly orders: Map<string, Json>;
  readonly released: Set<string>;
}

/** One agent's day: reserves and then submits, releases or forgets, and asks everything again now and then. */
async function agent(name: string, random: () => number, told: Told, isOver: () => boolean): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    const idempotency_key = `${name}-${turn}`;
    const sku = random() < 0.8 ? PLENTY : SCARCE;
    const args = { lines: [{ sku, quantity: 1 + Math.floor(random() * 2) }], idempotency_key };
    const answer = await server.call('reserve_units', args);
    if (answer.isError) {
      const code = answer.structuredContent.error.code;
      expect(['stock_insufficient', 'stock_stale', 'busy', 'upstream_unavailable', 'sku_unknown']).toContain(
        code,
      );
      await pause(10);
      continue;
    }
    const reservation = answer.structuredContent;
    told.reservations.set(idempotency_key, { args, ...reservation });
    const what = random();
    if (what < 0.5) await submit(reservation, `${name}-${turn}-order`, told);
    else if (what < 0.85) await release(reservation, told);
    if (random() < 0.3) await expectSameReservation(idempotency_key, told);
  }
}

async function submit(reservation: Json, idempotency_key: string, told: Told): Promise<void> {
  const { reservation_id, stock_hash } = reservation;
  const args = { reservation_id, stock_hash, idempotency_key, reference: idempotency_key };
  const answer = await server.call('submit_order_with_hash', args);
  expect(answer.isError, answer.content[0]?.text).not.toBe(true);
  told.orders.set(idempotency_key, { args, ...answer.structuredContent });
}

async function release({ reservation_id }: Json, told: Told): Promise<void> {
  const answer = await server.call('release_reservation', { reservation_id });
  expect(answer.structuredContent).toMatchObject({ status: 'released' });
  told.released.add(reservation_id);
}

async function expectSameReservation(key: string, told: Told): Promise<void> {
  const { args, reservation_id, stock_hash, lines, expires_at } = told.reservations.get(key);
  const again = await server.call('reserve_units', args);
  expect(again.structuredContent).toMatchObject({
    reservation_id,
    stock_hash,
    lines,
    expires_at,
    replayed: true,
  });
}

function rows<T>(sql: string): T[] {
  const Driver = loadDriver();
  const db = new Driver(join(folder, 'ledger.db'), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}

/** Nothing is on its way any more: every order decided, and the shop in line with every reservation. */
function unsettled(): unknown[] {
  return rows(`SELECT r.id, r.state, r.shop_state, r.parked, r.last_failure, o.state AS order_state FROM reservations r
    LEFT JOIN orders o ON o.reservation_key = r.reservation_key
    WHERE o.state IN ('held', 'accepted') OR r.shop_state IN ('creating', 'completing', 'deleting')
      OR (r.state IN ('released', 'expired') AND r.shop_state = 'open')
      OR (r.state <> 'active' AND EXISTS (SELECT 1 FROM holds h WHERE h.reservation_key = r.reservation_key))`);
}

/** Calls to the shop whose outcome the dead process did not live to see. */
/** Resolves while the shop is slow to answer a call: chance alone hits no such moment on a machine that is busy. */
async function underWay(): Promise<void> {
  sandbox.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'delay', ms: 5_000 });
  await expect.poll(halfDone, { timeout: SETTLED_WITHIN_MS, interval: 10 }).toBeGreaterThan(0);
}

function halfDone(): number {
  return rows("SELECT 1 FROM reservations WHERE shop_state IN ('creating', 'completing', 'deleting')").length;
}

interface Row {
  readonly id: string;
  readonly tag: string;
  readonly state: string;
  readonly shop_state: string;
  readonly order_state: string | null;
  readonly upstream_order_ref: string | null;
}

function expectShopInLine(): void {
  const ledger =
    rows<Row>(`SELECT r.id, r.tag, r.state, r.shop_state, o.state AS order_state, o.upstream_order_ref
    FROM reservations r LEFT JOIN orders o ON o.reservation_key = r.reservation_key`);
  const byTag = new Map(ledger.map((row) => [row.tag, row]));
  const tagOf = (tags: readonly string[]) => tags.find((tag) => tag.startsWith('hf-')) ?? '';

  const ours = [...sandbox.shop.orders.all()].filter(({ tags }) => tags.includes('holdfast'));
  const atShop = ours.map(({ id, tags }) => `${tagOf(tags)} ${tailOf(id)}`).sort();
  const placed = ledger.filter(({ order_state }) => order_state === 'placed');
  expect(atShop).toEqual(placed.map((row) => `${row.tag} ${row.upstream_order_ref}`).sort());

  sandbox.shop.settle();
  const drafts = [...sandbox.shop.draftOrders.all()].filter(({ orderId }) => orderId === null);
  const stray = drafts.filter(({ tags }) => byTag.get(tagOf(tags))?.state !== 'active');
  expect(stray.map(({ tags }) => byTag.get(tagOf(tags)))).toEqual([]);
  expect(new Set(drafts.map(({ tags }) => tagOf(tags))).size).toBe(drafts.length);
}

describe('kill -9', () => {
  test(`${KILLS} times (seed ${SEED}): L4, L6, L7: what was answered is there, once, at the shop too`, {
    timeout: 1_200_000,
  }, async () => {
    const random = choices(SEED);
    const told: Told = { reservations: new Map(), orders: new Map(), released: new Set() };
    let isOver = false;
    let inFlight = 0;
    await server.start();
    const agents = Array.from({ length: AGENTS }, (_, n) =>
      agent(`agent-${n}`, choices(SEED + n + 1), told, () => isOver),
    );
    const working = Promise.all(agents);
    working.catch(() => {});

    for (let kill = 0; kill < KILLS; kill += 1) {
      if (kill % 2 === 0) await pause(50 + random() * 900);
      else await underWay();
      if (random() < 0.5) sandbox.shop.sell(PLENTY, 1);
      await server.kill('SIGKILL');
      inFlight += halfDone();
      const { problems } = verifyLedgerFile(join(folder, 'ledger.db'));
      expect(problems).toEqual([]);
      await server.start();
    }
    isOver = true;
    await working;
    // It was busy, and it was hit in the middle of things.
    expect(inFlight).toBeGreaterThan(0);
    expect(told.orders.size).toBeGreaterThan(0);
    expect(told.released.size).toBeGreaterThan(0);

    // Every key still gives the answer that it gave, and every answered reservation is there.
    for (const key of told.reservations.keys()) await expectSameReservation(key, told);
    for (const { args, order_id } of told.orders.values()) {
      const again = await server.call('submit_order_with_hash', args);
      expect(again.structuredContent).toMatchObject({ order_id, replayed: true });
    }
    const ids = rows<{ id: string }>('SELECT id FROM reservations').map(({ id }) => id);
    const answered = [...told.reservations.values()].map(({ reservation_id }) => reservation_id);
    expect(new Set(answered).size).toBe(answered.length);
    expect([...ids].sort()).toEqual([...answered].sort()); // none beside them either: every call was answered in the end

    await expect.poll(unsettled, { timeout: SETTLED_WITHIN_MS, interval: 200 }).toEqual([]);

    expect(await server.kill('SIGTERM')).toBe(0);
    const { problems } = verifyLedgerFile(join(folder, 'ledger.db'));
    expect(problems).toEqual([]);
    expectShopInLine();
    const states = rows<{ id: string; state: string }>('SELECT id, state FROM reservations');
    for (const { id, state } of states) if (told.released.has(id)) expect(state).toBe('released');
    // The scarce one was wanted by all, all the time, and never sold twice.
    expect(sandbox.shop.readStock(SCARCE, 'Warehouse').available).toBeGreaterThanOrEqual(0);
    // And of the other there was always enough: whatever was accepted or held was placed in the end.
    const lost = rows(`SELECT o.state, o.reasons FROM orders o
      JOIN reservations r ON r.reservation_key = o.reservation_key
      WHERE o.state <> 'placed' AND r.lines LIKE '%"${PLENTY}"%'`);
    expect(lost).toEqual([]);
  });
});
