/** Reads and changes the list of tokens that `HOLDFAST_TOKENS` names. Two that change it at once lose nothing. */

import { closeSync, openSync, readFileSync, realpathSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseTokens, type TokenEntry, TokensWrong, tokensText } from '../../auth/token-entries.js';
import { LIMITS, type TokensSource } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import { replaceFile } from '../terminal/atomic-write.js';

/** Throws what the file system throws, or `TokensWrong`. */
export function readTokensText(source: TokensSource): string {
  if ('inline' in source) return source.inline;
  const stats = statSync(source.path);
  // What is no file may keep whoever reads it waiting for ever.
  if (!stats.isFile()) throw new TokensWrong('is no file');
  if (stats.size > LIMITS.auth.tokens_file_max_bytes) {
    throw new TokensWrong(`is longer than ${LIMITS.auth.tokens_file_max_bytes} bytes`);
  }
  return readFileSync(source.path, 'utf8');
}

/** Empty when there is no file yet. Throws `ConfigError`. */
export function readEntries(source: TokensSource): readonly TokenEntry[] {
  try {
    return parseTokens(readTokensText(source), LIMITS.auth.tokens_max);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw tokensError(source, error);
  }
}

/**
 * Throws `ConfigError`. What comes out of `change` is written whole or not at all, for its owner alone; null changes nothing.
 * With an inline list it is only made, and `text` is what the setting has to say from now on.
 */
export async function changeEntries(
  source: TokensSource,
  change: (entries: readonly TokenEntry[]) => readonly TokenEntry[] | null,
): Promise<{ readonly text: string } | null> {
  if ('inline' in source) {
    const entries = change(readEntries(source));
    return entries === null ? null : { text: JSON.stringify(checked(source, entries)) };
  }
  return await locked(source.path, () => {
    const entries = change(readEntries(source));
    if (entries === null) return null;
    const text = tokensText(checked(source, entries));
    try {
      replaceFile(source.path, text, 'private');
    } catch (error) {
      throw new ConfigError(
        `${source.path} can't be written (${readErrorCode(error)}): it was left as it is. Mend the permissions of its folder, or name another file in HOLDFAST_TOKENS.`,
        ['HOLDFAST_TOKENS'],
      );
    }
    return { text };
  });
}

/** As a server will read it: nothing is written that it would not take. */
function checked(source: TokensSource, entries: readonly TokenEntry[]): readonly TokenEntry[] {
  try {
    return parseTokens(tokensText(entries), LIMITS.auth.tokens_max);
  } catch (error) {
    throw tokensError(source, error);
  }
}

/** `ConfigError` for what is wrong with the list; other errors as they are. */
export function tokensError(source: TokensSource, error: unknown): unknown {
  const where = 'inline' in source ? 'HOLDFAST_TOKENS' : `HOLDFAST_TOKENS: ${source.path}`;
  if (error instanceof TokensWrong) return new ConfigError(`${where} ${error.message}.`, ['HOLDFAST_TOKENS']);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const why =
    code === 'ENOENT'
      ? 'is not there. holdfast tokens add --principal NAME makes it, or correct its path.'
      : `can't be read (${code}). Mend its permissions.`;
  return new ConfigError(`${where} ${why}`, ['HOLDFAST_TOKENS']);
}

/**
 * A lock that its holder left behind is told of and not broken: whoever breaks one can't know that nobody else has just
 * done the same. It is held for moments, so only a power cut or kill -9 in them leaves one.
 */
async function locked<T>(path: string, work: () => T): Promise<T> {
  const lock = `${resolveRealPath(path)}.lock`;
  const until_ms = performance.now() + LIMITS.auth.tokens_lock_ms;
  for (;;) {
    const file = tryOpen(lock);
    if (file !== null) {
      try {
        writeSync(file, `${process.pid}\n`);
        closeSync(file);
        return work();
      } finally {
        rmSync(lock, { force: true });
      }
    }
    if (performance.now() > until_ms) {
      throw new ConfigError(
        `Somebody else is changing ${path}, or died while doing so. Nothing was changed. If no other holdfast tokens is running, remove ${lock}.`,
      );
    }
    await pause(LIMITS.auth.tokens_lock_poll_ms);
  }
}

/** Null when somebody has it. */
function tryOpen(lock: string): number | null {
  try {
    return openSync(lock, 'wx', 0o600);
  } catch (error) {
    if (readErrorCode(error) === 'EEXIST') return null;
    throw new ConfigError(
      `${lock} can't be made (${readErrorCode(error)}). HOLDFAST_TOKENS wants a file in a folder that is there, and that you may write to.`,
      ['HOLDFAST_TOKENS'],
    );
  }
}

function resolveRealPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (readErrorCode(error) === 'ENOENT') return path;
    throw error;
  }
}

function readErrorCode(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? error);
}
