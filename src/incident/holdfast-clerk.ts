/** An agent that sells through Holdfast's own tools, and does what their answers say. */

import type { Ledger } from '../ledger/ledger.js';
import type { Tool } from '../mcp/kit/tool.js';
import { LOCAL_CALLER, type ToolContext } from '../mcp/server.js';
import { checkStock } from '../mcp/tools/check-stock.js';
import { getOrder } from '../mcp/tools/get-order.js';
import { releaseReservation } from '../mcp/tools/release-reservation.js';
import { reserveUnits } from '../mcp/tools/reserve-units.js';
import { submitOrderWithHash } from '../mcp/tools/submit-order-with-hash.js';
import { MINUTE, SECOND } from './script.js';
import type { Ask, Bought, SellingChannel, Strategy } from './strategy.js';
import type { Timeline } from './timeline.js';

type Answer = Readonly<Record<string, unknown>> & {
  readonly error?: { readonly code: string };
};

interface Held {
  readonly reservation_id: string;
  readonly stock_hash: string;
}

const LOOK_EVERY_MS = SECOND;
/** An order is placed or not within seconds. Whoever waits for longer has met a bug. */
const WORD_MAX_MS = 10 * MINUTE;
/** Not yes yet and not no. */
const OPEN: ReadonlySet<unknown> = new Set(['held', 'accepted']);

export class HoldfastClerk implements Pick<Strategy, 'quote' | 'want' | 'buy' | 'leave'> {
  readonly #timeline: Timeline;
  readonly #contexts: Readonly<Record<SellingChannel, ToolContext>>;
  readonly #held = new Map<number, Held>();

  constructor(ledger: Ledger, timeline: Timeline) {
    this.#timeline = timeline;
    const context = (principal: SellingChannel): ToolContext => ({
      ledger,
      caller: { ...LOCAL_CALLER, principal, channel: principal },
      reportBug: (error) => {
        throw error;
      },
    });
    this.#contexts = { agent: context('agent'), marketplace: context('marketplace') };
  }

  async quote(ask: Ask): Promise<boolean> {
    const { items } = await this.#call(ask, checkStock, { skus: [ask.sku] });
    const [item] = items as { available_to_promise: number }[];
    return (item?.available_to_promise ?? 0) >= ask.quantity;
  }

  async want(ask: Ask): Promise<boolean> {
    const { sku, quantity, buyer_id } = ask;
    const answer = await this.#call(ask, reserveUnits, { lines: [{ sku, quantity }] });
    if (answer.error !== undefined) return false;
    const { reservation_id, stock_hash } = answer as unknown as Held;
    this.#held.set(buyer_id, { reservation_id, stock_hash });
    return true;
  }

  /** Who talked for longer than the reservation lasts gets what is free now. */
  async buy(ask: Ask): Promise<Bought> {
    const first = await this.#submit(ask);
    if (first.error?.code !== 'reservation_expired') return this.#word(ask, first);
    return (await this.want(ask)) ? this.#word(ask, await this.#submit(ask)) : { outcome: 'refused' };
  }

  async leave(ask: Ask): Promise<void> {
    const held = this.#held.get(ask.buyer_id);
    if (held === undefined) return;
    await this.#call(ask, releaseReservation, {
      reservation_id: held.reservation_id,
    });
  }

  async #submit(ask: Ask): Promise<Answer> {
    const held = this.#held.get(ask.buyer_id);
    if (held === undefined) throw new Error('nothing was reserved');
    return this.#call(ask, submitOrderWithHash, { ...held, reference: String(ask.buyer_id) });
  }

  /** The buyer hears yes when the order is placed, and not before. */
  async #word(ask: Ask, submitted: Answer): Promise<Bought> {
    if (submitted.error !== undefined) return { outcome: 'refused' };
    const age_ms = await this.#measureAge(ask);
    const { order_id, status } = submitted;
    const until_ms = this.#timeline.now_ms + WORD_MAX_MS;
    let latest = submitted;
    while (OPEN.has(latest['status'])) {
      if (this.#timeline.now_ms > until_ms)
        throw new Error(`order ${String(order_id)} came to nothing in time`);
      await this.#timeline.sleep(LOOK_EVERY_MS);
      latest = await this.#call(ask, getOrder, { order_id });
    }
    if (latest['status'] === 'placed') return { outcome: 'sold', age_ms };
    return { outcome: status === 'accepted' ? 'withdrawn' : 'refused' };
  }

  /** Of the stock that the verdict was given on, by the answer of the tool itself. */
  async #measureAge(ask: Ask): Promise<number> {
    const { items } = await this.#call(ask, checkStock, { skus: [ask.sku] });
    const [item] = items as { confirmed_at: string }[];
    return Math.max(0, this.#timeline.now_ms - Date.parse(item?.confirmed_at ?? ''));
  }

  async #call({ channel }: Ask, tool: Tool, args: unknown): Promise<Answer> {
    const { structuredContent } = await tool.run(this.#contexts[channel], args);
    if (structuredContent === undefined) throw new Error(`${tool.name} did not understand its arguments`);
    return structuredContent as Answer;
  }
}
