/** `holdfast verify`: proves the journal's chain and the invariants of the ledger, from the file alone. */

import { readConfig } from '../config.js';
import { verifyLedgerFile } from '../store/sqlite/verify.js';
import { machineEnvironment } from './machine-environment.js';

/** False when anything does not hold. */
export function verify(options: { readonly json: boolean }): boolean {
  const { db } = readConfig(machineEnvironment());
  const onProgress = (step: string, done: number): void => console.error(`… ${step}: ${done}`);
  const report = verifyLedgerFile(db, options.json ? {} : { onProgress });
  if (options.json) {
    console.log(JSON.stringify(report, null, 2));
    return report.ok;
  }
  const { checked, journal_entries, journal_hash, problems, problems_total } = report;
  console.log(`Ledger of ${report.shop}: ${journal_entries} journal entries, newest ${journal_hash}`);
  console.log(
    `${checked.items} items, ${checked.levels} stock levels, ${checked.holds} holds, ${checked.reservations} reservations, ${checked.orders} orders`,
  );
  for (const { invariant, detail } of problems) console.log(`✗ ${invariant}: ${detail}`);
  console.log(report.ok ? '✓ The chain is whole and everything adds up.' : `✗ ${problems_total} problems.`);
  return report.ok;
}
