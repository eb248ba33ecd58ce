/**
 * The whole catalogue by a bulk operation: the shop makes a file of it, which is then read item by item.
 *
 * Memory is bounded because the result is grouped: each item's line is followed by those of its variants and levels, so
 * one item is held at a time. A result that is not grouped is refused; keeping parents until their children come would
 * keep all of them.
 */

import { UpstreamError } from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS, type Item, type Level, type ResultOf } from '../client/documents.js';
import {
  BULK_CANCEL_MS,
  BULK_LINES_PER_ITEM_MAX,
  BULK_LOOK_FIRST_MS,
  BULK_LOOK_MAX_MS,
  type Tuning,
} from '../client/limits.js';
import { resultLines } from './bulk-result.js';
import type { FlagVariables } from './publication.js';

export interface BulkPage {
  readonly items: readonly Item[];
  readonly total_items: number;
}

type State = NonNullable<ResultOf<typeof DOCUMENTS.bulk_state>['bulkOperation']>;
type Variant = NonNullable<Item['variants']>['nodes'][number];

interface Group {
  readonly item: Pick<Item, 'id' | 'sku' | 'tracked'>;
  readonly variants: Variant[];
  readonly levels: Level[];
}

/**
 * Throws UpstreamError when the shop refuses, fails or takes longer than `bulk_wait_ms`, or the result is not what it
 * should be. An operation that is left before it is through, also because `signal` aborts, is cancelled at the shop.
 */
export async function* bulkItems(
  client: ShopifyClient,
  tuning: Tuning,
  flags: FlagVariables,
  signal: AbortSignal,
): AsyncGenerator<BulkPage> {
  const state = await finished(client, tuning, bulkQuery(flags), signal);
  const total_items = parseCount(state.rootObjectCount);
  const total_objects = parseCount(state.objectCount);
  const read = { objects: 0 };
  let seen = 0;
  let items: Item[] = [];
  if (state.url !== null) {
    for await (const item of grouped(resultLines(state.url, { origin: client.origin, signal }), read)) {
      if (flags.flags && !isFlagged(item)) throw broken('a variant that does not say where it is published');
      seen += 1;
      items.push(item);
      if (items.length < tuning.bulk_items_per_page) continue;
      yield { items, total_items };
      items = [];
    }
  }
  // Half a catalogue must not be taken for the whole: what is not in it is thought to be gone.
  if (seen !== total_items) throw broken(`${seen} items of ${total_items}`);
  // The last item may have lost some of its levels.
  if (read.objects !== total_objects) throw broken(`${read.objects} objects of ${total_objects}`);
  if (items.length > 0) yield { items, total_items };
}

/** A bulk query takes no variables, so the publication stands in its text. */
export function bulkQuery({ publication, flags }: FlagVariables): string {
  const { source } = DOCUMENTS.bulk_items;
  if (!flags) return source;
  const flag = `publishedOnPublication(publicationId: "${publication}")`;
  return source
    .replace('requiresComponents', `requiresComponents ${flag}`)
    .replace('combinedListingRole', `combinedListingRole ${flag}`);
}

async function finished(
  client: ShopifyClient,
  tuning: Tuning,
  query: string,
  signal: AbortSignal,
): Promise<State> {
  const id = await started(client, query, signal);
  let over = false;
  try {
    const state = await settled(client, id, tuning, signal);
    over = true;
    if (state.status !== 'COMPLETED')
      throw broken(`${state.status} ${state.errorCode ?? ''}`.trim(), 'refused');
    return state;
  } finally {
    if (!over) await cancelled(client, id);
  }
}

async function started(client: ShopifyClient, query: string, signal: AbortSignal): Promise<string> {
  const sent = await client.write(DOCUMENTS.start_bulk, { query }, signal);
  // One that may have started anyway ends by itself: nobody waits for it, and five may run at once (Shopify 2026-10).
  if (sent.outcome === 'unknown') throw broken(sent.detail, 'unreachable');
  if (sent.outcome !== 'done') throw broken(sent.detail, sent.failure);
  const payload = sent.value.bulkOperationRunQuery;
  const said = payload?.userErrors.map(({ code, message }) => `${code ?? '-'}: ${message}`).join('; ') ?? '';
  if (said !== '') throw broken(client.clean(said), 'refused');
  if (!payload?.bulkOperation) throw broken('neither an operation nor an error');
  return payload.bulkOperation.id;
}

/** Waits are counted, not timed: the clock may jump. */
async function settled(
  client: ShopifyClient,
  id: string,
  tuning: Tuning,
  signal: AbortSignal,
): Promise<State> {
  let wait_ms = BULK_LOOK_FIRST_MS;
  for (let waited_ms = 0; waited_ms < tuning.bulk_wait_ms; waited_ms += wait_ms) {
    wait_ms = Math.min(waited_ms === 0 ? BULK_LOOK_FIRST_MS : wait_ms * 2, BULK_LOOK_MAX_MS);
    await client.pause(wait_ms, signal);
    const { data } = await client.read(DOCUMENTS.bulk_state, { id }, signal);
    const state = data.bulkOperation;
    if (state === null) throw broken('the operation is gone');
    if (state.status !== 'CREATED' && state.status !== 'RUNNING') return state;
    client.note('info', 'the shop prepares a full read', { items: parseCount(state.rootObjectCount) });
  }
  throw broken(`not through after ${tuning.bulk_wait_ms} ms`, 'unreachable');
}

/** With a signal of its own: the caller's may be what ends the operation. */
async function cancelled(client: ShopifyClient, id: string): Promise<void> {
  const sent = await client.write(DOCUMENTS.cancel_bulk, { id }, AbortSignal.timeout(BULK_CANCEL_MS));
  if (sent.outcome !== 'done')
    client.note('warn', 'a bulk operation goes on at the shop', { detail: sent.detail });
}

/** Counts every line in `read`. */
async function* grouped(lines: AsyncIterable<string>, read: { objects: number }): AsyncGenerator<Item> {
  let group: Group | null = null;
  for await (const line of lines) {
    read.objects += 1;
    const value = parsed(line);
    const parent = value['__parentId'];
    if (parent === undefined) {
      if (group !== null) yield toItem(group);
      if (!isItem(value)) throw broken('an item of another form');
      group = { item: value, variants: [], levels: [] };
    } else if (group === null || parent !== group.item.id) {
      throw broken('it is not grouped');
    } else {
      take(group, value);
    }
  }
  if (group !== null) yield toItem(group);
}

function take({ variants, levels }: Group, value: Line): void {
  if (variants.length + levels.length >= BULK_LINES_PER_ITEM_MAX) throw broken('an item without end');
  if (isVariant(value)) variants.push(value);
  else if (isLevel(value)) levels.push(value);
  else throw broken('a part of an item of another form');
}

const LAST = { hasNextPage: false, endCursor: null } as const;

function toItem({ item, variants, levels }: Group): Item {
  const { id, sku, tracked } = item;
  return {
    id,
    sku,
    tracked,
    variants: { nodes: variants, pageInfo: LAST },
    inventoryLevels: { nodes: levels, pageInfo: LAST },
  };
}

type Line = Readonly<Record<string, unknown>>;

function parsed(line: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw broken('a line that is no JSON object');
}

/** No schema stands between us and this file, so it is looked at by hand. */
function isItem(value: Line): value is Line & Group['item'] {
  const { id, sku, tracked } = value;
  return (
    isGid('InventoryItem', id) && (sku === null || typeof sku === 'string') && typeof tracked === 'boolean'
  );
}

function isVariant(value: Line): value is Line & Variant {
  const { id, title, requiresComponents, product } = value;
  return (
    isGid('ProductVariant', id) &&
    typeof title === 'string' &&
    typeof requiresComponents === 'boolean' &&
    isObject(product) &&
    typeof product['title'] === 'string' &&
    typeof product['status'] === 'string' &&
    typeof product['requiresSellingPlan'] === 'boolean' &&
    typeof product['isGiftCard'] === 'boolean'
  );
}

function isFlagged({ variants }: Item): boolean {
  const nodes = variants?.nodes ?? [];
  return nodes.every(
    ({ publishedOnPublication, product }) =>
      typeof publishedOnPublication === 'boolean' && typeof product.publishedOnPublication === 'boolean',
  );
}

function isLevel(value: Line): value is Line & Level {
  const { id, isActive, updatedAt, location, quantities } = value;
  return (
    isGid('InventoryLevel', id) &&
    typeof isActive === 'boolean' &&
    typeof updatedAt === 'string' &&
    isObject(location) &&
    Array.isArray(quantities) &&
    quantities.every(
      (one) => isObject(one) && typeof one['name'] === 'string' && Number.isSafeInteger(one['quantity']),
    )
  );
}

function isGid(type: string, id: unknown): boolean {
  return typeof id === 'string' && id.startsWith(`gid://shopify/${type}/`);
}

function isObject(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Shopify sends its 64-bit counts as text. */
function parseCount(count: unknown): number {
  const value = Number(count);
  if (!Number.isSafeInteger(value) || value < 0) throw broken('a count that is no number');
  return value;
}

function broken(what: string, failure: UpstreamError['failure'] = 'protocol'): UpstreamError {
  return new UpstreamError(failure, `bulk read: ${what}`);
}
