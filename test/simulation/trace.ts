/** What happened, in order: as a fingerprint of everything, and as a story for people. */

import { createHash } from 'node:crypto';
import { STORY_START_MS } from './universe.js';

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #story: string[] = [];
  readonly counts = new Map<string, number>();

  /** One step. `is_told`: people want to read of it. */
  note(now_ms: number, who: string, what: string, is_told = true): void {
    const line = `${clockOf(now_ms)}  ${who.padEnd(10)}  ${what}`;
    this.#hash.update(line).update('\n');
    if (is_told) this.#story.push(line);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** SHA-256 of every step until now, told or not. */
  fingerprint(): string {
    return this.#hash.copy().digest('hex');
  }

  story(): readonly string[] {
    return this.#story;
  }
}

/** Since the story began: minutes, seconds, milliseconds. */
export function clockOf(now_ms: number): string {
  const ms = now_ms - STORY_START_MS;
  const minutes = String(Math.floor(ms / 60_000)).padStart(2, '0');
  return `${minutes}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}.${String(ms % 1000).padStart(3, '0')}`;
}
