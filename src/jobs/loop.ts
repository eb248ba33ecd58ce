/** The one loop class: started, nudged and stopped. `stop` waits for work in flight; errors go to one place. */

export interface LoopOptions {
  readonly name: string;
  /** Pause between the end of one run and the start of the next, unless nudged. */
  readonly interval_ms: number;
  /** One round of work. Must end soon after the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown, loop: string) => void;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #started = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Safe to call twice. The first run starts at once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.nudge();
  }

  /** Runs soon. A hint: a nudge that is lost costs one interval. Before `start` and after `stop` it does nothing. */
  nudge(): void {
    if (!this.#started || this.#stopping.signal.aborted) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = this.#runOnce();
  }

  /** Waits for the run in flight. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#running;
  }

  async #runOnce(): Promise<void> {
    const { name, run, onError } = this.#options;
    do {
      this.#again = false;
      try {
        await run(this.#stopping.signal);
      } catch (error) {
        if (!this.#stopping.signal.aborted) onError(error, name);
      }
    } while (this.#again && !this.#stopping.signal.aborted);
    this.#running = null;
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => this.nudge(), this.#options.interval_ms);
    this.#timer.unref();
  }
}
