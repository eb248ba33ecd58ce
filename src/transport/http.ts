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
import { mcpServer, type ServerIdentity, type ToolContext } from '../tools/server.js';
import { Listener, type ListenerOptions } from './listener.js';
import { WEBHOOK_PATH, type WebhookOptions, WebhookRoute } from './webhooks.js';

export interface HttpServing {
  readonly origin: string;
  close(): Promise<void>;
}

export interface HttpOptions extends ListenerOptions {
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
  context: ToolContext,
  options: HttpOptions,
): Promise<HttpServing> {
  const { onError } = options;
  const handler = createMcpHandler(() => mcpServer(identity, context), {
    onerror: onError,
    maxRequestBodySize: options.body_max_bytes,
  });
  const mcp = toNodeHandler(handler, { onerror: onError });
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

function routesOf(
  mcp: McpHandler,
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
      void mcp(request as Parameters<McpHandler>[0], response as Parameters<McpHandler>[1]);
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
