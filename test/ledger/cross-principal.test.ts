/**
 * Acceptance: another principal's reservation and order behave as unknown, timing included. Time itself proves nothing on a busy
 * machine, so the work is compared: the statements that the database runs, one by one, and what is read again at the shop.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../src/ledger/model/values/refusal.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { AGENT, HOUR, OTHER_AGENT, refusalOf, TestLedger } from '../helpers/ledger.js';

const UNKNOWN_RESERVATION = 'res_00000000000000000000000000000000';
const UNKNOWN_ORDER = 'ord_00000000000000000000000000000000';

let t: TestLedger;
/** SKUs that somebody asked the shop for. */
let reread: string[];
/** What the database was asked since the last look, in order. */
let statements: string[];
let stopListening: () => void;

beforeEach(async () => {
  reread = [];
  statements = [];
  const freshen = async (skus: readonly string[]): Promise<boolean> => {
    reread.push(...skus);
    return false;
  };
  t = await TestLedger.open({ freshener: { freshen } });
  await t.seed({ sku: 'MUG' });
  stopListening = listenToDatabase();
});
afterEach(async () => {
  stopListening();
  await t.close();
});

/** Every statement of this process goes through the driver's one prototype. */
function listenToDatabase(): () => void {
  const Driver = loadDriver();
  const db = new Driver(':memory:');
  const prototype = Object.getPrototypeOf(db.prepare('SELECT 1')) as Record<
    string,
    (...args: never) => unknown
  >;
  db.close();
  const kept = ['get', 'all', 'run', 'iterate'].map((name) => [name, prototype[name]] as const);
  for (const [name, real] of kept) {
    prototype[name] = function (this: { source: string }, ...args: never): unknown {
      statements.push(this.source);
      return real?.apply(this, args);
    };
  }
  return () => {
    for (const [name, real] of kept) if (real !== undefined) prototype[name] = real;
  };
}

interface Seen {
  readonly refusal: unknown;
  readonly statements: readonly string[];
  readonly reread: readonly string[];
}

async function seen(call: () => Promise<Result<unknown>>): Promise<Seen> {
  statements = [];
  reread = [];
  const refusal = refusalOf(await call());
  return { refusal, statements, reread };
}

const INVENTED = `sha256:${'0'.repeat(64)}`;

const verbs = {
  check: (id: string) => t.ledger.checkReservation(OTHER_AGENT, id),
  release: (id: string) => t.release(id, OTHER_AGENT),
  submit: (id: string) =>
    t.submit({ reservation_id: id, stock_hash: INVENTED }, { principal: OTHER_AGENT, idempotency_key: 'k' }),
  order: (id: string) => t.ledger.getOrder(OTHER_AGENT, { reservation_id: id }),
};

describe.each(Object.entries(verbs))('somebody else’s reservation, to %s', (_, verb) => {
  it.each(['live', 'submitted', 'released', 'expired', 'of old stock'])(
    '%s: is told, and worked on, as an unknown one',
    async (state) => {
      const mine = await t.granted('MUG', 2);
      if (state === 'submitted') await t.submit(mine);
      if (state === 'released') await t.release(mine.reservation_id);
      if (state === 'expired' || state === 'of old stock') t.time.pass(state === 'expired' ? HOUR : 600_000);
      const unknown = await seen(() => verb(UNKNOWN_RESERVATION));
      const foreign = await seen(() => verb(mine.reservation_id));
      expect(foreign).toEqual(unknown);
      expect(foreign.statements.length).toBeGreaterThan(0);
      expect(foreign.reread).toEqual([]);
    },
  );
});

it('somebody else’s order is told, and worked on, as an unknown one', async () => {
  const { reservation_id, stock_hash } = await t.granted('MUG', 1);
  const submitted = await t.submit({ reservation_id, stock_hash });
  const order_id = submitted.ok ? submitted.value.order_id : '';
  const unknown = await seen(() => t.ledger.getOrder(OTHER_AGENT, { order_id: UNKNOWN_ORDER }));
  const foreign = await seen(() => t.ledger.getOrder(OTHER_AGENT, { order_id }));
  expect(foreign).toEqual(unknown);
  statements = [];
  expect(await t.ledger.getOrder(AGENT, { order_id })).toMatchObject({ ok: true });
  // To its owner it is more work: what is compared above would show a difference.
  expect(statements.length).toBeGreaterThan(foreign.statements.length);
});
