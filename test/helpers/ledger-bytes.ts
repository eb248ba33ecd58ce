import { existsSync, readFileSync } from 'node:fs';

/** Everything that a ledger has on disk: its file, and the write-ahead log beside it. */
export function readLedgerBytes(path: string): Buffer {
  const files = [path, `${path}-wal`].filter((name) => existsSync(name));
  return Buffer.concat(files.map((name) => readFileSync(name)));
}
