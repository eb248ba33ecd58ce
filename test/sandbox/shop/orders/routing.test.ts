import { afterEach, describe, expect, test } from 'vitest';
import { type Catalogue, SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { RoutingSettings } from '../../../../src/sandbox/shop/orders/routing.js';
import { hold, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse, store } = SEED_LOCATIONS;
const A = 'First';
const B = 'Second';

/** Two locations: 1 unit at the first, 4 at the second. */
const CATALOGUE: Catalogue = {
  locations: [
    { name: A, city: 'Hamburg', countryCode: 'DE' },
    { name: B, city: 'Berlin', countryCode: 'DE' },
  ],
  products: [
    {
      title: 'Lamp',
      productType: 'Lamps',
      vendor: 'Lux',
      variants: [{ sku: 'LAMP', title: 'One', options: [], price: '10.00', stock: { [A]: 1, [B]: 4 } }],
    },
  ],
};

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.sandbox.stop();
  rig = null;
});

async function fallsOf(routing: RoutingSettings, units: number): Promise<[number, number]> {
  rig = await startRig({ catalogue: CATALOGUE, routing, seed: 7 });
  await hold(rig, 'LAMP', units, 60);
  const { shop } = rig.sandbox;
  return [1 - shop.readStock('LAMP', A).available, 4 - shop.readStock('LAMP', B).available];
}

describe('a draft takes its units', () => {
  test.each<[RoutingSettings, number, [number, number]]>([
    [{ rule: 'lowest_id' }, 2, [2, 0]],
    [{ rule: 'lowest_id', preference: [B] }, 2, [2, 0]],
    [{ rule: 'preferred', preference: [B, A] }, 2, [0, 2]],
    [{ rule: 'preferred', preference: [B] }, 6, [0, 6]],
    [{ rule: 'in_stock' }, 1, [1, 0]],
    [{ rule: 'in_stock' }, 2, [0, 2]],
    [{ rule: 'in_stock', preference: [B] }, 1, [0, 1]],
    [{ rule: 'in_stock', preference: [B] }, 5, [0, 5]],
    [{ rule: 'split' }, 3, [1, 2]],
    [{ rule: 'split', preference: [B] }, 5, [1, 4]],
    [{ rule: 'split', preference: [B] }, 7, [1, 6]],
  ])('under %o: %i units as %o', async (routing, units, falls) => {
    expect(await fallsOf(routing, units)).toEqual(falls);
  });

  test('under `any` wherever the seed says, the same for the same seed', async () => {
    const drawn = async (seed: number) => {
      const own = await startRig({ routing: { rule: 'any', preference: [store] }, seed });
      for (let n = 0; n < 12; n += 1) await hold(own, SEED_SKUS.plentiful, 1, 60);
      const { shop } = own.sandbox;
      const found = [
        shop.readStock(SEED_SKUS.plentiful, warehouse).reserved,
        shop.readStock(SEED_SKUS.plentiful, store).reserved,
      ];
      await own.sandbox.stop();
      return found;
    };
    const first = await drawn(3);
    expect(first.every((units) => units > 0)).toBe(true);
    expect(await drawn(3)).toEqual(first);
  });
});

test('extending a hold leaves its units where they are, also when the routing has changed', async () => {
  rig = await startRig({ catalogue: CATALOGUE, routing: { rule: 'lowest_id' } });
  const draft = await hold(rig, 'LAMP', 2, 60);
  rig.sandbox.set({ routing: { rule: 'preferred', preference: [B] } });
  const { shop } = rig.sandbox;
  shop.draftOrders.update(draft.id, { reserveInventoryUntil: '2026-11-23T13:00:00Z' }, shop.settle());
  expect(shop.readStock('LAMP', A)).toMatchObject({ available: -1, reserved: 2 });
  expect(shop.readStock('LAMP', B)).toMatchObject({ available: 4, reserved: 0 });
});

test('settings that make no sense are refused by name', async () => {
  rig = await startRig();
  const set = (routing: object) =>
    fetch(`${rig?.origin}/sandbox/settings`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ routing }),
    });
  expect((await set({ rule: 'nearest' })).status).toBe(400);
  expect((await set({ places: [] })).status).toBe(400);
  expect((await set({ preference: 'Store' })).status).toBe(400);
  expect((await set({ rule: 'any', preference: [store] })).status).toBe(200);
});
