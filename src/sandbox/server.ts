/**
 * The sandbox shop over HTTP: the Admin API, its token exchange, and a door for switching on faults from another
 * process. Meant for loopback; it guards nothing of value.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccessTokens,
  ALL_SCOPES,
  MINTED_EXPIRES_IN_SECONDS,
  SANDBOX_CLIENT_ID,
  SANDBOX_CLIENT_SECRET,
} from './access.js';
import { Api, type ApiRequest, type PreparedRequest, ROOT_FIELDS, rootFieldsOf } from './api.js';
import { type Catalogue, SEED_CATALOGUE } from './catalogue.js';
import { type Fault, FaultError, type FaultMoment, Faults } from './faults.js';
import { Shop } from './shop.js';

/** API versions that are answered, all with the rules of 2026-10; any other is 404. */
export const API_VERSIONS: readonly string[] = ['2026-04', '2026-07', '2026-10'];

export interface SandboxOptions {
  /** The shop's clock, in milliseconds since 1970. Default `Date.now`. It also sets the Date header. */
  readonly now?: () => number;
  /** Default: the apparel shop, `SEED_CATALOGUE`. */
  readonly catalogue?: Catalogue;
  /** How long new drafts and orders stay invisible to searches. Default 0. */
  readonly searchLagMs?: number;
  /** What the app may do. Default `ALL_SCOPES`. */
  readonly scopes?: readonly string[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface SandboxAddress {
  /** For example `http://127.0.0.1:4010`. */
  readonly origin: string;
  readonly port: number;
}

const BODY_MAX_BYTES = 1024 * 1024;
const INVALID_TOKEN = '[API] Invalid API key or access token (unrecognized login or wrong password)';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; absent sends no body. */
  readonly body?: unknown;
}

/** An answer that ends the handling of a request early. `answer` null cuts the connection. */
class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly answer: Answer | null;

  constructor(answer: Answer | null) {
    super('the request ends here');
    this.answer = answer;
  }
}

export class SandboxServer {
  readonly shop: Shop;
  readonly faults = new Faults(ROOT_FIELDS);
  readonly tokens = new AccessTokens();
  readonly #options: Required<SandboxOptions>;
  readonly #api: Api;
  #running: {
    readonly server: Server;
    readonly address: Promise<SandboxAddress>;
    readonly stopping: AbortController;
  } | null = null;

  constructor(options: SandboxOptions = {}) {
    this.#options = {
      now: Date.now,
      catalogue: SEED_CATALOGUE,
      searchLagMs: 0,
      scopes: ALL_SCOPES,
      host: '127.0.0.1',
      port: 0,
      ...options,
    };
    this.shop = new Shop(this.#options);
    this.#api = new Api(this.shop, this.#options.scopes);
  }

  /** Listens. Starting what runs answers with the same address. Rejects when the port is taken. */
  start(): Promise<SandboxAddress> {
    if (this.#running) return this.#running.address;
    const server = createServer((request, response) => void this.#serve(request, response));
    const address = listen(server, this.#options.host, this.#options.port);
    this.#running = { server, address, stopping: new AbortController() };
    address.catch(() => {
      this.#running = null;
    });
    return address;
  }

  /** Closes every connection, also those that are kept alive or delayed by a fault. Safe to call twice. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    await running.address.catch(() => undefined);
    running.stopping.abort();
    await new Promise<void>((resolve) => {
      running.server.close(() => resolve());
      running.server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    response.setHeader('Date', new Date(this.#options.now()).toUTCString());
    let answer: Answer | null;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      answer = error instanceof Interruption ? error.answer : internalError(error);
    }
    if (answer === null) {
      request.socket.destroy();
      return;
    }
    send(response, answer);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = new URL(request.url ?? '/', 'http://sandbox.invalid').pathname;
    const version = /^\/admin\/api\/(?<version>[^/]+)\/graphql\.json$/u.exec(path)?.groups?.['version'];
    if (version !== undefined && API_VERSIONS.includes(version)) return this.#graphql(request, version);
    if (path === '/admin/oauth/access_token') return this.#token(request);
    if (path === '/sandbox/faults') return this.#faults(request);
    return { status: 404, body: { errors: 'Not Found' } };
  }

  async #graphql(request: IncomingMessage, version: string): Promise<Answer> {
    requireMethod(request, 'POST');
    const token = request.headers['x-shopify-access-token'];
    if (typeof token !== 'string' || !this.tokens.isValid(token, this.#options.now())) {
      return { status: 401, body: { errors: INVALID_TOKEN } };
    }
    const headers = { 'X-Shopify-API-Version': version };
    const prepared = this.#api.prepare(apiRequestOf(request, await readBody(request)));
    if ('answer' in prepared) {
      await this.#strike([], 'before', null);
      return { status: 200, headers, body: prepared.answer };
    }
    const rootFields = rootFieldsOf(prepared);
    await this.#strike(rootFields, 'before', prepared);
    const body = await this.#api.run(prepared);
    await this.#strike(rootFields, 'after', prepared);
    return { status: 200, headers, body };
  }

  /** Lets a pending fault have its way. Returns when the request may go on. */
  async #strike(
    rootFields: readonly string[],
    when: FaultMoment,
    prepared: PreparedRequest | null,
  ): Promise<void> {
    const fault = this.faults.take(rootFields, when);
    if (!fault) return;
    if (fault.action === 'delay') {
      await sleep(fault.ms, undefined, { signal: this.#running?.stopping.signal }).catch(() => {
        throw new Interruption(null);
      });
      return;
    }
    if (fault.action === 'drop') throw new Interruption(null);
    if (fault.action === 'status') throw new Interruption(statusAnswer(fault));
    if (prepared) throw new Interruption({ status: 200, body: this.#api.throttled(prepared) });
  }

  async #token(request: IncomingMessage): Promise<Answer> {
    requireMethod(request, 'POST');
    const fields = fieldsOf(request, await readBody(request));
    if (fields['client_id'] !== SANDBOX_CLIENT_ID || fields['client_secret'] !== SANDBOX_CLIENT_SECRET) {
      return oauthError('invalid_client', 'the sandbox knows the client id sandbox with the secret sandbox');
    }
    if (fields['grant_type'] !== 'client_credentials') {
      return oauthError('unsupported_grant_type', 'grant_type must be client_credentials');
    }
    const body = {
      access_token: this.tokens.mint(this.#options.now()),
      scope: this.#options.scopes.join(','),
      expires_in: MINTED_EXPIRES_IN_SECONDS,
    };
    return { status: 200, body };
  }

  async #faults(request: IncomingMessage): Promise<Answer> {
    if (request.method === 'GET') return { status: 200, body: { faults: this.faults.list() } };
    if (request.method === 'DELETE') {
      this.faults.clear();
      return { status: 204 };
    }
    requireMethod(request, 'POST', 'GET, POST, DELETE');
    // A page in a browser cannot send JSON here without asking first, and is never answered.
    if (mediaType(request) !== 'application/json')
      return clientError(415, 'send a fault as application/json');
    const fault = parseJson(await readBody(request));
    try {
      this.faults.addUnknown(fault);
    } catch (error) {
      if (error instanceof FaultError) return clientError(400, error.message);
      throw error;
    }
    return { status: 201, body: { faults: this.faults.list() } };
  }
}

async function listen(server: Server, host: string, port: number): Promise<SandboxAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { origin: `http://${name}:${address.port}`, port: address.port };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, {
    ...headers,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** Refuses bodies above `BODY_MAX_BYTES`, after reading them to their end: a client that still writes hears nothing. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk);
  }
  if (bytes > BODY_MAX_BYTES) {
    throw new Interruption(clientError(413, `a body has at most ${BODY_MAX_BYTES} bytes`));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function apiRequestOf(request: IncomingMessage, body: string): ApiRequest {
  if (mediaType(request) === 'application/graphql')
    return { query: body, variables: {}, operationName: null };
  const parsed = parseJson(body);
  const { query, variables, operationName } = isRecord(parsed) ? parsed : {};
  if (typeof query !== 'string') {
    throw new Interruption({
      status: 400,
      body: { errors: { query: 'Required parameter missing or invalid' } },
    });
  }
  if (variables != null && !isRecord(variables))
    throw new Interruption(clientError(400, 'variables must be an object'));
  return {
    query,
    variables: variables ?? {},
    operationName: typeof operationName === 'string' ? operationName : null,
  };
}

/** The fields of a form or of a JSON object. */
function fieldsOf(request: IncomingMessage, body: string): Readonly<Record<string, unknown>> {
  if (mediaType(request) !== 'application/json') return Object.fromEntries(new URLSearchParams(body));
  const parsed = parseJson(body);
  return isRecord(parsed) ? parsed : {};
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Interruption(clientError(400, 'the body is not JSON'));
  }
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function requireMethod(request: IncomingMessage, method: string, allow = method): void {
  if (request.method === method) return;
  throw new Interruption({ ...clientError(405, `the method must be ${allow}`), headers: { Allow: allow } });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function clientError(status: number, errors: string): Answer {
  return { status, body: { errors } };
}

function oauthError(error: string, description: string): Answer {
  return { status: 400, body: { error, error_description: description } };
}

function statusAnswer(fault: Extract<Fault, { action: 'status' }>): Answer {
  const { code, retryAfterSeconds } = fault;
  return {
    status: code,
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': `${retryAfterSeconds}.0` } }),
    body: { errors: `the sandbox was told to answer ${code}` },
  };
}

/** A bug of the sandbox. Its developer is the caller, so the caller is told. */
function internalError(error: unknown): Answer {
  return {
    status: 500,
    body: { errors: error instanceof Error ? (error.stack ?? error.message) : String(error) },
  };
}
