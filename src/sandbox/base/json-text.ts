/** JSON with integers of any size. Shopify's ids exceed 2^53, so they are `bigint` here and never a number. */

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type JsonObject = { readonly [key: string]: JsonValue };

/** Compact JSON, keys in the order of the object; a `bigint` becomes its exact digits. */
export function jsonText(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(jsonText).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}:${jsonText(entry)}`)
    .join(',')}}`;
}

/**
 * The parts of a payload that a subscription's `includeFields` asks for: a name keeps a top-level field whole, a dotted
 * path keeps that part of an object or of every entry of a list.
 */
export function pickFields(object: JsonObject, paths: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      if (paths.includes(key)) return [[key, value]];
      const inner = paths
        .filter((path) => path.startsWith(`${key}.`))
        .map((path) => path.slice(key.length + 1));
      return inner.length > 0 ? [[key, pickInside(value, inner)]] : [];
    }),
  );
}

function pickInside(value: JsonValue, paths: readonly string[]): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  return isList(value) ? value.map((entry) => pickInside(entry, paths)) : pickFields(value, paths);
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}
