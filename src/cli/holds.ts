/**
 * `holdfast holds` lists units that the shop counts as reserved and that belong to no reservation. `holdfast holds return` makes them
 * available again; only a person can know that no other app needs them.
 */

import { userInfo } from 'node:os';
import { openHoldfast } from '../app/open-app.js';
import type { UnownedUnits } from '../ledger/model/values/unowned-units.js';
import { stderrLog } from '../observability/log.js';
import type { UnownedStock } from '../outbox/unowned-units.js';
import { UpstreamError } from '../sources/source.js';
import { hasMoves } from '../store/sqlite/inspect-moves.js';
import { machineConfig } from './ledger/machine-environment.js';
import { printVerdict } from './terminal/verdict-output.js';

/** False when the shop can't be asked, or holds are no moves here. */
export async function listUnowned({ json }: { readonly json: boolean }): Promise<boolean> {
  return withUnowned(json, async (stock, signal) => {
    const levels = await stock.list(signal);
    if (json) console.log(JSON.stringify(levels, null, 2));
    else if (levels.length === 0) console.log('The shop keeps nothing reserved that no reservation owns.');
    else for (const level of levels) console.log(levelText(level));
    return true;
  });
}

/** False when nothing was given back. */
export async function returnUnowned(
  id: string,
  { units, json }: { readonly units: number | null; readonly json: boolean },
): Promise<boolean> {
  return withUnowned(json, async (stock, signal) => {
    const returned = await stock.giveBack(id, units, userInfo().username, signal);
    if (!returned.ok) return printVerdict({ ...returned, id }, { json });
    const { level, returned_units } = returned;
    const message = `${returned_units} of ${level.sku} at ${level.location_name} can be sold again.`;
    return printVerdict({ ok: true, id, returned_units, message }, { json });
  });
}

function levelText({
  id,
  sku,
  location_name,
  reserved_units,
  owned_units,
  unowned_units,
}: UnownedUnits): string {
  return `${id}  ${sku} at ${location_name}: ${reserved_units} reserved, ${owned_units} of them ours, ${unowned_units} nobody’s here. If no other app or person keeps them: holdfast holds return ${id}`;
}

async function withUnowned(
  json: boolean,
  use: (stock: UnownedStock, signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  const config = machineConfig();
  if (config.mirror !== 'move' && !hasMoves(config.db)) return printVerdict(NO_MOVES, { json });
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave).once('SIGTERM', leave);
  const holdfast = openHoldfast(config, stderrLog(config.log_level));
  try {
    return await use(await holdfast.unowned(), leaving.signal);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const message = `The shop could not be asked (${error.failure}): ${error.detail}. holdfast doctor says more.`;
    return printVerdict({ ok: false, code: error.failure, message }, { json });
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave);
    await holdfast.stop();
  }
}

const NO_MOVES = {
  ok: false,
  code: 'no_moves',
  message:
    'There is nothing to list: units are moved at the shop only with HOLDFAST_MIRROR=move, and a draft order lets go of its units by itself.',
} as const;
