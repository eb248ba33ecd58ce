/** The doctor's look at the ledger, its disk and this machine's clock: it reads the ledger's file, and writes nothing. */

import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LIMITS } from '../../config/config.js';
import { missingVariants } from '../../ledger/model/drift-report.js';
import type { StaleHashPolicy } from '../../ledger/model/outbox-row.js';
import { type FileSystem, findFileSystem } from '../../store/sqlite/database/file-system.js';
import {
  chooseDriver,
  DriverMissing,
  type DriverName,
  driverName,
  loadDriver,
} from '../../store/sqlite/database/load-driver.js';
import { isBusy, LedgerUnusable } from '../../store/sqlite/database/open-database.js';
import { inspectLedger, type LedgerBooks, type LedgerSight } from '../../store/sqlite/inspect-ledger.js';
import { agoText, bytesText, durationText } from '../terminal/format.js';
import { type Finding, failed, fine, skipped, warned } from './finding.js';

export interface DiskFacts {
  /** Absolute. */
  readonly folder: string;
  readonly folder_state: 'writable' | 'not_writable' | 'missing' | 'no_folder';
  /** Null when it can't be told. */
  readonly free_bytes: number | null;
  /** Null where the system does not tell. */
  readonly file_system: FileSystem | null;
}

export type LedgerFacts =
  | { readonly state: 'absent' }
  | { readonly state: 'open'; readonly sight: LedgerSight; readonly writable: boolean }
  | { readonly state: 'unusable' | 'busy' | 'no_driver'; readonly why: string };

export interface LedgerExpectations {
  /** Absolute. */
  readonly path: string;
  /** Null when the settings name none. */
  readonly shop: string | null;
  readonly now_ms: number;
  readonly heartbeat_ms: number;
  /** Whether a person decides about orders that are held as stale. */
  readonly stale_hash: StaleHashPolicy;
}

export function readDiskFacts(path: string): DiskFacts {
  const folder = dirname(resolve(path));
  return {
    folder,
    folder_state: folderState(folder),
    free_bytes: freeBytes(folder),
    file_system: findFileSystem(path),
  };
}

/** Opens the file read-only where there is one. `driver`: the SQLite driver that the settings choose, if any. */
export function readLedgerFacts(path: string, driver: DriverName | null): LedgerFacts {
  try {
    if (driver !== null) chooseDriver(driver);
    loadDriver();
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return { state: 'absent' };
    const writable = mayWrite(path);
    return { state: 'open', sight: inspectLedger(path, LIMITS.outbox.unplaced_after_ms), writable };
  } catch (error) {
    if (isBusy(error)) return { state: 'busy', why: (error as Error).message };
    if (error instanceof LedgerUnusable) return { state: 'unusable', why: error.message };
    if (error instanceof DriverMissing) return { state: 'no_driver', why: error.message };
    throw error;
  }
}

export function diskFinding({ folder, folder_state, free_bytes, file_system }: DiskFacts): Finding {
  switch (folder_state) {
    case 'missing':
      return failed(
        'disk',
        'folder_missing',
        `The folder ${folder} does not exist, so no ledger can be kept there.`,
        `Make it (mkdir -p ${folder}), or point HOLDFAST_DB at a file in a folder that exists.`,
      );
    case 'no_folder':
      return failed(
        'disk',
        'folder_missing',
        `${folder} is no folder, so no ledger can be kept in it.`,
        'Point HOLDFAST_DB at a file in a folder.',
      );
    case 'not_writable':
      return failed(
        'disk',
        'folder_not_writable',
        `You may not write in ${folder}. SQLite keeps its write-ahead log beside the ledger, so the folder has to be writable too.`,
        'Give the user that runs holdfast the right to write there, or point HOLDFAST_DB elsewhere.',
      );
    case 'writable': {
      const space = spaceFinding(folder, free_bytes);
      return space.verdict === 'failed' ? space : (fileSystemFinding(folder, file_system) ?? space);
    }
  }
}

/** Null where nothing speaks against it. */
function fileSystemFinding(folder: string, found: FileSystem | null): Finding | null {
  if (found === null || found.kind === 'local') return null;
  const where = `${folder} is on a file system of the kind ${found.type} (mounted at ${found.mounted_at})`;
  return found.kind === 'network'
    ? failed(
        'disk',
        'network_file_system',
        `${where}: a network. It loses what SQLite writes and locks, so no server opens a ledger there.`,
        'Point HOLDFAST_DB at a file on a disk of this machine, and copy the ledger there while no server runs.',
      )
    : warned(
        'disk',
        'shared_file_system',
        `${where}, which may be shared with another machine.`,
        'Never let two machines, or a container and its host, serve one ledger. A disk of this machine (in a container: a volume) is safer.',
      );
}

function spaceFinding(folder: string, free_bytes: number | null): Finding {
  const { disk_warn_bytes, disk_fail_bytes } = LIMITS.doctor;
  if (free_bytes === null) return fine('disk', `${folder} is writable; its free space can't be told.`);
  const free = bytesText(free_bytes);
  if (free_bytes < disk_fail_bytes) {
    return failed(
      'disk',
      'space_gone',
      `Only ${free} are free in ${folder}. When the disk is full no reservation can be made.`,
      'Free some space, or move the ledger (with its -wal and -shm files, while no server runs) and HOLDFAST_DB to a larger disk.',
    );
  }
  if (free_bytes < disk_warn_bytes) {
    return warned(
      'disk',
      'space_low',
      `${free} are free in ${folder}: that is little for a ledger that grows.`,
      'Free some space before it runs out.',
    );
  }
  return fine('disk', `${folder} is writable, ${free} free.`);
}

export function ledgerFinding(facts: LedgerFacts, wanted: LedgerExpectations): Finding {
  const { path } = wanted;
  switch (facts.state) {
    case 'absent':
      return skipped(
        'ledger',
        `There is no ledger at ${path} yet. holdfast serve (or holdfast sync) makes it.`,
        'none_yet',
      );
    case 'busy':
      return warned(
        'ledger',
        'unreadable',
        'Another program has locked the ledger at this moment, so it could not be looked at.',
        'Run holdfast doctor again. If it stays so, a program that is no holdfast has the file open: a backup, or a database browser with unsaved changes.',
      );
    case 'no_driver':
      return failed(
        'ledger',
        'driver_missing',
        facts.why,
        'Do so, and start holdfast again: no ledger can be read or written until then.',
      );
    case 'unusable':
      return failed(
        'ledger',
        'not_a_ledger',
        facts.why,
        'Point HOLDFAST_DB at the file that holdfast serves, or at a path where there is none yet.',
      );
    case 'open':
      return openLedgerFinding(facts, wanted);
  }
}

function openLedgerFinding(
  { sight, writable }: Extract<LedgerFacts, { state: 'open' }>,
  { path, shop, now_ms }: LedgerExpectations,
): Finding {
  const { schema, schema_known, books } = sight;
  if (schema > schema_known) {
    return failed(
      'ledger',
      'newer_version',
      `The ledger ${path} was written by a newer holdfast: its schema is ${schema}, and this one knows only up to ${schema_known}.`,
      'Update holdfast to the version that wrote it: in a clone git pull && npm install, else npm install -g holdfast@latest.',
      'Nothing is lost. An older holdfast never touches it; do not delete it: its reservations and orders are still good.',
    );
  }
  if (schema < schema_known) {
    return schema === 0
      ? failed(
          'ledger',
          'not_a_ledger',
          `${path} is a SQLite file without a ledger in it.`,
          'Point HOLDFAST_DB at the file that holdfast serves. If it is empty and yours, holdfast serve will make a ledger of it.',
        )
      : warned(
          'ledger',
          'older_version',
          `The ledger ${path} has schema ${schema}, and this holdfast has ${schema_known}. It is brought up to date when a server starts.`,
          'Stop servers of the older version first: they refuse the file afterwards.',
        );
  }
  if (books === null) return skipped('ledger', `${path} was made and never used.`, 'none_yet');
  if (shop !== null && books.shop !== shop) {
    return failed(
      'ledger',
      'other_shop',
      `The ledger ${path} belongs to ${books.shop}, and SHOPIFY_SHOP is ${shop}. A ledger belongs to one shop for good.`,
      `Point HOLDFAST_DB at another file for ${shop}, or set SHOPIFY_SHOP back to ${books.shop}.`,
    );
  }
  if (!writable) {
    return failed(
      'ledger',
      'not_writable',
      `You may read the ledger ${path}, but not write it.`,
      'Give the user that runs holdfast the right to write it (and its -wal and -shm files).',
    );
  }
  const ahead_ms = books.last_at_ms - now_ms;
  if (ahead_ms > LIMITS.doctor.clock_warn_ms) return aheadFinding(path, ahead_ms);
  if (books.withheld_total > 0) return withheldFinding(books);
  return fine(
    'ledger',
    `${path}: ${books.items} items of ${books.shop}, schema ${schema}, read by ${driverName()}.`,
  );
}

function withheldFinding({ withheld, withheld_total }: LedgerBooks): Finding {
  const levels = withheld.map(
    ({ sku, location_name, proven_units, shop_units }) =>
      `${sku} at ${location_name} (${proven_units} → ${shop_units})`,
  );
  const more = withheld_total > withheld.length ? ` and ${withheld_total - withheld.length} more` : '';
  return warned(
    'ledger',
    'rise_withheld',
    `The shop’s figure rose a hundredfold at once: ${levels.join(', ')}${more}. Nothing beyond the old figure is sold until a second read shows it, too.`,
    'Look at the figure in the shop’s admin, and correct it there if it is wrong. A running server reads it again with its next heartbeat.',
  );
}

/** Its time can't be taken back (L9). How long holds last does not depend on it, and agents are told the shop's time. */
function aheadFinding(path: string, ahead_ms: number): Finding {
  const ahead = durationText(ahead_ms);
  const told = `The ledger’s time is ${ahead} ahead of this machine’s: the clock of a machine that writes it was ahead, or this one’s is behind.`;
  const goesOn = `Selling goes on: ledger time never runs backwards, so it goes on from there at its own pace. Lists and journal show times that are ${ahead} late.`;
  if (ahead_ms < LIMITS.doctor.clock_fail_ms) return warned('ledger', 'clock_was_ahead', told, goesOn);
  return failed(
    'ledger',
    'clock_was_ahead',
    told,
    'Set the clock of every machine that uses the ledger: Linux timedatectl set-ntp true, macOS System Settings → General → Date & Time, Windows Settings → Time & language → Sync now.',
    `${goesOn} To be rid of it: wait until no reservation is live and no order is under way (holdfast reservations, holdfast orders), stop all servers, move ${path} away with its -wal and -shm files, and run holdfast sync, which makes a new ledger. The old one keeps the story of its orders.`,
  );
}

/** Whether somebody keeps the ledger in step with the shop. */
export function serverFinding(
  facts: LedgerFacts,
  { now_ms, heartbeat_ms }: Pick<LedgerExpectations, 'now_ms' | 'heartbeat_ms'>,
): Finding {
  const books = facts.state === 'open' ? facts.sight.books : null;
  if (books === null) return skipped('server', whyNoBooks(facts));
  // A ledger that is ahead is compared with its own newest time.
  const ledger_now_ms = Math.max(now_ms, books.last_at_ms);
  const working = books.leases.find(({ name, until_ms }) => name === 'sync' && until_ms > ledger_now_ms);
  const age_ms = ledger_now_ms - books.confirmed_at_ms;
  const stale_ms = Math.max(LIMITS.doctor.stale_min_ms, heartbeat_ms * LIMITS.doctor.stale_beats);
  const who = working === undefined ? null : describeProcess(working.owner);
  if (books.baseline_at_ms === null) {
    return who === null
      ? warned(
          'server',
          'not_read_yet',
          'The shop’s catalogue has never been read in full, and no server is doing it.',
          'Start holdfast serve, or run holdfast sync.',
        )
      : fine('server', `A server (${who}) is reading the shop for the first time.`);
  }
  const missing = missingVariants(books);
  if (age_ms <= stale_ms && missing > 0) {
    return warned(
      'server',
      'catalogue_short',
      `The shop counts ${books.variants_counted} variants, and its lists showed ${missing} less at the last full read. Items that were not shown promise nothing.`,
      'Run holdfast reconcile. If they stay away, look whether the app may see all products: Shopify admin → Settings → Apps and sales channels → your app.',
    );
  }
  if (age_ms <= stale_ms) {
    return fine('server', `The ledger was confirmed ${agoText(age_ms)}${who === null ? '' : ` by ${who}`}.`);
  }
  const since = `The ledger was last confirmed ${agoText(age_ms)}: stock as old as that is promised to nobody until it has been read again.`;
  return who === null
    ? warned(
        'server',
        'not_running',
        `${since} No server is running on it.`,
        'Start holdfast serve (an MCP client starts one by itself when it opens).',
      )
    : failed(
        'server',
        'not_confirming',
        `${since} A server (${who}) runs, but its heartbeats fail.`,
        'Mend what fails below, then look at the server’s log for loop_failed.',
      );
}

export function whyNoBooks({ state }: LedgerFacts): string {
  return state === 'absent' ? 'skipped: there is no ledger yet.' : 'skipped: the ledger could not be read.';
}

/** A lease's owner is named by process id first (open-app.ts). */
export function describeProcess(owner: string): string {
  return `process ${owner.split('-', 1)[0]}`;
}

function folderState(folder: string): DiskFacts['folder_state'] {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return 'missing';
  if (!found.isDirectory()) return 'no_folder';
  return mayWrite(folder) ? 'writable' : 'not_writable';
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Null where the file system does not say. */
function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
