/** The least an MCP server can do with the same SDK: one tool that answers at once. Over stdio, or HTTP with --http. */

import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

function noop() {
  const server = new McpServer({ name: 'noop', version: '0' }, { capabilities: { tools: {} } });
  server.registerTool(
    'noop',
    { description: 'Does nothing.', inputSchema: z.object({}), outputSchema: z.object({ ok: z.boolean() }) },
    () => ({ content: [{ type: 'text', text: '{"ok":true}' }], structuredContent: { ok: true } }),
  );
  return server;
}

if (process.argv.includes('--http')) {
  const server = createServer(toNodeHandler(createMcpHandler(noop)));
  server.listen(0, '127.0.0.1', () => {
    const origin = `http://127.0.0.1:${server.address().port}`;
    process.stderr.write(`${JSON.stringify({ msg: 'serving', mcp: `${origin}/mcp` })}\n`);
  });
} else {
  serveStdio(noop);
}
