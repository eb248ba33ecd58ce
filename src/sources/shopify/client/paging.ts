/** Walking a list that the shop gives in pages. */

import { UpstreamError } from '../../source.js';
import { EMPTY_PAGE_OBJECTS, OBJECTS_MAX } from './limits.js';

export interface Connection<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * Yields the pages of a list. `page(null)` is the first one; null from it means that what the list belongs to is
 * gone, and ends the walk. Throws UpstreamError `protocol` when the list has no end within `objects_max` objects: pages
 * may become smaller on the way, so that they are not what is counted.
 */
export async function* walk<Node>(
  page: (after: string | null) => Promise<Connection<Node> | null>,
  objects_max: number = OBJECTS_MAX,
): AsyncGenerator<readonly Node[]> {
  let after: string | null = null;
  for (let count = 0; count < objects_max; ) {
    const connection: Connection<Node> | null = await page(after);
    if (connection === null) return;
    yield connection.nodes;
    const { hasNextPage, endCursor } = connection.pageInfo;
    if (!hasNextPage) return;
    if (endCursor === null || endCursor === after)
      throw new UpstreamError('protocol', 'a page without a next cursor');
    after = endCursor;
    count += connection.nodes.length || EMPTY_PAGE_OBJECTS;
  }
  throw new UpstreamError('protocol', `a list of more than ${objects_max} objects`);
}

/** The first `count` objects of a list, or a few more. */
export async function takeFirst<Node>(
  count: number,
  page: (after: string | null) => Promise<Connection<Node>>,
): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for await (const some of walk(page)) {
    nodes.push(...some);
    if (nodes.length >= count) break;
  }
  return nodes;
}

/** The rest of a nested list, of which the first page is already here. */
export async function complete<Node>(
  first: Connection<Node>,
  next: (after: string) => Promise<Connection<Node> | null>,
): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for await (const page of walk<Node>(async (after) => (after === null ? first : await next(after)))) {
    nodes.push(...page);
  }
  return nodes;
}
