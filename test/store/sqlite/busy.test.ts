import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreBusy } from '../../../src/ledger/state/state.js';
import type { Database } from '../../../src/store/sqlite/database/driver.js';
import { loadDriver } from '../../../src/store/sqlite/database/load-driver.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { TestLedger } from '../../helpers/ledger.js';

let t: TestLedger;
let blocker: Database;

async function open(busy_deadline_ms: number): Promise<void> {
  t = await TestLedger.open({ store: { busy_deadline_ms } });
  await t.seed({ sku: 'tee' });
  const Driver = loadDriver();
  blocker = new Driver(t.path);
}
beforeEach(() => open(60_000));
afterEach(async () => {
  if (blocker.inTransaction) blocker.exec('ROLLBACK');
  blocker.close();
  await t.close();
});

const reservations = (): unknown =>
  t.rawly((db) => db.prepare('SELECT count(*) FROM reservations').pluck().get());

/** Several rounds of the store's retries. */
const aWhile = () => new Promise((resume) => setTimeout(resume, 100));

describe('while somebody else writes to the file', () => {
  test('calls wait, and succeed when the lock is given back', async () => {
    blocker.exec('BEGIN IMMEDIATE');
    let answered = 0;
    const waiting = Array.from({ length: 5 }, () =>
      t.granted('tee', 1).then((granted) => {
        answered += 1;
        return granted;
      }),
    );
    await aWhile();
    expect(answered).toBe(0);
    blocker.exec('COMMIT');
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(5).fill('active'));
    expect(await t.atp('tee')).toBe(5);
  });

  test('reads go on', async () => {
    blocker.exec('BEGIN IMMEDIATE');
    expect(await t.atp('tee')).toBe(10);
  });

  test('what they have written is seen by the decision that waited', async () => {
    blocker.exec('BEGIN IMMEDIATE; UPDATE levels SET upstream_available_units = 3');
    const waiting = t.reserve('tee', 4);
    await aWhile();
    blocker.exec('COMMIT');
    expect(await waiting).toMatchObject({ ok: false, refusal: { code: 'stock_insufficient' } });
  });
});

describe('beyond the deadline', () => {
  test('a call is refused as busy with nothing written, and the same call succeeds later', async () => {
    blocker.close();
    await t.close();
    await open(50);
    blocker.exec('BEGIN IMMEDIATE');
    const refused = await Promise.allSettled([
      t.granted('tee', 1),
      t.release('res_x'),
      t.store.lease('l', 'me', 1),
    ]);
    expect(
      refused.map((result) => result.status === 'rejected' && result.reason instanceof StoreBusy),
    ).toEqual([true, true, true]);
    blocker.exec('COMMIT');
    expect(reservations()).toBe(0);
    await t.granted('tee', 1);
    expect(reservations()).toBe(1);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});
