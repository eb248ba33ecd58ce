/** Pages of lists on the command line: newest first, each page begins after the last row of the one before it. */

export interface ListPage {
  readonly limit: number;
  /** The last row of the page before. */
  readonly beforeId: string | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null when this is the last one. */
  readonly nextBeforeId: string | null;
}

/** `read` is asked for one row more than the page has: that row tells whether there is another page. */
export async function readPage<Row>(
  { limit }: ListPage,
  idOf: (row: Row) => string,
  read: (limit: number) => Promise<readonly Row[] | null>,
): Promise<Page<Row> | null> {
  const found = await read(limit + 1);
  if (found === null) return null;
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextBeforeId: found.length > limit && last !== undefined ? idOf(last) : null };
}
