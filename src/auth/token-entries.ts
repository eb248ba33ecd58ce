/** The list of tokens as it is written down: `HOLDFAST_TOKENS`, or the file that it names. Holds digests, never a token. */

import * as z from 'zod';
import { LOCAL_CALLER, SCOPES, type Scope } from '../mcp/server.js';

/** One token. A principal may have several, so that one can be replaced by another without a gap. */
export interface TokenEntry {
  readonly principal: string;
  /** SHA-256 of the token, in lowercase hex. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  readonly channel?: string | undefined;
  readonly created_at?: string | undefined;
  readonly expires_at?: string | undefined;
}

/** Thrown for a list that can't be used. The message is for a person, and repeats nothing of what is in it but field names. */
export class TokensWrong extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TokensWrong';
  }
}

const PRINCIPAL_WANTS =
  'wants a name of 1 to 64 letters, digits and . _ @ - that begins with a letter or digit';
const CHANNEL_WANTS = 'wants 1 to 64 letters, digits and . _ -';
const TIME_WANTS = 'wants a time like 2026-12-31T00:00:00Z';

export const principalSchema = z
  .string(PRINCIPAL_WANTS)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, PRINCIPAL_WANTS)
  .refine(
    (name) => name.toLowerCase() !== LOCAL_CALLER.principal,
    'is the name of whoever starts this server on their own machine: choose another',
  );

export const channelSchema = z
  .string(CHANNEL_WANTS)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, CHANNEL_WANTS);

const SCOPES_WANT = `wants one or more of ${SCOPES.join(', ')}, each once`;

export const scopesSchema = z
  .array(z.enum(SCOPES, SCOPES_WANT), SCOPES_WANT)
  .min(1, SCOPES_WANT)
  .refine((scopes) => new Set(scopes).size === scopes.length, SCOPES_WANT);

const entrySchema = z.strictObject(
  {
    principal: principalSchema,
    sha256: z
      .string('wants the SHA-256 of the token: 64 hex digits')
      .regex(/^[0-9a-fA-F]{64}$/, 'wants the SHA-256 of the token: 64 hex digits')
      .transform((digest) => digest.toLowerCase()),
    scopes: scopesSchema,
    channel: channelSchema.optional(),
    created_at: z.iso.datetime({ offset: true, error: TIME_WANTS }).optional(),
    expires_at: z.iso.datetime({ offset: true, error: TIME_WANTS }).optional(),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'wants an object') },
);

/** Throws `TokensWrong` naming the entry (from 0) and its field. */
export function parseTokens(text: string, entriesMax: number): readonly TokenEntry[] {
  const list = parseJson(text);
  if (!Array.isArray(list))
    throw new TokensWrong('wants a JSON list: [{ "principal", "sha256", "scopes" }, …]');
  if (list.length > entriesMax) throw new TokensWrong(`has ${list.length} entries, of ${entriesMax} at most`);
  const entries = list.map((value, at) => parseEntry(value, at));
  const seen = new Map<string, number>();
  for (const [at, { sha256 }] of entries.entries()) {
    const before = seen.get(sha256);
    if (before !== undefined)
      throw new TokensWrong(`[${at}].sha256 is the same as [${before}].sha256: one token is one principal’s`);
    seen.set(sha256, at);
  }
  return entries;
}

export function tokensText(entries: readonly TokenEntry[]): string {
  const lines = entries.map((entry) => `  ${JSON.stringify(entry)}`);
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own words may repeat what is in the text.
    throw new TokensWrong('is not valid JSON. A comma too many or too few is the usual cause');
  }
}

function parseEntry(value: unknown, at: number): TokenEntry {
  const parsed = entrySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const field = String(issue.keys[0])
      .slice(0, FIELD_CHARS_MAX)
      .replace(/[^\w-]/g, '?');
    throw new TokensWrong(
      `[${at}].${field} is no field of a token. It has principal, sha256, scopes, and may have channel, created_at, expires_at`,
    );
  }
  const field = (issue?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  throw new TokensWrong(`[${at}]${field.join('')} ${issue?.message ?? 'is wrong'}`);
}

const FIELD_CHARS_MAX = 40;
