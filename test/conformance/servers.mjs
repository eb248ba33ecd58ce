/** The two servers that are judged: the suite's fixtures behind Holdfast's HTTP stack, and Holdfast itself. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import { OPEN_TO_LOOPBACK } from '../../dist/auth/authenticator.js';
import { LIMITS, readConfig } from '../../dist/config/config.js';
import { serveOnHttp } from '../../dist/http/http.js';
import { fixtureServer } from './fixtures/server.mjs';

export const HOLDFAST = fileURLToPath(new URL('../../dist/cli/holdfast.js', import.meta.url));

/** All that `serve --http` puts in front of a server: guards, limits, bodies. Only the mending of clients' quirks is off. */
export async function serveFixtures() {
  const bus = new InMemoryServerEventBus();
  const notify = {
    toolsChanged: () => bus.publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => bus.publish({ kind: 'prompts_list_changed' }),
  };
  const serving = await serveOnHttp(
    { version: '0' },
    {},
    {
      ...LIMITS.http,
      ...readConfig({}).http,
      port: 0,
      authenticator: OPEN_TO_LOOPBACK,
      // The SDK tells of every wrong request here, and the suite sends many: it judges the answers.
      onError: () => undefined,
      makeServer: ({ era }) => fixtureServer({ era, notify }),
      bus,
      lenient: false,
    },
  );
  return { url: `${serving.origin}/mcp`, stop: () => serving.close() };
}

/** `holdfast serve --http --sandbox`, as anybody starts it, in `cwd`. Rejects when it ends before it serves. */
export function serveHoldfast(cwd) {
  const child = spawn(process.execPath, [HOLDFAST, 'serve', '--http', '--sandbox'], {
    cwd,
    env: { PATH: process.env.PATH, HOLDFAST_HTTP_PORT: '0', HOLDFAST_WEBHOOK_PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    const told = [];
    createInterface(child.stderr).on('line', (line) => {
      told.push(line);
      const { msg, mcp } = line.startsWith('{') ? JSON.parse(line) : {};
      if (msg !== 'serving') return;
      const stop = () => {
        child.kill('SIGTERM');
        return ended;
      };
      resolve({ url: mcp, stop });
    });
    ended.then(() => reject(new Error(`Holdfast ended before it served:\n${told.join('\n')}`)));
  });
}
