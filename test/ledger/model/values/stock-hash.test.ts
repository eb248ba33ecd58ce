import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  basketHash,
  isWellFormedHash,
  nameUuid,
  type StockSnapshot,
  sameHash,
  sha256OfJson,
  stockHash,
} from '../../../../src/ledger/model/values/stock-hash.js';
import { hasPython, independently } from '../../../helpers/independent-hash.js';
import { runsOr } from '../../../helpers/runs.js';

const PLAIN: StockSnapshot = {
  shop: 'test.myshopify.com',
  sku: 'TEE-BLK-M',
  state_version: 7,
  lifecycle: 'active',
  locations: [
    { id: '9007199254740993', sellable: 41 },
    { id: '101', sellable: 0 },
  ],
  as_of: 1795435200000,
  salt: '000102030405060708090a0b0c0d0e0f',
};
const NEGATIVE: StockSnapshot = {
  ...PLAIN,
  sku: 'OVER"SOLD\\ /',
  lifecycle: 'discontinued',
  locations: [{ id: '101', sellable: -3 }],
};
const NOWHERE: StockSnapshot = { ...PLAIN, sku: 'GONE', lifecycle: 'unlisted', locations: [] };
/** Beyond ASCII, and beyond the basic plane: JCS wants UTF-8 bytes as they are, not escapes. */
const FOREIGN: StockSnapshot = { ...PLAIN, sku: 'Größe-42 é 靴 👟' };

describe('the checksum of a SKU', () => {
  test.each([
    ['plain', PLAIN, 'sha256:596ca85dbb908549e042bd3e342aee91adf4aefe15026be75e27edd7f670155f'],
    ['negative', NEGATIVE, 'sha256:bf953b74e9a2c5a5271cde2d53a41b53c4ef7e4d719e71799057909376809f55'],
    ['stocked nowhere', NOWHERE, 'sha256:5abbea3898764d708210e087ee7152f9a8f94463d98d3d40f52b2b75096ec8c6'],
    [
      'with a SKU beyond ASCII',
      FOREIGN,
      'sha256:5d34dddc8fad62d6358b86a9b9da4ab617577a9227d82224787e870d18a06d02',
    ],
  ])('is what it has always been: %s', (_, snapshot, golden) => {
    expect(stockHash(snapshot)).toBe(golden);
  });

  test('does not depend on the order of the locations', () => {
    expect(stockHash({ ...PLAIN, locations: [...PLAIN.locations].reverse() })).toBe(stockHash(PLAIN));
  });

  test('differs when anything in the snapshot does', () => {
    const others: StockSnapshot[] = [
      { ...PLAIN, shop: 'other.myshopify.com' },
      { ...PLAIN, sku: 'TEE-BLK-L' },
      { ...PLAIN, state_version: 8 },
      { ...PLAIN, lifecycle: 'discontinued' },
      { ...PLAIN, locations: [{ id: '101', sellable: 0 }] },
      { ...PLAIN, locations: PLAIN.locations.map((at) => ({ ...at, sellable: at.sellable + 1 })) },
      { ...PLAIN, as_of: PLAIN.as_of + 1 },
      { ...PLAIN, salt: '100102030405060708090a0b0c0d0e0f' },
    ];
    expect(new Set([PLAIN, ...others].map(stockHash)).size).toBe(others.length + 1);
  });

  test.each([
    ['a fraction of a unit', { ...PLAIN, locations: [{ id: '1', sellable: 1.5 }] }],
    ['an unsafe integer', { ...PLAIN, state_version: 2 ** 53 }],
    ['no number', { ...PLAIN, as_of: Number.NaN }],
  ])('throws on %s, which would hash differently elsewhere', (_, snapshot) => {
    expect(() => stockHash(snapshot)).toThrow('safe integers');
  });
});

describe('the checksum of a basket', () => {
  const items = [
    { sku: 'b', stock_hash: stockHash(PLAIN) },
    { sku: 'B', stock_hash: stockHash(FOREIGN) },
    { sku: 'a', stock_hash: stockHash(NEGATIVE) },
  ];

  test('is what it has always been', () => {
    expect(basketHash('test.myshopify.com', items)).toBe(
      'sha256:58cd006a2acb2e2692f12a232bf79de5042f7623e21e1f58a6f167cc700d3659',
    );
  });

  test('does not depend on the order of the items', () => {
    expect(basketHash('test.myshopify.com', [...items].reverse())).toBe(
      basketHash('test.myshopify.com', items),
    );
  });

  test('of one SKU is the checksum of that SKU', () => {
    expect(basketHash('test.myshopify.com', items.slice(0, 1))).toBe(stockHash(PLAIN));
  });

  test('of nothing is a bug', () => {
    expect(() => basketHash('test.myshopify.com', [])).toThrow('at least one');
  });
});

describe('an outsider who holds the snapshot', () => {
  const snapshots = [PLAIN, NEGATIVE, NOWHERE, FOREIGN];
  const items = snapshots.map((snapshot) => ({ sku: snapshot.sku, stock_hash: stockHash(snapshot) }));

  test.for([{ by: 'python3' as const }, { by: 'openssl' as const }])(
    'comes to the same checksums with $by and no line of ours',
    ({ by }, { skip }) => {
      if (by === 'python3' && !hasPython()) skip('python3 is not installed: openssl alone has checked it');
      const theirs = independently({ snapshots, baskets: [{ shop: PLAIN.shop, items }] }, by);
      expect(theirs).toEqual([...snapshots.map(stockHash), basketHash(PLAIN.shop, items)]);
    },
  );

  test('comes to the same checksum for hundreds of random snapshots', () => {
    const snapshot: fc.Arbitrary<StockSnapshot> = fc.record({
      shop: fc.constant('test.myshopify.com'),
      sku: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      state_version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      lifecycle: fc.constantFrom('active', 'discontinued', 'unlisted'),
      locations: fc.uniqueArray(
        fc.record({ id: fc.string({ unit: 'grapheme-ascii', minLength: 1 }), sellable: fc.maxSafeInteger() }),
        { selector: ({ id }) => id, maxLength: 5 },
      ),
      as_of: fc.nat(Number.MAX_SAFE_INTEGER),
      salt: fc.stringMatching(/^[0-9a-f]{32}$/),
    });
    const random = fc.sample(snapshot, { numRuns: 300, seed: 20261123 });
    const by = hasPython() ? 'python3' : 'openssl';
    console.log(`300 random checksums recomputed independently by ${by}`);
    expect(independently({ snapshots: random, baskets: [] }, by)).toEqual(random.map(stockHash));
  });
});

describe('the form of a checksum', () => {
  const good = stockHash(PLAIN);
  test('is "sha256:" and 64 lowercase hex digits', () => {
    expect(isWellFormedHash(good)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['without prefix', good.slice(7)],
    ['in capitals', good.toUpperCase()],
    ['cut short', good.slice(0, -1)],
    ['with one digit too many', `${good}0`],
    ['with a line break at the end', `${good}\n`],
    ['with a line before it', `x\n${good}`],
    ['with a letter that is no hex digit', good.replace(/.$/, 'g')],
    ['of another algorithm', good.replace('sha256', 'sha512')],
  ])('is not that when %s', (_, input) => {
    expect(isWellFormedHash(input)).toBe(false);
  });

  test('compares equal only to itself, whatever the lengths', () => {
    expect(sameHash(good, good)).toBe(true);
    expect(sameHash(good, stockHash(FOREIGN))).toBe(false);
    expect(sameHash(good, '')).toBe(false);
    expect(sameHash(good, `${good}0`)).toBe(false);
  });
});

describe('the key of a request at the shop', () => {
  /** Made by Python's uuid5 in the namespace of the bytes `holdfast/key/v1/`. */
  test.each([
    ['hf-0/1', '88dad902-b10c-58fc-9d3e-8b8bcc93d10c'],
    ['hf-0/2', '72503780-2d7e-53fe-98a8-8ca9c7480b33'],
    ['Größe 👟', '6f5189a8-0e03-531c-9d3d-1b6d0fbbd31f'],
  ])('L4: is the UUID of its name, the same in every process: %s', (name, uuid) => {
    expect(nameUuid(name)).toBe(uuid);
  });

  test('L4: has the form of a version 5 UUID for any name', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(nameUuid(name)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
      { numRuns: runsOr(500) },
    );
  });
});

test('what is no JSON value has no checksum', () => {
  expect(() => sha256OfJson(undefined)).toThrow('not a JSON value');
});

test('the input of an idempotency key hashes alike whatever the order of its fields', () => {
  expect(sha256OfJson({ a: 1, b: [true, null, 'x'] })).toBe(sha256OfJson({ b: [true, null, 'x'], a: 1 }));
  expect(sha256OfJson({ a: 1 })).not.toBe(sha256OfJson({ a: '1' }));
});
