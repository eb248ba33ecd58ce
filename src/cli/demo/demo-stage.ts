/** The stage of the demo: a sandbox shop, two servers on one ledger, two agents, a till, and a narrator. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SANDBOX_ACCESS_TOKEN } from '../../sandbox/api-rules/access.js';
import { SandboxServer } from '../../sandbox/server.js';

/** This very program, so that what is printed to be pasted starts what was just seen. */
export const HOLDFAST = fileURLToPath(new URL('../holdfast.js', import.meta.url));
const SHOP = 'sandbox.myshopify.com';
const API_VERSION = '2026-10';
const START_MAX_MS = 30_000;
const WAIT_MAX_MS = 20_000;
const POLL_MS = 50;

/** What a tool answered: its structured content, and whether it was a refusal. */
export interface ToolAnswer {
  readonly refused: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the demo reads answers as an agent does, without our types
  readonly data: any;
}

export class Agent {
  readonly name: string;
  readonly #client: Client;

  constructor(name: string, client: Client) {
    this.name = name;
    this.#client = client;
  }

  async call(tool: string, args: Record<string, unknown>): Promise<ToolAnswer> {
    const result = await this.#client.callTool({ name: tool, arguments: args });
    return { refused: result.isError === true, data: result.structuredContent };
  }

  /** Calls until the answer is as hoped for; throws when it never is. */
  async callUntil(
    tool: string,
    args: Record<string, unknown>,
    hoped: (answer: ToolAnswer) => boolean,
  ): Promise<ToolAnswer> {
    const deadline = Date.now() + WAIT_MAX_MS;
    for (;;) {
      const answer = await this.call(tool, args);
      if (hoped(answer)) return answer;
      if (Date.now() > deadline)
        throw new Error(`${tool} never answered as it should: ${JSON.stringify(answer.data)}`);
      await new Promise((resume) => setTimeout(resume, POLL_MS));
    }
  }

  async leave(): Promise<void> {
    await this.#client.close();
  }
}

/** What the merchant and other customers do at the shop, in Shopify's own Admin GraphQL over HTTP. */
export class Till {
  readonly #url: string;
  #receipts = 0;

  constructor(origin: string) {
    this.#url = `${origin}/admin/api/${API_VERSION}/graphql.json`;
  }

  /** Sells at the shop's first location that stocks the SKU; the shop does not ask whether anybody holds units. */
  async sell(sku: string, units: number): Promise<void> {
    const item = await this.#item(sku);
    const [level] = item.inventoryLevels.nodes;
    if (level === undefined) throw new Error(`${sku} is stocked nowhere`);
    this.#receipts += 1;
    const input = {
      name: 'available',
      reason: 'correction',
      changes: [
        { inventoryItemId: item.id, locationId: level.location.id, delta: -units, changeFromQuantity: null },
      ],
    };
    const { inventoryAdjustQuantities: done } = await this.#ask<{
      inventoryAdjustQuantities: { userErrors: unknown[] };
    }>(
      `mutation Sell($input: InventoryAdjustQuantitiesInput!, $key: String!) {
        inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { field message } } }`,
      { input, key: `till-${this.#receipts}` },
    );
    if (done.userErrors.length > 0)
      throw new Error(`the till could not sell: ${JSON.stringify(done.userErrors)}`);
  }

  /** The shop's own `available`, summed over its locations. */
  async available(sku: string): Promise<number> {
    const item = await this.#item(sku);
    return item.inventoryLevels.nodes.reduce((sum, level) => sum + (level.quantities[0]?.quantity ?? 0), 0);
  }

  /** The shop's orders, and how each is paid, in Shopify's word. */
  async orders(): Promise<readonly { readonly name: string; readonly payment: string }[]> {
    const { orders } = await this.#ask<{
      orders: { nodes: { name: string; displayFinancialStatus: string }[] };
    }>('query { orders(first: 50) { nodes { name displayFinancialStatus } } }');
    return orders.nodes.map((order) => ({ name: order.name, payment: order.displayFinancialStatus }));
  }

  async #item(sku: string): Promise<ShopItem> {
    const { productVariants } = await this.#ask<{
      productVariants: { nodes: { inventoryItem: ShopItem }[] };
    }>(
      `query Item($query: String!) { productVariants(first: 1, query: $query) { nodes { inventoryItem {
        id inventoryLevels(first: 10) { nodes { location { id } quantities(names: ["available"]) { quantity } } } } } } }`,
      { query: `sku:'${sku}'` },
    );
    const [variant] = productVariants.nodes;
    if (variant === undefined) throw new Error(`the shop does not know ${sku}`);
    return variant.inventoryItem;
  }

  async #ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': SANDBOX_ACCESS_TOKEN },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
    if (errors !== undefined) throw new Error(`the shop answered with errors: ${JSON.stringify(errors)}`);
    return data;
  }
}

interface ShopItem {
  readonly id: string;
  readonly inventoryLevels: {
    readonly nodes: readonly {
      readonly location: { readonly id: string };
      readonly quantities: readonly { readonly quantity: number }[];
    }[];
  };
}

export interface Stage {
  readonly till: Till;
  /** Connected over stdio, as Claude Desktop does. */
  readonly ada: Agent;
  /** Connected over HTTP, as agent frameworks do; another process on the same ledger. */
  readonly ben: Agent;
  readonly urls: { readonly shop: string; readonly mcp: string };
  readonly db: string;
  readonly environment: Readonly<Record<string, string>>;
  clear(): Promise<void>;
}

/** Starts everything on free ports and a new ledger in a temporary folder; `clear` takes all of it away again. */
export async function setStage(): Promise<Stage> {
  const undo: (() => Promise<void> | void)[] = [];
  const clear = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const shop = new SandboxServer();
    const { origin } = await shop.start();
    undo.push(() => shop.stop());
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const db = join(folder, 'holdfast.db');
    const environment = {
      HOLDFAST_DB: db,
      SHOPIFY_SHOP: SHOP,
      SHOPIFY_ACCESS_TOKEN: SANDBOX_ACCESS_TOKEN,
      SHOPIFY_ORIGIN: origin,
      HOLDFAST_HEARTBEAT_SECONDS: '1',
    };
    const { child, mcp } = await startHttpServer(environment, folder);
    undo.push(() => stopChild(child));
    const ben = await connect('Ben', new StreamableHTTPClientTransport(new URL(mcp)));
    undo.push(() => ben.leave());
    const ada = await connect('Ada', stdioServer(environment, folder));
    undo.push(() => ada.leave());
    return { till: new Till(origin), ada, ben, urls: { shop: origin, mcp }, db, environment, clear };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** A child gets none of the user's own settings, so that the demo never touches a real shop; nor his `.env`. */
function stdioServer(environment: Readonly<Record<string, string>>, cwd: string): StdioClientTransport {
  const env = { ...getDefaultEnvironment(), ...environment, HOLDFAST_LOG_LEVEL: 'error' };
  return new StdioClientTransport({
    command: process.execPath,
    args: [HOLDFAST, 'serve'],
    env,
    cwd,
    stderr: 'inherit',
  });
}

async function connect(
  name: string,
  transport: StdioClientTransport | StreamableHTTPClientTransport,
): Promise<Agent> {
  const client = new Client({ name: `holdfast-demo-${name.toLowerCase()}`, version: '1.0.0' });
  await client.connect(transport);
  return new Agent(name, client);
}

/** Resolves with its URL once the server says that it is serving. */
function startHttpServer(
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<{ child: ChildProcess; mcp: string }> {
  const child = spawn(process.execPath, [HOLDFAST, 'serve', '--http'], {
    cwd,
    env: {
      ...getDefaultEnvironment(),
      ...environment,
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_WEBHOOK_PORT: '0',
      HOLDFAST_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the HTTP server did not start in time')), START_MAX_MS);
    child.once('exit', (code) => reject(new Error(`the HTTP server ended with ${code} before it served`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const entry = JSON.parse(line) as { msg?: string; mcp?: string; level: number };
      if (entry.msg === 'serving' && entry.mcp !== undefined) {
        clearTimeout(late);
        resolve({ child, mcp: entry.mcp });
      } else if (entry.level >= ERROR_LEVEL) console.error(line);
    });
  });
}

const ERROR_LEVEL = 50;

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
