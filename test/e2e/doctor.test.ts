/** `holdfast doctor` against a real shop over HTTP: what it says of each thing that can be wrong, and how to mend it. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as forward, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { type SandboxOptions, SandboxServer } from '../../src/sandbox/server.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { runHoldfast, scratchFolder, startHoldfast, until } from '../helpers/cli.js';

const SHOP = 'sandbox.myshopify.com';
const SECRET = 'whsec-7c1f-planted';
/** What these settings need, and no more. */
const SCOPES = [
  'read_inventory',
  'read_locations',
  'read_products',
  'read_publications',
  'read_orders',
  'read_returns',
  'read_draft_orders',
  'write_draft_orders',
];

let folder: ReturnType<typeof scratchFolder>;
let stops: (() => Promise<unknown>)[];
let env: Record<string, string>;

beforeEach(() => {
  folder = scratchFolder();
  stops = [];
  env = {};
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  folder.remove();
});

async function startShop(options: SandboxOptions = {}): Promise<SandboxServer> {
  const server = new SandboxServer({ scopes: SCOPES, ...options });
  const { origin } = await server.start();
  stops.push(() => server.stop());
  env = { SHOPIFY_SHOP: SHOP, SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox', SHOPIFY_ORIGIN: origin, ...env };
  return server;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}

const startPage = (answer: RequestListener): Promise<number> => listen(createServer(answer));

/** A port at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const run = (...args: string[]) => runHoldfast(args, { cwd: folder.path, env });

async function findings(): Promise<{
  readonly status: number | null;
  readonly ok: boolean;
  readonly checks: Finding[];
}> {
  const { status, out } = await run('doctor', '--json');
  return { status, ...JSON.parse(out) };
}

/** The finding of one check, with everything that it says in one text. */
async function finding(check: string): Promise<Finding & { readonly all: string }> {
  const { status, ok, checks } = await findings();
  expect(status).toBe(ok ? 0 : 1);
  const found = checks.find((one) => one.check === check);
  if (found === undefined) throw new Error(`no finding of ${check}`);
  return { ...found, all: [found.told, ...found.mend].join('\n') };
}

/** `serve --http`, until the test is over. */
async function serveHere(): Promise<number> {
  const serving = startHoldfast(['serve', '--http'], { cwd: folder.path, env });
  stops.push(async () => {
    serving.kill('SIGTERM');
    await serving.done;
  });
  await until(() => serving.err().includes('"serving"'));
  return serving.pid;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('with a shop that is as it should be', () => {
  test('every check is a line, nothing is broken, and no ledger is made', async () => {
    await startShop();
    const { status, out, err } = await run('doctor');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const lines = out.split('\n').filter((line) => /^[✓✗!–] /u.test(line));
    expect(lines).toHaveLength(20);
    expect(out).not.toContain('✗');
    expect(out).toContain('✓ token          It opens Sandbox Apparel (sandbox.myshopify.com).');
    expect(existsSync(join(folder.path, 'holdfast.db'))).toBe(false);
  });

  test('a ledger that was read is looked at without a byte of it being changed', async () => {
    await startShop();
    expect(await run('sync')).toMatchObject({ status: 0 });
    const path = join(folder.path, 'holdfast.db');
    const before = sha256(path);
    const { checks, ok } = await findings();
    expect(ok).toBe(true);
    expect(checks.filter(({ check }) => ['ledger', 'server', 'orders'].includes(check))).toMatchObject([
      { code: 'fine', told: expect.stringContaining('61 items of sandbox.myshopify.com') },
      { code: 'fine' },
      { code: 'fine' },
    ]);
    expect(sha256(path)).toBe(before);
  });

  test('a development store is told of, with its limit, and so are several locations', async () => {
    await startShop({ plan: 'development' });
    const { status, checks } = await findings();
    expect(status).toBe(0);
    expect(checks.find(({ check }) => check === 'plan')).toMatchObject({
      verdict: 'warning',
      told: expect.stringContaining('5 new orders a minute'),
    });
    expect(checks.find(({ check }) => check === 'locations')).toMatchObject({
      code: 'several_locations',
      mend: expect.arrayContaining([expect.stringContaining('HOLDFAST_MIRROR=move')]),
    });
  });

  test('two programs on one ledger: the doctor sees a server at work and does not get in its way', async () => {
    await startShop();
    env = { ...env, HOLDFAST_HTTP_PORT: '0' };
    const server_pid = await serveHere();
    let server = await finding('server');
    while (server.verdict !== 'ok' || !server.told.includes('process')) server = await finding('server');
    expect(server.told).toContain(`process ${server_pid}`);
  });
});

describe('what is wrong is named, with how to mend it', () => {
  test('a wrong token', async () => {
    await startShop();
    env = { ...env, SHOPIFY_ACCESS_TOKEN: 'shpat_0000wrong0000' };
    const { code, verdict, all } = await finding('token');
    expect({ code, verdict }).toEqual({ code: 'token_refused', verdict: 'failed' });
    expect(all).toContain('(401)');
    expect(all).toMatch(/API credentials[\s\S]*shpat_…/);
    expect(all).not.toContain('0000wrong0000');
    expect(await finding('scopes')).toMatchObject({
      verdict: 'skipped',
      told: 'skipped: the token has to work first.',
    });
  });

  test('a secret of another kind in the token’s place', async () => {
    await startShop();
    env = { ...env, SHOPIFY_ACCESS_TOKEN: 'shpss_0000wrong0000' };
    const { code, all } = await finding('token');
    expect(code).toBe('token_wrong_kind');
    expect(all).toContain('client secret');
    expect(all).not.toContain('0000wrong0000');
  });

  test('a wrong client secret', async () => {
    await startShop();
    const { SHOPIFY_ACCESS_TOKEN: _token, ...rest } = env;
    env = { ...rest, SHOPIFY_CLIENT_ID: 'sandbox', SHOPIFY_CLIENT_SECRET: '0000wrong0000' };
    const { code, all } = await finding('token');
    expect(code).toBe('token_refused');
    expect(all).toContain('Dev Dashboard');
    expect(all).toContain('same organisation');
    expect(all).not.toContain('0000wrong0000');
  });

  test('a missing scope: which, what for, and where to add it for each kind of app', async () => {
    await startShop({ scopes: SCOPES.filter((scope) => !scope.endsWith('draft_orders')) });
    const token = await finding('scopes');
    expect(token).toMatchObject({ code: 'scope_missing', verdict: 'failed' });
    expect(token.told).toContain('write_draft_orders, to hold units as draft orders');
    expect(token.all).toMatch(/Develop apps → your app → Configuration/);
    const { SHOPIFY_ACCESS_TOKEN: _token, ...rest } = env;
    env = { ...rest, SHOPIFY_CLIENT_ID: 'sandbox', SHOPIFY_CLIENT_SECRET: 'sandbox' };
    const client = await finding('scopes');
    expect(client.all).toMatch(/Dev Dashboard[\s\S]*Versions[\s\S]*install it again/);
  });

  test('moving orders to their promised places wants its scopes, and only where it is on', async () => {
    await startShop();
    expect(await finding('scopes')).toMatchObject({ verdict: 'ok' });
    env = { ...env, HOLDFAST_ROUTE_FULFILLMENT: 'promised' };
    const lacking = await finding('scopes');
    expect(lacking).toMatchObject({ code: 'scope_missing', verdict: 'failed' });
    expect(lacking.told).toContain('write_merchant_managed_fulfillment_orders, to move an order');
    env = { HOLDFAST_ROUTE_FULFILLMENT: 'promised' };
    await startShop({ scopes: [...SCOPES, 'write_merchant_managed_fulfillment_orders'] });
    expect(await finding('scopes')).toMatchObject({ verdict: 'ok' });
  });

  test('item 17: no way to see what is published, and no online store', async () => {
    await startShop({ scopes: SCOPES.filter((scope) => scope !== 'read_publications') });
    expect(await finding('publication')).toMatchObject({ code: 'scope_missing', verdict: 'failed' });
    expect((await finding('scopes')).told).toContain('read_publications');
    env = { ...env, HOLDFAST_PUBLICATION: 'any' };
    expect(await finding('publication')).toMatchObject({ code: 'fine' });
    expect(await finding('scopes')).toMatchObject({ code: 'fine' });
    env = {};
    await startShop({ channels: ['pos'] });
    expect(await finding('publication')).toMatchObject({ code: 'publication_unknown', verdict: 'failed' });
  });

  test('an unknown shop: Shopify answers 404 for a name that nobody has', async () => {
    const port = await startPage((_request, response) => response.writeHead(404).end('Not Found'));
    env = {
      SHOPIFY_SHOP: 'acmee.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_x',
      SHOPIFY_ORIGIN: `http://127.0.0.1:${port}`,
    };
    const { code, all } = await finding('shop');
    expect(code).toBe('shop_unknown');
    expect(all).toContain('Is acmee.myshopify.com spelt right?');
    expect(all).toContain('admin.shopify.com/store/NAME');
  });

  test('a shop that was renamed, and one that is none at all', async () => {
    let location = 'https://acme-new.myshopify.com/admin/api';
    const port = await startPage((_request, response) => response.writeHead(301, { location }).end());
    env = {
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_x',
      SHOPIFY_ORIGIN: `http://127.0.0.1:${port}`,
    };
    expect(await finding('shop')).toMatchObject({
      code: 'shop_moved',
      mend: ['If acme-new.myshopify.com is your shop, set SHOPIFY_SHOP=acme-new.myshopify.com.'],
    });
    location = 'https://evil.example/acme.myshopify.com';
    const elsewhere = await finding('shop');
    expect(elsewhere.code).toBe('shop_moved');
    expect(elsewhere.all).not.toContain('evil.example');
  });

  test('another shop than the one that is meant', async () => {
    await startShop();
    env = { ...env, SHOPIFY_SHOP: 'sandbx.myshopify.com' };
    const { code, told } = await finding('shop');
    expect(code).toBe('other_shop');
    expect(told).toContain('SHOPIFY_SHOP is sandbx.myshopify.com');
    expect(told).toContain('calls itself sandbox.myshopify.com');
  });

  test('a shop that can’t be reached', async () => {
    const port = await closedPort();
    env = { SHOPIFY_SHOP: SHOP, SHOPIFY_ACCESS_TOKEN: 'shpat_x', SHOPIFY_ORIGIN: `http://127.0.0.1:${port}` };
    expect(await finding('shop')).toMatchObject({
      code: 'no_connection',
      told: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await finding('clock')).toMatchObject({ verdict: 'skipped' });
  });

  test.each([
    [6 * 60_000, 'behind'],
    [-6 * 60_000, 'ahead of'],
  ])('a clock that is off by five minutes or more (%i ms)', async (clockSkewMs, side) => {
    await startShop({ clockSkewMs });
    const { code, verdict, all } = await finding('clock');
    expect({ code, verdict }).toEqual({ code: 'clock_off', verdict: 'failed' });
    expect(all).toMatch(new RegExp(`clock is 6 minutes ${side} the shop’s`));
    expect(all).toContain('timedatectl');
  });

  test('a clock that drifts', async () => {
    await startShop({ clockSkewMs: 45_000 });
    expect(await finding('clock')).toMatchObject({ code: 'clock_drifting', verdict: 'warning' });
  });

  test('a ledger of a newer version', async () => {
    await startShop();
    await run('sync');
    const path = join(folder.path, 'holdfast.db');
    const db = new (loadDriver())(path);
    db.pragma('user_version = 99');
    db.close();
    const { code, verdict, all } = await finding('ledger');
    expect({ code, verdict }).toEqual({ code: 'newer_version', verdict: 'failed' });
    expect(all).toContain('its schema is 99');
    expect(all).toContain('Update holdfast');
    expect(all).toContain('do not delete it');
    // The rest is still looked at.
    expect(await finding('token')).toMatchObject({ verdict: 'ok' });
  });

  test('a ledger of another shop, a file that is none, and a folder that is not there', async () => {
    await startShop();
    await run('sync');
    env = { ...env, SHOPIFY_SHOP: 'acme.myshopify.com' };
    expect(await finding('ledger')).toMatchObject({
      code: 'other_shop',
      told: expect.stringContaining('belongs to sandbox.myshopify.com'),
    });
    writeFileSync(
      join(folder.path, 'photo.db'),
      'not a database, but long enough to be taken for one'.repeat(20),
    );
    env = { ...env, SHOPIFY_SHOP: SHOP, HOLDFAST_DB: './photo.db' };
    expect(await finding('ledger')).toMatchObject({ code: 'not_a_ledger', verdict: 'failed' });
    mkdirSync(join(folder.path, 'folder.db'));
    env = { ...env, HOLDFAST_DB: './folder.db' };
    expect(await finding('ledger')).toMatchObject({ code: 'not_a_ledger', verdict: 'failed' });
    env = { ...env, HOLDFAST_DB: './nowhere/holdfast.db' };
    expect(await finding('disk')).toMatchObject({ code: 'folder_missing', verdict: 'failed' });
    expect(await finding('ledger')).toMatchObject({ verdict: 'skipped' });
  });

  test('wrong settings, all of them; what does not depend on them is looked at all the same', async () => {
    await startShop();
    env = { ...env, HOLDFAST_LOW_STOCK: 'five', HOLDFAST_TYPO: '1' };
    const { status, checks } = await findings();
    expect(status).toBe(1);
    const all = JSON.stringify(checks.filter(({ check }) => check === 'settings'));
    expect(all).toMatch(/HOLDFAST_LOW_STOCK wants a whole number[\s\S]*HOLDFAST_TYPO is no setting/);
    expect(checks.find(({ check }) => check === 'token')).toMatchObject({ verdict: 'ok' });
    env = { SHOPIFY_SHOP: SHOP };
    expect((await findings()).checks).toContainEqual(
      expect.objectContaining({ check: 'shop', verdict: 'skipped' }),
    );
  });

  test('no shop at all', async () => {
    expect(await finding('settings')).toMatchObject({
      code: 'shop_not_set',
      mend: [expect.stringContaining('holdfast init')],
    });
  });
});

describe('webhooks that don’t come through', () => {
  async function webhooksAt(
    url: string,
    shop: SandboxOptions = {},
  ): Promise<Finding & { readonly all: string }> {
    await startShop(shop);
    env = { ...env, HOLDFAST_PUBLIC_URL: url, SHOPIFY_WEBHOOK_SECRETS: SECRET };
    return finding('webhooks');
  }

  test('nothing listens there', async () => {
    const { code, all } = await webhooksAt(`http://127.0.0.1:${await closedPort()}`);
    expect(code).toBe('no_connection');
    expect(all).toContain('Start the tunnel or proxy, and holdfast serve --http behind it.');
  });

  test('the name is unknown: a tunnel that has ended', async () => {
    const { code, all } = await webhooksAt('https://tunnel-of-yesterday.invalid');
    expect(code).toBe('name_not_found');
    expect(all).toContain('Has the tunnel ended?');
  });

  test.each([
    [404, 'route_missing', 'Is holdfast serve --http running'],
    [401, 'signature_refused', 'another secret'],
    [301, 'redirected', 'does not follow redirects'],
    [502, 'server_down', 'a tunnel or proxy whose server is not running'],
    [418, 'odd_answer', '418'],
  ])('it answers %i', async (status, code, said) => {
    const port = await startPage((_request, response) => response.writeHead(status).end());
    const found = await webhooksAt(`http://127.0.0.1:${port}`);
    expect(found).toMatchObject({ code, verdict: 'failed' });
    expect(found.all).toContain(said);
  });

  test('some page that answers 200 to everything is not taken for holdfast', async () => {
    const port = await startPage((_request, response) => response.end('Welcome'));
    expect(await webhooksAt(`http://127.0.0.1:${port}`)).toMatchObject({ code: 'not_holdfast' });
  });

  test('it never answers', async () => {
    const port = await startPage(() => undefined);
    expect(await webhooksAt(`http://127.0.0.1:${port}`)).toMatchObject({ code: 'timed_out' });
  });

  test('its certificate is not good', async () => {
    const key = join(folder.path, 'key.pem');
    const cert = join(folder.path, 'cert.pem');
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes', '-newkey', 'rsa:2048'];
    spawnSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert]);
    const port = await listen(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
    expect(await webhooksAt(`https://localhost:${port}`)).toMatchObject({
      code: 'tls_failed',
      told: expect.stringContaining('SELF_SIGNED'),
    });
  });

  test('a token alone has no secret to know the shop by', async () => {
    await startShop();
    env = { ...env, HOLDFAST_PUBLIC_URL: 'http://127.0.0.1:9' };
    expect(await finding('webhooks')).toMatchObject({
      code: 'no_secret',
      mend: [expect.stringContaining('SHOPIFY_WEBHOOK_SECRETS')],
    });
  });

  test('with a server behind the address all is well: the delivery is answered, and nothing of it is kept', async () => {
    await startShop();
    const port = await closedPort();
    const url = `http://127.0.0.1:${port}`;
    env = {
      ...env,
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_WEBHOOK_PORT: String(port),
      HOLDFAST_PUBLIC_URL: url,
      SHOPIFY_WEBHOOK_SECRETS: SECRET,
    };
    await serveHere();
    expect(await finding('webhooks')).toMatchObject({ code: 'fine', verdict: 'ok' });
    let subscriptions = await finding('subscriptions');
    while (subscriptions.code !== 'fine') subscriptions = await finding('subscriptions');
    expect(subscriptions.told).toContain(`127.0.0.1:${port}`);
    // The same subscriptions, from the side of settings with another address.
    env = { ...env, HOLDFAST_PUBLIC_URL: `http://localhost:${port}` };
    expect(await finding('subscriptions')).toMatchObject({ code: 'foreign_address', verdict: 'warning' });
    const { HOLDFAST_PUBLIC_URL: _url, ...rest } = env;
    env = { ...rest };
    expect(await finding('subscriptions')).toMatchObject({ code: 'left_over', verdict: 'warning' });
    // Another secret than the server's.
    env = { ...env, HOLDFAST_PUBLIC_URL: url, SHOPIFY_WEBHOOK_SECRETS: 'another' };
    expect(await finding('webhooks')).toMatchObject({ code: 'signature_refused' });
  });
});

test('a proxy that leads to the server for agents is found out, whatever Host it sends', async () => {
  await startShop();
  const port = await closedPort();
  let to = port;
  // As most do: the Host is that of the server behind, not the one that was asked for.
  const proxy = await startPage((request, response) => {
    const { method, url, headers } = request;
    const behind = forward(
      { host: '127.0.0.1', port: to, method, path: url, headers: { ...headers, host: `127.0.0.1:${to}` } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(behind);
  });
  const webhookPort = await closedPort();
  env = {
    ...env,
    HOLDFAST_HTTP_PORT: String(port),
    HOLDFAST_WEBHOOK_PORT: String(webhookPort),
    HOLDFAST_PUBLIC_URL: `http://127.0.0.1:${proxy}`,
    SHOPIFY_WEBHOOK_SECRETS: SECRET,
  };
  await serveHere();
  expect(await finding('webhooks')).toMatchObject({
    code: 'mcp_exposed',
    verdict: 'failed',
    mend: [expect.stringContaining(`http://127.0.0.1:${webhookPort}`), expect.any(String)],
  });
  to = webhookPort;
  expect(await finding('webhooks')).toMatchObject({ code: 'fine' });
  for (const path of ['/mcp', '/metrics', '/healthz']) {
    expect((await fetch(`http://127.0.0.1:${proxy}${path}`)).status).toBe(404);
  }
});

test('no secret is in anything that is printed', async () => {
  await startShop();
  const planted = { SHOPIFY_WEBHOOK_SECRETS: SECRET, SHOPIFY_CLIENT_SECRET: 'planted-client-secret' };
  for (const token of ['shpat_sandbox', 'shpat_planted_token']) {
    env = { ...env, ...planted, SHOPIFY_ACCESS_TOKEN: token, HOLDFAST_PUBLIC_URL: 'http://127.0.0.1:9' };
    for (const args of [['doctor'], ['doctor', '--json'], ['sync'], ['reconcile']]) {
      const { out, err } = await run(...args);
      for (const secret of [token, ...Object.values(planted)]) expect(out + err).not.toContain(secret);
    }
  }
});
