/** Reads a file of tests anew for each run, in a worker that outlives its runs: one that is loaded already declares no tests. */

import { TestRunner } from 'vitest';

// biome-ignore lint/style/noDefaultExport: Vitest takes a runner from there.
export default class KeptRunner extends TestRunner {
  override importFile(path: string): unknown {
    // Vitest itself forgets files of this kind before it reads them.
    return super.importFile(path, 'setup');
  }
}
