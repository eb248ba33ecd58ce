/** A ledger that was put back to an older copy: what was placed since is found at the shop, and never ordered again. */

import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { answerOf, HOUR, MINUTE, refusalOf, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, type ShopProcess, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

async function shop(options: ShopLedgerOptions = {}): Promise<void> {
  t = await ShopLedger.open(options);
}

/** The whole file as it is now, the log included. */
function keepCopy(): void {
  const Driver = loadDriver();
  const db = new Driver(t.path);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  copyFileSync(t.path, `${t.path}.copy`);
}

/** All servers stop, the copy takes the place of the file, and another server starts on it. */
async function restore(options: ShopLedgerOptions = {}): Promise<ShopProcess> {
  await t.store.close();
  for (const end of ['-wal', '-shm']) rmSync(`${t.path}${end}`, { force: true });
  copyFileSync(`${t.path}.copy`, t.path);
  const restored = t.beside('worker-restored', options);
  await restored.beat();
  return restored;
}

test('item 6, L1: beside a clock that goes on from the copy, stock is as old as the shop’s clock says', async () => {
  await shop();
  await t.beat();
  keepCopy();
  t.server.shop.sell('CAP', 2);
  // Everywhere else 110 s pass; this machine was set back with its ledger, and the lease of the server that is gone still stands.
  t.server.shop.clockSkewMs += 110 * SECOND;
  t.time.pass(15 * SECOND);
  const restored = await restore();
  expect(await restored.atp('CAP')).toBe(0);
  t.time.pass(MINUTE);
  await restored.beat();
  expect(await restored.atp('CAP')).toBe(23);
});

const MODES: readonly [string, ShopLedgerOptions][] = [
  ['draft_order', {}],
  ['move', { settings: { mirror: 'move' } }],
  ['none', { settings: { mirror: 'none' } }],
];

describe.each(MODES)('item 6, L4: a restored ledger (%s)', (_mode, options) => {
  test('whose copy was taken before the order was begun adopts it', async () => {
    await shop(options);
    const reservation = await t.granted('CAP', 2);
    await t.work();
    await t.accepted(reservation);
    keepCopy();
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    t.time.pass(5 * SECOND);
    const restored = await restore();
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect(await restored.order(reservation)).toMatchObject({
      state: 'placed',
      upstream_order_ref: t.orders()[0]?.id.split('/').at(-1),
    });
  });

  test('whose copy was taken before anything was asked of the shop adopts it', async () => {
    await shop(options);
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    keepCopy();
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    const restored = await restore();
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await restored.order(reservation)).state).toBe('placed');
  });

  test('believes an empty look-up only after a second one and a wait: the shop’s search lags', async () => {
    await shop({ ...options, sandbox: { searchLagMs: 20 * SECOND } });
    const reservation = await t.granted('CAP', 2);
    await t.work();
    await t.accepted(reservation);
    keepCopy();
    await t.work();
    expect(t.orders()).toHaveLength(1);
    const restored = await restore();
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await restored.order(reservation)).state).toBe('placed');
  });

  test('whose buyer submits again after the copy was put back still makes one order', async () => {
    await shop(options);
    const reservation = await t.granted('CAP', 2);
    await t.work();
    keepCopy();
    await t.accepted(reservation);
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    const restored = await restore();
    const again = answerOf(await restored.submit(reservation));
    await restored.workFor(10 * MINUTE);
    expect(again.order_id).not.toBe('');
    expect(t.orders()).toHaveLength(1);
  });

  test('without an order at the shop places it, after two looks', async () => {
    await shop(options);
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    keepCopy();
    const restored = await restore();
    await restored.work();
    expect(t.orders()).toEqual([]);
    expect(t.drafts()).toEqual([]);
    await restored.workFor(2 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await restored.order(reservation)).state).toBe('placed');
    await restored.beat();
    await restored.workFor(MINUTE);
    await restored.expectTrueBooks();
  });
});

/** An order that waits, with its units, for its stock to be read again. */
async function held(sku = 'CAP') {
  const reservation = await t.granted(sku, 2);
  await t.work();
  t.server.shop.sell(sku, 1);
  await t.beat();
  expect(answerOf(await t.submit(reservation)).status).toBe('held');
  return reservation;
}

const HELD_MS = 10 * MINUTE;

describe.each(MODES)('L4: a restored ledger whose order is held (%s)', (mode, { settings }) => {
  const options: ShopLedgerOptions = { settings: { ...settings, held_order_max_ms: HELD_MS } };

  test('adopts what was placed since, although its time is over', async () => {
    await shop(options);
    const reservation = await held();
    keepCopy();
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    t.time.pass(HELD_MS);
    const restored = await restore();
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect(await restored.order(reservation)).toMatchObject({
      state: 'placed',
      upstream_order_ref: t.orders()[0]?.id.split('/').at(-1),
    });
    await restored.beat();
    await restored.workFor(MINUTE);
    await restored.expectTrueBooks();
  });

  test('rejects it after two looks where the shop has none', async () => {
    await shop(options);
    const reservation = await held();
    keepCopy();
    t.time.pass(HELD_MS);
    const restored = await restore();
    await restored.work();
    // Its open draft says enough: it did not become an order.
    expect((await restored.order(reservation)).state).toBe(mode === 'draft_order' ? 'rejected' : 'held');
    await restored.workFor(2 * MINUTE);
    expect(await restored.order(reservation)).toMatchObject({
      state: 'rejected',
      reasons: [{ code: 'held_too_long' }],
    });
    await restored.beat();
    await restored.workFor(MINUTE);
    await restored.expectTrueBooks();
  });

  test('has a person reject it: what was placed since is found and told', async () => {
    await shop({ settings: { ...options.settings, stale_hash: 'hold' } });
    const reservation = await held();
    const { id } = await t.order(reservation);
    keepCopy();
    answerOf(await t.ledger.decideHeld(id, 'approve', 'ada'));
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    const restored = await restore();
    answerOf(await restored.ledger.decideHeld(id, 'reject', 'ada'));
    await restored.workFor(5 * MINUTE);
    expect(restored.events.filter(({ event }) => event === 'order_found')).toHaveLength(1);
    expect(await restored.owned(reservation)).toMatchObject({
      order: { state: 'rejected' },
      outbox: { shop_state: 'completed', parked: true, last_failure: 'completed_by_others' },
    });
    await restored.beat();
    await restored.workFor(MINUTE);
    expect((await restored.owned(reservation)).holds).toEqual([]);
    expect(await restored.atp('CAP')).toBe(22);
  });

  test('and its details refused: a submit that comes too late has it looked up, not rejected', async () => {
    await shop(options);
    const reservation = await t.granted('SCARF', 2);
    await t.work();
    const refused = { buyer: { email: 'ada@gmail.ru' } };
    const corrected = { buyer: { email: 'ada@example.com' } };
    answerOf(await t.submit(reservation, refused));
    await t.work();
    expect(await t.order(reservation)).toMatchObject({ state: 'held', held_for: 'buyer_refused' });
    keepCopy();
    await t.accepted(reservation, corrected);
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
    t.time.pass(20 * MINUTE);
    const restored = await restore();
    refusalOf(await restored.submit(reservation, corrected));
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await restored.order(reservation)).state).toBe('placed');
  });
});

test('L4: a held order that this process has known all along is given up without a look', async () => {
  await shop({ settings: { mirror: 'none', held_order_max_ms: HELD_MS, stale_hash: 'hold' } });
  const reservation = await held();
  t.time.pass(HELD_MS);
  await t.work();
  expect((await t.order(reservation)).state).toBe('rejected');
});

test('a restored ledger whose reservation is over tells of the order that its draft became', async () => {
  await shop();
  const reservation = await t.mirrored('CAP', 2);
  keepCopy();
  await t.accepted(reservation);
  await t.workFor(MINUTE);
  expect(t.orders()).toHaveLength(1);
  t.time.pass(20 * MINUTE);
  const restored = await restore();
  await restored.sweep();
  await restored.workFor(5 * MINUTE);
  expect(await restored.owned(reservation)).toMatchObject({
    reservation: { state: 'expired' },
    outbox: { shop_state: 'completed', parked: true, last_failure: 'completed_by_others' },
  });
  expect(restored.events).toContainEqual(expect.objectContaining({ event: 'order_unasked' }));
  await restored.beat();
  await restored.workFor(MINUTE);
  expect(await restored.atp('CAP')).toBe(23);
});

describe('item 6: a row that this process did not write just now', () => {
  test('is looked up when its order waited for more than a minute', async () => {
    await shop({ settings: { mirror: 'none' } });
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    t.time.pass(61 * SECOND);
    await t.work();
    expect(t.drafts()).toEqual([]);
    await t.workFor(MINUTE);
    expect(t.orders()).toHaveLength(1);
  });

  test('is placed at once when it was written just now', async () => {
    await shop({ settings: { mirror: 'none' } });
    const reservation = await t.granted('CAP', 2);
    t.time.pass(30 * SECOND);
    await t.accepted(reservation);
    await t.work();
    expect(t.orders()).toHaveLength(1);
  });

  test('is looked up after a machine was suspended with its memory', async () => {
    await shop({ settings: { mirror: 'none' } });
    const reservation = await t.granted('CAP', 2);
    await t.accepted(reservation);
    // The wall clock alone has gone on.
    t.time.setWallClockBy(HOUR);
    await t.work();
    expect(t.orders()).toEqual([]);
    await t.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
  });

  test('a link that was paid after the copy was taken is placed, not withdrawn', async () => {
    await shop({ settings: { order_mode: 'checkout_link' } });
    const reservation = await t.mirrored('COAT', 1);
    answerOf(await t.submit(reservation));
    keepCopy();
    await t.work();
    const [draft] = t.drafts();
    if (draft === undefined) throw new Error('no draft');
    t.byHand('complete', draft);
    t.time.pass(3 * HOUR);
    const restored = await restore();
    await restored.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect((await restored.order(reservation)).state).toBe('placed');
  });
});

describe('L4: a ledger that was put back to a copy older than the shop remembers keys (move)', () => {
  const signal = new AbortController().signal;
  const reserved = (sku: string) => t.server.shop.readStock(sku, WAREHOUSE).reserved;
  const leftBehind = { shop_state: 'deleted', parked: true, last_failure: 'left_behind' };

  /** The copy has the lease of the other life: ledger time lags behind until that is over, and the shop has answered. */
  async function restoreAndWork(): Promise<ShopProcess> {
    const restored = await restore();
    await restored.workFor(MINUTE);
    await restored.beat();
    await restored.sweep();
    await restored.workFor(10 * MINUTE);
    return restored;
  }

  /** The shop has given the units back long ago, and keeps as many for somebody else by now. */
  async function othersHold(sku: string, quantity: number): Promise<void> {
    expect(reserved(sku)).toBe(0);
    t.time.pass(25 * HOUR);
    await t.beat();
    await t.mirrored(sku, quantity);
    expect(reserved(sku)).toBe(quantity);
  }

  test('does not give a released reservation’s units back a second time', async () => {
    await shop({ settings: { mirror: 'move' } });
    const reservation = await t.mirrored('CAP', 2);
    keepCopy();
    await t.release(reservation);
    await t.work();
    await othersHold('CAP', 2);
    const restored = await restoreAndWork();
    expect(reserved('CAP')).toBe(2);
    expect(await restored.owned(reservation)).toMatchObject({
      reservation: { state: 'expired' },
      outbox: { ...leftBehind, due_at_ms: null },
      holds: [],
    });
    expect(await restored.atp('CAP')).toBe(23);
    expect(await restored.unowned.list(signal)).toMatchObject([{ sku: 'CAP', unowned_units: 2 }]);
  });

  test('does not give a reservation’s units back a second time that was released in the copy, either', async () => {
    await shop({ settings: { mirror: 'move' } });
    const reservation = await t.mirrored('CAP', 2);
    await t.release(reservation);
    keepCopy();
    await t.work();
    await othersHold('CAP', 2);
    const restored = await restoreAndWork();
    expect(reserved('CAP')).toBe(2);
    expect((await restored.owned(reservation)).outbox).toMatchObject(leftBehind);
  });

  test('does not take units a second time by a move whose answer was lost', async () => {
    await shop({ settings: { mirror: 'move' }, tuning: { attempts_max: 1 } });
    t.server.faults.add({ operation: 'inventoryMoveQuantities', when: 'after', action: 'drop', times: 1 });
    const reservation = await t.granted('CAP', 2);
    await t.work();
    keepCopy();
    await t.workFor(MINUTE);
    await t.release(reservation);
    await t.work();
    await othersHold('CAP', 2);
    const restored = await restoreAndWork();
    expect(reserved('CAP')).toBe(2);
    expect((await restored.owned(reservation)).outbox).toMatchObject({
      shop_state: 'creating',
      last_failure: 'too_old_to_resend',
    });
  });

  test('leaves units that are still there to a person, who gives them back once', async () => {
    await shop({ settings: { mirror: 'move' } });
    const reservation = await t.mirrored('CAP', 2);
    keepCopy();
    t.time.pass(25 * HOUR);
    const restored = await restoreAndWork();
    const [level] = await restored.unowned.list(signal);
    expect(level).toMatchObject({ sku: 'CAP', owned_units: 0, unowned_units: 2 });
    expect(await restored.unowned.giveBack(level?.id ?? '', null, 'a person', signal)).toMatchObject({
      ok: true,
      returned_units: 2,
    });
    answerOf(await restored.ledger.retryParkedReservation(reservation.reservation_id, 'a person'));
    await restored.workFor(MINUTE);
    expect([reserved('CAP'), t.available('CAP')]).toEqual([0, 20]);
    expect(await restored.atp('CAP')).toBe(25);
    expect((await restored.owned(reservation)).outbox.parked).toBe(false);
    await restored.expectTrueBooks();
  });

  test('does not give an accepted order’s units back a second time, and orders on what the level has', async () => {
    await shop({ settings: { mirror: 'move' } });
    const reservation = await t.mirrored('SCARF', 1);
    await t.accepted(reservation);
    keepCopy();
    // The order has failed here: a shopper was faster.
    t.server.faults.add({ operation: 'orderCreate', when: 'before', action: 'delay', ms: 300 });
    const working = t.work();
    await expect
      .poll(async () => (await t.owned(reservation)).outbox.shop_state, { timeout: 20_000 })
      .toBe('completing');
    t.server.shop.sell('SCARF', 3);
    await working;
    expect(await t.order(reservation)).toMatchObject({ state: 'failed' });
    t.server.shop.receive('SCARF', WAREHOUSE, 3);
    await othersHold('SCARF', 2);
    const restored = await restoreAndWork();
    expect(reserved('SCARF')).toBe(2);
    expect((await restored.owned(reservation)).outbox).toMatchObject({
      shop_state: 'completed',
      parked: true,
      last_failure: 'left_behind',
    });
    expect(t.available('SCARF')).toBe(0);
    expect(t.orders()).toHaveLength(1);
  });

  test('does not give a held order’s units back a second time when its time was over long ago', async () => {
    await shop({ settings: { mirror: 'move', stale_hash: 'hold', held_order_max_ms: HOUR } });
    const reservation = await t.mirrored('CAP', 2);
    t.server.shop.sell('CAP', 1);
    await t.beat();
    const held = answerOf(await t.submit(reservation));
    expect(held.status).toBe('held');
    keepCopy();
    answerOf(await t.ledger.decideHeld(held.order_id, 'reject', 'a person'));
    await t.work();
    await othersHold('CAP', 2);
    const restored = await restoreAndWork();
    expect(reserved('CAP')).toBe(2);
    expect(await restored.owned(reservation)).toMatchObject({
      order: { state: 'rejected' },
      outbox: leftBehind,
      holds: [],
    });
  });

  test('still gives back what ended within the time that the shop remembers keys: once', async () => {
    await shop({ settings: { mirror: 'move' } });
    const reservation = await t.mirrored('CAP', 2);
    keepCopy();
    await t.release(reservation);
    await t.work();
    t.time.pass(19 * HOUR);
    await t.beat();
    await t.mirrored('CAP', 2);
    const restored = await restoreAndWork();
    expect(reserved('CAP')).toBe(2);
    expect((await restored.owned(reservation)).outbox).toMatchObject({
      shop_state: 'deleted',
      parked: false,
    });
  });
});
