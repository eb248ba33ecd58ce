/**
 * The live test never runs here: its script does, against a sandbox shop that stands for the real one, so that it does not
 * rot until somebody has a store.
 */

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SEED_SKUS } from '../../src/sandbox/base/catalogue.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { requireBuilt } from '../helpers/built.js';
import { scratchFolder, until } from '../helpers/cli.js';

const MAIN = fileURLToPath(new URL('main.mjs', import.meta.url));
const SKU = SEED_SKUS.plentiful;

let folder: ReturnType<typeof scratchFolder>;
let sandbox: SandboxServer;
let env: Record<string, string>;

beforeEach(async () => {
  folder = scratchFolder();
  sandbox = new SandboxServer({ plan: 'development' });
  const { origin } = await sandbox.start();
  env = {
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
    LIVE_SKU: SKU,
  };
});
afterEach(async () => {
  await sandbox.stop();
  folder.remove();
});

function start(...flags: string[]) {
  requireBuilt();
  const child = spawn(process.execPath, [MAIN, ...flags], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder.path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const done = new Promise<{ status: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (status) => resolve({ status, out, err })),
  );
  return { child, done };
}

const FAST = ['--hold-seconds', '1', '--search-max-seconds', '3', '--json'];

/** Everything that is not gone again. */
function leftovers(): object {
  const open = [...sandbox.shop.draftOrders.all()].filter(({ completedMs }) => completedMs === null);
  const orders = [...sandbox.shop.orders.all()].filter(({ cancellation }) => cancellation === null);
  return {
    drafts: open.map(({ name, tags }) => `${name} ${tags.join()}`),
    orders: orders.map(({ name }) => name),
  };
}

/** `available` at each place. */
function stock(): Record<string, number> {
  const places = [...sandbox.shop.inventory.locations.values()];
  return Object.fromEntries(places.map(({ name }) => [name, sandbox.shop.readStock(SKU, name).available]));
}

test('answers every question, goes the whole way, and leaves the shop as it was', async () => {
  const before = stock();
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise<void>((resolve) => listener.close(() => resolve()));
  env = { ...env, HOLDFAST_PUBLIC_URL: `http://127.0.0.1:${port}`, HOLDFAST_HTTP_PORT: String(port) };
  const { status, out, err } = await start(...FAST).done;
  expect({ status, err: status === 0 ? '' : err }).toEqual({ status: 0, err: '' });
  const { answers, left } = JSON.parse(out) as {
    answers: { question: string; real: string; sandbox: string }[];
    left: string[];
  };
  expect(left).toEqual([]);
  expect(answers).toHaveLength(27);
  for (const { question, real, sandbox: same } of answers) {
    expect(same, question).not.toBe('');
    // The sandbox has no payment terms.
    if (question.includes('payment terms')) expect(real).toMatch(/^not asked/);
    else expect(real, question).not.toMatch(/^no\b|^not asked/);
  }
  const said = Object.fromEntries(answers.map(({ question, real }) => [question, real]));
  expect(said).toMatchObject({
    'Which state do held units sit in?': 'available -1, reserved +1',
    'Completing a lapsed draft with nothing left (policy DENY)': 'an order is made, available becomes -1',
    'Is the schema the one that we know?': expect.stringMatching(/^yes \(\d{3} types compared\)$/),
    'Staff take the reservation off a draft': 'status OPEN, reserveInventoryUntil null, its units are free',
    'Staff raise the quantity of a draft that holds units': 'it holds 2 units',
    'An order that was completed as paid': 'PAID, fully paid',
    'An order that was completed with paymentPending': 'PENDING, not fully paid',
    'A province that its country has not':
      'refused: shippingAddress.province: State is not a valid state in United States',
    'Holdfast: an order is placed, once': expect.stringMatching(/^yes: #\d+$/),
    'Holdfast: its books prove themselves': 'yes',
  });
  expect([...sandbox.shop.orders.all()].length).toBeGreaterThan(2);
  expect(leftovers()).toEqual({ drafts: [], orders: [] });
  expect(stock()).toEqual(before);
}, 300_000);

test('removes what it made when it is stopped in the middle', async () => {
  const before = stock();
  const { child, done } = start('--no-sandbox', '--hold-seconds', '600', '--only', '1b');
  await until(() => [...sandbox.shop.draftOrders.all()].length > 0);
  child.kill('SIGINT');
  const { status, err } = await done;
  expect(status).toBe(1);
  expect(err).toContain('Leaving');
  expect(leftovers()).toEqual({ drafts: [], orders: [] });
  expect(stock()).toEqual(before);
});

test('says what a missing scope keeps it from asking, and what it could not remove', async () => {
  await sandbox.stop();
  sandbox = new SandboxServer({
    plan: 'development',
    scopes: [
      'read_inventory',
      'read_products',
      'read_locations',
      'read_draft_orders',
      'write_draft_orders',
      'read_orders',
    ],
  });
  env = { ...env, SHOPIFY_ORIGIN: (await sandbox.start()).origin };
  const { status, out } = await start('--no-sandbox', '--only', '3,4b', ...FAST).done;
  const { answers, left } = JSON.parse(out);
  expect(answers).toContainEqual(
    expect.objectContaining({
      question: expect.stringContaining('Moving'),
      real: 'not asked: a scope is missing',
    }),
  );
  // An order can't be cancelled without write_orders, so it stays, and a person is told.
  expect(leftovers()).toMatchObject({ orders: [expect.any(String)] });
  expect(left).toEqual([expect.stringMatching(/^order #\d+: .*write_orders/)]);
  expect(status).toBe(1);
});

test('refuses without credentials, and a store that sells to people', async () => {
  const { SHOPIFY_SHOP: _shop, ...rest } = env;
  env = rest;
  expect(await start().done).toMatchObject({
    status: 2,
    out: '',
    err: expect.stringMatching(
      /^The live test wants a development store: set SHOPIFY_SHOP.*Nothing was done\.\n$/,
    ),
  });

  const requests: string[] = [];
  const shop = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push(body);
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        data: { shop: { myshopifyDomain: 'acme.myshopify.com', plan: { partnerDevelopment: false } } },
      }),
    );
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const { port } = shop.address() as AddressInfo;
  env = { ...env, SHOPIFY_SHOP: 'acme.myshopify.com', SHOPIFY_ORIGIN: `http://127.0.0.1:${port}` };
  expect(await start().done).toMatchObject({
    status: 2,
    out: '',
    err: expect.stringContaining('acme.myshopify.com is no development store'),
  });
  expect(requests).toHaveLength(1);
  shop.close();
});
