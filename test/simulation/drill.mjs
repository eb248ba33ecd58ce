/**
 * The faults drill for as many seeds as you have time for: `npm run drill -- --runs 20 [--seed 100] [--orders 5000]
 * [--mode drafts|moves]`. Each seed is a storm of its own; one that fails prints what to run again.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FILES = { drafts: 'faults-drill-drafts.test.ts', moves: 'faults-drill-moves.test.ts' };

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    orders: { type: 'string', default: '5000' },
    mode: { type: 'string', default: 'drafts' },
  },
});
const file = FILES[values.mode];
const wrong = ['runs', 'seed', 'orders'].find((name) => !/^[1-9]\d{0,8}$/.test(values[name]));
if (file === undefined || wrong !== undefined) {
  console.error(
    wrong === undefined
      ? `--mode wants drafts or moves, not ${values.mode}`
      : `--${wrong} wants a whole number above 0, not ${values[wrong]}`,
  );
  process.exit(2);
}
const root = fileURLToPath(new URL('../..', import.meta.url));
const args = ['run', '--config', 'test/vitest.config.ts', `test/simulation/${file}`];
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, DRILL_RUNS: values.runs, DRILL_SEED: values.seed, DRILL_ORDERS: values.orders },
});
process.exit(status ?? 1);
