/** Between servers and shop: requests take time, are cut, refused and held back; webhooks find whoever is up. */

import type { Answer, SandboxServer, ShopRequest } from '../../src/sandbox/server.js';
import type { Poster, PostOutcome } from '../../src/sandbox/webhooks/webhook-post.js';
import type { ServerProcess } from './server-process.js';
import { Unreachable } from './server-process.js';
import type { Trace } from './trace.js';
import { currentLife, Life, type Universe } from './universe.js';

/** A person who is at the shop at the moment of a request. */
export interface Surprise {
  /** The request never arrives, and nobody hears of that. */
  readonly isLost: boolean;
  readonly act: (body: string) => void;
}

const WAY_MIN_MS = 1;
const WAY_SPREAD_MS = 60;

/** What a receiver of webhooks answers, by what the inbox makes of a delivery. */
const STATUS: Readonly<Record<string, number>> = {
  taken: 200,
  replayed: 200,
  nothing: 200,
  pong: 200,
  full: 503,
};

export class Network {
  /** Nobody reaches the shop until then. */
  outage_until_ms = 0;
  /** No webhook reaches us until then. */
  silence_until_ms = 0;
  /** When an answer to a question of ours last reached a server that lived. */
  last_answer_ms = 0;
  /** Called when a read of items arrives at the shop, with their ids. */
  onItemsRead: (itemIds: readonly string[]) => void = () => undefined;
  readonly #surprises = new Map<string, Surprise>();
  readonly #universe: Universe;
  readonly #trace: Trace;
  readonly #shop: () => SandboxServer;
  readonly #cable = new Life('network');

  constructor(universe: Universe, trace: Trace, shop: () => SandboxServer) {
    this.#universe = universe;
    this.#trace = trace;
    this.#shop = shop;
    this.last_answer_ms = universe.now_ms;
  }

  /** What a person does with the next request of that name. */
  surprise(operation: string, surprise: Surprise): void {
    this.#surprises.set(operation, surprise);
  }

  /** In the place of `fetch`. */
  readonly fetch: typeof fetch = (input, init) => {
    const asker = currentLife();
    const url = new URL(input instanceof Request ? input.url : input);
    const body = typeof init?.body === 'string' ? init.body : '';
    const label = `${asker?.name} ${operationOf(body)}`;
    const { signal } = init ?? {};
    return new Promise<Response>((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      const later = (act: () => void, way: string) =>
        this.#universe.after(this.#way(`${label} ${way}`), act, this.#cable);
      const hear = (act: () => void) => {
        if (asker?.isDead !== true) act();
      };
      if (this.#universe.now_ms < this.outage_until_ms) {
        this.#trace.count('outage');
        later(() => hear(() => reject(networkError('ECONNREFUSED', 'connect'))), 'refused');
        return;
      }
      const request = requestOf(url, init, body);
      later(() => {
        void this.#atShop(label, request, body).then((answer) =>
          later(() => hear(() => this.#hear(answer, body, resolve, reject)), 'back'),
        );
      }, 'there');
    });
  };

  /** Webhooks go to whichever server is up, as behind a reverse proxy. */
  posterTo(servers: () => readonly ServerProcess[]): Poster {
    return {
      close: () => undefined,
      post: async (_uri, headers, body): Promise<PostOutcome> => {
        const id = headers['X-Shopify-Webhook-Id'] ?? '';
        await this.#universe.sleep(this.#way(`webhook ${id}`));
        if (this.#universe.now_ms < this.silence_until_ms) return { failure: 'ETIMEDOUT' };
        const up = servers().find(({ running }) => running !== null);
        if (up === undefined) return { failure: 'ECONNREFUSED' };
        try {
          const small = Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
          );
          const late = this.#universe.sleep(POST_LIMIT_MS).then(() => 'late');
          const admission = await Promise.race([up.admit(small, body), late]);
          this.#trace.note(this.#universe.now_ms, up.name, `webhook ${admission}`, false);
          return admission === 'late'
            ? { failure: 'no answer in time' }
            : { status: STATUS[admission] ?? 401 };
        } catch (error) {
          if (error instanceof Unreachable) return { failure: 'ECONNREFUSED' };
          // Whatever it was: the transport answers "later".
          return { status: 503 };
        }
      },
    };
  }

  async #atShop(label: string, request: ShopRequest, body: string): Promise<Answer | null> {
    const life = new Life(`call ${operationOf(body)}`);
    if (operationOf(body) === 'ItemsById') this.onItemsRead(idsOf(body));
    const surprise = this.#surprises.get(operationOf(body));
    this.#surprises.delete(operationOf(body));
    const answer =
      surprise?.isLost === true
        ? null
        : await this.#universe.within(life, () => this.#shop().exchange(request));
    if (surprise !== undefined)
      await this.#universe.within(new Life('a person'), async () => surprise.act(body));
    const is_write = /^\s*\{?.*mutation/u.test(body);
    const said = saidBy(answer);
    if (said !== '200') this.#trace.count(`fault_${said}`);
    this.#trace.note(this.#universe.now_ms, 'shop', `${label}: ${said}`, is_write || said !== '200');
    return answer;
  }

  #hear(
    answer: Answer | null,
    body: string,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ): void {
    if (answer === null) {
      reject(networkError('ECONNRESET', 'read'));
      return;
    }
    const headers = new Headers({ ...answer.headers, Date: this.#shop().date() });
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
    if (text !== '') headers.set('Content-Type', 'application/json; charset=utf-8');
    if (answer.status === 200 && !body.includes('mutation')) this.last_answer_ms = this.#universe.now_ms;
    resolve(new Response(text === '' ? null : text, { status: answer.status, headers }));
  }

  #way(label: string): number {
    return WAY_MIN_MS + Math.floor(this.#universe.chanceOf(label) * WAY_SPREAD_MS);
  }
}

/** Shopify waits so long for the answer to a webhook. */
const POST_LIMIT_MS = 5_000;

function saidBy(answer: Answer | null): string {
  if (answer === null) return 'cut';
  const is_throttled = JSON.stringify(answer.body ?? null).includes('"THROTTLED"');
  return is_throttled ? 'throttled' : String(answer.status);
}

function operationOf(body: string): string {
  return /(?:query|mutation)\s+(\w+)/u.exec(body)?.[1] ?? 'request';
}

function idsOf(body: string): readonly string[] {
  const { variables } = JSON.parse(body) as { variables?: { ids?: readonly string[] } };
  return variables?.ids ?? [];
}

function networkError(code: string, syscall: string): TypeError {
  const cause = Object.assign(new Error(code), { code, syscall });
  return new TypeError('fetch failed', { cause });
}

function requestOf(url: URL, init: RequestInit | undefined, body: string): ShopRequest {
  return {
    method: init?.method ?? 'GET',
    url: `${url.pathname}${url.search}`,
    headers: Object.fromEntries(new Headers(init?.headers)),
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(body, 'utf8');
    },
  };
}
