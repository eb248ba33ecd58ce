/**
 * The sandbox shop over HTTP: the Admin API, its token exchange, the storage host of bulk operations, and doors for
 * faults and settings from another process. Meant for loopback; it guards nothing of value.
 */

import type { ReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Loop } from '../jobs/loop.js';
import {
  AccessTokens,
  ALL_SCOPES,
  MINTED_EXPIRES_IN_SECONDS,
  SANDBOX_CLIENT_ID,
  SANDBOX_CLIENT_SECRET,
} from './api-rules/access.js';
import { type Pricing, RATE_PLANS, type RatePlan } from './api-rules/cost.js';
import { ORDER_LIMIT_MESSAGE } from './api-rules/order-limit.js';
import { type CatalogueSource, SEED_CATALOGUE } from './base/catalogue.js';
import {
  BULK_DOWNLOAD,
  type Fault,
  FaultError,
  type FaultMoment,
  Faults,
  type RandomFaults,
} from './base/faults.js';
import { seededRandom } from './base/random.js';
import { Api, type ApiRequest, listRootFields, type PreparedRequest, ROOT_FIELDS } from './graphql/api.js';
import { type LiveSettings, parseLiveSettings } from './live-settings.js';
import { BULK_DEFAULTS, BULK_PATH, type BulkSettings } from './shop/bulk-operations.js';
import { Shop } from './shop/shop.js';
import type { DealingSettings } from './shop/shop-parts.js';
import { WEBHOOK_DEFAULTS, WebhookDeliveries, type WebhookSettings } from './webhooks/webhook-deliveries.js';
import type { Poster } from './webhooks/webhook-post.js';

/** API versions that are answered, all with the rules of 2026-10; any other is 404. */
export const API_VERSIONS: readonly string[] = ['2026-04', '2026-07', '2026-10'];

export interface SandboxOptions extends DealingSettings {
  /**
   * The shop's clock, in milliseconds since 1970; it also sets the Date header. Default `Date.now`. With a clock of the
   * caller's, webhooks go out only in `webhooks.deliverDue()`, and requests wait for bulk operations that are due.
   */
  readonly now?: () => number;
  /** How far the shop's clock is ahead of that one; behind when it is negative. Default 0. */
  readonly clockSkewMs?: number;
  /** Default: the apparel shop, `SEED_CATALOGUE`. */
  readonly catalogue?: CatalogueSource;
  /** How long new drafts and orders stay invisible to searches. Default 0. */
  readonly searchLagMs?: number;
  /** Whether the app may not read the shop's log of events. Default false. */
  readonly refusesEvents?: boolean;
  /** SKUs that the API does not show, although the shop counts them. Default none. */
  readonly hiddenSkus?: readonly string[];
  /** What the app may do. Default `ALL_SCOPES`. */
  readonly scopes?: readonly string[];
  /** Whether callers that are too fast are refused. Default true. */
  readonly throttle?: boolean;
  /** Bucket and rate. Default standard. */
  readonly rate?: keyof typeof RATE_PLANS | RatePlan;
  /** How queries are priced. Default `measured`. */
  readonly pricing?: Pricing;
  /** Equal seeds make equal choices of what random faults hit. Default: another one each time; see `seed`. */
  readonly seed?: number;
  /** Random faults of the API; see `faults` for planned ones. Default none. */
  readonly randomFaults?: Partial<RandomFaults>;
  readonly webhooks?: Partial<WebhookSettings>;
  readonly bulk?: Partial<BulkSettings>;
  /** Told of bugs of the sandbox in delivering by itself. Default: thrown, which ends the process. */
  readonly onError?: (error: unknown) => void;
  /** What links of a shop without sockets begin with: `start` sets it by itself. */
  readonly origin?: string;
  /** Takes webhooks to their receivers in place of connections of our own, for a shop without sockets. */
  readonly poster?: Poster;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface SandboxAddress {
  /** For example `http://127.0.0.1:4010`. */
  readonly origin: string;
  readonly port: number;
}

/** How often it is looked whether a webhook is due, on a real clock. */
const DELIVERY_INTERVAL_MS = 20;
/** How long, in real time, a request waits for a bulk operation that is due on a clock of the caller's. */
const BULK_WAIT_MS = 5_000;
const BODY_MAX_BYTES = 1024 * 1024;
const INVALID_TOKEN = '[API] Invalid API key or access token (unrecognized login or wrong password)';

/** A request as it arrives, over a socket or without one: `exchange`. */
export type ShopRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & AsyncIterable<Buffer>;

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; absent sends no body. */
  readonly body?: unknown;
  /** Sent instead of a body; the connection is cut after `bytes` of the `length` that was promised. */
  readonly file?: {
    readonly length: number;
    readonly bytes: number;
    readonly open: (bytes: number) => ReadStream;
  };
}

/** An answer that ends the handling of a request early. `answer` null cuts the connection. */
class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly answer: Answer | null;

  constructor(answer: Answer | null) {
    super('the request ends here');
    this.answer = answer;
  }
}

export class SandboxServer {
  readonly shop: Shop;
  readonly faults: Faults;
  readonly tokens = new AccessTokens();
  readonly webhooks: WebhookDeliveries;
  /** What the random faults follow from. */
  readonly seed: number;
  readonly #options: SandboxOptions;
  readonly #api: Api;
  #running: {
    readonly server: Server;
    readonly address: Promise<SandboxAddress>;
    readonly stopping: AbortController;
    readonly deliveries: Loop | null;
  } | null = null;

  /** The options' catalogue is read once and not kept. Throws on options that make no sense. */
  constructor({ catalogue = SEED_CATALOGUE, ...options }: SandboxOptions = {}) {
    this.#options = options;
    const { rate = 'standard', seed = Math.floor(Math.random() * 2 ** 32) } = options;
    const isRealClock = options.now === undefined;
    this.seed = seed;
    this.faults = new Faults([...ROOT_FIELDS, BULK_DOWNLOAD], seededRandom(seed));
    this.faults.setRandom(options.randomFaults ?? {});
    this.shop = new Shop({
      ...options,
      catalogue,
      now: options.now ?? Date.now,
      // A stream of its own: how many calls were made does not change where units are taken.
      random: seededRandom(seed + 2),
      searchLagMs: options.searchLagMs ?? 0,
      clockSkewMs: options.clockSkewMs ?? 0,
      bulk: { ...BULK_DEFAULTS, waitMs: isRealClock ? 0 : BULK_WAIT_MS, ...options.bulk },
    });
    this.#api = new Api(this.shop, options.scopes ?? ALL_SCOPES, {
      plan: typeof rate === 'string' ? RATE_PLANS[rate] : rate,
      isThrottling: options.throttle ?? true,
      pricing: options.pricing ?? 'measured',
    });
    this.#api.origin = options.origin ?? '';
    // A stream of its own: how many calls were made does not change which webhooks are hit.
    const settings = { ...WEBHOOK_DEFAULTS, ...options.webhooks };
    this.webhooks = new WebhookDeliveries(this.shop, settings, seededRandom(seed + 1), options.poster);
  }

  /** Listens. Starting what runs answers with the same address. Rejects when the port is taken. */
  start(): Promise<SandboxAddress> {
    if (this.#running) return this.#running.address;
    const server = createServer((request, response) => void this.#serve(request, response));
    const { host = '127.0.0.1', port = 0, now } = this.#options;
    const address = listen(server, host, port).then((found) => {
      this.#api.origin = found.origin;
      return found;
    });
    const deliveries = now === undefined ? this.#deliveringByItself() : null;
    this.#running = { server, address, stopping: new AbortController(), deliveries };
    address.catch(() => {
      this.#running = null;
      void deliveries?.stop();
    });
    return address;
  }

  /**
   * Closes every connection, also those that are kept alive or delayed by a fault, waits for webhooks in flight, and
   * deletes the results of bulk operations. Safe to call twice.
   */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    await running.address.catch(() => undefined);
    running.stopping.abort();
    await running.deliveries?.stop();
    await this.webhooks.close();
    await new Promise<void>((resolve) => {
      running.server.close(() => resolve());
      running.server.closeAllConnections();
    });
    await this.shop.bulkOperations.close();
  }

  /** The merchant removes the app: `app/uninstalled` goes out, no token works, and the subscriptions are gone. */
  uninstallApp(): void {
    const nowMs = this.shop.settle();
    this.tokens.setInstalled(false);
    this.shop.events.publish({ kind: 'app', change: 'uninstalled', atMs: nowMs });
  }

  /** The merchant installs the app again; it has to subscribe anew. */
  installApp(): void {
    this.tokens.setInstalled(true);
  }

  /** The merchant grants the app other scopes. */
  grantScopes(scopes: readonly string[]): void {
    const nowMs = this.shop.settle();
    const previous = this.#api.scopes;
    this.#api.scopes = scopes;
    this.shop.events.publish({
      kind: 'app',
      change: 'scopes_updated',
      atMs: nowMs,
      previous,
      current: scopes,
    });
  }

  /** What may be changed while it runs, as it is now. */
  get settings(): LiveSettings {
    return {
      throttle: this.#api.isThrottling,
      searchLagMs: this.shop.searchLagMs,
      refusesEvents: this.shop.refusesEvents,
      hiddenSkus: [...this.shop.hiddenSkus],
      clockSkewMs: this.shop.clockSkewMs,
      faults: this.faults.random,
      webhookFaults: this.webhooks.faults,
      routing: this.shop.routing.settings,
      fulfilment: this.shop.fulfillmentMoves.settings,
    };
  }

  /** Changes what is named. Throws `FaultError` on faults that make no sense. */
  set(settings: Partial<LiveSettings>): void {
    if (settings.faults) this.faults.setRandom(settings.faults);
    if (settings.routing) this.shop.routing.set(settings.routing);
    if (settings.fulfilment) this.shop.fulfillmentMoves.set(settings.fulfilment);
    if (settings.webhookFaults) this.webhooks.setFaults(settings.webhookFaults);
    this.#api.isThrottling = settings.throttle ?? this.#api.isThrottling;
    this.shop.searchLagMs = settings.searchLagMs ?? this.shop.searchLagMs;
    this.shop.refusesEvents = settings.refusesEvents ?? this.shop.refusesEvents;
    if (settings.hiddenSkus) this.shop.hiddenSkus = new Set(settings.hiddenSkus);
    this.shop.clockSkewMs = settings.clockSkewMs ?? this.shop.clockSkewMs;
  }

  #deliveringByItself(): Loop {
    const throwLater = (error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    };
    const loop = new Loop({
      name: 'sandbox webhooks',
      interval_ms: DELIVERY_INTERVAL_MS,
      run: () => this.webhooks.deliverDue(),
      onError: this.#options.onError ?? throwLater,
    });
    loop.start();
    return loop;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    response.setHeader('Date', this.date());
    let answer: Answer | null;
    try {
      if (this.shop.checkout.serve(request, response, () => this.shop.settle())) return;
      answer = await this.exchange(request);
    } catch (error) {
      answer = internalError(error);
    }
    if (answer === null) {
      request.socket.destroy();
      return;
    }
    send(response, answer);
  }

  /** Answers a request of the API or of one of the doors, whatever it came over. Null: the connection is cut. */
  async exchange(request: ShopRequest): Promise<Answer | null> {
    try {
      return await this.#answer(request);
    } catch (error) {
      return error instanceof Interruption ? error.answer : internalError(error);
    }
  }

  /** The shop's clock, as its answers tell it. */
  date(): string {
    return new Date(this.shop.nowMs()).toUTCString();
  }

  async #answer(request: ShopRequest): Promise<Answer> {
    const path = new URL(request.url ?? '/', 'http://sandbox.invalid').pathname;
    const version = /^\/admin\/api\/(?<version>[^/]+)\/graphql\.json$/u.exec(path)?.groups?.['version'];
    if (version !== undefined && API_VERSIONS.includes(version)) return this.#graphql(request, version);
    if (path === '/admin/oauth/access_token') return this.#token(request);
    if (path === '/sandbox/faults') return this.#faults(request);
    if (path === '/sandbox/settings') return this.#settings(request);
    if (path === '/sandbox/webhooks') return this.#webhooks(request);
    if (path.startsWith(BULK_PATH)) return this.#storage(request, path);
    return { status: 404, body: { errors: 'Not Found' } };
  }

  async #graphql(request: ShopRequest, version: string): Promise<Answer> {
    requireMethod(request, 'POST');
    const token = request.headers['x-shopify-access-token'];
    if (typeof token !== 'string' || !this.tokens.isValid(token, this.shop.nowMs())) {
      return { status: 401, body: { errors: INVALID_TOKEN } };
    }
    const headers = { 'X-Shopify-API-Version': version };
    const prepared = this.#api.prepare(parseApiRequest(request, await readBody(request)));
    if ('answer' in prepared) {
      await this.#strike([], 'before', null);
      return { status: 200, headers, body: prepared.answer };
    }
    const rootFields = listRootFields(prepared);
    await this.#strike(rootFields, 'before', prepared);
    const waitSeconds = this.shop.orderLimit.waitSeconds(rootFields, this.shop.nowMs());
    if (waitSeconds !== null) return orderLimitAnswer(waitSeconds);
    const body = await this.#api.run(prepared);
    await this.#strike(rootFields, 'after', prepared);
    return { status: 200, headers, body };
  }

  /** Lets a pending fault have its way. Returns when the request may go on. */
  async #strike(
    rootFields: readonly string[],
    when: FaultMoment,
    prepared: PreparedRequest | null,
  ): Promise<void> {
    const fault = this.faults.take(rootFields, when);
    if (!fault) return;
    if (fault.action === 'delay') {
      await sleep(fault.ms, undefined, { signal: this.#running?.stopping.signal }).catch(() => {
        throw new Interruption(null);
      });
      return;
    }
    if (fault.action === 'drop') throw new Interruption(null);
    if (fault.action === 'status') throw new Interruption(statusAnswer(fault));
    if (prepared) throw new Interruption({ status: 200, body: this.#api.throttled(prepared) });
  }

  async #token(request: ShopRequest): Promise<Answer> {
    requireMethod(request, 'POST');
    const fields = parseFields(request, await readBody(request));
    if (fields['client_id'] !== SANDBOX_CLIENT_ID || fields['client_secret'] !== SANDBOX_CLIENT_SECRET) {
      return oauthError('invalid_client', 'the sandbox knows the client id sandbox with the secret sandbox');
    }
    if (fields['grant_type'] !== 'client_credentials') {
      return oauthError('unsupported_grant_type', 'grant_type must be client_credentials');
    }
    if (!this.tokens.isInstalled)
      return oauthError('app_not_installed', 'the app is not installed on this shop');
    const body = {
      access_token: this.tokens.mint(this.shop.nowMs()),
      scope: this.#api.scopes.join(','),
      expires_in: MINTED_EXPIRES_IN_SECONDS,
    };
    return { status: 200, body };
  }

  async #faults(request: ShopRequest): Promise<Answer> {
    if (request.method === 'GET') return { status: 200, body: { faults: this.faults.list() } };
    if (request.method === 'DELETE') {
      this.faults.clear();
      return { status: 204 };
    }
    requireMethod(request, 'POST', 'GET, POST, DELETE');
    const fault = await readOwnJson(request);
    refusingFaults(() => this.faults.addUnknown(fault));
    return { status: 201, body: { faults: this.faults.list() } };
  }

  async #settings(request: ShopRequest): Promise<Answer> {
    if (request.method !== 'GET') {
      requireMethod(request, 'PATCH', 'GET, PATCH');
      const given = await readOwnJson(request);
      refusingFaults(() => this.set(parseLiveSettings(given)));
    }
    return { status: 200, body: this.settings };
  }

  /** GET tells how the deliveries stand; POST sends what is due. */
  async #webhooks(request: ShopRequest): Promise<Answer> {
    if (request.method !== 'GET') {
      requireMethod(request, 'POST', 'GET, POST');
      await readOwnJson(request);
      await this.webhooks.deliverDue();
    }
    const { counts, waiting } = this.webhooks;
    const nextDueMs = this.webhooks.nextDueMs();
    return { status: 200, body: { counts, waiting, nextDueMs, seed: this.seed } };
  }

  /** The results of bulk operations. A storage host knows no shop's tokens, and refuses a request that carries one. */
  async #storage(request: ShopRequest, path: string): Promise<Answer> {
    requireMethod(request, 'GET');
    if (request.headers['x-shopify-access-token'] !== undefined) {
      return clientError(400, 'a storage host does not take the shop’s access token');
    }
    await this.#strike([BULK_DOWNLOAD], 'before', null);
    this.shop.settle();
    const found = this.shop.bulkOperations.fetch(path);
    if (found === 'expired') return clientError(403, 'the link has expired');
    if (found === 'unknown') return { status: 404, body: { errors: 'Not Found' } };
    const fault = this.faults.take([BULK_DOWNLOAD], 'after');
    const length = found.bytes;
    const bytes = fault?.action === 'drop' ? Math.ceil(length / 2) : length;
    return {
      status: 200,
      headers: { 'Content-Type': 'application/jsonl', 'Content-Length': String(length) },
      file: { length, bytes, open: found.open },
    };
  }
}

async function listen(server: Server, host: string, port: number): Promise<SandboxAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { origin: `http://${name}:${address.port}`, port: address.port };
}

function send(response: ServerResponse, { status, headers, body, file }: Answer): void {
  if (file) {
    response.writeHead(status, headers);
    sendFile(response, file);
    return;
  }
  response.writeHead(status, {
    ...headers,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function sendFile(response: ServerResponse, { length, bytes, open }: NonNullable<Answer['file']>): void {
  const stream = open(bytes);
  // The reader is gone, or the file is: either way there is nobody to tell.
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response, { end: bytes === length });
  if (bytes < length) stream.on('end', () => response.socket?.end());
}

/** JSON for one of the sandbox's own doors. */
async function readOwnJson(request: ShopRequest): Promise<unknown> {
  // A page in a browser cannot send JSON here without asking first, and is never answered.
  if (mediaType(request) !== 'application/json') {
    throw new Interruption(clientError(415, 'the sandbox’s own doors take application/json'));
  }
  return parseJson(await readBody(request));
}

function refusingFaults(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof FaultError) throw new Interruption(clientError(400, error.message));
    throw error;
  }
}

/** Refuses bodies above `BODY_MAX_BYTES`, after reading them to their end: a client that still writes hears nothing. */
async function readBody(request: ShopRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk);
  }
  if (bytes > BODY_MAX_BYTES) {
    throw new Interruption(clientError(413, `a body has at most ${BODY_MAX_BYTES} bytes`));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseApiRequest(request: ShopRequest, body: string): ApiRequest {
  if (mediaType(request) === 'application/graphql')
    return { query: body, variables: {}, operationName: null };
  const parsed = parseJson(body);
  const { query, variables, operationName } = isRecord(parsed) ? parsed : {};
  if (typeof query !== 'string') {
    throw new Interruption({
      status: 400,
      body: { errors: { query: 'Required parameter missing or invalid' } },
    });
  }
  if (variables != null && !isRecord(variables))
    throw new Interruption(clientError(400, 'variables must be an object'));
  return {
    query,
    variables: variables ?? {},
    operationName: typeof operationName === 'string' ? operationName : null,
  };
}

/** The fields of a form or of a JSON object. */
function parseFields(request: ShopRequest, body: string): Readonly<Record<string, unknown>> {
  if (mediaType(request) !== 'application/json') return Object.fromEntries(new URLSearchParams(body));
  const parsed = parseJson(body);
  return isRecord(parsed) ? parsed : {};
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Interruption(clientError(400, 'the body is not JSON'));
  }
}

function mediaType(request: ShopRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function requireMethod(request: ShopRequest, method: string, allow = method): void {
  if (request.method === method) return;
  throw new Interruption({ ...clientError(405, `the method must be ${allow}`), headers: { Allow: allow } });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function clientError(status: number, errors: string): Answer {
  return { status, body: { errors } };
}

function oauthError(error: string, description: string): Answer {
  return { status: 400, body: { error, error_description: description } };
}

function statusAnswer(fault: Extract<Fault, { action: 'status' }>): Answer {
  const { code, retryAfterSeconds } = fault;
  return {
    status: code,
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': `${retryAfterSeconds}.0` } }),
    body: { errors: `the sandbox was told to answer ${code}` },
  };
}

function orderLimitAnswer(waitSeconds: number): Answer {
  const headers = { 'Retry-After': `${waitSeconds}.0` };
  return { status: 429, headers, body: { errors: ORDER_LIMIT_MESSAGE } };
}

/** A bug of the sandbox. Its developer is the caller, so the caller is told. */
function internalError(error: unknown): Answer {
  return {
    status: 500,
    body: { errors: error instanceof Error ? (error.stack ?? error.message) : String(error) },
  };
}
