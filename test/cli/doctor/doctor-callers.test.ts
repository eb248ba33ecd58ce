/** What the doctor makes of tokens and issuers. */

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callersFinding, examineIssuer, readTokensFacts } from '../../../src/cli/doctor/doctor-callers.js';
import { readConfig } from '../../../src/config/config.js';
import { scratchFolder } from '../../helpers/cli.js';
import { RESOURCE, TestIssuer } from '../../helpers/issuer.js';

const NOW_MS = Date.parse('2026-11-23T12:00:00Z');

describe('callers', () => {
  let folder: ReturnType<typeof scratchFolder>;
  beforeEach(() => {
    folder = scratchFolder();
  });
  afterEach(() => folder.remove());

  const entry = { principal: 'a', sha256: 'a'.repeat(64), scopes: ['inventory:read'] };
  const over = { ...entry, sha256: 'b'.repeat(64), expires_at: '2026-11-23T11:00:00Z' };

  const ends = (expires_at: string) => ({ ...entry, principal: 'robot', sha256: 'c'.repeat(64), expires_at });

  function found(list: unknown, mode = 0o600) {
    const path = join(folder.path, 'tokens.json');
    if (list !== null) {
      writeFileSync(path, typeof list === 'string' ? list : JSON.stringify(list));
      chmodSync(path, mode);
    }
    const config = readConfig({ HOLDFAST_TOKENS: path });
    return callersFinding(config, readTokensFacts({ path }, NOW_MS));
  }

  it.each([
    ['fine', 'ok', [entry, over], 0o600],
    ['tokens_missing', 'failed', null, 0o600],
    ['tokens_wrong', 'failed', '[{', 0o600],
    ['open_to_others', 'warning', [entry], 0o644],
    ['nobody', 'warning', [], 0o600],
    ['nobody', 'warning', [over], 0o600],
    ['ending_soon', 'warning', [entry, ends('2026-12-07T12:00:00Z')], 0o600],
    ['fine', 'ok', [entry, ends('2026-12-07T12:00:01Z')], 0o600],
  ] as const)('%s', (code, verdict, list, mode) => {
    const finding = found(list, mode);
    expect(finding).toMatchObject({ code, verdict });
    if (verdict !== 'ok') expect(finding.mend.length).toBeGreaterThan(0);
  });

  it('23: name the one whose token ends first, when, and how many end soon beside it', () => {
    const later = { ...ends('2026-12-01T00:00:00Z'), principal: 'b', sha256: 'd'.repeat(64) };
    const { told, mend } = found([later, ends('2026-11-24T00:00:00Z')]);
    expect(told).toBe(
      'The token of robot ends on 2026-11-24, and 1 more within two weeks: its agent gets in no more then.',
    );
    expect(mend[0]).toContain('holdfast tokens add --principal robot');
  });

  it('are everybody on this machine where no tokens are set', () => {
    expect(callersFinding(readConfig({}), null)).toMatchObject({ code: 'open_to_loopback' });
  });
});

describe('the issuer', () => {
  let issuer: TestIssuer;
  beforeEach(async () => {
    issuer = await TestIssuer.start();
  });
  afterEach(() => issuer.stop());

  const examined = (more: Record<string, string> = {}) => {
    const settings = { HOLDFAST_OAUTH_ISSUER: issuer.origin, HOLDFAST_MCP_URL: RESOURCE, ...more };
    return examineIssuer(readConfig(settings).oauth, fetch);
  };

  it('is fine when it tells its keys', async () => {
    expect(await examined()).toMatchObject({ code: 'fine', verdict: 'ok' });
  });

  it('that is down, or another one, or without keys, is told of with a mend', async () => {
    issuer.trouble = 'status';
    expect(await examined()).toMatchObject({ code: 'silent', verdict: 'failed' });
    issuer.trouble = 'none';
    expect(await examined({ HOLDFAST_OAUTH_ISSUER: `${issuer.origin}/` })).toMatchObject({
      code: 'other_issuer',
    });
    const jwks = { HOLDFAST_OAUTH_JWKS_URL: `${issuer.origin}${issuer.metadataPath}` };
    expect(await examined(jwks)).toMatchObject({
      code: 'no_keys',
      mend: [expect.stringContaining('JWK set')],
    });
  });

  it('is not looked for when none is set', async () => {
    expect(await examineIssuer(null, fetch)).toMatchObject({ code: 'not_configured', verdict: 'skipped' });
  });
});
