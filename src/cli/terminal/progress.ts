/** How far long work is: one line that is written over at a terminal, a new line now and then elsewhere. */

import { countText, durationText } from './format.js';

export interface Step {
  readonly done: number;
  /** Null while nobody knows. */
  readonly total: number | null;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** A clock that never steps back. */
  readonly now: () => number;
  readonly redraw_ms: number;
  readonly line_ms: number;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #what: string;
  readonly #began_ms: number;
  #told_ms = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(what: string, options: ProgressOptions) {
    this.#options = options;
    this.#what = what;
    this.#began_ms = options.now();
    // Short work at a place where lines stay says nothing but its result.
    if (!options.isTerminal) this.#told_ms = this.#began_ms;
  }

  /** Tells it, unless it was told a moment ago. */
  step(step: Step): void {
    const { now, isTerminal, redraw_ms, line_ms, columns, write } = this.#options;
    const at_ms = now();
    if (at_ms - this.#told_ms < (isTerminal ? redraw_ms : line_ms)) return;
    this.#told_ms = at_ms;
    const line = progressLine(this.#what, step, at_ms - this.#began_ms);
    if (!isTerminal) write(`${line}\n`);
    else {
      this.#drawn = true;
      write(`\r\u001b[2K${line.slice(0, columns - 1)}`);
    }
  }

  /** Clears the line, so that the result stands alone. */
  end(): void {
    if (this.#drawn) this.#options.write('\r\u001b[2K');
    this.#drawn = false;
  }

  get elapsed_ms(): number {
    return this.#options.now() - this.#began_ms;
  }
}

export function progressLine(what: string, { done, total }: Step, elapsed_ms: number): string {
  const share = total === null || total === 0 ? '' : ` (${Math.min(99, Math.floor((done / total) * 100))} %)`;
  const of = total === null ? '' : ` of ${countText(total)}`;
  const rate =
    elapsed_ms < RATE_AFTER_MS || done === 0 ? '' : `, ${countText(computeRate(done, elapsed_ms))} items/s`;
  return `${what}: ${countText(done)}${of} items${share}, ${durationText(elapsed_ms)}${rate}`;
}

/** A rate of the first moments says nothing. */
export const RATE_AFTER_MS = 1_000;

export function computeRate(done: number, elapsed_ms: number): number {
  return Math.round(done / (Math.max(1, elapsed_ms) / 1_000));
}
