/** The command line as a child process that does not stop the test's own servers, as `spawnSync` would. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathInDist } from './built.js';

export interface Ran {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** Besides PATH and HOME (which is `cwd`). */
  readonly env?: Readonly<Record<string, string>>;
  /** Piped in. Without it the child's input is closed. */
  readonly input?: string;
}

export interface Running {
  readonly pid: number;
  readonly done: Promise<Ran>;
  /** All that was said on stderr so far. */
  err(): string;
  kill(signal: NodeJS.Signals): void;
}

export function runHoldfast(args: readonly string[], options: RunOptions): Promise<Ran> {
  return startHoldfast(args, options).done;
}

export function startHoldfast(args: readonly string[], { cwd, env = {}, input }: RunOptions): Running {
  const child = spawn(process.execPath, [pathInDist('cli/holdfast.js'), ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...driverSetting(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input ?? '');
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const done = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, out, err }));
  });
  return { pid: child.pid ?? 0, done, err: () => err, kill: (signal) => child.kill(signal) };
}

/** Looks again and again until it is so. A test's own time limit ends what never comes. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resume) => setTimeout(resume, 20));
}

export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A child uses the SQLite driver that these tests run on. */
function driverSetting(): Record<string, string> {
  const { HOLDFAST_SQLITE_DRIVER: driver } = process.env;
  return driver === undefined ? {} : { HOLDFAST_SQLITE_DRIVER: driver };
}
