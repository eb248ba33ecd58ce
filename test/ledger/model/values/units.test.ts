import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUnits, UNITS_MAX } from '../../../../src/ledger/model/values/units.js';
import { runsOr } from '../../../helpers/runs.js';

describe('the one parser for quantities', () => {
  test.each([1, 2, 999, UNITS_MAX])('takes the whole number %s as it is', (input) => {
    expect(parseUnits(input)).toBe(input);
  });

  test.each([
    ['zero', 0],
    ['minus zero', -0],
    ['a negative', -1],
    ['a fraction', 1.5],
    ['almost one', 0.9999999999999999],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['one more than the limit', UNITS_MAX + 1],
    ['2^53', 2 ** 53],
    ['a numeric string', '2'],
    ['a bigint', 2n],
    ['true', true],
    ['null', null],
    ['undefined', undefined],
    ['an array of one', [2]],
    ['an object that is a number when asked', { valueOf: () => 2 }],
  ])('refuses %s', (_, input) => {
    expect(parseUnits(input)).toBeNull();
  });

  test('answers a whole number from 1 to the limit, or nothing, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.anything()), (input) => {
        const parsed = parseUnits(input);
        if (parsed === null) return;
        expect(Number.isSafeInteger(parsed) && parsed >= 1 && parsed <= UNITS_MAX).toBe(true);
        expect(parsed).toBe(input);
      }),
      { numRuns: runsOr(2000) },
    );
  });
});
