/** Many who ask at once make few calls, and nobody gets an answer that is older than the question. */

import { describe, expect, test } from 'vitest';
import { ReadBatch } from '../../src/sources/read-batch.js';
import { UpstreamError } from '../../src/sources/source.js';

const forever = new AbortController().signal;

/** A shop whose reads end when the test says so. */
class SlowShop {
  readonly reads: (readonly string[])[] = [];
  readonly bad = new Set<string>();
  #ends: (() => void)[] = [];
  hold = false;

  async read(ids: readonly string[]): Promise<void> {
    this.reads.push(ids);
    if (this.hold) await new Promise<void>((resolve) => this.#ends.push(resolve));
    if (ids.some((id) => this.bad.has(id))) throw new UpstreamError('refused', 'one of them');
  }

  endAll(): void {
    this.hold = false;
    for (const end of this.#ends.splice(0)) end();
  }
}

function batchOf(shop: SlowShop, size_max = 50, concurrency = 1): ReadBatch {
  return new ReadBatch({ read: (ids) => shop.read(ids), size_max, concurrency });
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('those who ask at once', () => {
  test('are answered by one read, which names each id once', async () => {
    const shop = new SlowShop();
    const batch = batchOf(shop);
    await Promise.all([
      batch.read(['a', 'b'], forever),
      batch.read(['b'], forever),
      batch.read(['c'], forever),
    ]);
    expect(shop.reads).toEqual([['a', 'b', 'c']]);
  });

  test('for more than one read may have are answered by several, in the order in which they asked', async () => {
    const shop = new SlowShop();
    const batch = batchOf(shop, 2);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => batch.read([id], forever)));
    expect(shop.reads).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  test('and all of whom are through leave nothing behind: the next is read by itself', async () => {
    const shop = new SlowShop();
    const batch = batchOf(shop);
    await batch.read(['a'], forever);
    await batch.read(['a'], forever);
    expect(shop.reads).toEqual([['a'], ['a']]);
  });
});

test('who asks while a read is under way waits for the next one: that one began before the question', async () => {
  const shop = new SlowShop();
  shop.hold = true;
  const batch = batchOf(shop);
  const first = batch.read(['a'], forever);
  await expect.poll(() => shop.reads).toEqual([['a']]);
  const others = [batch.read(['a'], forever), batch.read(['b'], forever)];
  await turn();
  expect(shop.reads).toEqual([['a']]);
  shop.endAll();
  await Promise.all([first, ...others]);
  expect(shop.reads).toEqual([['a'], ['a', 'b']]);
});

test('a slow read does not keep those who ask later, while there is room for another', async () => {
  const shop = new SlowShop();
  shop.hold = true;
  const batch = batchOf(shop, 50, 2);
  const slow = batch.read(['a'], forever);
  await expect.poll(() => shop.reads).toEqual([['a']]);
  shop.hold = false;
  await batch.read(['b'], forever);
  expect(shop.reads).toEqual([['a'], ['b']]);
  shop.endAll();
  await slow;
});

describe('a read that fails', () => {
  test('by one of them fails for that one alone', async () => {
    const shop = new SlowShop();
    shop.bad.add('c');
    const batch = batchOf(shop);
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => batch.read([id], forever)),
    );
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(shop.reads).toHaveLength(7);
  });

  test('because the shop is away fails for all, with its reason, and is not made again', async () => {
    let calls = 0;
    const batch = new ReadBatch({
      read: async () => {
        calls += 1;
        throw new UpstreamError('unreachable', 'away');
      },
      size_max: 50,
      concurrency: 1,
    });
    const outcomes = await Promise.allSettled([batch.read(['a'], forever), batch.read(['b'], forever)]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { failure: 'unreachable' } },
      { status: 'rejected', reason: { failure: 'unreachable' } },
    ]);
    expect(calls).toBe(1);
  });
});

test('who gives up does not take the others along', async () => {
  const shop = new SlowShop();
  shop.hold = true;
  const batch = batchOf(shop);
  const impatient = new AbortController();
  const gone = batch.read(['a'], impatient.signal);
  const stays = batch.read(['a'], forever);
  await turn();
  impatient.abort();
  await expect(gone).rejects.toMatchObject({ failure: 'unreachable' });
  shop.endAll();
  await stays;
  expect(shop.reads).toEqual([['a']]);
  await expect(batch.read(['b'], AbortSignal.abort())).rejects.toMatchObject({ failure: 'unreachable' });
});
