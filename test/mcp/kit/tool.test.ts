/** What the one wrapper around every tool makes of a bug and of a ledger that is busy. */

import { afterEach, describe, expect, it } from 'vitest';
import { TOOLS, type ToolContext } from '../../../src/mcp/server.js';
import { loadDriver } from '../../../src/store/sqlite/database/load-driver.js';
import { AGENT_CALLER, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

interface Bug {
  readonly error: unknown;
  readonly tool: string;
  readonly request_id: string;
}

const open: TestLedger[] = [];
afterEach(async () => {
  for (const shop of open.splice(0)) await shop.close();
});

async function stage(
  busy_deadline_ms = 10_000,
): Promise<{ shop: TestLedger; context: ToolContext; bugs: Bug[] }> {
  const shop = await TestLedger.open({ store: { busy_deadline_ms } });
  open.push(shop);
  await shop.seed({ sku: 'MUG', levels: { [WAREHOUSE]: 10 } });
  const bugs: Bug[] = [];
  const context: ToolContext = {
    ledger: shop.ledger,
    caller: AGENT_CALLER,
    reportBug: (error, tool) => {
      const request_id = `bug-${bugs.length}`;
      bugs.push({ error, tool, request_id });
      return request_id;
    },
  };
  return { shop, context, bugs };
}

async function run(context: ToolContext, name: string, args: unknown) {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const result = await tool.run(context, args);
  expect(JSON.parse(result.content[0]?.type === 'text' ? result.content[0].text : '')).toEqual(
    result.structuredContent,
  );
  return result as typeof result & { structuredContent: { error: Record<string, unknown> } };
}

const ONE_MUG = { lines: [{ sku: 'MUG', quantity: 1 }] };

describe('a bug', () => {
  it.each(TOOLS.map(({ name }) => name))(
    'in %s answers internal with a request id, and goes to the log alone',
    async (name) => {
      const { shop, context, bugs } = await stage();
      // A ledger that is closed under a server that still takes calls: every verb throws.
      await shop.close();
      const { isError, structuredContent } = await run(
        context,
        name,
        {
          find_items: { query: 'mug' },
          check_stock: { skus: ['MUG'] },
          reserve_units: ONE_MUG,
          submit_order_with_hash: { reservation_id: 'res_0', stock_hash: `sha256:${'0'.repeat(64)}` },
          get_order: { order_id: 'ord_0' },
          release_reservation: { reservation_id: 'res_0' },
        }[name],
      );
      expect(bugs).toHaveLength(1);
      const [bug = { error: null, tool: '', request_id: '' }] = bugs;
      expect(bug.tool).toBe(name);
      expect(bug.error).toBeInstanceOf(Error);
      expect(isError).toBe(true);
      expect(structuredContent.error).toMatchObject({
        code: 'internal',
        retry: 'later',
        details: { request_id: bug.request_id },
      });
      expect(JSON.stringify(structuredContent)).not.toContain((bug.error as Error).message);
    },
  );
});

describe('a ledger that another process has locked', () => {
  it('answers busy, says to send the same again, and has written nothing', async () => {
    const { shop, context, bugs } = await stage(50);
    const other = new (loadDriver())(shop.path);
    other.exec('BEGIN IMMEDIATE');
    const refusal = (await run(context, 'reserve_units', ONE_MUG)).structuredContent.error;
    other.exec('ROLLBACK');
    other.close();
    expect(refusal).toMatchObject({ code: 'busy', retry: 'same_request', retry_after_seconds: 1 });
    expect(bugs).toEqual([]);
    expect(await shop.atp('MUG')).toBe(10);
    expect((await run(context, 'reserve_units', ONE_MUG)).isError).toBeUndefined();
  });
});

it('an optional field that a model sends as null counts as left out, and a needed one does not', async () => {
  const { context } = await stage();
  const line = { sku: 'MUG', quantity: 1, location_id: null };
  const wish = { lines: [line], ttl_seconds: null, idempotency_key: null, allow_partial: null };
  const reserve = TOOLS.find(({ name }) => name === 'reserve_units');
  const granted = await reserve?.run(context, wish);
  expect(granted?.structuredContent).toMatchObject({ status: 'active', ttl_seconds: 900 });
  const refused = await reserve?.run(context, { lines: [{ ...line, quantity: null }] });
  expect(refused?.structuredContent).toMatchObject({ error: { code: 'units_invalid' } });
});

it('a time of nothing, or of a day, is no error: the answer says what was given', async () => {
  const { context } = await stage();
  const reserve = TOOLS.find(({ name }) => name === 'reserve_units');
  for (const [asked, given] of [
    [0, 60],
    [-5, 60],
    [86_400, 900],
  ]) {
    const answer = await reserve?.run(context, { ...ONE_MUG, ttl_seconds: asked });
    expect(answer?.structuredContent).toMatchObject({ ttl_seconds: given });
  }
});

describe('what a token allows', () => {
  it.each([
    ['reserve_units', { lines: [{ sku: 'MUG', quantity: 1 }] }, 'inventory:reserve'],
    ['submit_order_with_hash', { reservation_id: 'res_1', stock_hash: 'sha256:' }, 'orders:submit'],
    ['check_stock', { skus: ['MUG'] }, 'inventory:read'],
  ] as const)(
    '%s is refused without its scope, whatever the arguments, and names it',
    async (tool, args, scope) => {
      const { context } = await stage();
      const scopes = new Set([...context.caller.scopes].filter((held) => held !== scope));
      const answer = await run({ ...context, caller: { ...context.caller, scopes } }, tool, args);
      expect(answer.isError).toBe(true);
      expect(answer.structuredContent.error).toMatchObject({
        code: 'scope_missing',
        retry: 'never',
        details: { scope },
      });
    },
  );
});
