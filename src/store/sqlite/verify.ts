/**
 * Proves a ledger file: the journal's chain, and every invariant that can be read off the rows (SPEC.md of
 * src/ledger). Reads in one consistent snapshot, row by row, beside a running server; writes nothing.
 *
 * The chain can't show that somebody rewrote all of it from some entry on: keep `journal_hash` elsewhere to
 * compare, if that matters.
 */

import type { Aftermath } from '../../ledger/aftermath.js';
import { chainHash, JOURNAL_GENESIS, type JournalKind } from '../../ledger/journal.js';
import type { Lifecycle } from '../../ledger/observation.js';
import type { OrderState } from '../../ledger/order.js';
import type { ReservationState } from '../../ledger/reservation.js';
import { type StockSnapshot, stockHash } from '../../ledger/stock-hash.js';
import type { Database } from './driver.js';
import { MIGRATIONS } from './migrations.js';
import { LedgerUnusable, openForReading } from './open-database.js';
import { checkHeldOrders } from './verify-held.js';
import { checkRoutes } from './verify-routes.js';

export interface VerifyProblem {
  /** The invariant that is broken, by its id in SPEC.md. */
  readonly invariant: 'L2' | 'L3' | 'L4' | 'L5' | 'L6' | 'L9';
  readonly detail: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly shop: string;
  readonly journal_entries: number;
  /** Hash of the newest entry: kept elsewhere, it shows later that nobody has rewritten the past. */
  readonly journal_hash: string;
  readonly checked: {
    readonly items: number;
    readonly levels: number;
    readonly holds: number;
    readonly reservations: number;
    readonly orders: number;
  };
  /** The first of them. */
  readonly problems: readonly VerifyProblem[];
  readonly problems_total: number;
}

export interface VerifyOptions {
  /** Told now and then: what is being checked, and how many of it are done. */
  readonly onProgress?: (step: 'journal' | 'stock' | 'reservations', done: number) => void;
}

/** Problems that a report lists; it counts all. */
const PROBLEMS_MAX = 100;
const PROGRESS_EVERY = 10_000;

/** Throws `LedgerUnusable` when there is no ledger at the path, or one of another schema. */
export function verifyLedgerFile(path: string, options: VerifyOptions = {}): VerifyReport {
  const db = openForReading(path);
  try {
    refuseOtherSchema(db, path);
    return verifyLedger(db, options);
  } finally {
    db.close();
  }
}

export function verifyLedger(db: Database, options: VerifyOptions = {}): VerifyReport {
  const found = new Findings();
  const progress = options.onProgress ?? (() => {});
  return db.transaction((): VerifyReport => {
    const head = db
      .prepare('SELECT shop, last_at_ms, journal_seq, journal_hash FROM ledger WHERE id = 1')
      .get() as HeadRow;
    const journal_entries = checkJournal(db, head, found, progress);
    checkJournalOwners(db, found);
    checkTidings(db, head, found);
    const levels = checkSums(db, found);
    const holds = checkHolds(db, found);
    checkUsage(db, found);
    const orders = checkOrders(db, found);
    checkHeldOrders(db, (detail) => found.add('L6', detail));
    checkRoutes(db, (detail) => found.add('L6', detail));
    checkAftermaths(db, found);
    checkReconciliations(db, found);
    const reservations = checkStates(db, found, progress);
    const items = checkItems(db, head.shop, found, progress);
    return {
      ok: found.total === 0,
      shop: head.shop,
      journal_entries,
      journal_hash: head.journal_hash.toString('hex'),
      checked: { items, levels, holds, reservations, orders },
      problems: found.first,
      problems_total: found.total,
    };
  })();
}

interface HeadRow {
  readonly shop: string;
  readonly last_at_ms: number;
  readonly journal_seq: number;
  readonly journal_hash: Buffer;
}

type Progress = NonNullable<VerifyOptions['onProgress']>;

class Findings {
  readonly first: VerifyProblem[] = [];
  total = 0;

  add(invariant: VerifyProblem['invariant'], detail: string): void {
    this.total += 1;
    if (this.first.length < PROBLEMS_MAX) this.first.push({ invariant, detail });
  }
}

function refuseOtherSchema(db: Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === MIGRATIONS.length) return;
  throw new LedgerUnusable(
    version > MIGRATIONS.length
      ? `The ledger ${path} has schema ${version}, and this holdfast knows only up to ${MIGRATIONS.length}. Run the newer holdfast.`
      : `${path} has schema ${version}, and this holdfast verifies schema ${MIGRATIONS.length}. Start holdfast on it once, which brings it up to date.`,
  );
}

/** L6: no gap, no edit, no reordering, no lost tail. L9: no entry before the one in front of it. */
function checkJournal(db: Database, head: HeadRow, found: Findings, progress: Progress): number {
  const entries = db
    .prepare('SELECT seq, at_ms, kind, reservation_key, item_key, data, hash FROM journal ORDER BY seq')
    .iterate() as IterableIterator<JournalRow>;
  let count = 0;
  let last: Pick<JournalRow, 'seq' | 'at_ms'> = { seq: 0, at_ms: 0 };
  let hash = JOURNAL_GENESIS;
  for (const { hash: stored, ...entry } of entries) {
    count += 1;
    if (entry.seq !== last.seq + 1)
      found.add('L6', `the journal has no entry ${last.seq + 1}; the next is ${entry.seq}`);
    if (entry.at_ms < last.at_ms)
      found.add('L9', `journal entry ${entry.seq} is of an earlier time than ${last.seq}`);
    const own = stored.toString('hex');
    if (chainHash(hash, entry) !== own)
      found.add('L6', `journal entry ${entry.seq} is not what was chained to entry ${last.seq}`);
    // From what is stored on: one edit is one problem, not as many as there are entries after it.
    hash = own;
    last = entry;
    if (count % PROGRESS_EVERY === 0) progress('journal', count);
  }
  if (head.journal_seq !== last.seq)
    found.add('L6', `the journal ends at entry ${last.seq}, but ${head.journal_seq} were written`);
  else if (head.journal_hash.toString('hex') !== hash)
    found.add('L6', `the journal's last entry is not the one that was written last`);
  if (head.last_at_ms < last.at_ms)
    found.add('L9', `journal entry ${last.seq} is of a later time than the ledger's own`);
  progress('journal', count);
  return count;
}

interface JournalRow {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly reservation_key: number | null;
  readonly item_key: number | null;
  readonly data: string;
  readonly hash: Buffer;
}

/** L6: what the journal tells of exists. */
function checkJournalOwners(db: Database, found: Findings): void {
  const orphans = db
    .prepare(
      `SELECT seq, kind, 'reservation' AS what FROM journal WHERE kind = 'reservation.created'
         AND NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.reservation_key = journal.reservation_key)
       UNION ALL
       SELECT seq, kind, 'item' FROM journal WHERE item_key IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM items WHERE items.item_key = journal.item_key)`,
    )
    .iterate() as IterableIterator<{ seq: number; what: string }>;
  for (const { seq, what } of orphans) {
    found.add(
      'L6',
      `journal entry ${seq} tells of a${what === 'item' ? 'n item' : ' reservation'} that is missing`,
    );
  }
}

/** L9: nothing was heard after the ledger's own time. What the shop says is no change of stock, so the journal has none of it. */
function checkTidings(db: Database, head: HeadRow, found: Findings): void {
  const late = db
    .prepare(
      `SELECT 'the mark on item ' || item_key AS what FROM items WHERE dirty_at_ms > ?
       UNION ALL SELECT 'delivery ' || seq || ' of the inbox' FROM inbox WHERE received_at_ms > ?`,
    )
    .pluck()
    .iterate(head.last_at_ms, head.last_at_ms) as IterableIterator<string>;
  for (const what of late) found.add('L9', `${what} is of a later time than the ledger's own`);
}

/** L2: the sums of every level are those of its holds. */
function checkSums(db: Database, found: Findings): number {
  const rows = db
    .prepare(
      `SELECT levels.level_key AS level_key, held_units, mirrored_units, doubted_units,
         coalesce(counted, 0) AS counted, coalesce(mirrored, 0) AS mirrored, coalesce(doubted, 0) AS doubted
       FROM levels LEFT JOIN (
         SELECT level_key, sum(iif(state = 'counted', quantity_units, 0)) AS counted,
           sum(iif(state = 'counted', 0, quantity_units)) AS mirrored,
           sum(iif(state = 'mirrored' AND place = 'doubted', quantity_units, 0)) AS doubted
         FROM holds GROUP BY level_key
       ) AS sums ON sums.level_key = levels.level_key`,
    )
    .iterate() as IterableIterator<
    Record<
      'level_key' | 'held_units' | 'mirrored_units' | 'doubted_units' | 'counted' | 'mirrored' | 'doubted',
      number
    >
  >;
  let count = 0;
  for (const row of rows) {
    count += 1;
    if (row.held_units !== row.counted)
      found.add('L2', `level ${row.level_key} says ${row.held_units} held, its holds are ${row.counted}`);
    if (row.doubted_units !== row.doubted)
      found.add(
        'L2',
        `level ${row.level_key} says ${row.doubted_units} doubted, its holds are ${row.doubted}`,
      );
    if (row.mirrored_units !== row.mirrored)
      found.add(
        'L2',
        `level ${row.level_key} says ${row.mirrored_units} mirrored, its holds are ${row.mirrored}`,
      );
  }
  return count;
}

/** L2: no hold at a level that does not exist. L3: no hold for a reservation that is over or was never made. */
function checkHolds(db: Database, found: Findings): number {
  const wrong = db
    .prepare(
      `SELECT holds.reservation_key AS reservation_key, holds.level_key AS level_key, holds.state AS state,
         reservations.state AS reservation, levels.level_key IS NULL AS nowhere
       FROM holds LEFT JOIN reservations ON reservations.reservation_key = holds.reservation_key
       LEFT JOIN levels ON levels.level_key = holds.level_key
       WHERE levels.level_key IS NULL OR reservations.state IS NULL
         OR (holds.state <> 'returning' AND reservations.state IN ('released', 'expired'))
         OR (holds.state = 'returning' AND reservations.state NOT IN ('released', 'expired'))`,
    )
    .iterate() as IterableIterator<{
    reservation_key: number;
    level_key: number;
    state: string;
    reservation: string | null;
    nowhere: 0 | 1;
  }>;
  for (const { reservation_key, level_key, state, reservation, nowhere } of wrong) {
    if (nowhere === 1)
      found.add(
        'L2',
        `reservation ${reservation_key} holds units at level ${level_key}, which does not exist`,
      );
    if (reservation === null)
      found.add(
        'L3',
        `a hold at level ${level_key} is of reservation ${reservation_key}, which does not exist`,
      );
    else if (state !== 'returning' || (reservation !== 'released' && reservation !== 'expired'))
      found.add(
        'L3',
        `reservation ${reservation_key} is ${reservation} and has a ${state} hold at level ${level_key}`,
      );
  }
  return db.prepare('SELECT count(*) FROM holds').pluck().get() as number;
}

/**
 * Per caller and item, what counts for its quotas. Of a reservation that is past its time and not tidied yet it still
 * counts here: the quotas take those off when they judge.
 */
const STANDINGS = `WITH counting AS (
  SELECT reservations.reservation_key AS reservation_key, principal, origin, channel, pooled, CASE
      WHEN reservations.state = 'active' THEN 'live'
      WHEN orders.state = 'held' THEN iif(orders.held_for = 'stale', 'held', 'waiting')
      ELSE iif(orders.order_mode = 'checkout_link', 'live', 'ordered') END AS standing
  FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
  WHERE reservations.state = 'active' OR (reservations.state = 'submitted' AND orders.state IN ('held', 'accepted'))
), standings AS (
  SELECT reservation_key, 'principal' AS subject, principal AS name, standing FROM counting
  UNION ALL SELECT reservation_key, 'origin', origin, standing FROM counting WHERE origin IS NOT NULL
  UNION ALL SELECT reservation_key, 'channel', channel, standing FROM counting WHERE channel IS NOT NULL
  UNION ALL SELECT reservation_key, 'everyone', '', standing FROM counting WHERE pooled = 1
)`;

/** L2: what callers are said to take up is what their reservations do. */
function checkUsage(db: Database, found: Findings): void {
  if (db.prepare('SELECT tallied FROM ledger WHERE id = 1').pluck().get() === 0) {
    const kept = db
      .prepare('SELECT (SELECT count(*) FROM callers) + (SELECT count(*) FROM caller_items)')
      .pluck()
      .get() as number;
    if (kept > 0) found.add('L2', `of callers nothing is kept, and there are ${kept} rows`);
    return;
  }
  const callers = db
    .prepare(
      `${STANDINGS}, counted AS (
         SELECT subject, name, sum(standing IN ('live', 'waiting')) AS live,
           sum(standing IN ('held', 'waiting')) AS held FROM standings
         WHERE subject IN ('principal', 'origin') GROUP BY subject, name
       )
       SELECT coalesce(callers.subject, counted.subject) || ' ' || coalesce(callers.name, counted.name) || ' is said to have '
         || coalesce(live_reservations, 0) || ' live reservations and ' || coalesce(held_orders, 0) || ' held orders, and has '
         || coalesce(live, 0) || ' and ' || coalesce(held, 0)
       FROM callers FULL JOIN counted ON counted.subject = callers.subject AND counted.name = callers.name
       WHERE coalesce(live_reservations, 0) <> coalesce(live, 0) OR coalesce(held_orders, 0) <> coalesce(held, 0)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of callers) found.add('L2', detail);
  const items = db
    .prepare(
      `${STANDINGS}, counted AS (
         SELECT subject, name, item_key, sum(iif(standing IN ('live', 'waiting'), quantity_units, 0)) AS live,
           sum(iif(standing = 'held', quantity_units, 0)) AS held, sum(iif(standing = 'ordered', quantity_units, 0)) AS ordered
         FROM standings JOIN holds ON holds.reservation_key = standings.reservation_key
         JOIN levels ON levels.level_key = holds.level_key
         WHERE holds.state <> 'returning' GROUP BY subject, name, item_key
       )
       SELECT coalesce(said.subject, counted.subject) || ' ' || coalesce(said.name, counted.name) || ' is said to keep '
         || coalesce(live_units, 0) || ', ' || coalesce(held_units, 0) || ' and ' || coalesce(ordered_units, 0) || ' units of item '
         || coalesce(said.item_key, counted.item_key) || ', live, held and ordered, and keeps '
         || coalesce(live, 0) || ', ' || coalesce(held, 0) || ' and ' || coalesce(ordered, 0)
       FROM caller_items AS said FULL JOIN counted
         ON counted.subject = said.subject AND counted.name = said.name AND counted.item_key = said.item_key
       WHERE coalesce(live_units, 0) <> coalesce(live, 0) OR coalesce(held_units, 0) <> coalesce(held, 0)
         OR coalesce(ordered_units, 0) <> coalesce(ordered, 0)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of items) found.add('L2', detail);
}

/** L4: one order per reservation, one order at the shop per order. Asked of the rows, whatever the schema forbids. */
function checkOrders(db: Database, found: Findings): number {
  const wrong = db
    .prepare(
      `SELECT 'reservation ' || reservation_key || ' has ' || count(*) || ' orders' AS detail
         FROM orders GROUP BY reservation_key HAVING count(*) > 1
       UNION ALL
       SELECT 'the order ' || upstream_order_ref || ' of the shop stands for ' || count(*) || ' of ours'
         FROM orders WHERE upstream_order_ref IS NOT NULL GROUP BY upstream_order_ref HAVING count(*) > 1
       UNION ALL
       SELECT 'order ' || id || ' is ' || state || ' without an order at the shop' FROM orders
         WHERE state IN ('placed', 'fulfilled', 'cancelled') AND upstream_order_ref IS NULL
       UNION ALL
       SELECT 'order ' || id || ' is ' || state || ' and has an order at the shop' FROM orders
         WHERE state NOT IN ('placed', 'fulfilled', 'cancelled') AND upstream_order_ref IS NOT NULL
       UNION ALL
       SELECT 'order ' || id || ' is of reservation ' || reservation_key || ', which does not exist' FROM orders
         WHERE NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.reservation_key = orders.reservation_key)`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
  for (const detail of wrong) found.add('L4', detail);
  return db.prepare('SELECT count(*) FROM orders').pluck().get() as number;
}

interface AftermathRow {
  readonly reservation_key: number;
  readonly id: string;
  readonly state: OrderState;
  readonly aftermath: string;
}

/** L6: what is known of an order's life at the shop fits its state, and is what the journal has told, each thing once. */
function checkAftermaths(db: Database, found: Findings): void {
  const told = db.prepare(
    `SELECT kind, data FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
       AND kind IN ('order.refunded', 'order.restocked', 'order.returned')`,
  );
  const orders = db
    .prepare(
      'SELECT reservation_key, id, state, aftermath FROM orders WHERE aftermath IS NOT NULL ORDER BY order_key',
    )
    .iterate() as IterableIterator<AftermathRow>;
  for (const row of orders) {
    const aftermath = parsed<Aftermath>(row.aftermath);
    if (aftermath === null) {
      found.add('L6', `what became of order ${row.id} can't be read`);
      continue;
    }
    const { cancelled_at_ms, fulfilment } = aftermath;
    const fits =
      row.state === 'cancelled'
        ? cancelled_at_ms !== null
        : row.state === 'fulfilled' || (cancelled_at_ms === null && fulfilment !== 'fulfilled');
    if (!fits) found.add('L6', `order ${row.id} is ${row.state}, which is not what became of it at the shop`);
    const entries = told.all(row.reservation_key) as { kind: string; data: string }[];
    if (!isToldOnce(aftermath, entries))
      found.add('L6', `what became of order ${row.id} is not what the journal tells`);
  }
  const unseen = db
    .prepare("SELECT id, state FROM orders WHERE state IN ('fulfilled', 'cancelled') AND aftermath IS NULL")
    .all() as { id: string; state: string }[];
  for (const { id, state } of unseen)
    found.add('L6', `order ${id} is ${state}, and nothing was seen of it at the shop`);
}

function isToldOnce(aftermath: Aftermath, entries: readonly { kind: string; data: string }[]): boolean {
  const tell = (of: string) =>
    entries.flatMap(({ kind, data }) =>
      kind === of ? [parsed<{ refund_ref: string; return_ref: string; units: number }>(data)] : [],
    );
  const sum = (parts: readonly { restocked_units: number }[]) =>
    parts.reduce((units, part) => units + part.restocked_units, 0);
  const refunds = tell('order.refunded').map((data) => data?.refund_ref);
  const returns = new Set(tell('order.returned').map((data) => data?.return_ref));
  const restocked = tell('order.restocked').reduce((units, data) => units + (data?.units ?? 0), 0);
  return (
    refunds.length === aftermath.refunds.length &&
    aftermath.refunds.every(({ refund_ref }) => refunds.includes(refund_ref)) &&
    returns.size === aftermath.returns.length &&
    aftermath.returns.every(({ return_ref }) => returns.has(return_ref)) &&
    restocked === sum(aftermath.refunds) + sum(aftermath.returns)
  );
}

/** L6: a record of a reconciliation is the one that was journaled. */
function checkReconciliations(db: Database, found: Findings): void {
  const rows = db
    .prepare(
      `SELECT reconciliation_key, drift_total, catalogue_drift_total, in_passing_total, items_read, variants_read,
         variants_counted, kind, data
       FROM reconciliations LEFT JOIN journal ON journal.seq = reconciliations.journal_seq`,
    )
    .iterate() as IterableIterator<
    Record<(typeof TOTALS)[number], number | null> & {
      reconciliation_key: number;
      kind: string;
      data: string | null;
    }
  >;
  for (const row of rows) {
    const told = row.kind === 'stock.reconciled' ? parsed<Record<string, unknown>>(row.data) : null;
    if (told === null || TOTALS.some((total) => (told[total] ?? null) !== row[total]))
      found.add('L6', `reconciliation ${row.reconciliation_key} is not the one that was journaled`);
  }
}

/** The last two are not told of reads by older versions. */
const TOTALS = [
  'drift_total',
  'catalogue_drift_total',
  'in_passing_total',
  'items_read',
  'variants_read',
  'variants_counted',
] as const;

/** Null when it is no JSON: somebody has edited it. */
function parsed<T>(text: string | null): T | null {
  try {
    return JSON.parse(text ?? 'null') as T | null;
  } catch {
    return null;
  }
}

interface StatesAfter {
  readonly reservation: ReservationState;
  readonly order: OrderState | null;
}

/** What an entry leaves a reservation and its order in; null when it moves neither. */
const STATES_AFTER = {
  'ledger.opened': null,
  'stock.changed': null,
  'stock.jumped': null,
  'stock.reconciled': null,
  'holds.moved': null,
  'security.stock_hash_unknown': null,
  'shop.creating': null,
  'shop.open': null,
  'shop.absent': null,
  'shop.completing': null,
  'shop.completed': null,
  'shop.deleting': null,
  'shop.deleted': null,
  'shop.draft_edited': null,
  'shop.draft_gone': null,
  'shop.parked': null,
  'shop.retried': null,
  'reservation.created': { reservation: 'active', order: null },
  'reservation.released': { reservation: 'released', order: null },
  'reservation.expired': { reservation: 'expired', order: null },
  'order.accepted': { reservation: 'submitted', order: 'accepted' },
  'order.held': { reservation: 'submitted', order: 'held' },
  'order.buyer_refused': { reservation: 'submitted', order: 'held' },
  'order.approved': { reservation: 'submitted', order: 'held' },
  'order.revalidated': { reservation: 'submitted', order: 'accepted' },
  'order.offered': { reservation: 'submitted', order: 'accepted' },
  'order.withdrawn': { reservation: 'submitted', order: 'accepted' },
  'order.rejected': { reservation: 'released', order: 'rejected' },
  'order.placed': { reservation: 'committed', order: 'placed' },
  'order.failed': { reservation: 'released', order: 'failed' },
  'order.fulfilled': { reservation: 'committed', order: 'fulfilled' },
  'order.cancelled': { reservation: 'committed', order: 'cancelled' },
  'order.partly_fulfilled': null,
  'order.unfulfilled': null,
  'order.cancelled_when_fulfilled': null,
  'order.edited': null,
  'order.refunded': null,
  'order.returned': null,
  'order.restocked': null,
  'order.missing': null,
  'order.ref_reused': null,
  'holds.returning': null,
  'holds.returned': null,
  'order.doubled': null,
  'order.twin_cancelled': null,
  'order.shown': null,
  'order.routing': null,
  'order.routed': null,
  'order.not_routed': null,
} as const satisfies Record<JournalKind, StatesAfter | null>;

/** L6: every reservation and order is as the journal's last word on it says. */
function checkStates(db: Database, found: Findings, progress: Progress): number {
  const moving = Object.entries(STATES_AFTER).flatMap(([kind, after]) =>
    after === null ? [] : [`'${kind}'`],
  );
  const lastWord = db
    .prepare(
      `SELECT kind FROM journal WHERE reservation_key = ? AND kind <> 'reservation.created'
         AND kind IN (${moving.join(', ')}) ORDER BY seq DESC LIMIT 1`,
    )
    .pluck();
  const rows = db
    .prepare(
      `SELECT reservations.reservation_key AS reservation_key, reservations.state AS reservation, orders.state AS "order",
         journal.reservation_key AS created_key, journal.kind AS created_kind
       FROM reservations LEFT JOIN orders ON orders.reservation_key = reservations.reservation_key
       LEFT JOIN journal ON journal.seq = reservations.created_seq`,
    )
    .iterate() as IterableIterator<{
    reservation_key: number;
    reservation: string;
    order: string | null;
    created_key: number | null;
    created_kind: string | null;
  }>;
  let count = 0;
  for (const { reservation_key, reservation, order, created_key, created_kind } of rows) {
    count += 1;
    if (count % PROGRESS_EVERY === 0) progress('reservations', count);
    if (created_key !== reservation_key || created_kind !== 'reservation.created') {
      found.add('L6', `the journal does not know how reservation ${reservation_key} came about`);
      continue;
    }
    const kind = (lastWord.get(reservation_key) ?? created_kind) as keyof typeof STATES_AFTER;
    const after: StatesAfter | null = STATES_AFTER[kind];
    if (after === null || after.reservation !== reservation)
      found.add(
        'L6',
        `reservation ${reservation_key} is ${reservation}, but the journal's last word is ${kind}`,
      );
    if ((after?.order ?? null) !== order)
      found.add(
        'L6',
        `the order of reservation ${reservation_key} is ${order ?? 'missing'}, but the journal's last word is ${kind}`,
      );
  }
  progress('reservations', count);
  return count;
}

interface ItemRow {
  readonly item_key: number;
  readonly sku: string;
  readonly lifecycle: Lifecycle;
  readonly state_version: number;
  readonly salt: string;
  readonly stock_hash: string;
  readonly as_of_ms: number;
  readonly newest_version: number | null;
  readonly newest_hash: string | null;
  readonly newest_as_of_ms: number | null;
  readonly told: string | null;
}

interface LevelRow {
  readonly item_key: number;
  readonly location_id: string;
  readonly upstream_available_units: number;
}

/** What the last journal entry of an item tells of it. */
interface Told {
  readonly state_version: number;
  readonly stock_hash: string;
  /** Location, what the shop has available there, held, mirrored, under way. */
  readonly levels: readonly (readonly [string, number, number, number, number])[];
}

/** L5: every checksum that can be matched is that of the state it stands for. L6: and that state is the journaled one. */
function checkItems(db: Database, shop: string, found: Findings, progress: Progress): number {
  const items = db
    .prepare(
      `SELECT items.item_key AS item_key, sku, lifecycle, items.state_version AS state_version, salt,
         items.stock_hash AS stock_hash, items.as_of_ms AS as_of_ms, newest.state_version AS newest_version,
         newest.stock_hash AS newest_hash, newest.as_of_ms AS newest_as_of_ms,
         (SELECT data FROM journal WHERE journal.item_key = items.item_key AND journal.kind <> 'stock.jumped'
           ORDER BY seq DESC LIMIT 1) AS told
       FROM items LEFT JOIN stock_versions AS newest ON newest.item_key = items.item_key
         AND newest.state_version = (SELECT max(state_version) FROM stock_versions AS v WHERE v.item_key = items.item_key)
       ORDER BY items.item_key`,
    )
    .iterate() as IterableIterator<ItemRow>;
  const sellableLevels = db.prepare(
    `SELECT item_key, location_id, upstream_available_units FROM levels
     JOIN locations ON locations.location_key = levels.location_key WHERE item_key = ? AND sellable_here = 1`,
  );
  let count = 0;
  for (const item of items) {
    count += 1;
    if (count % PROGRESS_EVERY === 0) progress('stock', count);
    checkItem(item, sellableLevels.all(item.item_key) as LevelRow[], shop, found);
  }
  progress('stock', count);
  return count;
}

function checkItem(item: ItemRow, levels: readonly LevelRow[], shop: string, found: Findings): void {
  const { item_key, sku, lifecycle, state_version, salt, stock_hash, as_of_ms } = item;
  if (
    item.newest_version !== state_version ||
    item.newest_hash !== stock_hash ||
    item.newest_as_of_ms !== as_of_ms
  )
    found.add('L5', `the newest remembered checksum of item ${item_key} is not its own`);
  const told = parseTold(item.told);
  if (told === null || told.state_version !== state_version || told.stock_hash !== stock_hash) {
    found.add('L6', `the journal's last word on item ${item_key} is not its version ${state_version}`);
    return;
  }
  const figures = new Map(
    told.levels.map(([location, available, , mirrored, underWay]) => [
      location,
      { available, ours: mirrored + underWay },
    ]),
  );
  const locations: { id: string; sellable: number }[] = [];
  for (const { location_id, upstream_available_units } of levels) {
    const figure = figures.get(location_id);
    if (figure?.available !== upstream_available_units)
      found.add('L6', `item ${item_key} has another figure at location ${location_id} than the journal says`);
    // As mirrored when the shop was read: a hold that the shop drops later counts on our side at once, and only
    // the next report makes that a new state.
    locations.push({ id: location_id, sellable: upstream_available_units + (figure?.ours ?? 0) });
  }
  const snapshot: StockSnapshot = { shop, sku, state_version, lifecycle, locations, as_of: as_of_ms, salt };
  if (stockHash(snapshot) !== stock_hash)
    found.add('L5', `the checksum of item ${item_key} is not that of its state`);
}

function parseTold(data: string | null): Told | null {
  const told = parsed<Told>(data);
  return Array.isArray(told?.levels) ? told : null;
}
