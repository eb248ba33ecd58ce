/** A process that can die between any two steps: what it asks of its store from then on never happens. */

import type { Store } from '../../src/ledger/state/state.js';

/** What a dead process meets. Nothing but the drill may see it. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export class Killable {
  #is_dead = false;
  #calls_left = Number.POSITIVE_INFINITY;

  get isDead(): boolean {
    return this.#is_dead;
  }

  /** Dies at the store call after so many more: before it, or right after its commit, when nobody hears the answer. */
  dieAfter(calls: number): void {
    this.#calls_left = calls;
  }

  die(): void {
    this.#is_dead = true;
  }

  /** The same store; its calls fail once the process is dead. */
  wrap<S extends Store>(store: S, commitsFirst: () => boolean): S {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name === 'close') return value.bind(target);
        return async (...args: unknown[]): Promise<unknown> => {
          const is_last = this.#tick();
          if (this.#is_dead && !(is_last && commitsFirst())) throw new Killed();
          const result: unknown = await Reflect.apply(value, target, args);
          if (this.#is_dead) throw new Killed();
          return result;
        };
      },
    });
  }

  /** True for the call at which the process dies. */
  #tick(): boolean {
    this.#calls_left -= 1;
    if (this.#is_dead || this.#calls_left >= 0) return false;
    this.#is_dead = true;
    return true;
  }
}
