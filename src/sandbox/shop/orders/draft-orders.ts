/**
 * Draft orders, and the units that they hold. Shopify: `DraftOrderInput.reserveInventoryUntil` takes units out of
 * `available` until that time, wherever the merchant's order routing says (routing.ts), without looking whether there are
 * enough, so `available` may go below zero. Shopify's user errors for drafts carry no codes, and neither do these.
 *
 * Sources differ on the state that held units are in. Here it is `reserved`; a client should look at `available` only.
 */

import type { ShopEvents } from '../../base/events.js';
import { numberOfGid, toGid } from '../../base/gid.js';
import { type Details, type Line, NO_DETAILS } from '../../base/line.js';
import type { UserError } from '../../base/user-error.js';
import type { Inventory, Level } from '../stock/inventory.js';
import { BUYER_RULES, type BuyerRules, buyerErrors } from './buyer-rules.js';
import {
  buildLines,
  changedDetails,
  type DraftInput,
  emptyErrors,
  inputErrors,
  pickDetails,
  reserveUntilMs,
} from './draft-input.js';
import type { Orders, Taking } from './orders.js';
import { type Allocation, listTakings, type Routing } from './routing.js';

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
  readonly invoiceSentMs: number | null;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** What a draft mutation answers. After a refusal the draft is as it was before. */
export interface DraftResult {
  readonly draftOrder: DraftOrder | null;
  readonly userErrors: readonly UserError[];
}

const FIRST_ID = 1_167_390_081_257n;
const ID_STEP = 32_768n;

export class DraftOrders {
  readonly #inventory: Inventory;
  readonly #orders: Orders;
  readonly #routing: Routing;
  readonly #events: ShopEvents;
  readonly #drafts = new Map<string, DraftOrder>();
  /** Ids of the drafts that hold units: looking for lapsed ones must not cost more with every draft ever made. */
  readonly #holding = new Set<string>();
  #created = 0;
  /** May be changed at any time. */
  buyerRules: BuyerRules = BUYER_RULES;

  constructor(inventory: Inventory, orders: Orders, routing: Routing, events: ShopEvents) {
    this.#inventory = inventory;
    this.#orders = orders;
    this.#routing = routing;
    this.#events = events;
  }

  get(id: string): DraftOrder | undefined {
    return this.#drafts.get(id);
  }

  all(): Iterable<DraftOrder> {
    return this.#drafts.values();
  }

  /** Refuses a time in the past, an empty draft, unknown variants, and what is above Shopify's limits. */
  create(input: DraftInput, nowMs: number): DraftResult {
    const userErrors = [
      ...buyerErrors(input, this.buyerRules),
      ...inputErrors(this.#inventory, input, nowMs),
      ...emptyErrors(input),
    ];
    if (userErrors.length > 0) return { draftOrder: null, userErrors };
    const index = this.#created;
    this.#created += 1;
    const draft: DraftOrder = {
      ...NO_DETAILS,
      ...changedDetails(this.#orders, input),
      id: toGid('DraftOrder', FIRST_ID + ID_STEP * BigInt(index)),
      name: `#D${index + 1}`,
      lines: buildLines(this.#inventory, input.lineItems ?? [], index),
      reserveUntilMs: reserveUntilMs(input) ?? null,
      held: [],
      orderId: null,
      completedMs: null,
      invoiceSentMs: null,
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    return this.#told('created', this.#saved(this.#withUnitsHeld(draft, nowMs)), nowMs);
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
      // Shopify's paths begin with `input` on an update and not on a creation, as captured of its other errors.
      ...buyerErrors(input, this.buyerRules).map(({ field, message }) => ({
        field: field === null ? null : ['input', ...field],
        message,
      })),
      ...inputErrors(this.#inventory, input, nowMs),
      ...('lineItems' in input ? emptyErrors(input) : []),
    ];
    if (userErrors.length > 0) return { draftOrder: draft, userErrors };
    const { lineItems } = input;
    const isHoldTouched = lineItems != null || input.reserveInventoryUntil !== undefined;
    const until = reserveUntilMs(input);
    const changed: DraftOrder = {
      ...draft,
      ...changedDetails(this.#orders, input),
      lines: lineItems ? buildLines(this.#inventory, lineItems, draftIndex(draft)) : draft.lines,
      reserveUntilMs: until === undefined ? draft.reserveUntilMs : until,
      updatedMs: nowMs,
    };
    const held = isHoldTouched ? this.#withHoldReplaced(changed, nowMs) : changed;
    return this.#told('updated', this.#saved(held), nowMs);
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
    const details = { ...pickDetails(draft), sourceName: options.sourceName ?? draft.sourceName };
    const taking: Taking =
      draft.held.length > 0
        ? { from: 'reserved', allocations: draft.held }
        : { from: 'available', allocations: this.#routing.allocate(draft.lines) };
    const order = this.#orders.place(
      { lines: draft.lines, details, taking, isPaid: !options.paymentPending },
      nowMs,
    );
    const completed = { ...draft, held: [], orderId: order.id, completedMs: nowMs, updatedMs: nowMs };
    return this.#told('updated', this.#saved(completed), nowMs);
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
    this.#events.publish({ kind: 'draft_order', change: 'deleted', atMs: nowMs, draftOrderId: id });
    return { deletedId: id, userErrors: [] };
  }

  /** Marks the invoice as sent. Completed drafts are refused; the sandbox sends no mail. */
  sendInvoice(id: string, to: string | null, nowMs: number): DraftResult {
    const draft = this.#drafts.get(id);
    if (!draft) return unknownDraft();
    if (draft.orderId !== null) {
      return {
        draftOrder: draft,
        userErrors: [{ field: null, message: 'Draft order has already been completed' }],
      };
    }
    if (!(to ?? draft.email)?.trim()) {
      return { draftOrder: draft, userErrors: [{ field: ['email', 'to'], message: "To can't be blank" }] };
    }
    return this.#told('updated', this.#saved({ ...draft, invoiceSentMs: nowMs, updatedMs: nowMs }), nowMs);
  }

  /** What was held at one level is held at another one; its units have moved already. */
  relocate(from: Level, to: Level): void {
    for (const id of this.#holding) {
      const draft = this.#drafts.get(id);
      if (!draft?.held.some(({ level }) => level === from)) continue;
      const held = draft.held.map((one) => (one.level === from ? { ...one, level: to } : one));
      this.#saved({ ...draft, held });
    }
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

  #told(change: 'created' | 'updated', result: DraftResult, atMs: number): DraftResult {
    if (result.draftOrder) {
      this.#events.publish({ kind: 'draft_order', change, atMs, draftOrderId: result.draftOrder.id });
    }
    return result;
  }

  #saved(draft: DraftOrder): DraftResult {
    this.#drafts.set(draft.id, draft);
    if (draft.held.length > 0) this.#holding.add(draft.id);
    else this.#holding.delete(draft.id);
    return { draftOrder: draft, userErrors: [] };
  }

  #withUnitsHeld(draft: DraftOrder, nowMs: number): DraftOrder {
    if (draft.reserveUntilMs === null || draft.reserveUntilMs <= nowMs) return draft;
    const held = this.#routing.allocate(draft.lines);
    for (const { level, units } of held) {
      this.#inventory.change(level, { available: -units, reserved: units }, nowMs);
    }
    return { ...draft, held };
  }

  /** Stock moves only when other units are to be held: extending the time alone leaves the levels as they are. */
  #withHoldReplaced(draft: DraftOrder, nowMs: number): DraftOrder {
    const isLive = draft.reserveUntilMs !== null && draft.reserveUntilMs > nowMs;
    if (isLive && draft.held.length > 0 && this.#holdsItsLines(draft)) return draft;
    this.#letGo(draft, nowMs);
    return this.#withUnitsHeld({ ...draft, held: [] }, nowMs);
  }

  /** Whether each line's units are held, wherever, and no others. */
  #holdsItsLines({ lines, held }: DraftOrder): boolean {
    return lines.every((line, position) => {
      const own = held.filter((one) => one.position === position);
      const takings = listTakings(this.#inventory, line);
      if (own.some(({ level }) => !takings.some(({ itemId }) => itemId === level.itemId))) return false;
      return takings.every(({ itemId, quantity }) => {
        const ofItem = own.filter(({ level }) => level.itemId === itemId);
        return ofItem.reduce((sum, one) => sum + one.units, 0) === quantity;
      });
    });
  }

  #letGo(draft: DraftOrder, atMs: number): void {
    for (const { level, units } of draft.held) {
      this.#inventory.change(level, { available: units, reserved: -units }, atMs);
    }
  }
}

function draftIndex(draft: DraftOrder): number {
  return Number((BigInt(numberOfGid(draft.id)) - FIRST_ID) / ID_STEP);
}

function unknownDraft(): DraftResult {
  return { draftOrder: null, userErrors: [{ field: ['id'], message: 'Draft order does not exist' }] };
}
