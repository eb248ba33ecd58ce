import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { requireBuilt } from '../../helpers/built.js';
import {
  NO_QUOTAS,
  TEST_SETTINGS,
  TEST_SHOP,
  TestLedger,
  VirtualTime,
  WAREHOUSE,
} from '../../helpers/ledger.js';

const UNITS = 500;
const ATTEMPTS = 2000;
const CALLERS = 64;
const ATTEMPTS_EACH = Math.ceil(ATTEMPTS / 3);

let t: TestLedger;
beforeEach(async () => {
  // Children live in real time, and so does the ledger that they share.
  const time = new VirtualTime();
  time.wall_ms = Date.now();
  t = await TestLedger.open({ time, settings: { mirror: 'none' } });
  await t.seed({ sku: 'hot', levels: { [WAREHOUSE]: UNITS } });
});
afterEach(() => t.close());

type Granted = readonly (readonly [id: string, quantity: number])[];

/** What callers were told against what the file says: nothing lost, nothing twice, nothing too much. */
function expectNoOversell(granted: Granted): void {
  const sum = granted.reduce((total, [, quantity]) => total + quantity, 0);
  expect(sum).toBeLessThanOrEqual(UNITS);
  // Requests of one unit can use up the last one, and there are enough of them.
  expect(sum).toBe(UNITS);
  expect(new Set(granted.map(([id]) => id)).size).toBe(granted.length);
  const rows = t.rawly((db) => ({
    held: db.prepare('SELECT held_units FROM levels').pluck().get(),
    holds: db
      .prepare('SELECT id, quantity_units FROM holds JOIN reservations USING (reservation_key) ORDER BY id')
      .raw()
      .all(),
  }));
  expect(rows.held).toBe(sum);
  expect(rows.holds).toEqual([...granted].sort(([a], [b]) => (a < b ? -1 : 1)));
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
}

describe('many callers and one SKU', () => {
  test(`L1: ${CALLERS} callers of one process get each of ${UNITS} units once, in ${ATTEMPTS} attempts`, async () => {
    const granted: [string, number][] = [];
    let next = 0;
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (next < ATTEMPTS) {
          const quantity = 1 + (next++ % 3);
          const result = await t.reserve('hot', quantity);
          if (result.ok) granted.push([result.value.reservation_id, quantity]);
          else expect(result.refusal.code).toBe('stock_insufficient');
        }
      }),
    );
    expectNoOversell(granted);
  });

  test(`L1: three processes on one file get each of ${UNITS} units once, in ${ATTEMPTS} attempts`, async () => {
    const children = await Promise.all(['one', 'two', 'three'].map((name) => startChild(name)));
    for (const child of children) child.go();
    const outcomes = await Promise.all(children.map((child) => child.outcome));
    for (const { granted, refused } of outcomes) {
      expect(granted.length + (refused['stock_insufficient'] ?? 0)).toBe(ATTEMPTS_EACH);
    }
    console.log(`grants by process: ${outcomes.map(({ granted }) => granted.length).join(', ')}`);
    expectNoOversell(outcomes.flatMap(({ granted }) => granted));
  });

  test('one principal in three processes gets no more than it may have, to the unit, and others still get theirs', async () => {
    const quotas = { ...NO_QUOTAS, share_percent: 75 };
    const started = ['one', 'two', 'three'].map((name) => startChild(name, { principal: 'greedy', quotas }));
    const children = await Promise.all(started);
    for (const child of children) child.go();
    const outcomes = await Promise.all(children.map((child) => child.outcome));
    for (const { granted, refused } of outcomes) {
      expect(granted.length + (refused['quota_exceeded'] ?? 0)).toBe(ATTEMPTS_EACH);
    }
    const units = outcomes.flatMap(({ granted }) => granted).reduce((sum, [, quantity]) => sum + quantity, 0);
    expect(units).toBe((UNITS * 75) / 100);
    expect(await t.atp('hot')).toBe(UNITS - units);
    expect((await t.reserve('hot', UNITS - units)).ok).toBe(true);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('nor more reservations than it may have at once or in an hour', async () => {
    const quotas = { ...NO_QUOTAS, live_reservations: 40, reservations_per_hour: 35 };
    const started = ['one', 'two', 'three'].map((name) => startChild(name, { principal: 'greedy', quotas }));
    const children = await Promise.all(started);
    for (const child of children) child.go();
    const outcomes = await Promise.all(children.map((child) => child.outcome));
    expect(outcomes.flatMap(({ granted }) => granted)).toHaveLength(35);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

interface Outcome {
  readonly granted: Granted;
  readonly refused: Readonly<Record<string, number>>;
}

interface Child {
  readonly go: () => void;
  readonly outcome: Promise<Outcome>;
}

const SCRIPT = fileURLToPath(new URL('../../helpers/reserve-child.mjs', import.meta.url));

/** Resolves when the child has opened the ledger; it begins at `go`. */
async function startChild(
  name: string,
  { principal = name, quotas = NO_QUOTAS }: { principal?: string; quotas?: typeof NO_QUOTAS } = {},
): Promise<Child> {
  const orders = {
    path: t.path,
    shop: TEST_SHOP,
    settings: { ...TEST_SETTINGS, mirror: 'none', quotas },
    sku: 'hot',
    attempts: ATTEMPTS_EACH,
    callers: Math.ceil(CALLERS / 3),
    name,
    principal,
  };
  requireBuilt();
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, JSON.stringify(orders)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('a child without pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`the child ${name} ended without a word`);
    return line.value;
  };
  expect(await next()).toBe('ready');
  return {
    go: () => stdin.write('go\n'),
    get outcome() {
      return next().then((line) => JSON.parse(line) as Outcome);
    },
  };
}
