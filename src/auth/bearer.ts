/** The token that a request brings (RFC 6750, section 2.1). */

import type { IncomingMessage } from 'node:http';

export type Bearer =
  | { readonly found: 'token'; readonly token: string }
  /** `none`: nobody claims to be anybody. `malformed`: somebody does, in no way that can be read. */
  | { readonly found: 'none' | 'malformed' };

/** One or more blanks, then a b64token. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Only the Authorization header counts, and only when there is one: addresses end up in logs, and of two headers a proxy
 * before us may have looked at the other one.
 */
export function readBearer({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, charsMax: number): Bearer {
  let value: string | null = null;
  // Node itself keeps the first of several and says nothing.
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'authorization') continue;
    if (value !== null) return { found: 'malformed' };
    value = rawHeaders[at + 1] ?? '';
  }
  if (value === null || !/^bearer(?: |$)/i.test(value)) return { found: 'none' };
  const token = BEARER.exec(value)?.[1];
  return token === undefined || token.length > charsMax ? { found: 'malformed' } : { found: 'token', token };
}

/** Three parts of base64url (RFC 7519), the last of them empty where nobody signed. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}
