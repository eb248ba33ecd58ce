/**
 * (a) to (e): what shops do today, each as well as the idea allows. They sell the two channels that are not the shop's
 * own checkout, see the shop through its door alone, and never sell what they believe to be gone.
 */

import type { Ask, Bought, Reading, SellingChannel, ShopDoor, Strategy } from './strategy.js';

const REFUSED: Bought = { outcome: 'refused' };
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Common to all five: nothing to tidy up, nothing held, nothing to say to those who leave. */
abstract class Plain implements Strategy {
  protected readonly shop: ShopDoor;

  constructor(shop: ShopDoor) {
    this.shop = shop;
  }

  abstract open(): Promise<void>;
  abstract quote(ask: Ask): Promise<boolean>;
  abstract buy(ask: Ask): Promise<Bought>;

  /** Most look once more when the buyer has made up their mind. */
  want(ask: Ask): Promise<boolean> {
    return this.quote(ask);
  }

  async leave(_: Ask): Promise<void> {}

  async close(): Promise<void> {}

  protected async sold(ask: Ask, as_of_ms: number): Promise<Bought> {
    const age_ms = this.shop.now() - as_of_ms;
    await this.shop.order(ask);
    return { outcome: 'sold', age_ms };
  }
}

/** (a) The catalogue with its stock is read once, when the agents are set up, and is part of what every one of them knows. */
export class CatalogueInContext extends Plain {
  #catalogue: Reading = { as_of_ms: 0, units: new Map() };

  async open(): Promise<void> {
    this.#catalogue = await this.shop.read('all');
  }

  async quote({ sku, quantity }: Ask): Promise<boolean> {
    return (this.#catalogue.units.get(sku) ?? 0) >= quantity;
  }

  async buy(ask: Ask): Promise<Bought> {
    return (await this.quote(ask)) ? this.sold(ask, this.#catalogue.as_of_ms) : REFUSED;
  }
}

/** A figure that was read for all articles at once, and what we sold ourselves since. */
class Polled {
  #reading: Reading = { as_of_ms: 0, units: new Map() };
  /** By article: sales with their time, so that one during the read is not forgotten. */
  #own: { readonly sku: string; readonly quantity: number; readonly at_ms: number }[] = [];

  get as_of_ms(): number {
    return this.#reading.as_of_ms;
  }

  async refresh(shop: ShopDoor): Promise<void> {
    const reading = await shop.read('all');
    this.#reading = reading;
    this.#own = this.#own.filter(({ at_ms }) => at_ms >= reading.as_of_ms);
  }

  free(sku: string): number {
    const own = this.#own.filter((sale) => sale.sku === sku);
    return (this.#reading.units.get(sku) ?? 0) - own.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  sold({ sku, quantity }: Ask, at_ms: number): void {
    this.#own.push({ sku, quantity, at_ms });
  }
}

/** (b) Each channel polls for itself: the agents every 10 minutes, the marketplace every 5 to 15. Own sales are subtracted. */
export class Polling extends Plain {
  readonly #polled: Readonly<Record<SellingChannel, Polled>> = {
    agent: new Polled(),
    marketplace: new Polled(),
  };

  async open(): Promise<void> {
    const { agent, marketplace } = this.#polled;
    await Promise.all([agent.refresh(this.shop), marketplace.refresh(this.shop)]);
    this.shop.every(
      () => 10 * MINUTE,
      () => agent.refresh(this.shop),
    );
    this.shop.every(
      () => this.shop.between(5 * MINUTE, 15 * MINUTE),
      () => marketplace.refresh(this.shop),
    );
  }

  async quote({ channel, sku, quantity }: Ask): Promise<boolean> {
    return this.#polled[channel].free(sku) >= quantity;
  }

  async buy(ask: Ask): Promise<Bought> {
    if (!(await this.quote(ask))) return REFUSED;
    const polled = this.#polled[ask.channel];
    polled.sold(ask, this.shop.now());
    return this.sold(ask, polled.as_of_ms);
  }
}

const HOLD_MS = 15 * MINUTE;

/** (c) One book of reservations for both channels, 15 minutes each, over figures that are polled every 10 minutes. */
export class ReservationsOnly extends Plain {
  readonly #polled = new Polled();
  readonly #holds = new Map<number, { readonly ask: Ask; readonly until_ms: number }>();

  async open(): Promise<void> {
    await this.#polled.refresh(this.shop);
    this.shop.every(
      () => 10 * MINUTE,
      () => this.#polled.refresh(this.shop),
    );
  }

  async quote(ask: Ask): Promise<boolean> {
    return this.#free(ask.sku) >= ask.quantity;
  }

  override async want(ask: Ask): Promise<boolean> {
    if (this.#free(ask.sku) < ask.quantity) return false;
    this.#holds.set(ask.buyer_id, { ask, until_ms: this.shop.now() + HOLD_MS });
    return true;
  }

  /** Who talked for longer than the reservation lasts gets what is free now. */
  async buy(ask: Ask): Promise<Bought> {
    const isHeld = (this.#holds.get(ask.buyer_id)?.until_ms ?? 0) > this.shop.now();
    this.#holds.delete(ask.buyer_id);
    if (!isHeld && this.#free(ask.sku) < ask.quantity) return REFUSED;
    this.#polled.sold(ask, this.shop.now());
    return this.sold(ask, this.#polled.as_of_ms);
  }

  override async leave({ buyer_id }: Ask): Promise<void> {
    this.#holds.delete(buyer_id);
  }

  #free(sku: string): number {
    let free = this.#polled.free(sku);
    for (const [buyer_id, { ask, until_ms }] of this.#holds) {
      if (until_ms <= this.shop.now()) this.#holds.delete(buyer_id);
      else if (ask.sku === sku) free -= ask.quantity;
    }
    return free;
  }
}

/** Times that a buyer is asked again, because the stock is not what it was. */
const REQUOTES_MAX = 2;

/**
 * (d) The buyer's answer carries the stock it was given on. When the money comes the shop is read again: the same, and
 * the order is made; another figure that still suffices, and the buyer is asked again. Nothing is held.
 */
export class ChecksumOnly extends Plain {
  readonly #quoted = new Map<number, number>();

  async open(): Promise<void> {}

  async quote(ask: Ask): Promise<boolean> {
    const { units } = await this.#read(ask);
    this.#quoted.set(ask.buyer_id, units);
    return units >= ask.quantity;
  }

  /** Nothing is held, so there is nothing to do but to talk on. */
  override async want(_: Ask): Promise<boolean> {
    return true;
  }

  async buy(ask: Ask): Promise<Bought> {
    for (let asked = 0; asked <= REQUOTES_MAX; asked += 1) {
      const { units, as_of_ms } = await this.#read(ask);
      if (units < ask.quantity) return REFUSED;
      if (units === this.#quoted.get(ask.buyer_id)) return this.sold(ask, as_of_ms);
      this.#quoted.set(ask.buyer_id, units);
      if (asked < REQUOTES_MAX) await this.shop.sleep(this.shop.answerMs(ask));
    }
    return REFUSED;
  }

  async #read({ sku }: Ask): Promise<{ units: number; as_of_ms: number }> {
    const { units, as_of_ms } = await this.shop.read([sku]);
    return { units: units.get(sku) ?? 0, as_of_ms };
  }
}

interface Cached {
  units: number;
  readonly as_of_ms: number;
}

/** (e) One cache for both channels. A webhook throws out what it names, the next question reads it anew; own sales are subtracted. */
export class WebhookInvalidation extends Plain {
  readonly #cache = new Map<string, Cached>();
  /** By article: how often the shop has spoken of it. A read that began before the last time is not kept. */
  readonly #heard = new Map<string, number>();

  async open(): Promise<void> {
    this.shop.onWebhook((sku) => {
      this.#cache.delete(sku);
      this.#heard.set(sku, this.#readHeard(sku) + 1);
    });
    const { units, as_of_ms } = await this.shop.read('all');
    for (const [sku, read] of units) this.#cache.set(sku, { units: read, as_of_ms });
  }

  async quote({ sku, quantity }: Ask): Promise<boolean> {
    return (await this.#readStock(sku)).units >= quantity;
  }

  async buy(ask: Ask): Promise<Bought> {
    const cached = await this.#readStock(ask.sku);
    if (cached.units < ask.quantity) return REFUSED;
    cached.units -= ask.quantity;
    return this.sold(ask, cached.as_of_ms);
  }

  async #readStock(sku: string): Promise<Cached> {
    const cached = this.#cache.get(sku);
    if (cached !== undefined) return cached;
    const heard = this.#readHeard(sku);
    const { units, as_of_ms } = await this.shop.read([sku]);
    // Another question may have filled it meanwhile: then both go on with one count.
    const filled = this.#cache.get(sku);
    if (filled !== undefined) return filled;
    const fresh = { units: units.get(sku) ?? 0, as_of_ms };
    if (this.#readHeard(sku) === heard) this.#cache.set(sku, fresh);
    return fresh;
  }

  #readHeard(sku: string): number {
    return this.#heard.get(sku) ?? 0;
  }
}
