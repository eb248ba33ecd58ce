/** MCP over stdin and stdout. stdout carries JSON-RPC and nothing else. */

import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { mcpServer, type ServerIdentity, type ToolContext } from '../tools/server.js';

export interface StdioServing {
  /** Resolves when the client has closed its end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export function serveOnStdio(
  identity: ServerIdentity,
  context: ToolContext,
  onError: (error: unknown) => void,
): StdioServing {
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
  const handle = serveStdio(() => mcpServer(identity, context), { onerror: onError });
  return { ended, close: () => handle.close() };
}
