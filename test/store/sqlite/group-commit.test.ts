import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideReserve, type ReserveRequest } from '../../../src/ledger/reservation/reserve.js';
import type { Changes, LedgerState } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  AGENT,
  answerOf,
  HOUR,
  MINUTE,
  TEST_LOCATIONS,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
});
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

const count = (sql: string): unknown => t.rawly((db) => db.prepare(sql).pluck().get());

/** Reserves under an id that the test chooses, so that two can clash. */
function reserveAs(reservation_id: string, more: (changes: Changes) => Changes = (changes) => changes) {
  const request: ReserveRequest = {
    principal: AGENT,
    lines: [{ sku: 'tee', quantity: units(1) }],
    ttl_seconds: undefined,
    allow_partial: false,
    idempotency: undefined,
    input_hash: '',
    reservation_id,
    asked_at_ms: t.clock.now(),
  };
  return t.store.transact({ skus: ['tee'] }, (state) => {
    const decision = decideReserve(state, request, t.settings);
    return decision.changes === undefined ? decision : { ...decision, changes: more(decision.changes) };
  });
}

describe('an answer', () => {
  test('L6: is given only after its commit: another connection sees the row at once', async () => {
    const seen: unknown[] = [];
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { reservation_id } = await t.granted('tee', 1);
        seen.push(
          t.rawly((db) =>
            db.prepare('SELECT state FROM reservations WHERE id = ?').pluck().get(reservation_id),
          ),
        );
      }),
    );
    expect(seen).toEqual(['active', 'active', 'active', 'active', 'active']);
  });

  test('shares its commit with those who wait at the same time, and with nobody after', async () => {
    await Promise.all([t.granted('tee', 1), t.granted('tee', 1), t.granted('tee', 1)]);
    t.time.pass(1);
    await t.granted('tee', 1);
    const times = t.rawly((db) =>
      db.prepare("SELECT at_ms FROM journal WHERE kind = 'reservation.created' ORDER BY seq").pluck().all(),
    ) as number[];
    expect(new Set(times.slice(0, 3)).size).toBe(1);
    expect(times[3]).toBe((times[0] ?? 0) + 1);
  });

  test('L2: sees what was decided before it in the same group', async () => {
    const results = await Promise.all(Array.from({ length: 15 }, () => t.reserve('tee', 1)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(10);
    expect(count('SELECT held_units FROM levels')).toBe(10);
  });

  test('L3: a release, and a reservation of the freed units, may share one group with their grant', async () => {
    const first = await t.granted('tee', 10);
    const [, second] = await Promise.all([t.release(first.reservation_id), t.reserve('tee', 10)]);
    expect(second.ok).toBe(true);
    expect(count('SELECT held_units FROM levels')).toBe(10);
    expect(count('SELECT count(*) FROM holds')).toBe(1);
  });
});

describe('a decision that fails', () => {
  test('by throwing rolls back alone, and the rest of its group commits', async () => {
    const results = await Promise.allSettled([
      t.granted('tee', 2),
      t.store.transact({ skus: ['tee'] }, () => {
        throw new Error('a bug in a decision');
      }),
      t.granted('tee', 3),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { message: 'a bug in a decision' } });
    expect(await t.atp('tee')).toBe(5);
  });

  test('L1: when it is applied rolls back alone, and the rest of its group commits', async () => {
    const tooFew = (changes: Changes): Changes => ({
      ...changes,
      sums: (changes.sums ?? []).map((sum) => ({ ...sum, held_units: -1 })),
    });
    const results = await Promise.allSettled([
      t.granted('tee', 2),
      reserveAs('res_negative', tooFew),
      t.granted('tee', 3),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await t.atp('tee')).toBe(5);
    expect(count("SELECT count(*) FROM reservations WHERE id = 'res_negative'")).toBe(0);
  });

  test('L6: because its rows clash is the one that is refused, not the next that reads, and no grant is lost', async () => {
    const [first, clash, other, released] = await Promise.allSettled([
      reserveAs('res_same'),
      reserveAs('res_same'),
      reserveAs('res_other'),
      // Reading a reservation writes what was kept back until then.
      t.release('res_nobody'),
    ]);
    expect([first, clash, other, released].map((result) => result?.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(count('SELECT count(*) FROM reservations')).toBe(2);
    expect(await t.atp('tee')).toBe(8);
  });

  test('leaves nothing kept back for the group after it', async () => {
    await Promise.allSettled([reserveAs('res_same'), reserveAs('res_same')]);
    t.time.pass(1);
    await t.granted('tee', 1);
    expect(count('SELECT count(*) FROM reservations')).toBe(2);
    expect(count('SELECT max(seq) - count(*) FROM journal')).toBe(0);
  });

  test('after half of a list of locations leaves none of it', async () => {
    const nameless = { location_id: 'loc-4', name: null as unknown as string, position: 4, active: true };
    const named = { ...nameless, location_id: 'loc-3', name: 'Third' };
    const [, granted] = await Promise.allSettled([
      t.store.putLocations([...TEST_LOCATIONS, named, nameless]).then(() => 'put'),
      t.granted('tee', 1),
    ]);
    expect(granted?.status).toBe('fulfilled');
    expect(count('SELECT count(*) FROM locations')).toBe(2);
  });
});

describe('within one group', () => {
  test('L1: a location that is closed is closed for every decision after it', async () => {
    const [, , , late] = await Promise.all([
      t.check('tee'),
      t.seed({ sku: 'cap' }),
      t.store.putLocations(TEST_LOCATIONS.map((row) => ({ ...row, active: false }))),
      t.reserve('tee', 1),
      t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 5 } }),
    ]);
    expect(late.ok).toBe(false);
    expect(count("SELECT max(sellable_here) FROM levels JOIN items USING (item_key) WHERE sku = 'cap'")).toBe(
      0,
    );
  });
});

describe('time in the file', () => {
  test('L9: does not run backwards over a restart after a write that changed no figure', async () => {
    t.time.pass(HOUR);
    await t.seed({ sku: 'tee' });
    t.time.setWallClockBy(-30 * MINUTE);
    const other = await t.beside();
    const seen: number[] = await Promise.all([
      other.store.read({}, (state: LedgerState) => state.now_ms),
      t.store.read({}, (state: LedgerState) => state.now_ms),
    ]);
    expect(seen[0]).toBe(seen[1]);
    expect((await other.item('tee')).read_at_ms).toBeLessThanOrEqual(seen[0] ?? 0);
    await other.close();
  });

  test('L9: no entry of the journal is older than the one before it, whoever wrote it', async () => {
    const other = await t.beside();
    for (let round = 0; round < 5; round += 1) {
      t.time.setWallClockBy(round % 2 === 0 ? HOUR : -2 * HOUR);
      await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20 + round } });
      answerOf(await (round % 2 === 0 ? other : t).reserve('tee', 1));
    }
    await other.close();
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

test('a ledger that is closed says so, and closing it again is no error', async () => {
  const other = await t.beside();
  await other.store.close();
  await other.store.close();
  await expect(other.store.transact({}, () => ({ result: 1 }))).rejects.toThrow('closed');
  await expect(other.store.read({}, () => 1)).rejects.toThrow('closed');
});

test('closing answers those who wait first', async () => {
  const other = await t.beside();
  const waiting = other.granted('tee', 1);
  await other.store.close();
  expect((await waiting).status).toBe('active');
});
