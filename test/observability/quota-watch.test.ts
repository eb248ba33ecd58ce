import { expect, test } from 'vitest';
import { Counters } from '../../src/observability/counters.js';
import type { Log } from '../../src/observability/log.js';
import { quotaWatch } from '../../src/observability/quota-watch.js';

test('every refusal of a quota is counted, and a loop of them is one line a minute for each limit', () => {
  const counters = new Counters();
  const lines: unknown[] = [];
  let now = 5;
  const quiet = () => {};
  const log: Log = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (event, fields) => lines.push([event, fields]),
  };
  const watch = quotaWatch({ counters, log, now: () => now, gap_ms: 60_000 });
  for (let n = 0; n < 100; n += 1) watch('share', 'greedy');
  watch('renewals', 'greedy');
  now += 60_000;
  watch('share', 'other');
  expect(lines).toEqual([
    ['quota_exceeded', { limit: 'share', principal: 'greedy', refusals: 1 }],
    ['quota_exceeded', { limit: 'renewals', principal: 'greedy', refusals: 1 }],
    ['quota_exceeded', { limit: 'share', principal: 'other', refusals: 100 }],
  ]);
  expect(counters.get('quota_refusals_total', 'share')).toBe(101);
});
