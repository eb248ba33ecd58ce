/**
 * Notices which SKUs are answered otherwise than before, whoever changed them and in whichever process: the ledger file
 * is the only witness. What it costs follows what happens to the SKUs that somebody watches; while nobody watches any,
 * nothing is asked at all.
 */

import { skuKey } from '../../ledger/model/values/text.js';
import { type StockSight, sightOf } from '../../ledger/query/check.js';
import type { ChangeCursor, LedgerSettings, StockChanges, Store } from '../../ledger/state/state.js';

export interface FeedLimits {
  /** Journal entries, marks and ended reservations that one round takes one by one; of more, every SKU is looked at. */
  readonly changes_max: number;
  /** SKUs that are looked at before others get their turn. */
  readonly looks_batch: number;
  /** SKUs that one round looks at; the rest is left to the next. */
  readonly looks_max: number;
  /** Of them, SKUs that are not fresh and that somebody's commit may have made so again. */
  readonly looks_at_old_max: number;
  /** Every watched SKU is looked at so often in any case, for what neither row nor time tells: a setting, a new name. */
  readonly sweep_ms: number;
}

export interface FeedPorts {
  readonly store: Pick<Store, 'read' | 'changesSince'>;
  readonly settings: LedgerSettings;
  readonly limits: FeedLimits;
  /** Lets whatever else is ready go first. */
  readonly breathe: () => Promise<void>;
}

/** Null: not seen yet. */
type Seen = StockSight | null;

export class StockFeed {
  readonly #ports: FeedPorts;
  readonly #watched = new Map<string, Seen>();
  /** Spellings of the SKUs that are watched, by item and by what they have in common. */
  readonly #skusByItem = new Map<number, Set<string>>();
  readonly #skusByKey = new Map<string, Set<string>>();
  /** To be looked at, in the order in which they came up. */
  readonly #due = new Set<string>();
  /** Not fresh when they were last looked at: a read or a heartbeat makes them so again, and no journal tells. */
  readonly #old = new Set<string>();
  #cursor: ChangeCursor | null = null;
  /** No watched SKU grows too old before. */
  #nextOldAt = Infinity;
  #sweptAt = 0;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  get watchedCount(): number {
    return this.#watched.size;
  }

  /** Resolves when the present answers are known: a change after that is told. */
  async watch(skus: readonly string[]): Promise<void> {
    const unseen = skus.filter((sku) => !this.#watched.has(sku));
    if (unseen.length === 0) return;
    for (const sku of unseen) {
      this.#watched.set(sku, null);
      add(this.#skusByKey, skuKey(sku), sku);
    }
    if (this.#cursor === null) {
      const { cursor } = await this.#ports.store.changesSince(null, this.#ports.limits.changes_max);
      this.#cursor ??= cursor;
      this.#sweptAt = cursor.looked_at_ms;
    }
    await this.#look(unseen);
  }

  unwatch(sku: string): void {
    const seen = this.#watched.get(sku);
    this.#watched.delete(sku);
    this.#due.delete(sku);
    this.#old.delete(sku);
    remove(this.#skusByKey, skuKey(sku), sku);
    if (seen?.item_key != null) remove(this.#skusByItem, seen.item_key, sku);
    if (this.#watched.size === 0) this.#cursor = null;
  }

  /** One round: tells `changed` of the SKUs whose answer is another, each at most once. True when more are left to look at. */
  async round(changed: (skus: readonly string[]) => void, signal: AbortSignal): Promise<boolean> {
    const { store, limits, breathe } = this.#ports;
    if (this.#cursor === null) return false;
    const changes = await store.changesSince(this.#cursor, limits.changes_max);
    this.#note(changes);
    let left = limits.looks_max;
    while (this.#due.size > 0 && left > 0 && !signal.aborted) {
      const batch = first(this.#due, Math.min(left, limits.looks_batch));
      for (const sku of batch) this.#due.delete(sku);
      left -= batch.length;
      changed(await this.#look(batch));
      await breathe();
    }
    return this.#due.size > 0;
  }

  #note({ cursor, skus, item_keys, is_everything, is_confirmed, is_written }: StockChanges): void {
    // Nobody may have stopped watching while the ledger was asked.
    if (this.#cursor === null) return;
    this.#cursor = cursor;
    const now = cursor.looked_at_ms;
    if (is_everything || now - this.#sweptAt >= this.#ports.limits.sweep_ms) {
      this.#sweptAt = now;
      for (const sku of this.#watched.keys()) this.#due.add(sku);
      return;
    }
    for (const name of skus) for (const sku of this.#skusByKey.get(skuKey(name)) ?? []) this.#due.add(sku);
    for (const key of item_keys) for (const sku of this.#skusByItem.get(key) ?? []) this.#due.add(sku);
    if (is_confirmed) for (const sku of this.#old) this.#due.add(sku);
    else if (is_written)
      for (const sku of first(this.#old, this.#ports.limits.looks_at_old_max)) this.#due.add(sku);
    if (now > this.#nextOldAt) this.#noteOld(now);
  }

  #noteOld(now: number): void {
    this.#nextOldAt = Infinity;
    for (const [sku, seen] of this.#watched) {
      const until = seen?.fresh_until_ms ?? Infinity;
      if (now > until) this.#due.add(sku);
      else this.#nextOldAt = Math.min(this.#nextOldAt, until);
    }
  }

  /** The SKUs among them that are watched still and whose answer is not what it was. */
  async #look(skus: readonly string[]): Promise<string[]> {
    const { store, settings } = this.#ports;
    const sights = await store.read({ skus }, (state) => skus.map((sku) => sightOf(state, sku, settings)));
    return skus.filter((sku, index) => {
      const sight = sights[index];
      const before = this.#watched.get(sku);
      if (sight === undefined || before === undefined) return false;
      this.#remember(sku, before, sight);
      return before !== null && before.mark !== sight.mark;
    });
  }

  #remember(sku: string, before: Seen, sight: StockSight): void {
    this.#watched.set(sku, sight);
    if (before?.item_key != null) remove(this.#skusByItem, before.item_key, sku);
    if (sight.item_key !== null) add(this.#skusByItem, sight.item_key, sku);
    // To the end of the line, where it is there already: all of them get their turn.
    this.#old.delete(sku);
    if (sight.fresh_until_ms === null) {
      if (sight.item_key !== null) this.#old.add(sku);
      return;
    }
    this.#nextOldAt = Math.min(this.#nextOldAt, sight.fresh_until_ms);
  }
}

function add<K>(lists: Map<K, Set<string>>, key: K, value: string): void {
  lists.set(key, (lists.get(key) ?? new Set()).add(value));
}

function remove<K>(lists: Map<K, Set<string>>, key: K, value: string): void {
  const list = lists.get(key);
  list?.delete(value);
  if (list?.size === 0) lists.delete(key);
}

function first<T>(of: ReadonlySet<T>, count: number): T[] {
  const found: T[] = [];
  for (const one of of) {
    if (found.length >= count) break;
    found.push(one);
  }
  return found;
}
