/**
 * Callers who reserve and never buy: one in a loop, and a crowd of identities behind one address. Three servers, each a
 * process of its own, share the ledger, and every caller uses all three. Others can still buy, at the first try.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/server.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { requireBuilt } from '../helpers/built.js';
import { product } from '../helpers/shop-ledger.js';
import type { Json } from './any-client.js';

const CROWD_SERVER = fileURLToPath(new URL('../helpers/crowd-server.mjs', import.meta.url));
const SERVERS = 3;
const IDENTITIES = 500;
const UNITS = 60;
const MANY_UNITS = 1_000;
/** What callers who have bought nothing may hold of a SKU together, and all behind one address, unless the merchant says otherwise. */
const UNSOLD_SHARE_PERCENT = 40;
const ORIGIN_SHARE_PERCENT = 90;

interface Who {
  readonly principal: string;
  readonly address: string;
}

let folder: string;
let sandbox: SandboxServer;
let children: ChildProcess[];
let urls: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-crowd-'));
  sandbox = new SandboxServer({
    catalogue: {
      locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
      products: [
        product('MUG', { Warehouse: UNITS }),
        product('SCARF', { Warehouse: UNITS }),
        product('CAP', { Warehouse: MANY_UNITS }),
      ],
    },
  });
  const { origin } = await sandbox.start();
  children = [];
  urls = [];
  // One after the other: the first makes the ledger.
  for (let index = 0; index < SERVERS; index += 1) urls.push(await serve(origin));
});

afterAll(async () => {
  await Promise.all(
    children.map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      return ended;
    }),
  );
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves with where it serves. */
function serve(shopOrigin: string): Promise<string> {
  requireBuilt();
  const child = spawn(process.execPath, [CROWD_SERVER], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOLDFAST_DB: join(folder, 'ledger.db'),
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_HEARTBEAT_SECONDS: '1',
      HOLDFAST_TTL_MIN_SECONDS: '1',
      // What the shop knows of holds is not the point here, and thousands of them are much work for it.
      HOLDFAST_MIRROR: 'none',
      SHOPIFY_SHOP: 'sandbox.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
      SHOPIFY_ORIGIN: shopOrigin,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

/** A call at one of the servers; its structured answer. */
async function call(server: number, who: Who, name: string, args: Record<string, unknown>): Promise<Json> {
  const ask = () =>
    fetch(urls[server % SERVERS] ?? '', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${who.principal}`,
        'x-forwarded-for': who.address,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: args },
      }),
    });
  // A line that the server closed for being idle at that moment: nothing was asked.
  const response = await ask().catch((error: Error & { cause?: { code?: string } }) => {
    if (!['ECONNRESET', 'UND_ERR_SOCKET'].includes(error.cause?.code ?? '')) throw error;
    return ask();
  });
  const body = await response.text();
  const data = body.split('\n').find((line) => line.startsWith('data: '));
  return JSON.parse(data?.slice('data: '.length) ?? body).result.structuredContent;
}

/** Buys one unit as an honest agent does. Resolves with the order's state once it is decided. */
async function buyOne(server: number, who: Who, sku: string): Promise<string> {
  const reserved = await call(server, who, 'reserve_units', { lines: [{ sku, quantity: 1 }] });
  if (reserved.error !== undefined) return `refused: ${reserved.error.code}`;
  const { reservation_id, stock_hash } = reserved;
  const submitted = await call(server, who, 'submit_order_with_hash', { reservation_id, stock_hash });
  if (submitted.error !== undefined) return `refused: ${submitted.error.code}`;
  let seen = submitted;
  while (seen.status === 'held') {
    await new Promise((next) => setTimeout(next, 100));
    seen = await call(server, who, 'get_order', { reservation_id });
    if (seen.error !== undefined) return `not told: ${seen.error.code}`;
  }
  return seen.status;
}

/** Does it for every number below `count`, so many at a time. */
async function inParallel<T>(
  count: number,
  width: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

function unitsOf(answers: readonly Json[]): number {
  const lines = answers.flatMap((answer) => answer.lines ?? []);
  return lines.reduce((sum, { reserved }) => sum + reserved, 0);
}

function shareOf(units: number, percent: number): number {
  return Math.floor((units * percent) / 100);
}

const BOUGHT = /^(accepted|placed)$/;

describe('callers who reserve and never buy', () => {
  test('one in a loop of reserve-and-let-expire leaves others what they need', async () => {
    const hoarder = { principal: 'hoarder', address: '203.0.113.1' };
    const everything = { lines: [{ sku: 'MUG', quantity: UNITS }], ttl_seconds: 1, allow_partial: true };
    let isOver = false;
    const taken: Json[] = [];
    const loops = urls.map(async (_, server) => {
      while (!isOver) taken.push(await call(server, hoarder, 'reserve_units', everything));
    });
    while (unitsOf(taken) === 0) await Promise.race([...loops, new Promise((next) => setTimeout(next, 10))]);

    const bought = [];
    for (let buyer = 0; buyer < 9; buyer += 1) {
      bought.push(
        await buyOne(buyer, { principal: `buyer-${buyer}`, address: `198.51.100.${buyer}` }, 'MUG'),
      );
    }
    isOver = true;
    await Promise.all(loops);

    for (const outcome of bought) expect(outcome).toMatch(BOUGHT);
    // The loop went on while they bought.
    expect(taken.length).toBeGreaterThan(SERVERS);
  });

  test('one who asks three processes at once gets no more than of one', async () => {
    const hoarder = { principal: 'thrice', address: '203.0.113.2' };
    const some = { lines: [{ sku: 'SCARF', quantity: 5 }], ttl_seconds: 900 };
    const answers = await inParallel(24, 12, (index) => call(index, hoarder, 'reserve_units', some));
    const most = shareOf(UNITS, UNSOLD_SHARE_PERCENT);
    expect(unitsOf(answers)).toBe(most - (most % 5));
    const refusals = answers.filter(({ error }) => error !== undefined);
    expect(new Set(refusals.map(({ error }) => error.code))).toEqual(new Set(['quota_exceeded']));
  });

  test(`${IDENTITIES} identities behind one address leave others what they need`, async () => {
    const many = { lines: [{ sku: 'CAP', quantity: 100 }], ttl_seconds: 900, allow_partial: true };
    const answers = await inParallel(IDENTITIES, 24, (index) =>
      call(index, { principal: `identity-${index}`, address: '203.0.113.3' }, 'reserve_units', many),
    );
    expect(unitsOf(answers)).toBeGreaterThan(0);
    expect(unitsOf(answers)).toBeLessThanOrEqual(shareOf(MANY_UNITS, ORIGIN_SHARE_PERCENT));

    const bought = await inParallel(9, 3, (index) =>
      buyOne(index, { principal: `other-${index}`, address: `192.0.2.${index}` }, 'CAP'),
    );
    for (const outcome of bought) expect(outcome).toMatch(BOUGHT);
  });

  test('L1: after all that the ledger holds what it promised', () => {
    expect(verifyLedgerFile(join(folder, 'ledger.db')).problems).toEqual([]);
  });
});
