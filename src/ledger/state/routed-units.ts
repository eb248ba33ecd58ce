/**
 * What reports say of units that an order of ours takes at one level instead of at another, because it is being moved there. A
 * report that shows both levels, read after the shop has answered, settles it: the fall and the rise are ours, to the unit. Until
 * then a figure may show either, and explains no change of anybody else's.
 */

import type { RoutedUnits } from '../model/route.js';
import type { LedgerMs } from '../model/values/units.js';
import type { LedgerState, UnitsUnderWay } from './state.js';

/** Those that a report settles. `news`: keys of the levels whose figures it has brought; `known`: of all levels of the item. */
export function settleRouted(
  routed: readonly RoutedUnits[],
  readAt: LedgerMs,
  { news, known }: { readonly news: ReadonlySet<number>; readonly known: ReadonlySet<number> },
): readonly RoutedUnits[] {
  // A level that is not there any more shows nothing, ever.
  const isShown = (key: number | null) => key === null || news.has(key) || !known.has(key);
  return routed.filter(
    ({ awaits_after_ms, to_level_key, from_level_key }) =>
      awaits_after_ms !== null &&
      awaits_after_ms <= readAt &&
      isShown(to_level_key) &&
      isShown(from_level_key),
  );
}

/** Units that have left a level for good; below zero where they have come back to it. */
export function routedAt(routed: readonly RoutedUnits[], levelKey: number): number {
  return routed.reduce((sum, { to_level_key, from_level_key, units }) => {
    if (to_level_key === levelKey) return sum + units;
    return from_level_key === levelKey ? sum - units : sum;
  }, 0);
}

/** Moves that a read may show or not, at one level. */
export function routedUnderWay(
  routed: readonly RoutedUnits[],
  settled: readonly RoutedUnits[],
  levelKey: number,
): UnitsUnderWay[] {
  return routed
    .filter((one) => !settled.includes(one))
    .map((one): UnitsUnderWay => ({ units: routedAt([one], levelKey), is_exact: true }))
    .filter(({ units }) => units !== 0);
}

/** Those of an item that was asked for. */
export function findRouted({ routed }: LedgerState, itemId: string): readonly RoutedUnits[] {
  return routed.get(itemId) ?? [];
}
