import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS, readConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config-error.js';
import { type Environment, readSettings } from '../../src/config/settings-sources.js';

const SHOP = { SHOPIFY_SHOP: 'acme.myshopify.com', SHOPIFY_ACCESS_TOKEN: 'shpat_secret' };

/** The sentence that stops the start. */
function complaintAbout(environment: Environment): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('the settings were taken');
}

describe('settings', () => {
  it('have these defaults', () => {
    expect(readConfig({})).toEqual({
      db: './holdfast.db',
      is_db_chosen: false,
      sqlite_driver: null,
      shop: null,
      http: {
        host: '127.0.0.1',
        port: 8787,
        has_authentication: false,
        mcp_url: null,
        allowed_hosts: [],
        allowed_origins: [],
        trusted_proxies: [],
        rate_per_minute: 6_000,
        rate_per_address_per_minute: 12_000,
      },
      tokens: null,
      oauth: null,
      webhook_port: 8_788,
      public_url: null,
      webhook_secrets: [],
      ttl_default_s: 900,
      ttl_min_s: 60,
      ttl_max_s: 900,
      heartbeat_ms: 15_000,
      safety_stock_units: 0,
      publication: 'online_store',
      low_stock_units: 5,
      jump_share_percent: 50,
      stale_hash: 'revalidate',
      held_order_max_ms: 24 * 3_600_000,
      lookup_wait_ms: 30_000,
      mirror: 'draft_order',
      order_mode: 'complete',
      order_payment: 'pending',
      route_fulfillment: 'shop',
      cancel_twins: false,
      buyer_required: [],
      order_quota_hold_ms: 3_600_000,
      pay_ms: 3_600_000,
      quotas: {
        units_per_sku: 1_000,
        share_percent: 75,
        unsold_share_percent: 40,
        live_reservations: 500,
        reservations_per_hour: 2_000,
        renewals: 1,
        idle_per_day: 20,
        idle_per_order: 20,
        cool_down_max_ms: 240 * 60_000,
        held_orders: 100,
        orders_per_hour: 120,
        ordered_units_per_hour: 1_000,
        origin_share_percent: 90,
        origin_factor: 10,
      },
      read_only: false,
      log_level: 'info',
    });
  });

  it('are all read, in the units that their names say', () => {
    const environment = {
      ...SHOP,
      SHOPIFY_ORIGIN: 'http://127.0.0.1:4010',
      SHOPIFY_WEBHOOK_SECRETS: 'new-secret, old-secret',
      HOLDFAST_PUBLIC_URL: 'https://Stock.example.com/',
      HOLDFAST_DB: '/var/lib/holdfast.db',
      HOLDFAST_SQLITE_DRIVER: 'node:sqlite',
      HOLDFAST_HTTP_HOST: '::1',
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_MCP_URL: 'https://Stock.example.com/mcp',
      HOLDFAST_HTTP_ALLOWED_HOSTS: 'Stock.internal, [fd00::1]',
      HOLDFAST_HTTP_ALLOWED_ORIGINS: 'https://App.example.com',
      HOLDFAST_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8',
      HOLDFAST_RATE_PER_MINUTE: '60',
      HOLDFAST_RATE_PER_ADDRESS_PER_MINUTE: '120',
      HOLDFAST_WEBHOOK_PORT: '9001',
      HOLDFAST_TTL_SECONDS: '600',
      HOLDFAST_TTL_MIN_SECONDS: '30',
      HOLDFAST_TTL_MAX_SECONDS: '3600',
      HOLDFAST_HEARTBEAT_SECONDS: '5',
      HOLDFAST_SAFETY_STOCK: '2',
      HOLDFAST_PUBLICATION: 'gid://shopify/Publication/59012874281',
      HOLDFAST_LOW_STOCK: '0',
      HOLDFAST_JUMP_SHARE: '80',
      HOLDFAST_STALE_HASH: 'hold',
      HOLDFAST_HELD_ORDER_HOURS: '48',
      HOLDFAST_LOOKUP_WAIT_SECONDS: '2',
      HOLDFAST_MIRROR: 'none',
      HOLDFAST_ORDER_MODE: 'checkout_link',
      HOLDFAST_ROUTE_FULFILLMENT: 'promised',
      HOLDFAST_CANCEL_TWINS: 'yes',
      HOLDFAST_BUYER_REQUIRED: 'email, Shipping_address,email',
      HOLDFAST_PAY_MINUTES: '20',
      HOLDFAST_QUOTA_UNITS_PER_SKU: '50',
      HOLDFAST_QUOTA_SHARE: 'off',
      HOLDFAST_QUOTA_UNSOLD_SHARE: '33',
      HOLDFAST_QUOTA_LIVE: '6',
      HOLDFAST_QUOTA_PER_HOUR: '70',
      HOLDFAST_QUOTA_RENEWALS: '0',
      HOLDFAST_QUOTA_IDLE: 'off',
      HOLDFAST_QUOTA_IDLE_PER_ORDER: '0',
      HOLDFAST_QUOTA_COOL_DOWN_MINUTES: '30',
      HOLDFAST_QUOTA_HELD_ORDERS: '8',
      HOLDFAST_QUOTA_ORDERS: '9',
      HOLDFAST_QUOTA_ORDERED_UNITS: 'off',
      HOLDFAST_QUOTA_ORDER_HOLD_MINUTES: '120',
      HOLDFAST_QUOTA_ORIGIN_SHARE: '80',
      HOLDFAST_QUOTA_ORIGIN_FACTOR: '3',
      HOLDFAST_READ_ONLY: 'Yes',
      HOLDFAST_LOG_LEVEL: 'silent',
    };
    expect(readConfig(environment)).toEqual({
      db: '/var/lib/holdfast.db',
      is_db_chosen: true,
      sqlite_driver: 'node:sqlite',
      shop: {
        shop: 'acme.myshopify.com',
        credentials: { access_token: 'shpat_secret' },
        origin: 'http://127.0.0.1:4010',
      },
      http: {
        host: '::1',
        port: 0,
        has_authentication: false,
        mcp_url: 'https://stock.example.com/mcp',
        allowed_hosts: ['stock.internal', '[fd00::1]'],
        allowed_origins: ['https://app.example.com'],
        trusted_proxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
        rate_per_minute: 60,
        rate_per_address_per_minute: 120,
      },
      tokens: null,
      oauth: null,
      webhook_port: 9_001,
      public_url: 'https://stock.example.com',
      webhook_secrets: ['new-secret', 'old-secret'],
      ttl_default_s: 600,
      ttl_min_s: 30,
      ttl_max_s: 3600,
      heartbeat_ms: 5_000,
      safety_stock_units: 2,
      publication: '59012874281',
      low_stock_units: 0,
      jump_share_percent: 80,
      stale_hash: 'hold',
      held_order_max_ms: 48 * 3_600_000,
      lookup_wait_ms: 2_000,
      mirror: 'none',
      order_mode: 'checkout_link',
      order_payment: 'pending',
      route_fulfillment: 'promised',
      cancel_twins: true,
      buyer_required: ['email', 'shipping_address'],
      order_quota_hold_ms: 2 * 3_600_000,
      pay_ms: 20 * 60_000,
      quotas: {
        units_per_sku: 50,
        share_percent: null,
        unsold_share_percent: 33,
        live_reservations: 6,
        reservations_per_hour: 70,
        renewals: 0,
        idle_per_day: null,
        idle_per_order: 0,
        cool_down_max_ms: 30 * 60_000,
        held_orders: 8,
        orders_per_hour: 9,
        ordered_units_per_hour: null,
        origin_share_percent: 80,
        origin_factor: 3,
      },
      read_only: true,
      log_level: 'silent',
    });
  });

  it('22: the payment of orders is pending unless it is set to paid, and is not said where the buyer pays', () => {
    expect(readConfig({ HOLDFAST_ORDER_PAYMENT: 'paid' }).order_payment).toBe('paid');
    expect(complaintAbout({ HOLDFAST_ORDER_PAYMENT: 'later' })).toContain('must be pending or paid');
    const link = { HOLDFAST_ORDER_PAYMENT: 'pending', HOLDFAST_ORDER_MODE: 'checkout_link' };
    expect(complaintAbout(link)).toContain('Remove HOLDFAST_ORDER_PAYMENT');
    expect(complaintAbout({ HOLDFAST_BUYER_REQUIRED: 'email,name' })).toContain(
      'must be one or more of email, phone, shipping_address',
    );
  });

  it('that do not go together are refused with the mend: nobody can pay for units that were only moved', () => {
    const message = complaintAbout({ HOLDFAST_MIRROR: 'move', HOLDFAST_ORDER_MODE: 'checkout_link' });
    expect(message).toContain(
      'Set HOLDFAST_MIRROR to draft_order or none, or HOLDFAST_ORDER_MODE to complete.',
    );
    expect(readConfig({ HOLDFAST_MIRROR: 'move' })).toMatchObject({ mirror: 'move', order_mode: 'complete' });
  });

  it('say who may call: a list in a file or in the setting, and an issuer whose tokens are for this address', () => {
    expect(readConfig({ HOLDFAST_TOKENS: ' []' })).toMatchObject({
      tokens: { inline: ' []' },
      http: { has_authentication: true },
    });
    expect(readConfig({ HOLDFAST_TOKENS: './t.json' })).toMatchObject({ tokens: { path: './t.json' } });
    const issuer = {
      HOLDFAST_OAUTH_ISSUER: 'https://login.example.com/',
      HOLDFAST_MCP_URL: 'https://Stock.example.com/mcp',
    };
    expect(readConfig(issuer)).toMatchObject({
      oauth: {
        issuer: 'https://login.example.com/',
        audience: 'https://stock.example.com/mcp',
        resource: 'https://stock.example.com/mcp',
        principal_claim: 'sub',
        channel_claim: null,
        jwks_url: null,
      },
      http: { has_authentication: true },
    });
    expect(complaintAbout({ ...issuer, HOLDFAST_MCP_URL: undefined })).toContain(
      'wants HOLDFAST_MCP_URL too',
    );
    expect(complaintAbout({ HOLDFAST_OAUTH_AUDIENCE: 'x' })).toMatch(/^HOLDFAST_OAUTH_ISSUER is not set/);
  });

  it('are frozen, and take no notice of what is not ours', () => {
    expect(Object.isFrozen(readConfig({ PATH: '/bin', HOME: '/root', npm_config_x: '1' }))).toBe(true);
  });

  it.each([
    ['HOLDFAST_DB', '', 'wants a file path'],
    ['HOLDFAST_SQLITE_DRIVER', 'sqlite3', 'must be better-sqlite3 or node:sqlite'],
    ['HOLDFAST_DB', 'postgres://me:secret@db/x', 'give the path of a SQLite file'],
    ['SHOPIFY_SHOP', 'acme.example.com', 'like name.myshopify.com'],
    ['SHOPIFY_SHOP', 'https://acme.myshopify.com', 'like name.myshopify.com'],
    ['SHOPIFY_SHOP', 'Acme.myshopify.com', 'like name.myshopify.com'],
    ['SHOPIFY_ACCESS_TOKEN', '', 'or leave it out'],
    ['SHOPIFY_CLIENT_ID', '', 'is empty'],
    ['SHOPIFY_CLIENT_SECRET', '', 'is empty'],
    ['SHOPIFY_ORIGIN', 'secret', 'like http://127.0.0.1:4010'],
    ['SHOPIFY_ORIGIN', 'ftp://127.0.0.1/secret', 'like http://127.0.0.1:4010'],
    ['SHOPIFY_ORIGIN', 'https://me:secret@acme.example', 'no path or password'],
    ['SHOPIFY_ORIGIN', 'http://127.0.0.1:4010/admin', 'no path or password'],
    ['SHOPIFY_ORIGIN', 'http://acme.example', 'https, or http on loopback only'],
    ['SHOPIFY_ORIGIN', 'http://127.0.0.1.evil.example', 'https, or http on loopback only'],
    ['SHOPIFY_ORIGIN', 'http://0.0.0.0', 'https, or http on loopback only'],
    ['HOLDFAST_PUBLIC_URL', 'http://stock.example.com', 'https, or http on loopback only'],
    ['HOLDFAST_PUBLIC_URL', 'https://stock.example.com/webhooks', 'no path or password'],
    ['HOLDFAST_PUBLIC_URL', 'https://me:secret@stock.example.com', 'no path or password'],
    ['HOLDFAST_PUBLIC_URL', 'stock.example.com', 'like https://stock.example.com'],
    ['HOLDFAST_MCP_URL', 'https://stock.example.com', 'like https://stock.example.com/mcp'],
    ['HOLDFAST_MCP_URL', 'https://me:secret@stock.example.com/mcp', 'wants the address of /mcp'],
    ['HOLDFAST_MCP_URL', 'https://stock.example.com/mcp?a=1', 'wants the address of /mcp'],
    ['HOLDFAST_MCP_URL', 'http://stock.example.com/mcp', 'https, or http on loopback only'],
    ['HOLDFAST_HTTP_ALLOWED_HOSTS', '*.example.com', 'host names without a port'],
    ['HOLDFAST_HTTP_ALLOWED_HOSTS', 'stock.example.com:443', 'host names without a port'],
    ['HOLDFAST_HTTP_ALLOWED_ORIGINS', 'app.example.com', 'like https://app.example.com'],
    ['HOLDFAST_HTTP_ALLOWED_ORIGINS', 'null', 'like https://app.example.com'],
    ['HOLDFAST_HTTP_ALLOWED_ORIGINS', 'https://a.example/path', 'origins without a path'],
    ['HOLDFAST_TRUSTED_PROXIES', 'proxy.internal', 'addresses or networks'],
    ['HOLDFAST_TRUSTED_PROXIES', '10.0.0.0/33', 'addresses or networks'],
    ['HOLDFAST_TRUSTED_PROXIES', '127.0.0.1,', 'addresses or networks'],
    ['HOLDFAST_RATE_PER_MINUTE', '0', 'from 1 to'],
    ['SHOPIFY_WEBHOOK_SECRETS', '', 'or leave it out'],
    ['SHOPIFY_WEBHOOK_SECRETS', 'secret,', 'one to 4 of them'],
    ['SHOPIFY_WEBHOOK_SECRETS', 'secret1,secret2,secret3,secret4,secret5', 'one to 4 of them'],
    ['HOLDFAST_HTTP_HOST', '0.0.0.0', 'wants a loopback address'],
    ['HOLDFAST_HTTP_HOST', '', 'wants a loopback address'],
    ['HOLDFAST_HTTP_HOST', '192.168.1.5', 'wants a loopback address'],
    ['HOLDFAST_HTTP_PORT', '65536', 'from 0 to 65535'],
    ['HOLDFAST_HTTP_PORT', '-1', 'from 0 to 65535'],
    ['HOLDFAST_HTTP_PORT', '80.5', 'from 0 to 65535'],
    ['HOLDFAST_HTTP_PORT', '0x50', 'from 0 to 65535'],
    ['HOLDFAST_HTTP_PORT', '', 'from 0 to 65535'],
    ['HOLDFAST_TTL_SECONDS', '59', 'from 60 to 3600 (seconds)'],
    ['HOLDFAST_TTL_SECONDS', '3601', 'from 60 to 3600 (seconds)'],
    ['HOLDFAST_TTL_MIN_SECONDS', '0', 'from 1 to 3600 (seconds)'],
    ['HOLDFAST_TTL_MAX_SECONDS', '7200', 'from 60 to 3600 (seconds)'],
    ['HOLDFAST_HEARTBEAT_SECONDS', '0', 'from 1 to 60 (seconds)'],
    ['HOLDFAST_HEARTBEAT_SECONDS', '61', 'from 1 to 60 (seconds)'],
    ['HOLDFAST_SAFETY_STOCK', '-5', 'from 0 to 1000000'],
    ['HOLDFAST_PUBLICATION', 'pos', 'must be online_store, any, or the id'],
    ['HOLDFAST_PUBLICATION', '59012874281"', 'must be online_store, any, or the id'],
    ['HOLDFAST_LOW_STOCK', 'five', 'from 0 to 1000000 (units)'],
    ['HOLDFAST_STALE_HASH', 'ignore', 'wants revalidate or hold'],
    ['HOLDFAST_HELD_ORDER_HOURS', '169', 'from 1 to 168 (hours)'],
    ['HOLDFAST_LOOKUP_WAIT_SECONDS', '301', 'from 1 to 300 (seconds)'],
    ['HOLDFAST_MIRROR', 'drafts', 'wants draft_order, move or none'],
    ['HOLDFAST_ORDER_MODE', 'invoice', 'wants complete or checkout_link'],
    ['HOLDFAST_PAY_MINUTES', '4', 'from 5 to 1440 (minutes)'],
    ['HOLDFAST_PAY_MINUTES', '1441', 'from 5 to 1440 (minutes)'],
    ['HOLDFAST_LOG_LEVEL', 'verbose', 'wants debug, info, warn, error or silent'],
    ['HOLDFAST_TOKENS', '', 'wants the path of a file'],
    ['HOLDFAST_OAUTH_ISSUER', 'http://login.example.com', 'wants https, or http on loopback only'],
    ['HOLDFAST_OAUTH_ISSUER', 'https://login.example.com?x=secret', 'with no query or password'],
    ['HOLDFAST_OAUTH_JWKS_URL', 'login.example.com', 'wants the address of the issuer’s keys'],
    ['HOLDFAST_OAUTH_PRINCIPAL_CLAIM', 'two words', 'wants the name of a claim'],
    ['HOLDFAST_MCP_URL', 'https://stock.example.com/', 'wants the address of /mcp'],
    ['HOLDFAST_READONLY', 'true', 'correct its name or remove it'],
    ['HOLDFAST_READ_ONLY', 'maybe', 'wants 1, true, yes or on'],
    ['HOLDFAST_QUOTA_SHARE', '100', 'from 1 to 99 (percent of a SKU), or off'],
    ['HOLDFAST_QUOTA_LIVE', '0', 'or off'],
    ['HOLDFAST_QUOTA_IDLE_PER_ORDER', 'off', 'from 0 to 1000000'],
    ['HOLDFAST_STALE_HAHS', 'hold', 'correct its name or remove it'],
  ])('%s=%s stops the start with its name and the mend', (name, value, mend) => {
    const complaint = complaintAbout({ [name]: value });
    expect(complaint).toMatch(new RegExp(`^These settings are wrong:\n  ${name} [^\n]+$`));
    expect(complaint).toContain(mend);
    expect(complaint).not.toContain('secret');
  });

  it('that are wrong are all told at once', () => {
    const complaint = complaintAbout({
      HOLDFAST_HTTP_PORT: 'x',
      HOLDFAST_MIRROR: 'y',
      HOLDFAST_READ_ONLY: 'x',
      SHOPIFY_SHOP: 'z',
    });
    expect(complaint.split('\n').map((line) => line.trim().split(' ')[0])).toEqual([
      'These',
      'SHOPIFY_SHOP',
      'HOLDFAST_HTTP_PORT',
      'HOLDFAST_MIRROR',
      'HOLDFAST_READ_ONLY',
    ]);
  });

  it.each([
    [{ HOLDFAST_TTL_SECONDS: '600', HOLDFAST_TTL_MAX_SECONDS: '300' }],
    [{ HOLDFAST_TTL_SECONDS: '60', HOLDFAST_TTL_MIN_SECONDS: '120' }],
  ])('of the time to live fit together: %o does not', (environment) => {
    expect(complaintAbout(environment)).toMatch(/^HOLDFAST_TTL_SECONDS .* between HOLDFAST_TTL_MIN_SECONDS/);
  });

  it('never let a reservation live longer than an hour', () => {
    expect(LIMITS.ttl_ceiling_s).toBe(3600);
  });
});

describe('signing in to the shop', () => {
  it('needs no shop at all for the sandbox', () => {
    expect(readConfig({ SHOPIFY_ACCESS_TOKEN: 'shpat_secret' }).shop).toBeNull();
  });

  it('goes by client credentials as well', () => {
    const { shop } = readConfig({
      SHOPIFY_SHOP: 'acme.myshopify.com',
      SHOPIFY_CLIENT_ID: 'id',
      SHOPIFY_CLIENT_SECRET: 'secret',
    });
    expect(shop).toEqual({
      shop: 'acme.myshopify.com',
      credentials: { client_id: 'id', client_secret: 'secret' },
      origin: null,
    });
  });

  it.each([
    ['nothing', {}],
    ['half of the client credentials', { SHOPIFY_CLIENT_SECRET: 'secret' }],
    ['the other half', { SHOPIFY_CLIENT_ID: 'secret' }],
  ])('with %s is refused with both ways, and no secret', (_, credentials) => {
    const complaint = complaintAbout({ SHOPIFY_SHOP: 'acme.myshopify.com', ...credentials });
    expect(complaint).toContain('set SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET');
    expect(complaint).not.toContain('secret');
  });

  it.each(['https://acme.example', 'http://localhost:4010', 'http://[::1]:4010', 'http://127.0.0.1:4010/'])(
    'may go to another origin: %s',
    (origin) => {
      expect(readConfig({ ...SHOP, SHOPIFY_ORIGIN: origin }).shop?.origin).toBe(origin.replace(/\/$/, ''));
    },
  );
});

describe('.env', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-env-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is read where there is one, and the machine’s environment goes before it', () => {
    const path = join(folder, '.env');
    writeFileSync(path, '# a comment\nHOLDFAST_LOW_STOCK=7\nHOLDFAST_HTTP_PORT="9000"\n');
    vi.stubEnv('HOLDFAST_HTTP_PORT', '9001');
    expect(readConfig(readSettings(process.env, { kind: 'of_folder', path }))).toMatchObject({
      low_stock_units: 7,
      http: { port: 9001 },
    });
  });

  it('with a line that lacks its "=" is named without what may be a secret in it', () => {
    const path = join(folder, '.env');
    writeFileSync(path, 'HOLDFAST_TOKEN: shpat_secret\nHOLDFAST_LOW_STOCK=7\n');
    const complaint = complaintAbout(readSettings(process.env, { kind: 'of_folder', path }));
    expect(complaint).toContain('HOLDFAST_TOKEN has no "=" right behind it');
    expect(complaint).not.toContain('shpat_secret');
  });

  it('may be missing', () => {
    vi.stubEnv('HOLDFAST_LOW_STOCK', '8');
    expect(
      readConfig(readSettings(process.env, { kind: 'of_folder', path: join(folder, '.env') }))
        .low_stock_units,
    ).toBe(8);
  });

  it('that is named and can’t be read stops the start; one that only lies there is not ours to mend', () => {
    const path = join(folder, '.env');
    mkdirSync(path);
    expect(() => readSettings({}, { kind: 'named', path })).toThrow(
      /can't be read \(EISDIR\)\. Mend its permissions or remove it/,
    );
    const told: string[] = [];
    expect(readSettings({ A: '1' }, { kind: 'of_folder', path }, (said) => told.push(said))).toEqual({
      A: '1',
    });
    expect(told).toEqual([`The file ${path} can't be read (EISDIR), so nothing of it counts.`]);
  });

  it('gives settings of ours alone', () => {
    const path = join(folder, '.env');
    writeFileSync(path, 'NODE_OPTIONS=--require=./evil.js\nHTTPS_PROXY=http://evil\nHOLDFAST_LOW_STOCK=7\n');
    expect(readSettings({}, { kind: 'named', path })).toEqual({ HOLDFAST_LOW_STOCK: '7' });
  });

  describe('and the shop’s credentials', () => {
    const read = (machine: Environment, text: string) => {
      const path = join(folder, '.env');
      writeFileSync(path, text);
      const told: string[] = [];
      return {
        settings: readSettings(machine, { kind: 'of_folder', path }, (said) => told.push(said)),
        told,
      };
    };

    it.each(['https://evil.example', 'http://127.0.0.1:9'])(
      'never lead those of the environment to %s',
      (origin) => {
        const machine = { SHOPIFY_SHOP: 'acme.myshopify.com', SHOPIFY_ACCESS_TOKEN: 'shpat_real' };
        const { settings, told } = read(machine, `SHOPIFY_ORIGIN=${origin}\n`);
        expect(settings).toEqual(machine);
        expect(told.join()).toMatch(
          /^SHOPIFY_ORIGIN is left out: .* the environment, .* Put both in one place/,
        );
        expect(told.join()).not.toContain('shpat_real');
      },
    );

    it('nor those of the file to where the environment says', () => {
      const { settings } = read(
        { SHOPIFY_ORIGIN: 'https://other.example' },
        'SHOPIFY_ACCESS_TOKEN=shpat_real\n',
      );
      expect(settings).toEqual({ SHOPIFY_ACCESS_TOKEN: 'shpat_real' });
    });

    it('go with the origin of their own source', () => {
      const together = { SHOPIFY_ACCESS_TOKEN: 'shpat_real', SHOPIFY_ORIGIN: 'https://own.example' };
      expect(read(together, 'SHOPIFY_ORIGIN=https://evil.example\n').settings).toEqual(together);
      const text = 'SHOPIFY_ACCESS_TOKEN=shpat_real\nSHOPIFY_ORIGIN=https://own.example\n';
      expect(read({}, text).settings).toEqual(together);
    });

    it('of the sandbox are no secret, and go anywhere', () => {
      const machine = { SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox' };
      const { settings, told } = read(machine, 'SHOPIFY_ORIGIN=http://127.0.0.1:4010\n');
      expect(settings).toEqual({ ...machine, SHOPIFY_ORIGIN: 'http://127.0.0.1:4010' });
      expect(told).toEqual([]);
    });

    it('come whole from one source', () => {
      const machine = { SHOPIFY_CLIENT_ID: 'id', SHOPIFY_CLIENT_SECRET: 'secret' };
      expect(read(machine, 'SHOPIFY_ACCESS_TOKEN=shpat_other\n').settings).toEqual(machine);
      const mixed = read({ SHOPIFY_CLIENT_ID: 'id' }, 'SHOPIFY_CLIENT_SECRET=other\n').settings;
      expect(mixed).toEqual({ SHOPIFY_CLIENT_ID: 'id' });
    });
  });
});

describe('a value that can be no credential', () => {
  it.each([
    ['  ', 'is empty'],
    ['"shpat_0123"', 'has quotes around it'],
    ["'shpat_0123", 'has quotes around it'],
    ['https://acme.myshopify.com', 'is an address'],
    ['shpat_…', 'is a placeholder'],
    ['shpat_xxxxxxxx', 'is a placeholder'],
    ['<your token>', 'is a placeholder'],
    ['your_access_token', 'is a placeholder'],
    ['shpat_01 23', 'has a blank'],
    ['shpat_01\nFOO=bar', 'has a blank, a line break'],
    ['shpat_\u200b0123', 'has a blank'],
  ])('is refused by the name of its setting, and is not repeated: %j', (value, wrong) => {
    for (const name of ['SHOPIFY_ACCESS_TOKEN', 'SHOPIFY_CLIENT_ID', 'SHOPIFY_CLIENT_SECRET']) {
      const read = () => readConfig({ SHOPIFY_SHOP: 'acme.myshopify.com', [name]: value });
      expect(read).toThrow(`${name} ${wrong}`);
      if (value.trim() !== '') expect(read).not.toThrow(value);
    }
    const webhooks = () => readConfig({ SHOPIFY_WEBHOOK_SECRETS: `good,${value}` });
    expect(webhooks).toThrow('SHOPIFY_WEBHOOK_SECRETS');
  });

  it.each(['shpat_0123456789abcdef0123456789abcdef', 'shpat_sandbox', 'sandbox', 'id-1'])(
    '%s can be one',
    (value) => {
      expect(() =>
        readConfig({ SHOPIFY_SHOP: 'acme.myshopify.com', SHOPIFY_ACCESS_TOKEN: value }),
      ).not.toThrow();
    },
  );
});
