import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { ADJUST, idsOf, MOVE, newKey, type Rig, SET, startRig } from '../../sandbox-client.js';

const { warehouse, partner } = SEED_LOCATIONS;
const DOCUMENT = 'gid://holdfast/Hold/r1';

let rig: Rig;
let place: { inventoryItemId: string; locationId: string };
beforeEach(async () => {
  rig = await startRig();
  const { inventoryItemId, locationId } = idsOf(rig, SEED_SKUS.scarce, warehouse);
  place = { inventoryItemId, locationId };
});
afterEach(() => rig.sandbox.stop());

function stock(sku: string = SEED_SKUS.scarce, location: string = warehouse) {
  return rig.sandbox.shop.readStock(sku, location);
}

function adjusting(change: object = {}, rest: object = {}) {
  const one = { ...place, delta: 1, changeFromQuantity: null, ...change };
  return { reason: 'correction', name: 'available', changes: [one], ...rest };
}

function moving(quantity: number, from: object = {}, to: object = {}) {
  const { inventoryItemId, locationId } = place;
  const change = {
    inventoryItemId,
    quantity,
    from: { locationId, name: 'available', changeFromQuantity: null, ...from },
    to: { locationId, name: 'reserved', ledgerDocumentUri: DOCUMENT, changeFromQuantity: null, ...to },
  };
  return {
    reason: 'reservation_created',
    referenceDocumentUri: 'gid://holdfast/Reservation/r1',
    changes: [change],
  };
}

function setting(quantity: number, entry: object = {}, rest: object = {}) {
  const one = { ...place, quantity, changeFromQuantity: null, ...entry };
  return { reason: 'correction', name: 'available', quantities: [one], ...rest };
}

async function codes(mutation: string, input: object) {
  const data = await rig.data(mutation, { input, key: newKey() });
  const [payload] = Object.values(data) as [
    { inventoryAdjustmentGroup: object | null; userErrors: { code: string }[] },
  ];
  if (payload.userErrors.length > 0) expect(payload.inventoryAdjustmentGroup).toBeNull();
  return payload.userErrors.map(({ code }) => code);
}

describe('arithmetic', () => {
  test('adjusting available moves on hand with it, and below zero if told to', async () => {
    const input = adjusting({ delta: -5 }, { referenceDocumentUri: 'gid://holdfast/Count/1' });
    const { inventoryAdjustQuantities } = await rig.data(ADJUST, { input, key: newKey() });
    const at = { item: { sku: SEED_SKUS.scarce }, location: { name: warehouse }, quantityAfterChange: null };
    expect(inventoryAdjustQuantities).toEqual({
      inventoryAdjustmentGroup: {
        id: 'gid://shopify/InventoryAdjustmentGroup/1',
        createdAt: '2026-11-23T12:00:00Z',
        reason: 'correction',
        referenceDocumentUri: 'gid://holdfast/Count/1',
        changes: [
          { name: 'available', delta: -5, ...at },
          { name: 'on_hand', delta: -5, ...at },
        ],
      },
      userErrors: [],
    });
    expect(stock()).toMatchObject({ available: -2, on_hand: -2 });
  });

  test('moving from available to reserved and back keeps on hand', async () => {
    await rig.data(MOVE, { input: moving(2), key: newKey() });
    expect(stock()).toMatchObject({ available: 1, reserved: 2, on_hand: 3 });
    const back = moving(
      1,
      { name: 'reserved', ledgerDocumentUri: DOCUMENT },
      { name: 'available', ledgerDocumentUri: undefined },
    );
    await rig.data(MOVE, { input: back, key: newKey() });
    expect(stock()).toMatchObject({ available: 2, reserved: 1, on_hand: 3 });
  });

  test('setting on hand moves available by the difference; setting what is set changes nothing', async () => {
    await rig.data(MOVE, { input: moving(2), key: newKey() });
    await rig.data(SET, { input: setting(10, {}, { name: 'on_hand' }), key: newKey() });
    expect(stock()).toMatchObject({ available: 8, reserved: 2, on_hand: 10 });
    const { inventorySetQuantities } = await rig.data(SET, { input: setting(8), key: newKey() });
    expect(inventorySetQuantities).toEqual({ inventoryAdjustmentGroup: null, userErrors: [] });
  });

  test('incoming is not on hand, and an item can be adjusted where it was not stocked', async () => {
    const { locationId } = idsOf(rig, SEED_SKUS.scarce, partner);
    const change = { locationId, delta: 7, ledgerDocumentUri: 'gid://holdfast/Purchase/1' };
    expect(await codes(ADJUST, adjusting(change, { name: 'incoming' }))).toEqual([]);
    expect(stock(SEED_SKUS.scarce, partner)).toMatchObject({ incoming: 7, on_hand: 0 });
  });

  test('of the seed: on hand is the sum of all states but incoming', () => {
    expect(stock(SEED_SKUS.mixedStates)).toMatchObject({ available: 80, incoming: 100, on_hand: 91 });
  });

  test('a change moves the times of the level and of the product', async () => {
    rig.clock.nowMs += 5_000;
    await rig.data(ADJUST, { input: adjusting(), key: newKey() });
    const { inventoryItem } = await rig.data(
      `query($id: ID!, $at: ID!) { inventoryItem(id: $id) { updatedAt inventoryLevel(locationId: $at) { updatedAt }
         variant { product { updatedAt } } } }`,
      { id: place.inventoryItemId, at: place.locationId },
    );
    expect(inventoryItem).toEqual({
      updatedAt: '2026-10-24T12:00:00Z',
      inventoryLevel: { updatedAt: '2026-11-23T12:00:05Z' },
      variant: { product: { updatedAt: '2026-11-23T12:00:05Z' } },
    });
  });
});

describe('rules', () => {
  test.each<[string, string, () => object]>([
    ['INVALID_REASON', ADJUST, () => adjusting({}, { reason: 'because' })],
    ['INVALID_REFERENCE_DOCUMENT', ADJUST, () => adjusting({}, { referenceDocumentUri: 'order 7' })],
    [
      'INVALID_QUANTITY_NAME',
      ADJUST,
      () => adjusting({ ledgerDocumentUri: DOCUMENT }, { name: 'committed' }),
    ],
    ['INVALID_QUANTITY_NAME', ADJUST, () => adjusting({ ledgerDocumentUri: DOCUMENT }, { name: 'on_hand' })],
    ['INVALID_AVAILABLE_DOCUMENT', ADJUST, () => adjusting({ ledgerDocumentUri: DOCUMENT })],
    ['INVALID_QUANTITY_DOCUMENT', ADJUST, () => adjusting({}, { name: 'damaged' })],
    [
      'INTERNAL_LEDGER_DOCUMENT',
      ADJUST,
      () => adjusting({ ledgerDocumentUri: 'gid://shopify/Order/1' }, { name: 'damaged' }),
    ],
    [
      'INVALID_LEDGER_DOCUMENT',
      ADJUST,
      () => adjusting({ ledgerDocumentUri: 'no uri' }, { name: 'damaged' }),
    ],
    ['INVALID_INVENTORY_ITEM', ADJUST, () => adjusting({ inventoryItemId: 'gid://shopify/InventoryItem/1' })],
    ['INVALID_LOCATION', ADJUST, () => adjusting({ locationId: 'gid://shopify/Location/1' })],
    ['INVALID_QUANTITY_TOO_HIGH', ADJUST, () => adjusting({ delta: 1_000_000_000 })],
    ['INVALID_QUANTITY_TOO_LOW', ADJUST, () => adjusting({ delta: -1_000_000_004 })],
    [
      'ADJUST_QUANTITIES_FAILED',
      ADJUST,
      () => adjusting({ delta: -1, ledgerDocumentUri: DOCUMENT }, { name: 'damaged' }),
    ],
    ['CHANGE_FROM_QUANTITY_STALE', ADJUST, () => adjusting({ changeFromQuantity: 2 })],
    ['CHANGE_FROM_QUANTITY_STALE', MOVE, () => moving(1, { changeFromQuantity: 2 })],
    ['CHANGE_FROM_QUANTITY_STALE', MOVE, () => moving(1, {}, { changeFromQuantity: 1 })],
    ['SAME_QUANTITY_NAME', MOVE, () => moving(1, {}, { name: 'available', ledgerDocumentUri: null })],
    [
      'DIFFERENT_LOCATIONS',
      MOVE,
      () => moving(1, {}, { locationId: idsOf(rig, SEED_SKUS.scarce, partner).locationId }),
    ],
    ['INVALID_QUANTITY_NEGATIVE', MOVE, () => moving(-1)],
    ['MOVE_QUANTITIES_FAILED', MOVE, () => moving(1, { name: 'damaged', ledgerDocumentUri: DOCUMENT })],
    ['INVALID_NAME', SET, () => setting(1, {}, { name: 'reserved' })],
    ['INVALID_QUANTITY_NEGATIVE', SET, () => setting(-1)],
    ['INVALID_QUANTITY_TOO_HIGH', SET, () => setting(1_000_000_001)],
    ['CHANGE_FROM_QUANTITY_STALE', SET, () => setting(1, { changeFromQuantity: 4 })],
  ])('%s is answered where it is due, and nothing moves', async (code, mutation, input) => {
    const before = stock();
    expect(await codes(mutation, input())).toEqual([code]);
    expect(stock()).toEqual(before);
  });

  test('one bad change of several refuses them all', async () => {
    const good = { ...place, delta: 1, changeFromQuantity: 3 };
    const input = adjusting({}, { changes: [good, { ...good, changeFromQuantity: 99 }] });
    const { inventoryAdjustQuantities } = await rig.data(ADJUST, { input, key: newKey() });
    expect(inventoryAdjustQuantities.userErrors).toEqual([
      {
        field: ['input', 'changes', '1', 'changeFromQuantity'],
        message: expect.any(String),
        code: 'CHANGE_FROM_QUANTITY_STALE',
      },
    ]);
    expect(stock().available).toBe(3);
  });

  test('a pair of item and location can be set once a call', async () => {
    const one = { ...place, quantity: 5, changeFromQuantity: null };
    expect(await codes(SET, setting(5, {}, { quantities: [one, one] }))).toEqual([
      'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
    ]);
  });

  test('a compare that holds swaps', async () => {
    expect(await codes(MOVE, moving(3, { changeFromQuantity: 3 }, { changeFromQuantity: 0 }))).toEqual([]);
    expect(stock()).toMatchObject({ available: 0, reserved: 3 });
  });

  test('changeFromQuantity must be there, be it null', async () => {
    const change = { ...place, delta: 1 };
    const answer = await rig.graphql(ADJUST, { input: adjusting({}, { changes: [change] }), key: newKey() });
    expect(answer).toMatchObject({
      data: { inventoryAdjustQuantities: null },
      errors: [
        {
          message: 'InventoryChangeInput must include the following argument: changeFromQuantity.',
          extensions: { code: 'INVALID_FIELD_ARGUMENTS' },
          path: ['inventoryAdjustQuantities'],
        },
      ],
    });
  });

  test('more than 250 changes are refused', async () => {
    const changes = Array.from({ length: 251 }, () => ({ ...place, delta: 1, changeFromQuantity: null }));
    const answer = await rig.graphql(ADJUST, { input: adjusting({}, { changes }), key: newKey() });
    expect(answer.errors[0].extensions.code).toBe('MAX_INPUT_SIZE_EXCEEDED');
  });
});

describe('@idempotent', () => {
  test('is mandatory', async () => {
    const bare = ADJUST.replace('@idempotent(key: $key)', '').replace(', $key: String!', '');
    const answer = await rig.graphql(bare, { input: adjusting() });
    expect(answer.data).toEqual({ inventoryAdjustQuantities: null });
    expect(answer.errors).toEqual([
      {
        message: 'The @idempotent directive is required for this mutation but was not provided.',
        locations: expect.any(Array),
        path: ['inventoryAdjustQuantities'],
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  });

  test('lets a replay have one effect and the first answer', async () => {
    const call = { input: adjusting(), key: newKey() };
    const first = await rig.data(ADJUST, call);
    rig.clock.nowMs += 60_000;
    expect(await rig.data(ADJUST, call)).toEqual(first);
    expect(stock().available).toBe(4);
  });

  test('refuses the same key for another input or another mutation', async () => {
    const key = newKey();
    await rig.data(ADJUST, { input: adjusting(), key });
    for (const [mutation, input] of [
      [ADJUST, adjusting({ delta: 2 })],
      [SET, setting(9)],
    ] as const) {
      const [payload] = Object.values(await rig.data(mutation, { input, key }));
      expect(payload).toMatchObject({
        inventoryAdjustmentGroup: null,
        userErrors: [{ code: 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH' }],
      });
    }
    expect(stock().available).toBe(4);
  });

  test('forgets a key 24 hours after the first request', async () => {
    const call = { input: adjusting(), key: newKey() };
    await rig.data(ADJUST, call);
    rig.clock.nowMs += 24 * 3_600_000;
    await rig.data(ADJUST, call);
    expect(stock().available).toBe(5);
  });

  test('is refused where Shopify does not support it', async () => {
    const answer = await rig.graphql(
      `mutation { draftOrderDelete(input: { id: "gid://shopify/DraftOrder/1" }) @idempotent(key: "k") { deletedId } }`,
    );
    expect(answer.errors[0].message).toBe('The @idempotent directive is not supported for this mutation.');
  });

  test('with a blank key is refused', async () => {
    const answer = await rig.graphql(ADJUST, { input: adjusting(), key: ' ' });
    expect(answer.errors[0].extensions.code).toBe('BAD_REQUEST');
  });
});
