/** The bytes that real clients send, over a socket. Each was seen in the field; without the normaliser each is turned away. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withoutQuirks } from '../../../src/http/mcp/client-quirks.js';
import { JSON_CLIENT, post, sendBytes, toolCall } from '../../helpers/raw-http.js';
import { ServedHere } from '../../helpers/served-here.js';

const FIND = { query: 'mug' };
const ENVELOPE = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'agent', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};
const NAMED = ['Mcp-Method: tools/call', 'Mcp-Name: find_items'];
const JSON_BODY = 'Content-Type: application/json';
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'agent', version: '1' } },
});

let here: ServedHere;
beforeEach(async () => {
  here = await ServedHere.open();
});
afterEach(() => here.close());

/** What is sent, and what the answer has to hold. `strict`: the answer to the same bytes without the normaliser. */
const QUIRKS: Readonly<
  Record<string, { headers: readonly string[]; body: string; holds: string; strict: number }>
> = {
  'a version header of 2026-07-28 without the envelope': {
    headers: [...JSON_CLIENT, 'MCP-Protocol-Version: 2026-07-28'],
    body: toolCall('find_items', FIND),
    holds: '"resultType":"complete"',
    strict: 400,
  },
  'a version header of 2026-07-28 on initialize': {
    headers: [...JSON_CLIENT, 'MCP-Protocol-Version: 2026-07-28'],
    body: INITIALIZE,
    holds: '"protocolVersion":"2025-11-25"',
    strict: 400,
  },
  'an older version header with a modern envelope': {
    headers: [...JSON_CLIENT, 'MCP-Protocol-Version: 2025-11-25', ...NAMED],
    body: toolCall('find_items', FIND, ENVELOPE),
    holds: '"resultType":"complete"',
    strict: 400,
  },
  'a modern envelope without any of its headers': {
    headers: JSON_CLIENT,
    body: toolCall('find_items', FIND, ENVELOPE),
    holds: '"resultType":"complete"',
    strict: 400,
  },
  'the version header twice on one line': {
    headers: [...JSON_CLIENT, 'MCP-Protocol-Version: 2025-11-25, 2025-11-25'],
    body: toolCall('find_items', FIND),
    holds: 'MUG',
    strict: 400,
  },
  'the version header on two lines': {
    headers: [...JSON_CLIENT, 'MCP-Protocol-Version: 2025-11-25', 'MCP-Protocol-Version: 2025-11-25'],
    body: toolCall('find_items', FIND),
    holds: 'MUG',
    strict: 400,
  },
  'Accept: application/json alone': {
    headers: [JSON_BODY, 'Accept: application/json'],
    body: toolCall('find_items', FIND),
    holds: 'MUG',
    strict: 406,
  },
  'Accept: */* alone': {
    headers: [JSON_BODY, 'Accept: */*'],
    body: toolCall('find_items', FIND),
    holds: 'MUG',
    strict: 406,
  },
  'no Accept at all': {
    headers: [JSON_BODY],
    body: toolCall('find_items', FIND),
    holds: 'MUG',
    strict: 406,
  },
};

describe('a client that sends', () => {
  it.each(Object.entries(QUIRKS))(
    '%s is served, in one piece of JSON',
    async (_, { headers, body, holds }) => {
      const { origin } = await here.serve();
      const answer = await sendBytes(origin, post(headers, body));
      expect([answer.status, answer.body]).toEqual([200, expect.stringContaining(holds)]);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(answer.body)),
      });
    },
  );

  it.each(Object.entries(QUIRKS))(
    '%s is turned away to the letter when the normaliser is off',
    async (_, { headers, body, strict }) => {
      const { origin } = await here.serve({ lenient: false });
      expect((await sendBytes(origin, post(headers, body))).status).toBe(strict);
    },
  );
});

it('a name in the header that is not the name in the body is no quirk: it stays an error', async () => {
  const { origin } = await here.serve();
  const headers = [
    ...JSON_CLIENT,
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: check_stock',
  ];
  const answer = await sendBytes(origin, post(headers, toolCall('find_items', FIND, ENVELOPE)));
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, -32_020]);
});

it('two versions that differ are not guessed at', async () => {
  const { origin } = await here.serve();
  const headers = [...JSON_CLIENT, 'MCP-Protocol-Version: 2025-06-18, 2025-11-25'];
  expect((await sendBytes(origin, post(headers, toolCall('find_items', FIND)))).status).toBe(400);
});

it('a request without quirks is passed on as it is', () => {
  const said = {
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'find_items',
    },
    body: JSON.parse(toolCall('find_items', FIND, ENVELOPE)),
  };
  expect(withoutQuirks(said).body).toBe(said.body);
  expect(withoutQuirks(said).headers).toBe(said.headers);
});
