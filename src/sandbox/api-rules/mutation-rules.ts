/** What every mutation asks of its caller, before the shop's own rules decide. */

import { GraphQLError, type GraphQLResolveInfo, getDirectiveValues } from 'graphql';

/** How every mutation with `@idempotent` refuses a key that came before with something else. */
export const KEY_MISMATCH = {
  field: null,
  message: 'The same idempotency key cannot be used with different operation parameters.',
  code: 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH',
} as const;

/** Shopify: since 2026-04 these mutations must carry a key. */
export function requireIdempotencyKey(info: GraphQLResolveInfo): string {
  const key = idempotencyKey(info);
  if (key === null) {
    throw badRequest('The @idempotent directive is required for this mutation but was not provided.');
  }
  if (key.trim() === '') {
    throw badRequest('The idempotency key cannot be an empty string or whitespace only.');
  }
  return key;
}

/**
 * Shopify: the directive is "only supported on mutations that explicitly document idempotency support", and drafts,
 * orders, returns and products do not. Its real answer was never seen; ignoring the key here would hide a false sense of
 * safety.
 */
export function refuseIdempotencyKey(info: GraphQLResolveInfo): void {
  if (idempotencyKey(info) === null) return;
  throw badRequest('The @idempotent directive is not supported for this mutation.');
}

/** Refuses fields that would mean something at Shopify, but not here. */
export function requireEmulated(type: string, input: object, emulated: ReadonlySet<string>): void {
  const other = Object.keys(input).find((name) => !emulated.has(name));
  if (other !== undefined) throw badRequest(`the sandbox shop does not emulate ${type}.${other}`);
}

/** For lists that the schema gives a default: they may be there, as long as they ask for nothing. */
export function requireEmptyLists(type: string, input: object, names: readonly string[]): void {
  const values = input as Readonly<Record<string, unknown>>;
  for (const name of names) {
    const value = values[name];
    if (!Array.isArray(value) || value.length === 0) continue;
    throw badRequest(`the sandbox shop does not emulate ${type}.${name}`);
  }
}

export function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}

/** The key that the mutation carries; null when the directive is not there. */
function idempotencyKey(info: GraphQLResolveInfo): string | null {
  const directive = info.schema.getDirective('idempotent');
  const [field] = info.fieldNodes;
  if (!directive || !field) throw new Error('the schema has lost its @idempotent directive');
  const key = getDirectiveValues(directive, field, info.variableValues)?.['key'];
  return typeof key === 'string' ? key : null;
}
