/** The clients that agents really bring, over both transports, buy something for real. */

import { spawn } from 'node:child_process';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../../src/mcp/server.js';
import { SEED_SKUS } from '../../src/sandbox/base/catalogue.js';
import {
  type AnyClient,
  CLIENTS,
  type Connect,
  emptyFolder,
  type HttpChild,
  type Json,
  sandboxOnHttp,
  sandboxOnStdio,
  type ToolAnswer,
  type Where,
} from './any-client.js';

const SKU = SEED_SKUS.plentiful;
const FINAL_STATES = ['placed', 'rejected', 'failed', 'cancelled'];

const folder = emptyFolder();
afterAll(() => folder.remove());

/** A client whose every answer is held against what the server advertises of it. */
class StrictClient {
  readonly #client: AnyClient;
  readonly #validators = new Map<
    string,
    (value: unknown) => { valid: boolean; errorMessage?: string | undefined }
  >();

  private constructor(client: AnyClient) {
    this.#client = client;
  }

  static async connect(connect: Connect, where: Where): Promise<StrictClient> {
    const strict = new StrictClient(await connect(where));
    const ajv = new AjvJsonSchemaValidator();
    for (const { name, outputSchema } of await strict.#client.tools()) {
      strict.#validators.set(name, ajv.getValidator(outputSchema as Json));
    }
    return strict;
  }

  get client(): AnyClient {
    return this.#client;
  }

  async call(name: string, args: Record<string, unknown>): Promise<Json> {
    const answer = await this.#client.call(name, args);
    expect(answer.isError, `${name} was refused: ${answer.content[0]?.text}`).not.toBe(true);
    this.#expectWhole(name, answer);
    expect(
      TOOLS.find((tool) => tool.name === name)?.output.safeParse(answer.structuredContent),
    ).toMatchObject({ success: true });
    return answer.structuredContent;
  }

  async refusal(name: string, args: Record<string, unknown>): Promise<Json> {
    const answer = await this.#client.call(name, args);
    expect(answer.isError).toBe(true);
    this.#expectWhole(name, answer);
    return answer.structuredContent.error;
  }

  async callUntil(
    name: string,
    args: Record<string, unknown>,
    isReady: (answer: Json) => boolean,
  ): Promise<Json> {
    for (;;) {
      const answer = await this.call(name, args);
      if (isReady(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Complete on its own both as text and as structured content, as clients show their model only one of them. */
  #expectWhole(name: string, { content, structuredContent }: ToolAnswer): void {
    expect(content).toHaveLength(1);
    expect(content[0]?.type).toBe('text');
    expect(JSON.parse(content[0]?.text ?? '')).toEqual(structuredContent);
    expect(this.#validators.get(name)?.(structuredContent)).toMatchObject({ valid: true });
  }
}

async function buy(agent: StrictClient): Promise<Json> {
  const found = await agent.callUntil('find_items', { query: 'linen shirt white m' }, ({ items }) =>
    items.some((item: Json) => item.sku === SKU),
  );
  expect(JSON.stringify(found)).not.toMatch(/available|stock/);

  const { items } = await agent.call('check_stock', { skus: [SKU, 'NO-SUCH-SKU'] });
  expect(items[0]).toMatchObject({ sku: SKU, fresh: true, status: 'active' });

  const wish = { lines: [{ sku: SKU, quantity: 2 }], idempotency_key: crypto.randomUUID() };
  const reserved = await agent.call('reserve_units', wish);
  expect(reserved).toMatchObject({ status: 'active', stock_hash: items[0].stock_hash, replayed: false });

  // L7: a client that lost the answer sends the same key again.
  const again = await agent.call('reserve_units', wish);
  expect(again).toEqual({ ...reserved, replayed: true });

  const { reservation_id, stock_hash } = reserved;
  const submitted = await agent.call('submit_order_with_hash', { reservation_id, stock_hash });
  expect(submitted).toMatchObject({ reservation_id, hash_verdict: 'match', reasons: [] });

  return agent.callUntil('get_order', { order_id: submitted.order_id }, ({ status }) =>
    FINAL_STATES.includes(status),
  );
}

function expectPlaced(order: Json): void {
  expect(order).toMatchObject({
    status: 'placed',
    lines: [{ sku: SKU, quantity: 2 }],
    upstream: { order_name: expect.stringMatching(/^#\d+$/) },
  });
  expect(order.timeline.map(({ event }: Json) => event)).toEqual(
    expect.arrayContaining(['reservation.created', 'order.accepted', 'order.placed']),
  );
}

describe.each(Object.entries(CLIENTS))('%s over stdio', (_, connect) => {
  let agent: StrictClient;
  beforeAll(async () => {
    agent = await StrictClient.connect(connect, { command: sandboxOnStdio(folder.path) });
  });
  afterAll(() => agent.client.close());
  afterEach(() => expect(agent.client.complaints).toEqual([]));

  it('finds, checks, reserves, submits, and sees the order placed', async () => {
    expectPlaced(await buy(agent));
  });

  it('reads every refusal whole: it is an answer, not an exception', async () => {
    const refusal = await agent.refusal('release_reservation', { reservation_id: 'res_0' });
    expect(refusal).toMatchObject({ code: 'reservation_unknown', retry: 'changed_request' });
  });

  it('gets the instructions and the six tools', async () => {
    expect(agent.client.instructions).toContain('never quote stock from memory');
    expect((await agent.client.tools()).map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name));
  });
});

describe('over HTTP', () => {
  let server: HttpChild;
  beforeAll(async () => {
    server = await sandboxOnHttp(folder.path);
  });
  afterAll(async () => {
    // A server that is told to stop ends by itself, cleanly.
    expect(await server.stop()).toBe(0);
  });

  it.each(Object.entries(CLIENTS))('%s buys, and reads refusals', async (_, connect) => {
    const agent = await StrictClient.connect(connect, { url: server.url });
    try {
      expectPlaced(await buy(agent));
      const refusal = await agent.refusal('get_order', { order_id: 'ord_0' });
      expect(refusal).toMatchObject({ code: 'order_unknown', retry: 'changed_request' });
      expect(agent.client.complaints).toEqual([]);
    } finally {
      await agent.client.close();
    }
  });

  it('clients of both eras are answered in the era that they asked for', async () => {
    const eras = [];
    for (const connect of Object.values(CLIENTS)) {
      const client = await connect({ url: server.url });
      eras.push(client.protocolVersion);
      await client.close();
    }
    expect(eras).toEqual(['2025-11-25', '2025-11-25', '2026-07-28']);
  });
});

describe('stdout of a stdio server', () => {
  const INITIALIZE = {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '0' } },
  };
  const calls = [
    { id: 2, method: 'tools/list' },
    { id: 3, method: 'tools/call', params: { name: 'find_items', arguments: { query: 'linen' } } },
    { id: 4, method: 'tools/call', params: { name: 'reserve_units', arguments: { lines: 'nonsense' } } },
    { id: 5, method: 'tools/call', params: { name: 'check_stock', arguments: null } },
    { id: 6, method: 'tools/call', params: { name: 'no_such_tool', arguments: {} } },
    { id: 7, method: 'no/such/method' },
    { id: 8, method: 'ping' },
  ];

  it('carries nothing but JSON-RPC, at the chattiest log level, past lines that are none, to the end', async () => {
    const { command, args, cwd, env } = sandboxOnStdio(folder.path);
    const child = spawn(command, args, {
      cwd,
      env: { ...env, HOLDFAST_LOG_LEVEL: 'debug' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const send = (message: object) =>
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    let text = '';
    send(INITIALIZE);
    send({ method: 'notifications/initialized' });
    child.stdin.write('this is not JSON\n\n{"jsonrpc":"1.0"}\n');
    for (const call of calls) send(call);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const answered = text.split('\n').length - 1;
      if (answered === calls.length + 1) child.stdin.end();
    });
    expect(await ended).toBe(0);

    const messages = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages.map(({ jsonrpc }) => jsonrpc)).toEqual(messages.map(() => '2.0'));
    expect(messages.map(({ id }) => id).sort()).toEqual([1, ...calls.map(({ id }) => id)]);
    const byId = new Map(messages.map((message) => [message.id, message]));
    expect(byId.get(4).result.isError).toBe(true);
    expect(byId.get(5).error.code).toBe(-32602);
    expect(byId.get(6).error.code).toBe(-32602);
    expect(byId.get(7).error.code).toBe(-32601);
    expect(byId.get(8).result).toEqual({});
  });
});
