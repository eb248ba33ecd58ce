/**
 * Webhooks and the whole program: the built command in a process of its own, the sandbox shop in this one, and between
 * them real connections and real time. Nothing here depends on how fast the machine is; what was measured is printed.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { product, tailOf } from '../helpers/shop-ledger.js';
import { levelBody, signed } from '../helpers/webhooks.js';
import { freePort, Served } from './served.js';

const SECRET = 'sandbox';
const ITEMS = 100;
const STOCK_UNITS = 1_000_000;
const BURST = 20_000;
const SENDERS = 64;
/** On the slowest machine there is: only so that a test that hangs ends. */
const PATIENCE = { timeout: 110_000, interval: 50 };

const skus = Array.from({ length: ITEMS }, (_, n) => `SKU-${n}`);

let folder: string;
let sandbox: SandboxServer;
let server: Served;
let agent: Agent;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-webhooks-'));
  agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  sandbox = new SandboxServer({
    catalogue: {
      locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
      products: skus.map((sku) => product(sku, { Warehouse: STOCK_UNITS })),
    },
  });
});
afterEach(async () => {
  await server.kill('SIGKILL');
  agent.destroy();
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

const db = () => join(folder, 'ledger.db');

/** `publicUrl`: where the shop is told to send; left out, to where nobody listens. */
async function serve(publicUrl: 'own' | 'nobody'): Promise<void> {
  const { origin } = await sandbox.start();
  const port = await freePort();
  server = new Served(folder, {
    HOLDFAST_DB: db(),
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_WEBHOOK_PORT: `${port}`,
    // The slowest there is: what is known sooner is known by webhook.
    HOLDFAST_HEARTBEAT_SECONDS: '60',
    HOLDFAST_PUBLIC_URL: publicUrl === 'own' ? `http://127.0.0.1:${port}` : 'http://127.0.0.1:9',
    SHOPIFY_WEBHOOK_SECRETS: SECRET,
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
  });
  await server.start();
  await expect.poll(() => available('SKU-99'), PATIENCE).toBe(STOCK_UNITS);
}

async function available(sku: string): Promise<number> {
  const { structuredContent } = await server.call('check_stock', { skus: [sku] });
  return structuredContent.items[0]?.available_to_promise ?? 0;
}

function rows<T>(sql: string): T[] {
  const file = new (loadDriver())(db(), { readonly: true });
  try {
    return file.prepare(sql).pluck().all() as T[];
  } finally {
    file.close();
  }
}

function itemIds(): Map<string, string> {
  return new Map([...sandbox.shop.inventory.items.values()].map((item) => [item.sku ?? '', tailOf(item.id)]));
}

interface Message {
  readonly id: string;
  readonly body: string;
}

/** The status of the answer; 0 when there was none. */
function post({ id, body }: Message): Promise<number> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.origin);
    const headers = signed(body, { id, secret: SECRET });
    const options = { agent, hostname, port, method: 'POST', path: '/webhooks/shopify', headers };
    const call = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    call.on('error', () => resolve(0));
    call.end(body);
  });
}

/** All of them, so many at a time, and in this order. Answers the statuses by id. */
async function postAll(
  messages: readonly Message[],
  before?: (index: number) => void,
): Promise<Map<string, number>> {
  const statuses = new Map<string, number>();
  let next = 0;
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (let index = next++; index < messages.length; index = next++) {
        const message = messages[index];
        if (message === undefined) return;
        before?.(index);
        statuses.set(message.id, await post(message));
      }
    }),
  );
  return statuses;
}

const inboxIsEmpty = () =>
  expect.poll(async () => (await server.metrics())['inbox_waiting'], PATIENCE).toBe(0);

/**
 * In the end the ledger shows the shop's own figures, all of them fresh. Not at once: the shop may just have given back
 * the unit of a reservation that an agent has released, which the ledger counts again only after it has seen it there.
 */
async function expectShopsFigures(): Promise<void> {
  for (let at = 0; at < skus.length; at += 20) {
    const some = skus.slice(at, at + 20);
    const figuresThatDiffer = async () => {
      const { structuredContent } = await server.call('check_stock', { skus: some });
      return structuredContent.items
        .map(({ sku, available_to_promise: promised, fresh }: never) => ({ sku, promised, fresh }))
        .map((told: { sku: string }) => ({
          ...told,
          shop: sandbox.shop.readStock(told.sku, 'Warehouse').available,
        }))
        .filter(({ promised, fresh, shop }: never) => promised !== shop || fresh !== true);
    };
    await expect.poll(figuresThatDiffer, PATIENCE).toEqual([]);
  }
}

/** An agent's call is answered, whatever else goes on. On a slow machine a re-read may take longer than it waits. */
async function checkAndReserve(sku: string): Promise<void> {
  const checked = await server.call('check_stock', { skus: [sku] });
  expect(checked.isError, checked.content[0]?.text).not.toBe(true);
  expect(checked.structuredContent.items).toMatchObject([{ sku }]);
  const lines = [{ sku, quantity: 1 }];
  const { isError, structuredContent } = await server.call('reserve_units', { lines, ttl_seconds: 60 });
  if (isError) expect(['stock_stale', 'busy']).toContain(structuredContent.error.code);
  else await server.call('release_reservation', { reservation_id: structuredContent.reservation_id });
}

describe('with webhooks on', () => {
  test('a sale at the till is known without a heartbeat', async () => {
    await serve('own');
    await expect.poll(() => server.log.some(({ msg }) => msg === 'webhooks_subscribed'), PATIENCE).toBe(true);
    // On a slow machine the first read may end after the shop has promised to tell.
    await expect
      .poll(() => rows<number>('SELECT confirmed_at_ms FROM ledger')[0], PATIENCE)
      .toBeGreaterThan(0);
    const heartbeats = rows<number>('SELECT confirmed_at_ms FROM ledger');
    sandbox.shop.sell('SKU-7', 3);
    await expect.poll(() => available('SKU-7'), PATIENCE).toBe(STOCK_UNITS - 3);
    expect(rows<number>('SELECT confirmed_at_ms FROM ledger')).toEqual(heartbeats);
    await inboxIsEmpty();
    expect((await server.metrics())['webhook_deliveries_total{outcome="taken"}']).toBeGreaterThan(0);
  });

  test('the built-in shop tells by itself, with nothing to set', async () => {
    server = new Served(folder, { HOLDFAST_HTTP_PORT: '0', HOLDFAST_WEBHOOK_PORT: '0' }, ['--sandbox']);
    await server.start();
    const subscribed = () => server.log.find(({ msg }) => msg === 'webhooks_subscribed');
    await expect.poll(() => subscribed()?.url, PATIENCE).toBe(`${server.origin}/webhooks/shopify`);
    expect(subscribed().created).toContain('inventory_levels/update');
  });

  test('a public address without a secret stops the start, with the mend', async () => {
    server = new Served(folder, {
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_PUBLIC_URL: 'https://stock.example.com',
      SHOPIFY_SHOP: 'sandbox.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    });
    await expect(server.start()).rejects.toThrow('set SHOPIFY_WEBHOOK_SECRETS');
  });
});

describe('20,000 deliveries at once', { timeout: 400_000 }, () => {
  test('are all taken, none is lost, little is read, and tools keep answering', async () => {
    await serve('nobody');
    const ids = itemIds();
    const messages = Array.from({ length: BURST }, (_, n) => {
      // A flash sale: half of it is about five items.
      const sku = skus[n % 2 === 0 ? (n / 2) % 5 : Math.floor(n / 2) % ITEMS] ?? '';
      return { id: `burst-${n}`, sku, body: levelBody(ids.get(sku) ?? '') };
    });
    const memory_before = server.peakMemory();
    let isOver = false;
    let calls = 0;
    const callers = Array.from({ length: 2 }, async () => {
      for (; !isOver; calls += 1) await checkAndReserve(skus[calls % ITEMS] ?? '');
    });
    const began = performance.now();
    const statuses = await postAll(messages, (index) => sandbox.shop.sell(messages[index]?.sku ?? '', 1));
    const taken_ms = performance.now() - began;
    isOver = true;
    await Promise.all(callers);
    await inboxIsEmpty();
    const drained_ms = performance.now() - began;

    expect([...new Set(statuses.values())]).toEqual([200]);
    expect(rows<number>("SELECT count(*) FROM deliveries WHERE delivery_id LIKE 'burst-%'")).toEqual([BURST]);
    const metrics = await server.metrics();
    expect(metrics['webhook_deliveries_total{outcome="taken"}']).toBe(BURST);
    expect(metrics['inbox_settled_total']).toBe(BURST);
    const rereads = metrics['inbox_items_reread_total'] ?? Number.NaN;
    expect(rereads + (metrics['inbox_hints_coalesced_total'] ?? 0)).toBe(BURST);
    // However long it took: no item more often than the gap allows.
    const gaps = Math.ceil(drained_ms / LIMITS.inbox.reread_gap_ms) + 1;
    expect(rereads).toBeLessThanOrEqual(ITEMS * gaps);
    await expectShopsFigures();
    expect(calls).toBeGreaterThan(0);
    const grown = (server.peakMemory() ?? 0) - (memory_before ?? 0);
    expect(grown).toBeLessThan(256 * 1024 * 1024);
    await server.kill('SIGTERM');
    expect(verifyLedgerFile(db()).problems).toEqual([]);
    console.log(
      `${BURST} deliveries about ${ITEMS} items: taken in ${(taken_ms / 1000).toFixed(1)} s ` +
        `(${Math.round(BURST / (taken_ms / 1000))}/s), worked off after ${(drained_ms / 1000).toFixed(1)} s, ` +
        `${rereads} items read (${((rereads / BURST) * 100).toFixed(1)} %), ` +
        `peak memory +${Math.round(grown / 1024 / 1024)} MiB, ${calls} rounds of check, reserve, release meanwhile`,
    );
  });
});

describe('kill -9', { timeout: 400_000 }, () => {
  test('at any moment of a burst loses no delivery that was answered, and doubles none that is sent again', async () => {
    await serve('nobody');
    const ids = itemIds();
    const messages = Array.from({ length: 3_000 }, (_, n) => ({
      id: `m-${n}`,
      sku: skus[n % ITEMS] ?? '',
      body: levelBody(ids.get(skus[n % ITEMS] ?? '') ?? ''),
    }));
    for (const sku of skus) sandbox.shop.sell(sku, 5);
    let open: readonly Message[] = messages;
    for (const killedAfter of [300, 700, 1_100]) {
      const { length } = open;
      const statuses = await postAll(open, (index) => {
        if (index === Math.min(killedAfter, length - 1)) void server.kill('SIGKILL');
      });
      const answered = open.filter(({ id }) => statuses.get(id) === 200);
      expect(answered.length).toBeGreaterThan(0);
      const known = new Set(rows<string>('SELECT delivery_id FROM deliveries'));
      expect(answered.filter(({ id }) => !known.has(id))).toEqual([]);
      // As Shopify does: what was not answered is sent again, whether it was taken in or not.
      open = open.filter(({ id }) => statuses.get(id) !== 200);
      await server.kill('SIGKILL');
      await server.start();
    }
    const statuses = await postAll(open);
    expect([...new Set(statuses.values())]).toEqual([200]);
    expect(rows<number>('SELECT count(*) FROM deliveries')).toEqual([messages.length]);
    await inboxIsEmpty();
    await expectShopsFigures();
    await server.kill('SIGTERM');
    expect(verifyLedgerFile(db()).problems).toEqual([]);
  });
});
