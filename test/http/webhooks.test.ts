/** The one route that strangers may reach, over real connections: who is let in, and that nothing of the others stays. */

import { createHmac } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OPEN_TO_LOOPBACK } from '../../src/auth/authenticator.js';
import { LIMITS } from '../../src/config/config.js';
import {
  type HttpServing,
  serveOnHttp,
  serveWebhooks,
  type WebhookListenerOptions,
} from '../../src/http/http.js';
import { WEBHOOK_PATH } from '../../src/http/webhooks.js';
import { readLedgerBytes } from '../helpers/ledger-bytes.js';
import { readMetric } from '../helpers/read-metric.js';
import { ShopLedger } from '../helpers/shop-ledger.js';
import { InboxBench, levelBody, SECRET, signed } from '../helpers/webhooks.js';

const PUBLIC = 'stock.example.com';

let t: ShopLedger;
let b: InboxBench;
/** With MCP and figures, for agents. */
let main: HttpServing;
/** Where a proxy leads the public. Null: webhooks are off. */
let receiving: HttpServing | null;
let errors: unknown[];

beforeEach(async () => {
  t = await ShopLedger.open();
  b = new InboxBench(t);
  text = levelBody(b.itemId('CAP'));
  errors = [];
});
afterEach(async () => {
  await receiving?.close();
  await main.close();
  await t.close();
});

async function serve(webhooks: Partial<WebhookListenerOptions> | null = {}): Promise<void> {
  const open = {
    ...LIMITS.http,
    host: '127.0.0.1',
    port: 0,
    onError: (error: unknown) => errors.push(error),
  };
  const route = { ...open, door: b.inbox, metrics: b.metrics, ...webhooks };
  main = await serveOnHttp(
    { version: '0' },
    {
      ledger: t.ledger,
      reportBug: (error) => {
        throw error;
      },
    },
    {
      ...open,
      authenticator: OPEN_TO_LOOPBACK,
      metricsText: async () => b.metrics.text(),
      webhooks: webhooks === null ? undefined : route,
    },
  );
  receiving = webhooks === null ? null : await serveWebhooks({ public_hostname: PUBLIC, ...route });
}

const portOf = ({ origin }: HttpServing): number => Number(new URL(origin).port);

interface Sent {
  /** Default: the listener for webhooks where there is one. */
  readonly to?: HttpServing;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Sent in pieces, without a word about its length. */
  readonly chunks?: Iterable<Buffer>;
}

interface Got {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** Not `fetch`: it neither sets a Host nor hears an answer that comes before its body is through. */
function send(sent: Sent): Promise<Got> {
  const { to = receiving ?? main, method = 'POST', path = WEBHOOK_PATH, headers = {}, body, chunks } = sent;
  return new Promise((resolve, reject) => {
    const options = { hostname: '127.0.0.1', port: portOf(to), method, path, headers };
    const call = request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    call.on('error', reject);
    for (const chunk of chunks ?? []) call.write(chunk);
    call.end(body);
  });
}

/** What a connection hears that sends this and then nothing more. */
function answerTo(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(portOf(receiving ?? main), '127.0.0.1');
    socket.on('error', reject).on('data', (chunk) => {
      resolve(String(chunk));
      socket.destroy();
    });
    socket.write(text);
  });
}

const dump = (): Buffer => readLedgerBytes(t.path);
const counted = (outcome: string) => readMetric(b.metrics, 'webhook_deliveries_total', outcome);
let text: string;
const body = () => text;
const post = (text: string, headers: Record<string, string>) => send({ body: text, headers });

/** It is refused with this status, counted under this name, and the database is the same to the byte. */
async function expectRefused(sent: Sent, status: number, outcome: string): Promise<Got> {
  const [before, count] = [dump(), await counted(outcome)];
  const got = await send(sent);
  expect({ status: got.status, [outcome]: await counted(outcome) }).toEqual({ status, [outcome]: count + 1 });
  expect(dump().equals(before)).toBe(true);
  expect(b.nudges.received).toBe(0);
  return got;
}

describe('a delivery', () => {
  test('that the shop has signed is taken in, and is durable when it is answered', async () => {
    await serve();
    const answer = await post(body(), signed(body(), { id: 'one' }));
    const rows = t.rawly((db) => db.prepare('SELECT delivery_id FROM inbox').pluck().all());
    expect(answer).toMatchObject({ status: 200 });
    expect(rows).toEqual(['one']);
    expect(await counted('taken')).toBe(1);
    expect(b.nudges.received).toBe(1);
  });

  test('is known by the raw bytes, whatever characters they are', async () => {
    await serve();
    const text = `${levelBody('1').slice(0, -1)},"note":"Größe 登山靴 \\u0000 \\/ "}`;
    expect(await post(text, signed(text))).toMatchObject({ status: 200 });
  });

  test('that is replayed is answered with 200, counted, and written nowhere', async () => {
    await serve();
    const headers = signed(body(), { id: 'one' });
    await post(body(), headers);
    const before = dump();
    expect(await post(body(), headers)).toMatchObject({ status: 200 });
    expect(await counted('replayed')).toBe(1);
    expect(dump().equals(before)).toBe(true);
  });

  test('of our own, to see whether the shop could reach us, is answered and written nowhere', async () => {
    await serve();
    const before = dump();
    expect(await post('{}', signed('{}', { topic: 'holdfast/ping' }))).toMatchObject({ status: 200 });
    expect(await counted('pong')).toBe(1);
    expect(dump().equals(before)).toBe(true);
  });

  test('in the newer family of headers is taken in too', async () => {
    await serve();
    const headers = Object.entries(signed(body())).map(([name, value]) => [name.replace(/^x-/, ''), value]);
    expect(await post(body(), Object.fromEntries(headers))).toMatchObject({ status: 200 });
    expect(await counted('taken')).toBe(1);
  });
});

describe('refused, counted, and written nowhere is a delivery', () => {
  test('of which one byte was changed', async () => {
    await serve();
    const headers = signed(body());
    const changed = body().replace('"available":10', '"available":11');
    await expectRefused({ body: changed, headers }, 401, 'bad_signature');
    await expectRefused({ body: `${body()} `, headers }, 401, 'bad_signature');
  });

  test('signed with a wrong secret', async () => {
    await serve();
    await expectRefused({ body: body(), headers: signed(body(), { secret: 'guess' }) }, 401, 'bad_signature');
  });

  test('without a signature, or with one that is none', async () => {
    await serve();
    const { 'x-shopify-hmac-sha256': signature = '', ...headers } = signed(body());
    await expectRefused({ body: body(), headers }, 401, 'unsigned');
    for (const broken of ['', 'x', signature.slice(1), `${signature}=`, signature.toLowerCase()]) {
      const sent = { body: body(), headers: { ...headers, 'x-shopify-hmac-sha256': broken } };
      await expectRefused(sent, 401, 'bad_signature');
    }
  });

  test('whose signature is in hex, or over nothing', async () => {
    await serve();
    for (const digest of [
      createHmac('sha256', SECRET).update(body()).digest('hex'),
      createHmac('sha256', SECRET).update('').digest('base64'),
    ]) {
      const headers = { ...signed(body()), 'x-shopify-hmac-sha256': digest };
      await expectRefused({ body: body(), headers }, 401, 'bad_signature');
    }
  });

  test('that somebody has parsed and printed again', async () => {
    await serve();
    const original = `{ "inventory_item_id": 271878346596884015, "location_id": 1 }`;
    const reprinted = JSON.stringify(JSON.parse(original));
    await expectRefused({ body: reprinted, headers: signed(original) }, 401, 'bad_signature');
  });

  test('for another shop, though well signed', async () => {
    await serve();
    const headers = signed(body(), { shop: 'other.myshopify.com' });
    await expectRefused({ body: body(), headers }, 401, 'other_shop');
  });

  test('that is no JSON, or has no id, though well signed', async () => {
    await serve();
    await expectRefused({ body: 'no json', headers: signed('no json') }, 400, 'malformed');
    await expectRefused({ body: '', headers: signed('') }, 400, 'malformed');
    const { 'x-shopify-webhook-id': _, ...headers } = signed(body());
    await expectRefused({ body: body(), headers }, 400, 'malformed');
  });

  test('of 10 MB, whether it says so or not', async () => {
    await serve();
    const large = Buffer.alloc(10_000_000, 32);
    await expectRefused({ body: large, headers: signed(large) }, 413, 'too_large');
    const pieces = Array.from({ length: 160 }, () => Buffer.alloc(65_536, 32));
    await expectRefused({ chunks: pieces, headers: signed(Buffer.concat(pieces)) }, 413, 'too_large');
    // Its memory is free again, and the next one is taken.
    expect(await post(body(), signed(body()))).toMatchObject({ status: 200 });
  });

  test('that only says to be so large: it is not waited for', async () => {
    await serve();
    const head = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: ${PUBLIC}\r\nContent-Length: 10000000\r\n\r\n`;
    expect(await answerTo(head)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await counted('too_large')).toBe(1);
  });

  test('of a stranger who sends many is not read where it is large; the shop’s small ones from the same address are', async () => {
    await serve({ strangers_per_minute: 2, now_ms: () => 0 });
    const large = `{"a":"${'x'.repeat(LIMITS.http.webhook_small_max_bytes)}"}`;
    for (const _ of [1, 2])
      await expectRefused({ body: large, headers: signed(large, { secret: 'x' }) }, 401, 'bad_signature');
    await expectRefused({ body: large, headers: signed(large, { secret: 'x' }) }, 429, 'rate_limited');
    await expectRefused({ chunks: [Buffer.from(large)], headers: signed(large) }, 429, 'rate_limited');
    expect(await post(body(), signed(body()))).toMatchObject({ status: 200 });
  });

  test('of exactly one byte more than the limit, and not one of the limit', async () => {
    await serve();
    const ofLength = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    const [fits, not] = [LIMITS.http.body_max_bytes, LIMITS.http.body_max_bytes + 1].map(ofLength);
    if (fits === undefined || not === undefined) throw new Error('no bodies');
    await expectRefused({ body: not, headers: signed(not) }, 413, 'too_large');
    expect(await post(fits, signed(fits))).toMatchObject({ status: 200 });
    expect(await counted('nothing')).toBe(1);
  });

  test('that is no POST', async () => {
    await serve();
    const got = await expectRefused({ method: 'GET' }, 405, 'wrong_method');
    expect(got.headers.allow).toBe('POST');
    await expectRefused({ method: 'PUT', body: body(), headers: signed(body()) }, 405, 'wrong_method');
  });

  test('whose body takes too long', async () => {
    await serve({ webhook_body_timeout_ms: 50 });
    const before = dump();
    const start = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: ${PUBLIC}\r\nContent-Length: 100\r\n\r\n{`;
    expect(await answerTo(start)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await counted('too_slow')).toBe(1);
    expect(dump().equals(before)).toBe(true);
  });

  test('that breaks off', async () => {
    await serve();
    const socket = connect(portOf(receiving ?? main), '127.0.0.1');
    const text = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: ${PUBLIC}\r\nContent-Length: 100\r\n\r\n{`;
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    socket.destroy();
    await expect.poll(() => counted('broken_off'), { timeout: 20_000 }).toBe(1);
  });

  test('for which there is no memory while others are received', async () => {
    await serve({ webhook_small_max_bytes: 50, webhook_buffer_max_bytes: 100 });
    const got = await expectRefused({ body: body().padEnd(200), headers: signed(body()) }, 503, 'busy');
    expect(Number(got.headers['retry-after'])).toBeGreaterThan(0);
    const small = '{"inventory_item_id":1,"location_id":2}';
    expect(await post(small, signed(small))).toMatchObject({ status: 200 });
  });

  test('beyond what may wait: the shop is to send it again', async () => {
    b = new InboxBench(t, { limits: { waiting_max: 0 } });
    await serve();
    const got = await expectRefused({ body: body(), headers: signed(body()) }, 503, 'full');
    expect(Number(got.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('that the ledger can not take: the shop is to send it again, and the log is told', async () => {
    await serve();
    await t.store.close();
    expect(await post(body(), signed(body()))).toMatchObject({ status: 503 });
    expect(await counted('failed')).toBe(1);
    expect(errors).toHaveLength(1);
  });
});

describe('strangers who stall', () => {
  /** Each has sent all of a body but its last byte. Resolves when the server has read what fits into its memory. */
  async function stall(count: number, bytes: number): Promise<Socket[]> {
    const large = Buffer.alloc(bytes - 1, 32);
    const head = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: ${PUBLIC}\r\nContent-Length: ${bytes}\r\n\r\n`;
    const accepted: Socket[] = [];
    const seen = (message: unknown): void => void accepted.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', seen);
    const sockets = Array.from({ length: count }, () => {
      const socket = connect(portOf(receiving ?? main), '127.0.0.1');
      socket.on('error', () => undefined).write(head);
      socket.write(large);
      return socket;
    });
    await expect
      .poll(() => accepted.filter(({ bytesRead }) => bytesRead >= bytes - 1).length, { timeout: 60_000 })
      .toBe(count);
    unsubscribe('net.server.socket', seen);
    return sockets;
  }

  test('with large bodies, until their memory is full, turn no ordinary delivery away', async () => {
    await serve({ webhook_body_timeout_ms: 600_000 });
    const sockets = await stall(40, LIMITS.http.body_max_bytes);
    await expect.poll(() => counted('busy')).toBeGreaterThan(0);
    const before = await counted('taken');
    expect(await post(body(), signed(body()))).toMatchObject({ status: 200 });
    expect(await counted('taken')).toBe(before + 1);
    for (const socket of sockets) socket.destroy();
  });

  test('with all connections there are keep no agent out', async () => {
    await serve({ connections_max: 3, webhook_body_timeout_ms: 600_000 });
    const sockets = await stall(3, 100);
    const turnedAway = await post(body(), signed(body())).catch(({ code }) => code);
    expect(turnedAway).toBe('ECONNRESET');
    expect(await send({ to: main, method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
  });
});

test('nobody learns from an answer why exactly it was refused, nor what it sent', async () => {
  await serve();
  const text = levelBody('4711');
  const answers = await Promise.all([
    post(text, { 'content-type': 'application/json' }),
    post(text, signed(text, { secret: 'guess' })),
    post(text, signed(text, { shop: 'other.myshopify.com' })),
  ]);
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  expect(answers[0]?.text).not.toMatch(/4711|sandbox|secret|hmac/i);
});

test('without webhooks the route is not there, and says how to turn it on', async () => {
  await serve(null);
  const before = dump();
  const got = await post(body(), signed(body()));
  expect(got).toMatchObject({ status: 404, text: expect.stringContaining('HOLDFAST_PUBLIC_URL') });
  expect(dump().equals(before)).toBe(true);
});

describe('under the public name', () => {
  const as = (host: string, path: string, more: Record<string, string> = {}, to = receiving ?? main) => {
    const fresh = levelBody(b.itemId('CAP'));
    return send({ to, path, headers: { ...signed(fresh), ...more, host }, body: fresh });
  };

  test('the shop is let in at the webhooks, with a port or without, and from any origin', async () => {
    await serve();
    expect(await as(PUBLIC, WEBHOOK_PATH)).toMatchObject({ status: 200 });
    expect(await as(`${PUBLIC}:443`, `${WEBHOOK_PATH}?x=1`)).toMatchObject({ status: 200 });
    expect(await as(PUBLIC, WEBHOOK_PATH, { origin: 'https://elsewhere.example' })).toMatchObject({
      status: 200,
    });
    expect(await counted('taken')).toBe(3);
  });

  test.each(['/mcp', '/metrics', '/healthz', '/', '/webhooks/shopify/', '/webhooks/shopify/..%2f..%2fmcp'])(
    'there is nothing at %s, neither by that name nor by the one a proxy uses',
    async (path) => {
      await serve();
      for (const host of [PUBLIC, '127.0.0.1:8788', 'localhost']) {
        expect(await as(host, path)).toMatchObject({ status: 404, text: 'Not here.\n' });
        expect(await send({ path, method: 'GET', headers: { host } })).toMatchObject({ status: 404 });
      }
    },
  );

  test.each(['/mcp', '/metrics', '/', WEBHOOK_PATH])(
    'the server for agents lets nobody in at %s',
    async (path) => {
      await serve();
      expect(await as(PUBLIC, path, {}, main)).toMatchObject({ status: 403 });
      expect(await send({ to: main, path, method: 'GET', headers: { host: PUBLIC } })).toMatchObject({
        status: 403,
      });
      expect(await counted('taken')).toBe(0);
    },
  );

  test('a neighbour may also post to the server for agents, signed like everybody', async () => {
    await serve();
    expect(await as('127.0.0.1', WEBHOOK_PATH, {}, main)).toMatchObject({ status: 200 });
    const forged = signed(body(), { secret: 'guess' });
    expect(await send({ to: main, body: body(), headers: forged })).toMatchObject({ status: 401 });
  });

  test('a name that only looks like it is none', async () => {
    await serve();
    for (const host of ['evil.example', `${PUBLIC}.evil.example`, `evil-${PUBLIC}`]) {
      expect(await as(host, WEBHOOK_PATH)).toMatchObject({ status: 403 });
    }
    expect(await counted('taken')).toBe(0);
  });

  test('loopback stays a way in, and the only one when there is no public name', async () => {
    await serve({ public_hostname: null });
    expect(await as('127.0.0.1', WEBHOOK_PATH)).toMatchObject({ status: 200 });
    expect(await as(PUBLIC, WEBHOOK_PATH)).toMatchObject({ status: 403 });
  });
});

describe('/metrics', () => {
  test('tells what was counted, in the format of Prometheus', async () => {
    await serve();
    await post(body(), signed(body()));
    await post(body(), signed(body(), { secret: 'guess' }));
    const { text, headers } = await send({ to: main, method: 'GET', path: '/metrics' });
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('# TYPE holdfast_webhook_deliveries_total counter\n');
    expect(text).toContain('holdfast_webhook_deliveries_total{outcome="taken"} 1\n');
    expect(text).toContain('holdfast_webhook_deliveries_total{outcome="bad_signature"} 1\n');
    expect(text).toContain('holdfast_inbox_settled_total 0\n');
  });
});
