import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HINTS_PER_DELIVERY_MAX } from '../../../../src/sources/shopify/client/limits.js';
import { parseBody, quoteIntegers } from '../../../../src/sources/shopify/webhooks/webhook-body.js';
import { type KnownTopic, TOPICS } from '../../../../src/sources/shopify/webhooks/webhook-topics.js';
import { openDeliveryGate } from '../../../../src/sources/shopify/webhooks/webhook-verifier.js';
import type { DeliveryVerdict, ShopHint } from '../../../../src/sources/source.js';

const SHOP = 'sandbox.myshopify.com';
const OLD = 'secret-of-yesterday';
const NEW = 'secret-of-today';
const gate = openDeliveryGate({ shop: SHOP, secrets: [NEW, OLD] });

const LEVEL = '{"inventory_item_id":271878346596884015,"location_id":24826418,"available":10}';

type Headers = Record<string, string | string[] | undefined>;

function sign(body: string | Buffer, secret = NEW): string {
  return createHmac('sha256', secret).update(body).digest('base64');
}

function headersFor(
  body: string | Buffer,
  topic = 'inventory_levels/update',
  prefix = 'x-shopify-',
): Headers {
  return {
    [`${prefix}hmac-sha256`]: sign(body),
    [`${prefix}topic`]: topic,
    [`${prefix}shop-domain`]: SHOP,
    [`${prefix}webhook-id`]: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    [`${prefix}triggered-at`]: '2026-11-23T12:00:00.123456789Z',
  };
}

async function judged(body: string | Buffer, change: Headers = {}): Promise<DeliveryVerdict> {
  return await gate.judge({ ...headersFor(body), ...change }, Buffer.from(body));
}

async function hints(topic: string, body: unknown): Promise<readonly ShopHint[]> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const verdict = await gate.judge(headersFor(text, topic), Buffer.from(text));
  if (!verdict.ok) throw new Error(`refused as ${verdict.why}`);
  return verdict.delivery.hints;
}

describe('who is let in', () => {
  it.each(['x-shopify-', 'shopify-'])(
    'a signed message with %s headers, with what it names',
    async (prefix) => {
      const verdict = await gate.judge(
        headersFor(LEVEL, 'inventory_levels/update', prefix),
        Buffer.from(LEVEL),
      );
      expect(verdict).toEqual({
        ok: true,
        delivery: {
          delivery_id: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
          fingerprint: null,
          topic: 'inventory_levels/update',
          triggered_at_ms: Date.parse('2026-11-23T12:00:00.123Z'),
          hints: [{ kind: 'item', id: '271878346596884015' }],
        },
      });
    },
  );

  it('a message that tells when its thing was changed has a fingerprint: none like it can come again', async () => {
    const timed = LEVEL.replace('{', '{"updated_at":"2026-11-23T12:00:00Z",');
    expect(await judged(timed)).toMatchObject({
      delivery: { fingerprint: createHash('sha256').update(timed).digest('base64') },
    });
  });

  it.each([NEW, OLD])('a message signed with either of two secrets (%s)', async (secret) => {
    expect(await judged(LEVEL, { 'x-shopify-hmac-sha256': sign(LEVEL, secret) })).toMatchObject({ ok: true });
  });

  it.each<[string, Headers]>([
    ['no signature', { 'x-shopify-hmac-sha256': undefined }],
    ['the signature of another family alone', { 'x-shopify-hmac-sha256': undefined, 'shopify-hmac': 'x' }],
  ])('%s is unsigned', async (_, change) => {
    expect(await judged(LEVEL, change)).toEqual({ ok: false, why: 'unsigned' });
  });

  it.each<[string, string | string[]]>([
    ['a third secret', sign(LEVEL, 'another')],
    ['the signature of another body', sign(`${LEVEL} `)],
    ['a signature that came twice', [sign(LEVEL), sign(LEVEL)]],
    ['hex', createHmac('sha256', NEW).update(LEVEL).digest('hex')],
    ['a cut signature', sign(LEVEL).slice(0, 40)],
    ['an empty signature', ''],
    ['a signature with something behind it', `${sign(LEVEL)}A`],
  ])('%s is a bad signature', async (_, signature) => {
    const verdict = await judged(LEVEL, { 'x-shopify-hmac-sha256': signature });
    expect(verdict).toEqual({ ok: false, why: 'bad_signature' });
  });

  it('every changed bit of a body is a bad signature', async () => {
    const position = fc.integer({ min: 0, max: LEVEL.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(position, async (bit) => {
        const body = Buffer.from(LEVEL);
        body[bit >> 3] = (body[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await gate.judge(headersFor(LEVEL), body)).toEqual({ ok: false, why: 'bad_signature' });
      }),
    );
  });

  it('a body that was parsed and printed again is a bad signature', async () => {
    const printed = Buffer.from(JSON.stringify(JSON.parse(LEVEL)));
    expect(await gate.judge(headersFor(LEVEL), printed)).toEqual({ ok: false, why: 'bad_signature' });
  });

  it('the signature is over the bytes, also where they are no text', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(await judged(bytes)).toEqual({ ok: false, why: 'malformed' });
    const mended = Buffer.from('{"a":"\ufffd"}');
    expect(await gate.judge(headersFor(bytes), mended)).toEqual({ ok: false, why: 'bad_signature' });
  });

  it.each(['other.myshopify.com', 'sandbox.myshopify.com.example.com', ''])(
    'the shop "%s" is another',
    async (shop) => {
      expect(await judged(LEVEL, { 'x-shopify-shop-domain': shop })).toEqual({
        ok: false,
        why: 'other_shop',
      });
    },
  );

  it('headers of two families are not mixed', async () => {
    const change = { 'x-shopify-shop-domain': undefined, 'shopify-shop-domain': SHOP };
    expect(await judged(LEVEL, change)).toEqual({ ok: false, why: 'malformed' });
  });

  it.each<[string, Headers]>([
    ['no shop', { 'x-shopify-shop-domain': undefined }],
    ['no id', { 'x-shopify-webhook-id': undefined }],
    ['an endless id', { 'x-shopify-webhook-id': 'x'.repeat(129) }],
    ['two ids', { 'x-shopify-webhook-id': ['a', 'b'] }],
    ['no topic', { 'x-shopify-topic': undefined }],
    ['a topic of no form', { 'x-shopify-topic': 'orders/../../x' }],
  ])('%s is malformed', async (_, change) => {
    expect(await judged(LEVEL, change)).toEqual({ ok: false, why: 'malformed' });
  });

  it.each([
    '',
    '[]',
    'null',
    '7',
    '"x"',
    '{"a":1',
    '{1:2}',
    '{12345678901234567890:1}',
    '{"a":0012345678901234567}',
  ])('the body %s is malformed', async (body) => {
    expect(await judged(body)).toEqual({ ok: false, why: 'malformed' });
  });

  it('no time, or one of no form, is no reason to refuse', async () => {
    for (const time of [undefined, 'soon']) {
      const verdict = await judged(LEVEL, { 'x-shopify-triggered-at': time });
      expect(verdict).toMatchObject({ ok: true, delivery: { triggered_at_ms: null } });
    }
  });

  it('a gate without a secret is not built', () => {
    expect(() => openDeliveryGate({ shop: SHOP, secrets: [] })).toThrow(RangeError);
    expect(() => openDeliveryGate({ shop: SHOP, secrets: [NEW, ''] })).toThrow(RangeError);
  });
});

/** What each sample names. Shopify's samples have rounded numbers; gids beside them are exact. */
const NAMED = {
  'inventory_levels/update': [{ kind: 'item', id: '271878346596884015' }],
  'inventory_levels/connect': [{ kind: 'item', id: '271878346596884015' }],
  'inventory_levels/disconnect': [{ kind: 'item', id: '271878346596884000' }],
  'inventory_items/create': [{ kind: 'item', id: '271878346596884015' }],
  'inventory_items/update': [{ kind: 'item', id: '271878346596884015' }],
  'inventory_items/delete': [{ kind: 'item', id: '271878346596884015' }],
  'products/create': [{ kind: 'product', id: '788032119674292922' }],
  'products/update': [{ kind: 'product', id: '788032119674292922' }],
  'products/delete': [{ kind: 'product', id: '788032119674292900' }],
  'variants/in_stock': [
    { kind: 'variant', id: '642667041472713922' },
    { kind: 'product', id: '788032119674292900' },
  ],
  'variants/out_of_stock': [
    { kind: 'variant', id: '642667041472713922' },
    { kind: 'product', id: '788032119674292900' },
  ],
  'locations/create': [{ kind: 'locations' }],
  'locations/update': [{ kind: 'locations' }],
  'locations/activate': [{ kind: 'locations' }],
  'locations/deactivate': [{ kind: 'locations' }],
  'locations/delete': [{ kind: 'locations' }],
  'orders/create': [{ kind: 'order', id: '820982911946154508' }],
  'orders/updated': [{ kind: 'order', id: '820982911946154508' }],
  'orders/paid': [{ kind: 'order', id: '820982911946154508' }],
  'orders/cancelled': [{ kind: 'order', id: '820982911946154508' }],
  'orders/fulfilled': [{ kind: 'order', id: '820982911946154508' }],
  'orders/partially_fulfilled': [{ kind: 'order', id: '820982911946154508' }],
  'orders/edited': [{ kind: 'order', id: '820982911946154500' }],
  'orders/delete': [{ kind: 'order', id: '820982911946154500' }],
  'refunds/create': [{ kind: 'order', id: '820982911946154500' }],
  'returns/request': [{ kind: 'order', id: '4783296544821' }],
  'returns/approve': [{ kind: 'order', id: '4783296544821' }],
  'returns/update': [],
  'returns/process': [],
  'returns/close': [{ kind: 'order', id: '4783296544821' }],
  'returns/reopen': [{ kind: 'order', id: '4783296544821' }],
  'returns/cancel': [{ kind: 'order', id: '4783296544821' }],
  'returns/decline': [{ kind: 'order', id: '4783296544821' }],
  'reverse_fulfillment_orders/dispose': [],
  'fulfillments/create': [{ kind: 'order', id: '820982911946154500' }],
  'fulfillments/update': [{ kind: 'order', id: '820982911946154500' }],
  'draft_orders/create': [{ kind: 'hold', id: '890612572568261625' }],
  'draft_orders/update': [{ kind: 'hold', id: '890612572568261625' }],
  'draft_orders/delete': [{ kind: 'hold', id: '890612572568261600' }],
  'app/uninstalled': [{ kind: 'access' }],
  'app/scopes_update': [{ kind: 'access' }],
} as const satisfies Record<KnownTopic, readonly ShopHint[]>;

describe('what a message names', () => {
  const folder = new URL('../webhook-samples/', import.meta.url);
  const sample = (topic: string): string => {
    const text = readFileSync(new URL(`${topic.replace('/', '.')}.json`, folder), 'utf8');
    // As it stands in the file: a number that is printed anew would be another.
    return /"response": (\{[\s\S]*\}),\n {2}"shop_feature"/.exec(text)?.[1] ?? '';
  };

  it('there is a sample for every topic, and no other', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(files.map((name) => name.replace('.json', '').replace('.', '/')).sort()).toEqual(
      Object.keys(TOPICS).sort(),
    );
  });

  it.each(Object.entries(NAMED))("Shopify's sample of %s", async (topic, named) => {
    expect(await hints(topic, sample(topic))).toEqual(named);
  });

  it.each(Object.entries(TOPICS))(
    '%s is still understood when only the fields asked for come',
    async (topic, rule) => {
      if (rule.fields === null) return;
      const whole = JSON.parse(quoteIntegers(sample(topic))) as Record<string, unknown>;
      const cut = Object.fromEntries(
        Object.entries(whole).filter(([key]) =>
          rule.fields?.some((f) => f === key || f.startsWith(`${key}.`)),
        ),
      );
      expect(await hints(topic, cut)).toEqual(NAMED[topic as KnownTopic]);
    },
  );

  it('a caught body of another topic does not raise the alarm', async () => {
    for (const alarm of ['app/uninstalled', 'app/scopes_update'] as const) {
      for (const topic of Object.keys(TOPICS).filter((other) => other !== alarm)) {
        expect(await hints(alarm, sample(topic)), topic).toEqual([]);
      }
    }
  });

  it('a product names the items of its variants, once each, whatever their ids', async () => {
    const variants =
      '[{"inventory_item_id":9007199254740993},{"inventory_item_id":9007199254740993},{"inventory_item_id":null}]';
    expect(await hints('products/update', `{"id":18446744073709551615,"variants":${variants}}`)).toEqual([
      { kind: 'product', id: '18446744073709551615' },
      { kind: 'item', id: '9007199254740993' },
    ]);
  });

  it('a product with very many variants is named as a whole', async () => {
    const variants = Array.from({ length: HINTS_PER_DELIVERY_MAX }, (_, id) => ({
      inventory_item_id: id + 1,
    }));
    expect(await hints('products/update', { id: 1, variants })).toEqual([{ kind: 'product', id: '1' }]);
  });

  it.each(['carts/update', 'constructor', 'toString/x', '__proto__'])(
    'a topic we do not know (%s) names nothing',
    async (topic) => {
      expect(await hints(topic, { id: 1 })).toEqual([]);
    },
  );

  it.each(['1.5', '-1', '1e20', '123456789012345678901', 'null', '{}', '"7 or 1=1"', '"gid://x"', 'true'])(
    'the id %s names nothing',
    async (id) => {
      expect(await hints('inventory_levels/update', `{"inventory_item_id":${id}}`)).toEqual([]);
    },
  );

  it('an id that is not the own field of a body names nothing', async () => {
    expect(await hints('inventory_levels/update', '{"__proto__":{"inventory_item_id":7}}')).toEqual([]);
    expect(await hints('products/update', '{"__proto__":{"id":7},"variants":{"length":1}}')).toEqual([]);
  });

  it('a gid of another type is not taken for the id', async () => {
    const body = { id: 7, admin_graphql_api_id: 'gid://shopify/Return/9' };
    expect(await hints('orders/updated', body)).toEqual([{ kind: 'order', id: '7' }]);
  });
});

/** JSON as text, with integers of any length, and with white space and escapes where they are allowed. */
interface Text {
  readonly text: string;
  /** What it means when an integer is a string. */
  readonly value: unknown;
}

const space = fc.constantFrom('', '', ' ', '\n', '\t ');
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\\"', '12345678901234567890', '{"id":1}', ':9007199254740993,', '\u2028', '-0'),
);
const string: fc.Arbitrary<Text> = fc.tuple(hostile, fc.boolean()).map(([value, escaped]) => ({
  text: escaped
    ? `"${[...Array(value.length).keys()].map((i) => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(value),
  value,
}));
const integer: fc.Arbitrary<Text> = fc
  .bigInt({ min: -(10n ** 25n), max: 10n ** 25n })
  .map((value) => ({ text: `${value}`, value: `${value}` }));
const scalar: fc.Arbitrary<Text> = fc.oneof(
  string,
  integer,
  fc
    .constantFrom('1.5', '-0.25', '1e5', '2E-3', '12345678901234567890.5', '9007199254740993e0')
    .map((text) => ({
      text,
      value: Number(text),
    })),
  fc.constantFrom(true, false, null).map((value) => ({ text: `${value}`, value })),
);
const { node } = fc.letrec<{ node: Text }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(fc.tuple(tie('node'), space), { maxLength: 4 }).map((list) => ({
      text: `[${list.map(([{ text }, gap]) => gap + text + gap).join(',')}]`,
      value: list.map(([{ value }]) => value),
    })),
    // With keys that come twice: the last one counts, as everywhere.
    fc.array(fc.tuple(string, tie('node'), space), { maxLength: 4 }).map((list) => ({
      text: `{${list.map(([key, { text }, gap]) => `${gap + key.text + gap}:${gap}${text}`).join(',')}}`,
      value: list.reduce<Record<string, unknown>>((object, [key, { value }]) => {
        Object.defineProperty(object, key.value as string, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
        return object;
      }, {}),
    })),
  ),
}));

describe('integers of a body', () => {
  it('become text to the last digit, and nothing else changes, whatever the JSON', () => {
    fc.assert(
      fc.property(node, ({ text, value }) => {
        expect(JSON.parse(quoteIntegers(text))).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a body is read exactly when JSON.parse reads it', () => {
    const anything = fc.oneof(
      node.map(({ text }) => text),
      fc.json(),
      fc.string(),
      hostile,
    );
    fc.assert(
      fc.property(anything, fc.nat({ max: 20 }), (text, cut) => {
        const piece = text.slice(0, Math.max(0, text.length - cut));
        expect(parseBody(Buffer.from(piece)) !== null).toBe(isJsonObject(Buffer.from(piece).toString()));
      }),
      { numRuns: 2_000 },
    );
  });

  it('nesting and length cost neither stack nor more than linear work', () => {
    const deep = `{"id":9007199254740993,"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(parseBody(Buffer.from(deep))?.['id']).toBe('9007199254740993');
    const long = `{"a":"${'\\"'.repeat(500_000)}","id":9007199254740993}`;
    expect(parseBody(Buffer.from(long))?.['id']).toBe('9007199254740993');
    const digits = `{"a":${'9'.repeat(1_000_000)},"id":9007199254740993}`;
    expect(parseBody(Buffer.from(digits))?.['id']).toBe('9007199254740993');
  });
});

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
