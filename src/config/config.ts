/**
 * Settings: the environment (and `.env`) → one frozen object, with every default and every limit in one file. A
 * bad setting stops the start with its name, what is wrong and how to mend it.
 */

import * as z from 'zod';
import { ConfigError } from './config-error.js';
import type { Environment } from './settings-sources.js';

/** Limits that no setting changes. Units last in the name. */
export const LIMITS = {
  /** TTL of a reservation may be configured up to here, never above. */
  ttl_ceiling_s: 3600,
  store: {
    group_max: 256,
    group_max_ms: 8,
    busy_deadline_ms: 5_000,
    /** Longer than a busy process takes to begin with its own; a process that died is replaced after as long. */
    writer_first_ms: 5_000,
    /** 64 MiB. Measured: 16 times as long between copies as SQLite's own 1,000, and the commit that copies takes 40 ms, not 20. */
    wal_autocheckpoint_pages: 16_000,
  },
  ledger: {
    submit_wait_ms: 2_000,
    freshen_wait_ms: 5_000,
    mirror_margin_ms: 60_000,
    waiting_mirrors_max: 100,
    jump_min_units: 10,
    /** As long as the heartbeat's overlap: what the shop's search hides for longer, no heartbeat will see. */
    drift_slack_ms: 120_000,
  },
  sync: {
    /** Heartbeats that a lease outlives: a process that dies is replaced after as many. */
    lease_beats: 3,
    lease_min_ms: 30_000,
    resync_after_ms: 3_600_000,
    // Five minutes at most, with the time that it takes.
    listings_ms: 240_000,
    call_ms: 30_000,
    unseen_batch: 200,
    on_demand_reads: 2,
    drift_rows_max: 500,
    apply_max: 250,
  },
  inbox: {
    /** Deliveries that wait at most: more are refused, and the shop sends them again. Some 40 MB of the ledger file. */
    waiting_max: 200_000,
    /** Deliveries, and items they name, that one round of work takes on. */
    round_rows: 1_000,
    round_items: 500,
    /** An item that changes all the time is read so often at most; what was said meanwhile is covered by the next read. */
    reread_gap_ms: 1_000,
    /** A process that dies keeps the others waiting this long. Shorter than a slow call: two at it at once do no harm. */
    lease_ms: 10_000,
    call_ms: 30_000,
    backoff_min_ms: 1_000,
    backoff_max_ms: 60_000,
    /** What is put off so often, some three hours, or is so old by then, is given up: heartbeat and poll go on without it. */
    attempts_max: 200,
    give_up_ms: 48 * 3_600_000,
  },
  subscriptions: {
    /** Shopify drops a subscription after eight failures in a row, and tells nobody. */
    check_every_ms: 3_600_000,
    /** After a check that failed. */
    retry_after_ms: 60_000,
    /** One check at most: the first makes some thirty subscriptions, one after the other. */
    call_ms: 120_000,
  },
  /** Second orders and drafts that the shop makes late: looked for every round at first, then each minute, for an hour. */
  twins: {
    every_round_for_ms: 120_000,
    then_every_ms: 60_000,
    rows_max: 200,
    lease_ms: 45_000,
    call_ms: 30_000,
  },
  orders: { lease_ms: 180_000, call_ms: 60_000, unseen_max: 250 },
  outbox: {
    concurrency: 8,
    holds_concurrency: 4,
    joint_holds_max: 50,
    claim_ms: 60_000,
    call_ms: 20_000,
    check_ms: 60_000,
    unplaced_after_ms: 120_000,
    /** An accepted order that is not at the shop by then is told of. */
    order_late_ms: 60_000,
    steps_max: 12,
    attempts_max: 200,
    backoff_min_ms: 500,
    backoff_max_ms: 60_000,
    lookup_wait_ms: 30_000,
    lookups_min: 2,
    hold_slack_ms: 120_000,
    complete_margin_ms: 60_000,
    order_hold_ms: 600_000,
    /** Four hours before Shopify may have forgotten the key of a move (24 hours after it was first sent). */
    resend_max_ms: 20 * 3_600_000,
    /** An order that was placed longer ago is left where it is: people are packing it. */
    route_within_ms: 3_600_000,
    /** A move of it without an answer is looked for so long. */
    route_look_ms: 600_000,
    /** Orders that are moved at a time: buyers go first. */
    routes_max: 2,
    /** Shopify's development stores take five orders a minute. Learnt from their first refusal. */
    paced_orders_max: 5,
    pace_window_ms: 60_000,
  },
  loops: {
    outbox_interval_ms: 500,
    twins_interval_ms: 15_000,
    sweep_interval_ms: 1_000,
    /** With webhooks on it only finds what they missed. */
    orders_interval_ms: 60_000,
    prune_interval_ms: 600_000,
    inbox_interval_ms: 1_000,
    subscriptions_interval_ms: 30_000,
    /** How long a ledger whose files were taken away may go unnoticed. */
    files_interval_ms: 1_000,
    /** How long erased details of buyers stay in the write-ahead log. Each time costs two fsyncs, if anything was erased. */
    purge_interval_ms: 30_000,
  },
  /**
   * Idempotency keys, past checksums and ids of deliveries are kept this long at least. Shopify sends a delivery again
   * for four hours, and one may be late by a day.
   */
  keep: {
    idempotency_ms: 48 * 3_600_000,
    history_ms: 30 * 24 * 3_600_000,
    deliveries_ms: 48 * 3_600_000,
    /** Longer than any quota looks back. */
    usage_ms: 7 * 24 * 3_600_000,
  },
  /** A caller that a quota refuses again and again is told of in the log so often at most. */
  quota_log_gap_ms: 60_000,
  /** A shop that comes and goes is told of so often at most, and so is one loop that fails in one way. */
  outage_log_gap_ms: 60_000,
  http: {
    body_max_bytes: 1_048_576,
    headers_timeout_ms: 10_000,
    request_timeout_ms: 30_000,
    /** How often the two timeouts are looked at. */
    timeouts_check_ms: 1_000,
    connections_max: 2_048,
    /** From one address (IPv6: one /64), proxies that are trusted and this machine excepted. */
    connections_per_address_max: 128,
    /** One body may take so long to arrive. */
    body_timeout_ms: 10_000,
    /** So much of each body is always taken; a call has some hundred bytes. */
    body_small_max_bytes: 65_536,
    /** Of bodies that are being received, what is above, together. */
    body_buffer_max_bytes: 33_554_432,
    /** Of a body that is refused, what is still taken off the line so that the answer gets through. */
    body_discard_max_bytes: 4_194_304,
    /** Brackets inside brackets. A call has six; what is deeper is made to hurt. */
    json_depth_max: 64,
    /** A call has some fifty, and a batch of a hundred calls as many times more. */
    json_fields_max: 10_000,
    /** Calls under way, in all and of one principal. */
    requests_max: 512,
    requests_per_principal_max: 256,
    /** Streams that stay open, in all and of one principal. */
    streams_max: 1_000,
    streams_per_principal_max: 100,
    /** Addresses and principals whose pace is remembered; who was not heard of for longest is forgotten first. */
    buckets_max: 10_000,
    /** Of a principal, and of an address; settings say otherwise. A busy agent makes some sixty a minute. */
    rate_per_minute: 6_000,
    rate_per_address_per_minute: 12_000,
    /** Requests that nobody is known for, from one address: more of them are only told to wait. */
    strangers_per_minute: 120,
    /** And so many of them have the signature of their token checked, which is the costly part. */
    bad_tokens_per_minute: 1_200,
    /** A stream whose token was revoked goes on for so long at most. */
    streams_recheck_ms: 5_000,
    /** A heartbeat that is older than so many of them, and than this, and the server is not ready. */
    ready_beats: 4,
    ready_min_ms: 30_000,
    /** Trouble of one kind is logged so often at most, and counted between. */
    log_gap_ms: 10_000,
    /** Longer than the longest call: two waits for the lock, a re-read between them, and a revalidation. */
    drain_max_ms: 20_000,
    /** Of the listener for webhooks. Shopify keeps far fewer; strangers may take all, and agents notice nothing. */
    webhook_connections_max: 256,
    /** So much of the body of a webhook is always taken. Most have a few hundred bytes. */
    webhook_small_max_bytes: 65_536,
    /** Of bodies of webhooks that are being received, what is above, together. */
    webhook_buffer_max_bytes: 33_554_432,
    /** Shopify itself gives up after five seconds. */
    webhook_body_timeout_ms: 5_000,
  },
  auth: {
    /** Longer ones are not looked at. Tokens of large issuers, with groups and roles in them, have 2,000 to 4,000. */
    token_chars_max: 8_192,
    tokens_max: 256,
    tokens_file_max_bytes: 262_144,
    /** A revoked token lives on for so long at most. */
    tokens_recheck_ms: 500,
    /** How long `holdfast tokens` waits for another one that is writing. */
    tokens_lock_ms: 5_000,
    tokens_lock_poll_ms: 20,
    /** Between the issuer's clock and ours. */
    clock_tolerance_s: 30,
    issuer_call_ms: 5_000,
    issuer_answer_max_bytes: 262_144,
    keys_max_age_ms: 600_000,
    /** A token with a key that nobody knows makes us ask the issuer for its keys so often at most. */
    keys_cooldown_ms: 30_000,
    issuer_backoff_min_ms: 1_000,
    issuer_backoff_max_ms: 30_000,
    /** Tokens whose signature was found good, and how long that is believed: a key withdrawn by the issuer is gone then. */
    verified_max: 1_000,
    verified_max_ms: 300_000,
  },
  push: {
    /** Streams that are open, and sessions that may open one: together, and of one caller. */
    readers_max: 1_000,
    readers_per_caller_max: 100,
    /** SKUs that one stream or session follows, and all of one caller. */
    uris_per_reader_max: 200,
    uris_per_caller_max: 2_000,
    /** A session without a stream is forgotten when nobody has used it for so long. */
    session_idle_ms: 300_000,
    /** Proxies close what is silent. */
    keep_alive_ms: 15_000,
    /** Sessions that are remembered after their client has ended them: the last ones. */
    sessions_ended_max: 1_000,
    /** A reader that takes nothing for so long, while there is something to tell, is dropped. */
    stalled_max_ms: 10_000,
    round_ms: 100,
    notes_batch: 200,
    /** Entries of the journal that one round follows one by one; after more, it looks at every SKU that is followed. */
    changes_max: 1_000,
    looks_batch: 50,
    looks_max: 1_000,
    looks_at_old_max: 200,
    sweep_ms: 60_000,
  },
  /** How often long work on the command line tells how far it is: on a line that is written over, and where lines stay. */
  progress: { redraw_ms: 100, line_ms: 5_000 },
  doctor: {
    /** One check at most, whatever it waits for. */
    check_ms: 15_000,
    /** All checks that need the shop, one after the other: its door, the token, and what the token may see. */
    shop_ms: 60_000,
    /** One request to the shop. */
    request_ms: 6_000,
    /** Shopify gives a webhook's receiver so long. */
    ping_ms: 5_000,
    /** A token that ends within two weeks is told of. */
    token_warn_ms: 14 * 24 * 3_600_000,
    /** A hold at the shop counts until `mirror_margin_ms` before its end: half of that may go to a clock. */
    clock_warn_ms: 30_000,
    clock_fail_ms: 300_000,
    disk_warn_bytes: 1_073_741_824,
    disk_fail_bytes: 104_857_600,
    /** A ledger that was not confirmed for so many heartbeats, and so long, is kept by nobody. */
    stale_beats: 4,
    stale_min_ms: 120_000,
  },
  init: {
    piped_chars_max: 4_096,
    /** Whoever pipes a secret in may have to unlock a vault first. */
    piped_ms: 60_000,
  },
  /** Serving starts first: the shop's client takes a moment to load, and `initialize` never waits for it. */
  stdio_loops_delay_ms: 250,
  /** A client on stdio that has closed its end gets so long to read the answers that are on their way. */
  stdio_flush_ms: 2_000,
} as const;

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/** Two while one is being replaced; a list that is longer is a mistake. */
const WEBHOOK_SECRETS_MAX = 4;

/** Of hosts, origins and proxies that a setting names. */
const LIST_MAX = 32;

/** Details of the buyer that a merchant can insist on. */
const REQUIRABLE_DETAILS = ['email', 'phone', 'shipping_address'] as const;
type RequirableDetail = (typeof REQUIRABLE_DETAILS)[number];

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

/** Values that no shop gives out, and what is wrong with each. The value itself is never repeated. */
const NO_CREDENTIALS: readonly { readonly pattern: RegExp; readonly wrong: string }[] = [
  { pattern: /^\s*$/u, wrong: 'is empty: paste it, or leave it out' },
  { pattern: /^["'`]|["'`]$/u, wrong: 'has quotes around it: leave them out' },
  { pattern: /^https?:/iu, wrong: 'is an address, and must be the secret or id itself' },
  {
    pattern: /…|\.\.\.|^<.*>$|^your[_ -]|[_-]here$|^change[_-]?me$|^(?:shp[a-z]+_)?x{3,}$|^shp[a-z]+_$/iu,
    wrong: 'is a placeholder: put the real one in its place',
  },
  {
    pattern: /[^\x21-\x7e]/u,
    wrong: 'has a blank, a line break or a character that none has: paste it alone, on one line',
  },
];

function credential() {
  return z.string().superRefine((value, context) => {
    const found = NO_CREDENTIALS.find(({ pattern }) => pattern.test(value));
    if (found !== undefined) context.addIssue({ code: 'custom', message: found.wrong });
  });
}

/** With commas between; empty when it is left out. */
function listOf(entry: z.ZodType<string>, what: string) {
  const wants = `wants one to ${LIST_MAX} ${what}, with commas between`;
  return z
    .string()
    .transform((list) => list.split(',').map((part) => part.trim().toLowerCase()))
    .refine(
      (parts) => parts.length <= LIST_MAX && parts.every((part) => entry.safeParse(part).success),
      wants,
    )
    .default([]);
}

/** Each once, however often it is named. */
function buyerRequired() {
  const known: readonly string[] = REQUIRABLE_DETAILS;
  return z
    .string()
    .transform((list) => [...new Set(list.split(',').map((part) => part.trim().toLowerCase()))])
    .refine(
      (parts) => parts.every((part) => known.includes(part)),
      `must be one or more of ${known.join(', ')}, with commas between; leave it out for none`,
    )
    .transform((parts) => parts as RequirableDetail[])
    .default([]);
}

/** Null is no limit at all. */
function quota(bounds: { min: number; max: number; fallback: number }, unit: string) {
  const wants = `wants a whole number from ${bounds.min} to ${bounds.max} (${unit}), or off`;
  return z
    .string()
    .regex(/^(off|\d{1,9})$/, wants)
    .transform((value) => (value === 'off' ? null : Number(value)))
    .refine((value) => value === null || (value >= bounds.min && value <= bounds.max), wants)
    .default(bounds.fallback);
}

const YES: readonly string[] = ['1', 'true', 'yes', 'on'];
const NO: readonly string[] = ['0', 'false', 'no', 'off'];

function yesOrNo(fallback: boolean) {
  return z
    .string()
    .refine(
      (word) => [...YES, ...NO].includes(word.toLowerCase()),
      'wants 1, true, yes or on, or 0, false, no or off',
    )
    .transform((word) => YES.includes(word.toLowerCase()))
    .default(fallback);
}

/** What one caller may take: defaults that a busy, honest one never meets. SPEC.md of src/ledger says why these. */
const quotaSettings = {
  HOLDFAST_QUOTA_UNITS_PER_SKU: quota({ min: 1, max: 100_000_000, fallback: 1_000 }, 'units at once'),
  HOLDFAST_QUOTA_SHARE: quota({ min: 1, max: 99, fallback: 75 }, 'percent of a SKU'),
  HOLDFAST_QUOTA_UNSOLD_SHARE: quota({ min: 1, max: 99, fallback: 40 }, 'percent of a SKU'),
  HOLDFAST_QUOTA_LIVE: quota({ min: 1, max: 1_000_000, fallback: 500 }, 'reservations at once'),
  HOLDFAST_QUOTA_PER_HOUR: quota({ min: 1, max: 10_000_000, fallback: 2_000 }, 'reservations an hour'),
  HOLDFAST_QUOTA_RENEWALS: quota({ min: 0, max: 1_000, fallback: 1 }, 'renewals'),
  HOLDFAST_QUOTA_IDLE: quota({ min: 1, max: 1_000_000, fallback: 20 }, 'reservations left unsold in a day'),
  HOLDFAST_QUOTA_IDLE_PER_ORDER: integer(
    'idle per order',
    { min: 0, max: 1_000_000, fallback: 20 },
    'reservations left unsold for each order',
  ),
  HOLDFAST_QUOTA_COOL_DOWN_MINUTES: integer(
    'cool-down',
    { min: 1, max: 1_440, fallback: 240 },
    'minutes at most',
  ),
  HOLDFAST_QUOTA_HELD_ORDERS: quota({ min: 1, max: 1_000_000, fallback: 100 }, 'held orders at once'),
  HOLDFAST_QUOTA_ORDERS: quota({ min: 1, max: 10_000_000, fallback: 120 }, 'orders an hour'),
  HOLDFAST_QUOTA_ORDERED_UNITS: quota(
    { min: 1, max: 1_000_000_000, fallback: 1_000 },
    'ordered units an hour',
  ),
  HOLDFAST_QUOTA_ORDER_HOLD_MINUTES: integer(
    'order hold',
    { min: 5, max: 10_080, fallback: 60 },
    'minutes that an order above a quota waits for a person',
  ),
  HOLDFAST_QUOTA_ORIGIN_SHARE: quota({ min: 1, max: 99, fallback: 90 }, 'percent of a SKU'),
  HOLDFAST_QUOTA_ORIGIN_FACTOR: integer(
    'origin factor',
    { min: 1, max: 1_000, fallback: 10 },
    'times what one may',
  ),
};

const settings = z.object({
  HOLDFAST_DB: z
    .string()
    .min(1, 'wants a file path')
    .refine(
      (path) => !/^postgres(ql)?:\/\//.test(path),
      'Postgres is not built yet: give the path of a SQLite file',
    )
    .default('./holdfast.db'),
  HOLDFAST_SQLITE_DRIVER: z
    .enum(['better-sqlite3', 'node:sqlite'], 'must be better-sqlite3 or node:sqlite')
    .optional(),
  SHOPIFY_SHOP: z
    .string()
    .regex(shopPattern, 'wants the shop’s own domain, like name.myshopify.com')
    .optional(),
  SHOPIFY_ACCESS_TOKEN: credential().optional(),
  SHOPIFY_CLIENT_ID: credential().optional(),
  SHOPIFY_CLIENT_SECRET: credential().optional(),
  SHOPIFY_ORIGIN: z
    .string()
    .refine(isOrigin, 'wants an origin like http://127.0.0.1:4010, with no path or password')
    .refine(
      (origin) => !isOrigin(origin) || isHttpsOrLoopback(origin),
      'wants https, or http on loopback only',
    )
    .transform((origin) => new URL(origin).origin)
    .optional(),
  SHOPIFY_WEBHOOK_SECRETS: z
    .string()
    .transform((list) => list.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.length <= WEBHOOK_SECRETS_MAX && !secrets.includes(''),
      `wants one to ${WEBHOOK_SECRETS_MAX} of them with commas between, or leave it out`,
    )
    .refine(
      (secrets) => secrets.includes('') || secrets.every((secret) => credential().safeParse(secret).success),
      'has a secret that can be none: an address, a placeholder, quotes around it, or a blank in it',
    )
    .optional(),
  HOLDFAST_PUBLIC_URL: z
    .string()
    .refine(isOrigin, 'wants an origin like https://stock.example.com, with no path or password')
    .refine(
      (origin) => !isOrigin(origin) || isHttpsOrLoopback(origin),
      'wants https, or http on loopback only',
    )
    .transform((origin) => new URL(origin).origin)
    .optional(),
  HOLDFAST_TOKENS: z
    .string()
    .min(1, 'wants the path of a file that holdfast tokens add makes, or a JSON list; leave it out for none')
    .optional(),
  HOLDFAST_OAUTH_ISSUER: z
    .string()
    .refine(
      isPlainUrl,
      'wants the issuer’s address, like https://login.example.com, with no query or password',
    )
    .refine((url) => !isPlainUrl(url) || isHttpsOrLoopback(url), 'wants https, or http on loopback only')
    .optional(),
  HOLDFAST_OAUTH_AUDIENCE: z.string().min(1, 'is empty: leave it out for HOLDFAST_MCP_URL').optional(),
  HOLDFAST_OAUTH_JWKS_URL: z
    .string()
    .refine(isPlainUrl, 'wants the address of the issuer’s keys, with no query or password')
    .refine((url) => !isPlainUrl(url) || isHttpsOrLoopback(url), 'wants https, or http on loopback only')
    .optional(),
  HOLDFAST_OAUTH_PRINCIPAL_CLAIM: z
    .string()
    .regex(/^[\w:./-]{1,128}$/, 'wants the name of a claim, like sub or client_id')
    .default('sub'),
  HOLDFAST_OAUTH_CHANNEL_CLAIM: z
    .string()
    .regex(/^[\w:./-]{1,128}$/, 'wants the name of a claim')
    .optional(),
  HOLDFAST_HTTP_HOST: z
    .union(
      [z.literal('localhost'), z.ipv4(), z.ipv6()],
      'wants a loopback address (127.0.0.1, ::1, localhost), or another IP address of this machine where callers have tokens',
    )
    .default('127.0.0.1'),
  HOLDFAST_MCP_URL: z
    .string()
    .refine(isMcpUrl, 'wants the address of /mcp, like https://stock.example.com/mcp')
    .refine((url) => !isMcpUrl(url) || isHttpsOrLoopback(url), 'wants https, or http on loopback only')
    .transform((url) => new URL(url).href)
    .optional(),
  HOLDFAST_HTTP_ALLOWED_HOSTS: listOf(
    z.string().regex(/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/),
    'host names without a port, like stock.internal',
  ),
  HOLDFAST_HTTP_ALLOWED_ORIGINS: listOf(
    z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+$/),
    'origins without a path, like https://app.example.com',
  ),
  HOLDFAST_TRUSTED_PROXIES: listOf(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]),
    'addresses or networks, like 127.0.0.1 or 10.0.0.0/8',
  ),
  HOLDFAST_RATE_PER_MINUTE: integer(
    'rate',
    { min: 1, max: 100_000_000, fallback: LIMITS.http.rate_per_minute },
    'requests a minute of one principal',
  ),
  HOLDFAST_RATE_PER_ADDRESS_PER_MINUTE: integer(
    'rate',
    { min: 1, max: 100_000_000, fallback: LIMITS.http.rate_per_address_per_minute },
    'requests a minute from one address',
  ),
  HOLDFAST_HTTP_PORT: integer(
    'port',
    { min: 0, max: 65_535, fallback: 8_787 },
    'a TCP port; 0 takes a free one',
  ),
  HOLDFAST_WEBHOOK_PORT: integer(
    'port',
    { min: 0, max: 65_535, fallback: 8_788 },
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
  HOLDFAST_PUBLICATION: z
    .string()
    .trim()
    .regex(
      /^(any|online_store|(gid:\/\/shopify\/Publication\/)?[0-9]{1,20})$/u,
      'must be online_store, any, or the id of a publication',
    )
    .transform((text) => text.replace('gid://shopify/Publication/', ''))
    .default('online_store'),
  HOLDFAST_LOW_STOCK: integer('low stock', { min: 0, max: 1_000_000, fallback: 5 }, 'units'),
  HOLDFAST_JUMP_SHARE: integer(
    'jump share',
    { min: 1, max: 1_000, fallback: 50 },
    'percent of a level that may come or go unexplained at once',
  ),
  HOLDFAST_STALE_HASH: z.enum(['revalidate', 'hold'], 'wants revalidate or hold').default('revalidate'),
  HOLDFAST_HELD_ORDER_HOURS: integer('held order', { min: 1, max: 168, fallback: 24 }, 'hours'),
  HOLDFAST_LOOKUP_WAIT_SECONDS: integer(
    'look-up wait',
    { min: 1, max: 300, fallback: LIMITS.outbox.lookup_wait_ms / 1000 },
    'seconds',
  ),
  HOLDFAST_MIRROR: z
    .enum(['draft_order', 'move', 'none'], 'wants draft_order, move or none')
    .default('draft_order'),
  HOLDFAST_ORDER_MODE: z
    .enum(['complete', 'checkout_link'], 'wants complete or checkout_link')
    .default('complete'),
  HOLDFAST_ORDER_PAYMENT: z.enum(['pending', 'paid'], 'must be pending or paid').optional(),
  HOLDFAST_ROUTE_FULFILLMENT: z.enum(['shop', 'promised'], 'must be shop or promised').default('shop'),
  HOLDFAST_BUYER_REQUIRED: buyerRequired(),
  HOLDFAST_PAY_MINUTES: integer('time to pay', { min: 5, max: 1_440, fallback: 60 }, 'minutes'),
  ...quotaSettings,
  HOLDFAST_CANCEL_TWINS: yesOrNo(false),
  HOLDFAST_READ_ONLY: yesOrNo(false),
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

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Whether /mcp asks who calls. Without it nothing but loopback is bound. */
  readonly has_authentication: boolean;
  /** Where agents reach /mcp, as they spell it; null: on loopback alone. */
  readonly mcp_url: string | null;
  /** Host names under which requests are taken, besides loopback and that of `mcp_url`. */
  readonly allowed_hosts: readonly string[];
  /** Origins of web pages that may call, besides loopback. */
  readonly allowed_origins: readonly string[];
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trusted_proxies: readonly string[];
  readonly rate_per_minute: number;
  readonly rate_per_address_per_minute: number;
}

/** Where tokens for HTTP callers are listed: in a file that may change while we run, or in the setting itself. */
export type TokensSource = { readonly path: string } | { readonly inline: string };

/** An issuer of access tokens (OAuth 2.1) whose callers are let in. */
export interface OAuthConfig {
  readonly issuer: string;
  readonly audience: string;
  /** Null: the issuer's metadata say it. */
  readonly jwks_url: string | null;
  readonly principal_claim: string;
  /** Null: tokens say nothing of it. */
  readonly channel_claim: string | null;
  /** What clients know /mcp as. */
  readonly resource: string;
}

export interface Config {
  readonly db: string;
  /** False when HOLDFAST_DB was left at its default. */
  readonly is_db_chosen: boolean;
  /** Null: better-sqlite3 where it loads, else node:sqlite. */
  readonly sqlite_driver: 'better-sqlite3' | 'node:sqlite' | null;
  /** Null when no shop is configured: only the sandbox can be served then. */
  readonly shop: ShopConfig | null;
  readonly http: HttpConfig;
  /** Null: there are no tokens. */
  readonly tokens: TokensSource | null;
  readonly oauth: OAuthConfig | null;
  /** Loopback port of the listener that knows webhooks alone: where a tunnel or proxy leads. */
  readonly webhook_port: number;
  /** Origin at which the shop reaches this server; null: nobody tells us anything, and the heartbeat asks. */
  readonly public_url: string | null;
  /** That sign what the shop tells. The app's client secret unless others were given; empty when none is known. */
  readonly webhook_secrets: readonly string[];
  readonly ttl_default_s: number;
  readonly ttl_min_s: number;
  readonly ttl_max_s: number;
  readonly heartbeat_ms: number;
  readonly safety_stock_units: number;
  readonly low_stock_units: number;
  readonly jump_share_percent: number;
  readonly stale_hash: 'revalidate' | 'hold';
  readonly held_order_max_ms: number;
  /** How long the shop's search may lag behind its own writes: after a lost answer, nothing is sent again sooner. */
  readonly lookup_wait_ms: number;
  /** Where items have to be published to be sold: `online_store`, a publication's id, or `any` where it does not count. */
  readonly publication: string;
  readonly mirror: 'draft_order' | 'move' | 'none';
  readonly order_mode: 'complete' | 'checkout_link';
  /** How orders that the server completes stand at the shop. Of no effect with `checkout_link`. */
  readonly order_payment: 'pending' | 'paid';
  /** `promised`: a placed order is moved to the places that promised its units. */
  readonly route_fulfillment: 'shop' | 'promised';
  /** Whether an unpaid second order of one reservation, which the shop made late, is cancelled. */
  readonly cancel_twins: boolean;
  /** Details of the buyer without which no order is taken. */
  readonly buyer_required: readonly RequirableDetail[];
  /** How long a buyer has to pay at the shop's checkout. */
  readonly pay_ms: number;
  /** How long an order above a quota waits for a person. */
  readonly order_quota_hold_ms: number;
  /** What one caller may take; null where that is not limited. */
  readonly quotas: QuotaConfig;
  /** Nothing is sold, and nothing written to the shop. */
  readonly read_only: boolean;
  readonly log_level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface QuotaConfig {
  readonly units_per_sku: number | null;
  readonly share_percent: number | null;
  readonly unsold_share_percent: number | null;
  readonly live_reservations: number | null;
  readonly reservations_per_hour: number | null;
  readonly renewals: number | null;
  readonly idle_per_day: number | null;
  readonly idle_per_order: number;
  readonly cool_down_max_ms: number;
  readonly held_orders: number | null;
  readonly orders_per_hour: number | null;
  readonly ordered_units_per_hour: number | null;
  readonly origin_share_percent: number | null;
  readonly origin_factor: number;
}

/** Throws `ConfigError` naming every bad setting. */
export function readConfig(environment: Environment): Config {
  const parsed = settings.safeParse(environment);
  const wrong = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')} ${issue.message}`);
  const lines = [...wrong, ...misspelt(environment)];
  if (!parsed.success || lines.length > 0) {
    const names = lines.map((line) => line.split(' ', 1)[0] ?? '');
    throw new ConfigError(`These settings are wrong:\n  ${lines.join('\n  ')}`, names);
  }
  const { data } = parsed;
  refuseForgetful(data);
  const ttl = clampedTtl(data);
  return Object.freeze({
    db: data.HOLDFAST_DB,
    is_db_chosen: environment['HOLDFAST_DB'] !== undefined,
    sqlite_driver: data.HOLDFAST_SQLITE_DRIVER ?? null,
    shop: shopConfig(data),
    http: httpConfig(data),
    tokens: tokensSource(data),
    oauth: oauthConfig(data),
    webhook_port: data.HOLDFAST_WEBHOOK_PORT,
    public_url: data.HOLDFAST_PUBLIC_URL ?? null,
    webhook_secrets: webhookSecrets(data),
    ...ttl,
    heartbeat_ms: data.HOLDFAST_HEARTBEAT_SECONDS * 1000,
    safety_stock_units: data.HOLDFAST_SAFETY_STOCK,
    publication: data.HOLDFAST_PUBLICATION,
    low_stock_units: data.HOLDFAST_LOW_STOCK,
    jump_share_percent: data.HOLDFAST_JUMP_SHARE,
    stale_hash: data.HOLDFAST_STALE_HASH,
    held_order_max_ms: data.HOLDFAST_HELD_ORDER_HOURS * 3_600_000,
    lookup_wait_ms: data.HOLDFAST_LOOKUP_WAIT_SECONDS * 1000,
    mirror: data.HOLDFAST_MIRROR,
    order_mode: orderMode(data),
    order_payment: orderPayment(data),
    route_fulfillment: data.HOLDFAST_ROUTE_FULFILLMENT,
    buyer_required: data.HOLDFAST_BUYER_REQUIRED,
    pay_ms: data.HOLDFAST_PAY_MINUTES * 60_000,
    order_quota_hold_ms: data.HOLDFAST_QUOTA_ORDER_HOLD_MINUTES * 60_000,
    quotas: quotaConfig(data),
    cancel_twins: data.HOLDFAST_CANCEL_TWINS,
    read_only: data.HOLDFAST_READ_ONLY,
    log_level: data.HOLDFAST_LOG_LEVEL,
  });
}

type Settings = z.output<typeof settings>;

/** A setting that is passed over in silence is worse than none: somebody relies on it. */
function misspelt(environment: Environment): string[] {
  const names = Object.keys(environment).filter((name) => name.startsWith('HOLDFAST_'));
  return names
    .filter((name) => !Object.hasOwn(settings.shape, name))
    .map((name) => {
      // A line of .env without "=" becomes part of the name that follows, and what it holds may be a secret.
      const [word = ''] = /^\w+/.exec(name) ?? [];
      return word === name
        ? `${name} is no setting of this version: correct its name or remove it`
        : `${word} has no "=" right behind it: write NAME=value, one on each line`;
    });
}

/** What was promised to buyers has to outlive the process. The built-in shop begins anew with each one, too. */
function refuseForgetful({ HOLDFAST_DB: db, SHOPIFY_SHOP: shop }: Settings): void {
  if (db !== ':memory:' || shop === undefined) return;
  throw new ConfigError(
    'HOLDFAST_DB is :memory:, which forgets every reservation and order when the process ends, and SHOPIFY_SHOP is a real shop. Give HOLDFAST_DB the path of a file.',
    ['HOLDFAST_DB'],
  );
}

function clampedTtl(data: Settings): Pick<Config, 'ttl_default_s' | 'ttl_min_s' | 'ttl_max_s'> {
  const { HOLDFAST_TTL_MIN_SECONDS: ttl_min_s, HOLDFAST_TTL_MAX_SECONDS: ttl_max_s } = data;
  const { HOLDFAST_TTL_SECONDS: ttl_default_s } = data;
  if (ttl_min_s > ttl_default_s || ttl_default_s > ttl_max_s) {
    throw new ConfigError(
      `HOLDFAST_TTL_SECONDS (${ttl_default_s}) wants to lie between HOLDFAST_TTL_MIN_SECONDS (${ttl_min_s}) and HOLDFAST_TTL_MAX_SECONDS (${ttl_max_s}).`,
      ['HOLDFAST_TTL_SECONDS', 'HOLDFAST_TTL_MIN_SECONDS', 'HOLDFAST_TTL_MAX_SECONDS'],
    );
  }
  return { ttl_default_s, ttl_min_s, ttl_max_s };
}

function httpConfig(data: Settings): HttpConfig {
  const host = data.HOLDFAST_HTTP_HOST;
  const has_authentication = hasAuthentication(data);
  if (!has_authentication && !LOOPBACK_HOSTS.includes(host)) {
    throw new ConfigError(
      'These settings are wrong:\n  HOLDFAST_HTTP_HOST wants a loopback address (127.0.0.1, ::1, localhost): without authentication nothing else is safe',
      ['HOLDFAST_HTTP_HOST'],
    );
  }
  return {
    host,
    port: data.HOLDFAST_HTTP_PORT,
    has_authentication,
    mcp_url: data.HOLDFAST_MCP_URL ?? null,
    allowed_hosts: data.HOLDFAST_HTTP_ALLOWED_HOSTS,
    allowed_origins: data.HOLDFAST_HTTP_ALLOWED_ORIGINS,
    trusted_proxies: data.HOLDFAST_TRUSTED_PROXIES,
    rate_per_minute: data.HOLDFAST_RATE_PER_MINUTE,
    rate_per_address_per_minute: data.HOLDFAST_RATE_PER_ADDRESS_PER_MINUTE,
  };
}

function quotaConfig(data: Settings): QuotaConfig {
  return {
    units_per_sku: data.HOLDFAST_QUOTA_UNITS_PER_SKU,
    share_percent: data.HOLDFAST_QUOTA_SHARE,
    unsold_share_percent: data.HOLDFAST_QUOTA_UNSOLD_SHARE,
    live_reservations: data.HOLDFAST_QUOTA_LIVE,
    reservations_per_hour: data.HOLDFAST_QUOTA_PER_HOUR,
    renewals: data.HOLDFAST_QUOTA_RENEWALS,
    idle_per_day: data.HOLDFAST_QUOTA_IDLE,
    idle_per_order: data.HOLDFAST_QUOTA_IDLE_PER_ORDER,
    cool_down_max_ms: data.HOLDFAST_QUOTA_COOL_DOWN_MINUTES * 60_000,
    held_orders: data.HOLDFAST_QUOTA_HELD_ORDERS,
    orders_per_hour: data.HOLDFAST_QUOTA_ORDERS,
    ordered_units_per_hour: data.HOLDFAST_QUOTA_ORDERED_UNITS,
    origin_share_percent: data.HOLDFAST_QUOTA_ORIGIN_SHARE,
    origin_factor: data.HOLDFAST_QUOTA_ORIGIN_FACTOR,
  };
}

function webhookSecrets(data: Settings): readonly string[] {
  const { SHOPIFY_WEBHOOK_SECRETS: secrets, SHOPIFY_CLIENT_SECRET: secret } = data;
  return secrets ?? (secret === undefined ? [] : [secret]);
}

/** Nobody can pay for units that were only moved: a link to a checkout needs a draft order. */
function orderMode({ HOLDFAST_ORDER_MODE: mode, HOLDFAST_MIRROR: mirror }: Settings): Config['order_mode'] {
  if (mode !== 'checkout_link' || mirror !== 'move') return mode;
  throw new ConfigError(
    'HOLDFAST_ORDER_MODE=checkout_link does not go with HOLDFAST_MIRROR=move: the buyer pays for a draft order, and move makes none. Set HOLDFAST_MIRROR to draft_order or none, or HOLDFAST_ORDER_MODE to complete.',
    ['HOLDFAST_ORDER_MODE', 'HOLDFAST_MIRROR'],
  );
}

/** Says nothing where the buyer pays: a setting that is passed over in silence is relied on. */
function orderPayment({
  HOLDFAST_ORDER_PAYMENT: payment,
  HOLDFAST_ORDER_MODE: mode,
}: Settings): Config['order_payment'] {
  if (payment === undefined || mode !== 'checkout_link') return payment ?? 'pending';
  throw new ConfigError(
    'HOLDFAST_ORDER_PAYMENT does not go with HOLDFAST_ORDER_MODE=checkout_link: there the buyer pays before there is an order. Remove HOLDFAST_ORDER_PAYMENT, or set HOLDFAST_ORDER_MODE to complete.',
    ['HOLDFAST_ORDER_PAYMENT', 'HOLDFAST_ORDER_MODE'],
  );
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
    ['SHOPIFY_SHOP'],
  );
}

/** Whether callers over HTTP have to say who they are. An empty list of tokens lets nobody in, and is one all the same. */
function hasAuthentication({ HOLDFAST_TOKENS: tokens, HOLDFAST_OAUTH_ISSUER: issuer }: Settings): boolean {
  return tokens !== undefined || issuer !== undefined;
}

function tokensSource({ HOLDFAST_TOKENS: tokens }: Settings): TokensSource | null {
  if (tokens === undefined) return null;
  return tokens.trimStart().startsWith('[') ? { inline: tokens } : { path: tokens };
}

function oauthConfig(data: Settings): OAuthConfig | null {
  const { HOLDFAST_OAUTH_ISSUER: issuer, HOLDFAST_MCP_URL: resource } = data;
  if (issuer === undefined) {
    if (data.HOLDFAST_OAUTH_AUDIENCE === undefined && data.HOLDFAST_OAUTH_JWKS_URL === undefined) return null;
    throw new ConfigError(
      'HOLDFAST_OAUTH_ISSUER is not set, and without it HOLDFAST_OAUTH_AUDIENCE and HOLDFAST_OAUTH_JWKS_URL mean nothing: set it, or remove them.',
      ['HOLDFAST_OAUTH_ISSUER', 'HOLDFAST_OAUTH_AUDIENCE', 'HOLDFAST_OAUTH_JWKS_URL'],
    );
  }
  if (resource === undefined) {
    throw new ConfigError(
      'HOLDFAST_OAUTH_ISSUER wants HOLDFAST_MCP_URL too: the address of /mcp as clients know it, which they ask the issuer for a token for.',
      ['HOLDFAST_OAUTH_ISSUER'],
    );
  }
  return {
    issuer,
    audience: data.HOLDFAST_OAUTH_AUDIENCE ?? resource,
    jwks_url: data.HOLDFAST_OAUTH_JWKS_URL ?? null,
    principal_claim: data.HOLDFAST_OAUTH_PRINCIPAL_CLAIM,
    channel_claim: data.HOLDFAST_OAUTH_CHANNEL_CLAIM ?? null,
    resource,
  };
}

function isPlainUrl(input: string): boolean {
  if (!URL.canParse(input)) return false;
  const { protocol, username, password, search, hash } = new URL(input);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '' && !/[?#]/.test(input);
}

function isOrigin(input: string): boolean {
  if (!URL.canParse(input)) return false;
  const { protocol, origin, href } = new URL(input);
  return /^https?:$/.test(protocol) && href === `${origin}/`;
}

function isMcpUrl(input: string): boolean {
  if (!URL.canParse(input)) return false;
  const { protocol, origin, href } = new URL(input);
  return /^https?:$/.test(protocol) && href === `${origin}/mcp`;
}

function isHttpsOrLoopback(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' || LOOPBACK_HOSTS.includes(hostname.replace(/^\[|\]$/g, ''));
}
