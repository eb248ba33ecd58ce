/**
 * What callers take up, as one transaction sees it: read once, moved in memory, written once before the commit. On a
 * busy caller one write serves the whole group.
 */

import type { QuotaSubject } from '../../ledger/quota-limits.js';
import {
  type ItemUsage,
  itemAfter,
  itemAfterGrant,
  NO_ITEM_USAGE,
  NO_TALLY,
  type Passage,
  type Slots,
  type Tally,
  tallyAfter,
  type Usage,
} from '../../ledger/usage.js';
import type { Statements } from './statements.js';

/** Columns in the order of the statement `caller`. */
type CallerRow = readonly [
  live_reservations: number,
  held_orders: number,
  granted: string,
  idle: string,
  sold: string,
  idle_at_ms: number,
];

/** Columns in the order of the statement `caller_item`. */
type CallerItemRow = readonly [live_units: number, held_units: number, idle_ms: number, since_ms: number];

interface ExpiredRow {
  readonly reservation_key: number;
  readonly principal: string;
  readonly origin: string | null;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly item_key: number;
  readonly quantity_units: number;
}

/** Who a tally is of. */
interface Owner {
  readonly principal: string;
  readonly origin: string | null;
}

interface Kept {
  readonly subject: QuotaSubject;
  readonly name: string;
  tally: Tally;
  /** Those that were looked for. */
  readonly items: Map<number, ItemUsage>;
  /** Items whose rows have to be written; null when not even the caller's has. */
  dirty: Set<number> | null;
}

export class UsageRows {
  readonly #sql: Statements;
  readonly #now: number;
  readonly #kept = new Map<string, Kept>();
  /** By tally: reservations past their time that nobody has tidied, in the order of their end. */
  #expired: ReadonlyMap<string, readonly Passage[]> | null = null;

  constructor(sql: Statements, now: number) {
    this.#sql = sql;
    this.#now = now;
  }

  /** A caller as it is at this moment: expiry is a fact of time, whether or not a sweeper has run. */
  of(subject: QuotaSubject, name: string, itemKeys: Iterable<number>): Usage {
    const kept = this.#load(subject, name);
    const expired = this.#expiredOf(kept);
    const items = new Map<number, ItemUsage>();
    for (const key of itemKeys) items.set(key, itemNow(this.#item(kept, key), key, expired));
    return { ...expired.reduce(tallyAfter, kept.tally), items };
  }

  /** A reservation was granted, on what `of` says. */
  grant(owner: Owner, passage: Passage): void {
    for (const kept of this.#talliesOf(owner)) {
      const expired = this.#expiredOf(kept);
      kept.tally = tallyAfter(kept.tally, passage);
      kept.dirty ??= new Set();
      for (const [key, units] of passage.units) {
        const before = this.#item(kept, key);
        kept.items.set(key, itemAfterGrant(before, itemNow(before, key, expired), passage, units));
        kept.dirty.add(key);
      }
    }
  }

  /** A reservation that counted counts otherwise, or no more. */
  move(owner: Owner, passage: Passage): void {
    for (const kept of this.#talliesOf(owner)) {
      kept.tally = tallyAfter(kept.tally, passage);
      kept.dirty ??= new Set();
      for (const [key, units] of passage.units) {
        kept.items.set(key, itemAfter(this.#item(kept, key), passage, units));
        kept.dirty.add(key);
      }
    }
  }

  /** Writes what has moved. */
  flush(): void {
    for (const kept of this.#kept.values()) {
      if (kept.dirty !== null) this.#write(kept, kept.dirty);
      kept.dirty = null;
    }
  }

  /** Rows were changed: those past their time may have been tidied. */
  forgetExpired(): void {
    this.#expired = null;
  }

  #write({ subject, name, tally, items }: Kept, dirty: ReadonlySet<number>): void {
    this.#sql.put_caller.run(
      subject,
      name,
      tally.live_reservations,
      tally.held_orders,
      JSON.stringify(tally.granted),
      JSON.stringify(tally.idle),
      JSON.stringify(tally.sold),
      tally.idle_at_ms,
      this.#now,
    );
    for (const key of dirty) {
      const { live_units, held_units, idle_ms, since_ms } = items.get(key) ?? NO_ITEM_USAGE;
      this.#sql.put_caller_item.run(subject, name, key, live_units, held_units, idle_ms, since_ms);
    }
  }

  #talliesOf({ principal, origin }: Owner): Kept[] {
    const own = this.#load('principal', principal);
    return origin === null ? [own] : [own, this.#load('origin', origin)];
  }

  #load(subject: QuotaSubject, name: string): Kept {
    const key = tallyKey(subject, name);
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      const row = this.#sql.caller.get(subject, name) as CallerRow | undefined;
      const tally = row === undefined ? NO_TALLY : readCaller(row);
      kept = { subject, name, tally, items: new Map(), dirty: null };
      this.#kept.set(key, kept);
    }
    return kept;
  }

  #item({ subject, name, items }: Kept, key: number): ItemUsage {
    let item = items.get(key);
    if (item === undefined) {
      const row = this.#sql.caller_item.get(subject, name, key) as CallerItemRow | undefined;
      item = row === undefined ? NO_ITEM_USAGE : readItem(row);
      items.set(key, item);
    }
    return item;
  }

  #expiredOf({ subject, name }: Kept): readonly Passage[] {
    this.#expired ??= readExpired(this.#sql.expired_usage.all(this.#now) as ExpiredRow[]);
    return this.#expired.get(tallyKey(subject, name)) ?? NONE;
  }
}

const NONE: readonly Passage[] = [];

function itemNow(kept: ItemUsage, key: number, expired: readonly Passage[]): ItemUsage {
  return expired.reduce((item, passage) => {
    const units = passage.units.get(key);
    return units === undefined ? item : itemAfter(item, passage, units);
  }, kept);
}

function tallyKey(subject: QuotaSubject, name: string): string {
  return `${subject} ${name}`;
}

function readCaller([live_reservations, held_orders, granted, idle, sold, idle_at_ms]: CallerRow): Tally {
  return {
    live_reservations,
    held_orders,
    granted: JSON.parse(granted) as Slots,
    idle: JSON.parse(idle) as Slots,
    sold: JSON.parse(sold) as Slots,
    idle_at_ms,
  };
}

function readItem([live_units, held_units, idle_ms, since_ms]: CallerItemRow): ItemUsage {
  return { live_units, held_units, idle_ms, since_ms };
}

/** One passage a reservation, for each tally that it stands in. */
function readExpired(rows: readonly ExpiredRow[]): ReadonlyMap<string, readonly Passage[]> {
  const byReservation = new Map<number, ExpiredRow & { readonly units: Map<number, number> }>();
  for (const row of rows) {
    const known = byReservation.get(row.reservation_key) ?? { ...row, units: new Map<number, number>() };
    known.units.set(row.item_key, (known.units.get(row.item_key) ?? 0) + row.quantity_units);
    byReservation.set(row.reservation_key, known);
  }
  const byTally = new Map<string, Passage[]>();
  for (const { units, created_at_ms, expires_at_ms, ...owner } of byReservation.values()) {
    const passage: Passage = {
      from: 'live',
      to: null,
      parting: 'unsold',
      created_at_ms,
      at_ms: expires_at_ms,
      units,
    };
    const keys = [tallyKey('principal', owner.principal)];
    if (owner.origin !== null) keys.push(tallyKey('origin', owner.origin));
    for (const key of keys) {
      const list = byTally.get(key) ?? [];
      list.push(passage);
      byTally.set(key, list);
    }
  }
  return byTally;
}
