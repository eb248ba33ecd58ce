/**
 * The body of a webhook, with its ids as they were sent. `JSON.parse` rounds an integer above 2^53 to a neighbour,
 * which names another item; so every integer is put in quotes before it is parsed, and an id is text from then on.
 */

/** What was read of a body. Look at it through `at` and `idAt` alone: its keys come from outside. */
export type Body = Readonly<Record<string, unknown>>;

const ID = /^[0-9]{1,20}$/;
const INTEGER = /^-?[0-9]+$/;
const QUOTE = '"';
const BACKSLASH = '\\';
const NUMBER_STARTS = '-0123456789';
const NUMBER_GOES_ON = '+-.eE0123456789';

/** Null when the text is no JSON object in UTF-8. Time and memory are linear in the length; nesting costs no stack. */
export function parseBody(bytes: Buffer): Body | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Judged as it came: what is no JSON must not become JSON by being quoted.
    JSON.parse(text);
    const value: unknown = JSON.parse(quoteIntegers(text));
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** `text` must be JSON. Each integer of it becomes a string; what is inside strings, and every other number, stays. */
export function quoteIntegers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
    } else if (NUMBER_STARTS.includes(char)) {
      const end = endOfNumber(text, at);
      const number = text.slice(at, end);
      if (INTEGER.test(number)) {
        parts.push(text.slice(copied, at), QUOTE, number, QUOTE);
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

/** The value at a path of own keys; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined),
    value,
  );
}

/** An id at a path: a number of at most 20 digits, or the same as text. Null for everything else. */
export function idAt(value: unknown, ...path: readonly string[]): string | null {
  const id = at(value, ...path);
  return typeof id === 'string' && ID.test(id) ? id : null;
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Behind the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== QUOTE) at += text.charAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && NUMBER_GOES_ON.includes(text.charAt(at))) at += 1;
  return at;
}
