/**
 * MCP over Streamable HTTP at /mcp, on loopback. Authentication comes later; until then the Host and Origin
 * guards keep web pages out (DNS rebinding), and `config.ts` refuses any other address. The shop's webhooks alone may
 * come in under a public name, because they bring a signature.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, localhostAllowedHostnames } from '@modelcontextprotocol/server';
import type { Counters } from '../observability/counters.js';
import { mcpServer, type ServerIdentity, type ToolContext } from '../tools/server.js';
import { WEBHOOK_PATH, type WebhookDoor, WebhookRoute } from './webhooks.js';

export interface HttpServing {
  readonly origin: string;
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly body_max_bytes: number;
  readonly headers_timeout_ms: number;
  readonly request_timeout_ms: number;
  readonly connections_max: number;
  /** How long closing waits for calls in flight, and for streams that never end by themselves. */
  readonly drain_max_ms: number;
  readonly onError: (error: unknown) => void;
  /** Left out: the route answers 404. */
  readonly webhooks?: WebhookServing | undefined;
  /** What /metrics answers, in the text format of Prometheus. Left out: 404. */
  readonly metrics?: (() => Promise<string>) | undefined;
}

export interface WebhookServing {
  readonly door: WebhookDoor;
  readonly counters: Counters;
  /** Host under which the shop reaches us, besides loopback and on this route alone; null: none. */
  readonly public_hostname: string | null;
  readonly webhook_buffer_max_bytes: number;
  readonly webhook_body_timeout_ms: number;
}

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
  const routes = routesOf(mcp, options);
  const server = createServer((request, response) => {
    // While closing, a connection that is kept alive goes as soon as its call is answered.
    response.once('close', () => {
      if (!server.listening) server.closeIdleConnections();
    });
    routes(request, response);
  });
  server.headersTimeout = options.headers_timeout_ms;
  server.requestTimeout = options.request_timeout_ms;
  server.maxConnections = options.connections_max;
  const address = await listen(server, options);
  return {
    origin: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: async () => {
      // The handler cuts off what it still serves, so it is closed last: an agent whose call was cut off can't
      // tell whether its units are reserved.
      const closed = closeServer(server);
      await Promise.race([closed, pause(options.drain_max_ms, undefined, { ref: false })]);
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type McpHandler = ReturnType<typeof toNodeHandler>;

function routesOf(
  mcp: McpHandler,
  { webhooks, metrics, onError, body_max_bytes }: HttpOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const isHostLocal = localhostHostValidation();
  const isOriginLocal = localhostOriginValidation();
  const publicNames = webhooks?.public_hostname == null ? [] : [webhooks.public_hostname];
  const isHostOurs = hostHeaderValidation([...localhostAllowedHostnames(), ...publicNames]);
  const deliveries = webhooks && new WebhookRoute({ ...webhooks, body_max_bytes, onError });
  return (request, response) => {
    // Not `new URL`: it throws on targets like "//", and what a stranger sends must not stop the server.
    const [path] = (request.url ?? '/').split('?', 1);
    if (path === WEBHOOK_PATH && deliveries !== undefined) {
      // No guard of origins: a page that could send here can't sign.
      if (isHostOurs(request, response)) void deliveries.handle(request, response);
      return;
    }
    if (!isHostLocal(request, response) || !isOriginLocal(request, response)) return;
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

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function text(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${line}\n`);
}

function listen(server: Server, { host, port }: HttpOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken
          ? new Error(`Port ${port} on ${host} is taken: stop the other program or set HOLDFAST_HTTP_PORT.`)
          : error,
      );
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Takes nobody in, answers what is in flight, then closes; idle connections go at once. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error === undefined || (error as NodeJS.ErrnoException).code === 'ERR_SERVER_NOT_RUNNING')
        resolve();
      else reject(error);
    });
    server.closeIdleConnections();
  });
}
