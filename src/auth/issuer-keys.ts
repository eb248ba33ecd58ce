/**
 * The issuer's public keys: asked for when the first token comes, kept, and asked for again when they are old or a token
 * names one that is new. jose's key set does the keeping; here are discovery, limits, and patience with an issuer that is down.
 */

import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose';
import { findKeysAddress, type IssuerAccess, IssuerSilent, readJson } from './issuer.js';

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Null: the issuer's metadata say it. */
  readonly jwks_url: string | null;
  readonly access: IssuerAccess;
  readonly now: () => number;
  readonly max_age_ms: number;
  /** After a successful read, a key that nobody knows makes us ask again no sooner. */
  readonly cooldown_ms: number;
  readonly backoff_min_ms: number;
  readonly backoff_max_ms: number;
  readonly report: (event: 'issuer_silent', fields: Readonly<Record<string, unknown>>) => void;
}

/** Thrown when a key may exist that can't be read now: the token may be a good one. */
export class KeysUnavailable extends Error {
  readonly retry_after_ms: number;

  constructor(retry_after_ms: number) {
    super('the keys of the token issuer can not be read now');
    this.name = 'KeysUnavailable';
    this.retry_after_ms = retry_after_ms;
  }
}

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #keys: RemoteJWKSet | null = null;
  #discovery: Promise<RemoteJWKSet> | null = null;
  #failures = 0;
  #silent_until_ms = 0;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** The key that a token's header names. Throws `KeysUnavailable`, or what jose throws for a key that is not there. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#set();
    return keys(header, token);
  };

  async #set(): Promise<RemoteJWKSet> {
    const { issuer, jwks_url, access } = this.#options;
    // An issuer that can no longer be read where it was may have moved its keys.
    const isDoubtful = this.#failures > 0 && this.#keys?.fresh !== true;
    if (this.#keys !== null && (!isDoubtful || jwks_url !== null)) return this.#keys;
    if (jwks_url !== null) return this.#keep(jwks_url);
    this.#discovery ??= this.#patiently(() => findKeysAddress(issuer, access))
      .then((address) => this.#keep(address))
      .finally(() => {
        this.#discovery = null;
      });
    return this.#discovery;
  }

  #keep(address: string): RemoteJWKSet {
    const { access, max_age_ms, cooldown_ms } = this.#options;
    this.#keys = createRemoteJWKSet(new URL(address), {
      timeoutDuration: access.call_ms,
      cacheMaxAge: max_age_ms,
      cooldownDuration: cooldown_ms,
      [customFetch]: async (url) => {
        const keys = await this.#patiently(async () => {
          const read = await readJson(url, access);
          if (!Array.isArray(read['keys'])) throw new IssuerSilent('no_keys');
          return read;
        });
        return Response.json(keys);
      },
    });
    return this.#keys;
  }

  /** An issuer that failed is left alone for a while, longer each time: a stranger's tokens must not make us its plague. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const { now, backoff_min_ms, backoff_max_ms, report } = this.#options;
    const wait_ms = this.#silent_until_ms - now();
    // A wait that is longer than any comes from a clock that was set back.
    if (wait_ms > 0 && wait_ms <= backoff_max_ms) throw new KeysUnavailable(wait_ms);
    try {
      const answer = await ask();
      this.#failures = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof IssuerSilent)) throw error;
      const pause_ms = Math.min(backoff_max_ms, backoff_min_ms * 2 ** this.#failures);
      this.#failures += 1;
      this.#silent_until_ms = now() + pause_ms;
      report('issuer_silent', { why: error.fault, retry_after_ms: pause_ms });
      throw new KeysUnavailable(pause_ms);
    }
  }
}
