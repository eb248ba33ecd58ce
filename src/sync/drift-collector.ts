/** Counts what a full read finds, in bounded memory: the first rows are kept, the totals are of all. */

import {
  type CatalogueDifference,
  type CatalogueDrift,
  type LevelDifference,
  type LevelDrift,
  missingVariants,
  type ReconcileReport,
} from '../ledger/model/drift-report.js';
import type { LedgerMs } from '../ledger/model/values/units.js';
import type { ReportResult } from '../ledger/stock/apply-report.js';

export interface TallyOptions {
  readonly began_at_ms: LedgerMs;
  /** The ledger was never read in full before: what differs is news, not drift. */
  readonly is_first: boolean;
  /** Rows of each kind that are kept. */
  readonly rows_max: number;
}

export class DriftTally {
  readonly #options: TallyOptions;
  readonly #drift: LevelDrift[] = [];
  readonly #catalogueDrift: CatalogueDrift[] = [];
  #items = 0;
  #variants = 0;
  #counted: number | null = null;
  #levels = 0;
  #driftTotal = 0;
  #catalogueDriftTotal = 0;
  #inPassingTotal = 0;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  get items_read(): number {
    return this.#items;
  }

  /** An item was read, with so many levels. */
  read(levels: number): void {
    this.#items += 1;
    this.#levels += levels;
  }

  /** A page of the shop's lists has been read, with items of so many variants. */
  readVariants(variants: number): void {
    this.#variants += variants;
  }

  /** The shop's own count of variants; null when it did not say. Replaces the one before. */
  counted(variants: number | null): void {
    this.#counted = variants;
  }

  /** Variants that the shop counts and its lists did not show. */
  get missing_variants(): number {
    return missingVariants({ variants_read: this.#variants, variants_counted: this.#counted });
  }

  /** The read starts anew. What it has found stays: the ledger has taken it over, and will not differ again. */
  readAgain(): void {
    this.#items = 0;
    this.#variants = 0;
    this.#levels = 0;
  }

  /** What taking a report over has found. */
  found(item_id: string, result: ReportResult): void {
    if (this.#options.is_first || !result.applied || result.found === undefined) return;
    const of = { sku: result.sku, item_id };
    for (const difference of result.found.levels) this.#level(of, difference);
    for (const difference of result.found.catalogue) this.#catalogue(of, difference);
  }

  report(ended_at_ms: LedgerMs): ReconcileReport {
    const { began_at_ms, is_first } = this.#options;
    return {
      began_at_ms,
      ended_at_ms,
      is_first,
      items_read: this.#items,
      variants_read: this.#variants,
      variants_counted: this.#counted,
      levels_compared: this.#levels,
      drift_total: this.#driftTotal,
      catalogue_drift_total: this.#catalogueDriftTotal,
      in_passing_total: this.#inPassingTotal,
      drift: this.#drift,
      catalogue_drift: this.#catalogueDrift,
    };
  }

  #level(of: { sku: string; item_id: string }, { cause, ...difference }: LevelDifference): void {
    if (cause !== 'drift') {
      this.#inPassingTotal += 1;
      return;
    }
    this.#driftTotal += 1;
    if (this.#drift.length >= this.#options.rows_max) return;
    const difference_units = (difference.shop_units ?? 0) - (difference.ledger_units ?? 0);
    this.#drift.push({ ...of, ...difference, difference_units });
  }

  #catalogue(of: { sku: string; item_id: string }, { cause, ...difference }: CatalogueDifference): void {
    if (cause !== 'drift') {
      this.#inPassingTotal += 1;
      return;
    }
    this.#catalogueDriftTotal += 1;
    if (this.#catalogueDrift.length < this.#options.rows_max)
      this.#catalogueDrift.push({ ...of, ...difference });
  }
}
