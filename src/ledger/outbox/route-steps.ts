/**
 * Decisions about moving a placed order to the places that promised its units. At most one call for each move: its intent is
 * written before it is sent, and after an unknown outcome, or a crash, the shop is only looked at.
 */

import type { Order } from '../model/order.js';
import {
  isRouteOpen,
  type OrderRoute,
  type PlannedMove,
  planRoute,
  type RoutedUnits,
  type RouteEnd,
  type RouteMove,
} from '../model/route.js';
import type { Item, Level } from '../model/stock.js';
import type { FulfilmentObservation } from '../model/values/observation.js';
import type { LedgerMs } from '../model/values/units.js';
import { must, note } from '../state/job.js';
import type { Changes, Decision, LedgerSettings, LedgerState, Owned } from '../state/state.js';

export interface RouteLimits {
  /** An order that was placed longer ago than this is left where it is: people are packing it. */
  readonly route_within_ms: number;
  /** A move without an answer is looked for this long. */
  readonly route_look_ms: number;
}

export type RouteStep =
  /** The intent is written: send it, once. */
  | { readonly step: 'send'; readonly move: PlannedMove }
  /** Not now. `delay_ms`: at least. */
  | { readonly step: 'later'; readonly delay_ms: number }
  | { readonly step: 'over' };

/** What is left to do after a look that began at `sinceMs` at the order, and at the stock of its items. */
export interface RouteLook {
  /** Null: the shop does not show the order. `unread`: it could not be asked. */
  readonly lists: readonly FulfilmentObservation[] | null | 'unread';
  readonly sinceMs: LedgerMs;
}

const MOVES_MAX = 20;

/** Decides the next step from what the shop shows. The items that the route names must be loaded by id. */
export function decideRoute(
  state: LedgerState,
  { lists, sinceMs }: RouteLook,
  settings: LedgerSettings,
  limits: RouteLimits,
): Decision<RouteStep> {
  const { order } = must(state);
  const route = order?.route ?? null;
  if (order === null || route === null || !isRouteOpen(route)) return { result: { step: 'over' } };
  if (order.state !== 'placed') return ended(state, order, route, 'closed');
  if (order.shop_lines !== null) return ended(state, order, route, 'changed_at_shop');
  const asked = route.state === 'moving' ? (route.moves.at(-1) ?? null) : null;
  if (lists === 'unread') return waiting(state, order, route, asked, limits);
  const plan = planRoute(route.promised, lists);
  if (plan.next === 'wait') return waiting(state, order, route, asked, limits);
  if (asked !== null) {
    if (plan.next === 'end') return ended(state, order, route, plan.why);
    const isStillThere = plan.next === 'move' && isSameMove(plan.move, asked);
    return isStillThere ? waiting(state, order, route, asked, limits) : seenMoved(state, order, route, asked);
  }
  switch (plan.next) {
    case 'end':
      return ended(state, order, route, plan.why);
    case 'none':
      return inPlace(order, route);
    case 'move':
      return begin(state, order, route, { move: plan.move, sinceMs, settings, limits });
  }
}

/** Writes the intent, if the promised place has the units by figures that were read for this. */
function begin(
  state: LedgerState,
  order: Order,
  route: OrderRoute,
  {
    move,
    sinceMs,
    settings,
    limits,
  }: {
    readonly move: PlannedMove;
    readonly sinceMs: LedgerMs;
    readonly settings: LedgerSettings;
    readonly limits: RouteLimits;
  },
): Decision<RouteStep> {
  // A person has moved it back, or the shop has not done what it said: it is not asked a second time.
  if (route.moves.some((one) => isSameMove(move, one)) || route.moves.length >= MOVES_MAX)
    return ended(state, order, route, 'refused');
  const targets = move.items.map(({ item_id, units }) => ({
    units,
    item: state.items_by_id.get(item_id),
    level: levelAt(state.items_by_id.get(item_id), move.to_location_id),
  }));
  if (targets.some(({ level }) => !(level?.sellable_here === true && level.location_open)))
    return ended(state, order, route, 'not_stocked');
  if (targets.some(({ level }) => (level?.read_at_ms ?? 0) < sinceMs))
    return waiting(state, order, route, null, limits);
  if (targets.some(({ level, units }) => roomAt(level, settings) < units))
    return ended(state, order, route, 'short');
  const moving = targets.flatMap(({ item, level, units }): RoutedUnits[] => {
    if (item === undefined || level === undefined) return [];
    return [
      {
        reservation_key: order.reservation_key,
        item_key: item.item_key,
        to_level_key: level.level_key,
        from_level_key: levelAt(item, move.from_location_id)?.level_key ?? null,
        units,
        awaits_after_ms: null,
      },
    ];
  });
  // Units of this order that came there before are still to be seen.
  const isOpen = moving.some(({ item_key, to_level_key }) =>
    ownUnits(state, order).some((own) => own.item_key === item_key && own.to_level_key === to_level_key),
  );
  if (isOpen) return waiting(state, order, route, null, limits);
  // The figure may have units yet that other orders are being moved to: what becomes of those decides.
  if (targets.some(({ level, units }) => roomAt(level, settings) - (level?.routed_units ?? 0) < units))
    return waiting(state, order, route, null, limits);
  const { fulfilment_ref, from_location_id, to_location_id, items, is_last } = move;
  const asked: RouteMove = {
    fulfilment_ref,
    from_location_id,
    to_location_id,
    items,
    asked_at_ms: state.now_ms,
    is_last,
  };
  return {
    result: { step: 'send', move },
    changes: {
      order: { ...order, route: { ...route, state: 'moving', moves: [...route.moves, asked] } },
      routed: { put: moving },
      journal: [note('order.routing', journalData(order, asked))],
    },
  };
}

/**
 * Units that the place has for this. Where units are taken exactly where they were promised, those that it holds for others are not
 * among them.
 */
function roomAt(level: Level | undefined, { mirror }: LedgerSettings): number {
  if (level === undefined) return 0;
  const { upstream_available_units, held_units, expired_units } = level;
  return upstream_available_units - (mirror === 'move' ? held_units - expired_units : 0);
}

export type RouteOutcome = 'moved' | 'refused' | 'not_sent';

/** What the shop answered to the move whose intent is written. An answer that was not learnt changes nothing. */
export function decideRouteSent(state: LedgerState, outcome: RouteOutcome): Decision<void> {
  const { order } = must(state);
  const route = order?.route ?? null;
  const asked = route?.moves.at(-1);
  // Somebody else has seen meanwhile what became of it.
  if (order === null || route?.state !== 'moving' || asked === undefined) return { result: undefined };
  switch (outcome) {
    case 'moved':
      return { result: undefined, changes: moved(state, order, route, { asked, how: 'moved' }) };
    case 'refused':
      return { ...ended(state, order, route, 'refused'), result: undefined };
    case 'not_sent':
      // It is certain that nothing happened: as if it had not been asked for.
      return {
        result: undefined,
        changes: {
          order: { ...order, route: { ...route, state: 'wanted', moves: route.moves.slice(0, -1) } },
          routed: { drop: ownUnits(state, order).filter(isUnknown) },
        },
      };
  }
}

function seenMoved(
  state: LedgerState,
  order: Order,
  route: OrderRoute,
  asked: RouteMove,
): Decision<RouteStep> {
  const step: RouteStep = asked.is_last ? { step: 'over' } : { step: 'later', delay_ms: 0 };
  return { result: step, changes: moved(state, order, route, { asked, how: 'seen' }) };
}

/** The shop has moved it: its figures show it in whatever is read from now on. */
function moved(
  state: LedgerState,
  order: Order,
  route: OrderRoute,
  { asked, how }: { readonly asked: RouteMove; readonly how: 'moved' | 'seen' },
): Changes {
  return {
    order: { ...order, route: { ...route, state: asked.is_last ? 'moved' : 'wanted' } },
    routed: {
      put: ownUnits(state, order)
        .filter(isUnknown)
        .map((units) => ({ ...units, awaits_after_ms: state.now_ms })),
    },
    journal: [note('order.routed', { ...journalData(order, asked), how })],
  };
}

function inPlace(order: Order, route: OrderRoute): Decision<RouteStep> {
  const state = route.moves.length > 0 ? 'moved' : 'in_place';
  return {
    result: { step: 'over' },
    changes: {
      order: { ...order, route: { ...route, state } },
      journal: [note('order.routed', { id: order.id, how: 'in_place' })],
    },
  };
}

/** Gives up. Whatever became of a move that was asked for, later reads show it as they show what people do. */
function ended(state: LedgerState, order: Order, route: OrderRoute, why: RouteEnd): Decision<RouteStep> {
  return {
    result: { step: 'over' },
    changes: {
      order: { ...order, route: { ...route, state: 'not_moved', why } },
      routed: { drop: ownUnits(state, order).filter(isUnknown) },
      journal: [note('order.not_routed', { id: order.id, why })],
    },
  };
}

/** Waits the longer the longer it has waited, and gives up in the end. */
function waiting(
  state: LedgerState,
  order: Order,
  route: OrderRoute,
  asked: RouteMove | null,
  { route_within_ms, route_look_ms }: RouteLimits,
): Decision<RouteStep> {
  const since = asked?.asked_at_ms ?? order.placed_at_ms ?? 0;
  const waited = state.now_ms - since;
  const left = (asked === null ? route_within_ms : route_look_ms) - waited;
  if (left <= 0) return ended(state, order, route, asked === null ? 'too_late' : 'not_seen');
  return { result: { step: 'later', delay_ms: Math.min(left, Math.max(0, Math.round(waited / 4))) } };
}

function isSameMove(
  one: Pick<RouteMove, 'fulfilment_ref' | 'to_location_id'>,
  other: Pick<RouteMove, 'fulfilment_ref' | 'to_location_id'>,
): boolean {
  return one.fulfilment_ref === other.fulfilment_ref && one.to_location_id === other.to_location_id;
}

function ownUnits({ routed }: LedgerState, { reservation_key }: Order): readonly RoutedUnits[] {
  return [...routed.values()].flat().filter((units) => units.reservation_key === reservation_key);
}

function isUnknown({ awaits_after_ms }: RoutedUnits): boolean {
  return awaits_after_ms === null;
}

function levelAt(item: Item | undefined, locationId: string): Level | undefined {
  return item?.levels.find(({ location_id }) => location_id === locationId);
}

function journalData(
  { id }: Order,
  { fulfilment_ref, from_location_id, to_location_id, items }: RouteMove,
): Record<string, unknown> {
  return {
    id,
    fulfilment_ref,
    from: from_location_id,
    to: to_location_id,
    items: items.map(({ item_id, units }) => [item_id, units]),
  };
}

/** The items that the decision about an order's route needs. */
export function routedItemIds({ order }: Owned): string[] {
  return [...new Set((order?.route?.promised ?? []).map(({ item_id }) => item_id))];
}
