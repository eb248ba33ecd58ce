/** Changes pushed over HTTP, to clients of both eras and past clients that do not read. */

import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/auth/authenticator.js';
import { LIMITS } from '../../src/config/config.js';
import { type HttpServing, serveOnHttp } from '../../src/http/http.js';
import { SCOPES, type Scope } from '../../src/mcp/kit/caller.js';
import { stockUri } from '../../src/mcp/kit/stock-uri.js';
import type { StockHub } from '../../src/mcp/subscriptions/subscription-hub.js';
import { TestLedger, WAREHOUSE } from '../helpers/ledger.js';
import { hubOn, type PushLimits } from '../helpers/push.js';

const MUG = 'stock://sku/MUG';
/** Everybody is who they say they are. */
const BY_NAME: Authenticator = {
  judge: async ({ headers }) => {
    const principal = String(headers['x-name'] ?? 'a');
    const status = turnedAway.get(principal);
    if (status !== undefined) return { ok: false, challenge: { status, headers: {}, message: 'No.' } };
    const scopes = new Set(SCOPES.filter((scope) => !taken.has(scope)));
    return { ok: true, caller: { principal, channel: null, scopes } };
  },
  lacking: (scope) => ({ status: 403, headers: {}, message: `It lacks ${scope}.` }),
};

/** Names that are not let in any more, and scopes that nobody has any more. */
const turnedAway = new Map<string, 401 | 503>();
const taken = new Set<Scope>();

let shop: TestLedger;
/** Another process on the same file. */
let elsewhere: TestLedger;
let hub: StockHub;
let serving: HttpServing;
const closing: (() => unknown)[] = [];
const until = (what: () => unknown) => expect.poll(what, { timeout: 60_000, interval: 20 });

async function serve(limits: PushLimits = {}): Promise<void> {
  hub = hubOn(shop, limits);
  const host = {
    ledger: shop.ledger,
    reportBug: (error: unknown): string => {
      throw error;
    },
  };
  serving = await serveOnHttp({ version: '0' }, host, {
    ...LIMITS.http,
    host: '127.0.0.1',
    port: 0,
    authenticator: BY_NAME,
    onError: () => undefined,
    streams_recheck_ms: 20,
    push: { hub, newId: randomUUID, limits: { ...LIMITS.push, ...limits } },
  });
}

beforeEach(async () => {
  shop = await TestLedger.open();
  elsewhere = await shop.beside();
  for (const sku of ['MUG', 'TEE']) await shop.seed({ sku, levels: { [WAREHOUSE]: 1_000 } });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await serving.close();
  await hub.stop();
  await elsewhere.close();
  await shop.close();
  turnedAway.clear();
  taken.clear();
});

function send(body: object, headers: Record<string, string> = {}, method = 'POST'): Promise<Response> {
  return fetch(`${serving.origin}/mcp`, {
    method,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    ...(method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) } : {}),
  });
}

const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '0' } },
};
const subscribe = (uri: string) => ({ method: 'resources/subscribe', params: { uri } });

/** A session, as a client of the 2025 revisions opens it. */
async function session(name = 'a'): Promise<Record<string, string>> {
  const response = await send(INITIALIZE, { 'x-name': name });
  const id = response.headers.get('mcp-session-id');
  await response.text();
  return { 'x-name': name, ...(id === null ? {} : { 'mcp-session-id': id }) };
}

/** A stream of `subscriptions/listen` over a socket of its own, that is read only when it is told to be. */
function listenSlowly(uris: readonly string[]): Socket {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'x', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 'slow',
    method: 'subscriptions/listen',
    params: { _meta: meta, notifications: { resourceSubscriptions: uris } },
  });
  const { port, host } = new URL(serving.origin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n` +
      `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  closing.push(() => socket.destroy());
  return socket;
}

describe('a stream whose caller is not welcome any more is cut off', () => {
  const opened: readonly [string, () => Promise<Response>][] = [
    [
      'of a session',
      async () => {
        const headers = await session('b');
        await send(subscribe(MUG), headers);
        return send({}, headers, 'GET');
      },
    ],
    [
      'of subscriptions/listen',
      () =>
        send(
          { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions: [MUG] } } },
          { 'mcp-protocol-version': '2026-07-28', 'x-name': 'b' },
        ),
    ],
  ];
  const ended = (response: Response): Promise<'ended'> => response.text().then(over, over);
  const over = (): 'ended' => 'ended';

  it.each(opened)('one %s, and its neighbours’ are not', async (_, open) => {
    await serve();
    const theirs = await open();
    const mine = await send({}, await session('a'), 'GET');
    expect([theirs.status, mine.status]).toEqual([200, 200]);
    let isMineOpen = true;
    void ended(mine).then(() => {
      isMineOpen = false;
    });
    turnedAway.set('b', 401);
    expect(await ended(theirs)).toBe('ended');
    expect(isMineOpen).toBe(true);
  });

  it('one that may do less than it could, but none while nobody can be judged', async () => {
    await serve();
    const stream = await send({}, await session('b'), 'GET');
    let looks = 0;
    turnedAway.set('b', 503);
    const { get } = turnedAway;
    turnedAway.get = (name) => {
      looks += 1;
      return get.call(turnedAway, name);
    };
    await until(() => looks).toBeGreaterThan(2);
    turnedAway.get = get;
    turnedAway.delete('b');
    const answer = await Promise.race([ended(stream), send(INITIALIZE, { 'x-name': 'b' })]);
    expect(answer).not.toBe('ended');
    taken.add('orders:submit');
    expect(await ended(stream)).toBe('ended');
  });
});

describe('a change that another process makes is pushed', () => {
  it('to a client of 2026-07-28, over subscriptions/listen', async () => {
    await serve();
    const client = new Client(
      { name: 'x', version: '0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const told: string[] = [];
    client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void told.push(params.uri),
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(`${serving.origin}/mcp`)));
    closing.push(() => client.close());
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: true });
    const stream = await client.listen({ resourceSubscriptions: [MUG, 'file:///etc/passwd'] });
    expect(stream.honoredFilter.resourceSubscriptions).toEqual([MUG]);
    await elsewhere.levels('TEE', { [WAREHOUSE]: 9 });
    await elsewhere.levels('MUG', { [WAREHOUSE]: 9 });
    await until(() => told).toEqual([MUG]);
    expect(await client.readResource({ uri: MUG })).toMatchObject({ cacheScope: 'private', ttlMs: 120_000 });
    await stream.close();
    await until(() => hub.size).toBe(0);
  });

  it('to the v1 SDK client, over its session', async () => {
    await serve();
    const client = new ClientV1({ name: 'x', version: '0' });
    const told: string[] = [];
    client.setNotificationHandler(
      ResourceUpdatedNotificationSchema,
      ({ params }) => void told.push(params.uri),
    );
    const transport = new HttpV1(new URL(`${serving.origin}/mcp`));
    await client.connect(transport as Parameters<ClientV1['connect']>[0]);
    closing.push(() => client.close());
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: true });
    await client.subscribeResource({ uri: MUG });
    await elsewhere.levels('MUG', { [WAREHOUSE]: 9 });
    await until(() => told).toEqual([MUG]);
    await client.unsubscribeResource({ uri: MUG });
    await transport.terminateSession();
    await until(() => hub.size).toBe(0);
  });
});

describe('a session', () => {
  it('is its caller’s alone: to another it is as unknown as one that never was', async () => {
    await serve();
    const mine = await session();
    const theirs = { ...mine, 'x-name': 'b' };
    for (const headers of [theirs, { 'mcp-session-id': 'never-was' }]) {
      expect((await send(subscribe(MUG), headers)).status).toBe(404);
      expect((await send({}, headers, 'GET')).status).toBe(404);
      expect((await send({}, headers, 'DELETE')).status).toBe(404);
    }
    expect((await send(subscribe(MUG), mine)).status).toBe(200);
  });

  it('tells nothing to a token of its caller that may not read stock', async () => {
    await serve();
    const mine = await session();
    taken.add('inventory:read');
    expect((await send({}, mine, 'GET')).status).toBe(403);
    taken.clear();
    expect((await send({}, mine, 'GET')).status).toBe(200);
  });

  it('has one stream, and is gone once it is deleted', async () => {
    await serve();
    const mine = await session();
    const stream = await send({}, mine, 'GET');
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect((await send({}, mine, 'GET')).status).toBe(409);
    expect((await send({}, mine, 'DELETE')).status).toBe(200);
    await stream.text();
    expect((await send({}, mine, 'GET')).status).toBe(404);
    expect((await send({ method: 'tools/list' }, mine)).status).toBe(404);
    expect((await send(INITIALIZE, mine)).status).toBe(200);
    expect(hub.size).toBe(1);
  });

  it('that is not known keeps nobody from calling tools: a restart breaks no client that only does that', async () => {
    await serve();
    const call = { method: 'tools/call', params: { name: 'check_stock', arguments: { skus: ['MUG'] } } };
    const response = await send(call, { 'mcp-session-id': 'of-another-life' });
    expect(await response.text()).toContain('"available_to_promise":1000');
  });

  it('is refused to nobody: where none fits, initialize answers without one and says that nothing can be followed', async () => {
    await serve({ readers_per_caller_max: 1 });
    const first = await session();
    await send(subscribe(MUG), first);
    const response = await send(INITIALIZE);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    const { result } = (await response.json()) as { result: { capabilities: { resources: object } } };
    expect(result.capabilities.resources).toEqual({});
    // One that follows nothing makes room.
    await send({ method: 'resources/unsubscribe', params: { uri: MUG } }, first);
    expect(await session()).toHaveProperty('mcp-session-id');
    expect((await send(subscribe(MUG), first)).status).toBe(404);
  });

  it('without a stream is forgotten when nobody uses it', async () => {
    await serve({ session_idle_ms: 50 });
    await session();
    await until(() => hub.size).toBe(0);
  });
});

describe('a client that does not read', () => {
  it('is cut off, and everybody else hears of every change meanwhile', async () => {
    const uris: string[] = [];
    // Long names, so that the kernel's own buffers, which take megabytes before anybody notices, are soon full.
    for (let index = 0; index < 60; index += 1) {
      const sku = `${'靴'.repeat(250)}${index}`;
      await shop.seed({ sku, levels: { [WAREHOUSE]: 1_000 } });
      uris.push(stockUri(sku));
    }
    await serve({ stalled_max_ms: 300, round_ms: 5, sweep_ms: 1 });
    const stalled = listenSlowly(uris);
    await new Promise((resolve) => stalled.once('readable', resolve));
    stalled.pause();
    let isCutOff = false;
    stalled
      .on('error', () => undefined)
      .once('close', () => {
        isCutOff = true;
      });
    const mine = await session('b');
    await (await send(subscribe(MUG), mine)).text();
    const stream = await send({}, mine, 'GET');
    let told = 0;
    void (async () => {
      for await (const chunk of stream.body ?? [])
        told += Buffer.from(chunk).toString().split('"uri"').length - 1;
    })().catch(() => undefined);
    expect(hub.size).toBe(2);
    // One setting changes what every SKU promises.
    for (let kept = 1; hub.size > 1; kept += 1) {
      const before = told;
      await elsewhere.store.putSafetyStock(kept % 900);
      shop.time.pass(2);
      await until(() => told).toBeGreaterThan(before);
    }
    // What it has not read yet is lost with the connection.
    stalled.resume();
    await until(() => isCutOff).toBe(true);
  });
});

describe('what one caller may follow is bounded', () => {
  it('and a stream for more is refused in words of ours', async () => {
    await serve({ uris_per_reader_max: 1 });
    const client = new Client(
      { name: 'x', version: '0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(`${serving.origin}/mcp`)));
    closing.push(() => client.close());
    await expect(client.listen({ resourceSubscriptions: [MUG, 'stock://sku/TEE'] })).rejects.toThrow(
      'more than one caller may follow',
    );
    expect(hub.size).toBe(0);
  });
});
