/**
 * The socket at which the processes on one ledger file meet: where it is, who may own it, and how it changes
 * hands. A socket file outlives a process that was killed, so a new owner binds a name of its own and puts it
 * in the place of the old one in one step; nobody ever sees the place empty or half made.
 */

import { createHash } from 'node:crypto';
import { chmodSync, constants, linkSync, lstatSync, realpathSync, renameSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** A socket's path has 104 bytes on macOS and 108 on Linux, with room for the suffix of a name of one's own. */
const PLACE_MAX_BYTES = 90;
/** Processes on one file that are served; more of them do without. */
const CLIENTS_MAX = 1000;
const OWN_NAME_DIGITS = 8;

/** Where the processes on this file meet, or null when no path is short enough. The same file by another name has the same place. */
export function meetingPlace(databasePath: string): string | null {
  const real = realPath(resolve(databasePath));
  const name = `holdfast-${createHash('sha256').update(real).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const places = [`${real}-turn`, join(tmpdir(), `${name}-turn`)];
  return places.find((place) => Buffer.byteLength(place) <= PLACE_MAX_BYTES) ?? null;
}

/** The database may not exist yet; its folder does. */
function realPath(path: string): string {
  for (const real of [() => realpathSync(path), () => join(realpathSync(dirname(path)), basename(path))]) {
    try {
      return real();
    } catch {}
  }
  return path;
}

/**
 * Which socket is at the place; null when there is none of this user's, or where pipes have no files. What is
 * not our own socket is never connected to and never replaced: in a shared folder it may be anybody's.
 */
export function inodeAt(place: string): number | null {
  if (process.platform === 'win32') return null;
  try {
    const { ino, uid, mode } = lstatSync(place);
    return (mode & constants.S_IFMT) === constants.S_IFSOCK && uid === process.getuid?.() ? ino : null;
  } catch {
    return null;
  }
}

/** Connects to the owner of the place; the error's code when nobody answers. */
export async function dial(place: string): Promise<Socket | string> {
  if (process.platform !== 'win32' && inodeAt(place) === null) return 'ENOENT';
  return new Promise((answer) => {
    const socket = createConnection(place);
    socket.unref();
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      answer(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code ?? 'unknown'));
  });
}

/** A place that is ours, for as long as the inode there is this one. */
export interface Owned {
  readonly server: Server;
  readonly inode: number | null;
}

/**
 * Becomes the owner of the place, unless it is not as it was when it was found dead (`inodeBefore`); then
 * somebody else was faster, and null is answered. Throws when sockets can't be had there at all.
 */
export async function claim(place: string, inodeBefore: number | null): Promise<Owned | null> {
  if (process.platform === 'win32') {
    const server = await listen(place);
    return server === null ? null : { server, inode: null };
  }
  const own = `${place}.${ownName()}`;
  const server = await listen(own);
  if (server === null) return null;
  try {
    chmodSync(own, 0o600);
    const inode = inodeAt(own);
    if (putInPlace(own, place, inodeBefore)) return { server, inode };
  } catch (error) {
    server.close();
    throw error;
  }
  server.close();
  return null;
}

/** Removes the place if it is still the owner's. */
export function abandon(place: string, inodeOwned: number | null): void {
  if (inodeOwned === null || inodeAt(place) !== inodeOwned) return;
  try {
    unlinkSync(place);
  } catch {}
}

/** Unlike that of any other process that tries at the same moment; should it be taken, it is tried again. */
function ownName(): string {
  const noise = (BigInt(process.pid) << 20n) ^ process.hrtime.bigint();
  return BigInt.asUintN(4 * OWN_NAME_DIGITS, noise)
    .toString(16)
    .padStart(OWN_NAME_DIGITS, '0');
}

/** Null when the name is taken. */
function listen(name: string): Promise<Server | null> {
  return new Promise((answer, fail) => {
    const server = createServer();
    server.maxConnections = CLIENTS_MAX;
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? answer(null) : fail(error),
    );
    server.listen(name, () => {
      server.removeAllListeners('error');
      answer(server);
    });
  });
}

/** False when somebody else was faster, or has something else there. A rename between the look and ours is noticed later, by the inode. */
function putInPlace(own: string, place: string, inodeBefore: number | null): boolean {
  if (inodeAt(place) !== inodeBefore) return false;
  if (inodeBefore !== null) {
    renameSync(own, place);
    return true;
  }
  try {
    linkSync(own, place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  unlinkSync(own);
  return true;
}
