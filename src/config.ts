/**
 * Settings: the environment (and `.env`) → one frozen object, with every default and every limit in one file. A
 * bad setting stops the start with its name, what is wrong and how to mend it.
 */

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import * as z from 'zod';

/** Thrown for a bad setting. The message is for a person and holds no secret. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** Limits that no setting changes. Units last in the name. */
export const LIMITS = {
  /** TTL of a reservation may be configured up to here, never above. */
  ttl_ceiling_s: 3600,
  store: {
    group_max: 256,
    group_max_ms: 8,
    busy_deadline_ms: 5_000,
    /** 64 MiB. Measured: 16 times as long between copies as SQLite's own 1,000, and the commit that copies takes 40 ms, not 20. */
    wal_autocheckpoint_pages: 16_000,
  },
  ledger: {
    submit_wait_ms: 2_000,
    freshen_wait_ms: 5_000,
    mirror_margin_ms: 60_000,
  },
  sync: {
    /** Heartbeats that a lease outlives: a process that dies is replaced after as many. */
    lease_beats: 3,
    lease_min_ms: 30_000,
    resync_after_ms: 3_600_000,
    call_ms: 30_000,
    unseen_batch: 200,
  },
  outbox: {
    concurrency: 8,
    claim_ms: 60_000,
    call_ms: 20_000,
    check_ms: 60_000,
    steps_max: 12,
    attempts_max: 200,
    backoff_min_ms: 500,
    backoff_max_ms: 60_000,
    lookup_wait_ms: 30_000,
    lookups_min: 2,
    hold_slack_ms: 120_000,
    complete_margin_ms: 60_000,
    order_hold_ms: 600_000,
  },
  loops: {
    outbox_interval_ms: 500,
    sweep_interval_ms: 1_000,
    prune_interval_ms: 600_000,
  },
  /** Idempotency keys and past checksums are kept this long at least. */
  keep: { idempotency_ms: 48 * 3_600_000, history_ms: 30 * 24 * 3_600_000 },
  http: {
    body_max_bytes: 1_048_576,
    headers_timeout_ms: 10_000,
    request_timeout_ms: 30_000,
    connections_max: 1_024,
    /** Longer than the longest call: two waits for the lock, a re-read between them, and a revalidation. */
    drain_max_ms: 20_000,
  },
  /** Serving starts first: the shop's client takes a moment to load, and `initialize` never waits for it. */
  stdio_loops_delay_ms: 250,
} as const;

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

const shopPattern = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/;

function integer(name: string, bounds: { min: number; max: number; fallback: number }, unit: string) {
  const wants = `wants a whole number from ${bounds.min} to ${bounds.max} (${unit})`;
  return z
    .string()
    .regex(/^\d{1,9}$/, wants)
    .transform(Number)
    .refine((value) => value >= bounds.min && value <= bounds.max, wants)
    .default(bounds.fallback)
    .describe(name);
}

const settings = z.object({
  HOLDFAST_DB: z
    .string()
    .min(1, 'wants a file path')
    .refine(
      (path) => !/^postgres(ql)?:\/\//.test(path),
      'Postgres is not built yet: give the path of a SQLite file',
    )
    .default('./holdfast.db'),
  SHOPIFY_SHOP: z
    .string()
    .regex(shopPattern, 'wants the shop’s own domain, like name.myshopify.com')
    .optional(),
  SHOPIFY_ACCESS_TOKEN: z
    .string()
    .min(1, 'is empty: paste the Admin API access token, or leave it out')
    .optional(),
  SHOPIFY_CLIENT_ID: z.string().min(1, 'is empty').optional(),
  SHOPIFY_CLIENT_SECRET: z.string().min(1, 'is empty').optional(),
  SHOPIFY_ORIGIN: z
    .string()
    .refine(isOrigin, 'wants an origin like http://127.0.0.1:4010, with no path or password')
    .refine(
      (origin) => !isOrigin(origin) || isHttpsOrLoopback(origin),
      'wants https, or http on loopback only',
    )
    .transform((origin) => new URL(origin).origin)
    .optional(),
  HOLDFAST_HTTP_HOST: z
    .string()
    .refine(
      (host) => LOOPBACK_HOSTS.includes(host),
      'wants a loopback address (127.0.0.1, ::1, localhost): without authentication nothing else is safe',
    )
    .default('127.0.0.1'),
  HOLDFAST_HTTP_PORT: integer(
    'port',
    { min: 0, max: 65_535, fallback: 8_787 },
    'a TCP port; 0 takes a free one',
  ),
  HOLDFAST_TTL_SECONDS: integer('ttl', { min: 60, max: LIMITS.ttl_ceiling_s, fallback: 900 }, 'seconds'),
  HOLDFAST_TTL_MIN_SECONDS: integer('ttl', { min: 1, max: LIMITS.ttl_ceiling_s, fallback: 60 }, 'seconds'),
  HOLDFAST_TTL_MAX_SECONDS: integer('ttl', { min: 60, max: LIMITS.ttl_ceiling_s, fallback: 900 }, 'seconds'),
  HOLDFAST_HEARTBEAT_SECONDS: integer('heartbeat', { min: 1, max: 60, fallback: 15 }, 'seconds'),
  HOLDFAST_SAFETY_STOCK: integer(
    'safety stock',
    { min: 0, max: 1_000_000, fallback: 0 },
    'units kept back per location',
  ),
  HOLDFAST_LOW_STOCK: integer('low stock', { min: 0, max: 1_000_000, fallback: 5 }, 'units'),
  HOLDFAST_STALE_HASH: z.enum(['revalidate', 'hold'], 'wants revalidate or hold').default('revalidate'),
  HOLDFAST_HELD_ORDER_HOURS: integer('held order', { min: 1, max: 168, fallback: 24 }, 'hours'),
  HOLDFAST_LOOKUP_WAIT_SECONDS: integer(
    'look-up wait',
    { min: 1, max: 300, fallback: LIMITS.outbox.lookup_wait_ms / 1000 },
    'seconds',
  ),
  HOLDFAST_MIRROR: z
    .enum(['draft_order', 'none'], 'wants draft_order or none (move is not built yet)')
    .default('draft_order'),
  HOLDFAST_ORDER_MODE: z
    .enum(['complete'], 'wants complete (checkout_link is not built yet)')
    .default('complete'),
  HOLDFAST_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], 'wants debug, info, warn, error or silent')
    .default('info'),
});

export type ShopCredentials =
  | { readonly access_token: string }
  | { readonly client_id: string; readonly client_secret: string };

export interface ShopConfig {
  readonly shop: string;
  readonly credentials: ShopCredentials;
  /** Null: the shop's own https origin. */
  readonly origin: string | null;
}

export interface Config {
  readonly db: string;
  /** False when HOLDFAST_DB was left at its default. */
  readonly is_db_chosen: boolean;
  /** Null when no shop is configured: only the sandbox can be served then. */
  readonly shop: ShopConfig | null;
  readonly http: { readonly host: string; readonly port: number };
  readonly ttl_default_s: number;
  readonly ttl_min_s: number;
  readonly ttl_max_s: number;
  readonly heartbeat_ms: number;
  readonly safety_stock_units: number;
  readonly low_stock_units: number;
  readonly stale_hash: 'revalidate' | 'hold';
  readonly held_order_max_ms: number;
  /** How long the shop's search may lag behind its own writes: after a lost answer, nothing is sent again sooner. */
  readonly lookup_wait_ms: number;
  readonly mirror: 'draft_order' | 'none';
  readonly log_level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The machine's environment over a `.env` file in the working directory, where there is one. */
export function machineEnvironment(dotenvPath = '.env'): Environment {
  return { ...readDotenv(dotenvPath), ...process.env };
}

/** Throws `ConfigError` naming every bad setting. */
export function readConfig(environment: Environment): Config {
  const parsed = settings.safeParse(environment);
  const wrong = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')} ${issue.message}`);
  const lines = [...wrong, ...misspelt(environment)];
  if (!parsed.success || lines.length > 0) {
    throw new ConfigError(`These settings are wrong:\n  ${lines.join('\n  ')}`);
  }
  const { data } = parsed;
  const ttl = clampedTtl(data);
  return Object.freeze({
    db: data.HOLDFAST_DB,
    is_db_chosen: environment['HOLDFAST_DB'] !== undefined,
    shop: shopConfig(data),
    http: { host: data.HOLDFAST_HTTP_HOST, port: data.HOLDFAST_HTTP_PORT },
    ...ttl,
    heartbeat_ms: data.HOLDFAST_HEARTBEAT_SECONDS * 1000,
    safety_stock_units: data.HOLDFAST_SAFETY_STOCK,
    low_stock_units: data.HOLDFAST_LOW_STOCK,
    stale_hash: data.HOLDFAST_STALE_HASH,
    held_order_max_ms: data.HOLDFAST_HELD_ORDER_HOURS * 3_600_000,
    lookup_wait_ms: data.HOLDFAST_LOOKUP_WAIT_SECONDS * 1000,
    mirror: data.HOLDFAST_MIRROR,
    log_level: data.HOLDFAST_LOG_LEVEL,
  });
}

type Settings = z.output<typeof settings>;

/** A setting that is passed over in silence is worse than none: somebody relies on it. */
function misspelt(environment: Environment): string[] {
  const names = Object.keys(environment).filter((name) => name.startsWith('HOLDFAST_'));
  return names
    .filter((name) => !Object.hasOwn(settings.shape, name))
    .map((name) => `${name} is no setting of this version: correct its name or remove it`);
}

function clampedTtl(data: Settings): Pick<Config, 'ttl_default_s' | 'ttl_min_s' | 'ttl_max_s'> {
  const { HOLDFAST_TTL_MIN_SECONDS: ttl_min_s, HOLDFAST_TTL_MAX_SECONDS: ttl_max_s } = data;
  const { HOLDFAST_TTL_SECONDS: ttl_default_s } = data;
  if (ttl_min_s > ttl_default_s || ttl_default_s > ttl_max_s) {
    throw new ConfigError(
      `HOLDFAST_TTL_SECONDS (${ttl_default_s}) wants to lie between HOLDFAST_TTL_MIN_SECONDS (${ttl_min_s}) and HOLDFAST_TTL_MAX_SECONDS (${ttl_max_s}).`,
    );
  }
  return { ttl_default_s, ttl_min_s, ttl_max_s };
}

function shopConfig(data: Settings): ShopConfig | null {
  const {
    SHOPIFY_SHOP: shop,
    SHOPIFY_ACCESS_TOKEN: token,
    SHOPIFY_CLIENT_ID: id,
    SHOPIFY_CLIENT_SECRET: secret,
  } = data;
  if (shop === undefined) return null;
  const origin = data.SHOPIFY_ORIGIN ?? null;
  if (token !== undefined) return { shop, credentials: { access_token: token }, origin };
  if (id !== undefined && secret !== undefined) {
    return { shop, credentials: { client_id: id, client_secret: secret }, origin };
  }
  throw new ConfigError(
    'SHOPIFY_SHOP is set, but how to sign in is not: set SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET.',
  );
}

function isOrigin(input: string): boolean {
  if (!URL.canParse(input)) return false;
  const { protocol, origin, href } = new URL(input);
  return /^https?:$/.test(protocol) && href === `${origin}/`;
}

function isHttpsOrLoopback(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' || LOOPBACK_HOSTS.includes(hostname.replace(/^\[|\]$/g, ''));
}

function readDotenv(path: string): Environment {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(
      `The file ${path} can't be read (${String((error as NodeJS.ErrnoException).code)}). Mend its permissions or remove it.`,
    );
  }
  return parseEnv(text);
}
