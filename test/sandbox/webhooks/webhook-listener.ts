/** Whoever the webhooks go to: keeps what came, byte for byte, and answers as it is told. */

import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json, Rig } from '../sandbox-client.js';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Rounded where its integers are too large for a number. */
  readonly json: Json;
}

export type ListenerAnswer = number | 'cut' | 'silence';

export class WebhookListener {
  readonly received: Received[] = [];
  /** What to answer the request with: a status, a cut connection, or nothing at all. */
  answer: (received: Received) => ListenerAnswer = () => 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString('utf8');
      const received = { headers: request.headers, body, json: JSON.parse(body) };
      this.received.push(received);
      const answer = this.answer(received);
      if (answer === 'cut') request.socket.destroy();
      else if (answer !== 'silence') response.writeHead(answer, { Location: '/elsewhere' }).end();
    });
  }

  static async start(): Promise<WebhookListener> {
    const listener = new WebhookListener();
    await new Promise<void>((resolve) => {
      listener.#server.listen(0, '127.0.0.1', resolve);
    });
    return listener;
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/webhooks`;
  }

  topics(): (string | string[] | undefined)[] {
    return this.received.map(({ headers }) => headers['x-shopify-topic']);
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

export function isSigned({ headers, body }: Received, secret = 'sandbox'): boolean {
  const wanted = createHmac('sha256', secret).update(body).digest('base64');
  return (headers['x-shopify-hmac-sha256'] ?? headers['shopify-hmac-sha256']) === wanted;
}

export const SUBSCRIBE = `mutation Subscribe($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
    webhookSubscription { id topic uri callbackUrl name format filter includeFields legacyResourceId createdAt updatedAt }
    userErrors { field message } } }`;

/** Subscribes to all of the topics; answers with the ids, in their order. */
export async function subscribe(
  rig: Rig,
  topics: readonly string[],
  uri: string,
  more: object = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (const topic of topics) {
    const { webhookSubscriptionCreate } = await rig.data(SUBSCRIBE, { topic, input: { uri, ...more } });
    if (webhookSubscriptionCreate.userErrors.length > 0)
      throw new Error(JSON.stringify(webhookSubscriptionCreate));
    ids.push(webhookSubscriptionCreate.webhookSubscription.id);
  }
  return ids;
}

/** Time passes, and every webhook goes out when it is due. */
export async function passDelivering({ clock, sandbox: { webhooks } }: Rig, ms: number): Promise<void> {
  const endMs = clock.nowMs + ms;
  for (;;) {
    await webhooks.deliverDue();
    const dueMs = webhooks.nextDueMs();
    if (dueMs === null || dueMs > endMs) break;
    clock.nowMs = Math.max(clock.nowMs, dueMs);
  }
  clock.nowMs = endMs;
  await webhooks.deliverDue();
}
