/**
 * POST /webhooks/shopify: the one route that strangers may reach. Looked at in this order: method, declared length, actual
 * length, and then the signature over the raw bytes. Nothing is parsed before it, and nothing of what is refused is
 * written or echoed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MetricSink } from '../observability/metrics-table.js';
import type { Admission } from '../sync/inbox.js';
import { BodyReader, Unreceived, type WhyUnreceived } from './middleware/body.js';
import { addressKey, TrustedProxies } from './middleware/client-address.js';
import { TokenBuckets } from './middleware/rate-limit.js';

export const WEBHOOK_PATH = '/webhooks/shopify';

/** Who judges a delivery and takes it in. */
export interface WebhookDoor {
  /** Resolves when what is let in is durable. */
  admit(headers: IncomingMessage['headers'], body: Buffer): Promise<Admission>;
}

export interface WebhookOptions {
  readonly door: WebhookDoor;
  readonly metrics: MetricSink;
  readonly body_max_bytes: number;
  /** See `BodyLimits`. */
  readonly webhook_small_max_bytes: number;
  readonly webhook_buffer_max_bytes: number;
  readonly webhook_body_timeout_ms: number;
  /** Deliveries that the shop has not signed, from one address: after so many, large bodies from there are not read any more. */
  readonly strangers_per_minute: number;
  readonly buckets_max: number;
  /** Proxies whose word for an address is believed. Left out: none. */
  readonly proxies?: TrustedProxies;
  /** A clock that never runs backwards. */
  readonly now_ms?: () => number;
  readonly onError: (error: unknown) => void;
}

/** What a delivery comes to, for the metrics and for the answer. */
type Outcome = Admission | WhyUnreceived | 'wrong_method' | 'rate_limited' | 'failed';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds. Shopify has a schedule of its own; other senders may heed it. */
const RETRY_LATER = { 'retry-after': '30' } as const;

const OK: Answer = { status: 200, text: 'Thank you.' };
/** One answer for all: who can't sign learns nothing more. */
const NOT_THE_SHOP: Answer = { status: 401, text: 'Not signed by the shop that this server serves.' };
const LATER: Answer = { status: 503, text: 'Not now: send it again later.', headers: RETRY_LATER };

const ANSWERS = {
  taken: OK,
  replayed: OK,
  nothing: OK,
  pong: OK,
  unsigned: NOT_THE_SHOP,
  bad_signature: NOT_THE_SHOP,
  other_shop: NOT_THE_SHOP,
  malformed: { status: 400, text: 'Signed, but not a delivery that can be understood.' },
  wrong_method: { status: 405, text: 'The shop posts its webhooks here.', headers: { allow: 'POST' } },
  too_large: { status: 413, text: 'The body is too large.' },
  too_slow: { status: 408, text: 'The body took too long.', headers: { connection: 'close' } },
  rate_limited: {
    status: 429,
    text: 'Too many deliveries that the shop has not signed came from there.',
    headers: { ...RETRY_LATER, connection: 'close' },
  },
  full: LATER,
  busy: LATER,
  failed: LATER,
  // Nobody is there to read it.
  broken_off: { status: 400, text: '' },
} as const satisfies Record<Outcome, Answer>;

/** What only strangers send. */
const OF_STRANGERS: ReadonlySet<Outcome> = new Set(['unsigned', 'bad_signature', 'too_large', 'too_slow']);

export class WebhookRoute {
  readonly #options: WebhookOptions;
  readonly #bodies: BodyReader;
  readonly #proxies: TrustedProxies;
  /** By address. Behind a proxy that is not named the shop has the strangers' address, and its bodies are small. */
  readonly #strangers: TokenBuckets;

  constructor(options: WebhookOptions) {
    this.#options = options;
    const { strangers_per_minute: per_minute, buckets_max, now_ms = () => performance.now() } = options;
    this.#proxies = options.proxies ?? new TrustedProxies([]);
    this.#strangers = new TokenBuckets({ per_minute, buckets_max }, now_ms);
    this.#bodies = new BodyReader({
      body_max_bytes: options.body_max_bytes,
      small_max_bytes: options.webhook_small_max_bytes,
      buffer_max_bytes: options.webhook_buffer_max_bytes,
      timeout_ms: options.webhook_body_timeout_ms,
    });
  }

  /** Answers whatever comes; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { door, metrics } = this.#options;
    const address = addressKey(this.#proxies.resolveClient(request).address);
    const isTooMuch = this.#isLarge(request) && this.#strangers.wait(address) > 0;
    const outcome = isTooMuch ? 'rate_limited' : await this.#resolveOutcome(door, request);
    if (OF_STRANGERS.has(outcome)) this.#strangers.take(address);
    metrics.add('webhook_deliveries_total', { outcome });
    answer(response, ANSWERS[outcome]);
    // What is left of a body is thrown away unread, or the answer would be lost with the connection.
    request.resume();
  }

  /** Also when it does not say how large. */
  #isLarge({ headers }: IncomingMessage): boolean {
    return !(Number(headers['content-length']) <= this.#options.webhook_small_max_bytes);
  }

  async #resolveOutcome(door: WebhookDoor, request: IncomingMessage): Promise<Outcome> {
    try {
      if (request.method !== 'POST') return 'wrong_method';
      return await this.#bodies.received(request, (body) => door.admit(request.headers, body));
    } catch (error) {
      if (error instanceof Unreceived) return error.why;
      this.#options.onError(error);
      return 'failed';
    }
  }
}

function answer(response: ServerResponse, { status, text, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
