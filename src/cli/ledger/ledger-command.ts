/** Opens the configured ledger for one command, without any loop, and closes it again. */

import { type Holdfast, openHoldfast } from '../../app/open-app.js';
import { stderrLog } from '../../observability/log.js';
import { shopOfLedger } from '../../store/sqlite/database/open-database.js';
import { machineConfig } from './machine-environment.js';

/** Never makes a ledger: a mistyped path is an error, not an empty shop. The shop itself is not asked. */
export async function withLedger<T>(use: (holdfast: Holdfast) => Promise<T>): Promise<T> {
  const config = machineConfig();
  const shop = { shop: shopOfLedger(config.db), credentials: { access_token: 'not used' }, origin: null };
  // Read-only is about agents. A person who releases or rejects something means it.
  // What a command does it says itself.
  const log = { ...stderrLog(config.log_level), info: () => undefined };
  const holdfast = openHoldfast({ ...config, shop, read_only: false }, log);
  try {
    return await use(holdfast);
  } finally {
    await holdfast.stop();
  }
}

export function lineText(lines: readonly { readonly sku: string; readonly quantity: number }[]): string {
  return lines.map(({ sku, quantity }) => `${quantity}×${sku}`).join(', ');
}

/** Who it is for, and where they sell. */
export function callerText(of: { readonly principal: string; readonly channel: string | null }): string {
  return of.channel === null ? of.principal : `${of.principal} (${of.channel})`;
}

export function timeText(at_ms: number): string {
  return new Date(at_ms).toISOString().replace('T', ' ').slice(0, 19);
}
