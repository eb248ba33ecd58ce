import { expect, it } from 'vitest';
import { TokenBuckets } from '../../../src/http/middleware/rate-limit.js';

function buckets(per_minute: number, buckets_max = 10) {
  const clock = { ms: 0 };
  return { clock, pace: new TokenBuckets({ per_minute, buckets_max }, () => clock.ms) };
}

it('a minute’s worth may come at once; then there is a wait, which is true to the second', () => {
  const { clock, pace } = buckets(6);
  expect(Array.from({ length: 7 }, () => pace.take('a'))).toEqual([0, 0, 0, 0, 0, 0, 10]);
  clock.ms = 9_999;
  expect(pace.take('a')).toBe(1);
  clock.ms = 10_000;
  expect([pace.take('a'), pace.take('a')]).toEqual([0, 10]);
});

it('nobody saves up more than a minute’s worth', () => {
  const { clock, pace } = buckets(2);
  clock.ms = 3_600_000;
  expect([pace.take('a'), pace.take('a'), pace.take('a')]).toEqual([0, 0, 30]);
});

it('each has a bucket of their own, and several tokens are taken together or not at all', () => {
  const { pace } = buckets(3);
  expect([pace.take('a', 2), pace.take('a', 2), pace.take('a'), pace.take('b', 3)]).toEqual([0, 20, 0, 0]);
});

it('what costs more than a full bucket, with what was paid for it before, can be paid by whoever waits', () => {
  const { clock, pace } = buckets(3);
  const pay = () => [pace.take('a', 1), pace.take('a', 9, 1)];
  expect(pay()).toEqual([0, 0]);
  expect(pace.take('a')).toBe(20);
  clock.ms = 60_000;
  expect(pay()).toEqual([0, 0]);
  const { pace: narrow } = buckets(1);
  expect([narrow.take('a', 1), narrow.take('a', 9, 1)]).toEqual([0, 0]);
});

it('looking takes nothing', () => {
  const { pace } = buckets(1);
  expect([pace.wait('a'), pace.wait('a'), pace.take('a'), pace.wait('a')]).toEqual([0, 0, 0, 60]);
  const { pace: wide } = buckets(6);
  expect([wide.take('a', 4), wide.wait('a', 2), wide.wait('a', 3)]).toEqual([0, 0, 10]);
});

it('no more buckets are kept than the limit; who was not heard of for longest is forgotten', () => {
  const { pace } = buckets(1, 2);
  for (const key of ['a', 'b', 'a', 'c']) pace.take(key);
  expect(pace.size).toBe(2);
  expect([pace.wait('a'), pace.wait('b')]).toEqual([60, 0]);
});
