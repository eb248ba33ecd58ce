/** How a mutation says no: `field` is the path of the input that is to blame. */
export interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
}

/** As `UserError`, where Shopify's type has a code; which ones there are is in the schema. */
export interface CodedUserError extends UserError {
  readonly code: string | null;
}

/** For verbs without an answer to put an error in. Throws the first one. */
export function must(what: string, errors: readonly UserError[]): void {
  const [first] = errors;
  if (first) throw new Error(`cannot ${what}: ${first.message}`);
}

/** What must be there, after `must` has seen no errors. */
export function made<T>(result: T | null): T {
  if (result === null) throw new Error('the shop answered neither with a result nor with an error');
  return result;
}
