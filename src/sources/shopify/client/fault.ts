/** What a failed exchange means: whose fault, whether it may have had its effect, and when to try again. */

import { GraphqlQueryError } from '@shopify/shopify-api';
import type { UpstreamFailure } from '../../source.js';
import type { Answer, Exchange } from './http-call.js';
import { THROTTLE_WAIT_MIN_MS } from './limits.js';

export interface Fault {
  readonly failure: UpstreamFailure;
  /** In words of the shop or of whoever stands between: for people, never for the log or a model. */
  readonly detail: string;
  /** What was said, as far as a word of ours names it: a status, a known code of GraphQL, how the connection broke. */
  readonly code: string;
  /** As the shop asked; null when it did not. */
  readonly retry_after_ms: number | null;
  /** `none`: certainly not executed. `maybe`: nobody can tell from here. Always `maybe` when in doubt. */
  readonly effect: 'none' | 'maybe';
  /** Whether the same request may succeed soon. */
  readonly passing: boolean;
  /** The token was refused: a renewed one may do. */
  readonly session_refused: boolean;
}

/** Of the shop's cost bucket, as an answer tells it. Points. */
export interface Bucket {
  readonly maximum: number;
  readonly available: number;
  readonly restored_per_s: number;
}

/** What an answer says of cost. Points. */
export interface Cost {
  /** Null when the answer does not say. */
  readonly bucket: Bucket | null;
  /** What the request was rated at before it ran; null when the answer does not say. */
  readonly requested: number | null;
}

type Verdict = Pick<Fault, 'failure' | 'effect' | 'passing'>;

const REFUSED: Verdict = { failure: 'refused', effect: 'none', passing: false };
/** Not what the schema promises. */
const ODD: Verdict = { failure: 'protocol', effect: 'maybe', passing: false };
const UNSURE: Verdict = { failure: 'unreachable', effect: 'maybe', passing: true };
/** Turned away on the way, before there was any GraphQL in it: nobody has judged what was asked for. */
const TURNED_AWAY: Verdict = { failure: 'unreachable', effect: 'none', passing: false };

/** Statuses that mean something of their own. 5xx and what is not listed: see `statusVerdict`. */
const STATUS: Readonly<Record<number, Verdict>> = {
  401: { failure: 'unauthorized', effect: 'none', passing: false },
  403: { failure: 'unauthorized', effect: 'none', passing: false },
  // A time-out on the way: the request may have arrived.
  408: UNSURE,
  // Turned away at the door, before anything ran.
  429: { failure: 'throttled', effect: 'none', passing: true },
};

/**
 * Top-level GraphQL error codes.
 *
 * THROTTLED is `maybe` although the cost is in practice weighed before anything runs: Shopify does not document
 * it as "not executed", and a hold placed twice or an order made twice costs more than one look-up.
 */
const CODES: ReadonlyMap<string, Verdict> = new Map(
  Object.entries({
    THROTTLED: { failure: 'throttled', effect: 'maybe', passing: true },
    ACCESS_DENIED: { failure: 'scope_missing', effect: 'none', passing: false },
    UNAUTHORIZED: { failure: 'unauthorized', effect: 'none', passing: false },
    SHOP_INACTIVE: REFUSED,
    MAX_COST_EXCEEDED: REFUSED,
    BAD_REQUEST: REFUSED,
    INVALID_VARIABLE: REFUSED,
    INVALID_FIELD_ARGUMENTS: REFUSED,
    INTERNAL_SERVER_ERROR: UNSURE,
    TIMEOUT: UNSURE,
    SERVICE_UNAVAILABLE: UNSURE,
  }),
);

/** Codes of validation errors (graphql-ruby, Shopify's server): the document or its variables never ran. */
const VALIDATION_CODE = /^(undefined|argument|missing|variable|parse|selection|fragment|GRAPHQL_)/i;

/** The fault of a request that ended in `reason`. */
export function classifyFault(exchange: Exchange, reason: unknown): Fault {
  const detail = exchange.detail || (reason instanceof Error ? reason.message : String(reason));
  if (reason instanceof GraphqlQueryError) return graphqlFault(reason, exchange.answer);
  if (exchange.answer === null || exchange.broken !== null) {
    const effect = exchange.broken === 'never_sent' ? 'none' : 'maybe';
    const failure = exchange.broken === 'oversized' ? 'protocol' : 'unreachable';
    const passing = exchange.broken !== 'oversized' && exchange.broken !== 'aborted';
    const code = exchange.broken ?? 'no_answer';
    return fault({ failure, effect, passing }, `${exchange.broken ?? 'no answer'}: ${detail}`, code);
  }
  const { status, retry_after_ms } = exchange.answer;
  return {
    ...fault(statusVerdict(status), `HTTP ${status}: ${detail}`, `http_${status}`, retry_after_ms),
    session_refused: status === 401,
  };
}

/** A grant that failed: the request it was for was never made, so nothing it says can be `maybe`. */
export function grantFault(exchange: Exchange, detail: string): Fault {
  const status = exchange.answer?.status;
  const refused = status === 400 || status === 401 || status === 403;
  const cause = classifyFault(exchange, new Error(detail));
  return {
    ...cause,
    failure: refused ? 'unauthorized' : cause.failure,
    detail: `access token: ${cause.detail}`,
    effect: 'none',
    session_refused: false,
  };
}

/** Fault before anything was sent. */
export function unsent(failure: UpstreamFailure, detail: string): Fault {
  return fault({ failure, effect: 'none', passing: false }, detail, 'unsent');
}

/** An answer that is not what the schema promises. */
export function unreadable(detail: string): Fault {
  return fault(ODD, detail, 'unreadable');
}

function fault(verdict: Verdict, detail: string, code: string, retry_after_ms: number | null = null): Fault {
  return { ...verdict, detail, code, retry_after_ms, session_refused: false };
}

function statusVerdict(status: number): Verdict {
  const known = STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return UNSURE;
  // 200 without GraphQL in it: something ran or nothing did, and it is not what the schema promises.
  if (status < 300) return ODD;
  // A redirect means another shop address; it is not followed. 402, 404, 423, 430: frozen, no such shop, locked, suspected.
  return status < 400 ? { ...ODD, effect: 'none' } : TURNED_AWAY;
}

interface GraphqlError {
  readonly message?: unknown;
  readonly path?: unknown;
  readonly locations?: unknown;
  readonly extensions?: { readonly code?: unknown };
}

function graphqlFault(error: GraphqlQueryError, answer: Answer | null): Fault {
  const body = (error.body ?? {}) as {
    readonly data?: unknown;
    readonly errors?: { readonly graphQLErrors?: unknown };
    readonly extensions?: unknown;
  };
  const list = body.errors?.graphQLErrors;
  const errors: readonly GraphqlError[] = Array.isArray(list) ? list : [];
  const verdicts = errors.map(codeVerdict);
  // The most alarming one speaks for all: `maybe` before `none`.
  const verdict = verdicts.find((v) => v.effect === 'maybe') ?? verdicts[0] ?? UNSURE;
  // An error below the root field, or data beside it, came after the root field ran: a mutation has had its effect.
  const ran = holdsData(body.data) || errors.some((e) => Array.isArray(e.path) && e.path.length > 1);
  const detail = errors
    .map((e) => `${String(e.extensions?.code ?? 'no code')}: ${String(e.message)}`)
    .join('; ');
  const wait_ms = verdict.failure === 'throttled' ? throttleWait(body.extensions) : null;
  return {
    ...fault(verdict, detail, knownCode(errors), wait_ms ?? answer?.retry_after_ms ?? null),
    effect: ran ? 'maybe' : verdict.effect,
  };
}

/** The first that we know: what a stranger writes into the place of a code stays out of the log. */
function knownCode(errors: readonly GraphqlError[]): string {
  const known = errors.map(({ extensions }) => extensions?.code).find((code) => CODES.has(String(code)));
  return known === undefined ? 'graphql_error' : String(known);
}

function codeVerdict({ extensions, locations, path }: GraphqlError): Verdict {
  const code = extensions?.code;
  if (typeof code !== 'string') {
    // GraphQL, "request errors": one that points into the document, and at no field of the answer, was raised before
    // anything ran. The documents are proved against the schema, so what is wrong is a variable.
    const isRequestError = Array.isArray(locations) && locations.length > 0 && path === undefined;
    return isRequestError ? REFUSED : ODD;
  }
  const known = CODES.get(code);
  if (known !== undefined) return known;
  return VALIDATION_CODE.test(code) ? { ...ODD, effect: 'none' } : ODD;
}

/** True when any root field has a value. */
function holdsData(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.values(data).some((value) => value !== null);
}

/** Shopify 2026-10: (requested - available) / restoreRate seconds, and never less than one. Null without a bucket. */
function throttleWait(extensions: unknown): number | null {
  const { bucket, requested } = readCost(extensions);
  if (bucket === null || requested === null) return null;
  const wait_ms = Math.ceil(((requested - bucket.available) / bucket.restored_per_s) * 1_000);
  return Math.max(THROTTLE_WAIT_MIN_MS, wait_ms);
}

interface CostExtensions {
  readonly cost?: {
    readonly requestedQueryCost?: unknown;
    readonly throttleStatus?: {
      readonly maximumAvailable?: unknown;
      readonly currentlyAvailable?: unknown;
      readonly restoreRate?: unknown;
    };
  };
}

/** What the `extensions` of an answer say of cost. */
export function readCost(extensions: unknown): Cost {
  const cost = (extensions as CostExtensions | null | undefined)?.cost;
  const requested = cost?.requestedQueryCost;
  return {
    requested: typeof requested === 'number' ? requested : null,
    bucket: readBucket(cost?.throttleStatus),
  };
}

/** What a failed request says of cost: an answer of errors has its cost too. Null when it was no such answer. */
export function costOfFailure(reason: unknown): Cost | null {
  if (!(reason instanceof GraphqlQueryError)) return null;
  return readCost((reason.body as { readonly extensions?: unknown } | null | undefined)?.extensions);
}

function readBucket(status: NonNullable<CostExtensions['cost']>['throttleStatus']): Bucket | null {
  const {
    maximumAvailable: maximum,
    currentlyAvailable: available,
    restoreRate: restored_per_s,
  } = status ?? {};
  if (typeof maximum !== 'number' || typeof available !== 'number' || typeof restored_per_s !== 'number') {
    return null;
  }
  return restored_per_s > 0 ? { maximum, available, restored_per_s } : null;
}
