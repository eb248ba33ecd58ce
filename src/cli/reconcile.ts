/** `holdfast reconcile`: compares the whole shop with the ledger, corrects the ledger, and lists what differed. */

import {
  type CatalogueDrift,
  type LevelDrift,
  missingVariants,
  type ReconcileReport,
} from '../ledger/model/drift-report.js';
import { timeText } from './ledger/ledger-command.js';
import { readShop } from './shop-command.js';
import { countText, durationText } from './terminal/format.js';
import { tableLines } from './terminal/table.js';

/** False when it could not be done; with `check` also when anything differed that should not have, or was not shown. */
export async function reconcile(options: {
  readonly json: boolean;
  readonly check: boolean;
}): Promise<boolean> {
  const done = await readShop('Comparing with the shop', (sync, signal, reading) =>
    sync.reconcile(signal, reading),
  );
  if (!done.ok) {
    if (options.json) console.log(JSON.stringify({ ok: false, code: done.code, message: done.why }, null, 2));
    else console.error(`✗ ${done.why}`);
    return false;
  }
  const { report, location_names } = done;
  if (options.json) console.log(JSON.stringify({ ok: true, ...report }, null, 2));
  else for (const line of reportLines(report, location_names)) console.log(line);
  return !options.check || (sumDrift(report) === 0 && missingVariants(report) === 0);
}

export function reportLines(report: ReconcileReport, locations: ReadonlyMap<string, string>): string[] {
  const { items_read, levels_compared, began_at_ms, ended_at_ms, in_passing_total } = report;
  const counts = `${countText(items_read)} items, ${countText(levels_compared)} stock levels, ${durationText(ended_at_ms - began_at_ms)}`;
  const missing = missingLines(report);
  if (report.is_first) {
    return [
      `✓ Read in full for the first time (${counts}): there was nothing to compare with yet.`,
      ...missing,
    ];
  }
  const passing =
    in_passing_total === 0
      ? []
      : [`  ${countText(in_passing_total)} differed because they had just changed: that is no drift.`];
  if (sumDrift(report) === 0) return [`✓ Ledger and shop agree (${counts}).`, ...passing, ...missing];
  return [
    ...levelLines(report, locations),
    ...catalogueLines(report),
    `${countText(sumDrift(report))} differed (${counts}). The ledger has the shop’s figures now.`,
    ...passing,
    ...missing,
  ];
}

/** For people: the read is confirmed only as far as the shop's own count. */
export function missingLines(report: ReconcileReport): string[] {
  const missing = missingVariants(report);
  if (missing === 0) return [];
  return [
    `! The shop counts ${countText(report.variants_counted ?? 0)} variants, and its lists showed ${countText(report.variants_read ?? 0)}, twice.`,
    '  What was not shown is not taken for deleted: nothing of it is promised until it has been read.',
  ];
}

function sumDrift({ drift_total, catalogue_drift_total }: ReconcileReport): number {
  return drift_total + catalogue_drift_total;
}

function levelLines(
  { drift, drift_total }: ReconcileReport,
  locations: ReadonlyMap<string, string>,
): string[] {
  if (drift.length === 0) return [];
  const rows = drift.map((row) => [
    row.sku,
    locations.get(row.location_id) ?? row.location_id,
    unitsText(row.ledger_units),
    unitsText(row.shop_units),
    signed(row),
    row.shop_changed_at_ms === null ? 'not told' : timeText(row.shop_changed_at_ms),
  ]);
  const head = ['SKU', 'location', 'ledger', 'shop', 'difference', 'changed at (UTC)'];
  return [
    ...tableLines(head, rows, ['left', 'left', 'right', 'right', 'right', 'left']),
    ...more(drift_total - drift.length),
    '',
  ];
}

function catalogueLines({ catalogue_drift, catalogue_drift_total }: ReconcileReport): string[] {
  if (catalogue_drift.length === 0) return [];
  const rows = catalogue_drift.map(({ sku, field, from, to }: CatalogueDrift) => [
    sku,
    field.replace('_', ' '),
    from ?? 'unknown',
    to,
  ]);
  const head = ['SKU', 'what', 'ledger', 'shop'];
  return [
    ...tableLines(head, rows, ['left', 'left', 'left', 'left']),
    ...more(catalogue_drift_total - catalogue_drift.length),
    '',
  ];
}

function more(rows: number): string[] {
  return rows > 0 ? [`… and ${countText(rows)} more; each is in the journal.`] : [];
}

function unitsText(units: number | null): string {
  return units === null ? 'none' : String(units);
}

function signed({ difference_units }: LevelDrift): string {
  return difference_units > 0 ? `+${difference_units}` : String(difference_units);
}
