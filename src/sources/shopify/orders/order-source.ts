/**
 * What became of our orders. Nothing of the customer is asked for. A reading may be older than one that came before it:
 * whoever keeps it compares `updated_at_ms`.
 */

import type {
  OrderLineObservation,
  OrderObservation,
  RefundObservation,
  ReturnObservation,
} from '../../../ledger/model/values/observation.js';
import { type ChangedOrders, type OrderSource, READ_ORDERS_MAX, UpstreamError } from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS, type Order, type OrderReturn, type ResultOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import { FILTERED_OBJECTS_MAX, REFUNDS_PER_ORDER_MAX, type Tuning } from '../client/limits.js';
import { complete, walk } from '../client/paging.js';
import { changedSince, matches } from '../client/search.js';
import { parseCursor, shopCursor } from '../stock/cursor.js';
import { COMMON_TAG } from './tag.js';

type Refund = Order['refunds'][number];
type RefundLine = Refund['refundLineItems']['nodes'][number];
type Line = Order['lineItems']['nodes'][number];
type GoodsLine = NonNullable<
  ResultOf<typeof DOCUMENTS.return_goods>['return']
>['reverseFulfillmentOrders']['nodes'][number]['lineItems']['nodes'][number];

const FULFILMENT = {
  UNFULFILLED: 'unfulfilled',
  OPEN: 'unfulfilled',
  ON_HOLD: 'unfulfilled',
  SCHEDULED: 'unfulfilled',
  IN_PROGRESS: 'unfulfilled',
  PENDING_FULFILLMENT: 'unfulfilled',
  REQUEST_DECLINED: 'unfulfilled',
  RESTOCKED: 'unfulfilled',
  PARTIALLY_FULFILLED: 'partial',
  FULFILLED: 'fulfilled',
  FULFILLMENT_NOT_REQUIRED: 'fulfilled',
} as const satisfies Record<Order['displayFulfillmentStatus'], OrderObservation['fulfilment']>;

const RETURN_STATUS = {
  REQUESTED: 'requested',
  OPEN: 'open',
  CLOSED: 'closed',
  DECLINED: 'declined',
  CANCELED: 'cancelled',
} as const satisfies Record<OrderReturn['status'], ReturnObservation['status']>;

/** Of these, things come back. */
const MOVING: ReadonlySet<OrderReturn['status']> = new Set(['OPEN', 'CLOSED']);

export class ShopifyOrderSource implements OrderSource {
  readonly #client: ShopifyClient;
  readonly #tuning: Tuning;

  constructor(client: ShopifyClient, tuning: Tuning) {
    this.#client = client;
    this.#tuning = tuning;
  }

  /** Throws RangeError above `READ_ORDERS_MAX` ids. */
  async readOrders(orderRefs: readonly string[], signal: AbortSignal): Promise<readonly OrderObservation[]> {
    if (orderRefs.length > READ_ORDERS_MAX)
      throw new RangeError(`more than ${READ_ORDERS_MAX} orders in one read`);
    const ids = [...new Set(orderRefs)].map((ref) => gid('Order', ref));
    if (ids.length === 0) return [];
    const { lines_per_order: lines } = this.#tuning;
    const variables = { ids, lines, refunds: REFUNDS_PER_ORDER_MAX };
    const { data, sizes } = await this.#client.read(DOCUMENTS.orders_by_id, variables, signal);
    const orders = data.nodes.filter((node) => node?.__typename === 'Order');
    return await this.#observe(await this.#withRefunds(orders, sizes, signal), signal);
  }

  /** Throws RangeError on a cursor that is not one of ours. */
  async *ordersChangedSince(cursor: string | null, signal: AbortSignal): AsyncGenerator<ChangedOrders> {
    // The clock is read before anything else: what changes while we read is covered by the next cursor.
    const { shop_time_ms } = await this.#client.read(DOCUMENTS.clock, {}, signal);
    const next = shopCursor(shop_time_ms, this.#tuning.overlap_s);
    if (cursor === null) {
      yield { orders: [], cursor: next };
      return;
    }
    const query = `${matches('tag', COMMON_TAG)} ${changedSince(parseCursor(cursor))}`;
    const { orders_per_page: first, lines_per_order: lines } = this.#tuning;
    // Sorted by the time of the change, to the second and in one form: the lesser text is the earlier moment.
    let reached = cursor;
    const pages = walk(async (after) => {
      const variables = { query, first, after, lines, refunds: REFUNDS_PER_ORDER_MAX };
      const { data, sizes } = await this.#client.read(DOCUMENTS.changed_orders, variables, signal);
      return { ...data.orders, nodes: await this.#withRefunds(data.orders.nodes, sizes, signal) };
    }, FILTERED_OBJECTS_MAX);
    for await (const nodes of pages) {
      const last = nodes.at(-1);
      const at = last === undefined ? next : shopCursor(Date.parse(last.updatedAt), this.#tuning.overlap_s);
      if (at > reached) reached = at < next ? at : next;
      yield { orders: await this.#observe(nodes, signal), cursor: reached };
    }
    yield { orders: [], cursor: next };
  }

  async #observe(orders: readonly Order[], signal: AbortSignal): Promise<readonly OrderObservation[]> {
    if (orders.length === 0) return [];
    const returns = await this.#returns(orders, signal);
    const observations: OrderObservation[] = [];
    for (const order of orders) {
      observations.push(await this.#observeOrder(order, returns.get(order.id) ?? [], signal));
    }
    return observations;
  }

  /** Orders whose lists of refunds may have been cut, because the shop wants smaller ones, with all of their refunds. */
  async #withRefunds(
    orders: readonly Order[],
    { refunds: asked = REFUNDS_PER_ORDER_MAX }: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<readonly Order[]> {
    if (asked >= REFUNDS_PER_ORDER_MAX) return orders;
    const whole: Order[] = [];
    for (const order of orders) {
      const isCut = order.refunds.length >= asked;
      whole.push(isCut ? { ...order, refunds: await this.#allRefunds(order, signal) } : order);
    }
    return whole;
  }

  async #allRefunds({ id, refunds }: Order, signal: AbortSignal): Promise<Refund[]> {
    const { data } = await this.#client.read(DOCUMENTS.order_refunds, { id }, signal);
    const known = new Map(refunds.map((refund) => [refund.id, refund]));
    const all: Refund[] = [];
    for (const refund of data.order?.refunds ?? refunds) {
      const first =
        known.get(refund.id)?.refundLineItems ?? (await this.#refundLines(refund.id, null, signal));
      all.push({ ...refund, refundLineItems: first ?? { nodes: [], pageInfo: NO_MORE } });
    }
    return all;
  }

  async #refundLines(id: string, after: string | null, signal: AbortSignal) {
    const variables = { id, first: this.#tuning.lines_per_order, after };
    const { data } = await this.#client.read(DOCUMENTS.refund_lines, variables, signal);
    return data.refund?.refundLineItems ?? null;
  }

  async #observeOrder(
    order: Order,
    found: readonly KnownReturn[],
    signal: AbortSignal,
  ): Promise<OrderObservation> {
    const refunds: Counted[] = [];
    for (const refund of order.refunds) refunds.push(await this.#countRefund(refund, signal));
    if (refunds.length >= REFUNDS_PER_ORDER_MAX) {
      this.#client.note('warn', 'an order with more refunds than are read', {
        order: parseTail('Order', order.id),
      });
    }
    const returns: Returned[] = [];
    for (const one of found) returns.push(await this.#countReturn(one, refunds, signal));
    const lines = await this.#lines(order, signal);
    const ofReturns = new Set(found.flatMap(({ refund_ids }) => refund_ids));
    return {
      order_ref: parseTail('Order', order.id),
      order_name: order.name,
      // The order's own time does not move with everything that happens to its returns.
      updated_at_ms: latest([
        order.updatedAt,
        ...order.refunds.map(({ updatedAt }) => updatedAt),
        ...returns.flatMap(({ times }) => times),
      ]),
      cancelled_at_ms: order.cancelledAt === null ? null : Date.parse(order.cancelledAt),
      fulfilment: FULFILMENT[order.displayFulfillmentStatus],
      lines: lines.map(observeLine),
      refunds: refunds.map(({ id, observation }) =>
        ofReturns.has(id) ? { ...observation, restocked_units: 0 } : observation,
      ),
      returns: returns.map(({ observation }) => observation),
    };
  }

  async #lines({ id, lineItems }: Order, signal: AbortSignal): Promise<readonly Line[]> {
    const first = this.#tuning.lines_per_order;
    return await complete(lineItems, async (after) => {
      const { data } = await this.#client.read(DOCUMENTS.order_lines, { id, first, after }, signal);
      return data.order?.lineItems ?? null;
    });
  }

  async #countRefund(refund: Refund, signal: AbortSignal): Promise<Counted> {
    const { id } = refund;
    const lines = await complete<RefundLine>(refund.refundLineItems, (after) =>
      this.#refundLines(id, after, signal),
    );
    const observation: RefundObservation = {
      refund_ref: parseTail('Refund', id),
      at_ms: Date.parse(refund.createdAt ?? refund.processedAt),
      refunded_units: sum(lines),
      restocked_units: sum(lines.filter((line) => line.restocked && line.restockType !== 'NO_RESTOCK')),
    };
    return { id, observation };
  }

  /**
   * The things of a return come back once, but both the return and a refund for it may say so. They are counted at the
   * return, by whichever says more (an older return has refunds that tell and goods that don't), and such a refund puts
   * nothing back by itself. So the `restocked_units` of all refunds and returns of an order add up.
   */
  async #countReturn(one: KnownReturn, refunds: readonly Counted[], signal: AbortSignal): Promise<Returned> {
    const goods = MOVING.has(one.status) ? await this.#goods(one.id, signal) : [];
    const dispositions = goods.flatMap((line) => line.dispositions);
    const shelved = sum(dispositions.filter(({ type }) => type === 'RESTOCKED'));
    const own = new Set(one.refund_ids);
    const refunded = refunds
      .filter(({ id }) => own.has(id))
      .reduce((all, { observation }) => all + observation.restocked_units, 0);
    const observation: ReturnObservation = {
      return_ref: parseTail('Return', one.id),
      status: RETURN_STATUS[one.status],
      returned_units: one.totalQuantity,
      restocked_units: Math.max(shelved, refunded),
    };
    const times = [
      one.createdAt,
      one.requestApprovedAt,
      one.closedAt,
      ...dispositions.map(({ createdAt }) => createdAt),
    ];
    return { observation, times };
  }

  /** By order. A token without `read_returns` sees everything else of an order, and no returns. */
  async #returns(
    orders: readonly Order[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly KnownReturn[]>> {
    const first = this.#tuning.returns_per_order;
    const refunds = REFUNDS_PER_ORDER_MAX;
    const returns = new Map<string, readonly KnownReturn[]>();
    const ids = orders.map(({ id }) => id);
    try {
      const { data } = await this.#client.read(DOCUMENTS.returns_by_order, { ids, first, refunds }, signal);
      for (const node of data.nodes) {
        if (node?.__typename !== 'Order') continue;
        const { id } = node;
        const all = await complete(node.returns, async (after) => {
          const more = await this.#client.read(
            DOCUMENTS.order_returns,
            { id, first, after, refunds },
            signal,
          );
          return more.data.order?.returns ?? null;
        });
        const known: KnownReturn[] = [];
        for (const one of all) known.push({ ...one, refund_ids: await this.#refundIds(one, signal) });
        returns.set(id, known);
      }
    } catch (error) {
      // The client has said so to the log, and `doctor` names the scope.
      if (!(error instanceof UpstreamError && error.failure === 'scope_missing')) throw error;
    }
    return returns;
  }

  async #refundIds({ id, refunds }: OrderReturn, signal: AbortSignal): Promise<readonly string[]> {
    const all = await complete(refunds, async (after) => {
      const variables = { id, first: REFUNDS_PER_ORDER_MAX, after };
      const { data } = await this.#client.read(DOCUMENTS.return_refunds, variables, signal);
      return data.return?.refunds ?? null;
    });
    return all.map((refund) => refund.id);
  }

  async #goods(id: string, signal: AbortSignal): Promise<readonly GoodsLine[]> {
    const { returns_per_order: first, lines_per_order: lines } = this.#tuning;
    const goods: GoodsLine[] = [];
    const pages = walk(async (after) => {
      const { data } = await this.#client.read(DOCUMENTS.return_goods, { id, first, after, lines }, signal);
      return data.return?.reverseFulfillmentOrders ?? null;
    });
    for await (const nodes of pages) {
      for (const node of nodes) {
        const all = await complete(node.lineItems, async (after) => {
          const variables = { id: node.id, first: lines, after };
          const { data } = await this.#client.read(DOCUMENTS.return_goods_lines, variables, signal);
          return data.node?.__typename === 'ReverseFulfillmentOrder' ? data.node.lineItems : null;
        });
        goods.push(...all);
      }
    }
    return goods;
  }
}

/** With the gids of all refunds that belong to it. */
type KnownReturn = OrderReturn & { readonly refund_ids: readonly string[] };

const NO_MORE = { hasNextPage: false, endCursor: null } as const;

interface Counted {
  /** Its gid. */
  readonly id: string;
  /** Its units are all that this refund says is back, whether or not it belongs to a return. */
  readonly observation: RefundObservation;
}

type Returned = { readonly observation: ReturnObservation; readonly times: readonly (string | null)[] };

function observeLine({ id, quantity, currentQuantity, variant }: Line): OrderLineObservation {
  return {
    line_ref: parseTail('LineItem', id),
    variant_id: variant === null ? null : parseTail('ProductVariant', variant.id),
    ordered_units: quantity,
    current_units: currentQuantity,
  };
}

function sum(parts: readonly { readonly quantity: number }[]): number {
  return parts.reduce((all, { quantity }) => all + quantity, 0);
}

function latest(times: readonly (string | null)[]): number {
  return Math.max(...times.flatMap((time) => (time === null ? [] : [Date.parse(time)])));
}
