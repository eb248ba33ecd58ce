/** What has happened to stock since a place in the ledger's life: who follows it need not look at what stayed. */

import type { ChangeCursor, StockChanges } from '../../ledger/state/state.js';
import { unpackLines } from './rows/packed-lines.js';
import type { Statements } from './rows/statements.js';
import type { HeadRow } from './session.js';

/** In the read transaction of the caller, that saw `version` before it began. */
export function changesSince(
  sql: Statements,
  now: number,
  version: string,
  since: ChangeCursor | null,
  limit: number,
): StockChanges {
  if (since !== null && since.version === version) {
    const ended = endedKeys(sql, since, now, limit);
    return {
      cursor: { ...since, looked_at_ms: now },
      ...touched(sql, new Set(ended), new Set()),
      is_everything: ended.length > limit,
      is_confirmed: false,
      is_written: false,
    };
  }
  const [, written_at_ms, seq, , , confirmed_at_ms] = sql.head.get() as HeadRow;
  const locations = JSON.stringify(sql.locations.all());
  const cursor: ChangeCursor = {
    version,
    seq,
    written_at_ms,
    looked_at_ms: now,
    confirmed_at_ms,
    locations,
  };
  if (since === null || seq - since.seq > limit || locations !== since.locations) {
    const is_everything = since !== null;
    return { cursor, skus: NONE, item_keys: NONE, is_everything, is_confirmed: false, is_written: true };
  }
  const tail = sql.journal_tail.all(since.seq, limit) as TailRow[];
  const marked = sql.items_marked_since.all(since.written_at_ms, limit + 1) as MarkedRow[];
  const ended = endedKeys(sql, since, now, limit);
  const reservations = new Set([...ended, ...tail.flatMap((row) => row.reservation_key ?? [])]);
  const items = new Set([...tail, ...marked].flatMap((row) => row.item_key ?? []));
  return {
    cursor,
    ...touched(sql, reservations, items),
    is_everything: marked.length > limit || ended.length > limit,
    is_confirmed: confirmed_at_ms > since.confirmed_at_ms,
    is_written: true,
  };
}

interface TailRow {
  readonly reservation_key: number | null;
  readonly item_key: number | null;
}

interface MarkedRow {
  readonly item_key: number;
}

const NONE: ReadonlySet<never> = new Set<never>();

/** Whose time ran out since: no row tells, and the sweeper may come later. */
function endedKeys(sql: Statements, since: ChangeCursor, now: number, limit: number): number[] {
  const rows = sql.reservations_ended.all(since.looked_at_ms, now, limit + 1) as {
    reservation_key: number;
  }[];
  return rows.map((row) => row.reservation_key);
}

/** By today's SKU and by row: an item may have been renamed since somebody asked for it. */
function touched(
  sql: Statements,
  reservations: ReadonlySet<number>,
  items: ReadonlySet<number>,
): Pick<StockChanges, 'skus' | 'item_keys'> {
  const skus = new Set<string>();
  const item_keys = new Set(items);
  for (const key of reservations) {
    const { lines } = sql.lines_of.get(key) as { lines: string };
    for (const line of unpackLines(lines, '')) skus.add(line.sku);
    for (const row of sql.items_held_by.all(key) as { item_key: number }[]) item_keys.add(row.item_key);
  }
  for (const key of item_keys) {
    const row = sql.sku_of_item.get(key) as { sku: string } | undefined;
    if (row !== undefined) skus.add(row.sku);
  }
  return { skus, item_keys };
}
