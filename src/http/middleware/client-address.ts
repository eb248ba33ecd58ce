/**
 * Who is at the other end of a connection. Behind a reverse proxy that is the proxy, and what it says of the client is
 * believed only when its own address is one that was named: anybody can write X-Forwarded-For.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

export interface Client {
  /** An IP address. */
  readonly address: string;
  /** What a proxy says; null where none says anything. */
  readonly scheme: 'http' | 'https' | null;
}

/** A proxy's handwriting: whoever reaches a server without one sends none of these. */
const FORWARDING = [
  'forwarded',
  'via',
  'x-forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cdn-loop',
  'cf-connecting-ip',
  'cf-ray',
  'fastly-client-ip',
  'fly-client-ip',
  'x-amzn-trace-id',
  'x-azure-clientip',
  'x-cloud-trace-context',
  'x-envoy-external-address',
] as const;

/**
 * HTTP/1.0 is a sign too: nginx spoke it for twenty years to whatever `proxy_pass` named, without a header that says so, and
 * no MCP client speaks it. A proxy that sends 1.1 and writes nothing looks like a program of this machine, and can't be told.
 */
export function isForwarded({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.0' || FORWARDING.some((name) => headers[name] !== undefined);
}

/** Proxies that are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** `entries`: addresses and networks in CIDR notation, checked before. */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  include(address: string): boolean {
    if (this.#isEmpty || isIP(address) === 0) return false;
    return this.#list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }

  /**
   * Walks the hops from the nearest to the farthest, as long as each is a proxy that is believed: what lies beyond may be
   * invented. A hop that is no address ends the walk at the proxy that wrote it.
   */
  resolveClient({ socket, headers }: IncomingMessage): Client {
    let address = plainAddress(socket.remoteAddress ?? '');
    if (!this.include(address)) return { address, scheme: null };
    // Proxies pass on a header that they don't know, so the one that nearly all of them write goes first.
    const hops = parseHops(headers['x-forwarded-for']) ?? forwardedParts(headers.forwarded, 'for') ?? [];
    for (const hop of hops.reverse()) {
      const named = plainAddress(hop);
      if (isIP(named) === 0) break;
      address = named;
      if (!this.include(address)) break;
    }
    const schemes =
      parseHops(headers['x-forwarded-proto']) ?? forwardedParts(headers.forwarded, 'proto') ?? [];
    // The nearest proxy's word; a list is the work of several.
    const scheme = schemes.at(-1)?.toLowerCase();
    return { address, scheme: scheme === 'http' || scheme === 'https' ? scheme : null };
  }
}

/**
 * What a limit is counted by: an IPv4 address, or the /64 of an IPv6 one, which is what one customer of a network has at
 * least.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - first.length - last.length);
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups
    .slice(0, GROUPS / 2)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

const GROUPS = 8;
const ORIGIN_CHARS = 22;

/**
 * A name for the key of an address that the ledger may keep: it tells whether two callers came from one place, not from
 * which. This machine is one place, whichever of its addresses: who is behind a proxy on it that is not named can't be told apart.
 */
export function toOrigin(address: string, addressKey: string): string {
  const key = isLoopback(address) ? 'loopback' : addressKey;
  return createHash('sha256').update(key).digest('base64url').slice(0, ORIGIN_CHARS);
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** Without a port, brackets, a zone, or the prefix that IPv4 has on a socket of both kinds. */
export function plainAddress(text: string): string {
  const bare = text.trim().replace(/^"|"$/g, '');
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(bare)?.[1];
  const withoutPort = inBrackets ?? bare.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return withoutPort.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function parseHops(header: string | string[] | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  return String(header)
    .split(',')
    .map((hop) => hop.trim());
}

/** RFC 7239, as far as it is used: one parameter of each hop. */
function forwardedParts(header: string | undefined, name: 'for' | 'proto'): string[] | undefined {
  return parseHops(header)?.map((hop) => {
    const part = hop.split(';').find((pair) => pair.trim().toLowerCase().startsWith(`${name}=`));
    return (
      part
        ?.trim()
        .slice(name.length + 1)
        .replace(/^"|"$/g, '') ?? ''
    );
  });
}
