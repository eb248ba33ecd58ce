/** What becomes of units that came back: each is disposed of once for good, perhaps after it waited for processing. */

import type { ShopEvents } from '../../base/events.js';
import { Sequence } from '../../base/sequence.js';
import type { CodedUserError } from '../../base/user-error.js';
import type { Inventory } from '../stock/inventory.js';
import {
  type Disposition,
  type DispositionType,
  type Return,
  type ReverseFulfillmentOrder,
  type ReverseFulfillmentOrderLine,
  requireLine,
} from './order.js';
import type { Orders } from './orders.js';
import type { Refunds } from './refunds.js';

export interface DispositionInput {
  readonly reverseFulfillmentOrderLineItemId: string;
  readonly quantity: number;
  readonly dispositionType: DispositionType;
  readonly locationId?: string | null;
}

interface Found {
  readonly list: ReverseFulfillmentOrder;
  readonly line: ReverseFulfillmentOrderLine;
}

export interface DisposeResult {
  readonly lines: readonly ReverseFulfillmentOrderLine[] | null;
  readonly userErrors: readonly CodedUserError[];
}

export class ReverseFulfillmentOrders {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #refunds: Refunds;
  readonly #events: ShopEvents;
  readonly #byId = new Map<string, ReverseFulfillmentOrder>();
  readonly #byLine = new Map<string, Found>();
  readonly #ids = new Sequence('ReverseFulfillmentOrder', 8_801_615_913n);
  readonly #lineIds = new Sequence('ReverseFulfillmentOrderLineItem', 10_203_791_401n);
  readonly #dispositionIds = new Sequence('ReverseFulfillmentOrderDisposition', 7_104_922_665n);

  constructor(inventory: Inventory, orders: Orders, refunds: Refunds, events: ShopEvents) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#refunds = refunds;
    this.#events = events;
  }

  get(id: string): ReverseFulfillmentOrder | undefined {
    return this.#byId.get(id);
  }

  open({ id: returnId, orderId, lines }: Pick<Return, 'id' | 'orderId' | 'lines'>): ReverseFulfillmentOrder {
    const list: ReverseFulfillmentOrder = {
      id: this.#ids.next(),
      returnId,
      orderId,
      status: 'OPEN',
      lines: lines.map(({ id, fulfillmentLineId, lineId, quantity }) => ({
        id: this.#lineIds.next(),
        returnLineId: id,
        fulfillmentLineId,
        lineId,
        quantity,
        dispositions: [],
      })),
    };
    this.#byId.set(list.id, list);
    for (const line of list.lines) this.#byLine.set(line.id, { list, line });
    return list;
  }

  /**
   * Says what has become of units. RESTOCKED needs a location and makes them available there; the others move nothing.
   * PROCESSING_REQUIRED may be followed by another word on the same units, everything else is final. All happen or none.
   */
  dispose(inputs: readonly DispositionInput[], nowMs: number): DisposeResult {
    const userErrors = this.errors(inputs, ['dispositionInputs']);
    if (userErrors.length > 0) return { lines: null, userErrors };
    const made = new Map<
      ReverseFulfillmentOrder,
      { line: ReverseFulfillmentOrderLine; one: Disposition }[]
    >();
    for (const input of inputs) {
      const { list, line } = this.#found(input);
      const one: Disposition = {
        id: this.#dispositionIds.next(),
        type: input.dispositionType,
        quantity: input.quantity,
        locationId: input.locationId ?? null,
        createdMs: nowMs,
      };
      line.dispositions = [...withoutWaiting(line, input), one];
      if (one.type === 'RESTOCKED' && one.locationId)
        this.#restock(list, line, one.locationId, one.quantity, nowMs);
      if (list.lines.every((other) => finalUnits(other) === other.quantity)) list.status = 'CLOSED';
      made.set(list, [...(made.get(list) ?? []), { line, one }]);
    }
    for (const [list, dispositions] of made) this.#tell(list, dispositions, nowMs);
    return { lines: [...new Set(inputs.map((input) => this.#found(input).line))], userErrors: [] };
  }

  /** What is wrong with the dispositions, taken together. */
  errors(inputs: readonly DispositionInput[], field: readonly string[]): CodedUserError[] {
    return inputs.flatMap((input, index) => {
      const at = [...field, String(index)];
      const found = this.#byLine.get(input.reverseFulfillmentOrderLineItemId);
      if (!found)
        return [error([...at, 'reverseFulfillmentOrderLineItemId'], 'Line item not found.', 'NOT_FOUND')];
      if (found.list.status === 'CANCELED') {
        return [error(at, 'Reverse fulfillment order is canceled.', 'INVALID_STATE')];
      }
      const before = inputs
        .slice(0, index)
        .filter((one) => one.reverseFulfillmentOrderLineItemId === found.line.id);
      if (input.quantity < 1 || leftFor(found.line, before, input) < 0) {
        return [error([...at, 'quantity'], 'Quantity is more than is left to dispose of.', 'INVALID')];
      }
      if (input.dispositionType !== 'RESTOCKED') return [];
      if (input.locationId == null)
        return [error([...at, 'locationId'], "Location can't be blank.", 'BLANK')];
      const isActive = this.#inventory.locations.get(input.locationId)?.isActive ?? false;
      return isActive ? [] : [error([...at, 'locationId'], 'Location not found.', 'NOT_FOUND')];
    });
  }

  #restock(
    list: ReverseFulfillmentOrder,
    line: ReverseFulfillmentOrderLine,
    locationId: string,
    units: number,
    nowMs: number,
  ): void {
    const order = this.#orders.get(list.orderId);
    if (!order) throw new Error(`${list.id} has lost its order`);
    this.#refunds.restock(requireLine(order, line.lineId).itemId, locationId, units, nowMs);
  }

  #tell(
    list: ReverseFulfillmentOrder,
    dispositions: readonly { readonly line: ReverseFulfillmentOrderLine; readonly one: Disposition }[],
    atMs: number,
  ): void {
    const order = this.#orders.get(list.orderId);
    if (!order) throw new Error(`${list.id} has lost its order`);
    this.#events.publish({
      kind: 'reverse_fulfillment_order',
      change: 'disposed',
      atMs,
      returnId: list.returnId,
      reverseFulfillmentOrderId: list.id,
      dispositions: dispositions.map(({ line, one: { id, type, quantity, locationId } }) => ({
        id,
        reverseFulfillmentOrderLineItemId: line.id,
        type,
        quantity,
        locationId,
      })),
    });
    this.#orders.changed(order, [], atMs);
  }

  #found({ reverseFulfillmentOrderLineItemId: id }: DispositionInput): Found {
    const found = this.#byLine.get(id);
    if (!found) throw new Error(`no reverse fulfillment order has a line ${id}`);
    return found;
  }
}

/** Units of the line whose fate is sealed. */
function finalUnits({ dispositions }: ReverseFulfillmentOrderLine): number {
  return dispositions.reduce(
    (sum, { type, quantity }) => (type === 'PROCESSING_REQUIRED' ? sum : sum + quantity),
    0,
  );
}

/** Units that would be left after those before it and this one; below zero when they are too few. */
function leftFor(
  line: ReverseFulfillmentOrderLine,
  before: readonly DispositionInput[],
  input: DispositionInput,
): number {
  const isFinal = (one: DispositionInput) => one.dispositionType !== 'PROCESSING_REQUIRED';
  const counted = input.dispositionType === 'PROCESSING_REQUIRED' ? before : before.filter(isFinal);
  const spoken =
    input.dispositionType === 'PROCESSING_REQUIRED'
      ? line.dispositions.reduce((sum, { quantity }) => sum + quantity, 0)
      : finalUnits(line);
  return line.quantity - spoken - counted.reduce((sum, { quantity }) => sum + quantity, 0) - input.quantity;
}

/** The line's dispositions, less those that waited for processing and that this one now decides about. */
function withoutWaiting(line: ReverseFulfillmentOrderLine, input: DispositionInput): readonly Disposition[] {
  if (input.dispositionType === 'PROCESSING_REQUIRED') return line.dispositions;
  const untouched = line.quantity - line.dispositions.reduce((sum, { quantity }) => sum + quantity, 0);
  let decided = Math.max(0, input.quantity - untouched);
  return line.dispositions.flatMap((one) => {
    if (one.type !== 'PROCESSING_REQUIRED' || decided === 0) return [one];
    const taken = Math.min(decided, one.quantity);
    decided -= taken;
    return one.quantity > taken ? [{ ...one, quantity: one.quantity - taken }] : [];
  });
}

function error(field: readonly string[], message: string, code: string): CodedUserError {
  return { field, message, code };
}
