/** The ledger's files around a real server: taken away under it, and looked at by the doctor. */

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { type Running, runHoldfast, scratchFolder, startHoldfast, until } from '../helpers/cli.js';
import { HOLDFAST } from './any-client.js';

let folder: ReturnType<typeof scratchFolder>;
let running: Running | null;
const path = (name: string): string => join(folder.path, name);
beforeEach(() => {
  folder = scratchFolder();
  running = null;
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.done;
  folder.remove();
});

const env = { HOLDFAST_DB: './ledger.db', HOLDFAST_HTTP_PORT: '0' };

async function serve(): Promise<Running> {
  const server = startHoldfast(['serve', '--sandbox', '--http'], { cwd: folder.path, env });
  running = server;
  await until(() => server.err().includes('"serving"'));
  return server;
}

describe('a server whose ledger', { timeout: 30_000 }, () => {
  test.each(['ledger.db', 'ledger.db-wal'])(
    '(%s) is deleted stops with a sentence, and not with a stack',
    async (name) => {
      const server = await serve();
      renameSync(path(name), path('elsewhere'));
      const { status, err } = await server.done;
      expect(status).toBe(1);
      expect(err).toContain(`${name} was deleted while holdfast was using it.`);
      expect(err.trimEnd().split('\n').at(-1)).toMatch(/^The file .* start holdfast again\.$/);
    },
  );

  test('is deleted stops on stdio, too, although its client stays', async () => {
    const child = spawn(process.execPath, [HOLDFAST, 'serve', '--sandbox'], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder.path, ...env },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await until(() => existsSync(path('ledger.db-wal')));
    await until(() => err.includes('"shop"'));
    renameSync(path('ledger.db'), path('elsewhere'));
    expect(await ended).toBe(1);
    expect(err).toContain('ledger.db was deleted while holdfast was using it.');
  });

  test('is replaced by another stops, and the next server serves from that', async () => {
    const server = await serve();
    renameSync(path('ledger.db'), path('old.db'));
    writeFileSync(path('ledger.db'), '');
    const { status, err } = await server.done;
    expect(status).toBe(1);
    expect(err).toContain('ledger.db was replaced while holdfast was using it.');
    expect(statSync(path('ledger.db')).size).toBe(0);
    for (const end of ['-wal', '-shm']) renameSync(path(`ledger.db${end}`), path(`old.db${end}`));
    await serve();
  });
});

describe('holdfast doctor', () => {
  const filesFinding = async (): Promise<Finding | undefined> => {
    const { out } = await runHoldfast(['doctor', '--json'], { cwd: folder.path, env });
    const { checks }: { checks: Finding[] } = JSON.parse(out);
    return checks.find(({ check }) => check === 'files');
  };

  test('says which files others may read, and how to close them', async () => {
    expect(await filesFinding()).toMatchObject({ verdict: 'skipped', code: 'none_yet' });
    await serve();
    expect(await filesFinding()).toMatchObject({ verdict: 'ok' });
    chmodSync(path('ledger.db-wal'), 0o640);
    writeFileSync(path('.env'), 'HOLDFAST_LOG_LEVEL=info\n', { mode: 0o644 });
    const found = await filesFinding();
    expect(found).toMatchObject({ verdict: 'warning', code: 'open_to_others' });
    expect(found?.mend).toEqual([expect.stringMatching(/^chmod 600 \S+ledger\.db-wal \S+\.env$/)]);
  });
});

test('a ledger in memory beside a real shop is refused: it would forget what it promised', async () => {
  const shop = { SHOPIFY_SHOP: 'real.myshopify.com', SHOPIFY_ACCESS_TOKEN: 'shpat_planted' };
  for (const command of ['serve', 'sync', 'doctor']) {
    const { status, out, err } = await runHoldfast([command], {
      cwd: folder.path,
      env: { ...shop, HOLDFAST_DB: ':memory:' },
    });
    expect(status).not.toBe(0);
    expect(out + err).toContain('HOLDFAST_DB is :memory:, which forgets');
  }
});
