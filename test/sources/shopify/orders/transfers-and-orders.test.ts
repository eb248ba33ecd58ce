/** What the connector makes of moves of stock and of orders without a draft. */

import { afterEach, describe, expect, it } from 'vitest';
import type { StockMove } from '../../../../src/ledger/model/stock-transfer.js';
import { nameUuid } from '../../../../src/ledger/model/values/stock-hash.js';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { OrderRequest } from '../../../../src/sources/source.js';
import { forever, json, open, type RawShop, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

async function sandbox(options?: Parameters<typeof openSandbox>[0]): Promise<OpenSandbox> {
  const opened = await openSandbox(options);
  cleanups.push(opened.close);
  return opened;
}

const SKU = SEED_SKUS.plentiful;
const RESERVATION = 'res_0123456789ab';

/** Two units of the plentiful SKU out of what can be sold at the warehouse, on the figure of now. */
async function move(shop: OpenSandbox, more: Partial<StockMove> = {}): Promise<StockMove> {
  const [item] = await shop.upstream.source.findBySku([SKU], forever);
  const locations = await shop.upstream.source.locations(forever);
  const at = locations.find(({ name }) => name === SEED_LOCATIONS.warehouse)?.location_id ?? '';
  const level = item?.levels.find(({ location_id }) => location_id === at);
  return {
    key: nameUuid('hf-1/1'),
    attempt: 1,
    direction: 'out',
    reservation_id: RESERVATION,
    changes: [
      {
        item_id: item?.item_id ?? '',
        location_id: at,
        quantity_units: 2,
        available_units: level?.available_units ?? 0,
      },
    ],
    ...more,
  };
}

const stock = ({ shop }: OpenSandbox) => {
  const { available, reserved, committed } = shop.readStock(SKU, SEED_LOCATIONS.warehouse);
  return { available, reserved, committed };
};

describe('a move of stock', () => {
  it('goes out and back again, and the same key twice is one effect', async () => {
    const shop = await sandbox();
    const before = stock(shop);
    const out = await move(shop);
    for (let times = 0; times < 2; times += 1) {
      expect(await shop.upstream.sink.moveStock(out, forever)).toEqual({ outcome: 'done', value: null });
    }
    expect(stock(shop)).toEqual({
      ...before,
      available: before.available - 2,
      reserved: before.reserved + 2,
    });
    const back: StockMove = {
      ...out,
      key: nameUuid('hf-1/2'),
      direction: 'back',
      changes: out.changes.map((change) => ({ ...change, available_units: null })),
    };
    for (let times = 0; times < 2; times += 1) {
      expect(await shop.upstream.sink.moveStock(back, forever)).toMatchObject({ outcome: 'done' });
    }
    expect(stock(shop)).toEqual(before);
  });

  it('on a figure that is not the one it starts from is stale, and moves nothing', async () => {
    const shop = await sandbox();
    const out = await move(shop);
    shop.shop.sell(SKU, 1);
    const before = stock(shop);
    expect(await shop.upstream.sink.moveStock(out, forever)).toMatchObject({ outcome: 'stale' });
    expect(stock(shop)).toEqual(before);
  });

  it('whose key was used for another is refused: that is a bug, and no retry mends it', async () => {
    const shop = await sandbox();
    const out = await move(shop);
    await shop.upstream.sink.moveStock(out, forever);
    const other = { ...out, changes: out.changes.map((change) => ({ ...change, quantity_units: 3 })) };
    expect(await shop.upstream.sink.moveStock(other, forever)).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('IDEMPOTENCY_KEY_PARAMETER_MISMATCH'),
    });
  });

  it('that gives back more than is reserved has failed', async () => {
    const shop = await sandbox();
    const out = await move(shop);
    const changes = out.changes.map((change) => ({
      ...change,
      available_units: null,
      quantity_units: 9_999,
    }));
    expect(await shop.upstream.sink.moveStock({ ...out, direction: 'back', changes }, forever)).toMatchObject(
      {
        outcome: 'failed',
      },
    );
  });

  it.each(['before', 'after'] as const)(
    'whose answer is lost %s its effect is sent again: one effect',
    async (when) => {
      const shop = await sandbox();
      const before = stock(shop);
      shop.faults.add({ operation: 'inventoryMoveQuantities', when, action: 'drop', times: 2 });
      expect(await shop.upstream.sink.moveStock(await move(shop), forever)).toMatchObject({
        outcome: 'done',
      });
      expect(stock(shop).reserved).toBe(before.reserved + 2);
    },
  );

  it('without the scope is not sent', async () => {
    const shop = await sandbox({
      scopes: ['read_inventory', 'read_products', 'read_locations', 'write_draft_orders', 'write_orders'],
    });
    expect(await shop.upstream.sink.moveStock(await move(shop), forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'scope_missing',
    });
  });
});

/** A shop that answers every move with these codes. */
async function answering(...codes: (string | null)[]): Promise<RawShop> {
  const shop = await rawShop((_, response) => {
    const userErrors = codes.map((code) => ({ field: ['input'], message: 'No', code }));
    json(response, { data: { inventoryMoveQuantities: { inventoryAdjustmentGroup: null, userErrors } } });
  });
  cleanups.push(shop.close);
  return shop;
}

const ANY_MOVE: StockMove = {
  key: nameUuid('hf-1/1'),
  attempt: 1,
  direction: 'out',
  reservation_id: RESERVATION,
  changes: [
    { item_id: '271878346596884015', location_id: '81604116521', quantity_units: 2, available_units: 5 },
  ],
};

describe("a shop's answer to a move", () => {
  it.each([
    [['CHANGE_FROM_QUANTITY_STALE'], 'stale'],
    [['COMPARE_QUANTITY_STALE'], 'stale'],
    [['IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED'], 'stale'],
    [['IDEMPOTENCY_CONCURRENT_REQUEST'], 'unknown'],
    [['SERVICE_UNAVAILABLE'], 'unknown'],
    [['MOVE_QUANTITIES_FAILED'], 'failed'],
    [['NON_MUTABLE_INVENTORY_ITEM'], 'refused'],
    [['INVALID_LOCATION'], 'refused'],
    [['A_CODE_OF_NEXT_YEAR'], 'refused'],
    [[null], 'refused'],
    [['CHANGE_FROM_QUANTITY_STALE', 'INVALID_INVENTORY_ITEM'], 'refused'],
    [['IDEMPOTENCY_CONCURRENT_REQUEST', 'CHANGE_FROM_QUANTITY_STALE'], 'stale'],
  ])('%j means %s', async (codes, outcome) => {
    const shop = await answering(...codes);
    expect(await open(shop).sink.moveStock(ANY_MOVE, forever)).toMatchObject({ outcome });
  });

  it('the same move makes the same bytes, in the form that Shopify wants', async () => {
    const shop = await answering();
    for (let times = 0; times < 2; times += 1) await open(shop).sink.moveStock(ANY_MOVE, forever);
    const [first, second] = shop.requests.map(({ body }) => JSON.stringify(body));
    expect(first).toBe(second);
    const uri = `gid://holdfast/Reservation/${RESERVATION}`;
    const locationId = 'gid://shopify/Location/81604116521';
    expect(shop.requests[0]?.body.variables).toEqual({
      key: ANY_MOVE.key,
      input: {
        reason: 'reservation_created',
        referenceDocumentUri: uri,
        changes: [
          {
            inventoryItemId: 'gid://shopify/InventoryItem/271878346596884015',
            quantity: 2,
            from: { locationId, name: 'available', changeFromQuantity: 5 },
            to: { locationId, name: 'reserved', ledgerDocumentUri: uri, changeFromQuantity: null },
          },
        ],
      },
    });
    const changes = ANY_MOVE.changes.map((change) => ({ ...change, available_units: null }));
    await open(shop).sink.moveStock({ ...ANY_MOVE, direction: 'back', changes }, forever);
    expect(shop.requests[2]?.body.variables).toMatchObject({
      input: {
        reason: 'reservation_deleted',
        changes: [
          {
            from: { name: 'reserved', ledgerDocumentUri: uri, changeFromQuantity: null },
            to: { name: 'available', changeFromQuantity: null },
          },
        ],
      },
    });
  });

  it('a move of nothing is refused without a word to the shop', async () => {
    const shop = await answering();
    expect(await open(shop).sink.moveStock({ ...ANY_MOVE, changes: [] }, forever)).toMatchObject({
      outcome: 'refused',
    });
    expect(shop.requests).toEqual([]);
  });
});

describe('an order without a draft', () => {
  async function request(shop: OpenSandbox, more: Partial<OrderRequest> = {}): Promise<OrderRequest> {
    const [item] = await shop.upstream.source.findBySku([SKU], forever);
    const lines = [{ variant_id: item?.variant_id ?? '', quantity_units: 2 }];
    return { tag: 'hf-1', lines, buyer: null, note: null, reference: null, payment: 'paid', ...more };
  }

  it('takes its units, is paid, and is found by our tag alone', async () => {
    const shop = await sandbox();
    const before = stock(shop);
    const buyer = { email: 'ada@example.com', name: 'Ada Lovelace', phone: '+441632960961' };
    const wanted = await request(shop, { buyer, note: 'Leave at the door', reference: 'cart-7' });
    const placed = await shop.upstream.sink.placeOrder(wanted, forever);
    expect(placed).toMatchObject({ outcome: 'done', value: { order_name: '#1001' } });
    expect(stock(shop)).toMatchObject({ available: before.available - 2, committed: before.committed + 2 });
    expect([...shop.shop.orders.all()]).toMatchObject([
      {
        isPaid: true,
        tags: ['holdfast', 'hf-1'],
        sourceIdentifier: 'hf-1',
        email: 'ada@example.com',
        phone: '+441632960961',
        note: 'Leave at the door',
        customAttributes: [
          { key: 'holdfast_reservation', value: 'hf-1' },
          { key: 'holdfast_reference', value: 'cart-7' },
          { key: 'holdfast_buyer_name', value: 'Ada Lovelace' },
        ],
      },
    ]);
    expect(await shop.upstream.sink.findOrders('hf-1', forever)).toMatchObject([{ order_name: '#1001' }]);
    for (const tag of ['hf', 'hf-10', '*', 'hf-1" OR tag:"holdfast']) {
      expect(await shop.upstream.sink.findOrders(tag, forever), tag).toEqual([]);
    }
  });

  it.each(['INVALID', 'INVENTORY_CLAIM_FAILED'] as const)(
    'for what is not there is out of stock (%s)',
    async (code) => {
      const shop = await sandbox();
      shop.shop.orderCreation.outOfStockCode = code;
      const [line] = (await request(shop)).lines;
      const wanted = await request(shop, {
        lines: [{ variant_id: line?.variant_id ?? '', quantity_units: 100_000 }],
      });
      expect(await shop.upstream.sink.placeOrder(wanted, forever)).toMatchObject({ outcome: 'out_of_stock' });
      expect([...shop.shop.orders.all()]).toEqual([]);
    },
  );

  it('for a variant that the shop does not know is refused', async () => {
    const shop = await sandbox();
    const wanted = await request(shop, { lines: [{ variant_id: '1', quantity_units: 1 }] });
    expect(await shop.upstream.sink.placeOrder(wanted, forever)).toMatchObject({ outcome: 'refused' });
  });

  it.each(['before', 'after'] as const)(
    'L4: whose answer is lost %s its effect is unknown, and sent once',
    async (when) => {
      const shop = await sandbox();
      shop.faults.add({ operation: 'orderCreate', when, action: 'drop' });
      expect(await shop.upstream.sink.placeOrder(await request(shop), forever)).toMatchObject({
        outcome: 'unknown',
      });
      expect(await shop.upstream.sink.findOrders('hf-1', forever)).toHaveLength(when === 'after' ? 1 : 0);
    },
  );

  it('that can not be prepared is not sent', async () => {
    const shop = await sandbox();
    const wanted = await request(shop);
    shop.faults.add({ operation: 'nodes', when: 'before', action: 'status', code: 503, times: 10 });
    expect(await shop.upstream.sink.placeOrder(wanted, forever)).toMatchObject({ outcome: 'not_sent' });
  });

  it("the schema's default for shipping is not taken for the variant's own", async () => {
    const shop = await rawShop(({ body }, response) =>
      json(
        response,
        body.query?.includes('mutation') === true
          ? {
              data: {
                orderCreate: {
                  order: {
                    id: 'gid://shopify/Order/9',
                    name: '#9',
                    lineItems: { nodes: [], pageInfo: { hasNextPage: false } },
                  },
                  userErrors: [],
                },
              },
            }
          : {
              data: {
                nodes: [
                  {
                    __typename: 'ProductVariant',
                    id: 'gid://shopify/ProductVariant/1',
                    inventoryItem: { requiresShipping: false },
                  },
                  {
                    __typename: 'ProductVariant',
                    id: 'gid://shopify/ProductVariant/2',
                    inventoryItem: { requiresShipping: true },
                  },
                ],
              },
            },
      ),
    );
    cleanups.push(shop.close);
    const lines = ['1', '2'].map((variant_id) => ({ variant_id, quantity_units: 1 }));
    const wanted: OrderRequest = {
      tag: 'hf-1',
      lines,
      buyer: null,
      note: null,
      reference: null,
      payment: 'paid',
    };
    expect(await open(shop).sink.placeOrder(wanted, forever)).toMatchObject({ outcome: 'done' });
    expect(shop.requests[1]?.body.variables).toMatchObject({
      order: {
        financialStatus: 'PAID',
        lineItems: [{ requiresShipping: false }, { requiresShipping: true }],
      },
    });
  });

  it.each([
    ['HTTP 429', 'http'],
    ['a user error', 'user'],
  ])('of a development store beyond its five a minute is told to wait: %s', async (_, kind) => {
    const words = 'Exceeded order API rate limit, please try again in a minute.';
    const shop = await rawShop(({ body }, response) => {
      if (body.query?.includes('mutation') !== true) json(response, { data: { nodes: [] } });
      else if (kind === 'http') json(response, { errors: words }, 429, { 'retry-after': '40' });
      else {
        const userErrors = [{ field: null, message: words, code: 'INVALID' }];
        json(response, {
          data: {
            orderCreate: { order: null, userErrors },
            draftOrderComplete: { draftOrder: null, userErrors },
          },
        });
      }
    });
    cleanups.push(shop.close);
    const lines = [{ variant_id: '1', quantity_units: 1 }];
    const wanted: OrderRequest = {
      tag: 'hf-1',
      lines,
      buyer: null,
      note: null,
      reference: null,
      payment: 'paid',
    };
    const paced = { outcome: 'paced', retry_after_ms: kind === 'http' ? 40_000 : 60_000 };
    expect(await open(shop).sink.placeOrder(wanted, forever)).toMatchObject(paced);
    expect(await open(shop).sink.completeHold('7', forever, 'paid')).toMatchObject(paced);
  });
});

describe('the key of a move', () => {
  it('is a version 5 UUID, the same for the same name, another for another', () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const keys = Array.from({ length: 1000 }, (_, n) => nameUuid(`hf-1/${n}`));
    expect(keys.filter((key) => !form.test(key))).toEqual([]);
    expect(new Set(keys).size).toBe(keys.length);
    // By Python: uuid.UUID(bytes=hashlib.sha1(b'holdfast/key/v1/hf-1/1').digest()[:16], version=5)
    expect(nameUuid('hf-1/1')).toBe('6d80f149-f812-56aa-b33f-71a787dce679');
  });
});
