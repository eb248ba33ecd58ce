import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.js';
import type { ReserveInput } from '../../../src/ledger/ledger.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { answerOf, HOUR, MINUTE, NO_QUOTAS, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

/** What a merchant who sets nothing has. */
const DEFAULTS = readConfig({}).quotas;

let t: TestLedger;
afterEach(() => t.close());

async function open(
  quotas: LedgerSettings['quotas'],
  stock: Readonly<Record<string, number>>,
): Promise<void> {
  t = await TestLedger.open({ settings: { quotas, mirror: 'none' } });
  for (const [sku, units] of Object.entries(stock)) await t.seed({ sku, levels: { [WAREHOUSE]: units } });
  // Stock stays young without a heartbeat: what happens here is about callers.
  const now = t.clock.now();
  await t.store.putSync({ baseline_at_ms: now, confirmed_at_ms: now + 1000 * HOUR, cursor: null });
}

/** Time passes, and what is past its time is tidied. */
async function pass(ms: number): Promise<void> {
  t.time.pass(ms);
  const expired = await t.store.expiredReservations(1000);
  await Promise.all(
    expired.map(({ reservation_key }) => t.store.transact({ owned: { reservation_key } }, decideExpire)),
  );
}

/** Takes as much as it is given, down to the last unit. */
async function hoard(sku: string, who: Partial<ReserveInput>): Promise<number> {
  const result = await t.reserve(sku, 1_000, { ...who, allow_partial: true });
  return result.ok ? (result.value.lines[0]?.reserved ?? 0) : 0;
}

describe('one hostile agent that reserves and lets expire, for a day', () => {
  test('never keeps others from buying, and is left with less and less', async () => {
    await open(DEFAULTS, { few: 8, many: 200 });
    const rounds = 96;
    const hoarded = { few: 0, many: 0 };
    let bought = 0;
    for (let round = 0; round < rounds; round += 1) {
      const buyer = { principal: `buyer-${round}` };
      const [few, many, ...buyers] = await Promise.all([
        hoard('few', { principal: 'hostile' }),
        hoard('many', { principal: 'hostile' }),
        t.reserve('few', 1, buyer),
        t.reserve('many', 1, buyer),
      ]);
      hoarded.few += few;
      hoarded.many += many;
      bought += buyers.filter(({ ok }) => ok).length;
      // They let it go again, for the next one's sake: sold out is no denial.
      await Promise.all(
        buyers.map((got) => (got.ok ? t.release(got.value.reservation_id, buyer.principal) : null)),
      );
      await pass(15 * MINUTE);
    }
    expect(bought).toBe(2 * rounds);
    console.log(`of ${rounds} × 8 and ${rounds} × 200 units it kept ${hoarded.few} and ${hoarded.many}`);
    expect(hoarded.few).toBeLessThan((rounds * 8) / 4);
    expect(hoarded.many).toBeLessThan((rounds * 200) / 4);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

describe('five hundred identities of one address', () => {
  test('leave every SKU to others, round after round', async () => {
    await open(DEFAULTS, { last: 2, few: 10, many: 300 });
    for (let round = 0; round < 3; round += 1) {
      const wishes = Array.from({ length: 500 }, (_, n) =>
        hoard(['last', 'few', 'many'][n % 3] ?? 'last', { principal: `bot-${n}`, origin: 'there' }),
      );
      await Promise.all(wishes);
      for (const sku of ['last', 'few', 'many']) {
        const bought = await t.reserve(sku, 1, { principal: 'buyer', origin: 'elsewhere' });
        expect(bought.ok).toBe(true);
        if (bought.ok) await t.release(bought.value.reservation_id, 'buyer');
      }
      await pass(15 * MINUTE);
    }
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

describe('an honest platform that sells for many buyers as one principal', () => {
  test('meets no limit all day, although most of its reservations end unsold', async () => {
    await open(DEFAULTS, { a: 4_000, b: 400, c: 60 });
    const who = { principal: 'platform', origin: 'its address' };
    for (let tick = 0; tick < 80; tick += 1) {
      // Three hundred reservations an hour, for eight hours; one in eight is bought, a third is let go.
      const wishes = Array.from({ length: 30 }, (_, n) => {
        const sku = n === 0 ? 'c' : n % 3 === 0 ? 'b' : 'a';
        return t.reserve(sku, 1, who);
      });
      const granted = (await Promise.all(wishes)).map((result) => answerOf(result));
      await Promise.all(
        granted.map((reservation, n) => {
          if ((tick + n) % 8 === 0) return t.sold(reservation, who);
          return n % 3 === 0 ? t.release(reservation.reservation_id, who.principal) : null;
        }),
      );
      await pass(6 * MINUTE);
    }
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('and a person who has not bought anything yet may think again and again', async () => {
    await open(DEFAULTS, { tee: 4 });
    for (let n = 0; n < 7; n += 1) {
      const { reservation_id } = answerOf(await t.reserve('tee', 1 + (n % 3)));
      await pass(2 * MINUTE);
      await t.release(reservation_id);
    }
    answerOf(await t.submit(answerOf(await t.reserve('tee', 3))));
  });
});

const wish = fc.record({
  caller: fc.constantFrom('a', 'b', 'c'),
  sku: fc.constantFrom('x', 'y'),
  quantity: fc.integer({ min: 1, max: 12 }),
  partial: fc.boolean(),
  after: fc.constantFrom('keep', 'keep', 'release', 'submit', 'pass'),
});

describe('whatever callers do, in whatever order', () => {
  test('none has more than it may have, and of two units or more one is left by each for the others', async () => {
    const quotas = {
      ...NO_QUOTAS,
      units_per_sku: 9,
      share_percent: 75,
      live_reservations: 4,
      reservations_per_hour: 12,
      origin_share_percent: 90,
      origin_factor: 2,
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(wish, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
        async (steps) => {
          await open(quotas, { x: 20, y: 5 });
          try {
            for (const together of steps) await step(together, quotas);
            expect(verifyLedgerFile(t.path).problems).toEqual([]);
          } finally {
            await t.close();
          }
        },
      ),
      { numRuns: 10 },
    );
    await open(NO_QUOTAS, {});
  });

  /** The wishes of one step share a commit. */
  async function step(
    wishes: readonly (typeof wish extends fc.Arbitrary<infer W> ? W : never)[],
    quotas: LedgerSettings['quotas'],
  ): Promise<void> {
    await Promise.all(
      wishes.map(async ({ caller, sku, quantity, partial, after }) => {
        const before = { principal: caller, origin: 'there', allow_partial: partial };
        const result = await t.reserve(sku, quantity, before);
        if (!result.ok || after === 'keep') return;
        if (after === 'release') await t.release(result.value.reservation_id, caller);
        if (after === 'submit') await t.submit(result.value, { principal: caller });
      }),
    );
    await expectWithin(quotas);
    if (wishes.some(({ after }) => after === 'pass')) await pass(7 * MINUTE);
  }

  async function expectWithin(quotas: LedgerSettings['quotas']): Promise<void> {
    const now = t.clock.now();
    const live = t.rawly((db) =>
      db
        .prepare(
          `SELECT principal, item_key, sum(quantity_units) AS units, count(DISTINCT reservation_key) AS reservations
             FROM reservations JOIN holds USING (reservation_key) JOIN levels USING (level_key)
             WHERE reservations.state = 'active' AND expires_at_ms > ? GROUP BY principal, item_key`,
        )
        .all(now),
    ) as { principal: string; units: number; reservations: number }[];
    for (const { units, reservations } of live) {
      expect(units).toBeLessThanOrEqual(quotas.units_per_sku ?? 0);
      expect(reservations).toBeLessThanOrEqual(quotas.live_reservations ?? 0);
    }
    const hour = t.rawly((db) =>
      db
        .prepare('SELECT count(*) FROM reservations WHERE created_at_ms > ? GROUP BY principal')
        .pluck()
        .all(now - HOUR),
    ) as number[];
    for (const granted of hour) expect(granted).toBeLessThanOrEqual(quotas.reservations_per_hour ?? 0);
    // All of them come from one origin: what is left is for everybody else.
    for (const sku of ['x', 'y']) {
      const item = await t.item(sku);
      const [level] = item.levels;
      const unsold = (level?.upstream_available_units ?? 0) - (await submittedUnits(sku));
      if (unsold >= 2) expect(await t.atp(sku)).toBeGreaterThanOrEqual(1);
    }
  }

  async function submittedUnits(sku: string): Promise<number> {
    return t.rawly((db) =>
      db
        .prepare(
          `SELECT coalesce(sum(quantity_units), 0) FROM reservations JOIN holds USING (reservation_key)
             JOIN levels USING (level_key) JOIN items USING (item_key) WHERE reservations.state = 'submitted' AND items.sku = ?`,
        )
        .pluck()
        .get(sku),
    ) as number;
  }
});
