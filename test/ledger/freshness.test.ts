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
} from '../../src/ledger/freshness.js';
import { HOUR, MINUTE, TEST_START_MS as T0 } from '../helpers/ledger.js';
import { runsOr } from '../helpers/runs.js';

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

  test('is about the time in which one unit sells', () => {
    const age = maxAgeSeconds(steady(6), T0 + 24 * HOUR);
    expect(age).toBeGreaterThan(540);
    expect(age).toBeLessThan(660);
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
