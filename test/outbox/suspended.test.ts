/** A machine that was suspended, or set back to a snapshot of itself: what may be too old is too old. */

import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.js';
import { HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions, type ShopProcess, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

async function shop(options: ShopLedgerOptions = {}): Promise<void> {
  t = await ShopLedger.open(options);
}

/** The machine stands still, and only its wall clock is right after it. */
function suspend(ms: number): void {
  t.time.setWallClockBy(ms);
}

/** The machine stands still, and neither of its clocks shows it. The shop's does. */
function resumeUncorrected(ms: number): void {
  t.server.set({ clockSkewMs: t.server.shop.clockSkewMs + ms });
}

describe('the read before a sale', () => {
  test.each([
    ['the wall clock alone has gone on', suspend],
    ['a quarter of an hour, with a clock that is wrong', (ms: number) => suspend(ms / 4)],
  ])('L5: is too old after a suspension: %s', async (_what, stop) => {
    await shop();
    const mine = await t.mirrored('COAT', 1);
    await t.accepted(mine);
    const { sink } = t.upstream;
    const complete = sink.completeHold.bind(sink);
    let isFirst = true;
    sink.completeHold = (...args) => {
      if (isFirst) {
        stop(HOUR);
        t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
      }
      isFirst = false;
      return complete(...args);
    };
    await t.work();
    await t.workFor(10 * SECOND);
    expect(t.orders()).toEqual([]);
    expect(await t.order(mine)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'stock_insufficient' }],
    });
  });

  test('L10: that shows a draft whose time is over does not complete it', async () => {
    await shop();
    const mine = await t.mirrored('COAT', 1);
    await t.accepted(mine);
    resumeUncorrected(HOUR);
    t.server.shop.sell('COAT', 1, { at: WAREHOUSE });
    await t.work();
    await t.workFor(MINUTE);
    expect(t.orders()).toEqual([]);
    expect((await t.order(mine)).state).toBe('failed');
  });
});

describe('a move without an answer', () => {
  test.each([
    ['its wall clock was set', suspend],
    ['no clock of it was set', resumeUncorrected],
  ])('L4: is not sent again by a machine that stood still for 21 hours: %s', async (_what, stop) => {
    await shop({ settings: { mirror: 'move' }, tuning: { attempts_max: 1 } });
    t.server.faults.add({ operation: 'inventoryMoveQuantities', when: 'after', action: 'drop' });
    const mine = await t.granted('SCARF', 2, { ttl_seconds: 600 });
    await t.work();
    expect((await t.owned(mine)).outbox.shop_state).toBe('creating');
    stop(21 * HOUR);
    // Nothing is sent on a clock that may be wrong. Any answer of the shop says.
    if (stop === suspend) await t.workFor(5 * SECOND);
    expect((await t.owned(mine)).outbox).toMatchObject({ shop_state: 'creating', parked: false });
    await t.beat();
    await t.workFor(MINUTE);
    expect((await t.owned(mine)).outbox).toMatchObject({
      parked: true,
      last_failure: 'too_old_to_resend',
    });
  });
});

test('L4: a claim is not believed in after a suspension', async () => {
  let stopsAt = -1;
  const wrapStore = (store: SqliteStore): SqliteStore =>
    new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const result: unknown = await Reflect.apply(value, target, args);
          // The claim is the first transaction, the second writes the intent.
          if (name === 'transact' && stopsAt >= 0) {
            if (stopsAt === 0) suspend(HOUR);
            stopsAt -= 1;
          }
          return result;
        };
      },
    });
  await shop({ wrapStore });
  await t.granted('COAT', 1);
  stopsAt = 1;
  await t.work();
  expect(t.events.map(({ event }) => event)).toEqual(['outbox_claim_lost']);
  expect(t.drafts()).toEqual([]);
});

test('what was confirmed before a snapshot is not fresh once the shop shows that it was', async () => {
  await shop();
  expect((await t.check('CAP')).items[0]).toMatchObject({ fresh: true });
  resumeUncorrected(HOUR);
  t.time.pass(SECOND);
  await t.sync.rereadItems([(await t.item('SCARF')).item_id], new AbortController().signal);
  expect((await t.check('CAP')).items[0]).toMatchObject({ fresh: false, available_to_promise: 0 });
  t.time.pass(SECOND);
  await t.beat();
  expect((await t.check('CAP')).items[0]).toMatchObject({ fresh: true, available_to_promise: 25 });
});

describe('a machine that is set back to a snapshot, and none of its clocks is set', () => {
  /** The file as it is now, the log included. */
  function keepCopy(): void {
    const Driver = loadDriver();
    const db = new Driver(t.path);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    copyFileSync(t.path, `${t.path}.copy`);
  }

  /** Does `act` in a process that went on from here; then everything is as it was before, but the shop. */
  async function setBack(act: (other: ShopProcess) => Promise<void>): Promise<ShopProcess> {
    const { wall_ms, monotonic_ms } = t.time;
    keepCopy();
    await t.store.close();
    const other = t.beside('worker-before');
    await act(other);
    await other.close();
    for (const end of ['-wal', '-shm']) rmSync(`${t.path}${end}`, { force: true });
    copyFileSync(`${t.path}.copy`, t.path);
    resumeUncorrected(t.time.wall_ms - wall_ms);
    Object.assign(t.time, { wall_ms, monotonic_ms });
    // The same memory: what it wrote, and what it knows of the time.
    return t.beside('worker-1', { intents: t.intents, clock: t.clock });
  }

  test.each(['draft_order', 'move', 'none'] as const)(
    'L4: an order that was placed after the snapshot is not placed again (%s), also where nothing else has asked the shop',
    async (mirror) => {
      await shop({ settings: { mirror } });
      const mine = await t.granted('CAP', 2);
      await t.accepted(mine);
      const again = await setBack(async (other) => {
        await other.workFor(2 * MINUTE);
        expect(t.orders()).toHaveLength(1);
      });
      await again.work();
      expect(t.orders()).toHaveLength(1);
      await again.workFor(5 * MINUTE);
      expect(t.orders()).toHaveLength(1);
      expect(await again.order(mine)).toMatchObject({ state: 'placed' });
      await again.close();
    },
  );

  test('L4: also where a hold was at the shop already, and the order is the first that is asked for', async () => {
    await shop();
    const mine = await t.mirrored('CAP', 2);
    await t.accepted(mine);
    const again = await setBack(async (other) => {
      await other.workFor(2 * MINUTE);
      expect(t.orders()).toHaveLength(1);
    });
    await again.work();
    await again.workFor(5 * MINUTE);
    expect(t.orders()).toHaveLength(1);
    expect(await again.order(mine)).toMatchObject({ state: 'placed' });
    expect(t.drafts()).toEqual([]);
    await again.close();
  });
});
