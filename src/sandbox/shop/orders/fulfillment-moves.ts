/**
 * Which location is to ship an order, and changing that: `fulfillmentOrderMove`. Shopify makes fulfillment orders by itself when
 * an order is created, and moves their committed units with them, whether or not the new location has as many available. What
 * is moved in part, or to where the order has another list already, stands on a new list afterwards, under new ids.
 */

import { FaultError } from '../../base/faults.js';
import type { CodedUserError } from '../../base/user-error.js';
import type { Inventory, Level } from '../stock/inventory.js';
import { type FulfillmentOrder, type FulfillmentOrderLine, isActiveList, type Order } from './order.js';
import type { Orders } from './orders.js';

/** How the shop deals with the places that ship; every part may be changed while it runs. */
export interface FulfilmentSettings {
  /** How long after its order a fulfillment order is shown at the earliest. Default 0. */
  readonly shownAfterMs?: number;
  /** `refused`: MOVE is offered, and each move refused. `not_offered`: MOVE is not among the actions. Default `allowed`. */
  readonly moves?: 'allowed' | 'refused' | 'not_offered';
}

const MOVES = ['allowed', 'refused', 'not_offered'] as const satisfies readonly FulfilmentSettings['moves'][];
const SHOWN_AFTER_MAX_MS = 24 * 60 * 60 * 1000;

/** The arguments of Shopify's `fulfillmentOrderMove`. Without lines: everything that remains. */
export interface FulfillmentMoveInput {
  readonly id: string;
  readonly newLocationId: string;
  readonly fulfillmentOrderLineItems?: readonly { readonly id: string; readonly quantity: number }[] | null;
}

export interface FulfillmentMoveResult {
  readonly movedFulfillmentOrder: FulfillmentOrder | null;
  readonly originalFulfillmentOrder: FulfillmentOrder | null;
  readonly remainingFulfillmentOrder: FulfillmentOrder | null;
  readonly userErrors: readonly CodedUserError[];
}

/** A move that was not refused, for whoever watches the shop. One to where it stood already changes nothing. */
export interface CarriedOutMove {
  readonly orderId: string;
  readonly fulfillmentOrderId: string;
  readonly fromLocationId: string | null;
  readonly toLocationId: string;
  readonly units: number;
}

interface Portion {
  readonly line: FulfillmentOrderLine;
  readonly units: number;
}

export class FulfillmentMoves {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #done: CarriedOutMove[] = [];
  #settings: Required<FulfilmentSettings>;

  constructor(inventory: Inventory, orders: Orders, settings: FulfilmentSettings) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#settings = { shownAfterMs: 0, moves: 'allowed', ...settings };
  }

  get settings(): Required<FulfilmentSettings> {
    return this.#settings;
  }

  /** Changes what is named, from now on. */
  set(settings: FulfilmentSettings): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /** Every move that was not refused, oldest first. */
  get done(): readonly CarriedOutMove[] {
    return this.#done;
  }

  /** Those of an order that the shop shows by now; `displayable`: without those that a move has emptied. */
  shown({ fulfillmentOrders }: Order, displayable: boolean, nowMs: number): readonly FulfillmentOrder[] {
    const { shownAfterMs } = this.#settings;
    return fulfillmentOrders.filter(
      ({ createdMs, isMoved }) => nowMs >= createdMs + shownAfterMs && !(displayable && isMoved),
    );
  }

  /** What can be done with a list: Shopify's `supportedActions`. */
  actions({ status }: FulfillmentOrder): readonly string[] {
    if (status === 'IN_PROGRESS') return ['CREATE_FULFILLMENT', 'MARK_AS_OPEN'];
    if (status !== 'OPEN') return [];
    return ['CREATE_FULFILLMENT', ...(this.#settings.moves === 'not_offered' ? [] : ['MOVE']), 'HOLD'];
  }

  /** Moves lists of an order. Refuses as Shopify documents it; the words of most refusals were never seen. */
  move(input: FulfillmentMoveInput, nowMs: number): FulfillmentMoveResult {
    const from = this.#orders.fulfillmentOrder(input.id);
    if (!from) return refused(['id'], 'Fulfillment order does not exist.');
    const error = this.#refusal(from, input);
    if (error !== null) return error;
    const portions = selectPortions(from, input);
    if (!Array.isArray(portions)) return portions;
    if (!this.#isStocked(portions, input.newLocationId))
      return refused(['newLocationId'], 'The location does not stock the requested item.');
    const order = this.#orders.get(from.orderId);
    if (!order) throw new Error(`${from.id} has lost its order`);
    this.#done.push({
      orderId: order.id,
      fulfillmentOrderId: from.id,
      fromLocationId: from.locationId,
      toLocationId: input.newLocationId,
      units: portions.reduce((sum, { units }) => sum + units, 0),
    });
    if (from.locationId === input.newLocationId) return moved(from, from, null);
    return this.#carryOut(order, from, { portions, toId: input.newLocationId, nowMs });
  }

  #refusal(from: FulfillmentOrder, { newLocationId }: FulfillmentMoveInput): FulfillmentMoveResult | null {
    if (from.status === 'IN_PROGRESS')
      return refused(
        ['id'],
        'Cannot move a fulfillment order that has progress reported.',
        'CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS',
      );
    if (from.status !== 'OPEN')
      return refused(['id'], `Cannot move a fulfillment order that is ${from.status}.`);
    if (this.#settings.moves !== 'allowed') return refused(['id'], 'Fulfillment order cannot be moved.');
    const to = this.#inventory.locations.get(newLocationId);
    if (!to?.isActive) return refused(['newLocationId'], 'The location could not be found.');
    return null;
  }

  #isStocked(portions: readonly Portion[], locationId: string): boolean {
    return portions.every(
      ({ line: { level } }) =>
        level === null || this.#inventory.levelAt(level.itemId, locationId)?.isActive === true,
    );
  }

  #carryOut(
    order: Order,
    from: FulfillmentOrder,
    how: { readonly portions: readonly Portion[]; readonly toId: string; readonly nowMs: number },
  ): FulfillmentMoveResult {
    const { portions, toId, nowMs } = how;
    const isWhole = from.lines.every(
      ({ totalUnits, remainingUnits, id }) =>
        totalUnits === remainingUnits &&
        portions.reduce((sum, { line, units }) => (line.id === id ? sum + units : sum), 0) === totalUnits,
    );
    const there = order.fulfillmentOrders.find((one) => isActiveList(one) && one.locationId === toId);
    if (isWhole && !there) {
      for (const line of from.lines)
        line.level = this.#recommit(line.level, line.remainingUnits, toId, nowMs);
      from.locationId = toId;
      from.updatedMs = nowMs;
      return moved(from, from, null);
    }
    const list = this.#orders.newList(order, toId, nowMs);
    for (const { line, units } of portions) {
      line.remainingUnits -= units;
      line.totalUnits -= units;
      const level = this.#recommit(line.level, units, toId, nowMs);
      this.#orders.addToList(list, line.lineId, level, units);
    }
    // Shopify: the list that was there is closed, and its lines are recreated on the new one.
    for (const line of there?.lines ?? []) {
      this.#orders.addToList(list, line.lineId, line.level, line.remainingUnits);
      line.totalUnits -= line.remainingUnits;
      line.remainingUnits = 0;
    }
    if (there) close(there, nowMs);
    const isLeft = from.lines.some(({ remainingUnits }) => remainingUnits > 0);
    if (!isLeft) close(from, nowMs);
    from.updatedMs = nowMs;
    return moved(list, from, isLeft ? from : null);
  }

  /** Committed units change their place. What is available there may go below zero. */
  #recommit(from: Level | null, units: number, toId: string, nowMs: number): Level | null {
    if (from === null) return null;
    const to = this.#inventory.stockItemAt(from.itemId, toId, nowMs);
    this.#inventory.change(from, { committed: -units, available: units }, nowMs);
    this.#inventory.change(to, { committed: units, available: -units }, nowMs);
    return to;
  }
}

function selectPortions(
  from: FulfillmentOrder,
  { fulfillmentOrderLineItems: wanted }: FulfillmentMoveInput,
): Portion[] | FulfillmentMoveResult {
  const asked = wanted?.length
    ? wanted
    : from.lines.map(({ id, remainingUnits }) => ({ id, quantity: remainingUnits }));
  const portions: Portion[] = [];
  for (const { id, quantity } of asked) {
    const line = from.lines.find((one) => one.id === id);
    const field = ['fulfillmentOrderLineItems'];
    if (!line) return refused(field, 'Fulfillment order line item does not exist.');
    const sum = portions.reduce((units, one) => (one.line === line ? units + one.units : units), quantity);
    if (quantity < 0 || sum > line.remainingUnits)
      return refused(field, 'Invalid fulfillment order line item quantity requested.');
    if (quantity > 0) portions.push({ line, units: quantity });
  }
  return portions.length > 0 ? portions : refused(['id'], 'No line items to move.');
}

function close(list: FulfillmentOrder, nowMs: number): void {
  list.status = 'CLOSED';
  list.isMoved = list.lines.every(({ totalUnits }) => totalUnits === 0);
  list.updatedMs = nowMs;
}

function moved(
  to: FulfillmentOrder,
  original: FulfillmentOrder,
  remaining: FulfillmentOrder | null,
): FulfillmentMoveResult {
  return {
    movedFulfillmentOrder: to,
    originalFulfillmentOrder: original,
    remainingFulfillmentOrder: remaining,
    userErrors: [],
  };
}

function refused(
  field: readonly string[],
  message: string,
  code: string | null = null,
): FulfillmentMoveResult {
  return {
    movedFulfillmentOrder: null,
    originalFulfillmentOrder: null,
    remainingFulfillmentOrder: null,
    userErrors: [{ field, message, code }],
  };
}

/** Settings from outside. Throws `FaultError` on what makes no sense. */
export function parseFulfilment(value: Readonly<Record<string, unknown>>): FulfilmentSettings {
  const { shownAfterMs, moves, ...unknown } = value;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new FaultError(`fulfilment has shownAfterMs and moves, not ${name}`);
  if (moves !== undefined && !MOVES.some((one) => one === moves))
    throw new FaultError(`fulfilment.moves must be one of ${MOVES.join(', ')}`);
  const isTime =
    Number.isSafeInteger(shownAfterMs) &&
    Number(shownAfterMs) >= 0 &&
    Number(shownAfterMs) <= SHOWN_AFTER_MAX_MS;
  if (shownAfterMs !== undefined && !isTime)
    throw new FaultError(
      `fulfilment.shownAfterMs must be whole milliseconds from 0 to ${SHOWN_AFTER_MAX_MS}`,
    );
  return {
    ...(shownAfterMs === undefined ? {} : { shownAfterMs: Number(shownAfterMs) }),
    ...(moves === undefined ? {} : { moves: moves as Required<FulfilmentSettings>['moves'] }),
  };
}
