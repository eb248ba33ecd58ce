/**
 * The shop as it really is: what its own system says is for sale, what really lies on the shelves, every order of every
 * channel, and what the warehouse does with them. No strategy sees this; they have a door or an API.
 *
 * Two kinds of harm are told apart. *Oversold*: sold when the shop's own system had no such unit for sale; whoever had
 * asked it could have known. *Not on the shelf*: sold within the shop's figure, and the unit was not there, because
 * somebody in the warehouse had put it elsewhere; no software that asks the shop can know.
 */

import { type Channel, DAY, type Happening, HOUR, type Script } from './script.js';
import type { Timeline } from './timeline.js';

/** Shipped the next morning at ten. */
const SHIPS_AT_MS = 10 * HOUR;
/** From the warehouse to the buyer, back, and through inspection. */
const RETURN_MS = 2 * DAY;

export interface Stock {
  readonly sku: string;
  readonly initial_units: number;
  /** What the shop's system believes to be on the shelf, ordered units included. */
  book_units: number;
  /** Ordered and not shipped yet. */
  committed_units: number;
  /** Set aside for draft orders. Part of no promise to anybody. */
  held_units: number;
  /** What really lies on the shelf. */
  shelf_units: number;
  is_sold: boolean;
  /** When stock or status last changed. */
  changed_at_ms: number;
  /** Of the article itself, stock aside. */
  listed_at_ms: number;
  shipped_units: number;
  restocked_units: number;
  carted_off_units: number;
  /** What was put on the wrong shelf, from here (negative) or here. */
  mislaid_units: number;
  /** What could be sold, whoever held it, whenever that changed. */
  readonly history: { readonly at_ms: number; readonly units: number }[];
}

export interface Sale {
  readonly at_ms: number;
  readonly buyer_id: number;
  readonly channel: Channel;
  readonly sku: string;
  readonly quantity: number;
  /** Of them, beyond what the shop had. Never shipped, always refunded. */
  readonly oversold_units: number;
}

interface Order extends Sale {
  readonly returns: boolean;
}

/** What was found when an order was to be packed. */
export interface Packed {
  readonly sale: Sale;
  readonly shipped_units: number;
  /** Within the shop's figure, and not there. */
  readonly missing_units: number;
}

export class IncidentShop {
  readonly sales: Sale[] = [];
  readonly packed: Packed[] = [];
  readonly #timeline: Timeline;
  readonly #stock = new Map<string, Stock>();
  readonly #buyers: Script['buyers'];
  readonly #listeners: ((sku: string) => void)[] = [];
  #waiting: Order[] = [];

  constructor(script: Script, timeline: Timeline) {
    this.#timeline = timeline;
    this.#buyers = script.buyers;
    for (const { sku, stock_units } of script.articles)
      this.#stock.set(sku, newStock(sku, stock_units, script.start_ms));
    for (const happening of script.happenings) timeline.at(happening.at_ms, () => this.#happens(happening));
    const days = Math.round((script.end_ms - script.start_ms) / DAY);
    for (let day = 1; day <= days; day += 1) {
      timeline.at(script.start_ms + day * DAY + SHIPS_AT_MS, () => this.#ship());
    }
  }

  get skus(): string[] {
    return [...this.#stock.keys()];
  }

  findStock(sku: string): Stock {
    const stock = this.#stock.get(sku);
    if (stock === undefined) throw new Error(`the shop has no ${sku}`);
    return stock;
  }

  /** The shop's own figure: what its checkout would sell now. Negative when more was sold or held than there is. */
  available(sku: string): number {
    const stock = this.findStock(sku);
    return unsold(stock) - stock.held_units;
  }

  /** Told of every change of stock or status. */
  onChange(listener: (sku: string) => void): void {
    this.#listeners.push(listener);
  }

  /** The shop's checkout: looks and takes in one step, and takes nothing that is not there. */
  checkOut(sale: Omit<Sale, 'at_ms' | 'oversold_units'>): boolean {
    const stock = this.findStock(sale.sku);
    if (!stock.is_sold || this.available(sale.sku) < sale.quantity) return false;
    this.takeOrder(sale);
    return true;
  }

  /** A paid order from elsewhere: taken whatever the stock is. */
  takeOrder(sale: Omit<Sale, 'at_ms' | 'oversold_units'>): void {
    const stock = this.findStock(sale.sku);
    stock.committed_units += sale.quantity;
    const oversold_units = Math.min(sale.quantity, Math.max(0, -unsold(stock)));
    const at_ms = this.#timeline.now_ms;
    const whole: Sale = { ...sale, at_ms, oversold_units };
    this.sales.push(whole);
    this.#waiting.push({ ...whole, returns: this.#buyers[sale.buyer_id]?.returns === true });
    this.#changed(stock);
  }

  /** Sets units aside, or lets go of them with a negative number. As Shopify does for a draft order: without a look at the stock. */
  hold(sku: string, units: number): void {
    const stock = this.findStock(sku);
    stock.held_units += units;
    this.#changed(stock);
  }

  /** What does not add up, in words; empty when every unit is accounted for. */
  audit(): string[] {
    return [...this.#stock.values()].flatMap((stock) => {
      const { sku, initial_units, shelf_units, book_units, committed_units } = stock;
      const { restocked_units, carted_off_units, mislaid_units, shipped_units } = stock;
      const problems: string[] = [];
      const left = initial_units + restocked_units + mislaid_units - carted_off_units - shipped_units;
      if (shelf_units !== left)
        problems.push(`${sku}: ${shelf_units} on the shelf, ${left} by what came and went`);
      if (shelf_units < 0) problems.push(`${sku}: ${shelf_units} on the shelf`);
      const waiting = this.#waiting.filter((order) => order.sku === sku);
      const ordered = waiting.reduce((sum, { quantity }) => sum + quantity, 0);
      if (committed_units !== ordered)
        problems.push(`${sku}: ${committed_units} committed, ${ordered} ordered`);
      const sold = this.sales
        .filter((sale) => sale.sku === sku)
        .reduce((sum, { quantity }) => sum + quantity, 0);
      const ended = this.packed
        .filter(({ sale }) => sale.sku === sku)
        .reduce((sum, one) => sum + one.shipped_units + one.missing_units + one.sale.oversold_units, 0);
      if (sold !== ended + ordered)
        problems.push(`${sku}: ${sold} sold, ${ended} packed or refunded, ${ordered} waiting`);
      if (book_units < 0) problems.push(`${sku}: ${book_units} in the books`);
      return problems;
    });
  }

  #happens(happening: Happening): void {
    switch (happening.kind) {
      case 'discontinued':
        this.#discontinue(this.findStock(happening.sku));
        break;
      case 'mispicked':
        this.#mislay(this.findStock(happening.sku), this.findStock(happening.into_sku), happening.units);
        break;
      case 'recounted':
        for (const sku of happening.skus) this.#count(this.findStock(sku));
        break;
      case 'flash_sale':
        // Only more buyers, and they are in the script.
        break;
    }
  }

  /** What was ordered before stays, packed and labelled. */
  #discontinue(stock: Stock): void {
    const units = Math.max(0, Math.min(unsold(stock), stock.shelf_units));
    stock.shelf_units -= units;
    stock.book_units -= units;
    stock.carted_off_units += units;
    stock.is_sold = false;
    stock.listed_at_ms = this.#timeline.now_ms;
    this.#changed(stock);
  }

  #mislay(from: Stock, to: Stock, wanted: number): void {
    const units = Math.min(wanted, from.shelf_units);
    from.shelf_units -= units;
    from.mislaid_units -= units;
    to.shelf_units += units;
    to.mislaid_units += units;
  }

  #count(stock: Stock): void {
    if (stock.book_units === stock.shelf_units) return;
    stock.book_units = stock.shelf_units;
    this.#changed(stock);
  }

  #ship(): void {
    const orders = this.#waiting;
    this.#waiting = [];
    for (const order of orders) this.#pack(order);
  }

  #pack(order: Order): void {
    const stock = this.findStock(order.sku);
    const good_units = order.quantity - order.oversold_units;
    const shipped_units = Math.min(good_units, stock.shelf_units);
    stock.committed_units -= order.quantity;
    stock.book_units -= good_units;
    stock.shelf_units -= shipped_units;
    stock.shipped_units += shipped_units;
    const { returns, ...sale } = order;
    this.packed.push({ sale, shipped_units, missing_units: good_units - shipped_units });
    this.#changed(stock);
    if (returns)
      this.#timeline.at(this.#timeline.now_ms + RETURN_MS, () => this.#takeBack(stock, shipped_units));
  }

  /** What is discontinued goes to the outlet, not back on the shelf. */
  #takeBack(stock: Stock, units: number): void {
    if (!stock.is_sold || units === 0) return;
    stock.shelf_units += units;
    stock.book_units += units;
    stock.restocked_units += units;
    this.#changed(stock);
  }

  #changed(stock: Stock): void {
    const at_ms = this.#timeline.now_ms;
    stock.changed_at_ms = at_ms;
    const units = stock.is_sold ? unsold(stock) : 0;
    if (stock.history.at(-1)?.units !== units) stock.history.push({ at_ms, units });
    for (const listener of this.#listeners) listener(stock.sku);
  }
}

/** Units that nobody has ordered, held ones included. */
function unsold(stock: Stock): number {
  return stock.book_units - stock.committed_units;
}

function newStock(sku: string, units: number, start_ms: number): Stock {
  return {
    sku,
    initial_units: units,
    book_units: units,
    committed_units: 0,
    held_units: 0,
    shelf_units: units,
    is_sold: true,
    changed_at_ms: start_ms,
    listed_at_ms: start_ms,
    shipped_units: 0,
    restocked_units: 0,
    carted_off_units: 0,
    mislaid_units: 0,
    history: [{ at_ms: start_ms, units }],
  };
}
