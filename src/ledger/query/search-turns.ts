/**
 * Searches take turns, because all of them run on the one thread that also answers everybody's questions about stock: one at a time, each
 * caller's in turn, and after each one the thread is left to others for as long as the search took. So searches never take more than
 * half of it, and whoever sends many of them waits for their own.
 */

/** Searches of one caller that may wait. A model asks for a few at once; who asks for more is told to wait. */
export const WAITING_SEARCHES_MAX = 8;

export interface SearchTurnsPorts {
  /** Milliseconds that have passed since any start: never runs backwards. */
  readonly elapsed: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

type Waiting = () => Promise<void>;

export class SearchTurns {
  readonly #ports: SearchTurnsPorts;
  /** Whoever comes first in it is next; after a turn they go to the end. */
  readonly #waiting = new Map<string, Waiting[]>();
  #isWorking = false;

  constructor(ports: SearchTurnsPorts) {
    this.#ports = ports;
  }

  /** Runs the search in its turn, and answers as it does. Null, without running it, when too many of this caller's wait already. */
  take<T>(principal: string, search: () => Promise<T>): Promise<T> | null {
    const own = this.#waiting.get(principal) ?? [];
    if (own.length >= WAITING_SEARCHES_MAX) return null;
    this.#waiting.set(principal, own);
    const answer = new Promise<T>((resolve) => {
      own.push(async () => {
        const found = search();
        resolve(found);
        // A search that fails is its caller's matter: the next one has its turn all the same.
        await found.catch(() => {});
      });
    });
    if (!this.#isWorking) void this.#work();
    return answer;
  }

  async #work(): Promise<void> {
    const { elapsed, sleep } = this.#ports;
    this.#isWorking = true;
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      const began_ms = elapsed();
      await next();
      const took_ms = elapsed() - began_ms;
      if (took_ms > 0) await sleep(took_ms);
    }
    this.#isWorking = false;
  }

  #takeNext(): Waiting | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [principal, own] = first;
    const next = own.shift();
    this.#waiting.delete(principal);
    if (own.length > 0) this.#waiting.set(principal, own);
    return next;
  }
}
