/** Orders, and the lines that they share with draft orders. An order commits units; nothing here ships them yet. */

import { gidOf } from './gid.js';
import type { Inventory, Level, Variant } from './inventory.js';
import type { StockState } from './quantities.js';

export const NO_ADDRESS = {
  address1: null,
  address2: null,
  city: null,
  company: null,
  countryCode: null,
  firstName: null,
  lastName: null,
  phone: null,
  provinceCode: null,
  zip: null,
};

type AddressPart = keyof typeof NO_ADDRESS;
export type AddressInput = { readonly [K in AddressPart]?: string | null };
/** As given: the sandbox neither completes nor checks addresses. */
export type Address = { readonly [K in AddressPart]: string | null } & { readonly id: string };

export interface Attribute {
  readonly key: string;
  readonly value: string;
}

export interface Line {
  readonly id: string;
  readonly uuid: string;
  /** Null for a custom line, which no stock stands behind. */
  readonly variantId: string | null;
  readonly title: string;
  readonly variantTitle: string | null;
  readonly sku: string | null;
  readonly quantity: number;
  readonly unitCents: number;
  readonly customAttributes: readonly Attribute[];
}

/** What a draft order hands over to its order. */
export interface Details {
  readonly email: string | null;
  readonly phone: string | null;
  readonly note: string | null;
  readonly poNumber: string | null;
  readonly tags: readonly string[];
  readonly customAttributes: readonly Attribute[];
  readonly shippingAddress: Address | null;
  readonly billingAddress: Address | null;
  readonly sourceName: string | null;
}

export interface Order extends Details {
  readonly id: string;
  readonly number: number;
  /** As the merchant sees it: "#1001". */
  readonly name: string;
  readonly lines: readonly Line[];
  readonly isPaid: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** Units of one level, for a line. */
export interface Allocation {
  readonly level: Level;
  readonly units: number;
}

export const NO_DETAILS: Details = {
  email: null,
  phone: null,
  note: null,
  poNumber: null,
  tags: [],
  customAttributes: [],
  shippingAddress: null,
  billingAddress: null,
  sourceName: null,
};

/** Shopify numbers a shop's first order 1001. */
const FIRST_NUMBER = 1001;
const FIRST_ID = 6_203_198_177_577n;
const ID_STEP = 32_768n;

export class Orders {
  readonly #inventory: Inventory;
  readonly #orders = new Map<string, Order>();

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  all(): Iterable<Order> {
    return this.#orders.values();
  }

  /**
   * Makes an order. `held` are units that are already out of `available`: they move from `reserved` to `committed`.
   * Without them the units come out of `available` at each item's priority location, whatever is left there: on this
   * path Shopify does not look at the stock.
   */
  place(
    request: {
      lines: readonly Line[];
      details: Details;
      held: readonly Allocation[] | null;
      isPaid: boolean;
    },
    nowMs: number,
  ): Order {
    const allocations = request.held ?? allocate(this.#inventory, request.lines);
    commit(this.#inventory, allocations, request.held ? 'reserved' : 'available', nowMs);
    const index = this.#orders.size;
    const number = FIRST_NUMBER + index;
    const order: Order = {
      ...request.details,
      id: gidOf('Order', FIRST_ID + ID_STEP * BigInt(index)),
      number,
      name: `#${number}`,
      lines: request.lines.map((line, position) => ({ ...line, id: lineId(index, position) })),
      isPaid: request.isPaid,
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    this.#orders.set(order.id, order);
    return order;
  }
}

/**
 * Each line's units at its item's priority location, never split. Custom lines, untracked items and items that no
 * active location stocks take nothing.
 */
export function allocate(inventory: Inventory, lines: readonly Line[]): readonly Allocation[] {
  return lines.flatMap((line) => {
    const variant = line.variantId === null ? undefined : inventory.variants.get(line.variantId);
    if (!variant || !inventory.itemOfVariant(variant).tracked) return [];
    const level = inventory.priorityLevel(variant.itemId);
    return level ? [{ level, units: line.quantity }] : [];
  });
}

/** The catalogue's part of a line. */
export function lineOfVariant(inventory: Inventory, variant: Variant) {
  return {
    variantId: variant.id,
    title: inventory.productOfVariant(variant).title,
    variantTitle: variant.title,
    sku: inventory.itemOfVariant(variant).sku,
    unitCents: variant.priceCents,
  };
}

export function totalCents(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
}

function commit(
  inventory: Inventory,
  allocations: readonly Allocation[],
  from: StockState,
  nowMs: number,
): void {
  for (const { level, units } of allocations) {
    inventory.change(level, { [from]: -units, committed: units }, nowMs);
  }
}

/** Lines of all orders share one numbering; a draft order has at most 499. */
function lineId(orderIndex: number, position: number): string {
  return gidOf('LineItem', 15_480_261_837_033n + BigInt(orderIndex) * 1_000n + BigInt(position));
}
