/** Replaces a file whole or not at all: a crash, a full disk or a reader in between finds the old text or the new one. */

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Null when there is none. Throws what the file system throws for one that can't be read. */
export function readTextIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * `private` lets its owner alone read it (0600); `kept` leaves the mode of the file that is there. Its owner stays its
 * owner, or nothing is replaced. A link stays a link: what it points to is replaced.
 */
export function replaceFile(path: string, text: string, access: 'private' | 'kept'): void {
  const target = resolveTarget(path);
  const before = statSync(target, { throwIfNoEntry: false });
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  // Left by a process that died half-way and had our number.
  rmSync(beside, { force: true });
  // Nobody else may read it at any moment, so it begins closed to all others.
  const file = openSync(beside, 'wx', 0o600);
  try {
    try {
      writeFileSync(file, text);
      // Before the mode: a change of owner may take bits from it.
      if (before !== undefined && isOthers(file, before)) fchownSync(file, before.uid, before.gid);
      if (access === 'kept' && before !== undefined) fchmodSync(file, before.mode & 0o777);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, target);
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function isOthers(file: number, { uid, gid }: Stats): boolean {
  const made = fstatSync(file);
  return made.uid !== uid || made.gid !== gid;
}

/** The new name lasts only once the folder is on the disk. Windows opens no folders, and sees to it itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function resolveTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}
