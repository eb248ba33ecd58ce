/**
 * Virtual time: what is to happen, in order, as fast as the machine can. An event that waits lets the others go on, and
 * time moves only when everything that was begun either waits for time too or is done.
 */

interface Entry {
  readonly at_ms: number;
  /** Entries of one millisecond run in the order in which they were made. */
  readonly seq: number;
  readonly run: () => unknown;
}

export class Timeline {
  #now_ms: number;
  #seq = 0;
  readonly #heap: Entry[] = [];
  /** Calls that end by themselves, without time passing: to a database, say. */
  #busy = 0;
  readonly #failures: unknown[] = [];

  constructor(start_ms: number) {
    this.#now_ms = start_ms;
  }

  get now_ms(): number {
    return this.#now_ms;
  }

  /** In whole milliseconds, and never in the past: what is late runs now. */
  at(at_ms: number, run: () => unknown): void {
    this.#push({ at_ms: Math.max(Math.ceil(at_ms), this.#now_ms), seq: this.#seq++, run });
  }

  /** Resolves when so much time has passed. */
  sleep(ms: number): Promise<void> {
    return this.until(this.#now_ms + ms);
  }

  until(at_ms: number): Promise<void> {
    return new Promise((resolve) => this.at(at_ms, resolve));
  }

  /** Time stands still until it is answered. */
  async busy<T>(call: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await call;
    } finally {
      this.#busy -= 1;
    }
  }

  /** Plays every event, and those that they make. Throws the first failure of any. */
  async play(): Promise<void> {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      this.#now_ms = next.at_ms;
      const done = next.run();
      if (done instanceof Promise) done.catch((error: unknown) => this.#failures.push(error));
      await this.#quiet();
      if (this.#failures.length > 0) throw this.#failures[0];
    }
  }

  /** One turn of the event loop runs all microtasks: what still goes on after it waits for time, or is counted as busy. */
  async #quiet(): Promise<void> {
    do await new Promise<void>((resume) => setImmediate(resume));
    while (this.#busy > 0);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#entry(a), this.#entry(b)];
    return one.at_ms < other.at_ms || (one.at_ms === other.at_ms && one.seq < other.seq);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#entry(a), this.#entry(b)];
    this.#heap[a] = other;
    this.#heap[b] = one;
  }

  #entry(at: number): Entry {
    const entry = this.#heap[at];
    if (entry === undefined) throw new Error('beyond the end of the heap');
    return entry;
  }
}
