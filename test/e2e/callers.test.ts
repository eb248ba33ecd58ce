/** Who gets in over HTTP, with the built command: tokens that come and go while it runs, and an issuer of others. */

import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runHoldfast, scratchFolder, until } from '../helpers/cli.js';
import { TestIssuer } from '../helpers/issuer.js';
import { freePort, Served } from './served.js';

let folder: ReturnType<typeof scratchFolder>;
let served: Served | null;
let env: Record<string, string>;

beforeEach(() => {
  folder = scratchFolder();
  served = null;
  env = {
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_WEBHOOK_PORT: '0',
    HOLDFAST_TOKENS: join(folder.path, 'tokens.json'),
  };
});
afterEach(async () => {
  await served?.kill('SIGKILL');
  folder.remove();
});

const run = (...args: string[]) => runHoldfast(args, { cwd: folder.path, env });

async function add(principal: string, ...more: string[]): Promise<string> {
  const { status, out, err } = await run('tokens', 'add', '--principal', principal, ...more, '--json');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return JSON.parse(out).token;
}

async function serve(): Promise<Served> {
  served = new Served(folder.path, env, ['--sandbox']);
  await served.start();
  return served;
}

async function callTool(server: Served, token: string, name: string, args: object): Promise<string> {
  const response = await fetch(`${server.origin}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
  return await response.text();
}

async function ask(server: Served, token: string | null, path = '/mcp'): Promise<Response> {
  return await fetch(`${server.origin}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'find_items', arguments: { query: 'shirt' } },
    }),
  });
}

const statusOf = async (...args: Parameters<typeof ask>): Promise<number> => {
  const response = await ask(...args);
  await response.text();
  return response.status;
};

describe('tokens', () => {
  test('that are revoked leave what their callers hold, which is listed, and freed on request', async () => {
    env['HOLDFAST_DB'] = join(folder.path, 'ledger.db');
    const [a, , b] = [await add('a'), await add('b'), await add('b')];
    const server = await serve();
    let sku = '';
    await until(async () => {
      sku = /"sku":"([^"]+)"/.exec(await (await ask(server, a)).text())?.[1] ?? '';
      return sku !== '';
    });
    const reserve = async (token: string): Promise<string> => {
      const response = await callTool(server, token, 'reserve_units', {
        lines: [{ sku, quantity: 1 }],
      });
      return /res_[0-9a-f]+/.exec(response)?.[0] ?? response;
    };
    const ofA = await reserve(a);
    const ofB = await reserve(b);
    // Another token of b is left, and may go on with what b holds.
    const digits = createHash('sha256').update(b).digest('hex').slice(0, 12);
    expect(JSON.parse((await run('tokens', 'revoke', digits, '--json')).out).holds).toEqual([]);
    const listed = await run('tokens', 'revoke', 'a');
    expect(listed.out).toContain(`Still held: ${ofA} (1×${sku}) by a, until `);
    expect(listed.out).not.toContain(ofB);
    const freed = await run('tokens', 'revoke', 'b', '--release');
    expect(freed).toMatchObject({ status: 0, err: '' });
    expect(freed.out).toContain(`Released: ${ofB} (1×${sku}) of b.`);
    const left = JSON.parse((await run('reservations', '--active', '--json')).out);
    expect(left.map(({ reservation_id }: { reservation_id: string }) => reservation_id)).toEqual([ofA]);
  });

  test('made by several at once are all kept; each counts without a restart, until it is revoked', async () => {
    const first = await add('first');
    const server = await serve();
    expect(await statusOf(server, first)).toBe(200);
    const [a, b, c] = await Promise.all([add('a'), add('b', '--scopes', 'inventory:read'), add('c')]);
    await until(async () => (await statusOf(server, a)) === 200);
    expect(await Promise.all([b, c].map((token) => statusOf(server, token)))).toEqual([200, 200]);
    const listed = JSON.parse((await run('tokens', '--json')).out);
    expect(listed.map(({ principal }: { principal: string }) => principal).sort()).toEqual([
      'a',
      'b',
      'c',
      'first',
    ]);

    expect((await run('tokens', 'revoke', 'a')).status).toBe(0);
    await until(async () => (await statusOf(server, a)) === 401);
    expect(await statusOf(server, first)).toBe(200);
    const digits: string = listed.find(({ principal }: { principal: string }) => principal === 'b').sha256;
    expect((await run('tokens', 'revoke', digits)).status).toBe(0);
    await until(async () => (await statusOf(server, b)) === 401);

    const file = readFileSync(env['HOLDFAST_TOKENS'] ?? '', 'utf8');
    const log = JSON.stringify(server.log);
    for (const token of [first, a, b, c]) {
      expect(file).not.toContain(token);
      expect(log).not.toContain(token);
    }
    expect(statSync(env['HOLDFAST_TOKENS'] ?? '').mode & 0o777).toBe(0o600);
    expect((await server.metrics())['auth_refusals_total{reason="unknown"}']).toBeGreaterThanOrEqual(2);
  });

  test('that are none get 401, in the header and nowhere else; a broken list turns nobody’s token bad', async () => {
    const token = await add('agent');
    const server = await serve();
    expect(await statusOf(server, null)).toBe(401);
    expect(await statusOf(server, null, `/mcp?access_token=${token}`)).toBe(401);
    expect(await statusOf(server, `${token}x`)).toBe(401);
    expect(await statusOf(server, 'two words')).toBe(401);
    const metadata = await fetch(`${server.origin}/.well-known/oauth-protected-resource/mcp`);
    expect(metadata.status).toBe(404);
    const whole = readFileSync(env['HOLDFAST_TOKENS'] ?? '', 'utf8');
    writeFileSync(env['HOLDFAST_TOKENS'] ?? '', whole.slice(0, -5));
    await until(async () => (await statusOf(server, token)) === 503);
    writeFileSync(env['HOLDFAST_TOKENS'] ?? '', whole);
    await until(async () => (await statusOf(server, token)) === 200);
  });

  test('are told of in words: what is wrong, and what to do', async () => {
    expect(await run('serve', '--http', '--sandbox')).toMatchObject({
      status: 2,
      err: expect.stringContaining('is not there. holdfast tokens add --principal NAME makes it'),
    });
    for (const [args, why] of [
      [['--principal', 'local'], '--principal is the name of whoever starts this server'],
      [['--principal', 'a', '--scopes', 'all'], '--scopes wants one or more of inventory:read'],
      [['--principal', 'a', '--expires', '2020-01-01'], '--expires wants a time to come'],
    ] as const) {
      expect(await run('tokens', 'add', ...args)).toMatchObject({
        status: 2,
        err: expect.stringContaining(why),
      });
    }
    expect(await run('tokens', 'revoke', 'nobody')).toMatchObject({ status: 1 });
    const token = await add('agent', '--expires', '90d', '--channel', 'web');
    const { out } = await run('tokens', 'list');
    expect(out).toMatch(/^SHA-256 +principal +scopes/);
    expect(out).toContain('web');
    expect(out).not.toContain(token);
    const told = await run('tokens', 'revoke', token);
    expect(told).toMatchObject({
      status: 2,
      err: expect.stringContaining('stays in the history of the shell'),
    });
    expect(told.err).not.toContain(token);
    env['HOLDFAST_TOKENS'] = '[]';
    const inline = JSON.parse((await run('tokens', 'add', '--principal', 'a', '--json')).out);
    expect(JSON.parse(inline.setting)).toMatchObject([{ principal: 'a', sha256: inline.sha256 }]);
  });
});

describe('an issuer', () => {
  test('is found by an MCP client from our 401, and its tokens get in', async () => {
    const issuer = await TestIssuer.start();
    const port = await freePort();
    const resource = `http://127.0.0.1:${port}/mcp`;
    const token = (claims = {}, header = {}) =>
      issuer.token({ claims: { aud: resource, ...claims }, header });
    try {
      env = {
        HOLDFAST_HTTP_PORT: String(port),
        HOLDFAST_WEBHOOK_PORT: '0',
        HOLDFAST_OAUTH_ISSUER: issuer.origin,
        HOLDFAST_MCP_URL: resource,
      };
      const server = await serve();
      const refused = await ask(server, null);
      expect(refused.status).toBe(401);
      const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(refused);
      expect(error).toBeUndefined();
      expect(scope).toBe('inventory:read');
      const found = await discoverOAuthProtectedResourceMetadata(resource, {
        resourceMetadataUrl: String(resourceMetadataUrl),
      });
      expect(found).toMatchObject({
        resource,
        authorization_servers: [issuer.origin],
        scopes_supported: ['inventory:read', 'inventory:reserve', 'orders:submit'],
        bearer_methods_supported: ['header'],
      });
      const readable = await fetch(String(resourceMetadataUrl), {
        headers: { origin: 'https://agent.example.com' },
      });
      expect(readable.headers.get('access-control-allow-origin')).toBe('*');

      expect(await statusOf(server, await token())).toBe(200);
      const other = await ask(server, await token({ aud: 'https://other.example.com/mcp' }));
      expect(other.status).toBe(401);
      expect(extractWWWAuthenticateParams(other)).toMatchObject({ error: 'invalid_token' });
      expect(await statusOf(server, await token({}, { kid: 'who' }))).toBe(401);
      const lacking = await ask(server, await token({ scope: 'inventory:reserve' }));
      expect(lacking.status).toBe(403);
      expect(extractWWWAuthenticateParams(lacking)).toMatchObject({
        error: 'insufficient_scope',
        scope: 'inventory:reserve inventory:read',
      });
    } finally {
      await issuer.stop();
    }
  });
});
