import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HoldState } from '../../../src/ledger/model/hold.js';
import {
  cleanText,
  isNameableSku,
  SKU_MAX_CHARS,
  visibleText,
} from '../../../src/ledger/model/values/text.js';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideDeleted, decideOpen } from '../../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../../src/ledger/outbox/transfer-steps.js';
import { endReservation } from '../../../src/ledger/reservation/end-reservation.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  SECOND,
  STORE,
  TEST_LOCATIONS,
  TEST_SETTINGS,
  TEST_START_MS,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';
import { runsOr } from '../../helpers/runs.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

const level = async (sku: string, location = WAREHOUSE) => {
  const found = (await t.item(sku)).levels.find(({ location_id }) => location_id === location);
  if (found === undefined) throw new Error(`${sku} has no level at ${location}`);
  return found;
};

describe('a stock report', () => {
  test('that says what is known already changes nothing but how sure we are', async () => {
    await t.seed({ sku: 'tee' });
    const before = await t.item('tee');
    t.time.pass(MINUTE);
    expect(await t.seed({ sku: 'tee' })).toEqual({
      applied: true,
      sku: 'tee',
      changed: false,
      woken: false,
    });
    const after = await t.item('tee');
    expect(after).toMatchObject({ stock_hash: before.stock_hash, state_version: 1, as_of_ms: TEST_START_MS });
    expect(after.confirmed_at_ms).toBe(before.confirmed_at_ms + MINUTE);
  });

  test('L6: that says what is known already is no entry of the journal; one of a new state is one', async () => {
    await t.seed({ sku: 'tee' });
    expect(t.journal('stock.changed', 'holds.moved', 'stock.jumped')).toHaveLength(1);
    t.time.pass(MINUTE);
    await t.seed({ sku: 'tee' });
    expect(t.journal('stock.changed', 'holds.moved', 'stock.jumped')).toHaveLength(1);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    expect(t.journal('stock.changed', 'holds.moved', 'stock.jumped')).toEqual([
      expect.objectContaining({ state_version: 1, levels: [[WAREHOUSE, 10, 0, 0, 0]] }),
      {
        sku: 'tee',
        state_version: 2,
        lifecycle: 'active',
        variant_id: (await t.item('tee')).variant_id,
        stock_hash: (await t.item('tee')).stock_hash,
        levels: [[WAREHOUSE, 9, 0, 0, 0]],
      },
    ]);
  });

  test('of a new state makes a new version with its own time, salt and checksum', async () => {
    await t.seed({ sku: 'tee' });
    const before = await t.item('tee');
    t.time.pass(MINUTE);
    expect(await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } })).toMatchObject({ changed: true });
    const after = await t.item('tee');
    expect(after).toMatchObject({ state_version: 2, as_of_ms: TEST_START_MS + MINUTE });
    expect(after.salt).not.toBe(before.salt);
    expect(after.stock_hash).not.toBe(before.stock_hash);
  });

  test('back to an earlier state is a new version all the same: a checksum is true once', async () => {
    await t.seed({ sku: 'tee' });
    const first = await t.item('tee');
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    await t.seed({ sku: 'tee' });
    expect((await t.item('tee')).stock_hash).not.toBe(first.stock_hash);
  });

  test('of some levels of an item that nobody knows asks for the whole item', async () => {
    expect(await t.levels('tee', { [WAREHOUSE]: 3 })).toEqual({ applied: false, why: 'item_unknown' });
  });

  test('of a location that nobody knows asks for the locations, and changes nothing', async () => {
    await t.seed({ sku: 'tee' });
    const report = await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, 'loc-new': 9 } });
    expect(report).toEqual({ applied: false, why: 'location_unknown' });
    expect(await t.atp('tee')).toBe(10);
  });

  test('of some levels leaves the others as they are', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    await t.levels('tee', { [STORE]: 2 });
    expect(await t.atp('tee')).toBe(12);
  });

  test('of some levels leaves what the catalogue says as it is', async () => {
    await t.seed({ sku: 'tee', title: 'Black T-Shirt', variant_title: 'M' });
    const { variant_id, product_id } = await t.item('tee');
    expect(await t.levels('tee', { [WAREHOUSE]: 9 })).toMatchObject({ sku: 'tee', changed: true });
    expect(await t.item('tee')).toMatchObject({
      variant_id,
      product_id,
      title: 'Black T-Shirt',
      variant_title: 'M',
      lifecycle: 'active',
    });
  });

  test('of some levels does not bring back one that is gone', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
    await t.levels('tee', { [WAREHOUSE]: 9 });
    expect(await level('tee', STORE)).toMatchObject({ sellable_here: false });
  });

  test('that is complete takes away a level that it does not list', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
    expect(await t.atp('tee')).toBe(10);
    expect(await level('tee', STORE)).toMatchObject({ sellable_here: false, upstream_available_units: 0 });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 4 } });
    expect(await t.atp('tee')).toBe(14);
  });

  test('L1: of figures far below the holds promises nothing, and does not touch a hold', async () => {
    await t.seed({ sku: 'tee' });
    const { reservation_id } = await t.granted('tee', 8);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: -2 } });
    expect(await t.atp('tee')).toBe(0);
    expect((await t.owned(reservation_id)).holds).toMatchObject([{ quantity_units: 8, state: 'counted' }]);
  });
});

describe('an older report', () => {
  test('by when its read began is not believed', async () => {
    await t.seed({ sku: 'tee' });
    t.time.pass(MINUTE);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 2 } });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 }, read_at_ms: TEST_START_MS + 1 });
    expect(await t.atp('tee')).toBe(2);
  });

  test("by the shop's own time is not believed, however late it was read", async () => {
    const at = (available_units: number, upstream_updated_at_ms: number) => ({
      [WAREHOUSE]: { available_units, upstream_updated_at_ms },
    });
    await t.seed({ sku: 'tee', levels: at(2, 2000) });
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: at(10, 1999) });
    expect(await t.atp('tee')).toBe(2);
    await t.seed({ sku: 'tee', levels: at(7, 2000) });
    expect(await t.atp('tee')).toBe(7);
  });

  test("keeps the shop's newest known time when a later answer gives none", async () => {
    await t.seed({
      sku: 'tee',
      levels: { [WAREHOUSE]: { available_units: 2, upstream_updated_at_ms: 2000 } },
    });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3 } });
    await t.seed({
      sku: 'tee',
      levels: { [WAREHOUSE]: { available_units: 9, upstream_updated_at_ms: 1000 } },
    });
    expect(await t.atp('tee')).toBe(3);
  });

  test('does not take a level away that a newer one has', async () => {
    await t.seed({ sku: 'tee' });
    t.time.pass(MINUTE);
    await t.levels('tee', { [STORE]: 4 });
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 }, read_at_ms: TEST_START_MS + SECOND });
    expect(await t.atp('tee')).toBe(14);
  });

  test('L1: does not bring back an item that a newer one has discontinued', async () => {
    await t.seed({ sku: 'tee' });
    t.time.pass(MINUTE);
    await t.seed({ sku: 'tee', lifecycle: 'discontinued' });
    await t.seed({ sku: 'tee', lifecycle: 'active', title: 'Yesterday', read_at_ms: TEST_START_MS + SECOND });
    expect(await t.item('tee')).toMatchObject({ lifecycle: 'discontinued', title: 'Title of tee' });
    expect(await t.atp('tee')).toBe(0);
  });

  test('in any order of arrival leaves the newest figures', async () => {
    const reports = fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 6 });
    let sku = 0;
    await fc.assert(
      fc.asyncProperty(reports, async (readAts) => {
        sku += 1;
        const name = `any-${sku}`;
        const base = t.clock.now();
        t.time.pass(51);
        for (const at of readAts) {
          await t.seed({ sku: name, levels: { [WAREHOUSE]: 100 + at }, read_at_ms: base + at });
        }
        expect(await t.atp(name)).toBe(100 + Math.max(...readAts));
      }),
      { numRuns: runsOr(100) },
    );
  });
});

describe('a location', () => {
  const closed = TEST_LOCATIONS.map((row) => ({ ...row, active: row.location_id === WAREHOUSE }));

  test('L1: promises nothing from the moment it is closed, before any report says more', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } });
    expect(await t.store.putLocations(closed)).toBe(true);
    expect(await t.atp('tee')).toBe(3);
    expect((await t.reserve('tee', 4)).ok).toBe(false);
  });

  test('that was closed leaves the checksum with the next report, and comes back when it opens', async () => {
    const levels = { [WAREHOUSE]: 3, [STORE]: 5 };
    await t.seed({ sku: 'tee', levels });
    await t.store.putLocations(closed);
    expect(await t.seed({ sku: 'tee', levels })).toMatchObject({ changed: true });
    expect(await t.atp('tee')).toBe(3);
    await t.store.putLocations(TEST_LOCATIONS);
    expect(await t.seed({ sku: 'tee', levels })).toMatchObject({ changed: true });
    expect(await t.atp('tee')).toBe(8);
  });

  test('that was closed leaves the checksum with a report of another level, too', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } });
    await t.store.putLocations(closed);
    expect(await t.levels('tee', { [WAREHOUSE]: 3 })).toMatchObject({ changed: true });
    expect(await level('tee', STORE)).toMatchObject({ sellable_here: false, upstream_available_units: 5 });
  });

  test('L6: that is closed may stock an item anew: no other state, and journaled', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3 } });
    await t.store.putLocations(closed);
    expect(await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } })).toMatchObject({
      changed: false,
    });
    expect(await t.atp('tee')).toBe(3);
    expect(t.journal('holds.moved')).toMatchObject([
      {
        levels: [
          [WAREHOUSE, 3, 0, 0, 0],
          [STORE, 5, 0, 0, 0],
        ],
      },
    ]);
  });

  test('that the shop lists no more is closed', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } });
    expect(await t.store.putLocations(TEST_LOCATIONS.slice(0, 1))).toBe(true);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } });
    expect(await t.atp('tee')).toBe(3);
  });

  test('that stays as it was is no news', async () => {
    expect(await t.store.putLocations(TEST_LOCATIONS)).toBe(false);
  });
});

describe('the SKU of an item', () => {
  test('can change: the old name is unknown, the holds stay', async () => {
    await t.seed({ sku: 'old', item_id: 'item-1' });
    const { reservation_id, stock_hash } = await t.granted('old', 4);
    expect(await t.seed({ sku: 'new', item_id: 'item-1' })).toMatchObject({ sku: 'new', changed: true });
    expect(await t.atp('new')).toBe(6);
    expect((await t.check('old')).unknown_skus).toEqual(['old']);
    const submitted = await t.submit({ reservation_id, stock_hash });
    expect(submitted).toMatchObject({ ok: true, value: { hash_verdict: 'stale' } });
  });

  test('item 18: of two that are sold the newest has it, and the other is told apart by the variant', async () => {
    const old = { sku: 'tee', item_id: 'item-1', variant_id: '11', levels: { [WAREHOUSE]: 1 } };
    const made = { sku: 'tee', item_id: 'item-2', variant_id: '22', levels: { [WAREHOUSE]: 2 } };
    expect(await t.seed(old)).toMatchObject({ sku: 'tee' });
    expect(await t.seed(made)).toMatchObject({ sku: 'tee' });
    expect([await t.atp('tee'), await t.atp('tee~11')]).toEqual([2, 1]);
    expect(await t.seed(made)).toMatchObject({ sku: 'tee', changed: false });
    expect(await t.seed(old)).toMatchObject({ sku: 'tee~11', changed: false });
  });

  test('item 18: that is padded by blanks is the same without them', async () => {
    expect(await t.seed({ sku: ' tee ', item_id: 'item-1', variant_id: '11' })).toMatchObject({ sku: 'tee' });
  });

  test.each([
    ['missing', null],
    ['empty', ''],
    ['blank', ' \t '],
    ['with an invisible character', 'te\u200be'],
    ['with a character that turns the text around', 'te\u202ee'],
    ['with a line break', 'te\ne'],
    ['with a NUL', 'te\0e'],
    ['with half a character', 'te\ud800e'],
    ['endless', 'x'.repeat(256)],
  ])('is made of the variant when the shop gives one that is %s', async (_, sku) => {
    expect(await t.seed({ sku, item_id: 'item-1', variant_id: '11' })).toMatchObject({ sku: 'variant-11' });
    expect(await t.atp('variant-11')).toBe(10);
  });

  test.each([
    ['as a name for an item without one', 'variant-22', null],
    ['as a name for a double', 'tee~22', 'tee'],
  ])('can not be squatted by a shop that uses what we would make up %s', async (_, squatted, given) => {
    await t.seed({ sku: 'tee', item_id: 'item-0', variant_id: '10' });
    await t.seed({ sku: squatted, item_id: 'item-1', variant_id: '11', levels: { [WAREHOUSE]: 1 } });
    const report = await t.seed({
      sku: given,
      item_id: 'item-2',
      variant_id: '22',
      levels: { [WAREHOUSE]: 2 },
    });
    const sku = report.applied ? report.sku : '';
    expect((await t.item(sku)).item_id).toBe('item-2');
    expect(await t.atp(sku)).toBe(2);
  });

  test('of two hundred characters and more that another item has is cut between characters', async () => {
    const sku = `${'x'.repeat(199)}👟${'y'.repeat(20)}`;
    await t.seed({ sku, item_id: 'item-2', variant_id: '22' });
    const report = await t.seed({ sku, item_id: 'item-1', variant_id: '11' });
    expect(report).toMatchObject({ applied: true });
    if (report.applied) expect(isNameableSku(report.sku)).toBe(true);
    expect(report).toMatchObject({ sku: `${'x'.repeat(199)}~11` });
  });

  test('as long as one may be that another item has still leaves room for the variant', async () => {
    const sku = 'x'.repeat(SKU_MAX_CHARS);
    expect(await t.seed({ sku, item_id: 'item-2', variant_id: '22' })).toMatchObject({ sku });
    expect(await t.seed({ sku, item_id: 'item-1', variant_id: '11' })).toMatchObject({
      sku: `${'x'.repeat(200)}~11`,
    });
  });

  test.each([
    ['255 characters', true, 'x'.repeat(255)],
    ['256 characters', false, 'x'.repeat(256)],
    // One such sign is two characters to a database and to a client.
    ['127 signs beyond the basic plane and one letter', true, `${'👟'.repeat(127)}x`],
    ['128 signs beyond the basic plane', false, '👟'.repeat(128)],
  ])('of %s is one that can be named: %s', (_, is, sku) => {
    expect(isNameableSku(sku)).toBe(is);
  });

  test.each(['__proto__', 'constructor', "'; DROP TABLE items; --", '"quoted"', '{}', '0', '💥'])(
    'may be %s',
    async (sku) => {
      await t.seed({ sku });
      expect((await t.granted(sku, 4)).lines[0]?.reserved).toBe(4);
      expect(await t.atp(sku)).toBe(6);
    },
  );
});

describe('text from the shop', () => {
  test('is shown without what could hide or reorder words, and cut', () => {
    expect(cleanText('  A\u202e \n\tB\u200b\u0007 ', 200)).toBe('A B');
    expect(cleanText('👟👟👟', 2)).toBe('👟👟');
    expect(cleanText('A \u200b \u200b B', 200)).toBe('A B');
  });

  test('that is passed on keeps its lines, tabs and blanks, and loses what nobody can see', () => {
    const note = ' two\tlines\r\nof  it ';
    expect(visibleText(note)).toBe(note);
    expect(visibleText('a\u200b\u202eb\0\ud800c\u2028d\u{e0041}')).toBe('abcd');
  });

  test('is clean for any input, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (input, max) => {
        const clean = cleanText(input, max);
        expect([...clean].length).toBeLessThanOrEqual(max);
        expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(cleanText(clean, max)).toBe(clean.trim());
      }),
      { numRuns: runsOr(2000) },
    );
  });
});

/** A reservation of 4 out of 10 whose units the shop holds too, seen in a report: 6 and a mirrored hold of 4. */
async function mirrored(): Promise<string> {
  await t.seed({ sku: 'tee' });
  const { reservation_id } = await t.granted('tee', 4);
  await t.decide(reservation_id, (state) =>
    decideOpen(state, { hold_ref: 'draft-1', until_ms: t.clock.now() + 17 * MINUTE }),
  );
  t.time.pass(SECOND);
  await t.levels('tee', { [WAREHOUSE]: 6 });
  return reservation_id;
}

async function holdStates(reservationId: string): Promise<HoldState[]> {
  return (await t.owned(reservationId)).holds.map(({ state }) => state);
}

describe('a mirrored hold', () => {
  test('L1: counts until a report newer than the mirroring says what the shop has left', async () => {
    await t.seed({ sku: 'tee' });
    const { reservation_id } = await t.granted('tee', 4);
    const openedAt = t.clock.now() + SECOND;
    t.time.pass(SECOND);
    await t.decide(reservation_id, (state) =>
      decideOpen(state, { hold_ref: 'draft-1', until_ms: openedAt + HOUR }),
    );
    await t.levels('tee', { [WAREHOUSE]: 10 }, openedAt - 1);
    expect(await holdStates(reservation_id)).toEqual(['counted']);
    expect(await t.atp('tee')).toBe(6);
    await t.levels('tee', { [WAREHOUSE]: 6 }, openedAt);
    expect(await holdStates(reservation_id)).toEqual(['mirrored']);
    expect(await t.atp('tee')).toBe(6);
  });

  test('leaves the checksum as it was, and is journaled', async () => {
    await t.seed({ sku: 'tee' });
    const before = await t.item('tee');
    await t.close();
    t = await TestLedger.open();
    const id = await mirrored();
    const after = await t.item('tee');
    expect(after.state_version).toBe(before.state_version);
    expect(after.levels[0]).toMatchObject({ upstream_available_units: 6, held_units: 0, mirrored_units: 4 });
    expect(await holdStates(id)).toEqual(['mirrored']);
    expect(t.rawly((db) => db.prepare('SELECT kind FROM journal ORDER BY seq DESC').pluck().get())).toBe(
      'holds.moved',
    );
  });

  test('L1: is not believed from a report that a replica answered with an older figure', async () => {
    const at = (available_units: number, upstream_updated_at_ms: number) => ({
      [WAREHOUSE]: { available_units, upstream_updated_at_ms },
    });
    await t.seed({ sku: 'tee', levels: at(10, 2000) });
    const { reservation_id } = await t.granted('tee', 4);
    await t.decide(reservation_id, (state) =>
      decideOpen(state, { hold_ref: 'd', until_ms: t.clock.now() + HOUR }),
    );
    t.time.pass(SECOND);
    await t.levels('tee', at(10, 1000));
    expect(await holdStates(reservation_id)).toEqual(['counted']);
    expect(await t.atp('tee')).toBe(6);
  });

  test('L1: counts again with the first report read within the margin before the shop lets go', async () => {
    const id = await mirrored();
    const until = TEST_START_MS + 17 * MINUTE;
    const lapsesAt = until - TEST_SETTINGS.mirror_margin_ms;
    await t.decide(id, (state) => ({
      result: undefined,
      // Submitted, so that the reservation itself outlives the hold at the shop.
      changes: {
        reservation: { reservation_key: state.owned?.reservation.reservation_key ?? 0, state: 'submitted' },
      },
    }));
    t.time.pass(17 * MINUTE);
    await t.levels('tee', { [WAREHOUSE]: 6 }, lapsesAt - 1);
    expect(await holdStates(id)).toEqual(['mirrored']);
    await t.levels('tee', { [WAREHOUSE]: 6 }, lapsesAt);
    expect(await holdStates(id)).toEqual(['counted']);
    await t.seed({ sku: 'tee', read_at_ms: until });
    expect(await t.atp('tee')).toBe(6);
  });

  test('L1: counts as before once its time at the shop has run out, with nothing left to wait for', async () => {
    const until_ms = t.clock.now() + 17 * MINUTE;
    const id = await mirrored();
    answerOf(await t.submit({ reservation_id: id, stock_hash: (await t.item('tee')).stock_hash }));
    t.time.pass(17 * MINUTE);
    await t.levels('tee', { [WAREHOUSE]: 6 }, until_ms - TEST_SETTINGS.mirror_margin_ms);
    expect((await t.owned(id)).holds).toMatchObject([
      { state: 'counted', awaits: null, awaits_after_ms: null, mirror_until_ms: null },
    ]);
    // The figure may still leave the units out: the shop lets go at any moment from now on.
    expect(t.journal('holds.moved').at(-1)).toMatchObject({ moved: [[1, 4, 'mirrored', 'counted']] });
  });

  test('L1: that was never seen in a report before its time ran out counts for good', async () => {
    await t.seed({ sku: 'tee' });
    const { reservation_id } = await t.granted('tee', 4);
    const until_ms = t.clock.now() + 5 * MINUTE;
    await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'd', until_ms }));
    t.time.pass(5 * MINUTE);
    await t.seed({ sku: 'tee', read_at_ms: until_ms - TEST_SETTINGS.mirror_margin_ms });
    expect((await t.owned(reservation_id)).holds).toMatchObject([
      { state: 'counted', awaits: null, awaits_after_ms: null, mirror_until_ms: until_ms },
    ]);
    expect(await t.atp('tee')).toBe(6);
  });

  test.each([
    ['has none of the item any more', { [STORE]: 5 }, TEST_LOCATIONS],
    [
      'is closed',
      { [WAREHOUSE]: 10, [STORE]: 5 },
      TEST_LOCATIONS.map((row) => ({ ...row, active: row.location_id === STORE })),
    ],
  ])(
    'is believed at the second location when the first %s: the shop takes from there',
    async (_, levels, locations) => {
      await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 9 } });
      const { reservation_id } = await t.granted('tee', 4, {
        lines: [{ sku: 'tee', quantity: units(4), location_id: STORE }],
      });
      await t.store.putLocations(locations);
      const until_ms = t.clock.now() + HOUR;
      await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'd', until_ms }));
      t.time.pass(SECOND);
      await t.seed({ sku: 'tee', levels });
      expect(await holdStates(reservation_id)).toEqual(['mirrored']);
      expect(await level('tee', STORE)).toMatchObject({ held_units: 0, mirrored_units: 4 });
    },
  );

  test('of units that were moved at the shop is where we hold them, at whatever location, and has no end', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1, [STORE]: 9 } });
    const { reservation_id } = await t.granted('tee', 4);
    await t.decide(reservation_id, decideTaken);
    t.time.pass(SECOND);
    await t.levels('tee', { [STORE]: 5 });
    expect((await t.owned(reservation_id)).holds).toMatchObject([
      { state: 'mirrored', awaits: null, mirror_until_ms: null },
    ]);
    expect(t.journal('holds.moved').at(-1)).toMatchObject({ moved: [[1, 4, 'counted', 'mirrored']] });
    t.time.pass(HOUR);
    await t.levels('tee', { [STORE]: 5 });
    expect(await holdStates(reservation_id)).toEqual(['mirrored']);
  });

  test('trusts a longer time that the shop has given since', async () => {
    const id = await mirrored();
    await t.decide(id, (state) => decideOpen(state, { hold_ref: 'draft-1', until_ms: TEST_START_MS + HOUR }));
    t.time.pass(17 * MINUTE);
    await t.levels('tee', { [WAREHOUSE]: 6 });
    expect(await holdStates(id)).toEqual(['mirrored']);
  });
});

describe('a hold whose order is placed', () => {
  test('L1: settles only with a report newer than the placing: one report early must not settle it', async () => {
    const { reservation_id, stock_hash } = await (async () => {
      await t.seed({ sku: 'tee' });
      return t.granted('tee', 4);
    })();
    await t.submit({ reservation_id, stock_hash });
    t.time.pass(SECOND);
    const placedAt = t.clock.now();
    await t.decide(reservation_id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    t.time.pass(SECOND);
    await t.levels('tee', { [WAREHOUSE]: 10 }, placedAt - 1);
    expect(await t.atp('tee')).toBe(6);
    await t.levels('tee', { [WAREHOUSE]: 6 }, placedAt);
    expect(await holdStates(reservation_id)).toEqual([]);
    expect(await t.atp('tee')).toBe(6);
  });

  test('L1: that was mirrored settles too, and its units are sold, not free', async () => {
    const id = await mirrored();
    const { stock_hash } = await t.item('tee');
    await t.submit({ reservation_id: id, stock_hash });
    await t.decide(id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    t.time.pass(SECOND);
    await t.levels('tee', { [WAREHOUSE]: 6 });
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 0, mirrored_units: 0 });
    expect(await t.atp('tee')).toBe(6);
    expect(t.journal('stock.changed').at(-1)).toMatchObject({ moved: [[1, 4, 'mirrored', 'gone']] });
  });

  test('L3: settles as well when its time at the shop has run out meanwhile: it does not count again', async () => {
    const id = await mirrored();
    const { stock_hash } = await t.item('tee');
    answerOf(await t.submit({ reservation_id: id, stock_hash }));
    await t.decide(id, (state) => decidePlaced(state, { order_ref: 'o1', order_name: '#1' }));
    t.time.pass(HOUR);
    await t.levels('tee', { [WAREHOUSE]: 6 });
    expect(await holdStates(id)).toEqual([]);
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 0, mirrored_units: 0 });
  });
});

describe('a mirrored hold that is over', () => {
  test('L3: promises nothing, keeps the checksum, and is gone with the report that gives the units back', async () => {
    const id = await mirrored();
    const before = await t.item('tee');
    await t.release(id);
    expect(await holdStates(id)).toEqual(['returning']);
    expect(await t.atp('tee')).toBe(6);
    expect((await t.item('tee')).stock_hash).toBe(before.stock_hash);
    t.time.pass(SECOND);
    await t.decide(id, decideDeleted);
    await t.levels('tee', { [WAREHOUSE]: 6 }, t.clock.now() - 1);
    expect(await holdStates(id)).toEqual(['returning']);
    await t.levels('tee', { [WAREHOUSE]: 10 });
    expect(await holdStates(id)).toEqual([]);
    expect(await t.item('tee')).toMatchObject({ stock_hash: before.stock_hash, state_version: 1 });
    expect(await t.atp('tee')).toBe(10);
  });

  test('L3: is gone once the shop has let go by itself, although nobody could ask it to', async () => {
    const id = await mirrored();
    t.time.pass(15 * MINUTE);
    await t.decide(id, decideExpire);
    expect(await holdStates(id)).toEqual(['returning']);
    t.time.pass(3 * MINUTE);
    await t.seed({ sku: 'tee' });
    expect(await holdStates(id)).toEqual([]);
    expect((await t.item('tee')).levels[0]).toMatchObject({ held_units: 0, mirrored_units: 0 });
    expect(await t.atp('tee')).toBe(10);
  });

  test('L3: waits for its full time at the shop: within the margin before it may still be held there', async () => {
    const until_ms = t.clock.now() + 17 * MINUTE;
    const id = await mirrored();
    await t.release(id);
    t.time.pass(17 * MINUTE);
    await t.levels('tee', { [WAREHOUSE]: 6 }, until_ms - 1);
    expect(await holdStates(id)).toEqual(['returning']);
    await t.levels('tee', { [WAREHOUSE]: 10 }, until_ms);
    expect(await holdStates(id)).toEqual([]);
  });

  test('L3: because its order failed promises nothing to anybody either', async () => {
    const id = await mirrored();
    await t.submit({ reservation_id: id, stock_hash: (await t.item('tee')).stock_hash });
    await t.decide(id, (state) => decideFailed(state, { code: 'shop_refused', detail: 'no' }));
    expect(await holdStates(id)).toEqual(['returning']);
    expect((await t.owned(id)).reservation.state).toBe('released');
    expect(await t.atp('tee')).toBe(6);
  });
});

describe('how fast an item sells', () => {
  /** Units an hour, times a million, as one unit more makes of it: averages over six hours, and over a quarter. */
  const ONE_UNIT = Math.round(1_000_000 / 6);
  const ONE_UNIT_SHORT = 4_000_000;
  const velocity = async () => (await t.item('tee')).velocity;
  const still = { micro_units_per_hour: 0, short_micro_units_per_hour: 0 };
  const start = { ...still, at_ms: TEST_START_MS, watched_since_ms: TEST_START_MS };

  test('is nothing when it is first seen, however many there are', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    expect(await velocity()).toEqual(start);
  });

  test.each([
    ['sold at one location', { [WAREHOUSE]: 7, [STORE]: 5 }, 3],
    ['sold at both', { [WAREHOUSE]: 8, [STORE]: 1 }, 6],
    ['sold at one and come in at the other, less of them', { [WAREHOUSE]: 6, [STORE]: 8 }, 1],
    ['gone with their location', { [WAREHOUSE]: 10 }, 5],
  ])('is told by units that are %s', async (_, levels, sold) => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    t.time.pass(MINUTE);
    await t.seed({ sku: 'tee', levels });
    const { micro_units_per_hour, short_micro_units_per_hour, ...times } = await velocity();
    expect(Math.abs(micro_units_per_hour - sold * ONE_UNIT)).toBeLessThan(10);
    expect(Math.abs(short_micro_units_per_hour - sold * ONE_UNIT_SHORT)).toBeLessThan(10);
    expect(times).toEqual({ at_ms: TEST_START_MS + MINUTE, watched_since_ms: TEST_START_MS });
  });

  test.each([
    ['the same figures', { [WAREHOUSE]: 10, [STORE]: 5 }],
    ['units that came in', { [WAREHOUSE]: 12, [STORE]: 5 }],
    ['units that were carried from one location to the other', { [WAREHOUSE]: 5, [STORE]: 10 }],
  ])('is not told by %s', async (_, levels) => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10, [STORE]: 5 } });
    t.time.pass(MINUTE);
    await t.seed({ sku: 'tee', levels });
    expect(await velocity()).toEqual(start);
  });

  test('is not told by units that the shop holds for us', async () => {
    await mirrored();
    expect(await velocity()).toEqual(start);
  });
});

test('ending a reservation whose level was not loaded is a bug, not a leak', async () => {
  await t.seed({ sku: 'tee' });
  const { reservation_id } = await t.granted('tee', 1);
  const ending = t.decide(reservation_id, (state) => {
    if (state.owned === null) throw new Error('no reservation');
    return { result: endReservation({ ...state, owned_items: [] }, state.owned, 'release') };
  });
  await expect(ending).rejects.toThrow('not loaded');
});
