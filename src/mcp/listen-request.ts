/** The `subscriptions/listen` of revision 2026-07-28: what a client asks to hear of, and what of it there is to tell. */

import { skuOfUri } from './server.js';

/** A request as JSON, of whatever shape a stranger gave it. */
export interface ListenRequest {
  readonly method: 'subscriptions/listen';
  readonly id: string | number;
  readonly params?: { readonly notifications?: { readonly resourceSubscriptions?: unknown } };
}

export function isListenRequest(message: unknown): message is ListenRequest {
  const { method, id } = (message ?? {}) as { method?: unknown; id?: unknown };
  return method === 'subscriptions/listen' && (typeof id === 'string' || typeof id === 'number');
}

/** The URIs that it may follow, each once. What names no stock is left out: the acknowledgement says what was taken. */
export function listStockUris({ params }: ListenRequest): string[] {
  const wanted = params?.notifications?.resourceSubscriptions;
  if (!Array.isArray(wanted)) return [];
  const uris = wanted.filter((uri): uri is string => typeof uri === 'string' && skuOfUri(uri) !== null);
  return [...new Set(uris)];
}

/** The same request for these URIs. One whose list is malformed stays as it is, for the SDK to refuse. */
export function listeningTo<T extends ListenRequest>(request: T, uris: readonly string[]): T {
  const { params } = request;
  const wanted = params?.notifications?.resourceSubscriptions;
  if (!Array.isArray(wanted) || !wanted.every((uri) => typeof uri === 'string')) return request;
  return {
    ...request,
    params: { ...params, notifications: { ...params?.notifications, resourceSubscriptions: uris } },
  };
}

export const FOLLOWS_TOO_MUCH =
  'This is more than one caller may follow. Ask for fewer SKUs, or end streams that are not needed any more.';

/** Invalid params. */
export const TOO_MUCH_CODE = -32_602;
