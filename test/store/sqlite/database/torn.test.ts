/**
 * What power loss may leave of the write-ahead log: cut off anywhere, with flipped bytes, with sectors that were never
 * written. Whatever is left, the ledger is what it was after one of its transactions, whole, and proves itself.
 * `kill -9` can't show this: the system writes what a dead process has handed over.
 */

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decidePlaced } from '../../../../src/ledger/order/order-placed.js';
import { decideDeleted, decideOpen } from '../../../../src/ledger/outbox/next-step.js';
import { decideExpire } from '../../../../src/ledger/reservation/release.js';
import type { Database } from '../../../../src/store/sqlite/database/driver.js';
import { loadDriver } from '../../../../src/store/sqlite/database/load-driver.js';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  openTestStore,
  STORE,
  TestLedger,
  WAREHOUSE,
} from '../../../helpers/ledger.js';
import { Dice } from '../../../simulation/dice.js';

const SEED = Number(process.env['CRASH_SEED'] ?? 20261128);
/** Cuts within frames, flipped bytes and lost sectors, each. */
const DAMAGES = Number(process.env['CRASH_DAMAGES'] ?? 120);
/** A ledger that came back is also worked on, now and then: opening it for writing costs more than the proof. */
const WORKED_ON_EVERY = 20;

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SECTOR_BYTES = 512;

let t: TestLedger;
let folder: string;
let log: Buffer;
/** What the rows were after each commit since the log is empty, the state before it first. */
let history: string[];
/** Counts on through a test: names are used once. */
let day = 0;

beforeEach(async () => {
  // In memory where the system has a place for it: the damage is done by hand.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-torn-'));
  // Nothing is copied back: the log keeps all that was done.
  t = await TestLedger.open({ path: join(folder, 'live.db'), store: { wal_autocheckpoint_pages: 0 } });
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20, [STORE]: 5 } });
  await t.seed({ sku: 'cap' });
});
afterEach(async () => {
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Copies everything back, and remembers the rows after each commit from now on. */
async function live(days: number): Promise<void> {
  t.rawly((db) => db.pragma('wal_checkpoint(RESTART)'));
  history = [t.rawly(rowsOf)];
  for (let more = 0; more < days; more += 1, day += 1) await liveOneDay();
  log = readFileSync(`${t.path}-wal`);
  expect(commitsIn(log)).toHaveLength(history.length - 1);
}

async function once<T>(act: () => Promise<T>): Promise<T> {
  const result = await act();
  history.push(t.rawly(rowsOf));
  return result;
}

/** Every kind of end that a reservation has, each step a commit of its own. */
async function liveOneDay(): Promise<void> {
  const sold = answerOf(await once(() => t.reserve('tee', 2, { idempotency_key: `day-${day}` })));
  const [released, expired] = [
    answerOf(await once(() => t.reserve('cap', 1))),
    answerOf(await once(() => t.reserve('tee', 1, { ttl_seconds: 60 }))),
  ];
  const open = { hold_ref: `draft-${day}`, until_ms: t.clock.now() + HOUR };
  await once(() => t.decide(sold.reservation_id, (state) => decideOpen(state, open)));
  t.time.pass(MINUTE);
  await once(() => t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20 + day, [STORE]: 5 } }));
  await once(() => t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 10 + day } }));
  await once(() => t.submit(sold, { buyer: { email: 'ada@example.com' } }));
  const isAccepted = (await t.owned(sold.reservation_id)).order?.state === 'accepted';
  const placed = { order_ref: `order-${day}`, order_name: `#${day}` };
  if (isAccepted) await once(() => t.decide(sold.reservation_id, (state) => decidePlaced(state, placed)));
  else await once(() => t.decide(sold.reservation_id, decideDeleted));
  await once(() => t.release(released.reservation_id));
  await once(() => t.decide(expired.reservation_id, decideExpire));
  await once(() => t.store.putSync({ baseline_at_ms: 1, confirmed_at_ms: t.clock.now(), cursor: `${day}` }));
}

/** Everything that stands in the file, as one word. */
function rowsOf(db: Database): string {
  const tables = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  const hash = createHash('sha256');
  for (const table of tables)
    hash.update(table).update(JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all()));
  return hash.digest('hex');
}

/** Where the frames of a log end, as https://sqlite.org/fileformat2.html#walformat says; stale ones do not count. */
function framesIn(wal: Buffer): { end: number; isCommit: boolean }[] {
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  const frames: { end: number; isCommit: boolean }[] = [];
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    frames.push({ end: at + frameBytes, isCommit: wal.readUInt32BE(at + 4) > 0 });
  }
  return frames;
}

function commitsIn(wal: Buffer): number[] {
  return framesIn(wal).flatMap(({ end, isCommit }) => (isCommit ? [end] : []));
}

let opened = 0;

/** The ledger that this log makes of the copied-back file is the one after as many commits as the log has whole. */
async function expectPrefix(wal: Buffer, intactBytes: number): Promise<void> {
  const path = join(folder, 'found.db');
  copyFileSync(t.path, path);
  writeFileSync(`${path}-wal`, wal);
  const whole = commitsIn(log).filter((end) => end <= intactBytes).length;
  try {
    expect(verifyLedgerFile(path).problems).toEqual([]);
    const Driver = loadDriver();
    const db = new Driver(path, { readonly: true });
    try {
      expect(history.indexOf(rowsOf(db)), `with ${intactBytes} bytes intact`).toBe(whole);
    } finally {
      db.close();
    }
    opened += 1;
    if (opened % WORKED_ON_EVERY === 0) await expectWorking(path);
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  }
}

async function expectWorking(path: string): Promise<void> {
  const store = openTestStore({ path, clock: t.clock });
  await store.markDirty(['item-tee']);
  await store.lease('heartbeat', 'test', MINUTE);
  await store.close();
  expect(verifyLedgerFile(path).problems).toEqual([]);
}

describe('a log that was torn', () => {
  test('L6: at the end of any frame leaves the last transaction that is whole', async () => {
    await live(3);
    const ends = [0, WAL_HEADER_BYTES, ...framesIn(log).map(({ end }) => end)];
    for (const end of ends) await expectPrefix(log.subarray(0, end), end);
    console.log(`${ends.length} cuts between frames, ${history.length - 1} commits`);
    expect(ends.length).toBeGreaterThan(history.length);
  });

  test(`L6: anywhere else leaves the last transaction that is whole (seed ${SEED})`, async () => {
    await live(2);
    const dice = new Dice(SEED);
    const end = framesIn(log).at(-1)?.end ?? 0;
    for (let n = 0; n < DAMAGES; n += 1) {
      const cut = dice.between(1, end - 1);
      await expectPrefix(log.subarray(0, cut), cut);
    }
  });

  test(`L6: with a flipped bit or a sector that was never written ends before the damage (seed ${SEED})`, async () => {
    await live(2);
    const dice = new Dice(SEED + 1);
    const end = framesIn(log).at(-1)?.end ?? 0;
    for (let n = 0; n < DAMAGES; n += 1) {
      const damaged = Buffer.from(log);
      const at = dice.between(WAL_HEADER_BYTES, end - 1);
      const sector = at - (at % SECTOR_BYTES);
      if (dice.chance(0.5)) damaged[at] = (damaged[at] ?? 0) ^ (1 << dice.between(0, 7));
      else damaged.fill(0, sector, sector + SECTOR_BYTES);
      // Zeros where zeros were are no damage.
      let first = sector;
      while (first < end && log[first] === damaged[first]) first += 1;
      await expectPrefix(damaged, first);
    }
  });

  test('L6: keeps nothing of an older log that the same file held before', async () => {
    await live(2);
    const before = log;
    await live(1);
    expect(framesIn(log).at(-1)?.end).toBeLessThan(before.length);
    for (const end of commitsIn(log)) {
      // The newer log got so far; behind it stands what the file held before.
      const mixed = Buffer.concat([log.subarray(0, end), before.subarray(end)]);
      await expectPrefix(mixed, end);
    }
  });
});
