/** Sandbox shops that are asked without a socket: the same code on both sides, and nothing of the network's pace. */

import type { SandboxServer } from '../../src/sandbox/server.js';

/** Ports from here on are addresses only: no server listens on them. */
const FIRST_PORT = 60_001;
const shops = new Map<string, SandboxServer>();
let installed = false;

/** An address at which no shop answers yet. */
export function freeOrigin(): string {
  let port = FIRST_PORT;
  while (shops.has(originAt(port))) port += 1;
  return originAt(port);
}

/** From now on requests to this origin reach this shop in the same process. */
export function answerInProcess(origin: string, shop: SandboxServer): void {
  shops.set(origin, shop);
  if (!installed) install();
}

export function forgetShop(origin: string): void {
  shops.delete(origin);
}

const originAt = (port: number): string => `http://127.0.0.1:${port}`;

function install(): void {
  installed = true;
  const outside = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const shop = shops.get(url.origin);
    if (shop === undefined) return outside(input, init);
    const body = typeof init?.body === 'string' ? init.body : '';
    const answer = await shop.exchange({
      method: init?.method ?? 'GET',
      url: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(new Headers(init?.headers)),
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(body, 'utf8');
      },
    });
    if (answer === null) throw new TypeError('fetch failed', { cause: new Error('cut') });
    const headers = new Headers({ ...answer.headers, Date: shop.date() });
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
    if (text !== '') headers.set('Content-Type', 'application/json; charset=utf-8');
    return new Response(text === '' ? null : text, { status: answer.status, headers });
  };
}
