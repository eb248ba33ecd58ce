/** One contestant of group h in a process of its own. It tells its CPU when asked, so that nothing has to look into it. */

import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, Server } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { openHoldfast } from '../../dist/app/open-app.js';
import { OPEN_TO_LOOPBACK } from '../../dist/auth/authenticator.js';
import { LIMITS, readConfig } from '../../dist/config/config.js';
import { serveOnHttp } from '../../dist/http/http.js';

const ANSWER = { content: [{ type: 'text', text: '{"ok":true}' }], structuredContent: { ok: true } };
/** Our answers go out in one piece of JSON; the tools of another server might stream, ours and this one never do. */
const CONTESTANTS = {
  /** What the SDK's documentation shows. */
  sdk: async () => {
    const server = createServer(
      toNodeHandler(
        createMcpHandler(() => {
          const mcp = new McpServer({ name: 'noop', version: '0' }, { capabilities: { tools: {} } });
          mcp.registerTool(
            'noop',
            {
              description: 'Does nothing.',
              inputSchema: z.object({}),
              outputSchema: z.object({ ok: z.boolean() }),
            },
            () => ANSWER,
          );
          return mcp;
        }),
      ),
    );
    return listening(server);
  },
  /** The least that HTTP and JSON cost here. */
  raw: async () =>
    listening(
      createServer((request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
          const { id } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          const text = JSON.stringify({ jsonrpc: '2.0', id, result: ANSWER });
          const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
          response.writeHead(200, headers).end(text);
        });
      }),
    ),
  /** A tool that does nothing, behind all that stands before ours. */
  noop: async () => {
    const makeServer = () => {
      const server = new Server({ name: 'noop', version: '0' }, { capabilities: { tools: {} } });
      server.setRequestHandler('tools/call', () => ANSWER);
      return server;
    };
    const { origin } = await serveOnHttp(
      { version: '0' },
      {},
      { ...serving(), makeServer, streams_calls: false },
    );
    return origin;
  },
  holdfast: async () => {
    const holdfast = openHoldfast(readConfig(process.env), { debug() {}, info() {}, warn() {}, error() {} });
    holdfast.startLoops();
    const { origin } = await serveOnHttp({ version: '0' }, holdfast.tools, serving());
    return origin;
  },
};

function serving() {
  return {
    ...LIMITS.http,
    rate_per_minute: 1e9,
    rate_per_address_per_minute: 1e9,
    host: '127.0.0.1',
    port: 0,
    authenticator: OPEN_TO_LOOPBACK,
    onError: () => undefined,
  };
}

function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

const origin = await CONTESTANTS[process.argv[2]]();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu_us: user + system });
});
process.send({ origin });
