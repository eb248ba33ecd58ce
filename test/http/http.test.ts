import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Server as McpServer } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_TO_LOOPBACK } from '../../src/auth/authenticator.js';
import { LIMITS } from '../../src/config/config.js';
import { type HttpOptions, type HttpServing, serveOnHttp } from '../../src/http/http.js';
import type { Scope } from '../../src/mcp/server.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { knownAs } from '../helpers/known-as.js';
import { AGENT, TestLedger } from '../helpers/ledger.js';
import { sendBytes } from '../helpers/raw-http.js';

const FIND = { name: 'find_items', arguments: { query: 'mug' } };

let shop: TestLedger;
const serving: HttpServing[] = [];

beforeEach(async () => {
  shop = await TestLedger.open();
  await shop.seed({ sku: 'MUG' });
});
afterEach(async () => {
  for (const server of serving.splice(0)) await server.close();
  await shop.close();
});

async function serve(options: Partial<HttpOptions> = {}): Promise<HttpServing> {
  const server = await serveOnHttp(
    { version: '0' },
    {
      ledger: shop.ledger,
      reportBug: (error) => {
        throw error;
      },
    },
    {
      ...LIMITS.http,
      host: '127.0.0.1',
      port: 0,
      authenticator: knownAs(AGENT),
      body_max_bytes: 65_536,
      connections_max: 64,
      drain_max_ms: 10_000,
      onError: () => undefined,
      ...options,
    },
  );
  serving.push(server);
  return server;
}

function post(origin: string, params: object = FIND): Promise<Response> {
  return fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  });
}

describe('the HTTP server', () => {
  it('takes a free port when it is told 0, and says which', async () => {
    const [one, two] = [await serve(), await serve()];
    expect(one.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(one.origin).not.toBe(two.origin);
    expect(await (await post(one.origin)).text()).toContain('MUG');
  });

  it('serves IPv6 under an origin that a client can use', async () => {
    const { origin } = await serve({ host: '::1' });
    expect(origin).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await post(origin)).status).toBe(200);
  });

  it('answers /healthz, with a query too', async () => {
    const { origin } = await serve();
    const response = await fetch(`${origin}/healthz?probe=1`);
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  it.each([
    [200, { ledger_open: true, first_sync_done: true, heartbeat_young: true }],
    [503, { ledger_open: true, first_sync_done: true, heartbeat_young: false }],
    [503, { ledger_open: true, first_sync_done: false, heartbeat_young: false }],
    [503, { ledger_open: false, first_sync_done: false, heartbeat_young: false }],
  ])('answers /readyz with %i and which part fails: %j', async (status, ready) => {
    const { origin } = await serve({ readiness: async () => ready });
    const response = await fetch(`${origin}/readyz`);
    expect([response.status, await response.json()]).toEqual([status, ready]);
  });

  it('tells /readyz of waiting orders to this machine alone, and is ready all the same', async () => {
    const orders_waiting = { orders: 3, oldest_age_seconds: 700, failures: { unreachable: 3 } };
    const parts = { ledger_open: true, first_sync_done: true, heartbeat_young: true };
    const { origin } = await serve({ readiness: async () => ({ ...parts, orders_waiting }) });
    const here = await fetch(`${origin}/readyz`);
    expect([here.status, await here.json()]).toEqual([200, { ...parts, orders_waiting }]);
    const led = await fetch(`${origin}/readyz`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect([led.status, await led.json()]).toEqual([200, parts]);
  });

  it('answers /metrics to programs of this machine, and to nobody a proxy leads there', async () => {
    const metricsText = async () => 'holdfast_x 1\n';
    const { origin } = await serve({ authenticator: OPEN_TO_LOOPBACK, metricsText });
    expect(await (await fetch(`${origin}/metrics`)).text()).toBe('holdfast_x 1\n');
    const led = await fetch(`${origin}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(led.status).toBe(403);
  });

  it('gives /metrics to a token that has the scope for it, from anywhere and by any name', async () => {
    const watcher = { principal: 'prometheus', channel: null, scopes: new Set<Scope>(['metrics:read']) };
    const { origin } = await serve({
      metricsText: async () => 'holdfast_x 1\n',
      authenticator: {
        judge: async ({ headers: { authorization } }) =>
          authorization === undefined
            ? {
                ok: false,
                challenge: { status: 401, headers: { 'www-authenticate': 'Bearer' }, message: 'No token.' },
              }
            : {
                ok: true,
                caller: authorization === 'Bearer watch' ? watcher : { ...watcher, scopes: new Set() },
              },
        lacking: (scope) => ({ status: 403, headers: {}, message: `The token lacks ${scope}.` }),
      },
    });
    const scrape = async (...headers: readonly string[]) => {
      const ask = ['GET /metrics HTTP/1.1', 'Connection: close', ...headers, '', ''].join('\r\n');
      const { status, body } = await sendBytes(origin, ask);
      return [status, body];
    };
    const led = ['Host: 10.0.0.5:3000', 'X-Forwarded-For: 203.0.113.7'];
    expect(await scrape(...led)).toEqual([401, expect.stringContaining('No token.')]);
    expect(await scrape(...led, 'Authorization: Bearer other')).toEqual([
      403,
      expect.stringContaining('lacks metrics:read'),
    ]);
    expect(await scrape(...led, 'Authorization: Bearer watch')).toEqual([
      200,
      expect.stringContaining('holdfast_x 1'),
    ]);
    expect(await scrape('Host: localhost')).toEqual([200, expect.stringContaining('holdfast_x 1')]);
    // A page whose name was made to resolve to this machine is no program of it.
    expect((await scrape('Host: evil.example'))[0]).toBe(401);
    expect((await scrape('Host: localhost', 'Origin: https://evil.example'))[0]).toBe(401);
  });

  it('asks the ledger once for scrapes that come at one time', async () => {
    let asked = 0;
    const { origin } = await serve({
      metricsText: async () => {
        asked += 1;
        await new Promise((resume) => setTimeout(resume, 100));
        return `asked ${asked}\n`;
      },
    });
    const all = await Promise.all([1, 2, 3].map(() => fetch(`${origin}/metrics`)));
    expect(await Promise.all(all.map((one) => one.text()))).toEqual(['asked 1\n', 'asked 1\n', 'asked 1\n']);
    expect(await (await fetch(`${origin}/metrics`)).text()).toBe('asked 2\n');
  });

  it('answers /healthz and /readyz by any name: a load balancer uses its own', async () => {
    const ready = { ledger_open: true, first_sync_done: true, heartbeat_young: true };
    const { origin } = await serve({ readiness: async () => ready });
    for (const path of ['/healthz', '/readyz']) {
      const ask = `GET ${path} HTTP/1.1\r\nHost: 10.0.0.5:3000\r\nConnection: close\r\n\r\n`;
      expect((await sendBytes(origin, ask)).status, path).toBe(200);
    }
  });

  it('takes the host names and origins that it was told, and no others', async () => {
    const { origin } = await serve({
      mcp_url: 'https://stock.example.com/mcp',
      allowed_origins: ['https://app.example.com'],
    });
    const { port } = new URL(origin);
    const status = async (...headers: readonly string[]): Promise<number> => {
      const ask = ['GET /elsewhere HTTP/1.1', ...headers, 'Connection: close', '', ''].join('\r\n');
      return (await sendBytes(origin, ask)).status;
    };
    expect(await status('Host: stock.example.com')).toBe(404);
    expect(await status(`Host: localhost:${port}`)).toBe(404);
    expect(await status('Host: evil.example')).toBe(403);
    expect(await status('Host: stock.example.com.evil.example')).toBe(403);
    for (const odd of [
      'evil.example@localhost',
      'localhost/evil.example',
      'localhost?',
      'localhost#x',
      'localhost\\x',
      '',
    ])
      expect(await status(`Host: ${odd}`), odd).toBe(403);
    expect(await status('Host: localhost', 'Origin: https://app.example.com')).toBe(404);
    expect(await status('Host: localhost', 'Origin: http://localhost:6274')).toBe(404);
    expect(await status('Host: localhost', 'Origin: https://app.example.com:8443')).toBe(403);
    expect(await status('Host: localhost', 'Origin: http://localhost.evil.example')).toBe(403);
    expect(await status('Host: localhost', 'Origin: null')).toBe(403);
  });

  it('that finds its port taken says which one and what to do', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await expect(serve({ port })).rejects.toThrow(
        `Port ${port} on 127.0.0.1 is taken: stop the other program or set HOLDFAST_HTTP_PORT.`,
      );
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});

it('half a request’s headers are given up at the next look after their time, not after Node’s half a minute', async () => {
  const server = await serve({ headers_timeout_ms: 20, timeouts_check_ms: 20 });
  const socket = await connected(server.origin);
  socket.write('GET /healthz HTTP/1.1\r\nHost: lo');
  const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  // Of the same age, with the interval that Node has by itself.
  const slow = await serve({ headers_timeout_ms: 20, timeouts_check_ms: 30_000 });
  const other = await connected(slow.origin);
  const late = new Promise<string>((resolve) => other.once('data', () => resolve('late')));
  other.write('GET /healthz HTTP/1.1\r\nHost: lo');
  expect(await Promise.race([answer, late])).toMatch(/^HTTP\/1\.1 408 /);
});

it('a call of a tool that the token does not allow is challenged before it, in a batch too', async () => {
  const lacking: string[] = [];
  const caller = { principal: AGENT, channel: null, scopes: new Set(['inventory:read'] as const) };
  const { origin } = await serve({
    authenticator: {
      judge: async () => ({ ok: true, caller }),
      lacking: (scope) => {
        lacking.push(scope);
        return {
          status: 403,
          headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
          message: 'No.',
        };
      },
    },
  });
  const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });
  const send = (body: unknown) =>
    fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(body),
    });
  expect((await send(call('find_items'))).status).toBe(200);
  for (const body of [call('reserve_units'), [call('find_items'), call('submit_order_with_hash')]]) {
    const response = await send(body);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope"',
    ]);
  }
  expect(lacking).toEqual(['inventory:reserve', 'orders:submit']);
});

it.each([
  ['resources/read', { uri: 'stock://sku/MUG' }, 403],
  ['resources/subscribe', { uri: 'stock://sku/MUG' }, 403],
  ['subscriptions/listen', { notifications: { resourceSubscriptions: ['stock://sku/MUG'] } }, 403],
  ['subscriptions/listen', { notifications: { toolsListChanged: true } }, 200],
  ['tools/list', {}, 200],
])(
  'stock is read and followed with inventory:read alone: %s %j is answered %i',
  async (method, params, status) => {
    const caller = { principal: AGENT, channel: null, scopes: new Set(['orders:submit'] as const) };
    const lacking: string[] = [];
    const { origin } = await serve({
      authenticator: {
        judge: async () => ({ ok: true, caller }),
        lacking: (scope) => {
          lacking.push(scope);
          return { status: 403, headers: {}, message: 'No.' };
        },
      },
    });
    const response = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(method === 'subscriptions/listen' ? { 'mcp-protocol-version': '2026-07-28' } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    await response.body?.cancel();
    expect([response.status, lacking]).toEqual([status, status === 403 ? ['inventory:read'] : []]);
  },
);

describe('a web page', () => {
  const PAGE = 'https://app.example.com';
  const ask = (origin: string, page: string, more: Record<string, string> = {}, method = 'OPTIONS') =>
    fetch(`${origin}/mcp`, { method, headers: { origin: page, ...more } });
  const WISH = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  it('that may call has its browser told so, for it alone', async () => {
    const { origin } = await serve({ allowed_origins: [PAGE] });
    const asked = await ask(origin, PAGE, WISH);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-allow-headers': expect.stringMatching(
        /authorization.*mcp-method.*mcp-name.*mcp-session-id/,
      ),
      vary: 'origin',
    });
    const answered = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        origin: PAGE,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: FIND }),
    });
    expect([answered.status, answered.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
    expect(answered.headers.get('access-control-expose-headers')).toContain('mcp-session-id');
  });

  it('can read the challenge of a token that is missing', async () => {
    const challenge = { status: 401, headers: { 'www-authenticate': 'Bearer' }, message: 'No.' } as const;
    const authenticator = { ...knownAs(AGENT), judge: async () => ({ ok: false, challenge }) as const };
    const { origin } = await serve({ allowed_origins: [PAGE], authenticator });
    const { status, headers } = await ask(origin, PAGE, {}, 'POST');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
    expect(headers.get('access-control-expose-headers')).toContain('www-authenticate');
  });

  it('that may not is told nothing, and neither is a program', async () => {
    const { origin } = await serve({ allowed_origins: [PAGE] });
    const stranger = await ask(origin, 'https://evil.example', WISH);
    expect([stranger.status, stranger.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const program = await post(origin);
    expect([program.status, program.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    // OPTIONS that asks for nothing is a method like another.
    expect((await ask(origin, PAGE)).status).toBe(405);
  });
});

describe('closing the HTTP server', () => {
  it('is safe twice, and takes nobody in after it', async () => {
    const server = await serve();
    await server.close();
    await server.close();
    await expect(post(server.origin)).rejects.toThrow();
  });

  it('does not wait for connections that are idle', async () => {
    const server = await serve();
    const socket = await connected(server.origin);
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
  });

  it('does not wait for a connection on which half a request’s headers came', async () => {
    const minutes_ms = 600_000;
    const server = await serve({
      headers_timeout_ms: minutes_ms,
      request_timeout_ms: minutes_ms,
      drain_max_ms: minutes_ms,
    });
    const accepted = nextConnection();
    const socket = await connected(server.origin);
    socket.on('error', () => undefined).write('GET /healthz HTTP/1.1\r\nHost: lo');
    const theirs = await accepted;
    await expect.poll(() => theirs.bytesRead).toBeGreaterThan(0);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
  });

  it('ends a stream of changes in order, without waiting for it', async () => {
    const server = await serve({
      drain_max_ms: 600_000,
      makeServer: () =>
        new McpServer({ name: 'telling', version: '0' }, { capabilities: { tools: { listChanged: true } } }),
    });
    const stream = await fetch(`${server.origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'listening',
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true } },
      }),
    });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const said = stream.text();
    await server.close();
    expect(await said).toMatch(/acknowledged.*"id":"listening","result":\{"resultType":"complete"/s);
  });

  it('waits for a call in flight, and answers it', async () => {
    const server = await serve();
    const lock = new (loadDriver())(shop.path);
    lock.exec('BEGIN IMMEDIATE');
    const started = nextRequest();
    const answer = post(server.origin, {
      name: 'reserve_units',
      arguments: { lines: [{ sku: 'MUG', quantity: 1 }] },
    });
    await started;
    const closing = server.close();
    lock.exec('ROLLBACK');
    lock.close();
    expect(await (await answer).text()).toContain('"status":"active"');
    await closing;
    expect(await shop.atp('MUG')).toBe(9);
  });
});

/** Resolves with the server's end of the next connection to a server of this process. */
function nextConnection(): Promise<Socket> {
  return new Promise((resolve) => {
    const seen = (message: unknown): void => {
      unsubscribe('net.server.socket', seen);
      resolve((message as { socket: Socket }).socket);
    };
    subscribe('net.server.socket', seen);
  });
}

/** Resolves when a server of this process has the next request's headers. */
function nextRequest(): Promise<void> {
  return new Promise((resolve) => {
    const seen = (): void => {
      unsubscribe('http.server.request.start', seen);
      resolve();
    };
    subscribe('http.server.request.start', seen);
  });
}

function connected(origin: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}
