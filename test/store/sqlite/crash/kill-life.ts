/** A process that works on a ledger file until it is killed, and what it was asked and has answered (kill-child.mjs). */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { requireBuilt } from '../../../helpers/built.js';
import { TEST_SETTINGS, TEST_SHOP } from '../../../helpers/ledger.js';

const SCRIPT = fileURLToPath(new URL('./kill-child.mjs', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: answers of a process, as they come
export type Json = any;

export interface Call {
  readonly n: number;
  readonly verb: string;
  readonly args: Json;
  answer?: Json;
}

/** One life: from `go` until somebody kills it. */
export class Life {
  readonly calls = new Map<number, Call>();
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  readonly #closed: Promise<void>;
  #answers = 0;
  #onAnswer = () => {};
  /** Lines that a test must not pass over: a bug of the child, or of ours. */
  #stderr = '';

  constructor() {
    requireBuilt();
    const child = spawn(
      process.execPath,
      [SCRIPT, JSON.stringify({ shop: TEST_SHOP, settings: TEST_SETTINGS })],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    const { stdout, stderr, stdin } = child;
    if (stdout === null || stderr === null || stdin === null) throw new Error('a child without pipes');
    stdin.on('error', () => {});
    stderr.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    // Not the exit: what the dead process has written is still to be read.
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    this.#ready = new Promise((resolve, reject) => {
      createInterface({ input: stdout }).on('line', (line) => {
        const told = parsed(line);
        if (told === null) return;
        if (told.ready === true) resolve();
        else this.#hear(told);
      });
      child.once('exit', () => reject(new Error(`a process ended by itself:\n${this.#stderr}`)));
    });
    this.#ready.catch(() => {});
  }

  get unanswered(): Call[] {
    return [...this.calls.values()].filter(({ answer }) => answer === undefined);
  }

  async go(order: Json): Promise<void> {
    await this.#ready;
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Resolves when it has answered so often, or has ended. */
  async answered(times: number): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#onAnswer = () => {
        if (this.#answers >= times) resolve();
      };
      this.#onAnswer();
    });
    await Promise.race([enough, this.#closed]);
  }

  async kill(): Promise<void> {
    expect(this.#child.exitCode, `a process ended by itself:\n${this.#stderr}`).toBeNull();
    this.#child.kill('SIGKILL');
    await this.#closed;
    expect(this.#child.signalCode, `a process ended by itself:\n${this.#stderr}`).toBe('SIGKILL');
    expect(this.#stderr).toBe('');
  }

  #hear({ n, verb, args, answer }: Json): void {
    const call = this.calls.get(n);
    if (call === undefined) this.calls.set(n, { n, verb, args });
    else {
      call.answer = answer;
      this.#answers += 1;
      this.#onAnswer();
    }
  }
}

/** The last line of a dead process may be cut in the middle: then it was not told. */
function parsed(line: string): Json {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
