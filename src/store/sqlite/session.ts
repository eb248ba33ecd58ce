/**
 * One transaction's view of the database: loads what decisions ask for, applies what they decide, and keeps
 * what it has seen until the commit. Nothing of it survives the transaction, because other processes write too.
 */

import { missingVariants, type ReconcileReport } from '../../ledger/model/drift-report.js';
import type { Hold } from '../../ledger/model/hold.js';
import { chainHash, type JournalDraft } from '../../ledger/model/journal.js';
import type { Order } from '../../ledger/model/order.js';
import { orderDue, type Protocol, type ShopState } from '../../ledger/model/outbox-row.js';
import type { RoutedUnits } from '../../ledger/model/route.js';
import type { Item, Level } from '../../ledger/model/stock.js';
import { ANCHOR_VERSION, type Anchor } from '../../ledger/model/values/anchor.js';
import { skuKey } from '../../ledger/model/values/text.js';
import type { LedgerMs } from '../../ledger/model/values/units.js';
import { passageOf } from '../../ledger/quota/usage-change.js';
import type {
  Changes,
  Clock,
  Keys,
  LedgerState,
  LevelSums,
  LocationRow,
  NewReservation,
  Owned,
  PastHash,
  Remembered,
  UnitsUnderWay,
  WakeHolders,
} from '../../ledger/state/state.js';
import { type ItemRow, itemOf, type LevelRow, levelOf, putItem } from './rows/item-rows.js';
import { addOrder, findOwned, moveHold, putOrder, putOutbox, putRouted } from './rows/owned-rows.js';
import { packLines } from './rows/packed-lines.js';
import type { Statements } from './rows/statements.js';
import { EVERYONE, UsageRows } from './rows/usage-rows.js';

/** Holds that one report moves on at most; the rest waits for the next. Waiting only promises less. */
const AWAITING_MAX = 1000;
/** Drafts of one level that are doubted by one report at most: each is read back. */
const DOUBTED_MAX = 50;
/** Of the items that want one SKU, those that want it most: the one that is reported now, and the next best. */
const CLAIMANTS_MAX = 2;
/** SKUs that differ in their case alone: of so many it is known that they are several. */
const SPELLINGS_MAX = 20;
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
  missing_variants: number,
];

type KeyedLocation = LocationRow & { readonly location_key: number };

type LocationColumns = Omit<KeyedLocation, 'active' | 'till_only'> & {
  readonly active: 0 | 1;
  readonly till_only: 0 | 1;
};

export interface SessionOptions {
  /** How far ahead a mirrored hold's end at the shop makes it worth a look. */
  readonly mirrorHorizonMs: number;
  /** This process, as it names itself in its leases. */
  readonly worker: string;
  readonly writerFirstMs: number;
}

export class Session {
  readonly now_ms: number;
  readonly #lead_ms: number;
  readonly #clock: Clock;
  readonly #sql: Statements;
  readonly #shop: string;
  readonly #sync: LedgerState['sync'];
  readonly #mirrorHorizonMs: number;
  readonly #worker: string;
  readonly #writerFirstMs: number;
  #hasWritten = false;
  /** Whether a buyer's details were erased or changed. */
  #hasErased = false;
  #lastKey: number | null = null;
  #journalSeq: number;
  #journalHash: string;
  #expired: ReadonlyMap<number, number> | null = null;
  #routed: ReadonlyMap<number, number> | null = null;
  #locations: ReadonlyMap<string, LocationRow> | null = null;
  #locationsByKey: ReadonlyMap<number, KeyedLocation> | null = null;
  readonly #usage: UsageRows;
  /** Whether what callers take up is kept. */
  #isTallied: boolean;
  readonly #items = new Map<number, Item>();
  readonly #keyBySku = new Map<string, number>();
  readonly #itemByLevel = new Map<number, number>();
  readonly #dirtySums = new Map<number, LevelSums>();
  /** Reservations for which this session has journaled a checksum that was never issued. */
  readonly #refusedHashes = new Set<number>();
  /** By principal: reservations to be mirrored that are not written yet. */
  readonly #granted = new Map<string, number>();

  constructor(statements: Statements, clock: Clock, options: SessionOptions) {
    const { mirrorHorizonMs, worker, writerFirstMs } = options;
    this.#sql = statements;
    this.#mirrorHorizonMs = mirrorHorizonMs;
    this.#worker = worker;
    this.#writerFirstMs = writerFirstMs;
    const head = statements.head.get() as HeadRow;
    this.#shop = head[0];
    this.now_ms = clock.observe(head[1], (now) => isShared(statements, now, worker));
    this.#lead_ms = clock.leadMs();
    this.#clock = clock;
    this.#journalSeq = head[2];
    this.#journalHash = head[3].toString('hex');
    this.#usage = new UsageRows(statements, this.now_ms);
    this.#isTallied = head[7] === 1;
    this.#sync = {
      baseline_at_ms: head[4],
      confirmed_at_ms: head[5],
      cursor: head[6],
      missing_variants: head[8],
    };
  }

  get anchor(): Anchor {
    return { v: ANCHOR_VERSION, n: this.#journalSeq, hash: this.#journalHash };
  }

  get hasErased(): boolean {
    return this.#hasErased;
  }

  /** `isReading`: nothing may be written for it. */
  load(keys: Keys, isReading = false): LedgerState {
    const remembered = keys.idempotency === undefined ? null : this.#remembered(keys.idempotency);
    const owned = keys.owned === undefined ? null : this.#owned(keys.owned, keys.owner);
    const owned_items = owned === null ? [] : this.#itemsOf(owned);
    const items = new Map<string, Item>();
    const items_by_id = new Map<string, Item>();
    const awaiting = new Map<number, readonly Hold[]>();
    const mirrored = new Map<number, readonly Hold[]>();
    const guessed = new Map<number, readonly Hold[]>();
    const under_way = new Map<number, readonly UnitsUnderWay[]>();
    const routed = new Map<string, readonly RoutedUnits[]>();
    for (const sku of keys.skus ?? []) {
      const item = this.#itemBySku(sku) ?? this.#itemSpelled(sku);
      if (item !== null) items.set(sku, item).set(item.sku, item);
    }
    for (const id of keys.item_ids ?? []) {
      const item = this.#itemById(id);
      if (item === null) continue;
      items_by_id.set(id, item);
      routed.set(id, this.#sql.routed_of_item.all(item.item_key) as RoutedUnits[]);
      for (const { level_key } of item.levels) {
        awaiting.set(level_key, this.#awaiting(level_key));
        mirrored.set(level_key, this.#sql.lasting.all(level_key, this.now_ms, DOUBTED_MAX) as Hold[]);
        guessed.set(level_key, this.#sql.guessed.all(level_key, AWAITING_MAX) as Hold[]);
        under_way.set(level_key, this.#underWay(level_key));
      }
    }
    const session = this;
    const caller = keys.waiting_mirrors_of;
    let expiries: ReadonlyMap<number, number> | null = null;
    let own_units: ReadonlyMap<number, number> | null = null;
    const usage = this.#usageOf(keys.caller, [...items.values(), ...owned_items], isReading);
    return {
      now_ms: this.now_ms,
      lead_ms: this.#lead_ms,
      shop: this.#shop,
      sync: this.#sync,
      items,
      items_by_id,
      findClaimants: (sku) => session.#claimants(sku),
      get locations() {
        return session.#allLocations();
      },
      owned,
      owned_items,
      remembered,
      usage,
      get own_units() {
        if (keys.holder === undefined) return null;
        own_units ??= session.#ownUnits(keys.holder, usage);
        return own_units;
      },
      get expiries() {
        expiries ??= session.#expiries(keys.caller?.principal);
        return expiries;
      },
      awaiting,
      mirrored,
      guessed,
      under_way,
      routed,
      get waiting_mirrors() {
        return caller === undefined ? 0 : session.#waitingMirrors(caller);
      },
      get has_refused_hash() {
        return owned !== null && session.#hasRefusedHash(owned.reservation.reservation_key);
      },
      history: keys.history === true ? this.#history(owned_items) : NO_HISTORY,
      precedence: keys.precedence === true && owned !== null ? this.#precedence(owned) : NO_UNITS,
      returning: keys.precedence === true && owned !== null ? this.#returning(owned) : NO_UNITS,
    };
  }

  /** Applies all of it; what it throws is a bug or a broken disk, and the whole transaction must be rolled back. */
  apply(changes: Changes, keys: Keys, { owned, owned_items }: LedgerState): void {
    this.#hasWritten = true;
    if (changes.order !== undefined) this.#hasErased ||= erasesBuyer(owned?.order ?? null, changes.order);
    let reservationKey =
      changes.reservation?.reservation_key ??
      changes.order?.reservation_key ??
      changes.outbox?.reservation_key;
    let itemKey: number | null = null;
    if (changes.new_reservation !== undefined) {
      // Its own entry is the next one: `created_seq` counts on that.
      if (changes.journal?.[0]?.kind !== 'reservation.created')
        throw new Error('a reservation without its entry');
      if (changes.reservation !== undefined) this.#endReplaced(owned, owned_items, changes);
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
      const ofReplaced = draft.of_replaced === true ? (owned?.reservation.reservation_key ?? null) : null;
      const owner = draft.of_reservation === true ? (reservationKey ?? this.#ownedKey(keys)) : ofReplaced;
      const ofItem = draft.of_item_id === undefined ? itemKey : this.#keyOfItem(draft.of_item_id);
      const isOfItem = draft.of_item === true || draft.of_item_id !== undefined;
      this.#append(draft, owner, isOfItem ? ofItem : null);
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

  /** The sums of its levels are written with those of the reservation that takes its place. */
  #endReplaced(owned: Owned | null, owned_items: readonly Item[], { sums, ...changes }: Changes): void {
    if (owned === null) throw new Error('a reservation in place of one that was not loaded');
    this.#flush();
    if (this.#isTallied) this.#moveUsage(owned, owned_items, changes);
    this.#applyRows(changes);
    this.#usage.forgetExpired();
  }

  #applyRows(changes: Changes): number | null {
    const sql = this.#sql;
    for (const move of changes.holds ?? []) moveHold(sql, move);
    for (const sum of changes.sums ?? []) writeSums(sql, sum);
    if (changes.reservation !== undefined) {
      sql.put_reservation.run(changes.reservation.state, changes.reservation.reservation_key);
    }
    if (changes.new_order !== undefined) addOrder(sql, changes.new_order);
    if (changes.order !== undefined) {
      this.#voidOrderRef(changes.order);
      putOrder(sql, changes.order);
    }
    if (changes.reconciliation !== undefined) this.#addReconciliation(changes.reconciliation);
    if (changes.outbox !== undefined) putOutbox(sql, changes.outbox);
    if (changes.routed !== undefined) putRouted(sql, changes.routed);
    if (changes.item === undefined) return null;
    for (const { item, is_owner } of changes.renamed ?? []) if (!is_owner) putItem(sql, item);
    const itemKey = putItem(sql, changes.item);
    for (const { item, is_owner } of changes.renamed ?? []) if (is_owner) putItem(sql, item);
    if (changes.wake !== undefined) this.#wake(itemKey, changes.wake);
    return itemKey;
  }

  /** Another order of ours had this reference: its own is gone from the shop, which has given the id again. */
  #voidOrderRef({ upstream_order_ref, id, state }: Order): void {
    if (upstream_order_ref === null || state !== 'placed') return;
    for (const row of this.#sql.void_order_ref.all(upstream_order_ref, id)) {
      const { reservation_key } = row as { reservation_key: number };
      const data = { order_ref: upstream_order_ref, given_to: id };
      this.#append({ kind: 'order.ref_reused', data }, reservation_key, null);
    }
  }

  /** Makes rows due whose units the shop may have sold, the youngest first. */
  #wake(itemKey: number, { short_units, sales, reservation_keys }: WakeHolders): void {
    const due = orderDue(this.now_ms);
    for (const key of reservation_keys) this.#sql.wake_row.run(due, key);
    if (short_units === 0 && !sales) return;
    const units = new Map<number, number>();
    for (const [level_key] of this.#sql.levels.all(itemKey) as LevelRow[]) {
      const holds = [...this.#sql.mirrored_holds.all(level_key), ...this.#sql.opened_holds.all(level_key)];
      for (const { reservation_key: key, quantity_units } of holds as Hold[])
        units.set(key, (units.get(key) ?? 0) + quantity_units);
    }
    let short = short_units;
    for (const [key, own] of [...units].sort(([a], [b]) => b - a)) {
      if (sales) this.#sql.wake_order.run(due, key);
      if (short > 0 && this.#sql.wake_row.run(due, key).changes === 1) short -= own;
    }
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
      reservation.pooled ? 1 : 0,
      packLines(lines, stock_hash),
      stock_hash,
      created_at_ms,
      expires_at_ms,
      this.#journalSeq + 1,
      reservation.tag,
      reservation.due_at_ms,
      ...this.#claimByWriter(reservation),
    );
    for (const hold of reservation.holds) add.holds.add(key, hold.level_key, hold.quantity_units);
    if (reservation.due_at_ms !== null) this.#granted.set(principal, (this.#granted.get(principal) ?? 0) + 1);
    return key;
  }

  /** Whoever wrote a row knows that nothing was asked of the shop for it yet; any other process has to look there first. */
  #claimByWriter({
    due_at_ms,
  }: NewReservation): readonly [claimed_by: string | null, until_ms: number | null] {
    const isWorkedOn = due_at_ms !== null && this.#writerFirstMs > 0;
    return isWorkedOn ? [this.#worker, this.now_ms + this.#writerFirstMs] : [null, null];
  }

  #waitingMirrors(principal: string): number {
    const { rows } = this.#sql.holds_waiting.get(principal, this.now_ms, WAITING_MAX) as { rows: number };
    return rows + (this.#granted.get(principal) ?? 0);
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
      is_ordered: false,
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

  /** Where nothing is kept of callers yet, a reading can't begin it: nobody has been judged, and nobody is limited. */
  #usageOf(caller: Keys['caller'], items: readonly Item[], isReading: boolean): LedgerState['usage'] {
    if (caller === undefined || (isReading && !this.#isTallied)) return NO_USAGE_ASKED;
    if (!this.#isTallied) this.#beginTally();
    const { principal, origin, channel, is_alone } = caller;
    const all = new Set(items);
    return {
      principal: this.#usage.of('principal', principal, all),
      origin: origin === null ? null : this.#usage.of('origin', origin, all),
      channel: channel === null ? null : this.#usage.of('channel', channel, all),
      everyone: this.#usage.of('everyone', EVERYONE, all),
      names: { origin, channel },
      is_sole: is_alone && this.#usage.isOnly(principal),
    };
  }

  /** From what is kept of the holder where something is; else from the reservations, which are many. */
  #ownUnits(holder: string, { principal }: LedgerState['usage']): ReadonlyMap<number, number> {
    if (principal !== null)
      return new Map([...principal.items].map(([key, { live_units }]) => [key, live_units]));
    this.#flush();
    const rows = this.#sql.own_units.all(this.now_ms, holder) as { item_key: number; units: number }[];
    return new Map(rows.map(({ item_key, units }) => [item_key, units]));
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
      report.variants_read,
      report.variants_counted,
    );
    this.#sql.put_missing_variants.run(missingVariants(report));
    this.#sql.prune_reconciliations.run(RECONCILIATIONS_KEPT);
  }

  /** Also by an entry of this session, which is not written yet. */
  #hasRefusedHash(reservationKey: number): boolean {
    return (
      this.#refusedHashes.has(reservationKey) || this.#sql.has_refused_hash.get(reservationKey) !== undefined
    );
  }

  #append(draft: JournalDraft, reservationKey: number | null, itemKey: number | null): void {
    if (draft.kind === 'security.stock_hash_unknown' && reservationKey !== null)
      this.#refusedHashes.add(reservationKey);
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
  #setSums(sum: LevelSums): void {
    // The schema says so too, but only when the last of the group is written: by then others would have built on it.
    if (sum.held_units < 0 || sum.mirrored_units < 0 || sum.doubted_units < 0)
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
    for (const sum of this.#dirtySums.values()) writeSums(this.#sql, sum);
    this.#dirtySums.clear();
    const { add } = this.#sql;
    add.reservations.flush();
    add.holds.flush();
    this.#granted.clear();
    this.#usage.flush();
  }

  #forget(): void {
    this.#items.clear();
    this.#keyBySku.clear();
    this.#itemByLevel.clear();
    this.#expired = null;
    this.#routed = null;
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

  /** The item whose SKU differs in its case alone, where one such is sold, or there is one such in all. */
  #itemSpelled(sku: string): Item | null {
    const rows = this.#sql.items_by_sku_key.all(skuKey(sku), SPELLINGS_MAX) as ItemRow[];
    const items = rows.map((row) => this.#item(row));
    const sold = items.filter(({ lifecycle }) => lifecycle === 'active');
    const [only, ...others] = sold.length > 0 ? sold : items;
    return only === undefined || others.length > 0 ? null : only;
  }

  #claimants(sku: string): Item[] {
    const rows = [this.#sql.item_by_sku.get(sku), ...this.#sql.claimants.all(sku, CLAIMANTS_MAX)];
    const items = rows.flatMap((row) => (row === undefined ? [] : [this.#item(row as ItemRow)]));
    return [...new Map(items.map((item) => [item.item_key, item])).values()];
  }

  #keyOfItem(id: string): number {
    return (this.#sql.item_by_id.get(id) as ItemRow)[0];
  }

  #itemById(id: string): Item | null {
    const row = this.#sql.item_by_id.get(id) as ItemRow | undefined;
    return row === undefined ? null : this.#item(row);
  }

  #item(row: ItemRow): Item {
    const known = this.#items.get(row[0]);
    if (known !== undefined) return known;
    const doubtMs = (since: LedgerMs): number => this.#clock.doubtMs(since);
    const item = itemOf(row, { heartbeatMs: this.#sync.confirmed_at_ms, doubtMs }, this.#levels(row[0]));
    this.#items.set(item.item_key, item);
    this.#keyBySku.set(item.sku, item.item_key);
    for (const { level_key } of item.levels) this.#itemByLevel.set(level_key, item.item_key);
    return item;
  }

  #levels(itemKey: number): Level[] {
    const rows = this.#sql.levels.all(itemKey) as LevelRow[];
    const expired = this.#expiredUnits();
    this.#routed ??= unitsByLevel(this.#sql.routed_by_level.all());
    const routed = this.#routed;
    const levels = rows.map((row) =>
      levelOf(row, this.#locationByKey(row[1]), {
        expiredUnits: expired.get(row[0]) ?? 0,
        routedUnits: routed.get(row[0]) ?? 0,
      }),
    );
    return levels.sort(
      (a, b) => a.location_position - b.location_position || (a.location_id < b.location_id ? -1 : 1),
    );
  }

  /** Expiry is a fact of time: units of reservations past theirs, whether or not a sweeper has run. */
  #expiredUnits(): ReadonlyMap<number, number> {
    this.#expired ??= unitsByLevel(this.#sql.expired_units.all(this.now_ms));
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
      (this.#sql.locations.all() as LocationColumns[]).map((row) => [
        row.location_key,
        { ...row, active: row.active === 1, till_only: row.till_only === 1 },
      ]),
    );
    return this.#locationsByKey;
  }

  /** `owner`: null too when it is not this principal's. */
  #owned(name: NonNullable<Keys['owned']>, owner?: string): Owned | null {
    this.#flush();
    return findOwned(this.#sql, name, owner);
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

  /**
   * What is being taken may be gone already, and so may what is being given back while it counts on our side again; what a
   * reservation that is over gives back may be there again.
   */
  #underWay(levelKey: number): UnitsUnderWay[] {
    const rows = this.#sql.under_way.all(levelKey) as {
      quantity_units: number;
      state: Hold['state'];
      shop_state: ShopState;
      protocol: Protocol | null;
    }[];
    return rows.map(({ quantity_units, state, shop_state, protocol }) => {
      const mayBeGone = shop_state === 'creating' || state === 'counted';
      return { units: mayBeGone ? quantity_units : -quantity_units, is_exact: protocol === 'move' };
    });
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

  #returning(owned: Owned): ReadonlyMap<number, number> {
    const levels = this.#itemsOf(owned).flatMap((item) => item.levels);
    return new Map(
      levels.map(({ level_key }) => {
        const row = this.#sql.returning_units.get(level_key) as { units: number | null };
        return [level_key, row.units ?? 0];
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
/** Mirrors that wait are counted up to here. */
const WAITING_MAX = 1_000;
const NO_USAGE_ASKED: LedgerState['usage'] = {
  principal: null,
  origin: null,
  channel: null,
  everyone: null,
  names: { origin: null, channel: null },
  is_sole: false,
};
const NO_HISTORY: ReadonlyMap<number, readonly PastHash[]> = new Map();
const NO_UNITS: ReadonlyMap<number, number> = new Map();

/** Whether the row loses what was kept of its buyer: a page of the file has it no more, and the write-ahead log still does. */
function erasesBuyer(before: Order | null, after: Order): boolean {
  if (before === null) return false;
  const isChanged = (a: unknown, b: unknown): boolean =>
    a !== null && JSON.stringify(a) !== JSON.stringify(b);
  return (
    isChanged(before.buyer, after.buyer) ||
    isChanged(before.note, after.note) ||
    isChanged(before.reference, after.reference)
  );
}

function writeSums(sql: Statements, sum: LevelSums): void {
  const { held_units, mirrored_units, doubted_units, under_way_units, level_key } = sum;
  sql.put_sums.run(held_units, mirrored_units, doubted_units, under_way_units, level_key);
}

/** Whether another process has a lease at that time of the ledger: one that works renews its leases all the time. */
function isShared({ others_lease }: Statements, now: number, worker: string): boolean {
  return (others_lease.get(now, worker) as { lives: 0 | 1 }).lives === 1;
}

function unitsByLevel(rows: readonly unknown[]): ReadonlyMap<number, number> {
  return new Map((rows as { level_key: number; units: number }[]).map((row) => [row.level_key, row.units]));
}

function changesRows(changes: Changes): boolean {
  return (
    changes.holds !== undefined ||
    changes.sums !== undefined ||
    changes.reservation !== undefined ||
    changes.new_order !== undefined ||
    changes.order !== undefined ||
    changes.outbox !== undefined ||
    changes.routed !== undefined ||
    changes.reconciliation !== undefined ||
    changes.item !== undefined
  );
}
