/**
 * Group e: from a change at the shop to the answer that knows of it, webhooks on and the heartbeat at its slowest. Shop,
 * server and callers are processes of their own. Counted from before the change is asked for until an agent that looks
 * again and again sees it, so it is never less than what happened. Shopify waits a moment to tell of rapid changes
 * together; the sandbox does so for a second, and that second is part of the figure.
 */

import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { tempFolder } from './arena.mjs';
import { number, quantile, table, verdict } from './report.mjs';

setMaxListeners(0);

const HOLDFAST = fileURLToPath(new URL('../../dist/cli/holdfast.js', import.meta.url));
const VARIANTS = 300;
/** Changes under way at once, each of an item of its own. */
const LANES = 25;
/** Agents that check, reserve and release other items meanwhile. */
const CALLERS = 4;
const LOOK_EVERY_MS = 40;
const READY_WITHIN_MS = 120_000;
const TARGET_P99_MS = 2_000;

/**
 * How many points a second the shop grants decides: what agents reserve and release is done there first, and reads get
 * what is left. On the smallest plan they therefore reserve without a hold at the shop.
 */
const CONTESTS = [
  { plan: 'standard', mirror: 'none' },
  { plan: 'plus', mirror: 'draft_order' },
];

export async function webhooks({ quick, isQuiet }) {
  const results = [];
  for (const contest of CONTESTS) results.push(await measure(contest, quick));
  print(results, isQuiet);
  return results;
}

async function measure({ plan, mirror }, quick) {
  const { folder, remove } = tempFolder();
  const shop = await startShop(folder, plan);
  const server = await startServer(folder, shop.origin, mirror);
  try {
    const items = await readItems(shop.origin);
    await untilReady(server, items);
    const events = quick ? 100 : 1_000;
    const before = await metrics(server.origin);
    const { latencies_ms, calls, took_ms } = await underLoad(shop.origin, server, items, events);
    const after = await metrics(server.origin);
    const counted = (name) => (after[name] ?? 0) - (before[name] ?? 0);
    return {
      plan,
      mirror,
      events,
      p50_ms: quantile(latencies_ms, 0.5),
      p90_ms: quantile(latencies_ms, 0.9),
      p99_ms: quantile(latencies_ms, 0.99),
      max_ms: Math.max(...latencies_ms),
      calls_per_s: calls / (took_ms / 1_000),
      deliveries: counted('webhook_deliveries_total{outcome="taken"}'),
      rereads: counted('inbox_items_reread_total'),
    };
  } finally {
    await server.stop();
    await shop.stop();
    remove();
  }
}

async function startShop(cwd, plan) {
  const port = await freePort();
  const args = ['sandbox', '--port', port, '--variants', VARIANTS, '--locations', 1, '--rate', plan];
  const child = spawn(process.execPath, [HOLDFAST, ...args.map(String)], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await lineOf(child, child.stdout, (line) => line.startsWith('Sandbox shop at'));
  return { origin: `http://127.0.0.1:${port}`, stop: () => stopped(child) };
}

async function startServer(cwd, shopOrigin, mirror) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [HOLDFAST, 'serve', '--http'], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOLDFAST_DB: join(cwd, 'webhooks.db'),
      HOLDFAST_HTTP_PORT: `${port}`,
      HOLDFAST_WEBHOOK_PORT: '0',
      HOLDFAST_PUBLIC_URL: origin,
      HOLDFAST_HEARTBEAT_SECONDS: '60',
      HOLDFAST_MIRROR: mirror,
      SHOPIFY_WEBHOOK_SECRETS: 'sandbox',
      SHOPIFY_SHOP: 'sandbox.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
      SHOPIFY_ORIGIN: shopOrigin,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await lineOf(child, child.stderr, (line) => line.includes('"webhooks_subscribed"'));
  const client = new Client({ name: 'bench', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`)));
  const stop = async () => {
    await client.close();
    await stopped(child);
  };
  return { origin, client, stop };
}

/** What is sold at the shop, straight from its API. */
async function readItems(origin) {
  const { inventoryItems } = await admin(
    origin,
    `{ inventoryItems(first: 250) { nodes { id sku tracked inventoryLevels(first: 1) { nodes { location { id } quantities(names: ["available"]) { quantity } } } } } }`,
  );
  return inventoryItems.nodes
    .filter(({ sku, tracked, inventoryLevels: { nodes } }) => sku !== null && tracked && nodes.length > 0)
    .map(({ id, sku, inventoryLevels: { nodes } }) => ({ id, sku, locationId: nodes[0].location.id }));
}

async function untilReady({ client }, items) {
  const end = performance.now() + READY_WITHIN_MS;
  for (const { sku } of items) {
    while ((await check(client, sku)) === null) {
      if (performance.now() > end) throw new Error(`${sku} was not read in time`);
      await pause(100);
    }
  }
}

async function underLoad(shopOrigin, { client }, items, events) {
  const changing = items.slice(0, LANES);
  const others = items.slice(LANES);
  const latencies_ms = [];
  let left = events;
  let calls = 0;
  const caller = async (n) => {
    for (let turn = n; left > 0; turn += CALLERS) {
      const lines = [{ sku: others[turn % others.length].sku, quantity: 1 }];
      await check(client, lines[0].sku);
      const reserved = await client.callTool({ name: 'reserve_units', arguments: { lines } });
      const { reservation_id } = reserved.structuredContent;
      if (reservation_id !== undefined)
        await client.callTool({ name: 'release_reservation', arguments: { reservation_id } });
      calls += 3;
    }
  };
  const lane = async (item) => {
    while (left > 0) {
      left -= 1;
      const known = await check(client, item.sku);
      const began = performance.now();
      await receive(shopOrigin, item);
      while ((await check(client, item.sku)) === known) {
        calls += 1;
        await pause(LOOK_EVERY_MS);
      }
      latencies_ms.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all([...changing.map(lane), ...Array.from({ length: CALLERS }, (_, n) => caller(n))]);
  return { latencies_ms, calls, took_ms: performance.now() - began };
}

/** A checksum that changes with the stock; null while the SKU is not known. */
async function check(client, sku) {
  const { structuredContent } = await client.callTool({ name: 'check_stock', arguments: { skus: [sku] } });
  return structuredContent.items?.[0]?.stock_hash ?? null;
}

/** One unit comes in, as a person books it. */
async function receive(origin, { id, locationId }) {
  const { inventoryAdjustQuantities } = await admin(
    origin,
    `mutation ($input: InventoryAdjustQuantitiesInput!, $key: String!) {
       inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { message } }
     }`,
    {
      key: crypto.randomUUID(),
      input: {
        reason: 'received',
        name: 'available',
        referenceDocumentUri: 'gid://bench/Delivery/1',
        changes: [{ inventoryItemId: id, locationId, delta: 1, changeFromQuantity: null }],
      },
    },
  );
  if (inventoryAdjustQuantities.userErrors.length > 0)
    throw new Error(JSON.stringify(inventoryAdjustQuantities.userErrors));
}

async function admin(origin, query, variables = {}) {
  const response = await fetch(`${origin}/admin/api/2026-10/graphql.json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': 'shpat_sandbox' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

async function metrics(origin) {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/^holdfast_/, '').split(' '))
      .map(([name, value]) => [name, Number(value)]),
  );
}

async function lineOf(child, stream, isIt) {
  const ended = new Promise((_, reject) => {
    child.once('exit', (code) => reject(new Error(`it ended with ${code} before it was ready`)));
  });
  ended.catch(() => {});
  const lines = createInterface(stream);
  await Promise.race([ended, new Promise((resolve) => lines.on('line', (line) => isIt(line) && resolve()))]);
}

function stopped(child) {
  if (child.exitCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  return ended;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function print(results, isQuiet) {
  table(
    'e. From a change at the shop to the answer that knows of it, webhooks on',
    [
      'plan, holds',
      'events',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'longest',
      'calls/s',
      'deliveries',
      'items reread',
      'p99',
    ],
    results.map((result) => [
      `${result.plan}, ${result.mirror}`,
      number(result.events),
      number(result.p50_ms),
      number(result.p90_ms),
      number(result.p99_ms),
      number(result.max_ms),
      number(result.calls_per_s),
      number(result.deliveries),
      number(result.rereads),
      verdict(result.p99_ms, TARGET_P99_MS, { isBelow: true, isQuiet }),
    ]),
  );
  console.log(
    '\nOf each, one second is the time in which the shop waits for more changes to tell of together.',
  );
}
