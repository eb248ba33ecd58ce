import { describe, expect, test } from 'vitest';
import {
  HOLD_TRANSITIONS,
  type Hold,
  holdSums,
  isUnplaced,
  nextHoldState,
} from '../../src/ledger/model/hold.js';
import { nextOrderState, ORDER_TRANSITIONS } from '../../src/ledger/model/order.js';
import { protocolOf, STEPS, stepTowards, wantedAtShop } from '../../src/ledger/model/outbox-row.js';
import { nextReservationState, RESERVATION_TRANSITIONS } from '../../src/ledger/model/reservation.js';
import { RETRY_BY_CODE } from '../../src/ledger/model/values/refusal.js';
import { NEXT_BY_STATE } from '../../src/ledger/order/order-next.js';

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
  ['accepted', 'hold', 'held'],
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
    expect(holdSums({ state: 'returning', place: 'seen', quantity_units: 5 })).toEqual({
      held: 0,
      mirrored: 5,
      doubted: 0,
    });
    expect(Object.values<string>(HOLD_TRANSITIONS.returning)).not.toContain('counted');
  });
});

describe('the sums of a level', () => {
  test.each([
    ['counted', 'promised', { held: 5, mirrored: 0, doubted: 0 }],
    ['counted', 'missed', { held: 5, mirrored: 0, doubted: 0 }],
    ['mirrored', 'guessed', { held: 0, mirrored: 5, doubted: 0 }],
    ['mirrored', 'doubted', { held: 0, mirrored: 5, doubted: 5 }],
    ['returning', 'seen', { held: 0, mirrored: 5, doubted: 0 }],
  ] as const)(
    'L2: a %s hold, its place %s, stands in exactly one of held and mirrored',
    (state, place, sums) => {
      expect(holdSums({ state, place, quantity_units: 5 })).toEqual(sums);
    },
  );

  test.each([
    ['for that long', {}, true],
    ['for less', { awaits_after_ms: 101 }, false],
    ['by a move, which takes units where they were promised', { mirror_until_ms: null }, false],
    ['and it is sold', { awaits: 'settle' }, false],
    ['and a report has shown it', { awaits: null, awaits_after_ms: null }, false],
  ] as const)('a hold is unplaced when the shop has it %s', (_, change, expected) => {
    const opened: Hold = {
      reservation_key: 1,
      level_key: 1,
      quantity_units: 5,
      state: 'counted',
      place: 'missed',
      awaits: 'mirror',
      awaits_after_ms: 100,
      mirror_until_ms: 9_000,
    };
    expect(isUnplaced({ ...opened, ...change }, 300, 200)).toBe(expected);
  });

  test('L2: no hold stands in none', () => {
    expect(holdSums(null)).toEqual({ held: 0, mirrored: 0, doubted: 0 });
  });
});

/** The tables once more, by hand: a row is what is wanted, and its steps stand in the order of these states. */
const SHOP_STATES = ['absent', 'creating', 'open', 'completing', 'completed', 'deleting', 'deleted'] as const;
const BY_HAND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  draft_order: {
    held: 'create look_up rest read_back rest read_back rest',
    revalidated: 'revalidate look_up revalidate read_back revalidate read_back revalidate',
    ordered: 'create look_up complete read_back read_back read_back create',
    nothing: 'rest look_up delete read_back rest read_back rest',
    as_is: 'rest look_up rest read_back rest read_back rest',
    routed: 'rest look_up rest read_back route read_back rest',
    offered: 'create look_up offer read_back read_back read_back create',
    awaited: 'give_up look_up rest read_back read_back read_back give_up',
    withdrawn: 'give_up look_up delete read_back read_back read_back give_up',
  },
  move: {
    held: 'take resend rest find rest resend rest',
    revalidated: 'revalidate resend revalidate find revalidate resend revalidate',
    ordered: 'place resend give_back find find resend place',
    nothing: 'rest resend give_back find rest resend rest',
    as_is: 'rest resend rest find rest resend rest',
    routed: 'rest resend rest find route resend rest',
  },
};
const ROWS = Object.entries(STEPS).flatMap(([protocol, table]) =>
  Object.entries(table).map(([wanted, row]) => ({ protocol, wanted, row: row as Record<string, string> })),
);

describe("the shop's side", () => {
  test('has a row for everything that a protocol can bring about, and no other', () => {
    const written = Object.entries(BY_HAND).flatMap(([protocol, table]) =>
      Object.keys(table).map((wanted) => `${protocol} ${wanted}`),
    );
    expect(ROWS.map(({ protocol, wanted }) => `${protocol} ${wanted}`)).toEqual(written);
  });

  test.each(ROWS)(
    '$protocol knows the next step towards $wanted from every state',
    ({ protocol, wanted, row }) => {
      expect(SHOP_STATES.map((state) => row[state]).join(' ')).toBe(BY_HAND[protocol]?.[wanted]);
      expect(Object.keys(row)).toHaveLength(SHOP_STATES.length);
    },
  );

  test.each(ROWS)(
    'L4: $protocol asks what happened, or says the very same again, before anything else, wanting $wanted',
    ({ protocol, row }) => {
      // An intent was written and its outcome is not known. Only a move has a key that makes saying it again harmless.
      const isMove = protocol === 'move';
      expect(row['creating']).toBe(isMove ? 'resend' : 'look_up');
      expect(row['completing']).toBe(isMove ? 'find' : 'read_back');
      expect(row['deleting']).toBe(isMove ? 'resend' : 'read_back');
    },
  );

  test.each(ROWS)(
    'L4: $protocol never creates or completes anything after an order exists, wanting $wanted',
    ({ row }) => {
      expect(['rest', 'read_back', 'find', 'revalidate', 'route']).toContain(row['completed']);
    },
  );

  test('L4: only a live reservation takes units, only an accepted order is made, and only by its own protocol', () => {
    const wanting = (...steps: string[]) =>
      ROWS.filter(({ row }) => Object.values(row).some((step) => steps.includes(step))).map(
        ({ protocol, wanted }) => `${protocol} ${wanted}`,
      );
    expect(wanting('create', 'take')).toEqual([
      'draft_order held',
      'draft_order ordered',
      'draft_order offered',
      'move held',
    ]);
    expect(wanting('complete', 'place')).toEqual(['draft_order ordered', 'move ordered']);
  });

  test('nobody can pay for units that were moved: that is a bug, not a wish', () => {
    for (const wanted of ['offered', 'awaited', 'withdrawn'] as const) {
      expect(() => stepTowards(wanted, 'open', 'move')).toThrow(wanted);
    }
  });

  test.each([
    [null, 'draft_order', 'draft_order'],
    [null, 'none', 'draft_order'],
    [null, 'move', 'move'],
    ['move', 'draft_order', 'move'],
    ['move', 'none', 'move'],
    ['draft_order', 'move', 'draft_order'],
  ] as const)('a row begun as %s under the setting %s goes on as %s', (protocol, mirror, expected) => {
    expect(protocolOf({ outbox: { protocol }, order: null }, mirror)).toBe(expected);
  });

  test('an order that its buyer pays at the shop is a draft, whatever the merchant sets while it is held', () => {
    expect(protocolOf({ outbox: { protocol: null }, order: { order_mode: 'checkout_link' } }, 'move')).toBe(
      'draft_order',
    );
  });

  const NOW = 1_000;
  const mirrored = { mirror: 'draft_order', stale_hash: 'revalidate', route_fulfillment: 'shop' } as const;
  const routing = { ...mirrored, route_fulfillment: 'promised' } as const;
  const route = { state: 'wanted', promised: [], moves: [], why: null } as const;
  const accepted = {
    state: 'accepted',
    approved_by: null,
    order_mode: 'complete',
    pay_until_ms: null,
    held_for: null,
    route: null,
  } as const;
  const paying = { ...accepted, order_mode: 'checkout_link' } as const;
  const held = { ...accepted, state: 'held', held_for: 'stale' } as const;
  test.each([
    ['active', null, mirrored, 'held'],
    ['active', null, { ...mirrored, mirror: 'move' }, 'held'],
    ['active', null, { ...mirrored, mirror: 'none' }, 'as_is'],
    ['submitted', accepted, mirrored, 'ordered'],
    ['submitted', paying, mirrored, 'offered'],
    ['submitted', { ...paying, pay_until_ms: NOW + 1 }, mirrored, 'awaited'],
    ['submitted', { ...paying, pay_until_ms: NOW }, mirrored, 'withdrawn'],
    ['submitted', held, mirrored, 'revalidated'],
    ['submitted', held, { ...mirrored, stale_hash: 'hold' }, 'as_is'],
    ['submitted', { ...held, approved_by: 'ada' }, { ...mirrored, stale_hash: 'hold' }, 'revalidated'],
    ['submitted', { ...held, held_for: 'buyer_refused' }, mirrored, 'as_is'],
    ['submitted', { ...held, held_for: 'order_quota' }, mirrored, 'as_is'],
    ['submitted', { ...held, held_for: 'buyer_refused', approved_by: 'ada' }, mirrored, 'as_is'],
    ['committed', { ...accepted, state: 'placed' }, mirrored, 'as_is'],
    ['committed', { ...accepted, state: 'placed' }, routing, 'as_is'],
    ['committed', { ...accepted, state: 'placed', route }, routing, 'routed'],
    ['committed', { ...accepted, state: 'placed', route: { ...route, state: 'moving' } }, routing, 'routed'],
    ['committed', { ...accepted, state: 'placed', route: { ...route, state: 'moved' } }, routing, 'as_is'],
    ['committed', { ...accepted, state: 'placed', route }, mirrored, 'as_is'],
    ['committed', { ...accepted, state: 'placed', route: { ...route, state: 'moving' } }, mirrored, 'routed'],
    ['submitted', { ...accepted, route }, routing, 'ordered'],
    ['released', null, mirrored, 'nothing'],
    ['released', { ...held, state: 'rejected' }, mirrored, 'nothing'],
    ['released', { ...paying, state: 'failed', pay_until_ms: NOW }, mirrored, 'nothing'],
    ['expired', null, mirrored, 'nothing'],
  ] as const)('%s with order %o under %o wants %s', (reservation, order, settings, wanted) => {
    expect(wantedAtShop(reservation, order, settings, NOW)).toBe(wanted);
  });

  test('throws for a submitted reservation whose order is over: that is a bug, not a wish', () => {
    expect(() => wantedAtShop('submitted', { ...held, state: 'rejected' }, mirrored, NOW)).toThrow(
      'rejected',
    );
    expect(() => wantedAtShop('submitted', null, mirrored, NOW)).toThrow('undefined');
  });
});

test('every refusal says when the same wish may succeed, and every order state says what to do next', () => {
  const retries = ['never', 'changed_request', 'same_request', 'after_check_stock', 'later'];
  expect(Object.values(RETRY_BY_CODE).filter((retry) => !retries.includes(retry))).toEqual([]);
  expect(Object.keys(NEXT_BY_STATE).sort()).toEqual(Object.keys(ORDER_TRANSITIONS).sort());
});
