/**
 * Makes src/sandbox/graphql/admin-2026-10.graphql, the part of Shopify's Admin API schema that the sandbox shop serves:
 *
 *   node test/sandbox/prune-schema.mjs <full schema, .graphql or .graphql.gz> src/sandbox/graphql/admin-2026-10.graphql
 *
 * Output types are kept by name (KEPT_TYPES); a field stays when its type stayed, with all of its arguments;
 * inputs, enums and scalars stay when something kept needs them, complete. Descriptions are dropped for size.
 *
 * And test/sources/shopify/schemas/admin-*.graphql, the same part of each version that our documents are held against, with the
 * access that Shopify documents for a type or a field as its description. Of each of 2026-04, 2026-07 and 2026-10:
 *
 *   node test/sandbox/prune-schema.mjs <package>/dist/data/admin_2026-04.json.gz test/sources/shopify/schemas/admin-2026-04.graphql
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { buildClientSchema, Kind, parse, print, printSchema, visit } from 'graphql';

const HEADER = `# Shopify Admin GraphQL API 2026-10, pruned to what the sandbox shop serves. Made by a script, not by hand.
# Source: the schema that the npm package @shopify/dev-mcp 1.16.0 (ISC licence) ships as data.
# To make it again, unpack that package and run:
#   node test/sandbox/prune-schema.mjs <its 2026-10 schema> src/sandbox/graphql/admin-2026-10.graphql
#   npx biome check --write src/sandbox/graphql
`;

const HEADER_OF_COPY = `# Part of Shopify's Admin GraphQL API, for the contract tests. Made by a script, not by hand.
# Source: the schema that the npm package @shopify/dev-mcp 1.16.0 (ISC licence) ships as data; descriptions are its
# \`requiredAccess\`. To make it again: see test/sandbox/prune-schema.mjs.
`;

/** Fields of the two roots; all others are dropped. */
const ROOT_FIELDS = {
  QueryRoot: words(`shop location locations product products productVariant productVariants inventoryItem
    inventoryItems inventoryLevel node nodes draftOrder draftOrders order orders refund return fulfillment job
    publications currentAppInstallation productVariantsCount events bulkOperation bulkOperations currentBulkOperation webhookSubscription
    webhookSubscriptions`),
  Mutation: words(`inventoryAdjustQuantities inventoryMoveQuantities inventorySetQuantities inventoryActivate
    inventoryDeactivate inventoryItemUpdate draftOrderCreate draftOrderUpdate draftOrderComplete draftOrderDelete
    draftOrderInvoiceSend productUpdate productDelete productVariantsBulkUpdate locationActivate locationDeactivate
    orderCreate orderCancel orderMarkAsPaid orderEditBegin orderEditAddVariant orderEditSetQuantity orderEditCommit
    refundCreate returnCreate returnProcess returnClose returnReopen returnCancel reverseFulfillmentOrderDispose
    fulfillmentCreate fulfillmentCancel fulfillmentOrderMove bulkOperationRunQuery bulkOperationCancel webhookSubscriptionCreate
    webhookSubscriptionUpdate webhookSubscriptionDelete`),
};

const CONNECTIONS = words(
  `Location Product ProductVariant InventoryItem InventoryLevel DraftOrder DraftOrderLineItem Order LineItem
  CalculatedLineItem Refund RefundLineItem Return ReturnLineItemType ReverseFulfillmentOrder
  ReverseFulfillmentOrderLineItem FulfillmentOrder FulfillmentOrderLineItem FulfillmentLineItem BulkOperation
  WebhookSubscription Publication Channel App Event`,
);

/** Object, interface and union types. No customers, no payments: nothing here needs them. */
const KEPT_TYPES = new Set([
  ...Object.keys(ROOT_FIELDS),
  ...CONNECTIONS.flatMap((name) => [name, `${name}Connection`, `${name}Edge`]),
  ...words(`BasicEvent Node Catalog AppCatalog LegacyInteroperability DisplayableError UserError PageInfo Count MoneyBag MoneyV2 Attribute
    MailingAddress Shop ShopPlan LocationAddress SelectedOption InventoryQuantity InventoryAdjustmentGroup
    InventoryChange DraftOrderWarning AppInstallation AccessScope Job Fulfillment OrderCancellation OrderApp
    CalculatedOrder OrderEditSession ReturnLineItem ReverseFulfillmentOrderDisposition
    InventoryAdjustQuantitiesPayload InventoryMoveQuantitiesPayload InventorySetQuantitiesPayload
    InventoryAdjustQuantitiesUserError InventoryMoveQuantitiesUserError InventorySetQuantitiesUserError
    InventoryActivatePayload InventoryDeactivatePayload InventoryItemUpdatePayload
    DraftOrderCreatePayload DraftOrderUpdatePayload DraftOrderCompletePayload DraftOrderDeletePayload
    DraftOrderInvoiceSendPayload ProductUpdatePayload ProductDeletePayload ProductVariantsBulkUpdatePayload
    ProductVariantsBulkUpdateUserError LocationActivatePayload LocationActivateUserError LocationDeactivatePayload
    LocationDeactivateUserError OrderCreatePayload OrderCreateUserError OrderCancelPayload OrderCancelUserError
    OrderMarkAsPaidPayload OrderEditBeginPayload OrderEditAddVariantPayload OrderEditSetQuantityPayload
    OrderEditCommitPayload RefundCreatePayload ReturnCreatePayload ReturnProcessPayload ReturnClosePayload
    ReturnReopenPayload ReturnCancelPayload ReturnUserError ReverseFulfillmentOrderDisposePayload
    FulfillmentCreatePayload FulfillmentCancelPayload FulfillmentOrderMovePayload
    FulfillmentOrderMoveFulfillmentOrderMoveUserError FulfillmentOrderAssignedLocation FulfillmentOrderSupportedAction
    BulkOperationRunQueryPayload BulkOperationUserError
    BulkOperationCancelPayload WebhookSubscriptionCreatePayload WebhookSubscriptionUpdatePayload
    WebhookSubscriptionDeletePayload`),
]);

const OUTPUT_KINDS = [
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
];
const BUILT_IN_SCALARS = words('Int Float String Boolean ID');

/**
 * @param {string} fullSdl the whole Admin API schema
 * @returns {string} the pruned schema, valid by itself, with the header that names its source
 */
export function pruneSchema(fullSdl) {
  const document = parse(fullSdl, { noLocation: true });
  const byName = new Map(
    document.definitions.flatMap((node) => ('name' in node && node.name ? [[node.name.value, node]] : [])),
  );
  for (const name of KEPT_TYPES)
    if (!byName.has(name)) throw new Error(`the full schema has no type ${name}`);

  const outputs = new Map(
    [...KEPT_TYPES].map((name) => [name, pruneOutputType(byName.get(name), (type) => isKept(type, byName))]),
  );
  const needed = reachable([...outputs.values()], byName);
  const definitions = document.definitions.flatMap((node) => {
    if (node.kind === Kind.SCHEMA_DEFINITION) return [node];
    if (node.kind === Kind.DIRECTIVE_DEFINITION) return node.name.value === 'idempotent' ? [node] : [];
    return outputs.get(node.name.value) ?? (needed.has(node.name.value) ? [node] : []);
  });
  return `${HEADER}\n${print(withoutDescriptions({ ...document, definitions }))}\n`;
}

/** A field's type stays when it is a kept output type, or a scalar or enum (those are added as needed). */
function isKept(name, byName) {
  if (BUILT_IN_SCALARS.includes(name)) return true;
  return KEPT_TYPES.has(name) || !OUTPUT_KINDS.includes(byName.get(name)?.kind);
}

function pruneOutputType(node, keeps) {
  const rootFields = ROOT_FIELDS[node.name.value];
  const missing = rootFields?.filter((name) => !node.fields.some((field) => field.name.value === name)) ?? [];
  if (missing.length > 0)
    throw new Error(`${node.name.value} of the full schema has no ${missing.join(', ')}`);
  return {
    ...node,
    interfaces: node.interfaces.filter((face) => KEPT_TYPES.has(face.name.value)),
    fields: node.fields.filter(
      (field) => keeps(namedType(field.type)) && (rootFields?.includes(field.name.value) ?? true),
    ),
  };
}

/** Names of all inputs, enums and scalars that the given definitions need, directly or through inputs. */
function reachable(definitions, byName) {
  const seen = new Set();
  const pending = [...definitions];
  for (let node = pending.pop(); node; node = pending.pop()) {
    visit(node, {
      NamedType({ name }) {
        const definition = byName.get(name.value);
        if (seen.has(name.value) || !definition || OUTPUT_KINDS.includes(definition.kind)) return;
        seen.add(name.value);
        pending.push(definition);
      },
    });
  }
  return seen;
}

function withoutDescriptions(document) {
  return visit(document, {
    enter: (node) =>
      'description' in node && node.description ? { ...node, description: undefined } : undefined,
  });
}

function namedType(type) {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

function words(text) {
  return text.split(/\s+/u).filter((word) => word !== '');
}

/** @param {string} path @returns {string} the SDL in the file, unpacked when it is gzip */
export function readSdl(path) {
  return readText(path);
}

function readText(path) {
  const bytes = readFileSync(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** The pruned schema of an introspection result that carries `requiredAccess`, with that as the only descriptions. */
function pruneIntrospection({ data }) {
  const access = new Map();
  for (const type of data.__schema.types) {
    access.set(type.name, type.requiredAccess);
    for (const field of type.fields ?? []) access.set(`${type.name}.${field.name}`, field.requiredAccess);
  }
  const described = (node, name) =>
    access.get(name) ? { ...node, description: { kind: Kind.STRING, value: access.get(name) } } : node;
  const pruned = parse(pruneSchema(printSchema(buildClientSchema(data))), { noLocation: true });
  const definitions = pruned.definitions.map((node) => {
    if (!('fields' in node)) return node;
    const type = node.name.value;
    const fields = node.fields.map((field) => described(field, `${type}.${field.name.value}`));
    return described({ ...node, fields }, type);
  });
  return `${HEADER_OF_COPY}\n${print({ ...pruned, definitions })}\n`;
}

function main([source, target]) {
  if (!source || !target) {
    console.error(
      'usage: node test/sandbox/prune-schema.mjs <full schema, .graphql or introspection .json, or .gz of it> <target>',
    );
    process.exitCode = 2;
    return;
  }
  const text = readText(source);
  writeFileSync(target, text.startsWith('{') ? pruneIntrospection(JSON.parse(text)) : pruneSchema(text));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
