/** Chance that can be repeated: the same seed and the same name make the same draws, whatever else is drawn. */

import { type Random, seededRandom } from '../sandbox/base/random.js';

/** A source of its own for everything that has a name: one more draw here never shifts those elsewhere. */
export class Chance {
  readonly next: Random;

  constructor(seed: number, ...name: readonly (string | number)[]) {
    this.next = seededRandom(hashText(`${seed} ${name.join(' ')}`));
    // The first number of a generator is close to its seed.
    this.next();
  }

  is(share: number): boolean {
    return this.next() < share;
  }

  /** A number from `min` up to, but not including, `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  of<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.next() * list.length)];
    if (one === undefined) throw new Error('nothing to choose from');
    return one;
  }

  /** Log-normal: half of the draws are below the median; a `spread` of 1 makes one in six longer than 2.7 times it. */
  around(median: number, spread: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(spread * normal);
  }
}

/** FNV-1a, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
