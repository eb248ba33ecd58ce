/** Units that the shop keeps reserved for no row: listed for a person, and given back on a person's word alone. */

import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { examineHolds } from '../../src/cli/doctor/doctor-holds.js';
import { readConfig } from '../../src/config/config.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, WAREHOUSE } from '../helpers/shop-ledger.js';

const signal = new AbortController().signal;

let t: ShopLedger;
afterEach(() => t.close());

const reserved = () => t.server.shop.readStock('CAP', WAREHOUSE).reserved;

async function shop(): Promise<void> {
  t = await ShopLedger.open({ settings: { mirror: 'move' } });
}

/** A ledger that was put back to a copy from before the second of two reservations. */
async function restored() {
  await shop();
  await t.mirrored('CAP', 2);
  const Driver = loadDriver();
  const db = new Driver(t.path);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  copyFileSync(t.path, `${t.path}.copy`);
  await t.mirrored('CAP', 3);
  expect(reserved()).toBe(5);
  await t.store.close();
  for (const end of ['-wal', '-shm']) rmSync(`${t.path}${end}`, { force: true });
  copyFileSync(`${t.path}.copy`, t.path);
  const next = t.beside('worker-restored');
  await next.beat();
  return next;
}

describe('item 6: units that no live row owns', () => {
  test('of a restored ledger are listed, and stay until a person gives them back', async () => {
    const next = await restored();
    const [level, ...others] = await next.unowned.list(signal);
    expect(others).toEqual([]);
    expect(level).toMatchObject({ sku: 'CAP', location_name: WAREHOUSE, owned_units: 2, unowned_units: 3 });
    await next.workFor(30 * MINUTE);
    await next.sweep();
    await next.workFor(MINUTE);
    // What the ledger knows of has gone back by itself.
    expect(reserved()).toBe(3);
    const id = level?.id ?? '';
    expect(await next.unowned.giveBack(id, null, 'a person', signal)).toMatchObject({
      ok: true,
      returned_units: 3,
    });
    expect([reserved(), t.available('CAP')]).toEqual([0, 20]);
    // Said twice it gives nothing back twice.
    expect(await next.unowned.giveBack(id, null, 'a person', signal)).toMatchObject({
      ok: false,
      code: 'nothing_unowned',
    });
    expect([reserved(), t.available('CAP')]).toEqual([0, 20]);
    await next.expectTrueBooks();
  });

  test('are told by doctor, with the command that gives them back', async () => {
    const next = await restored();
    const config = readConfig({ HOLDFAST_DB: t.path, HOLDFAST_MIRROR: 'move' });
    const [level] = await next.unowned.list(signal);
    expect(await examineHolds(config, next.upstream.reserved)).toMatchObject({
      code: 'unowned_units',
      verdict: 'warning',
      told: expect.stringContaining(`3 of CAP at ${WAREHOUSE} (${level?.id})`),
      mend: [expect.stringContaining('holdfast holds return')],
    });
    await next.unowned.giveBack(level?.id ?? '', null, 'a person', signal);
    expect(await examineHolds(config, next.upstream.reserved)).toMatchObject({ code: 'fine' });
  });

  test('are told by doctor after the merchant has changed the setting, too', async () => {
    const next = await restored();
    const config = readConfig({ HOLDFAST_DB: t.path, HOLDFAST_MIRROR: 'draft_order' });
    expect(await examineHolds(config, next.upstream.reserved)).toMatchObject({ code: 'unowned_units' });
  });

  test('are not looked for where units never were moved', async () => {
    t = await ShopLedger.open();
    await t.mirrored('CAP', 2);
    const config = readConfig({ HOLDFAST_DB: t.path, HOLDFAST_MIRROR: 'draft_order' });
    expect(await examineHolds(config, t.upstream.reserved)).toMatchObject({ code: 'not_moved' });
  });

  test('some of them can be given back, and no more than there are', async () => {
    const next = await restored();
    const [level] = await next.unowned.list(signal);
    const id = level?.id ?? '';
    expect(await next.unowned.giveBack(id, 4, 'a person', signal)).toMatchObject({
      ok: false,
      code: 'too_many',
    });
    expect(reserved()).toBe(5);
    expect(await next.unowned.giveBack(id, 1, 'a person', signal)).toMatchObject({ ok: true });
    expect(reserved()).toBe(4);
    const kinds = next.rawly(
      (db) =>
        db.prepare("SELECT kind FROM journal WHERE kind LIKE 'holds.return%'").pluck().all() as string[],
    );
    expect(kinds).toEqual(['holds.returning', 'holds.returned']);
  });

  test.each(['CAP', '1', '1@', '@2', '1@2@3', 'gid://shopify/InventoryItem/1@2'])(
    '%j names no level: the answer says how one is named',
    async (id) => {
      await shop();
      expect(await t.unowned.giveBack(id, null, 'a person', signal)).toMatchObject({ code: 'id_malformed' });
    },
  );

  test('stay where they are while nothing may be written to the shop', async () => {
    const next = await restored();
    const [level] = await next.unowned.list(signal);
    const reader = next.beside('reader', { settings: { mirror: 'move', read_only: true } });
    expect(await reader.unowned.list(signal)).toHaveLength(1);
    expect(await reader.unowned.giveBack(level?.id ?? '', null, 'a person', signal)).toMatchObject({
      ok: false,
      code: 'read_only',
    });
    expect(reserved()).toBe(5);
  });

  test('what live rows own, and what is under way, is not among them', async () => {
    await shop();
    await t.mirrored('CAP', 2);
    expect(await t.unowned.list(signal)).toEqual([]);
    // The shop has moved them, and the answer was lost.
    t.server.faults.add({ operation: 'inventoryMoveQuantities', when: 'after', action: 'drop', times: 10 });
    await t.granted('CAP', 1);
    await t.work();
    t.time.pass(SECOND);
    expect(reserved()).toBe(3);
    expect(await t.unowned.list(signal)).toEqual([]);
  });

  test('a lost answer gives nothing back twice: the figure tells', async () => {
    const next = await restored();
    const [level] = await next.unowned.list(signal);
    const id = level?.id ?? '';
    t.server.faults.add({ operation: 'inventoryMoveQuantities', when: 'after', action: 'drop', times: 10 });
    expect(await next.unowned.giveBack(id, null, 'a person', signal)).toMatchObject({
      code: 'unknown_outcome',
    });
    t.server.faults.clear();
    expect(await next.unowned.giveBack(id, null, 'a person', signal)).toMatchObject({
      code: 'nothing_unowned',
    });
    expect(reserved()).toBe(2);
  });
});
