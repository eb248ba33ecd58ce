/** What a token has to allow for a message: asked before anything of it is done, so that the answer can be HTTP's own. */

import { type Scope, STOCK_SCOPE, scopeOf } from '../tools/server.js';
import { type Message, toolCalled } from './json-rpc.js';
import { isListenRequest, stockUrisOf } from './listen-request.js';

const OF_STOCK: ReadonlySet<unknown> = new Set(['resources/read', 'resources/subscribe']);

/** Null where none is needed. */
export function scopeNeeded(message: Message): Scope | null {
  const tool = toolCalled(message);
  if (tool !== null) return scopeOf(tool);
  const isOfStock = isListenRequest(message) ? stockUrisOf(message).length > 0 : OF_STOCK.has(message.method);
  return isOfStock ? STOCK_SCOPE : null;
}
