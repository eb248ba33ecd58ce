/**
 * A log that tells of an outage of the shop twice: when it begins, and when it is over. Between the two every loop and every call
 * meets it again, so that their lines, which say nothing new, go to the level debug.
 */

import type { Log } from './log.js';

type Fields = Readonly<Record<string, unknown>>;

/** Failures that are about the shop as a whole, what the log calls them, and what to do. */
const OUTAGES = {
  unreachable: {
    event: 'shop_unreachable',
    fix: 'Orders wait and are placed later; stock grows old and is promised less. holdfast doctor says what is in the way.',
  },
  unauthorized: {
    event: 'shop_refuses_us',
    fix: 'The shop refuses the token. holdfast doctor says why, and what to do.',
  },
} as const;

type Kind = keyof typeof OUTAGES;

interface Outage {
  readonly kind: Kind;
  readonly since_ms: number;
}

export class OutageLog implements Log {
  readonly #log: Log;
  /** Milliseconds that only grow. */
  readonly #now: () => number;
  readonly #gap_ms: number;
  #outage: Outage | null = null;
  /** When one was told of last: a shop that comes and goes is not told of each time. */
  #told_at_ms = Number.NEGATIVE_INFINITY;
  #isTold = false;

  /** `gap_ms`: between the beginnings of two outages that are told of, at least. */
  constructor(log: Log, now: () => number, gap_ms: number) {
    this.#log = log;
    this.#now = now;
    this.#gap_ms = gap_ms;
  }

  debug(event: string, fields?: Fields): void {
    this.#log.debug(event, fields);
  }

  /** A call that is tried again is no outage yet. */
  info(event: string, fields?: Fields): void {
    this.#log[classifyOutage(fields) === null ? 'info' : 'debug'](event, fields);
  }

  warn(event: string, fields?: Fields): void {
    const kind = classifyOutage(fields);
    if (kind === null) this.#log.warn(event, fields);
    else {
      this.#begin(kind, fields);
      this.#log.debug(event, fields);
    }
  }

  error(event: string, fields?: Fields): void {
    this.#log.error(event, fields);
  }

  /** The shop has answered a call, and did what it was asked. */
  answered(): void {
    const outage = this.#outage;
    if (outage === null) return;
    this.#outage = null;
    if (!this.#isTold) return;
    this.#isTold = false;
    const seconds = Math.round((this.#now() - outage.since_ms) / 1_000);
    this.#log.info('shop_answers_again', { after: OUTAGES[outage.kind].event, after_seconds: seconds });
  }

  #begin(kind: Kind, fields: Fields | undefined): void {
    const now = this.#now();
    if (this.#outage?.kind !== kind) {
      this.#outage = { kind, since_ms: now };
      this.#isTold = false;
    }
    const isSoon = now - this.#told_at_ms < this.#gap_ms;
    if (this.#isTold || isSoon) return;
    this.#isTold = true;
    this.#told_at_ms = now;
    const { event, fix } = OUTAGES[kind];
    const since = new Date(Date.now() - (now - this.#outage.since_ms)).toISOString();
    const code = fields?.['code'];
    this.#log.warn(event, { since, ...(code === undefined ? {} : { code }), fix });
  }
}

/** The outage that a line is about; null for any other. */
function classifyOutage(fields: Fields | undefined): Kind | null {
  const { failure, error } = (fields ?? {}) as {
    readonly failure?: unknown;
    readonly error?: { failure?: unknown };
  };
  const kind = failure ?? error?.failure;
  return typeof kind === 'string' && Object.hasOwn(OUTAGES, kind) ? (kind as Kind) : null;
}
