/** Static tokens: the list, the header, and what a caller is told. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { looksLikeJwt, readBearer } from '../../src/auth/bearer.js';
import { knownCallers } from '../../src/auth/composite-authenticator.js';
import { parseTokens, TokensWrong } from '../../src/auth/token-entries.js';
import { TokenList, type TokenListOptions } from '../../src/auth/token-list.js';

const TOKEN = 'planted-token';
const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const digest = (token: string): Buffer => Buffer.from(sha256(token), 'hex');
const entry = (more: object = {}) => ({
  principal: 'agent-a',
  sha256: sha256(TOKEN),
  scopes: ['inventory:read'],
  ...more,
});

describe('the list', () => {
  it('is what the specification says, and may say more', () => {
    const plain = [entry(), entry({ sha256: sha256('b').toUpperCase(), channel: 'web' })];
    expect(parseTokens(JSON.stringify(plain), 9)).toEqual([
      entry(),
      entry({ sha256: sha256('b'), channel: 'web' }),
    ]);
    const more = entry({ created_at: '2026-11-23T12:00:00Z', expires_at: '2026-12-23T12:00:00.000+01:00' });
    expect(parseTokens(JSON.stringify([more]), 9)).toEqual([more]);
    expect(parseTokens('[]', 9)).toEqual([]);
  });

  it.each([
    ['no JSON', '[{"principal": "canary"', /^is not valid JSON/],
    ['an object', '{}', /^wants a JSON list/],
    ['a number in it', '[7]', /^\[0\] wants an object/],
    ['no principal', [entry({ principal: undefined })], /^\[0\]\.principal wants a name/],
    ['an empty principal', [entry({ principal: '' })], /^\[0\]\.principal wants a name/],
    ['a principal with a colon', [entry({ principal: 'oauth:canary' })], /^\[0\]\.principal wants a name/],
    ['the local caller', [entry({ principal: 'local' })], /^\[0\]\.principal is the name of whoever/],
    ['the local caller in capitals', [entry({ principal: 'Local' })], /^\[0\]\.principal is the name of/],
    ['a token for its digest', [entry({ sha256: 'canary' })], /^\[0\]\.sha256 wants the SHA-256/],
    ['no scopes', [entry(), entry({ sha256: sha256('b'), scopes: [] })], /^\[1\]\.scopes wants one or more/],
    ['a scope that is none', [entry({ scopes: ['canary'] })], /^\[0\]\.scopes\[0\] wants one or more of/],
    ['a scope twice', [entry({ scopes: ['inventory:read', 'inventory:read'] })], /^\[0\]\.scopes wants/],
    ['an odd channel', [entry({ channel: 'canary\n' })], /^\[0\]\.channel wants 1 to 64/],
    ['an odd time', [entry({ expires_at: 'canary' })], /^\[0\]\.expires_at wants a time like/],
    ['another field', [entry({ scope: 'canary' })], /^\[0\]\.scope is no field of a token/],
    ['one token twice', [entry(), entry({ principal: 'b' })], /^\[1\]\.sha256 is the same as \[0\]\.sha256/],
    ['too many', Array.from({ length: 4 }, (_, at) => entry({ sha256: sha256(`${at}`) })), /^has 4 entries/],
  ])('is refused with %s, by entry and field and without its text', (_, list, message) => {
    const text = typeof list === 'string' ? list : JSON.stringify(list);
    let told = '';
    try {
      parseTokens(text, 3);
    } catch (error) {
      expect(error).toBeInstanceOf(TokensWrong);
      told = (error as Error).message;
    }
    expect(told).toMatch(message);
    expect(told).not.toContain('canary');
  });
});

function listOn(
  read: () => string,
  more: Partial<TokenListOptions> = {},
): { list: TokenList; reported: unknown[] } {
  const reported: unknown[] = [];
  const list = new TokenList({
    read,
    now: () => 0,
    recheck_ms: 500,
    entries_max: 9,
    report: (event) => void reported.push(event),
    ...more,
  });
  return { list, reported };
}

describe('a token', () => {
  it('is known by its SHA-256, with the scopes and the channel that the list gives it', () => {
    const { list } = listOn(() =>
      JSON.stringify([entry({ sha256: sha256('b') }), entry({ channel: 'web' })]),
    );
    const caller = { principal: 'agent-a', channel: 'web', scopes: new Set(['inventory:read']) };
    expect(list.findHolder(digest(TOKEN))).toEqual({ ok: true, caller });
    expect(list.findHolder(digest('other'))).toEqual({ ok: false, reason: 'unknown' });
    // What the list holds opens nothing.
    expect(list.findHolder(digest(sha256(TOKEN)))).toEqual({ ok: false, reason: 'unknown' });
  });

  it('is over at its end, to the millisecond', () => {
    const at_ms = Date.parse('2026-12-01T00:00:00Z');
    let now_ms = at_ms - 1;
    const text = JSON.stringify([entry({ expires_at: '2026-12-01T00:00:00Z' })]);
    const { list } = listOn(() => text, { now: () => now_ms });
    expect(list.findHolder(digest(TOKEN))).toMatchObject({ ok: true });
    now_ms = at_ms;
    expect(list.findHolder(digest(TOKEN))).toEqual({ ok: false, reason: 'expired' });
  });
});

describe('a list that changes', () => {
  it('counts from the next look on, whatever the clock does, and is not read more often', () => {
    let text = JSON.stringify([entry()]);
    let now_ms = 1_000;
    let reads = 0;
    const { list, reported } = listOn(
      () => {
        reads += 1;
        return text;
      },
      { now: () => now_ms },
    );
    text = '[]';
    now_ms += 499;
    expect(list.findHolder(digest(TOKEN))).toMatchObject({ ok: true });
    expect(reads).toBe(1);
    now_ms += 1;
    expect(list.findHolder(digest(TOKEN))).toEqual({ ok: false, reason: 'unknown' });
    text = JSON.stringify([entry()]);
    now_ms -= 86_400_000;
    expect(list.findHolder(digest(TOKEN))).toMatchObject({ ok: true });
    expect(reported).toEqual(['tokens_read', 'tokens_read']);
  });

  it.each([
    ['is broken', '[{'],
    ['is empty', ''],
    ['is gone', null],
  ])('and %s knows nobody, says so once, and is believed again when it is whole', (_, broken) => {
    const whole = JSON.stringify([entry()]);
    let text: string | null = whole;
    let now_ms = 0;
    const read = (): string => {
      if (text === null) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      return text;
    };
    const { list, reported } = listOn(read, { now: () => now_ms });
    text = broken;
    for (let i = 0; i < 3; i += 1) {
      now_ms += 500;
      expect(list.findHolder(digest(TOKEN))).toEqual({ ok: false, reason: 'tokens_unreadable' });
    }
    text = whole;
    now_ms += 500;
    expect(list.findHolder(digest(TOKEN))).toMatchObject({ ok: true });
    expect(reported).toEqual(['tokens_unreadable', 'tokens_read']);
  });

  it('must be whole when the server starts', () => {
    expect(() => listOn(() => '[{')).toThrow(TokensWrong);
  });
});

describe('the header', () => {
  const found = (...rawHeaders: string[]) => readBearer({ rawHeaders }, 100);

  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   a-b._~+/c==', 'a-b._~+/c=='],
  ])('%s is read', (value, token) => {
    expect(found('Host', 'x', 'aUTHORIZATION', value)).toEqual({ found: 'token', token });
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer a, Bearer b',
    'Bearer "a"',
    'Bearer a=b',
    'Bearer =',
    'Bearer ä',
    `Bearer ${'a'.repeat(101)}`,
  ])('%s is malformed', (value) => {
    expect(found('Authorization', value)).toEqual({ found: 'malformed' });
  });

  it('of which there are two is malformed, also with the same token', () => {
    expect(found('Authorization', 'Bearer a', 'authorization', 'Bearer a')).toEqual({ found: 'malformed' });
  });

  it.each(['Basic YTpi', 'Bearertoken', '', 'DPoP abc'])('%s is no bearer token', (value) => {
    expect(found('Authorization', value)).toEqual({ found: 'none' });
  });

  it('tells a JWT from other tokens', () => {
    expect(['a.b.c', 'a.b.', 'a.b', 'a.b.c.d', 'holdfast_abc', '..'].map(looksLikeJwt)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('the answer', () => {
  const refused: string[] = [];
  const { list } = listOn(() => JSON.stringify([entry()]));
  const METADATA = 'https://stock.example.com/.well-known/oauth-protected-resource/mcp';
  const oauth = { findHolder: async () => ({ ok: false, reason: 'signature' }) as const };
  const callers = (more: Partial<Parameters<typeof knownCallers>[0]> = {}) =>
    knownCallers({
      tokens: list,
      oauth: null,
      metadata_url: null,
      token_chars_max: 100,
      refused: (reason) => void refused.push(reason),
      ...more,
    });
  const judged = async (value: string | null, more = {}) => {
    const rawHeaders = value === null ? [] : ['Authorization', value];
    const judgement = await callers(more).judge({ rawHeaders } as never);
    if (judgement.ok) return judgement.caller.principal;
    return [judgement.challenge.status, judgement.challenge.headers['www-authenticate']];
  };

  it('without a token names no error, and with an issuer where to get one', async () => {
    expect(await judged(null)).toEqual([401, 'Bearer realm="holdfast", scope="inventory:read"']);
    expect(await judged(null, { oauth, metadata_url: METADATA })).toEqual([
      401,
      `Bearer realm="holdfast", scope="inventory:read", resource_metadata="${METADATA}"`,
    ]);
  });

  it('to a token that is not known says so, and nothing of the token', async () => {
    const told =
      'Bearer realm="holdfast", error="invalid_token", error_description="The token is not known here, or was revoked.", scope="inventory:read"';
    expect(await judged('Bearer canary')).toEqual([401, told]);
    expect(await judged(`Bearer ${TOKEN}`)).toBe('agent-a');
  });

  it('to what looks like a JWT is the issuer’s, even where the list would know it', async () => {
    const jwt = 'a.b.c';
    const { list: knowing } = listOn(() => JSON.stringify([entry({ sha256: sha256(jwt) })]));
    expect(await judged(`Bearer ${jwt}`, { tokens: knowing })).toBe('agent-a');
    const [status, challenge] = await judged(`Bearer ${jwt}`, { tokens: knowing, oauth });
    expect([status, challenge]).toEqual([401, expect.stringContaining('signature of the token is wrong')]);
    expect(await judged(`Bearer ${TOKEN}`, { oauth })).toBe('agent-a');
  });

  it('to a token that lacks a scope is 403, and names the scopes it has beside the one it lacks', () => {
    const caller = { principal: 'a', channel: null, scopes: new Set(['inventory:read'] as const) };
    const challenge = callers({ metadata_url: METADATA }).lacking('orders:submit', caller);
    expect(challenge.status).toBe(403);
    expect(challenge.message).toContain('orders:submit');
    expect(challenge.headers['www-authenticate']).toBe(
      `Bearer realm="holdfast", error="insufficient_scope", error_description="The token lacks a scope that this call needs.", scope="inventory:read orders:submit", resource_metadata="${METADATA}"`,
    );
    expect(refused.at(-1)).toBe('scope');
  });

  it('while the list can’t be read is 503: nobody is to throw a good token away', async () => {
    const tokens = { findHolder: () => ({ ok: false, reason: 'tokens_unreadable' }) as const };
    const judgement = await callers({ tokens }).judge({ rawHeaders: ['Authorization', 'Bearer x'] } as never);
    expect(judgement).toMatchObject({ challenge: { status: 503, headers: { 'retry-after': '1' } } });
  });
});
