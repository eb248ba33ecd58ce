/** Before the first test of the built program: builds it if its sources have changed. Runs once, however many workers follow. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

const BUILD = fileURLToPath(new URL('../../.ci/build.mjs', import.meta.url));

/** Throws when the build fails: tests of an older program would say nothing. */
export function setup({ provide }: TestProject): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, '--if-stale'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the program could not be built:\n${stdout}${stderr}`);
  provide('isBuilt', true);
}

declare module 'vitest' {
  export interface ProvidedContext {
    isBuilt: boolean;
  }
}
