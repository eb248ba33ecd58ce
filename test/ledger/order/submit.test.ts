import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideFailed, decidePlaced } from '../../../src/ledger/order/order-placed.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import {
  AGENT,
  answerOf,
  dueRows,
  MINUTE,
  NO_QUOTAS,
  OTHER_AGENT,
  refusalOf,
  SECOND,
  TestLedger,
  units,
  WAREHOUSE,
} from '../../helpers/ledger.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee' });
  await t.seed({ sku: 'cap' });
});
afterEach(() => t.close());

const NEVER_ISSUED = `sha256:${'0'.repeat(64)}`;

function basket(more: { idempotency_key?: string } = {}): Promise<ReserveAnswer> {
  const lines = ['tee', 'cap'].map((sku) => ({ sku, quantity: units(2) }));
  return t.granted('tee', 1, { lines, ...more });
}

async function kinds(): Promise<string[]> {
  return t.rawly((db) => db.prepare('SELECT kind FROM journal ORDER BY seq').pluck().all() as string[]);
}

describe('a checksum that is true now', () => {
  test('L5: accepts the order, and the units stay held', async () => {
    const granted = await t.granted('tee', 4);
    expect(answerOf(await t.submit(granted))).toMatchObject({
      order_id: expect.stringMatching(/^ord_[0-9a-f]{32}$/),
      status: 'accepted',
      hash_verdict: 'match',
      reasons: [],
      current_stock_hash: granted.stock_hash,
      replayed: false,
    });
    const { reservation, outbox } = await t.owned(granted.reservation_id);
    expect(reservation.state).toBe('submitted');
    expect(outbox.due_at_ms).toBeLessThanOrEqual(t.clock.now());
    expect(await dueRows(t.store, 10)).toHaveLength(1);
    expect(await t.atp('tee')).toBe(6);
  });

  test("L5: is not made stale by another caller's hold", async () => {
    const granted = await t.granted('tee', 4);
    await t.granted('tee', 6, { principal: OTHER_AGENT });
    expect(answerOf(await t.submit(granted)).hash_verdict).toBe('match');
  });

  test('L5: may be one that check_stock gave later than the reservation', async () => {
    const granted = await t.granted('tee', 4);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 12 } });
    const { stock_hash } = await t.item('tee');
    expect(answerOf(await t.submit({ ...granted, stock_hash })).hash_verdict).toBe('match');
  });

  test('L5: of a basket is that of all its SKUs together', async () => {
    expect(answerOf(await t.submit(await basket())).status).toBe('accepted');
  });

  test.each([
    ['accepted', 'revalidate', true, 'at once'],
    ['accepted', 'hold', true, 'at once'],
    ['held', 'revalidate', false, 'at once'],
    ['held', 'hold', false, 'when a held order gives up'],
  ] as const)(
    'makes an order that is %s (stale_hash: %s), and the row is due',
    async (status, stale_hash, isTrue, due) => {
      await t.close();
      t = await TestLedger.open({ settings: { stale_hash } });
      await t.seed({ sku: 'tee' });
      const granted = await t.granted('tee', 4);
      const { outbox: before } = await t.owned(granted.reservation_id);
      t.time.pass(SECOND);
      if (!isTrue) await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
      const answer = answerOf(await t.submit(granted));
      expect(answer.status).toBe(status);
      expect('upstream' in answer).toBe(false);
      const now = t.clock.now();
      const { order, outbox } = await t.owned(granted.reservation_id);
      expect(order).toMatchObject({
        submitted_at_ms: now,
        decided_at_ms: status === 'accepted' ? now : null,
      });
      const { due_at_ms, ...row } = outbox;
      expect({ ...row, due_at_ms: before.due_at_ms }).toEqual(before);
      if (due === 'at once') expect(due_at_ms).toBeLessThanOrEqual(now);
      else expect(due_at_ms).toBe(now + t.settings.held_order_max_ms);
    },
  );

  test('L6: is journaled with how old the stock was that was sold', async () => {
    const granted = await basket();
    t.time.pass(30 * SECOND);
    await t.seed({ sku: 'cap' });
    const { order_id, current_stock_hash } = answerOf(await t.submit(granted));
    const [entry] = t.journal('order.accepted');
    expect(entry).toEqual({
      id: order_id,
      verdict: 'match',
      stock_hash: granted.stock_hash,
      current: current_stock_hash,
      reasons: [],
      payment: 'pending',
      mode: 'complete',
      age_ms: expect.arrayContaining([30 * SECOND, 0]),
    });
  });

  test('L5: of a basket of which one SKU is short holds the order for that one', async () => {
    const granted = await basket();
    t.time.pass(SECOND);
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 1 } });
    const { stock_hash } = answerOf(await t.ledger.checkReservation(AGENT, granted.reservation_id));
    expect(answerOf(await t.submit({ ...granted, stock_hash: stock_hash ?? '' }))).toMatchObject({
      status: 'held',
      hash_verdict: 'match',
      reasons: [
        {
          code: 'stock_insufficient',
          sku: 'cap',
          detail: 'The shop has sold units elsewhere since they were reserved, so it is read again first.',
        },
      ],
    });
  });

  test('is accepted also for a caller who has as many held orders as it may have', async () => {
    await t.close();
    t = await TestLedger.open({ settings: { quotas: { ...NO_QUOTAS, held_orders: 1 } } });
    await t.seed({ sku: 'tee' });
    const [first, second, third] = [
      await t.granted('tee', 1),
      await t.granted('tee', 1),
      await t.granted('tee', 1),
    ];
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    expect(answerOf(await t.submit(first)).status).toBe('held');
    expect(refusalOf(await t.submit(second)).code).toBe('quota_exceeded');
    expect(t.quotaAlarms).toEqual([['held_orders', AGENT]]);
    const { stock_hash } = await t.item('tee');
    expect(answerOf(await t.submit({ ...third, stock_hash })).status).toBe('accepted');
  });

  test('L5: of stock that is too old holds the order until the shop was read again', async () => {
    const granted = await t.granted('tee', 4);
    t.time.pass(121 * SECOND);
    expect(answerOf(await t.submit(granted))).toMatchObject({
      status: 'held',
      hash_verdict: 'match',
      reasons: [
        {
          code: 'stock_stale',
          sku: 'tee',
          detail: 'The stock is older than it may be to sell anything, so the shop is read again first.',
        },
      ],
    });
  });
});

describe('a checksum that was true once', () => {
  test('L5: holds the order and its units, and names the present checksum', async () => {
    const granted = await t.granted('tee', 4);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const { stock_hash } = await t.item('tee');
    expect(answerOf(await t.submit(granted))).toMatchObject({
      status: 'held',
      hash_verdict: 'stale',
      reasons: [{ code: 'stock_stale' }],
      current_stock_hash: stock_hash,
    });
    expect(await t.atp('tee')).toBe(5);
  });

  test('L5: is recognised many versions later', async () => {
    const granted = await t.granted('tee', 4);
    for (let units = 11; units < 60; units += 1) {
      t.time.pass(1);
      await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: units } });
    }
    expect(answerOf(await t.submit(granted)).hash_verdict).toBe('stale');
  });

  test('L5: of a basket is recognised at any moment between its changes', async () => {
    const granted = await basket();
    const seen = [granted.stock_hash];
    for (const [sku, available] of [
      ['tee', 9],
      ['cap', 8],
      ['cap', 7],
      ['tee', 6],
    ] as const) {
      t.time.pass(SECOND);
      await t.seed({ sku, levels: { [WAREHOUSE]: available } });
      seen.push(answerOf(await t.ledger.checkReservation(AGENT, granted.reservation_id)).stock_hash ?? '');
    }
    const verdicts: string[] = [];
    for (const stock_hash of seen) {
      const again = await t.ledger.submit({
        principal: AGENT,
        reservation_id: granted.reservation_id,
        stock_hash,
        idempotency_key: undefined,
        buyer: null,
        note: null,
        reference: null,
      });
      verdicts.push(again.ok ? again.value.hash_verdict : again.refusal.code);
      if (again.ok) await undoSubmit(granted.reservation_id);
    }
    expect(verdicts).toEqual(['stale', 'stale', 'stale', 'stale', 'match']);
  });

  test('L5: of a basket that was granted between two changes of the same millisecond is recognised', async () => {
    // All of it shares one commit, and so one moment of ledger time.
    const [, granted] = await Promise.all([
      t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } }),
      basket(),
      t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 9 } }),
    ]);
    expect(answerOf(await t.submit(granted)).hash_verdict).toBe('stale');
  });

  test('L5: of a basket is recognised after one of its SKUs was renamed', async () => {
    const granted = await basket();
    await t.seed({ sku: 'hat', item_id: 'item-cap' });
    expect(answerOf(await t.submit(granted)).hash_verdict).toBe('stale');
  });
});

/** Puts a submitted reservation back, past the ledger's rules, so that a test can submit it again. */
async function undoSubmit(reservationId: string): Promise<void> {
  t.rawly((db) => {
    const key = db
      .prepare('SELECT reservation_key FROM reservations WHERE id = ?')
      .pluck()
      .get(reservationId);
    db.prepare("UPDATE reservations SET state = 'active' WHERE reservation_key = ?").run(key);
    db.prepare('DELETE FROM orders WHERE reservation_key = ?').run(key);
    db.exec(`UPDATE callers SET live_reservations = 1, held_orders = 0;
      UPDATE caller_items SET held_units = 0, live_units = (SELECT sum(quantity_units) FROM holds
        JOIN levels USING (level_key) WHERE levels.item_key = caller_items.item_key)`);
  });
}

describe('a checksum that was never issued', () => {
  test('L5: is refused, is a security event, and the reservation stays', async () => {
    const granted = await t.granted('tee', 4);
    const { stock_hash } = await t.item('tee');
    expect(refusalOf(await t.submit({ ...granted, stock_hash: NEVER_ISSUED }))).toMatchObject({
      code: 'stock_hash_unknown',
      retry: 'after_check_stock',
      details: { reservation_id: granted.reservation_id, items: [{ sku: 'tee', stock_hash }] },
    });
    expect(t.journal('security.stock_hash_unknown')).toEqual([
      { by: AGENT, stock_hash: NEVER_ISSUED, is_line_hash: false },
    ]);
    const { reservation } = await t.owned(granted.reservation_id);
    const story = await t.store.timeline(reservation.reservation_key, 10);
    expect(story.map(({ kind }) => kind)).toContain('security.stock_hash_unknown');
    expect((await t.owned(granted.reservation_id)).reservation.state).toBe('active');
    expect(answerOf(await t.submit(granted)).status).toBe('accepted');
  });

  test('L5: is journaled once for a reservation, and counted each time: a loop of them must not fill the journal', async () => {
    const [one, other] = [await t.granted('tee', 1), await t.granted('tee', 1)];
    const tries = [one, one, other, one].map((granted) => t.submit({ ...granted, stock_hash: NEVER_ISSUED }));
    for (const result of await Promise.all(tries)) expect(refusalOf(result).code).toBe('stock_hash_unknown');
    expect(refusalOf(await t.submit({ ...one, stock_hash: NEVER_ISSUED })).code).toBe('stock_hash_unknown');
    expect(t.journal('security.stock_hash_unknown')).toHaveLength(2);
    expect(t.decisions.filter(({ hash_verdict }) => hash_verdict === 'unknown')).toHaveLength(5);
  });

  test('L5: is that of another SKU, however true it is there', async () => {
    const granted = await t.granted('tee', 4);
    const { stock_hash } = await t.item('cap');
    expect(refusalOf(await t.submit({ ...granted, stock_hash })).code).toBe('stock_hash_unknown');
  });

  test('L5: is that of one line of a basket, and the refusal says which one is wanted', async () => {
    const granted = await basket();
    const stock_hash = granted.lines[0]?.stock_hash ?? '';
    const refusal = refusalOf(await t.submit({ ...granted, stock_hash }));
    expect(refusal.code).toBe('stock_hash_unknown');
    expect(refusal.message).toContain('one line');
    expect(t.journal('security.stock_hash_unknown')).toMatchObject([{ stock_hash, is_line_hash: true }]);
  });

  test('L5: is one of a basket that never stood like that', async () => {
    const granted = await basket();
    t.time.pass(SECOND);
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
    const other = await basket();
    t.time.pass(SECOND);
    await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 9 } });
    // The old tee with the new cap was never true.
    const { basketHash } = await import('../../../src/ledger/model/values/stock-hash.js');
    const stock_hash = basketHash('test.myshopify.com', [
      { sku: 'tee', stock_hash: granted.lines[0]?.stock_hash ?? '' },
      { sku: 'cap', stock_hash: (await t.item('cap')).stock_hash },
    ]);
    expect(refusalOf(await t.submit({ ...other, stock_hash })).code).toBe('stock_hash_unknown');
  });

  test.each(['', 'sha256:', 'SHA256:00', `sha256:${'0'.repeat(63)}`, `sha256:${'A'.repeat(64)}`])(
    'is malformed when it is %j: refused without a security event',
    async (stock_hash) => {
      const granted = await t.granted('tee', 4);
      expect(refusalOf(await t.submit({ ...granted, stock_hash }))).toMatchObject({
        code: 'stock_hash_malformed',
        details: { field: 'stock_hash' },
      });
      expect(await kinds()).not.toContain('security.stock_hash_unknown');
    },
  );
});

describe('a reservation that can not be submitted', () => {
  test("is somebody else's: it answers exactly as an unknown one, before any look at the checksum", async () => {
    const granted = await t.granted('tee', 4);
    const foreign = refusalOf(await t.submit(granted, { principal: OTHER_AGENT }));
    const unknown = refusalOf(
      await t.submit({ ...granted, reservation_id: 'res_nope' }, { principal: OTHER_AGENT }),
    );
    expect(foreign).toEqual(unknown);
    expect(foreign).toMatchObject({ code: 'reservation_unknown', details: {} });
    expect(await kinds()).not.toContain('security.stock_hash_unknown');
  });

  test('L3: has expired: exactly at its time, and its units are tidied in the same transaction', async () => {
    const granted = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND);
    expect(refusalOf(await t.submit(granted))).toMatchObject({
      code: 'reservation_expired',
      details: { status: 'expired', items: [{ sku: 'tee', stock_hash: granted.stock_hash }] },
    });
    const { reservation, holds } = await t.owned(granted.reservation_id);
    expect([reservation.state, holds]).toEqual(['expired', []]);
    expect(refusalOf(await t.submit(granted)).code).toBe('reservation_expired');
  });

  test('L4: one millisecond before its time it still can', async () => {
    const granted = await t.granted('tee', 4, { ttl_seconds: 60 });
    t.time.pass(60 * SECOND - 1);
    expect(answerOf(await t.submit(granted)).status).toBe('accepted');
  });

  test('L3: was released', async () => {
    const granted = await t.granted('tee', 4);
    await t.release(granted.reservation_id);
    expect(refusalOf(await t.submit(granted))).toMatchObject({
      code: 'reservation_already_released',
      details: { status: 'released' },
    });
  });

  test('L4: was submitted: a second order is refused and names the first', async () => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted));
    expect(refusalOf(await t.submit(granted))).toMatchObject({
      code: 'reservation_already_submitted',
      retry: 'never',
      details: { status: 'submitted', order_id, order_status: 'accepted' },
    });
    expect(t.rawly((db) => db.prepare('SELECT count(*) FROM orders').pluck().get())).toBe(1);
  });

  test.each([
    ['placed', 'committed'],
    ['failed', 'released'],
  ] as const)('L4: its order is %s: the end state and the order are named', async (order_status, status) => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted));
    await t.decide<unknown>(granted.reservation_id, (state) =>
      order_status === 'placed'
        ? decidePlaced(state, { order_ref: 'o1', order_name: '#1' })
        : decideFailed(state, { code: 'shop_refused', detail: 'no' }),
    );
    expect(refusalOf(await t.submit(granted))).toMatchObject({
      code: 'reservation_already_submitted',
      details: { status, order_id, order_status },
    });
  });

  test('L4: is submitted by many at the same moment: one order', async () => {
    const granted = await t.granted('tee', 4);
    const results = await Promise.all(Array.from({ length: 20 }, () => t.submit(granted)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(t.rawly((db) => db.prepare('SELECT count(*) FROM orders').pluck().get())).toBe(1);
  });
});

describe('an idempotency key', () => {
  const key = { idempotency_key: 'k1' };

  test('L7: used again gives the first answer, and makes no second order', async () => {
    const granted = await t.granted('tee', 4);
    const first = answerOf(await t.submit(granted, key));
    t.time.pass(MINUTE);
    expect(answerOf(await t.submit(granted, key))).toEqual({ ...first, replayed: true });
  });

  test('L7: gives the present status once the order is placed', async () => {
    const granted = await t.granted('tee', 4);
    const first = answerOf(await t.submit(granted, key));
    await t.decide(granted.reservation_id, (state) =>
      decidePlaced(state, { order_ref: 'o1', order_name: '#1001' }),
    );
    expect(answerOf(await t.submit(granted, key))).toMatchObject({
      order_id: first.order_id,
      status: 'placed',
      upstream: { order_name: '#1001', order_id: 'o1' },
      replayed: true,
    });
  });

  test('L7: used again with other arguments is refused and names the order', async () => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted, key));
    expect(refusalOf(await t.submit(granted, { ...key, note: 'other' }))).toMatchObject({
      code: 'idempotency_key_reused',
      details: { order_id },
    });
  });

  test('L7: of a reservation is no key of an order: the two tools do not meet', async () => {
    const granted = await t.granted('tee', 4, key);
    expect(answerOf(await t.submit(granted, key)).replayed).toBe(false);
  });

  test('L7: tells a note with half a character in it from the same note without', async () => {
    const granted = await t.granted('tee', 4);
    answerOf(await t.submit(granted, { ...key, note: 'half \ud800a character' }));
    const other = refusalOf(await t.submit(granted, { ...key, note: 'half a character' }));
    expect(other.code).toBe('idempotency_key_reused');
  });

  test('L7: takes a note with half a character in it', async () => {
    const granted = await t.granted('tee', 4);
    const first = answerOf(await t.submit(granted, { ...key, note: 'half \ud800 a character' }));
    expect(answerOf(await t.submit(granted, { ...key, note: 'half \ud800 a character' }))).toEqual({
      ...first,
      replayed: true,
    });
  });
});

describe('what an order keeps', () => {
  test('of the buyer is nothing once the order is placed', async () => {
    const granted = await t.granted('tee', 4);
    await t.submit(granted, { buyer: { email: 'ada@example.com' } });
    expect((await t.owned(granted.reservation_id)).order?.buyer).toEqual({ email: 'ada@example.com' });
    await t.decide(granted.reservation_id, (state) =>
      decidePlaced(state, { order_ref: 'o1', order_name: '#1' }),
    );
    const dump = t.rawly((db) =>
      ['orders', 'journal', 'idempotency'].map((table) =>
        JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all()),
      ),
    );
    expect(dump.join()).not.toContain('ada@example.com');
  });

  test('is told to its owner with its story, and to nobody else', async () => {
    const granted = await t.granted('tee', 4);
    const { order_id } = answerOf(await t.submit(granted));
    const told = answerOf(await t.ledger.getOrder(AGENT, { order_id }));
    expect(told).toMatchObject({ status: 'accepted', lines: [{ sku: 'tee', quantity: 4 }] });
    expect(told.timeline.map(({ event }) => event)).toEqual(['reservation.created', 'order.accepted']);
    expect(
      answerOf(await t.ledger.getOrder(AGENT, { reservation_id: granted.reservation_id })).order_id,
    ).toBe(order_id);
    const foreign = refusalOf(await t.ledger.getOrder(OTHER_AGENT, { order_id }));
    expect(foreign).toEqual(refusalOf(await t.ledger.getOrder(OTHER_AGENT, { order_id: 'ord_nope' })));
    expect(foreign.code).toBe('order_unknown');
  });
});

test('the call waits for a revalidation, and answers held when none comes in time', async () => {
  await t.close();
  t = await TestLedger.open({ settings: { submit_wait_ms: 2000 } });
  await t.seed({ sku: 'tee' });
  const granted = await t.granted('tee', 4);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 9 } });
  const before = t.clock.now();
  expect(answerOf(await t.submit(granted)).status).toBe('held');
  expect(t.clock.now() - before).toBe(2000);
});
