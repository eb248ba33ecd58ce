/**
 * The result of a bulk operation: JSON lines at an address that the shop names, on somebody's storage. It is read as it
 * comes, without our token, and no redirect is followed. An address by number, or of this machine, is not gone to unless
 * the shop itself is there: whoever can make the shop name an address learns nothing about our network.
 */

import { UpstreamError } from '../../source.js';
import { BULK_BYTES_MAX, BULK_LINE_BYTES_MAX, BULK_SILENCE_MAX_MS } from '../client/limits.js';

export interface ResultOptions {
  /** Where the shop is for tests and the sandbox: its results may lie there, without https. Null: https alone. */
  readonly origin: URL | null;
  readonly signal: AbortSignal;
}

/**
 * The lines of a result. Throws UpstreamError: `protocol` for an address we don't go to and for what is too long,
 * `unreachable` for an answer that is not 200, stays silent, is cut, or is no longer wanted.
 */
export async function* resultLines(address: string, options: ResultOptions): AsyncGenerator<string> {
  const url = parseAddress(address, options.origin);
  const reading = new Reading(options.signal);
  try {
    const response = await reading.timed((signal) => fetch(url, { redirect: 'manual', signal }));
    if (response.status !== 200 || response.body === null)
      throw new UpstreamError('unreachable', `bulk result: HTTP ${response.status}`);
    yield* readLines(reading, response.body.getReader());
  } finally {
    reading.end();
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function* readLines(reading: Reading, reader: Reader): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let bytes = 0;
  let rest = '';
  for (;;) {
    const { done, value } = await reading.timed(() => reader.read());
    if (done) break;
    bytes += value.byteLength;
    if (bytes > BULK_BYTES_MAX)
      throw new UpstreamError('protocol', `bulk result: above ${BULK_BYTES_MAX} bytes`);
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > BULK_LINE_BYTES_MAX)
      throw new UpstreamError('protocol', 'bulk result: an endless line');
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}

function parseAddress(address: string, origin: URL | null): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  const isShops = url !== null && url.origin === origin?.origin;
  const allowed = isShops || (url?.protocol === 'https:' && isPublicName(url.hostname));
  if (url === null || !allowed || url.username !== '' || url.password !== '') {
    throw new UpstreamError('protocol', 'bulk result: an address that we do not read from');
  }
  return url;
}

const IPV4 = /^\d+(?:\.\d+){3}$/;

/** The parser has brought all ways of writing an IPv4 address into one, and IPv6 into brackets. What a name leads to is not looked up. */
function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  return !name.startsWith('[') && !IPV4.test(name) && name !== 'localhost' && !name.endsWith('.localhost');
}

/** Ends with the caller's signal, and when the other side says nothing for too long. How long we take is our affair. */
class Reading {
  readonly #limit = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#limit.abort();

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#limit.abort();
    outer.addEventListener('abort', this.#onAbort, { once: true });
  }

  async timed<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#limit.abort(), BULK_SILENCE_MAX_MS);
    try {
      return await step(this.#limit.signal);
    } catch (error) {
      const why =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new UpstreamError('unreachable', `bulk result: ${why}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Drops the connection, where there still is one. */
  end(): void {
    this.#outer.removeEventListener('abort', this.#onAbort);
    this.#limit.abort();
  }
}
