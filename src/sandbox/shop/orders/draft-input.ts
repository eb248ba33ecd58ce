/** What a draft order is made of: Shopify's input, what is wrong with it, and the lines and details that follow from it. */

import { numberOfGid, toGid } from '../../base/gid.js';
import type { AddressInput, Attribute, Details, Line } from '../../base/line.js';
import { parseCents } from '../../base/money.js';
import { parseTimeMs } from '../../base/time.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory } from '../stock/inventory.js';
import { lineOfVariant, type Orders } from './orders.js';

export interface DraftLineInput {
  readonly variantId?: string | null;
  readonly quantity: number;
  readonly title?: string | null;
  readonly originalUnitPrice?: string | null;
  readonly sku?: string | null;
  readonly uuid?: string | null;
  readonly customAttributes?: readonly Attribute[] | null;
}

/** The part of Shopify's `DraftOrderInput` that the sandbox emulates. A field that is absent stays as it is. */
export interface DraftInput {
  readonly lineItems?: readonly DraftLineInput[] | null;
  readonly reserveInventoryUntil?: string | null;
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly note?: string | null;
  readonly poNumber?: string | null;
  readonly tags?: readonly string[] | null;
  readonly customAttributes?: readonly Attribute[] | null;
  readonly shippingAddress?: AddressInput | null;
  readonly billingAddress?: AddressInput | null;
  readonly sourceName?: string | null;
}

/** Shopify's limits for draft orders. */
export const DRAFT_LINES_MAX = 499;
export const DRAFT_TAGS_MAX = 250;
export const DRAFT_TAG_MAX_CHARACTERS = 40;

/** Refuses a time in the past, unknown variants, and what is above Shopify's limits; `buyer-rules.ts` has the rest. */
export function inputErrors(inventory: Inventory, input: DraftInput, nowMs: number): UserError[] {
  const errors: UserError[] = [];
  const until = reserveUntilMs(input);
  if (typeof until === 'number' && until <= nowMs) {
    errors.push({ field: null, message: "Reserve until can't be in the past" });
  }
  if ((input.tags?.length ?? 0) > DRAFT_TAGS_MAX) {
    errors.push({ field: ['tags'], message: `Tags exceed the maximum of ${DRAFT_TAGS_MAX}` });
  }
  if (input.tags?.some((tag) => tag.length > DRAFT_TAG_MAX_CHARACTERS)) {
    errors.push({
      field: ['tags'],
      message: `Tags are too long (maximum is ${DRAFT_TAG_MAX_CHARACTERS} characters)`,
    });
  }
  const lines = input.lineItems ?? [];
  if (lines.length > DRAFT_LINES_MAX) {
    errors.push({ field: ['lineItems'], message: `Line items exceed the maximum of ${DRAFT_LINES_MAX}` });
  }
  return [
    ...errors,
    ...lines.flatMap((line, index) => lineErrors(inventory, line, ['lineItems', String(index)])),
  ];
}

function lineErrors(inventory: Inventory, line: DraftLineInput, field: readonly string[]): UserError[] {
  const errors: UserError[] = [];
  if (line.quantity < 1) {
    errors.push({ field: [...field, 'quantity'], message: 'Quantity must be greater than or equal to 1' });
  }
  if (line.variantId == null && !line.title?.trim()) {
    errors.push({ field: [...field, 'title'], message: "Title can't be blank" });
  }
  if (line.variantId != null && !inventory.variants.has(line.variantId)) {
    const message = `Product with ID ${numberOfGid(line.variantId)} is no longer available.`;
    errors.push({ field: [...field, 'variantId'], message });
  }
  return errors;
}

export function emptyErrors(input: DraftInput): UserError[] {
  return input.lineItems?.length ? [] : [{ field: null, message: 'Add at least 1 product' }];
}

/** `index` is the draft's, counted from 0: lines are numbered after it. */
export function buildLines(
  inventory: Inventory,
  inputs: readonly DraftLineInput[],
  index: number,
): readonly Line[] {
  return inputs.map((input, position) => {
    const variant = input.variantId == null ? undefined : inventory.variants.get(input.variantId);
    const number = 58_113_420_919_145n + BigInt(index) * 1_000n + BigInt(position);
    const own = {
      id: toGid('DraftOrderLineItem', number),
      uuid: input.uuid ?? `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
      quantity: input.quantity,
      customAttributes: input.customAttributes ?? [],
    };
    if (variant) return { ...own, ...lineOfVariant(inventory, variant) };
    return {
      ...own,
      variantId: null,
      itemId: null,
      title: input.title ?? '',
      variantTitle: null,
      sku: input.sku ?? null,
      unitCents: parseCents(input.originalUnitPrice ?? '0'),
    };
  });
}

/** The details that the input names; null clears. */
export function changedDetails(orders: Orders, input: DraftInput): Partial<Details> {
  const changed: { -readonly [K in keyof Details]?: Details[K] } = {};
  for (const name of ['email', 'phone', 'note', 'poNumber', 'sourceName'] as const) {
    const text = input[name];
    if (text !== undefined) changed[name] = text;
  }
  if (input.tags !== undefined) changed.tags = [...new Set(input.tags?.map((tag) => tag.trim()) ?? [])];
  if (input.customAttributes !== undefined) changed.customAttributes = input.customAttributes ?? [];
  if (input.shippingAddress !== undefined) changed.shippingAddress = orders.toAddress(input.shippingAddress);
  if (input.billingAddress !== undefined) changed.billingAddress = orders.toAddress(input.billingAddress);
  return changed;
}

/** Undefined when the input does not speak of it. The schema has checked that the text is a time. */
export function reserveUntilMs({ reserveInventoryUntil }: DraftInput): number | null | undefined {
  return typeof reserveInventoryUntil === 'string'
    ? parseTimeMs(reserveInventoryUntil)
    : reserveInventoryUntil;
}

/** Of all that a draft order is, what its order takes over. */
export function pickDetails(draft: Details): Details {
  const {
    email,
    phone,
    note,
    poNumber,
    tags,
    customAttributes,
    shippingAddress,
    billingAddress,
    sourceName,
  } = draft;
  return {
    email,
    phone,
    note,
    poNumber,
    tags,
    customAttributes,
    shippingAddress,
    billingAddress,
    sourceName,
  };
}
