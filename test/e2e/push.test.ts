/**
 * Changes of stock reach the clients that agents really bring, over both transports: each beside a server of its own, or
 * on one over HTTP, all of them on one ledger file and one shop. Whoever follows over stdio is on a server that only reads.
 */

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SandboxServer } from '../../src/sandbox/server.js';
import { until } from '../helpers/cli.js';
import { product } from '../helpers/shop-ledger.js';
import { type AnyClient, CLIENTS, type Connect, emptyFolder, HOLDFAST } from './any-client.js';
import { Served } from './served.js';

const SKU = 'SCARF/50%';
const URI = 'stock://sku/SCARF%2F50%25';
const STOCK_UNITS = 1_000;

const folder = emptyFolder();
const sandbox = new SandboxServer({
  catalogue: {
    locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
    products: [SKU, 'OTHER'].map((sku) => product(sku, { Warehouse: STOCK_UNITS })),
  },
});
let env: Record<string, string>;
/** The one that sells, and talks to the shop. */
let server: Served;
let client: AnyClient | undefined;

/** On the slowest machine there is: only so that a test that hangs ends. */
const PATIENCE = { timeout: 100_000, interval: 50 };

beforeAll(async () => {
  const { origin } = await sandbox.start();
  env = {
    PATH: process.env['PATH'] ?? '',
    HOLDFAST_DB: join(folder.path, 'ledger.db'),
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_HEARTBEAT_SECONDS: '5',
    // Nothing but what is done below may change what is promised.
    HOLDFAST_MIRROR: 'none',
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
  };
  server = new Served(folder.path, env);
  await server.start();
  await until(async () => (await available()) === STOCK_UNITS);
});
afterEach(async () => {
  await client?.close();
  client = undefined;
});
afterAll(async () => {
  await server.kill('SIGTERM');
  await sandbox.stop();
  folder.remove();
});

async function available(): Promise<number> {
  const { structuredContent } = await server.call('check_stock', { skus: [SKU] });
  return structuredContent.items[0]?.available_to_promise ?? 0;
}

async function reserve(sku: string): Promise<void> {
  const answer = await server.call('reserve_units', { lines: [{ sku, quantity: 1 }] });
  expect(answer.isError, answer.content[0]?.text).not.toBe(true);
}

function byItself(): Parameters<Connect>[0] {
  return {
    command: {
      command: process.execPath,
      args: [HOLDFAST, 'serve'],
      cwd: folder.path,
      env: { ...env, HOLDFAST_READ_ONLY: '1' },
      stderr: 'ignore',
    },
  };
}

const WAYS: Readonly<Record<string, () => Parameters<Connect>[0]>> = {
  stdio: byItself,
  HTTP: () => ({ url: new URL(`${server.origin}/mcp`) }),
};

describe.each(Object.entries(WAYS))('over %s', (_, where) => {
  it.each(Object.entries(CLIENTS))(
    '%s hears of a reservation and of a sale at the till',
    async (_, connect) => {
      client = await connect(where());
      const told: string[] = [];
      await client.follow(URI, (uri) => told.push(uri));

      await reserve('OTHER');
      await reserve(SKU);
      await expect.poll(() => told, PATIENCE).toEqual([URI]);

      sandbox.shop.sell(SKU, 1);
      await expect.poll(() => told, PATIENCE).toEqual([URI, URI]);
      expect(client.complaints).toEqual([]);
    },
  );
});
