/**
 * What callers take up, as one transaction sees it: read once, moved in memory, written once before the commit. On a
 * busy caller one write serves the whole group.
 */

import type { Reservation } from '../../../ledger/model/reservation.js';
import type { Item } from '../../../ledger/model/stock.js';
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
} from '../../../ledger/model/usage.js';
import type { QuotaSubject } from '../../../ledger/model/values/quota-limits.js';
import type { Statements } from './statements.js';

/** Columns in the order of the statement `caller`. */
type CallerRow = readonly [
  live_reservations: number,
  held_orders: number,
  granted: string,
  idle: string,
  sold: string,
  idle_at_ms: number,
  ordered: string,
  ordered_units: string,
];

/** Columns in the order of the statement `caller_item`. */
type CallerItemRow = readonly [
  live_units: number,
  held_units: number,
  ordered_units: number,
  idle_ms: number,
  since_ms: number,
  sold: string,
  unsold: string,
];

interface ExpiredRow {
  readonly reservation_key: number;
  readonly principal: string;
  readonly origin: string | null;
  readonly channel: string | null;
  readonly pooled: 0 | 1;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly item_key: number;
  readonly quantity_units: number;
}

/** Whose tallies a reservation stands in. */
type Owner = Pick<Reservation, 'principal' | 'origin' | 'channel' | 'pooled'>;

/** Those of whom more is kept than what they have of each item. */
const TALLIED: ReadonlySet<QuotaSubject> = new Set(['principal', 'origin']);

/** The one name of the subject `everyone`. */
export const EVERYONE = '';

function listSubjects({ principal, origin, channel, pooled }: Owner): (readonly [QuotaSubject, string])[] {
  const subjects: (readonly [QuotaSubject, string])[] = [['principal', principal]];
  if (origin !== null) subjects.push(['origin', origin]);
  if (channel !== null) subjects.push(['channel', channel]);
  if (pooled) subjects.push(['everyone', EVERYONE]);
  return subjects;
}

interface Kept extends Usage {
  readonly subject: QuotaSubject;
  readonly name: string;
  tally: Tally;
  /** Those that were looked for. */
  readonly items: Map<number, ItemUsage>;
  /** Items whose rows have to be written. */
  readonly dirty: Set<number>;
  isDirty: boolean;
}

type BySubject<T> = Readonly<Record<QuotaSubject, T>>;
type Expired = BySubject<Map<string, Passage[]>>;

export class UsageRows {
  readonly #sql: Statements;
  readonly #now: number;
  readonly #kept: BySubject<Map<string, Kept>> = {
    principal: new Map(),
    origin: new Map(),
    channel: new Map(),
    everyone: new Map(),
  };
  /** Reservations past their time that nobody has tidied, in the order of their end. */
  #expired: Expired | null = null;

  constructor(sql: Statements, now: number) {
    this.#sql = sql;
    this.#now = now;
  }

  /** A caller as it is at this moment: expiry is a fact of time, whether or not a sweeper has run. */
  of(subject: QuotaSubject, name: string, items: Iterable<Item>): Usage {
    const kept = this.#load(subject, name);
    const expired = this.#expiredOf(kept);
    for (const { item_key } of items) this.#item(kept, item_key);
    if (expired.length === 0) return kept;
    const now = new Map<number, ItemUsage>();
    for (const [key, item] of kept.items) now.set(key, itemNow(item, key, expired));
    return { tally: expired.reduce(tallyAfter, kept.tally), items: now };
  }

  /** A reservation was granted, on what `of` says. */
  grant(owner: Owner, passage: Passage): void {
    for (const [subject, name] of listSubjects(owner)) this.#grant(this.#load(subject, name), passage);
  }

  /** A reservation that counted counts otherwise, or no more. */
  move(owner: Owner, passage: Passage): void {
    for (const [subject, name] of listSubjects(owner)) this.#move(this.#load(subject, name), passage);
  }

  /** Whether the ledger knows no caller but this one. Called for one that may be granted something, so it may not be known itself. */
  isOnly(principal: string): boolean {
    const { other } = this.#sql.other_caller.get(principal, principal) as { other: 0 | 1 };
    if (other === 1) return false;
    const unwritten = [...this.#kept.principal.values()];
    return unwritten.every(({ name, isDirty }) => !isDirty || name === principal);
  }

  /** Writes what has moved. */
  flush(): void {
    for (const kept of Object.values(this.#kept)) for (const one of kept.values()) this.#write(one);
  }

  /** Rows were changed: those past their time may have been tidied. */
  forgetExpired(): void {
    this.#expired = null;
  }

  /** Counts what is there anew, because it was not kept: what is live and held is known, the past is forgiven. */
  rebuild(): void {
    this.drop();
    const { count_callers, count_caller_items, put_tallied } = this.#sql;
    count_callers.run(this.#now);
    count_caller_items.run(this.#now);
    put_tallied.run(1);
  }

  /** Keeps nothing any more, until somebody is judged by it. */
  drop(): void {
    for (const kept of Object.values(this.#kept)) kept.clear();
    this.#sql.drop_callers.run();
    this.#sql.drop_caller_items.run();
    this.#sql.put_tallied.run(0);
  }

  #grant(kept: Kept, passage: Passage): void {
    const expired = this.#expiredOf(kept);
    kept.tally = tallyAfter(kept.tally, passage);
    kept.isDirty = true;
    for (const [key, units] of passage.units) {
      const before = this.#item(kept, key);
      kept.items.set(key, itemAfterGrant(before, itemNow(before, key, expired), passage, units));
      kept.dirty.add(key);
    }
  }

  #move(kept: Kept, passage: Passage): void {
    kept.tally = tallyAfter(kept.tally, passage);
    kept.isDirty = true;
    for (const [key, units] of passage.units) {
      kept.items.set(key, itemAfter(this.#item(kept, key), passage, units));
      kept.dirty.add(key);
    }
  }

  #write(kept: Kept): void {
    if (!kept.isDirty) return;
    const { subject, name, items, dirty } = kept;
    if (TALLIED.has(subject)) this.#writeTally(kept);
    for (const key of dirty) {
      const { live_units, held_units, ordered_units, idle_ms, since_ms, ...days } =
        items.get(key) ?? NO_ITEM_USAGE;
      this.#sql.put_caller_item.run(
        subject,
        name,
        key,
        live_units,
        held_units,
        ordered_units,
        idle_ms,
        since_ms,
        JSON.stringify(days.sold),
        JSON.stringify(days.unsold),
      );
    }
    dirty.clear();
    kept.isDirty = false;
  }

  #writeTally({ subject, name, tally }: Kept): void {
    this.#sql.put_caller.run(
      subject,
      name,
      tally.live_reservations,
      tally.held_orders,
      JSON.stringify(tally.granted),
      JSON.stringify(tally.idle),
      JSON.stringify(tally.sold),
      tally.idle_at_ms,
      JSON.stringify(tally.ordered),
      JSON.stringify(tally.ordered_units),
      this.#now,
    );
  }

  #load(subject: QuotaSubject, name: string): Kept {
    let kept = this.#kept[subject].get(name);
    if (kept === undefined) {
      const isTallied = TALLIED.has(subject);
      const row = isTallied ? (this.#sql.caller.get(subject, name) as CallerRow | undefined) : undefined;
      const tally = row === undefined ? NO_TALLY : readCaller(row);
      kept = { subject, name, tally, items: new Map(), dirty: new Set(), isDirty: false };
      this.#kept[subject].set(name, kept);
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
    return this.#expired[subject].get(name) ?? NONE;
  }
}

const NONE: readonly Passage[] = [];

function itemNow(kept: ItemUsage, key: number, expired: readonly Passage[]): ItemUsage {
  if (expired.length === 0) return kept;
  return expired.reduce((item, passage) => {
    const units = passage.units.get(key);
    return units === undefined ? item : itemAfter(item, passage, units);
  }, kept);
}

function readCaller(row: CallerRow): Tally {
  const [live_reservations, held_orders, granted, idle, sold, idle_at_ms, ordered, ordered_units] = row;
  return {
    live_reservations,
    held_orders,
    granted: JSON.parse(granted) as Slots,
    idle: JSON.parse(idle) as Slots,
    sold: JSON.parse(sold) as Slots,
    ordered: JSON.parse(ordered) as Slots,
    ordered_units: JSON.parse(ordered_units) as Slots,
    idle_at_ms,
  };
}

function readItem(row: CallerItemRow): ItemUsage {
  const [live_units, held_units, ordered_units, idle_ms, since_ms, sold, unsold] = row;
  return {
    live_units,
    held_units,
    ordered_units,
    idle_ms,
    since_ms,
    sold: JSON.parse(sold) as Slots,
    unsold: JSON.parse(unsold) as Slots,
  };
}

/** One passage a reservation, for each tally that it stands in. */
function readExpired(rows: readonly ExpiredRow[]): Expired {
  const expired: Expired = {
    principal: new Map(),
    origin: new Map(),
    channel: new Map(),
    everyone: new Map(),
  };
  if (rows.length === 0) return expired;
  const byReservation = new Map<number, ExpiredRow & { readonly units: Map<number, number> }>();
  for (const row of rows) {
    const known = byReservation.get(row.reservation_key) ?? { ...row, units: new Map<number, number>() };
    known.units.set(row.item_key, (known.units.get(row.item_key) ?? 0) + row.quantity_units);
    byReservation.set(row.reservation_key, known);
  }
  for (const { units, created_at_ms, expires_at_ms, pooled, ...owner } of byReservation.values()) {
    const passage: Passage = {
      from: 'live',
      to: null,
      parting: 'unsold',
      is_ordered: false,
      created_at_ms,
      at_ms: expires_at_ms,
      units,
    };
    const subjects = listSubjects({ ...owner, pooled: pooled === 1 });
    for (const [subject, name] of subjects) addTo(expired[subject], name, passage);
  }
  return expired;
}

function addTo(passages: Map<string, Passage[]>, name: string, passage: Passage): void {
  const known = passages.get(name);
  if (known === undefined) passages.set(name, [passage]);
  else known.push(passage);
}
