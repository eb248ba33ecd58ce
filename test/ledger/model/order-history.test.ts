/** What is known of an order after one more reading, and what of it is news. */

import { describe, expect, test } from 'vitest';
import {
  type Aftermath,
  isNewer,
  merged,
  NO_AFTERMATH,
  news,
} from '../../../src/ledger/model/order-history.js';
import type { OrderObservation, ReturnObservation } from '../../../src/ledger/model/values/observation.js';
import { SECOND, TEST_START_MS } from '../../helpers/ledger.js';

const SHOP_MS = 1_000_000_000;
const READ_MS = TEST_START_MS;
const PLACED_UNITS = 3;

function reading(more: Partial<OrderObservation> = {}, current_units = PLACED_UNITS): OrderObservation {
  return {
    order_ref: '5001',
    order_name: '#1',
    updated_at_ms: SHOP_MS,
    cancelled_at_ms: null,
    fulfilment: 'unfulfilled',
    lines: [{ line_ref: 'l1', variant_id: '1', ordered_units: PLACED_UNITS, current_units }],
    refunds: [],
    returns: [],
    ...more,
  };
}

const refund = (refund_ref: string, refunded_units: number, restocked_units = 0) => ({
  refund_ref,
  at_ms: SHOP_MS,
  refunded_units,
  restocked_units,
});

const given = (
  return_ref: string,
  status: ReturnObservation['status'],
  returned_units: number,
  restocked_units = 0,
): ReturnObservation => ({ return_ref, status, returned_units, restocked_units });

/** What is known after these readings, one after the other. */
function after(...readings: readonly OrderObservation[]): Aftermath {
  return readings.reduce(
    (seen, observation) => merged(seen, observation, READ_MS, PLACED_UNITS),
    NO_AFTERMATH,
  );
}

/** What the last of these readings is told for, in a line each. */
function toldOf(...readings: readonly OrderObservation[]): string[] {
  const told = news(after(...readings.slice(0, -1)), after(...readings));
  return told.map(({ kind, data }) => [kind.replace('order.', ''), ...Object.values(data)].join(' '));
}

describe('a reading is newer', () => {
  const seen = { ...NO_AFTERMATH, updated_at_ms: SHOP_MS, read_at_ms: READ_MS };
  test.each([
    [-SECOND, -1, false],
    [-SECOND, 1, false],
    [0, -1, false],
    [0, 0, false],
    [0, 1, true],
    [SECOND, -1, true],
    [SECOND, 1, true],
  ])(
    'that the shop dates %i ms, and that began %i ms, after the one that is known: %s',
    (shop, read, newer) => {
      expect(isNewer(reading({ updated_at_ms: SHOP_MS + shop }), READ_MS + read, seen)).toBe(newer);
    },
  );
});

describe('units that are gone from an order', () => {
  test('were taken out by people, where no refund and no return accounts for them', () => {
    expect(after(reading({}, 1))).toMatchObject({ added_units: 0, removed_units: 2 });
    expect(after(reading({ refunds: [refund('f1', 1)] }, 1)).removed_units).toBe(1);
    expect(
      after(reading({ refunds: [refund('f1', 1)], returns: [given('r1', 'open', 1)] }, 1)).removed_units,
    ).toBe(0);
  });

  test.each([
    ['requested', 1],
    ['open', 0],
    ['closed', 0],
    ['declined', 1],
    ['cancelled', 1],
  ] as const)('by a return that is %s leave %i taken out by people', (status, removed) => {
    expect(after(reading({ returns: [given('r1', status, 1)] }, 2)).removed_units).toBe(removed);
  });

  test('are never fewer than none: a return that was refunded too counts twice', () => {
    const both = reading({ refunds: [refund('f1', 1)], returns: [given('r1', 'closed', 1)] }, 2);
    expect(after(both).removed_units).toBe(0);
  });

  test('because it was cancelled were not taken out by people', () => {
    expect(after(reading({ cancelled_at_ms: SHOP_MS }, 0)).removed_units).toBe(0);
  });
});

describe('what can’t be taken back', () => {
  test('is kept when a later reading lacks it, each thing at its most, and in one order', () => {
    const seen = after(
      reading({
        refunds: [refund('f3', 1, 1), refund('f1', 1)],
        returns: [given('r2', 'open', 1, 1), given('r1', 'requested', 1)],
      }),
      reading({
        refunds: [refund('f2', 2, 2), refund('f3', 1)],
        returns: [given('r2', 'closed', 1), given('r0', 'open', 1)],
      }),
    );
    expect(seen.refunds).toEqual([
      { refund_ref: 'f1', refunded_units: 1, restocked_units: 0 },
      { refund_ref: 'f2', refunded_units: 2, restocked_units: 2 },
      { refund_ref: 'f3', refunded_units: 1, restocked_units: 1 },
    ]);
    expect(seen.returns).toEqual([
      given('r0', 'open', 1),
      given('r1', 'requested', 1),
      given('r2', 'closed', 1, 1),
    ]);
  });
});

describe('news', () => {
  test('is nothing that was told before', () => {
    const all = reading({ refunds: [refund('f1', 1, 1)], returns: [given('r1', 'open', 1, 1)] }, 1);
    expect(toldOf(all, all)).toEqual([]);
  });

  test.each([
    ['units were added', [reading(), reading({ lines: line(4, 4) })], ['edited 1 0']],
    ['units were taken out', [reading(), reading({}, 2)], ['edited 0 1']],
    ['units were added and taken out', [reading(), reading({ lines: line(5, 4) })], ['edited 2 1']],
    ['more were taken out', [reading({}, 2), reading({}, 1)], ['edited 0 2']],
  ] as const)('is that %s', (_, readings, told) => {
    expect(toldOf(...readings)).toEqual(told);
  });

  test('is no edit where a cancellation took all out, of which some was out before', () => {
    expect(toldOf(reading({}, 2), reading({ cancelled_at_ms: SHOP_MS }, 0))).toEqual([]);
  });

  test('is an edit of a cancelled order that units were added to', () => {
    const cancelled = reading({ cancelled_at_ms: SHOP_MS }, 0);
    expect(toldOf(cancelled, { ...cancelled, lines: line(4, 0) })).toEqual(['edited 1 0']);
  });

  test.each([
    ['is another', given('r1', 'closed', 1), ['returned r1 closed 1']],
    ['is of more units', given('r1', 'open', 2), ['returned r1 open 2']],
    ['is the same', given('r1', 'open', 1), []],
  ] as const)('of a return is told when its state or size changes: it %s', (_, then, told) => {
    const before = reading({ returns: [given('r1', 'open', 1)] });
    expect(toldOf(before, reading({ returns: [then] }))).toEqual(told);
  });

  test('of what is back on the shelves are the units that were not told yet', () => {
    const refunded = (restocked: number) => reading({ refunds: [refund('f1', 3, restocked)] }, 0);
    expect(toldOf(refunded(1), refunded(3))).toEqual(['restocked f1 2']);
    const returned = (restocked: number) => reading({ returns: [given('r1', 'closed', 3, restocked)] }, 0);
    expect(toldOf(returned(1), returned(3))).toEqual(['restocked r1 2']);
    expect(toldOf(returned(3), returned(3))).toEqual([]);
  });

  test('of two refunds is told of each by itself', () => {
    const first = reading({ refunds: [refund('f1', 1, 1)] }, 2);
    const second = reading({ refunds: [refund('f1', 1, 1), refund('f2', 1, 1)] }, 1);
    expect(toldOf(first, second)).toEqual(['refunded f2 1', 'restocked f2 1']);
  });
});

function line(ordered_units: number, current_units: number): OrderObservation['lines'] {
  return [{ line_ref: 'l1', variant_id: '1', ordered_units, current_units }];
}
