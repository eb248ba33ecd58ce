/** The fixed seeds of the simulation, in processes of their own: a universe takes the place of the machine for good. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEEDS = 3;
const NO_LIMIT = 0;

async function simulate(...args: string[]): Promise<string> {
  const run = promisify(execFile);
  const argv = ['test/simulation/simulate.mjs', ...args];
  try {
    const { stdout } = await run(process.execPath, argv, { cwd: ROOT, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    // The story that it tells is the whole point.
    throw new Error(String((error as { stdout?: string }).stdout || error));
  }
}

interface Told {
  readonly seed: number;
  readonly theme: string;
  readonly fingerprint: string;
}

function tellings(output: string): readonly Told[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Told);
}

function totals(output: string): string {
  return output.split('\n').find((line) => line.startsWith('simulation:')) ?? '';
}

describe('a universe of its own', () => {
  test(
    `L1 to L9: ${SEEDS} seeds of everything and a seed of each theme break nothing; and the same seed is the same story, byte for byte, whatever its process told before`,
    async () => {
      const everything = await simulate('seeds', '--seed', '1', '--count', String(SEEDS), '--json');
      const told = tellings(everything);
      expect(told).toHaveLength(SEEDS);
      const themes = await simulate('seeds', '--seed', String(SEEDS), '--theme', 'each', '--json');
      const [again, ...others] = tellings(themes);
      // The last story of one process, and the first of another.
      expect(again).toEqual(told.at(-1));
      expect(others.length).toBeGreaterThanOrEqual(10);
      console.info(`${totals(everything)}\nthemes: ${totals(themes)}`);
    },
    NO_LIMIT,
  );
});
