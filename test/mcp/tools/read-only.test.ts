import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mcpServer } from '../../../src/mcp/server.js';
import { AGENT_CALLER, TestLedger } from '../../helpers/ledger.js';

let t: TestLedger;
let client: Client;
beforeEach(async () => {
  t = await TestLedger.open({ settings: { read_only: true } });
  await t.seed({ sku: 'tee' });
  const context = {
    ledger: t.ledger,
    read_only: true,
    caller: AGENT_CALLER,
    reportBug: (error: unknown) => {
      throw error;
    },
  };
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await mcpServer({ version: '0' }, context).connect(ours);
  client = new Client({ name: 'test', version: '0' });
  await client.connect(theirs);
});
afterEach(async () => {
  await client.close();
  await t.close();
});

test('a read-only server has the tools that read, and says so', async () => {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['find_items', 'check_stock', 'get_order']);
  expect(client.getInstructions()).toContain('read-only: it reserves and sells nothing');
  const checked = await client.callTool({ name: 'check_stock', arguments: { skus: ['tee'] } });
  expect(checked.structuredContent).toMatchObject({ items: [{ available_to_promise: 10 }] });
});

test('a tool that is not there can’t be called', async () => {
  await expect(
    client.callTool({ name: 'reserve_units', arguments: { lines: [{ sku: 'tee', quantity: 1 }] } }),
  ).rejects.toThrow('There is no such tool here. The tools are find_items, check_stock, get_order.');
  expect(await t.atp('tee')).toBe(10);
});
