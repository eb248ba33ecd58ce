/**
 * A shop as simple as can be, and what a stock report truly means: the reference that the ledger is held against.
 * It knows nothing of held, mirrored or returning units; only who has taken what, where, and what a figure excludes.
 */

export interface Draft {
  readonly ref: string;
  readonly tag: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  until_ms: number;
  state: 'open' | 'completed' | 'deleted';
  /** Where its units are out of `available` now, by SKU and location; empty when they are not. */
  taken: ReadonlyMap<string, number>;
}

/** A figure that was read, and whose units it leaves out. */
export interface Figure {
  readonly read_at_ms: number;
  readonly available: number;
  /** By tag: units that the figure does not count any more. */
  readonly without: ReadonlyMap<string, number>;
}

export interface Reading {
  readonly sku: string;
  readonly lifecycle: 'active' | 'discontinued';
  readonly figures: ReadonlyMap<string, Figure>;
}

/** Units moved between what can be sold and what is reserved, each key carried out once. */
export interface Move {
  readonly key: string;
  readonly direction: 'out' | 'back';
  readonly tag: string;
  readonly changes: readonly {
    readonly sku: string;
    readonly location: string;
    readonly units: number;
    readonly expected: number | null;
  }[];
}

export interface PlainOrder {
  readonly ref: string;
  readonly tag: string;
  readonly lines: Draft['lines'];
}

export class PlainShop {
  readonly drafts: Draft[] = [];
  /** Those that were not made of a draft. */
  readonly orders: PlainOrder[] = [];
  readonly #moves = new Map<string, 'done' | 'stale'>();
  /** By tag, SKU and location. */
  readonly #reserved = new Map<string, number>();
  readonly #available = new Map<string, number>();
  readonly #lifecycle = new Map<string, 'active' | 'discontinued'>();
  readonly #locations: readonly string[];

  readonly #chance: () => number;

  /** Drafts and orders take from where they like: a line may be split. `chance` draws from [0, 1). */
  constructor(
    skus: readonly string[],
    locations: readonly string[],
    units: number,
    chance: () => number = () => 0,
  ) {
    this.#locations = locations;
    this.#chance = chance;
    for (const sku of skus) for (const at of locations) this.#available.set(`${sku} ${at}`, units);
  }

  /** A till sells, a receipt comes in, somebody counts: never asked, whatever the ledger holds. */
  change(sku: string, location: string, units: number): void {
    this.#add(`${sku} ${location}`, units);
  }

  setLifecycle(sku: string, lifecycle: 'active' | 'discontinued'): void {
    this.#lifecycle.set(sku, lifecycle);
  }

  read(sku: string, now: number): Reading {
    this.#letGo(now);
    const figures = new Map<string, Figure>();
    for (const location of this.#locations) {
      const without = new Map<string, number>();
      for (const { tag, lines, state, taken } of this.drafts) {
        const quantity = lines.find((line) => line.sku === sku)?.quantity ?? 0;
        // An order is the shop's to ship, from where it took the units: nothing is owed elsewhere any more.
        const units = state === 'completed' ? quantity : (taken.get(`${sku} ${location}`) ?? 0);
        if (units > 0) without.set(tag, (without.get(tag) ?? 0) + units);
      }
      for (const [at, units] of this.#reserved) {
        const [tag = '', of, where] = at.split(' ');
        if (of === sku && where === location && units > 0) without.set(tag, (without.get(tag) ?? 0) + units);
      }
      for (const { tag, lines } of this.orders) {
        const quantity = lines.find((line) => line.sku === sku)?.quantity ?? 0;
        if (quantity > 0) without.set(tag, (without.get(tag) ?? 0) + quantity);
      }
      figures.set(location, {
        read_at_ms: now,
        available: this.#available.get(`${sku} ${location}`) ?? 0,
        without,
      });
    }
    return { sku, lifecycle: this.#lifecycle.get(sku) ?? 'active', figures };
  }

  create(tag: string, lines: Draft['lines'], until_ms: number): Draft {
    const ref = `draft-${this.drafts.length + 1}`;
    const draft: Draft = { ref, tag, lines, until_ms, state: 'open', taken: new Map() };
    this.drafts.push(draft);
    this.#take(draft);
    return draft;
  }

  extend(draft: Draft, until_ms: number, now: number): void {
    this.#letGo(now);
    draft.until_ms = until_ms;
    if (draft.taken.size === 0) this.#take(draft);
  }

  complete(draft: Draft, now: number): void {
    this.#letGo(now);
    if (draft.state !== 'open') return;
    if (draft.taken.size === 0) this.#take(draft);
    draft.state = 'completed';
  }

  delete(draft: Draft): void {
    if (draft.state !== 'open') return;
    this.#give(draft);
    draft.state = 'deleted';
  }

  move({ key, direction, tag, changes }: Move): 'done' | 'stale' {
    const before = this.#moves.get(key);
    if (before !== undefined) return before;
    const isStale = changes.some(
      ({ sku, location, expected }) =>
        expected !== null && expected !== (this.#available.get(`${sku} ${location}`) ?? 0),
    );
    this.#moves.set(key, isStale ? 'stale' : 'done');
    if (isStale) return 'stale';
    for (const { sku, location, units } of changes) {
      const signed = direction === 'out' ? units : -units;
      const at = `${tag} ${sku} ${location}`;
      const reserved = (this.#reserved.get(at) ?? 0) + signed;
      if (reserved < 0) throw new Error('more was given back than was taken');
      if (direction === 'out' && (this.#available.get(`${sku} ${location}`) ?? 0) < units)
        throw new Error('a move sold what was not there');
      this.#reserved.set(at, reserved);
      this.change(sku, location, -signed);
    }
    return 'done';
  }

  /** Takes what is there, at one location for each line; makes nothing when that is not to be had. */
  placeOrder(tag: string, lines: Draft['lines']): PlainOrder | null {
    const taken = lines.map(({ sku, quantity }) => ({
      sku,
      quantity,
      at: this.#ableTo(sku, quantity),
    }));
    if (taken.some(({ at }) => at === undefined)) return null;
    for (const { sku, quantity, at } of taken) this.change(sku, at ?? '', -quantity);
    const order = { ref: `order-${this.orders.length + 1}`, tag, lines };
    this.orders.push(order);
    return order;
  }

  #ableTo(sku: string, quantity: number): string | undefined {
    const able = this.#locations.filter((at) => (this.#available.get(`${sku} ${at}`) ?? 0) >= quantity);
    return able[Math.floor(this.#chance() * able.length)];
  }

  /** A buyer pays for a draft whose units are still held. */
  pay(draft: Draft, now: number): void {
    this.#letGo(now);
    if (draft.state === 'open' && draft.taken.size > 0) draft.state = 'completed';
  }

  get reservedUnits(): number {
    return [...this.#reserved.values()].reduce((sum, units) => sum + units, 0);
  }

  byTag(tag: string, now: number): Draft | undefined {
    this.#letGo(now);
    return this.drafts.find((draft) => draft.tag === tag && draft.state !== 'deleted');
  }

  byRef(ref: string | null, now: number): Draft | undefined {
    this.#letGo(now);
    return this.drafts.find((draft) => draft.ref === ref && draft.state !== 'deleted');
  }

  #letGo(now: number): void {
    for (const draft of this.drafts) {
      if (draft.state === 'open' && draft.until_ms <= now) this.#give(draft);
    }
  }

  #take(draft: Draft): void {
    const taken = new Map<string, number>();
    for (const { sku, quantity } of draft.lines) {
      for (let unit = 0, at = this.#anywhere(); unit < quantity; unit += 1) {
        taken.set(`${sku} ${at}`, (taken.get(`${sku} ${at}`) ?? 0) + 1);
        // Most lines stay whole.
        if (this.#chance() >= 0.8) at = this.#anywhere();
      }
    }
    for (const [at, units] of taken) this.#add(at, -units);
    draft.taken = taken;
  }

  #give(draft: Draft): void {
    for (const [at, units] of draft.taken) this.#add(at, units);
    draft.taken = new Map();
  }

  #anywhere(): string {
    return this.#locations[Math.floor(this.#chance() * this.#locations.length)] ?? '';
  }

  #add(at: string, units: number): void {
    this.#available.set(at, (this.#available.get(at) ?? 0) + units);
  }
}
