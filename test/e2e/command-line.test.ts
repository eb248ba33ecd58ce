/** What a merchant does on the command line, beside a server that runs on the same ledger. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SEED_SKUS } from '../../src/sandbox/base/catalogue.js';
import { pathInDist } from '../helpers/built.js';

const HOLDFAST = pathInDist('cli/holdfast.js');

let folder: string;
let client: Client;
let env: Record<string, string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  env = {
    ...getDefaultEnvironment(),
    HOLDFAST_DB: join(folder, 'ledger.db'),
    HOLDFAST_STALE_HASH: 'hold',
    // Nothing but the orders below may move a checksum.
    HOLDFAST_HEARTBEAT_SECONDS: '60',
    HOLDFAST_MIRROR: 'none',
    HOLDFAST_LOG_LEVEL: 'error',
  };
  client = new Client({ name: 'command-line', version: '1' });
  const args = [HOLDFAST, 'serve', '--sandbox'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, cwd: folder }));
});
afterEach(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call(name: string, args: Record<string, unknown>): Promise<Record<string, string>> {
  const { isError, structuredContent } = await client.callTool({ name, arguments: args });
  expect(isError, JSON.stringify(structuredContent)).not.toBe(true);
  return structuredContent as Record<string, string>;
}

async function callUntil(
  name: string,
  args: Record<string, unknown>,
  done: (answer: Record<string, string>) => boolean,
) {
  for (;;) {
    const answer = await call(name, args);
    if (done(answer)) return answer;
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

function holdfast(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [HOLDFAST, ...args], {
    env,
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, out: stdout, err: stderr };
}

const reserve = (quantity: number) =>
  call('reserve_units', { lines: [{ sku: SEED_SKUS.plentiful, quantity }] });

test('a person lists, approves, rejects, explains and releases, and the books still prove themselves', async () => {
  const first = await reserve(2);
  const submit = ({ reservation_id }: Record<string, string>) =>
    call('submit_order_with_hash', { reservation_id, stock_hash: first['stock_hash'] });
  const placed = await submit(first);
  await callUntil('get_order', { order_id: placed['order_id'] }, ({ status }) => status === 'placed');
  // What is placed changes the stock: from then on the first checksum is one of yesterday.
  const isSettled = (answer: Record<string, string>) => answer['stock_hash'] !== first['stock_hash'];
  await callUntil('check_stock', { reservation_id: first['reservation_id'] }, isSettled);
  const [approved, rejected, spare] = [await reserve(1), await reserve(1), await reserve(1)];

  const held = await submit(approved);
  const alsoHeld = await submit(rejected);
  expect([held['status'], alsoHeld['status']]).toEqual(['held', 'held']);
  const { order_id = '' } = held;
  expect(holdfast('orders').out).toMatch(new RegExp(`${order_id}\\s+held`));
  const json = (...words: string[]): unknown => JSON.parse(holdfast(...words, '--json').out);
  expect(json('orders', '--held')).toMatchObject([
    { order_id: alsoHeld['order_id'] },
    { order_id, state: 'held' },
  ]);
  expect(holdfast('orders', '--held', '--limit', '1').out).toContain(
    `holdfast orders --held --before ${alsoHeld['order_id']}`,
  );
  expect(json('orders', '--held', '--before', alsoHeld['order_id'] ?? '')).toMatchObject([{ order_id }]);
  expect(json('orders', '--parked')).toEqual([]);
  expect(holdfast('orders', '--limit', '0')).toMatchObject({ status: 2 });
  expect(json('doctor')).toMatchObject({
    checks: expect.arrayContaining([
      expect.objectContaining({ check: 'orders', code: 'held', told: expect.stringMatching(/^2 orders/) }),
    ]),
  });
  expect(json('orders', 'approve', order_id)).toMatchObject({ ok: true, order_id, decided: 'approved' });
  await callUntil('get_order', { order_id }, ({ status }) => status === 'placed');
  expect(holdfast('orders', 'reject', alsoHeld['order_id'] ?? '')).toMatchObject({ status: 0 });
  expect(await call('get_order', { order_id: alsoHeld['order_id'] })).toMatchObject({ status: 'rejected' });

  expect(holdfast('orders', 'approve', order_id)).toMatchObject({ status: 1, out: '' });
  expect(holdfast('orders', 'retry', order_id).err).toContain('not parked');
  expect(holdfast('orders', 'reject', 'ord_0').err).toContain('no such order');
  expect(json('orders', 'retry', order_id)).toMatchObject({ ok: false, order_id, status: 'placed' });
  for (const words of [
    ['orders', 'reject', 'ord_0'],
    ['orders', '--before', 'ord_0'],
    ['explain', 'ord_0'],
  ])
    expect(json(...words)).toMatchObject({ ok: false, code: 'order_unknown' });
  expect(json('reservations', 'release', spare['reservation_id'] ?? '')).toMatchObject({
    ok: true,
    released_units: 1,
  });
  expect(json('reservations', 'retry', spare['reservation_id'] ?? '')).toMatchObject({ ok: false });
  expect(json('reservations', 'retry', 'res_0')).toMatchObject({ ok: false, code: 'reservation_unknown' });
  expect(json('reservations', '--active')).toEqual([]);
  expect(holdfast('explain', order_id).out).toMatch(
    /The order is held: [\s\S]*A person let the held order go on[\s\S]*The shop has the order/,
  );
  expect(JSON.parse(holdfast('orders', '--json').out)).toHaveLength(3);
  expect(JSON.parse(holdfast('reservations', '--json').out)).toHaveLength(4);
  expect(JSON.parse(holdfast('verify', '--json').out)).toMatchObject({ ok: true, problems: [] });
});

test('a wrong word or a wrong path is told as such, and makes nothing', () => {
  expect(holdfast('nonsense')).toMatchObject({
    status: 2,
    err: expect.stringContaining("unknown command 'nonsense'"),
  });
  env = { ...env, HOLDFAST_DB: join(folder, 'none.db') };
  for (const command of ['orders', 'reservations', 'verify']) {
    expect(holdfast(command)).toMatchObject({
      status: 1,
      err: expect.stringContaining('There is no ledger'),
    });
  }
  env = { ...env, HOLDFAST_TYPO: '1' };
  expect(holdfast('orders')).toMatchObject({ status: 2, err: expect.stringContaining('HOLDFAST_TYPO') });
});

test('a mistyped command is told which one was meant, and a word that resembles none is not', () => {
  for (const [word, meant] of [
    ['serv', 'serve'],
    ['sevre', 'serve'],
    ['ordres', 'orders'],
    ['docter', 'doctor'],
  ] as const)
    expect(holdfast(word).err).toContain(`Did you mean holdfast ${meant}?`);
  expect(holdfast('nonsense').err).not.toContain('Did you mean');
});

test('a word after --env is known or unknown like any other', () => {
  for (const words of [
    ['--env', 'x.env', 'nonsense'],
    ['--env=x.env', 'nonsense'],
  ]) {
    expect(holdfast(...words)).toMatchObject({
      status: 2,
      err: expect.stringContaining("unknown command 'nonsense'"),
    });
  }
});

test('with --json what is wrong with settings or ledger is JSON too', () => {
  const said = (command: string): object => JSON.parse(holdfast(command, '--json').out);
  env = { ...env, HOLDFAST_DB: join(folder, 'none.db') };
  for (const command of ['orders', 'reservations', 'verify']) {
    expect(said(command)).toEqual({
      ok: false,
      code: 'ledger_unusable',
      message: expect.stringContaining('There is no ledger'),
    });
  }
  env = { ...env, HOLDFAST_LOW_STOCK: 'five' };
  for (const command of ['orders', 'reservations', 'verify', 'sync', 'reconcile']) {
    expect(said(command)).toMatchObject({ ok: false, code: 'settings_wrong' });
  }
  const { status, err } = holdfast('sync', '--json');
  expect({ status, err }).toEqual({ status: 2, err: '' });
});

test('without a shop each command says what helps it', () => {
  expect(holdfast('sync')).toMatchObject({ status: 2, err: expect.stringContaining('holdfast init') });
  expect(holdfast('sync').err).not.toContain('--sandbox');
  expect(holdfast('serve').err).toMatch(
    /SHOPIFY_SHOP is not set\. holdfast init[\s\S]*holdfast serve --sandbox/,
  );
});

test('a taken port is told without a stack, with the setting or flag that names another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const taken = `Port ${port} on 127.0.0.1 is taken: stop the other program or `;
  const serve = ['serve', '--http', '--sandbox'];
  const free = { HOLDFAST_HTTP_PORT: '0', HOLDFAST_WEBHOOK_PORT: '0' };
  try {
    for (const setting of ['HOLDFAST_HTTP_PORT', 'HOLDFAST_WEBHOOK_PORT']) {
      env = { ...env, ...free, [setting]: String(port) };
      expect(holdfast(...serve)).toMatchObject({ status: 1, err: `${taken}set ${setting}.\n` });
    }
    expect(holdfast('sandbox', '--port', String(port))).toMatchObject({
      status: 1,
      err: `${taken}give another one with --port.\n`,
    });
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});
