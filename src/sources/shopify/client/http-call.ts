/**
 * One HTTP exchange of the Shopify library, under our rules: where it may go, how long it may take, how much may
 * come back, and what is known of it afterwards.
 *
 * The library takes its fetch from a process-wide setting (shopify-api 13.1: `setAbstractFetchFunc`, the only way
 * to reach an origin other than https). So that setting is made once, here, and carries nothing: the exchange
 * travels with the asynchronous call itself. Any number of shops, also several of one name, live in one process.
 */

import '@shopify/shopify-api/adapters/node';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime';
import { ANSWER_BYTES_MAX, DETAIL_CHARS_MAX } from './limits.js';

/** What became of one exchange. */
export interface Exchange {
  /** Null: nothing was asked yet, or no answer came. */
  readonly answer: Answer | null;
  /** What broke: the network, the time limit, the caller's signal, or an answer that was cut. */
  readonly broken: 'never_sent' | 'timed_out' | 'aborted' | 'cut' | 'oversized' | null;
  /** For the log. */
  readonly detail: string;
}

export interface Answer {
  readonly status: number;
  /** The shop's own clock: the Date header. Seconds resolution; null when the header is missing. */
  readonly shop_time_ms: number | null;
  /** The Retry-After header, which Shopify gives in seconds (the library reads it as milliseconds). */
  readonly retry_after_ms: number | null;
  readonly api_version: string | null;
}

interface Running {
  readonly origin: URL | null;
  readonly signal: AbortSignal;
  answer: Answer | null;
  broken: Exchange['broken'];
  detail: string;
}

const running = new AsyncLocalStorage<Running>();

setAbstractFetchFunc((input, init) => {
  const exchange = running.getStore();
  return exchange === undefined ? fetch(input, init) : governedFetch(exchange, input, init);
});

/**
 * An origin for a shop that is not its own: https, or http on a loopback address. Throws RangeError on anything
 * else, because an access token would cross a network in the clear.
 */
export function parseOrigin(origin: string): URL {
  const url = new URL(origin);
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new RangeError('a shop origin must be https, or http on a loopback address');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new RangeError('a shop origin is a scheme, a host and a port, and no more');
  }
  return url;
}

/** Runs `call`, whose requests go to `origin` (null: where the library sends them) for `timeout_ms` at most. */
export async function inExchange<T>(
  options: { readonly origin: URL | null; readonly timeout_ms: number; readonly signal: AbortSignal },
  call: () => Promise<T>,
): Promise<{ readonly result: PromiseSettledResult<T>; readonly exchange: Exchange }> {
  // Not AbortSignal.any: a loop's signal lives as long as the process, and each call would leave something on it.
  const limit = new AbortController();
  const state: Running = {
    origin: options.origin,
    signal: limit.signal,
    answer: null,
    broken: null,
    detail: '',
  };
  const stop = (broken: 'timed_out' | 'aborted') => {
    state.broken ??= broken;
    limit.abort();
  };
  const onAbort = () => stop('aborted');
  const timer = setTimeout(() => stop('timed_out'), options.timeout_ms);
  // One listener for each call under way, gone when it ends: more than ten are no leak, and no warning's business.
  setMaxListeners(0, options.signal);
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [result] = await Promise.allSettled([running.run(state, call)]);
    return { result, exchange: state };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

async function governedFetch(
  exchange: Running,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  if (exchange.origin !== null) {
    url.protocol = exchange.origin.protocol;
    url.host = exchange.origin.host;
    url.port = exchange.origin.port;
  }
  try {
    // Redirects are not followed: fetch would carry the access token to wherever they point.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: exchange.signal });
    exchange.answer = toAnswer(response);
    return await readWhole(exchange, response);
  } catch (error) {
    exchange.broken ??= exchange.answer === null && neverSent(error) ? 'never_sent' : 'cut';
    exchange.detail = describe(error);
    throw error;
  }
}

function toAnswer(response: Response): Answer {
  const shopTime_ms = Date.parse(response.headers.get('date') ?? '');
  const retryAfter_s = Number.parseFloat(response.headers.get('retry-after') ?? '');
  return {
    status: response.status,
    shop_time_ms: Number.isNaN(shopTime_ms) ? null : shopTime_ms,
    retry_after_ms: retryAfter_s >= 0 ? Math.ceil(retryAfter_s * 1_000) : null,
    api_version: response.headers.get('x-shopify-api-version'),
  };
}

/** The body is read here, so that a cut or endless one is seen as such and not as bad JSON. */
async function readWhole(exchange: Running, response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      exchange.broken = 'oversized';
      throw new Error(`answer above ${ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  // The library drops it, and only the words tell a limit on orders from one on requests.
  if (status === 429) exchange.detail = Buffer.concat(chunks).toString('utf8', 0, DETAIL_CHARS_MAX);
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
}

/** Codes of errors that happen before a byte of the request leaves. */
const CONNECT_CODES = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/** True only when the connection was never made. A reset connection may have carried the request. */
function neverSent(error: unknown): boolean {
  const { cause, code, syscall, errors } = error as ErrnoLike;
  if (syscall === 'connect' || (code !== undefined && CONNECT_CODES.has(code))) return true;
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverSent);
  return cause instanceof Error && neverSent(cause);
}

interface ErrnoLike {
  readonly cause?: unknown;
  readonly code?: string;
  readonly syscall?: string;
  readonly errors?: readonly unknown[];
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message;
}
