/** Who is told, how much that may cost, and what becomes of a reader that takes nothing. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skuOfUri, stockUri } from '../../../src/mcp/kit/stock-uri.js';
import { StockFeed } from '../../../src/mcp/subscriptions/change-feed.js';
import { type HubLimits, type Outlet, StockHub } from '../../../src/mcp/subscriptions/subscription-hub.js';
import { TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

const LIMITS: HubLimits = {
  readers_max: 5,
  readers_per_caller_max: 3,
  uris_per_reader_max: 4,
  uris_per_caller_max: 6,
  stalled_max_ms: 1_000,
  notes_batch: 2,
};

class Stream implements Outlet {
  readonly got: string[] = [];
  room: 'clear' | 'full' | 'away' = 'clear';
  isDropped = false;
  state() {
    return this.room;
  }
  send(uri: string): void {
    this.got.push(uri);
  }
  drop(): void {
    this.isDropped = true;
  }
}

let shop: TestLedger;
let hub: StockHub;
let now: number;
let round: ((signal: AbortSignal) => Promise<void>) | null;
const errors: unknown[] = [];

beforeEach(async () => {
  shop = await TestLedger.open();
  for (const sku of ['MUG', 'TEE', 'HAT']) await shop.seed({ sku });
  now = 0;
  round = null;
  const breathe = async (): Promise<void> => {};
  const feed = new StockFeed({
    store: shop.store,
    settings: shop.settings,
    limits: { changes_max: 100, looks_batch: 10, looks_max: 100, looks_at_old_max: 10, sweep_ms: 60_000 },
    breathe,
  });
  hub = new StockHub({
    feed,
    limits: LIMITS,
    now: () => now,
    breathe,
    startRounds: (run) => {
      round = run;
      return {
        stop: async () => {
          round = null;
        },
      };
    },
    onError: (error) => errors.push(error),
  });
});
afterEach(async () => {
  await hub.stop();
  await shop.close();
  expect(errors).toEqual([]);
});

function reader(stream: Stream, skus: readonly string[], principal = 'agent') {
  const opened = hub.open(principal, stream);
  if (opened === null) throw new Error('no place');
  if (!opened.subscribe(skus.map(stockUri))) throw new Error('too many');
  return opened;
}

/** The present answers are read within the call that asks for them, and known a turn of the loop later. */
async function seen(): Promise<void> {
  await new Promise((resume) => setImmediate(resume));
}

async function oneRound(): Promise<void> {
  await seen();
  await round?.(new AbortController().signal);
}

async function sell(sku: string, left: number): Promise<void> {
  await seen();
  await shop.levels(sku, { [WAREHOUSE]: left });
}

describe('a change', () => {
  it('is told to whoever follows that SKU, once, and to nobody else', async () => {
    const [a, b, c] = [new Stream(), new Stream(), new Stream()];
    reader(a, ['MUG']);
    reader(b, ['MUG', 'TEE']);
    reader(c, ['HAT'], 'other');
    await sell('MUG', 9);
    await oneRound();
    await oneRound();
    expect([a.got, b.got, c.got]).toEqual([['stock://sku/MUG'], ['stock://sku/MUG'], []]);
  });

  it('is told in the spelling in which the client asked', async () => {
    const stream = new Stream();
    const opened = hub.open('agent', stream);
    expect(opened?.subscribe(['stock://sku/%4DUG', 'stock://sku/MUG'])).toBe(true);
    await sell('MUG', 9);
    await oneRound();
    expect(stream.got.sort()).toEqual(['stock://sku/%4DUG', 'stock://sku/MUG']);
  });

  it('is not told after its reader has unsubscribed or is closed', async () => {
    const [a, b] = [new Stream(), new Stream()];
    reader(a, ['MUG']).unsubscribe('stock://sku/MUG');
    const closed = reader(b, ['MUG', 'TEE']);
    reader(new Stream(), ['TEE']);
    closed.close();
    closed.close();
    await sell('MUG', 9);
    await sell('TEE', 9);
    await oneRound();
    expect([a.got, b.got]).toEqual([[], []]);
  });
});

describe('a reader that is slow', () => {
  it('is told once of a SKU that changed a hundred times meanwhile, and costs no more memory than its names', async () => {
    const slow = new Stream();
    slow.room = 'full';
    reader(slow, ['MUG']);
    for (let left = 100; left > 0; left -= 1) {
      await sell('MUG', left);
      await oneRound();
    }
    slow.room = 'clear';
    await oneRound();
    expect(slow.got).toEqual(['stock://sku/MUG']);
    expect(slow.isDropped).toBe(false);
  });

  it('keeps nobody else waiting, and is dropped when it has stalled', async () => {
    const [stalled, quick] = [new Stream(), new Stream()];
    stalled.room = 'full';
    reader(stalled, ['MUG']);
    reader(quick, ['MUG']);
    await sell('MUG', 9);
    await oneRound();
    expect(quick.got).toEqual(['stock://sku/MUG']);
    now = 999;
    await oneRound();
    expect(stalled.isDropped).toBe(false);
    now = 1_000;
    await oneRound();
    expect(stalled).toMatchObject({ isDropped: true, got: [] });
    expect(hub.size).toBe(1);
  });

  it('is not dropped for being silent while there is nothing to tell, nor for being away', async () => {
    const [idle, away] = [new Stream(), new Stream()];
    idle.room = 'full';
    away.room = 'away';
    reader(idle, ['TEE']);
    reader(away, ['MUG']);
    await sell('MUG', 9);
    await oneRound();
    now = 60_000;
    await oneRound();
    expect([idle.isDropped, away.isDropped]).toEqual([false, false]);
    away.room = 'clear';
    await oneRound();
    expect(away.got).toEqual(['stock://sku/MUG']);
  });
});

describe('what may be followed is bounded', () => {
  it('by readers, of one caller and of all', () => {
    const open = (principal: string) => hub.open(principal, new Stream());
    const mine = [open('a'), open('a'), open('a')];
    expect(mine).not.toContain(null);
    expect(open('a')).toBeNull();
    expect([open('b'), open('b')]).not.toContain(null);
    expect(open('c')).toBeNull();
    mine[0]?.close();
    expect(open('c')).not.toBeNull();
  });

  it('by SKUs, of one reader and of one caller; what is too much adds nothing', () => {
    const uris = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => stockUri(`S${from + index}`));
    const first = hub.open('a', new Stream());
    expect(first?.subscribe(uris(5))).toBe(false);
    expect(first?.subscribe(uris(4))).toBe(true);
    // Again is not more.
    expect(first?.subscribe(uris(4))).toBe(true);
    const second = hub.open('a', new Stream());
    expect(second?.subscribe(uris(3, 10))).toBe(false);
    expect(second?.subscribe(uris(2, 10))).toBe(true);
    expect(hub.open('b', new Stream())?.subscribe(uris(4))).toBe(true);
    first?.close();
    expect(second?.subscribe(uris(2, 20))).toBe(true);
  });

  it('in time: no round runs while nobody follows anything', async () => {
    expect(round).toBeNull();
    const only = reader(new Stream(), ['MUG']);
    expect(round).not.toBeNull();
    only.close();
    expect(round).toBeNull();
    reader(new Stream(), ['MUG']);
    expect(round).not.toBeNull();
  });
});

describe('a URI', () => {
  it.each(['MUG', 'a/b', '100% wool', 'A~1', 'Größe 42 · ½', '..', 'x?y#z', '靴'])(
    'names the SKU %j and comes back as it',
    (sku) => {
      expect(skuOfUri(stockUri(sku))).toBe(sku);
      expect(stockUri(sku)).toMatch(/^stock:\/\/sku\/[\w.~!*'()%-]+$/);
    },
  );

  it.each([
    'stock://sku/',
    'stock://sku',
    'stock://other/MUG',
    'http://sku/MUG',
    'stock://sku/%E0%A4%A',
    'stock://sku/%00',
    'stock://sku/MUG%E2%80%AE',
    'stock://sku/%20',
    `stock://sku/${'x'.repeat(256)}`,
  ])('%j names nothing', (uri) => {
    expect(skuOfUri(uri)).toBeNull();
  });
});
