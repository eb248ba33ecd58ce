/**
 * The ledger's store on SQLite. Waiting transactions are drained together under one `BEGIN IMMEDIATE … COMMIT`
 * (group commit), so that one fsync serves all of them, and each is answered only after that commit.
 */

import type { ReconcileReport } from '../../ledger/model/drift-report.js';
import type { JournalEntry } from '../../ledger/model/journal.js';
import type { Anchor } from '../../ledger/model/values/anchor.js';
import type { MovedUnits } from '../../ledger/model/values/unowned-units.js';
import type {
  ChangeCursor,
  Changes,
  Clock,
  Decision,
  DueRows,
  FoundItem,
  InboxDelivery,
  InboxState,
  IntentWatch,
  ItemTimes,
  JointDecision,
  JournalWatch,
  Keys,
  LateRow,
  LedgerState,
  LocationRow,
  OrderListing,
  OrderQuery,
  OutboxLane,
  ReservationListing,
  ReservationQuery,
  StockChanges,
  Store,
  SyncState,
  TimeMark,
  UnreadItem,
  WaitingDelivery,
} from '../../ledger/state/state.js';
import { StoreBusy } from '../../ledger/state/state.js';
import { changesSince } from './changes.js';
import type { Database } from './database/driver.js';
import { FileWatch } from './database/ledger-file.js';
import { IN_MEMORY, isBusy, LedgerUnusable, openDatabase } from './database/open-database.js';
import type { Turnstile } from './lock/fair-lock.js';
import { dueRows } from './rows/due-rows.js';
import { inboxState, itemsNamed, itemTimes, receive, waitingDeliveries } from './rows/inbox-rows.js';
import { searchItems } from './rows/item-search.js';
import { listOrders, listReservations } from './rows/listings.js';
import type { LiveCount } from './rows/live-count.js';
import { type MovedRow, readMovedUnits } from './rows/moved-units.js';
import { discardAdditions, prepareAll, type Statements } from './rows/statements.js';
import type { WaitingCount } from './rows/waiting-orders.js';
import { Session } from './session.js';

export interface SqliteStoreOptions {
  readonly path: string;
  readonly shop: string;
  readonly clock: Clock;
  /** This process, as it names itself in its leases. Left out: one without leases. */
  readonly worker?: string;
  /** How long a new reservation is left to the worker that wrote it, before others work on it. Left out: not at all. */
  readonly writer_first_ms?: number;
  readonly onIntent?: IntentWatch;
  readonly onJournal?: JournalWatch;
  /** A number in [0, 1): spreads the retries of several processes. */
  readonly random: () => number;
  /** Fairness between processes; correctness never depends on it. */
  readonly turnstile: Turnstile;
  /** Transactions that share one commit at most. */
  readonly group_max: number;
  /** A group stops taking more after this long, so that other processes get their turn. */
  readonly group_max_ms: number;
  /** How long a transaction may wait before it is refused as busy. */
  readonly busy_deadline_ms: number;
  readonly wal_autocheckpoint_pages: number;
  /** How far ahead the end of a mirrored hold is looked for when a report is applied. */
  readonly mirror_horizon_ms: number;
}

interface Waiting {
  /** Decides and applies in the group's transaction; the function it returns answers, after the commit. */
  readonly work: (session: Session) => () => void;
  readonly reject: (error: unknown) => void;
  /** By the monotonic clock of this process. */
  readonly deadline_ms: number;
}

interface Answering<R> {
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** Pause before the lock is asked for again, spread so that processes don't march in step. */
const BUSY_RETRY_MIN_MS = 1;
const BUSY_RETRY_SPREAD_MS = 4;
/** Rows that one pruning transaction deletes. */
const PRUNE_MAX_ROWS = 500;

export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, shop, clock, wal_autocheckpoint_pages } = options;
  // The clock has to hear of the ledger's own time before anybody asks it what time it is.
  const db = openDatabase({ path, shop, now: () => clock.now(), wal_autocheckpoint_pages });
  try {
    const store = new SqliteStore(db, options);
    store.observeTime();
    store.watchFiles();
    return store;
  } catch (error) {
    db.close();
    throw error;
  }
}

export class SqliteStore implements Store {
  readonly #db: Database;
  readonly #options: SqliteStoreOptions;
  readonly #sql: Statements;
  readonly #begin;
  readonly #beginRead;
  readonly #commit;
  readonly #rollback;
  #queue: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #closed = false;
  /** Null for a ledger in memory. */
  #watch: FileWatch | null = null;
  /** Why nothing can be read or written any more. */
  #lost: LedgerUnusable | null = null;
  /** Whether the write-ahead log may have details of buyers that were erased; a process that died may have left some. */
  #hasErased = true;
  /** Commits of this connection: SQLite counts only those of others. */
  #commits = 0;

  constructor(db: Database, options: SqliteStoreOptions) {
    this.#db = db;
    this.#options = options;
    this.#sql = prepareAll(db);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#beginRead = db.prepare('BEGIN');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Tells the clock what time the ledger has. */
  observeTime(): void {
    this.#reading(() => undefined);
    const mark = this.#sql.time_mark.get() as TimeMark | undefined;
    if (mark !== undefined) this.#options.clock.recall(mark);
  }

  /** Remembers which files are open. To be called once, when all of them are. */
  watchFiles(): void {
    const { path } = this.#options;
    this.#watch = path === IN_MEMORY ? null : new FileWatch(path);
  }

  /**
   * Throws `LedgerUnusable` once the ledger's files are not those that were opened, and refuses every call from then on: what was
   * promised from a file that nobody finds again would be promised anew from the one in its place.
   */
  checkFiles(): void {
    if (this.#lost === null) {
      const changed = this.#watch?.findChanged() ?? null;
      if (changed === null) return;
      this.#lost = new LedgerUnusable(
        `The file ${changed.path} was ${changed.change} while holdfast was using it. Nothing more is promised or ordered from it. Put the file back as it was, with its -wal file, or leave the new one, and start holdfast again.`,
      );
    }
    throw this.#lost;
  }

  /**
   * Empties the write-ahead log if details of buyers were erased since it was last emptied: it keeps what a row was before. False when
   * another connection was reading or writing, and it has to be tried again.
   */
  purgeErased(): boolean {
    if (!this.#hasErased || this.#lost !== null) return true;
    const [{ busy }] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: 0 | 1 }];
    this.#hasErased = busy === 1;
    return busy === 0;
  }

  transact<R>(keys: Keys, decide: (state: LedgerState) => Decision<R>): Promise<R> {
    return this.#enqueue((session, answer) => {
      // What loading throws is no bug of this decision: it may be the rows of others, written only now.
      const state = session.load(keys);
      let decision: Decision<R>;
      try {
        decision = decide(state);
      } catch (bug) {
        // The disk failed while the decision looked at its state, and SQLite has rolled the whole group back. To go on
        // would write what comes next outside any transaction.
        if (!this.#db.inTransaction) throw bug;
        // A decision that throws has changed nothing: it fails alone.
        return () => answer.reject(bug);
      }
      if (decision.changes !== undefined) session.apply(decision.changes, keys, state);
      return () => {
        this.#tellIntent(state, decision.changes);
        this.#tellJournal(state, decision.changes);
        answer.resolve(decision.result);
      };
    });
  }

  transactAll<R>(
    keys: readonly Keys[],
    plan: (states: readonly LedgerState[]) => JointDecision<R>,
  ): Promise<R> {
    return this.#enqueue((session, answer) => {
      const states = keys.map((each) => session.load(each));
      let decision: JointDecision<R>;
      try {
        decision = plan(states);
      } catch (bug) {
        if (!this.#db.inTransaction) throw bug;
        return () => answer.reject(bug);
      }
      const { result, change } = decision;
      const written: [LedgerState, Changes][] = [];
      keys.forEach((each, index) => {
        const state = session.load(each);
        const changes = change?.(index, state);
        if (changes === undefined) return;
        session.apply(changes, each, state);
        written.push([state, changes]);
      });
      return () => {
        for (const [state, changes] of written) this.#tellJournal(state, changes);
        answer.resolve(result);
      };
    });
  }

  #tellIntent({ owned }: LedgerState, changes: Changes | undefined): void {
    const { onIntent } = this.#options;
    if (onIntent === undefined || changes === undefined) return;
    if (changes.new_reservation !== undefined) onIntent(changes.new_reservation.tag, 'reserved');
    const order = changes.new_order ?? changes.order;
    const isAccepted = order?.state === 'accepted' && owned?.order?.state !== 'accepted';
    if (owned !== null && isAccepted) onIntent(owned.outbox.tag, 'accepted');
  }

  #tellJournal({ owned }: LedgerState, changes: Changes | undefined): void {
    const { onJournal } = this.#options;
    if (onJournal === undefined || changes?.journal === undefined) return;
    const reservationId = changes.new_reservation?.id ?? owned?.reservation.id ?? null;
    // Not within the commit's own turn: what throws here must not look like a group that failed.
    for (const draft of changes.journal) queueMicrotask(() => onJournal(draft, reservationId));
  }

  async read<R>(keys: Keys, view: (state: LedgerState) => R): Promise<R> {
    return this.#reading((session) => view(session.load(keys, true)));
  }

  async readAnchor(): Promise<Anchor> {
    return this.#reading((session) => session.anchor);
  }

  async changesSince(cursor: ChangeCursor | null, limit: number): Promise<StockChanges> {
    // Looked at before the snapshot is taken: what is committed between the two is told twice, never missed.
    const { data_version } = this.#sql.data_version.get() as { data_version: number };
    const version = `${data_version}.${this.#commits}`;
    return this.#reading(({ now_ms }) => changesSince(this.#sql, now_ms, version, cursor, limit));
  }

  async searchItems(query: string, limit: number): Promise<readonly FoundItem[]> {
    return searchItems(this.#sql, query, limit);
  }

  async expiredReservations(limit: number): Promise<readonly { readonly reservation_key: number }[]> {
    return this.#reading(
      ({ now_ms }) => this.#sql.expired_reservations.all(now_ms, limit) as { reservation_key: number }[],
    );
  }

  async dueOutbox(lane: OutboxLane, limit: number, after: string | null): Promise<DueRows> {
    const { worker = '' } = this.#options;
    return this.#reading(({ now_ms }) => dueRows(this.#sql, lane, { limit, after, now: now_ms, worker }));
  }

  async lateRows(after: number, limit: number): Promise<readonly LateRow[]> {
    return this.#reading(() => this.#sql.late_rows.all(after, limit) as LateRow[]);
  }

  async movedUnits(): Promise<readonly MovedUnits[]> {
    return this.#reading(() => readMovedUnits(this.#sql.moved_rows.all() as MovedRow[]));
  }

  async itemsNotReadSince(before: number, after_key: number, limit: number): Promise<readonly UnreadItem[]> {
    return this.#sql.items_not_read_since.all(after_key, before, limit) as UnreadItem[];
  }

  async unprovenItems(after_key: number, limit: number): Promise<readonly UnreadItem[]> {
    return this.#sql.items_unproven.all(after_key, limit) as UnreadItem[];
  }

  async countUnproven(): Promise<number> {
    return (this.#sql.count_unproven.get() as { levels: number }).levels;
  }

  async markDirty(itemIds: readonly string[]): Promise<void> {
    await this.#writing((now) => {
      for (const id of itemIds) this.#sql.mark_item.run(now, id);
    });
  }

  async timeline(reservationKey: number, limit: number): Promise<readonly JournalEntry[]> {
    const start = this.#sql.timeline_start.all(reservationKey) as JournalRow[];
    const newest = this.#sql.timeline_newest.all(reservationKey, limit - start.length) as JournalRow[];
    return [...start, ...newest.reverse()].map(readEntry);
  }

  async itemTimeline(
    itemKey: number,
    seqs: { readonly from: number; readonly to: number },
    limit: number,
  ): Promise<readonly JournalEntry[]> {
    return (this.#sql.item_timeline.all(itemKey, seqs.from, seqs.to, limit) as JournalRow[]).map(readEntry);
  }

  async listOrders(query: OrderQuery): Promise<readonly OrderListing[] | null> {
    return this.#reading(() => listOrders(this.#sql, query));
  }

  async listReservations(query: ReservationQuery): Promise<readonly ReservationListing[] | null> {
    return this.#reading(({ now_ms }) => listReservations(this.#sql, query, now_ms));
  }

  async ordersOfOurs(orderRefs: readonly string[]): Promise<readonly string[]> {
    return this.#reading(() => orderRefs.filter((ref) => this.#sql.order_by_ref.get(ref) !== undefined));
  }

  async unseenOrders(limit: number): Promise<readonly string[]> {
    return this.#reading(({ now_ms }) => {
      const rows = this.#sql.unseen_orders.all(now_ms, limit) as { upstream_order_ref: string }[];
      return rows.map((row) => row.upstream_order_ref);
    });
  }

  async orderCursor(): Promise<string | null> {
    return (this.#sql.orders_cursor.get() as { orders_cursor: string | null }).orders_cursor;
  }

  async putOrderCursor(cursor: string): Promise<void> {
    await this.#writing(() => this.#sql.put_orders_cursor.run(cursor));
  }

  async publicationKey(): Promise<string | null> {
    return (this.#sql.publication_key.get() as { publication: string | null }).publication;
  }

  async putPublicationKey(key: string): Promise<void> {
    await this.#writing(() => this.#sql.put_publication_key.run(key));
  }

  async lastReconciliation(): Promise<ReconcileReport | null> {
    const [last] = await this.reconciliations(1);
    return last ?? null;
  }

  async reconciliations(limit: number): Promise<readonly ReconcileReport[]> {
    return (this.#sql.reconciliations.all(limit) as ReconciliationRow[]).map(readReconciliation);
  }

  /** True when a location is new, was renamed, moved in order, opened or closed. */
  async putLocations(locations: readonly LocationRow[]): Promise<boolean> {
    return this.#writing((now) => {
      const known = new Map(
        (this.#sql.locations.all() as { location_id: string }[]).map((row) => [row.location_id, row]),
      );
      const gone = [...known.values()].filter(
        (row) => !locations.some(({ location_id }) => location_id === row.location_id),
      );
      const closed = (gone as unknown as LocationRow[]).map((row) => ({
        ...row,
        active: false,
        till_only: false,
      }));
      let changed = false;
      for (const location of [...locations, ...closed]) {
        const before = known.get(location.location_id) as
          | (Omit<LocationRow, 'active' | 'till_only'> & {
              location_key: number;
              active: 0 | 1;
              till_only: 0 | 1;
            })
          | undefined;
        const same =
          before !== undefined &&
          before.name === location.name &&
          before.position === location.position &&
          (before.active === 1) === location.active &&
          (before.till_only === 1) === (location.till_only ?? false);
        if (same) continue;
        changed = true;
        this.#sql.put_location.run(
          location.location_id,
          location.name,
          location.position,
          location.active ? 1 : 0,
          location.till_only ? 1 : 0,
        );
        if (before?.active === 1 && !location.active) this.#sql.close_location.run(before.location_key);
        if (before?.active === 0 && location.active)
          this.#sql.mark_location.run(now, before.location_key, before.location_key);
      }
      return changed;
    });
  }

  /** The merchant's buffer, for every item at once: a setting that changed must not wait for the next report. */
  async putSafetyStock(units: number): Promise<void> {
    await this.#writing(() => this.#sql.put_safety_stock.run(units, units));
  }

  async putSync(
    { baseline_at_ms, confirmed_at_ms, cursor }: SyncState,
    expected?: { readonly cursor: string | null },
  ): Promise<boolean> {
    const { clock } = this.#options;
    const values = [baseline_at_ms, baseline_at_ms, confirmed_at_ms, cursor];
    return this.#writing(() => {
      const before = this.#sql.confirmed_at.get() as Pick<SyncState, 'confirmed_at_ms'>;
      const { changes } =
        expected === undefined
          ? this.#sql.put_sync.run(...values)
          : this.#sql.move_sync.run(...values, expected.cursor);
      if (changes !== 1) return false;
      // Only with what confirms all stock: until then, what is older than it seems has to stay so for every process.
      const mark = confirmed_at_ms > before.confirmed_at_ms ? clock.timeMark() : null;
      if (mark !== null) this.#sql.put_time_mark.run(mark.shop_ms, mark.ledger_ms);
      return true;
    });
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#writing((now) => {
      const held = this.#sql.lease.get(name) as { owner: string; until_ms: number } | undefined;
      if (held !== undefined && held.owner !== owner && held.until_ms > now) return false;
      this.#sql.put_lease.run(name, owner, now + ttlMs);
      return true;
    });
  }

  async releaseLease(name: string, owner: string): Promise<void> {
    await this.#writing(() => this.#sql.drop_lease.run(name, owner));
  }

  async receive(delivery: InboxDelivery, waitingMax: number): Promise<'taken' | 'replayed' | 'full'> {
    // What is turned away costs a look and no commit. Those under way together may exceed the limit by their number.
    if (this.#sql.knows_delivery.get(delivery.delivery_id) !== undefined) return 'replayed';
    if (inboxState(this.#sql).waiting >= waitingMax) return 'full';
    return this.#writing((now) => receive(this.#sql, delivery, now));
  }

  async waitingDeliveries(limit: number): Promise<readonly WaitingDelivery[]> {
    return this.#reading(({ now_ms }) => waitingDeliveries(this.#sql, now_ms, limit));
  }

  /** What is held now, and what waits for somebody's word. */
  async countLive(): Promise<LiveCount> {
    return this.#reading(() => this.#sql.count_live.get() as LiveCount);
  }

  async countUnplaced(unplacedAfterMs: number): Promise<number> {
    return this.#reading(({ now_ms }) => {
      const row = this.#sql.count_unplaced.get(now_ms - unplacedAfterMs) as { reservations: number };
      return row.reservations;
    });
  }

  /** Orders that are accepted and not at the shop yet, by what the last step of each failed with. */
  async countWaitingOrders(): Promise<readonly WaitingCount[]> {
    return this.#reading(() => this.#sql.count_waiting_orders.all() as WaitingCount[]);
  }

  async inboxState(): Promise<InboxState> {
    return this.#reading(() => inboxState(this.#sql));
  }

  async settleDeliveries(seqs: readonly number[]): Promise<void> {
    await this.#writing(() => {
      for (const seq of seqs) this.#sql.drop_from_inbox.run(seq);
    });
  }

  async putOffDeliveries(
    delays: readonly { readonly seq: number; readonly delay_ms: number }[],
  ): Promise<void> {
    await this.#writing((now) => {
      for (const { seq, delay_ms } of delays) this.#sql.put_off_in_inbox.run(now + delay_ms, seq);
    });
  }

  async itemTimes(itemIds: readonly string[]): Promise<ReadonlyMap<string, ItemTimes>> {
    return this.#reading(() => itemTimes(this.#sql, itemIds));
  }

  async itemsNamed(
    kind: 'variant' | 'product',
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#reading(() => itemsNamed(this.#sql, kind, ids));
  }

  async wakeHolds(holdRefs: readonly string[]): Promise<number> {
    return this.#writing((now) =>
      holdRefs.reduce((woken, ref) => woken + this.#sql.wake_hold.run(now, ref, now).changes, 0),
    );
  }

  async dropTallies(): Promise<void> {
    await this.#enqueue<void>((session, answer) => {
      session.dropTallies();
      return () => answer.resolve();
    });
  }

  async prune(maxAges: {
    readonly idempotency_ms: number;
    readonly history_ms: number;
    readonly deliveries_ms: number;
    readonly usage_ms: number;
  }): Promise<number> {
    return this.#writing(
      (now) =>
        this.#sql.prune_idempotency.run(now - maxAges.idempotency_ms, PRUNE_MAX_ROWS).changes +
        this.#sql.prune_history.run(now - maxAges.history_ms, PRUNE_MAX_ROWS).changes +
        this.#sql.prune_deliveries.run(now - maxAges.deliveries_ms, PRUNE_MAX_ROWS).changes +
        this.#sql.prune_callers.run(now - maxAges.usage_ms, PRUNE_MAX_ROWS).changes +
        this.#sql.prune_caller_items.run(now - maxAges.usage_ms, PRUNE_MAX_ROWS).changes,
    );
  }

  /** Answers what is waiting, then closes the file. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#draining;
    // The last one to close removes the log; others may still have it open.
    this.purgeErased();
    this.#db.close();
    await this.#options.turnstile.close();
  }

  /** A write that is not a decision of the ledger: it shares queue, lock and commit with them, and is whole like them. */
  #writing<R>(write: (now: number) => R): Promise<R> {
    return this.#enqueue((session, answer) => {
      const result = session.write(write);
      return () => answer.resolve(result);
    });
  }

  #enqueue<R>(work: (session: Session, answer: Answering<R>) => () => void): Promise<R> {
    if (this.#closed) return Promise.reject(new Error('the ledger is closed'));
    if (this.#lost !== null) return Promise.reject(this.#lost);
    return new Promise<R>((resolve, reject) => {
      this.#queue.push({
        work: (session) => work(session, { resolve, reject }),
        reject,
        deadline_ms: performance.now() + this.#options.busy_deadline_ms,
      });
      this.#draining ??= this.#drain();
    });
  }

  #reading<R>(view: (session: Session) => R): R {
    if (this.#closed) throw new Error('the ledger is closed');
    if (this.#lost !== null) throw this.#lost;
    this.#beginRead.run();
    try {
      const seen = view(this.#session());
      this.#commit.run();
      return seen;
    } catch (error) {
      // A disk error may have ended the transaction already. Left open, it would be in the way of every later one.
      if (this.#db.inTransaction) this.#rollback.run();
      throw error;
    }
  }

  #session(): Session {
    const { clock, mirror_horizon_ms, worker, writer_first_ms = 0 } = this.#options;
    return new Session(this.#sql, clock, {
      mirrorHorizonMs: mirror_horizon_ms,
      worker: worker ?? '',
      writerFirstMs: worker === undefined ? 0 : writer_first_ms,
    });
  }

  async #drain(): Promise<void> {
    try {
      await this.#drainQueue();
    } catch (bug) {
      // Nobody may wait for an answer that never comes.
      for (const waiting of this.#queue.splice(0)) waiting.reject(bug);
    } finally {
      this.#draining = null;
    }
  }

  async #drainQueue(): Promise<void> {
    // Let everything that is ready in this turn of the event loop join the first group.
    await new Promise<void>((resume) => setImmediate(resume));
    while (this.#queue.length > 0) {
      const turn = this.#options.turnstile.enter();
      const leave = turn instanceof Promise ? await turn : turn;
      let got: boolean;
      try {
        got = this.#runGroup();
      } finally {
        leave();
      }
      if (!got) await this.#waitForLock();
      else await new Promise<void>((resume) => setImmediate(resume));
    }
  }

  /** One commit for as many waiting transactions as fit. False when another process has the lock. */
  #runGroup(): boolean {
    try {
      this.#begin.run();
    } catch (error) {
      if (isBusy(error)) return false;
      this.#rejectAll(error);
      return true;
    }
    const group: Waiting[] = [];
    try {
      const answers = this.#decideGroup(group);
      this.#commit.run();
      this.#commits += 1;
      for (const answer of answers) answer();
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      discardAdditions(this.#sql);
      this.#afterFailedGroup(group, error);
    }
    return true;
  }

  #decideGroup(group: Waiting[]): (() => void)[] {
    const { group_max, group_max_ms } = this.#options;
    const until = performance.now() + group_max_ms;
    const session = this.#session();
    const answers: (() => void)[] = [];
    while (group.length < group_max && (group.length === 0 || performance.now() < until)) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) break;
      group.push(waiting);
      answers.push(waiting.work(session));
    }
    session.finish();
    // Before the commit: one that fails after all has only the log emptied for nothing.
    this.#hasErased ||= session.hasErased;
    return answers;
  }

  /** Nothing of the group was written. One bad apple must not spoil the others: each is tried alone. */
  #afterFailedGroup(group: readonly Waiting[], error: unknown): void {
    const [only] = group;
    if (only === undefined) {
      // Not even the head could be read: nobody's fault, and nobody may be left waiting for ever.
      this.#rejectAll(error);
      return;
    }
    if (group.length === 1) {
      only.reject(error);
      return;
    }
    for (const waiting of group) {
      try {
        const answer = this.#db
          .transaction(() => {
            const session = this.#session();
            const answering = waiting.work(session);
            session.finish();
            this.#hasErased ||= session.hasErased;
            return answering;
          })
          .immediate();
        this.#commits += 1;
        answer();
      } catch (own) {
        discardAdditions(this.#sql);
        waiting.reject(isBusy(own) ? new StoreBusy() : own);
      }
    }
  }

  #rejectAll(error: unknown): void {
    const group = this.#queue;
    this.#queue = [];
    for (const waiting of group) waiting.reject(error);
  }

  async #waitForLock(): Promise<void> {
    const now = performance.now();
    const late = this.#queue.filter((waiting) => waiting.deadline_ms <= now);
    this.#queue = this.#queue.filter((waiting) => waiting.deadline_ms > now);
    for (const waiting of late) waiting.reject(new StoreBusy());
    const pause = BUSY_RETRY_MIN_MS + this.#options.random() * BUSY_RETRY_SPREAD_MS;
    await new Promise<void>((resume) => setTimeout(resume, pause));
  }
}

type JournalRow = Omit<JournalEntry, 'hash'> & { readonly hash: Buffer };

function readEntry(row: JournalRow): JournalEntry {
  return { ...row, hash: row.hash.toString('hex') };
}

type ReconciliationRow = Omit<ReconcileReport, 'is_first' | 'drift' | 'catalogue_drift'> & {
  readonly is_first: 0 | 1;
  readonly drift: string;
  readonly catalogue_drift: string;
};

function readReconciliation(row: ReconciliationRow): ReconcileReport {
  return {
    ...row,
    is_first: row.is_first === 1,
    drift: JSON.parse(row.drift) as ReconcileReport['drift'],
    catalogue_drift: JSON.parse(row.catalogue_drift) as ReconcileReport['catalogue_drift'],
  };
}
