/**
 * The built command with HOLDFAST_READ_ONLY, over both transports, against a shop in another process: agents look and
 * nothing else, and the shop is left as it was.
 */

import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/server.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { product } from '../helpers/shop-ledger.js';
import { type AnyClient, CLIENTS, emptyFolder, HOLDFAST, type Json } from './any-client.js';
import { freePort, Served } from './served.js';

const UNITS = 7;
const SOLD_IN_THE_SHOP = 2;
/** Only so that a test that hangs ends. */
const PATIENCE = { timeout: 50_000, interval: 50 };
const TOOLS_THAT_READ = ['find_items', 'check_stock', 'get_order'];
const HASH = `sha256:${'0'.repeat(64)}`;
const WRITES: readonly (readonly [string, Record<string, unknown>])[] = [
  ['reserve_units', { lines: [{ sku: 'MUG', quantity: 1 }] }],
  ['submit_order_with_hash', { reservation_id: 'res_01', stock_hash: HASH }],
  ['release_reservation', { reservation_id: 'res_01' }],
];

let folder: ReturnType<typeof emptyFolder>;
let sandbox: SandboxServer;
let served: Served | null;
let client: AnyClient;

beforeEach(async () => {
  folder = emptyFolder();
  served = null;
  sandbox = new SandboxServer({
    catalogue: {
      locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
      products: [product('MUG', { Warehouse: UNITS })],
    },
  });
});
afterEach(async () => {
  await client.close();
  await served?.kill('SIGTERM');
  await sandbox.stop();
  folder.remove();
});

async function environment(): Promise<Record<string, string>> {
  const { origin } = await sandbox.start();
  return {
    PATH: process.env['PATH'] ?? '',
    HOLDFAST_READ_ONLY: '1',
    HOLDFAST_DB: join(folder.path, 'ledger.db'),
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_WEBHOOK_PORT: `${await freePort()}`,
    HOLDFAST_HEARTBEAT_SECONDS: '1',
    HOLDFAST_PUBLIC_URL: 'https://stock.example.com',
    SHOPIFY_WEBHOOK_SECRETS: 'sandbox',
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
  };
}

async function connect(over: 'stdio' | 'http'): Promise<AnyClient> {
  const dial = CLIENTS['the v1 SDK client'];
  if (dial === undefined) throw new Error('there is no such client');
  const env = await environment();
  if (over === 'stdio') {
    const args = [HOLDFAST, 'serve'];
    return dial({ command: { command: process.execPath, args, cwd: folder.path, env, stderr: 'ignore' } });
  }
  served = new Served(folder.path, env);
  await served.start();
  return dial({ url: new URL(`${served.origin}/mcp`) });
}

async function mug(): Promise<Json> {
  const { structuredContent } = await client.call('check_stock', { skus: ['MUG'] });
  const [item] = structuredContent.items;
  return item === undefined ? null : { fresh: item.fresh, units: item.available_to_promise };
}

test.each(['stdio', 'http'] as const)(
  'over %s it has three tools, fresh stock, and writes nothing to the shop',
  async (over) => {
    client = await connect(over);
    expect((await client.tools()).map(({ name }) => name)).toEqual(TOOLS_THAT_READ);
    await expect.poll(mug, PATIENCE).toEqual({ fresh: true, units: UNITS });
    for (const [tool, args] of WRITES) {
      const outcome = await client.call(tool, args).then(
        (answer) => (answer.isError === true ? String(answer.content[0]?.text) : 'it was done'),
        (error: unknown) => String(error),
      );
      expect(outcome).toContain(`There is no such tool here. The tools are ${TOOLS_THAT_READ.join(', ')}.`);
    }
    sandbox.shop.sell('MUG', SOLD_IN_THE_SHOP);
    // A second heartbeat has been through: what a loop would have written by then is written.
    await expect.poll(mug, PATIENCE).toEqual({ fresh: true, units: UNITS - SOLD_IN_THE_SHOP });

    const { draftOrders, orders, webhookSubscriptions } = sandbox.shop;
    expect([...draftOrders.all()]).toEqual([]);
    expect([...webhookSubscriptions.all()]).toEqual([]);
    expect([...orders.all()]).toHaveLength(1);
    expect(sandbox.shop.readStock('MUG', 'Warehouse').available).toBe(UNITS - SOLD_IN_THE_SHOP);
    const { problems, checked } = verifyLedgerFile(join(folder.path, 'ledger.db'));
    expect({ problems, reservations: checked.reservations }).toEqual({ problems: [], reservations: 0 });
  },
  120_000,
);
