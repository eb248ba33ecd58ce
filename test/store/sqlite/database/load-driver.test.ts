/** Which SQLite driver is taken on which Node, and what is said where there is none. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  DriverMissing,
  type DriverName,
  findDriver,
  PACKAGES,
  type Require,
} from '../../../../src/store/sqlite/database/load-driver.js';

/** A folder of packages: the version of each, or what loading it throws. */
interface Installed {
  readonly [name: string]: { readonly version: string; readonly throws?: Error };
}

class NativeDatabase {
  readonly isOpen = true;
}

/** Loads from that folder, and notes what was loaded. */
function shelf(installed: Installed): { load: Require; loaded: string[] } {
  const loaded: string[] = [];
  const load = (name: string): unknown => {
    if (name === 'node:sqlite') {
      process.emitWarning('SQLite is an experimental feature', 'ExperimentalWarning');
      loaded.push(name);
      return { DatabaseSync: NativeDatabase };
    }
    const found = installed[name.replace('/package.json', '')];
    if (found === undefined) throw new Error(`Cannot find module '${name}'`);
    if (name.endsWith('/package.json')) return { version: found.version };
    loaded.push(name);
    const { throws } = found;
    return class {
      constructor() {
        if (throws !== undefined) throw throws;
      }
      close(): void {}
    };
  };
  return { load, loaded };
}

const CURRENT: Installed = { 'better-sqlite3': { version: '13.2.0' } };
const OLD: Installed = { 'better-sqlite3': { version: '12.11.1' } };
const CLONE: Installed = { ...CURRENT, 'better-sqlite3-node20': { version: '12.11.1' } };
const BROKEN: Installed = {
  'better-sqlite3': { version: '13.2.0', throws: new Error('invalid ELF header\nRequire stack: …') },
};

it.each<[string, Installed, DriverName | null, string]>([
  ['20.12.0', CLONE, null, 'better-sqlite3-node20'],
  ['20.12.0', OLD, null, 'better-sqlite3'],
  ['22.13.1', CLONE, null, 'better-sqlite3-node20'],
  ['22.14.0', CLONE, null, 'better-sqlite3'],
  ['24.0.0', CURRENT, 'better-sqlite3', 'better-sqlite3'],
  ['24.0.0', CURRENT, 'node:sqlite', 'node:sqlite'],
  ['22.16.0', {}, null, 'node:sqlite'],
  ['22.16.0', BROKEN, null, 'node:sqlite'],
  // 12.x aborts now and then on Node 24.
  ['24.0.0', OLD, null, 'node:sqlite'],
])('Node %s with %j and the setting %s takes %s', (node, installed, setting, expected) => {
  const { load, loaded } = shelf(installed);
  const found = findDriver(setting, node, load);
  expect(loaded).toEqual(
    expected === 'node:sqlite' && installed === BROKEN ? ['better-sqlite3', expected] : [expected],
  );
  expect(found.name).toBe(expected.replace('-node20', ''));
});

it.each<[string, Installed, DriverName | null, string[]]>([
  ['20.20.2', {}, null, ['npm i better-sqlite3@12.11.1', 'Node 22.16 or newer']],
  ['20.20.2', {}, 'node:sqlite', ['Node 22.16', 'Node 20.20.2']],
  ['22.15.1', {}, null, ['npm i better-sqlite3@13.2.0', 'Node 22.16 or newer']],
  ['22.15.1', BROKEN, null, ['invalid ELF header)', 'npm i better-sqlite3@13.2.0']],
  ['24.0.0', {}, 'better-sqlite3', ['npm i better-sqlite3@13.2.0', 'HOLDFAST_SQLITE_DRIVER=node:sqlite']],
])('Node %s with %j and the setting %s says in one sentence what to do', (node, installed, setting, said) => {
  const { load } = shelf(installed);
  let error: unknown;
  try {
    findDriver(setting, node, load);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(DriverMissing);
  const { message } = error as Error;
  for (const part of said) expect(message).toContain(part);
  expect(message).not.toContain('\n');
});

it('never loads better-sqlite3 13 below Node 22.14, where it ends the process', () => {
  const { load, loaded } = shelf(CURRENT);
  expect(() => findDriver(null, '22.13.1', load)).toThrow(DriverMissing);
  expect(() => findDriver('better-sqlite3', '20.20.2', load)).toThrow(DriverMissing);
  expect(loaded).toEqual([]);
});

it('does not let Node warn of its SQLite, and lets it warn of everything else again', () => {
  const { emitWarning } = process;
  const warned: unknown[] = [];
  process.emitWarning = (warning: unknown) => void warned.push(warning);
  try {
    findDriver('node:sqlite', '22.16.0', shelf({}).load);
    expect(warned).toEqual([]);
    process.emitWarning('other');
    expect(warned).toEqual(['other']);
  } finally {
    process.emitWarning = emitWarning;
  }
});

it('names the versions that package.json names', () => {
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  const { optionalDependencies, devDependencies } = JSON.parse(text);
  expect(`better-sqlite3@${optionalDependencies['better-sqlite3']}`).toBe(PACKAGES.current);
  expect(devDependencies['better-sqlite3-node20']).toBe(`npm:${PACKAGES.old}`);
});
