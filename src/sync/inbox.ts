/**
 * What the shop tells by itself, from the door to the ledger. Taking in is quick and durable; what is told is believed
 * only as far as that something has changed, so working it off means reading it again. A crash between the two loses
 * nothing: the rows are deleted only after what they name has been read.
 */

import type { ShopHint } from '../ledger/model/values/observation.js';
import type { Clock, InboxState, Store, WaitingDelivery } from '../ledger/state/state.js';
import type { MetricSink } from '../observability/metrics-table.js';
import {
  type DeliveryGate,
  type DeliveryRefusal,
  READ_ITEMS_MAX,
  READ_ORDERS_MAX,
  type StockSource,
  UpstreamError,
} from '../sources/source.js';
import { RecentLooks } from './recent-looks.js';

export interface InboxPorts {
  readonly store: Store;
  /** Null when no secret is known: then nothing is let in, and what came before is worked off all the same. */
  readonly gate: DeliveryGate | null;
  readonly source: Pick<StockSource, 'itemsOfProducts'>;
  /** Both write what they read to the ledger, and throw UpstreamError. */
  readonly sync: {
    rereadItems(itemIds: readonly string[], signal: AbortSignal): Promise<void>;
    rereadLocations(signal: AbortSignal): Promise<void>;
  };
  /** Looks at orders again. Throws UpstreamError. */
  readonly orders: (orderRefs: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly nudges: {
    /** A delivery was taken in. */
    received(): void;
    /** Rows of the outbox are due. */
    outboxDue(): void;
  };
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Ends early, without an error, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly metrics: MetricSink;
  /** Where what went wrong is told. `detail` may come from outside: for the log only. */
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** A person has to look: the shop has taken our access away, or changed it. */
  readonly alarm: (event: string) => void;
  /** Unique per process. */
  readonly worker: string;
  readonly limits: InboxLimits;
}

export interface InboxLimits {
  /** Deliveries that wait at most; more are refused. */
  readonly waiting_max: number;
  /** Deliveries that one round takes on at most, */
  readonly round_rows: number;
  /** and items, unless a single delivery names more. */
  readonly round_items: number;
  /** An item that changes all the time is read this often at most. */
  readonly reread_gap_ms: number;
  /** A process that dies keeps the others waiting this long. Two at it at once read twice and do no other harm. */
  readonly lease_ms: number;
  /** One call to the shop at most, its retries included. */
  readonly call_ms: number;
  readonly backoff_min_ms: number;
  readonly backoff_max_ms: number;
  /** A delivery that was put off so often, */
  readonly attempts_max: number;
  /** or is so old when it is put off again, is given up. */
  readonly give_up_ms: number;
}

/** What became of a delivery. All but the refusals and `full` are answered with 200. */
export type Admission =
  /** Durable. */
  | 'taken'
  /** The same delivery was taken before. */
  | 'replayed'
  /** Signed, and it names nothing that we look at. */
  | 'nothing'
  /** Our own question whether the shop could reach us. */
  | 'pong'
  /** Too many wait. The shop sends it again. */
  | 'full'
  | DeliveryRefusal;

/** Sent by `doctor`, signed with our own secret. Shopify has no such topic. */
const PING_TOPIC = 'holdfast/ping';
const LEASE = 'inbox';
/** Failures that are about what was asked for and not about the shop: only those deliveries wait. */
const OWN_FAILURES: ReadonlySet<string> = new Set(['protocol', 'refused']);
/** Names in a row that can't be read before the rest of the round is put off unread: then it is the shop after all. */
const MISSES_MAX = 3;
/** Fingerprints that are remembered: a shop's deliveries of some hours. */
const TAKEN_MAX = 10_000;
const LOOKS_MAX = 1_000;
/** What a look at the locations goes by, beside the ids of products, which are numbers. */
const LOCATIONS = 'locations';
/** Doublings of a pause, far above where it ends. */
const BACKOFF_DOUBLINGS_MAX = 16;

export class Inbox {
  readonly #ports: InboxPorts;
  #hasLease = false;
  #renewAt_ms = 0;
  #failures = 0;
  #restsUntil_ms = 0;
  /** Fingerprints of what this process has taken in, the oldest first. */
  readonly #taken = new Set<string>();
  readonly #looks: RecentLooks;
  /** A person is called once for a delivery, however often its round is tried. */
  #alarmedUpTo_seq = 0;

  constructor(ports: InboxPorts) {
    this.#ports = ports;
    this.#looks = new RecentLooks(ports.limits.reread_gap_ms, LOOKS_MAX);
  }

  /** Judges a delivery by its raw bytes; one that is let in is durable when this resolves. Writes nothing of any other. */
  async admit(headers: Parameters<DeliveryGate['judge']>[0], body: Buffer): Promise<Admission> {
    const { gate, store, nudges, limits } = this.#ports;
    if (gate === null) return 'unsigned';
    const verdict = await gate.judge(headers, body);
    if (!verdict.ok) return verdict.why;
    const { delivery_id, fingerprint, topic, hints } = verdict.delivery;
    if (topic === PING_TOPIC) return 'pong';
    if (hints.length === 0) return 'nothing';
    if (fingerprint !== null && this.#taken.has(fingerprint)) return 'replayed';
    const admission = await store.receive({ delivery_id, topic, hints }, limits.waiting_max);
    if (admission === 'taken') nudges.received();
    if (admission === 'taken' && fingerprint !== null) this.#remember(fingerprint);
    return admission;
  }

  #remember(fingerprint: string): void {
    this.#taken.add(fingerprint);
    const [oldest] = this.#taken;
    if (this.#taken.size > TAKEN_MAX && oldest !== undefined) this.#taken.delete(oldest);
  }

  /**
   * Works off what waits, oldest first, until nothing can be done now. Does nothing while another process is at it, or
   * for a while after the shop could not be read.
   */
  async drain(signal: AbortSignal): Promise<void> {
    const { store, clock, limits, sleep } = this.#ports;
    if (clock.now() < this.#restsUntil_ms) return;
    while (!signal.aborted) {
      const rows = await store.waitingDeliveries(limits.round_rows);
      if (rows.length === 0) break;
      if (!(await this.#lease())) return;
      const wait_ms = await this.#guarded(rows, signal);
      if (wait_ms === null) break;
      if (wait_ms > 0) await sleep(wait_ms, signal);
    }
    // So that whoever hears next need not wait for it to end.
    await this.close();
  }

  state(): Promise<InboxState> {
    return this.#ports.store.inboxState();
  }

  /** Gives up the lease. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.#hasLease) return;
    this.#hasLease = false;
    await this.#ports.store.releaseLease(LEASE, this.#ports.worker);
  }

  async #lease(): Promise<boolean> {
    const { store, clock, worker, limits } = this.#ports;
    this.#renewAt_ms = clock.now() + limits.lease_ms / 2;
    this.#hasLease = await store.lease(LEASE, worker, limits.lease_ms);
    return this.#hasLease;
  }

  /** One round. Answers how long to wait before the next, or null to end here: the shop can't be read now. */
  async #guarded(rows: readonly WaitingDelivery[], signal: AbortSignal): Promise<number | null> {
    const { clock, metrics, report } = this.#ports;
    try {
      const wait_ms = await this.#round(rows, signal);
      this.#failures = 0;
      return wait_ms;
    } catch (error) {
      if (signal.aborted) return null;
      const asked_ms = error instanceof UpstreamError ? (error.retry_after_ms ?? 0) : 0;
      const rest_ms = Math.max(asked_ms, this.#backoff(this.#failures));
      this.#failures += 1;
      this.#restsUntil_ms = clock.now() + rest_ms;
      metrics.add('inbox_failures_total', {});
      report('inbox_rests', { rest_ms, ...describe(error) });
      if (!(error instanceof UpstreamError)) throw error;
      return null;
    }
  }

  async #round(waiting: readonly WaitingDelivery[], signal: AbortSignal): Promise<number> {
    const { store } = this.#ports;
    const { rows, known, asked } = await this.#plan(waiting);
    const failed = new Set<number>();
    const resting = new Map<number, number>();
    await this.#heed(rows);
    await this.#lookAtLocations(rows, { failed, resting }, signal);
    const items = await this.#resolveItems(rows, { known, asked }, { failed, resting }, signal);
    const { reread, held_ms } = await this.#reread(rows, items, failed, signal);
    // Last: whatever is wrong with orders, what is sold is known first.
    await this.#lookAtOrders(rows, failed, signal);
    const done = rows.filter(({ seq }) => !resting.has(seq) || failed.has(seq));
    const outcome = await this.#outcome(done, items, reread, failed);
    this.#count(rows, items, reread, outcome);
    const over = [...outcome.settled, ...outcome.given_up.map(({ seq }) => seq)];
    await Promise.all([
      over.length === 0 ? null : store.settleDeliveries(over),
      outcome.put_off.length === 0
        ? null
        : store.putOffDeliveries(
            outcome.put_off.map(({ seq, attempts }) => ({ seq, delay_ms: this.#backoff(attempts) })),
          ),
    ]);
    // Something was done, so there may be more to do at once; else everything here was read a moment ago.
    return over.length + outcome.put_off.length > 0 ? 0 : Math.min(held_ms, ...resting.values());
  }

  /** As many rows, from the oldest on, as do not name too much together. */
  async #plan(waiting: readonly WaitingDelivery[]): Promise<Plan> {
    const { store, limits } = this.#ports;
    const [variants, products] = await Promise.all([
      store.itemsNamed('variant', collectIds(waiting, 'variant')),
      store.itemsNamed('product', collectIds(waiting, 'product')),
    ]);
    const rows: WaitingDelivery[] = [];
    const known = new Map<number, ReadonlySet<string>>();
    const asked = new Map<number, readonly string[]>();
    const all = new Set<string>();
    for (const row of waiting) {
      const { ids, unknown } = collectNames(row, variants, products);
      for (const id of ids) all.add(id);
      if (rows.length > 0 && all.size > limits.round_items) break;
      rows.push(row);
      known.set(row.seq, ids);
      if (unknown.length > 0) asked.set(row.seq, unknown);
    }
    return { rows, known, asked };
  }

  /** What needs no look at the shop. */
  async #heed(rows: readonly WaitingDelivery[]): Promise<void> {
    const { store, nudges, alarm } = this.#ports;
    const fresh = filterRows(rows, 'access').filter(
      ({ seq, attempts }) => attempts === 0 && seq > this.#alarmedUpTo_seq,
    );
    for (const { seq } of fresh) this.#alarmedUpTo_seq = Math.max(this.#alarmedUpTo_seq, seq);
    if (fresh.length > 0) alarm('shop_access_changed');
    const holds = collectIds(rows, 'hold');
    if (holds.length > 0 && (await store.wakeHolds(holds)) > 0) nudges.outboxDue();
  }

  async #lookAtLocations(
    rows: readonly WaitingDelivery[],
    { failed, resting }: Undone,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, sync } = this.#ports;
    const named = filterRows(rows, 'locations').filter(
      ({ seq, received_at_ms }) =>
        !this.#looks.covers(LOCATIONS, received_at_ms) && this.#mayLook(LOCATIONS, seq, resting),
    );
    if (named.length === 0) return;
    await this.#orPutOff(named, failed, signal, async () => {
      const began_ms = clock.now();
      await sync.rereadLocations(this.#within(signal));
      this.#looks.record(LOCATIONS, began_ms);
    });
  }

  /** Whether to look at a thing now; if not, because the last look was a moment ago, the row rests. */
  #mayLook(name: string, seq: number, resting: Map<number, number>): boolean {
    const rest_ms = this.#looks.rest(name, this.#ports.clock.now());
    if (rest_ms > 0) resting.set(seq, Math.max(rest_ms, resting.get(seq) ?? 0));
    return rest_ms === 0;
  }

  async #lookAtOrders(
    rows: readonly WaitingDelivery[],
    failed: Set<number>,
    signal: AbortSignal,
  ): Promise<void> {
    const named = filterRows(rows, 'order');
    await this.#orPutOff(named, failed, signal, async () => {
      const unread = await this.#inGroups(collectIds(named, 'order'), READ_ORDERS_MAX, (refs) =>
        this.#ports.orders(refs, this.#within(signal)),
      );
      for (const row of named) {
        if (row.hints.some((hint) => hint.kind === 'order' && unread.has(hint.id))) failed.add(row.seq);
      }
    });
  }

  /** A kind of thing that can't be read, a scope for it being missing, say, puts off the rows that name one and no others. */
  async #orPutOff(
    rows: readonly WaitingDelivery[],
    failed: Set<number>,
    signal: AbortSignal,
    look: () => Promise<void>,
  ): Promise<void> {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof UpstreamError) || signal.aborted) throw error;
      for (const { seq } of rows) failed.add(seq);
      this.#ports.report('inbox_unread', { deliveries: rows.length, ...describe(error) });
    }
  }

  /** By row: the items that it names, asking the shop about products that the ledger does not know. */
  async #resolveItems(
    rows: readonly WaitingDelivery[],
    { known, asked }: Pick<Plan, 'known' | 'asked'>,
    { failed, resting }: Undone,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
    const { source, clock } = this.#ports;
    const due = rows.flatMap(({ seq }) =>
      (asked.get(seq) ?? []).filter((product) => this.#mayLook(product, seq, resting)),
    );
    const found = new Map<string, readonly string[]>();
    const unread = await this.#inGroups([...new Set(due)], 1, async ([product]) => {
      if (product === undefined) return;
      const began_ms = clock.now();
      found.set(product, await source.itemsOfProducts([product], this.#within(signal)));
      this.#looks.record(product, began_ms);
    });
    return new Map(
      rows.map(({ seq }) => {
        const products = asked.get(seq) ?? [];
        if (products.some((product) => unread.has(product))) failed.add(seq);
        return [seq, new Set([...(known.get(seq) ?? []), ...products.flatMap((id) => found.get(id) ?? [])])];
      }),
    );
  }

  /** Reads what no read has covered yet, in order of arrival. What was read a moment ago is left for the next round. */
  async #reread(
    rows: readonly WaitingDelivery[],
    items: ReadonlyMap<number, ReadonlySet<string>>,
    failed: Set<number>,
    signal: AbortSignal,
  ): Promise<{ readonly reread: ReadonlySet<string>; readonly held_ms: number }> {
    const { store, clock, metrics, limits } = this.#ports;
    const ids = [...new Set(rows.flatMap(({ seq }) => [...(items.get(seq) ?? [])]))];
    const times = await store.itemTimes(ids);
    const now = clock.now();
    const wanted = new Set<string>();
    let held_ms = limits.reread_gap_ms;
    for (const { seq, received_at_ms } of rows) {
      for (const id of items.get(seq) ?? []) {
        const item = times.get(id);
        if (isCovered(item, received_at_ms)) continue;
        const rests_ms = item === undefined ? 0 : item.read_at_ms + limits.reread_gap_ms - now;
        if (rests_ms <= 0) wanted.add(id);
        else held_ms = Math.min(held_ms, rests_ms);
      }
    }
    const unread = await this.#inGroups([...wanted], READ_ITEMS_MAX, (group) =>
      this.#readItems(group, signal),
    );
    const reread = new Set([...wanted].filter((id) => !unread.has(id)));
    metrics.add('inbox_items_reread_total', {}, reread.size);
    for (const { seq } of rows) if ([...(items.get(seq) ?? [])].some((id) => unread.has(id))) failed.add(seq);
    return { reread, held_ms };
  }

  async #readItems(itemIds: readonly string[], signal: AbortSignal): Promise<void> {
    const { sync } = this.#ports;
    try {
      await sync.rereadItems(itemIds, this.#within(signal));
    } catch (error) {
      // It may be stocked at a location that has just been opened: then the next try will do.
      if (error instanceof UpstreamError && error.failure === 'protocol')
        await sync.rereadLocations(this.#within(signal));
      throw error;
    }
  }

  /** Which rows are done, by what the ledger holds now: whoever has read an item has read it for all. */
  async #outcome(
    rows: readonly WaitingDelivery[],
    items: ReadonlyMap<number, ReadonlySet<string>>,
    reread: ReadonlySet<string>,
    failed: ReadonlySet<number>,
  ): Promise<Outcome> {
    const times = await this.#ports.store.itemTimes([
      ...new Set([...items.values()].flatMap((ids) => [...ids])),
    ]);
    const { clock, limits, report } = this.#ports;
    const now = clock.now();
    const settled: number[] = [];
    const put_off: WaitingDelivery[] = [];
    const given_up: WaitingDelivery[] = [];
    for (const row of rows) {
      const open = [...(items.get(row.seq) ?? [])].filter((id) => {
        const item = times.get(id);
        // Neither the ledger nor the shop knows it: it is gone, or nothing that is sold.
        if (item === undefined && reread.has(id)) return false;
        return !isCovered(item, row.received_at_ms);
      });
      // What was read and is open all the same has met a copy of the shop that lags behind.
      if (failed.has(row.seq) || open.some((id) => reread.has(id))) {
        const isOver =
          row.attempts + 1 >= limits.attempts_max || now - row.received_at_ms >= limits.give_up_ms;
        (isOver ? given_up : put_off).push(row);
      } else if (open.length === 0) settled.push(row.seq);
    }
    // Items of theirs keep their mark, and so promise nothing, until somebody can read them.
    for (const { seq, delivery_id, topic, attempts } of given_up)
      report('inbox_given_up', { seq, delivery_id, topic, attempts: attempts + 1 });
    return { settled, put_off, given_up };
  }

  #count(
    rows: readonly WaitingDelivery[],
    items: ReadonlyMap<number, ReadonlySet<string>>,
    reread: ReadonlySet<string>,
    { settled, put_off, given_up }: Outcome,
  ): void {
    const { metrics } = this.#ports;
    const done = new Set(settled);
    const names = rows.flatMap(({ seq }) => (done.has(seq) ? [...(items.get(seq) ?? [])] : []));
    const own = new Set(names.filter((id) => reread.has(id)));
    metrics.add('inbox_hints_coalesced_total', {}, names.length - own.size);
    metrics.add('inbox_settled_total', {}, settled.length);
    metrics.add('inbox_put_off_total', {}, put_off.length);
    metrics.add('inbox_given_up_total', {}, given_up.length);
  }

  /**
   * Works on groups, and one by one through a group that fails by what is in it: one name that can't be read must not
   * keep the others. Answers those names; throws when the shop itself can't be read.
   */
  async #inGroups(
    ids: readonly string[],
    size: number,
    work: (group: readonly string[]) => Promise<void>,
  ): Promise<ReadonlySet<string>> {
    const unread = new Set<string>();
    let misses = 0;
    for (let start = 0; start < ids.length; start += size) {
      const group = ids.slice(start, start + size);
      if (misses < MISSES_MAX && (await this.#isRead(group, work))) {
        misses = 0;
        continue;
      }
      for (const id of group) {
        const isRead = misses < MISSES_MAX && group.length > 1 && (await this.#isRead([id], work));
        misses = isRead ? 0 : misses + 1;
        if (!isRead) unread.add(id);
      }
    }
    return unread;
  }

  async #isRead(
    group: readonly string[],
    work: (group: readonly string[]) => Promise<void>,
  ): Promise<boolean> {
    // A round of many calls outlasts the lease.
    if (this.#hasLease && this.#ports.clock.now() >= this.#renewAt_ms) await this.#lease();
    try {
      await work(group);
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamError) || !OWN_FAILURES.has(error.failure)) throw error;
      this.#ports.report('inbox_unread', { ids: group, ...describe(error) });
      return false;
    }
  }

  #within(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#ports.limits.call_ms)]);
  }

  #backoff(attempts: number): number {
    const { random, limits } = this.#ports;
    const full = limits.backoff_min_ms * 2 ** Math.min(attempts, BACKOFF_DOUBLINGS_MAX);
    return Math.round(Math.min(limits.backoff_max_ms, full) * (0.5 + random() / 2));
  }
}

interface Plan {
  readonly rows: readonly WaitingDelivery[];
  /** By row: items that it names and that are known by name. */
  readonly known: ReadonlyMap<number, ReadonlySet<string>>;
  /** By row: products that the shop has to be asked about. */
  readonly asked: ReadonlyMap<number, readonly string[]>;
}

/** Rows that are not done with, by what kept them. */
interface Undone {
  readonly failed: Set<number>;
  /** What they name was looked at a moment ago, and not since they came: they wait for so many milliseconds. */
  readonly resting: Map<number, number>;
}

interface Outcome {
  readonly settled: readonly number[];
  readonly put_off: readonly WaitingDelivery[];
  readonly given_up: readonly WaitingDelivery[];
}

/**
 * A read that began when the message was here already has seen what the message is about; unless its figures lost to
 * newer ones, which the mark that is still there tells. A later mark belongs to a later message, which waits too.
 */
function isCovered(
  item: { readonly read_at_ms: number; readonly dirty_at_ms: number | null } | undefined,
  receivedAt: number,
): boolean {
  if (item === undefined || item.read_at_ms < receivedAt) return false;
  return item.dirty_at_ms === null || item.dirty_at_ms > receivedAt;
}

/**
 * The items that a delivery names, by what the ledger knows. The shop is asked about its products where that is not
 * enough: a product that is new and names none of its items, or a variant that is new.
 */
function collectNames(
  { hints }: WaitingDelivery,
  variants: ReadonlyMap<string, readonly string[]>,
  products: ReadonlyMap<string, readonly string[]>,
): { readonly ids: ReadonlySet<string>; readonly unknown: readonly string[] } {
  const ids = new Set<string>();
  const named: string[] = [];
  let isEnough = true;
  for (const hint of hints) {
    if (hint.kind === 'item') ids.add(hint.id);
    if (hint.kind === 'product') named.push(hint.id);
    const known = hint.kind === 'variant' ? variants.get(hint.id) : undefined;
    for (const id of known ?? []) ids.add(id);
    if (hint.kind === 'variant' && (known ?? []).length === 0) isEnough = false;
  }
  const own = ids.size;
  for (const product of named) for (const id of products.get(product) ?? []) ids.add(id);
  const unknown = named.filter(
    (product) => !isEnough || (own === 0 && (products.get(product) ?? []).length === 0),
  );
  return { ids, unknown };
}

function filterRows(rows: readonly WaitingDelivery[], kind: ShopHint['kind']): readonly WaitingDelivery[] {
  return rows.filter(({ hints }) => hints.some((hint) => hint.kind === kind));
}

function collectIds(
  rows: readonly WaitingDelivery[],
  kind: Extract<ShopHint, { readonly id: string }>['kind'],
): string[] {
  const ids = rows.flatMap(({ hints }) => hints.flatMap((hint) => (hint.kind === kind ? [hint.id] : [])));
  return [...new Set(ids)];
}

function describe(error: unknown): Record<string, unknown> {
  if (error instanceof UpstreamError) return { failure: error.failure, detail: error.detail };
  return { failure: 'unexpected', error };
}
