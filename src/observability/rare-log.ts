/** A log for what strangers can bring about as often as they like: a line a while for each kind, with how many there were. */

import type { Log } from './log.js';

type Fields = Readonly<Record<string, unknown>>;

export class RareLog {
  readonly #log: Pick<Log, 'warn'>;
  readonly #gap_ms: number;
  /** By event: how many came since the last line, and what the newest said. Events are ours, so they are few. */
  readonly #quiet = new Map<string, { more: number; fields: Fields; readonly timer: NodeJS.Timeout }>();

  constructor(log: Pick<Log, 'warn'>, gap_ms: number) {
    this.#log = log;
    this.#gap_ms = gap_ms;
  }

  /** The first is written at once; what comes in the time after it is counted, and the newest written with the count. */
  warn(event: string, fields: Fields = {}): void {
    const quiet = this.#quiet.get(event);
    if (quiet !== undefined) {
      quiet.more += 1;
      quiet.fields = fields;
      return;
    }
    this.#log.warn(event, fields);
    this.#beQuiet(event);
  }

  /** Writes what was only counted. */
  flush(): void {
    for (const [event, { more, fields, timer }] of this.#quiet) {
      clearTimeout(timer);
      this.#quiet.delete(event);
      if (more > 0) this.#log.warn(event, { ...fields, times: more });
    }
  }

  #beQuiet(event: string): void {
    const timer = setTimeout(() => this.#speak(event), this.#gap_ms);
    timer.unref();
    this.#quiet.set(event, { more: 0, fields: {}, timer });
  }

  #speak(event: string): void {
    const quiet = this.#quiet.get(event);
    this.#quiet.delete(event);
    if (quiet === undefined || quiet.more === 0) return;
    this.#log.warn(event, { ...quiet.fields, times: quiet.more });
    this.#beQuiet(event);
  }
}
