import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, TEST_START_MS, VirtualTime } from '../helpers/ledger.js';
import { runsOr } from '../helpers/runs.js';

describe('ledger time', () => {
  test('follows the wall clock while nobody touches it', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    time.pass(1500);
    expect(clock.now()).toBe(TEST_START_MS + 1500);
  });

  test('L9: goes on at its own pace when the wall clock is set back', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    time.pass(10_000);
    time.setWallClockBy(-HOUR);
    expect(clock.now()).toBe(TEST_START_MS + 10_000);
    time.pass(5000);
    expect(clock.now()).toBe(TEST_START_MS + 15_000);
  });

  test('L9: follows the wall clock when it is set forward, and does not go back with it', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    time.setWallClockBy(HOUR);
    expect(clock.now()).toBe(TEST_START_MS + HOUR);
    time.setWallClockBy(-HOUR);
    time.pass(1);
    expect(clock.now()).toBe(TEST_START_MS + HOUR + 1);
  });

  test('L9: adopts a later time that another process has written, and goes on from there', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    expect(clock.observe(TEST_START_MS + MINUTE)).toBe(TEST_START_MS + MINUTE);
    time.pass(10);
    expect(clock.now()).toBe(TEST_START_MS + MINUTE + 10);
  });

  test('L9: an earlier time that another process has written does not take it back', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    expect(clock.observe(TEST_START_MS - MINUTE)).toBe(TEST_START_MS);
    expect(clock.now()).toBe(TEST_START_MS);
  });

  test('answers whole milliseconds from clocks that count in fractions', () => {
    const time = new VirtualTime();
    time.wall_ms += 0.7;
    const clock = time.clock();
    time.pass(0.6);
    expect(Number.isInteger(clock.now())).toBe(true);
  });

  test('L9: never steps back and never stands still for long, whatever happens to the wall clock', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 100_000 }) }),
      fc.record({ kind: fc.constant('set' as const), ms: fc.integer({ min: -HOUR, max: HOUR }) }),
      fc.record({ kind: fc.constant('observe' as const), ms: fc.integer({ min: -HOUR, max: HOUR }) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const time = new VirtualTime();
        const clock = time.clock();
        let last = clock.now();
        for (const { kind, ms } of events) {
          if (kind === 'pass') time.pass(ms);
          if (kind === 'set') time.setWallClockBy(ms);
          if (kind === 'observe')
            expect(clock.observe(time.wall_ms + ms)).toBeGreaterThanOrEqual(time.wall_ms + ms);
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(kind === 'pass' ? last + ms : last);
          last = now;
        }
      }),
      { numRuns: runsOr(2000) },
    );
  });
});
