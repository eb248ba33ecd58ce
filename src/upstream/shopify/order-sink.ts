/**
 * Holds as draft orders with `reserveInventoryUntil`, and orders as their completion. Shopify takes the units out
 * of `available` when the draft is made and gives them back by itself at that time, so a crash here costs the
 * merchant at most one TTL of stock. (Which state the units sit in meanwhile is documented both ways: never read it.)
 *
 * Shopify does not look at stock before it holds: whoever makes a hold re-reads the level afterwards.
 */

import type { Buyer, BuyerAddress } from '../../ledger/buyer.js';
import {
  type HoldRequest,
  type OrderDetails,
  type OrderSink,
  type ShopHold,
  type ShopOrder,
  UpstreamError,
  type WriteOutcome,
} from '../upstream.js';
import type { ShopifyClient } from './client.js';
import { DOCUMENTS, type Hold, type ResultOf, type VariablesOf } from './documents.js';
import { gid, tailOf } from './gid.js';
import { HOLD_LINES_MAX, HOLDS_PER_TAG_MAX, TAG_CHARS_MAX } from './limits.js';
import { matches } from './search.js';

/** On every hold, so that a merchant can find them all. */
const COMMON_TAG = 'holdfast';
/** Custom attributes. A merchant sees them on the draft and on the order. */
const RESERVATION_ATTRIBUTE = 'holdfast_reservation';
const REFERENCE_ATTRIBUTE = 'holdfast_reference';
const BUYER_NAME_ATTRIBUTE = 'holdfast_buyer_name';
const OURS = new Set([REFERENCE_ATTRIBUTE, BUYER_NAME_ATTRIBUTE]);

const COUNTRY_CODE = /^[A-Za-z]{2}$/;

type Input = VariablesOf<typeof DOCUMENTS.update_hold>['input'];
type Address = NonNullable<Input['shippingAddress']>;
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

export class ShopifyOrderSink implements OrderSink {
  readonly #client: ShopifyClient;

  constructor(client: ShopifyClient) {
    this.#client = client;
  }

  async createHold(request: HoldRequest, signal: AbortSignal): Promise<WriteOutcome<ShopHold>> {
    const flaw = flawOf(request);
    if (flaw !== null) return refused(flaw);
    const input: Input = {
      lineItems: request.lines.map((line) => ({
        variantId: gid('ProductVariant', line.variant_id),
        quantity: line.quantity_units,
      })),
      reserveInventoryUntil: new Date(request.until_ms).toISOString(),
      tags: [COMMON_TAG, request.tag],
      customAttributes: [{ key: RESERVATION_ATTRIBUTE, value: request.tag }],
    };
    const sent = await this.#client.write(DOCUMENTS.create_hold, { input }, signal);
    return await judged(sent, (data) => this.#created(data.draftOrderCreate));
  }

  async updateHold(
    holdRef: string,
    details: OrderDetails,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ShopHold>> {
    // A shop that refuses a variable repeats it, and this one belongs to a buyer: it must not reach the log.
    const country = details.buyer?.shipping_address?.country_code;
    if (country !== undefined && !COUNTRY_CODE.test(country)) return refused('a country code is two letters');
    const found = await this.#look(holdRef, signal);
    if (found.outcome !== 'done') return found;
    if (found.value === null) return refused('the hold no longer exists');
    if (found.value.status === 'COMPLETED') return refused('the hold is completed');
    const id = gid('DraftOrder', holdRef);
    // No `tags`: what is sent replaces what is there, and ours is how a lost hold is found again.
    const input = inputOf(details, found.value);
    const sent = await this.#client.write(DOCUMENTS.update_hold, { id, input }, signal);
    return await judged(sent, (data) => this.#updated(data.draftOrderUpdate));
  }

  async completeHold(holdRef: string, signal: AbortSignal): Promise<WriteOutcome<ShopOrder>> {
    const id = gid('DraftOrder', holdRef);
    const sent = await this.#client.write(DOCUMENTS.complete_hold, { id }, signal);
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
    const variables = { query: matches('tag', tag), first: HOLDS_PER_TAG_MAX };
    const { data } = await this.#client.read(DOCUMENTS.holds, variables, signal);
    return data.draftOrders.nodes.filter((hold) => hold.tags.includes(tag)).map(shopHold);
  }

  async readHold(holdRef: string, signal: AbortSignal): Promise<ShopHold | null> {
    const draft = await this.#read(holdRef, signal);
    return draft === null ? null : shopHold(draft);
  }

  #created(payload: Payload | null): WriteOutcome<ShopHold> {
    // Never seen, but if it happens the shop holds units: the look-up by tag will tell.
    if (payload?.draftOrder && payload.userErrors.length > 0) return unknown(this.#said(payload));
    return this.#updated(payload);
  }

  #updated(payload: Payload | null): WriteOutcome<ShopHold> {
    if (payload !== null && payload.userErrors.length > 0) return refused(this.#said(payload));
    const draft = payload?.draftOrder ?? null;
    return draft === null ? unknown('neither a draft order nor an error') : done(shopHold(draft));
  }

  /** User errors have no codes, so what is not plainly done is read off the draft itself. */
  async #completed(
    holdRef: string,
    payload: Payload | null,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ShopOrder>> {
    // Shopify answers a second completion with the order and the error "This order has been paid": the order counts.
    const made = payload?.draftOrder ? orderOf(payload.draftOrder) : null;
    if (made !== null) return done(made);
    if (payload === null || payload.userErrors.length === 0) return unknown('completed without an order');
    const detail = this.#said(payload);
    const found = await this.#look(holdRef, signal);
    // The shop said no, but whether because it is done already is not known: never a plain "not sent".
    if (found.outcome !== 'done') return unknown(detail);
    const draft = found.value;
    const order = draft === null ? null : orderOf(draft);
    if (order !== null) return done(order);
    if (draft?.status === 'COMPLETED') return unknown('completed without an order');
    // Shopify 2026-10: a draft that still computes (`ready: false`) cannot be completed yet.
    if (draft?.ready === false) {
      return { outcome: 'not_sent', failure: 'throttled', detail, retry_after_ms: NOT_READY_RETRY_MS };
    }
    return refused(detail);
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

  async #read(holdRef: string, signal: AbortSignal): Promise<Draft | null> {
    const { data } = await this.#client.read(DOCUMENTS.hold, { id: gid('DraftOrder', holdRef) }, signal);
    return data.draftOrder;
  }

  /** A read on the way to a write: when it fails, the write was not sent. */
  async #look(holdRef: string, signal: AbortSignal): Promise<WriteOutcome<Draft | null>> {
    try {
      return { outcome: 'done', value: await this.#read(holdRef, signal) };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { failure, detail, retry_after_ms } = error;
      return { outcome: 'not_sent', failure, detail, retry_after_ms };
    }
  }
}

/** How long a draft that still computes is given. */
const NOT_READY_RETRY_MS = 2_000;

interface Payload {
  readonly draftOrder: Hold | null;
  readonly userErrors: readonly UserError[];
}

function done<T>(value: T): WriteOutcome<T> {
  return { outcome: 'done', value };
}

function refused(detail: string): WriteOutcome<never> {
  return { outcome: 'refused', failure: 'refused', detail };
}

function unknown(detail: string): WriteOutcome<never> {
  return { outcome: 'unknown', detail };
}

/** Why the shop would refuse this, as far as we know its rules; null when it would not. */
function flawOf({ tag, lines }: HoldRequest): string | null {
  if (lines.length === 0) return 'a hold without lines';
  if (lines.length > HOLD_LINES_MAX) return `more than ${HOLD_LINES_MAX} lines`;
  if (lines.some((line) => !Number.isSafeInteger(line.quantity_units) || line.quantity_units < 1)) {
    return 'a quantity that is not a positive integer';
  }
  // A cut or split tag could not be looked up again.
  if (tag === '' || tag.length > TAG_CHARS_MAX || tag.includes(','))
    return 'a tag that the shop would change';
  return null;
}

/** What the answer to a mutation that ran means. One that cannot be read leaves it unknown: writes do not throw. */
async function judged<Data, Value>(
  sent: WriteOutcome<Data>,
  read: (data: Data) => WriteOutcome<Value> | Promise<WriteOutcome<Value>>,
): Promise<WriteOutcome<Value>> {
  if (sent.outcome !== 'done') return sent;
  try {
    return await read(sent.value);
  } catch (error) {
    if (error instanceof UpstreamError) return unknown(error.detail);
    throw error;
  }
}

/** What the state of a hold means for letting it go; null when it is there and open. */
function letGo(draft: Draft | null): WriteOutcome<null> | null {
  if (draft === null) return done(null);
  return draft.status === 'COMPLETED' ? refused('the hold is completed') : null;
}

function shopHold(hold: Hold): ShopHold {
  const until_ms = hold.reserveInventoryUntil === null ? Number.NaN : Date.parse(hold.reserveInventoryUntil);
  return {
    hold_ref: tailOf('DraftOrder', hold.id),
    status: HOLD_STATUS[hold.status],
    until_ms: Number.isNaN(until_ms) ? null : until_ms,
    order: orderOf(hold),
  };
}

function orderOf({ order }: Hold): ShopOrder | null {
  return order === null ? null : { order_ref: tailOf('Order', order.id), order_name: order.name };
}

/** What is null in `details` is left as the shop has it. Attributes are replaced as a whole, so others' are kept. */
function inputOf({ until_ms, buyer, note, reference }: OrderDetails, draft: Draft): Input {
  const kept = draft.customAttributes.filter(({ key }) => !OURS.has(key));
  const attributes = [...kept.map(({ key, value }) => ({ key, value: value ?? '' }))];
  if (reference !== null) attributes.push({ key: REFERENCE_ATTRIBUTE, value: reference });
  // A name alone makes no address, and an address without a country may be refused: it must not be lost either.
  if (buyer?.name !== undefined && buyer.shipping_address === undefined) {
    attributes.push({ key: BUYER_NAME_ATTRIBUTE, value: buyer.name });
  }
  return {
    reserveInventoryUntil: new Date(until_ms).toISOString(),
    customAttributes: attributes,
    ...(note === null ? {} : { note }),
    ...(buyer === null ? {} : buyerInput(buyer)),
  };
}

function buyerInput(buyer: Buyer): Input {
  const { email, phone, shipping_address } = buyer;
  if (shipping_address !== undefined) {
    return { ...defined({ email }), shippingAddress: addressInput(shipping_address, buyer) };
  }
  return defined({ email, phone });
}

function addressInput(address: BuyerAddress, { name, phone }: Buyer): Address {
  const { address1, address2, city, province, postal_code: zip, country_code } = address;
  return defined({
    ...nameParts(name),
    address1,
    address2,
    city,
    zip,
    phone,
    // The schema knows which codes there are; one that it does not know is refused by the shop.
    countryCode: country_code?.toUpperCase() as Address['countryCode'],
    // `province` (a name) is deprecated and still the only way when no code was given.
    ...(province !== undefined && isProvinceCode(province) ? { provinceCode: province } : { province }),
  });
}

function isProvinceCode(province: string): boolean {
  return /^[A-Z0-9]{1,3}$/.test(province);
}

/** Shopify wants two names. What comes after the last space is taken for the family name. */
function nameParts(name: string | undefined): Pick<Address, 'firstName' | 'lastName'> {
  const words = name?.trim().split(/\s+/) ?? [];
  const lastName = words.pop();
  return defined({
    firstName: words.length > 0 ? words.join(' ') : undefined,
    lastName: lastName || undefined,
  });
}

/** Without the undefined ones. */
function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
