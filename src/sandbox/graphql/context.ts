/** What resolvers are given, and what they look like. */

import type { GraphQLResolveInfo } from 'graphql';
import type { ReadDocument } from '../api-rules/bulk-query.js';
import type { Shop } from '../shop/shop.js';

/** What every resolver sees besides its source: the shop, the time of this request, and the caller's scopes. */
export interface Context {
  readonly shop: Shop;
  readonly nowMs: number;
  readonly scopes: readonly string[];
  /** Where the shop is reached: "http://127.0.0.1:4010". */
  readonly origin: string;
  /** Runs another document as the same caller, at the time at which it is run. */
  readonly read: ReadDocument;
}

export type Fields<S> = Readonly<
  Record<string, (source: S, args: never, context: Context, info: GraphQLResolveInfo) => unknown>
>;
