/** A file system that is full, and one that can't be written to. Needs the right to mount one; says so where it is missing. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import { openTestStore, TestLedger, VirtualTime, WAREHOUSE } from '../../../helpers/ledger.js';

const SIZE = '4m';
const BALLAST_BYTES = 1_500_000;
const CALLS_MAX = 5_000;

let folder: string;
let disk: string;

const mount = (...args: string[]) => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
const unmount = (at: string) => spawnSync('umount', [at], { stdio: 'ignore' });

function canMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'holdfast-mount-'));
  const can = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at);
  if (can) unmount(at);
  rmSync(at, { recursive: true });
  if (!can) console.info('Skipped: this user may not mount a small file system to fill.');
  return can;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
  expect(mount('-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', disk)).toBe(true);
});
afterEach(() => {
  unmount(disk);
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!canMount())('a disk', () => {
  test('L6: that is full refuses what it can not keep, loses nothing, and goes on when there is room again', async () => {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(BALLAST_BYTES));
    // As in production, where the log is copied back late: nothing makes room by itself.
    const store = { wal_autocheckpoint_pages: 16_000 };
    const t = await TestLedger.open({ path: join(disk, 'ledger.db'), store });
    try {
      await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1_000_000 } });
      const answered = new Set<string>();
      const failed: unknown[] = [];
      for (let call = 0; failed.length < 20; call += 1) {
        if (call > CALLS_MAX) throw new Error('the disk did not get full');
        const settled = await Promise.allSettled([t.granted('tee', 1), t.granted('tee', 1)]);
        for (const result of settled) {
          if (result.status === 'fulfilled') answered.add(result.value.reservation_id);
          else failed.push(result.reason);
        }
      }
      const codes = new Set(failed.map((error) => (error as { code?: unknown }).code));
      expect([...codes]).toEqual(['SQLITE_FULL']);
      expect(answered.size).toBeGreaterThan(10);
      // What can be answered without a write is.
      expect(await t.atp('tee')).toBe(1_000_000 - answered.size);
      expect(verifyLedgerFile(t.path).problems).toEqual([]);

      rmSync(join(disk, 'ballast'));
      answered.add((await t.granted('tee', 1)).reservation_id);
      const known = t.rawly((db) => db.prepare('SELECT id FROM reservations').pluck().all());
      expect(new Set(known)).toEqual(answered);
      expect(verifyLedgerFile(t.path).problems).toEqual([]);
    } finally {
      await t.close();
    }
  });

  test('that is full when the ledger is to be made says so, and leaves nothing that is in the way later', async () => {
    const path = join(disk, 'ledger.db');
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(4_100_000));
    const clock = new VirtualTime().clock();
    expect(() => openTestStore({ path, clock })).toThrow(/full|disk I\/O/);
    rmSync(join(disk, 'ballast'));
    await openTestStore({ path, clock }).close();
    expect(verifyLedgerFile(path).problems).toEqual([]);
  });

  test('that can only be read stops the start with its path and the mend, and serves again when it can be written', async () => {
    const path = join(disk, 'ledger.db');
    const t = await TestLedger.open({ path });
    await t.seed({ sku: 'tee' });
    const { reservation_id } = await t.granted('tee', 1);
    await t.close();
    expect(mount('-o', 'remount,ro', disk)).toBe(true);
    expect(() => openTestStore({ path, clock: t.clock })).toThrow(/ledger\.db.*may write/s);
    expect(mount('-o', 'remount,rw', disk)).toBe(true);
    const again = await TestLedger.open({ path, time: t.time });
    expect((await again.owned(reservation_id)).reservation.state).toBe('active');
    await again.granted('tee', 1);
    await again.close();
    expect(verifyLedgerFile(path).problems).toEqual([]);
  });
});
