import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseOrigin } from '../../../../src/sources/shopify/client/http-call.js';
import type { HoldRequest, WriteOutcome } from '../../../../src/sources/source.js';
import { type Answerer, forever, json, open, type RawShop, rawShop } from '../raw-shop.js';

const CLOCK = { data: { shop: { id: 'gid://shopify/Shop/1' } } };
const DRAFT = {
  id: 'gid://shopify/DraftOrder/7',
  status: 'OPEN',
  ready: true,
  reserveInventoryUntil: '2030-01-01T00:00:00Z',
  tags: ['holdfast', 'hf-1'],
  lineItems: { nodes: [], pageInfo: { hasNextPage: false } },
  order: null,
};
const CREATED = { data: { draftOrderCreate: { draftOrder: DRAFT, userErrors: [] } } };
const REQUEST: HoldRequest = {
  tag: 'hf-1',
  lines: [{ variant_id: '1', quantity_units: 1 }],
  until_ms: 1_893_456_000_000,
};

const shops: RawShop[] = [];

async function shopThat(answer: Answerer): Promise<RawShop> {
  const shop = await rawShop(answer);
  shops.push(shop);
  return shop;
}

afterEach(async () => {
  await Promise.all(shops.splice(0).map((shop) => shop.close()));
  vi.restoreAllMocks();
});

function throttled(requested: number, available: number, restoreRate: number) {
  return {
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
    extensions: {
      cost: {
        requestedQueryCost: requested,
        actualQueryCost: null,
        throttleStatus: { maximumAvailable: 2000, currentlyAvailable: available, restoreRate },
      },
    },
  };
}

describe('where a token may go', () => {
  it.each([
    'http://example.com',
    'http://10.0.0.1:4010',
    'ftp://127.0.0.1',
    'http://127.0.0.1.example.com',
    'https://user@example.com',
    'https://example.com/path',
  ])('%s is refused as an origin', (origin) => {
    expect(() => parseOrigin(origin)).toThrow(RangeError);
  });

  it.each(['https://example.com', 'http://127.0.0.1:4010', 'http://localhost:4010', 'http://[::1]:4010'])(
    '%s is accepted as an origin',
    (origin) => {
      expect(parseOrigin(origin).origin).toBe(origin);
    },
  );

  it.each(['example.com', 'sandbox.myshopify.com.example.com', 'sandbox.myshopify.com/admin', ''])(
    '"%s" is refused as a shop',
    (shop) => {
      expect(() => open({ origin: 'https://example.com', shop })).toThrow(RangeError);
    },
  );

  it('an empty credential is refused', () => {
    expect(() => open({ origin: 'https://example.com', credentials: { access_token: '' } })).toThrow(
      RangeError,
    );
  });

  it('a redirect is not followed, so the token stays with the shop', async () => {
    const elsewhere = await shopThat((_, response) => json(response, CLOCK));
    const shop = await shopThat((_, response) => {
      response.writeHead(307, { location: `${elsewhere.origin}/admin` }).end();
    });
    await expect(open(shop).source.countVariants(forever)).rejects.toMatchObject({ failure: 'protocol' });
    expect(elsewhere.requests).toEqual([]);
  });

  it('two shops of one name in one process each keep to their own origin', async () => {
    const answers: Answerer = (_, response) => setTimeout(() => json(response, CLOCK), 5);
    const [left, right] = [await shopThat(answers), await shopThat(answers)];
    const [atLeft, atRight] = [
      open(left),
      open({ origin: right.origin, credentials: { access_token: 'other' } }),
    ];
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? atLeft : atRight).source.countVariants(forever)),
    );
    const tokens = ({ requests }: RawShop) =>
      new Set(requests.map((r) => r.headers['x-shopify-access-token']));
    expect([left.requests.length, right.requests.length]).toEqual([10, 10]);
    expect([tokens(left), tokens(right)]).toEqual([new Set(['shpat_sandbox']), new Set(['other'])]);
  });
});

describe('reads', () => {
  it('a 429 waits as many seconds as Retry-After says, not milliseconds', async () => {
    const shop = await shopThat((_, response, count) =>
      count === 1 ? json(response, {}, 429, { 'retry-after': '2.0' }) : json(response, CLOCK),
    );
    const { source, waits_ms } = open(shop);
    await source.countVariants(forever);
    expect(waits_ms).toEqual([2_000]);
  });

  it('THROTTLED waits until the bucket can pay for the request, and a read for the share of orders too', async () => {
    const shop = await shopThat((_, response, count) =>
      json(response, count === 1 ? throttled(752, 10, 100) : CLOCK),
    );
    const { source, waits_ms } = open(shop);
    await source.countVariants(forever);
    expect(waits_ms).toEqual([7_420, 5_000]);
  });

  it('THROTTLED waits a second at least, and random spreads the wait', async () => {
    const shop = await shopThat((_, response, count) =>
      json(
        response,
        count < 3
          ? throttled(11, 10, 100)
          : { data: { draftOrders: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } } },
      ),
    );
    const { sink, waits_ms } = open({ origin: shop.origin, random: () => 0.5 });
    await sink.findHolds('hf-1', forever);
    expect(waits_ms).toEqual([1_125, 1_125]);
  });

  it('a wait that is too long is given to the caller', async () => {
    const shop = await shopThat((_, response) => json(response, {}, 429, { 'retry-after': '600' }));
    const { source, waits_ms } = open(shop);
    const failure = { failure: 'throttled', retry_after_ms: 600_000 };
    await expect(source.countVariants(forever)).rejects.toMatchObject(failure);
    expect(waits_ms).toEqual([]);
  });

  it('a dropped connection is tried again, a bounded number of times', async () => {
    const shop = await shopThat((_, response) => response.destroy());
    const { source, waits_ms } = open(shop);
    await expect(source.countVariants(forever)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(shop.requests.length).toBe(4);
    expect(waits_ms).toEqual([125, 250, 500]);
  });

  it('an answer cut in the middle is a lost answer, not a broken promise', async () => {
    const shop = await shopThat((_, response, count) => {
      if (count > 1) return json(response, CLOCK);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"data":');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(open(shop).source.cursorNow(forever)).resolves.toMatch(/Z$/);
  });

  it('an endless answer is not read to its end', async () => {
    const shop = await shopThat((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(1 << 20)));
      };
      response.on('drain', more);
      more();
    });
    await expect(open(shop).source.countVariants(forever)).rejects.toMatchObject({ failure: 'protocol' });
    expect(shop.requests.length).toBe(1);
  });

  it('no answer in time is given up', async () => {
    const shop = await shopThat(() => {});
    const { source } = open({ origin: shop.origin, tuning: { timeout_ms: 1_000, attempts_max: 2 } });
    await expect(source.countVariants(forever)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(shop.requests.length).toBe(2);
  });

  it("the caller's signal ends a call and its retries", async () => {
    const caller = new AbortController();
    const shop = await shopThat(() => caller.abort());
    const { source, waits_ms } = open(shop);
    await expect(source.countVariants(caller.signal)).rejects.toMatchObject({ failure: 'unreachable' });
    expect([shop.requests.length, waits_ms]).toEqual([1, []]);
  });

  it('partial data is never half-used', async () => {
    const shop = await shopThat((_, response) =>
      json(response, {
        ...CLOCK,
        errors: [{ message: 'no', path: ['shop', 'x'], extensions: { code: 'ODD' } }],
      }),
    );
    await expect(open(shop).source.countVariants(forever)).rejects.toMatchObject({ failure: 'protocol' });
  });

  it.each([
    [401, 'unauthorized'],
    [400, 'unreachable'],
    [402, 'unreachable'],
    [403, 'unauthorized'],
    [404, 'unreachable'],
    [413, 'unreachable'],
    [423, 'unreachable'],
    [430, 'unreachable'],
    [503, 'unreachable'],
  ])('HTTP %i is %s', async (status, failure) => {
    const shop = await shopThat((_, response) => json(response, {}, status));
    await expect(open(shop).source.countVariants(forever)).rejects.toMatchObject({ failure });
  });

  it('a version that the shop has retired is told once a day, while it answers with another', async () => {
    let answered = '2027-01';
    const shop = await shopThat((_, response) => {
      response.setHeader('X-Shopify-API-Version', answered);
      json(response, CLOCK);
    });
    let now_ms = Date.now();
    const { source, lines } = open({ ...shop, now: () => now_ms });
    const told = () => lines.filter((line) => line.includes('has retired our version')).length;
    for (const hours of [0, 1, 22]) {
      now_ms += hours * 3_600_000;
      await source.cursorNow(forever);
    }
    expect(told()).toBe(1);
    expect(lines.find((line) => line.includes('retired'))).toContain(
      '"wanted":"2026-10","answered":"2027-01"',
    );
    now_ms += 2 * 3_600_000;
    await source.cursorNow(forever);
    expect(told()).toBe(2);
    answered = '2026-10';
    now_ms += 48 * 3_600_000;
    await source.cursorNow(forever);
    expect(told()).toBe(2);
  });

  it('200 without JSON, without data, or without a clock is a broken promise', async () => {
    const page = await shopThat((_, response) => response.end('<html>'));
    await expect(open(page).source.cursorNow(forever)).rejects.toMatchObject({ failure: 'protocol' });
    const empty = await shopThat((_, response) => json(response, { data: {} }));
    await expect(open(empty).source.cursorNow(forever)).rejects.toMatchObject({ failure: 'protocol' });
    const timeless = await shopThat((_, response) => {
      response.sendDate = false;
      json(response, CLOCK);
    });
    await expect(open(timeless).source.cursorNow(forever)).rejects.toMatchObject({ failure: 'protocol' });
  });
});

describe('the cost bucket', () => {
  it('reads leave a quarter of it to holds and orders, which go out at once', async () => {
    const throttleStatus = { maximumAvailable: 2000, currentlyAvailable: 100, restoreRate: 100 };
    const extensions = { cost: { requestedQueryCost: 10, actualQueryCost: 10, throttleStatus } };
    const shop = await shopThat(({ body }, response) => {
      const data = body.query?.includes('CreateHold')
        ? CREATED.data
        : { ...CLOCK.data, draftOrders: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } };
      json(response, { data, extensions });
    });
    const { source, sink, waits_ms } = open(shop);
    await source.countVariants(forever);
    await sink.createHold(REQUEST, forever);
    await sink.findHolds('hf-1', forever);
    expect(waits_ms).toEqual([]);
    await source.countVariants(forever);
    expect(waits_ms).toEqual([4_100]);
  });

  it('is learnt from refusals too: a read that follows waits as long as it must', async () => {
    const shop = await shopThat((_, response, count) =>
      json(response, count === 1 ? throttled(10, 400, 100) : CLOCK),
    );
    const { sink, source, waits_ms } = open(shop);
    expect(await sink.createHold(REQUEST, forever)).toMatchObject({ outcome: 'unknown' });
    await source.countVariants(forever);
    // 500 are kept, and a document that was never sent is taken for 20 points.
    expect(waits_ms).toEqual([1_200]);
  });
});

describe('a write that must not be sent twice', () => {
  async function created(answer: Answerer, tuning = {}): Promise<[WriteOutcome<unknown>, number, number[]]> {
    const shop = await shopThat(answer);
    const { sink, waits_ms } = open({ origin: shop.origin, tuning });
    const outcome = await sink.createHold(REQUEST, forever);
    return [outcome, shop.requests.length, waits_ms];
  }

  it.each<[string, Answerer]>([
    ['a dropped connection', (_, response) => void response.destroy()],
    ['HTTP 500', (_, response) => json(response, {}, 500)],
    ['HTTP 503 with Retry-After', (_, response) => json(response, {}, 503, { 'retry-after': '1' })],
    ['THROTTLED', (_, response) => json(response, throttled(752, 10, 100))],
    ['an error of an unknown kind', (_, response) => json(response, { errors: [{ message: 'hm' }] })],
    ['an internal error', (_, r) => json(r, { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })],
    ['200 without GraphQL', (_, response) => void response.end('<html>')],
    [
      'data with an error below it',
      (_, response) =>
        json(response, {
          ...CREATED,
          errors: [
            {
              message: 'x',
              path: ['draftOrderCreate', 'draftOrder', 'order'],
              extensions: { code: 'ACCESS_DENIED' },
            },
          ],
        }),
    ],
    [
      'a draft beside an error',
      (_, r) =>
        json(r, {
          data: { draftOrderCreate: { draftOrder: DRAFT, userErrors: [{ field: null, message: 'x' }] } },
        }),
    ],
    [
      'a draft whose id cannot be read',
      (_, r) =>
        json(r, {
          data: {
            draftOrderCreate: { draftOrder: { ...DRAFT, id: 'gid://shopify/Order/7' }, userErrors: [] },
          },
        }),
    ],
    [
      'neither draft nor error',
      (_, r) => json(r, { data: { draftOrderCreate: { draftOrder: null, userErrors: [] } } }),
    ],
  ])('%s: unknown, sent once', async (_, answer) => {
    expect(await created(answer)).toEqual([expect.objectContaining({ outcome: 'unknown' }), 1, []]);
  });

  it('no answer in time: unknown, sent once', async () => {
    const [outcome, requests] = await created(() => {}, { timeout_ms: 1_000 });
    expect([outcome.outcome, requests]).toEqual(['unknown', 1]);
  });

  it('a refused connection: not sent', async () => {
    const shop = await shopThat(() => {});
    await shop.close();
    const outcome = await open(shop).sink.createHold(REQUEST, forever);
    expect(outcome).toMatchObject({ outcome: 'not_sent', failure: 'unreachable' });
  });

  it('a name that does not resolve: not sent', async () => {
    const { sink } = open({ origin: 'https://nowhere.invalid' });
    expect(await sink.createHold(REQUEST, forever)).toMatchObject({
      outcome: 'not_sent',
      failure: 'unreachable',
    });
  });

  it('429: not sent, with the wait the shop asks for', async () => {
    const [outcome, requests] = await created((_, r) => json(r, {}, 429, { 'retry-after': '3' }));
    expect(outcome).toMatchObject({ outcome: 'not_sent', failure: 'throttled', retry_after_ms: 3_000 });
    expect(requests).toBe(1);
  });

  it('a signal that is aborted before: not sent; while it runs: unknown', async () => {
    const caller = new AbortController();
    const shop = await shopThat(() => caller.abort());
    const { sink } = open(shop);
    expect(await sink.createHold(REQUEST, caller.signal)).toMatchObject({ outcome: 'unknown' });
    expect(await sink.createHold(REQUEST, caller.signal)).toMatchObject({ outcome: 'not_sent' });
    expect(shop.requests.length).toBe(1);
  });

  it('a missing scope at the root: not sent', async () => {
    const [outcome] = await created((_, response) =>
      json(response, {
        data: { draftOrderCreate: null },
        errors: [
          { message: 'Access denied', path: ['draftOrderCreate'], extensions: { code: 'ACCESS_DENIED' } },
        ],
      }),
    );
    expect(outcome).toMatchObject({ outcome: 'not_sent', failure: 'scope_missing' });
  });

  it('a variable that the schema does not know: refused', async () => {
    const [outcome] = await created((_, response) =>
      json(response, { errors: [{ message: 'invalid value', extensions: { code: 'INVALID_VARIABLE' } }] }),
    );
    expect(outcome).toMatchObject({ outcome: 'refused' });
  });

  it('what the shop would change or refuse is not sent at all', async () => {
    const shop = await shopThat((_, response) => json(response, CREATED));
    const { sink } = open(shop);
    const line = { variant_id: '1', quantity_units: 1 };
    const flawed: HoldRequest[] = [
      { ...REQUEST, lines: [] },
      { ...REQUEST, lines: Array(500).fill(line) },
      { ...REQUEST, lines: [{ ...line, quantity_units: 0 }] },
      { ...REQUEST, lines: [{ ...line, quantity_units: 1.5 }] },
      { ...REQUEST, tag: 'a,b' },
      { ...REQUEST, tag: 'x'.repeat(41) },
      { ...REQUEST, tag: '' },
    ];
    for (const request of flawed) {
      expect(await sink.createHold(request, forever)).toMatchObject({ outcome: 'refused' });
    }
    expect(shop.requests).toEqual([]);
  });

  it('a 429 after a lost answer does not make it "not sent"', async () => {
    const held = { data: { draftOrder: { ...DRAFT, customAttributes: [] } } };
    const shop = await shopThat(({ body }, response, count) => {
      if (body.query?.includes('HoldById')) return json(response, held);
      if (count === 2) return void response.destroy();
      json(response, {}, 429, { 'retry-after': '1' });
    });
    const details = { until_ms: REQUEST.until_ms, buyer: null, note: null, reference: null };
    expect(await open(shop).sink.updateHold('7', details, forever)).toMatchObject({ outcome: 'unknown' });
    expect(shop.requests.length).toBe(5);
  });
});

describe('client credentials', () => {
  const credentials = { client_id: 'id-1', client_secret: 'cs_planted_secret' };
  const grants = (shop: RawShop) =>
    shop.requests.filter((r) => r.path === '/admin/oauth/access_token').length;

  function grantingShop(accepted: (token: string, granted: number) => boolean): Promise<RawShop> {
    let granted = 0;
    return shopThat(({ path, headers }, response) => {
      if (path === '/admin/oauth/access_token') {
        granted += 1;
        setTimeout(
          () => json(response, { access_token: `at_planted_${granted}`, scope: 'x', expires_in: 86_399 }),
          10,
        );
        return;
      }
      json(response, CLOCK, accepted(String(headers['x-shopify-access-token']), granted) ? 200 : 401);
    });
  }

  it('many calls at once wait for one grant', async () => {
    const shop = await grantingShop(() => true);
    const { source } = open({ origin: shop.origin, credentials });
    await Promise.all(Array.from({ length: 8 }, () => source.countVariants(forever)));
    expect(grants(shop)).toBe(1);
  });

  it('a refused token is replaced once for everybody, and the calls go through', async () => {
    const shop = await grantingShop((token) => token === 'at_planted_2');
    const { source, waits_ms } = open({ origin: shop.origin, credentials });
    await Promise.all(Array.from({ length: 8 }, () => source.countVariants(forever)));
    expect([grants(shop), waits_ms]).toEqual([2, []]);
  });

  it('a write that must not be sent twice goes out again after a 401, which ran nothing', async () => {
    let created = 0;
    const shop = await shopThat(({ path, headers }, response, count) => {
      if (path === '/admin/oauth/access_token') {
        return json(response, { access_token: `at_${count}`, scope: 'x', expires_in: 86_399 });
      }
      if (headers['x-shopify-access-token'] === 'at_1') return json(response, {}, 401);
      created += 1;
      json(response, CREATED);
    });
    const outcome = await open({ origin: shop.origin, credentials }).sink.createHold(REQUEST, forever);
    expect([outcome.outcome, created]).toEqual(['done', 1]);
  });

  it('a grant that fails fails for all who wait for it, and the next call asks again', async () => {
    let asked = 0;
    const shop = await shopThat(({ path }, response) => {
      if (path !== '/admin/oauth/access_token') return json(response, CLOCK);
      asked += 1;
      if (asked === 1) return void setTimeout(() => json(response, {}, 400), 10);
      json(response, { access_token: 'at_2', scope: 'x', expires_in: 86_399 });
    });
    const { source } = open({ origin: shop.origin, credentials });
    const calls = await Promise.allSettled(Array.from({ length: 8 }, () => source.countVariants(forever)));
    expect(calls.map(({ status }) => status)).toEqual(Array(8).fill('rejected'));
    expect(asked).toBe(1);
    await source.countVariants(forever);
    expect(asked).toBe(2);
  });

  it('a token that is always refused is asked for twice at most', async () => {
    const shop = await grantingShop(() => false);
    const { source } = open({ origin: shop.origin, credentials });
    await expect(source.countVariants(forever)).rejects.toMatchObject({ failure: 'unauthorized' });
    expect(grants(shop)).toBe(2);
  });

  it('a token is replaced shortly before it expires', async () => {
    const shop = await grantingShop(() => true);
    let now_ms = Date.now();
    const { source } = open({ origin: shop.origin, credentials, now: () => now_ms });
    await source.countVariants(forever);
    now_ms += 23 * 3_600_000;
    await source.countVariants(forever);
    expect(grants(shop)).toBe(1);
    now_ms += 3_600_000 - 30_000;
    await source.countVariants(forever);
    expect(grants(shop)).toBe(2);
  });

  it.each([
    [400, 'unauthorized'],
    [401, 'unauthorized'],
    [429, 'throttled'],
    [500, 'unreachable'],
  ])('a grant answered with HTTP %i is %s, and the write behind it was not sent', async (status, failure) => {
    const shop = await shopThat((_, response) => json(response, { error: 'invalid_client' }, status));
    const outcome = await open({ origin: shop.origin, credentials }).sink.createHold(REQUEST, forever);
    expect(outcome).toMatchObject({ outcome: 'not_sent', failure });
    expect(shop.requests.every((request) => request.path === '/admin/oauth/access_token')).toBe(true);
  });
});

describe('secrets', () => {
  const SECRETS = ['cs_planted_secret', 'at_planted_token', 'shpat_planted_token'];

  /** Says back everything it was told, wherever an answer can carry it. */
  const echo: Answerer = ({ path, headers, body }, response, count) => {
    const told = JSON.stringify({ headers, body, also: SECRETS });
    if (path === '/admin/oauth/access_token' && count % 5 !== 0) {
      return json(response, { access_token: 'at_planted_token', scope: told, expires_in: 86_399 });
    }
    const answers = [
      () => json(response, { errors: [{ message: told, extensions: { code: 'ODD' } }] }),
      () => json(response, { errors: told }, 400),
      () => json(response, { errors: told }, 401),
      () => json(response, { errors: told }, 500),
      () => json(response, { errors: [{ message: told, extensions: { code: 'ACCESS_DENIED' } }] }),
      () =>
        json(response, {
          data: { draftOrderCreate: { draftOrder: null, userErrors: [{ field: null, message: told }] } },
        }),
      () =>
        json(response, {
          data: { draftOrderCreate: { draftOrder: null, userErrors: [{ field: null, message: told }] } },
        }),
      () => response.end(told),
    ];
    answers[count % answers.length]?.();
  };

  it.each([
    { client_id: 'id-1', client_secret: 'cs_planted_secret' },
    { access_token: 'shpat_planted_token' },
  ])(
    'no secret of %o reaches an error, an outcome or the log, even when the shop says it back',
    async (credentials) => {
      const own = SECRETS.filter((secret) => !secret.startsWith('shpat') === 'client_id' in credentials);
      const stdout = vi.spyOn(process.stdout, 'write');
      const shop = await shopThat(echo);
      const { source, sink, lines } = open({ origin: shop.origin, credentials });
      const seen: string[] = [];
      for (let round = 0; round < 21; round += 1) {
        seen.push(JSON.stringify(await sink.createHold(REQUEST, forever)));
        const error = await source.cursorNow(forever).catch((thrown: unknown) => thrown);
        seen.push(
          `${String(error)} ${(error as Error).stack} ${JSON.stringify(error)} ${(error as Error).cause}`,
        );
      }
      const all = [...seen, ...lines].join('\n');
      expect(all).toContain('[secret]');
      for (const secret of own) expect(all).not.toContain(secret);
      expect(stdout.mock.calls.flat().join('')).not.toMatch(/planted|shopify/i);
    },
  );
});
