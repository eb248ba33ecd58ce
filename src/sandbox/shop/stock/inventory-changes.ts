/**
 * The three inventory mutations: adjust, move, set. All changes of a call happen, or none. The rules are Shopify's
 * as of API 2026-10, their codes are those of the schema; where Shopify's behaviour is not known the comment says so.
 */

import { toGid } from '../../base/gid.js';
import {
  QUANTITY_MAX_UNITS,
  type Quantities,
  type QuantityName,
  readQuantity,
  type StockState,
} from '../../base/quantities.js';
import type { Inventory, Level } from './inventory.js';

export interface AdjustInput {
  readonly reason: string;
  readonly name: string;
  readonly referenceDocumentUri?: string | null;
  readonly changes: readonly {
    readonly inventoryItemId: string;
    readonly locationId: string;
    readonly delta: number;
    readonly ledgerDocumentUri?: string | null;
    readonly changeFromQuantity?: number | null;
  }[];
}

export interface MoveTerminal {
  readonly locationId: string;
  readonly name: string;
  readonly ledgerDocumentUri?: string | null;
  readonly changeFromQuantity?: number | null;
}

export interface MoveInput {
  readonly reason: string;
  readonly referenceDocumentUri: string;
  readonly changes: readonly {
    readonly inventoryItemId: string;
    readonly quantity: number;
    readonly from: MoveTerminal;
    readonly to: MoveTerminal;
  }[];
}

export interface SetInput {
  readonly reason: string;
  readonly name: string;
  readonly referenceDocumentUri?: string | null;
  readonly quantities: readonly {
    readonly inventoryItemId: string;
    readonly locationId: string;
    readonly quantity: number;
    readonly changeFromQuantity?: number | null;
  }[];
}

export interface InventoryUserError {
  readonly field: readonly string[];
  readonly message: string;
  readonly code: string;
}

export interface InventoryChange {
  readonly itemId: string;
  readonly locationId: string;
  readonly name: string;
  readonly delta: number;
  readonly ledgerDocumentUri: string | null;
}

export interface AdjustmentGroup {
  readonly id: string;
  readonly createdMs: number;
  readonly reason: string;
  readonly referenceDocumentUri: string | null;
  readonly changes: readonly InventoryChange[];
}

/** What a mutation answers. The group is null when it was refused, and when nothing changed. */
export interface InventoryResult {
  readonly inventoryAdjustmentGroup: AdjustmentGroup | null;
  readonly userErrors: readonly InventoryUserError[];
}

/** Shopify's fixed set; any other reason is INVALID_REASON. */
const REASONS = new Set(
  `correction cycle_count_available damaged movement_created movement_updated movement_received movement_canceled
   other promotion quality_control received reservation_created reservation_updated reservation_deleted restock
   safety_stock shrinkage`.split(/\s+/u),
);

/** `committed` and `on_hand` are missing on purpose: they are "managed by Shopify". In the order of the message. */
const ADJUSTABLE_NAMES: readonly string[] = [
  'available',
  'damaged',
  'incoming',
  'quality_control',
  'reserved',
  'safety_stock',
] satisfies StockState[];

/**
 * What a result out of bounds is called: a state other than `available` below zero, or `available` below the lowest
 * possible. The general *_FAILED codes are a guess: the schema has no code for too few units, and Shopify's answer
 * was never seen. Setting touches `available` alone.
 */
const BOUND_CODES = {
  adjust: { belowZero: 'ADJUST_QUANTITIES_FAILED', tooLow: 'INVALID_QUANTITY_TOO_LOW' },
  move: { belowZero: 'MOVE_QUANTITIES_FAILED', tooLow: 'MOVE_QUANTITIES_FAILED' },
  set: { belowZero: 'INVALID_QUANTITY_TOO_LOW', tooLow: 'INVALID_QUANTITY_TOO_LOW' },
} as const;
type BoundCodes = (typeof BOUND_CODES)[keyof typeof BOUND_CODES];

/** One state of one level, asked to change by some units. The common form of all three mutations. */
interface Step {
  readonly field: readonly string[];
  readonly itemId: string;
  readonly locationId: string;
  readonly name: StockState;
  readonly delta: number;
  readonly ledgerDocumentUri: string | null;
}

export class InventoryChanges {
  readonly #inventory: Inventory;
  #groups = 0;

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  adjust(input: AdjustInput, nowMs: number): InventoryResult {
    const errors = [
      ...headErrors(input),
      ...nameErrors(input.name, ['input', 'name']),
      ...input.changes.flatMap((change, index) => {
        const field = ['input', 'changes', String(index)];
        return [
          ...this.#placeErrors(change.inventoryItemId, change.locationId, field),
          ...documentErrors(input.name, change.ledgerDocumentUri, [...field, 'ledgerDocumentUri']),
          ...this.#staleErrors(change.inventoryItemId, input.name, change, field),
        ];
      }),
      ...oneDocumentErrors(input),
    ];
    const steps = input.changes.map((change, index) => ({
      field: ['input', 'changes', String(index), 'delta'],
      itemId: change.inventoryItemId,
      locationId: change.locationId,
      name: input.name as StockState,
      delta: change.delta,
      ledgerDocumentUri: change.ledgerDocumentUri ?? null,
    }));
    return this.#apply(input, steps, errors, BOUND_CODES.adjust, nowMs);
  }

  move(input: MoveInput, nowMs: number): InventoryResult {
    const errors = [
      ...headErrors(input),
      ...input.changes.flatMap((change, index) =>
        this.#moveErrors(change, ['input', 'changes', String(index)]),
      ),
    ];
    const steps = input.changes.flatMap((change, index) => {
      const field = ['input', 'changes', String(index), 'quantity'];
      return [
        { ...buildStep(change.inventoryItemId, change.from, field), delta: -change.quantity },
        { ...buildStep(change.inventoryItemId, change.to, field), delta: change.quantity },
      ];
    });
    return this.#apply(input, steps, errors, BOUND_CODES.move, nowMs);
  }

  set(input: SetInput, nowMs: number): InventoryResult {
    const errors = [
      ...headErrors(input),
      ...setNameErrors(input.name),
      ...duplicateErrors(input),
      ...input.quantities.flatMap((entry, index) => {
        const field = ['input', 'quantities', String(index)];
        return [
          ...this.#placeErrors(entry.inventoryItemId, entry.locationId, field),
          ...rangeErrors(entry.quantity, [...field, 'quantity']),
          ...this.#staleErrors(entry.inventoryItemId, input.name, entry, field),
        ];
      }),
    ];
    const steps = input.quantities.map((entry, index) => ({
      field: ['input', 'quantities', String(index), 'quantity'],
      itemId: entry.inventoryItemId,
      locationId: entry.locationId,
      // Setting on_hand moves `available`: the other states are accounted for by somebody.
      name: 'available' as const,
      delta: entry.quantity - this.#countUnits(entry.inventoryItemId, entry.locationId, input.name),
      ledgerDocumentUri: null,
    }));
    return this.#apply(input, steps, errors, BOUND_CODES.set, nowMs);
  }

  #moveErrors(change: MoveInput['changes'][number], field: readonly string[]): InventoryUserError[] {
    const { from, to, inventoryItemId } = change;
    const errors = (['from', 'to'] as const).flatMap((side) => {
      const terminal = change[side];
      const at = [...field, side];
      return [
        ...this.#placeErrors(inventoryItemId, terminal.locationId, at),
        ...nameErrors(terminal.name, [...at, 'name']),
        ...documentErrors(terminal.name, terminal.ledgerDocumentUri, [...at, 'ledgerDocumentUri']),
        ...this.#staleErrors(inventoryItemId, terminal.name, terminal, at),
      ];
    });
    errors.push(...rangeErrors(change.quantity, [...field, 'quantity']));
    if (from.locationId !== to.locationId) {
      errors.push(
        refusal(field, 'DIFFERENT_LOCATIONS', "The quantities can't be moved between different locations."),
      );
    }
    if (from.name === to.name) {
      errors.push(
        refusal(field, 'SAME_QUANTITY_NAME', "The quantity names for each change can't be the same."),
      );
    }
    return errors;
  }

  #placeErrors(itemId: string, locationId: string, field: readonly string[]): InventoryUserError[] {
    const errors: InventoryUserError[] = [];
    if (!this.#inventory.items.has(itemId)) {
      const at = field.at(-1) === 'from' || field.at(-1) === 'to' ? field.slice(0, -1) : field;
      errors.push(
        refusal(
          [...at, 'inventoryItemId'],
          'INVALID_INVENTORY_ITEM',
          'The specified inventory item could not be found.',
        ),
      );
    }
    if (!this.#inventory.locations.has(locationId)) {
      errors.push(
        refusal([...field, 'locationId'], 'INVALID_LOCATION', 'The specified location could not be found.'),
      );
    }
    return errors;
  }

  /** Compare and swap. Every change of a call is compared with the quantity from before the call. */
  #staleErrors(
    itemId: string,
    name: string,
    change: { readonly locationId: string; readonly changeFromQuantity?: number | null },
    field: readonly string[],
  ): InventoryUserError[] {
    const expected = change.changeFromQuantity;
    if (typeof expected !== 'number' || expected === this.#countUnits(itemId, change.locationId, name))
      return [];
    const message = 'The changeFromQuantity argument no longer matches the persisted quantity.';
    return [refusal([...field, 'changeFromQuantity'], 'CHANGE_FROM_QUANTITY_STALE', message)];
  }

  #countUnits(itemId: string, locationId: string, name: string): number {
    const level = this.#inventory.levelAt(itemId, locationId);
    return level ? readQuantity(level.quantities, name as QuantityName) : 0;
  }

  #apply(
    input: { readonly reason: string; readonly referenceDocumentUri?: string | null },
    steps: readonly Step[],
    errors: readonly InventoryUserError[],
    codes: BoundCodes,
    nowMs: number,
  ): InventoryResult {
    const problems = errors.length > 0 ? errors : this.#boundErrors(steps, codes);
    if (problems.length > 0) return { inventoryAdjustmentGroup: null, userErrors: problems };
    const effective = steps.filter((step) => step.delta !== 0);
    if (effective.length === 0) return { inventoryAdjustmentGroup: null, userErrors: [] };
    const byLevel = new Map<Level, Partial<Quantities>>();
    for (const step of effective) {
      const level = this.#inventory.stockItemAt(step.itemId, step.locationId, nowMs);
      const deltas = byLevel.get(level) ?? {};
      byLevel.set(level, { ...deltas, [step.name]: (deltas[step.name] ?? 0) + step.delta });
    }
    for (const [level, deltas] of byLevel) this.#inventory.change(level, deltas, nowMs);
    this.#groups += 1;
    return {
      inventoryAdjustmentGroup: {
        id: toGid('InventoryAdjustmentGroup', BigInt(this.#groups)),
        createdMs: nowMs,
        reason: input.reason,
        referenceDocumentUri: input.referenceDocumentUri ?? null,
        changes: toChanges(effective),
      },
      userErrors: [],
    };
  }

  /** `available` may go below zero, every other state may not. */
  #boundErrors(steps: readonly Step[], codes: BoundCodes): InventoryUserError[] {
    const totals = new Map<string, number>();
    return steps.flatMap(({ field, itemId, locationId, name, delta }) => {
      const key = `${itemId} ${locationId} ${name}`;
      const units = (totals.get(key) ?? this.#countUnits(itemId, locationId, name)) + delta;
      totals.set(key, units);
      if (units > QUANTITY_MAX_UNITS) {
        return [
          refusal(field, 'INVALID_QUANTITY_TOO_HIGH', "The quantity can't be higher than 1,000,000,000."),
        ];
      }
      if (name !== 'available' && units < 0) {
        return [refusal(field, codes.belowZero, `The quantity of ${name} can't be negative.`)];
      }
      if (units >= -QUANTITY_MAX_UNITS) return [];
      return [refusal(field, codes.tooLow, "The quantity can't be lower than -1,000,000,000.")];
    });
  }
}

function buildStep(itemId: string, terminal: MoveTerminal, field: readonly string[]): Omit<Step, 'delta'> {
  return {
    field,
    itemId,
    locationId: terminal.locationId,
    name: terminal.name as StockState,
    ledgerDocumentUri: terminal.ledgerDocumentUri ?? null,
  };
}

/** As Shopify reports it: the states that were asked for, then what that did to on_hand. */
function toChanges(steps: readonly Step[]): InventoryChange[] {
  const onHandDeltas = new Map<string, InventoryChange>();
  for (const { itemId, locationId, name, delta } of steps) {
    if (name === 'incoming') continue;
    const key = `${itemId} ${locationId}`;
    const sum = (onHandDeltas.get(key)?.delta ?? 0) + delta;
    onHandDeltas.set(key, { itemId, locationId, name: 'on_hand', delta: sum, ledgerDocumentUri: null });
  }
  return [
    ...steps.map(({ field: _field, ...change }) => change),
    ...[...onHandDeltas.values()].filter((change) => change.delta !== 0),
  ];
}

function headErrors(input: {
  readonly reason: string;
  readonly referenceDocumentUri?: string | null;
}): InventoryUserError[] {
  const errors: InventoryUserError[] = [];
  if (!REASONS.has(input.reason)) {
    const message = `The specified reason is invalid. Valid values are: ${[...REASONS].join(', ')}.`;
    errors.push(refusal(['input', 'reason'], 'INVALID_REASON', message));
  }
  if (typeof input.referenceDocumentUri === 'string' && !isUri(input.referenceDocumentUri)) {
    const message = 'The specified reference document is invalid.';
    errors.push(refusal(['input', 'referenceDocumentUri'], 'INVALID_REFERENCE_DOCUMENT', message));
  }
  return errors;
}

function nameErrors(name: string, field: readonly string[]): InventoryUserError[] {
  if (ADJUSTABLE_NAMES.includes(name)) return [];
  const message = `The specified quantity name is invalid. Valid values are: ${ADJUSTABLE_NAMES.join(', ')}.`;
  return [refusal(field, 'INVALID_QUANTITY_NAME', message)];
}

function setNameErrors(name: string): InventoryUserError[] {
  if (name === 'available' || name === 'on_hand') return [];
  return [
    refusal(['input', 'name'], 'INVALID_NAME', "The quantity name must be either 'available' or 'on_hand'."),
  ];
}

/** Shopify: a ledger document is required for every state but `available`, and forbidden for that. */
function documentErrors(
  name: string,
  uri: string | null | undefined,
  field: readonly string[],
): InventoryUserError[] {
  const isGiven = typeof uri === 'string';
  if (name === 'available') {
    const message = 'A ledger document URI is not allowed when adjusting available.';
    return isGiven ? [refusal(field, 'INVALID_AVAILABLE_DOCUMENT', message)] : [];
  }
  if (!isGiven) {
    const message = 'A ledger document URI is required except when adjusting available.';
    return [refusal(field, 'INVALID_QUANTITY_DOCUMENT', message)];
  }
  if (uri.startsWith('gid://shopify/')) {
    return [
      refusal(
        field,
        'INTERNAL_LEDGER_DOCUMENT',
        "Internal (gid://shopify/) ledger documents aren't allowed to be adjusted via API.",
      ),
    ];
  }
  return isUri(uri) ? [] : [refusal(field, 'INVALID_LEDGER_DOCUMENT', 'The ledger document URI is invalid.')];
}

function oneDocumentErrors(input: AdjustInput): InventoryUserError[] {
  const documents = new Set(input.changes.flatMap((change) => change.ledgerDocumentUri ?? []));
  if (documents.size <= 1) return [];
  const message =
    'All changes must have the same ledger document URI or, in the case of adjusting available, no ledger document URI.';
  return [refusal(['input', 'changes'], 'MAX_ONE_LEDGER_DOCUMENT', message)];
}

function duplicateErrors(input: SetInput): InventoryUserError[] {
  const seen = new Set<string>();
  return input.quantities.flatMap(({ inventoryItemId, locationId }, index) => {
    const pair = `${inventoryItemId} ${locationId}`;
    const isRepeated = seen.has(pair);
    seen.add(pair);
    if (!isRepeated) return [];
    const message = 'The combination of inventoryItemId and locationId must be unique.';
    return [
      refusal(
        ['input', 'quantities', String(index)],
        'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
        message,
      ),
    ];
  });
}

function rangeErrors(quantity: number, field: readonly string[]): InventoryUserError[] {
  if (quantity < 0) return [refusal(field, 'INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative.")];
  if (quantity <= QUANTITY_MAX_UNITS) return [];
  return [refusal(field, 'INVALID_QUANTITY_TOO_HIGH', "The quantity can't be higher than 1,000,000,000.")];
}

function refusal(field: readonly string[], code: string, message: string): InventoryUserError {
  return { field, code, message };
}

function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/\S+$/iu.test(text);
}
