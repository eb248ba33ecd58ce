/**
 * Environments and `.env` files as people write them and as they should not: settings, or a complaint that names the
 * setting, has a mend and holds no secret. FUZZ_RUNS for more, FUZZ_SEED for others.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS, readConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config-error.js';
import { type Environment, readSettings } from '../../src/config/settings-sources.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261128);
const NO_LIMIT = 0;
const SECRET = 'shpat-do-not-tell';

/** What each setting would take, or nearly. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  HOLDFAST_DB: ['./holdfast.db', '', 'postgres://localhost/x', '/dev/null/x'],
  SHOPIFY_SHOP: ['acme.myshopify.com', 'ACME.myshopify.com', 'https://acme.myshopify.com', 'acme.com'],
  SHOPIFY_ACCESS_TOKEN: [SECRET, ''],
  SHOPIFY_CLIENT_ID: ['id', ''],
  SHOPIFY_CLIENT_SECRET: [SECRET, ''],
  SHOPIFY_WEBHOOK_SECRETS: [SECRET, `${SECRET},${SECRET}`, `${SECRET},`, `${SECRET},`.repeat(9)],
  SHOPIFY_ORIGIN: [
    'http://127.0.0.1:4010',
    'http://acme.com',
    `https://u:${SECRET}@acme.com`,
    'https://acme.com/a',
  ],
  HOLDFAST_PUBLIC_URL: [
    'https://stock.example.com',
    'http://[::1]:1',
    'ftp://x',
    `https://u:${SECRET}@x.com`,
  ],
  HOLDFAST_HTTP_HOST: ['127.0.0.1', '::1', 'localhost', '0.0.0.0'],
  HOLDFAST_HTTP_PORT: ['0', '8787', '65536', '-1', '1e3', '0x10'],
  HOLDFAST_WEBHOOK_PORT: ['0', '8788', '99999999999'],
  HOLDFAST_TTL_SECONDS: ['60', '900', '3601', '1.5'],
  HOLDFAST_TTL_MIN_SECONDS: ['1', '60', '0'],
  HOLDFAST_TTL_MAX_SECONDS: ['60', '900', '3600', '99999'],
  HOLDFAST_HEARTBEAT_SECONDS: ['1', '15', '61'],
  HOLDFAST_SAFETY_STOCK: ['0', '1000000', '٣'],
  HOLDFAST_LOW_STOCK: ['0', '5', ' 5'],
  HOLDFAST_JUMP_SHARE: ['1', '50', '1001'],
  HOLDFAST_STALE_HASH: ['revalidate', 'hold', 'Hold'],
  HOLDFAST_HELD_ORDER_HOURS: ['1', '24', '169'],
  HOLDFAST_LOOKUP_WAIT_SECONDS: ['1', '30', '301'],
  HOLDFAST_MIRROR: ['draft_order', 'move', 'none', 'off'],
  HOLDFAST_ORDER_MODE: ['complete', 'checkout_link', ''],
  HOLDFAST_ORDER_PAYMENT: ['pending', 'paid', 'no'],
  HOLDFAST_ROUTE_FULFILLMENT: ['shop', 'promised', 'off'],
  HOLDFAST_CANCEL_TWINS: ['yes', 'no', 'perhaps'],
  HOLDFAST_BUYER_REQUIRED: ['email', 'phone,shipping_address', 'name', ''],
  HOLDFAST_PAY_MINUTES: ['5', '60', '4'],
  HOLDFAST_QUOTA_UNITS_PER_SKU: ['off', '1', '1000', '0'],
  HOLDFAST_QUOTA_SHARE: ['off', '75', '100'],
  HOLDFAST_QUOTA_UNSOLD_SHARE: ['off', '40', '100'],
  HOLDFAST_QUOTA_LIVE: ['off', '500', 'Off'],
  HOLDFAST_QUOTA_PER_HOUR: ['off', '2000', '-1'],
  HOLDFAST_QUOTA_RENEWALS: ['off', '0', '1', '1001'],
  HOLDFAST_QUOTA_IDLE: ['off', '20', '0'],
  HOLDFAST_QUOTA_IDLE_PER_ORDER: ['0', '20', 'off'],
  HOLDFAST_QUOTA_COOL_DOWN_MINUTES: ['1', '240', '1441'],
  HOLDFAST_QUOTA_HELD_ORDERS: ['off', '100', '0'],
  HOLDFAST_QUOTA_ORDERS: ['off', '120', '0'],
  HOLDFAST_QUOTA_ORDERED_UNITS: ['off', '1000', 'x'],
  HOLDFAST_QUOTA_ORDER_HOLD_MINUTES: ['5', '60', '4'],
  HOLDFAST_QUOTA_ORIGIN_SHARE: ['off', '90', '100'],
  HOLDFAST_QUOTA_ORIGIN_FACTOR: ['1', '10', 'off'],
  HOLDFAST_READ_ONLY: ['0', '1', 'yes', 'maybe'],
  HOLDFAST_LOG_LEVEL: ['info', 'silent', 'trace'],
};

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    ' ',
    '\n',
    '\u0000',
    '\ud800',
    '__proto__',
    'null',
    'true',
    '1'.repeat(400),
    'x'.repeat(100_000),
  ),
  fc.stringMatching(/^-?\d{1,30}(\.\d+)?$/),
);

/** Some of the settings, each as above or as anything, and now and then one that does not exist. */
const environment: fc.Arbitrary<Environment> = fc
  .tuple(
    fc.record(
      Object.fromEntries(
        Object.entries(SETTINGS).map(([name, values]) => [
          name,
          fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: odd }),
        ]),
      ),
      { requiredKeys: [] },
    ),
    fc.option(fc.tuple(fc.stringMatching(/^HOLDFAST_[A-Z_]{1,20}$/), fc.constant(SECRET)), { freq: 8 }),
  )
  .map(([settings, unknown]) => ({ ...settings, ...(unknown === null ? {} : { [unknown[0]]: unknown[1] }) }));

/** A few settings with one that is odd: most others are well, so that what lies behind the first look is reached. */
const nearlyRight: fc.Arbitrary<Environment> = fc
  .tuple(fc.subarray(Object.keys(SETTINGS)), fc.constantFrom(...Object.keys(SETTINGS)), odd, fc.boolean())
  .map(([names, one, value, isOdd]) => ({
    ...Object.fromEntries(names.map((name) => [name, SETTINGS[name]?.[0]])),
    ...(isOdd ? { [one]: value } : {}),
  }));

function judge(sent: Environment): 'taken' | 'refused' {
  try {
    const config = readConfig(sent);
    expect(Object.isFrozen(config)).toBe(true);
    expect(config.ttl_min_s).toBeLessThanOrEqual(config.ttl_default_s);
    expect(config.ttl_default_s).toBeLessThanOrEqual(config.ttl_max_s);
    expect(config.ttl_max_s).toBeLessThanOrEqual(LIMITS.ttl_ceiling_s);
    expect(
      Object.values(config).filter((value) => typeof value === 'number' && !Number.isSafeInteger(value)),
    ).toEqual([]);
    return 'taken';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { message, settings } = error;
    expect(message).not.toContain(SECRET);
    expect(message.length).toBeLessThan(10_000);
    expect(settings.length).toBeGreaterThan(0);
    for (const name of settings) {
      expect(name).toMatch(/^(HOLDFAST|SHOPIFY)_\w*$/);
      expect(message).toContain(name);
    }
    return 'refused';
  }
}

test(`any environment makes settings or a complaint that names them, and tells no secret (seed ${SEED})`, {
  timeout: NO_LIMIT,
}, () => {
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(fc.oneof(environment, nearlyRight), (sent) => {
      seen[judge(sent)] += 1;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  console.log(`environments: ${JSON.stringify(seen)}`);
  expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(RUNS / 10);
});

test(`any .env file makes settings or a complaint that names them (seed ${SEED})`, {
  timeout: NO_LIMIT,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-env-'));
  const path = join(folder, '.env');
  const line = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(...Object.keys(SETTINGS)),
        odd,
        fc.constantFrom('', '"', "'", '`', 'export ', '#'),
      )
      .map(([name, value, mark]) =>
        mark === 'export ' || mark === '#' ? `${mark}${name}=${value}` : `${name}=${mark}${value}${mark}`,
      ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '=',
      '=x',
      'HOLDFAST_DB',
      'HOLDFAST_DB="a',
      '\u0000',
      `HOLDFAST_TOKEN: ${SECRET}`,
      `HOLDFAST_DB ${SECRET}`,
      '\ufeffHOLDFAST_DB=a',
      '__proto__=1',
    ),
  );
  const bytes = fc.oneof(
    fc.array(line, { maxLength: 6 }).map((lines) => Buffer.from(lines.join('\n'))),
    fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
  );
  try {
    fc.assert(
      fc.property(bytes, (file) => {
        writeFileSync(path, file);
        const read = readSettings(process.env, { kind: 'named', path });
        judge(Object.fromEntries(Object.entries(read).filter(([name]) => process.env[name] === undefined)));
      }),
      { numRuns: RUNS / 4, seed: SEED },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
