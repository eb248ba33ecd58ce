/**
 * Stock as a resource: what check_stock says of one SKU, with how long it may be kept, and with notices of its changes.
 * A catalogue does not belong in a context, so resources can be read and followed by name and are never listed.
 */

import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type Server,
} from '@modelcontextprotocol/server';
import { StoreBusy } from '../../ledger/state/state.js';
import { STOCK_URI_TEMPLATE, skuOfUri } from '../kit/stock-uri.js';
import type { ToolContext } from '../kit/tool.js';

/** However slowly a SKU sells, nobody is told to keep its answer for longer. */
export const STOCK_TTL_MAX_MS = 300_000;

/** Where a connection of the 2025 revisions keeps what it follows. */
export interface Subscriptions {
  /** False when it or its caller follows as many as they may. */
  subscribe(uris: readonly string[]): boolean;
  unsubscribe(uri: string): void;
}

/**
 * How a client hears of changes: over `subscriptions/listen`, which the transport serves; over its own subscriptions; or
 * not at all, and then it is not told that it could.
 */
export type Push = 'listen' | Subscriptions | null;

const NOT_FOUND =
  'There is no stock under this URI. It wants stock://sku/ and a SKU as find_items spells it, percent-encoded.';
const NOT_STOCK = 'Only stock can be followed. The URI wants stock://sku/ and a SKU, percent-encoded.';
const TOO_MANY =
  'This caller follows as many SKUs as it may. Unsubscribe from those that are not needed any more.';
const BROKEN = 'Something went wrong in the server; its log has the details under this request_id.';
const BUSY = 'The ledger is busy. Send the same request again.';

const JSON_TYPE = 'application/json';

const STOCK_TEMPLATE = {
  uriTemplate: STOCK_URI_TEMPLATE,
  name: 'stock',
  title: 'Stock of a SKU',
  description: 'What check_stock says of one SKU, as JSON.',
  mimeType: JSON_TYPE,
};

/** The handlers of `resources/…`. For callers who may read stock only: to others there are no resources. */
export function registerStock(server: Server, context: ToolContext, push: Push): void {
  server.registerCapabilities({ resources: push === null ? {} : { subscribe: true } });
  server.setRequestHandler('resources/list', () => ({ resources: [] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [STOCK_TEMPLATE] }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const reading = readStock(context, uri);
    // Whether it ends well is the client's to hear.
    context.onCall?.(Promise.allSettled([reading]));
    return reading;
  });
  if (push === null || push === 'listen') return;
  server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    if (skuOfUri(uri) === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, NOT_STOCK);
    if (!push.subscribe([uri])) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, TOO_MANY);
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    push.unsubscribe(uri);
    return {};
  });
}

/** Asks the ledger as check_stock does: what is too old is read from the shop first. */
async function readStock(context: ToolContext, uri: string): Promise<ReadResourceResult> {
  const sku = skuOfUri(uri);
  if (sku === null) throw new ResourceNotFoundError(uri, NOT_FOUND);
  const result = await context.ledger
    .checkStock([sku], { caller: context.caller })
    .catch((error: unknown) => failed(context, error));
  if (!result.ok) throw new ProtocolError(ProtocolErrorCode.InternalError, result.refusal.message);
  const { items, queried_at, valid_until } = result.value;
  const [item] = items;
  if (item === undefined) throw new ResourceNotFoundError(uri, NOT_FOUND);
  const ttl_ms = item.fresh ? Date.parse(valid_until) - Date.parse(queried_at) : 0;
  const text = JSON.stringify({ ...item, queried_at, valid_until });
  return {
    contents: [{ uri, mimeType: JSON_TYPE, text }],
    ttlMs: Math.min(STOCK_TTL_MAX_MS, Math.max(0, ttl_ms)),
    cacheScope: 'private',
  };
}

function failed(context: ToolContext, error: unknown): never {
  if (error instanceof StoreBusy) throw new ProtocolError(ProtocolErrorCode.InternalError, BUSY);
  const request_id = context.reportBug(error, 'resources/read');
  throw new ProtocolError(ProtocolErrorCode.InternalError, BROKEN, { request_id });
}
