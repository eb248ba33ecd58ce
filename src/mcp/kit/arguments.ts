/**
 * Arguments as real clients send them, made into what a tool asks for: frameworks add fields of their own, and models write lists
 * as text, names in another case, and "" or null for what they have nothing to say about. Nothing is guessed: only what can
 * mean one thing is taken as it, and all else is left for the tool's own checks to refuse.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ReadArguments {
  readonly args: unknown;
  /** Names of top-level fields that no tool argument has, as the caller wrote them, shortened: for the text of the answer. */
  readonly ignored: readonly string[];
}

/** Longer text is no list that a tool takes: the largest has 20 lines. */
const JSON_TEXT_MAX_CHARS = 65_536;
/** Names of fields that are told, and how much of each: they are the caller's text. */
const NAMES_MAX = 5;
const NAME_MAX_CHARS = 40;
/** A tool has ten fields at most, and no client adds as many more. A request has room for some 90,000, each of which would cost time. */
const FIELDS_MAX = 64;

/** What of the arguments the schema (that of an object) knows, in the types that it wants. */
export function readArguments(sent: unknown, schema: JsonSchema): ReadArguments {
  if (!isObject(sent)) return { args: sent, ignored: [] };
  const known = readProperties(schema);
  const byFolded = new Map(Object.keys(known).map((name) => [foldName(name), name]));
  const args: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const name of listNames(sent, known)) {
    const exact = Object.hasOwn(known, name);
    const meant = exact ? name : byFolded.get(foldName(name));
    // Said twice, the name that is spelt right counts.
    if (meant === undefined || (!exact && Object.hasOwn(sent, meant))) {
      if (ignored.length < NAMES_MAX) ignored.push(showName(name));
    } else if (exact || !Object.hasOwn(args, meant)) args[meant] = sent[name];
  }
  return { args: readFields(args, schema), ignored };
}

/** `toolCallId`, `tool_call_id` and `Tool-Call-ID` are one name. */
function foldName(name: string): string {
  return name.length > NAME_MAX_CHARS ? name : name.toLowerCase().replaceAll(/[-_]/gu, '');
}

function showName(name: string): string {
  return name.slice(0, NAME_MAX_CHARS).replaceAll(/[^\p{L}\p{N}_.$-]/gu, '?');
}

/** The fields of an object in their wanted types. An optional one that says nothing is left out; fields below the top that the schema lacks stay. */
function readFields(sent: Readonly<Record<string, unknown>>, schema: JsonSchema): unknown {
  const known = readProperties(schema);
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  const entries = listNames(sent, known)
    .map((name) => [name, sent[name]] as const)
    .filter(([name, value]) => !(isEmpty(value) && Object.hasOwn(known, name) && !required.includes(name)))
    .map(([name, value]) => [name, Object.hasOwn(known, name) ? readValue(value, known[name] ?? {}) : value]);
  return Object.fromEntries(entries);
}

/** The names of an object's fields; of one with more than any client sends, those that are known, and some of the others to be told. */
function listNames(
  sent: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, JsonSchema>>,
): readonly string[] {
  const names = Object.keys(sent);
  if (names.length <= FIELDS_MAX) return names;
  const others: string[] = [];
  for (const name of names) {
    if (others.length === NAMES_MAX) break;
    if (!Object.hasOwn(known, name)) others.push(name);
  }
  return [...Object.keys(known).filter((name) => Object.hasOwn(sent, name)), ...others];
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '';
}

function readValue(sent: unknown, schema: JsonSchema): unknown {
  const value = typeof sent === 'string' ? readText(sent, schema['type']) : sent;
  if (Array.isArray(value) && isObject(schema['items'])) {
    const { items } = schema;
    return value.map((part) => readValue(part, items as JsonSchema));
  }
  return isObject(value) && 'properties' in schema ? readFields(value, schema) : value;
}

/** Text where something else is wanted, and that is JSON of just that; any other is left as it is. */
function readText(text: string, wanted: unknown): unknown {
  if (typeof wanted !== 'string' || wanted === 'string' || text.length > JSON_TEXT_MAX_CHARS) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  return IS_OF_TYPE[wanted]?.(value) === true ? value : text;
}

const IS_OF_TYPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  array: (value) => Array.isArray(value),
  object: isObject,
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => typeof value === 'number',
  number: (value) => typeof value === 'number',
};

function readProperties(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
