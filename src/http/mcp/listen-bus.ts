/**
 * The streams of `subscriptions/listen` over HTTP: the SDK frames them, and here is decided who is told what and when. The
 * SDK's own bus writes into a stream whether it is read or not; behind this one a notice is only written while what was
 * written to that stream before has left, and a client that does not read is cut off.
 */

import type { ServerResponse } from 'node:http';
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import { isListenRequest, listeningTo, listStockUris } from '../../mcp/listen-request.js';
import type { Caller, StockHub } from '../../mcp/server.js';
import { responseOfStream } from './mcp-dispatch.js';

type Listener = (event: ServerEvent) => void;

export class ListenBus implements ServerEventBus {
  readonly #hub: StockHub;
  /** Null until the SDK has acknowledged the stream. */
  readonly #listeners = new WeakMap<ServerResponse, Listener | null>();

  constructor(hub: StockHub) {
    this.#hub = hub;
  }

  /** What of a request can be followed, for the SDK to answer; null when it is more than this caller may. */
  admit(body: unknown, response: ServerResponse, { principal, scopes }: Caller): unknown {
    if (!isListenRequest(body) || !scopes.has('inventory:read')) return body;
    const uris = listStockUris(body);
    if (uris.length > 0) {
      const reader = this.#hub.open(principal, {
        state: () => {
          if (this.#listeners.get(response) == null) return 'away';
          return response.writableNeedDrain ? 'full' : 'clear';
        },
        send: (uri) => this.#listeners.get(response)?.({ kind: 'resource_updated', uri }),
        drop: () => response.destroy(),
      });
      if (reader === null) return null;
      response.once('close', () => reader.close());
      if (!reader.subscribe(uris)) {
        reader.close();
        return null;
      }
    }
    return listeningTo(body, uris);
  }

  /** Nothing but stock ever changes here, and its changes come from the hub. */
  publish(): void {
    throw new Error('notices of stock go to those who follow it, not to everybody');
  }

  subscribe(listener: Listener): () => void {
    const response = responseOfStream();
    if (response === undefined) throw new Error('a stream that no response belongs to');
    this.#listeners.set(response, listener);
    return () => {
      this.#listeners.delete(response);
    };
  }
}
