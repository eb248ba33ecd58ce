/**
 * What a strategy is, and all that one of (a) to (e) can see of the shop: its API, which takes time to answer, and its
 * webhooks, which come late or not at all. The truth about shelves and other channels is nowhere in here.
 */

import type { Channel } from './script.js';

/** One buyer, from the first question to the money. */
export interface Ask {
  readonly buyer_id: number;
  readonly channel: SellingChannel;
  readonly sku: string;
  readonly quantity: number;
}

/** The shop's own checkout asks nobody: a strategy decides for the two others. */
export type SellingChannel = Exclude<Channel, 'web'>;

/**
 * `age_ms`: time since the figure that the decision rests on was last known to be true. `refused`: the buyer was told no,
 * and keeps the money. `withdrawn`: was told yes and then no, before any money moved.
 */
export type Bought =
  | { readonly outcome: 'sold'; readonly age_ms: number }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'withdrawn' };

export interface Strategy {
  /** Before the first buyer comes. Resolves when it is ready to sell. */
  open(): Promise<void>;
  /** The buyer asks. False: is told that there is none, and goes. */
  quote(ask: Ask): Promise<boolean>;
  /** The buyer wants it. False: is told that it is gone, and goes. */
  want(ask: Ask): Promise<boolean>;
  /** The buyer pays. */
  buy(ask: Ask): Promise<Bought>;
  /** The buyer says no in the end. Of one who is just gone nobody is told. */
  leave(ask: Ask): Promise<void>;
  /** After the last. Throws when what it left behind is not in order. */
  close(): Promise<void>;
}

/** What was read, and when it was true. Negative and discontinued stock reads as 0. */
export interface Reading {
  readonly as_of_ms: number;
  readonly units: ReadonlyMap<string, number>;
}

export interface ShopDoor {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Begins something that goes on beside the rest, until the sale is over. */
  every(interval_ms: () => number, run: () => Promise<void>): void;
  /** What can be sold, as the shop's API tells it: some 0.2 to 0.5 s for the way there and back. */
  read(skus: readonly string[] | 'all'): Promise<Reading>;
  /**
   * Puts a paid order into the shop, as connectors of marketplaces and agents do: the buyer has been told yes, so it is
   * taken whatever the stock is, and goes below zero where need be.
   */
  order(ask: Ask): Promise<void>;
  /** Tells of an article whose stock or status changed: after a second or two, sometimes much later, sometimes never. */
  onWebhook(heard: (sku: string) => void): void;
  /** How long this buyer takes to say yes again. */
  answerMs(ask: Ask): number;
  /** In [min, max): for pollers that do not march in step. */
  between(min: number, max: number): number;
}
