/**
 * What a bulk query may look like, and how it is read: its connections lose their page sizes, are read page by page
 * through the shop's own resolvers, and come out as one JSON line per node. Shopify: "Perform bulk operations with the
 * GraphQL Admin API", and the text of `bulkOperationRunQuery` in the schema.
 *
 * Two levels of connections are read as: the ones at the root, and those of their nodes. Whether Shopify counts the
 * root too is not certain; who stays within two is right either way.
 */

import {
  type ArgumentNode,
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type NameNode,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
  type VariableDefinitionNode,
  validate,
} from 'graphql';

/** Nodes of one level of connections below a parent, or below the root. */
interface BulkConnection {
  /** Fields from the parent node down to the connection, which is the last. */
  readonly path: readonly FieldNode[];
  /** Of the nodes that have this connection; null at the root. */
  readonly parentType: string | null;
  readonly children: readonly BulkConnection[];
}

export interface BulkPlan {
  readonly roots: readonly BulkConnection[];
}

/** Runs a document as the caller who started the operation. */
export type ReadDocument = (
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
) => Promise<ExecutionResult>;

export interface BulkBatch {
  readonly lines: readonly string[];
  /** How many of the lines are of nodes at the root. */
  readonly rootLines: number;
}

/** The query was answered with errors while it ran. */
export class BulkReadError extends Error {
  override readonly name = 'BulkReadError';
  readonly code: 'ACCESS_DENIED' | 'INTERNAL_SERVER_ERROR';

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join('; '));
    this.code = errors.some(({ extensions }) => extensions['code'] === 'ACCESS_DENIED')
      ? 'ACCESS_DENIED'
      : 'INTERNAL_SERVER_ERROR';
  }
}

const CONNECTIONS_MAX = 5;
const DEPTH_MAX = 2;
const PAGE_ENTRIES = 250;
const DOCUMENT_MAX_TOKENS = 10_000;
const PAGING_ARGUMENTS = new Set(['first', 'last', 'after', 'before']);

/** How to read the query, or what Shopify's user error says is wrong with it. */
export function planBulkQuery(schema: GraphQLSchema, query: string): BulkPlan | { readonly refusal: string } {
  try {
    const document = parse(query, { maxTokens: DOCUMENT_MAX_TOKENS });
    const [error] = validate(schema, document);
    if (error) throw error;
    return new Planner(schema, document).plan();
  } catch (error) {
    if (error instanceof GraphQLError) return { refusal: `Invalid bulk query: ${error.message}` };
    if (error instanceof BulkQueryError) return { refusal: error.message };
    throw error;
  }
}

class BulkQueryError extends Error {}

/** Where in the query: the type whose fields are selected, and the node that a connection found there belongs to. */
interface Place {
  readonly type: GraphQLNamedType | undefined;
  readonly parentType: string | null;
  readonly depth: number;
}

class Planner {
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #connections = 0;

  constructor(schema: GraphQLSchema, document: DocumentNode) {
    this.#schema = schema;
    this.#document = document;
    this.#fragments = new Map(
      document.definitions.flatMap((node) =>
        node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
      ),
    );
  }

  plan(): BulkPlan {
    const [operation, second] = this.#document.definitions.flatMap((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? [node] : [],
    );
    if (!operation || second) throw new BulkQueryError('Bulk queries must contain exactly one operation.');
    if (operation.operation !== OperationTypeNode.QUERY) {
      throw new BulkQueryError('Bulk queries must be a query operation.');
    }
    if (operation.variableDefinitions?.length) throw new BulkQueryError('Bulk queries cannot use variables.');
    const root = this.#schema.getQueryType() ?? undefined;
    const { children } = this.#rewrite(operation.selectionSet, { type: root, parentType: null, depth: 1 });
    if (this.#connections === 0)
      throw new BulkQueryError('Bulk queries must contain at least one connection.');
    if (this.#connections > CONNECTIONS_MAX) {
      throw new BulkQueryError(`Bulk queries cannot contain more than ${CONNECTIONS_MAX} connections.`);
    }
    const isOther = (selection: SelectionNode) =>
      selection.kind !== Kind.FIELD ||
      !children.some(({ path }) => readResponseKey(path[0]) === readResponseKey(selection));
    if (operation.selectionSet.selections.some(isOther) || children.some(({ path }) => path.length > 1)) {
      throw new BulkQueryError('The sandbox shop reads bulk queries with connections alone at their root.');
    }
    return { roots: children };
  }

  /** The selections with pages put in, and the connections among them. */
  #rewrite(
    { selections }: SelectionSetNode,
    place: Place,
  ): { readonly selectionSet: SelectionSetNode; readonly children: readonly BulkConnection[] } {
    const children: BulkConnection[] = [];
    const rewritten = selections.map((selection): SelectionNode => {
      if (selection.kind !== Kind.FIELD) {
        const inner = this.#findFragment(selection);
        const condition = inner.typeCondition?.name.value;
        const type = condition === undefined ? place.type : this.#schema.getType(condition);
        const result = this.#rewrite(inner.selectionSet, { ...place, type });
        children.push(...result.children);
        return {
          kind: Kind.INLINE_FRAGMENT,
          selectionSet: result.selectionSet,
          ...(inner.typeCondition ? { typeCondition: inner.typeCondition } : {}),
        };
      }
      const { field, found } = this.#rewriteField(selection, place);
      children.push(...found);
      return field;
    });
    return { selectionSet: selectionSet(rewritten), children };
  }

  #rewriteField(
    field: FieldNode,
    place: Place,
  ): { readonly field: FieldNode; readonly found: readonly BulkConnection[] } {
    const { type, parentType } = place;
    const definition =
      isObjectType(type) || isInterfaceType(type) ? type.getFields()[field.name.value] : undefined;
    if (!definition || !field.selectionSet) return { field, found: [] };
    if (parentType === null && ['node', 'nodes'].includes(field.name.value)) {
      throw new BulkQueryError('Bulk queries cannot use the top-level `node` or `nodes` fields.');
    }
    const inner = getNamedType(definition.type);
    if (inner.name.endsWith('Connection')) return this.#rewriteConnection(field, inner, place);
    const { selectionSet, children } = this.#rewrite(field.selectionSet, { ...place, type: inner });
    if (children.length > 0 && isListType(getNullableType(definition.type))) {
      throw new BulkQueryError(
        'Queries that contain a connection field within a list field are not currently supported.',
      );
    }
    const below = { ...field, selectionSet };
    return { field: below, found: children.map((child) => ({ ...child, path: [below, ...child.path] })) };
  }

  #rewriteConnection(field: FieldNode, type: GraphQLNamedType, place: Place) {
    this.#connections += 1;
    if (place.depth > DEPTH_MAX) {
      const message = `Bulk queries cannot contain connections with a nesting depth greater than ${DEPTH_MAX}.`;
      throw new BulkQueryError(message);
    }
    const nodeType = isObjectType(type) ? getNamedType(type.getFields()['nodes']?.type) : undefined;
    const nodes = field.selectionSet ? nodeSelections(field.selectionSet) : [];
    if (nodeType === undefined || nodes.length === 0) {
      throw new BulkQueryError(`The connection '${field.name.value}' must select its nodes.`);
    }
    const below = { type: nodeType, parentType: nodeType.name, depth: place.depth + 1 };
    const inner = this.#rewrite(selectionSet(nodes), below);
    if (inner.children.length > 0 && !this.#selectsId(nodes)) {
      throw new BulkQueryError(
        `The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. Connection fields without 'id': ${field.name.value}.`,
      );
    }
    const page = pageField(field, inner.selectionSet);
    return { field: page, found: [{ path: [page], parentType: place.parentType, children: inner.children }] };
  }

  #selectsId(selections: readonly SelectionNode[]): boolean {
    return selections.some((selection) =>
      selection.kind === Kind.FIELD
        ? selection.name.value === 'id' && !selection.alias
        : this.#selectsId(this.#findFragment(selection).selectionSet.selections),
    );
  }

  #findFragment(selection: Exclude<SelectionNode, FieldNode>) {
    if (selection.kind === Kind.INLINE_FRAGMENT) return selection;
    const fragment = this.#fragments.get(selection.name.value);
    if (!fragment) throw new Error(`a valid query has lost its fragment ${selection.name.value}`);
    return fragment;
  }
}

/** What is selected of the nodes, be it through `nodes` or through `edges`. */
function nodeSelections({ selections }: SelectionSetNode): readonly SelectionNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind !== Kind.FIELD || !selection.selectionSet) return [];
    if (selection.name.value === 'edges') return nodeSelections(selection.selectionSet);
    const isNode = selection.name.value === 'nodes' || selection.name.value === 'node';
    return isNode ? selection.selectionSet.selections : [];
  });
}

/** The connection's field, asking for one page. */
function pageField(field: FieldNode, nodes: SelectionSetNode): FieldNode {
  const kept = field.arguments?.filter((argument) => !PAGING_ARGUMENTS.has(argument.name.value)) ?? [];
  const first = argument('first', { kind: Kind.INT, value: String(PAGE_ENTRIES) });
  const pageInfo = selectionSet([leaf('hasNextPage'), leaf('endCursor')]);
  return {
    ...field,
    arguments: [...kept, first],
    selectionSet: selectionSet([
      { ...leaf('nodes'), selectionSet: nodes },
      { ...leaf('pageInfo'), selectionSet: pageInfo },
    ]),
  };
}

/** A document for the pages of the connection after `$after`: of the root, or of the parent `$parentId`. */
function pageDocument({ path, parentType }: BulkConnection): DocumentNode {
  const after = argument('after', { kind: Kind.VARIABLE, name: nameNode('after') });
  const page = path.reduceRight<FieldNode | null>((inner, field) => {
    if (inner) return { ...field, selectionSet: selectionSet([inner]) };
    return { ...field, arguments: [...(field.arguments ?? []), after] };
  }, null);
  if (!page) throw new Error('a connection has lost its path');
  const variables: readonly VariableDefinitionNode[] = [
    variable('after', namedType('String')),
    ...(parentType === null
      ? []
      : [variable('parentId', { kind: Kind.NON_NULL_TYPE, type: namedType('ID') })]),
  ];
  const start: FieldNode =
    parentType === null
      ? page
      : {
          ...leaf('node'),
          arguments: [argument('id', { kind: Kind.VARIABLE, name: nameNode('parentId') })],
          selectionSet: selectionSet([
            {
              kind: Kind.INLINE_FRAGMENT,
              typeCondition: namedType(parentType),
              selectionSet: selectionSet([page]),
            },
          ]),
        };
  const operation: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: OperationTypeNode.QUERY,
    variableDefinitions: variables,
    selectionSet: selectionSet([start]),
  };
  return { kind: Kind.DOCUMENT, definitions: [operation] };
}

function nameNode(value: string): NameNode {
  return { kind: Kind.NAME, value };
}

function leaf(name: string): FieldNode {
  return { kind: Kind.FIELD, name: nameNode(name) };
}

function argument(name: string, value: ValueNode): ArgumentNode {
  return { kind: Kind.ARGUMENT, name: nameNode(name), value };
}

function selectionSet(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

function namedType(name: string): NamedTypeNode {
  return { kind: Kind.NAMED_TYPE, name: nameNode(name) };
}

function variable(name: string, type: TypeNode): VariableDefinitionNode {
  return { kind: Kind.VARIABLE_DEFINITION, variable: { kind: Kind.VARIABLE, name: nameNode(name) }, type };
}

interface ConnectionData {
  readonly nodes: readonly Record<string, unknown>[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Pages that are still to be read: of the root, or of one parent. */
interface Rest {
  readonly connection: BulkConnection;
  readonly parentId: string | null;
  readonly after: string | null;
}

/**
 * Reads the whole, a page at a time, nothing ahead. `isGrouped` puts a node's children right behind it; else they come
 * after all nodes of the page. Throws `BulkReadError`.
 */
export async function* readBulk(
  { roots }: BulkPlan,
  isGrouped: boolean,
  read: ReadDocument,
): AsyncGenerator<BulkBatch> {
  for (const connection of roots)
    yield* readRest({ connection, parentId: null, after: null }, isGrouped, read);
}

async function* readRest(rest: Rest, isGrouped: boolean, read: ReadDocument): AsyncGenerator<BulkBatch> {
  const document = pageDocument(rest.connection);
  let after = rest.after;
  do {
    const { data, errors } = await read(document, { after, parentId: rest.parentId });
    if (errors?.length) throw new BulkReadError(errors);
    const start = rest.parentId === null ? data : data?.['node'];
    const page = valueAt(start, rest.connection.path) as ConnectionData | null;
    if (!page) return;
    yield* readBatches(page, rest, isGrouped, read);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
}

async function* readBatches(
  page: ConnectionData,
  { connection, parentId }: Rest,
  isGrouped: boolean,
  read: ReadDocument,
): AsyncGenerator<BulkBatch> {
  let lines: string[] = [];
  for (const part of listParts(page.nodes, connection, parentId, isGrouped)) {
    if (typeof part === 'string') {
      lines.push(part);
      continue;
    }
    yield { lines, rootLines: 0 };
    lines = [];
    yield* readRest(part, isGrouped, read);
  }
  yield { lines, rootLines: parentId === null ? page.nodes.length : 0 };
}

/** Lines, and in their place the pages of children that did not come along. */
function listParts(
  nodes: readonly Record<string, unknown>[],
  connection: BulkConnection,
  parentId: string | null,
  isGrouped: boolean,
): readonly (string | Rest)[] {
  const own: (string | Rest)[] = [];
  const below: (string | Rest)[] = [];
  for (const node of nodes) {
    const pages = connection.children.map((child) => ({ child, page: takeOut(node, child.path) }));
    own.push(JSON.stringify(parentId === null ? node : { ...node, __parentId: parentId }));
    const id = String(node['id']);
    const target = isGrouped ? own : below;
    for (const { child, page } of pages) {
      if (!page) continue;
      for (const part of listParts(page.nodes, child, id, isGrouped)) target.push(part);
      const { hasNextPage, endCursor } = page.pageInfo;
      if (hasNextPage) target.push({ connection: child, parentId: id, after: endCursor });
    }
  }
  return [...own, ...below];
}

function readResponseKey(field: FieldNode | undefined): string {
  return (field?.alias ?? field?.name)?.value ?? '';
}

/** The value at the end of the path; null where the path ends early. */
function valueAt(start: unknown, path: readonly FieldNode[]): unknown {
  return path.reduce<unknown>(
    (value, field) => (isRecord(value) ? value[readResponseKey(field)] : null),
    start,
  );
}

/** The connection at the end of the path, which the node then no longer has: its nodes get lines of their own. */
function takeOut(node: Record<string, unknown>, path: readonly FieldNode[]): ConnectionData | null {
  const holder = valueAt(node, path.slice(0, -1));
  const key = readResponseKey(path.at(-1));
  if (!isRecord(holder) || !isRecord(holder[key])) return null;
  const taken = holder[key];
  delete holder[key];
  return taken as unknown as ConnectionData;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
