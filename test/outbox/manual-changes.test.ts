/** Others at work on the same stock: tills, people in the shop's admin, and other workers of ours. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseUnits, type Units } from '../../src/ledger/model/values/units.js';
import { answerOf, HOUR, MINUTE, OTHER_AGENT, SECOND } from '../helpers/ledger.js';
import { ShopLedger, STORE, WAREHOUSE } from '../helpers/shop-ledger.js';

const NONE = 0 as Units;

let t: ShopLedger;
beforeEach(async () => {
  t = await ShopLedger.open();
});
afterEach(() => t.close());

/** The checksum that an agent gets who asks again before submitting. */
async function requoted(reservation: { readonly reservation_id: string }): Promise<string> {
  const answer = answerOf(await t.ledger.checkReservation('agent-a', reservation.reservation_id));
  if (answer.stock_hash === undefined) throw new Error('a reservation has a checksum');
  return answer.stock_hash;
}

describe('a sale at the till', () => {
  test('L1: that makes a mirror go below zero has the mirror deleted, and our hold counts alone', async () => {
    const reservation = await t.granted('COAT', 1);
    t.server.shop.sell('COAT', 1);
    await t.workFor(5 * SECOND);
    expect(t.drafts()).toEqual([]);
    expect(t.available('COAT')).toBe(0);
    expect(await t.level('COAT')).toMatchObject({ held_units: 1, mirrored_units: 0 });
    expect(await t.atp('COAT')).toBe(0);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
    await t.release(reservation);
    await t.work();
    expect(await t.atp('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('L1: a draft that a person deletes frees nothing for the next agent, also before it was read back', async () => {
    const mine = await t.mirrored('LAMP', 3);
    for (const draft of t.drafts()) t.byHand('delete', draft);
    t.time.pass(2 * SECOND);
    await t.beat();
    expect(t.available('LAMP', STORE)).toBe(4);
    expect(await t.atp('LAMP')).toBe(1);
    await t.work();
    expect(await t.owned(mine)).toMatchObject({
      outbox: { shop_state: 'absent' },
      holds: [{ state: 'counted' }],
    });
    expect(await t.atp('LAMP')).toBe(1);
    await t.expectTrueBooks();
  });

  test('a receipt is promised as soon as the drafts were read back', async () => {
    await t.mirrored('LAMP', 3);
    t.server.shop.receive('LAMP', STORE, 5);
    t.time.pass(2 * SECOND);
    await t.beat();
    await t.work();
    expect(await t.atp('LAMP')).toBe(6);
    expect(t.drafts()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L1: the mirror that is deleted is that of the youngest, not that of whoever comes to the shop last', async () => {
    const first = await t.granted('SCARF', 1);
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'status', code: 429 });
    await t.work();
    const second = await t.granted('SCARF', 2);
    await t.workFor(0);
    t.server.shop.sell('SCARF', 1);
    await t.workFor(10 * SECOND);
    expect((await t.owned(first)).outbox.shop_state).toBe('open');
    t.time.pass(MINUTE);
    await t.beat();
    await t.workFor(2 * MINUTE);
    expect((await t.owned(second)).outbox.shop_state).toBe('deleted');
    expect(t.available('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test('before the draft of an accepted order: the order fails, its units are free, and nothing is left at the shop', async () => {
    const reservation = await t.granted('COAT', 1);
    await t.accepted(reservation, { buyer: { email: 'ada@example.org' } });
    t.server.shop.sell('COAT', 1);
    await t.workFor(5 * SECOND);
    expect(await t.owned(reservation)).toMatchObject({
      order: { state: 'failed', buyer: null, reasons: [{ code: 'stock_insufficient' }] },
      reservation: { state: 'released' },
      outbox: { shop_state: 'deleted' },
    });
    expect(t.available('COAT')).toBe(0);
    expect(t.nextDue()).toBeNull();
    await t.expectTrueBooks();
  });

  test('L1: below zero under a mirror: an agent who asks again and brings the new checksum buys nothing that is not there', async () => {
    const reservation = await t.mirrored('COAT', 1);
    t.server.shop.sell('COAT', 1);
    await t.beat();
    const order = answerOf(await t.submit({ ...reservation, stock_hash: await requoted(reservation) }));
    expect(order.hash_verdict).toBe('match');
    await t.workFor(10 * SECOND);
    expect(t.orders()).toEqual([]);
    expect(['failed', 'rejected']).toContain((await t.order(reservation)).state);
    expect(t.available('COAT')).toBe(0);
    await t.expectTrueBooks();
  });

  test('L1: below zero with two mirrors: who came first gets the unit, who came later does not, whoever is looked at first', async () => {
    const first = await t.mirrored('SCARF', 2);
    const second = await t.mirrored('SCARF', 1);
    t.server.shop.sell('SCARF', 1);
    await t.beat();
    await t.submit({ ...second, stock_hash: await requoted(second) });
    await t.submit({ ...first, stock_hash: await requoted(first) });
    await t.workFor(MINUTE);
    expect((await t.order(first)).state).toBe('placed');
    expect(['failed', 'rejected']).toContain((await t.order(second)).state);
    expect(t.available('SCARF')).toBe(0);
    await t.expectTrueBooks();
  });

  test('L1: between the draft and the first look at it, the worker dying in between: the next one looks before it completes', async () => {
    const reservation = await t.granted('COAT', 1);
    await t.accepted(reservation);
    t.server.shop.sell('COAT', 1);
    // The first worker hangs in its look at the stock, just after the draft was made.
    t.server.faults.add({ operation: 'nodes', when: 'before', action: 'delay', ms: 500 });
    const dying = t.beside('worker-dying', { intents: t.intents });
    const hung = dying.work();
    await expect.poll(() => t.drafts().length, { timeout: 20_000 }).toBe(1);
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('open');
    t.time.pass(61 * SECOND);
    await t.workFor(MINUTE);
    expect((await t.order(reservation)).state).toBe('failed');
    expect(t.orders()).toEqual([]);
    await hung;
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('L4: while the first look at the stock is under way: the draft that it did not look at is not taken for gone', async () => {
    // No order rests on the draft yet, so the look that follows its making leaves it out.
    t.server.faults.add({ operation: 'nodes', when: 'after', action: 'delay', ms: 300 });
    const reservation = await t.granted('COAT', 1);
    const looking = t.work();
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('open');
    await t.accepted(reservation);
    await looking;
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect([...t.server.shop.draftOrders.all()]).toHaveLength(1);
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L1: while a lost draft is looked up: taken over, it is looked at before it is completed', async () => {
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'drop' });
    const reservation = await t.granted('COAT', 1);
    await t.accepted(reservation);
    t.server.shop.sell('COAT', 1);
    await t.workFor(2 * MINUTE);
    expect((await t.order(reservation)).state).toBe('failed');
    expect(t.drafts()).toEqual([]);
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });

  test('below zero at another location is no reason to fail an order here', async () => {
    t.server.shop.receive('CAP', STORE, -8);
    await t.beat();
    expect(t.available('CAP', STORE)).toBe(-3);
    const reservation = await t.mirrored('CAP', 2);
    await t.accepted(reservation);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });
});

describe('a person in the admin of the shop', () => {
  test('L1: who deletes the draft of a reservation: found out within the minute, the hold counts on our side again', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('delete', draft);
    expect(t.available('SCARF')).toBe(3);
    await t.workFor(MINUTE);
    await t.beat();
    expect(await t.level('SCARF')).toMatchObject({ held_units: 2, mirrored_units: 0 });
    expect(await t.atp('SCARF')).toBe(1);
    // It is not made anew behind their back.
    expect(t.drafts()).toEqual([]);
    expect((await t.owned(reservation)).reservation.state).toBe('active');
    await t.expectTrueBooks();
  });

  test('L4: who deletes it before the order is completed: the order asks for its own, once', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('delete', draft);
    await t.accepted(reservation);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.available('SCARF')).toBe(1);
    await t.expectTrueBooks();
  });

  test('L5: a draft deleted by hand and a sale in the same moment are a new state: the old checksum is stale', async () => {
    const mirrored = await t.mirrored('SCARF', 1);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('delete', draft);
    t.server.shop.sell('SCARF', 1); // available is what it was: one came back, one went
    await t.workFor(MINUTE + SECOND);
    await t.beat();
    expect((await t.item('SCARF')).stock_hash).not.toBe(mirrored.stock_hash);
    expect(answerOf(await t.submit(mirrored)).hash_verdict).toBe('stale');
    await t.workFor(MINUTE);
    expect(await t.order(mirrored)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });

  test('L4: who completes the draft of an order that was just accepted: that is the order', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('complete', draft);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L3: who completes the draft of a reservation that is then released: a person has to look, and no hold stays', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('complete', draft);
    await t.release(reservation);
    await t.workFor(MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'completed', parked: true, last_failure: 'completed_by_others' },
      holds: [],
    });
    await t.beat();
    expect(t.available('SCARF')).toBe(1);
    expect(await t.atp('SCARF')).toBe(1);
    expect(t.orders()).toHaveLength(1);
    expect(t.nextDue()).toBeNull();
  });
});

describe('what the shop takes elsewhere than we promised it', () => {
  test('an order on a location that the draft does not take from is placed: the shop has the units in all', async () => {
    // The draft takes from the warehouse, which stocks the cap, whatever location was promised.
    const reservation = await t.granted('CAP', 2, {
      lines: [{ sku: 'CAP', quantity: parseUnits(2) ?? NONE, location_id: await t.locationId(STORE) }],
    });
    t.server.shop.sell('CAP', 20);
    await t.beat();
    await t.submit(reservation);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.orders()).toHaveLength(1);
  });

  test('L1: but not when the shop has fewer in all than it has promised', async () => {
    const reservation = await t.granted('CAP', 3, {
      lines: [{ sku: 'CAP', quantity: parseUnits(3) ?? NONE, location_id: await t.locationId(STORE) }],
    });
    t.server.shop.sell('CAP', 20);
    t.server.shop.receive('CAP', WAREHOUSE, -3);
    await t.submit(reservation);
    await t.workFor(MINUTE);
    expect(['failed', 'rejected']).toContain((await t.order(reservation)).state);
    expect(t.drafts()).toEqual([]);
  });
});

describe('an agent who quotes again before submitting', () => {
  test('L5: does not get a discontinued item: what is true is not for sale', async () => {
    const reservation = await t.mirrored('SCARF', 1);
    t.time.pass(15 * SECOND);
    t.server.shop.setProductStatus('SCARF', 'ARCHIVED');
    await t.beat();
    const answer = answerOf(await t.submit(reservation, { stock_hash: await requoted(reservation) }));
    expect(answer).toMatchObject({
      hash_verdict: 'match',
      status: 'held',
      reasons: [{ code: 'item_discontinued' }],
    });
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({
      state: 'rejected',
      reasons: [{ code: 'item_discontinued' }],
    });
    expect(t.orders()).toEqual([]);
    await t.expectTrueBooks();
  });
});

describe('a person who completes the draft', () => {
  test('L4: before the agent submits: the order that is there is adopted, and none is made', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    const [draft] = t.drafts();
    if (draft !== undefined) t.byHand('complete', draft);
    await t.workFor(2 * MINUTE);
    expect((await t.owned(reservation)).outbox.shop_state).toBe('completed');
    await t.submit(reservation, { stock_hash: await requoted(reservation) });
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(await t.owned(reservation)).toMatchObject({ holds: [], outbox: { parked: false } });
    expect(t.orders()).toHaveLength(1);
  });
});

describe('a shop that refuses the draft', () => {
  /** The variant is deleted behind our back: the shop knows it no more. */
  function deleteVariant(sku: string): void {
    const { inventory } = t.server.shop;
    inventory.variants.delete(inventory.variantOfSku(sku).id);
  }

  test('of a reservation: the mirror stays off, the hold counts on our side, and nobody asks again', async () => {
    const reservation = await t.granted('SCARF', 2);
    deleteVariant('SCARF');
    await t.workFor(MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      outbox: { shop_state: 'absent', due_at_ms: null, last_failure: 'refused' },
      holds: [{ state: 'counted' }],
    });
    expect(t.nextDue()).toBeNull();
  });

  test('of an order: it has failed, and its units are free', async () => {
    const reservation = await t.granted('SCARF', 2);
    await t.accepted(reservation, { buyer: { email: 'ada@example.org' } });
    deleteVariant('SCARF');
    await t.workFor(MINUTE);
    expect(await t.owned(reservation)).toMatchObject({
      order: { state: 'failed', buyer: null, reasons: [{ code: 'item_discontinued' }] },
      reservation: { state: 'released' },
      holds: [],
    });
    expect(t.nextDue()).toBeNull();
  });

  test('L4: of a reservation, while its order is being submitted: the order is not forgotten', async () => {
    const reservation = await t.granted('SCARF', 2);
    deleteVariant('SCARF');
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'delay', ms: 300 });
    const asking = t.work();
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('creating');
    await t.accepted(reservation);
    await asking;
    await t.workFor(MINUTE);
    expect((await t.order(reservation)).state).toBe('failed');
    expect((await t.owned(reservation)).holds).toEqual([]);
  });
});

describe('several workers', () => {
  test('L4: that race for the same rows have one effect each', async () => {
    const others = ['worker-2', 'worker-3'].map((name) => t.beside(name));
    const reservations = await Promise.all(Array.from({ length: 6 }, () => t.granted('CAP', 1)));
    await Promise.all([t, ...others].map((one) => one.work()));
    for (const reservation of reservations) await t.submit(reservation);
    for (let round = 0; round < 4; round += 1) {
      await Promise.all([t, ...others].map((one) => one.work()));
      t.time.pass(SECOND);
    }
    for (const reservation of reservations) {
      expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    }
    expect([...t.server.shop.draftOrders.all()]).toHaveLength(6);
    expect(t.orders()).toHaveLength(6);
    await t.expectTrueBooks();
  });

  test('a row of a worker that died is nobody else’s until its claim ends, and then somebody else’s', async () => {
    const reservation = await t.mirrored('SCARF', 2);
    await t.accepted(reservation);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'delay', ms: 400 });
    const dying = t.beside('worker-dying');
    const hung = dying.work();
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('completing');
    t.time.pass(59 * SECOND);
    await t.work();
    expect((await t.owned(reservation)).outbox.claimed_by).toBe('worker-dying');
    t.time.pass(2 * SECOND);
    await t.workFor(5 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await hung;
    expect(t.orders()).toHaveLength(1);
    await t.expectTrueBooks();
  });

  test('L4: what a worker that lost its claim still creates is deleted again, and never becomes a second order', async () => {
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    // Its request reaches the shop only after another worker has given it up, made its own and placed the order.
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'delay', ms: 1500 });
    const late = t.beside('worker-late', { intents: t.intents });
    const hung = late.work();
    await expect.poll(() => t.server.faults.list().length, { timeout: 20_000 }).toBe(0);
    t.time.pass(61 * SECOND);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await hung;
    expect(late.events.map(({ event }) => event)).toEqual(['outbox_claim_lost']);
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect(t.drafts()).toEqual([]);
    expect(t.available('CAP')).toBe(18);
    await t.expectTrueBooks();
  });

  test('L9: a clock that jumps an hour ahead takes the row from a living worker, and makes no second order', async () => {
    const reservation = await t.granted('CAP', 2, { ttl_seconds: 900 });
    await t.accepted(reservation);
    t.server.faults.add({ operation: 'draftOrderComplete', when: 'before', action: 'delay', ms: 400 });
    const living = t.beside('worker-living', { intents: t.intents });
    const hung = living.work();
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('completing');
    t.time.setWallClockBy(HOUR);
    await t.workFor(MINUTE);
    await hung;
    t.time.setWallClockBy(-HOUR);
    await t.workFor(MINUTE);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(t.orders()).toHaveLength(1);
  });

  test('a call that hangs does not keep the others waiting', async () => {
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'delay', ms: 1000 });
    const slow = await t.granted('CAP', 1);
    const working = t.work();
    await expect.poll(() => t.server.faults.list().length, { timeout: 20_000 }).toBe(0);
    const quick = await t.granted('SCARF', 1, { principal: OTHER_AGENT });
    await expect.poll(async () => (await t.owned(quick)).outbox.shop_state, { timeout: 20_000 }).toBe('open');
    expect((await t.owned(slow)).outbox.shop_state).toBe('creating');
    await working;
    expect(t.available('CAP', WAREHOUSE)).toBe(19);
    await t.expectTrueBooks();
  });
});

describe('stopping', () => {
  test('gives claims back: the next process need not wait for them to end', async () => {
    const reservation = await t.granted('SCARF', 2);
    await t.accepted(reservation);
    const stop = new AbortController();
    t.server.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'delay', ms: 200 });
    const working = t.work(stop.signal);
    await expect.poll(async () => (await t.owned(reservation)).outbox.shop_state).toBe('creating');
    stop.abort();
    await working;
    expect((await t.owned(reservation)).outbox).toMatchObject({ claimed_by: null, shop_state: 'open' });
    const next = t.beside('worker-2');
    await next.workFor(5 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    await t.expectTrueBooks();
  });
});
