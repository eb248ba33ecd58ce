/**
 * Builds `dist`: `node .ci/build.mjs [--if-stale]`. Compiles, copies what is no code, and removes what has no source any more,
 * because all of `dist` is in the package. `--if-stale`: only if a source has changed since the last build. Several at once take turns.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');
/** What `dist` was built from. */
const STAMP = join(DIST, '.sources');
const COPIED = ['.graphql'];
/** Longer than a build takes on a slow machine: a lock that old was left by one that was killed. */
const LOCK_MAX_MS = 5 * 60_000;
const LOCK_POLL_MS = 200;

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();

/** A hash of everything that a build reads. Modification times don't tell: git sets them. */
function hashSources() {
  const hash = createHash('sha256');
  const inputs = [
    ...filesIn(SRC).map((file) => join(SRC, file)),
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'package-lock.json'),
    fileURLToPath(import.meta.url),
  ];
  for (const path of inputs)
    hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function isBuiltFrom(sources) {
  return (
    existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources && existsSync(join(DIST, 'cli/holdfast.js'))
  );
}

/** Throws when the compiler finds an error. */
function build(sources) {
  rmSync(STAMP, { force: true });
  const { status } = spawnSync(process.execPath, [COMPILER, '-p', join(ROOT, 'tsconfig.json')], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the build failed');
  const copied = filesIn(SRC).filter((file) => COPIED.some((end) => file.endsWith(end)));
  for (const file of copied) cpSync(join(SRC, file), join(DIST, file));
  const made = new Set(copied);
  for (const file of filesIn(SRC)) {
    if (file.endsWith('.ts') && !file.endsWith('.d.ts')) {
      made.add(file.replace(/\.ts$/, '.js'));
      made.add(file.replace(/\.ts$/, '.js.map'));
    }
  }
  for (const file of filesIn(DIST)) if (!made.has(file)) rmSync(join(DIST, file));
  writeFileSync(STAMP, sources);
}

const COMPILER = join(ROOT, 'node_modules/typescript-7/bin/tsc');

/** Runs alone among all that build this folder. */
async function alone(run) {
  const lock = join(
    tmpdir(),
    `holdfast-build-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`,
  );
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > LOCK_MAX_MS)
        rmSync(lock, { recursive: true, force: true });
      else await new Promise((resume) => setTimeout(resume, LOCK_POLL_MS));
    }
  }
  try {
    run();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

await alone(() => {
  const sources = hashSources();
  if (!process.argv.includes('--if-stale') || !isBuiltFrom(sources)) build(sources);
});
