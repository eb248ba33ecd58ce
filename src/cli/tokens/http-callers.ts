/** Who may call over HTTP with these settings: everybody on this machine, or those who bring a token. */

import { type Authenticator, OPEN_TO_LOOPBACK } from '../../auth/authenticator.js';
import type { ResourceMetadata } from '../../auth/resource-metadata.js';
import { type Config, LIMITS, type OAuthConfig } from '../../config/config.js';
import type { Log } from '../../observability/log.js';
import type { MetricSink } from '../../observability/metrics-table.js';
import type { RareLog } from '../../observability/throttled-log.js';
import { readTokensText, tokensError } from './token-file.js';

export interface HttpCallers {
  readonly authenticator: Authenticator;
  /** Null without an issuer. */
  readonly metadata: ResourceMetadata | null;
  /** Whether only one principal can call. A list of tokens in a file may change while the server runs. */
  readonly isAlone: () => boolean;
}

/**
 * Throws `ConfigError` for a list of tokens that can't be used. The issuer is not asked before somebody brings a token.
 * `trouble`: where it is told who was turned away, and why.
 */
export async function httpCallers(
  config: Config,
  log: Log,
  { metrics, trouble }: { readonly metrics: MetricSink; readonly trouble: Pick<RareLog, 'warn'> },
): Promise<HttpCallers> {
  const { tokens: source, oauth } = config;
  if (source === null && oauth === null) {
    return { authenticator: OPEN_TO_LOOPBACK, metadata: null, isAlone: () => true };
  }
  const [{ knownCallers }, { resourceMetadata }] = await Promise.all([
    import('../../auth/composite-authenticator.js'),
    import('../../auth/resource-metadata.js'),
  ]);
  const metadata = oauth === null ? null : resourceMetadata(oauth.resource, oauth.issuer);
  const tokens = source === null ? null : await tokenList(source, log);
  const authenticator = knownCallers({
    tokens,
    oauth: oauth === null ? null : await oauthTokens(oauth, log),
    metadata_url: metadata?.url ?? null,
    token_chars_max: LIMITS.auth.token_chars_max,
    // Of the request nothing is kept but the reason.
    refused: (reason) => {
      metrics.add('auth_refusals_total', { reason });
      trouble.warn('auth_refused', { reason }, reason);
    },
  });
  return { authenticator, metadata, isAlone: () => oauth === null && tokens?.isOfOne() === true };
}

async function tokenList(source: NonNullable<Config['tokens']>, log: Log) {
  const { TokenList } = await import('../../auth/token-list.js');
  try {
    return new TokenList({
      read: () => readTokensText(source),
      now: Date.now,
      recheck_ms: LIMITS.auth.tokens_recheck_ms,
      entries_max: LIMITS.auth.tokens_max,
      report: (event, fields) =>
        event === 'tokens_unreadable'
          ? log.error(event, { ...fields, mend: 'Nobody with such a token gets in until it is mended.' })
          : log.info(event, fields),
    });
  } catch (error) {
    throw tokensError(source, error);
  }
}

async function oauthTokens(oauth: OAuthConfig, log: Log) {
  const [{ IssuerKeys }, { OAuthTokens }] = await Promise.all([
    import('../../auth/issuer-keys.js'),
    import('../../auth/oauth-tokens.js'),
  ]);
  const { auth } = LIMITS;
  const keys = new IssuerKeys({
    issuer: oauth.issuer,
    jwks_url: oauth.jwks_url,
    access: { fetch, call_ms: auth.issuer_call_ms, answer_max_bytes: auth.issuer_answer_max_bytes },
    now: Date.now,
    max_age_ms: auth.keys_max_age_ms,
    cooldown_ms: auth.keys_cooldown_ms,
    backoff_min_ms: auth.issuer_backoff_min_ms,
    backoff_max_ms: auth.issuer_backoff_max_ms,
    report: (event, fields) => log.error(event, { ...fields, mend: 'holdfast doctor says more.' }),
  });
  return new OAuthTokens({
    ...oauth,
    keys,
    now: Date.now,
    clock_tolerance_s: auth.clock_tolerance_s,
    verified_max: auth.verified_max,
    verified_max_ms: auth.verified_max_ms,
    report: (event, fields) => log.error(event, fields),
  });
}
