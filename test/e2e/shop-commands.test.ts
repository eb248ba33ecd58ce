/** `holdfast init`, `sync` and `reconcile` as a merchant runs them, against the sandbox shop over HTTP. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_SKUS } from '../../src/sandbox/base/catalogue.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { runHoldfast, scratchFolder, startHoldfast, until } from '../helpers/cli.js';
import { HOLDFAST } from './any-client.js';

const SHOP = 'sandbox.myshopify.com';

let folder: ReturnType<typeof scratchFolder>;
let sandbox: SandboxServer;
let env: Record<string, string>;
let terminal: ChildProcess | null;

beforeEach(async () => {
  terminal = null;
  folder = scratchFolder();
  sandbox = new SandboxServer();
  const { origin } = await sandbox.start();
  env = { SHOPIFY_SHOP: SHOP, SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox', SHOPIFY_ORIGIN: origin };
});
afterEach(async () => {
  // What was asked hangs up with its terminal.
  terminal?.kill();
  await sandbox.stop();
  folder.remove();
});

const path = (name: string): string => join(folder.path, name);
const run = (...args: string[]) => runHoldfast(args, { cwd: folder.path, env });

function tamper(sql: string): void {
  const db = new (loadDriver())(path('holdfast.db'));
  db.exec(sql);
  db.close();
}

describe('sync', () => {
  test('reads the whole shop into a ledger that it makes, and says what it did', async () => {
    const { status, out, err } = await run('sync');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^✓ 61 items with \d+ stock levels read \(/);
    expect(JSON.parse((await run('sync', '--json')).out)).toMatchObject({
      ok: true,
      items_read: 61,
      is_first: false,
    });
    expect(JSON.parse((await run('verify', '--json')).out)).toMatchObject({ ok: true });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'is left cleanly by %s: the next one finds nothing in its way',
    async (signal) => {
      await run('sync');
      sandbox.faults.add({ operation: 'inventoryItems', when: 'before', action: 'delay', ms: 600_000 });
      const reading = startHoldfast(['sync'], { cwd: folder.path, env });
      await until(() => sandbox.faults.list().length === 0);
      reading.kill(signal);
      const { status, out, err } = await reading.done;
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toContain('Stopped before the end');
      expect(await run('sync')).toMatchObject({ status: 0 });
    },
  );

  test('gives way to a server that keeps the ledger in step, and says which', async () => {
    const serving = startHoldfast(['serve', '--http'], {
      cwd: folder.path,
      env: { ...env, HOLDFAST_HTTP_PORT: '0' },
    });
    try {
      await until(async () => (await run('doctor')).out.includes('The ledger was confirmed'));
      for (const command of ['sync', 'reconcile']) {
        const { status, out, err } = await run(command);
        expect({ status, out }).toEqual({ status: 1, out: '' });
        expect(err).toContain(`Another holdfast (process ${serving.pid}) keeps this ledger in step`);
        expect(JSON.parse((await run(command, '--json')).out)).toMatchObject({
          ok: false,
          code: 'lease_taken',
        });
      }
    } finally {
      serving.kill('SIGTERM');
      await serving.done;
    }
    expect(await run('sync')).toMatchObject({ status: 0 });
  });

  test('says when the shop will not, and sends on to the doctor', async () => {
    env = { ...env, SHOPIFY_ACCESS_TOKEN: 'shpat_wrong' };
    const { status, err } = await run('sync');
    expect(status).toBe(1);
    expect(err).toContain('✗ The shop refused the token. holdfast doctor says more');
    env = {};
    expect(await run('sync')).toMatchObject({
      status: 2,
      err: expect.stringContaining('SHOPIFY_SHOP is not set'),
    });
  });
});

describe('reconcile', () => {
  test('finds what no heartbeat would have shown, lists and corrects it', async () => {
    await run('sync');
    const db = `UPDATE levels SET upstream_available_units = upstream_available_units + 4, upstream_updated_at_ms = upstream_updated_at_ms - 1
      WHERE level_key = (SELECT min(level_key) FROM levels JOIN items USING (item_key) WHERE sku = '${SEED_SKUS.plentiful}')`;
    tamper(db);
    const { status, out } = await run('reconcile');
    expect(status).toBe(0);
    expect(out).toMatch(/^SKU +location +ledger +shop +difference +changed at/);
    expect(out).toMatch(new RegExp(`${SEED_SKUS.plentiful} +\\S.* +-4 `));
    expect(out).toMatch(/\n1 differed \(61 items/);
    expect(await run('reconcile', '--check')).toMatchObject({
      status: 0,
      out: expect.stringContaining('agree'),
    });
    tamper(db);
    const checked = await run('reconcile', '--check', '--json');
    expect(checked.status).toBe(1);
    expect(JSON.parse(checked.out)).toMatchObject({
      drift_total: 1,
      drift: [{ sku: SEED_SKUS.plentiful, difference_units: -4 }],
    });
  });

  test('does not call a sale of this moment drift', async () => {
    await run('sync');
    sandbox.shop.sell(SEED_SKUS.plentiful, 3);
    expect(await run('reconcile', '--check')).toMatchObject({
      status: 0,
      out: expect.stringContaining('agree'),
    });
  });

  test('of a ledger that is new has nothing to compare', async () => {
    expect(await run('reconcile', '--check')).toMatchObject({
      status: 0,
      out: expect.stringContaining('for the first time'),
    });
  });
});

describe('init', () => {
  const initEnv = (): Record<string, string> => ({ SHOPIFY_ORIGIN: env['SHOPIFY_ORIGIN'] ?? '' });
  const init = (input: string, ...args: string[]) =>
    runHoldfast(['init', ...args], { cwd: folder.path, env: initEnv(), input });

  test('with a token from a pipe asks the shop, writes .env, and what it printed for a client works', async () => {
    const { status, out, err } = await init('shpat_sandbox\n', '--shop', 'sandbox', '--yes');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/✓ token +It opens Sandbox Apparel/);
    expect(out).not.toContain('shpat_sandbox');
    expect(statSync(path('.env')).mode & 0o777).toBe(0o600);
    expect(parseEnv(readFileSync(path('.env'), 'utf8'))).toMatchObject({ SHOPIFY_SHOP: SHOP });

    const { mcpServers } = JSON.parse(out.slice(out.indexOf('{'), out.lastIndexOf('}') + 1));
    const { command, args } = mcpServers.holdfast;
    expect(command).toBe(process.execPath);
    expect(args).toEqual([HOLDFAST, 'serve', '--env', path('.env')]);
    // As a desktop client does: from a folder of its own, with nothing of this shell.
    const elsewhere = scratchFolder();
    const [, , ...named] = args;
    const doctor = await runHoldfast(['doctor', '--json', ...named], { cwd: elsewhere.path, env: initEnv() });
    expect(JSON.parse(doctor.out)).toMatchObject({ ok: true });
    expect(existsSync(join(elsewhere.path, 'holdfast.db'))).toBe(false);
    elsewhere.remove();
  });

  test('does not write what the shop refuses', async () => {
    const { status, out } = await init('shpat_wrong\n', '--shop', 'sandbox', '--yes');
    expect(status).toBe(1);
    expect(out).toMatch(/✗ token [\s\S]*\(401\)[\s\S]*Nothing was written/);
    expect(existsSync(path('.env'))).toBe(false);
  });

  test('takes no secret as a word, asks nobody without a terminal, and knows its own options', async () => {
    const refused = await init('', '--shop', 'sandbox', '--token', 'shpat_planted', '--yes');
    expect(refused).toMatchObject({ status: 2, err: expect.stringContaining('--token-file PATH') });
    expect(refused.err).not.toContain('shpat_planted');
    expect(await init('', '--shop', 'sandbox')).toMatchObject({
      status: 2,
      err: expect.stringContaining('say --yes'),
    });
    expect(await init('', '--client', 'emacs', '--yes')).toMatchObject({ status: 2 });
    expect(await init('', '--shop', 'sandbox', '--yes')).toMatchObject({
      status: 2,
      err: expect.stringContaining('How to sign in?'),
    });
    expect(existsSync(path('.env'))).toBe(false);
  });

  test('at a terminal asks one thing after the other, and what is secret is not shown', async () => {
    const answers = ['sandbox', '2', 'shpat_sandbox', '', '', '', '7'];
    const { status, screen } = await atTerminal(['init'], answers, initEnv());
    expect(status).toBe(0);
    expect(screen).toContain('Which shop?');
    expect(screen).toContain('Written:');
    expect(screen).toContain('"mcpServers"');
    expect(screen).not.toContain('shpat_sandbox');
    expect(parseEnv(readFileSync(path('.env'), 'utf8'))).toMatchObject({
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    });
  });

  test('is left with Ctrl-C, and then nothing was written', async () => {
    const { status, screen } = await atTerminal(['init'], ['sandbox', '\u0003'], initEnv());
    expect(status).toBe(1);
    expect(screen).toContain('Left. Nothing more was written.');
    expect(existsSync(path('.env'))).toBe(false);
  });

  test('names a settings file that is not there', async () => {
    expect(await run('doctor', '--env', '/nowhere/.env')).toMatchObject({
      status: 2,
      err: expect.stringContaining('There is no file /nowhere/.env. holdfast init --file'),
    });
    writeFileSync(path('mine.env'), 'SHOPIFY_SHOP=file.myshopify.com\nHOLDFAST_LOW_STOCK=7\n');
    // The environment goes before the file.
    const { out } = await run('doctor', '--env', path('mine.env'));
    expect(out).toContain(`✓ settings       ${SHOP}`);
  });
});

/**
 * A real terminal, by Python's pty: types each answer when a question stands there, and shows what was on the screen.
 */
const TERMINAL = `
import json, os, pty, re, select, sys
args, answers = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(args[0], args)
screen, asked = b'', 0
while True:
    try:
        ready, _, _ = select.select([fd], [], [], 0.3)
        if ready:
            piece = os.read(fd, 65536)
            if not piece:
                break
            screen += piece
            continue
    except OSError:
        break
    said = re.sub(rb'\\x1b\\[[0-9;?]*[A-Za-z]', b'', screen[asked:]).rstrip()
    if answers and said.endswith(b':'):
        asked = len(screen)
        answer = answers.pop(0)
        os.write(fd, answer.encode() if answer == '\\x03' else answer.encode() + b'\\r')
_, status = os.waitpid(pid, 0)
print(json.dumps({'status': os.waitstatus_to_exitcode(status), 'screen': screen.decode('utf8', 'replace')}))
`;

async function atTerminal(
  args: readonly string[],
  answers: readonly string[],
  given: Record<string, string>,
): Promise<{ readonly status: number; readonly screen: string }> {
  const words = JSON.stringify([process.execPath, HOLDFAST, ...args]);
  const child = spawn('python3', ['-c', TERMINAL, words, JSON.stringify(answers)], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder.path, TERM: 'xterm', COLUMNS: '120', ...given },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  terminal = child;
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(out);
}
