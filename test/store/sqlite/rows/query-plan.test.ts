import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../../src/store/sqlite/database/driver.js';
import { SQL, type StatementName } from '../../../../src/store/sqlite/rows/statements.js';
import { TestLedger } from '../../../helpers/ledger.js';

/** Statements that may read a whole table, each with its reason. Anything else must search by a key. */
const MAY_SCAN: Partial<Record<StatementName, { readonly table: string; readonly why: string }>> = {
  locations: { table: 'locations', why: 'a shop has a handful of locations' },
  mark_location: { table: 'items', why: 'once for a location that opens again' },
  put_safety_stock: { table: 'items', why: 'once at the start, for a setting that the merchant has changed' },
  count_unplaced: {
    table: 'holds',
    why: 'holds that wait for a report, from an index of those alone: few at any time',
  },
  count_waiting_orders: {
    table: 'reservations USING INDEX reservations_due_orders',
    why: 'orders under way, from an index of those alone: few at any time',
  },
  routed_by_level: {
    table: 'routed_units',
    why: 'an order is being moved for a second: few rows at any time',
  },
  count_live: {
    table:
      '(holds|orders USING COVERING INDEX orders_held|reservations USING COVERING INDEX reservations_parked)',
    why: 'for /metrics: what is live, held or parked',
  },
  items_unproven: {
    table: 'levels USING INDEX levels_unproven',
    why: 'levels that rose a hundredfold, from an index of those alone: none at most times',
  },
  count_unproven: { table: 'levels USING INDEX levels_unproven', why: 'the same' },
  inbox_count: { table: 'inbox', why: 'counted page by page without looking at a row: 0.1 ms at 50,000' },
  inbox_oldest: { table: 'inbox', why: 'the first row along the key' },
  inbox_due: {
    table: 'inbox',
    why: 'along the key, in order of arrival, and cut by its limit; few rows are put off',
  },
  moved_rows: { table: 'reservations', why: 'for a person who looks for units that nobody owns' },
  others_lease: {
    table: 'leases',
    why: 'a handful, and only while a clock that is far ahead waits for the shop',
  },
  expiries: { table: 'soon', why: 'the few that expire next, which its inner query finds along the index' },
  count_callers: { table: 'orders|standings', why: 'once, when limits are switched on again' },
  count_caller_items: { table: 'orders|standings', why: 'once, when limits are switched on again' },
  list_orders_waiting: {
    table: 'reservations USING COVERING INDEX reservations_parked|waiting',
    why: 'what is held or parked, from the ends of two indexes that have nothing else',
  },
  list_reservations_waiting: {
    table: 'reservations USING COVERING INDEX reservations_parked|waiting',
    why: 'what is live or parked, likewise',
  },
  holds_waiting: {
    table: '\\(subquery',
    why: 'the rows that its inner query finds by the key, up to a limit',
  },
  prune_reconciliations: { table: 'reconciliations', why: 'the last hundred, which is all that are kept' },
  reconciliations: { table: 'reconciliations', why: 'the last hundred at most' },
};

/** Statements that sort what they found, each with its reason. */
const MAY_SORT: Partial<Record<StatementName, string>> = {
  count_waiting_orders: 'a row for each way to fail',
  search: 'the items that the words were found in',
  list_orders_waiting: 'what is held or parked, read by a person',
  list_reservations_waiting: 'what is live or parked, read by a person',
};

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

/** What SQLite does for a statement, one line a step. */
function plan(db: Database, sql: string): string[] {
  const parameters = Array<null>((sql.match(/\?/g) ?? []).length).fill(null);
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

/** Steps that read a table from end to end, or sort what they found. */
function slow(name: StatementName, steps: readonly string[]): string[] {
  const allowed = MAY_SCAN[name]?.table;
  return steps.filter((step) => {
    if (/USE TEMP B-TREE FOR (ORDER BY|LAST)/.test(step)) return MAY_SORT[name] === undefined;
    if (!step.startsWith('SCAN')) return false;
    if (/^SCAN (items_text VIRTUAL TABLE INDEX \d+:M|CONSTANT ROW|\d+ CONSTANT ROWS?)/.test(step))
      return false;
    // Bounded within: the first matches, and a range of the terms.
    if (/^SCAN (\(subquery-1\)$|items_words VIRTUAL TABLE INDEX (?!0:))/.test(step)) return false;
    // The end of an index is one row, whatever the table holds.
    if (name === 'last_reservation_key')
      return !/^SCAN reservations/.test(step) && !step.startsWith('SEARCH');
    return allowed === undefined || !new RegExp(`^SCAN (${allowed})`).test(step);
  });
}

describe('every statement', () => {
  test.each(Object.keys(SQL) as StatementName[])('%s finds its rows by a key', (name) => {
    const steps = t.rawly((db) => plan(db, SQL[name]));
    expect(slow(name, steps)).toEqual([]);
  });

  test('that may scan still does: an exception that is not needed any more is to be dropped', () => {
    const scanning = (Object.keys(MAY_SCAN) as StatementName[]).filter((name) =>
      t.rawly((db) => plan(db, SQL[name])).some((step) => step.startsWith('SCAN')),
    );
    expect(scanning).toEqual(Object.keys(MAY_SCAN));
  });
});

describe('without an index', () => {
  test.each([
    ['reservations_expiring', 'expired_reservations'],
    ['holds_awaiting', 'awaiting'],
    ['holds_mirrored', 'lapsing'],
    ['journal_of_reservation', 'timeline_newest'],
    ['idempotency_by_age', 'prune_idempotency'],
    ['deliveries_by_age', 'prune_deliveries'],
    ['items_by_variant', 'mark_variant'],
    ['items_by_product', 'mark_product'],
    ['reservations_by_hold', 'wake_hold'],
    ['orders_unseen', 'unseen_orders'],
    ['stock_versions_by_age', 'prune_history'],
    ['callers_at_rest', 'prune_callers'],
    ['caller_items_at_rest', 'prune_caller_items'],
    ['items_dirty', 'items_marked_since'],
  ] as const)('%s, this test sees %s turn red', (index, name) => {
    const steps = t.rawly((db) => {
      db.exec(`BEGIN; DROP INDEX ${index}`);
      const seen = plan(db, SQL[name]);
      db.exec('ROLLBACK');
      return seen;
    });
    expect(slow(name, steps)).not.toEqual([]);
  });
});
