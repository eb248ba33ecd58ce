import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Level } from '../../../src/ledger/model/stock.js';
import { allocate } from '../../../src/ledger/reservation/allocation.js';
import { runsOr } from '../../helpers/runs.js';

/** Levels in the shop's order of preference; only what allocation looks at matters. */
function levels(count: number): Level[] {
  return Array.from(
    { length: count },
    (_, index) => ({ level_key: index + 1, location_id: `loc-${index + 1}` }) as Level,
  );
}

function taken(promisable: readonly number[], wanted: number): [string, number][] {
  const left = new Map(promisable.map((units, index) => [index + 1, units]));
  return allocate(levels(promisable.length), left, wanted).map(({ location_id, quantity }) => [
    location_id,
    quantity,
  ]);
}

describe('where units are taken', () => {
  test.each([
    ['the first location that covers all', [5, 9], 5, [['loc-1', 5]]],
    ['a later location that covers all before a split', [4, 9], 5, [['loc-2', 5]]],
    [
      'the largest first when nobody covers all',
      [2, 5, 3],
      7,
      [
        ['loc-2', 5],
        ['loc-3', 2],
      ],
    ],
    [
      "the shop's order among equals",
      [3, 3, 3],
      4,
      [
        ['loc-1', 3],
        ['loc-2', 1],
      ],
    ],
    [
      'all there is when it is less than wanted',
      [2, 0, 1],
      9,
      [
        ['loc-1', 2],
        ['loc-3', 1],
      ],
    ],
    ['nothing from nothing', [0, 0], 1, []],
  ] as const)('is %s', (_, promisable, wanted, expected) => {
    expect(taken(promisable, wanted)).toEqual(expected);
  });

  test('L1: never more than is there, never less than could be, never an empty allocation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
        (promisable, wishes) => {
          const left = new Map(promisable.map((units, index) => [index + 1, units]));
          let there = promisable.reduce((sum, units) => sum + units, 0);
          for (const wanted of wishes) {
            const allocations = allocate(levels(promisable.length), left, wanted);
            const sum = allocations.reduce((total, { quantity }) => total + quantity, 0);
            expect(sum).toBe(Math.min(wanted, there));
            expect(allocations.every(({ quantity }) => quantity > 0)).toBe(true);
            expect(new Set(allocations.map(({ location_id }) => location_id)).size).toBe(allocations.length);
            there -= sum;
          }
          expect([...left.values()].every((units) => units >= 0)).toBe(true);
        },
      ),
      { numRuns: runsOr(2000) },
    );
  });
});
