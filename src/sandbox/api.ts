/** The GraphQL API without its transport: a document goes in, Shopify's answer comes out. */

import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
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
import { missingAccess } from './access.js';
import { CostBucket, type CostQuestion, type CostReport, costOf } from './cost.js';
import { type Context, FIELDS_BY_TYPE, type Fields } from './fields.js';
import { typeOfGid } from './gid.js';
import { MUTATIONS } from './mutations.js';
import { QUERIES } from './queries.js';
import type { Shop } from './shop.js';
import { parseTimeMs } from './time.js';

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

const SCHEMA = loadSchema();
const ROOT_TABLES: Readonly<Record<string, Fields<never>>> = { QueryRoot: QUERIES, Mutation: MUTATIONS };
const TABLES: Readonly<Record<string, Fields<never>>> = { ...FIELDS_BY_TYPE, ...ROOT_TABLES };

export class Api {
  readonly #shop: Shop;
  readonly #scopes: readonly string[];
  readonly #bucket: CostBucket;

  constructor(shop: Shop, scopes: readonly string[]) {
    this.#shop = shop;
    this.#scopes = scopes;
    this.#bucket = new CostBucket(shop.settle());
  }

  /** Parses and validates; what is wrong with the document comes back as Shopify's answer to it. */
  prepare(request: ApiRequest): PreparedRequest | { readonly answer: ApiAnswer } {
    let document: DocumentNode;
    try {
      document = parse(request.query, { maxTokens: DOCUMENT_MAX_TOKENS });
    } catch (error) {
      if (error instanceof GraphQLError) return { answer: { errors: [error.toJSON()] } };
      throw error;
    }
    const errors = validate(SCHEMA, document);
    if (errors.length > 0) return { answer: { errors: errors.map((error) => error.toJSON()) } };
    const operation = getOperationAST(document, request.operationName);
    if (!operation) {
      const message = request.operationName
        ? `No operation named "${request.operationName}"`
        : 'An operation name is required';
      return { answer: { errors: [{ message }] } };
    }
    const requestedCost = costOf(costQuestion(document, operation, request));
    return { document, operation, request, requestedCost };
  }

  /** Runs the document at the shop's time now. */
  async run(prepared: PreparedRequest): Promise<ApiAnswer> {
    const { document, operation, request, requestedCost } = prepared;
    const nowMs = this.#shop.settle();
    const context: Context = { shop: this.#shop, nowMs, scopes: this.#scopes };
    const { data, errors } = await execute({
      schema: SCHEMA,
      document,
      contextValue: context,
      variableValues: request.variables,
      operationName: request.operationName,
      fieldResolver: resolveField,
      typeResolver: (value) => typeOfGid((value as { id: string }).id) ?? undefined,
    });
    // Without data the variables did not fit the schema, and nothing ran.
    const actual = data
      ? Math.min(requestedCost, costOf(costQuestion(document, operation, request), data))
      : null;
    return {
      ...(data === undefined ? {} : { data }),
      ...(errors ? { errors: errors.map((error) => error.toJSON()) } : {}),
      extensions: { cost: this.#bucket.spend(requestedCost, actual, nowMs) },
    };
  }

  /** Shopify's answer to a caller that is too fast. Its status is 200, and nothing has run. */
  throttled(prepared: PreparedRequest): ApiAnswer {
    const extensions = { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' };
    const cost = this.#bucket.spend(prepared.requestedCost, null, this.#shop.settle());
    const throttleStatus = { ...cost.throttleStatus, currentlyAvailable: 0 };
    return {
      errors: [{ message: 'Throttled', extensions }],
      extensions: { cost: { ...cost, throttleStatus } },
    };
  }
}

/** Every root field that the sandbox serves. */
export const ROOT_FIELDS: readonly string[] = [...Object.keys(QUERIES), ...Object.keys(MUTATIONS)];

/** The names of the operation's root fields, through fragments. */
export function rootFieldsOf({ document, operation }: PreparedRequest): readonly string[] {
  const fragments = fragmentsOf(document);
  const collect = ({ selections }: SelectionSetNode): readonly string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value];
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      return fragment ? collect(fragment.selectionSet) : [];
    });
  return collect(operation.selectionSet);
}

const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const { fieldName } = info;
  const typeName = info.parentType.name;
  if (typeName in ROOT_TABLES) requireAccess(fieldName, context);
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

function costQuestion(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { variables }: ApiRequest,
): CostQuestion {
  return { schema: SCHEMA, operation, fragments: fragmentsOf(document), variables };
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
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
