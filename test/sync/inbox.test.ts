/** How what the shop tells by itself is taken in and worked off: nothing lost, nothing believed, little read. */

import { afterEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import { type StockSource, UpstreamError } from '../../src/sources/source.js';
import { dueRows, HOUR, MINUTE, SECOND } from '../helpers/ledger.js';
import { readLedgerBytes } from '../helpers/ledger-bytes.js';
import { readMetric } from '../helpers/read-metric.js';
import { product, ShopLedger, SMALL_CATALOGUE, STORE, tailOf, WAREHOUSE } from '../helpers/shop-ledger.js';
import { InboxBench, type InboxOptions, levelBody } from '../helpers/webhooks.js';

let t: ShopLedger;
let b: InboxBench;
async function open(options: InboxOptions = {}, catalogue = SMALL_CATALOGUE): Promise<void> {
  t = await ShopLedger.open({ sandbox: { catalogue }, tuning: { attempts_max: 1 } });
  b = new InboxBench(t, options);
  t.time.pass(MINUTE);
}
afterEach(() => t.close());

const refuse = (times: number, operation = '*', code = 503) =>
  t.server.faults.add({ operation, when: 'before', action: 'status', code, times });
/** Reads of items that bring not what the schema promises. Call what it returns to end them. */
function answerBadly(times: number): () => void {
  const source = t.upstream.source as { readItems: StockSource['readItems'] };
  const plain = source.readItems.bind(source);
  let left = times;
  source.readItems = async (ids, signal) => {
    left -= 1;
    if (left >= 0) throw new UpstreamError('protocol', 'not what the schema promises');
    return plain(ids, signal);
  };
  return () => {
    left = 0;
  };
}
const events = (name: string) => t.events.filter(({ event }) => event === name);

describe('a delivery', () => {
  test('makes the ledger read what it names, and is forgotten then', async () => {
    await open();
    t.server.shop.sell('SCARF', 1);
    expect(await b.hear('SCARF')).toEqual(['taken']);
    expect(b.nudges.received).toBe(1);
    expect(await t.atp('SCARF')).toBe(0);
    await b.drain();
    expect(await t.atp('SCARF')).toBe(2);
    expect(b.reads).toEqual([[b.itemId('SCARF')]]);
    expect(await b.waiting()).toBe(0);
    await t.expectTrueBooks();
  });

  test('is never believed: the figure in its body counts for nothing', async () => {
    await open();
    await b.tell(levelBody(b.itemId('SCARF')).replace('"available":10', '"available":5000'));
    await b.drain();
    expect(await t.atp('SCARF')).toBe(3);
  });

  test('that comes again is worked off once', async () => {
    await open();
    const body = levelBody(b.itemId('CAP'));
    expect([await b.tell(body, { id: 'x' }), await b.tell(body, { id: 'x' })]).toEqual(['taken', 'replayed']);
    await b.drain();
    t.time.pass(MINUTE);
    expect(await b.tell(body, { id: 'x' })).toBe('replayed');
    await b.drain();
    expect(b.reads).toHaveLength(1);
  });

  test('with a body that was taken before is a replay, whatever its id: only the body is signed', async () => {
    await open();
    const body = levelBody(b.itemId('CAP'));
    expect(await b.tell(body, { id: 'x' })).toBe('taken');
    expect(await b.tell(body, { id: 'y' })).toBe('replayed');
    expect(await b.tell(body, { id: 'z', topic: 'inventory_levels/connect' })).toBe('replayed');
    // One that is not taken in leaves no trace, and one without a time can truly come twice.
    const gone = `{"id":${b.itemId('CAP')}}`;
    expect(await b.tell(gone, { topic: 'inventory_items/delete' })).toBe('taken');
    expect(await b.tell(gone, { topic: 'inventory_items/delete' })).toBe('taken');
    const later = levelBody(b.itemId('CAP'));
    expect(await b.tell(later, { topic: 'nothing/known' })).toBe('nothing');
    expect(await b.tell(later)).toBe('taken');
  });

  test('that names nothing we look at is not kept, nor is our own ping', async () => {
    await open();
    const before = readLedgerBytes(t.path);
    expect(await b.tell('{"id":1}', { topic: 'bulk_operations/finish' })).toBe('nothing');
    expect(await b.tell('{}', { topic: 'holdfast/ping' })).toBe('pong');
    expect(readLedgerBytes(t.path).equals(before)).toBe(true);
  });

  test('beyond what may wait is turned away', async () => {
    await open({ limits: { waiting_max: 2 } });
    expect(await b.hear('CAP', 'SCARF')).toEqual(['taken', 'taken']);
    expect(await b.hear('LAMP')).toEqual(['full']);
    await b.drain();
    expect(await b.hear('LAMP')).toEqual(['taken']);
  });
});

describe('many deliveries', () => {
  test.each([
    ['the locations', 'locations/update', (n: number) => `{"id":1,"name":"Name ${n}"}`],
    ['a product that nobody knows', 'products/delete', () => '{"id":987654321}'],
  ])('about %s make us look once in a while, and after the last of them', async (_, topic, body) => {
    await open();
    const gap_ms = LIMITS.inbox.reread_gap_ms;
    let told_ms = 0;
    for (let n = 0; n < 10; n += 1) {
      t.time.pass(gap_ms / 10);
      told_ms = t.clock.now();
      await b.tell(body(n), { topic });
      await b.drain();
    }
    const pauses_ms = b.looks_ms.slice(1).map((at_ms, index) => at_ms - (b.looks_ms[index] ?? 0));
    expect(pauses_ms.filter((pause_ms) => pause_ms < gap_ms)).toEqual([]);
    expect(b.looks_ms.at(-1)).toBeGreaterThanOrEqual(told_ms);
    expect(await b.waiting()).toBe(0);
  });

  test('about one item are one read, those about others are read together', async () => {
    await open();
    for (let round = 0; round < 20; round += 1) await b.hear('CAP', 'SCARF', 'COAT');
    await b.drain();
    expect(b.reads).toEqual([['CAP', 'SCARF', 'COAT'].map((sku) => b.itemId(sku))]);
    expect(await readMetric(b.metrics, 'inbox_settled_total')).toBe(60);
    expect(await readMetric(b.metrics, 'inbox_items_reread_total')).toBe(3);
    expect(await readMetric(b.metrics, 'inbox_hints_coalesced_total')).toBe(57);
  });

  test('are worked off in the order in which they came', async () => {
    await open({ limits: { round_rows: 2 } });
    await b.hear('LAMP', 'CAP');
    t.time.pass(1);
    await b.hear('COAT', 'SCARF');
    await b.drain();
    expect(b.reads.flat()).toEqual(['LAMP', 'CAP', 'COAT', 'SCARF'].map((sku) => b.itemId(sku)));
  });

  test('that a read has covered already need none of their own: also the echoes of our own writes', async () => {
    await open();
    await b.hear('CAP');
    t.time.pass(1);
    await t.sync.rereadItems([b.itemId('CAP')], new AbortController().signal);
    await b.drain();
    expect(b.reads).toEqual([]);
    expect(await b.waiting()).toBe(0);
    expect(await readMetric(b.metrics, 'inbox_hints_coalesced_total')).toBe(1);
  });

  test('that come while their item is read are not taken for covered by that read', async () => {
    let sold = false;
    await open({
      afterRead: async () => {
        if (sold) return;
        sold = true;
        t.time.pass(1);
        t.server.shop.sell('SCARF', 1);
        await b.hear('SCARF');
      },
    });
    await b.hear('SCARF');
    await b.drain();
    expect(b.reads).toHaveLength(2);
    expect(await t.atp('SCARF')).toBe(2);
    expect(await b.waiting()).toBe(0);
  });

  test('about an item that never rests read it no more often than the gap allows', async () => {
    const read_at: number[] = [];
    await open({
      afterRead: async () => {
        read_at.push(t.time.wall_ms);
        t.time.pass(10);
        if (read_at.length < 10) await b.hear('CAP', 'CAP', 'CAP');
      },
    });
    await b.hear('CAP');
    await b.drain();
    expect(read_at).toHaveLength(10);
    const gaps = read_at.slice(1).map((at, index) => at - (read_at[index] ?? 0));
    expect(gaps).toEqual(Array(9).fill(LIMITS.inbox.reread_gap_ms));
    expect(await b.waiting()).toBe(0);
  });

  test('name more items than one round takes on, and none is forgotten', async () => {
    const skus = Array.from({ length: 130 }, (_, n) => `SKU-${n}`);
    const products = skus.map((sku) => product(sku, { [WAREHOUSE]: 5 }));
    await open({ limits: { round_items: 60 } }, { ...SMALL_CATALOGUE, products });
    for (const sku of skus) t.server.shop.sell(sku, 1);
    await b.hear(...skus);
    await b.drain();
    expect(b.reads.map((ids) => ids.length)).toEqual([50, 10, 50, 10, 10]);
    expect((await t.check(...skus)).items.map((item) => item.available_to_promise)).toEqual(
      Array(130).fill(4),
    );
  });
});

describe('what a delivery names', () => {
  test('is every item of a product that the ledger knows', async () => {
    await open();
    const id = (await t.item('CAP')).product_id;
    await b.tell(`{"id":${id}}`, { topic: 'products/update' });
    expect((await t.item('CAP')).dirty_at_ms).not.toBeNull();
    await b.drain();
    expect(b.reads).toEqual([[b.itemId('CAP')]]);
  });

  test('is found at the shop when the ledger does not know the product', async () => {
    t = await ShopLedger.bare({ sandbox: { catalogue: SMALL_CATALOGUE } });
    b = new InboxBench(t);
    const [first] = [...t.server.shop.inventory.products.values()];
    await b.tell(`{"id":${tailOf(first?.id ?? '')}}`, { topic: 'products/create' });
    // The locations are not known either: the item is found all the same.
    await b.drain();
    t.time.pass(MINUTE);
    await b.drain();
    expect(await t.check('CAP')).toMatchObject({ items: [{ sku: 'CAP', available_to_promise: 25 }] });
    expect(await b.waiting()).toBe(0);
  });

  test.each([
    ['an item', levelBody('99999999999999999'), 'inventory_levels/update'],
    ['a product', '{"id":99999999999999999}', 'products/delete'],
  ])('and nobody knows, %s that is gone, is settled', async (_, body, topic) => {
    await open();
    await b.tell(body, { topic });
    await b.drain();
    expect(await b.waiting()).toBe(0);
    expect(await readMetric(b.metrics, 'inbox_put_off_total')).toBe(0);
  });

  test('may be the locations: one that is closed sells nothing from then on', async () => {
    await open();
    expect(await t.atp('LAMP')).toBe(4);
    const store = [...t.server.shop.inventory.locations.values()].find(({ name }) => name === STORE);
    if (store === undefined) throw new Error('no store');
    store.isActive = false;
    await b.tell('{"id":1}', { topic: 'locations/deactivate' });
    await b.drain();
    expect(await t.atp('LAMP')).toBe(0);
    // What every level is worth has changed, so the next heartbeat reads all of them.
    expect(await t.store.read({}, ({ sync }) => sync.cursor)).toBeNull();
  });

  test('may be orders: they are handed on', async () => {
    await open();
    await b.tell('{"id":77}', { topic: 'orders/updated' });
    await b.tell('{"id":78}', { topic: 'orders/cancelled' });
    await b.tell('{"id":77}', { topic: 'orders/fulfilled' });
    await b.drain();
    expect(b.ordersSeen).toEqual([['77', '78']]);
    expect(await b.waiting()).toBe(0);
  });

  test('may be a hold of ours that a person deleted: the outbox looks at once and not in a minute', async () => {
    await open();
    const reservation = await t.mirrored('CAP', 2);
    await t.workFor(SECOND);
    expect(await dueRows(t.store, 10)).toEqual([]);
    const [draft] = t.drafts();
    if (draft === undefined) throw new Error('no draft');
    t.byHand('delete', draft);
    await b.tell(`{"id":${tailOf(draft.id)}}`, { topic: 'draft_orders/delete' });
    await b.drain();
    expect(b.nudges.outboxDue).toBe(1);
    await t.work();
    expect(await t.owned(reservation)).toMatchObject({ holds: [{ state: 'counted' }] });
    await t.expectTrueBooks();
  });

  test('may be our access: a person is told', async () => {
    await open();
    await b.tell('{"id":1,"previous":[],"current":["read_orders"]}', { topic: 'app/scopes_update' });
    await b.drain();
    expect(b.alarms).toEqual(['shop_access_changed']);
    expect(await b.waiting()).toBe(0);
  });
});

describe('a shop that can not be read', () => {
  test('loses nothing: all of it waits, and nothing is asked in a hurry', async () => {
    await open();
    t.server.shop.sell('SCARF', 1);
    await b.hear('SCARF', 'CAP');
    refuse(1000);
    for (let tries = 0; tries < 50; tries += 1) {
      await b.drain();
      t.time.pass(100);
    }
    // Five seconds: at 0, 1 and 3 s.
    expect(b.reads).toHaveLength(3);
    expect(await b.waiting()).toBe(2);
    expect(await t.atp('SCARF')).toBe(0);
    t.server.faults.clear();
    t.time.pass(MINUTE);
    await b.drain();
    expect(await t.atp('SCARF')).toBe(2);
    expect(await b.waiting()).toBe(0);
    expect(await readMetric(b.metrics, 'inbox_failures_total')).toBe(3);
  });

  test('that answers badly for one item keeps only the deliveries that name it', async () => {
    await open();
    t.server.shop.sell('SCARF', 1);
    t.server.shop.sell('CAP', 1);
    await b.hear('SCARF', 'CAP');
    // Both together, and the first of them alone.
    answerBadly(2);
    await b.drain();
    expect(b.reads.map((ids) => ids.length)).toEqual([2, 1, 1]);
    expect([await t.atp('SCARF'), await t.atp('CAP')]).toEqual([0, 24]);
    expect(await b.waiting()).toBe(1);
    t.time.pass(SECOND);
    await b.drain();
    expect(await t.atp('SCARF')).toBe(2);
    expect(await b.waiting()).toBe(0);
  });

  test('that answers badly for everything is not asked about each thing by itself', async () => {
    const skus = Array.from({ length: 130 }, (_, n) => `SKU-${n}`);
    await open({}, { ...SMALL_CATALOGUE, products: skus.map((sku) => product(sku, { [WAREHOUSE]: 5 })) });
    await b.hear(...skus);
    const answerAgain = answerBadly(1000);
    await b.drain();
    expect(b.reads.map((ids) => ids.length)).toEqual([50, 1, 1, 1]);
    expect(await b.waiting()).toBe(130);
    answerAgain();
    t.time.pass(SECOND);
    await b.drain();
    expect(await b.waiting()).toBe(0);
  });

  test('whose copy lags behind is asked again, and the item promises nothing meanwhile', async () => {
    await open();
    const lagging = t.server.shop;
    lagging.sell('SCARF', 1);
    t.time.pass(SECOND);
    await t.sync.rereadItems([b.itemId('SCARF')], new AbortController().signal);
    t.time.pass(SECOND);
    await b.hear('SCARF');
    t.time.pass(SECOND);
    // What the ledger has is newer, by the shop's own clock, than what a read brings now.
    t.rawly((db) => db.exec('UPDATE levels SET upstream_updated_at_ms = upstream_updated_at_ms + 3600000'));
    await b.drain();
    expect(await b.waiting()).toBe(1);
    expect(await t.atp('SCARF')).toBe(0);
    expect(await readMetric(b.metrics, 'inbox_put_off_total')).toBe(1);
    t.rawly((db) => db.exec('UPDATE levels SET upstream_updated_at_ms = upstream_updated_at_ms - 3600000'));
    t.time.pass(MINUTE);
    await b.drain();
    expect(await b.waiting()).toBe(0);
    expect(await t.atp('SCARF')).toBe(2);
  });

  test('that opened a location meanwhile is asked for its locations, and then for the item again', async () => {
    await open();
    t.rawly((db) => {
      db.pragma('foreign_keys = OFF');
      db.exec("DELETE FROM levels; DELETE FROM locations WHERE name = 'Store'");
    });
    await b.hear('CAP');
    await b.drain();
    t.time.pass(MINUTE);
    await b.drain();
    expect(await t.atp('CAP')).toBe(25);
    expect(events('inbox_unread')).toHaveLength(1);
    expect(await b.waiting()).toBe(0);
  });
});

describe('two processes', () => {
  test('work one inbox off: only one is at it, and whatever is left is taken over', async () => {
    await open();
    const other = new InboxBench(t.beside('worker-2'), { worker: 'worker-2' });
    await t.store.lease('inbox', 'worker-2', MINUTE);
    await b.hear('CAP', 'SCARF');
    await b.drain();
    expect(b.reads).toEqual([]);
    await other.drain();
    expect(other.reads).toHaveLength(1);
    // It gave the lease up with the last row.
    await b.hear('LAMP');
    await b.drain();
    expect(b.reads).toHaveLength(1);
    expect(await b.waiting()).toBe(0);
  });

  test('at it at once settle each delivery, and lose none that came meanwhile', async () => {
    await open({ limits: { round_rows: 3 } });
    const other = new InboxBench(t.beside('worker-2'), { worker: 'worker-2', limits: { round_rows: 3 } });
    const skus = ['CAP', 'SCARF', 'COAT', 'LAMP'];
    for (const sku of skus) t.server.shop.sell(sku, 1);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([b.hear(...skus), other.hear(...skus), b.drain(), other.drain()]);
      t.time.pass(SECOND);
    }
    await b.drain();
    await other.drain();
    expect(await b.waiting()).toBe(0);
    const settled = await Promise.all(
      [b, other].map(({ metrics }) => readMetric(metrics, 'inbox_settled_total')),
    );
    expect((settled[0] ?? 0) + (settled[1] ?? 0)).toBe(80);
    const { items } = await t.check(...skus);
    expect(items.map(({ fresh }) => fresh)).toEqual([true, true, true, true]);
    expect(items.map((item) => item.available_to_promise)).toEqual([24, 2, 0, 3]);
  });

  test('one of which died at it are one that takes over when the lease is over', async () => {
    await open();
    await b.hear('CAP');
    await t.store.lease('inbox', 'worker-that-died', MINUTE);
    await b.drain();
    expect(await b.waiting()).toBe(1);
    t.time.pass(MINUTE);
    await b.drain();
    expect(await b.waiting()).toBe(0);
  });
});

describe('a process that dies', () => {
  test('between taking in and answering has the delivery, and knows it when it is sent again', async () => {
    await open();
    t.server.shop.sell('SCARF', 1);
    const body = levelBody(b.itemId('SCARF'));
    await b.tell(body, { id: 'unanswered' });
    const again = new InboxBench(t.beside('worker-2'), { worker: 'worker-2' });
    expect(await again.tell(body, { id: 'unanswered' })).toBe('replayed');
    await again.drain();
    expect(await t.atp('SCARF')).toBe(2);
    expect(await again.waiting()).toBe(0);
  });

  test('between reading and settling reads nothing twice: what was read covers what waits', async () => {
    await open();
    const dying = new AbortController();
    const dead = new InboxBench(t.beside('worker-2'), {
      worker: 'worker-2',
      afterRead: async () => {
        throw new Error('the process is gone');
      },
    });
    await b.hear('CAP');
    await expect(dead.drain(dying.signal)).rejects.toThrow('gone');
    expect(await b.waiting()).toBe(1);
    t.time.pass(MINUTE);
    await b.drain();
    expect(b.reads).toEqual([]);
    expect(await b.waiting()).toBe(0);
  });
});

describe('a delivery that can not be worked off', () => {
  test('for an order, a scope being missing, keeps no news of stock waiting', async () => {
    await open();
    const reservation = await t.granted('CAP', 1);
    await t.work();
    await t.accepted(reservation);
    await t.work();
    const [order] = t.orders();
    if (order === undefined) throw new Error('nothing was placed');
    (t.upstream.orders as { readOrders: unknown }).readOrders = async () => {
      throw new UpstreamError('scope_missing', 'read_orders');
    };
    t.server.shop.sell('SCARF', 1);
    await b.tell(`{"id":${tailOf(order.id)},"admin_graphql_api_id":"${order.id}","updated_at":"x"}`, {
      topic: 'orders/updated',
    });
    await b.hear('SCARF');
    await b.drain();
    expect(b.ordersSeen).toEqual([[tailOf(order.id)]]);
    expect(await t.atp('SCARF')).toBe(2);
    expect(await b.waiting()).toBe(1);
  });

  test('is given up in the end, counted and told; its item promises nothing until it is read', async () => {
    await open({ limits: { attempts_max: 3 } });
    const answerAgain = answerBadly(1000);
    await b.hear('SCARF');
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await b.waiting()).toBe(1);
      await b.drain();
      t.time.pass(2 * MINUTE);
    }
    expect(await b.waiting()).toBe(0);
    expect(await readMetric(b.metrics, 'inbox_given_up_total')).toBe(1);
    expect(events('inbox_given_up')).toHaveLength(1);
    expect(await t.atp('SCARF')).toBe(0);
    answerAgain();
    expect(await t.ledger.checkStock(['SCARF'])).toMatchObject({
      value: { items: [{ available_to_promise: 3 }] },
    });
  });

  test('is given up when it is two days old', async () => {
    await open();
    answerBadly(1000);
    await b.hear('SCARF');
    await b.drain();
    t.time.pass(47 * HOUR);
    await b.drain();
    expect(await b.waiting()).toBe(1);
    t.time.pass(HOUR);
    await b.drain();
    expect(await b.waiting()).toBe(0);
  });

  test('calls a person once, however often it is tried', async () => {
    await open();
    await b.tell('{"id":1,"previous":[],"current":["read_orders"]}', { topic: 'app/scopes_update' });
    await b.hear('SCARF');
    refuse(1000);
    for (let tries = 0; tries < 5; tries += 1) {
      await b.drain();
      t.time.pass(2 * MINUTE);
    }
    expect(b.alarms).toEqual(['shop_access_changed']);
  });
});
