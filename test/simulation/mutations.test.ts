/** The simulation finds the bugs that a ledger could have, each with a seed that is known to show it. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NO_LIMIT = 0;

test(
  'each mutation of the ledger is found by a story that the ledger passes, with the story and the number of steps that it took',
  async () => {
    const args = ['test/simulation/simulate.mjs', 'mutations', '--seeds', '16'];
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, maxBuffer: 2 ** 24 }).catch(
      (error: { stdout?: string }) => ({ stdout: String(error.stdout || error) }),
    );
    console.info(stdout);
    const rows = stdout.split('\n').filter((line) => line.trim() !== '');
    expect(rows.filter((line) => !/ L\d+ | all /u.test(line))).toEqual([]);
    expect(rows.length).toBeGreaterThanOrEqual(39);
  },
  NO_LIMIT,
);
