/**
 * The incident's shop behind the port that Holdfast reads and writes shops through: what Shopify does, as far as a sale
 * with draft orders needs it. Draft orders set units aside without a look at the stock; an order is one completed.
 */

import type {
  ItemObservation,
  LevelObservation,
  LocationObservation,
} from '../ledger/model/values/observation.js';
import type {
  CataloguePage,
  Changes,
  DeliveryGate,
  HoldRequest,
  OrderDetails,
  OrderOutcome,
  OrderSink,
  PlaceOutcome,
  ShopHold,
  ShopLine,
  ShopOrder,
  StockSource,
  VariantCount,
  WriteOutcome,
} from '../sources/source.js';
import type { Network } from './network.js';
import type { Channel } from './script.js';
import type { IncidentShop } from './shop.js';

const WAREHOUSE = 'warehouse';
/** The shop's index shows a change after so long, and is asked again from so far back. */
const INDEX_LAG_MS = 2_000;
const OVERLAP_MS = 10_000;

interface Draft {
  readonly ref: string;
  readonly tag: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  until_ms: number;
  is_holding: boolean;
  state: 'open' | 'completed' | 'deleted';
  /** Who buys it, as their agent says. */
  buyer_id: number | null;
}

export class HoldfastShop implements StockSource, OrderSink {
  readonly #shop: IncidentShop;
  readonly #network: Network;
  readonly #channelOf: (buyerId: number) => Channel;
  readonly #drafts = new Map<string, Draft>();

  constructor(shop: IncidentShop, network: Network, channelOf: (buyerId: number) => Channel) {
    this.#shop = shop;
    this.#network = network;
    this.#channelOf = channelOf;
  }

  /** Its messages name the article; they are its own, as nobody else is here. */
  readonly gate: DeliveryGate = {
    judge: async (headers, body) => {
      const id = String(headers['x-delivery-id']);
      const hints = [{ kind: 'item' as const, id: body.toString('utf8') }];
      const topic = 'inventory_levels/update';
      const delivery = { delivery_id: id, fingerprint: null, topic, triggered_at_ms: null, hints };
      return { ok: true, delivery };
    },
  };

  async locations(): Promise<readonly LocationObservation[]> {
    return [{ location_id: WAREHOUSE, name: 'Warehouse', active: true }];
  }

  async publicationKey(): Promise<string> {
    return 'any';
  }

  async *listings(): AsyncGenerator<never> {
    // Publication does not count here.
  }

  async *catalogue(): AsyncGenerator<CataloguePage> {
    const items = await this.#network.reading(() => this.#shop.skus.map((sku) => this.#item(sku)));
    yield { items, variants: items.length, as_of: 'page', total_items: items.length };
  }

  async countVariants(): Promise<VariantCount> {
    return { variants: this.#shop.skus.length, is_exact: true };
  }

  /** The incident has one clock. */
  async hearTime(): Promise<void> {}

  async cursorNow(): Promise<string> {
    return String(this.#now - OVERLAP_MS);
  }

  async *changesSince(cursor: string): AsyncGenerator<Changes> {
    const since_ms = Number(cursor);
    yield await this.#network.reading(() => {
      const isNew = (at_ms: number): boolean => at_ms > since_ms && at_ms <= this.#now - INDEX_LAG_MS;
      const stocks = this.#shop.skus.map((sku) => this.#shop.findStock(sku));
      return {
        levels: stocks.filter((stock) => isNew(stock.changed_at_ms)).map(({ sku }) => this.#level(sku)),
        item_ids: stocks.filter((stock) => isNew(stock.listed_at_ms)).map(({ sku }) => sku),
        product_ids: [],
        has_lost_variants: false,
        cursor: String(this.#now - OVERLAP_MS),
      };
    });
  }

  readItems(itemIds: readonly string[]): Promise<readonly ItemObservation[]> {
    return this.#network.reading(() => itemIds.map((sku) => this.#item(sku)));
  }

  async itemsOfProducts(productIds: readonly string[]): Promise<readonly string[]> {
    return productIds;
  }

  findBySku(skus: readonly string[]): Promise<readonly ItemObservation[]> {
    const known = new Set(this.#shop.skus);
    return this.readItems(skus.filter((sku) => known.has(sku)));
  }

  /** Its articles have no words but their SKUs. */
  findByWords(query: string): Promise<readonly ItemObservation[]> {
    return this.findBySku(query.split(' '));
  }

  createHold(request: HoldRequest): Promise<WriteOutcome<ShopHold>> {
    return this.#network.writing(() => {
      const ref = `draft-${this.#drafts.size + 1}`;
      const lines = request.lines.map((line) => ({ sku: line.variant_id, quantity: line.quantity_units }));
      const { tag, until_ms } = request;
      const draft: Draft = { ref, tag, lines, until_ms, is_holding: false, state: 'open', buyer_id: null };
      this.#drafts.set(ref, draft);
      this.#take(draft);
      return done(seen(draft));
    });
  }

  updateHold(holdRef: string, details: OrderDetails): Promise<WriteOutcome<ShopHold>> {
    return this.#network.writing(() => {
      const draft = this.#drafts.get(holdRef);
      if (draft?.state !== 'open') return refused('no open draft order');
      draft.buyer_id = details.reference === null ? null : Number(details.reference);
      draft.until_ms = details.until_ms;
      this.#take(draft);
      return done(seen(draft));
    });
  }

  completeHold(holdRef: string): Promise<OrderOutcome> {
    return this.#network.writing(() => {
      const draft = this.#drafts.get(holdRef);
      if (draft === undefined || draft.state === 'deleted') return refused('no such draft order');
      if (draft.state === 'open') this.#complete(draft);
      return done(toShopOrder(draft));
    });
  }

  deleteHold(holdRef: string): Promise<WriteOutcome<null>> {
    return this.#network.writing(() => {
      const draft = this.#drafts.get(holdRef);
      if (draft?.state === 'completed') return refused('it is an order');
      if (draft !== undefined) {
        this.#letGo(draft);
        draft.state = 'deleted';
      }
      return done(null);
    });
  }

  findHolds(tag: string): Promise<readonly ShopHold[]> {
    return this.#network.reading(() =>
      [...this.#drafts.values()].filter((draft) => draft.tag === tag && draft.state !== 'deleted').map(seen),
    );
  }

  readHold(holdRef: string): Promise<ShopHold | null> {
    return this.#network.reading(() => {
      const draft = this.#drafts.get(holdRef);
      return draft === undefined || draft.state === 'deleted' ? null : seen(draft);
    });
  }

  async moveStock(): Promise<WriteOutcome<null>> {
    return refused('this shop holds units with draft orders');
  }

  async placeOrder(): Promise<PlaceOutcome> {
    return refused('this shop makes its orders of draft orders');
  }

  /** There is one warehouse. */
  async readFulfilment(): Promise<null> {
    return null;
  }

  async moveFulfilment(): Promise<WriteOutcome<null>> {
    return refused('this shop has one warehouse');
  }

  async findOrders(tag: string): Promise<readonly ShopOrder[]> {
    return [...this.#drafts.values()]
      .filter((draft) => draft.tag === tag && draft.state === 'completed')
      .map(toShopOrder);
  }

  /** Draft orders that still hold units: none, when everything has come to rest. */
  get holding(): number {
    return [...this.#drafts.values()].filter((draft) => draft.is_holding).length;
  }

  #complete(draft: Draft): void {
    const { buyer_id } = draft;
    if (buyer_id === null) throw new Error('an order of nobody');
    this.#letGo(draft);
    draft.state = 'completed';
    const channel = this.#channelOf(buyer_id);
    for (const { sku, quantity } of draft.lines) this.#shop.takeOrder({ buyer_id, channel, sku, quantity });
  }

  #take(draft: Draft): void {
    if (!draft.is_holding) for (const { sku, quantity } of draft.lines) this.#shop.hold(sku, quantity);
    draft.is_holding = true;
    this.#lapseAt(draft, draft.until_ms);
  }

  /** The shop lets go by itself when the time is over, unless it was made longer since. */
  #lapseAt(draft: Draft, until_ms: number): void {
    this.#network.timeline.at(until_ms, () => {
      if (draft.until_ms === until_ms) this.#letGo(draft);
    });
  }

  #letGo(draft: Draft): void {
    if (draft.is_holding) for (const { sku, quantity } of draft.lines) this.#shop.hold(sku, -quantity);
    draft.is_holding = false;
  }

  #item(sku: string): ItemObservation {
    const lifecycle = this.#shop.findStock(sku).is_sold ? 'active' : 'discontinued';
    const names = { item_id: sku, variant_id: sku, product_id: sku, sku, title: sku, variant_title: '' };
    return { ...names, lifecycle, levels: [this.#level(sku)] };
  }

  #level(sku: string): LevelObservation {
    const { book_units, committed_units, changed_at_ms } = this.#shop.findStock(sku);
    return {
      item_id: sku,
      location_id: WAREHOUSE,
      available_units: this.#shop.available(sku),
      on_hand_units: book_units,
      committed_units,
      upstream_updated_at_ms: changed_at_ms,
    };
  }

  get #now(): number {
    return this.#network.timeline.now_ms;
  }
}

function seen(draft: Draft): ShopHold {
  const { ref: hold_ref, is_holding, state } = draft;
  const isDone = state === 'completed';
  return {
    hold_ref,
    lines: toShopLines(draft),
    status: isDone ? 'completed' : 'open',
    until_ms: is_holding ? draft.until_ms : null,
    checkout_url: null,
    order: isDone ? toShopOrder(draft) : null,
  };
}

function toShopOrder(draft: Draft): ShopOrder {
  const { ref } = draft;
  return {
    order_ref: `order-of-${ref}`,
    order_name: `#${ref.replace('draft-', '')}`,
    lines: toShopLines(draft),
    is_cancelled: false,
  };
}

function toShopLines({ lines }: Draft): ShopLine[] {
  return lines.map(({ sku, quantity }) => ({ item_id: sku, sku, quantity_units: quantity }));
}

function done<T>(value: T): { outcome: 'done'; value: T } {
  return { outcome: 'done', value };
}

function refused(detail: string): { outcome: 'refused'; failure: 'refused'; detail: string } {
  return { outcome: 'refused', failure: 'refused', detail };
}
