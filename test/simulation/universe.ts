/**
 * A universe of its own for everything in this process: virtual time, seeded chance, and lives that can end between any
 * two steps. What the program takes from the machine (timers, clocks, random bytes) comes from here, so that the program
 * itself needs no seam for it. Installed once, before anything of the program is loaded.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timersPromises from 'node:timers/promises';
import { Dice } from './dice.js';

/** When every story begins. */
export const STORY_START_MS = Date.UTC(2026, 10, 23, 12);

/** Something that can die: a server, an agent, one request at the shop. What it has asked for then never comes. */
export class Life {
  readonly name: string;
  #is_dead = false;
  #on_death: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isDead(): boolean {
    return this.#is_dead;
  }

  onDeath(act: () => void): void {
    this.#on_death.push(act);
  }

  die(): void {
    if (this.#is_dead) return;
    this.#is_dead = true;
    for (const act of this.#on_death.splice(0)) act();
  }
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  Date: globalThis.Date,
  fetch: globalThis.fetch,
};

const lives = new AsyncLocalStorage<Life>();
let present: Universe | null = null;

/** Whose code is running. */
export function currentLife(): Life | undefined {
  return lives.getStore();
}

class Timer {
  at_ms: number;
  readonly order: number;
  readonly life: Life | undefined;
  readonly act: () => void;
  is_cleared = false;

  constructor(at_ms: number, order: number, life: Life | undefined, act: () => void) {
    this.at_ms = at_ms;
    this.order = order;
    this.life = life;
    this.act = act;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/** So many events in one millisecond are a program that goes round and round. */
const EVENTS_PER_MS_MAX = 4_000;

/** Something is done again and again without any time passing: on a real machine it would eat a processor. */
export class Spinning extends Error {
  override readonly name = 'Spinning';
}

export class Universe {
  readonly dice: Dice;
  /** Virtual time, in milliseconds since 1970. Never goes back. */
  now_ms = STORY_START_MS;
  /** How far the servers' wall clock is from that. */
  wall_offset_ms = 0;
  /** Events that have happened. */
  steps = 0;
  /** Answers every request of the program; the network. */
  fetch: typeof fetch = async () => {
    throw new TypeError('there is no network yet');
  };
  readonly #seed: number;
  readonly #heap: Timer[] = [];
  #order = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.dice = new Dice(seed);
  }

  /** From now on the machine is this one; null gives the real one back. */
  static enter(universe: Universe | null): void {
    install();
    present = universe;
  }

  wall(): number {
    return this.now_ms + this.wall_offset_ms;
  }

  monotonic(): number {
    return this.now_ms - STORY_START_MS;
  }

  /** A number in [0, 1) that hangs on what it is for and when, and on nothing that was drawn before it. */
  chanceOf(label: string): number {
    const text = `${this.#seed} ${this.now_ms} ${label}`;
    return crypto.createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
  }

  within<T>(life: Life, act: () => T): T {
    return lives.run(life, act);
  }

  after(ms: number, act: () => void, life: Life | undefined = currentLife()): Timer {
    this.#order += 1;
    const timer = new Timer(this.now_ms + Math.max(0, Math.ceil(Number(ms) || 0)), this.#order, life, act);
    push(this.#heap, timer);
    return timer;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resume) => this.after(ms, resume));
  }

  /** Does what is due, event by event, until it is that late. `after` is called when an event has had all its effects. */
  async runUntil(end_ms: number, after: () => void): Promise<void> {
    let at_once = 0;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at_ms > end_ms) break;
      pop(this.#heap);
      if (next.is_cleared || next.life?.isDead === true) continue;
      at_once = next.at_ms > this.now_ms ? 0 : at_once + 1;
      if (at_once > EVENTS_PER_MS_MAX)
        throw new Spinning(`${next.life?.name ?? 'somebody'} goes round and round`);
      this.now_ms = Math.max(this.now_ms, next.at_ms);
      this.steps += 1;
      if (next.life === undefined) lives.exit(next.act);
      else lives.run(next.life, next.act);
      // All microtasks, and what they bring about, before the next event.
      await new Promise<void>((resume) => real.setImmediate(resume));
      after();
    }
    this.now_ms = end_ms;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !isBefore(timer, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let down = at * 2 + 1;
    let child = heap[down];
    const other = heap[down + 1];
    if (child !== undefined && other !== undefined && isBefore(other, child)) {
      down += 1;
      child = other;
    }
    if (child === undefined || !isBefore(child, last)) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = last;
}

let is_installed = false;

/** Puts the universe in the place of the machine, for this process and for good. */
function install(): void {
  if (is_installed) return;
  is_installed = true;
  installTimers();
  installClocks();
  installChance();
  globalThis.fetch = (input, init) =>
    present === null ? real.fetch(input, init) : present.fetch(input, init);
  // Fairness between processes is over sockets, and a universe has none: the program does without, as it does where a
  // file system can't have them.
  const { createServer } = net;
  net.createServer = ((...args: Parameters<typeof createServer>) => {
    if (present !== null) throw new Error('there are no sockets in here');
    return createServer(...args);
  }) as typeof createServer;
  syncBuiltinESMExports();
}

function installTimers(): void {
  const later = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown =>
    present === null ? real.setTimeout(act, ms, ...args) : present.after(ms, () => act(...args));
  const clear = (timer: unknown): void => {
    if (timer instanceof Timer) timer.is_cleared = true;
    else real.clearTimeout(timer as NodeJS.Timeout);
  };
  const every = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown => {
    const first = later(tick, ms);
    function tick(): void {
      act(...args);
      if (first instanceof Timer && !first.is_cleared) {
        const next = later(tick, ms);
        if (next instanceof Timer) Object.defineProperty(next, 'is_cleared', { get: () => first.is_cleared });
      }
    }
    return first;
  };
  Object.assign(globalThis, {
    setTimeout: later,
    clearTimeout: clear,
    setInterval: every,
    clearInterval: clear,
    setImmediate: (act: (...args: unknown[]) => void, ...args: unknown[]) =>
      present === null ? real.setImmediate(act, ...args) : present.after(0, () => act(...args)),
    clearImmediate: clear,
  });
  AbortSignal.timeout = (ms) => {
    const limit = new AbortController();
    later(
      () => limit.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      ms,
    );
    return limit.signal;
  };
  const wait = <T>(ms = 0, value?: T, options: { signal?: AbortSignal | undefined } = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const give_up = () => {
        clear(timer);
        reject(new DOMException('The operation was aborted', 'AbortError'));
      };
      const timer = later(() => {
        signal?.removeEventListener('abort', give_up);
        resolve(value as T);
      }, ms);
      if (signal?.aborted === true) give_up();
      else signal?.addEventListener('abort', give_up, { once: true });
    });
  timersPromises.setTimeout = wait as typeof timersPromises.setTimeout;
}

function installClocks(): void {
  const RealDate = real.Date;
  const now = (): number => (present === null ? RealDate.now() : present.wall());
  class VirtualDate extends RealDate {
    constructor(...args: [] | [number]) {
      super(...((args.length === 0 ? [now()] : args) as [number]));
    }
  }
  VirtualDate.now = now;
  globalThis.Date = VirtualDate as DateConstructor;
  const tick = performance.now.bind(performance);
  performance.now = () => (present === null ? tick() : present.monotonic());
}

function installChance(): void {
  const { randomBytes, randomUUID } = crypto;
  const { random } = Math;
  Math.random = () => (present === null ? random() : present.dice.next());
  const bytes = (size: number): Buffer => {
    const universe = present;
    if (universe === null) return randomBytes(size);
    return Buffer.from(Array.from({ length: size }, () => Math.floor(universe.dice.next() * 256)));
  };
  crypto.randomBytes = bytes as typeof randomBytes;
  crypto.randomUUID = ((options) => {
    if (present === null) return randomUUID(options);
    const hex = bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }) as typeof randomUUID;
}
