/** JSON-RPC as far as a request is judged before anything is called. */

import type { ServerResponse } from 'node:http';
import { PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';

/** A message that asks or tells something; whether it is whole the SDK says. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** An answer instead of the one that was asked for. */
export interface Refused {
  readonly status: number;
  /** JSON-RPC's own code where there is one. */
  readonly code?: number;
  /** A sentence of ours; nothing of the request is in it. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For programs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** -32000 to -32099 are the server's own. */
const SERVER_ERROR = -32_000;
export const PARSE_ERROR = -32_700;

export function listMessages(body: unknown): readonly Message[] {
  return (Array.isArray(body) ? body : [body]).filter(
    (message) => message !== null && typeof message === 'object',
  );
}

/** The id to answer to: of the one request in a body, else null. */
export function readRequestId(body: unknown): string | number | null {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return null;
  const { id, method } = body as Message;
  return typeof method === 'string' && (typeof id === 'string' || typeof id === 'number') ? id : null;
}

/** Whether it says in itself which revision it follows: requests do so since 2026-07-28. */
export function hasEnvelope({ params }: Message): boolean {
  const { _meta: meta } = (params ?? {}) as { readonly _meta?: unknown };
  return meta !== null && typeof meta === 'object' && PROTOCOL_VERSION_META_KEY in meta;
}

export function toolCalled({ method, params }: Message): string | null {
  if (method !== 'tools/call' || params === null || typeof params !== 'object') return null;
  const { name } = params as { readonly name?: unknown };
  return typeof name === 'string' ? name : null;
}

export function refuse(response: ServerResponse, refused: Refused, id: string | number | null = null): void {
  const { status, code = SERVER_ERROR, message, headers, data } = refused;
  writeJson(response, status, { jsonrpc: '2.0', error: { code, message, data }, id }, headers);
}

/** In one piece, with its length: no stream, no chunks. */
export function writeJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(value);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...headers,
    })
    .end(text);
}
