/**
 * Access tokens of an OAuth 2.1 issuer: JWTs signed with one of its keys, for this resource and no other. What must be right
 * is in RFC 9068 and in MCP's chapter on authorization; that nothing else counts, in RFC 8725 (no “none”, no shared secrets).
 */

import { createHash } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { type Bearer, SCOPES } from '../mcp/server.js';
import type { Reason } from './challenge.js';
import { type IssuerKeys, KeysUnavailable } from './issuer-keys.js';
import { channelSchema } from './token-entries.js';

export interface OAuthTokensOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The claim that says who calls. */
  readonly principal_claim: string;
  /** The claim that says where they sell; null: tokens say nothing of it. */
  readonly channel_claim: string | null;
  readonly keys: Pick<IssuerKeys, 'find'>;
  readonly now: () => number;
  readonly clock_tolerance_s: number;
  /** Tokens that were found good are remembered: so many, and so long, and never past their end. */
  readonly verified_max: number;
  readonly verified_max_ms: number;
  readonly report: (event: 'issuer_keys_unusable', fields: Readonly<Record<string, unknown>>) => void;
}

export type Verified =
  | { readonly ok: true; readonly caller: Bearer }
  | { readonly ok: false; readonly reason: Reason; readonly retry_after_s?: number };

/** Asymmetric ones only. With HS256 anybody could sign with the public key, and with “none” anybody at all. */
const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** RFC 9068, section 4. */
const ACCESS_TYPES: readonly (string | undefined)[] = ['at+jwt', 'application/at+jwt'];
/** What issuers sent before it, for tokens of every kind. A logout token or a DPoP proof has a type of its own. */
const VAGUE_TYPES: readonly (string | undefined)[] = ['jwt', undefined];

interface Remembered {
  readonly caller: Bearer;
  readonly from_ms: number;
  readonly until_ms: number;
}

export class OAuthTokens {
  readonly #options: OAuthTokensOptions;
  /** By the digest of the token, longest unused first: a copy of our memory opens nothing. */
  readonly #verified = new Map<string, Remembered>();

  constructor(options: OAuthTokensOptions) {
    this.#options = options;
  }

  /** `isWorn`: only what was found good before is, and no signature is checked. */
  async findHolder(token: string, isWorn = false): Promise<Verified> {
    const digest = createHash('sha256').update(token).digest('base64');
    const remembered = this.#recall(digest);
    if (remembered !== null) return { ok: true, caller: remembered };
    if (isWorn) return { ok: false, reason: 'unchecked' };
    const now_ms = this.#options.now();
    try {
      const { payload, protectedHeader } = await this.#verify(token, now_ms);
      if (!isAccessToken(protectedHeader.typ?.toLowerCase(), payload))
        return { ok: false, reason: 'other_kind' };
      const judged = readCaller(payload, now_ms, this.#options);
      if (judged.ok) this.#remember(digest, judged.caller, payload.exp ?? 0, now_ms);
      return judged;
    } catch (error) {
      return this.#refusal(error);
    }
  }

  #verify(token: string, now_ms: number) {
    const { issuer, audience, keys, clock_tolerance_s } = this.#options;
    return jwtVerify(token, keys.find, {
      issuer,
      audience,
      algorithms: [...ALGORITHMS],
      requiredClaims: ['exp'],
      clockTolerance: clock_tolerance_s,
      currentDate: new Date(now_ms),
    });
  }

  #recall(digest: string): Bearer | null {
    const found = this.#verified.get(digest);
    if (found === undefined) return null;
    const now_ms = this.#options.now();
    this.#verified.delete(digest);
    if (now_ms < found.from_ms || now_ms >= found.until_ms) return null;
    this.#verified.set(digest, found);
    return found.caller;
  }

  #remember(digest: string, caller: Bearer, exp_s: number, from_ms: number): void {
    const { verified_max, verified_max_ms } = this.#options;
    const until_ms = Math.min(exp_s * 1000, from_ms + verified_max_ms);
    this.#verified.set(digest, { caller, from_ms, until_ms });
    if (this.#verified.size <= verified_max) return;
    const [oldest = ''] = this.#verified.keys();
    this.#verified.delete(oldest);
  }

  #refusal(error: unknown): Verified {
    if (error instanceof KeysUnavailable) {
      const retry_after_s = Math.max(1, Math.ceil(error.retry_after_ms / 1000));
      return { ok: false, reason: 'keys_unavailable', retry_after_s };
    }
    const reason = classifyError(error);
    if (reason !== null) return { ok: false, reason };
    // A key that can't be used, as far as we know: the issuer's doing, and not the fault of the token.
    this.#options.report('issuer_keys_unusable', { why: (error as NodeJS.ErrnoException).code ?? 'key' });
    return { ok: false, reason: 'keys_unavailable', retry_after_s: RETRY_UNUSABLE_S };
  }
}

const RETRY_UNUSABLE_S = 30;

/** Null: not the token's fault. */
function classifyError(error: unknown): Reason | null {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return REASON_BY_CLAIM[error.claim] ?? 'claims';
  if (error instanceof errors.JOSEError) return REASON_BY_CODE[error.code] ?? null;
  return null;
}

const REASON_BY_CLAIM: Readonly<Record<string, Reason>> = {
  aud: 'other_audience',
  iss: 'other_issuer',
  nbf: 'not_yet_valid',
};

const REASON_BY_CODE: Readonly<Record<string, Reason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'key_unknown',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key_unknown',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWS_INVALID: 'malformed',
  ERR_JWT_INVALID: 'malformed',
};

/**
 * An ID token tells an app who has signed in, and is no key to anything; it gets past the audience where that is an app's
 * name. Where the header does not tell, its claims do: OpenID Connect Core, sections 2 and 3.3.2.11, and what Keycloak (`typ`)
 * and Cognito (`token_use`) write. Keycloak's access tokens had a `nonce` too, before its version 24.
 */
function isAccessToken(type: string | undefined, claims: JWTPayload): boolean {
  if (ACCESS_TYPES.includes(type)) return true;
  if (!VAGUE_TYPES.includes(type)) return false;
  const { typ = 'Bearer', token_use = 'access', nonce, at_hash, c_hash } = claims;
  const isSaid = claims['typ'] !== undefined || claims['token_use'] !== undefined;
  const isOther = String(typ).toLowerCase() !== 'bearer' || token_use !== 'access';
  return !isOther && at_hash === undefined && c_hash === undefined && (nonce === undefined || isSaid);
}

/** Of a token whose signature, issuer, audience and times are right. */
function readCaller(
  claims: JWTPayload,
  now_ms: number,
  { principal_claim, channel_claim, clock_tolerance_s }: OAuthTokensOptions,
): Verified {
  // Bound to a key of its holder (RFC 7800): whoever brings it as a plain bearer token may have stolen it.
  if (claims['cnf'] !== undefined) return { ok: false, reason: 'bound' };
  const { iat } = claims;
  if (iat !== undefined && iat > now_ms / 1000 + clock_tolerance_s)
    return { ok: false, reason: 'not_yet_valid' };
  const subject = claims[principal_claim];
  const isClient =
    !CLIENT_CLAIMS.includes(principal_claim) && CLIENT_CLAIMS.some((name) => claims[name] === subject);
  const principal = typeof subject === 'string' ? toPrincipal(subject, isClient) : null;
  const channel = readChannel(claims, channel_claim);
  if (principal === null || channel === undefined) return { ok: false, reason: 'claims' };
  return { ok: true, caller: { principal, channel, scopes: readScopes(claims) } };
}

/** Where issuers name the client: RFC 9068, OpenID Connect, Okta, Microsoft Entra. */
const CLIENT_CLAIMS: readonly string[] = ['client_id', 'azp', 'cid', 'appid'];
/** What stands for a kind of name: a subject that begins like one goes by its digest. */
const KINDS = ['sha256:', 'client:'] as const;

/**
 * `oauth:` and the subject: no name of a token of ours has a colon, so the two never meet. A client that acts for itself has its own
 * id as the subject (RFC 9068, section 5), and may have chosen that like a user's: it is `oauth:client:` and the id. A user is one
 * caller through whatever clients, or each further client would bring a quota of its own; where callers go by their clients' ids
 * anyway, there is nobody to be taken for. A subject that is long, or has what would not print on one line, goes by its digest.
 */
function toPrincipal(subject: string, isClient: boolean): string | null {
  if (subject === '') return null;
  const kind = isClient ? 'oauth:client:' : 'oauth:';
  const isPlain = /^[\x21-\x7e]{1,128}$/.test(subject) && !KINDS.some((start) => subject.startsWith(start));
  return kind + (isPlain ? subject : `sha256:${createHash('sha256').update(subject).digest('hex')}`);
}

/** Undefined: the claim is there and says nothing that could be a channel. */
function readChannel(claims: JWTPayload, name: string | null): string | null | undefined {
  const value = name === null ? undefined : claims[name];
  return value === undefined ? null : channelSchema.safeParse(value).data;
}

/** `scope` (RFC 9068), or `scp` as some issuers have it; in one string or a list. What is not ours is passed over. */
function readScopes({ scope, scp }: JWTPayload): Bearer['scopes'] {
  const said = scope ?? scp;
  const words = typeof said === 'string' ? said.split(' ') : Array.isArray(said) ? said : [];
  return new Set(SCOPES.filter((one) => words.includes(one)));
}
