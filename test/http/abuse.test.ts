/** Clients that mean harm, or have been cut off: bounded, counted, told, and nothing is sold twice. */

import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Authenticator, OPEN_TO_LOOPBACK } from '../../src/auth/authenticator.js';
import { SCOPES } from '../../src/mcp/kit/caller.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { answerOn, connected, JSON_CLIENT, post, sendBytes, toolCall } from '../helpers/raw-http.js';
import { readMetric } from '../helpers/read-metric.js';
import { ServedHere } from '../helpers/served-here.js';

const FIND = toolCall('find_items', { query: 'mug' });
const CHECK = toolCall('check_stock', { skus: ['MUG'] });
const KILOBYTE = 1_024;
/** As long as the test itself may take. */
const PATIENT = { timeout: 110_000 };

let here: ServedHere;
beforeEach(async () => {
  here = await ServedHere.open();
});
afterEach(() => here.close());

async function stillServes(origin: string): Promise<void> {
  const answer = await sendBytes(origin, post(JSON_CLIENT, FIND));
  expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('MUG')]);
}

describe('a body', () => {
  it('of 100 MB that is declared is refused before any of it is read, and no more than a little is taken', async () => {
    const { origin } = await here.serve({ body_discard_max_bytes: 64 * KILOBYTE });
    const socket = await connected(origin);
    const answer = answerOn(socket);
    const head = post(JSON_CLIENT, '').replace('Content-Length: 0', 'Content-Length: 104857600');
    socket.write(head.replace('Connection: close\r\n', ''));
    const sent = await sendUntilClosed(socket);
    expect((await answer).status).toBe(413);
    // What the kernels at both ends hold of it is not ours to limit.
    expect(sent).toBeLessThan(100 * KILOBYTE * KILOBYTE);
    expect(here.told).toEqual(['mcp_too_large']);
    expect(await readMetric(here.metrics, 'mcp_refused_bytes_total')).toBe(104_857_600);
    await stillServes(origin);
  });

  it('that grows past the limit in chunks is refused when it does', async () => {
    const { origin } = await here.serve({
      body_max_bytes: 64 * KILOBYTE,
      body_discard_max_bytes: 64 * KILOBYTE,
    });
    const socket = await connected(origin);
    const answer = answerOn(socket);
    socket.write(
      post([...JSON_CLIENT, 'Transfer-Encoding: chunked'], '').replace(/Content-Length: 0\r\n/, ''),
    );
    await sendUntilClosed(socket, (chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    expect((await answer).status).toBe(413);
    await stillServes(origin);
  });

  it('that comes drop by drop is given up after its time', async () => {
    const { origin } = await here.serve({ body_timeout_ms: 50 });
    const socket = await connected(origin);
    const answer = answerOn(socket);
    socket.write(post(JSON_CLIENT, FIND).slice(0, -10));
    expect((await answer).status).toBe(408);
    expect(here.told).toEqual(['mcp_too_slow']);
    await stillServes(origin);
  });

  it.each([
    ['lists', `${'['.repeat(500_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}`],
    ['lists that are closed', `${'['.repeat(100)}${']'.repeat(100)}`],
  ])('of %s nested deeply is refused unparsed', async (_, body) => {
    const { origin } = await here.serve();
    const answer = await sendBytes(origin, post(JSON_CLIENT, body));
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('nested too deeply')]);
    expect(await readMetric(here.metrics, 'mcp_requests_total', 'too_deep')).toBe(1);
  });

  it('of many fields is not built: an object of them takes far longer than a text of that length', async () => {
    const { origin } = await here.serve();
    const withFields = (fields: number) => {
      const keys = Object.fromEntries(Array.from({ length: fields }, (_, n) => [`k${n}`, ': ']));
      return post(JSON_CLIENT, toolCall('check_stock', { ...keys, skus: ['MUG'] }));
    };
    expect((await sendBytes(origin, withFields(5_000))).body).toContain('"MUG"');
    expect((await sendBytes(origin, withFields(20_000))).status).toBe(400);
    expect(await readMetric(here.metrics, 'mcp_requests_total', 'too_many_fields')).toBe(1);
    await stillServes(origin);
  });

  it('with brackets in its text is not deep', async () => {
    const { origin } = await here.serve();
    const body = toolCall('find_items', { query: `mug ${'[{"\\'.repeat(30)}` });
    expect((await sendBytes(origin, post(JSON_CLIENT, body))).status).toBe(200);
  });

  it.each([
    ['no JSON', '{', 400, -32_700],
    ['empty', '', 400, -32_700],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('latin1'), 400, -32_700],
  ])('that is %s is a parse error', async (_, body, status, code) => {
    const { origin } = await here.serve();
    const socket = await connected(origin);
    const answer = answerOn(socket);
    const bytes = Buffer.from(body, 'latin1');
    socket.write(post(JSON_CLIENT, '').replace('Content-Length: 0', `Content-Length: ${bytes.length}`));
    socket.write(bytes);
    const { status: got, body: text } = await answer;
    expect([got, JSON.parse(text).error.code]).toEqual([status, code]);
  });

  it('of another type is refused with 415', async () => {
    const { origin } = await here.serve();
    const headers = ['Content-Type: text/plain', 'Accept: application/json, text/event-stream'];
    expect((await sendBytes(origin, post(headers, FIND))).status).toBe(415);
  });
});

describe('connections', () => {
  it('that say nothing are let go after the time for headers, each', async () => {
    const { origin } = await here.serve({ headers_timeout_ms: 50, timeouts_check_ms: 20 });
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connected(origin)));
    const closed = sockets.map((socket) => answerOn(socket));
    await Promise.all(closed);
    await stillServes(origin);
  });

  it('beyond the limit are refused, a thousand of them, counted and told; there is room again afterwards', async () => {
    const { origin } = await here.serve({
      connections_max: 64,
      // Nobody is let go meanwhile: the count below is of those who were never let in.
      headers_timeout_ms: 600_000,
      request_timeout_ms: 600_000,
    });
    const sockets: Socket[] = [];
    const { port, hostname } = new URL(origin);
    for (let wave = 0; wave < 10; wave += 1) {
      const ended = Array.from({ length: 100 }, () => {
        // Heard from its first moment on: one that is not let in is gone as soon as it is there.
        const socket = connect(Number(port), hostname).on('error', () => undefined);
        sockets.push(socket);
        return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      });
      await Promise.all(ended);
    }
    const left = () => sockets.filter((socket) => !socket.destroyed).length;
    await expect.poll(left, PATIENT).toBe(64);
    expect(await readMetric(here.metrics, 'http_connections_refused_total', 'all')).toBe(1_000 - 64);
    expect(new Set(here.told)).toEqual(new Set(['connections_refused']));
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(
        () =>
          stillServes(origin).then(
            () => true,
            () => false,
          ),
        PATIENT,
      )
      .toBe(true);
  });

  it('of one address have a limit of their own', async () => {
    const { origin } = await here.serve({ connections_per_address_max: 2, isExempt: () => false });
    const [one, two] = [await connected(origin), await connected(origin)];
    const third = await connected(origin);
    await new Promise((resolve) => third.on('error', () => undefined).once('close', resolve));
    expect(await readMetric(here.metrics, 'http_connections_refused_total', 'address')).toBe(1);
    one.destroy();
    two.destroy();
    await expect
      .poll(
        () =>
          stillServes(origin).then(
            () => true,
            () => false,
          ),
        PATIENT,
      )
      .toBe(true);
  });
});

it('L7: a client that leaves in the middle of a reserve finds its one reservation under the same key', async () => {
  const { origin } = await here.serve();
  const wish = { lines: [{ sku: 'MUG', quantity: 1 }], idempotency_key: 'cart-1' };
  const lock = new (loadDriver())(here.shop.path);
  lock.exec('BEGIN IMMEDIATE');
  const socket = await connected(origin);
  socket.write(post(JSON_CLIENT, toolCall('reserve_units', wish)));
  // The call has begun when another one, sent after it, is known to be under way behind it.
  await sendBytes(origin, post(JSON_CLIENT, FIND));
  socket.destroy();
  lock.exec('ROLLBACK');
  lock.close();
  const again = await sendBytes(origin, post(JSON_CLIENT, toolCall('reserve_units', wish)));
  const first = JSON.parse(again.body).result.structuredContent;
  expect(first).toMatchObject({ status: 'active', replayed: true });
  expect(await here.shop.atp('MUG')).toBe(9);
});

describe('whoever goes too fast', () => {
  it('is told in a tool’s own words on a call, and in HTTP’s on everything else', async () => {
    const { origin } = await here.serve({ rate_per_minute: 1, now_ms: () => 0 });
    await stillServes(origin);
    const call = await sendBytes(origin, post(JSON_CLIENT, FIND));
    expect([call.status, call.headers['retry-after']]).toEqual([200, '60']);
    expect(JSON.parse(call.body)).toMatchObject({
      id: 1,
      result: {
        isError: true,
        structuredContent: { error: { code: 'rate_limited', retry: 'later', retry_after_seconds: 60 } },
      },
    });
    const list = await sendBytes(origin, post(JSON_CLIENT, '{"jsonrpc":"2.0","id":7,"method":"tools/list"}'));
    expect([list.status, list.headers['retry-after']]).toEqual([429, '60']);
    expect(JSON.parse(list.body)).toMatchObject({ id: 7, error: { data: { retry_after_seconds: 60 } } });
    expect(await readMetric(here.metrics, 'mcp_requests_total', 'rate_limited')).toBe(2);
  });

  it('pays for every message of a batch', async () => {
    const { origin } = await here.serve({ rate_per_minute: 3, now_ms: () => 0 });
    const batch = (size: number) => `[${Array.from({ length: size }, () => FIND).join(',')}]`;
    expect((await sendBytes(origin, post(JSON_CLIENT, batch(2)))).body).toContain('MUG');
    expect((await sendBytes(origin, post(JSON_CLIENT, batch(2)))).body).toContain('rate_limited');
  });

  it('pays more for a search than for other calls, because it costs everybody more', async () => {
    const { origin } = await here.serve({ rate_per_minute: 25, now_ms: () => 0 });
    const answers = async (calls: readonly string[]) => {
      const told: boolean[] = [];
      for (const call of calls) {
        const { body } = await sendBytes(origin, post(JSON_CLIENT, call));
        told.push(!body.includes('rate_limited'));
      }
      return told;
    };
    expect(await answers([FIND, FIND, FIND])).toEqual([true, true, false]);
    // The third was turned away after its entry.
    expect(await answers([CHECK, CHECK, CHECK, CHECK, CHECK])).toEqual([true, true, true, true, false]);
  });

  it('by one address is held back whatever the principal', async () => {
    const { origin } = await here.serve({
      rate_per_address_per_minute: 1,
      now_ms: () => 0,
      trusted_proxies: ['127.0.0.1'],
    });
    const from = (address: string) => post([...JSON_CLIENT, `X-Forwarded-For: ${address}`], FIND);
    expect((await sendBytes(origin, from('203.0.113.7'))).body).toContain('MUG');
    expect((await sendBytes(origin, from('203.0.113.7'))).body).toContain('rate_limited');
    expect((await sendBytes(origin, from('203.0.113.8'))).body).toContain('MUG');
  });
});

describe('a proxy in front of a server that asks nobody who they are', () => {
  it.each([
    'X-Forwarded-For: 203.0.113.7',
    'Forwarded: for=203.0.113.7',
    'Via: 1.1 edge',
    'X-Forwarded-Proto: https',
    'X-Real-IP: 203.0.113.7',
    'CF-Connecting-IP: 203.0.113.7',
    'X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678',
  ])('is known by %s, and refused', async (header) => {
    const { origin } = await here.serve({ authenticator: OPEN_TO_LOOPBACK });
    await stillServes(origin);
    const answer = await sendBytes(origin, post([...JSON_CLIENT, header], FIND));
    expect([answer.status, answer.body]).toEqual([403, expect.stringContaining('for this machine alone')]);
  });

  it('is known by HTTP/1.0, which nginx speaks when nobody tells it otherwise', async () => {
    const asked = post(JSON_CLIENT, FIND).replace('HTTP/1.1', 'HTTP/1.0');
    const open = await here.serve({
      authenticator: OPEN_TO_LOOPBACK,
      metricsText: async () => 'holdfast_x 1\n',
    });
    const answer = await sendBytes(open.origin, asked);
    expect([answer.status, answer.body]).toEqual([403, expect.stringContaining('for this machine alone')]);
    const metrics = 'GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n';
    expect((await sendBytes(open.origin, metrics)).status).toBe(403);
    // Where callers are known, it is as good as any.
    const { origin } = await here.serve();
    expect((await sendBytes(origin, asked)).status).toBe(200);
  });
});

it('two Host headers are refused: who looks at the other one must not be deceived', async () => {
  const { origin } = await here.serve();
  const answer = await sendBytes(origin, post([...JSON_CLIENT, 'Host: stock.example.com'], FIND));
  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('One Host header')]);
});

/** Knows whoever brings `Authorization: NAME` with one of these names; `down` stands for a list that can't be read. */
function knowing(...names: readonly string[]): Authenticator & { readonly worn: boolean[] } {
  const worn: boolean[] = [];
  return {
    worn,
    judge: async ({ headers: { authorization: name = '' } }, isWorn = false) => {
      worn.push(isWorn);
      if (names.includes(name)) {
        return { ok: true, caller: { principal: name, channel: null, scopes: new Set(SCOPES) } };
      }
      return { ok: false, challenge: { status: name === 'down' ? 503 : 401, headers: {}, message: 'No.' } };
    },
    lacking: () => {
      throw new Error('these callers lack nothing');
    },
  };
}

const asking = (name: string, more: readonly string[] = []): string =>
  post([...JSON_CLIENT, `Authorization: ${name}`, ...more], CHECK);

it('bodies that do not come take nobody’s place', async () => {
  const { origin } = await here.serve({ requests_max: 1, requests_per_principal_max: 1 });
  const stalled = await Promise.all(Array.from({ length: 5 }, () => connected(origin)));
  for (const socket of stalled)
    socket.on('error', () => undefined).write(post(JSON_CLIENT, FIND).slice(0, -10));
  // They are at their bodies: each has been counted as a request by then, as one sent after them is answered.
  for (let n = 0; n < 5; n += 1) await stillServes(origin);
  for (const socket of stalled) socket.destroy();
});

describe('tokens that are no good', () => {
  const status = async (origin: string, name: string, more: readonly string[] = []): Promise<number> =>
    (await sendBytes(origin, asking(name, more))).status;

  it('are only told to wait when there are many, and never keep a good one from the same address out', async () => {
    const authenticator = knowing('a');
    const { origin } = await here.serve({
      authenticator,
      strangers_per_minute: 2,
      bad_tokens_per_minute: 3,
      now_ms: () => 0,
    });
    const bad: number[] = [];
    for (let n = 0; n < 4; n += 1) bad.push(await status(origin, 'x'));
    expect(bad).toEqual([401, 401, 429, 429]);
    expect(await status(origin, 'a')).toBe(200);
    // After so many nothing costly is done for one that is not known yet.
    expect(authenticator.worn).toEqual([false, false, false, true, true]);
  });

  it('are not those that nobody can judge just now', async () => {
    const { origin } = await here.serve({
      authenticator: knowing(),
      strangers_per_minute: 1,
      now_ms: () => 0,
    });
    for (let n = 0; n < 3; n += 1) expect(await status(origin, 'down')).toBe(503);
    expect(await status(origin, 'x')).toBe(401);
    expect(await status(origin, 'x')).toBe(429);
  });
});

it('who goes too fast does not use up the pace of the address, which is their neighbours’ too', async () => {
  const { origin } = await here.serve({
    authenticator: knowing('greedy', 'modest'),
    rate_per_minute: 1,
    rate_per_address_per_minute: 2,
    now_ms: () => 0,
  });
  const said: string[] = [];
  for (const name of ['greedy', 'greedy', 'greedy', 'modest']) {
    said.push(/rate_limited|MUG/.exec((await sendBytes(origin, asking(name))).body)?.[0] ?? '');
  }
  expect(said).toEqual(['MUG', 'rate_limited', 'rate_limited', 'MUG']);
});

/** Returns how many bytes were taken off our hands before the other end closed. */
async function sendUntilClosed(socket: Socket, frame = (chunk: string): string => chunk): Promise<number> {
  const chunk = frame('x'.repeat(64 * KILOBYTE));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const push = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', push);
  push();
  await closed;
  return socket.bytesWritten;
}
