/** How many are at it at once, in all and of each. */

export interface Room {
  readonly all_max: number;
  readonly each_max: number;
}

export class Crowd {
  readonly #room: Room;
  readonly #each = new Map<string, number>();
  #all = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Lets one in, or says what is full. Whoever is let in must `leave`. */
  enter(key: string): 'in' | 'all_full' | 'each_full' {
    const theirs = this.#each.get(key) ?? 0;
    if (theirs >= this.#room.each_max) return 'each_full';
    if (this.#all >= this.#room.all_max) return 'all_full';
    this.#all += 1;
    this.#each.set(key, theirs + 1);
    return 'in';
  }

  leave(key: string): void {
    this.#all -= 1;
    const theirs = (this.#each.get(key) ?? 0) - 1;
    if (theirs > 0) this.#each.set(key, theirs);
    else this.#each.delete(key);
  }
}
