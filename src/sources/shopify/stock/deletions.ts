/**
 * Which products a merchant has deleted. A deleted product is in no list of changes; the shop's log of events has it, for
 * a year, and is read from a cursor on. A shop that refuses the log is asked for its count of variants instead: when that
 * falls, or there is none to compare with, something may be gone, and only a full read finds out what. A product that comes while
 * another goes hides it there.
 */

import { UpstreamError, type UpstreamFailure } from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS } from '../client/documents.js';
import { compareTails, parseTail } from '../client/gid.js';
import { DELETIONS_PER_PAGE, FILTERED_OBJECTS_MAX } from '../client/limits.js';
import { walk } from '../client/paging.js';
import { toSeconds } from '../client/search.js';

/** Where a search for deletions goes on: after an event of the shop's log, or at a count. Neither: at a time. */
export interface DeletionMark {
  readonly event_id: string | null;
  readonly variants: number | null;
}

export interface Deletions {
  readonly product_ids: readonly string[];
  /** The shop counts fewer variants than at the mark, or was not asked for a count there, and does not tell which are gone. */
  readonly has_lost_variants: boolean;
  readonly mark: DeletionMark;
}

export const NO_MARK: DeletionMark = { event_id: null, variants: null };

/** The shop has said no to this query, or answers it with what it should not: the others may work. */
const REFUSALS: ReadonlySet<UpstreamFailure> = new Set(['scope_missing', 'refused', 'protocol']);
/** A person has to act, so there is no use in asking again soon. Of the others the next answer may be a better one. */
const LASTING: ReadonlySet<UpstreamFailure> = new Set(['scope_missing']);

const DESTROYED = 'action:destroy AND subject_type:PRODUCT';

interface Found {
  readonly event_id: string;
  readonly at_ms: number;
  readonly product_id: string;
}

export class DeletionFinder {
  readonly #client: ShopifyClient;
  /** Since the last full read began: it asks for the log again. */
  #isRefused = false;
  /** The last full read found neither the log nor an exact count: reading all again would bring nothing to compare with. */
  #isBlind = false;
  /** How the shop's log failed last; null again once a heartbeat could read it. */
  #failure: UpstreamFailure | null = null;

  constructor(client: ShopifyClient) {
    this.#client = client;
  }

  /** Where to begin before a full read: it finds what was deleted until then by itself. */
  async begin(signal: AbortSignal): Promise<DeletionMark> {
    this.#isRefused = false;
    this.#isBlind = false;
    const query = `${DESTROYED} AND created_at:>='${toSeconds(Date.UTC(9999, 0))}'`;
    const isShown = (await this.#readLog(query, signal)) !== null;
    // A heartbeat may fail again, and has to have a count then: or all would be read anew each time.
    if (isShown && this.#failure === null) return NO_MARK;
    const variants = await this.#count(signal);
    this.#isBlind = variants === null;
    return { event_id: null, variants };
  }

  /**
   * Products deleted since a mark, or since `since_ms` where it has no event. The next mark lies at the last event of
   * before `settled_ms`: the log's index may show a younger one late, so that those are read again. Shop time.
   */
  async since(
    mark: DeletionMark,
    { since_ms, settled_ms }: { readonly since_ms: number; readonly settled_ms: number },
    signal: AbortSignal,
  ): Promise<Deletions> {
    const { event_id } = mark;
    const from = event_id === null ? `created_at:>='${toSeconds(since_ms)}'` : `id:>${event_id}`;
    const found = this.#isRefused ? null : await this.#readLog(`${DESTROYED} AND ${from}`, signal);
    if (found === null) return await this.#compareCounts(mark, signal);
    this.#failure = null;
    const settled = found.filter(({ at_ms }) => at_ms <= settled_ms).map((one) => one.event_id);
    const last = [...settled, ...(event_id === null ? [] : [event_id])].sort(compareTails).at(-1);
    return {
      product_ids: [...new Set(found.map(({ product_id }) => product_id))],
      has_lost_variants: false,
      mark: { event_id: last ?? null, variants: null },
    };
  }

  async #compareCounts(mark: DeletionMark, signal: AbortSignal): Promise<Deletions> {
    const variants = await this.#count(signal);
    // Without a count at the mark, what went since then can't be told from what was gone before.
    const has_lost_variants =
      mark.variants === null ? !this.#isBlind : variants !== null && variants < mark.variants;
    // The event stays: should the shop show its log again, it is read from there.
    const next = { event_id: mark.event_id, variants: variants ?? mark.variants };
    return { product_ids: [], has_lost_variants, mark: next };
  }

  /** Null when the shop refuses it. What is no deletion of a product is left out, whatever the shop's search makes of the query. */
  async #readLog(query: string, signal: AbortSignal): Promise<readonly Found[] | null> {
    const found: Found[] = [];
    try {
      const pages = walk(async (after) => {
        const variables = { query, first: DELETIONS_PER_PAGE, after };
        const { data } = await this.#client.read(DOCUMENTS.deleted_products, variables, signal);
        if (!data.events) throw new UpstreamError('refused', 'no list of events');
        return data.events;
      }, FILTERED_OBJECTS_MAX);
      for await (const nodes of pages) {
        for (const node of nodes) {
          if (node.__typename !== 'BasicEvent') continue;
          if (node.action !== 'destroy' || node.subjectType !== 'PRODUCT') continue;
          found.push({
            event_id: parseTail('BasicEvent', node.id),
            at_ms: Date.parse(node.createdAt),
            product_id: parseTail('Product', node.subjectId),
          });
        }
      }
      return found;
    } catch (error) {
      if (!(error instanceof UpstreamError) || !REFUSALS.has(error.failure) || signal.aborted) throw error;
      const { failure, detail } = error;
      if (this.#failure !== failure)
        this.#client.note('warn', 'no list of deleted products, counting variants', { failure, detail });
      this.#failure = failure;
      this.#isRefused = LASTING.has(failure);
      return null;
    }
  }

  /** Null when the shop does not say exactly. */
  async #count(signal: AbortSignal): Promise<number | null> {
    const { data } = await this.#client.read(DOCUMENTS.variants_count, { limit: null }, signal);
    const counted = data.productVariantsCount ?? null;
    return counted?.precision === 'EXACT' ? counted.count : null;
  }
}
