/**
 * The ledger as files on a disk: who may read them, under how many names they can be opened, and whether they are still the ones that
 * were opened. Only paths are looked at: opening and closing the file beside SQLite would drop the locks that SQLite has on it.
 */

import { chmodSync, closeSync, fchmodSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';

/** For its owner alone. */
const PRIVATE_MODE = 0o600;
/** Anything for anybody else. */
const OTHERS_MASK = 0o077;

/** The ledger, its write-ahead log and the index of that, whether or not they are there. A link is followed, as SQLite does. */
export function ledgerFiles(path: string): readonly [ledger: string, wal: string, shm: string] {
  const ledger = isThere(path) ? realpathSync(path) : path;
  return [ledger, `${ledger}-wal`, `${ledger}-shm`];
}

/**
 * Makes an empty file for its owner alone where there is none. SQLite gives its two files beside it the same mode. What stands in the
 * way (no such folder, no right to write) is left to SQLite, which meets the same and has its own words for it.
 */
export function makePrivateFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'wx', PRIVATE_MODE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return;
  }
  try {
    // The umask may have taken bits from its owner, too.
    if (hasModes()) fchmodSync(file, PRIVATE_MODE);
  } finally {
    closeSync(file);
  }
}

/** Takes the ledger's files from everybody but their owner. Those of another user are left as they are: `holdfast doctor` reports them. */
export function makeFilesPrivate(path: string): void {
  for (const file of ledgerFiles(path)) {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats !== undefined && isOpenToOthers(stats) && mayChangeMode(stats)) chmodSync(file, PRIVATE_MODE);
  }
}

/** Whether anybody but its owner may read or write a file. Always false on Windows, which has other rights than these. */
export function isOpenToOthers({ mode }: Pick<Stats, 'mode'>): boolean {
  return hasModes() && (mode & OTHERS_MASK) !== 0;
}

/**
 * How many names the file has. With more than one it can be opened under each, and each has a write-ahead log of its own: two servers
 * would then write past each other.
 */
export function countNames(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.nlink ?? 0;
}

/** No file has this as its identity. */
const GONE = 'gone';

/** Remembers which files were opened, and says when other ones are in their place. */
export class FileWatch {
  readonly #files: readonly { readonly path: string; readonly id: string }[];

  /** To be made when SQLite has opened all three: one that is not there was deleted since. */
  constructor(path: string) {
    this.#files = ledgerFiles(path).map((file) => ({ path: file, id: identify(file) ?? GONE }));
  }

  /** The first file that was deleted or replaced; null while all are the same. Throws what the file system throws. */
  findChanged(): { readonly path: string; readonly change: 'deleted' | 'replaced' } | null {
    for (const { path, id } of this.#files) {
      const now = identify(path);
      if (now !== id) return { path, change: now === null ? 'deleted' : 'replaced' };
    }
    return null;
  }
}

/** Null when there is none. */
function identify(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev} ${stats.ino}`;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function mayChangeMode({ uid }: Stats): boolean {
  const own = process.geteuid?.();
  return own === 0 || own === uid;
}

function hasModes(): boolean {
  return process.platform !== 'win32';
}
