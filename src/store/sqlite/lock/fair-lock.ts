/**
 * Fairness between processes on one ledger file: whoever waits longest writes next. A hint, never a lock:
 * SQLite's own lock is the only thing that correctness depends on, so every doubt here ends in "just try".
 *
 * Why it is there: SQLite's lock has no queue. Sixteen busy processes (a stdio server for each client is that
 * shape) were seen to stall single calls for seconds while others got thousands through.
 *
 * The process that came first arbitrates, over a socket beside the file: one byte asks for the turn, one
 * grants it, one gives it back. A socket that closes gives its turn back. When the arbiter dies its clients
 * see their sockets close and elect the next; two arbiters for a moment only compete as they would without.
 */

import type { Socket } from 'node:net';
import { type Party, TurnQueue } from './turn-queue.js';
import { abandon, claim, dial, inodeAt, meetingPlace, type Owned } from './turn-socket.js';

export interface Turnstile {
  /** Resolves, or answers at once when nobody else is there, with the function that gives the turn back. */
  enter(): Promise<() => void> | (() => void);
  close(): Promise<void>;
}

/** For one process alone: always its turn. */
export const openTurnstile: Turnstile = {
  enter: () => leaveNothing,
  close: async () => {},
};

export interface TurnLimits {
  /** Who keeps the turn for longer loses it: it hangs, or is stopped. A turn is one commit, some milliseconds. */
  readonly hold_max_ms: number;
  /** Who waits for longer just tries, and asks no more until the arbiter is heard of again. */
  readonly wait_max_ms: number;
}

export const TURN_LIMITS: TurnLimits = { hold_max_ms: 100, wait_max_ms: 1000 };
/** Elections in a row without one grant, before this process does without for `RETRY_AFTER_MS`. */
const ELECTIONS_MAX = 10;
const ELECTION_PAUSE_MIN_MS = 2;
const ELECTION_PAUSE_SPREAD_MS = 20;
const RETRY_AFTER_MS = 10_000;
/** How often the arbiter looks whether the place is still its own. */
const OWNER_CHECK_EVERY_MS = 1000;

const ASK = 1;
const GRANT = 2;
const LEAVE = 3;
const ASK_BYTES = Buffer.of(ASK);
const GRANT_BYTES = Buffer.of(GRANT);
const LEAVE_BYTES = Buffer.of(LEAVE);
/** In one write, so that nobody can slip between the two. */
const LEAVE_AND_ASK_BYTES = Buffer.of(LEAVE, ASK);

/** Nobody there is asked and nobody is there to ask. */
const NOBODY = 'nobody';
/** The arbiter was lost: those who wait go on waiting until the next is found. */
const ELECTING = 'electing';

interface ArbiterRole extends Owned {
  readonly queue: TurnQueue;
  readonly clients: Set<Socket>;
  readonly check: NodeJS.Timeout;
}

interface ClientRole {
  readonly socket: Socket;
}

interface Waiting {
  readonly enter: (leave: () => void) => void;
  readonly limit: NodeJS.Timeout;
}

/**
 * The turnstile between all processes of this machine that have the file `databasePath` open. Looks for the
 * others at once, and holds nobody up meanwhile.
 */
export function socketTurnstile(databasePath: string, limits: TurnLimits = TURN_LIMITS): Turnstile {
  const place = databasePath === ':memory:' ? null : meetingPlace(databasePath);
  return place === null ? openTurnstile : new SocketTurnstile(place, limits);
}

class SocketTurnstile implements Turnstile {
  readonly #place: string;
  readonly #limits: TurnLimits;
  readonly #self: Party = { grant: () => this.#granted() };
  readonly #waiting: Waiting[] = [];
  #role: ArbiterRole | ClientRole | typeof NOBODY | typeof ELECTING = NOBODY;
  /** True from the asking to the grant. With nobody waiting any more: the arbiter has not been heard of. */
  #asked = false;
  #holding = false;
  /** False from a turn of the arbiter's own until it has read what the others asked for meanwhile. */
  #hasListened = true;
  /** Grows with each change of role: a turn of an earlier one needs no giving back. */
  #reign = 0;
  #electionsInVain = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(place: string, limits: TurnLimits) {
    this.#place = place;
    this.#limits = limits;
    void this.#elect();
  }

  enter(): Promise<() => void> | (() => void) {
    const role = this.#role;
    if (role === NOBODY || this.#isUnheard()) return leaveNothing;
    if (role !== ELECTING && 'queue' in role) {
      if (role.clients.size === 0) return leaveNothing;
      if (role.queue.isFree && this.#hasListened) return this.#enterAtOnce(role.queue);
    }
    return new Promise((enter) => {
      // Not unref'd, unlike the sockets: a process must not end while one of its writes waits for its turn.
      const limit = setTimeout(() => this.#giveUp(waiting), this.#limits.wait_max_ms);
      const waiting: Waiting = { enter, limit };
      this.#waiting.push(waiting);
      this.#ask();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stepDown();
    this.#role = NOBODY;
    this.#letAllIn();
  }

  #isUnheard(): boolean {
    return this.#asked && this.#waiting.length === 0;
  }

  #enterAtOnce(queue: TurnQueue): () => void {
    // Granted before `ask` returns, since the queue is free: the grant finds this process waiting like any other.
    let leave = leaveNothing;
    this.#waiting.push({
      enter: (granted) => {
        leave = granted;
      },
      limit: NO_LIMIT,
    });
    this.#asked = true;
    queue.ask(this.#self);
    return leave;
  }

  #ask(): void {
    const role = this.#role;
    if (this.#asked || this.#holding || role === NOBODY || role === ELECTING) return;
    if ('queue' in role) {
      if (!this.#hasListened) return;
      this.#asked = true;
      role.queue.ask(this.#self);
    } else {
      this.#asked = true;
      role.socket.write(ASK_BYTES);
    }
  }

  #granted(): void {
    this.#asked = false;
    this.#electionsInVain = 0;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      // It was waited for too long, and whoever wanted it has gone on without.
      this.#giveBack();
      return;
    }
    clearTimeout(waiting.limit);
    this.#holding = true;
    const reign = this.#reign;
    waiting.enter(() => {
      if (this.#holding && this.#reign === reign) this.#giveBack();
    });
  }

  /** Gives the turn back; the next one of this process queues behind the other processes. */
  #giveBack(): void {
    const role = this.#role;
    this.#holding = false;
    if (role === NOBODY || role === ELECTING) return;
    if ('queue' in role) {
      role.queue.leave(this.#self);
      this.#listen();
    } else {
      this.#asked = this.#waiting.length > 0;
      role.socket.write(this.#asked ? LEAVE_AND_ASK_BYTES : LEAVE_BYTES);
    }
  }

  /** The event loop reads every socket once before an immediate runs: who asked while the arbiter wrote comes first. */
  #listen(): void {
    this.#hasListened = false;
    setImmediate(() => {
      this.#hasListened = true;
      if (this.#waiting.length > 0) this.#ask();
    });
  }

  #giveUp(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    waiting.enter(leaveNothing);
  }

  #letAllIn(): void {
    for (const waiting of this.#waiting.splice(0)) {
      clearTimeout(waiting.limit);
      waiting.enter(leaveNothing);
    }
  }

  async #elect(): Promise<void> {
    try {
      while (!this.#closed) {
        if (this.#electionsInVain >= ELECTIONS_MAX) break;
        if (this.#electionsInVain > 0) await this.#pause();
        this.#electionsInVain += 1;
        const before = inodeAt(this.#place);
        const answer = await dial(this.#place);
        if (typeof answer !== 'string') return this.#becomeClient(answer);
        if (!DEAD.has(answer)) continue;
        const owned = await claim(this.#place, before);
        if (owned !== null) return this.#becomeArbiter(owned);
      }
    } catch {
      // A read-only folder, a file system without sockets: fairness can't be had, writing can.
    }
    this.#role = NOBODY;
    this.#letAllIn();
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#electionsInVain = 0;
      void this.#elect();
    }, RETRY_AFTER_MS).unref();
  }

  #pause(): Promise<void> {
    // Spread by the clock's nanoseconds: nothing here needs better dice.
    const ms = ELECTION_PAUSE_MIN_MS + Number(process.hrtime.bigint() % BigInt(ELECTION_PAUSE_SPREAD_MS));
    return new Promise((resume) => setTimeout(resume, ms).unref());
  }

  #becomeClient(socket: Socket): void {
    socket.on('error', ignore);
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const role: ClientRole = { socket };
    socket.on('data', (bytes) => {
      for (const byte of bytes) if (byte === GRANT && this.#role === role) this.#granted();
    });
    socket.once('close', () => this.#lose(role));
    this.#role = role;
    if (this.#waiting.length > 0) this.#ask();
  }

  #becomeArbiter(owned: Owned): void {
    const { server } = owned;
    server.on('error', ignore);
    const role: ArbiterRole = {
      ...owned,
      queue: new TurnQueue(this.#limits.hold_max_ms),
      clients: new Set(),
      check: setInterval(() => {
        if (inodeAt(this.#place) !== role.inode) this.#lose(role);
      }, OWNER_CHECK_EVERY_MS).unref(),
    };
    this.#role = role;
    if (this.#closed) {
      this.#stepDown();
      return;
    }
    server.on('connection', (socket) => welcome(role, socket));
    this.#electionsInVain = 0;
    if (this.#waiting.length > 0) this.#ask();
  }

  /** The arbiter is gone, or the place belongs to another: look again. */
  #lose(role: ArbiterRole | ClientRole): void {
    if (this.#role !== role || this.#closed) return;
    this.#stepDown();
    this.#role = ELECTING;
    void this.#elect();
  }

  #stepDown(): void {
    const role = this.#role;
    this.#reign += 1;
    this.#asked = false;
    this.#holding = false;
    if (role === NOBODY || role === ELECTING) return;
    if ('socket' in role) {
      role.socket.destroy();
      return;
    }
    clearInterval(role.check);
    role.queue.clear();
    abandon(this.#place, role.inode);
    role.server.close();
    for (const client of role.clients) client.destroy();
  }
}

/** What a socket says of a place that nobody serves any more. */
const DEAD: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);
const NO_LIMIT = undefined as unknown as NodeJS.Timeout;

/** Serves one client of the arbiter until its socket closes. */
function welcome(role: ArbiterRole, socket: Socket): void {
  const party: Party = { grant: () => void socket.write(GRANT_BYTES) };
  role.clients.add(socket);
  socket.unref();
  socket.on('error', ignore);
  socket.on('data', (bytes) => {
    for (const byte of bytes) {
      if (byte === ASK) role.queue.ask(party);
      else if (byte === LEAVE) role.queue.leave(party);
    }
  });
  socket.once('close', () => {
    role.clients.delete(socket);
    role.queue.leave(party);
  });
}

function leaveNothing(): void {}
function ignore(): void {}
