import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sightOf } from '../../../src/ledger/query/check.js';
import {
  AGENT,
  answerOf,
  MINUTE,
  OTHER_AGENT,
  refusalOf,
  SECOND,
  STORE,
  TEST_LOCATIONS,
  TestLedger,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.readWhole();
});
afterEach(() => t.close());

describe('what is in stock', () => {
  test('is answered with figures by location, times and the checksum', async () => {
    await t.seed({
      sku: 'tee',
      title: 'Black T-Shirt',
      variant_title: 'M',
      levels: { [STORE]: 2, [WAREHOUSE]: 8 },
    });
    await t.granted('tee', 3);
    t.time.pass(30 * SECOND);
    const { stock_hash } = await t.item('tee');
    expect(answerOf(await t.ledger.checkStock(['tee', 'nope', 'tee']))).toEqual({
      items: [
        {
          sku: 'tee',
          title: 'Black T-Shirt · M',
          status: 'active',
          availability: { available: 7, status: 'in_stock' },
          available_to_promise: 7,
          locations: [
            { location_id: WAREHOUSE, name: 'Warehouse', available_to_promise: 5 },
            { location_id: STORE, name: 'Store', available_to_promise: 2 },
          ],
          as_of: '2026-11-23T12:00:00.000Z',
          confirmed_at: '2026-11-23T12:00:00.000Z',
          age_seconds: 30,
          max_age_seconds: 120,
          fresh: true,
          stock_hash,
        },
      ],
      unknown_skus: ['nope'],
      queried_at: '2026-11-23T12:00:30.000Z',
      valid_until: '2026-11-23T12:02:00.000Z',
    });
  });

  test('has the title of the product alone when the variant has none', async () => {
    await t.seed({ sku: 'tee', title: 'Black T-Shirt', variant_title: '' });
    expect((await t.check('tee')).items[0]?.title).toBe('Black T-Shirt');
  });

  test('is listed by the locations that are open and stock it', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3, [STORE]: 5 } });
    const locations = async () => {
      const { items } = answerOf(await t.ledger.checkStock(['tee'], { all_locations: true }));
      return items[0]?.locations.map(({ name }) => name);
    };
    await t.store.putLocations(TEST_LOCATIONS.map((row) => ({ ...row, active: row.location_id !== STORE })));
    expect(await locations()).toEqual(['Warehouse']);
    await t.store.putLocations(TEST_LOCATIONS);
    expect(await locations()).toEqual(['Warehouse', 'Store']);
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3 } });
    expect(await locations()).toEqual(['Warehouse']);
  });

  test.each([
    [4, 'in_stock'],
    [3, 'low_stock'],
    [1, 'low_stock'],
    [0, 'out_of_stock'],
    [-5, 'out_of_stock'],
  ])('with %s units is %s', async (available, status) => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: available } });
    expect((await t.check('tee')).items[0]?.availability).toEqual({
      available: Math.max(0, available),
      status,
    });
  });

  test('of a discontinued item is nothing, by that name', async () => {
    await t.seed({ sku: 'tee', lifecycle: 'discontinued' });
    expect((await t.check('tee')).items[0]).toMatchObject({
      status: 'discontinued',
      availability: { available: 0, status: 'discontinued' },
      locations: [],
      locations_omitted: 1,
    });
  });

  test('that is too old and can not be read again is nothing, and says so', async () => {
    await t.seed({ sku: 'tee' });
    t.time.pass(2 * MINUTE + 1);
    expect(answerOf(await t.ledger.checkStock(['tee'])).items[0]).toMatchObject({
      fresh: false,
      available_to_promise: 0,
      // Nobody could be asked: that is not the same as to be sold out.
      availability: { available: 0, status: 'unknown' },
      locations: [],
      locations_omitted: 1,
    });
  });
});

describe('where an item lies', () => {
  const PLACES = Array.from({ length: 9 }, (_, n) => `place-${n}`);
  /** By location: what is there. The fourth and the last have nothing. */
  const UNITS = [7, 1, 5, 0, 9, 2, 8, 3, 0];

  beforeEach(async () => {
    await t.close();
    t = await TestLedger.open({
      locations: PLACES.map((id, position) => ({ location_id: id, name: id, position, active: true })),
    });
    await t.seed({ sku: 'tee', levels: Object.fromEntries(PLACES.map((id, n) => [id, UNITS[n] ?? 0])) });
  });

  const told = async (options = {}) => {
    const [item] = answerOf(await t.ledger.checkStock(['tee'], options)).items;
    if (item === undefined) throw new Error('not answered');
    const { locations, locations_omitted, available_to_promise } = item;
    return {
      units: locations.map((location) => location.available_to_promise),
      locations_omitted,
      available_to_promise,
    };
  };

  test('is told of the five places that have most, in the order of the shop; the rest is counted', async () => {
    expect(await told()).toEqual({ units: [7, 5, 9, 8, 3], locations_omitted: 4, available_to_promise: 35 });
  });

  test('is told of all of them where that is asked for', async () => {
    expect(await told({ all_locations: true })).toEqual({ units: UNITS, available_to_promise: 35 });
    const mine = await t.granted('tee', 1);
    const again = answerOf(
      await t.ledger.checkReservation(AGENT, mine.reservation_id, { all_locations: true }),
    );
    expect(again.items[0]?.locations).toHaveLength(PLACES.length);
  });
});

describe("a reservation's stock", () => {
  test('is told to its owner with the basket checksum of now, and to nobody else', async () => {
    await t.seed({ sku: 'tee' });
    const { reservation_id, stock_hash } = await t.granted('tee', 3);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const answer = answerOf(await t.ledger.checkReservation(AGENT, reservation_id));
    expect(answer.reservation).toEqual({
      reservation_id,
      status: 'active',
      expires_at: '2026-11-23T12:15:00.000Z',
    });
    expect(answer.unknown_skus).toEqual([]);
    expect(answer.stock_hash).toBe((await t.item('tee')).stock_hash);
    expect(answer.stock_hash).not.toBe(stock_hash);
    const foreign = refusalOf(await t.ledger.checkReservation(OTHER_AGENT, reservation_id));
    expect(foreign).toEqual(refusalOf(await t.ledger.checkReservation(OTHER_AGENT, 'res_nope')));
  });

  test('is still told when the reservation is over', async () => {
    await t.seed({ sku: 'tee' });
    const { reservation_id, stock_hash } = await t.granted('tee', 3);
    await t.release(reservation_id);
    expect(answerOf(await t.ledger.checkReservation(AGENT, reservation_id))).toMatchObject({
      items: [{ sku: 'tee' }],
      stock_hash,
      reservation: { status: 'released' },
    });
  });
});

test('the stock of a reservation names the order once there is one', async () => {
  await t.seed({ sku: 'tee' });
  const granted = await t.granted('tee', 3);
  const { order_id } = answerOf(await t.submit(granted));
  const { reservation } = answerOf(await t.ledger.checkReservation(AGENT, granted.reservation_id));
  expect(reservation).toMatchObject({ status: 'submitted', order_id });
});

test('the stock of a reservation that is over and whose SKU has another name has the checksum it was given', async () => {
  await t.seed({ sku: 'old', item_id: 'item-1' });
  const { reservation_id, stock_hash } = await t.granted('old', 3);
  await t.release(reservation_id);
  await t.seed({ sku: 'new', item_id: 'item-1' });
  const answer = answerOf(await t.ledger.checkReservation(AGENT, reservation_id));
  expect(answer).toMatchObject({ items: [], stock_hash, reservation: { status: 'released' } });
});

describe('what a follower of a SKU sees', () => {
  const sight = (sku: string) => t.store.read({ skus: [sku] }, (state) => sightOf(state, sku, t.settings));

  test('of an unknown one is nothing to wait for', async () => {
    expect(await sight('nope')).toEqual({ item_key: null, mark: '', fresh_until_ms: null });
  });

  test('is marked alike while only time passes, and goes stale at the moment that is told', async () => {
    await t.seed({ sku: 'tee' });
    const confirmed = t.clock.now();
    const first = await sight('tee');
    t.time.pass(MINUTE);
    expect(await sight('tee')).toEqual(first);
    const { max_age_seconds = 0 } = (await t.check('tee')).items[0] ?? {};
    expect(first.fresh_until_ms).toBe(confirmed + max_age_seconds * SECOND);
    t.time.pass(max_age_seconds * SECOND);
    const stale = await sight('tee');
    expect(stale).toMatchObject({ item_key: first.item_key, fresh_until_ms: null });
    expect(stale.mark).not.toBe(first.mark);
  });

  test('has another mark when units are promised', async () => {
    await t.seed({ sku: 'tee' });
    const { mark } = await sight('tee');
    await t.granted('tee', 1);
    expect((await sight('tee')).mark).not.toBe(mark);
  });
});
