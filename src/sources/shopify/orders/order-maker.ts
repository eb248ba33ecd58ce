/**
 * Orders without a draft. Shopify 2026-10: `orderCreate` has no idempotency key, and an unknown outcome is looked up by
 * `sourceIdentifier`. What a draft would do by itself has to be said: that stock is taken and only if it is there, whether
 * the order is paid, and which lines are shipped. Taxes and shipping lines are not computed on this path.
 */

import { ReadBatch } from '../../read-batch.js';
import {
  type OrderOutcome,
  type OrderRequest,
  type PlaceOutcome,
  type ShopOrder,
  UpstreamError,
  type WriteOutcome,
} from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS, type ResultOf, type VariablesOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import {
  HOLDS_PER_TAG_MAX,
  ORDERS_LIMITED_WAIT_MS,
  SHIPPED_IDS_MAX,
  SHIPPED_KEPT_MAX,
  SHIPPED_READ_MS,
  SHIPPED_READS_MAX,
} from '../client/limits.js';
import { takeFirst } from '../client/paging.js';
import { joinTerms, matches } from '../client/search.js';
import { judgeError, judgeErrors } from '../client/user-errors.js';
import { done, findFlaw, judged, refused, refusedAs, unknown } from '../client/write-outcome.js';
import {
  anchorAttributes,
  buyerInput,
  orderAttributes,
  RESERVATION_ATTRIBUTE,
  refuseCountry,
} from './buyer-input.js';
import { shopLines } from './shop-lines.js';
import { COMMON_TAG } from './tag.js';

type Payload = NonNullable<ResultOf<typeof DOCUMENTS.place_order>['orderCreate']>;
type Made = NonNullable<Payload['order']>;
type Input = VariablesOf<typeof DOCUMENTS.place_order>['order'];

export class OrderMaker {
  readonly #client: LaneClient;
  readonly #shippedReads: ReadBatch;
  /** By variant, as last read: read anew for each order. */
  readonly #shipped = new Map<string, boolean>();

  constructor(client: LaneClient) {
    this.#client = client;
    this.#shippedReads = new ReadBatch({
      read: (ids) => this.#askShipped(ids),
      size_max: SHIPPED_IDS_MAX,
      concurrency: SHIPPED_READS_MAX,
    });
  }

  async place(request: OrderRequest, signal: AbortSignal, maySend: () => boolean): Promise<PlaceOutcome> {
    const flaw = findFlaw(request);
    if (flaw !== null) return refused(flaw);
    const refusal = refuseCountry(request.buyer);
    if (refusal !== null) return refusal;
    const shipped = await this.#readShipped(request, signal);
    if (shipped.outcome !== 'done') return shipped;
    const order = buildInput(request, shipped.value);
    if (!maySend()) return unsent('too late to be sent');
    const sent = await this.#client.write(DOCUMENTS.place_order, { order }, signal);
    if (isOrdersLimited(sent)) return paced(sent);
    return await judged(sent, (data) => this.#placed(data.orderCreate));
  }

  async find(tag: string, signal: AbortSignal): Promise<readonly ShopOrder[]> {
    // An order that a draft became has the draft's tags, and no source identifier.
    const query = joinTerms([matches('source_identifier', tag), matches('tag', tag)]);
    const found = await takeFirst(HOLDS_PER_TAG_MAX, async (after) => {
      const variables = { query, first: HOLDS_PER_TAG_MAX, after };
      return (await this.#client.read(DOCUMENTS.orders_by_source, variables, signal)).data.orders;
    });
    return found
      .filter(({ sourceIdentifier, tags }) => sourceIdentifier === tag || tags.includes(tag))
      .sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
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
    const meaning = judgeErrors(payload.userErrors);
    switch (meaning.means) {
      case 'paced':
        return paced({ detail });
      case 'out_of_stock':
        return { outcome: 'out_of_stock', detail };
      case 'done':
        // Never seen here. Whatever it means, the look-up by our tag tells whether there is an order.
        return unknown(detail);
      default:
        return refusedAs(meaning, detail);
    }
  }

  /** Which of the variants are shipped. A read on the way to a write: when it fails, the write was not sent. */
  /** By variant: whether it is shipped, as the shop says now. Orders that are made at once ask together. */
  async #readShipped(
    { lines }: OrderRequest,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ReadonlyMap<string, boolean>>> {
    const ids = [...new Set(lines.map(({ variant_id }) => variant_id))];
    try {
      await this.#shippedReads.read(ids, signal);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { failure, detail, retry_after_ms } = error;
      return { outcome: 'not_sent', failure, detail, retry_after_ms };
    }
    const known = ids.flatMap((id): [string, boolean][] => {
      const isShipped = this.#shipped.get(id);
      return isShipped === undefined ? [] : [[id, isShipped]];
    });
    return done(new Map(known));
  }

  async #askShipped(variantIds: readonly string[]): Promise<void> {
    const ids = variantIds.map((id) => gid('ProductVariant', id));
    const signal = AbortSignal.timeout(SHIPPED_READ_MS);
    const { data } = await this.#client.read(DOCUMENTS.shipped_variants, { ids }, signal);
    if (this.#shipped.size > SHIPPED_KEPT_MAX) this.#shipped.clear();
    for (const id of variantIds) this.#shipped.delete(id);
    for (const node of data.nodes) {
      if (node?.__typename !== 'ProductVariant') continue;
      this.#shipped.set(parseTail('ProductVariant', node.id), node.inventoryItem.requiresShipping);
    }
  }
}

export function unsent(detail: string): Extract<OrderOutcome, { outcome: 'not_sent' }> {
  return { outcome: 'not_sent', failure: 'unreachable', detail, retry_after_ms: null };
}

/**
 * The shop takes only so many orders a minute, and this one it turned away before anything ran. Over HTTP (429) the words
 * are all there is, too. Should they change, the limit is met as ordinary throttling. What is `unknown` stays unknown.
 */
export function isOrdersLimited(sent: { readonly outcome: string; readonly detail?: string }): sent is {
  readonly outcome: 'refused' | 'not_sent';
  readonly detail: string;
  readonly retry_after_ms?: number | null;
} {
  const isSure = sent.outcome === 'refused' || sent.outcome === 'not_sent';
  return isSure && judgeError({ field: null, message: sent.detail ?? '' }).means === 'paced';
}

export function paced(sent: {
  readonly detail: string;
  readonly retry_after_ms?: number | null;
}): Extract<OrderOutcome, { outcome: 'paced' }> {
  const { detail, retry_after_ms } = sent;
  return { outcome: 'paced', detail, retry_after_ms: retry_after_ms ?? ORDERS_LIMITED_WAIT_MS };
}

function shopOrder({ id, name, cancelledAt, lineItems }: Made): ShopOrder {
  return {
    order_ref: parseTail('Order', id),
    order_name: name,
    lines: shopLines(lineItems),
    is_cancelled: cancelledAt !== null,
  };
}

/** As the completion of a draft would make it: tagged, with the buyer's details. An order that is to be paid has no transactions. */
function buildInput(request: OrderRequest, shipped: ReadonlyMap<string, boolean>): Input {
  const { tag, lines, buyer, note, reference, payment, anchor } = request;
  return {
    lineItems: lines.map(({ variant_id, quantity_units }) => ({
      variantId: gid('ProductVariant', variant_id),
      quantity: quantity_units,
      // The schema's own default is false, whatever the variant says.
      requiresShipping: shipped.get(variant_id) ?? true,
    })),
    financialStatus: payment === 'paid' ? 'PAID' : 'PENDING',
    sourceIdentifier: tag,
    tags: [COMMON_TAG, tag],
    customAttributes: [
      { key: RESERVATION_ATTRIBUTE, value: tag },
      ...anchorAttributes(anchor),
      ...orderAttributes(buyer, reference),
    ],
    ...(note === null ? {} : { note }),
    ...(buyer === null ? {} : buyerInput(buyer)),
  };
}
