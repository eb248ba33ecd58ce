/** Plays one script against one strategy, and says what came of it. */

import { HoldfastShop } from './holdfast-shop.js';
import { type HoldfastParts, HoldfastStrategy } from './holdfast-strategy.js';
import { Network, NetworkDoor } from './network.js';
import type { Buyer, Channel, Script } from './script.js';
import { IncidentShop } from './shop.js';
import {
  CatalogueInContext,
  ChecksumOnly,
  Polling,
  ReservationsOnly,
  WebhookInvalidation,
} from './strategies.js';
import type { Ask, ShopDoor, Strategy } from './strategy.js';
import { Timeline } from './timeline.js';

export const STRATEGIES = {
  a: { name: 'Catalogue in the agent’s context', short: 'catalogue in context' },
  b: { name: 'Polling every 10 minutes', short: 'polling' },
  c: { name: 'Reservation with TTL only', short: 'reservation only' },
  d: { name: 'Checksum only', short: 'checksum only' },
  e: { name: 'Webhook cache invalidation only', short: 'webhooks only' },
  f: { name: 'Holdfast', short: 'Holdfast' },
} as const;

export type Letter = keyof typeof STRATEGIES;
export const LETTERS = Object.keys(STRATEGIES) as Letter[];

const SIMPLE: Readonly<Record<Exclude<Letter, 'f'>, new (door: ShopDoor) => Strategy>> = {
  a: CatalogueInContext,
  b: Polling,
  c: ReservationsOnly,
  d: ChecksumOnly,
  e: WebhookInvalidation,
};

/** A buyer who would have paid, and was told that there is none. */
export interface Refusal {
  readonly at_ms: number;
  readonly channel: Channel;
  readonly sku: string;
  readonly quantity: number;
}

export interface Replay {
  readonly shop: IncidentShop;
  readonly refusals: readonly Refusal[];
  /** Of every order that the strategy decided, in milliseconds. */
  readonly ages_ms: readonly number[];
  /** Orders that were said to be accepted and then could not be placed. No money moved. */
  readonly withdrawn: number;
  /** Buyers who would pay: the same whatever the strategy. */
  readonly attempted: number;
}

/** Throws when anything does not add up in the end. */
export async function replay(script: Script, letter: Letter, parts: HoldfastParts): Promise<Replay> {
  const timeline = new Timeline(script.start_ms);
  const shop = new IncidentShop(script, timeline);
  const network = new Network(script, shop, timeline);
  const strategy = letter === 'f' ? holdfast() : new SIMPLE[letter](new NetworkDoor(script, shop, network));
  const refusals: Refusal[] = [];
  const ages_ms: number[] = [];
  let withdrawn = 0;
  let told = 0;

  const refuse = ({ channel, sku, quantity, converts }: Buyer): void => {
    if (converts) refusals.push({ at_ms: timeline.now_ms, channel, sku, quantity });
  };
  const serve = async (buyer: Buyer): Promise<void> => {
    const { id: buyer_id, channel, sku, quantity } = buyer;
    if (channel === 'web') return shopOnTheWeb(buyer);
    const ask: Ask = { buyer_id, channel, sku, quantity };
    if (!(await strategy.quote(ask))) return refuse(buyer);
    await timeline.until(buyer.decides_at_ms);
    if (!(await strategy.want(ask))) return refuse(buyer);
    await timeline.until(buyer.pays_at_ms);
    if (!buyer.converts) return buyer.says_goodbye ? strategy.leave(ask) : undefined;
    const bought = await strategy.buy(ask);
    if (bought.outcome === 'withdrawn') withdrawn += 1;
    if (bought.outcome !== 'sold') return refuse(buyer);
    ages_ms.push(bought.age_ms);
    told += quantity;
  };
  const shopOnTheWeb = async (buyer: Buyer): Promise<void> => {
    await timeline.until(buyer.pays_at_ms);
    const { id: buyer_id, channel, sku, quantity } = buyer;
    if (!buyer.converts) return;
    if (!shop.checkOut({ buyer_id, channel, sku, quantity })) refuse(buyer);
    else told += quantity;
  };
  function holdfast(): HoldfastStrategy {
    const findChannel = (buyerId: number): Channel => {
      const buyer = script.buyers[buyerId];
      if (buyer === undefined) throw new Error(`nobody is buyer ${buyerId}`);
      return buyer.channel;
    };
    const api = new HoldfastShop(shop, network, findChannel);
    const comes_at_ms = script.buyers
      .filter(({ channel }) => channel !== 'web')
      .flatMap(({ asks_at_ms, decides_at_ms, pays_at_ms }) => [asks_at_ms, decides_at_ms, pays_at_ms])
      .sort((one, other) => one - other);
    return new HoldfastStrategy(parts, { api, network, end_ms: script.end_ms, comes_at_ms });
  }

  timeline.at(script.start_ms, () => strategy.open());
  for (const buyer of script.buyers) timeline.at(buyer.asks_at_ms, () => serve(buyer));
  await timeline.play();
  await strategy.close();
  expectTrueBooks(shop, told);
  const attempted = script.buyers.filter(({ converts }) => converts).length;
  return { shop, refusals, ages_ms, withdrawn, attempted };
}

/** Every unit is where it should be, and every buyer who was told yes has an order. */
function expectTrueBooks(shop: IncidentShop, told: number): void {
  const problems = shop.audit();
  const sold = shop.sales.reduce((sum, { quantity }) => sum + quantity, 0);
  if (sold !== told) problems.push(`${told} units promised to buyers, ${sold} ordered at the shop`);
  if (problems.length > 0) throw new Error(`the shop does not add up:\n${problems.join('\n')}`);
}
