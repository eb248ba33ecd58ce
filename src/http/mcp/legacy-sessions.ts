/**
 * Sessions of the 2025 revisions over HTTP (Mcp-Session-Id), which are for one thing: to hear of changes. `initialize` makes
 * one, `resources/subscribe` fills it, GET opens its stream, DELETE ends it. Every other request stands alone, with whatever
 * session id it brings: so a restart, which forgets all sessions, breaks no client that only calls tools. One that follows
 * stock learns of it by a 404, and so does whoever goes on in a session that it has ended itself. Where no more sessions fit,
 * `initialize` is answered without one.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Caller, Push, Reader, StockHub } from '../../mcp/server.js';
import { hasEnvelope, listMessages, type Refused, refuse } from '../middleware/json-rpc.js';
import { withoutQuirks } from './client-quirks.js';
import { sdkRequest, writeSdkResponse } from './sdk-exchange.js';

export interface SessionLimits {
  /** A session without a stream is forgotten when nobody has used it for so long. */
  readonly session_idle_ms: number;
  /** Proxies close what is silent. */
  readonly keep_alive_ms: number;
  /** Sessions that are remembered after their client has ended them: the last ones. */
  readonly sessions_ended_max: number;
}

export interface SessionPorts {
  readonly hub: StockHub;
  /** 122 random bits at least: whoever knows it still has to be the caller that it was made for. */
  readonly newId: () => string;
  readonly serverFor: (caller: Caller, push: Push) => Server;
  readonly limits: SessionLimits;
}

interface Session {
  readonly id: string;
  readonly principal: string;
  readonly reader: Reader;
  stream: ServerResponse | null;
  readonly idle: NodeJS.Timeout;
}

const HEADER = 'mcp-session-id';
const EVENT_STREAM = 'text/event-stream';

const UNKNOWN: Refused = {
  status: 404,
  code: -32_001,
  message: 'This session is not known, or not any more. Initialize again, and subscribe again.',
};
const TAKEN: Refused = { status: 409, message: 'A session has one stream, and this one’s is open.' };
const NOT_TAKEN: Refused = { status: 406, message: 'What is sent here is text/event-stream: accept it.' };

/** Methods that mean nothing without a session. */
const OF_A_SESSION: ReadonlySet<unknown> = new Set(['resources/subscribe', 'resources/unsubscribe']);

export class LegacySessions {
  readonly #ports: SessionPorts;
  /** The longest unused first. */
  readonly #sessions = new Map<string, Session>();
  /** By their clients, the oldest first. */
  readonly #ended = new Set<string>();

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  /** Also keeps the session that a request names from being forgotten. */
  claims(request: IncomingMessage, body: unknown): boolean {
    const id = readSessionId(request);
    if (id !== undefined) this.#touch(id);
    if (body === undefined) return id !== undefined;
    const [message, ...more] = listMessages(body);
    if (Array.isArray(body) || message === undefined || more.length > 0 || hasEnvelope(message)) return false;
    if (message.method === 'initialize') return true;
    return id !== undefined && (OF_A_SESSION.has(message.method) || this.#ended.has(id));
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
    caller: Caller,
  ): Promise<void> {
    const isNew = listMessages(body)[0]?.method === 'initialize';
    const session = isNew ? this.#open(caller) : this.#findSession(request, caller);
    if (session === null && !isNew) return refuse(response, UNKNOWN);
    if (body !== undefined) return this.#serve(request, response, body, { caller, session });
    if (session === null) throw new Error('refused above');
    if (request.method === 'GET') return this.#stream(request, response, session);
    this.#end(session);
    this.#ended.add(session.id);
    const [oldest] = this.#ended;
    if (this.#ended.size > this.#ports.limits.sessions_ended_max && oldest !== undefined)
      this.#ended.delete(oldest);
    response.writeHead(200).end();
  }

  /** Ends every stream. */
  async close(): Promise<void> {
    for (const session of [...this.#sessions.values()]) this.#end(session);
  }

  /** Another caller's session is as unknown as one that never was. */
  #findSession(request: IncomingMessage, { principal }: Caller): Session | null {
    const session = this.#sessions.get(readSessionId(request) ?? '');
    return session?.principal === principal ? session : null;
  }

  #open({ principal, scopes }: Caller): Session | null {
    if (!scopes.has('inventory:read')) return null;
    const id = this.#ports.newId();
    const outlet = {
      state: () => {
        const stream = this.#sessions.get(id)?.stream ?? null;
        if (stream === null) return 'away' as const;
        return stream.writableNeedDrain ? ('full' as const) : ('clear' as const);
      },
      send: (uri: string) => void this.#sessions.get(id)?.stream?.write(buildNotice(uri)),
      drop: () => {
        const session = this.#sessions.get(id);
        session?.stream?.destroy();
        if (session !== undefined) this.#end(session);
      },
    };
    const { hub, limits } = this.#ports;
    const reader =
      hub.open(principal, outlet) ?? (this.#makeRoom(principal) ? hub.open(principal, outlet) : null);
    if (reader === null) return null;
    const idle = setTimeout(() => {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#end(session);
    }, limits.session_idle_ms);
    idle.unref();
    const session: Session = { id, principal, reader, stream: null, idle };
    this.#sessions.set(id, session);
    return session;
  }

  /** A client that starts anew each time must not use up its caller's places with what it has left behind. */
  #makeRoom(principal: string): boolean {
    for (const session of this.#sessions.values()) {
      if (session.principal !== principal || session.stream !== null || session.reader.uriCount > 0) continue;
      this.#end(session);
      return true;
    }
    return false;
  }

  #touch(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    session.idle.refresh();
  }

  #end(session: Session): void {
    this.#sessions.delete(session.id);
    clearTimeout(session.idle);
    session.reader.close();
    session.stream?.end();
  }

  /** As requests that stand alone are served, by a server that knows the session. */
  async #serve(
    { headers }: IncomingMessage,
    response: ServerResponse,
    body: unknown,
    { caller, session }: { readonly caller: Caller; readonly session: Session | null },
  ): Promise<void> {
    const said = withoutQuirks({ headers, body });
    const server = this.#ports.serverFor(caller, session?.reader ?? null);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    try {
      await server.connect(transport);
      const request = sdkRequest('POST', said.headers);
      const answer = await transport.handleRequest(request, { parsedBody: said.body });
      if (session !== null) response.setHeader(HEADER, session.id);
      await writeSdkResponse(response, answer);
    } finally {
      await server.close();
    }
  }

  #stream({ headers }: IncomingMessage, response: ServerResponse, session: Session): void {
    const { accept = '*/*' } = headers;
    const isTaken = accept.includes(EVENT_STREAM) || accept.includes('*/*');
    if (!isTaken || session.stream !== null) {
      refuse(response, isTaken ? TAKEN : NOT_TAKEN);
      return;
    }
    session.stream = response;
    response.writeHead(200, {
      'content-type': EVENT_STREAM,
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      [HEADER]: session.id,
    });
    response.flushHeaders();
    const keepAlive = setInterval(() => {
      session.idle.refresh();
      if (!response.writableNeedDrain) response.write(': keepalive\n\n');
    }, this.#ports.limits.keep_alive_ms);
    keepAlive.unref();
    response.once('close', () => {
      clearInterval(keepAlive);
      session.stream = null;
      this.#touch(session.id);
    });
  }
}

function readSessionId({ headers }: IncomingMessage): string | undefined {
  const id = headers[HEADER];
  return typeof id === 'string' ? id : undefined;
}

function buildNotice(uri: string): string {
  const notice = { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } };
  return `event: message\ndata: ${JSON.stringify(notice)}\n\n`;
}
