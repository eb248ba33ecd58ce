import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  addressKey,
  isForwarded,
  TrustedProxies,
  toOrigin,
} from '../../../src/http/middleware/client-address.js';

const PROXY = '10.0.0.1';

function from(remoteAddress: string, headers: Readonly<Record<string, string>> = {}): IncomingMessage {
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe('the client of a request', () => {
  const proxies = new TrustedProxies([PROXY, '192.0.2.0/24', 'fd00::/8']);

  it.each([
    ['nobody in between', '203.0.113.7', {}, '203.0.113.7', null],
    ['a header that a stranger wrote', '203.0.113.7', { 'x-forwarded-for': '1.2.3.4' }, '203.0.113.7', null],
    ['one proxy', PROXY, { 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7', null],
    [
      'a stranger who wrote a hop before the proxy did',
      PROXY,
      { 'x-forwarded-for': '1.2.3.4, 203.0.113.7' },
      '203.0.113.7',
      null,
    ],
    ['two proxies', PROXY, { 'x-forwarded-for': '1.2.3.4, 203.0.113.7, 192.0.2.9' }, '203.0.113.7', null],
    ['proxies alone', PROXY, { 'x-forwarded-for': '192.0.2.8, 192.0.2.9' }, '192.0.2.8', null],
    [
      'a hop that is no address',
      PROXY,
      { 'x-forwarded-for': '1.2.3.4, unknown, 192.0.2.9' },
      '192.0.2.9',
      null,
    ],
    ['ports and brackets', PROXY, { 'x-forwarded-for': '[2001:db8::7]:4711' }, '2001:db8::7', null],
    [
      'a socket of both kinds',
      `::ffff:${PROXY}`,
      { 'x-forwarded-for': '203.0.113.7:80' },
      '203.0.113.7',
      null,
    ],
    ['a proxy over IPv6', 'fd00::1', { 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7', null],
    ['https before the proxy', PROXY, { 'x-forwarded-proto': 'https' }, PROXY, 'https'],
    ['http before the proxy', PROXY, { 'x-forwarded-proto': 'https, http' }, PROXY, 'http'],
    ['a scheme that a stranger wrote', '203.0.113.7', { 'x-forwarded-proto': 'https' }, '203.0.113.7', null],
    [
      'RFC 7239',
      PROXY,
      { forwarded: 'for=1.2.3.4, For="[2001:db8::7]:4711";proto=https;by=10.0.0.1' },
      '2001:db8::7',
      'https',
    ],
    [
      'both headers, of which a proxy passes on the one it does not know',
      PROXY,
      { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=1.2.3.4' },
      '203.0.113.7',
      null,
    ],
  ] as const)('with %s', (_, remote, headers, address, scheme) => {
    expect(proxies.resolveClient(from(remote, headers))).toEqual({ address, scheme });
  });

  it('is whoever connects when no proxy is believed', () => {
    const nobody = new TrustedProxies([]);
    const request = from('127.0.0.1', { 'x-forwarded-for': '203.0.113.7' });
    expect(nobody.resolveClient(request).address).toBe('127.0.0.1');
    expect(isForwarded(request)).toBe(true);
    expect(isForwarded(from('127.0.0.1'))).toBe(false);
  });
});

it('limits count an IPv4 address, and the /64 of an IPv6 one', () => {
  expect(addressKey('203.0.113.7')).toBe('203.0.113.7');
  const one = addressKey('2001:db8:1:2::7');
  expect(one).toBe('2001:db8:1:2::/64');
  expect(addressKey('2001:0db8:0001:0002:ffff:0:0:1')).toBe(one);
  expect(addressKey('2001:db8:1:3::7')).not.toBe(one);
  expect(addressKey('::1')).toBe('0:0:0:0::/64');
});

it('this machine is one place, whichever of its addresses: a proxy on it that is not named leads everybody here', () => {
  const origin = (address: string) => toOrigin(address, addressKey(address));
  expect(origin('127.0.0.2')).toBe(origin('127.0.0.1'));
  expect(origin('::1')).toBe(origin('127.0.0.1'));
  expect(origin('203.0.113.7')).not.toBe(origin('127.0.0.1'));
  expect(origin('203.0.113.7')).not.toContain('203');
});
