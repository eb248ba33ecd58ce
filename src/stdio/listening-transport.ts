/**
 * The wire of a stdio connection, with an ear for `subscriptions/listen`: the SDK answers it and passes our notices on to
 * whoever asked for them, but does not tell us what they asked for.
 */

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import {
  FOLLOWS_TOO_MUCH,
  isListenRequest,
  listeningTo,
  listStockUris,
  TOO_MUCH_CODE,
} from '../mcp/listen-request.js';
import type { Reader } from '../mcp/server.js';

/** Messages that were sent and have not left: more notices have to wait. */
const UNDER_WAY_MAX = 256;

export class ListeningTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;
  readonly #wire: Transport;
  readonly #reader: Pick<Reader, 'subscribe' | 'unsubscribe'>;
  #underWay = 0;
  /** By the id of the request that asked. */
  readonly #urisById = new Map<unknown, readonly string[]>();

  constructor(wire: Transport, reader: Pick<Reader, 'subscribe' | 'unsubscribe'>) {
    this.#wire = wire;
    this.#reader = reader;
    wire.onclose = () => this.onclose?.();
    wire.onerror = (error) => this.onerror?.(error);
    wire.onmessage = (message, extra) => {
      const heard = this.#hear(message);
      if (heard !== null) this.onmessage?.(heard, extra);
    };
  }

  start(): Promise<void> {
    return this.#wire.start();
  }

  async send(...message: Parameters<Transport['send']>): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#wire.send(...message);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** False while the client does not read what it is sent. */
  get isClear(): boolean {
    return this.#underWay < UNDER_WAY_MAX;
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  /** Null: answered here. */
  #hear(message: JSONRPCMessage): JSONRPCMessage | null {
    if (isListenRequest(message)) {
      const uris = listStockUris(message);
      this.#forget(message.id);
      if (!this.#reader.subscribe(uris)) {
        const error = { code: TOO_MUCH_CODE, message: FOLLOWS_TOO_MUCH };
        this.send({ jsonrpc: '2.0', id: message.id, error }).catch((failed: Error) => this.onerror?.(failed));
        return null;
      }
      this.#urisById.set(message.id, uris);
      return listeningTo(message, uris);
    }
    if ('method' in message && message.method === 'notifications/cancelled') {
      this.#forget((message.params as { requestId?: unknown } | undefined)?.requestId);
    }
    return message;
  }

  #forget(id: unknown): void {
    const uris = this.#urisById.get(id);
    if (uris === undefined) return;
    this.#urisById.delete(id);
    const wanted = new Set([...this.#urisById.values()].flat());
    for (const uri of uris) if (!wanted.has(uri)) this.#reader.unsubscribe(uri);
  }
}
