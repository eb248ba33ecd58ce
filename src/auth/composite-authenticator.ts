/** Lets in who brings a token that is known here: one of ours, or one of the issuer that these settings trust. */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Authenticator, Judgement } from './authenticator.js';
import { looksLikeJwt, readBearer } from './bearer.js';
import { challengeFor, type Reason, scopeChallenge } from './challenge.js';
import type { OAuthTokens, Verified } from './oauth-tokens.js';
import type { TokenList } from './token-list.js';

export interface KnownCallersOptions {
  /** Null: there are none. */
  readonly tokens: Pick<TokenList, 'findHolder'> | null;
  readonly oauth: Pick<OAuthTokens, 'findHolder'> | null;
  /** Where this resource's metadata are; null without an issuer. */
  readonly metadata_url: string | null;
  readonly token_chars_max: number;
  readonly refused: (reason: Reason) => void;
}

export function knownCallers(options: KnownCallersOptions): Authenticator {
  const { metadata_url, refused } = options;
  return {
    judge: async (request, isWorn = false): Promise<Judgement> => {
      const judged = await findHolder(request, options, isWorn);
      if (judged.ok) return judged;
      const { reason, retry_after_s = 1 } = judged;
      refused(reason);
      return { ok: false, challenge: challengeFor(reason, { metadata_url, retry_after_s }) };
    },
    lacking: (scope, { scopes }) => {
      refused('scope');
      return scopeChallenge(scope, scopes, { metadata_url });
    },
  };
}

/** What looks like a token of the issuer is judged as one and as nothing else: no token has two chances. */
async function findHolder(
  request: IncomingMessage,
  options: KnownCallersOptions,
  isWorn: boolean,
): Promise<Verified> {
  const { tokens, oauth, token_chars_max } = options;
  const bearer = readBearer(request, token_chars_max);
  if (bearer.found !== 'token') {
    return { ok: false, reason: bearer.found === 'none' ? 'absent' : 'malformed' };
  }
  const { token } = bearer;
  if (oauth !== null && (tokens === null || looksLikeJwt(token))) return oauth.findHolder(token, isWorn);
  if (tokens === null) throw new Error('an authenticator that knows nobody');
  return tokens.findHolder(createHash('sha256').update(token).digest());
}
