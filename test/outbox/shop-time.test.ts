/** Clocks that disagree: the shop is told by its own clock, and no machine's wrong one moves the ledger's time. */

import { afterEach, describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

let opened: ShopLedger | null = null;

async function open(options: ShopLedgerOptions = {}, start = ShopLedger.open): Promise<ShopLedger> {
  opened = await start.call(ShopLedger, options);
  return opened;
}

afterEach(async () => {
  await opened?.close();
  opened = null;
});

/** For how long the shop holds its drafts from now on, by its own clock. */
function heldForMs(ledger: ShopLedger): number[] {
  const now = ledger.server.shop.nowMs();
  return ledger.drafts().map(({ reserveUntilMs }) => (reserveUntilMs ?? now) - now);
}

/** The ledger's newest time, as a process with a wrong clock has left it. */
function setLedgerAhead(path: string, ms: number): void {
  const Driver = loadDriver();
  const db = new Driver(path);
  db.prepare('UPDATE ledger SET last_at_ms = last_at_ms + ?').run(ms);
  db.close();
}

describe('item 7: the shop’s clock', () => {
  test('a clock that is a year ahead for four seconds leaves no draft reserved for a year, and the ledger where it was', async () => {
    let ahead = 0;
    const ledger = await open({ wallAheadMs: () => ahead });
    const before = ledger.clock.now();
    ahead = YEAR;
    await ledger.granted('CAP', 2, { ttl_seconds: 600 });
    await ledger.work();
    ledger.time.pass(4 * SECOND);
    await ledger.beat();
    ahead = 0;
    await ledger.granted('SCARF', 1, { ttl_seconds: 600 });
    await ledger.work();
    expect(heldForMs(ledger)).toHaveLength(2);
    for (const ms of heldForMs(ledger)) expect(ms).toBeLessThan(740 * SECOND);
    for (const ms of heldForMs(ledger)) expect(ms).toBeGreaterThan(590 * SECOND);
    expect(ledger.clock.now() - before).toBeLessThan(MINUTE);
    await ledger.expectTrueBooks();
  });

  test('a ledger that is a day ahead sells on: holds, links and what is told last as long as they should', async () => {
    const ledger = await open();
    setLedgerAhead(ledger.path, DAY);
    // A process that starts now, with a clock that is right.
    const other = ledger.beside('worker-2');
    await other.beat();
    const granted = await other.granted('CAP', 2, { ttl_seconds: 600 });
    const told = Date.parse(granted.expires_at) - ledger.server.shop.nowMs();
    expect(Math.abs(told - 600 * SECOND)).toBeLessThan(3 * SECOND);
    expect(Date.parse(granted.expires_at) - Date.parse(granted.created_at)).toBe(600 * SECOND);
    await other.work();
    expect(heldForMs(ledger)[0]).toBeLessThan(740 * SECOND);
    expect(heldForMs(ledger)[0]).toBeGreaterThan(590 * SECOND);
    expect(await other.owned(granted)).toMatchObject({
      outbox: { shop_state: 'open' },
      holds: [{ state: 'mirrored' }],
    });
    // It ends after ten minutes of everybody's time.
    ledger.time.pass(9 * MINUTE);
    await other.beat();
    const again = await other.check('CAP');
    expect(Math.abs(Date.parse(again.queried_at) - ledger.server.shop.nowMs())).toBeLessThan(3 * SECOND);
    expect(again.items[0]).toMatchObject({ fresh: true, available_to_promise: 23 });
    await other.accepted(granted);
    await other.work();
    expect(ledger.orders()).toHaveLength(1);
    await other.workFor(20 * MINUTE);
    expect(ledger.orders()).toHaveLength(1);
    expect(ledger.drafts()).toEqual([]);
  });

  test('a shop and a machine that are ten minutes apart agree on how long a hold lasts', async () => {
    for (const clockSkewMs of [-10 * MINUTE, 10 * MINUTE]) {
      const ledger = await open({ sandbox: { clockSkewMs } });
      const granted = await ledger.mirrored('CAP', 2, { ttl_seconds: 600 });
      expect(heldForMs(ledger)[0]).toBeLessThan(740 * SECOND);
      expect(heldForMs(ledger)[0]).toBeGreaterThan(590 * SECOND);
      // It is trusted for as long as the shop holds it, and no longer.
      const { holds } = await ledger.owned(granted);
      const trusted = (holds[0]?.mirror_until_ms ?? 0) - ledger.clock.now();
      expect(Math.abs(trusted - (heldForMs(ledger)[0] ?? 0))).toBeLessThan(3 * SECOND);
      // Looked at again, it is no news.
      const entries = () =>
        ledger.rawly((db) =>
          db.prepare("SELECT count(*) FROM journal WHERE kind = 'shop.open'").pluck().get(),
        );
      await ledger.workFor(5 * MINUTE);
      expect(entries()).toBe(1);
      await ledger.close();
      opened = null;
    }
  });

  test('a process whose clock is a day ahead leaves a healthy one beside it its time, before and after the shop has answered', async () => {
    const ledger = await open();
    await ledger.beat();
    const wrong = ledger.beside('worker-2', { wallAheadMs: () => DAY });
    // It writes, and has not heard the shop yet.
    await wrong.store.putSafetyStock(0);
    const first = await ledger.granted('CAP', 1, { ttl_seconds: 60 });
    expect(Date.parse(first.expires_at) - ledger.time.wall_ms).toBe(60 * SECOND);
    await wrong.work();
    await wrong.beat();
    await wrong.granted('CAP', 1, { ttl_seconds: 60 });
    const second = await ledger.granted('CAP', 1, { ttl_seconds: 60 });
    expect(Date.parse(second.expires_at) - ledger.time.wall_ms).toBeLessThanOrEqual(62 * SECOND);
    await ledger.work();
    for (const ms of heldForMs(ledger)) expect(ms).toBeLessThan(240 * SECOND);
  });

  test('a process that has not heard the shop promises nothing on a clock that may be right', async () => {
    const ledger = await open();
    let ahead = 0;
    const slept = ledger.beside('worker-2', { wallAheadMs: () => ahead });
    expect((await slept.check('CAP')).items[0]).toMatchObject({ fresh: true });
    ahead = 8 * HOUR;
    ledger.server.faults.add({ operation: '*', when: 'before', action: 'drop', times: 100 });
    expect((await slept.check('CAP')).items[0]).toMatchObject({ fresh: false, available_to_promise: 0 });
    expect(await slept.reserve('CAP', 1)).toMatchObject({ ok: false });
  });
});
