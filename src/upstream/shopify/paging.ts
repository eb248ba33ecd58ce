/** Walking a list that the shop gives in pages. */

import { UpstreamError } from '../upstream.js';
import { PAGES_MAX } from './limits.js';

export interface Connection<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * Yields the pages of a list. `page(null)` is the first one; null from it means that what the list belongs to is
 * gone, and ends the walk. Throws UpstreamError `protocol` when the list has no end within `pages_max` pages.
 */
export async function* walk<Node>(
  page: (after: string | null) => Promise<Connection<Node> | null>,
  pages_max: number = PAGES_MAX,
): AsyncGenerator<readonly Node[]> {
  let after: string | null = null;
  for (let count = 0; count < pages_max; count += 1) {
    const connection: Connection<Node> | null = await page(after);
    if (connection === null) return;
    yield connection.nodes;
    const { hasNextPage, endCursor } = connection.pageInfo;
    if (!hasNextPage) return;
    if (endCursor === null || endCursor === after)
      throw new UpstreamError('protocol', 'a page without a next cursor');
    after = endCursor;
  }
  throw new UpstreamError('protocol', `a list of more than ${pages_max} pages`);
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
