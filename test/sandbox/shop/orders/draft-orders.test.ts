import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Catalogue, SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { COMPLETE, CREATE, DELETE, hold, idsOf, type Rig, startRig, UPDATE } from '../../sandbox-client.js';

const { warehouse, store } = SEED_LOCATIONS;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

function stock(sku: string, location: string = warehouse) {
  return rig.sandbox.shop.readStock(sku, location);
}

describe('a hold', () => {
  test('takes its units out of available into reserved, and on hand stays', async () => {
    const before = stock(SEED_SKUS.plentiful);
    const draft = await hold(rig, SEED_SKUS.plentiful, 4, 60);
    expect(draft).toMatchObject({
      name: '#D1',
      status: 'OPEN',
      ready: true,
      reserveInventoryUntil: '2026-11-23T12:01:00Z',
      totalPriceSet: { shopMoney: { amount: '236.00', currencyCode: 'EUR' } },
      warnings: [],
      order: null,
    });
    expect(stock(SEED_SKUS.plentiful)).toEqual({ ...before, available: before.available - 4, reserved: 4 });
  });

  test('is not checked against the stock: available goes below zero', async () => {
    await hold(rig, SEED_SKUS.lastOne, 3, 60);
    expect(stock(SEED_SKUS.lastOne)).toMatchObject({ available: -2, reserved: 3, on_hand: 1 });
  });

  test('takes from the first active location that stocks the item, whole', async () => {
    await hold(rig, SEED_SKUS.secondLocationOnly, 2, 60);
    expect(stock(SEED_SKUS.secondLocationOnly, store)).toMatchObject({ available: 3, reserved: 2 });

    rig.sandbox.shop.setLocationActive(warehouse, false);
    const before = stock(SEED_SKUS.plentiful, store);
    await hold(rig, SEED_SKUS.plentiful, 30, 60);
    expect(stock(SEED_SKUS.plentiful, store).available).toBe(before.available - 30);
  });

  test('of an untracked item takes nothing', async () => {
    await hold(rig, SEED_SKUS.untracked, 5, 60);
    expect(stock(SEED_SKUS.untracked)).toMatchObject({ available: 0, reserved: 0 });
  });

  test('lives until its time, and not in the millisecond of it', async () => {
    await hold(rig, SEED_SKUS.scarce, 2, 60);
    rig.clock.nowMs += 59_999;
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 1, reserved: 2 });
    rig.clock.nowMs += 1;
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });

  test('lapses by itself, and the level says at its time, however late somebody looks', async () => {
    await hold(rig, SEED_SKUS.scarce, 2, 60);
    rig.clock.nowMs += 3_600_000;
    const { inventoryItemId, locationId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const { inventoryItem } = await rig.data(
      `query($id: ID!, $at: ID!) { inventoryItem(id: $id) { inventoryLevel(locationId: $at) { updatedAt
         quantities(names: ["available", "reserved"]) { name quantity } } } }`,
      { id: inventoryItemId, at: locationId },
    );
    expect(inventoryItem.inventoryLevel).toEqual({
      updatedAt: '2026-11-23T12:01:00Z',
      quantities: [
        { name: 'available', quantity: 3 },
        { name: 'reserved', quantity: 0 },
      ],
    });
  });

  test('is extended by an update without any stock moving', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60);
    rig.clock.nowMs += 30_000;
    const input = { reserveInventoryUntil: '2026-11-23T12:30:00Z' };
    const { draftOrderUpdate } = await rig.data(UPDATE, { id: draft.id, input });
    expect(draftOrderUpdate.draftOrder.reserveInventoryUntil).toBe('2026-11-23T12:30:00Z');
    const level = rig.sandbox.shop.inventory.priorityLevel(
      idsOf(rig, SEED_SKUS.scarce, warehouse).inventoryItemId,
    );
    expect(level?.updatedMs).toBe(rig.clock.nowMs - 30_000);
    rig.clock.nowMs += 60_000;
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 1, reserved: 2 });
  });

  test('that has lapsed is taken again by an update, without a look at the stock', async () => {
    const draft = await hold(rig, SEED_SKUS.lastOne, 1, 60);
    rig.clock.nowMs += 61_000;
    rig.sandbox.shop.sell(SEED_SKUS.lastOne, 1);
    const input = { reserveInventoryUntil: '2026-11-23T12:30:00Z' };
    await rig.data(UPDATE, { id: draft.id, input });
    expect(stock(SEED_SKUS.lastOne)).toMatchObject({ available: -1, reserved: 1, committed: 1 });
  });

  test('follows the lines of its draft, and ends when its time is taken away', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60);
    const { variantId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    await rig.data(UPDATE, { id: draft.id, input: { lineItems: [{ variantId, quantity: 1 }] } });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 2, reserved: 1 });
    await rig.data(UPDATE, { id: draft.id, input: { reserveInventoryUntil: null } });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });
});

describe('a draft order', () => {
  test('without a time to reserve until holds nothing', async () => {
    const { variantId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    await rig.data(CREATE, { input: { lineItems: [{ variantId, quantity: 2 }] } });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });

  test.each([
    [
      'a time in the past',
      { reserveInventoryUntil: '2026-11-23T11:59:59Z' },
      null,
      "Reserve until can't be in the past",
    ],
    ['no lines', { lineItems: [] }, null, 'Add at least 1 product'],
    [
      'a quantity of zero',
      { lineItems: [{ title: 'Gift wrap', quantity: 0 }] },
      ['lineItems', '0', 'quantity'],
      /Quantity/,
    ],
    [
      'an unknown variant',
      { lineItems: [{ variantId: 'gid://shopify/ProductVariant/1', quantity: 1 }] },
      ['lineItems', '0', 'variantId'],
      /no longer available/,
    ],
    ['a tag of 41 characters', { tags: ['x'.repeat(41)] }, ['tags'], /too long/],
    ['an email without @', { email: 'nobody' }, ['email'], 'Email is invalid'],
  ])('is refused with %s, and nothing is held', async (_name, change, field, message) => {
    const { variantId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const input = {
      lineItems: [{ variantId, quantity: 1 }],
      reserveInventoryUntil: '2026-11-23T12:10:00Z',
      ...change,
    };
    const { draftOrderCreate } = await rig.data(CREATE, { input });
    expect(draftOrderCreate.draftOrder).toBeNull();
    expect(draftOrderCreate.userErrors).toEqual([{ field, message: expect.stringMatching(message) }]);
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });

  test('with a field that the sandbox does not emulate is refused loudly', async () => {
    const { variantId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
    const input = { lineItems: [{ variantId, quantity: 1 }], discountCodes: ['SUMMER'] };
    const answer = await rig.graphql(CREATE, { input });
    expect(answer.errors[0].message).toContain('does not emulate DraftOrderInput.discountCodes');
    expect(answer.data).toEqual({ draftOrderCreate: null });
  });

  test('keeps what an update does not name, and clears what it sets to null', async () => {
    const draft = await hold(rig, SEED_SKUS.plentiful, 1, 60, {
      tags: ['agent-hold', 'si-1'],
      note: 'first',
    });
    const shippingAddress = { firstName: 'Ada', lastName: 'Byron', city: 'Lübeck', countryCode: 'DE' };
    const first = await rig.data(UPDATE, {
      id: draft.id,
      input: { email: 'ada@example.com', shippingAddress },
    });
    expect(first.draftOrderUpdate.draftOrder).toMatchObject({
      email: 'ada@example.com',
      note2: 'first',
      tags: ['agent-hold', 'si-1'],
      reserveInventoryUntil: '2026-11-23T12:01:00Z',
      shippingAddress: { city: 'Lübeck', countryCodeV2: 'DE', country: 'Germany', name: 'Ada Byron' },
      lineItems: { nodes: [{ sku: SEED_SKUS.plentiful, quantity: 1 }] },
    });
    const second = await rig.data(UPDATE, { id: draft.id, input: { email: null, note: null } });
    expect(second.draftOrderUpdate.draftOrder).toMatchObject({ email: null, note2: null });
  });
});

describe('completing', () => {
  test('moves live units from reserved to committed, leaves available, and makes the order of the draft', async () => {
    const shippingAddress = { city: 'Lübeck', countryCode: 'DE' };
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60, {
      tags: ['si-2'],
      note: 'for a friend',
      email: 'ada@example.com',
      shippingAddress,
      customAttributes: [{ key: 'reservation_id', value: 'r2' }],
    });
    const { draftOrderComplete } = await rig.data(COMPLETE, { id: draft.id });
    expect(draftOrderComplete.userErrors).toEqual([]);
    expect(draftOrderComplete.draftOrder).toMatchObject({
      status: 'COMPLETED',
      completedAt: '2026-11-23T12:00:00Z',
      order: {
        name: '#1001',
        confirmed: true,
        cancelledAt: null,
        tags: ['si-2'],
        note: 'for a friend',
        email: 'ada@example.com',
        displayFinancialStatus: 'PAID',
        shippingAddress: { city: 'Lübeck' },
        customAttributes: [{ key: 'reservation_id', value: 'r2' }],
        lineItems: { nodes: [{ sku: SEED_SKUS.scarce, quantity: 2 }] },
      },
    });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 1, reserved: 0, committed: 2, on_hand: 3 });
    rig.clock.nowMs += 3_600_000;
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 1, committed: 2 });
  });

  test('after the hold has lapsed takes the units out of available, below zero if need be', async () => {
    const draft = await hold(rig, SEED_SKUS.lastOne, 1, 60);
    rig.clock.nowMs += 60_000;
    rig.sandbox.shop.sell(SEED_SKUS.lastOne, 1);
    await rig.data(COMPLETE, { id: draft.id });
    expect(stock(SEED_SKUS.lastOne)).toMatchObject({ available: -1, reserved: 0, committed: 2, on_hand: 1 });
  });

  test('twice answers with the same draft and order, says that it is paid, and moves nothing', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60);
    const first = await rig.data(COMPLETE, { id: draft.id });
    const moved = stock(SEED_SKUS.scarce);
    const second = await rig.data(COMPLETE, { id: draft.id });
    expect(second.draftOrderComplete).toEqual({
      draftOrder: first.draftOrderComplete.draftOrder,
      userErrors: [{ field: null, message: 'This order has been paid' }],
    });
    expect(stock(SEED_SKUS.scarce)).toEqual(moved);
  });

  test('as pending makes an unpaid order, and an unknown gateway makes none', async () => {
    const draft = await hold(rig, SEED_SKUS.plentiful, 1, 60);
    const gateway = 'gid://shopify/PaymentGateway/7';
    const refused = await rig.data(COMPLETE, { id: draft.id, gateway });
    expect(refused.draftOrderComplete.userErrors).toEqual([
      { field: null, message: 'Invalid payment gateway' },
    ]);
    expect(refused.draftOrderComplete.draftOrder.order).toBeNull();
    const { draftOrderComplete } = await rig.data(COMPLETE, { id: draft.id, pending: true });
    expect(draftOrderComplete.draftOrder.order.displayFinancialStatus).toBe('PENDING');
  });
});

describe('deleting', () => {
  test('gives the units back at once; the second time the draft does not exist', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60);
    const first = await rig.data(DELETE, { input: { id: draft.id } });
    expect(first.draftOrderDelete).toEqual({ deletedId: draft.id, userErrors: [] });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
    const second = await rig.data(DELETE, { input: { id: draft.id } });
    expect(second.draftOrderDelete).toEqual({
      deletedId: null,
      userErrors: [{ field: ['id'], message: 'Draft order does not exist' }],
    });
    rig.clock.nowMs += 3_600_000;
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });

  test('a lapsed hold gives nothing back twice', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 2, 60);
    rig.clock.nowMs += 61_000;
    await rig.data(DELETE, { input: { id: draft.id } });
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 3, reserved: 0 });
  });

  test('a completed draft is refused, and so is updating it', async () => {
    const draft = await hold(rig, SEED_SKUS.scarce, 1, 60);
    await rig.data(COMPLETE, { id: draft.id });
    const deleted = await rig.data(DELETE, { input: { id: draft.id } });
    expect(deleted.draftOrderDelete).toMatchObject({
      deletedId: null,
      userErrors: [{ message: expect.stringMatching(/completed/) }],
    });
    const updated = await rig.data(UPDATE, { id: draft.id, input: { note: 'too late' } });
    expect(updated.draftOrderUpdate.userErrors).toEqual([
      { field: null, message: expect.stringMatching(/completed/) },
    ]);
    expect(stock(SEED_SKUS.scarce)).toMatchObject({ available: 2, committed: 1 });
  });
});

test('whatever drafts do, on hand never changes and no unit is lost', async () => {
  const catalogue: Catalogue = {
    locations: [{ name: 'One', city: 'Berlin', countryCode: 'DE' }],
    products: [
      {
        title: 'Sock',
        productType: 'Socks',
        vendor: 'V',
        variants: [{ sku: 'SOCK', title: 'Sock', options: [], price: '1.00', stock: { One: 20 } }],
      },
    ],
  };
  const small = await startRig({ catalogue });
  const open: string[] = [];
  const moves = 'HHCHDHXHUCHHDXTHHCUTDHXHCHUD';
  for (const [index, move] of [...moves].entries()) {
    if (move === 'H') open.push((await hold(small, 'SOCK', (index % 4) + 1, 20 + index)).id);
    if (move === 'T') small.clock.nowMs += 25_000;
    if (move === 'X') small.sandbox.shop.sell('SOCK', 1);
    const id = open[index % Math.max(1, open.length)];
    if (move === 'C' && id) await small.data(COMPLETE, { id });
    if (move === 'D' && id) await small.data(DELETE, { input: { id } });
    const input = { reserveInventoryUntil: new Date(small.clock.nowMs + 40_000).toISOString() };
    if (move === 'U' && id) await small.data(UPDATE, { id, input });
    const { available, reserved, committed, on_hand } = small.sandbox.shop.readStock('SOCK', 'One');
    expect(on_hand).toBe(20);
    expect(available + reserved + committed).toBe(20);
  }
  small.clock.nowMs += 3_600_000;
  expect(small.sandbox.shop.readStock('SOCK', 'One').reserved).toBe(0);
  await small.sandbox.stop();
});
