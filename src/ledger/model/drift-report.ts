/** Where the shop's figures are not those of the ledger, and the record that is kept of a full comparison. */

import type { LedgerMs } from './values/units.js';

/**
 * `drift`: a heartbeat should have seen it. `recent`: the shop changed it after the last heartbeat began, or so
 * shortly before that its search may not have shown it yet. `own_write`: a write of ours, whose report is awaited.
 */
export type DifferenceCause = 'drift' | 'recent' | 'own_write';

/** A level at which the shop's figure is not the ledger's. */
export interface LevelDifference {
  readonly location_id: string;
  /** Null: the ledger knew of no stock there. */
  readonly ledger_units: number | null;
  /** Null: the shop does not stock the item there any more. */
  readonly shop_units: number | null;
  /** In the shop's own clock; null when it does not say. */
  readonly shop_changed_at_ms: number | null;
  readonly cause: DifferenceCause;
}

/** What the catalogue says of an item now. `item`: the ledger did not know it at all. */
export interface CatalogueDifference {
  readonly field: 'item' | 'lifecycle' | 'sku' | 'title' | 'variant_title' | 'variant_id';
  readonly from: string | null;
  readonly to: string;
  readonly cause: DifferenceCause;
}

/** A level that rose or fell a lot, with no sale, receipt or write of ours to match it (specification section 5). */
export interface Jump {
  readonly location_id: string;
  readonly from_units: number;
  readonly to_units: number;
  /** What is left of the change when everything that matches is taken off. Positive. */
  readonly unexplained_units: number;
}

export interface Findings {
  readonly levels: readonly LevelDifference[];
  readonly catalogue: readonly CatalogueDifference[];
  readonly jumps: readonly Jump[];
}

/** A level whose figure a heartbeat should have brought before. */
export interface LevelDrift extends Omit<LevelDifference, 'cause'> {
  readonly sku: string;
  readonly item_id: string;
  /** The shop's figure less the ledger's. */
  readonly difference_units: number;
}

/** An item whose catalogue entry a heartbeat should have brought before: archived, deleted, taken off sale, renamed. */
export interface CatalogueDrift extends Omit<CatalogueDifference, 'cause'> {
  readonly sku: string;
  readonly item_id: string;
}

export interface ReconcileReport {
  readonly began_at_ms: LedgerMs;
  readonly ended_at_ms: LedgerMs;
  /** The ledger had never been read in full: there was nothing to compare with, and nothing here is drift. */
  readonly is_first: boolean;
  readonly items_read: number;
  /** Variants of the items that the shop's lists showed; null in records of older versions. */
  readonly variants_read: number | null;
  /** By the shop's own count, the lower of one before and one after the read; null when it did not say. */
  readonly variants_counted: number | null;
  readonly levels_compared: number;
  /** Levels that differed without a reason. The ledger has the shop's figures now. */
  readonly drift_total: number;
  readonly catalogue_drift_total: number;
  /** Differences that were on their way: changed since the last heartbeat, or by a write of ours. */
  readonly in_passing_total: number;
  /** The first of them; each is in the journal as well. */
  readonly drift: readonly LevelDrift[];
  readonly catalogue_drift: readonly CatalogueDrift[];
}

/** Variants that the shop counts and did not show. 0: the read is confirmed, as far as the shop counts at all. */
export function missingVariants({
  variants_read,
  variants_counted,
}: Pick<ReconcileReport, 'variants_read' | 'variants_counted'>): number {
  return variants_read === null || variants_counted === null
    ? 0
    : Math.max(0, variants_counted - variants_read);
}
