/**
 * Orders without a draft. Shopify 2026-10: `orderCreate` has no idempotency key, and an unknown outcome is looked up by
 * `sourceIdentifier`. What a draft would do by itself has to be said: that stock is taken and only if it is there, that
 * the order is paid, and which lines are shipped. Taxes and shipping lines are not computed on this path.
 */

import {
  type OrderOutcome,
  type OrderRequest,
  type PlaceOutcome,
  type ShopOrder,
  UpstreamError,
  type WriteOutcome,
} from '../upstream.js';
import { buyerInput, hasBadCountry, orderAttributes, RESERVATION_ATTRIBUTE } from './buyer-input.js';
import type { ShopifyClient } from './client.js';
import { DOCUMENTS, type ResultOf, type VariablesOf } from './documents.js';
import { gid, tailOf } from './gid.js';
import { HOLDS_PER_TAG_MAX, ORDERS_LIMITED_WAIT_MS } from './limits.js';
import { anyOf, matches } from './search.js';
import { COMMON_TAG } from './tag.js';
import { done, flawOf, judged, refused, unknown } from './write-outcome.js';

type Payload = NonNullable<ResultOf<typeof DOCUMENTS.place_order>['orderCreate']>;
type UserError = Payload['userErrors'][number];
type Input = VariablesOf<typeof DOCUMENTS.place_order>['order'];

/**
 * Shopify has no code for its limit on development stores, neither over HTTP (429) nor as a user error: the words are all
 * there is. Should they change, the limit is met as an ordinary refusal or throttling.
 */
const ORDERS_LIMITED = /order API rate limit/i;

/** Out of stock, as measured at 2026-10: the code INVALID on the lines, although the schema has one of its own. */
const NO_STOCK = /unable to reserve inventory/i;

export class OrderMaker {
  readonly #client: ShopifyClient;

  constructor(client: ShopifyClient) {
    this.#client = client;
  }

  async place(request: OrderRequest, signal: AbortSignal, maySend: () => boolean): Promise<PlaceOutcome> {
    const flaw = flawOf(request);
    if (flaw !== null) return refused(flaw);
    if (hasBadCountry(request.buyer)) return refused('a country code is two letters');
    const shipped = await this.#shipped(request, signal);
    if (shipped.outcome !== 'done') return shipped;
    const order = inputOf(request, shipped.value);
    if (!maySend()) return unsent('too late to be sent');
    const sent = await this.#client.write(DOCUMENTS.place_order, { order }, signal);
    if (isOrdersLimited(sent)) return paced(sent);
    return await judged(sent, (data) => this.#placed(data.orderCreate));
  }

  async find(tag: string, signal: AbortSignal): Promise<readonly ShopOrder[]> {
    // An order that a draft became has the draft's tags, and no source identifier.
    const query = anyOf([matches('source_identifier', tag), matches('tag', tag)]);
    const { data } = await this.#client.read(
      DOCUMENTS.orders_by_source,
      { query, first: HOLDS_PER_TAG_MAX },
      signal,
    );
    return data.orders.nodes
      .filter(({ sourceIdentifier, tags }) => sourceIdentifier === tag || tags.includes(tag))
      .map(shopOrder);
  }

  #placed(payload: Payload | null): PlaceOutcome {
    if (payload === null) return unknown('an order without an answer');
    if (payload.order !== null) return done(shopOrder(payload.order));
    if (payload.userErrors.length === 0) return unknown('neither an order nor an error');
    const lines = payload.userErrors.map(
      ({ code, field, message }) => `${code ?? '-'} ${field?.join('.') ?? '-'}: ${message}`,
    );
    const detail = this.#client.clean(lines.join('; '));
    if (ORDERS_LIMITED.test(detail)) return paced({ detail });
    return payload.userErrors.some(isOutOfStock) ? { outcome: 'out_of_stock', detail } : refused(detail);
  }

  /** Which of the variants are shipped. A read on the way to a write: when it fails, the write was not sent. */
  async #shipped(
    { lines }: OrderRequest,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ReadonlyMap<string, boolean>>> {
    const ids = lines.map(({ variant_id }) => gid('ProductVariant', variant_id));
    try {
      const { data } = await this.#client.read(DOCUMENTS.shipped_variants, { ids }, signal);
      const known = data.nodes.flatMap((node): [string, boolean][] =>
        node?.__typename === 'ProductVariant'
          ? [[tailOf('ProductVariant', node.id), node.inventoryItem.requiresShipping]]
          : [],
      );
      return done(new Map(known));
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { failure, detail, retry_after_ms } = error;
      return { outcome: 'not_sent', failure, detail, retry_after_ms };
    }
  }
}

function unsent(detail: string): PlaceOutcome {
  return { outcome: 'not_sent', failure: 'unreachable', detail, retry_after_ms: null };
}

/** The shop takes only so many orders a minute, and this one it turned away: whatever is `unknown` stays unknown. */
export function isOrdersLimited(sent: { readonly outcome: string; readonly detail?: string }): sent is {
  readonly outcome: 'refused' | 'not_sent';
  readonly detail: string;
  readonly retry_after_ms?: number | null;
} {
  const isSure = sent.outcome === 'refused' || sent.outcome === 'not_sent';
  return isSure && ORDERS_LIMITED.test(sent.detail ?? '');
}

export function paced(sent: {
  readonly detail: string;
  readonly retry_after_ms?: number | null;
}): Extract<OrderOutcome, { outcome: 'paced' }> {
  const { detail, retry_after_ms } = sent;
  return { outcome: 'paced', detail, retry_after_ms: retry_after_ms ?? ORDERS_LIMITED_WAIT_MS };
}

function isOutOfStock({ code, field, message }: UserError): boolean {
  if (code === 'INVENTORY_CLAIM_FAILED') return true;
  return code === 'INVALID' && field?.join('.') === 'order.lineItems' && NO_STOCK.test(message);
}

function shopOrder({ id, name }: { readonly id: string; readonly name: string }): ShopOrder {
  return { order_ref: tailOf('Order', id), order_name: name };
}

/** As the completion of a draft would make it: paid, tagged, with the buyer's details. */
function inputOf(request: OrderRequest, shipped: ReadonlyMap<string, boolean>): Input {
  const { tag, lines, buyer, note, reference } = request;
  return {
    lineItems: lines.map(({ variant_id, quantity_units }) => ({
      variantId: gid('ProductVariant', variant_id),
      quantity: quantity_units,
      // The schema's own default is false, whatever the variant says.
      requiresShipping: shipped.get(variant_id) ?? true,
    })),
    financialStatus: 'PAID',
    sourceIdentifier: tag,
    tags: [COMMON_TAG, tag],
    customAttributes: [{ key: RESERVATION_ATTRIBUTE, value: tag }, ...orderAttributes(buyer, reference)],
    ...(note === null ? {} : { note }),
    ...(buyer === null ? {} : buyerInput(buyer)),
  };
}
