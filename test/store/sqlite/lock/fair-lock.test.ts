import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { socketTurnstile, type TurnLimits } from '../../../../src/store/sqlite/lock/fair-lock.js';
import { TurnQueue } from '../../../../src/store/sqlite/lock/turn-queue.js';
import { meetingPlace } from '../../../../src/store/sqlite/lock/turn-socket.js';
import { requireBuilt } from '../../../helpers/built.js';

/** Out of reach: what these tests see is never the clock's doing. */
const NEVER: TurnLimits = { hold_max_ms: 600_000, wait_max_ms: 600_000 };

let folder: string;
let path: string;
let takers: Taker[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turn-'));
  path = join(folder, 'l.db');
  takers = [];
});

afterEach(async () => {
  await Promise.all(takers.map((taker) => taker.kill()));
  rmSync(folder, { recursive: true, force: true });
});

/** A real process with a turnstile on the file. */
class Taker {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #calls = 0;

  constructor(limits: TurnLimits, at = path) {
    const argument = JSON.stringify({ path: at, limits });
    requireBuilt();
    this.#child = fork(new URL('turn-taker.mjs', import.meta.url), [argument]);
    this.#child.setMaxListeners(50);
    this.#gone = once(this.#child, 'exit');
    takers.push(this);
  }

  async call(command: string, rest: object = {}): Promise<{ waited: boolean }> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = new Promise<{ waited: boolean }>((resolve, reject) => {
      const listen = (message: { id: number; answer: { waited: boolean } }): void => {
        if (message.id !== id) return;
        this.#child.off('message', listen);
        resolve(message.answer);
      };
      this.#child.on('message', listen);
      void this.#gone.then(() => reject(new Error('the process is gone')));
    });
    this.#child.send({ id, command, ...rest });
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    await this.#gone;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#gone;
  }
}

/** The first is the arbiter, the others are its clients. */
async function meet(count: number, limits: TurnLimits = NEVER, at = path): Promise<[Taker, ...Taker[]]> {
  const arbiter = new Taker(limits, at);
  await until(() => existsSync(place(at)));
  const clients = Array.from({ length: count - 1 }, () => new Taker(limits, at));
  await Promise.all(clients.map((client) => client.call('join')));
  return [arbiter, ...clients];
}

function place(at = path): string {
  return meetingPlace(at) ?? expect.fail('no place for a socket');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

/** Lets each take many turns at once; who had them, in order. One keeps the turn until all have asked. */
async function spin(spinners: readonly [Taker, ...Taker[]], turns: number): Promise<string> {
  const [gate] = spinners;
  const log = join(folder, 'log');
  writeFileSync(log, '');
  await gate.call('enter');
  await Promise.all(spinners.map((taker) => taker.call('ask')));
  const spinning = spinners.map((taker, n) =>
    taker.call('spin', { name: String.fromCharCode(65 + n), turns, log }),
  );
  await gate.call('leave');
  await Promise.all(spinning);
  return readFileSync(log, 'utf8');
}

/** Of the rounds that may be out of order: a process that the machine keeps waiting asks later than it would. */
const UNEVEN_ROUNDS_MAX = 0.1;

/** While all of them are at it, everybody has one turn between two of another. */
function expectRoundRobin(log: string, names: readonly string[]): void {
  const begin = Math.max(...names.map((name) => log.indexOf(name)));
  const end = Math.min(...names.map((name) => log.lastIndexOf(name)));
  const shared = log.slice(begin, end);
  expect(shared.length).toBeGreaterThan(names.length * 10);
  const rounds = names.flatMap((name) => {
    const others = names.filter((other) => other !== name).join('');
    const between = shared.split(name).slice(1, -1);
    return between.map((turns) => [...turns].sort().join('') === others);
  });
  const uneven = rounds.filter((even) => !even).length;
  expect(uneven / rounds.length, shared).toBeLessThan(UNEVEN_ROUNDS_MAX);
}

/** Several may have tried to be the new arbiter: until they agree on one, order is not promised. */
async function expectOrderReturns(takers: readonly [Taker, ...Taker[]]): Promise<void> {
  const names = takers.map((_, n) => String.fromCharCode(65 + n));
  for (let tries = 1; tries < AGREED_AFTER_SPINS; tries += 1) {
    const log = await spin(takers, 60);
    try {
      expectRoundRobin(log, names);
      return;
    } catch {
      await settled([...takers]);
    }
  }
  expectRoundRobin(await spin(takers, 60), names);
}

const AGREED_AFTER_SPINS = 4;

describe('the queue', () => {
  test('grants in the order of asking, one at a time', () => {
    const queue = new TurnQueue(1000);
    const log: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ grant: () => void log.push(name) }));
    for (const party of [a, b, c, b]) if (party) queue.ask(party);
    expect(log).toEqual(['a']);
    if (a && b && c) {
      queue.leave(c);
      queue.leave(a);
      queue.ask(c);
      queue.ask(a);
      expect(log).toEqual(['a', 'b']);
      queue.leave(b);
      queue.leave(c);
      queue.leave(a);
    }
    expect(log).toEqual(['a', 'b', 'c', 'a']);
    expect(queue.isFree).toBe(true);
  });

  test('who keeps the turn past the limit loses it, and giving it back late takes nobody else’s', () => {
    vi.useFakeTimers();
    try {
      const queue = new TurnQueue(1000);
      const log: string[] = [];
      const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ grant: () => void log.push(name) }));
      for (const party of [a, b, c]) if (party) queue.ask(party);
      vi.advanceTimersByTime(1000);
      expect(log).toEqual(['a', 'b']);
      if (a) queue.leave(a);
      expect(log).toEqual(['a', 'b']);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('one process alone', () => {
  test('enters at once, and leaves no socket behind however often it is closed', async () => {
    const turnstile = socketTurnstile(path);
    expect(turnstile.enter()).toBeTypeOf('function');
    await until(() => existsSync(place()));
    expect(turnstile.enter()).toBeTypeOf('function');
    expect(lstatSync(place()).mode & 0o777).toBe(0o600);
    await turnstile.close();
    await turnstile.close();
    expect(existsSync(place())).toBe(false);
    expect(turnstile.enter()).toBeTypeOf('function');
  });

  test('is not kept alive by it', async () => {
    const [arbiter, client] = await meet(2);
    await client?.call('forget');
    await arbiter.call('forget');
    expect(await client?.ended()).toBe(0);
    expect(await arbiter.ended()).toBe(0);
  });

  test('does without where no socket can be made', async () => {
    const turnstile = socketTurnstile(join(folder, 'no', 'such', 'folder', 'l.db'));
    await pause(20);
    expect(turnstile.enter()).toBeTypeOf('function');
    await turnstile.close();
  });

  test('leaves alone what is no socket of its own', async () => {
    writeFileSync(place(), 'somebody’s');
    const turnstile = socketTurnstile(path);
    for (let n = 0; n < 50; n += 1) {
      expect(turnstile.enter()).toBeTypeOf('function');
      await pause(1);
    }
    await turnstile.close();
    expect(readFileSync(place(), 'utf8')).toBe('somebody’s');
  });

  test('a file in memory has nobody to share with', () => {
    expect(socketTurnstile(':memory:').enter()).toBeTypeOf('function');
  });
});

describe('several processes', () => {
  test('take turns strictly in the order of asking, the arbiter too', async () => {
    const group = await meet(4);
    expectRoundRobin(await spin(group, 100), ['A', 'B', 'C', 'D']);
  });

  test('meet although the path is too long for a socket', async () => {
    const deep = join(folder, 'x'.repeat(100));
    mkdirSync(deep);
    const at = join(deep, 'l.db');
    expect(place(at).startsWith(deep)).toBe(false);
    const group = await meet(3, NEVER, at);
    expectRoundRobin(await spin(group, 60), ['A', 'B', 'C']);
    await group[0].call('close');
  });

  test('meet by whatever name they call the file', () => {
    expect(meetingPlace(join(folder, '.', 'x', '..', 'l.db'))).toBe(meetingPlace(path));
  });

  test('a process that dies in its turn gives it back', async () => {
    const [arbiter, dying, waiting] = await meet(3);
    await dying?.call('enter');
    const entered = waiting?.call('enter');
    await dying?.kill();
    expect(await entered).toEqual({ waited: true });
    await waiting?.call('leave');
    await arbiter.call('enter');
  });

  test('a process that hangs in its turn loses it', async () => {
    const [arbiter, hanging, waiting] = await meet(3, { ...NEVER, hold_max_ms: 50 });
    await hanging?.call('enter');
    hanging?.signal('SIGSTOP');
    expect(await waiting?.call('enter')).toEqual({ waited: true });
    await waiting?.call('leave');
    await arbiter.call('enter');
    await arbiter.call('leave');
    // When it goes on it gives back what is not its own any more, and queues like everybody.
    hanging?.signal('SIGCONT');
    await hanging?.call('leave');
    expect(await hanging?.call('enter')).toEqual({ waited: true });
  });

  test('an arbiter that is killed in its turn is succeeded by another, and order returns', async () => {
    const [arbiter, ...clients] = await meet(4);
    const before = lstatSync(place()).ino;
    await arbiter.call('enter');
    const entered = clients.map((client) => client.call('enter'));
    arbiter.signal('SIGKILL');
    // One after the other, or together for a moment: but all of them.
    for (const [n, client] of clients.entries()) void entered[n]?.then(() => client.call('leave'));
    await Promise.all(entered);
    await until(() => existsSync(place()) && lstatSync(place()).ino !== before);
    // Whoever comes now is a client of the new one.
    const late = new Taker(NEVER);
    await late.call('join');
    await settled([...clients, late]);
    await expectOrderReturns([late, ...clients]);
  });

  test('an arbiter that is killed while all are busy loses nobody a turn', async () => {
    const [arbiter, ...clients] = await meet(4);
    const log = join(folder, 'log');
    writeFileSync(log, '');
    await Promise.all([arbiter, ...clients].map((taker) => taker.call('ask')));
    const spinning = clients.map((client, n) => client.call('spin', { name: String(n), turns: 200, log }));
    void arbiter.call('spin', { name: 'a', turns: 1_000_000, log }).catch(() => undefined);
    await until(() => readFileSync(log, 'utf8').length > 100);
    arbiter.signal('SIGKILL');
    await Promise.all(spinning);
    const turns = readFileSync(log, 'utf8');
    for (const n of clients.keys()) expect(turns.split(String(n)).length - 1).toBe(200);
  });

  test('an arbiter that closes is succeeded', async () => {
    const [arbiter, first, second] = await meet(3);
    await arbiter.call('close');
    await until(() => existsSync(place()));
    await settled([first, second].filter((taker) => taker !== undefined));
  });

  test('an arbiter that hangs holds nobody up for longer than the limit, and never twice', async () => {
    const [arbiter, client] = await meet(2, { ...NEVER, wait_max_ms: 50 });
    arbiter.signal('SIGSTOP');
    expect(await client?.call('enter')).toEqual({ waited: true });
    await client?.call('leave');
    expect(await client?.call('enter')).toEqual({ waited: false });
    await client?.call('leave');
    arbiter.signal('SIGCONT');
    await client?.call('join');
  });

  test('a socket that a killed process left behind is replaced', async () => {
    const [killed] = await meet(2);
    for (const taker of takers) taker.signal('SIGKILL');
    await Promise.all(takers.map((taker) => taker.kill()));
    expect(existsSync(place())).toBe(true);
    const before = lstatSync(place()).ino;
    const first = new Taker(NEVER);
    await until(() => lstatSync(place()).ino !== before);
    const second = new Taker(NEVER);
    await second.call('join');
    expectRoundRobin(await spin([first, second], 50), ['A', 'B']);
    expect(killed).toBeDefined();
  });

  test('a socket file that is taken away under the arbiter comes back', async () => {
    const [arbiter, client] = await meet(2);
    rmSync(place());
    await until(() => existsSync(place()));
    await settled([arbiter, client].filter((taker) => taker !== undefined));
  });
});

/** Until all but one of them are clients of that one. */
async function settled(group: readonly Taker[]): Promise<void> {
  let joined = 0;
  for (const taker of group) {
    void taker.call('join').then(
      () => {
        joined += 1;
      },
      () => undefined,
    );
  }
  await until(() => joined >= group.length - 1);
}
