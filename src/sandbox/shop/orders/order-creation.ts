/**
 * Shopify's `orderCreate`: an order from nothing, by an app. It has no idempotency key: sent twice, it makes two orders.
 * Out of stock was measured at Shopify as the code INVALID, though the schema has INVENTORY_CLAIM_FAILED for it; the
 * setting `outOfStockCode` answers with either.
 */

import { numberOfGid } from '../../base/gid.js';
import { type AddressInput, type Attribute, type Details, type Line, NO_DETAILS } from '../../base/line.js';
import { parseCents } from '../../base/money.js';
import type { CodedUserError } from '../../base/user-error.js';
import type { Inventory } from '../stock/inventory.js';
import { BUYER_RULES, type BuyerRules, buyerErrors } from './buyer-rules.js';
import type { Order } from './order.js';
import { lineOfVariant, type Orders } from './orders.js';
import type { Allocation, Routing } from './routing.js';

export type InventoryBehaviour = 'BYPASS' | 'DECREMENT_IGNORING_POLICY' | 'DECREMENT_OBEYING_POLICY';
export type OutOfStockCode = 'INVALID' | 'INVENTORY_CLAIM_FAILED';

interface LineInput {
  readonly variantId?: string | null;
  readonly quantity: number;
  readonly title?: string | null;
  readonly variantTitle?: string | null;
  readonly sku?: string | null;
  readonly priceSet?: { readonly shopMoney: { readonly amount: string } } | null;
  readonly properties?: readonly { readonly name: string; readonly value: string }[] | null;
}

/** The part of Shopify's `OrderCreateOrderInput` that the sandbox emulates. */
export interface OrderInput {
  readonly lineItems?: readonly LineInput[] | null;
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly note?: string | null;
  readonly poNumber?: string | null;
  readonly tags?: readonly string[] | null;
  readonly customAttributes?: readonly Attribute[] | null;
  readonly shippingAddress?: AddressInput | null;
  readonly billingAddress?: AddressInput | null;
  readonly sourceName?: string | null;
  readonly sourceIdentifier?: string | null;
  readonly financialStatus?: string | null;
  readonly transactions?:
    | readonly {
        readonly kind?: string | null;
        readonly status?: string | null;
        readonly amountSet: { readonly shopMoney: { readonly amount: string } };
      }[]
    | null;
}

export interface OrderCreateResult {
  readonly order: Order | null;
  readonly userErrors: readonly CodedUserError[];
}

const LINES_FIELD = ['order', 'lineItems'];

export class OrderCreation {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #routing: Routing;
  /** What a shop out of stock answers with. May be changed at any time. */
  outOfStockCode: OutOfStockCode;
  /** May be changed at any time. */
  buyerRules: BuyerRules = BUYER_RULES;

  constructor(inventory: Inventory, orders: Orders, routing: Routing, outOfStockCode: OutOfStockCode) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#routing = routing;
    this.outOfStockCode = outOfStockCode;
  }

  /** Refuses empty orders, unknown variants, and with DECREMENT_OBEYING_POLICY what is not in stock and has policy DENY. */
  create(input: OrderInput, behaviour: InventoryBehaviour, nowMs: number): OrderCreateResult {
    const errors = this.#inputErrors(input);
    if (errors.length > 0) return { order: null, userErrors: errors };
    const lines = (input.lineItems ?? []).map((line) => this.#buildLine(line));
    const allocations = this.#allocations(lines, behaviour);
    if (!allocations) {
      const message = 'Line items Unable to reserve inventory';
      return { order: null, userErrors: [{ field: LINES_FIELD, message, code: this.outOfStockCode }] };
    }
    const order = this.#orders.place(
      {
        lines,
        details: this.#buildDetails(input),
        taking: { from: 'available', allocations },
        isPaid: isPaid(input, lines),
        sourceIdentifier: input.sourceIdentifier ?? null,
      },
      nowMs,
    );
    return { order, userErrors: [] };
  }

  #allocations(lines: readonly Line[], behaviour: InventoryBehaviour): readonly Allocation[] | null {
    if (behaviour === 'BYPASS') return [];
    return this.#routing.claim(lines, behaviour === 'DECREMENT_OBEYING_POLICY');
  }

  #inputErrors(input: OrderInput): CodedUserError[] {
    const { lineItems, financialStatus } = input;
    const invalid = (field: readonly string[], message: string): CodedUserError => ({
      field,
      message,
      code: 'INVALID',
    });
    if (!lineItems?.length) return [invalid(LINES_FIELD, 'Line items must have at least one line item')];
    const errors = lineItems.flatMap((line, index) => {
      const field = [...LINES_FIELD, String(index)];
      if (line.quantity < 1)
        return [invalid([...field, 'quantity'], 'Line items Quantity must be greater than 0')];
      if (line.variantId != null && !this.#inventory.variants.has(line.variantId)) {
        return [
          invalid(
            [...field, 'variantId'],
            `Product with ID ${numberOfGid(line.variantId)} is no longer available.`,
          ),
        ];
      }
      return line.variantId == null && !line.title?.trim()
        ? [invalid(LINES_FIELD, "Line items Name can't be blank")]
        : [];
    });
    for (const { field, message } of buyerErrors(input, this.buyerRules)) {
      errors.push({ field: field === null ? null : ['order', ...field], message, code: 'INVALID' });
    }
    if (financialStatus != null && financialStatus !== 'PAID' && financialStatus !== 'PENDING') {
      errors.push(invalid(['order', 'financialStatus'], 'the sandbox shop emulates PAID and PENDING'));
    }
    return errors;
  }

  #buildLine(input: LineInput): Line {
    const variant = input.variantId == null ? undefined : this.#inventory.variants.get(input.variantId);
    const own = {
      id: '',
      uuid: '',
      quantity: input.quantity,
      customAttributes: (input.properties ?? []).map(({ name, value }) => ({ key: name, value })),
    };
    const price = input.priceSet?.shopMoney.amount;
    if (variant) {
      const known = lineOfVariant(this.#inventory, variant);
      return { ...own, ...known, unitCents: price === undefined ? known.unitCents : parseCents(price) };
    }
    return {
      ...own,
      variantId: null,
      itemId: null,
      title: input.title ?? '',
      variantTitle: input.variantTitle ?? null,
      sku: input.sku ?? null,
      unitCents: parseCents(price ?? '0'),
    };
  }

  #buildDetails(input: OrderInput): Details {
    return {
      ...NO_DETAILS,
      email: input.email ?? null,
      phone: input.phone ?? null,
      note: input.note ?? null,
      poNumber: input.poNumber ?? null,
      tags: [...new Set((input.tags ?? []).map((tag) => tag.trim()))],
      customAttributes: input.customAttributes ?? [],
      shippingAddress: this.#orders.toAddress(input.shippingAddress),
      billingAddress: this.#orders.toAddress(input.billingAddress),
      sourceName: input.sourceName ?? null,
    };
  }
}

/** Shopify: paid when it says so, or when its transactions cover the total; an order of nothing said is paid. */
function isPaid({ financialStatus, transactions }: OrderInput, lines: readonly Line[]): boolean {
  if (financialStatus != null) return financialStatus === 'PAID';
  if (!transactions?.length) return true;
  const paid = transactions
    .filter(({ kind, status }) => (kind ?? 'SALE') === 'SALE' && (status ?? 'SUCCESS') === 'SUCCESS')
    .reduce((sum, { amountSet }) => sum + parseCents(amountSet.shopMoney.amount), 0);
  return paid >= lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
}
