/** Which rows of the outbox come next: by lane, and callers take turns. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReserveAnswer } from '../../../../src/ledger/reservation/reserve.js';
import type { SqliteStore } from '../../../../src/store/sqlite/sqlite-store.js';
import { answerOf, MINUTE, openTestStore, SECOND, TestLedger, WAREHOUSE } from '../../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1_000 } });
});
afterEach(() => t.close());

async function reserve(principal: string, times = 1): Promise<ReserveAnswer[]> {
  const made: ReserveAnswer[] = [];
  for (let index = 0; index < times; index += 1) made.push(await t.granted('tee', 1, { principal }));
  return made;
}

const callersOf = (due: readonly { readonly principal: string }[]) => due.map(({ principal }) => principal);
const holds = async (limit: number, after: string | null = null) =>
  callersOf((await t.store.dueOutbox('holds', limit, after)).rows);

describe('the lane of holds', () => {
  test('item 8: gives each caller one row in turn, however many another has', async () => {
    await reserve('burst', 20);
    await reserve('zoe', 2);
    await reserve('adam', 1);
    expect(await holds(6)).toEqual(['adam', 'burst', 'zoe', 'burst', 'zoe', 'burst']);
  });

  test('item 8: goes on behind the caller that was served last, and around', async () => {
    for (const principal of ['a', 'b', 'c', 'd']) await reserve(principal, 2);
    expect(await holds(3, 'b')).toEqual(['c', 'd', 'a']);
    expect(await holds(4, 'd')).toEqual(['a', 'b', 'c', 'd']);
    expect(await holds(2, 'nobody')).toEqual(['a', 'b']);
  });

  test("has the oldest of a caller's rows first, and none that is due later, or that a worker has", async () => {
    const [first, second, later, claimed] = await reserve('a', 4);
    const key = async (mine: ReserveAnswer | undefined) =>
      (await t.owned(mine?.reservation_id ?? '')).reservation.reservation_key;
    const keys = await Promise.all([first, second, later, claimed].map(key));
    t.rawly((db) => {
      const put = db.prepare('UPDATE reservations SET due_at_ms = due_at_ms + ? WHERE reservation_key = ?');
      put.run(-SECOND, keys[1]);
      put.run(SECOND, keys[2]);
      db.prepare(
        "UPDATE reservations SET claimed_by = 'w', claimed_until_ms = ? WHERE reservation_key = ?",
      ).run(t.clock.now() + SECOND, keys[3]);
    });
    const { rows } = await t.store.dueOutbox('holds', 10, null);
    expect(rows.map(({ reservation_key }) => reservation_key)).toEqual([keys[1], keys[0]]);
  });
});

test('item 8: an order is in the lane of orders from its submit on, and nowhere else', async () => {
  const [mine] = await reserve('a', 3);
  if (mine === undefined) throw new Error('nothing was reserved');
  answerOf(await t.submit(mine, { principal: 'a' }));
  const { reservation } = await t.owned(mine.reservation_id);
  const { rows } = await t.store.dueOutbox('orders', 10, null);
  expect(rows).toEqual([{ reservation_key: reservation.reservation_key, principal: 'a' }]);
  expect(await holds(10)).toEqual(['a', 'a']);
});

describe('a look that finds many callers who only wait', () => {
  test('says where it ended, and the next goes on from there', async () => {
    for (let index = 0; index < 250; index += 1) await reserve(`waits-${String(index).padStart(3, '0')}`);
    t.rawly((db) => db.prepare('UPDATE reservations SET due_at_ms = due_at_ms + ?').run(MINUTE));
    await reserve('zoe');
    const first = await t.store.dueOutbox('holds', 10, null);
    expect(first).toEqual({ rows: [], asked_up_to: 'waits-199' });
    const second = await t.store.dueOutbox('holds', 10, first.asked_up_to);
    expect(callersOf(second.rows)).toEqual(['zoe']);
  });
});

describe('a new reservation', () => {
  const due = async (store: SqliteStore) => (await store.dueOutbox('holds', 10, null)).rows.length;
  const FIRST_MS = 5 * SECOND;

  test('is left to the process that wrote it, and to any other when that has not begun', async () => {
    await t.close();
    t = await TestLedger.open({ store: { worker: 'writer', writer_first_ms: FIRST_MS } });
    await t.seed({ sku: 'tee' });
    const other = openTestStore({ path: t.path, clock: t.clock, worker: 'other' });
    await reserve('a');
    expect([await due(t.store), await due(other)]).toEqual([1, 0]);
    t.time.pass(FIRST_MS);
    expect([await due(t.store), await due(other)]).toEqual([1, 1]);
    await other.close();
  });
});

describe('a cap on waiting mirrors', () => {
  beforeEach(async () => {
    await t.close();
    t = await TestLedger.open({ settings: { waiting_mirrors_max: 3 } });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1_000 } });
  });

  const dueOf = async ({ reservation_id }: ReserveAnswer) => (await t.owned(reservation_id)).outbox.due_at_ms;

  test('item 8: beyond it a reservation is granted, counts on our side, and is not mirrored', async () => {
    const mine = await reserve('burst', 5);
    expect(await Promise.all(mine.map(dueOf))).toEqual([...Array(3).fill(t.clock.now()), null, null]);
    expect(await t.atp('tee')).toBe(995);
    const [, , , skipped] = t.journal('reservation.created');
    expect(skipped).toMatchObject({ mirror: 'skipped' });
  });

  test('item 8: is of one caller, also within one commit', async () => {
    const principals = ['burst', 'burst', 'burst', 'burst', 'other'];
    const made = await Promise.all(principals.map((principal) => t.granted('tee', 1, { principal })));
    const waits = (await Promise.all(made.map(dueOf))).map((due) => due !== null);
    expect(waits).toEqual([true, true, true, false, true]);
  });

  test('item 8: has room again once they are through, and an order is looked at in any case', async () => {
    const mine = await reserve('burst', 4);
    t.rawly((db) => db.exec('UPDATE reservations SET due_at_ms = NULL'));
    const [next] = await reserve('burst');
    if (next === undefined) throw new Error('nothing was reserved');
    expect(await dueOf(next)).toBe(t.clock.now());
    const skipped = mine[3];
    if (skipped === undefined) throw new Error('nothing was reserved');
    answerOf(await t.submit(skipped, { principal: 'burst' }));
    expect(await dueOf(skipped)).not.toBeNull();
  });

  test('item 8: does not count where nothing is mirrored', async () => {
    await t.close();
    t = await TestLedger.open({ settings: { waiting_mirrors_max: 1, mirror: 'none' } });
    await t.seed({ sku: 'tee' });
    await reserve('a', 3);
    expect(t.journal('reservation.created').filter((entry) => 'mirror' in entry)).toEqual([]);
  });
});
