/** Reads back the anchors that stand on our orders at the shop. */

import type { AnchoredOrder, AnchorSource } from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS } from '../client/documents.js';
import { parseTail } from '../client/gid.js';
import { walk } from '../client/paging.js';
import { matches } from '../client/search.js';
import { ANCHOR_ATTRIBUTE } from './buyer-input.js';
import { COMMON_TAG } from './tag.js';

const PAGE_SIZE = 100;
/** Orders that one proof reads. */
const ORDERS_MAX = 1_000_000;

export class ShopifyAnchorSource implements AnchorSource {
  readonly #client: ShopifyClient;

  constructor(client: ShopifyClient) {
    this.#client = client;
  }

  async *readAnchors(signal: AbortSignal): AsyncGenerator<readonly AnchoredOrder[]> {
    const query = matches('tag', COMMON_TAG);
    const pages = walk(async (after) => {
      const variables = { query, first: PAGE_SIZE, after };
      return (await this.#client.read(DOCUMENTS.order_anchors, variables, signal)).data.orders;
    }, ORDERS_MAX);
    for await (const nodes of pages) {
      yield nodes.map(({ id, name, customAttributes }) => ({
        order_ref: parseTail('Order', id),
        order_name: name,
        anchor: customAttributes.find(({ key }) => key === ANCHOR_ATTRIBUTE)?.value ?? null,
      }));
    }
  }
}
