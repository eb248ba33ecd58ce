/** Faults that a test or a demo switches on: each hits the next requests that match it, then is used up. */

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

export const FAULT_DELAY_MAX_MS = 10 * 60 * 1000;
export const FAULT_TIMES_MAX = 1_000_000;
const FAULTS_MAX = 1_000;

/** What is wrong with a fault, in words for whoever wrote it. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

export class Faults {
  readonly #operations: ReadonlySet<string>;
  #pending: { readonly fault: Fault; left: number }[] = [];

  constructor(rootFields: readonly string[]) {
    this.#operations = new Set(['*', ...rootFields]);
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

  clear(): void {
    this.#pending = [];
  }

  /** Those that are still to come, with what is left of their `times`. */
  list(): readonly Fault[] {
    return this.#pending.map(({ fault, left }) => ({ ...fault, times: left }));
  }

  /** The oldest fault that hits a request with these root fields at this moment, used up by one. */
  take(rootFields: readonly string[], when: FaultMoment): Fault | null {
    const hit = this.#pending.find(
      ({ fault }) => fault.when === when && (fault.operation === '*' || rootFields.includes(fault.operation)),
    );
    if (!hit) return null;
    hit.left -= 1;
    this.#pending = this.#pending.filter(({ left }) => left > 0);
    return hit.fault;
  }

  #check(fault: Fault): void {
    if (this.#pending.length >= FAULTS_MAX) throw new FaultError(`there are ${FAULTS_MAX} faults already`);
    if (!this.#operations.has(fault.operation)) {
      throw new FaultError(`operation must be a root field or *, not ${JSON.stringify(fault.operation)}`);
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

function requireInteger(name: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return;
  throw new FaultError(`${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(value)}`);
}
