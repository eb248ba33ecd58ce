/**
 * The clients that agents really bring, behind one small face: the v1 SDK's, and the v2 client in both protocol eras,
 * each over stdio (a child process of the built command) and over HTTP.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { pathInDist } from '../helpers/built.js';

/** What `npm run build` makes. */
export const HOLDFAST = pathInDist('cli/holdfast.js');

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a stranger would read them
export type Json = any;

export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly annotations?: object;
  readonly inputSchema: object;
  readonly outputSchema?: object;
}

export interface ToolAnswer {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: Json;
  readonly isError?: boolean;
}

export interface AnyClient {
  readonly protocolVersion: string | undefined;
  readonly instructions: string | undefined;
  /** What the client complained about besides answers, such as lines that are no JSON-RPC. */
  readonly complaints: readonly Error[];
  tools(): Promise<ToolDefinition[]>;
  call(name: string, args: Record<string, unknown>): Promise<ToolAnswer>;
  /** Follows a resource in the way of its era, once; `changed` is told the URI of every notice. */
  follow(uri: string, changed: (uri: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** Where a client finds the server: at a URL, or as a child of its own. */
export type Where = { readonly url: URL } | { readonly command: ChildCommand };

export interface ChildCommand {
  readonly command: string;
  readonly args: string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly stderr: 'ignore';
}

export type Connect = (where: Where) => Promise<AnyClient>;

const IDENTITY = { name: 'holdfast-test', version: '0' };

/** By what they are called in the field. */
export const CLIENTS: Readonly<Record<string, Connect>> = {
  'the v1 SDK client': connectV1,
  'the v2 client in the initialize era': (where) => connectV2(where, 'legacy'),
  'the v2 client in the 2026-07-28 era': (where) => connectV2(where, { pin: '2026-07-28' }),
};

async function connectV1(where: Where): Promise<AnyClient> {
  const client = new ClientV1(IDENTITY);
  const complaints: Error[] = [];
  client.onerror = (error) => complaints.push(error);
  const transport = 'url' in where ? new HttpV1(where.url) : new StdioV1(where.command);
  // Its own types disagree with `exactOptionalPropertyTypes`.
  await client.connect(transport as Parameters<ClientV1['connect']>[0]);
  return {
    protocolVersion: 'url' in where ? (transport as HttpV1).protocolVersion : undefined,
    instructions: client.getInstructions(),
    complaints,
    tools: async () => (await client.listTools()).tools as ToolDefinition[],
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as ToolAnswer,
    follow: async (uri, changed) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => changed(params.uri));
      await client.subscribeResource({ uri });
    },
    close: () => client.close(),
  };
}

async function connectV2(where: Where, mode: 'legacy' | { pin: string }): Promise<AnyClient> {
  const client = new ClientV2(IDENTITY, { versionNegotiation: { mode } });
  const complaints: Error[] = [];
  client.onerror = (error) => complaints.push(error);
  await client.connect('url' in where ? new HttpV2(where.url) : new StdioV2(where.command));
  return {
    protocolVersion: client.getNegotiatedProtocolVersion(),
    instructions: client.getInstructions(),
    complaints,
    tools: async () => (await client.listTools()).tools as ToolDefinition[],
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as ToolAnswer,
    follow: async (uri, changed) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => changed(params.uri));
      if (mode === 'legacy') await client.subscribeResource({ uri });
      else await client.listen({ resourceSubscriptions: [uri] });
    },
    close: () => client.close(),
  };
}

/** An empty folder to start in: no `.env`, no ledger. */
export function emptyFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function sandboxOnStdio(cwd: string): ChildCommand {
  return {
    command: process.execPath,
    args: [HOLDFAST, 'serve', '--sandbox'],
    cwd,
    env: { PATH: process.env['PATH'] ?? '' },
    stderr: 'ignore',
  };
}

export interface HttpChild {
  readonly url: URL;
  /** Tells it to stop, and resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** `serve --http --sandbox` on a free port. */
export async function sandboxOnHttp(cwd: string): Promise<HttpChild> {
  const child: ChildProcessByStdio<null, null, Readable> = spawn(
    process.execPath,
    [HOLDFAST, 'serve', '--http', '--sandbox'],
    {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOLDFAST_HTTP_PORT: '0', HOLDFAST_WEBHOOK_PORT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const told: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    told.push(line);
    const entry = line.startsWith('{') ? JSON.parse(line) : {};
    if (entry.msg !== 'serving') continue;
    child.stderr.resume();
    return {
      url: new URL(entry.mcp),
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    };
  }
  throw new Error(`the server ended before it served: ${told.join('\n')}`);
}
