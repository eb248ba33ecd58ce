/**
 * Pages of a list, as Relay and Shopify have them. A cursor holds the sort value and the id of its entry, so a page
 * goes on at the right place even when entries were added, removed or changed in between.
 */

import { GraphQLError } from 'graphql';
import { numberOfGid } from '../base/gid.js';
import { compileSearch, type Filters, SearchError } from './search.js';

/** Shopify: at most 250 entries a page. */
export const PAGE_MAX_ENTRIES = 250;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly reverse?: boolean | null;
  readonly query?: string | null;
  readonly sortKey?: string | null;
}

export interface Connection<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly nodes: readonly T[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

type SortValue = string | number;

/** What a kind of list can be filtered and sorted by. Ties are broken by id, and so is a list without a sort key. */
export interface Listing<T> {
  readonly filters: Filters<T>;
  readonly sorts: Readonly<Record<string, (entity: T) => SortValue>>;
}

interface Place {
  readonly value: SortValue | null;
  readonly number: bigint;
}

/** One page. Refuses a page without `first` or `last`, above 250, and filters or sort keys that are not emulated. */
export function paginate<T extends { readonly id: string }>(
  entities: Iterable<T>,
  args: PageArguments,
  listing: Listing<T>,
): Connection<T> {
  const size = pageSize(args);
  const placeOf = placing(args.sortKey ?? 'ID', listing.sorts);
  const direction = args.reverse ? -1 : 1;
  const order = (left: Place, right: Place) => direction * comparePlaces(left, right);
  const entries = [...entities]
    .filter(compileQuery(args.query ?? '', listing.filters))
    .map((node) => ({ node, place: placeOf(node) }))
    .sort((left, right) => order(left.place, right.place));

  const after = args.after ? parseCursor(args.after) : null;
  const before = args.before ? parseCursor(args.before) : null;
  const start = after ? countWhile(entries, ({ place }) => order(place, after) <= 0) : 0;
  const end = before ? countWhile(entries, ({ place }) => order(place, before) < 0) : entries.length;
  const from = size.end === 'first' ? start : Math.max(start, end - size.count);
  const to = size.end === 'first' ? Math.min(end, start + size.count) : end;
  const edges = entries.slice(from, to).map(({ node, place }) => ({ node, cursor: formatCursor(place) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: to < entries.length,
      hasPreviousPage: from > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/**
 * As `paginate`, for entities that are in the order of their numbers already, lowest first: without a sort key it
 * looks at no more of them than the page needs. `isShown` leaves out what a caller is not to see.
 */
export function paginateOrdered<T extends { readonly id: string }>(
  entities: readonly T[],
  args: PageArguments,
  listing: Listing<T>,
  isShown: (entity: T) => boolean = () => true,
): Connection<T> {
  if (args.sortKey != null && args.sortKey !== 'ID') {
    return paginate(entities.filter(isShown), args, listing);
  }
  const size = pageSize(args);
  const matches = compileQuery(args.query ?? '', listing.filters);
  const isWanted = (index: number) => {
    const entity = entities[index];
    return entity !== undefined && isShown(entity) && matches(entity);
  };
  const [low, high] = findBounds(entities, args);
  const isUpward = (size.end === 'first') !== (args.reverse ?? false);
  const step = isUpward ? 1 : -1;
  const found: number[] = [];
  let index = isUpward ? low : high - 1;
  for (; found.length < size.count && index >= low && index < high; index += step) {
    if (isWanted(index)) found.push(index);
  }
  const isMore = isAny(isWanted, index, step, entities.length);
  const isLess = isAny(isWanted, (isUpward ? low : high - 1) - step, -step, entities.length);
  const ordered = size.end === 'first' ? found : found.reverse();
  const edges = ordered.flatMap((position) => {
    const node = entities[position];
    if (!node) return [];
    return [{ node, cursor: formatCursor({ value: null, number: BigInt(numberOfGid(node.id)) }) }];
  });
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: size.end === 'first' ? isMore : isLess,
      hasPreviousPage: size.end === 'first' ? isLess : isMore,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** From and up to which index the cursors let a page reach. */
function findBounds(
  entities: readonly { readonly id: string }[],
  { after, before, reverse }: PageArguments,
): readonly [number, number] {
  const [above, below] = reverse ? [before, after] : [after, before];
  const low = above ? indexAbove(entities, parseCursor(above).number) : 0;
  const high = below ? indexAbove(entities, parseCursor(below).number - 1n) : entities.length;
  return [low, high];
}

/** The index of the first entity whose number is higher. */
function indexAbove(entities: readonly { readonly id: string }[], number: bigint): number {
  let low = 0;
  let high = entities.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (BigInt(numberOfGid(entities[middle]?.id ?? '')) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isAny(isWanted: (index: number) => boolean, from: number, step: number, length: number): boolean {
  for (let index = from; index >= 0 && index < length; index += step) if (isWanted(index)) return true;
  return false;
}

function pageSize({ first, last }: PageArguments): {
  readonly end: 'first' | 'last';
  readonly count: number;
} {
  const end = typeof first === 'number' ? 'first' : 'last';
  const count = first ?? last;
  if (typeof count !== 'number') throw badRequest('you must provide one of first or last');
  if (typeof first === 'number' && typeof last === 'number') {
    throw badRequest('providing both first and last is not supported');
  }
  if (count < 0 || count > PAGE_MAX_ENTRIES) {
    throw badRequest(`${end} must be between 0 and ${PAGE_MAX_ENTRIES}, not ${count}`);
  }
  return { end, count };
}

function compileQuery<T>(query: string, filters: Filters<T>): (entity: T) => boolean {
  try {
    return compileSearch(query, filters);
  } catch (error) {
    if (error instanceof SearchError) throw badRequest(error.message);
    throw error;
  }
}

function placing<T extends { readonly id: string }>(
  sortKey: string,
  sorts: Listing<T>['sorts'],
): (entity: T) => Place {
  const sortValue = sorts[sortKey];
  if (!sortValue && sortKey !== 'ID') {
    const known = ['ID', ...Object.keys(sorts)].join(', ');
    throw badRequest(`the sandbox shop does not emulate the sort key ${sortKey} here; it knows ${known}`);
  }
  return (entity) => ({ value: sortValue?.(entity) ?? null, number: BigInt(numberOfGid(entity.id)) });
}

function comparePlaces(left: Place, right: Place): number {
  if (left.value !== right.value && left.value !== null && right.value !== null) {
    return left.value < right.value ? -1 : 1;
  }
  if (left.number === right.number) return 0;
  return left.number < right.number ? -1 : 1;
}

/** Entries are sorted, so what holds for the first ones only holds up to one point. */
function countWhile<T>(entries: readonly T[], holds: (entry: T) => boolean): number {
  const index = entries.findIndex((entry) => !holds(entry));
  return index === -1 ? entries.length : index;
}

function formatCursor({ value, number }: Place): string {
  return Buffer.from(JSON.stringify({ last_id: String(number), last_value: value })).toString('base64');
}

function parseCursor(cursor: string): Place {
  try {
    const { last_id, last_value } = JSON.parse(Buffer.from(cursor, 'base64').toString('utf8'));
    if (!['string', 'number'].includes(typeof last_value) && last_value !== null)
      throw new Error('bad value');
    return { value: last_value, number: BigInt(last_id) };
  } catch {
    throw badRequest(`invalid cursor: ${cursor}`);
  }
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}
