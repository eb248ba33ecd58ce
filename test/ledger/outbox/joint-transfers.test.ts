/** One call for several reservations: its intents are written together, and all rows leave it together, or none. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StockMove } from '../../../src/ledger/model/stock-transfer.js';
import { planJointMove, planMoveAnswer } from '../../../src/ledger/outbox/joint-transfers.js';
import { decideAbsent, decideClaim } from '../../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../../src/ledger/outbox/transfer-steps.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { Claim } from '../../../src/ledger/state/job.js';
import type { Keys, LedgerState } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { HOUR, MINUTE, SECOND, STORE, TestLedger, units, WAREHOUSE } from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open({ settings: { mirror: 'move' } });
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
});
afterEach(async () => {
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  await t.close();
});

const claimOf = (worker: string): Claim => ({
  worker,
  claim_ms: MINUTE,
  check_ms: 5 * MINUTE,
  resend_max_ms: 20 * HOUR,
  joins_moves: true,
});

const keyed = (all: readonly ReserveAnswer[]): Keys[] =>
  all.map(({ reservation_id }) => ({ owned: { reservation_id }, precedence: true }));
const rowOf = async ({ reservation_id }: ReserveAnswer) => (await t.owned(reservation_id)).outbox;
const states = async (all: readonly ReserveAnswer[]) =>
  (await Promise.all(all.map(rowOf))).map(({ shop_state }) => shop_state);

async function claimed(all: readonly ReserveAnswer[], worker = 'a'): Promise<void> {
  for (const { reservation_id } of all) {
    expect(await t.decide(reservation_id, (state) => decideClaim(state, claimOf(worker)))).toBe(true);
  }
}

/** The call that is written for them; by index, null for a row that is not in it. */
async function planned(all: readonly ReserveAnswer[], direction: StockMove['direction'] = 'out') {
  const works = await t.store.transactAll(keyed(all), (plan) =>
    planJointMove(plan, claimOf('a'), t.settings, direction),
  );
  return works.map((work) => work?.owned.outbox.request ?? null);
}

const answered = (all: readonly ReserveAnswer[], move: StockMove, isDone: boolean, worker = 'a') =>
  t.store.transactAll(keyed(all), (plan) =>
    planMoveAnswer(plan, { move, worker, isDone }, (state: LedgerState) => {
      const decided = isDone ? decideTaken(state) : decideAbsent(state, 'stale');
      return decided.changes ?? {};
    }),
  );

const tees = async (count: number, quantity = 1) =>
  Promise.all(Array.from({ length: count }, () => t.granted('tee', quantity)));

async function written(all: readonly ReserveAnswer[]): Promise<StockMove> {
  await claimed(all);
  const [move] = await planned(all);
  if (move === null || move === undefined) throw new Error('nothing was written');
  return move;
}

describe('the intents of one call', () => {
  test('item 14: share key and request, with one change for each level, and each row knows its own units', async () => {
    const all = [
      await t.granted('tee', 2),
      await t.granted('tee', 1, {
        lines: [
          { sku: 'tee', quantity: units(3), location_id: STORE },
          { sku: 'tee', quantity: units(1) },
        ],
      }),
    ];
    await claimed(all);
    const [first, second] = await planned(all);
    expect(second?.key).toBe(first?.key);
    expect(second?.together).toEqual(first?.together);
    expect(first?.together?.changes).toMatchObject([
      { location_id: WAREHOUSE, quantity_units: 3, available_units: 10 },
      { location_id: STORE, quantity_units: 3, available_units: 5 },
    ]);
    expect(first?.changes).toMatchObject([{ quantity_units: 2 }]);
    expect(second?.changes.map((change) => change.quantity_units).sort()).toEqual([1, 3]);
    expect(await states(all)).toEqual(['creating', 'creating']);
  });

  test('item 14: of one row alone are as they were: the shop remembers what was sent by an older version', async () => {
    const [mine] = await tees(1);
    if (mine === undefined) throw new Error('nothing was reserved');
    const move = await written([mine]);
    expect(move.together).toBeUndefined();
    expect(move).toMatchObject({ attempt: 1, reservation_id: mine.reservation_id, direction: 'out' });
  });

  test('item 14: leave out rows that are not ours, over, or no longer in need of it', async () => {
    const [released, expired, others, ...mine] = [
      ...(await tees(1)),
      await t.granted('tee', 1, { ttl_seconds: 60 }),
      ...(await tees(3)),
    ];
    if (released === undefined || expired === undefined || others === undefined) throw new Error('none');
    await claimed([released, expired, ...mine]);
    await claimed([others], 'b');
    await t.release(released.reservation_id);
    t.time.pass(59 * SECOND);
    await claimed(mine);
    t.time.pass(2 * SECOND);
    const moves = await planned([released, expired, others, ...mine]);
    expect(moves.map((move) => move !== null)).toEqual([false, false, false, true, true]);
    expect(moves[3]?.together?.reservation_keys).toHaveLength(2);
    expect(await states([released, expired, others])).toEqual(['absent', 'absent', 'absent']);
  });

  test('L1: take no more than the figure has, the oldest first', async () => {
    const all = await tees(4, 3);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 7, [STORE]: 0 } });
    await claimed(all);
    const moves = await planned(all);
    expect(moves.map((move) => move !== null)).toEqual([true, true, false, false]);
    expect(moves[0]?.together?.changes).toMatchObject([{ quantity_units: 6, available_units: 7 }]);
  });
});

describe('what the shop answers', () => {
  test('item 14: opens every row that rests on the call, whoever asked, and wakes those that nobody has', async () => {
    const all = await tees(3);
    const move = await written(all);
    t.time.pass(2 * MINUTE);
    const [first] = all;
    if (first === undefined) throw new Error('none');
    await claimed([first], 'b');
    expect(await answered(all, move, true, 'b')).toBe('taken');
    expect(await states(all)).toEqual(['open', 'open', 'open']);
    const rows = await Promise.all(all.map(rowOf));
    expect(rows.slice(1).map(({ due_at_ms }) => due_at_ms)).toEqual([t.clock.now(), t.clock.now()]);
  });

  test('item 14: L4: that nothing was moved lets no row leave while another worker may be sending the call', async () => {
    const all = await tees(2);
    const move = await written(all);
    t.time.pass(2 * MINUTE);
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new Error('none');
    await claimed([first], 'b');
    await claimed([second], 'c');
    expect(await answered(all, move, false, 'b')).toBe('shared');
    expect(await states(all)).toEqual(['creating', 'creating']);
    t.time.pass(2 * MINUTE);
    await claimed([first], 'b');
    expect(await answered(all, move, false, 'b')).toBe('taken');
    expect(await states(all)).toEqual(['absent', 'absent']);
  });

  test('item 14: says nothing of a row that is at another request by now', async () => {
    const all = await tees(2);
    const move = await written(all);
    await answered(all, move, false);
    const [first] = all;
    if (first === undefined) throw new Error('none');
    const [again] = await planned([first]);
    expect(again?.key).not.toBe(move.key);
    expect(await answered(all, move, true)).toBe('taken');
    expect(await states(all)).toEqual(['creating', 'absent']);
  });
});
