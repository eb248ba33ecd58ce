/**
 * MCP over Streamable HTTP at /mcp, on loopback. Authentication comes later. Until then `config.ts` refuses any other
 * address, and the Host and Origin guards keep web pages out (DNS rebinding). They do not keep a reverse proxy out: most
 * name this server in the Host that they send, so whatever they lead here is let in. That is why the shop's webhooks, all
 * that the public may reach, have a listener that knows nothing else, and a proxy is to lead there.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, localhostAllowedHostnames } from '@modelcontextprotocol/server';
import { type Caller, mcpServer, type ServerIdentity, type ToolHost } from '../tools/server.js';
import type { Authenticator, Challenge } from './auth.js';
import { Listener, type ListenerOptions } from './listener.js';
import { WEBHOOK_PATH, type WebhookOptions, WebhookRoute } from './webhooks.js';

export interface HttpServing {
  readonly origin: string;
  close(): Promise<void>;
}

export interface HttpOptions extends ListenerOptions {
  readonly authenticator: Authenticator;
  readonly body_max_bytes: number;
  readonly onError: (error: unknown) => void;
  /** Left out: the route answers 404. */
  readonly webhooks?: WebhookServing | undefined;
  /** What /metrics answers, in the text format of Prometheus. Left out: 404. */
  readonly metrics?: (() => Promise<string>) | undefined;
}

export type WebhookServing = Omit<WebhookOptions, 'body_max_bytes' | 'onError'>;

export interface WebhookListenerOptions extends ListenerOptions, WebhookOptions {
  /** Host under which the shop reaches us, besides loopback; null: none. */
  readonly public_hostname: string | null;
}

/** Rejects with `PortTaken`. */
export async function serveOnHttp(
  identity: ServerIdentity,
  host: ToolHost,
  options: HttpOptions,
): Promise<HttpServing> {
  const { onError } = options;
  const handler = createMcpHandler(
    ({ authInfo }) => mcpServer(identity, { ...host, caller: callerOf(authInfo) }),
    { onerror: onError, maxRequestBodySize: options.body_max_bytes },
  );
  const mcp = forKnownCallers(toNodeHandler(handler, { onerror: onError }), options);
  const listener = await Listener.open(routesOf(mcp, options), options, 'HOLDFAST_HTTP_PORT');
  return {
    origin: listener.origin,
    // The handler cuts off what it still serves, so it is closed last: an agent whose call was cut off can't
    // tell whether its units are reserved.
    close: () => listener.close(() => handler.close()),
  };
}

/**
 * The shop's way in, and nothing else: what a tunnel or proxy may lead the public to. It has its own limit of
 * connections, so strangers never keep agents out. Rejects with `PortTaken`.
 */
export async function serveWebhooks(options: WebhookListenerOptions): Promise<HttpServing> {
  const { public_hostname } = options;
  const publicNames = public_hostname === null ? [] : [public_hostname];
  const isHostOurs = hostHeaderValidation([...localhostAllowedHostnames(), ...publicNames]);
  const deliveries = new WebhookRoute(options);
  const routes = (request: IncomingMessage, response: ServerResponse): void => {
    // No guard of origins: a page that could send here can't sign.
    if (!isHostOurs(request, response)) return;
    if (pathOf(request) === WEBHOOK_PATH) void deliveries.handle(request, response);
    else text(response, 404, 'Not here.');
  };
  const listener = await Listener.open(routes, options, 'HOLDFAST_WEBHOOK_PORT');
  return { origin: listener.origin, close: () => listener.close() };
}

type McpHandler = ReturnType<typeof toNodeHandler>;
type McpRequest = Parameters<McpHandler>[0];

/** Lets nobody in whom the authenticator does not know, and tells the handler who it is. */
function forKnownCallers(
  mcp: McpHandler,
  { authenticator, onError }: HttpOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const judgement = await authenticator.judge(request);
    if (!judgement.ok) {
      challenge(response, judgement.challenge);
      return;
    }
    const { caller } = judgement;
    const auth = { token: '', clientId: caller.principal, scopes: [...caller.scopes], extra: { caller } };
    await mcp(
      Object.assign(request, { auth }) as unknown as McpRequest,
      response as Parameters<McpHandler>[1],
    );
  };
  return (request, response) => {
    handle(request, response).catch((bug: unknown) => {
      onError(bug);
      if (!response.headersSent) text(response, 500, 'Something went wrong in the server.');
    });
  };
}

function callerOf(authInfo: { extra?: Record<string, unknown> } | undefined): Caller {
  const caller = authInfo?.extra?.['caller'];
  if (caller === undefined) throw new Error('a request that nobody has looked at');
  return caller as Caller;
}

function challenge(response: ServerResponse, { status, headers, message }: Challenge): void {
  const body = { jsonrpc: '2.0', error: { code: -32_000, message }, id: null };
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function routesOf(
  mcp: (request: IncomingMessage, response: ServerResponse) => void,
  { webhooks, metrics, onError, body_max_bytes }: HttpOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const isHostLocal = localhostHostValidation();
  const isOriginLocal = localhostOriginValidation();
  const deliveries = webhooks && new WebhookRoute({ ...webhooks, body_max_bytes, onError });
  return (request, response) => {
    if (!isHostLocal(request, response)) return;
    const path = pathOf(request);
    if (path === WEBHOOK_PATH && deliveries !== undefined) {
      // No guard of origins: a page that could send here can't sign.
      void deliveries.handle(request, response);
      return;
    }
    if (!isOriginLocal(request, response)) return;
    if (path === '/mcp') {
      mcp(request, response);
    } else if (path === '/healthz') {
      text(response, 200, 'ok');
    } else if (path === '/metrics' && metrics !== undefined) {
      metrics().then(
        (figures) => response.writeHead(200, { 'content-type': METRICS_TYPE }).end(figures),
        (error: unknown) => {
          onError(error);
          text(response, 503, 'The ledger can not be read now.');
        },
      );
    } else if (path === WEBHOOK_PATH) {
      text(response, 404, 'Webhooks are off. Set HOLDFAST_PUBLIC_URL to turn them on.');
    } else {
      text(response, 404, 'Not here. MCP is at /mcp.');
    }
  };
}

/** Not `new URL`: it throws on targets like "//", and what a stranger sends must not stop the server. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  return url.split('?', 1)[0];
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function text(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${line}\n`);
}
