/**
 * Cross-origin sharing (the Fetch standard's CORS protocol) for web pages that the guard of origins lets in: without it a
 * browser keeps their requests to itself. Never for `*`: a page that is not named gets nothing to read.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = 'POST, GET, DELETE';
/** What clients send. A wildcard would not cover Authorization. */
const REQUEST_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
].join(', ');
const ANSWER_HEADERS = 'mcp-session-id, retry-after, www-authenticate';
/** As long as Firefox keeps it; Chromium takes two hours. */
const PREFLIGHT_MAX_AGE_S = 86_400;

/** For a request that the guard has let in. True when it was a browser's question, which is answered. */
export function shared(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin, 'access-control-request-method': asked } = request.headers;
  if (origin === undefined) return false;
  // A cache on the way must not hand what one page got to another.
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-allow-origin', origin);
  if (request.method !== 'OPTIONS' || asked === undefined) {
    response.setHeader('access-control-expose-headers', ANSWER_HEADERS);
    return false;
  }
  response
    .writeHead(204, {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
    })
    .end();
  return true;
}
