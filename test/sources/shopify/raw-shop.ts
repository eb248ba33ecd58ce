/**
 * A shop that misbehaves on purpose: a bare HTTP server whose answers a test writes itself, for what no GraphQL
 * server would ever say. Whatever a well-behaved shop says is tested against the sandbox.
 */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  openShopify,
  type ShopifyOptions,
  type ShopifyUpstream,
} from '../../../src/sources/shopify/shopify.js';

export interface RawRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly query?: string; readonly variables?: Record<string, unknown> };
}

export type Answerer = (request: RawRequest, response: ServerResponse, count: number) => void;

export interface RawShop {
  readonly origin: string;
  readonly requests: RawRequest[];
  close(): Promise<void>;
}

export async function rawShop(answer: Answerer): Promise<RawShop> {
  const requests: RawRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const request = { path: incoming.url ?? '', headers: incoming.headers, body: JSON.parse(text || '{}') };
    requests.push(request);
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export interface Opened extends ShopifyUpstream {
  /** What the connector waited for, in order. Nobody really waited. */
  readonly waits_ms: number[];
  readonly lines: string[];
}

/** A connector with recorded sleep, which moves its clock, and log. Randomness is 0 unless a test says otherwise. */
export function open(options: Partial<ShopifyOptions> & { readonly origin: string }): Opened {
  const waits_ms: number[] = [];
  const lines: string[] = [];
  let now_ms = Date.now();
  const shop = openShopify({
    shop: 'sandbox.myshopify.com',
    credentials: { access_token: 'shpat_sandbox' },
    now: () => now_ms,
    random: () => 0,
    sleep: async (ms) => {
      waits_ms.push(ms);
      now_ms += ms;
    },
    log: (severity, message, fields) => lines.push(JSON.stringify({ severity, message, ...fields })),
    ...options,
  });
  return { ...shop, waits_ms, lines };
}

export const forever: AbortSignal = new AbortController().signal;
