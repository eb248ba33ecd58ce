/**
 * Stands between us and the sandbox shop, as the network does, and puts words into its mouth: an order's name, the message
 * of an error, the page of a proxy that is in the way.
 */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Mood =
  | 'plain'
  /** A page instead of an answer. */
  | 'page'
  /** GraphQL's own errors. */
  | 'errors'
  /** The operations named are refused with userErrors. */
  | { readonly refuses: string };

export class TalkativeShop {
  mood: Mood = 'plain';
  /** How often it has spoken in another mood than `plain`. */
  spoken = 0;
  readonly #words: string;
  readonly #server = createServer((from, to) => void this.#answer(from, to));
  #target = '';

  constructor(words: string) {
    this.#words = words;
  }

  async start(target: string): Promise<string> {
    this.#target = target;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await text(from);
    const { mood } = this;
    if (typeof mood === 'object' && body.includes(mood.refuses)) {
      this.spoken += 1;
      const payload = { userErrors: [{ field: [this.#words], message: this.#words, code: null }] };
      return json(to, 200, { data: { [mood.refuses]: { draftOrder: null, order: null, ...payload } } });
    }
    if (mood === 'page') {
      this.spoken += 1;
      to.writeHead(403, { 'content-type': 'text/html', 'x-words': encodeURIComponent(this.#words) });
      to.end(`<html><title>${this.#words}</title>${this.#words}</html>`);
      return;
    }
    if (mood === 'errors') {
      this.spoken += 1;
      return json(to, 200, {
        errors: [{ message: this.#words, path: [this.#words], extensions: { code: this.#words } }],
      });
    }
    const { method, url, headers } = from;
    const forward = request(new URL(url ?? '/', this.#target), { method, headers }, (answer) => {
      void text(answer).then((said) => {
        const named = said.replace(
          /"name":"#(\d+)"/g,
          (_, number) => `"name":${JSON.stringify(`#${number} ${this.#words}`)}`,
        );
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers;
        to.writeHead(answer.statusCode ?? 500, kept).end(named);
      });
    });
    forward.once('error', () => to.destroy());
    forward.end(body);
  }
}

async function text(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function json(to: ServerResponse, status: number, value: object): void {
  to.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
