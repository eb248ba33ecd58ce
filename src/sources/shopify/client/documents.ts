/**
 * Everything this connector says to a shop, with the scopes each document needs and how it may be retried.
 * Types come from the schema (gql.tada, types only: no parser is loaded). After a change of
 * src/sandbox/graphql/admin-2026-10.graphql: `npx gql.tada generate-output`.
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
  | 'read_publications'
  | 'read_orders'
  | 'read_returns'
  | 'read_draft_orders'
  | 'write_draft_orders'
  | 'write_orders'
  | 'write_inventory'
  | 'read_merchant_managed_fulfillment_orders'
  | 'write_merchant_managed_fulfillment_orders';

/** Why the merchant should grant it. For people: `holdfast doctor` prints it. */
export const SCOPE_TABLE = {
  read_inventory: 'to read stock levels',
  read_locations: 'to tell the places that stock apart, and which are closed',
  read_products: 'to know what a SKU is, and whether it is on sale',
  read_publications: 'to know what is published where agents sell (not with HOLDFAST_PUBLICATION=any)',
  read_orders: 'to find an order again after a lost answer, and to see what became of it',
  read_returns: 'to see what buyers send back, and what of it is back on the shelf',
  read_draft_orders: 'to find a hold again after a lost answer',
  write_draft_orders: 'to hold units as draft orders, and to turn them into orders',
  write_orders:
    'to place orders without a draft (only with HOLDFAST_MIRROR=move), or to cancel late twins (HOLDFAST_CANCEL_TWINS)',
  write_inventory: 'to hold units by moving them to "reserved" (only with HOLDFAST_MIRROR=move)',
  read_merchant_managed_fulfillment_orders:
    'to see where an order is shipped from (only with HOLDFAST_ROUTE_FULFILLMENT=promised)',
  write_merchant_managed_fulfillment_orders:
    'to move an order to where its units were promised (only with HOLDFAST_ROUTE_FULFILLMENT=promised)',
} as const satisfies Readonly<Record<Scope, string>>;

/** How the shop is told of a hold: decides which documents are sent at all, so which scopes are needed. */
export type MirrorMode = 'draft_order' | 'move' | 'none';

/**
 * Who goes first when the shop's cost bucket runs low. `orders`: what an order needs, sent at once. `stock`: the heartbeat,
 * re-reads and every other read. `holds`: what mirrors of reservations need. The later two wait, for a bounded time, while
 * the bucket is below the share kept for those before them. A document has the lane of its most urgent use: a caller may
 * send it in a later one (`ShopifyClient.inLane`).
 */
export type Lane = 'orders' | 'stock' | 'holds';

/** A document and what it is about. `shape` never exists at run time: it carries the types. */
export interface Operation<Result, Variables> {
  readonly name: string;
  readonly source: string;
  readonly retry: RetryClass;
  readonly scopes: readonly Scope[];
  readonly lane: Lane;
  /** The modes in which it is sent. */
  readonly mirror: readonly MirrorMode[];
  /** Sent only where it counts on which publication an item is. */
  readonly publication: boolean;
  /** Variables that say how much it asks for, the outermost first: a list of ids, and the sizes of pages. */
  readonly sizes: readonly string[];
  /** Sent only where placed orders are moved to the places that promised their units. */
  readonly is_routing: boolean;
  /** Sent only where second orders that the shop made late are cancelled. */
  readonly is_cancelling: boolean;
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
    is_routing = false,
    publication = false,
    is_cancelling = false,
  }: {
    readonly lane?: Lane;
    readonly mirror?: readonly MirrorMode[];
    readonly is_routing?: boolean;
    readonly publication?: boolean;
    readonly is_cancelling?: boolean;
  } = {},
): Operation<Result, Variables> {
  const { source } = document as unknown as { readonly source: string };
  const name = /^\s*(?:query|mutation) (\w+)/.exec(source)?.[1];
  if (name === undefined) throw new Error('a document must name its operation');
  return {
    name,
    source,
    retry,
    scopes,
    lane,
    mirror,
    is_routing,
    publication,
    is_cancelling,
    sizes: sizesIn(source),
  };
}

function sizesIn(source: string): readonly string[] {
  const ids = source.includes('$ids: [ID!]!') ? ['ids'] : [];
  const pages = [...source.matchAll(/first: \$(\w+)/g)].map(([, name = '']) => name);
  return [...new Set([...ids, ...pages])];
}

const level = graphql(`
  fragment Level on InventoryLevel {
    isActive updatedAt
    location { id }
    quantities(names: ["available", "on_hand", "committed"]) { name quantity }
  }
`);

/**
 * Says whether a variant may be sold: see `sellability.ts`. The bulk read asks for the same. Flags of publication are asked for
 * only where one counts, because without `read_publications` they are refused.
 */
const listing = graphql(`
  fragment Listing on ProductVariant {
    id title inventoryPolicy requiresComponents
    publishedOnPublication(publicationId: $publication) @include(if: $flags)
    product {
      id title status requiresSellingPlan isGiftCard combinedListingRole
      publishedOnPublication(publicationId: $publication) @include(if: $flags)
    }
  }
`);

const item = graphql(
  `
  fragment Item on InventoryItem {
    id sku tracked
    variants(first: $variants) {
      nodes { ...Listing }
      pageInfo { hasNextPage endCursor }
    }
    inventoryLevels(first: $levels) {
      nodes { ...Level }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [level, listing],
);

/** What a draft or its order is made of: a person may have changed it. Ours have at most 20 lines. */
const hold = graphql(`
  fragment Hold on DraftOrder {
    id status ready reserveInventoryUntil tags invoiceUrl
    lineItems(first: 25) {
      nodes { sku quantity variant { inventoryItem { id } } }
      pageInfo { hasNextPage }
    }
    order { id name cancelledAt }
  }
`);

const placed = graphql(`
  fragment Placed on Order {
    id name cancelledAt
    lineItems(first: 25) {
      nodes { sku quantity variant { inventoryItem { id } } }
      pageInfo { hasNextPage }
    }
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
    refunds(first: $refunds) { nodes { id } pageInfo { hasNextPage endCursor } }
  }
`);

const ITEM_SCOPES = ['read_inventory', 'read_products', 'read_locations'] as const;
const ORDER_SCOPES = ['read_orders', 'read_products'] as const;
const LINE_SCOPES = ['read_products', 'read_inventory'] as const;
const HOLD_SCOPES = ['read_draft_orders', 'read_orders', ...LINE_SCOPES] as const;
const HOLD_WRITE_SCOPES = ['write_draft_orders', 'read_orders', ...LINE_SCOPES] as const;

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
          nodes { id name isActive fulfillsOnlineOrders }
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
      query Items(
        $first: Int!, $after: String, $query: String, $variants: Int!, $levels: Int!, $publication: ID!, $flags: Boolean!
      ) {
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
      query ItemsById($ids: [ID!]!, $variants: Int!, $levels: Int!, $publication: ID!, $flags: Boolean!) {
        nodes(ids: $ids) { __typename ...Item }
      }
    `,
      [item],
    ),
  ),

  /** For people who look for units that no reservation owns. */
  reserved_levels: operation(
    'read',
    ['read_inventory', 'read_locations'],
    graphql(`
      query ReservedLevels($ids: [ID!]!, $levels: Int!) {
        nodes(ids: $ids) {
          __typename
          ... on InventoryItem {
            id sku
            inventoryLevels(first: $levels) {
              nodes { location { id name } quantities(names: ["reserved"]) { name quantity } }
              pageInfo { hasNextPage }
            }
          }
        }
      }
    `),
    { mirror: ['move'] },
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
    graphql(
      `
      query ItemVariants($id: ID!, $first: Int!, $after: String, $publication: ID!, $flags: Boolean!) {
        inventoryItem(id: $id) {
          variants(first: $first, after: $after) {
            nodes { ...Listing }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
      [listing],
    ),
  ),

  /** The flags of all variants and no levels, so that a page of 250 costs little. */
  listings: operation(
    'read',
    ['read_products', 'read_inventory'],
    graphql(
      `
      query Listings($first: Int!, $after: String, $publication: ID!, $flags: Boolean!) {
        productVariants(first: $first, after: $after, sortKey: ID) {
          nodes { ...Listing inventoryItem { id tracked } }
          pageInfo { hasNextPage endCursor }
        }
      }
    `,
      [listing],
    ),
  ),

  /** Sales channels. One that is a shop's own has a catalog of its app, or names its channels. */
  publications: operation(
    'read',
    ['read_publications', 'read_products'],
    graphql(`
      query Publications($first: Int!, $after: String) {
        publications(first: $first, after: $after) {
          nodes {
            id
            catalog { __typename title ... on AppCatalog { apps(first: 5) { nodes { id handle } } } }
            channels(first: 5) { nodes { app { id handle } } }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    `),
    { publication: true },
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

  /** Shopify documents no scope for it. `deletionEvents` would say the same and is deprecated (2026-10). */
  deleted_products: operation(
    'read',
    [],
    graphql(`
      query DeletedProducts($query: String!, $first: Int!, $after: String) {
        events(first: $first, after: $after, query: $query, sortKey: ID) {
          nodes {
            __typename
            ... on BasicEvent { id action createdAt subjectId subjectType }
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

  /** In the shop's own order of relevance. */
  variants_by_words: operation(
    'read',
    ['read_products', 'read_inventory'],
    graphql(`
      query VariantsByWords($query: String!, $first: Int!) {
        productVariants(first: $first, query: $query, sortKey: RELEVANCE) { nodes { inventoryItem { id } } }
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
   * Left to itself a completion makes a paid order. `paymentPending` is deprecated (Shopify 2026-10) in favour of payment
   * terms, which want a permission and a plan of their own; this is its only use.
   */
  complete_hold: operation(
    'once',
    HOLD_WRITE_SCOPES,
    graphql(
      `
      mutation CompleteHold($id: ID!, $pending: Boolean!) {
        draftOrderComplete(id: $id, paymentPending: $pending) { draftOrder { ...Hold } userErrors { field message } }
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
      query HoldsByTag($query: String!, $first: Int!, $after: String) {
        draftOrders(first: $first, after: $after, query: $query) {
          nodes { ...Hold }
          pageInfo { hasNextPage endCursor }
        }
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
    ['write_orders', 'read_orders', ...LINE_SCOPES],
    graphql(
      `
      mutation PlaceOrder($order: OrderCreateOrderInput!) {
        orderCreate(order: $order, options: { inventoryBehaviour: DECREMENT_OBEYING_POLICY }) {
          order { ...Placed }
          userErrors { field message code }
        }
      }
    `,
      [placed],
    ),
    { mirror: ['move'] },
  ),

  orders_by_source: operation(
    'read',
    ['read_orders', ...LINE_SCOPES],
    graphql(
      `
      query OrdersBySource($query: String!, $first: Int!, $after: String) {
        orders(first: $first, after: $after, query: $query) {
          nodes { ...Placed createdAt sourceIdentifier tags }
          pageInfo { hasNextPage endCursor }
        }
      }
    `,
      [placed],
    ),
    { lane: 'orders' },
  ),

  /** Without those that a move has emptied. An order of ours has at most 20 lines, and a list for each place. */
  fulfilment: operation(
    'read',
    ['read_merchant_managed_fulfillment_orders', 'read_orders', 'read_locations'],
    graphql(`
      query Fulfilment($id: ID!, $first: Int!, $after: String) {
        order(id: $id) {
          fulfillmentOrders(first: $first, after: $after, displayable: true) {
            nodes {
              id status
              supportedActions { action }
              assignedLocation { location { id } }
              lineItems(first: 25) {
                nodes { id inventoryItemId totalQuantity remainingQuantity }
                pageInfo { hasNextPage }
              }
            }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `),
    { is_routing: true },
  ),

  /** Shopify 2026-10: takes no `@idempotent`, and looks at no stock. What was split off has another id afterwards. */
  move_fulfilment: operation(
    'once',
    ['write_merchant_managed_fulfillment_orders', 'read_locations'],
    graphql(`
      mutation MoveFulfilment($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
        fulfillmentOrderMove(id: $id, newLocationId: $to, fulfillmentOrderLineItems: $lines) {
          movedFulfillmentOrder { assignedLocation { location { id } } }
          userErrors { field message code }
        }
      }
    `),
    { lane: 'stock', is_routing: true },
  ),

  tagged_orders: operation(
    'read',
    ['read_orders'],
    graphql(`
      query TaggedOrders($query: String!, $first: Int!, $after: String) {
        orders(first: $first, after: $after, query: $query) {
          nodes { id name tags sourceIdentifier cancelledAt displayFinancialStatus }
          pageInfo { hasNextPage endCursor }
        }
      }
    `),
    { lane: 'orders' },
  ),

  /** Our own marks on our own orders, and nothing of the customer. */
  order_anchors: operation(
    'read',
    ['read_orders'],
    graphql(`
      query OrderAnchors($query: String!, $first: Int!, $after: String) {
        orders(first: $first, after: $after, query: $query) {
          nodes { id name customAttributes { key value } }
          pageInfo { hasNextPage endCursor }
        }
      }
    `),
  ),

  /** Cancelling twice is refused the second time. */
  cancel_order: operation(
    'once',
    ['write_orders'],
    graphql(`
      mutation CancelOrder($id: ID!, $note: String!) {
        orderCancel(orderId: $id, reason: OTHER, restock: true, notifyCustomer: false, staffNote: $note) {
          job { id }
          orderCancelUserErrors { field message code }
        }
      }
    `),
    { is_cancelling: true },
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
              variants {
                edges {
                  node {
                    id title inventoryPolicy requiresComponents
                    product { id title status requiresSellingPlan isGiftCard combinedListingRole }
                  }
                }
              }
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

  /**
   * Shopify gives the refunds of an order as a plain list, which cannot be continued: `REFUNDS_PER_ORDER_MAX` of them,
   * without their lines, and never fewer.
   */
  order_refunds: operation(
    'read',
    ['read_orders'],
    graphql(`
      query OrderRefunds($id: ID!) {
        order(id: $id) { refunds(first: 250) { id createdAt processedAt updatedAt } }
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

  return_refunds: operation(
    'read',
    ['read_orders', 'read_returns'],
    graphql(`
      query ReturnRefunds($id: ID!, $first: Int!, $after: String) {
        return(id: $id) {
          refunds(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
        }
      }
    `),
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
 * the webhook topics are among them. `read_only`: without what only writing needs. `is_routing`: with what moving orders needs.
 */
export function requiredScopes({
  mirror,
  read_only = false,
  is_routing = false,
  publication = false,
  is_cancelling = false,
}: {
  readonly mirror: MirrorMode;
  readonly read_only?: boolean;
  readonly is_routing?: boolean;
  /** Whether it counts on which publication an item is. Default false. */
  readonly publication?: boolean;
  /** Whether late twins are cancelled. Default false. */
  readonly is_cancelling?: boolean;
}): readonly Scope[] {
  const sent = Object.values<AnyOperation>(DOCUMENTS).filter(
    (document) =>
      document.mirror.includes(mirror) &&
      (!document.is_routing || (is_routing && !read_only)) &&
      (!document.is_cancelling || is_cancelling) &&
      (publication || !document.publication),
  );
  const scopes = [...new Set(sent.flatMap((document) => document.scopes))].sort();
  return read_only ? scopes.filter((scope) => !scope.startsWith('write_')) : scopes;
}

/** The scopes that are wanted and not granted. */
export function missingScopes(granted: readonly string[], wanted: readonly Scope[]): readonly Scope[] {
  const handles = new Set(granted);
  return wanted.filter((scope) => !handles.has(scope) && !handles.has(scope.replace(/^read_/, 'write_')));
}
