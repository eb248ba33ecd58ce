/**
 * What the ledger says, word for word: the journal of every way that a reservation and its order can go, and every
 * refusal with its sentence and details. People and models read these; a change of them is seen in the snapshot.
 */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Result } from '../../src/ledger/model/values/refusal.js';
import { decideFailed, decidePlaced } from '../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../src/ledger/order/revalidation.js';
import { decideRetry, decideRetryReservation } from '../../src/ledger/outbox/manual-decisions.js';
import {
  decideAbsent,
  decideClaim,
  decideDeleted,
  decideLater,
  decideNextStep,
  decideOpen,
  decideUnmirrored,
} from '../../src/ledger/outbox/next-step.js';
import { decideExpire } from '../../src/ledger/reservation/release.js';
import {
  answerOf,
  HOUR,
  MINUTE,
  OTHER_AGENT,
  refusalOf,
  SECOND,
  STORE,
  TEST_START_MS,
  TestLedger,
  units,
  WAREHOUSE,
} from '../helpers/ledger.js';

let t: TestLedger;
/** What the shop has of the shirt in the warehouse; less with each sale of its own. */
let shopUnits: number;

beforeEach(async () => {
  t = await TestLedger.open();
  shopUnits = 20;
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20, [STORE]: 5 } });
  await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 6 } });
});
afterEach(() => t.close());

/** The same text in every run: ids, checksums and times by the order in which they are first seen. */
function steady(lines: readonly string[]): string[] {
  const seen = new Map<string, string>();
  const name = (text: string) => {
    const known = seen.get(text) ?? `<${text.slice(0, text.search(/[_:-]/))} ${seen.size + 1}>`;
    seen.set(text, known);
    return known;
  };
  return lines.map((line) =>
    line
      .replace(/\b(res|ord)_[0-9a-f]{32}|hf-[0-9a-f]{32}|sha256:[0-9a-f]{64}/g, name)
      .replace(/\b17\d{11}\b/g, (ms) => `<start + ${Number(ms) - TEST_START_MS}>`),
  );
}

/** Everything that the journal has, but for the first reports. */
function journal(): string[] {
  const rows = t.rawly((db) =>
    db.prepare('SELECT kind, reservation_key, item_key, data FROM journal WHERE seq > 2 ORDER BY seq').all(),
  ) as { kind: string; reservation_key: number | null; item_key: number | null; data: string }[];
  return steady(
    rows.map(({ kind, reservation_key, item_key, data }) => {
      const owner = reservation_key === null ? `item ${item_key}` : `reservation ${reservation_key}`;
      return `${owner} ${kind} ${data}`;
    }),
  );
}

const CLAIM = { worker: 'worker-1', claim_ms: MINUTE, check_ms: MINUTE, resend_max_ms: HOUR };
const NO = { code: 'shop_refused', detail: 'The shop said no.' } as const;

async function stale(quantity = 1): Promise<string> {
  const reservation = await t.granted('tee', quantity);
  t.time.pass(SECOND);
  shopUnits -= 1;
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: shopUnits, [STORE]: 5 } });
  expect(answerOf(await t.submit(reservation)).status).toBe('held');
  return reservation.reservation_id;
}

test('L6: the journal of what ends without an order', async () => {
  const released = await t.granted('tee', 2);
  answerOf(
    await t.ledger.release({
      principal: 'agent-a',
      reservation_id: released.reservation_id,
    }),
  );
  const partial = await t.granted('cap', 9, {
    allow_partial: true,
    lines: [
      { sku: 'cap', quantity: units(9) },
      { sku: 'tee', quantity: units(1), location_id: STORE },
    ],
    ttl_seconds: 60,
  });
  const swept = await t.granted('tee', 1, { ttl_seconds: 60 });
  t.time.pass(MINUTE);
  answerOf(await t.release(partial.reservation_id));
  expect(await t.decide(swept.reservation_id, decideExpire)).toBe(true);
  expect(await t.decide(swept.reservation_id, decideExpire)).toBe(false);
  expect(await t.store.transact({}, decideExpire)).toBe(false);
  expect(journal()).toMatchSnapshot();
});

test('L6: the journal of what is ordered', async () => {
  const placed = await t.granted('tee', 2);
  await t.decide(placed.reservation_id, (state) =>
    decideOpen(state, { hold_ref: 'draft-1', until_ms: t.clock.now() + HOUR }),
  );
  answerOf(await t.submit(placed, { note: 'in a bag', reference: 'cart-7' }));
  const seen = { order_ref: 'order-1', order_name: '#1' };
  expect(await t.decide(placed.reservation_id, (state) => decidePlaced(state, seen))).toBe(true);
  expect(await t.decide(placed.reservation_id, (state) => decidePlaced(state, seen))).toBe(true);
  const failed = await t.granted('tee', 1);
  answerOf(await t.submit(failed));
  await t.decide(failed.reservation_id, (state) => decideFailed(state, NO));
  const byHand = await t.granted('tee', 1);
  const unasked = { order_ref: 'order-2', order_name: '#2' };
  expect(await t.decide(byHand.reservation_id, (state) => decidePlaced(state, unasked))).toBe(false);
  expect(journal()).toMatchSnapshot();
});

test('L5, L6: the journal of what is held', async () => {
  const covered = await stale();
  expect(await t.decide(covered, (state) => decideRevalidate(state, state.now_ms + 1))).toBe('unread');
  expect(await t.decide(covered, (state) => decideRevalidate(state, 0))).toBe('accepted');
  const short = await stale();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 0, [STORE]: 0 } });
  expect(await t.decide(short, (state) => decideRevalidate(state, 0))).toBe('rejected');
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 20, [STORE]: 5 } });
  const approved = await stale();
  const { order } = await t.owned(approved);
  answerOf(await t.ledger.decideHeld(order?.id ?? '', 'approve', 'ada'));
  const turnedDown = await stale();
  answerOf(await t.ledger.decideHeld((await t.owned(turnedDown)).order?.id ?? '', 'reject', 'ada'));
  const tooLong = await stale();
  t.time.pass(25 * HOUR);
  expect(await t.decide(tooLong, (state) => decideClaim(state, CLAIM))).toBe(true);
  expect(await t.decide(tooLong, (state) => decideNextStep(state, CLAIM, t.settings, true))).toBeNull();
  expect(journal()).toMatchSnapshot();
});

test('L6: the journal of the shop side', async () => {
  const { reservation_id } = await t.granted('tee', 1);
  const until_ms = t.clock.now() + HOUR;
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'draft-1', until_ms }));
  await t.decide(reservation_id, (state) => decideAbsent(state, 'gone'));
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: 'draft-2', until_ms }));
  await t.decide(reservation_id, decideDeleted);
  await t.decide(reservation_id, (state) => decideUnmirrored(state, 'refused'));
  const again = { delay_ms: SECOND, attempts_max: 1, failure: 'timeout' };
  await t.decide(reservation_id, (state) => decideLater(state, again));
  expect((await t.owned(reservation_id)).outbox).toMatchObject({ parked: true, due_at_ms: null });
  answerOf(await t.decide(reservation_id, (state) => decideRetryReservation(state, 'ada')));
  expect((await t.owned(reservation_id)).outbox).toMatchObject({ parked: false });
  expect(journal()).toMatchSnapshot();
});

test('every refusal has a sentence of ours and the details to go on with', async () => {
  await t.seed({ sku: 'gone', lifecycle: 'discontinued' });
  const refusals: string[] = [];
  const refused = (wish: string, result: Result<unknown>) =>
    refusals.push(`${wish}: ${JSON.stringify(refusalOf(result))}`);
  refused('a SKU that the shop can not be asked for', await t.reserve('hat', 1));
  await t.readWhole();
  refused('an unknown SKU', await t.reserve('hat', 1));
  const elsewhere = [{ sku: 'tee', quantity: units(1), location_id: 'loc-9' }];
  refused('an unknown location', await t.reserve('tee', 1, { lines: elsewhere }));
  refused('a discontinued item', await t.reserve('gone', 1));
  refused('too many', await t.reserve('tee', 26));
  const twice = ['cap', 'cap'].map((sku) => ({ sku, quantity: units(4) }));
  refused('too many in two lines', await t.reserve('cap', 1, { lines: twice }));
  const kept = await t.granted('tee', 1, { idempotency_key: 'k' });
  refused('a key used again', await t.reserve('tee', 2, { idempotency_key: 'k' }));
  refused('a checksum of no shape', await t.submit({ ...kept, stock_hash: 'sha256:?' }));
  refused('a checksum never issued', await t.submit({ ...kept, stock_hash: `sha256:${'0'.repeat(64)}` }));
  const lines = ['tee', 'cap'].map((sku) => ({ sku, quantity: units(1) }));
  const both = await t.granted('tee', 1, { lines });
  const [line] = both.lines;
  refused('the checksum of one line', await t.submit({ ...both, stock_hash: line?.stock_hash ?? '' }));
  refused("somebody else's", await t.release(kept.reservation_id, OTHER_AGENT));
  await t.release(kept.reservation_id);
  refused('what was released', await t.submit(kept));
  const sold = await t.granted('tee', 1);
  const { order_id } = answerOf(await t.submit(sold, { idempotency_key: 'o' }));
  refused('to release what was submitted', await t.release(sold.reservation_id));
  refused('to submit twice', await t.submit(sold));
  refused('a key used again for an order', await t.submit(both, { idempotency_key: 'o' }));
  refused('a verdict on what is not held', await t.ledger.decideHeld(order_id, 'approve', 'ada'));
  refused('a verdict on nothing', await t.ledger.decideHeld('ord_none', 'approve', 'ada'));
  refused('to retry what is not parked', await t.ledger.retryParked(order_id, 'ada'));
  refused('to retry nothing', await t.store.transact({}, (state) => decideRetry(state, 'ada')));
  refused('to retry no reservation', await t.ledger.retryParkedReservation('res_none', 'ada'));
  refused(
    'to retry a reservation that is well',
    await t.ledger.retryParkedReservation(both.reservation_id, 'ada'),
  );
  refused('an unknown order', await t.ledger.getOrder('agent-a', { order_id: 'ord_none' }));
  refused('an unknown reservation', await t.ledger.checkReservation('agent-a', 'res_none'));
  t.time.pass(HOUR);
  refused('what has expired', await t.submit(both));
  refused('what is too old', await t.reserve('tee', 1));
  expect(steady(refusals)).toMatchSnapshot();
});
