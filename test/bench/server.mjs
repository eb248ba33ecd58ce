/**
 * Group d: what a call costs the server in CPU, over a tool that does nothing on the same SDK, and how long a
 * fresh process takes to its first answer. The shop is the sandbox, in this process: its CPU is not counted.
 */

import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SandboxServer } from '../../dist/sandbox/server.js';
import { NO_QUOTAS, tempFolder } from './arena.mjs';
import { median, number, table, verdict } from './report.mjs';

// The HTTP client listens on one signal once a call, and would warn of each past the first 1,500.
setMaxListeners(0);

const HOLDFAST = fileURLToPath(new URL('../../dist/cli/holdfast.js', import.meta.url));
const NOOP = fileURLToPath(new URL('noop-server.mjs', import.meta.url));
const STOCK_UNITS = 100_000_000;
/** Calls in flight at once. */
const IN_FLIGHT = [1, 16];
/** A tick of /proc/<pid>/stat is 10 ms of CPU on every Linux that node runs on. */
const TICK_US = 10_000;
/** Issue 2, acceptance line 9: at most +60 % over the tool that does nothing, on stdio. */
const TARGET = 1.6;

export async function server({ quick }) {
  if (process.platform !== 'linux') {
    console.log('\nd. is skipped: CPU of another process is read from /proc, which only Linux has.');
    return [];
  }
  const { folder, remove } = tempFolder();
  const sandbox = new SandboxServer();
  const { origin } = await sandbox.start();
  const sku = stockUp(sandbox.shop);
  const env = {
    PATH: process.env.PATH ?? '',
    ...NO_QUOTAS,
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
    SHOPIFY_ORIGIN: origin,
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_RATE_PER_MINUTE: '100000000',
    HOLDFAST_RATE_PER_ADDRESS_PER_MINUTE: '100000000',
    // What the outbox does at the shop afterwards is not part of a call.
    HOLDFAST_MIRROR: 'none',
  };
  const results = { calls: [], cold_start: [] };
  try {
    for (const over of ['stdio', 'HTTP']) {
      results.calls.push(...(await calls({ over, env, folder, sku, quick })));
    }
    results.cold_start = await coldStarts({ env, folder, sku, rounds: quick ? 3 : 9 });
  } finally {
    await sandbox.stop();
    remove();
  }
  print(results);
  return results;
}

/** Stocks an item that can be sold, and says which: the first, or one after `skip` others. */
export function stockUp(shop, units = STOCK_UNITS, skip = 0) {
  let left = skip;
  for (const item of shop.inventory.items.values()) {
    const [level] = shop.inventory.levelsOfItem(item.id);
    if (item.sku === null || !item.tracked || level === undefined) continue;
    const location = shop.inventory.locations.get(level.locationId);
    if (shop.inventory.productOfVariant(shop.inventory.variantOfItem(item)).status !== 'ACTIVE') continue;
    left -= 1;
    if (left >= 0) continue;
    shop.receive(item.sku, location.name, units);
    return item.sku;
  }
  throw new Error('the sandbox sells nothing');
}

async function calls({ over, env, folder, sku, quick }) {
  const db = join(folder, `${over}.db`);
  const contestants = [
    { tool: 'noop', args: {}, ...(await start(over, NOOP, [], env, folder)) },
    {
      tool: 'check_stock',
      args: { skus: [sku] },
      ...(await start(over, HOLDFAST, ['serve'], { ...env, HOLDFAST_DB: db }, folder)),
    },
  ];
  contestants.push({ ...contestants[1], tool: 'reserve_units', args: { lines: [{ sku, quantity: 1 }] } });
  const count = (quick ? 1000 : 4000) / (over === 'HTTP' ? 2 : 1);
  const results = [];
  for (const in_flight of IN_FLIGHT) {
    const rounds = contestants.map(() => []);
    for (let round = -1; round < (quick ? 3 : 7); round += 1) {
      for (const [n, contestant] of contestants.entries()) {
        const cpu_us = await cpuPerCall(contestant, count, in_flight);
        if (round >= 0) rounds[n].push(cpu_us);
      }
    }
    for (const [n, { tool }] of contestants.entries()) {
      results.push({
        over,
        in_flight,
        tool,
        cpu_us: median(rounds[n]),
        ratio: median(rounds[n].map((cpu_us, round) => cpu_us / rounds[0][round])),
      });
    }
  }
  for (const { stop } of contestants.slice(0, 2)) await stop();
  return results;
}

async function cpuPerCall({ client, pid, tool, args }, count, in_flight) {
  const before = cpuTicks(pid);
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await client.callTool({ name: tool, arguments: args });
      if (answer.isError) throw new Error(`${tool} was refused: ${JSON.stringify(answer.structuredContent)}`);
    }
  };
  await Promise.all(Array.from({ length: in_flight }, caller));
  return ((cpuTicks(pid) - before) * TICK_US) / count;
}

/** User and system time of a process; its name is in brackets and may hold blanks. */
function cpuTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function start(over, script, args, env, cwd) {
  return over === 'stdio' ? startStdio(script, args, env, cwd) : startHttp(script, args, env, cwd);
}

async function startStdio(script, args, env, cwd) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [script, ...args],
    env,
    cwd,
    stderr: 'ignore',
  });
  const client = new Client({ name: 'bench', version: '0' });
  await client.connect(transport);
  return { client, pid: transport.pid, stop: () => client.close() };
}

async function startHttp(script, args, env, cwd) {
  const child = spawn(process.execPath, [script, ...args, '--http'], {
    env,
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface(child.stderr)) {
    const entry = line.startsWith('{') ? JSON.parse(line) : {};
    if (entry.msg !== 'serving') continue;
    child.stderr.resume();
    const client = new Client({ name: 'bench', version: '0' });
    await client.connect(new StreamableHTTPClientTransport(new URL(entry.mcp)));
    return {
      client,
      pid: child.pid,
      stop: async () => {
        await client.close();
        child.kill();
        await ended;
      },
    };
  }
  throw new Error('the server ended before it served');
}

/** From spawn to the answer to `initialize`, and to that of the first call, with a ledger that knows the shop. */
async function coldStarts({ env, folder, sku, rounds }) {
  const contestants = [
    { name: 'no-op server', script: NOOP, args: [], call: { name: 'noop', arguments: {} } },
    {
      name: 'holdfast',
      script: HOLDFAST,
      args: ['serve'],
      call: { name: 'check_stock', arguments: { skus: [sku] } },
    },
  ];
  const times = contestants.map(() => ({ connected: [], answered: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, { script, args, call }] of contestants.entries()) {
      const started = performance.now();
      const db = join(folder, 'stdio.db');
      const { client, stop } = await startStdio(script, args, { ...env, HOLDFAST_DB: db }, folder);
      times[n].connected.push(performance.now() - started);
      await client.callTool(call);
      times[n].answered.push(performance.now() - started);
      await stop();
    }
  }
  return contestants.map(({ name }, n) => ({
    name,
    connected_ms: median(times[n].connected),
    answered_ms: median(times[n].answered),
  }));
}

function print({ calls, cold_start }) {
  table(
    'd. Server CPU of a call, over a tool that does nothing (same SDK, same client)',
    ['over', 'calls in flight', 'tool', 'CPU µs', 'ratio', 'target'],
    calls.map((row) => [
      row.over,
      row.in_flight,
      row.tool,
      number(row.cpu_us),
      `${number(row.ratio, 2)}×`,
      row.over === 'stdio' && row.in_flight > 1 && row.tool !== 'noop'
        ? verdict(row.ratio, TARGET, { isBelow: true, isQuiet: true })
        : '',
    ]),
  );
  table(
    'd. Cold start on stdio',
    ['', 'to initialize ms', 'to the first answer ms'],
    cold_start.map((row) => [row.name, number(row.connected_ms), number(row.answered_ms)]),
  );
}
