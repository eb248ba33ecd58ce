/** What a package manager installs for a server: the package and its dependencies, and nothing that only a clone has. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { dependencies, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const HAS_BUILT_IN = major > 22 || (major === 22 && minor >= 16);

let folder: string;
let script: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-install-'));
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'holdfast');
  cpSync(join(ROOT, 'dist'), join(own, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  script = join(own, 'dist', 'cli', 'holdfast.js');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], { preload = '', input = '' } = {}) {
  const flags = preload === '' ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, script, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, HOLDFAST_LOG_LEVEL: 'error' },
    input,
    encoding: 'utf8',
  });
  return { status, stdout, lines: stderr.trim().split('\n') };
}

it('the demo says which package it needs, and how to install it', () => {
  const { status, lines } = run(['demo']);
  expect(status).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/^The demo needs .*"npm i @modelcontextprotocol\/client@\d+\.\d+\.\d+"/),
  ]);
});

const INITIALIZE = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
})}\n`;

describe.runIf(HAS_BUILT_IN)('without a driver that had to be installed', () => {
  it('serves on the SQLite of Node', () => {
    const { status, stdout, lines } = run(['serve', '--sandbox'], { input: INITIALIZE });
    expect(lines).toEqual(['']);
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { serverInfo: { name: 'holdfast' } } });
    expect(status).toBe(0);
  });
});

describe.runIf(!HAS_BUILT_IN)('without a driver on a Node that has none', () => {
  it('says in one sentence what to install', () => {
    const { status, lines } = run(['serve', '--http', '--sandbox']);
    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^Holdfast has no SQLite driver .*"npm i better-sqlite3@12\.11\.1".* newer/),
    ]);
  });

  it('answers a client on stdio with that sentence, which hides what the process writes', () => {
    const call = {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'find_items', arguments: { query: 'shirt' } },
    };
    const input = `${INITIALIZE}${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n${JSON.stringify(call)}\n`;
    const answers = run(['serve', '--sandbox'], { input }).stdout.trim().split('\n');
    expect(answers.at(-1)).toContain('npm i better-sqlite3@12.11.1');
  });

  it('is found by doctor', () => {
    const { stdout } = run(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; code: string }[] };
    expect(checks.find(({ check }) => check === 'ledger')).toMatchObject({ code: 'driver_missing' });
  });
});

it('a Node that is too old gets one sentence, before anything is loaded that it can’t read', () => {
  const [, needed = ''] = /^>=(\d+\.\d+)$/.exec(engines.node) ?? [];
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  const pretend = (node: string): string =>
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } });`;
  for (const old of ['18.20.8', `${neededMajor}.${neededMinor - 1}.9`]) {
    const { status, lines } = run(['--version'], { preload: pretend(old) });
    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringContaining(`Holdfast needs Node ${needed} or newer, and this is Node ${old}`),
    ]);
  }
  expect(run(['--version'], { preload: pretend(`${needed}.0`) }).status).toBe(0);
});
