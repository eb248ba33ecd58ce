/** One server as a process: the whole program but its sockets, on a file that others may have open, until it is killed. */

import type { Holdfast } from '../../src/app/open-app.js';
import type { Caller } from '../../src/mcp/kit/caller.js';
import { Disk, Killed, putOnDisk } from './disk.js';
import type { Program } from './program.js';
import type { Trace } from './trace.js';
import { Life, type Universe } from './universe.js';

export const WEBHOOK_URL = 'http://127.0.0.1:9/webhooks';

/** No server listens: it is down, or being started. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface Running {
  readonly life: Life;
  readonly disk: Disk;
  readonly holdfast: Holdfast;
}

export interface ServerParts {
  readonly name: string;
  readonly universe: Universe;
  readonly program: Program;
  readonly trace: Trace;
  readonly environment: Readonly<Record<string, string>>;
  /** Told of what the program itself calls a bug. */
  readonly onBug: (what: string) => void;
}

export class ServerProcess {
  readonly name: string;
  readonly #parts: ServerParts;
  #running: Running | null = null;

  constructor(parts: ServerParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  get running(): Running | null {
    return this.#running;
  }

  start(): void {
    const { universe, program, trace, environment } = this.#parts;
    const life = new Life(this.name);
    const disk = new Disk(
      life,
      () => universe.now_ms,
      (fault) => trace.count(fault),
    );
    putOnDisk(life, disk);
    life.onDeath(() => this.#died(life));
    universe.within(life, () => {
      const holdfast = program.openHoldfast(program.readConfig(environment), this.#log(life));
      this.#running = { life, disk, holdfast };
      holdfast.startLoops(WEBHOOK_URL);
    });
    trace.note(universe.now_ms, this.name, 'starts');
  }

  kill(): void {
    this.#running?.life.die();
  }

  /** A call of a tool, as the transport makes it. Rejects when there is no server, or it dies before it has answered. */
  async call(tool: string, args: unknown, caller: Caller) {
    const running = this.#running;
    if (running === null) throw new Unreachable();
    const { holdfast, life } = running;
    const found = this.#parts.program.TOOLS.find(({ name }) => name === tool);
    if (found === undefined) throw new Error(`there is no tool ${tool}`);
    const death = new Promise<never>((_, reject) => life.onDeath(() => reject(new Killed())));
    death.catch(() => undefined);
    const answer = this.#parts.universe.within(life, () => found.run({ ...holdfast.tools, caller }, args));
    answer.catch(() => undefined);
    return Promise.race([answer, death]);
  }

  /** A delivery of a webhook, as the transport hands it in. */
  async admit(headers: Readonly<Record<string, string>>, body: string): Promise<string> {
    const running = this.#running;
    if (running === null) throw new Unreachable();
    const { holdfast, life } = running;
    const death = new Promise<never>((_, reject) => life.onDeath(() => reject(new Killed())));
    death.catch(() => undefined);
    const bytes = Buffer.from(body, 'utf8');
    const admission = this.#parts.universe.within(life, () => holdfast.admit(headers, bytes));
    admission.catch(() => undefined);
    return Promise.race([admission, death]);
  }

  #died(life: Life): void {
    const { universe, trace } = this.#parts;
    if (this.#running?.life === life) this.#running = null;
    trace.count('kills');
    trace.note(universe.now_ms, this.name, 'dies');
  }

  #log(life: Life): Parameters<Program['openHoldfast']>[1] {
    const { universe, trace, onBug } = this.#parts;
    const line =
      (severity: string) =>
      (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        if (life.isDead) return;
        const text = JSON.stringify(fields, (key, value) => (key === 'stack' ? undefined : value));
        trace.note(universe.now_ms, this.name, `${severity} ${event} ${text.slice(0, 300)}`, false);
        if (BUGS.has(event) && !EXCUSED.test(text)) onBug(`${event} ${JSON.stringify(fields)}`);
      };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }
}

const BUGS: ReadonlySet<string> = new Set(['tool_bug', 'outbox_bug', 'order_doubled']);
/** What a full disk, and a lock that others have for too long, do to whoever writes. */
const EXCUSED = /SQLITE_FULL|disk is full|StoreBusy|Killed/u;
