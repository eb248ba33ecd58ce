/**
 * POST /webhooks/shopify: the one route that strangers may reach. Looked at in this order: method, declared length, actual
 * length, and then the signature over the raw bytes. Nothing is parsed before it, and nothing of what is refused is
 * written or echoed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Counters } from '../observability/counters.js';
import type { Admission } from '../sync/inbox.js';

export const WEBHOOK_PATH = '/webhooks/shopify';

/** Who judges a delivery and takes it in. */
export interface WebhookDoor {
  /** Resolves when what is let in is durable. */
  admit(headers: IncomingMessage['headers'], body: Buffer): Promise<Admission>;
}

export interface WebhookOptions {
  readonly door: WebhookDoor;
  readonly counters: Counters;
  readonly body_max_bytes: number;
  /**
   * So much of each body is always taken: the listener's limit of connections bounds it, and whoever stalls with large
   * bodies turns no ordinary delivery away.
   */
  readonly webhook_small_max_bytes: number;
  /** What bodies being received have beyond that, together: memory stays bounded however many come at once. */
  readonly webhook_buffer_max_bytes: number;
  readonly webhook_body_timeout_ms: number;
  readonly onError: (error: unknown) => void;
}

/** What a delivery comes to, for the counters and for the answer. */
type Outcome = Admission | 'wrong_method' | 'too_large' | 'too_slow' | 'busy' | 'broken_off' | 'failed';

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
  full: LATER,
  busy: LATER,
  failed: LATER,
  // Nobody is there to read it.
  broken_off: { status: 400, text: '' },
} as const satisfies Record<Outcome, Answer>;

/** Thrown inside this file to end the receiving of a body. */
class Unreceived extends Error {
  override readonly name = 'Unreceived';
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

export class WebhookRoute {
  readonly #options: WebhookOptions;
  /** Of all bodies that are being received, what each has beyond a small one. */
  #buffered_bytes = 0;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Answers whatever comes; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { door, counters } = this.#options;
    const outcome = await this.#outcomeOf(door, request);
    counters.add('webhook_deliveries_total', 1, outcome);
    answer(response, ANSWERS[outcome]);
    // What is left of a body is thrown away unread, or the answer would be lost with the connection.
    request.resume();
  }

  async #outcomeOf(door: WebhookDoor, request: IncomingMessage): Promise<Outcome> {
    try {
      if (request.method !== 'POST') return 'wrong_method';
      return await this.#received(request, (body) => door.admit(request.headers, body));
    } catch (error) {
      if (error instanceof Unreceived) return error.outcome;
      this.#options.onError(error);
      return 'failed';
    }
  }

  /** The whole body, as long as somebody works on it counted among those being received. */
  async #received<T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>): Promise<T> {
    const { body_max_bytes, webhook_small_max_bytes, webhook_buffer_max_bytes } = this.#options;
    // NaN for a body whose length is not declared.
    if (Number(request.headers['content-length']) > body_max_bytes) throw new Unreceived('too_large');
    const chunks: Buffer[] = [];
    let bytes = 0;
    let shared_bytes = 0;
    try {
      await this.#chunks(request, (chunk) => {
        bytes += chunk.length;
        if (bytes > body_max_bytes) throw new Unreceived('too_large');
        const grown_bytes = Math.max(0, bytes - webhook_small_max_bytes) - shared_bytes;
        if (grown_bytes > 0 && this.#buffered_bytes + grown_bytes > webhook_buffer_max_bytes)
          throw new Unreceived('busy');
        shared_bytes += grown_bytes;
        this.#buffered_bytes += grown_bytes;
        chunks.push(chunk);
      });
      return await use(Buffer.concat(chunks));
    } finally {
      this.#buffered_bytes -= shared_bytes;
    }
  }

  /** Resolves at the end of the body. Not an async iterator: ending one early destroys the connection with the answer. */
  #chunks(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(new Unreceived('too_slow')),
        this.#options.webhook_body_timeout_ms,
      );
      const onData = (chunk: Buffer): void => {
        try {
          take(chunk);
        } catch (refusal) {
          settle(refusal as Error);
        }
      };
      const onEnd = (): void => settle(null);
      const onClose = (): void => settle(new Unreceived('broken_off'));
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        request.off('data', onData).off('end', onEnd).off('close', onClose);
        if (error === null) resolve();
        else reject(error);
      };
      request.on('data', onData).on('end', onEnd).on('close', onClose);
      // A connection that breaks says so here, and closes.
      request.on('error', () => undefined);
    });
  }
}

function answer(response: ServerResponse, { status, text, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
