/**
 * How a stock report differs from what the ledger had. A difference that a heartbeat should have brought before is
 * drift; one that is only on its way is not. And a change that nothing known explains is a jump.
 */

import type {
  CatalogueDifference,
  Findings,
  Jump,
  LevelDifference,
  ReconcileReport,
} from '../model/drift-report.js';
import type { Hold } from '../model/hold.js';
import type { Item, Level } from '../model/stock.js';
import { MAX_AGE_SLOW_S } from '../model/values/freshness.js';
import type { LedgerMs } from '../model/values/units.js';
import { findRouted, routedUnderWay } from '../state/routed-units.js';
import type {
  Decision,
  ItemPut,
  LedgerSettings,
  LedgerState,
  LevelPut,
  UnitsUnderWay,
} from '../state/state.js';

/** A level after a report: the figures taken over, and whether they are this report's own. */
interface MergedLevel {
  readonly put: LevelPut;
  readonly level: Level | undefined;
  readonly is_news: boolean;
}

export interface Comparison {
  readonly state: LedgerState;
  readonly before: Item | undefined;
  readonly after: Pick<ItemPut, 'item_id' | 'sku' | 'title' | 'variant_title' | 'lifecycle' | 'variant_id'>;
  readonly levels: readonly MergedLevel[];
  /** Locations that the report lists; a level that is news and not among them does not exist any more. */
  readonly listed: ReadonlySet<string>;
  readonly read_at_ms: LedgerMs;
  readonly settings: LedgerSettings;
}

/** Null when the report says what the ledger had: the usual case, a hundred thousand times in a full read. */
export function findingsOf(comparison: Comparison): Findings | null {
  const { before } = comparison;
  if (before === undefined) return { levels: [], catalogue: [unknownItem(comparison)], jumps: [] };
  const { after, listed } = comparison;
  // Of an item that is gone, that is the news; not each of its levels once more.
  const isGone = after.lifecycle === 'discontinued' && listed.size === 0;
  const levels = isGone
    ? []
    : comparison.levels.flatMap((merged) => levelDifference(merged, comparison) ?? []);
  const catalogue = catalogueDifferences(before, after);
  if (levels.length === 0 && catalogue.length === 0) return null;
  const jumps = comparison.levels.flatMap((merged) => jumpOf(merged, before, comparison) ?? []);
  return { levels, catalogue, jumps };
}

/** Puts the report on record, with its totals in the journal. */
export function decideReconciled(report: ReconcileReport): Decision<void> {
  const { drift, catalogue_drift, ...totals } = report;
  return {
    result: undefined,
    changes: { reconciliation: report, journal: [{ kind: 'stock.reconciled', data: { ...totals } }] },
  };
}

function levelDifference(merged: MergedLevel, comparison: Comparison): LevelDifference | null {
  const { put, level, is_news } = merged;
  if (!is_news) return null;
  const { state, listed, settings } = comparison;
  const wasStocked = level !== undefined && (level.sellable_here || level.upstream_available_units !== 0);
  const ledger_units = wasStocked ? level.upstream_available_units : null;
  const is_listed = listed.has(put.location_id);
  const shop_units = is_listed ? put.upstream_available_units : null;
  const difference = (shop_units ?? 0) - (ledger_units ?? 0);
  if (difference === 0) return null;
  const shop_changed_at_ms = is_listed ? put.upstream_updated_at_ms : null;
  const is_ours = level !== undefined && unexplained(difference, ownWrites(level, comparison)) === 0;
  const cause = is_ours ? 'own_write' : isRecent(shop_changed_at_ms, state, settings) ? 'recent' : 'drift';
  return { location_id: put.location_id, ledger_units, shop_units, shop_changed_at_ms, cause };
}

function isRecent(
  changedAt: number | null,
  { sync, lead_ms }: LedgerState,
  settings: LedgerSettings,
): boolean {
  return changedAt !== null && changedAt + lead_ms >= sync.confirmed_at_ms - settings.drift_slack_ms;
}

/** New at the shop, or never seen: told apart by when its stock last moved. */
function unknownItem({ state, after, levels, settings }: Comparison): CatalogueDifference {
  const hasMoved = levels.some(({ put }) => isRecent(put.upstream_updated_at_ms, state, settings));
  return { field: 'item', from: null, to: after.sku, cause: hasMoved ? 'recent' : 'drift' };
}

const CATALOGUE_FIELDS = ['lifecycle', 'sku', 'title', 'variant_title', 'variant_id'] as const;

/** The shop gives no time of a change of these that could be trusted, and a heartbeat has just been there: drift. */
function catalogueDifferences(before: Item, after: Comparison['after']): CatalogueDifference[] {
  return CATALOGUE_FIELDS.filter((field) => before[field] !== after[field]).map((field) => ({
    field,
    from: before[field],
    to: after[field],
    cause: 'drift',
  }));
}

/** By how much our own writes may have moved the shop's figure since the ledger's: from `low` (negative) to `high`. */
interface Range {
  readonly low: number;
  readonly high: number;
}

function ownWrites(level: Level, { state, after, levels, read_at_ms, settings }: Comparison): Range {
  const holds = levels.flatMap(({ level: other }) =>
    other === undefined ? [] : unclearAt(other.level_key, other === level, { state, read_at_ms, settings }),
  );
  const routed = routedUnderWay(findRouted(state, after.item_id), [], level.level_key);
  const taken = [...holds, ...routed.map(({ units }) => units)];
  return {
    low: -taken.reduce((sum, units) => sum + Math.max(0, units), 0),
    high: taken.reduce((sum, units) => sum + Math.max(0, -units), 0),
  };
}

/** A draft's units may be at any level of the item, those of a move only where they were moved. */
function unclearAt(
  levelKey: number,
  isOwn: boolean,
  { state, read_at_ms, settings }: Pick<Comparison, 'state' | 'read_at_ms' | 'settings'>,
): number[] {
  const holds = (state.awaiting.get(levelKey) ?? []).flatMap((hold): UnitsUnderWay[] => {
    const is_exact = hold.mirror_until_ms === null;
    if (hold.state === 'counted') return [{ units: hold.quantity_units, is_exact }];
    return mayBeBack(hold, read_at_ms, settings) ? [{ units: -hold.quantity_units, is_exact }] : [];
  });
  return [...(state.under_way.get(levelKey) ?? []), ...holds]
    .filter(({ is_exact }) => isOwn || !is_exact)
    .map(({ units }) => units);
}

/** Units that the shop's figure left out and may have again: let go of by us, or by the shop itself as their time ran out. */
function mayBeBack(hold: Hold, readAt: LedgerMs, settings: LedgerSettings): boolean {
  if (hold.state === 'returning') return true;
  return hold.mirror_until_ms !== null && hold.mirror_until_ms - settings.mirror_margin_ms <= readAt;
}

/** The part of a change that lies outside of what is explained. Never negative. */
function unexplained(change: number, { low, high }: Range): number {
  return Math.max(0, low - change, change - high);
}

/**
 * Matched by what moves together at the shop: committed units with a sale or a cancellation, units on hand with a
 * receipt. A figure that nobody has watched for a while does not jump, it has moved on; and units that leave without an
 * order (a till, a count, a loss, a wrong import) all look alike, so a lot of them at once is told.
 */
function jumpOf(merged: MergedLevel, before: Item, comparison: Comparison): Jump | null {
  const { put, level } = merged;
  const { state, listed, settings } = comparison;
  const isWatched = state.now_ms - before.confirmed_at_ms <= MAX_AGE_SLOW_S * 1000;
  if (level === undefined || !isWatched || !level.sellable_here || !listed.has(put.location_id)) return null;
  const from_units = level.upstream_available_units;
  const to_units = put.upstream_available_units;
  const change = to_units - from_units;
  const left = unexplained(change, ownWrites(level, comparison)) - matchedUnits(level, put, change);
  const isLarge =
    left >= settings.jump_min_units && left * 100 > settings.jump_share_percent * Math.max(0, from_units);
  return isLarge ? { location_id: put.location_id, from_units, to_units, unexplained_units: left } : null;
}

/** 0 when the shop does not tell what is committed and on hand. */
function matchedUnits(level: Level, put: LevelPut, change: number): number {
  const committed = delta(level.upstream_committed_units, put.upstream_committed_units);
  if (change < 0) return Math.max(0, committed);
  const onHand = delta(level.upstream_on_hand_units, put.upstream_on_hand_units);
  // What was committed and did not leave the shelf with a shipment has come back from orders.
  const cancelled = Math.max(0, -committed - Math.max(0, -onHand));
  return Math.max(0, onHand) + cancelled;
}

function delta(before: number | null, after: number | null): number {
  return before === null || after === null ? 0 : after - before;
}
