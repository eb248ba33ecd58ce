/** Who may call over HTTP, as the doctor sees it: the list of tokens, and the issuer of others. */

import { statSync } from 'node:fs';
import { findKeysAddress, type IssuerFault, IssuerSilent, readJson } from '../../auth/issuer.js';
import { parseTokens, TokensWrong } from '../../auth/token-entries.js';
import { type Config, LIMITS, type OAuthConfig, type TokensSource } from '../../config/config.js';
import { readTokensText } from '../tokens/token-file.js';
import { type Code, type Finding, failed, fine, skipped, warned } from './finding.js';

export type TokensFacts =
  | {
      readonly state: 'read';
      readonly tokens: number;
      readonly over: number;
      /** Those that end soon, first to end first. */
      readonly ending: readonly { readonly principal: string; readonly expires_at: string }[];
      readonly isOpenToOthers: boolean;
    }
  /** `why` is a sentence of ours, or the file system's word. */
  | { readonly state: 'missing' | 'unreadable' | 'wrong'; readonly why: string };

export function readTokensFacts(source: TokensSource, now_ms: number): TokensFacts {
  try {
    const entries = parseTokens(readTokensText(source), LIMITS.auth.tokens_max);
    const over = entries.filter(
      ({ expires_at }) => expires_at !== undefined && Date.parse(expires_at) <= now_ms,
    );
    const soon_ms = now_ms + LIMITS.doctor.token_warn_ms;
    const ending = entries
      .flatMap(({ principal, expires_at }) => (expires_at === undefined ? [] : [{ principal, expires_at }]))
      .filter(({ expires_at }) => Date.parse(expires_at) > now_ms && Date.parse(expires_at) <= soon_ms)
      .sort((a, b) => Date.parse(a.expires_at) - Date.parse(b.expires_at));
    // Windows has no such bits, and says that everybody may read everything.
    const isOpenToOthers =
      'path' in source && process.platform !== 'win32' && (statSync(source.path).mode & 0o077) !== 0;
    return { state: 'read', tokens: entries.length, over: over.length, ending, isOpenToOthers };
  } catch (error) {
    if (error instanceof TokensWrong) return { state: 'wrong', why: error.message };
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { state: code === 'ENOENT' ? 'missing' : 'unreadable', why: code };
  }
}

/** `facts`: null when no tokens are set. */
export function callersFinding({ tokens, oauth }: Config, facts: TokensFacts | null): Finding {
  if (tokens === null || facts === null) {
    return oauth === null
      ? skipped(
          'callers',
          'HOLDFAST_TOKENS is not set: over HTTP everybody on this machine may call, and nobody else.',
          'open_to_loopback',
        )
      : fine('callers', 'Those with a token of the issuer.');
  }
  const where = 'path' in tokens ? tokens.path : 'HOLDFAST_TOKENS';
  switch (facts.state) {
    case 'missing':
      return failed(
        'callers',
        'tokens_missing',
        `${where}, which HOLDFAST_TOKENS names, is not there: holdfast serve --http will not start.`,
        'holdfast tokens add --principal NAME makes it. If it is somewhere else, correct its path.',
      );
    case 'unreadable':
      return failed(
        'callers',
        'tokens_unreadable',
        `${where} can't be read (${facts.why}).`,
        'Mend its permissions.',
      );
    case 'wrong':
      return failed(
        'callers',
        'tokens_wrong',
        `${where} ${facts.why}.`,
        'Correct it, or take the entry out: holdfast tokens add makes a new one. Until then nobody with a token gets in.',
      );
    case 'read':
      return tokensFinding(where, facts);
  }
}

function tokensFinding(where: string, facts: Extract<TokensFacts, { state: 'read' }>): Finding {
  const { tokens, over, ending, isOpenToOthers } = facts;
  if (isOpenToOthers) {
    return warned(
      'callers',
      'open_to_others',
      `${where} can be read or written by others on this machine. Whoever can write it can let themselves in.`,
      `chmod 600 ${where}`,
    );
  }
  if (tokens === over) {
    return warned(
      'callers',
      'nobody',
      tokens === 0
        ? `${where} has no tokens: nobody gets in with one.`
        : 'All tokens are over: nobody gets in.',
      'holdfast tokens add --principal NAME makes one.',
    );
  }
  const [first, ...others] = ending;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `, and ${others.length} more within two weeks`;
    return warned(
      'callers',
      'ending_soon',
      `The token of ${first.principal} ends on ${first.expires_at.slice(0, 10)}${more}: its agent gets in no more then.`,
      `holdfast tokens add --principal ${first.principal} makes another (with --can-order if it places orders). Give it to the agent, then revoke the old one: holdfast tokens list shows its first digits.`,
    );
  }
  return fine(
    'callers',
    `${tokens - over} ${tokens - over === 1 ? 'token' : 'tokens'}${over > 0 ? `, and ${over} that are over` : ''}.`,
  );
}

/** Reads metadata and keys as the server does with the first token. */
export async function examineIssuer(oauth: OAuthConfig | null, fetchIt: typeof fetch): Promise<Finding> {
  if (oauth === null) return skipped('issuer', 'Off: HOLDFAST_OAUTH_ISSUER is not set.', 'not_configured');
  const access = {
    fetch: fetchIt,
    call_ms: LIMITS.auth.issuer_call_ms,
    answer_max_bytes: LIMITS.auth.issuer_answer_max_bytes,
  };
  try {
    const { keys } = await readJson(oauth.jwks_url ?? (await findKeysAddress(oauth.issuer, access)), access);
    if (!Array.isArray(keys) || keys.length === 0) throw new IssuerSilent('no_keys');
    return fine(
      'issuer',
      `${new URL(oauth.issuer).host} tells its ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}.`,
    );
  } catch (error) {
    if (!(error instanceof IssuerSilent)) throw error;
    const { code, told, mend } = FAULTS[error.fault];
    return failed('issuer', code, `${new URL(oauth.issuer).host} ${told}`, mend);
  }
}

interface FaultText {
  readonly code: Code<'issuer'>;
  readonly told: string;
  readonly mend: string;
}

const REACH = 'Is HOLDFAST_OAUTH_ISSUER right, and can this machine reach it?';
const ADDRESS =
  'HOLDFAST_OAUTH_ISSUER wants the issuer as its tokens name it (iss). Where it has no metadata, set HOLDFAST_OAUTH_JWKS_URL.';

const FAULTS: Readonly<Record<IssuerFault, FaultText>> = {
  no_answer: { code: 'silent', told: 'can’t be reached.', mend: REACH },
  timed_out: { code: 'silent', told: 'did not answer in time.', mend: REACH },
  bad_status: { code: 'silent', told: 'has nothing where its metadata or keys should be.', mend: ADDRESS },
  too_long: { code: 'silent', told: 'answers with more than metadata or keys can be.', mend: ADDRESS },
  not_json: { code: 'silent', told: 'has a page where its metadata or keys should be.', mend: ADDRESS },
  other_issuer: {
    code: 'other_issuer',
    told: 'calls itself by another name in its metadata.',
    mend: 'HOLDFAST_OAUTH_ISSUER has to be that name to the letter, also the / at its end.',
  },
  no_keys_address: {
    code: 'no_keys',
    told: 'does not say where its keys are, or not with https.',
    mend: 'Set HOLDFAST_OAUTH_JWKS_URL.',
  },
  no_keys: { code: 'no_keys', told: 'has no keys.', mend: 'Is that the address of its keys (a JWK set)?' },
};
