/** The doctor's look at the files that hold secrets and buyers: whether anybody but their owner may read them. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { countNames, isOpenToOthers, ledgerFiles } from '../../store/sqlite/database/ledger-file.js';
import { type Finding, failed, fine, skipped, warned } from './finding.js';

export interface FilesFacts {
  /** Those that are there: absolute paths. */
  readonly files: readonly string[];
  /** Those of them that others than their owner may read or write. */
  readonly open_to_others: readonly string[];
  /** The ledger, if it has several names (hard links). */
  readonly several_names: { readonly path: string; readonly names: number } | null;
}

/** `settingsFile`: the one that the settings were read from; null where none was looked for. */
export function readFilesFacts(ledger: string, settingsFile: string | null): FilesFacts {
  const files = [...ledgerFiles(ledger), ...(settingsFile === null ? [] : [resolve(settingsFile)])].filter(
    (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  );
  const names = countNames(ledger);
  return {
    files,
    open_to_others: files.filter((path) => isOpenToOthers(statSync(path))),
    several_names: names > 1 ? { path: ledger, names } : null,
  };
}

export function filesFinding({ files, open_to_others, several_names }: FilesFacts): Finding {
  if (several_names !== null) {
    const { path, names } = several_names;
    return failed(
      'files',
      'several_names',
      `The ledger ${path} has ${names} names (hard links). No server opens it: under two of them it would be written twice over.`,
      `Remove the others (find / -samefile ${path} lists them), or copy the file and point HOLDFAST_DB at the copy.`,
    );
  }
  if (open_to_others.length > 0) {
    return warned(
      'files',
      'open_to_others',
      `Others than their owner may read or write ${open_to_others.join(', ')}: buyers’ details and the shop’s token are in there.`,
      `chmod 600 ${open_to_others.join(' ')}`,
    );
  }
  if (files.length === 0)
    return skipped('files', 'There is neither a ledger nor a settings file yet.', 'none_yet');
  return fine('files', `Only their owner may read ${files.join(', ')}.`);
}
