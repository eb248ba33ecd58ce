/**
 * The memory behind `@idempotent(key:)`. Shopify: implementing idempotency, shopify.dev/docs/api/usage/
 * implementing-idempotency. Keys are kept for 24 hours from the original request; after that the same key is a new
 * operation. Shopify rebuilds replays from its current state; the sandbox returns the first result.
 */

const KEPT_MS = 24 * 60 * 60 * 1000;
/** Above this the oldest keys are forgotten early: a sandbox that runs for weeks must not grow without end. */
const KEYS_MAX = 100_000;

interface Attempt {
  readonly fingerprint: string;
  readonly startedMs: number;
  readonly result: unknown;
}

export class IdempotencyKeys {
  readonly #attempts = new Map<string, Attempt>();
  /**
   * Whether a refusal is remembered as well: the same key is then refused again. Whether Shopify does, or tries anew, is not known
   * for every refusal: tests try both.
   */
  keepsRefusals = true;

  /**
   * Runs `work` for a new key. The same key with the same mutation and input returns the first result, be it a
   * success or a refusal; with another input or mutation it returns `'mismatch'`, and nothing happens.
   */
  once<T>(key: string, mutation: string, input: unknown, nowMs: number, work: () => T): T | 'mismatch' {
    const fingerprint = `${mutation} ${JSON.stringify(input)}`;
    const first = this.#attempts.get(key);
    if (first && nowMs - first.startedMs < KEPT_MS) {
      return first.fingerprint === fingerprint ? (first.result as T) : 'mismatch';
    }
    const result = work();
    this.#attempts.delete(key);
    if (this.keepsRefusals || !isRefusal(result))
      this.#attempts.set(key, { fingerprint, startedMs: nowMs, result });
    this.#forgetOldest();
    return result;
  }

  #forgetOldest(): void {
    for (const key of this.#attempts.keys()) {
      if (this.#attempts.size <= KEYS_MAX) return;
      this.#attempts.delete(key);
    }
  }
}

function isRefusal(result: unknown): boolean {
  const { userErrors } = (result ?? {}) as { readonly userErrors?: unknown };
  return Array.isArray(userErrors) && userErrors.length > 0;
}
