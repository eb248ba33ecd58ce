/**
 * What may stand in the log: words, codes and ids of ours. What comes from outside (a shop's sentence, a SKU, a title) may be
 * written for whoever reads the log, and more and more often that is a model.
 */

type Fields = Readonly<Record<string, unknown>>;

/** Fields that carry such text by their nature. Whatever the log has to tell of it, it tells by a code or an id beside it. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set([
  'detail',
  'sku',
  'skus',
  'title',
  'name',
  'orders',
  'order_name',
  'delivery_id',
]);

/** Frames of a stack that are worth their place. */
const FRAMES_MAX = 12;

/** The same fields without what others have written, and errors by where they were thrown instead of by their words. */
export function sayable(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key]) => !FROM_OUTSIDE.has(key))
      .map(([key, value]) => [key, sayableValue(value)]),
  );
}

function sayableValue(value: unknown): unknown {
  if (value instanceof Error) return errorFields(value);
  if (Array.isArray(value)) return value.map(sayableValue);
  if (value === null || typeof value !== 'object') return value;
  return sayable(value as Fields);
}

/** Its message may quote what it choked on (JSON.parse does); its frames say as well which one it was. */
function errorFields(error: Error): Fields {
  const { code, failure } = error as { readonly code?: unknown; readonly failure?: unknown };
  return {
    type: error.constructor.name,
    ...(isCode(code) ? { code } : {}),
    ...(isCode(failure) ? { failure } : {}),
    at: readFrames(error),
    ...(error.cause instanceof Error ? { cause: errorFields(error.cause) } : {}),
  };
}

/** A stack begins with the message, whose lines may look like frames. Where it does not, nobody can tell them apart. */
function readFrames({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  if (start < 0) return [];
  const lines = stack.slice(start + message.length).split('\n');
  return lines
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAMES_MAX)
    .map((line) => line.trim());
}

function isCode(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w.-]{1,64}$/.test(value));
}
