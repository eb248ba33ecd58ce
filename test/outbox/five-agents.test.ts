/**
 * Five agents after the last few units, under each routing and in each mode: what is sold is never more than the shop had, and
 * the last unit is sold when there is somebody left who wants it. `npm run five-agents` plays a thousand stories of each.
 */

import { describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { ROUTING_RULES } from '../../src/sandbox/shop/orders/routing.js';
import { answerOf, MINUTE, SECOND } from '../helpers/ledger.js';
import { runsOr } from '../helpers/runs.js';
import { product, ShopLedger } from '../helpers/shop-ledger.js';
import { Dice } from '../simulation/dice.js';

const PLACES = ['Backroom', 'Central', 'Depot'];
const MODES = [
  ['draft_order', 'complete'],
  ['draft_order', 'checkout_link'],
  ['none', 'complete'],
  ['move', 'complete'],
] as const;
const RULES = [...ROUTING_RULES, 'any'] as const;
const SEEDS = runsOr(1);
/** A thousand stories take their time. */
const NO_LIMIT = 0;

interface Setting {
  readonly rule: (typeof RULES)[number];
  readonly mirror: (typeof MODES)[number][0];
  readonly order_mode: (typeof MODES)[number][1];
  readonly seed: number;
}

class Story {
  readonly t: ShopLedger;
  readonly #dice: Dice;
  readonly #mirror: Setting['mirror'];
  had = 0;
  sold = 0;

  private constructor(t: ShopLedger, dice: Dice, mirror: Setting['mirror']) {
    this.t = t;
    this.#dice = dice;
    this.#mirror = mirror;
  }

  static async open({ rule, mirror, order_mode, seed }: Setting): Promise<Story> {
    const dice = new Dice(seed);
    const stock = Object.fromEntries(PLACES.map((place) => [place, dice.of([0, 0, 1, 1, 2, 3])]));
    const preference = PLACES.toSorted(() => dice.next() - 0.5);
    const catalogue: Catalogue = {
      locations: PLACES.map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
      products: [product('VASE', stock)],
    };
    const t = await ShopLedger.open({
      settings: { mirror, order_mode, pay_ms: 10 * MINUTE },
      sandbox: { catalogue, routing: { rule, preference }, seed, throttle: false },
      sockets: process.env['HOLDFAST_TEST_RUNS'] === undefined,
    });
    const story = new Story(t, dice, mirror);
    story.had = story.left;
    return story;
  }

  /** What the shop can still sell, over all places. */
  get left(): number {
    return PLACES.reduce((sum, place) => sum + this.t.available('VASE', place), 0);
  }

  /** Checks, reserves what it is told is there, thinks, and orders or lets go. */
  async play(wanted: number): Promise<void> {
    const { t } = this;
    const { items } = answerOf(await t.ledger.checkStock(['VASE']));
    const quantity = Math.min(wanted, items[0]?.available_to_promise ?? 0);
    if (quantity === 0) return;
    const reserved = await t.reserve('VASE', quantity);
    if (!reserved.ok) return;
    await t.workFor(this.#dice.between(0, 3) * SECOND);
    if (this.#dice.chance(0.2)) await t.beat();
    if (this.#dice.chance(0.15)) {
      await t.release(reserved.value);
      await t.workFor(SECOND);
      return;
    }
    await this.#order(reserved.value, quantity);
  }

  async #order(reserved: Parameters<ShopLedger['submit']>[0], quantity: number): Promise<void> {
    const { t } = this;
    answerOf(await t.submit(reserved));
    await t.workFor(5 * SECOND);
    const { checkout_url } = await t.order(reserved);
    if (checkout_url !== null) {
      for (const draft of t.drafts()) t.server.shop.payInvoice(draft.id);
      await t.workFor(90 * SECOND);
    }
    expect((await t.order(reserved)).state, 'an order of what was there').toBe('placed');
    this.sold += quantity;
    await t.beat();
  }

  async end(): Promise<void> {
    const { t } = this;
    await t.workFor(2 * MINUTE);
    await t.beat();
    const left = await t.atp('VASE');
    expect(left, 'what the shop has left can be sold').toBe(this.had - this.sold);
    // The last ones are there for whoever comes next.
    if (left > 0) await this.#order(await t.granted('VASE', left), left);
    expect(this.sold, `sold in mode ${this.#mirror}`).toBe(this.had);
    expect(this.left).toBe(0);
    await t.expectTrueBooks();
  }
}

describe.each(RULES)('a shop that takes units by the rule %s', (rule) => {
  test.each(MODES)(
    `five agents in turn, mode %s, %s`,
    async (mirror, order_mode) => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const story = await Story.open({ rule, mirror, order_mode, seed });
        try {
          const dice = new Dice(seed + 1_000_000);
          for (let agent = 0; agent < 5; agent += 1) await story.play(dice.of([1, 1, 1, 2, 3]));
          await story.end();
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
        } finally {
          await story.t.close();
        }
      }
    },
    NO_LIMIT,
  );
});
