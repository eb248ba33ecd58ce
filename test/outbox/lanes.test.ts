/** Who goes first at the shop: orders, then reads, then mirrors of reservations; callers take turns. */

import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import { product, ShopLedger, SMALL_CATALOGUE, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

const PLENTY = { ...SMALL_CATALOGUE, products: [product('SOCK', { [WAREHOUSE]: 5_000 })] };

const stateOf = async (mine: ReserveAnswer) => (await t.owned(mine)).outbox.shop_state;
const isPlaced = async (mine: ReserveAnswer) => (await t.owned(mine)).order?.state === 'placed';

async function burst(principal: string, count: number): Promise<ReserveAnswer[]> {
  return Promise.all(Array.from({ length: count }, () => t.granted('SOCK', 1, { principal })));
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(10);
}

test('item 8: an order does not wait for mirrors that take their time', async () => {
  t = await ShopLedger.open({
    sandbox: { catalogue: PLENTY },
    limits: { concurrency: 4, holds_concurrency: 2 },
  });
  const mine = await t.mirrored('SOCK', 1);
  const others = await burst('burst', 8);
  t.server.faults.add({
    operation: 'draftOrderCreate',
    when: 'before',
    action: 'delay',
    ms: 1_500,
    times: 8,
  });
  const working = t.work();
  await pause(50);
  await t.accepted(mine);
  await until(() => isPlaced(mine));
  const states = await Promise.all(others.map(stateOf));
  expect(states.filter((state) => state === 'open').length).toBeLessThanOrEqual(2);
  await working;
  expect(await Promise.all(others.map(stateOf))).toEqual(Array(8).fill('open'));
  await t.expectTrueBooks();
});

test('item 8: callers take turns', async () => {
  t = await ShopLedger.open({
    sandbox: { catalogue: PLENTY },
    limits: { concurrency: 2, holds_concurrency: 1 },
  });
  const many = await burst('burst', 12);
  const [one] = await burst('quiet', 1);
  if (one === undefined) throw new Error('nothing was reserved');
  t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'delay', ms: 50, times: 13 });
  const working = t.work();
  await until(async () => (await stateOf(one)) === 'open');
  const states = await Promise.all(many.map(stateOf));
  expect(states.filter((state) => state === 'open').length).toBeLessThanOrEqual(3);
  await working;
});

/** Time passes ten times as fast as it really does, for the shop and for whoever waits for it. */
const PACE = 10;

describe('a burst of small reservations', () => {
  test('item 8: starves neither the heartbeat, nor orders, nor the holds of others', async () => {
    t = await ShopLedger.open({
      sandbox: { catalogue: PLENTY, rate: 'standard' },
      sleep: (ms) => pause(ms / PACE),
    });
    let real = performance.now();
    const ticker = setInterval(() => {
      const now = performance.now();
      t.time.pass((now - real) * PACE);
      real = now;
    }, 5);
    const stopped = new AbortController();
    const working = (async () => {
      while (!stopped.signal.aborted) {
        await t.work(stopped.signal);
        await pause(20);
      }
    })();
    /** Mirrors of the burst that went first. In counts, because a slow machine has other times. */
    const behind = async (isTrue: () => Promise<boolean>): Promise<number> => {
      const before = t.drafts().length;
      await until(isTrue);
      return t.drafts().length - before;
    };
    try {
      await burst('burst', 250);
      // The bucket is empty by now: what comes next finds the shop at its limit.
      await behind(async () => t.drafts().length >= 60);
      const [hold, sale] = await burst('quiet', 2);
      if (hold === undefined || sale === undefined) throw new Error('nothing was reserved');
      const beat = { isOver: false };
      const [beforeHold, beforeOrder, beforeBeat] = await Promise.all([
        behind(async () => (await stateOf(hold)) === 'open'),
        (async () => {
          await t.accepted(sale, { principal: 'quiet' });
          return behind(() => isPlaced(sale));
        })(),
        (async () => {
          const beating = t.beat().finally(() => {
            beat.isOver = true;
          });
          const count = await behind(async () => beat.isOver);
          await beating;
          return count;
        })(),
      ]);
      // Before there were lanes all of the burst went before the hold.
      expect(t.drafts().length, 'the burst is still going on').toBeLessThan(200);
      expect(beforeHold).toBeLessThan(40);
      expect(beforeOrder).toBeLessThan(60);
      expect(beforeBeat).toBeLessThan(60);
    } finally {
      stopped.abort();
      await working;
      clearInterval(ticker);
    }
  });
});

test('item 9: orders that want a fresh read at once share one call', async () => {
  t = await ShopLedger.open({ sandbox: { catalogue: PLENTY }, limits: { concurrency: 8 } });
  const mine = await burst('agent-a', 8);
  await t.work();
  let calls = 0;
  const { source } = t.upstream;
  const readItems = source.readItems.bind(source);
  source.readItems = (...args) => {
    calls += 1;
    return readItems(...args);
  };
  for (const one of mine) await t.accepted(one);
  await t.work();
  expect(await Promise.all(mine.map(isPlaced))).toEqual(Array(8).fill(true));
  // Each order is read for before its sale and after it.
  expect(calls).toBeLessThan(10);
  await t.expectTrueBooks();
});
