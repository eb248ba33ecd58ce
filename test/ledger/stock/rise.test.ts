/** A figure that rises a hundredfold at once is not sold beyond the old one until a second read shows it, too. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { SECOND, STORE, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

/** A read of the whole item, one second after what was before. */
async function read(available: number, elsewhere = 0): Promise<unknown> {
  t.time.pass(SECOND);
  return t.seed({ sku: 'MUG', levels: { [WAREHOUSE]: available, [STORE]: elsewhere } });
}

async function promised(): Promise<number | undefined> {
  const [item] = (await t.check('MUG')).items;
  return item?.available_to_promise;
}

const rises = () => t.journal('stock.rise_withheld', 'stock.rise_settled');

function expectTrueBooks(): void {
  expect(verifyLedgerFile(t.path)).toMatchObject({ ok: true, problems: [] });
}

it('L1: is not promised beyond the old figure, nor reserved, until a later read shows it again', async () => {
  await read(5);
  await read(5_000);
  expect(await promised()).toBe(5);
  expect(await t.reserve('MUG', 6)).toMatchObject({ ok: false, refusal: { code: 'stock_insufficient' } });
  expect(await t.reserve('MUG', 5)).toMatchObject({ ok: true });
  expectTrueBooks();

  await read(5_000);
  expect(await promised()).toBe(4_995);
  expect(rises()).toEqual([
    { sku: 'MUG', location_id: WAREHOUSE, from_units: 5, to_units: 5_000, withheld_units: 4_995 },
    { sku: 'MUG', location_id: WAREHOUSE, from_units: 5, to_units: 5_000, withheld_units: 0 },
  ]);
  expect(t.journal('stock.rise_settled')).toHaveLength(1);
  expectTrueBooks();
});

it('is told in the result of the read, once', async () => {
  await read(5);
  const told = { location_id: WAREHOUSE, from_units: 5, to_units: 5_000, withheld_units: 4_995 };
  expect(await read(5_000)).toMatchObject({ applied: true, rises: [told] });
  expect(await read(5_000)).toMatchObject({ applied: true, rises: [{ ...told, withheld_units: 0 }] });
  expect(await read(5_000)).not.toHaveProperty('rises');
});

it('does not change the checksum a second time when it is settled', async () => {
  await read(5);
  await read(5_000);
  const [withheld] = (await t.check('MUG')).items;
  await read(5_000);
  const [settled] = (await t.check('MUG')).items;
  expect(settled?.stock_hash).toBe(withheld?.stock_hash);
});

describe('the second read', () => {
  beforeEach(async () => {
    await read(5);
    await read(5_000);
  });

  it.each([
    ['shows the old figure again', 5, 5],
    ['shows less than the old figure', 2, 2],
    ['shows a part of the rise', 300, 300],
    ['shows a few less, which were sold', 4_990, 4_990],
    ['shows a few more', 5_010, 5_010],
    ['rises a hundredfold once more', 500_000, 5_000],
  ])('%s: what both have shown is promised', async (_, available, expected) => {
    await read(available);
    expect(await promised()).toBe(expected);
    expectTrueBooks();
  });

  it('has to begin later: the same read, or one before it, proves nothing', async () => {
    const at = t.clock.now();
    await t.seed({ sku: 'MUG', levels: { [WAREHOUSE]: 5_000, [STORE]: 0 }, read_at_ms: at });
    expect(await promised()).toBe(5);
    await t.seed({ sku: 'MUG', levels: { [WAREHOUSE]: 5_000, [STORE]: 0 }, read_at_ms: at - 500 });
    expect(await promised()).toBe(5);
  });

  it('may be one of the level alone', async () => {
    t.time.pass(SECOND);
    await t.levels('MUG', { [WAREHOUSE]: 5_000 });
    expect(await promised()).toBe(5_000);
  });

  it('counts after a restart, and of whichever process makes it', async () => {
    const other = await t.beside();
    expect((await other.check('MUG')).items[0]?.available_to_promise).toBe(5);
    t.time.pass(SECOND);
    await other.levels('MUG', { [WAREHOUSE]: 5_000 });
    await other.close();
    expect(await promised()).toBe(5_000);
    expectTrueBooks();
  });

  it('is not needed any more when the level has vanished', async () => {
    t.time.pass(SECOND);
    await t.seed({ sku: 'MUG', levels: { [STORE]: 3 } });
    expect(await promised()).toBe(3);
    expect(rises().at(-1)).toMatchObject({ withheld_units: 0 });
    expectTrueBooks();
  });
});

it.each([
  ['a restock from nothing', 0, 500],
  ['a restock of what was nearly gone', 3, 999],
  ['a large delivery to a large stock', 900, 80_000],
  ['a restock from below zero', -4, 900],
])('%s is sold at once', async (_, from, to) => {
  await read(from);
  await read(to);
  expect(await promised()).toBe(to);
  expect(rises()).toEqual([]);
});

it.each([
  ['a hundredfold', 20, 2_000, 20],
  ['from nothing to a thousand', 0, 1_000, 0],
  ['from below zero to a thousand', -4, 1_000, 0],
])('%s waits for a second read', async (_, from, to, expected) => {
  await read(from);
  await read(to);
  expect(await promised()).toBe(expected);
});

it('one level waits, and the others are sold as before', async () => {
  await read(5, 40);
  await read(5_000, 41);
  expect(await promised()).toBe(46);
});

it('a level or an item that was not known before has no old figure: it is sold at once', async () => {
  await t.seed({ sku: 'MUG', levels: { [WAREHOUSE]: 5 } });
  await read(5, 8_000);
  expect(await promised()).toBe(8_005);
});

it('L6: verify finds a withheld rise that was set free in the file', async () => {
  await read(5);
  await read(5_000);
  expectTrueBooks();
  t.rawly((db) => db.exec('UPDATE levels SET unproven_units = 0'));
  const report = verifyLedgerFile(t.path);
  expect(report.problems).toMatchObject([{ invariant: 'L6', detail: expect.stringContaining('4995') }]);
});
