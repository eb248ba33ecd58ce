/** Acceptance: wrong, expired, other-audience, `alg:none`, HS256-with-public-key and unknown-kid tokens are no tokens. */

import { generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IssuerKeys, type IssuerKeysOptions } from '../../src/auth/issuer-keys.js';
import { OAuthTokens, type OAuthTokensOptions } from '../../src/auth/oauth-tokens.js';
import { RESOURCE, TestIssuer } from '../helpers/issuer.js';

const HOUR_S = 3_600;
const now_s = (): number => Math.floor(Date.now() / 1000);

let issuer: TestIssuer;
let reported: [string, unknown][];
/** What the wall clock is off by. */
let shift_ms: number;

beforeEach(async () => {
  issuer = await TestIssuer.start();
  reported = [];
  shift_ms = 0;
});
afterEach(() => issuer.stop());

const now = (): number => Date.now() + shift_ms;

function keys(options: Partial<IssuerKeysOptions> = {}): IssuerKeys {
  return new IssuerKeys({
    issuer: issuer.origin,
    jwks_url: null,
    access: { fetch, call_ms: 10_000, answer_max_bytes: 262_144 },
    now,
    max_age_ms: 600_000,
    cooldown_ms: 30_000,
    backoff_min_ms: 1_000,
    backoff_max_ms: 30_000,
    report: (event, fields) => void reported.push([event, fields]),
    ...options,
  });
}

function tokens(
  options: Partial<OAuthTokensOptions> = {},
  keyOptions: Partial<IssuerKeysOptions> = {},
): OAuthTokens {
  return new OAuthTokens({
    issuer: issuer.origin,
    audience: RESOURCE,
    principal_claim: 'sub',
    channel_claim: null,
    keys: keys(keyOptions),
    now,
    clock_tolerance_s: 30,
    verified_max: 1_000,
    verified_max_ms: 300_000,
    report: (event, fields) => void reported.push([event, fields]),
    ...options,
  });
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of the issuer', () => {
  it('says who calls, and what they may do; scopes of others are passed over', async () => {
    const judged = await tokens().findHolder(await issuer.token());
    expect(judged).toEqual({
      ok: true,
      caller: {
        principal: 'oauth:agent-7',
        channel: null,
        scopes: new Set(['inventory:read', 'inventory:reserve']),
      },
    });
    expect(reported).toEqual([]);
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('may be signed with %s', async (alg) => {
    await issuer.rotate(alg);
    expect(await tokens().findHolder(await issuer.token())).toMatchObject({ ok: true });
  });

  it.each([
    ['a list', { scope: ['orders:submit'] }, ['orders:submit']],
    ['scp, in one string', { scope: undefined, scp: 'orders:submit x' }, ['orders:submit']],
    ['scp, in a list', { scope: undefined, scp: ['inventory:read'] }, ['inventory:read']],
    ['nothing', { scope: undefined }, []],
    ['a number', { scope: 7 }, []],
    ['words that only begin like ours', { scope: 'inventory:reader Inventory:read inventory' }, []],
  ])('may carry its scopes as %s', async (_, claims, scopes) => {
    const judged = await tokens().findHolder(await issuer.token({ claims }));
    expect(judged).toMatchObject({ ok: true, caller: { scopes: new Set(scopes) } });
  });

  it.each([
    ['a plain subject', 'a|b@c', 'oauth:a|b@c'],
    ['the name of the local caller', 'local', 'oauth:local'],
    ['one with a blank', 'a b', /^oauth:sha256:[0-9a-f]{64}$/],
    ['a long one', 'x'.repeat(129), /^oauth:sha256:[0-9a-f]{64}$/],
    ['one that plays a digest', `sha256:${'0'.repeat(64)}`, /^oauth:sha256:(?!0{64})[0-9a-f]{64}$/],
  ])('names its principal so that it meets no other: %s', async (_, sub, principal) => {
    const judged = await tokens().findHolder(await issuer.token({ claims: { sub } }));
    const name = judged.ok ? judged.caller.principal : '';
    if (typeof principal === 'string') expect(name).toBe(principal);
    else expect(name).toMatch(principal);
  });

  it.each(['client_id', 'azp', 'cid', 'appid'])(
    'tells a client from a user whose name it has chosen, by %s',
    async (claim) => {
      const nameOf = async (claims: object) => {
        const judged = await tokens().findHolder(
          await issuer.token({ claims: { sub: 'alice', client_id: undefined, ...claims } }),
        );
        return judged.ok ? judged.caller.principal : judged.reason;
      };
      expect(await nameOf({ [claim]: 'alice' })).toBe('oauth:client:alice');
      // A user is one caller through whatever clients: each further one would bring a quota of its own.
      expect(await nameOf({ [claim]: 'web-app' })).toBe('oauth:alice');
      expect(await nameOf({ sub: 'client:alice' })).toMatch(/^oauth:sha256:/);
    },
  );

  it('takes principal and channel from the claims that the settings name', async () => {
    const named = tokens({ principal_claim: 'client_id', channel_claim: 'shop_channel' });
    const claims = { client_id: 'robot', shop_channel: 'whatsapp' };
    expect(await named.findHolder(await issuer.token({ claims }))).toMatchObject({
      caller: { principal: 'oauth:robot', channel: 'whatsapp' },
    });
    const without = await issuer.token({ claims: { client_id: 'robot' } });
    expect(await named.findHolder(without)).toMatchObject({ caller: { channel: null } });
    const odd = await issuer.token({ claims: { ...claims, shop_channel: 'two words' } });
    expect(await named.findHolder(odd)).toEqual({ ok: false, reason: 'claims' });
  });
});

/** One whose header does not tell what kind it is. */
function vague(claims: Readonly<Record<string, unknown>>, typ?: string): Promise<string> {
  return issuer.token({ header: { typ }, claims });
}

it('a token whose header does not tell its kind is an access token where nothing says otherwise', async () => {
  const tokensOfMany = [
    vague({}),
    vague({}, 'JWT'),
    vague({ typ: 'Bearer', nonce: 'n' }),
    vague({ token_use: 'access' }),
  ];
  for (const token of await Promise.all([...tokensOfMany, issuer.token({ claims: { nonce: 'n' } })])) {
    expect(await tokens().findHolder(token)).toMatchObject({ ok: true });
  }
});

it('where too many bad ones came from, one that was found good before still is, and no signature is checked', async () => {
  const here = tokens();
  const [known, fresh] = [await issuer.token(), await issuer.token({ claims: { sub: 'agent-8' } })];
  await here.findHolder(known);
  expect(await here.findHolder(known, true)).toMatchObject({ ok: true });
  expect(await here.findHolder(fresh, true)).toEqual({ ok: false, reason: 'unchecked' });
  expect(await here.findHolder(fresh)).toMatchObject({ ok: true });
});

describe('turned away', () => {
  const cases: readonly [string, string, () => Promise<string>][] = [
    ['other_audience', 'for another resource', () => issuer.token({ claims: { aud: `${RESOURCE}/` } })],
    ['other_audience', 'for nobody', () => issuer.token({ claims: { aud: undefined } })],
    ['other_issuer', 'of another issuer', () => issuer.token({ claims: { iss: `${issuer.origin}/` } })],
    ['expired', 'that is over', () => issuer.token({ claims: { exp: now_s() - HOUR_S } })],
    ['claims', 'without an end', () => issuer.token({ claims: { exp: undefined } })],
    ['not_yet_valid', 'that is yet to begin', () => issuer.token({ claims: { nbf: now_s() + HOUR_S } })],
    ['not_yet_valid', 'from the future', () => issuer.token({ claims: { iat: now_s() + HOUR_S } })],
    ['claims', 'of nobody', () => issuer.token({ claims: { sub: undefined } })],
    ['claims', 'of an empty name', () => issuer.token({ claims: { sub: '' } })],
    ['bound', 'bound to a key', () => issuer.token({ claims: { cnf: { jkt: 'x' } } })],
    ['other_kind', 'of another kind', () => issuer.token({ header: { typ: 'logout+jwt' } })],
    ['other_kind', 'that tells an app who signed in', () => vague({ nonce: 'n' })],
    ['other_kind', 'that came with another', () => vague({ at_hash: 'x' })],
    ['other_kind', 'that came with a code', () => vague({ c_hash: 'x', typ: 'Bearer' })],
    ['other_kind', 'that Keycloak calls an ID token', () => vague({ typ: 'ID' })],
    ['other_kind', 'that Keycloak takes for a new one', () => vague({ typ: 'Refresh' })],
    ['other_kind', 'that Cognito calls an ID token', () => vague({ token_use: 'id' })],
    ['key_unknown', 'with a key that nobody knows', () => issuer.token({ header: { kid: 'who' } })],
  ];

  it.each(cases)('%s: one %s', async (reason, _, make) => {
    expect(await tokens().findHolder(await make())).toEqual({ ok: false, reason });
  });

  it('signature: one that was changed, and one signed with a key of the same name', async () => {
    const [head, body, signature] = (await issuer.token()).split('.');
    const changed = `${head}.${base64url(issuer.claims({ sub: 'somebody-else' }))}.${signature}`;
    expect(await tokens().findHolder(changed)).toEqual({ ok: false, reason: 'signature' });
    const { privateKey } = await generateKeyPair('ES256');
    expect(await tokens().findHolder(await issuer.token({}, privateKey))).toEqual({
      ok: false,
      reason: 'signature',
    });
    expect(await tokens().findHolder(`${head}.${body}.`)).toEqual({ ok: false, reason: 'signature' });
  });

  it.each(['none', 'None', 'NONE'])('algorithm: nobody signed (%s)', async (alg) => {
    const forged = `${base64url({ alg, typ: 'at+jwt' })}.${base64url(issuer.claims())}.`;
    expect(await tokens().findHolder(forged)).toEqual({ ok: false, reason: 'algorithm' });
  });

  it('algorithm: HS256 with the public key as the secret', async () => {
    await issuer.rotate('RS256');
    const secret = new TextEncoder().encode(await issuer.publicPem());
    const forged = await new SignJWT(issuer.claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'key-2', typ: 'at+jwt' })
      .sign(secret);
    expect(await tokens().findHolder(forged)).toEqual({ ok: false, reason: 'algorithm' });
  });

  it('malformed: what only looks like one', async () => {
    expect(await tokens().findHolder('a.b.c')).toEqual({ ok: false, reason: 'malformed' });
    expect(await tokens().findHolder(`${base64url({ alg: 'RS256' })}.${base64url([])}.AAAA`)).toMatchObject({
      ok: false,
    });
  });

  it('an end a few seconds ago, by our clock, is forgiven; later it is not', async () => {
    const token = await issuer.token({ claims: { exp: now_s() - 5 } });
    const patient = tokens();
    expect(await patient.findHolder(token)).toMatchObject({ ok: true });
    shift_ms = 60_000;
    expect(await patient.findHolder(token)).toEqual({ ok: false, reason: 'expired' });
  });
});

describe('the issuer’s keys', () => {
  it('are asked for once, however many tokens come at once', async () => {
    const token = await issuer.token();
    const other = await issuer.token({ claims: { sub: 'agent-8' } });
    const here = tokens();
    const judged = await Promise.all([token, other, token, other].map((one) => here.findHolder(one)));
    expect(judged.every(({ ok }) => ok)).toBe(true);
    expect(issuer.asked).toEqual(['/.well-known/oauth-authorization-server', '/keys']);
  });

  it.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])(
    'are found by %s',
    async (path) => {
      issuer.metadataPath = path;
      expect(await tokens().findHolder(await issuer.token())).toMatchObject({ ok: true });
    },
  );

  it('are looked for at the address in the settings, and nowhere else, when there is one', async () => {
    const here = tokens({}, { jwks_url: `${issuer.origin}/keys` });
    expect(await here.findHolder(await issuer.token())).toMatchObject({ ok: true });
    expect(issuer.asked).toEqual(['/keys']);
  });

  it('that are new count once the time between two questions is over', async () => {
    const patient = tokens();
    const quick = tokens({}, { cooldown_ms: 0 });
    const old = await issuer.token();
    await patient.findHolder(old);
    await quick.findHolder(old);
    await issuer.rotate();
    const fresh = await issuer.token();
    expect(await patient.findHolder(fresh)).toEqual({ ok: false, reason: 'key_unknown' });
    expect(await quick.findHolder(fresh)).toMatchObject({ ok: true });
    const asked = issuer.asked.length;
    for (const kid of ['x', 'y', 'z']) await patient.findHolder(await issuer.token({ header: { kid } }));
    expect(issuer.asked).toHaveLength(asked);
  });

  it.each([
    ['status', 'bad_status'],
    ['long', 'too_long'],
    ['no_json', 'not_json'],
  ] as const)('that can’t be read (%s) make no good token a bad one', async (trouble, why) => {
    issuer.trouble = trouble;
    const here = tokens();
    const token = await issuer.token();
    expect(await here.findHolder(token)).toEqual({ ok: false, reason: 'keys_unavailable', retry_after_s: 1 });
    expect(reported).toEqual([['issuer_silent', { why, retry_after_ms: 1_000 }]]);
    const asked = issuer.asked.length;
    expect(await here.findHolder(token)).toMatchObject({ reason: 'keys_unavailable' });
    expect(issuer.asked).toHaveLength(asked);
    issuer.trouble = 'none';
    shift_ms += 2_000;
    expect(await here.findHolder(token)).toMatchObject({ ok: true });
  });

  it('of an issuer that does not answer are not waited for without end', async () => {
    issuer.trouble = 'hang';
    const access = { fetch, call_ms: 50, answer_max_bytes: 1_000 };
    expect(await tokens({}, { access }).findHolder(await issuer.token())).toMatchObject({
      reason: 'keys_unavailable',
    });
    expect(reported).toMatchObject([['issuer_silent', { why: 'timed_out' }]]);
  });

  it('of an issuer that calls itself otherwise are not asked for', async () => {
    issuer.calledItself = 'https://login.example.com';
    expect(await tokens().findHolder(await issuer.token())).toMatchObject({ reason: 'keys_unavailable' });
    expect(issuer.asked).not.toContain('/keys');
    expect(reported).toMatchObject([['issuer_silent', { why: 'other_issuer' }]]);
  });

  it('serve on while the issuer is down, also when strangers make us ask for others', async () => {
    const here = tokens({ verified_max_ms: 0 }, { cooldown_ms: 0 });
    const token = await issuer.token();
    await here.findHolder(token);
    issuer.trouble = 'status';
    const stranger = await issuer.token({ header: { kid: 'who' } });
    expect(await here.findHolder(stranger)).toMatchObject({ reason: 'keys_unavailable' });
    const asked = issuer.asked.length;
    expect(await here.findHolder(stranger)).toMatchObject({ reason: 'keys_unavailable' });
    expect(issuer.asked).toHaveLength(asked);
    expect(await here.findHolder(token)).toMatchObject({ ok: true });
  });
});

describe('what was found good', () => {
  /** How often a key was looked for: once a verification. */
  function counted(options: Partial<OAuthTokensOptions>) {
    const real = keys();
    let times = 0;
    const find: IssuerKeys['find'] = (...header) => {
      times += 1;
      return real.find(...header);
    };
    return { here: tokens({ keys: { find }, ...options }), times: () => times };
  }

  it('is not verified again, until its end or its time in memory', async () => {
    const { here, times } = counted({ verified_max_ms: 60_000 });
    const token = await issuer.token();
    for (let i = 0; i < 3; i += 1) expect(await here.findHolder(token)).toMatchObject({ ok: true });
    expect(times()).toBe(1);
    shift_ms += 61_000;
    await here.findHolder(token);
    expect(times()).toBe(2);
    shift_ms += HOUR_S * 1000;
    expect(await here.findHolder(token)).toEqual({ ok: false, reason: 'expired' });
  });

  it('is forgotten longest unused first, when there is no room', async () => {
    const { here, times } = counted({ verified_max: 2 });
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map((sub) => issuer.token({ claims: { sub } })) as [
        Promise<string>,
        Promise<string>,
        Promise<string>,
      ],
    );
    for (const token of [a, b, a, c]) await here.findHolder(token);
    expect(times()).toBe(3);
    await here.findHolder(a);
    expect(times()).toBe(3);
    await here.findHolder(b);
    expect(times()).toBe(4);
  });
});
