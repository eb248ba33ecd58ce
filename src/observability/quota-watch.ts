/** Counts what quotas refuse, and tells of it now and then: whoever asks in a loop must not fill the log instead. */

import type { Counters } from './counters.js';
import type { Log } from './log.js';

export interface QuotaWatchOptions {
  readonly counters: Counters;
  readonly log: Log;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Between two lines about one limit at least. */
  readonly gap_ms: number;
}

/** `limit` is a name of ours; `principal` that of the last one refused. */
export function quotaWatch({ counters, log, now, gap_ms }: QuotaWatchOptions) {
  const untold = new Map<string, { refusals: number; told_at_ms: number }>();
  return (limit: string, principal: string): void => {
    counters.add('quota_refusals_total', 1, limit);
    const of = untold.get(limit) ?? { refusals: 0, told_at_ms: Number.NEGATIVE_INFINITY };
    untold.set(limit, of);
    of.refusals += 1;
    if (now() - of.told_at_ms < gap_ms) return;
    log.warn('quota_exceeded', { limit, principal, refusals: of.refusals });
    of.refusals = 0;
    of.told_at_ms = now();
  };
}
