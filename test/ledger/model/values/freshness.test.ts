import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isFresh,
  MAX_AGE_FAST_S,
  MAX_AGE_SLOW_S,
  maxAgeSeconds,
  observeSales,
  startVelocity,
  type Velocity,
} from '../../../../src/ledger/model/values/freshness.js';
import { HOUR, MINUTE, TEST_START_MS as T0 } from '../../../helpers/ledger.js';
import { runsOr } from '../../../helpers/runs.js';

/** Sold steadily for a day: so many units an hour, one report every ten minutes. */
function steady(unitsPerHour: number): Velocity {
  let velocity = startVelocity(T0);
  for (let at = T0 + 10 * MINUTE; at <= T0 + 24 * HOUR; at += 10 * MINUTE) {
    velocity = observeSales(velocity, unitsPerHour / 6, at);
  }
  return velocity;
}

describe('how old stock may be', () => {
  test('is bounded by two minutes and half an hour', () => {
    expect([MAX_AGE_FAST_S, MAX_AGE_SLOW_S]).toEqual([120, 1800]);
  });

  test('is the shortest without history, and up to the hour', () => {
    expect(maxAgeSeconds(startVelocity(T0), T0)).toBe(120);
    expect(maxAgeSeconds(startVelocity(T0), T0 + HOUR - 1)).toBe(120);
  });

  test('is the longest for what was watched for an hour and did not sell', () => {
    expect(maxAgeSeconds(startVelocity(T0), T0 + HOUR)).toBe(1800);
  });

  test.each([
    [1, 3, 1100, 1800],
    [2, 3, 1100, 1800],
    [3, 3, 900, 1500],
    [6, 3, 500, 660],
    [12, 3, 270, 320],
    [20, 3, 170, 190],
    [60, 3, 120, 120],
    [1, 24, 1100, 1800],
    [6, 24, 500, 660],
    [12, 24, 270, 320],
    [20, 1, 160, 190],
    [12, 1, 260, 330],
    [6, 1, 450, 700],
  ])(
    'item 12: of %i sales an hour, watched for %i hours, is %i to %i s on the average',
    (perHour, hours, min, max) => {
      const step = HOUR / perHour;
      const ages: number[] = [];
      let velocity = startVelocity(T0);
      for (let at = T0 + step; at <= T0 + (hours + 1) * HOUR; at += step) {
        if (at > T0 + hours * HOUR) ages.push(maxAgeSeconds(velocity, at - 1));
        velocity = observeSales(velocity, 1, at);
        if (at >= T0 + hours * HOUR) ages.push(maxAgeSeconds(velocity, at));
      }
      const mean = ages.reduce((sum, age) => sum + age, 0) / ages.length;
      expect(mean).toBeGreaterThanOrEqual(min);
      expect(mean).toBeLessThanOrEqual(max);
    },
  );

  test('item 12: is right from the first hour on, and from the first sale after it', () => {
    const watched = startVelocity(T0);
    const at = T0 + HOUR;
    expect(maxAgeSeconds(observeSales(watched, 20, at), at)).toBe(120);
    // Four units in the first hour are four an hour, and not four in six hours.
    const four = observeSales(watched, 4, at);
    expect(maxAgeSeconds(four, at + 30 * MINUTE)).toBeLessThan(1400);
    expect(maxAgeSeconds(four, at + 24 * HOUR)).toBe(1800);
  });

  test.each([
    ['12 units in two minutes', 12, 2, 120],
    ['8 units in a minute', 8, 1, 120],
    ['30 units in ten minutes', 30, 10, 120],
    ['5 units in five minutes', 5, 5, 240],
    ['1 unit', 1, 1, 900],
  ])('item 12: after a day without a sale, %s make it short at once', (_, units, minutes, max) => {
    let velocity = startVelocity(T0);
    const began = T0 + 24 * HOUR;
    for (let sold = 1; sold <= units; sold += 1)
      velocity = observeSales(velocity, 1, began + (sold * minutes * MINUTE) / units);
    const end = began + minutes * MINUTE;
    expect(maxAgeSeconds(velocity, end)).toBeLessThanOrEqual(max);
    expect(maxAgeSeconds(velocity, end + 12 * HOUR)).toBe(1800);
  });

  test('item 12: the long memory keeps what the short one has forgotten', () => {
    let velocity = startVelocity(T0);
    for (let at = T0 + 3 * MINUTE; at <= T0 + 6 * HOUR; at += 3 * MINUTE)
      velocity = observeSales(velocity, 1, at);
    // Two hours without a sale after six hours of 20 an hour.
    expect(maxAgeSeconds(velocity, T0 + 8 * HOUR)).toBeLessThan(400);
  });

  test('an average stays a number that every engine stores', () => {
    let velocity = startVelocity(T0);
    for (let index = 0; index < 10; index += 1) velocity = observeSales(velocity, 1_000_000_000, T0 + HOUR);
    expect(Number.isSafeInteger(velocity.short_micro_units_per_hour)).toBe(true);
    expect(maxAgeSeconds(velocity, T0 + HOUR)).toBe(120);
  });

  test('is the shortest for what sells by the minute', () => {
    expect(maxAgeSeconds(steady(600), T0 + 24 * HOUR)).toBe(120);
  });

  test('grows again when nothing sells any more', () => {
    const hot = steady(60);
    const ages = [24, 36, 72, 240].map((hours) => maxAgeSeconds(hot, T0 + hours * HOUR));
    expect(ages).toEqual([...ages].sort((a, b) => a - b));
    expect(ages.at(-1)).toBe(1800);
  });

  test('never grows with more sales', () => {
    const sales = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: HOUR })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(sales, fc.nat(20), fc.nat(50), (sold, where, more) => {
        let few = startVelocity(T0);
        let many = startVelocity(T0);
        let at = T0 + HOUR;
        sold.forEach(([units, pause], index) => {
          at += pause;
          few = observeSales(few, units, at);
          many = observeSales(many, units + (index === where ? more : 0), at);
        });
        expect(maxAgeSeconds(many, at)).toBeLessThanOrEqual(maxAgeSeconds(few, at));
      }),
      { numRuns: runsOr(2000) },
    );
  });

  test('L9: stays within its bounds, in whole seconds, for any figures and any clock', () => {
    const velocity = fc.record({
      micro_units_per_hour: fc.nat(Number.MAX_SAFE_INTEGER),
      short_micro_units_per_hour: fc.nat(Number.MAX_SAFE_INTEGER),
      at_ms: fc.integer({ min: T0 - 100 * HOUR, max: T0 + 100 * HOUR }),
      watched_since_ms: fc.integer({ min: T0 - 100 * HOUR, max: T0 + 100 * HOUR }),
    });
    fc.assert(
      fc.property(velocity, fc.integer({ min: -200, max: 200 }), (of, hours) => {
        const age = maxAgeSeconds(of, T0 + hours * HOUR);
        expect(Number.isInteger(age) && age >= 120 && age <= 1800).toBe(true);
      }),
      { numRuns: runsOr(2000) },
    );
  });

  test('a receipt of goods is no sale', () => {
    expect(observeSales(steady(6), -100, T0 + 24 * HOUR)).toEqual(observeSales(steady(6), 0, T0 + 24 * HOUR));
  });
});

describe('fresh', () => {
  test('ends one millisecond after the limit', () => {
    expect(isFresh(T0, 120, T0 + 120_000)).toBe(true);
    expect(isFresh(T0, 120, T0 + 120_001)).toBe(false);
  });

  test('is never what was never confirmed', () => {
    expect(isFresh(0, 120, 60_000)).toBe(false);
  });
});
