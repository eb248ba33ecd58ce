/**
 * Forty last units, each sold at the till up to ten seconds before an agent orders it, or while its buyer looks at the link. What
 * the shop's newest figures can show is never sold again; what nobody could see, a payment before the report, is counted and told.
 */

import { afterEach, describe, expect, test } from 'vitest';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import { MINUTE, SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, WAREHOUSE } from '../helpers/shop-ledger.js';
import { Dice } from '../simulation/dice.js';

const SKUS = Array.from({ length: 40 }, (_, n) => `LAST-${n + 1}`);
const HEARTBEAT_MS = 15 * SECOND;
const WITHDRAWN_WITHIN_MS = 2 * SECOND;

let t: ShopLedger;
const open = async (settings: Parameters<typeof ShopLedger.open>[0] = {}) => {
  t = await ShopLedger.open({
    ...settings,
    sandbox: {
      catalogue: {
        locations: [{ name: WAREHOUSE, city: 'Hamburg', countryCode: 'DE' }],
        products: SKUS.map((sku) => product(sku, { [WAREHOUSE]: 1 })),
      },
      throttle: false,
    },
  });
};
afterEach(() => t.close());

/** When the ledger is told to look, by a heartbeat in either case: as soon as a webhook would tell, or when the next one is due. */
function newsAfter(isSoon: boolean, dice: Dice): number {
  return isSoon ? dice.between(500, 4 * SECOND) : dice.between(0, HEARTBEAT_MS);
}

const MODES = ['draft_order', 'none', 'move'] as const;
const NEWS = [
  ['news as soon as webhooks bring it', true],
  ['news with the next heartbeat', false],
] as const;

describe.each(MODES)('item 9, mode %s, complete', (mirror) => {
  test.each(NEWS)('%s: none of forty units is sold a second time', async (_, isSoon) => {
    await open({ settings: { mirror } });
    const dice = new Dice(40);
    for (const sku of SKUS) {
      const mine = await t.granted(sku, 1);
      await t.workFor(dice.between(0, 3 * SECOND));
      t.server.shop.sell(sku, 1, { at: WAREHOUSE });
      const news_ms = newsAfter(isSoon, dice);
      const submit_ms = dice.between(0, 10 * SECOND);
      await t.workFor(Math.min(news_ms, submit_ms));
      if (news_ms < submit_ms) {
        await t.beat();
        await t.workFor(submit_ms - news_ms);
      }
      await t.submit(mine);
      await t.workFor(10 * SECOND);
      await t.beat();
      await t.workFor(MINUTE);
      expect((await t.order(mine)).state, sku).toMatch(/^(failed|rejected)$/);
    }
    expect(t.orders()).toEqual([]);
    for (const sku of SKUS) expect(t.available(sku), sku).toBe(0);
    await t.expectTrueBooks();
  });
});

describe('item 10, checkout_link', () => {
  test.each(NEWS)(
    '%s: the link goes within 2 s of the report, and payments before it are counted',
    async (name, isSoon) => {
      await open({ settings: { order_mode: 'checkout_link', pay_ms: 10 * MINUTE } });
      const dice = new Dice(41);
      let paid = 0;
      for (const sku of SKUS) {
        const mine = await t.mirrored(sku, 1);
        await t.accepted(mine);
        await t.workFor(dice.between(SECOND, 10 * SECOND));
        expect(await pay(mine, { isOnlyLooking: true }), `the link of ${sku}`).toBe(200);
        t.server.shop.sell(sku, 1, { at: WAREHOUSE });
        const news_ms = newsAfter(isSoon, dice);
        const pays_ms = dice.between(0, 8 * SECOND);
        const isInTime = pays_ms < news_ms;
        await t.workFor(Math.min(pays_ms, news_ms));
        if (isInTime) {
          expect(await pay(mine)).toBe(200);
          paid += 1;
          await t.workFor(news_ms - pays_ms);
        }
        await t.beat();
        await t.workFor(WITHDRAWN_WITHIN_MS);
        if (!isInTime) expect(await pay(mine), `the link of ${sku}, after the report`).toBe(404);
        await t.workFor(2 * MINUTE);
        expect((await t.order(mine)).state, sku).toBe(isInTime ? 'placed' : 'failed');
      }
      // Only a payment that came before anybody could know sold a unit again.
      const below = SKUS.filter((sku) => t.available(sku) < 0);
      console.info(`${name}: ${paid} of ${SKUS.length} buyers paid before the till's sale was reported`);
      expect(below).toHaveLength(paid);
      expect(t.orders()).toHaveLength(paid);
      await t.expectTrueBooks();
    },
  );
});

/** The status of the page behind the link that the order was given first. */
async function pay(
  reservation: Pick<ReserveAnswer, 'reservation_id'>,
  { isOnlyLooking = false } = {},
): Promise<number> {
  const { checkout_url } = await t.order(reservation);
  const url = links.get(reservation.reservation_id) ?? checkout_url;
  if (url === null) throw new Error('no link was offered');
  links.set(reservation.reservation_id, url);
  return (await fetch(url, { method: isOnlyLooking ? 'GET' : 'POST' })).status;
}

const links = new Map<string, string>();
