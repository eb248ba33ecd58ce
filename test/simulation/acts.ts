/** What can happen in a story, by its name. Each answers what it did, for the timeline; null when there was nothing to do. */

import type { Fault } from '../../src/sandbox/base/faults.js';
import type { DraftInput } from '../../src/sandbox/shop/orders/draft-input.js';
import type { DraftOrder } from '../../src/sandbox/shop/orders/draft-orders.js';
import type { Shop } from '../../src/sandbox/shop/shop.js';
import { Dice } from './dice.js';
import type { ActionKind } from './story.js';
import type { World } from './world.js';

type Act = (world: World, dice: Dice) => string | null;

const SECOND = 1_000;
const HOUR_S = 3_600;

export const ACTS: Readonly<Record<ActionKind, Act>> = {
  agent: (world, dice) => {
    world.visit(dice, null);
    return null;
  },
  rush: (world, dice) => {
    const sku = dice.of(world.skus.filter((one) => one !== 'BOOK'));
    const count = dice.between(4, 8);
    for (let n = 0; n < count; n += 1)
      world.visit(new Dice(dice.between(0, 2 ** 31)), sku, dice.between(0, 1_500));
    return `${count} agents want ${sku}`;
  },
  till: ({ shop: { shop }, skus, story }, dice) => {
    const { sku, place } = somewhere(skus, story, dice);
    const units = dice.between(1, 2);
    if (shop.readStock(sku, place).available < units) return null;
    shop.sell(sku, units, { at: place });
    return `the till sells ${units} of ${sku}`;
  },
  shelf: ({ shop: { shop }, skus, story }, dice) => {
    const { sku, place } = somewhere(skus, story, dice);
    const { available, reserved } = shop.readStock(sku, place);
    if (reserved < 1 || available + reserved < 1) return null;
    shop.sell(sku, Math.max(1, available + 1), { at: place });
    return `the till sells one ${sku} that a draft holds`;
  },
  web_order: ({ shop: { shop }, skus, story }, dice) => {
    const sku = dice.of(skus);
    // The shop's own checkout sells what it has in all; where it takes it is the routing's matter.
    const there = Object.keys(story.stock[sku] ?? {}).map((place) => shop.readStock(sku, place).available);
    if (there.reduce((sum, units) => sum + units, 0) < 1) return null;
    shop.sell(sku, 1);
    return `the web shop sells one ${sku}`;
  },
  receipt: ({ shop: { shop }, skus, story }, dice) => {
    const { sku, place } = somewhere(skus, story, dice);
    const units = dice.between(1, 5);
    shop.receive(sku, place, units);
    return `${units} of ${sku} come in`;
  },
  loss: ({ shop: { shop }, skus, story }, dice) => {
    const { sku, place } = somewhere(skus, story, dice);
    if (shop.readStock(sku, place).available < 1) return null;
    shop.receive(sku, place, -1);
    return `one ${sku} is lost`;
  },
  ship: (world, dice) =>
    withOrder(world, dice, (name) => {
      world.shop.shop.fulfil(name);
      return `${name} is shipped`;
    }),
  cancel: (world, dice) =>
    withOrder(world, dice, (name) => {
      const restock = dice.chance(0.5);
      world.shop.shop.cancel(name, { restock });
      return `${name} is cancelled${restock ? ' and restocked' : ''}`;
    }),
  draft_by_hand: ({ shop: { shop }, oracle }, dice) => {
    const now = shop.settle();
    const open = [...shop.draftOrders.all()].filter(({ orderId }) => orderId === null);
    if (open.length === 0) return null;
    const { id, name, tags } = dice.of(open);
    oracle.meddled(tags);
    if (dice.chance(0.6)) {
      shop.draftOrders.delete(id, now);
      return `somebody deletes ${name}`;
    }
    shop.draftOrders.complete(id, { paymentPending: false, sourceName: null, gatewayId: null }, now);
    return `somebody completes ${name}`;
  },
  draft_edit: ({ shop: { shop }, oracle, skus }, dice) => {
    const now = shop.settle();
    const open = ourDrafts(shop);
    if (open.length === 0) return null;
    const draft = dice.of(open);
    oracle.edited(draft.tags);
    if (dice.chance(0.15)) {
      shop.draftOrders.delete(draft.id, now);
      return `somebody deletes ${draft.name}`;
    }
    const { what, input } = editOf(draft, dice, shop.inventory.variantOfSku(dice.of(skus)).id);
    shop.draftOrders.update(draft.id, input, now);
    return `somebody edits ${draft.name}: ${what}`;
  },
  edit_at_once: ({ network, shop: { shop }, oracle }) => {
    const act = (): void => {
      const now = shop.settle();
      const draft = ourDrafts(shop).at(-1);
      if (draft === undefined) return;
      oracle.edited(draft.tags);
      shop.draftOrders.update(draft.id, { reserveInventoryUntil: null }, now);
    };
    network.surprise('CreateHold', { isLost: false, act });
    return 'somebody takes the reservation off the next draft as soon as it is made';
  },
  lost_completion: ({ network, shop: { shop }, oracle }) => {
    const act = (body: string): void => {
      const now = shop.settle();
      const draft = ourDrafts(shop).find(({ id }) => body.includes(id));
      if (draft === undefined) return;
      oracle.edited(draft.tags);
      shop.draftOrders.delete(draft.id, now);
    };
    network.surprise('CompleteHold', { isLost: true, act });
    return 'the next completion is lost, and somebody deletes its draft';
  },
  lifecycle: ({ shop: { shop }, skus }, dice) => {
    const sku = dice.of(skus);
    const status = dice.of(['ARCHIVED', 'ACTIVE', 'ACTIVE'] as const);
    shop.setProductStatus(sku, status);
    return `${sku} becomes ${status}`;
  },
  shop_fault: ({ shop: { faults } }, dice) => {
    const operation = dice.of(OPERATIONS);
    const times = dice.between(1, 3);
    const { name, fault } = dice.of(FAULTS);
    faults.add({ operation, times, ...fault } as Fault);
    return `the next ${times} of ${operation}: ${name}`;
  },
  shop_slow: ({ shop: { faults } }, dice) => {
    const operation = dice.of(OPERATIONS);
    const when = dice.of(['before', 'after'] as const);
    const ms = dice.of([300, 2_000, 9_000, 25_000]);
    const times = dice.between(1, 4);
    faults.add({ operation, times, when, action: 'delay', ms });
    return `the next ${times} of ${operation} take ${ms} ms, ${when} their effect`;
  },
  outage: ({ network, universe }, dice) => {
    const s = dice.of([5, 20, 60, 170]);
    network.outage_until_ms = universe.now_ms + s * SECOND;
    return `nobody reaches the shop for ${s} s`;
  },
  weather: ({ shop: { webhooks } }, dice) => {
    const share = () => dice.of([0, 0, 0.3, 0.7]);
    const faults = {
      lost: share(),
      doubled: share(),
      reordered: share(),
      merged: share(),
      late: dice.of([0, 0.2]),
      lateByMs: 300_000,
    };
    webhooks.setFaults(faults);
    return `webhooks: ${JSON.stringify(faults)}`;
  },
  search_lag: ({ shop }, dice) => {
    const searchLagMs = dice.of([0, 2_000, 8_000, 18_000]);
    shop.set({ searchLagMs });
    return `the shop's search lags by ${searchLagMs} ms`;
  },
  kill: ({ servers }, dice) => {
    const { name, running } = dice.of(servers);
    if (running === null) return null;
    if (dice.chance(0.25)) {
      running.life.die();
      return null;
    }
    const statements = dice.between(0, 250);
    running.disk.dies_in = statements;
    running.disk.dies_after_commit = dice.chance(0.5);
    return `${name} will die ${statements} statements from here`;
  },
  disk_full: (world, dice) => onDisk(world, dice, 'full', [400, 3_000, 15_000]),
  disk_busy: (world, dice) => onDisk(world, dice, 'busy', [30, 400, 6_000]),
  clock: ({ universe }, dice) => {
    const s = dice.of([-120, -30, -2, 2, 30, 200]);
    // A machine that is put behind again and again while its servers restart would lose hours: that is another story.
    universe.wall_offset_ms = Math.max(-150 * SECOND, universe.wall_offset_ms + s * SECOND);
    return `the servers' clock jumps by ${s} s`;
  },
  reconcile: ({ servers, oracle }, dice) => {
    const { name, running } = dice.of(servers);
    if (running === null) return null;
    void running.holdfast
      .sync()
      .then((sync) => sync.reconcile(new AbortController().signal))
      .catch((error: unknown) => {
        if ((error as Error).name === 'TypeError') oracle.bug(`reconcile ${(error as Error).stack}`);
      });
    return `${name} reconciles`;
  },
  lost_answer: ({ shop: { faults } }, dice) => {
    const operation = dice.of(MAKES);
    faults.add({ operation, when: 'after', action: 'drop', times: 1 });
    return `the next ${operation} is done, and nobody hears of it`;
  },
  blackout: ({ network, universe }, dice) => {
    const s = dice.between(180, 280);
    network.outage_until_ms = universe.now_ms + s * SECOND;
    network.silence_until_ms = network.outage_until_ms;
    return `for ${s} s nobody reaches the shop, and it reaches nobody`;
  },
  slow_reads: ({ shop: { faults } }, dice) => {
    const operation = dice.of(['inventoryItems', 'nodes'] as const);
    const ms = dice.of([150, 400, 900, 2_500]);
    faults.add({ operation, when: 'after', action: 'delay', ms, times: 12 });
    return `the next 12 of ${operation} take ${ms} ms, after their effect`;
  },
  late_news: ({ shop: { webhooks } }, dice) => {
    const lateByMs = dice.of([4_000, 15_000, 40_000]);
    webhooks.setFaults({ late: 0.5, lateByMs });
    return `half of the webhooks are late by up to ${lateByMs} ms`;
  },
  restore: (world, dice) => {
    const afterMs = dice.of([1, 4, 15, 45, 100]) * SECOND;
    const awayMs = dice.of([0, 2, 40, 3 * HOUR_S, 26 * HOUR_S]) * SECOND;
    const clock = dice.of(['right', 'right', 'right', 'ahead', 'stands'] as const);
    const isOrdered = dice.chance(0.5);
    if (!world.planCopy({ isOrdered, afterMs, awayMs, clock })) return null;
    const when = isOrdered ? 'when an order is on its way' : 'now';
    return `the ledger is to be copied ${when}, put back ${afterMs / SECOND} s later, and the servers start ${awayMs / SECOND} s after that${CLOCKS[clock]}`;
  },
  full_at_commit: (world, dice) => onDisk(world, dice, 'full_at_commit', [400, 3_000, 8_000]),
};

/** What is wrong with the wall clock of the servers that start on a copy. */
const CLOCKS = {
  right: '',
  ahead: ', with a clock that is four hours ahead',
  stands: ', with a clock that goes on from the copy',
} as const;

/** Writes of which there may only be one. */
const MAKES = ['draftOrderCreate', 'orderCreate', 'draftOrderComplete'] as const;

const OPERATIONS = [
  '*',
  '*',
  '*',
  'draftOrderCreate',
  'draftOrderComplete',
  'draftOrderComplete',
  'draftOrderDelete',
  'draftOrderUpdate',
  'draftOrders',
  'inventoryMoveQuantities',
  'inventoryAdjustQuantities',
  'orderCreate',
  'orders',
  'inventoryItems',
  'nodes',
] as const;

const FAULTS: readonly { readonly name: string; readonly fault: Partial<Fault> }[] = [
  { name: 'cut before its effect', fault: { when: 'before', action: 'drop' } },
  { name: 'cut after its effect', fault: { when: 'after', action: 'drop' } },
  { name: 'cut after its effect', fault: { when: 'after', action: 'drop' } },
  { name: '502 after its effect', fault: { when: 'after', action: 'status', code: 502 } },
  { name: '503 before its effect', fault: { when: 'before', action: 'status', code: 503 } },
  { name: '429', fault: { when: 'before', action: 'status', code: 429, retryAfterSeconds: 2 } },
  { name: 'throttled', fault: { when: 'before', action: 'throttle' } },
];

function somewhere(
  skus: readonly string[],
  { stock }: Pick<World['story'], 'stock'>,
  dice: Dice,
): { readonly sku: string; readonly place: string } {
  const sku = dice.of(skus);
  return { sku, place: dice.of(Object.keys(stock[sku] ?? {})) };
}

/** What a person may do to the lines of a draft, or to its reservation. */
/** Drafts of ours that are no orders yet, the newest last. */
function ourDrafts(shop: Shop): DraftOrder[] {
  return [...shop.draftOrders.all()].filter(
    ({ orderId, tags }) => orderId === null && tags.includes('holdfast'),
  );
}

function editOf(
  draft: DraftOrder,
  dice: Dice,
  other: string | null,
): { readonly what: string; readonly input: DraftInput } {
  const lines = draft.lines.map(({ variantId, quantity }) => ({ variantId, quantity }));
  const [first, ...rest] = lines;
  if (first === undefined || dice.chance(0.35))
    return { what: 'takes the reservation off', input: { reserveInventoryUntil: null } };
  const changed = { ...first, quantity: first.quantity + dice.of([-1, 1, 2]) };
  if (dice.chance(0.6) && changed.quantity > 0)
    return {
      what: `makes it ${changed.quantity} instead of ${first.quantity}`,
      input: { lineItems: [changed, ...rest] },
    };
  return { what: 'adds a line', input: { lineItems: [...lines, { variantId: other, quantity: 1 }] } };
}

/** An order of ours that is neither shipped nor cancelled. */
function withOrder({ shop: { shop } }: World, dice: Dice, act: (name: string) => string): string | null {
  shop.settle();
  const open = [...shop.orders.all()].filter(
    ({ tags, cancellation, fulfillments }) =>
      tags.includes('holdfast') && cancellation === null && fulfillments.length === 0,
  );
  return open.length === 0 ? null : act(dice.of(open).name);
}

function onDisk(
  { servers, universe }: World,
  dice: Dice,
  what: 'full' | 'full_at_commit' | 'busy',
  times: readonly number[],
): string | null {
  const { name, running } = dice.of(servers);
  if (running === null) return null;
  const ms = dice.of(times);
  running.disk[`${what}_until_ms`] = universe.now_ms + ms;
  return `the disk of ${name} is ${what.replaceAll('_', ' ')} for ${ms} ms`;
}
