/**
 * Draft orders, and the units that they hold. Shopify: `DraftOrderInput.reserveInventoryUntil` takes units out of
 * `available` until that time, at the shop's priority location, without looking at the stock, so `available` may go
 * below zero. Shopify's user errors for drafts carry no codes, and neither do these.
 *
 * Sources differ on the state that held units are in. Here it is `reserved`; a client should look at `available` only.
 */

import { gidOf, numberOfGid } from './gid.js';
import type { Inventory } from './inventory.js';
import { parseCents } from './money.js';
import {
  type Address,
  type AddressInput,
  type Allocation,
  type Attribute,
  allocate,
  type Details,
  type Line,
  lineOfVariant,
  NO_ADDRESS,
  NO_DETAILS,
  type Orders,
} from './orders.js';
import { parseTimeMs } from './time.js';

export interface DraftOrder extends Details {
  readonly id: string;
  /** As the merchant sees it: "#D1". */
  readonly name: string;
  readonly lines: readonly Line[];
  /** Stays after it has passed; whether units are held is what `held` says. */
  readonly reserveUntilMs: number | null;
  readonly held: readonly Allocation[];
  readonly orderId: string | null;
  readonly completedMs: number | null;
  readonly createdMs: number;
  readonly updatedMs: number;
}

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

export interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
}

/** What a draft mutation answers. After a refusal the draft is as it was before. */
export interface DraftResult {
  readonly draftOrder: DraftOrder | null;
  readonly userErrors: readonly UserError[];
}

/** Shopify's limits for draft orders. */
export const DRAFT_LINES_MAX = 499;
export const DRAFT_TAGS_MAX = 250;
export const DRAFT_TAG_MAX_CHARACTERS = 40;

const FIRST_ID = 1_167_390_081_257n;
const ID_STEP = 32_768n;

export class DraftOrders {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #drafts = new Map<string, DraftOrder>();
  /** Ids of the drafts that hold units: looking for lapsed ones must not cost more with every draft ever made. */
  readonly #holding = new Set<string>();
  #created = 0;
  #addresses = 0;

  constructor(inventory: Inventory, orders: Orders) {
    this.#inventory = inventory;
    this.#orders = orders;
  }

  get(id: string): DraftOrder | undefined {
    return this.#drafts.get(id);
  }

  all(): Iterable<DraftOrder> {
    return this.#drafts.values();
  }

  /** Refuses a time in the past, an empty draft, unknown variants, and what is above Shopify's limits. */
  create(input: DraftInput, nowMs: number): DraftResult {
    const userErrors = [...this.#inputErrors(input, nowMs), ...emptyErrors(input)];
    if (userErrors.length > 0) return { draftOrder: null, userErrors };
    const index = this.#created;
    this.#created += 1;
    const draft: DraftOrder = {
      ...NO_DETAILS,
      ...this.#changedDetails(input),
      id: gidOf('DraftOrder', FIRST_ID + ID_STEP * BigInt(index)),
      name: `#D${index + 1}`,
      lines: this.#linesOf(input.lineItems ?? [], index),
      reserveUntilMs: reserveUntilMs(input) ?? null,
      held: [],
      orderId: null,
      completedMs: null,
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    return this.#saved(this.#withUnitsHeld(draft, nowMs));
  }

  /**
   * Changes what the input names; null clears. A new `reserveInventoryUntil` extends the hold, or takes the units
   * again when it had lapsed; null lets go of them. Completed drafts are refused (Shopify's behaviour is not known).
   */
  update(id: string, input: DraftInput, nowMs: number): DraftResult {
    const draft = this.#drafts.get(id);
    if (!draft) return unknownDraft();
    const userErrors = [
      ...(draft.orderId === null ? [] : [{ field: null, message: 'Draft order has already been completed' }]),
      ...this.#inputErrors(input, nowMs),
      ...('lineItems' in input ? emptyErrors(input) : []),
    ];
    if (userErrors.length > 0) return { draftOrder: draft, userErrors };
    const { lineItems } = input;
    const isHoldTouched = lineItems != null || input.reserveInventoryUntil !== undefined;
    const until = reserveUntilMs(input);
    const changed: DraftOrder = {
      ...draft,
      ...this.#changedDetails(input),
      lines: lineItems ? this.#linesOf(lineItems, draftIndex(draft)) : draft.lines,
      reserveUntilMs: until === undefined ? draft.reserveUntilMs : until,
      updatedMs: nowMs,
    };
    return this.#saved(isHoldTouched ? this.#withHoldReplaced(changed, nowMs) : changed);
  }

  /**
   * Makes the order. While the hold is live its units move from `reserved` to `committed`; once it has lapsed, or
   * when there never was one, they are taken out of `available`. Completing again answers with the same order and
   * the user error "This order has been paid", as Shopify does.
   */
  complete(
    id: string,
    options: {
      readonly paymentPending: boolean;
      readonly sourceName: string | null;
      readonly gatewayId: string | null;
    },
    nowMs: number,
  ): DraftResult {
    const draft = this.#drafts.get(id);
    if (!draft) return unknownDraft();
    if (draft.orderId !== null) {
      return { draftOrder: draft, userErrors: [{ field: null, message: 'This order has been paid' }] };
    }
    if (options.gatewayId !== null) {
      return { draftOrder: draft, userErrors: [{ field: null, message: 'Invalid payment gateway' }] };
    }
    const details = { ...detailsOf(draft), sourceName: options.sourceName ?? draft.sourceName };
    const isHolding = draft.held.length > 0;
    const order = this.#orders.place(
      { lines: draft.lines, details, held: isHolding ? draft.held : null, isPaid: !options.paymentPending },
      nowMs,
    );
    return this.#saved({ ...draft, held: [], orderId: order.id, completedMs: nowMs, updatedMs: nowMs });
  }

  /** Forgets an open draft and lets go of its units. An unknown or a completed one is refused. */
  delete(
    id: string,
    nowMs: number,
  ): { readonly deletedId: string | null; readonly userErrors: readonly UserError[] } {
    const draft = this.#drafts.get(id);
    if (!draft) return { deletedId: null, userErrors: unknownDraft().userErrors };
    if (draft.orderId !== null) {
      const message = 'Draft order has been completed and cannot be deleted';
      return { deletedId: null, userErrors: [{ field: null, message }] };
    }
    this.#letGo(draft, nowMs);
    this.#drafts.delete(id);
    this.#holding.delete(id);
    return { deletedId: id, userErrors: [] };
  }

  /**
   * Lets go of all units whose time has come. Called before every request, it makes lapsing a fact of the clock: the
   * levels say that they changed when the time came, not when somebody next looked.
   */
  lapse(nowMs: number): void {
    for (const id of this.#holding) {
      const draft = this.#drafts.get(id);
      if (!draft || draft.reserveUntilMs === null || draft.reserveUntilMs > nowMs) continue;
      this.#letGo(draft, draft.reserveUntilMs);
      this.#saved({ ...draft, held: [] });
    }
  }

  #saved(draft: DraftOrder): DraftResult {
    this.#drafts.set(draft.id, draft);
    if (draft.held.length > 0) this.#holding.add(draft.id);
    else this.#holding.delete(draft.id);
    return { draftOrder: draft, userErrors: [] };
  }

  #withUnitsHeld(draft: DraftOrder, nowMs: number): DraftOrder {
    if (draft.reserveUntilMs === null || draft.reserveUntilMs <= nowMs) return draft;
    const held = allocate(this.#inventory, draft.lines);
    for (const { level, units } of held) {
      this.#inventory.change(level, { available: -units, reserved: units }, nowMs);
    }
    return { ...draft, held };
  }

  /** Stock moves only when what is held changes: extending the time alone leaves the levels as they are. */
  #withHoldReplaced(draft: DraftOrder, nowMs: number): DraftOrder {
    const isLive = draft.reserveUntilMs !== null && draft.reserveUntilMs > nowMs;
    const holdsItsLines =
      draft.held.length > 0 && isSameTaking(draft.held, allocate(this.#inventory, draft.lines));
    if (isLive && holdsItsLines) return draft;
    this.#letGo(draft, nowMs);
    return this.#withUnitsHeld({ ...draft, held: [] }, nowMs);
  }

  #letGo(draft: DraftOrder, atMs: number): void {
    for (const { level, units } of draft.held) {
      this.#inventory.change(level, { available: units, reserved: -units }, atMs);
    }
  }

  #inputErrors(input: DraftInput, nowMs: number): UserError[] {
    const errors: UserError[] = [];
    const until = reserveUntilMs(input);
    if (typeof until === 'number' && until <= nowMs) {
      errors.push({ field: null, message: "Reserve until can't be in the past" });
    }
    if (typeof input.email === 'string' && !/^\S+@\S+$/u.test(input.email)) {
      errors.push({ field: ['email'], message: 'Email is invalid' });
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
      ...lines.flatMap((line, index) => this.#lineErrors(line, ['lineItems', String(index)])),
    ];
  }

  #lineErrors(line: DraftLineInput, field: readonly string[]): UserError[] {
    const errors: UserError[] = [];
    if (line.quantity < 1) {
      errors.push({ field: [...field, 'quantity'], message: 'Quantity must be greater than or equal to 1' });
    }
    if (line.variantId == null && !line.title?.trim()) {
      errors.push({ field: [...field, 'title'], message: "Title can't be blank" });
    }
    if (line.variantId != null && !this.#inventory.variants.has(line.variantId)) {
      const message = `Product with ID ${numberOfGid(line.variantId)} is no longer available.`;
      errors.push({ field: [...field, 'variantId'], message });
    }
    return errors;
  }

  #linesOf(inputs: readonly DraftLineInput[], index: number): readonly Line[] {
    return inputs.map((input, position) => {
      const variant = input.variantId == null ? undefined : this.#inventory.variants.get(input.variantId);
      const number = 58_113_420_919_145n + BigInt(index) * 1_000n + BigInt(position);
      const own = {
        id: gidOf('DraftOrderLineItem', number),
        uuid: input.uuid ?? `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
        quantity: input.quantity,
        customAttributes: input.customAttributes ?? [],
      };
      if (variant) return { ...own, ...lineOfVariant(this.#inventory, variant) };
      return {
        ...own,
        variantId: null,
        title: input.title ?? '',
        variantTitle: null,
        sku: input.sku ?? null,
        unitCents: parseCents(input.originalUnitPrice ?? '0'),
      };
    });
  }

  #changedDetails(input: DraftInput): Partial<Details> {
    const changed: { -readonly [K in keyof Details]?: Details[K] } = {};
    for (const name of ['email', 'phone', 'note', 'poNumber', 'sourceName'] as const) {
      const text = input[name];
      if (text !== undefined) changed[name] = text;
    }
    if (input.tags !== undefined) changed.tags = [...new Set(input.tags?.map((tag) => tag.trim()) ?? [])];
    if (input.customAttributes !== undefined) changed.customAttributes = input.customAttributes ?? [];
    if (input.shippingAddress !== undefined) changed.shippingAddress = this.#addressOf(input.shippingAddress);
    if (input.billingAddress !== undefined) changed.billingAddress = this.#addressOf(input.billingAddress);
    return changed;
  }

  #addressOf(input: AddressInput | null): Address | null {
    if (input === null) return null;
    this.#addresses += 1;
    return {
      ...NO_ADDRESS,
      ...input,
      id: gidOf('MailingAddress', 9_410_077_491_369n + BigInt(this.#addresses)),
    };
  }
}

function draftIndex(draft: DraftOrder): number {
  return Number((BigInt(numberOfGid(draft.id)) - FIRST_ID) / ID_STEP);
}

function unknownDraft(): DraftResult {
  return { draftOrder: null, userErrors: [{ field: ['id'], message: 'Draft order does not exist' }] };
}

function emptyErrors(input: DraftInput): UserError[] {
  return input.lineItems?.length ? [] : [{ field: null, message: 'Add at least 1 product' }];
}

/** Undefined when the input does not speak of it. The schema has checked that the text is a time. */
function reserveUntilMs({ reserveInventoryUntil }: DraftInput): number | null | undefined {
  return typeof reserveInventoryUntil === 'string'
    ? parseTimeMs(reserveInventoryUntil)
    : reserveInventoryUntil;
}

function detailsOf(draft: DraftOrder): Details {
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

/** Whether both take the same units from the same levels, line by line. */
function isSameTaking(left: readonly Allocation[], right: readonly Allocation[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ level, units }, index) => level === right[index]?.level && units === right[index]?.units)
  );
}
