/** A log for what callers can bring about as often as they like: a line a while for each kind, with how many there were. */

import type { Log } from './log.js';

type Fields = Readonly<Record<string, unknown>>;

interface Quiet {
  readonly event: string;
  more: number;
  fields: Fields;
  readonly timer: NodeJS.Timeout;
}

export class RareLog {
  readonly #log: Pick<Log, 'warn'>;
  readonly #gap_ms: number;
  /** By kind: how many came since the last line, and what the newest said. Kinds are ours, so they are few. */
  readonly #quiet = new Map<string, Quiet>();

  constructor(log: Pick<Log, 'warn'>, gap_ms: number) {
    this.#log = log;
    this.#gap_ms = gap_ms;
  }

  /**
   * The first of a kind is written at once; what comes in the time after it is counted, and the newest written with the
   * count. `of`: tells kinds of one event apart, in a word of ours.
   */
  warn(event: string, fields: Fields = {}, of = ''): void {
    const kind = `${event} ${of}`;
    const quiet = this.#quiet.get(kind);
    if (quiet !== undefined) {
      quiet.more += 1;
      quiet.fields = fields;
      return;
    }
    this.#log.warn(event, fields);
    this.#beQuiet(event, kind);
  }

  /** Writes what was only counted. */
  flush(): void {
    for (const [kind, { event, more, fields, timer }] of this.#quiet) {
      clearTimeout(timer);
      this.#quiet.delete(kind);
      if (more > 0) this.#log.warn(event, { ...fields, times: more });
    }
  }

  #beQuiet(event: string, kind: string): void {
    const timer = setTimeout(() => this.#speak(kind), this.#gap_ms);
    timer.unref();
    this.#quiet.set(kind, { event, more: 0, fields: {}, timer });
  }

  #speak(kind: string): void {
    const quiet = this.#quiet.get(kind);
    this.#quiet.delete(kind);
    if (quiet === undefined || quiet.more === 0) return;
    this.#log.warn(quiet.event, { ...quiet.fields, times: quiet.more });
    this.#beQuiet(quiet.event, kind);
  }
}
