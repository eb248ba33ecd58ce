/** A connector that is open on a sandbox shop of its own, over real HTTP. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { type SandboxOptions, SandboxServer } from '../../../src/sandbox/server.js';
import type { Tuning } from '../../../src/sources/shopify/client/limits.js';
import type { Credentials } from '../../../src/sources/shopify/client/session.js';
import { type Opened, open } from './raw-shop.js';

export interface OpenSandbox {
  readonly upstream: Opened;
  readonly server: SandboxServer;
  readonly origin: string;
  readonly shop: SandboxServer['shop'];
  readonly faults: SandboxServer['faults'];
  /** The shop's clock. It stands still, but for what a test lets pass. */
  readonly now: () => number;
  readonly pass: (ms: number) => void;
  readonly revokeTokens: () => void;
  /** How many requests the shop was sent. */
  readonly requests: () => number;
  readonly close: () => Promise<void>;
}

export interface OpenSandboxOptions {
  readonly catalogue?: SandboxOptions['catalogue'];
  readonly scopes?: readonly string[];
  readonly search_lag_ms?: number;
  /** How long before now everything in the shop last changed. */
  readonly born_ms_ago?: number;
  readonly credentials?: Credentials;
  readonly tuning?: Partial<Tuning>;
  readonly bulk?: SandboxOptions['bulk'];
  readonly throttle?: boolean;
  readonly pricing?: SandboxOptions['pricing'];
}

const REQUEST_STARTED = 'http.server.request.start';

export async function openSandbox(options: OpenSandboxOptions = {}): Promise<OpenSandbox> {
  const { catalogue, scopes, search_lag_ms, born_ms_ago = 0, credentials, tuning, bulk } = options;
  const { throttle, pricing } = options;
  const start_ms = Date.now();
  let now_ms = start_ms - born_ms_ago;
  const server = new SandboxServer({
    now: () => now_ms,
    ...(catalogue === undefined ? {} : { catalogue }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(search_lag_ms === undefined ? {} : { searchLagMs: search_lag_ms }),
    ...(bulk === undefined ? {} : { bulk }),
    ...(throttle === undefined ? {} : { throttle }),
    ...(pricing === undefined ? {} : { pricing }),
  });
  now_ms = start_ms;
  const { origin, port } = await server.start();
  let requests = 0;
  const count = (message: unknown) => {
    if ((message as { socket: Socket }).socket.localPort === port) requests += 1;
  };
  subscribe(REQUEST_STARTED, count);
  return {
    upstream: open({
      origin,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tuning === undefined ? {} : { tuning }),
    }),
    server,
    origin,
    shop: server.shop,
    faults: server.faults,
    now: () => now_ms,
    pass: (ms) => {
      now_ms += ms;
    },
    revokeTokens: () => server.tokens.revokeMinted(),
    requests: () => requests,
    close: async () => {
      unsubscribe(REQUEST_STARTED, count);
      await server.stop();
    },
  };
}
