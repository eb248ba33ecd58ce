/** What the connector makes of a shop that neither shows its log of events nor counts exactly. */

import { afterEach, expect, test } from 'vitest';
import { json, open, type RawShop, rawShop } from '../raw-shop.js';

const signal = new AbortController().signal;
const NO_PAGE = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
const DENIED = { errors: [{ message: 'no', extensions: { code: 'ACCESS_DENIED' } }] };

let shop: RawShop;
afterEach(() => shop.close());

/** Answers as long as nothing is asked for but locations, the log and the count. */
async function openShop(showsLog: () => boolean): Promise<void> {
  shop = await rawShop(({ body: { query = '' } }, response) => {
    if (query.includes('events(')) return json(response, showsLog() ? { data: { events: NO_PAGE } } : DENIED);
    if (query.includes('productVariantsCount'))
      return json(response, { data: { productVariantsCount: { count: 10_000, precision: 'AT_LEAST' } } });
    return json(response, { data: { locations: NO_PAGE, shop: { id: 'gid://shopify/Shop/1' } } });
  });
}

type Source = ReturnType<typeof open>['source'];

async function hasLost(source: Source, cursor: string): Promise<boolean> {
  for await (const { has_lost_variants } of source.changesSince(cursor, signal)) return has_lost_variants;
  throw new Error('no page of changes');
}

test('nothing to compare with: all is read once when the log is refused, and not again and again', async () => {
  let isShown = true;
  await openShop(() => isShown);
  const { source } = open({ origin: shop.origin });
  const cursor = await source.cursorNow(signal);
  expect(await hasLost(source, cursor)).toBe(false);
  isShown = false;
  expect(await hasLost(source, cursor)).toBe(true);
  // The full read that follows begins with this.
  const next = await source.cursorNow(signal);
  expect(await hasLost(source, next)).toBe(false);
  expect(await hasLost(source, next)).toBe(false);
  // A process that starts anew does not know what it has missed.
  const restarted = open({ origin: shop.origin }).source;
  expect(await hasLost(restarted, next)).toBe(true);
});
