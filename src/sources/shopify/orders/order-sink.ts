/**
 * Holds as draft orders with `reserveInventoryUntil`, and orders as their completion. Shopify takes the units out
 * of `available` when the draft is made and gives them back by itself at that time, so a crash here costs the
 * merchant at most one TTL of stock. (Which state the units sit in meanwhile is documented both ways: never read it.)
 *
 * Shopify does not look at stock before it holds: whoever makes a hold re-reads the level afterwards.
 */

import type { OrderPayment } from '../../../ledger/model/order.js';
import type { StockMove } from '../../../ledger/model/stock-transfer.js';
import {
  type BuyerRefused,
  type FulfilmentMove,
  type FulfilmentObservation,
  type HoldRequest,
  type LateOrderSink,
  type MoveOutcome,
  type OrderDetails,
  type OrderOutcome,
  type OrderRequest,
  type OrderSink,
  type PlaceOutcome,
  type ShopHold,
  type ShopOrder,
  type TaggedFinds,
  UpstreamError,
  type WriteOutcome,
} from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS, type Hold, type ResultOf, type VariablesOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import { HOLDS_PER_TAG_MAX } from '../client/limits.js';
import { takeFirst } from '../client/paging.js';
import { matches } from '../client/search.js';
import { judgeErrors } from '../client/user-errors.js';
import { done, findFlaw, judged, refused, refusedAs, refusedBy, unknown } from '../client/write-outcome.js';
import { sendMove } from '../holds/stock-mover.js';
import {
  ANCHOR_ATTRIBUTE,
  anchorAttributes,
  buyerInput,
  NO_BUYER,
  ORDER_ATTRIBUTES,
  orderAttributes,
  RESERVATION_ATTRIBUTE,
  refuseCountry,
} from './buyer-input.js';
import { moveFulfilment, readFulfilment } from './fulfilment.js';
import { isOrdersLimited, OrderMaker, paced, unsent } from './order-maker.js';
import { shopLines } from './shop-lines.js';
import { COMMON_TAG } from './tag.js';
import { cancelUnpaidOrder, findTaggedDrafts, findTaggedOrders } from './tagged.js';

type Input = VariablesOf<typeof DOCUMENTS.update_hold>['input'];
type Draft = NonNullable<ResultOf<typeof DOCUMENTS.hold>['draftOrder']>;

/** Draft orders' user errors have no codes. */
interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
}

const HOLD_STATUS = {
  OPEN: 'open',
  INVOICE_SENT: 'open',
  COMPLETED: 'completed',
} as const satisfies Record<Hold['status'], ShopHold['status']>;

export class ShopifyOrderSink implements OrderSink, LateOrderSink {
  readonly #client: LaneClient;
  readonly #maker: OrderMaker;

  constructor(client: LaneClient) {
    this.#client = client;
    this.#maker = new OrderMaker(client);
  }

  async createHold(request: HoldRequest, signal: AbortSignal): Promise<WriteOutcome<ShopHold>> {
    const flaw = findFlaw(request);
    if (flaw !== null) return refused(flaw);
    const until = await this.#endAtShop(request.until_ms, signal);
    if (until.outcome !== 'done') return until;
    const input: Input = {
      lineItems: request.lines.map((line) => ({
        variantId: gid('ProductVariant', line.variant_id),
        quantity: line.quantity_units,
      })),
      reserveInventoryUntil: until.value,
      tags: [COMMON_TAG, request.tag],
      customAttributes: [
        { key: RESERVATION_ATTRIBUTE, value: request.tag },
        ...anchorAttributes(request.anchor),
      ],
    };
    const sent = await this.#client.write(DOCUMENTS.create_hold, { input }, signal);
    return await judged(sent, (data) => this.#created(data.draftOrderCreate));
  }

  async updateHold(
    holdRef: string,
    details: OrderDetails,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ShopHold> | BuyerRefused> {
    const refusal = refuseCountry(details.buyer);
    if (refusal !== null) return refusal;
    const found = await this.#look(holdRef, signal);
    if (found.outcome !== 'done') return found;
    if (found.value === null) return refused('the hold no longer exists', 'gone');
    if (found.value.status === 'COMPLETED') return refused('the hold is completed');
    const until = await this.#endAtShop(details.until_ms, signal);
    if (until.outcome !== 'done') return until;
    const id = gid('DraftOrder', holdRef);
    // No `tags`: what is sent replaces what is there, and ours is how a lost hold is found again.
    const input = buildInput(details, until.value, found.value);
    const sent = await this.#client.write(DOCUMENTS.update_hold, { id, input }, signal);
    return await judged(sent, (data) => this.#updated(data.draftOrderUpdate));
  }

  async completeHold(
    holdRef: string,
    signal: AbortSignal,
    payment: OrderPayment,
    maySend: () => boolean = () => true,
  ): Promise<OrderOutcome> {
    const variables = { id: gid('DraftOrder', holdRef), pending: payment === 'pending' };
    if (!maySend()) return unsent('too late to be sent');
    const sent = await this.#client.write(DOCUMENTS.complete_hold, variables, signal);
    if (isOrdersLimited(sent)) return paced(sent);
    return await judged(sent, (data) => this.#completed(holdRef, data.draftOrderComplete, signal));
  }

  async deleteHold(holdRef: string, signal: AbortSignal): Promise<WriteOutcome<null>> {
    // Read first: should the shop let a completed draft be deleted, "gone" would hide an order that was made.
    const found = await this.#look(holdRef, signal);
    if (found.outcome !== 'done') return found;
    const settled = letGo(found.value);
    if (settled !== null) return settled;
    const sent = await this.#client.write(DOCUMENTS.delete_hold, { id: gid('DraftOrder', holdRef) }, signal);
    return await judged(sent, (data) => this.#deleted(holdRef, data.draftOrderDelete, signal));
  }

  async findHolds(tag: string, signal: AbortSignal): Promise<readonly ShopHold[]> {
    const query = matches('tag', tag);
    const found = await takeFirst(HOLDS_PER_TAG_MAX, async (after) => {
      const variables = { query, first: HOLDS_PER_TAG_MAX, after };
      return (await this.#client.read(DOCUMENTS.holds, variables, signal)).data.draftOrders;
    });
    return found.filter((hold) => hold.tags.includes(tag)).map((hold) => this.#shopHold(hold));
  }

  async readHold(holdRef: string, signal: AbortSignal): Promise<ShopHold | null> {
    const draft = await this.#read(holdRef, signal);
    return draft === null ? null : this.#shopHold(draft);
  }

  moveStock(move: StockMove, signal: AbortSignal): Promise<MoveOutcome> {
    return sendMove(this.#client, move, signal);
  }

  placeOrder(
    request: OrderRequest,
    signal: AbortSignal,
    maySend: () => boolean = () => true,
  ): Promise<PlaceOutcome> {
    return this.#maker.place(request, signal, maySend);
  }

  async findTagged(tags: readonly string[], signal: AbortSignal): Promise<TaggedFinds> {
    const [orders, drafts] = await Promise.all([
      findTaggedOrders(this.#client, tags, signal),
      findTaggedDrafts(this.#client, tags, signal),
    ]);
    return { orders, holds: drafts.map(({ tag, draft }) => ({ tag, hold: this.#shopHold(draft) })) };
  }

  cancelOrder(orderRef: string, signal: AbortSignal): Promise<WriteOutcome<null>> {
    return cancelUnpaidOrder(this.#client, orderRef, signal);
  }

  findOrders(tag: string, signal: AbortSignal): Promise<readonly ShopOrder[]> {
    return this.#maker.find(tag, signal);
  }

  readFulfilment(orderRef: string, signal: AbortSignal): Promise<readonly FulfilmentObservation[] | null> {
    return readFulfilment(this.#client, orderRef, signal);
  }

  moveFulfilment(
    move: FulfilmentMove,
    signal: AbortSignal,
    maySend: () => boolean = () => true,
  ): Promise<WriteOutcome<null>> {
    return moveFulfilment(this.#client, move, signal, maySend);
  }

  #created(payload: Payload | null): WriteOutcome<ShopHold> {
    // Never seen, but if it happens the shop holds units: the look-up by tag will tell.
    if (payload?.draftOrder && payload.userErrors.length > 0) return unknown(this.#said(payload));
    const outcome = this.#updated(payload);
    // A hold is made without details of the buyer: whatever the shop means, none can be corrected.
    return outcome.outcome === 'buyer_refused' ? refused(outcome.detail) : outcome;
  }

  #updated(payload: Payload | null): WriteOutcome<ShopHold> | BuyerRefused {
    if (payload !== null && payload.userErrors.length > 0)
      return refusedBy(payload.userErrors, this.#said(payload));
    const draft = payload?.draftOrder ?? null;
    return draft === null ? unknown('neither a draft order nor an error') : done(this.#shopHold(draft));
  }

  /** User errors have no codes, so what is not plainly done is read off the draft itself. */
  async #completed(holdRef: string, payload: Payload | null, signal: AbortSignal): Promise<OrderOutcome> {
    // Shopify answers a second completion with the order and the error "This order has been paid": the order counts.
    const made = payload?.draftOrder ? toShopOrder(payload.draftOrder) : null;
    if (made !== null) return done(made);
    if (payload === null || payload.userErrors.length === 0) return unknown('completed without an order');
    const detail = this.#said(payload);
    const meaning = judgeErrors(payload.userErrors);
    if (meaning.means === 'paced') return paced({ detail });
    const found = await this.#look(holdRef, signal);
    // The shop said no, but whether because it is done already is not known: never a plain "not sent".
    if (found.outcome !== 'done') return unknown(detail);
    const draft = found.value;
    const order = draft === null ? null : toShopOrder(draft);
    if (order !== null) return done(order);
    if (draft?.status === 'COMPLETED') return unknown('completed without an order');
    // Shopify 2026-10: a draft that still computes (`ready: false`) cannot be completed yet.
    if (draft?.ready === false) {
      return { outcome: 'not_sent', failure: 'throttled', detail, retry_after_ms: NOT_READY_RETRY_MS };
    }
    return refusedAs(meaning, detail);
  }

  async #deleted(
    holdRef: string,
    payload: { readonly deletedId: string | null; readonly userErrors: readonly UserError[] } | null,
    signal: AbortSignal,
  ): Promise<WriteOutcome<null>> {
    if (payload?.deletedId) return done(null);
    if (payload === null || payload.userErrors.length === 0) return unknown('neither deleted nor an error');
    const found = await this.#look(holdRef, signal);
    if (found.outcome !== 'done') return unknown(this.#said(payload));
    return letGo(found.value) ?? refused(this.#said(payload));
  }

  #said({ userErrors }: { readonly userErrors: readonly UserError[] }): string {
    const lines = userErrors.map(({ field, message }) => `${field?.join('.') ?? '-'}: ${message}`);
    return this.#client.clean(lines.join('; '));
  }

  #shopHold(hold: Hold): ShopHold {
    return shopHold(hold, this.#client.shopLeadMs);
  }

  /** A ledger time by the shop's clock, as the shop wants it. A read on the way to a write: when it fails, the write was not sent. */
  async #endAtShop(until_ms: number, signal: AbortSignal): Promise<WriteOutcome<string>> {
    try {
      const lead_ms = await this.#client.shopLead(signal);
      return done(new Date(until_ms - lead_ms).toISOString());
    } catch (error) {
      return notSent(error);
    }
  }

  async #read(holdRef: string, signal: AbortSignal): Promise<Draft | null> {
    const { data } = await this.#client.read(DOCUMENTS.hold, { id: gid('DraftOrder', holdRef) }, signal);
    return data.draftOrder;
  }

  /** A read on the way to a write: when it fails, the write was not sent. */
  async #look(holdRef: string, signal: AbortSignal): Promise<WriteOutcome<Draft | null>> {
    try {
      return { outcome: 'done', value: await this.#read(holdRef, signal) };
    } catch (error) {
      return notSent(error);
    }
  }
}

/** Throws what is no failure of the shop. */
function notSent(error: unknown): Extract<WriteOutcome<never>, { outcome: 'not_sent' }> {
  if (!(error instanceof UpstreamError)) throw error;
  const { failure, detail, retry_after_ms } = error;
  return { outcome: 'not_sent', failure, detail, retry_after_ms };
}

/** How long a draft that still computes is given. */
const NOT_READY_RETRY_MS = 2_000;

interface Payload {
  readonly draftOrder: Hold | null;
  readonly userErrors: readonly UserError[];
}

/** What the state of a hold means for letting it go; null when it is there and open. */
function letGo(draft: Draft | null): WriteOutcome<null> | null {
  if (draft === null) return done(null);
  return draft.status === 'COMPLETED' ? refused('the hold is completed') : null;
}

/** `leadMs`: how far ledger time is ahead of the shop's. */
function shopHold(hold: Hold, leadMs: number): ShopHold {
  const until_ms = hold.reserveInventoryUntil === null ? Number.NaN : Date.parse(hold.reserveInventoryUntil);
  return {
    hold_ref: parseTail('DraftOrder', hold.id),
    lines: shopLines(hold.lineItems),
    status: HOLD_STATUS[hold.status],
    until_ms: Number.isNaN(until_ms) ? null : until_ms + leadMs,
    checkout_url: checkoutUrl(hold.invoiceUrl),
    order: toShopOrder(hold),
  };
}

/** The buyer will be sent there: nothing but a web address passes, and only https off this machine. */
function checkoutUrl(url: unknown): string | null {
  if (typeof url !== 'string' || !URL.canParse(url)) return null;
  const { protocol, hostname, username } = new URL(url);
  const isLoopback = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]';
  return username === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback)) ? url : null;
}

/** The order that a draft became has the draft's lines: a completed draft can't be changed any more. */
function toShopOrder({ order, lineItems }: Hold): ShopOrder | null {
  if (order === null) return null;
  const { id, name, cancelledAt } = order;
  return {
    order_ref: parseTail('Order', id),
    order_name: name,
    lines: shopLines(lineItems),
    is_cancelled: cancelledAt !== null,
  };
}

/** What is null in `details` is left as the shop has it, but for a corrected order. Attributes are replaced as a whole, so others' are kept. */
function buildInput(
  { buyer, note, reference, is_corrected, anchor }: OrderDetails,
  reserveInventoryUntil: string,
  draft: Draft,
): Input {
  const kept = draft.customAttributes.filter(
    ({ key }) => !ORDER_ATTRIBUTES.has(key) && (key !== ANCHOR_ATTRIBUTE || anchor === undefined),
  );
  const attributes = [
    ...kept.map(({ key, value }) => ({ key, value: value ?? '' })),
    ...anchorAttributes(anchor),
    ...orderAttributes(buyer, reference),
  ];
  return {
    reserveInventoryUntil,
    customAttributes: attributes,
    ...(is_corrected === true ? { note, ...NO_BUYER } : note === null ? {} : { note }),
    ...(buyer === null ? {} : buyerInput(buyer)),
  };
}
