/**
 * Group h: server CPU of a call over HTTP: a tool that does nothing behind our stack, the same behind the SDK's default
 * adapter and behind bare node:http, and two of our own; then 64 connections at one item, that none may oversell.
 */

import { fork, spawnSync } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandboxServer } from '../../dist/sandbox/server.js';
import { NO_QUOTAS, tempFolder } from './arena.mjs';
import { median, number, table, verdict } from './report.mjs';
import { stockUp } from './server.mjs';

const SERVER = fileURLToPath(new URL('http-server.mjs', import.meta.url));
const IN_FLIGHT = 16;
const CONNECTIONS = 64;
/** Issue 4, acceptance line 7. */
const NOOP_TARGET = 0.7;
const RESERVE_TARGET = 1.5;
const LAST_UNITS = 100;
/** Where there are two cores and `taskset`, the servers get the last and the load keeps the others. */
const CAN_PIN =
  process.platform === 'linux' && spawnSync('taskset', ['-p', String(process.pid)]).status === 0;

const ERAS = {
  '2025-11-25': { headers: { 'mcp-protocol-version': '2025-11-25' }, params: {} },
  '2026-07-28': {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  },
};

export async function http({ quick, isQuiet }) {
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
    HOLDFAST_DB: join(folder, 'http.db'),
    HOLDFAST_MIRROR: 'none',
  };
  const servers = {};
  try {
    for (const name of ['raw', 'sdk', 'noop', 'holdfast']) servers[name] = await start(name, env);
    await firstSync(servers.holdfast, sku);
    const results = { calls: [], last_units: null };
    for (const era of Object.keys(ERAS)) results.calls.push(...(await rounds({ servers, sku, era, quick })));
    results.last_units = await lastUnits(servers.holdfast, sandbox.shop);
    print(results, isQuiet);
    return results;
  } finally {
    for (const { stop } of Object.values(servers)) await stop();
    await sandbox.stop();
    remove();
  }
}

async function start(name, env) {
  const child = fork(SERVER, [name], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const next = () => new Promise((resolve) => child.once('message', resolve));
  const { origin } = await next();
  if (CAN_PIN) spawnSync('taskset', ['-a', '-cp', '1', String(child.pid)]);
  const agent = new Agent({ keepAlive: true });
  return {
    origin,
    agent,
    cpu_us: async () => {
      const answer = next();
      child.send('cpu');
      return (await answer).cpu_us;
    },
    stop: () => {
      agent.destroy();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      return ended;
    },
  };
}

async function firstSync(server, sku) {
  for (;;) {
    const { result } = await call(server, 'check_stock', { skus: [sku] }, ERAS['2025-11-25']);
    if (result.structuredContent.items?.[0]?.fresh) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function rounds({ servers, sku, era, quick }) {
  const contestants = [
    { name: 'SDK default adapter, no-op', server: servers.sdk, tool: 'noop', args: {} },
    { name: 'node:http, no-op', server: servers.raw, tool: 'noop', args: {} },
    { name: 'ours, no-op', server: servers.noop, tool: 'noop', args: {} },
    { name: 'ours, check_stock', server: servers.holdfast, tool: 'check_stock', args: { skus: [sku] } },
    {
      name: 'ours, reserve_units',
      server: servers.holdfast,
      tool: 'reserve_units',
      args: { lines: [{ sku, quantity: 1 }] },
    },
  ];
  const times = contestants.map(() => []);
  for (let round = -1; round < (quick ? 3 : 9); round += 1) {
    for (const [n, { server, tool, args }] of contestants.entries()) {
      const cpu_us = await cpuPerCall(server, tool, args, ERAS[era], quick ? 500 : 2_000);
      if (round >= 0) times[n].push(cpu_us);
    }
  }
  const [sdk, , noop] = times;
  const over = (mine, theirs) => median(mine.map((cpu_us, round) => cpu_us / theirs[round]));
  return contestants.map(({ name }, n) => ({
    era,
    name,
    cpu_us: median(times[n]),
    over_sdk: over(times[n], sdk),
    over_noop: over(times[n], noop),
  }));
}

async function cpuPerCall(server, tool, args, era, count) {
  const before = await server.cpu_us();
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const { result } = await call(server, tool, args, era);
      if (result?.isError !== undefined) throw new Error(`${tool} was refused: ${JSON.stringify(result)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return ((await server.cpu_us()) - before) / count;
}

/** By hand: the client's own CPU would be most of what is measured on two cores. */
function call({ origin, agent }, name, args, { headers, params }) {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: args, ...params },
  });
  const isNamed = 'mcp-method' in headers;
  return new Promise((resolve, reject) => {
    const sent = request(
      `${origin}/mcp`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json, text/event-stream',
          ...headers,
          ...(isNamed ? { 'mcp-name': name } : {}),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => {
          const data = text.split('\n').find((line) => line.startsWith('data: '));
          resolve(JSON.parse(data?.slice('data: '.length) ?? text));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** More callers than units: each unit goes to one of them, and every other is refused in so many words. */
async function lastUnits(server, shop) {
  const sku = stockUp(shop, LAST_UNITS, 1);
  const era = ERAS['2025-11-25'];
  const before = await promisable(server, sku, era);
  const counts = { granted: 0, refused: 0, errors: 0 };
  const caller = async () => {
    for (let n = 0; n < Math.ceil((2 * before) / CONNECTIONS) + 1; n += 1) {
      try {
        const { result } = await call(server, 'reserve_units', { lines: [{ sku, quantity: 1 }] }, era);
        const code = result.structuredContent.error?.code;
        if (code === undefined) counts.granted += 1;
        else if (code === 'stock_insufficient') counts.refused += 1;
        else counts.errors += 1;
      } catch {
        counts.errors += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return { connections: CONNECTIONS, units: before, ...counts, left: await promisable(server, sku, era) };
}

async function promisable(server, sku, era) {
  const { result } = await call(server, 'check_stock', { skus: [sku] }, era);
  return result.structuredContent.items[0].available_to_promise;
}

function print({ calls, last_units: last }, isQuiet) {
  const judged = (row) => {
    if (row.name === 'ours, no-op') return verdict(row.over_sdk, NOOP_TARGET, { isBelow: true, isQuiet });
    if (row.name === 'ours, reserve_units')
      return verdict(row.over_noop, RESERVE_TARGET, { isBelow: true, isQuiet });
    return '';
  };
  table(
    `h. Server CPU of a call over HTTP, ${IN_FLIGHT} in flight${CAN_PIN ? ', servers pinned to one core' : ''}`,
    ['what', 'era', 'CPU µs', 'over the SDK', 'over our no-op', 'target'],
    calls.map((row) => [
      row.name,
      row.era,
      number(row.cpu_us),
      `${number(row.over_sdk, 2)}×`,
      `${number(row.over_noop, 2)}×`,
      judged(row),
    ]),
  );
  table(
    `h. ${CONNECTIONS} connections and the last units of one item`,
    ['units', 'granted', 'refused', 'errors', 'left', ''],
    [
      [
        last.units,
        last.granted,
        last.refused,
        last.errors,
        last.left,
        last.granted === last.units && last.errors === 0 && last.left === 0 ? 'met' : 'MISSED',
      ],
    ],
  );
}
