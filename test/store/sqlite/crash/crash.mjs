/**
 * `kill -9`, as often as you have time for: `npm run crash -- --kills 500 [--seed 1]`. A kill takes a third of a second and a
 * seed repeats the choices, though not the moments.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
});
const wrong = ['kills', 'seed'].find((name) => !/^[1-9]\d{0,8}$/.test(values[name]));
if (wrong !== undefined) {
  console.error(`--${wrong} wants a whole number above 0, not ${values[wrong]}`);
  process.exit(2);
}
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const args = ['run', '--config', 'test/vitest.config.ts', 'test/store/sqlite/crash/kills.test.ts'];
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, CRASH_KILLS: values.kills, CRASH_SEED: values.seed },
});
process.exit(status ?? 1);
