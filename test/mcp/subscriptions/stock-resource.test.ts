/** Stock as a resource, read over a real connection. */

import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/mcp/kit/caller.js';
import { LOCAL_CALLER, mcpServer } from '../../../src/mcp/server.js';
import type { Push } from '../../../src/mcp/subscriptions/stock-resource.js';
import { MINUTE, SECOND, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a stranger would read them
type Json = any;

let shop: TestLedger;
let clients: Client[];
const bugs: unknown[] = [];

beforeEach(async () => {
  clients = [];
  bugs.length = 0;
  shop = await TestLedger.open();
  await shop.readWhole();
  await shop.seed({ sku: 'a/b 100%', levels: { [WAREHOUSE]: 10 } });
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await shop.close();
});

async function connected(push: Push = null, caller: Caller = LOCAL_CALLER): Promise<Client> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const reportBug = (error: unknown): string => {
    bugs.push(error);
    return 'bug-1';
  };
  await mcpServer({ version: '0' }, { ledger: shop.ledger, caller, reportBug }, push).connect(ours);
  const client = new Client({ name: 'reader', version: '0' });
  await client.connect(theirs);
  clients.push(client);
  return client;
}

const URI = 'stock://sku/a%2Fb%20100%25';

async function read(client: Client, uri = URI) {
  const result = (await client.readResource({ uri })) as Awaited<ReturnType<Client['readResource']>> & {
    ttlMs?: number;
    cacheScope?: string;
  };
  const [content] = result.contents;
  return {
    ...result,
    content,
    stock: JSON.parse(content !== undefined && 'text' in content ? content.text : ''),
  };
}

describe('a SKU’s stock', () => {
  it('says what check_stock says of it', async () => {
    const client = await connected();
    const { structuredContent } = await client.callTool({
      name: 'check_stock',
      arguments: { skus: ['a/b 100%'] },
    });
    const { items, queried_at, valid_until } = structuredContent as { [name: string]: object[] };
    const { content, stock, cacheScope } = await read(client);
    expect(stock).toEqual({ ...items?.[0], queried_at, valid_until });
    expect(content).toMatchObject({ uri: URI, mimeType: 'application/json' });
    expect(cacheScope).toBe('private');
  });

  it('may be kept for as long as it stays fresh', async () => {
    const client = await connected();
    shop.time.pass(30 * SECOND);
    expect((await read(client)).ttlMs).toBe(90 * SECOND);
  });

  it('may be kept for five minutes at most, however slowly it sells', async () => {
    shop.time.pass(3 * 60 * MINUTE);
    await shop.levels('a/b 100%', { [WAREHOUSE]: 10 });
    await shop.seed({ sku: 'a/b 100%' });
    const { stock, ttlMs } = await read(await connected());
    expect(stock).toMatchObject({ fresh: true, max_age_seconds: 1_800 });
    expect(ttlMs).toBe(300_000);
  });

  it('may not be kept when it is not fresh', async () => {
    shop.time.pass(10 * MINUTE);
    const { stock, ttlMs } = await read(await connected());
    expect(stock).toMatchObject({ fresh: false, available_to_promise: 0 });
    expect(ttlMs).toBe(0);
  });

  it.each(['stock://sku/NO-SUCH', 'stock://other/MUG', 'file:///etc/passwd', 'stock://sku/%00', 'no uri'])(
    '%j is not found, in words of ours',
    async (uri) => {
      const client = await connected();
      await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32_602 });
      const said = await client.readResource({ uri }).catch((error: Error) => error.message);
      expect(said).toContain('There is no stock under this URI.');
      expect(said).not.toContain(uri);
    },
  );

  it('that can’t be read for a bug is told with a request id alone', async () => {
    const client = await connected();
    await shop.store.close();
    await expect(client.readResource({ uri: URI })).rejects.toMatchObject({
      code: -32_603,
      data: { request_id: 'bug-1' },
    });
    expect(bugs).toHaveLength(1);
  });
});

describe('resources', () => {
  it('are a template and no list: a catalogue does not belong in a context', async () => {
    const client = await connected();
    expect((await client.listResources()).resources).toEqual([]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates).toMatchInlineSnapshot(`
      [
        {
          "description": "What check_stock says of one SKU, as JSON.",
          "mimeType": "application/json",
          "name": "stock",
          "title": "Stock of a SKU",
          "uriTemplate": "stock://sku/{sku}",
        },
      ]
    `);
  });

  it('are not there for a caller who may not read stock', async () => {
    const client = await connected(null, { ...LOCAL_CALLER, scopes: new Set(['orders:submit'] as const) });
    expect(client.getServerCapabilities()?.resources).toBeUndefined();
    await expect(client.readResource({ uri: URI })).rejects.toThrow();
  });

  it('can be followed only where somebody listens', async () => {
    expect((await connected()).getServerCapabilities()?.resources).toEqual({});
    const followed: string[] = [];
    const push: Push = {
      subscribe: (uris) => {
        if (followed.length > 0) return false;
        followed.push(...uris);
        return true;
      },
      unsubscribe: () => followed.splice(0),
    };
    const client = await connected(push);
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: true });
    await client.subscribeResource({ uri: URI });
    expect(followed).toEqual([URI]);
    await expect(client.subscribeResource({ uri: 'stock://sku/more' })).rejects.toMatchObject({
      code: -32_600,
    });
    await expect(client.subscribeResource({ uri: 'file:///etc/passwd' })).rejects.toMatchObject({
      code: -32_602,
    });
    await client.unsubscribeResource({ uri: URI });
    expect(followed).toEqual([]);
  });
});

describe('check_stock', () => {
  it.each([['2024-11-05'], ['2025-03-26'], ['2025-06-18'], ['2025-11-25']])(
    'answers a client of %s with text alone: links break the next turn of some frameworks',
    async (revision) => {
      const [ours, theirs] = InMemoryTransport.createLinkedPair();
      await mcpServer(
        { version: '0' },
        { ledger: shop.ledger, caller: LOCAL_CALLER, reportBug: String },
      ).connect(ours);
      const answers: Json[] = [];
      theirs.onmessage = (message) => answers.push(message);
      await theirs.start();
      const clientInfo = { name: 'old', version: '0' };
      const hello = { protocolVersion: revision, capabilities: {}, clientInfo };
      await theirs.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello });
      const call = { name: 'check_stock', arguments: { skus: ['a/b 100%'] } };
      await theirs.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call });
      await expect.poll(() => answers.length).toBe(2);
      expect(answers[0].result.protocolVersion).toBe(revision);
      expect(answers[1].result.content.map(({ type }: Json) => type)).toEqual(['text']);
      await theirs.close();
    },
  );
});
