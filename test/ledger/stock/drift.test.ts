import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Findings } from '../../../src/ledger/model/drift-report.js';
import { MAX_AGE_SLOW_S } from '../../../src/ledger/model/values/freshness.js';
import type { LevelObservation } from '../../../src/ledger/model/values/observation.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import {
  decideClaim,
  decideDeleted,
  decideNextStep,
  decideOpen,
} from '../../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../../src/ledger/outbox/transfer-steps.js';
import type { LedgerState } from '../../../src/ledger/state/state.js';
import type { ReportResult } from '../../../src/ledger/stock/apply-report.js';
import { decideReconciled } from '../../../src/ledger/stock/drift.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  SECOND,
  STORE,
  TEST_LOCATIONS,
  TestLedger,
  WAREHOUSE,
} from '../../helpers/ledger.js';

const CLAIM = { worker: 'worker-1', claim_ms: MINUTE, check_ms: HOUR, resend_max_ms: HOUR };

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

function findings(result: ReportResult): Findings | undefined {
  if (!result.applied) throw new Error(result.why);
  return result.found;
}

/** A heartbeat has confirmed everything as of now. */
const beat = () => t.store.putSync({ baseline_at_ms: 1, confirmed_at_ms: t.clock.now(), cursor: 'c' });

const tee = (levels: NonNullable<Parameters<TestLedger['seed']>[0]['levels']>) =>
  t.seed({ sku: 'tee', levels });

const cause = async (level: Partial<LevelObservation>) =>
  findings(await tee({ [WAREHOUSE]: level }))?.levels.map((difference) => difference.cause);

describe('a difference between the ledger and the shop', () => {
  test('is not found where there is none', async () => {
    await tee({ [WAREHOUSE]: 10, [STORE]: 0 });
    t.time.pass(SECOND);
    expect(findings(await tee({ [WAREHOUSE]: 10, [STORE]: 0 }))).toBeUndefined();
  });

  test('is drift when a heartbeat has begun since the shop changed, and long enough since', async () => {
    await tee({ [WAREHOUSE]: 10 });
    t.time.pass(10 * MINUTE);
    await beat();
    const changed = t.clock.now() - t.settings.drift_slack_ms;
    expect(await cause({ available_units: 9, upstream_updated_at_ms: changed - 1 })).toEqual(['drift']);
    expect(await cause({ available_units: 8, upstream_updated_at_ms: changed })).toEqual(['recent']);
    t.time.pass(MINUTE);
    expect(await cause({ available_units: 7, upstream_updated_at_ms: t.clock.now() })).toEqual(['recent']);
  });

  test('is drift when the shop does not say when it changed', async () => {
    await tee({ [WAREHOUSE]: 10 });
    t.time.pass(SECOND);
    await beat();
    const found = findings(await tee({ [WAREHOUSE]: 7 }));
    expect(found?.levels).toEqual([
      { location_id: WAREHOUSE, ledger_units: 10, shop_units: 7, shop_changed_at_ms: null, cause: 'drift' },
    ]);
  });

  test('is none when the report is older than what the ledger has', async () => {
    await tee({ [WAREHOUSE]: { available_units: 10, upstream_updated_at_ms: 5_000 } });
    t.time.pass(SECOND);
    expect(
      findings(await tee({ [WAREHOUSE]: { available_units: 4, upstream_updated_at_ms: 4_000 } })),
    ).toBeUndefined();
  });

  test('is told of a level that is new, gone and back, and not of one without units', async () => {
    await tee({ [WAREHOUSE]: 10 });
    t.time.pass(SECOND);
    const units = async (levels: Record<string, number>) => {
      t.time.pass(SECOND);
      const found = findings(await tee(levels));
      return found?.levels.map((level) => [level.location_id, level.ledger_units, level.shop_units]);
    };
    expect(await units({ [WAREHOUSE]: 10, [STORE]: 2 })).toEqual([[STORE, null, 2]]);
    expect(await units({ [WAREHOUSE]: 10 })).toEqual([[STORE, 2, null]]);
    expect(await units({ [WAREHOUSE]: 10, [STORE]: 0 })).toBeUndefined();
    expect(await units({ [STORE]: 3 })).toEqual([
      [WAREHOUSE, 10, null],
      [STORE, 0, 3],
    ]);
    expect(await units({ [STORE]: 3 })).toBeUndefined();
    expect(await units({ [WAREHOUSE]: 4, [STORE]: 3 })).toEqual([[WAREHOUSE, null, 4]]);
  });

  test('is none at a level that the report is not about', async () => {
    await tee({ [WAREHOUSE]: 10, [STORE]: 5 });
    t.time.pass(SECOND);
    const found = findings(await t.levels('tee', { [WAREHOUSE]: 9 }));
    expect(found?.levels).toMatchObject([{ location_id: WAREHOUSE, ledger_units: 10, shop_units: 9 }]);
    expect(found?.levels).toHaveLength(1);
  });

  test('at a location that is closed is one of the units that are there', async () => {
    await tee({ [WAREHOUSE]: 10, [STORE]: 5 });
    await t.store.putLocations(TEST_LOCATIONS.map((row) => ({ ...row, active: row.location_id !== STORE })));
    t.time.pass(SECOND);
    await tee({ [WAREHOUSE]: 10, [STORE]: 5 });
    t.time.pass(SECOND);
    const found = findings(await tee({ [WAREHOUSE]: 10, [STORE]: 4 }));
    expect(found?.levels).toMatchObject([{ location_id: STORE, ledger_units: 5, shop_units: 4 }]);
  });

  test.each([
    ['is gone from the shop is told once, not level by level', 'discontinued', {}, 1, []],
    ['is archived, and its levels with it', 'discontinued', { [WAREHOUSE]: 9 }, 1, [9]],
    ['is stocked nowhere any more is told by its level', 'active', {}, 0, [null]],
  ] as const)('of an item that %s', async (_, lifecycle, levels, catalogue, told) => {
    await tee({ [WAREHOUSE]: 10 });
    t.time.pass(SECOND);
    const found = findings(await t.seed({ sku: 'tee', lifecycle, levels }));
    expect(found?.catalogue).toHaveLength(catalogue);
    expect(found?.levels.map(({ shop_units }) => shop_units)).toEqual(told);
    expect(found?.jumps).toEqual([]);
  });

  describe('that a write of ours explains is none of drift', () => {
    const open = { hold_ref: 'd1', until_ms: 0 };
    const owned = async (quantity: number) => {
      const { reservation_id, stock_hash } = await t.granted('tee', quantity);
      return { reservation_id, stock_hash };
    };

    test('a mirror whose units the figure shows for the first time', async () => {
      await tee({ [WAREHOUSE]: 10 });
      const { reservation_id } = await owned(4);
      const until_ms = t.clock.now() + HOUR;
      await t.decide(reservation_id, (state) => decideOpen(state, { ...open, until_ms }));
      t.time.pass(SECOND);
      expect(await cause({ available_units: 6 })).toEqual(['own_write']);
      t.time.pass(SECOND);
      expect(await cause({ available_units: 5 })).toEqual(['drift']);
    });

    test('units that come back from a mirror that we let go of', async () => {
      await tee({ [WAREHOUSE]: 10 });
      const { reservation_id } = await owned(4);
      const until_ms = t.clock.now() + HOUR;
      await t.decide(reservation_id, (state) => decideOpen(state, { ...open, until_ms }));
      t.time.pass(SECOND);
      await tee({ [WAREHOUSE]: 6 });
      await t.release(reservation_id);
      await t.decide(reservation_id, (state) => decideDeleted(state));
      t.time.pass(SECOND);
      expect(await cause({ available_units: 10 })).toEqual(['own_write']);
    });

    test('a mirror that the shop is being asked for, seen before it answers', async () => {
      await tee({ [WAREHOUSE]: 10 });
      const { reservation_id } = await owned(4);
      await t.decide(reservation_id, (state) => decideClaim(state, CLAIM));
      await t.decide(reservation_id, (state) => decideNextStep(state, CLAIM, t.settings, true));
      t.time.pass(SECOND);
      expect(await cause({ available_units: 6 })).toEqual(['own_write']);
      t.time.pass(SECOND);
      expect(await cause({ available_units: 1 })).toEqual(['drift']);
    });

    test.each([
      ['within the margin before its time ran out', 0, 'own_write'],
      ['before that', -1, 'drift'],
    ])('a mirror that the shop may have let go of, read %s', async (_, after, expected) => {
      await tee({ [WAREHOUSE]: 10 });
      const { reservation_id } = await owned(4);
      const until_ms = t.clock.now() + 5 * MINUTE;
      await t.decide(reservation_id, (state) => decideOpen(state, { ...open, until_ms }));
      t.time.pass(SECOND);
      await tee({ [WAREHOUSE]: 6 });
      t.time.pass(5 * MINUTE);
      const read_at_ms = until_ms - t.settings.mirror_margin_ms + after;
      const found = findings(await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 }, read_at_ms }));
      expect(found?.levels.map((difference) => difference.cause)).toEqual([expected]);
    });

    test.each([
      [
        'holds its units until a time',
        (state: LedgerState) => decideOpen(state, { ...open, until_ms: state.now_ms + HOUR }),
      ],
      ['has moved its units, which has no end', decideTaken],
    ])('not units that come in of an order that was placed while the shop %s', async (_, hold) => {
      await tee({ [WAREHOUSE]: 10 });
      const reservation = await owned(4);
      const id = reservation.reservation_id;
      await t.decide<unknown>(id, hold);
      t.time.pass(SECOND);
      await tee({ [WAREHOUSE]: 6 });
      answerOf(await t.submit(reservation));
      await t.decide(id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
      t.time.pass(SECOND);
      expect(await cause({ available_units: 10 })).toEqual(['drift']);
    });

    test('an order that was placed without a mirror, and not more than its units', async () => {
      await tee({ [WAREHOUSE]: 10 });
      const reservation = await owned(4);
      answerOf(await t.submit(reservation));
      await t.decide(reservation.reservation_id, (state) =>
        decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
      );
      t.time.pass(SECOND);
      expect(await cause({ available_units: 5 })).toEqual(['drift']);
    });
  });

  test('in the catalogue is told by field: archived, renamed, of another variant', async () => {
    const item = { item_id: 'i1', variant_id: '11' };
    await t.seed({ ...item, sku: 'tee' });
    t.time.pass(SECOND);
    const found = findings(
      await t.seed({ ...item, variant_id: '12', sku: 'shirt', title: 'Shirt', lifecycle: 'discontinued' }),
    );
    expect(found?.catalogue).toEqual([
      { field: 'lifecycle', from: 'active', to: 'discontinued', cause: 'drift' },
      { field: 'sku', from: 'tee', to: 'shirt', cause: 'drift' },
      { field: 'title', from: 'Title of tee', to: 'Shirt', cause: 'drift' },
      { field: 'variant_id', from: '11', to: '12', cause: 'drift' },
    ]);
  });

  test('of an item that the ledger did not know is one of the catalogue, recent when its stock has just moved', async () => {
    t.time.pass(HOUR);
    await beat();
    const old = findings(await t.seed({ sku: 'old', levels: { [WAREHOUSE]: 5 } }));
    expect(old).toEqual({
      levels: [],
      catalogue: [{ field: 'item', from: null, to: 'old', cause: 'drift' }],
      jumps: [],
    });
    const level = { available_units: 5, upstream_updated_at_ms: t.clock.now() };
    const found = findings(await t.seed({ sku: 'new', levels: { [WAREHOUSE]: level } }));
    expect(found?.catalogue).toMatchObject([{ cause: 'recent' }]);
  });

  test.each([
    ['the newest of its levels has just moved', [HOUR, 0], 'recent'],
    ['one level has just moved and the other says nothing', [0, null], 'recent'],
    ['all of its levels have stood for long', [HOUR, HOUR], 'drift'],
    ['no level says when it moved', [null, null], 'drift'],
  ] as const)('of an unknown item is told apart by its levels: %s', async (_, ages, cause) => {
    t.time.pass(HOUR);
    await beat();
    const [first, second] = ages.map((age) => ({
      available_units: 5,
      upstream_updated_at_ms: age === null ? null : t.clock.now() - age,
    }));
    const levels = { [WAREHOUSE]: first ?? 0, [STORE]: second ?? 0 };
    expect(findings(await t.seed({ sku: 'new', levels }))?.catalogue).toMatchObject([{ cause }]);
  });
});

describe('a jump', () => {
  const figure = (available_units: number, on_hand_units: number | null, committed_units: number | null) => ({
    [WAREHOUSE]: { available_units, on_hand_units, committed_units },
  });
  const jumps = async (to: ReturnType<typeof figure>) => {
    t.time.pass(SECOND);
    return findings(await tee(to))?.jumps;
  };
  beforeEach(async () => {
    await tee(figure(40, 45, 5));
  });

  test.each([
    ['units that left without an order', figure(19, 24, 5), 21],
    ['units that were moved to another state', figure(15, 45, 5), 25],
    ['a figure that fell with nothing else told', figure(10, null, null), 30],
    ['a fall of which orders explain a part only', figure(5, 20, 15), 25],
    ['a rise without a receipt', figure(80, 45, 5), 40],
  ])('is %s', async (_, to, unexplained_units) => {
    const [level] = Object.values(to);
    expect(await jumps(to)).toEqual([
      { location_id: WAREHOUSE, from_units: 40, to_units: level?.available_units, unexplained_units },
    ]);
  });

  test.each([
    ['orders, however many', figure(0, 45, 45)],
    ['a receipt, however large', figure(5000, 5005, 5)],
    ['orders that were cancelled', figure(45, 45, 0)],
    ['half of it', figure(20, 25, 5)],
  ])('is not %s', async (_, to) => {
    expect(await jumps(to)).toEqual([]);
  });

  /** Of 100 on the shelf 60 are in orders: [available, on hand, committed] before, and what becomes of them. */
  test.each<[string, readonly [number, number | null, number | null], number | null]>([
    ['orders of 50 units that are cancelled', [90, 100, 10], null],
    ['50 units in orders that are shipped, and as many put on sale by nobody', [90, 50, 10], 50],
    ['orders of 50 units, 30 shipped and 20 cancelled, and 50 more on sale', [90, 70, 10], 30],
    ['a receipt of 30 and orders of 20 units that are cancelled', [90, 130, 40], null],
    ['a receipt of 10 and orders of 10 units that are cancelled, and 50 more on sale', [90, 110, 50], 30],
    ['units on hand that are lost while 50 more are on sale', [90, 70, 60], 50],
    ['more in orders while 50 more are on sale', [90, 100, 90], 50],
    ['50 more on sale, of which nothing else is told any more', [90, null, null], 50],
  ])('is told from what it may be: %s', async (_, to, unexplained_units) => {
    await tee(figure(40, 100, 60));
    expect(await jumps(figure(...to))).toMatchObject(
      unexplained_units === null ? [] : [{ unexplained_units }],
    );
  });

  test.each([
    ['less on sale, and orders are told for the first time', figure(40, null, null), figure(10, 45, 35)],
    [
      'more on sale, and units on hand are told for the first time',
      figure(40, null, null),
      figure(90, 90, 0),
    ],
    ['more on sale, and orders are told no more', figure(40, null, 60), figure(90, null, null)],
  ])('is not explained by a figure without one before and after: %s', async (_, from, to) => {
    await tee(from);
    expect(await jumps(to)).toHaveLength(1);
  });

  test.each([
    ['was confirmed just as long ago as stock may ever be old', 0, 1],
    ['was confirmed longer ago', 1, 0],
  ])('is one of a figure that %s', async (_, after, told) => {
    t.time.pass(MAX_AGE_SLOW_S * SECOND + after);
    expect(findings(await tee(figure(0, 5, 5)))?.jumps).toHaveLength(told);
  });

  test('at one level says nothing of the other', async () => {
    await tee({ [WAREHOUSE]: 40, [STORE]: 40 });
    t.time.pass(SECOND);
    const found = findings(await tee({ [WAREHOUSE]: 40, [STORE]: 0 }));
    expect(found?.jumps).toMatchObject([{ location_id: STORE, unexplained_units: 40 }]);
    expect(found?.jumps).toHaveLength(1);
  });

  test('is not what a few units do, whatever their share', async () => {
    await tee(figure(9, 14, 5));
    expect(await jumps(figure(0, 5, 5))).toEqual([]);
    expect(await jumps(figure(9, 5, 5))).toEqual([]);
    expect(await jumps(figure(19, 5, 5))).toMatchObject([{ unexplained_units: 10 }]);
  });

  test('is not what accumulated while nobody looked', async () => {
    t.time.pass(MAX_AGE_SLOW_S * SECOND);
    expect(await jumps(figure(0, 5, 5))).toEqual([]);
  });

  test('is not a hold of ours that the shop shows', async () => {
    const { reservation_id } = await t.granted('tee', 30);
    const until_ms = t.clock.now() + HOUR;
    await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'd1', until_ms }));
    expect(await jumps(figure(10, null, null))).toEqual([]);
  });

  test('L6: is journaled with the report that brought it, and the journal proves itself', async () => {
    await jumps(figure(10, 15, 5));
    const entries = t.rawly((db) =>
      db.prepare("SELECT kind, data FROM journal WHERE kind LIKE 'stock.%' ORDER BY seq").all(),
    ) as { kind: string; data: string }[];
    expect(entries.map(({ kind }) => kind)).toEqual(['stock.changed', 'stock.jumped', 'stock.changed']);
    expect(JSON.parse(entries[1]?.data ?? '')).toEqual({
      sku: 'tee',
      location_id: WAREHOUSE,
      from_units: 40,
      to_units: 10,
      unexplained_units: 30,
    });
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('has a share that the merchant sets', async () => {
    const other = await t.beside({ settings: { jump_share_percent: 80 } });
    try {
      t.time.pass(SECOND);
      const at = async (available_units: number) =>
        findings(await other.seed({ sku: 'tee', levels: { [WAREHOUSE]: available_units } }))?.jumps.length;
      expect(await at(8)).toBe(0);
      t.time.pass(SECOND);
      await other.seed({ sku: 'tee', levels: { [WAREHOUSE]: 40 } });
      t.time.pass(SECOND);
      expect(await at(7)).toBe(1);
    } finally {
      await other.close();
    }
  });
});

describe('the record of a reconciliation', () => {
  const report = (items_read: number) => ({
    began_at_ms: t.clock.now(),
    ended_at_ms: t.clock.now() + 1,
    is_first: false,
    items_read,
    variants_read: items_read,
    variants_counted: items_read + 1,
    levels_compared: 2,
    drift_total: 1,
    catalogue_drift_total: 0,
    in_passing_total: 0,
    drift: [
      {
        sku: 'tee',
        item_id: 'i1',
        location_id: WAREHOUSE,
        ledger_units: 5,
        shop_units: 4,
        shop_changed_at_ms: null,
        difference_units: -1,
      },
    ],
    catalogue_drift: [],
  });
  const put = (items_read: number) => t.store.transact({}, () => decideReconciled(report(items_read)));

  test('is read back as it was, and its totals are in the journal', async () => {
    expect(await t.store.lastReconciliation()).toBeNull();
    await put(7);
    expect(await t.store.lastReconciliation()).toEqual(report(7));
    const told = t.rawly((db) =>
      db.prepare("SELECT data FROM journal WHERE kind = 'stock.reconciled'").pluck().get(),
    ) as string;
    expect(JSON.parse(told)).toMatchObject({ items_read: 7, drift_total: 1 });
    expect(told).not.toContain('tee');
  });

  test('is kept for the last hundred, and proved against the journal', async () => {
    for (let n = 0; n < 103; n += 1) await put(n);
    const kept = await t.store.reconciliations(1000);
    expect(kept.map(({ items_read }) => items_read)).toEqual(Array.from({ length: 100 }, (_, n) => 102 - n));
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
    t.rawly((db) => db.exec('UPDATE reconciliations SET drift_total = 0 WHERE items_read = 50'));
    expect(verifyLedgerFile(t.path).problems).toMatchObject([
      { invariant: 'L6', detail: expect.stringContaining('is not the one that was journaled') },
    ]);
  });
});
