/**
 * Which kind of file system the ledger lies on. SQLite's write-ahead log is shared memory: it works between the processes of one
 * machine, and two machines that open one ledger over a network lose each other's reservations (sqlite.org/wal.html).
 */

import { readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface FileSystem {
  /** As the system calls it, such as `nfs4` or `fuse.sshfs`. */
  readonly type: string;
  /** `network`: other machines can have the file, too. `unclear`: a layer that may hide a network. */
  readonly kind: 'local' | 'network' | 'unclear';
  /** Where it is mounted. */
  readonly mounted_at: string;
}

/** File systems of other machines, by the names of Linux. */
const NETWORK_TYPES: ReadonlySet<string> = new Set([
  'afs',
  'beegfs',
  'ceph',
  'cifs',
  'coda',
  'gfs2',
  'gpfs',
  'lustre',
  'ncpfs',
  'nfs',
  'nfs4',
  'ocfs2',
  'smb3',
  'smbfs',
  'fuse.ceph',
  'fuse.davfs',
  'fuse.gcsfuse',
  'fuse.glusterfs',
  'fuse.juicefs',
  'fuse.rclone',
  'fuse.s3fs',
  'fuse.smbnetfs',
  'fuse.sshfs',
]);

/** Folders that a virtual machine or a container shares with its host, and any other file system of a program. */
const UNCLEAR_TYPES: ReadonlySet<string> = new Set(['9p', 'davfs', 'prl_fs', 'vboxsf', 'virtiofs', 'vmhgfs']);

/** Of the folder in which a file lies or will lie. Null where the system does not tell, as on macOS and Windows. */
export function findFileSystem(path: string): FileSystem | null {
  if (process.platform !== 'linux') return null;
  let mounts: string;
  let folder: string;
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    folder = realpathSync(dirname(realpathOrSelf(path)));
  } catch (error) {
    // No /proc, or no such folder: nothing can be said of it.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
  return readMounts(mounts, folder);
}

/**
 * The file system that a folder lies on, from the text of `/proc/self/mountinfo` (man 5 proc): of the mounts above it the one with the
 * longest path, and of several at one path the last. `folder`: absolute, without links.
 */
export function readMounts(mountinfo: string, folder: string): FileSystem | null {
  let found: { readonly mounted_at: string; readonly type: string } | null = null;
  for (const line of mountinfo.split('\n')) {
    // Optional fields may stand before the dash.
    const [place = '', file_system = ''] = line.split(' - ');
    const mounted_at = decodeOctal(place.split(' ')[4] ?? '');
    const type = file_system.split(' ')[0] ?? '';
    if (mounted_at === '' || type === '' || !isWithin(folder, mounted_at)) continue;
    if (found === null || mounted_at.length >= found.mounted_at.length) found = { mounted_at, type };
  }
  return found === null ? null : { ...found, kind: classifyType(found.type) };
}

function classifyType(type: string): FileSystem['kind'] {
  if (NETWORK_TYPES.has(type)) return 'network';
  // fuseblk is a local disk of another kind (NTFS, exFAT).
  return UNCLEAR_TYPES.has(type) || type === 'fuse' || type.startsWith('fuse.') ? 'unclear' : 'local';
}

function isWithin(folder: string, mounted_at: string): boolean {
  return folder === mounted_at || folder.startsWith(mounted_at === '/' ? '/' : `${mounted_at}/`);
}

/** Spaces and the like are written as `\040`. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** A link to a ledger elsewhere counts as what it leads to. */
function realpathOrSelf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return resolve(path);
    throw error;
  }
}
