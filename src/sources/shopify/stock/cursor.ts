/** A moment of the shop's own clock, from which on a list of changes is read. Opaque to everybody else. */

import { UpstreamError } from '../../source.js';
import { toSeconds } from '../client/search.js';
import type { DeletionMark } from './deletions.js';

/** As `toSeconds` writes it. */
const CURSOR = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
/** A moment, and where the search for deleted products goes on: after an event, at a count of variants, or both. */
const STOCK_CURSOR = /^([^/]+)(?:\/e(\d{1,20}))?(?:\/n(\d{1,15}))?$/;

export interface StockCursor {
  readonly since_ms: number;
  readonly deletions: DeletionMark;
}

/**
 * `overlap_s` before the shop's time: the search index behind `updated_at:` lags. Throws UpstreamError `protocol` when
 * the shop did not say what time it is: our own clock must not stand in for it.
 */
export function shopCursor(shop_time_ms: number | null, overlap_s: number): string {
  if (shop_time_ms === null) throw new UpstreamError('protocol', 'an answer without a Date header');
  return toSeconds(shop_time_ms - overlap_s * 1_000);
}

/** The moment, in the shop's clock. Throws RangeError on a cursor that is not one of ours. */
export function parseCursor(cursor: string): number {
  const time_ms = CURSOR.test(cursor) ? Date.parse(cursor) : Number.NaN;
  if (Number.isNaN(time_ms)) throw new RangeError('not a cursor of this shop');
  return time_ms;
}

/** A cursor for changes of stock, as text: those of older versions are a moment alone, and still read. */
export function stockCursor(moment: string, { event_id, variants }: DeletionMark): string {
  return `${moment}${event_id === null ? '' : `/e${event_id}`}${variants === null ? '' : `/n${variants}`}`;
}

/** Throws RangeError on a cursor that is not one of ours. */
export function parseStockCursor(cursor: string): StockCursor {
  const [, moment = '', event_id, variants] = STOCK_CURSOR.exec(cursor) ?? [];
  return {
    since_ms: parseCursor(moment),
    deletions: { event_id: event_id ?? null, variants: variants === undefined ? null : Number(variants) },
  };
}
