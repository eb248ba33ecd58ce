import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../src/sandbox/base/events.js';
import { onHand, STOCK_STATES } from '../../src/sandbox/base/quantities.js';
import {
  currentUnits,
  fulfilledUnits,
  type Order,
  unfulfilledUnits,
} from '../../src/sandbox/shop/orders/order.js';
import { Shop } from '../../src/sandbox/shop/shop.js';
import type { Level } from '../../src/sandbox/shop/stock/inventory.js';
import { START_MS } from './sandbox-client.js';

const PLACES = ['Depot', 'Shop', 'Annex'];
const SKUS = ['A', 'B', 'C'] as const;

function catalogue(): Catalogue {
  const variant = (sku: string, stock: Record<string, number>) => ({
    sku,
    title: sku,
    options: [{ name: 'Size', value: sku }],
    price: '10.00',
    stock,
  });
  return {
    locations: PLACES.map((name) => ({ name, city: 'Kiel', countryCode: 'DE' })),
    products: [
      {
        title: 'Things',
        productType: 'Things',
        vendor: 'Us',
        variants: [
          variant('A', { Depot: 12, Shop: 3 }),
          { ...variant('B', { Shop: 4 }), inventoryPolicy: 'CONTINUE' },
          variant('C', { Depot: 1, Annex: 2 }),
        ],
      },
    ],
  };
}

interface Step {
  readonly verb: keyof typeof VERBS;
  readonly pick: number;
  readonly sku: (typeof SKUS)[number];
  readonly units: number;
  readonly at: string;
  readonly flag: boolean;
}

/** A shop, and what the test knows of it without asking: how many units should be anywhere in it. */
class World {
  nowMs = START_MS;
  readonly shop = new Shop({ catalogue: catalogue(), now: () => this.nowMs, searchLagMs: 0 });
  readonly events: ShopEvent[] = [];
  readonly before = this.levels();
  /** Units by SKU that the shop should have on hand, over all locations. */
  readonly present: Record<string, number> = { A: 15, B: 4, C: 3 };
  /** Units that went back on sale from an order's line before they were shipped, other than by a refund. */
  readonly unshippedBack = new Map<string, number>();

  constructor() {
    this.shop.events.listen((event) => this.events.push(event));
  }

  levels(): Map<string, Level['quantities']> {
    return new Map([...this.shop.inventory.levels.values()].map((level) => [level.id, level.quantities]));
  }

  /** The name of one of the orders; while there is none, a name that no order has. */
  orderName(pick: number): string {
    const orders = [...this.shop.orders.all()];
    return orders[pick % Math.max(1, orders.length)]?.name ?? '#0';
  }

  /** As `orderName`, of one of the returns. */
  returnName(pick: number): string {
    const returns = [...this.shop.orders.all()].flatMap((order) => order.returns);
    return returns[pick % Math.max(1, returns.length)]?.name ?? '#0-R1';
  }

  /** A SKU that is on the order, mostly: of another one there is nothing to ship, refund or take back. */
  skuOn(name: string, { sku, pick }: Step): string {
    if (pick % 7 === 0) return sku;
    const [order = ''] = name.split('-');
    return [...this.shop.orders.all()].find((one) => one.name === order)?.lines.at(0)?.sku ?? sku;
  }

  move(sku: string, units: number): void {
    this.present[sku] = (this.present[sku] ?? 0) + units;
  }

  noteBack(lineId: string, units: number): void {
    this.unshippedBack.set(lineId, (this.unshippedBack.get(lineId) ?? 0) + units);
  }
}

/** Units of the order's lines that are still to be shipped, by SKU. */
function unshipped(order: Order): Map<string, number> {
  const units = new Map<string, number>();
  for (const { id, sku } of order.lines) {
    units.set(sku ?? '', (units.get(sku ?? '') ?? 0) + unfulfilledUnits(order, id));
  }
  return units;
}

/** Each does one thing and tells the world what it should have done to the units in the shop. */
const VERBS = {
  sell: (world: World, { sku, units }: Step) => void world.shop.sell(sku, units),
  till: (world: World, { sku, units, at }: Step) => {
    world.shop.sell(sku, units, { at });
    world.move(sku, -units);
  },
  order: ({ shop, nowMs }: World, { sku, units, flag }: Step) => {
    const variantId = shop.inventory.variantOfSku(sku).id;
    const { userErrors } = shop.orderCreation.create(
      { lineItems: [{ variantId, quantity: units }], financialStatus: flag ? 'PAID' : 'PENDING' },
      flag ? 'DECREMENT_OBEYING_POLICY' : 'DECREMENT_IGNORING_POLICY',
      nowMs,
    );
    if (userErrors[0]) throw new Error(`cannot order: ${userErrors[0].message}`);
  },
  receive: (world: World, { sku, units, at }: Step) => {
    world.shop.receive(sku, at, units);
    world.move(sku, units);
  },
  hold: ({ shop, nowMs }: World, { sku, units, pick }: Step) => {
    const variantId = shop.inventory.variantOfSku(sku).id;
    const reserveInventoryUntil = new Date(nowMs + 60_000 * (1 + (pick % 5))).toISOString();
    shop.draftOrders.create({ lineItems: [{ variantId, quantity: units }], reserveInventoryUntil }, nowMs);
  },
  complete: ({ shop, nowMs }: World, { pick, flag }: Step) => {
    const drafts = [...shop.draftOrders.all()];
    const id = drafts[pick % Math.max(1, drafts.length)]?.id ?? '';
    if (flag) shop.payInvoice(id);
    else shop.draftOrders.complete(id, { paymentPending: true, sourceName: null, gatewayId: null }, nowMs);
  },
  drop: ({ shop, nowMs }: World, { pick }: Step) => {
    const drafts = [...shop.draftOrders.all()];
    shop.draftOrders.delete(drafts[pick % Math.max(1, drafts.length)]?.id ?? '', nowMs);
  },
  wait: (world: World, { units }: Step) => {
    world.nowMs += units * 30_000;
    world.shop.settle();
  },
  pay: (world: World, { pick }: Step) => void world.shop.markPaid(world.orderName(pick)),
  fulfil: (world: World, one: Step) => {
    const { pick, units, flag } = one;
    const name = world.orderName(pick);
    const sku = world.skuOn(name, one);
    const left = unshipped(world.shop.orders.named(name));
    world.shop.fulfil(name, flag ? {} : { [sku]: units });
    for (const [shipped, all] of flag ? left : [[sku, units] as const]) world.move(shipped, -all);
  },
  callBack: (world: World, { pick }: Step) => {
    const fulfillments = [...world.shop.orders.all()].flatMap((order) => order.fulfillments);
    const name = fulfillments[pick % Math.max(1, fulfillments.length)]?.name ?? 'none';
    const { lines, orderId } = world.shop.cancelFulfillment(name);
    for (const { lineId, quantity } of lines) {
      const line = world.shop.orders.get(orderId)?.lines.find(({ id }) => id === lineId);
      world.move(line?.sku ?? '', quantity);
    }
  },
  cancel: (world: World, { pick, flag }: Step) => {
    const order = world.shop.orders.named(world.orderName(pick));
    const left = new Map(order.lines.map(({ id, sku }) => [id, { sku, units: unfulfilledUnits(order, id) }]));
    world.shop.cancel(order.name, { restock: flag, refund: pick % 2 === 0 });
    const back = order.refunds.at(-1)?.lines ?? [];
    for (const [lineId, { sku, units }] of left) {
      const byRefund = order.isPaid ? (back.find((line) => line.lineId === lineId)?.quantity ?? 0) : 0;
      // What a refund says it restocked is counted there.
      if (flag) world.noteBack(lineId, Math.max(0, units - byRefund));
      else world.move(sku ?? '', -units);
    }
  },
  refund: (world: World, one: Step) => {
    const { pick, units, at, flag } = one;
    const restock = (['CANCEL', 'RETURN', 'NO_RESTOCK'] as const)[units % 3] ?? 'CANCEL';
    const name = world.orderName(pick);
    const sku = world.skuOn(name, one);
    const quantity = 1 + (pick % 2);
    world.shop.refund(name, { [sku]: quantity }, { restock, at, pays: flag });
    if (restock === 'RETURN') world.move(sku, quantity);
  },
  edit: (world: World, { pick, sku, units, flag }: Step) => {
    const order = world.shop.orders.named(world.orderName(pick));
    const line = order.lines.find((one) => one.sku === sku);
    const had = line ? currentUnits(line) : 0;
    world.shop.edit(order.name, { [sku]: units - 1 }, { restock: flag });
    const removed = Math.max(0, had - (units - 1));
    if (line && flag) world.noteBack(line.id, removed);
    if (!flag) world.move(sku, -removed);
  },
  comeBack: (world: World, one: Step) => {
    const name = world.orderName(one.pick);
    world.shop.returnUnits(name, { [world.skuOn(name, one)]: 1 + (one.units % 2) });
  },
  dispose: (world: World, one: Step) => {
    const types = ['RESTOCKED', 'NOT_RESTOCKED', 'MISSING', 'PROCESSING_REQUIRED'] as const;
    const type = types[one.units % types.length] ?? 'RESTOCKED';
    const name = world.returnName(one.pick);
    const sku = world.skuOn(name, one);
    world.shop.dispose(name, { [sku]: 1 }, type, one.at);
    if (type === 'RESTOCKED') world.move(sku, 1);
  },
  returnStep: (world: World, { pick, units }: Step) => {
    const { shop } = world;
    const name = world.returnName(pick);
    if (units % 3 === 0) shop.closeReturn(name);
    else if (units % 3 === 1) shop.reopenReturn(name);
    else shop.cancelReturn(name);
  },
  reroute: (world: World, { pick, at, units, flag }: Step) => {
    const { shop, nowMs } = world;
    const lists = shop.orders.named(world.orderName(pick)).fulfillmentOrders;
    const list = lists[units % Math.max(1, lists.length)];
    const line = list?.lines[0];
    const { userErrors } = shop.fulfillmentMoves.move(
      {
        id: list?.id ?? '',
        newLocationId: shop.inventory.locationNamed(at).id,
        fulfillmentOrderLineItems: flag && line ? [{ id: line.id, quantity: units }] : null,
      },
      nowMs,
    );
    if (userErrors[0]) throw new Error(`cannot move: ${userErrors[0].message}`);
  },
  pack: (world: World, { pick }: Step) => world.shop.reportProgress(world.orderName(pick)),
  close: ({ shop }: World, { at, flag, pick }: Step) => {
    const to = PLACES[pick % PLACES.length] ?? 'Depot';
    // An item that is stocked nowhere is sold without taking anything: of no interest here.
    const isLast = SKUS.some((sku) =>
      shop.inventory
        .servingLevels(shop.inventory.variantOfSku(sku).itemId)
        .every(({ locationId }) => locationId === shop.inventory.locationNamed(at).id),
    );
    if (isLast && !flag) throw new Error('cannot close the last location');
    shop.closeLocation(at, flag ? { to } : {});
  },
  open: ({ shop }: World, { at }: Step) => shop.setLocationActive(at, true),
  connect: (world: World, { sku, units, at }: Step) => {
    world.shop.connect(sku, at, units);
    world.move(sku, units);
  },
  disconnect: (world: World, { sku, at }: Step) => {
    const units = world.shop.readStock(sku, at).on_hand;
    world.shop.disconnect(sku, at);
    world.move(sku, -units);
  },
} as const;

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom(...(Object.keys(VERBS) as Step['verb'][])),
  pick: fc.nat({ max: 59 }),
  sku: fc.constantFrom(...SKUS),
  units: fc.integer({ min: 1, max: 4 }),
  at: fc.constantFrom(...PLACES),
  flag: fc.boolean(),
});

/** A refusal is an Error of the shop's own words; anything else is a bug, and fails the test. */
const REFUSED = /^(?:cannot |the sandbox shop has no |there are no such units|#\d+ has (?:fewer units|no ))/u;

function run(world: World, one: Step): boolean {
  const before = JSON.stringify([...world.levels()]);
  const told = world.events.length;
  try {
    VERBS[one.verb](world, one);
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !REFUSED.test(error.message)) throw error;
    // A fulfillment over several locations, or an edit, is refused before its first change.
    expect(JSON.stringify([...world.levels()])).toBe(before);
    expect(world.events.slice(told).filter(({ kind }) => kind === 'inventory_level')).toEqual([]);
    return false;
  }
}

function check(world: World): void {
  const { shop } = world;
  const orders = [...shop.orders.all()];
  for (const level of shop.inventory.levels.values()) {
    const committed = orders
      .flatMap(({ fulfillmentOrders }) => fulfillmentOrders)
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => (line.level === level ? sum + line.remainingUnits : sum), 0);
    const reserved = [...shop.draftOrders.all()]
      .flatMap(({ held }) => held)
      .reduce((sum, held) => (held.level === level ? sum + held.units : sum), 0);
    expect(level.quantities).toMatchObject({ committed, reserved });
  }
  for (const sku of SKUS) {
    const levels = shop.inventory.levelsOfItem(shop.inventory.variantOfSku(sku).itemId);
    const total = levels.reduce((sum, { quantities }) => sum + onHand(quantities), 0);
    expect(total, `${sku} on hand`).toBe(world.present[sku]);
  }
  for (const order of orders) checkLines(world, order);
}

function checkLines(world: World, order: Order): void {
  for (const line of order.lines) {
    const refunds = order.refunds.flatMap(({ lines }) => lines).filter(({ lineId }) => lineId === line.id);
    const unitsOf = (entries: readonly { readonly quantity: number }[]) =>
      entries.reduce((sum, { quantity }) => sum + quantity, 0);
    const back = order.returns
      .flatMap(({ reverseFulfillmentOrder }) => reverseFulfillmentOrder.lines)
      .filter(({ lineId }) => lineId === line.id);
    for (const { dispositions, quantity } of back) {
      expect(unitsOf(dispositions)).toBeLessThanOrEqual(quantity);
    }
    const restocked = back
      .flatMap(({ dispositions }) => dispositions)
      .filter(({ type }) => type === 'RESTOCKED');
    const returned = unitsOf(refunds.filter((one) => one.restockType === 'RETURN' && one.isRestocked));
    const shippedBack = returned + unitsOf(restocked);
    const cancelled = unitsOf(refunds.filter((one) => one.restockType === 'CANCEL' && one.isRestocked));
    const unshippedBack = cancelled + (world.unshippedBack.get(line.id) ?? 0);
    expect(shippedBack, 'shipped units that came back').toBeLessThanOrEqual(fulfilledUnits(order, line.id));
    expect(shippedBack + unshippedBack, 'units that came back').toBeLessThanOrEqual(line.quantity);
    expect(currentUnits(line)).toBeGreaterThanOrEqual(0);
  }
}

/** Nothing changes silently: the changes that were told of add up to the difference. */
function checkTold(world: World): void {
  const told = new Map<string, Record<string, number>>();
  for (const event of world.events) {
    if (event.kind !== 'inventory_level') continue;
    const sums = told.get(event.levelId) ?? {};
    told.set(event.levelId, sums);
    if (event.change === 'disconnected') for (const state of STOCK_STATES) sums[state] = Number.NaN;
    if (event.change !== 'updated') continue;
    for (const state of STOCK_STATES) sums[state] = (sums[state] ?? 0) + (event.deltas[state] ?? 0);
  }
  for (const level of world.shop.inventory.levels.values()) {
    const sums = told.get(level.id) ?? {};
    for (const state of STOCK_STATES) {
      if (Number.isNaN(sums[state])) continue;
      const before = world.before.get(level.id)?.[state] ?? 0;
      expect(level.quantities[state] - before, `${state} of ${level.id}`).toBe(sums[state] ?? 0);
    }
  }
}

describe('whatever merchants and customers do', () => {
  test('units are conserved, committed units are those still to be shipped, and none is restocked twice', () => {
    const done = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }), (steps) => {
        const world = new World();
        for (const one of steps) {
          world.nowMs += 1000;
          world.shop.settle();
          if (run(world, one)) done.set(one.verb, (done.get(one.verb) ?? 0) + 1);
          check(world);
        }
        checkTold(world);
      }),
      { numRuns: 150 },
    );
    // A verb that is always refused would prove nothing.
    for (const verb of Object.keys(VERBS)) expect(done.get(verb) ?? 0, verb).toBeGreaterThan(3);
  });
});
