/** What an agent is told of an item that is not for sale. */

import type { OffSale } from './observation.js';

const TEXTS = {
  archived: 'The item is not for sale any more.',
  deleted: 'The item is not for sale any more.',
  draft: 'The item is not for sale yet.',
  direct_link_only: 'The item is not for sale here: the shop sells it by a direct link alone.',
  untracked: 'The item is not for sale here: the shop does not count its stock.',
  bundle: 'The item is a bundle, which is not sold here. What it is made of can be reserved by itself.',
  subscription_only: 'The item is not for sale here: the shop sells it by subscription alone.',
  combined_listing:
    'The item is not for sale: it only lists other items, which can be reserved by themselves.',
  gift_card: 'The item is a gift card, which is not sold here.',
  not_published: 'The item is not for sale here: the shop does not publish it where agents sell.',
} as const satisfies Record<OffSale, string>;

/** One sentence of ours. Null: why is not known. */
export function describeOffSale(reason: OffSale | null): string {
  return reason === null ? TEXTS.archived : TEXTS[reason];
}
