import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainHash, JOURNAL_GENESIS, type JournalEntry } from '../../../src/ledger/model/journal.js';
import type { Anchor } from '../../../src/ledger/model/values/anchor.js';
import { decideBuyerRefused } from '../../../src/ledger/order/buyer-refused.js';
import { decideOrderSeen } from '../../../src/ledger/order/observe-order.js';
import { decidePlaced } from '../../../src/ledger/order/order-placed.js';
import { decideAbsent, decideOpen } from '../../../src/ledger/outbox/next-step.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import {
  AGENT,
  answerOf,
  HOUR,
  MINUTE,
  SECOND,
  STORE,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;

/** A day of a ledger: every kind of end, mirrored holds, a restart and a clock that was set back. */
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20, [STORE]: 5 } });
  await t.seed({ sku: 'cap' });
  const mirrored = await t.granted('tee', 4);
  await t.decide(mirrored.reservation_id, (state) =>
    decideOpen(state, { hold_ref: 'd1', until_ms: t.clock.now() + HOUR }),
  );
  t.time.pass(SECOND);
  await t.levels('tee', { [WAREHOUSE]: 16 });
  const placed = await t.granted('tee', 2);
  answerOf(await t.submit(placed));
  await t.decide(placed.reservation_id, (state) =>
    decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
  );
  const stale = await t.granted('cap', 1);
  await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 8 } });
  answerOf(await t.submit(stale));
  await t.release((await t.granted('cap', 3)).reservation_id);
  await t.granted('cap', 1, {
    ttl_seconds: 60,
    lines: ['tee', 'cap'].map((sku) => ({ sku, quantity: units(1) })),
  });
  t.time.setWallClockBy(-HOUR);
  t.time.pass(MINUTE);
  await t.release(mirrored.reservation_id);
});
afterEach(() => t.close());

const verify = () => verifyLedgerFile(t.path);
const invariants = () => [...new Set(verify().problems.map(({ invariant }) => invariant))];

/** Somebody with a database tool, past our code and past the schema's own checks. */
function tamper(sql: string): void {
  t.rawly((db) => {
    db.pragma('foreign_keys = OFF');
    db.pragma('ignore_check_constraints = ON');
    db.exec(sql);
  });
}

test('an honest ledger has no problem, and is counted: an expired reservation that nobody has swept is none', () => {
  expect(verify()).toEqual({
    ok: true,
    shop: 'test.myshopify.com',
    journal_entries: expect.any(Number),
    journal_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    anchor: { v: 1, n: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    checked: { items: 2, levels: 3, holds: 5, reservations: 5, orders: 2 },
    problems: [],
    problems_total: 0,
  });
  expect(verify().journal_entries).toBe(
    t.rawly((db) => db.prepare('SELECT count(*) FROM journal').pluck().get()),
  );
});

test('a hold that the shop was found to have dropped counts again at once, and the checksum waits for the report', async () => {
  const { reservation_id } = await t.granted('cap', 2);
  const open = { hold_ref: 'd2', until_ms: t.clock.now() + HOUR };
  await t.decide(reservation_id, (state) => decideOpen(state, open));
  t.time.pass(SECOND);
  await t.levels('cap', { [WAREHOUSE]: 6 });
  await t.decide(reservation_id, (state) => decideAbsent(state, 'gone_at_shop'));
  expect((await t.item('cap')).levels[0]).toMatchObject({ mirrored_units: 0 });
  expect(verify().problems).toEqual([]);
});

test('is read beside a server that goes on writing', async () => {
  const writing = Promise.all(Array.from({ length: 5 }, () => t.granted('tee', 1)));
  expect(verify().problems).toEqual([]);
  await writing;
  expect(verify().problems).toEqual([]);
});

test('progress is told', () => {
  const told: string[] = [];
  verifyLedgerFile(t.path, { onProgress: (step, done) => told.push(`${step} ${done}`) });
  expect(told).toEqual([`journal ${verify().journal_entries}`, 'reservations 5', 'stock 2']);
});

describe('L6: of the journal it finds', () => {
  test.each([
    [
      'an entry that was edited',
      'UPDATE journal SET data = replace(data, \'"tee"\', \'"cap"\') WHERE seq = 3',
    ],
    ['an entry of another kind', "UPDATE journal SET kind = 'holds.moved' WHERE seq = 1"],
    [
      'an entry that was given to another reservation',
      'UPDATE journal SET reservation_key = 5 WHERE seq = 4',
    ],
    ['an entry that was given another time', 'UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 4'],
    ['an entry with a hash of its own making', 'UPDATE journal SET hash = zeroblob(32) WHERE seq = 4'],
    ['an entry that was deleted', 'DELETE FROM journal WHERE seq = 4'],
    ['the first entry deleted', 'DELETE FROM journal WHERE seq = 1'],
    ['a tail that was cut off', 'DELETE FROM journal WHERE seq >= 6'],
    ['the whole journal deleted', 'DELETE FROM journal'],
    [
      'two entries that were swapped',
      'UPDATE journal SET seq = -1 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 5; UPDATE journal SET seq = 5 WHERE seq = -1',
    ],
    [
      'an entry that was added',
      "INSERT INTO journal SELECT max(seq) + 1, max(at_ms), 'stock.changed', NULL, 1, '{}', zeroblob(32) FROM journal",
    ],
    [
      'a tail that was cut off together with the count',
      'DELETE FROM journal WHERE seq >= 6; UPDATE ledger SET journal_seq = 5',
    ],
  ])('%s', (_, sql) => {
    tamper(sql);
    expect(invariants()).toContain('L6');
  });

  test('one edit as one problem, not as many as there are entries after it', () => {
    tamper("UPDATE journal SET data = '{}' WHERE kind = 'reservation.released' OR kind = 'order.held'");
    // Two were released, one was held.
    expect(verify().problems_total).toBe(3);
  });

  test.each([
    ['a mark', 'UPDATE items SET dirty_at_ms = 9e15 WHERE item_key = 1'],
    [
      'a delivery',
      "INSERT INTO inbox (delivery_id, topic, received_at_ms, due_at_ms, hints) VALUES ('d', 't', 9e15, 0, '[]')",
    ],
  ])('L9: %s from after the ledger’s own time', (_, sql) => {
    tamper(sql);
    expect(invariants()).toEqual(['L9']);
  });

  test('L9: an entry from before the one in front of it', () => {
    tamper('UPDATE journal SET at_ms = at_ms - 3600000 WHERE seq = 5');
    expect(invariants()).toContain('L9');
  });
});

describe('of the rows it finds', () => {
  test.each([
    [
      'L2',
      'a level that holds more than its holds',
      'UPDATE levels SET held_units = held_units + 1 WHERE level_key = 1',
    ],
    ['L2', 'a level that holds less than its holds', 'UPDATE levels SET held_units = 0'],
    [
      'L2',
      'a level that has mirrored what nobody has',
      'UPDATE levels SET mirrored_units = 9 WHERE level_key = 2',
    ],
    [
      'L2',
      'a hold that was made smaller',
      "UPDATE holds SET quantity_units = quantity_units + 1 WHERE state = 'counted'",
    ],
    [
      'L2',
      'a caller that is said to have less than it has',
      'UPDATE callers SET live_reservations = live_reservations - 1 WHERE live_reservations > 0',
    ],
    [
      'L2',
      'a caller that is said to keep more of an item than it does',
      'UPDATE caller_items SET held_units = held_units + 1',
    ],
    ['L2', 'a caller that nobody counts', 'DELETE FROM callers; DELETE FROM caller_items'],
    ['L2', 'a hold that was deleted', 'DELETE FROM holds WHERE reservation_key = 5'],
    ['L2', 'a hold at a level that is missing', 'UPDATE holds SET level_key = 99 WHERE reservation_key = 3'],
    ['L3', 'a hold of a reservation that is missing', 'DELETE FROM reservations WHERE reservation_key = 5'],
    [
      'L3',
      'a counted hold of a released reservation',
      "UPDATE holds SET state = 'counted' WHERE state = 'returning'",
    ],
    [
      'L3',
      'a live reservation that was declared expired',
      "UPDATE reservations SET state = 'expired' WHERE reservation_key = 5",
    ],
    [
      'L6',
      'a reservation whose state nobody journaled',
      "UPDATE reservations SET state = 'submitted' WHERE reservation_key = 5",
    ],
    [
      'L6',
      'an order whose state nobody journaled',
      "UPDATE orders SET state = 'accepted' WHERE state = 'held'",
    ],
    ['L6', 'an order that is missing', "DELETE FROM orders WHERE state = 'held'"],
    [
      'L6',
      'a reservation that is missing',
      'DELETE FROM holds WHERE reservation_key = 4; DELETE FROM reservations WHERE reservation_key = 4',
    ],
    [
      'L6',
      'a reservation that the journal does not know',
      'UPDATE reservations SET created_seq = NULL WHERE reservation_key = 5',
    ],
    ['L6', 'an item that is missing', "DELETE FROM items WHERE sku = 'cap'"],
    [
      'L4',
      'a placed order without one at the shop',
      "UPDATE orders SET upstream_order_ref = NULL WHERE state = 'placed'",
    ],
    [
      'L4',
      'an order at the shop for one that is only held',
      "UPDATE orders SET upstream_order_ref = 'o2' WHERE state = 'held'",
    ],
    ['L4', 'an order of no reservation', 'UPDATE orders SET reservation_key = 99 WHERE order_key = 2'],
    [
      'L5',
      'a checksum that is not that of the state',
      `UPDATE items SET salt = '${'0'.repeat(32)}' WHERE sku = 'tee'`,
    ],
    [
      'L6',
      'a figure that no report has brought',
      'UPDATE levels SET upstream_available_units = 99 WHERE level_key = 2',
    ],
    [
      'L5',
      'a location that was closed past the reports',
      'UPDATE levels SET sellable_here = 0 WHERE level_key = 2',
    ],
    [
      'L5',
      'an item that was brought back to life',
      "UPDATE items SET lifecycle = 'unlisted' WHERE sku = 'cap'",
    ],
    [
      'L5',
      'a remembered checksum that was planted',
      `UPDATE stock_versions SET stock_hash = 'sha256:${'a'.repeat(64)}'`,
    ],
    ['L5', 'a present checksum that is not remembered', 'DELETE FROM stock_versions'],
    ...[
      ['a reservation of another caller', "reservations SET principal = 'agent-b'"],
      ['a reservation of another channel', "reservations SET channel = 'till'"],
      ['a reservation with another id', "reservations SET id = id || 'x'"],
      ['a reservation of more units', "reservations SET lines = replace(lines, ',4,', ',5,')"],
      ['a reservation of another SKU', `reservations SET lines = replace(lines, '"tee"', '"cap"')`],
      ['a reservation at another location', `reservations SET lines = replace(lines, 'loc-1', 'loc-2')`],
      ['a reservation without lines', "reservations SET lines = ''"],
      ['a reservation with another checksum', `reservations SET stock_hash = 'sha256:${'c'.repeat(64)}'`],
      ['a reservation that was made earlier', 'reservations SET created_at_ms = created_at_ms - 1'],
      ['a reservation that lasts longer', 'reservations SET expires_at_ms = expires_at_ms + 1'],
      ['a reservation that is looked for by another tag', "reservations SET tag = 'hf-other'"],
      ['an order with another id', "orders SET id = id || 'x'"],
      ['an order that is said to match', "orders SET hash_verdict = 'match' WHERE state = 'held'"],
      ['an order with another checksum', `orders SET stock_hash = 'sha256:${'c'.repeat(64)}'`],
      ['an order that nobody approved', "orders SET approved_by = 'eve' WHERE state = 'held'"],
      ['an order that is said to be paid', "orders SET payment = 'paid'"],
      ['an order that the buyer is to pay for', "orders SET order_mode = 'checkout_link'"],
      ['an order that was submitted earlier', 'orders SET submitted_at_ms = submitted_at_ms - 1'],
      [
        'an order that was decided later',
        "orders SET decided_at_ms = decided_at_ms + 1 WHERE state = 'placed'",
      ],
      ['a held order that was decided', "orders SET decided_at_ms = 1 WHERE state = 'held'"],
      [
        'an order that was placed earlier',
        "orders SET placed_at_ms = placed_at_ms - 1 WHERE state = 'placed'",
      ],
      [
        'an order that stands for another at the shop',
        "orders SET upstream_order_ref = 'o9' WHERE state = 'placed'",
      ],
      ['an order that the shop has no more', "orders SET upstream_order_ref = 'o1~1' WHERE state = 'placed'"],
      ['an order with another name', "orders SET upstream_order_name = '#9' WHERE state = 'placed'"],
      ['an item that is sold as another', "items SET variant_id = '1'"],
      ['an item that is sold below zero', "items SET inventory_policy = 'continue'"],
      ['an item with another SKU', "items SET sku = 'mug' WHERE sku = 'tee'"],
    ].map(([what = '', change = '']) => ['L6', what, `UPDATE ${change}`] as [string, string, string]),
  ])('%s: %s', (invariant, _, sql) => {
    tamper(sql);
    expect(invariants()).toContain(invariant);
  });

  test('L4: two orders of one reservation, and one of the shop for two of ours, although the schema forbids both', () => {
    tamper(`CREATE TABLE loose AS SELECT * FROM orders; DROP TABLE orders; ALTER TABLE loose RENAME TO orders;
      INSERT INTO orders SELECT * FROM orders`);
    const details = verify()
      .problems.filter(({ invariant }) => invariant === 'L4')
      .map(({ detail }) => detail);
    expect(details.filter((detail) => detail.endsWith('2 orders'))).toHaveLength(2);
    expect(details).toContain('the order o1 of the shop stands for 2 of ours');
  });

  test('no more than it can list, and counts them all', () => {
    tamper(`WITH RECURSIVE many(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM many WHERE n < 350)
      INSERT INTO holds SELECT n, 1, 1, 'counted', NULL, NULL, NULL, 'promised' FROM many`);
    const { problems, problems_total } = verify();
    expect(problems).toHaveLength(100);
    expect(problems_total).toBeGreaterThanOrEqual(251);
  });
});

describe('L6: of the schema it finds', () => {
  test.each([
    [
      'a trigger',
      "CREATE TRIGGER eve AFTER INSERT ON orders BEGIN UPDATE orders SET payment = 'paid'; END",
      'the ledger has the trigger eve on orders, which is none of holdfast',
    ],
    [
      'a view',
      'CREATE VIEW eve AS SELECT * FROM orders',
      'the ledger has the view eve, which is none of holdfast',
    ],
    [
      'an index',
      'CREATE INDEX eve ON orders (state)',
      'the ledger has the index eve on orders, which is none of holdfast',
    ],
    ['a table', 'CREATE TABLE eve (x)', 'the ledger has the table eve, which is none of holdfast'],
    ['a missing index', 'DROP INDEX holds_mirrored', 'the index holds_mirrored on holds is missing'],
    [
      'another trigger in the place of ours',
      'DROP TRIGGER items_text_insert; CREATE TRIGGER items_text_insert AFTER INSERT ON items BEGIN SELECT 1; END',
      'the trigger items_text_insert on items is not as holdfast makes it',
    ],
    [
      'a view in the place of a table',
      'ALTER TABLE leases RENAME TO real_leases; CREATE VIEW leases AS SELECT * FROM real_leases',
      'the ledger has the view leases, which is none of holdfast',
    ],
  ])('%s', (_, sql, detail) => {
    tamper(sql);
    expect(verify().problems).toContainEqual({ invariant: 'L6', detail });
  });

  test('no fault in statistics of the query planner', () => {
    tamper('ANALYZE');
    expect(verify().problems).toEqual([]);
  });
});

describe('L11: an anchor that was kept elsewhere', () => {
  const since = (anchor: Anchor) =>
    verifyLedgerFile(t.path, { anchors: [{ ...anchor, kept_at: 'on paper' }] }).problems;

  test('holds while the journal grows', async () => {
    const { anchor } = verify();
    expect(since({ v: 1, n: 0, hash: '0'.repeat(64) })).toEqual([]);
    expect(since(anchor)).toEqual([]);
    await t.granted('tee', 1);
    expect(verify().anchor.n).toBeGreaterThan(anchor.n);
    expect(since(anchor)).toEqual([]);
  });

  test('shows a journal that was rewritten whole, which proves itself', () => {
    const { anchor } = verify();
    rewriteJournal((data) => data.replace('"agent-a"', '"agent-e"'));
    tamper(
      "UPDATE reservations SET principal = 'agent-e'; DELETE FROM callers; DELETE FROM caller_items; UPDATE ledger SET tallied = 0",
    );
    expect(verify().problems).toEqual([]);
    expect(since(anchor)).toEqual([
      { invariant: 'L11', detail: expect.stringContaining('is another than by the anchor on paper') },
    ]);
  });

  test('shows a ledger that was put back', async () => {
    const copy = `${t.path}-copy`;
    t.rawly((db) => db.exec(`VACUUM INTO '${copy}'`));
    await t.granted('tee', 1);
    const { anchor } = verify();
    const found = verifyLedgerFile(copy, { anchors: [{ ...anchor, kept_at: 'on paper' }] });
    expect(found.problems).toEqual([
      { invariant: 'L11', detail: expect.stringMatching(/^the journal ends before entry \d+,/) },
    ]);
  });

  /** Changes entries and makes all hashes anew, as somebody with the program can. */
  function rewriteJournal(change: (data: string) => string): void {
    t.rawly((db) => {
      const rows = db.prepare('SELECT * FROM journal ORDER BY seq').all() as (Omit<JournalEntry, 'hash'> & {
        hash: Buffer;
      })[];
      const put = db.prepare('UPDATE journal SET data = ?, hash = ? WHERE seq = ?');
      let last = JOURNAL_GENESIS;
      for (const { hash: _, ...entry } of rows) {
        const data = change(entry.data);
        last = chainHash(last, { ...entry, data });
        put.run(data, Buffer.from(last, 'hex'), entry.seq);
      }
      db.prepare('UPDATE ledger SET journal_hash = ?').run(Buffer.from(last, 'hex'));
    });
  }
});

describe('L6: what became of an order at the shop', () => {
  const reading = {
    order_ref: 'o1',
    order_name: '#1',
    updated_at_ms: 1_000,
    cancelled_at_ms: null,
    fulfilment: 'fulfilled' as const,
    lines: [{ line_ref: 'l1', variant_id: '1', ordered_units: 2, current_units: 1 }],
    refunds: [{ refund_ref: 'f1', at_ms: 1_000, refunded_units: 1, restocked_units: 1 }],
    returns: [{ return_ref: 'r1', status: 'open' as const, returned_units: 1, restocked_units: 0 }],
  };
  beforeEach(async () => {
    await t.store.transact({ owned: { order_ref: 'o1' } }, (state) => decideOrderSeen(state, reading, 1));
  });

  test('is proved as it was told', () => {
    expect(verify().problems).toEqual([]);
  });

  test.each([
    [
      'a refund that was never told',
      `aftermath = json_insert(aftermath, '$.refunds[#]', json('{"refund_ref":"f2","refunded_units":1,"restocked_units":0}'))`,
    ],
    [
      'units that were put back and never told',
      `aftermath = json_set(aftermath, '$.refunds[0].restocked_units', 2)`,
    ],
    ['a return that is forgotten', `aftermath = json_remove(aftermath, '$.returns[0]')`],
    ['a state that nobody has seen at the shop', "state = 'cancelled'"],
    ['a state that does not fit any more', "state = 'placed'"],
    ['a shipped order of which nothing was seen', 'aftermath = NULL'],
    ['something that can not be read', "aftermath = '{'"],
  ])('and shows %s', (_, change) => {
    tamper(`UPDATE orders SET ${change} WHERE upstream_order_ref = 'o1'`);
    expect(invariants()).toEqual(['L6']);
  });
});

test('L7: an idempotency key is no part of the proof: pruning leaves it whole', async () => {
  await t.granted('tee', 1, { idempotency_key: 'k', principal: AGENT });
  t.time.pass(HOUR);
  await t.store.prune({ idempotency_ms: 0, history_ms: 0, deliveries_ms: 0, usage_ms: 0 });
  expect(verify().problems).toEqual([]);
});

describe('L6: a held order is held for what the journal tells', () => {
  async function refuseBuyer(): Promise<void> {
    const reservation = await t.granted('tee', 1);
    answerOf(await t.submit(reservation, { buyer: { email: 'ada@gmail.ru' } }));
    await t.decide(reservation.reservation_id, (state) => decideBuyerRefused(state, ['buyer.email']));
  }

  test.each([
    ['another reason', "UPDATE orders SET held_for = 'order_quota' WHERE held_for = 'buyer_refused'"],
    ['none', "UPDATE orders SET held_for = NULL WHERE held_for = 'buyer_refused'"],
    ['nothing that was refused', "UPDATE orders SET refused_fields = '[]' WHERE held_for = 'buyer_refused'"],
    [
      'a refusal, although it is stale',
      `UPDATE orders SET refused_fields = '["note"]' WHERE held_for = 'stale'`,
    ],
    ['a reason, although it is placed', "UPDATE orders SET held_for = 'stale' WHERE state = 'placed'"],
  ])('%s is found', async (_, sql) => {
    await refuseBuyer();
    expect(verify().problems).toEqual([]);
    tamper(sql);
    expect(invariants()).toContain('L6');
  });
});
