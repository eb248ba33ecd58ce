/**
 * Deliveries as the shop would never send them, signed by it: the samples of its webhooks cut, spoilt, doubled and filled
 * with anything, under any topic; and what strangers send. Only known outcomes, nothing written for what is refused,
 * and a ledger that proves itself. FUZZ_RUNS for more, FUZZ_SEED for others.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import { type HttpServing, serveWebhooks } from '../../src/http/http.js';
import { WEBHOOK_PATH } from '../../src/http/webhooks.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { readLedgerBytes } from '../helpers/ledger-bytes.js';
import { readFigure } from '../helpers/read-metric.js';
import { ShopLedger } from '../helpers/shop-ledger.js';
import { InboxBench, signed } from '../helpers/webhooks.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 500);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261128);
const NO_LIMIT = 0;
const BODY_MAX_BYTES = 20_000;

/** What each answer may have been counted as. */
const OUTCOMES: Readonly<Record<number, readonly string[]>> = {
  200: ['taken', 'replayed', 'nothing', 'pong'],
  400: ['malformed'],
  401: ['unsigned', 'bad_signature', 'other_shop'],
  413: ['too_large'],
};

let t: ShopLedger;
let b: InboxBench;
let serving: HttpServing;
let errors: unknown[];
const agent = new Agent({ keepAlive: true });

beforeEach(async () => {
  t = await ShopLedger.open();
  b = new InboxBench(t);
  errors = [];
  serving = await serveWebhooks({
    ...LIMITS.http,
    body_max_bytes: BODY_MAX_BYTES,
    host: '127.0.0.1',
    port: 0,
    public_hostname: null,
    door: b.inbox,
    metrics: b.metrics,
    onError: (error) => errors.push(error),
  });
});
afterEach(async () => {
  agent.destroy();
  await serving.close();
  await t.close();
});

const SAMPLES = new URL('../sources/shopify/webhook-samples/', import.meta.url);
const samples = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.json'))
  .map((name) => {
    const { name: topic, response } = JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8')) as {
      name: string;
      response: unknown;
    };
    return { topic, text: JSON.stringify(response) };
  });

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.stringMatching(/^-?[1-9][0-9]{0,40}$/),
  fc.constantFrom(
    '1e999',
    '-0',
    '1E+2',
    '"\\ud800"',
    '"\\u0000"',
    '{"__proto__":{"id":1}}',
    '[]',
    'nul',
    '"',
    '{',
  ),
  fc.constantFrom(100, 4_000).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
);

/** What is done to a body that was well. */
const spoil = fc.oneof(
  fc.nat().map((at) => (text: string) => Buffer.from(text.slice(0, at % (text.length + 1)))),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (text: string) => {
    const bytes = Buffer.from(text);
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  }),
  // One of its values is something else.
  fc.tuple(fc.nat(), odd).map(([at, value]) => (text: string) => {
    const values = [...text.matchAll(/(?<=":)(-?[0-9.]+|"[^"]*"|null|true|false)/g)];
    const hit = values[at % Math.max(1, values.length)];
    if (hit === undefined) return Buffer.from(value);
    return Buffer.from(text.slice(0, hit.index) + value + text.slice(hit.index + hit[0].length));
  }),
  // A key twice, the second time with something else.
  fc.tuple(fc.nat(), odd).map(([at, value]) => (text: string) => {
    const keys = [...text.matchAll(/"([a-z_]+)":/g)];
    const key = keys[at % Math.max(1, keys.length)]?.[0] ?? '"id":';
    return Buffer.from(text.replace(/^\{/, `{${key}${value},`));
  }),
  fc.constant((text: string) => Buffer.from(text)),
  fc.constant((text: string) => Buffer.from(`${text}${' '.repeat(BODY_MAX_BYTES)}`)),
);

const topics = samples.map(({ topic }) => topic);
const known = fc.tuple(
  fc.constantFrom(...samples),
  spoil,
  fc.option(fc.constantFrom(...topics), { freq: 3 }),
);
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: known.map(([{ topic, text }, by, other]) => ({ topic: other ?? topic, body: by(text) })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      topic: fc.oneof(fc.constantFrom(...topics), fc.stringMatching(/^[\x20-\x7e]{0,80}$/)),
      body: fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)),
        odd.map((text) => Buffer.from(text)),
      ),
    }),
  },
);

/** How the headers are not as they should be; null: they are. */
const mischief = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom('hmac-sha256', 'shop-domain', 'webhook-id', 'topic', 'triggered-at'),
      fc.oneof(fc.constant(undefined), fc.stringMatching(/^[\x21-\x7e]{0,200}$/)),
    ),
  },
);

function send(headers: Record<string, string>, sent: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(serving.origin);
    const options = { hostname: '127.0.0.1', port, method: 'POST', path: WEBHOOK_PATH, headers, agent };
    const call = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', reject);
    call.end(sent);
  });
}

async function counts(): Promise<Map<string, number>> {
  const text = await b.metrics.text();
  return new Map(
    Object.values(OUTCOMES)
      .flat()
      .map((outcome) => [outcome, readFigure(text, 'webhook_deliveries_total', outcome)]),
  );
}

test(`L6: any delivery comes to a known end, and what is refused leaves no trace (${RUNS} runs, seed ${SEED})`, {
  timeout: NO_LIMIT,
}, async () => {
  const seen: Record<string, number> = {};
  const dump = (): Buffer => readLedgerBytes(t.path);
  await fc.assert(
    fc.asyncProperty(body, mischief, async ({ topic, body: sent }, wrong) => {
      const headers: Record<string, string> = {
        ...signed(sent, { topic }),
        'content-length': String(sent.length),
      };
      if (wrong?.[1] === undefined) delete headers[`x-shopify-${wrong?.[0]}`];
      else headers[`x-shopify-${wrong[0]}`] = wrong[1];
      const [before, counted] = [dump(), await counts()];
      const status = await send(headers, sent);
      expect(errors).toEqual([]);
      expect(Object.keys(OUTCOMES)).toContain(String(status));
      const [outcome] = [...(await counts())]
        .filter(([name, count]) => count !== counted.get(name))
        .map(([name]) => name);
      expect(OUTCOMES[status]).toContain(outcome);
      seen[outcome ?? ''] = (seen[outcome ?? ''] ?? 0) + 1;
      if (outcome !== 'taken') expect(dump().equals(before), outcome).toBe(true);
      if (wrong?.[0] === 'hmac-sha256') expect(status).toBe(sent.length > BODY_MAX_BYTES ? 413 : 401);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  console.log(`deliveries: ${JSON.stringify(seen)}`);
  for (const outcome of ['taken', 'malformed', 'bad_signature', 'unsigned', 'too_large'])
    expect(seen[outcome], outcome).toBeGreaterThan(0);
  // What was taken is worked off, however odd its names are.
  for (let round = 0; round < 50 && (await b.waiting()) > 0; round += 1) {
    await b.drain();
    t.time.pass(LIMITS.inbox.backoff_max_ms);
  }
  expect(await b.waiting()).toBe(0);
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
});
