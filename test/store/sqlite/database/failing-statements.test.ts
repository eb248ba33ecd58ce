/**
 * A disk that fails: SQLite answers any one statement with an error, each in turn, with and without rolling back by
 * itself. The call that met it is answered with the error, nothing of it is half there, and the next call works.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeIds } from '../../../../src/app/ids.js';
import { Ledger } from '../../../../src/ledger/ledger.js';
import { decidePlaced } from '../../../../src/ledger/order/order-placed.js';
import { decideOpen } from '../../../../src/ledger/outbox/next-step.js';
import { decideExpire } from '../../../../src/ledger/reservation/release.js';
import type { Keys, LedgerState } from '../../../../src/ledger/state/state.js';
import { decideApplyReport } from '../../../../src/ledger/stock/apply-report.js';
import type { Database, Statement } from '../../../../src/store/sqlite/database/driver.js';
import { openDatabase } from '../../../../src/store/sqlite/database/open-database.js';
import { openTurnstile } from '../../../../src/store/sqlite/lock/fair-lock.js';
import { SqliteStore } from '../../../../src/store/sqlite/sqlite-store.js';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import {
  AGENT,
  MINUTE,
  observations,
  TEST_LOCATIONS,
  TEST_SETTINGS,
  TEST_SHOP,
  units,
  VirtualTime,
  WAREHOUSE,
} from '../../../helpers/ledger.js';

/** Every so many statements of the day; 1 for all of them. */
const ids = makeIds();
const STRIDE = Number(process.env['CRASH_STRIDE'] ?? 3);

class DiskError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`the disk says ${code}`);
    this.code = code;
  }
}

/** How the disk fails: at which statements, with what, and whether SQLite then rolls back by itself. */
interface Fault {
  readonly from: number;
  readonly times: number;
  readonly code: 'SQLITE_IOERR_WRITE' | 'SQLITE_FULL' | 'SQLITE_READONLY';
  readonly rolls_back: boolean;
}

/** A connection whose statements can fail; all else is the driver's. */
class Disk {
  executed = 0;
  failed = 0;
  fault: Fault | null = null;

  wrap(db: Database): Database {
    return new Proxy(db, {
      get: (target, name) => {
        if (name === 'prepare') return (sql: string) => this.#statement(target, target.prepare(sql), sql);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #statement(db: Database, statement: ReturnType<Database['prepare']>, sql: string): Statement {
    const proxy: Statement = new Proxy(statement as Statement, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const isRunning = name === 'run' || name === 'get' || name === 'all' || name === 'iterate';
        return (...args: unknown[]) => {
          if (isRunning) this.#meet(db, sql);
          const result: unknown = Reflect.apply(value, target, args);
          return result === target ? proxy : result;
        };
      },
    });
    return proxy;
  }

  #meet(db: Database, sql: string): void {
    // To undo needs no disk: SQLite forgets what is not committed.
    if (sql === 'ROLLBACK') return;
    const n = this.executed;
    this.executed += 1;
    const { fault } = this;
    if (fault === null || n < fault.from || n >= fault.from + fault.times) return;
    this.failed += 1;
    if (fault.rolls_back && db.inTransaction) db.exec('ROLLBACK');
    throw new DiskError(fault.code);
  }
}

let folder: string;
let days = 0;

beforeEach(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-failing-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A day of a ledger on such a disk; what is told of it. */
class Day {
  readonly disk = new Disk();
  readonly told = { granted: new Set<string>(), ordered: new Set<string>(), released: new Set<string>() };
  readonly errors: unknown[] = [];
  readonly path: string;
  readonly store: SqliteStore;
  readonly #time = new VirtualTime();
  readonly #ledger: Ledger;

  constructor() {
    days += 1;
    this.path = join(folder, `${days}.db`);
    const clock = this.#time.clock();
    const db = openDatabase({
      path: this.path,
      shop: TEST_SHOP,
      now: () => clock.now(),
      wal_autocheckpoint_pages: 1000,
    });
    this.store = new SqliteStore(this.disk.wrap(db), {
      path: this.path,
      shop: TEST_SHOP,
      clock,
      random: () => 0.5,
      turnstile: openTurnstile,
      group_max: 256,
      // All that waits together is one group, however slow the machine is.
      group_max_ms: MINUTE,
      busy_deadline_ms: 10_000,
      wal_autocheckpoint_pages: 1000,
      mirror_horizon_ms: 10 * MINUTE,
    });
    this.#ledger = new Ledger({
      store: this.store,
      clock,
      ids,
      freshener: { freshen: async () => false },
      searcher: { search: async () => null },
      nudges: { outboxDue: () => {} },
      settings: TEST_SETTINGS,
      sleep: async () => {},
    });
  }

  async begin(): Promise<void> {
    await this.store.putLocations(TEST_LOCATIONS);
    await this.#report(10);
    this.disk.executed = 0;
  }

  /** One of each; alone, and several in one group. */
  async live(): Promise<void> {
    const first = await this.#reserve('first');
    const [second] = await Promise.all([this.#reserve('second'), this.#report(12), this.#reserve('third')]);
    this.#time.pass(1000);
    if (first !== null) {
      const open = { hold_ref: 'draft-1', until_ms: this.#time.wall_ms + 20 * MINUTE };
      await this.#try(() => this.#transact(first, (state) => decideOpen(state, open)));
      await Promise.all([this.#report(9), this.#submit(first)]);
      const seen = { order_ref: 'order-1', order_name: '#1' };
      await this.#try(() =>
        this.#transact(first, (state) =>
          state.owned?.order?.state === 'accepted' ? decidePlaced(state, seen) : { result: false },
        ),
      );
    }
    if (second !== null) await this.#release(second);
    // A new item has no level that would have had the locations read before its decision looks at them.
    await Promise.all([this.#report(5, 'cap'), this.#reserve(), this.#reserve()]);
    await this.#try(() => this.store.lease('heartbeat', 'one', MINUTE));
    await this.#try(() =>
      this.store.receive(
        {
          delivery_id: 'd-1',
          topic: 'inventory_levels/update',
          hints: [{ kind: 'item', id: 'item-tee' }],
        },
        10,
      ),
    );
    this.#time.pass(2 * MINUTE);
    for (const { reservation_key } of (await this.#try(() => this.store.expiredReservations(10))) ?? [])
      await this.#try(() => this.store.transact({ owned: { reservation_key } }, decideExpire));
    await this.#report(11);
  }

  /** What was told is there, nothing else is, it proves itself, and it goes on. */
  async prove(): Promise<void> {
    this.disk.fault = null;
    expect(this.errors.filter((error) => !(error instanceof DiskError))).toEqual([]);
    expect(verifyLedgerFile(this.path).problems).toEqual([]);
    const before = await this.#states();
    expect(new Set(before.keys())).toEqual(this.told.granted);
    for (const id of this.told.ordered) expect(before.get(id)).toMatch(/^(submitted|committed)$/);
    for (const id of this.told.released) expect(before.get(id)).toBe('released');
    await this.#report(10);
    expect(await this.#reserve('after'), 'the next call').not.toBeNull();
    await this.store.close();
    expect(verifyLedgerFile(this.path).problems).toEqual([]);
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.path}${suffix}`, { force: true });
  }

  async #states(): Promise<Map<string, string>> {
    const everything = { limit: 100, beforeReservationId: null, isActive: false, isParked: false };
    const all = await this.store.listReservations(everything);
    return new Map((all ?? []).map(({ reservation_id, state }) => [reservation_id, state]));
  }

  async #try<T>(act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      this.errors.push(error);
      return null;
    }
  }

  async #reserve(key?: string): Promise<{ reservation_id: string; stock_hash: string } | null> {
    const wish = {
      principal: AGENT,
      lines: [{ sku: 'tee', quantity: units(1) }],
      ttl_seconds: 60,
      allow_partial: false,
      idempotency_key: key,
    };
    const result = await this.#try(() => this.#ledger.reserve(wish));
    if (result === null || !result.ok) return null;
    this.told.granted.add(result.value.reservation_id);
    return result.value;
  }

  async #submit({
    reservation_id,
    stock_hash,
  }: {
    reservation_id: string;
    stock_hash: string;
  }): Promise<void> {
    const wish = { principal: AGENT, reservation_id, stock_hash, buyer: null, note: null, reference: null };
    const result = await this.#try(() => this.#ledger.submit({ ...wish, idempotency_key: 'order' }));
    if (result?.ok === true) this.told.ordered.add(reservation_id);
  }

  async #release({ reservation_id }: { reservation_id: string }): Promise<void> {
    const result = await this.#try(() => this.#ledger.release({ principal: AGENT, reservation_id }));
    if (result?.ok === true && result.value.status === 'released') this.told.released.add(reservation_id);
  }

  async #report(available_units: number, sku = 'tee'): Promise<void> {
    const item_id = `item-${sku}`;
    const catalogue = {
      item_id,
      variant_id: '1',
      product_id: '2',
      sku,
      title: 'A thing',
      variant_title: '',
      lifecycle: 'active' as const,
    };
    const report = {
      item_id,
      catalogue,
      levels: observations(item_id, { [WAREHOUSE]: available_units }),
      is_complete: true,
      read_at_ms: this.#time.wall_ms,
      salt: ids.salt(),
    };
    const keys: Keys = { item_ids: [item_id], skus: [sku] };
    await this.#try(() =>
      this.store.transact(keys, (state) => decideApplyReport(state, report, TEST_SETTINGS)),
    );
  }

  #transact<R>(
    { reservation_id }: { reservation_id: string },
    decide: Parameters<typeof this.store.transact<R>>[1],
  ): Promise<R> {
    return this.store.transact(
      { owned: { reservation_id } },
      decide as (state: LedgerState) => { result: R },
    );
  }
}

async function statementsOfADay(): Promise<number> {
  const day = new Day();
  await day.begin();
  await day.live();
  const { executed } = day.disk;
  expect(day.errors).toEqual([]);
  expect(day.told.granted.size).toBe(5);
  expect(day.told.ordered.size + day.told.released.size).toBe(2);
  await day.prove();
  return executed;
}

describe.each([
  { code: 'SQLITE_IOERR_WRITE', rolls_back: false, times: 1 },
  { code: 'SQLITE_FULL', rolls_back: true, times: 1 },
  { code: 'SQLITE_READONLY', rolls_back: false, times: 12 },
  { code: 'SQLITE_FULL', rolls_back: true, times: 12 },
] as const)('a disk that answers $code to $times statements (rolled back: $rolls_back)', (kind) => {
  test('L2, L6: fails the calls that meet it, leaves nothing half done, and is forgotten', async () => {
    const total = await statementsOfADay();
    let failures = 0;
    let told = 0;
    for (let from = days % STRIDE; from < total; from += STRIDE) {
      const day = new Day();
      await day.begin();
      day.disk.fault = { ...kind, from };
      await day.live();
      failures += day.disk.failed;
      told += day.errors.length;
      await day.prove();
    }
    console.log(`${total} statements a day, ${failures} failed, ${told} calls were told so`);
    expect(failures).toBeGreaterThanOrEqual(Math.floor(total / STRIDE));
    expect(told).toBeGreaterThan(0);
  });
});
