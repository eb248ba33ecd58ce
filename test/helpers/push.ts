import { setImmediate as breathe } from 'node:timers/promises';
import { LIMITS } from '../../src/config/config.js';
import { Loop } from '../../src/jobs/loop.js';
import { StockFeed } from '../../src/mcp/subscriptions/change-feed.js';
import { StockHub } from '../../src/mcp/subscriptions/subscription-hub.js';
import type { TestLedger } from './ledger.js';

/** Any of them other than they are. */
export type PushLimits = { readonly [Name in keyof typeof LIMITS.push]?: number };

/** The hub as `main` makes it, on a test's ledger. */
export function hubOn(
  { store, settings }: Pick<TestLedger, 'store' | 'settings'>,
  limits: PushLimits = {},
): StockHub {
  const onError = (error: unknown): void => {
    throw error;
  };
  const push = { ...LIMITS.push, ...limits };
  return new StockHub({
    feed: new StockFeed({ store, settings, limits: push, breathe: () => breathe() }),
    limits: push,
    now: () => performance.now(),
    breathe: () => breathe(),
    startRounds: (run) => {
      const loop = new Loop({ name: 'push', interval_ms: push.round_ms, run, onError });
      loop.start();
      return loop;
    },
    onError,
  });
}
