/**
 * What real clients send although the specification says otherwise, put right before the SDK sees it. Seen in the field:
 * a version header of 2026-07-28 without the envelope in `_meta`; an older one beside an envelope; the header twice, joined
 * by a comma; `Accept` with one of the two types, with a wildcard, or left out. Nothing that contradicts itself otherwise
 * is let through: an `Mcp-Name` that names another tool than the body stays an error.
 */

import type { IncomingHttpHeaders } from 'node:http';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';

export interface Said {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

type Message = Readonly<Record<string, unknown>>;

const BOTH_TYPES = 'application/json, text/event-stream';
/** The first revision whose requests carry an envelope. */
const ENVELOPE_SINCE = '2026-07-28';
/** Methods that no revision with an envelope has: whoever calls them means the older one, whatever the header says. */
const OLD_METHODS: readonly unknown[] = [
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
];
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** `said` itself where nothing is to be mended: that is nearly always. */
export function withoutQuirks(said: Said): Said {
  const accept = normalizeAccept(said.headers.accept);
  const version = readVersion(said.headers);
  const mended =
    accept === said.headers.accept && version === said.headers['mcp-protocol-version']
      ? said
      : { ...said, headers: withVersion({ ...said.headers, accept }, version) };
  return isMessage(said.body) ? ofOneEra(mended, said.body, version) : mended;
}

/** The specification wants both types named. Whoever takes one of them, or anything, gets JSON where it is one answer. */
function normalizeAccept(accept: string | undefined): string {
  if (accept === undefined || accept.trim() === '') return BOTH_TYPES;
  const isEither = accept.includes('application/json') || accept.includes('*/*');
  const isBoth = accept.includes('application/json') && accept.includes('text/event-stream');
  return isEither && !isBoth ? BOTH_TYPES : accept;
}

function readVersion(headers: IncomingHttpHeaders): string | undefined {
  const version = headers['mcp-protocol-version'];
  if (typeof version !== 'string' || !version.includes(',')) return version as string | undefined;
  const [first = '', ...others] = version.split(',').map((part) => part.trim());
  return others.every((other) => other === first) ? first : version;
}

/** Header and body of one mind about the revision: what the body claims holds, and the header fills in what it lacks. */
function ofOneEra(said: Said, body: Message, version: string | undefined): Said {
  const isNew = version !== undefined && version >= ENVELOPE_SINCE;
  const params = isMessage(body['params']) ? body['params'] : {};
  const meta = isMessage(params['_meta']) ? params['_meta'] : {};
  const claimed = meta[PROTOCOL_VERSION_META_KEY];
  if (typeof claimed === 'string')
    return { ...said, headers: withNames(said.headers, claimed, body, params) };
  if (!isNew || typeof body['method'] !== 'string') return said;
  const isOld = OLD_METHODS.includes(body['method']) || said.headers['mcp-session-id'] !== undefined;
  if (isOld) return { ...said, headers: withVersion(said.headers, undefined) };
  const envelope = {
    [PROTOCOL_VERSION_META_KEY]: version,
    [CLIENT_INFO_META_KEY]: { name: 'unnamed', version: '0' },
    [CLIENT_CAPABILITIES_META_KEY]: {},
  };
  return {
    headers: withNames(said.headers, version, body, params),
    body: { ...body, params: { ...params, _meta: { ...envelope, ...meta } } },
  };
}

/** The headers that repeat what the body says, where they are left out. */
function withNames(
  headers: IncomingHttpHeaders,
  version: string,
  { method, id }: Message,
  params: Message,
): IncomingHttpHeaders {
  const name = params[NAMED_BY[String(method)] ?? ''];
  const isWhole =
    headers['mcp-protocol-version'] === version &&
    headers['mcp-method'] !== undefined &&
    (headers['mcp-name'] !== undefined || typeof name !== 'string');
  if (isWhole || id === undefined) return withVersion(headers, version);
  const repeated: IncomingHttpHeaders = { 'mcp-method': String(method) };
  if (typeof name === 'string') repeated['mcp-name'] = name;
  return { ...repeated, ...headers, 'mcp-protocol-version': version };
}

function withVersion(headers: IncomingHttpHeaders, version: string | undefined): IncomingHttpHeaders {
  if (headers['mcp-protocol-version'] === version) return headers;
  const { 'mcp-protocol-version': _, ...others } = headers;
  return version === undefined ? others : { ...others, 'mcp-protocol-version': version };
}

function isMessage(value: unknown): value is Message {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
