/** Makes a token for an HTTP caller, and says how a client brings it. */

import { createHash, randomBytes } from 'node:crypto';
import type { TokenEntry } from '../../auth/token-entries.js';
import type { HttpConfig } from '../../config/config.js';
import type { Scope } from '../../mcp/server.js';

/** Not `hf_`: scanners for leaked secrets know that one as somebody else's. `reject-secret-args.ts` knows this one. */
const PREFIX = 'holdfast_';

const TOKEN_BYTES = 32;

export interface Minted {
  /** To be shown once. Nobody can make it out of the entry again. */
  readonly token: string;
  readonly entry: TokenEntry;
}

/** What a token allows unless something else is asked for: to look and to reserve. */
const DEFAULT_SCOPES: readonly Scope[] = ['inventory:read', 'inventory:reserve'];
const ORDER_SCOPE: Scope = 'orders:submit';

const DAY_MS = 24 * 3_600_000;
export const DEFAULT_DAYS = 90;

export interface Wish extends Pick<TokenEntry, 'principal' | 'channel'> {
  /** Left out: to look and to reserve. */
  readonly scopes?: readonly Scope[];
  /** To order, too. */
  readonly canOrder?: boolean;
  /** Left out: in 90 days; null: never. */
  readonly expires_at?: string | null;
}

/** Makes a token of 256 random bits. */
export function mintToken({ scopes, canOrder, expires_at, ...wish }: Wish, now_ms: number): Minted {
  const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token).digest('hex');
  const asked = scopes ?? DEFAULT_SCOPES;
  const end = expires_at === undefined ? timeIn(DEFAULT_DAYS, now_ms) : expires_at;
  const entry = {
    ...wish,
    sha256,
    scopes: canOrder === true && !asked.includes(ORDER_SCOPE) ? [...asked, ORDER_SCOPE] : asked,
    created_at: new Date(now_ms).toISOString(),
    ...(end === null ? {} : { expires_at: end }),
  };
  return { token, entry };
}

/** The time in so many days. */
export function timeIn(days: number, now_ms: number): string {
  return new Date(now_ms + days * DAY_MS).toISOString();
}

/** Where clients reach /mcp with these settings. */
export function buildMcpAddress({ host, port, mcp_url }: HttpConfig): string {
  return mcp_url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`;
}

/** What to paste into a client's file. It holds the token, which therefore stands in no command: those are seen by all of the machine. */
export function clientLines(token: string, address: string): string[] {
  const entry = { type: 'http', url: address, headers: { Authorization: `Bearer ${token}` } };
  return [
    'For clients that read JSON (Claude Code: .mcp.json of a folder, or mcpServers in ~/.claude.json; keep it out of version control):',
    `  ${JSON.stringify({ mcpServers: { holdfast: entry } })}`,
  ];
}
