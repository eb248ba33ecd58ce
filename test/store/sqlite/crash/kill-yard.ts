/**
 * Ledger files on which processes work until they are killed. Knows what each process was asked and has answered, and
 * holds the file against it after every death: what was answered is there, what was not is whole or absent.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadDriver } from '../../../../src/store/sqlite/database/load-driver.js';
import { LedgerUnusable } from '../../../../src/store/sqlite/database/open-database.js';
import { unpackLines } from '../../../../src/store/sqlite/rows/packed-lines.js';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import { Dice } from '../../../simulation/dice.js';
import { type Call, type Json, Life } from './kill-life.js';

/** A process takes longer to load than to live: so many are loaded ahead. */
const LOADED_AHEAD = 2;
/** After so many deaths a new file, so that files are also killed while they are made, and none grows slow to prove. */
const DEATHS_PER_FILE = 25;
/** Between two lives, so that reservations run out and dead workers lose their claims. */
const LATER_MS = 20_000;
/** Calls of the dead, answered and not, that the next one makes again. */
const REPEATED_MAX = 12;
const ANSWERS_BEFORE_DEATH_MAX = 250;
const LIFE_MAX_MS = 60;

export interface Killed {
  kills: number;
  files: number;
  /** Calls whose answer was read. */
  answered: number;
  /** Calls that were under way at a death. */
  cut_off: number;
  /** Of those that bear an idempotency key: committed without an answer, and without a trace. */
  whole: number;
  absent: number;
  /** Calls made again by a later process that gave the first answer. */
  replayed: number;
}

export class KillYard {
  readonly report: Killed = { kills: 0, files: 0, answered: 0, cut_off: 0, whole: 0, absent: 0, replayed: 0 };
  readonly #dice: Dice;
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-kills-'));
  readonly #loaded: Life[] = [];
  #file = new LedgerFile(join(this.#folder, '0.db'));

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.#load();
  }

  /** One process alone on the file. */
  async killOne(): Promise<void> {
    const life = await this.#start(1);
    await this.#untilDeath(life);
    await life.kill();
    this.#account(life);
    await this.#prove([life], false);
  }

  /** Two on one file: one is killed while the other goes on, and then the other. */
  async killTwo(): Promise<void> {
    const [first, second] = [await this.#start(1), await this.#start(2)];
    await this.#untilDeath(first);
    await first.kill();
    this.#account(first);
    await this.#prove([first], true);
    // The survivor is not held up by what the dead one has left: no lock, no half of a transaction.
    const before = second.calls.size;
    await second.answered(before + 10);
    await second.kill();
    this.#account(second);
    await this.#prove([first, second], false);
  }

  async close(): Promise<void> {
    await Promise.all(this.#loaded.splice(0).map((life) => life.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #load(): void {
    while (this.#loaded.length < LOADED_AHEAD) this.#loaded.push(new Life());
  }

  async #start(number: number): Promise<Life> {
    const life = this.#loaded.shift();
    if (life === undefined) throw new Error('none is loaded');
    this.#load();
    const { kills } = this.report;
    await life.go({
      path: this.#file.path,
      name: `life-${kills}-${number}`,
      seed: this.#dice.between(0, 2 ** 31),
      later_ms: kills * LATER_MS,
      repeat: number === 1 ? this.#file.takeRepeats(this.#dice) : [],
    });
    return life;
  }

  /** After so many answers, so that a slow machine gets as far as a fast one; or early, while it still opens the file. */
  async #untilDeath(life: Life): Promise<void> {
    if (this.#dice.chance(0.2)) await pause(this.#dice.next() * LIFE_MAX_MS);
    else await life.answered(this.#dice.between(1, ANSWERS_BEFORE_DEATH_MAX));
    if (this.#dice.chance(0.5)) await pause(this.#dice.next() * 3);
  }

  #account(life: Life): void {
    const { report } = this;
    report.kills += 1;
    report.cut_off += life.unanswered.length;
    report.answered += life.calls.size - life.unanswered.length;
  }

  async #prove(dead: readonly Life[], someLive: boolean): Promise<void> {
    const { report } = this;
    this.#file.prove(dead, someLive, report);
    if (someLive || this.#file.deaths < DEATHS_PER_FILE) return;
    this.#file.proveAll();
    this.#file.remove();
    report.files += 1;
    this.#file = new LedgerFile(join(this.#folder, `${report.kills}.db`));
  }
}

interface Row {
  readonly reservation_key: number;
  readonly id: string;
  readonly state: string;
  readonly lines: string;
  readonly stock_hash: string;
  readonly expires_at_ms: number;
  readonly held: number;
  readonly order_id: string | null;
  readonly order_state: string | null;
  readonly order_ref: string | null;
}

/** One ledger file, and everything that processes were told of it. */
class LedgerFile {
  readonly path: string;
  deaths = 0;
  /** By idempotency key: the first answer. */
  readonly #reserved = new Map<string, Call>();
  readonly #submitted = new Map<string, Call>();
  readonly #released = new Set<string>();
  /** By the ledger's own key. */
  readonly #expired = new Set<number>();
  readonly #placed = new Set<number>();
  readonly #reads = new Map<string, number>();
  /** Calls that nobody has answered, and whether their effect is in the file. */
  readonly #open = new Map<string, { readonly call: Call; readonly isWhole: boolean }>();
  #toRepeat: Call[] = [];
  readonly #taken = new WeakSet<Call>();

  constructor(path: string) {
    this.path = path;
  }

  /** What the next process shall ask again: all that has no answer, and some that have. */
  takeRepeats(dice: Dice): { verb: string; args: Json }[] {
    const answered = [...this.#reserved.values(), ...this.#submitted.values()];
    const some = answered.length === 0 ? [] : Array.from({ length: 4 }, () => dice.of(answered));
    const repeats = [...this.#toRepeat, ...some].slice(0, REPEATED_MAX);
    this.#toRepeat = [];
    return repeats.map(({ verb, args }) => ({ verb, args }));
  }

  /** What was answered is there, what was not is whole or absent, and the books prove themselves. */
  prove(dead: readonly Life[], someLive: boolean, report: Killed): void {
    this.deaths += 1;
    for (const call of dead.flatMap((life) => [...life.calls.values()])) {
      if (call.answer === undefined || this.#taken.has(call)) continue;
      this.#taken.add(call);
      this.#take(call, report);
    }
    if (!this.#verify()) return;
    const rows = this.#rows();
    this.#expectTold(rows, dead);
    expectWhole(rows);
    if (someLive) return;
    // Each reservation came with its key, in one commit.
    const keys = this.#query("SELECT 1 FROM idempotency WHERE tool = 'reserve_units'");
    expect(keys.length).toBe(rows.length);
    for (const life of dead) for (const call of life.unanswered) this.#leaveOpen(call, report);
  }

  /** Everything that was ever told of this file. */
  proveAll(): void {
    if (!this.#verify()) return;
    this.#expectTold(this.#rows(), null);
  }

  remove(): void {
    for (const suffix of ['', '-wal', '-shm', '-turn'])
      rmSync(`${this.path}${suffix}`, { recursive: true, force: true });
  }

  #take(call: Call, report: Killed): void {
    const { verb, args, answer } = call;
    if (verb === 'reserve') this.#takeKeyed(this.#reserved, call, report);
    else if (verb === 'submit') this.#takeKeyed(this.#submitted, call, report);
    else if (verb === 'release' && answer.ok && answer.value.status === 'released')
      this.#released.add(args.reservation_id);
    else if (verb === 'expire' && answer) this.#expired.add(args.reservation_key);
    else if (verb === 'place' && answer) this.#placed.add(args.reservation_key);
    else if (verb === 'report')
      this.#reads.set(args.sku, Math.max(args.read_at_ms, this.#reads.get(args.sku) ?? 0));
  }

  /** L7: an answer to a key that was used before is the first answer. */
  #takeKeyed(told: Map<string, Call>, call: Call, report: Killed): void {
    const { verb, args, answer } = call;
    const first = told.get(args.key);
    const name = `${verb} ${args.key}`;
    const open = this.#open.get(name);
    this.#open.delete(name);
    if (first !== undefined || open?.isWhole === true) {
      expect(answer, `L7: ${name} asked again`).toMatchObject({ ok: true, value: { replayed: true } });
      report.replayed += 1;
    } else if (answer.ok)
      expect(answer.value.replayed, `${name}, whose first call left no trace`).toBe(false);
    if (first === undefined) {
      if (answer.ok) told.set(args.key, call);
      return;
    }
    const { reservation_id, lines, stock_hash, expires_at, order_id } = first.answer.value;
    const again = answer.value;
    expect([again.reservation_id, again.order_id], `L7: ${name}`).toEqual([reservation_id, order_id]);
    if (verb === 'reserve')
      expect([again.lines, again.stock_hash, again.expires_at]).toEqual([lines, stock_hash, expires_at]);
  }

  /** False for a file that no process has lived to make: then nobody may have been told anything. */
  #verify(): boolean {
    try {
      expect(verifyLedgerFile(this.path).problems).toEqual([]);
      return true;
    } catch (error) {
      if (!(error instanceof LedgerUnusable)) throw error;
      expect([this.#reads.size, this.#reserved.size], `told of ${error.message}`).toEqual([0, 0]);
      return false;
    }
  }

  #rows(): Row[] {
    return this.#query(`SELECT r.reservation_key, r.id, r.state, r.lines, r.stock_hash, r.expires_at_ms,
        (SELECT coalesce(sum(quantity_units), 0) FROM holds h WHERE h.reservation_key = r.reservation_key) AS held,
        o.id AS order_id, o.state AS order_state, o.upstream_order_ref AS order_ref
      FROM reservations r LEFT JOIN orders o ON o.reservation_key = r.reservation_key`);
  }

  #query<T>(sql: string): T[] {
    const Driver = loadDriver();
    const db = new Driver(this.path, { readonly: true });
    try {
      return db.prepare(sql).all() as T[];
    } finally {
      db.close();
    }
  }

  /** Of those that were told by these processes; null: of all. */
  #expectTold(rows: readonly Row[], by: readonly Life[] | null): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    const byKey = new Map(rows.map((row) => [row.reservation_key, row]));
    const isOf = (call: Call) => by === null || by.some((life) => life.calls.get(call.n) === call);
    for (const call of [...this.#reserved.values()].filter(isOf)) expectReserved(call, byId);
    for (const call of [...this.#submitted.values()].filter(isOf)) {
      const { reservation_id, order_id } = call.answer.value;
      expect(byId.get(reservation_id)?.order_id, `L4: ${call.args.key}`).toBe(order_id);
    }
    for (const id of this.#released) expect(byId.get(id)?.state, `L3: ${id}`).toBe('released');
    for (const key of this.#expired) expect(byKey.get(key)?.state, `L3: ${key}`).toBe('expired');
    for (const key of this.#placed) expect(byKey.get(key)?.order_state, `L4: ${key}`).toBe('placed');
    const known = new Map(
      this.#query<{ sku: string; read_at_ms: number }>('SELECT sku, read_at_ms FROM items').map(
        ({ sku, read_at_ms }) => [sku, read_at_ms],
      ),
    );
    for (const [sku, read_at_ms] of this.#reads)
      expect(known.get(sku), `the newest report of ${sku}`).toBeGreaterThanOrEqual(read_at_ms);
  }

  #leaveOpen(call: Call, report: Killed): void {
    const { verb, args } = call;
    if (verb !== 'reserve' && verb !== 'submit') return;
    const told = verb === 'reserve' ? this.#reserved : this.#submitted;
    if (told.has(args.key)) return;
    const tool = verb === 'reserve' ? 'reserve_units' : 'submit_order_with_hash';
    const kept = this.#query<{ key: string }>(`SELECT key FROM idempotency WHERE tool = '${tool}'`);
    const isWhole = kept.some(({ key }) => key === args.key);
    report[isWhole ? 'whole' : 'absent'] += 1;
    this.#open.set(`${verb} ${args.key}`, { call, isWhole });
    this.#toRepeat.push(call);
  }
}

function expectReserved(call: Call, byId: ReadonlyMap<string, Row>): void {
  const { reservation_id, lines, stock_hash, expires_at } = call.answer.value;
  const row = byId.get(reservation_id);
  expect(row, `the answer to ${call.args.key} is lost`).toBeDefined();
  if (row === undefined) return;
  expect(unpackLines(row.lines, row.stock_hash).map(asTold)).toEqual(lines);
  expect([row.stock_hash, row.expires_at_ms]).toEqual([stock_hash, Date.parse(expires_at)]);
}

/** A line as its agent was told it: where its units are taken is not promised in mode `draft_order`. */
function asTold<L extends { readonly reserved: number }>(line: L): L {
  return { ...line, allocations: [{ location_id: null, quantity: line.reserved }] };
}

/** A live reservation holds what it was granted, to the unit. */
function expectWhole(rows: readonly Row[]): void {
  const broken = rows.filter(({ state, lines, stock_hash, held }) => {
    const granted = unpackLines(lines, stock_hash).reduce((sum, { reserved }) => sum + reserved, 0);
    return (state === 'active' || state === 'submitted') && held !== granted;
  });
  expect(broken, 'half of a reservation').toEqual([]);
}
