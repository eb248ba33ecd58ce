/**
 * Item 4: a placed order is moved to the places that promised its units, once, and only where the merchant wants it. Whatever
 * becomes of the call, nothing is asked for twice, and the books stay those of the shop.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { timelineOf } from '../../src/ledger/query/timeline.js';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import type { RoutingSettings } from '../../src/sandbox/shop/orders/routing.js';
import { MINUTE, SECOND, units } from '../helpers/ledger.js';
import { product, ShopLedger, type ShopLedgerOptions, type ShopProcess } from '../helpers/shop-ledger.js';

/** The first has the lower id, and promises first. */
const NORTH = 'North';
const SOUTH = 'South';
const EAST = 'East';

const catalogue: Catalogue = {
  locations: [NORTH, SOUTH, EAST].map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
  products: [
    product('RUG', { [NORTH]: 5, [SOUTH]: 5, [EAST]: 5 }),
    product('VASE', { [NORTH]: 3, [SOUTH]: 3 }),
    product('LAMP', { [NORTH]: 0, [SOUTH]: 4, [EAST]: 0 }),
  ],
};

/** The shop takes everything from the south, whatever was promised. */
const FROM_SOUTH: RoutingSettings = { rule: 'preferred', preference: [SOUTH] };
const ON = { route_fulfillment: 'promised' } as const;
const LISTED = { limit: 1, beforeOrderId: null, isHeld: false, isParked: false };

let t: ShopLedger;
/** Looks and moves that were sent to the shop, by whichever process. */
let sent: ('look' | 'move')[];
afterEach(() => t.close());

/** Notes what a process asks the shop for. */
function watch({ upstream: { sink } }: ShopProcess): void {
  const [look, move] = [sink.readFulfilment.bind(sink), sink.moveFulfilment.bind(sink)];
  sink.readFulfilment = (...args) => {
    sent.push('look');
    return look(...args);
  };
  sink.moveFulfilment = (...args) => {
    sent.push('move');
    return move(...args);
  };
}

function beside(worker: string, options?: ShopLedgerOptions): ShopProcess {
  const other = t.beside(worker, options);
  watch(other);
  return other;
}

async function open({ settings = {}, sandbox = {}, ...options }: ShopLedgerOptions = {}): Promise<void> {
  t = await ShopLedger.open({
    ...options,
    settings: { ...ON, ...settings },
    sandbox: { catalogue, routing: FROM_SOUTH, seed: 11, ...sandbox },
  });
  sent = [];
  watch(t);
}

/** An order that the shop has just taken, and that nobody has looked at since. */
async function placed(sku: string, quantity: number, at?: string) {
  const location_id = at === undefined ? undefined : await t.locationId(at);
  const line = { sku, quantity: units(quantity), ...(location_id === undefined ? {} : { location_id }) };
  const mine = await t.granted(sku, quantity, { lines: [line] });
  await t.workFor(SECOND);
  await t.accepted({ ...mine, stock_hash: (await t.item(sku)).stock_hash });
  await t.work();
  expect((await t.order(mine)).state).toBe('placed');
  return mine;
}

const moves = () => t.server.shop.fulfillmentMoves.done;
const asked = () => sent.filter((one) => one === 'move').length;
/** Units that are to be shipped, by place. */
function shipping(): Record<string, number> {
  const by: Record<string, number> = {};
  for (const { fulfillmentOrders } of t.server.shop.orders.all())
    for (const { locationId, lines } of fulfillmentOrders) {
      const name = t.server.shop.inventory.locations.get(locationId ?? '')?.name ?? '';
      const left = lines.reduce((sum, { remainingUnits }) => sum + remainingUnits, 0);
      if (left > 0) by[name] = (by[name] ?? 0) + left;
    }
  return by;
}

async function story(mine: { readonly reservation_id: string }): Promise<string[]> {
  const { reservation } = await t.owned(mine);
  const entries = await t.store.timeline(reservation.reservation_key, 100);
  return timelineOf(entries).flatMap(({ event }) => (/rout/.test(event) ? [event] : []));
}

const readRoute = async (mine: { readonly reservation_id: string }) => (await t.order(mine)).route;

async function expectSettled(): Promise<void> {
  await t.beat();
  expect(t.rawly((db) => db.prepare('SELECT count(*) FROM routed_units').pluck().get())).toBe(0);
  await t.expectTrueBooks();
}

describe('off, as it is by default', () => {
  test('no call is made, and the order stays where the shop has put it', async () => {
    await open({ settings: { route_fulfillment: 'shop' } });
    const mine = await placed('RUG', 2);
    await t.workFor(5 * MINUTE);
    expect(sent).toEqual([]);
    expect(shipping()).toEqual({ [SOUTH]: 2 });
    expect((await t.order(mine)).route).toBeNull();
    await expectSettled();
  });

  test('switched off between the submit and now, no call is made either', async () => {
    await open();
    const mine = await t.granted('RUG', 1);
    await t.workFor(SECOND);
    await t.accepted({ ...mine, stock_hash: (await t.item('RUG')).stock_hash });
    const other = beside('other', { settings: { route_fulfillment: 'shop' } });
    await other.workFor(5 * MINUTE);
    expect((await t.order(mine)).state).toBe('placed');
    expect(sent).toEqual([]);
    await other.close();
  });

  test.each([
    ['the shop has moved it', 'after', { state: 'moved' }, { [NORTH]: 2 }],
    ['the shop has not', 'before', { state: 'not_moved', why: 'not_seen' }, { [SOUTH]: 2 }],
  ] as const)(
    'L1: switched off while a move is under way, it is looked at until %s, and its units are let go of',
    async (_, when, route, places) => {
      await open();
      const mine = await placed('RUG', 2);
      t.server.faults.add({ operation: 'fulfillmentOrderMove', when, action: 'drop' });
      t.time.pass(5 * SECOND);
      await t.work();
      expect(await readRoute(mine)).toMatchObject({ state: 'moving' });
      expect((await t.level('RUG', NORTH)).routed_units).toBe(2);
      const other = beside('other', { settings: { route_fulfillment: 'shop' } });
      await other.workFor(15 * MINUTE);
      expect(await readRoute(mine)).toMatchObject(route);
      expect(shipping()).toEqual(places);
      expect(asked()).toBe(1);
      await expectSettled();
      expect((await t.level('RUG', NORTH)).routed_units).toBe(0);
      await other.close();
    },
  );

  test('switched off, the moves that are left of an order are not asked for', async () => {
    await open();
    const lines = [
      { sku: 'RUG', quantity: units(2), location_id: await t.locationId(EAST) },
      { sku: 'VASE', quantity: units(1), location_id: await t.locationId(NORTH) },
    ];
    const mine = await t.granted('RUG', 1, { lines });
    await t.workFor(SECOND);
    await t.accepted(mine);
    await t.work();
    t.server.faults.add({ operation: 'fulfillmentOrderMove', when: 'after', action: 'drop' });
    t.time.pass(5 * SECOND);
    await t.work();
    expect(await readRoute(mine)).toMatchObject({ state: 'moving', moves: [{ is_last: false }] });
    const other = beside('other', { settings: { route_fulfillment: 'shop' } });
    await other.workFor(15 * MINUTE);
    expect(asked()).toBe(1);
    expect((await readRoute(mine))?.state).toBe('wanted');
    expect(t.nextDue()).toBeNull();
    await expectSettled();
    await other.close();
  });
});

describe('item 4: the order goes to the place that promised it', () => {
  test('moves once, after a look, and the units fall and rise as our own', async () => {
    await open();
    const mine = await placed('RUG', 2);
    expect(shipping()).toEqual({ [SOUTH]: 2 });
    await t.workFor(MINUTE);
    expect(shipping()).toEqual({ [NORTH]: 2 });
    expect(moves()).toHaveLength(1);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved', why: null, moves: [{ is_last: true }] });
    expect(await story(mine)).toEqual(['order.routing', 'order.routed']);
    expect([NORTH, SOUTH, EAST].map((at) => t.available('RUG', at))).toEqual([3, 5, 5]);
    expect(await t.atp('RUG')).toBe(13);
    const { shop } = t.server;
    shop.fulfil([...shop.orders.all()][0]?.name ?? '');
    await t.workFor(5 * MINUTE);
    expect(moves()).toHaveLength(1);
    await expectSettled();
  });

  test('buyers go first: the look comes in a visit of its own', async () => {
    await open();
    await placed('RUG', 1);
    expect(sent).toEqual([]);
  });

  test('an order that stands where it was promised needs nothing', async () => {
    await open({ sandbox: { routing: { rule: 'preferred', preference: [NORTH] } } });
    const mine = await placed('RUG', 2);
    await t.workFor(5 * MINUTE);
    expect(moves()).toEqual([]);
    expect(sent).toEqual(['look']);
    expect(await readRoute(mine)).toMatchObject({ state: 'in_place', moves: [] });
    expect(await story(mine)).toEqual(['order.routed']);
    await expectSettled();
  });

  test('units that were promised by two places and taken at one are moved in part', async () => {
    await open();
    const mine = await placed('RUG', 8);
    expect((await t.owned(mine)).reservation.lines[0]?.allocations).toHaveLength(2);
    await t.workFor(MINUTE);
    expect(shipping()).toEqual({ [NORTH]: 5, [SOUTH]: 3 });
    expect(moves()).toMatchObject([{ units: 5 }]);
    await expectSettled();
  });

  test('each move of a basket over three places is asked for once', async () => {
    await open();
    const lines = [
      { sku: 'RUG', quantity: units(2), location_id: await t.locationId(EAST) },
      { sku: 'VASE', quantity: units(1), location_id: await t.locationId(NORTH) },
    ];
    const mine = await t.granted('RUG', 1, { lines });
    await t.workFor(SECOND);
    await t.accepted(mine);
    await t.workFor(2 * MINUTE);
    expect(shipping()).toEqual({ [EAST]: 2, [NORTH]: 1 });
    expect(moves()).toHaveLength(2);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    expect(await story(mine)).toEqual(['order.routing', 'order.routed', 'order.routing', 'order.routed']);
    await expectSettled();
  });

  test('mirroring, a move and letting go leave no doubt: a draft beside it is placed as it would be without', async () => {
    await open();
    const other = await t.granted('RUG', 1, { principal: 'another' });
    await placed('RUG', 2);
    await t.workFor(MINUTE);
    const { holds } = await t.owned(other);
    expect(holds.filter(({ place }) => place === 'doubted')).toEqual([]);
    expect(holds.every(({ state }) => state === 'mirrored')).toBe(true);
    expect(await t.atp('RUG')).toBe(12);
    await expectSettled();
  });
});

describe.each([
  ['from the lowest id', { rule: 'lowest_id' }],
  ['from the preferred location', FROM_SOUTH],
  ['from one that has them', { rule: 'in_stock', preference: [SOUTH, EAST] }],
  ['from several', { rule: 'split', preference: [EAST, SOUTH] }],
  ['as it likes', { rule: 'any', preference: [SOUTH, NORTH] }],
] as const satisfies readonly (readonly [string, RoutingSettings])[])(
  'a shop that takes units %s',
  (_, routing) => {
    test.each(['draft_order', 'none', 'move'] as const)(
      'mode %s: every order ends where it was promised, no move twice',
      async (mirror) => {
        await open({ settings: { mirror }, sandbox: { routing } });
        const orders = [];
        for (const [sku, quantity, at] of [
          ['RUG', 7],
          ['VASE', 2, SOUTH],
          ['RUG', 2, EAST],
          ['LAMP', 3],
        ] as const) {
          orders.push(await placed(sku, quantity, at));
          await t.workFor(MINUTE);
          await t.beat();
        }
        const wanted: Record<string, number> = {};
        const names = new Map<string, string>();
        for (const name of [NORTH, SOUTH, EAST]) names.set(await t.locationId(name), name);
        for (const mine of orders) {
          const route = await readRoute(mine);
          expect(['moved', 'in_place']).toContain(route?.state);
          for (const { location_id, units: own } of route?.promised ?? []) {
            const name = names.get(location_id) ?? '';
            wanted[name] = (wanted[name] ?? 0) + own;
          }
        }
        expect(shipping()).toEqual(wanted);
        const pairs = moves().map((one) => `${one.orderId} ${one.fromLocationId} ${one.toLocationId}`);
        expect(new Set(pairs).size).toBe(pairs.length);
        await expectSettled();
      },
    );
  },
);

describe('a link that the buyer pays', () => {
  test('leads to an order that is moved, too', async () => {
    await open({ settings: { order_mode: 'checkout_link' } });
    const mine = await t.granted('RUG', 1);
    await t.workFor(SECOND);
    await t.accepted(mine);
    await t.workFor(2 * SECOND);
    for (const draft of t.drafts()) t.server.shop.payInvoice(draft.id);
    await t.workFor(3 * MINUTE);
    expect(shipping()).toEqual({ [NORTH]: 1 });
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    await expectSettled();
  });
});

describe('item 4: whatever becomes of the call, it is made once', () => {
  test('a lost answer: the shop has moved it, and that is seen', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.faults.add({ operation: 'fulfillmentOrderMove', when: 'after', action: 'drop' });
    await t.workFor(5 * MINUTE);
    expect(moves()).toHaveLength(1);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    expect(await story(mine)).toEqual(['order.routing', 'order.routed']);
    await expectSettled();
  });

  test('a lost request: it is looked for, never sent again, and told in the end; its units are sold meanwhile', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.faults.add({ operation: 'fulfillmentOrderMove', when: 'before', action: 'drop' });
    await t.workFor(5 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'moving' });
    // What may be gone from the north at any moment is promised to nobody.
    expect((await t.item('RUG')).levels.map(({ routed_units }) => routed_units)).toEqual([2, 0, 0]);
    expect(await t.atp('RUG')).toBe(11);
    await t.workFor(10 * MINUTE);
    await t.beat();
    expect(await readRoute(mine)).toMatchObject({ state: 'not_moved', why: 'not_seen' });
    expect(await t.atp('RUG')).toBe(13);
    expect(asked()).toBe(1);
    expect(moves()).toEqual([]);
    expect(await story(mine)).toEqual(['order.routing', 'order.not_routed']);
    await expectSettled();
  });

  test('carried out late, after the answer was given up: seen all the same', async () => {
    await open();
    const mine = await placed('RUG', 2);
    const { fulfillmentMoves } = t.server.shop;
    const move = fulfillmentMoves.move.bind(fulfillmentMoves);
    let carryOut = () => {};
    fulfillmentMoves.move = (input, nowMs) => {
      carryOut = () => void move(input, nowMs);
      return {
        movedFulfillmentOrder: null,
        originalFulfillmentOrder: null,
        remainingFulfillmentOrder: null,
        userErrors: [],
      };
    };
    await t.workFor(MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'moving' });
    carryOut();
    await t.workFor(2 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    expect(moves()).toHaveLength(1);
    expect(shipping()).toEqual({ [NORTH]: 2 });
    await expectSettled();
  });

  test.each([
    ['before the call', 'before' as const],
    ['after it', 'after' as const],
  ])('a process that dies between the intent and the answer, %s', async (_, when) => {
    await open();
    const mine = await placed('RUG', 2);
    const dying = beside('dying');
    const { sink } = dying.upstream;
    const send = sink.moveFulfilment.bind(sink);
    sink.moveFulfilment = async (...args) => {
      if (when === 'after') await send(...args);
      // It never comes back: nothing that it would write is written.
      throw new Dead();
    };
    const store = dying.store as { transact: ShopProcess['store']['transact'] };
    const transact = store.transact.bind(dying.store);
    let isDead = false;
    store.transact = async (keys, decide) => {
      if (isDead) throw new Dead();
      return transact(keys, decide);
    };
    sink.moveFulfilment = new Proxy(sink.moveFulfilment, {
      apply: (call, self, args) => {
        isDead = true;
        return Reflect.apply(call, self, args);
      },
    });
    t.time.pass(3 * SECOND);
    await dying.work();
    expect(await readRoute(mine)).toMatchObject({ state: 'moving' });
    await t.workFor(20 * MINUTE);
    await t.beat();
    expect(asked()).toBe(when === 'after' ? 1 : 0);
    expect(await readRoute(mine)).toMatchObject(
      when === 'after' ? { state: 'moved' } : { state: 'not_moved', why: 'not_seen' },
    );
    await expectSettled();
    await dying.close();
  });

  test('two processes on one ledger ask once', async () => {
    await open();
    const mine = await placed('RUG', 2);
    const other = beside('other');
    t.time.pass(3 * SECOND);
    await Promise.all([t.work(), other.work()]);
    await Promise.all([t.workFor(MINUTE), other.work()]);
    expect(asked()).toBe(1);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    await expectSettled();
    await other.close();
  });

  test('a call that was turned away at the door was not judged: it is made later', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.faults.add({ operation: 'fulfillmentOrderMove', when: 'before', action: 'status', code: 429 });
    await t.workFor(2 * MINUTE);
    expect(moves()).toHaveLength(1);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved', moves: [{}] });
    await expectSettled();
  });

  test('refused: told, and not asked again', async () => {
    await open({ sandbox: { fulfilment: { moves: 'refused' } } });
    const mine = await placed('RUG', 2);
    await t.workFor(20 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'not_moved', why: 'refused' });
    expect(asked()).toBe(1);
    expect(await story(mine)).toEqual(['order.routing', 'order.not_routed']);
    expect((await t.store.listOrders(LISTED))?.[0]).toMatchObject({
      route_state: 'not_moved',
      route_why: 'refused',
    });
    expect((await t.item('RUG')).levels.map(({ routed_units }) => routed_units)).toEqual([0, 0, 0]);
    await expectSettled();
  });
});

describe('item 4: what is not to be moved is told, and not asked for', () => {
  const noMove = async (mine: { readonly reservation_id: string }, why: string) => {
    await t.workFor(5 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'not_moved', why });
    expect(await story(mine)).toEqual(['order.not_routed']);
    expect(asked()).toBe(0);
    await expectSettled();
  };

  test('shipped already', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.fulfil([...t.server.shop.orders.all()][0]?.name ?? '');
    await noMove(mine, 'closed');
  });

  test('cancelled', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.cancel([...t.server.shop.orders.all()][0]?.name ?? '', { restock: true });
    await noMove(mine, 'closed');
  });

  test('being packed: the shop does not offer it', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.reportProgress([...t.server.shop.orders.all()][0]?.name ?? '');
    await noMove(mine, 'not_offered');
  });

  test('edited by a person', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.edit([...t.server.shop.orders.all()][0]?.name ?? '', { RUG: 3 });
    await noMove(mine, 'changed_at_shop');
  });

  test('the promised place was drained since, by a till of which nobody told', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.sell('RUG', 4, { at: NORTH });
    await noMove(mine, 'short');
  });

  test('the promised place has the units of one of two orders that are looked at together', async () => {
    await open();
    const mine = [await placed('RUG', 2), await placed('RUG', 2)];
    t.server.shop.sell('RUG', 3, { at: NORTH });
    t.server.faults.add({
      operation: 'fulfillmentOrderMove',
      when: 'before',
      action: 'delay',
      ms: 300,
      times: 2,
    });
    // Both are due.
    t.time.pass(5 * SECOND);
    await t.workFor(5 * MINUTE);
    expect(shipping()).toEqual({ [NORTH]: 2, [SOUTH]: 2 });
    expect(asked()).toBe(1);
    const routes = await Promise.all(mine.map(readRoute));
    expect(routes.map((route) => route?.state).sort()).toEqual(['moved', 'not_moved']);
    expect(t.available('RUG', NORTH)).toBe(0);
    await expectSettled();
  });

  test('the promised place is closed', async () => {
    await open();
    const mine = await placed('RUG', 2);
    t.server.shop.closeLocation(NORTH, { to: EAST });
    await t.beat();
    await noMove(mine, 'not_stocked');
  });

  test('in mode move, units that the place holds for others are not there for it', async () => {
    await open({ settings: { mirror: 'move' } });
    const mine = await placed('RUG', 2);
    await t.granted('RUG', 4, { principal: 'another' });
    t.server.faults.add({
      operation: 'inventoryMoveQuantities',
      when: 'before',
      action: 'throttle',
      times: 9,
    });
    await t.workFor(MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'not_moved', why: 'short' });
  });
});

describe('what is to be shipped is shown late', () => {
  test('it is waited for', async () => {
    await open({ sandbox: { fulfilment: { shownAfterMs: 40_000 } } });
    const mine = await placed('RUG', 2);
    await t.workFor(30 * SECOND);
    expect(await readRoute(mine)).toMatchObject({ state: 'wanted' });
    await t.workFor(2 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'moved' });
    await expectSettled();
  });

  test('not for ever, and the row is never parked', async () => {
    await open({ sandbox: { fulfilment: { shownAfterMs: 20 * 3_600_000 } } });
    const mine = await placed('RUG', 2);
    await t.workFor(70 * MINUTE);
    expect(await readRoute(mine)).toMatchObject({ state: 'not_moved', why: 'too_late' });
    expect((await t.owned(mine)).outbox).toMatchObject({ parked: false, due_at_ms: null });
    // Some forty looks, not one every half second.
    expect(sent.length).toBeLessThan(50);
  });

  test('without the scope nothing is moved, nothing is parked, and the order is placed all the same', async () => {
    const scopes = ['read_products', 'read_inventory', 'read_locations', 'read_orders', 'write_draft_orders'];
    await open({ sandbox: { scopes } });
    const mine = await placed('RUG', 2);
    await t.workFor(70 * MINUTE);
    expect(await t.order(mine)).toMatchObject({ state: 'placed', route: { why: 'too_late' } });
    expect((await t.owned(mine)).outbox.parked).toBe(false);
  });
});

class Dead extends Error {}
