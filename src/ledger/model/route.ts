/**
 * Where an order should be shipped from: the places that promised its units. What the shop makes of it (its own order routing) is
 * observed, and compared with the promise; nothing here changes anything.
 */

import type { Reservation } from './reservation.js';
import type { FulfilmentObservation } from './values/observation.js';
import type { LedgerMs } from './values/units.js';

/** Whether placed orders are moved to the places that promised their units. */
export type RouteFulfillment = 'shop' | 'promised';

/**
 * `wanted`: to be looked at, and moved if need be. `moving`: the shop was or will be asked, and the outcome is not known: from
 * here on it is only looked at. `moved`: the shop has moved it. `in_place`: it stood there already. `not_moved`: given up, see `why`.
 */
export type RouteState = 'wanted' | 'moving' | 'moved' | 'in_place' | 'not_moved';

/** Why an order stays where the shop has put it. */
export type RouteEnd =
  /** The shop said no to the move. */
  | 'refused'
  /** Shipped, at least in part, or cancelled. */
  | 'closed'
  /** The shop does not offer to move it: it is being packed, or a fulfilment service has it. */
  | 'not_offered'
  /** The promised place does not have the units any more. */
  | 'short'
  /** The promised place is closed, or does not stock the item any more. */
  | 'not_stocked'
  /** The order is not what was reserved: a person changed it. */
  | 'changed_at_shop'
  /** The outcome of the move was not learnt, and it was not seen to have happened. */
  | 'not_seen'
  /** The shop could not be asked, or did not show what is to be shipped, for too long. */
  | 'too_late';

/** Units of one item that one place has promised. */
export interface PromisedUnits {
  readonly item_id: string;
  readonly location_id: string;
  readonly units: number;
}

/** One call to the shop: units of one of its fulfilment orders go to another place. */
export interface RouteMove {
  readonly fulfilment_ref: string;
  readonly from_location_id: string;
  readonly to_location_id: string;
  readonly items: readonly { readonly item_id: string; readonly units: number }[];
  readonly asked_at_ms: LedgerMs;
  /** True when everything stands where it was promised after this one. */
  readonly is_last: boolean;
}

export interface OrderRoute {
  readonly state: RouteState;
  readonly promised: readonly PromisedUnits[];
  /** In the order in which they were asked for. Each is asked for once. */
  readonly moves: readonly RouteMove[];
  /** Null unless it is `not_moved`. */
  readonly why: RouteEnd | null;
}

/** Units that a move takes at one level and gives back at another, until a report shows both. */
export interface RoutedUnits {
  readonly reservation_key: number;
  readonly item_key: number;
  readonly to_level_key: number;
  readonly from_level_key: number | null;
  readonly units: number;
  /** A report whose read began at or after this shows them; null while the outcome of the move is not known. */
  readonly awaits_after_ms: LedgerMs | null;
}

/** Lines of a fulfilment order to move, as the shop is asked for it. */
export interface PlannedMove extends Omit<RouteMove, 'asked_at_ms'> {
  readonly lines: readonly { readonly line_ref: string; readonly units: number }[];
  /** Everything that remains on the fulfilment order goes. */
  readonly is_whole: boolean;
}

export type RoutePlan =
  | { readonly next: 'none' }
  | { readonly next: 'move'; readonly move: PlannedMove }
  /** What is to be shipped is not all shown yet. */
  | { readonly next: 'wait' }
  | { readonly next: 'end'; readonly why: RouteEnd };

/** What an order is to be compared with once it is placed: the allocations of its reservation, by item and place. */
export function makeRoute(
  { lines }: Pick<Reservation, 'lines'>,
  items: readonly { readonly item_id: string; readonly sku: string }[],
): OrderRoute {
  const units = new Map<string, PromisedUnits>();
  for (const { sku, allocations } of lines) {
    const item = items.find((one) => one.sku === sku);
    if (item === undefined) continue;
    for (const { location_id, quantity } of allocations) {
      const key = `${item.item_id}/${location_id}`;
      const before = units.get(key)?.units ?? 0;
      units.set(key, { item_id: item.item_id, location_id, units: before + quantity });
    }
  }
  return { state: 'wanted', promised: [...units.values()], moves: [], why: null };
}

/** Whether something is still to be done or seen for it. */
export function isRouteOpen(route: Pick<OrderRoute, 'state'> | null): boolean {
  return route?.state === 'wanted' || route?.state === 'moving';
}

/**
 * Compares what the shop means to ship with what was promised, and plans the next move. `lists`: null when the shop does not show
 * the order.
 */
export function planRoute(
  promised: readonly PromisedUnits[],
  lists: readonly FulfilmentObservation[] | null,
): RoutePlan {
  if (lists === null || lists.length === 0) return { next: 'wait' };
  const open = lists.filter(({ is_open }) => is_open);
  if (open.length === 0) return { next: 'end', why: 'closed' };
  const items = [...new Set(promised.map(({ item_id }) => item_id))];
  const wanted = (item: string) => sum(promised.filter((one) => one.item_id === item));
  const remaining = (item: string) => sumItem(open, item, 'remaining_units');
  const total = (item: string) => sumItem(lists, item, 'total_units');
  if (items.some((item) => total(item) > wanted(item))) return { next: 'end', why: 'changed_at_shop' };
  if (items.some((item) => remaining(item) < total(item))) return { next: 'end', why: 'closed' };
  if (items.some((item) => remaining(item) < wanted(item))) return { next: 'wait' };
  return planMove(promised, open);
}

function planMove(promised: readonly PromisedUnits[], open: readonly FulfilmentObservation[]): RoutePlan {
  const excess = excessUnits(promised, open);
  const misplaced = sumPositive(excess.values());
  for (const list of open) {
    const from = list.location_id;
    const misplacedHere = list.lines.filter(({ item_id }) => (excess.get(joinKey(item_id, from)) ?? 0) > 0);
    if (misplacedHere.length === 0) continue;
    if (from === null || !list.can_move) return { next: 'end', why: 'not_offered' };
    const to = promised.find(
      ({ item_id, location_id }) =>
        (excess.get(joinKey(item_id, location_id)) ?? 0) < 0 &&
        misplacedHere.some((line) => line.item_id === item_id),
    )?.location_id;
    if (to === undefined) throw new Error('an excess at one place is a lack at another');
    const lines = takeLines(misplacedHere, { from, to, excess });
    const units = sum(lines);
    const items = new Map<string, number>();
    for (const line of lines) items.set(line.item_id, (items.get(line.item_id) ?? 0) + line.units);
    return {
      next: 'move',
      move: {
        fulfilment_ref: list.fulfilment_ref,
        from_location_id: from,
        to_location_id: to,
        items: [...items].map(([item_id, own]) => ({ item_id, units: own })),
        lines: lines.map(({ line_ref, units: own }) => ({ line_ref, units: own })),
        is_whole: units === sumPositive(list.lines.map(({ remaining_units }) => remaining_units)),
        is_last: units === misplaced,
      },
    };
  }
  return { next: 'none' };
}

/** Units that a place has more of than it promised; negative where it has fewer. */
function excessUnits(
  promised: readonly PromisedUnits[],
  open: readonly FulfilmentObservation[],
): Map<string, number> {
  const excess = new Map<string, number>();
  const add = (key: string, units: number) => excess.set(key, (excess.get(key) ?? 0) + units);
  const ours = new Set(promised.map(({ item_id }) => item_id));
  for (const { item_id, location_id, units } of promised) add(joinKey(item_id, location_id), -units);
  // A line that is none of ours (a fee, a present) stays where it is.
  for (const { location_id, lines } of open)
    for (const { item_id, remaining_units } of lines)
      if (item_id !== null && ours.has(item_id)) add(joinKey(item_id, location_id), remaining_units);
  return excess;
}

/** Units of the lines that go from one place to the other, no more than are too many here and too few there. */
function takeLines(
  lines: FulfilmentObservation['lines'],
  {
    from,
    to,
    excess,
  }: { readonly from: string; readonly to: string; readonly excess: ReadonlyMap<string, number> },
): { readonly line_ref: string; readonly item_id: string; readonly units: number }[] {
  const left = new Map(excess);
  return lines.flatMap(({ line_ref, item_id, remaining_units }) => {
    if (item_id === null) return [];
    const here = left.get(joinKey(item_id, from)) ?? 0;
    const there = left.get(joinKey(item_id, to)) ?? 0;
    const units = Math.min(remaining_units, here, -there);
    if (units <= 0) return [];
    left.set(joinKey(item_id, from), here - units);
    left.set(joinKey(item_id, to), there + units);
    return [{ line_ref, item_id, units }];
  });
}

function joinKey(itemId: string | null, locationId: string | null): string {
  return `${itemId ?? ''}/${locationId ?? ''}`;
}

function sumItem(
  lists: readonly FulfilmentObservation[],
  itemId: string,
  which: 'remaining_units' | 'total_units',
): number {
  return lists
    .flatMap(({ lines }) => lines)
    .reduce((units, line) => (line.item_id === itemId ? units + line[which] : units), 0);
}

function sum(parts: readonly { readonly units: number }[]): number {
  return parts.reduce((total, { units }) => total + units, 0);
}

function sumPositive(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, one) => total + Math.max(0, one), 0);
}
