/** The server of group p, in a process of its own: a ledger that others write to, and the hub as the program makes it. */

import { randomUUID } from 'node:crypto';
import { LIMITS } from '../../dist/config/config.js';
import { serveOnHttp } from '../../dist/http/http.js';
import { Loop } from '../../dist/jobs/loop.js';
import { StockFeed } from '../../dist/mcp/subscriptions/change-feed.js';
import { StockHub } from '../../dist/mcp/subscriptions/subscription-hub.js';
import { openLedger, SETTINGS } from './arena.mjs';

const [path, stalledMs] = process.argv.slice(2);
const { store, ledger } = openLedger({ path });
const breathe = () => new Promise((resume) => setImmediate(resume));
const onError = (error) => {
  throw error;
};
const limits = { ...LIMITS.push, stalled_max_ms: Number(stalledMs), readers_max: 4_000 };
let dropped = 0;
let sent = 0;
const hub = new StockHub({
  feed: new StockFeed({ store, settings: SETTINGS, limits, breathe }),
  limits,
  now: () => performance.now(),
  breathe,
  startRounds: (run) => {
    const loop = new Loop({ name: 'push', interval_ms: limits.round_ms, run, onError });
    loop.start();
    return loop;
  },
  count: (what) => {
    if (what === 'sent') sent += 1;
    else dropped += 1;
  },
  onError,
});
const callerOf = ({ headers }) => ({
  principal: String(headers['x-caller']),
  channel: null,
  scopes: new Set(['inventory:read']),
});
const serving = await serveOnHttp(
  { version: '0' },
  { ledger, reportBug: onError },
  {
    ...LIMITS.http,
    host: '127.0.0.1',
    port: 0,
    connections_max: 8_000,
    streams_max: 4_000,
    rate_per_minute: 1_000_000,
    rate_per_address_per_minute: 1_000_000,
    authenticator: { judge: async (request) => ({ ok: true, caller: callerOf(request) }), lacking: onError },
    onError: () => undefined,
    push: { hub, newId: randomUUID, limits },
  },
);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({
    rss: process.memoryUsage().rss,
    readers: hub.size,
    dropped,
    sent,
    cpu_ms: (user + system) / 1000,
  });
});
process.send({ origin: serving.origin });
