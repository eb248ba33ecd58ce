/**
 * Turns what happened in the shop into webhooks, and delivers them as Shopify does: at least once, in no promised
 * order, built when they are sent, signed over the raw body, retried eight times over four hours with the bytes of the
 * first attempt and to the address of the moment when they were caused. Shopify: shopify.dev/docs/apps/build/webhooks,
 * and the changelog "Updates to webhook retry mechanism" of 2024-09-10.
 *
 * Everything happens on the shop's clock, and only in `deliverDue`: whoever moves the clock says when it is called.
 */

import { createHmac } from 'node:crypto';
import type { ShopEvent } from '../base/events.js';
import { mergeShares } from '../base/faults.js';
import { jsonText, pickFields } from '../base/json-text.js';
import { type Random, randomUuid } from '../base/random.js';
import { SHOP_DOMAIN, type Shop } from '../shop/shop.js';
import type { Subscription } from '../shop/webhook-subscriptions.js';
import { chooseTopic, identifyResource, isMerged, TOPICS, type TopicName } from '../shop/webhook-topics.js';
import { buildPayload } from './webhook-payloads.js';
import { type Poster, type PostOutcome, WebhookPoster } from './webhook-post.js';

/** The client secret of the sandbox's app, with which webhooks are signed. Not a secret: loopback only. */
export const WEBHOOK_SECRET = 'sandbox';
const WEBHOOK_API_VERSION = '2026-10';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Shopify: "a total of 8 times over 4 hours using an exponential backoff"; these eight pauses are ours, and add up to it. */
export const RETRY_DELAYS_MS: readonly number[] = [
  10 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS + 8 * MINUTE_MS + 20 * SECOND_MS,
];

/** What goes wrong on the way, as shares of all messages from 0 to 1. None by default. */
export interface WebhookFaults {
  /** Never sent at all. */
  readonly lost: number;
  /** Sent a second time within `doubledWithinMs`, with the same delivery id. */
  readonly doubled: number;
  readonly doubledWithinMs: number;
  /** Held back by up to `reorderedWithinMs`, so that later ones overtake it. */
  readonly reordered: number;
  readonly reorderedWithinMs: number;
  /** Of those that can be merged: waits `mergedWithinMs` instead of the usual window, and swallows what comes meanwhile. */
  readonly merged: number;
  readonly mergedWithinMs: number;
  /** Held back by `lateByMs` at most. Shopify: "there can be delays" of up to a day. */
  readonly late: number;
  readonly lateByMs: number;
}

export const NO_WEBHOOK_FAULTS: WebhookFaults = {
  lost: 0,
  doubled: 0,
  doubledWithinMs: 10 * SECOND_MS,
  reordered: 0,
  reorderedWithinMs: 10 * SECOND_MS,
  merged: 0,
  mergedWithinMs: 30 * SECOND_MS,
  late: 0,
  lateByMs: 24 * HOUR_MS,
};

export interface WebhookSettings {
  /** How long a change waits for more changes of the same thing, which are then told of together. Default 1,000. */
  readonly mergeWindowMs: number;
  /** `classic`: X-Shopify-*; `events`: the shopify-* names of 2026. Default classic. */
  readonly headers: 'classic' | 'events';
  /** Pauses before the retries; a message that failed after the last one is given up. */
  readonly retryDelaysMs: readonly number[];
  /** Shopify: 1,000 to connect, 5,000 in all. In real time, whatever the shop's clock does. */
  readonly connectLimitMs: number;
  readonly totalLimitMs: number;
  /** Attempts at a time. With 1, the default, equal seeds give equal orders. */
  readonly concurrency: number;
  readonly faults: Partial<WebhookFaults>;
}

export const WEBHOOK_DEFAULTS: WebhookSettings = {
  mergeWindowMs: SECOND_MS,
  headers: 'classic',
  retryDelaysMs: RETRY_DELAYS_MS,
  connectLimitMs: SECOND_MS,
  totalLimitMs: 5 * SECOND_MS,
  concurrency: 1,
  faults: {},
};

/** How many messages so far. */
export interface WebhookCounts {
  /** Events of a topic that somebody subscribes to, once per subscription. */
  caused: number;
  merged: number;
  lost: number;
  doubled: number;
  reordered: number;
  late: number;
  /** Attempts that were answered with 2xx, and those that were not. */
  delivered: number;
  failed: number;
  /** Not sent: the thing or the subscription was gone, or the payload was the same as the last one's. */
  dropped: number;
  givenUp: number;
  removedSubscriptions: number;
}

/** One attempt, for whoever wants to see what was sent. */
export interface Attempt {
  readonly atMs: number;
  readonly topic: string;
  readonly uri: string;
  readonly deliveryId: string;
  readonly eventId: string;
  /** 1 for the first. */
  readonly number: number;
  readonly body: string;
  readonly outcome: PostOutcome;
}

const ATTEMPTS_KEPT = 1_000;
/** Payloads that are remembered to tell a change from a repetition, per shop. */
const BODIES_KEPT = 10_000;

interface Message {
  readonly sequence: number;
  readonly subscription: Subscription;
  readonly topic: TopicName;
  readonly event: ShopEvent;
  /** The thing that it tells of, for this subscription. */
  readonly key: string;
  readonly deliveryId: string;
  readonly eventId: string;
  dueMs: number;
  attempts: number;
  /** Null until the first attempt; the retries send the same bytes. */
  body: string | null;
  /** Whether a second copy follows the first delivery. */
  doubledAfterMs: number | null;
}

export class WebhookDeliveries {
  readonly counts: WebhookCounts = {
    caused: 0,
    merged: 0,
    lost: 0,
    doubled: 0,
    reordered: 0,
    late: 0,
    delivered: 0,
    failed: 0,
    dropped: 0,
    givenUp: 0,
    removedSubscriptions: 0,
  };
  readonly #shop: Shop;
  readonly #settings: WebhookSettings;
  readonly #random: Random;
  readonly #poster: Poster;
  /** By due time, then by age. */
  #queue: Message[] = [];
  /** The messages that can still swallow a change, by subscription and thing. */
  readonly #mergeable = new Map<string, Message>();
  /** When each subscription last got something through. */
  readonly #deliveredMs = new Map<string, number>();
  readonly #lastBodies = new Map<string, string>();
  readonly #attempts: Attempt[] = [];
  #faults: WebhookFaults;
  #messages = 0;
  #eventIds: { readonly action: number; readonly id: string } = { action: -1, id: '' };
  #running: Promise<void> = Promise.resolve();
  #isClosing = false;

  /** Listens to the shop from now on. Equal sequences of `random` do equal things. */
  constructor(
    shop: Shop,
    settings: WebhookSettings,
    random: Random,
    poster: Poster = new WebhookPoster(settings),
  ) {
    this.#shop = shop;
    this.#settings = settings;
    this.#random = random;
    this.#faults = mergeShares(settings.faults, NO_WEBHOOK_FAULTS);
    this.#poster = poster;
    shop.events.listen((event, action) => this.#caused(event, action));
  }

  /** Shares that are left out are none. Holds for what happens from now on. Throws `FaultError`. */
  setFaults(faults: Partial<WebhookFaults>): void {
    this.#faults = mergeShares(faults, NO_WEBHOOK_FAULTS);
  }

  get faults(): WebhookFaults {
    return this.#faults;
  }

  /** When the next message is due, in the shop's time; null when none waits. */
  nextDueMs(): number | null {
    return this.#queue[0]?.dueMs ?? null;
  }

  /** How many messages wait, retries included. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The latest attempts, oldest first, 1,000 at most. */
  attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  /** Sends everything that is due by the shop's time now, and what becomes due through it. Calls wait for one another. */
  deliverDue(): Promise<void> {
    const run = this.#running.then(() => this.#deliverAllDue());
    this.#running = run.catch(() => undefined);
    return run;
  }

  /** Waits for the attempts in flight and closes the connections. What was not sent yet waits for the next `deliverDue`. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
    this.#isClosing = false;
    this.#poster.close();
  }

  #caused(event: ShopEvent, action: number): void {
    const topic = chooseTopic(event);
    if (topic === null) return;
    for (const subscription of this.#shop.webhookSubscriptions.all()) {
      if (subscription.topic === topic) this.#cause(subscription, topic, event, this.#createEventId(action));
    }
    if (event.kind === 'app' && event.change === 'uninstalled') this.#shop.webhookSubscriptions.clear();
  }

  /** Shopify: the event id is the same for all topics of one action. */
  #createEventId(action: number): string {
    if (this.#eventIds.action !== action) this.#eventIds = { action, id: randomUuid(this.#random) };
    return this.#eventIds.id;
  }

  #cause(subscription: Subscription, topic: TopicName, event: ShopEvent, eventId: string): void {
    this.counts.caused += 1;
    const key = `${subscription.id} ${identifyResource(event)}`;
    const canMerge = isMerged(topic);
    if (canMerge && this.#mergeable.has(key)) {
      this.counts.merged += 1;
      return;
    }
    if (this.#hits(this.#faults.lost)) {
      this.counts.lost += 1;
      return;
    }
    const message: Message = {
      sequence: this.#messages,
      subscription,
      topic,
      event,
      key,
      deliveryId: randomUuid(this.#random),
      eventId,
      dueMs: event.atMs + this.#delayMs(canMerge),
      attempts: 0,
      body: null,
      doubledAfterMs: this.#hits(this.#faults.doubled)
        ? Math.floor(this.#random() * this.#faults.doubledWithinMs)
        : null,
    };
    this.#messages += 1;
    if (canMerge) this.#mergeable.set(key, message);
    this.#enqueue(message);
  }

  #delayMs(canMerge: boolean): number {
    const faults = this.#faults;
    let delayMs = canMerge ? this.#settings.mergeWindowMs : 0;
    if (canMerge && this.#hits(faults.merged)) delayMs = faults.mergedWithinMs;
    if (this.#hits(faults.reordered)) {
      this.counts.reordered += 1;
      delayMs += Math.floor(this.#random() * faults.reorderedWithinMs);
    }
    if (this.#hits(faults.late)) {
      this.counts.late += 1;
      delayMs += Math.floor(this.#random() * faults.lateByMs);
    }
    return delayMs;
  }

  /** Draws nothing where there is nothing to decide, so that one share does not change what another one hits. */
  #hits(share: number): boolean {
    return share > 0 && this.#random() < share;
  }

  async #deliverAllDue(): Promise<void> {
    while (!this.#isClosing) {
      const due = await this.#takeDue();
      if (due.length === 0) return;
      const next = due[Symbol.iterator]();
      const work = async () => {
        for (const message of next) {
          if (this.#isClosing) this.#enqueue(message);
          else await this.#attempt(message);
        }
      };
      await Promise.all(Array.from({ length: Math.max(1, this.#settings.concurrency) }, work));
    }
  }

  async #takeDue(): Promise<Message[]> {
    await this.#shop.bulkOperations.caughtUp(this.#shop.nowMs());
    const nowMs = this.#shop.settle();
    const count = this.#queue.findIndex(({ dueMs }) => dueMs > nowMs);
    return count === -1 ? this.#queue.splice(0) : this.#queue.splice(0, count);
  }

  async #attempt(message: Message): Promise<void> {
    const isWanted =
      message.event.kind === 'app' ||
      this.#shop.webhookSubscriptions.get(message.subscription.id) !== undefined;
    if (this.#mergeable.get(message.key) === message) this.#mergeable.delete(message.key);
    message.body ??= isWanted ? this.#buildBody(message) : null;
    if (!isWanted || message.body === null) {
      this.counts.dropped += 1;
      return;
    }
    message.attempts += 1;
    const { body, subscription } = message;
    const outcome = await this.#poster.post(subscription.uri, this.#buildHeaders(message, body), body);
    this.#remember(message, body, outcome);
    const isDelivered = 'status' in outcome && outcome.status >= 200 && outcome.status < 300;
    if (isDelivered) this.#delivered(message);
    else this.#failed(message);
  }

  /**
   * Null when there is nothing to say, or nothing new. Shopify: with `includeFields` but without `updated_at`, a payload
   * that repeats the last one of the same thing is dropped.
   */
  #buildBody({ event, subscription, key }: Message): string | null {
    const payload = buildPayload(event, this.#shop);
    if (payload === null) return null;
    const { includeFields } = subscription;
    const body = jsonText(includeFields.length > 0 ? pickFields(payload, includeFields) : payload);
    if (includeFields.length === 0 || includeFields.includes('updated_at')) return body;
    if (this.#lastBodies.get(key) === body) return null;
    this.#lastBodies.delete(key);
    this.#lastBodies.set(key, body);
    const [oldest] = this.#lastBodies.keys();
    if (this.#lastBodies.size > BODIES_KEPT && oldest !== undefined) this.#lastBodies.delete(oldest);
    return body;
  }

  #buildHeaders(message: Message, body: string): Readonly<Record<string, string>> {
    const { topic, subscription, deliveryId, eventId, event } = message;
    const { wire } = TOPICS[topic];
    const isClassic = this.#settings.headers === 'classic';
    const named = (name: string, value: string): [string, string] => [
      `${isClassic ? 'X-Shopify' : 'shopify'}-${isClassic ? name : name.toLowerCase()}`,
      value,
    ];
    const own = isClassic
      ? [named('Name', subscription.name ?? '')]
      : [named('Handle', subscription.name ?? ''), named('Action', wire.split('/')[1] ?? '')];
    return Object.fromEntries([
      ['Content-Type', 'application/json'],
      ['User-Agent', 'Shopify-Captain-Hook'],
      named('Topic', wire),
      named('Hmac-Sha256', createHmac('sha256', WEBHOOK_SECRET).update(body, 'utf8').digest('base64')),
      named('Shop-Domain', SHOP_DOMAIN),
      named('API-Version', WEBHOOK_API_VERSION),
      named('Webhook-Id', deliveryId),
      named('Event-Id', eventId),
      named('Triggered-At', new Date(event.atMs).toISOString()),
      ...own.filter(([, value]) => value !== ''),
    ]);
  }

  #remember(message: Message, body: string, outcome: PostOutcome): void {
    this.#attempts.push({
      atMs: this.#shop.nowMs(),
      topic: TOPICS[message.topic].wire,
      uri: message.subscription.uri,
      deliveryId: message.deliveryId,
      eventId: message.eventId,
      number: message.attempts,
      body,
      outcome,
    });
    if (this.#attempts.length > ATTEMPTS_KEPT) this.#attempts.shift();
  }

  #delivered(message: Message): void {
    const nowMs = this.#shop.nowMs();
    this.counts.delivered += 1;
    this.#deliveredMs.set(message.subscription.id, nowMs);
    if (message.doubledAfterMs === null) return;
    this.counts.doubled += 1;
    this.#enqueue({ ...message, dueMs: nowMs + message.doubledAfterMs, attempts: 0, doubledAfterMs: null });
  }

  #failed(message: Message): void {
    this.counts.failed += 1;
    const delayMs = this.#settings.retryDelaysMs[message.attempts - 1];
    if (delayMs !== undefined) {
      this.#enqueue({ ...message, dueMs: this.#shop.nowMs() + delayMs });
      return;
    }
    this.counts.givenUp += 1;
    this.#removeDeaf(message);
  }

  /**
   * Shopify removes a subscription made over the API after eight failed deliveries in a row. Read as: all retries of
   * one message have failed, and nothing else got through since it was caused.
   */
  #removeDeaf({ subscription, event }: Message): void {
    if ((this.#deliveredMs.get(subscription.id) ?? Number.NEGATIVE_INFINITY) >= event.atMs) return;
    const { deletedWebhookSubscriptionId } = this.#shop.webhookSubscriptions.delete(subscription.id);
    if (deletedWebhookSubscriptionId !== null) this.counts.removedSubscriptions += 1;
  }

  #enqueue(message: Message): void {
    const queue = this.#queue;
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = queue[middle];
      if (other && isBefore(message, other)) high = middle;
      else low = middle + 1;
    }
    queue.splice(low, 0, message);
  }
}

function isBefore(left: Message, right: Message): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.sequence < right.sequence);
}
