/**
 * The main listener: MCP over Streamable HTTP at /mcp, and what watches the server. The Host and Origin guards keep web pages
 * out (DNS rebinding); who else may call is the authenticator's to say. Without one, `config.ts` refuses every address but
 * loopback, and what carries a proxy's handwriting is refused here. The shop's webhooks, all that the public may reach
 * unasked, have a listener that knows nothing else.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServerFactory, ServerEventBus } from '@modelcontextprotocol/server';
import { type Authenticator, type Challenge, OPEN_TO_LOOPBACK } from '../auth/authenticator.js';
import type { ResourceMetadata } from '../auth/resource-metadata.js';
import {
  type Caller,
  METRICS_SCOPE,
  mcpServer,
  type Push,
  type ServerIdentity,
  type ToolHost,
} from '../mcp/server.js';
import { type MetricSink, NO_METRICS } from '../observability/metrics-table.js';
import { Listener, type ListenerOptions } from './listener.js';
import { LegacySessions, type SessionPorts } from './mcp/legacy-sessions.js';
import { ListenBus } from './mcp/listen-bus.js';
import { toCaller } from './mcp/mcp-dispatch.js';
import { McpEndpoint, type McpLimits } from './mcp/mcp-endpoint.js';
import { isForwarded, isLoopback, plainAddress, TrustedProxies } from './middleware/client-address.js';
import { shared } from './middleware/cors.js';
import { hostGuard, type Names, originGuard } from './middleware/guards.js';
import { refuse, writeJson } from './middleware/json-rpc.js';
import { WEBHOOK_PATH, type WebhookOptions, WebhookRoute } from './webhooks.js';

export interface HttpServing {
  readonly origin: string;
  close(): Promise<void>;
}

export interface HttpOptions extends Omit<ListenerOptions, 'onRefused'>, McpLimits, Partial<Names> {
  readonly authenticator: Authenticator;
  /** Where tokens for /mcp come from. Left out: 404. */
  readonly metadata?: ResourceMetadata | null;
  readonly onError: (error: unknown) => void;
  /** Told of trouble that strangers can make: keep its lines few. */
  readonly report?: ((event: string) => void) | undefined;
  /** A clock that never runs backwards. */
  readonly now_ms?: (() => number) | undefined;
  /** Where agents reach /mcp; null: on loopback alone. */
  readonly mcp_url?: string | null;
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trusted_proxies?: readonly string[];
  readonly metrics?: MetricSink | undefined;
  /** False serves to the letter of the specification, for a conformance run. Default: true. */
  readonly lenient?: boolean;
  /** Serves something else than our tools behind all of this: for conformance runs and measurements. */
  readonly makeServer?: McpServerFactory | undefined;
  /** What its streams tell. Not looked at where there is `push`. */
  readonly bus?: ServerEventBus | undefined;
  /** Whether its tools tell something before their answer. Left out: they may. */
  readonly streams_calls?: boolean;
  /** Tells clients what has changed. Left out: they are not told that it could. */
  readonly push?: Omit<SessionPorts, 'serverFor'> | undefined;
  /** Left out: the route answers 404. */
  readonly webhooks?: WebhookServing | undefined;
  /** What /metrics answers, in the text format of Prometheus. Left out: 404. */
  readonly metricsText?: (() => Promise<string>) | undefined;
  /** What /readyz answers. Left out: 404. */
  readonly readiness?: (() => Promise<Readiness>) | undefined;
}

/** The first three, and agents can be sent here. */
export interface Readiness {
  readonly ledger_open: boolean;
  readonly first_sync_done: boolean;
  readonly heartbeat_young: boolean;
  /** Only for this machine: how a shop sells is nobody else's business. Null where the ledger can't be read. */
  readonly orders_waiting?: OrdersWaiting | null;
}

/** Orders that are accepted and not at the shop yet. */
export interface OrdersWaiting {
  readonly orders: number;
  readonly oldest_age_seconds: number;
  /** How many of them wait after a failed step, by why it failed. */
  readonly failures: Readonly<Record<string, number>>;
}

export type WebhookServing = Omit<WebhookOptions, 'body_max_bytes' | 'onError'>;

export interface WebhookListenerOptions extends ListenerOptions, WebhookOptions {
  /** Host under which the shop reaches us, besides loopback; null: none. */
  readonly public_hostname: string | null;
  readonly trusted_proxies?: readonly string[];
}

/** Rejects with `PortTaken`. */
export async function serveOnHttp(
  identity: ServerIdentity,
  host: ToolHost,
  options: HttpOptions,
): Promise<HttpServing> {
  const { makeServer, metrics = NO_METRICS, report = () => undefined } = options;
  const proxies = new TrustedProxies(options.trusted_proxies ?? []);
  const { push } = options;
  const serverFor = (caller: Caller, how: Push) => mcpServer(identity, { ...host, caller }, how);
  const mcp = new McpEndpoint({
    ...options,
    factory:
      makeServer ??
      (({ authInfo, era }) =>
        serverFor(toCaller(authInfo), era === 'modern' && push !== undefined ? 'listen' : null)),
    bus: push === undefined ? options.bus : new ListenBus(push.hub),
    sessions: push && new LegacySessions({ ...push, serverFor }),
    // Of a server that is not ours nobody knows.
    streams_calls: options.streams_calls ?? makeServer !== undefined,
    proxies,
    https_only: options.mcp_url?.startsWith('https:') ?? false,
    lenient: options.lenient ?? true,
    metrics,
    now_ms: options.now_ms ?? (() => performance.now()),
    report,
  });
  const onRefused = (limit: string): void => {
    metrics.add('http_connections_refused_total', { limit });
    report('connections_refused');
  };
  // A proxy brings many clients, and of this machine's programs none is a stranger.
  const isExempt = (address: string): boolean => isLoopback(address) || proxies.include(address);
  const listener = await Listener.open(
    buildRoutes(mcp, options, proxies),
    { isExempt, ...options, onRefused },
    'HOLDFAST_HTTP_PORT',
  );
  return {
    origin: listener.origin,
    close: async () => {
      await mcp.stop();
      // The endpoint cuts off what it still serves, so it is closed last: an agent whose call was cut off can't
      // tell whether its units are reserved.
      await listener.close(() => mcp.close());
    },
  };
}

/**
 * The shop's way in, and nothing else: what a tunnel or proxy may lead the public to. It has its own limit of
 * connections, so strangers never keep agents out. Rejects with `PortTaken`.
 */
export async function serveWebhooks(options: WebhookListenerOptions): Promise<HttpServing> {
  const { public_hostname } = options;
  const publicNames = public_hostname === null ? [] : [public_hostname];
  const guard = hostGuard({ allowed_hosts: publicNames });
  const proxies = new TrustedProxies(options.trusted_proxies ?? []);
  const deliveries = new WebhookRoute({ proxies, ...options });
  const routes = (request: IncomingMessage, response: ServerResponse): void => {
    // No guard of origins: a page that could send here can't sign.
    const refused = guard(request);
    if (refused !== null) refuse(response, refused);
    else if (readPath(request) === WEBHOOK_PATH) void deliveries.handle(request, response);
    else text(response, 404, 'Not here.');
  };
  const listener = await Listener.open(routes, options, 'HOLDFAST_WEBHOOK_PORT');
  return { origin: listener.origin, close: () => listener.close() };
}

type Route = (request: IncomingMessage, response: ServerResponse) => void;

function buildRoutes(mcp: McpEndpoint, options: HttpOptions, proxies: TrustedProxies): Route {
  const { webhooks, metadata, metricsText, readiness, onError, body_max_bytes } = options;
  const isHostWrong = hostGuard({ allowed_hosts: listHosts(options) });
  const isOriginWrong = originGuard({ allowed_origins: options.allowed_origins ?? [] });
  const deliveries = webhooks && new WebhookRoute({ proxies, ...webhooks, body_max_bytes, onError });
  // What they tell is no secret, or asks for a token by itself: who watches from elsewhere may use any name of this machine.
  const open: Readonly<Record<string, Route | undefined>> = {
    '/healthz': (_, response) => text(response, 200, 'ok'),
    '/readyz': readiness && readyRoute(readiness, onError),
    '/metrics':
      metricsText &&
      metricsRoute(metricsText, {
        ...options,
        proxies,
        isOpenTo: (request) =>
          isFromHere(request) && isHostWrong(request) === null && isOriginWrong(request) === null,
      }),
  };
  const routes: Readonly<Record<string, Route | undefined>> = {
    '/mcp': (request, response) => {
      if (!shared(request, response)) void mcp.handle(request, response);
    },
    [WEBHOOK_PATH]: (_, response) =>
      text(response, 404, 'Webhooks are off. Set HOLDFAST_PUBLIC_URL to turn them on.'),
  };
  return (request, response) => {
    const path = readPath(request);
    const unguarded = Object.hasOwn(open, path) ? open[path] : undefined;
    if (unguarded !== undefined) {
      unguarded(request, response);
      return;
    }
    // No guard of origins before webhooks: a page that could send here can't sign. Nor before the metadata: a client in a
    // web page reads them before it has a token.
    const isDelivery = path === WEBHOOK_PATH && deliveries !== undefined;
    const isPublic = isDelivery || metadata?.isFor(path) === true;
    const refused = isHostWrong(request) ?? (isPublic ? null : isOriginWrong(request));
    if (refused !== null) {
      refuse(response, refused);
      request.resume();
    } else if (isDelivery) {
      void deliveries.handle(request, response);
    } else if (metadata?.isFor(path)) {
      metadata.handle(request, response);
    } else {
      const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
      if (route === undefined) text(response, 404, 'Not here. MCP is at /mcp.');
      else route(request, response);
    }
  };
}

/** An address that the server is bound to is no name that somebody could make point here. */
function listHosts({ host, mcp_url = null, allowed_hosts = [] }: HttpOptions): readonly string[] {
  const bound = host.includes(':') ? `[${host}]` : host;
  return [bound, ...allowed_hosts, ...(mcp_url === null ? [] : [new URL(mcp_url).hostname])];
}

function readyRoute(readiness: () => Promise<Readiness>, onError: (error: unknown) => void): Route {
  return (request, response) => {
    readiness().then(
      ({ orders_waiting, ...parts }) => {
        const isTold = orders_waiting !== undefined && isFromHere(request);
        const status = Object.values(parts).every(Boolean) ? 200 : 503;
        writeJson(response, status, isTold ? { ...parts, orders_waiting } : parts);
      },
      (error: unknown) => {
        onError(error);
        text(response, 503, 'Whether the server is ready can not be told now.');
      },
    );
  };
}

interface MetricsAccess extends Pick<HttpOptions, 'authenticator' | 'onError' | 'mcp_url'> {
  readonly proxies: TrustedProxies;
  /** Whether the request needs no token. */
  readonly isOpenTo: (request: IncomingMessage) => boolean;
}

/** For programs of this machine, and for whoever brings a token with the scope for it. Scrapes at one time share one answer. */
function metricsRoute(metricsText: () => Promise<string>, access: MetricsAccess): Route {
  const { isOpenTo, onError } = access;
  let underWay: Promise<string> | null = null;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = isOpenTo(request) ? null : await judgeScrape(request, access);
    if (refused !== null) {
      text(response, refused.status, refused.message, refused.headers);
      return;
    }
    underWay ??= metricsText().finally(() => {
      underWay = null;
    });
    const figures = await underWay;
    response.writeHead(200, { 'content-type': METRICS_TYPE }).end(figures);
  };
  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      onError(error);
      text(response, 503, 'The ledger can not be read now.');
    });
  };
}

/** Null when the token of the request may read metrics. */
async function judgeScrape(
  request: IncomingMessage,
  { authenticator, mcp_url = null, proxies }: MetricsAccess,
): Promise<Challenge | null> {
  if (authenticator === OPEN_TO_LOOPBACK) return { status: 403, headers: {}, message: NO_TOKENS };
  const isTokenInTheClear =
    mcp_url?.startsWith('https:') === true && proxies.resolveClient(request).scheme === 'http';
  if (isTokenInTheClear) return { status: 403, headers: {}, message: IN_THE_CLEAR };
  // A list of tokens is looked up at no cost; what would cost more is for callers of /mcp, who are slowed down when they try.
  const judgement = await authenticator.judge(request, true);
  if (!judgement.ok) return judgement.challenge;
  const { caller } = judgement;
  return caller.scopes.has(METRICS_SCOPE) ? null : authenticator.lacking(METRICS_SCOPE, caller);
}

const NO_TOKENS = 'For this machine alone: set up tokens, and give one the scope metrics:read.';
const IN_THE_CLEAR = 'This came over plain http. Use the https address: a token is a secret.';

/** Whether a program of this machine asks, and no proxy for somebody else. */
function isFromHere(request: IncomingMessage): boolean {
  return isLoopback(plainAddress(request.socket.remoteAddress ?? '')) && !isForwarded(request);
}

/** Not `new URL`: it throws on targets like "//", and what a stranger sends must not stop the server. */
function readPath({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? url;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function text(
  response: ServerResponse,
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${line}\n`);
}
