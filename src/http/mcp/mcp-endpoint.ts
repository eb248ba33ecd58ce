/**
 * What happens to a request at /mcp, cheapest first: method, who calls, how fast they go, the declared length, the body,
 * JSON, how many are under way, scopes; and only then the SDK, with a body that is parsed already. What is refused on the way
 * is counted, and a stranger's text is in no answer and no log line.
 *
 * A request takes its place among those under way when its body is there, and not before: a body that does not come would
 * hold it for nothing. Until then connections, time and the `BodyReader` bound it.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authenticator, type Challenge, OPEN_TO_LOOPBACK } from '../../auth/authenticator.js';
import { FOLLOWS_TOO_MUCH, TOO_MUCH_CODE } from '../../mcp/listen-request.js';
import { type Caller, findCost, rateLimitedResult, STOCK_SCOPE } from '../../mcp/server.js';
import type { MetricSink } from '../../observability/metrics-table.js';
import { BodyReader, Unreceived, type WhyUnreceived } from '../middleware/body.js';
import { addressKey, isForwarded, type TrustedProxies, toOrigin } from '../middleware/client-address.js';
import { Crowd } from '../middleware/concurrency-limit.js';
import { parseJson } from '../middleware/json-body.js';
import {
  hasEnvelope,
  listMessages,
  type Message,
  PARSE_ERROR,
  type Refused,
  readRequestId,
  refuse,
  toolCalled,
  writeJson,
} from '../middleware/json-rpc.js';
import { TokenBuckets } from '../middleware/rate-limit.js';
import { withoutQuirks } from './client-quirks.js';
import { ListenBus } from './listen-bus.js';
import { McpDispatch, type McpServing } from './mcp-dispatch.js';
import { OpenStreams } from './open-streams.js';
import { scopeNeeded } from './scopes.js';

export interface McpLimits {
  readonly body_max_bytes: number;
  readonly body_timeout_ms: number;
  readonly body_small_max_bytes: number;
  readonly body_buffer_max_bytes: number;
  readonly body_discard_max_bytes: number;
  readonly json_depth_max: number;
  readonly json_fields_max: number;
  readonly requests_max: number;
  readonly requests_per_principal_max: number;
  readonly streams_max: number;
  readonly streams_per_principal_max: number;
  readonly buckets_max: number;
  readonly strangers_per_minute: number;
  readonly bad_tokens_per_minute: number;
  readonly streams_recheck_ms: number;
  readonly rate_per_minute: number;
  readonly rate_per_address_per_minute: number;
}

/** Serves clients that keep a session (2025-era), beside the requests that stand alone. */
export interface McpSessions {
  /** Asked about every request that is let in. `body`: undefined for GET and DELETE. */
  claims(request: IncomingMessage, body: unknown): boolean;
  /** Answers what it has claimed. */
  handle(request: IncomingMessage, response: ServerResponse, body: unknown, caller: Caller): Promise<void>;
  /** Ends their streams. Called before the calls under way are waited for. */
  close(): Promise<void>;
}

export interface McpOptions extends McpLimits, McpServing {
  readonly authenticator: Authenticator;
  readonly proxies: TrustedProxies;
  /** Whether callers were told an https address: then what a proxy says came in the clear is refused. */
  readonly https_only: boolean;
  /** Put right what real clients get wrong. Off only where conformance is measured. */
  readonly lenient: boolean;
  readonly sessions?: McpSessions | undefined;
  readonly metrics: MetricSink;
  /** A clock that never runs backwards. */
  readonly now_ms: () => number;
  /** Told of trouble that strangers can make: keep its lines few. */
  readonly report: (event: string) => void;
}

type Outcome =
  | WhyUnreceived
  | 'answered'
  | 'streamed'
  | 'challenged'
  | 'scope_missing'
  | 'rate_limited'
  | 'forwarded'
  | 'in_the_clear'
  | 'wrong_method'
  | 'wrong_type'
  | 'no_json'
  | 'too_deep'
  | 'too_many_fields'
  | 'follows_too_much'
  | 'stopping'
  | 'failed';

/** Tokens that every request costs before its body is read. */
const ENTRY_PRICE = 1;

const RETRY_SOON = { 'retry-after': '1' } as const;

const REFUSED = {
  forwarded: {
    status: 403,
    message:
      'This came through a proxy, and /mcp asks nobody who they are: it is for this machine alone. Set up tokens before you lead others here.',
  },
  in_the_clear: {
    status: 403,
    message: 'This came over plain http. Use the https address: a token is a secret.',
  },
  wrong_method: { status: 405, message: 'Method not allowed.', headers: { allow: 'POST' } },
  wrong_type: { status: 415, message: 'Unsupported Media Type: Content-Type must be application/json' },
  no_json: { status: 400, code: PARSE_ERROR, message: 'Parse error: the request body is not valid JSON' },
  too_deep: { status: 400, message: 'The JSON is nested too deeply.' },
  too_many_fields: { status: 400, message: 'The JSON has too many fields.' },
  too_large: { status: 413, message: 'The body is too large.' },
  too_slow: { status: 408, message: 'The body took too long.', headers: { connection: 'close' } },
  busy: { status: 503, message: 'Too many requests are under way: send it again.', headers: RETRY_SOON },
  stopping: {
    status: 503,
    message: 'The server is stopping: nothing was done.',
    headers: { ...RETRY_SOON, connection: 'close' },
  },
  // Nobody is there to read it.
  broken_off: { status: 400, message: '' },
  failed: { status: 500, message: 'Something went wrong in the server.' },
} as const satisfies Partial<Record<Outcome, Refused>>;

/** Answered to the request that asked, so that a client knows which. */
const TOO_MUCH: Refused = { status: 400, code: TOO_MUCH_CODE, message: FOLLOWS_TOO_MUCH };

/** What somebody has to look after if there is much of it. Of callers who are turned away the authenticator tells more. */
const TROUBLE: ReadonlySet<Outcome> = new Set([
  'broken_off',
  'busy',
  'failed',
  'forwarded',
  'in_the_clear',
  'rate_limited',
  'too_deep',
  'too_many_fields',
  'too_large',
  'too_slow',
]);

/** A request of somebody who is known. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  /** What a limit on addresses is counted by. */
  readonly address: string;
}

export class McpEndpoint {
  readonly #options: McpOptions;
  readonly #bodies: BodyReader;
  readonly #dispatch: McpDispatch;
  readonly #underWay: Crowd;
  readonly #open: Crowd;
  readonly #principals: TokenBuckets;
  readonly #addresses: TokenBuckets;
  /** Tries that failed, by address: what is answered, and what is checked. */
  readonly #strangers: TokenBuckets;
  readonly #badTokens: TokenBuckets;
  readonly #openStreams: OpenStreams;
  #isStopping = false;

  constructor(options: McpOptions) {
    this.#options = options;
    this.#bodies = new BodyReader({
      body_max_bytes: options.body_max_bytes,
      small_max_bytes: options.body_small_max_bytes,
      buffer_max_bytes: options.body_buffer_max_bytes,
      timeout_ms: options.body_timeout_ms,
    });
    const { streams_max, buckets_max, now_ms } = options;
    this.#dispatch = new McpDispatch(options);
    this.#underWay = new Crowd({
      all_max: options.requests_max,
      each_max: options.requests_per_principal_max,
    });
    this.#open = new Crowd({ all_max: streams_max, each_max: options.streams_per_principal_max });
    const buckets = (per_minute: number) => new TokenBuckets({ per_minute, buckets_max }, now_ms);
    this.#principals = buckets(options.rate_per_minute);
    this.#addresses = buckets(options.rate_per_address_per_minute);
    this.#strangers = buckets(options.strangers_per_minute);
    this.#badTokens = buckets(options.bad_tokens_per_minute);
    this.#openStreams = new OpenStreams({
      authenticator: options.authenticator,
      recheck_ms: options.streams_recheck_ms,
      breathe: () => new Promise((resume) => setImmediate(resume)),
      onError: options.onError,
    });
  }

  /** Answers whatever comes; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#resolveOutcome(request, response);
    } catch (error) {
      if (!(error instanceof Unreceived)) this.#options.onError(error);
      outcome = error instanceof Unreceived ? error.why : 'failed';
    }
    const { metrics, report } = this.#options;
    metrics.add('mcp_requests_total', { outcome });
    if (outcome === 'too_large') {
      const declared_bytes = Number(request.headers['content-length']);
      metrics.add('mcp_refused_bytes_total', {}, Number.isFinite(declared_bytes) ? declared_bytes : 0);
    }
    if (TROUBLE.has(outcome)) report(`mcp_${outcome}`);
    if (!response.headersSent && outcome in REFUSED)
      refuse(response, REFUSED[outcome as keyof typeof REFUSED]);
    if (!request.complete) this.#discard(request);
  }

  /** Takes nothing new, and ends the streams; calls under way go on. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#openStreams.close();
    await Promise.all([this.#options.sessions?.close(), this.#dispatch.endStreams()]);
  }

  /** Cuts off what is still under way. */
  async close(): Promise<void> {
    await this.stop();
    await this.#dispatch.close();
  }

  async #resolveOutcome(request: IncomingMessage, response: ServerResponse): Promise<Outcome> {
    const { authenticator, proxies, https_only } = this.#options;
    if (this.#isStopping) return 'stopping';
    if (authenticator === OPEN_TO_LOOPBACK && isForwarded(request)) return 'forwarded';
    const { method = '' } = request;
    if (!['POST', 'GET', 'DELETE'].includes(method)) return 'wrong_method';
    const client = proxies.resolveClient(request);
    if (https_only && client.scheme === 'http') return 'in_the_clear';
    const address = addressKey(client.address);
    const judgement = await authenticator.judge(request, this.#badTokens.wait(address) > 0);
    if (!judgement.ok) return this.#turnedAway(response, judgement.challenge, address);
    const caller: Caller = { ...judgement.caller, origin: toOrigin(client.address, address) };
    const slow_s = this.#pay(address, caller.principal);
    const exchange = { request, response, caller, address };
    return method === 'POST' ? this.#posted(exchange, slow_s) : this.#visited(exchange, slow_s);
  }

  /**
   * Strangers have a pace of their own, and whoever is known never feels it: behind a proxy that is not named, all have one
   * address. Where nobody can be judged just now, it is not the token that failed.
   */
  #turnedAway(response: ServerResponse, challenged: Challenge, address: string): Outcome {
    const isTokenAtFault = challenged.status !== 503;
    if (isTokenAtFault) this.#badTokens.take(address);
    const wait_s = isTokenAtFault ? this.#strangers.take(address) : 0;
    if (wait_s > 0) return tooFast(response, wait_s, null);
    challenge(response, challenged);
    return 'challenged';
  }

  /** Of both or of neither: who is refused by one must not use up the other, which may be their neighbours' too. */
  #pay(address: string, principal: string, tokens = ENTRY_PRICE, paid = 0): number {
    const wait_s = Math.max(
      this.#addresses.wait(address, tokens, paid),
      this.#principals.wait(principal, tokens, paid),
    );
    if (wait_s > 0) return wait_s;
    this.#addresses.take(address, tokens, paid);
    this.#principals.take(principal, tokens, paid);
    return 0;
  }

  /** GET and DELETE, which are for sessions. */
  async #visited({ request, response, caller }: Exchange, slow_s: number): Promise<Outcome> {
    const { authenticator, sessions } = this.#options;
    if (slow_s > 0) return tooFast(response, slow_s, null);
    if (sessions?.claims(request, undefined) !== true) return 'wrong_method';
    // The session was opened with it; the token that comes for its stream may be another one of the same caller.
    if (request.method === 'GET' && !caller.scopes.has(STOCK_SCOPE)) {
      challenge(response, authenticator.lacking(STOCK_SCOPE, caller));
      return 'scope_missing';
    }
    this.#openStreams.add({ request, response, caller });
    await sessions.handle(request, response, undefined, caller);
    return 'streamed';
  }

  /** `slow_s`: above 0 when the caller goes too fast; the body then only says how to tell them. */
  async #posted(exchange: Exchange, slow_s: number): Promise<Outcome> {
    const { request, response, caller } = exchange;
    if (!isJson(request.headers['content-type'])) return 'wrong_type';
    const { json_depth_max: depth_max, json_fields_max: fields_max } = this.#options;
    const parsed = await this.#bodies.received(request, async (body) =>
      parseJson(body, { depth_max, fields_max }),
    );
    if (!parsed.ok) return parsed.why;
    if (slow_s > 0) return tooFast(response, slow_s, parsed.value);
    const { principal } = caller;
    const place = this.#underWay.enter(principal);
    if (place === 'all_full') return 'busy';
    if (place === 'each_full') return tooFast(response, 1, parsed.value);
    let isIn = true;
    const leave = (): void => {
      if (isIn) this.#underWay.leave(principal);
      isIn = false;
    };
    try {
      return await this.#served(exchange, parsed.value, leave);
    } finally {
      leave();
    }
  }

  async #served(exchange: Exchange, body: unknown, onStream: () => void): Promise<Outcome> {
    const { request, response, caller, address } = exchange;
    const { authenticator, sessions, lenient } = this.#options;
    const { headers } = request;
    const messages = listMessages(body);
    const more = messages.reduce((sum, message) => sum + priceMessage(message), 0) - ENTRY_PRICE;
    const wait_s = more > 0 ? this.#pay(address, caller.principal, more, ENTRY_PRICE) : 0;
    if (wait_s > 0) return tooFast(response, wait_s, body);
    for (const message of messages) {
      const scope = scopeNeeded(message);
      if (scope === null || caller.scopes.has(scope)) continue;
      challenge(response, authenticator.lacking(scope, caller), readRequestId(body));
      return 'scope_missing';
    }
    if (sessions?.claims(request, body) === true) {
      await sessions.handle(request, response, body, caller);
      return 'answered';
    }
    const said = lenient ? withoutQuirks({ headers, body }) : { headers, body };
    if (!isListening(body)) return this.#dispatch.call(said, response, caller, onStream);
    const { principal } = caller;
    if (this.#open.enter(principal) !== 'in') return 'busy';
    try {
      const { bus } = this.#options;
      const heard = bus instanceof ListenBus ? bus.admit(said.body, response, caller) : said.body;
      if (heard === null) {
        refuse(response, TOO_MUCH, readRequestId(body));
        return 'follows_too_much';
      }
      this.#openStreams.add({ request, response, caller });
      return await this.#dispatch.listen({ ...said, body: heard }, response, caller, onStream);
    } finally {
      this.#open.leave(principal);
    }
  }

  /** What is left of a body is thrown away unread, or the answer would be lost with the connection; but not all of it. */
  #discard(request: IncomingMessage): void {
    let left_bytes = this.#options.body_discard_max_bytes;
    request.on('data', (chunk: Buffer) => {
      left_bytes -= chunk.length;
      if (left_bytes < 0) request.socket.destroy();
    });
    request.resume();
  }
}

function priceMessage(message: Message): number {
  const tool = toolCalled(message);
  return tool === null ? ENTRY_PRICE : findCost(tool);
}

function isListening(body: unknown): boolean {
  return !Array.isArray(body) && listMessages(body)[0]?.method === 'subscriptions/listen';
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

/** A call is answered as a tool answers, so that the model reads it; whatever else in HTTP's own words. */
function tooFast(response: ServerResponse, wait_s: number, body: unknown): 'rate_limited' {
  const headers = { 'retry-after': String(wait_s) };
  const messages = listMessages(body);
  if (
    messages.length === 0 ||
    !messages.every((message) => toolCalled(message) !== null && readRequestId(message) !== null)
  ) {
    const message = 'Too many requests in a short time. Nothing was done.';
    refuse(
      response,
      { status: 429, message, headers, data: { retry_after_seconds: wait_s } },
      readRequestId(body),
    );
    return 'rate_limited';
  }
  const answers = messages.map((message) => ({
    jsonrpc: '2.0',
    id: message.id,
    result: { ...rateLimitedResult(wait_s), ...(hasEnvelope(message) ? { resultType: 'complete' } : {}) },
  }));
  writeJson(response, 200, Array.isArray(body) ? answers : answers[0], headers);
  return 'rate_limited';
}

function challenge(
  response: ServerResponse,
  { status, headers, message }: Challenge,
  id: string | number | null = null,
): void {
  refuse(response, { status, message, headers }, id);
}
