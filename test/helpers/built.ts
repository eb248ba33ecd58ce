/** The built program, for tests that run it in processes of their own. */

import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

/**
 * Throws outside the project `e2e`: only there `dist` is known to be as new as the sources. Called before a child process is started
 * that runs built files.
 */
export function requireBuilt(): void {
  if (inject('isBuilt') !== true) {
    throw new Error('This test runs the built program: name it under E2E in test/vitest.config.ts.');
  }
}

/** The path of a built file. Throws as `requireBuilt`. */
export function pathInDist(file: string): string {
  requireBuilt();
  return fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
}
