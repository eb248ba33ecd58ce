/** `holdfast tokens`: adds, revokes and lists the tokens of HTTP callers. A running server follows within a second. */

import { channelSchema, principalSchema, scopesSchema, type TokenEntry } from '../../auth/token-entries.js';
import { readConfig, type TokensSource } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import type { Scope } from '../../mcp/server.js';
import { LedgerUnusable } from '../../store/sqlite/database/open-database.js';
import { machineEnvironment } from '../ledger/machine-environment.js';
import { tableLines } from '../terminal/table.js';
import { buildMcpAddress, clientLines, mintToken, timeIn } from './mint-token.js';
import { changeEntries, readEntries } from './token-file.js';
import { findLeftHolds, type LeftHold, leftHoldText } from './token-holds.js';

export interface AddOptions {
  readonly principal: string;
  /** With commas between; left out: to look and to reserve. */
  readonly scopes?: string;
  /** To order, too. */
  readonly canOrder?: boolean;
  readonly channel?: string;
  /** A day, a time, a number of days like 90d, or never; left out: 90 days. */
  readonly expires?: string;
  readonly json: boolean;
}

/** Prints the token, this once. Throws `ConfigError`. */
export async function addToken(options: AddOptions): Promise<void> {
  const { tokens: source, http } = settings();
  const now_ms = Date.now();
  const { scopes, canOrder, channel, expires } = options;
  const { token, entry } = mintToken(
    {
      principal: wanted(principalSchema, options.principal, '--principal'),
      ...(scopes === undefined ? {} : { scopes: scopesIn(scopes) }),
      ...(canOrder === undefined ? {} : { canOrder }),
      ...(channel === undefined ? {} : { channel: wanted(channelSchema, channel, '--channel') }),
      ...(expires === undefined ? {} : { expires_at: parseExpiry(expires, now_ms) }),
    },
    now_ms,
  );
  const changed = await changeEntries(source, (entries) => [...entries, entry]);
  if (options.json) {
    const kept = 'inline' in source ? { setting: changed?.text } : { file: source.path };
    console.log(JSON.stringify({ token, ...entry, ...kept }, null, 2));
    return;
  }
  console.log(
    `Token of ${entry.principal} for ${entry.scopes.join(', ')}, ${endText(entry)}. It is shown this once:\n\n  ${token}\n`,
  );
  tellKept(
    source,
    changed?.text ?? '',
    'has its SHA-256 alone, and a running server knows it within a second. One that was started without HOLDFAST_TOKENS has to be started again.',
  );
  for (const line of clientLines(token, buildMcpAddress(http))) console.log(line);
}

/**
 * By the name of a principal, all of theirs; or one by the first digits of its SHA-256. What principals without any token left still
 * hold is listed, or with `release` freed. False when there is no such token, or the ledger could not be looked at.
 */
export async function revokeTokens(
  name: string,
  options: { readonly json: boolean; readonly release: boolean },
): Promise<boolean> {
  const { tokens: source, db } = settings();
  let gone: readonly TokenEntry[] = [];
  let kept: readonly TokenEntry[] = [];
  const changed = await changeEntries(source, (entries) => {
    gone = entriesNamed(name, entries);
    kept = entries.filter((entry) => !gone.includes(entry));
    return gone.length === 0 ? null : kept;
  });
  const left = new Set(gone.map(({ principal }) => principal));
  for (const { principal } of kept) left.delete(principal);
  const held = await leftHolds(db, left, options);
  if (options.json) {
    const setting = 'inline' in source && changed !== null ? { setting: changed.text } : {};
    console.log(JSON.stringify({ revoked: gone.map(shown), holds: held.holds, ...setting }, null, 2));
  } else if (changed === null) {
    console.error('There is no such token. holdfast tokens list shows what there is.');
  } else {
    for (const entry of gone)
      console.log(`Revoked: ${entry.sha256.slice(0, DIGITS_SHOWN)} of ${entry.principal}.`);
    tellKept(source, changed.text, 'no longer has it, and a running server refuses it within a second.');
    for (const hold of held.holds) console.log(leftHoldText(hold));
    if (held.holds.some(({ is_released }) => !is_released))
      console.log(
        'holdfast reservations release ID frees one; tokens revoke NAME --release would have freed all.',
      );
  }
  if (held.why !== null) console.error(`What they still hold is not known. ${held.why}`);
  return changed !== null && held.why === null;
}

/** The tokens are revoked by now, whatever the ledger is like: that it could not be looked at is told beside it. */
async function leftHolds(
  db: string,
  principals: ReadonlySet<string>,
  options: { readonly release: boolean },
): Promise<{ readonly holds: readonly LeftHold[]; readonly why: string | null }> {
  try {
    return { holds: await findLeftHolds(db, principals, options), why: null };
  } catch (error) {
    if (!(error instanceof LedgerUnusable)) throw error;
    return { holds: [], why: error.message };
  }
}

export function listTokens(options: { readonly json: boolean }): void {
  const { tokens: source } = settings();
  const entries = readEntries(source);
  if (options.json) {
    console.log(JSON.stringify(entries.map(shown), null, 2));
    return;
  }
  if (entries.length === 0) {
    console.log('No tokens: nobody gets in with one. holdfast tokens add --principal NAME makes one.');
    return;
  }
  const head = ['SHA-256', 'principal', 'scopes', 'channel', 'created', 'expires'];
  const rows = entries.map(({ sha256, principal, scopes, channel, created_at, expires_at }) => [
    sha256.slice(0, DIGITS_SHOWN),
    principal,
    scopes.join(' '),
    channel ?? '',
    created_at?.slice(0, 10) ?? '',
    expiryText(expires_at),
  ]);
  for (const line of tableLines(head, rows, [])) console.log(line);
}

/** So many digits of a SHA-256 tell two tokens apart. */
const DIGITS_SHOWN = 12;
const DIGITS_MIN = 8;

function settings() {
  const config = readConfig(machineEnvironment());
  if (config.tokens === null) {
    throw new ConfigError(
      'HOLDFAST_TOKENS is not set. Set it to the path of a file (HOLDFAST_TOKENS=./holdfast-tokens.json in .env): holdfast tokens add makes it.',
      ['HOLDFAST_TOKENS'],
    );
  }
  return { ...config, tokens: config.tokens };
}

/** The setting itself is not ours to change: it may come from anywhere. */
function tellKept(source: TokensSource, text: string, file: string): void {
  if ('path' in source) console.log(`${source.path} ${file}`);
  else
    console.log(
      `HOLDFAST_TOKENS holds the list itself: set it to this and start the server again.\n\n${text}\n`,
    );
}

function shown({ sha256, ...entry }: TokenEntry) {
  return { sha256: sha256.slice(0, DIGITS_SHOWN), ...entry };
}

function entriesNamed(name: string, entries: readonly TokenEntry[]): readonly TokenEntry[] {
  const digits = /^(?:sha256:)?([0-9a-f]*)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const byDigits =
    digits.length < DIGITS_MIN ? [] : entries.filter(({ sha256 }) => sha256.startsWith(digits));
  const byName = entries.filter(({ principal }) => principal === name);
  if (byDigits.length > 0 && byName.length > 0) {
    throw new ConfigError(`${name} is a principal, and begins a SHA-256 too. Write sha256:${name} for that.`);
  }
  if (byDigits.length > 1)
    throw new ConfigError('These digits begin more than one SHA-256: give more of them.');
  return [...byName, ...byDigits];
}

function scopesIn(list: string): readonly Scope[] {
  const words = list.split(/[\s,]+/).filter((word) => word !== '');
  return wanted(scopesSchema, words, '--scopes');
}

interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { readonly message: string }[] };
      };
}

function wanted<T>(schema: Schema<T>, value: unknown, option: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${option} ${parsed.error.issues[0]?.message ?? 'is wrong'}.`);
}

/** Null: never. */
function parseExpiry(text: string, now_ms: number): string | null {
  if (text === 'never') return null;
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = days !== undefined ? timeIn(Number(days), now_ms) : isTime ? text : '';
  const at_ms = Date.parse(at);
  if (Number.isNaN(at_ms)) {
    throw new ConfigError(
      '--expires must be a number of days like 90d, a day like 2027-03-31, a time like 2027-03-31T18:00Z, or never.',
    );
  }
  if (at_ms <= now_ms) throw new ConfigError('--expires wants a time to come.');
  return new Date(at_ms).toISOString();
}

function endText({ expires_at }: TokenEntry): string {
  return expires_at === undefined ? 'without an end' : `until ${expires_at.slice(0, 10)}`;
}

function expiryText(expires_at: string | undefined): string {
  if (expires_at === undefined) return 'never';
  return Date.parse(expires_at) <= Date.now() ? `${expires_at.slice(0, 16)} (over)` : expires_at.slice(0, 16);
}
