/** A port that takes connections in, within limits, and lets go of them in order. */

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { addressKey, plainAddress } from './middleware/client-address.js';
import { Crowd } from './middleware/concurrency-limit.js';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly headers_timeout_ms: number;
  readonly request_timeout_ms: number;
  /** How often the two are looked at: so much later at most a connection is ended. */
  readonly timeouts_check_ms: number;
  readonly connections_max: number;
  /** From one address; left out: as many as in all. */
  readonly connections_per_address_max?: number | undefined;
  /** Addresses that only the limit of all connections holds for. */
  readonly isExempt?: ((address: string) => boolean) | undefined;
  /** Told of each connection that is not let in. */
  readonly onRefused?: ((limit: 'all' | 'address') => void) | undefined;
  /** How long closing waits for requests in flight, and for streams that never end by themselves. */
  readonly drain_max_ms: number;
}

/** Somebody else listens there. The message is for a person. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';

  /** `mend`: how to name another port. */
  constructor({ host, port }: { readonly host: string; readonly port: number }, mend: string) {
    super(`Port ${port} on ${host} is taken: stop the other program or ${mend}.`);
  }
}

export class Listener {
  readonly origin: string;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #drain_max_ms: number;

  private constructor(server: Server, connections: Connections, drain_max_ms: number) {
    const { address, family, port } = server.address() as AddressInfo;
    this.origin = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    this.#server = server;
    this.#connections = connections;
    this.#drain_max_ms = drain_max_ms;
  }

  /** Rejects with `PortTaken`, which names `portSetting` as the mend. */
  static async open(
    routes: RequestListener,
    options: ListenerOptions,
    portSetting: string,
  ): Promise<Listener> {
    const server = createServer({ connectionsCheckingInterval: options.timeouts_check_ms });
    const connections = new Connections(server);
    server.on('request', routes);
    server.headersTimeout = options.headers_timeout_ms;
    server.requestTimeout = options.request_timeout_ms;
    server.maxConnections = options.connections_max;
    server.on('drop', () => options.onRefused?.('all'));
    limitEach(server, options);
    await listen(server, options, portSetting);
    return new Listener(server, connections, options.drain_max_ms);
  }

  /**
   * Takes nobody in, answers what is in flight, then closes. Connections without a request in flight go at once.
   * `cutOff` is called when what is in flight is done or has taken too long.
   */
  async close(cutOff: () => Promise<void> = async () => {}): Promise<void> {
    const closed = closeServer(this.#server);
    this.#connections.dropUnoccupied();
    await Promise.race([closed, pause(this.#drain_max_ms, undefined, { ref: false })]);
    await cutOff();
    this.#server.closeAllConnections();
    await closed;
  }
}

/**
 * Connections, and how many requests each waits to have answered. Node's own `closeIdleConnections` spares those with
 * half a request's headers, and its timeouts end with `close`: such a connection would be waited for without end.
 */
class Connections {
  readonly #inFlight = new Map<Socket, number>();

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#inFlight.set(socket, 0);
      socket.once('close', () => this.#inFlight.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => {
        this.#count(socket, -1);
        // While closing, a connection that is kept alive goes as soon as its request is answered.
        if (!server.listening) this.dropUnoccupied();
      });
    });
  }

  dropUnoccupied(): void {
    for (const [socket, requests] of this.#inFlight) if (requests === 0) socket.destroy();
  }

  #count(socket: Socket, change: 1 | -1): void {
    const before = this.#inFlight.get(socket);
    // The connection may be gone before its answer is.
    if (before !== undefined) this.#inFlight.set(socket, before + change);
  }
}

/** So that nobody keeps the others out by holding all the connections there are. */
function limitEach(server: Server, options: ListenerOptions): void {
  const { connections_per_address_max: each_max, isExempt = () => false, onRefused } = options;
  if (each_max === undefined) return;
  const crowd = new Crowd({ all_max: Number.POSITIVE_INFINITY, each_max });
  server.on('connection', (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (isExempt(address)) return;
    const key = addressKey(address);
    if (crowd.enter(key) === 'in') {
      socket.once('close', () => crowd.leave(key));
    } else {
      socket.destroy();
      onRefused?.('address');
    }
  });
}

function listen(server: Server, { host, port }: ListenerOptions, portSetting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken({ host, port }, `set ${portSetting}`) : error);
    });
    server.listen(port, host, () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error === undefined || (error as NodeJS.ErrnoException).code === 'ERR_SERVER_NOT_RUNNING')
        resolve();
      else reject(error);
    });
  });
}
