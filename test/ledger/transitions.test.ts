import { describe, expect, test } from 'vitest';
import { HOLD_TRANSITIONS, holdSums, nextHoldState } from '../../src/ledger/hold.js';
import { NEXT_BY_STATE, nextOrderState, ORDER_TRANSITIONS } from '../../src/ledger/order.js';
import { RETRY_BY_CODE } from '../../src/ledger/refusal.js';
import { nextReservationState, RESERVATION_TRANSITIONS } from '../../src/ledger/reservation.js';
import { STEPS, wantedAtShop } from '../../src/ledger/shop-side.js';

/** Every allowed move, written out by hand from the specification; whatever is not here must throw. */
const RESERVATION_MOVES: readonly (readonly [from: string, event: string, to: string])[] = [
  ['active', 'release', 'released'],
  ['active', 'expire', 'expired'],
  ['active', 'submit', 'submitted'],
  ['submitted', 'place', 'committed'],
  ['submitted', 'free', 'released'],
];
const ORDER_MOVES: readonly (readonly [from: string, event: string, to: string])[] = [
  ['held', 'accept', 'accepted'],
  ['held', 'reject', 'rejected'],
  ['accepted', 'place', 'placed'],
  ['accepted', 'fail', 'failed'],
  ['placed', 'fulfil', 'fulfilled'],
  ['placed', 'cancel', 'cancelled'],
];
const HOLD_MOVES: readonly (readonly [from: string, event: string, to: string | null])[] = [
  ['counted', 'mirror_reported', 'mirrored'],
  ['counted', 'mirror_lapsed', 'counted'],
  ['counted', 'ended', null],
  ['counted', 'settle_reported', null],
  ['mirrored', 'mirror_lapsed', 'counted'],
  ['mirrored', 'ended', 'returning'],
  ['mirrored', 'settle_reported', null],
  ['returning', 'mirror_lapsed', null],
  ['returning', 'return_reported', null],
];

describe.each([
  {
    name: 'reservation',
    table: RESERVATION_TRANSITIONS,
    next: nextReservationState,
    moves: RESERVATION_MOVES,
  },
  { name: 'order', table: ORDER_TRANSITIONS, next: nextOrderState, moves: ORDER_MOVES },
  { name: 'hold', table: HOLD_TRANSITIONS, next: nextHoldState, moves: HOLD_MOVES },
])('the $name table', ({ table, next, moves }) => {
  const step = next as (state: string, event: string) => string | null;
  const cells = Object.entries(table).flatMap(([state, row]) =>
    Object.keys(row).map((event) => ({ state, event })),
  );
  const events = new Set(cells.map(({ event }) => event));

  test('says of every state what every event makes of it', () => {
    expect(cells).toHaveLength(Object.keys(table).length * events.size);
    for (const [from, event] of moves) expect(cells).toContainEqual({ state: from, event });
  });

  test.each(cells)('$state on $event goes where the specification says, or throws', ({ state, event }) => {
    const move = moves.find(([from, on]) => from === state && on === event);
    if (move === undefined) expect(() => step(state, event)).toThrow(state);
    else expect(step(state, event)).toBe(move[2]);
  });
});

describe('what is over', () => {
  test.each(['released', 'expired', 'committed'] as const)(
    'L3: no event brings a %s reservation back',
    (state) => {
      expect(Object.values(RESERVATION_TRANSITIONS[state])).toEqual([null, null, null, null, null]);
    },
  );

  test.each(['rejected', 'failed', 'fulfilled', 'cancelled'] as const)(
    'L4: no event moves a %s order',
    (state) => {
      expect(Object.values(ORDER_TRANSITIONS[state]).every((next) => next === null)).toBe(true);
    },
  );

  test('L3: a returning hold stands in no sum that is withheld from anybody, and never becomes counted again', () => {
    expect(holdSums('returning', 5)).toEqual({ held: 0, mirrored: 5 });
    expect(Object.values<string>(HOLD_TRANSITIONS.returning)).not.toContain('counted');
  });
});

describe('the sums of a level', () => {
  test.each([
    ['counted', { held: 5, mirrored: 0 }],
    ['mirrored', { held: 0, mirrored: 5 }],
    ['returning', { held: 0, mirrored: 5 }],
    [null, { held: 0, mirrored: 0 }],
  ] as const)('L2: a %s hold stands in exactly one of them', (state, sums) => {
    expect(holdSums(state, 5)).toEqual(sums);
  });
});

describe("the shop's side", () => {
  const states = ['absent', 'creating', 'open', 'completing', 'completed', 'deleting', 'deleted'];

  test.each(Object.entries(STEPS))('knows the next step towards %s from every state', (_, row) => {
    expect(Object.keys(row).sort()).toEqual([...states].sort());
  });

  test.each(Object.entries(STEPS))(
    'L4: asks what happened before it sends anything again, wanting %s',
    (_, row) => {
      // An intent was written and its outcome is not known: only a look may follow.
      expect(row.creating).toBe('look_up');
      expect(row.completing).toBe('read_back');
      expect(row.deleting).toBe('read_back');
    },
  );

  test.each(Object.entries(STEPS))(
    'L4: never creates or completes anything after an order exists, wanting %s',
    (_, row) => {
      expect(['rest', 'read_back', 'revalidate']).toContain(row.completed);
    },
  );

  test('L4: creates only for a live reservation or an accepted order, and completes only for an accepted order', () => {
    const creating = Object.entries(STEPS).filter(([, row]) => Object.values<string>(row).includes('create'));
    const completing = Object.entries(STEPS).filter(([, row]) =>
      Object.values<string>(row).includes('complete'),
    );
    expect(creating.map(([wanted]) => wanted)).toEqual(['held', 'ordered']);
    expect(completing.map(([wanted]) => wanted)).toEqual(['ordered']);
  });

  const mirrored = { mirror: 'draft_order', stale_hash: 'revalidate' } as const;
  const accepted = { state: 'accepted', approved_by: null } as const;
  const held = { state: 'held', approved_by: null } as const;
  test.each([
    ['active', null, mirrored, 'held'],
    ['active', null, { ...mirrored, mirror: 'none' }, 'as_is'],
    ['submitted', accepted, mirrored, 'ordered'],
    ['submitted', held, mirrored, 'revalidated'],
    ['submitted', held, { ...mirrored, stale_hash: 'hold' }, 'as_is'],
    ['submitted', { ...held, approved_by: 'ada' }, { ...mirrored, stale_hash: 'hold' }, 'revalidated'],
    ['committed', { ...accepted, state: 'placed' }, mirrored, 'as_is'],
    ['released', null, mirrored, 'nothing'],
    ['released', { ...held, state: 'rejected' }, mirrored, 'nothing'],
    ['released', { ...held, state: 'failed' }, mirrored, 'nothing'],
    ['expired', null, mirrored, 'nothing'],
  ] as const)('%s with order %o under %o wants %s', (reservation, order, settings, wanted) => {
    expect(wantedAtShop(reservation, order, settings)).toBe(wanted);
  });

  test('throws for a submitted reservation whose order is over: that is a bug, not a wish', () => {
    expect(() => wantedAtShop('submitted', { ...held, state: 'rejected' }, mirrored)).toThrow('rejected');
    expect(() => wantedAtShop('submitted', null, mirrored)).toThrow('undefined');
  });
});

test('every refusal says when the same wish may succeed, and every order state says what to do next', () => {
  const retries = ['never', 'same_request', 'after_check_stock', 'later'];
  expect(Object.values(RETRY_BY_CODE).filter((retry) => !retries.includes(retry))).toEqual([]);
  expect(Object.keys(NEXT_BY_STATE).sort()).toEqual(Object.keys(ORDER_TRANSITIONS).sort());
});
