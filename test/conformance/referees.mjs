/** The outsiders who judge: MCP's conformance suite and its inspector, installed apart from Holdfast, run as commands. */

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REFEREES = fileURLToPath(new URL('./referees/', import.meta.url));
const PACKAGES = join(REFEREES, 'node_modules');
const CONFORMANCE = join(PACKAGES, '@modelcontextprotocol/conformance');
const INSPECTOR = join(PACKAGES, '@modelcontextprotocol/inspector/clients/launcher/build/index.js');

const INSTALL_MAX_MS = 300_000;
const RUN_MAX_MS = 120_000;

/** Only if what is there is not what `package.json` names. Rejects when it can't be installed. */
export async function installReferees() {
  const { dependencies } = JSON.parse(readFileSync(join(REFEREES, 'package.json'), 'utf8'));
  if (Object.entries(dependencies).every(([name, version]) => installedVersion(name) === version)) return;
  console.log('Installing the conformance suite and the inspector …');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, stderr } = await run('npm', args, { cwd: REFEREES, limit_ms: INSTALL_MAX_MS });
  if (code !== 0) throw new Error(`The referees can not be installed: npm ci ended with ${code}.\n${stderr}`);
}

/** `conformance ARGS`. Its exit code is not looked at: its reports are. */
export function runConformance(args) {
  const shim = fs.globSync === undefined ? ['--import', join(REFEREES, 'node-20.mjs')] : [];
  return run(process.execPath, [...shim, join(CONFORMANCE, 'dist/index.js'), ...args]);
}

/** `inspector --cli ARGS`, with a home of its own: it keeps what it knows of servers there. */
export function runInspector(args, home) {
  return run(process.execPath, [INSPECTOR, '--cli', ...args], { env: { ...process.env, HOME: home } });
}

/** The scenarios that a revision requires of a server, as the suite froze them. */
export function requirementsOf(revision) {
  const lines = readFileSync(join(CONFORMANCE, 'requirements', `${revision}.yaml`), 'utf8').split('\n');
  const start = lines.indexOf('server:') + 1;
  const length = lines.slice(start).findIndex((line) => /^\S/.test(line) && !line.startsWith('#'));
  const required = lines
    .slice(start, start + length)
    .flatMap((line) => /^ {2}- (\S+)$/.exec(line)?.[1] ?? []);
  if (start === 0 || required.length === 0) throw new Error(`The suite requires nothing for ${revision}?`);
  return required;
}

function installedVersion(name) {
  try {
    return JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}

/** Resolves when it has ended, with what it said; it is killed after `limit_ms`, and then `code` is null. */
function run(command, args, { cwd = tmpdir(), env = process.env, limit_ms = RUN_MAX_MS } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit_ms,
      killSignal: 'SIGKILL',
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (part) => {
        said[name] += part;
      });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}
