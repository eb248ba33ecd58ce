/**
 * Query cost, in Shopify's points: 1 for an object, 10 for a mutation, and two ways to price a list (`Pricing`). Neither is
 * exact: Shopify documents a rule and does not keep to it.
 */

import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** How much one app may ask of one shop. */
export interface RatePlan {
  readonly bucketPoints: number;
  readonly restorePointsPerSecond: number;
}

/** Shopify: API rate limits, GraphQL Admin API. The rates are documented; the buckets above standard are 20 times those. */
export const RATE_PLANS = {
  standard: { bucketPoints: 2_000, restorePointsPerSecond: 100 },
  advanced: { bucketPoints: 4_000, restorePointsPerSecond: 200 },
  plus: { bucketPoints: 20_000, restorePointsPerSecond: 1_000 },
  enterprise: { bucketPoints: 40_000, restorePointsPerSecond: 2_000 },
} as const satisfies Readonly<Record<string, RatePlan>>;

/**
 * `measured`: a connection grows with the logarithm of its page, which comes near the few figures measured at Shopify (250
 * scalar locations 13 points, 50 levels of an item with their quantities 27). Only what no bucket can pay is too costly.
 * `documented`: Shopify, API rate limits: a connection costs what its size says, entry by entry, an interface its dearest
 * type, and a single query may cost at most 1,000 points on any plan. Plain lists with a size, and lists of ids, are priced
 * alike: the rule does not name them, and this is the dearer reading.
 */
export type Pricing = 'measured' | 'documented';

/** Shopify: single query limit. */
const QUERY_MAX_POINTS = 1_000;
const MUTATION_POINTS = 10;
const CONNECTION_POINTS = 2;

/** What a single query may cost at most; the bucket only counts where it refuses at all. */
export function maximumCost(pricing: Pricing, { bucketPoints }: RatePlan, isThrottling: boolean): number {
  const bucket = isThrottling ? bucketPoints : Number.POSITIVE_INFINITY;
  return pricing === 'documented' ? Math.min(bucket, QUERY_MAX_POINTS) : bucket;
}

export interface CostReport {
  readonly requestedQueryCost: number;
  /** Null when the query did not run. */
  readonly actualQueryCost: number | null;
  readonly throttleStatus: {
    readonly maximumAvailable: number;
    readonly currentlyAvailable: number;
    readonly restoreRate: number;
  };
}

/** The leaky bucket of one app at one shop. A full bucket is what it starts with. */
export class CostBucket {
  readonly #plan: RatePlan;
  #points: number;
  #atMs: number;

  constructor(plan: RatePlan, nowMs: number) {
    this.#plan = plan;
    this.#points = plan.bucketPoints;
    this.#atMs = nowMs;
  }

  /** Whether the bucket has what a query asks for. Shopify wants the whole requested cost, whatever it comes to. */
  affords(requested: number, nowMs: number): boolean {
    this.#restore(nowMs);
    return this.#points >= requested;
  }

  /** Takes the points of a query that ran; null for one that did not run, and takes nothing. */
  spend(requested: number, actual: number | null, nowMs: number): CostReport {
    this.#restore(nowMs);
    this.#points = Math.max(0, this.#points - (actual ?? 0));
    return {
      requestedQueryCost: requested,
      actualQueryCost: actual,
      throttleStatus: {
        maximumAvailable: this.#plan.bucketPoints,
        currentlyAvailable: Math.floor(this.#points),
        restoreRate: this.#plan.restorePointsPerSecond,
      },
    };
  }

  /** A clock that was set back restores nothing, and does not take anything either. */
  #restore(nowMs: number): void {
    const elapsedSeconds = Math.max(0, nowMs - this.#atMs) / 1000;
    const restored = this.#points + elapsedSeconds * this.#plan.restorePointsPerSecond;
    this.#points = Math.min(this.#plan.bucketPoints, restored);
    this.#atMs = nowMs;
  }
}

export interface CostQuestion {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly pricing: Pricing;
}

/**
 * Without `data` what was asked for: pages count in full. With `data` what was answered: pages count by the entries
 * that they have, and what is null costs nothing.
 */
export function computeCost(question: CostQuestion, data?: unknown): number {
  const root = question.schema.getRootType(question.operation.operation);
  const isMutation = question.operation.operation === 'mutation';
  const points = selectionCost(question, root ?? undefined, question.operation.selectionSet, data);
  return Math.max(1, isMutation ? MUTATION_POINTS + points - 1 : points);
}

function selectionCost(
  question: CostQuestion,
  type: GraphQLNamedType | undefined,
  selections: SelectionSetNode,
  data: unknown,
): number {
  let points = 0;
  // By type: of what an interface may be, an answer is one.
  const dearest = new Map<string, number>();
  for (const selection of selections.selections) {
    if (selection.kind === Kind.FIELD) {
      points += fieldCost(question, type, selection, data);
      continue;
    }
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : question.fragments.get(selection.name.value);
    if (!fragment) continue;
    const condition = fragment.typeCondition?.name.value ?? type?.name ?? '';
    const inner = question.schema.getType(condition) ?? type;
    const cost = selectionCost(question, inner, fragment.selectionSet, data);
    dearest.set(condition, (dearest.get(condition) ?? 0) + cost);
  }
  const costs = [...dearest.values()];
  const isChoice = question.pricing === 'documented' && isAbstractType(type);
  return points + (isChoice ? Math.max(0, ...costs) : costs.reduce((sum, cost) => sum + cost, 0));
}

function fieldCost(
  question: CostQuestion,
  type: GraphQLNamedType | undefined,
  selection: FieldNode,
  data: unknown,
): number {
  const definition =
    isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
  if (!definition || !selection.selectionSet) return 0;
  const answer = valueAt(data, (selection.alias ?? selection.name).value);
  if (answer === null) return 0;
  const inner = getNamedType(definition.type);
  const children = selectionCost(question, inner, selection.selectionSet, takeSample(answer));
  const args = selection.arguments ?? [];
  if (inner.name.endsWith('Connection'))
    return connectionCost(
      question.pricing,
      countEntries(answer) ?? readPageSize(question, args) ?? 1,
      children,
    );
  const object = objectCost(inner.name, children);
  if (question.pricing === 'measured' || inner.name.endsWith('Edge')) return object;
  const asked = readPageSize(question, args) ?? countIds(question, args) ?? 1;
  return object * (Array.isArray(answer) ? answer.length : asked);
}

/** The layers of a connection are not objects of their own: its entries are paid for by the page. */
function objectCost(typeName: string, children: number): number {
  return typeName === 'PageInfo' || typeName.endsWith('Edge') ? children : 1 + children;
}

/** `children` counts one entry (its `nodes` or `edges` selection); the page multiplies it. */
function connectionCost(pricing: Pricing, entries: number, children: number): number {
  const each = Math.max(1, children);
  if (pricing === 'documented') return CONNECTION_POINTS + entries * each;
  return CONNECTION_POINTS + Math.round(2 * Math.log(Math.max(1, entries)) * each);
}

type Arguments = NonNullable<FieldNode['arguments']>;

function readPageSize(question: CostQuestion, args: Arguments): number | null {
  const size = args.find(({ name }) => name.value === 'first' || name.value === 'last')?.value;
  if (size?.kind === Kind.INT) return Number(size.value);
  return size?.kind === Kind.VARIABLE ? Number(question.variables[size.name.value] ?? 1) : null;
}

function countIds(question: CostQuestion, args: Arguments): number | null {
  const ids = args.find(({ name }) => name.value === 'ids')?.value;
  if (ids?.kind === Kind.LIST) return ids.values.length;
  const given = ids?.kind === Kind.VARIABLE ? question.variables[ids.name.value] : null;
  return Array.isArray(given) ? given.length : null;
}

/** Undefined when there is no answer to look at, null when the answer is null. */
function valueAt(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
}

function countEntries(connection: unknown): number | undefined {
  const entries = valueAt(connection, 'nodes') ?? valueAt(connection, 'edges');
  return Array.isArray(entries) ? entries.length : undefined;
}

/** One entry stands for all of a list. */
function takeSample(answer: unknown): unknown {
  return Array.isArray(answer) ? answer[0] : answer;
}
