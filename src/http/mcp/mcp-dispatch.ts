/**
 * A request that was let in, handed to the SDK: one factory for both eras. What a call costs here beyond the SDK's own work
 * is small on purpose; `npm run bench -- --only h` measures it.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import {
  type AuthInfo,
  createMcpHandler,
  type McpHttpHandler,
  type McpServerFactory,
  type ServerEventBus,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Caller } from '../../mcp/server.js';
import { hasEnvelope } from '../middleware/json-rpc.js';
import type { Said } from './client-quirks.js';
import { sdkRequest, type Written, writeSdkResponse } from './sdk-exchange.js';

export interface McpServing {
  /** One server for each exchange; whom it is for, `toCaller` tells. */
  readonly factory: McpServerFactory;
  /** Whether tools tell something before their answer. Ours never do: a call has one answer, in one piece of JSON. */
  readonly streams_calls: boolean;
  /** Tells the streams what has changed. Left out: nothing ever does. */
  readonly bus?: ServerEventBus | undefined;
  readonly streams_max: number;
  readonly onError: (error: unknown) => void;
}

/** The first revision whose requests say in themselves which one they follow. */
const ENVELOPE_SINCE = '2026-07-28';

const streaming = new AsyncLocalStorage<ServerResponse>();

/**
 * Inside a `subscribe` of the bus: the response that the stream goes out on.
 * @public
 */
export function responseOfStream(): ServerResponse | undefined {
  return streaming.getStore();
}

/** Whom a server is made for. */
export function toCaller(authInfo: AuthInfo | undefined): Caller {
  const caller = authInfo?.extra?.['caller'];
  if (caller === undefined) throw new Error('a request that nobody has looked at');
  return caller as Caller;
}

export class McpDispatch {
  readonly #serving: McpServing;
  readonly #calls: McpHttpHandler;
  /** Apart from the calls: closing it ends the streams in order, and cuts no call off. */
  readonly #streams: McpHttpHandler;

  constructor(serving: McpServing) {
    this.#serving = serving;
    const { factory, bus, streams_max, onError } = serving;
    this.#calls = createMcpHandler(factory, { onerror: onError });
    this.#streams = createMcpHandler(factory, {
      onerror: onError,
      maxSubscriptions: streams_max,
      ...(bus === undefined ? {} : { bus }),
    });
  }

  /** Whatever is no stream of changes. `onStream` is told if the answer becomes a stream all the same. */
  async call(said: Said, response: ServerResponse, caller: Caller, onStream: () => void): Promise<Written> {
    const authInfo = toAuthInfo(caller);
    if (this.#serving.streams_calls) {
      const request = sdkRequest('POST', said.headers, createSignal(response));
      const answer = await this.#calls.fetch(request, { authInfo, parsedBody: said.body });
      return writeSdkResponse(response, answer, onStream);
    }
    // No signal: a client that leaves must not cut a decision in two, and every call has limits of its own.
    const request = sdkRequest('POST', said.headers);
    const answer = isOldEra(said)
      ? await this.#oldEra(request, said.body, authInfo)
      : await this.#calls.fetch(request, { authInfo, parsedBody: said.body });
    return writeSdkResponse(response, answer, onStream);
  }

  /** subscriptions/listen: stays open until the client leaves or `endStreams`. */
  async listen(said: Said, response: ServerResponse, caller: Caller, onStream: () => void): Promise<Written> {
    const request = sdkRequest('POST', said.headers, createSignal(response));
    const answer = await streaming.run(response, () =>
      this.#streams.fetch(request, { authInfo: toAuthInfo(caller), parsedBody: said.body }),
    );
    return writeSdkResponse(response, answer, onStream);
  }

  endStreams(): Promise<void> {
    return this.#streams.close();
  }

  /** Cuts off what is under way. */
  async close(): Promise<void> {
    await this.#streams.close();
    await this.#calls.close();
  }

  /**
   * As the SDK's handler serves that era, but with one JSON answer: its own is always a stream, which is more work for both
   * ends and nothing that a client can read who takes JSON alone.
   */
  async #oldEra(request: Request, parsedBody: unknown, authInfo: AuthInfo): Promise<Response> {
    const server = await this.#serving.factory({ era: 'legacy', authInfo, requestInfo: request });
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    try {
      await server.connect(transport);
      return await transport.handleRequest(request, { authInfo, parsedBody });
    } finally {
      await server.close();
    }
  }
}

/** Plainly so: about everything else the SDK's own handler decides. */
function isOldEra({ headers, body }: Said): boolean {
  const version = headers['mcp-protocol-version'];
  if (typeof version === 'string' && version >= ENVELOPE_SINCE) return false;
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.length > 0 && messages.every((message) => isObject(message) && !hasEnvelope(message));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function toAuthInfo(caller: Caller): AuthInfo {
  return { token: '', clientId: caller.principal, scopes: [...caller.scopes], extra: { caller } };
}

function createSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}
