/**
 * Which names requests may be addressed to, and which web pages may send them. A page whose own name is made to resolve to
 * this machine (DNS rebinding) sends that name as Host; a page of anywhere sends its Origin. Programs send no Origin.
 */

import type { IncomingMessage } from 'node:http';
import { localhostAllowedHostnames, validateHostHeader } from '@modelcontextprotocol/server';
import type { Refused } from './json-rpc.js';

export interface Names {
  /** Host names without a port, IPv6 in brackets, beside those of loopback. */
  readonly allowed_hosts: readonly string[];
  /** Whole origins, beside those of loopback on any port. */
  readonly allowed_origins: readonly string[];
}

const TWO_HOSTS: Refused = { status: 400, message: 'One Host header is wanted, not several.' };
const WRONG_HOST: Refused = {
  status: 403,
  message: 'Not addressed to this server. Its operator names further hosts in HOLDFAST_HTTP_ALLOWED_HOSTS.',
};
const WRONG_ORIGIN: Refused = {
  status: 403,
  message:
    'Web pages of that origin may not call. The operator names those that may in HOLDFAST_HTTP_ALLOWED_ORIGINS.',
};

/** Null when the request may come in. */
export type Guard = (request: IncomingMessage) => Refused | null;

/** A name or an address, and perhaps a port. A URL parser would also take a user, a path or a query, and pass over them. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/iu;

export function hostGuard({ allowed_hosts }: Pick<Names, 'allowed_hosts'>): Guard {
  const names = [...localhostAllowedHostnames(), ...allowed_hosts];
  return ({ headers, rawHeaders }) => {
    // Node itself keeps the first of several, and a proxy before us may have looked at another (RFC 9112, section 3.2).
    if (countHeader('host', rawHeaders) > 1) return TWO_HOSTS;
    const { host = '' } = headers;
    return HOST.test(host) && validateHostHeader(host, names).ok ? null : WRONG_HOST;
  };
}

/** `rawHeaders`: names and values by turns. */
function countHeader(name: string, rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === name).length;
}

export function originGuard({ allowed_origins }: Pick<Names, 'allowed_origins'>): Guard {
  return ({ headers: { origin } }) => {
    if (origin === undefined || allowed_origins.includes(origin.toLowerCase())) return null;
    if (!URL.canParse(origin)) return WRONG_ORIGIN;
    const { protocol, hostname } = new URL(origin);
    const isLocal = /^https?:$/.test(protocol) && localhostAllowedHostnames().includes(hostname);
    return isLocal ? null : WRONG_ORIGIN;
  };
}
