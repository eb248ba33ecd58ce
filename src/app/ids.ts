/** Names for reservations and orders: ordered by time, so that they grow an index at its end, and unguessable. */

import { randomBytes } from 'node:crypto';
import type { Ids } from '../ledger/state/state.js';

/** Asking the system for randomness costs more than the randomness: fetched ahead, and each byte used once. */
const AHEAD_BYTES = 4096;

/** A source of names with random bytes of its own, so that two ledgers in one process share none. */
export function makeIds(): Ids {
  let ahead = Buffer.alloc(0);
  let used = 0;

  const randomHex = (bytes: number): string => {
    if (used + bytes > ahead.length) {
      ahead = randomBytes(AHEAD_BYTES);
      used = 0;
    }
    used += bytes;
    return ahead.toString('hex', used - bytes, used);
  };
  /** 48 bits of time and 80 random bits, in hex: a handle is no capability, but it must not be guessable either. */
  const timeOrdered = (prefix: string, now: number): string =>
    `${prefix}_${now.toString(16).padStart(12, '0')}${randomHex(10)}`;

  return {
    reservation: (now) => timeOrdered('res', now),
    order: (now) => timeOrdered('ord', now),
    salt: () => randomHex(16),
  };
}
