/** Which SKUs are noticed to be answered otherwise, whoever changed them and in whichever process. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FeedLimits, StockFeed } from '../../../src/mcp/subscriptions/change-feed.js';
import { MINUTE, SECOND, TEST_LOCATIONS, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

const LIMITS: FeedLimits = {
  changes_max: 50,
  looks_batch: 3,
  looks_max: 100,
  looks_at_old_max: 10,
  sweep_ms: MINUTE,
};

let shop: TestLedger;
/** Another process on the same file. */
let elsewhere: TestLedger;
let reads: number;
const signal = new AbortController().signal;

beforeEach(async () => {
  shop = await TestLedger.open();
  elsewhere = await shop.beside();
  for (const sku of ['MUG', 'TEE', 'HAT']) await shop.seed({ sku });
  reads = 0;
});
afterEach(async () => {
  await elsewhere.close();
  await shop.close();
});

function feedWith(limits: Partial<FeedLimits> = {}): StockFeed {
  const { store, settings } = shop;
  const counted: Pick<typeof store, 'read' | 'changesSince'> = {
    read: (keys, view) => {
      reads += keys.skus?.length ?? 0;
      return store.read(keys, view);
    },
    changesSince: (cursor, limit) => store.changesSince(cursor, limit),
  };
  return new StockFeed({
    store: counted,
    settings,
    limits: { ...LIMITS, ...limits },
    breathe: async () => {},
  });
}

async function watching(...skus: string[]): Promise<StockFeed> {
  const feed = feedWith();
  await feed.watch(skus);
  reads = 0;
  return feed;
}

async function round(feed: StockFeed): Promise<string[]> {
  const changed: string[] = [];
  await feed.round((skus) => changed.push(...skus), signal);
  return changed.sort();
}

describe('a SKU that is followed is told of when', () => {
  it('the shop has other figures, read by another process', async () => {
    const feed = await watching('MUG', 'TEE');
    await elsewhere.levels('MUG', { [WAREHOUSE]: 9 });
    expect(await round(feed)).toEqual(['MUG']);
    expect(await round(feed)).toEqual([]);
  });

  it('this process itself has read other figures', async () => {
    const feed = await watching('MUG');
    await shop.levels('MUG', { [WAREHOUSE]: 9 });
    expect(await round(feed)).toEqual(['MUG']);
  });

  it('units are reserved, and when they are released', async () => {
    const feed = await watching('MUG', 'TEE');
    const { reservation_id } = await elsewhere.granted('MUG', 2);
    expect(await round(feed)).toEqual(['MUG']);
    await elsewhere.release(reservation_id);
    expect(await round(feed)).toEqual(['MUG']);
  });

  it('a reservation runs out of time, although no sweeper has run and nobody has written', async () => {
    const { reservation_id } = await elsewhere.granted('MUG', 2, { ttl_seconds: 60 });
    const feed = await watching('MUG', 'TEE');
    shop.time.pass(59 * SECOND);
    expect(await round(feed)).toEqual([]);
    shop.time.pass(SECOND);
    expect(await round(feed)).toEqual(['MUG']);
    expect((await shop.owned(reservation_id)).reservation.state).toBe('active');
  });

  it('the shop says that it has changed, and when it has been read again', async () => {
    const feed = await watching('MUG', 'TEE');
    shop.time.pass(SECOND);
    await elsewhere.store.markDirty(['item-MUG']);
    expect(await round(feed)).toEqual(['MUG']);
    shop.time.pass(SECOND);
    // The same figures: no journal tells of this read.
    await elsewhere.seed({ sku: 'MUG' });
    expect(await round(feed)).toEqual(['MUG']);
  });

  it('it has grown too old, and when a heartbeat makes it fresh again', async () => {
    const feed = await watching('MUG', 'TEE');
    shop.time.pass(2 * MINUTE);
    expect(await round(feed)).toEqual([]);
    shop.time.pass(1);
    expect(await round(feed)).toEqual(['MUG', 'TEE']);
    await elsewhere.store.putSync({
      baseline_at_ms: shop.clock.now(),
      confirmed_at_ms: shop.clock.now(),
      cursor: null,
    });
    expect(await round(feed)).toEqual(['MUG', 'TEE']);
  });

  it('its lifecycle is another', async () => {
    const feed = await watching('MUG', 'TEE');
    await elsewhere.seed({ sku: 'TEE', lifecycle: 'discontinued' });
    expect(await round(feed)).toEqual(['TEE']);
  });

  it('it is given to another item, and when it appears for the first time', async () => {
    const feed = await watching('MUG', 'BOWL');
    await elsewhere.seed({ sku: 'BOWL', item_id: 'item-MUG' });
    expect(await round(feed)).toEqual(['BOWL', 'MUG']);
  });

  it('one of its locations closes', async () => {
    const feed = await watching('MUG', 'TEE');
    await elsewhere.store.putLocations(
      TEST_LOCATIONS.map((location) => ({ ...location, active: location.location_id !== WAREHOUSE })),
    );
    expect(await round(feed)).toEqual(['MUG', 'TEE']);
  });

  it('the merchant keeps more units back or gives it another title: no journal tells, and the sweep finds it', async () => {
    const feed = await watching('MUG', 'TEE');
    await elsewhere.store.putSafetyStock(3);
    await elsewhere.seed({ sku: 'TEE', title: 'A better tee', levels: { [WAREHOUSE]: 10 } });
    await round(feed);
    shop.time.pass(MINUTE);
    expect(await round(feed)).toContain('MUG');
    await elsewhere.seed({ sku: 'TEE', title: 'The best tee' });
    shop.time.pass(MINUTE);
    expect(await round(feed)).toEqual(['TEE']);
  });
});

describe('nothing is told when', () => {
  it('figures only grow older or are confirmed: what moves by itself is no change', async () => {
    const feed = await watching('MUG');
    for (let beat = 0; beat < 5; beat += 1) {
      shop.time.pass(15 * SECOND);
      await elsewhere.store.putSync({
        baseline_at_ms: shop.clock.now(),
        confirmed_at_ms: shop.clock.now(),
        cursor: null,
      });
      expect(await round(feed)).toEqual([]);
    }
  });

  it('an item changes and changes back between two looks', async () => {
    const feed = await watching('MUG');
    const { reservation_id } = await elsewhere.granted('MUG', 2);
    await elsewhere.release(reservation_id);
    expect(await round(feed)).toEqual([]);
  });

  it('nobody follows it any more', async () => {
    const feed = await watching('MUG', 'TEE');
    feed.unwatch('MUG');
    await elsewhere.levels('MUG', { [WAREHOUSE]: 9 });
    expect(await round(feed)).toEqual([]);
    expect(reads).toBe(0);
  });
});

describe('what it costs', () => {
  it('follows what changes of what is followed, not how much is followed', async () => {
    const feed = await watching('MUG', 'TEE', 'HAT');
    await round(feed);
    expect(reads).toBe(0);
    await shop.seed({ sku: 'UNWATCHED' });
    await round(feed);
    expect(reads).toBe(0);
    for (let change = 1; change <= 5; change += 1)
      await elsewhere.levels('TEE', { [WAREHOUSE]: 10 + change });
    expect(await round(feed)).toEqual(['TEE']);
    expect(reads).toBe(1);
  });

  it('is nothing while nobody follows anything: the ledger is not even asked', async () => {
    const feed = feedWith();
    expect(await round(feed)).toEqual([]);
    await feed.watch(['MUG']);
    feed.unwatch('MUG');
    const asked = shop.store.changesSince;
    shop.store.changesSince = () => Promise.reject(new Error('asked'));
    expect(await round(feed)).toEqual([]);
    shop.store.changesSince = asked;
  });

  it('is bounded by what is followed when more happens at once than is followed up one by one', async () => {
    const feed = feedWith({ changes_max: 2, looks_max: 2 });
    await feed.watch(['MUG', 'TEE', 'HAT']);
    for (const sku of ['MUG', 'TEE', 'HAT']) await elsewhere.levels(sku, { [WAREHOUSE]: 7 });
    const told: string[] = [];
    expect(await feed.round((skus) => told.push(...skus), signal)).toBe(true);
    expect(told).toHaveLength(2);
    expect(await feed.round((skus) => told.push(...skus), signal)).toBe(false);
    expect(told.sort()).toEqual(['HAT', 'MUG', 'TEE']);
  });
});
