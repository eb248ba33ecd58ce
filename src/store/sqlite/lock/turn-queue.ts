/** Whose turn it is, first come first served. Knows nothing of sockets. */

export interface Party {
  /** Called once for each `ask` that is granted; may be called before `ask` returns. */
  grant(): void;
}

export class TurnQueue {
  readonly #holdMaxMs: number;
  readonly #waiting: Party[] = [];
  #holder: Party | null = null;
  #limit: NodeJS.Timeout | undefined;

  /** `holdMaxMs`: a party that keeps its turn for longer loses it to the next. */
  constructor(holdMaxMs: number) {
    this.#holdMaxMs = holdMaxMs;
  }

  get isFree(): boolean {
    return this.#holder === null && this.#waiting.length === 0;
  }

  /** Queues the party. Asking again while it waits or has the turn changes nothing. */
  ask(party: Party): void {
    if (party === this.#holder || this.#waiting.includes(party)) return;
    this.#waiting.push(party);
    this.#next();
  }

  /** Gives the turn, or the place in the queue, back. Nothing happens when the party has neither. */
  leave(party: Party): void {
    if (party === this.#holder) {
      this.#end();
      return;
    }
    const at = this.#waiting.indexOf(party);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Forgets everybody. */
  clear(): void {
    clearTimeout(this.#limit);
    this.#waiting.length = 0;
    this.#holder = null;
  }

  #end(): void {
    clearTimeout(this.#limit);
    this.#holder = null;
    this.#next();
  }

  #next(): void {
    if (this.#holder !== null) return;
    const party = this.#waiting.shift();
    if (party === undefined) return;
    this.#holder = party;
    this.#limit = setTimeout(() => this.#end(), this.#holdMaxMs).unref();
    party.grant();
  }
}
