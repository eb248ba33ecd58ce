import { afterEach, describe, expect, it } from 'vitest';
import type { OrderObservation } from '../../../../src/ledger/model/values/observation.js';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { type ChangedOrders, READ_ORDERS_MAX } from '../../../../src/sources/source.js';
import { type Answerer, forever, json, type Opened, open, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const SKU = SEED_SKUS.plentiful;
const OTHER = SEED_SKUS.mixedStates;
const TINY = {
  orders_per_page: 1,
  lines_per_order: 1,
  returns_per_order: 1,
};

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

async function sandbox(options?: Parameters<typeof openSandbox>[0]): Promise<OpenSandbox> {
  const opened = await openSandbox({ throttle: false, ...options });
  cleanups.push(opened.close);
  return opened;
}

/** An order of ours: a hold that was completed. */
async function place(
  shop: OpenSandbox,
  units: Record<string, number>,
  tag = 'hf-1',
): Promise<{ ref: string; name: string }> {
  const items = await shop.upstream.source.findBySku(Object.keys(units), forever);
  const lines = items.map(({ sku, variant_id }) => ({ variant_id, quantity_units: units[sku ?? ''] ?? 0 }));
  const until_ms = shop.now() + 900_000;
  const hold = await shop.upstream.sink.createHold({ tag, lines, until_ms }, forever);
  if (hold.outcome !== 'done') throw new Error(`no hold: ${JSON.stringify(hold)}`);
  const order = await shop.upstream.sink.completeHold(hold.value.hold_ref, forever, 'paid');
  if (order.outcome !== 'done') throw new Error(`no order: ${JSON.stringify(order)}`);
  return { ref: order.value.order_ref, name: order.value.order_name };
}

async function read({ upstream }: { readonly upstream: Opened }, ref: string): Promise<OrderObservation> {
  const [order] = await upstream.orders.readOrders([ref], forever);
  if (order === undefined) throw new Error(`no order ${ref}`);
  return order;
}

describe('an order after it was placed', () => {
  it('is read with its lines', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 2, [OTHER]: 1 });
    const order = await read(shop, ref);
    const variants = await shop.upstream.source.findBySku([SKU, OTHER], forever);
    expect(order).toEqual({
      order_ref: ref,
      order_name: name,
      updated_at_ms: Math.floor(shop.now() / 1_000) * 1_000,
      cancelled_at_ms: null,
      fulfilment: 'unfulfilled',
      lines: expect.arrayContaining(
        variants.map(({ sku, variant_id }) => {
          const units = sku === SKU ? 2 : 1;
          return {
            line_ref: expect.stringMatching(/^\d+$/),
            variant_id,
            ordered_units: units,
            current_units: units,
          };
        }),
      ),
      refunds: [],
      returns: [],
    });
    expect(order.lines.length).toBe(2);
  });

  it('a cancellation has its time, and takes the units off the lines', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 2 });
    shop.pass(60_000);
    shop.shop.cancel(name, { restock: true });
    const order = await read(shop, ref);
    expect(order.cancelled_at_ms).toBe(Math.floor(shop.now() / 1_000) * 1_000);
    expect(order.lines.map(({ ordered_units, current_units }) => [ordered_units, current_units])).toEqual([
      [2, 0],
    ]);
    expect(order.updated_at_ms).toBe(order.cancelled_at_ms);
  });

  it('an edit takes units off and adds lines', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 3 });
    shop.shop.edit(name, { [SKU]: 1, [OTHER]: 2 });
    const { lines } = await read(shop, ref);
    expect(lines.map(({ current_units }) => current_units).sort()).toEqual([1, 2]);
  });

  it('fulfilment is none, some, all', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 3 });
    const seen = [(await read(shop, ref)).fulfilment];
    shop.shop.fulfil(name, { [SKU]: 1 });
    seen.push((await read(shop, ref)).fulfilment);
    shop.shop.fulfil(name);
    seen.push((await read(shop, ref)).fulfilment);
    expect(seen).toEqual(['unfulfilled', 'partial', 'fulfilled']);
  });

  it('a refund says which of its units are back on the shelf', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 5 });
    shop.shop.refund(name, { [SKU]: 1 }, { restock: 'NO_RESTOCK' });
    shop.shop.refund(name, { [SKU]: 2 }, { restock: 'CANCEL' });
    shop.shop.fulfil(name);
    shop.shop.refund(name, { [SKU]: 1 }, { restock: 'RETURN', at: SEED_LOCATIONS.warehouse });
    const { refunds } = await read(shop, ref);
    expect(refunds.map(({ refunded_units, restocked_units }) => [refunded_units, restocked_units])).toEqual([
      [1, 0],
      [2, 2],
      [1, 1],
    ]);
    expect(new Set(refunds.map(({ refund_ref }) => refund_ref)).size).toBe(3);
  });

  it('a return counts the units that were put back, and no others, step by step', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 4 });
    shop.shop.fulfil(name);
    const sentBack = shop.shop.returnUnits(name, { [SKU]: 3 });
    const steps = [await read(shop, ref)];
    shop.pass(60_000);
    shop.shop.dispose(sentBack.name, { [SKU]: 1 }, 'RESTOCKED', SEED_LOCATIONS.warehouse);
    steps.push(await read(shop, ref));
    shop.shop.dispose(sentBack.name, { [SKU]: 1 }, 'NOT_RESTOCKED');
    shop.shop.dispose(sentBack.name, { [SKU]: 1 }, 'MISSING');
    shop.pass(60_000);
    shop.shop.closeReturn(sentBack.name);
    steps.push(await read(shop, ref));
    const seen = steps.map(({ returns }) =>
      returns.map((one) => [one.status, one.returned_units, one.restocked_units]),
    );
    expect(seen).toEqual([[['open', 3, 0]], [['open', 3, 1]], [['closed', 3, 1]]]);
    const times = steps.map(({ updated_at_ms }) => updated_at_ms);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(3);
  });

  it('every list of it is read to its end, however small the pages', async () => {
    const shop = await sandbox();
    const { ref, name } = await place(shop, { [SKU]: 6, [OTHER]: 4 });
    shop.shop.refund(name, { [SKU]: 1, [OTHER]: 1 }, { restock: 'CANCEL' });
    shop.shop.fulfil(name);
    for (const units of [{ [SKU]: 2, [OTHER]: 1 }, { [SKU]: 1 }]) {
      const sentBack = shop.shop.returnUnits(name, units);
      shop.shop.dispose(sentBack.name, units, 'RESTOCKED', SEED_LOCATIONS.warehouse);
    }
    const large = await read(shop, ref);
    const small = await read({ upstream: open({ origin: shop.origin, tuning: TINY }) }, ref);
    expect(small).toEqual(large);
    expect(large.lines.length).toBe(2);
    expect(large.returns.map((one) => [one.returned_units, one.restocked_units])).toEqual([
      [3, 3],
      [1, 1],
    ]);
    expect(large.refunds.map((one) => [one.refunded_units, one.restocked_units])).toEqual([[2, 2]]);
  });

  it('orders that the shop does not know are absent; twice named is read once; too many are refused', async () => {
    const shop = await sandbox();
    const { ref } = await place(shop, { [SKU]: 1 });
    const orders = await shop.upstream.orders.readOrders([ref, '999', ref], forever);
    expect(orders.map(({ order_ref }) => order_ref)).toEqual([ref]);
    expect(await shop.upstream.orders.readOrders([], forever)).toEqual([]);
    const many = Array.from({ length: READ_ORDERS_MAX + 1 }, (_, i) => `${i}`);
    await expect(shop.upstream.orders.readOrders(many, forever)).rejects.toThrow(RangeError);
    await expect(shop.upstream.orders.readOrders(['gid://x'], forever)).rejects.toThrow(RangeError);
  });
});

/** All pages together, with the last one's cursor. */
async function changedSince(shop: OpenSandbox, cursor: string | null): Promise<ChangedOrders> {
  const pages: ChangedOrders[] = [];
  for await (const page of shop.upstream.orders.ordersChangedSince(cursor, forever)) pages.push(page);
  const orders = pages.flatMap((page) => page.orders);
  return { orders, cursor: pages.at(-1)?.cursor ?? '' };
}

describe('orders that changed', () => {
  it('from now on: none, and a cursor in the time of the shop, less the overlap', async () => {
    const shop = await sandbox({ tuning: { overlap_s: 90 } });
    await place(shop, { [SKU]: 1 });
    const { orders, cursor } = await changedSince(shop, null);
    expect(orders).toEqual([]);
    expect(Date.parse(cursor)).toBe(Math.floor(shop.now() / 1_000) * 1_000 - 90_000);
  });

  it('are those of ours alone, all of them, in small pages', async () => {
    const shop = await sandbox({ tuning: TINY });
    const { cursor } = await changedSince(shop, null);
    const old = await place(shop, { [SKU]: 1 }, 'hf-old');
    shop.pass(600_000);
    const next = await changedSince(shop, cursor);
    expect(next.orders.map(({ order_ref }) => order_ref)).toEqual([old.ref]);
    const refs: string[] = [];
    for (const tag of ['hf-1', 'hf-2', 'hf-3']) refs.push((await place(shop, { [SKU]: 1 }, tag)).ref);
    shop.shop.sell(SKU, 1);
    const { orders } = await changedSince(shop, next.cursor);
    expect(orders.map(({ order_ref }) => order_ref).sort()).toEqual(refs.sort());
    shop.shop.cancel(old.name, { restock: true });
    const again = await changedSince(shop, next.cursor);
    expect(again.orders.map(({ order_ref }) => order_ref)).toContain(old.ref);
  });

  it('the overlap brings back what a search index that lags has missed', async () => {
    const shop = await sandbox({ search_lag_ms: 5_000 });
    const first = await changedSince(shop, null);
    const { ref } = await place(shop, { [SKU]: 1 });
    const missed = await changedSince(shop, first.cursor);
    expect(missed.orders).toEqual([]);
    shop.pass(30_000);
    const { orders } = await changedSince(shop, missed.cursor);
    expect(orders.map(({ order_ref }) => order_ref)).toEqual([ref]);
  });

  it('what is not a cursor is refused', async () => {
    const shop = await sandbox();
    for (const cursor of ['', 'yesterday', "2026-11-23T12:00:00Z' OR tag:x"]) {
      await expect(changedSince(shop, cursor)).rejects.toThrow(RangeError);
    }
  });
});

const LAST = { hasNextPage: false, endCursor: null };
const LIST = { nodes: [], pageInfo: LAST };
const DENIED = {
  data: { nodes: [null] },
  errors: [{ message: 'no', path: ['nodes', 0, 'returns'], extensions: { code: 'ACCESS_DENIED' } }],
};
const ORDER_ID = 'gid://shopify/Order/9007199254740993';

/** One order as a test writes it, with returns (null: none may be seen) whose goods it writes too. */
async function written(
  order: object,
  returns: readonly object[] | null,
  goods: object = LIST,
): Promise<OrderObservation> {
  const answer: Answerer = ({ body }, response) => {
    const query = body.query ?? '';
    if (query.includes('ReturnsByOrder')) {
      if (returns === null) return json(response, DENIED);
      const node = { __typename: 'Order', id: ORDER_ID, returns: { nodes: returns, pageInfo: LAST } };
      return json(response, { data: { nodes: [node, null] } });
    }
    if (query.includes('ReturnGoods'))
      return json(response, { data: { return: { reverseFulfillmentOrders: goods } } });
    const node = {
      __typename: 'Order',
      id: ORDER_ID,
      name: '#1',
      updatedAt: '2026-11-23T12:00:00Z',
      cancelledAt: null,
      displayFulfillmentStatus: 'UNFULFILLED',
      lineItems: LIST,
      refunds: [],
      ...order,
    };
    json(response, { data: { nodes: [node] } });
  };
  const shop = await rawShop(answer);
  cleanups.push(shop.close);
  return await read({ upstream: open({ origin: shop.origin }) }, '9007199254740993');
}

const refund = (
  id: number,
  quantity: number,
  restockType: string,
  restocked = restockType !== 'NO_RESTOCK',
) => ({
  id: `gid://shopify/Refund/${id}`,
  createdAt: null,
  processedAt: '2026-11-23T12:01:00Z',
  updatedAt: '2026-11-23T12:02:00Z',
  refundLineItems: { nodes: [{ quantity, restocked, restockType }], pageInfo: LAST },
});
const returned = (id: number, status: string, refunds: readonly number[] = []) => ({
  id: `gid://shopify/Return/${id}`,
  status,
  totalQuantity: 2,
  createdAt: '2026-11-23T12:00:00Z',
  requestApprovedAt: null,
  closedAt: null,
  refunds: {
    nodes: refunds.map((refundId) => ({ id: `gid://shopify/Refund/${refundId}` })),
    pageInfo: { hasNextPage: false, endCursor: null },
  },
});
const goods = (...types: string[]) => ({
  nodes: [
    {
      id: 'gid://shopify/ReverseFulfillmentOrder/1',
      lineItems: {
        nodes: [
          { dispositions: types.map((type) => ({ type, quantity: 1, createdAt: '2026-11-23T12:05:00Z' })) },
        ],
        pageInfo: LAST,
      },
    },
  ],
  pageInfo: LAST,
});

describe('units that are back on the shelf', () => {
  const back = ({ refunds, returns }: OrderObservation) => [
    refunds.map(({ restocked_units }) => restocked_units),
    returns.map(({ restocked_units }) => restocked_units),
  ];

  it('a return that was refunded counts them once, at the return', async () => {
    const order = await written(
      { refunds: [refund(1, 2, 'RETURN')] },
      [returned(5, 'CLOSED', [1])],
      goods('RESTOCKED', 'RESTOCKED'),
    );
    expect(back(order)).toEqual([[0], [2]]);
  });

  it('an older return, of which only the refund tells, counts them too', async () => {
    const order = await written({ refunds: [refund(1, 2, 'RETURN')] }, [returned(5, 'CLOSED', [1])]);
    expect(back(order)).toEqual([[0], [2]]);
  });

  it('a return that was refunded without a restock counts what was put back by hand', async () => {
    const order = await written(
      { refunds: [refund(1, 2, 'NO_RESTOCK')] },
      [returned(5, 'OPEN', [1])],
      goods('RESTOCKED', 'MISSING'),
    );
    expect(back(order)).toEqual([[0], [1]]);
  });

  it('a refund that belongs to no return counts by itself', async () => {
    const refunds = [refund(1, 2, 'RETURN'), refund(2, 3, 'CANCEL'), refund(3, 1, 'RETURN', false)];
    const order = await written({ refunds }, [returned(5, 'CLOSED', [1])], goods('RESTOCKED', 'RESTOCKED'));
    expect(back(order)).toEqual([[0, 3, 0], [2]]);
  });

  it.each(['REQUESTED', 'DECLINED', 'CANCELED'])('a return that is %s brings none', async (status) => {
    expect(back(await written({}, [returned(5, status)], goods('RESTOCKED')))).toEqual([[], [0]]);
  });

  it('the time of a reading is that of the last thing that happened, whatever the order says', async () => {
    const order = await written(
      { refunds: [refund(1, 1, 'CANCEL')] },
      [returned(5, 'OPEN')],
      goods('RESTOCKED'),
    );
    expect(order.updated_at_ms).toBe(Date.parse('2026-11-23T12:05:00Z'));
    expect(order.refunds[0]?.at_ms).toBe(Date.parse('2026-11-23T12:01:00Z'));
  });

  it('a token without the scope for returns sees everything else', async () => {
    const order = await written({ refunds: [refund(1, 2, 'RETURN')] }, null);
    expect([back(order), order.refunds[0]?.refunded_units]).toEqual([[[2], []], 2]);
  });

  it('64-bit references stay what they are', async () => {
    expect((await written({}, [])).order_ref).toBe('9007199254740993');
  });
});
