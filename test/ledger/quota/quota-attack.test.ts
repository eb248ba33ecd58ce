/**
 * Denial of inventory: callers that cooperate to keep a SKU from everybody else for a day without buying it. Each scenario plays 24 hours
 * in virtual time, minute by minute, against the default quotas, and measures how much of the SKU is kept and how honest buyers fare.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.js';
import { decideBuyerRefused } from '../../../src/ledger/order/buyer-refused.js';
import { decideFailed } from '../../../src/ledger/order/order-placed.js';
import { decideExpire } from '../../../src/ledger/reservation/release.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import type { LedgerSettings } from '../../../src/ledger/state/state.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { answerOf, HOUR, MINUTE, NO_QUOTAS, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

const STOCK = 100;
const MINUTES = 24 * 60;
/** An honest buyer comes about so often. */
const MINUTES_PER_BUYER = 7;
const SEED = 20261201;
const ADDRESS = { city: 'Nowhere', address1: 'Nowhere Street' };

let t: TestLedger;
afterEach(() => t.close());

async function open(more: Partial<LedgerSettings> = {}): Promise<void> {
  t = await TestLedger.open({ settings: { quotas: readConfig({}).quotas, mirror: 'none', ...more } });
  await t.seed({ sku: 'drop', levels: { [WAREHOUSE]: STOCK } });
  await t.seed({ sku: 'sticker', levels: { [WAREHOUSE]: 1_000_000 } });
  const now = t.clock.now();
  await t.store.putSync({ baseline_at_ms: now, confirmed_at_ms: now + 1000 * HOUR, cursor: null });
}

/** Deterministic numbers from 0 to 1 (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Held {
  readonly reservation: ReserveAnswer;
  readonly since: number;
}

interface Bot {
  readonly principal: string;
  held: Held[];
  /** With orders that wait for corrected details. */
  readonly waiting: ReserveAnswer[];
  /** Reservations since it last bought something. */
  unpaid: number;
}

/** What a bot does each minute with what it holds. `minute` counts from the start. */
type Wash = (bot: Bot, minute: number) => Promise<void>;

const LAST_MINUTE = 14;

/** Lets everything expire. */
const expire: Wash = async (bot, minute) => {
  bot.held = bot.held.filter(({ since }) => minute - since < LAST_MINUTE + 1);
};

/** Submits just before the end; `end` says what becomes of the order. */
function submitAtLast(end: (bot: Bot, reservation: ReserveAnswer) => Promise<void>): Wash {
  return async (bot, minute) => {
    const due = bot.held.filter(({ since, reservation }) => {
      return (minute - since) * 60 >= reservation.ttl_seconds - 60;
    });
    bot.held = bot.held.filter((held) => !due.includes(held));
    for (const { reservation } of due) {
      const result = await t.submit(reservation, { principal: bot.principal });
      if (result.ok) await end(bot, reservation);
    }
  };
}

/** A country that the shop refuses in words that name no field. */
const failAtShop = submitAtLast((_, { reservation_id }) =>
  t.decide(reservation_id, (state) => decideFailed(state, { code: 'shop_refused', detail: '' })),
);

/** A country that the shop refuses by its field: the order waits for corrections, and gets another wrong country each time. */
const refuseDetails: Wash = async (bot, minute) => {
  await correctAgain(bot, minute);
  await submitAtLast(async ({ waiting }, reservation) => {
    await refuseCountry(reservation);
    waiting.push(reservation);
  })(bot, minute);
};

function refuseCountry({ reservation_id }: ReserveAnswer): Promise<unknown> {
  return t.decide(reservation_id, (state) =>
    decideBuyerRefused(state, ['buyer.shipping_address.country_code']),
  );
}

async function correctAgain(bot: Bot, minute: number): Promise<void> {
  for (const reservation of [...bot.waiting]) {
    const { order } = await t.owned(reservation.reservation_id);
    const left_ms = (order?.held_until_ms ?? 0) - t.clock.now();
    if (order?.state === 'held' && left_ms > MINUTE) continue;
    const country_code = `${String.fromCharCode('A'.charCodeAt(0) + (minute % 26))}A`;
    const buyer = { shipping_address: { ...ADDRESS, country_code } };
    const result = await t.submit(reservation, { principal: bot.principal, buyer });
    if (result.ok) await refuseCountry(reservation);
    else bot.waiting.splice(bot.waiting.indexOf(reservation), 1);
  }
}

/** A checksum that has become stale: the order waits for a person, who never comes. */
const holdOrder = submitAtLast(async () => undefined);

/** The same, and a person rejects it. */
const rejectOrder = submitAtLast(async (bot, { reservation_id }) => {
  const { order } = await t.owned(reservation_id);
  if (order?.state === 'held') answerOf(await t.ledger.decideHeld(order.id, 'reject', 'ada'));
  bot.held = [];
});

/** Buys one sticker for every few reservations of the other SKU that expire. */
const buySticker: Wash = async (bot, minute) => {
  await expire(bot, minute);
  if (bot.unpaid < 15) return;
  bot.unpaid = 0;
  const sticker = await t.reserve('sticker', 1, { principal: bot.principal });
  if (sticker.ok) await t.sold(sticker.value, { principal: bot.principal });
};

interface Outcome {
  /** Of the SKU, averaged over the day, in percent. */
  readonly kept: number;
  /** Honest buyers of so many units who could reserve them, in percent. */
  readonly one: number;
  readonly five: number;
}

async function attack(bots: number, wash: Wash, stalesEachMinute = false): Promise<Outcome> {
  const random = makeRandom(SEED);
  const crew = Array.from(
    { length: bots },
    (_, n): Bot => ({ principal: `bot-${n}`, held: [], waiting: [], unpaid: 0 }),
  );
  const tried = { 1: 0, 5: 0 };
  const got = { 1: 0, 5: 0 };
  let kept_units = 0;
  for (let minute = 0; minute < MINUTES; minute += 1) {
    for (const bot of crew) await wash(bot, minute);
    for (const bot of crew) await takeAll(bot, minute);
    kept_units += STOCK - (await t.atp('drop'));
    if (stalesEachMinute) await makeStale();
    if (random() < 1 / MINUTES_PER_BUYER) {
      const quantity = random() < 0.5 ? 1 : 5;
      tried[quantity] += 1;
      const buyer = { principal: `buyer-${minute}` };
      const result = await t.reserve('drop', quantity, buyer);
      if (result.ok) {
        got[quantity] += 1;
        // Let go again, so that there are always as many to sell: sold out is no denial.
        answerOf(await t.release(result.value.reservation_id, buyer.principal));
      }
    }
    await pass();
  }
  expect(verifyLedgerFile(t.path).problems).toEqual([]);
  const percent = (part: number, whole: number) => Math.round((1000 * part) / whole) / 10;
  const outcome = {
    kept: percent(kept_units, STOCK * MINUTES),
    one: percent(got[1], tried[1]),
    five: percent(got[5], tried[5]),
  };
  console.log(`${expect.getState().currentTestName}: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Takes as much as it is given. */
async function takeAll(bot: Bot, minute: number): Promise<void> {
  const { principal } = bot;
  const result = await t.reserve('drop', STOCK, { principal, allow_partial: true });
  if (!result.ok) return;
  bot.held.push({ reservation: result.value, since: minute });
  bot.unpaid += 1;
}

/** The shop has other figures for a moment: every checksum of before is stale. */
async function makeStale(): Promise<void> {
  t.time.pass(1);
  await t.levels('drop', { [WAREHOUSE]: STOCK + 1 });
  t.time.pass(1);
  await t.levels('drop', { [WAREHOUSE]: STOCK });
}

/** A minute passes, and what is past its time is tidied. */
async function pass(): Promise<void> {
  t.time.pass(MINUTE);
  const expired = await t.store.expiredReservations(1000);
  await Promise.all(
    expired.map(({ reservation_key }) => t.store.transact({ owned: { reservation_key } }, decideExpire)),
  );
}

const SCENARIOS = [
  ['let everything expire', expire, {}],
  ['submit orders that the shop will not have', failAtShop, {}],
  ['submit orders with a country that the shop refuses', refuseDetails, {}],
  ['buy one sticker of another SKU now and then', buySticker, {}],
  ['submit orders that wait for a person', holdOrder, { stale_hash: 'hold' }],
  ['submit orders that a person rejects', rejectOrder, { stale_hash: 'hold' }],
] as const satisfies readonly (readonly [string, Wash, Partial<LedgerSettings>])[];

describe.each([1, 5, 20])('%i principals that never buy the SKU', { timeout: 120_000 }, (bots) => {
  test.each(SCENARIOS)(
    'and %s keep at most half of it, and honest buyers get theirs',
    async (_, wash, more) => {
      await open(more);
      const { kept, one, five } = await attack(bots, wash, 'stale_hash' in more);
      expect(kept).toBeLessThanOrEqual(50);
      expect(one).toBeGreaterThanOrEqual(95);
      expect(five).toBeGreaterThanOrEqual(95);
    },
  );
});

test('without quotas one principal keeps all of it', { timeout: 120_000 }, async () => {
  await open({ quotas: NO_QUOTAS });
  expect(await attack(1, expire)).toMatchObject({ one: 0, five: 0 });
});
