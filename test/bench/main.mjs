/**
 * Measures, as ratios within one run: machines differ and are noisy. `npm run bench -- [--quick] [--only a,c]
 * [--large]`. Prints one table a group and keeps the figures in test/bench/results/.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { growth } from './growth.mjs';
import { http } from './http.mjs';
import { processes } from './processes.mjs';
import { push } from './push.mjs';
import { server } from './server.mjs';
import { throughput } from './throughput.mjs';
import { webhooks } from './webhooks.mjs';

/** Load average above which many processes can't be judged by the clock. */
const LOAD_QUIET_MAX = 0.5;

const GROUPS = { a: throughput, b: growth, c: processes, d: server, e: webhooks, h: http, p: push };

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(GROUPS).join(',') },
  },
});

const machine = {
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  load_before: loadavg()[0],
};
console.log(
  `${machine.node}, ${machine.platform}, ${machine.cores} cores, load before the start ${machine.load_before.toFixed(1)}` +
    `${machine.load_before > LOAD_QUIET_MAX ? ' (not quiet: trust the ratios only)' : ''}`,
);

const results = {};
for (const name of values.only.split(',')) {
  const group = GROUPS[name];
  if (group === undefined) throw new Error(`no group ${name}; there are ${Object.keys(GROUPS).join(', ')}`);
  results[name] = await group({
    quick: values.quick,
    large: values.large,
    isQuiet: machine.load_before <= LOAD_QUIET_MAX,
  });
}

const folder = new URL('results/', import.meta.url);
mkdirSync(folder, { recursive: true });
const name = `${new Date().toISOString().replaceAll(':', '-')}${values.quick ? '-quick' : ''}.json`;
writeFileSync(new URL(name, folder), `${JSON.stringify({ machine, options: values, results }, null, 2)}\n`);
console.log(`\nKept in test/bench/results/${name}`);
