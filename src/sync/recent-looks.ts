/**
 * When the shop was last looked at for something that no row of the ledger has a time for: its locations, and products that the
 * ledger does not know. Without it, a sender of many messages about them would make us look each time.
 */

export class RecentLooks {
  readonly #gap_ms: number;
  readonly #size_max: number;
  /** When the last look that succeeded began, in ledger time; the longest ago first. */
  readonly #began = new Map<string, number>();

  /** At most one look at a thing in `gap_ms`; `size_max` things are remembered. */
  constructor(gap_ms: number, size_max: number) {
    this.#gap_ms = gap_ms;
    this.#size_max = size_max;
  }

  /** Whether a look began when the message was here already: it has seen what the message is about. */
  covers(name: string, receivedAt: number): boolean {
    return (this.#began.get(name) ?? Number.NEGATIVE_INFINITY) >= receivedAt;
  }

  /** Milliseconds until the thing may be looked at again; 0: now. */
  rest(name: string, now: number): number {
    const began = this.#began.get(name);
    return began === undefined ? 0 : Math.max(0, began + this.#gap_ms - now);
  }

  /** A look that began then has succeeded. */
  record(name: string, began: number): void {
    this.#began.delete(name);
    this.#began.set(name, began);
    const [oldest] = this.#began.keys();
    if (this.#began.size > this.#size_max && oldest !== undefined) this.#began.delete(oldest);
  }
}
