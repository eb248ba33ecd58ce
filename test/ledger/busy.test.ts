import { expect, test } from 'vitest';
import { StoreBusy } from '../../src/ledger/state/state.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { TestLedger } from '../helpers/ledger.js';

test('L4: an order that finds the ledger locked for too long is refused as busy, nothing of it is written, and it may be sent again', async () => {
  const t = await TestLedger.open({ store: { busy_deadline_ms: 1 } });
  await t.seed({ sku: 'tee' });
  const mine = await t.granted('tee', 4);
  const Driver = loadDriver();
  const blocker = new Driver(t.path);
  try {
    blocker.exec('BEGIN IMMEDIATE');
    const refused = await t.submit(mine).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreBusy);
    // What a log says of it names no file and no statement.
    expect(String(refused)).toBe('StoreBusy: the ledger is busy');
    blocker.exec('ROLLBACK');
    expect(await t.owned(mine.reservation_id)).toMatchObject({
      reservation: { state: 'active' },
      order: null,
    });
  } finally {
    blocker.close();
    await t.close();
  }
});
