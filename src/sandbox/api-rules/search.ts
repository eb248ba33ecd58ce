/**
 * Shopify's search syntax, as far as the sandbox needs it: `field:value`, `field:>=value`, quotes, `AND` (also
 * implied between terms), `OR`, `NOT` or `-`, parentheses, and `*` at the end of a text. Shopify: search syntax,
 * shopify.dev/docs/api/usage/search-syntax.
 *
 * Shopify ignores a field it does not know, and so answers with everything. Here that is refused: a typing error
 * in a filter must not look like a shop in which everything has just changed.
 */

import { numberOfGid } from '../base/gid.js';
import { parseTimeMs, visibleMs } from '../base/time.js';

/** How a field of a resource is searched. Text is compared without regard to case, times in whole seconds. */
export type Filter<T> =
  | { readonly kind: 'text'; readonly of: (entity: T) => readonly (string | null)[] }
  | { readonly kind: 'time'; readonly of: (entity: T) => number | null }
  | { readonly kind: 'id'; readonly of: (entity: T) => string };

export type Filters<T> = Readonly<Record<string, Filter<T>>>;

/** The query cannot be answered: its syntax is broken, or it asks for something that the sandbox does not emulate. */
export class SearchError extends Error {
  override readonly name = 'SearchError';
}

const QUERY_MAX_CHARACTERS = 20_000;
const NESTING_MAX_LEVELS = 20;

type Comparator = '=' | '>' | '>=' | '<' | '<=';
type Predicate<T> = (entity: T) => boolean;
type Token =
  | { readonly kind: '(' | ')' | 'AND' | 'OR' | 'NOT' }
  | {
      readonly kind: 'term';
      readonly field: string | null;
      readonly comparator: Comparator;
      readonly value: string;
    };

/** A test for the entities that the query wants; an empty query wants all. Throws `SearchError`. */
export function compileSearch<T>(query: string, filters: Filters<T>): Predicate<T> {
  if (query.length > QUERY_MAX_CHARACTERS) {
    throw new SearchError(`the query is longer than ${QUERY_MAX_CHARACTERS} characters`);
  }
  const tokens = tokenize(query);
  if (tokens.length === 0) return () => true;
  return new Parser(tokens, filters).parse();
}

const TOKEN =
  /\s+|(?<paren>[()])|(?<word>(?:AND|OR|NOT)(?=[\s(]))|(?<minus>-(?=[^\s]))|(?:(?<field>[a-z_]+):(?<comparator>>=|<=|>|<)?\s*)?(?:'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)"|(?<bare>[^\s()'"]+))/uy;

function tokenize(query: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < query.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(query)?.groups;
    if (!groups)
      throw new SearchError(`cannot read the query at character ${at + 1}: ${query.slice(at, at + 20)}`);
    const token = toToken(groups);
    if (token) tokens.push(token);
  }
  return tokens;
}

function toToken(groups: Readonly<Record<string, string | undefined>>): Token | null {
  const { paren, word, minus, field, comparator, single, double, bare } = groups;
  if (paren) return { kind: paren as '(' | ')' };
  if (word) return { kind: word as 'AND' | 'OR' | 'NOT' };
  if (minus) return { kind: 'NOT' };
  const quoted = single ?? double;
  const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/gu, '$1');
  if (value === undefined) return null;
  return { kind: 'term', field: field ?? null, comparator: (comparator ?? '=') as Comparator, value };
}

/** Recursive descent; `OR` binds weaker than `AND`. */
class Parser<T> {
  readonly #tokens: readonly Token[];
  readonly #filters: Filters<T>;
  #position = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[], filters: Filters<T>) {
    this.#tokens = tokens;
    this.#filters = filters;
  }

  parse(): Predicate<T> {
    const predicate = this.#either();
    if (this.#peek()) throw new SearchError('a closing parenthesis has no opening one');
    return predicate;
  }

  #either(): Predicate<T> {
    const alternatives = [this.#all()];
    while (this.#take('OR')) alternatives.push(this.#all());
    return (entity) => alternatives.some((matches) => matches(entity));
  }

  #all(): Predicate<T> {
    const conditions = [this.#one()];
    for (let next = this.#peek(); next && next.kind !== 'OR' && next.kind !== ')'; next = this.#peek()) {
      this.#take('AND');
      conditions.push(this.#one());
    }
    return (entity) => conditions.every((matches) => matches(entity));
  }

  #one(): Predicate<T> {
    let isNegated = false;
    while (this.#take('NOT')) isNegated = !isNegated;
    const matches = this.#take('(') ? this.#group() : this.#term();
    return isNegated ? (entity) => !matches(entity) : matches;
  }

  #group(): Predicate<T> {
    this.#nesting += 1;
    if (this.#nesting > NESTING_MAX_LEVELS) throw new SearchError('the query is nested too deeply');
    const inner = this.#either();
    if (!this.#take(')')) throw new SearchError('an opening parenthesis has no closing one');
    this.#nesting -= 1;
    return inner;
  }

  #term(): Predicate<T> {
    const token = this.#peek();
    if (token?.kind !== 'term')
      throw new SearchError(`the query wants a term ${token ? `before ${token.kind}` : 'at its end'}`);
    this.#position += 1;
    const filter = this.#filters[token.field ?? 'default'];
    if (!filter) {
      const known = Object.keys(this.#filters).filter((name) => name !== 'default');
      const wanted = token.field === null ? 'search without a field' : `the filter "${token.field}"`;
      throw new SearchError(`the sandbox shop does not emulate ${wanted} here; it knows ${known.join(', ')}`);
    }
    return compileFilter(filter, token.comparator, token.value);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  #take(kind: Token['kind']): boolean {
    if (this.#peek()?.kind !== kind) return false;
    this.#position += 1;
    return true;
  }
}

function compileFilter<T>(filter: Filter<T>, comparator: Comparator, value: string): Predicate<T> {
  if (filter.kind === 'text') return textPredicate(filter.of, comparator, value);
  if (filter.kind === 'time') {
    const wantedMs = parseTimeMs(value);
    if (wantedMs === null) throw new SearchError(`not an ISO 8601 time: ${value}`);
    return (entity) => {
      const ms = filter.of(entity);
      return ms !== null && compares(visibleMs(ms), comparator, wantedMs);
    };
  }
  const wanted = /^(?:gid:\/\/shopify\/[A-Za-z]+\/)?(?<number>\d{1,20})(?:\?.*)?$/u.exec(value)?.groups?.[
    'number'
  ];
  if (wanted === undefined) throw new SearchError(`not an id: ${value}`);
  return (entity) => compares(BigInt(numberOfGid(filter.of(entity))), comparator, BigInt(wanted));
}

function textPredicate<T>(
  of: (entity: T) => readonly (string | null)[],
  comparator: Comparator,
  value: string,
): Predicate<T> {
  if (comparator !== '=') throw new SearchError(`a text cannot be compared with ${comparator}`);
  const isPrefix = value.endsWith('*');
  const wanted = (isPrefix ? value.slice(0, -1) : value).toLowerCase();
  return (entity) =>
    of(entity).some((text) => {
      const present = text?.toLowerCase();
      return isPrefix ? present?.startsWith(wanted) : present === wanted;
    });
}

function compares<N extends number | bigint>(left: N, comparator: Comparator, right: N): boolean {
  if (comparator === '>') return left > right;
  if (comparator === '>=') return left >= right;
  if (comparator === '<') return left < right;
  if (comparator === '<=') return left <= right;
  return left === right;
}
