/**
 * Bulk operations: a query that runs by itself, page by page, into a file that is then fetched from a storage host.
 * Shopify: `bulkOperationRunQuery`; five at once since API 2026-01, results kept for seven days. The file is a real one,
 * in the machine's folder for temporary files, so that a large catalogue costs disk and not memory.
 */

import { createReadStream, mkdtempSync, type ReadStream, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BulkPlan, BulkReadError, type ReadDocument, readBulk } from '../api-rules/bulk-query.js';
import { type Connection, type Listing, type PageArguments, paginate } from '../api-rules/connection.js';
import type { ShopEvents } from '../base/events.js';
import { numberOfGid } from '../base/gid.js';
import { Sequence } from '../base/sequence.js';

export type BulkStatus =
  | 'CREATED'
  | 'RUNNING'
  | 'COMPLETED'
  | 'CANCELING'
  | 'CANCELED'
  | 'FAILED'
  | 'EXPIRED';
export type BulkErrorCode = 'ACCESS_DENIED' | 'INTERNAL_SERVER_ERROR' | 'TIMEOUT';

export interface BulkOperation {
  readonly id: string;
  readonly query: string;
  readonly status: BulkStatus;
  readonly errorCode: BulkErrorCode | null;
  readonly createdMs: number;
  /** Null unless it was completed. */
  readonly completedMs: number | null;
  /** Running counts of lines, and of those at the root. */
  readonly objects: number;
  readonly rootObjects: number;
  /** Of the file; 0 while there is none. */
  readonly fileBytes: number;
}

export interface BulkSettings {
  /** From creation to the end at the earliest, on the shop's clock. Default 2,000. */
  readonly durationMs: number;
  /** How many may be under way at once. Shopify: 5. With 1 the refusal is the one of the older versions. */
  readonly concurrentMax: number;
  /** How long a result can be fetched. Shopify: 7 days. */
  readonly keptMs: number;
  /**
   * How long, in real time, a request waits for an operation that the shop's clock says should be done. 0 on a real
   * clock; on a clock that a test moves, what is due has happened when somebody looks.
   */
  readonly waitMs: number;
}

export const BULK_DEFAULTS: BulkSettings = {
  durationMs: 2_000,
  concurrentMax: 5,
  keptMs: 7 * 24 * 60 * 60 * 1000,
  waitMs: 0,
};

/** What a bulk mutation answers. */
export interface BulkResult {
  readonly bulkOperation: BulkOperation | null;
  readonly userErrors: readonly {
    readonly field: readonly string[] | null;
    readonly message: string;
    readonly code?: 'INVALID' | 'LIMIT_REACHED' | 'OPERATION_IN_PROGRESS';
  }[];
}

/** Why a result can't be fetched. */
export type Unfetchable = 'unknown' | 'expired';

const ENDED: ReadonlySet<BulkStatus> = new Set(['COMPLETED', 'CANCELED', 'FAILED', 'EXPIRED']);
/** Between asking for a cancellation and its end, on the shop's clock. Shopify: "a short delay". */
const CANCELING_MS = 1_000;
/** The oldest ended ones are forgotten first. */
const OPERATIONS_MAX = 1_000;
const WRITE_BYTES = 64 * 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Run {
  readonly operation: Mutable<BulkOperation>;
  readonly path: string;
  readonly ended: Promise<void>;
  /** On the shop's clock: when it ends if it has been read by then. */
  dueMs: number;
  isRead: boolean;
  failure: BulkErrorCode | null;
}

const LISTING: Listing<BulkOperation> = {
  filters: {
    id: { kind: 'id', of: ({ id }) => id },
    status: { kind: 'text', of: ({ status }) => [status] },
    operation_type: { kind: 'text', of: () => ['query'] },
    created_at: { kind: 'time', of: ({ createdMs }) => createdMs },
  },
  sorts: { CREATED_AT: ({ createdMs }) => createdMs, COMPLETED_AT: ({ completedMs }) => completedMs ?? 0 },
};

export class BulkOperations {
  readonly #events: ShopEvents;
  readonly #settings: BulkSettings;
  readonly #runs = new Map<string, Run>();
  readonly #ids = new Sequence('BulkOperation', 4_815_162_342_001n, 32_768n);
  #folder: string | null = null;
  #nextFailure: BulkErrorCode | null = null;

  constructor(events: ShopEvents, settings: BulkSettings) {
    this.#events = events;
    this.#settings = settings;
  }

  get(id: string): BulkOperation | undefined {
    return this.#runs.get(id)?.operation;
  }

  /** The latest of all. */
  current(): BulkOperation | null {
    return [...this.#runs.values()].at(-1)?.operation ?? null;
  }

  /** Newest first, unless the arguments say otherwise. */
  list(args: PageArguments): Connection<BulkOperation> {
    const operations = [...this.#runs.values()].map(({ operation }) => operation);
    return paginate(operations, { ...args, reverse: !args.reverse }, LISTING);
  }

  /** Refuses when too many are under way. The reading begins at once and goes on by itself. */
  start(
    query: string,
    { plan, isGrouped, read }: { plan: BulkPlan; isGrouped: boolean; read: ReadDocument },
    nowMs: number,
  ): BulkResult {
    const underWay = [...this.#runs.values()].filter(({ operation }) => !ENDED.has(operation.status));
    if (underWay.length >= this.#settings.concurrentMax) return this.#tooMany(underWay);
    const operation: Mutable<BulkOperation> = {
      id: this.#ids.next(),
      query,
      status: 'CREATED',
      errorCode: null,
      createdMs: nowMs,
      completedMs: null,
      objects: 0,
      rootObjects: 0,
      fileBytes: 0,
    };
    const failure = this.#nextFailure;
    this.#nextFailure = null;
    this.#folder ??= mkdtempSync(join(tmpdir(), 'sandbox-shop-'));
    const path = join(this.#folder, `${numberOfGid(operation.id)}.jsonl`);
    const dueMs = nowMs + this.#settings.durationMs;
    const run: Run = {
      operation,
      path,
      dueMs,
      isRead: false,
      failure,
      ended: Promise.resolve().then(() => this.#read(run, readBulk(plan, isGrouped, read))),
    };
    // What the query may get wrong ends up in `failure`. A bug is told to whoever waits for the operation.
    run.ended.catch(() => undefined);
    this.#runs.set(operation.id, run);
    this.#forgetOldest();
    return { bulkOperation: operation, userErrors: [] };
  }

  cancel(id: string, nowMs: number): BulkResult {
    const run = this.#runs.get(id);
    if (!run) return refused(['id'], 'Bulk operation does not exist');
    const { operation } = run;
    if (ENDED.has(operation.status)) {
      const state = operation.status.toLowerCase();
      return {
        ...refused(null, `A bulk operation cannot be canceled when it is ${state}`),
        bulkOperation: operation,
      };
    }
    operation.status = 'CANCELING';
    run.dueMs = nowMs + CANCELING_MS;
    return { bulkOperation: operation, userErrors: [] };
  }

  /** The next operation to be started fails, after its first page, with that code; what it has read can be fetched. */
  failNext(code: BulkErrorCode): void {
    this.#nextFailure = code;
  }

  /** Where the result is, below the shop's own address; null when there is none (any more), or nothing was found. */
  buildPath({ id, status, fileBytes }: BulkOperation): string | null {
    const isThere = (status === 'COMPLETED' || status === 'FAILED') && fileBytes > 0;
    return isThere ? `${BULK_PATH}${numberOfGid(id)}.jsonl` : null;
  }

  /** The file behind such a path. The caller reads it to its end or destroys it. */
  fetch(
    path: string,
  ): { readonly bytes: number; readonly open: (bytes: number) => ReadStream } | Unfetchable {
    const run = [...this.#runs.values()].find(
      ({ operation }) => path === `${BULK_PATH}${numberOfGid(operation.id)}.jsonl`,
    );
    if (run?.operation.status === 'EXPIRED') return 'expired';
    if (!run || this.buildPath(run.operation) === null) return 'unknown';
    return {
      bytes: run.operation.fileBytes,
      open: (bytes) => createReadStream(run.path, { end: bytes - 1 }),
    };
  }

  /** Brings every status up to the time, and tells of what has ended. */
  advance(nowMs: number): void {
    for (const run of this.#runs.values()) {
      const { operation } = run;
      // Reading took longer than it should: it ends when it ends.
      if (!run.isRead && nowMs > run.dueMs) run.dueMs = nowMs;
      if (operation.status === 'CREATED' && nowMs > operation.createdMs) operation.status = 'RUNNING';
      if (!ENDED.has(operation.status) && nowMs >= run.dueMs && run.isRead) this.#end(run);
      const isKept = nowMs < run.dueMs + this.#settings.keptMs;
      if (!isKept && (operation.status === 'COMPLETED' || operation.status === 'FAILED')) {
        operation.status = 'EXPIRED';
        rmSync(run.path, { force: true });
      }
    }
  }

  /** Waits a while for what should be done by now, as the settings say. */
  async caughtUp(nowMs: number): Promise<void> {
    const late = [...this.#runs.values()].filter(({ isRead, dueMs }) => !isRead && dueMs <= nowMs);
    if (late.length === 0 || this.#settings.waitMs === 0) return;
    const enough = new AbortController();
    const limit = sleep(this.#settings.waitMs, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([Promise.all(late.map(({ ended }) => ended)), limit]);
    enough.abort();
  }

  /** Ends all reading and deletes the files. What was completed stays so, but can't be fetched any more. */
  async close(): Promise<void> {
    for (const { operation } of this.#runs.values()) {
      if (!ENDED.has(operation.status)) operation.status = 'CANCELING';
    }
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  #tooMany(underWay: readonly Run[]): BulkResult {
    const [first] = underWay;
    if (this.#settings.concurrentMax > 1 || !first) {
      const message = 'Bulk operations limit reached. Please try again later.';
      return refused(null, message, 'LIMIT_REACHED');
    }
    const message = `A bulk query operation for this app and shop is already in progress: ${first.operation.id}.`;
    return refused(null, message, 'OPERATION_IN_PROGRESS');
  }

  async #read(run: Run, batches: ReturnType<typeof readBulk>): Promise<void> {
    const file = await open(run.path, 'w');
    try {
      for await (const { lines, rootLines } of batches) {
        if (run.operation.status === 'CANCELING') break;
        await writeLines(file, lines, run.operation);
        run.operation.objects += lines.length;
        run.operation.rootObjects += rootLines;
        if (run.failure !== null) break;
      }
    } catch (error) {
      run.failure = error instanceof BulkReadError ? error.code : 'INTERNAL_SERVER_ERROR';
      if (!(error instanceof BulkReadError)) throw error;
    } finally {
      await file.close();
      run.isRead = true;
    }
  }

  #end(run: Run): void {
    const { operation, failure, dueMs } = run;
    if (operation.status === 'CANCELING') operation.status = 'CANCELED';
    else if (failure !== null) {
      operation.status = 'FAILED';
      operation.errorCode = failure;
    } else {
      operation.status = 'COMPLETED';
      operation.completedMs = dueMs;
    }
    this.#events.publish({
      kind: 'bulk_operation',
      change: 'finished',
      atMs: dueMs,
      bulkOperationId: operation.id,
    });
  }

  #forgetOldest(): void {
    for (const [id, { operation, path }] of this.#runs) {
      if (this.#runs.size <= OPERATIONS_MAX) return;
      if (!ENDED.has(operation.status)) continue;
      this.#runs.delete(id);
      rmSync(path, { force: true });
    }
  }
}

/** Where results lie. Shopify keeps them on a storage host of its own, which knows no tokens. */
export const BULK_PATH = '/storage/bulk-operations/';

async function writeLines(
  file: FileHandle,
  lines: readonly string[],
  operation: Mutable<BulkOperation>,
): Promise<void> {
  let text = '';
  const write = async () => {
    const { bytesWritten } = await file.write(text);
    operation.fileBytes += bytesWritten;
    text = '';
  };
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length >= WRITE_BYTES) await write();
  }
  if (text !== '') await write();
}

function refused(
  field: readonly string[] | null,
  message: string,
  code?: 'LIMIT_REACHED' | 'OPERATION_IN_PROGRESS',
): BulkResult {
  return { bulkOperation: null, userErrors: [{ field, message, ...(code ? { code } : {}) }] };
}
