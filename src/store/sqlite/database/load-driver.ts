/**
 * Chooses the SQLite driver. Two fit: the package better-sqlite3, which is the default, and node:sqlite, which is built into Node.
 * No single better-sqlite3 fits all supported lines of Node: 13.x segfaults below Node 22.14 (upstream issue 1514), 12.x aborts now
 * and then on Node 24 (issue 1515).
 */

import { createRequire } from 'node:module';
import type { Driver } from './driver.js';
import { makeNodeSqlite, type SqliteModule } from './node-sqlite.js';

export const DRIVER_NAMES = ['better-sqlite3', 'node:sqlite'] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

/** No SQLite driver can be loaded. The message says why, and what to install. */
export class DriverMissing extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DriverMissing';
  }
}

/** The newest better-sqlite3 for Node below 22.14, and the one for all later Nodes. Kept in step with package.json by a test. */
export const PACKAGES = { old: 'better-sqlite3@12.11.1', current: 'better-sqlite3@13.2.0' } as const;

/** Below it, better-sqlite3 13 crashes the process. */
const CURRENT_PACKAGE_FROM: NodeVersion = [22, 14];
/** Below it, the built-in SQLite has no full-text search. */
const BUILT_IN_FROM: NodeVersion = [22, 16];

type NodeVersion = readonly [major: number, minor: number];

/** Loads a module, and throws when it is not there. Node's own `require` but in tests. */
export type Require = (name: string) => unknown;

export interface FoundDriver {
  readonly name: DriverName;
  readonly Driver: Driver;
}

let chosen: DriverName | null = null;
let found: FoundDriver | null = null;

/** Sets the driver of this process. Databases that are open keep theirs. */
export function chooseDriver(name: DriverName): void {
  if (name !== chosen) found = null;
  chosen = name;
}

/** Puts another driver in place of the one of this process, for the simulation of failing disks. */
export function replaceDriver(driver: Driver): void {
  found = { name: driverName(), Driver: driver };
}

/** The driver of this process: the one chosen, else better-sqlite3, else node:sqlite. Throws `DriverMissing`. */
export function loadDriver(): Driver {
  return findOwnDriver().Driver;
}

/** The name of the driver of this process. Throws `DriverMissing`. */
export function driverName(): DriverName {
  return findOwnDriver().name;
}

function findOwnDriver(): FoundDriver {
  found ??= findDriver(chosen, process.versions.node, createRequire(import.meta.url));
  return found;
}

/** `name`: null takes the first that loads. Throws `DriverMissing`. */
export function findDriver(name: DriverName | null, nodeVersion: string, load: Require): FoundDriver {
  const hasBuiltIn = isFrom(nodeVersion, BUILT_IN_FROM);
  if (name === 'node:sqlite') {
    if (hasBuiltIn) return loadBuiltIn(load);
    throw new DriverMissing(
      `HOLDFAST_SQLITE_DRIVER is node:sqlite, which works from Node ${BUILT_IN_FROM.join('.')} on, and this is Node ${nodeVersion}. Use a newer Node, or remove the setting.`,
    );
  }
  try {
    return { name: 'better-sqlite3', Driver: loadPackage(nodeVersion, load) };
  } catch (cause) {
    if (name === null && hasBuiltIn) return loadBuiltIn(load);
    throw new DriverMissing(sayWhatToInstall(nodeVersion, hasBuiltIn, cause), { cause });
  }
}

/** Node 22 warns at the first load that its SQLite is experimental. A person who reads that can do nothing about it. */
function loadBuiltIn(load: Require): FoundDriver {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return { name: 'node:sqlite', Driver: makeNodeSqlite(load('node:sqlite') as SqliteModule) };
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Throws when no version of the package that runs on this Node is installed and loads. */
function loadPackage(nodeVersion: string, load: Require): Driver {
  const isCurrent = isFrom(nodeVersion, CURRENT_PACKAGE_FROM);
  // A clone has both: the older one under a name of its own.
  const names = isCurrent ? ['better-sqlite3'] : ['better-sqlite3-node20', 'better-sqlite3'];
  const installed = names.find((name) => isInstalled(name, isCurrent, load));
  if (installed === undefined) throw new Error('not installed');
  const Package = load(installed) as Driver;
  // Its native part is loaded with the first database only.
  new Package(':memory:').close();
  return Package;
}

/** Compares the version before anything is loaded: the wrong one ends the process without an error that can be caught. */
function isInstalled(name: string, isCurrent: boolean, load: Require): boolean {
  try {
    const { version } = load(`${name}/package.json`) as { version: string };
    return Number.parseInt(version, 10) >= 13 === isCurrent;
  } catch {
    return false;
  }
}

function sayWhatToInstall(nodeVersion: string, hasBuiltIn: boolean, cause: unknown): string {
  const name = isFrom(nodeVersion, CURRENT_PACKAGE_FROM) ? PACKAGES.current : PACKAGES.old;
  const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  const other = hasBuiltIn
    ? 'or set HOLDFAST_SQLITE_DRIVER=node:sqlite, which needs no package'
    : `or use Node ${BUILT_IN_FROM.join('.')} or newer, which has SQLite built in`;
  return `Holdfast has no SQLite driver for Node ${nodeVersion} (better-sqlite3: ${why}): run "npm i ${name}" in the folder where holdfast is installed (with -g where it is installed globally), ${other}.`;
}

function isFrom(nodeVersion: string, [major, minor]: NodeVersion): boolean {
  const [ownMajor = 0, ownMinor = 0] = nodeVersion.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
