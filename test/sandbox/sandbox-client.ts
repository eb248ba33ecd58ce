/** A sandbox shop on a clock that the test moves, and the plainest client that can talk to it. */

import { randomUUID } from 'node:crypto';
import { SANDBOX_ACCESS_TOKEN } from '../../src/sandbox/api-rules/access.js';
import { type SandboxOptions, SandboxServer } from '../../src/sandbox/server.js';

export const START_MS = Date.parse('2026-11-23T12:00:00Z');

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a stranger would read them
export type Json = any;

export interface Rig {
  readonly sandbox: SandboxServer;
  readonly origin: string;
  /** Milliseconds since 1970; the sandbox reads it on every request. */
  readonly clock: { nowMs: number };
  /** The whole answer of a request that got one. */
  graphql(query: string, variables?: object): Promise<Json>;
  /** The answer's data; throws when the answer has errors. */
  data(query: string, variables?: object): Promise<Json>;
}

export async function startRig(options: SandboxOptions = {}): Promise<Rig> {
  const clock = { nowMs: START_MS };
  const sandbox = new SandboxServer({ now: () => clock.nowMs, ...options });
  const { origin } = await sandbox.start();
  const graphql = async (query: string, variables: object = {}): Promise<Json> => {
    const response = await post(origin, JSON.stringify({ query, variables }));
    return response.json();
  };
  const data = async (query: string, variables: object = {}) => {
    const answer: Json = await graphql(query, variables);
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  };
  return { sandbox, origin, clock, graphql, data };
}

export function post(
  origin: string,
  body: string,
  headers: Record<string, string> = {},
  version = '2026-10',
) {
  return fetch(`${origin}/admin/api/${version}/graphql.json`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Shopify-Access-Token': SANDBOX_ACCESS_TOKEN,
      ...headers,
    },
    body,
  });
}

/** The gids behind a SKU, and behind a location's name. */
export function idsOf({ sandbox: { shop } }: Rig, sku: string, locationName: string) {
  const variant = shop.inventory.variantOfSku(sku);
  return {
    variantId: variant.id,
    productId: variant.productId,
    inventoryItemId: variant.itemId,
    locationId: shop.inventory.locationNamed(locationName).id,
  };
}

export const CREATE = `mutation Create($input: DraftOrderInput!) { draftOrderCreate(input: $input) {
  draftOrder { id name status ready reserveInventoryUntil tags totalPriceSet { shopMoney { amount currencyCode } }
    order { id } warnings { errorCode field message } }
  userErrors { field message } } }`;

export const UPDATE = `mutation Update($id: ID!, $input: DraftOrderInput!) { draftOrderUpdate(id: $id, input: $input) {
  draftOrder { id reserveInventoryUntil email note2 tags shippingAddress { city countryCodeV2 country name }
    customAttributes { key value } lineItems(first: 5) { nodes { sku quantity } } }
  userErrors { field message } } }`;

export const COMPLETE = `mutation Complete($id: ID!, $gateway: ID, $pending: Boolean) {
  draftOrderComplete(id: $id, paymentGatewayId: $gateway, paymentPending: $pending, sourceName: "holdfast") {
    draftOrder { id status completedAt order { id name confirmed cancelledAt tags note email displayFinancialStatus
      shippingAddress { city } customAttributes { key value } lineItems(first: 5) { nodes { sku quantity } } } }
    userErrors { field message } } }`;

export const DELETE = `mutation Delete($input: DraftOrderDeleteInput!) { draftOrderDelete(input: $input) {
  deletedId userErrors { field message } } }`;

export const ADJUST = `mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { sku } location { name } } }
    userErrors { field message code } } }`;

export const MOVE = `mutation Move($input: InventoryMoveQuantitiesInput!, $key: String!) {
  inventoryMoveQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { name delta } } userErrors { field message code } } }`;

export const SET = `mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { name delta } } userErrors { field message code } } }`;

/** A hold of one SKU for a number of seconds from now; answers with the draft. */
export async function hold(
  rig: Rig,
  sku: string,
  quantity: number,
  seconds: number,
  extra: object = {},
): Promise<Json> {
  const { id } = rig.sandbox.shop.inventory.variantOfSku(sku);
  const input = {
    lineItems: [{ variantId: id, quantity }],
    reserveInventoryUntil: new Date(rig.clock.nowMs + seconds * 1000).toISOString(),
    ...extra,
  };
  const { draftOrderCreate } = await rig.data(CREATE, { input });
  if (draftOrderCreate.userErrors.length > 0) throw new Error(JSON.stringify(draftOrderCreate.userErrors));
  return draftOrderCreate.draftOrder;
}

export function newKey(): string {
  return randomUUID();
}
