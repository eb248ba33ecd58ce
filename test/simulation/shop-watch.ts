/**
 * The oracle at the shop. It knows nothing of the ledger. A draft may take a level below zero for a moment, because Shopify
 * reserves without a look at its stock; what must never happen is an order for units that are not there.
 */

import { expect } from 'vitest';
import type { ShopEvent } from '../../src/sandbox/base/events.js';
import type { Quantities } from '../../src/sandbox/base/quantities.js';
import type { Shop } from '../../src/sandbox/shop/shop.js';

const STORY_LINES = 30;

export class ShopWatch {
  readonly #shop: Shop;
  readonly #oversold: string[] = [];
  /** What happened to each item last, for the story of what went wrong. */
  readonly #stories = new Map<string, string[]>();
  #orders = 0;
  #drafts_in_vain = 0;

  constructor(shop: Shop) {
    this.#shop = shop;
    shop.events.listen((event) => this.#see(event));
  }

  /** Drafts that took a level below zero: somebody at the till was faster. The youngest claim on it has to go. */
  get draftsInVain(): number {
    return this.#drafts_in_vain;
  }

  /** No order of ours sold a unit that the shop did not have. */
  expectSound(): void {
    expect(this.#orders).toBeGreaterThan(0);
    expect(this.#oversold).toEqual([]);
  }

  #see(event: ShopEvent): void {
    this.#tell(event);
    if (event.kind === 'draft_order' && event.change === 'created') this.#seeDraft(event.draftOrderId);
    if (event.kind === 'order' && event.change === 'created') this.#seeOrder(event.orderId);
  }

  #seeDraft(id: string): void {
    const { draftOrders } = this.#shop;
    const short = this.#levelsOf(draftOrders.get(id)?.lines ?? []).some(({ available }) => available < 0);
    if (short) this.#drafts_in_vain += 1;
  }

  #seeOrder(id: string): void {
    const order = this.#shop.orders.get(id);
    if (order === undefined || !order.tags.includes('holdfast')) return;
    this.#orders += 1;
    // Units that nobody has bought: what is for sale, and what drafts only hold. Below zero, an order can't be shipped.
    const short = this.#levelsOf(order.lines).some(({ available, reserved }) => available + reserved < 0);
    if (!short) return;
    const stories = order.lines.flatMap(({ itemId }) => this.#stories.get(itemId ?? '') ?? []);
    this.#oversold.push([order.name, ...stories].join('\n'));
  }

  #levelsOf(lines: readonly { readonly itemId: string | null }[]): readonly Quantities[] {
    return lines.flatMap(({ itemId }) =>
      itemId === null ? [] : this.#shop.inventory.levelsOfItem(itemId).map((level) => level.quantities),
    );
  }

  #tell(event: ShopEvent): void {
    const time = new Date(event.atMs).toISOString().slice(11, 23);
    if (event.kind === 'inventory_level') {
      const deltas = event.change === 'updated' ? JSON.stringify(event.deltas) : event.change;
      const available = this.#shop.inventory
        .levelsOfItem(event.itemId)
        .map((level) => level.quantities.available);
      this.#note(event.itemId, `${time} ${deltas} -> ${available.join(', ')}`);
    } else if (event.kind === 'draft_order') {
      const draft = this.#shop.draftOrders.get(event.draftOrderId);
      for (const { itemId, quantity } of draft?.lines ?? []) {
        this.#note(itemId ?? '', `${time} ${draft?.name} ${event.change}, ${quantity} units`);
      }
    }
  }

  #note(itemId: string, line: string): void {
    const story = this.#stories.get(itemId) ?? [];
    story.push(line);
    if (story.length > STORY_LINES) story.shift();
    this.#stories.set(itemId, story);
  }
}
