/** The address that the shop knows. It stays when the server behind it dies, as a tunnel or a reverse proxy does. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIMITS } from '../../src/config/config.js';
import { WEBHOOK_PATH, WebhookRoute } from '../../src/http/webhooks.js';
import { NO_METRICS } from '../../src/observability/metrics-table.js';
import type { Inbox } from '../../src/sync/inbox.js';

export class Doorway {
  readonly url: string;
  readonly metrics = NO_METRICS;
  readonly #server: Server;
  #inbox: Pick<Inbox, 'admit'> | null = null;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${WEBHOOK_PATH}`;
    const door: Pick<Inbox, 'admit'> = {
      admit: (headers, body) => {
        if (this.#inbox === null) throw new Error('nobody is behind the door');
        return this.#inbox.admit(headers, body);
      },
    };
    const { metrics } = this;
    // A server that dies while it takes a delivery in is answered for with 503.
    const route = new WebhookRoute({ ...LIMITS.http, door, metrics, onError: () => undefined });
    server.on('request', (request, response) => void route.handle(request, response));
  }

  static async open(): Promise<Doorway> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Doorway(server);
  }

  leadTo(inbox: Pick<Inbox, 'admit'>): void {
    this.#inbox = inbox;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
