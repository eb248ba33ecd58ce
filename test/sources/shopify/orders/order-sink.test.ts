import { afterEach, describe, expect, it } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type {
  HoldRequest,
  OrderDetails,
  OrderOutcome,
  ShopHold,
  WriteOutcome,
} from '../../../../src/sources/source.js';
import { forever, json, open, type RawShop, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const cleanups: (() => Promise<void>)[] = [];

async function sandbox(options?: Parameters<typeof openSandbox>[0]): Promise<OpenSandbox> {
  const opened = await openSandbox(options);
  cleanups.push(opened.close);
  return opened;
}

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

const SKU = SEED_SKUS.plentiful;
const COUNTRY = 'buyer.shipping_address.country_code';
const NOTHING: Omit<OrderDetails, 'until_ms'> = { buyer: null, note: null, reference: null };

const available = ({ shop }: OpenSandbox) => shop.readStock(SKU, SEED_LOCATIONS.warehouse).available;
const drafts = ({ shop }: OpenSandbox) => [...shop.draftOrders.all()];
const orders = ({ shop }: OpenSandbox) => [...shop.orders.all()];

async function request(shop: OpenSandbox, tag = 'hf-1', units = 2): Promise<HoldRequest> {
  const [item] = await shop.upstream.source.findBySku([SKU], forever);
  const variant_id = item?.variant_id ?? '';
  return { tag, lines: [{ variant_id, quantity_units: units }], until_ms: shop.now() + 900_000 };
}

function done<T>(outcome: WriteOutcome<T> | Exclude<OrderOutcome, WriteOutcome<unknown>>): T {
  if (outcome.outcome !== 'done') throw new Error(`expected done, got ${JSON.stringify(outcome)}`);
  return outcome.value;
}

async function held(shop: OpenSandbox, tag?: string): Promise<ShopHold> {
  return done(await shop.upstream.sink.createHold(await request(shop, tag), forever));
}

describe('making a hold', () => {
  it('takes units out of available until its time, and can be read and found', async () => {
    const shop = await sandbox();
    const before = available(shop);
    const wanted = await request(shop);
    const hold = done(await shop.upstream.sink.createHold(wanted, forever));
    expect(available(shop)).toBe(before - 2);
    expect(hold).toEqual({
      hold_ref: expect.stringMatching(/^\d+$/),
      status: 'open',
      until_ms: Math.floor(wanted.until_ms / 1_000) * 1_000,
      checkout_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/invoices\//),
      lines: [{ item_id: expect.stringMatching(/^\d+$/), sku: SKU, quantity_units: 2 }],
      order: null,
    });
    expect(await shop.upstream.sink.readHold(hold.hold_ref, forever)).toEqual(hold);
    expect(await shop.upstream.sink.findHolds('hf-1', forever)).toEqual([hold]);
    expect(drafts(shop)[0]).toMatchObject({
      tags: ['holdfast', 'hf-1'],
      customAttributes: [{ key: 'holdfast_reservation', value: 'hf-1' }],
    });
  });

  it('a time in the past is left for later, and an unknown variant is refused', async () => {
    const shop = await sandbox();
    const wanted = await request(shop);
    const late = { ...wanted, until_ms: shop.now() - 1_000 };
    expect(await shop.upstream.sink.createHold(late, forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'refused',
    });
    const unknown = { ...wanted, lines: [{ variant_id: '1', quantity_units: 1 }] };
    expect(await shop.upstream.sink.createHold(unknown, forever)).toMatchObject({
      outcome: 'refused',
      cause: 'item_unavailable',
    });
    expect(drafts(shop)).toEqual([]);
  });

  it('a request lost on the way: unknown, and the look-up finds nothing', async () => {
    const shop = await sandbox();
    const wanted = await request(shop);
    shop.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'drop' });
    expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({ outcome: 'unknown' });
    expect(await shop.upstream.sink.findHolds(wanted.tag, forever)).toEqual([]);
  });

  it.each([{ action: 'drop' }, { action: 'status', code: 500 }, { action: 'status', code: 504 }] as const)(
    'an answer lost on the way back (%o): unknown, and the look-up finds the one hold',
    async (fault) => {
      const shop = await sandbox();
      const wanted = await request(shop);
      shop.faults.add({ operation: 'draftOrderCreate', when: 'after', ...fault });
      expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({ outcome: 'unknown' });
      expect(drafts(shop).length).toBe(1);
      const found = await shop.upstream.sink.findHolds(wanted.tag, forever);
      expect(found.map((hold) => hold.status)).toEqual(['open']);
    },
  );

  it('an answer that comes too late: unknown, and the look-up finds the one hold', async () => {
    const shop = await sandbox({ tuning: { timeout_ms: 1_500 } });
    const wanted = await request(shop);
    shop.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'delay', ms: 60_000 });
    expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({ outcome: 'unknown' });
    expect((await shop.upstream.sink.findHolds(wanted.tag, forever)).length).toBe(1);
  });

  it('THROTTLED is not taken for "not executed"', async () => {
    const shop = await sandbox();
    const wanted = await request(shop);
    shop.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'throttle' });
    expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({ outcome: 'unknown' });
  });

  it('429 is "not sent", with the wait in seconds', async () => {
    const shop = await sandbox();
    const wanted = await request(shop);
    const fault = { operation: 'draftOrderCreate', when: 'before', action: 'status', code: 429 } as const;
    shop.faults.add({ ...fault, retryAfterSeconds: 4 });
    expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'throttled',
      retry_after_ms: 4_000,
    });
  });

  it('a token without the scope: not sent, and reads say so too', async () => {
    const shop = await sandbox({ scopes: ['read_inventory', 'read_products', 'read_locations'] });
    const wanted = await request(shop);
    expect(await shop.upstream.sink.createHold(wanted, forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'scope_missing',
    });
    await expect(shop.upstream.sink.readHold('1', forever)).rejects.toMatchObject({
      failure: 'scope_missing',
    });
    const { missing_scopes } = await shop.upstream.probe(forever);
    expect(missing_scopes).toContain('write_draft_orders');
    expect(missing_scopes).not.toContain('write_inventory');
  });
});

describe('finding holds', () => {
  it('only those with exactly this tag, hostile tags included', async () => {
    const shop = await sandbox();
    for (const tag of ['hf-1', 'hf-10', 'HF-1', 'hf"1', "hf'1", 'hf\\1', 'hf:1']) await held(shop, tag);
    for (const tag of ['hf-1', 'hf"1', "hf'1", 'hf\\1', 'hf:1']) {
      expect((await shop.upstream.sink.findHolds(tag, forever)).length, tag).toBe(1);
    }
    for (const tag of ['hf*', '*', 'hf-1" OR tag:"holdfast', 'hf']) {
      expect(await shop.upstream.sink.findHolds(tag, forever), tag).toEqual([]);
    }
  });

  it("the shop's search lags behind, a read by reference does not", async () => {
    const shop = await sandbox({ search_lag_ms: 60_000 });
    const hold = await held(shop);
    expect(await shop.upstream.sink.findHolds('hf-1', forever)).toEqual([]);
    expect(await shop.upstream.sink.readHold(hold.hold_ref, forever)).toEqual(hold);
  });

  it('a hold that never was is null', async () => {
    const shop = await sandbox();
    expect(await shop.upstream.sink.readHold('9007199254740993', forever)).toBeNull();
  });
});

describe('updating a hold', () => {
  it('sets buyer, note, reference and time, twice with one effect, and keeps tags and reservation', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    const until_ms = shop.now() + 1_800_000;
    const details: OrderDetails = {
      until_ms,
      note: 'Leave at the door',
      reference: 'cart-7',
      buyer: {
        email: 'ada@example.com',
        name: 'Ada King Lovelace',
        phone: '+441632960961',
        shipping_address: {
          address1: '1 St James Square',
          city: 'London',
          province: 'Greater London',
          postal_code: 'SW1Y 4JU',
          country_code: 'gb',
        },
      },
    };
    const stock = available(shop);
    const first = done(await shop.upstream.sink.updateHold(hold.hold_ref, details, forever));
    const again = done(
      await shop.upstream.sink.updateHold(hold.hold_ref, { ...details, reference: 'cart-8' }, forever),
    );
    expect([first, again].map((h) => h.until_ms)).toEqual(
      Array(2).fill(Math.floor(until_ms / 1_000) * 1_000),
    );
    expect(available(shop)).toBe(stock);
    expect(drafts(shop)[0]).toMatchObject({
      tags: ['holdfast', 'hf-1'],
      email: 'ada@example.com',
      note: 'Leave at the door',
      customAttributes: [
        { key: 'holdfast_reservation', value: 'hf-1' },
        { key: 'holdfast_reference', value: 'cart-8' },
      ],
      shippingAddress: {
        firstName: 'Ada King',
        lastName: 'Lovelace',
        phone: '+441632960961',
        address1: '1 St James Square',
        city: 'London',
        province: 'Greater London',
        zip: 'SW1Y 4JU',
        countryCode: 'GB',
      },
    });
  });

  it('a name without an address is kept, and what is null stays as it is', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    const until_ms = shop.now() + 900_000;
    const buyer = { email: 'a@example.com', name: 'Ada', phone: '+441632960961' };
    done(
      await shop.upstream.sink.updateHold(hold.hold_ref, { ...NOTHING, buyer, note: 'n', until_ms }, forever),
    );
    done(await shop.upstream.sink.updateHold(hold.hold_ref, { ...NOTHING, until_ms }, forever));
    expect(drafts(shop)[0]).toMatchObject({ email: 'a@example.com', phone: '+441632960961', note: 'n' });
  });

  it.each([
    ['a country that does not exist', { shipping_address: { country_code: 'QQ' } }, COUNTRY],
    ['a country that is no code', { shipping_address: { country_code: '1 Planted Street' } }, COUNTRY],
    ['an address that is none', { email: 'not an email' }, 'buyer.email'],
    ['a domain that Shopify does not like', { email: 'ada@gmail.ru' }, 'buyer.email'],
    ['a number that is none', { phone: 'call me' }, 'buyer.phone'],
    ['a number in an address', { phone: '12', shipping_address: { country_code: 'DE' } }, 'buyer.phone'],
    [
      'a province of another country',
      { shipping_address: { country_code: 'CA', province: 'TX' } },
      'buyer.shipping_address.province',
    ],
  ] as const)('%s is refused, and named as our callers know it', async (_, buyer, field) => {
    const shop = await sandbox();
    const hold = await held(shop);
    const details = { ...NOTHING, buyer, until_ms: shop.now() + 900_000 };
    expect(await shop.upstream.sink.updateHold(hold.hold_ref, details, forever)).toMatchObject({
      outcome: 'buyer_refused',
      fields: [field],
    });
    expect(drafts(shop)[0]).toMatchObject({ email: null, phone: null, shippingAddress: null });
  });

  it('a lost answer is repeated, because it is harmless', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    shop.faults.add({ operation: 'draftOrderUpdate', when: 'after', action: 'drop' });
    shop.faults.add({ operation: 'draftOrderUpdate', when: 'before', action: 'throttle' });
    const details = { ...NOTHING, until_ms: shop.now() + 900_000 };
    done(await shop.upstream.sink.updateHold(hold.hold_ref, details, forever));
    expect(shop.upstream.waits_ms.length).toBe(2);
  });

  it('what is gone or completed is refused', async () => {
    const shop = await sandbox();
    const details = { ...NOTHING, until_ms: shop.now() + 900_000 };
    expect(await shop.upstream.sink.updateHold('1', details, forever)).toMatchObject({ outcome: 'refused' });
    const hold = await held(shop);
    done(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid'));
    expect(await shop.upstream.sink.updateHold(hold.hold_ref, details, forever)).toMatchObject({
      outcome: 'refused',
    });
  });
});

describe('completing a hold', () => {
  it('makes a paid order, and completing again answers with the same one', async () => {
    const shop = await sandbox();
    const stock = available(shop);
    const hold = await held(shop);
    const order = done(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid'));
    expect(order).toEqual({
      order_ref: expect.stringMatching(/^\d+$/),
      order_name: expect.stringMatching(/^#\d+$/),
      lines: hold.lines,
      is_cancelled: false,
    });
    expect(done(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid'))).toEqual(order);
    expect(orders(shop).map((made) => made.isPaid)).toEqual([true]);
    expect(available(shop)).toBe(stock - 2);
    expect(await shop.upstream.sink.readHold(hold.hold_ref, forever)).toMatchObject({
      status: 'completed',
      order,
    });
  });

  it('L4: an answer lost on the way back is unknown, is sent once, and the look-up finds the one order', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    shop.faults.add({ operation: 'draftOrderComplete', when: 'after', action: 'drop' });
    expect(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid')).toMatchObject({
      outcome: 'unknown',
    });
    expect(orders(shop).length).toBe(1);
    const found = await shop.upstream.sink.readHold(hold.hold_ref, forever);
    expect(found?.status).toBe('completed');
    expect(done(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid'))).toEqual(found?.order);
    expect(orders(shop).length).toBe(1);
  });

  it('a request lost on the way: unknown, and the look-up finds it open', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    shop.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'drop' });
    expect(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid')).toMatchObject({
      outcome: 'unknown',
    });
    expect(await shop.upstream.sink.readHold(hold.hold_ref, forever)).toMatchObject({
      status: 'open',
      order: null,
    });
    expect(orders(shop)).toEqual([]);
  });

  it('a hold that does not exist is refused', async () => {
    const shop = await sandbox();
    expect(await shop.upstream.sink.completeHold('1', forever, 'paid')).toMatchObject({ outcome: 'refused' });
  });
});

describe('letting go', () => {
  it('gives the units back, and what is gone is gone', async () => {
    const shop = await sandbox();
    const before = available(shop);
    const hold = await held(shop);
    expect(await shop.upstream.sink.deleteHold(hold.hold_ref, forever)).toEqual({
      outcome: 'done',
      value: null,
    });
    expect(available(shop)).toBe(before);
    expect(await shop.upstream.sink.deleteHold(hold.hold_ref, forever)).toEqual({
      outcome: 'done',
      value: null,
    });
    expect(await shop.upstream.sink.findHolds('hf-1', forever)).toEqual([]);
  });

  it('a lost answer is repeated, and what is then gone is verified by a read', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    shop.faults.add({ operation: 'draftOrderDelete', when: 'after', action: 'drop' });
    expect(await shop.upstream.sink.deleteHold(hold.hold_ref, forever)).toEqual({
      outcome: 'done',
      value: null,
    });
  });

  it('a completed hold is refused: there is an order', async () => {
    const shop = await sandbox();
    const hold = await held(shop);
    done(await shop.upstream.sink.completeHold(hold.hold_ref, forever, 'paid'));
    expect(await shop.upstream.sink.deleteHold(hold.hold_ref, forever)).toMatchObject({ outcome: 'refused' });
  });

  it('when the shop cannot be asked, nothing was sent', async () => {
    const shop = await sandbox({ tuning: { attempts_max: 1 } });
    const hold = await held(shop);
    shop.faults.add({ operation: 'draftOrder', when: 'before', action: 'status', code: 503 });
    expect(await shop.upstream.sink.deleteHold(hold.hold_ref, forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'unreachable',
    });
    expect(drafts(shop).length).toBe(1);
  });
});

describe('answers no sandbox would give', () => {
  const ORDER = { id: 'gid://shopify/Order/9', name: '#1009' };
  const NO_LINES = { nodes: [], pageInfo: { hasNextPage: false } };
  const PAID = [{ field: null, message: 'No' }];
  const draft = (changes: object) => ({
    id: 'gid://shopify/DraftOrder/7',
    status: 'OPEN',
    ready: true,
    reserveInventoryUntil: null,
    tags: [],
    lineItems: NO_LINES,
    order: null,
    customAttributes: [],
    ...changes,
  });

  /** A shop with one draft, whose mutations answer as told. */
  async function shopWith(hold: object | null, mutations: Record<string, unknown>): Promise<RawShop> {
    const shop = await rawShop(({ body }, response) => {
      const isRead = body.query?.includes('HoldById');
      json(response, { data: isRead ? { draftOrder: hold } : mutations });
    });
    cleanups.push(shop.close);
    return shop;
  }

  it('a completed hold is not deleted even where the shop would do it', async () => {
    const shop = await shopWith(draft({ status: 'COMPLETED', order: ORDER }), {
      draftOrderDelete: { deletedId: 'gid://shopify/DraftOrder/7', userErrors: [] },
    });
    expect(await open(shop).sink.deleteHold('7', forever)).toMatchObject({ outcome: 'refused' });
    expect(shop.requests.length).toBe(1);
  });

  it('neither deleted nor an error is unknown; an error about an open hold is refused', async () => {
    const silent = await shopWith(draft({}), { draftOrderDelete: { deletedId: null, userErrors: [] } });
    expect(await open(silent).sink.deleteHold('7', forever)).toMatchObject({ outcome: 'unknown' });
    const stern = await shopWith(draft({}), { draftOrderDelete: { deletedId: null, userErrors: PAID } });
    expect(await open(stern).sink.deleteHold('7', forever)).toMatchObject({ outcome: 'refused' });
  });

  it.each([
    ['an order on the draft itself', draft({ status: 'COMPLETED', order: ORDER }), { outcome: 'done' }],
    ['a completed draft without its order', draft({ status: 'COMPLETED' }), { outcome: 'unknown' }],
    ['a draft that still computes', draft({ ready: false }), { outcome: 'not_sent', retry_after_ms: 2_000 }],
    ['an open draft', draft({}), { outcome: 'refused', detail: '-: No' }],
    ['no draft', null, { outcome: 'refused' }],
  ])('an error on a completion is judged by %s', async (_, hold, outcome) => {
    const shop = await shopWith(hold, { draftOrderComplete: { draftOrder: null, userErrors: PAID } });
    expect(await open(shop).sink.completeHold('7', forever, 'paid')).toMatchObject(outcome);
  });

  it('a completion without an order and without an error is unknown', async () => {
    const mutations = { draftOrderComplete: { draftOrder: draft({ status: 'COMPLETED' }), userErrors: [] } };
    const shop = await shopWith(null, mutations);
    expect(await open(shop).sink.completeHold('7', forever, 'paid')).toMatchObject({ outcome: 'unknown' });
  });

  it('a hold that never reserved has no time, and an invoice that was sent leaves it open', async () => {
    const shop = await shopWith(draft({ status: 'INVOICE_SENT' }), {});
    expect(await open(shop).sink.readHold('7', forever)).toEqual({
      hold_ref: '7',
      status: 'open',
      until_ms: null,
      checkout_url: null,
      lines: [],
      order: null,
    });
  });

  it.each([
    ['https://acme.myshopify.com/1/invoices/2', true],
    ['http://acme.myshopify.com/1/invoices/2', false],
    ['javascript:alert(1)', false],
    ['https://acme.myshopify.com@evil.example/', false],
    ['no address', false],
    [null, false],
  ])(
    'a link to pay at is a web address of the shop, and nothing else is passed on: %s',
    async (invoiceUrl, passes) => {
      const shop = await shopWith(draft({ invoiceUrl }), {});
      expect(await open(shop).sink.readHold('7', forever)).toMatchObject({
        checkout_url: passes ? invoiceUrl : null,
      });
    },
  );

  it("others' attributes are kept", async () => {
    const customAttributes = [
      { key: 'gift', value: 'yes' },
      { key: 'empty', value: null },
      { key: 'holdfast_reference', value: 'old' },
    ];
    const updated = { draftOrderUpdate: { draftOrder: draft({}), userErrors: [] } };
    const shop = await shopWith(draft({ customAttributes }), updated);
    const details = { ...NOTHING, reference: 'new', buyer: { name: 'Ada' }, until_ms: 1_893_456_000_000 };
    done(await open(shop).sink.updateHold('7', details, forever));
    expect(shop.requests[1]?.body.variables?.['input']).toEqual({
      reserveInventoryUntil: '2030-01-01T00:00:00.000Z',
      customAttributes: [
        { key: 'gift', value: 'yes' },
        { key: 'empty', value: '' },
        { key: 'holdfast_reference', value: 'new' },
        { key: 'holdfast_buyer_name', value: 'Ada' },
      ],
    });
  });
});

describe('the shop itself', () => {
  it('a probe tells its name, its clock, and that no scope is missing', async () => {
    const shop = await sandbox();
    const probe = await shop.upstream.probe(forever);
    expect(probe).toMatchObject({
      shop_name: 'Sandbox Apparel',
      shop: 'sandbox.myshopify.com',
      missing_scopes: [],
    });
    expect(Math.abs((probe.shop_time_ms ?? 0) - shop.now())).toBeLessThan(3_000);
  });

  it('client credentials work, and a revoked token is replaced within the call', async () => {
    const credentials = { client_id: 'sandbox', client_secret: 'sandbox' };
    const shop = await sandbox({ credentials });
    await held(shop, 'hf-1');
    shop.revokeTokens();
    await held(shop, 'hf-2');
    expect(drafts(shop).length).toBe(2);
    expect(shop.upstream.waits_ms).toEqual([]);
  });

  it('wrong credentials are unauthorized', async () => {
    const shop = await sandbox({ credentials: { client_id: 'sandbox', client_secret: 'wrong' } });
    await expect(shop.upstream.probe(forever)).rejects.toMatchObject({ failure: 'unauthorized' });
    const other = await sandbox({ credentials: { access_token: 'shpat_wrong' } });
    await expect(other.upstream.probe(forever)).rejects.toMatchObject({ failure: 'unauthorized' });
  });
});
