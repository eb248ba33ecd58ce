/** The rows behind the inbox: taken once, in order, durable, bounded, and forgotten when their time is over. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ShopHint } from '../../../../src/ledger/model/values/observation.js';
import { decideOpen } from '../../../../src/ledger/outbox/next-step.js';
import { verifyLedgerFile } from '../../../../src/store/sqlite/verify.js';
import { dueRows, HOUR, MINUTE, TestLedger } from '../../../helpers/ledger.js';
import { readLedgerBytes } from '../../../helpers/ledger-bytes.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

const MANY = 1_000_000;
const take = (delivery_id: string, hints: ShopHint[] = [{ kind: 'item', id: '1' }], max = MANY, ledger = t) =>
  ledger.store.receive({ delivery_id, topic: 'inventory_levels/update', hints }, max);
const waiting = async (limit = MANY) =>
  (await t.store.waitingDeliveries(limit)).map(({ delivery_id }) => delivery_id);
const count = (table: string): unknown =>
  t.rawly((db) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());

describe('a delivery', () => {
  test('waits with what it names, as it was told', async () => {
    const hints: ShopHint[] = [
      { kind: 'item', id: '271878346596884015' },
      { kind: 'order', id: '7' },
      { kind: 'locations' },
    ];
    await take('a', hints);
    expect(await t.store.waitingDeliveries(10)).toEqual([
      {
        seq: 1,
        delivery_id: 'a',
        topic: 'inventory_levels/update',
        received_at_ms: t.time.wall_ms,
        attempts: 0,
        hints,
      },
    ]);
    expect(await t.store.inboxState()).toEqual({ waiting: 1, oldest_received_at_ms: t.time.wall_ms });
  });

  test('that comes again writes nothing, whether it waits still or not', async () => {
    await take('a');
    await take('b');
    expect(await take('a')).toBe('replayed');
    await t.store.settleDeliveries([1]);
    const [before, state] = [readLedgerBytes(t.path), await t.store.inboxState()];
    expect(await take('a')).toBe('replayed');
    expect(await t.store.inboxState()).toEqual(state);
    expect(readLedgerBytes(t.path).equals(before)).toBe(true);
  });

  test('that comes twice at once is taken once', async () => {
    const other = await t.beside();
    const taken = await Promise.all([take('a'), take('a'), take('a', undefined, MANY, other)]);
    expect(taken.sort()).toEqual(['replayed', 'replayed', 'taken']);
    expect(count('inbox')).toBe(1);
    await other.close();
  });

  test('is known again after a restart', async () => {
    await take('a');
    const again = await t.beside();
    expect(await take('a', undefined, MANY, again)).toBe('replayed');
    expect(await again.store.waitingDeliveries(10)).toHaveLength(1);
    await again.close();
  });

  test('is durable when it is answered: another connection sees it, and its mark, at once', async () => {
    await t.seed({ sku: 'tee' });
    const seen: unknown[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (id) => {
        await take(id, [{ kind: 'item', id: 'item-tee' }]);
        seen.push(
          t.rawly((db) =>
            db
              .prepare(
                'SELECT count(*) FROM inbox, items WHERE delivery_id = ? AND dirty_at_ms = received_at_ms',
              )
              .pluck()
              .get(id),
          ),
        );
      }),
    );
    expect(seen).toEqual([1, 1, 1]);
  });

  test('beyond as many as may wait is refused and leaves nothing, not even its id', async () => {
    expect([
      await take('a', undefined, 2),
      await take('b', undefined, 2),
      await take('c', undefined, 2),
    ]).toEqual(['taken', 'taken', 'full']);
    expect([count('inbox'), count('deliveries')]).toEqual([2, 2]);
    const before = readLedgerBytes(t.path);
    t.time.pass(MINUTE);
    expect(await take('c', undefined, 2)).toBe('full');
    expect(readLedgerBytes(t.path).equals(before)).toBe(true);
    await t.store.settleDeliveries([1]);
    expect(await take('c', undefined, 2)).toBe('taken');
  });

  test('of a full inbox that was taken before is still a replay', async () => {
    await take('a', undefined, 1);
    expect(await take('a', undefined, 1)).toBe('replayed');
  });
});

describe('the order of arrival', () => {
  test('is kept, through settling, being put off, and a restart', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await take(id);
    await t.store.settleDeliveries([2]);
    await t.store.putOffDeliveries([{ seq: 3, delay_ms: MINUTE }]);
    expect(await waiting()).toEqual(['a', 'd', 'e']);
    expect(await waiting(2)).toEqual(['a', 'd']);
    t.time.pass(MINUTE - 1);
    expect(await waiting()).toEqual(['a', 'd', 'e']);
    t.time.pass(1);
    expect(await waiting()).toEqual(['a', 'c', 'd', 'e']);
    expect((await t.store.waitingDeliveries(10)).map(({ attempts }) => attempts)).toEqual([0, 1, 0, 0]);
  });

  test('is never confused by a number that was used before: who settles late settles nothing new', async () => {
    await take('a');
    await t.store.settleDeliveries([1]);
    await take('b');
    await t.store.settleDeliveries([1]);
    expect(await waiting()).toEqual(['b']);
  });

  test('L9: is in ledger time, which never runs back', async () => {
    await take('a');
    t.time.setWallClockBy(-HOUR);
    await take('b');
    const [a, b] = await t.store.waitingDeliveries(10);
    expect(b?.received_at_ms).toBeGreaterThanOrEqual(a?.received_at_ms ?? Number.NaN);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

describe('ids of deliveries', () => {
  test('are kept as long as they are told, and forgotten then in batches', async () => {
    await Promise.all(Array.from({ length: 750 }, (_, n) => take(`old-${n}`)));
    t.time.pass(1);
    await take('young');
    t.time.pass(48 * HOUR);
    const ages = { idempotency_ms: HOUR, history_ms: HOUR, deliveries_ms: 48 * HOUR, usage_ms: 48 * HOUR };
    expect([await t.store.prune(ages), await t.store.prune(ages), await t.store.prune(ages)]).toEqual([
      500, 250, 0,
    ]);
    expect(await take('young')).toBe('replayed');
    // What waits is not forgotten with its id: that is only for telling replays.
    expect(await t.store.inboxState()).toMatchObject({ waiting: 751 });
  });
});

describe('a hold that the shop has touched', () => {
  test('makes the outbox look at its row, unless it looks soon anyway, is over, or waits for a person', async () => {
    await t.seed({ sku: 'tee' });
    const open = async (hold_ref: string) => {
      const { reservation_id } = await t.granted('tee', 1);
      const until_ms = t.clock.now() + HOUR;
      await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref, until_ms }));
      return reservation_id;
    };
    const [resting, parked] = [await open('d1'), await open('d2')];
    t.rawly((db) => {
      db.exec('UPDATE reservations SET due_at_ms = NULL');
      db.prepare('UPDATE reservations SET parked = 1 WHERE id = ?').run(parked);
    });
    expect(await dueRows(t.store, 10)).toEqual([]);
    expect(await t.store.wakeHolds(['d1', 'd2', 'somebody-else'])).toBe(1);
    const { reservation } = await t.owned(resting);
    expect(await dueRows(t.store, 10)).toEqual([{ reservation_key: reservation.reservation_key }]);
    expect(await t.store.wakeHolds(['d1'])).toBe(0);
  });
});
