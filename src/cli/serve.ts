/** `holdfast serve`: the MCP server on stdio or HTTP, until its client leaves or it is told to stop. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openHoldfast } from '../app/open-app.js';
import { type Config, LIMITS, readConfig } from '../config/config.js';
import { ConfigError, SettingsAbsent } from '../config/config-error.js';
import type { Environment } from '../config/settings-sources.js';
import type { HttpServing } from '../http/http.js';
import { type Log, stderrLog } from '../observability/log.js';
import { RareLog } from '../observability/throttled-log.js';
import { findFileSystem } from '../store/sqlite/database/file-system.js';
import { chooseDriver, DriverMissing, driverName, loadDriver } from '../store/sqlite/database/load-driver.js';
import { machineEnvironment } from './ledger/machine-environment.js';

export interface ServeOptions {
  readonly version: string;
  readonly http: boolean;
  readonly sandbox: boolean;
}

export async function serve(options: ServeOptions): Promise<void> {
  const read = readSettings(options);
  if (read.config === null) await answerUnconfigured(read.error, options);
  else await serveConfigured(read.config, options);
}

/**
 * On stdio a client that starts us hides what a process says that ends at once: there the error is served, as each tool's answer. A
 * person at a terminal reads it, and scripts see the exit code.
 */
function readSettings(
  options: ServeOptions,
): { readonly config: Config } | { readonly config: null; readonly error: ConfigError | DriverMissing } {
  try {
    const environment = machineEnvironment({ stdio: !options.http });
    const config = readConfig(environment);
    if (!options.sandbox) refuseShopless(config, environment);
    if (options.http) refuseUnverifiable(config);
    if (config.sqlite_driver !== null) chooseDriver(config.sqlite_driver);
    loadDriver();
    return { config };
  } catch (error) {
    const isTellable = error instanceof ConfigError || error instanceof DriverMissing;
    if (!isTellable || options.http || process.stdin.isTTY) throw error;
    return { config: null, error };
  }
}

/** Ends with the exit code of wrong settings once the client has left. */
async function answerUnconfigured(
  error: ConfigError | DriverMissing,
  { version }: ServeOptions,
): Promise<void> {
  console.error(error.message);
  const { serveUnconfigured } = await import('../stdio/stdio.js');
  const state =
    error instanceof SettingsAbsent
      ? 'Holdfast is not configured yet: run holdfast init.'
      : error instanceof DriverMissing
        ? 'Holdfast can’t start.'
        : 'Holdfast can’t start with its settings.';
  const sentence = `${state} ${error.message} Then start this client again.${commandHint()}`;
  const serving = serveUnconfigured({ version }, sentence, (cause) => console.error(cause));
  await Promise.race([serving.ended, stopSignal()]);
  await serving.close();
  process.exitCode = EXIT_USAGE;
  exitUnread();
}

const WAITING =
  'holdfast serves MCP on stdin and stdout, and waits for a client to talk to it. A client starts it by itself: holdfast init tells yours how. holdfast serve --http serves over HTTP. Ctrl-C ends this one.';

const EXIT_USAGE = 2;

/** How to start this program from a terminal, where the word `holdfast` alone may not do it. */
function commandHint(): string {
  const [, script = ''] = process.argv;
  return script.endsWith('.js') ? ` In a terminal, holdfast is: node "${script}"` : '';
}

async function serveConfigured(config: Config, options: ServeOptions): Promise<void> {
  const log = stderrLog(config.log_level);
  const shop = options.sandbox ? await withSandbox(config) : { config, stop: async () => {} };
  try {
    const { shop: served } = shop.config;
    if (served !== null)
      log.info('shop', { shop: served.shop, origin: served.origin ?? `https://${served.shop}` });
    // On stdio it is whoever started this process; over HTTP the tokens tell, once they are read.
    const crowd: Crowd = { isAlone: () => !options.http };
    const metrics = options.http ? await startMetrics() : null;
    const holdfast = openHoldfast(shop.config, log, {
      isAlone: () => crowd.isAlone(),
      ...(metrics === null ? {} : { metrics }),
    });
    log.info('ledger', { path: shop.config.db, sqlite_driver: driverName() });
    warnOfSharedDisk(shop.config, log);
    if (!options.http && process.stdin.isTTY) console.error(WAITING);
    try {
      if (metrics === null) await untilClientLeaves(holdfast, shop.config, options, log);
      else {
        const metricsText = async (): Promise<string> => {
          await holdfast.measure();
          return metrics.text();
        };
        await untilStopped(holdfast, shop.config, { ...options, crowd, metricsText }, log);
      }
    } finally {
      await holdfast.stop();
    }
  } finally {
    await shop.stop();
    if (!options.http) exitUnread();
  }
}

/** Ends the process although its last answers are not read: a client that has closed its end may keep the other one open for ever. */
function exitUnread(): void {
  setTimeout(() => process.exit(), LIMITS.stdio_flush_ms).unref();
}

type Running = ReturnType<typeof openHoldfast>;

interface Crowd {
  /** Whether only one principal can call. */
  isAlone: () => boolean;
}

type HttpOptions = ServeOptions & {
  readonly crowd: Crowd;
  readonly metricsText: () => Promise<string>;
};

/** Loaded only where somebody can ask for them. */
async function startMetrics() {
  const { Metrics } = await import('../observability/metrics.js');
  const metrics = new Metrics();
  metrics.watchProcess();
  return metrics;
}

function refuseShopless({ shop }: Config, environment: Environment): void {
  if (shop !== null) return;
  const isBegun = Object.keys(environment).some((name) => name.startsWith('SHOPIFY_'));
  const Kind = isBegun ? ConfigError : SettingsAbsent;
  throw new Kind(
    'SHOPIFY_SHOP is not set. holdfast init asks for what is needed and writes it to .env; on stdio that file counts only where --env names it, because another program chooses the folder. holdfast serve --sandbox serves the built-in shop.',
    ['SHOPIFY_SHOP'],
  );
}

/** A folder that is shared with a container's or virtual machine's host works as long as one side alone uses it. */
function warnOfSharedDisk({ db }: Config, log: Log): void {
  const found = findFileSystem(db);
  if (found?.kind !== 'unclear') return;
  log.warn('shared_file_system', {
    type: found.type,
    mounted_at: found.mounted_at,
    mend: 'Never let two machines serve this ledger; a disk of this machine is safer.',
  });
}

/** Anybody can reach a public address, so what comes there has to be signed. */
function refuseUnverifiable(config: Config): void {
  if (config.public_url === null || config.shop === null || config.webhook_secrets.length > 0) return;
  throw new ConfigError(
    'HOLDFAST_PUBLIC_URL is set, but not the secret that the shop signs its webhooks with: set SHOPIFY_WEBHOOK_SECRETS to the app’s client secret, or remove HOLDFAST_PUBLIC_URL.',
    ['SHOPIFY_WEBHOOK_SECRETS'],
  );
}

async function untilClientLeaves(
  holdfast: Running,
  config: Config,
  { version }: ServeOptions,
  log: Log,
): Promise<void> {
  const { serveOnStdio } = await import('../stdio/stdio.js');
  const onError = (error: unknown): void => log.warn('stdio_error', { error });
  const serving = serveOnStdio({ version }, { host: holdfast.tools, hub: holdfast.hub }, onError);
  if (config.public_url !== null)
    log.info('no_webhooks_on_stdio', { mend: 'They need holdfast serve --http.' });
  const loops = setTimeout(() => holdfast.startLoops(), LIMITS.stdio_loops_delay_ms);
  try {
    await Promise.race([serving.ended, stopSignal(), holdfast.lost]);
  } finally {
    clearTimeout(loops);
    // Answers under way are still given: an agent whose call was cut off can't tell whether its units are reserved.
    await holdfast.settled();
    await Promise.race([serving.close(), pause(LIMITS.stdio_flush_ms, undefined, { ref: false })]);
  }
}

async function untilStopped(
  holdfast: Running,
  config: Config,
  options: HttpOptions,
  log: Log,
): Promise<void> {
  const doors = await openDoors(holdfast, config, options, log);
  const { WEBHOOK_PATH } = await import('../http/webhooks.js');
  // The built-in shop is a neighbour: it needs no way in from outside.
  const reachedAt = options.sandbox ? doors.main.origin : config.public_url;
  if (reachedAt === null) holdfast.startLoops();
  else holdfast.startLoops(`${reachedAt}${WEBHOOK_PATH}`);
  log.info('serving', {
    mcp: `${doors.main.origin}/mcp`,
    ...(reachedAt === null ? {} : { webhooks: `${reachedAt}${WEBHOOK_PATH}` }),
    ...(doors.webhooks === null ? {} : { proxy_to: doors.webhooks.origin }),
  });
  try {
    await Promise.race([stopSignal(), holdfast.lost]);
  } finally {
    log.info('stopping');
    await Promise.all([doors.webhooks?.close(), doors.main.close()]);
    doors.trouble.flush();
  }
}

interface Doors {
  readonly main: HttpServing;
  /** Where a tunnel or proxy is to lead; null when webhooks are off. */
  readonly webhooks: HttpServing | null;
  /** What strangers bring about. */
  readonly trouble: RareLog;
}

async function openDoors(
  { tools, hub, metrics, admit, readiness }: Running,
  config: Config,
  { version, sandbox, crowd, metricsText }: HttpOptions,
  log: Log,
): Promise<Doors> {
  const [{ serveOnHttp, serveWebhooks }, { httpCallers }] = await Promise.all([
    import('../http/http.js'),
    import('./tokens/http-callers.js'),
  ]);
  const trouble = new RareLog(log, LIMITS.http.log_gap_ms);
  const { isAlone, ...callers } = await httpCallers(config, log, { metrics, trouble });
  crowd.isAlone = isAlone;
  const onError = (error: unknown): void => trouble.warn('http_error', { error });
  const report = (event: string): void => trouble.warn(event);
  const open = { ...LIMITS.http, ...config.http, onError, report };
  const route = { door: { admit }, metrics, ...LIMITS.http };
  const hasWebhooks = sandbox || config.public_url !== null;
  const main = await serveOnHttp({ version }, tools, {
    ...open,
    ...callers,
    metrics,
    metricsText,
    readiness,
    push: { hub, newId: randomUUID, limits: LIMITS.push },
    webhooks: hasWebhooks ? route : undefined,
  });
  if (!hasWebhooks) return { main, webhooks: null, trouble };
  try {
    const webhooks = await serveWebhooks({
      ...open,
      ...route,
      port: config.webhook_port,
      connections_max: LIMITS.http.webhook_connections_max,
      public_hostname: config.public_url === null ? null : new URL(config.public_url).hostname,
    });
    return { main, webhooks, trouble };
  } catch (error) {
    await main.close();
    throw error;
  }
}

/** The built-in shop starts empty-handed each time, so its ledger is thrown away too unless one was named. */
async function withSandbox(config: Config): Promise<{ config: Config; stop: () => Promise<void> }> {
  const [{ SandboxServer }, access] = await Promise.all([
    import('../sandbox/server.js'),
    import('../sandbox/api-rules/access.js'),
  ]);
  const server = new SandboxServer();
  const { origin } = await server.start();
  const folder = config.is_db_chosen ? null : mkdtempSync(join(tmpdir(), 'holdfast-sandbox-'));
  return {
    config: {
      ...config,
      db: folder === null ? config.db : join(folder, 'holdfast.db'),
      shop: {
        shop: 'sandbox.myshopify.com',
        credentials: { access_token: access.SANDBOX_ACCESS_TOKEN },
        origin,
      },
      webhook_secrets: [access.SANDBOX_CLIENT_SECRET],
    },
    stop: async () => {
      await server.stop();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
