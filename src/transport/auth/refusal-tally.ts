/** Counts who was turned away and why, and logs it without letting a stranger fill the log. */

import type { Counters } from '../../observability/counters.js';
import type { Log } from '../../observability/log.js';
import type { Reason } from './challenge.js';

export interface RefusalTallyOptions {
  readonly counters: Counters;
  readonly log: Pick<Log, 'warn'>;
  readonly now: () => number;
  /** Lines about one reason are so far apart at least. */
  readonly log_every_ms: number;
}

export class RefusalTally {
  readonly #options: RefusalTallyOptions;
  readonly #lines = new Map<Reason, { readonly at_ms: number; unsaid: number }>();

  constructor(options: RefusalTallyOptions) {
    this.#options = options;
  }

  /** Of the request nothing is kept but the reason. */
  add(reason: Reason): void {
    const { counters, log, now, log_every_ms } = this.#options;
    counters.add('auth_refusals_total', 1, reason);
    const at_ms = now();
    const last = this.#lines.get(reason);
    // A wall clock that was set back counts as time gone by: else a line could wait for years.
    if (last !== undefined && at_ms >= last.at_ms && at_ms < last.at_ms + log_every_ms) {
      last.unsaid += 1;
      return;
    }
    this.#lines.set(reason, { at_ms, unsaid: 0 });
    log.warn('auth_refused', { reason, requests: (last?.unsaid ?? 0) + 1 });
  }
}
