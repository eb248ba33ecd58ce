/**
 * Text that must not reach a log: what a shop, or something between us and it, puts into an error may be what we sent.
 * Tokens are known to the session; what belongs to buyers is collected here from the variables of each write.
 */

import { BUYER_TEXTS_KEPT } from './limits.js';

/** Fields of inputs that hold what a buyer, or an agent for a buyer, has written. */
const BUYERS = new Set(
  'email phone firstName lastName company address1 address2 city province zip note value'.split(' '),
);

/** Shorter ones (a province's code) name nobody, and would be found in every other word. */
const CHARS_MIN = 3;

export class BuyerTexts {
  /** In order of their last sending. Bounded: what is older than this is in no answer that is still to come. */
  readonly #texts = new Set<string>();

  /** Notes what is somebody's own in the variables of a write. */
  note(variables: unknown): void {
    for (const text of listTexts(variables, false)) {
      this.#texts.delete(text);
      this.#texts.add(text);
    }
    for (const oldest of this.#texts) {
      if (this.#texts.size <= BUYER_TEXTS_KEPT) break;
      this.#texts.delete(oldest);
    }
  }

  /** The text without them, whatever their case: a shop prints an address in its own way. */
  strike(text: string): string {
    // The longest first: one may be part of another.
    const longest = [...this.#texts].sort((a, b) => b.length - a.length);
    return longest.reduce((rest, known) => rest.replace(new RegExp(escaped(known), 'gi'), '[buyer]'), text);
  }
}

function* listTexts(value: unknown, isBuyers: boolean): Generator<string> {
  if (typeof value === 'string') {
    if (isBuyers && value.trim().length >= CHARS_MIN) yield value.trim();
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield* listTexts(inner, Array.isArray(value) ? isBuyers : BUYERS.has(key));
    }
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
