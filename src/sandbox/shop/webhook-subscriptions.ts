/**
 * The app's webhook subscriptions. Shopify: `webhookSubscriptionCreate` and its kin, whose user errors carry no codes.
 * The sandbox posts to https addresses as Shopify does, and to http on this machine, where Shopify would refuse.
 */

import { type Connection, type Listing, type PageArguments, paginate } from '../api-rules/connection.js';
import { Sequence } from '../base/sequence.js';
import { TOPICS, type TopicName } from './webhook-topics.js';

export interface Subscription {
  readonly id: string;
  readonly topic: TopicName;
  readonly uri: string;
  readonly name: string | null;
  /** Names of the payload's fields, or dotted paths into it; empty for all of them. */
  readonly includeFields: readonly string[];
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface SubscriptionInput {
  readonly uri?: string | null;
  readonly callbackUrl?: string | null;
  readonly name?: string | null;
  readonly includeFields?: readonly string[] | null;
}

export interface SubscriptionResult {
  readonly webhookSubscription: Subscription | null;
  readonly userErrors: readonly { readonly field: readonly string[]; readonly message: string }[];
}

type UserErrors = SubscriptionResult['userErrors'];

/** Shopify's changelog of 2026-02-11: up to 50 letters, digits, underscores and hyphens, unique in the shop. */
const NAME = /^[A-Za-z0-9_-]{1,50}$/u;
const URI_MAX_CHARACTERS = 2_048;
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

const LISTING: Listing<Subscription> = {
  filters: {
    id: { kind: 'id', of: ({ id }) => id },
    created_at: { kind: 'time', of: ({ createdMs }) => createdMs },
    updated_at: { kind: 'time', of: ({ updatedMs }) => updatedMs },
  },
  sorts: { CREATED_AT: ({ createdMs }) => createdMs },
};

export class WebhookSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #ids = new Sequence('WebhookSubscription', 1_428_915_101_929n, 32_768n);

  get(id: string): Subscription | undefined {
    return this.#subscriptions.get(id);
  }

  /** In the order in which they were made. */
  all(): Iterable<Subscription> {
    return this.#subscriptions.values();
  }

  list(
    args: PageArguments & { readonly topics?: readonly string[] | null; readonly uri?: string | null },
  ): Connection<Subscription> {
    const wanted = [...this.#subscriptions.values()].filter(
      ({ topic, uri }) => (args.topics?.includes(topic) ?? true) && (args.uri == null || args.uri === uri),
    );
    return paginate(wanted, args, LISTING);
  }

  /** Refuses an address that is not https, one that has the topic already, and a name that is taken or malformed. */
  create(topic: TopicName, input: SubscriptionInput, nowMs: number): SubscriptionResult {
    const uri = input.uri ?? input.callbackUrl ?? '';
    const userErrors = [...uriErrors(uri, fieldOfUri(input)), ...this.#clashes(null, topic, uri, input)];
    if (userErrors.length > 0) return { webhookSubscription: null, userErrors };
    const subscription: Subscription = {
      id: this.#ids.next(),
      topic,
      uri,
      name: input.name ?? null,
      includeFields: input.includeFields ?? [],
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    this.#subscriptions.set(subscription.id, subscription);
    return { webhookSubscription: subscription, userErrors: [] };
  }

  /** What the input does not name stays; the topic always does. */
  update(id: string, input: SubscriptionInput, nowMs: number): SubscriptionResult {
    const present = this.#subscriptions.get(id);
    if (!present) return { webhookSubscription: null, userErrors: unknownSubscription() };
    const uri = input.uri ?? input.callbackUrl ?? present.uri;
    const userErrors = [
      ...uriErrors(uri, fieldOfUri(input)),
      ...this.#clashes(present, present.topic, uri, input),
    ];
    if (userErrors.length > 0) return { webhookSubscription: null, userErrors };
    const subscription: Subscription = {
      ...present,
      uri,
      name: input.name === undefined ? present.name : input.name,
      includeFields: input.includeFields === undefined ? present.includeFields : (input.includeFields ?? []),
      updatedMs: nowMs,
    };
    this.#subscriptions.set(id, subscription);
    return { webhookSubscription: subscription, userErrors: [] };
  }

  delete(id: string): {
    readonly deletedWebhookSubscriptionId: string | null;
    readonly userErrors: UserErrors;
  } {
    const isGone = this.#subscriptions.delete(id);
    return isGone
      ? { deletedWebhookSubscriptionId: id, userErrors: [] }
      : { deletedWebhookSubscriptionId: null, userErrors: unknownSubscription() };
  }

  /** As when the app is removed. */
  clear(): void {
    this.#subscriptions.clear();
  }

  #clashes(
    present: Subscription | null,
    topic: TopicName,
    uri: string,
    input: SubscriptionInput,
  ): UserErrors {
    const others = [...this.#subscriptions.values()].filter((other) => other !== present);
    const errors = [];
    if (others.some((other) => other.topic === topic && other.uri === uri)) {
      errors.push({ field: fieldOfUri(input), message: 'Address for this topic has already been taken' });
    }
    if (typeof input.name !== 'string') return errors;
    const field = ['webhookSubscription', 'name'];
    if (!NAME.test(input.name)) {
      const message =
        'Name can only contain alphanumeric characters, underscores, and hyphens (maximum is 50 characters)';
      errors.push({ field, message });
    } else if (others.some((other) => other.name === input.name)) {
      errors.push({ field, message: 'Name has already been taken' });
    }
    return errors;
  }
}

/** Null when the scopes suffice for the topic; else Shopify's words for what it takes for an unknown topic. */
export function topicRefusal(topic: TopicName, scopes: readonly string[]): string | null {
  const allowed = Object.values(TOPICS).filter((candidate) => isGranted(candidate.scopes, scopes));
  if (isGranted(TOPICS[topic].scopes, scopes)) return null;
  const names = allowed.map(({ wire }) => wire).join(', ');
  return `Invalid topic specified: ${TOPICS[topic].wire}. Does it exist? Is there a missing access scope? Topics allowed: ${names}`;
}

function isGranted(wanted: readonly string[], scopes: readonly string[]): boolean {
  return (
    wanted.length === 0 ||
    wanted.some((scope) => scopes.includes(scope) || scopes.includes(scope.replace(/^read_/u, 'write_')))
  );
}

function fieldOfUri(input: SubscriptionInput): readonly string[] {
  return ['webhookSubscription', input.uri == null && input.callbackUrl != null ? 'callbackUrl' : 'uri'];
}

function uriErrors(uri: string, field: readonly string[]): UserErrors {
  const refuse = (message: string) => [{ field, message }];
  if (uri === '') return refuse("Address can't be blank");
  if (uri.length > URI_MAX_CHARACTERS) return refuse('Address is too long (maximum is 2048 characters)');
  if (!URL.canParse(uri)) return refuse('Address is invalid');
  const { protocol, hostname } = new URL(uri);
  if (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname)) return [];
  if (protocol !== 'https:') return refuse(`Address protocol ${protocol}// is not supported`);
  if (hostname.endsWith('.myshopify.com')) {
    return refuse('Address cannot be a Shopify or an internal domain');
  }
  return [];
}

function unknownSubscription(): UserErrors {
  return [{ field: ['id'], message: 'Webhook subscription does not exist' }];
}
