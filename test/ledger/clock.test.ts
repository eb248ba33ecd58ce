import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerClock } from '../../src/app/clock.js';
import { measureAge } from '../../src/ledger/state/time.js';
import { HOUR, MINUTE, SECOND, TEST_START_MS, VirtualTime } from '../helpers/ledger.js';
import { runsOr } from '../helpers/runs.js';

const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

describe('ledger time and the shop’s clock', () => {
  /** The shop's answer, which took no time: whole seconds. */
  function hear(clock: LedgerClock, atMs: number): void {
    clock.hearShopTime(Math.floor(atMs / SECOND) * SECOND, clock.elapsed());
  }

  test('item 7: a wall clock over five minutes from the shop’s moves it no further than the shop’s time', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    hear(clock, time.wall_ms);
    time.pass(MINUTE);
    time.setWallClockBy(YEAR);
    expect(clock.now()).toBeLessThanOrEqual(TEST_START_MS + MINUTE + SECOND);
    // It goes on by its monotonic clock, also after the shop has answered again.
    hear(clock, TEST_START_MS + MINUTE);
    time.pass(10 * MINUTE);
    expect(clock.now()).toBeGreaterThanOrEqual(TEST_START_MS + 11 * MINUTE);
    expect(clock.now()).toBeLessThanOrEqual(TEST_START_MS + 11 * MINUTE + SECOND);
    expect(clock.doubtMs(clock.now())).toBe(0);
    time.setWallClockBy(-YEAR);
    time.pass(MINUTE);
    expect(clock.now()).toBeLessThanOrEqual(TEST_START_MS + 12 * MINUTE + SECOND);
  });

  test('item 7: a machine that slept follows when the shop has answered, and its stock is old until then', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    hear(clock, time.wall_ms);
    const before = clock.now();
    // The monotonic clock stood still.
    time.setWallClockBy(8 * HOUR);
    expect(clock.now()).toBeLessThan(TEST_START_MS + MINUTE);
    expect(clock.doubtMs(before)).toBeGreaterThanOrEqual(8 * HOUR - SECOND);
    // What comes after the jump is as young as it looks.
    expect(clock.doubtMs(clock.now())).toBe(0);
    expect(clock.isShopTimeKnown()).toBe(false);
    hear(clock, time.wall_ms);
    expect(clock.now()).toBe(TEST_START_MS + 8 * HOUR);
    expect(clock.doubtMs(clock.now())).toBe(0);
    expect(clock.isShopTimeKnown()).toBe(true);
  });

  /** The clock of a process on a ledger that was written last at `writtenAt`, and remembers the shop's time. */
  function restart(time: VirtualTime, before: LedgerClock): LedgerClock {
    const clock = time.clock();
    clock.observe(before.now());
    const mark = before.timeMark();
    if (mark !== null) clock.recall(mark);
    return clock;
  }

  test('L1: a copy that was put back beside a clock that went on from it: what is older than it seems is told by the first answer', () => {
    const time = new VirtualTime();
    const before = time.clock();
    hear(before, time.wall_ms);
    const confirmed = before.now();
    const clock = restart(time, before);
    time.pass(10 * SECOND);
    expect(measureAge(clock, confirmed)).toBe(10 * SECOND);
    // Everywhere else, a hundred seconds more have passed.
    hear(clock, time.wall_ms + 100 * SECOND);
    expect(measureAge(clock, confirmed)).toBeGreaterThanOrEqual(106 * SECOND);
    expect(measureAge(clock, confirmed)).toBeLessThanOrEqual(112 * SECOND);
    // Reservations expire by it, and what was sent before may have been sent by another copy of this machine.
    expect(clock.now() - confirmed).toBeGreaterThanOrEqual(106 * SECOND);
    expect(clock.mayHaveStoodStill(confirmed)).toBe(true);
    // What is read from now on is as young as it looks; and who hears the shop again learns nothing new.
    expect(clock.doubtMs(clock.now())).toBe(0);
    time.pass(10 * SECOND);
    hear(clock, time.wall_ms + 100 * SECOND);
    expect(measureAge(clock, confirmed)).toBeLessThanOrEqual(122 * SECOND);
  });

  test('L3: ledger time that is ahead of every clock goes on with the shop’s, also over a time in which no process ran', () => {
    const time = new VirtualTime();
    time.setWallClockBy(4 * HOUR);
    const before = time.clock();
    const shop = () => time.wall_ms - 4 * HOUR;
    before.now();
    hear(before, shop());
    const expires = before.now() + 30 * SECOND;
    const mark = before.timeMark();
    const written = before.now();
    time.pass(41 * SECOND);
    const shopNow = shop();
    // The clock is set another four hours ahead; and once it is set right.
    for (const by of [4 * HOUR, -4 * HOUR]) {
      time.setWallClockBy(by);
      const clock = time.clock();
      clock.observe(written, () => true);
      if (mark !== null) clock.recall(mark);
      hear(clock, shopNow);
      expect(clock.now(), `${by}`).toBeGreaterThan(expires);
      expect(clock.now(), `${by}`).toBeLessThanOrEqual(written + 43 * SECOND);
      time.setWallClockBy(-by);
    }
  });

  test('L3: a shop whose clock is far ahead of this machine’s ends no reservation: stock alone is doubted', () => {
    const time = new VirtualTime();
    const before = time.clock();
    hear(before, time.wall_ms);
    const confirmed = before.now();
    const clock = restart(time, before);
    hear(clock, time.wall_ms + HOUR);
    expect(clock.now() - confirmed).toBeLessThanOrEqual(SECOND);
    expect(measureAge(clock, confirmed)).toBeGreaterThanOrEqual(HOUR - 4 * SECOND);
  });

  test.each([
    ['after an hour', 0, 0],
    ['beside a shop whose clock is a day ahead', DAY, DAY],
    ['with a clock that was set right in between: it was behind', -40 * SECOND, 0],
  ])('a process that starts %s doubts nothing', (_, aheadBefore, aheadAfter) => {
    const time = new VirtualTime();
    const before = time.clock();
    hear(before, time.wall_ms + aheadBefore);
    const confirmed = before.now();
    const clock = restart(time, before);
    time.pass(HOUR);
    hear(clock, time.wall_ms + Math.min(aheadBefore, aheadAfter));
    expect(clock.doubtMs(confirmed)).toBe(0);
  });

  test('before the shop has answered there is nothing to remember', () => {
    expect(new VirtualTime().clock().timeMark()).toBeNull();
  });

  test('item 7: what it has followed is not doubted as well', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    hear(clock, time.wall_ms);
    time.setWallClockBy(2 * MINUTE);
    expect(clock.now()).toBe(TEST_START_MS + 2 * MINUTE);
    expect(clock.doubtMs(clock.now())).toBe(0);
  });

  test('item 7: a shop whose clock is far ahead takes it nowhere', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    hear(clock, time.wall_ms + YEAR);
    time.pass(MINUTE);
    expect(clock.now()).toBe(TEST_START_MS + MINUTE);
    expect(clock.leadMs()).toBeLessThan(-YEAR + MINUTE);
  });

  test('item 7: before the shop has answered, a wall clock over an hour ahead is not followed beside another process', () => {
    const time = new VirtualTime();
    const clock = time.clock(() => DAY);
    const isShared = (now: number) => now < TEST_START_MS + MINUTE;
    expect(clock.observe(TEST_START_MS, isShared)).toBe(TEST_START_MS);
    expect(clock.now()).toBe(TEST_START_MS);
    expect(clock.doubtMs(TEST_START_MS - 1)).toBe(DAY);
    time.pass(30 * SECOND);
    expect(clock.observe(TEST_START_MS, isShared)).toBe(TEST_START_MS + 30 * SECOND);
    // The other one is gone.
    time.pass(MINUTE);
    expect(clock.observe(TEST_START_MS, isShared)).toBe(TEST_START_MS + 90 * SECOND + DAY);
  });

  test('item 7: alone it follows the wall clock, however long nobody was there', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    expect(clock.observe(TEST_START_MS - YEAR, () => false)).toBe(TEST_START_MS);
  });

  test('item 7: a ledger that is ahead is told by how much, the same from second to second', () => {
    const time = new VirtualTime();
    const clock = time.clock();
    hear(clock, time.wall_ms);
    expect(clock.leadMs()).toBe(0);
    clock.observe(time.wall_ms + DAY);
    const lead = clock.leadMs();
    expect(Math.abs(lead - DAY)).toBeLessThan(2 * SECOND);
    for (let n = 0; n < 50; n += 1) {
      time.pass(337);
      hear(clock, time.wall_ms);
      expect(clock.leadMs()).toBe(lead);
    }
  });

  test('clocks that agree within what the Date header tells are the same', () => {
    const time = new VirtualTime();
    const clock = time.clock(() => 400);
    for (let n = 0; n < 50; n += 1) {
      time.pass(337);
      hear(clock, time.wall_ms);
      expect(clock.leadMs()).toBe(0);
    }
  });
});

describe('time that this machine has missed', () => {
  const start = (): { time: VirtualTime; clock: LedgerClock; hear: (aheadMs?: number) => void } => {
    const time = new VirtualTime();
    const clock = time.clock();
    const hear = (aheadMs = 0) => {
      clock.hearShopTime(Math.floor((time.wall_ms + aheadMs) / SECOND) * SECOND, clock.elapsed());
      time.pass(1);
    };
    hear();
    return { time, clock, hear };
  };

  test('a snapshot that is resumed without its clocks being set makes all older that was before the shop’s next answer', () => {
    const { time, clock, hear } = start();
    const before = clock.now();
    time.pass(SECOND);
    hear(2 * HOUR);
    expect(Math.abs(measureAge(clock, before) - 2 * HOUR)).toBeLessThan(5 * SECOND);
    expect(clock.mayHaveStoodStill(before)).toBe(true);
    const after = clock.now();
    time.pass(MINUTE);
    hear(2 * HOUR);
    expect(measureAge(clock, after)).toBe(MINUTE + 1);
    expect(clock.mayHaveStoodStill(after)).toBe(false);
    // What is older has missed both.
    hear(5 * HOUR);
    expect(measureAge(clock, before)).toBeGreaterThan(5 * HOUR - 5 * SECOND);
  });

  test('a machine that was suspended is in doubt until the shop answers, and nothing counts twice after', () => {
    const { time, clock, hear } = start();
    const before = clock.now();
    time.setWallClockBy(HOUR);
    expect(measureAge(clock, before)).toBeGreaterThanOrEqual(HOUR);
    expect(clock.mayHaveStoodStill(before)).toBe(true);
    hear();
    expect(Math.abs(measureAge(clock, before) - HOUR)).toBeLessThan(2 * SECOND);
    expect(clock.mayHaveStoodStill(before)).toBe(true);
    expect(clock.mayHaveStoodStill(clock.now())).toBe(false);
  });

  test('a wall clock that somebody sets makes nothing older for good', () => {
    const { time, clock, hear } = start();
    const before = clock.now();
    time.setWallClockBy(HOUR);
    hear(-HOUR);
    expect(measureAge(clock, before)).toBeLessThan(5 * SECOND);
    expect(clock.mayHaveStoodStill(before)).toBe(false);
  });

  test('answers that tell whole seconds, and a clock that is a little slow, are no gap', () => {
    const { time, clock, hear } = start();
    const before = clock.now();
    for (let n = 0; n < 2_000; n += 1) {
      time.pass(1_337);
      hear(n * 100);
    }
    expect(clock.mayHaveStoodStill(before)).toBe(false);
    expect(clock.doubtMs(before)).toBe(0);
  });

  test('many gaps are remembered in all', () => {
    const { clock, hear } = start();
    const before = clock.now();
    for (let n = 1; n <= 100; n += 1) hear(n * MINUTE);
    expect(Math.abs(measureAge(clock, before) - 100 * MINUTE)).toBeLessThan(5 * SECOND);
  });
});

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
