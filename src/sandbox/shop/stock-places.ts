/** Where items are stocked: connecting them to locations and back, and opening and closing locations. */

import { onHand, QUANTITY_MAX_UNITS, type Quantities, STOCK_STATES } from '../base/quantities.js';
import type { CodedUserError, UserError } from '../base/user-error.js';
import type { DraftOrders } from './orders/draft-orders.js';
import { isActiveList } from './orders/order.js';
import type { Orders } from './orders/orders.js';
import type { Inventory, Level, Location } from './stock/inventory.js';

export interface ActivateRequest {
  readonly inventoryItemId: string;
  readonly locationId: string;
  readonly available: number | null;
  readonly onHand: number | null;
}

export interface ActivateResult {
  readonly inventoryLevel: Level | null;
  readonly userErrors: readonly UserError[];
}

export interface LocationResult {
  readonly location: Location | null;
  readonly errors: readonly CodedUserError[];
}

export class StockPlaces {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #draftOrders: DraftOrders;

  constructor(inventory: Inventory, orders: Orders, draftOrders: DraftOrders) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#draftOrders = draftOrders;
  }

  /** Connects an item to a location. Units are refused where it is stocked already; without them that is no error. */
  activate(request: ActivateRequest, nowMs: number): ActivateResult {
    const { inventoryItemId, locationId, available, onHand: onHandUnits } = request;
    if (!this.#inventory.items.has(inventoryItemId)) {
      return refused(['inventoryItemId'], 'The inventory item could not be found.');
    }
    const location = this.#inventory.locations.get(locationId);
    if (!location?.isActive) return refused(['locationId'], 'The location could not be found.');
    if (available !== null && onHandUnits !== null && available !== onHandUnits) {
      return refused(['onHand'], 'The quantities of available and on hand contradict each other.');
    }
    const units = available ?? onHandUnits;
    const present = this.#inventory.levelAt(inventoryItemId, locationId);
    if (present?.isActive && units !== null) {
      const message = `Not allowed to set ${available === null ? 'onHand' : 'available'} quantity when the item is already active at the location.`;
      return refused([available === null ? 'onHand' : 'available'], message);
    }
    if (units !== null && Math.abs(units) > QUANTITY_MAX_UNITS) {
      return refused(['available'], `The quantity can't be higher than ${QUANTITY_MAX_UNITS}.`);
    }
    const level = this.#inventory.stockItemAt(inventoryItemId, locationId, nowMs);
    if (units !== null && units !== 0) this.#inventory.change(level, { available: units }, nowMs);
    return { inventoryLevel: level, userErrors: [] };
  }

  /**
   * Disconnects an item from a location; its units there are gone. Refused while orders or drafts have some of them,
   * while some are on their way there, and at the last location that stocks the item.
   */
  deactivate(levelId: string, nowMs: number): readonly UserError[] {
    const level = this.#inventory.levels.get(levelId);
    if (!level?.isActive)
      return [{ field: ['inventoryLevelId'], message: 'The inventory level could not be found.' }];
    const alert = this.deactivationAlert(level);
    if (alert !== null) return [{ field: ['inventoryLevelId'], message: alert }];
    this.#inventory.disconnect(level, nowMs);
    return [];
  }

  /** Why the level can't be disconnected, in words; null when it can. */
  deactivationAlert(level: Level): string | null {
    const where = this.#inventory.locations.get(level.locationId)?.name ?? level.locationId;
    const refusal = `The product couldn't be unstocked from ${where} because`;
    const blocking = (['committed', 'reserved', 'incoming'] as const).find(
      (state) => level.quantities[state] !== 0,
    );
    if (blocking) return `${refusal} it has ${blocking} inventory there.`;
    const others = this.#inventory.servingLevels(level.itemId).filter((one) => one !== level);
    return others.length > 0 ? null : `${refusal} products need to be stocked at a minimum of 1 location.`;
  }

  /** Opening an open location is no error. */
  openLocation(locationId: string, nowMs: number): LocationResult {
    const location = this.#inventory.locations.get(locationId);
    if (!location) return { location: null, errors: [NOT_FOUND] };
    this.#inventory.setLocationActive(location, true, nowMs);
    return { location, errors: [] };
  }

  /**
   * Closes a location. Units, orders and holds move to the destination; without one the location must have none of them.
   * Refused for the last open location, and while units are on their way to it.
   */
  closeLocation(locationId: string, destinationId: string | null, nowMs: number): LocationResult {
    const location = this.#inventory.locations.get(locationId);
    if (!location) return { location: null, errors: [NOT_FOUND] };
    const errors = this.#closingErrors(location, destinationId);
    if (errors.length > 0) return { location, errors };
    if (destinationId !== null) {
      for (const level of this.#inventory.levelsAt(locationId)) {
        if (level.isActive) this.#relocate(level, destinationId, nowMs);
      }
      this.#relocateFulfillmentOrders(locationId, destinationId);
    }
    this.#inventory.setLocationActive(location, false, nowMs);
    return { location, errors: [] };
  }

  #closingErrors(location: Location, destinationId: string | null): CodedUserError[] {
    const others = [...this.#inventory.locations.values()].filter((one) => one.isActive && one !== location);
    if (others.length === 0) {
      return [
        coded('CANNOT_DISABLE_ONLINE_ORDER_FULFILLMENT', 'At least one location must fulfill online orders.'),
      ];
    }
    const levels = this.#inventory.levelsAt(location.id);
    if (levels.some(({ quantities }) => quantities.incoming !== 0)) {
      const message =
        'Location has incoming inventory. The location can be deactivated after the inventory has been received.';
      return [coded('TEMPORARILY_BLOCKED_FROM_DEACTIVATION_ERROR', message)];
    }
    if (destinationId !== null) return this.#destinationErrors(location, destinationId);
    if (levels.some(({ quantities }) => quantities.committed !== 0)) {
      const message = 'Location could not be deactivated because it has pending orders.';
      return [coded('HAS_FULFILLMENT_ORDERS_ERROR', message)];
    }
    if (levels.some(({ quantities }) => quantities.available !== 0 || onHand(quantities) !== 0)) {
      const message =
        'Location could not be deactivated without specifying where to relocate inventory at the location.';
      return [coded('HAS_ACTIVE_INVENTORY_ERROR', message)];
    }
    return [];
  }

  #destinationErrors(location: Location, destinationId: string): CodedUserError[] {
    const field = ['destinationLocationId'];
    if (destinationId === location.id) {
      const message = 'Destination location is the same as the location to be deactivated.';
      return [coded('DESTINATION_LOCATION_IS_THE_SAME_LOCATION', message, field)];
    }
    if (this.#inventory.locations.get(destinationId)?.isActive) return [];
    const message = 'Destination location is not found or inactive.';
    return [coded('DESTINATION_LOCATION_NOT_FOUND_OR_INACTIVE', message, field)];
  }

  #relocate(from: Level, destinationId: string, nowMs: number): void {
    const to = this.#inventory.stockItemAt(from.itemId, destinationId, nowMs);
    const out: Partial<Quantities> = {};
    const into: Partial<Quantities> = {};
    for (const state of STOCK_STATES) {
      const units = from.quantities[state];
      if (units === 0) continue;
      out[state] = -units;
      into[state] = units;
    }
    if (Object.keys(into).length === 0) return;
    this.#inventory.change(from, out, nowMs);
    this.#inventory.change(to, into, nowMs);
    this.#draftOrders.relocate(from, to);
  }

  #relocateFulfillmentOrders(fromId: string, toId: string): void {
    for (const { fulfillmentOrders } of this.#orders.all()) {
      for (const list of fulfillmentOrders) {
        if (!isActiveList(list) || list.locationId !== fromId) continue;
        list.locationId = toId;
        for (const line of list.lines) {
          if (line.level) line.level = this.#inventory.levelAt(line.level.itemId, toId) ?? line.level;
        }
      }
    }
  }
}

const NOT_FOUND = coded('LOCATION_NOT_FOUND', 'Location not found.');

function coded(code: string, message: string, field: readonly string[] = ['locationId']): CodedUserError {
  return { field, message, code };
}

function refused(field: readonly string[], message: string): ActivateResult {
  return { inventoryLevel: null, userErrors: [{ field, message }] };
}
