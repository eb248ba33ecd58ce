/** A stdio server that can't serve a shop: it tells why to whoever reads an answer, and it always ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHoldfast, scratchFolder } from '../helpers/cli.js';
import { HOLDFAST } from './any-client.js';

/** Longer than any start; shorter than anybody waits. */
const END_MAX_MS = 20_000;

let folder: ReturnType<typeof scratchFolder>;
beforeEach(() => {
  folder = scratchFolder();
});
afterEach(() => folder.remove());

/** What a client hears: the instructions, the names of the tools, and the refusal of a call. */
async function heardBy(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const client = new Client({ name: 'unconfigured', version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [HOLDFAST, ...args],
    env: { ...getDefaultEnvironment(), ...env },
    cwd: folder.path,
    stderr: 'ignore',
  });
  await client.connect(transport);
  try {
    const instructions = client.getInstructions() ?? '';
    const { tools } = await client.listTools();
    const { isError, structuredContent } = await client.callTool({
      name: 'find_items',
      arguments: { query: 'x' },
    });
    const { error } = structuredContent as { error: { code: string; message: string; retry: string } };
    return { instructions, names: tools.map(({ name }) => name), isError, ...error };
  } finally {
    await client.close();
  }
}

describe('a stdio server without usable settings', () => {
  it('answers initialize and every tool with what is to be done', async () => {
    const heard = await heardBy(['serve']);
    expect(heard).toMatchObject({ isError: true, code: 'not_configured', retry: 'never' });
    expect(heard.message).toMatch(
      /^Holdfast is not configured yet: run holdfast init\. SHOPIFY_SHOP is not set\./,
    );
    expect(heard.message).toContain(`node "${HOLDFAST}"`);
    expect(heard.instructions).toContain(heard.message);
    expect(heard.names).toHaveLength(6);
  });

  it('names the settings file that is not there, and how to make it', async () => {
    const file = join(folder.path, 'data', '.env');
    const { message } = await heardBy(['serve', '--env', file]);
    expect(message).toContain(`not configured yet: run holdfast init. There is no file ${file}.`);
    expect(message).toContain(`holdfast init --file "${file}"`);
  });

  it.each([
    ['a bad value', { HOLDFAST_LOW_STOCK: 'five' }, 'HOLDFAST_LOW_STOCK wants a whole number'],
    ['a token without a shop', { SHOPIFY_ACCESS_TOKEN: 'shpat_0123456789abcdef' }, 'SHOPIFY_SHOP is not set'],
  ])('says of %s which setting is wrong, and never that nothing is configured', async (_, env, why) => {
    const { message } = await heardBy(['serve'], env);
    expect(message).toContain(`can’t start with its settings. `);
    expect(message).toContain(why);
    expect(message).not.toContain('not configured');
    expect(message).not.toContain('shpat_');
  });

  it('says the same to a script, and ends with the code for a wrong set-up', async () => {
    const { status, out, err } = await runHoldfast(['serve'], { cwd: folder.path });
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain('SHOPIFY_SHOP is not set. holdfast init');
  });

  it('waits for nobody over HTTP', async () => {
    expect(await runHoldfast(['serve', '--http'], { cwd: folder.path })).toMatchObject({
      status: 2,
      out: '',
    });
  });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [HOLDFAST, ...args], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'] ?? '', HOLDFAST_LOG_LEVEL: 'error', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

async function exitCode(child: ChildProcess): Promise<number | string | null> {
  const late = setTimeout(() => child.kill('SIGKILL'), END_MAX_MS);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(late);
  return signal ?? code;
}

/** At a terminal, which Python lends: what the screen shows until the end. `typed` is sent as soon as `wanted` is there. */
async function screenOf(args: readonly string[], wanted: string, typed: string): Promise<string> {
  const script = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  const child = spawn('python3', ['-c', script, process.execPath, HOLDFAST, ...args], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'] ?? '', HOLDFAST_LOG_LEVEL: 'error' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const had = screen.includes(wanted);
    screen += text;
    if (!had && screen.includes(wanted)) child.stdin.write(typed);
  });
  const code = await exitCode(child);
  return `${screen}[exit ${code}]`;
}

const CTRL_D = '\u0004';

describe('at a terminal', () => {
  it('serve says what it waits for, and ends with Ctrl-D', async () => {
    const screen = await screenOf(['serve', '--sandbox'], 'waits for a client', CTRL_D);
    expect(screen).toMatch(
      /waits for a client to talk to it[\s\S]*holdfast init[\s\S]*--http[\s\S]*\[exit 0\]$/,
    );
  });

  it('serve without settings does not wait: a person reads what is missing', async () => {
    const screen = await screenOf(['serve'], 'never there', '');
    expect(screen).toMatch(/SHOPIFY_SHOP is not set[\s\S]*\[exit 2\]$/);
  });
});

describe('the end of a stdio server', () => {
  it.each([
    ['whose folder is missing', () => join(folder.path, 'none', 'ledger.db')],
    [
      'that is no ledger',
      () => {
        const path = join(folder.path, 'ledger.db');
        writeFileSync(path, 'a letter to my aunt, of some length, so that SQLite looks at it. '.repeat(40));
        return path;
      },
    ],
  ])(
    'comes with exit code 1 when the sandbox can’t be served with a ledger %s, though its client stays',
    async (_, path) => {
      expect(await exitCode(start(['serve', '--sandbox'], { HOLDFAST_DB: path() }))).toBe(1);
    },
  );

  it.each([
    ['serves', ['serve', '--sandbox']],
    ['is not configured', ['serve']],
  ])(
    'comes with the end of its input while it %s, though its client reads nothing of what it was sent',
    async (_, args) => {
      const child = start(args);
      const send = (message: object): void => {
        child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      };
      const clientInfo = { name: 'deaf', version: '1' };
      send({
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
      });
      send({ method: 'notifications/initialized' });
      // More than a pipe holds, so that answers are on their way for ever.
      for (let id = 2; id < 200; id += 1) send({ id, method: 'tools/list', params: {} });
      await once(child.stdout as NodeJS.EventEmitter, 'readable');
      child.stdin?.end();
      expect(await exitCode(child)).not.toBe('SIGKILL');
    },
  );
});
