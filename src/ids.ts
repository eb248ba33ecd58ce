/** Names for reservations and orders: ordered by time, so that they grow an index at its end, and unguessable. */

import { randomBytes } from 'node:crypto';
import type { Ids } from './ledger/ports.js';

/** 48 bits of time and 80 random bits, in hex: a handle is no capability, but it must not be guessable either. */
function timeOrdered(prefix: string, now: number): string {
  return `${prefix}_${now.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;
}

export const ids: Ids = {
  reservation: (now) => timeOrdered('res', now),
  order: (now) => timeOrdered('ord', now),
  salt: () => randomBytes(16).toString('hex'),
};
