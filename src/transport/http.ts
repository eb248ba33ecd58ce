/**
 * MCP over Streamable HTTP at /mcp, on loopback. Authentication comes later; until then the Host and Origin
 * guards keep web pages out (DNS rebinding), and `config.ts` refuses any other address.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { mcpServer, type ServerIdentity, type ToolContext } from '../tools/server.js';

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
  const isHostAllowed = localhostHostValidation();
  const isOriginAllowed = localhostOriginValidation();
  const server = createServer((request, response) => {
    // While closing, a connection that is kept alive goes as soon as its call is answered.
    response.once('close', () => {
      if (!server.listening) server.closeIdleConnections();
    });
    if (!isHostAllowed(request, response) || !isOriginAllowed(request, response)) return;
    route(request, response, mcp);
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

function route(request: IncomingMessage, response: ServerResponse, mcp: McpHandler): void {
  // Not `new URL`: it throws on targets like "//", and what a stranger sends must not stop the server.
  const [path] = (request.url ?? '/').split('?', 1);
  if (path === '/mcp') {
    void mcp(request as Parameters<McpHandler>[0], response as Parameters<McpHandler>[1]);
  } else if (path === '/healthz') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok\n');
  } else {
    response
      .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
      .end('Not here. MCP is at /mcp.\n');
  }
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
