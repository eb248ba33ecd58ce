/**
 * Faults that a test or a demo switches on. Planned ones hit the next requests that match them, then are used up;
 * random ones hit a share of all requests until they are switched off.
 */

import type { Random } from './random.js';

/**
 * `before`: the shop has not seen the request, nothing has happened. `after`: the effect has happened, and only the
 * answer is lost or delayed. That is the case that makes clients order twice.
 */
export type FaultMoment = 'before' | 'after';

export type Fault = {
  /** A root field, for example `draftOrderComplete`, or `*` for every API request. */
  readonly operation: string;
  readonly when: FaultMoment;
  /** How many requests it hits. Default 1. */
  readonly times?: number;
} & FaultAction;

export type FaultAction =
  /** The connection is cut without an answer. */
  | { readonly action: 'drop' }
  /** An answer with that HTTP status (400 to 599); `retryAfterSeconds` becomes its Retry-After header. */
  | { readonly action: 'status'; readonly code: number; readonly retryAfterSeconds?: number }
  /** The request goes on after that many milliseconds, at most `FAULT_DELAY_MAX_MS`. */
  | { readonly action: 'delay'; readonly ms: number }
  /** Shopify's THROTTLED answer, with status 200. */
  | { readonly action: 'throttle' };

/** Shares of all requests, from 0 to 1. None by default. What comes before the effect has none. */
export interface RandomFaults {
  /** Connections that are cut before and after the effect. */
  readonly cutBefore: number;
  readonly cutAfter: number;
  /** Shopify's THROTTLED answers, and 429 with a Retry-After of two seconds. */
  readonly throttled: number;
  readonly status429: number;
  /** 503 before the effect, 502 after it. */
  readonly status503Before: number;
  readonly status502After: number;
  /** Answers that are held back, by up to `slowMs` of real time. */
  readonly slow: number;
  readonly slowMs: number;
}

export const NO_RANDOM_FAULTS: RandomFaults = {
  cutBefore: 0,
  cutAfter: 0,
  throttled: 0,
  status429: 0,
  status503Before: 0,
  status502After: 0,
  slow: 0,
  slowMs: 1_000,
};

export const FAULT_DELAY_MAX_MS = 10 * 60 * 1000;
export const FAULT_TIMES_MAX = 1_000_000;
const FAULTS_MAX = 1_000;
/** What a fault calls the fetching of a bulk operation's result; `drop` after the effect cuts it off half-way. */
export const BULK_DOWNLOAD = 'bulkDownload';

/** What is wrong with a fault, in words for whoever wrote it. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

export class Faults {
  readonly #operations: ReadonlySet<string>;
  readonly #random: Random;
  #pending: { readonly fault: Fault; left: number }[] = [];
  #shares: RandomFaults = NO_RANDOM_FAULTS;

  /** `operations` is what a planned fault may name, besides `*`. */
  constructor(operations: readonly string[], random: Random) {
    this.#operations = new Set(['*', ...operations]);
    this.#random = random;
  }

  /** Throws `FaultError` on a fault that could never hit, or whose numbers make no sense. */
  add(fault: Fault): void {
    this.#check(fault);
    this.#pending.push({ fault, left: fault.times ?? 1 });
  }

  /** As `add`, for JSON from outside. */
  addUnknown(value: unknown): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FaultError('a fault is an object: { operation, when, action, times? }');
    }
    this.add(value as Fault);
  }

  /** Shares that are left out are none. Throws `FaultError` on a share outside 0 to 1. */
  setRandom(shares: Partial<RandomFaults>): void {
    this.#shares = mergeShares(shares, NO_RANDOM_FAULTS);
  }

  get random(): RandomFaults {
    return this.#shares;
  }

  /** No more faults, planned or random. */
  clear(): void {
    this.#pending = [];
    this.#shares = NO_RANDOM_FAULTS;
  }

  /** Those that are still to come, with what is left of their `times`. */
  list(): readonly Fault[] {
    return this.#pending.map(({ fault, left }) => ({ ...fault, times: left }));
  }

  /** The oldest planned fault that hits a request with these root fields at this moment, used up by one; else chance. */
  take(rootFields: readonly string[], when: FaultMoment): Fault | null {
    const hit = this.#pending.find(
      ({ fault }) => fault.when === when && (fault.operation === '*' || rootFields.includes(fault.operation)),
    );
    if (!hit) return this.#atRandom(when);
    hit.left -= 1;
    this.#pending = this.#pending.filter(({ left }) => left > 0);
    return hit.fault;
  }

  #atRandom(when: FaultMoment): Fault | null {
    const shares = this.#shares;
    const fault = (action: FaultAction): Fault => ({ operation: '*', when, ...action });
    if (when === 'after') {
      if (this.#hits(shares.cutAfter)) return fault({ action: 'drop' });
      return this.#hits(shares.status502After) ? fault({ action: 'status', code: 502 }) : null;
    }
    if (this.#hits(shares.cutBefore)) return fault({ action: 'drop' });
    if (this.#hits(shares.throttled)) return fault({ action: 'throttle' });
    if (this.#hits(shares.status429)) return fault({ action: 'status', code: 429, retryAfterSeconds: 2 });
    if (this.#hits(shares.status503Before)) return fault({ action: 'status', code: 503 });
    if (!this.#hits(shares.slow)) return null;
    return fault({ action: 'delay', ms: Math.floor(this.#random() * shares.slowMs) });
  }

  /** Draws nothing where there is nothing to decide. */
  #hits(share: number): boolean {
    return share > 0 && this.#random() < share;
  }

  #check(fault: Fault): void {
    if (this.#pending.length >= FAULTS_MAX) throw new FaultError(`there are ${FAULTS_MAX} faults already`);
    if (!this.#operations.has(fault.operation)) {
      throw new FaultError(
        `operation must be a root field, ${BULK_DOWNLOAD} or *, not ${JSON.stringify(fault.operation)}`,
      );
    }
    if (fault.when !== 'before' && fault.when !== 'after') {
      throw new FaultError(`when must be before or after, not ${JSON.stringify(fault.when)}`);
    }
    if (fault.times !== undefined) requireInteger('times', fault.times, 1, FAULT_TIMES_MAX);
    switch (fault.action) {
      case 'drop':
      case 'throttle':
        return;
      case 'status':
        requireInteger('code', fault.code, 400, 599);
        if (fault.retryAfterSeconds !== undefined)
          requireInteger('retryAfterSeconds', fault.retryAfterSeconds, 0, 3_600);
        return;
      case 'delay':
        requireInteger('ms', fault.ms, 0, FAULT_DELAY_MAX_MS);
        return;
      default: {
        const { action } = fault as { action?: unknown };
        throw new FaultError(`action must be drop, status, delay or throttle, not ${JSON.stringify(action)}`);
      }
    }
  }
}

/**
 * The defaults with the given shares in their place. A name that ends in Ms is whole milliseconds, every other a share
 * from 0 to 1; anything else throws `FaultError`.
 */
export function mergeShares<T extends { readonly [K in keyof T]: number }>(
  given: Partial<T>,
  defaults: T,
): T {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw new FaultError(`there is no fault ${name}`);
    const isTime = name.endsWith('Ms');
    const isFine =
      typeof value === 'number' && value >= 0 && (isTime ? Number.isSafeInteger(value) : value <= 1);
    if (isFine) continue;
    const wanted = isTime ? 'whole milliseconds' : 'a share from 0 to 1';
    throw new FaultError(`${name} must be ${wanted}, not ${JSON.stringify(value)}`);
  }
  return { ...defaults, ...given };
}

function requireInteger(name: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return;
  throw new FaultError(`${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(value)}`);
}
