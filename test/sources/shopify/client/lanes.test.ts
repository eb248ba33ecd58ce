/** Who waits when the shop's cost bucket runs low. */

import { afterEach, describe, expect, test } from 'vitest';
import { forever, json, type Opened, open, type RawShop, rawShop } from '../raw-shop.js';

let shop: RawShop;
afterEach(() => shop.close());

/** A shop that answers everything with nothing, and with so many points left of its 2,000. */
async function opened(available: number): Promise<Opened> {
  const throttleStatus = { maximumAvailable: 2_000, currentlyAvailable: available, restoreRate: 100 };
  const cost = { requestedQueryCost: 10, actualQueryCost: 10, throttleStatus };
  shop = await rawShop((_request, response) => json(response, { data: {}, extensions: { cost } }));
  const upstream = open({ origin: shop.origin });
  await upstream.sink.findOrders('hf-0', forever).catch(() => undefined);
  expect(upstream.waits_ms).toEqual([]);
  return upstream;
}

const HOLD = { tag: 'hf-1', lines: [{ variant_id: '1', quantity_units: 1 }], until_ms: 4e12 };

const WAYS = {
  order: ({ sink }: Opened) => sink.createHold(HOLD, forever),
  read: ({ source }: Opened) => source.readItems(['1'], forever),
  mirror: ({ mirrors }: Opened) => mirrors.sink.createHold(HOLD, forever),
  mirror_read: ({ mirrors }: Opened) => mirrors.sink.readHold('7', forever),
  mirror_room: ({ mirrors }: Opened) => mirrors.leaveRoom(forever),
} as const;

describe('with so many of 2,000 points left', () => {
  test.each([
    [1_900, []],
    [900, ['mirror', 'mirror_read', 'mirror_room']],
    [400, ['read', 'mirror', 'mirror_read', 'mirror_room']],
  ] as const)('item 8: %i, these wait: %j', async (available, waiting) => {
    const upstream = await opened(available);
    const waited: string[] = [];
    for (const [name, ask] of Object.entries(WAYS)) {
      upstream.waits_ms.length = 0;
      // What the shop answers is of no use: only whether it was asked at once counts.
      await Promise.resolve(ask(upstream)).catch(() => undefined);
      if (upstream.waits_ms.length > 0) waited.push(name);
    }
    expect(waited).toEqual(waiting);
  });
});
