/** What a token has to allow for a message: asked before anything of it is done, so that the answer can be HTTP's own. */

import { isListenRequest, listStockUris } from '../../mcp/listen-request.js';
import { findScope, type Scope, STOCK_SCOPE } from '../../mcp/server.js';
import { type Message, toolCalled } from '../middleware/json-rpc.js';

const OF_STOCK: ReadonlySet<unknown> = new Set(['resources/read', 'resources/subscribe']);

/** Null where none is needed. */
export function scopeNeeded(message: Message): Scope | null {
  const tool = toolCalled(message);
  if (tool !== null) return findScope(tool);
  const isOfStock = isListenRequest(message)
    ? listStockUris(message).length > 0
    : OF_STOCK.has(message.method);
  return isOfStock ? STOCK_SCOPE : null;
}
