/** `holdfast sync`: reads the whole shop into the ledger now. */

import { missingLines } from './reconcile.js';
import { readShop } from './shop-command.js';
import { countText, durationText } from './terminal/format.js';
import { computeRate, RATE_AFTER_MS } from './terminal/progress.js';

/** False when it could not be done, or was left in the middle. */
export async function sync(options: { readonly json: boolean }): Promise<boolean> {
  const done = await readShop('Reading the shop', (stockSync, signal, reading) =>
    stockSync.readAll(signal, reading),
  );
  if (!done.ok) {
    if (options.json) console.log(JSON.stringify({ ok: false, code: done.code, message: done.why }, null, 2));
    else console.error(`✗ ${done.why}`);
    return false;
  }
  const { report, elapsed_ms } = done;
  const { items_read, levels_compared } = report;
  const differences = report.is_first
    ? 0
    : report.drift_total + report.catalogue_drift_total + report.in_passing_total;
  if (options.json) {
    const elapsed = Math.round(elapsed_ms);
    const { is_first, variants_read, variants_counted } = report;
    const variants = { variants_read, variants_counted };
    const counts = { items_read, ...variants, levels_read: levels_compared, differences, is_first };
    console.log(JSON.stringify({ ok: true, ...counts, elapsed_ms: elapsed }, null, 2));
    return true;
  }
  const rate =
    elapsed_ms < RATE_AFTER_MS ? '' : `, ${countText(computeRate(items_read, elapsed_ms))} items a second`;
  const speed = `${durationText(elapsed_ms)}${rate}`;
  console.log(
    `✓ ${countText(items_read)} items with ${countText(levels_compared)} stock levels read (${speed}).`,
  );
  for (const line of missingLines(report)) console.log(line);
  if (differences > 0) {
    console.log(
      `  ${countText(differences)} differed, and are as the shop has them now. holdfast reconcile lists such.`,
    );
  }
  return true;
}
