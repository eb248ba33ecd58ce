/** One attempt to deliver a webhook: a POST with Shopify's limits on connecting and on answering. */

import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';

export interface PostLimits {
  readonly connectLimitMs: number;
  /** From the start to the end of the answer's head. */
  readonly totalLimitMs: number;
}

/** The status of the answer, or why there was none. Any status from 200 to 299 is a success, a redirect is not. */
export type PostOutcome = { readonly status: number } | { readonly failure: string };

/** Takes a message to whoever it is for. */
export interface Poster {
  /** Never rejects: what goes wrong at the other end is an outcome. */
  post(uri: string, headers: Readonly<Record<string, string>>, body: string): Promise<PostOutcome>;
  /** Closes what was kept open. */
  close(): void;
}

export class WebhookPoster implements Poster {
  readonly #limits: PostLimits;
  readonly #agents = {
    'http:': new Agent({ keepAlive: true }),
    'https:': new SecureAgent({ keepAlive: true }),
  };

  constructor(limits: PostLimits) {
    this.#limits = limits;
  }

  post(uri: string, headers: Readonly<Record<string, string>>, body: string): Promise<PostOutcome> {
    return new Promise((resolve) => {
      const url = new URL(uri);
      const isSecure = url.protocol === 'https:';
      const bytes = Buffer.from(body, 'utf8');
      const request = (isSecure ? requestHttps : requestHttp)(url, {
        method: 'POST',
        agent: this.#agents[isSecure ? 'https:' : 'http:'],
        headers: { ...headers, 'Content-Length': String(bytes.length) },
      });
      const total = setTimeout(
        () => fail(`no answer in ${this.#limits.totalLimitMs} ms`),
        this.#limits.totalLimitMs,
      );
      const connect = setTimeout(
        () => fail(`no connection in ${this.#limits.connectLimitMs} ms`),
        this.#limits.connectLimitMs,
      );
      const end = (outcome: PostOutcome) => {
        clearTimeout(total);
        clearTimeout(connect);
        resolve(outcome);
      };
      const fail = (failure: string) => {
        end({ failure });
        request.destroy();
      };
      request.on('socket', (socket) => {
        if (!socket.connecting) clearTimeout(connect);
        else socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connect));
      });
      request.on('response', (response: IncomingMessage) => {
        // Read to its end, so that the connection can be used again.
        response.resume();
        response.on('error', () => undefined);
        end({ status: response.statusCode ?? 0 });
      });
      request.on('error', (error: NodeJS.ErrnoException) => end({ failure: error.code ?? error.message }));
      request.end(bytes);
    });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}
