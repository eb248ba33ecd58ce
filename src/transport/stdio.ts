/** MCP over stdin and stdout. stdout carries JSON-RPC and nothing else. */

import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { LOCAL_CALLER, mcpServer, type ServerIdentity, type ToolHost } from '../tools/server.js';

export interface StdioServing {
  /** Resolves when the client has closed its end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export function serveOnStdio(
  identity: ServerIdentity,
  host: ToolHost,
  onError: (error: unknown) => void,
): StdioServing {
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
  const handle = serveStdio(() => mcpServer(identity, { ...host, caller: LOCAL_CALLER }), {
    onerror: onError,
  });
  return { ended, close: () => handle.close() };
}
