/** The GraphQL API without its transport: a document goes in, Shopify's answer comes out. */

import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  GraphQLScalarType,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  validate,
} from 'graphql';
import { missingAccess } from '../api-rules/access.js';
import {
  CostBucket,
  type CostQuestion,
  type CostReport,
  computeCost,
  maximumCost,
  type Pricing,
  type RatePlan,
} from '../api-rules/cost.js';
import { typeOfGid } from '../base/gid.js';
import { parseTimeMs } from '../base/time.js';
import type { Shop } from '../shop/shop.js';
import { APP_FIELDS_BY_TYPE, APP_MUTATIONS, APP_QUERIES } from './app-fields.js';
import type { Context, Fields } from './context.js';
import { FIELDS_BY_TYPE } from './fields.js';
import { MUTATIONS } from './mutations.js';
import { QUERIES } from './queries.js';

export interface ApiRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
}

/** The JSON of an answer. HTTP status 200 whatever is in it, as at Shopify. */
export interface ApiAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: { readonly cost: CostReport };
}

/** A document that is valid against the schema, not yet run. */
export interface PreparedRequest {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly request: ApiRequest;
  readonly requestedCost: number;
}

const DOCUMENT_MAX_TOKENS = 10_000;
/** Valid documents that are remembered: a program sends the same few over and over. */
const DOCUMENTS_KEPT = 200;

const SCHEMA = loadSchema();
const ROOT_TABLES: Readonly<Record<string, Fields<never>>> = {
  QueryRoot: { ...QUERIES, ...APP_QUERIES },
  Mutation: { ...MUTATIONS, ...APP_MUTATIONS },
};
const TABLES: Readonly<Record<string, Fields<never>>> = {
  ...FIELDS_BY_TYPE,
  ...APP_FIELDS_BY_TYPE,
  ...ROOT_TABLES,
};

export interface ApiSettings {
  readonly plan: RatePlan;
  /** Whether a bucket that is too empty refuses; else it only reports. */
  readonly isThrottling: boolean;
  readonly pricing: Pricing;
}

export class Api {
  /** What the app may do. A merchant may grant more or less at any time. */
  scopes: readonly string[];
  /** May be switched at any time. */
  isThrottling: boolean;
  /** Where the shop is reached, for the links in its answers. */
  origin = '';
  readonly #shop: Shop;
  readonly #plan: RatePlan;
  readonly #pricing: Pricing;
  readonly #bucket: CostBucket;
  readonly #documents = new Map<string, DocumentNode>();

  constructor(shop: Shop, scopes: readonly string[], { plan, isThrottling, pricing }: ApiSettings) {
    this.#shop = shop;
    this.scopes = scopes;
    this.isThrottling = isThrottling;
    this.#plan = plan;
    this.#pricing = pricing;
    this.#bucket = new CostBucket(plan, shop.settle());
  }

  /** Parses and validates; what is wrong with the document comes back as Shopify's answer to it. */
  prepare(request: ApiRequest): PreparedRequest | { readonly answer: ApiAnswer } {
    const valid = this.#validated(request.query);
    if ('errors' in valid) return { answer: { errors: valid.errors } };
    const { document } = valid;
    const operation = getOperationAST(document, request.operationName);
    if (!operation) {
      const message = request.operationName
        ? `No operation named "${request.operationName}"`
        : 'An operation name is required';
      return { answer: { errors: [{ message }] } };
    }
    const requestedCost = computeCost(this.#costQuestion(document, operation, request));
    return { document, operation, request, requestedCost };
  }

  #validated(
    query: string,
  ): { readonly document: DocumentNode } | { readonly errors: readonly GraphQLFormattedError[] } {
    const known = this.#documents.get(query);
    if (known !== undefined) return { document: known };
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: DOCUMENT_MAX_TOKENS });
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error.toJSON()] };
      throw error;
    }
    const errors = validate(SCHEMA, document);
    if (errors.length > 0) return { errors: errors.map((error) => error.toJSON()) };
    if (this.#documents.size >= DOCUMENTS_KEPT) this.#documents.clear();
    this.#documents.set(query, document);
    return { document };
  }

  /**
   * Runs the document at the shop's time now. Refuses, and runs nothing, when the bucket lacks its requested cost; a
   * document that no bucket could ever pay for is refused for good.
   */
  async run(prepared: PreparedRequest): Promise<ApiAnswer> {
    const { document, operation, request, requestedCost } = prepared;
    await this.#shop.bulkOperations.caughtUp(this.#shop.nowMs());
    const nowMs = this.#shop.settle();
    const maximum = maximumCost(this.#pricing, this.#plan, this.isThrottling);
    if (requestedCost > maximum) return tooCostly(requestedCost, maximum);
    if (this.isThrottling && !this.#bucket.affords(requestedCost, nowMs))
      return this.#throttledAt(requestedCost, nowMs);
    const { data, errors } = await this.#execute(document, request.variables, request.operationName, nowMs);
    // Without data the variables did not fit the schema, and nothing ran.
    const actual = data
      ? Math.min(requestedCost, computeCost(this.#costQuestion(document, operation, request), data))
      : null;
    return {
      ...(data === undefined ? {} : { data }),
      ...(errors ? { errors: errors.map((error) => error.toJSON()) } : {}),
      extensions: { cost: this.#bucket.spend(requestedCost, actual, nowMs) },
    };
  }

  /** Shopify's answer to a caller that is too fast. Its status is 200, and nothing has run. */
  throttled(prepared: PreparedRequest): ApiAnswer {
    const { cost } = this.#throttledAt(prepared.requestedCost, this.#shop.settle()).extensions;
    const throttleStatus = { ...cost.throttleStatus, currentlyAvailable: 0 };
    return { errors: [THROTTLED], extensions: { cost: { ...cost, throttleStatus } } };
  }

  #throttledAt(requestedCost: number, nowMs: number) {
    return { errors: [THROTTLED], extensions: { cost: this.#bucket.spend(requestedCost, null, nowMs) } };
  }

  #costQuestion(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    { variables }: ApiRequest,
  ): CostQuestion {
    return {
      schema: SCHEMA,
      operation,
      fragments: indexFragments(document),
      variables,
      pricing: this.#pricing,
    };
  }

  async #execute(
    document: DocumentNode,
    variableValues: Readonly<Record<string, unknown>>,
    operationName: string | null,
    nowMs: number,
  ): Promise<ExecutionResult> {
    const context: Context = {
      shop: this.#shop,
      nowMs,
      scopes: this.scopes,
      origin: this.origin,
      // A bulk operation reads on after its request has been answered, and costs no points.
      read: (inner, variables) => this.#execute(inner, variables, null, this.#shop.nowMs()),
    };
    return execute({
      schema: SCHEMA,
      document,
      contextValue: context,
      variableValues,
      operationName,
      fieldResolver: resolveField,
      typeResolver: (value) => typeOfGid((value as { id: string }).id) ?? undefined,
    });
  }
}

/** Every root field that the sandbox serves. */
export const ROOT_FIELDS: readonly string[] = Object.values(ROOT_TABLES).flatMap((table) =>
  Object.keys(table),
);

const THROTTLED = {
  message: 'Throttled',
  extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' },
};

/** The names of the operation's root fields, through fragments. */
export function listRootFields({ document, operation }: PreparedRequest): readonly string[] {
  const fragments = indexFragments(document);
  const collect = ({ selections }: SelectionSetNode): readonly string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value];
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      return fragment ? collect(fragment.selectionSet) : [];
    });
  return collect(operation.selectionSet);
}

/** Fields below a root field whose type wants a scope of its own. */
const OWN_ACCESS: ReadonlySet<string> = new Set(['Order.fulfillmentOrders']);

const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const { fieldName } = info;
  const typeName = info.parentType.name;
  if (typeName in ROOT_TABLES || OWN_ACCESS.has(`${typeName}.${fieldName}`))
    requireAccess(fieldName, context);
  const field = TABLES[typeName]?.[fieldName];
  if (field) return field(source as never, args as never, context, info);
  if (typeof source === 'object' && source !== null && fieldName in source) {
    return (source as Record<string, unknown>)[fieldName];
  }
  throw new GraphQLError(`the sandbox shop does not emulate ${typeName}.${fieldName}`, {
    extensions: { code: 'BAD_REQUEST' },
  });
};

function requireAccess(rootField: string, { scopes }: Context): void {
  const requiredAccess = missingAccess(rootField, scopes);
  if (requiredAccess === null) return;
  throw new GraphQLError(`Access denied for ${rootField} field. Required access: ${requiredAccess}.`, {
    extensions: {
      code: 'ACCESS_DENIED',
      documentation: 'https://shopify.dev/api/usage/access-scopes',
      requiredAccess,
    },
  });
}

/** Shopify: a query above the maximum for a single one never runs. */
function tooCostly(requestedCost: number, maximum: number): ApiAnswer {
  const message = `Query cost is ${requestedCost}, which exceeds the single query max cost limit (${maximum}).`;
  const extensions = {
    code: 'MAX_COST_EXCEEDED',
    cost: requestedCost,
    maxCost: maximum,
    documentation: 'https://shopify.dev/api/usage/rate-limits',
  };
  return { errors: [{ message, extensions }] };
}

function indexFragments(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}

/** The pruned schema lies beside this file, in the sources and in the build alike. */
function loadSchema(): GraphQLSchema {
  const schema = buildSchema(readFileSync(new URL('./admin-2026-10.graphql', import.meta.url), 'utf8'));
  const dateTime = schema.getType('DateTime');
  if (!(dateTime instanceof GraphQLScalarType)) throw new Error('the schema has lost its DateTime');
  dateTime.parseValue = parseDateTime;
  dateTime.parseLiteral = (node) => parseDateTime(node.kind === Kind.STRING ? node.value : null);
  return schema;
}

function parseDateTime(value: unknown): string {
  if (typeof value === 'string' && parseTimeMs(value) !== null) return value;
  throw new GraphQLError(`not an ISO 8601 time: ${JSON.stringify(value)}`);
}
