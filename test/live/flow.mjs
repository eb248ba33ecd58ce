/** The whole of Holdfast against the shop: read it, hold, sell, place, see a cancellation, and prove the books. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { cancelOrder } from './cleaning.mjs';
import { changesBetween, goodsOf, TAG, watch } from './goods.mjs';
import { seconds } from './questions.mjs';
import { wait } from './shop.mjs';

const HOLDFAST = fileURLToPath(new URL('../../dist/cli/holdfast.js', import.meta.url));
const POLL_MS = 500;
const BUFFER_MAX_BYTES = 64 * 1024 * 1024;

/** Rows `[what, answer]`, told as they come. The first that fails ends the flow. */
export async function runFlow(stage, told) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-live-'));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? folder,
    ...stage.settings,
    HOLDFAST_DB: join(folder, 'ledger.db'),
    HOLDFAST_HEARTBEAT_SECONDS: '5',
    HOLDFAST_LOG_LEVEL: 'error',
    // The product that is made for the test is published nowhere: no shopper shall find it.
    HOLDFAST_PUBLICATION: 'any',
  };
  const place = { env, cwd: folder, signal: stage.signal };
  try {
    const read = await holdfast(place, 'sync', '--json');
    told('Holdfast: reads the shop', read.ok ? `${read.items_read} items` : `no: ${read.message}`);
    if (!read.ok) return;
    await sell(stage, place, told);
    const drift = await holdfast(place, 'reconcile', '--json');
    told('Holdfast: agrees with the shop afterwards', drift.ok ? agreement(drift) : `no: ${drift.message}`);
    const books = await holdfast(place, 'verify', '--json');
    told('Holdfast: its books prove themselves', books.ok ? 'yes' : `no: ${books.problems[0]?.detail}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function agreement({ drift_total, catalogue_drift_total }) {
  const total = drift_total + catalogue_drift_total;
  return total === 0 ? 'yes' : `no: ${total} differed`;
}

async function sell(stage, { env, cwd }, told) {
  const client = new Client({ name: 'holdfast-live-test', version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [HOLDFAST, 'serve'],
    env,
    cwd,
    stderr: 'inherit',
  });
  await client.connect(transport);
  try {
    const { shop, goods } = stage;
    const before = await goodsOf(shop, goods.itemId);
    const reserved = await call(client, 'reserve_units', { lines: [{ sku: goods.sku, quantity: 1 }] });
    const held = await watch(shop, goods.itemId, {
      ...stage.pace,
      done: (now) => changesBetween(before, now).some(({ available }) => available === -1),
    });
    told(
      'Holdfast: a reservation is held at the shop',
      held === null ? 'no' : `yes, in ${seconds(held.took_ms)}`,
    );
    const order = await submit(stage, client, reserved);
    const name = order.upstream?.order_name;
    told(
      'Holdfast: an order is placed, once',
      order.status === 'placed' ? await placedOnce(stage, reserved, name) : `no: ${order.status}`,
    );
    if (order.status === 'placed') await cancelAndSee(stage, client, order, told);
  } finally {
    await client.close();
  }
}

async function submit(stage, client, { reservation_id, stock_hash }) {
  const submitted = await call(client, 'submit_order_with_hash', {
    reservation_id,
    stock_hash,
    reference: TAG,
    note: TAG,
  });
  const ends = ['placed', 'failed', 'rejected'];
  const order = await until(stage, client, submitted.order_id, ({ status }) => ends.includes(status));
  if (order.status === 'placed') {
    const id = `gid://shopify/Order/${String(order.upstream.order_id).replace(/^.*\//, '')}`;
    stage.cleaning.addOrder(id, order.upstream.order_name);
    return { ...order, gid: id };
  }
  return order;
}

/** By the order's own attribute, without the shop's search: what carries our reservation is on this order and no other. */
async function placedOnce({ shop, pace, signal }, { reservation_id }, name) {
  await wait(pace.every_ms, signal);
  const { orders } = await shop.data(
    'query Recent { orders(first: 20, reverse: true) { nodes { name tags customAttributes { key value } } } }',
  );
  const mine = orders.nodes.filter(({ customAttributes }) =>
    customAttributes.some(({ value }) => value === TAG),
  );
  const names = new Set(mine.map((order) => order.name));
  return names.has(name) && mine.length === 1
    ? `yes: ${name}`
    : `no: ${mine.length} orders carry our mark (${reservation_id})`;
}

async function cancelAndSee(stage, client, order, told) {
  const { shop, limits } = stage;
  try {
    await cancelOrder(shop, order.gid);
  } catch (error) {
    told('Holdfast: sees that a person cancelled it', `not asked: ${error.message}`);
    return;
  }
  const began = Date.now();
  const seen = await until(
    stage,
    client,
    order.order_id,
    ({ status }) => status === 'cancelled',
    limits.search_max_s * 1_000,
  );
  told(
    'Holdfast: sees that a person cancelled it',
    seen.status === 'cancelled'
      ? `yes, in ${seconds(Date.now() - began)}`
      : `not within ${limits.search_max_s} s`,
  );
}

async function until({ signal, limits }, client, order_id, done, max_ms = limits.order_max_s * 1_000) {
  const began = Date.now();
  for (;;) {
    const order = await call(client, 'get_order', { order_id });
    if (done(order) || Date.now() - began > max_ms) return order;
    await wait(POLL_MS, signal);
  }
}

async function call(client, name, args) {
  const { isError, structuredContent } = await client.callTool({ name, arguments: args });
  if (isError)
    throw new Error(`${name}: ${structuredContent?.error?.code} ${structuredContent?.error?.message}`);
  return structuredContent;
}

/** The JSON that a command prints, whatever its exit code. */
function holdfast({ env, cwd, signal }, ...args) {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [HOLDFAST, ...args],
      { env, cwd, signal, maxBuffer: BUFFER_MAX_BYTES },
      (error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout));
        } catch {
          reject(
            signal.aborted
              ? signal.reason
              : new Error(`holdfast ${args[0]} said: ${stderr.trim() || error?.message}`),
          );
        }
      },
    );
  });
}
