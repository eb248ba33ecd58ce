/** What a decision on stock was made on, told to whoever measures: how old the data was, and what the checksum proved. */

import type { Item } from './stock.js';
import { MAX_AGE_FAST_S, maxAgeSeconds } from './values/freshness.js';
import type { LedgerMs } from './values/units.js';

export interface AgeSeen {
  readonly age_ms: number;
  /** `fast`: the SKU sells so fast, or is watched for so short a time, that its data may be as old as the shortest limit only. */
  readonly velocity: 'fast' | 'slow';
}

export interface DecisionSeen {
  readonly tool: 'check_stock' | 'reserve_units' | 'submit_order_with_hash';
  /** `fresh` or `stale` for a look; else the state that came of it, or `refused`. */
  readonly decision: string;
  /** Of each SKU that was decided on. */
  readonly ages: readonly AgeSeen[];
  /** Of a submit: what the checksum that it brought turned out to be. */
  readonly hash_verdict?: 'match' | 'stale' | 'unknown';
  /** Units that were asked for and not there. */
  readonly missing_units?: number;
}

/** Called after the commit. */
export type DecisionWatch = (seen: DecisionSeen) => void;

/** How old the data of each item was at that moment. */
export function readAges(items: Iterable<Item>, now: LedgerMs): AgeSeen[] {
  return [...new Set(items)].map(({ confirmed_at_ms, velocity }) => ({
    age_ms: Math.max(0, now - confirmed_at_ms),
    velocity: maxAgeSeconds(velocity, now) <= MAX_AGE_FAST_S ? 'fast' : 'slow',
  }));
}
