/** The part of the API that is about the app itself: its webhook subscriptions and its bulk operations. */

import { GraphQLError } from 'graphql';
import { planBulkQuery } from '../api-rules/bulk-query.js';
import type { PageArguments } from '../api-rules/connection.js';
import { numberOfGid } from '../base/gid.js';
import { isoSeconds } from '../base/time.js';
import type { BulkOperation } from '../shop/bulk-operations.js';
import { type Subscription, type SubscriptionInput, topicRefusal } from '../shop/webhook-subscriptions.js';
import { isEmulatedTopic, type TopicName } from '../shop/webhook-topics.js';
import type { Context, Fields } from './context.js';
import { requireGid } from './queries.js';

export const APP_QUERIES: Fields<unknown> = {
  webhookSubscription: (_root, { id }: { id: string }, { shop }) =>
    shop.webhookSubscriptions.get(requireGid(id)) ?? null,
  webhookSubscriptions: (_root, args: SubscriptionsArguments, { shop }) => {
    const uri = args.uri ?? args.callbackUrl ?? null;
    const { format, topics, ...page } = args;
    // Every subscription is in JSON: the sandbox knows no other format.
    return shop.webhookSubscriptions.list({
      ...page,
      uri,
      topics: format === 'XML' ? [] : (topics ?? null),
    });
  },
  bulkOperation: (_root, { id }: { id: string }, { shop }) => shop.bulkOperations.get(requireGid(id)) ?? null,
  bulkOperations: (_root, args: PageArguments, { shop }) => shop.bulkOperations.list(args),
  currentBulkOperation: (_root, { type }: { type?: string | null }, { shop }) =>
    type === 'MUTATION' ? null : shop.bulkOperations.current(),
  productVariantsCount: (_root, args: { limit?: number | null; query?: string | null }, { shop }) => {
    if (args.query?.trim())
      throw badRequest('the sandbox shop does not emulate a query on productVariantsCount');
    const all = shop.inventory.variants.size;
    // Shopify: "Use null to have no limit."
    const limit = args.limit ?? Number.POSITIVE_INFINITY;
    return all <= limit ? { count: all, precision: 'EXACT' } : { count: limit, precision: 'AT_LEAST' };
  },
};

export const APP_MUTATIONS: Fields<unknown> = {
  webhookSubscriptionCreate: (
    _root,
    args: { topic: string; webhookSubscription: UnemulatedInput },
    { shop, nowMs, scopes },
  ) => {
    const topic = emulatedTopic(args.topic);
    const refusal = topicRefusal(topic, scopes);
    if (refusal !== null) {
      return { webhookSubscription: null, userErrors: [{ field: ['topic'], message: refusal }] };
    }
    return shop.webhookSubscriptions.create(topic, emulatedInput(args.webhookSubscription), nowMs);
  },
  webhookSubscriptionUpdate: (
    _root,
    args: { id: string; webhookSubscription: UnemulatedInput },
    { shop, nowMs },
  ) => shop.webhookSubscriptions.update(requireGid(args.id), emulatedInput(args.webhookSubscription), nowMs),
  webhookSubscriptionDelete: (_root, { id }: { id: string }, { shop }) =>
    shop.webhookSubscriptions.delete(requireGid(id)),
  bulkOperationRunQuery: (_root, args: { query: string; groupObjects: boolean }, context, info) => {
    const plan = planBulkQuery(info.schema, args.query);
    if ('refusal' in plan) {
      const userErrors = [{ field: ['query'], message: plan.refusal, code: 'INVALID' }];
      return { bulkOperation: null, userErrors };
    }
    const { shop, nowMs, read } = context;
    return shop.bulkOperations.start(args.query, { plan, isGrouped: args.groupObjects, read }, nowMs);
  },
  bulkOperationCancel: (_root, { id }: { id: string }, { shop, nowMs }) =>
    shop.bulkOperations.cancel(requireGid(id), nowMs),
};

const SUBSCRIPTION: Fields<Subscription> = {
  legacyResourceId: ({ id }) => numberOfGid(id),
  createdAt: ({ createdMs }) => isoSeconds(createdMs),
  updatedAt: ({ updatedMs }) => isoSeconds(updatedMs),
  callbackUrl: ({ uri }) => uri,
  format: () => 'JSON',
  filter: () => null,
  metafieldNamespaces: () => [],
};

const BULK_OPERATION: Fields<BulkOperation> = {
  createdAt: ({ createdMs }) => isoSeconds(createdMs),
  completedAt: ({ completedMs }) => (completedMs === null ? null : isoSeconds(completedMs)),
  type: () => 'QUERY',
  // Unsigned 64-bit integers are text in Shopify's answers.
  objectCount: ({ objects }) => String(objects),
  rootObjectCount: ({ rootObjects }) => String(rootObjects),
  fileSize: ({ status, fileBytes }) => (status === 'COMPLETED' && fileBytes > 0 ? String(fileBytes) : null),
  url: (operation, _args: object, context) =>
    operation.status === 'COMPLETED' ? buildUrl(operation, context) : null,
  partialDataUrl: (operation, _args: object, context) =>
    operation.status === 'FAILED' ? buildUrl(operation, context) : null,
};

/** Tables by the schema's name of the type, as in fields.ts. */
export const APP_FIELDS_BY_TYPE: Readonly<Record<string, Fields<never>>> = {
  WebhookSubscription: SUBSCRIPTION,
  BulkOperation: BULK_OPERATION,
};

type SubscriptionsArguments = PageArguments & {
  readonly topics?: readonly string[] | null;
  readonly uri?: string | null;
  readonly callbackUrl?: string | null;
  readonly format?: 'JSON' | 'XML' | null;
};

type UnemulatedInput = SubscriptionInput & {
  readonly format?: 'JSON' | 'XML' | null;
  readonly filter?: string | null;
  readonly metafieldNamespaces?: readonly string[] | null;
  readonly metafields?: readonly unknown[] | null;
};

function buildUrl(operation: BulkOperation, { shop, origin }: Context): string | null {
  const path = shop.bulkOperations.buildPath(operation);
  return path === null ? null : `${origin}${path}`;
}

/** The topics that the sandbox never sends are refused: a subscription that stays silent would be a false answer. */
function emulatedTopic(name: string): TopicName {
  if (isEmulatedTopic(name)) return name;
  throw badRequest(`the sandbox shop does not emulate the topic ${name}`);
}

function emulatedInput(input: UnemulatedInput): SubscriptionInput {
  const { format, filter, metafieldNamespaces, metafields, ...emulated } = input;
  if (format === 'XML') throw badRequest('the sandbox shop sends webhooks in JSON alone');
  const other = filter ? 'filter' : metafieldNamespaces?.length ? 'metafieldNamespaces' : null;
  const unemulated = other ?? (metafields?.length ? 'metafields' : null);
  if (unemulated === null) return emulated;
  throw badRequest(`the sandbox shop does not emulate WebhookSubscriptionInput.${unemulated}`);
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}
