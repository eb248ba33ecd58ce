/**
 * Who wants to hear of which SKUs, and tells them. Each reader gets a note that a SKU has changed, never the figures: one
 * note a SKU however often it changed since, and only while what was written to that reader before has left. So a reader
 * that is slow keeps nobody waiting, costs no more memory than the names it asked for, and is dropped when it stalls.
 */

import { skuOfUri } from '../kit/stock-uri.js';
import type { StockFeed } from './change-feed.js';

export interface HubLimits {
  /** Open streams, and sessions that may open one: of all callers, and of one. */
  readonly readers_max: number;
  readonly readers_per_caller_max: number;
  /** URIs that one reader follows, and all readers of one caller together. */
  readonly uris_per_reader_max: number;
  readonly uris_per_caller_max: number;
  /** A reader that takes nothing for so long, while there is something to tell, is dropped. */
  readonly stalled_max_ms: number;
  /** Notes that are sent before others get their turn. */
  readonly notes_batch: number;
}

/** The way to one reader. */
export interface Outlet {
  /** `away`: nobody listens just now, and may come back. */
  state(): 'clear' | 'full' | 'away';
  /** Only while `clear`. */
  send(uri: string): void;
  /** Ends it: its reader has stalled. */
  drop(): void;
}

export interface HubPorts {
  readonly feed: StockFeed;
  readonly limits: HubLimits;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly breathe: () => Promise<void>;
  /** Runs rounds until it is stopped. */
  readonly startRounds: (round: (signal: AbortSignal) => Promise<void>) => { stop(): Promise<void> };
  /** Told of every note and every reader that was dropped. */
  readonly count?: (what: 'sent' | 'dropped') => void;
  readonly onError: (error: unknown) => void;
}

export class StockHub {
  readonly #ports: HubPorts;
  readonly #readers = new Set<Reader>();
  readonly #readersBySku = new Map<string, Set<Reader>>();
  readonly #loads = new Map<string, { readers: number; uris: number }>();
  /** With something to tell. */
  readonly #ready = new Set<Reader>();
  #rounds: { stop(): Promise<void> } | null = null;
  #stopped = false;

  constructor(ports: HubPorts) {
    this.#ports = ports;
  }

  /** Readers at present. */
  get size(): number {
    return this.#readers.size;
  }

  /** A place for one more reader; null when this caller, or all together, have as many as they may. */
  open(principal: string, outlet: Outlet): Reader | null {
    const { limits } = this.#ports;
    const load = this.#loads.get(principal) ?? { readers: 0, uris: 0 };
    const isFull = this.#readers.size >= limits.readers_max || load.readers >= limits.readers_per_caller_max;
    if (isFull || this.#stopped) return null;
    load.readers += 1;
    this.#loads.set(principal, load);
    const reader = new Reader(outlet, {
      mayAdd: (held, more) =>
        held + more <= limits.uris_per_reader_max && load.uris + more <= limits.uris_per_caller_max,
      added: (skus, uris) => {
        load.uris += uris;
        this.#follow(reader, skus);
      },
      removed: (skus, uris) => {
        load.uris -= uris;
        this.#unfollow(reader, skus);
      },
      closed: () => {
        load.readers -= 1;
        if (load.readers === 0) this.#loads.delete(principal);
        this.#readers.delete(reader);
        this.#ready.delete(reader);
      },
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Waits for the round under way. Readers stay open: whoever serves them closes them. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#rounds?.stop();
    this.#rounds = null;
  }

  #follow(reader: Reader, skus: readonly string[]): void {
    const fresh = skus.filter((sku) => !this.#readersBySku.has(sku));
    for (const sku of skus) {
      const readers = this.#readersBySku.get(sku) ?? new Set();
      this.#readersBySku.set(sku, readers.add(reader));
    }
    // What can't be read now is read by the next round.
    this.#ports.feed.watch(fresh).catch(this.#ports.onError);
    if (this.#stopped) return;
    this.#rounds ??= this.#ports.startRounds((signal) => this.#round(signal));
  }

  #unfollow(reader: Reader, skus: readonly string[]): void {
    for (const sku of skus) {
      const readers = this.#readersBySku.get(sku);
      readers?.delete(reader);
      if (readers?.size !== 0) continue;
      this.#readersBySku.delete(sku);
      this.#ports.feed.unwatch(sku);
    }
    if (this.#readersBySku.size > 0 || this.#rounds === null) return;
    const rounds = this.#rounds;
    this.#rounds = null;
    rounds.stop().catch(this.#ports.onError);
  }

  async #round(signal: AbortSignal): Promise<void> {
    let isMore: boolean;
    do {
      isMore = await this.#ports.feed.round((skus) => this.#changed(skus), signal);
      await this.#tell(signal);
    } while (isMore && !signal.aborted);
  }

  #changed(skus: readonly string[]): void {
    for (const sku of skus) {
      for (const reader of this.#readersBySku.get(sku) ?? []) {
        reader.note(sku);
        this.#ready.add(reader);
      }
    }
  }

  /** Everybody who can take something gets it; nobody is waited for. */
  async #tell(signal: AbortSignal): Promise<void> {
    const { limits, now, breathe, count } = this.#ports;
    let sent = 0;
    for (const reader of [...this.#ready]) {
      if (signal.aborted) return;
      const result = reader.tell(now(), limits.stalled_max_ms);
      for (let told = 0; told < result.sent; told += 1) count?.('sent');
      if (result.is_dropped) count?.('dropped');
      if (result.is_done) this.#ready.delete(reader);
      sent += result.sent;
      if (sent < limits.notes_batch) continue;
      sent = 0;
      await breathe();
    }
  }
}

interface ReaderBook {
  mayAdd(held: number, more: number): boolean;
  added(skus: readonly string[], uris: number): void;
  removed(skus: readonly string[], uris: number): void;
  closed(): void;
}

/** One stream or session, and what it wants to hear of. */
export class Reader {
  readonly #outlet: Outlet;
  readonly #book: ReaderBook;
  readonly #skuByUri = new Map<string, string>();
  /** Usually one each: a client may spell a SKU in several ways. */
  readonly #urisBySku = new Map<string, Set<string>>();
  readonly #pending = new Set<string>();
  #fullSince: number | null = null;
  #closed = false;

  constructor(outlet: Outlet, book: ReaderBook) {
    this.#outlet = outlet;
    this.#book = book;
  }

  get uriCount(): number {
    return this.#skuByUri.size;
  }

  /** False when that would be more than this reader or its caller may follow: then nothing is added. Throws for a URI of another kind. */
  subscribe(uris: readonly string[]): boolean {
    const fresh = [...new Set(uris)].filter((uri) => !this.#skuByUri.has(uri));
    if (this.#closed || !this.#book.mayAdd(this.#skuByUri.size, fresh.length)) return false;
    const skus: string[] = [];
    for (const uri of fresh) {
      const sku = skuOfUri(uri);
      if (sku === null) throw new Error('a subscription to what is no stock');
      this.#skuByUri.set(uri, sku);
      const spelt = this.#urisBySku.get(sku) ?? new Set();
      if (spelt.size === 0) skus.push(sku);
      this.#urisBySku.set(sku, spelt.add(uri));
    }
    this.#book.added(skus, fresh.length);
    return true;
  }

  /** Twice is no error. */
  unsubscribe(uri: string): void {
    const sku = this.#skuByUri.get(uri);
    if (sku === undefined) return;
    this.#skuByUri.delete(uri);
    this.#pending.delete(uri);
    const spelt = this.#urisBySku.get(sku);
    spelt?.delete(uri);
    const isLast = spelt?.size === 0;
    if (isLast) this.#urisBySku.delete(sku);
    this.#book.removed(isLast ? [sku] : [], 1);
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const uri of [...this.#skuByUri.keys()]) this.unsubscribe(uri);
    this.#book.closed();
  }

  /** For the hub: its SKU has changed. */
  note(sku: string): void {
    for (const uri of this.#urisBySku.get(sku) ?? []) this.#pending.add(uri);
  }

  /** For the hub: sends what can be sent now. */
  tell(now: number, stalledMaxMs: number): { sent: number; is_done: boolean; is_dropped: boolean } {
    let sent = 0;
    for (const uri of this.#pending) {
      const state = this.#outlet.state();
      if (state === 'full') return this.#held(sent, now, stalledMaxMs);
      this.#fullSince = null;
      if (state === 'away') return { sent, is_done: false, is_dropped: false };
      this.#pending.delete(uri);
      this.#outlet.send(uri);
      sent += 1;
    }
    return { sent, is_done: true, is_dropped: false };
  }

  #held(sent: number, now: number, stalledMaxMs: number) {
    if (sent > 0) this.#fullSince = null;
    this.#fullSince ??= now;
    const is_dropped = now - this.#fullSince >= stalledMaxMs;
    if (is_dropped) {
      this.close();
      this.#outlet.drop();
    }
    return { sent, is_done: is_dropped, is_dropped };
  }
}
