/**
 * Every check of `holdfast doctor`, side by side: each has a time limit, and one that fails hides no other, unless it makes
 * the other meaningless; then that one says so. Nothing is written, neither to the ledger nor to the shop.
 */

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Config, LIMITS, readConfig, type ShopConfig } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import type { Environment } from '../../config/settings-sources.js';
import type { ShopifyUpstream } from '../../sources/shopify/shopify.js';
import { UpstreamError } from '../../sources/source.js';
import { durationText } from '../terminal/format.js';
import { callersFinding, examineIssuer, readTokensFacts } from './doctor-callers.js';
import { filesFinding, readFilesFacts } from './doctor-files.js';
import { examineHolds } from './doctor-holds.js';
import {
  diskFinding,
  ledgerFinding,
  readDiskFacts,
  readLedgerFacts,
  serverFinding,
} from './doctor-ledger.js';
import { ordersFinding } from './doctor-orders.js';
import { paymentFinding } from './doctor-payment.js';
import { publicationFinding } from './doctor-publication.js';
import {
  buildProbeUrl,
  clockFinding,
  locationsFinding,
  type Probed,
  planFinding,
  type ScopeNeed,
  sameShop,
  scopesFinding,
  shopFinding,
  skippedForToken,
  tokenFinding,
  versionFinding,
} from './doctor-shop.js';
import {
  besideRequests,
  exposedFinding,
  noSecret,
  notConfigured,
  pingRequest,
  plainRequest,
  subscriptionsFinding,
  webhooksFinding,
  webhookUrl,
} from './doctor-webhooks.js';
import { type Check, CODES, type Finding, failed, fine, skipped, warned } from './finding.js';
import { type Net, reach } from './http-probe.js';

/** What the world lends to the doctor. */
export interface DoctorPorts {
  readonly net: Net;
  /** The settings file of this machine; null where none is read. */
  readonly settingsFile: string | null;
  /** Opens the shop's client; loaded only when there is a shop to ask. */
  readonly openShop: (
    shop: ShopConfig,
    publication: Config['publication'],
  ) => Promise<Pick<ShopifyUpstream, 'probe' | 'source' | 'reserved' | 'subscriptions' | 'publication'>>;
  /** Of the connector: API version, scopes for these settings, and topics. */
  readonly apiVersion: string;
  readonly scopesFor: (config: Config) => readonly ScopeNeed[];
  readonly topicsFor: (config: Config) => readonly string[];
}

export async function examine(environment: Environment, ports: DoctorPorts): Promise<readonly Finding[]> {
  const { config, findings } = readUsableSettings(environment);
  const parts = await Promise.all([
    Promise.resolve(findings),
    examineLedger(config, ports),
    limited('files', async () => [filesFinding(readFilesFacts(resolve(config.db), ports.settingsFile))]),
    limited('callers', async () => {
      const facts = config.tokens === null ? null : readTokensFacts(config.tokens, ports.net.now());
      return [callersFinding(config, facts)];
    }),
    Promise.resolve([paymentFinding(config)]),
    limited('issuer', async () => [await examineIssuer(config.oauth, ports.net.fetch)]),
    ...(config.shop === null
      ? [Promise.resolve(shopSkipped(findings))]
      : examineShop(config, config.shop, ports)),
  ]);
  const order = Object.keys(CODES);
  return parts.flat().sort((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
}

/** Settings that are wrong are told, and left out: what does not depend on them can still be looked at. */
export function readUsableSettings(environment: Environment): {
  readonly config: Config;
  readonly findings: Finding[];
} {
  const findings: Finding[] = [];
  let rest = environment;
  for (;;) {
    try {
      const config = readConfig(rest);
      return { config, findings: findings.length > 0 ? findings : [settingsFinding(config)] };
    } catch (error) {
      if (!(error instanceof ConfigError) || error.settings.length === 0) throw error;
      findings.push(wrongSettings(error));
      const left = without(rest, error.settings);
      // Each round leaves some out, so it ends.
      if (Object.keys(left).length === Object.keys(rest).length) throw error;
      rest = left;
    }
  }
}

function without(environment: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

function wrongSettings({ message }: ConfigError): Finding {
  const [first = '', ...lines] = message.split('\n').map((line) => line.trim());
  return lines.length === 0
    ? failed('settings', 'settings_wrong', first, 'holdfast init asks for what is needed and writes it.')
    : failed(
        'settings',
        'settings_wrong',
        first,
        ...lines,
        'They are in the environment, or in .env in this folder.',
      );
}

function settingsFinding({ shop }: Config): Finding {
  if (shop === null) {
    return failed(
      'settings',
      'shop_not_set',
      'No shop is set.',
      'holdfast init asks for what is needed and writes .env. To try the built-in shop first: holdfast demo.',
    );
  }
  const way = 'access_token' in shop.credentials ? 'an access token' : 'client id and secret';
  return fine('settings', `${shop.shop}, with ${way}.`);
}

function shopSkipped(findings: readonly Finding[]): Finding[] {
  const why = findings.some(({ code }) => code === 'shop_not_set')
    ? 'skipped: no shop is set'
    : 'skipped: the settings above have to be mended first';
  const checks: readonly Check[] = [
    'shop',
    'clock',
    'token',
    'scopes',
    'api_version',
    'plan',
    'locations',
    'publication',
    'holds',
    'webhooks',
    'subscriptions',
  ];
  return checks.map((check) => skipped(check, `${why}.`));
}

async function examineLedger(config: Config, { net }: DoctorPorts): Promise<Finding[]> {
  const path = resolve(config.db);
  const wanted = {
    path,
    shop: config.shop?.shop ?? null,
    now_ms: net.now(),
    heartbeat_ms: config.heartbeat_ms,
    stale_hash: config.stale_hash,
  };
  const disk = await limited('disk', async () => [diskFinding(readDiskFacts(path))]);
  // A ledger can't be in a folder that is not there.
  if (disk.some(({ code }) => code === 'folder_missing')) {
    const checks: readonly Check[] = ['ledger', 'server', 'orders'];
    return [...disk, ...checks.map((check) => skipped(check, 'skipped: there is no folder for it.'))];
  }
  const books = await limited('ledger', async () => {
    const facts = readLedgerFacts(path, config.sqlite_driver);
    return [ledgerFinding(facts, wanted), serverFinding(facts, wanted), ordersFinding(facts, wanted)];
  });
  return [...disk, ...books];
}

function examineShop(config: Config, shop: ShopConfig, ports: DoctorPorts): Promise<Finding[]>[] {
  return [
    limited('shop', () => examineDoor(config, shop, ports), LIMITS.doctor.shop_ms),
    limited('webhooks', () => examineWebhooks(config, shop, ports)),
  ];
}

async function examineDoor(config: Config, shop: ShopConfig, ports: DoctorPorts): Promise<Finding[]> {
  const { net } = ports;
  const url = buildProbeUrl(shop, ports.apiVersion);
  const request = {
    url,
    method: 'POST' as const,
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{shop{id}}"}',
  };
  const reached = await reach({ ...request, timeout_ms: LIMITS.doctor.request_ms }, net);
  const door = shopFinding(shop, reached);
  const clock = clockFinding(shop.shop, reached);
  if (door.verdict === 'failed') {
    const why = 'the shop has to be reached first';
    return [door, clock, skipped('token', `skipped: ${why}.`), ...skippedForToken(why)];
  }
  return await examineToken(config, shop, ports, { door, clock });
}

async function examineToken(
  config: Config,
  shop: ShopConfig,
  ports: DoctorPorts,
  { door, clock }: { readonly door: Finding; readonly clock: Finding },
): Promise<Finding[]> {
  const opened = await ports.openShop(shop, config.publication);
  const probed = await probe(opened);
  const token = tokenFinding(shop, shop.credentials, probed);
  if (!probed.ok) return [door, clock, token, ...skippedForToken('the token has to work first')];
  const named = sameShop(door, shop, probed.probe);
  const scopes = scopesFinding(shop.credentials, ports.scopesFor(config), probed.probe.granted_scopes);
  const [locations, publication, holds, subscriptions] = await Promise.all([
    limited('locations', async () => [await examineLocations(config, opened)]),
    limited('publication', async () => [await examinePublication(config, opened)]),
    limited('holds', async () => [await examineHolds(config, opened.reserved)]),
    limited('subscriptions', async () => [await examineSubscriptions(config, opened, ports)]),
  ]);
  return [
    named,
    clock,
    token,
    scopes,
    versionFinding(probed.probe),
    planFinding(probed.probe),
    ...locations,
    ...holds,
    ...publication,
    ...subscriptions,
  ];
}

async function probe(opened: Pick<ShopifyUpstream, 'probe'>): Promise<Probed> {
  try {
    return { ok: true, probe: await opened.probe(AbortSignal.timeout(LIMITS.doctor.check_ms)) };
  } catch (error) {
    if (error instanceof UpstreamError) return { ok: false, error };
    throw error;
  }
}

async function examineLocations(
  config: Config,
  { source }: Pick<ShopifyUpstream, 'source'>,
): Promise<Finding> {
  try {
    return locationsFinding(
      await source.locations(AbortSignal.timeout(LIMITS.doctor.check_ms)),
      config.mirror,
    );
  } catch (error) {
    return unreadable('locations', error);
  }
}

async function examinePublication(
  config: Config,
  opened: Pick<ShopifyUpstream, 'publication'>,
): Promise<Finding> {
  try {
    const found = await opened.publication(AbortSignal.timeout(LIMITS.doctor.check_ms));
    return publicationFinding(config.publication, found);
  } catch (error) {
    return unreadable('publication', error);
  }
}

async function examineSubscriptions(
  config: Config,
  { subscriptions }: Pick<ShopifyUpstream, 'subscriptions'>,
  { topicsFor }: DoctorPorts,
): Promise<Finding> {
  try {
    const have = await subscriptions.list(AbortSignal.timeout(LIMITS.doctor.check_ms));
    if (config.public_url !== null)
      return subscriptionsFinding(webhookUrl(config.public_url), topicsFor(config), have);
    return have.length === 0
      ? skipped('subscriptions', 'Off, as webhooks are.', 'not_configured')
      : warned(
          'subscriptions',
          'left_over',
          `The shop still sends ${have.length} topics to an address of ours, though webhooks are off in these settings.`,
          'Set HOLDFAST_PUBLIC_URL where the server runs. If you no longer want webhooks there is nothing to do: Shopify drops them after eight failed deliveries.',
        );
  } catch (error) {
    return unreadable('subscriptions', error);
  }
}

function unreadable(check: 'locations' | 'publication' | 'subscriptions', error: unknown): Finding {
  if (!(error instanceof UpstreamError)) throw error;
  return error.failure === 'scope_missing'
    ? skipped(check, 'skipped: a scope is missing, see above.')
    : failed(check, 'unreadable', `The shop would not tell (${error.detail}).`, 'Try again in a minute.');
}

async function examineWebhooks(
  config: Config,
  { shop }: ShopConfig,
  { net }: DoctorPorts,
): Promise<Finding[]> {
  if (config.public_url === null) return [notConfigured(config.heartbeat_ms)];
  const [secret] = config.webhook_secrets;
  if (secret === undefined) return [noSecret()];
  const url = webhookUrl(config.public_url);
  const ping = await reach(pingRequest({ url, shop, secret, id: randomUUID(), now_ms: net.now() }), net);
  // Only a good answer has to be told from a page that says yes to everything.
  const beside = besideRequests(config.public_url);
  const [plain, mcp, healthz] = ping.answered
    ? await Promise.all([plainRequest(url), beside.mcp, beside.healthz].map((request) => reach(request, net)))
    : [];
  const found = webhooksFinding(url, ping, ping.answered && ping.status === 200 && plain ? plain : ping);
  if (mcp === undefined || healthz === undefined) return [found];
  const isOurs = found.verdict === 'ok';
  const asksWhoCalls = config.tokens !== null || config.oauth !== null;
  const at = { host: config.http.host, webhook_port: config.webhook_port, isOurs, asksWhoCalls };
  const exposed = exposedFinding(config.public_url, { mcp, healthz }, at);
  if (exposed === null) return [found];
  return isOurs ? [exposed] : [exposed, found];
}

/** No check may keep the others waiting, and none may take them down with it. */
async function limited(
  check: Check,
  look: () => Promise<Finding[]>,
  limit_ms: number = LIMITS.doctor.check_ms,
): Promise<Finding[]> {
  const over = new AbortController();
  const limit = pause(limit_ms, null, { signal: over.signal, ref: false }).catch(() => null);
  try {
    const found = await Promise.race([look(), limit]);
    return (
      found ?? [
        failed(
          check,
          'timed_out',
          `No answer within ${durationText(limit_ms)}.`,
          'Run holdfast doctor again.',
        ),
      ]
    );
  } catch (bug) {
    return [
      failed(
        check,
        'bug',
        `The check itself failed: ${String(bug)}.`,
        'Please report this with the line above.',
      ),
    ];
  } finally {
    over.abort();
  }
}
