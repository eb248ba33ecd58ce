/**
 * Loads the SQLite driver that fits this Node. No single better-sqlite3 fits all three supported lines:
 * 13.x segfaults below Node 22.14 (upstream issue 1514), 12.x aborts now and then on Node 24 (issue 1515). Both
 * are optional dependencies under two names, and this file is the one place that chooses.
 */

import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

export type Database = BetterSqlite3.Database;
export type Statement = BetterSqlite3.Statement<unknown[]>;

type Driver = new (path: string, options?: BetterSqlite3.Options) => Database;

/** Throws a sentence that says what to do when no driver could be installed. */
export function loadDriver(nodeVersion: string): Driver {
  const name = driverNameFor(nodeVersion);
  try {
    return createRequire(import.meta.url)(name) as Driver;
  } catch (cause) {
    throw new Error(
      `The SQLite driver (${name}) is not installed or does not load on Node ${nodeVersion}. ` +
        'Run "npm install" again in the folder of holdfast, with a C++ compiler and Python 3 present where no prebuilt binary fits ' +
        '(Debian: apt-get install build-essential python3).',
      { cause },
    );
  }
}

/** Node 22.14 is the first that better-sqlite3 13 runs on. */
function driverNameFor(nodeVersion: string): 'better-sqlite3' | 'better-sqlite3-node20' {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 14) ? 'better-sqlite3' : 'better-sqlite3-node20';
}
