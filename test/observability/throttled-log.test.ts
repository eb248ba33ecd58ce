import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RareLog } from '../../src/observability/throttled-log.js';

const GAP_MS = 10_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a flood of one kind is a line at once and a line a while, with how many there were', () => {
  const lines: unknown[] = [];
  const rare = new RareLog({ warn: (event, fields) => void lines.push([event, fields]) }, GAP_MS);
  for (let n = 0; n < 1_000; n += 1) rare.warn('flood', { n });
  rare.warn('other');
  expect(lines).toEqual([
    ['flood', { n: 0 }],
    ['other', {}],
  ]);
  vi.advanceTimersByTime(GAP_MS);
  expect(lines.slice(2)).toEqual([['flood', { n: 999, times: 999 }]]);
  vi.advanceTimersByTime(10 * GAP_MS);
  rare.warn('flood', { n: 1_000 });
  expect(lines.slice(3)).toEqual([['flood', { n: 1_000 }]]);
});

it('what was only counted is written when the log is flushed', () => {
  const lines: unknown[] = [];
  const rare = new RareLog({ warn: (event, fields) => void lines.push([event, fields]) }, GAP_MS);
  rare.warn('flood');
  rare.warn('flood');
  rare.flush();
  rare.flush();
  expect(lines).toEqual([
    ['flood', {}],
    ['flood', { times: 1 }],
  ]);
});

it('kinds of one event do not hide one another', () => {
  const lines: unknown[] = [];
  const rare = new RareLog({ warn: (event, fields) => void lines.push([event, fields]) }, GAP_MS);
  for (let n = 0; n < 3; n += 1) rare.warn('refused', { reason: 'unknown' }, 'unknown');
  rare.warn('refused', { reason: 'expired' }, 'expired');
  vi.advanceTimersByTime(GAP_MS);
  expect(lines).toEqual([
    ['refused', { reason: 'unknown' }],
    ['refused', { reason: 'expired' }],
    ['refused', { reason: 'unknown', times: 2 }],
  ]);
});
