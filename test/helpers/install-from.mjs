/** Packages that only one test needs, in its own folder, as its lock names them. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Only if what is there is not what the folder's `package.json` names. No package's install script runs. Throws when it can't be done. */
export function installFrom(folder) {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const isThere = ([name, version]) => installedVersion(folder, name) === version;
  if (Object.entries(dependencies).every(isThere)) return;
  console.log(`Installing ${Object.keys(dependencies).join(', ')} …`);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ci in ${folder} ended with ${status}.\n${stderr}`, { cause: error });
}

function installedVersion(folder, name) {
  try {
    return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}
