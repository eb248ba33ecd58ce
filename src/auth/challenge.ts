/**
 * The answers to callers who are not let in: RFC 6750 for the words, RFC 9728 for where to get a token. Written here and not
 * with the SDK's helpers: those send an error to a caller who brought no token (RFC 6750, section 3.1, wants none), take no
 * token without an end, and know no 503. What is said comes from the table below, never from a token or an exception.
 */

import type { Bearer, Scope } from '../mcp/server.js';
import type { Challenge } from './authenticator.js';

interface Refusal {
  readonly status: 401 | 403 | 503;
  /** RFC 6750, section 3.1. Null where no token was brought, or it is not the token that is at fault. */
  readonly error: 'invalid_token' | 'insufficient_scope' | null;
  /** Plain ASCII without quotes and backslashes: it goes into a header. */
  readonly told: string;
}

/** Every reason to turn a caller away. It is also what the log and the metric name. */
const REFUSALS = {
  absent: {
    status: 401,
    error: null,
    told: 'A bearer token is needed, in the Authorization header.',
  },
  malformed: {
    status: 401,
    error: 'invalid_token',
    told: 'The Authorization header holds no token that can be read. Send one, as: Bearer TOKEN.',
  },
  unknown: { status: 401, error: 'invalid_token', told: 'The token is not known here, or was revoked.' },
  expired: { status: 401, error: 'invalid_token', told: 'The token has expired.' },
  not_yet_valid: { status: 401, error: 'invalid_token', told: 'The token is not valid yet.' },
  other_audience: { status: 401, error: 'invalid_token', told: 'The token was issued for another resource.' },
  other_issuer: {
    status: 401,
    error: 'invalid_token',
    told: 'The token is from an issuer not trusted here.',
  },
  algorithm: { status: 401, error: 'invalid_token', told: 'The token is signed in a way not accepted here.' },
  key_unknown: { status: 401, error: 'invalid_token', told: 'The token is signed with an unknown key.' },
  signature: { status: 401, error: 'invalid_token', told: 'The signature of the token is wrong.' },
  claims: { status: 401, error: 'invalid_token', told: 'The token lacks a claim, or has a wrong one.' },
  bound: {
    status: 401,
    error: 'invalid_token',
    told: 'The token is bound to a key of its holder, which this server can not check.',
  },
  other_kind: {
    status: 401,
    error: 'invalid_token',
    told: 'This is no access token but one of another kind, such as an ID token.',
  },
  scope: { status: 403, error: 'insufficient_scope', told: 'The token lacks a scope that this call needs.' },
  keys_unavailable: {
    status: 503,
    error: null,
    told: 'The keys of the token issuer can not be read now. The token may be good: send the same request again.',
  },
  unchecked: {
    status: 503,
    error: null,
    told: 'Too many bad tokens came from that address to check another now. The token may be good: send the same request again.',
  },
  tokens_unreadable: {
    status: 503,
    error: null,
    told: 'The list of tokens can not be read now. The token may be good: send the same request again.',
  },
} as const satisfies Record<string, Refusal>;

export type Reason = keyof typeof REFUSALS;

export interface ChallengeOptions {
  /** Where the metadata of this resource are (RFC 9728); null without an issuer. */
  readonly metadata_url: string | null;
  /** For 503. */
  readonly retry_after_s?: number;
}

/** What a client that has no token yet is to ask for. It asks for more when a call needs more. */
const FIRST_SCOPE: Scope = 'inventory:read';

export function challengeFor(reason: Reason, options: ChallengeOptions): Challenge {
  const { status, told }: Refusal = REFUSALS[reason];
  if (status === 503) {
    return { status, headers: { 'retry-after': String(options.retry_after_s ?? 1) }, message: told };
  }
  return challenged(reason, FIRST_SCOPE, options);
}

/** Names what the token has beside what it lacks: a client asks for what is named, and is not to lose the rest. */
export function scopeChallenge(scope: Scope, held: Bearer['scopes'], options: ChallengeOptions): Challenge {
  const challenge = challenged('scope', [...new Set([...held, scope])].join(' '), options);
  return { ...challenge, message: `The token lacks the scope ${scope}, which this call needs.` };
}

function challenged(reason: Reason, scopes: string, { metadata_url }: ChallengeOptions): Challenge {
  const { status, error, told }: Refusal = REFUSALS[reason];
  const parameters = {
    realm: 'holdfast',
    ...(error === null ? {} : { error, error_description: told }),
    scope: scopes,
    ...(metadata_url === null ? {} : { resource_metadata: metadata_url }),
  };
  const words = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return { status, headers: { 'www-authenticate': `Bearer ${words.join(', ')}` }, message: told };
}
