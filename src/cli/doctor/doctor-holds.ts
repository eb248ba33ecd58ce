/** The doctor's look for units that the shop keeps reserved for no reservation. Only where holds are, or were, moves. */

import { type Config, LIMITS } from '../../config/config.js';
import { findUnowned, type ReservedUnits } from '../../ledger/model/values/unowned-units.js';
import { READ_ITEMS_MAX, type ReservedSource, UpstreamError } from '../../sources/source.js';
import { hasMoves, inspectMoves } from '../../store/sqlite/inspect-moves.js';
import { type Finding, fine, skipped, warned } from './finding.js';

/** Items that are looked at: those that moved last. holdfast holds looks at all of them. */
const ITEMS_MAX = 500;
/** Levels that are named. */
const NAMED_MAX = 5;

export async function examineHolds(config: Config, source: ReservedSource): Promise<Finding> {
  if (config.mirror !== 'move' && !hasMoves(config.db))
    return skipped(
      'holds',
      'Holds are no moves of stock here: a draft order lets go by itself.',
      'not_moved',
    );
  const signal = AbortSignal.timeout(LIMITS.doctor.check_ms);
  const before = inspectMoves(config.db, ITEMS_MAX);
  if (before === null) return skipped('holds', 'skipped: there is no ledger to compare the shop with.');
  const reserved: ReservedUnits[] = [];
  try {
    for (let start = 0; start < before.item_ids.length; start += READ_ITEMS_MAX) {
      const ids = before.item_ids.slice(start, start + READ_ITEMS_MAX);
      reserved.push(...(await source.readReserved(ids, signal)));
    }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return warned(
      'holds',
      'unreadable',
      `What the shop keeps reserved could not be read (${error.failure}).`,
    );
  }
  const after = inspectMoves(config.db, ITEMS_MAX) ?? before;
  const levels = findUnowned(reserved, before.moves, after.moves);
  if (levels.length === 0) return fine('holds', 'The shop keeps nothing reserved that no reservation owns.');
  const named = levels
    .slice(0, NAMED_MAX)
    .map((level) => `${level.unowned_units} of ${level.sku} at ${level.location_name} (${level.id})`);
  const more = levels.length > named.length ? `, and at ${levels.length - named.length} more places` : '';
  return warned(
    'holds',
    'unowned_units',
    `The shop keeps units reserved that no reservation owns: ${named.join(', ')}${more}. They can’t be sold. A ledger that was restored from an older copy leaves such units behind; other apps and people reserve units, too.`,
    'holdfast holds lists them all. If nobody else needs them: holdfast holds return ID.',
  );
}
