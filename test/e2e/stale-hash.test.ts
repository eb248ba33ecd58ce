/**
 * The stock changes between reserve and submit. The whole program runs with its loops against a sandbox shop, and the
 * agents talk MCP over HTTP.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Holdfast, openHoldfast } from '../../src/app/open-app.js';
import { LIMITS, readConfig } from '../../src/config/config.js';
import { type HttpServing, serveOnHttp } from '../../src/http/http.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { knownAs } from '../helpers/known-as.js';
import { AGENT, MINUTE, OTHER_AGENT } from '../helpers/ledger.js';
import { ShopLedger, SMALL_CATALOGUE } from '../helpers/shop-ledger.js';
import { type AnyClient, CLIENTS, type Json } from './any-client.js';

const connect = CLIENTS['the v2 client in the 2026-07-28 era'];
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let sandbox: SandboxServer;
let holdfast: Holdfast;
const closing: (() => Promise<void>)[] = [];

async function start(settings: Record<string, string> = {}): Promise<void> {
  const { origin } = await sandbox.start();
  const config = readConfig({
    HOLDFAST_DB: join(folder, 'ledger.db'),
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
    HOLDFAST_HEARTBEAT_SECONDS: '1',
    ...settings,
  });
  holdfast = openHoldfast(config, SILENT);
  holdfast.startLoops();
}

/** An agent of its own, at an MCP server of its own on the one ledger. */
class Agent {
  readonly #client: AnyClient;

  private constructor(client: AnyClient) {
    this.#client = client;
  }

  static async called(principal: string): Promise<Agent> {
    const serving: HttpServing = await serveOnHttp({ version: '0' }, holdfast.tools, {
      host: '127.0.0.1',
      port: 0,
      authenticator: knownAs(principal),
      ...LIMITS.http,
      onError: () => {},
    });
    closing.push(() => serving.close());
    if (connect === undefined) throw new Error('no such client');
    const client = await connect({ url: new URL(`${serving.origin}/mcp`) });
    closing.push(() => client.close());
    return new Agent(client);
  }

  /** What a call answers that has to be granted. */
  async call(name: string, args: Record<string, unknown>): Promise<Json> {
    const answer = await this.#client.call(name, args);
    expect(answer.isError, answer.content[0]?.text).not.toBe(true);
    return answer.structuredContent;
  }

  reserve(sku: string, quantity: number): Promise<Json> {
    return this.call('reserve_units', { lines: [{ sku, quantity }] });
  }

  submit({ reservation_id, stock_hash }: Json): Promise<Json> {
    return this.call('submit_order_with_hash', { reservation_id, stock_hash });
  }

  order({ order_id }: Json): Promise<Json> {
    return this.call('get_order', { order_id });
  }

  async stock(sku: string): Promise<Json> {
    return (await this.call('check_stock', { skus: [sku] })).items[0];
  }
}

const until = (what: () => Promise<unknown>) => expect.poll(what, { timeout: 60_000, interval: 25 });

/** The shop holds the units of a reservation too. */
const mirrored = async (sku: string, open: number) => {
  await until(
    async () => [...sandbox.shop.draftOrders.all()].filter((draft) => draft.held.length > 0).length,
  ).toBe(open);
  const level = () =>
    holdfast.store.read({ skus: [sku] }, (state) => state.items.get(sku)?.levels[0]?.held_units);
  await until(level).toBe(0);
};

/** The server has heard of it through its own heartbeat. */
const noticed = (agent: Agent, sku: string, stockHash: string) =>
  until(async () => (await agent.stock(sku)).stock_hash !== stockHash).toBe(true);

describe('a sale at the till between reserve and submit', () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
    sandbox = new SandboxServer({ catalogue: SMALL_CATALOGUE });
  });

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await holdfast.stop();
    await sandbox.stop();
    const { problems } = verifyLedgerFile(join(folder, 'ledger.db'));
    rmSync(folder, { recursive: true, force: true });
    expect(problems).toEqual([]);
  });

  test('L5: makes the checksum stale, and the order is placed when the stock still covers it', async () => {
    await start();
    const agent = await Agent.called(AGENT);
    const reservation = await agent.reserve('SCARF', 2);
    await mirrored('SCARF', 1);
    sandbox.shop.sell('SCARF', 1);
    await noticed(agent, 'SCARF', reservation.stock_hash);

    const answer = await agent.submit(reservation);
    expect(answer.hash_verdict).toBe('stale');
    expect(answer.current_stock_hash).not.toBe(reservation.stock_hash);

    await until(async () => (await agent.order(answer)).status).toBe('placed');
    const order = await agent.order(answer);
    expect(order).toMatchObject({ hash_verdict: 'stale', reasons: [], upstream: { order_name: '#1002' } });
    const story = order.timeline.map(({ event }: Json) => event);
    const told = ['reservation.created', 'shop.open', 'order.held', 'order.revalidated', 'order.placed'];
    expect(story.filter((event: string) => told.includes(event))).toEqual(told);
    expect(sandbox.shop.readStock('SCARF', 'Warehouse').available).toBe(0);
    await until(async () => (await agent.stock('SCARF')).available_to_promise).toBe(0);
  });

  test('L3: makes the checksum stale, and the order is rejected and its units freed when the stock does not cover it', async () => {
    await start();
    const agent = await Agent.called(AGENT);
    const reservation = await agent.reserve('SCARF', 2);
    await mirrored('SCARF', 1);
    sandbox.shop.sell('SCARF', 2);
    await noticed(agent, 'SCARF', reservation.stock_hash);

    const answer = await agent.submit(reservation);
    expect(answer.hash_verdict).toBe('stale');
    await until(async () => (await agent.order(answer)).status).toBe('rejected');
    const order = await agent.order(answer);
    expect(order.reasons).toMatchObject([{ code: 'stock_insufficient', sku: 'SCARF' }]);
    const story = order.timeline.map(({ event }: Json) => event);
    expect(story).toContain('order.held');
    expect(story).not.toContain('order.placed');

    // The sale makes the hold due by itself, so the shop may have let go of it before the order is rejected.
    await until(async () => (await agent.order(answer)).timeline.map(({ event }: Json) => event)).toContain(
      'shop.deleted',
    );
    await until(async () => (await agent.stock('SCARF')).available_to_promise).toBe(1);
    expect([...sandbox.shop.draftOrders.all()]).toEqual([]);
    expect([...sandbox.shop.orders.all()]).toHaveLength(1);
  });

  test('is held, not lost, while the shop can not be read, and placed when it can', async () => {
    await start();
    const agent = await Agent.called(AGENT);
    const reservation = await agent.reserve('SCARF', 2);
    await mirrored('SCARF', 1);
    sandbox.shop.sell('SCARF', 1);
    await noticed(agent, 'SCARF', reservation.stock_hash);
    sandbox.faults.add({ operation: 'nodes', when: 'before', action: 'status', code: 503, times: 1_000 });

    const answer = await agent.submit(reservation);
    expect(answer).toMatchObject({
      hash_verdict: 'stale',
      status: 'held',
      reasons: [{ code: 'stock_stale' }],
    });
    expect(answer.next).toContain('get_order');
    sandbox.faults.clear();
    await until(async () => (await agent.order(answer)).status).toBe('placed');
  });

  test('L1: of two reservations serves the older one, whichever submits first', async () => {
    // Both come from this machine, and one origin may not have all three units.
    await start({ HOLDFAST_QUOTA_ORIGIN_SHARE: 'off' });
    const [first, second] = [await Agent.called(AGENT), await Agent.called(OTHER_AGENT)];
    const older = await first.reserve('SCARF', 2);
    const younger = await second.reserve('SCARF', 1);
    await mirrored('SCARF', 2);
    sandbox.shop.sell('SCARF', 1);
    await noticed(first, 'SCARF', older.stock_hash);

    const late = await second.submit(younger);
    const early = await first.submit(older);
    expect([late.hash_verdict, early.hash_verdict]).toEqual(['stale', 'stale']);
    await until(async () => (await second.order(late)).status).toBe('rejected');
    await until(async () => (await first.order(early)).status).toBe('placed');
    await until(async () =>
      [...sandbox.shop.draftOrders.all()].filter((draft) => draft.orderId === null),
    ).toEqual([]);
    expect(sandbox.shop.readStock('SCARF', 'Warehouse').available).toBe(0);
  });

  test('L5: before the heartbeat has heard of it, takes nothing from anybody: the draft holds the units at the shop', async () => {
    await start({ HOLDFAST_HEARTBEAT_SECONDS: '60' });
    const agent = await Agent.called(AGENT);
    const reservation = await agent.reserve('SCARF', 2);
    await mirrored('SCARF', 1);
    sandbox.shop.sell('SCARF', 1);
    const answer = await agent.submit(reservation);
    expect(answer).toMatchObject({ hash_verdict: 'match' });
    await until(async () => (await agent.order(answer)).status).toBe('placed');
    expect(sandbox.shop.readStock('SCARF', 'Warehouse').available).toBe(0);
  });
});

describe('a reservation past its time', () => {
  test('L3: promises nothing although no loop has run since, and another agent takes the units', async () => {
    const t = await ShopLedger.open();
    try {
      const reservation = await t.granted('COAT', 1, { ttl_seconds: 60 });
      expect(await t.reserve('COAT', 1, { principal: OTHER_AGENT })).toMatchObject({
        ok: false,
        refusal: { code: 'stock_insufficient' },
      });
      t.time.pass(MINUTE); // at the very moment of its end
      expect(await t.atp('COAT')).toBe(1);
      expect(await t.reserve('COAT', 1, { principal: OTHER_AGENT })).toMatchObject({ ok: true });
      expect(await t.submit(reservation)).toMatchObject({
        ok: false,
        refusal: { code: 'reservation_expired' },
      });
      await t.workFor(5_000);
      expect(t.drafts()).toHaveLength(1);
      await t.expectTrueBooks();
    } finally {
      await t.close();
    }
  });

  test('L3: that the shop holds too gives its units to another as soon as the shop has let go, without a sweep', async () => {
    const t = await ShopLedger.open();
    try {
      await t.mirrored('COAT', 1, { ttl_seconds: 60 });
      t.time.pass(4 * MINUTE); // the outbox is dead; the shop lets go by itself
      await t.beat();
      expect(await t.reserve('COAT', 1, { principal: OTHER_AGENT })).toMatchObject({ ok: true });
      await t.workFor(MINUTE);
      expect(t.drafts()).toHaveLength(1);
      await t.expectTrueBooks();
    } finally {
      await t.close();
    }
  });
});
