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
  | 'read_draft_orders'
  | 'write_draft_orders';

/** A document and what it is about. `shape` never exists at run time: it carries the types. */
export interface Operation<Result, Variables> {
  readonly name: string;
  readonly source: string;
  readonly retry: RetryClass;
  readonly scopes: readonly Scope[];
  readonly shape?: (variables: Variables) => Result;
}

export type AnyOperation = Operation<unknown, never>;
export type ResultOf<Op> = Op extends Operation<infer Result, infer _> ? Result : never;
export type VariablesOf<Op> = Op extends Operation<infer _, infer Variables> ? Variables : never;

type Graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { DateTime: string };
}>;

/** gql.tada's typed function, without its parser: at run time a document is its source text and no more. */
const graphql = ((source: string, fragments: readonly { readonly source: string }[] = []) => ({
  source: [source, ...fragments.map((fragment) => fragment.source)].join('\n'),
})) as unknown as Graphql;

function operation<Result, Variables>(
  retry: RetryClass,
  scopes: readonly Scope[],
  document: DocumentDecoration<Result, Variables>,
): Operation<Result, Variables> {
  const { source } = document as unknown as { readonly source: string };
  const name = /^\s*(?:query|mutation) (\w+)/.exec(source)?.[1];
  if (name === undefined) throw new Error('a document must name its operation');
  return { name, source, retry, scopes };
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
    id status ready reserveInventoryUntil tags
    order { id name }
  }
`);

const ITEM_SCOPES = ['read_inventory', 'read_products', 'read_locations'] as const;
const HOLD_SCOPES = ['read_draft_orders', 'read_orders'] as const;
const HOLD_WRITE_SCOPES = ['write_draft_orders', 'read_orders'] as const;

export const DOCUMENTS = {
  clock: operation('read', [], graphql(`query Clock { shop { id } }`)),

  probe: operation(
    'read',
    [],
    graphql(`
      query Probe {
        shop { name myshopifyDomain }
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
  ),

  delete_hold: operation(
    'idempotent',
    ['write_draft_orders'],
    graphql(`
      mutation DeleteHold($id: ID!) {
        draftOrderDelete(input: { id: $id }) { deletedId userErrors { field message } }
      }
    `),
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
  ),
} satisfies Readonly<Record<string, AnyOperation>>;

export type Item = ResultOf<typeof DOCUMENTS.items>['inventoryItems']['nodes'][number];
export type Level = Item['inventoryLevels']['nodes'][number];
export type Hold = ResultOf<typeof DOCUMENTS.holds>['draftOrders']['nodes'][number];

/** Every scope that some document needs. `write_x` grants `read_x`. */
export const REQUIRED_SCOPES: readonly Scope[] = [
  ...new Set(Object.values<AnyOperation>(DOCUMENTS).flatMap((document) => document.scopes)),
].sort();

/** The scopes that are wanted and not granted. */
export function missingScopes(granted: readonly string[]): readonly Scope[] {
  const handles = new Set(granted);
  return REQUIRED_SCOPES.filter(
    (scope) => !handles.has(scope) && !handles.has(scope.replace(/^read_/, 'write_')),
  );
}
