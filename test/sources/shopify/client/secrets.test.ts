import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Buyer } from '../../../../src/ledger/model/values/buyer.js';
import type { Credentials } from '../../../../src/sources/shopify/client/session.js';
import type { OrderDetails } from '../../../../src/sources/source.js';
import { forever, json, type Opened, open, type RawRequest, type RawShop, rawShop } from '../raw-shop.js';

const TOKEN = 'shpat_planted_4711';
const MINTED = 'shpat_minted_4712';
const CLIENT_ID = 'planted-client-id';
const CLIENT_SECRET = 'shpss_planted_4713';
const WEBHOOK_SECRETS = ['whsec_planted_4714', 'whsec_planted_4715'];

const BUYER = {
  name: 'Ottilie Plantagenet',
  email: 'ottilie.plantagenet@buyers.example',
  phone: '+49401234567',
  shipping_address: {
    address1: 'Geheimweg 17',
    address2: 'Hinterhaus links',
    city: 'Verborgenstadt',
    province: 'Ostverschwiegen',
    postal_code: '98765-PLZ',
    country_code: 'DE',
  },
} satisfies Buyer;
const DETAILS: OrderDetails = {
  until_ms: 1_893_456_000_000,
  buyer: BUYER,
  note: 'leave it with the neighbour Zacharias',
  reference: 'conversation-0815-geheim',
};

const PLANTED: readonly string[] = [
  TOKEN,
  MINTED,
  CLIENT_ID,
  CLIENT_SECRET,
  ...WEBHOOK_SECRETS,
  'Ottilie',
  'Plantagenet',
  BUYER.email,
  BUYER.phone,
  BUYER.shipping_address.address1,
  BUYER.shipping_address.address2,
  BUYER.shipping_address.city,
  BUYER.shipping_address.province,
  BUYER.shipping_address.postal_code,
  'Zacharias',
  'conversation-0815-geheim',
];

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

/** All that a shop, or a proxy before it, could throw back at us: what it was sent, and the same in capitals. */
function everything({ headers, body }: RawRequest): string {
  const variables = JSON.stringify(body.variables ?? body);
  // First what matters most: a detail has not room for all of it.
  return `${variables} ${headers['x-shopify-access-token']} ${variables.toUpperCase()} ${JSON.stringify(headers)}`;
}

type Failure = (request: RawRequest, response: ServerResponse) => void;

const error =
  (code: string): Failure =>
  (request, response) =>
    json(response, {
      errors: [{ message: everything(request), extensions: { code, value: everything(request) } }],
    });
const status =
  (code: number): Failure =>
  (request, response) =>
    json(response, { errors: everything(request) }, code, { 'x-request-id': 'r', 'retry-after': '1' });
const userErrors: Failure = (request, response) => {
  const said = { userErrors: [{ field: ['input'], message: everything(request), code: null }] };
  const roots = [
    'draftOrderCreate',
    'draftOrderUpdate',
    'draftOrderComplete',
    'draftOrderDelete',
    'orderCreate',
  ];
  const more = ['inventoryMoveQuantities', 'webhookSubscriptionCreate', 'bulkOperationRunQuery'];
  const root = [...roots, ...more].find((name) => request.body.query?.includes(`${name}(`));
  if (root !== undefined) return json(response, { data: { [root]: said } });
  json(response, {
    data: { draftOrder: OPEN_DRAFT, productVariantsCount: { count: 9_999, precision: 'EXACT' } },
  });
};
const OPEN_DRAFT = {
  id: 'gid://shopify/DraftOrder/7',
  status: 'OPEN',
  ready: true,
  reserveInventoryUntil: null,
  tags: [],
  lineItems: { nodes: [], pageInfo: { hasNextPage: false } },
  order: null,
  invoiceUrl: null,
  customAttributes: [],
};

const FAILURES: Readonly<Record<string, Failure>> = {
  'HTTP 401': status(401),
  'HTTP 402': status(402),
  'HTTP 403': status(403),
  'HTTP 404': status(404),
  'HTTP 423': status(423),
  'HTTP 429': status(429),
  'HTTP 500': status(500),
  'HTTP 503': status(503),
  'a redirect': (request, response) =>
    void response
      .writeHead(302, { location: `/?${encodeURIComponent(everything(request))}` })
      .end(everything(request)),
  THROTTLED: error('THROTTLED'),
  ACCESS_DENIED: error('ACCESS_DENIED'),
  UNAUTHORIZED: error('UNAUTHORIZED'),
  BAD_REQUEST: error('BAD_REQUEST'),
  INVALID_VARIABLE: error('INVALID_VARIABLE'),
  INTERNAL_SERVER_ERROR: error('INTERNAL_SERVER_ERROR'),
  'an unknown code': error('SOMETHING_NEW'),
  'user errors': userErrors,
  'no JSON': (request, response) => void response.end(`<html>${everything(request)}`),
  'JSON without data': (request, response) => json(response, { said: everything(request) }),
  'data of another form': (request, response) => json(response, { data: { nodes: everything(request) } }),
  'a cut answer': (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
    response.write(everything(request));
    setTimeout(() => response.destroy(), 5);
  },
  'a dropped connection': (_, response) => void response.destroy(),
};

async function shopThat(fail: Failure): Promise<RawShop> {
  const shop = await rawShop((request, response) => {
    if (request.path === '/admin/oauth/access_token')
      return json(response, { access_token: MINTED, scope: 'x', expires_in: 86_399 });
    // The hold is there: a write that looks before it writes must come to write.
    if (request.body.query?.includes('query HoldById'))
      return json(response, { data: { draftOrder: OPEN_DRAFT } });
    fail(request, response);
  });
  cleanups.push(shop.close);
  return shop;
}

/** Everything this connector can be asked; what it says, returned or thrown, with every property of it. */
async function askEverything({ source, orders, sink, subscriptions, probe }: Opened): Promise<string[]> {
  const lines = [{ variant_id: '1', quantity_units: 1 }];
  const allOf = async (pages: AsyncIterable<unknown>) => {
    for await (const _ of pages);
  };
  const hold = { tag: 'hf-1', lines, until_ms: DETAILS.until_ms };
  const asked: (() => Promise<unknown>)[] = [
    () => probe(forever),
    () => source.locations(forever),
    () => source.cursorNow(forever),
    () => allOf(source.changesSince('2026-11-23T12:00:00Z', forever)),
    () => source.readItems(['1'], forever),
    () => source.findBySku(['A'], forever),
    () => allOf(source.catalogue(forever)),
    () => orders.readOrders(['1'], forever),
    () => allOf(orders.ordersChangedSince('2026-11-23T12:00:00Z', forever)),
    () => subscriptions.list(forever),
    () => subscriptions.ensure('https://holdfast.example.com/', forever),
    () => sink.createHold(hold, forever),
    () => sink.updateHold('7', DETAILS, forever),
    () => sink.completeHold('7', forever, 'paid'),
    () => sink.deleteHold('7', forever),
    () => sink.placeOrder({ tag: 'hf-1', lines, ...DETAILS, payment: 'paid' }, forever),
    () => sink.findHolds('hf-1', forever),
    () => sink.readHold('7', forever),
  ];
  const said: string[] = [];
  for (const ask of asked) {
    const [result] = await Promise.allSettled([ask()]);
    said.push(printed(result?.status === 'rejected' ? result.reason : result?.value));
  }
  return said;
}

function printed(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? '';
  const own = Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]);
  return `${value} ${JSON.stringify(Object.fromEntries(own))} ${value.cause ? printed(value.cause) : ''}`;
}

function leaks(texts: readonly string[]): string[] {
  return PLANTED.filter((secret) => texts.some((text) => text.toLowerCase().includes(secret.toLowerCase())));
}

const WAYS: readonly (readonly [string, Credentials])[] = [
  ['a token', { access_token: TOKEN }],
  ['client credentials', { client_id: CLIENT_ID, client_secret: CLIENT_SECRET }],
];

describe.each(WAYS)(
  'with %s, nothing secret and nothing of a buyer is logged, thrown or answered',
  (_, credentials) => {
    const planted = (shop: RawShop) =>
      open({
        origin: shop.origin,
        credentials,
        webhook_secrets: WEBHOOK_SECRETS,
        tuning: { bulk_wait_ms: 2_000 },
      });

    it.each(Object.entries(FAILURES))('when the shop answers with %s', async (_, failure) => {
      const shop = await shopThat(failure);
      const upstream = planted(shop);
      const said = await askEverything(upstream);
      // It was really sent, and really failed.
      expect(JSON.stringify(shop.requests)).toContain(BUYER.email);
      expect(said.length).toBe(18);
      expect(leaks([...upstream.lines, ...said])).toEqual([]);
    });

    it('when there is no shop at all', async () => {
      const shop = await shopThat(() => {});
      await shop.close();
      const upstream = planted(shop);
      expect(leaks([...(await askEverything(upstream)), ...upstream.lines])).toEqual([]);
    });

    it('when the token is refused', async () => {
      const shop = await rawShop((request, response) => json(response, { error: everything(request) }, 400));
      cleanups.push(shop.close);
      const upstream = planted(shop);
      expect(leaks([...(await askEverything(upstream)), ...upstream.lines])).toEqual([]);
    });

    it('when a webhook is refused or let in', async () => {
      const { gate, lines } = open({
        origin: 'https://example.com',
        credentials,
        webhook_secrets: WEBHOOK_SECRETS,
      });
      const body = Buffer.from(
        JSON.stringify({ id: 1, email: BUYER.email, customer: BUYER, note: PLANTED.join() }),
      );
      const verdicts: string[] = [];
      for (const secret of [...WEBHOOK_SECRETS, 'wrong']) {
        for (const shop of ['sandbox.myshopify.com', 'other.myshopify.com']) {
          const headers = {
            'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
            'x-shopify-shop-domain': shop,
            'x-shopify-topic': 'orders/updated',
            'x-shopify-webhook-id': 'w-1',
          };
          verdicts.push(JSON.stringify(await gate?.judge(headers, body)));
        }
      }
      expect(new Set(verdicts).size).toBe(3);
      expect(leaks([...verdicts, ...lines])).toEqual([]);
    });
  },
);

describe('the search for leaks', () => {
  it('finds what is planted', () => {
    expect(leaks([`x${TOKEN}x`, BUYER.email.toUpperCase()])).toEqual([
      TOKEN,
      'Ottilie',
      'Plantagenet',
      BUYER.email,
    ]);
  });
});

describe('the gate', () => {
  it('opens with the webhook secrets, or with the client secret where there are none, or not at all', () => {
    const origin = 'https://example.com';
    const credentials = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };
    expect(open({ origin }).gate).toBeNull();
    expect(open({ origin, webhook_secrets: [] }).gate).toBeNull();
    expect(open({ origin, credentials }).gate).not.toBeNull();
    expect(open({ origin, webhook_secrets: WEBHOOK_SECRETS }).gate).not.toBeNull();
  });
});
