/** Makes a token for an HTTP caller, and says how a client brings it. */

import { createHash, randomBytes } from 'node:crypto';
import type { HttpConfig } from '../config.js';
import { SCOPES } from '../tools/server.js';
import type { TokenEntry } from '../transport/auth/token-entries.js';

/** Not `hf_`: scanners for leaked secrets know that one as somebody else's. `secret-words.ts` knows this one. */
const PREFIX = 'holdfast_';

const TOKEN_BYTES = 32;

export interface Minted {
  /** To be shown once. Nobody can make it out of the entry again. */
  readonly token: string;
  readonly entry: TokenEntry;
}

export type Wish = Pick<TokenEntry, 'principal'> &
  Partial<Pick<TokenEntry, 'scopes' | 'channel' | 'expires_at'>>;

/** 256 random bits; without a wish for scopes, all of them. */
export function mintToken({ scopes, ...wish }: Wish, now_ms: number): Minted {
  const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token).digest('hex');
  const entry = {
    ...wish,
    sha256,
    scopes: scopes ?? SCOPES,
    created_at: new Date(now_ms).toISOString(),
  };
  return { token, entry };
}

/** Where clients reach /mcp with these settings. */
export function mcpAddressOf({ host, port, mcp_url }: HttpConfig): string {
  return mcp_url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`;
}

/** The lines to paste into a client. They hold the token. */
export function clientLines(token: string, address: string): string[] {
  const entry = { type: 'http', url: address, headers: { Authorization: `Bearer ${token}` } };
  return [
    'Claude Code:',
    `  claude mcp add --transport http holdfast ${address} --header "Authorization: Bearer ${token}"`,
    'Clients that read JSON:',
    `  ${JSON.stringify({ mcpServers: { holdfast: entry } })}`,
  ];
}
