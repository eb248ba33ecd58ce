/** The built command as a server in a process of its own, killed and started again at will. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { HOLDFAST, type Json, type ToolAnswer } from './any-client.js';

export class Served {
  readonly #env: Readonly<Record<string, string>>;
  readonly #args: readonly string[];
  readonly #cwd: string;
  #child: ChildProcess | null = null;
  /** Lines of its log since it was started. */
  readonly log: Json[] = [];
  origin = '';

  constructor(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
    this.#cwd = cwd;
    this.#env = env;
    this.#args = ['serve', '--http', ...args];
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [HOLDFAST, ...this.#args], {
      cwd: this.#cwd,
      env: { PATH: process.env['PATH'] ?? '', ...this.#env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.log.length = 0;
    const lines = createInterface(child.stderr);
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        const entry: Json = line.startsWith('{') ? JSON.parse(line) : { msg: line };
        this.log.push(entry);
        if (entry.msg !== 'serving') return;
        this.origin = new URL(entry.mcp).origin;
        resolve();
      });
      child.once('exit', () => reject(new Error(`it ended before it served: ${JSON.stringify(this.log)}`)));
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async call(name: string, args: Record<string, unknown>): Promise<ToolAnswer> {
    const response = await fetch(`${this.origin}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: args },
      }),
    });
    const body = await response.text();
    const data = body.split('\n').find((line) => line.startsWith('data: '));
    return JSON.parse(data?.slice('data: '.length) ?? body).result;
  }

  /** What it counted, by the name of the metric with its label and without our prefix. */
  async metrics(): Promise<Record<string, number>> {
    const text = await (await fetch(`${this.origin}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(
      lines.map((line) => {
        const [name = '', value] = line.split(' ');
        return [name.replace(/^holdfast_/, ''), Number(value)];
      }),
    );
  }

  /** Memory that it has had at most, in bytes; null where the system does not tell. */
  peakMemory(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    } catch {
      return null;
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
