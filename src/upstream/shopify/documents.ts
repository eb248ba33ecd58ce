/**
 * Everything this connector says to a shop, with the scopes each document needs and how it may be retried.
 * Types come from the schema (gql.tada, types only: no parser is loaded). After a change of
 * src/sandbox/admin-2026-10.graphql: `npx gql.tada generate-output`.
 */

import type { DocumentDecoration, initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.js';

/**
 * `read` changes nothing. `idempotent` has the same effect when it arrives twice. `once` may have its effect
 * again when sent again, so the client sends it a single time and says `unknown` when it cannot tell.
 */
export type RetryClass = 'read' | 'idempotent' | 'once';

export type Scope =
  | 'read_inventory'
  | 'read_locations'
  | 'read_products'
  | 'read_orders'
  | 'read_returns'
  | 'read_draft_orders'
  | 'write_draft_orders'
  | 'write_orders'
  | 'write_inventory';

/** Why the merchant should grant it. For people: `holdfast doctor` prints it. */
export const SCOPE_TABLE = {
  read_inventory: 'to read stock levels',
  read_locations: 'to tell the places that stock apart, and which are closed',
  read_products: 'to know what a SKU is, and whether it is on sale',
  read_orders: 'to find an order again after a lost answer, and to see what became of it',
  read_returns: 'to see what buyers send back, and what of it is back on the shelf',
  read_draft_orders: 'to find a hold again after a lost answer',
  write_draft_orders: 'to hold units as draft orders, and to turn them into orders',
  write_orders: 'to place orders without a draft (only with HOLDFAST_MIRROR=move)',
  write_inventory: 'to hold units by moving them to "reserved" (only with HOLDFAST_MIRROR=move)',
} as const satisfies Readonly<Record<Scope, string>>;

/** How the shop is told of a hold: decides which documents are sent at all, so which scopes are needed. */
export type MirrorMode = 'draft_order' | 'move' | 'none';

/**
 * Who goes first when the shop's cost bucket runs low. `orders`: holds, orders and their look-ups, sent at once.
 * `stock`: every other read; it waits, for a bounded time, while the bucket is below the share kept for orders.
 */
export type Lane = 'orders' | 'stock';

/** A document and what it is about. `shape` never exists at run time: it carries the types. */
export interface Operation<Result, Variables> {
  readonly name: string;
  readonly source: string;
  readonly retry: RetryClass;
  readonly scopes: readonly Scope[];
  readonly lane: Lane;
  /** The modes in which it is sent. */
  readonly mirror: readonly MirrorMode[];
  readonly shape?: (variables: Variables) => Result;
}

export type AnyOperation = Operation<unknown, never>;
export type ResultOf<Op> = Op extends Operation<infer Result, infer _> ? Result : never;
export type VariablesOf<Op> = Op extends Operation<infer _, infer Variables> ? Variables : never;

type Graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { DateTime: string; URL: string; UnsignedInt64: string };
}>;

/** gql.tada's typed function, without its parser: at run time a document is its source text and no more. */
const graphql = ((source: string, fragments: readonly { readonly source: string }[] = []) => ({
  source: [source, ...fragments.map((fragment) => fragment.source)].join('\n'),
})) as unknown as Graphql;

const ALL_MODES: readonly MirrorMode[] = ['draft_order', 'move', 'none'];
/** Without mirrors an order is made by way of a draft, too. What a merchant had set before needs the scopes of before. */
const DRAFT_MODES: readonly MirrorMode[] = ['draft_order', 'none'];

function operation<Result, Variables>(
  retry: RetryClass,
  scopes: readonly Scope[],
  document: DocumentDecoration<Result, Variables>,
  {
    lane = retry === 'read' ? 'stock' : 'orders',
    mirror = ALL_MODES,
  }: { readonly lane?: Lane; readonly mirror?: readonly MirrorMode[] } = {},
): Operation<Result, Variables> {
  const { source } = document as unknown as { readonly source: string };
  const name = /^\s*(?:query|mutation) (\w+)/.exec(source)?.[1];
  if (name === undefined) throw new Error('a document must name its operation');
  return { name, source, retry, scopes, lane, mirror };
}

const level = graphql(`
  fragment Level on InventoryLevel {
    isActive updatedAt
    location { id }
    quantities(names: ["available", "on_hand", "committed"]) { name quantity }
  }
`);

const item = graphql(
  `
  fragment Item on InventoryItem {
    id sku tracked
    variants(first: $variants) {
      nodes { id title product { id title status } }
      pageInfo { hasNextPage endCursor }
    }
    inventoryLevels(first: $levels) {
      nodes { ...Level }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [level],
);

const hold = graphql(`
  fragment Hold on DraftOrder {
    id status ready reserveInventoryUntil tags invoiceUrl
    order { id name }
  }
`);

const subscription = graphql(`
  fragment Subscription on WebhookSubscription { id topic uri name format includeFields }
`);

/** What was ordered and given back. Nothing of the customer: no name, no address, no note. */
const order = graphql(`
  fragment Order on Order {
    id name updatedAt cancelledAt displayFulfillmentStatus
    lineItems(first: $lines) {
      nodes { id quantity currentQuantity variant { id } }
      pageInfo { hasNextPage endCursor }
    }
    refunds(first: $refunds) {
      id createdAt processedAt updatedAt
      refundLineItems(first: $lines) {
        nodes { quantity restocked restockType }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

const orderReturn = graphql(`
  fragment OrderReturn on Return {
    id status totalQuantity createdAt requestApprovedAt closedAt
    refunds(first: $refunds) { nodes { id } }
  }
`);

const ITEM_SCOPES = ['read_inventory', 'read_products', 'read_locations'] as const;
const ORDER_SCOPES = ['read_orders', 'read_products'] as const;
const HOLD_SCOPES = ['read_draft_orders', 'read_orders'] as const;
const HOLD_WRITE_SCOPES = ['write_draft_orders', 'read_orders'] as const;

export const DOCUMENTS = {
  clock: operation('read', [], graphql(`query Clock { shop { id } }`)),

  probe: operation(
    'read',
    [],
    graphql(`
      query Probe {
        shop { name myshopifyDomain plan { partnerDevelopment } }
        currentAppInstallation { accessScopes { handle } }
      }
    `),
  ),

  /** Legacy locations are those of fulfilment services: a 3PL stocks too. */
  locations: operation(
    'read',
    ['read_locations'],
    graphql(`
      query Locations($first: Int!, $after: String) {
        locations(first: $first, after: $after, includeInactive: true, includeLegacy: true, sortKey: ID) {
          nodes { id name isActive }
          pageInfo { hasNextPage endCursor }
        }
      }
    `),
  ),

  items: operation(
    'read',
    ITEM_SCOPES,
    graphql(
      `
      query Items($first: Int!, $after: String, $query: String, $variants: Int!, $levels: Int!) {
        inventoryItems(first: $first, after: $after, query: $query) {
          nodes { ...Item }
          pageInfo { hasNextPage endCursor }
        }
      }
    `,
      [item],
    ),
  ),

  items_by_id: operation(
    'read',
    ITEM_SCOPES,
    graphql(
      `
      query ItemsById($ids: [ID!]!, $variants: Int!, $levels: Int!) {
        nodes(ids: $ids) { __typename ...Item }
      }
    `,
      [item],
    ),
  ),

  item_levels: operation(
    'read',
    ['read_inventory', 'read_locations'],
    graphql(
      `
      query ItemLevels($id: ID!, $first: Int!, $after: String) {
        inventoryItem(id: $id) {
          inventoryLevels(first: $first, after: $after) {
            nodes { ...Level }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
      [level],
    ),
  ),

  item_variants: operation(
    'read',
    ['read_inventory', 'read_products'],
    graphql(`
      query ItemVariants($id: ID!, $first: Int!, $after: String) {
        inventoryItem(id: $id) {
          variants(first: $first, after: $after) {
            nodes { id title product { id title status } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
  ),

  changed_levels: operation(
    'read',
    ['read_inventory', 'read_locations'],
    graphql(
      `
      query ChangedLevels($location: ID!, $query: String!, $first: Int!, $after: String) {
        location(id: $location) {
          inventoryLevels(first: $first, after: $after, query: $query, includeInactive: true) {
            nodes { item { id } ...Level }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
      [level],
    ),
  ),

  /** Which items, and no more: their levels are read by id, so that one busy product does not make a huge page. */
  changed_products: operation(
    'read',
    ['read_products', 'read_inventory'],
    graphql(`
      query ChangedProducts($query: String!, $first: Int!, $after: String, $variants: Int!) {
        products(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
          nodes {
            id
            variants(first: $variants) {
              nodes { inventoryItem { id } }
              pageInfo { hasNextPage endCursor }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    `),
  ),

  product_variants: operation(
    'read',
    ['read_products', 'read_inventory'],
    graphql(`
      query ProductVariants($id: ID!, $first: Int!, $after: String) {
        product(id: $id) {
          variants(first: $first, after: $after) {
            nodes { inventoryItem { id } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
  ),

  /** Shopify 2026-10: no draft-order mutation takes `@idempotent`. Twice is two holds. */
  create_hold: operation(
    'once',
    HOLD_WRITE_SCOPES,
    graphql(
      `
      mutation CreateHold($input: DraftOrderInput!) {
        draftOrderCreate(input: $input) { draftOrder { ...Hold } userErrors { field message } }
      }
    `,
      [hold],
    ),
    { mirror: DRAFT_MODES },
  ),

  /** Sets fixed values. */
  update_hold: operation(
    'idempotent',
    HOLD_WRITE_SCOPES,
    graphql(
      `
      mutation UpdateHold($id: ID!, $input: DraftOrderInput!) {
        draftOrderUpdate(id: $id, input: $input) { draftOrder { ...Hold } userErrors { field message } }
      }
    `,
      [hold],
    ),
    { mirror: DRAFT_MODES },
  ),

  /**
   * Shopify answers a repeated completion with the same order, but that was only ever seen one after the other.
   * A completion that timed out may still run, and this is money: `once`, and the caller reads the hold.
   * `paymentPending` is deprecated and left out: a plain completion makes a paid order.
   */
  complete_hold: operation(
    'once',
    HOLD_WRITE_SCOPES,
    graphql(
      `
      mutation CompleteHold($id: ID!) {
        draftOrderComplete(id: $id) { draftOrder { ...Hold } userErrors { field message } }
      }
    `,
      [hold],
    ),
    { mirror: DRAFT_MODES },
  ),

  delete_hold: operation(
    'idempotent',
    ['write_draft_orders'],
    graphql(`
      mutation DeleteHold($id: ID!) {
        draftOrderDelete(input: { id: $id }) { deletedId userErrors { field message } }
      }
    `),
    { mirror: DRAFT_MODES },
  ),

  hold: operation(
    'read',
    HOLD_SCOPES,
    graphql(
      `
      query HoldById($id: ID!) {
        draftOrder(id: $id) { ...Hold customAttributes { key value } }
      }
    `,
      [hold],
    ),
    { lane: 'orders', mirror: DRAFT_MODES },
  ),

  holds: operation(
    'read',
    HOLD_SCOPES,
    graphql(
      `
      query HoldsByTag($query: String!, $first: Int!) {
        draftOrders(first: $first, query: $query) { nodes { ...Hold } }
      }
    `,
      [hold],
    ),
    { lane: 'orders', mirror: DRAFT_MODES },
  ),

  /**
   * Between `available` and another state of the same level. Shopify 2026-10 carries one key out once, for 24 hours from
   * the first time, and answers the same input with the same outcome.
   */
  move_stock: operation(
    'idempotent',
    ['write_inventory'],
    graphql(`
      mutation MoveStock($input: InventoryMoveQuantitiesInput!, $key: String!) {
        inventoryMoveQuantities(input: $input) @idempotent(key: $key) {
          inventoryAdjustmentGroup { id }
          userErrors { field message code }
        }
      }
    `),
    { mirror: ['move'] },
  ),

  /** Whether these variants are shipped: `orderCreate` takes that from nobody but its caller. */
  shipped_variants: operation(
    'read',
    ['read_products', 'read_inventory'],
    graphql(`
      query ShippedVariants($ids: [ID!]!) {
        nodes(ids: $ids) { __typename ... on ProductVariant { id inventoryItem { requiresShipping } } }
      }
    `),
    { lane: 'orders', mirror: ['move'] },
  ),

  /**
   * Shopify 2026-10: `orderCreate` takes no `@idempotent`. Twice is two orders. Left to itself it does not touch the stock;
   * obeying the policy it refuses what is not there.
   */
  place_order: operation(
    'once',
    ['write_orders', 'read_orders'],
    graphql(`
      mutation PlaceOrder($order: OrderCreateOrderInput!) {
        orderCreate(order: $order, options: { inventoryBehaviour: DECREMENT_OBEYING_POLICY }) {
          order { id name }
          userErrors { field message code }
        }
      }
    `),
    { mirror: ['move'] },
  ),

  orders_by_source: operation(
    'read',
    ['read_orders'],
    graphql(`
      query OrdersBySource($query: String!, $first: Int!) {
        orders(first: $first, query: $query) { nodes { id name sourceIdentifier tags } }
      }
    `),
    { lane: 'orders' },
  ),

  /** At most `limit` are counted; beyond it the count is `AT_LEAST`. */
  variants_count: operation(
    'read',
    ['read_products'],
    graphql(`query VariantsCount($limit: Int) { productVariantsCount(limit: $limit) { count precision } }`),
  ),

  /**
   * Never sent by itself: it is what a bulk operation runs. No fragments, no variables and three connections, two deep:
   * a bulk query may have five (Shopify 2026-10).
   */
  bulk_items: operation(
    'read',
    ITEM_SCOPES,
    graphql(`
      query BulkItems {
        inventoryItems {
          edges {
            node {
              id sku tracked
              variants { edges { node { id title product { id title status } } } }
              inventoryLevels {
                edges {
                  node {
                    id isActive updatedAt
                    location { id }
                    quantities(names: ["available", "on_hand", "committed"]) { name quantity }
                  }
                }
              }
            }
          }
        }
      }
    `),
  ),

  /** Grouped: what belongs to an item follows it, so that no more than one item is in memory. */
  start_bulk: operation(
    'once',
    [],
    graphql(`
      mutation StartBulk($query: String!) {
        bulkOperationRunQuery(query: $query, groupObjects: true) {
          bulkOperation { id status }
          userErrors { field message code }
        }
      }
    `),
    { lane: 'stock' },
  ),

  bulk_state: operation(
    'read',
    [],
    graphql(`
      query BulkState($id: ID!) {
        bulkOperation(id: $id) { id status errorCode rootObjectCount objectCount fileSize url }
      }
    `),
  ),

  cancel_bulk: operation(
    'idempotent',
    [],
    graphql(`
      mutation CancelBulk($id: ID!) {
        bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
      }
    `),
    { lane: 'stock' },
  ),

  orders_by_id: operation(
    'read',
    ORDER_SCOPES,
    graphql(
      `
      query OrdersById($ids: [ID!]!, $lines: Int!, $refunds: Int!) {
        nodes(ids: $ids) { __typename ...Order }
      }
    `,
      [order],
    ),
  ),

  changed_orders: operation(
    'read',
    ORDER_SCOPES,
    graphql(
      `
      query ChangedOrders($query: String!, $first: Int!, $after: String, $lines: Int!, $refunds: Int!) {
        orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
          nodes { ...Order }
          pageInfo { hasNextPage endCursor }
        }
      }
    `,
      [order],
    ),
  ),

  order_lines: operation(
    'read',
    ORDER_SCOPES,
    graphql(`
      query OrderLines($id: ID!, $first: Int!, $after: String) {
        order(id: $id) {
          lineItems(first: $first, after: $after) {
            nodes { id quantity currentQuantity variant { id } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
  ),

  refund_lines: operation(
    'read',
    ['read_orders'],
    graphql(`
      query RefundLines($id: ID!, $first: Int!, $after: String) {
        refund(id: $id) {
          refundLineItems(first: $first, after: $after) {
            nodes { quantity restocked restockType }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
  ),

  /** By themselves, because they want a scope of their own: without it, everything else of an order is still seen. */
  returns_by_order: operation(
    'read',
    ['read_orders', 'read_returns'],
    graphql(
      `
      query ReturnsByOrder($ids: [ID!]!, $first: Int!, $refunds: Int!) {
        nodes(ids: $ids) {
          __typename
          ... on Order {
            id
            returns(first: $first) { nodes { ...OrderReturn } pageInfo { hasNextPage endCursor } }
          }
        }
      }
    `,
      [orderReturn],
    ),
  ),

  order_returns: operation(
    'read',
    ['read_orders', 'read_returns'],
    graphql(
      `
      query OrderReturns($id: ID!, $first: Int!, $after: String, $refunds: Int!) {
        order(id: $id) {
          returns(first: $first, after: $after) { nodes { ...OrderReturn } pageInfo { hasNextPage endCursor } }
        }
      }
    `,
      [orderReturn],
    ),
  ),

  /** What was done with the things of a return when they came back. */
  return_goods: operation(
    'read',
    ['read_returns'],
    graphql(`
      query ReturnGoods($id: ID!, $first: Int!, $after: String, $lines: Int!) {
        return(id: $id) {
          reverseFulfillmentOrders(first: $first, after: $after) {
            nodes {
              id
              lineItems(first: $lines) {
                nodes { dispositions { quantity type createdAt } }
                pageInfo { hasNextPage endCursor }
              }
            }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
  ),

  return_goods_lines: operation(
    'read',
    ['read_returns'],
    graphql(`
      query ReturnGoodsLines($id: ID!, $first: Int!, $after: String) {
        node(id: $id) {
          __typename
          ... on ReverseFulfillmentOrder {
            lineItems(first: $first, after: $after) {
              nodes { dispositions { quantity type createdAt } }
              pageInfo { hasNextPage endCursor }
            }
          }
        }
      }
    `),
  ),

  subscriptions: operation(
    'read',
    [],
    graphql(
      `
      query Subscriptions($first: Int!, $after: String) {
        webhookSubscriptions(first: $first, after: $after) {
          nodes { ...Subscription }
          pageInfo { hasNextPage endCursor }
        }
      }
    `,
      [subscription],
    ),
  ),

  /** Needs the scope of its topic: see `webhook-topics.ts`. One sent twice makes two, which `ensure` finds and mends. */
  subscribe: operation(
    'once',
    [],
    graphql(
      `
      mutation Subscribe($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
        webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
          webhookSubscription { ...Subscription }
          userErrors { field message }
        }
      }
    `,
      [subscription],
    ),
    { lane: 'stock' },
  ),

  change_subscription: operation(
    'idempotent',
    [],
    graphql(
      `
      mutation ChangeSubscription($id: ID!, $input: WebhookSubscriptionInput!) {
        webhookSubscriptionUpdate(id: $id, webhookSubscription: $input) {
          webhookSubscription { ...Subscription }
          userErrors { field message }
        }
      }
    `,
      [subscription],
    ),
    { lane: 'stock' },
  ),

  unsubscribe: operation(
    'idempotent',
    [],
    graphql(`
      mutation Unsubscribe($id: ID!) {
        webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
      }
    `),
    { lane: 'stock' },
  ),
} satisfies Readonly<Record<string, AnyOperation>>;

export type Item = ResultOf<typeof DOCUMENTS.items>['inventoryItems']['nodes'][number];
export type Order = ResultOf<typeof DOCUMENTS.changed_orders>['orders']['nodes'][number];
export type OrderReturn = NonNullable<
  ResultOf<typeof DOCUMENTS.order_returns>['order']
>['returns']['nodes'][number];
export type Subscription = ResultOf<typeof DOCUMENTS.subscriptions>['webhookSubscriptions']['nodes'][number];
export type SubscriptionTopic = Subscription['topic'];
export type Level = Item['inventoryLevels']['nodes'][number];
export type Hold = ResultOf<typeof DOCUMENTS.holds>['draftOrders']['nodes'][number];

/**
 * Every scope that the documents of a mode need. `write_x` grants `read_x`, so a token may do with fewer names. Those of
 * the webhook topics are among them. `read_only`: without what only writing needs.
 */
export function requiredScopes({
  mirror,
  read_only = false,
}: {
  readonly mirror: MirrorMode;
  readonly read_only?: boolean;
}): readonly Scope[] {
  const sent = Object.values<AnyOperation>(DOCUMENTS).filter((document) => document.mirror.includes(mirror));
  const scopes = [...new Set(sent.flatMap((document) => document.scopes))].sort();
  return read_only ? scopes.filter((scope) => !scope.startsWith('write_')) : scopes;
}

/** The scopes that are wanted and not granted. */
export function missingScopes(granted: readonly string[], wanted: readonly Scope[]): readonly Scope[] {
  const handles = new Set(granted);
  return wanted.filter((scope) => !handles.has(scope) && !handles.has(scope.replace(/^read_/, 'write_')));
}
