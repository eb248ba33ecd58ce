/** What lies between the shop and everybody else: calls that take time, and webhooks that are late or lost. */

import { Chance } from './chance.js';
import { MINUTE, type Script, SECOND } from './script.js';
import type { IncidentShop } from './shop.js';
import type { Ask, Reading, ShopDoor } from './strategy.js';
import type { Timeline } from './timeline.js';

/** Of a hundred webhooks, lost for good, and late by minutes because the first try failed. */
const LOST = 0.02;
const LATE = 0.02;

export class Network {
  readonly timeline: Timeline;
  readonly #shop: IncidentShop;
  readonly #seed: number;
  readonly #end_ms: number;
  readonly #calls: Chance;
  readonly #messages = new Map<string, Chance>();

  constructor(script: Script, shop: IncidentShop, timeline: Timeline) {
    this.timeline = timeline;
    this.#shop = shop;
    this.#seed = script.seed;
    this.#end_ms = script.end_ms;
    this.#calls = new Chance(script.seed, 'calls');
  }

  /** A read: it is true for the moment at which the shop looked, half way through. */
  async reading<T>(look: () => T): Promise<T> {
    const way_ms = this.#calls.around(150, 0.3);
    await this.timeline.sleep(way_ms);
    const seen = look();
    await this.timeline.sleep(way_ms);
    return seen;
  }

  /** A write: slower. */
  async writing<T>(act: () => T): Promise<T> {
    const way_ms = this.#calls.around(300, 0.3);
    await this.timeline.sleep(way_ms);
    const done = act();
    await this.timeline.sleep(way_ms);
    return done;
  }

  /** The shop's webhooks: most within two seconds, some late, some never. */
  onWebhook(heard: (sku: string) => void): void {
    this.#shop.onChange((sku) => {
      const chance = this.#createChance(sku);
      const [isLost, isLate] = [chance.is(LOST), chance.is(LATE)];
      const delay_ms = isLate ? chance.between(MINUTE, 30 * MINUTE) : chance.around(1.2 * SECOND, 0.6);
      if (!isLost) this.timeline.at(this.timeline.now_ms + delay_ms, () => heard(sku));
    });
  }

  /** Until the sale is over. */
  every(interval_ms: () => number, run: () => Promise<void>): void {
    const at_ms = this.timeline.now_ms + interval_ms();
    if (at_ms >= this.#end_ms) return;
    this.timeline.at(at_ms, async () => {
      await run();
      this.every(interval_ms, run);
    });
  }

  /** The n-th message about an article has the same fate under every strategy. */
  #createChance(sku: string): Chance {
    const known = this.#messages.get(sku);
    if (known !== undefined) return known;
    const chance = new Chance(this.#seed, 'webhooks', sku);
    this.#messages.set(sku, chance);
    return chance;
  }
}

/** The shop's API as the simple strategies use it. */
export class NetworkDoor implements ShopDoor {
  readonly #network: Network;
  readonly #shop: IncidentShop;
  readonly #seed: number;
  readonly #spread: Chance;

  constructor(script: Script, shop: IncidentShop, network: Network) {
    this.#network = network;
    this.#shop = shop;
    this.#seed = script.seed;
    this.#spread = new Chance(script.seed, 'pollers');
  }

  now(): number {
    return this.#network.timeline.now_ms;
  }

  sleep(ms: number): Promise<void> {
    return this.#network.timeline.sleep(ms);
  }

  every(interval_ms: () => number, run: () => Promise<void>): void {
    this.#network.every(interval_ms, run);
  }

  read(skus: readonly string[] | 'all'): Promise<Reading> {
    return this.#network.reading(() => {
      const wanted = skus === 'all' ? this.#shop.skus : skus;
      const units = new Map(
        wanted.map((sku) => {
          const isSold = this.#shop.findStock(sku).is_sold;
          return [sku, isSold ? Math.max(0, this.#shop.available(sku)) : 0];
        }),
      );
      return { as_of_ms: this.now(), units };
    });
  }

  async order(ask: Ask): Promise<void> {
    await this.#network.writing(() => this.#shop.takeOrder(ask));
  }

  onWebhook(heard: (sku: string) => void): void {
    this.#network.onWebhook(heard);
  }

  answerMs({ buyer_id }: Ask): number {
    return new Chance(this.#seed, 'answer', buyer_id).between(20 * SECOND, 90 * SECOND);
  }

  between(min: number, max: number): number {
    return this.#spread.between(min, max);
  }
}
