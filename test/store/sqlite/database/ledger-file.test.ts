/** The ledger as files: who may read them, what is left in them of buyers, and what happens when they are taken away. */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFileSystem, readMounts } from '../../../../src/store/sqlite/database/file-system.js';
import { LedgerUnusable } from '../../../../src/store/sqlite/database/open-database.js';
import { answerOf, TestLedger, WAREHOUSE } from '../../../helpers/ledger.js';

let folder: string;
let path: string;
let before: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  path = join(folder, 'ledger.db');
  before = process.umask();
});
afterEach(() => {
  process.umask(before);
  rmSync(folder, { recursive: true, force: true });
});

const FILES = ['', '-wal', '-shm'] as const;
const modes = () =>
  FILES.map((end) =>
    existsSync(path + end) ? (statSync(path + end).mode & 0o777).toString(8) : 'not there',
  );

describe('the files of a ledger', () => {
  test.each([0o000, 0o022, 0o077, 0o277])('are read by their owner alone under umask %i', async (umask) => {
    process.umask(umask);
    const t = await TestLedger.open({ path });
    await t.seed({ sku: 'tee' });
    expect(modes()).toEqual(['600', '600', '600']);
    await t.close();
    expect(modes()).toEqual(['600', 'not there', 'not there']);
  });

  test('that others may read are closed to them at the next start', async () => {
    const first = await TestLedger.open({ path });
    await first.seed({ sku: 'tee' });
    for (const end of FILES) chmodSync(path + end, 0o666);
    const second = await first.beside();
    expect(modes()).toEqual(['600', '600', '600']);
    await second.close();
    await first.close();
  });

  test('are found behind a link', async () => {
    const link = join(folder, 'link.db');
    const t = await TestLedger.open({ path });
    await t.close();
    chmodSync(path, 0o644);
    symlinkSync(path, link);
    const linked = await TestLedger.open({ path: link });
    await linked.seed({ sku: 'tee' });
    expect(modes()).toEqual(['600', '600', '600']);
    await linked.close();
  });

  test('with a second name are refused, and what to do is said', async () => {
    await (await TestLedger.open({ path })).close();
    const twin = join(folder, 'twin.db');
    linkSync(path, twin);
    for (const at of [path, twin]) {
      await expect(TestLedger.open({ path: at })).rejects.toThrow(LedgerUnusable);
      await expect(TestLedger.open({ path: at })).rejects.toThrow(
        `The ledger ${at} has 2 names (hard links)`,
      );
    }
    rmSync(twin);
    await (await TestLedger.open({ path })).close();
  });
});

describe('an erased buyer', () => {
  const MARK = 'planted-buyer';
  const bytesOf = () =>
    FILES.filter((end) => existsSync(path + end))
      .map((end) => readFileSync(path + end, 'latin1'))
      .join('');

  /** Orders in any order of events, each with a buyer of its own whose details are several pages long now and then. */
  async function sellMany(t: TestLedger, count: number, marks: string): Promise<string[]> {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 100_000 } });
    const made: { id: string; mark: string }[] = [];
    for (let n = 0; n < count; n += 1) {
      const granted = await t.granted('tee', 1);
      const mark = `${marks}-${n}-`;
      const length = [10, 300, 3_000, 9_000][n % 4] ?? 0;
      const name = `${mark}${'x'.repeat(length)}`;
      answerOf(await t.submit(granted, { buyer: { email: `${mark}@example.com`, name } }));
      made.push({ id: granted.reservation_id, mark });
    }
    // The middle first: pages are emptied between others that stay.
    const order = made.map((_, at) => (at * 7) % count);
    for (const at of order) await t.place({ reservation_id: made[at]?.id ?? '' });
    return made.map(({ mark }) => mark);
  }

  test('leaves the ledger, its log and the index of that', async () => {
    const t = await TestLedger.open({ path });
    await sellMany(t, 200, MARK);
    expect(bytesOf()).toContain(MARK);
    expect(t.store.purgeErased()).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(bytesOf()).not.toContain(MARK);
    await t.close();
  });

  test('is looked for again once others have stopped reading', async () => {
    const t = await TestLedger.open({ path });
    await sellMany(t, 5, MARK);
    const other = await t.beside();
    t.rawly((reader) => {
      reader.prepare('BEGIN').run();
      reader.prepare('SELECT count(*) FROM orders').get();
      expect(t.store.purgeErased()).toBe(false);
      reader.prepare('COMMIT').run();
    });
    expect(t.store.purgeErased()).toBe(true);
    expect(bytesOf()).not.toContain(MARK);
    await other.close();
    await t.close();
  });

  test('of a process that died is gone with the next one', async () => {
    const t = await TestLedger.open({ path });
    await sellMany(t, 5, MARK);
    // As a process that is killed leaves them.
    const copy = join(folder, 'copy.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    await t.close();
    path = copy;
    expect(bytesOf()).toContain(MARK);
    const next = await TestLedger.open({ path: copy });
    expect(next.store.purgeErased()).toBe(true);
    expect(bytesOf()).not.toContain(MARK);
    await next.close();
  });

  test('does not make the log be emptied again while nothing is erased', async () => {
    const t = await TestLedger.open({ path });
    expect(t.store.purgeErased()).toBe(true);
    await t.seed({ sku: 'tee' });
    const { size } = statSync(`${path}-wal`);
    expect(size).toBeGreaterThan(0);
    expect(t.store.purgeErased()).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(size);
    await t.close();
  });
});

describe('a ledger whose files are taken away', () => {
  test.each(['', '-wal', '-shm'] as const)('(%j deleted) answers nothing more, and says why', async (end) => {
    const t = await TestLedger.open({ path });
    await t.seed({ sku: 'tee' });
    t.store.checkFiles();
    renameSync(path + end, join(folder, 'elsewhere'));
    expect(() => t.store.checkFiles()).toThrow(LedgerUnusable);
    expect(() => t.store.checkFiles()).toThrow(
      `The file ${path}${end} was deleted while holdfast was using it.`,
    );
    await expect(t.reserve('tee', 1)).rejects.toThrow(LedgerUnusable);
    await expect(t.check('tee')).rejects.toThrow(LedgerUnusable);
    await t.close();
  });

  test('and another put in its place is left as it is', async () => {
    const t = await TestLedger.open({ path });
    await t.seed({ sku: 'tee' });
    const others = join(folder, 'others.db');
    const other = await TestLedger.open({ path: others });
    await other.seed({ sku: 'mug' });
    await other.close();
    renameSync(others, path);
    const put = readFileSync(path);
    expect(() => t.store.checkFiles()).toThrow('was replaced while holdfast was using it');
    await t.close();
    expect(readFileSync(path).equals(put)).toBe(true);
  });

  test('is not taken for lost because of another connection that leaves', async () => {
    const t = await TestLedger.open({ path });
    const other = await t.beside();
    await other.seed({ sku: 'tee' });
    await other.close();
    t.rawly((db) => db.pragma('wal_checkpoint(TRUNCATE)'));
    t.store.checkFiles();
    await t.granted('tee', 1);
    await t.close();
  });
});

describe('the file system under a ledger', () => {
  const MOUNTS = [
    '22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
    '30 22 0:26 / /mnt/share rw,relatime shared:12 - nfs4 nas:/export rw,vers=4.2',
    '31 22 0:27 / /mnt/share/local rw - xfs /dev/vdb rw',
    '32 22 0:28 / /mnt/my\\040files rw - cifs //nas/files rw',
    '33 22 0:29 / /home/me/far rw - fuse.sshfs me@far: rw',
    '34 22 0:30 / /mnt/host rw - virtiofs host rw',
    '35 22 8:17 / /media/stick rw - fuseblk /dev/sdb1 rw',
    '36 22 0:31 / /media/cloud rw - fuse.somecloud x rw',
    '37 22 0:32 / /over rw - tmpfs tmpfs rw',
    '38 37 0:33 / /over rw - nfs nas:/over rw',
    '',
  ].join('\n');

  test.each([
    ['/var/lib/holdfast', 'local', 'ext4'],
    ['/mnt/share', 'network', 'nfs4'],
    ['/mnt/share/deep/er', 'network', 'nfs4'],
    ['/mnt/share/local', 'local', 'xfs'],
    ['/mnt/shared', 'local', 'ext4'],
    ['/mnt/my files/x', 'network', 'cifs'],
    ['/home/me/far', 'network', 'fuse.sshfs'],
    ['/mnt/host/x', 'unclear', 'virtiofs'],
    ['/media/stick', 'local', 'fuseblk'],
    ['/media/cloud', 'unclear', 'fuse.somecloud'],
    ['/over', 'network', 'nfs'],
  ])('at %s is %s (%s)', (at, kind, type) => {
    expect(readMounts(MOUNTS, at)).toMatchObject({ kind, type });
  });

  test('is not guessed where nothing is mounted', () => {
    expect(readMounts('', '/data')).toBeNull();
  });

  test.runIf(process.platform === 'linux')('is told of this machine, also through a link', () => {
    expect(findFileSystem('/proc/ledger.db')).toMatchObject({ type: 'proc', mounted_at: '/proc' });
    const link = join(folder, 'link.db');
    symlinkSync('/proc/version', link);
    expect(findFileSystem(link)).toMatchObject({ type: 'proc' });
    writeFileSync(path, '');
    expect(findFileSystem(path)?.kind).toBe('local');
    expect(findFileSystem(join(folder, 'no', 'such', 'folder.db'))).toBeNull();
  });
});
