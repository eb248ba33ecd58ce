/** MCP over stdin and stdout. stdout carries JSON-RPC and nothing else. */

import type { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import {
  LOCAL_CALLER,
  mcpServer,
  type ServerIdentity,
  type StockHub,
  type ToolHost,
  unconfiguredServer,
} from '../mcp/server.js';
import { ListeningTransport } from './listening-transport.js';

export interface StdioServing {
  /** Resolves when the client has closed its end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export function serveOnStdio(
  identity: ServerIdentity,
  { host, hub }: { readonly host: ToolHost; readonly hub: StockHub },
  onError: (error: unknown) => void,
): StdioServing {
  const ended = inputEnded();
  // The one that serves: what a client asks first, to find out who we are, may be answered by another.
  let server: Server | null = null;
  const reader = hub.open(LOCAL_CALLER.principal, {
    state: () => (wire.isClear ? 'clear' : 'full'),
    send: (uri) => {
      server?.sendResourceUpdated({ uri }).catch(onError);
    },
    // Its calls need the same way out: a client that reads nothing only hears no more of changes.
    drop: () => {},
  });
  if (reader === null) throw new Error('a process has one stdin, and this is its first reader');
  const wire = new ListeningTransport(new StdioServerTransport(), reader);
  const handle = serveStdio(
    ({ era }) => {
      const push = era === 'modern' ? 'listen' : reader;
      server = mcpServer(identity, { ...host, caller: LOCAL_CALLER }, push);
      return server;
    },
    { onerror: onError, transport: wire },
  );
  return {
    ended,
    close: async () => {
      reader.close();
      await handle.close();
    },
  };
}

/** Serves a client before there is a ledger: every tool answers with `sentence`, which says what is to be done first. */
export function serveUnconfigured(
  identity: ServerIdentity,
  sentence: string,
  onError: (error: unknown) => void,
): StdioServing {
  const ended = inputEnded();
  const handle = serveStdio(() => unconfiguredServer(identity, sentence), { onerror: onError });
  return { ended, close: () => handle.close() };
}

function inputEnded(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
}
