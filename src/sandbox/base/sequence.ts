/** Numbers for new entities. They are never used again: what was deleted stays the only one of its id. */

import { toGid } from './gid.js';

export class Sequence {
  readonly #type: string;
  readonly #step: bigint;
  #number: bigint;

  constructor(type: string, first: bigint, step = 1n) {
    this.#type = type;
    this.#number = first;
    this.#step = step;
  }

  /** The next global id. */
  next(): string {
    return toGid(this.#type, this.nextNumber());
  }

  /** The next number, for ids with more in them than a number. */
  nextNumber(): bigint {
    const number = this.#number;
    this.#number += this.#step;
    return number;
  }
}
