/** What the outbox does at a shop where nothing goes wrong. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MINUTE, SECOND, units } from '../helpers/ledger.js';
import { readLedgerBytes } from '../helpers/ledger-bytes.js';
import { ShopLedger } from '../helpers/shop-ledger.js';

let t: ShopLedger;
beforeEach(async () => {
  t = await ShopLedger.open();
});
afterEach(() => t.close());

describe('a mirrored reservation', () => {
  test("L2: the shop's figure falls, what can be promised and the checksum stay", async () => {
    const before = await t.check('SCARF');
    const reservation = await t.granted('SCARF', 2);
    expect(await t.level('SCARF')).toMatchObject({ held_units: 2, mirrored_units: 0 });
    expect(await t.atp('SCARF')).toBe(1);

    await t.work();

    expect(t.available('SCARF')).toBe(1);
    expect(await t.level('SCARF')).toMatchObject({
      upstream_available_units: 1,
      held_units: 0,
      mirrored_units: 2,
    });
    expect(await t.atp('SCARF')).toBe(1);
    expect((await t.check('SCARF')).items[0]?.stock_hash).toBe(before.items[0]?.stock_hash);
    expect(reservation.stock_hash).toBe(before.items[0]?.stock_hash);
    await t.expectTrueBooks();
  });

  test('L3: released, its draft is deleted, and the units are back at the shop and can be promised again', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    await t.release(reservation);
    expect(await t.atp('SCARF')).toBe(1); // not before the shop has let go

    await t.work();

    expect(t.drafts()).toEqual([]);
    expect(t.available('SCARF')).toBe(3);
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test('L3: expired, its draft is deleted although no sweep has run', async () => {
    await t.mirrored('SCARF', 2, { ttl_seconds: 60 });
    await t.workFor(2 * MINUTE);
    expect(t.drafts()).toEqual([]);
    expect(await t.atp('SCARF')).toBe(3);
    await t.expectTrueBooks();
  });

  test('released before the outbox came to it never reaches the shop', async () => {
    const reservation = await t.granted('SCARF', 2);
    await t.release(reservation);
    await t.work();
    expect([...t.server.shop.draftOrders.all()]).toEqual([]);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('expired before the outbox came to it never reaches the shop', async () => {
    await t.granted('SCARF', 2, { ttl_seconds: 60 });
    t.time.pass(61 * SECOND);
    await t.beat();
    await t.workFor(1 * SECOND);
    expect(t.drafts()).toEqual([]);
    expect(await t.atp('SCARF')).toBe(3);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });
});

describe('an accepted order', () => {
  test('L4: becomes exactly one order at the shop, and its hold goes with a newer report only', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    await t.work();

    expect(await t.order(reservation)).toMatchObject({ state: 'placed', upstream_order_name: '#1001' });
    expect((await t.owned(reservation)).reservation.state).toBe('committed');
    expect(t.orders()).toHaveLength(1);
    expect(t.orders()[0]?.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([['SCARF', 2]]);
    expect(t.available('SCARF')).toBe(1);
    expect(await t.atp('SCARF')).toBe(1);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('that was never mirrored takes its units and is placed in one go', async () => {
    const reservation = await t.granted('SCARF', 3);
    await t.accepted(reservation);
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(await t.atp('SCARF')).toBe(0);
    await t.expectTrueBooks();
  });

  test('keeps its units counted while the shop can not be read after the placing: promising less, never more', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    // The read before the sale succeeds, the one after it does not.
    t.server.faults.add({ operation: 'nodes', when: 'before', action: 'delay', ms: 1 });
    t.server.faults.add({ operation: 'nodes', when: 'before', action: 'status', code: 503, times: 100 });
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect((await t.owned(reservation)).holds).toMatchObject([{ awaits: 'settle' }]);
    expect(await t.atp('SCARF')).toBe(1);

    t.server.faults.clear();
    await t.workFor(5 * MINUTE); // and no heartbeat: the row itself is not put to rest before that

    expect((await t.owned(reservation)).holds).toEqual([]);
    expect(t.nextDue()).toBeNull();
    await t.beat();
    expect(await t.atp('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test("a buyer's details reach the shop and are erased from the ledger", async () => {
    const reservation = await t.mirrored('SCARF', 1);
    await t.accepted(reservation, {
      buyer: {
        email: 'ada@example.org',
        name: 'Ada Lovelace',
        shipping_address: {
          address1: '1 Analytical Way',
          city: 'London',
          postal_code: 'W1',
          country_code: 'GB',
        },
      },
      note: 'gift wrap',
      reference: 'cart-7',
    });
    const has = (text: string) => readLedgerBytes(t.path).includes(text);
    expect(has('ada@example.org')).toBe(true);

    await t.work();

    expect(t.orders()[0]).toMatchObject({
      email: 'ada@example.org',
      note: 'gift wrap',
      shippingAddress: { firstName: 'Ada', lastName: 'Lovelace', city: 'London', countryCode: 'GB' },
    });
    expect((await t.order(reservation)).buyer).toBeNull();
    const journal = t.rawly((db) => db.prepare('SELECT group_concat(data) FROM journal').pluck().get());
    expect(journal).not.toContain('ada@example.org');
    await t.expectTrueBooks();
  });

  test('near the end of its hold has the hold extended before it is completed', async () => {
    const reservation = await t.mirrored('SCARF', 1, { ttl_seconds: 60 });
    t.time.pass(59 * SECOND);
    await t.beat();
    await t.accepted(reservation);
    // The shop would let go two minutes after the reservation's own end.
    t.server.faults.add({
      operation: 'draftOrderUpdate',
      when: 'before',
      action: 'status',
      code: 429,
      times: 1,
    });
    t.time.pass(90 * SECOND);
    await t.beat();
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });

  test('L1: whose hold had lapsed takes its units again, and no report from the gap promises them twice', async () => {
    const reservation = await t.mirrored('COAT', 1, { ttl_seconds: 60 });
    t.time.pass(59 * SECOND);
    await t.accepted(reservation);
    t.time.pass(5 * MINUTE); // nobody worked; the shop has let go by itself
    expect(t.available('COAT')).toBe(1);
    await t.beat();
    expect(await t.atp('COAT')).toBe(0);

    await t.work();

    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.available('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('whose hold had lapsed and whose units somebody else has bought fails, and nothing is left at the shop', async () => {
    const reservation = await t.mirrored('COAT', 1, { ttl_seconds: 60 });
    t.time.pass(59 * SECOND);
    await t.accepted(reservation);
    t.time.pass(5 * MINUTE);
    t.server.shop.sell('COAT', 1);

    await t.workFor(MINUTE);

    expect(await t.order(reservation)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'stock_insufficient' }],
    });
    expect(t.drafts()).toEqual([]);
    expect(t.available('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('for a location that is not the first one is placed, and both locations add up again', async () => {
    const item = await t.level('CAP', 'Store');
    const reservation = await t.granted('CAP', 2, {
      lines: [{ sku: 'CAP', quantity: units(2), location_id: item.location_id }],
    });
    await t.work();
    // A draft has no location: the shop took the units at its first one, so the checksum is another now.
    await t.submit(reservation);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.beat();
    expect(await t.atp('CAP')).toBe(23);
    await t.expectTrueBooks();
  });
});

test('many reservations of one SKU are each mirrored and placed once, none failing for the others', async () => {
  const reservations = await Promise.all(Array.from({ length: 20 }, () => t.granted('CAP', 1)));
  await t.work();
  for (const reservation of reservations) {
    // Drafts of the others may have made the checksum flicker; the agents revalidate.
    await t.submit(reservation);
  }
  await t.workFor(2 * MINUTE);
  const states = await Promise.all(reservations.map(async (r) => (await t.order(r)).state));
  expect(states).toEqual(Array(20).fill('placed'));
  expect(t.orders()).toHaveLength(20);
  expect(t.available('CAP')).toBe(0);
  await t.expectTrueBooks();
});
