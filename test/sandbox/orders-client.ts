/** The documents that a client of orders would send, and the shortest way to an order in a state. */

import type { Json, Rig } from './sandbox-client.js';
import { newKey } from './sandbox-client.js';

const ORDER_FIELDS = `id name updatedAt cancelledAt cancelReason closed edited tags sourceIdentifier email note
  displayFulfillmentStatus displayFinancialStatus returnStatus
  customAttributes { key value } shippingAddress { city }
  lineItems(first: 20) { nodes { id sku quantity currentQuantity unfulfilledQuantity variant { id } } }
  fulfillmentOrders(first: 10) { nodes { id status lineItems(first: 20) { nodes { id remainingQuantity totalQuantity } } } }
  fulfillments { id name status fulfillmentLineItems(first: 20) { nodes { id quantity lineItem { sku } } } }
  refunds { id createdAt refundLineItems(first: 20) { nodes { quantity restockType restocked location { name } lineItem { id sku } } } }
  returns(first: 10) { nodes { id status name totalQuantity
    returnLineItems(first: 20) { nodes { id quantity ... on ReturnLineItem { fulfillmentLineItem { lineItem { sku } } } } }
    reverseFulfillmentOrders(first: 5) { nodes { id status lineItems(first: 20) { nodes { id totalQuantity
      dispositions { type quantity location { name } } } } } } } }`;

export const ORDER = `query Order($id: ID!) { order(id: $id) { ${ORDER_FIELDS} } }`;

export const ORDER_CREATE = `mutation Create($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) {
    order { id name confirmed displayFinancialStatus } userErrors { field message code } } }`;

export const ORDER_CANCEL = `mutation Cancel($id: ID!, $restock: Boolean!, $refund: Boolean!) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock, refundMethod: { originalPaymentMethodsRefund: $refund }) {
    job { id done } orderCancelUserErrors { field message code } userErrors { field message } } }`;

export const JOB = 'query Job($id: ID!) { job(id: $id) { id done } }';

export const MARK_PAID = `mutation Paid($input: OrderMarkAsPaidInput!) { orderMarkAsPaid(input: $input) {
  order { displayFinancialStatus } userErrors { field message } } }`;

export const FULFILL = `mutation Fulfill($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id status totalQuantity } userErrors { field message } } }`;

export const FULFILL_CANCEL = `mutation CallBack($id: ID!) { fulfillmentCancel(id: $id) {
  fulfillment { id status } userErrors { field message } } }`;

export const REFUND = `mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    order { id } refund { id totalRefundedSet { shopMoney { amount } } } userErrors { field message } } }`;

export const EDIT_BEGIN = `mutation Begin($id: ID!) { orderEditBegin(id: $id) {
  calculatedOrder { id lineItems(first: 20) { nodes { id sku quantity editableQuantity } } }
  orderEditSession { id } userErrors { field message } } }`;

export const EDIT_ADD = `mutation Add($id: ID!, $variantId: ID!, $quantity: Int!, $duplicates: Boolean, $locationId: ID) {
  orderEditAddVariant(id: $id, variantId: $variantId, quantity: $quantity, allowDuplicates: $duplicates, locationId: $locationId) {
    calculatedLineItem { id quantity } calculatedOrder { totalPriceSet { shopMoney { amount } } }
    userErrors { field message } } }`;

export const EDIT_SET = `mutation Set($id: ID!, $lineItemId: ID!, $quantity: Int!, $restock: Boolean) {
  orderEditSetQuantity(id: $id, lineItemId: $lineItemId, quantity: $quantity, restock: $restock) {
    calculatedLineItem { quantity restocking } userErrors { field message } } }`;

export const EDIT_COMMIT = `mutation Commit($id: ID!) { orderEditCommit(id: $id, staffNote: "as wished") {
  order { id edited } successMessages userErrors { field message } } }`;

export const RETURN_CREATE = `mutation Return($input: ReturnInput!) { returnCreate(returnInput: $input) {
  return { id name status totalQuantity } userErrors { field message code } } }`;

export const RETURN_PROCESS = `mutation Process($input: ReturnProcessInput!) { returnProcess(input: $input) {
  return { id status } userErrors { field message code } } }`;

export const DISPOSE = `mutation Dispose($inputs: [ReverseFulfillmentOrderDisposeInput!]!) {
  reverseFulfillmentOrderDispose(dispositionInputs: $inputs) {
    reverseFulfillmentOrderLineItems { id dispositions { type quantity } } userErrors { field message code } } }`;

export async function readOrder(rig: Rig, id: string): Promise<Json> {
  return (await rig.data(ORDER, { id })).order;
}

/** Creates an order by API; answers with it as `ORDER` reads it. */
export async function createOrder(
  rig: Rig,
  units: Readonly<Record<string, number>>,
  { behaviour = 'DECREMENT_OBEYING_POLICY', ...order }: { behaviour?: string; [field: string]: unknown } = {},
): Promise<Json> {
  const lineItems = Object.entries(units).map(([sku, quantity]) => ({
    variantId: rig.sandbox.shop.inventory.variantOfSku(sku).id,
    quantity,
  }));
  const variables = { order: { lineItems, ...order }, options: { inventoryBehaviour: behaviour } };
  const { orderCreate } = await rig.data(ORDER_CREATE, variables);
  if (orderCreate.userErrors.length > 0) throw new Error(JSON.stringify(orderCreate.userErrors));
  return readOrder(rig, orderCreate.order.id);
}

/** Ships everything that is left of the order, one fulfillment for each location. */
export async function fulfillAll(rig: Rig, id: string): Promise<Json> {
  const { fulfillmentOrders } = await readOrder(rig, id);
  for (const { id: fulfillmentOrderId, status } of fulfillmentOrders.nodes) {
    if (status !== 'OPEN') continue;
    const fulfillment = { lineItemsByFulfillmentOrder: [{ fulfillmentOrderId }] };
    const { fulfillmentCreate } = await rig.data(FULFILL, { fulfillment });
    if (fulfillmentCreate.userErrors.length > 0)
      throw new Error(JSON.stringify(fulfillmentCreate.userErrors));
  }
  return readOrder(rig, id);
}

export async function refund(rig: Rig, input: object, key = newKey()): Promise<Json> {
  return (await rig.data(REFUND, { input, key })).refundCreate;
}
