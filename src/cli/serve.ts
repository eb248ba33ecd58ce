/** `holdfast serve`: the MCP server on stdio or HTTP, until its client leaves or it is told to stop. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, LIMITS, machineEnvironment, readConfig } from '../config.js';
import { openHoldfast } from '../main.js';
import { type Log, stderrLog } from '../observability/log.js';

export interface ServeOptions {
  readonly version: string;
  readonly http: boolean;
  readonly sandbox: boolean;
}

export async function serve(options: ServeOptions): Promise<void> {
  const config = readConfig(machineEnvironment());
  const log = stderrLog(config.log_level);
  const shop = options.sandbox ? await withSandbox(config) : { config, stop: async () => {} };
  const holdfast = openHoldfast(shop.config, log);
  const stopAll = async (): Promise<void> => {
    await holdfast.stop();
    await shop.stop();
  };
  try {
    if (options.http) await untilStopped(holdfast, shop.config, options.version, log);
    else await untilClientLeaves(holdfast, options.version, log);
  } finally {
    await stopAll();
  }
}

type Running = ReturnType<typeof openHoldfast>;

async function untilClientLeaves(holdfast: Running, version: string, log: Log): Promise<void> {
  const { serveOnStdio } = await import('../transport/stdio.js');
  const onError = (error: unknown): void => log.warn('stdio_error', { error: String(error) });
  const serving = serveOnStdio({ version }, holdfast.tools, onError);
  const loops = setTimeout(() => holdfast.startLoops(), LIMITS.stdio_loops_delay_ms);
  await Promise.race([serving.ended, stopSignal()]);
  clearTimeout(loops);
  // Answers under way are still given: an agent whose call was cut off can't tell whether its units are reserved.
  await holdfast.settled();
  await serving.close();
}

async function untilStopped(holdfast: Running, config: Config, version: string, log: Log): Promise<void> {
  const { serveOnHttp } = await import('../transport/http.js');
  const onError = (error: unknown): void => log.warn('http_error', { error: String(error) });
  const serving = await serveOnHttp({ version }, holdfast.tools, { ...config.http, ...LIMITS.http, onError });
  holdfast.startLoops();
  log.info('serving', { mcp: `${serving.origin}/mcp` });
  await stopSignal();
  log.info('stopping');
  await serving.close();
}

/** The built-in shop starts empty-handed each time, so its ledger is thrown away too unless one was named. */
async function withSandbox(config: Config): Promise<{ config: Config; stop: () => Promise<void> }> {
  const [{ SandboxServer }, access] = await Promise.all([
    import('../sandbox/server.js'),
    import('../sandbox/access.js'),
  ]);
  const server = new SandboxServer();
  const { origin } = await server.start();
  const folder = config.is_db_chosen ? null : mkdtempSync(join(tmpdir(), 'holdfast-sandbox-'));
  return {
    config: {
      ...config,
      db: folder === null ? config.db : join(folder, 'holdfast.db'),
      shop: {
        shop: 'sandbox.myshopify.com',
        credentials: { access_token: access.SANDBOX_ACCESS_TOKEN },
        origin,
      },
    },
    stop: async () => {
      await server.stop();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
