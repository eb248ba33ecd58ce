/** Ledger time from the machine's clocks: it follows the wall clock forwards and never steps back (L9). */

import type { Clock } from './ledger/ports.js';

export interface TimeSources {
  /** Milliseconds since the epoch; may jump either way. */
  readonly wall: () => number;
  /** Milliseconds since any start; never steps back, but may stand still while the machine sleeps. */
  readonly monotonic: () => number;
}

const MACHINE: TimeSources = { wall: Date.now, monotonic: () => performance.now() };

/**
 * When the wall clock jumps back, time goes on at the pace of the monotonic clock from where it was: it must
 * not stand still either, or stock would never seem to age. When the wall clock jumps ahead, time follows: a
 * machine that slept has really aged its data. A later time that another process has written is adopted.
 */
export function ledgerClock(sources: TimeSources = MACHINE): Clock {
  let base_ms = Math.floor(sources.wall());
  let started_ms = sources.monotonic();

  const advanceTo = (to: number): void => {
    base_ms = to;
    started_ms = sources.monotonic();
  };
  const now = (): number => {
    const paced = base_ms + Math.floor(sources.monotonic() - started_ms);
    const wall = Math.floor(sources.wall());
    if (wall > paced) advanceTo(wall);
    return Math.max(paced, wall);
  };
  return {
    now,
    observe: (writtenAt) => {
      const own = now();
      if (writtenAt <= own) return own;
      advanceTo(writtenAt);
      return writtenAt;
    },
    elapsed: () => Math.floor(sources.monotonic()),
  };
}
