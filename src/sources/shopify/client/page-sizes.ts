/**
 * How much one query may ask for. Shopify refuses a query above a maximum cost (MAX_COST_EXCEEDED) before it runs, and a
 * page's cost follows from its size and those of the lists in it. What a size costs is the shop's to say, so that sizes are
 * halved until the shop takes the query, and remembered for as long as this process runs.
 */

import type { Operation } from './documents.js';

export interface SizedVariables<Variables> {
  readonly now: Variables;
  /** The ids that do not fit into this query; null when all of them do. */
  readonly later: Variables | null;
}

type Sized = Pick<Operation<never, never>, 'name' | 'sizes'>;
type Values = Readonly<Record<string, unknown>>;

export class PageSizes {
  /** By operation, then by variable. */
  readonly #limits = new Map<string, Readonly<Record<string, number>>>();

  /** The same variables, with no size above what the shop takes. */
  cut<Variables>({ name, sizes }: Sized, variables: Variables): SizedVariables<Variables> {
    const limits = this.#limits.get(name);
    if (limits === undefined) return { now: variables, later: null };
    const now: Record<string, unknown> = { ...(variables as Values) };
    let later: Values | null = null;
    for (const size of sizes) {
      const value = now[size];
      const limit = limits[size] ?? Number.POSITIVE_INFINITY;
      if (countIn(value) <= limit) continue;
      now[size] = Array.isArray(value) ? value.slice(0, limit) : limit;
      if (Array.isArray(value)) later = { ...(variables as Values), [size]: value.slice(limit) };
    }
    return { now: now as Variables, later: later as Variables | null };
  }

  /**
   * Halves one size after the shop has refused these variables for their cost: the outermost, then the largest. False when
   * all of them are as small as can be. A size that another call has made smaller meanwhile is left as it is.
   */
  shrink({ name, sizes }: Sized, refused: unknown): boolean {
    const values = refused as Values;
    const limits = this.#limits.get(name) ?? {};
    const asked = sizes.map((size) => ({ size, count: countIn(values[size]) }));
    if (asked.some(({ size, count }) => (limits[size] ?? count) < count)) return true;
    const [outermost, ...inner] = asked.filter(({ count }) => count > 1);
    if (outermost === undefined) return false;
    const isOuter = outermost.size === sizes[0];
    const largest = [outermost, ...inner].reduce((most, one) => (one.count > most.count ? one : most));
    const { size, count } = isOuter ? outermost : largest;
    this.#limits.set(name, { ...limits, [size]: Math.floor(count / 2) });
    return true;
  }
}

interface Part {
  readonly data: unknown;
  readonly sizes: Readonly<Record<string, number>>;
}

/** Answers to parts of one list of ids, as one. The first part's time is the oldest, which is what a time stands for. */
export function joinReplies<Reply extends Part>(replies: readonly Reply[]): Reply {
  const [first, last] = [replies[0], replies.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no reply to join');
  if (replies.length === 1) return first;
  const nodes = replies.flatMap(({ data }) => (data as { readonly nodes: readonly unknown[] }).nodes);
  // Sizes only ever become smaller.
  return { ...first, data: { ...(first.data as object), nodes }, sizes: last.sizes };
}

/** The sizes among these variables, lists of ids left out. */
export function readSizes({ sizes }: Sized, variables: unknown): Readonly<Record<string, number>> {
  const entries = sizes.map((size) => [size, (variables as Values)[size]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is readonly [string, number] => typeof entry[1] === 'number'),
  );
}

function countIn(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' ? value : 0;
}
