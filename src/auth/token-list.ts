/**
 * Who holds a token of ours. A list in a file is read again while the server runs: a token added or revoked counts from then on.
 *
 * A file that can't be read or makes no sense knows nobody: callers get 503 and keep their tokens, until it is mended. The
 * list as it was before would serve them on, but whoever broke the file may have been about to take a token out of it.
 */

import { timingSafeEqual } from 'node:crypto';
import type { Bearer } from '../mcp/server.js';
import { parseTokens, type TokenEntry } from './token-entries.js';

export interface TokenListOptions {
  /** What the list says now; throws when it can't be read. Called twice a second at most. */
  readonly read: () => string;
  readonly now: () => number;
  readonly recheck_ms: number;
  readonly entries_max: number;
  /** Told when the list breaks or is whole again, not at each look. */
  readonly report: (
    event: 'tokens_unreadable' | 'tokens_read',
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

export type Known =
  | { readonly ok: true; readonly caller: Bearer }
  | { readonly ok: false; readonly reason: 'unknown' | 'expired' | 'tokens_unreadable' };

interface Holder {
  readonly digest: Buffer;
  readonly caller: Bearer;
  readonly expires_at_ms: number;
}

export class TokenList {
  readonly #options: TokenListOptions;
  #text: string | null;
  /** Null while the list can't be read. */
  #holders: readonly Holder[] | null;
  #looked_at_ms: number;

  /** Throws what `read` throws, or `TokensWrong`: a server does not start with a list that it can't use. */
  constructor(options: TokenListOptions) {
    this.#options = options;
    this.#text = options.read();
    this.#holders = parseHolders(this.#text, options.entries_max);
    this.#looked_at_ms = options.now();
  }

  /** `digest`: SHA-256 of the token. Every entry is compared, in a time that does not depend on any. */
  findHolder(digest: Buffer): Known {
    const now_ms = this.#options.now();
    this.#lookAgain(now_ms);
    if (this.#holders === null) return { ok: false, reason: 'tokens_unreadable' };
    let found: Holder | null = null;
    for (const holder of this.#holders) if (timingSafeEqual(holder.digest, digest)) found = holder;
    if (found === null) return { ok: false, reason: 'unknown' };
    return now_ms < found.expires_at_ms
      ? { ok: true, caller: found.caller }
      : { ok: false, reason: 'expired' };
  }

  /** Whether all tokens are of one principal. False while the list can't be read. */
  isOfOne(): boolean {
    this.#lookAgain(this.#options.now());
    return new Set(this.#holders?.map(({ caller }) => caller.principal)).size === 1;
  }

  /**
   * The text is compared and not the file's time or size: there are file systems whose clock has seconds, and the file is
   * small. A clock that was set back counts as time gone by.
   */
  #lookAgain(now_ms: number): void {
    const { read, recheck_ms, entries_max, report } = this.#options;
    if (now_ms >= this.#looked_at_ms && now_ms < this.#looked_at_ms + recheck_ms) return;
    this.#looked_at_ms = now_ms;
    try {
      const text = read();
      if (text === this.#text) return;
      this.#holders = parseHolders(text, entries_max);
      this.#text = text;
      report('tokens_read', { tokens: this.#holders.length });
    } catch (error) {
      const wasWhole = this.#holders !== null;
      this.#holders = null;
      this.#text = null;
      if (wasWhole) report('tokens_unreadable', { why: describeError(error) });
    }
  }
}

/** Of ours, or the file system's code: both hold nothing of the file. */
function describeError(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  return name === 'TokensWrong' ? message : String(code ?? name);
}

function parseHolders(text: string, entriesMax: number): readonly Holder[] {
  return parseTokens(text, entriesMax).map(holderFrom);
}

function holderFrom({ principal, sha256, scopes, channel, expires_at }: TokenEntry): Holder {
  return {
    digest: Buffer.from(sha256, 'hex'),
    caller: { principal, channel: channel ?? null, scopes: new Set(scopes) },
    expires_at_ms: expires_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires_at),
  };
}
