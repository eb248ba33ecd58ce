/**
 * Group p: from a commit in one process to the notice at everybody who follows that SKU at another. Half of the
 * subscribers hold a stream of subscriptions/listen, half a session with a stream; one more reads nothing, and has to be cut
 * off. Counted from the moment the writer knows that the change is on disk until its notice arrives.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLedger, seed, tempFolder } from './arena.mjs';
import { ALL_SKUS, longUris, nameOf, SKUS } from './push-skus.mjs';
import { number, quantile, table, verdict } from './report.mjs';

const SKUS_EACH = 5;
const PER_SECOND = 200;
const CALLERS = 20;
const STALLED_MS = 3_000;
const TARGET_P99_MS = 2_000;
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

export async function push({ quick, isQuiet }) {
  const subscribers = quick ? 200 : 1_000;
  const seconds = quick ? 5 : 20;
  const { folder, remove } = tempFolder();
  const path = join(folder, 'ledger.db');
  const arena = openLedger({ path });
  await seed(arena, ALL_SKUS, { nameOf });
  await arena.store.close();
  const server = fork(script('push-server.mjs'), [path, String(STALLED_MS)]);
  const [{ origin }] = await once(server, 'message');
  const asked = async () => {
    server.send('?');
    return (await once(server, 'message'))[0];
  };
  const crowd = new Crowd(origin);
  for (let n = 0; n < subscribers; n += 1) await crowd.join(n);
  await crowd.joinDeaf();
  const before = await asked();
  const writer = fork(script('push-writer.mjs'), [path, ALL_SKUS, PER_SECOND, seconds].map(String));
  const [changes] = await once(writer, 'message');
  await pause(STALLED_MS);
  const after = await asked();
  server.kill();
  crowd.leave();
  remove();
  const { delays, never } = crowd.delaysOf(changes);
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(delays, q));
  const rss_mib = { before: before.rss / 2 ** 20, after: after.rss / 2 ** 20 };
  table(
    `Push: ${subscribers} subscribers of ${SKUS_EACH} SKUs each, ${PER_SECOND} changes a second for ${seconds} s`,
    ['half', '99 %', 'longest', 'never', 'sent', 'cut off', 'RSS before', 'RSS after', 'CPU of the server'],
    [
      [
        `${number(p50)} ms`,
        `${number(p99)} ms`,
        `${number(max)} ms`,
        never,
        number(after.sent),
        after.dropped,
        `${number(rss_mib.before)} MiB`,
        `${number(rss_mib.after)} MiB`,
        `${number((after.cpu_ms - before.cpu_ms) / (seconds * 10))} %`,
      ],
    ],
  );
  if (after.dropped === 0 && !quick)
    console.log('The one who reads nothing was not cut off: its buffers took it all.');
  console.log(`99 %: ${verdict(p99, TARGET_P99_MS, { isBelow: true, isQuiet })}`);
  return { subscribers, seconds, p50_ms: p50, p99_ms: p99, max_ms: max, never, rss_mib, sent: after.sent };
}

class Crowd {
  #origin;
  #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #streams = [];
  /** By SKU, the arrivals of each subscriber that reads. */
  #arrivals = new Map();

  constructor(origin) {
    this.#origin = origin;
  }

  /** Reads nothing. */
  async joinDeaf() {
    const stream = await this.#listen(0, longUris());
    stream.on('error', () => undefined);
    stream.pause();
    this.#streams.push(stream);
  }

  async join(n) {
    const skus = Array.from({ length: SKUS_EACH }, (_, at) => nameOf((n + at * 37) % SKUS));
    const uris = skus.map((sku) => `stock://sku/${sku}`);
    const stream = n % 2 === 0 ? await this.#listen(n, uris) : await this.#session(n, uris);
    this.#streams.push(stream);
    const mine = new Map(skus.map((sku) => [sku, []]));
    for (const [sku, times] of mine) this.#arrivals.set(sku, [...(this.#arrivals.get(sku) ?? []), times]);
    stream.on('error', () => undefined);
    stream.on('data', (chunk) => {
      const now = Date.now();
      for (const [, sku] of String(chunk).matchAll(/"uri":"stock:\/\/sku\/([^"]+)"/g))
        mine.get(sku)?.push(now);
    });
  }

  leave() {
    for (const stream of this.#streams) stream.destroy();
    this.#agent.destroy();
  }

  /**
   * Milliseconds. Changes and notices are matched in order, from the last of each backwards: the last notice tells of the last
   * change, and one notice may tell of several. Whoever took the first notice after a change for its own would count the next
   * change's, a second later, whenever the notice is faster than the writer's own clock.
   */
  delaysOf(changes) {
    const delays = [];
    let never = 0;
    const lastFirst = changes.toSorted((a, b) => b.asked_at - a.asked_at);
    for (const [sku, arrivals] of this.#arrivals) {
      const made = lastFirst.filter((change) => change.sku === sku);
      for (const times of arrivals) {
        let at = times.length;
        for (const { asked_at, kept_at } of made) {
          if (at > 0 && times[at - 1] >= asked_at) at -= 1;
          if (at === times.length) never += 1;
          else delays.push(Math.max(0, times[at] - kept_at));
        }
      }
    }
    return { delays, never };
  }

  #listen(n, uris) {
    const params = { _meta: META, notifications: { resourceSubscriptions: uris } };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
    return this.#send(n, 'POST', headers, { jsonrpc: '2.0', id: n, method: 'subscriptions/listen', params });
  }

  async #session(n, uris) {
    const post = async (headers, method, params) => {
      const response = await this.#send(n, 'POST', headers, { jsonrpc: '2.0', id: 1, method, params });
      response.resume();
      await once(response, 'end');
      return response;
    };
    const clientInfo = { name: 'bench', version: '0' };
    const opened = await post({}, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo,
    });
    const session = { 'mcp-session-id': opened.headers['mcp-session-id'] };
    for (const uri of uris) await post(session, 'resources/subscribe', { uri });
    return this.#send(n, 'GET', session);
  }

  #send(n, method, headers, body) {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#origin}/mcp`, {
        method,
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'x-caller': `caller-${n % CALLERS}`,
          ...headers,
        },
      });
      sent.once('response', (response) => {
        if (response.statusCode === 200) resolve(response);
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
