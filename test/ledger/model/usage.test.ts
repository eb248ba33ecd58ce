/** What a caller takes up, figure by figure: windows that slide, stretches of keeping and of rest. */

import { describe, expect, test } from 'vitest';
import {
  DAY_WINDOW,
  HOUR_WINDOW,
  type ItemUsage,
  idleAt,
  itemAfter,
  itemAfterGrant,
  NO_ITEM_USAGE,
  NO_TALLY,
  type Parting,
  type Passage,
  roomAt,
  type Slots,
  standingOf,
  sumOf,
  type Tally,
  tallyAfter,
} from '../../../src/ledger/model/usage.js';
import { HOUR, MINUTE, SECOND, TEST_START_MS } from '../../helpers/ledger.js';

const START = TEST_START_MS;
const DAY_SLOT = START / HOUR;
const HOUR_SLOT = START / HOUR_WINDOW.slot_ms;

const GRANT: Passage = {
  from: null,
  to: 'live',
  parting: null,
  is_ordered: false,
  created_at_ms: START,
  at_ms: START,
  units: new Map(),
};
const END: Passage = { ...GRANT, from: 'live', to: null, parting: 'unsold' };

describe('a reservation', () => {
  const orders = ['held', 'accepted', 'rejected', 'placed', 'failed', 'fulfilled', 'cancelled'] as const;
  const modes = ['complete', 'checkout_link'] as const;
  const reasons = ['stale', 'buyer_refused', 'order_quota'] as const;

  test('counts as live while it is active, as held while its order is, as live again until a link is paid, and then no more', () => {
    const counting: string[] = [];
    for (const state of ['active', 'submitted', 'released', 'expired', 'committed'] as const) {
      if (standingOf(state, null) !== null) counting.push(`${state} ${standingOf(state, null)}`);
      for (const order of orders) {
        for (const order_mode of modes) {
          for (const held_for of order === 'held' ? reasons : [null]) {
            const standing = standingOf(state, { state: order, order_mode, held_for });
            if (standing !== null && state !== 'active')
              counting.push(
                `${state} ${order}${held_for === null ? '' : ` ${held_for}`} ${order_mode} ${standing}`,
              );
          }
        }
      }
    }
    expect(counting).toEqual([
      'active live',
      'submitted held stale complete held',
      'submitted held buyer_refused complete waiting',
      'submitted held order_quota complete waiting',
      'submitted held stale checkout_link held',
      'submitted held buyer_refused checkout_link waiting',
      'submitted held order_quota checkout_link waiting',
      'submitted accepted complete ordered',
      'submitted accepted checkout_link live',
    ]);
  });
});

describe('a tally', () => {
  const grantedAt = (...times: number[]): Slots =>
    times.reduce((tally: Tally, at_ms) => tallyAfter(tally, { ...GRANT, at_ms }), NO_TALLY).granted;

  test('counts a grant once: not when it becomes an order, and not when it ends', () => {
    const granted = tallyAfter(NO_TALLY, GRANT);
    expect(granted).toMatchObject({ live_reservations: 1, held_orders: 0, granted: [[HOUR_SLOT, 1]] });
    const held = tallyAfter(granted, { ...GRANT, from: 'live', to: 'held' });
    expect(held).toMatchObject({ live_reservations: 0, held_orders: 1, granted: [[HOUR_SLOT, 1]] });
    const ended = tallyAfter(held, { ...END, from: 'held', parting: 'excused' });
    expect(ended).toEqual({ ...NO_TALLY, granted: [[HOUR_SLOT, 1]] });
  });

  test.each([
    ['unsold', 10 * MINUTE, 0],
    ['sold', 0, 1],
    ['excused', 0, 0],
  ] as const)('of one that ended %s has %i ms of idle time and %i sales', (parting, idle, sales) => {
    const at_ms = START + 10 * MINUTE;
    const tally = tallyAfter(tallyAfter(NO_TALLY, GRANT), { ...END, parting, at_ms });
    expect(tally.live_reservations).toBe(0);
    expect(sumOf(tally.idle, DAY_WINDOW, at_ms)).toBe(idle);
    expect(sumOf(tally.sold, DAY_WINDOW, at_ms)).toBe(sales);
    expect(tally.idle_at_ms).toBe(parting === 'unsold' ? at_ms : 0);
  });

  test('L9: takes an expiry that is tidied late at its own time, and the newest end stays the newest', () => {
    const newer = tallyAfter(NO_TALLY, { ...END, at_ms: START + 3 * HOUR });
    const tally = tallyAfter(newer, { ...END, at_ms: START + HOUR });
    expect(tally.idle).toEqual([
      [DAY_SLOT + 1, HOUR],
      [DAY_SLOT + 3, 3 * HOUR],
    ]);
    expect(tally.idle_at_ms).toBe(START + 3 * HOUR);
  });

  test.each([
    ['in order', [0, 5, 5, 10, 15]],
    ['backwards', [15, 10, 5, 5, 0]],
    ['mixed', [5, 15, 0, 10, 5]],
  ])('is the same in whatever order grants are told: %s', (_, minutes) => {
    expect(grantedAt(...minutes.map((minute) => START + minute * MINUTE))).toEqual([
      [HOUR_SLOT, 1],
      [HOUR_SLOT + 1, 2],
      [HOUR_SLOT + 2, 1],
      [HOUR_SLOT + 3, 1],
    ]);
  });

  test('keeps as many slots as its window has, the present one and no more', () => {
    const slots = grantedAt(...Array.from({ length: 40 }, (_, slot) => START + slot * HOUR_WINDOW.slot_ms));
    expect(slots).toHaveLength(HOUR_WINDOW.slots + 1);
    expect(slots[0]).toEqual([HOUR_SLOT + 39 - HOUR_WINDOW.slots, 1]);
    expect(sumOf(slots, HOUR_WINDOW, START + 39 * HOUR_WINDOW.slot_ms)).toBe(HOUR_WINDOW.slots + 1);
  });

  test('keeps them also when the newest is told first', () => {
    const at = (slot: number) => START + slot * HOUR_WINDOW.slot_ms;
    const slots = grantedAt(at(0), at(12), at(1));
    expect(slots.map(([slot]) => slot - HOUR_SLOT)).toEqual([0, 1, 12]);
    expect(grantedAt(at(0), at(13), at(2)).map(([slot]) => slot - HOUR_SLOT)).toEqual([2, 13]);
  });
});

describe('a window', () => {
  const slots: Slots = [
    [HOUR_SLOT - 13, 100],
    [HOUR_SLOT - 12, 1],
    [HOUR_SLOT - 3, 2],
    [HOUR_SLOT, 4],
  ];

  test('sums what is in it, its oldest slot included', () => {
    expect(sumOf(slots, HOUR_WINDOW, START)).toBe(7);
    expect(sumOf(slots, HOUR_WINDOW, START + HOUR_WINDOW.slot_ms)).toBe(6);
  });

  // The slot that has to leave does so when the window is past its end.
  const left = (slot: number) => (slot + HOUR_WINDOW.slots + 1) * HOUR_WINDOW.slot_ms;
  test.each([
    [8, START],
    [7, START],
    [6, left(HOUR_SLOT - 12)],
    [5, left(HOUR_SLOT - 3)],
    [4, left(HOUR_SLOT - 3)],
    [3, left(HOUR_SLOT)],
    [0, left(HOUR_SLOT)],
  ])('holds no more than %i from %i on, and more one millisecond before', (max, at) => {
    expect(roomAt(slots, HOUR_WINDOW, START, max)).toBe(at);
    expect(sumOf(slots, HOUR_WINDOW, at)).toBeLessThanOrEqual(max);
    if (at > START) expect(sumOf(slots, HOUR_WINDOW, at - 1)).toBeGreaterThan(max);
  });
});

describe('the idle time of an item', () => {
  /** Two units kept since the start, after 8 minutes of earlier keeping. */
  const keeping: ItemUsage = { ...NO_ITEM_USAGE, live_units: 2, idle_ms: 8 * MINUTE, since_ms: START };
  const resting: ItemUsage = { ...keeping, live_units: 0 };
  const later = START + 10 * MINUTE;

  test('grows while units are kept, and shrinks at a fourth of the pace while none are', () => {
    expect(idleAt(keeping, later)).toBe(18 * MINUTE);
    expect(idleAt(resting, later)).toBe(8 * MINUTE - 150 * SECOND);
    expect(idleAt(resting, START + HOUR)).toBe(0);
    expect(idleAt(keeping, START - 1)).toBe(8 * MINUTE);
  });

  test('goes on in one stretch while another reservation comes and goes', () => {
    const two = itemAfter(keeping, { ...GRANT, at_ms: later }, 3);
    expect(two).toEqual({ ...keeping, live_units: 5 });
    const one = itemAfter(two, { ...END, created_at_ms: later, at_ms: later + MINUTE }, 3);
    expect(one).toEqual({ ...keeping, unsold: [[DAY_SLOT, 3 * MINUTE]] });
  });

  test('begins anew with what is left of it after a rest', () => {
    expect(itemAfter(resting, { ...GRANT, at_ms: later }, 3)).toEqual({
      ...NO_ITEM_USAGE,
      live_units: 3,
      idle_ms: 8 * MINUTE - 150 * SECOND,
      since_ms: later,
    });
  });

  test.each([
    ['unsold', 18 * MINUTE, { unsold: [[DAY_SLOT, 2 * 10 * MINUTE]] }],
    ['excused', 8 * MINUTE, {}],
    ['sold', 0, { sold: [[DAY_SLOT, 2]] }],
  ] as const)('is, when the last unit goes %s, %i ms from then on', (parting, idle_ms, day) => {
    expect(itemAfter(keeping, { ...END, parting, at_ms: later }, 2)).toEqual({
      ...NO_ITEM_USAGE,
      idle_ms,
      since_ms: later,
      ...day,
    });
  });

  test('is over with a sale, although other units are still kept', () => {
    const sold = itemAfter(keeping, { ...END, parting: 'sold', at_ms: later }, 1);
    expect(sold).toMatchObject({ live_units: 1, held_units: 0, idle_ms: 0, since_ms: later });
  });

  test.each([
    ['held', 'held_units'],
    ['ordered', 'ordered_units'],
    ['waiting', 'live_units'],
  ] as const)('runs on while its order is %s, and is not taken off before the shop has it', (to, units) => {
    const after = itemAfter(keeping, { ...GRANT, from: 'live', to, at_ms: later }, 2);
    expect(after).toEqual({ ...keeping, live_units: 0, [units]: 2 });
    expect(idleAt(after, later + HOUR)).toBe(18 * MINUTE + HOUR);
    const over = (parting: Parting) =>
      itemAfter(after, { ...END, from: to, parting, at_ms: later + HOUR }, 2);
    expect(over('unsold')).toMatchObject({ idle_ms: 18 * MINUTE + HOUR, [units]: 0 });
    expect(over('unsold').unsold).toEqual([[DAY_SLOT + 1, 2 * (10 * MINUTE + HOUR)]]);
    expect(over('sold')).toMatchObject({ idle_ms: 0, sold: [[DAY_SLOT + 1, 2]], unsold: [] });
    expect(over('excused')).toMatchObject({ idle_ms: 8 * MINUTE, unsold: [] });
  });

  test('L9: is not taken back by an end that is older than what is known', () => {
    const late = itemAfter(keeping, { ...END, at_ms: START - MINUTE }, 2);
    expect(late).toMatchObject({ live_units: 0, idle_ms: 8 * MINUTE, since_ms: START });
  });

  test('begins with the first reservation of it', () => {
    const first = itemAfter(NO_ITEM_USAGE, GRANT, 1);
    expect(first).toEqual({ ...NO_ITEM_USAGE, live_units: 1, since_ms: START });
    expect(idleAt(first, later)).toBe(10 * MINUTE);
  });

  test('is no night in which nothing ran: units past their time are taken off later, and the stretch is new', () => {
    const night = START + 10 * HOUR;
    const seen = { ...resting, idle_ms: 15 * MINUTE, since_ms: START + 15 * MINUTE };
    const granted = itemAfterGrant(keeping, seen, { ...GRANT, at_ms: night }, 3);
    expect(granted).toEqual({ ...NO_ITEM_USAGE, live_units: 5, since_ms: night });
  });
});
