/**
 * One transaction's view of the database: loads what decisions ask for, applies what they decide, and keeps
 * what it has seen until the commit. Nothing of it survives the transaction, because other processes write too.
 */

import { confirmedAt } from '../../ledger/freshness.js';
import type { Hold } from '../../ledger/hold.js';
import { chainHash, type JournalDraft } from '../../ledger/journal.js';
import type { Lifecycle } from '../../ledger/observation.js';
import type { Order } from '../../ledger/order.js';
import { passageOf } from '../../ledger/passage.js';
import type {
  Changes,
  Clock,
  HoldMove,
  ItemPut,
  Keys,
  LedgerState,
  LocationRow,
  NewReservation,
  Owned,
  PastHash,
  Remembered,
  SyncState,
} from '../../ledger/ports.js';
import type { ReconcileReport } from '../../ledger/reconciliation.js';
import type { Reservation } from '../../ledger/reservation.js';
import type { OutboxRow, ShopState } from '../../ledger/shop-side.js';
import type { Item, Level } from '../../ledger/stock.js';
import { packLines, unpackLines } from './packed-lines.js';
import type { Statements } from './statements.js';
import { UsageRows } from './usage-rows.js';

/** Holds that one report moves on at most; the rest waits for the next. Waiting only promises less. */
const AWAITING_MAX = 1000;
/** Past checksums compared at a submit, per item. */
const HISTORY_MAX = 1000;
/** Reservations that expire next, among which a refused caller's own are looked for. */
const EXPIRIES_MAX = 200;
/** Records of full reconciliations: four days of hourly ones. The journal keeps the totals of all. */
const RECONCILIATIONS_KEPT = 100;

/** Columns in the order of the statement `head`. */
export type HeadRow = readonly [
  shop: string,
  last_at_ms: number,
  journal_seq: number,
  journal_hash: Buffer,
  baseline_at_ms: number | null,
  confirmed_at_ms: number,
  cursor: string | null,
  tallied: 0 | 1,
];

/** Columns in the order of ITEM_COLUMNS: as arrays, because naming so many fields costs more than finding the row. */
type ItemRow = readonly [
  item_key: number,
  item_id: string,
  variant_id: string,
  sku: string,
  title: string,
  variant_title: string,
  lifecycle: Lifecycle,
  safety_stock_units: number,
  state_version: number,
  salt: string,
  stock_hash: string,
  as_of_ms: number,
  read_at_ms: number,
  micro_units_per_hour: number,
  velocity_at_ms: number,
  watched_since_ms: number,
  product_id: string,
  dirty_at_ms: number | null,
];

/** Columns in the order of the statement `levels`. */
type LevelRow = readonly [
  level_key: number,
  location_key: number,
  sellable_here: 0 | 1,
  upstream_available_units: number,
  upstream_on_hand_units: number | null,
  upstream_committed_units: number | null,
  held_units: number,
  mirrored_units: number,
  under_way_units: number,
  upstream_updated_at_ms: number | null,
  read_at_ms: number,
];

type KeyedLocation = LocationRow & { readonly location_key: number };

export class Session {
  readonly now_ms: number;
  readonly #sql: Statements;
  readonly #shop: string;
  readonly #sync: SyncState;
  readonly #mirrorHorizonMs: number;
  #hasWritten = false;
  #lastKey: number | null = null;
  #journalSeq: number;
  #journalHash: string;
  #expired: ReadonlyMap<number, number> | null = null;
  #locations: ReadonlyMap<string, LocationRow> | null = null;
  #locationsByKey: ReadonlyMap<number, KeyedLocation> | null = null;
  readonly #usage: UsageRows;
  /** Whether what callers take up is kept. */
  #isTallied: boolean;
  readonly #items = new Map<number, Item>();
  readonly #keyBySku = new Map<string, number>();
  readonly #itemByLevel = new Map<number, number>();
  readonly #dirtySums = new Map<number, { held_units: number; mirrored_units: number }>();

  /** `mirrorHorizonMs`: how far ahead a mirrored hold's end at the shop makes it worth a look. */
  constructor(statements: Statements, clock: Clock, mirrorHorizonMs: number) {
    this.#sql = statements;
    this.#mirrorHorizonMs = mirrorHorizonMs;
    const head = statements.head.get() as HeadRow;
    this.#shop = head[0];
    this.now_ms = clock.observe(head[1]);
    this.#journalSeq = head[2];
    this.#journalHash = head[3].toString('hex');
    this.#usage = new UsageRows(statements, this.now_ms);
    this.#isTallied = head[7] === 1;
    this.#sync = { baseline_at_ms: head[4], confirmed_at_ms: head[5], cursor: head[6] };
  }

  load(keys: Keys): LedgerState {
    const remembered = keys.idempotency === undefined ? null : this.#remembered(keys.idempotency);
    const owned = keys.owned === undefined ? null : this.#owned(keys.owned, keys.owner);
    const owned_items = owned === null ? [] : this.#itemsOf(owned);
    const items = new Map<string, Item>();
    const items_by_id = new Map<string, Item>();
    const awaiting = new Map<number, readonly Hold[]>();
    const under_way = new Map<number, readonly number[]>();
    for (const sku of keys.skus ?? []) {
      const item = this.#itemBySku(sku);
      if (item !== null) items.set(sku, item);
    }
    for (const id of keys.item_ids ?? []) {
      const item = this.#itemById(id);
      if (item === null) continue;
      items_by_id.set(id, item);
      for (const { level_key } of item.levels) {
        awaiting.set(level_key, this.#awaiting(level_key));
        under_way.set(level_key, this.#underWay(level_key));
      }
    }
    const session = this;
    let expiries: ReadonlyMap<number, number> | null = null;
    return {
      now_ms: this.now_ms,
      shop: this.#shop,
      sync: this.#sync,
      items,
      items_by_id,
      get locations() {
        return session.#allLocations();
      },
      owned,
      owned_items,
      remembered,
      usage: this.#usageOf(keys.caller, items),
      get expiries() {
        expiries ??= session.#expiries(keys.caller?.principal);
        return expiries;
      },
      awaiting,
      under_way,
      history: keys.history === true ? this.#history(owned_items) : NO_HISTORY,
      precedence: keys.precedence === true && owned !== null ? this.#precedence(owned) : NO_PRECEDENCE,
    };
  }

  /** Applies all of it; what it throws is a bug or a broken disk, and the whole transaction must be rolled back. */
  apply(changes: Changes, keys: Keys, { owned, owned_items }: LedgerState): void {
    this.#hasWritten = true;
    let reservationKey =
      changes.reservation?.reservation_key ??
      changes.order?.reservation_key ??
      changes.outbox?.reservation_key;
    let itemKey: number | null = null;
    if (changes.new_reservation !== undefined) {
      // Its own entry is the next one: `created_seq` counts on that.
      if (changes.journal?.[0]?.kind !== 'reservation.created')
        throw new Error('a reservation without its entry');
      reservationKey = this.#addReservation(changes.new_reservation);
      if (this.#isTallied) this.#tallyGrant(changes.new_reservation);
      for (const sum of changes.sums ?? []) this.#setSums(sum);
    } else if (changesRows(changes)) {
      this.#flush();
      if (owned !== null && this.#isTallied) this.#moveUsage(owned, owned_items, changes);
      itemKey = this.#applyRows(changes);
      this.#forget();
    }
    for (const draft of changes.journal ?? []) {
      const owner = draft.of_reservation === true ? (reservationKey ?? this.#ownedKey(keys)) : null;
      this.#append(draft, owner, draft.of_item === true ? itemKey : null);
    }
    if (changes.remember !== undefined && keys.idempotency !== undefined) {
      const { principal, tool, key } = keys.idempotency;
      const { input_hash, answer } = changes.remember;
      this.#sql.remember.run(
        principal,
        tool,
        key,
        input_hash,
        reservationKey,
        JSON.stringify(answer),
        this.now_ms,
      );
    }
  }

  /**
   * Writes what was kept back. To be called once, before the commit; a group of refusals has written nothing.
   * Whatever was written carries this session's time, so no later one may begin before it, even in a process
   * whose clock was set back (L9).
   */
  finish(): void {
    this.#flush();
    if (!this.#hasWritten) return;
    this.#sql.add.journal.flush();
    this.#sql.put_head.run(this.now_ms, this.#journalSeq, Buffer.from(this.#journalHash, 'hex'));
  }

  /** Writes past the decisions (locations, leases …): what was seen of the rows before is forgotten. */
  write<R>(write: (now: number) => R): R {
    this.#hasWritten = true;
    this.#flush();
    const result = write(this.now_ms);
    this.#forget();
    return result;
  }

  #applyRows(changes: Changes): number | null {
    const sql = this.#sql;
    for (const move of changes.holds ?? []) this.#moveHold(move);
    for (const sum of changes.sums ?? []) sql.put_sums.run(sum.held_units, sum.mirrored_units, sum.level_key);
    if (changes.reservation !== undefined) {
      sql.put_reservation.run(changes.reservation.state, changes.reservation.reservation_key);
    }
    if (changes.new_order !== undefined) this.#addOrder(changes.new_order);
    if (changes.order !== undefined) this.#putOrder(changes.order);
    if (changes.reconciliation !== undefined) this.#addReconciliation(changes.reconciliation);
    if (changes.outbox !== undefined) this.#putOutbox(changes.outbox);
    return changes.item === undefined ? null : this.#putItem(changes.item);
  }

  /** Kept back until something could look for it: nobody knows the id before the commit. */
  #addReservation(reservation: NewReservation): number {
    const { id, principal, lines, stock_hash, created_at_ms, expires_at_ms } = reservation;
    this.#lastKey ??= (this.#sql.last_reservation_key.get() as { key: number | null }).key ?? 0;
    this.#lastKey += 1;
    const key = this.#lastKey;
    const { add } = this.#sql;
    add.reservations.add(
      key,
      id,
      principal,
      reservation.channel,
      reservation.origin,
      packLines(lines, stock_hash),
      stock_hash,
      created_at_ms,
      expires_at_ms,
      this.#journalSeq + 1,
      reservation.tag,
      reservation.due_at_ms,
    );
    for (const hold of reservation.holds) add.holds.add(key, hold.level_key, hold.quantity_units);
    return key;
  }

  #tallyGrant(reservation: NewReservation): void {
    const { created_at_ms } = reservation;
    const units = new Map<number, number>();
    for (const hold of reservation.holds) {
      const item = this.#itemByLevel.get(hold.level_key);
      if (item === undefined) throw new Error('a hold at a level that was not loaded');
      units.set(item, (units.get(item) ?? 0) + hold.quantity_units);
    }
    this.#usage.grant(reservation, {
      from: null,
      to: 'live',
      parting: null,
      created_at_ms,
      at_ms: created_at_ms,
      units,
    });
  }

  #moveUsage(owned: Owned, items: readonly Item[], changes: Changes): void {
    const itemOfLevel = (level: number): number => {
      const item = items.find(({ levels }) => levels.some(({ level_key }) => level_key === level));
      if (item === undefined) throw new Error('a hold at a level that was not loaded');
      return item.item_key;
    };
    const passage = passageOf(owned, changes, itemOfLevel, this.now_ms);
    if (passage !== null) this.#usage.move(owned.reservation, passage);
  }

  #usageOf(caller: Keys['caller'], items: ReadonlyMap<string, Item>): LedgerState['usage'] {
    if (caller === undefined) return NO_USAGE_ASKED;
    if (!this.#isTallied) this.#beginTally();
    const { principal, origin } = caller;
    return {
      principal: this.#usage.of('principal', principal, items.values()),
      origin: origin === null ? null : this.#usage.of('origin', origin, items.values()),
    };
  }

  /** Somebody is judged again. Kept from now on, by every process: those who judge nobody follow suit. */
  #beginTally(): void {
    this.#hasWritten = true;
    this.#flush();
    this.#usage.rebuild();
    this.#isTallied = true;
  }

  /** Nobody is judged here. If somebody is elsewhere, the next call there begins anew. */
  dropTallies(): void {
    if (!this.#isTallied) return;
    this.#hasWritten = true;
    this.#flush();
    this.#usage.drop();
    this.#isTallied = false;
  }

  #expiries(principal: string | undefined): ReadonlyMap<number, number> {
    if (principal === undefined) return new Map();
    this.#flush();
    const rows = this.#sql.expiries.all(this.now_ms, EXPIRIES_MAX, principal) as {
      item_key: number;
      expires_at_ms: number;
    }[];
    return new Map(rows.map(({ item_key, expires_at_ms }) => [item_key, expires_at_ms]));
  }

  #moveHold({ hold, to }: HoldMove): void {
    const { changes } =
      to === null
        ? this.#sql.drop_hold.run(hold.level_key, hold.reservation_key)
        : this.#sql.put_hold.run(
            to.quantity_units,
            to.state,
            to.awaits,
            to.awaits_after_ms,
            to.mirror_until_ms,
            hold.level_key,
            hold.reservation_key,
          );
    if (changes !== 1) throw new Error('a hold to move is missing');
  }

  #addOrder(order: Order): void {
    this.#sql.add_order.run(
      order.id,
      order.reservation_key,
      order.state,
      order.hash_verdict,
      order.stock_hash,
      JSON.stringify(order.reasons),
      order.buyer === null ? null : JSON.stringify(order.buyer),
      order.note,
      order.reference,
      order.submitted_at_ms,
      order.decided_at_ms,
      order.placed_at_ms,
      order.upstream_order_ref,
      order.upstream_order_name,
      order.checkout_url,
      order.order_mode,
      order.pay_until_ms,
    );
  }

  #putOrder(order: Order): void {
    this.#sql.put_order.run(
      order.state,
      JSON.stringify(order.reasons),
      order.approved_by,
      order.buyer === null ? null : JSON.stringify(order.buyer),
      order.decided_at_ms,
      order.placed_at_ms,
      order.upstream_order_ref,
      order.upstream_order_name,
      order.checkout_url,
      order.pay_until_ms,
      order.aftermath === null ? null : JSON.stringify(order.aftermath),
      order.id,
    );
  }

  /** Its own entry is the next one: that is how `verify` finds the two together. */
  #addReconciliation(report: ReconcileReport): void {
    this.#sql.add_reconciliation.run(
      this.#journalSeq + 1,
      report.began_at_ms,
      report.ended_at_ms,
      report.is_first ? 1 : 0,
      report.items_read,
      report.levels_compared,
      report.drift_total,
      report.catalogue_drift_total,
      report.in_passing_total,
      JSON.stringify(report.drift),
      JSON.stringify(report.catalogue_drift),
    );
    this.#sql.prune_reconciliations.run(RECONCILIATIONS_KEPT);
  }

  #putOutbox(row: OutboxRow): void {
    this.#sql.put_outbox.run(
      row.shop_state,
      row.protocol,
      row.request === null ? null : JSON.stringify(row.request),
      row.hold_ref,
      row.hold_until_ms,
      row.details_sent ? 1 : 0,
      row.intent_at_ms,
      row.empty_lookups,
      row.attempts,
      row.due_at_ms,
      row.claimed_by,
      row.claimed_until_ms,
      row.parked ? 1 : 0,
      row.last_failure,
      row.reservation_key,
    );
  }

  #putItem(item: ItemPut): number {
    const { velocity } = item;
    const { item_key } = this.#sql.put_item.get(
      item.item_id,
      item.variant_id,
      item.sku,
      item.title,
      item.variant_title,
      item.lifecycle,
      item.safety_stock_units,
      item.state_version,
      item.salt,
      item.stock_hash,
      item.as_of_ms,
      item.read_at_ms,
      velocity.micro_units_per_hour,
      velocity.at_ms,
      velocity.watched_since_ms,
      item.product_id,
      item.dirty_at_ms,
    ) as { item_key: number };
    for (const level of item.levels) {
      this.#sql.put_level.run(
        item_key,
        level.location_id,
        level.sellable_here ? 1 : 0,
        level.upstream_available_units,
        level.upstream_on_hand_units,
        level.upstream_committed_units,
        level.held_units,
        level.mirrored_units,
        level.under_way_units,
        level.upstream_updated_at_ms,
        level.read_at_ms,
      );
    }
    if (item.is_new_version)
      this.#sql.put_version.run(item_key, item.state_version, item.stock_hash, item.as_of_ms);
    return item_key;
  }

  #append(draft: JournalDraft, reservationKey: number | null, itemKey: number | null): void {
    const entry = {
      seq: this.#journalSeq + 1,
      at_ms: this.now_ms,
      kind: draft.kind,
      reservation_key: reservationKey,
      item_key: itemKey,
      data: JSON.stringify(draft.data),
    };
    this.#journalHash = chainHash(this.#journalHash, entry);
    this.#journalSeq = entry.seq;
    this.#sql.add.journal.add(
      entry.seq,
      entry.at_ms,
      entry.kind,
      entry.reservation_key,
      entry.item_key,
      entry.data,
      Buffer.from(this.#journalHash, 'hex'),
    );
  }

  /** Keeps new sums in mind and writes them once at the end: on a hot SKU one write serves the whole group. */
  #setSums(sum: { level_key: number; held_units: number; mirrored_units: number }): void {
    // The schema says so too, but only when the last of the group is written: by then others would have built on it.
    if (sum.held_units < 0 || sum.mirrored_units < 0)
      throw new Error('a level can not hold less than nothing');
    this.#dirtySums.set(sum.level_key, sum);
    const item = this.#items.get(this.#itemByLevel.get(sum.level_key) ?? NO_KEY);
    if (item === undefined) return;
    const levels = item.levels.map((level) =>
      level.level_key === sum.level_key ? { ...level, ...sum } : level,
    );
    this.#items.set(item.item_key, { ...item, levels });
  }

  #flush(): void {
    for (const [level_key, sum] of this.#dirtySums)
      this.#sql.put_sums.run(sum.held_units, sum.mirrored_units, level_key);
    this.#dirtySums.clear();
    const { add } = this.#sql;
    add.reservations.flush();
    add.holds.flush();
    this.#usage.flush();
  }

  #forget(): void {
    this.#items.clear();
    this.#keyBySku.clear();
    this.#itemByLevel.clear();
    this.#expired = null;
    this.#usage.forgetExpired();
    this.#locations = null;
    this.#locationsByKey = null;
  }

  #itemBySku(sku: string): Item | null {
    const key = this.#keyBySku.get(sku);
    if (key !== undefined) return this.#items.get(key) ?? null;
    const row = this.#sql.item_by_sku.get(sku) as ItemRow | undefined;
    return row === undefined ? null : this.#item(row);
  }

  #itemById(id: string): Item | null {
    const row = this.#sql.item_by_id.get(id) as ItemRow | undefined;
    return row === undefined ? null : this.#item(row);
  }

  #item(row: ItemRow): Item {
    const known = this.#items.get(row[0]);
    if (known !== undefined) return known;
    const item: Item = {
      item_key: row[0],
      item_id: row[1],
      variant_id: row[2],
      sku: row[3],
      title: row[4],
      variant_title: row[5],
      lifecycle: row[6],
      safety_stock_units: row[7],
      state_version: row[8],
      salt: row[9],
      stock_hash: row[10],
      as_of_ms: row[11],
      read_at_ms: row[12],
      confirmed_at_ms: confirmedAt(row[12], this.#sync.confirmed_at_ms, row[17]),
      velocity: { micro_units_per_hour: row[13], at_ms: row[14], watched_since_ms: row[15] },
      product_id: row[16],
      dirty_at_ms: row[17],
      levels: this.#levels(row[0]),
    };
    this.#items.set(item.item_key, item);
    this.#keyBySku.set(item.sku, item.item_key);
    for (const { level_key } of item.levels) this.#itemByLevel.set(level_key, item.item_key);
    return item;
  }

  #levels(itemKey: number): Level[] {
    const rows = this.#sql.levels.all(itemKey) as LevelRow[];
    const expired = this.#expiredUnits();
    const levels = rows.map((row): Level => {
      const location = this.#locationByKey(row[1]);
      return {
        level_key: row[0],
        location_id: location.location_id,
        location_name: location.name,
        location_position: location.position,
        location_open: location.active,
        sellable_here: row[2] === 1,
        upstream_available_units: row[3],
        upstream_on_hand_units: row[4],
        upstream_committed_units: row[5],
        held_units: row[6],
        expired_units: expired.get(row[0]) ?? 0,
        mirrored_units: row[7],
        under_way_units: row[8],
        upstream_updated_at_ms: row[9],
        read_at_ms: row[10],
      };
    });
    return levels.sort(
      (a, b) => a.location_position - b.location_position || (a.location_id < b.location_id ? -1 : 1),
    );
  }

  /** Expiry is a fact of time: units of reservations past theirs, whether or not a sweeper has run. */
  #expiredUnits(): ReadonlyMap<number, number> {
    this.#expired ??= new Map(
      (this.#sql.expired_units.all(this.now_ms) as { level_key: number; units: number }[]).map((row) => [
        row.level_key,
        row.units,
      ]),
    );
    return this.#expired;
  }

  #allLocations(): ReadonlyMap<string, LocationRow> {
    this.#locations ??= new Map([...this.#keyedLocations().values()].map((row) => [row.location_id, row]));
    return this.#locations;
  }

  #locationByKey(key: number): LocationRow {
    const location = this.#keyedLocations().get(key);
    if (location === undefined) throw new Error('a level at a location that does not exist');
    return location;
  }

  /** Read once a transaction: a handful of rows that every level refers to. */
  #keyedLocations(): ReadonlyMap<number, KeyedLocation> {
    this.#locationsByKey ??= new Map(
      (this.#sql.locations.all() as (Omit<KeyedLocation, 'active'> & { active: 0 | 1 })[]).map((row) => [
        row.location_key,
        { ...row, active: row.active === 1 },
      ]),
    );
    return this.#locationsByKey;
  }

  /** `owner`: null too when it is not this principal's. */
  #owned(name: NonNullable<Keys['owned']>, owner?: string): Owned | null {
    this.#flush();
    if ('order_id' in name || 'order_ref' in name) {
      const found = this.#orderRow(name, owner);
      const row = found as { reservation_key: number } | undefined;
      return row === undefined ? null : this.#owned({ reservation_key: row.reservation_key });
    }
    const reservation = readReservation(this.#reservationRow(name, owner));
    if (reservation === null) return null;
    const key = reservation.reservation_key;
    return {
      reservation,
      order: readOrder(this.#sql.order_by_reservation.get(key)),
      holds: this.#sql.holds.all(key) as Hold[],
      outbox: readOutbox(this.#sql.outbox.get(key)),
    };
  }

  #orderRow(name: { order_id: string } | { order_ref: string }, owner: string | undefined): unknown {
    if ('order_ref' in name) return this.#sql.order_by_ref.get(name.order_ref);
    return owner === undefined
      ? this.#sql.order_by_id.get(name.order_id)
      : this.#sql.order_of_owner.get(name.order_id, owner);
  }

  #reservationRow(
    name: Exclude<NonNullable<Keys['owned']>, { order_id: string } | { order_ref: string }>,
    owner: string | undefined,
  ): unknown {
    if ('reservation_id' in name) {
      return owner === undefined
        ? this.#sql.reservation_by_id.get(name.reservation_id)
        : this.#sql.reservation_of_owner.get(name.reservation_id, owner);
    }
    return this.#sql.reservation_by_key.get(name.reservation_key);
  }

  #ownedKey(keys: Keys): number {
    const owned = keys.owned === undefined ? null : this.#owned(keys.owned);
    if (owned === null) throw new Error('a journal entry of a reservation that was not loaded');
    return owned.reservation.reservation_key;
  }

  /**
   * Items that it holds units of; once it is over, also those of its lines, so that a reservation that holds
   * nothing any more still knows what it was about. While it lives only the holds count: a SKU can be renamed.
   */
  #itemsOf(owned: Owned): Item[] {
    const keys = new Set<number>();
    for (const hold of owned.holds) {
      const row = this.#sql.item_of_level.get(hold.level_key) as { item_key: number };
      keys.add(row.item_key);
    }
    if (owned.reservation.state !== 'active' && owned.reservation.state !== 'submitted') {
      for (const line of owned.reservation.lines) {
        const item = line.reserved > 0 ? this.#itemBySku(line.sku) : null;
        if (item !== null) keys.add(item.item_key);
      }
    }
    return [...keys].map(
      (key) => this.#items.get(key) ?? this.#item(this.#sql.item_by_key.get(key) as ItemRow),
    );
  }

  #awaiting(levelKey: number): Hold[] {
    const awaiting = this.#sql.awaiting.all(levelKey, AWAITING_MAX) as Hold[];
    const lapsing = this.#sql.lapsing.all(levelKey, this.now_ms + this.#mirrorHorizonMs) as Hold[];
    return [...awaiting, ...lapsing];
  }

  #underWay(levelKey: number): number[] {
    const rows = this.#sql.under_way.all(levelKey) as { quantity_units: number; shop_state: ShopState }[];
    return rows.map((row) => (row.shop_state === 'creating' ? row.quantity_units : -row.quantity_units));
  }

  #history(items: readonly Item[]): ReadonlyMap<number, readonly PastHash[]> {
    return new Map(
      items.map((item) => [item.item_key, this.#sql.history.all(item.item_key, HISTORY_MAX) as PastHash[]]),
    );
  }

  /** All that is live at the level less what is younger: cheap, because the young are few. */
  #precedence(owned: Owned): ReadonlyMap<number, number> {
    const key = owned.reservation.reservation_key;
    const levels = this.#itemsOf(owned).flatMap((item) => item.levels);
    return new Map(
      levels.map((level) => {
        const { level_key, held_units, expired_units, mirrored_units } = level;
        const younger = this.#sql.younger_units.get(key, level_key, this.now_ms) as { units: number | null };
        return [level_key, held_units - expired_units + mirrored_units - (younger.units ?? 0)];
      }),
    );
  }

  #remembered(name: NonNullable<Keys['idempotency']>): Remembered | null {
    const row = this.#sql.remembered.get(name.principal, name.tool, name.key) as
      | { input_hash: string; reservation_key: number; answer: string }
      | undefined;
    if (row === undefined) return null;
    const owned = this.#owned({ reservation_key: row.reservation_key });
    if (owned === null) throw new Error('an idempotency key of a reservation that does not exist');
    return {
      input_hash: row.input_hash,
      answer: JSON.parse(row.answer) as Record<string, unknown>,
      reservation: owned.reservation,
      order: owned.order,
    };
  }
}

const NO_KEY = -1;
const NO_USAGE_ASKED: LedgerState['usage'] = { principal: null, origin: null };
const NO_HISTORY: ReadonlyMap<number, readonly PastHash[]> = new Map();
const NO_PRECEDENCE: ReadonlyMap<number, number> = new Map();

function changesRows(changes: Changes): boolean {
  return (
    changes.holds !== undefined ||
    changes.sums !== undefined ||
    changes.reservation !== undefined ||
    changes.new_order !== undefined ||
    changes.order !== undefined ||
    changes.outbox !== undefined ||
    changes.reconciliation !== undefined ||
    changes.item !== undefined
  );
}

function readReservation(row: unknown): Reservation | null {
  if (row === undefined) return null;
  const { lines, ...rest } = row as Omit<Reservation, 'lines'> & { lines: string };
  return { ...rest, lines: unpackLines(lines, rest.stock_hash) };
}

function readOrder(row: unknown): Order | null {
  if (row === undefined) return null;
  const { reasons, buyer, aftermath, ...rest } = row as Omit<Order, 'reasons' | 'buyer' | 'aftermath'> & {
    reasons: string;
    buyer: string | null;
    aftermath: string | null;
  };
  return {
    ...rest,
    reasons: JSON.parse(reasons) as Order['reasons'],
    buyer: buyer === null ? null : (JSON.parse(buyer) as Order['buyer']),
    aftermath: aftermath === null ? null : (JSON.parse(aftermath) as Order['aftermath']),
  };
}

function readOutbox(row: unknown): OutboxRow {
  if (row === undefined) throw new Error('a reservation without its outbox row');
  const raw = row as Omit<OutboxRow, 'details_sent' | 'parked' | 'request'> & {
    details_sent: 0 | 1;
    parked: 0 | 1;
    request: string | null;
  };
  return {
    ...raw,
    details_sent: raw.details_sent === 1,
    parked: raw.parked === 1,
    request: raw.request === null ? null : (JSON.parse(raw.request) as OutboxRow['request']),
  };
}
