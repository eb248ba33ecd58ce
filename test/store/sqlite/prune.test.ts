import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AGENT,
  answerOf,
  dueRows,
  HOUR,
  MINUTE,
  refusalOf,
  SECOND,
  TestLedger,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

const column = (sql: string): unknown[] => t.rawly((db) => db.prepare(sql).pluck().all());

describe('a lease', () => {
  test('is had by one of two at a time', async () => {
    expect(await t.store.lease('heartbeat', 'a', MINUTE)).toBe(true);
    expect(await t.store.lease('heartbeat', 'b', MINUTE)).toBe(false);
    expect(await t.store.lease('other', 'b', MINUTE)).toBe(true);
  });

  test('is renewed by its owner, and lost by time alone', async () => {
    await t.store.lease('heartbeat', 'a', MINUTE);
    t.time.pass(MINUTE - 1);
    expect(await t.store.lease('heartbeat', 'a', MINUTE)).toBe(true);
    t.time.pass(MINUTE - 1);
    expect(await t.store.lease('heartbeat', 'b', MINUTE)).toBe(false);
    t.time.pass(1);
    expect(await t.store.lease('heartbeat', 'b', MINUTE)).toBe(true);
    expect(await t.store.lease('heartbeat', 'a', MINUTE)).toBe(false);
  });

  test('is given back by its owner only', async () => {
    await t.store.lease('heartbeat', 'a', MINUTE);
    await t.store.releaseLease('heartbeat', 'b');
    expect(await t.store.lease('heartbeat', 'b', MINUTE)).toBe(false);
    await t.store.releaseLease('heartbeat', 'a');
    expect(await t.store.lease('heartbeat', 'b', MINUTE)).toBe(true);
  });

  test('is had by one of two processes', async () => {
    const other = await t.beside();
    const had = await Promise.all([
      t.store.lease('heartbeat', 'a', MINUTE),
      other.store.lease('heartbeat', 'b', MINUTE),
    ]);
    expect(had.filter(Boolean)).toHaveLength(1);
    await other.close();
  });
});

describe('pruning', () => {
  test('L7: forgets idempotency keys older than it is told, and not a millisecond younger', async () => {
    await t.seed({ sku: 'tee' });
    await t.granted('tee', 1, { idempotency_key: 'old' });
    t.time.pass(1);
    await t.granted('tee', 1, { idempotency_key: 'young' });
    t.time.pass(HOUR);
    expect(
      await t.store.prune({ idempotency_ms: HOUR, history_ms: HOUR, deliveries_ms: HOUR, usage_ms: HOUR }),
    ).toBe(1);
    expect(column('SELECT key FROM idempotency')).toEqual(['young']);
  });

  test('L5: keeps the present checksum of an item however old it is, and forgets those before it', async () => {
    await t.seed({ sku: 'tee' });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const { stock_hash } = await t.item('tee');
    t.time.pass(1000 * HOUR);
    expect(
      await t.store.prune({ idempotency_ms: HOUR, history_ms: HOUR, deliveries_ms: HOUR, usage_ms: HOUR }),
    ).toBe(1);
    expect(column('SELECT stock_hash FROM stock_versions')).toEqual([stock_hash]);
  });

  test('L5: never makes the checksum that a reservation was granted with unknown', async () => {
    await t.seed({ sku: 'tee' });
    const granted = await t.granted('tee', 1);
    t.time.pass(5 * MINUTE);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    await t.store.prune({ idempotency_ms: 0, history_ms: 0, deliveries_ms: 0, usage_ms: 0 });
    expect(answerOf(await t.submit(granted)).hash_verdict).toBe('stale');
  });

  test('goes on where a first round stopped', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100_000 } });
    await Promise.all(
      Array.from({ length: 750 }, (_, index) => t.granted('tee', 1, { idempotency_key: `k${index}` })),
    );
    t.time.pass(HOUR);
    const ages = { idempotency_ms: MINUTE, history_ms: MINUTE, deliveries_ms: MINUTE, usage_ms: MINUTE };
    const removed = [await t.store.prune(ages), await t.store.prune(ages), await t.store.prune(ages)];
    expect(removed).toEqual([500, 250, 0]);
  });
});

describe('the search', () => {
  beforeEach(async () => {
    await t.seed({ sku: 'TEE-BLK-M', title: 'Black T-Shirt', variant_title: 'M' });
    await t.seed({ sku: 'TEE-WHT-M', title: 'Crème T-Shirt', variant_title: 'M' });
    await t.seed({ sku: 'OLD-1', title: 'Black Hat', lifecycle: 'discontinued' });
    await t.seed({ sku: 'SCHUH-1', title: '登山靴 Größe 42' });
  });
  const found = async (query: string, limit = 10) =>
    (await t.store.searchItems(query, limit)).map(({ sku }) => sku).sort();

  test.each([
    ['black', ['TEE-BLK-M']],
    ['BLA shi', ['TEE-BLK-M']],
    ['tee-blk', ['TEE-BLK-M']],
    ['creme', ['TEE-WHT-M']],
    ['shirt m', ['TEE-BLK-M', 'TEE-WHT-M']],
    ['größe', ['SCHUH-1']],
    ['登山', ['SCHUH-1']],
    ['black white', ['TEE-BLK-M']],
    ['hat', []],
  ])(
    'for %j finds %j of what is sold: all words where anything has them, whole or begun',
    async (query, skus) => {
      expect(await found(query)).toEqual(skus);
    },
  );

  test.each([
    '',
    '   ',
    '"',
    '""',
    '*',
    'tee*',
    'NEAR(tee blk)',
    'tee OR hat',
    'tee AND',
    'NOT tee',
    'sku:tee',
    '{sku title}:tee',
    '^tee',
    'tee"; DROP TABLE items; --',
    "' OR 1=1 --",
    '(((((',
    '\0',
    'tee\0blk',
    '\ud800',
    'a '.repeat(10_000),
    'x'.repeat(100_000),
    '登'.repeat(1000),
  ])('takes %j as words, never as syntax', async (query) => {
    const skus = await found(query);
    expect(skus.every((sku) => ['TEE-BLK-M', 'TEE-WHT-M', 'SCHUH-1'].includes(sku))).toBe(true);
    expect(await found('black')).toEqual(['TEE-BLK-M']);
  });

  test('gives no more than its limit, and no stock figures', async () => {
    expect(await t.store.searchItems('tee', 1)).toHaveLength(1);
    const [item] = await t.store.searchItems('black', 1);
    expect(Object.keys(item ?? {}).sort()).toEqual(['sku', 'title', 'variant']);
  });

  test('follows a change of title and of SKU', async () => {
    await t.seed({ sku: 'CAP-1', item_id: 'item-TEE-BLK-M', title: 'Navy Cap' });
    expect(await found('black')).toEqual([]);
    expect(await found('navy')).toEqual(['CAP-1']);
    expect(await found('cap-1')).toEqual(['CAP-1']);
  });
});

describe('lists of work', () => {
  test('have every reservation past its time, oldest first, none before its time, and no more than asked', async () => {
    await t.seed({ sku: 'tee' });
    const late = await t.granted('tee', 1, { ttl_seconds: 120 });
    const early = await t.granted('tee', 1, { ttl_seconds: 60 });
    await t.granted('tee', 1, { ttl_seconds: 900 });
    t.time.pass(60 * SECOND - 1);
    expect(await t.store.expiredReservations(10)).toEqual([]);
    t.time.pass(MINUTE + 1);
    const keys = await Promise.all(
      [early, late].map(async (r) => (await t.owned(r.reservation_id)).reservation),
    );
    expect(await t.store.expiredReservations(10)).toEqual(
      keys.map(({ reservation_key }) => ({ reservation_key })),
    );
    expect(await t.store.expiredReservations(1)).toHaveLength(1);
  });

  test('have a mirror to make only where holds are mirrored', async () => {
    await t.seed({ sku: 'tee' });
    await t.granted('tee', 1);
    expect(await dueRows(t.store, 10)).toHaveLength(1);
    const other = await t.beside({ settings: { mirror: 'none' } });
    await other.granted('tee', 1);
    expect(await dueRows(t.store, 10)).toHaveLength(1);
    await other.close();
  });
});

test('the story of a reservation is told in the order in which it happened', async () => {
  await t.seed({ sku: 'tee' });
  const granted = await t.granted('tee', 1);
  await t.granted('tee', 1);
  refusalOf(await t.submit({ ...granted, stock_hash: `sha256:${'0'.repeat(64)}` }));
  answerOf(await t.submit(granted));
  const { reservation } = await t.owned(granted.reservation_id);
  const entries = await t.store.timeline(reservation.reservation_key, 10);
  expect(entries.map(({ kind }) => kind)).toEqual([
    'reservation.created',
    'security.stock_hash_unknown',
    'order.accepted',
  ]);
  expect(await t.store.timeline(reservation.reservation_key, 2)).toHaveLength(2);
  expect(entries[0]?.data).toContain(AGENT);
});
